/* Cells of one grouping: every pass is scanned, and any of its cells can be asked for.
 *
 * Each grouping is computed at its own grain, totals like details: from the facts, or, where that
 * cannot differ, from the cells of finer rows (roll_up.c).
 */
#include "slice/accumulator.h"

/* ---- scanning ---- */

/* The values of a pass whose facts count in parts. */
static vc_status find_spread(vc_grain *grain, size_t number, vc_error *error)
{
    vc_plan *plan = grain->plan;
    const vc_table *table = grain->tables[number];
    vc_scan_stats stats = {0};
    vc_cells *cells = NULL;
    uint64_t begin = vc_plan_now();
    vc_status status = vc_scan_run(plan, &plan->passes[number], table->classes,
                                   plan->is_dry ? NULL : &cells, &stats, error);
    if (status == VC_OK && !plan->is_dry)
        status = vc_distribute(plan, number, table, cells, &grain->spreads[number], error);
    plan->root->scan_ns += vc_plan_now() - begin;
    if (status == VC_OK && plan->explain != NULL)
        status = vc_plan_explain_scan(plan, number, grain->kept, table, &stats, cells,
                                      vc_plan_now() - begin, error);
    vc_cells_free(cells);
    return status;
}

/* The cells of a pass: rolled up from finer ones where that is exact, else scanned. */
static vc_status find_cells(vc_grain *grain, size_t number, const vc_grain *finer, vc_error *error)
{
    vc_plan *plan = grain->plan;
    const vc_pass *pass = &plan->passes[number];
    vc_table *table = grain->tables[number];
    vc_scan_stats stats = {0};
    uint64_t begin = vc_plan_now();
    const vc_set_cells *sets = finer == NULL ? NULL : finer->sets[number];
    bool is_derived = finer != NULL && (finer->cells[number] != NULL || plan->is_dry) &&
                      vc_cells_can_roll_up(plan, pass, finer->tables[number], sets != NULL);
    vc_status status = VC_OK;
    if (table->classes != NULL) return find_spread(grain, number, error);
    if (!is_derived)
        status = vc_scan_run_keeping(plan, pass, table, plan->is_dry ? NULL : &grain->cells[number],
                                     &grain->sets[number], &stats, error);
    else if (!plan->is_dry)
        status = vc_cells_roll_up(plan, pass, finer->tables[number], finer->cells[number], sets,
                                  table, &grain->cells[number], error);
    plan->root->scan_ns += vc_plan_now() - begin;
    if (status == VC_OK && grain->cells[number] != NULL) {
        grain->held_bytes[number] = vc_cells_bytes(grain->cells[number]);
        if (grain->sets[number] != NULL)
            grain->held_bytes[number] += vc_cells_bytes(grain->sets[number]->cells);
        plan->root->held_bytes += grain->held_bytes[number];
    }
    if (status != VC_OK || plan->explain == NULL) return status;
    return vc_plan_explain_scan(plan, number, grain->kept, table, is_derived ? NULL : &stats,
                                grain->cells[number], vc_plan_now() - begin, error);
}

vc_status vc_grain_new(vc_plan *plan, uint32_t kept, vc_grain **grain_out, vc_error *error)
{
    vc_grain *grain = VC_ARENA_NEW(plan->arena, vc_grain, 1);
    if (grain == NULL) return vc_no_memory(error);
    *grain = (vc_grain){.plan = plan,
                        .kept = kept,
                        .tables = VC_ARENA_NEW(plan->arena, vc_table *, plan->npasses + 1),
                        .cells = VC_ARENA_NEW(plan->arena, vc_cells *, plan->npasses + 1),
                        .sets = VC_ARENA_NEW(plan->arena, vc_set_cells *, plan->npasses + 1),
                        .spreads = VC_ARENA_NEW(plan->arena, const vc_spread *, plan->npasses + 1),
                        .held_bytes = VC_ARENA_NEW(plan->arena, uint64_t, plan->npasses + 1),
                        .is_scanned = VC_ARENA_NEW(plan->arena, bool, plan->npasses + 1),
                        .policies = VC_ARENA_NEW(plan->arena, vc_policy, plan->nmeasures + 1)};
    if (grain->tables == NULL || grain->cells == NULL || grain->sets == NULL ||
        grain->spreads == NULL || grain->held_bytes == NULL || grain->is_scanned == NULL ||
        grain->policies == NULL)
        return vc_no_memory(error);
    *grain_out = grain;
    return VC_OK;
}

