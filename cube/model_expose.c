/* "expose_as_level": the members of a joined cube as a level below the primary's.
 *
 * The dimension of the virtual cube becomes another one, whose leaves are the joined members under
 * each member that they belong to (model_expose_build.c). The join then is of leaves; everybody
 * else who is bound to the dimension, the primary first, stands at the level that was the lowest
 * one, and below it says what `finer` says. So cuts, totals and all the rest are what they are for
 * any source that is joined above the leaves.
 */
#include "cube/model_virtual.h"

#include "base/bits.h"

#include <stdlib.h>
#include <string.h>

struct exposing {
    vc_virtual_builder *builder;
    size_t source, dimension;
    const vc_expose_def *definition;
    const vc_dimension *primary; /* as it was */
    const vc_dimension *made;
    const uint32_t *rests;  /* [leaves of the primary] its rest among the leaves of `made` */
    const uint32_t *leaves; /* [pairs] */
    const vc_relation *old[3 * VC_MAX_SOURCES], *lifted[3 * VC_MAX_SOURCES]; /* what became what */
    size_t nlifted;
};

/* ---- what can be exposed ---- */

static const vc_level *lowest_level(const vc_dimension *dimension)
{
    const vc_hierarchy *main = &dimension->hierarchies[0];
    return &main->levels[main->nlevels - 1];
}

/* The relation must be of the primary's leaves, and these the members of its lowest level: else
 * there would be no member that the new ones are below. */
static vc_status check_units(const struct exposing *in, const vc_relation *relation,
                             vc_error *error)
{
    const vc_dimension *primary = in->primary;
    const vc_hierarchy *main = &primary->hierarchies[0];
    vc_str name = in->builder->dimensions[in->dimension].name;
    for (unsigned h = 0; h < primary->nhierarchies; h++)
        if (primary->hierarchies[h].is_parent_child)
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "'%.*s' has a parent-child hierarchy; a level below its members is not "
                           "supported by this version",
                           VC_FMT(name));
    if (relation->level >= 0 &&
        (relation->hierarchy != 0 || relation->level != (int)main->nlevels - 1)) {
        vc_str level = primary->hierarchies[relation->hierarchy].levels[relation->level].name;
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "the join is at '%.*s' of '%.*s', above its lowest level '%.*s'; only below "
                       "that can members be a level",
                       VC_FMT(level), VC_FMT(name), VC_FMT(lowest_level(primary)->name));
    }
    if (lowest_level(primary)->nmembers != primary->nleaves)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "'%.*s' has %u leaves, which are %u members of its lowest level '%.*s'; a "
                       "level below it needs a level of the leaves themselves",
                       VC_FMT(name), primary->nleaves, lowest_level(primary)->nmembers,
                       VC_FMT(lowest_level(primary)->name));
    return VC_OK;
}

static vc_status check_levels(const struct exposing *in, vc_str name, vc_error *error)
{
    const vc_cube_dimension *outer = &in->builder->dimensions[in->dimension];
    for (unsigned h = 0; h < in->primary->nhierarchies; h++) {
        const vc_hierarchy *hierarchy = &in->primary->hierarchies[h];
        if (hierarchy->nlevels >= VC_MAX_NAMED_LEVELS)
            return vc_fail(error, VC_LIMIT, "limit_levels",
                           "hierarchy '%.*s' of '%.*s' has %u levels already",
                           VC_FMT(hierarchy->name), VC_FMT(outer->name), hierarchy->nlevels);
        for (unsigned l = 0; l < hierarchy->nlevels; l++)
            if (vc_str_equal(hierarchy->levels[l].name, name))
                return vc_fail(error, VC_BAD_INPUT, "duplicate_name",
                               "'%.*s' has a level '%.*s' already; give the new one another name: "
                               "\"expose_as_level\": {\"name\": ...}",
                               VC_FMT(outer->name), VC_FMT(name));
    }
    for (unsigned i = 0; i < in->primary->nindexes; i++)
        if (vc_str_equal(in->primary->indexes[i].name, name))
            return vc_fail(error, VC_BAD_INPUT, "duplicate_name",
                           "'%.*s' has an attribute or index '%.*s' already; give the level "
                           "another name: \"expose_as_level\": {\"name\": ...}",
                           VC_FMT(outer->name), VC_FMT(name));
    return VC_OK;
}

