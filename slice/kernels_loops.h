/* The kernels as plain loops, to be compiled once per level: they are the portable level as they
 * stand, and a level with more instructions makes those kernels of them that it has no better code
 * for. Private to slice/kernels*.c.
 */
#ifndef SLICE_KERNELS_LOOPS_H
#define SLICE_KERNELS_LOOPS_H

#include "slice/kernels.h"

#include <string.h>

#define VC_LOOP static inline __attribute__((always_inline))

/* Keys in a group that are tested at once for being all the same. */
enum { VC_KEY_GROUP = 8 };

VC_LOOP size_t vc_loop_positions(const uint64_t *mask, size_t nwords, uint16_t *rows)
{
    size_t n = 0;
    for (size_t w = 0; w < nwords; w++) {
        uint16_t first = (uint16_t)(w * 64);
        if (mask[w] == ~UINT64_C(0)) {
            for (unsigned bit = 0; bit < 64; bit++)
                rows[n + bit] = (uint16_t)(first + bit);
            n += 64;
            continue;
        }
        for (uint64_t word = mask[w]; word != 0; word &= word - 1)
            rows[n++] = (uint16_t)(first + (unsigned)__builtin_ctzll(word));
    }
    return n;
}

VC_LOOP size_t vc_loop_count_bits(const uint64_t *mask, size_t nwords)
{
    size_t count = 0;
    for (size_t w = 0; w < nwords; w++)
        count += (size_t)__builtin_popcountll(mask[w]);
    return count;
}

/* The bits of count <= 64 leaves in a set, as a word. */
VC_LOOP uint64_t vc_loop_set_bits(const uint32_t *leaves, uint32_t count, uint32_t base,
                                  const uint64_t *set)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bit = base + leaves[i];
        bits |= (set[bit / 64] >> (bit % 64) & 1) << i;
    }
    return bits;
}

/* The last word keeps its bits past nrows. */
VC_LOOP void vc_loop_filter_tail(const uint32_t *leaves, uint32_t count, uint32_t base,
                                 const uint64_t *set, uint64_t *word)
{
    if (count > 0 && *word != 0)
        *word &= vc_loop_set_bits(leaves, count, base, set) | ~UINT64_C(0) << count;
}

VC_LOOP void vc_loop_filter_set(const uint32_t *leaves, uint32_t nrows, uint32_t base,
                                const uint64_t *set, uint64_t *mask)
{
    for (uint32_t w = 0; w < nrows / 64; w++)
        if (mask[w] != 0) mask[w] &= vc_loop_set_bits(leaves + w * 64, 64, base, set);
    vc_loop_filter_tail(leaves + nrows / 64 * 64, nrows % 64, base, set, mask + nrows / 64);
}

VC_LOOP void vc_loop_pick32(const uint32_t *values, const uint16_t *rows, size_t n,
                            uint32_t *picked)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        uint32_t a = values[rows[i]], b = values[rows[i + 1]];
        uint32_t c = values[rows[i + 2]], d = values[rows[i + 3]];
        picked[i] = a;
        picked[i + 1] = b;
        picked[i + 2] = c;
        picked[i + 3] = d;
    }
    for (; i < n; i++)
        picked[i] = values[rows[i]];
}

VC_LOOP void vc_loop_add_groups(const uint32_t *leaves, size_t n, const uint32_t *groups,
                                uint32_t stride, uint32_t *keys)
{
    for (size_t i = 0; i < n; i++)
        keys[i] += groups[leaves[i]] * stride;
}

/* Of count <= 64 rows; returns their bits. Every group is stored, the next one over it unless it is
 * one: half of them are not, in no order. */
VC_LOOP uint64_t vc_loop_select_word(const uint32_t *leaves, uint32_t count, const uint32_t *groups,
                                     uint32_t *keys, size_t *n_in_out)
{
    uint64_t bits = 0;
    size_t n = *n_in_out;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t group = groups[leaves[i]];
        uint64_t is_group = group != UINT32_MAX;
        keys[n] = group;
        n += is_group;
        bits |= is_group << i;
    }
    *n_in_out = n;
    return bits;
}

VC_LOOP size_t vc_loop_select_groups(const uint32_t *leaves, uint32_t nrows, const uint32_t *groups,
                                     uint64_t *mask, uint32_t *keys)
{
    size_t n = 0;
    for (uint32_t first = 0; first < nrows; first += 64)
        mask[first / 64] = vc_loop_select_word(
            leaves + first, nrows - first < 64 ? nrows - first : 64, groups, keys, &n);
    return n;
}

/* Deltas by twos, as words of 64 bits: the sum of the words is that of the low halves plus 2^32
 * times that of the high ones (modulo 2^64), and the high ones are added up on their own. */
VC_LOOP uint64_t vc_loop_sum_of_halves(uint64_t words, uint64_t high)
{
    return words - (high << 32) + high;
}

VC_LOOP uint64_t vc_loop_sum32(const uint32_t *deltas, size_t n)
{
    uint64_t words = 0, high = 0;
    size_t i = 0;
    for (; i + 2 <= n; i += 2) {
        uint64_t word;
        memcpy(&word, deltas + i, sizeof word);
        words += word;
        high += word >> 32;
    }
    return vc_loop_sum_of_halves(words, high) + (i < n ? deltas[i] : 0);
}

VC_LOOP uint64_t vc_loop_sum32_masked(const uint32_t *deltas, const uint64_t *mask, uint32_t nrows)
{
    uint64_t sum = 0;
    for (uint32_t first = 0; first < nrows; first += 64) {
        uint64_t word = mask[first / 64];
        if (word == ~UINT64_C(0)) {
            sum += vc_loop_sum32(deltas + first, 64);
            continue;
        }
        for (; word != 0; word &= word - 1)
            sum += deltas[first + (unsigned)__builtin_ctzll(word)];
    }
    return sum;
}

