/* Units of a relation that are larger than a leaf (a year, where the primary has months), and the
 * groups they touch.
 *
 * When all leaves of a unit are in one group, the group has the unit. Otherwise the unit is
 * *split*: rows are asked for below it, or only a part of it is selected. What then holds is said
 * by the join's `finer`: the unit's value belongs to none of the groups, to each of them, or is
 * shared out among them by their leaves. */
#include "slice/table.h"

#include <stdlib.h>
#include <string.h>

bool vc_grouping_is_below(const vc_grouping *grouping, const vc_relation *relation)
{
    return grouping->axis != NULL && (int)grouping->axis->hierarchy == relation->hierarchy &&
           (int)grouping->axis->level > relation->level;
}

static vc_numbers unit_of_leaf(const vc_mapping *in)
{
    const vc_relation *relation = in->binding->relation;
    return in->outer->dimension->hierarchies[relation->hierarchy]
        .levels[relation->level]
        .leaf_members;
}

static bool is_hidden(const vc_mapping *in, uint32_t leaf)
{
    return in->outer->visible != NULL && !vc_bit_get(in->outer->visible, leaf);
}

/* Each leaf is a unit. */
static vc_status take_leaves(const vc_mapping *in, vc_arena *arena, vc_units *units_out,
                             vc_error *error)
{
    uint32_t nunits = in->binding->relation->nunits, nitems = 0;
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)nunits + 1);
    vc_share *items = vc_arena_alloc(arena, ((size_t)nunits + 1) * sizeof *items);
    uint64_t *split = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(nunits) + 1);
    if (offsets == NULL || items == NULL || split == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < nunits; leaf++) {
        uint32_t group = vc_grouping_of(&in->grouping, leaf);
        if (group != VC_NONE) items[nitems++] = (vc_share){.weight = 1, .group = group};
        offsets[leaf + 1] = nitems;
    }
    *units_out = (vc_units){.offsets = offsets, .items = items, .split = split};
    return VC_OK;
}

/* ---- units above the leaf ---- */

struct gathering { /* the groups of one unit after the other */
    const vc_mapping *in;
    uint32_t *leaves; /* visible ones, unit by unit */
    uint32_t *first;  /* [nunits + 1] into leaves */
    /* [ngroups + 1], the last for what is not selected: */
    double *weights;
    uint32_t *seen;   /* unit + 1 that saw the group last */
    uint32_t *groups; /* of the unit at hand */
    vc_share *items;
    uint32_t nitems;
    uint64_t *split;
};

static vc_status order_leaves(struct gathering *at, vc_arena *arena, vc_error *error)
{
    const vc_mapping *in = at->in;
    vc_numbers unit_of = unit_of_leaf(in);
    uint32_t nunits = in->binding->relation->nunits, nleaves = in->outer->dimension->nleaves;
    uint32_t *first = VC_ARENA_NEW(arena, uint32_t, (size_t)nunits + 2);
    uint32_t *leaves = vc_arena_alloc(arena, ((size_t)nleaves + 1) * sizeof *leaves);
    if (first == NULL || leaves == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++)
        if (!is_hidden(in, leaf)) first[vc_numbers_get(unit_of, leaf) + 2]++;
    for (uint32_t unit = 0; unit < nunits; unit++)
        first[unit + 1] += first[unit];
    for (uint32_t leaf = 0; leaf < nleaves; leaf++)
        if (!is_hidden(in, leaf)) leaves[first[vc_numbers_get(unit_of, leaf) + 1]++] = leaf;
    at->first = first;
    at->leaves = leaves;
    return VC_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The groups of a unit's leaves, and the weight of the leaves in each. Returns how many there are,
 * the one of what is not selected included. */
static size_t gather_groups(struct gathering *at, uint32_t unit, double *total_out)
{
    const vc_mapping *in = at->in;
    const double *weights = in->binding->weights;
    size_t ngroups = 0;
    *total_out = 0;
    for (uint32_t i = at->first[unit]; i < at->first[unit + 1]; i++) {
        uint32_t group = vc_grouping_of(&in->grouping, at->leaves[i]);
        double weight = weights == NULL ? 1 : weights[at->leaves[i]];
        if (group == VC_NONE) group = in->grouping.ngroups;
        if (at->seen[group] != unit + 1) {
            at->seen[group] = unit + 1;
            at->weights[group] = 0;
            at->groups[ngroups++] = group;
        }
        at->weights[group] += weight;
        *total_out += weight;
    }
    if (ngroups > 1) qsort(at->groups, ngroups, sizeof *at->groups, compare_numbers);
    return ngroups;
}

static void share_unit(struct gathering *at, uint32_t unit)
{
    const vc_grouping *grouping = &at->in->grouping;
    double total;
    size_t ngroups = gather_groups(at, unit, &total);
    bool is_split = ngroups > 1 || vc_grouping_is_below(grouping, at->in->binding->relation);
    if (is_split) vc_bit_set(at->split, unit);
    for (size_t i = 0; i < ngroups; i++) {
        uint32_t group = at->groups[i];
        if (group == grouping->ngroups || (is_split && at->in->finer == VC_FINER_NULL)) continue;
        vc_share *item = &at->items[at->nitems++];
        *item = (vc_share){.weight = 1, .group = group};
        if (!is_split || at->in->finer == VC_FINER_REPEAT) continue;
        item->weight = total > 0 ? at->weights[group] / total : 0;
        item->is_estimated = true;
    }
}

vc_status vc_units_make(const vc_mapping *in, vc_arena *arena, vc_units *units_out, vc_error *error)
{
    const vc_relation *relation = in->binding->relation;
    if (relation->level < 0) return take_leaves(in, arena, units_out, error);
    size_t room = (size_t)in->grouping.ngroups + 1;
    struct gathering at = {
        .in = in,
        .weights = VC_ARENA_NEW(arena, double, room),
        .seen = VC_ARENA_NEW(arena, uint32_t, room),
        .groups = VC_ARENA_NEW(arena, uint32_t, room),
        .items =
            vc_arena_alloc(arena, ((size_t)in->outer->dimension->nleaves + 1) * sizeof(vc_share)),
        .split = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(relation->nunits) + 1)};
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)relation->nunits + 1);
    if (at.weights == NULL || at.seen == NULL || at.groups == NULL || at.items == NULL ||
        at.split == NULL || offsets == NULL)
        return vc_no_memory(error);
    vc_status status = order_leaves(&at, arena, error);
    for (uint32_t unit = 0; unit < relation->nunits && status == VC_OK; unit++) {
        share_unit(&at, unit);
        offsets[unit + 1] = at.nitems;
    }
    *units_out = (vc_units){.offsets = offsets, .items = at.items, .split = at.split};
    return status;
}

