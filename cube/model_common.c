/* Dimensions that are common without a join, and what is left: private ones. */
#include "cube/model_virtual.h"

#include "base/bits.h"

/* Bind a source's dimension to one that is there and means the same. */
static vc_status bind_same(vc_virtual_builder *builder, size_t source, size_t source_dimension,
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
    vc_virtual_bind(builder, source, source_dimension, dimension, relation);
    return VC_OK;
}

/* The dimensions that `common` names. */
struct named {
    vc_virtual_part *part;
    size_t number; /* of the source cube's dimensions, or the nested cube's */
    const vc_dimension *dimension;
    bool is_aggregatable;
};

static vc_virtual_part *find_part(const vc_virtual_builder *builder, vc_str alias)
{
    for (size_t i = 0; i < builder->nparts; i++)
        if (vc_str_equal(builder->parts[i].definition->alias, alias)) return &builder->parts[i];
    return NULL;
}

static vc_status find_one(const vc_virtual_builder *builder, const vc_common_of *of,
                          struct named *named, vc_error *error)
{
    vc_virtual_part *part = named->part = find_part(builder, of->alias);
    bool is_bound = false;
    if (part == NULL) /* the definition's reader has checked the aliases */
        return vc_fail(error, VC_NOT_FOUND, "unknown_source",
                       "there is no source with the alias '%.*s'", VC_FMT(of->alias));
    const vc_source_cube *cube = builder->sources[part->first].cube;
    vc_status status =
        part->cube != NULL
            ? vc_cube_find_dimension(part->cube, of->dimension, &named->number, error)
            : vc_source_cube_find_dimension(cube, of->dimension, &named->number, error);
    if (status != VC_OK) return status;
    if (part->cube != NULL) {
        named->dimension = part->cube->dimensions[named->number].dimension;
        named->is_aggregatable = part->cube->dimensions[named->number].is_aggregatable;
        is_bound = part->outer[named->number] != SIZE_MAX;
    } else {
        named->dimension = cube->dimensions[named->number];
        named->is_aggregatable = cube->is_aggregatable[named->number];
        is_bound = builder->is_bound[part->first][named->number];
    }
    if (!is_bound) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "bad_value",
                   "dimension '%.*s' of '%.*s' is mapped by \"on\" already", VC_FMT(of->dimension),
                   VC_FMT(of->alias));
}

vc_status vc_virtual_relate_place(vc_arena *arena, const vc_dimension *dimension,
                                  const vc_dimension *outer, const vc_united_place *place,
                                  const vc_relation **relation_out, vc_error *error)
{
    uint32_t nleaves = dimension->nleaves, nunits = outer->nleaves, nfound = 0;
    if (place->level >= 0) nunits = outer->hierarchies[0].levels[place->level].nmembers;
    vc_relation *relation = VC_ARENA_NEW(arena, vc_relation, 1);
    uint8_t *fates = VC_ARENA_NEW(arena, uint8_t, (size_t)nleaves + 1);
    uint64_t *found = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(nunits) + 1);
    if (relation == NULL || fates == NULL || found == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        nfound += !vc_bit_get(found, place->units[leaf]);
        vc_bit_set(found, place->units[leaf]);
    }
    *relation = (vc_relation){.nleaves = nleaves,
                              .nunits = nunits,
                              .hierarchy = place->level < 0 ? -1 : 0,
                              .level = place->level,
                              .units = place->units,
                              .fates = fates,
                              .has_unit_fanin = nfound < nleaves,
                              .coverage = {.keys = nleaves,
                                           .keys_matched = nleaves,
                                           .members = nleaves,
                                           .members_matched = nleaves,
                                           .primary_members = nunits,
                                           .primary_matched = nfound}};
    *relation_out = relation;
    return VC_OK;
}

/* How a source's leaves are found in the united dimension. */
static vc_status bind_united(vc_virtual_builder *builder, const struct named *named,
                             size_t dimension, const vc_united_place *place, vc_error *error)
{
    size_t source = named->part->first;
    const vc_relation *relation;
    vc_status status =
        vc_virtual_relate_place(builder->arena, named->dimension,
                                builder->dimensions[dimension].dimension, place, &relation, error);
    if (status != VC_OK) return status;
    vc_virtual_bind(builder, source, named->number, dimension, relation);
    vc_binding *binding = &builder->sources[source].bindings[dimension];
    binding->is_united = true;
    binding->join_kind = VC_JOIN_LEFT; /* the join of the source is about other dimensions */
    binding->unmatched = VC_UNMATCHED_DROP;
    return VC_OK;
}

/* A new dimension that is the first one's. */
static void add_first(vc_virtual_builder *builder, const struct named *first, vc_str name)
{
    const vc_virtual_part *part = first->part;
    if (part->cube == NULL) {
        vc_virtual_add_dimension(builder, part->first, first->number, name);
        return;
    }
    const vc_cube_dimension *from = &part->cube->dimensions[first->number];
    builder->dimensions[builder->ndimensions++] =
        (vc_cube_dimension){.name = name,
                            .label = from->label,
                            .dimension = from->dimension,
                            .nslots = from->dimension->nleaves,
                            .owner = part->first + from->owner,
                            .is_aggregatable = from->is_aggregatable};
}

/* places [count]: where each one's leaves are found; NULL: they are the same. */
static vc_status bind_named(vc_virtual_builder *builder, const struct named *named, size_t count,
                            size_t dimension, const vc_united_place *places, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < count && status == VC_OK; i++)
        if (named[i].part->cube != NULL)
            status = vc_nested_bind_same(builder, named[i].part, named[i].number, dimension,
                                         places == NULL ? NULL : &places[i], error);
        else if (places != NULL)
            status = bind_united(builder, &named[i], dimension, &places[i], error);
        else
            vc_virtual_bind(builder, named[i].part->first, named[i].number, dimension, NULL);
    return status;
}

