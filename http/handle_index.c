/* A first page for people: the cubes, what is in them, and questions that work on them. Plain HTML
 * and one sheet of styles; everything on it is escaped, because names and texts are a stranger's.
 */
#include "dimensions/members.h"
#include "http/link.h"
#include "http/service.h"

#include <stdio.h>

/* A page stays a page: cubes behind these are listed by name only, and lists are cut. */
enum { OPENED = 40, LEVELS = 6, DIMENSIONS = 12, MEASURES = 16, FEW_MEMBERS = 200 };

static void put_escaped(vc_buffer *out, vc_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '&')
            vc_buffer_put_text(out, "&amp;");
        else if (byte == '<')
            vc_buffer_put_text(out, "&lt;");
        else if (byte == '>')
            vc_buffer_put_text(out, "&gt;");
        else if (byte == '"')
            vc_buffer_put_text(out, "&quot;");
        else
            vc_buffer_put_char(out, byte);
    }
}

/* 1234567 as 1,234,567. */
static void put_count(vc_buffer *out, uint64_t count)
{
    char digits[24];
    size_t size = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    for (size_t i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) vc_buffer_put_char(out, ',');
        vc_buffer_put_char(out, digits[i]);
    }
}

/* ---- addresses ---- */

/* A query's text in an address; what people read there stays as it is. */
static void put_query(vc_buffer *out, vc_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == ':' || text.data[i] == ',')
            vc_buffer_put_char(out, text.data[i]);
        else
            vc_link_put_encoded(out, (vc_str){text.data + i, 1});
}

static void begin_link(vc_buffer *out, vc_str cube)
{
    vc_buffer_put_text(out, "<a href=\"/v1/cubes/");
    vc_link_put_encoded(out, cube);
}

static void put_members_link(vc_buffer *out, const vc_cube *cube,
                             const vc_cube_dimension *dimension, const vc_level *level)
{
    begin_link(out, cube->name);
    vc_buffer_put_text(out, "/dimensions/");
    vc_link_put_encoded(out, dimension->name);
    vc_buffer_put_text(out, "/members?level=");
    vc_link_put_encoded(out, level->name);
    vc_buffer_put_text(out, "\">");
    put_escaped(out, level->label.size > 0 ? level->label : level->name);
    vc_buffer_put_text(out, "</a>&nbsp;<small>");
    put_count(out, vc_level_count(level));
    vc_buffer_put_text(out, "</small>");
}

/* ---- what is in a cube ---- */

static void put_dimension(vc_buffer *out, const vc_cube *cube, const vc_cube_dimension *dimension)
{
    const vc_hierarchy *hierarchy = &dimension->dimension->hierarchies[0];
    vc_buffer_put_text(out, "<li>");
    put_escaped(out, dimension->label.size > 0 ? dimension->label : dimension->name);
    vc_buffer_put_text(out, ": ");
    for (unsigned l = 0; l < hierarchy->nlevels && l < LEVELS; l++) {
        if (l > 0) vc_buffer_put_text(out, " › ");
        put_members_link(out, cube, dimension, &hierarchy->levels[l]);
    }
    if (hierarchy->nlevels > LEVELS) vc_buffer_put_text(out, " › …");
    vc_buffer_put_text(out, "</li>\n");
}

static void put_dimensions(vc_buffer *out, const vc_cube *cube)
{
    vc_buffer_put_text(out, "<dt>Dimensions</dt>\n<dd><ul>\n");
    for (size_t d = 0; d < cube->ndimensions && d < DIMENSIONS; d++)
        put_dimension(out, cube, &cube->dimensions[d]);
    if (cube->ndimensions > DIMENSIONS)
        vc_buffer_printf(out, "<li>and %zu more</li>\n", cube->ndimensions - DIMENSIONS);
    vc_buffer_put_text(out, "</ul></dd>\n");
}

