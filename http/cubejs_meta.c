/* What Cube's clients learn of a cube: its measures, dimensions and hierarchies, under names of
 * theirs. */
#include "http/cubejs.h"

#include "base/json_writer.h"
#include "http/describe.h"

/* Cube's names of aggregators; "number" for what it has no name for. */
static const char *aggregator_name(vc_aggregator aggregator)
{
    switch (aggregator) {
    case VC_AGG_SUM: return "sum";
    case VC_AGG_COUNT: return "count";
    case VC_AGG_MIN: return "min";
    case VC_AGG_MAX: return "max";
    case VC_AGG_AVG: return "avg";
    case VC_AGG_COUNT_DISTINCT: return "countDistinct";
    default: return "number";
    }
}

static const vc_level *level_of(const vc_cubejs_catalog *catalog, const vc_cubejs_member *member)
{
    const vc_dimension *dimension = catalog->cube->dimensions[member->number].dimension;
    return &dimension->hierarchies[member->hierarchy].levels[member->level];
}

static const char *type_name(const vc_cubejs_catalog *catalog, const vc_cubejs_member *member)
{
    if (member->kind == VC_CUBEJS_MEASURE) return "number";
    if (member->kind == VC_CUBEJS_TIME) return "time";
    bool is_number = member->kind == VC_CUBEJS_LEVEL && !member->has_paths &&
                     level_of(catalog, member)->key_type == VC_KEY_INT;
    return is_number ? "number" : "string";
}

static void put_titles(vc_json_writer *json, const vc_cubejs_catalog *catalog,
                       const vc_cubejs_member *member)
{
    vc_json_put_str(json, "title", member->title);
    vc_json_put_str(json, "shortTitle", member->short_title);
    vc_json_put_text(json, "type", type_name(catalog, member));
    vc_json_put_given(json, "description", member->description);
}

/* ---- drilling down ---- */

/* The sources that a measure is made of. */
static uint64_t sources_of(const vc_cube *cube, size_t number)
{
    const vc_cube_measure *measure = &cube->measures[number];
    uint64_t sources = 0;
    if (measure->aggregator != VC_AGG_NONE) return UINT64_C(1) << measure->source;
    for (size_t i = 0; i < measure->noperands; i++) /* operands stand before what uses them */
        sources |= sources_of(cube, measure->operands[i]);
    return sources;
}

/* The lowest level along a dimension at which all the sources have values; false: there is none. */
static bool find_grain(const vc_cube *cube, uint64_t sources, size_t number, unsigned *hierarchy,
                       unsigned *level)
{
    const vc_dimension *dimension = cube->dimensions[number].dimension;
    *hierarchy = 0;
    *level = dimension->hierarchies[0].nlevels - 1;
    for (size_t s = 0; s < cube->nsources; s++) {
        if ((sources >> s & 1) == 0) continue;
        const vc_binding *binding = &cube->sources[s].bindings[number];
        if (binding->kind == VC_BIND_NONE) return false;
        if (binding->kind != VC_BIND_RELATION || binding->relation->level < 0) continue;
        unsigned its_hierarchy = (unsigned)binding->relation->hierarchy;
        unsigned its_level = (unsigned)binding->relation->level;
        bool is_first = *hierarchy == 0 && *level == dimension->hierarchies[0].nlevels - 1;
        if (its_hierarchy != *hierarchy && !is_first) return false;
        if (its_hierarchy != *hierarchy || its_level < *level) *level = its_level;
        *hierarchy = its_hierarchy;
    }
    return true;
}

static const vc_cubejs_member *find_level_member(const vc_cubejs_catalog *catalog, size_t number,
                                                 unsigned hierarchy, unsigned level)
{
    for (size_t i = 0; i < catalog->nmembers; i++) {
        const vc_cubejs_member *member = &catalog->members[i];
        if (member->kind == VC_CUBEJS_LEVEL && member->number == number &&
            member->hierarchy == hierarchy && member->level == level)
            return member;
    }
    return NULL;
}

/* What a value is made of: the measure by the lowest level of each dimension that its facts know.
 */
static void put_drill_dimensions(vc_json_writer *json, const vc_cubejs_catalog *catalog,
                                 const vc_cubejs_member *measure)
{
    uint64_t sources = sources_of(catalog->cube, measure->number);
    for (size_t d = 0; d < catalog->cube->ndimensions && sources != 0; d++) {
        unsigned hierarchy, level;
        if (!find_grain(catalog->cube, sources, d, &hierarchy, &level)) continue;
        const vc_cubejs_member *member = find_level_member(catalog, d, hierarchy, level);
        if (member != NULL) vc_json_put_str(json, NULL, member->name);
    }
}

