#include "slice/kernels.h"

#include "slice/kernels_loops.h"

static size_t positions(const uint64_t *mask, size_t nwords, uint16_t *rows)
{
    return vc_loop_positions(mask, nwords, rows);
}

static size_t count_bits(const uint64_t *mask, size_t nwords)
{
    return vc_loop_count_bits(mask, nwords);
}

static void filter_set(const uint32_t *leaves, uint32_t nrows, uint32_t base, const uint64_t *set,
                       uint64_t *mask)
{
    vc_loop_filter_set(leaves, nrows, base, set, mask);
}

static void pick32(const uint32_t *values, const uint16_t *rows, size_t n, uint32_t *picked)
{
    vc_loop_pick32(values, rows, n, picked);
}

static void add_groups(const uint32_t *leaves, size_t n, const uint32_t *groups, uint32_t stride,
                       uint32_t *keys)
{
    vc_loop_add_groups(leaves, n, groups, stride, keys);
}

static uint64_t sum32(const uint32_t *deltas, size_t n)
{
    return vc_loop_sum32(deltas, n);
}

static uint64_t sum32_masked(const uint32_t *deltas, const uint64_t *mask, uint32_t nrows)
{
    return vc_loop_sum32_masked(deltas, mask, nrows);
}

static void count(const uint32_t *keys, size_t n, uint64_t *counts)
{
    vc_loop_count(keys, n, counts);
}

static void add32(const uint32_t *keys, const uint32_t *deltas, size_t n, int64_t base,
                  int64_t *sums)
{
    vc_loop_add32(keys, deltas, n, (uint64_t)base, sums);
}

static void add64(const uint32_t *keys, const uint64_t *deltas, size_t n, int64_t base,
                  int64_t *sums)
{
    vc_loop_add64(keys, deltas, n, (uint64_t)base, sums);
}

static const vc_kernels portable = {
    .level = VC_CPU_PORTABLE,
    .positions = positions,
    .count_bits = count_bits,
    .filter_set = filter_set,
    .pick32 = pick32,
    .add_groups = add_groups,
    .sum32 = sum32,
    .sum32_masked = sum32_masked,
    .count = count,
    .add32 = add32,
    .add64 = add64,
};

const vc_kernels *vc_kernels_get(vc_cpu_level level)
{
#if defined(__x86_64__)
    if (level >= VC_CPU_AVX512) return &vc_kernels_avx512;
    if (level == VC_CPU_AVX2) return &vc_kernels_avx2;
#endif
    (void)level;
    return &portable;
}
