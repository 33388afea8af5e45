/* Rows of one grouping: scan every pass (grain.c), put their cells together by key, and compute
 * what is calculated (calculate.c).
 */
#include "slice/calculated_rows.h"
#include "slice/sort.h"

#include <stdlib.h>
#include <string.h>

/* How many of them are filled before the plan is asked again whether it goes on. */
enum { LOOK_ROWS = 4096 };

/* ---- keys ---- */

uint32_t vc_rows_group(const vc_plan *plan, const vc_rows *rows, uint64_t key, size_t axis)
{
    uint32_t ngroups = plan->axes[axis].ngroups;
    return (uint32_t)(key / rows->strides[axis] % (ngroups > 0 ? ngroups : 1));
}

static vc_status set_strides(vc_stitching *in, vc_error *error)
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

/* How many rows an answer may have. */
static uint64_t max_rows(const vc_plan *plan)
{
    return plan->options->limits.max_cells / (plan->nasked > 0 ? plan->nasked : 1);
}

/* The size of the cross product is known before anything is scanned or allocated. */
static vc_status check_product(const vc_stitching *in, vc_error *error)
{
    uint64_t nrows = 1;
    for (size_t i = 0; i < in->plan->naxes; i++) {
        if (!(in->kept >> i & 1)) continue;
        const vc_axis *axis = &in->plan->axes[i];
        uint64_t ngroups = vc_bits_count(axis->visible, axis->ngroups);
        for (size_t c = 0; axis->is_shown != NULL && c < axis->ncalculated; c++)
            ngroups += axis->is_shown[c];
        if (__builtin_mul_overflow(nrows, ngroups, &nrows)) nrows = UINT64_MAX;
    }
    if (nrows <= max_rows(in->plan)) return VC_OK;
    uint64_t ncells, most = in->plan->options->limits.max_cells;
    bool is_beyond = __builtin_mul_overflow(nrows, in->plan->nasked, &ncells);
    return vc_fail(error, VC_LIMIT, "limit_cells",
                   "all combinations of the drilled members are %s%llu cells, the most is %llu; "
                   "leave out those without values (sparse), or drill fewer dimensions",
                   is_beyond ? "more than " : "",
                   (unsigned long long)(is_beyond ? UINT64_MAX : ncells), (unsigned long long)most);
}

