/* A data file while it is loaded: where it is, its rows, its rejects, and how far it has come. */
#include "base/nearest.h"
#include "cube/load_parts.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A load that has failed by its rejects reads on for so many more, so that the file of rejects is
 * worth looking at, and not to the end of a file that is all wrong. */
enum { REJECTS_BEYOND_LIMIT = 1000 };

enum { PROGRESS_ROWS = 4096, PROGRESS_NS = 100 * 1000 * 1000 };

/* Among so many files of a folder the nearest name is looked for. */
enum { CANDIDATE_FILES = 10000 };

/* ---- messages ---- */

void vc_loader_warn(const vc_loader *loader, const char *format, ...)
{
    if (loader->options->warning == NULL) return;
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    loader->options->warning(loader->options->context, sentence);
}

vc_status vc_loader_place(const vc_definition *definition, vc_error *error, const char *format, ...)
{
    if (error == NULL) return VC_BAD_INPUT;
    char pointer[sizeof error->pointer];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(pointer, sizeof pointer, format, arguments);
    va_end(arguments);
    vc_error_at_pointer(error, "%s", pointer);
    vc_definition_locate(definition, error);
    return error->status;
}

/* ---- paths ---- */

static bool is_stdin(vc_str path)
{
    return vc_str_is(path, "-");
}

static vc_str resolve_path(const vc_definition *definition, vc_str path, vc_arena *arena)
{
    bool is_whole = is_stdin(path) || vc_str_starts_with(path, VC_STR("/")) ||
                    vc_str_is_null(definition->directory) || definition->directory.size == 0;
    if (is_whole) return vc_arena_str(arena, path);
    const char *slash = vc_str_ends_with(definition->directory, VC_STR("/")) ? "" : "/";
    return vc_arena_printf(arena, "%.*s%s%.*s", VC_FMT(definition->directory), slash, VC_FMT(path));
}

/* ---- which files a definition names ---- */

static void list_csv(vc_load_csv *csvs, size_t *count, const vc_definition *definition,
                     const vc_csv_def *csv, vc_str pointer)
{
    if (csvs != NULL)
        csvs[*count] = (vc_load_csv){.definition = definition, .csv = csv, .pointer = pointer};
    ++*count;
}

static void list_table(vc_load_csv *csvs, size_t *count, const vc_definition *definition,
                       const vc_dimension_def *dimension, const char *at, vc_arena *arena)
{
    if (!dimension->has_table) return;
    list_csv(csvs, count, definition, &dimension->table,
             vc_arena_printf(arena, "%s/table/csv", at));
    for (size_t i = 0; i < dimension->nlookups; i++)
        list_csv(csvs, count, definition, &dimension->lookups[i].csv,
                 vc_arena_printf(arena, "%s/lookups/%zu/csv", at, i));
}

static size_t list_csvs(vc_load_csv *csvs, const vc_definition *definition, vc_arena *arena)
{
    size_t count = 0;
    if (definition->kind == VC_DEFINITION_CROSSWALK)
        list_csv(csvs, &count, definition, &definition->as.crosswalk.data, VC_STR("/data/csv"));
    if (definition->kind == VC_DEFINITION_DIMENSION)
        list_table(csvs, &count, definition, &definition->as.dimension, "", arena);
    if (definition->kind != VC_DEFINITION_SOURCE) return count;
    const vc_cube_def *cube = &definition->as.cube;
    for (size_t d = 0; d < cube->ndimensions; d++) {
        char at[64];
        snprintf(at, sizeof at, "/dimensions/%zu", d);
        if (cube->dimensions[d].own != NULL)
            list_table(csvs, &count, definition, cube->dimensions[d].own, at, arena);
    }
    if (!vc_str_is_null(cube->data.path))
        list_csv(csvs, &count, definition, &cube->data,
                 cube->data.is_ndjson ? VC_STR("/data/ndjson") : VC_STR("/data/csv"));
    return count;
}

vc_status vc_load_list_csvs(const vc_definition *definition, vc_arena *arena,
                            vc_load_csv **csvs_out, size_t *ncsvs_out, vc_error *error)
{
    size_t count = list_csvs(NULL, definition, arena);
    vc_load_csv *csvs = VC_ARENA_NEW(arena, vc_load_csv, count);
    if (csvs == NULL) return vc_no_memory(error);
    list_csvs(csvs, definition, arena);
    for (size_t i = 0; i < count; i++) {
        if (csvs[i].pointer.data == NULL) return vc_no_memory(error);
    }
    *csvs_out = csvs;
    *ncsvs_out = count;
    return VC_OK;
}

