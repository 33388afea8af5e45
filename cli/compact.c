/* compact. */
#include "cube/compact.h"
#include "cli/cli.h"

#include <time.h>
#include <unistd.h>

/* ---- progress ---- */

struct progress {
    bool is_terminal, has_line;
};

static void clear_line(struct progress *progress)
{
    if (progress->has_line) fputs("\r\033[K", stderr);
    progress->has_line = false;
}

/* "sales: 1,234,567 of 6,000,000 rows (21%)" */
static void show_progress(void *context, const vc_compact_progress *now)
{
    struct progress *progress = context;
    vc_arena arena = {0};
    if (!progress->is_terminal || now->nrows_total == 0) return;
    vc_str done = vc_cli_count(&arena, now->nrows);
    vc_str total = vc_cli_count(&arena, now->nrows_total);
    clear_line(progress);
    fprintf(stderr, "%s: %.*s of %.*s rows (%.0f%%)", now->cube, VC_FMT(done), VC_FMT(total),
            100.0 * (double)now->nrows / (double)now->nrows_total);
    fflush(stderr);
    progress->has_line = true;
    vc_arena_release(&arena);
}

/* ---- report ---- */

static vc_str show_change(vc_arena *arena, vc_str before, vc_str after)
{
    return vc_arena_printf(arena, "%.*s -> %.*s", VC_FMT(before), VC_FMT(after));
}

static const char *tell_state(const vc_compact_cube *cube)
{
    if (cube->is_virtual) return "virtual: it has no facts of its own";
    return cube->is_rewritten ? "compacted" : "as it was: nothing to be gained";
}

static void print_report(const vc_compact_report *report, vc_arena *arena)
{
    enum { COLUMNS = 7 };
    size_t nrows = report->ncubes + 1;
    vc_str *texts = VC_ARENA_NEW(arena, vc_str, nrows * COLUMNS);
    if (texts == NULL || report->ncubes == 0) return;
    static const char *const header[COLUMNS] = {
        "cube", "facts", "runs", "segments", "leaves renumbered", "bytes", "is"};
    for (size_t c = 0; c < COLUMNS; c++)
        texts[c] = vc_str_of(header[c]);
    for (size_t i = 0; i < report->ncubes; i++) {
        const vc_compact_cube *cube = &report->cubes[i];
        vc_str *row = texts + (i + 1) * COLUMNS;
        for (size_t c = 1; c < COLUMNS; c++)
            row[c] = VC_STR("");
        row[0] = cube->name;
        row[6] = vc_str_of(tell_state(cube));
        if (!cube->is_virtual) row[1] = vc_cli_count(arena, cube->nrows);
        if (!cube->is_rewritten) continue;
        row[2] = show_change(arena, vc_cli_count(arena, cube->nruns_before),
                             vc_cli_count(arena, cube->nruns_after));
        row[3] = show_change(arena, vc_cli_count(arena, cube->nsegments_before),
                             vc_cli_count(arena, cube->nsegments_after));
        row[4] = vc_cli_count(arena, cube->nrenumbered);
        row[5] = show_change(arena, vc_cli_bytes(arena, cube->bytes_before),
                             vc_cli_bytes(arena, cube->bytes_after));
    }
    vc_cli_table(texts, nrows, COLUMNS,
                 (bool[COLUMNS]){false, true, true, true, true, true, false});
    for (size_t i = 0; i < report->ncubes; i++)
        if (!vc_str_is_null(report->cubes[i].note))
            vc_cli_say("%.*s: %.*s", VC_FMT(report->cubes[i].name), VC_FMT(report->cubes[i].note));
}

static void print_end(vc_store *store, const vc_compact_report *report, double seconds,
                      vc_arena *arena)
{
    vc_store_stats stats;
    if (report->ncubes == 0) {
        vc_cli_say("the store has no cubes yet: vcube load -d DIR DEFINITION...");
        return;
    }
    if (report->nrewritten == 0) {
        vc_cli_say("nothing to be gained; the store is as it was (--force rewrites it anyway)");
        return;
    }
    vc_cli_say("compacted %zu %s in %.2f s; the store is at epoch %llu", report->nrewritten,
               report->nrewritten == 1 ? "cube" : "cubes", seconds,
               (unsigned long long)report->epoch);
    if (vc_store_stat(store, &stats, NULL) != VC_OK) return;
    vc_str file = vc_cli_bytes(arena, stats.file_bytes);
    vc_str unused = vc_cli_bytes(arena, stats.free_bytes);
    vc_cli_say("the file has %.*s, of which %.*s are free for later loads; the older version goes "
               "when its epoch is not kept any more",
               VC_FMT(file), VC_FMT(unused));
}

/* ---- the command ---- */

static vc_status compact(const vc_arguments *arguments, vc_store *store, struct progress *progress,
                         vc_arena *arena, vc_compact_report *report, vc_error *error)
{
    vc_compact_options options = {.force = vc_arguments_get(arguments, "force") != NULL,
                                  .progress = show_progress,
                                  .context = progress};
    vc_status status = vc_arguments_threads(arguments, &options.nthreads, error);
    vc_str *names = VC_ARENA_NEW(arena, vc_str, arguments->noperands);
    if (names == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < arguments->noperands; i++)
        names[i] = vc_str_of(arguments->operands[i]);
    if (status == VC_OK)
        status =
            vc_store_compact(store, names, arguments->noperands, &options, arena, report, error);
    clear_line(progress);
    return status;
}

static int run_compact(const vc_arguments *arguments)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_store *store = NULL;
    vc_compact_report report;
    struct timespec start, end;
    struct progress progress = {.is_terminal = isatty(STDERR_FILENO) && !vc_cli_is_quiet()};
    clock_gettime(CLOCK_MONOTONIC, &start);
    vc_status status = vc_cli_open_store(arguments, VC_TO_CHANGE, &store, &error);
    if (status == VC_OK) status = compact(arguments, store, &progress, &arena, &report, &error);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (status == VC_OK && !vc_cli_is_quiet()) {
        double seconds =
            (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
        print_report(&report, &arena);
        print_end(store, &report, seconds, &arena);
    }
    vc_store_close(store);
    vc_arena_release(&arena);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option option_list[] = {
    VC_OPTION_DIR,
    {"force", 0, NULL, "rewrite cubes also where nothing is to be gained"},
    {"threads", 0, "N", "how many threads work (default: one per processor)"},
    VC_OPTION_END};

const vc_command vc_command_compact = {
    .name = "compact",
    .operands = "[CUBE...]",
    .summary = "put facts that were appended in parts together again",
    .help =
        "Numbers the members of dimensions anew, in the order of their hierarchy, sorts the facts\n"
        "as the definition says (`cluster`), and writes them as one run. Answers stay the same.\n"
        "Without names, all cubes; what has nothing to gain is left alone.\n\n"
        "A server may answer meanwhile: it goes over to the new version by itself, and what\n"
        "stops this leaves the store as it was. For a while the store needs room for both.\n\n"
        "Examples:\n"
        "  vcube load -d data --append sales_today.json\n"
        "  vcube compact -d data\n"
        "  vcube compact -d data sales",
    .options = option_list,
    .max_operands = SIZE_MAX,
    .run = run_compact,
};
