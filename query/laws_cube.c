/* What the laws need to know of a cube: its sources as the definition names them, and of each
 * measure where it comes from, whether it adds up, and what it is restricted to. */
#include "cube/cut.h"
#include "dimensions/path.h"
#include "query/laws_parts.h"

#include <string.h>

/* ---- parts ---- */

static vc_str alias_of(const vc_cube_source *source)
{
    return source->nested != NULL ? source->nested_alias : source->alias;
}

static vc_status find_parts(vc_laws *laws)
{
    const vc_cube *cube = laws->cube;
    if (!cube->is_virtual) return VC_OK;
    const vc_virtual_def *definition = &cube->definition->as.virtual_cube;
    laws->nparts = definition->nsources;
    laws->parts = VC_ARENA_NEW(laws->arena, vc_law_part, laws->nparts + 1);
    if (laws->parts == NULL) return vc_no_memory(laws->error);
    for (size_t i = 0; i < laws->nparts; i++) {
        vc_law_part *part = &laws->parts[i];
        part->definition = &definition->sources[i];
        vc_status status =
            vc_model_cube(laws->model, part->definition->cube, &part->cube, laws->error);
        if (status != VC_OK) return status;
        for (size_t s = cube->nsources; s-- > 0;)
            if (vc_str_equal(alias_of(&cube->sources[s]), part->definition->alias)) {
                part->first = s;
                part->count++;
                part->is_nested |= cube->sources[s].nested != NULL;
            }
    }
    return VC_OK;
}

size_t vc_law_part_of(const vc_laws *laws, size_t source)
{
    for (size_t i = 0; i < laws->nparts; i++)
        if (source >= laws->parts[i].first && source - laws->parts[i].first < laws->parts[i].count)
            return i;
    return SIZE_MAX;
}

vc_str vc_law_inner_name(const vc_laws *laws, size_t part, size_t dimension)
{
    const vc_law_part *of = &laws->parts[part];
    const vc_cube_source *source = &laws->cube->sources[of->first];
    const vc_binding *binding = &source->bindings[dimension];
    if (!of->is_nested)
        return binding->kind == VC_BIND_IDENTITY
                   ? source->cube->dimension_names[binding->source_dimension]
                   : (vc_str){0};
    /* Of a nested cube that is joined, dimensions may be mapped on the way in. */
    for (size_t e = 0; part == 0 && e < source->nested->ndimensions; e++)
        if (source->nested_dimensions[e] == dimension) return source->nested->dimensions[e].name;
    return (vc_str){0};
}

bool vc_law_is_joined(const vc_laws *laws, size_t part, size_t dimension)
{
    const vc_law_part *of = &laws->parts[part];
    for (size_t s = of->first; s < of->first + of->count; s++)
        if (vc_binding_is_joined(&laws->cube->sources[s].bindings[dimension])) return true;
    return false;
}

bool vc_law_is_over(const vc_laws *laws, const vc_law_measure *measure, size_t dimension)
{
    const vc_cube_measure *of = &laws->cube->measures[measure->number];
    const vc_binding *binding = &laws->cube->sources[of->source].bindings[dimension];
    if (of->over == VC_OVER_NONE || binding->kind == VC_BIND_NONE) return false;
    if (binding->source_dimension == of->over_dimension) return true;
    for (size_t c = 0; binding->tuples != NULL && c < binding->tuples->ncomponents; c++)
        if (binding->components[c] == of->over_dimension) return true;
    return false;
}

/* ---- what a measure is restricted to ---- */

/* `fix` has a key or a path as in a definition, where "-" is no range: written anew for a cut. */
static vc_status put_fix(vc_laws *laws, vc_law_measure *measure, const vc_fix_def *fix)
{
    const vc_str *keys;
    size_t nkeys, number;
    vc_buffer text = {0};
    /* Along a dimension of others it says where values stand: it holds no facts. */
    if (vc_cube_find_dimension(laws->parts[measure->part].cube, fix->dimension, &number, NULL) !=
        VC_OK)
        return VC_OK;
    vc_status status = vc_path_split(fix->value, laws->arena, &keys, &nkeys, laws->error);
    if (status != VC_OK) return status;
    vc_law_put_name(&text, fix->dimension);
    for (size_t i = 0; i < nkeys; i++) {
        vc_buffer_put_char(&text, i == 0 ? ':' : ',');
        vc_law_put_name(&text, keys[i]);
    }
    vc_str *cut = VC_LIST_NEW(&measure->cuts, laws->arena, vc_str);
    if (cut != NULL) *cut = vc_arena_str(laws->arena, vc_str_of(vc_buffer_text(&text)));
    vc_buffer_release(&text);
    return cut == NULL || cut->data == NULL ? vc_no_memory(laws->error) : VC_OK;
}

static bool is_replaced(const vc_measure_def *definition, vc_str dimension)
{
    for (size_t i = 0; definition != NULL && i < definition->nfixes; i++)
        if (vc_str_equal(definition->fixes[i].dimension, dimension)) return true;
    return false;
}

static vc_status find_cuts(vc_laws *laws, vc_law_measure *measure, const vc_measure_def *definition)
{
    const vc_source_def *source = laws->parts[measure->part].definition;
    vc_status status = VC_OK;
    for (size_t i = 0; i < source->nfixes && status == VC_OK; i++)
        if (!is_replaced(definition, source->fixes[i].dimension))
            status = put_fix(laws, measure, &source->fixes[i]);
    for (size_t i = 0; definition != NULL && i < definition->nfixes && status == VC_OK; i++)
        status = put_fix(laws, measure, &definition->fixes[i]);
    if (status == VC_OK && definition != NULL && definition->where.size > 0) {
        vc_str *cut = VC_LIST_NEW(&measure->cuts, laws->arena, vc_str);
        if (cut == NULL) return vc_no_memory(laws->error);
        *cut = definition->where;
    }
    measure->is_plain = measure->cuts.count == 0;
    return status;
}