vc_status vc_load_list_files(const vc_definition *definition, vc_arena *arena,
                             vc_load_named **files_out, size_t *nfiles_out, vc_error *error)
{
    vc_load_csv *csvs;
    vc_status status = vc_load_list_csvs(definition, arena, &csvs, nfiles_out, error);
    if (status != VC_OK) return status;
    *files_out = VC_ARENA_NEW(arena, vc_load_named, *nfiles_out);
    if (*files_out == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < *nfiles_out; i++)
        (*files_out)[i] = (vc_load_named){csvs[i].csv->path, csvs[i].pointer};
    return VC_OK;
}

/* ---- is it there ---- */

/* Names of the folder as the definition would write them: with the folder of the wrong path. */
static void report_near_files(vc_str path, vc_str written, vc_arena *arena, vc_error *error)
{
    const char *slash = memrchr(path.data, '/', path.size);
    size_t folder_size = slash == NULL ? 0 : (size_t)(slash - path.data) + 1;
    vc_str folder = {.data = path.data, .size = folder_size};
    vc_str name = {.data = path.data + folder_size, .size = path.size - folder_size};
    size_t prefix = written.size > name.size ? written.size - name.size : 0;
    DIR *directory =
        opendir(folder_size == 0 ? "." : vc_arena_printf(arena, "%.*s", VC_FMT(folder)).data);
    if (directory == NULL) return;
    vc_nearest nearest;
    vc_nearest_init(&nearest, written);
    struct dirent *entry;
    for (int i = 0; i < CANDIDATE_FILES && (entry = readdir(directory)) != NULL; i++) {
        if (entry->d_name[0] == '.') continue;
        vc_nearest_offer(
            &nearest, vc_arena_printf(arena, "%.*s%s", (int)prefix, written.data, entry->d_name));
    }
    closedir(directory);
    vc_nearest_report(&nearest, error);
}

vc_status vc_load_check_csv(const vc_load_csv *csv, vc_arena *arena, vc_error *error)
{
    vc_str path = resolve_path(csv->definition, csv->csv->path, arena);
    if (path.data == NULL) return vc_no_memory(error);
    if (is_stdin(path) || access(path.data, F_OK) == 0) return VC_OK;
    vc_fail(error, VC_NOT_FOUND, "missing_file", "no file '%s'", path.data);
    if (error != NULL) report_near_files(path, csv->csv->path, arena, error);
    vc_loader_place(csv->definition, error, "%.*s", VC_FMT(csv->pointer));
    return VC_NOT_FOUND;
}

/* ---- open and close ---- */

/* The rows of file->input. */
static vc_status open_rows(vc_load_file *file, const vc_csv_options *options, vc_error *error)
{
    file->decimal = options->is_ndjson ? '.' : options->decimal;
    vc_status status = vc_csv_open(file->input, options, &file->csv, error);
    if (status != VC_OK)
        vc_load_file_close(file);
    else
        file->progress = vc_input_get_progress(file->input);
    return status;
}

static vc_status find_options(const vc_load_csv *csv, vc_csv_options *options_out, vc_error *error)
{
    vc_status status = vc_csv_options_of(csv->csv, options_out, error);
    if (status != VC_OK) vc_loader_place(csv->definition, error, "%.*s", VC_FMT(csv->pointer));
    return status;
}

vc_status vc_load_file_open(vc_loader *loader, const vc_load_csv *csv, vc_load_file *file,
                            vc_error *error)
{
    vc_csv_options options;
    *file = (vc_load_file){.loader = loader, .definition = csv->definition};
    file->path = resolve_path(csv->definition, csv->csv->path, &loader->arena);
    if (file->path.data == NULL) return vc_no_memory(error);
    vc_status status = find_options(csv, &options, error);
    if (status == VC_OK) status = vc_input_open_file(file->path.data, &file->input, error);
    return status == VC_OK ? open_rows(file, &options, error) : status;
}

vc_status vc_load_body_open(vc_loader *loader, const vc_load_csv *csv, const vc_load_body *body,
                            vc_load_file *file, vc_error *error)
{
    vc_csv_options options;
    *file = (vc_load_file){.loader = loader, .definition = csv->definition};
    file->path = vc_str_of(body != NULL ? body->name : "nothing");
    vc_status status = find_options(csv, &options, error);
    if (status != VC_OK) return status;
    options.is_ndjson = body == NULL || body->is_ndjson;
    options.may_be_empty = body == NULL;
    options.has_header = csv->csv->has_header && !options.is_ndjson;
    if (options.is_ndjson) options.encoding = VC_ENCODING_UTF8;
    if (body != NULL && !vc_str_is_null(body->charset))
        status = vc_encoding_parse(body->charset, &options.encoding, error);
    if (status != VC_OK) return status;
    status = body == NULL ? vc_input_open_memory(VC_STR(""), file->path.data, &file->input, error)
                          : vc_input_open_source(body->source, body->context, body->nbytes,
                                                 body->name, &file->input, error);
    return status == VC_OK ? open_rows(file, &options, error) : status;
}

