/* Cubes and what they are made of, as the dialect describes them. */
#include "http/mondrian.h"

#include "slice/property.h"

static void put_name_text(vc_json_writer *json, const char *key, vc_buffer *name)
{
    vc_json_put_str(json, key, (vc_str){vc_buffer_text(name), name->size});
    json->out->failed |= name->failed;
    vc_buffer_release(name);
}

static void put_annotations(vc_json_writer *json, vc_str caption)
{
    vc_json_begin(json, "annotations", '{');
    vc_json_put_given(json, "caption", caption);
    vc_json_end(json, '}');
}

/* ---- levels ---- */

/* What members of the level have attributes of: a level has its own, the lowest one those of the
 * leaves, and of what is joined. */
static void put_properties(vc_json_writer *json, const vc_cube *cube, size_t number,
                           unsigned hierarchy, unsigned level)
{
    vc_arena arena = {0};
    const vc_property *joined;
    size_t njoined = 0;
    const vc_dimension *dimension = cube->dimensions[number].dimension;
    bool is_lowest = level + 1 == dimension->hierarchies[hierarchy].nlevels;
    vc_json_begin(json, "properties", '[');
    for (unsigned i = 0; i < dimension->nattributes; i++) {
        const vc_attribute *attribute = &dimension->attributes[i];
        bool is_of_level = attribute->hierarchy == (int)hierarchy && attribute->level == (int)level;
        if (is_of_level || (is_lowest && attribute->hierarchy < 0))
            vc_json_put_str(json, NULL, attribute->name);
    }
    if (is_lowest && cube->is_virtual &&
        vc_property_list(cube, number, &arena, &joined, &njoined, NULL) != VC_OK)
        json->out->failed = true;
    for (size_t i = 0; i < njoined; i++)
        vc_json_put_str(json, NULL, joined[i].asked);
    vc_json_end(json, ']');
    vc_arena_release(&arena);
}

void vc_mondrian_put_level_fields(vc_json_writer *json, const vc_cube *cube, size_t number,
                                  unsigned hierarchy, unsigned level)
{
    vc_buffer name = {0};
    const vc_cube_dimension *outer = &cube->dimensions[number];
    const vc_level *of = &outer->dimension->hierarchies[hierarchy].levels[level];
    vc_mondrian_put_level(&name, outer->name, outer->dimension, hierarchy, of->name);
    vc_json_put_str(json, "name", of->name);
    put_name_text(json, "full_name", &name);
    vc_json_put_uint(json, "depth", level + outer->is_aggregatable);
    vc_json_put_str(json, "caption", of->name);
    put_annotations(json, of->label);
    put_properties(json, cube, number, hierarchy, level);
}

