/* Sections of a specification. */
#include "base/strmap.h"
#include "report/spec_parts.h"

#include <string.h>

static const char *const kinds[] = {"text", "figures", "pivot", "chart", NULL};
static const vc_section_kind kind_of[] = {VC_SECTION_TEXT, VC_SECTION_FIGURES, VC_SECTION_PIVOT,
                                          VC_SECTION_CHART};
static const char *const charts[] = {"line", "bar", "stacked", "scatter", "heat", "map", NULL};
static const vc_chart_kind chart_of[] = {VC_CHART_LINE,    VC_CHART_BAR,  VC_CHART_STACKED,
                                         VC_CHART_SCATTER, VC_CHART_HEAT, VC_CHART_MAP};

#define COMMON "kind", "id", "title", "text", "query", "assert"
#define SHOWN  "formats", "colours", "labels"
static const char *const known_of[][24] = {
    {COMMON, NULL},
    {COMMON, "figures", "against", "against_label", NULL},
    {COMMON, SHOWN, "rows", "columns", "totals", NULL},
    {COMMON, SHOWN, "chart", "x", "series", "panels", "horizontal", "logarithmic", "x_title",
     "y_title", "alternative", NULL},
};

/* A field that must be one of some names. */
static vc_status read_choice(vc_spec_reading *in, vc_body_node object, const char *key,
                             const char *const *names, const char *expected, size_t *number_out)
{
    vc_body_node field;
    TRY(vc_body_node_field(object, key, in->arena, &field, in->error));
    if (field.json == NULL) return vc_body_node_fail_missing(object, key, in->error);
    vc_str name = vc_json_str(field.json);
    if (vc_str_is_null(name)) return vc_body_node_fail_type(field, expected, in->error);
    for (size_t i = 0; names[i] != NULL; i++)
        if (vc_str_is(name, names[i])) {
            *number_out = i;
            return VC_OK;
        }
    return vc_spec_fail(in, field, name, names, expected);
}

/* ---- pivots ---- */

static vc_status read_totals(vc_spec_reading *in, vc_body_node node, vc_spec_section *out)
{
    static const char *const names[] = {"rows", "columns", NULL};
    vc_body_node field;
    TRY(vc_body_node_field(node, "totals", in->arena, &field, in->error));
    if (field.json == NULL) return VC_OK;
    vc_str name = vc_json_str(field.json);
    if (json_is_boolean(field.json)) {
        out->has_row_totals = out->has_column_totals = json_is_true(field.json);
        return VC_OK;
    }
    if (json_is_array(field.json)) {
        bool is_unused = false;
        return vc_spec_read_names(in, node, "totals", &out->totals, &out->ntotals, &is_unused);
    }
    if (vc_str_is_null(name))
        return vc_body_node_fail_type(
            field, "true, false, 'rows', 'columns' or a list of dimensions", in->error);
    out->has_row_totals = vc_str_is(name, "rows");
    out->has_column_totals = vc_str_is(name, "columns");
    if (out->has_row_totals || out->has_column_totals) return VC_OK;
    return vc_spec_fail(in, field, name, names, "'rows' or 'columns'");
}

/* "measures" is the place of the measures, and no dimension. */
static vc_status take_measures(vc_spec_reading *in, vc_body_node node, const char *key,
                               const vc_str *names, size_t *count, bool *has_out)
{
    for (size_t i = 0; i < *count; i++) {
        if (!vc_str_is(names[i], "measures")) continue;
        vc_body_node field;
        TRY(vc_body_node_field(node, key, in->arena, &field, in->error));
        if (i + 1 < *count)
            return vc_spec_fail(in, field, names[i], NULL, "'measures' as the last of the list");
        *has_out = true;
        *count = i;
    }
    return VC_OK;
}

static vc_status read_pivot(vc_spec_reading *in, vc_body_node node, vc_spec_section *out)
{
    bool is_in_columns = false;
    TRY(vc_spec_read_names(in, node, "rows", &out->rows, &out->nrows, &out->has_axes));
    TRY(vc_spec_read_names(in, node, "columns", &out->columns, &out->ncolumns, &out->has_axes));
    TRY(take_measures(in, node, "rows", out->rows, &out->nrows, &out->stacks_measures));
    TRY(take_measures(in, node, "columns", out->columns, &out->ncolumns, &is_in_columns));
    if (is_in_columns && out->stacks_measures)
        return vc_spec_fail(in, node, VC_STR("measures"), NULL,
                            "'measures' in the rows or in the columns");
    TRY(read_totals(in, node, out));
    return vc_spec_read_measures(in, node, out);
}

/* ---- charts ---- */

