/* Clustering: rows put in the order of some of their columns, a window of them at a time.
 *
 * Facts that lie together are read together: when a segment holds few days, a query of other days
 * passes it by, and its numbers take fewer bits. For that it need not be sorted as a whole. Sorting
 * windows of some dozens of segments narrows the range of each segment nearly as much, in memory
 * that does not depend on the number of facts.
 *
 *     vc_cluster cluster = {0};
 *     vc_cluster_begin(&cluster, nrows, error);
 *     for each column, the least important one first:
 *         fill cluster.ranks;  vc_cluster_by(&cluster, nranks);
 *     order = vc_cluster_finish(&cluster);
 *     vc_cluster_release(&cluster);
 *
 * A rank is the place of the row's member in the order that is wanted: its leaf number, or the
 * number of its member of a level. The sort is stable, so rows that are equal in all columns stay
 * in the order in which they came.
 * Threads: one per cluster; the ranks may be filled by several, and with a runner several sort. The
 * order does not depend on it.
 */
#ifndef CUBE_CLUSTER_H
#define CUBE_CLUSTER_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    VC_CLUSTER_ROWS_MAX = 1 << 22,           /* of a window: 64 segments, */
    VC_CLUSTER_BYTES_MAX = 72 * 1024 * 1024, /* or fewer, of so many bytes of cells */
};

/* How the parts of a sort are run: job(job_context, 0 .. njobs-1), in any order, by any thread. */
typedef void (*vc_cluster_runner)(void *context, size_t njobs,
                                  void (*job)(void *job_context, size_t number), void *job_context);

typedef struct vc_cluster {
    vc_cluster_runner run; /* NULL: here */
    void *run_context;
    unsigned nparts; /* into which a sort is cut for it; 0 and 1: not at all. At most 16 are made */
    uint32_t nrows, capacity;
    uint32_t *ranks; /* [nrows] for the caller to fill before each vc_cluster_by */
    uint32_t *order, *scratch;
} vc_cluster;

/* Start with a window: ranks has room for its rows. 12 bytes a row, used again by the next window.
 * VC_NO_MEMORY. */
vc_status vc_cluster_begin(vc_cluster *cluster, uint32_t nrows, vc_error *error);

/* Sort by the ranks, all < nranks, which are lost. Rows of one rank stay in their order.
 * About 5 ns a row for each 11 bits of a rank. */
void vc_cluster_by(vc_cluster *cluster, uint32_t nranks);

/* Which row comes when: [nrows], valid until the next vc_cluster_begin; NULL when they came in
 * order. */
const uint32_t *vc_cluster_finish(const vc_cluster *cluster);

void vc_cluster_release(vc_cluster *cluster); /* all zero is fine; keeps the runner */

#endif
