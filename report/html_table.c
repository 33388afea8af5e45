/* A grid as a table. A head that stands for several rows or columns spans them and has the scope
 * "row" or "col": by the rules of HTML it is then a head of all of them, at any depth, so that no
 * cell need name its heads. A total of everything below it is one cell down to the numbers. */
#include "report/html_parts.h"
#include "report/palette.h"

enum { MOST_INDENT = 9, LONG_LABEL = 28 /* columns, beyond which it has several lines */ };

/* ---- heads ---- */

static void put_span(vc_buffer *out, const char *name, size_t span)
{
    if (span > 1) vc_buffer_printf(out, " %s=\"%zu\"", name, span);
}

/* Classes are letters: a first column, g group, t total, m mark, v long, i1 ... indents. */
static void put_classes(vc_buffer *out, const char *letters, unsigned indent)
{
    if (letters[0] == '\0' && indent == 0) return;
    vc_buffer_put_text(out, " class=\"");
    for (size_t i = 0; letters[i] != '\0'; i++) {
        if (i > 0) vc_buffer_put_char(out, ' ');
        vc_buffer_put_char(out, letters[i]);
    }
    if (indent > 0)
        vc_buffer_printf(out, "%si%u", letters[0] == '\0' ? "" : " ",
                         indent < MOST_INDENT ? indent : MOST_INDENT);
    vc_buffer_put_char(out, '"');
}

static void put_head(vc_buffer *out, const vc_grid_head *head, const char *scope, size_t colspan,
                     size_t rowspan, const char *classes)
{
    vc_buffer_printf(out, "<th scope=\"%s\" dir=\"auto\"", scope);
    put_span(out, "colspan", colspan);
    put_span(out, "rowspan", rowspan);
    put_classes(out, classes, head->indent);
    vc_buffer_put_char(out, '>');
    vc_html_put_shown(out, head->text);
    vc_buffer_put_text(out, "</th>");
}

/* Is the head the same total as the one before it, which stands for both? */
static bool is_same_total(const vc_grid_head *head, const vc_grid_head *before)
{
    return head->is_total && before->is_total && head->span == before->span;
}

static void put_classes_of(char *letters, const vc_grid_head *head, bool is_first, bool is_group,
                           bool is_total)
{
    size_t n = 0;
    if (is_first) letters[n++] = 'a';
    if (is_group) letters[n++] = 'g';
    if (is_total) letters[n++] = 't';
    if (head->is_marked) letters[n++] = 'm';
    if (vc_utf8_columns(head->text) > LONG_LABEL) letters[n++] = 'v';
    letters[n] = '\0';
}

static const vc_grid_head *column_head(const vc_grid *grid, size_t row, size_t column)
{
    return &grid->column_heads[row * grid->ncolumns + column];
}

/* What the row heads are and, in the same corner, what the column heads are. */
static void put_corners(vc_buffer *out, const vc_grid *grid, size_t row)
{
    size_t n = grid->nhead_columns;
    vc_str across = grid->corner_rows[row];
    if (row + 1 < grid->nhead_rows) {
        vc_buffer_put_text(out, "<td class=\"a\" dir=\"auto\"");
        put_span(out, "colspan", n);
        vc_buffer_put_char(out, '>');
        vc_html_put(out, across);
        vc_buffer_put_text(out, "</td>");
        return;
    }
    for (size_t c = 0; c < n; c++) {
        bool is_last = c + 1 == n, has_across = is_last && across.size > 0;
        bool is_head = grid->corners[c].size > 0;
        vc_buffer_printf(out, "<%s dir=\"auto\"%s>", is_head ? "th scope=\"col\"" : "td",
                         c == 0 ? " class=\"a\"" : " class=\"w\"");
        vc_html_put(out, grid->corners[c]);
        if (has_across) {
            vc_buffer_put_text(out, is_head ? " <span>/ " : "<span>");
            vc_html_put(out, across);
            vc_buffer_put_text(out, "</span>");
        }
        vc_buffer_put_text(out, is_head ? "</th>" : "</td>");
    }
}

static void put_column_heads(vc_html *html, const vc_grid *grid, size_t row)
{
    vc_buffer *out = &html->blocks.buffer;
    for (size_t c = 0; c < grid->ncolumns; c++) {
        const vc_grid_head *head = column_head(grid, row, c);
        if (head->span == 0 || (row > 0 && is_same_total(head, column_head(grid, row - 1, c))))
            continue;
        size_t rowspan = 1;
        while (row + rowspan < grid->nhead_rows &&
               is_same_total(column_head(grid, row + rowspan, c), head))
            rowspan++;
        char classes[8];
        bool is_innermost = row + rowspan == grid->nhead_rows;
        put_classes_of(classes, head, false, !is_innermost || head->span > 1,
                       grid->is_total_column[c]);
        put_head(out, head, "col", head->span, rowspan, classes);
        if (!vc_blocks_next(&html->blocks)) return;
    }
}

static void put_table_head(vc_html *html, const vc_grid *grid)
{
    vc_buffer *out = &html->blocks.buffer;
    if (grid->nhead_rows == 0) return;
    vc_buffer_put_text(out, "<thead>");
    for (size_t row = 0; row < grid->nhead_rows; row++) {
        vc_buffer_put_text(out, "<tr>");
        if (grid->nhead_columns > 0) put_corners(out, grid, row);
        put_column_heads(html, grid, row);
        vc_buffer_put_text(out, "</tr>\n");
    }
    vc_buffer_put_text(out, "</thead>\n");
}

