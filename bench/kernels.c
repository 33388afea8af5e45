/* How many rows per ns do the loops of a scan do, at each level of the machine, on one thread?
 *
 * Prints, for each kernel and kind of data: elements/ns, median and best of several runs over one
 * block of 4,096 rows that stays in the first cache (seeded), as a scan works. The baseline of the
 * loops that add to cells is one line of C per element, which waits for the cell each time.
 */
#include "slice/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    NROWS = 4096,
    NWORDS = NROWS / 64,
    NBLOCKS = 16,
    ROOM = NROWS + 64,
    NRUNS = 41,
    NLOOPS = 2 * NBLOCKS,
    MAX_BITS = 1 << 24
};

static uint64_t masks[NBLOCKS][NWORDS], *mask = masks[0], work[NWORDS], set[MAX_BITS / 64];
static uint16_t rows[ROOM];
static uint32_t values[ROOM], leaves[ROOM], keys[ROOM], out[ROOM], groups[MAX_BITS];
static uint64_t deltas64[ROOM], counts[1 << 16];
static int64_t sums[1 << 16];
static size_t nset;
static volatile uint64_t sink; /* so that no work is optimised away */

static uint32_t next_random(void)
{
    static uint64_t state = 42;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33);
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void measure(const char *kernel, const char *data, const char *level, size_t nelements,
                    void (*run)(const vc_kernels *), const vc_kernels *kernels)
{
    double elapsed_ns[NRUNS];
    run(kernels); /* warm-up */
    for (int i = 0; i < NRUNS; i++) {
        double start = now_ns();
        for (int loop = 0; loop < NLOOPS; loop++) {
            mask = masks[loop % NBLOCKS]; /* or the branches on it would be learnt by heart */
            run(kernels);
        }
        mask = masks[0];
        elapsed_ns[i] = (now_ns() - start) / NLOOPS;
    }
    qsort(elapsed_ns, NRUNS, sizeof elapsed_ns[0], compare_doubles);
    printf("%-13s %-22s %-9s %7.2f elements/ns median %7.2f best\n", kernel, data, level,
           (double)nelements / elapsed_ns[NRUNS / 2], (double)nelements / elapsed_ns[0]);
}

static void measure_all(const char *kernel, const char *data, size_t nelements,
                        void (*run)(const vc_kernels *), void (*baseline)(const vc_kernels *))
{
    if (baseline != NULL) measure(kernel, data, "baseline", nelements, baseline, NULL);
    for (int level = 0; level <= (int)vc_cpu_best_level(); level++) {
        const vc_kernels *kernels = vc_kernels_get((vc_cpu_level)level);
        if ((int)kernels->level == level)
            measure(kernel, data, vc_cpu_level_name(kernels->level), nelements, run, kernels);
    }
}

/* ---- what is run ---- */

static void run_positions(const vc_kernels *kernels)
{
    sink += kernels->positions(mask, NWORDS, rows);
}

static void run_filter_set(const vc_kernels *kernels)
{
    memcpy(work, mask, sizeof masks[0]);
    kernels->filter_set(leaves, NROWS, 0, set, work);
}

static void run_pick32(const vc_kernels *kernels)
{
    kernels->pick32(values, rows, nset, out);
}

static void run_add_groups(const vc_kernels *kernels)
{
    kernels->add_groups(leaves, NROWS, groups, 17, out);
}

static void run_sum32(const vc_kernels *kernels)
{
    sink += kernels->sum32(values, NROWS);
}

static void run_sum32_masked(const vc_kernels *kernels)
{
    sink += kernels->sum32_masked(values, mask, NROWS);
}

static void run_count(const vc_kernels *kernels)
{
    kernels->count(keys, NROWS, counts);
}

static void run_add32(const vc_kernels *kernels)
{
    kernels->add32(keys, values, NROWS, -5, sums);
}

static void run_add64(const vc_kernels *kernels)
{
    kernels->add64(keys, deltas64, NROWS, -5, sums);
}

