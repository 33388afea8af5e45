/* A chunk: one column of one segment of rows, as bytes that are scanned where they lie.
 *
 * 48 bytes of header (magic, codec, key echo, row count, min, max, CRC32C), then data on a 64-byte
 * boundary of the file's page. Codec: frame of reference at the narrowest width, that is
 * value = base + unsigned delta of 1, 2, 4 or 8 bytes (width 0: all values equal base); doubles are
 * stored as they are. Null rows have a cleared bit in the validity bitmap, and any value.
 * data and validity may be read (and ignored) up to the next multiple of 64 bytes; the bits of the
 * bitmap past the last row are clear. docs/storage.md has the layout byte by byte.
 */
#ifndef STORAGE_CHUNK_H
#define STORAGE_CHUNK_H

#include <stddef.h>
#include <stdint.h>

typedef enum vc_chunk_type {
    VC_CHUNK_INT = 1,   /* int64 by frame of reference; also leaf ids and scaled decimals */
    VC_CHUNK_FLOAT = 2, /* IEEE double */
} vc_chunk_type;

typedef struct vc_chunk {
    vc_chunk_type type;
    uint32_t nrows;
    uint32_t nnulls;
    unsigned width;          /* bytes of a delta: 0, 1, 2, 4, 8; floats: 8 */
    int64_t base;            /* of the frame of reference; 0 for floats */
    int64_t min, max;        /* of the non-null ints; min > max when all are null */
    double fmin, fmax;       /* of the non-null floats; fmin > fmax when there is none. NaN does not
                                take part */
    const void *data;        /* [nrows] of width bytes, 64-byte aligned; NULL at width 0 */
    const uint8_t *validity; /* bitmap, bit r of byte r/8 is set when row r has a value; NULL when
                                no row is null */
} vc_chunk;

/* Decode all rows: values [nrows], null rows get 0. For code that is not the scan kernel. */
void vc_chunk_get_ints(const vc_chunk *chunk, int64_t *values);
void vc_chunk_get_doubles(const vc_chunk *chunk, double *values);

static inline int vc_chunk_has(const vc_chunk *chunk, uint32_t row)
{
    return chunk->validity == NULL || (chunk->validity[row >> 3] >> (row & 7) & 1);
}

#endif
