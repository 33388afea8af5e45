/* Tables: from the leaf in a fact to the groups of the grouping, one step per dimension.
 *
 * A join is a composition of tables (design). For a dimension that the source has by identity, the
 * step is the selection itself and the level's own table leaf -> member: nothing is made. Through a
 * relation, it is leaf -> unit -> group, made here in O(leaves), so that a scan never knows whether
 * its source was joined; without a condition on the dimension it is the same for every query, and
 * kept with the model.
 *
 * A unit of a relation can be larger than a leaf (a year, where the primary has months). Then the
 * groups of its leaves may differ, or only some of them may be selected: what the source knows is
 * too coarse for such a group, and the group is marked in `coarse` instead of being answered.
 */
#include "slice/table.h"

#include "dimensions/renumber.h"
#include "slice/collect.h"

#include <string.h>

struct making {
    const vc_plan *plan;
    const vc_pass *pass;
    uint32_t kept;
    vc_table *table;
    const vc_shares **shares; /* of the table */
    const vc_cube_source *source;
};

/* ---- passing leaves ---- */

void vc_step_set_passing(vc_step *step, const uint64_t *bits)
{
    uint32_t first = (uint32_t)vc_bits_first(bits, step->nleaves);
    uint32_t end = (uint32_t)vc_bits_end(bits, step->nleaves);
    if (first > end) first = end = 0;
    bool is_range = vc_bits_all(bits, first, end);
    step->first = first;
    step->end = end;
    step->passing = is_range ? NULL : bits;
    step->npassing = is_range ? end - first : (uint32_t)vc_bits_count(bits, step->nleaves);
}

vc_status vc_step_pass_grouped(vc_arena *arena, vc_step *step, const uint32_t *groups,
                               vc_error *error)
{
    uint64_t *bits = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(step->nleaves) + 1);
    if (bits == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < step->nleaves; leaf++)
        bits[leaf >> 6] |= (uint64_t)(groups[leaf] != VC_NONE) << (leaf & 63);
    vc_step_set_passing(step, bits);
    return VC_OK;
}

/* ---- groupings ---- */

static const vc_axis *find_axis(const struct making *in, size_t dimension, size_t *axis_out)
{
    for (size_t i = 0; i < in->plan->naxes; i++)
        if (in->plan->axes[i].dimension == dimension && (in->kept >> i & 1)) {
            *axis_out = i;
            return &in->plan->axes[i];
        }
    return NULL;
}

/* What the query selects of a dimension. A fix replaces a default member. */
static const vc_selection *select_slots(const struct making *in, size_t dimension)
{
    const vc_selection *selection = &in->plan->selections[dimension];
    size_t source_dimension = in->source->bindings[dimension].source_dimension;
    if (selection->whole == NULL) return selection;
    return vc_pass_is_fixed(in->plan, in->pass, source_dimension) ? selection->whole : selection;
}

static vc_grouping group_dimension(const struct making *in, size_t dimension)
{
    size_t number = 0;
    const vc_axis *axis = find_axis(in, dimension, &number);
    return (vc_grouping){.axis = axis,
                         .number = number,
                         .selection = select_slots(in, dimension),
                         .ngroups = axis == NULL ? 1 : axis->ngroups,
                         .stride = axis == NULL ? 0 : in->table->strides[number]};
}

/* ---- units above the leaf ---- */

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

/* ---- steps through relations ---- */

/* A step through a relation, with what it reaches. */
struct mapped_step {
    vc_step step;
    uint64_t *mapped, *coarse; /* [ngroups] */
    uint64_t *repeated;        /* likewise; NULL: none */
    const uint32_t *slots;     /* [nleaves] unit or synthetic slot or VC_NONE, where a leaf has one
                                  at most and units are leaves; else NULL */
};

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

/* ---- sets of groups ---- */

/* Sets of groups, numbered as they come, found by a table of numbers + 1. */
struct sets {
    uint32_t *table, *offsets, *targets;
    uint32_t mask, count;
};

static uint32_t hash_targets(const uint32_t *targets, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = (hash ^ targets[i]) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(hash ^ hash >> 32);
}