static vc_status unite(vc_virtual_builder *builder, const struct named *named,
                       const vc_common_def *common, vc_error *error)
{
    size_t count = common->nof;
    const vc_dimension **dimensions = VC_ARENA_NEW(builder->arena, const vc_dimension *, count);
    vc_united_place *places = VC_ARENA_NEW(builder->arena, vc_united_place, count);
    vc_str *names = VC_ARENA_NEW(builder->arena, vc_str, count);
    const vc_dimension *united = NULL;
    if (dimensions == NULL || places == NULL || names == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < count; i++) {
        dimensions[i] = named[i].dimension;
        names[i] = vc_arena_printf(builder->arena, "%.*s.%.*s", VC_FMT(common->of[i].alias),
                                   VC_FMT(common->of[i].dimension));
        if (names[i].data == NULL) return vc_no_memory(error);
        if (dimensions[i]->ndoubles > 0)
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "dimension '%.*s' has members under several parents; put together with "
                           "another dimension they are not supported by this version",
                           VC_FMT(dimensions[i]->name));
    }
    vc_status status =
        vc_virtual_unite(dimensions, names, count, builder->arena, &united, places, error);
    if (status != VC_OK) return status;
    size_t dimension = builder->ndimensions;
    add_first(builder, &named[0], common->name);
    builder->dimensions[dimension].dimension = united;
    builder->dimensions[dimension].nslots = united->nleaves;
    return bind_named(builder, named, count, dimension, places, error);
}

vc_status vc_virtual_bind_common(vc_virtual_builder *builder, const vc_common_def *common,
                                 vc_error *error)
{
    struct named *named = VC_ARENA_NEW(builder->arena, struct named, common->nof);
    bool is_same = true, is_aggregatable = true;
    vc_status status = VC_OK;
    if (named == NULL) return vc_no_memory(error);
    if (vc_virtual_find_outer(builder, common->name) < builder->ndimensions) {
        status = vc_fail(error, VC_BAD_INPUT, "duplicate_name",
                         "the cube already has a dimension '%.*s'", VC_FMT(common->name));
        return vc_model_place(builder->definition, common->pointer, "/name", status, error);
    }
    for (size_t i = 0; i < common->nof && status == VC_OK; i++) {
        status = find_one(builder, &common->of[i], &named[i], error);
        if (status != VC_OK) break;
        is_same &= named[i].dimension->fingerprint == named[0].dimension->fingerprint;
        is_aggregatable &= named[i].is_aggregatable;
    }
    size_t dimension = builder->ndimensions;
    if (status == VC_OK && !is_same) {
        status = unite(builder, named, common, error);
    } else if (status == VC_OK) {
        add_first(builder, &named[0], common->name);
        status = bind_named(builder, named, common->nof, dimension, NULL, error);
    }
    if (status != VC_OK)
        return vc_model_place(builder->definition, common->pointer, "/of", status, error);
    builder->dimensions[dimension].is_aggregatable = is_aggregatable;
    return VC_OK;
}

/* A dimension that `on` or `common` has placed has its name from there: another one would silently
 * not be used. */
static vc_status check_renames(const vc_virtual_builder *builder, size_t source, vc_error *error)
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
vc_status vc_virtual_place_rest(vc_virtual_builder *builder, size_t source, vc_error *error)
{
    const vc_source_def *definition = &builder->virtual_cube->sources[source];
    const vc_source_cube *cube = builder->sources[source].cube;
    vc_status renamed = check_renames(builder, source, error);
    if (renamed != VC_OK) return renamed;
    for (size_t i = 0; i < cube->ndimensions; i++) {
        if (builder->is_bound[source][i]) continue;
        vc_str name = vc_virtual_outer_name(definition, cube->dimension_names[i]);
        size_t dimension = vc_virtual_find_outer(builder, name);
        if (dimension == builder->ndimensions) {
            vc_virtual_add_dimension(builder, source, i, name);
            continue;
        }
        size_t owner = builder->dimensions[dimension].owner;
        const vc_source_cube *other = builder->sources[owner].cube;
        size_t owned = builder->sources[owner].bindings[dimension].source_dimension;
        vc_str shared = vc_virtual_shared_name(cube, i);
        bool is_same =
            other == cube ||
            (shared.data != NULL && vc_str_equal(shared, vc_virtual_shared_name(other, owned)));
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

static size_t count_bound(const vc_virtual_builder *builder, size_t dimension)
{
    size_t nbound = 0;
    for (size_t i = 0; i < builder->virtual_cube->nsources; i++)
        nbound += builder->sources[i].bindings[dimension].kind != VC_BIND_NONE;
    return nbound;
}

vc_status vc_virtual_check_common(vc_virtual_builder *builder, vc_error *error)
{
    for (size_t d = 0; d < builder->ndimensions; d++)
        builder->dimensions[d].is_private = count_bound(builder, d) == 1;
    for (size_t i = 1; i < builder->nparts; i++) {
        size_t s = builder->parts[i].first, count = builder->parts[i].count;
        bool has_common = false;
        for (size_t d = 0; d < builder->ndimensions; d++) {
            size_t nbound = count_bound(builder, d), nmine = 0;
            for (size_t k = 0; k < count; k++)
                nmine += builder->sources[s + k].bindings[d].kind != VC_BIND_NONE;
            has_common |= nmine > 0 && nbound > nmine;
        }
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
