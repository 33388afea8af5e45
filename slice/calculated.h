/* Calculated members in a query (semantics, section 11 (5)). Private to slice/.
 *
 * On an axis they are groups behind those of members and buckets, of no slot; where their dimension
 * is rolled up, a frame stands at one as a whole (`fixed`). A cell with such a coordinate is never
 * read: the expression of the member that is computed last is evaluated over the cells in which its
 * operands stand in its place, which are cells of other frames, or have calculated members on other
 * dimensions still.
 *
 *     calculated.c        what a query says of them: conditions, axes
 *     calculated_cells.c  frames that operands need, values
 *     calculated_rows.c   the rows that stand at them
 */
#ifndef SLICE_CALCULATED_H
#define SLICE_CALCULATED_H

#include "slice/frame.h"

/* The calculated members of the cube and of the query. Errors: as of vc_cube_calculate. */
vc_status vc_plan_calculate(vc_plan *plan, vc_error *error);

/* A condition on a dimension without the calculated members that it names, and those that it
 * selects as bits [ncalculated of the plan]: named ones, and those below a member that it names.
 * NULL bits: the plan has none on the dimension. named: those it names are added, in the plan's
 * arena. */
vc_status vc_calculated_split(const vc_plan *plan, size_t dimension, const vc_condition *condition,
                              const vc_condition **rest_out, uint64_t **calculated_out,
                              uint64_t **named, vc_error *error);

/* Number the groups of calculated members of an axis, from `first`. Returns the first behind. */
vc_status vc_axis_number_calculated(const vc_plan *plan, vc_axis *axis, uint32_t first,
                                    vc_str *keys, vc_error *error);

/* Which of them have rows, on an axis of the query that is whole otherwise; and the order. */
vc_status vc_axis_show_calculated(const vc_plan *plan, vc_axis *axis, vc_error *error);

/* Do rows of this grouping stand at calculated members, at some or at all? */
bool vc_plan_shows_calculated(const vc_plan *plan, uint32_t kept);

/* Refuse a cut that names a calculated member, where only facts will do: VC_IMPOSSIBLE,
 * "calculated_member", at the condition. what: "has no facts" */
vc_status vc_plan_refuse_calculated(const vc_plan *plan, const char *what, vc_error *error);

/* ---- cells ---- */

/* Does a cell of a frame stand at a calculated member? */
bool vc_frame_is_calculated(const vc_frame *frame, const uint32_t *groups);

/* What an expression (that of a measure, or an argument in it) or, with expr NULL, a base measure
 * reads at the calculated members that cells of the frame may stand at. */
vc_status vc_calculated_need(vc_frame *frame, size_t measure, const vc_expr *expr, vc_error *error);

/* A measure at a cell that stands at a calculated member; expr: an argument in place of it, or
 * NULL. *has_facts_out: some operand has facts. */
vc_status vc_calculated_cell(vc_frame *frame, size_t measure, const vc_expr *expr,
                             const uint32_t *groups, vc_cell *cell_out, bool *has_facts_out,
                             vc_error *error);

/* Is the expression one that is evaluated at the calculated member itself? */
bool vc_expr_is_late(const vc_plan *plan, size_t measure, const vc_expr *expr);

/* Is a measure computed at the calculated member itself, where the cell is at one, from what other
 * measures come to there? */
bool vc_calculated_is_last(const vc_frame *frame, size_t measure, const uint32_t *groups);

/* The member by which a cell at calculated members is made from other cells, and what a measure
 * comes to at one of its targets; NULL: there is none, because the measure itself is computed last,
 * or for a total of several members. */
const vc_calculated *vc_calculated_of_cell(const vc_frame *frame, size_t measure,
                                           const uint32_t *groups);
vc_status vc_calculated_read(vc_frame *frame, size_t measure, const vc_member_target *target,
                             const uint32_t *groups, vc_cell *cell_out, vc_error *error);

/* The frames whose cells a cell at calculated members is made of, one call of `visit` for each;
 * groups as of rows. */
typedef vc_status (*vc_calculated_visit)(void *context, vc_frame *leaf, vc_error *error);
vc_status vc_calculated_leaves(vc_frame *frame, const uint32_t *groups, vc_calculated_visit visit,
                               void *context, vc_error *error);

#endif
