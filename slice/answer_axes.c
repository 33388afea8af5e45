/* The axes of a result: levels, members and their properties. */
#include "slice/answer.h"
#include "slice/sort.h"

#include <stdlib.h>
#include <string.h>

static const vc_hierarchy *axis_hierarchy(const vc_plan *plan, const vc_axis *axis)
{
    return &plan->cube->dimensions[axis->dimension].dimension->hierarchies[axis->hierarchy];
}

static vc_status describe_levels(vc_answering *in, const vc_axis *axis, vc_result_axis *out,
                                 vc_error *error)
{
    const vc_hierarchy *hierarchy = axis_hierarchy(in->plan, axis);
    unsigned first = in->plan->query->has_parents ? 0 : axis->level;
    vc_result_level *levels = VC_ARENA_NEW(in->arena, vc_result_level, axis->level + 1 - first);
    if (levels == NULL) return vc_no_memory(error);
    out->dimension = axis->ref.dimension;
    out->ref = axis->ref.dimension;
    if (axis->hierarchy > 0)
        out->ref = vc_arena_printf(in->arena, "%.*s@%.*s", VC_FMT(axis->ref.dimension),
                                   VC_FMT(hierarchy->name));
    out->label = in->plan->cube->dimensions[axis->dimension].label;
    out->is_time = in->plan->cube->dimensions[axis->dimension].dimension->is_time;
    for (unsigned l = first; l <= axis->level; l++) {
        vc_result_level *level = &levels[out->nlevels++];
        level->name = hierarchy->levels[l].name;
        level->key_type = hierarchy->levels[l].key_type;
        level->is_asked = l == axis->level;
        level->key_name =
            vc_arena_printf(in->arena, "%.*s.%.*s", VC_FMT(out->ref), VC_FMT(level->name));
        level->label_name = vc_arena_printf(in->arena, "%.*s_label", VC_FMT(level->key_name));
        if (level->label_name.data == NULL) return vc_no_memory(error);
    }
    out->levels = levels;
    return VC_OK;
}

static int compare_ranks(const void *a, const void *b, void *axis)
{
    uint32_t x = vc_axis_rank(axis, *(const uint32_t *)a);
    uint32_t y = vc_axis_rank(axis, *(const uint32_t *)b);
    return (x > y) - (x < y);
}

/* Which groups of the axis occur in the answer, in member order. Only the part of member_of where
 * something may be shown is touched: an axis of a million members may show ten. */
static vc_status collect_groups(vc_answering *in, size_t number, uint32_t **groups_out,
                                size_t *ngroups_out, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_axis *axis = &plan->axes[number];
    uint32_t span = axis->end_visible - axis->first_visible;
    uint32_t *member_of =
        vc_arena_alloc(in->arena, ((size_t)axis->ngroups + 1) * sizeof *member_of);
    uint32_t behind = axis->first_calculated + (uint32_t)axis->ncalculated;
    uint32_t *groups =
        vc_arena_alloc(in->arena, ((size_t)span + axis->ncalculated + 1) * sizeof *groups);
    size_t count = 0;
    vc_status status = VC_OK;
    if (member_of == NULL || groups == NULL) return vc_no_memory(error);
    memset(member_of + axis->first_visible, 0xFF, span * sizeof *member_of);
    memset(member_of + axis->first_calculated, 0xFF, axis->ncalculated * sizeof *member_of);
    if (axis->has_other) member_of[axis->ngroups - 1] = VC_NONE;
    for (size_t i = 0; i < in->nshown && status == VC_OK; i++) {
        status = vc_plan_look(plan, i, error);
        member_of[vc_rows_group(plan, in->detail, in->detail->keys[in->order[i]], number)] = 0;
    }
    for (size_t t = 0; t < in->ntotals; t++) {
        const vc_rows *rows = in->totals[t];
        bool is_there = rows->kept >> number & 1;
        for (size_t row = 0; is_there && row < rows->nrows && status == VC_OK; row++) {
            status = vc_plan_look(plan, row, error);
            member_of[vc_rows_group(plan, rows, rows->keys[row], number)] = 0;
        }
    }
    if (status != VC_OK) return status;
    for (uint32_t group = axis->first_visible; group < axis->end_visible; group++)
        if (member_of[group] == 0) groups[count++] = group;
    for (uint32_t group = axis->first_calculated; group < behind; group++)
        if (member_of[group] == 0) groups[count++] = group;
    if (axis->has_other && member_of[axis->ngroups - 1] == 0) groups[count++] = axis->ngroups - 1;
    if (axis->ranks != NULL)
        status = vc_sort(plan, groups, count, sizeof *groups, compare_ranks, (void *)axis, error);
    for (size_t i = 0; i < count; i++)
        member_of[groups[i]] = (uint32_t)i;
    in->member_of[number] = member_of;
    *groups_out = groups;
    *ngroups_out = count;
    return status;
}

