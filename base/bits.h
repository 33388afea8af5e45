/* Bit sets over 64-bit words: bit i is bit i % 64 of word i / 64.
 *
 * Bits past the size of a set are kept clear by whoever owns it; vc_bits_count does not look at
 * them. All of it is inline and touches only the words it names.
 * Threads: as any plain array.
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Words that hold nbits bits. */
static inline size_t vc_bits_words(size_t nbits)
{
    return nbits / 64 + (nbits % 64 != 0);
}

static inline bool vc_bit_get(const uint64_t *bits, size_t i)
{
    return (bits[i >> 6] >> (i & 63) & 1) != 0;
}

static inline void vc_bit_set(uint64_t *bits, size_t i)
{
    bits[i >> 6] |= UINT64_C(1) << (i & 63);
}

static inline void vc_bit_clear(uint64_t *bits, size_t i)
{
    bits[i >> 6] &= ~(UINT64_C(1) << (i & 63));
}

/* Set every bit of [first, end). O(end - first) / 64. */
static inline void vc_bits_set_range(uint64_t *bits, size_t first, size_t end)
{
    if (first >= end) return;
    size_t word = first >> 6, last = (end - 1) >> 6;
    uint64_t head = ~UINT64_C(0) << (first & 63);
    uint64_t tail = ~UINT64_C(0) >> (63 - ((end - 1) & 63));
    if (word == last) {
        bits[word] |= head & tail;
        return;
    }
    bits[word] |= head;
    while (++word < last)
        bits[word] = ~UINT64_C(0);
    bits[last] |= tail;
}

/* The first set bit of the first nbits, nbits when none is. O(nbits / 64). */
static inline size_t vc_bits_first(const uint64_t *bits, size_t nbits)
{
    for (size_t word = 0; word < vc_bits_words(nbits); word++)
        if (bits[word] != 0) {
            size_t bit = word * 64 + (size_t)__builtin_ctzll(bits[word]);
            return bit < nbits ? bit : nbits;
        }
    return nbits;
}

/* One behind the last set bit of the first nbits, 0 when none is. O(nbits / 64). */
static inline size_t vc_bits_end(const uint64_t *bits, size_t nbits)
{
    for (size_t word = vc_bits_words(nbits); word-- > 0;) {
        uint64_t found = bits[word];
        if (word == nbits / 64) found &= ~(~UINT64_C(0) << nbits % 64);
        if (found != 0) return word * 64 + 64 - (size_t)__builtin_clzll(found);
    }
    return 0;
}

/* Are all bits of [first, end) set? Stops at the first word that is not full. */
static inline bool vc_bits_all(const uint64_t *bits, size_t first, size_t end)
{
    if (first >= end) return true;
    size_t word = first >> 6, last = (end - 1) >> 6;
    uint64_t head = ~UINT64_C(0) << (first & 63);
    uint64_t tail = ~UINT64_C(0) >> (63 - ((end - 1) & 63));
    if (word == last) return (bits[word] & head & tail) == (head & tail);
    if ((bits[word] & head) != head) return false;
    while (++word < last)
        if (bits[word] != ~UINT64_C(0)) return false;
    return (bits[last] & tail) == tail;
}

/* How many of the first nbits bits are set. */
static inline size_t vc_bits_count(const uint64_t *bits, size_t nbits)
{
    size_t count = 0;
    for (size_t word = 0; word < nbits / 64; word++)
        count += (size_t)__builtin_popcountll(bits[word]);
    if (nbits % 64 != 0)
        count += (size_t)__builtin_popcountll(bits[nbits / 64] & ~(~UINT64_C(0) << nbits % 64));
    return count;
}

#endif