static void put_measures(vc_buffer *out, const vc_cube *cube)
{
    size_t nlisted = 0, nhidden = 0;
    vc_buffer_put_text(out, "<dt>Measures</dt>\n<dd>");
    for (size_t m = 0; m < cube->nmeasures; m++) {
        const vc_cube_measure *measure = &cube->measures[m];
        nhidden += measure->is_hidden;
        if (measure->is_hidden || nlisted == MEASURES) continue;
        vc_buffer_put_text(out, nlisted++ > 0 ? ", <code>" : "<code>");
        put_escaped(out, measure->name);
        vc_buffer_put_text(out, "</code>");
        if (measure->unit.size == 0) continue;
        vc_buffer_put_text(out, " <small>");
        put_escaped(out, measure->unit);
        vc_buffer_put_text(out, "</small>");
    }
    if (cube->nmeasures - nhidden > nlisted)
        vc_buffer_printf(out, " and %zu more", cube->nmeasures - nhidden - nlisted);
    vc_buffer_put_text(out, "</dd>\n");
}

static void put_facts(vc_buffer *out, const vc_cube *cube)
{
    vc_buffer_put_text(out, "<dt>Facts</dt>\n<dd>");
    for (size_t s = 0; s < cube->nsources; s++) {
        const vc_cube_source *source = &cube->sources[s];
        if (source->is_unseen) continue;
        if (s > 0) vc_buffer_put_text(out, ", ");
        put_count(out, source->cube->nrows);
        if (!cube->is_virtual) continue;
        vc_buffer_put_text(out, " <small>");
        put_escaped(out, source->alias);
        vc_buffer_put_text(out, "</small>");
    }
    vc_buffer_put_text(out, "</dd>\n");
}

/* ---- a question that works ---- */

/* The dimension to look at first: one that all sources have, with few members at its top. */
static size_t choose_dimension(const vc_cube *cube)
{
    size_t best = 0, best_score = 0;
    for (size_t d = 0; d < cube->ndimensions; d++) {
        const vc_cube_dimension *dimension = &cube->dimensions[d];
        uint32_t count = vc_level_count(&dimension->dimension->hierarchies[0].levels[0]);
        size_t score = 1 + 4 * !dimension->is_private + 2 * (count > 1 && count <= FEW_MEMBERS);
        if (score <= best_score) continue;
        best = d;
        best_score = score;
    }
    return best;
}

static bool is_needed(const vc_cube_dimension *dimension)
{
    return !dimension->is_aggregatable && vc_str_is_null(dimension->default_member);
}

/* "geo:region", and what has no All and must be drilled. */
static void put_drilldown(vc_buffer *text, const vc_cube *cube)
{
    size_t chosen = choose_dimension(cube);
    for (size_t d = 0; d < cube->ndimensions; d++) {
        const vc_cube_dimension *dimension = &cube->dimensions[d];
        if (d != chosen && !is_needed(dimension)) continue;
        if (text->size > 0) vc_buffer_put_char(text, '|');
        vc_path_put_key(text, dimension->name);
        vc_buffer_put_char(text, ':');
        vc_path_put_key(text, dimension->dimension->hierarchies[0].levels[0].name);
    }
}

/* The first measure of each source, of three at most; of a private dimension only its owner's. */
static void put_asked(vc_buffer *text, const vc_cube *cube)
{
    const vc_cube_dimension *dimension = &cube->dimensions[choose_dimension(cube)];
    size_t nasked = 0;
    for (size_t s = 0; s < cube->nsources && nasked < 3; s++) {
        if (dimension->is_private && dimension->owner != s) continue;
        for (size_t m = 0; m < cube->nmeasures; m++) {
            const vc_cube_measure *measure = &cube->measures[m];
            if (measure->is_hidden || measure->expr != NULL || measure->source != s ||
                measure->over != VC_OVER_NONE)
                continue;
            if (nasked++ > 0) vc_buffer_put_char(text, ',');
            vc_path_put_key(text, measure->name);
            break;
        }
    }
}

