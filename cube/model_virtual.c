/* A virtual cube from its definition: first its dimensions and who is bound to them how, then, once
 * all relations are known, buckets, visible members and policies.
 *
 * The primary's dimensions come first, bound to it by identity. A joined source's dimension then is
 *   - mapped by an `on`:                  a relation to a dimension that is there (model_join.c),
 *   - named in `common`:                  an identity, or a relation by key (model_common.c),
 *   - of the same name and shared file:   likewise,
 *   - otherwise new, and private to the source.
 */
#include "cube/model_virtual.h"

#include "base/nearest.h"

/* ---- names ---- */

vc_str vc_virtual_outer_name(const vc_source_def *source, vc_str name)
{
    for (size_t i = 0; i < source->nrenames; i++)
        if (vc_str_equal(source->renames[i].from, name)) return source->renames[i].to;
    return name;
}

size_t vc_virtual_find_outer(const vc_virtual_builder *builder, vc_str name)
{
    size_t i = 0;
    while (i < builder->ndimensions && !vc_str_equal(builder->dimensions[i].name, name))
        i++;
    return i;
}

vc_status vc_virtual_get_outer(const vc_virtual_builder *builder, vc_str name,
                               size_t *dimension_out, vc_error *error)
{
    vc_nearest nearest;
    *dimension_out = vc_virtual_find_outer(builder, name);
    if (*dimension_out < builder->ndimensions) return VC_OK;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < builder->ndimensions; i++)
        vc_nearest_offer(&nearest, builder->dimensions[i].name);
    vc_fail(error, VC_NOT_FOUND, "unknown_dimension", "the virtual cube has no dimension '%.*s'",
            VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

void vc_virtual_bind(vc_virtual_builder *builder, size_t source, size_t source_dimension,
                     size_t dimension, const vc_relation *relation)
{
    const vc_source_def *definition = &builder->virtual_cube->sources[source];
    builder->is_bound[source][source_dimension] = true;
    builder->sources[source].bindings[dimension] =
        (vc_binding){.kind = relation == NULL ? VC_BIND_IDENTITY : VC_BIND_RELATION,
                     .source_dimension = source_dimension,
                     .relation = relation,
                     .to_name = builder->sources[source].cube->dimension_names[source_dimension],
                     .mode = VC_MODE_SET,
                     .join_alias = builder->sources[source].alias,
                     .join_kind = definition->join.kind,
                     .unmatched = definition->join.unmatched,
                     .refuses_fanout = definition->join.on_fanout == VC_FANOUT_ERROR};
}

size_t vc_virtual_add_dimension(vc_virtual_builder *builder, size_t source, size_t source_dimension,
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
    vc_virtual_bind(builder, source, source_dimension, dimension, NULL);
    return dimension;
}

/* ---- sources ---- */

/* What a source of a nested cube is there. */
static void take_nested(vc_cube_source *source, const vc_virtual_part *part, size_t number)
{
    if (part->cube == NULL) return;
    source->nested = part->cube;
    source->nested_source = number - part->first;
    source->nested_alias = part->definition->alias;
    source->nested_dimensions = part->outer;
    if (part->definition->has_join) source->nested_mode = part->definition->join.mode;
    source->mode = part->cube->sources[source->nested_source].mode;
    source->reaggregate = part->cube->sources[source->nested_source].reaggregate;
}

static vc_status open_sources(vc_virtual_builder *builder, vc_error *error)
{
    vc_status expanded = vc_virtual_expand(builder, error);
    if (expanded != VC_OK) return expanded;
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
        source->mode = VC_MODE_SET;
        source->reaggregate = from->join.reaggregate;
        take_nested(source, vc_virtual_part_of(builder, i), i);
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

/* ---- the whole ---- */

static vc_status place_part(vc_virtual_builder *builder, vc_virtual_part *part, vc_error *error)
{
    return part->cube != NULL ? vc_virtual_place_nested(builder, part, error)
                              : vc_virtual_place_rest(builder, part->first, error);
}

static vc_status join_part(vc_virtual_builder *builder, vc_virtual_part *part, vc_error *error)
{
    return part->cube != NULL ? vc_virtual_join_nested(builder, part, error)
                              : vc_virtual_join_source(builder, part->first, error);
}

static vc_status place_dimensions(vc_virtual_builder *builder, vc_error *error)
{
    const vc_virtual_def *virtual_cube = builder->virtual_cube;
    vc_status status = place_part(builder, &builder->parts[0], error);
    for (size_t i = 1; i < builder->nparts && status == VC_OK; i++)
        status = join_part(builder, &builder->parts[i], error);
    for (size_t c = 0; c < virtual_cube->ncommons && status == VC_OK; c++)
        status = vc_virtual_bind_common(builder, &virtual_cube->commons[c], error);
    for (size_t i = 1; i < builder->nparts && status == VC_OK; i++)
        status = place_part(builder, &builder->parts[i], error);
    if (status == VC_OK) status = vc_virtual_check_common(builder, error);
    return status == VC_OK ? vc_virtual_expose(builder, error) : status;
}

static vc_status bind_places(vc_virtual_builder *builder, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t s = 0; s < builder->virtual_cube->nsources; s++)
        for (size_t d = 0; d < builder->ndimensions && status == VC_OK; d++)
            status = vc_model_bind_places(&builder->dimensions[d], builder->arena,
                                          &builder->sources[s].bindings[d], error);
    return status;
}

vc_status vc_model_open_virtual(vc_model *model, const vc_definition *definition, vc_cube *cube,
                                vc_error *error)
{
    vc_virtual_builder builder = {.model = model,
                                  .arena = vc_model_arena(model),
                                  .definition = definition,
                                  .virtual_cube = &definition->as.virtual_cube,
                                  .cube = cube};
    vc_status status = open_sources(&builder, error);
    if (status == VC_OK) status = place_dimensions(&builder, error);
    if (status == VC_OK) status = bind_places(&builder, error);
    for (size_t d = 0; d < builder.ndimensions && status == VC_OK; d++) {
        status = vc_virtual_make_buckets(&builder, d, error);
        if (status == VC_OK) status = vc_virtual_find_visible(&builder, d, error);
    }
    if (status == VC_OK)
        status = vc_model_find_defaults(model, builder.sources, builder.dimensions,
                                        builder.ndimensions, error);
    if (status == VC_OK) status = vc_virtual_check_privates(&builder, error);
    for (size_t s = 0; s < builder.virtual_cube->nsources && status == VC_OK; s++)
        status = vc_virtual_set_unrelated(&builder, s, error);
    if (status == VC_OK) status = vc_virtual_fix_sources(&builder, error);
    if (status == VC_OK) status = vc_virtual_check_stands(&builder, error);
    if (status != VC_OK) return status;
    *cube = (vc_cube){.name = definition->name,
                      .label = definition->label,
                      .definition = definition,
                      .is_virtual = true,
                      .depth = builder.depth + 1,
                      .ndimensions = builder.ndimensions,
                      .dimensions = builder.dimensions,
                      .nsources = builder.virtual_cube->nsources,
                      .sources = builder.sources};
    status = vc_model_virtual_measures(model, cube, error);
    if (status == VC_OK) status = vc_virtual_check_aggregatable(&builder, error);
    return status == VC_OK ? vc_model_calculate(model, cube, error) : status;
}
