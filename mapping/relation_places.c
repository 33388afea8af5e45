/* Dimensions in which a leaf may stand under several parents. Facts know a leaf by one number, so
 * on the joined side its other places have no units, and it has those of all its places. On the
 * primary's side each place is a unit, and who has one of a leaf has all of them: that is no
 * fan-out. */
#include "mapping/relation_places.h"

#include "base/bits.h"

#include <stdlib.h>
#include <string.h>

vc_status vc_relation_of_places(const vc_dimension *dimension, vc_arena *arena,
                                const vc_relation **relation_out, vc_error *error)
{
    uint32_t nleaves = dimension->nleaves, count = vc_dimension_count_leaves(dimension);
    uint32_t *offsets, *places;
    vc_relation *relation = VC_ARENA_NEW(arena, vc_relation, 1);
    uint8_t *fates = VC_ARENA_NEW(arena, uint8_t, (size_t)nleaves + 1);
    if (relation == NULL || fates == NULL) return vc_no_memory(error);
    vc_status status = vc_dimension_list_places(dimension, arena, &offsets, &places, error);
    if (status != VC_OK) return status;
    *relation = (vc_relation){.nleaves = nleaves,
                              .nunits = nleaves,
                              .hierarchy = -1,
                              .level = -1,
                              .offsets = offsets,
                              .targets = places,
                              .fates = fates,
                              .coverage = {.keys = count,
                                           .keys_matched = count,
                                           .members = count,
                                           .members_matched = count,
                                           .primary_members = count,
                                           .primary_matched = count}};
    *relation_out = relation;
    return VC_OK;
}

/* ---- the joined side ---- */

struct folding {
    const vc_dimension *joined;
    const vc_relation *from;
    const uint32_t *place_offsets, *places; /* of each leaf */
    uint32_t *offsets, *targets;            /* what becomes of it */
    double *weights;
    uint8_t *fates;
};

static size_t count_pairs(const vc_relation *relation)
{
    return relation->units != NULL ? relation->nleaves : relation->offsets[relation->nleaves];
}

struct pair { /* a unit, and how much of the leaf it has */
    uint32_t unit;
    double weight;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->unit != y->unit) return x->unit < y->unit ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight); /* decides the rounding of the sum */
}

/* Each unit once: what several places have of it adds up. */
static uint32_t merge_pairs(struct pair *pairs, size_t count)
{
    uint32_t kept = 0;
    if (count > 1) qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++)
        if (kept > 0 && pairs[kept - 1].unit == pairs[i].unit)
            pairs[kept - 1].weight += pairs[i].weight;
        else
            pairs[kept++] = pairs[i];
    return kept;
}

/* The units of all places of a leaf, put behind the targets. Returns how many. */
static uint32_t fold_leaf(struct folding *work, uint32_t leaf, struct pair *pairs)
{
    const vc_relation *from = work->from;
    bool is_matched = false, is_unmatched = false;
    size_t count = 0;
    for (uint32_t i = work->place_offsets[leaf]; i < work->place_offsets[leaf + 1]; i++) {
        const uint32_t *units;
        uint32_t place = work->places[i];
        size_t nunits = vc_relation_units(from, place, &units);
        size_t first = from->units != NULL ? place : from->offsets[place];
        is_matched |= from->fates[place] == VC_FATE_MATCHED;
        is_unmatched |= from->fates[place] == VC_FATE_UNMATCHED;
        for (size_t u = 0; u < nunits; u++)
            pairs[count++] = (struct pair){
                .unit = units[u], .weight = from->weights == NULL ? 1 : from->weights[first + u]};
    }
    work->fates[leaf] = is_matched     ? VC_FATE_MATCHED
                        : is_unmatched ? VC_FATE_UNMATCHED
                                       : VC_FATE_EXCLUDED;
    return merge_pairs(pairs, count);
}

