#include "report/spec.h"

#include "base/nearest.h"
#include "report/spec_parts.h"
#include "report/variables.h"

#include <string.h>

/* ---- formats ---- */

static const struct {
    const char *name, *extension;
} formats[VC_REPORT_FORMATS] = {
    [VC_REPORT_HTML] = {"html", "html"}, [VC_REPORT_PDF] = {"pdf", "pdf"},
    [VC_REPORT_XLSX] = {"xlsx", "xlsx"}, [VC_REPORT_MARKDOWN] = {"markdown", "md"},
    [VC_REPORT_CSV] = {"csv", "csv"},    [VC_REPORT_JSONSTAT] = {"jsonstat", "json"},
};

const char *vc_report_format_name(vc_report_format format)
{
    return formats[format].name;
}

const char *vc_report_format_extension(vc_report_format format)
{
    return formats[format].extension;
}

bool vc_report_format_find(vc_str name, vc_report_format *format_out)
{
    for (size_t i = 0; i < VC_REPORT_FORMATS; i++)
        if (vc_str_is(name, formats[i].name)) {
            *format_out = (vc_report_format)i;
            return true;
        }
    return false;
}

static vc_status read_formats(vc_spec_reading *in, vc_body_node root)
{
    static const char *const names[] = {"html", "pdf", "xlsx", "markdown", "csv", "jsonstat", NULL};
    vc_body_node list, item;
    TRY(vc_spec_read_array(in, root, "formats", &list));
    if (list.json == NULL) in->spec->formats[VC_REPORT_HTML] = true;
    for (size_t i = 0; i < json_array_size(list.json); i++) {
        vc_report_format format;
        TRY(vc_body_node_element(list, i, in->arena, &item, in->error));
        vc_str name = vc_json_str(item.json);
        if (vc_str_is_null(name)) return vc_body_node_fail_type(item, "a format", in->error);
        if (!vc_report_format_find(name, &format))
            return vc_spec_fail(in, item, name, names,
                                "html, pdf, xlsx, markdown, csv or jsonstat");
        in->spec->formats[format] = true;
    }
    return VC_OK;
}

/* ---- parameters ---- */

static vc_status read_values(vc_spec_reading *in, vc_body_node object, const vc_spec_value **out,
                             size_t *count_out)
{
    vc_body_node list, item;
    TRY(vc_spec_read_array(in, object, "values", &list));
    size_t count = json_array_size(list.json);
    vc_spec_value *values = VC_ARENA_NEW(in->arena, vc_spec_value, count);
    if (values == NULL) return vc_no_memory(in->error);
    for (size_t i = 0; i < count; i++) {
        TRY(vc_body_node_element(list, i, in->arena, &item, in->error));
        TRY(vc_spec_read_value(in, item, &values[i]));
    }
    *out = values;
    *count_out = count;
    return VC_OK;
}

static vc_status read_parameter(vc_spec_reading *in, vc_body_node node, vc_spec_parameter *out)
{
    static const char *const known[] = {"default", "label", "values", NULL};
    vc_body_node fallback;
    out->pointer = node.pointer;
    out->label = out->name;
    if (!json_is_object(node.json)) return vc_spec_read_value(in, node, &out->fallback);
    TRY(vc_body_node_check_keys(node, known, in->error));
    TRY(vc_spec_read_str(in, node, "label", "a text", &out->label));
    TRY(read_values(in, node, &out->values, &out->nvalues));
    TRY(vc_body_node_field(node, "default", in->arena, &fallback, in->error));
    return fallback.json == NULL ? VC_OK : vc_spec_read_value(in, fallback, &out->fallback);
}

static vc_status read_parameters(vc_spec_reading *in, vc_body_node root)
{
    vc_body_node object;
    const char *name;
    json_t *value;
    size_t i = 0;
    TRY(vc_spec_read_object(in, root, "parameters", &object));
    size_t count = json_object_size(object.json);
    vc_spec_parameter *parameters = VC_ARENA_NEW(in->arena, vc_spec_parameter, count);
    if (parameters == NULL) return vc_no_memory(in->error);
    json_object_foreach((json_t *)object.json, name, value)
    {
        vc_str pointer = vc_arena_printf(in->arena, "%s/%s", object.pointer, name);
        parameters[i].name = vc_arena_str(in->arena, vc_str_of(name));
        if (vc_str_is_null(pointer) || vc_str_is_null(parameters[i].name))
            return vc_no_memory(in->error);
        vc_body_node node = {.json = value, .pointer = pointer.data};
        if (!vc_spec_is_id(parameters[i].name))
            return vc_spec_fail(in, node, parameters[i].name, NULL, "a name of a-z, 0-9, _ and -");
        TRY(read_parameter(in, node, &parameters[i++]));
    }
    in->spec->parameters = parameters;
    in->spec->nparameters = count;
    return VC_OK;
}

