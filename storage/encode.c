/* Rows are taken in blocks of 64, the word size of the validity bitmap: a block without nulls,
 * which is nearly every one, runs through a loop of constant length that the compiler turns into
 * vector instructions. The loops are compiled twice, for the baseline and for AVX2. */
#include "storage/encode.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 64 };

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

size_t vc_chunk_room(uint32_t nrows)
{
    return vc_record_class_bytes(VC_HEADER_BYTES + align64((size_t)nrows * 8) +
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
    return count == BLOCK ? word : word & ~(~UINT64_C(0) << count);
}

typedef struct int_range {
    int64_t min, max;
    uint32_t nvalid;
} int_range;

INLINE int_range scan_ints(const int64_t *restrict values, const uint8_t *validity, uint32_t nrows)
{
    int_range range = {.min = INT64_MAX, .max = INT64_MIN};
    int64_t min = INT64_MAX, max = INT64_MIN;
    for (uint32_t first = 0; first < nrows; first += BLOCK) {
        uint32_t count = nrows - first < BLOCK ? nrows - first : BLOCK;
        uint64_t word = validity_word(validity, first, count);
        const int64_t *block = values + first;
        range.nvalid += (uint32_t)__builtin_popcountll(word);
        if (word == ~UINT64_C(0)) {
            for (uint32_t i = 0; i < BLOCK; i++) {
                min = block[i] < min ? block[i] : min;
                max = block[i] > max ? block[i] : max;
            }
        } else {
            for (; word != 0; word &= word - 1) {
                int64_t value = block[__builtin_ctzll(word)];
                min = value < min ? value : min;
                max = value > max ? value : max;
            }
        }
    }
    range.min = min;
    range.max = max;
    return range;
}

/* deltas[i] = values[i] - base in `type`; null rows get 0. */
#define PACK(type)                                                                                 \
    do {                                                                                           \
        type *restrict deltas = data;                                                              \
        for (uint32_t first = 0; first < nrows; first += BLOCK) {                                  \
            uint32_t count = nrows - first < BLOCK ? nrows - first : BLOCK;                        \
            uint64_t word = validity_word(validity, first, count);                                 \
            const int64_t *block = values + first;                                                 \
            type *restrict out = deltas + first;                                                   \
            if (word == ~UINT64_C(0)) {                                                            \
                for (uint32_t i = 0; i < BLOCK; i++)                                               \
                    out[i] = (type)((uint64_t)block[i] - (uint64_t)base);                          \
            } else {                                                                               \
                for (uint32_t i = 0; i < count; i++)                                               \
                    out[i] = word >> i & 1 ? (type)((uint64_t)block[i] - (uint64_t)base) : 0;      \
            }                                                                                      \
        }                                                                                          \
    } while (0)

INLINE void pack_ints(const int64_t *restrict values, const uint8_t *validity, uint32_t nrows,
                      int64_t base, unsigned width, void *data)
{
    switch (width) {
    case 1: PACK(uint8_t); break;
    case 2: PACK(uint16_t); break;
    case 4: PACK(uint32_t); break;
    case 8: PACK(uint64_t); break;
    default: break; /* all equal: nothing to store */
    }
}

#ifdef AVX2
AVX2 static int_range scan_ints_avx2(const int64_t *values, const uint8_t *validity, uint32_t nrows)
{
    return scan_ints(values, validity, nrows);
}

AVX2 static void pack_ints_avx2(const int64_t *values, const uint8_t *validity, uint32_t nrows,
                                int64_t base, unsigned width, void *data)
{
    pack_ints(values, validity, nrows, base, width, data);
}
#endif

static int_range scan_ints_best(const int64_t *values, const uint8_t *validity, uint32_t nrows)
{
#ifdef AVX2
    if (__builtin_cpu_supports("avx2")) return scan_ints_avx2(values, validity, nrows);
#endif
    return scan_ints(values, validity, nrows);
}

static void pack_ints_best(const int64_t *values, const uint8_t *validity, uint32_t nrows,
                           int64_t base, unsigned width, void *data)
{
#ifdef AVX2
    if (__builtin_cpu_supports("avx2")) {
        pack_ints_avx2(values, validity, nrows, base, width, data);
        return;
    }
#endif
    pack_ints(values, validity, nrows, base, width, data);
}

static unsigned width_of(uint64_t largest_delta)
{
    return largest_delta == 0            ? 0
           : largest_delta <= UINT8_MAX  ? 1
           : largest_delta <= UINT16_MAX ? 2
           : largest_delta <= UINT32_MAX ? 4
                                         : 8;
}

/* Bitmap, padding and seal: what follows the deltas. */
static size_t finish(const vc_record_key *key, const uint8_t *validity, vc_record_header *header,
                     unsigned char *value, uint32_t *crc_out)
{
    uint32_t nrows = header->nrows;
    size_t end = VC_HEADER_BYTES + (size_t)nrows * header->width;
    size_t bitmap_at = VC_HEADER_BYTES + align64((size_t)nrows * header->width);
    memset(value + end, 0, bitmap_at - end);
    end = bitmap_at;
    if (header->nnulls > 0 && header->nnulls < nrows) {
        size_t nbytes = bitmap_bytes(nrows);
        header->flags = VC_RECORD_HAS_VALIDITY;
        memcpy(value + end, validity, nbytes);
        if (nrows % 8 != 0) value[end + nbytes - 1] &= (unsigned char)((1u << nrows % 8) - 1);
        end += nbytes;
    } else if (header->nnulls > 0) {
        header->flags = VC_RECORD_HAS_VALIDITY;
        memset(value + end, 0, bitmap_bytes(nrows));
        end += bitmap_bytes(nrows);
    }
    size_t size =
        vc_record_class_bytes(header->flags == 0 ? end : bitmap_at + align64(end - bitmap_at));
    memset(value + end, 0, size - end);
    *crc_out = vc_record_seal(value, size, key, header);
    return size;
}

size_t vc_chunk_encode_ints(const vc_record_key *key, const int64_t *values,
                            const uint8_t *validity, uint32_t nrows, void *value, uint32_t *crc_out)
{
    int_range range = scan_ints_best(values, validity, nrows);
    vc_record_header header = {.type = VC_CHUNK_INT,
                               .nrows = nrows,
                               .nnulls = nrows - range.nvalid,
                               .min = 1,
                               .max = 0}; /* min > max: no value at all */
    if (range.nvalid > 0) {
        header.min = range.min;
        header.max = range.max;
        header.width = (uint8_t)width_of((uint64_t)range.max - (uint64_t)range.min);
    }
    pack_ints_best(values, validity, nrows, header.min, header.width,
                   (unsigned char *)value + VC_HEADER_BYTES);
    return finish(key, validity, &header, value, crc_out);
}

size_t vc_chunk_encode_doubles(const vc_record_key *key, const double *values,
                               const uint8_t *validity, uint32_t nrows, void *value,
                               uint32_t *crc_out)
{
    double *data = (double *)((unsigned char *)value + VC_HEADER_BYTES);
    double min = INFINITY, max = -INFINITY;
    uint32_t nvalid = 0;
    for (uint32_t first = 0; first < nrows; first += BLOCK) {
        uint32_t count = nrows - first < BLOCK ? nrows - first : BLOCK;
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
    return finish(key, validity, &header, value, crc_out);
}

const char *vc_chunk_view(const vc_record_header *header, const void *value, size_t size,
                          vc_chunk *chunk_out)
{
    unsigned width = header->width;
    bool has_validity = header->flags == VC_RECORD_HAS_VALIDITY;
    if (header->type != VC_CHUNK_INT && header->type != VC_CHUNK_FLOAT)
        return "has an unknown codec";
    if ((width & (width - 1)) != 0 || width > 8 || (header->type == VC_CHUNK_FLOAT && width != 8))
        return "has an impossible width";
    if (header->flags > VC_RECORD_HAS_VALIDITY || header->nnulls > header->nrows ||
        has_validity != (header->nnulls > 0))
        return "has an impossible number of nulls";
    size_t bitmap_at = VC_HEADER_BYTES + align64((size_t)header->nrows * width);
    size_t need = has_validity ? bitmap_at + align64(bitmap_bytes(header->nrows))
                               : VC_HEADER_BYTES + (size_t)header->nrows * width;
    if (size != vc_record_class_bytes(need)) return "has another size than its rows need";
    const unsigned char *bytes = value;
    *chunk_out = (vc_chunk){.type = (vc_chunk_type)header->type,
                            .nrows = header->nrows,
                            .nnulls = header->nnulls,
                            .width = width,
                            .data = width > 0 ? bytes + VC_HEADER_BYTES : NULL,
                            .validity = has_validity ? bytes + bitmap_at : NULL};
    if (header->type == VC_CHUNK_INT) {
        chunk_out->base = header->nnulls < header->nrows ? header->min : 0;
        chunk_out->min = header->min;
        chunk_out->max = header->max;
    } else {
        memcpy(&chunk_out->fmin, &header->min, sizeof chunk_out->fmin);
        memcpy(&chunk_out->fmax, &header->max, sizeof chunk_out->fmax);
    }
    return NULL;
}

/* ---- decoding ---- */

#define UNPACK(type)                                                                               \
    do {                                                                                           \
        const type *restrict deltas = chunk->data;                                                 \
        for (uint32_t row = 0; row < chunk->nrows; row++)                                          \
            values[row] = (int64_t)((uint64_t)chunk->base + deltas[row]);                          \
    } while (0)

void vc_chunk_get_ints(const vc_chunk *chunk, int64_t *values)
{
    assert(chunk->type == VC_CHUNK_INT);
    switch (chunk->width) {
    case 1: UNPACK(uint8_t); break;
    case 2: UNPACK(uint16_t); break;
    case 4: UNPACK(uint32_t); break;
    case 8: UNPACK(uint64_t); break;
    default:
        for (uint32_t row = 0; row < chunk->nrows; row++)
            values[row] = chunk->base;
    }
    for (uint32_t row = 0; chunk->validity != NULL && row < chunk->nrows; row++)
        if (!vc_chunk_has(chunk, row)) values[row] = 0;
}

void vc_chunk_get_doubles(const vc_chunk *chunk, double *values)
{
    assert(chunk->type == VC_CHUNK_FLOAT);
    if (chunk->nrows > 0) memcpy(values, chunk->data, chunk->nrows * sizeof *values);
    for (uint32_t row = 0; chunk->validity != NULL && row < chunk->nrows; row++)
        if (!vc_chunk_has(chunk, row)) values[row] = 0;
}