static void put_question(vc_buffer *out, const vc_cube *cube)
{
    static const char *const formats[][2] = {
        {"table", "table"}, {"records", "JSON"}, {"csv", "CSV"}, {"jsonstat", "JSON-stat"}};
    vc_buffer drilldown = {0}, measures = {0};
    put_drilldown(&drilldown, cube);
    put_asked(&measures, cube);
    vc_str drilled = {drilldown.data, drilldown.size}, asked = {measures.data, measures.size};
    vc_buffer_put_text(out, "<dt>Try</dt>\n<dd><code>/aggregate?drilldown=");
    put_escaped(out, drilled);
    if (asked.size > 0) vc_buffer_put_text(out, "&amp;measures=");
    put_escaped(out, asked);
    vc_buffer_put_text(out, "</code> as ");
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (i > 0) vc_buffer_put_text(out, ", ");
        begin_link(out, cube->name);
        vc_buffer_put_text(out, "/aggregate?drilldown=");
        put_query(out, drilled);
        if (asked.size > 0) vc_buffer_put_text(out, "&amp;measures=");
        put_query(out, asked);
        vc_buffer_printf(out, "&amp;format=%s\">%s</a>", formats[i][0], formats[i][1]);
    }
    vc_buffer_put_text(out, "</dd>\n");
    out->failed |= drilldown.failed || measures.failed;
    vc_buffer_release(&drilldown);
    vc_buffer_release(&measures);
}

/* Has every dimension of every source an All, so that nothing must be cut? */
static bool has_facts_of_all(const vc_cube *cube)
{
    bool has_all = true;
    for (size_t s = 0; s < cube->nsources; s++)
        for (size_t d = 0; d < cube->sources[s].cube->ndimensions; d++)
            has_all &= cube->sources[s].cube->is_aggregatable[d];
    return has_all;
}

static void put_more(vc_buffer *out, const vc_cube *cube)
{
    static const char *const pages[][2] = {{"", "the whole model"},
                                           {"/facts?limit=20", "facts"},
                                           {"/coverage", "coverage of its joins"},
                                           {"/unmatched", "unmatched keys"}};
    vc_buffer_put_text(out, "<dt>More</dt>\n<dd>");
    for (size_t i = 0; i < (cube->is_virtual ? 4 : 2); i++) {
        if (i == 1 && !has_facts_of_all(cube)) continue;
        if (i > 0) vc_buffer_put_text(out, ", ");
        begin_link(out, cube->name);
        vc_buffer_printf(out, "%s\">%s</a>", pages[i][0], pages[i][1]);
    }
    vc_buffer_put_text(out, "</dd>\n");
}

/* ---- the page ---- */

/* A cube that cannot be opened, because others changed under it, is shown with the reason. */
static void put_cube(vc_call *call, const vc_definition *definition, bool is_opened)
{
    const vc_cube *cube;
    vc_error error = {0};
    vc_buffer *out = &call->reply->body;
    vc_buffer_put_text(out, "<article>\n<h2>");
    put_escaped(out, definition->label.size > 0 ? definition->label : definition->name);
    vc_buffer_put_text(out, " <code>");
    put_escaped(out, definition->name);
    vc_buffer_put_text(out, "</code>");
    if (definition->kind == VC_DEFINITION_VIRTUAL) vc_buffer_put_text(out, " <span>virtual</span>");
    vc_buffer_put_text(out, "</h2>\n");
    if (definition->description.size > 0) {
        vc_buffer_put_text(out, "<p>");
        put_escaped(out, definition->description);
        vc_buffer_put_text(out, "</p>\n");
    }
    if (!is_opened) {
        vc_buffer_put_text(out, "<p>");
        begin_link(out, definition->name);
        vc_buffer_put_text(out, "\">the whole model</a></p>\n");
    } else if (vc_model_cube(call->model, definition->name, &cube, &error) != VC_OK) {
        vc_buffer_put_text(out, "<p>It cannot be asked: ");
        put_escaped(out, vc_str_of(error.message));
        vc_buffer_put_text(out, "</p>\n");
    } else {
        vc_buffer_put_text(out, "<dl>\n");
        if (cube->ndimensions > 0) put_dimensions(out, cube);
        put_measures(out, cube);
        put_facts(out, cube);
        if (cube->ndimensions > 0) put_question(out, cube);
        put_more(out, cube);
        vc_buffer_put_text(out, "</dl>\n");
    }
    vc_buffer_put_text(out, "</article>\n");
}

