/* The rows of a table, page by page.
 *
 * On every page and above every panel stand the column heads. A row head that spans rows of which
 * some were on the page before is said again, "(continued)".
 */
#include "report/pdf_table.h"

#include <math.h>
#include <stdio.h>

typedef struct pdf_panel {
    vc_pdf *pdf;
    const vc_pdf_table *table;
    const vc_grid *grid;
    size_t first, end; /* columns */
    float left, width;
    vc_str title;
    const char *row_tag, *head_tag, *cell_tag; /* NULL: rows are not tagged */
} pdf_panel;

static pdf_panel panel_of(vc_pdf *pdf, const vc_pdf_table *table, size_t number)
{
    pdf_panel panel = {.pdf = pdf,
                       .table = table,
                       .grid = table->grid,
                       .first = number == 0 ? 0 : table->panel_ends[number - 1],
                       .left = vc_pdf_left(),
                       .width = table->heads_width};
    /* Tags take ten times what the cells take: a long table has none inside. */
    if (table->grid->nrows * table->grid->ncolumns <= VC_PDF_MAX_TAGGED_CELLS) {
        panel.row_tag = "TR";
        panel.head_tag = "TH";
        panel.cell_tag = "TD";
    }
    panel.end = table->npanels == 0 ? 0 : table->panel_ends[number];
    for (size_t i = panel.first; i < panel.end; i++)
        panel.width += table->columns[i];
    return panel;
}

static float inner(float width)
{
    return width - 2 * VC_PDF_CELL_GAP;
}

static float height_of_lines(const pdf_panel *panel, unsigned nlines)
{
    float size = panel->table->size;
    return vc_pdf_pitch(size) * (float)(nlines > 1 ? nlines - 1 : 0) + size * 1.15f +
           vc_pdf_row_gap(panel->table);
}

/* ---- column heads ---- */

/* The columns of the panel that a head at `column` stands over; its text, though it begins in a
 * panel before. */
static size_t head_columns(const pdf_panel *panel, size_t row, size_t column,
                           const vc_grid_head **head)
{
    const vc_grid_head *heads = panel->grid->column_heads + row * panel->grid->ncolumns;
    size_t begin = column;
    while (begin > 0 && heads[begin].span == 0)
        begin--;
    *head = &heads[begin];
    size_t end = begin + (heads[begin].span > 0 ? heads[begin].span : 1);
    return (end < panel->end ? end : panel->end) - column;
}

static float columns_width(const pdf_panel *panel, size_t first, size_t count)
{
    float width = 0;
    for (size_t i = first; i < first + count; i++)
        width += panel->table->columns[i];
    return width;
}

static float head_text_width(const pdf_panel *panel, size_t column, size_t span)
{
    return inner(columns_width(panel, column, span)) -
           (span == 1 ? vc_pdf_reason_room(panel->table) : 0);
}

static float head_row_height(const pdf_panel *panel, size_t row)
{
    unsigned most = 1;
    for (size_t column = panel->first; column < panel->end;) {
        const vc_grid_head *head;
        size_t span = head_columns(panel, row, column, &head);
        unsigned nlines =
            vc_pdf_text_lines(panel->pdf->fonts, head->text, panel->table->size, true,
                              head_text_width(panel, column, span), VC_PDF_MAX_HEAD_LINES);
        if (nlines > most) most = nlines;
        column += span;
    }
    if (row + 1 == panel->grid->nhead_rows)
        for (size_t i = 0; i < panel->grid->nhead_columns; i++) {
            unsigned nlines =
                vc_pdf_text_lines(panel->pdf->fonts, panel->grid->corners[i], panel->table->size,
                                  true, inner(panel->table->heads[i]), 4);
            if (nlines > most) most = nlines;
        }
    return height_of_lines(panel, most);
}

static float heads_height(const pdf_panel *panel)
{
    float height = 0;
    for (size_t row = 0; row < panel->grid->nhead_rows; row++)
        height += head_row_height(panel, row);
    return height;
}

/* A text at the bottom of a box of a row of heads. */
static void put_at_bottom(const pdf_panel *panel, vc_str text, vc_pdf_style style, float x,
                          float bottom, float width, vc_text_anchor anchor)
{
    unsigned nlines = vc_pdf_text_lines(panel->pdf->fonts, text, style.size, style.is_bold, width,
                                        VC_PDF_MAX_HEAD_LINES);
    float top = bottom - height_of_lines(panel, nlines) + vc_pdf_row_gap(panel->table) / 2;
    vc_pdf_put_text(panel->pdf, text, style, x, top, width, anchor, VC_PDF_MAX_HEAD_LINES);
}

