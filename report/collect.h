/* A question whose answer becomes a grid: asked, and laid out as its rows come, so that a table of
 * a million cells takes the memory of its cells and not that of an answer beside it.
 */
#ifndef REPORT_COLLECT_H
#define REPORT_COLLECT_H

#include "report/pivot.h"
#include "slice/engine.h"

/* Ask and add the rows to a new pivot, which is the caller's to free, also when this fails.
 *
 * has_totals  total rows of the answer, too
 * result_out  the answer; of a large one without its detail rows, of which nrows_before says how
 *             many there were. In the arena
 *
 * Errors: those of vc_engine_run and of vc_pivot_new. */
vc_status vc_collect(vc_model *model, const vc_query *query, const vc_engine_options *options,
                     const vc_pivot_plan *plan, bool has_totals, vc_arena *arena,
                     vc_pivot **pivot_out, const vc_result **result_out, vc_error *error);

/* The same rows of the answer to `query`, which is there already. */
vc_status vc_collect_result(const vc_query *query, const vc_result *result,
                            const vc_pivot_plan *plan, bool has_totals, vc_arena *arena,
                            vc_pivot **pivot_out, vc_error *error);

/* Does the question leave out rows that have values (`having`, `top`, `limit`, `offset`)? Then its
 * totals are of more than its rows. */
bool vc_collect_leaves_out(const vc_query *query);

#endif
