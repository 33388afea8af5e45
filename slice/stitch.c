/* Rows of one grouping: scan every pass, put their cells together by key, say why a cell is null,
 * and compute what is calculated.
 *
 * Each grouping is computed at its own grain, totals like details: from the facts, or, where that
 * cannot differ, from the cells of the rows (roll_up.c).
 */
#include "slice/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct policy {        /* what happens to all cells of a measure in this grouping */
    bool is_unrelated; /* a private dimension of another source: null, reason x */
    bool is_repeated;  /* likewise, but present: reason r */
    bool is_undefined; /* would add up a dimension that has no All: null, reason d */
};

struct stitching {
    vc_plan *plan;
    uint32_t kept;
    vc_rows *rows;
    vc_cells **cells;        /* [npasses] of the rows; NULL: the pass was not needed */
    const vc_rows *finer;    /* rows whose cells may be rolled up, or NULL */
    struct policy *policies; /* [nmeasures] */
    uint32_t *groups;        /* [naxes] of the row at hand */
    bool *is_done;           /* [nmeasures] of the row at hand */
    bool has_facts;          /* some base measure has facts in the row at hand */
};

/* ---- policies ---- */

static vc_status find_policy(const struct stitching *in, const vc_plan_measure *measure,
                             struct policy *policy, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_cube_source *source = &plan->cube->sources[measure->measure->source];
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        if (source->bindings[d].kind != VC_BIND_NONE) continue;
        bool is_asked = plan->selections[d].is_cut;
        for (size_t i = 0; i < plan->naxes; i++)
            is_asked |= plan->axes[i].dimension == d && (in->kept >> i & 1);
        if (!is_asked) continue;
        vc_unrelated word = measure->measure->unrelated != VC_UNRELATED_DEFAULT
                                ? measure->measure->unrelated
                                : source->unrelated[d];
        if (word == VC_UNRELATED_ERROR)
            return vc_fail(error, VC_IMPOSSIBLE, "unrelated",
                           "measure '%.*s' does not know dimension '%.*s'; leave one of them out",
                           VC_FMT(measure->name), VC_FMT(plan->cube->dimensions[d].name));
        policy->is_unrelated |= word != VC_UNRELATED_REPEAT;
        policy->is_repeated |= word == VC_UNRELATED_REPEAT;
    }
    return VC_OK;
}

/* Does the query cut the dimension down to one member of its first level, or part of one? */
static bool is_one_member(const vc_plan *plan, size_t dimension)
{
    const vc_selection *selection = &plan->selections[dimension];
    const vc_dimension *stored = plan->cube->dimensions[dimension].dimension;
    const vc_numbers members = stored->hierarchies[0].levels[0].leaf_members;
    uint32_t found = VC_NONE;
    if (!selection->is_cut) return false;
    for (uint32_t leaf = 0; leaf < stored->nleaves; leaf++) {
        if (!vc_bit_get(selection->slots, leaf)) continue;
        uint32_t member = vc_numbers_get(members, leaf);
        if (found != VC_NONE && member != found) return false;
        found = member;
    }
    return true;
}

/* A dimension without an All cannot be rolled up. (Virtual cubes fix it.) Where the rows themselves
 * leave it open, the query is wrong; in their totals the measure is undefined. */
static vc_status check_aggregatable(const struct stitching *in, const vc_plan_measure *measure,
                                    struct policy *policy, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_cube_source *source = &plan->cube->sources[measure->measure->source];
    for (size_t d = 0; d < plan->cube->ndimensions && !plan->cube->is_virtual; d++) {
        bool is_drilled = false, is_kept = false;
        if (source->cube->is_aggregatable[source->bindings[d].source_dimension]) continue;
        for (size_t i = 0; i < plan->naxes; i++) {
            is_drilled |= plan->axes[i].dimension == d;
            is_kept |= plan->axes[i].dimension == d && (in->kept >> i & 1);
        }
        if (is_kept || is_one_member(plan, d)) continue;
        if (!is_drilled)
            return vc_fail(error, VC_IMPOSSIBLE, "not_aggregatable",
                           "dimension '%.*s' has no All: drill it, or cut one of its members",
                           VC_FMT(plan->cube->dimensions[d].name));
        policy->is_undefined = true;
    }
    return VC_OK;
}