static void put_head(vc_call *call, size_t ncubes)
{
    static const char *const links[][2] = {{"/v1/cubes", "Cubes"},
                                           {"/v1/info", "Formats and limits"},
                                           {"/v1/snapshots", "Snapshots"},
                                           {"/v1/openapi.json", "The API as OpenAPI 3.1"},
                                           {"/metrics", "Metrics"}};
    vc_buffer *out = &call->reply->body;
    vc_buffer_put_text(out,
                       "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width\">\n"
                       "<title>vcube</title>\n"
                       "<link rel=\"stylesheet\" href=\"/ui/style.css\">\n</head>\n<body>\n"
                       "<header>\n<h1>vcube</h1>\n<p>Version ");
    put_escaped(out, vc_str_of(call->service->options.version));
    vc_buffer_printf(out, ", %zu cube%s, snapshot <code>%s</code></p>\n", ncubes,
                     ncubes == 1 ? "" : "s", call->reply->snapshot);
    vc_buffer_put_text(out, "<nav aria-label=\"The server\"><ul>\n");
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        vc_buffer_printf(out, "<li><a href=\"%s\">%s</a></li>\n", links[i][0], links[i][1]);
    vc_buffer_put_text(out, "</ul></nav>\n</header>\n<main>\n");
}

/* The virtual ones first, each kind in the order of names. */
static vc_status put_cubes(vc_call *call, const vc_object *objects, size_t nobjects,
                           vc_error *error)
{
    vc_status status = VC_OK;
    size_t nput = 0;
    for (int wants_virtual = 1; wants_virtual >= 0; wants_virtual--)
        for (size_t i = 0; i < nobjects && status == VC_OK; i++) {
            vc_definition *definition;
            status = vc_manifest_definition(&objects[i], call->arena, &definition, error);
            if (status != VC_OK) break;
            if ((definition->kind == VC_DEFINITION_VIRTUAL) == (wants_virtual == 1))
                put_cube(call, definition, nput++ < OPENED);
            vc_definition_release(definition);
        }
    return status;
}

vc_status vc_handle_index(vc_call *call, vc_error *error)
{
    static const char *const no_parameters[] = {NULL};
    vc_object *objects = NULL;
    size_t nobjects = 0;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status != VC_OK) return status;
    if (!vc_accepts(call->request->accept, "text", "html"))
        return vc_fail(error, VC_BAD_INPUT, "not_acceptable",
                       "this page is text/html; the programs' door is /v1/info");
    status = vc_call_open_model(call, (vc_str){0}, error);
    if (status != VC_OK || vc_call_is_known(call, VC_STR("index"))) return status;
    status = vc_model_list(call->model, call->arena, &objects, &nobjects, error);
    if (status != VC_OK) return status;
    put_head(call, nobjects);
    status = put_cubes(call, objects, nobjects, error);
    vc_buffer *out = &call->reply->body;
    if (nobjects == 0)
        vc_buffer_put_text(out, "<p>The store has no cubes yet. Load some: "
                                "<code>vcube load -d DIR DEFINITION...</code></p>\n");
    vc_buffer_put_text(out, "</main>\n<footer>\n<p><code>vcube --help</code> has the commands, and "
                            "<code>docs/api.md</code> what can be asked here.</p>\n</footer>\n"
                            "</body>\n</html>\n");
    call->reply->status = 200;
    call->reply->content_type = "text/html; charset=utf-8";
    return status;
}

/* ---- its styles ---- */

/* The file as it is, ended with NUL. Its path is relative to where the compiler is started. */
__asm__(".pushsection .rodata\n"
        ".global vc_index_styles\n"
        ".type vc_index_styles, %object\n"
        "vc_index_styles:\n"
        ".incbin \"http/index.css\"\n"
        ".byte 0\n"
        ".size vc_index_styles, . - vc_index_styles\n"
        ".popsection\n");

extern const char vc_index_styles[];

vc_status vc_handle_styles(vc_call *call, vc_error *error)
{
    static const char *const no_parameters[] = {NULL};
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status != VC_OK || vc_call_is_known(call, vc_str_of(vc_index_styles))) return status;
    vc_buffer_put_text(&call->reply->body, vc_index_styles);
    call->reply->status = 200;
    call->reply->content_type = "text/css; charset=utf-8";
    return VC_OK;
}
