/* A virtual cube from its definition: first its dimensions and who is bound to them how, then, once
 * all relations are known, buckets, visible members and policies.
 *
 * The primary's dimensions come first, bound to it by identity. A joined source's dimension then is
 *   - mapped by an `on`:                  a relation to a dimension that is there,
 *   - named in `common`:                  an identity, or a relation by key,
 *   - of the same name and shared file:   likewise,
 *   - otherwise new, and private to the source.
 */
#include "cube/model_parts.h"

#include "base/bits.h"
#include "base/nearest.h"
#include "dimensions/path.h"
#include "dimensions/renumber.h"

#include <stdlib.h>
#include <string.h>

struct builder {
    vc_model *model;
    vc_arena *arena;
    const vc_definition *definition;
    const vc_virtual_def *virtual_cube;
    vc_cube *cube;
    vc_cube_source *sources;
    vc_cube_dimension *dimensions;
    size_t ndimensions, max_dimensions;
    bool **is_bound; /* [nsources][ndimensions of the source]: has its place already */
};

/* ---- names ---- */

static vc_str outer_name(const vc_source_def *source, vc_str name)
{
    for (size_t i = 0; i < source->nrenames; i++)
        if (vc_str_equal(source->renames[i].from, name)) return source->renames[i].to;
    return name;
}

static size_t find_outer(const struct builder *builder, vc_str name)
{
    size_t i = 0;
    while (i < builder->ndimensions && !vc_str_equal(builder->dimensions[i].name, name))
        i++;
    return i;
}

