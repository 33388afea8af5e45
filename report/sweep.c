#include "report/sweep.h"

#include "base/list.h"
#include "base/nearest.h"
#include "base/strmap.h"
#include "query/body.h"
#include "report/ask.h"
#include "report/try.h"

#include <string.h>

typedef struct sweeping {
    const vc_spec *spec;
    vc_model *model;
    const vc_engine_options *options;
    vc_arena *arena;
    vc_list items; /* vc_sweep_item */
    vc_strmap files;
    vc_variable *variables; /* [nparameters + nsweeps] of the item at hand */
    vc_error *error;
} sweeping;

static vc_status fail_at(vc_error *error, vc_status status, const char *pointer)
{
    return vc_error_at_place(error, status, (vc_place){.where = pointer, .is_pointer = true});
}

/* ---- parameters ---- */

static vc_status check_given(const vc_spec *spec, const vc_given_parameter *given, size_t ngiven,
                             vc_error *error)
{
    for (size_t i = 0; i < ngiven; i++) {
        vc_nearest nearest;
        bool is_known = false;
        vc_nearest_init(&nearest, given[i].name);
        for (size_t p = 0; p < spec->nparameters; p++) {
            is_known |= vc_str_equal(spec->parameters[p].name, given[i].name);
            vc_nearest_offer(&nearest, spec->parameters[p].name);
        }
        if (is_known) continue;
        vc_fail(error, VC_BAD_INPUT, "unknown_parameter", "the report has no parameter '%.*s'",
                VC_FMT(given[i].name));
        vc_nearest_report(&nearest, error);
        return VC_BAD_INPUT;
    }
    return VC_OK;
}

/* What was given goes before the default, and its label is that of the allowed value. */
static vc_status set_parameter(sweeping *in, const vc_spec_parameter *parameter, vc_str given,
                               vc_variable *out)
{
    vc_spec_value value = parameter->fallback;
    vc_nearest nearest;
    if (!vc_str_is_null(given)) value = (vc_spec_value){.key = given, .label = given};
    if (vc_str_is_null(value.key)) {
        vc_fail(in->error, VC_BAD_INPUT, "missing_parameter",
                "the report needs a value for '%.*s': --param %.*s=VALUE", VC_FMT(parameter->name),
                VC_FMT(parameter->name));
        return fail_at(in->error, VC_BAD_INPUT, parameter->pointer);
    }
    bool is_allowed = parameter->nvalues == 0;
    vc_nearest_init(&nearest, value.key);
    for (size_t i = 0; i < parameter->nvalues && !is_allowed; i++) {
        is_allowed = vc_str_equal(parameter->values[i].key, value.key);
        if (is_allowed) value = parameter->values[i];
        vc_nearest_offer(&nearest, parameter->values[i].key);
    }
    *out = (vc_variable){.name = parameter->name, .key = value.key, .label = value.label};
    if (is_allowed) return VC_OK;
    vc_fail(in->error, VC_BAD_INPUT, "bad_value", "'%.*s' is none of the values of '%.*s'",
            VC_FMT(value.key), VC_FMT(parameter->name));
    vc_nearest_report(&nearest, in->error);
    return fail_at(in->error, VC_BAD_INPUT, parameter->pointer);
}

/* ---- files ---- */

/* No part is empty or begins with a dot, or is longer than a file system takes. */
static vc_str clean_path(vc_arena *arena, vc_str path)
{
    enum { MAX_PART = 120 };
    vc_buffer out = {0};
    vc_str rest = path;
    while (!vc_str_is_null(rest)) {
        vc_str part = vc_str_split(&rest, '/');
        size_t size = part.size < MAX_PART ? part.size : MAX_PART;
        while (size < part.size && size > 0 && ((unsigned char)part.data[size] & 0xC0) == 0x80)
            size--;
        if (out.size > 0) vc_buffer_put_char(&out, '/');
        if (size == 0 || part.data[0] == '.') vc_buffer_put_char(&out, '_');
        vc_buffer_put(&out, part.data, size);
    }
    vc_str clean = out.failed ? (vc_str){0} : vc_arena_str(arena, vc_str_of(vc_buffer_text(&out)));
    vc_buffer_release(&out);
    return clean;
}

