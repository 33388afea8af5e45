#include "cube/cluster.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { NROWS = 20000, NKEYS = 3 };

static uint32_t keys[NKEYS][NROWS];

/* The plain way: by the keys from left to right, then by the row. */
static int compare_rows(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    for (int key = 0; key < NKEYS; key++) {
        if (keys[key][x] != keys[key][y]) return keys[key][x] < keys[key][y] ? -1 : 1;
    }
    return x < y ? -1 : x > y;
}

static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* From the last to the first, for nobody may care. */
static void run_backwards(void *context, size_t njobs, void (*job)(void *context, size_t number),
                          void *job_context)
{
    *(size_t *)context += njobs;
    while (njobs > 0)
        job(job_context, --njobs);
}

Test(cluster, sorts_as_a_plain_sort_does)
{
    size_t njobs = 0;
    static const uint32_t nranks[] = {1,    2,     3,       40,      2047,      2048,
                                      2049, 30000, 4194304, 4194305, UINT32_MAX};
    static uint32_t expected[NROWS];
    uint64_t random = 7;
    vc_cluster cluster = {0};
    for (int round = 0; round < 60; round++) {
        uint32_t n[NKEYS], nrows = (uint32_t)(next_random(&random) % NROWS);
        for (int key = 0; key < NKEYS; key++) {
            n[key] = nranks[next_random(&random) % (sizeof nranks / sizeof nranks[0])];
            for (uint32_t row = 0; row < nrows; row++)
                keys[key][row] = (uint32_t)(next_random(&random) % n[key]);
            if (nrows > 0) keys[key][0] = n[key] - 1;
        }
        for (uint32_t row = 0; row < nrows; row++)
            expected[row] = row;
        qsort(expected, nrows, sizeof expected[0], compare_rows);
        cluster.run = round % 4 == 0 ? NULL : run_backwards;
        cluster.run_context = &njobs;
        cluster.nparts = (unsigned)round % 7;
        cr_assert_eq(vc_cluster_begin(&cluster, nrows, NULL), VC_OK);
        for (int key = NKEYS - 1; key >= 0; key--) {
            for (uint32_t row = 0; row < nrows; row++)
                cluster.ranks[row] = keys[key][row];
            vc_cluster_by(&cluster, n[key]);
        }
        const uint32_t *order = vc_cluster_finish(&cluster);
        for (uint32_t i = 0; i < nrows; i++)
            cr_assert_eq(order == NULL ? i : order[i], expected[i], "round %d, row %u", round, i);
    }
    cr_assert_gt(njobs, 100); /* some were cut in parts */
    vc_cluster_release(&cluster);
}

/* What is in order already need not be moved. */
Test(cluster, says_when_nothing_changes)
{
    vc_cluster cluster = {0};
    cr_assert_eq(vc_cluster_begin(&cluster, 100, NULL), VC_OK);
    cr_assert_null(vc_cluster_finish(&cluster));
    for (uint32_t row = 0; row < 100; row++)
        cluster.ranks[row] = row / 10;
    vc_cluster_by(&cluster, 10);
    cr_assert_null(vc_cluster_finish(&cluster));
    cr_assert_eq(vc_cluster_begin(&cluster, 3, NULL), VC_OK);
    cluster.ranks[0] = 1;
    cluster.ranks[1] = cluster.ranks[2] = 0;
    vc_cluster_by(&cluster, 2);
    const uint32_t *order = vc_cluster_finish(&cluster);
    cr_assert(order != NULL && order[0] == 1 && order[1] == 2 && order[2] == 0);
    cr_assert_eq(vc_cluster_begin(&cluster, 0, NULL), VC_OK);
    cr_assert_null(vc_cluster_finish(&cluster));
    vc_cluster_release(&cluster);
}
