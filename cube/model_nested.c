/* A virtual cube as a source of another.
 *
 * The sources of the inner cube become sources of the outer one, each bound to the outer one's
 * dimensions: as it is to the inner one's, where those are taken over; and where the outer cube
 * joins the inner one along a dimension, through both relations, composed. So nothing else knows of
 * nesting: facts of each source are aggregated to the grain of the query as ever.
 *
 * What the inner cube hides (members after its inner joins, facts that it drops) stays hidden. The
 * sources of one inner cube share the bucket of its join; one of them, the leader, stands for the
 * join where there is one to speak of (coverage, visible members).
 */
#include "cube/model_virtual.h"

#include "base/bits.h"

#include <stdlib.h>
#include <string.h>

/* ---- the sources ---- */

static bool is_taken(const vc_source_def *sources, size_t count, vc_str alias)
{
    for (size_t i = 0; i < count; i++)
        if (vc_str_equal(sources[i].alias, alias)) return true;
    return false;
}

/* The sources of an inner cube, as if they were the definition's own, without a join of their own
 * to resolve. Their aliases stay, unless they are taken. */
static vc_status list_inner(vc_virtual_builder *builder, const vc_virtual_part *part,
                            vc_source_def *sources, vc_error *error)
{
    for (size_t k = 0; k < part->count; k++) {
        const vc_cube_source *inner = &part->cube->sources[k];
        vc_str alias = inner->alias;
        const vc_virtual_def *definition = &builder->definition->as.virtual_cube;
        if (is_taken(sources, part->first + k, alias) ||
            is_taken(definition->sources, definition->nsources, alias))
            alias = vc_arena_printf(builder->arena, "%.*s.%.*s", VC_FMT(part->definition->alias),
                                    VC_FMT(inner->alias));
        if (alias.data == NULL) return vc_no_memory(error);
        sources[part->first + k] = *inner->definition;
        sources[part->first + k].alias = alias;
        sources[part->first + k].pointer = part->definition->pointer;
        sources[part->first + k].nfixes = sources[part->first + k].nrenames = 0;
        if (part->definition->join.kind != VC_JOIN_LEFT)
            sources[part->first + k].join.kind = part->definition->join.kind;
    }
    return VC_OK;
}

static vc_status open_part(vc_virtual_builder *builder, const vc_source_def *from,
                           vc_virtual_part *part, vc_error *error)
{
    bool is_virtual;
    *part = (vc_virtual_part){.definition = from, .first = builder->nflat, .count = 1};
    vc_status status = vc_model_kind(builder->model, from->cube, &is_virtual, error);
    if (status == VC_OK && is_virtual)
        status = vc_model_open(builder->model, from->cube, &part->cube, error);
    if (status != VC_OK) return status;
    if (is_virtual) {
        if (part->cube->depth + 1 > VC_MAX_DEPTH)
            return vc_fail(error, VC_LIMIT, "limit_depth",
                           "virtual cubes are nested more than %d deep", VC_MAX_DEPTH);
        builder->depth = part->cube->depth > builder->depth ? part->cube->depth : builder->depth;
        part->count = part->cube->nsources;
        part->outer = VC_ARENA_NEW(builder->arena, size_t, part->cube->ndimensions + 1);
        if (part->outer == NULL) return vc_no_memory(error);
        for (size_t e = 0; e < part->cube->ndimensions; e++)
            part->outer[e] = SIZE_MAX;
    }
    builder->nflat += part->count;
    if (builder->nflat > VC_MAX_SOURCES)
        return vc_fail(error, VC_LIMIT, "limit_sources",
                       "the cube has more than %d sources, those of nested cubes counted",
                       VC_MAX_SOURCES);
    return VC_OK;
}

vc_status vc_virtual_expand(vc_virtual_builder *builder, vc_error *error)
{
    const vc_virtual_def *definition = &builder->definition->as.virtual_cube;
    vc_virtual_def *flat = VC_ARENA_NEW(builder->arena, vc_virtual_def, 1);
    vc_source_def *sources = VC_ARENA_NEW(builder->arena, vc_source_def, VC_MAX_SOURCES);
    builder->parts = VC_ARENA_NEW(builder->arena, vc_virtual_part, definition->nsources);
    if (flat == NULL || sources == NULL || builder->parts == NULL) return vc_no_memory(error);
    builder->nparts = definition->nsources;
    for (size_t i = 0; i < definition->nsources; i++) {
        vc_virtual_part *part = &builder->parts[i];
        const vc_source_def *from = &definition->sources[i];
        vc_status status = open_part(builder, from, part, error);
        if (status != VC_OK)
            return vc_model_place(builder->definition, from->pointer, "/cube", status, error);
        if (part->cube == NULL)
            sources[part->first] = *from;
        else if ((status = list_inner(builder, part, sources, error)) != VC_OK)
            return status;
    }
    *flat = *definition;
    flat->sources = sources;
    flat->nsources = builder->nflat;
    builder->virtual_cube = flat;
    return VC_OK;
}

