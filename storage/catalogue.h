/* The catalogue of one epoch: which objects there are, and which generation of each is meant.
 *
 * A published catalogue never changes, so it is parsed once and shared by counting references.
 * Threads: immutable after parsing; hold and drop from any thread.
 */
#ifndef STORAGE_CATALOGUE_H
#define STORAGE_CATALOGUE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/status.h"
#include "base/text.h"
#include "storage/record.h"
#include "storage/store.h"

#include <stdatomic.h>

typedef struct vc_entry {
    vc_kind kind;
    uint32_t id;
    uint32_t generation;   /* of the manifest */
    uint64_t digest;       /* of the contents: makes the snapshot id depend on them */
    const uint32_t *parts; /* [nparts] older generations that the manifest refers to */
    uint32_t nparts;
    vc_str name;
} vc_entry;

typedef struct vc_catalogue {
    atomic_uint nrefs;
    uint64_t epoch;
    char id[32];             /* "42-9f3c" */
    const vc_entry *entries; /* [nentries] ascending by kind, then name */
    size_t nentries;
    vc_arena arena;
} vc_catalogue;

/* The catalogue of epoch 0, which has no record. NULL when out of memory. */
vc_catalogue *vc_catalogue_new_empty(void);

/* Parse a record whose key, header and checksum are right. VC_CORRUPT when its contents are not
 * (a bug or a collision), VC_NO_MEMORY. The caller holds the one reference. */
vc_status vc_catalogue_parse(uint64_t epoch, const vc_record_header *header, const void *value,
                             size_t size, vc_catalogue **catalogue_out, vc_error *error);

vc_catalogue *vc_catalogue_hold(vc_catalogue *catalogue);
void vc_catalogue_drop(vc_catalogue *catalogue); /* frees with the last reference; NULL is fine */

/* NULL when there is none. O(log nentries). */
const vc_entry *vc_catalogue_find(const vc_catalogue *catalogue, vc_kind kind, vc_str name);

/* For messages: the entry of an object, NULL when there is none. O(nentries). */
const vc_entry *vc_catalogue_find_id(const vc_catalogue *catalogue, uint32_t object_id);

/* VC_NOT_FOUND with the code of the kind and the nearest names. */
vc_status vc_catalogue_fail_unknown(const vc_catalogue *catalogue, vc_kind kind, vc_str name,
                                    vc_error *error);

int vc_entry_compare(const void *left, const void *right); /* for qsort: the order of entries */

/* Append the sealed record of a catalogue; the entries are in order. buffer->failed when out of
 * memory. */
void vc_catalogue_write(uint64_t epoch, const vc_entry *entries, size_t nentries,
                        vc_buffer *buffer);

#endif