/* ---- measures ---- */

/* The source of a measure, or of all that it is calculated from; SIZE_MAX: several. */
static size_t source_of(const vc_cube *cube, size_t number)
{
    const vc_cube_measure *measure = &cube->measures[number];
    size_t found = SIZE_MAX;
    if (measure->expr == NULL) return measure->source;
    for (size_t i = 0; i < measure->noperands; i++) {
        size_t source = source_of(cube, measure->operands[i]);
        if (source == SIZE_MAX || (i > 0 && source != found)) return SIZE_MAX;
        found = source;
    }
    return found;
}

static bool has_calls(const vc_cube *cube, size_t number)
{
    const vc_cube_measure *measure = &cube->measures[number];
    size_t ncalls = 0;
    if (measure->expr == NULL) return false;
    vc_expr_calls(measure->expr, &ncalls);
    for (size_t i = 0; i < measure->noperands && ncalls == 0; i++)
        ncalls += has_calls(cube, measure->operands[i]);
    return ncalls > 0;
}

/* A cube that lists no measures has put the alias before a name that was taken. */
static vc_str unlisted_name(const vc_laws *laws, const vc_law_measure *measure)
{
    size_t number, skip = laws->parts[measure->part].definition->alias.size + 1;
    const vc_cube *cube = laws->parts[measure->part].cube;
    if (vc_cube_find_measure(cube, measure->name, &number, NULL) == VC_OK) return measure->name;
    if (measure->name.size <= skip) return (vc_str){0};
    vc_str rest = {.data = measure->name.data + skip, .size = measure->name.size - skip};
    return vc_cube_find_measure(cube, rest, &number, NULL) == VC_OK ? rest : (vc_str){0};
}

static vc_status find_origin(vc_laws *laws, vc_law_measure *measure)
{
    const vc_measure_def *definition = laws->cube->definition->as.virtual_cube.nmeasures == 0
                                           ? NULL
                                           : vc_cube_find_measure_def(laws->cube, measure->name);
    if (definition != NULL && definition->expr.data != NULL) return VC_OK;
    size_t source = source_of(laws->cube, measure->number);
    measure->part = SIZE_MAX;
    for (size_t i = 0; definition != NULL && i < laws->nparts; i++)
        if (vc_str_equal(laws->parts[i].definition->alias, definition->source)) measure->part = i;
    if (definition == NULL && source != SIZE_MAX) measure->part = vc_law_part_of(laws, source);
    if (measure->part == SIZE_MAX) return VC_OK;
    measure->inner = definition == NULL             ? unlisted_name(laws, measure)
                     : definition->measure.size > 0 ? definition->measure
                                                    : measure->name;
    vc_status status = find_cuts(laws, measure, definition);
    bool has_policy = definition != NULL && definition->unrelated != VC_UNRELATED_DEFAULT;
    if (laws->parts[measure->part].is_nested && (!measure->is_plain || has_policy))
        measure->inner = (vc_str){0}; /* a fix on a virtual cube is for some of its sources; a
                                         policy here takes the place of the nested cube's */
    return status;
}

/* Is some value of the column below zero? By the zones of integers; floats have none, but their
 * chunks know. */
static vc_status find_sign(vc_laws *laws, vc_law_measure *measure)
{
    const vc_cube_measure *of = &laws->cube->measures[measure->number];
    const vc_source_cube *cube = laws->cube->sources[of->source].cube;
    vc_snapshot *snapshot = vc_model_snapshot(laws->model);
    if (of->aggregator != VC_AGG_SUM || of->column < 0) return VC_OK;
    const vc_fact_column *column = &cube->columns[of->column];
    const vc_zone *zones;
    vc_status status = vc_source_cube_zones(cube, snapshot, column->column, &zones, laws->error);
    for (uint32_t i = 0; i < cube->nsegments && status == VC_OK; i++) {
        const vc_chunk *chunk;
        if (column->type != VC_VALUE_FLOAT) {
            measure->has_negative |= zones[i].min <= zones[i].max && zones[i].min < 0;
            continue;
        }
        status = vc_source_cube_view(cube, snapshot, column->column, i, &chunk, laws->error);
        if (status == VC_OK) measure->has_negative |= chunk->fmin <= chunk->fmax && chunk->fmin < 0;
    }
    return status;
}

vc_status vc_laws_learn(vc_laws *laws)
{
    const vc_cube *cube = laws->cube;
    vc_status status = find_parts(laws);
    laws->measures = VC_ARENA_NEW(laws->arena, vc_law_measure, cube->nmeasures + 1);
    if (laws->measures == NULL) return vc_no_memory(laws->error);
    for (size_t m = 0; m < cube->nmeasures && status == VC_OK; m++) {
        const vc_cube_measure *of = &cube->measures[m];
        if (of->is_hidden) continue;
        vc_law_measure *measure = &laws->measures[laws->nmeasures++];
        *measure = (vc_law_measure){
            .number = m,
            .name = of->name,
            .part = SIZE_MAX,
            .is_plain = true,
            .has_calls = has_calls(cube, m),
            .is_additive = of->expr == NULL && of->mode != VC_MODE_LOOKUP &&
                           (of->aggregator == VC_AGG_SUM || of->aggregator == VC_AGG_COUNT)};
        if (cube->is_virtual) status = find_origin(laws, measure);
        if (status == VC_OK && measure->is_additive) status = find_sign(laws, measure);
    }
    return status;
}