/* ---- scanning ---- */

/* The cells of a pass: rolled up from finer ones where that is exact, else scanned. */
static vc_status find_cells(struct stitching *in, size_t number, vc_error *error)
{
    vc_plan *plan = in->plan;
    const vc_pass *pass = &plan->passes[number];
    const vc_rows *finer = in->finer;
    vc_table *table = in->rows->tables[number];
    vc_scan_stats stats = {0};
    uint64_t begin = vc_plan_now();
    bool is_derived = finer != NULL && (finer->passes[number] != NULL || plan->is_dry) &&
                      vc_cells_can_roll_up(plan, pass, finer->tables[number]);
    vc_status status = VC_OK;
    if (!is_derived)
        status =
            vc_scan_run(plan, pass, table, plan->is_dry ? NULL : &in->cells[number], &stats, error);
    else if (!plan->is_dry)
        status = vc_cells_roll_up(plan, pass, finer->tables[number], finer->passes[number], table,
                                  &in->cells[number], error);
    plan->scan_ns += vc_plan_now() - begin;
    if (status != VC_OK || plan->explain == NULL) return status;
    return vc_plan_explain_scan(plan, number, in->kept, table, is_derived ? NULL : &stats,
                                in->cells[number], vc_plan_now() - begin, error);
}

static vc_status scan_passes(struct stitching *in, vc_error *error)
{
    vc_plan *plan = in->plan;
    vc_status status = VC_OK;
    for (size_t m = 0; m < plan->nmeasures && status == VC_OK; m++) {
        if (plan->measures[m].expr != NULL) continue;
        status = find_policy(in, &plan->measures[m], &in->policies[m], error);
        if (status == VC_OK)
            status = check_aggregatable(in, &plan->measures[m], &in->policies[m], error);
    }
    for (size_t p = 0; p < plan->npasses && status == VC_OK; p++) {
        bool is_needed = false;
        for (size_t m = 0; m < plan->nmeasures; m++)
            is_needed |= plan->measures[m].expr == NULL && plan->measures[m].pass == p &&
                         !in->policies[m].is_unrelated && !in->policies[m].is_undefined;
        status = vc_table_make(plan, &plan->passes[p], in->kept, &in->rows->tables[p], error);
        if (status == VC_OK && is_needed) status = find_cells(in, p, error);
    }
    return status;
}

/* ---- keys ---- */

uint32_t vc_rows_group(const vc_plan *plan, const vc_rows *rows, uint64_t key, size_t axis)
{
    uint32_t ngroups = plan->axes[axis].ngroups;
    return (uint32_t)(key / rows->strides[axis] % (ngroups > 0 ? ngroups : 1));
}

static vc_status set_strides(struct stitching *in, vc_error *error)
{
    uint64_t ncells = 1;
    for (size_t i = in->plan->naxes; i-- > 0;) {
        const vc_axis *axis = &in->plan->axes[i];
        if (!(in->kept >> i & 1)) continue;
        in->rows->strides[i] = ncells;
        if (__builtin_mul_overflow(ncells, (uint64_t)(axis->ngroups > 0 ? axis->ngroups : 1),
                                   &ncells) ||
            ncells > UINT64_MAX / 4)
            return vc_fail(error, VC_LIMIT, "limit_cells",
                           "the drilled dimensions span more than 4.6e18 cells");
    }
    return VC_OK;
}

struct keys {
    uint64_t *items;
    size_t count, capacity;
    uint64_t max;
};

