/* What explain tells: measures and policies when the plan is made, then each scan as it is done, or
 * would be.
 */
#include "slice/plan.h"

#include "base/cpu.h"

#include <string.h>

/* ---- measures ---- */

static vc_str expr_of(const vc_plan *plan, const vc_plan_measure *measure)
{
    if (measure->measure != NULL) {
        const vc_measure_def *written = vc_cube_find_measure_def(plan->cube, measure->name);
        return written == NULL ? (vc_str){0} : written->expr;
    }
    for (size_t i = 0; i < plan->query->nmeasures; i++)
        if (vc_str_equal(plan->query->measures[i].name, measure->name))
            return plan->query->measures[i].expr;
    return measure->name; /* of having, top or order: its name is its text */
}

/* The policy for the dimensions that the query names and the source does not have. Null wins, then
 * fix. */
static const char *policy_of(const vc_plan *plan, const vc_cube_measure *measure)
{
    const vc_cube_source *source = &plan->cube->sources[measure->source];
    const char *policy = NULL;
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        bool is_asked = plan->selections[d].is_cut;
        for (size_t i = 0; i < plan->naxes; i++)
            is_asked |= plan->axes[i].dimension == d;
        if (!is_asked || source->bindings[d].kind != VC_BIND_NONE) continue;
        const vc_standing *standing;
        vc_unrelated word = vc_cube_unrelated(plan->cube, measure, d, &standing);
        bool is_null = policy != NULL && strcmp(policy, "null") == 0;
        if (word == VC_UNRELATED_FIX && !is_null) policy = "fix";
        if (word == VC_UNRELATED_REPEAT && policy == NULL) policy = "repeat";
        if (word == VC_UNRELATED_NULL || word == VC_UNRELATED_ERROR) policy = "null";
    }
    return policy;
}

static vc_status explain_measures(vc_plan *plan, vc_error *error)
{
    vc_explain_measure *measures =
        VC_ARENA_NEW(plan->arena, vc_explain_measure, plan->nmeasures + 1);
    if (measures == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->nmeasures; i++) {
        const vc_plan_measure *from = &plan->measures[i];
        measures[i] = (vc_explain_measure){.name = from->name, .source = from->source_alias};
        if (from->expr != NULL) {
            measures[i].expr = expr_of(plan, from);
        } else {
            measures[i].aggregator = vc_str_of(vc_aggregator_name(from->measure->aggregator));
            measures[i].policy = policy_of(plan, from->measure);
        }
    }
    plan->explain->measures = measures;
    plan->explain->nmeasures = plan->nmeasures;
    return VC_OK;
}

/* ---- steps ---- */

/* One side of a pair: "geo.iso2", or a constant. */
static vc_str side_of(const vc_plan *plan, vc_str dimension, vc_str index, vc_str constant)
{
    if (constant.data != NULL) return vc_arena_printf(plan->arena, "\"%.*s\"", VC_FMT(constant));
    return vc_arena_printf(plan->arena, "%.*s.%.*s", VC_FMT(dimension), VC_FMT(index));
}

/* The pairs of indexes by which a source joins along a dimension of the cube. */
static vc_str through_of(const vc_plan *plan, const vc_cube_source *source, size_t dimension)
{
    vc_str text = {0}, name = plan->cube->dimensions[dimension].name;
    const vc_source_def *definition = source->definition;
    for (size_t i = 0; definition != NULL && i < definition->join.non; i++) {
        const vc_on_def *on = &definition->join.on[i];
        if (!vc_str_equal(on->dim, name)) continue;
        vc_str from = side_of(plan, on->dim, on->index, on->constant);
        vc_str to = side_of(plan, on->to_dim, on->to_index, on->to_constant);
        text = vc_arena_printf(plan->arena, "%.*s%s%.*s = %.*s", VC_FMT(text),
                               text.size > 0 ? " and " : "", VC_FMT(from), VC_FMT(to));
    }
    return text;
}