vc_status vc_grain_find_policy(vc_grain *grain, size_t number, vc_error *error)
{
    const vc_plan_measure *measure = &grain->plan->measures[number];
    vc_policy *policy = &grain->policies[number];
    if (policy->is_known) return VC_OK;
    policy->is_known = true;
    vc_status status = vc_policy_find(grain->plan, grain->kept, measure, policy, error);
    return status == VC_OK ? vc_grain_check_aggregatable(grain, measure, policy, error) : status;
}

vc_status vc_grain_need(vc_grain *grain, size_t measure, const vc_grain *finer, vc_error *error)
{
    const vc_plan *plan = grain->plan;
    const vc_policy *policy = &grain->policies[measure];
    size_t pass = plan->measures[measure].pass;
    vc_status status = vc_grain_find_policy(grain, measure, error);
    if (status == VC_OK && grain->tables[pass] == NULL)
        status = vc_table_make(plan, &plan->passes[pass], grain->kept, &grain->tables[pass], error);
    if (status == VC_IMPOSSIBLE && error != NULL && error->pointer[0] == '\0')
        return vc_error_at_place(error, status, plan->measures[measure].place);
    if (status != VC_OK || grain->is_scanned[pass] || policy->is_unrelated || policy->is_undefined)
        return status;
    grain->is_scanned[pass] = true;
    return find_cells(grain, pass, finer, error);
}

void vc_grain_release(vc_grain *grain)
{
    for (size_t p = 0; grain != NULL && p < grain->plan->npasses; p++) {
        vc_cells_free(grain->cells[p]);
        grain->cells[p] = NULL;
        if (grain->sets[p] != NULL) vc_cells_free(grain->sets[p]->cells);
        grain->sets[p] = NULL;
        grain->plan->root->held_bytes -= grain->held_bytes[p];
        grain->held_bytes[p] = 0;
    }
}

/* ---- cells ---- */

/* Nothing but buckets is left of a dimension that is rolled up and whose real leaves are all out. A
 * dimension without leaves that nobody cuts is only empty: its owner would say so by itself. */
static bool is_bucket_alone(const vc_plan *plan, const vc_pass *pass, size_t dimension)
{
    const vc_cube_dimension *outer = &plan->cube->dimensions[dimension];
    const vc_selection *selection = vc_pass_selection(plan, pass, dimension);
    if (!selection->is_cut && outer->dimension->nleaves == 0) return false;
    for (uint32_t slot = outer->dimension->nleaves; slot < outer->nslots; slot++)
        if (selection->slots == NULL || vc_bit_get(selection->slots, slot)) return true;
    return false;
}

/* Why a cell of a pass cannot have facts, or VC_REASON_NONE: a key that is unmatched on some
 * dimension comes before one that is below the source's grain. */
static vc_reason reach_of(const vc_grain *grain, const vc_pass *pass, const vc_table *table,
                          const uint32_t *groups)
{
    bool is_coarse = false;
    for (size_t d = 0; d < grain->plan->cube->ndimensions; d++) {
        const vc_reach *reach = &table->reaches[d];
        uint32_t group = 0;
        if (!reach->is_bound) continue;
        const vc_axis *axis = NULL;
        for (size_t i = 0; i < grain->plan->naxes; i++)
            if (grain->plan->axes[i].dimension == d && (grain->kept >> i & 1)) {
                axis = &grain->plan->axes[i];
                group = groups[i];
            }
        if (vc_bit_get(reach->mapped, group)) {
            is_coarse |= vc_bit_get(reach->coarse, group);
            continue;
        }
        if (reach->is_relation) return VC_REASON_UNMATCHED;
        /* An identity reaches all but the buckets of others. */
        if (axis != NULL && group >= axis->stored->nmembers) return VC_REASON_UNMATCHED;
        if (axis == NULL && is_bucket_alone(grain->plan, pass, d)) return VC_REASON_UNMATCHED;
    }
    return is_coarse ? VC_REASON_GRAIN : VC_REASON_NONE;
}

