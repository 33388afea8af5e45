/* check: definitions and their data without loading, and the laws on them. */
#include "cli/asking.h"
#include "cli/check_report.h"
#include "cli/guard.h"
#include "cli/laws.h"
#include "cli/loading.h"
#include "cube/model.h"
#include "slice/engine.h"

#include <unistd.h>

struct checking {
    vc_loading progress; /* first: what a load is given is a progress */
    const vc_arguments *arguments;
    const vc_definitions *definitions;
    bool has_laws;
    vc_laws_run laws;
};

/* ---- coverage ---- */

static vc_status print_coverage_of(vc_model *model, vc_str name, vc_error *error)
{
    vc_arena arena = {0};
    const vc_cube *cube;
    const vc_result_coverage *coverage;
    size_t ncoverage = 0;
    vc_status status = vc_model_cube(model, name, &cube, error);
    if (status == VC_OK)
        status = vc_engine_coverage(model, cube, NULL, &arena, &coverage, &ncoverage, error);
    for (size_t i = 0; status == VC_OK && i < ncoverage; i++) {
        const vc_coverage *counts = &coverage[i].counts;
        vc_str share = vc_cli_percent(&arena, counts->keys_matched, counts->keys);
        printf("%.*s: %.*s over %.*s: %llu of %llu keys match (%.*s)\n", VC_FMT(name),
               VC_FMT(coverage[i].source), VC_FMT(coverage[i].dimension),
               (unsigned long long)counts->keys_matched, (unsigned long long)counts->keys,
               VC_FMT(share));
        vc_cli_collisions(&arena, &coverage[i]);
    }
    vc_arena_release(&arena);
    return status;
}

/* The coverage of every virtual cube, as the store would be. */
static vc_status print_coverages(vc_model *model, vc_error *error)
{
    vc_arena arena = {0};
    vc_object *objects;
    size_t nobjects = 0;
    vc_status status = vc_snapshot_list(vc_model_snapshot(model), VC_KIND_CUBE, &arena, &objects,
                                        &nobjects, error);
    for (size_t i = 0; i < nobjects && status == VC_OK; i++)
        status = print_coverage_of(model, objects[i].name, error);
    vc_arena_release(&arena);
    return status;
}

/* ---- laws of what is checked ---- */

static vc_status ask_laws_of_definitions(struct checking *checking, vc_model *model,
                                         vc_error *error)
{
    const vc_definitions *definitions = checking->definitions;
    vc_str *cubes = VC_ARENA_NEW(&checking->laws.arena, vc_str, definitions->count + 1);
    size_t ncubes = 0;
    if (cubes == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < definitions->count; i++)
        if (definitions->items[i]->kind == VC_DEFINITION_SOURCE ||
            definitions->items[i]->kind == VC_DEFINITION_VIRTUAL)
            cubes[ncubes++] = definitions->items[i]->name;
    return vc_laws_ask(&checking->laws, model, cubes, ncubes, error);
}

static vc_status look_at_preview(void *context, const vc_snapshot *preview, vc_error *error)
{
    struct checking *checking = context;
    vc_model *model = NULL;
    vc_loading_clear(&checking->progress);
    vc_status status = vc_model_new((vc_snapshot *)preview, false, &model, error);
    if (status == VC_OK && !checking->laws.is_json) status = print_coverages(model, error);
    if (status == VC_OK && checking->has_laws)
        status = ask_laws_of_definitions(checking, model, error);
    vc_model_free(model);
    return status;
}

static void guard_folder(void *context, const char *directory)
{
    (void)context;
    vc_guard_set(directory);
}

static vc_status check_definitions(struct checking *checking, vc_error *error)
{
    vc_arena arena = {0};
    vc_store *store = NULL;
    vc_load_options options;
    vc_load_report report;
    vc_definitions definitions = {0};
    const vc_arguments *arguments = checking->arguments;
    checking->definitions = &definitions;
    vc_status status = vc_loading_options(arguments, &checking->progress, &options, error);
    options.check_only = true;
    options.checked = look_at_preview;
    options.temporary = guard_folder;
    options.context = checking;
    if (status == VC_OK) status = vc_definitions_read(arguments, &arena, &definitions, error);
    if (status == VC_OK && vc_arguments_get(arguments, "dir") != NULL)
        status = vc_cli_open_store(arguments, VC_TO_CHANGE, &store, error);
    if (status == VC_OK)
        status = vc_load_definitions(store, definitions.items, definitions.count, &options, &arena,
                                     &report, error);
    vc_loading_clear(&checking->progress);
    if (status == VC_OK && !vc_cli_is_quiet() && !checking->laws.is_json) {
        vc_loading_report(&report, &arena);
        vc_cli_say("%zu definitions are in order; nothing was loaded", definitions.count);
        if (checking->has_laws) putchar('\n');
    }
    vc_store_close(store);
    vc_definitions_release(&definitions);
    vc_arena_release(&arena);
    return status;
}

