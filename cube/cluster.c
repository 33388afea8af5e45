/* Counting sort by the digits of the ranks, the lowest first. Digits have at most 11 bits: then the
 * places that are being written to stay in the first cache. */
#include "cube/cluster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS_MAX = 11, PARTS_MAX = 16, PART_ROWS_MIN = 4096 };

vc_status vc_cluster_begin(vc_cluster *cluster, uint32_t nrows, vc_error *error)
{
    if (cluster->capacity < nrows) {
        vc_cluster_release(cluster);
        cluster->ranks = malloc(nrows * sizeof *cluster->ranks);
        cluster->order = malloc(nrows * sizeof *cluster->order);
        cluster->scratch = malloc(nrows * sizeof *cluster->scratch);
        if (cluster->ranks == NULL || cluster->order == NULL || cluster->scratch == NULL) {
            vc_cluster_release(cluster);
            return vc_no_memory(error);
        }
        cluster->capacity = nrows;
    }
    cluster->nrows = nrows;
    for (uint32_t row = 0; row < nrows; row++)
        cluster->order[row] = row;
    return VC_OK;
}

/* One digit of all rows. Each part of the rows, in the order they have so far, counts its digits;
 * then every part knows where its first row of each digit goes, and the parts do not meet. */
typedef struct digit_work {
    const uint32_t *ranks, *from;
    uint32_t *to;
    unsigned shift;
    uint32_t mask, nrows, nparts;
    uint32_t places[PARTS_MAX][1 << DIGIT_BITS_MAX];
} digit_work;

static uint32_t first_of(const digit_work *work, size_t part)
{
    return (uint32_t)((uint64_t)work->nrows * part / work->nparts);
}

static void count_part(void *context, size_t part)
{
    digit_work *work = context;
    uint32_t *counts = work->places[part];
    memset(counts, 0, (work->mask + 1) * sizeof *counts);
    for (uint32_t i = first_of(work, part); i < first_of(work, part + 1); i++)
        counts[work->ranks[work->from[i]] >> work->shift & work->mask]++;
}

static void move_part(void *context, size_t part)
{
    digit_work *work = context;
    uint32_t *places = work->places[part], end = first_of(work, part + 1);
    for (uint32_t i = first_of(work, part); i < end; i++) {
        uint32_t row = work->from[i];
        work->to[places[work->ranks[row] >> work->shift & work->mask]++] = row;
    }
}

static void run_parts(const vc_cluster *cluster, digit_work *work,
                      void (*job)(void *context, size_t part))
{
    if (work->nparts > 1)
        cluster->run(cluster->run_context, work->nparts, job, work);
    else
        job(work, 0);
}

static void sort_by_digit(vc_cluster *cluster, digit_work *work)
{
    work->from = cluster->order;
    work->to = cluster->scratch;
    run_parts(cluster, work, count_part);
    uint32_t next = 0;
    for (uint32_t digit = 0; digit <= work->mask; digit++) {
        for (uint32_t part = 0; part < work->nparts; part++) {
            uint32_t count = work->places[part][digit];
            work->places[part][digit] = next;
            next += count;
        }
    }
    run_parts(cluster, work, move_part);
    cluster->scratch = cluster->order;
    cluster->order = work->to;
}

static uint32_t count_parts(const vc_cluster *cluster)
{
    uint32_t nparts = cluster->nrows / PART_ROWS_MIN;
    if (cluster->run == NULL) return 1;
    if (nparts > cluster->nparts) nparts = cluster->nparts;
    return nparts < 1 ? 1 : nparts < PARTS_MAX ? nparts : PARTS_MAX;
}

void vc_cluster_by(vc_cluster *cluster, uint32_t nranks)
{
    unsigned nbits = nranks < 2 ? 0 : 32 - (unsigned)__builtin_clz(nranks - 1);
    unsigned ndigits = (nbits + DIGIT_BITS_MAX - 1) / DIGIT_BITS_MAX;
    digit_work work;
    work.ranks = cluster->ranks;
    work.nrows = cluster->nrows;
    work.nparts = count_parts(cluster);
    for (unsigned digit = 0; digit < ndigits; digit++) {
        unsigned first = digit * nbits / ndigits, end = (digit + 1) * nbits / ndigits;
        work.shift = first;
        work.mask = (1u << (end - first)) - 1;
        sort_by_digit(cluster, &work);
    }
}

const uint32_t *vc_cluster_finish(const vc_cluster *cluster)
{
    for (uint32_t row = 0; row < cluster->nrows; row++) {
        if (cluster->order[row] != row) return cluster->order;
    }
    return NULL;
}

void vc_cluster_release(vc_cluster *cluster)
{
    free(cluster->ranks);
    free(cluster->order);
    free(cluster->scratch);
    *cluster = (vc_cluster){
        .run = cluster->run, .run_context = cluster->run_context, .nparts = cluster->nparts};
}