static uint32_t find_set(struct sets *sets, const uint32_t *targets, uint32_t count)
{
    uint32_t at = hash_targets(targets, count) & sets->mask;
    for (; sets->table[at] != 0; at = (at + 1) & sets->mask) {
        uint32_t set = sets->table[at] - 1, first = sets->offsets[set];
        if (sets->offsets[set + 1] - first == count &&
            memcmp(sets->targets + first, targets, count * sizeof *targets) == 0)
            return set;
    }
    sets->table[at] = ++sets->count;
    uint32_t first = sets->offsets[sets->count - 1];
    memcpy(sets->targets + first, targets, count * sizeof *targets);
    sets->offsets[sets->count] = first + count;
    return sets->count - 1;
}

/* Number the sets of groups that leaves lead to. A scan may then take a set for one group, as if
 * the relation were not ragged, and share out its cells at the end. */
static vc_status number_sets(vc_step *step, vc_arena *arena, vc_error *error)
{
    uint32_t size = 64, ntargets = step->offsets[step->nleaves];
    while (size < 2 * (uint64_t)step->npassing && size < UINT32_C(1) << 31)
        size *= 2;
    struct sets sets = {.table = VC_ARENA_NEW(arena, uint32_t, size),
                        .offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)step->npassing + 1),
                        .targets = vc_arena_alloc(arena, ((size_t)ntargets + 1) * sizeof(uint32_t)),
                        .mask = size - 1};
    uint32_t *groups = VC_ARENA_NEW(arena, uint32_t, (size_t)step->nleaves + 1);
    if (sets.table == NULL || sets.offsets == NULL || sets.targets == NULL || groups == NULL)
        return vc_no_memory(error);
    for (uint32_t leaf = step->first; leaf < step->end; leaf++)
        if (vc_step_passes(step, leaf))
            groups[leaf] = find_set(&sets, step->targets + step->offsets[leaf],
                                    step->offsets[leaf + 1] - step->offsets[leaf]);
    step->groups = groups;
    step->nsets = sets.count;
    step->set_offsets = sets.offsets;
    step->set_targets = sets.targets;
    return VC_OK;
}

