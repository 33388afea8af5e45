/* having, top, order: which detail rows stay, and in which order.
 *
 * The order of work is that of the semantics (section 11): measure filters, then top, then order.
 * Offset and limit are the engine's last step. Totals are not touched by any of it.
 */
#include "slice/calculated.h"
#include "slice/other.h"
#include "slice/sort.h"

#include <stdlib.h>

struct sort_key {
    bool is_measure;
    size_t number; /* of the measure, or of the axis */
    bool is_descending;
};

struct sorting {
    const vc_plan *plan;
    const vc_rows *rows;
    const struct sort_key *keys;
    size_t nkeys;
};

/* Exact within one measure: integers are not compared as doubles. Nulls come last whichever way. */
static int compare_cells(const vc_plan *plan, size_t measure, const vc_cell *a, const vc_cell *b,
                         bool is_descending)
{
    if (a->is_null || b->is_null) return (int)a->is_null - (int)b->is_null;
    int order;
    if (a->is_float || b->is_float) { /* at a calculated member */
        double x = vc_cell_number(&plan->measures[measure], a).value;
        double y = vc_cell_number(&plan->measures[measure], b).value;
        order = (x > y) - (x < y);
    } else if (plan->measures[measure].type == VC_VALUE_FLOAT)
        order = (a->as.f > b->as.f) - (a->as.f < b->as.f);
    else
        order = (a->as.i > b->as.i) - (a->as.i < b->as.i);
    return is_descending ? -order : order;
}

/* What a group is on one level of its path, as far as the order goes. */
struct step {
    enum { AT_MEMBER, AT_NULL, AT_CALCULATED, AT_BUCKET } kind;
    uint32_t number;
};

/* The step of a group on a level from the top down to its own. A calculated member stands below its
 * parent, beside the members there. */
static struct step find_step(const vc_plan *plan, const vc_axis *axis, uint32_t group,
                             unsigned level)
{
    const vc_level *levels =
        plan->cube->dimensions[axis->dimension].dimension->hierarchies[axis->hierarchy].levels;
    size_t calculated = vc_axis_calculated(axis, group);
    unsigned at = axis->level;
    if (calculated != SIZE_MAX) {
        const vc_calculated *member = &plan->calculated[calculated];
        bool is_below = member->has_parent && level <= member->parent.level;
        if (!is_below) return (struct step){AT_CALCULATED, group};
        at = member->parent.level;
        group = member->parent.member;
    } else if (group >= axis->stored->nmembers) {
        return (struct step){AT_BUCKET, group};
    }
    for (; at > level; at--)
        group = vc_numbers_get(levels[at].parents, group);
    bool is_null = vc_texts_get(&levels[level].keys, group).data == NULL;
    return (struct step){is_null ? AT_NULL : AT_MEMBER, group};
}

/* The last first, but a null key stays last among its siblings, calculated members behind them, and
 * buckets behind all. */
static int compare_descending(const vc_plan *plan, const vc_axis *axis, uint32_t p, uint32_t q)
{
    for (unsigned level = 0; level <= axis->level && p != q; level++) {
        struct step a = find_step(plan, axis, p, level), b = find_step(plan, axis, q, level);
        if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
        if (a.number == b.number) continue;
        int order = a.number < b.number ? -1 : 1;
        return a.kind == AT_MEMBER || a.kind == AT_NULL ? -order : order;
    }
    return 0;
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    const vc_plan *plan = sorting->plan;
    const vc_rows *rows = sorting->rows;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    for (size_t i = 0; i < sorting->nkeys; i++) {
        const struct sort_key *key = &sorting->keys[i];
        int order;
        if (key->is_measure && vc_row_is_other(plan, rows, x) != vc_row_is_other(plan, rows, y)) {
            order = vc_row_is_other(plan, rows, x) ? 1 : -1; /* others are last, both ways */
        } else if (key->is_measure) {
            order =
                compare_cells(plan, key->number, &rows->cells[x * plan->nmeasures + key->number],
                              &rows->cells[y * plan->nmeasures + key->number], key->is_descending);
        } else {
            const vc_axis *axis = &plan->axes[key->number];
            uint32_t p = vc_rows_group(plan, rows, rows->keys[x], key->number);
            uint32_t q = vc_rows_group(plan, rows, rows->keys[y], key->number);
            order = key->is_descending ? compare_descending(plan, axis, p, q)
                                       : (vc_axis_rank(axis, p) > vc_axis_rank(axis, q)) -
                                             (vc_axis_rank(axis, p) < vc_axis_rank(axis, q));
        }
        if (order != 0) return order;
    }
    return (x > y) - (x < y); /* rows are in member order */
}

/* ---- having ---- */

static bool holds(const vc_having *having, double value)
{
    bool is_any = false;
    for (size_t i = 0; i < having->nvalues; i++) {
        double other = having->values[i];
        switch (having->op) {
        case VC_OP_EQ:
        case VC_OP_NE: is_any |= value == other; break;
        case VC_OP_GT: is_any |= value > other; break;
        case VC_OP_GE: is_any |= value >= other; break;
        case VC_OP_LT: is_any |= value < other; break;
        case VC_OP_LE: is_any |= value <= other; break;
        default: break;
        }
    }
    return having->op == VC_OP_NE ? !is_any : is_any;
}

