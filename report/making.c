/* The files of one document. */
#include "report/run.h"

#include <stdio.h>

static bool has_file_per_section(vc_report_format format)
{
    return format == VC_REPORT_CSV || format == VC_REPORT_JSONSTAT;
}

/* Has a section a file of its own in such a format? JSON-stat is made of its answer. */
static bool has_file(const vc_section *section, vc_report_format format)
{
    if (section->kind == VC_SECTION_FAILED || section->grid == NULL) return false;
    return format == VC_REPORT_CSV || section->query.data != NULL;
}

static vc_status add_file(vc_run_files *files, vc_folder *folder, vc_str path,
                          vc_report_format format, vc_error *error)
{
    if (path.data == NULL) return vc_no_memory(error);
    vc_status status = vc_folder_create(folder, path, &files->open[files->nfiles], error);
    if (status != VC_OK) return status;
    files->files[files->nfiles++] = (vc_made_file){.path = path, .format = format};
    return VC_OK;
}

static void take_sum(vc_run_files *files)
{
    vc_made_file *file = &files->files[files->nfiles - 1];
    vc_folder_file *open = &files->open[files->nfiles - 1];
    file->nbytes = open->nbytes;
    vc_folder_file_sum(open, file->sum);
}

static vc_status write_document(const vc_run_plan *plan, const vc_sweep_item *item,
                                vc_report_format format, vc_folder *folder,
                                const vc_document *document, vc_arena *arena, vc_run_files *files,
                                vc_error *error)
{
    char way[VC_FOLDER_PATH] = "";
    vc_str path =
        vc_arena_printf(arena, "%.*s.%s", VC_FMT(item->file), vc_report_format_extension(format));
    vc_status status = add_file(files, folder, path, format, error);
    if (status != VC_OK) return status;
    vc_folder_file *open = &files->open[files->nfiles - 1];
    if (format == VC_REPORT_XLSX) vc_folder_file_path(open, way);
    status =
        plan->maker.write(plan->maker.context, format, document, vc_folder_sink(open), way, error);
    if (status == VC_OK && format == VC_REPORT_XLSX) status = vc_folder_reread(open, error);
    if (status == VC_OK) take_sum(files);
    return status;
}

/* ---- files of sections ---- */

/* What ends the run, and not only the file. */
static bool is_of_the_whole(vc_status status)
{
    return status == VC_NO_MEMORY || status == VC_CANCELLED || status == VC_CORRUPT ||
           status == VC_STORAGE || status == VC_DISK_FULL;
}

static vc_status add_problem(vc_composed *composed, const vc_section *section,
                             const vc_made_file *file, const vc_error *problem, vc_arena *arena,
                             vc_error *error)
{
    char text[2048];
    vc_problem *problems = VC_ARENA_NEW(arena, vc_problem, composed->nproblems + 1);
    if (problems == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < composed->nproblems; i++)
        problems[i] = composed->problems[i];
    vc_error_format(problem, text, sizeof text);
    vc_problem *last = &problems[composed->nproblems];
    *last =
        (vc_problem){.kind = VC_PROBLEM_SECTION, .section = section->id, .query = section->query};
    last->message = vc_arena_printf(arena, "%.*s: %s", VC_FMT(file->path), text);
    if (last->message.data == NULL) return vc_no_memory(error);
    composed->problems = problems;
    composed->nproblems++;
    return VC_OK;
}

static vc_status write_section(const vc_run_plan *plan, const vc_sweep_item *item,
                               vc_report_format format, const vc_engine_options *options,
                               vc_folder *folder, vc_arena *arena, const vc_section *section,
                               vc_composed *composed, vc_run_files *files, vc_error *error)
{
    vc_error problem = {0};
    vc_str path = vc_arena_printf(arena, "%.*s.%.*s.%s", VC_FMT(item->file), VC_FMT(section->id),
                                  vc_report_format_extension(format));
    vc_status status = add_file(files, folder, path, format, error);
    if (status != VC_OK) return status;
    vc_folder_file *open = &files->open[files->nfiles - 1];
    status = plan->maker.write_section(plan->maker.context, format, item, section, options,
                                       vc_folder_sink(open), &problem);
    if (status == VC_OK) {
        take_sum(files);
    } else if (is_of_the_whole(status)) {
        if (error != NULL) *error = problem;
    } else {
        vc_folder_drop(open);
        files->nfiles--;
        status =
            add_problem(composed, section, &files->files[files->nfiles], &problem, arena, error);
    }
    return status;
}

