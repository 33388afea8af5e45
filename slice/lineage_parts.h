/* Lineage in five files: lineage.c the whole, lineage_dimensions.c what a cut became,
 * lineage_parts.c of what a value is made, lineage_facts.c the value once more from its facts,
 * lineage_calculated.c cells at calculated members.
 * Private to slice/.
 */
#ifndef SLICE_LINEAGE_PARTS_H
#define SLICE_LINEAGE_PARTS_H

#include "slice/lineage.h"
#include "slice/plan.h"

typedef struct vc_tracing { /* a base measure that is being traced */
    const vc_plan *plan;
    const vc_grain *grain; /* no axis is kept; the measure's pass was scanned */
    size_t measure;        /* of the plan */
    size_t limit;
    vc_arena *arena;
} vc_tracing;

/* dimensions, fixes, over */
vc_status vc_trace_dimensions(const vc_tracing *in, vc_lineage_source *out, vc_error *error);

/* The lineage of a cell at calculated members. cut: the query without axes; nothing is set where
 * the measure itself is computed last. */
vc_status vc_trace_calculated(vc_model *model, const vc_query *cut, vc_plan *plan, vc_grain *grain,
                              size_t limit, vc_lineage *out, vc_error *error);

/* by, parts, rest, and the check. out->cell is there. */
vc_status vc_trace_parts(const vc_tracing *in, vc_lineage_source *out, vc_error *error);

/* Where no parts make the value: compute it from the facts that pass a table of one cell, and set
 * out->is_checked and out->again. Not done for more than VC_LINEAGE_FACTS facts. */
vc_status vc_trace_again(const vc_tracing *in, const vc_table *table, vc_lineage_source *out,
                         vc_error *error);

#endif