/* ---- for_each ---- */

static vc_status read_sweep(vc_spec_reading *in, vc_body_node node, vc_spec_sweep *out)
{
    static const char *const known[] = {"as", "members", "query", "values", NULL};
    if (!json_is_object(node.json)) return vc_body_node_fail_type(node, "an object", in->error);
    TRY(vc_body_node_check_keys(node, known, in->error));
    out->pointer = node.pointer;
    TRY(vc_spec_read_str(in, node, "as", "a name", &out->as));
    TRY(vc_spec_read_str(in, node, "members", "a dimension and level as geo:country",
                         &out->members));
    TRY(vc_spec_read_query(in, node, "query", &out->query));
    TRY(read_values(in, node, &out->values, &out->nvalues));
    if (vc_str_is_null(out->as)) return vc_body_node_fail_missing(node, "as", in->error);
    if (!vc_spec_is_id(out->as))
        return vc_spec_fail_field(in, node, "as", out->as, NULL, "a name of a-z, 0-9, _ and -");
    if (vc_str_is_null(out->members) && out->nvalues == 0)
        return vc_body_node_fail_missing(node, "members", in->error);
    if (!vc_str_is_null(out->members) && out->nvalues > 0)
        return vc_spec_fail_field(in, node, "members", out->members, NULL,
                                  "'members' or 'values', not both");
    return VC_OK;
}

static vc_status read_sweeps(vc_spec_reading *in, vc_body_node root)
{
    vc_body_node list, node;
    TRY(vc_body_node_field(root, "for_each", in->arena, &list, in->error));
    bool is_one = json_is_object(list.json);
    if (list.json != NULL && !is_one && !json_is_array(list.json))
        return vc_body_node_fail_type(list, "an object, or a list of them", in->error);
    size_t count = is_one ? 1 : json_array_size(list.json);
    vc_spec_sweep *sweeps = VC_ARENA_NEW(in->arena, vc_spec_sweep, count);
    if (sweeps == NULL) return vc_no_memory(in->error);
    for (size_t i = 0; i < count; i++) {
        node = list;
        if (!is_one) TRY(vc_body_node_element(list, i, in->arena, &node, in->error));
        TRY(read_sweep(in, node, &sweeps[i]));
    }
    in->spec->sweeps = sweeps;
    in->spec->nsweeps = count;
    return VC_OK;
}

/* ---- names of variables ---- */

static vc_str variable_name(const vc_spec *spec, size_t number)
{
    if (number < spec->nparameters) return spec->parameters[number].name;
    number -= spec->nparameters;
    return number < spec->nsweeps ? spec->sweeps[number].as : (vc_str){0};
}

static vc_status check_names(vc_spec_reading *in, vc_body_node root)
{
    for (size_t i = 0; !vc_str_is_null(variable_name(in->spec, i)); i++)
        for (size_t j = 0; j < i; j++) {
            vc_str name = variable_name(in->spec, i);
            if (!vc_str_equal(name, variable_name(in->spec, j))) continue;
            vc_fail(in->error, VC_BAD_INPUT, "duplicate_name", "there are two variables '%.*s'",
                    VC_FMT(name));
            return vc_error_at_place(in->error, VC_BAD_INPUT, vc_body_node_place(root));
        }
    return VC_OK;
}

/* The file of a document is of variables only: numbers change, and files would move. */
static vc_status check_file_name(void *context, vc_str name, vc_error *error)
{
    const vc_spec *spec = context;
    vc_nearest nearest;
    vc_str rest = name, base = vc_str_split(&rest, '.');
    vc_nearest_init(&nearest, base);
    for (size_t i = 0; !vc_str_is_null(variable_name(spec, i)); i++) {
        if (vc_str_equal(variable_name(spec, i), base)) return VC_OK;
        vc_nearest_offer(&nearest, variable_name(spec, i));
    }
    vc_fail(error, VC_BAD_INPUT, "unknown_variable", "there is no variable '%.*s'", VC_FMT(base));
    vc_nearest_report(&nearest, error);
    return VC_BAD_INPUT;
}

