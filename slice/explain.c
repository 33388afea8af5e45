/* What explain tells before anything is scanned, and the memory that a plan needs at most.
 *
 * Every part of a scan has cells of its own: those of the grid, but all parts together no more than
 * the source has facts (a ragged join may give a fact several cells, so there it is the grid), and
 * no part more than the engine makes. The passes of a grouping are kept until they are stitched.
 */
#include "slice/plan.h"

#include "base/cpu.h"

#include <string.h>

enum {
    CELL_BYTES = 24, /* number of facts, key, and its share of a table */
    BLOCK_ROWS = 4096,
    MAX_PARTS = 16,
};

struct explaining {
    vc_plan *plan;
    vc_arena *arena;
    vc_explain *explain;
};

/* ---- estimates ---- */

static bool has_ragged_join(const vc_plan *plan, const vc_pass *pass)
{
    const vc_cube_source *source = &plan->cube->sources[pass->source];
    for (size_t d = 0; d < plan->cube->ndimensions; d++)
        if (source->bindings[d].kind == VC_BIND_RELATION &&
            source->bindings[d].relation->units == NULL)
            return true;
    return false;
}

/* Cells of the grid of a pass; UINT64_MAX: more than that. */
static uint64_t grid_of(const vc_plan *plan, const vc_pass *pass, uint32_t kept)
{
    const vc_cube_source *source = &plan->cube->sources[pass->source];
    uint64_t ncells = 1;
    for (size_t i = 0; i < plan->naxes; i++) {
        const vc_axis *axis = &plan->axes[i];
        if (!(kept >> i & 1) || source->bindings[axis->dimension].kind == VC_BIND_NONE) continue;
        if (axis->ngroups > 0 && __builtin_mul_overflow(ncells, (uint64_t)axis->ngroups, &ncells))
            return UINT64_MAX;
    }
    return ncells;
}

static uint64_t bytes_of(const vc_plan *plan, const vc_pass *pass, uint32_t kept)
{
    const vc_source_cube *cube = plan->cube->sources[pass->source].cube;
    uint64_t ncells = grid_of(plan, pass, kept), bytes;
    uint64_t nparts = cube->nsegments < 1           ? 1
                      : cube->nsegments > MAX_PARTS ? MAX_PARTS
                                                    : cube->nsegments;
    if (plan->options->limits.max_cells < ncells) ncells = plan->options->limits.max_cells;
    if (__builtin_mul_overflow(ncells, nparts, &ncells)) ncells = UINT64_MAX;
    /* The parts' cells together, and then once more those of the whole. */
    if (!has_ragged_join(plan, pass) && 2 * cube->nrows < ncells) ncells = 2 * cube->nrows;
    if (__builtin_mul_overflow(ncells, CELL_BYTES + pass->naccumulators * sizeof(vc_accumulator),
                               &bytes))
        return UINT64_MAX;
    return bytes;
}

static uint32_t all_axes(const vc_plan *plan)
{
    return plan->naxes == 0 ? 0 : (uint32_t)((1u << plan->naxes) - 1);
}

/* Of the rows, which have the most cells of all groupings. */
static uint64_t plan_bytes(const vc_plan *plan)
{
    uint64_t bytes = 0;
    for (size_t p = 0; p < plan->npasses; p++)
        if (__builtin_add_overflow(bytes, bytes_of(plan, &plan->passes[p], all_axes(plan)), &bytes))
            return UINT64_MAX;
    return bytes;
}

vc_status vc_plan_check_memory(const vc_plan *plan, vc_error *error)
{
    uint64_t bytes = plan_bytes(plan), limit = plan->options->limits.max_memory_bytes;
    if (bytes <= limit) return VC_OK;
    return vc_fail(error, VC_LIMIT, "limit_memory",
                   "the query may need %llu bytes of memory, the limit is %llu; cut more, or drill "
                   "fewer dimensions",
                   (unsigned long long)bytes, (unsigned long long)limit);
}

/* ---- measures ---- */

static vc_str stored_expr(const vc_cube *cube, vc_str name)
{
    const vc_definition *definition = cube->definition;
    size_t count =
        cube->is_virtual ? definition->as.virtual_cube.nmeasures : definition->as.cube.nmeasures;
    const vc_measure_def *measures =
        cube->is_virtual ? definition->as.virtual_cube.measures : definition->as.cube.measures;
    for (size_t i = 0; i < count; i++)
        if (vc_str_equal(measures[i].name, name)) return measures[i].expr;
    return (vc_str){0};
}

static vc_str expr_of(const vc_plan *plan, const vc_plan_measure *measure)
{
    if (measure->measure != NULL) return stored_expr(plan->cube, measure->name);
    for (size_t i = 0; i < plan->query->nmeasures; i++)
        if (vc_str_equal(plan->query->measures[i].name, measure->name))
            return plan->query->measures[i].expr;
    return measure->name; /* of having, top or order: its name is its text */
}