static void put_drill_members(vc_json_writer *json, const vc_cubejs_catalog *catalog,
                              const vc_cubejs_member *measure)
{
    vc_json_begin(json, "drillMembers", '[');
    vc_json_put_str(json, NULL, measure->name);
    put_drill_dimensions(json, catalog, measure);
    vc_json_end(json, ']');
    vc_json_begin(json, "drillMembersGrouped", '{');
    vc_json_begin(json, "measures", '[');
    vc_json_put_str(json, NULL, measure->name);
    vc_json_end(json, ']');
    vc_json_begin(json, "dimensions", '[');
    put_drill_dimensions(json, catalog, measure);
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

/* ---- members ---- */

static void put_measure(vc_json_writer *json, const vc_cubejs_catalog *catalog,
                        const vc_cubejs_member *member)
{
    const vc_cube_measure *measure = &catalog->cube->measures[member->number];
    put_titles(json, catalog, member);
    vc_json_put_text(json, "aggType", aggregator_name(measure->aggregator));
    if (vc_str_contains(measure->format, VC_STR("%"))) vc_json_put_text(json, "format", "percent");
    put_drill_members(json, catalog, member);
    vc_json_begin(json, "meta", '{');
    vc_json_put_str(json, "measure", measure->name);
    vc_json_put_given(json, "unit", measure->unit);
    vc_json_put_given(json, "format", measure->format);
    vc_json_end(json, '}');
}

/* What it is in the native API: for those who go there for what Cube cannot say. */
static void put_origin(vc_json_writer *json, const vc_cubejs_catalog *catalog,
                       const vc_cubejs_member *member)
{
    const vc_cube_dimension *outer = &catalog->cube->dimensions[member->number];
    const vc_hierarchy *hierarchy = &outer->dimension->hierarchies[member->hierarchy];
    vc_json_begin(json, "meta", '{');
    vc_json_put_str(json, "dimension", outer->name);
    if (member->kind == VC_CUBEJS_TIME) {
        vc_json_begin(json, "granularities", '[');
        for (vc_time_part part = VC_TIME_YEAR; part <= VC_TIME_DAY; part++)
            if (vc_cubejs_find_time(catalog, member->number, part) != NULL)
                vc_json_put_text(json, NULL, vc_cubejs_part_name(part));
        vc_json_end(json, ']');
    } else if (member->kind == VC_CUBEJS_ATTRIBUTE) {
        vc_json_put_str(json, "attribute", member->attribute->name);
    } else {
        vc_json_put_str(json, "hierarchy", hierarchy->name);
        vc_json_put_str(json, "level", hierarchy->levels[member->level].name);
        if (member->kind == VC_CUBEJS_LABEL) vc_json_put_bool(json, "label", true);
        if (member->has_paths) vc_json_put_bool(json, "path", true);
    }
    vc_json_end(json, '}');
}

void vc_cubejs_put_annotation(vc_buffer *out, const vc_cubejs_catalog *catalog,
                              const vc_cubejs_member *member, vc_time_part part)
{
    static const char *const titles[] = {
        [VC_TIME_YEAR] = "Year", [VC_TIME_QUARTER] = "Quarter", [VC_TIME_MONTH] = "Month",
        [VC_TIME_WEEK] = "Week", [VC_TIME_DAY] = "Day",
    };
    vc_json_writer json = {.out = out};
    vc_json_begin(&json, NULL, '{');
    if (member->kind == VC_CUBEJS_MEASURE) {
        put_measure(&json, catalog, member);
    } else {
        put_titles(&json, catalog, member);
        put_origin(&json, catalog, member);
    }
    if (part != VC_TIME_NONE) {
        vc_json_begin(&json, "granularity", '{');
        vc_json_put_text(&json, "name", vc_cubejs_part_name(part));
        vc_json_put_text(&json, "title", titles[part]);
        vc_json_put_key(&json, "interval");
        vc_buffer_printf(out, "\"1 %s\"", vc_cubejs_part_name(part));
        vc_json_end(&json, '}');
    }
    vc_json_end(&json, '}');
}

static void put_flags(vc_json_writer *json)
{
    vc_json_put_bool(json, "isVisible", true);
    vc_json_put_bool(json, "public", true);
}

static void put_member(vc_json_writer *json, const vc_cubejs_catalog *catalog,
                       const vc_cubejs_member *member)
{
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "name", member->name);
    if (member->kind == VC_CUBEJS_MEASURE) {
        put_measure(json, catalog, member);
        vc_json_put_bool(json, "cumulative", false);
        vc_json_put_bool(json, "cumulativeTotal", false);
    } else {
        put_titles(json, catalog, member);
        put_origin(json, catalog, member);
        vc_json_put_bool(json, "suggestFilterValues", member->kind != VC_CUBEJS_TIME);
        vc_json_put_bool(json, "primaryKey", false);
    }
    put_flags(json);
    vc_json_end(json, '}');
}

