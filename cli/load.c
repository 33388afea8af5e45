/* load, check, drop. */
#include "cube/load.h"
#include "cli/cli.h"
#include "cube/dependency.h"
#include "cube/model.h"
#include "slice/engine.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---- progress ---- */

struct progress {
    bool is_terminal;
    bool has_line;
    struct timespec started;
    const char *file;
};

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void clear_line(struct progress *progress)
{
    if (progress->has_line) fputs("\r\033[K", stderr);
    progress->has_line = false;
}

/* "city_facts: 123,456 rows, 85.2 MB/s, 45 %, 2 s left" */
static void show_progress(void *context, const vc_load_progress *now)
{
    struct progress *progress = context;
    vc_arena arena = {0};
    if (!progress->is_terminal) return;
    if (progress->file != now->file) {
        progress->file = now->file;
        clock_gettime(CLOCK_MONOTONIC, &progress->started);
    }
    double seconds = seconds_since(&progress->started);
    double rate = seconds > 0 ? (double)now->bytes_done / seconds : 0;
    vc_str rows = vc_cli_count(&arena, now->nrows);
    clear_line(progress);
    fprintf(stderr, "%s: %.*s rows, %.1f MB/s", now->object, VC_FMT(rows), rate / 1e6);
    if (now->bytes_total > 0 && now->bytes_done <= now->bytes_total && rate > 0)
        fprintf(stderr, ", %.0f%%, %.0f s left",
                100.0 * (double)now->bytes_done / (double)now->bytes_total,
                (double)(now->bytes_total - now->bytes_done) / rate);
    fflush(stderr);
    progress->has_line = true;
    vc_arena_release(&arena);
}

static void show_warning(void *context, const char *sentence)
{
    clear_line(context);
    vc_cli_say("warning: %s", sentence);
}

/* ---- reading definitions ---- */

struct definitions {
    vc_definition **items;
    size_t count;
};

static void release_definitions(struct definitions *definitions)
{
    for (size_t i = 0; i < definitions->count; i++)
        vc_definition_release(definitions->items[i]);
}

static vc_status read_definitions(const vc_arguments *arguments, vc_arena *arena,
                                  struct definitions *definitions, vc_error *error)
{
    for (size_t i = 0; i < arguments->noperands; i++) {
        vc_str *files;
        size_t nfiles;
        vc_status status =
            vc_definition_list(arguments->operands[i], arena, &files, &nfiles, error);
        if (status != VC_OK) return status;
        vc_definition **items =
            VC_ARENA_NEW(arena, vc_definition *, definitions->count + nfiles + 1);
        if (items == NULL) return vc_no_memory(error);
        for (size_t j = 0; j < definitions->count; j++)
            items[j] = definitions->items[j];
        definitions->items = items;
        for (size_t j = 0; j < nfiles; j++) {
            status = vc_definition_read(files[j].data, arena, &items[definitions->count], error);
            if (status != VC_OK) return status;
            definitions->count++;
        }
    }
    return VC_OK;
}

/* ---- reports ---- */

static const char *const kind_names[] = {[VC_DEFINITION_SOURCE] = "source cube",
                                         [VC_DEFINITION_VIRTUAL] = "virtual cube",
                                         [VC_DEFINITION_DIMENSION] = "dimension",
                                         [VC_DEFINITION_CROSSWALK] = "crosswalk"};

static void print_report(const vc_load_report *report, vc_arena *arena)
{
    size_t nrows = report->nobjects + 1;
    vc_str *texts = VC_ARENA_NEW(arena, vc_str, nrows * 5);
    if (texts == NULL) return;
    texts[0] = VC_STR("name");
    texts[1] = VC_STR("kind");
    texts[2] = VC_STR("rows");
    texts[3] = VC_STR("members");
    texts[4] = VC_STR("rejects");
    for (size_t i = 0; i < report->nobjects; i++) {
        const vc_load_object_report *object = &report->objects[i];
        vc_str *row = texts + (i + 1) * 5;
        bool is_virtual = object->kind == VC_DEFINITION_VIRTUAL;
        row[0] = object->name;
        row[1] = vc_str_of(kind_names[object->kind]);
        row[2] = is_virtual ? VC_STR("") : vc_cli_count(arena, object->nrows);
        row[3] = is_virtual ? VC_STR("") : vc_cli_count(arena, object->nmembers);
        row[4] = object->nrejects == 0 ? VC_STR("")
                                       : vc_arena_printf(arena, "%llu, see %.*s",
                                                         (unsigned long long)object->nrejects,
                                                         VC_FMT(object->rejects_file));
    }
    vc_cli_table(texts, nrows, 5, (bool[]){false, false, true, true, false});
}

