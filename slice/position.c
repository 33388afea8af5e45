#include "slice/position.h"

/* Are the leaves of a selection those of one member of a level, as far as the cube has them? */
static bool is_member(const vc_cube_dimension *outer, const vc_selection *selection,
                      const vc_level *level, uint32_t *member_out)
{
    uint32_t member = VC_NONE;
    for (uint32_t leaf = selection->first; leaf < selection->end; leaf++) {
        if (!vc_bit_get(selection->slots, leaf)) continue;
        uint32_t of_leaf = vc_numbers_get(level->leaf_members, leaf);
        if (member != VC_NONE && of_leaf != member) return false;
        member = of_leaf;
    }
    for (uint32_t leaf = 0; leaf < outer->dimension->nleaves; leaf++)
        if (vc_numbers_get(level->leaf_members, leaf) == member &&
            !vc_bit_get(selection->slots, leaf) &&
            (outer->visible == NULL || vc_bit_get(outer->visible, leaf)))
            return false;
    *member_out = member;
    return member != VC_NONE && !vc_member_is_hidden(level, member);
}

/* The level that a condition on the dimension names by its one path, or by name. */
static bool find_named(const vc_plan *plan, const vc_condition *condition, size_t dimension,
                       vc_position *position_out)
{
    const vc_cube_dimension *outer = &plan->cube->dimensions[dimension];
    const vc_dimension *stored = outer->dimension;
    vc_position at;
    vc_member_ref found;
    if (!vc_str_equal(condition->dimref.dimension, outer->name) ||
        condition->kind != VC_CONDITION_ITEMS || condition->nitems != 1 ||
        condition->items[0].kind != VC_ITEM_PATH ||
        vc_dimension_find_hierarchy(stored, condition->dimref.hierarchy, &at.hierarchy, NULL) !=
            VC_OK)
        return false;
    if (condition->dimref.level.data != NULL) {
        if (vc_hierarchy_find_level(stored, at.hierarchy, condition->dimref.level, &at.level,
                                    NULL) != VC_OK)
            return false;
    } else if (condition->items[0].nkeys == 0 ||
               vc_hierarchy_find_member(stored, at.hierarchy, condition->items[0].keys,
                                        condition->items[0].nkeys, plan->arena, &found,
                                        NULL) != VC_OK) {
        return false;
    } else {
        at.level = found.level;
    }
    *position_out = at;
    return true;
}

bool vc_plan_position(const vc_plan *plan, size_t dimension, int hierarchy,
                      vc_position *position_out)
{
    const vc_cube_dimension *outer = &plan->cube->dimensions[dimension];
    const vc_selection *selection = &plan->selections[dimension];
    const vc_hierarchy *hierarchies = outer->dimension->hierarchies;
    vc_position at;
    if ((!selection->is_cut && !selection->is_default) || selection->has_synthetic ||
        selection->first == selection->end)
        return false;
    for (size_t i = 0; i < plan->query->nconditions; i++)
        if (find_named(plan, plan->query->conditions[i], dimension, &at) &&
            (hierarchy < 0 || at.hierarchy == (unsigned)hierarchy) &&
            is_member(outer, selection, &hierarchies[at.hierarchy].levels[at.level], &at.member)) {
            *position_out = at;
            return true;
        }
    for (at.hierarchy = 0; at.hierarchy < outer->dimension->nhierarchies; at.hierarchy++)
        for (at.level = 0; at.level < hierarchies[at.hierarchy].nlevels; at.level++)
            if ((hierarchy < 0 || at.hierarchy == (unsigned)hierarchy) &&
                is_member(outer, selection, &hierarchies[at.hierarchy].levels[at.level],
                          &at.member)) {
                *position_out = at;
                return true;
            }
    return false;
}