const vc_virtual_part *vc_virtual_part_of(const vc_virtual_builder *builder, size_t source)
{
    size_t i = 0;
    while (source >= builder->parts[i].first + builder->parts[i].count)
        i++;
    return &builder->parts[i];
}

/* ---- composing relations ---- */

struct composing {
    const vc_relation *outer; /* units of the outer dimension <- leaves of the inner one */
    const vc_cube_dimension *inner;
    const vc_binding *binding; /* leaves of the inner dimension <- leaves of a source */
    const uint32_t *first_of;  /* [units of the binding] a visible leaf of each, VC_NONE: none;
                                  NULL: units are leaves */
    uint32_t *seen;            /* [units of the outer relation] leaf + 1 */
    uint32_t *targets;
    size_t ntargets, capacity;
    vc_arena *arena;
};

static bool is_visible(const vc_cube_dimension *dimension, uint32_t leaf)
{
    return dimension->visible == NULL || vc_bit_get(dimension->visible, leaf);
}

static bool same_units(const vc_relation *relation, uint32_t a, uint32_t b)
{
    const uint32_t *x, *y;
    size_t n = vc_relation_units(relation, a, &x);
    return n == vc_relation_units(relation, b, &y) && (n == 0 || memcmp(x, y, n * sizeof *x) == 0);
}

/* A source that stands above the inner dimension's leaves can be taken through a join only when
 * that does not tell the leaves of one member apart. */
static vc_status find_first_leaves(struct composing *in, vc_error *error)
{
    const vc_relation *relation = in->binding->relation;
    if (relation->level < 0) return VC_OK;
    const vc_level *level =
        &in->inner->dimension->hierarchies[relation->hierarchy].levels[relation->level];
    uint32_t *first = vc_arena_alloc(in->arena, ((size_t)relation->nunits + 1) * sizeof *first);
    if (first == NULL) return vc_no_memory(error);
    memset(first, 0xFF, (size_t)relation->nunits * sizeof *first);
    for (uint32_t leaf = 0; leaf < in->inner->dimension->nleaves; leaf++) {
        uint32_t unit = vc_numbers_get(level->leaf_members, leaf);
        if (!is_visible(in->inner, leaf)) continue;
        if (first[unit] == VC_NONE)
            first[unit] = leaf;
        else if (!same_units(in->outer, first[unit], leaf))
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "a source of the nested cube stands at '%.*s' of '%.*s', below which "
                           "the nested cube is joined",
                           VC_FMT(level->name), VC_FMT(in->inner->name));
    }
    in->first_of = first;
    return VC_OK;
}

static bool add_target(struct composing *in, uint32_t unit, uint32_t stamp)
{
    if (in->seen[unit] == stamp) return true;
    in->seen[unit] = stamp;
    if (in->ntargets == in->capacity) {
        size_t capacity = in->capacity * 2 + 64;
        uint32_t *targets = vc_arena_alloc(in->arena, capacity * sizeof *targets);
        if (targets == NULL) return false;
        if (in->ntargets > 0) memcpy(targets, in->targets, in->ntargets * sizeof *targets);
        in->targets = targets;
        in->capacity = capacity;
    }
    in->targets[in->ntargets++] = unit;
    return true;
}

/* The units of one leaf of the source, put behind the targets, and what becomes of it: unmatched
 * are what the inner cube counts and the outer join does not match; what the inner one drops is
 * out. */
