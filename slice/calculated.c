/* What a query says of calculated members: which there are, which its conditions name, which its
 * axes show. */
#include "slice/calculated.h"

#include "dimensions/members.h"

#include <string.h>

enum { CALCULATED_MAX = 1024 };

static void count_targets(vc_plan *plan)
{
    for (size_t i = 0; i < plan->ncalculated; i++)
        for (size_t o = 0; o < plan->calculated[i].noperands; o++)
            plan->ntargets += plan->calculated[i].operands[o].ntargets;
}

vc_status vc_plan_calculate(vc_plan *plan, vc_error *error)
{
    const vc_query *query = plan->query;
    plan->calculated = plan->cube->calculated;
    plan->ncalculated = plan->cube->ncalculated;
    if (query->ncalculated == 0) {
        count_targets(plan);
        return VC_OK;
    }
    if (query->ncalculated > CALCULATED_MAX)
        return vc_fail(error, VC_LIMIT, "limit_measures",
                       "the query defines %zu calculated members, more than %d", query->ncalculated,
                       CALCULATED_MAX);
    vc_status status =
        vc_cube_calculate(plan->cube, query->calculated, query->ncalculated, plan->calculated,
                          plan->ncalculated, NULL, plan->arena, &plan->calculated, error);
    if (status != VC_OK) return status;
    plan->ncalculated += query->ncalculated;
    count_targets(plan);
    return VC_OK;
}

/* ---- conditions ---- */

/* The calculated member that a path of a condition names. */
static size_t find_named(const vc_plan *plan, size_t dimension, const vc_dimref *ref,
                         unsigned hierarchy, const vc_item *item)
{
    if (vc_str_is_null(ref->level))
        return vc_calculated_find_path(plan->cube, plan->calculated, plan->ncalculated, dimension,
                                       hierarchy, item->keys, item->nkeys, plan->arena);
    if (item->nkeys != 1) return SIZE_MAX;
    size_t found =
        vc_calculated_find(plan->calculated, plan->ncalculated, dimension, item->keys[0]);
    if (found == SIZE_MAX) return SIZE_MAX;
    const vc_calculated *member = &plan->calculated[found];
    const vc_hierarchy *of =
        &plan->cube->dimensions[dimension].dimension->hierarchies[member->hierarchy];
    return vc_str_equal(of->levels[member->level].name, ref->level) ? found : SIZE_MAX;
}

/* The member of a level that a parent is part of, itself included; VC_NONE: it stands above. */
static uint32_t ancestor(const vc_hierarchy *hierarchy, vc_member_ref member, unsigned level)
{
    if (member.level < level) return VC_NONE;
    for (unsigned l = member.level; l > level; l--)
        member.member = vc_numbers_get(hierarchy->levels[l].parents, member.member);
    return member.member;
}

/* A path to the parent of a calculated member, or above it, selects that, too. */
static void mark_below(const vc_plan *plan, size_t dimension, const vc_dimref *ref,
                       unsigned hierarchy, const vc_item *item, uint64_t *bits)
{
    const vc_dimension *stored = plan->cube->dimensions[dimension].dimension;
    const vc_hierarchy *of = &stored->hierarchies[hierarchy];
    vc_member_ref named = {0};
    bool has_level = !vc_str_is_null(ref->level);
    if (item->nkeys == 0) return;
    if (has_level &&
        vc_hierarchy_find_level(stored, hierarchy, ref->level, &named.level, NULL) != VC_OK)
        return;
    if (!has_level && vc_hierarchy_find_member(stored, hierarchy, item->keys, item->nkeys,
                                               plan->arena, &named, NULL) != VC_OK)
        return;
    for (size_t i = 0; i < plan->ncalculated; i++) {
        const vc_calculated *member = &plan->calculated[i];
        if (member->dimension != dimension || member->hierarchy != hierarchy || !member->has_parent)
            continue;
        uint32_t above = ancestor(of, member->parent, named.level);
        if (above != VC_NONE &&
            (has_level
                 ? vc_str_equal(vc_texts_get(&of->levels[named.level].keys, above), item->keys[0])
                 : above == named.member))
            vc_bit_set(bits, i);
    }
}

