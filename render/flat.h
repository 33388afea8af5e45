/* FlatBuffers (https://flatbuffers.dev/internals/) as far as Arrow's messages need them: strings,
 * vectors and tables, written from the back to the front, so that what is pointed to stands already
 * when its pointer is written.
 *
 * A reference is the distance of an object from the end of the buffer; 0 is none. Out of memory is
 * remembered and said by vc_flat_finish.
 * Threads: one thread at a time.
 */
#ifndef RENDER_FLAT_H
#define RENDER_FLAT_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t vc_flat_ref;

enum { VC_FLAT_MAX_FIELDS = 8 };

typedef struct vc_flat {
    uint8_t *data; /* [capacity]; what is written are the last `size` bytes */
    size_t capacity, size;
    bool failed;
    uint32_t table_end;                  /* of the open table: the size when it was begun */
    uint32_t fields[VC_FLAT_MAX_FIELDS]; /* of the open table: where they stand; 0: default */
} vc_flat;

void vc_flat_release(vc_flat *flat); /* frees; empty and usable again */

vc_flat_ref vc_flat_string(vc_flat *flat, vc_str text);

/* A vector of `count` structs or numbers of `size` bytes each, in little endian already. */
vc_flat_ref vc_flat_vector(vc_flat *flat, const void *items, size_t count, size_t size,
                           size_t align);

vc_flat_ref vc_flat_refs(vc_flat *flat, const vc_flat_ref *refs, size_t count);

/* A table: begin, add its fields, end. Nothing else may be written between. Fields go by their
 * number in the schema; what is not added has its default. */
void vc_flat_begin(vc_flat *flat);
void vc_flat_add(vc_flat *flat, unsigned field, uint64_t value, size_t size); /* 1, 2, 4, 8 bytes */
void vc_flat_add_ref(vc_flat *flat, unsigned field, vc_flat_ref ref);         /* nothing when 0 */
vc_flat_ref vc_flat_end(vc_flat *flat);

/* Put the root in front. The bytes are the flat's own, aligned to 8 in length. False when out of
 * memory. */
bool vc_flat_finish(vc_flat *flat, vc_flat_ref root, vc_str *bytes_out);

#endif
