/* Rows at calculated members. In a sparse answer there is one where an operand has facts: the cells
 * of the frames that operands are read in say where, and what has no value is dropped later.
 */
#include "slice/calculated_rows.h"
#include "slice/sort.h"

#include <stdlib.h>

struct collecting {
    const vc_stitching *in;
    bool is_sparse;
    vc_row_keys *keys;
    uint32_t groups[VC_MAX_AXES]; /* of the combination at hand; 0 on other axes */
    uint32_t mask;                /* axes that stand at a calculated member */
    uint64_t key;
    vc_list seen; /* const vc_frame *: of this combination */
};

/* Are the axes of the rows that stand at no calculated member in the frame as they are in rows? An
 * operand that names a member of another drilled dimension too makes no row there. */
static bool has_axes(const struct collecting *of, const vc_frame *leaf)
{
    const vc_plan *plan = of->in->plan;
    for (size_t i = 0; i < plan->naxes; i++) {
        size_t d = plan->axes[i].dimension;
        if (!(of->in->kept >> i & 1) || (of->mask >> i & 1)) continue;
        if (!(leaf->grain->kept >> i & 1) || leaf->is_lifted[d] || leaf->is_replaced[d])
            return false;
    }
    return true;
}

static vc_status collect_leaf(void *context, vc_frame *leaf, vc_error *error)
{
    struct collecting *of = context;
    const vc_stitching *in = of->in;
    const vc_frame *const *seen = of->seen.items;
    vc_rows rows = {.tables = leaf->grain->tables};
    vc_row_keys found = {.max = of->keys->max};
    vc_stitching there = {
        .plan = leaf->plan, .kept = leaf->grain->kept, .rows = &rows, .grain = leaf->grain};
    for (size_t i = 0; i < of->seen.count; i++)
        if (seen[i] == leaf) return VC_OK;
    const vc_frame **place = VC_LIST_NEW(&of->seen, in->plan->arena, const vc_frame *);
    if (place == NULL) return vc_no_memory(error);
    *place = leaf;
    if (!has_axes(of, leaf)) return VC_OK;
    for (size_t i = 0; i < in->plan->naxes; i++)
        if (!(of->mask >> i & 1)) rows.strides[i] = in->rows->strides[i];
    vc_status status = VC_OK;
    for (size_t p = 0; p < leaf->plan->npasses && status == VC_OK; p++) {
        if (leaf->grain->cells[p] == NULL && leaf->grain->spreads[p] == NULL) continue;
        found.max = found.count + of->keys->max;
        status = vc_row_keys_of_pass(&there, p, &found, error);
    }
    for (size_t i = 0; i < found.count && status == VC_OK; i++) {
        status = vc_plan_look(in->plan, i, error);
        if (status == VC_OK)
            status = vc_row_keys_add(in->plan->arena, of->keys, of->key + found.items[i], error);
    }
    return status;
}

static vc_status collect_combination(struct collecting *of, vc_error *error)
{
    const vc_stitching *in = of->in;
    bool is_fixed = vc_frame_is_calculated(in->frame, of->groups);
    if (!is_fixed) return VC_OK; /* ordinary rows */
    if (!of->is_sparse) {
        if (of->mask == 0) return VC_OK; /* among the ordinary ones */
        return vc_row_keys_combine(in, in->kept & ~of->mask, 0, of->key, of->keys, error);
    }
    uint64_t max = of->keys->max;
    of->seen.count = 0;
    of->keys->max += of->keys->count;
    vc_status status = vc_calculated_leaves(in->frame, of->groups, collect_leaf, of, error);
    of->keys->max = max;
    return status;
}

/* Every combination of calculated members, and of none, on the axes from `axis` on. */
static vc_status collect(struct collecting *of, size_t axis, vc_error *error)
{
    const vc_stitching *in = of->in;
    while (axis < in->plan->naxes &&
           (!(in->kept >> axis & 1) || in->plan->axes[axis].is_shown == NULL))
        axis++;
    if (axis == in->plan->naxes) return collect_combination(of, error);
    const vc_axis *at = &in->plan->axes[axis];
    vc_status status = collect(of, axis + 1, error);
    for (size_t c = 0; c < at->ncalculated && status == VC_OK; c++) {
        uint32_t group = at->first_calculated + (uint32_t)c;
        if (!at->is_shown[c]) continue;
        of->groups[axis] = group;
        of->mask |= 1u << axis;
        of->key += group * in->rows->strides[axis];
        status = collect(of, axis + 1, error);
        of->key -= group * in->rows->strides[axis];
        of->mask &= ~(1u << axis);
        of->groups[axis] = 0;
    }
    return status;
}

vc_status vc_row_keys_calculated(const vc_stitching *in, bool is_sparse, vc_row_keys *keys,
                                 vc_error *error)
{
    struct collecting of = {.in = in, .is_sparse = is_sparse, .keys = keys};
    return in->kept == 0 ? VC_OK : collect(&of, 0, error);
}

static int compare_by_rank(const void *a, const void *b, void *context)
{
    const vc_stitching *in = context;
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    for (size_t i = 0; i < in->plan->naxes && x != y; i++) {
        const vc_axis *axis = &in->plan->axes[i];
        if (!(in->kept >> i & 1)) continue;
        uint32_t p = vc_axis_rank(axis, vc_rows_group(in->plan, in->rows, x, i));
        uint32_t q = vc_axis_rank(axis, vc_rows_group(in->plan, in->rows, y, i));
        if (p != q) return p < q ? -1 : 1;
    }
    return 0;
}

vc_status vc_row_keys_sort(const vc_stitching *in, vc_row_keys *keys, vc_error *error)
{
    return vc_sort(in->plan, keys->items, keys->count, sizeof *keys->items, compare_by_rank,
                   (void *)in, error);
}