/* ---- laws of cubes that are loaded ---- */

/* Which cubes: those named, or all. *are_cubes_out: every operand is the name of one. */
static vc_status find_cubes(struct checking *checking, const vc_snapshot *snapshot, vc_str **cubes,
                            size_t *ncubes, bool *are_cubes_out, vc_error *error)
{
    const vc_arguments *arguments = checking->arguments;
    vc_object *objects, object;
    size_t nobjects = 0;
    vc_status status =
        vc_snapshot_list(snapshot, VC_KIND_CUBE, &checking->laws.arena, &objects, &nobjects, error);
    if (status != VC_OK) return status;
    size_t wanted = arguments->noperands > 0 ? arguments->noperands : nobjects;
    *cubes = VC_ARENA_NEW(&checking->laws.arena, vc_str, wanted + 1);
    if (*cubes == NULL) return vc_no_memory(error);
    *are_cubes_out = true;
    for (size_t i = 0; i < wanted; i++) {
        vc_str name =
            arguments->noperands > 0 ? vc_str_of(arguments->operands[i]) : objects[i].name;
        *are_cubes_out &= vc_snapshot_find(snapshot, VC_KIND_CUBE, name, &object, NULL) == VC_OK;
        (*cubes)[(*ncubes)++] = name;
    }
    return VC_OK;
}

/* A name that is no cube and no path, among operands that are meant as cubes. */
static vc_status fail_operand(const vc_arguments *arguments, const vc_snapshot *snapshot,
                              vc_error *error)
{
    vc_object object;
    for (size_t i = 0; i < arguments->noperands; i++)
        if (access(arguments->operands[i], F_OK) != 0) {
            vc_status status = vc_snapshot_find(snapshot, VC_KIND_CUBE,
                                                vc_str_of(arguments->operands[i]), &object, error);
            if (status != VC_OK) return status;
        }
    return VC_OK;
}

/* The laws of cubes of the store. *is_done_out is false when the operands are definitions. */
static vc_status check_store(struct checking *checking, bool *is_done_out, vc_error *error)
{
    vc_store *store = NULL;
    vc_snapshot *snapshot = NULL;
    vc_model *model = NULL;
    vc_str *cubes;
    size_t ncubes = 0;
    vc_status status = vc_cli_open_store(checking->arguments, VC_TO_READ, &store, error);
    if (status == VC_OK) status = vc_snapshot_open(store, &snapshot, error);
    if (status == VC_OK)
        status = find_cubes(checking, snapshot, &cubes, &ncubes, is_done_out, error);
    if (status == VC_OK && !*is_done_out)
        status = fail_operand(checking->arguments, snapshot, error);
    if (status == VC_OK && *is_done_out) {
        checking->laws.loaded = NULL;
        checking->laws.directory = vc_store_directory(store);
        status = vc_model_new(snapshot, false, &model, error);
        if (status == VC_OK) status = vc_laws_ask(&checking->laws, model, cubes, ncubes, error);
        if (status == VC_OK) vc_laws_show(&checking->laws);
    }
    vc_model_free(model);
    vc_snapshot_close(snapshot);
    vc_store_close(store);
    return status;
}

/* ---- the command ---- */

/* Options that need others, or that others leave without meaning. */
static vc_status check_usage(const vc_arguments *arguments, bool has_laws, vc_error *error)
{
    static const char *const of_reports[] = {"param", "all"};
    for (size_t i = 0; i < sizeof of_reports / sizeof of_reports[0]; i++)
        if (vc_arguments_get(arguments, of_reports[i]) != NULL)
            return vc_fail(error, VC_BAD_INPUT, "usage", "--%s goes with specifications of reports",
                           of_reports[i]);
    static const char *const of_laws[] = {"rounds", "seed", "json", "max-memory"};
    for (size_t i = 0; i < sizeof of_laws / sizeof of_laws[0]; i++)
        if (!has_laws && vc_arguments_get(arguments, of_laws[i]) != NULL)
            return vc_fail(error, VC_BAD_INPUT, "usage", "--%s goes with --laws", of_laws[i]);
    if (arguments->noperands == 0 && (!has_laws || vc_arguments_get(arguments, "dir") == NULL))
        return vc_fail(error, VC_BAD_INPUT, "usage",
                       "check needs DEFINITION..., or --laws and -d DIR for the cubes of a store");
    return VC_OK;
}