void vc_load_file_close(vc_load_file *file)
{
    if (file->input != NULL) file->loader->nbytes += vc_input_get_progress(file->input).bytes_done;
    vc_csv_close(file->csv);
    vc_input_close(file->input);
    file->csv = NULL;
    file->input = NULL;
}

/* ---- rejects ---- */

static vc_str name_rejects(const vc_load_file *file)
{
    const vc_load_options *options = file->loader->options;
    vc_str path = is_stdin(file->path) ? VC_STR("stdin") : file->path;
    vc_arena *arena = &file->loader->arena;
    if (options->rejects_directory == NULL)
        return vc_arena_printf(arena, "%.*s.rejects.csv", VC_FMT(path));
    const char *slash = memrchr(path.data, '/', path.size);
    const char *name = slash == NULL ? path.data : slash + 1;
    return vc_arena_printf(arena, "%s/%.*s.rejects.csv", options->rejects_directory,
                           (int)(path.data + path.size - name), name);
}

/* Definitions that read one data file share its file of rejects. */
static vc_status open_rejects(vc_load_file *file, vc_error *error)
{
    vc_loader *loader = file->loader;
    vc_str path = name_rejects(file);
    if (path.data == NULL) return vc_no_memory(error);
    for (vc_loader_rejects *entry = loader->rejects; entry != NULL; entry = entry->next) {
        if (vc_str_is(path, vc_rejects_path(entry->rejects))) {
            file->rejects = entry;
            return VC_OK;
        }
    }
    vc_loader_rejects *entry = VC_ARENA_NEW(&loader->arena, vc_loader_rejects, 1);
    if (entry == NULL) return vc_no_memory(error);
    vc_status status = vc_rejects_new(path.data, &entry->rejects, error);
    if (status != VC_OK) return status;
    entry->next = loader->rejects;
    loader->rejects = entry;
    file->rejects = entry;
    return VC_OK;
}

/* A check writes no files but where it was told to. */
static bool writes_rejects(const vc_loader *loader)
{
    const vc_load_options *options = loader->options;
    if (options->rejected != NULL) return false;
    return !options->check_only || options->rejects_directory != NULL;
}

/* A data folder that cannot be written to must not hide what is wrong with the data, so a failure
 * is only kept here. */
static void write_reject(vc_load_file *file, const vc_csv_row *row, const vc_error *reason)
{
    vc_loader *loader = file->loader;
    vc_error *failure = &loader->rejects_failure;
    vc_status status = file->rejects == NULL ? open_rejects(file, failure) : VC_OK;
    if (status == VC_OK)
        status = vc_rejects_put(file->rejects->rejects, reason, row->record, failure);
    failure->status = status;
    if (status == VC_OK) loader->rejects_last = file->rejects;
}

vc_status vc_load_file_reject(vc_load_file *file, const vc_csv_row *row, vc_error *reason,
                              vc_error *error)
{
    vc_loader *loader = file->loader;
    if (reason->file[0] == '\0' || reason->line == 0) vc_load_file_at(file, row, SIZE_MAX, reason);
    if (loader->nrejects++ == 0) loader->first_reject = *reason;
    file->nrejects++;
    if (loader->options->rejected != NULL)
        loader->options->rejected(loader->options->context, reason, row->record);
    if (writes_rejects(loader) && loader->rejects_failure.status == VC_OK)
        write_reject(file, row, reason);
    if (loader->nrejects > loader->options->max_rejects &&
        loader->nrejects - loader->options->max_rejects >= REJECTS_BEYOND_LIMIT)
        return vc_load_check_rejects(loader, error);
    return VC_OK;
}

