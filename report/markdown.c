/* A document as Markdown (CommonMark with the pipe tables of GFM). Texts of the data are escaped so
 * that they read as they are: no markup, no HTML, no list or heading where a line begins so. A
 * table has one row of heads there, so heads above each other stand in one, "2010 · Population";
 * each row has all its heads. */
#include "render/people.h"
#include "report/blocks.h"
#include "report/writers.h"

#include <string.h>

typedef struct markdown {
    const vc_document *document;
    vc_blocks blocks;
    vc_buffer number; /* for one */
} markdown;

static void put_text(markdown *out, const char *text)
{
    vc_buffer_put_text(&out->blocks.buffer, text);
}

/* ---- escaping ---- */

static bool begins_entity(vc_str text, size_t at)
{
    if (at + 1 >= text.size) return false;
    unsigned char next = (unsigned char)text.data[at + 1];
    return next == '#' || ((next | 0x20) >= 'a' && (next | 0x20) <= 'z');
}

/* A byte of a line, or a control. Returns how many bytes it was. */
static size_t put_byte(vc_buffer *out, vc_str line, size_t at)
{
    unsigned char byte = (unsigned char)line.data[at];
    size_t ncontrol = vc_put_control(out, line, at);
    if (ncontrol > 0) return ncontrol;
    if (byte == '<') {
        vc_buffer_put_text(out, "&lt;");
    } else if (byte == '>') {
        vc_buffer_put_text(out, "&gt;");
    } else if (byte == '&' && begins_entity(line, at)) {
        vc_buffer_put_text(out, "&amp;");
    } else if (byte == '\t' || byte == '\n') {
        vc_buffer_put_char(out, ' ');
    } else if (byte != '\r') {
        if (strchr("\\`*_[]|~$", byte) != NULL) vc_buffer_put_char(out, '\\');
        vc_buffer_put_char(out, (char)byte);
    }
    return 1;
}

/* Where does what makes a block of a line end: the "#" of a heading, the "." of "1."? That byte
 * gets a backslash. Returns its place, SIZE_MAX when there is none. */
static size_t mark_of_block(vc_str line)
{
    size_t at = 0;
    if (line.size > 0 && strchr("#+-=:", line.data[0]) != NULL) return 0;
    while (at < line.size && line.data[at] >= '0' && line.data[at] <= '9')
        at++;
    return at > 0 && at < line.size && strchr(".)", line.data[at]) != NULL ? at : SIZE_MAX;
}

/* A text as one line, or as a part of one. */
static void put_line(vc_buffer *out, vc_str text, bool begins_block)
{
    text = vc_str_trim(text);
    size_t mark = begins_block ? mark_of_block(text) : SIZE_MAX;
    for (size_t i = 0; i < text.size;) {
        bool closes_heading = text.data[i] == '#' && i + 1 == text.size;
        if (i == mark || closes_heading) vc_buffer_put_char(out, '\\');
        i += put_byte(out, text, i);
    }
}

static void put_inline(vc_buffer *out, vc_str text)
{
    put_line(out, text, false);
}

/* The lines of a text stay lines, its empty ones divide paragraphs. */
static void put_lines(vc_buffer *out, vc_str text)
{
    bool is_first = true, was_empty = false;
    while (!vc_str_is_null(text)) {
        vc_str line = vc_str_split(&text, '\n');
        if (line.size > 0 && line.data[line.size - 1] == '\r') line.size--;
        if (vc_str_trim(line).size == 0) {
            was_empty = true;
            continue;
        }
        if (!is_first) vc_buffer_put_text(out, was_empty ? "\n\n" : "\\\n");
        put_line(out, line, true);
        is_first = was_empty = false;
    }
}

/* Between more backticks than the text has in a row. */
static void put_code(vc_buffer *out, vc_str text)
{
    size_t run = 0, most = 0;
    for (size_t i = 0; i < text.size; i++) {
        run = text.data[i] == '`' ? run + 1 : 0;
        if (run > most) most = run;
    }
    for (size_t i = 0; i <= most; i++)
        vc_buffer_put_char(out, '`');
    if (most > 0) vc_buffer_put_char(out, ' ');
    vc_put_safe(out, text);
    if (most > 0) vc_buffer_put_char(out, ' ');
    for (size_t i = 0; i <= most; i++)
        vc_buffer_put_char(out, '`');
}

