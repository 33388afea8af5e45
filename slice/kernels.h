/* The loops of a scan over the rows of a block (4,096), as portable C and for AVX2 and AVX-512.
 *
 * All variants give the same bytes. `rows` are row numbers within the block. Arrays that are
 * written have room for 64 elements more than the count. uint32_t arithmetic wraps: keys may start
 * below zero (scan.c) and are right at the end.
 * Threads: pure.
 */
#ifndef SLICE_KERNELS_H
#define SLICE_KERNELS_H

#include "base/cpu.h"

#include <stddef.h>
#include <stdint.h>

typedef struct vc_kernels {
    vc_cpu_level level;
    /* The numbers of the set bits of mask [nwords], ascending. Returns how many. */
    size_t (*positions)(const uint64_t *mask, size_t nwords, uint16_t *rows);
    /* How many bits of mask [nwords] are set. */
    size_t (*count_bits)(const uint64_t *mask, size_t nwords);
    /* Clear bit r of mask [ceil(nrows / 64)] unless bit base + leaves[r] of set is set; rows whose
     * bit is clear already may have any leaf that is in the set's range. Bits past nrows stay. */
    void (*filter_set)(const uint32_t *leaves, uint32_t nrows, uint32_t base, const uint64_t *set,
                       uint64_t *mask);
    /* picked[i] = values[rows[i]] */
    void (*pick32)(const uint32_t *values, const uint16_t *rows, size_t n, uint32_t *picked);
    /* keys[i] += groups[leaves[i]] * stride */
    void (*add_groups)(const uint32_t *leaves, size_t n, const uint32_t *groups, uint32_t stride,
                       uint32_t *keys);
    /* The groups that are not UINT32_MAX of groups[leaves[r]], r ascending: keys has room for nrows
     * + VC_SCAN_SLACK. mask [ceil(nrows / 64)]: bit r says if that of row r is one; the rest is
     * clear. Returns how many. */
    size_t (*select_groups)(const uint32_t *leaves, uint32_t nrows, const uint32_t *groups,
                            uint64_t *mask, uint32_t *keys);
    /* The sum of deltas [n]. */
    uint64_t (*sum32)(const uint32_t *deltas, size_t n);
    /* The sum of the deltas [nrows] whose bit in mask is set; bits past nrows are clear. */
    uint64_t (*sum32_masked)(const uint32_t *deltas, const uint64_t *mask, uint32_t nrows);
    /* counts[keys[i]]++ */
    void (*count)(const uint32_t *keys, size_t n, uint64_t *counts);
    /* sums[keys[i]] += base + deltas[i], modulo 2^64 */
    void (*add32)(const uint32_t *keys, const uint32_t *deltas, size_t n, int64_t base,
                  int64_t *sums);
    void (*add64)(const uint32_t *keys, const uint64_t *deltas, size_t n, int64_t base,
                  int64_t *sums);
} vc_kernels;

/* The kernels of a level; a level that was not compiled in gives the next lower one. */
const vc_kernels *vc_kernels_get(vc_cpu_level level);

#endif
