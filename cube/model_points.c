/* The points of a nested cube along a join: which of them the leaves of its sources belong to.
 *
 * Where the key lies in one dimension of the nested cube, points are its slots. Where it lies in
 * several, they are the tuples of its leaves that facts of some source have; a fact that is in a
 * bucket of the nested cube in one of these dimensions is at that bucket's point.
 */
#include "cube/model_virtual.h"

#include "base/bits.h"
#include "base/list.h"

#include <stdlib.h>
#include <string.h>

struct place { /* of a leaf of the source: one of its points */
    uint32_t leaf;
    bool is_bucket;
    uint64_t code; /* of the tuple, or leaf; of a bucket its place behind those that match */
    double weight;
};

struct reading { /* one source */
    const vc_nested_join *join;
    const vc_cube_source *source;
    vc_nested_reach *reach;
    uint32_t nleaves;
    const uint32_t *first_of; /* [units of a coarse binding] the leaf that stands for each */
    vc_list places;           /* struct place, by leaf */
    vc_arena *arena, work;
};

static const vc_cube_dimension *inner_of(const vc_nested_join *join, size_t i)
{
    return &join->part->cube->dimensions[join->numbers[i]];
}

static bool is_visible(const vc_cube_dimension *dimension, uint32_t leaf)
{
    return dimension->visible == NULL || vc_bit_get(dimension->visible, leaf);
}

/* ---- the columns of the source ---- */

static void add_component(size_t *components, size_t *ncomponents, size_t number)
{
    for (size_t i = 0; i < *ncomponents; i++)
        if (components[i] == number) return;
    components[(*ncomponents)++] = number;
}

/* By which of its dimensions the source has those of the key. */
static vc_status find_columns(struct reading *in, vc_model *model, vc_error *error)
{
    vc_nested_reach *reach = in->reach;
    size_t *components = VC_ARENA_NEW(in->arena, size_t, in->source->cube->ndimensions + 1);
    size_t ncomponents = 0;
    if (components == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in->join->n; i++) {
        const vc_binding *binding = &in->source->bindings[in->join->numbers[i]];
        if (binding->tuples == NULL)
            add_component(components, &ncomponents, binding->source_dimension);
        for (size_t c = 0; binding->tuples != NULL && c < binding->tuples->ncomponents; c++)
            add_component(components, &ncomponents, binding->components[c]);
    }
    reach->source_dimension = components[0];
    reach->to_name = in->source->cube->dimension_names[components[0]];
    in->nleaves = in->source->cube->dimensions[components[0]]->nleaves;
    if (ncomponents == 1) return VC_OK;
    reach->components = components;
    if (in->join->n == 1)
        reach->tuples = in->source->bindings[in->join->numbers[0]].tuples;
    else if (ncomponents > VC_MAX_COMPONENTS)
        return vc_fail(error, VC_LIMIT, "limit_tuples",
                       "a composite key lies in at most %d dimensions of a source of the nested "
                       "cube",
                       VC_MAX_COMPONENTS);
    vc_status status = VC_OK;
    if (reach->tuples == NULL)
        status = vc_model_tuples(model, in->source->cube, components, ncomponents, &reach->tuples,
                                 error);
    if (status != VC_OK) return status;
    in->nleaves = reach->tuples->count;
    for (size_t c = 1; c < ncomponents; c++) {
        reach->to_name = vc_arena_printf(in->arena, "%.*s, %.*s", VC_FMT(reach->to_name),
                                         VC_FMT(in->source->cube->dimension_names[components[c]]));
        if (reach->to_name.data == NULL) return vc_no_memory(error);
    }
    return VC_OK;
}

/* The leaf of a source's dimension in a leaf (tuple) of the key. */
static uint32_t leaf_in(const struct reading *in, uint32_t leaf, size_t source_dimension)
{
    const vc_tuples *tuples = in->reach->tuples;
    size_t c = 0;
    if (tuples == NULL) return leaf;
    while (in->reach->components[c] != source_dimension)
        c++;
    return vc_tuples_leaf(tuples, c, leaf);
}

/* What a binding of the nested cube has in place of a leaf. */
static uint32_t bound_leaf(const struct reading *in, const vc_binding *binding, uint32_t leaf)
{
    uint64_t code = 0;
    uint32_t number;
    if (binding->tuples == NULL) return leaf_in(in, leaf, binding->source_dimension);
    if (binding->tuples == in->reach->tuples) return leaf;
    for (size_t c = 0; c < binding->tuples->ncomponents; c++) {
        uint32_t at = leaf_in(in, leaf, binding->components[c]);
        vc_tuples_add_component(binding->tuples, c, &at, 0, 1, &code);
    }
    vc_tuples_find(binding->tuples, &code, 1, &number);
    return number;
}

/* ---- sources above the leaves ---- */