/* Where no leaf has two units the relation is one array. */
static vc_status finish(struct folding *work, bool is_single, vc_arena *arena,
                        vc_relation *relation, vc_error *error)
{
    relation->fates = work->fates;
    relation->weights = work->weights;
    relation->units = NULL;
    relation->offsets = work->offsets;
    relation->targets = work->targets;
    if (!is_single) return VC_OK;
    size_t room = (size_t)relation->nleaves + 1;
    uint32_t *units = vc_arena_alloc(arena, room * sizeof *units);
    double *weights = work->weights == NULL ? NULL : VC_ARENA_NEW(arena, double, room);
    if (units == NULL || (work->weights != NULL && weights == NULL)) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        bool has_unit = work->offsets[leaf] < work->offsets[leaf + 1];
        units[leaf] = has_unit ? work->targets[work->offsets[leaf]] : VC_NONE;
        if (weights != NULL && has_unit) weights[leaf] = work->weights[work->offsets[leaf]];
    }
    relation->units = units;
    relation->weights = weights;
    relation->offsets = relation->targets = NULL;
    return VC_OK;
}

static vc_status fold_joined(const vc_dimension *joined, vc_arena *arena, vc_relation *relation,
                             vc_error *error)
{
    vc_relation from = *relation;
    uint32_t *place_offsets, *places, most = 0;
    size_t room = count_pairs(&from) + 1, nleaves = joined->nleaves;
    struct folding work = {.joined = joined,
                           .from = &from,
                           .offsets = VC_ARENA_NEW(arena, uint32_t, nleaves + 1),
                           .targets = vc_arena_alloc(arena, room * sizeof(uint32_t)),
                           .fates = VC_ARENA_NEW(arena, uint8_t, nleaves + 1)};
    struct pair *pairs = vc_arena_alloc(arena, room * sizeof *pairs);
    if (from.weights != NULL) work.weights = VC_ARENA_NEW(arena, double, room);
    if (work.offsets == NULL || work.targets == NULL || work.fates == NULL || pairs == NULL ||
        (from.weights != NULL && work.weights == NULL))
        return vc_no_memory(error);
    vc_status status = vc_dimension_list_places(joined, arena, &place_offsets, &places, error);
    if (status != VC_OK) return status;
    work.place_offsets = place_offsets;
    work.places = places;
    relation->coverage.members = vc_dimension_count_leaves(joined);
    relation->coverage.members_matched = relation->coverage.excluded = 0;
    for (uint32_t leaf = 0; leaf < joined->nleaves; leaf++) {
        uint32_t count = 0, first = work.offsets[leaf];
        if (leaf < vc_dimension_count_leaves(joined)) {
            count = fold_leaf(&work, leaf, pairs);
            relation->coverage.members_matched += work.fates[leaf] == VC_FATE_MATCHED;
            relation->coverage.excluded += work.fates[leaf] == VC_FATE_EXCLUDED;
        }
        for (uint32_t i = 0; i < count; i++) {
            work.targets[first + i] = pairs[i].unit;
            if (work.weights != NULL) work.weights[first + i] = pairs[i].weight;
        }
        work.offsets[leaf + 1] = first + count;
        most = count > most ? count : most;
    }
    return finish(&work, most <= 1, arena, relation, error);
}

/* ---- the primary's side ---- */

/* A key that has levels and leaves in it may find a leaf at one of its places: it is the leaf that
 * is found, wherever it stands. */

struct spreading {
    const vc_dimension *primary;
    const vc_relation *from;
    const uint32_t *place_offsets, *places; /* of each leaf of the primary */
    uint32_t *met_by;                       /* [leaves] the joined leaf that had it last, + 1 */
};

/* How many units a joined leaf has, with all places of each; those are put into pairs, or only
 * counted (NULL). */
static uint32_t spread_leaf(struct spreading *work, uint32_t leaf, struct pair *pairs)
{
    const uint32_t *units;
    size_t nunits = vc_relation_units(work->from, leaf, &units), count = 0;
    size_t at = work->from->units != NULL ? leaf : work->from->offsets[leaf];
    const double *weights = work->from->weights;
    for (size_t u = 0; u < nunits; u++) {
        uint32_t found = vc_leaf_first(work->primary, units[u]);
        if (work->met_by[found] == leaf + 1) continue;
        work->met_by[found] = leaf + 1;
        for (uint32_t i = work->place_offsets[found]; i < work->place_offsets[found + 1]; i++) {
            if (pairs != NULL)
                pairs[count] = (struct pair){.unit = work->places[i],
                                             .weight = weights == NULL ? 1 : weights[at + u]};
            count++;
        }
    }
    if (pairs != NULL) merge_pairs(pairs, count);
    return (uint32_t)count;
}

/* Weights are carried along for joins that do not count by them: others onto such leaves are
 * refused. */