static bool compose_leaf(struct composing *in, uint32_t leaf, bool *is_unmatched_out)
{
    const vc_binding *binding = in->binding;
    const uint32_t *leaves = &leaf, *units;
    size_t nleaves = 1;
    *is_unmatched_out = false;
    if (binding->kind == VC_BIND_RELATION) {
        nleaves = vc_relation_units(binding->relation, leaf, &leaves);
        *is_unmatched_out = binding->relation->fates[leaf] == VC_FATE_UNMATCHED &&
                            binding->unmatched != VC_UNMATCHED_DROP;
    }
    for (size_t i = 0; i < nleaves; i++) {
        uint32_t at = in->first_of == NULL ? leaves[i] : in->first_of[leaves[i]];
        if (at == VC_NONE || !is_visible(in->inner, at)) continue;
        size_t nunits = vc_relation_units(in->outer, at, &units);
        *is_unmatched_out |= nunits == 0 && in->outer->fates[at] == VC_FATE_UNMATCHED;
        for (size_t u = 0; u < nunits; u++)
            if (!add_target(in, units[u], leaf + 1)) return false;
    }
    return true;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Make of offsets and targets the one array that a relation has where no leaf has two units. */
static vc_status finish(struct composing *in, uint32_t *offsets, vc_relation *relation,
                        vc_error *error)
{
    if (relation->has_fanout) {
        relation->offsets = offsets;
        relation->targets = in->targets;
        return VC_OK;
    }
    uint32_t *units = vc_arena_alloc(in->arena, ((size_t)relation->nleaves + 1) * sizeof *units);
    if (units == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++)
        units[leaf] = offsets[leaf] < offsets[leaf + 1] ? in->targets[offsets[leaf]] : VC_NONE;
    relation->units = units;
    return VC_OK;
}

static vc_status compose(struct composing *in, uint32_t nleaves, bool keeps_unmatched,
                         const vc_relation **relation_out, vc_error *error)
{
    vc_relation *relation = VC_ARENA_NEW(in->arena, vc_relation, 1);
    uint32_t *offsets = VC_ARENA_NEW(in->arena, uint32_t, (size_t)nleaves + 1);
    uint8_t *fates = VC_ARENA_NEW(in->arena, uint8_t, (size_t)nleaves + 1);
    uint64_t *met = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(in->outer->nunits) + 1);
    in->seen = VC_ARENA_NEW(in->arena, uint32_t, (size_t)in->outer->nunits + 1);
    if (relation == NULL || offsets == NULL || fates == NULL || met == NULL || in->seen == NULL)
        return vc_no_memory(error);
    vc_status status = in->binding->kind == VC_BIND_RELATION ? find_first_leaves(in, error) : VC_OK;
    if (status != VC_OK) return status;
    *relation = (vc_relation){.nleaves = nleaves,
                              .nunits = in->outer->nunits,
                              .hierarchy = in->outer->hierarchy,
                              .level = in->outer->level,
                              .fates = fates,
                              .coverage = in->outer->coverage,
                              .unmatched = in->outer->unmatched,
                              .nunmatched = in->outer->nunmatched,
                              .joined_collisions = in->outer->joined_collisions,
                              .primary_collisions = in->outer->primary_collisions,
                              .primary_duplicates = in->outer->primary_duplicates};
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        bool is_unmatched;
        if (!compose_leaf(in, leaf, &is_unmatched)) return vc_no_memory(error);
        size_t first = offsets[leaf], count = in->ntargets - first;
        if (count > 1) qsort(in->targets + first, count, sizeof *in->targets, compare_numbers);
        for (size_t i = first; i < in->ntargets; i++) {
            relation->has_unit_fanin |= vc_bit_get(met, in->targets[i]);
            vc_bit_set(met, in->targets[i]);
        }
        relation->has_fanout |= count > 1;
        offsets[leaf + 1] = (uint32_t)in->ntargets;
        fates[leaf] = count > 0      ? VC_FATE_MATCHED
                      : is_unmatched ? VC_FATE_UNMATCHED
                                     : VC_FATE_EXCLUDED;
        if (count > 0 && is_unmatched && keeps_unmatched)
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "facts of the nested cube belong to several members of '%.*s', of which "
                           "some match and some do not; such a bucket is not supported by this "
                           "version",
                           VC_FMT(in->inner->name));
    }
    *relation_out = relation;
    return finish(in, offsets, relation, error);
}

/* ---- places ---- */