static void put_shown(markdown *out, vc_str text)
{
    if (vc_str_trim(text).size == 0)
        put_text(out, "*(empty)*");
    else
        put_inline(&out->blocks.buffer, text);
}

static void put_paragraph(markdown *out, vc_str text)
{
    if (vc_str_trim(text).size == 0) return;
    size_t first = out->blocks.buffer.size;
    put_lines(&out->blocks.buffer, text);
    if (out->blocks.buffer.size > first) put_text(out, "\n\n");
}

static void put_item(markdown *out, vc_str text)
{
    if (vc_str_trim(text).size == 0) return;
    put_text(out, "- ");
    put_line(&out->blocks.buffer, text, true);
    put_text(out, "\n");
}

static void put_heading(markdown *out, const char *marks, vc_str text)
{
    put_text(out, marks);
    put_text(out, " ");
    put_shown(out, text);
    put_text(out, "\n\n");
}

static void put_count(markdown *out, uint64_t count)
{
    char text[VC_NUMBER_TEXT];
    vc_buffer_put(&out->blocks.buffer, text, vc_format_count(text, count));
}

/* ---- tables ---- */

static const vc_grid_head *head_of(const vc_grid_head *heads, size_t at, size_t step)
{
    while (at > 0 && heads[at * step].span == 0)
        at--;
    return &heads[at * step];
}

/* "2010 · Population (persons)" */
static void put_column_head(markdown *out, const vc_grid *grid, size_t column)
{
    const vc_grid_head *before = NULL;
    put_text(out, " ");
    for (size_t r = 0; r < grid->nhead_rows; r++) {
        const vc_grid_head *head = head_of(&grid->column_heads[r * grid->ncolumns], column, 1);
        if (before != NULL && before->is_total && head->is_total) continue;
        if (before != NULL) put_text(out, " \xC2\xB7 ");
        put_shown(out, head->text);
        before = head;
    }
    put_text(out, " |");
}

static void put_table_head(markdown *out, const vc_grid *grid)
{
    put_text(out, "|");
    for (size_t c = 0; c < grid->nhead_columns; c++) {
        put_text(out, " ");
        put_inline(&out->blocks.buffer, grid->corners[c]);
        put_text(out, " |");
    }
    for (size_t column = 0; column < grid->ncolumns && vc_blocks_next(&out->blocks); column++)
        put_column_head(out, grid, column);
    put_text(out, "\n|");
    for (size_t c = 0; c < grid->nhead_columns; c++)
        put_text(out, "---|");
    for (size_t column = 0; column < grid->ncolumns; column++)
        put_text(out, "---:|");
    put_text(out, "\n");
}

/* What is below a total has no text of its own. */
static void put_row_head(markdown *out, const vc_grid_head *head, bool is_below_total)
{
    const char *mark = head->is_total ? "**" : (head->is_marked ? "*" : "");
    put_text(out, " ");
    for (unsigned i = 0; i < head->indent; i++)
        put_text(out, "&emsp;");
    put_text(out, head->text.size > 0 ? mark : "");
    if (head->text.size > 0 || !is_below_total) put_shown(out, head->text);
    put_text(out, head->text.size > 0 ? mark : "");
    put_text(out, " |");
}

static void put_cell(markdown *out, const vc_grid *grid, size_t row, size_t column)
{
    const vc_cell *cell = vc_grid_cell(grid, row, column);
    bool is_total = grid->is_total_row[row] || grid->is_total_column[column];
    put_text(out, is_total ? " **" : " ");
    vc_buffer_clear(&out->number); /* a format has text of its own, which is a stranger's */
    vc_grid_put_text(grid, row, column, &out->number);
    out->blocks.buffer.failed |= out->number.failed;
    put_inline(&out->blocks.buffer, (vc_str){out->number.data, out->number.size});
    if (cell->reason != 0) vc_buffer_printf(&out->blocks.buffer, " (%c)", cell->reason);
    put_text(out, is_total ? "** |" : " |");
}