/* What the row heads are ("Country"), at their bottom; what the column heads are ("Year"), beside
 * each row of them. */
static void put_corners(const pdf_panel *panel, size_t row, float bottom)
{
    const vc_grid *grid = panel->grid;
    bool is_last = row + 1 == grid->nhead_rows;
    vc_pdf_style bold = {.size = panel->table->size, .is_bold = true, .colour = VC_PDF_INK};
    vc_pdf_style plain = {.size = panel->table->size, .colour = VC_PDF_MUTED};
    float x = panel->left;
    vc_str beside = grid->corner_rows[row];
    for (size_t i = 0; i < grid->nhead_columns; i++) {
        float width = inner(panel->table->heads[i]);
        vc_str corner = is_last ? grid->corners[i] : (vc_str){.data = ""};
        vc_pdf_tag(panel->pdf, panel->head_tag);
        put_at_bottom(panel, corner, bold, x + VC_PDF_CELL_GAP, bottom, width, VC_ANCHOR_START);
        if (i + 1 == grid->nhead_columns && beside.size > 0) {
            float taken =
                corner.size > 0
                    ? vc_pdf_text_width(panel->pdf->fonts, corner, plain.size, true) + plain.size
                    : 0;
            float top = bottom - height_of_lines(panel, 1) + vc_pdf_row_gap(panel->table) / 2;
            if (width - taken > 2 * plain.size)
                vc_pdf_put_text(panel->pdf, beside, plain, x + VC_PDF_CELL_GAP + taken, top,
                                width - taken, VC_ANCHOR_END, 1);
        }
        vc_pdf_untag(panel->pdf, panel->head_tag);
        x += panel->table->heads[i];
    }
}

static void put_head(const pdf_panel *panel, const vc_grid_head *head, size_t column, size_t span,
                     bool is_last_row, float x, float bottom)
{
    float width = columns_width(panel, column, span);
    bool is_wide = span > 1;
    vc_pdf_style style = {.size = panel->table->size,
                          .is_bold = true,
                          .colour = head->is_marked ? VC_PDF_MUTED : VC_PDF_INK};
    vc_pdf_tag(panel->pdf, panel->head_tag);
    put_at_bottom(panel, head->text, style, x + VC_PDF_CELL_GAP, bottom,
                  head_text_width(panel, column, span), is_wide ? VC_ANCHOR_MIDDLE : VC_ANCHOR_END);
    vc_pdf_untag(panel->pdf, panel->head_tag);
    if (is_wide && !is_last_row && head->text.size > 0)
        vc_pdf_rule(panel->pdf, VC_PDF_RULE, 0.5f, x + VC_PDF_CELL_GAP, bottom, inner(width));
}

static void put_heads(const pdf_panel *panel)
{
    vc_pdf *pdf = panel->pdf;
    const vc_grid *grid = panel->grid;
    float height = heads_height(panel);
    vc_pdf_fill(pdf, VC_PDF_SHADE, panel->left, pdf->y, panel->width, height);
    vc_pdf_rule(pdf, VC_PDF_INK, 0.8f, panel->left, pdf->y, panel->width);
    for (size_t row = 0; row < grid->nhead_rows; row++) {
        float bottom = pdf->y + head_row_height(panel, row);
        float x = panel->left + panel->table->heads_width;
        vc_pdf_tag(pdf, panel->row_tag);
        put_corners(panel, row, bottom);
        for (size_t column = panel->first; column < panel->end;) {
            const vc_grid_head *head;
            size_t span = head_columns(panel, row, column, &head);
            put_head(panel, head, column, span, row + 1 == grid->nhead_rows, x, bottom);
            x += columns_width(panel, column, span);
            column += span;
        }
        vc_pdf_untag(pdf, panel->row_tag);
        pdf->y = bottom;
    }
    vc_pdf_rule(pdf, VC_PDF_INK, 0.5f, panel->left, pdf->y, panel->width);
}

/* ---- rows ---- */

/* The head that stands at a row, though it begins above it. *left_out: the rows that it still
 * stands for. */
