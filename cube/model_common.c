/* Dimensions that are common without a join, and what is left: private ones. */
#include "cube/model_virtual.h"

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
    size_t source, source_dimension;
};

static vc_status find_named(vc_virtual_builder *builder, const vc_common_def *common,
                            struct named *named, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < common->nof && status == VC_OK; i++) {
        vc_str name = common->of[i].dimension;
        status = vc_virtual_find_alias(builder, common->of[i].alias, &named[i].source, error);
        if (status != VC_OK) break;
        status = vc_source_cube_find_dimension(builder->sources[named[i].source].cube, name,
                                               &named[i].source_dimension, error);
        if (status == VC_OK && builder->is_bound[named[i].source][named[i].source_dimension])
            status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                             "dimension '%.*s' of '%.*s' is mapped by \"on\" already", VC_FMT(name),
                             VC_FMT(common->of[i].alias));
    }
    return status;
}

/* How a source's leaves are found in the united dimension. */
static vc_status bind_united(vc_virtual_builder *builder, const struct named *named,
                             size_t dimension, const uint32_t *leaves, vc_error *error)
{
    const vc_source_cube *cube = builder->sources[named->source].cube;
    uint32_t nleaves = cube->dimensions[named->source_dimension]->nleaves;
    uint32_t nunits = builder->dimensions[dimension].dimension->nleaves;
    vc_relation *relation = VC_ARENA_NEW(builder->arena, vc_relation, 1);
    uint8_t *fates = VC_ARENA_NEW(builder->arena, uint8_t, (size_t)nleaves + 1);
    if (relation == NULL || fates == NULL) return vc_no_memory(error);
    *relation = (vc_relation){.nleaves = nleaves,
                              .nunits = nunits,
                              .hierarchy = -1,
                              .level = -1,
                              .units = leaves,
                              .fates = fates,
                              .coverage = {.keys = nleaves,
                                           .keys_matched = nleaves,
                                           .members = nleaves,
                                           .members_matched = nleaves,
                                           .primary_members = nunits,
                                           .primary_matched = nleaves}};
    vc_virtual_bind(builder, named->source, named->source_dimension, dimension, relation);
    vc_binding *binding = &builder->sources[named->source].bindings[dimension];
    binding->is_united = true;
    binding->join_kind = VC_JOIN_LEFT; /* the join of the source is about other dimensions */
    binding->unmatched = VC_UNMATCHED_DROP;
    return VC_OK;
}

static vc_status unite(vc_virtual_builder *builder, const struct named *named, size_t count,
                       vc_str name, vc_error *error)
{
    const vc_dimension **dimensions = VC_ARENA_NEW(builder->arena, const vc_dimension *, count);
    uint32_t **leaves = VC_ARENA_NEW(builder->arena, uint32_t *, count);
    const vc_dimension *united = NULL;
    if (dimensions == NULL || leaves == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < count; i++)
        dimensions[i] =
            builder->sources[named[i].source].cube->dimensions[named[i].source_dimension];
    vc_status status = vc_virtual_unite(dimensions, count, builder->arena, &united, leaves, error);
    if (status != VC_OK) return status;
    size_t dimension =
        vc_virtual_add_dimension(builder, named[0].source, named[0].source_dimension, name);
    builder->dimensions[dimension].dimension = united;
    builder->dimensions[dimension].nslots = united->nleaves;
    for (size_t i = 0; i < count && status == VC_OK; i++)
        status = bind_united(builder, &named[i], dimension, leaves[i], error);
    return status;
}

vc_status vc_virtual_bind_common(vc_virtual_builder *builder, const vc_common_def *common,
                                 vc_error *error)
{
    struct named *named = VC_ARENA_NEW(builder->arena, struct named, common->nof);
    bool is_same = true, is_aggregatable = true;
    if (named == NULL) return vc_no_memory(error);
    if (vc_virtual_find_outer(builder, common->name) < builder->ndimensions) {
        vc_status status = vc_fail(error, VC_BAD_INPUT, "duplicate_name",
                                   "the cube already has a dimension '%.*s'", VC_FMT(common->name));
        return vc_model_place(builder->definition, common->pointer, "/name", status, error);
    }
    vc_status status = find_named(builder, common, named, error);
    for (size_t i = 0; i < common->nof && status == VC_OK; i++) {
        const vc_source_cube *cube = builder->sources[named[i].source].cube;
        const vc_source_cube *first = builder->sources[named[0].source].cube;
        is_same &= cube->dimensions[named[i].source_dimension]->fingerprint ==
                   first->dimensions[named[0].source_dimension]->fingerprint;
        is_aggregatable &= cube->is_aggregatable[named[i].source_dimension];
    }
    size_t dimension = builder->ndimensions;
    if (status == VC_OK && !is_same) {
        status = unite(builder, named, common->nof, common->name, error);
    } else if (status == VC_OK) {
        vc_virtual_add_dimension(builder, named[0].source, named[0].source_dimension, common->name);
        for (size_t i = 1; i < common->nof; i++)
            vc_virtual_bind(builder, named[i].source, named[i].source_dimension, dimension, NULL);
    }
    if (status != VC_OK)
        return vc_model_place(builder->definition, common->pointer, "/of", status, error);
    builder->dimensions[dimension].is_aggregatable = is_aggregatable;
    return VC_OK;
}

static vc_str shared_name(const vc_source_cube *cube, size_t dimension)
{
    return cube->definition->as.cube.dimensions[dimension].shared;
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
