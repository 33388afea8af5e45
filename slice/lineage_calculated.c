/* Lineage of a cell at a calculated member: its operands. Each is asked once more by itself, as any
 * query would, with its cut in place of the member: that it comes to the same is the check.
 */
#include "slice/lineage_parts.h"

#include "cube/cut.h"
#include "slice/calculated.h"

struct tracing {
    vc_model *model;
    const vc_query *cut;
    const vc_plan *plan;
    const vc_calculated *at;
};

/* The conditions of the cut that are on none of the target's dimensions, and the target's. */
static vc_status replace_conditions(const struct tracing *in, const vc_member_target *target,
                                    vc_query *query, vc_error *error)
{
    vc_arena *arena = in->plan->arena;
    vc_list all = {0}, own = {0};
    vc_source_text source = {.text = target->text};
    vc_status status = vc_cut_parse(source, arena, &own, error);
    if (status != VC_OK) return status;
    vc_condition **conditions = own.items;
    for (size_t i = 0; i < own.count && i < target->ncoordinates; i++)
        conditions[i]->dimref.dimension =
            in->plan->cube->dimensions[target->coordinates[i].dimension].name;
    for (size_t i = 0; i < in->cut->nconditions; i++) {
        bool is_replaced = false;
        for (size_t c = 0; c < own.count; c++)
            is_replaced |= vc_str_equal(in->cut->conditions[i]->dimref.dimension,
                                        conditions[c]->dimref.dimension);
        vc_condition **place = is_replaced ? NULL : VC_LIST_NEW(&all, arena, vc_condition *);
        if (!is_replaced && place == NULL) return vc_no_memory(error);
        if (place != NULL) *place = in->cut->conditions[i];
    }
    for (size_t c = 0; c < own.count; c++) {
        vc_condition **place = VC_LIST_NEW(&all, arena, vc_condition *);
        if (place == NULL) return vc_no_memory(error);
        *place = conditions[c];
    }
    query->conditions = all.items;
    query->nconditions = all.count;
    return VC_OK;
}

static bool same_cell(const vc_plan_measure *measure, const vc_cell *a, const vc_cell *b)
{
    if (a->is_null || b->is_null) return a->is_null == b->is_null && a->reason == b->reason;
    double x = vc_cell_number(measure, a).value, y = vc_cell_number(measure, b).value;
    double size = (x < 0 ? -x : x) + (y < 0 ? -y : y);
    return (x > y ? x - y : y - x) <= 1e-9 * size;
}

static vc_status trace_place(const struct tracing *in, vc_frame *frame, const vc_str operand,
                             const vc_member_target *target, vc_lineage_place *place,
                             vc_error *error)
{
    const uint32_t groups[VC_MAX_AXES] = {0};
    const vc_result *result;
    vc_query query = *in->cut;
    *place = (vc_lineage_place){.operand = operand, .cut = target->text};
    vc_status status = vc_calculated_read(frame, 0, target, groups, &place->cell, error);
    if (status == VC_OK) status = replace_conditions(in, target, &query, error);
    if (status == VC_OK)
        status =
            vc_engine_run(in->model, &query, in->plan->options, in->plan->arena, &result, error);
    if (status == VC_OK) place->alone = result->summary[0];
    return status;
}

vc_status vc_trace_calculated(vc_model *model, const vc_query *cut, vc_plan *plan, vc_grain *grain,
                              size_t limit, vc_lineage *out, vc_error *error)
{
    const uint32_t groups[VC_MAX_AXES] = {0};
    vc_frame *frame;
    vc_status status = vc_frame_of_rows(plan, grain, &frame, error);
    if (status != VC_OK) return status;
    struct tracing in = {
        .model = model, .cut = cut, .plan = plan, .at = vc_calculated_of_cell(frame, 0, groups)};
    if (in.at == NULL) return VC_OK;
    vc_lineage_calculated *found = VC_ARENA_NEW(plan->arena, vc_lineage_calculated, 1);
    for (size_t o = 0; found != NULL && o < in.at->noperands; o++)
        found->nplaces += in.at->operands[o].ntargets;
    size_t nplaces = found == NULL || found->nplaces > limit ? limit : (size_t)found->nplaces;
    vc_lineage_place *places = VC_ARENA_NEW(plan->arena, vc_lineage_place, nplaces + 1);
    if (found == NULL || places == NULL) return vc_no_memory(error);
    found->dimension = plan->cube->dimensions[in.at->dimension].name;
    found->name = in.at->name;
    found->label = in.at->label;
    found->expr = in.at->definition->expr;
    found->unit = out->unit;
    if (!in.at->keeps_unit) out->unit = in.at->definition->unit;
    found->solve_order = in.at->definition->solve_order;
    found->adds_up = true;
    for (size_t o = 0; o < in.at->noperands; o++)
        for (size_t t = 0; t < in.at->operands[o].ntargets && found->nlisted < nplaces; t++) {
            vc_lineage_place *place = &places[found->nlisted++];
            status = trace_place(&in, frame, in.at->operands[o].text,
                                 &in.at->operands[o].targets[t], place, error);
            if (status != VC_OK) return status;
            found->adds_up &= same_cell(&plan->measures[0], &place->cell, &place->alone);
        }
    found->places = places;
    out->calculated = found;
    return VC_OK;
}