static const vc_grid_head *head_at(const vc_grid *grid, size_t row, size_t column, size_t *left_out)
{
    size_t begin = row;
    while (begin > 0 && grid->row_heads[begin * grid->nhead_columns + column].span == 0)
        begin--;
    const vc_grid_head *head = &grid->row_heads[begin * grid->nhead_columns + column];
    size_t span = head->span > 0 ? head->span : 1;
    *left_out = begin + span > row ? begin + span - row : 1;
    return head;
}

/* Of a total in several columns of heads the first one says so. */
static bool is_said_before(const vc_grid *grid, size_t row, size_t column)
{
    const vc_grid_head *heads = grid->row_heads + row * grid->nhead_columns;
    return column > 0 && heads[column].is_total && heads[column - 1].is_total &&
           heads[column].span > 0 && heads[column - 1].span > 0 &&
           vc_str_equal(heads[column].text, heads[column - 1].text);
}

static float indent_of(const vc_grid_head *head)
{
    return VC_PDF_INDENT * (float)(head->indent < 12 ? head->indent : 12);
}

static float head_room(const pdf_panel *panel, const vc_grid_head *head, size_t column)
{
    return inner(panel->table->heads[column]) - indent_of(head);
}

/* Of a head that stands for several rows, as many of its lines go beside those as have room. */
static float row_height(const pdf_panel *panel, size_t row, bool is_first_on_page)
{
    const vc_grid *grid = panel->grid;
    float one = height_of_lines(panel, 1), height = one;
    for (size_t column = 0; column < grid->nhead_columns; column++) {
        size_t left;
        const vc_grid_head *here = &grid->row_heads[row * grid->nhead_columns + column];
        if (here->span == 0 && !is_first_on_page) continue;
        const vc_grid_head *head = head_at(grid, row, column, &left);
        float room = head_room(panel, head, column);
        unsigned nlines = vc_pdf_text_lines(panel->pdf->fonts, head->text, panel->table->size,
                                            grid->is_total_row[row], room, VC_PDF_MAX_HEAD_LINES);
        if (here->span == 0) nlines++; /* "(continued)" */
        float beside = one * (float)(left - 1);
        height = fmaxf(height, height_of_lines(panel, nlines) - beside);
    }
    return height;
}

static void put_row_heads(const pdf_panel *panel, size_t row, bool is_first_on_page)
{
    vc_pdf *pdf = panel->pdf;
    const vc_grid *grid = panel->grid;
    vc_pdf_style style = {.size = panel->table->size, .is_bold = grid->is_total_row[row]};
    float x = panel->left, top = pdf->y + vc_pdf_row_gap(panel->table) / 2;
    for (size_t column = 0; column < grid->nhead_columns; column++) {
        size_t left;
        const vc_grid_head *here = &grid->row_heads[row * grid->nhead_columns + column];
        const vc_grid_head *head = head_at(grid, row, column, &left);
        float at = x + VC_PDF_CELL_GAP + indent_of(head);
        style.colour = head->is_marked ? VC_PDF_MUTED : VC_PDF_INK;
        vc_pdf_tag(pdf, panel->head_tag);
        if (here->span > 0 && !is_said_before(grid, row, column)) {
            vc_pdf_put_text(pdf, head->text, style, at, top, head_room(panel, head, column),
                            VC_ANCHOR_START, VC_PDF_MAX_HEAD_LINES);
        } else if (here->span == 0 && is_first_on_page) {
            unsigned nlines =
                vc_pdf_put_text(pdf, head->text, style, at, top, head_room(panel, head, column),
                                VC_ANCHOR_START, VC_PDF_MAX_HEAD_LINES);
            vc_pdf_style small = {.size = style.size * 0.85f, .colour = VC_PDF_MUTED};
            vc_pdf_put_line(pdf, VC_STR("(continued)"), small, at,
                            top + style.size + vc_pdf_pitch(style.size) * (float)nlines,
                            VC_ANCHOR_START);
        }
        vc_pdf_untag(pdf, panel->head_tag);
        x += panel->table->heads[column];
    }
}

