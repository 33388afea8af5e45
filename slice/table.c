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

#include <string.h>
/* ---- groupings ---- */

static const vc_axis *find_axis(const vc_making *in, size_t dimension, size_t *axis_out)
{
    for (size_t i = 0; i < in->plan->naxes; i++)
        if (in->plan->axes[i].dimension == dimension && (in->kept >> i & 1)) {
            *axis_out = i;
            return &in->plan->axes[i];
        }
    return NULL;
}

static vc_grouping group_dimension(const vc_making *in, size_t dimension)
{
    size_t number = 0;
    const vc_axis *axis = find_axis(in, dimension, &number);
    return (vc_grouping){.axis = axis,
                         .number = number,
                         .selection = vc_pass_selection(in->plan, in->pass, dimension),
                         .ngroups = axis == NULL ? 1 : axis->ngroups,
                         .stride = axis == NULL ? 0 : in->table->strides[number]};
}

/* ---- steps through relations ---- */

static vc_mapping map_binding(const vc_making *in, size_t dimension, const vc_grouping *grouping)
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

static vc_status add_mapped(vc_making *in, size_t dimension, const vc_grouping *grouping,
                            vc_error *error)
{
    const vc_mapping mapping = map_binding(in, dimension, grouping);
    vc_mapped_step made;
    vc_status status = vc_mapping_make_step(in->plan, &mapping, &made, error);
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

static vc_status add_shares(vc_making *in, size_t dimension, const vc_grouping *grouping,
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
static vc_status make_classes(vc_making *in, vc_error *error)
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
static vc_status pass_members(const vc_making *in, const vc_axis *axis,
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
static vc_status add_identity(vc_making *in, size_t dimension, const vc_grouping *grouping,
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
static vc_status add_step(vc_making *in, size_t dimension, vc_error *error)
{
    vc_grouping grouping = group_dimension(in, dimension);
    if (vc_binding_has_shares(in->pass, &in->source->bindings[dimension]))
        return add_shares(in, dimension, &grouping, error);
    return in->source->bindings[dimension].kind == VC_BIND_IDENTITY
               ? add_identity(in, dimension, &grouping, error)
               : add_mapped(in, dimension, &grouping, error);
}

/* ---- fixes ---- */

static void add_fix(vc_making *in, const vc_cube_fix *fix, bool is_where)
{
    vc_step step = {.column = (uint16_t)fix->source_dimension,
                    .nleaves = in->source->cube->dimensions[fix->source_dimension]->nleaves,
                    .dimension = SIZE_MAX,
                    .is_where = is_where};
    vc_step_set_passing(&step, fix->leaves);
    in->table->steps[in->table->nsteps++] = step;
}

static void add_fixes(vc_making *in)
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

/* ---- the whole ---- */

/* Strides of the kept axes that the source has, the last axis running fastest. */
static vc_status set_strides(vc_making *in, vc_error *error)
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
    vc_making in = {.plan = plan,
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
        status = vc_table_restrict_over(&in, error);
    *table_out = table;
    return status;
}
