/* report: files of a specification, made or verified. */
#include "base/json_writer.h"
#include "base/nearest.h"
#include "cli/asking.h"
#include "cli/reverify.h"

#include <fnmatch.h>
#include <string.h>

/* ---- the command line ---- */

static vc_status read_formats(const vc_arguments *arguments, bool *formats, vc_error *error)
{
    vc_str rest = vc_str_of(vc_arguments_get(arguments, "format"));
    vc_report_format format;
    if (rest.data == NULL) return VC_OK;
    memset(formats, 0, VC_REPORT_FORMATS * sizeof *formats);
    while (rest.data != NULL) {
        vc_str name = vc_str_trim(vc_str_split(&rest, ','));
        if (vc_report_format_find(name, &format)) {
            formats[format] = true;
            continue;
        }
        vc_nearest nearest;
        vc_fail(error, VC_BAD_INPUT, "usage",
                "--format takes html, pdf, xlsx, markdown, csv, jsonstat, not '%.*s'",
                VC_FMT(name));
        vc_nearest_init(&nearest, name);
        for (unsigned i = 0; i < VC_REPORT_FORMATS; i++)
            vc_nearest_offer(&nearest, vc_str_of(vc_report_format_name((vc_report_format)i)));
        vc_nearest_report(&nearest, error);
        return VC_BAD_INPUT;
    }
    return VC_OK;
}

static vc_status check_usage(const vc_arguments *arguments, vc_error *error)
{
    static const char *const of_making[] = {"out",    "param", "format", "only",
                                            "strict", "force", "dry-run"};
    bool is_verification = vc_arguments_get(arguments, "verify") != NULL;
    for (size_t i = 0; is_verification && i < sizeof of_making / sizeof of_making[0]; i++)
        if (vc_arguments_get(arguments, of_making[i]) != NULL)
            return vc_fail(error, VC_BAD_INPUT, "usage", "--%s does not go with --verify",
                           of_making[i]);
    if (is_verification && arguments->noperands > 0)
        return vc_fail(error, VC_BAD_INPUT, "usage",
                       "--verify takes the specification of the manifest, not '%s'",
                       arguments->operands[0]);
    if (!is_verification && arguments->noperands == 0)
        return vc_fail(error, VC_BAD_INPUT, "usage", "report needs SPEC.json, or --verify FOLDER");
    if (!is_verification && vc_arguments_get(arguments, "out") == NULL &&
        vc_arguments_get(arguments, "dry-run") == NULL)
        return vc_fail(error, VC_BAD_INPUT, "usage", "report needs a folder for its files: -o OUT");
    return VC_OK;
}

/* ---- --only ---- */

static bool is_match(const vc_reporting *in, const vc_sweep_item *item, const char *pattern)
{
    vc_arena arena = {0};
    bool is_matched = false;
    const char *file = vc_arena_str(&arena, item->file).data;
    if (file != NULL && fnmatch(pattern, file, 0) == 0) is_matched = true;
    for (size_t i = in->spec.nparameters; i < item->variables.count && !is_matched; i++) {
        vc_str key = item->variables.items[i].key;
        const char *text = key.data != NULL ? vc_arena_str(&arena, key).data : NULL;
        is_matched = text != NULL && fnmatch(pattern, text, 0) == 0;
    }
    vc_arena_release(&arena);
    return is_matched;
}

static vc_status fail_only(const vc_reporting *in, const char *pattern, vc_error *error)
{
    vc_nearest nearest;
    vc_fail(error, VC_BAD_INPUT, "bad_value",
            "--only %s matches none of the %zu documents, neither their files nor their keys",
            pattern, in->sweep.nitems);
    vc_nearest_init(&nearest, vc_str_of(pattern));
    for (size_t i = 0; i < in->sweep.nitems; i++)
        vc_nearest_offer(&nearest, in->sweep.items[i].file);
    vc_nearest_report(&nearest, error);
    return VC_BAD_INPUT;
}