/* How many rows an answer may have. */
static uint64_t max_rows(const vc_plan *plan)
{
    return plan->options->limits.max_cells / (plan->nasked > 0 ? plan->nasked : 1);
}

/* The size of the cross product is known before anything is scanned or allocated. */
static vc_status check_product(const struct stitching *in, vc_error *error)
{
    uint64_t nrows = 1;
    for (size_t i = 0; i < in->plan->naxes; i++) {
        if (!(in->kept >> i & 1)) continue;
        uint64_t ngroups = vc_bits_count(in->plan->axes[i].visible, in->plan->axes[i].ngroups);
        if (__builtin_mul_overflow(nrows, ngroups, &nrows)) nrows = UINT64_MAX;
    }
    if (nrows <= max_rows(in->plan)) return VC_OK;
    return vc_fail(error, VC_LIMIT, "limit_cells",
                   "all combinations of the drilled members are more than %llu cells; leave out "
                   "those without values (sparse), or drill fewer dimensions",
                   (unsigned long long)in->plan->options->limits.max_cells);
}

static vc_status add_key(vc_arena *arena, struct keys *keys, uint64_t key, vc_error *error)
{
    if (keys->count >= keys->max)
        return vc_fail(error, VC_LIMIT, "limit_cells",
                       "the answer has more than %llu cells; drill fewer dimensions or cut more",
                       (unsigned long long)keys->max);
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity == 0 ? 256 : keys->capacity * 2;
        uint64_t *items = vc_arena_alloc(arena, capacity * sizeof *items);
        if (items == NULL) return vc_no_memory(error);
        if (keys->count > 0) memcpy(items, keys->items, keys->count * sizeof *items);
        keys->items = items;
        keys->capacity = capacity;
    }
    keys->items[keys->count++] = key;
    return VC_OK;
}