static const vc_axis *axis_of(const vc_plan *plan, size_t dimension, uint32_t kept)
{
    for (size_t i = 0; i < plan->naxes; i++)
        if (plan->axes[i].dimension == dimension && (kept >> i & 1)) return &plan->axes[i];
    return NULL;
}

static const char *why_of(bool is_cut, bool is_drilled, bool is_mapped)
{
    static const char *const whys[2][2][2] = {
        {{"rolled up", "join"}, {"drilldown", "drilldown+join"}},
        {{"cut", "cut+join"}, {"cut+drilldown", "cut+drilldown+join"}},
    };
    return whys[is_cut][is_drilled][is_mapped];
}

static vc_explain_step describe_step(const vc_plan *plan, const vc_pass *pass, uint32_t kept,
                                     const vc_step *step)
{
    const vc_cube_source *source = &plan->cube->sources[pass->source];
    vc_explain_step out = {.source_dimension = step->tuples != NULL
                                                   ? source->bindings[step->dimension].to_name
                                                   : source->cube->dimension_names[step->column],
                           .nleaves = step->nleaves,
                           .npassing = step->npassing,
                           .ngroups = 1};
    out.how = step->offsets != NULL             ? "relation"
              : step->npassing == step->nleaves ? "all"
              : step->passing == NULL           ? "range"
                                                : "set";
    if (step->dimension == SIZE_MAX) {
        out.dimension = out.source_dimension;
        bool is_over = (pass->over == VC_OVER_LAST || pass->over == VC_OVER_FIRST) &&
                       pass->over_dimension == step->column;
        out.why = step->is_where ? "where" : is_over ? "over" : "fix";
        return out;
    }
    const vc_axis *axis = axis_of(plan, step->dimension, kept);
    out.dimension = plan->cube->dimensions[step->dimension].name;
    out.is_mapped = step->is_mapped;
    if (out.is_mapped) {
        const vc_binding *binding = &source->bindings[step->dimension];
        out.through = through_of(plan, source, step->dimension);
        out.ncollisions = binding->relation->joined_collisions.count +
                          binding->relation->primary_collisions.count;
    }
    out.why = why_of(plan->selections[step->dimension].is_cut, axis != NULL, out.is_mapped);
    if (axis != NULL) {
        out.level = axis->stored->name;
        out.ngroups = axis->ngroups;
    }
    return out;
}

/* ---- scans ---- */

static vc_str name_rows(const vc_plan *plan, uint32_t kept)
{
    vc_str text = VC_STR("totals ");
    if (plan->rows_name.size > 2) /* ", previous in date" */
        return (vc_str){.data = plan->rows_name.data + 2, .size = plan->rows_name.size - 2};
    if (kept == 0) return VC_STR("summary");
    if (kept == (1u << plan->naxes) - 1) return VC_STR("rows");
    for (size_t i = 0, n = 0; i < plan->naxes; i++)
        if (kept >> i & 1)
            text = vc_arena_printf(plan->arena, "%.*s%s%.*s", VC_FMT(text), n++ > 0 ? "," : "",
                                   VC_FMT(plan->axes[i].ref.dimension));
    return text;
}

static vc_status name_measures(const vc_plan *plan, size_t pass, vc_explain_scan *scan,
                               vc_error *error)
{
    vc_str *names = VC_ARENA_NEW(plan->arena, vc_str, plan->nmeasures + 1);
    if (names == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->nmeasures; i++)
        if (plan->measures[i].expr == NULL && plan->measures[i].pass == pass)
            names[scan->nmeasures++] = plan->measures[i].name;
    scan->measures = names;
    return VC_OK;
}

static uint64_t count_found(const vc_cells *cells)
{
    const uint64_t *rows = vc_cells_facts(cells);
    uint64_t nfound = 0;
    for (size_t slot = 0; slot < vc_cells_count(cells); slot++)
        nfound += rows[slot] > 0;
    return nfound;
}

