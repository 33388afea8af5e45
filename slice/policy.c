/* What a measure shows where the query asks for a dimension that its source does not have.
 *
 * By "fix" its values stand at a member: they are those of a cell that has all of that member along
 * the dimension, and of no other. Whole members are compared by their leaves, of which each counts
 * once, at whichever of its places.
 */
#include "slice/plan.h"

/* ---- fix ---- */

static bool is_selected(const vc_plan *plan, size_t dimension, uint32_t leaf)
{
    const uint64_t *slots = plan->selections[dimension].slots;
    return slots == NULL || vc_bit_get(slots, leaf);
}

/* The places of each leaf of the dimension, of leaves with one place these. */
struct places {
    const uint32_t *offsets, *places; /* NULL: one each */
};

static vc_status list_places(const vc_plan *plan, const vc_dimension *dimension,
                             struct places *places, vc_error *error)
{
    uint32_t *offsets, *items;
    *places = (struct places){0};
    if (dimension->ndoubles == 0) return VC_OK;
    vc_status status = vc_dimension_list_places(dimension, plan->arena, &offsets, &items, error);
    *places = (struct places){.offsets = offsets, .places = items};
    return status;
}

static uint32_t count_places(const struct places *places, uint32_t leaf)
{
    return places->offsets == NULL ? 1 : places->offsets[leaf + 1] - places->offsets[leaf];
}

static uint32_t get_place(const struct places *places, uint32_t leaf, uint32_t i)
{
    return places->offsets == NULL ? leaf : places->places[places->offsets[leaf] + i];
}

/* Has the selection all of the member? */
static bool is_covered(const vc_plan *plan, const vc_standing *standing,
                       const struct places *places)
{
    const vc_dimension *dimension = plan->cube->dimensions[standing->dimension].dimension;
    bool has_any = false;
    for (uint32_t leaf = 0; leaf < vc_dimension_count_leaves(dimension); leaf++) {
        bool has = false;
        if (!vc_bit_get(standing->leaves, leaf)) continue;
        for (uint32_t i = 0; i < count_places(places, leaf); i++)
            has |= is_selected(plan, standing->dimension, get_place(places, leaf, i));
        if (!has) return false;
        has_any = true;
    }
    return has_any;
}

/* The groups of an axis that have all of the member; none: NULL. */
static vc_status find_groups(const vc_plan *plan, const vc_axis *axis, const vc_standing *standing,
                             const struct places *places, const uint64_t **groups_out,
                             vc_error *error)
{
    const vc_dimension *dimension = plan->cube->dimensions[standing->dimension].dimension;
    uint64_t *groups = VC_ARENA_NEW(plan->arena, uint64_t, vc_bits_words(axis->ngroups) + 1);
    uint32_t *counts = VC_ARENA_NEW(plan->arena, uint32_t, (size_t)axis->ngroups + 1);
    uint32_t *lasts = VC_ARENA_NEW(plan->arena, uint32_t, (size_t)axis->ngroups + 1);
    uint32_t nleaves = 0;
    bool has_any = false;
    if (groups == NULL || counts == NULL || lasts == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < vc_dimension_count_leaves(dimension); leaf++) {
        if (!vc_bit_get(standing->leaves, leaf)) continue;
        nleaves++;
        for (uint32_t i = 0; i < count_places(places, leaf); i++) {
            uint32_t place = get_place(places, leaf, i), group = axis->members[place];
            if (group == VC_NONE || lasts[group] == nleaves ||
                !is_selected(plan, standing->dimension, place))
                continue;
            lasts[group] = nleaves;
            counts[group]++;
        }
    }
    for (uint32_t group = 0; group < axis->ngroups; group++)
        if (nleaves > 0 && counts[group] == nleaves) {
            vc_bit_set(groups, group);
            has_any = true;
        }
    *groups_out = has_any ? groups : NULL;
    return VC_OK;
}

/* axis  that the dimension is kept by; NULL: it is rolled up */
static vc_status stand(const vc_plan *plan, const vc_standing *standing, const vc_axis *axis,
                       vc_policy *policy, vc_error *error)
{
    const vc_dimension *dimension = plan->cube->dimensions[standing->dimension].dimension;
    struct places places;
    vc_status status = list_places(plan, dimension, &places, error);
    if (status != VC_OK) return status;
    if (axis == NULL) {
        policy->is_unrelated |= !is_covered(plan, standing, &places);
        return VC_OK;
    }
    if (policy->stands == NULL)
        policy->stands = VC_ARENA_NEW(plan->arena, const uint64_t *, plan->naxes + 1);
    if (policy->stands == NULL) return vc_no_memory(error);
    const uint64_t **groups = &policy->stands[axis - plan->axes];
    status = find_groups(plan, axis, standing, &places, groups, error);
    policy->is_unrelated |= status == VC_OK && *groups == NULL;
    return status;
}

vc_status vc_policy_covers(const vc_plan *plan, const vc_standing *standing, bool *covers_out,
                           vc_error *error)
{
    struct places places;
    const vc_dimension *dimension = plan->cube->dimensions[standing->dimension].dimension;
    vc_status status = list_places(plan, dimension, &places, error);
    if (status == VC_OK) *covers_out = is_covered(plan, standing, &places);
    return status;
}

/* ---- every policy ---- */

vc_status vc_policy_find(const vc_plan *plan, uint32_t kept, const vc_plan_measure *measure,
                         vc_policy *policy, vc_error *error)
{
    const vc_cube_source *source = &plan->cube->sources[measure->measure->source];
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        const vc_standing *standing;
        const vc_axis *axis = NULL;
        vc_status status = VC_OK;
        if (source->bindings[d].kind != VC_BIND_NONE) continue;
        for (size_t i = 0; i < plan->naxes; i++)
            if (plan->axes[i].dimension == d && (kept >> i & 1)) axis = &plan->axes[i];
        vc_unrelated word = vc_cube_unrelated(plan->cube, measure->measure, d, &standing);
        bool is_asked = axis != NULL || plan->selections[d].is_cut ||
                        (plan->selections[d].is_narrowed && word == VC_UNRELATED_FIX);
        if (!is_asked) continue;
        switch (word) {
        case VC_UNRELATED_REPEAT: policy->is_repeated = true; break;
        case VC_UNRELATED_FIX: status = stand(plan, standing, axis, policy, error); break;
        case VC_UNRELATED_ERROR:
            status = vc_fail(error, VC_IMPOSSIBLE, "unrelated",
                             "measure '%.*s' does not know dimension '%.*s'; leave one of them out",
                             VC_FMT(measure->name), VC_FMT(plan->cube->dimensions[d].name));
            return vc_error_at_place(error, status, measure->place);
        default: policy->is_unrelated = true;
        }
        if (status != VC_OK) return status;
    }
    return VC_OK;
}
