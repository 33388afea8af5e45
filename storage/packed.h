/* Bit-packed integers: the layout, and the kernels that read it.
 *
 * A *unit* is 512 unsigned numbers (deltas to the base of their block) of `width` bits, 1 to 64, in
 * width * 64 bytes, aligned to 64. It is cut into *lanes* of T bits, T the smallest of 8, 16, 32,
 * 64 with width <= T: L = 512 / T lanes, T rows. Number i stands in lane i % L, row i / L; a lane
 * holds its rows one after the other from the low bits of its first T-bit word, going on in the
 * word of the next 64-byte vector. So one 64-byte load brings one word of each lane, and the same
 * shift and mask take out L consecutive numbers (the idea is that of Afroozeh and Boncz, "The
 * FastLanes Compression Layout", PVLDB 16, 2023). Width 0 has no bytes: all numbers are 0.
 *
 * A block of nrows numbers is ceil(nrows / 512) units; numbers behind the last one are 0.
 *
 * Each kernel is written in portable C, which the tests compare the other levels with, and for AVX2
 * and AVX-512 (base/cpu.h). Threads: pure.
 */
#ifndef STORAGE_PACKED_H
#define STORAGE_PACKED_H

#include "base/cpu.h"

#include <stddef.h>
#include <stdint.h>

enum { VC_UNIT_ROWS = 512 };

/* Bytes of nrows numbers of `width` bits. */
static inline size_t vc_packed_bytes(uint32_t nrows, unsigned width)
{
    return (size_t)((nrows + VC_UNIT_ROWS - 1) / VC_UNIT_ROWS) * width * 64;
}

/* Bits that the number needs: 0 for 0. */
static inline unsigned vc_packed_width(uint64_t largest)
{
    return largest == 0 ? 0 : 64 - (unsigned)__builtin_clzll(largest);
}

/* Pack deltas [nrows], all below 2^width, into data (vc_packed_bytes). */
void vc_packed_put(const uint64_t *deltas, uint32_t nrows, unsigned width, void *data);

typedef struct vc_packed_kernels {
    /* deltas [nrows rounded up to a unit], width 0 to 32. */
    void (*unpack32)(const void *data, unsigned width, uint32_t nrows, uint32_t *deltas);
    /* deltas [nrows rounded up to a unit], width 0 to 64. */
    void (*unpack64)(const void *data, unsigned width, uint32_t nrows, uint64_t *deltas);
    /* Clear bit r of mask [nrows rounded up to a unit, / 64 words] unless first <= delta r <= last.
     * Units in which no bit is set are not read. Bits past nrows may get any value that they had or
     * 0. Width 0 to 64. */
    void (*filter)(const void *data, unsigned width, uint32_t nrows, uint64_t first, uint64_t last,
                   uint64_t *mask);
    /* deltas[i] = delta of row rows[i], rows below nrows of the block, ascending or not. Width 0 to
     * 32. deltas has room for n rounded up to 16. */
    void (*gather32)(const void *data, unsigned width, const uint16_t *rows, size_t n,
                     uint32_t *deltas);
    void (*gather64)(const void *data, unsigned width, const uint16_t *rows, size_t n,
                     uint64_t *deltas);
} vc_packed_kernels;

/* The kernels of a level; a level that was not compiled in gives the next lower one. */
const vc_packed_kernels *vc_packed_get_kernels(vc_cpu_level level);

/* One number, for code that is not a kernel. */
uint64_t vc_packed_get(const void *data, unsigned width, uint32_t row);

#endif
