/* The kernels with AVX-512 (VBMI2): masks of 16 and 32 rows are operands of the instructions. */
#include "slice/kernels_loops.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512                                                                                     \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi,"    \
                          "bmi2,popcnt")))

static AVX512 size_t positions(const uint64_t *mask, size_t nwords, uint16_t *rows)
{
    static const uint16_t first32[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                         11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                         22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    const __m512i step = _mm512_set1_epi16(32);
    __m512i numbers = _mm512_loadu_si512(first32);
    size_t n = 0;
    for (size_t w = 0; w < nwords; w++) {
        for (unsigned half = 0; half < 2; half++) {
            uint32_t bits = (uint32_t)(mask[w] >> half * 32);
            /* In a register first: the form that stores is slow on Zen 4. */
            _mm512_storeu_si512(rows + n, _mm512_maskz_compress_epi16(bits, numbers));
            n += (size_t)__builtin_popcount(bits);
            numbers = _mm512_add_epi16(numbers, step);
        }
    }
    return n;
}

/* The lanes in `lanes` of 16 leaves whose bits are in the set. */
static inline AVX512 __mmask16 set_bits(__mmask16 lanes, __m512i leaves, __m512i base,
                                        const uint64_t *set)
{
    __m512i bits = _mm512_add_epi32(leaves, base);
    __m512i words = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), lanes,
                                                _mm512_srli_epi32(bits, 5), (const int *)set, 4);
    __m512i wanted =
        _mm512_sllv_epi32(_mm512_set1_epi32(1), _mm512_and_si512(bits, _mm512_set1_epi32(31)));
    return _mm512_mask_test_epi32_mask(lanes, words, wanted);
}

static AVX512 size_t count_bits(const uint64_t *mask, size_t nwords)
{
    return vc_loop_count_bits(mask, nwords);
}

static AVX512 void filter_set(const uint32_t *leaves, uint32_t nrows, uint32_t base,
                              const uint64_t *set, uint64_t *mask)
{
    const __m512i bases = _mm512_set1_epi32((int)base);
    for (uint32_t w = 0; w < nrows / 64; w++) {
        uint64_t word = mask[w], kept = 0;
        if (word == 0) continue;
        for (unsigned i = 0; i < 64; i += 16) {
            __mmask16 lanes = (__mmask16)(word >> i);
            __m512i some = _mm512_loadu_si512(leaves + w * 64 + i);
            kept |= (uint64_t)set_bits(lanes, some, bases, set) << i;
        }
        mask[w] = kept;
    }
    vc_loop_filter_tail(leaves + nrows / 64 * 64, nrows % 64, base, set, mask + nrows / 64);
}

/* 16 rows within 64 of the first are put together from four loads; which is three times as fast as
 * gathering on Zen 4, and the rule when a quarter of the rows or more are picked. */
static inline AVX512 __m512i pick_near(const uint32_t *values, __m512i offsets)
{
    __m512i low = _mm512_permutex2var_epi32(_mm512_loadu_si512(values), offsets,
                                            _mm512_loadu_si512(values + 16));
    __m512i high = _mm512_permutex2var_epi32(_mm512_loadu_si512(values + 32), offsets,
                                             _mm512_loadu_si512(values + 48));
    __mmask16 is_high = _mm512_test_epi32_mask(offsets, _mm512_set1_epi32(32));
    return _mm512_mask_blend_epi32(is_high, low, high);
}

static AVX512 void pick32(const uint32_t *values, const uint16_t *rows, size_t n, uint32_t *picked)
{
    /* Whatever lies before a row that is picked may be read. */
    size_t nreadable = n == 0 ? 0 : (size_t)rows[n - 1] + 1, i = 0;
    for (; i + 16 <= n; i += 16) {
        __m512i at = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(rows + i)));
        __m512i offsets = _mm512_sub_epi32(at, _mm512_set1_epi32(rows[i]));
        if (_mm512_cmpge_epu32_mask(offsets, _mm512_set1_epi32(64)) == 0 &&
            (size_t)rows[i] + 64 <= nreadable)
            _mm512_storeu_si512(picked + i, pick_near(values + rows[i], offsets));
        else
            vc_loop_pick32(values, rows + i, 16, picked + i);
    }
    vc_loop_pick32(values, rows + i, n - i, picked + i);
}

