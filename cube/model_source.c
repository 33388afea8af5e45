/* A source cube as a vc_cube: one source, every dimension its own, every binding an identity,
 * unless leaves of the dimension have several places. */
#include "cube/model_parts.h"
#include "mapping/relation_places.h"

vc_status vc_model_open_source(vc_model *model, const vc_source_cube *source, vc_cube *cube,
                               vc_error *error)
{
    vc_arena *arena = vc_model_arena(model);
    size_t ndimensions = source->ndimensions;
    vc_cube_source *only = VC_ARENA_NEW(arena, vc_cube_source, 1);
    vc_cube_dimension *dimensions = VC_ARENA_NEW(arena, vc_cube_dimension, ndimensions + 1);
    vc_binding *bindings = VC_ARENA_NEW(arena, vc_binding, ndimensions + 1);
    vc_unrelated *unrelated = VC_ARENA_NEW(arena, vc_unrelated, ndimensions + 1);
    if (only == NULL || dimensions == NULL || bindings == NULL || unrelated == NULL)
        return vc_no_memory(error);
    for (size_t i = 0; i < ndimensions; i++) {
        dimensions[i] = (vc_cube_dimension){.name = source->dimension_names[i],
                                            .label = source->dimensions[i]->label,
                                            .dimension = source->dimensions[i],
                                            .nslots = source->dimensions[i]->nleaves,
                                            .is_private = true,
                                            .is_aggregatable = source->is_aggregatable[i]};
        bindings[i] = (vc_binding){
            .kind = VC_BIND_IDENTITY, .source_dimension = i, .to_name = source->dimension_names[i]};
        unrelated[i] = VC_UNRELATED_NULL;
        vc_status bound = vc_model_bind_places(&dimensions[i], arena, &bindings[i], error);
        if (bound != VC_OK) return bound;
    }
    *only = (vc_cube_source){
        .alias = source->name, .cube = source, .bindings = bindings, .unrelated = unrelated};
    vc_status status = vc_model_find_defaults(model, only, dimensions, ndimensions, error);
    if (status != VC_OK) return status;
    *cube = (vc_cube){.name = source->name,
                      .label = source->definition->label,
                      .definition = source->definition,
                      .ndimensions = ndimensions,
                      .dimensions = dimensions,
                      .nsources = 1,
                      .sources = only};
    status = vc_model_source_measures(model, cube, error);
    return status == VC_OK ? vc_model_calculate(model, cube, error) : status;
}

vc_status vc_model_bind_places(const vc_cube_dimension *dimension, vc_arena *arena,
                               vc_binding *binding, vc_error *error)
{
    if (binding->kind != VC_BIND_IDENTITY || dimension->dimension->ndoubles == 0) return VC_OK;
    binding->kind = VC_BIND_RELATION;
    binding->is_united = true;
    binding->mode = VC_MODE_SET;
    binding->join_kind = VC_JOIN_LEFT; /* the join of the source is about other dimensions */
    binding->unmatched = VC_UNMATCHED_DROP;
    return vc_relation_of_places(dimension->dimension, arena, &binding->relation, error);
}
