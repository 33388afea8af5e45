/* Write the documents of tests/report/fixtures.h as files, FOLDER/NAME.html and so on; and
 * FOLDER/NAME.grids.json, the grids of its sections as texts and exact numbers, for who looks
 * whether a format has them all.
 *
 *     build/tests/reports/write FOLDER [NAME...]
 */
#include "tests/report/fixtures.h"

#include "report/writers.h"

#include <stdio.h>

static vc_status write_file(void *context, const char *data, size_t size, vc_error *error)
{
    if (fwrite(data, 1, size, context) == size) return VC_OK;
    return vc_fail(error, VC_STORAGE, "io", "a file cannot be written");
}

/* [head, ..., number, ...]; what spans others stands at the first of them. */
static void put_row(const vc_grid *grid, size_t row, vc_buffer *out)
{
    for (size_t i = 0; i < grid->nhead_columns; i++) {
        const vc_grid_head *head = &grid->row_heads[row * grid->nhead_columns + i];
        vc_buffer_put_text(out, i > 0 ? "," : "[");
        vc_buffer_put_json(out, head->span > 0 ? head->text : VC_STR(""));
    }
    for (size_t i = 0; i < grid->ncolumns; i++) {
        vc_buffer_put_text(out, i + grid->nhead_columns > 0 ? "," : "[");
        if (vc_grid_cell(grid, row, i)->is_null)
            vc_buffer_put_text(out, "null");
        else
            vc_grid_put_exact(grid, row, i, out);
    }
    vc_buffer_put_text(out, grid->ncolumns + grid->nhead_columns > 0 ? "]" : "[]");
}

static void put_grid(const vc_section *section, vc_buffer *out)
{
    const vc_grid *grid = section->chart != NULL ? section->chart->grid : section->grid;
    vc_buffer_printf(out, "{\"chart\":%s,\"nhead_rows\":%zu,\"nhead_columns\":%zu,\"rows\":[",
                     section->chart != NULL ? "true" : "false", grid->nhead_rows,
                     grid->nhead_columns);
    for (size_t row = 0; row < grid->nrows; row++) {
        if (row > 0) vc_buffer_put_char(out, ',');
        put_row(grid, row, out);
    }
    vc_buffer_put_text(out, "]}");
}

static vc_status write_grids(const vc_document *document, vc_render_sink sink, vc_error *error)
{
    vc_buffer out = {0};
    vc_buffer_put_char(&out, '[');
    for (size_t i = 0; i < document->nsections; i++) {
        if (document->sections[i].grid == NULL) continue;
        if (out.size > 1) vc_buffer_put_char(&out, ',');
        put_grid(&document->sections[i], &out);
    }
    vc_buffer_put_text(&out, "]\n");
    vc_status status =
        out.failed ? vc_no_memory(error) : sink.write(sink.context, out.data, out.size, error);
    vc_buffer_release(&out);
    return status;
}

static int write_document(const char *folder, const char *name)
{
    static const struct {
        const char *extension;
        vc_status (*write)(const vc_document *document, vc_render_sink sink, vc_error *error);
    } formats[] = {{"html", vc_html_write},
                   {"md", vc_markdown_write},
                   {"pdf", vc_pdf_write},
                   {"grids.json", write_grids}};
    vc_arena arena = {0};
    vc_error error = {0};
    const vc_document *document = fixture_document(name, &arena);
    bool is_good = document != NULL;
    for (size_t i = 0; is_good && i < sizeof formats / sizeof formats[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s.%s", folder, name, formats[i].extension);
        FILE *file = fopen(path, "wb");
        is_good = file != NULL &&
                  formats[i].write(document, (vc_render_sink){.write = write_file, .context = file},
                                   &error) == VC_OK;
        if (file != NULL) is_good &= fclose(file) == 0;
    }
    if (is_good) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s.xlsx", folder, name);
        is_good = vc_xlsx_write(document, path, &error) == VC_OK;
    }
    vc_arena_release(&arena);
    if (!is_good) fprintf(stderr, "%s: %s\n", name, error.message);
    return !is_good;
}

int main(int argc, char **argv)
{
    int nfailed = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: write FOLDER [NAME...]\n");
        return 2;
    }
    if (argc == 2)
        for (size_t i = 0; fixture_names[i] != NULL; i++)
            nfailed += write_document(argv[1], fixture_names[i]);
    for (int i = 2; i < argc; i++)
        nfailed += write_document(argv[1], argv[i]);
    return nfailed > 0;
}