static int finish(struct checking *checking, vc_status status, const vc_error *error)
{
    bool is_broken = checking->laws.is_broken;
    vc_laws_end(&checking->laws);
    vc_guard_end();
    if (status != VC_OK) return vc_cli_fail(error);
    return is_broken ? VC_EXIT_FAILED : VC_EXIT_OK;
}

static int run_check(const vc_arguments *arguments)
{
    vc_error error = {0};
    bool has_laws = vc_arguments_get(arguments, "laws") != NULL, is_done = false;
    struct checking checking = {.arguments = arguments, .has_laws = has_laws};
    vc_load_options unused;
    int code;
    if (vc_check_reports(arguments, &code)) return code;
    vc_status status = check_usage(arguments, has_laws, &error);
    if (status == VC_OK) status = vc_guard_begin(&error);
    if (status == VC_OK)
        status = vc_loading_options(arguments, &checking.progress, &unused, &error);
    if (status == VC_OK && has_laws)
        status = vc_laws_begin(arguments, &checking.progress, &checking.laws, &error);
    checking.laws.loaded = arguments;
    checking.laws.directory = vc_arguments_get(arguments, "dir");
    if (checking.laws.directory == NULL) checking.laws.directory = "laws.data";
    if (status == VC_OK && has_laws && vc_arguments_get(arguments, "dir") != NULL)
        status = check_store(&checking, &is_done, &error);
    if (status == VC_OK && !is_done) {
        status = check_definitions(&checking, &error);
        if (status == VC_OK && has_laws) vc_laws_show(&checking.laws);
    }
    return finish(&checking, status, &error);
}

static const vc_option check_option_list[] = {
    {"dir", 'd', "DIR", "check against the cubes of this store, too; with --laws: on its cubes"},
    {"laws", 0, NULL, "ask the laws of virtual cubes on the data (docs/laws.md)"},
    {"rounds", 0, "N", "cases of each law on each cube (default 100)"},
    {"seed", 0, "N", "where chance begins: the same seed, the same cases (default 1)"},
    VC_OPTION_JSON,
    {"param", 0, "NAME=VALUE", "of a report: a parameter; may be repeated"},
    {"all", 0, NULL, "of a report, with -d DIR: compose all documents, not only the first"},
    {"append", 0, NULL, "check as for an append"},
    {"max-rejects", 0, "N", "how many bad rows to pass over (default 0)"},
    {"rejects-dir", 0, "DIR", "where FILE.rejects.csv go (default: beside each data file)"},
    {"threads", 0, "N", "threads that read facts and answer (default: one per processor)"},
    {"max-memory", 0, "SIZE", "most that a query of a law may need: 512M, 2G (default 1G)"},
    VC_OPTION_END};

const vc_command vc_command_check = {
    .name = "check",
    .operands = "DEFINITION... | -d DIR --laws [CUBE...] | SPEC.json...",
    .summary = "validate definitions and their data without loading, the laws on them, reports",
    .help =
        "Does all that load does, data included, but publishes nothing, and prints how well\n"
        "each join covers its keys.\n\n"
        "--laws asks of every cube whether its answers go together: L1 to L8 of\n"
        "docs/semantics.md, by queries made at random from its members, levels, measures and\n"
        "joins. It does so on a temporary store in $TMPDIR (or /tmp), which goes away, or, with\n"
        "-d DIR and names of cubes, or none, on a store as it is. A law that is broken is shown\n"
        "with the queries that show it, to be run by anyone; a law that does not apply says "
        "why.\n\n"
        "Of the specification of a report (docs/reports.md) it checks the form; with -d DIR also\n"
        "the names in it and its assertions, by composing the first document of the sweep.\n\n"
        "Exit code 0: all is in order, and every law that could be asked holds. 1: something is\n"
        "wrong with definitions or data, or a law is broken. 2: the command line is wrong.\n\n"
        "Examples:\n"
        "  vcube check samples/world\n"
        "  vcube check samples/world --laws\n"
        "  vcube check -d data --laws world --rounds 1000 --seed 7\n"
        "  vcube check -d data new_world.json --laws --json\n"
        "  vcube check -d data samples/world/reports/profile.json",
    .options = check_option_list,
    .min_operands = 0,
    .max_operands = SIZE_MAX,
    .run = run_check,
};