/* Such a source can be taken through the join only when that does not tell the leaves of one member
 * apart. Which leaf stands for each of its units. */
static vc_status find_first_leaves(struct reading *in, const vc_relation *outer, vc_error *error)
{
    const vc_cube_dimension *inner = inner_of(in->join, 0);
    const vc_relation *relation = in->source->bindings[in->join->numbers[0]].relation;
    const vc_level *level =
        &inner->dimension->hierarchies[relation->hierarchy].levels[relation->level];
    uint32_t *first = vc_arena_alloc(in->arena, ((size_t)relation->nunits + 1) * sizeof *first);
    if (first == NULL) return vc_no_memory(error);
    memset(first, 0xFF, (size_t)relation->nunits * sizeof *first);
    for (uint32_t leaf = 0; leaf < inner->dimension->nleaves; leaf++) {
        uint32_t unit = vc_numbers_get(level->leaf_members, leaf);
        const uint32_t *x, *y;
        if (!is_visible(inner, leaf)) continue;
        if (first[unit] == VC_NONE) {
            first[unit] = leaf;
            continue;
        }
        size_t n = vc_relation_units(outer, first[unit], &x);
        if (n != vc_relation_units(outer, leaf, &y) || (n > 0 && memcmp(x, y, n * sizeof *x) != 0))
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "source '%.*s' of the nested cube stands at '%.*s' of '%.*s', below "
                           "which the nested cube is joined",
                           VC_FMT(in->source->alias), VC_FMT(level->name), VC_FMT(inner->name));
    }
    in->first_of = first;
    return VC_OK;
}

/* ---- places ---- */

/* One way of a leaf through the dimensions of the key, so far. */
struct way {
    uint64_t code;
    double weight;
    uint32_t bucket; /* VC_NONE: none so far */
};

static vc_status add_place(struct reading *in, uint32_t leaf, const struct way *way,
                           vc_error *error)
{
    struct place *place = VC_LIST_NEW(&in->places, &in->work, struct place);
    if (place == NULL) return vc_no_memory(error);
    *place = (struct place){.leaf = leaf,
                            .is_bucket = way->bucket != VC_NONE,
                            .code = way->bucket != VC_NONE ? way->bucket : way->code,
                            .weight = way->weight};
    return VC_OK;
}

static vc_status walk(struct reading *in, uint32_t leaf, size_t i, struct way way, vc_error *error);

/* Go on with a slot of dimension i: one of its leaves, or of its buckets. */
static vc_status step(struct reading *in, uint32_t leaf, size_t i, struct way way, uint32_t slot,
                      vc_error *error)
{
    const vc_cube_dimension *inner = inner_of(in->join, i);
    uint32_t nleaves = inner->dimension->nleaves, nbefore = 0;
    if (slot < nleaves) {
        if (!is_visible(inner, slot)) return VC_OK;
        way.code += slot * (in->join->tuples == NULL ? 1 : in->join->tuples->strides[i]);
    } else if (way.bucket == VC_NONE) {
        for (size_t before = 0; before < i; before++)
            nbefore += inner_of(in->join, before)->nsynthetic;
        way.bucket = nbefore + slot - nleaves;
    }
    return walk(in, leaf, i + 1, way, error);
}

/* All ways of a leaf through the dimensions of the key from i on. */
static vc_status walk(struct reading *in, uint32_t leaf, size_t i, struct way way, vc_error *error)
{
    if (i == in->join->n) return add_place(in, leaf, &way, error);
    const vc_binding *binding = &in->source->bindings[in->join->numbers[i]];
    uint32_t at = bound_leaf(in, binding, leaf);
    const uint32_t *units;
    vc_status status = VC_OK;
    if (binding->kind == VC_BIND_IDENTITY) return step(in, leaf, i, way, at, error);
    const vc_relation *relation = binding->relation;
    size_t n = vc_relation_units(relation, at, &units);
    size_t first = relation->units != NULL ? at : relation->offsets[at];
    for (size_t u = 0; u < n && status == VC_OK; u++) {
        struct way next = way;
        uint32_t to = in->first_of != NULL ? in->first_of[units[u]] : units[u];
        if (binding->mode == VC_MODE_WEIGHTED) next.weight *= relation->weights[first + u];
        if (to != VC_NONE) status = step(in, leaf, i, next, to, error);
    }
    if (status == VC_OK && binding->synthetic_slots != NULL &&
        binding->synthetic_slots[at] != VC_NONE)
        status = step(in, leaf, i, way, binding->synthetic_slots[at], error);
    return status;
}

static vc_status walk_all(struct reading *in, vc_error *error)
{
    vc_status status = VC_OK;
    for (uint32_t leaf = 0; leaf < in->nleaves && status == VC_OK; leaf++)
        status = walk(in, leaf, 0, (struct way){.weight = 1, .bucket = VC_NONE}, error);
    return status;
}