static void put_row_heads(vc_buffer *out, const vc_grid *grid, size_t row)
{
    const vc_grid_head *heads = &grid->row_heads[row * grid->nhead_columns];
    for (size_t c = 0; c < grid->nhead_columns;) {
        const vc_grid_head *head = &heads[c];
        size_t colspan = 1;
        while (c + colspan < grid->nhead_columns && is_same_total(&heads[c + colspan], head))
            colspan++;
        char classes[8];
        put_classes_of(classes, head, c == 0, c + colspan < grid->nhead_columns, false);
        if (head->span > 0) put_head(out, head, "row", colspan, head->span, classes);
        c += colspan;
    }
}

/* ---- cells ---- */

static void put_colour(vc_buffer *out, uint32_t colour)
{
    static const char digits[] = "0123456789abcdef";
    char text[] = "#000000";
    for (int i = 0; i < 6; i++)
        text[6 - i] = digits[colour >> 4 * i & 15];
    vc_buffer_put(out, text, sizeof text - 1);
}

static void put_cell(vc_buffer *out, const vc_grid *grid, size_t row, size_t column,
                     vc_buffer *number)
{
    const vc_cell *cell = vc_grid_cell(grid, row, column);
    uint32_t colour = vc_grid_colour(grid, row, column);
    vc_buffer_put_text(out, grid->is_total_column[column] ? "<td class=\"t\"" : "<td");
    if (colour != VC_NO_COLOUR) {
        vc_buffer_put_text(out, " style=\"background:");
        put_colour(out, colour);
        vc_buffer_put_text(out, ";color:");
        put_colour(out, vc_colour_of_ink(colour));
        vc_buffer_put_char(out, '"');
    }
    vc_buffer_put_char(out, '>');
    vc_buffer_clear(number); /* a format has text of its own, which is a stranger's */
    vc_grid_put_text(grid, row, column, number);
    out->failed |= number->failed;
    vc_html_put(out, (vc_str){.data = number->data, .size = number->size});
    vc_html_put_reason(out, cell->reason);
    vc_buffer_put_text(out, "</td>");
}

static void put_row(vc_html *html, const vc_grid *grid, size_t row, vc_buffer *number)
{
    enum { CELLS_BETWEEN = 256 };
    vc_buffer *out = &html->blocks.buffer;
    bool begins_group =
        grid->nhead_columns > 1 && row > 0 && grid->row_heads[row * grid->nhead_columns].span > 0;
    bool is_total = grid->is_total_row[row];
    if (is_total || begins_group)
        vc_buffer_printf(out, "<tr class=\"%s%s\">", is_total ? "t" : "",
                         begins_group ? (is_total ? " s" : "s") : "");
    else
        vc_buffer_put_text(out, "<tr>");
    put_row_heads(out, grid, row);
    for (size_t column = 0; column < grid->ncolumns; column++) {
        put_cell(out, grid, row, column, number);
        if (column % CELLS_BETWEEN == CELLS_BETWEEN - 1 && !vc_blocks_next(&html->blocks)) return;
    }
    vc_buffer_put_text(out, "</tr>\n");
}

/* ---- the whole ---- */

static void put_count(vc_buffer *out, uint64_t count)
{
    char text[VC_NUMBER_TEXT];
    vc_buffer_put(out, text, vc_format_count(text, count));
}

void vc_html_put_legend(vc_buffer *out, const char *reasons)
{
    if (reasons[0] == '\0') return;
    vc_buffer_put_text(out, "<ul class=\"legend\">");
    for (size_t i = 0; reasons[i] != '\0'; i++) {
        vc_buffer_put_text(out, "<li><b>");
        vc_buffer_put_char(out, reasons[i]);
        vc_buffer_put_text(out, "</b> ");
        vc_html_put(out, vc_str_of(vc_document_reason(reasons[i])));
        vc_buffer_put_text(out, "</li>");
    }
    vc_buffer_put_text(out, "</ul>\n");
}

/* What stands below a table: is it whole, and what do its letters mean? */
static void put_below(vc_buffer *out, const vc_grid *grid)
{
    char reasons[VC_MAX_REASONS];
    vc_grid_reasons(grid, reasons);
    if (grid->is_cut) {
        vc_buffer_put_text(out, "<p class=\"legend\">The first ");
        put_count(out, grid->nrows);
        vc_buffer_put_text(out, " of ");
        put_count(out, grid->nrows_all);
        vc_buffer_put_text(out, " rows.</p>\n");
    }
    vc_html_put_legend(out, reasons);
}

void vc_html_put_grid(vc_html *html, const vc_grid *grid, vc_str id)
{
    enum { LONG_ROWS = 60 }; /* behind which a table scrolls in its box, below its head */
    vc_buffer *out = &html->blocks.buffer, number = {0};
    if (grid->nrows == 0 || grid->ncolumns == 0) {
        vc_buffer_put_text(out, "<p class=\"none\" dir=\"auto\">");
        vc_html_put_shown(out, grid->caption);
        vc_buffer_put_text(out, ": there are no numbers to show.</p>\n");
        return;
    }
    vc_buffer_printf(out,
                     "<div class=\"%s\" role=\"group\" tabindex=\"0\" "
                     "aria-labelledby=\"%.*s.caption\"><table>\n<caption id=\"%.*s.caption\" "
                     "dir=\"auto\"><span>",
                     grid->nrows > LONG_ROWS ? "box long" : "box", VC_FMT(id), VC_FMT(id));
    vc_html_put_shown(out, grid->caption);
    vc_buffer_put_text(out, "</span></caption>\n");
    put_table_head(html, grid);
    vc_buffer_put_text(out, "<tbody>\n");
    for (size_t row = 0; row < grid->nrows && vc_blocks_next(&html->blocks); row++)
        put_row(html, grid, row, &number);
    vc_buffer_put_text(out, "</tbody></table></div>\n");
    put_below(out, grid);
    vc_buffer_release(&number);
}
