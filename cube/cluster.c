/* Counting sort by the digits of the ranks, the lowest first. Digits have at most 11 bits: then the
 * places that are being written to stay in the first cache. */
#include "cube/cluster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS_MAX = 11 };

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

static void sort_by_digit(vc_cluster *cluster, unsigned shift, uint32_t mask)
{
    uint32_t places[(1 << DIGIT_BITS_MAX) + 1] = {0};
    const uint32_t *ranks = cluster->ranks, *from = cluster->order;
    uint32_t *to = cluster->scratch;
    for (uint32_t row = 0; row < cluster->nrows; row++)
        places[(ranks[row] >> shift & mask) + 1]++;
    for (uint32_t digit = 0; digit < mask; digit++)
        places[digit + 1] += places[digit];
    for (uint32_t i = 0; i < cluster->nrows; i++)
        to[places[ranks[from[i]] >> shift & mask]++] = from[i];
    cluster->scratch = cluster->order;
    cluster->order = to;
}

void vc_cluster_by(vc_cluster *cluster, uint32_t nranks)
{
    unsigned nbits = nranks < 2 ? 0 : 32 - (unsigned)__builtin_clz(nranks - 1);
    unsigned ndigits = (nbits + DIGIT_BITS_MAX - 1) / DIGIT_BITS_MAX;
    for (unsigned digit = 0; digit < ndigits; digit++) {
        unsigned first = digit * nbits / ndigits, end = (digit + 1) * nbits / ndigits;
        sort_by_digit(cluster, first, (1u << (end - first)) - 1);
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
    *cluster = (vc_cluster){0};
}