/* Each pattern has to match something: one that is misspelt is no wish for nothing. */
static vc_status choose(vc_reporting *in, vc_error *error)
{
    const vc_arguments *arguments = in->arguments;
    if (vc_arguments_get(arguments, "only") == NULL) return VC_OK;
    bool *is_wanted = VC_ARENA_NEW(&in->arena, bool, in->sweep.nitems + 1);
    if (is_wanted == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < arguments->ngiven; i++) {
        if (strcmp(arguments->given[i].option->name, "only") != 0) continue;
        bool is_found = false;
        for (size_t j = 0; j < in->sweep.nitems; j++)
            if (is_match(in, &in->sweep.items[j], arguments->given[i].value))
                is_wanted[j] = is_found = true;
        if (!is_found) return fail_only(in, arguments->given[i].value, error);
    }
    in->plan.is_wanted = is_wanted;
    return VC_OK;
}

/* ---- --dry-run ---- */

static void put_item_json(vc_json_writer *json, const vc_sweep_item *item, const vc_str *paths,
                          size_t npaths)
{
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "file", item->file);
    vc_json_begin(json, "variables", '[');
    for (size_t i = 0; i < item->variables.count; i++) {
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "name", item->variables.items[i].name);
        vc_json_put_str(json, "key", item->variables.items[i].key);
        vc_json_put_str(json, "label", item->variables.items[i].label);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
    vc_json_begin(json, "files", '[');
    for (size_t i = 0; i < npaths; i++)
        vc_json_put_str(json, NULL, paths[i]);
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

static void put_variables(vc_buffer *text, const vc_variables *variables, size_t first, size_t end)
{
    for (size_t i = first; i < end && i < variables->count; i++) {
        const vc_variable *variable = &variables->items[i];
        vc_buffer_printf(text, "%s%.*s %.*s", text->size > 0 ? ", " : "", VC_FMT(variable->name),
                         VC_FMT(variable->key));
        if (!vc_str_equal(variable->key, variable->label))
            vc_buffer_printf(text, " (%.*s)", VC_FMT(variable->label));
    }
}

/* "country FRA (France), year 2020": what it is one of, then the parameters. */
static vc_str describe(const vc_reporting *in, vc_arena *arena, const vc_sweep_item *item)
{
    vc_buffer text = {0};
    put_variables(&text, &item->variables, in->spec.nparameters, item->variables.count);
    put_variables(&text, &item->variables, 0, in->spec.nparameters);
    vc_str described = vc_arena_str(arena, vc_str_of(vc_buffer_text(&text)));
    vc_buffer_release(&text);
    return described;
}

static vc_status list_as_table(vc_reporting *in, vc_error *error)
{
    size_t nitems = in->sweep.nitems, nrows = 1, npaths;
    const vc_str *paths;
    vc_str *texts = VC_ARENA_NEW(&in->arena, vc_str, 2 * (nitems * VC_REPORT_FORMATS + 1));
    if (texts == NULL) return vc_no_memory(error);
    texts[0] = VC_STR("file");
    texts[1] = VC_STR("of");
    for (size_t i = 0; i < nitems; i++) {
        if (in->plan.is_wanted != NULL && !in->plan.is_wanted[i]) continue;
        vc_status status =
            vc_run_paths(&in->plan, &in->sweep.items[i], &in->arena, &paths, &npaths, error);
        if (status != VC_OK) return status;
        vc_str what = describe(in, &in->arena, &in->sweep.items[i]);
        for (size_t j = 0; j < npaths; j++) {
            texts[2 * nrows] = paths[j];
            texts[2 * nrows++ + 1] = what;
        }
    }
    vc_cli_table(texts, nrows, 2, (bool[]){false, false});
    return VC_OK;
}

static vc_status list_as_json(vc_reporting *in, vc_error *error)
{
    vc_buffer out = {0};
    vc_json_writer json = {.out = &out};
    vc_status status = VC_OK;
    vc_json_begin(&json, NULL, '[');
    for (size_t i = 0; i < in->sweep.nitems && status == VC_OK; i++) {
        const vc_str *paths;
        size_t npaths;
        if (in->plan.is_wanted != NULL && !in->plan.is_wanted[i]) continue;
        status = vc_run_paths(&in->plan, &in->sweep.items[i], &in->arena, &paths, &npaths, error);
        if (status == VC_OK) put_item_json(&json, &in->sweep.items[i], paths, npaths);
    }
    vc_json_end(&json, ']');
    if (status == VC_OK) puts(vc_buffer_text(&out));
    vc_buffer_release(&out);
    return status;
}

