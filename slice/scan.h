/* A scan and its lanes: what the files of the scan share.
 *
 *     scan.c          pieces and parts, the whole        scan_choose.c   what is known before
 *     scan_block.c    one block: filters, keys, measures
 *     scan_tuples.c   the block of a step over several columns
 *     scan_combinations.c   of its rows, those in some combinations of members
 *     masked.c        what a role may not see is passed over
 *     collect.c       what is written down instead of added up (collect.h)
 */
#ifndef SLICE_SCAN_H
#define SLICE_SCAN_H

#include "slice/kernels.h"
#include "slice/plan.h"
#include "storage/packed.h"

#include <stdatomic.h>

enum {
    VC_SCAN_PARTS = 16,
    VC_PIECE_BLOCKS = 8, /* blocks that a thread takes at a time */
    VC_LANE_PIECES = 8,  /* fewer are not worth waking a thread for, which takes 50 microseconds */
    VC_MASK_WORDS = VC_BLOCK_ROWS / 64,
    VC_SEGMENT_PIECES = VC_SEGMENT_ROWS / VC_BLOCK_ROWS / VC_PIECE_BLOCKS,
    VC_SCAN_SLACK = 64, /* elements that kernels may write behind the last one */
};

typedef struct vc_scan {
    const vc_plan *plan;
    const vc_pass *pass;
    const vc_table *table;    /* over stored numbers (masked.c) */
    const vc_table *combined; /* that of the pass' combinations, likewise */
    const vc_source_cube *cube;
    const vc_snapshot *snapshot;
    const vc_kernels *kernels;
    const vc_packed_kernels *packed;
    const vc_step **filters; /* [nfilters] steps that not every leaf passes, most selective first */
    size_t nfilters;
    const vc_step *selecting; /* of the filters: its groups say which rows pass; NULL: none does */
    bool has_sets;            /* ragged steps are scanned by their sets of groups */
    bool expands;             /* rows may become several entries, or keys are wider than 32 bits */
    /* The grid that is scanned: a key is origin + the sum of group * stride over the steps. */
    uint64_t *strides; /* [nsteps] */
    uint32_t *spans;   /* [nsteps] */
    uint64_t ncells;
    uint64_t origin;    /* wraps */
    bool is_ordered;    /* the order of rows matters: sums of doubles */
    uint32_t *segments; /* [nsegments] that may have rows that pass */
    uint32_t nsegments;
    vc_keep *keeps; /* [naccumulators] */
    /* [naccumulators] what is written down; NULL: nothing, as in nearly every query */
    const enum vc_collect *collects;
    const struct vc_combination_form *combinations;
    vc_cells_form form;   /* of a lane's cells */
    vc_cells_form shared; /* of the cells that those of sets are shared out to, with has_sets */
    struct vc_lane *lanes;
    atomic_size_t next_piece; /* of VC_PIECE_BLOCKS blocks, over `segments` */
} vc_scan;

/* One thread's work, or one part's. */
typedef struct vc_lane {
    vc_scan *scan;
    uint32_t first, end; /* of a part: places in scan->segments */
    vc_cells *cells;
    vc_scan_stats stats;
    vc_status status;
    vc_error error;
    /* [nsteps + naccumulators] of the segment at hand, then [naccumulators] of weights, then
     * [ndimensions]; NULL: not yet */
    const vc_chunk **chunks;
    struct vc_records *records; /* [naccumulators] of a scan that collects */
    uint16_t counted[8];        /* columns whose bytes of the block at hand are counted */
    size_t ncounted;

    /* The block at hand. */
    uint32_t segment, segment_rows, block, nrows;
    uint64_t mask[VC_MASK_WORDS];
    bool is_all;          /* entries are all rows as they come: mask is not looked at */
    size_t count;         /* entries: rows that are left, or more after expanding */
    const uint16_t *rows; /* [count] row of each entry; NULL: not needed so far */
    bool is_one_cell;     /* all entries are in `cell`; else slots [count] say where */
    uint32_t cell;
    const vc_step *selected;  /* whose groups of the entries are in slots already; NULL: of none */
    uint32_t unpacked_column; /* whose deltas of all rows are in `leaves`; VC_NONE: of none */

    size_t capacity; /* of the next four */
    uint16_t *row_buffer;
    uint32_t *slots, *picked;
    uint64_t *wide; /* wide keys, or values */
    uint16_t *spare_rows;
    uint64_t *spare_wide;
    size_t spare_capacity;
    uint32_t leaves[VC_BLOCK_ROWS + VC_SCAN_SLACK];
    uint64_t values[VC_BLOCK_ROWS + VC_SCAN_SLACK];

    struct vc_tuple_block **tuples; /* [nsteps] of steps over tuples; NULL: not needed so far */
} vc_lane;