static vc_status split_items(const vc_plan *plan, size_t dimension, const vc_condition *condition,
                             vc_condition *rest, uint64_t *bits, uint64_t *named_bits,
                             vc_error *error)
{
    const vc_dimref *ref = &condition->dimref;
    const vc_dimension *stored = plan->cube->dimensions[dimension].dimension;
    vc_item *items = VC_ARENA_NEW(plan->arena, vc_item, condition->nitems + 1);
    unsigned hierarchy;
    if (items == NULL) return vc_no_memory(error);
    rest->items = items;
    rest->nitems = 0;
    vc_status status = vc_dimension_find_hierarchy(stored, ref->hierarchy, &hierarchy, error);
    if (status != VC_OK) return vc_error_at_place(error, status, ref->place);
    for (size_t i = 0; i < condition->nitems; i++) {
        const vc_item *item = &condition->items[i];
        size_t named = item->kind == VC_ITEM_PATH
                           ? find_named(plan, dimension, ref, hierarchy, item)
                           : SIZE_MAX;
        if (named != SIZE_MAX) {
            vc_bit_set(bits, named);
            vc_bit_set(named_bits, named);
            continue;
        }
        items[rest->nitems++] = *item;
        if (item->kind == VC_ITEM_PATH) mark_below(plan, dimension, ref, hierarchy, item, bits);
        for (size_t m = 0; item->kind == VC_ITEM_ALL && m < plan->ncalculated; m++)
            if (plan->calculated[m].dimension == dimension) vc_bit_set(bits, m);
    }
    return VC_OK;
}

static vc_status split(const vc_plan *plan, size_t dimension, const vc_condition *condition,
                       const vc_condition **rest_out, uint64_t **bits_out, uint64_t *named,
                       vc_error *error)
{
    size_t nwords = vc_bits_words(plan->ncalculated);
    vc_condition *rest = VC_ARENA_NEW(plan->arena, vc_condition, 1);
    uint64_t *bits = VC_ARENA_NEW(plan->arena, uint64_t, nwords + 1), *part;
    vc_condition **children = VC_ARENA_NEW(plan->arena, vc_condition *, condition->nchildren + 1);
    if (rest == NULL || bits == NULL || children == NULL) return vc_no_memory(error);
    *rest = *condition;
    *rest_out = rest;
    *bits_out = bits;
    if (condition->kind == VC_CONDITION_ITEMS)
        return split_items(plan, dimension, condition, rest, bits, named, error);
    rest->children = children;
    for (size_t c = 0; c < condition->nchildren; c++) {
        const vc_condition *child;
        vc_status status =
            split(plan, dimension, condition->children[c], &child, &part, named, error);
        if (status != VC_OK) return status;
        children[c] = (vc_condition *)child;
        for (size_t w = 0; w < nwords; w++)
            bits[w] = c == 0                                ? part[w]
                      : condition->kind == VC_CONDITION_AND ? bits[w] & part[w]
                                                            : bits[w] | part[w];
    }
    if (condition->kind == VC_CONDITION_NOT) memset(bits, 0, nwords * sizeof *bits);
    return VC_OK;
}

vc_status vc_calculated_split(const vc_plan *plan, size_t dimension, const vc_condition *condition,
                              const vc_condition **rest_out, uint64_t **calculated_out,
                              uint64_t **named, vc_error *error)
{
    bool has_some = false;
    for (size_t i = 0; i < plan->ncalculated; i++)
        has_some |= plan->calculated[i].dimension == dimension;
    *rest_out = condition;
    *calculated_out = NULL;
    if (!has_some) return VC_OK;
    if (*named == NULL)
        *named = VC_ARENA_NEW(plan->arena, uint64_t, vc_bits_words(plan->ncalculated) + 1);
    if (*named == NULL) return vc_no_memory(error);
    return split(plan, dimension, condition, rest_out, calculated_out, *named, error);
}

/* ---- axes ---- */

vc_status vc_axis_number_calculated(const vc_plan *plan, vc_axis *axis, uint32_t first,
                                    vc_str *keys, vc_error *error)
{
    size_t *numbers = VC_ARENA_NEW(plan->arena, size_t, plan->ncalculated + 1), count = 0;
    if (numbers == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->ncalculated; i++) {
        if (plan->calculated[i].dimension != axis->dimension) continue;
        keys[count] = plan->calculated[i].name;
        numbers[count++] = i;
    }
    axis->first_calculated = first;
    axis->ncalculated = count;
    axis->calculated = numbers;
    return VC_OK;
}

