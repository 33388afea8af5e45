/* Steps through a relation: of a joined dimension, whole or cut. */
#include "slice/table.h"

#include "slice/kernels.h"
#include "storage/packed.h"

#include <string.h>

/* What the model remembers of a binding: a step for each level of each hierarchy, with these bits,
 * and the slots of leaves. */
static const uint64_t REPEATED = UINT64_C(1) << 32, COLLAPSED = UINT64_C(1) << 33,
                      LEAF_SLOTS = UINT64_C(1) << 34;

/* The group of each unit; units that straddle groups, or of which a part is not selected, get
 * VC_NONE, and the groups they touch are marked as coarse. A leaf that another join hides is no
 * part of its unit: the query has not asked below the grain because of it. */
static vc_status group_units(const vc_cube_dimension *outer, const vc_relation *relation,
                             const vc_grouping *grouping, vc_arena *arena, uint32_t **units_out,
                             uint64_t *coarse, uint64_t *mapped, vc_error *error)
{
    enum { UNSEEN = VC_NONE - 1 };
    const vc_dimension *dimension = outer->dimension;
    const vc_numbers unit_of =
        dimension->hierarchies[relation->hierarchy].levels[relation->level].leaf_members;
    uint32_t *units = vc_arena_alloc(arena, ((size_t)relation->nunits + 1) * sizeof *units);
    uint64_t *split = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(relation->nunits) + 1);
    uint64_t *known = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(relation->nunits) + 1);
    if (units == NULL || split == NULL || known == NULL) return vc_no_memory(error);
    for (uint32_t unit = 0; unit < relation->nunits; unit++)
        units[unit] = UNSEEN;
    if (vc_grouping_is_below(grouping, relation)) vc_bits_set_range(split, 0, relation->nunits);
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        uint32_t unit = vc_numbers_get(unit_of, leaf), group = vc_grouping_of(grouping, leaf);
        if (outer->visible != NULL && !vc_bit_get(outer->visible, leaf)) continue;
        if (units[unit] == UNSEEN)
            units[unit] = group;
        else if (units[unit] != group)
            vc_bit_set(split, unit);
    }
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *targets;
        size_t ntargets = vc_relation_units(relation, leaf, &targets);
        for (size_t i = 0; i < ntargets; i++)
            vc_bit_set(known, targets[i]);
    }
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        uint32_t group = vc_grouping_of(grouping, leaf), unit = vc_numbers_get(unit_of, leaf);
        if (group != VC_NONE && vc_bit_get(split, unit) && vc_bit_get(known, unit)) {
            vc_bit_set(coarse, group);
            vc_bit_set(mapped, group);
        }
    }
    for (uint32_t unit = 0; unit < relation->nunits; unit++)
        if (units[unit] == UNSEEN || vc_bit_get(split, unit)) units[unit] = VC_NONE;
    *units_out = units;
    return VC_OK;
}

/* The distinct groups of one leaf, added to targets; `seen` [ngroups] holds leaf + 1 of the last
 * leaf that had the group. Returns the new count. */
static size_t add_groups(const vc_relation *relation, const vc_grouping *grouping,
                         const uint32_t *unit_groups, uint32_t leaf, uint32_t *seen,
                         uint32_t *targets, size_t ntargets)
{
    const uint32_t *units;
    size_t nunits = vc_relation_units(relation, leaf, &units);
    for (size_t i = 0; i < nunits; i++) {
        uint32_t group =
            unit_groups != NULL ? unit_groups[units[i]] : vc_grouping_of(grouping, units[i]);
        if (group == VC_NONE || seen[group] == leaf + 1) continue;
        seen[group] = leaf + 1;
        targets[ntargets++] = group;
    }
    return ntargets;
}

static vc_status step_ragged(const vc_mapping *in, const uint32_t *unit_groups, vc_arena *arena,
                             vc_step *step, vc_error *error)
{
    const vc_relation *relation = in->binding->relation;
    const uint32_t *synthetic = in->binding->synthetic_slots;
    size_t room = (size_t)relation->offsets[relation->nleaves] + relation->nleaves + 1;
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)relation->nleaves + 1);
    uint32_t *targets = vc_arena_alloc(arena, room * sizeof *targets);
    uint32_t *seen = VC_ARENA_NEW(arena, uint32_t, (size_t)in->grouping.ngroups + 1);
    size_t ntargets = 0;
    if (offsets == NULL || targets == NULL || seen == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        ntargets = add_groups(relation, &in->grouping, unit_groups, leaf, seen, targets, ntargets);
        if (synthetic != NULL && synthetic[leaf] != VC_NONE) {
            uint32_t group = vc_grouping_of(&in->grouping, synthetic[leaf]);
            if (group != VC_NONE) targets[ntargets++] = group;
        }
        offsets[leaf + 1] = (uint32_t)ntargets;
    }
    step->offsets = offsets;
    step->targets = targets;
    vc_status status = vc_step_straighten(step, arena, error);
    return status == VC_OK && step->offsets != NULL ? vc_step_number_sets(step, arena, error)
                                                    : status;
}

