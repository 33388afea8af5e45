/* A chunk: one column of one segment of rows, as bytes that are scanned where they lie.
 *
 * 48 bytes of header (magic, codec, key echo, row count, min, max, CRC32C), then, on a 64-byte
 * boundary, of an int chunk the table of its blocks, then the data. A *block* is 4,096 rows (the
 * last one of a chunk may be shorter) with a base and a bit width of its own: value = base +
 * unsigned delta modulo 2^64, bit-packed (storage/packed.h). Block and chunk know their min and
 * max. Doubles are stored as they are. Null rows have a cleared bit in the validity bitmap, and
 * delta 0. data and validity may be read (and ignored) up to the next multiple of 64 bytes; the
 * bits of the bitmap past the last row are clear. docs/storage.md has the layout byte by byte.
 */
#ifndef STORAGE_CHUNK_H
#define STORAGE_CHUNK_H

#include <stddef.h>
#include <stdint.h>

enum { VC_BLOCK_ROWS = 4096 };

typedef enum vc_chunk_type {
    VC_CHUNK_INT = 1,   /* int64; also leaf ids and scaled decimals */
    VC_CHUNK_FLOAT = 2, /* IEEE double */
} vc_chunk_type;

typedef struct vc_block { /* as stored */
    int64_t min, max;     /* of the non-null values; min is the base. All null: 1, 0, and width 0 */
    uint32_t offset;      /* of the packed deltas in `data`, in units of 64 bytes */
    uint32_t width;       /* bits of a delta, 0 to 64 */
} vc_block;

typedef struct vc_chunk {
    vc_chunk_type type;
    uint32_t nrows;
    uint32_t nnulls;
    uint32_t nblocks;
    int64_t min, max;        /* of the non-null ints; min > max when all are null */
    double fmin, fmax;       /* of the non-null floats; fmin > fmax when there is none. NaN does not
                                take part */
    const vc_block *blocks;  /* [nblocks] of an int chunk; NULL for floats */
    const void *data;        /* ints: packed blocks; floats: double [nrows]; 64-byte aligned */
    const uint8_t *validity; /* bitmap, bit r of byte r/8 is set when row r has a value; NULL when
                                no row is null */
    size_t nbytes;           /* of blocks, data and validity: what a scan of all of it touches */
} vc_chunk;

static inline const void *vc_chunk_block_data(const vc_chunk *chunk, uint32_t block)
{
    return (const unsigned char *)chunk->data + (size_t)chunk->blocks[block].offset * 64;
}

/* Rows of a block. */
static inline uint32_t vc_chunk_block_rows(const vc_chunk *chunk, uint32_t block)
{
    uint32_t left = chunk->nrows - block * VC_BLOCK_ROWS;
    return left < VC_BLOCK_ROWS ? left : VC_BLOCK_ROWS;
}

/* Decode all rows: values [nrows], null rows get 0. For code that is not the scan kernel. */
void vc_chunk_get_ints(const vc_chunk *chunk, int64_t *values);
void vc_chunk_get_doubles(const vc_chunk *chunk, double *values);

static inline int vc_chunk_has(const vc_chunk *chunk, uint32_t row)
{
    return chunk->validity == NULL || (chunk->validity[row >> 3] >> (row & 7) & 1);
}

#endif
