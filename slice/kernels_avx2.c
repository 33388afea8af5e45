/* The kernels with AVX2. */
#include "slice/kernels_loops.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))

/* The numbers of the set bits of each byte, ascending, a byte each: a bit that is set puts its
 * number below those of the higher ones. 2 KiB. */
#define BIT(m, b)      ((uint64_t)((m) >> (b)&1))
#define PUT(m, b, all) ((all) << 8 * BIT(m, b) | BIT(m, b) * (b))
#define HIGH(m)        PUT(m, 4, PUT(m, 5, PUT(m, 6, BIT(m, 7) * 7)))
#define NUMBERS(m)     PUT(m, 0, PUT(m, 1, PUT(m, 2, PUT(m, 3, HIGH(m)))))
#define FOUR(m)        NUMBERS(m), NUMBERS(m + 1), NUMBERS(m + 2), NUMBERS(m + 3)
#define SIXTEEN(m)     FOUR(m), FOUR(m + 4), FOUR(m + 8), FOUR(m + 12)
#define HUNDRED(m)     SIXTEEN(m), SIXTEEN(m + 16), SIXTEEN(m + 32), SIXTEEN(m + 48)
static const uint64_t numbers_of_byte[256] = {HUNDRED(0), HUNDRED(64), HUNDRED(128), HUNDRED(192)};

static AVX2 size_t positions(const uint64_t *mask, size_t nwords, uint16_t *rows)
{
    const __m128i step = _mm_set1_epi16(8);
    size_t n = 0;
    for (size_t w = 0; w < nwords; w++) {
        uint64_t word = mask[w];
        if (word == 0) continue;
        __m128i first = _mm_set1_epi16((short)(w * 64));
        for (unsigned i = 0; i < 8; i++) {
            size_t bits = word & 0xFF;
            __m128i numbers =
                _mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *)&numbers_of_byte[bits]));
            _mm_storeu_si128((__m128i *)(rows + n), _mm_add_epi16(numbers, first));
            n += (size_t)__builtin_popcountll(bits);
            first = _mm_add_epi16(first, step);
            word >>= 8;
        }
    }
    return n;
}

static AVX2 size_t count_bits(const uint64_t *mask, size_t nwords)
{
    return vc_loop_count_bits(mask, nwords);
}

static AVX2 void filter_set(const uint32_t *leaves, uint32_t nrows, uint32_t base,
                            const uint64_t *set, uint64_t *mask)
{
    const __m256i bases = _mm256_set1_epi32((int)base);
    for (uint32_t w = 0; w < nrows / 64; w++) {
        uint64_t kept = 0;
        if (mask[w] == 0) continue;
        for (unsigned i = 0; i < 64; i += 8) {
            __m256i some = _mm256_loadu_si256((const __m256i *)(leaves + w * 64 + i));
            __m256i bits = _mm256_add_epi32(some, bases);
            __m256i words = _mm256_i32gather_epi32((const int *)set, _mm256_srli_epi32(bits, 5), 4);
            /* The wanted bit becomes the sign, of which movemask makes a bit; shifts by 31 - (bit
             * mod 32), which is the complement of the low five. */
            __m256i shifts = _mm256_andnot_si256(bits, _mm256_set1_epi32(31));
            __m256 signs = _mm256_castsi256_ps(_mm256_sllv_epi32(words, shifts));
            kept |= (uint64_t)(uint32_t)_mm256_movemask_ps(signs) << i;
        }
        mask[w] &= kept;
    }
    vc_loop_filter_tail(leaves + nrows / 64 * 64, nrows % 64, base, set, mask + nrows / 64);
}

/* Gathering is no faster than one load after the other, on Zen 4. */
static AVX2 void pick32(const uint32_t *values, const uint16_t *rows, size_t n, uint32_t *picked)
{
    vc_loop_pick32(values, rows, n, picked);
}

static AVX2 void add_groups(const uint32_t *leaves, size_t n, const uint32_t *groups,
                            uint32_t stride, uint32_t *keys)
{
    const __m256i strides = _mm256_set1_epi32((int)stride);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i at = _mm256_loadu_si256((const __m256i *)(leaves + i));
        __m256i found = _mm256_i32gather_epi32((const int *)groups, at, 4);
        __m256i key = _mm256_loadu_si256((const __m256i *)(keys + i));
        _mm256_storeu_si256((__m256i *)(keys + i),
                            _mm256_add_epi32(key, _mm256_mullo_epi32(found, strides)));
    }
    vc_loop_add_groups(leaves + i, n - i, groups, stride, keys + i);
}