static vc_status get_outer(const struct builder *builder, vc_str name, size_t *dimension_out,
                           vc_error *error)
{
    vc_nearest nearest;
    *dimension_out = find_outer(builder, name);
    if (*dimension_out < builder->ndimensions) return VC_OK;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < builder->ndimensions; i++)
        vc_nearest_offer(&nearest, builder->dimensions[i].name);
    vc_fail(error, VC_NOT_FOUND, "unknown_dimension", "the virtual cube has no dimension '%.*s'",
            VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

static vc_status find_alias(const struct builder *builder, vc_str alias, size_t *source_out,
                            vc_error *error)
{
    for (size_t i = 0; i < builder->virtual_cube->nsources; i++)
        if (vc_str_equal(builder->virtual_cube->sources[i].alias, alias)) {
            *source_out = i;
            return VC_OK;
        }
    return vc_fail(error, VC_NOT_FOUND, "unknown_source",
                   "there is no source with the alias '%.*s'", VC_FMT(alias));
}

static void bind(struct builder *builder, size_t source, size_t source_dimension, size_t dimension,
                 const vc_relation *relation)
{
    const vc_source_def *definition = &builder->virtual_cube->sources[source];
    builder->is_bound[source][source_dimension] = true;
    builder->sources[source].bindings[dimension] =
        (vc_binding){.kind = relation == NULL ? VC_BIND_IDENTITY : VC_BIND_RELATION,
                     .source_dimension = source_dimension,
                     .relation = relation,
                     .join_kind = definition->join.kind,
                     .unmatched = definition->join.unmatched,
                     .refuses_fanout = definition->join.on_fanout == VC_FANOUT_ERROR};
}

static size_t add_dimension(struct builder *builder, size_t source, size_t source_dimension,
                            vc_str name)
{
    const vc_source_cube *cube = builder->sources[source].cube;
    size_t dimension = builder->ndimensions++;
    builder->dimensions[dimension] =
        (vc_cube_dimension){.name = name,
                            .label = cube->dimensions[source_dimension]->label,
                            .dimension = cube->dimensions[source_dimension],
                            .nslots = cube->dimensions[source_dimension]->nleaves,
                            .owner = source,
                            .is_aggregatable = cube->is_aggregatable[source_dimension]};
    bind(builder, source, source_dimension, dimension, NULL);
    return dimension;
}

/* ---- sources ---- */

static vc_status open_sources(struct builder *builder, vc_error *error)
{
    const vc_virtual_def *virtual_cube = builder->virtual_cube;
    vc_arena *arena = builder->arena;
    size_t nsources = virtual_cube->nsources;
    builder->sources = VC_ARENA_NEW(arena, vc_cube_source, nsources);
    builder->is_bound = VC_ARENA_NEW(arena, bool *, nsources);
    if (builder->sources == NULL || builder->is_bound == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nsources; i++) {
        const vc_source_def *from = &virtual_cube->sources[i];
        vc_cube_source *source = &builder->sources[i];
        vc_status status = vc_model_source(builder->model, from->cube, &source->cube, error);
        if (status != VC_OK)
            return vc_model_place(builder->definition, from->pointer, "/cube", status, error);
        source->alias = from->alias;
        source->definition = from;
        builder->max_dimensions += source->cube->ndimensions;
        builder->is_bound[i] = VC_ARENA_NEW(arena, bool, source->cube->ndimensions + 1);
        if (builder->is_bound[i] == NULL) return vc_no_memory(error);
        for (size_t j = 0; j < from->nrenames; j++) {
            size_t dimension;
            status = vc_source_cube_find_dimension(source->cube, from->renames[j].from, &dimension,
                                                   error);
            if (status != VC_OK)
                return vc_model_place(builder->definition, from->pointer, "/dimensions", status,
                                      error);
        }
    }
    if (builder->max_dimensions > VC_MAX_CUBE_DIMENSIONS)
        return vc_fail(error, VC_LIMIT, "limit_dimensions",
                       "the sources have %zu dimensions together, at most %d are possible",
                       builder->max_dimensions, VC_MAX_CUBE_DIMENSIONS);
    builder->dimensions = VC_ARENA_NEW(arena, vc_cube_dimension, builder->max_dimensions + 1);
    if (builder->dimensions == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nsources; i++) {
        builder->sources[i].bindings = VC_ARENA_NEW(arena, vc_binding, builder->max_dimensions + 1);
        if (builder->sources[i].bindings == NULL) return vc_no_memory(error);
    }
    return VC_OK;
}

/* ---- joins ---- */

static vc_status resolve_pair(struct builder *builder, const vc_on_def *on,
                              const vc_dimension *primary, const vc_dimension *joined,
                              vc_relation_pair *pair, vc_error *error)
{
    const vc_definition *definition = builder->definition;
    vc_status status = vc_dimension_find_index(primary, on->index, &pair->from, error);
    if (status != VC_OK) return vc_model_place(definition, on->pointer, "/index", status, error);
    status = vc_dimension_find_index(joined, on->to_index, &pair->to, error);
    if (status != VC_OK) return vc_model_place(definition, on->pointer, "/to_index", status, error);
    status = vc_model_normalizer(builder->model, on->normalize_from, &pair->normalize_from, error);
    if (status == VC_OK)
        status = vc_model_normalizer(builder->model, on->normalize_to, &pair->normalize_to, error);
    return vc_model_place(definition, on->pointer, "/normalize", status, error);
}

/* A unit's key, for messages. */
static vc_str unit_key(const vc_relation *relation, const vc_dimension *dimension, uint32_t unit)
{
    if (relation->level >= 0)
        return vc_texts_get(
            &dimension->hierarchies[relation->hierarchy].levels[relation->level].keys, unit);
    if (dimension->leaf_keys.count > 0) return vc_texts_get(&dimension->leaf_keys, unit);
    const vc_hierarchy *main = &dimension->hierarchies[0];
    const vc_level *lowest = &main->levels[main->nlevels - 1];
    return vc_texts_get(&lowest->keys, vc_numbers_get(lowest->leaf_members, unit));
}

/* The keys of units that have several joined leaves, at most five, and how many there are. */
static vc_status fail_cardinality(const vc_relation *relation, const vc_dimension *primary,
                                  vc_error *error)
{
    vc_arena work = {0};
    uint32_t *counts = VC_ARENA_NEW(&work, uint32_t, (size_t)relation->nunits + 1);
    vc_str list = VC_STR("");
    size_t nseveral = 0;
    if (counts == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        for (size_t i = 0; i < nunits; i++)
            counts[units[i]]++;
    }
    for (uint32_t unit = 0; unit < relation->nunits; unit++)
        if (counts[unit] > 1 && nseveral++ < 5)
            list =
                vc_arena_printf(&work, "%.*s%s'%.*s' (%u)", VC_FMT(list), nseveral > 1 ? ", " : "",
                                VC_FMT(unit_key(relation, primary, unit)), counts[unit]);
    vc_fail(error, VC_IMPOSSIBLE, "cardinality",
            "the join is declared to find one member per key, but %zu keys find several: %.*s%s",
            nseveral, VC_FMT(list), nseveral > 5 ? ", ..." : "");
    vc_arena_release(&work);
    return VC_IMPOSSIBLE;
}

/* The members of the primary that share keys, group by group, at most five groups, and how many
 * there are. */
static vc_status fail_fanout(const vc_relation *relation, const vc_dimension *primary,
                             vc_error *error)
{
    vc_arena work = {0};
    uint64_t *is_listed = VC_ARENA_NEW(&work, uint64_t, vc_bits_words(relation->nunits) + 1);
    vc_str list = VC_STR("");
    size_t ngroups = 0;
    if (is_listed == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        if (nunits < 2 || vc_bit_get(is_listed, units[0])) continue;
        vc_bit_set(is_listed, units[0]);
        if (ngroups++ >= 5) continue;
        for (size_t i = 0; i < nunits && i < 5; i++)
            list = vc_arena_printf(&work, "%.*s%s'%.*s'", VC_FMT(list),
                                   i > 0         ? " and "
                                   : ngroups > 1 ? ", "
                                                 : "",
                                   VC_FMT(unit_key(relation, primary, units[i])));
    }
    vc_fail(error, VC_IMPOSSIBLE, "fanout",
            "members of the primary share keys, so that facts fall on several of them, and "
            "on_fanout is \"error\": %.*s%s",
            VC_FMT(list), ngroups > 5 ? ", ..." : "");
    vc_arena_release(&work);
    return VC_IMPOSSIBLE;
}

static vc_status check_join(const vc_join_def *join, const vc_relation *relation,
                            const vc_dimension *primary, const char **field_out, vc_error *error)
{
    const vc_coverage *coverage = &relation->coverage;
    *field_out = "/join/cardinality";
    if (join->is_cardinality_one && relation->has_unit_fanin)
        return fail_cardinality(relation, primary, error);
    *field_out = "/join/on_fanout";
    if (join->on_fanout == VC_FANOUT_ERROR && relation->has_fanout)
        return fail_fanout(relation, primary, error);
    *field_out = "/join/min_coverage";
    double share =
        coverage->keys == 0 ? 1 : (double)coverage->keys_matched / (double)coverage->keys;
    if (share < join->min_coverage)
        return vc_fail(error, VC_IMPOSSIBLE, "low_coverage",
                       "%llu of %llu keys match, that is %.1f%%; min_coverage asks for %.1f%%",
                       (unsigned long long)coverage->keys_matched,
                       (unsigned long long)coverage->keys, 100 * share, 100 * join->min_coverage);
    return VC_OK;
}

/* All pairs of a join that name one primary dimension: together one relation. */
static vc_status join_dimension(struct builder *builder, size_t source, size_t first,
                                vc_error *error)
{
    const vc_source_def *definition = &builder->virtual_cube->sources[source];
    const vc_join_def *join = &definition->join;
    const vc_on_def *on = &join->on[first];
    const vc_source_cube *cube = builder->sources[source].cube;
    vc_relation_pair *pairs = VC_ARENA_NEW(builder->arena, vc_relation_pair, join->non);
    size_t npairs = 0, dimension, to_dimension;
    if (pairs == NULL) return vc_no_memory(error);
    vc_status status = get_outer(builder, on->dim, &dimension, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, on->pointer, "/dim", status, error);
    status = vc_source_cube_find_dimension(cube, on->to_dim, &to_dimension, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, on->pointer, "/to_dim", status, error);
    if (builder->sources[source].bindings[dimension].kind != VC_BIND_NONE)
        return VC_OK; /* these pairs were taken together with an earlier one */
    const vc_dimension *primary = builder->dimensions[dimension].dimension;
    for (size_t i = first; i < join->non; i++) {
        if (!vc_str_equal(join->on[i].dim, on->dim)) continue;
        if (!vc_str_equal(join->on[i].to_dim, on->to_dim)) {
            status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                             "a composite key over several dimensions of the joined cube ('%.*s' "
                             "and '%.*s') is not supported by this version",
                             VC_FMT(on->to_dim), VC_FMT(join->on[i].to_dim));
            return vc_model_place(builder->definition, join->on[i].pointer, "/to_dim", status,
                                  error);
        }
        status = resolve_pair(builder, &join->on[i], primary, cube->dimensions[to_dimension],
                              &pairs[npairs++], error);
        if (status != VC_OK) return status;
    }
    const vc_relation *relation;
    const char *field = "";
    status = vc_relation_resolve(primary, cube->dimensions[to_dimension], pairs, npairs,
                                 builder->arena, &relation, error);
    if (status == VC_OK) status = check_join(join, relation, primary, &field, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, definition->pointer, field, status, error);
    bind(builder, source, to_dimension, dimension, relation);
    return VC_OK;
}