/* ---- hierarchies ---- */

/* The one hierarchy of a dimension is called like it. */
static void put_hierarchy_title(vc_json_writer *json, const vc_cube_dimension *outer, unsigned h)
{
    const vc_hierarchy *hierarchy = &outer->dimension->hierarchies[h];
    vc_str title = hierarchy->label.size > 0 ? hierarchy->label : hierarchy->name;
    if (outer->dimension->nhierarchies == 1)
        title = outer->label.size > 0 ? outer->label : outer->name;
    vc_json_put_str(json, "title", title);
}

static void put_hierarchy(vc_json_writer *json, const vc_cubejs_catalog *catalog, size_t number,
                          unsigned h)
{
    const vc_cube_dimension *outer = &catalog->cube->dimensions[number];
    const vc_hierarchy *hierarchy = &outer->dimension->hierarchies[h];
    vc_buffer name = {0};
    vc_buffer_put_str(&name, catalog->name);
    vc_buffer_put_char(&name, '.');
    vc_cubejs_put_word(&name, outer->name);
    vc_buffer_put_char(&name, '_');
    vc_cubejs_put_word(&name, hierarchy->name);
    vc_json_begin(json, NULL, '{');
    vc_json_put_text(json, "name", vc_buffer_text(&name));
    if (name.failed) json->out->failed = true;
    vc_buffer_release(&name);
    put_hierarchy_title(json, outer, h);
    vc_json_begin(json, "levels", '[');
    for (unsigned l = 0; l < hierarchy->nlevels; l++) {
        const vc_cubejs_member *level = find_level_member(catalog, number, h, l);
        if (level != NULL) vc_json_put_str(json, NULL, level->name);
    }
    vc_json_end(json, ']');
    vc_json_put_bool(json, "public", true);
    vc_json_end(json, '}');
}

static void put_empty(vc_json_writer *json, const char *key)
{
    vc_json_begin(json, key, '[');
    vc_json_end(json, ']');
}

void vc_cubejs_put_meta(vc_buffer *out, const vc_cubejs_catalog *catalog, size_t number)
{
    vc_json_writer json = {.out = out};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "name", catalog->name);
    vc_json_put_text(&json, "type", "cube");
    vc_json_put_str(&json, "title", catalog->title);
    vc_json_put_given(&json, "description", catalog->cube->definition->description);
    put_flags(&json);
    vc_json_put_uint(&json, "connectedComponent", number + 1); /* no query is about two */
    vc_json_begin(&json, "meta", '{');
    vc_json_put_str(&json, "cube", catalog->cube->name);
    vc_json_put_text(&json, "kind", catalog->cube->is_virtual ? "virtual" : "source");
    vc_json_end(&json, '}');
    vc_json_begin(&json, "measures", '[');
    for (size_t i = 0; i < catalog->nmembers; i++)
        if (catalog->members[i].kind == VC_CUBEJS_MEASURE)
            put_member(&json, catalog, &catalog->members[i]);
    vc_json_end(&json, ']');
    vc_json_begin(&json, "dimensions", '[');
    for (size_t i = 0; i < catalog->nmembers; i++)
        if (catalog->members[i].kind != VC_CUBEJS_MEASURE)
            put_member(&json, catalog, &catalog->members[i]);
    vc_json_end(&json, ']');
    put_empty(&json, "segments");
    vc_json_begin(&json, "hierarchies", '[');
    for (size_t d = 0; d < catalog->cube->ndimensions; d++)
        for (unsigned h = 0; h < catalog->cube->dimensions[d].dimension->nhierarchies; h++)
            put_hierarchy(&json, catalog, d, h);
    vc_json_end(&json, ']');
    put_empty(&json, "folders");
    put_empty(&json, "nestedFolders");
    vc_json_end(&json, '}');
}