static void put_cell(const pdf_panel *panel, size_t row, size_t column, float x, float height)
{
    vc_pdf *pdf = panel->pdf;
    const vc_grid *grid = panel->grid;
    const vc_cell *cell = vc_grid_cell(grid, row, column);
    float width = panel->table->columns[column], size = panel->table->size;
    bool is_total = grid->is_total_row[row] || grid->is_total_column[column];
    uint32_t fill = vc_grid_colour(grid, row, column), ink = VC_PDF_INK;
    if (fill != VC_NO_COLOUR) {
        vc_pdf_fill(pdf, fill, x, pdf->y, width, height);
        ink = vc_colour_of_ink(fill);
    } else if (cell->is_null) {
        ink = VC_PDF_MUTED;
    }
    vc_buffer_clear(&pdf->number);
    vc_grid_put_text(grid, row, column, &pdf->number);
    pdf->is_failed |= pdf->number.failed;
    float right = x + width - VC_PDF_CELL_GAP - vc_pdf_reason_room(panel->table);
    float baseline = pdf->y + vc_pdf_row_gap(panel->table) / 2 + size;
    vc_pdf_tag(pdf, panel->cell_tag);
    vc_pdf_put_line(pdf, (vc_str){.data = pdf->number.data, .size = pdf->number.size},
                    (vc_pdf_style){.size = size, .is_bold = is_total, .colour = ink}, right,
                    baseline, VC_ANCHOR_END);
    if (cell->reason != VC_REASON_NONE) {
        uint32_t pale = fill != VC_NO_COLOUR ? ink : VC_PDF_MUTED;
        vc_pdf_put_line(pdf, (vc_str){.data = &cell->reason, .size = 1},
                        (vc_pdf_style){.size = size * 0.75f, .colour = pale}, right + 1.5f,
                        baseline - size * 0.3f, VC_ANCHOR_START);
    }
    vc_pdf_untag(pdf, panel->cell_tag);
}

/* Where the heads of a row begin that do not go on from the row above. */
static float own_heads(const pdf_panel *panel, size_t row)
{
    const vc_grid *grid = panel->grid;
    float x = panel->left;
    for (size_t column = 0; column + 1 < grid->nhead_columns &&
                            grid->row_heads[row * grid->nhead_columns + column].span == 0;
         column++)
        x += panel->table->heads[column];
    return x;
}

/* Behind numbers: a row of totals, columns of totals. */
static void put_shades(const pdf_panel *panel, size_t row, float height)
{
    const vc_grid *grid = panel->grid;
    float x = panel->left + panel->table->heads_width;
    if (grid->is_total_row[row]) {
        float from = own_heads(panel, row);
        vc_pdf_fill(panel->pdf, VC_PDF_SHADE, from, panel->pdf->y,
                    panel->left + panel->width - from, height);
        return;
    }
    for (size_t column = panel->first; column < panel->end; column++) {
        float width = panel->table->columns[column];
        if (grid->is_total_column[column])
            vc_pdf_fill(panel->pdf, VC_PDF_SHADE, x, panel->pdf->y, width, height);
        x += width;
    }
}

/* Above a row: where an outer head begins, from there on; above a total darker. */
static void put_rule_above(const pdf_panel *panel, size_t row)
{
    const vc_grid *grid = panel->grid;
    float x = own_heads(panel, row), last = panel->left + panel->table->heads_width;
    if (grid->nhead_columns > 0) last -= panel->table->heads[grid->nhead_columns - 1];
    bool is_outer = x + 0.5f < last;
    uint32_t colour = grid->is_total_row[row] || is_outer ? 0x8796A5 : 0xDDE3E9;
    vc_pdf_rule(panel->pdf, colour, 0.5f, x, panel->pdf->y, panel->left + panel->width - x);
}

static void put_row(const pdf_panel *panel, size_t row, bool is_first_on_page)
{
    vc_pdf *pdf = panel->pdf;
    float height = row_height(panel, row, is_first_on_page);
    if (pdf->cairo != NULL) {
        float x = panel->left + panel->table->heads_width;
        put_shades(panel, row, height);
        if (!is_first_on_page) put_rule_above(panel, row);
        vc_pdf_tag(pdf, panel->row_tag);
        put_row_heads(panel, row, is_first_on_page);
        for (size_t column = panel->first; column < panel->end; column++) {
            put_cell(panel, row, column, x, height);
            x += panel->table->columns[column];
        }
        vc_pdf_untag(pdf, panel->row_tag);
    }
    pdf->y += height;
}

/* ---- pages ---- */

