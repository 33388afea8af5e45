/* Relations through a nested cube: from the leaves of one of its sources over points to units.
 *
 * Relations compose. A leaf has the units of all its points; what the nested cube counts and the
 * join does not match is unmatched, and what the nested cube drops or hides is out. Weights are
 * multiplied along a way and added up over the ways, as of crosswalks in a row (semantics,
 * section 5).
 *
 * That is all where both joins count whole facts. Otherwise a unit is not enough to say how a leaf
 * counts: a lookup finds a point, which has the value of all its leaves; a lookup inside the nested
 * cube gives a value to each point of a leaf, and a weight inside it a part to each, of which a
 * group has the union. Then the binding says its points, too (vc_through).
 */
#include "cube/model_virtual.h"

#include "base/bits.h"

#include <stdlib.h>
#include <string.h>

vc_status vc_nested_hide(vc_arena *arena, const vc_cube_dimension *inner,
                         const vc_relation *relation, const vc_relation **relation_out,
                         vc_error *error)
{
    *relation_out = relation;
    if (inner->visible == NULL) return VC_OK;
    size_t npairs =
        relation->units != NULL ? relation->nleaves : relation->offsets[relation->nleaves];
    vc_relation *kept = VC_ARENA_NEW(arena, vc_relation, 1);
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)relation->nleaves + 1);
    uint32_t *targets = VC_ARENA_NEW(arena, uint32_t, npairs + 1);
    double *weights = VC_ARENA_NEW(arena, double, npairs + 1);
    uint8_t *fates = VC_ARENA_NEW(arena, uint8_t, (size_t)relation->nleaves + 1);
    uint64_t *met = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(relation->nunits) + 1);
    uint32_t ntargets = 0;
    if (kept == NULL || offsets == NULL || targets == NULL || weights == NULL || fates == NULL ||
        met == NULL)
        return vc_no_memory(error);
    *kept = *relation;
    kept->units = NULL;
    kept->offsets = offsets;
    kept->targets = targets;
    kept->weights = relation->weights == NULL ? NULL : weights;
    kept->fates = fates;
    kept->has_fanout = kept->has_unit_fanin = false;
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        bool is_visible = vc_bit_get(inner->visible, leaf);
        size_t n = is_visible ? vc_relation_units(relation, leaf, &units) : 0;
        size_t first = relation->units != NULL ? leaf : relation->offsets[leaf];
        fates[leaf] = is_visible ? relation->fates[leaf] : VC_FATE_EXCLUDED;
        for (size_t i = 0; i < n; i++) {
            kept->has_unit_fanin |= vc_bit_get(met, units[i]);
            vc_bit_set(met, units[i]);
            if (relation->weights != NULL) weights[ntargets] = relation->weights[first + i];
            targets[ntargets++] = units[i];
        }
        kept->has_fanout |= n > 1;
        offsets[leaf + 1] = ntargets;
    }
    *relation_out = kept;
    return VC_OK;
}

/* ---- composing ---- */

struct composing {
    const vc_nested_join *join;
    const vc_nested_reach *reach;
    const vc_relation *outer;
    vc_join_mode mode; /* of the join */
    vc_relation *relation;
    uint32_t *offsets, *targets;
    double *weights; /* beside targets */
    size_t ntargets, capacity;
    uint8_t *fates;
    uint32_t *unmatched; /* [nleaves] */
    bool has_both;       /* some leaf is matched by one point, and by another not */
    bool has_several;    /* some leaf has several units */
    bool has_parts;      /* some leaf has a part in a bucket */
    uint32_t *seen;      /* [units of outer] leaf + 1 */
    double *sums;        /* [units of outer] */
    vc_arena *arena;
};

static bool grow(struct composing *in)
{
    size_t capacity = in->capacity * 2 + 64;
    uint32_t *targets = vc_arena_alloc(in->arena, capacity * sizeof *targets);
    double *weights = vc_arena_alloc(in->arena, capacity * sizeof *weights);
    if (targets == NULL || weights == NULL || capacity > UINT32_MAX) return false;
    if (in->ntargets > 0) memcpy(targets, in->targets, in->ntargets * sizeof *targets);
    if (in->ntargets > 0) memcpy(weights, in->weights, in->ntargets * sizeof *weights);
    in->targets = targets;
    in->weights = weights;
    in->capacity = capacity;
    return true;
}

static bool add_unit(struct composing *in, uint32_t leaf, uint32_t unit, double weight)
{
    if (in->seen[unit] != leaf + 1) {
        if (in->ntargets == in->capacity && !grow(in)) return false;
        in->seen[unit] = leaf + 1;
        in->sums[unit] = 0;
        in->targets[in->ntargets++] = unit;
    }
    in->sums[unit] += weight;
    return true;
}