/* ---- making ---- */

static void show_progress(void *context, const vc_run_progress *progress)
{
    vc_reporting_show(context, progress);
}

static void say_result(vc_reporting *in, const vc_run_result *result)
{
    const vc_run_progress *progress = &result->progress;
    double seconds = vc_reporting_seconds(in);
    size_t nmade = progress->ndone - progress->nkept;
    vc_str ndone = vc_cli_count(&in->arena, progress->ndone),
           nfiles = vc_cli_count(&in->arena, progress->nfiles),
           nbytes = vc_cli_bytes(&in->arena, progress->nbytes);
    char rate[48] = "", kept[64] = "";
    if (nmade >= 10 && seconds > 0)
        snprintf(rate, sizeof rate, " (%.0f documents/s)", (double)nmade / seconds);
    if (progress->nkept > 0)
        snprintf(kept, sizeof kept, ", %zu of them there already", progress->nkept);
    vc_cli_say("%.*s %s%s: %.*s %s, %.*s, of snapshot %.*s in %.2f s%s", VC_FMT(ndone),
               progress->ndone == 1 ? "document" : "documents", kept, VC_FMT(nfiles),
               progress->nfiles == 1 ? "file" : "files", VC_FMT(nbytes), VC_FMT(in->plan.snapshot),
               seconds, rate);
    if (result->nunpublished > 0)
        vc_cli_say("%zu not published; older files of these names stay as they are",
                   result->nunpublished);
    if (result->nfailed > 0) vc_cli_say("%zu published with sections that failed", result->nfailed);
    if (result->nstrangers > 0)
        vc_cli_say(
            "note: of the last run %zu %s there still that this one does not make, such as %.*s",
            result->nstrangers, result->nstrangers == 1 ? "file is" : "files are",
            VC_FMT(result->stranger));
}

static void print_result(const vc_reporting *in, const vc_run_result *result)
{
    vc_buffer out = {0};
    vc_json_writer json = {.out = &out};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "snapshot", in->plan.snapshot);
    vc_json_put_uint(&json, "documents", result->progress.ndone);
    vc_json_put_uint(&json, "kept", result->progress.nkept);
    vc_json_put_uint(&json, "made", result->nmade);
    vc_json_put_uint(&json, "failed_sections", result->nfailed);
    vc_json_put_uint(&json, "unpublished", result->nunpublished);
    vc_json_put_uint(&json, "problems", result->nproblems);
    vc_json_put_uint(&json, "files", result->progress.nfiles);
    vc_json_put_uint(&json, "bytes", result->progress.nbytes);
    vc_json_end(&json, '}');
    puts(vc_buffer_text(&out));
    vc_buffer_release(&out);
}

static vc_status make_all(vc_reporting *in, vc_run_result *result, vc_error *error)
{
    in->plan.is_strict = vc_arguments_get(in->arguments, "strict") != NULL;
    in->plan.is_forced = vc_arguments_get(in->arguments, "force") != NULL;
    in->plan.watcher = (vc_run_watcher){
        .done = show_progress, .problem = vc_reporting_show_problem, .context = in};
    vc_reporting_begin_signals();
    vc_status status =
        vc_run(&in->plan, vc_arguments_get(in->arguments, "out"), &in->arena, result, error);
    vc_reporting_clear(in);
    if (status == VC_OK) {
        say_result(in, result);
        if (vc_arguments_get(in->arguments, "json") != NULL) print_result(in, result);
    } else if (vc_reporting_has_signal()) {
        vc_cli_say("stopped: %zu of %zu documents are finished; the next run makes the rest",
                   result->progress.ndone, result->progress.ntotal);
    }
    return status;
}

static int exit_code_of(const vc_run_result *result)
{
    if (result->nunpublished > 0) return VC_EXIT_UNPUBLISHED;
    return result->nfailed > 0 ? VC_EXIT_FAILED_SECTIONS : VC_EXIT_OK;
}