static vc_status put_item(sweeping *in)
{
    size_t nvariables = in->spec->nparameters + in->spec->nsweeps;
    vc_sweep_item *item = VC_LIST_NEW(&in->items, in->arena, vc_sweep_item);
    vc_variable *variables = VC_ARENA_NEW(in->arena, vc_variable, nvariables);
    vc_str file, folded;
    bool is_new;
    if (item == NULL || variables == NULL) return vc_no_memory(in->error);
    for (size_t i = 0; i < nvariables; i++)
        variables[i] = in->variables[i];
    item->variables = (vc_variables){.items = variables, .count = nvariables};
    vc_status status =
        vc_template_expand_file(in->spec->file.text, &item->variables, in->arena, &file, in->error);
    if (status != VC_OK) return fail_at(in->error, status, in->spec->file.pointer);
    item->file = clean_path(in->arena, file);
    if (vc_str_is_null(item->file)) return vc_no_memory(in->error);
    folded = vc_arena_str(in->arena, item->file);
    if (vc_str_is_null(folded)) return vc_no_memory(in->error);
    for (char *c = (char *)folded.data; *c != '\0'; c++) /* the copy is ours */
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
    if (vc_strmap_put(&in->files, folded, &is_new) == VC_STRMAP_NONE)
        return vc_no_memory(in->error);
    if (is_new) return VC_OK;
    vc_fail(in->error, VC_BAD_INPUT, "duplicate_name",
            "two documents would be the file '%.*s'; name in 'file' what tells them apart",
            VC_FMT(item->file));
    return fail_at(in->error, VC_BAD_INPUT, in->spec->file.pointer);
}

/* ---- levels of for_each ---- */

static vc_status sweep_level(sweeping *in, size_t level);

static vc_status put_variable(sweeping *in, size_t level, vc_variable variable)
{
    variable.name = in->spec->sweeps[level].as;
    in->variables[in->spec->nparameters + level] = variable;
    return sweep_level(in, level + 1);
}

/* Keys from the top down, as a cut has them. */
static vc_str path_of(vc_arena *arena, const vc_result_axis *axis, const vc_result_member *member)
{
    vc_buffer path = {0};
    for (size_t l = 0; l < axis->nlevels; l++) {
        vc_str key = member->keys[l];
        if (l > 0) vc_buffer_put_char(&path, ',');
        for (size_t i = 0; i < key.size; i++) {
            if (strchr("|:;,-!@/#.\\", key.data[i]) != NULL) vc_buffer_put_char(&path, '\\');
            vc_buffer_put_char(&path, key.data[i]);
        }
    }
    vc_str text = path.failed ? (vc_str){0} : vc_arena_str(arena, vc_str_of(vc_buffer_text(&path)));
    vc_buffer_release(&path);
    return text;
}

/* The query of the level: what is written, and the drilldown, with the levels above for paths. */
static vc_status members_query(sweeping *in, const vc_spec_sweep *sweep,
                               const vc_variables *variables, vc_query *query_out)
{
    vc_query drilled;
    json_t *body = json_pack("{s:s%, s:b}", "drilldown", sweep->members.data, sweep->members.size,
                             "parents", 1);
    if (body == NULL) return vc_no_memory(in->error);
    vc_status status =
        vc_body_read(body, sweep->pointer, VC_STR("-"), in->arena, &drilled, in->error);
    json_decref(body);
    if (status != VC_OK) return status;
    *query_out = vc_query_default();
    query_out->cube = in->spec->cube;
    if (sweep->query.body != NULL)
        TRY(vc_report_query(in->spec, &sweep->query, variables, in->arena, query_out, in->error));
    query_out->axes = drilled.axes;
    query_out->naxes = drilled.naxes;
    query_out->has_parents = true;
    if (!vc_str_is_null(query_out->cube) && query_out->naxes == 1) return VC_OK;
    vc_fail(in->error, VC_BAD_INPUT, "missing_field",
            query_out->naxes == 1 ? "the report has no 'cube' whose members these are"
                                  : "'members' is one dimension, as geo:country");
    return fail_at(in->error, VC_BAD_INPUT, sweep->pointer);
}

