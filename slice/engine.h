/* The slicing engine: a query and a model in, a result out.
 *
 *     plan    names looked up, conditions turned into sets of slots, measures into passes
 *     scan    per source and grouping set: facts -> cells, in parallel by segments
 *     stitch  cells of all passes by key, calculated measures, reasons, totals
 *     shape   having, top, order, offset, limit
 *
 * Threads: any number of queries at once over one model and one pool.
 */
#ifndef SLICE_ENGINE_H
#define SLICE_ENGINE_H

#include "base/pool.h"
#include "cube/model.h"
#include "slice/explain.h"
#include "slice/query.h"
#include "slice/result.h"

#include <stdatomic.h>

typedef struct vc_engine_limits {
    uint64_t max_cells;        /* rows of an answer times measures; 0: 5,000,000 */
    uint64_t max_time_ms;      /* 0: 30,000 */
    uint64_t max_memory_bytes; /* estimated need of a query; 0: VC_DEFAULT_MAX_MEMORY */
} vc_engine_limits;

#define VC_DEFAULT_MAX_MEMORY UINT64_C(1000000000)

typedef struct vc_engine_usage {          /* what queries did, added up; atomic */
    atomic_ullong nscans, nfacts, nbytes; /* facts that were read, and stored bytes for them */
    atomic_ullong ncells;                 /* of answers */
} vc_engine_usage;

typedef struct vc_engine_options {
    vc_pool *pool; /* NULL: the caller's thread only */
    vc_engine_limits limits;
    bool is_plain; /* without short cuts: what the tests compare the others with */
    bool (*is_cancelled)(void *context); /* asked every few ms, on any thread; NULL: never */
    void *context;
    vc_engine_usage *usage; /* counted here, too; NULL: not */
} vc_engine_options;

/* Is an answer still wanted? What the engine asks itself every few milliseconds, for whoever goes
 * on with its result. VC_CANCELLED "cancelled", or "limit_time" behind the deadline.
 *
 * deadline_ns  of CLOCK_MONOTONIC
 *
 * Threads: as is_cancelled. */
vc_status vc_engine_check(const vc_engine_options *options, uint64_t deadline_ns, vc_error *error);

/* The options with what is said for 0; NULL: all of them. */
vc_engine_options vc_engine_defaults(const vc_engine_options *options);

/* Answer a query.
 *
 * arena  owns the result, which also points into the model
 *
 * Errors with their place in the query: VC_NOT_FOUND unknown_cube, unknown_dimension,
 * unknown_level, unknown_hierarchy, unknown_index, unknown_member, unknown_measure; VC_IMPOSSIBLE
 * ambiguous_key, unrelated, overflow; VC_LIMIT limit_cells, limit_memory; VC_CANCELLED; VC_CORRUPT
 * storage_damaged. */
vc_status vc_engine_run(vc_model *model, const vc_query *query, const vc_engine_options *options,
                        vc_arena *arena, const vc_result **result_out, vc_error *error);

/* Who takes the rows of a large answer piece by piece, in their order. A piece is a result with
 * nothing but detail rows: axes with the members of these rows, measures, coords and cells. */
typedef struct vc_pieces {
    /* Before the first piece: the answer without its detail rows and without what is known only at
     * the end (total_cell_count, notices, coverage). nlanes  pieces are made at once */
    vc_status (*begin)(void *context, const vc_result *head, size_t nlanes, vc_error *error);
    /* A piece, alive during the call. On any thread, one at a time for each lane. */
    vc_status (*piece)(void *context, size_t lane, const vc_result *piece, vc_error *error);
    /* Now it is the lane's turn. On the caller's thread, in the order of the answer. */
    vc_status (*commit)(void *context, size_t lane, vc_error *error);
    void *context;
    bool takes_marks;  /* pieces may differ in whether rows are synthetic */
    size_t piece_rows; /* about; 0: 32,768, and answers of fewer than 131,072 are not cut */
} vc_pieces;

/* Answer a query, a large answer in pieces: then the memory that it needs does not depend on the
 * number of its rows. Where rows depend on each other (an order, a top, functions over members,
 * properties, ...; slice/pieces.c) and where they are few, nothing is handed over, and the result
 * is that of vc_engine_run. Otherwise it has the total rows only, and nrows_before says how many
 * detail rows there were: these rows and those are, byte by byte, what vc_engine_run gives.
 *
 * Errors: those of vc_engine_run, and what the functions return; pieces may have been handed over
 * before. */
vc_status vc_engine_run_in_pieces(vc_model *model, const vc_query *query,
                                  const vc_engine_options *options, const vc_pieces *pieces,
                                  vc_arena *arena, const vc_result **result_out, vc_error *error);

/* How a query would be answered: looked up, translated, estimated; no fact is read. Whether the
 * query asks for an explanation makes no difference.
 *
 * Errors: those of looking up, as of vc_engine_run, but not the limits: what would be refused is
 * what one wants explained. */
vc_status vc_engine_explain(vc_model *model, const vc_query *query,
                            const vc_engine_options *options, vc_arena *arena,
                            const vc_explain **explain_out, vc_error *error);

/* The quality of every join of a cube, with the share of each additive measure's value that
 * matched. Computed by scanning once per model. ncoverage 0 for a source cube. */
vc_status vc_engine_coverage(vc_model *model, const vc_cube *cube, const vc_engine_options *options,
                             vc_arena *arena, const vc_result_coverage **coverage_out,
                             size_t *ncoverage_out, vc_error *error);

#endif
