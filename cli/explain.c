/* explain: how a query would be answered, or with --analyze was. */
#include "render/explain.h"
#include "cli/asking.h"
#include "query/canonical.h"

#include <errno.h>
#include <string.h>

/* "table" is for people, "json" for programs. A format in a body is that of the answer which is
 * explained, so it is only looked up. */
static vc_status choose_form(const vc_arguments *arguments, const vc_query *query, bool *is_json,
                             vc_error *error)
{
    vc_render_format format;
    const char *form = vc_arguments_get(arguments, "format");
    *is_json = form != NULL && strcmp(form, "json") == 0;
    if (form == NULL)
        return vc_str_is_null(query->format) ? VC_OK
                                             : vc_format_find(query->format, &format, error);
    if (*is_json || strcmp(form, "table") == 0) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "unknown_format",
                   "unknown format '%s' of an explanation; expected table or json", form);
}

/* The explanation alone, or with all that making the answer told. */
static vc_status explain(vc_asking *in, vc_query *query, bool is_executed,
                         const vc_explain **explain_out, vc_error *error)
{
    const vc_result *result;
    if (!is_executed)
        return vc_engine_explain(in->model, query, &in->options, &in->arena, explain_out, error);
    query->wants_explain = true;
    vc_status status = vc_engine_run(in->model, query, &in->options, &in->arena, &result, error);
    if (status == VC_OK) *explain_out = result->explain;
    return status;
}

static vc_status print(const vc_explain_head *head, const vc_explain *explain, bool is_json,
                       vc_error *error)
{
    vc_buffer out = {0};
    vc_status status = VC_OK;
    if (is_json)
        vc_explain_put_document(&out, head, explain);
    else
        vc_explain_put_text(&out, head, explain, vc_cli_has_colour(stdout));
    if (out.failed)
        status = vc_no_memory(error);
    else if (fwrite(out.data, 1, out.size, stdout) != out.size)
        status = vc_fail(error, VC_STORAGE, "output", "standard output: %s", strerror(errno));
    vc_buffer_release(&out);
    return status;
}

static int run_explain(const vc_arguments *arguments)
{
    vc_asking in = {0};
    vc_error error = {0};
    vc_query query;
    vc_explain_head head;
    const vc_explain *explanation;
    bool is_json, is_executed = vc_arguments_get(arguments, "analyze") != NULL;
    vc_status status = vc_asking_parse(arguments, &in.arena, &query, &error);
    if (status == VC_OK) status = choose_form(arguments, &query, &is_json, &error);
    if (status == VC_OK) status = vc_asking_open(arguments, query.at, &in, &error);
    if (status == VC_OK) status = vc_explain_head_make(in.model, &query, &in.arena, &head, &error);
    if (status == VC_OK) status = explain(&in, &query, is_executed, &explanation, &error);
    if (status == VC_OK) status = print(&head, explanation, is_json, &error);
    vc_asking_close(&in);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option explain_options[] = {
    {"analyze", 0, NULL, "execute the query, and say what it took"},
    {"format", 0, "table|json", "table for people (default), json for programs"},
    VC_OPTION_END};

const vc_command vc_command_explain = {
    .name = "explain",
    .operands = "CUBE",
    .summary = "how a query would be answered",
    .help =
        "Takes what query takes and reads no fact: which sources are scanned, what each cut and\n"
        "drilldown becomes on them through which join, how many segments the zone maps\n"
        "leave, the memory that is needed at most. docs/explain.md says how to read it.\n\n"
        "Examples:\n"
        "  vcube explain -d data world --drilldown geo:region --cut date:2020 --measures pop,cpop\n"
        "  vcube explain -d data world --drilldown geo:country --analyze\n"
        "  vcube explain -d data world --drilldown geo:country --format json",
    .options = explain_options,
    .shared = vc_query_options,
    .min_operands = 0,
    .max_operands = 1,
    .run = run_explain,
};
