/* members: what a dimension holds. */
#include "cli/browsing.h"
#include "cube/browse.h"

#include "base/buffer.h"
#include "dimensions/path.h"
#include "render/values.h"
#include "slice/property.h"

#include <strings.h>

enum { MAX_PROPERTIES = 16, MAX_VALUES = 1000000 };

static vc_status member_filter(const vc_arguments *arguments, const vc_dimension *dimension,
                               vc_arena *arena, vc_member_filter *filter, vc_error *error)
{
    const char *hierarchy = vc_arguments_get(arguments, "hierarchy");
    const char *level = vc_arguments_get(arguments, "level");
    const char *parent = vc_arguments_get(arguments, "parent");
    uint64_t limit = 0, offset = 0;
    *filter = (vc_member_filter){.search = vc_str_of(vc_arguments_get(arguments, "q"))};
    vc_status status = vc_arguments_number(arguments, "limit", 1, UINT32_MAX, 100, &limit, error);
    if (status == VC_OK)
        status = vc_arguments_number(arguments, "offset", 0, UINT32_MAX, 0, &offset, error);
    if (status == VC_OK)
        status =
            vc_dimension_find_hierarchy(dimension, vc_str_of(hierarchy), &filter->hierarchy, error);
    if (status == VC_OK && parent != NULL) {
        const vc_str *keys;
        size_t nkeys;
        status = vc_path_split(vc_str_of(parent), arena, &keys, &nkeys, error);
        if (status == VC_OK)
            status = vc_hierarchy_find_member(dimension, filter->hierarchy, keys, nkeys, arena,
                                              &filter->parent, error);
        filter->has_parent = true;
        unsigned nlevels = dimension->hierarchies[filter->hierarchy].nlevels;
        filter->is_children = dimension->hierarchies[filter->hierarchy].is_ragged && level == NULL;
        filter->level =
            filter->parent.level + 1 < nlevels ? filter->parent.level + 1 : filter->parent.level;
    }
    if (status == VC_OK && level != NULL)
        status = vc_hierarchy_find_level(dimension, filter->hierarchy, vc_str_of(level),
                                         &filter->level, error);
    filter->limit = (size_t)limit;
    filter->offset = (size_t)offset;
    return status;
}

/* The properties that --properties names, of the members that are listed. */
struct shown {
    const vc_property *properties[MAX_PROPERTIES];
    const vc_result_values *values[MAX_PROPERTIES]; /* of the members that are listed */
    size_t count;
};

static vc_status read_shown(vc_browsing *in, size_t number, unsigned hierarchy, const char *names,
                            const vc_member_ref *members, size_t nmembers, struct shown *shown,
                            vc_error *error)
{
    vc_property_members of;
    vc_property_values read;
    uint32_t *places;
    vc_str rest = vc_str_of(names);
    vc_status status = VC_OK;
    *shown = (struct shown){0};
    if (rest.size > 0)
        status = vc_property_place(in->cube, number, hierarchy, members, nmembers, &in->arena, &of,
                                   &places, error);
    while (status == VC_OK && rest.size > 0) {
        size_t nfound, p = shown->count++;
        if (p == MAX_PROPERTIES)
            return vc_fail(error, VC_LIMIT, "too_many_properties", "more than %d --properties",
                           MAX_PROPERTIES);
        status = vc_property_find(in->cube, &number, 1, vc_str_split(&rest, ','), &in->arena,
                                  &shown->properties[p], &nfound, error);
        if (status == VC_OK)
            status = vc_property_read(in->cube, shown->properties[p], &of, MAX_VALUES, &in->arena,
                                      &read, error);
        if (status == VC_OK)
            status = vc_property_texts(NULL, shown->properties[p], &read, nmembers, &in->arena,
                                       &shown->values[p], error);
    }
    return status;
}

static vc_str shown_name(const struct shown *shown, size_t p)
{
    const vc_property *property = shown->properties[p];
    return vc_str_is_null(property->alias) ? property->attribute->name : property->asked;
}

static vc_str shown_text(vc_browsing *in, const vc_result_values *values)
{
    vc_buffer buffer = {0};
    vc_values_put_text(&buffer, values);
    vc_str text = vc_arena_str(&in->arena, vc_str_of(vc_buffer_text(&buffer)));
    vc_buffer_release(&buffer);
    return text;
}

