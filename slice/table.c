/* Tables: from the leaf in a fact to the groups of the grouping, one step per dimension.
 *
 * A join is a composition of tables (design). For a dimension that the source has by identity, the
 * step is the axis' own table slot -> group. Through a relation, it is leaf -> unit -> group, made
 * here in O(leaves), so that a scan never knows whether its source was joined.
 *
 * A unit of a relation can be larger than a leaf (a year, where the primary has months). Then the
 * groups of its leaves may differ, or only some of them may be selected: what the source knows is
 * too coarse for such a group, and the group is marked in `coarse` instead of being answered.
 */
#include "slice/plan.h"

#include <string.h>

struct making {
    const vc_plan *plan;
    const vc_pass *pass;
    uint32_t kept;
    vc_table *table;
    const vc_cube_source *source;
};

/* The groups of a dimension under the grouping: those of its axis when that is kept, else one group
 * 0 for all that is selected. `groups` NULL: every slot is in group 0. */
struct grouping {
    const vc_axis *axis;    /* NULL: rolled up */
    const uint32_t *groups; /* [nslots] */
    uint32_t ngroups;
    uint64_t stride;
};

static const vc_axis *find_axis(const struct making *in, size_t dimension, size_t *axis_out)
{
    for (size_t i = 0; i < in->plan->naxes; i++)
        if (in->plan->axes[i].dimension == dimension && (in->kept >> i & 1)) {
            *axis_out = i;
            return &in->plan->axes[i];
        }
    return NULL;
}

static vc_status group_dimension(const struct making *in, size_t dimension, struct grouping *out,
                                 vc_error *error)
{
    size_t number;
    const vc_axis *axis = find_axis(in, dimension, &number);
    const uint64_t *selected = in->plan->selections[dimension].slots;
    uint32_t nslots = in->plan->cube->dimensions[dimension].nslots;
    if (axis != NULL) {
        *out = (struct grouping){.axis = axis,
                                 .groups = axis->groups,
                                 .ngroups = axis->ngroups,
                                 .stride = in->table->strides[number]};
        return VC_OK;
    }
    *out = (struct grouping){.ngroups = 1};
    if (selected == NULL) return VC_OK;
    uint32_t *groups = vc_arena_alloc(in->plan->arena, ((size_t)nslots + 1) * sizeof *groups);
    if (groups == NULL) return vc_no_memory(error);
    for (uint32_t slot = 0; slot < nslots; slot++)
        groups[slot] = vc_bit_get(selected, slot) ? 0 : VC_NONE;
    out->groups = groups;
    return VC_OK;
}

static uint32_t group_of(const struct grouping *grouping, uint32_t slot)
{
    return grouping->groups == NULL ? 0 : grouping->groups[slot];
}

/* ---- units above the leaf ---- */

/* Are rows asked for below the units? A year's total is nothing that a month has, and that the year
 * happens to have one month so far does not make it January's. */
static bool is_below_units(const struct grouping *grouping, const vc_relation *relation)
{
    return grouping->axis != NULL && (int)grouping->axis->hierarchy == relation->hierarchy &&
           (int)grouping->axis->level > relation->level;
}

/* The group of each unit; units that straddle groups, or of which a part is not selected, get
 * VC_NONE, and the groups they touch are marked as coarse. A leaf that another join hides is no
 * part of its unit: the query has not asked below the grain because of it. */
static vc_status group_units(const struct making *in, const vc_cube_dimension *outer,
                             const vc_relation *relation, const struct grouping *grouping,
                             uint32_t **units_out, uint64_t *coarse, uint64_t *mapped,
                             vc_error *error)
{
    enum { UNSEEN = VC_NONE - 1 };
    const vc_dimension *dimension = outer->dimension;
    const vc_numbers unit_of =
        dimension->hierarchies[relation->hierarchy].levels[relation->level].leaf_members;
    vc_arena *arena = in->plan->arena;
    uint32_t *units = vc_arena_alloc(arena, ((size_t)relation->nunits + 1) * sizeof *units);
    uint64_t *split = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(relation->nunits) + 1);
    uint64_t *known = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(relation->nunits) + 1);
    if (units == NULL || split == NULL || known == NULL) return vc_no_memory(error);
    for (uint32_t unit = 0; unit < relation->nunits; unit++)
        units[unit] = UNSEEN;
    if (is_below_units(grouping, relation)) vc_bits_set_range(split, 0, relation->nunits);
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        uint32_t unit = vc_numbers_get(unit_of, leaf), group = group_of(grouping, leaf);
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
        uint32_t group = group_of(grouping, leaf), unit = vc_numbers_get(unit_of, leaf);
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

/* The distinct groups of one leaf, added to targets; `seen` [ngroups] holds leaf + 1 of the last
 * leaf that had the group. Returns the new count. */
static size_t add_groups(const vc_relation *relation, const struct grouping *grouping,
                         const uint32_t *unit_groups, uint32_t leaf, uint32_t *seen,
                         uint32_t *targets, size_t ntargets)
{
    const uint32_t *units;
    size_t nunits = vc_relation_units(relation, leaf, &units);
    for (size_t i = 0; i < nunits; i++) {
        uint32_t group = unit_groups != NULL ? unit_groups[units[i]] : group_of(grouping, units[i]);
        if (group == VC_NONE || seen[group] == leaf + 1) continue;
        seen[group] = leaf + 1;
        targets[ntargets++] = group;
    }
    return ntargets;
}