static void put_all_level(vc_json_writer *json, const vc_cube_dimension *outer, unsigned hierarchy)
{
    vc_buffer name = {0};
    vc_mondrian_put_level(&name, outer->name, outer->dimension, hierarchy, VC_STR(VC_MONDRIAN_ALL));
    vc_json_begin(json, NULL, '{');
    vc_json_put_text(json, "name", VC_MONDRIAN_ALL);
    put_name_text(json, "full_name", &name);
    vc_json_put_uint(json, "depth", 0);
    vc_json_put_text(json, "caption", VC_MONDRIAN_ALL);
    put_annotations(json, (vc_str){0});
    vc_json_begin(json, "properties", '[');
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

void vc_mondrian_put_one_level(vc_json_writer *json, const vc_cube *cube, size_t dimension,
                               unsigned hierarchy, unsigned level)
{
    vc_json_begin(json, NULL, '{');
    vc_mondrian_put_level_fields(json, cube, dimension, hierarchy, level);
    vc_json_end(json, '}');
}

/* ---- hierarchies and dimensions ---- */

void vc_mondrian_put_hierarchy(vc_json_writer *json, const vc_cube *cube, size_t dimension,
                               unsigned hierarchy)
{
    const vc_cube_dimension *outer = &cube->dimensions[dimension];
    const vc_hierarchy *of = &outer->dimension->hierarchies[hierarchy];
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "name", of->name);
    vc_json_put_str(json, "caption", of->label.size > 0 ? of->label : of->name);
    vc_json_put_bool(json, "has_all", outer->is_aggregatable);
    if (outer->is_aggregatable)
        vc_json_put_text(json, "all_member_name", VC_MONDRIAN_ALL_NAME);
    else
        vc_json_put_null(json, "all_member_name");
    put_annotations(json, of->label);
    vc_json_begin(json, "levels", '[');
    if (outer->is_aggregatable) put_all_level(json, outer, hierarchy);
    for (unsigned l = 0; l < of->nlevels; l++)
        vc_mondrian_put_one_level(json, cube, dimension, hierarchy, l);
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

void vc_mondrian_put_dimension(vc_json_writer *json, const vc_cube *cube, size_t dimension)
{
    const vc_cube_dimension *outer = &cube->dimensions[dimension];
    vc_str label = outer->label.size > 0 ? outer->label : outer->name;
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "name", outer->name);
    vc_json_put_str(json, "caption", label);
    vc_json_put_text(json, "type", outer->dimension->is_time ? "time" : "standard");
    put_annotations(json, label);
    vc_json_begin(json, "hierarchies", '[');
    for (unsigned h = 0; h < outer->dimension->nhierarchies; h++)
        vc_mondrian_put_hierarchy(json, cube, dimension, h);
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

/* ---- measures ---- */

/* Whoever is told SUM may add values up, so only what adds up is called so. */
static const char *aggregator_of(const vc_cube_measure *measure)
{
    if (measure->over != VC_OVER_NONE || measure->mode == VC_MODE_LOOKUP) return "UNKNOWN";
    switch (measure->aggregator) {
    case VC_AGG_SUM: return "SUM";
    case VC_AGG_COUNT: return "COUNT";
    case VC_AGG_MIN: return "MIN";
    case VC_AGG_MAX: return "MAX";
    case VC_AGG_AVG: return "AVG";
    default: return "UNKNOWN";
    }
}

static void put_measure(vc_json_writer *json, const vc_cube *cube, const vc_cube_measure *measure)
{
    vc_buffer name = {0};
    const vc_measure_def *definition = vc_cube_find_measure_def(cube, measure->name);
    vc_str label = measure->label.size > 0 ? measure->label : measure->name;
    vc_buffer_put_text(&name, "[Measures].");
    vc_mdx_put_part(&name, measure->name);
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "name", measure->name);
    vc_json_put_str(json, "caption", label);
    put_name_text(json, "full_name", &name);
    vc_json_put_text(json, "aggregator", aggregator_of(measure));
    vc_json_begin(json, "annotations", '{');
    vc_json_put_str(json, "caption", label);
    vc_json_put_given(json, "units_of_measurement", measure->unit);
    vc_json_put_given(json, "format_template", measure->format);
    if (definition != NULL) vc_json_put_given(json, "details", definition->description);
    if (measure->expr == NULL)
        vc_json_put_text(json, "aggregator", vc_aggregator_name(measure->aggregator));
    else if (definition != NULL && vc_cube_shows_expr(cube, measure))
        vc_json_put_given(json, "expr", definition->expr);
    if (measure->over != VC_OVER_NONE) vc_json_put_text(json, "over", vc_over_name(measure->over));
    vc_json_end(json, '}');
    vc_json_end(json, '}');
}

/* ---- cubes ---- */

void vc_mondrian_put_cube(vc_json_writer *json, const vc_cube *cube)
{
    vc_str label = cube->label.size > 0 ? cube->label : cube->name;
    const vc_info_def *info = &cube->definition->info;
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "name", cube->name);
    vc_json_put_str(json, "caption", label);
    vc_json_begin(json, "annotations", '{');
    vc_json_put_str(json, "caption", label);
    vc_json_put_given(json, "source_name", info->source);
    vc_json_put_given(json, "source_licence", info->licence);
    vc_json_put_given(json, "source_description", cube->definition->description);
    vc_json_end(json, '}');
    vc_json_begin(json, "dimensions", '[');
    for (size_t d = 0; d < cube->ndimensions; d++)
        vc_mondrian_put_dimension(json, cube, d);
    vc_json_end(json, ']');
    vc_json_begin(json, "measures", '[');
    for (size_t m = 0; m < cube->nmeasures; m++)
        if (!cube->measures[m].is_hidden) put_measure(json, cube, &cube->measures[m]);
    vc_json_end(json, ']');
    vc_json_begin(json, "named_sets", '[');
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}