static vc_status read_chart(vc_spec_reading *in, vc_body_node node, vc_spec_section *out)
{
    size_t kind;
    bool has_x = false, has_series = false, is_unused = false;
    const vc_str *series;
    size_t nseries;
    TRY(read_choice(in, node, "chart", charts, "line, bar, stacked, scatter, heat or map", &kind));
    out->chart.kind = chart_of[kind];
    TRY(vc_spec_read_names(in, node, "x", &out->rows, &out->nrows, &has_x));
    TRY(vc_spec_read_names(in, node, "series", &series, &nseries, &has_series));
    TRY(take_measures(in, node, "series", series, &nseries, &is_unused));
    TRY(vc_spec_read_str(in, node, "panels", "a dimension", &out->panels));
    TRY(vc_spec_read_bool(in, node, "horizontal", &out->chart.is_horizontal));
    TRY(vc_spec_read_bool(in, node, "logarithmic", &out->chart.is_logarithmic));
    TRY(vc_spec_read_template(in, node, "x_title", &out->x_title));
    TRY(vc_spec_read_template(in, node, "y_title", &out->y_title));
    TRY(vc_spec_read_template(in, node, "alternative", &out->alternative));
    out->chart.has_panels = !vc_str_is_null(out->panels);
    out->has_axes = has_x || has_series || out->chart.has_panels;
    vc_str *columns = VC_ARENA_NEW(in->arena, vc_str, nseries + 1);
    if (columns == NULL) return vc_no_memory(in->error);
    if (out->chart.has_panels) columns[out->ncolumns++] = out->panels;
    for (size_t i = 0; i < nseries; i++)
        if (!vc_str_equal(series[i], out->panels)) columns[out->ncolumns++] = series[i];
    out->columns = columns;
    return vc_spec_read_measures(in, node, out);
}

/* ---- figures ---- */

static vc_status read_figure(vc_spec_reading *in, vc_body_node node, vc_body_node section_node,
                             const vc_spec_section *section, vc_spec_figure *out)
{
    static const char *const known[] = {"label",   "query",         "value", "format", "unit",
                                        "against", "against_label", "good",  NULL};
    static const char *const judgements[] = {"up", "down", NULL};
    vc_str good = {0};
    if (!json_is_object(node.json)) return vc_body_node_fail_type(node, "an object", in->error);
    TRY(vc_body_node_check_keys(node, known, in->error));
    TRY(vc_spec_read_template(in, node, "label", &out->label));
    TRY(vc_spec_read_query(in, node, "query", &out->query));
    TRY(vc_spec_read_str(in, node, "value", "a measure", &out->measure));
    TRY(vc_spec_read_str(in, node, "format", "a number format", &out->pattern));
    TRY(vc_spec_read_str(in, node, "unit", "a text", &out->unit));
    TRY(vc_spec_read_query(in, section_node, "against", &out->against));
    TRY(vc_spec_read_template(in, section_node, "against_label", &out->against_label));
    TRY(vc_spec_read_query(in, node, "against", &out->against));
    TRY(vc_spec_read_template(in, node, "against_label", &out->against_label));
    TRY(vc_spec_read_str(in, node, "good", "up or down", &good));
    if (vc_str_is_null(out->measure)) return vc_body_node_fail_missing(node, "value", in->error);
    if (out->query.body == NULL) out->query = section->query;
    if (out->query.body == NULL) return vc_body_node_fail_missing(node, "query", in->error);
    out->good = vc_str_is(good, "up") ? 1 : vc_str_is(good, "down") ? -1 : 0;
    if (out->good == 0 && !vc_str_is_null(good))
        return vc_spec_fail_field(in, node, "good", good, judgements, "'up' or 'down'");
    vc_number_format unused;
    if (!vc_str_is_null(out->pattern) && !vc_number_format_parse(out->pattern, &unused))
        return vc_spec_fail_field(in, node, "format", out->pattern, NULL,
                                  "a number format as '#,##0' or '0.0%'");
    return VC_OK;
}

static vc_status read_figures(vc_spec_reading *in, vc_body_node node, vc_spec_section *out)
{
    vc_body_node list, item;
    TRY(vc_spec_read_array(in, node, "figures", &list));
    out->nfigures = json_array_size(list.json);
    if (out->nfigures == 0) return vc_body_node_fail_missing(node, "figures", in->error);
    vc_spec_figure *figures = VC_ARENA_NEW(in->arena, vc_spec_figure, out->nfigures);
    if (figures == NULL) return vc_no_memory(in->error);
    for (size_t i = 0; i < out->nfigures; i++) {
        TRY(vc_body_node_element(list, i, in->arena, &item, in->error));
        TRY(read_figure(in, item, node, out, &figures[i]));
    }
    out->figures = figures;
    return VC_OK;
}

/* ---- a section ---- */