/* Does a cell show whole units for parts of them? */
static bool is_repeated(const vc_grain *grain, const vc_table *table, const uint32_t *groups)
{
    for (size_t d = 0; d < grain->plan->cube->ndimensions; d++) {
        const vc_reach *reach = &table->reaches[d];
        uint32_t group = 0;
        if (reach->repeated == NULL) continue;
        for (size_t i = 0; i < grain->plan->naxes; i++)
            if (grain->plan->axes[i].dimension == d && (grain->kept >> i & 1)) group = groups[i];
        if (vc_bit_get(reach->repeated, group)) return true;
    }
    return false;
}

/* The slot of a cell; VC_NONE when no fact fell into its cell. */
static uint32_t find_slot(const vc_grain *grain, const vc_table *table, const vc_cells *cells,
                          const uint32_t *groups)
{
    uint64_t key = 0;
    for (size_t i = 0; i < grain->plan->naxes; i++) {
        if (table->strides[i] == 0) continue;
        uint32_t place = groups[i] - table->firsts[i];
        if (place >= table->spans[i]) return VC_NONE;
        key += place * table->strides[i];
    }
    return vc_cells_find(cells, key);
}

/* A cell of a measure whose values are doubles (the mean of what is looked up), though these are
 * not, where nothing was looked up. */
static void make_double(const vc_grain *grain, const vc_plan_measure *measure, vc_cell *cell)
{
    const vc_pass *pass = &grain->plan->passes[measure->pass];
    const vc_accumulator_spec *spec = &pass->accumulators[measure->accumulator];
    const vc_source_cube *source = grain->plan->cube->sources[pass->source].cube;
    if (cell->is_null || measure->type != VC_VALUE_FLOAT ||
        vc_accumulator_has_doubles(spec, pass->over))
        return;
    bool is_scaled = !vc_is_count(spec->aggregator) && spec->type == VC_VALUE_DECIMAL;
    double unit = is_scaled ? (double)vc_pow10(source->columns[spec->column].scale) : 1;
    cell->as.f = (double)cell->as.i / unit;
}

/* Has a cell all of the members at which the values stand? */
static bool stands_at(const vc_grain *grain, const vc_policy *policy, const uint32_t *groups)
{
    for (size_t i = 0; policy->stands != NULL && i < grain->plan->naxes; i++)
        if (policy->stands[i] != NULL && !vc_bit_get(policy->stands[i], groups[i])) return false;
    return true;
}

vc_status vc_grain_read(const vc_grain *grain, size_t number, const uint32_t *groups, vc_cell *cell,
                        bool *has_facts_out, vc_error *error)
{
    const vc_plan_measure *measure = &grain->plan->measures[number];
    const vc_table *table = grain->tables[measure->pass];
    const vc_policy *policy = &grain->policies[number];
    vc_aggregator aggregator = measure->measure->aggregator;
    *has_facts_out = false;
    if (policy->is_unrelated || !stands_at(grain, policy, groups)) {
        *cell = vc_cell_null(VC_REASON_UNRELATED);
        return VC_OK;
    }
    vc_reason reason = reach_of(grain, &grain->plan->passes[measure->pass], table, groups);
    if (reason == VC_REASON_NONE && policy->is_undefined) reason = VC_REASON_UNDEFINED;
    if (reason != VC_REASON_NONE) {
        *cell = vc_cell_null(reason);
        return VC_OK;
    }
    const vc_spread *spread = grain->spreads[measure->pass];
    uint32_t slot =
        spread != NULL ? VC_NONE : find_slot(grain, table, grain->cells[measure->pass], groups);
    if (spread != NULL) {
        *cell = vc_spread_cell(grain->plan, measure, table, spread, groups, has_facts_out);
    } else if (slot == VC_NONE) {
        bool is_count = aggregator == VC_AGG_COUNT || aggregator == VC_AGG_COUNT_DISTINCT;
        *cell = is_count ? (vc_cell){0} : vc_cell_null(VC_REASON_EMPTY);
    } else {
        *has_facts_out = true;
        vc_status status =
            vc_cells_value(grain->plan, measure, grain->cells[measure->pass], slot, cell, error);
        if (status != VC_OK) return status;
        make_double(grain, measure, cell);
    }
    if (!cell->is_null && (policy->is_repeated || is_repeated(grain, table, groups)))
        cell->reason = VC_REASON_REPEATED;
    return VC_OK;
}