/* "geo.iso2" is the part iso2. */
static vc_status parts_of(sweeping *in, const vc_result_axis *axis, const vc_result_member *member,
                          vc_variable *out)
{
    vc_variable_part *parts = VC_ARENA_NEW(in->arena, vc_variable_part, axis->nproperties + 1);
    if (parts == NULL) return vc_no_memory(in->error);
    for (size_t p = 0; p < axis->nproperties; p++) {
        vc_str name = axis->properties[p].name, dimension = axis->dimension;
        if (vc_str_starts_with(name, dimension) && name.size > dimension.size + 1)
            name = (vc_str){.data = name.data + dimension.size + 1,
                            .size = name.size - dimension.size - 1};
        const vc_result_values *values = &member->properties[p];
        parts[p] = (vc_variable_part){.name = name,
                                      .value = values->count > 0 ? values->items[0] : VC_STR("")};
    }
    out->parts = parts;
    out->nparts = axis->nproperties;
    return VC_OK;
}

static vc_status sweep_members(sweeping *in, size_t level)
{
    const vc_spec_sweep *sweep = &in->spec->sweeps[level];
    vc_variables before = {.items = in->variables, .count = in->spec->nparameters + level};
    vc_query query;
    const vc_result *result;
    TRY(members_query(in, sweep, &before, &query));
    vc_status status = vc_engine_run(in->model, &query, in->options, in->arena, &result, in->error);
    if (status != VC_OK) {
        if (in->error != NULL && in->error->pointer[0] != '/')
            vc_error_prefix_pointer(in->error, "%s: ", sweep->pointer);
        return status;
    }
    const vc_result_axis *axis = result->axes;
    for (size_t row = 0; row < result->ndetail_rows && status == VC_OK; row++) {
        const vc_result_member *member = &axis->members[result->coords[row]];
        vc_str key = member->keys[axis->nlevels - 1], label = member->labels[axis->nlevels - 1];
        if (vc_str_is_null(key) || member->is_synthetic || member->is_calculated) continue;
        vc_str path = path_of(in->arena, axis, member);
        if (vc_str_is_null(path)) return vc_no_memory(in->error);
        vc_variable variable = {
            .key = key, .label = vc_str_is_null(label) ? key : label, .path = path};
        status = parts_of(in, axis, member, &variable);
        if (status == VC_OK) status = put_variable(in, level, variable);
    }
    return status;
}

static vc_status sweep_level(sweeping *in, size_t level)
{
    if (level == in->spec->nsweeps) return put_item(in);
    const vc_spec_sweep *sweep = &in->spec->sweeps[level];
    if (!vc_str_is_null(sweep->members)) return sweep_members(in, level);
    for (size_t i = 0; i < sweep->nvalues; i++)
        TRY(put_variable(
            in, level,
            (vc_variable){.key = sweep->values[i].key, .label = sweep->values[i].label}));
    return VC_OK;
}

vc_status vc_sweep_make(const vc_spec *spec, const vc_given_parameter *given, size_t ngiven,
                        vc_model *model, const vc_engine_options *options, vc_arena *arena,
                        vc_sweep *sweep_out, vc_error *error)
{
    sweeping in = {.spec = spec,
                   .model = model,
                   .options = options,
                   .arena = arena,
                   .variables =
                       VC_ARENA_NEW(arena, vc_variable, spec->nparameters + spec->nsweeps + 1),
                   .error = error};
    if (in.variables == NULL) return vc_no_memory(error);
    vc_status status = check_given(spec, given, ngiven, error);
    for (size_t p = 0; p < spec->nparameters && status == VC_OK; p++) {
        vc_str value = {0};
        for (size_t i = 0; i < ngiven; i++)
            if (vc_str_equal(given[i].name, spec->parameters[p].name)) value = given[i].value;
        status = set_parameter(&in, &spec->parameters[p], value, &in.variables[p]);
    }
    if (status == VC_OK) status = sweep_level(&in, 0);
    vc_strmap_release(&in.files);
    *sweep_out = (vc_sweep){.items = in.items.items, .nitems = in.items.count};
    return status;
}
