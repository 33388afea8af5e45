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

vc_status vc_virtual_bind_common(vc_virtual_builder *builder, const vc_common_def *common,
                                 vc_error *error)
{
    size_t dimension = builder->ndimensions;
    if (vc_virtual_find_outer(builder, common->name) < builder->ndimensions) {
        vc_status status = vc_fail(error, VC_BAD_INPUT, "duplicate_name",
                                   "the cube already has a dimension '%.*s'", VC_FMT(common->name));
        return vc_model_place(builder->definition, common->pointer, "/name", status, error);
    }
    for (size_t i = 0; i < common->nof; i++) {
        size_t source, source_dimension;
        vc_status status = vc_virtual_find_alias(builder, common->of[i].alias, &source, error);
        if (status == VC_OK)
            status = vc_source_cube_find_dimension(
                builder->sources[source].cube, common->of[i].dimension, &source_dimension, error);
        if (status == VC_OK && i == 0)
            vc_virtual_add_dimension(builder, source, source_dimension, common->name);
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
                vc_virtual_bind(builder, source, source_dimension, dimension, NULL);
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