/* The member behind which one stands: the last one below its parent, or of all. */
static uint32_t place_behind(const vc_plan *plan, const vc_axis *axis, const vc_calculated *member)
{
    const vc_hierarchy *hierarchy =
        &plan->cube->dimensions[axis->dimension].dimension->hierarchies[axis->hierarchy];
    uint32_t first, end;
    if (!member->has_parent || member->hierarchy != axis->hierarchy ||
        member->parent.level >= axis->level)
        return axis->stored->nmembers;
    vc_member_descendants(hierarchy, member->parent, axis->level, &first, &end);
    return end;
}

/* Members, each with the calculated ones behind it; then buckets, and what a top leaves out. */
static vc_status rank_groups(const vc_plan *plan, vc_axis *axis, vc_error *error)
{
    uint32_t nmembers = axis->stored->nmembers, end = axis->first_calculated, rank = 0;
    uint32_t *ranks = vc_arena_alloc(plan->arena, ((size_t)axis->ngroups + 1) * sizeof *ranks);
    uint32_t *counts = VC_ARENA_NEW(plan->arena, uint32_t, (size_t)nmembers + 2);
    if (ranks == NULL || counts == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < axis->ncalculated; i++)
        counts[place_behind(plan, axis, &plan->calculated[axis->calculated[i]])]++;
    for (uint32_t member = 0; member <= nmembers; member++) { /* counts become first places */
        uint32_t count = counts[member];
        counts[member] = rank;
        rank += count;
        if (member < nmembers) ranks[member] = rank++;
    }
    for (size_t i = 0; i < axis->ncalculated; i++)
        ranks[axis->first_calculated + i] =
            counts[place_behind(plan, axis, &plan->calculated[axis->calculated[i]])]++;
    for (uint32_t group = nmembers; group < axis->ngroups; group++)
        if (group < end || group >= end + axis->ncalculated) ranks[group] = rank++;
    axis->ranks = ranks;
    return VC_OK;
}

vc_status vc_axis_show_calculated(const vc_plan *plan, vc_axis *axis, vc_error *error)
{
    const vc_selection *selection = &plan->selections[axis->dimension];
    bool *is_shown = VC_ARENA_NEW(plan->arena, bool, axis->ncalculated + 1), shows_any = false;
    if (is_shown == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < axis->ncalculated; i++) {
        size_t number = axis->calculated[i];
        const vc_calculated *member = &plan->calculated[number];
        is_shown[i] = member->hierarchy == axis->hierarchy && member->level == axis->level &&
                      (!selection->is_cut || (selection->calculated != NULL &&
                                              vc_bit_get(selection->calculated, number)));
        shows_any |= is_shown[i];
    }
    if (!shows_any) return VC_OK;
    axis->is_shown = is_shown;
    return rank_groups(plan, axis, error);
}

bool vc_plan_shows_calculated(const vc_plan *plan, uint32_t kept)
{
    uint64_t is_drilled[VC_MAX_AXES] = {0};
    if (plan->ncalculated == 0) return false;
    for (size_t i = 0; i < plan->naxes; i++) {
        if (!(kept >> i & 1)) continue;
        if (plan->axes[i].is_shown != NULL) return true;
        is_drilled[i] = plan->axes[i].dimension + 1;
    }
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        bool is_kept = false;
        for (size_t i = 0; i < plan->naxes; i++)
            is_kept |= is_drilled[i] == d + 1;
        if (!is_kept && plan->selections[d].is_calculated) return true;
    }
    return false;
}

vc_status vc_plan_refuse_calculated(const vc_plan *plan, const char *what, vc_error *error)
{
    for (size_t i = 0; i < plan->ncalculated; i++) {
        const vc_calculated *member = &plan->calculated[i];
        const uint64_t *named = plan->selections[member->dimension].named;
        vc_str dimension = plan->cube->dimensions[member->dimension].name;
        vc_place place = {0};
        if (named == NULL || !vc_bit_get(named, i)) continue;
        for (size_t c = 0; c < plan->query->nconditions && place.where == NULL; c++)
            if (vc_str_equal(plan->query->conditions[c]->dimref.dimension, dimension))
                place = plan->query->conditions[c]->place;
        vc_status status = vc_fail(
            error, VC_IMPOSSIBLE, "calculated_member",
            "'%.*s' of '%.*s' is calculated (%.*s) and %s; ask for the members in it",
            VC_FMT(member->name), VC_FMT(dimension), VC_FMT(member->definition->expr), what);
        return vc_error_at_place(error, status, place);
    }
    return VC_OK;
}
