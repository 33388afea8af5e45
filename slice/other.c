#include "slice/other.h"

#include "slice/narrow.h"

#include <string.h>

struct adding {
    vc_plan *plan;
    const vc_rows *detail;
    const vc_top_split *split;
    vc_plan *narrowed; /* sees what the others have */
    vc_rows *others;   /* over all axes but the top's */
    vc_rows *rows;     /* the result */
};

/* What is left out: the rows that were dropped; or where nothing had been left out before, all but
 * the kept members, whether they have rows or not. */
static vc_status narrow(struct adding *in, uint32_t kept, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_top_split *split = in->split;
    const uint32_t *of = split->is_filtered ? split->dropped : split->kept;
    vc_narrowing narrowing = {.axes = (uint32_t)((1u << (split->axis + 1)) - 1),
                              .count = split->nkept,
                              .is_complement = true,
                              .cut_axis = split->axis,
                              .kept = kept,
                              .place = split->top->place};
    if (split->is_filtered) {
        narrowing.axes = in->detail->kept;
        narrowing.count = split->ndropped;
        narrowing.is_complement = false;
    }
    uint32_t *groups =
        vc_arena_alloc(plan->arena, (narrowing.count * plan->naxes + 1) * sizeof *groups);
    if (groups == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < narrowing.count; i++) {
        vc_status status = vc_plan_look(plan, i, error);
        if (status != VC_OK) return status;
        for (size_t axis = 0; axis < plan->naxes; axis++)
            groups[i * plan->naxes + axis] =
                vc_rows_group(plan, in->detail, in->detail->keys[of[i]], axis);
    }
    narrowing.groups = groups;
    return vc_plan_narrow(plan, &narrowing, &in->narrowed, error);
}

/* Take note of the groups that some row of others stands for: what was dropped, or all visible ones
 * but those that every combination keeps. */
static vc_status mark_others(struct adding *in, vc_error *error)
{
    const vc_top_split *split = in->split;
    vc_axis *axis = &in->plan->axes[split->axis];
    uint64_t ncombinations = 0, span = in->detail->strides[split->axis] * axis->ngroups;
    uint64_t *others = VC_ARENA_NEW(in->plan->arena, uint64_t, vc_bits_words(axis->ngroups) + 1);
    uint64_t *seen = VC_ARENA_NEW(in->plan->arena, uint64_t, (size_t)axis->ngroups * 2 + 1);
    if (others == NULL || seen == NULL) return vc_no_memory(error);
    uint64_t *counts = seen + axis->ngroups, last = UINT64_MAX; /* combinations that keep a group */
    for (size_t i = 0; i < split->nkept; i++) {
        uint64_t key = in->detail->keys[split->kept[i]];
        vc_status status = vc_plan_look(in->plan, i, error);
        if (status != VC_OK) return status;
        uint32_t group = vc_rows_group(in->plan, in->detail, key, split->axis);
        if (key / span != last) ncombinations++;
        last = key / span;
        counts[group] += seen[group] != ncombinations;
        seen[group] = ncombinations;
    }
    for (size_t i = 0; i < split->ndropped && split->is_filtered; i++) {
        vc_status status = vc_plan_look(in->plan, i, error);
        if (status != VC_OK) return status;
        vc_bit_set(others, vc_rows_group(in->plan, in->detail, in->detail->keys[split->dropped[i]],
                                         split->axis));
    }
    for (uint32_t group = 0; group < axis->ngroups && !split->is_filtered; group++)
        if (counts[group] < ncombinations && vc_bit_get(axis->visible, group))
            vc_bit_set(others, group);
    axis->others = others;
    return VC_OK;
}

/* Has a row facts of members that are left out? Not those of a source that does not have the
 * dimension, unless its value stands at one of these members. */
