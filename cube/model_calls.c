/* Functions over members in expressions: which dimension of the cube each of them goes along. */
#include "cube/model_parts.h"

/* The dimension of the cube that stands for a dimension of a source. */
static vc_status find_outer(const vc_cube *cube, size_t source, vc_str name, size_t *dimension_out,
                            vc_error *error)
{
    const vc_cube_source *of = &cube->sources[source];
    size_t inner, nfound = 0;
    vc_status status = vc_source_cube_find_dimension(of->cube, name, &inner, error);
    for (size_t d = 0; d < cube->ndimensions && status == VC_OK; d++)
        if (of->bindings[d].kind != VC_BIND_NONE && of->bindings[d].tuples == NULL &&
            of->bindings[d].source_dimension == inner) {
            *dimension_out = d;
            nfound++;
        }
    if (status != VC_OK || nfound == 1) return status;
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                   "a measure of '%.*s' goes along its dimension '%.*s', for which %s of '%.*s' "
                   "stand%s; write the measure in '%.*s', along one of its own dimensions",
                   VC_FMT(of->cube->name), VC_FMT(name),
                   nfound == 0 ? "no dimension" : "several dimensions", VC_FMT(cube->name),
                   nfound == 0 ? "s" : "", VC_FMT(cube->name));
}

/* Are the hierarchy and the level there? A level without a hierarchy may be of any. */
static vc_status check_names(const vc_dimension *dimension, const vc_member_call *call,
                             vc_error *error)
{
    unsigned hierarchy, level;
    vc_status status = vc_dimension_find_hierarchy(dimension, call->hierarchy, &hierarchy, error);
    if (status != VC_OK || call->level.data == NULL) return status;
    status = vc_hierarchy_find_level(dimension, hierarchy, call->level, &level, error);
    for (unsigned h = 0; status != VC_OK && call->hierarchy.data == NULL; h++) {
        if (h == dimension->nhierarchies) return status;
        status = vc_hierarchy_find_level(dimension, h, call->level, &level, NULL);
    }
    return status;
}

vc_status vc_cube_bind_calls(const vc_cube *cube, size_t source, const vc_expr *expr,
                             vc_arena *arena, const size_t **dimensions_out, vc_error *error)
{
    size_t ncalls;
    const vc_member_call *calls = vc_expr_calls(expr, &ncalls);
    size_t *dimensions = VC_ARENA_NEW(arena, size_t, ncalls + 1);
    if (dimensions == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < ncalls; i++) {
        vc_status status =
            source == SIZE_MAX || !cube->is_virtual
                ? vc_cube_find_dimension(cube, calls[i].dimension, &dimensions[i], error)
                : find_outer(cube, source, calls[i].dimension, &dimensions[i], error);
        if (status == VC_OK)
            status = check_names(cube->dimensions[dimensions[i]].dimension, &calls[i], error);
        if (status != VC_OK) return status;
    }
    *dimensions_out = dimensions;
    return VC_OK;
}

/* Is the only dimension of the nested cube by which one here is joined to it the inner one? */
static bool stands_for(const vc_cube *cube, size_t first, size_t dimension, size_t inner)
{
    const vc_cube_source *source = &cube->sources[first];
    for (size_t s = first; s < cube->nsources && cube->sources[s].nested == source->nested; s++) {
        const vc_binding *binding = &cube->sources[s].bindings[dimension];
        const vc_binding *own =
            &source->nested->sources[cube->sources[s].nested_source].bindings[inner];
        if (binding->kind != VC_BIND_NONE && own->kind != VC_BIND_NONE)
            return own->source_dimension == binding->source_dimension &&
                   (own->tuples == NULL) == (binding->tuples == NULL);
    }
    return false;
}

vc_status vc_nested_bind_calls(const vc_cube *cube, size_t first, const vc_cube_measure *measure,
                               vc_arena *arena, const size_t **dimensions_out, vc_error *error)
{
    const vc_cube_source *source = &cube->sources[first];
    size_t ncalls;
    const vc_member_call *calls = vc_expr_calls(measure->expr, &ncalls);
    size_t *dimensions = VC_ARENA_NEW(arena, size_t, ncalls + 1);
    if (dimensions == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < ncalls; i++) {
        size_t inner = measure->call_dimensions[i], nfound = 0;
        for (size_t d = 0; d < cube->ndimensions; d++)
            if (stands_for(cube, first, d, inner)) {
                dimensions[i] = d;
                nfound++;
            }
        if (nfound != 1)
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "measure '%.*s' of the nested cube goes along its '%.*s', for which not "
                           "exactly one dimension of '%.*s' stands; write the measure in '%.*s', "
                           "along one of its own dimensions",
                           VC_FMT(measure->name), VC_FMT(source->nested->dimensions[inner].name),
                           VC_FMT(cube->name), VC_FMT(cube->name));
        vc_status status = check_names(cube->dimensions[dimensions[i]].dimension, &calls[i], error);
        if (status != VC_OK) return status;
    }
    *dimensions_out = dimensions;
    return VC_OK;
}