/* Add a key for each combination of visible groups on the axes of `mask`, from `axis` on. */
static vc_status add_combinations(const struct stitching *in, uint32_t mask, size_t axis,
                                  uint64_t key, struct keys *keys, vc_error *error)
{
    while (axis < in->plan->naxes && !(mask >> axis & 1))
        axis++;
    if (axis == in->plan->naxes) return add_key(in->plan->arena, keys, key, error);
    for (uint32_t group = 0; group < in->plan->axes[axis].ngroups; group++) {
        if (!vc_bit_get(in->plan->axes[axis].visible, group)) continue;
        vc_status status = add_combinations(in, mask, axis + 1,
                                            key + group * in->rows->strides[axis], keys, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* The row key of a cell of a pass, with group 0 on the axes that the pass does not know. */
static uint64_t widen_key(const struct stitching *in, const vc_table *table, uint64_t key)
{
    uint64_t row_key = 0;
    for (size_t i = 0; i < in->plan->naxes; i++)
        if (table->strides[i] > 0) row_key += vc_table_group(table, i, key) * in->rows->strides[i];
    return row_key;
}

static vc_status collect_pass_keys(const struct stitching *in, size_t pass, struct keys *keys,
                                   vc_error *error)
{
    const vc_table *table = in->rows->tables[pass];
    const uint64_t *rows = vc_cells_rows(in->cells[pass]);
    for (size_t slot = 0; slot < vc_cells_count(in->cells[pass]); slot++) {
        if (rows[slot] == 0) continue;
        uint64_t key = widen_key(in, table, vc_cells_key(in->cells[pass], (uint32_t)slot));
        vc_status status = table->repeated == 0
                               ? add_key(in->plan->arena, keys, key, error)
                               : add_combinations(in, table->repeated, 0, key, keys, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static vc_status collect_keys(struct stitching *in, bool is_sparse, vc_error *error)
{
    struct keys keys = {.max = max_rows(in->plan)};
    vc_status status = VC_OK;
    if (in->kept == 0 || !is_sparse)
        status = add_combinations(in, in->kept, 0, 0, &keys, error);
    else
        for (size_t p = 0; p < in->plan->npasses && status == VC_OK; p++)
            if (in->cells[p] != NULL) {
                /* Each pass may bring as many as the answer may hold: equal ones fall together. */
                size_t before = keys.count;
                keys.max += before;
                status = collect_pass_keys(in, p, &keys, error);
                keys.max -= before;
            }
    if (status != VC_OK) return status;
    if (keys.count > 1) qsort(keys.items, keys.count, sizeof *keys.items, compare_keys);
    size_t nkeys = 0;
    for (size_t i = 0; i < keys.count; i++)
        if (i == 0 || keys.items[i] != keys.items[i - 1]) keys.items[nkeys++] = keys.items[i];
    if (nkeys > keys.max)
        return vc_fail(error, VC_LIMIT, "limit_cells", "the answer has %zu rows, more than %llu",
                       nkeys, (unsigned long long)keys.max);
    in->rows->keys = keys.items;
    in->rows->nrows = nkeys;
    return VC_OK;
}

/* ---- cells ---- */

static vc_cell null_cell(vc_reason reason)
{
    return (vc_cell){.is_null = true, .reason = (char)reason};
}

/* Nothing but buckets is left of a dimension that is rolled up and whose real leaves are all out. A
 * dimension without leaves that nobody cuts is only empty: its owner would say so by itself. */
static bool is_bucket_alone(const vc_plan *plan, size_t dimension)
{
    const vc_cube_dimension *outer = &plan->cube->dimensions[dimension];
    const vc_selection *selection = &plan->selections[dimension];
    if (!selection->is_cut && outer->dimension->nleaves == 0) return false;
    for (uint32_t slot = outer->dimension->nleaves; slot < outer->nslots; slot++)
        if (selection->slots == NULL || vc_bit_get(selection->slots, slot)) return true;
    return false;
}

/* Why a cell of a pass cannot have facts, or VC_REASON_NONE: a key that is unmatched on some
 * dimension comes before one that is below the source's grain. */
static vc_reason reach_of(const struct stitching *in, const vc_table *table)
{
    bool is_coarse = false;
    for (size_t d = 0; d < in->plan->cube->ndimensions; d++) {
        const vc_reach *reach = &table->reaches[d];
        uint32_t group = 0;
        if (!reach->is_bound) continue;
        const vc_axis *axis = NULL;
        for (size_t i = 0; i < in->plan->naxes; i++)
            if (in->plan->axes[i].dimension == d && (in->kept >> i & 1)) {
                axis = &in->plan->axes[i];
                group = in->groups[i];
            }
        if (vc_bit_get(reach->mapped, group)) {
            is_coarse |= vc_bit_get(reach->coarse, group);
            continue;
        }
        if (reach->is_relation) return VC_REASON_UNMATCHED;
        /* An identity reaches all but the buckets of others. */
        if (axis != NULL && group >= axis->stored->nmembers) return VC_REASON_UNMATCHED;
        if (axis == NULL && is_bucket_alone(in->plan, d)) return VC_REASON_UNMATCHED;
    }
    return is_coarse ? VC_REASON_GRAIN : VC_REASON_NONE;
}

/* The slot of the row at hand; VC_NONE when no fact fell into its cell. */
static uint32_t find_slot(const struct stitching *in, const vc_table *table, const vc_cells *cells)
{
    uint64_t key = 0;
    for (size_t i = 0; i < in->plan->naxes; i++) {
        if (table->strides[i] == 0) continue;
        uint32_t place = in->groups[i] - table->firsts[i];
        if (place >= table->spans[i]) return VC_NONE;
        key += place * table->strides[i];
    }
    return vc_cells_find(cells, key);
}

static vc_status base_cell(struct stitching *in, size_t number, vc_cell *cell, vc_error *error)
{
    const vc_plan_measure *measure = &in->plan->measures[number];
    const vc_table *table = in->rows->tables[measure->pass];
    const struct policy *policy = &in->policies[number];
    vc_aggregator aggregator = measure->measure->aggregator;
    if (policy->is_unrelated) {
        *cell = null_cell(VC_REASON_UNRELATED);
        return VC_OK;
    }
    vc_reason reason = reach_of(in, table);
    if (reason == VC_REASON_NONE && policy->is_undefined) reason = VC_REASON_UNDEFINED;
    if (reason != VC_REASON_NONE) {
        *cell = null_cell(reason);
        return VC_OK;
    }
    uint32_t slot = find_slot(in, table, in->cells[measure->pass]);
    if (slot == VC_NONE) {
        bool is_count = aggregator == VC_AGG_COUNT || aggregator == VC_AGG_COUNT_DISTINCT;
        *cell = is_count ? (vc_cell){0} : null_cell(VC_REASON_EMPTY);
    } else {
        in->has_facts = true;
        vc_accumulator accumulator =
            vc_cells_read(in->cells[measure->pass], measure->accumulator, slot);
        vc_status status = vc_accumulator_cell(in->plan, measure, &accumulator, cell, error);
        if (status != VC_OK) return status;
    }
    if (!cell->is_null && policy->is_repeated) cell->reason = VC_REASON_REPEATED;
    return VC_OK;
}

static vc_number to_number(const vc_plan_measure *measure, const vc_cell *cell)
{
    vc_number number = {.is_null = cell->is_null, .reason = cell->reason};
    if (cell->is_null) return number;
    if (measure->type == VC_VALUE_FLOAT)
        number.value = cell->as.f;
    else
        number.value = (double)cell->as.i / (double)vc_pow10(measure->scale);
    return number;
}

static vc_status fill_cell(struct stitching *in, size_t number, vc_cell *cells, vc_error *error)
{
    const vc_plan_measure *measure = &in->plan->measures[number];
    if (in->is_done[number]) return VC_OK;
    in->is_done[number] = true;
    if (measure->expr == NULL) return base_cell(in, number, &cells[number], error);
    vc_number operands[256];
    if (measure->noperands > sizeof operands / sizeof operands[0])
        return vc_fail(error, VC_LIMIT, "limit_measures",
                       "measure '%.*s' is computed from more than 256 others",
                       VC_FMT(measure->name));
    for (size_t i = 0; i < measure->noperands; i++) {
        size_t operand = measure->operands[i];
        vc_status status = fill_cell(in, operand, cells, error);
        if (status != VC_OK) return status;
        operands[i] = to_number(&in->plan->measures[operand], &cells[operand]);
    }
    vc_number value = vc_expr_evaluate(measure->expr, operands);
    if (!value.is_null && !isfinite(value.value))
        value = (vc_number){.is_null = true, .reason = VC_REASON_UNDEFINED};
    cells[number] = (vc_cell){.is_null = value.is_null, .reason = value.reason};
    cells[number].as.f = value.is_null ? 0 : value.value;
    return VC_OK;
}

bool vc_row_has_value(const vc_plan *plan, const vc_cell *cells)
{
    for (size_t m = 0; m < plan->nasked; m++) {
        const vc_cube_measure *measure = plan->measures[m].measure;
        bool is_count = measure != NULL && (measure->aggregator == VC_AGG_COUNT ||
                                            measure->aggregator == VC_AGG_COUNT_DISTINCT);
        if (!cells[m].is_null && !(is_count && cells[m].as.i == 0)) return true;
    }
    return false;
}

static vc_status fill_rows(struct stitching *in, bool is_sparse, vc_error *error)
{
    const vc_plan *plan = in->plan;
    vc_rows *rows = in->rows;
    size_t nkept = 0;
    rows->cells = VC_ARENA_NEW(plan->arena, vc_cell, (rows->nrows + 1) * (plan->nmeasures + 1));
    if (rows->cells == NULL) return vc_no_memory(error);
    for (size_t row = 0; row < rows->nrows; row++) {
        vc_cell *cells = rows->cells + nkept * plan->nmeasures;
        for (size_t i = 0; i < plan->naxes; i++)
            in->groups[i] = (in->kept >> i & 1) ? vc_rows_group(plan, rows, rows->keys[row], i) : 0;
        memset(in->is_done, 0, plan->nmeasures * sizeof *in->is_done);
        in->has_facts = false;
        for (size_t m = 0; m < plan->nmeasures; m++) {
            vc_status status = fill_cell(in, m, cells, error);
            if (status != VC_OK) return status;
        }
        /* What an expression makes of nulls alone is no row: zn() would fill the grid. */
        if (in->kept != 0 && is_sparse && !(in->has_facts && vc_row_has_value(plan, cells)))
            continue;
        rows->keys[nkept++] = rows->keys[row];
    }
    rows->nrows = nkept;
    return VC_OK;
}

/* wanted: rows by their keys, whatever is in them; NULL: as is_sparse says. */
static vc_status stitch(vc_plan *plan, uint32_t kept, bool is_sparse, const struct keys *wanted,
                        const vc_rows *finer, vc_rows **rows_out, vc_error *error)
{
    vc_arena *arena = plan->arena;
    vc_rows *rows = VC_ARENA_NEW(arena, vc_rows, 1);
    struct stitching in = {.plan = plan,
                           .kept = kept,
                           .rows = rows,
                           .finer = finer,
                           .cells = VC_ARENA_NEW(arena, vc_cells *, plan->npasses + 1),
                           .policies = VC_ARENA_NEW(arena, struct policy, plan->nmeasures + 1),
                           .groups = VC_ARENA_NEW(arena, uint32_t, plan->naxes + 1),
                           .is_done = VC_ARENA_NEW(arena, bool, plan->nmeasures + 1)};
    if (rows == NULL || in.cells == NULL || in.policies == NULL || in.groups == NULL ||
        in.is_done == NULL)
        return vc_no_memory(error);
    rows->kept = kept;
    rows->passes = in.cells;
    rows->tables = VC_ARENA_NEW(arena, vc_table *, plan->npasses + 1);
    if (rows->tables == NULL) return vc_no_memory(error);
    vc_status status = set_strides(&in, error);
    if (status == VC_OK && wanted == NULL && !is_sparse) status = check_product(&in, error);
    if (status == VC_OK) status = scan_passes(&in, error);
    if (status == VC_OK && wanted == NULL && !plan->is_dry)
        status = collect_keys(&in, is_sparse, error);
    if (status == VC_OK && wanted != NULL) {
        rows->keys = wanted->items;
        rows->nrows = wanted->count;
    }
    if (status == VC_OK && !plan->is_dry)
        status = fill_rows(&in, is_sparse && wanted == NULL, error);
    if (status != VC_OK) vc_rows_release(plan, rows);
    *rows_out = rows;
    return status;
}

void vc_rows_release(const vc_plan *plan, vc_rows *rows)
{
    for (size_t p = 0; rows != NULL && p < plan->npasses; p++) {
        vc_cells_free(rows->passes[p]);
        rows->passes[p] = NULL;
    }
}

vc_status vc_stitch(vc_plan *plan, uint32_t kept, bool is_sparse, const vc_rows *finer,
                    vc_rows **rows_out, vc_error *error)
{
    return stitch(plan, kept, is_sparse, NULL, finer, rows_out, error);
}

vc_status vc_stitch_keys(vc_plan *plan, uint32_t kept, uint64_t *keys, size_t nkeys,
                         const vc_rows *finer, vc_rows **rows_out, vc_error *error)
{
    struct keys wanted = {.items = keys, .count = nkeys};
    vc_status status = stitch(plan, kept, false, &wanted, finer, rows_out, error);
    if (status == VC_OK) vc_rows_release(plan, *rows_out);
    return status;
}
