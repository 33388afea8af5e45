/* Rows are taken by 64, the word size of the validity bitmap: a word without nulls, which is nearly
 * every one, runs through a loop of constant length that the compiler turns into vector
 * instructions. The loops are compiled twice, for the baseline and for AVX2. */
#include "storage/encode.h"

#include "storage/packed.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { WORD_ROWS = 64, MAX_BLOCKS = 16 };

#define INLINE static inline __attribute__((always_inline))
#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
#endif

static size_t align64(size_t size)
{
    return (size + 63) / 64 * 64;
}

static size_t bitmap_bytes(uint32_t nrows)
{
    return (nrows + UINT32_C(7)) / 8;
}

static uint32_t count_blocks(uint32_t nrows)
{
    return (nrows + VC_BLOCK_ROWS - 1) / VC_BLOCK_ROWS;
}

static size_t table_bytes(uint32_t nblocks)
{
    return align64(nblocks * sizeof(vc_block));
}

size_t vc_chunk_room(uint32_t nrows)
{
    /* Packed blocks go by whole units: a width of 64 takes up to 511 rows more. */
    size_t rows = ((size_t)nrows + VC_UNIT_ROWS - 1) / VC_UNIT_ROWS * VC_UNIT_ROWS;
    return vc_record_class_bytes(VC_HEADER_BYTES + table_bytes(count_blocks(nrows)) + rows * 8 +
                                 align64(bitmap_bytes(nrows)));
}

/* The validity of rows [first, first + count), count <= 64, as a word with the other bits clear. */
INLINE uint64_t validity_word(const uint8_t *validity, uint32_t first, uint32_t count)
{
    uint64_t word = 0;
    if (validity == NULL)
        word = ~UINT64_C(0);
    else
        memcpy(&word, validity + first / 8, (count + 7) / 8);
    return count == WORD_ROWS ? word : word & ~(~UINT64_C(0) << count);
}

/* ---- integers: one block ---- */

typedef struct int_range {
    int64_t min, max; /* of the rows that have a value */
    uint32_t nvalid;
} int_range;

INLINE int_range scan_block(const int64_t *restrict values, const uint8_t *validity, uint32_t nrows)
{
    int_range range = {.min = INT64_MAX, .max = INT64_MIN};
    int64_t min = INT64_MAX, max = INT64_MIN;
    for (uint32_t first = 0; first < nrows; first += WORD_ROWS) {
        uint32_t count = nrows - first < WORD_ROWS ? nrows - first : WORD_ROWS;
        uint64_t word = validity_word(validity, first, count);
        const int64_t *rows = values + first;
        range.nvalid += (uint32_t)__builtin_popcountll(word);
        if (word == ~UINT64_C(0)) {
            for (uint32_t i = 0; i < WORD_ROWS; i++) {
                min = rows[i] < min ? rows[i] : min;
                max = rows[i] > max ? rows[i] : max;
            }
        } else {
            for (; word != 0; word &= word - 1) {
                int64_t value = rows[__builtin_ctzll(word)];
                min = value < min ? value : min;
                max = value > max ? value : max;
            }
        }
    }
    range.min = min;
    range.max = max;
    return range;
}

/* deltas[i] = values[i] - base modulo 2^64; null rows get 0. */
INLINE void subtract_base(const int64_t *restrict values, const uint8_t *validity, uint32_t nrows,
                          int64_t base, uint64_t *restrict deltas)
{
    for (uint32_t first = 0; first < nrows; first += WORD_ROWS) {
        uint32_t count = nrows - first < WORD_ROWS ? nrows - first : WORD_ROWS;
        uint64_t word = validity_word(validity, first, count);
        const int64_t *rows = values + first;
        uint64_t *restrict out = deltas + first;
        if (word == ~UINT64_C(0)) {
            for (uint32_t i = 0; i < WORD_ROWS; i++)
                out[i] = (uint64_t)rows[i] - (uint64_t)base;
        } else {
            for (uint32_t i = 0; i < count; i++)
                out[i] = word >> i & 1 ? (uint64_t)rows[i] - (uint64_t)base : 0;
        }
    }
}