/* The same, of units that may have several groups each. */
static vc_status step_repeated(const vc_mapping *in, const vc_units *units, vc_arena *arena,
                               vc_step *step, vc_error *error)
{
    const vc_relation *relation = in->binding->relation;
    const uint32_t *synthetic = in->binding->synthetic_slots, *of_leaf;
    uint64_t room = relation->nleaves;
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        size_t nunits = vc_relation_units(relation, leaf, &of_leaf);
        for (size_t i = 0; i < nunits; i++)
            room += units->offsets[of_leaf[i] + 1] - units->offsets[of_leaf[i]];
    }
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)relation->nleaves + 1);
    uint32_t *targets = vc_arena_alloc(arena, (room + 1) * sizeof *targets);
    uint32_t *seen = VC_ARENA_NEW(arena, uint32_t, (size_t)in->grouping.ngroups + 1);
    uint32_t ntargets = 0;
    if (offsets == NULL || targets == NULL || seen == NULL || room > UINT32_MAX)
        return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        size_t nunits = vc_relation_units(relation, leaf, &of_leaf);
        for (size_t i = 0; i < nunits; i++)
            for (uint32_t j = units->offsets[of_leaf[i]]; j < units->offsets[of_leaf[i] + 1]; j++) {
                uint32_t group = units->items[j].group;
                if (seen[group] != leaf + 1) targets[ntargets++] = group;
                seen[group] = leaf + 1;
            }
        if (synthetic != NULL && synthetic[leaf] != VC_NONE) {
            uint32_t group = vc_grouping_of(&in->grouping, synthetic[leaf]);
            if (group != VC_NONE) targets[ntargets++] = group;
        }
        offsets[leaf + 1] = ntargets;
    }
    step->offsets = offsets;
    step->targets = targets;
    vc_status status = vc_step_straighten(step, arena, error);
    return status == VC_OK && step->offsets != NULL ? vc_step_number_sets(step, arena, error)
                                                    : status;
}

static vc_status step_single(const vc_mapping *in, const uint32_t *unit_groups, vc_arena *arena,
                             vc_step *step, vc_error *error)
{
    const vc_relation *relation = in->binding->relation;
    const uint32_t *synthetic = in->binding->synthetic_slots;
    uint32_t *groups = vc_arena_alloc(arena, ((size_t)relation->nleaves + 1) * sizeof *groups);
    if (groups == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        uint32_t unit = relation->units[leaf];
        if (unit != VC_NONE)
            groups[leaf] =
                unit_groups != NULL ? unit_groups[unit] : vc_grouping_of(&in->grouping, unit);
        else if (synthetic != NULL && synthetic[leaf] != VC_NONE)
            groups[leaf] = vc_grouping_of(&in->grouping, synthetic[leaf]);
        else
            groups[leaf] = VC_NONE;
    }
    step->groups = groups;
    return vc_step_pass_grouped(arena, step, groups, error);
}

static void mark_mapped(const vc_step *step, uint64_t *mapped)
{
    if (step->offsets != NULL) {
        for (uint32_t i = 0; i < step->offsets[step->nleaves]; i++)
            vc_bit_set(mapped, step->targets[i]);
    } else if (step->groups == NULL) {
        if (step->npassing > 0) vc_bit_set(mapped, 0);
    } else if (step->passing == NULL) {
        for (uint32_t leaf = step->first; leaf < step->end; leaf++)
            vc_bit_set(mapped, step->groups[leaf]);
    } else {
        for (size_t word = step->first / 64; word < vc_bits_words(step->end); word++)
            for (uint64_t left = step->passing[word]; left != 0; left &= left - 1)
                vc_bit_set(mapped, step->groups[word * 64 + (size_t)__builtin_ctzll(left)]);
    }
}