/* The column of a measure: its values, or the leaves that are counted. -1: none, rows are. */
int vc_scan_value_column(const vc_scan *scan, const vc_accumulator_spec *spec);

/* Does no leaf of [min, max] pass the step? */
static inline bool vc_scan_none_pass(const vc_step *step, int64_t min, int64_t max)
{
    return max < (int64_t)step->first || min >= (int64_t)step->end;
}

/* Choose filters, segments, the grid, how cells are kept. Fills stats with what the zones promise,
 * bytes apart. */
vc_status vc_scan_choose(vc_scan *scan, vc_scan_stats *stats, vc_error *error);

/* Into how many lanes the scan is cut, at least 1. */
size_t vc_scan_count_lanes(const vc_scan *scan);

/* How each lane keeps its cells; VC_LIMIT "limit_memory" when that may be too much. */
vc_status vc_scan_choose_form(vc_scan *scan, size_t nlanes, vc_scan_stats *stats, vc_error *error);

/* stats->nbytes: what reading the chosen segments would touch at most. */
vc_status vc_scan_promise_bytes(const vc_scan *scan, vc_scan_stats *stats, vc_error *error);

/* The chunk of a step over tuples, of which only the block at hand is there: scan_tuples.c. Errors
 * are in lane->error. */
vc_status vc_lane_find_tuples(vc_lane *lane, size_t place, const vc_chunk **chunk_out);
void vc_lane_release_tuples(vc_lane *lane);

/* Room for entries of a block, at least count. False: out of memory. */
bool vc_lane_reserve(vc_lane *lane, size_t count);

/* Of the entries of the block, made by expanding, keep those that lie in one of the combinations of
 * the pass, which narrow down the groups of their keys. */
vc_status vc_lane_keep_combinations(vc_lane *lane);

/* The rows of the entries as a list, in lane->rows. */
void vc_lane_list_rows(vc_lane *lane);

/* Values of rows [n] of the block at hand, integers or the bits of doubles, whatever their null
 * flags say. values_out has room for VC_SCAN_SLACK more. */
void vc_lane_values(vc_lane *lane, const vc_chunk *chunk, const uint16_t *rows, size_t n,
                    uint64_t *values_out);

/* The leaves of a dimension column, all of which are leaves of the dimension. */
vc_status vc_lane_leaves(vc_lane *lane, uint16_t column, const vc_chunk **chunk_out);

/* Scan the block of the lane at hand. Errors are in lane->error. */
vc_status vc_lane_scan_block(vc_lane *lane);

/* Only find the rows of the block that pass: lane->rows [lane->count]. Errors are in lane->error.
 */
vc_status vc_lane_select_block(vc_lane *lane);

/* The table over the numbers that are stored in the facts, where they are others than those of the
 * leaves, or some may not be seen; else the same. In the arena. */
vc_status vc_table_of_stored(const vc_source_cube *cube, const vc_table *table, vc_arena *arena,
                             const vc_table **stored_out, vc_error *error);

/* Go through the facts that pass every step of a table, in the order in which they are stored.
 *
 * pass   without accumulators
 * table  of a grouping that keeps no axis
 * visit  called for each block that has such facts, with lane->rows [lane->count] of lane->block of
 *        lane->segment. *is_enough_out: no more are wanted. Whatever else it returns than VC_OK
 *        ends the walk */
typedef vc_status vc_visit_rows(void *context, const vc_lane *lane, bool *is_enough_out,
                                vc_error *error);
vc_status vc_scan_visit(const vc_plan *plan, const vc_pass *pass, const vc_table *table,
                        vc_visit_rows *visit, void *context, vc_error *error);

#endif