/* ---- all of them ---- */

static vc_status write_files(const vc_run_plan *plan, const vc_sweep_item *item,
                             const vc_engine_options *options, vc_folder *folder, vc_arena *arena,
                             vc_composed *composed, vc_run_files *files, vc_error *error)
{
    const vc_document *document = &composed->document;
    vc_status status = VC_OK;
    for (unsigned i = 0; i < VC_REPORT_FORMATS && status == VC_OK; i++) {
        vc_report_format format = (vc_report_format)i;
        if (!plan->formats[i]) continue;
        if (!has_file_per_section(format))
            status = write_document(plan, item, format, folder, document, arena, files, error);
        for (size_t j = 0; has_file_per_section(format) && j < document->nsections; j++)
            if (status == VC_OK && has_file(&document->sections[j], format))
                status = write_section(plan, item, format, options, folder, arena,
                                       &document->sections[j], composed, files, error);
    }
    return status;
}

static bool may_be_published(const vc_run_plan *plan, const vc_composed *composed)
{
    if (plan->is_strict && composed->nproblems > 0) return false;
    for (size_t i = 0; i < composed->nproblems; i++)
        if (composed->problems[i].kind == VC_PROBLEM_ASSERTION) return false;
    return true;
}

vc_status vc_run_make(const vc_run_plan *plan, const vc_sweep_item *item,
                      const vc_engine_options *options, vc_folder *folder, vc_arena *arena,
                      vc_composed *composed_out, vc_run_files *files_out, bool *is_published_out,
                      vc_error *error)
{
    *files_out = (vc_run_files){0};
    *is_published_out = false;
    vc_status status =
        plan->maker.compose(plan->maker.context, item, options, arena, composed_out, error);
    if (status != VC_OK || !may_be_published(plan, composed_out)) return status;
    size_t capacity = VC_REPORT_FORMATS + 2 * composed_out->document.nsections;
    files_out->files = VC_ARENA_NEW(arena, vc_made_file, capacity);
    files_out->open = VC_ARENA_NEW(arena, vc_folder_file, capacity);
    if (files_out->files == NULL || files_out->open == NULL) return vc_no_memory(error);
    status = write_files(plan, item, options, folder, arena, composed_out, files_out, error);
    *is_published_out = status == VC_OK && may_be_published(plan, composed_out);
    return status;
}

void vc_run_drop_files(vc_run_files *files)
{
    for (size_t i = 0; i < files->nfiles; i++)
        vc_folder_drop(&files->open[i]);
}

vc_status vc_run_paths(const vc_run_plan *plan, const vc_sweep_item *item, vc_arena *arena,
                       const vc_str **paths_out, size_t *npaths_out, vc_error *error)
{
    vc_str *paths = VC_ARENA_NEW(arena, vc_str, VC_REPORT_FORMATS);
    size_t npaths = 0;
    if (paths == NULL) return vc_no_memory(error);
    for (unsigned i = 0; i < VC_REPORT_FORMATS; i++) {
        vc_report_format format = (vc_report_format)i;
        if (!plan->formats[i]) continue;
        vc_str path = vc_arena_printf(arena, "%.*s.%s%s", VC_FMT(item->file),
                                      has_file_per_section(format) ? "*." : "",
                                      vc_report_format_extension(format));
        if (path.data == NULL) return vc_no_memory(error);
        paths[npaths++] = path;
    }
    *paths_out = paths;
    *npaths_out = npaths;
    return VC_OK;
}