/* The policy for the dimensions that the query names and the source does not have. Null wins. */
static const char *policy_of(const vc_plan *plan, const vc_cube_measure *measure)
{
    const vc_cube_source *source = &plan->cube->sources[measure->source];
    const char *policy = NULL;
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        bool is_asked = plan->selections[d].is_cut;
        for (size_t i = 0; i < plan->naxes; i++)
            is_asked |= plan->axes[i].dimension == d;
        if (!is_asked || source->bindings[d].kind != VC_BIND_NONE) continue;
        vc_unrelated word =
            measure->unrelated != VC_UNRELATED_DEFAULT ? measure->unrelated : source->unrelated[d];
        if (word == VC_UNRELATED_REPEAT && policy == NULL) policy = "repeat";
        if (word != VC_UNRELATED_REPEAT) policy = "null";
    }
    return policy;
}

static vc_status explain_measures(struct explaining *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    vc_explain_measure *measures = VC_ARENA_NEW(in->arena, vc_explain_measure, plan->nmeasures + 1);
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
    in->explain->measures = measures;
    in->explain->nmeasures = plan->nmeasures;
    return VC_OK;
}

/* ---- steps ---- */

/* The pairs of indexes by which a source joins along one of its dimensions. */
static vc_str through_of(const struct explaining *in, const vc_cube_source *source, size_t column)
{
    vc_str text = {0};
    const vc_source_def *definition = source->definition;
    for (size_t i = 0; definition != NULL && i < definition->join.non; i++) {
        const vc_on_def *on = &definition->join.on[i];
        if (!vc_str_equal(on->to_dim, source->cube->dimension_names[column])) continue;
        text = vc_arena_printf(in->arena, "%.*s%s%.*s.%.*s = %.*s.%.*s", VC_FMT(text),
                               text.size > 0 ? " and " : "", VC_FMT(on->dim), VC_FMT(on->index),
                               VC_FMT(on->to_dim), VC_FMT(on->to_index));
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

/* How many leaves of the source's dimension a step lets through. */
static uint64_t count_passing(const vc_step *step)
{
    uint64_t count = 0;
    for (uint32_t leaf = 0; leaf < step->nleaves; leaf++)
        count += step->groups != NULL ? step->groups[leaf] != VC_NONE
                                      : step->offsets[leaf] < step->offsets[leaf + 1];
    return count;
}

/* What the table says of one of its steps. dimension: of the cube; SIZE_MAX: a fix, or the leaves
 * that are last or first. */
static vc_explain_step describe_step(const struct explaining *in, const vc_cube_source *source,
                                     uint32_t kept, const vc_step *step, size_t dimension)
{
    const vc_cube *cube = in->plan->cube;
    vc_explain_step out = {.source_dimension = source->cube->dimension_names[step->column],
                           .nleaves = step->nleaves,
                           .npassing = count_passing(step),
                           .ngroups = 1};
    out.how = out.npassing == out.nleaves ? "all" : "set";
    if (step->groups == NULL) out.how = "relation";
    if (dimension == SIZE_MAX) {
        out.dimension = out.source_dimension;
        out.why = step->groups == NULL ? "over" : "fix";
        return out;
    }
    const vc_axis *axis = axis_of(in->plan, dimension, kept);
    out.dimension = cube->dimensions[dimension].name;
    out.is_mapped = source->bindings[dimension].kind == VC_BIND_RELATION;
    if (out.is_mapped) out.through = through_of(in, source, step->column);
    out.why = why_of(in->plan->selections[dimension].is_cut, axis != NULL, out.is_mapped);
    if (axis != NULL) {
        out.level = axis->stored->name;
        out.ngroups = axis->ngroups;
    }
    return out;
}

/* The steps of a table stand in the order of the cube's dimensions; then come fixes and `over`. A
 * dimension that is neither cut, drilled nor mapped has none. */
static vc_status explain_steps(const struct explaining *in, const vc_pass *pass, uint32_t kept,
                               const vc_table *table, vc_explain_scan *scan, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_cube_source *source = &plan->cube->sources[pass->source];
    scan->steps = VC_ARENA_NEW(in->arena, vc_explain_step, table->nsteps + 1);
    if (scan->steps == NULL) return vc_no_memory(error);
    for (size_t d = 0; d < plan->cube->ndimensions && scan->nsteps < table->nsteps; d++) {
        const vc_binding *binding = &source->bindings[d];
        bool has_step = binding->kind == VC_BIND_RELATION ||
                        (binding->kind == VC_BIND_IDENTITY &&
                         (axis_of(plan, d, kept) != NULL || plan->selections[d].slots != NULL));
        if (!has_step) continue;
        scan->steps[scan->nsteps] = describe_step(in, source, kept, &table->steps[scan->nsteps], d);
        scan->nsteps++;
    }
    for (; scan->nsteps < table->nsteps; scan->nsteps++)
        scan->steps[scan->nsteps] =
            describe_step(in, source, kept, &table->steps[scan->nsteps], SIZE_MAX);
    return VC_OK;
}

/* ---- scans ---- */

static vc_str name_rows(const struct explaining *in, uint32_t kept)
{
    const vc_plan *plan = in->plan;
    vc_str text = VC_STR("totals ");
    if (kept == all_axes(plan)) return VC_STR("rows");
    if (kept == 0) return VC_STR("summary");
    for (size_t i = 0, n = 0; i < plan->naxes; i++)
        if (kept >> i & 1)
            text = vc_arena_printf(in->arena, "%.*s%s%.*s", VC_FMT(text), n++ > 0 ? "," : "",
                                   VC_FMT(plan->axes[i].ref.dimension));
    return text;
}

static vc_status name_measures(const struct explaining *in, size_t pass, vc_explain_scan *scan,
                               vc_error *error)
{
    const vc_plan *plan = in->plan;
    vc_str *names = VC_ARENA_NEW(in->arena, vc_str, plan->nmeasures + 1);
    if (names == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->nmeasures; i++)
        if (plan->measures[i].expr == NULL && plan->measures[i].pass == pass)
            names[scan->nmeasures++] = plan->measures[i].name;
    scan->measures = names;
    return VC_OK;
}

static vc_status explain_scan(const struct explaining *in, size_t number, uint32_t kept,
                              vc_explain_scan *scan, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_pass *pass = &plan->passes[number];
    const vc_cube_source *source = &plan->cube->sources[pass->source];
    vc_table *table;
    vc_status status = vc_table_make(plan, pass, kept, &table, error);
    if (status != VC_OK) return status;
    uint64_t nblocks = (source->cube->nrows + BLOCK_ROWS - 1) / BLOCK_ROWS;
    *scan = (vc_explain_scan){
        .source = plan->cube->is_virtual ? source->alias : plan->cube->name,
        .rows = name_rows(in, kept),
        .nsegments = source->cube->nsegments,
        .nblocks = nblocks,
        .nrows = source->cube->nrows,
        .nrows_scanned = source->cube->nrows,
        .ncells = grid_of(plan, pass, kept),
        .kernel = vc_cpu_level_name(VC_CPU_PORTABLE),
        .nthreads = plan->options->pool == NULL ? 1 : vc_pool_nthreads(plan->options->pool),
        .memory_bytes = bytes_of(plan, pass, kept)};
    /* Leaves are at most 4 bytes wide, values 8. */
    scan->nbytes = scan->nrows * (4 * table->nsteps + 8 * pass->naccumulators);
    status = name_measures(in, number, scan, error);
    return status == VC_OK ? explain_steps(in, pass, kept, table, scan, error) : status;
}

/* The axes that a grouping of the query keeps. Names that are not drilled are for the engine. */
static uint32_t kept_by(const vc_plan *plan, const vc_total *total)
{
    uint32_t kept = 0;
    for (size_t i = 0; i < total->ndimensions; i++)
        for (size_t axis = 0; axis < plan->naxes; axis++)
            if (vc_axis_is_named(&plan->axes[axis], total->dimensions[i])) kept |= 1u << axis;
    return kept;
}

static vc_status explain_scans(struct explaining *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    size_t ngroupings = 0, max = (plan->query->ntotals + 2) * plan->npasses;
    uint32_t *groupings = VC_ARENA_NEW(in->arena, uint32_t, plan->query->ntotals + 2);
    in->explain->scans = VC_ARENA_NEW(in->arena, vc_explain_scan, max + 1);
    if (groupings == NULL || in->explain->scans == NULL) return vc_no_memory(error);
    groupings[ngroupings++] = all_axes(plan);
    if (plan->naxes > 0) groupings[ngroupings++] = 0;
    for (size_t i = 0; i < plan->query->ntotals; i++) {
        uint32_t kept = kept_by(plan, &plan->query->totals[i]);
        if (kept != 0) groupings[ngroupings++] = kept;
    }
    for (size_t g = 0; g < ngroupings; g++)
        for (size_t p = 0; p < plan->npasses; p++) {
            vc_explain_scan *scan = &in->explain->scans[in->explain->nscans++];
            vc_status status = explain_scan(in, p, groupings[g], scan, error);
            if (status != VC_OK) return status;
        }
    return VC_OK;
}

/* ---- the whole ---- */

vc_status vc_plan_explain(vc_plan *plan, vc_explain **explain_out, vc_error *error)
{
    struct explaining in = {
        .plan = plan, .arena = plan->arena, .explain = VC_ARENA_NEW(plan->arena, vc_explain, 1)};
    if (in.explain == NULL) return vc_no_memory(error);
    vc_status status = explain_measures(&in, error);
    if (status == VC_OK) status = explain_scans(&in, error);
    in.explain->memory_bytes = plan_bytes(plan);
    in.explain->max_memory_bytes = plan->options->limits.max_memory_bytes;
    *explain_out = in.explain;
    return status;
}
