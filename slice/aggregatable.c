/* Dimensions without an All: what adds up several of their members is refused, or undefined. */
#include "slice/plan.h"

#include <string.h>

/* Does the query cut the dimension down to one member of its first level, or part of one? */
static bool is_one_member(const vc_plan *plan, size_t dimension)
{
    const vc_selection *selection = &plan->selections[dimension];
    const vc_dimension *stored = plan->cube->dimensions[dimension].dimension;
    const vc_numbers members = stored->hierarchies[0].levels[0].leaf_members;
    uint32_t found = VC_NONE;
    if ((!selection->is_cut && !selection->is_default) || selection->slots == NULL) return false;
    for (uint32_t leaf = 0; leaf < stored->nleaves; leaf++) {
        if (!vc_bit_get(selection->slots, leaf)) continue;
        uint32_t member = vc_numbers_get(members, leaf);
        if (found != VC_NONE && member != found) return false;
        found = member;
    }
    return true;
}

/* Which dimension of a source without an All does a binding lead to, when no fix holds it? */
static bool needs_one_member(const vc_cube_source *source, const vc_plan_measure *measure,
                             const vc_binding *binding)
{
    size_t number = binding->source_dimension;
    if (binding->kind == VC_BIND_NONE || binding->tuples != NULL) return false;
    return !source->cube->is_aggregatable[number] &&
           !vc_fixes_hold(source->fixes, source->nfixes, number) &&
           !vc_fixes_hold(measure->measure->fixes, measure->measure->nfixes, number);
}

/* ---- dimensions without an All, through a join ---- */

enum { SEVERAL = VC_NONE - 1 };

static uint32_t merge_members(uint32_t so_far, uint32_t member)
{
    if (member == VC_NONE || so_far == member) return so_far;
    return so_far == VC_NONE ? member : SEVERAL;
}

/* Does each group of the axis (NULL: the whole selection) lead to one member, on the first level,
 * of the joined dimension? */
static vc_status find_mixed(const vc_plan *plan, size_t dimension, const vc_axis *axis,
                            const vc_binding *binding, const vc_dimension *joined, bool *is_mixed,
                            vc_error *error)
{
    const vc_relation *relation = binding->relation;
    const vc_cube_dimension *outer = &plan->cube->dimensions[dimension];
    const vc_selection *selection = &plan->selections[dimension];
    const vc_numbers members = joined->hierarchies[0].levels[0].leaf_members;
    uint32_t ngroups = axis == NULL ? 1 : axis->ngroups;
    size_t nunits = relation->nunits, nslots = outer->nslots;
    uint32_t *of_unit =
        vc_arena_alloc(plan->arena, (nunits + nslots + ngroups + 1) * sizeof *of_unit);
    if (of_unit == NULL) return vc_no_memory(error);
    memset(of_unit, 0xFF, (nunits + nslots + ngroups + 1) * sizeof *of_unit);
    uint32_t *of_slot = of_unit + nunits, *of_group = of_slot + nslots;
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        uint32_t member = vc_numbers_get(members, leaf);
        size_t n = vc_relation_units(relation, leaf, &units);
        for (size_t i = 0; i < n; i++)
            of_unit[units[i]] = merge_members(of_unit[units[i]], member);
        uint32_t slot = binding->synthetic_slots == NULL ? VC_NONE : binding->synthetic_slots[leaf];
        if (slot != VC_NONE) of_slot[slot] = merge_members(of_slot[slot], member);
    }
    for (uint32_t slot = 0; slot < nslots; slot++) {
        if (selection->slots != NULL && !vc_bit_get(selection->slots, slot)) continue;
        uint32_t unit = slot, group = axis == NULL ? 0 : vc_axis_group(axis, slot);
        if (slot < outer->dimension->nleaves && relation->level >= 0)
            unit = vc_numbers_get(outer->dimension->hierarchies[relation->hierarchy]
                                      .levels[relation->level]
                                      .leaf_members,
                                  slot);
        uint32_t member = slot < outer->dimension->nleaves ? of_unit[unit] : of_slot[slot];
        if (group != VC_NONE) of_group[group] = merge_members(of_group[group], member);
    }
    *is_mixed = false;
    for (uint32_t group = 0; group < ngroups; group++)
        *is_mixed |= of_group[group] == SEVERAL;
    return VC_OK;
}

/* The same of any dimension that a measure's source has. */
static vc_status find_open(const vc_plan *plan, size_t dimension, const vc_axis *axis,
                           const vc_cube_source *source, bool *is_open, vc_error *error)
{
    const vc_binding *binding = &source->bindings[dimension];
    *is_open = false; /* a calculated member is asked for its operands, one by one */
    if (axis == NULL && plan->selections[dimension].is_calculated) return VC_OK;
    if (vc_binding_is_joined(binding))
        return find_mixed(plan, dimension, axis, binding,
                          source->cube->dimensions[binding->source_dimension], is_open, error);
    *is_open = axis == NULL && !is_one_member(plan, dimension);
    return VC_OK;
}

/* A dimension without an All cannot be rolled up. Where the rows themselves leave it open, the
 * query is wrong; in their totals the measure is undefined. */
static vc_status fail_open(const vc_plan *plan, size_t dimension, const vc_cube_source *source,
                           const vc_axis *kept, vc_error *error)
{
    vc_str name = plan->cube->dimensions[dimension].name;
    const vc_binding *binding = &source->bindings[dimension];
    if (!vc_binding_is_joined(binding))
        return vc_fail(error, VC_IMPOSSIBLE, "not_aggregatable",
                       "dimension '%.*s' has no All: drill it, or cut one of its members",
                       VC_FMT(name));
    return vc_fail(error, VC_IMPOSSIBLE, "not_aggregatable",
                   "dimension '%.*s' of '%.*s' has no All, and %s several of its members: %s",
                   VC_FMT(source->cube->dimension_names[binding->source_dimension]),
                   VC_FMT(source->alias),
                   kept == NULL ? "the query asks for" : "a row of the query would hold",
                   kept == NULL ? "drill the dimension it is joined to, or cut one of its members"
                                : "drill a lower level, or cut");
}

vc_status vc_grain_check_aggregatable(const vc_grain *grain, const vc_plan_measure *measure,
                                      vc_policy *policy, vc_error *error)
{
    const vc_plan *plan = grain->plan;
    const vc_cube_source *source = &plan->cube->sources[measure->measure->source];
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        const vc_axis *kept = NULL;
        bool is_drilled = false, is_open = false;
        if (!needs_one_member(source, measure, &source->bindings[d])) continue;
        for (size_t i = 0; i < plan->naxes; i++) {
            is_drilled |= plan->axes[i].dimension == d;
            if (plan->axes[i].dimension == d && (grain->kept >> i & 1)) kept = &plan->axes[i];
        }
        vc_status status = find_open(plan, d, kept, source, &is_open, error);
        if (status != VC_OK) return status;
        if (is_open && (!is_drilled || kept != NULL))
            return fail_open(plan, d, source, kept, error);
        policy->is_undefined |= is_open;
    }
    return VC_OK;
}