static AVX2 size_t select_groups(const uint32_t *leaves, uint32_t nrows, const uint32_t *groups,
                                 uint64_t *mask, uint32_t *keys)
{
    return vc_loop_select_groups(leaves, nrows, groups, mask, keys);
}

typedef struct sums {
    __m256i words, high; /* see vc_loop_sum_of_halves */
} sums;

static inline AVX2 sums no_sums(void)
{
    return (sums){_mm256_setzero_si256(), _mm256_setzero_si256()};
}

static inline AVX2 void add_deltas(sums *to, __m256i deltas)
{
    to->words = _mm256_add_epi64(to->words, deltas);
    to->high = _mm256_add_epi64(to->high, _mm256_srli_epi64(deltas, 32));
}

static inline AVX2 uint64_t add_lanes(__m256i four)
{
    __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
    return (uint64_t)_mm_cvtsi128_si64(two) + (uint64_t)_mm_extract_epi64(two, 1);
}

static inline AVX2 uint64_t total(const sums *of)
{
    return vc_loop_sum_of_halves(add_lanes(of->words), add_lanes(of->high));
}

static inline AVX2 __m256i load(const uint32_t *deltas)
{
    return _mm256_loadu_si256((const __m256i *)deltas);
}

static AVX2 uint64_t sum32(const uint32_t *deltas, size_t n)
{
    sums some = no_sums(), others = no_sums();
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        add_deltas(&some, load(deltas + i));
        add_deltas(&others, load(deltas + i + 8));
    }
    return total(&some) + total(&others) + vc_loop_sum32(deltas + i, n - i);
}

static AVX2 uint64_t sum32_masked(const uint32_t *deltas, const uint64_t *mask, uint32_t nrows)
{
    const __m256i bit_of_lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    sums some = no_sums();
    for (uint32_t w = 0; w < nrows / 64; w++) {
        uint64_t word = mask[w];
        if (word == 0) continue;
        for (const uint32_t *at = deltas + w * 64; at < deltas + w * 64 + 64; at += 8) {
            __m256i bits = _mm256_set1_epi32((int)word);
            __m256i lanes = _mm256_cmpeq_epi32(_mm256_and_si256(bits, bit_of_lane), bit_of_lane);
            add_deltas(&some, _mm256_and_si256(load(at), lanes));
            word >>= 8;
        }
    }
    uint32_t done = nrows / 64 * 64;
    return total(&some) + vc_loop_sum32_masked(deltas + done, mask + nrows / 64, nrows - done);
}

/* Are 8 keys one and the same? See kernels_loops.h. */
static inline AVX2 bool is_one_key(const uint32_t *keys)
{
    __m256i differing = _mm256_xor_si256(load(keys), _mm256_set1_epi32((int)keys[0]));
    return _mm256_testz_si256(differing, differing);
}

static AVX2 void count(const uint32_t *keys, size_t n, uint64_t *counts)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        if (is_one_key(keys + i))
            counts[keys[i]] += 8;
        else
            vc_loop_count8(keys + i, counts);
    }
    vc_loop_count(keys + i, n - i, counts);
}

static AVX2 void add32(const uint32_t *keys, const uint32_t *deltas, size_t n, int64_t base,
                       int64_t *sums_by_key)
{
    uint64_t first = (uint64_t)base;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        if (is_one_key(keys + i)) {
            sums some = no_sums();
            add_deltas(&some, load(deltas + i));
            vc_loop_add_one(&sums_by_key[keys[i]], first * 8 + total(&some));
        } else {
            vc_loop_add32_8(keys + i, deltas + i, first, sums_by_key);
        }
    }
    vc_loop_add32(keys + i, deltas + i, n - i, base, sums_by_key);
}

static AVX2 void add64(const uint32_t *keys, const uint64_t *deltas, size_t n, int64_t base,
                       int64_t *sums_by_key)
{
    uint64_t first = (uint64_t)base;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        if (is_one_key(keys + i)) {
            const __m256i *at = (const __m256i *)(deltas + i);
            __m256i both = _mm256_add_epi64(_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1));
            vc_loop_add_one(&sums_by_key[keys[i]], first * 8 + add_lanes(both));
        } else {
            vc_loop_add64_8(keys + i, deltas + i, first, sums_by_key);
        }
    }
    vc_loop_add64(keys + i, deltas + i, n - i, base, sums_by_key);
}

const vc_kernels vc_kernels_avx2 = {
    .level = VC_CPU_AVX2,
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
