/* What the levels of the packed kernels share, and where they are found. Only storage/packed*.c
 * includes this. */
#ifndef STORAGE_PACKED_LEVELS_H
#define STORAGE_PACKED_LEVELS_H

#include "storage/packed.h"

#include <stdbool.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

extern const vc_packed_kernels vc_packed_portable;
#if defined(__x86_64__)
extern const vc_packed_kernels vc_packed_avx2, vc_packed_avx512;
#endif

/* Pack one unit of deltas; `data` gets all of its width * 64 bytes. */
void vc_packed_put_unit_portable(const uint64_t *deltas, unsigned width, void *data);
#if defined(__x86_64__)
void vc_packed_put_unit_avx2(const uint64_t *deltas, unsigned width, void *data);
void vc_packed_put_unit_avx512(const uint64_t *deltas, unsigned width, void *data);
#endif

INLINE uint32_t packed_units(uint32_t nrows)
{
    return (nrows + VC_UNIT_ROWS - 1) / VC_UNIT_ROWS;
}

/* The largest number of a width. */
INLINE uint64_t packed_largest(unsigned width)
{
    return width == 0 ? 0 : ~UINT64_C(0) >> (64 - width);
}

/* Answer a filter that need not read the numbers, because all of them pass or none does: true when
 * there is nothing left to do. Otherwise *last is a number of the width. */
INLINE bool packed_filter_is_plain(unsigned width, uint32_t nunits, uint64_t first, uint64_t *last,
                                   uint64_t *mask)
{
    uint64_t largest = packed_largest(width);
    if (*last > largest) *last = largest;
    if (first <= *last) return first == 0 && *last == largest;
    memset(mask, 0, (size_t)nunits * sizeof *mask * (VC_UNIT_ROWS / 64));
    return true;
}

INLINE bool packed_unit_is_out(const uint64_t mask[VC_UNIT_ROWS / 64])
{
    uint64_t any = 0;
    for (unsigned word = 0; word < VC_UNIT_ROWS / 64; word++)
        any |= mask[word];
    return any == 0;
}

/* One number; lane_bits is the constant that belongs to the width. Without a branch: a number that
 * does not go on in the next word reads its own word twice, and the mask drops the second. */
INLINE uint64_t packed_get(const void *data, unsigned lane_bits, unsigned width, uint32_t row)
{
    unsigned nlanes = 512 / lane_bits, within = row % VC_UNIT_ROWS;
    unsigned bit = within / nlanes * width, shift = bit % lane_bits;
    size_t at = (size_t)(row / VC_UNIT_ROWS) * width * 64 + bit / lane_bits * 64 +
                within % nlanes * (lane_bits / 8);
    size_t next = at + (shift + width > lane_bits ? 64 : 0);
    uint64_t low = 0, high = 0;
    memcpy(&low, (const unsigned char *)data + at, lane_bits / 8);
    memcpy(&high, (const unsigned char *)data + next, lane_bits / 8);
    return (low >> shift | high << 1 << (lane_bits - 1 - shift)) & packed_largest(width);
}

/* Pack one unit; lane_bits is the constant that belongs to the width. Word after word, so that the
 * numbers and the words of a lane stay in registers: the compilers unroll and vectorise it for the
 * level they compile it for. */
#define DEFINE_PUT(T)                                                                              \
    INLINE void packed_put_##T(const uint64_t *restrict deltas, unsigned width,                    \
                               uint##T##_t *restrict words)                                        \
    {                                                                                              \
        enum { L = 512 / T };                                                                      \
        memset(words, 0, width * 64);                                                              \
        for (unsigned row = 0; row < T; row++, deltas += L) {                                      \
            unsigned bit = row * width, shift = bit % T;                                           \
            uint##T##_t *restrict low = words + bit / T * L;                                       \
            for (unsigned lane = 0; lane < L; lane++)                                              \
                low[lane] |= (uint##T##_t)((uint##T##_t)deltas[lane] << shift);                    \
            if (shift + width <= T) continue;                                                      \
            uint##T##_t *restrict high = low + L;                                                  \
            for (unsigned lane = 0; lane < L; lane++)                                              \
                high[lane] = (uint##T##_t)((uint##T##_t)deltas[lane] >> (T - shift));              \
        }                                                                                          \
    }
DEFINE_PUT(8)
DEFINE_PUT(16)
DEFINE_PUT(32)
DEFINE_PUT(64)
#undef DEFINE_PUT

INLINE void packed_put_unit(const uint64_t *deltas, unsigned width, void *data)
{
    if (width <= 8)
        packed_put_8(deltas, width, data);
    else if (width <= 16)
        packed_put_16(deltas, width, data);
    else if (width <= 32)
        packed_put_32(deltas, width, data);
    else
        packed_put_64(deltas, width, data);
}

/* Call `function` with the lane size, a constant, that belongs to a width of 1 to 64. */
#define WITH_LANE_BITS(width, function, ...)                                                       \
    do {                                                                                           \
        if ((width) <= 8)                                                                          \
            function(8, __VA_ARGS__);                                                              \
        else if ((width) <= 16)                                                                    \
            function(16, __VA_ARGS__);                                                             \
        else if ((width) <= 32)                                                                    \
            function(32, __VA_ARGS__);                                                             \
        else                                                                                       \
            function(64, __VA_ARGS__);                                                             \
    } while (0)

#endif