static vc_status join_source(struct builder *builder, size_t source, vc_error *error)
{
    const vc_join_def *join = &builder->virtual_cube->sources[source].join;
    for (size_t i = 0; i < join->non; i++) {
        vc_status status = join_dimension(builder, source, i, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* ---- dimensions that are common without a join ---- */

/* Bind a source's dimension to one that is there and means the same. */
static vc_status bind_same(struct builder *builder, size_t source, size_t source_dimension,
                           size_t dimension, vc_error *error)
{
    const vc_dimension *mine = builder->sources[source].cube->dimensions[source_dimension];
    const vc_dimension *outer = builder->dimensions[dimension].dimension;
    const vc_relation *relation = NULL;
    if (mine->fingerprint != outer->fingerprint) {
        /* Two versions of one dimension: the leaves are numbered differently, the keys agree. */
        vc_status status =
            vc_relation_resolve(outer, mine, NULL, 0, builder->arena, &relation, error);
        if (status != VC_OK) return status;
    }
    bind(builder, source, source_dimension, dimension, relation);
    return VC_OK;
}

static vc_status bind_common(struct builder *builder, const vc_common_def *common, vc_error *error)
{
    size_t dimension = builder->ndimensions;
    if (find_outer(builder, common->name) < builder->ndimensions) {
        vc_status status = vc_fail(error, VC_BAD_INPUT, "duplicate_name",
                                   "the cube already has a dimension '%.*s'", VC_FMT(common->name));
        return vc_model_place(builder->definition, common->pointer, "/name", status, error);
    }
    for (size_t i = 0; i < common->nof; i++) {
        size_t source, source_dimension;
        vc_status status = find_alias(builder, common->of[i].alias, &source, error);
        if (status == VC_OK)
            status = vc_source_cube_find_dimension(
                builder->sources[source].cube, common->of[i].dimension, &source_dimension, error);
        if (status == VC_OK && i == 0)
            add_dimension(builder, source, source_dimension, common->name);
        else if (status == VC_OK) {
            const vc_dimension *mine = builder->sources[source].cube->dimensions[source_dimension];
            if (mine->fingerprint != builder->dimensions[dimension].dimension->fingerprint)
                status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                                 "the dimensions '%.*s' of '%.*s' and '%.*s' of '%.*s' have "
                                 "different members; making one of them is not supported by this "
                                 "version (use one dimension file for both)",
                                 VC_FMT(common->of[0].dimension), VC_FMT(common->of[0].alias),
                                 VC_FMT(common->of[i].dimension), VC_FMT(common->of[i].alias));
            else
                bind(builder, source, source_dimension, dimension, NULL);
        }
        if (status != VC_OK)
            return vc_model_place(builder->definition, common->pointer, "/of", status, error);
    }
    return VC_OK;
}

static vc_str shared_name(const vc_source_cube *cube, size_t dimension)
{
    return cube->definition->as.cube.dimensions[dimension].shared;
}

/* A dimension that `on` or `common` has placed has its name from there: another one would silently
 * not be used. */
static vc_status check_renames(const struct builder *builder, size_t source, vc_error *error)
{
    const vc_source_def *definition = &builder->virtual_cube->sources[source];
    for (size_t i = 0; i < definition->nrenames; i++) {
        size_t dimension;
        vc_status status = vc_source_cube_find_dimension(
            builder->sources[source].cube, definition->renames[i].from, &dimension, error);
        if (status == VC_OK && builder->is_bound[source][dimension])
            status =
                vc_fail(error, VC_BAD_INPUT, "bad_value",
                        "dimension '%.*s' is placed by \"on\" or \"common\" and has its name "
                        "from there: it cannot be called '%.*s'",
                        VC_FMT(definition->renames[i].from), VC_FMT(definition->renames[i].to));
        if (status != VC_OK)
            return vc_model_place(builder->definition, definition->pointer, "/dimensions", status,
                                  error);
    }
    return VC_OK;
}

/* The dimensions of a source that no join and no `common` has placed. */
static vc_status place_rest(struct builder *builder, size_t source, vc_error *error)
{
    const vc_source_def *definition = &builder->virtual_cube->sources[source];
    const vc_source_cube *cube = builder->sources[source].cube;
    vc_status renamed = check_renames(builder, source, error);
    if (renamed != VC_OK) return renamed;
    for (size_t i = 0; i < cube->ndimensions; i++) {
        if (builder->is_bound[source][i]) continue;
        vc_str name = outer_name(definition, cube->dimension_names[i]);
        size_t dimension = find_outer(builder, name);
        if (dimension == builder->ndimensions) {
            add_dimension(builder, source, i, name);
            continue;
        }
        size_t owner = builder->dimensions[dimension].owner;
        const vc_source_cube *other = builder->sources[owner].cube;
        size_t owned = builder->sources[owner].bindings[dimension].source_dimension;
        vc_str shared = shared_name(cube, i);
        bool is_same = other == cube ||
                       (shared.data != NULL && vc_str_equal(shared, shared_name(other, owned)));
        vc_status status = VC_OK;
        if (builder->sources[source].bindings[dimension].kind != VC_BIND_NONE || !is_same)
            status =
                vc_fail(error, VC_BAD_INPUT, "dimension_conflict",
                        "sources '%.*s' and '%.*s' both have a dimension '%.*s', but not from "
                        "the same dimension file; map it in \"on\", or give it another name in "
                        "\"dimensions\"",
                        VC_FMT(builder->sources[owner].alias),
                        VC_FMT(builder->sources[source].alias), VC_FMT(name));
        else
            status = bind_same(builder, source, i, dimension, error);
        if (status != VC_OK)
            return vc_model_place(builder->definition, definition->pointer, "", status, error);
    }
    return VC_OK;
}

static size_t count_bound(const struct builder *builder, size_t dimension)
{
    size_t nbound = 0;
    for (size_t i = 0; i < builder->virtual_cube->nsources; i++)
        nbound += builder->sources[i].bindings[dimension].kind != VC_BIND_NONE;
    return nbound;
}

static vc_status check_common(struct builder *builder, vc_error *error)
{
    for (size_t d = 0; d < builder->ndimensions; d++)
        builder->dimensions[d].is_private = count_bound(builder, d) == 1;
    for (size_t s = 1; s < builder->virtual_cube->nsources; s++) {
        bool has_common = false;
        for (size_t d = 0; d < builder->ndimensions; d++)
            has_common |= builder->sources[s].bindings[d].kind != VC_BIND_NONE &&
                          !builder->dimensions[d].is_private;
        if (!has_common) {
            vc_status status = vc_fail(
                error, VC_BAD_INPUT, "no_common_dimension",
                "source '%.*s' has no dimension in common with the others; map one in \"join\"",
                VC_FMT(builder->sources[s].alias));
            return vc_model_place(builder->definition, builder->virtual_cube->sources[s].pointer,
                                  "", status, error);
        }
    }
    return VC_OK;
}

/* ---- buckets and visible members ---- */

/* The text of an unmatched leaf in its synthetic key: its own key, else its lowest level's. */
static vc_str leaf_text(const vc_dimension *dimension, uint32_t leaf)
{
    if (dimension->leaf_keys.count > 0) return vc_texts_get(&dimension->leaf_keys, leaf);
    const vc_hierarchy *main = &dimension->hierarchies[0];
    const vc_level *lowest = &main->levels[main->nlevels - 1];
    return vc_texts_get(&lowest->keys, vc_numbers_get(lowest->leaf_members, leaf));
}

static size_t count_unmatched(const vc_binding *binding)
{
    size_t nunmatched = 0;
    if (binding->kind == VC_BIND_RELATION && binding->unmatched != VC_UNMATCHED_DROP)
        for (uint32_t leaf = 0; leaf < binding->relation->nleaves; leaf++)
            nunmatched += binding->relation->fates[leaf] == VC_FATE_UNMATCHED;
    return nunmatched;
}

/* Give the unmatched leaves of one binding their synthetic slots, from *next on.
 *
 * order  [nleaves] in which they are numbered; NULL: by leaf */
static vc_status number_unmatched(struct builder *builder, size_t source, vc_binding *binding,
                                  vc_bucket *bucket, const uint32_t *order,
                                  vc_synthetic *synthetics, uint32_t base, uint32_t *next,
                                  vc_error *error)
{
    const vc_relation *relation = binding->relation;
    const vc_cube_source *from = &builder->sources[source];
    const vc_dimension *joined = from->cube->dimensions[binding->source_dimension];
    uint32_t *slots = vc_arena_alloc(builder->arena, (size_t)relation->nleaves * sizeof *slots);
    *bucket =
        (vc_bucket){.source = source,
                    .key = vc_arena_printf(builder->arena, "(unmatched:%.*s)", VC_FMT(from->alias)),
                    .first = *next,
                    .has_members = binding->unmatched == VC_UNMATCHED_MEMBERS};
    if (slots == NULL || bucket->key.data == NULL) return vc_no_memory(error);
    if (!bucket->has_members) {
        synthetics[*next - base] =
            (vc_synthetic){.key = bucket->key, .source = source, .is_bucket = true};
        ++*next;
    }
    for (uint32_t i = 0; i < relation->nleaves; i++) {
        uint32_t leaf = order == NULL ? i : order[i];
        slots[leaf] = VC_NONE;
        if (relation->fates[leaf] != VC_FATE_UNMATCHED) continue;
        slots[leaf] = bucket->first;
        if (bucket->has_members) {
            vc_str key = vc_arena_printf(builder->arena, "%.*s:%.*s", VC_FMT(from->alias),
                                         VC_FMT(leaf_text(joined, leaf)));
            if (key.data == NULL) return vc_no_memory(error);
            synthetics[*next - base] = (vc_synthetic){.key = key, .source = source};
            slots[leaf] = (*next)++;
        }
    }
    bucket->end = *next;
    binding->synthetic_slots = slots;
    return VC_OK;
}

/* The same. Members stand in the order of the joined dimension's hierarchy, not in that in which
 * they were loaded: compacting must not change an answer. */
static vc_status make_bucket(struct builder *builder, size_t source, vc_binding *binding,
                             vc_bucket *bucket, vc_synthetic *synthetics, uint32_t base,
                             uint32_t *next, vc_error *error)
{
    const vc_source_cube *from = builder->sources[source].cube;
    const uint32_t *order = NULL;
    vc_arena arena = {0};
    vc_status status = VC_OK;
    if (binding->unmatched == VC_UNMATCHED_MEMBERS)
        status = vc_dimension_order_leaves(from->dimensions[binding->source_dimension], &arena,
                                           &order, error);
    if (status == VC_OK)
        status = number_unmatched(builder, source, binding, bucket, order, synthetics, base, next,
                                  error);
    vc_arena_release(&arena);
    return status;
}

static vc_status make_buckets(struct builder *builder, size_t dimension, vc_error *error)
{
    vc_cube_dimension *outer = &builder->dimensions[dimension];
    size_t nsources = builder->virtual_cube->nsources, nbuckets = 0, nsynthetic = 0;
    for (size_t s = 0; s < nsources; s++) {
        const vc_binding *binding = &builder->sources[s].bindings[dimension];
        size_t nunmatched = count_unmatched(binding);
        nbuckets += nunmatched > 0;
        nsynthetic += binding->unmatched == VC_UNMATCHED_MEMBERS ? nunmatched : nunmatched > 0;
    }
    if (nbuckets == 0) return VC_OK;
    vc_bucket *buckets = VC_ARENA_NEW(builder->arena, vc_bucket, nbuckets);
    vc_synthetic *synthetics = VC_ARENA_NEW(builder->arena, vc_synthetic, nsynthetic);
    if (buckets == NULL || synthetics == NULL) return vc_no_memory(error);
    uint32_t nleaves = outer->dimension->nleaves, next = nleaves;
    outer->buckets = buckets;
    outer->synthetics = synthetics;
    for (size_t s = 0; s < nsources; s++) {
        vc_binding *binding = &builder->sources[s].bindings[dimension];
        if (count_unmatched(binding) == 0) continue;
        vc_status status = make_bucket(builder, s, binding, &buckets[outer->nbuckets++], synthetics,
                                       nleaves, &next, error);
        if (status != VC_OK) return status;
    }
    outer->nslots = next;
    outer->nsynthetic = next - nleaves;
    return VC_OK;
}

/* Clear the leaves that a join without match hides. */
static vc_status hide_unmatched(struct builder *builder, const vc_binding *binding,
                                const vc_dimension *primary, uint64_t *visible, vc_error *error)
{
    const vc_relation *relation = binding->relation;
    uint64_t *matched = VC_ARENA_NEW(builder->arena, uint64_t, vc_bits_words(relation->nunits) + 1);
    if (matched == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        for (size_t i = 0; i < nunits; i++)
            vc_bit_set(matched, units[i]);
    }
    const vc_numbers unit_of =
        relation->level < 0
            ? (vc_numbers){0} /* the leaf itself */
            : primary->hierarchies[relation->hierarchy].levels[relation->level].leaf_members;
    for (uint32_t leaf = 0; leaf < primary->nleaves; leaf++)
        if (!vc_bit_get(matched, vc_numbers_get(unit_of, leaf))) vc_bit_clear(visible, leaf);
    return VC_OK;
}

static vc_status find_visible(struct builder *builder, size_t dimension, vc_error *error)
{
    vc_cube_dimension *outer = &builder->dimensions[dimension];
    uint64_t *visible = NULL;
    for (size_t s = 0; s < builder->virtual_cube->nsources; s++) {
        const vc_binding *binding = &builder->sources[s].bindings[dimension];
        if (binding->kind != VC_BIND_RELATION ||
            (binding->join_kind != VC_JOIN_INNER && binding->join_kind != VC_JOIN_RIGHT))
            continue;
        if (visible == NULL) {
            visible = VC_ARENA_NEW(builder->arena, uint64_t, vc_bits_words(outer->nslots) + 1);
            if (visible == NULL) return vc_no_memory(error);
            vc_bits_set_range(visible, 0, outer->nslots);
        }
        vc_status status = hide_unmatched(builder, binding, outer->dimension, visible, error);
        if (status != VC_OK) return status;
    }
    outer->visible = visible;
    return VC_OK;
}

/* ---- policies and fixes ---- */

/* Does a policy speak of this dimension, by its name here or in its own cube? */
static bool is_about(const struct builder *builder, const vc_private_def *policy, size_t dimension)
{
    const vc_cube_dimension *outer = &builder->dimensions[dimension];
    const vc_cube_source *owner = &builder->sources[outer->owner];
    vc_str own = owner->cube->dimension_names[owner->bindings[dimension].source_dimension];
    return vc_str_equal(policy->alias, owner->alias) &&
           (vc_str_equal(policy->dimension, outer->name) || vc_str_equal(policy->dimension, own));
}

static vc_status set_unrelated(struct builder *builder, size_t source, vc_error *error)
{
    const vc_virtual_def *virtual_cube = builder->virtual_cube;
    vc_unrelated *unrelated = VC_ARENA_NEW(builder->arena, vc_unrelated, builder->ndimensions + 1);
    if (unrelated == NULL) return vc_no_memory(error);
    for (size_t d = 0; d < builder->ndimensions; d++) {
        unrelated[d] = VC_UNRELATED_NULL;
        for (size_t i = 0; i < virtual_cube->nprivates; i++)
            if (is_about(builder, &virtual_cube->privates[i], d))
                unrelated[d] = virtual_cube->privates[i].others;
    }
    builder->sources[source].unrelated = unrelated;
    return VC_OK;
}

/* A policy about a dimension that is not there, or that comes from another source, would silently
 * do nothing. One about a dimension that turns out not to be private has nobody to speak of. */
static vc_status check_private(const struct builder *builder, const vc_private_def *policy,
                               vc_error *error)
{
    size_t source, source_dimension;
    vc_status status = find_alias(builder, policy->alias, &source, error);
    for (size_t d = 0; status == VC_OK && d < builder->ndimensions; d++)
        if (is_about(builder, policy, d)) return VC_OK;
    if (status == VC_OK)
        status = vc_source_cube_find_dimension(builder->sources[source].cube, policy->dimension,
                                               &source_dimension, error);
    return status;
}

static vc_status check_privates(struct builder *builder, vc_error *error)
{
    for (size_t i = 0; i < builder->virtual_cube->nprivates; i++) {
        const vc_private_def *policy = &builder->virtual_cube->privates[i];
        vc_status status = check_private(builder, policy, error);
        if (status != VC_OK)
            return vc_model_place(builder->definition, policy->pointer, "", status, error);
    }
    return VC_OK;
}

static bool has_fix(const vc_cube_fix *fixes, size_t nfixes, size_t dimension)
{
    for (size_t i = 0; i < nfixes; i++)
        if (fixes[i].source_dimension == dimension) return true;
    return false;
}

/* A dimension without an All must be fixed, by the source or by each of its measures. */
static vc_status check_aggregatable(const struct builder *builder, vc_error *error)
{
    const vc_cube *cube = builder->cube;
    for (size_t m = 0; m < cube->nmeasures; m++) {
        const vc_cube_measure *measure = &cube->measures[m];
        if (measure->expr != NULL) continue;
        const vc_cube_source *source = &cube->sources[measure->source];
        for (size_t d = 0; d < source->cube->ndimensions; d++)
            if (!source->cube->is_aggregatable[d] && !has_fix(source->fixes, source->nfixes, d) &&
                !has_fix(measure->fixes, measure->nfixes, d)) {
                vc_status status = vc_fail(error, VC_BAD_INPUT, "missing_fix",
                                           "dimension '%.*s' of source '%.*s' has no All, so "
                                           "measure '%.*s' needs a \"fix\" "
                                           "for it, on the source or on the measure",
                                           VC_FMT(source->cube->dimension_names[d]),
                                           VC_FMT(source->alias), VC_FMT(measure->name));
                return vc_model_place(builder->definition, source->definition->pointer, "", status,
                                      error);
            }
    }
    return VC_OK;
}

vc_status vc_model_fixes(vc_model *model, const vc_source_cube *source, const vc_fix_def *fixes,
                         size_t nfixes, vc_cube_fix **fixes_out, vc_error *error)
{
    vc_arena *arena = vc_model_arena(model);
    vc_cube_fix *out = VC_ARENA_NEW(arena, vc_cube_fix, nfixes + 1);
    if (out == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nfixes; i++) {
        size_t number, nkeys;
        const vc_str *keys;
        vc_member_ref found;
        vc_status status =
            vc_source_cube_find_dimension(source, fixes[i].dimension, &number, error);
        if (status != VC_OK) return status;
        status = vc_path_split(fixes[i].value, arena, &keys, &nkeys, error);
        if (status != VC_OK) return status;
        const vc_dimension *dimension = source->dimensions[number];
        status = vc_hierarchy_find_member(dimension, 0, keys, nkeys, arena, &found, error);
        if (status != VC_OK) return status;
        uint64_t *leaves = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(dimension->nleaves) + 1);
        if (leaves == NULL) return vc_no_memory(error);
        vc_level_mark_leaves(dimension, &dimension->hierarchies[0].levels[found.level],
                             found.member, leaves);
        out[i] = (vc_cube_fix){.source_dimension = number, .leaves = leaves};
    }
    *fixes_out = out;
    return VC_OK;
}

static vc_status fix_sources(struct builder *builder, vc_error *error)
{
    for (size_t s = 0; s < builder->virtual_cube->nsources; s++) {
        const vc_source_def *from = &builder->virtual_cube->sources[s];
        vc_cube_source *source = &builder->sources[s];
        vc_status status = vc_model_fixes(builder->model, source->cube, from->fixes, from->nfixes,
                                          &source->fixes, error);
        if (status != VC_OK)
            return vc_model_place(builder->definition, from->pointer, "/fix", status, error);
        source->nfixes = from->nfixes;
    }
    return VC_OK;
}

/* ---- the whole ---- */

static vc_status place_dimensions(struct builder *builder, vc_error *error)
{
    const vc_virtual_def *virtual_cube = builder->virtual_cube;
    vc_status status = place_rest(builder, 0, error);
    for (size_t s = 1; s < virtual_cube->nsources && status == VC_OK; s++)
        status = join_source(builder, s, error);
    for (size_t c = 0; c < virtual_cube->ncommons && status == VC_OK; c++)
        status = bind_common(builder, &virtual_cube->commons[c], error);
    for (size_t s = 1; s < virtual_cube->nsources && status == VC_OK; s++)
        status = place_rest(builder, s, error);
    return status == VC_OK ? check_common(builder, error) : status;
}

vc_status vc_model_open_virtual(vc_model *model, const vc_definition *definition, vc_cube *cube,
                                vc_error *error)
{
    struct builder builder = {.model = model,
                              .arena = vc_model_arena(model),
                              .definition = definition,
                              .virtual_cube = &definition->as.virtual_cube,
                              .cube = cube};
    vc_status status = open_sources(&builder, error);
    if (status == VC_OK) status = place_dimensions(&builder, error);
    for (size_t d = 0; d < builder.ndimensions && status == VC_OK; d++) {
        status = make_buckets(&builder, d, error);
        if (status == VC_OK) status = find_visible(&builder, d, error);
    }
    if (status == VC_OK) status = check_privates(&builder, error);
    for (size_t s = 0; s < builder.virtual_cube->nsources && status == VC_OK; s++)
        status = set_unrelated(&builder, s, error);
    if (status == VC_OK) status = fix_sources(&builder, error);
    if (status != VC_OK) return status;
    *cube = (vc_cube){.name = definition->name,
                      .label = definition->label,
                      .definition = definition,
                      .is_virtual = true,
                      .ndimensions = builder.ndimensions,
                      .dimensions = builder.dimensions,
                      .nsources = builder.virtual_cube->nsources,
                      .sources = builder.sources};
    status = vc_model_virtual_measures(model, cube, error);
    return status == VC_OK ? check_aggregatable(&builder, error) : status;
}
