/* load, drop. */
#include "cli/cli.h"
#include "cli/loading.h"
#include "cube/dependency.h"

#include <time.h>

/* ---- load ---- */

static int run_load(const vc_arguments *arguments)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_store *store = NULL;
    vc_load_options options;
    vc_load_report report;
    vc_loading progress;
    vc_definitions definitions = {0};
    struct timespec started;
    clock_gettime(CLOCK_MONOTONIC, &started);
    vc_status status = vc_loading_options(arguments, &progress, &options, &error);
    if (status == VC_OK) status = vc_definitions_read(arguments, &arena, &definitions, &error);
    if (status == VC_OK) status = vc_cli_open_store(arguments, VC_TO_LOAD, &store, &error);
    if (status == VC_OK)
        status = vc_load_definitions(store, definitions.items, definitions.count, &options, &arena,
                                     &report, &error);
    vc_loading_clear(&progress);
    if (status == VC_OK && !vc_cli_is_quiet()) {
        double seconds = vc_loading_seconds(&started);
        vc_str rows = vc_cli_count(&arena, report.nrows);
        vc_loading_report(&report, &arena);
        char rate[48] = "";
        if (report.nbytes > 1000000) /* of less, a rate says nothing */
            snprintf(rate, sizeof rate, " (%.1f MB/s)", (double)report.nbytes / 1e6 / seconds);
        vc_cli_say("loaded %.*s rows in %.2f s%s; the store is at epoch %llu", VC_FMT(rows),
                   seconds, rate, (unsigned long long)report.epoch);
    }
    vc_store_close(store);
    vc_definitions_release(&definitions);
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
