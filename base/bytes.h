/* Eight bytes of text at a time, as a word: which of them are of a kind?
 *
 * A mask has the highest bit of the bytes that are. It is exact up to and including the lowest such
 * byte, which is the first one of the text; above it there may be more than there are.
 * Threads: everything here is pure.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t vc_bytes_load(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

static inline uint64_t vc_bytes_each(uint8_t byte)
{
    return UINT64_C(0x0101010101010101) * byte;
}

/* Bytes below a limit of at most 0x80. */
static inline uint64_t vc_bytes_below(uint64_t word, uint8_t limit)
{
    return (word - vc_bytes_each(limit)) & ~word & vc_bytes_each(0x80);
}

static inline uint64_t vc_bytes_equal(uint64_t word, char byte)
{
    return vc_bytes_below(word ^ vc_bytes_each((uint8_t)byte), 1);
}

/* The place of the first byte of a mask that is not 0. */
static inline size_t vc_bytes_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask) / 8;
}

#endif
