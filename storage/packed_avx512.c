#include "storage/packed_levels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET                                                                                     \
    __attribute__((                                                                                \
        target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2")))

typedef __m512i row;

TARGET INLINE row row_load(const void *from)
{
    return _mm512_loadu_si512(from);
}

TARGET INLINE row row_and(row a, row b)
{
    return _mm512_and_si512(a, b);
}

TARGET INLINE row row_select(row mask, row a, row b)
{
    return _mm512_ternarylogic_epi64(mask, a, b, 0xCA);
}

TARGET INLINE row row_fill(unsigned T, uint64_t x)
{
    return T == 8    ? _mm512_set1_epi8((char)x)
           : T == 16 ? _mm512_set1_epi16((short)x)
           : T == 32 ? _mm512_set1_epi32((int)x)
                     : _mm512_set1_epi64((long long)x);
}

/* There is no shift of bytes: that of 16 bits leaves bits of the neighbour, which `take` masks. */
TARGET INLINE row row_shift_right(unsigned T, row r, unsigned count)
{
    __m128i bits = _mm_cvtsi32_si128((int)count);
    return T <= 16   ? _mm512_srl_epi16(r, bits)
           : T == 32 ? _mm512_srl_epi32(r, bits)
                     : _mm512_srl_epi64(r, bits);
}

TARGET INLINE row row_shift_left(unsigned T, row r, unsigned count)
{
    __m128i bits = _mm_cvtsi32_si128((int)count);
    return T <= 16   ? _mm512_sll_epi16(r, bits)
           : T == 32 ? _mm512_sll_epi32(r, bits)
                     : _mm512_sll_epi64(r, bits);
}

TARGET INLINE uint64_t row_in_range(unsigned T, row r, row first, row span)
{
    return T == 8    ? _mm512_cmple_epu8_mask(_mm512_sub_epi8(r, first), span)
           : T == 16 ? _mm512_cmple_epu16_mask(_mm512_sub_epi16(r, first), span)
           : T == 32 ? _mm512_cmple_epu32_mask(_mm512_sub_epi32(r, first), span)
                     : _mm512_cmple_epu64_mask(_mm512_sub_epi64(r, first), span);
}

TARGET INLINE void row_widen32(unsigned T, row r, uint32_t *to)
{
    if (T == 32) {
        _mm512_storeu_si512(to, r);
    } else if (T == 16) {
        _mm512_storeu_si512(to, _mm512_cvtepu16_epi32(_mm512_castsi512_si256(r)));
        _mm512_storeu_si512(to + 16, _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(r, 1)));
    } else {
        _mm512_storeu_si512(to, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(r)));
        _mm512_storeu_si512(to + 16, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(r, 1)));
        _mm512_storeu_si512(to + 32, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(r, 2)));
        _mm512_storeu_si512(to + 48, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(r, 3)));
    }
}

TARGET INLINE void row_widen64(unsigned T, row r, uint64_t *to)
{
    unsigned char bytes[64] __attribute__((aligned(64)));
    if (T == 64) {
        _mm512_storeu_si512(to, r);
        return;
    }
    _mm512_store_si512(bytes, r);
    for (unsigned i = 0; i < 512 / T; i += 8) {
        const void *from = bytes + i * T / 8;
        __m512i eight = T == 32   ? _mm512_cvtepu32_epi64(_mm256_load_si256(from))
                        : T == 16 ? _mm512_cvtepu16_epi64(_mm_load_si128(from))
                                  : _mm512_cvtepu8_epi64(_mm_loadl_epi64(from));
        _mm512_storeu_si512(to + i, eight);
    }
}

#include "storage/packed_simd.h"

/* ---- gather ---- */

/* 16 numbers of lanes of up to 32 bits. Lanes are read as part of the aligned 32 bits they stand
 * in, so that nothing behind the data is touched; the next word of a lane is 64 bytes further. */
TARGET INLINE __m512i gather16(unsigned T, const void *data, unsigned width, __m512i rows)
{
    const unsigned nlanes = 512 / T;
    const __m512i lane_mask = _mm512_set1_epi32((int)(T == 32 ? UINT32_MAX : (1u << T) - 1));
    __m512i within = _mm512_and_si512(rows, _mm512_set1_epi32(VC_UNIT_ROWS - 1));
    __m512i unit = _mm512_srli_epi32(rows, 9);
    __m512i bit =
        _mm512_mullo_epi32(_mm512_srl_epi32(within, _mm_cvtsi32_si128(__builtin_ctz(nlanes))),
                           _mm512_set1_epi32((int)width));
    __m512i shift = _mm512_and_si512(bit, _mm512_set1_epi32((int)T - 1));
    __m512i vector = _mm512_add_epi32(_mm512_srl_epi32(bit, _mm_cvtsi32_si128(__builtin_ctz(T))),
                                      _mm512_mullo_epi32(unit, _mm512_set1_epi32((int)width)));
    __m512i byte = _mm512_mullo_epi32(_mm512_and_si512(within, _mm512_set1_epi32((int)nlanes - 1)),
                                      _mm512_set1_epi32((int)T / 8));
    __m512i index = _mm512_add_epi32(_mm512_slli_epi32(vector, 4), _mm512_srli_epi32(byte, 2));
    __m512i skip = _mm512_slli_epi32(_mm512_and_si512(byte, _mm512_set1_epi32(3)), 3);
    __m512i low = _mm512_i32gather_epi32(index, data, 4);
    low = _mm512_and_si512(_mm512_srlv_epi32(low, skip), lane_mask);
    low = _mm512_srlv_epi32(low, shift);
    if (T % width != 0) {
        __mmask16 goes_on = _mm512_cmpgt_epu32_mask(
            _mm512_add_epi32(shift, _mm512_set1_epi32((int)width)), _mm512_set1_epi32((int)T));
        __m512i high =
            _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), goes_on,
                                        _mm512_add_epi32(index, _mm512_set1_epi32(16)), data, 4);
        high = _mm512_and_si512(_mm512_srlv_epi32(high, skip), lane_mask);
        high = _mm512_sllv_epi32(high, _mm512_sub_epi32(_mm512_set1_epi32((int)T), shift));
        low = _mm512_or_si512(low, high);
    }
    return _mm512_and_si512(low, _mm512_set1_epi32((int)(uint32_t)packed_largest(width)));
}