static vc_status check(const struct exposing *in, const vc_binding *binding, vc_error *error)
{
    const vc_cube_dimension *outer = &in->builder->dimensions[in->dimension];
    if (outer->exposed != NULL)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "the level '%.*s' of '%.*s' is below '%.*s' already; one dimension has the "
                       "members of one join as a level",
                       VC_FMT(outer->exposed->level), VC_FMT(outer->exposed->alias),
                       VC_FMT(outer->name));
    if (binding->tuples != NULL)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "the key of the join lies in several dimensions of the joined cube (%.*s): "
                       "combinations of members are no level",
                       VC_FMT(binding->to_name));
    return check_units(in, binding->relation, error);
}

/* ---- relations ---- */

/* A leaf of the old dimension under each unit of a relation to it. */
static vc_status find_leaves(const struct exposing *in, const vc_relation *relation, vc_arena *work,
                             const uint32_t **leaves_out, vc_error *error)
{
    uint32_t *leaves = VC_ARENA_NEW(work, uint32_t, (size_t)relation->nunits + 1);
    if (leaves == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < in->primary->nleaves; leaf++) {
        uint32_t unit = leaf;
        if (relation->level >= 0)
            unit = vc_numbers_get(
                in->primary->hierarchies[relation->hierarchy].levels[relation->level].leaf_members,
                leaf);
        leaves[unit] = leaf;
    }
    *leaves_out = leaves;
    return VC_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The same relation, to members of the new dimension: of the level that it stood at, or, where it
 * was of leaves, of the one above the new level. */
static vc_status lift(struct exposing *in, const vc_relation *relation,
                      const vc_relation **lifted_out, vc_error *error)
{
    for (size_t i = 0; i < in->nlifted; i++)
        if (in->old[i] == relation) {
            *lifted_out = in->lifted[i];
            return VC_OK;
        }
    vc_arena work = {0}, *arena = in->builder->arena;
    int hierarchy = relation->level < 0 ? 0 : relation->hierarchy;
    int level = relation->level < 0 ? (int)in->made->hierarchies[0].nlevels - 2 : relation->level;
    const vc_level *to = &in->made->hierarchies[hierarchy].levels[level];
    size_t npairs =
        relation->units != NULL ? relation->nleaves : relation->offsets[relation->nleaves];
    vc_relation *lifted = VC_ARENA_NEW(arena, vc_relation, 1);
    uint32_t *targets = VC_ARENA_NEW(arena, uint32_t, npairs + 1);
    const uint32_t *leaf_of = NULL;
    vc_status status = find_leaves(in, relation, &work, &leaf_of, error);
    if (status == VC_OK && (lifted == NULL || targets == NULL)) status = vc_no_memory(error);
    if (status == VC_OK) {
        const uint32_t *from = relation->units != NULL ? relation->units : relation->targets;
        for (size_t i = 0; i < npairs; i++)
            targets[i] = from[i] == VC_NONE
                             ? VC_NONE
                             : vc_numbers_get(to->leaf_members, in->rests[leaf_of[from[i]]]);
        *lifted = *relation;
        lifted->nunits = to->nmembers;
        lifted->hierarchy = hierarchy;
        lifted->level = level;
        if (relation->units != NULL)
            lifted->units = targets;
        else
            lifted->targets = targets;
        in->old[in->nlifted] = relation;
        in->lifted[in->nlifted++] = lifted;
        *lifted_out = lifted;
    }
    vc_arena_release(&work);
    return status;
}

/* Targets ascend per leaf; the weights go with them. */
static void sort_targets(const uint32_t *offsets, uint32_t nleaves, uint32_t *targets,
                         double *weights)
{
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        uint32_t first = offsets[leaf], count = offsets[leaf + 1] - first;
        if (count < 2) continue;
        if (weights == NULL) {
            qsort(targets + first, count, sizeof *targets, compare_numbers);
            continue;
        }
        for (uint32_t i = first + 1; i < first + count; i++)
            for (uint32_t j = i; j > first && targets[j - 1] > targets[j]; j--) {
                uint32_t target = targets[j];
                double weight = weights[j];
                targets[j] = targets[j - 1];
                weights[j] = weights[j - 1];
                targets[j - 1] = target;
                weights[j - 1] = weight;
            }
    }
}