/* Likewise, when a unit's value is repeated for each of the groups that it touches. */
static vc_status make_repeated(const vc_mapping *in, vc_arena *arena, vc_mapped_step *out,
                               vc_error *error)
{
    vc_units units;
    out->repeated = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(in->grouping.ngroups) + 1);
    if (out->repeated == NULL) return vc_no_memory(error);
    vc_status status = vc_units_make(in, arena, &units, error);
    if (status == VC_OK) status = vc_units_mark_split(in, &units, out->repeated, error);
    if (status == VC_OK) status = step_repeated(in, &units, arena, &out->step, error);
    if (status != VC_OK) return status;
    if (in->grouping.axis == NULL) out->step.groups = out->step.offsets = out->step.targets = NULL;
    mark_mapped(&out->step, out->mapped);
    return VC_OK;
}

static vc_status make_mapped(const vc_mapping *in, vc_arena *arena, vc_mapped_step *out,
                             vc_error *error)
{
    const vc_relation *relation = in->binding->relation;
    size_t nwords = vc_bits_words(in->grouping.ngroups) + 1;
    uint32_t *unit_groups = NULL;
    *out = (vc_mapped_step){.mapped = VC_ARENA_NEW(arena, uint64_t, nwords),
                            .coarse = VC_ARENA_NEW(arena, uint64_t, nwords)};
    if (out->mapped == NULL || out->coarse == NULL) return vc_no_memory(error);
    out->step = in->step;
    vc_status status = VC_OK;
    if (relation->level >= 0 && in->finer == VC_FINER_REPEAT)
        return make_repeated(in, arena, out, error);
    if (relation->level >= 0)
        status = group_units(in->outer, relation, &in->grouping, arena, &unit_groups, out->coarse,
                             out->mapped, error);
    if (status == VC_OK)
        status = relation->units != NULL ? step_single(in, unit_groups, arena, &out->step, error)
                                         : step_ragged(in, unit_groups, arena, &out->step, error);
    if (status != VC_OK) return status;
    if (in->grouping.axis == NULL) /* all that passes is in group 0 */
        out->step.groups = out->step.offsets = out->step.targets = NULL;
    mark_mapped(&out->step, out->mapped);
    return VC_OK;
}

static vc_status remember_mapped(void *context, vc_arena *arena, const void **step_out,
                                 vc_error *error)
{
    vc_mapped_step *made = VC_ARENA_NEW(arena, vc_mapped_step, 1);
    if (made == NULL) return vc_no_memory(error);
    *step_out = made;
    return make_mapped(context, arena, made, error);
}

/* ---- cuts ---- */

/* The slot of each joined leaf, where a leaf has one at most and units are leaves, as the kernels
 * read them: numbers of 32 bits are packed as they are. */
struct leaf_slots {
    const uint32_t *slots; /* [a unit more than nleaves] aligned to 64; 0 where there is none */
    const uint64_t *has;   /* [likewise] bits */
};

static vc_status make_leaf_slots(void *context, vc_arena *arena, const void **made_out,
                                 vc_error *error)
{
    const vc_binding *binding = context;
    const vc_relation *relation = binding->relation;
    size_t room = (size_t)relation->nleaves + VC_UNIT_ROWS;
    struct leaf_slots *made = VC_ARENA_NEW(arena, struct leaf_slots, 1);
    char *bytes = VC_ARENA_NEW(arena, char, room * sizeof *made->slots + 64);
    uint64_t *has = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(room) + 1);
    if (made == NULL || bytes == NULL || has == NULL) return vc_no_memory(error);
    uint32_t *slots = (uint32_t *)(void *)(bytes + (64 - (uintptr_t)bytes % 64) % 64);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        uint32_t slot = relation->units[leaf];
        if (slot == VC_NONE && binding->synthetic_slots != NULL)
            slot = binding->synthetic_slots[leaf];
        if (slot == VC_NONE) continue;
        slots[leaf] = slot;
        vc_bit_set(has, leaf);
    }
    *made = (struct leaf_slots){.slots = slots, .has = has};
    *made_out = made;
    return VC_OK;
}

/* Which leaves of a joined dimension a selection lets through. */
typedef struct vc_cut_leaves {
    struct vc_cut_leaves *next;
    const vc_binding *binding;
    vc_selection selection;
    uint64_t *bits; /* [nleaves] */
} vc_cut_leaves;