#ifdef AVX2
AVX2 static int_range scan_block_avx2(const int64_t *values, const uint8_t *validity,
                                      uint32_t nrows)
{
    return scan_block(values, validity, nrows);
}

AVX2 static void subtract_base_avx2(const int64_t *values, const uint8_t *validity, uint32_t nrows,
                                    int64_t base, uint64_t *deltas)
{
    subtract_base(values, validity, nrows, base, deltas);
}
#endif

static int_range scan_block_best(const int64_t *values, const uint8_t *validity, uint32_t nrows)
{
#ifdef AVX2
    if (vc_cpu_get_level() >= VC_CPU_AVX2) return scan_block_avx2(values, validity, nrows);
#endif
    return scan_block(values, validity, nrows);
}

static void subtract_base_best(const int64_t *values, const uint8_t *validity, uint32_t nrows,
                               int64_t base, uint64_t *deltas)
{
#ifdef AVX2
    if (vc_cpu_get_level() >= VC_CPU_AVX2) {
        subtract_base_avx2(values, validity, nrows, base, deltas);
        return;
    }
#endif
    subtract_base(values, validity, nrows, base, deltas);
}

/* Write the packed deltas of one block, while its rows are in the cache. Returns its number of rows
 * with a value; block->offset is the caller's. */
static uint32_t put_block(const int64_t *values, const uint8_t *validity, uint32_t nrows,
                          vc_block *block, void *data)
{
    uint64_t deltas[VC_BLOCK_ROWS];
    int_range range = scan_block_best(values, validity, nrows);
    block->min = 1;
    block->max = 0; /* min > max: no value at all */
    block->width = 0;
    if (range.nvalid == 0) return 0;
    block->min = range.min;
    block->max = range.max;
    block->width = vc_packed_width((uint64_t)range.max - (uint64_t)range.min);
    if (block->width == 0) return range.nvalid;
    subtract_base_best(values, validity, nrows, range.min, deltas);
    vc_packed_put(deltas, nrows, block->width, data);
    return range.nvalid;
}

/* ---- values ---- */

/* Bitmap, padding and seal: what follows the data, which end at `end`. */
static size_t finish(const vc_record_key *key, const uint8_t *validity, vc_record_header *header,
                     unsigned char *value, size_t end)
{
    uint32_t nrows = header->nrows;
    size_t nbytes = bitmap_bytes(nrows);
    size_t bitmap_at = VC_HEADER_BYTES + align64(end - VC_HEADER_BYTES);
    memset(value + end, 0, bitmap_at - end);
    end = bitmap_at;
    if (header->nnulls > 0) {
        header->flags = VC_RECORD_HAS_VALIDITY;
        if (header->nnulls < nrows)
            memcpy(value + end, validity, nbytes);
        else
            memset(value + end, 0, nbytes);
        if (nrows % 8 != 0) value[end + nbytes - 1] &= (unsigned char)((1u << nrows % 8) - 1);
        end += nbytes;
    }
    size_t size = vc_record_class_bytes(bitmap_at + align64(end - bitmap_at));
    memset(value + end, 0, size - end);
    vc_record_seal(value, size, key, header);
    return size;
}

size_t vc_chunk_encode_ints(const vc_record_key *key, const int64_t *values,
                            const uint8_t *validity, uint32_t nrows, void *value,
                            vc_record_header *header_out)
{
    vc_record_header header = {.type = VC_CHUNK_INT, .nrows = nrows, .min = 1};
    vc_block blocks[MAX_BLOCKS];
    uint32_t nblocks = count_blocks(nrows), nvalid = 0, offset = 0;
    size_t data_at = VC_HEADER_BYTES + table_bytes(nblocks);
    unsigned char *bytes = value;
    assert(nblocks <= MAX_BLOCKS);
    for (uint32_t b = 0; b < nblocks; b++) {
        uint32_t first = b * VC_BLOCK_ROWS;
        uint32_t count = nrows - first < VC_BLOCK_ROWS ? nrows - first : VC_BLOCK_ROWS;
        vc_block *block = &blocks[b];
        nvalid += put_block(values + first, validity == NULL ? NULL : validity + first / 8, count,
                            block, bytes + data_at + (size_t)offset * 64);
        block->offset = offset;
        offset += (uint32_t)(vc_packed_bytes(count, block->width) / 64);
        if (block->min > block->max) continue;
        bool is_first = header.min > header.max;
        header.min = is_first || block->min < header.min ? block->min : header.min;
        header.max = is_first || block->max > header.max ? block->max : header.max;
    }
    header.nnulls = nrows - nvalid;
    memset(bytes + VC_HEADER_BYTES, 0, table_bytes(nblocks));
    memcpy(bytes + VC_HEADER_BYTES, blocks, nblocks * sizeof *blocks);
    size_t size = finish(key, validity, &header, bytes, data_at + (size_t)offset * 64);
    *header_out = header;
    return size;
}