static vc_status has_facts(const struct adding *in, size_t row, uint32_t *groups, bool *has_out,
                           vc_error *error)
{
    const vc_plan *plan = in->narrowed;
    size_t dimension = plan->axes[in->split->axis].dimension;
    *has_out = false;
    for (size_t i = 0; i < plan->naxes; i++)
        groups[i] =
            i == in->split->axis ? 0 : vc_rows_group(plan, in->others, in->others->keys[row], i);
    for (size_t m = 0; m < plan->nmeasures && !*has_out; m++) {
        const vc_plan_measure *measure = &plan->measures[m];
        const vc_standing *standing;
        vc_cell cell;
        if (measure->expr != NULL) continue;
        vc_cube_unrelated(plan->cube, measure->measure, dimension, &standing);
        if (standing == NULL &&
            plan->cube->sources[measure->measure->source].bindings[dimension].kind == VC_BIND_NONE)
            continue;
        vc_status status = vc_grain_read(in->others->grain, m, groups, &cell, has_out, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* Keep the rows of others that there are, their keys made those of all axes. */
static vc_status choose_others(struct adding *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    vc_rows *others = in->others;
    size_t kept = 0, axis = in->split->axis;
    uint32_t *groups = VC_ARENA_NEW(plan->arena, uint32_t, plan->naxes + 1);
    if (groups == NULL) return vc_no_memory(error);
    for (size_t row = 0; row < others->nrows; row++) {
        const vc_cell *cells = &others->cells[row * plan->nmeasures];
        uint64_t key = 0;
        bool has;
        vc_status status = vc_plan_look(plan, row, error);
        if (status == VC_OK) status = has_facts(in, row, groups, &has, error);
        if (status != VC_OK) return status;
        if (!has || !vc_row_has_value(plan, cells)) continue;
        groups[axis] = plan->axes[axis].ngroups - 1;
        for (size_t i = 0; i < plan->naxes; i++)
            key += groups[i] * in->detail->strides[i];
        memmove(&others->cells[kept * plan->nmeasures], cells, plan->nmeasures * sizeof *cells);
        others->keys[kept++] = key;
    }
    others->nrows = kept;
    return VC_OK;
}

static void add_row(struct adding *in, const vc_rows *from, size_t row)
{
    vc_rows *rows = in->rows;
    size_t nmeasures = in->plan->nmeasures;
    memcpy(&rows->cells[rows->nrows * nmeasures], &from->cells[row * nmeasures],
           nmeasures * sizeof *rows->cells);
    rows->keys[rows->nrows++] = from->keys[row];
}

/* Both ascend, and no key is in both. */
static vc_status merge(struct adding *in, vc_error *error)
{
    const vc_rows *detail = in->detail, *others = in->others;
    const vc_top_split *split = in->split;
    size_t nrows = split->nkept + others->nrows;
    vc_rows *rows = VC_ARENA_NEW(in->plan->arena, vc_rows, 1);
    if (rows == NULL) return vc_no_memory(error);
    *rows = *detail;
    rows->nrows = 0;
    rows->keys = vc_arena_alloc(in->plan->arena, (nrows + 1) * sizeof *rows->keys);
    rows->cells = VC_ARENA_NEW(in->plan->arena, vc_cell, nrows * in->plan->nmeasures + 1);
    if (rows->keys == NULL || rows->cells == NULL) return vc_no_memory(error);
    in->rows = rows;
    for (size_t i = 0, other = 0; i < split->nkept || other < others->nrows;) {
        vc_status status = vc_plan_look(in->plan, i + other, error);
        if (status != VC_OK) return status;
        bool is_other = i == split->nkept || (other < others->nrows &&
                                              others->keys[other] < detail->keys[split->kept[i]]);
        if (is_other)
            add_row(in, others, other++);
        else
            add_row(in, detail, split->kept[i++]);
    }
    return VC_OK;
}

vc_status vc_other_add(vc_plan *plan, const vc_rows *detail, const vc_top_split *split,
                       vc_rows **rows_out, vc_error *error)
{
    struct adding in = {.plan = plan, .detail = detail, .split = split};
    uint32_t kept = detail->kept & ~(1u << split->axis);
    vc_status status = narrow(&in, kept, error);
    if (status == VC_OK) status = vc_stitch(in.narrowed, kept, true, NULL, &in.others, error);
    if (status != VC_OK) return status;
    status = choose_others(&in, error);
    vc_rows_release(in.others);
    if (status == VC_OK) status = merge(&in, error);
    if (status == VC_OK) status = mark_others(&in, error);
    *rows_out = in.rows;
    return status;
}