vc_status vc_row_keys_add(vc_arena *arena, vc_row_keys *keys, uint64_t key, vc_error *error)
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
vc_status vc_row_keys_combine(const vc_stitching *in, uint32_t mask, size_t axis, uint64_t key,
                              vc_row_keys *keys, vc_error *error)
{
    while (axis < in->plan->naxes && !(mask >> axis & 1))
        axis++;
    if (axis == in->plan->naxes) {
        vc_status status = vc_plan_look(in->plan, keys->count, error);
        return status == VC_OK ? vc_row_keys_add(in->plan->arena, keys, key, error) : status;
    }
    for (uint32_t group = 0; group < in->plan->axes[axis].ngroups; group++) {
        if (!vc_bit_get(in->plan->axes[axis].visible, group) ||
            (in->only != NULL && in->only[axis] != NULL && !vc_bit_get(in->only[axis], group)))
            continue;
        vc_status status = vc_row_keys_combine(in, mask, axis + 1,
                                               key + group * in->rows->strides[axis], keys, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* The row key of a cell of a pass, with group 0 on the axes that the pass does not know. */
static uint64_t widen_key(const vc_stitching *in, const vc_table *table, uint64_t key)
{
    uint64_t row_key = 0;
    for (size_t i = 0; i < in->plan->naxes; i++)
        if (table->strides[i] > 0) row_key += vc_table_group(table, i, key) * in->rows->strides[i];
    return row_key;
}

/* The rows of a cell of a pass: one for each combination on the axes it does not know. */
static vc_status collect_cell_keys(const vc_stitching *in, const vc_table *table, uint64_t key,
                                   vc_row_keys *keys, vc_error *error)
{
    key = widen_key(in, table, key);
    return table->repeated == 0 ? vc_row_keys_add(in->plan->arena, keys, key, error)
                                : vc_row_keys_combine(in, table->repeated, 0, key, keys, error);
}

/* The groups at which measures of the pass stand, on an axis that it does not know: a policy of one
 * word for all leaves few of them. NULL: there may be rows at all groups. */
static vc_status find_standing(const vc_stitching *in, size_t pass, size_t axis,
                               const uint64_t **groups_out, vc_error *error)
{
    size_t nwords = vc_bits_words(in->plan->axes[axis].ngroups);
    uint64_t *groups = NULL;
    *groups_out = NULL;
    for (size_t m = 0; m < in->plan->nmeasures; m++) {
        const vc_policy *policy = &in->grain->policies[m];
        if (in->plan->measures[m].expr != NULL || in->plan->measures[m].pass != pass ||
            !policy->is_known || policy->is_unrelated)
            continue;
        if (policy->stands == NULL || policy->stands[axis] == NULL) return VC_OK;
        if (groups == NULL) groups = VC_ARENA_NEW(in->plan->arena, uint64_t, nwords + 1);
        if (groups == NULL) return vc_no_memory(error);
        for (size_t w = 0; w < nwords; w++)
            groups[w] |= policy->stands[axis][w];
    }
    *groups_out = groups;
    return VC_OK;
}

vc_status vc_row_keys_of_pass(const vc_stitching *stitching, size_t pass, vc_row_keys *keys,
                              vc_error *error)
{
    const uint64_t *only[VC_MAX_AXES] = {0};
    vc_stitching standing = *stitching, *in = &standing;
    const vc_table *table = in->rows->tables[pass];
    const vc_spread *spread = in->grain->spreads[pass];
    vc_cells *cells = in->grain->cells[pass];
    vc_status status = VC_OK;
    in->only = only;
    for (size_t i = 0; i < in->plan->naxes && status == VC_OK; i++)
        if (table->repeated >> i & 1) status = find_standing(in, pass, i, &only[i], error);
    for (size_t row = 0; spread != NULL && row < spread->nrows && status == VC_OK; row++) {
        status = vc_plan_look(in->plan, row, error);
        if (status == VC_OK) status = collect_cell_keys(in, table, spread->keys[row], keys, error);
    }
    if (cells == NULL || status != VC_OK) return status;
    const uint64_t *rows = vc_cells_rows(cells);
    for (size_t slot = 0; slot < vc_cells_count(cells) && status == VC_OK; slot++) {
        status = vc_plan_look(in->plan, slot, error);
        if (status == VC_OK && rows[slot] > 0)
            status = collect_cell_keys(in, table, vc_cells_key(cells, (uint32_t)slot), keys, error);
    }
    return status;
}

static int compare_keys(const void *a, const void *b, void *context)
{
    (void)context;
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static vc_status sort_keys(const vc_stitching *in, vc_row_keys *keys, vc_error *error)
{
    if (keys->count <= 1) return VC_OK;
    if (in->shows_calculated) return vc_row_keys_sort(in, keys, error);
    return vc_sort(in->plan, keys->items, keys->count, sizeof *keys->items, compare_keys, NULL,
                   error);
}

static vc_status collect_keys(vc_stitching *in, bool is_sparse, vc_error *error)
{
    vc_row_keys keys = {.max = max_rows(in->plan)};
    vc_status status = VC_OK;
    if (in->kept == 0 || !is_sparse)
        status = vc_row_keys_combine(in, in->kept, 0, 0, &keys, error);
    else
        for (size_t p = 0; p < in->plan->npasses && status == VC_OK; p++)
            if (in->grain->cells[p] != NULL || in->grain->spreads[p] != NULL) {
                /* Each pass may bring as many as the answer may hold: equal ones fall together. */
                size_t before = keys.count;
                keys.max += before;
                status = vc_row_keys_of_pass(in, p, &keys, error);
                keys.max -= before;
            }
    if (status == VC_OK && in->shows_calculated)
        status = vc_row_keys_calculated(in, is_sparse, &keys, error);
    if (status == VC_OK) status = sort_keys(in, &keys, error);
    if (status != VC_OK) return status;
    size_t nkeys = 0;
    for (size_t i = 0; i < keys.count; i++) {
        if ((status = vc_plan_look(in->plan, i, error)) != VC_OK) return status;
        if (i == 0 || keys.items[i] != keys.items[i - 1]) keys.items[nkeys++] = keys.items[i];
    }
    if (nkeys > keys.max)
        return vc_fail(error, VC_LIMIT, "limit_cells", "the answer has %zu rows, more than %llu",
                       nkeys, (unsigned long long)keys.max);
    in->rows->keys = keys.items;
    in->rows->nrows = nkeys;
    return VC_OK;
}
/* ---- cells ---- */

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

/* What has facts and no value may still be a part of a total: an operand of an expression without
 * the others, one value of a variance. */
static bool hides_facts(const vc_plan *plan, const vc_row_at *at)
{
    bool may_count = false;
    for (size_t m = 0; m < plan->nasked; m++)
        may_count |= plan->measures[m].expr != NULL || at->cells[m].reason == VC_REASON_UNDEFINED;
    return may_count && at->has_facts && !at->is_calculated;
}

static vc_status fill_rows(vc_stitching *in, bool is_sparse, vc_error *error)
{
    const vc_plan *plan = in->plan;
    vc_rows *rows = in->rows;
    size_t nkept = 0;
    rows->cells = VC_ARENA_NEW(plan->arena, vc_cell, (rows->nrows + 1) * (plan->nmeasures + 1));
    if (rows->cells == NULL) return vc_no_memory(error);
    vc_row_at at = {.grain = in->grain,
                    .frame = in->frame,
                    .groups = VC_ARENA_NEW(plan->arena, uint32_t, plan->naxes + 1),
                    .is_done = VC_ARENA_NEW(plan->arena, bool, plan->nmeasures + 1)};
    if (at.groups == NULL || at.is_done == NULL) return vc_no_memory(error);
    for (size_t row = 0; row < rows->nrows; row++) {
        at.cells = rows->cells + nkept * plan->nmeasures;
        for (size_t i = 0; i < plan->naxes; i++)
            at.groups[i] = (in->kept >> i & 1) ? vc_rows_group(plan, rows, rows->keys[row], i) : 0;
        vc_status status = row % LOOK_ROWS == 0 ? vc_plan_check(plan, error) : VC_OK;
        if (status == VC_OK) status = vc_row_fill(&at, error);
        if (status != VC_OK) return status;
        /* What an expression makes of nulls alone is no row: zn() would fill the grid. */
        if (in->kept != 0 && is_sparse && !(at.has_facts && vc_row_has_value(plan, at.cells))) {
            rows->hides_facts |= hides_facts(plan, &at);
            continue;
        }
        rows->keys[nkept++] = rows->keys[row];
    }
    rows->nrows = nkept;
    return VC_OK;
}

/* wanted: rows by their keys, whatever is in them; NULL: as is_sparse says. */
static vc_status stitch(vc_plan *plan, uint32_t kept, bool is_sparse, const vc_row_keys *wanted,
                        const vc_rows *finer, vc_rows **rows_out, vc_error *error)
{
    vc_rows *rows = VC_ARENA_NEW(plan->arena, vc_rows, 1);
    vc_stitching in = {.plan = plan, .kept = kept, .rows = rows};
    if (rows == NULL) return vc_no_memory(error);
    *rows_out = rows;
    rows->kept = kept;
    vc_status status = set_strides(&in, error);
    if (status == VC_OK && wanted == NULL && !is_sparse) status = check_product(&in, error);
    if (status == VC_OK) status = vc_grain_new(plan, kept, &in.grain, error);
    if (status != VC_OK) return status;
    rows->grain = in.grain;
    rows->passes = in.grain->cells;
    rows->tables = in.grain->tables;
    for (size_t m = 0; m < plan->nmeasures && status == VC_OK; m++)
        if (plan->measures[m].expr == NULL) status = vc_grain_find_policy(in.grain, m, error);
    for (size_t m = 0; m < plan->nmeasures && status == VC_OK; m++)
        if (plan->measures[m].expr == NULL)
            status = vc_grain_need(in.grain, m, finer == NULL ? NULL : finer->grain, error);
    in.shows_calculated = vc_plan_shows_calculated(plan, kept);
    if (status == VC_OK && (plan->ncalls > 0 || in.shows_calculated))
        status = vc_frame_of_rows(plan, in.grain, &in.frame, error);
    if (status == VC_OK && wanted == NULL && !plan->is_dry)
        status = collect_keys(&in, is_sparse, error);
    if (status == VC_OK && wanted != NULL) {
        rows->keys = wanted->items;
        rows->nrows = wanted->count;
    }
    if (status == VC_OK && !plan->is_dry)
        status = fill_rows(&in, is_sparse && wanted == NULL, error);
    if (status != VC_OK) vc_rows_release(rows);
    return status;
}

void vc_rows_release(vc_rows *rows)
{
    if (rows != NULL) vc_grain_release(rows->grain);
}

vc_status vc_stitch(vc_plan *plan, uint32_t kept, bool is_sparse, const vc_rows *finer,
                    vc_rows **rows_out, vc_error *error)
{
    return stitch(plan, kept, is_sparse, NULL, finer, rows_out, error);
}

vc_status vc_stitch_keys(vc_plan *plan, uint32_t kept, uint64_t *keys, size_t nkeys,
                         const vc_rows *finer, vc_rows **rows_out, vc_error *error)
{
    vc_row_keys wanted = {.items = keys, .count = nkeys};
    vc_status status = stitch(plan, kept, false, &wanted, finer, rows_out, error);
    if (status == VC_OK) vc_rows_release(*rows_out);
    return status;
}