static vc_status spread_places(const vc_dimension *primary, vc_arena *arena, vc_relation *relation,
                               vc_arena *work, vc_error *error)
{
    vc_relation from = *relation;
    struct spreading spreading = {.primary = primary, .from = &from};
    uint32_t *place_offsets, *places, nleaves = from.nleaves;
    size_t total = 0, before = 0;
    vc_status status = vc_dimension_list_places(primary, work, &place_offsets, &places, error);
    if (status != VC_OK) return status;
    spreading.place_offsets = place_offsets;
    spreading.places = places;
    spreading.met_by = VC_ARENA_NEW(work, uint32_t, (size_t)primary->nleaves + 1);
    if (spreading.met_by == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        const uint32_t *units;
        before += vc_relation_units(&from, leaf, &units);
        total += spread_leaf(&spreading, leaf, NULL);
    }
    if (total == before) return VC_OK;
    if (total > UINT32_MAX)
        return vc_fail(error, VC_LIMIT, "limit_places",
                       "dimension '%.*s': a join finds leaves at more than %u places",
                       VC_FMT(primary->name), UINT32_MAX);
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)nleaves + 1);
    uint32_t *targets = vc_arena_alloc(arena, total * sizeof *targets);
    double *weights = from.weights == NULL ? NULL : vc_arena_alloc(arena, total * sizeof *weights);
    struct pair *pairs = vc_arena_alloc(work, ((size_t)primary->nleaves + 1) * sizeof *pairs);
    if (offsets == NULL || targets == NULL || pairs == NULL ||
        (from.weights != NULL && weights == NULL))
        return vc_no_memory(error);
    memset(spreading.met_by, 0, (size_t)primary->nleaves * sizeof *spreading.met_by);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        uint32_t count = spread_leaf(&spreading, leaf, pairs), first = offsets[leaf];
        for (uint32_t i = 0; i < count; i++) {
            targets[first + i] = pairs[i].unit;
            if (weights != NULL) weights[first + i] = pairs[i].weight;
        }
        offsets[leaf + 1] = first + count;
    }
    relation->units = NULL;
    relation->offsets = offsets;
    relation->targets = targets;
    relation->weights = weights;
    return VC_OK;
}

/* The leaf that a unit is a place of; a member of a level is itself. */
static uint32_t unit_leaf(const vc_dimension *primary, const vc_relation *relation, uint32_t unit)
{
    return relation->level < 0 ? vc_leaf_first(primary, unit) : unit;
}

/* Places of one leaf count once. */
static vc_status count_units(const vc_dimension *primary, vc_relation *relation, vc_arena *work,
                             vc_error *error)
{
    uint32_t *met_by = VC_ARENA_NEW(work, uint32_t, (size_t)relation->nunits + 1);
    uint64_t nmatched = 0;
    if (met_by == NULL) return vc_no_memory(error);
    relation->has_fanout = relation->has_unit_fanin = false;
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        uint32_t nunits = (uint32_t)vc_relation_units(relation, leaf, &units);
        for (uint32_t i = 0; i < nunits; i++) {
            uint32_t *by = &met_by[unit_leaf(primary, relation, units[i])];
            relation->has_fanout |=
                unit_leaf(primary, relation, units[i]) != unit_leaf(primary, relation, units[0]);
            relation->has_unit_fanin |= *by != 0 && *by != leaf + 1;
            nmatched += *by == 0;
            *by = leaf + 1;
        }
    }
    relation->coverage.primary_matched = nmatched;
    if (relation->level < 0)
        relation->coverage.primary_members = vc_dimension_count_leaves(primary);
    return VC_OK;
}

vc_status vc_relation_fold_places(const vc_dimension *primary, const vc_dimension *joined,
                                  vc_arena *arena, vc_relation *relation, vc_error *error)
{
    vc_arena work = {0};
    vc_status status = VC_OK;
    if (joined->ndoubles > 0) status = fold_joined(joined, arena, relation, error);
    if (status != VC_OK) return status;
    bool has_places = primary->ndoubles > 0 && relation->level < 0;
    if (joined->ndoubles == 0 && !has_places) return VC_OK;
    if (has_places) status = spread_places(primary, arena, relation, &work, error);
    if (status == VC_OK) status = count_units(primary, relation, &work, error);
    vc_arena_release(&work);
    return status;
}