static void put_rows(markdown *out, const vc_grid *grid)
{
    enum { CELLS_BETWEEN = 256 };
    for (size_t row = 0; row < grid->nrows; row++) {
        put_text(out, "|");
        bool was_total = false;
        for (size_t c = 0; c < grid->nhead_columns; c++) {
            const vc_grid_head *head = head_of(&grid->row_heads[c], row, grid->nhead_columns);
            put_row_head(out, head, was_total && head->is_total);
            was_total = head->is_total;
        }
        for (size_t column = 0; column < grid->ncolumns; column++) {
            put_cell(out, grid, row, column);
            if (column % CELLS_BETWEEN == CELLS_BETWEEN - 1 && !vc_blocks_next(&out->blocks))
                return;
        }
        put_text(out, "\n");
        if (!vc_blocks_next(&out->blocks)) return;
    }
}

static void put_legend(markdown *out, const char *reasons)
{
    if (reasons[0] == '\0') return;
    for (size_t i = 0; reasons[i] != '\0'; i++)
        vc_buffer_printf(&out->blocks.buffer, "%s(%c) %s", i > 0 ? "; " : "", reasons[i],
                         vc_document_reason(reasons[i]));
    put_text(out, "\n\n");
}

static void put_grid(markdown *out, const vc_grid *grid)
{
    char reasons[VC_MAX_REASONS];
    put_text(out, "**");
    put_shown(out, grid->caption);
    if (grid->nrows == 0 || grid->ncolumns == 0) {
        put_text(out, "**: there are no numbers to show.\n\n");
        return;
    }
    put_text(out, "**\n\n");
    put_table_head(out, grid);
    put_rows(out, grid);
    put_text(out, "\n");
    if (grid->is_cut) {
        put_text(out, "The first ");
        put_count(out, grid->nrows);
        put_text(out, " of ");
        put_count(out, grid->nrows_all);
        put_text(out, " rows.\n\n");
    }
    vc_grid_reasons(grid, reasons);
    put_legend(out, reasons);
}

/* ---- sections ---- */

static void put_figure(markdown *out, const vc_figure *figure)
{
    put_text(out, "| ");
    put_shown(out, figure->label);
    put_text(out, " | **");
    put_inline(&out->blocks.buffer, figure->value);
    put_text(out, "**");
    if (figure->reason != 0) vc_buffer_printf(&out->blocks.buffer, " (%c)", figure->reason);
    put_text(out, " ");
    put_inline(&out->blocks.buffer, figure->unit);
    put_text(out, " | ");
    put_inline(&out->blocks.buffer, figure->change);
    if (figure->change.size > 0) put_text(out, " ");
    put_inline(&out->blocks.buffer, figure->against);
    if (figure->has_judgement && figure->direction != 0)
        put_text(out, figure->is_good ? ", better" : ", worse");
    put_text(out, " |\n");
}

static void put_figures(markdown *out, const vc_section *section)
{
    char seen[VC_MAX_REASONS] = {0};
    if (section->nfigures == 0) return;
    put_text(out, "| | | |\n|---|---:|---|\n");
    for (size_t i = 0; i < section->nfigures; i++) {
        char reason = section->figures[i].reason;
        size_t nseen = strlen(seen);
        if (reason != 0 && strchr(seen, reason) == NULL && nseen + 1 < sizeof seen)
            seen[nseen] = reason;
        put_figure(out, &section->figures[i]);
    }
    put_text(out, "\n");
    put_legend(out, seen);
}

static void put_chart(markdown *out, const vc_section *section)
{
    enum { MOST_CELLS = 3000 }; /* as in HTML */
    const vc_grid *grid = section->grid;
    put_paragraph(out, section->chart->alternative);
    if (grid->nrows * grid->ncolumns <= MOST_CELLS) {
        put_grid(out, grid);
        return;
    }
    put_text(out, "**");
    put_shown(out, grid->caption);
    put_text(out, "**: ");
    put_count(out, grid->nrows * grid->ncolumns);
    put_text(out, " numbers, which are in the CSV file of this part.\n\n");
}

static void put_failure(markdown *out, const vc_section *section)
{
    put_text(out, "> **This part could not be made.** ");
    put_inline(&out->blocks.buffer, section->failure);
    put_text(out, "\n");
    if (section->query.size > 0) {
        put_text(out, ">\n> Asked was ");
        put_code(&out->blocks.buffer, section->query);
        put_text(out, "\n");
    }
    put_text(out, "\n");
}