/* Room for one more: tops and functions over members have groupings of their own. */
static vc_status reserve_scan(vc_plan *plan, vc_error *error)
{
    vc_explain *explain = plan->explain;
    if (explain->nscans < plan->max_scans) return VC_OK;
    vc_explain_scan *scans = VC_ARENA_NEW(plan->arena, vc_explain_scan, 2 * plan->max_scans + 1);
    if (scans == NULL) return vc_no_memory(error);
    memcpy(scans, explain->scans, explain->nscans * sizeof *scans);
    explain->scans = scans;
    plan->max_scans = 2 * plan->max_scans + 1;
    return VC_OK;
}

vc_status vc_plan_explain_scan(vc_plan *plan, size_t number, uint32_t kept, const vc_table *table,
                               const vc_scan_stats *stats, const vc_cells *cells, uint64_t ns,
                               vc_error *error)
{
    static const vc_scan_stats none;
    const vc_table *scanned = table->classes != NULL ? table->classes : table;
    const vc_pass *pass = &plan->passes[number];
    const vc_cube_source *source = &plan->cube->sources[pass->source];
    vc_explain *explain = plan->explain;
    vc_status status = reserve_scan(plan->root, error);
    if (status != VC_OK) return status;
    vc_explain_scan *scan = &explain->scans[explain->nscans++];
    /* How much is stored, and where, is not for who does not see all of it. */
    vc_scan_stats seen = stats == NULL ? none : *stats;
    if (plan->cube->is_partial)
        seen.nsegments = seen.nsegments_skipped = seen.nblocks = seen.nblocks_skipped = seen.nrows =
            seen.nrows_scanned = seen.nbytes = 0;
    const vc_scan_stats *of = &seen;
    *scan = (vc_explain_scan){.source = plan->cube->is_virtual ? source->alias : plan->cube->name,
                              .rows = name_rows(plan, kept),
                              .is_derived = stats == NULL,
                              .is_executed = !plan->is_dry,
                              .nsegments = of->nsegments,
                              .nsegments_skipped = of->nsegments_skipped,
                              .nblocks = of->nblocks,
                              .nblocks_skipped = of->nblocks_skipped,
                              .nrows = of->nrows,
                              .nrows_scanned = of->nrows_scanned,
                              .nrows_kept = of->nrows_kept,
                              .nbytes = of->nbytes,
                              .ncells = scanned->ncells,
                              .ncells_found = cells == NULL ? 0 : count_found(cells),
                              .cells = of->is_dense ? "dense" : "hashed",
                              .kernel = vc_cpu_level_name(vc_cpu_get_level()),
                              .nthreads = stats == NULL ? 1 : stats->nthreads,
                              .memory_bytes = of->memory_bytes,
                              .ns = plan->is_dry ? 0 : ns};
    if (stats == NULL && cells != NULL) scan->cells = vc_cells_is_dense(cells) ? "dense" : "hashed";
    if (of->memory_bytes > explain->memory_bytes) explain->memory_bytes = of->memory_bytes;
    scan->steps = VC_ARENA_NEW(plan->arena, vc_explain_step, scanned->nsteps + 1);
    if (scan->steps == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < scanned->nsteps; i++)
        scan->steps[scan->nsteps++] = describe_step(plan, pass, kept, &scanned->steps[i]);
    for (size_t i = 0; i < table->nshares; i++) /* they stand behind the table's own steps */
        scan->steps[table->nsteps + i].how = table->shares[i]->is_lookup ? "lookup" : "parts";
    return name_measures(plan, number, scan, error);
}

/* ---- the whole ---- */

vc_status vc_plan_explain(vc_plan *plan, vc_error *error)
{
    plan->explain = VC_ARENA_NEW(plan->arena, vc_explain, 1);
    if (plan->explain == NULL) return vc_no_memory(error);
    plan->max_scans = (plan->query->ntotals + plan->query->ntops + 2) * plan->npasses;
    plan->explain->scans = VC_ARENA_NEW(plan->arena, vc_explain_scan, plan->max_scans + 1);
    if (plan->explain->scans == NULL) return vc_no_memory(error);
    plan->explain->max_memory_bytes = plan->options->limits.max_memory_bytes;
    plan->explain->is_executed = !plan->is_dry;
    return explain_measures(plan, error);
}