static AVX512 void add_groups(const uint32_t *leaves, size_t n, const uint32_t *groups,
                              uint32_t stride, uint32_t *keys)
{
    const __m512i strides = _mm512_set1_epi32((int)stride);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m512i found =
            _mm512_i32gather_epi32(_mm512_loadu_si512(leaves + i), (const int *)groups, 4);
        __m512i key = _mm512_loadu_si512(keys + i);
        _mm512_storeu_si512(keys + i, _mm512_add_epi32(key, _mm512_mullo_epi32(found, strides)));
    }
    vc_loop_add_groups(leaves + i, n - i, groups, stride, keys + i);
}

static AVX512 size_t select_groups(const uint32_t *leaves, uint32_t nrows, const uint32_t *groups,
                                   uint64_t *mask, uint32_t *keys)
{
    const __m512i none = _mm512_set1_epi32(-1);
    size_t n = 0;
    uint32_t first = 0;
    for (; first + 64 <= nrows; first += 64) {
        uint64_t bits = 0;
        for (unsigned i = 0; i < 64; i += 16) {
            __m512i found = _mm512_i32gather_epi32(_mm512_loadu_si512(leaves + first + i),
                                                   (const int *)groups, 4);
            __mmask16 are = _mm512_cmpneq_epi32_mask(found, none);
            _mm512_storeu_si512(keys + n, _mm512_maskz_compress_epi32(are, found));
            n += (size_t)__builtin_popcount(are);
            bits |= (uint64_t)are << i;
        }
        mask[first / 64] = bits;
    }
    if (first < nrows)
        mask[first / 64] = vc_loop_select_word(leaves + first, nrows - first, groups, keys, &n);
    return n;
}

typedef struct sums {
    __m512i words, high; /* see vc_loop_sum_of_halves */
} sums;

static inline AVX512 sums no_sums(void)
{
    return (sums){_mm512_setzero_si512(), _mm512_setzero_si512()};
}

static inline AVX512 void add_deltas(sums *to, __m512i deltas)
{
    to->words = _mm512_add_epi64(to->words, deltas);
    to->high = _mm512_add_epi64(to->high, _mm512_srli_epi64(deltas, 32));
}

/* Modulo 2^64; gcc's _mm512_reduce_add_epi64 adds as signed numbers. */
static inline AVX512 uint64_t add_lanes(__m512i eight)
{
    __m256i four =
        _mm256_add_epi64(_mm512_castsi512_si256(eight), _mm512_extracti64x4_epi64(eight, 1));
    __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
    return (uint64_t)_mm_cvtsi128_si64(two) + (uint64_t)_mm_extract_epi64(two, 1);
}

static inline AVX512 uint64_t total(const sums *of)
{
    return vc_loop_sum_of_halves(add_lanes(of->words), add_lanes(of->high));
}

static AVX512 uint64_t sum32(const uint32_t *deltas, size_t n)
{
    sums some = no_sums(), others = no_sums();
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        add_deltas(&some, _mm512_loadu_si512(deltas + i));
        add_deltas(&others, _mm512_loadu_si512(deltas + i + 16));
    }
    return total(&some) + total(&others) + vc_loop_sum32(deltas + i, n - i);
}