static void put_shown(vc_buffer *json, const struct shown *shown, size_t member)
{
    for (size_t p = 0; p < shown->count; p++) {
        vc_buffer_put_text(json, p == 0 ? ",\"properties\":{" : ",");
        vc_buffer_put_json(json, shown_name(shown, p));
        vc_buffer_put_char(json, ':');
        vc_values_put_json(json, &shown->values[p][member]);
    }
    if (shown->count > 0) vc_buffer_put_char(json, '}');
}

/* ---- calculated members ---- */

static bool has_text(vc_str text, vc_str part)
{
    bool is_found = part.size == 0;
    for (size_t at = 0; !is_found && at + part.size <= text.size; at++)
        is_found = strncasecmp(text.data + at, part.data, part.size) == 0;
    return is_found;
}

/* Those that stand at the level, below the parent: behind all others, as in a drilldown. */
static vc_status list_calculated(vc_browsing *in, size_t number, const vc_member_filter *filter,
                                 const vc_calculated ***list_out, size_t *count_out,
                                 vc_error *error)
{
    const vc_cube *cube = in->cube;
    const vc_hierarchy *hierarchy =
        &cube->dimensions[number].dimension->hierarchies[filter->hierarchy];
    const vc_calculated **list =
        VC_ARENA_NEW(&in->arena, const vc_calculated *, cube->ncalculated + 1);
    if (list == NULL) return vc_no_memory(error);
    *list_out = list;
    for (size_t i = 0; i < cube->ncalculated; i++) {
        const vc_calculated *member = &cube->calculated[i];
        vc_member_ref above = member->parent;
        bool is_here =
            member->dimension == number && member->hierarchy == filter->hierarchy &&
            member->level == filter->level &&
            (has_text(member->name, filter->search) || has_text(member->label, filter->search));
        if (is_here && filter->has_parent) {
            is_here = member->has_parent && above.level >= filter->parent.level;
            for (; is_here && above.level > filter->parent.level; above.level--)
                above.member = vc_numbers_get(hierarchy->levels[above.level].parents, above.member);
            is_here = is_here && above.member == filter->parent.member;
        }
        if (is_here) list[(*count_out)++] = member;
    }
    return VC_OK;
}

/* A table of their own: they have no facts, and no place in the numbering. */
static void print_calculated(vc_browsing *in, const vc_calculated *const *list, size_t count)
{
    vc_str *texts = VC_ARENA_NEW(&in->arena, vc_str, (count + 1) * 3);
    if (texts == NULL || count == 0) return;
    texts[0] = VC_STR("calculated");
    texts[1] = VC_STR("label");
    texts[2] = VC_STR("expression");
    for (size_t i = 0; i < count; i++) {
        texts[3 + i * 3] = list[i]->name;
        texts[4 + i * 3] = list[i]->label;
        texts[5 + i * 3] = list[i]->definition->expr;
    }
    putchar('\n');
    vc_cli_table(texts, count + 1, 3, (bool[3]){false});
}

static void put_calculated(vc_buffer *json, bool is_first, const vc_calculated *member)
{
    vc_buffer_put_text(json, is_first ? "{\"key\":" : ",{\"key\":");
    vc_buffer_put_json(json, member->name);
    vc_buffer_put_text(json, ",\"label\":");
    vc_buffer_put_json(json, member->label);
    vc_buffer_put_text(json, ",\"calculated\":true,\"expr\":");
    vc_buffer_put_json(json, member->definition->expr);
    vc_buffer_put_text(json, "}");
}

/* ---- the list ---- */

