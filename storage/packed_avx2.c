#include "storage/packed_levels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))

typedef struct row {
    __m256i half[2];
} row;

TARGET INLINE row row_load(const void *from)
{
    const __m256i *halves = from;
    return (row){{_mm256_loadu_si256(halves), _mm256_loadu_si256(halves + 1)}};
}

TARGET INLINE row row_and(row a, row b)
{
    return (row){{_mm256_and_si256(a.half[0], b.half[0]), _mm256_and_si256(a.half[1], b.half[1])}};
}

TARGET INLINE row row_select(row mask, row a, row b)
{
    row r;
    for (int h = 0; h < 2; h++)
        r.half[h] = _mm256_or_si256(_mm256_and_si256(mask.half[h], a.half[h]),
                                    _mm256_andnot_si256(mask.half[h], b.half[h]));
    return r;
}

TARGET INLINE row row_fill(unsigned T, uint64_t x)
{
    __m256i half = T == 8    ? _mm256_set1_epi8((char)x)
                   : T == 16 ? _mm256_set1_epi16((short)x)
                   : T == 32 ? _mm256_set1_epi32((int)x)
                             : _mm256_set1_epi64x((long long)x);
    return (row){{half, half}};
}

/* There is no shift of bytes: that of 16 bits leaves bits of the neighbour, which `take` masks. */
TARGET INLINE row row_shift_right(unsigned T, row r, unsigned count)
{
    __m128i bits = _mm_cvtsi32_si128((int)count);
    for (int h = 0; h < 2; h++)
        r.half[h] = T <= 16   ? _mm256_srl_epi16(r.half[h], bits)
                    : T == 32 ? _mm256_srl_epi32(r.half[h], bits)
                              : _mm256_srl_epi64(r.half[h], bits);
    return r;
}

TARGET INLINE row row_shift_left(unsigned T, row r, unsigned count)
{
    __m128i bits = _mm_cvtsi32_si128((int)count);
    for (int h = 0; h < 2; h++)
        r.half[h] = T <= 16   ? _mm256_sll_epi16(r.half[h], bits)
                    : T == 32 ? _mm256_sll_epi32(r.half[h], bits)
                              : _mm256_sll_epi64(r.half[h], bits);
    return r;
}

/* All ones in the lanes that are in range: AVX2 compares unsigned numbers by their minimum only,
 * and has none of 64 bits. */
TARGET INLINE __m256i half_in_range(unsigned T, __m256i half, __m256i first, __m256i span)
{
    if (T == 8) {
        __m256i delta = _mm256_sub_epi8(half, first);
        return _mm256_cmpeq_epi8(_mm256_min_epu8(delta, span), delta);
    }
    if (T == 16) {
        __m256i delta = _mm256_sub_epi16(half, first);
        return _mm256_cmpeq_epi16(_mm256_min_epu16(delta, span), delta);
    }
    if (T == 32) {
        __m256i delta = _mm256_sub_epi32(half, first);
        return _mm256_cmpeq_epi32(_mm256_min_epu32(delta, span), delta);
    }
    const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
    __m256i delta = _mm256_xor_si256(_mm256_sub_epi64(half, first), sign);
    __m256i is_out = _mm256_cmpgt_epi64(delta, _mm256_xor_si256(span, sign));
    return _mm256_xor_si256(is_out, _mm256_set1_epi64x(-1));
}

TARGET INLINE uint64_t row_in_range(unsigned T, row r, row first, row span)
{
    __m256i a = half_in_range(T, r.half[0], first.half[0], span.half[0]);
    __m256i b = half_in_range(T, r.half[1], first.half[1], span.half[1]);
    if (T == 64)
        return (uint64_t)(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(a)) |
               (uint64_t)(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(b)) << 4;
    if (T == 32)
        return (uint64_t)(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(a)) |
               (uint64_t)(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(b)) << 8;
    if (T == 16) /* packing goes by halves of 128 bits: put them in order again */
        return (unsigned)_mm256_movemask_epi8(
            _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xD8));
    return (uint64_t)(unsigned)_mm256_movemask_epi8(a) | (uint64_t)(unsigned)_mm256_movemask_epi8(b)
                                                             << 32;
}

/* Through memory, because each load widens as it reads. */
TARGET INLINE void row_widen32(unsigned T, row r, uint32_t *to)
{
    unsigned char bytes[64] __attribute__((aligned(64)));
    _mm256_store_si256((__m256i *)bytes, r.half[0]);
    _mm256_store_si256((__m256i *)(bytes + 32), r.half[1]);
    for (unsigned i = 0; i < 512 / T; i += 8) {
        const void *from = bytes + i * T / 8;
        __m256i eight = T == 32   ? _mm256_load_si256(from)
                        : T == 16 ? _mm256_cvtepu16_epi32(_mm_load_si128(from))
                                  : _mm256_cvtepu8_epi32(_mm_loadl_epi64(from));
        _mm256_storeu_si256((__m256i *)(to + i), eight);
    }
}

TARGET INLINE void row_widen64(unsigned T, row r, uint64_t *to)
{
    unsigned char bytes[64] __attribute__((aligned(64)));
    _mm256_store_si256((__m256i *)bytes, r.half[0]);
    _mm256_store_si256((__m256i *)(bytes + 32), r.half[1]);
    for (unsigned i = 0; i < 512 / T; i += 4) {
        const void *from = bytes + i * T / 8;
        __m256i four = T == 64   ? _mm256_load_si256(from)
                       : T == 32 ? _mm256_cvtepu32_epi64(_mm_load_si128(from))
                       : T == 16 ? _mm256_cvtepu16_epi64(_mm_loadl_epi64(from))
                                 : _mm256_cvtepu8_epi64(_mm_loadu_si32(from));
        _mm256_storeu_si256((__m256i *)(to + i), four);
    }
}

#include "storage/packed_simd.h"

/* ---- gather ---- */

TARGET INLINE void gather32_lanes(unsigned T, const void *data, unsigned width,
                                  const uint16_t *rows, size_t n, uint32_t *deltas)
{
    for (size_t i = 0; i < n; i++)
        deltas[i] = (uint32_t)packed_get(data, T, width, rows[i]);
}

KERNEL void gather32(const void *data, unsigned width, const uint16_t *rows, size_t n,
                     uint32_t *deltas)
{
    if (width == 0)
        memset(deltas, 0, n * sizeof *deltas);
    else
        WITH_LANE_BITS(width, gather32_lanes, data, width, rows, n, deltas);
}

TARGET INLINE void gather64_lanes(unsigned T, const void *data, unsigned width,
                                  const uint16_t *rows, size_t n, uint64_t *deltas)
{
    for (size_t i = 0; i < n; i++)
        deltas[i] = packed_get(data, T, width, rows[i]);
}

KERNEL void gather64(const void *data, unsigned width, const uint16_t *rows, size_t n,
                     uint64_t *deltas)
{
    if (width == 0)
        memset(deltas, 0, n * sizeof *deltas);
    else
        WITH_LANE_BITS(width, gather64_lanes, data, width, rows, n, deltas);
}

const vc_packed_kernels vc_packed_avx2 = {unpack32, unpack64, filter, gather32, gather64};

TARGET void vc_packed_put_unit_avx2(const uint64_t *deltas, unsigned width, void *data)
{
    put_unit(deltas, width, data);
}

#endif
