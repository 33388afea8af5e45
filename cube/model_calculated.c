/* The calculated members of a cube: those that it defines, and those of the cubes that its
 * dimensions come from, so that a dimension looks the same wherever it is used.
 *
 * Definitions stand in *scopes*: the cube's own, then, along each dimension, those of the nested
 * cubes that it comes through, and last that of its source. An inner one is left out where an outer
 * one has its name, and where the cube does not have what its expression names.
 */
#include "cube/model_parts.h"

enum { SCOPES_MAX = VC_MAX_DEPTH + 2 };

struct scope {
    const vc_definition *definition;
    vc_calculated_names names;
};

struct inheriting {
    vc_cube *cube;
    vc_arena *arena;
    struct scope scopes[SCOPES_MAX]; /* the outermost first */
    size_t nscopes;
};

static bool means(const struct scope *scope, vc_str name, size_t dimension)
{
    for (size_t i = 0; i < scope->names.count; i++)
        if (vc_str_equal(scope->names.names[i], name))
            return scope->names.dimensions[i] == dimension;
    return false;
}

static vc_status start_names(struct inheriting *in, struct scope *scope, size_t count,
                             vc_str **names_out, size_t **dimensions_out, vc_error *error)
{
    *names_out = VC_ARENA_NEW(in->arena, vc_str, count + 1);
    *dimensions_out = VC_ARENA_NEW(in->arena, size_t, count + 1);
    if (*names_out == NULL || *dimensions_out == NULL) return vc_no_memory(error);
    scope->names = (vc_calculated_names){.names = *names_out, .dimensions = *dimensions_out};
    return VC_OK;
}

static vc_status add_own(struct inheriting *in, vc_error *error)
{
    struct scope *scope = &in->scopes[in->nscopes++];
    vc_str *names;
    size_t *dimensions;
    vc_status status = start_names(in, scope, in->cube->ndimensions, &names, &dimensions, error);
    if (status != VC_OK) return status;
    scope->definition = in->cube->definition;
    for (size_t d = 0; d < in->cube->ndimensions; d++) {
        names[d] = in->cube->dimensions[d].name;
        dimensions[d] = d;
    }
    scope->names.count = in->cube->ndimensions;
    return VC_OK;
}

/* The nested cubes from the outside in. outer: where a dimension of the nested cube is here. */
static vc_status add_nested(struct inheriting *in, const vc_cube_source *source, vc_error *error)
{
    const size_t *outer = source->nested_dimensions;
    while (source->nested != NULL && in->nscopes + 1 < SCOPES_MAX) {
        const vc_cube *nested = source->nested;
        struct scope *scope = &in->scopes[in->nscopes++];
        vc_str *names;
        size_t *dimensions;
        vc_status status = start_names(in, scope, nested->ndimensions, &names, &dimensions, error);
        if (status != VC_OK) return status;
        scope->definition = nested->definition;
        for (size_t e = 0; e < nested->ndimensions; e++) {
            names[e] = nested->dimensions[e].name;
            dimensions[e] = outer[e];
        }
        scope->names.count = nested->ndimensions;
        source = &nested->sources[source->nested_source];
        if (source->nested == NULL) break;
        size_t *composed = VC_ARENA_NEW(in->arena, size_t, source->nested->ndimensions + 1);
        if (composed == NULL) return vc_no_memory(error);
        for (size_t e = 0; e < source->nested->ndimensions; e++) {
            size_t middle = source->nested_dimensions[e];
            composed[e] = middle < nested->ndimensions ? outer[middle] : SIZE_MAX;
        }
        outer = composed;
    }
    return VC_OK;
}