static void print_members(vc_browsing *in, const vc_dimension *dimension,
                          const vc_member_filter *filter, const vc_member_ref *members,
                          size_t nmembers, const struct shown *shown,
                          const vc_calculated *const *calculated, size_t ncalculated, bool is_json)
{
    size_t ncolumns = 3 + shown->count;
    const vc_hierarchy *hierarchy = &dimension->hierarchies[filter->hierarchy];
    bool is_mixed = false;
    for (size_t i = 1; i < nmembers; i++)
        is_mixed |= members[i].level != members[0].level;
    vc_buffer json = {0};
    vc_str *texts = VC_ARENA_NEW(&in->arena, vc_str, (nmembers + 1) * ncolumns);
    if (texts == NULL) return;
    texts[0] = hierarchy->levels[nmembers > 0 ? members[0].level : filter->level].name;
    if (is_mixed) texts[0] = VC_STR("member");
    texts[1] = VC_STR("label");
    texts[2] = VC_STR("path");
    for (size_t p = 0; p < shown->count; p++)
        texts[3 + p] = shown_name(shown, p);
    vc_buffer_put_text(&json, "[");
    for (size_t i = 0; i < nmembers; i++) {
        const vc_level *level = &hierarchy->levels[members[i].level];
        vc_str key = vc_texts_get(&level->keys, members[i].member);
        vc_str label = vc_texts_get(&level->labels, members[i].member);
        vc_str path = vc_member_path(hierarchy, members[i].level, members[i].member, &in->arena);
        vc_str *row = texts + (i + 1) * ncolumns;
        row[0] = key.data != NULL ? key : VC_STR("(null)");
        row[1] = label.data != NULL ? label : VC_STR("");
        row[2] = path;
        for (size_t p = 0; p < shown->count; p++)
            row[3 + p] = shown_text(in, &shown->values[p][i]);
        vc_buffer_put_text(&json, i > 0 ? ",{\"key\":" : "{\"key\":");
        vc_buffer_put_json(&json, key);
        vc_buffer_put_text(&json, ",\"label\":");
        vc_buffer_put_json(&json, label);
        vc_buffer_put_text(&json, ",\"path\":");
        vc_buffer_put_json(&json, path);
        put_shown(&json, shown, i);
        vc_buffer_put_text(&json, "}");
    }
    for (size_t i = 0; i < ncalculated; i++)
        put_calculated(&json, nmembers + i == 0, calculated[i]);
    vc_buffer_put_text(&json, "]");
    if (is_json)
        puts(vc_buffer_text(&json));
    else
        vc_cli_table(texts, nmembers + 1, ncolumns, (bool[3 + MAX_PROPERTIES]){false});
    if (!is_json) print_calculated(in, calculated, ncalculated);
    vc_buffer_release(&json);
}

static int run_members(const vc_arguments *arguments)
{
    vc_browsing in;
    vc_error error = {0};
    size_t number, nmembers = 0, ntotal = 0;
    vc_member_ref *members;
    vc_member_filter filter;
    struct shown shown;
    const vc_dimension *dimension = NULL;
    const vc_calculated **calculated = NULL;
    size_t ncalculated = 0;
    vc_status status = vc_browsing_open(arguments, &in, &error);
    if (status == VC_OK)
        status =
            vc_cube_find_dimension(in.cube, vc_str_of(arguments->operands[1]), &number, &error);
    if (status == VC_OK) {
        dimension = in.cube->dimensions[number].dimension;
        status = member_filter(arguments, dimension, &in.arena, &filter, &error);
    }
    if (status == VC_OK)
        status = vc_cube_browse(&in.cube->dimensions[number], &filter, &in.arena, &members,
                                &nmembers, &ntotal, &error);
    if (status == VC_OK)
        status =
            read_shown(&in, number, filter.hierarchy, vc_arguments_get(arguments, "properties"),
                       members, nmembers, &shown, &error);
    if (status == VC_OK && nmembers + filter.offset >= ntotal) /* the last page */
        status = list_calculated(&in, number, &filter, &calculated, &ncalculated, &error);
    if (status == VC_OK) {
        print_members(&in, dimension, &filter, members, nmembers, &shown, calculated, ncalculated,
                      vc_arguments_get(arguments, "json") != NULL);
        if (nmembers < ntotal)
            vc_cli_say("%zu of %zu members; --limit and --offset show others", nmembers, ntotal);
    }
    return vc_browsing_close(&in, status, &error);
}

static const vc_option member_options[] = {
    VC_OPTION_DIR,
    {"level", 0, "LEVEL", "which level (default: the first, or the one below --parent)"},
    {"hierarchy", 0, "NAME", "which hierarchy (default: the main one)"},
    {"parent", 0, "PATH", "only what is under this member"},
    {"q", 0, "TEXT", "only members with this text in key or label"},
    {"properties", 0, "NAME,...", "attributes to show, also of joined dimensions (ALIAS.NAME)"},
    {"limit", 0, "N", "how many (default 100)"},
    {"offset", 0, "N", "how many to pass over first"},
    VC_OPTION_JSON,
    VC_OPTION_END};

const vc_command vc_command_members = {
    .name = "members",
    .operands = "CUBE DIMENSION",
    .summary = "list or search the members of a dimension",
    .help =
        "Examples:\n"
        "  vcube members -d data world geo --level country --q land\n"
        "  vcube members -d data world geo --parent Europe\n"
        "  vcube members -d data world geo --level country --properties iso2,cities.feature_code",
    .options = member_options,
    .min_operands = 2,
    .max_operands = 2,
    .run = run_members,
};
