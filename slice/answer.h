/* An answer on its way: what engine.c has computed and shaped, and the result that answer_axes.c,
 * answer_table.c and notices.c make of it. Private to them.
 */
#ifndef SLICE_ANSWER_H
#define SLICE_ANSWER_H

#include "slice/engine.h"
#include "slice/plan.h"
#include "slice/property.h"

typedef struct vc_answering {
    vc_plan *plan;
    vc_arena *arena;
    vc_result *result;
    vc_rows *detail;
    vc_rows *summary;
    vc_rows **totals; /* [ntotals] */
    size_t ntotals;   /* of the query; of a piece, none */
    uint32_t *order;  /* [nshown] detail rows in the order of the answer */
    bool is_whole;    /* all detail rows are shown, or stand for in a row of others */
    size_t nfound;    /* detail rows before offset and limit */
    size_t nshown;
    uint32_t **member_of; /* [naxes][ngroups] place in the axis' table of members, or VC_NONE; only
                             where vc_axis_may_show */
    const vc_property *properties; /* [nproperties] `place` is the axis */
    size_t nproperties;
    uint64_t nvalues; /* of all members shown */
    vc_notice *notices;
    size_t nnotices, max_notices;
    const bool *repeats; /* [nasked] measures of which a piece has repeated values; NULL: none */
} vc_answering;

/* The place of a group in its axis' table of members, VC_NONE when it is not shown (or is none). */
static inline uint32_t vc_answer_place(const vc_answering *in, size_t axis, uint32_t group)
{
    return vc_axis_may_show(&in->plan->axes[axis], group) ? in->member_of[axis][group] : VC_NONE;
}

/* The summary and the totals that the query asks for, of the whole selection, without detail rows.
 * in->detail has none, but is there. (engine.c) */
vc_status vc_answer_totals_alone(vc_answering *in, vc_error *error);

/* Answers of fewer rows are made as a whole. */
enum { VC_PIECES_FROM_ROWS = 131072 };

/* Are the rows such, and so many, that they can and need be made in pieces? (pieces.c) */
bool vc_answer_has_pieces(const vc_answering *in, const vc_pieces *pieces);

/* The answer, its detail rows handed over in pieces. (pieces.c) */
vc_status vc_answer_in_pieces(vc_answering *in, const vc_pieces *pieces, vc_error *error);

/* Look up the properties that the query names: before anything is read. A property that neither a
 * drilled dimension nor what is joined along it has is a mistake, not an empty column. */
vc_status vc_answer_find_properties(vc_answering *in, vc_error *error);

/* The properties of an axis and of its members (groups [nmembers of the axis]), and of an answer
 * with all its rows: no more values of them than max_cells, VC_LIMIT "limit_cells". */
vc_status vc_answer_properties(vc_answering *in, size_t axis, const uint32_t *groups,
                               vc_result_axis *out, vc_result_member *members, vc_error *error);
vc_status vc_answer_check_properties(const vc_answering *in, vc_error *error);

/* The axes of the result: levels, the members that occur in the rows shown, and their properties.
 * Fills in->member_of. */
vc_status vc_answer_axes(vc_answering *in, vc_error *error);

/* The rows of the result, detail first, then each total's; and what its measures are. After
 * vc_answer_axes. */
vc_status vc_answer_table(vc_answering *in, vc_error *error);

/* What a reader must know of the answer. After vc_answer_table. */
vc_status vc_answer_notices(vc_answering *in, vc_error *error);

/* The coverage of the joins that the answer depends on. */
vc_status vc_answer_coverage(vc_answering *in, vc_error *error);

#endif
