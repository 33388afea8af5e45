/* A side of a case: put together as text, asked, and shown as a command. */
#include "query/laws_parts.h"

#include <string.h>

vc_law_query vc_law_begin(const char *what, const vc_cube *cube, const vc_law_variant *variant)
{
    bool is_variant = variant != NULL && variant->definition != NULL;
    return (vc_law_query){
        .side = {.what = vc_str_of(what),
                 .cube = is_variant ? variant->cube->name : cube->name,
                 .variant = is_variant ? variant->definition->text : (vc_str){0}}};
}

void vc_law_put(vc_laws *laws, vc_law_query *query, const char *field, const char *value)
{
    vc_parameter *parameter = VC_LIST_NEW(&query->parameters, &laws->work, vc_parameter);
    vc_str text = vc_arena_str(&laws->work, vc_str_of(value));
    if (parameter == NULL || text.data == NULL)
        query->measures.failed = true;
    else
        *parameter = (vc_parameter){.name = vc_str_of(field), .value = text};
}

void vc_law_cut_text(vc_laws *laws, vc_law_query *query, vc_str text)
{
    vc_law_put(laws, query, "cut", vc_arena_str(&laws->work, text).data);
}

void vc_law_cut(vc_laws *laws, vc_law_query *query, vc_str name, const vc_law_pick *pick)
{
    vc_buffer text = {0};
    if (pick->dimension == SIZE_MAX) return;
    if (pick->is_negated) vc_buffer_put_char(&text, '!');
    vc_law_put_name(&text, name);
    vc_buffer_put_str(&text, pick->text);
    vc_law_put(laws, query, "cut", vc_buffer_text(&text));
    vc_buffer_release(&text);
}

void vc_law_drill(vc_law_query *query, vc_str name, const vc_law_pick *pick)
{
    if (pick->dimension == SIZE_MAX) return;
    if (query->drilldown.size > 0) vc_buffer_put_char(&query->drilldown, '|');
    vc_law_put_name(&query->drilldown, name);
    vc_buffer_put_str(&query->drilldown, pick->text);
}

void vc_law_measure_add(vc_law_query *query, vc_str name)
{
    if (query->measures.size > 0) vc_buffer_put_char(&query->measures, ',');
    vc_law_put_name(&query->measures, name);
}

void vc_law_undefault(vc_laws *laws, vc_law_query *query, const vc_cube *cube)
{
    const vc_law_pick all = {.text = VC_STR(":()")};
    for (size_t d = 0; d < cube->ndimensions; d++)
        if (cube->dimensions[d].default_slots != NULL)
            vc_law_cut(laws, query, cube->dimensions[d].name, &all);
}

/* ---- asking ---- */

/* A failure that says something of the query, not of the machine. */
static bool is_refusal(vc_status status)
{
    return status == VC_NOT_FOUND || status == VC_BAD_INPUT || status == VC_IMPOSSIBLE ||
           status == VC_LIMIT || status == VC_OVERFLOW;
}

static void finish(vc_laws *laws, vc_law_query *query)
{
    if (query->drilldown.size > 0) {
        vc_law_put(laws, query, "drilldown", vc_buffer_text(&query->drilldown));
        vc_law_put(laws, query, "parents", "true");
    }
    if (query->measures.size > 0)
        vc_law_put(laws, query, "measures", vc_buffer_text(&query->measures));
    query->side.parameters = query->parameters.items;
    query->side.nparameters = query->parameters.count;
    bool has_failed = query->measures.failed || query->drilldown.failed;
    vc_buffer_release(&query->measures);
    vc_buffer_release(&query->drilldown);
    query->measures.failed = has_failed;
}

/* A query that should have been answered: what was asked goes with the failure. */
static vc_status fail_side(vc_laws *laws, const vc_law_query *query, vc_status status,
                           const vc_error *error)
{
    vc_buffer command = {0};
    vc_law_side_command(&query->side, "DIR", &command);
    vc_fail(laws->error, status, error->code, "%s (asked: %s)", error->message,
            vc_buffer_text(&command));
    vc_buffer_release(&command);
    return status;
}

vc_status vc_law_ask_of(vc_laws *laws, vc_model *model, const vc_engine_options *options,
                        vc_law_query *query)
{
    vc_query parsed;
    vc_error error = {0};
    if (query->side.parameters == NULL) finish(laws, query);
    if (query->measures.failed) return vc_no_memory(laws->error);
    vc_status status = vc_parameters_parse(query->side.parameters, query->side.nparameters,
                                           &laws->work, &parsed, &error);
    parsed.cube = query->side.cube;
    if (status == VC_OK)
        status = vc_engine_run(model, &parsed, options, &laws->work, &query->result, &error);
    if (status == VC_OK) return VC_OK;
    query->result = NULL;
    query->refusal = error.code;
    if (is_refusal(status)) return VC_OK;
    return fail_side(laws, query, status, &error);
}

vc_status vc_law_ask(vc_laws *laws, vc_law_query *query)
{
    return vc_law_ask_of(laws, laws->model, &laws->options->engine, query);
}

bool vc_law_all_answered(vc_laws *laws, vc_law_query *queries, size_t nqueries)
{
    size_t nanswered = 0;
    const char *refusal = NULL;
    for (size_t i = 0; i < nqueries; i++) {
        nanswered += queries[i].result != NULL;
        if (queries[i].result == NULL) refusal = queries[i].refusal;
    }
    if (nanswered < nqueries)
        vc_law_note_put(laws, nanswered == 0 ? "refused: %s" : "one side refused: %s", refusal);
    return nanswered == nqueries;
}

/* ---- as a command ---- */

/* Bytes that a shell takes as they are. */
static bool is_plain(vc_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        bool is_word = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z');
        if (!is_word && strchr("_,:./-+@%", byte) == NULL) return false;
    }
    return text.size > 0;
}

static void put_quoted(vc_buffer *out, vc_str text)
{
    if (is_plain(text)) {
        vc_buffer_put_str(out, text);
        return;
    }
    vc_buffer_put_char(out, '\'');
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\'')
            vc_buffer_put_text(out, "'\\''");
        else
            vc_buffer_put_char(out, text.data[i]);
    vc_buffer_put_char(out, '\'');
}

void vc_law_side_command(const vc_law_side *side, const char *directory, vc_buffer *out)
{
    vc_buffer_put_text(out, "vcube query -d ");
    put_quoted(out, vc_str_of(directory));
    vc_buffer_put_char(out, ' ');
    put_quoted(out, side->cube);
    for (size_t i = 0; i < side->nparameters; i++) {
        const vc_parameter *parameter = &side->parameters[i];
        vc_buffer_put_text(out, " --");
        for (size_t c = 0; c < parameter->name.size; c++)
            vc_buffer_put_char(out, parameter->name.data[c] == '_' ? '-' : parameter->name.data[c]);
        if (vc_str_is(parameter->name, "parents")) continue; /* a switch */
        vc_buffer_put_char(out, ' ');
        put_quoted(out, parameter->value);
    }
    if (side->is_single_threaded) vc_buffer_put_text(out, " --threads 1");
}