/* A ragged relation of which no leaf has two groups here is an ordinary step. */
static vc_status straighten(vc_step *step, vc_arena *arena, vc_error *error)
{
    uint32_t *groups = vc_arena_alloc(arena, ((size_t)step->nleaves + 1) * sizeof *groups);
    if (groups == NULL) return vc_no_memory(error);
    uint32_t most = 0;
    for (uint32_t leaf = 0; leaf < step->nleaves; leaf++) {
        uint32_t count = step->offsets[leaf + 1] - step->offsets[leaf];
        groups[leaf] = count > 0 ? step->targets[step->offsets[leaf]] : VC_NONE;
        most = count > most ? count : most;
    }
    if (most <= 1) {
        step->groups = groups;
        step->offsets = step->targets = NULL;
    }
    return vc_step_pass_grouped(arena, step, groups, error);
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
    vc_status status = straighten(step, arena, error);
    return status == VC_OK && step->offsets != NULL ? number_sets(step, arena, error) : status;
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
    vc_status status = straighten(step, arena, error);
    return status == VC_OK && step->offsets != NULL ? number_sets(step, arena, error) : status;
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

static vc_status map_slots(const vc_binding *binding, vc_arena *arena, const uint32_t **slots_out,
                           vc_error *error)
{
    const vc_relation *relation = binding->relation;
    *slots_out = relation->units;
    if (binding->synthetic_slots == NULL) return VC_OK;
    uint32_t *slots = vc_arena_alloc(arena, ((size_t)relation->nleaves + 1) * sizeof *slots);
    if (slots == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++)
        slots[leaf] = relation->units[leaf] != VC_NONE ? relation->units[leaf]
                                                       : binding->synthetic_slots[leaf];
    *slots_out = slots;
    return VC_OK;
}

/* Likewise, when a unit's value is repeated for each of the groups that it touches. */
static vc_status make_repeated(const vc_mapping *in, vc_arena *arena, struct mapped_step *out,
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

static vc_status make_mapped(const vc_mapping *in, vc_arena *arena, struct mapped_step *out,
                             vc_error *error)
{
    const vc_relation *relation = in->binding->relation;
    size_t nwords = vc_bits_words(in->grouping.ngroups) + 1;
    uint32_t *unit_groups = NULL;
    *out = (struct mapped_step){.mapped = VC_ARENA_NEW(arena, uint64_t, nwords),
                                .coarse = VC_ARENA_NEW(arena, uint64_t, nwords)};
    if (out->mapped == NULL || out->coarse == NULL) return vc_no_memory(error);
    out->step = in->step;
    vc_status status = VC_OK;
    if (relation->level >= 0 && in->finer == VC_FINER_REPEAT)
        return make_repeated(in, arena, out, error);
    if (relation->level >= 0)
        status = group_units(in->outer, relation, &in->grouping, arena, &unit_groups, out->coarse,
                             out->mapped, error);
    else if (relation->units != NULL)
        status = map_slots(in->binding, arena, &out->slots, error);
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
    struct mapped_step *made = VC_ARENA_NEW(arena, struct mapped_step, 1);
    if (made == NULL) return vc_no_memory(error);
    *step_out = made;
    return make_mapped(context, arena, made, error);
}

/* A bit for each of 64 slots: is it in [first, first + span)? Eight bytes of 0 or 1 become eight
 * bits by one multiplication, which puts byte i at bit 56 + i. */
static uint64_t slots_in_range(const uint32_t *slots, uint32_t first, uint32_t span)
{
    uint8_t is_in[64];
    uint64_t bits = 0;
    for (int i = 0; i < 64; i++)
        is_in[i] = slots[i] - first < span;
    for (int i = 0; i < 64; i += 8) {
        uint64_t bytes = 0;
        for (int j = 0; j < 8; j++)
            bytes |= (uint64_t)is_in[i + j] << 8 * j;
        bits |= (bytes * UINT64_C(0x0102040810204080) >> 56) << i;
    }
    return bits;
}

/* Cut down a step that was made without a condition: which leaves pass is one look at the slot of
 * each. */
static vc_status cut_mapped(const vc_mapping *in, const struct mapped_step *whole, vc_arena *arena,
                            struct mapped_step *out, vc_error *error)
{
    const vc_selection *selection = in->grouping.selection;
    size_t nwords = vc_bits_words(in->grouping.ngroups) + 1;
    uint64_t *bits = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(in->nleaves) + 1);
    *out = *whole;
    out->mapped = VC_ARENA_NEW(arena, uint64_t, nwords);
    if (bits == NULL || out->mapped == NULL) return vc_no_memory(error);
    bool is_range = selection->is_range && !selection->has_synthetic;
    uint32_t first = selection->first, span = selection->end - selection->first;
    uint32_t nwhole = is_range ? in->nleaves / 64 : 0;
    for (uint32_t word = 0; word < nwhole; word++)
        bits[word] = slots_in_range(whole->slots + (size_t)word * 64, first, span);
    for (uint32_t leaf = nwhole * 64; leaf < in->nleaves; leaf++) { /* VC_NONE is in no range */
        uint32_t slot = whole->slots[leaf];
        bool passes =
            is_range ? slot - first < span : slot != VC_NONE && vc_bit_get(selection->slots, slot);
        bits[leaf >> 6] |= (uint64_t)passes << (leaf & 63);
    }
    vc_step_set_passing(&out->step, bits);
    mark_mapped(&out->step, out->mapped);
    return VC_OK;
}

/* The step of a joined dimension. Without a condition it is the model's, made once; with one it is
 * cut from there where units are leaves and each joined leaf has one. */
static vc_status map_dimension(const struct making *in, const vc_mapping *mapping,
                               struct mapped_step *out, vc_error *error)
{
    const vc_plan *plan = in->plan;
    vc_mapping whole = *mapping;
    const vc_axis *axis = mapping->grouping.axis;
    uint64_t variant =
        axis == NULL ? 0 : (uint64_t)axis->hierarchy * VC_MAX_LEVELS + axis->level + 1;
    if (mapping->finer == VC_FINER_REPEAT) variant |= UINT64_C(1) << 32;
    if (axis != NULL && axis->is_collapsed) variant |= UINT64_C(1) << 33;
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
    if (is_cut) return cut_mapped(mapping, remembered, plan->arena, out, error);
    *out = *(const struct mapped_step *)remembered;
    return VC_OK;
}

static vc_mapping map_binding(const struct making *in, size_t dimension,
                              const vc_grouping *grouping)
{
    const vc_binding *binding = &in->source->bindings[dimension];
    uint32_t nleaves = binding->relation->nleaves;
    size_t column =
        binding->tuples != NULL ? VC_COLUMN_TUPLES + dimension : binding->source_dimension;
    return (vc_mapping){.outer = &in->plan->cube->dimensions[dimension],
                        .binding = binding,
                        .grouping = *grouping,
                        .nleaves = nleaves,
                        .finer = vc_binding_finer(in->pass, binding),
                        .step = {.column = (uint16_t)column,
                                 .tuples = binding->tuples,
                                 .components = binding->components,
                                 .nleaves = nleaves,
                                 .is_mapped = true}};
}

static vc_status add_mapped(struct making *in, size_t dimension, const vc_grouping *grouping,
                            vc_error *error)
{
    const vc_mapping mapping = map_binding(in, dimension, grouping);
    struct mapped_step made;
    vc_status status = map_dimension(in, &mapping, &made, error);
    if (status != VC_OK) return status;
    in->table->reaches[dimension] =
        (vc_reach){.is_bound = true,
                   .is_relation = !in->source->bindings[dimension].is_united,
                   .mapped = made.mapped,
                   .coarse = made.coarse,
                   .repeated = made.repeated};
    made.step.stride = grouping->stride;
    made.step.axis = grouping->number;
    made.step.dimension = dimension;
    in->table->steps[in->table->nsteps++] = made.step;
    return VC_OK;
}

/* ---- shares ---- */

static vc_status add_shares(struct making *in, size_t dimension, const vc_grouping *grouping,
                            vc_error *error)
{
    const vc_mapping mapping = map_binding(in, dimension, grouping);
    vc_shares *shares = VC_ARENA_NEW(in->plan->arena, vc_shares, 1);
    if (shares == NULL) return vc_no_memory(error);
    vc_status status = vc_shares_make(&mapping, in->pass, in->plan->arena, shares, error);
    shares->dimension = dimension;
    shares->axis = grouping->axis == NULL ? SIZE_MAX : grouping->number;
    shares->step.dimension = dimension;
    in->table->reaches[dimension] = shares->reach;
    in->shares[in->table->nshares++] = shares;
    return status;
}

/* What is scanned instead: the same steps, and classes of leaves for the groups of those that have
 * shares. Its axes are its own: the kept ones, then one for each that has shares. */
static vc_status make_classes(struct making *in, vc_error *error)
{
    vc_table *table = in->table;
    vc_table *classes = VC_ARENA_NEW(in->plan->arena, vc_table, 1);
    vc_step *steps = VC_ARENA_NEW(in->plan->arena, vc_step, table->nsteps + table->nshares + 1);
    size_t naxes = 0;
    if (classes == NULL || steps == NULL) return vc_no_memory(error);
    memcpy(steps, table->steps, table->nsteps * sizeof *steps);
    *classes = (vc_table){.steps = steps, .nsteps = table->nsteps, .ncells = 1};
    table->classes = classes;
    for (size_t i = 0; i < table->nshares; i++) {
        steps[classes->nsteps] = table->shares[i]->step;
        steps[classes->nsteps++].stride = 1; /* kept: it gets its own */
    }
    for (size_t i = 0; i < classes->nsteps; i++) {
        bool is_share = i >= table->nsteps;
        if (steps[i].stride == 0) continue;
        if (naxes == VC_MAX_AXES)
            return vc_fail(error, VC_LIMIT, "limit_axes",
                           "too many dimensions are drilled or joined by shares: %d are possible",
                           VC_MAX_AXES);
        uint32_t span =
            is_share ? table->shares[i - table->nsteps]->nclasses : table->spans[steps[i].axis];
        classes->firsts[naxes] = is_share ? 0 : table->firsts[steps[i].axis];
        classes->spans[naxes] = span > 0 ? span : 1;
        classes->strides[naxes] = classes->ncells;
        steps[i].stride = classes->ncells;
        steps[i].axis = naxes;
        if (__builtin_mul_overflow(classes->ncells, (uint64_t)classes->spans[naxes++],
                                   &classes->ncells) ||
            classes->ncells > UINT64_MAX / 4)
            return vc_fail(error, VC_LIMIT, "limit_cells",
                           "the drilled dimensions span more than 4.6e18 cells");
    }
    return VC_OK;
}

/* ---- steps by identity ---- */

/* On a ragged level only leaves that have a member there pass. */
static vc_status pass_members(const struct making *in, const vc_axis *axis,
                              const vc_selection *selection, vc_step *step, vc_error *error)
{
    uint64_t *bits = VC_ARENA_NEW(in->plan->arena, uint64_t, vc_bits_words(step->nleaves) + 1);
    if (bits == NULL) return vc_no_memory(error);
    for (uint32_t leaf = selection->first; leaf < selection->end; leaf++)
        if (axis->members[leaf] != VC_NONE &&
            (selection->slots == NULL || vc_bit_get(selection->slots, leaf)))
            vc_bit_set(bits, leaf);
    vc_step_set_passing(step, bits);
    return VC_OK;
}

/* A step that lets every leaf through to group 0 is left out. */
static vc_status add_identity(struct making *in, size_t dimension, const vc_grouping *grouping,
                              vc_error *error)
{
    const vc_axis *axis = grouping->axis;
    const vc_selection *selection = grouping->selection;
    const vc_dimension *outer = in->plan->cube->dimensions[dimension].dimension;
    size_t nwords = vc_bits_words(grouping->ngroups) + 1;
    uint64_t *mapped = VC_ARENA_NEW(in->plan->arena, uint64_t, nwords);
    uint64_t *coarse = VC_ARENA_NEW(in->plan->arena, uint64_t, nwords);
    vc_status status = VC_OK;
    if (mapped == NULL || coarse == NULL) return vc_no_memory(error);
    in->table->reaches[dimension] =
        (vc_reach){.is_bound = true, .mapped = mapped, .coarse = coarse};
    vc_step step = {.column = (uint16_t)in->source->bindings[dimension].source_dimension,
                    .nleaves = outer->nleaves,
                    .first = selection->first,
                    .end = selection->end,
                    .npassing = selection->end - selection->first,
                    .stride = grouping->stride,
                    .axis = grouping->number,
                    .dimension = dimension};
    if (!selection->is_range) {
        step.passing = selection->slots;
        step.npassing = (uint32_t)vc_bits_count(selection->slots, outer->nleaves);
    }
    if (axis != NULL && axis->stored->is_ragged &&
        (status = pass_members(in, axis, selection, &step, error)) != VC_OK)
        return status;
    if (axis != NULL) {
        step.groups = axis->members;
        step.is_ordered = axis->stored->is_contiguous && !axis->stored->is_ragged;
        for (uint32_t group = 0; group < axis->stored->nmembers; group++)
            if (vc_bit_get(axis->visible, group)) vc_bit_set(mapped, group);
    } else if (step.npassing > 0) {
        vc_bit_set(mapped, 0);
    }
    if (axis != NULL || step.npassing < outer->nleaves)
        in->table->steps[in->table->nsteps++] = step;
    return VC_OK;
}

/* The step of one dimension of the cube. */
static vc_status add_step(struct making *in, size_t dimension, vc_error *error)
{
    vc_grouping grouping = group_dimension(in, dimension);
    if (vc_binding_has_shares(in->pass, &in->source->bindings[dimension]))
        return add_shares(in, dimension, &grouping, error);
    return in->source->bindings[dimension].kind == VC_BIND_IDENTITY
               ? add_identity(in, dimension, &grouping, error)
               : add_mapped(in, dimension, &grouping, error);
}

/* ---- fixes and semi-additive measures ---- */

static void add_fix(struct making *in, const vc_cube_fix *fix, bool is_where)
{
    vc_step step = {.column = (uint16_t)fix->source_dimension,
                    .nleaves = in->source->cube->dimensions[fix->source_dimension]->nleaves,
                    .dimension = SIZE_MAX,
                    .is_where = is_where};
    vc_step_set_passing(&step, fix->leaves);
    in->table->steps[in->table->nsteps++] = step;
}

static void add_fixes(struct making *in)
{
    for (size_t i = 0; i < in->pass->nfixes; i++)
        add_fix(in, &in->pass->fixes[i], false);
    for (size_t i = 0; i < in->source->nfixes; i++) {
        bool is_replaced = false;
        for (size_t j = 0; j < in->pass->nfixes; j++)
            is_replaced |=
                in->pass->fixes[j].source_dimension == in->source->fixes[i].source_dimension;
        if (!is_replaced) add_fix(in, &in->source->fixes[i], false);
    }
    for (size_t i = 0; i < in->pass->nwheres; i++)
        add_fix(in, &in->pass->wheres[i], true);
}

/* May a leaf count at all? All steps on its column must let it through. */
static bool passes_all(const struct making *in, uint16_t column, uint32_t leaf)
{
    for (size_t i = 0; i < in->table->nsteps; i++)
        if (in->table->steps[i].column == column && !vc_step_passes(&in->table->steps[i], leaf))
            return false;
    return true;
}

/* By key where leaves share a member, so that it does not matter in which order they were loaded.
 */
vc_status vc_table_find_places(const vc_dimension *dimension, vc_arena *arena,
                               vc_numbers *places_out, vc_error *error)
{
    const vc_hierarchy *main = &dimension->hierarchies[0];
    const vc_level *lowest = &main->levels[main->nlevels - 1];
    *places_out = lowest->leaf_members;
    if (lowest->nmembers == dimension->nleaves) return VC_OK;
    const uint32_t *order;
    vc_status status = vc_dimension_order_leaves(dimension, arena, &order, error);
    if (status != VC_OK) return status;
    uint32_t *places = vc_arena_alloc(arena, (size_t)dimension->nleaves * sizeof *places);
    if (places == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        places[order[i]] = i;
    *places_out = vc_numbers_of(places);
    return VC_OK;
}

static bool comes_later(vc_numbers places, uint32_t a, uint32_t b)
{
    return vc_numbers_get(places, a) > vc_numbers_get(places, b);
}

/* The groups of a leaf in a step, NULL standing for a step that leads everything to group 0. */
static size_t step_groups(const vc_step *step, uint32_t leaf, const uint32_t **groups_out)
{
    static const uint32_t zero = 0;
    *groups_out = &zero;
    if (step == NULL) return 1;
    if (!vc_step_passes(step, leaf)) return 0;
    if (step->offsets != NULL) {
        *groups_out = step->targets + step->offsets[leaf];
        return step->offsets[leaf + 1] - step->offsets[leaf];
    }
    if (step->groups != NULL) *groups_out = step->groups + leaf;
    return 1;
}

/* The step that groups the column; *step_out stays NULL when the column is rolled up. */
static vc_status find_grouped(const struct making *in, uint16_t column, vc_step **step_out,
                              vc_error *error)
{
    for (size_t i = 0; i < in->table->nsteps; i++) {
        vc_step *step = &in->table->steps[i];
        if (step->column != column || step->stride == 0) continue;
        if (*step_out != NULL)
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "a semi-additive measure along '%.*s', when two dimensions that are "
                           "mapped onto it are drilled at once",
                           VC_FMT(in->source->cube->dimension_names[column]));
        *step_out = step;
    }
    return VC_OK;
}

/* Along one component of a composite key, which leaf is the last depends on the others. */
static vc_status check_tuples(const struct making *in, uint16_t column, vc_error *error)
{
    for (size_t i = 0; i < in->table->nsteps; i++) {
        const vc_step *step = &in->table->steps[i];
        for (size_t c = 0; step->tuples != NULL && c < step->tuples->ncomponents; c++)
            if (step->components[c] == column)
                return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                               "a semi-additive measure along '%.*s', which is a part of a "
                               "composite key over several dimensions",
                               VC_FMT(in->source->cube->dimension_names[column]));
    }
    return VC_OK;
}