static vc_status step_ragged(const struct making *in, const vc_binding *binding,
                             const struct grouping *grouping, const uint32_t *unit_groups,
                             vc_step *step, vc_error *error)
{
    const vc_relation *relation = binding->relation;
    vc_arena *arena = in->plan->arena;
    size_t room = (size_t)relation->offsets[relation->nleaves] + relation->nleaves + 1;
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)relation->nleaves + 1);
    uint32_t *targets = vc_arena_alloc(arena, room * sizeof *targets);
    uint32_t *seen = VC_ARENA_NEW(arena, uint32_t, (size_t)grouping->ngroups + 1);
    size_t ntargets = 0;
    if (offsets == NULL || targets == NULL || seen == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        ntargets = add_groups(relation, grouping, unit_groups, leaf, seen, targets, ntargets);
        if (binding->synthetic_slots != NULL && binding->synthetic_slots[leaf] != VC_NONE) {
            uint32_t group = group_of(grouping, binding->synthetic_slots[leaf]);
            if (group != VC_NONE) targets[ntargets++] = group;
        }
        offsets[leaf + 1] = (uint32_t)ntargets;
    }
    step->offsets = offsets;
    step->targets = targets;
    return VC_OK;
}

static vc_status step_single(const struct making *in, const vc_binding *binding,
                             const struct grouping *grouping, const uint32_t *unit_groups,
                             vc_step *step, vc_error *error)
{
    const vc_relation *relation = binding->relation;
    uint32_t *groups =
        vc_arena_alloc(in->plan->arena, ((size_t)relation->nleaves + 1) * sizeof *groups);
    if (groups == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        uint32_t unit = relation->units[leaf];
        if (unit != VC_NONE)
            groups[leaf] = unit_groups != NULL ? unit_groups[unit] : group_of(grouping, unit);
        else if (binding->synthetic_slots != NULL && binding->synthetic_slots[leaf] != VC_NONE)
            groups[leaf] = group_of(grouping, binding->synthetic_slots[leaf]);
        else
            groups[leaf] = VC_NONE;
    }
    step->groups = groups;
    return VC_OK;
}

static void mark_mapped(const vc_step *step, uint64_t *mapped)
{
    if (step->groups != NULL) {
        for (uint32_t leaf = 0; leaf < step->nleaves; leaf++)
            if (step->groups[leaf] != VC_NONE) vc_bit_set(mapped, step->groups[leaf]);
        return;
    }
    for (uint32_t i = 0; i < step->offsets[step->nleaves]; i++)
        vc_bit_set(mapped, step->targets[i]);
}

/* The step of one dimension of the cube. A step that leads every leaf to group 0 is left out. */
static vc_status add_step(struct making *in, size_t dimension, vc_error *error)
{
    const vc_binding *binding = &in->source->bindings[dimension];
    const vc_cube_dimension *outer = &in->plan->cube->dimensions[dimension];
    vc_reach *reach = &in->table->reaches[dimension];
    struct grouping grouping;
    vc_status status = group_dimension(in, dimension, &grouping, error);
    if (status != VC_OK) return status;
    size_t nwords = vc_bits_words(grouping.ngroups) + 1;
    uint64_t *mapped = VC_ARENA_NEW(in->plan->arena, uint64_t, nwords);
    uint64_t *coarse = VC_ARENA_NEW(in->plan->arena, uint64_t, nwords);
    if (mapped == NULL || coarse == NULL) return vc_no_memory(error);
    *reach = (vc_reach){.is_bound = true,
                        .is_relation = binding->kind == VC_BIND_RELATION,
                        .mapped = mapped,
                        .coarse = coarse};
    vc_step step = {.column = (uint16_t)binding->source_dimension,
                    .stride = grouping.stride,
                    .nleaves = in->source->cube->dimensions[binding->source_dimension]->nleaves};
    if (binding->kind == VC_BIND_IDENTITY) {
        if (grouping.groups == NULL) {
            if (outer->dimension->nleaves > 0) vc_bit_set(mapped, 0);
            return VC_OK;
        }
        step.groups = grouping.groups;
        step.nleaves = outer->dimension->nleaves;
    } else {
        const vc_relation *relation = binding->relation;
        uint32_t *unit_groups = NULL;
        if (relation->level >= 0)
            status =
                group_units(in, outer, relation, &grouping, &unit_groups, coarse, mapped, error);
        if (status == VC_OK)
            status = relation->units != NULL
                         ? step_single(in, binding, &grouping, unit_groups, &step, error)
                         : step_ragged(in, binding, &grouping, unit_groups, &step, error);
        if (status != VC_OK) return status;
    }
    mark_mapped(&step, mapped);
    in->table->steps[in->table->nsteps++] = step;
    return VC_OK;
}

/* ---- fixes and semi-additive measures ---- */