/* The join itself: to the leaves that its pairs have become. */
static vc_status refine(struct exposing *in, const vc_relation *relation,
                        const vc_relation **refined_out, vc_error *error)
{
    vc_arena *arena = in->builder->arena;
    vc_relation *refined = VC_ARENA_NEW(arena, vc_relation, 1);
    size_t npairs = relation->units != NULL ? 0 : relation->offsets[relation->nleaves];
    uint32_t *targets = VC_ARENA_NEW(arena, uint32_t, npairs + relation->nleaves + 1);
    double *weights = NULL;
    size_t pair = 0;
    if (refined == NULL || targets == NULL) return vc_no_memory(error);
    *refined = *relation;
    refined->nunits = in->made->nleaves;
    refined->hierarchy = refined->level = -1;
    *refined_out = refined;
    if (relation->units != NULL) {
        for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++)
            targets[leaf] = relation->units[leaf] == VC_NONE ? VC_NONE : in->leaves[pair++];
        refined->units = targets;
        return VC_OK;
    }
    for (; pair < npairs; pair++)
        targets[pair] = in->leaves[pair];
    if (relation->weights != NULL) {
        weights = VC_ARENA_NEW(arena, double, npairs + 1);
        if (weights == NULL) return vc_no_memory(error);
        memcpy(weights, relation->weights, npairs * sizeof *weights);
        refined->weights = weights;
    }
    sort_targets(relation->offsets, relation->nleaves, targets, weights);
    refined->targets = targets;
    return VC_OK;
}

/* The primary, and who has its dimension: each leaf is the member that it was. */
static vc_status stand_above(struct exposing *in, vc_binding *binding, vc_error *error)
{
    vc_arena *arena = in->builder->arena;
    uint32_t nleaves = in->primary->nleaves;
    const vc_hierarchy *main = &in->made->hierarchies[0];
    const vc_level *level = &main->levels[main->nlevels - 2];
    vc_relation *relation = VC_ARENA_NEW(arena, vc_relation, 1);
    uint32_t *units = VC_ARENA_NEW(arena, uint32_t, (size_t)nleaves + 1);
    uint8_t *fates = VC_ARENA_NEW(arena, uint8_t, (size_t)nleaves + 1);
    if (relation == NULL || units == NULL || fates == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++)
        units[leaf] = vc_numbers_get(level->leaf_members, in->rests[leaf]);
    *relation = (vc_relation){.nleaves = nleaves,
                              .nunits = level->nmembers,
                              .hierarchy = 0,
                              .level = (int)main->nlevels - 2,
                              .units = units,
                              .fates = fates,
                              .coverage = {.keys = nleaves,
                                           .keys_matched = nleaves,
                                           .members = nleaves,
                                           .members_matched = nleaves,
                                           .primary_members = nleaves,
                                           .primary_matched = nleaves}};
    binding->kind = VC_BIND_RELATION;
    binding->relation = relation;
    binding->is_united = true;
    binding->join_kind = VC_JOIN_LEFT;
    binding->unmatched = VC_UNMATCHED_DROP;
    return VC_OK;
}

/* ---- bindings ---- */

static vc_status rebind_join(struct exposing *in, vc_binding *binding, vc_error *error)
{
    const vc_relation *relation = binding->relation;
    vc_status status = refine(in, relation, &binding->relation, error);
    return status == VC_OK ? lift(in, relation, &binding->join_relation, error) : status;
}

/* A join that stands above now says what holds below by its own pairs. */
static vc_status rebind_other(struct exposing *in, size_t source, vc_binding *binding,
                              vc_error *error)
{
    vc_virtual_builder *builder = in->builder;
    const vc_cube_dimension *outer = &builder->dimensions[in->dimension];
    const vc_join_def *join = &builder->virtual_cube->sources[source].join;
    bool is_joined = binding->kind == VC_BIND_RELATION && !binding->is_united;
    vc_status status = VC_OK;
    if (binding->kind == VC_BIND_IDENTITY)
        status = stand_above(in, binding, error);
    else
        status = lift(in, binding->relation, &binding->relation, error);
    if (status == VC_OK && binding->join_relation != NULL)
        status = lift(in, binding->join_relation, &binding->join_relation, error);
    if (status == VC_OK && binding->through != NULL)
        status = lift(in, binding->through->join, &binding->through->join, error);
    if (status != VC_OK || builder->sources[source].nested != NULL) return status;
    for (size_t i = 0; is_joined && i < join->non; i++)
        if (vc_str_equal(join->on[i].dim, outer->name))
            return vc_virtual_apply_finer(builder, &builder->virtual_cube->sources[source], i,
                                          outer, binding, error);
    if (is_joined) return VC_OK;
    return vc_virtual_set_finer(builder, in->definition->finer, in->definition->allocate_by, outer,
                                binding, error);
}