static bool passes(const vc_plan *plan, const vc_having *having, size_t measure,
                   const vc_cell *cells)
{
    const vc_cell *cell = &cells[measure];
    if (having->op == VC_OP_SET) return !cell->is_null;
    if (having->op == VC_OP_NOT_SET) return cell->is_null;
    return !cell->is_null && holds(having, vc_cell_number(&plan->measures[measure], cell).value);
}

static vc_status apply_havings(vc_plan *plan, const vc_rows *rows, uint32_t *order, size_t *nkept,
                               vc_error *error)
{
    for (size_t h = 0; h < plan->query->nhavings; h++) {
        const vc_having *having = &plan->query->havings[h];
        size_t measure, kept = 0;
        vc_status status =
            vc_plan_measure_of(plan, having->measure, having->place, &measure, error);
        if (status != VC_OK) return status;
        for (size_t i = 0; i < *nkept; i++) {
            if ((status = vc_plan_look(plan, i, error)) != VC_OK) return status;
            if (passes(plan, having, measure, &rows->cells[order[i] * plan->nmeasures]))
                order[kept++] = order[i];
        }
        *nkept = kept;
    }
    return VC_OK;
}

/* ---- top ---- */

/* Candidates: the members of the axis, in each combination of the axes before it, of which some row
 * is still in. The key of one is the row's key down to the axis. */
struct ranking {
    const vc_plan *plan;
    size_t axis, measure;
    bool is_descending;
    size_t ncandidates;
    uint64_t *keys;         /* [ncandidates] ascending */
    const vc_cell **cells;  /* [ncandidates] of the measure, at the grain of the axis */
    bool *is_chosen;        /* [ncandidates] */
    uint32_t *candidate_of; /* [kept rows] */
};

static int compare_candidates(const void *a, const void *b, void *context)
{
    const struct ranking *ranking = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = compare_cells(ranking->plan, ranking->measure, ranking->cells[x], ranking->cells[y],
                              ranking->is_descending);
    return order != 0 ? order : (x > y) - (x < y);
}

static vc_status collect_candidates(struct ranking *ranking, vc_plan *plan, const vc_rows *detail,
                                    const uint32_t *order, size_t nkept, vc_error *error)
{
    bool is_last = ranking->axis + 1 == plan->naxes;
    vc_status status = VC_OK;
    vc_rows *rows;
    ranking->keys = VC_ARENA_NEW(plan->arena, uint64_t, nkept + 1);
    ranking->cells = VC_ARENA_NEW(plan->arena, const vc_cell *, nkept + 1);
    ranking->is_chosen = VC_ARENA_NEW(plan->arena, bool, nkept + 1);
    ranking->candidate_of = VC_ARENA_NEW(plan->arena, uint32_t, nkept + 1);
    if (ranking->keys == NULL || ranking->cells == NULL || ranking->is_chosen == NULL ||
        ranking->candidate_of == NULL)
        return vc_no_memory(error);
    for (size_t i = 0; i < nkept; i++) {
        if ((status = vc_plan_look(plan, i, error)) != VC_OK) return status;
        uint64_t key = detail->keys[order[i]] / detail->strides[ranking->axis];
        size_t n = ranking->ncandidates;
        if (n == 0 || ranking->keys[n - 1] != key) ranking->keys[ranking->ncandidates++] = key;
        ranking->candidate_of[i] = (uint32_t)ranking->ncandidates - 1;
        if (is_last)
            ranking->cells[i] = &detail->cells[order[i] * plan->nmeasures + ranking->measure];
    }
    if (is_last) return VC_OK;
    status = vc_stitch_keys(plan, (1u << (ranking->axis + 1)) - 1, ranking->keys,
                            ranking->ncandidates, detail, &rows, error);
    for (size_t i = 0; status == VC_OK && i < ranking->ncandidates; i++) {
        status = vc_plan_look(plan, i, error);
        ranking->cells[i] = &rows->cells[i * plan->nmeasures + ranking->measure];
    }
    return status;
}

static vc_status choose(struct ranking *ranking, uint64_t count, vc_error *error)
{
    size_t n = ranking->ncandidates, nlooked = 0;
    uint64_t ngroups = ranking->plan->axes[ranking->axis].ngroups;
    uint32_t *ranked = vc_arena_alloc(ranking->plan->arena, (n + 1) * sizeof *ranked);
    if (ranked == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < n; i++)
        ranked[i] = (uint32_t)i;
    for (size_t first = 0, end; first < n; first = end) {
        uint64_t combination = ranking->keys[first] / ngroups;
        for (end = first + 1; end < n; end++)
            if (ranking->keys[end] / ngroups != combination) break;
        nlooked += end - first; /* combinations may be many and each of them small */
        vc_status status = VC_OK;
        if (nlooked >= VC_LOOK_ITEMS) {
            nlooked = 0;
            status = vc_plan_check(ranking->plan, error);
        }
        if (status == VC_OK)
            status = vc_sort(ranking->plan, ranked + first, end - first, sizeof *ranked,
                             compare_candidates, ranking, error);
        if (status != VC_OK) return status;
        for (size_t i = first; i < end && i - first < count; i++)
            ranking->is_chosen[ranked[i]] = true;
    }
    return VC_OK;
}