/* The source's dimensions whose members are those of the cube. */
static vc_status add_source(struct inheriting *in, const vc_cube_source *source, vc_error *error)
{
    struct scope *scope = &in->scopes[in->nscopes++];
    vc_str *names;
    size_t *dimensions;
    vc_status status = start_names(in, scope, in->cube->ndimensions, &names, &dimensions, error);
    if (status != VC_OK) return status;
    scope->definition = source->cube->definition;
    for (size_t d = 0; d < in->cube->ndimensions; d++) {
        const vc_binding *binding = &source->bindings[d];
        if (binding->kind == VC_BIND_NONE ||
            (binding->kind == VC_BIND_RELATION && !binding->is_united))
            continue;
        names[scope->names.count] = source->cube->dimension_names[binding->source_dimension];
        dimensions[scope->names.count++] = d;
    }
    return VC_OK;
}

/* Has a scope further out a member of that name? */
static bool is_hidden(const struct inheriting *in, size_t number, size_t dimension, vc_str name)
{
    for (size_t s = 0; s < number; s++) {
        const vc_definition *definition = in->scopes[s].definition;
        for (size_t i = 0; i < definition->ncalculated; i++)
            if (vc_str_equal(definition->calculated[i].name, name) &&
                means(&in->scopes[s], definition->calculated[i].dim, dimension))
                return true;
    }
    return false;
}

/* One by one, so that one that cannot be here takes no other with it. */
static vc_status inherit(struct inheriting *in, size_t number, size_t dimension, vc_error *error)
{
    const struct scope *scope = &in->scopes[number];
    for (size_t i = 0; i < scope->definition->ncalculated; i++) {
        const vc_calculated_def *definition = &scope->definition->calculated[i];
        if (!means(scope, definition->dim, dimension) ||
            is_hidden(in, number, dimension, definition->name))
            continue;
        const vc_calculated *all;
        vc_error why = {0};
        vc_status status =
            vc_cube_calculate(in->cube, definition, 1, in->cube->calculated, in->cube->ncalculated,
                              &scope->names, in->arena, &all, &why);
        if (status == VC_NO_MEMORY) return vc_no_memory(error);
        if (status != VC_OK) continue;
        in->cube->calculated = all;
        in->cube->ncalculated++;
    }
    return VC_OK;
}

static vc_status inherit_all(vc_model *model, vc_cube *cube, vc_error *error)
{
    for (size_t d = 0; d < cube->ndimensions; d++) {
        struct inheriting in = {.cube = cube, .arena = vc_model_arena(model)};
        const vc_cube_source *owner = &cube->sources[cube->dimensions[d].owner];
        vc_status status = add_own(&in, error);
        if (status == VC_OK) status = add_nested(&in, owner, error);
        if (status == VC_OK) status = add_source(&in, owner, error);
        for (size_t s = in.nscopes; s-- > 1 && status == VC_OK;)
            status = inherit(&in, s, d, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* One by one: what names a member that is hidden is not there. */
static vc_status calculate_seen(vc_model *model, vc_cube *cube, vc_error *error)
{
    const vc_definition *definition = cube->definition;
    for (size_t i = 0; i < definition->ncalculated; i++) {
        const vc_calculated *all;
        vc_error why = {0};
        vc_status status =
            vc_cube_calculate(cube, &definition->calculated[i], 1, cube->calculated,
                              cube->ncalculated, NULL, vc_model_arena(model), &all, &why);
        if (status == VC_NO_MEMORY) return vc_no_memory(error);
        if (status != VC_OK) continue;
        cube->calculated = all;
        cube->ncalculated++;
    }
    return VC_OK;
}

vc_status vc_model_calculate(vc_model *model, vc_cube *cube, vc_error *error)
{
    const vc_definition *definition = cube->definition;
    vc_status status = cube->is_virtual ? inherit_all(model, cube, error) : VC_OK;
    if (status != VC_OK || definition->ncalculated == 0) return status;
    if (vc_model_is_partial(model)) return calculate_seen(model, cube, error);
    status =
        vc_cube_calculate(cube, definition->calculated, definition->ncalculated, cube->calculated,
                          cube->ncalculated, NULL, vc_model_arena(model), &cube->calculated, error);
    if (status == VC_OK) cube->ncalculated += definition->ncalculated;
    if (status != VC_OK && error != NULL) vc_definition_locate(definition, error);
    return status;
}