static AVX512 uint64_t sum32_masked(const uint32_t *deltas, const uint64_t *mask, uint32_t nrows)
{
    sums some = no_sums(), others = no_sums();
    for (uint32_t first = 0; first < nrows; first += 64) {
        const uint32_t *at = deltas + first;
        uint64_t word = mask[first / 64];
        if (word == 0) continue;
        /* Lanes whose bit is clear are not read, so the last word needs no care. */
        add_deltas(&some, _mm512_maskz_loadu_epi32((__mmask16)word, at));
        add_deltas(&others, _mm512_maskz_loadu_epi32((__mmask16)(word >> 16), at + 16));
        add_deltas(&some, _mm512_maskz_loadu_epi32((__mmask16)(word >> 32), at + 32));
        add_deltas(&others, _mm512_maskz_loadu_epi32((__mmask16)(word >> 48), at + 48));
    }
    return total(&some) + total(&others);
}

/* Are 16, or 8, keys one and the same? See kernels_loops.h. */
static inline AVX512 bool is_one_key16(const uint32_t *keys)
{
    __m512i first = _mm512_set1_epi32((int)keys[0]);
    return _mm512_cmpneq_epi32_mask(first, _mm512_loadu_si512(keys)) == 0;
}

static inline AVX512 bool is_one_key8(const uint32_t *keys)
{
    __m256i first = _mm256_set1_epi32((int)keys[0]);
    return _mm256_cmpneq_epi32_mask(first, _mm256_loadu_si256((const __m256i *)keys)) == 0;
}

static AVX512 void count(const uint32_t *keys, size_t n, uint64_t *counts)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        if (is_one_key16(keys + i)) {
            counts[keys[i]] += 16;
            continue;
        }
        for (size_t half = i; half < i + 16; half += 8) {
            if (is_one_key8(keys + half))
                counts[keys[half]] += 8;
            else
                vc_loop_count8(keys + half, counts);
        }
    }
    vc_loop_count(keys + i, n - i, counts);
}

static AVX512 void add32(const uint32_t *keys, const uint32_t *deltas, size_t n, int64_t base,
                         int64_t *sums_by_key)
{
    uint64_t first = (uint64_t)base;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        if (is_one_key16(keys + i)) {
            sums some = no_sums();
            add_deltas(&some, _mm512_loadu_si512(deltas + i));
            vc_loop_add_one(&sums_by_key[keys[i]], first * 16 + total(&some));
            continue;
        }
        for (size_t half = i; half < i + 16; half += 8) {
            if (is_one_key8(keys + half))
                vc_loop_add_one(&sums_by_key[keys[half]],
                                first * 8 + vc_loop_sum32(deltas + half, 8));
            else
                vc_loop_add32_8(keys + half, deltas + half, first, sums_by_key);
        }
    }
    vc_loop_add32(keys + i, deltas + i, n - i, base, sums_by_key);
}

static AVX512 void add64(const uint32_t *keys, const uint64_t *deltas, size_t n, int64_t base,
                         int64_t *sums_by_key)
{
    uint64_t first = (uint64_t)base;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        if (is_one_key16(keys + i)) {
            __m512i both = _mm512_add_epi64(_mm512_loadu_si512(deltas + i),
                                            _mm512_loadu_si512(deltas + i + 8));
            vc_loop_add_one(&sums_by_key[keys[i]], first * 16 + add_lanes(both));
            continue;
        }
        for (size_t half = i; half < i + 16; half += 8) {
            if (is_one_key8(keys + half)) {
                __m512i eight = _mm512_loadu_si512(deltas + half);
                vc_loop_add_one(&sums_by_key[keys[half]], first * 8 + add_lanes(eight));
            } else {
                vc_loop_add64_8(keys + half, deltas + half, first, sums_by_key);
            }
        }
    }
    vc_loop_add64(keys + i, deltas + i, n - i, base, sums_by_key);
}

const vc_kernels vc_kernels_avx512 = {
    .level = VC_CPU_AVX512,
    .positions = positions,
    .count_bits = count_bits,
    .filter_set = filter_set,
    .pick32 = pick32,
    .add_groups = add_groups,
    .select_groups = select_groups,
    .sum32 = sum32,
    .sum32_masked = sum32_masked,
    .count = count,
    .add32 = add32,
    .add64 = add64,
};
#endif