static vc_status fail_unweighted(const struct composing *in, vc_error *error)
{
    return vc_fail(error, VC_IMPOSSIBLE, "missing_weights",
                   "members of source '%.*s' belong to several members of the nested cube '%.*s', "
                   "which does not say with which weights; join them there by weights",
                   VC_FMT(in->join->part->cube->sources[in->reach->source].alias),
                   VC_FMT(in->join->part->cube->name));
}

/* The units of one leaf, put behind the targets. */
static vc_status compose_leaf(struct composing *in, uint32_t leaf, vc_error *error)
{
    const vc_relation *points = in->reach->points, *outer = in->outer;
    bool keeps_members = in->join->part->definition->join.unmatched == VC_UNMATCHED_MEMBERS;
    const uint32_t *at, *units;
    size_t nmatched = 0, first = in->ntargets, n = vc_relation_units(points, leaf, &at);
    in->unmatched[leaf] = VC_NONE;
    for (size_t i = 0; i < n; i++) {
        double part = points->weights == NULL ? 1 : points->weights[points->offsets[leaf] + i];
        size_t nunits = at[i] < outer->nleaves ? vc_relation_units(outer, at[i], &units) : 0;
        /* What a lookup has not picked did match. */
        bool is_out = at[i] < outer->nleaves && outer->fates[at[i]] != VC_FATE_UNMATCHED;
        nmatched += nunits > 0;
        if (nunits == 0 && !is_out) {
            if (in->unmatched[leaf] != VC_NONE && keeps_members)
                return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                               "members of source '%.*s' belong to several unmatched members of "
                               "the nested cube '%.*s', which \"unmatched\": \"members\" cannot "
                               "tell apart; use \"bucket\"",
                               VC_FMT(in->join->part->cube->sources[in->reach->source].alias),
                               VC_FMT(in->join->part->cube->name));
            if (in->unmatched[leaf] == VC_NONE) in->unmatched[leaf] = at[i];
            in->has_parts |= part != 1 || n > 1;
        }
        size_t place = nunits == 0 ? 0 : outer->units != NULL ? at[i] : outer->offsets[at[i]];
        for (size_t u = 0; u < nunits; u++)
            if (!add_unit(in, leaf, units[u],
                          in->mode != VC_MODE_WEIGHTED ? part : part * outer->weights[place + u]))
                return vc_no_memory(error);
    }
    if (nmatched > 1 && in->mode == VC_MODE_WEIGHTED && in->reach->mode == VC_MODE_SET)
        return fail_unweighted(in, error);
    in->has_both |= nmatched > 0 && in->unmatched[leaf] != VC_NONE;
    in->fates[leaf] = in->ntargets > first             ? VC_FATE_MATCHED
                      : in->unmatched[leaf] != VC_NONE ? VC_FATE_UNMATCHED
                                                       : VC_FATE_EXCLUDED;
    return VC_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static vc_status compose_leaves(struct composing *in, vc_error *error)
{
    vc_relation *relation = in->relation;
    uint64_t *met = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(relation->nunits) + 1);
    if (met == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        size_t first = in->ntargets;
        vc_status status = compose_leaf(in, leaf, error);
        if (status != VC_OK) return status;
        size_t count = in->ntargets - first;
        if (count > 1) qsort(in->targets + first, count, sizeof *in->targets, compare_numbers);
        for (size_t i = first; i < in->ntargets; i++) {
            relation->has_unit_fanin |= vc_bit_get(met, in->targets[i]);
            vc_bit_set(met, in->targets[i]);
            in->weights[i] = in->sums[in->targets[i]];
        }
        in->has_several |= count > 1;
        in->offsets[leaf + 1] = (uint32_t)in->ntargets;
    }
    /* Several units may be places of one leaf: then neither way has a fan-out. */
    relation->has_fanout =
        in->has_several && (in->outer->has_fanout || in->reach->points->has_fanout);
    return VC_OK;
}

/* Offsets and targets, or the one array that a relation has where no leaf has two units. */
static vc_status finish(struct composing *in, bool is_weighted, vc_error *error)
{
    vc_relation *relation = in->relation;
    if (in->has_several || in->has_both) {
        relation->offsets = in->offsets;
        relation->targets = in->targets;
        relation->weights = is_weighted ? in->weights : NULL;
        return VC_OK;
    }
    uint32_t *units = vc_arena_alloc(in->arena, ((size_t)relation->nleaves + 1) * sizeof *units);
    double *weights = VC_ARENA_NEW(in->arena, double, (size_t)relation->nleaves + 1);
    if (units == NULL || weights == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        bool has = in->offsets[leaf] < in->offsets[leaf + 1];
        units[leaf] = has ? in->targets[in->offsets[leaf]] : VC_NONE;
        if (has && is_weighted) weights[leaf] = in->weights[in->offsets[leaf]];
    }
    relation->units = units;
    relation->weights = is_weighted ? weights : NULL;
    return VC_OK;
}

