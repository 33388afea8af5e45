#include "report/xlsx_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static vc_status fail_file(vc_error *error, int number, const char *path, const char *what)
{
    vc_status status = VC_STORAGE;
    const char *why = number != 0 ? strerror(number) : "the file system failed";
    if (number == ENOSPC || number == EDQUOT) {
        status = vc_fail(error, VC_DISK_FULL, "disk_full", "cannot %s: %s", what, why);
    } else {
        status = vc_fail(error, VC_STORAGE, "storage", "cannot %s: %s", what, why);
    }
    vc_error_at_file(error, path, 0, 0);
    return status;
}

/* libxlsxwriter says on stderr what it cannot write: what can be known before is asked before. */
static vc_status make_file(const char *path, vc_error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return fail_file(error, errno, path, "make the workbook");
    close(file);
    return VC_OK;
}

/* The folder of a path, for what is written on the way: on the same disk, and not in a /tmp that
 * may be memory. */
static char *folder_of(const char *path, vc_arena *arena)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return (char *)vc_arena_str(arena, VC_STR(".")).data;
    size_t size = slash == path ? 1 : (size_t)(slash - path);
    return (char *)vc_arena_str(arena, (vc_str){.data = path, .size = size}).data;
}

static bool has_many_cells(const vc_document *document)
{
    size_t ncells = 0;
    for (size_t i = 0; i < document->nsections; i++) {
        const vc_grid *grid = vc_xlsx_grid_of(&document->sections[i]);
        if (grid != NULL) ncells += grid->nrows * (grid->ncolumns + grid->nhead_columns);
    }
    return ncells > VC_XLSX_MAX_CELLS_KEPT;
}

static void set_properties(vc_xlsx *xlsx)
{
    const vc_document *document = xlsx->document;
    /* The time of day would make every file another. */
    lxw_doc_properties properties = {.title = vc_xlsx_name(xlsx, document->title),
                                     .subject = vc_xlsx_name(xlsx, document->subtitle),
                                     .author = vc_xlsx_name(xlsx, document->generator),
                                     .created = 315532800}; /* 1980-01-01 */
    if (!xlsx->is_failed) workbook_set_properties(xlsx->book, &properties);
}

/* All sheets are made before the first is filled, which has links to them. */
static vc_status make_sheets(vc_xlsx *xlsx, vc_error *error)
{
    const vc_document *document = xlsx->document;
    xlsx->overview = workbook_add_worksheet(xlsx->book, "Report");
    if (xlsx->overview == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < document->nsections; i++) {
        vc_xlsx_sheet *sheet = &xlsx->sheets[i];
        char name[VC_XLSX_SHEET_NAME];
        sheet->section = &document->sections[i];
        if (vc_xlsx_grid_of(sheet->section) == NULL) continue;
        vc_xlsx_name_sheet(xlsx, sheet->section, i + 1, name);
        memcpy(sheet->name, name, sizeof name);
        sheet->sheet = workbook_add_worksheet(xlsx->book, name);
        if (sheet->sheet == NULL) return vc_no_memory(error);
    }
    return VC_OK;
}

/* What rows were written to on the way: a disk that was full then is remembered by the stream. */
static bool has_lost_rows(const vc_xlsx *xlsx)
{
    for (size_t i = 0; i < xlsx->document->nsections; i++) {
        lxw_worksheet *sheet = xlsx->sheets[i].sheet;
        if (sheet == NULL || sheet->optimize_tmpfile == NULL) continue;
        if (fflush(sheet->optimize_tmpfile) != 0 || ferror(sheet->optimize_tmpfile)) return true;
    }
    return false;
}

static vc_status close_book(vc_xlsx *xlsx, const char *path, vc_error *error)
{
    errno = 0;
    bool has_lost = has_lost_rows(xlsx);
    int number = errno;
    errno = 0;
    lxw_error closed = workbook_close(xlsx->book); /* frees it, too */
    if (!has_lost) number = errno;
    if (xlsx->is_failed || closed == LXW_ERROR_MEMORY_MALLOC_FAILED) return vc_no_memory(error);
    if (closed != LXW_NO_ERROR || has_lost)
        return fail_file(error, number, path, "write the workbook");
    return vc_xlsx_check(path, error);
}

static vc_status write_book(vc_xlsx *xlsx, const char *path, vc_error *error)
{
    lxw_workbook_options options = {.constant_memory = xlsx->is_constant,
                                    .tmpdir = folder_of(path, &xlsx->arena)};
    xlsx->book = options.tmpdir != NULL ? workbook_new_opt(path, &options) : NULL;
    if (xlsx->book == NULL) return vc_no_memory(error);
    set_properties(xlsx);
    vc_status status = make_sheets(xlsx, error);
    if (status != VC_OK) {
        lxw_workbook_free(xlsx->book);
        return status;
    }
    vc_xlsx_put_overview(xlsx);
    for (size_t i = 0; i < xlsx->document->nsections; i++)
        if (xlsx->sheets[i].sheet != NULL) vc_xlsx_put_sheet(xlsx, &xlsx->sheets[i]);
    return close_book(xlsx, path, error);
}

vc_status vc_xlsx_write(const vc_document *document, const char *path, vc_error *error)
{
    vc_xlsx xlsx = {.document = document, .is_constant = has_many_cells(document)};
    vc_status status = vc_xlsx_library_open(error);
    if (status == VC_OK) status = make_file(path, error);
    if (status != VC_OK) return status;
    xlsx.sheets = VC_ARENA_NEW(&xlsx.arena, vc_xlsx_sheet, document->nsections);
    status = xlsx.sheets != NULL ? write_book(&xlsx, path, error) : vc_no_memory(error);
    if (status != VC_OK) unlink(path);
    free(xlsx.formats);
    vc_buffer_release(&xlsx.text);
    vc_arena_release(&xlsx.arena);
    return status;
}