/* Rows i to i + 16, those past the end as 0, which every block has. */
TARGET INLINE __m512i load_rows(const uint16_t *rows, size_t i, size_t n)
{
    __mmask16 is_there = (__mmask16)(n - i >= 16 ? 0xFFFF : (1u << (n - i)) - 1);
    return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(is_there, rows + i));
}

TARGET INLINE void gather32_lanes(unsigned T, const void *data, unsigned width,
                                  const uint16_t *rows, size_t n, uint32_t *deltas)
{
    for (size_t i = 0; i < n; i += 16)
        _mm512_storeu_si512(deltas + i, gather16(T, data, width, load_rows(rows, i, n)));
}

KERNEL void gather32(const void *data, unsigned width, const uint16_t *rows, size_t n,
                     uint32_t *deltas)
{
    if (width == 0)
        memset(deltas, 0, n * sizeof *deltas);
    else if (width <= 8)
        gather32_lanes(8, data, width, rows, n, deltas);
    else if (width <= 16)
        gather32_lanes(16, data, width, rows, n, deltas);
    else
        gather32_lanes(32, data, width, rows, n, deltas);
}

/* Lanes of 64 bits need no care: a lane is what is read. */
TARGET INLINE __m512i gather8_wide(const void *data, unsigned width, __m512i rows)
{
    __m512i within = _mm512_and_si512(rows, _mm512_set1_epi64(VC_UNIT_ROWS - 1));
    __m512i bit = _mm512_mul_epu32(_mm512_srli_epi64(within, 3), _mm512_set1_epi64(width));
    __m512i unit = _mm512_mul_epu32(_mm512_srli_epi64(rows, 9), _mm512_set1_epi64(width));
    __m512i shift = _mm512_and_si512(bit, _mm512_set1_epi64(63));
    __m512i index =
        _mm512_add_epi64(_mm512_slli_epi64(_mm512_add_epi64(unit, _mm512_srli_epi64(bit, 6)), 3),
                         _mm512_and_si512(within, _mm512_set1_epi64(7)));
    __mmask8 goes_on = _mm512_cmpgt_epu64_mask(_mm512_add_epi64(shift, _mm512_set1_epi64(width)),
                                               _mm512_set1_epi64(64));
    __m512i low = _mm512_srlv_epi64(_mm512_i64gather_epi64(index, data, 8), shift);
    __m512i high = _mm512_mask_i64gather_epi64(
        _mm512_setzero_si512(), goes_on, _mm512_add_epi64(index, _mm512_set1_epi64(8)), data, 8);
    high = _mm512_sllv_epi64(high, _mm512_sub_epi64(_mm512_set1_epi64(64), shift));
    return _mm512_and_si512(_mm512_or_si512(low, high),
                            _mm512_set1_epi64((long long)packed_largest(width)));
}

TARGET INLINE void gather64_lanes(unsigned T, const void *data, unsigned width,
                                  const uint16_t *rows, size_t n, uint64_t *deltas)
{
    for (size_t i = 0; i < n; i += 16) {
        __m512i sixteen = load_rows(rows, i, n), low, high;
        if (T == 64) {
            low = gather8_wide(data, width, _mm512_cvtepu32_epi64(_mm512_castsi512_si256(sixteen)));
            high = gather8_wide(data, width,
                                _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(sixteen, 1)));
        } else {
            __m512i narrow = gather16(T, data, width, sixteen);
            low = _mm512_cvtepu32_epi64(_mm512_castsi512_si256(narrow));
            high = _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(narrow, 1));
        }
        _mm512_storeu_si512(deltas + i, low);
        _mm512_storeu_si512(deltas + i + 8, high);
    }
}

KERNEL void gather64(const void *data, unsigned width, const uint16_t *rows, size_t n,
                     uint64_t *deltas)
{
    if (width == 0)
        memset(deltas, 0, n * sizeof *deltas);
    else
        WITH_LANE_BITS(width, gather64_lanes, data, width, rows, n, deltas);
}

const vc_packed_kernels vc_packed_avx512 = {unpack32, unpack64, filter, gather32, gather64};

TARGET void vc_packed_put_unit_avx512(const uint64_t *deltas, unsigned width, void *data)
{
    put_unit(deltas, width, data);
}

#endif