/* ---- points ---- */

/* Give the places their numbers: those of tuples, and behind all of them the buckets. */
static void number_places(struct reading *in)
{
    struct place *places = in->places.items;
    for (size_t i = 0; i < in->places.count; i++) {
        uint32_t number = (uint32_t)places[i].code;
        if (!places[i].is_bucket && in->join->tuples != NULL)
            vc_tuples_find(in->join->tuples, &places[i].code, 1, &number);
        places[i].code = places[i].is_bucket ? in->join->nmatching + number : number;
    }
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->leaf != y->leaf) return x->leaf < y->leaf ? -1 : 1;
    return (x->code > y->code) - (x->code < y->code);
}

/* The places as a relation, ways to the same point put together: with weights they add up. */
static vc_status make_points(struct reading *in, vc_error *error)
{
    struct place *places = in->places.items;
    size_t nplaces = in->places.count, n = 0;
    vc_relation *points = VC_ARENA_NEW(in->arena, vc_relation, 1);
    uint32_t *offsets = VC_ARENA_NEW(in->arena, uint32_t, (size_t)in->nleaves + 1);
    uint32_t *targets = VC_ARENA_NEW(in->arena, uint32_t, nplaces + 1);
    double *weights = VC_ARENA_NEW(in->arena, double, nplaces + 1);
    uint64_t *met = VC_ARENA_NEW(&in->work, uint64_t, vc_bits_words(in->join->npoints) + 1);
    if (points == NULL || offsets == NULL || targets == NULL || weights == NULL || met == NULL)
        return vc_no_memory(error);
    number_places(in);
    if (nplaces > 1) qsort(places, nplaces, sizeof *places, compare_places);
    *points = (vc_relation){.nleaves = in->nleaves,
                            .nunits = in->join->npoints,
                            .hierarchy = -1,
                            .level = -1,
                            .offsets = offsets,
                            .targets = targets,
                            .weights = in->reach->mode == VC_MODE_WEIGHTED ? weights : NULL};
    for (size_t i = 0; i < nplaces; i++) {
        uint32_t point = (uint32_t)places[i].code, leaf = places[i].leaf;
        if (i > 0 && places[i - 1].leaf == leaf && places[i - 1].code == point) {
            weights[n - 1] += places[i].weight;
            continue;
        }
        points->has_fanout |= i > 0 && places[i - 1].leaf == leaf;
        points->has_unit_fanin |= vc_bit_get(met, point);
        vc_bit_set(met, point);
        targets[n] = point;
        weights[n++] = places[i].weight;
        offsets[leaf + 1] = (uint32_t)n;
    }
    for (uint32_t leaf = 0; leaf < in->nleaves; leaf++)
        if (offsets[leaf + 1] < offsets[leaf]) offsets[leaf + 1] = offsets[leaf];
    in->reach->points = points;
    return VC_OK;
}

/* ---- what cannot be taken through ---- */

static vc_status check_way(const struct reading *in, const vc_binding *binding, vc_error *error)
{
    const vc_nested_join *join = in->join;
    bool is_level = binding->kind == VC_BIND_RELATION && binding->relation->level >= 0;
    const char *why = NULL;
    if (binding->through != NULL)
        why = "is counted there through a nested cube of its own by weights, or looked up";
    else if (join->n > 1 && binding->mode != VC_MODE_SET)
        why = "is counted there by weights, or looked up, and the key lies in several dimensions";
    else if (is_level && (join->n > 1 || join->part->definition->join.mode != VC_MODE_SET ||
                          join->part->definition->join.on_fanout == VC_FANOUT_WEIGHTED))
        why = "stands there above its leaves, and is joined by weights, as a lookup, or by a key "
              "in several dimensions";
    if (why == NULL) return VC_OK;
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                   "source '%.*s' of the nested cube '%.*s' %s; a join through that has no rule, "
                   "so put the parts together in one cube",
                   VC_FMT(in->source->alias), VC_FMT(join->part->cube->name), why);
}

static vc_status start(struct reading *in, vc_model *model, const vc_nested_join *join,
                       vc_nested_reach *reach, vc_error *error)
{
    vc_status status = VC_OK;
    *in = (struct reading){.join = join,
                           .source = &join->part->cube->sources[reach->source],
                           .reach = reach,
                           .arena = vc_model_arena(model)};
    if (reach->to_name.data != NULL) { /* has been found before */
        in->nleaves = reach->tuples != NULL
                          ? reach->tuples->count
                          : in->source->cube->dimensions[reach->source_dimension]->nleaves;
        return VC_OK;
    }
    reach->mode = VC_MODE_SET;
    for (size_t i = 0; i < join->n && status == VC_OK; i++) {
        const vc_binding *binding = &in->source->bindings[join->numbers[i]];
        if (binding->mode != VC_MODE_DEFAULT && binding->mode != VC_MODE_SET)
            reach->mode = binding->mode;
        status = check_way(in, binding, error);
    }
    return status == VC_OK ? find_columns(in, model, error) : status;
}