/* Keys of the levels above are those of the parent, where it has one there. */
static void describe_calculated(const vc_answering *in, const vc_axis *axis,
                                const vc_calculated *calculated, const vc_result_axis *out,
                                vc_str *keys, vc_str *labels, vc_result_member *member)
{
    const vc_hierarchy *hierarchy = axis_hierarchy(in->plan, axis);
    size_t last = out->nlevels - 1;
    member->is_calculated = true;
    keys[last] = calculated->name;
    labels[last] = calculated->label;
    vc_member_ref above = calculated->parent;
    for (unsigned level = axis->level; calculated->has_parent && level-- > 0;) {
        if (axis->level - level > last || level > above.level) continue;
        for (; above.level > level; above.level--)
            above.member = vc_numbers_get(hierarchy->levels[above.level].parents, above.member);
        keys[last - (axis->level - level)] =
            vc_texts_get(&hierarchy->levels[level].keys, above.member);
        labels[last - (axis->level - level)] =
            vc_texts_get(&hierarchy->levels[level].labels, above.member);
    }
}

static vc_status describe_member(vc_answering *in, const vc_axis *axis, uint32_t group,
                                 const vc_result_axis *out, vc_result_member *member,
                                 vc_error *error)
{
    const vc_hierarchy *hierarchy = axis_hierarchy(in->plan, axis);
    vc_str *keys = VC_ARENA_NEW(in->arena, vc_str, out->nlevels);
    vc_str *labels = VC_ARENA_NEW(in->arena, vc_str, out->nlevels);
    if (keys == NULL || labels == NULL) return vc_no_memory(error);
    member->keys = keys;
    member->labels = labels;
    size_t calculated = vc_axis_calculated(axis, group);
    if (calculated != SIZE_MAX) {
        describe_calculated(in, axis, &in->plan->calculated[calculated], out, keys, labels, member);
        return VC_OK;
    }
    if (group >= axis->stored->nmembers) { /* keys of the levels above a bucket are null */
        member->is_other = axis->has_other && group == axis->ngroups - 1;
        member->is_synthetic = !member->is_other;
        keys[out->nlevels - 1] = labels[out->nlevels - 1] =
            axis->synthetic_keys[group - axis->stored->nmembers];
        return VC_OK;
    }
    unsigned level = axis->level;
    member->number = group;
    for (size_t i = out->nlevels; i-- > 0; level--) {
        keys[i] = vc_texts_get(&hierarchy->levels[level].keys, group); /* null: hidden, perhaps */
        labels[i] = vc_texts_get(&hierarchy->levels[level].labels, group);
        if (level > 0) group = vc_numbers_get(hierarchy->levels[level].parents, group);
    }
    return VC_OK;
}

static vc_status describe_axis(vc_answering *in, size_t number, vc_result_axis *out,
                               vc_error *error)
{
    const vc_axis *axis = &in->plan->axes[number];
    uint32_t *groups = NULL;
    vc_status status = describe_levels(in, axis, out, error);
    if (status == VC_OK) status = collect_groups(in, number, &groups, &out->nmembers, error);
    if (status != VC_OK) return status;
    vc_result_member *members = VC_ARENA_NEW(in->arena, vc_result_member, out->nmembers + 1);
    if (members == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < out->nmembers && status == VC_OK; i++) {
        status = vc_plan_look(in->plan, i, error);
        if (status == VC_OK) status = describe_member(in, axis, groups[i], out, &members[i], error);
    }
    out->members = members;
    if (status == VC_OK && in->nproperties > 0)
        status = vc_answer_properties(in, number, groups, out, members, error);
    return status;
}

vc_status vc_answer_axes(vc_answering *in, vc_error *error)
{
    size_t naxes = in->plan->naxes;
    vc_result_axis *axes = VC_ARENA_NEW(in->arena, vc_result_axis, naxes + 1);
    in->member_of = VC_ARENA_NEW(in->arena, uint32_t *, naxes + 1);
    if (axes == NULL || in->member_of == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    for (size_t i = 0; i < naxes && status == VC_OK; i++)
        status = describe_axis(in, i, &axes[i], error);
    in->result->axes = axes;
    in->result->naxes = naxes;
    return status;
}