static vc_status add_fix(struct making *in, const vc_cube_fix *fix, vc_error *error)
{
    uint32_t nleaves = in->source->cube->dimensions[fix->source_dimension]->nleaves;
    uint32_t *groups = vc_arena_alloc(in->plan->arena, ((size_t)nleaves + 1) * sizeof *groups);
    if (groups == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++)
        groups[leaf] = vc_bit_get(fix->leaves, leaf) ? 0 : VC_NONE;
    in->table->steps[in->table->nsteps++] =
        (vc_step){.column = (uint16_t)fix->source_dimension, .groups = groups, .nleaves = nleaves};
    return VC_OK;
}

static vc_status add_fixes(struct making *in, vc_error *error)
{
    for (size_t i = 0; i < in->pass->nfixes; i++) {
        vc_status status = add_fix(in, &in->pass->fixes[i], error);
        if (status != VC_OK) return status;
    }
    for (size_t i = 0; i < in->source->nfixes; i++) {
        bool is_replaced = false;
        for (size_t j = 0; j < in->pass->nfixes; j++)
            is_replaced |=
                in->pass->fixes[j].source_dimension == in->source->fixes[i].source_dimension;
        vc_status status = is_replaced ? VC_OK : add_fix(in, &in->source->fixes[i], error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* May a leaf count at all? All steps on its column must let it through. */
static bool passes_all(const struct making *in, uint16_t column, uint32_t leaf)
{
    for (size_t i = 0; i < in->table->nsteps; i++) {
        const vc_step *step = &in->table->steps[i];
        if (step->column != column) continue;
        if (step->groups != NULL ? step->groups[leaf] == VC_NONE
                                 : step->offsets[leaf] == step->offsets[leaf + 1])
            return false;
    }
    return true;
}

/* The order of leaves along a dimension: by their member on the lowest level, then by number. */
static bool comes_later(vc_numbers order, uint32_t a, uint32_t b)
{
    uint32_t place = vc_numbers_get(order, a), other = vc_numbers_get(order, b);
    return place != other ? place > other : a > b;
}

/* The groups of a leaf in a step, NULL standing for a step that leads everything to group 0. */
static size_t step_groups(const vc_step *step, uint32_t leaf, const uint32_t **groups_out)
{
    static const uint32_t zero = 0;
    *groups_out = step == NULL ? &zero : step->groups;
    if (step == NULL) return 1;
    if (step->groups != NULL) {
        *groups_out += leaf;
        return step->groups[leaf] != VC_NONE;
    }
    *groups_out = step->targets + step->offsets[leaf];
    return step->offsets[leaf + 1] - step->offsets[leaf];
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

/* `last` and `first`: of the leaves that the selection leaves in each group of the dimension, only
 * the last (first) one counts, the same for all combinations of the other dimensions. The step that
 * groups the dimension is replaced by one in which the other leaves lead nowhere. */
static vc_status restrict_over(struct making *in, vc_error *error)
{
    vc_arena *arena = in->plan->arena;
    uint16_t column = (uint16_t)in->pass->over_dimension;
    const vc_dimension *dimension = in->source->cube->dimensions[column];
    const vc_hierarchy *main = &dimension->hierarchies[0];
    const vc_numbers order = main->levels[main->nlevels - 1].leaf_members;
    const uint32_t *groups;
    uint32_t nleaves = dimension->nleaves, ngroups = 1, noffsets = 0;
    vc_step *grouped = NULL;
    vc_status status = find_grouped(in, column, &grouped, error);
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
                comes_later(order, leaf, best[groups[i]]) == (in->pass->over == VC_OVER_LAST))
                best[groups[i]] = leaf;
    }
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        size_t n = step_groups(grouped, leaf, &groups);
        for (size_t i = 0; i < n; i++)
            if (best[groups[i]] == leaf) targets[noffsets++] = groups[i];
        offsets[leaf + 1] = noffsets;
    }
    vc_step only = {.column = column,
                    .nleaves = nleaves,
                    .stride = grouped == NULL ? 0 : grouped->stride,
                    .offsets = offsets,
                    .targets = targets};
    if (grouped == NULL) grouped = &in->table->steps[in->table->nsteps++];
    *grouped = only;
    return VC_OK;
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
        table->strides[i] = table->ncells;
        uint64_t ngroups = axis->ngroups > 0 ? axis->ngroups : 1;
        if (__builtin_mul_overflow(table->ncells, ngroups, &table->ncells) ||
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
    table->steps =
        VC_ARENA_NEW(plan->arena, vc_step, ndimensions + pass->nfixes + in.source->nfixes + 1);
    if (table->reaches == NULL || table->steps == NULL) return vc_no_memory(error);
    vc_status status = set_strides(&in, error);
    for (size_t d = 0; d < ndimensions && status == VC_OK; d++)
        if (in.source->bindings[d].kind != VC_BIND_NONE) status = add_step(&in, d, error);
    if (status == VC_OK) status = add_fixes(&in, error);
    if (status == VC_OK && pass->over != VC_OVER_NONE) status = restrict_over(&in, error);
    *table_out = table;
    return status;
}