/* A source's binding, taken over. */
static void copy_binding(vc_virtual_builder *builder, size_t source, size_t dimension,
                         const vc_binding *from)
{
    vc_binding *binding = &builder->sources[source].bindings[dimension];
    *binding = *from;
    binding->synthetic_slots = NULL; /* to be made anew */
    if (from->kind == VC_BIND_NONE) return;
    builder->is_bound[source][from->source_dimension] = true;
    for (size_t c = 0; from->tuples != NULL && c < from->tuples->ncomponents; c++)
        builder->is_bound[source][from->components[c]] = true;
}

static void add_dimension(vc_virtual_builder *builder, vc_virtual_part *part, size_t number,
                          vc_str name)
{
    const vc_cube_dimension *from = &part->cube->dimensions[number];
    size_t dimension = builder->ndimensions++;
    builder->dimensions[dimension] = (vc_cube_dimension){.name = name,
                                                         .label = from->label,
                                                         .dimension = from->dimension,
                                                         .nslots = from->dimension->nleaves,
                                                         .owner = part->first + from->owner,
                                                         .is_aggregatable = from->is_aggregatable,
                                                         .exposed = from->exposed};
    for (size_t k = 0; k < part->count; k++)
        copy_binding(builder, part->first + k, dimension, &part->cube->sources[k].bindings[number]);
    part->outer[number] = dimension;
}

const uint64_t *vc_virtual_inner_leaves(const vc_virtual_builder *builder, size_t dimension)
{
    const vc_virtual_part *primary = &builder->parts[0];
    for (size_t e = 0; primary->cube != NULL && e < primary->cube->ndimensions; e++)
        if (primary->outer[e] == dimension) return primary->cube->dimensions[e].visible;
    return NULL;
}

vc_status vc_virtual_place_nested(vc_virtual_builder *builder, vc_virtual_part *part,
                                  vc_error *error)
{
    const vc_source_def *definition = part->definition;
    for (size_t i = 0; i < definition->nrenames; i++) {
        size_t number;
        vc_status status =
            vc_cube_find_dimension(part->cube, definition->renames[i].from, &number, error);
        if (status == VC_OK && part->outer[number] != SIZE_MAX)
            status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                             "dimension '%.*s' is placed by \"on\" and has its name from there",
                             VC_FMT(definition->renames[i].from));
        if (status != VC_OK)
            return vc_model_place(builder->definition, definition->pointer, "/dimensions", status,
                                  error);
    }
    for (size_t e = 0; e < part->cube->ndimensions; e++) {
        if (part->outer[e] != SIZE_MAX) continue;
        vc_str name = vc_virtual_outer_name(definition, part->cube->dimensions[e].name);
        if (vc_virtual_find_outer(builder, name) < builder->ndimensions) {
            vc_status status =
                vc_fail(error, VC_BAD_INPUT, "dimension_conflict",
                        "there is a dimension '%.*s' already, and the nested cube '%.*s' has one; "
                        "map it in \"on\", or give it another name in \"dimensions\"",
                        VC_FMT(name), VC_FMT(part->cube->name));
            return vc_model_place(builder->definition, definition->pointer, "", status, error);
        }
        add_dimension(builder, part, e, name);
    }
    return VC_OK;
}

/* ---- joins ---- */

static vc_status resolve_pair(vc_virtual_builder *builder, const vc_on_def *on,
                              const vc_dimension *primary, const vc_dimension *joined,
                              vc_relation_pair *pair, vc_error *error)
{
    vc_status status = VC_OK;
    const char *field = "/index";
    *pair = (vc_relation_pair){.from_constant = on->constant, .to_constant = on->to_constant};
    if (on->constant.data == NULL)
        status = vc_dimension_find_index(primary, on->index, &pair->from, error);
    if (status == VC_OK && on->to_constant.data == NULL) {
        field = "/to_index";
        status = vc_dimension_find_index(joined, on->to_index, &pair->to, error);
    }
    if (status == VC_OK) {
        field = "/normalize";
        status =
            vc_model_normalizer(builder->model, on->normalize_from, &pair->normalize_from, error);
    }
    if (status == VC_OK)
        status = vc_model_normalizer(builder->model, on->normalize_to, &pair->normalize_to, error);
    return vc_model_place(builder->definition, on->pointer, field, status, error);
}