static void put_section(markdown *out, const vc_section *section)
{
    if (section->title.size > 0) put_heading(out, "##", section->title);
    for (size_t i = 0; i < section->nparagraphs; i++)
        put_paragraph(out, section->paragraphs[i]);
    switch (section->kind) {
    case VC_SECTION_TEXT: break;
    case VC_SECTION_FIGURES: put_figures(out, section); break;
    case VC_SECTION_PIVOT: put_grid(out, section->grid); break;
    case VC_SECTION_CHART: put_chart(out, section); break;
    case VC_SECTION_FAILED: put_failure(out, section); break;
    }
    for (size_t i = 0; i < section->nnotes; i++)
        put_item(out, section->notes[i]);
    if (section->nnotes > 0) put_text(out, "\n");
}

/* ---- notes ---- */

static void put_coverage(markdown *out)
{
    if (out->document->ncoverage == 0) return;
    put_text(out, "### Coverage\n\n"
                  "| Source | Joined on | Keys | Matched | Share | Of the values |\n"
                  "|---|---|---:|---:|---:|---|\n");
    for (size_t i = 0; i < out->document->ncoverage && vc_blocks_next(&out->blocks); i++) {
        const vc_document_coverage *coverage = &out->document->coverage[i];
        put_text(out, "| ");
        put_shown(out, coverage->source);
        put_text(out, " | ");
        put_shown(out, coverage->dimension);
        put_text(out, " | ");
        put_count(out, coverage->keys);
        put_text(out, " | ");
        put_count(out, coverage->keys_matched);
        put_text(out, " | ");
        vc_document_put_share(coverage, &out->blocks.buffer);
        put_text(out, " | ");
        put_inline(&out->blocks.buffer, coverage->shares);
        put_text(out, " |\n");
    }
    put_text(out, "\n");
}

static void put_sources(markdown *out)
{
    if (out->document->nsources == 0) return;
    put_text(out, "### Sources\n\n");
    for (size_t i = 0; i < out->document->nsources && vc_blocks_next(&out->blocks); i++) {
        const vc_document_source *source = &out->document->sources[i];
        put_text(out, "- **");
        put_shown(out, source->label.size > 0 ? source->label : source->name);
        put_text(out, "** (");
        put_shown(out, source->name);
        put_text(out, ")");
        if (source->source.size > 0) {
            put_text(out, ": ");
            put_inline(&out->blocks.buffer, source->source);
        }
        if (source->licence.size > 0) {
            put_text(out, ". Licence: ");
            put_inline(&out->blocks.buffer, source->licence);
        }
        put_text(out, "\n");
    }
    put_text(out, "\n");
}

static void put_origin(markdown *out)
{
    const vc_document *document = out->document;
    put_text(out, "Made ");
    if (document->snapshot.size > 0) {
        put_text(out, "of snapshot ");
        put_code(&out->blocks.buffer, document->snapshot);
        put_text(out, " ");
    }
    if (document->definition.size > 0) {
        put_text(out, "with definitions ");
        put_code(&out->blocks.buffer, document->definition);
        put_text(out, " ");
    }
    put_text(out, "by ");
    put_shown(out, document->generator);
    put_text(out, ".\n");
}

static void put_notes(markdown *out)
{
    if (!out->document->has_notes) return;
    put_text(out, "## About these numbers\n\n");
    put_coverage(out);
    if (out->document->nnotices > 0) put_text(out, "### Notices\n\n");
    for (size_t i = 0; i < out->document->nnotices && vc_blocks_next(&out->blocks); i++)
        put_item(out, out->document->notices[i]);
    if (out->document->nnotices > 0) put_text(out, "\n");
    put_sources(out);
    put_origin(out);
}

vc_status vc_markdown_write(const vc_document *document, vc_render_sink sink, vc_error *error)
{
    markdown out = {.document = document};
    vc_blocks_init(&out.blocks, sink, error);
    put_heading(&out, "#", document->title);
    put_paragraph(&out, document->subtitle);
    put_paragraph(&out, document->description);
    for (size_t i = 0; i < document->nsections && vc_blocks_next(&out.blocks); i++)
        put_section(&out, &document->sections[i]);
    put_notes(&out);
    vc_buffer_release(&out.number);
    return vc_blocks_finish(&out.blocks);
}
