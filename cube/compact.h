/* Compacting: the facts of a cube that came in several parts are put together again.
 *
 * An append adds a run of segments, and members that are new come last. So the facts of one month
 * lie in many places, segments are not full, and the members of a region are many ranges of leaves.
 * Compacting numbers the leaves depth first again (dimensions/renumber.h), sorts all facts as the
 * definition's `cluster` says, and writes them as one run of full segments, in one load: readers
 * see all of it or nothing, snapshots that are open or kept stay as they were, and whatever stops
 * it leaves the store as before. Answers stay the same; only a sum of floats may differ in its last
 * bit, because it is added up in another order.
 *
 * Facts are sorted as a whole, not by windows as in a load: the ranges of the first item of the
 * order are cut so that each holds a window of rows; for one after the other the segments that have
 * some of them are read (again), sorted in memory and written. Where the facts were loaded in that
 * order, each segment is read once or twice. Rows that are equal in all items stay in the order in
 * which they were loaded. Memory does not depend on the number of facts: about 350 MiB of its own
 * on two processors, and what one dimension after the other needs.
 *
 * Before anything is published, what was written is read again and compared with what was read: a
 * hash over the cells of each row, with leaves as they were numbered before, summed over all rows.
 *
 * Dimensions. Two cubes whose images have one fingerprint are joined leaf by leaf, so an image is
 * renumbered for all that hold it or for none: all cubes with that image must be compacted
 * together. A shared dimension with a table is renumbered when it and all cubes that use it have
 * the same image; otherwise a cube that is behind could not be appended to any more. What is left
 * as it is for such a reason is told in the report, and tried again by the next call.
 */
#ifndef CUBE_COMPACT_H
#define CUBE_COMPACT_H

#include "base/arena.h"
#include "base/status.h"
#include "storage/store.h"

typedef struct vc_compact_progress {
    const char *cube;
    uint64_t nrows, nrows_total; /* of this cube */
} vc_compact_progress;

typedef struct vc_compact_options {
    bool force;         /* also where nothing is to be gained */
    unsigned nthreads;  /* 0: one per processor. What is stored is the same */
    size_t window_rows; /* that are sorted at a time, at most; 0: what is best */
    void (*progress)(void *context, const vc_compact_progress *progress); /* NULL; ~10 a s */
    void *context;
} vc_compact_options;

typedef struct vc_compact_cube {
    vc_str name;
    bool is_virtual;
    bool is_rewritten; /* otherwise nothing was to be gained */
    uint64_t nrows;
    size_t nruns_before, nruns_after;
    uint32_t nsegments_before, nsegments_after;
    uint64_t nrenumbered;               /* leaves that have another number now */
    uint64_t bytes_before, bytes_after; /* of facts; 0 unless it is rewritten */
    vc_str note; /* why dimensions were left as they are; absent when none was */
} vc_compact_cube;

typedef struct vc_compact_report {
    uint64_t epoch; /* the new one, or the one there is when nothing was done */
    size_t ncubes, nrewritten;
    vc_compact_cube *cubes; /* in the arena */
} vc_compact_report;

/* Compact cubes of the store.
 *
 * names  of cubes; nnames 0: all. A virtual cube needs nothing: it is only told of.
 * arena  owns the report
 *
 * A cube is left alone when its facts are one run in the order of its definition and its dimensions
 * are depth first, or cannot be renumbered now. While it runs, the store holds both versions; the
 * older one goes when its epoch is not kept any more.
 *
 * VC_NOT_FOUND, code "unknown_cube"; VC_BUSY, code "load_in_progress", when somebody loads;
 * VC_CORRUPT when what is stored is damaged; VC_DISK_FULL. */
vc_status vc_store_compact(vc_store *store, const vc_str *names, size_t nnames,
                           const vc_compact_options *options, vc_arena *arena,
                           vc_compact_report *report_out, vc_error *error);

#endif