VC_LOOP bool vc_loop_is_one_key(const uint32_t *keys)
{
    uint64_t words[VC_KEY_GROUP / 2];
    memcpy(words, keys, sizeof words);
    uint64_t swapped = words[0] << 32 | words[0] >> 32;
    return ((words[0] ^ swapped) | (words[0] ^ words[1]) | (words[0] ^ words[2]) |
            (words[0] ^ words[3])) == 0;
}

VC_LOOP void vc_loop_add_one(int64_t *sum, uint64_t value)
{
    *sum = (int64_t)((uint64_t)*sum + value);
}

/* Compilers take keys that were just loaded as a vector from that vector, lane by lane, which takes
 * longer than to load them again; so they may not know that they are the same. */
VC_LOOP const uint32_t *vc_loop_again(const uint32_t *keys)
{
    __asm__("" : "+r"(keys));
    return keys;
}

/* Eight at a time, written out: the loop around one addition takes longer than the addition. */
VC_LOOP void vc_loop_count8(const uint32_t *keys, uint64_t *counts)
{
    keys = vc_loop_again(keys);
    counts[keys[0]]++;
    counts[keys[1]]++;
    counts[keys[2]]++;
    counts[keys[3]]++;
    counts[keys[4]]++;
    counts[keys[5]]++;
    counts[keys[6]]++;
    counts[keys[7]]++;
}

VC_LOOP void vc_loop_add32_8(const uint32_t *keys, const uint32_t *deltas, uint64_t base,
                             int64_t *sums)
{
    keys = vc_loop_again(keys);
    vc_loop_add_one(&sums[keys[0]], base + deltas[0]);
    vc_loop_add_one(&sums[keys[1]], base + deltas[1]);
    vc_loop_add_one(&sums[keys[2]], base + deltas[2]);
    vc_loop_add_one(&sums[keys[3]], base + deltas[3]);
    vc_loop_add_one(&sums[keys[4]], base + deltas[4]);
    vc_loop_add_one(&sums[keys[5]], base + deltas[5]);
    vc_loop_add_one(&sums[keys[6]], base + deltas[6]);
    vc_loop_add_one(&sums[keys[7]], base + deltas[7]);
}

VC_LOOP void vc_loop_add64_8(const uint32_t *keys, const uint64_t *restrict deltas, uint64_t base,
                             int64_t *restrict sums)
{
    keys = vc_loop_again(keys);
    vc_loop_add_one(&sums[keys[0]], base + deltas[0]);
    vc_loop_add_one(&sums[keys[1]], base + deltas[1]);
    vc_loop_add_one(&sums[keys[2]], base + deltas[2]);
    vc_loop_add_one(&sums[keys[3]], base + deltas[3]);
    vc_loop_add_one(&sums[keys[4]], base + deltas[4]);
    vc_loop_add_one(&sums[keys[5]], base + deltas[5]);
    vc_loop_add_one(&sums[keys[6]], base + deltas[6]);
    vc_loop_add_one(&sums[keys[7]], base + deltas[7]);
}

/* The additions to one cell wait for each other, each for the store of the one before. Rows that
 * lie in the order of an axis do nothing else, so groups of one key are added up before they are
 * stored. */
VC_LOOP void vc_loop_count(const uint32_t *keys, size_t n, uint64_t *counts)
{
    size_t i = 0;
    for (; i + VC_KEY_GROUP <= n; i += VC_KEY_GROUP) {
        if (vc_loop_is_one_key(keys + i))
            counts[keys[i]] += VC_KEY_GROUP;
        else
            vc_loop_count8(keys + i, counts);
    }
    for (; i < n; i++)
        counts[keys[i]]++;
}

VC_LOOP void vc_loop_add32(const uint32_t *keys, const uint32_t *deltas, size_t n, int64_t base,
                           int64_t *sums)
{
    uint64_t first = (uint64_t)base;
    size_t i = 0;
    for (; i + VC_KEY_GROUP <= n; i += VC_KEY_GROUP) {
        if (vc_loop_is_one_key(keys + i))
            vc_loop_add_one(&sums[keys[i]],
                            first * VC_KEY_GROUP + vc_loop_sum32(deltas + i, VC_KEY_GROUP));
        else
            vc_loop_add32_8(keys + i, deltas + i, first, sums);
    }
    for (; i < n; i++)
        vc_loop_add_one(&sums[keys[i]], first + deltas[i]);
}

VC_LOOP void vc_loop_add64(const uint32_t *keys, const uint64_t *deltas, size_t n, int64_t base,
                           int64_t *sums)
{
    uint64_t first = (uint64_t)base;
    size_t i = 0;
    for (; i + VC_KEY_GROUP <= n; i += VC_KEY_GROUP) {
        if (vc_loop_is_one_key(keys + i)) {
            uint64_t sum = first * VC_KEY_GROUP;
            for (size_t j = i; j < i + VC_KEY_GROUP; j++)
                sum += deltas[j];
            vc_loop_add_one(&sums[keys[i]], sum);
        } else {
            vc_loop_add64_8(keys + i, deltas + i, first, sums);
        }
    }
    for (; i < n; i++)
        vc_loop_add_one(&sums[keys[i]], first + deltas[i]);
}

#if defined(__x86_64__)
extern const vc_kernels vc_kernels_avx2, vc_kernels_avx512;
#endif

#endif