/* What is not possible through two relations yet. */
static vc_status refuse(const vc_virtual_builder *builder, const vc_virtual_part *part,
                        vc_error *error)
{
    const vc_join_def *join = &part->definition->join;
    const char *what = NULL, *field = "/join";
    for (size_t i = 0; i < join->non; i++)
        if (join->on[i].finer != VC_FINER_NULL) what = "'finer' in joins of nested cubes";
    if (join->expose.is_asked) what = "members of nested cubes as a level";
    if (join->mode != VC_MODE_SET) what = "weighted and lookup joins of nested cubes";
    if (join->on_fanout == VC_FANOUT_WEIGHTED) what = "weighted fan-outs of nested cubes";
    if (join->unmatched == VC_UNMATCHED_MEMBERS) what = "unmatched members of nested cubes";
    if (what == NULL) return VC_OK;
    vc_status status =
        vc_fail(error, VC_IMPOSSIBLE, "unsupported", "%s are not supported by this version", what);
    return vc_model_place(builder->definition, part->definition->pointer, field, status, error);
}

/* Bind the sources of the inner cube through its dimension `number`. */
static vc_status bind_through(vc_virtual_builder *builder, vc_virtual_part *part, size_t number,
                              size_t dimension, const vc_relation *relation, vc_error *error)
{
    const vc_cube_dimension *inner = &part->cube->dimensions[number];
    const vc_join_def *join = &part->definition->join;
    for (size_t k = 0; k < part->count; k++) {
        const vc_binding *from = &part->cube->sources[k].bindings[number];
        if (from->kind == VC_BIND_NONE) continue;
        if (from->mode != VC_MODE_SET || from->finer != VC_FINER_NULL)
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "source '%.*s' of the nested cube is joined to '%.*s' by weights, as a "
                           "lookup, or with 'finer'; a join through that is not supported by this "
                           "version",
                           VC_FMT(part->cube->sources[k].alias), VC_FMT(inner->name));
        struct composing in = {
            .outer = relation, .inner = inner, .binding = from, .arena = builder->arena};
        uint32_t nleaves =
            from->kind == VC_BIND_RELATION ? from->relation->nleaves : inner->dimension->nleaves;
        const vc_relation *composed = NULL;
        vc_status status =
            compose(&in, nleaves, join->unmatched != VC_UNMATCHED_DROP, &composed, error);
        if (status != VC_OK) return status;
        copy_binding(builder, part->first + k, dimension, from);
        vc_binding *binding = &builder->sources[part->first + k].bindings[dimension];
        binding->kind = VC_BIND_RELATION;
        binding->relation = composed;
        binding->join_kind = join->kind;
        binding->unmatched = join->unmatched;
        binding->refuses_fanout = join->on_fanout == VC_FANOUT_ERROR;
        binding->is_united = false;
        binding->join_alias = part->definition->alias;
        binding->join_relation = relation;
        binding->is_follower = k != inner->owner;
    }
    part->outer[number] = dimension;
    return VC_OK;
}

static vc_status join_dimension(vc_virtual_builder *builder, vc_virtual_part *part, size_t first,
                                vc_error *error)
{
    const vc_join_def *join = &part->definition->join;
    const vc_on_def *on = &join->on[first];
    vc_relation_pair *pairs = VC_ARENA_NEW(builder->arena, vc_relation_pair, join->non);
    size_t npairs = 0, dimension, number = SIZE_MAX;
    if (pairs == NULL) return vc_no_memory(error);
    vc_status status = vc_virtual_get_outer(builder, on->dim, &dimension, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, on->pointer, "/dim", status, error);
    for (size_t i = 0; i < first; i++)
        if (vc_str_equal(join->on[i].dim, on->dim)) return VC_OK; /* taken together with it */
    const vc_dimension *primary = builder->dimensions[dimension].dimension;
    for (size_t i = first; i < join->non; i++) {
        size_t to;
        if (!vc_str_equal(join->on[i].dim, on->dim)) continue;
        if (join->on[i].to_constant.data == NULL) {
            status = vc_cube_find_dimension(part->cube, join->on[i].to_dim, &to, error);
            if (status == VC_OK && number != SIZE_MAX && to != number)
                status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                                 "a composite key over several dimensions of a nested cube is not "
                                 "supported by this version");
            if (status == VC_OK && part->outer[to] != SIZE_MAX)
                status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                                 "a dimension of a nested cube that is mapped twice is not "
                                 "supported by this version");
            if (status != VC_OK)
                return vc_model_place(builder->definition, join->on[i].pointer, "/to_dim", status,
                                      error);
            number = to;
        }
    }
    const vc_dimension *joined = part->cube->dimensions[number].dimension;
    for (size_t i = first; i < join->non && status == VC_OK; i++)
        if (vc_str_equal(join->on[i].dim, on->dim))
            status = resolve_pair(builder, &join->on[i], primary, joined, &pairs[npairs++], error);
    if (status != VC_OK) return status;
    const vc_relation *relation;
    const char *field = "";
    pairs[0].from_leaves = vc_virtual_inner_leaves(builder, dimension);
    status = vc_relation_resolve(primary, joined, pairs, npairs, builder->arena, &relation, error);
    if (status == VC_OK) status = vc_virtual_check_join(join, relation, primary, &field, error);
    if (status == VC_OK) status = bind_through(builder, part, number, dimension, relation, error);
    return vc_model_place(builder->definition, part->definition->pointer, field, status, error);
}

