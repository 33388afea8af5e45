/* The joins of a virtual cube: the pairs of an `on` become relations. */
#include "cube/model_virtual.h"

static vc_status resolve_pair(vc_virtual_builder *builder, const vc_on_def *on,
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

/* All pairs of a join that name one primary dimension: together one relation. */
static vc_status join_dimension(vc_virtual_builder *builder, size_t source, size_t first,
                                vc_error *error)
{
    const vc_source_def *definition = &builder->virtual_cube->sources[source];
    const vc_join_def *join = &definition->join;
    const vc_on_def *on = &join->on[first];
    const vc_source_cube *cube = builder->sources[source].cube;
    vc_relation_pair *pairs = VC_ARENA_NEW(builder->arena, vc_relation_pair, join->non);
    size_t npairs = 0, dimension, to_dimension;
    if (pairs == NULL) return vc_no_memory(error);
    vc_status status = vc_virtual_get_outer(builder, on->dim, &dimension, error);
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
    if (status == VC_OK) status = vc_virtual_check_join(join, relation, primary, &field, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, definition->pointer, field, status, error);
    vc_virtual_bind(builder, source, to_dimension, dimension, relation);
    return VC_OK;
}

vc_status vc_virtual_join_source(vc_virtual_builder *builder, size_t source, vc_error *error)
{
    const vc_join_def *join = &builder->virtual_cube->sources[source].join;
    for (size_t i = 0; i < join->non; i++) {
        vc_status status = join_dimension(builder, source, i, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}
