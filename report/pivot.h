/* From an answer to a grid: its rows laid out in two directions.
 *
 * Heads stand in member order, each inside of the one before it, totals behind what they are the
 * totals of. Where the query orders its rows they stand in the order in which they come in the
 * answer; times do only where the order names their dimension. Threads: pure.
 */
#ifndef REPORT_PIVOT_H
#define REPORT_PIVOT_H

#include "report/grid.h"
#include "report/spec.h"

typedef struct vc_pivot_plan {
    const vc_str *rows; /* dimensions; those named nowhere go where nothing is named, */
    size_t nrows;       /* and when neither is, the first to the rows, all others to the columns */
    const vc_str *columns;
    size_t ncolumns;
    bool stacks_measures; /* a row per measure instead of a column */
    const vc_spec_measure *measures;
    size_t nmeasures;
    const vc_order *orders; /* of the query */
    size_t norders;
    const char *pointer; /* of the section, for errors */
} vc_pivot_plan;

/* A grid in the making, of answers that are added one after the other: first those of the question
 * itself, whole or piece by piece (slice/engine.h), then, for subtotals, those of the same question
 * at higher levels or with fewer dimensions: what one of them does not have is summed up in it, and
 * where it sums up nothing that is there it is passed over. All have the same measures, and none
 * two rows for one place. 24 bytes a row while it is made, 16 a cell for good.
 * Threads: one at a time. */
typedef struct vc_pivot vc_pivot;

/* VC_NOT_FOUND: "unknown_dimension", "unknown_measure"; VC_BAD_INPUT "duplicate_name": a dimension
 * stands in the layout twice.
 *
 * head   an answer with the axes and measures of all, which live as long as the grid; its rows are
 *        not looked at
 * arena  owns the grid, texts of heads too */
vc_status vc_pivot_new(const vc_result *head, const vc_pivot_plan *plan, vc_arena *arena,
                       vc_pivot **pivot_out, vc_error *error);
void vc_pivot_free(vc_pivot *pivot); /* NULL is fine */

/* Add the rows of an answer, which is borrowed for the call. is_upper: it has subtotals only. */
vc_status vc_pivot_add(vc_pivot *pivot, const vc_result *result, bool is_upper, vc_error *error);

/* The grid.
 *
 * holes_out  cells that no row was for; they are null without a reason. May be NULL
 *
 * VC_LIMIT "limit_cells": more than 20 million cells. O(cells), and the sorting of heads. */
vc_status vc_pivot_finish(vc_pivot *pivot, const vc_grid **grid_out, size_t *holes_out,
                          vc_error *error);

/* All of that for one answer. */
vc_status vc_pivot_of(const vc_result *result, const vc_pivot_plan *plan, vc_arena *arena,
                      const vc_grid **grid_out, size_t *holes_out, vc_error *error);

/* "2010", "2010-Q2", "2010-03", "2010-03-15", "2010-W07": the year and its part. False for others.
 */
bool vc_time_place(vc_str key, double *place_out);

#endif