vc_status vc_units_mark_split(const vc_mapping *in, const vc_units *units, uint64_t *touched,
                              vc_error *error)
{
    const vc_relation *relation = in->binding->relation;
    vc_numbers unit_of = unit_of_leaf(in);
    vc_arena work = {0};
    uint64_t *known = VC_ARENA_NEW(&work, uint64_t, vc_bits_words(relation->nunits) + 1);
    if (known == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *targets;
        size_t ntargets = vc_relation_units(relation, leaf, &targets);
        for (size_t i = 0; i < ntargets; i++)
            vc_bit_set(known, targets[i]);
    }
    for (uint32_t leaf = 0; leaf < in->outer->dimension->nleaves; leaf++) {
        uint32_t unit = vc_numbers_get(unit_of, leaf);
        uint32_t group = vc_grouping_of(&in->grouping, leaf);
        if (group != VC_NONE && vc_bit_get(units->split, unit) && vc_bit_get(known, unit))
            vc_bit_set(touched, group);
    }
    vc_arena_release(&work);
    return VC_OK;
}

bool vc_plan_splits_units(const vc_plan *plan, size_t dimension, const vc_binding *binding)
{
    const vc_axis *axis = NULL;
    for (size_t i = 0; i < plan->naxes; i++)
        if (plan->axes[i].dimension == dimension) axis = &plan->axes[i];
    const vc_mapping mapping = {.outer = &plan->cube->dimensions[dimension],
                                .binding = binding,
                                .grouping = {.axis = axis,
                                             .selection = &plan->selections[dimension],
                                             .ngroups = axis == NULL ? 1 : axis->ngroups}};
    const vc_relation *relation = binding->relation;
    bool is_split = false;
    vc_arena work = {0};
    if (vc_grouping_is_below(&mapping.grouping, relation)) return true;
    uint32_t *groups = vc_arena_alloc(&work, ((size_t)relation->nunits + 1) * sizeof *groups);
    uint64_t *seen = VC_ARENA_NEW(&work, uint64_t, vc_bits_words(relation->nunits) + 1);
    vc_numbers unit_of = unit_of_leaf(&mapping);
    for (uint32_t leaf = 0;
         groups != NULL && seen != NULL && !is_split && leaf < mapping.outer->dimension->nleaves;
         leaf++) {
        uint32_t unit = vc_numbers_get(unit_of, leaf);
        if (is_hidden(&mapping, leaf)) continue;
        uint32_t group = vc_grouping_of(&mapping.grouping, leaf);
        is_split = vc_bit_get(seen, unit) && groups[unit] != group;
        groups[unit] = group;
        vc_bit_set(seen, unit);
    }
    is_split |= groups == NULL || seen == NULL; /* then nothing is lost by looking closer */
    vc_arena_release(&work);
    return is_split;
}
