#include "slice/lineage.h"

#include "slice/calculated.h"
#include "slice/lineage_parts.h"

/* The value of the cell, as any query gets it. */
static vc_status find_value(vc_model *model, const vc_query *query,
                            const vc_engine_options *options, vc_arena *arena, vc_lineage *out,
                            vc_error *error)
{
    const vc_result *result;
    vc_status status = vc_engine_run(model, query, options, arena, &result, error);
    if (status != VC_OK) return status;
    const vc_cell *cell = result->summary;
    if (result->naxes > 0) {
        if (result->ndetail_rows != 1)
            return vc_fail(error, VC_IMPOSSIBLE, "not_one_cell",
                           "the drilldown leaves %zu rows; cut until there is one",
                           result->ndetail_rows);
        cell = result->cells;
    }
    out->cube = result->cube;
    out->snapshot = result->snapshot;
    out->measure = result->measures[0].name;
    out->unit = result->measures[0].unit;
    out->type = result->measures[0].type;
    out->scale = result->measures[0].scale;
    out->cell = cell[0];
    out->notices = result->notices;
    out->nnotices = result->nnotices;
    return VC_OK;
}

static vc_str expr_of(const vc_plan *plan, const vc_plan_measure *measure)
{
    const vc_measure_def *definition = vc_cube_find_measure_def(plan->cube, measure->name);
    if (definition == NULL || measure->expr == NULL) return (vc_str){0};
    return measure->measure != NULL && !vc_cube_shows_expr(plan->cube, measure->measure)
               ? (vc_str){0}
               : definition->expr;
}

/* From who may see what is computed of it, but not itself. */
static bool is_withheld(const vc_plan_measure *measure)
{
    return measure->measure != NULL && measure->measure->is_withheld;
}

static vc_status trace(const vc_tracing *in, vc_lineage_source *out, vc_error *error)
{
    const vc_plan_measure *measure = &in->plan->measures[in->measure];
    const vc_cube_source *source = &in->plan->cube->sources[measure->measure->source];
    uint32_t groups[VC_MAX_AXES] = {0};
    bool has_facts;
    *out = (vc_lineage_source){
        .measure = measure->name,
        .unit = measure->unit,
        .source = in->plan->cube->is_virtual ? source->alias : source->cube->name,
        .cube = source->cube->name,
        .aggregator = measure->measure->aggregator,
        .where = in->plan->cube->is_partial ? (vc_str){0} : measure->measure->where,
        .type = measure->type,
        .scale = measure->scale};
    if (measure->measure->over != VC_OVER_NONE) {
        out->over = source->cube->dimension_names[measure->measure->over_dimension];
        out->over_word = vc_over_name(measure->measure->over);
    }
    vc_status status = vc_grain_read(in->grain, in->measure, groups, &out->cell, &has_facts, error);
    if (status == VC_OK) status = vc_trace_dimensions(in, out, error);
    return status == VC_OK ? vc_trace_parts(in, out, error) : status;
}

static vc_status trace_all(const vc_plan *plan, vc_grain *grain, size_t limit, vc_lineage *out,
                           vc_error *error)
{
    vc_lineage_source *sources = VC_ARENA_NEW(plan->arena, vc_lineage_source, plan->nmeasures + 1);
    vc_status status = sources == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t m = 0; m < plan->nmeasures && status == VC_OK; m++) {
        vc_tracing tracing = {
            .plan = plan, .grain = grain, .measure = m, .limit = limit, .arena = plan->arena};
        if (plan->measures[m].expr != NULL || is_withheld(&plan->measures[m])) continue;
        status = vc_grain_need(grain, m, NULL, error);
        if (status == VC_OK) status = trace(&tracing, &sources[out->nsources++], error);
    }
    out->sources = sources;
    return status;
}