static vc_status place_dimension(struct exposing *in, vc_str level, vc_error *error)
{
    vc_virtual_builder *builder = in->builder;
    vc_cube_dimension *outer = &builder->dimensions[in->dimension];
    vc_exposed *exposed = VC_ARENA_NEW(builder->arena, vc_exposed, 1);
    uint64_t *rests = VC_ARENA_NEW(builder->arena, uint64_t, vc_bits_words(in->made->nleaves) + 1);
    if (exposed == NULL || rests == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < in->primary->nleaves; leaf++)
        vc_bit_set(rests, in->rests[leaf]);
    *exposed =
        (vc_exposed){.alias = builder->sources[in->source].alias, .level = level, .rests = rests};
    outer->dimension = in->made;
    outer->nslots = in->made->nleaves;
    outer->exposed = exposed;
    return VC_OK;
}

static vc_status check_places(const vc_dimension *dimension, vc_error *error)
{
    if (dimension->ndoubles == 0) return VC_OK;
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                   "a level below '%.*s', whose members may stand under several parents",
                   VC_FMT(dimension->name));
}

static vc_status expose(struct exposing *in, vc_error *error)
{
    vc_virtual_builder *builder = in->builder;
    vc_binding *join = &builder->sources[in->source].bindings[in->dimension];
    vc_status status = check(in, join, error);
    if (status != VC_OK) return status;
    const vc_dimension *joined =
        builder->sources[in->source].cube->dimensions[join->source_dimension];
    const vc_hierarchy *main = &joined->hierarchies[0];
    const vc_level *lowest = &main->levels[main->nlevels - 1];
    status = check_places(in->primary, error);
    if (status == VC_OK) status = check_places(joined, error);
    if (status != VC_OK) return status;
    bool has_name = in->definition->name.data != NULL;
    vc_exposing making = {.primary = in->primary,
                          .joined = joined,
                          .alias = builder->sources[in->source].alias,
                          .name = has_name ? in->definition->name : lowest->name,
                          .label = in->definition->label.data != NULL ? in->definition->label
                                   : has_name                         ? in->definition->name
                                                                      : lowest->label,
                          .relation = join->relation,
                          .arena = builder->arena};
    uint32_t *rests, *leaves;
    status = check_levels(in, making.name, error);
    if (status == VC_OK)
        status = vc_virtual_build_exposed(&making, &in->made, &rests, &leaves, error);
    if (status != VC_OK) return status;
    in->rests = rests;
    in->leaves = leaves;
    status = place_dimension(in, making.name, error);
    for (size_t s = 0; s < builder->virtual_cube->nsources && status == VC_OK; s++) {
        vc_binding *binding = &builder->sources[s].bindings[in->dimension];
        if (s == in->source)
            status = rebind_join(in, binding, error);
        else if (binding->kind != VC_BIND_NONE)
            status = rebind_other(in, s, binding, error);
    }
    return status;
}

vc_status vc_virtual_expose(vc_virtual_builder *builder, vc_error *error)
{
    for (size_t p = 0; p < builder->nparts; p++) {
        const vc_virtual_part *part = &builder->parts[p];
        const vc_expose_def *definition = &part->definition->join.expose;
        if (!definition->is_asked || part->cube != NULL) continue;
        struct exposing *in = VC_ARENA_NEW(builder->arena, struct exposing, 1);
        if (in == NULL) return vc_no_memory(error);
        in->builder = builder;
        in->source = part->first;
        in->definition = definition;
        in->dimension = vc_virtual_find_outer(builder, definition->dim);
        in->primary = builder->dimensions[in->dimension].dimension;
        vc_status status = expose(in, error);
        if (status != VC_OK && error != NULL && error->pointer[0] == '\0') /* a pair has its own */
            return vc_model_place(builder->definition, definition->pointer, "", status, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}