/* `last` and `first`: of the leaves that the selection leaves in each group of the dimension, only
 * the last (first) one counts, the same for all combinations of the other dimensions. The step that
 * groups the dimension is replaced by one in which the other leaves lead nowhere. */
static vc_status restrict_over(struct making *in, vc_error *error)
{
    vc_arena *arena = in->plan->arena;
    uint16_t column = (uint16_t)in->pass->over_dimension;
    const vc_dimension *dimension = in->source->cube->dimensions[column];
    const uint32_t *groups;
    uint32_t nleaves = dimension->nleaves, ngroups = 1, noffsets = 0;
    vc_numbers places;
    vc_step *grouped = NULL;
    vc_status status = check_tuples(in, column, error);
    if (status == VC_OK) status = find_grouped(in, column, &grouped, error);
    if (status == VC_OK) status = vc_table_find_places(dimension, arena, &places, error);
    if (status != VC_OK) return status;
    size_t ntargets = 0;
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        size_t n = step_groups(grouped, leaf, &groups);
        for (size_t i = 0; i < n; i++)
            if (groups[i] >= ngroups) ngroups = groups[i] + 1;
        ntargets += n;
    }
    uint32_t *best = vc_arena_alloc(arena, ((size_t)ngroups + 1) * sizeof *best);
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)nleaves + 1);
    uint32_t *targets = VC_ARENA_NEW(arena, uint32_t, ntargets + 1);
    if (best == NULL || offsets == NULL || targets == NULL) return vc_no_memory(error);
    memset(best, 0xFF, (size_t)ngroups * sizeof *best);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        if (!passes_all(in, column, leaf)) continue;
        size_t n = step_groups(grouped, leaf, &groups);
        for (size_t i = 0; i < n; i++)
            if (best[groups[i]] == VC_NONE ||
                comes_later(places, leaf, best[groups[i]]) == (in->pass->over == VC_OVER_LAST))
                best[groups[i]] = leaf;
    }
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        size_t n = step_groups(grouped, leaf, &groups);
        for (size_t i = 0; i < n; i++)
            if (best[groups[i]] == leaf) targets[noffsets++] = groups[i];
        offsets[leaf + 1] = noffsets;
    }
    vc_step only = {.column = column, .nleaves = nleaves, .dimension = SIZE_MAX};
    if (grouped != NULL) only = *grouped;
    only.groups = NULL;
    only.nsets = 0;
    only.is_ordered = false;
    only.offsets = offsets;
    only.targets = targets;
    if (grouped == NULL) grouped = &in->table->steps[in->table->nsteps++];
    *grouped = only;
    status = straighten(grouped, arena, error);
    if (grouped->stride == 0) grouped->groups = grouped->offsets = grouped->targets = NULL;
    return status;
}

