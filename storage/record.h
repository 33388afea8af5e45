/* Records: what every value in the LMDB file looks like, whatever it holds.
 *
 * A key is 16 bytes, big-endian, so that LMDB's byte order is the order of the fields. A value
 * begins with a header of 48 bytes that repeats the key and carries a CRC32C over the whole value
 * (its own four bytes taken as zero). The value of a chunk is padded to a size class of
 * 4096 * n - 16 bytes: LMDB then keeps it on pages of its own, 16 bytes behind their start, so that
 * what follows our header lies on a 64-byte boundary.
 * Threads: pure.
 */
#ifndef STORAGE_RECORD_H
#define STORAGE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum vc_record_kind {
    VC_RECORD_FORMAT = 1,    /* one: which version of docs/storage.md this file follows */
    VC_RECORD_HEAD = 2,      /* one: newest epoch, next generation, next object id */
    VC_RECORD_CATALOGUE = 3, /* one per kept epoch */
    VC_RECORD_MANIFEST = 4,  /* per object and generation */
    VC_RECORD_FACTS = 5,     /* per object, generation, column, segment */
    VC_RECORD_BYTES = 6,     /* per object, generation, column, piece */
    VC_RECORD_ZONES = 7,     /* per object, generation, fact column: vc_zone of each segment */
} vc_record_kind;

enum {
    VC_KEY_BYTES = 16,
    VC_HEADER_BYTES = 48,
    VC_PAGE_BYTES = 4096,
    VC_FORMAT_VERSION = 2,
    VC_PIECE_BYTES = 32768 * VC_PAGE_BYTES - 16 - VC_HEADER_BYTES, /* data of a full piece */
};

typedef struct vc_record_key {
    vc_record_kind kind;
    uint32_t object;     /* catalogue: the high half of the epoch */
    uint32_t generation; /* catalogue: the low half of the epoch */
    uint16_t column;
    uint32_t segment; /* or piece */
} vc_record_key;

/* As stored, little-endian. The meaning of the last fields by kind:
 *
 *             type        width  flags     nrows        nnulls  min           max
 * format      0           0      0         version      0       0             0
 * head        0           0      0         next object  0       epoch         next generation
 * catalogue   0           0      0         objects      0       payload size  0
 * manifest    0           0      0         0            0       payload size  0
 * facts       chunk type  0, 8   1: bitmap rows         nulls   min           max (or doubles)
 * bytes       0           0      0         in the piece 0       total size    pieces
 * zones       0           0      0         segments     0       payload size  0
 */
typedef struct vc_record_header {
    uint16_t magic;
    uint8_t kind;
    uint8_t type;
    uint32_t crc;
    uint32_t object;
    uint32_t generation;
    uint32_t segment;
    uint16_t column;
    uint8_t width;
    uint8_t flags;
    uint32_t nrows;
    uint32_t nnulls;
    int64_t min;
    int64_t max;
} vc_record_header;

_Static_assert(sizeof(vc_record_header) == VC_HEADER_BYTES, "the header is 48 bytes");

enum { VC_RECORD_HAS_VALIDITY = 1 };

vc_record_key vc_record_catalogue_key(uint64_t epoch);
uint64_t vc_record_key_epoch(const vc_record_key *key);

void vc_record_key_write(const vc_record_key *key, uint8_t bytes[VC_KEY_BYTES]);
/* False when it is no key of ours. */
bool vc_record_key_read(const void *bytes, size_t size, vc_record_key *key);

/* Value bytes for `size` bytes of header and data: the next 4096 * n - 16. */
size_t vc_record_class_bytes(size_t size);

/* Fill in magic, key and checksum of a complete value that begins with room for the header; the
 * other fields are taken from `header`. Returns the checksum. */
uint32_t vc_record_seal(void *value, size_t size, const vc_record_key *key,
                        vc_record_header *header);

/* Read the header of a value and compare magic and key.
 *
 * Returns NULL, or what is wrong in a few words (a literal). O(1). */
const char *vc_record_read(const vc_record_key *key, const void *value, size_t size,
                           vc_record_header *header_out);

/* Is the checksum right? O(size). */
bool vc_record_is_sound(const void *value, size_t size);

#endif