static vc_status make_cut(const vc_plan *plan, const vc_mapping *in, const struct leaf_slots *of,
                          uint64_t **bits_out, vc_error *error)
{
    const vc_selection *selection = in->grouping.selection;
    const vc_packed_kernels *packed = vc_packed_get_kernels(vc_cpu_get_level());
    const vc_kernels *kernels = vc_kernels_get(vc_cpu_get_level());
    size_t nwords = vc_bits_words(in->nleaves) + VC_UNIT_ROWS / 64;
    uint64_t *bits = vc_arena_alloc(plan->arena, nwords * sizeof *bits);
    if (bits == NULL) return vc_no_memory(error);
    memcpy(bits, of->has, nwords * sizeof *bits);
    if (selection->first >= selection->end && !selection->has_synthetic)
        memset(bits, 0, nwords * sizeof *bits);
    else if (!selection->has_synthetic)
        packed->filter(of->slots, 32, in->nleaves, selection->first, selection->end - 1, bits);
    if (!selection->is_range || selection->has_synthetic)
        kernels->filter_set(of->slots, in->nleaves, 0, selection->slots, bits);
    *bits_out = bits;
    return VC_OK;
}

/* Every grouping of a query has the same cut. */
static vc_status find_cut(const vc_plan *plan, const vc_mapping *in, const struct leaf_slots *of,
                          const uint64_t **bits_out, vc_error *error)
{
    const vc_selection *selection = in->grouping.selection;
    vc_cut_leaves *found = plan->root->cut_leaves;
    for (; found != NULL; found = found->next)
        if (found->binding == in->binding && found->selection.slots == selection->slots &&
            found->selection.first == selection->first && found->selection.end == selection->end &&
            found->selection.has_synthetic == selection->has_synthetic)
            break;
    if (found == NULL) {
        found = VC_ARENA_NEW(plan->arena, vc_cut_leaves, 1);
        if (found == NULL) return vc_no_memory(error);
        *found = (vc_cut_leaves){
            .next = plan->root->cut_leaves, .binding = in->binding, .selection = *selection};
        vc_status status = make_cut(plan, in, of, &found->bits, error);
        if (status != VC_OK) return status;
        plan->root->cut_leaves = found;
    }
    *bits_out = found->bits;
    return VC_OK;
}

/* Cut down a step that was made without a condition. */
static vc_status cut_mapped(const vc_plan *plan, const vc_mapping *in, const vc_mapped_step *whole,
                            vc_mapped_step *out, vc_error *error)
{
    const void *slots;
    const uint64_t *bits = NULL;
    *out = *whole;
    vc_status status = vc_model_memo(plan->model, in->binding, LEAF_SLOTS, make_leaf_slots,
                                     (void *)in->binding, &slots, error);
    if (status == VC_OK) status = find_cut(plan, in, slots, &bits, error);
    if (status != VC_OK) return status;
    out->mapped = VC_ARENA_NEW(plan->arena, uint64_t, vc_bits_words(in->grouping.ngroups) + 1);
    if (out->mapped == NULL) return vc_no_memory(error);
    vc_step_set_passing(&out->step, bits);
    mark_mapped(&out->step, out->mapped);
    return VC_OK;
}

/* The step of a joined dimension. Without a condition it is the model's, made once; with one it is
 * cut from there where units are leaves and each joined leaf has one. */
vc_status vc_mapping_make_step(const vc_plan *plan, const vc_mapping *mapping, vc_mapped_step *out,
                               vc_error *error)
{
    vc_mapping whole = *mapping;
    const vc_axis *axis = mapping->grouping.axis;
    uint64_t variant =
        axis == NULL ? 0 : (uint64_t)axis->hierarchy * VC_MAX_LEVELS + axis->level + 1;
    if (mapping->finer == VC_FINER_REPEAT) variant |= REPEATED;
    if (axis != NULL && axis->is_collapsed) variant |= COLLAPSED;
    bool is_cut = mapping->grouping.selection->slots != mapping->outer->visible;
    bool can_cut = mapping->binding->relation->level < 0 &&
                   mapping->binding->relation->units != NULL &&
                   (axis == NULL || !axis->stored->is_ragged);
    if (is_cut && !can_cut) return make_mapped(mapping, plan->arena, out, error);
    vc_selection uncut = {.slots = mapping->outer->visible};
    whole.grouping.selection = &uncut;
    const void *remembered;
    vc_status status = vc_model_memo(plan->model, mapping->binding, variant, remember_mapped,
                                     &whole, &remembered, error);
    if (status != VC_OK) return status;
    if (is_cut) return cut_mapped(plan, mapping, remembered, out, error);
    *out = *(const vc_mapped_step *)remembered;
    return VC_OK;
}