/* ---- the whole ---- */

/* Strides of the kept axes that the source has, the last axis running fastest. */
static vc_status set_strides(struct making *in, vc_error *error)
{
    vc_table *table = in->table;
    table->ncells = 1;
    for (size_t i = in->plan->naxes; i-- > 0;) {
        if (!(in->kept >> i & 1)) continue;
        const vc_axis *axis = &in->plan->axes[i];
        if (in->source->bindings[axis->dimension].kind == VC_BIND_NONE) {
            table->repeated |= 1u << i;
            continue;
        }
        uint32_t span = axis->end_visible - axis->first_visible;
        table->firsts[i] = axis->first_visible;
        table->spans[i] = span > 0 ? span : 1;
        table->strides[i] = table->ncells;
        if (__builtin_mul_overflow(table->ncells, (uint64_t)table->spans[i], &table->ncells) ||
            table->ncells > UINT64_MAX / 4)
            return vc_fail(error, VC_LIMIT, "limit_cells",
                           "the drilled dimensions span more than 4.6e18 cells");
    }
    return VC_OK;
}

vc_status vc_table_make(const vc_plan *plan, const vc_pass *pass, uint32_t kept,
                        vc_table **table_out, vc_error *error)
{
    vc_table *table = VC_ARENA_NEW(plan->arena, vc_table, 1);
    struct making in = {.plan = plan,
                        .pass = pass,
                        .kept = kept,
                        .table = table,
                        .source = &plan->cube->sources[pass->source]};
    size_t ndimensions = plan->cube->ndimensions;
    if (table == NULL) return vc_no_memory(error);
    table->reaches = VC_ARENA_NEW(plan->arena, vc_reach, ndimensions + 1);
    table->steps = VC_ARENA_NEW(plan->arena, vc_step,
                                ndimensions + pass->nfixes + pass->nwheres + in.source->nfixes + 1);
    table->shares = in.shares = VC_ARENA_NEW(plan->arena, const vc_shares *, ndimensions + 1);
    if (table->reaches == NULL || table->steps == NULL || in.shares == NULL)
        return vc_no_memory(error);
    vc_status status = set_strides(&in, error);
    for (size_t d = 0; d < ndimensions && status == VC_OK; d++)
        if (in.source->bindings[d].kind != VC_BIND_NONE) status = add_step(&in, d, error);
    if (status == VC_OK) add_fixes(&in);
    if (status == VC_OK && table->nshares > 0) {
        status = make_classes(&in, error);
        in.table = table->classes; /* that is what is scanned */
    }
    if (status == VC_OK && (pass->over == VC_OVER_LAST || pass->over == VC_OVER_FIRST))
        status = restrict_over(&in, error);
    *table_out = table;
    return status;
}