size_t vc_chunk_encode_doubles(const vc_record_key *key, const double *values,
                               const uint8_t *validity, uint32_t nrows, void *value,
                               vc_record_header *header_out)
{
    double *data = (double *)((unsigned char *)value + VC_HEADER_BYTES);
    double min = INFINITY, max = -INFINITY;
    uint32_t nvalid = 0;
    for (uint32_t first = 0; first < nrows; first += WORD_ROWS) {
        uint32_t count = nrows - first < WORD_ROWS ? nrows - first : WORD_ROWS;
        uint64_t word = validity_word(validity, first, count);
        nvalid += (uint32_t)__builtin_popcountll(word);
        for (uint32_t i = 0; i < count; i++) {
            double number = word >> i & 1 ? values[first + i] : 0;
            data[first + i] = number;
            min = (word >> i & 1) && number < min ? number : min;
            max = (word >> i & 1) && number > max ? number : max;
        }
    }
    vc_record_header header = {
        .type = VC_CHUNK_FLOAT, .width = 8, .nrows = nrows, .nnulls = nrows - nvalid};
    memcpy(&header.min, &min, sizeof min);
    memcpy(&header.max, &max, sizeof max);
    size_t end = VC_HEADER_BYTES + (size_t)nrows * sizeof(double);
    size_t size = finish(key, validity, &header, value, end);
    *header_out = header;
    return size;
}

/* ---- looking at a value ---- */

/* The table of blocks: each one where the one before it ends, with the width that its range has,
 * and the range of all of them that of the chunk. *ndata_out: bytes of packed deltas. */
static const char *check_blocks(const vc_record_header *header, const vc_block *blocks,
                                uint32_t nblocks, size_t *ndata_out)
{
    int64_t min = INT64_MAX, max = INT64_MIN;
    size_t end = 0; /* in units of 64 bytes */
    bool is_any_empty = false;
    for (uint32_t b = 0; b < nblocks; b++) {
        const vc_block *block = &blocks[b];
        uint32_t left = header->nrows - b * VC_BLOCK_ROWS;
        bool is_empty = block->min > block->max;
        unsigned width =
            is_empty ? 0 : vc_packed_width((uint64_t)block->max - (uint64_t)block->min);
        if (block->offset != end) return "has a block in the wrong place";
        if (block->width != width || (is_empty && (block->min != 1 || block->max != 0)))
            return "has a block with an impossible width";
        end += vc_packed_bytes(left < VC_BLOCK_ROWS ? left : VC_BLOCK_ROWS, width) / 64;
        is_any_empty = is_any_empty || is_empty;
        if (is_empty) continue;
        min = block->min < min ? block->min : min;
        max = block->max > max ? block->max : max;
    }
    if (is_any_empty && header->nnulls == 0) return "has a block without values, but no null row";
    if ((min > max) != (header->nnulls == header->nrows))
        return "has an impossible number of nulls";
    if (min > max ? header->min != 1 || header->max != 0 : header->min != min || header->max != max)
        return "has another range than its blocks";
    *ndata_out = end * 64;
    return NULL;
}

static const char *view_ints(const vc_record_header *header, const unsigned char *bytes,
                             vc_chunk *chunk, size_t *end_out)
{
    size_t ndata, data_at = VC_HEADER_BYTES + table_bytes(chunk->nblocks);
    if (header->width != 0) return "has an impossible width";
    chunk->blocks = (const vc_block *)(bytes + VC_HEADER_BYTES);
    const char *problem = check_blocks(header, chunk->blocks, chunk->nblocks, &ndata);
    if (problem != NULL) return problem;
    chunk->data = bytes + data_at;
    chunk->min = header->min;
    chunk->max = header->max;
    chunk->nbytes = chunk->nblocks * sizeof(vc_block) + ndata;
    *end_out = data_at + ndata;
    return NULL;
}