static vc_status take_all(vc_plan *plan, const vc_rows *rows, uint32_t **order_out,
                          size_t *nkept_out, vc_error *error)
{
    uint32_t *order = vc_arena_alloc(plan->arena, (rows->nrows + 1) * sizeof *order);
    if (order == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    for (size_t row = 0; row < rows->nrows && status == VC_OK; row++) {
        status = vc_plan_look(plan, row, error);
        order[row] = (uint32_t)row;
    }
    *order_out = order;
    *nkept_out = rows->nrows;
    return status;
}

/* The n best members of an axis for each combination of the axes before it, by the measure at that
 * grain. When the axis is not the last one, that grain is a grouping of its own. Members of which
 * having or an earlier top has left no row do not take a place. */
static vc_status apply_top(vc_plan *plan, vc_rows **detail_at, const vc_top *top,
                           uint32_t **order_at, size_t *nkept, vc_error *error)
{
    const vc_rows *detail = *detail_at;
    uint32_t *order = *order_at;
    struct ranking ranking = {.plan = plan, .is_descending = !top->is_ascending};
    size_t axis = 0;
    while (axis < plan->naxes && !vc_str_equal(plan->axes[axis].ref.dimension, top->dimension))
        axis++;
    if (axis == plan->naxes) {
        vc_status status =
            vc_fail(error, VC_NOT_FOUND, "unknown_dimension",
                    "top names dimension '%.*s', which is not drilled", VC_FMT(top->dimension));
        return vc_error_at_place(error, status, top->place);
    }
    ranking.axis = axis;
    if (top->has_other && vc_plan_shows_calculated(plan, detail->kept)) {
        vc_status refused =
            vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                    "a top that shows the others does not go with rows of calculated members, "
                    "which are no part of them; cut the ordinary members, or leave ':other' out");
        return vc_error_at_place(error, refused, top->place);
    }
    vc_status status = vc_plan_measure_of(plan, top->measure, top->place, &ranking.measure, error);
    if (status == VC_OK) status = collect_candidates(&ranking, plan, detail, order, *nkept, error);
    if (status == VC_OK) status = choose(&ranking, top->count, error);
    uint32_t *dropped = vc_arena_alloc(plan->arena, (*nkept + 1) * sizeof *dropped);
    if (status != VC_OK || dropped == NULL) return status == VC_OK ? vc_no_memory(error) : status;
    vc_top_split split = {.top = top,
                          .axis = axis,
                          .kept = order,
                          .dropped = dropped,
                          .is_filtered = *nkept < detail->nrows};
    for (size_t i = 0; i < *nkept; i++) {
        if ((status = vc_plan_look(plan, i, error)) != VC_OK) return status;
        if (ranking.is_chosen[ranking.candidate_of[i]])
            order[split.nkept++] = order[i];
        else
            dropped[split.ndropped++] = order[i];
    }
    *nkept = split.nkept;
    if (!top->has_other) return VC_OK;
    status = vc_other_add(plan, detail, &split, detail_at, error);
    return status == VC_OK ? take_all(plan, *detail_at, order_at, nkept, error) : status;
}

/* ---- order ---- */

static vc_status apply_orders(vc_plan *plan, const vc_rows *rows, uint32_t *order, size_t nkept,
                              vc_error *error)
{
    const vc_query *query = plan->query;
    struct sort_key *keys = VC_ARENA_NEW(plan->arena, struct sort_key, query->norders + 1);
    if (keys == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < query->norders; i++) {
        keys[i].is_descending = query->orders[i].is_descending;
        size_t axis = 0;
        while (axis < plan->naxes && !vc_axis_is_named(&plan->axes[axis], query->orders[i].name))
            axis++;
        keys[i].number = axis;
        if (axis < plan->naxes) continue;
        keys[i].is_measure = true;
        vc_status status = vc_plan_measure_of(plan, query->orders[i].name, query->orders[i].place,
                                              &keys[i].number, error);
        if (status != VC_OK) return status;
    }
    struct sorting sorting = {.plan = plan, .rows = rows, .keys = keys, .nkeys = query->norders};
    if (query->norders == 0) return VC_OK;
    return vc_sort(plan, order, nkept, sizeof *order, compare_rows, &sorting, error);
}

vc_status vc_shape(vc_plan *plan, vc_rows **detail, uint32_t **order_out, size_t *nkept_out,
                   vc_error *error)
{
    vc_status status = take_all(plan, *detail, order_out, nkept_out, error);
    if (status == VC_OK) status = apply_havings(plan, *detail, *order_out, nkept_out, error);
    for (size_t i = 0; i < plan->query->ntops && status == VC_OK; i++)
        status = apply_top(plan, detail, &plan->query->tops[i], order_out, nkept_out, error);
    if (status == VC_OK) status = apply_orders(plan, *detail, *order_out, *nkept_out, error);
    return status;
}