/* Of "Population, 2020" it is "population-2020"; of what has no such letters it is the number. */
static vc_status make_id(vc_spec_reading *in, size_t number, vc_spec_section *out)
{
    enum { MAX_ID = 40 };
    char text[MAX_ID];
    size_t size = 0;
    vc_str title = out->title.text;
    for (size_t i = 0; i < title.size && size + 1 < MAX_ID; i++) {
        char c = title.data[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            text[size++] = c;
        else if (size > 0 && text[size - 1] != '-')
            text[size++] = '-';
    }
    while (size > 0 && text[size - 1] == '-')
        size--;
    bool is_plain = size > 0 && !vc_str_contains(title, VC_STR("{{"));
    out->id = is_plain ? vc_arena_str(in->arena, (vc_str){.data = text, .size = size})
                       : vc_arena_printf(in->arena, "section-%zu", number + 1);
    return vc_str_is_null(out->id) ? vc_no_memory(in->error) : VC_OK;
}

static vc_status read_section(vc_spec_reading *in, vc_body_node node, size_t number,
                              vc_spec_section *out)
{
    size_t kind;
    if (!json_is_object(node.json)) return vc_body_node_fail_type(node, "an object", in->error);
    out->pointer = node.pointer;
    TRY(read_choice(in, node, "kind", kinds, "text, figures, pivot or chart", &kind));
    out->kind = kind_of[kind];
    TRY(vc_body_node_check_keys(node, known_of[kind], in->error));
    TRY(vc_spec_read_str(in, node, "id", "an id", &out->id));
    TRY(vc_spec_read_template(in, node, "title", &out->title));
    TRY(vc_spec_read_templates(in, node, "text", &out->paragraphs, &out->nparagraphs));
    TRY(vc_spec_read_query(in, node, "query", &out->query));
    TRY(vc_spec_read_templates(in, node, "assert", &out->assertions, &out->nassertions));
    if (!vc_str_is_null(out->id) && !vc_spec_is_id(out->id))
        return vc_spec_fail_field(in, node, "id", out->id, NULL, "an id of a-z, 0-9, _ and -");
    if (vc_str_is_null(out->id)) TRY(make_id(in, number, out));
    bool needs_query = out->kind == VC_SECTION_PIVOT || out->kind == VC_SECTION_CHART;
    if (needs_query && out->query.body == NULL)
        return vc_body_node_fail_missing(node, "query", in->error);
    switch (out->kind) {
    case VC_SECTION_FIGURES: return read_figures(in, node, out);
    case VC_SECTION_PIVOT: return read_pivot(in, node, out);
    case VC_SECTION_CHART: return read_chart(in, node, out);
    default: break;
    }
    if (out->nparagraphs == 0) return vc_body_node_fail_missing(node, "text", in->error);
    return VC_OK;
}

/* Ids that were made are made different; stated ones have to be. */
static vc_status put_id(vc_spec_reading *in, vc_strmap *ids, vc_body_node node,
                        vc_spec_section *section)
{
    bool is_new, is_stated = json_object_get(node.json, "id") != NULL;
    vc_str id = section->id;
    for (unsigned i = 2;; i++) {
        if (vc_strmap_put(ids, id, &is_new) == VC_STRMAP_NONE) return vc_no_memory(in->error);
        if (is_new) break;
        if (is_stated) {
            vc_fail(in->error, VC_BAD_INPUT, "duplicate_name", "another section has the id '%.*s'",
                    VC_FMT(id));
            return vc_error_at_place(in->error, VC_BAD_INPUT, vc_body_node_place(node));
        }
        id = vc_arena_printf(in->arena, "%.*s-%u", VC_FMT(section->id), i);
        if (vc_str_is_null(id)) return vc_no_memory(in->error);
    }
    section->id = id;
    return VC_OK;
}

vc_status vc_spec_read_sections(vc_spec_reading *in, vc_body_node root)
{
    vc_body_node list, node;
    vc_strmap ids = {0};
    TRY(vc_spec_read_array(in, root, "sections", &list));
    size_t count = json_array_size(list.json);
    if (count == 0) return vc_body_node_fail_missing(root, "sections", in->error);
    vc_spec_section *sections = VC_ARENA_NEW(in->arena, vc_spec_section, count);
    if (sections == NULL) return vc_no_memory(in->error);
    vc_status status = VC_OK;
    for (size_t i = 0; i < count && status == VC_OK; i++) {
        status = vc_body_node_element(list, i, in->arena, &node, in->error);
        if (status == VC_OK) status = read_section(in, node, i, &sections[i]);
        if (status == VC_OK) status = put_id(in, &ids, node, &sections[i]);
    }
    vc_strmap_release(&ids);
    in->spec->sections = sections;
    in->spec->nsections = count;
    return status;
}