static vc_status open_sweep(vc_reporting *in, vc_error *error)
{
    vc_str text;
    const char *file = in->arguments->operands[0];
    vc_given_parameter *given = NULL;
    size_t ngiven = 0;
    vc_status status =
        vc_reporting_read_parameters(in->arguments, &in->arena, &given, &ngiven, error);
    if (status == VC_OK) status = vc_cli_read_file(file, &in->arena, &text, error);
    if (status == VC_OK) status = vc_reporting_read_spec(in, text, file, error);
    if (status == VC_OK) status = read_formats(in->arguments, in->spec.formats, error);
    if (status == VC_OK)
        status = vc_reporting_open(in, vc_str_of(vc_arguments_get(in->arguments, "at")), given,
                                   ngiven, error);
    if (status == VC_OK) status = choose(in, error);
    return status;
}

static int run_report(const vc_arguments *arguments)
{
    vc_error error = {0};
    vc_run_result result = {0};
    vc_reporting in = {.arguments = arguments};
    vc_status status = check_usage(arguments, &error);
    if (status != VC_OK) return vc_cli_fail(&error);
    if (vc_arguments_get(arguments, "verify") != NULL) return vc_reverify(arguments);
    status = open_sweep(&in, &error);
    if (status == VC_OK && vc_arguments_get(arguments, "dry-run") != NULL)
        status = vc_arguments_get(arguments, "json") != NULL ? list_as_json(&in, &error)
                                                             : list_as_table(&in, &error);
    else if (status == VC_OK)
        status = make_all(&in, &result, &error);
    vc_reporting_close(&in);
    vc_reporting_end_signals();
    return status == VC_OK ? exit_code_of(&result) : vc_cli_fail(&error);
}

static const vc_option report_options[] = {
    VC_OPTION_DIR,
    {"out", 'o', "FOLDER", "where the files go; made, with those above it, when it is not there"},
    {"param", 0, "NAME=VALUE", "a parameter of the specification; may be repeated"},
    {"format", 0, "FORMAT,...", "html, pdf, xlsx, markdown, csv, jsonstat (default: as specified)"},
    {"only", 0, "GLOB", "documents whose file or key matches: FRA, 'Europe/*'; may be repeated"},
    {"jobs", 0, "N", "documents made at once (default: one per processor)"},
    {"at", 0, "SNAPSHOT", "of this snapshot (default: the newest)"},
    {"dry-run", 0, NULL, "list the files, make none"},
    {"strict", 0, NULL, "do not publish a document with a section that failed"},
    {"force", 0, NULL, "make also what is finished"},
    {"verify", 0, "FOLDER", "make the files of a run again and compare them; nothing is written"},
    {"max-memory", 0, "SIZE", "most that a query may need by estimate: 512M, 2G (default 1G)"},
    {"max-cells", 0, "N", "largest answer, in cells (default 5,000,000)"},
    {"max-time-ms", 0, "N", "longest query (default 30,000)"},
    VC_OPTION_JSON,
    VC_OPTION_END};

const vc_command vc_command_report = {
    .name = "report",
    .operands = "SPEC.json",
    .summary = "make files of a specification: HTML, PDF, spreadsheets",
    .help =
        "Makes the documents of a specification (docs/reports.md), all of one snapshot, and\n"
        "manifest.json, which says what they were made of. Works while the store is served and\n"
        "loaded into. Each file is written whole under another name first. A run that is stopped\n"
        "or killed leaves finished files; the next one with the same snapshot, specification,\n"
        "parameters and formats makes the rest. A second signal stops at once.\n\n"
        "--verify makes the files of a run again, in its snapshot if that is still kept, and\n"
        "says which are the same, which were changed or are missing, and which come out\n"
        "otherwise.\n\n"
        "Exit code 0: all files are made; verified: all are the same. 1: the run failed (store,\n"
        "specification, disk). 2: the command line is wrong. 3: all files are made, but sections\n"
        "in them failed. 4: an assertion or min_coverage does not hold (with --strict: or a\n"
        "section failed), and that document is not published. 5: verified, and not all are the\n"
        "same.\n\n"
        "Examples:\n"
        "  vcube check -d data samples/world/reports/profile.json\n"
        "  vcube report -d data samples/world/reports/profile.json -o profiles --only 'F*'\n"
        "  vcube report -d data samples/world/reports/profile.json -o profiles \\\n"
        "      --param year=2019 --format html,pdf\n"
        "  vcube report -d data --verify profiles",
    .options = report_options,
    .min_operands = 0,
    .max_operands = 1,
    .run = run_report,
};