/* The value of an operand: read where it was traced, asked for where it is calculated too. */
static vc_status find_operand(vc_model *model, const vc_query *cut,
                              const vc_engine_options *options, const vc_grain *grain,
                              size_t number, vc_cell *cell_out, vc_error *error)
{
    const vc_plan *plan = grain->plan;
    uint32_t groups[VC_MAX_AXES] = {0};
    bool has_facts;
    if (plan->measures[number].expr == NULL && !vc_plan_shows_calculated(plan, 0))
        return vc_grain_read(grain, number, groups, cell_out, &has_facts, error);
    const vc_result *result;
    vc_measure_ref ref = {.name = plan->measures[number].name};
    vc_query query = *cut;
    query.measures = &ref;
    query.nmeasures = 1;
    vc_status status = vc_engine_run(model, &query, options, plan->arena, &result, error);
    if (status == VC_OK) *cell_out = result->summary[0];
    return status;
}

/* What a calculated measure is computed from, each a cell of the same cut. Those that have no name
 * in the cube, because only an expression of a source needs them, are traced but not listed. */
static vc_status find_operands(vc_model *model, const vc_query *cut,
                               const vc_engine_options *options, const vc_grain *grain,
                               vc_lineage *out, vc_error *error)
{
    const vc_plan *plan = grain->plan;
    vc_lineage_operand *operands = VC_ARENA_NEW(plan->arena, vc_lineage_operand, plan->nmeasures);
    vc_status status = operands == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t m = plan->nasked; m < plan->nmeasures && status == VC_OK; m++) {
        const vc_plan_measure *measure = &plan->measures[m];
        if (measure->measure == NULL || (measure->measure->is_hidden && measure->expr != NULL) ||
            is_withheld(measure))
            continue;
        vc_lineage_operand *operand = &operands[out->noperands++];
        *operand = (vc_lineage_operand){.name = measure->name,
                                        .expr = expr_of(plan, measure),
                                        .type = measure->type,
                                        .scale = measure->scale};
        status = find_operand(model, cut, options, grain, m, &operand->cell, error);
    }
    out->operands = operands;
    return status;
}

vc_status vc_lineage_run(vc_model *model, const vc_lineage_query *query,
                         const vc_engine_options *options, vc_arena *arena,
                         const vc_lineage **lineage_out, vc_error *error)
{
    vc_engine_options filled = vc_engine_defaults(options);
    vc_lineage *out = VC_ARENA_NEW(arena, vc_lineage, 1);
    vc_query asked = *query->query, cut;
    vc_plan *plan;
    vc_grain *grain = NULL;
    if (out == NULL) return vc_no_memory(error);
    if (asked.nmeasures != 1) {
        vc_fail(error, VC_BAD_INPUT, "missing_parameter", "a cell has one measure; %s",
                asked.nmeasures == 0 ? "name it" : "several are named");
        vc_error_at_pointer(error, "measure");
        return VC_BAD_INPUT;
    }
    asked.nhavings = asked.norders = asked.ntops = asked.ntotals = asked.nproperties = 0;
    asked.limit = UINT64_MAX;
    asked.offset = 0;
    cut = asked;
    cut.naxes = 0;
    vc_status status = find_value(model, &asked, &filled, arena, out, error);
    if (status == VC_OK) status = vc_plan_make(model, &cut, &filled, arena, &plan, error);
    if (status == VC_OK) status = vc_grain_new(plan, 0, &grain, error);
    bool is_calculated = status == VC_OK && vc_plan_shows_calculated(plan, 0);
    if (is_calculated)
        status = vc_trace_calculated(model, &cut, plan, grain, query->limit, out, error);
    else if (status == VC_OK)
        status = trace_all(plan, grain, query->limit, out, error);
    if (status == VC_OK) status = find_operands(model, &cut, &filled, grain, out, error);
    if (is_calculated) vc_frames_release(plan);
    vc_grain_release(grain);
    if (status != VC_OK) return status;
    out->expr = expr_of(plan, &plan->measures[0]);
    *lineage_out = out;
    return VC_OK;
}