static void begin_next_page(const pdf_panel *panel)
{
    vc_pdf *pdf = panel->pdf;
    vc_pdf_begin_page(pdf, panel->table->is_landscape);
    vc_str title = panel->title.size > 0 ? panel->title : panel->grid->caption;
    if (title.size == 0) return;
    vc_pdf_style style = {.size = 8, .colour = VC_PDF_MUTED};
    float room = vc_pdf_inner_width(pdf) - 70;
    float width = fminf(room, vc_pdf_text_width(pdf->fonts, title, style.size, false));
    vc_pdf_put_text(pdf, title, style, vc_pdf_left(), pdf->y, room, VC_ANCHOR_START, 1);
    vc_pdf_put_line(pdf, VC_STR("(continued)"), style, vc_pdf_left() + width + 4,
                    pdf->y + style.size, VC_ANCHOR_START);
    pdf->y += 14;
}

static void put_empty(const pdf_panel *panel)
{
    vc_pdf *pdf = panel->pdf;
    vc_pdf_style style = {.size = panel->table->size, .colour = VC_PDF_MUTED};
    vc_str text = panel->grid->nrows == 0 ? VC_STR("No rows.") : VC_STR("No columns.");
    vc_pdf_put_line(pdf, text, style, panel->left + VC_PDF_CELL_GAP,
                    pdf->y + style.size + vc_pdf_row_gap(panel->table) / 2, VC_ANCHOR_START);
    pdf->y += height_of_lines(panel, 1);
}

static void put_panel(const pdf_panel *panel)
{
    vc_pdf *pdf = panel->pdf;
    bool is_first_on_page = true;
    put_heads(panel);
    for (size_t row = 0; row < panel->grid->nrows; row++) {
        if (!is_first_on_page && vc_pdf_room(pdf) < row_height(panel, row, false)) {
            vc_pdf_rule(pdf, VC_PDF_INK, 0.5f, panel->left, pdf->y, panel->width);
            begin_next_page(panel);
            put_heads(panel);
            is_first_on_page = true;
        }
        put_row(panel, row, is_first_on_page);
        is_first_on_page = false;
    }
    if (panel->grid->nrows == 0 || panel->grid->ncolumns == 0) put_empty(panel);
    vc_pdf_rule(pdf, VC_PDF_INK, 0.8f, panel->left, pdf->y, panel->width);
}

/* Of the heads and the first rows, at most three, so that no heads stand alone below a page. */
static float panel_beginning(const pdf_panel *panel)
{
    enum { FIRST_ROWS = 3 };
    float height = heads_height(panel), most = panel->pdf->height / 2;
    for (size_t row = 0; row < FIRST_ROWS && row < panel->grid->nrows && height < most; row++)
        height += row_height(panel, row, row == 0);
    return height;
}

float vc_pdf_table_beginning(vc_pdf *pdf, const vc_pdf_table *table)
{
    pdf_panel panel = panel_of(pdf, table, 0);
    return panel_beginning(&panel);
}

static void put_panel_title(const pdf_panel *panel)
{
    char text[3 * VC_NUMBER_TEXT + 32], first[VC_NUMBER_TEXT], last[VC_NUMBER_TEXT],
        all[VC_NUMBER_TEXT];
    vc_format_count(first, panel->first + 1);
    vc_format_count(last, panel->end);
    vc_format_count(all, panel->grid->ncolumns);
    snprintf(text, sizeof text, "Columns %s to %s of %s", first, last, all);
    vc_pdf_style style = {.size = 7.5f, .colour = VC_PDF_MUTED};
    vc_pdf_put_line(panel->pdf, vc_str_of(text), style, panel->left, panel->pdf->y + style.size,
                    VC_ANCHOR_START);
    panel->pdf->y += 12;
}

void vc_pdf_put_table(vc_pdf *pdf, const vc_pdf_table *table, vc_str title)
{
    size_t npanels = table->npanels > 0 ? table->npanels : 1;
    for (size_t i = 0; i < npanels; i++) {
        pdf_panel panel = panel_of(pdf, table, i);
        panel.title = title;
        if (i > 0) {
            pdf->y += 12;
            if (vc_pdf_room(pdf) < panel_beginning(&panel) + 12) begin_next_page(&panel);
        }
        if (npanels > 1) put_panel_title(&panel);
        vc_pdf_tag(pdf, "Table");
        put_panel(&panel);
        vc_pdf_untag(pdf, "Table");
    }
    pdf->y += 6;
}