/* ---- the doors ---- */

bool vc_nested_has_all(const vc_nested_join *join, size_t source)
{
    for (size_t i = 0; i < join->n; i++)
        if (join->part->cube->sources[source].bindings[join->numbers[i]].kind == VC_BIND_NONE)
            return false;
    return true;
}

static void release_tuples(void *tuples)
{
    vc_tuples_free(tuples);
}

/* The tuples that facts of some source have: codes first, then their numbers. */
static vc_status collect_tuples(vc_model *model, vc_nested_join *join, vc_tuples *tuples,
                                vc_error *error)
{
    vc_status status = VC_OK;
    join->tuples = tuples; /* their strides */
    for (size_t k = 0; k < join->part->cube->nsources && status == VC_OK; k++) {
        struct reading in;
        if (!vc_nested_has_all(join, k)) continue;
        status = start(&in, model, join, &join->reaches[k], error);
        if (status == VC_OK) status = walk_all(&in, error);
        const struct place *places = in.places.items;
        for (size_t i = 0; i < in.places.count && status == VC_OK; i++)
            if (!places[i].is_bucket) status = vc_tuples_add(tuples, &places[i].code, 1, error);
        vc_arena_release(&in.work);
    }
    return status == VC_OK ? vc_tuples_finish(tuples, error) : status;
}

vc_status vc_nested_find_points(vc_model *model, vc_nested_join *join, vc_error *error)
{
    vc_arena *arena = vc_model_arena(model);
    const vc_dimension **dimensions = VC_ARENA_NEW(arena, const vc_dimension *, join->n);
    uint64_t nrows = 0;
    vc_tuples *tuples;
    join->reaches = VC_ARENA_NEW(arena, vc_nested_reach, join->part->cube->nsources);
    if (dimensions == NULL || join->reaches == NULL) return vc_no_memory(error);
    for (size_t k = 0; k < join->part->cube->nsources; k++)
        join->reaches[k].source = k;
    join->nmatching = inner_of(join, 0)->dimension->nleaves;
    if (join->n > 1) {
        for (size_t i = 0; i < join->n; i++)
            dimensions[i] = inner_of(join, i)->dimension;
        for (size_t k = 0; k < join->part->cube->nsources; k++)
            nrows += join->part->cube->sources[k].cube->nrows;
        vc_status status = vc_tuples_new(dimensions, join->n, nrows, &tuples, error);
        if (status != VC_OK) return status;
        status = collect_tuples(model, join, tuples, error);
        if (status == VC_OK && !vc_model_own(model, tuples, release_tuples))
            status = vc_no_memory(error);
        if (status != VC_OK) {
            vc_tuples_free(tuples);
            return status;
        }
        join->nmatching = tuples->count;
    }
    join->npoints = join->nmatching;
    for (size_t i = 0; i < join->n; i++)
        join->npoints += inner_of(join, i)->nsynthetic;
    return VC_OK;
}

vc_status vc_nested_reach_points(vc_model *model, const vc_nested_join *join, size_t source,
                                 const vc_relation *outer, vc_error *error)
{
    struct reading in;
    vc_nested_reach *reach = &join->reaches[source];
    vc_status status = start(&in, model, join, reach, error);
    const vc_binding *binding = &join->part->cube->sources[source].bindings[join->numbers[0]];
    if (status == VC_OK && binding->kind == VC_BIND_RELATION && binding->relation->level >= 0)
        status = find_first_leaves(&in, outer, error);
    if (status == VC_OK) status = walk_all(&in, error);
    if (status == VC_OK) status = make_points(&in, error);
    vc_arena_release(&in.work);
    return status;
}

/* ---- names ---- */

vc_str vc_nested_point_text(const vc_nested_join *join, uint32_t point, vc_arena *arena)
{
    if (point < join->nmatching) {
        if (join->tuples == NULL) return vc_virtual_leaf_text(inner_of(join, 0)->dimension, point);
        vc_str text = vc_virtual_leaf_text(join->tuples->dimensions[0],
                                           vc_tuples_leaf(join->tuples, 0, point));
        for (size_t c = 1; c < join->n; c++)
            text = vc_arena_printf(
                arena, "%.*s, %.*s", VC_FMT(text),
                VC_FMT(vc_virtual_leaf_text(join->tuples->dimensions[c],
                                            vc_tuples_leaf(join->tuples, c, point))));
        return text;
    }
    point -= join->nmatching;
    size_t i = 0;
    for (; point >= inner_of(join, i)->nsynthetic; i++)
        point -= inner_of(join, i)->nsynthetic;
    return inner_of(join, i)->synthetics[point].key;
}