vc_status vc_load_check_rejects(const vc_loader *loader, vc_error *error)
{
    const vc_load_options *options = loader->options;
    if (loader->nrejects <= options->max_rejects) {
        if (loader->rejects_failure.status != VC_OK && error != NULL)
            *error = loader->rejects_failure;
        return loader->rejects_failure.status;
    }
    vc_error found = loader->first_reject;
    const vc_loader_rejects *oldest = loader->rejects;
    while (oldest != NULL && oldest->next != NULL)
        oldest = oldest->next;
    if (loader->rejects_failure.status != VC_OK) oldest = NULL;
    vc_fail(error, VC_BAD_INPUT, "rejects", "%" PRIu64 " %s, %" PRIu64 " allowed%s: %s%s%s",
            loader->nrejects, loader->nrejects == 1 ? "row was rejected" : "rows were rejected",
            options->max_rejects, loader->nrejects == 1 ? "" : "; the first", found.message,
            oldest == NULL ? "" : "; see ", oldest == NULL ? "" : vc_rejects_path(oldest->rejects));
    vc_error_at_file(error, found.file, found.line, found.column);
    for (unsigned i = 0; i < found.ncandidates; i++)
        vc_error_add_candidate(error, found.candidates[i], strlen(found.candidates[i]));
    return VC_BAD_INPUT;
}

void vc_load_file_at(const vc_load_file *file, const vc_csv_row *row, size_t field, vc_error *error)
{
    if (field < row->nfields) {
        vc_csv_error_at(file->csv, row, field, error);
        return;
    }
    unsigned line = row->line > UINT32_MAX ? UINT32_MAX : (unsigned)row->line;
    vc_error_at_file(error, vc_input_name(file->input), line, 0);
}

/* ---- rows ---- */

static void tell_progress(vc_load_file *file)
{
    vc_loader *loader = file->loader;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (now_ns - loader->progress_ns < PROGRESS_NS) return;
    loader->progress_ns = now_ns;
    vc_load_progress progress = {.object = file->definition->name.data,
                                 .file = vc_input_name(file->input),
                                 .nrows = file->nrows,
                                 .bytes_done = file->progress.bytes_done,
                                 .bytes_total = file->progress.bytes_total};
    loader->options->progress(loader->options->context, &progress);
}

vc_status vc_load_file_next(vc_load_file *file, vc_csv_row *row, bool *is_end_out, vc_error *error)
{
    *is_end_out = false;
    for (;;) {
        vc_error *reason = &file->reason;
        switch (vc_csv_next(file->csv, row, reason)) {
        case VC_CSV_ROW:
            if (++file->nrows % PROGRESS_ROWS == 0 && file->loader->options->progress != NULL) {
                file->progress = vc_input_get_progress(file->input);
                tell_progress(file);
            }
            return VC_OK;
        case VC_CSV_END: *is_end_out = true; return VC_OK;
        case VC_CSV_FAILED:
            if (error != NULL) *error = *reason;
            return reason->status;
        case VC_CSV_REJECT: break;
        }
        vc_status status = vc_load_file_reject(file, row, reason, error);
        if (status != VC_OK) return status;
    }
}

vc_status vc_load_file_again(vc_load_file *file, vc_csv *fork, vc_csv_row *row, bool *has_row_out,
                             vc_error *error)
{
    vc_error *reason = &file->reason;
    vc_csv_event event = vc_csv_next(fork, row, reason);
    *has_row_out = event == VC_CSV_ROW;
    file->nrows += *has_row_out;
    if (event == VC_CSV_REJECT) return vc_load_file_reject(file, row, reason, error);
    if (event == VC_CSV_ROW) return VC_OK;
    if (error != NULL) *error = *reason;
    return reason->status;
}

void vc_load_file_count(vc_load_file *file, uint64_t nrows, uint64_t bytes_done)
{
    uint64_t before = file->nrows / PROGRESS_ROWS;
    file->nrows += nrows;
    file->progress.bytes_done = bytes_done;
    if (file->nrows / PROGRESS_ROWS != before && file->loader->options->progress != NULL)
        tell_progress(file);
}

vc_status vc_load_file_column(const vc_load_file *file, const vc_definition *definition,
                              vc_str name, size_t *field_out, vc_error *error, const char *pointer,
                              ...)
{
    vc_error found = {0};
    vc_status status = vc_csv_need_column(file->csv, name, field_out, &found);
    if (status == VC_OK) return VC_OK;
    /* The place is the definition's, so the data file goes into the sentence. */
    vc_fail(error, status, "unknown_column", "%s: %s", vc_input_name(file->input), found.message);
    for (unsigned i = 0; i < found.ncandidates; i++)
        vc_error_add_candidate(error, found.candidates[i], strlen(found.candidates[i]));
    char text[sizeof found.pointer];
    va_list arguments;
    va_start(arguments, pointer);
    vsnprintf(text, sizeof text, pointer, arguments);
    va_end(arguments);
    vc_loader_place(definition, error, "%s", text);
    return status;
}