static vc_status load_options(const vc_arguments *arguments, struct progress *progress,
                              vc_load_options *options, vc_error *error)
{
    *progress = (struct progress){.is_terminal = isatty(STDERR_FILENO) && !vc_cli_is_quiet()};
    *options = (vc_load_options){.append = vc_arguments_get(arguments, "append") != NULL,
                                 .rejects_directory = vc_arguments_get(arguments, "rejects-dir"),
                                 .progress = show_progress,
                                 .warning = show_warning,
                                 .context = progress};
    vc_status status = vc_arguments_threads(arguments, &options->nthreads, error);
    if (status != VC_OK) return status;
    return vc_arguments_number(arguments, "max-rejects", 0, INT64_MAX, 0, &options->max_rejects,
                               error);
}

static int run_load(const vc_arguments *arguments)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_store *store = NULL;
    vc_load_options options;
    vc_load_report report;
    struct progress progress;
    struct definitions definitions = {0};
    struct timespec started;
    clock_gettime(CLOCK_MONOTONIC, &started);
    vc_status status = load_options(arguments, &progress, &options, &error);
    if (status == VC_OK) status = read_definitions(arguments, &arena, &definitions, &error);
    if (status == VC_OK) status = vc_cli_open_store(arguments, VC_TO_LOAD, &store, &error);
    if (status == VC_OK)
        status = vc_load_definitions(store, definitions.items, definitions.count, &options, &arena,
                                     &report, &error);
    clear_line(&progress);
    if (status == VC_OK && !vc_cli_is_quiet()) {
        double seconds = seconds_since(&started);
        vc_str rows = vc_cli_count(&arena, report.nrows);
        print_report(&report, &arena);
        char rate[48] = "";
        if (report.nbytes > 1000000) /* of less, a rate says nothing */
            snprintf(rate, sizeof rate, " (%.1f MB/s)", (double)report.nbytes / 1e6 / seconds);
        vc_cli_say("loaded %.*s rows in %.2f s%s; the store is at epoch %llu", VC_FMT(rows),
                   seconds, rate, (unsigned long long)report.epoch);
    }
    vc_store_close(store);
    release_definitions(&definitions);
    vc_arena_release(&arena);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option load_option_list[] = {
    VC_OPTION_DIR,
    {"append", 0, NULL, "add facts and members to cubes that exist, instead of replacing them"},
    {"max-rejects", 0, "N", "how many bad rows to pass over before the load fails (default 0)"},
    {"rejects-dir", 0, "DIR", "where FILE.rejects.csv go (default: beside each data file)"},
    {"threads", 0, "N", "how many threads read facts (default: one per processor)"},
    VC_OPTION_END};

const vc_command vc_command_load = {
    .name = "load",
    .operands = "DEFINITION...",
    .summary = "define cubes and load their data, all or nothing",
    .help =
        "Reads definition files, or all of a folder, in any order, loads the data that they name,\n"
        "and publishes everything at once. If anything is wrong, the store stays as it was.\n"
        "Bad rows go to FILE.rejects.csv with line, column and reason.\n\n"
        "Examples:\n"
        "  vcube load -d data samples/world\n"
        "  vcube load -d data --max-rejects 10 sales.json\n"
        "  zcat today.csv.gz | vcube load -d data --append sales_from_stdin.json",
    .options = load_option_list,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run_load,
};

/* ---- check ---- */

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
        printf("%.*s: %.*s over %.*s: %llu of %llu keys match (%.1f%%)\n", VC_FMT(name),
               VC_FMT(coverage[i].source), VC_FMT(coverage[i].dimension),
               (unsigned long long)counts->keys_matched, (unsigned long long)counts->keys,
               counts->keys == 0 ? 100.0
                                 : 100.0 * (double)counts->keys_matched / (double)counts->keys);
    }
    vc_arena_release(&arena);
    return status;
}

