#include "cli/check_report.h"
#include "cli/asking.h"

#include "cli/reporting.h"

#include <string.h>
#include <sys/stat.h>

/* What cannot be read or is no JSON is for who reads definitions to tell. */
static bool is_specification(const char *path)
{
    vc_arena arena = {0};
    struct stat info;
    vc_str text;
    json_t *json = NULL;
    bool is_one = stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
                  vc_cli_read_file(path, &arena, &text, NULL) == VC_OK &&
                  vc_json_parse(text, NULL, 0, &json, NULL) == VC_OK &&
                  vc_str_is(vc_json_str(json_object_get(json, "kind")), "report");
    json_decref(json);
    vc_arena_release(&arena);
    return is_one;
}

/* Compose documents; nothing is written. *nproblems_out: in all of them */
static vc_status compose(vc_reporting *in, size_t ndocuments, size_t *nproblems_out,
                         vc_error *error)
{
    vc_status status = VC_OK;
    vc_engine_options options = in->plan.options;
    options.pool = in->pool;
    for (size_t i = 0; i < ndocuments && status == VC_OK; i++) {
        vc_arena arena = {0};
        vc_composed composed = {0};
        const vc_sweep_item *item = &in->sweep.items[i];
        status = vc_compose(&in->spec, item, in->model, &options, &arena, &composed, error);
        for (size_t j = 0; status == VC_OK && j < composed.nproblems; j++)
            vc_reporting_show_problem(in, item, &composed.problems[j], true);
        if (status == VC_OK) *nproblems_out += composed.nproblems;
        vc_arena_release(&arena);
    }
    return status;
}

static void say_form(const vc_reporting *in, const char *path)
{
    vc_cli_say("%s: %zu %s; its form is in order%s", path, in->spec.nsections,
               in->spec.nsections == 1 ? "section" : "sections",
               in->store == NULL ? " (names are checked with -d DIR)" : "");
}

static vc_status check_specification(const vc_arguments *arguments, const char *path,
                                     size_t *nproblems_out, vc_error *error)
{
    vc_reporting in = {.arguments = arguments};
    vc_str text;
    vc_given_parameter *given = NULL;
    size_t ngiven = 0, nproblems = 0;
    vc_status status = vc_reporting_read_parameters(arguments, &in.arena, &given, &ngiven, error);
    if (status == VC_OK) status = vc_cli_read_file(path, &in.arena, &text, error);
    if (status == VC_OK) status = vc_reporting_read_spec(&in, text, path, error);
    bool has_store = vc_arguments_get(arguments, "dir") != NULL;
    if (status == VC_OK && has_store)
        status = vc_reporting_open(&in, (vc_str){0}, given, ngiven, error);
    if (status == VC_OK) say_form(&in, path);
    if (status == VC_OK && has_store) {
        bool has_all = vc_arguments_get(arguments, "all") != NULL;
        size_t ndocuments = has_all || in.sweep.nitems == 0 ? in.sweep.nitems : 1;
        status = compose(&in, ndocuments, &nproblems, error);
        if (status == VC_OK && nproblems == 0)
            vc_cli_say("%s: %zu %s of %zu composed without problems", path, ndocuments,
                       ndocuments == 1 ? "document" : "documents", in.sweep.nitems);
    }
    *nproblems_out += nproblems;
    vc_reporting_close(&in);
    return status;
}

static vc_status check_usage(const vc_arguments *arguments, vc_error *error)
{
    static const char *const others[] = {"laws",   "rounds",      "seed",        "json",
                                         "append", "max-rejects", "rejects-dir", "threads"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (vc_arguments_get(arguments, others[i]) != NULL)
            return vc_fail(error, VC_BAD_INPUT, "usage",
                           "--%s does not go with specifications of reports", others[i]);
    return VC_OK;
}

bool vc_check_reports(const vc_arguments *arguments, int *code_out)
{
    vc_error error = {0};
    size_t nproblems = 0;
    if (arguments->noperands == 0) return false;
    for (size_t i = 0; i < arguments->noperands; i++)
        if (!is_specification(arguments->operands[i])) return false;
    vc_status status = check_usage(arguments, &error);
    for (size_t i = 0; i < arguments->noperands && status == VC_OK; i++)
        status = check_specification(arguments, arguments->operands[i], &nproblems, &error);
    if (status != VC_OK)
        *code_out = vc_cli_fail(&error);
    else
        *code_out = nproblems > 0 ? VC_EXIT_FAILED : VC_EXIT_OK;
    return true;
}