static vc_status check_file(vc_spec_reading *in)
{
    vc_spec *spec = in->spec;
    if (vc_str_is_null(spec->file.text)) {
        /* Its name, and what it is swept over. */
        vc_buffer text = {0};
        if (spec->nsweeps == 0) vc_buffer_put_str(&text, spec->name);
        for (size_t i = 0; i < spec->nsweeps; i++)
            vc_buffer_printf(&text, "%s{{%.*s.key}}", i > 0 ? "-" : "", VC_FMT(spec->sweeps[i].as));
        spec->file = (vc_spec_text){
            .text = vc_arena_str(in->arena, vc_str_of(vc_buffer_text(&text))), .pointer = ""};
        bool has_failed = text.failed || vc_str_is_null(spec->file.text);
        vc_buffer_release(&text);
        return has_failed ? vc_no_memory(in->error) : VC_OK;
    }
    vc_status status = vc_template_names(spec->file.text, check_file_name, spec, in->error);
    return status == VC_OK
               ? VC_OK
               : vc_error_at_place(in->error, status,
                                   (vc_place){.where = spec->file.pointer, .is_pointer = true});
}

/* ---- the whole ---- */

static vc_status read_head(vc_spec_reading *in, vc_body_node root)
{
    static const char *const kinds[] = {"report", NULL};
    vc_spec *spec = in->spec;
    vc_str kind = {0};
    TRY(vc_spec_read_str(in, root, "kind", "'report'", &kind));
    if (vc_str_is_null(kind)) return vc_body_node_fail_missing(root, "kind", in->error);
    if (!vc_str_is(kind, "report"))
        return vc_spec_fail_field(in, root, "kind", kind, kinds, "'report'");
    TRY(vc_spec_read_str(in, root, "name", "a name", &spec->name));
    if (vc_str_is_null(spec->name)) return vc_body_node_fail_missing(root, "name", in->error);
    if (!vc_spec_is_id(spec->name))
        return vc_spec_fail_field(in, root, "name", spec->name, NULL,
                                  "a name of a-z, 0-9, _ and -");
    TRY(vc_spec_read_template(in, root, "title", &spec->title));
    if (vc_str_is_null(spec->title.text))
        return vc_body_node_fail_missing(root, "title", in->error);
    TRY(vc_spec_read_template(in, root, "subtitle", &spec->subtitle));
    TRY(vc_spec_read_template(in, root, "description", &spec->description));
    TRY(vc_spec_read_str(in, root, "language", "a language as 'en'", &spec->language));
    return vc_spec_read_str(in, root, "cube", "the name of a cube", &spec->cube);
}

static vc_status read_spec(vc_spec_reading *in, const json_t *json)
{
    static const char *const known[] = {
        "$schema", "kind",         "name",       "title",    "subtitle", "description", "language",
        "cube",    "query",        "parameters", "for_each", "file",     "formats",     "sections",
        "assert",  "min_coverage", "notes",      "snapshot", NULL};
    vc_body_node root = {.json = json, .pointer = ""};
    vc_spec *spec = in->spec;
    bool has_coverage = false;
    if (!json_is_object(json)) return vc_body_node_fail_type(root, "an object", in->error);
    TRY(vc_body_node_check_keys(root, known, in->error));
    TRY(read_head(in, root));
    TRY(vc_spec_read_query(in, root, "query", &spec->query));
    TRY(vc_spec_read_template(in, root, "file", &spec->file));
    TRY(read_formats(in, root));
    TRY(read_parameters(in, root));
    TRY(read_sweeps(in, root));
    TRY(check_names(in, root));
    TRY(check_file(in));
    TRY(vc_spec_read_templates(in, root, "assert", &spec->assertions, &spec->nassertions));
    TRY(vc_spec_read_number(in, root, "min_coverage", &has_coverage, &spec->min_coverage));
    if (spec->min_coverage < 0 || spec->min_coverage > 1)
        return vc_spec_fail_field(
            in, root, "min_coverage",
            vc_json_scalar_text(in->arena, json_object_get(json, "min_coverage")), NULL,
            "a share between 0 and 1");
    TRY(vc_spec_read_bool(in, root, "notes", &spec->has_notes));
    TRY(vc_spec_read_bool(in, root, "snapshot", &spec->shows_snapshot));
    return vc_spec_read_sections(in, root);
}

vc_status vc_spec_read(vc_str text, const char *file, vc_arena *arena, json_t **json_out,
                       vc_spec *spec_out, vc_error *error)
{
    vc_error ours = {0};
    if (error == NULL) error = &ours;
    *spec_out = (vc_spec){.text = text, .language = VC_STR("en"), .has_notes = true};
    vc_spec_reading in = {.arena = arena, .spec = spec_out, .error = error};
    vc_status status = vc_json_parse(text, file, 0, json_out, error);
    if (status != VC_OK) return status;
    status = read_spec(&in, *json_out);
    if (status == VC_OK) return VC_OK;
    if (status == VC_BAD_INPUT) {
        unsigned line, column;
        vc_json_locate(text, error->pointer, &line, &column);
        vc_error_at_file(error, file, line, column);
    }
    json_decref(*json_out);
    *json_out = NULL;
    return status;
}