/* ---- how it counts ---- */

/* Do units alone not tell how a leaf counts? */
static bool needs_points(const struct composing *in, vc_join_mode mode)
{
    const vc_relation *points = in->reach->points;
    if (in->mode == VC_MODE_LOOKUP)
        return in->reach->mode == VC_MODE_SET && (points->has_unit_fanin || points->has_fanout);
    if (mode == VC_MODE_LOOKUP) return true; /* points are what has values */
    return mode == VC_MODE_WEIGHTED &&
           ((in->mode == VC_MODE_SET && in->outer->has_fanout) || in->has_parts);
}

/* How the composed relation counts: by the join's mode, unless that says nothing. */
static vc_status choose_mode(const struct composing *in, vc_join_mode *mode_out, vc_error *error)
{
    const vc_join_def *join = &in->join->part->definition->join;
    const char *why = NULL;
    *mode_out = in->mode != VC_MODE_SET ? in->mode : in->reach->mode;
    if (in->mode == VC_MODE_LOOKUP && in->reach->mode == VC_MODE_WEIGHTED)
        why = "is counted by weights in the nested cube; a lookup of such a value has no rule";
    else if (in->mode == VC_MODE_LOOKUP && in->reach->mode == VC_MODE_LOOKUP &&
             join->unmatched != VC_UNMATCHED_DROP)
        why =
            "is looked up in the nested cube; a lookup of it cannot have unmatched members, whose "
            "value would be put together twice: use \"unmatched\": \"drop\"";
    if (why == NULL) return VC_OK;
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported", "source '%.*s' %s",
                   VC_FMT(in->join->part->cube->sources[in->reach->source].alias), why);
}

vc_status vc_nested_compose(vc_arena *arena, const vc_nested_join *join,
                            const vc_nested_reach *reach, const vc_relation *outer,
                            vc_join_mode mode, vc_binding *binding, vc_error *error)
{
    uint32_t nleaves = reach->points->nleaves;
    struct composing in = {.join = join,
                           .reach = reach,
                           .outer = outer,
                           .mode = mode,
                           .relation = VC_ARENA_NEW(arena, vc_relation, 1),
                           .offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)nleaves + 1),
                           .fates = VC_ARENA_NEW(arena, uint8_t, (size_t)nleaves + 1),
                           .unmatched = VC_ARENA_NEW(arena, uint32_t, (size_t)nleaves + 1),
                           .seen = VC_ARENA_NEW(arena, uint32_t, (size_t)outer->nunits + 1),
                           .sums = VC_ARENA_NEW(arena, double, (size_t)outer->nunits + 1),
                           .arena = arena};
    if (in.relation == NULL || in.offsets == NULL || in.fates == NULL || in.unmatched == NULL ||
        in.seen == NULL || in.sums == NULL)
        return vc_no_memory(error);
    *in.relation = (vc_relation){.nleaves = nleaves,
                                 .nunits = outer->nunits,
                                 .hierarchy = outer->hierarchy,
                                 .level = outer->level,
                                 .fates = in.fates,
                                 .coverage = outer->coverage,
                                 .unmatched = outer->unmatched,
                                 .nunmatched = outer->nunmatched,
                                 .joined_collisions = outer->joined_collisions,
                                 .primary_collisions = outer->primary_collisions,
                                 .primary_duplicates = outer->primary_duplicates};
    vc_status status = choose_mode(&in, &binding->mode, error);
    bool is_weighted = binding->mode == VC_MODE_WEIGHTED;
    if (status == VC_OK) status = compose_leaves(&in, error);
    if (status == VC_OK) status = finish(&in, is_weighted, error);
    if (status != VC_OK) return status;
    binding->kind = VC_BIND_RELATION;
    binding->relation = in.relation;
    binding->unmatched_points = in.unmatched;
    binding->through = NULL;
    if (!needs_points(&in, binding->mode)) return VC_OK;
    binding->through = VC_ARENA_NEW(arena, vc_through, 1);
    if (binding->through == NULL) return vc_no_memory(error);
    if (mode != VC_MODE_WEIGHTED && outer->weights != NULL) { /* they say nothing */
        vc_relation *plain = VC_ARENA_NEW(arena, vc_relation, 1);
        if (plain == NULL) return vc_no_memory(error);
        *plain = *outer;
        plain->weights = NULL;
        outer = plain;
    }
    *binding->through =
        (vc_through){.points = reach->points, .join = outer, .is_by_point = mode == VC_MODE_LOOKUP};
    return VC_OK;
}