static const char *view_doubles(const vc_record_header *header, const unsigned char *bytes,
                                vc_chunk *chunk, size_t *end_out)
{
    if (header->width != sizeof(double)) return "has an impossible width";
    chunk->nblocks = 0;
    chunk->data = bytes + VC_HEADER_BYTES;
    chunk->nbytes = (size_t)header->nrows * sizeof(double);
    memcpy(&chunk->fmin, &header->min, sizeof chunk->fmin);
    memcpy(&chunk->fmax, &header->max, sizeof chunk->fmax);
    *end_out = VC_HEADER_BYTES + chunk->nbytes;
    return NULL;
}

const char *vc_chunk_view(const vc_record_header *header, const void *value, size_t size,
                          vc_chunk *chunk_out)
{
    bool has_validity = header->flags == VC_RECORD_HAS_VALIDITY;
    size_t end;
    if (header->type != VC_CHUNK_INT && header->type != VC_CHUNK_FLOAT)
        return "has an unknown codec";
    /* The smallest size has room for the longest table of blocks. Values of a size that is none
     * LMDB may keep anywhere, also where the table would not be aligned. */
    if (size != vc_record_class_bytes(size)) return "has another size than its rows need";
    if (header->nrows > MAX_BLOCKS * VC_BLOCK_ROWS) return "has too many rows";
    if (header->flags > VC_RECORD_HAS_VALIDITY || header->nnulls > header->nrows ||
        has_validity != (header->nnulls > 0))
        return "has an impossible number of nulls";
    *chunk_out = (vc_chunk){.type = (vc_chunk_type)header->type,
                            .nrows = header->nrows,
                            .nnulls = header->nnulls,
                            .nblocks = count_blocks(header->nrows)};
    const char *problem = header->type == VC_CHUNK_INT
                              ? view_ints(header, value, chunk_out, &end)
                              : view_doubles(header, value, chunk_out, &end);
    if (problem != NULL) return problem;
    if (has_validity) {
        end = VC_HEADER_BYTES + align64(end - VC_HEADER_BYTES);
        chunk_out->validity = (const uint8_t *)value + end;
        chunk_out->nbytes += bitmap_bytes(header->nrows);
        end += align64(bitmap_bytes(header->nrows));
    }
    return size == vc_record_class_bytes(end) ? NULL : "has another size than its rows need";
}

/* ---- decoding ---- */

static void clear_nulls(const vc_chunk *chunk, void *values, size_t value_bytes)
{
    for (uint32_t row = 0; chunk->validity != NULL && row < chunk->nrows; row++)
        if (!vc_chunk_has(chunk, row)) memset((char *)values + row * value_bytes, 0, value_bytes);
}

void vc_chunk_get_ints(const vc_chunk *chunk, int64_t *values)
{
    assert(chunk->type == VC_CHUNK_INT);
    const vc_packed_kernels *kernels = vc_packed_get_kernels(vc_cpu_get_level());
    uint64_t deltas[VC_BLOCK_ROWS];
    for (uint32_t b = 0; b < chunk->nblocks; b++) {
        uint32_t nrows = vc_chunk_block_rows(chunk, b);
        uint64_t base = (uint64_t)chunk->blocks[b].min;
        int64_t *to = values + (size_t)b * VC_BLOCK_ROWS;
        kernels->unpack64(vc_chunk_block_data(chunk, b), chunk->blocks[b].width, nrows, deltas);
        for (uint32_t row = 0; row < nrows; row++)
            to[row] = (int64_t)(base + deltas[row]);
    }
    clear_nulls(chunk, values, sizeof *values);
}

void vc_chunk_get_doubles(const vc_chunk *chunk, double *values)
{
    assert(chunk->type == VC_CHUNK_FLOAT);
    if (chunk->nrows > 0) memcpy(values, chunk->data, chunk->nrows * sizeof *values);
    clear_nulls(chunk, values, sizeof *values);
}