static void plain_count(const vc_kernels *kernels)
{
    (void)kernels;
    for (size_t i = 0; i < NROWS; i++)
        counts[keys[i]]++;
}

static void plain_add32(const vc_kernels *kernels)
{
    (void)kernels;
    for (size_t i = 0; i < NROWS; i++)
        sums[keys[i]] += values[i];
}

static void plain_add64(const vc_kernels *kernels)
{
    (void)kernels;
    for (size_t i = 0; i < NROWS; i++)
        sums[keys[i]] += (int64_t)deltas64[i];
}

/* ---- the data ---- */

static void make_mask(unsigned per_mille)
{
    memset(masks, 0, sizeof masks);
    for (uint32_t row = 0; row < NBLOCKS * NROWS; row++)
        if (next_random() % 1000 < per_mille)
            masks[row / NROWS][row % NROWS / 64] |= UINT64_C(1) << row % 64;
    nset = vc_kernels_get(VC_CPU_PORTABLE)->positions(mask, NWORDS, rows);
}

static int compare_keys(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void measure_masks(void)
{
    static const unsigned per_mille[] = {2, 15, 125, 500, 1000};
    for (size_t i = 0; i < sizeof per_mille / sizeof per_mille[0]; i++) {
        char data[32];
        make_mask(per_mille[i]);
        snprintf(data, sizeof data, "%.1f%% of rows", per_mille[i] / 10.0);
        measure_all("positions", data, NROWS, run_positions, NULL);
        measure_all("sum32_masked", data, NROWS, run_sum32_masked, NULL);
        if (nset > 0) measure_all("pick32", data, nset, run_pick32, NULL);
    }
    measure_all("sum32", "all rows", NROWS, run_sum32, NULL);
}

static void measure_lookups(void)
{
    static const uint32_t nleaves[] = {7, 2556, 30000, 200000, MAX_BITS};
    static const unsigned per_mille[] = {30, 1000};
    for (size_t i = 0; i < sizeof nleaves / sizeof nleaves[0]; i++) {
        char data[32];
        for (uint32_t row = 0; row < NROWS; row++)
            leaves[row] = next_random() % nleaves[i];
        snprintf(data, sizeof data, "%u leaves", nleaves[i]);
        measure_all("add_groups", data, NROWS, run_add_groups, NULL);
        for (size_t j = 0; j < sizeof per_mille / sizeof per_mille[0]; j++) {
            make_mask(per_mille[j]);
            snprintf(data, sizeof data, "%u leaves, %.1f%%", nleaves[i], per_mille[j] / 10.0);
            measure_all("filter_set", data, NROWS, run_filter_set, NULL);
        }
    }
}

static void measure_cells(void)
{
    static const uint32_t ncells[] = {1, 7, 200, 10000};
    for (size_t i = 0; i < sizeof ncells / sizeof ncells[0]; i++) {
        for (int is_sorted = 0; is_sorted <= (ncells[i] > 1); is_sorted++) {
            char data[32];
            for (uint32_t row = 0; row < NROWS; row++)
                keys[row] = next_random() % ncells[i];
            if (is_sorted) qsort(keys, NROWS, sizeof keys[0], compare_keys);
            snprintf(data, sizeof data, "%u cells%s", ncells[i], is_sorted ? ", sorted" : "");
            measure_all("count", data, NROWS, run_count, plain_count);
            measure_all("add32", data, NROWS, run_add32, plain_add32);
            measure_all("add64", data, NROWS, run_add64, plain_add64);
        }
    }
}

int main(void)
{
    for (uint32_t row = 0; row < ROOM; row++)
        deltas64[row] = values[row] = next_random();
    for (uint32_t leaf = 0; leaf < MAX_BITS; leaf++)
        groups[leaf] = leaf / 10;
    for (size_t word = 0; word < MAX_BITS / 64; word++)
        set[word] = (uint64_t)next_random() << 32 ^ next_random();
    measure_masks();
    measure_lookups();
    measure_cells();
    return 0;
}
