#include "cli/loading.h"

#include <unistd.h>

/* ---- progress ---- */

double vc_loading_seconds(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

void vc_loading_clear(vc_loading *progress)
{
    if (progress->has_line) fputs("\r\033[K", stderr);
    progress->has_line = false;
}

/* "city_facts: 123,456 rows, 85.2 MB/s, 45 %, 2 s left" */
static void show_progress(void *context, const vc_load_progress *now)
{
    vc_loading *progress = context;
    vc_arena arena = {0};
    if (!progress->is_terminal) return;
    if (progress->file != now->file) {
        progress->file = now->file;
        clock_gettime(CLOCK_MONOTONIC, &progress->started);
    }
    double seconds = vc_loading_seconds(&progress->started);
    double rate = seconds > 0 ? (double)now->bytes_done / seconds : 0;
    vc_str rows = vc_cli_count(&arena, now->nrows);
    vc_loading_clear(progress);
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
    vc_loading_clear(context);
    vc_cli_say("warning: %s", sentence);
}

/* ---- reading definitions ---- */

void vc_definitions_release(vc_definitions *definitions)
{
    for (size_t i = 0; i < definitions->count; i++)
        vc_definition_release(definitions->items[i]);
}

vc_status vc_definitions_read(const vc_arguments *arguments, vc_arena *arena,
                              vc_definitions *definitions, vc_error *error)
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

void vc_loading_report(const vc_load_report *report, vc_arena *arena)
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

vc_status vc_loading_options(const vc_arguments *arguments, vc_loading *progress,
                             vc_load_options *options, vc_error *error)
{
    *progress = (vc_loading){.is_terminal = isatty(STDERR_FILENO) && !vc_cli_is_quiet()};
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