/* The coverage of every virtual cube, as the store would be. */
static vc_status print_coverages(void *context, const vc_snapshot *preview, vc_error *error)
{
    vc_arena arena = {0};
    vc_object *objects;
    size_t nobjects = 0;
    vc_model *model = NULL;
    clear_line(context);
    vc_status status = vc_snapshot_list(preview, VC_KIND_CUBE, &arena, &objects, &nobjects, error);
    if (status == VC_OK) status = vc_model_new((vc_snapshot *)preview, false, &model, error);
    for (size_t i = 0; i < nobjects && status == VC_OK; i++)
        status = print_coverage_of(model, objects[i].name, error);
    vc_model_free(model);
    vc_arena_release(&arena);
    return status;
}

static int run_check(const vc_arguments *arguments)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_store *store = NULL;
    vc_load_options options;
    vc_load_report report;
    struct progress progress;
    struct definitions definitions = {0};
    bool has_store = vc_arguments_get(arguments, "dir") != NULL;
    vc_status status = load_options(arguments, &progress, &options, &error);
    options.check_only = true;
    options.checked = print_coverages;
    if (status == VC_OK) status = read_definitions(arguments, &arena, &definitions, &error);
    if (status == VC_OK && has_store)
        status = vc_cli_open_store(arguments, VC_TO_CHANGE, &store, &error);
    if (status == VC_OK)
        status = vc_load_definitions(store, definitions.items, definitions.count, &options, &arena,
                                     &report, &error);
    clear_line(&progress);
    if (status == VC_OK && !vc_cli_is_quiet()) {
        print_report(&report, &arena);
        vc_cli_say("%zu definitions are in order; nothing was loaded", definitions.count);
    }
    vc_store_close(store);
    release_definitions(&definitions);
    vc_arena_release(&arena);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option check_option_list[] = {
    {"dir", 'd', "DIR", "check against the cubes of this store, too"},
    {"append", 0, NULL, "check as for an append"},
    {"max-rejects", 0, "N", "how many bad rows to pass over (default 0)"},
    {"rejects-dir", 0, "DIR", "where FILE.rejects.csv go (default: beside each data file)"},
    {"threads", 0, "N", "how many threads read facts (default: one per processor)"},
    VC_OPTION_END};

const vc_command vc_command_check = {
    .name = "check",
    .operands = "DEFINITION...",
    .summary = "validate definitions and their data without loading",
    .help = "Does all that load does, data included, but publishes nothing, and prints how well\n"
            "each join covers its keys.\n\n"
            "Example:\n  vcube check samples/world",
    .options = check_option_list,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run_check,
};

/* ---- drop ---- */

static int run_drop(const vc_arguments *arguments)
{
    vc_error error = {0};
    vc_store *store;
    vc_kind kind = VC_KIND_CUBE;
    if (vc_arguments_get(arguments, "dimension") != NULL) kind = VC_KIND_DIMENSION;
    if (vc_arguments_get(arguments, "crosswalk") != NULL) kind = VC_KIND_CROSSWALK;
    vc_status status = vc_cli_open_store(arguments, VC_TO_CHANGE, &store, &error);
    if (status != VC_OK) return vc_cli_fail(&error);
    status = vc_object_drop(store, kind, vc_str_of(arguments->operands[0]),
                            vc_arguments_get(arguments, "force") != NULL, NULL, &error);
    vc_store_close(store);
    if (status == VC_OK) vc_cli_say("dropped %s '%s'", vc_kind_name(kind), arguments->operands[0]);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option drop_option_list[] = {
    VC_OPTION_DIR,
    {"dimension", 0, NULL, "drop a shared dimension of that name"},
    {"crosswalk", 0, NULL, "drop a crosswalk of that name"},
    {"force", 0, NULL, "also when others depend on it"},
    VC_OPTION_END};

const vc_command vc_command_drop = {
    .name = "drop",
    .operands = "NAME",
    .summary = "take a cube out of the store",
    .help = "Refuses, and lists them, when virtual cubes depend on it.\n\n"
            "Example:\n  vcube drop -d data world",
    .options = drop_option_list,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_drop,
};