vc_status vc_virtual_join_nested(vc_virtual_builder *builder, vc_virtual_part *part,
                                 vc_error *error)
{
    vc_status status = refuse(builder, part, error);
    for (size_t i = 0; i < part->definition->join.non && status == VC_OK; i++)
        status = join_dimension(builder, part, i, error);
    return status;
}

/* ---- fixes ---- */

/* What a selection of the inner cube's leaves is in terms of a source's. */
static vc_status translate_fix(vc_virtual_builder *builder, const vc_cube_dimension *inner,
                               const vc_binding *binding, const uint64_t *selected,
                               vc_cube_fix *fix, vc_error *error)
{
    const vc_relation *relation = binding->relation;
    *fix = (vc_cube_fix){.source_dimension = binding->source_dimension, .leaves = selected};
    if (binding->kind == VC_BIND_IDENTITY) return VC_OK;
    if (binding->tuples != NULL || relation->level >= 0)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "a fix of '%.*s', to which a source of the nested cube is joined by a "
                       "level or by several dimensions, is not supported by this version",
                       VC_FMT(inner->name));
    uint64_t *leaves = VC_ARENA_NEW(builder->arena, uint64_t, vc_bits_words(relation->nleaves) + 1);
    if (leaves == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        for (size_t i = 0; i < nunits; i++)
            if (vc_bit_get(selected, units[i])) vc_bit_set(leaves, leaf);
    }
    fix->leaves = leaves;
    return VC_OK;
}

/* The inner cube's own fixes, and those of the definition, each for the sources that have the
 * dimension. */
vc_status vc_virtual_fix_nested(vc_virtual_builder *builder, const vc_virtual_part *part,
                                vc_error *error)
{
    const vc_source_def *from = part->definition;
    for (size_t k = 0; k < part->count; k++) {
        const vc_cube_source *inner = &part->cube->sources[k];
        vc_cube_source *source = &builder->sources[part->first + k];
        vc_cube_fix *fixes =
            VC_ARENA_NEW(builder->arena, vc_cube_fix, inner->nfixes + from->nfixes + 1);
        if (fixes == NULL) return vc_no_memory(error);
        if (inner->nfixes > 0) memcpy(fixes, inner->fixes, inner->nfixes * sizeof *fixes);
        source->fixes = fixes;
        source->nfixes = inner->nfixes;
        for (size_t i = 0; i < from->nfixes; i++) {
            size_t number;
            const uint64_t *selected = NULL;
            vc_status status =
                vc_cube_find_dimension(part->cube, from->fixes[i].dimension, &number, error);
            if (status == VC_OK)
                status =
                    vc_model_fix_leaves(builder->model, part->cube->dimensions[number].dimension,
                                        from->fixes[i].value, &selected, error);
            if (status == VC_OK && inner->bindings[number].kind != VC_BIND_NONE)
                status = translate_fix(builder, &part->cube->dimensions[number],
                                       &inner->bindings[number], selected, &fixes[source->nfixes++],
                                       error);
            if (status != VC_OK)
                return vc_model_place(builder->definition, from->pointer, "/fix", status, error);
        }
    }
    return VC_OK;
}

/* What the inner cube says of its own dimensions stays so. */
vc_unrelated vc_virtual_inner_policy(const vc_virtual_part *part, size_t source, size_t dimension)
{
    for (size_t e = 0; part->cube != NULL && e < part->cube->ndimensions; e++)
        if (part->outer[e] == dimension)
            return part->cube->sources[source - part->first].unrelated[e];
    return VC_UNRELATED_DEFAULT;
}
