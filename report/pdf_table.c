#include "report/pdf_table.h"

#include <math.h>

/* Widths of a column of numbers for texts of size 1, without gaps. */
typedef struct pdf_need {
    float least; /* its numbers, and the longest word of its head */
    float liked; /* its head on a line or two */
} pdf_need;

/* Texts are measured at one size only: widths grow with the size. */
static const float measured_size = 10;
/* Words of heads that are longer than this are broken; in sizes of text. */
static const float longest_word = 11, longest_line = 13;

static float width_of(vc_pdf_fonts *fonts, vc_str text, bool is_bold)
{
    return vc_pdf_text_width(fonts, text, measured_size, is_bold) / measured_size;
}

static float word_of(vc_pdf_fonts *fonts, vc_str text, bool is_bold)
{
    return fminf(vc_pdf_word_width(fonts, text, measured_size, is_bold) / measured_size,
                 longest_word);
}

/* ---- what columns need ---- */

static bool measure_numbers(vc_pdf_fonts *fonts, const vc_grid *grid, pdf_need *needs)
{
    vc_buffer text = {0};
    for (size_t row = 0; row < grid->nrows; row++) {
        for (size_t column = 0; column < grid->ncolumns; column++) {
            bool is_bold = grid->is_total_row[row] || grid->is_total_column[column];
            vc_buffer_clear(&text);
            vc_grid_put_text(grid, row, column, &text);
            vc_str number = {.data = text.data, .size = text.size};
            needs[column].least = fmaxf(needs[column].least, width_of(fonts, number, is_bold));
        }
    }
    bool is_whole = !text.failed;
    vc_buffer_release(&text);
    return is_whole;
}

/* Columns under a head of several share what it needs more than they do. */
static void widen_for_head(pdf_need *needs, size_t span, float gap, float least, float liked)
{
    float has_least = gap * (float)(span - 1), has_liked = has_least;
    for (size_t i = 0; i < span; i++) {
        has_least += needs[i].least;
        has_liked += needs[i].liked;
    }
    for (size_t i = 0; i < span; i++) {
        needs[i].least += fmaxf(0, least - has_least) / (float)span;
        needs[i].liked += fmaxf(0, liked - has_liked) / (float)span;
        needs[i].liked = fmaxf(needs[i].liked, needs[i].least);
    }
}

static pdf_need *measure_columns(vc_pdf_fonts *fonts, const vc_grid *grid, vc_arena *arena)
{
    pdf_need *needs = VC_ARENA_NEW(arena, pdf_need, grid->ncolumns);
    if (needs == NULL || !measure_numbers(fonts, grid, needs)) return NULL;
    for (size_t row = grid->nhead_rows; row-- > 0;) {
        const vc_grid_head *heads = grid->column_heads + row * grid->ncolumns;
        for (size_t column = 0; column < grid->ncolumns; column++) {
            size_t span = heads[column].span;
            if (span == 0) continue;
            float word = word_of(fonts, heads[column].text, true);
            float line = fminf(width_of(fonts, heads[column].text, true), longest_line);
            widen_for_head(needs + column, span, 1, word, line);
        }
    }
    return needs;
}

/* Likes of columns of row heads: their longest text. */
static float *measure_heads(vc_pdf_fonts *fonts, const vc_grid *grid, vc_arena *arena)
{
    float *likes = VC_ARENA_NEW(arena, float, grid->nhead_columns);
    if (likes == NULL) return NULL;
    for (size_t column = 0; column < grid->nhead_columns; column++) {
        float widest = width_of(fonts, grid->corners[column], true);
        for (size_t row = 0; row < grid->nrows; row++) {
            const vc_grid_head *head = &grid->row_heads[row * grid->nhead_columns + column];
            if (head->span == 0) continue;
            float width = width_of(fonts, head->text, grid->is_total_row[row]);
            widest = fmaxf(widest, width + (float)head->indent);
        }
        for (size_t row = 0; column + 1 == grid->nhead_columns && row < grid->nhead_rows; row++) {
            bool is_last = row + 1 == grid->nhead_rows;
            float corner = is_last ? width_of(fonts, grid->corners[column], true) + 2 : 0;
            if (grid->corner_rows[row].size > 0)
                widest = fmaxf(widest, corner + width_of(fonts, grid->corner_rows[row], false));
        }
        likes[column] = widest;
    }
    return likes;
}

/* ---- fitting ---- */

typedef struct pdf_fit {
    vc_pdf_table *table;
    const pdf_need *needs; /* [ncolumns] */
    const float *likes;    /* [nhead_columns] */
} pdf_fit;

/* Give row heads what they like; where that is more than `most` together, the longer ones less. */
static void share_heads(const pdf_fit *fit, float size, float most)
{
    const vc_grid *grid = fit->table->grid;
    float gaps = 2 * VC_PDF_CELL_GAP, left = most, total = 0;
    size_t nleft = grid->nhead_columns;
    for (size_t i = 0; i < grid->nhead_columns; i++)
        fit->table->heads[i] = 0;
    for (bool has_changed = true; has_changed && nleft > 0;) {
        has_changed = false;
        float share = left / (float)nleft;
        for (size_t i = 0; i < grid->nhead_columns; i++) {
            float like = fit->likes[i] * size + gaps;
            if (fit->table->heads[i] > 0 || like > share) continue;
            fit->table->heads[i] = like;
            left -= like;
            nleft--;
            has_changed = true;
        }
    }
    for (size_t i = 0; i < grid->nhead_columns; i++) {
        if (fit->table->heads[i] <= 0) fit->table->heads[i] = left / (float)nleft;
        total += fit->table->heads[i];
    }
    fit->table->heads_width = total;
}

static float column_width(const pdf_fit *fit, size_t column, float size, float liking)
{
    pdf_need need = fit->needs[column];
    return (need.least + (need.liked - need.least) * liking) * size + 2 * VC_PDF_CELL_GAP +
           vc_pdf_reason_room(fit->table);
}

/* Columns [first, end) as wide as they like, or as they must be; narrower tables get some air. */
static bool fit_columns(const pdf_fit *fit, size_t first, size_t end, float width)
{
    float size = fit->table->size, least = 0, liked = 0;
    for (size_t i = first; i < end; i++) {
        least += column_width(fit, i, size, 0);
        liked += column_width(fit, i, size, 1);
    }
    if (least > width) return false;
    float liking = liked <= width ? 1 : (width - least) / (liked - least);
    float air = fminf(0.25f, fmaxf(0, width / liked - 1));
    for (size_t i = first; i < end; i++)
        fit->table->columns[i] = column_width(fit, i, size, liking) * (1 + air);
    return true;
}

/* All columns in one panel. */
static bool fit_whole(const pdf_fit *fit, float size, bool is_landscape, float share_of_heads)
{
    vc_pdf_table *table = fit->table;
    float width = (is_landscape ? 841.89f : 595.28f) - 2 * VC_PDF_MARGIN;
    table->size = size;
    table->is_landscape = is_landscape;
    share_heads(fit, size, share_of_heads * width);
    if (!fit_columns(fit, 0, table->grid->ncolumns, width - table->heads_width)) return false;
    table->panel_ends[0] = table->grid->ncolumns;
    table->npanels = 1;
    return true;
}

/* Does an outermost head begin here? */
static bool is_boundary(const vc_grid *grid, size_t column)
{
    return column == grid->ncolumns || grid->nhead_rows == 0 || grid->column_heads[column].span > 0;
}

/* Where a panel ends that begins at `first`: between two outermost heads, unless that leaves more
 * than half of it empty. */
static size_t end_of_panel(const pdf_fit *fit, size_t first, float width)
{
    const vc_grid *grid = fit->table->grid;
    size_t end = first, boundary = first;
    float used = 0, used_at_boundary = 0;
    while (end < grid->ncolumns) {
        float next = column_width(fit, end, fit->table->size, 0.5f);
        if (end > first && used + next > width) break;
        used += next;
        end++;
        if (is_boundary(grid, end)) {
            boundary = end;
            used_at_boundary = used;
        }
    }
    return boundary > first && used_at_boundary >= width / 2 ? boundary : end;
}

static void fit_panels(const pdf_fit *fit)
{
    vc_pdf_table *table = fit->table;
    float width = 841.89f - 2 * VC_PDF_MARGIN;
    table->size = 7.5f;
    table->is_landscape = true;
    share_heads(fit, table->size, 0.3f * width);
    width -= table->heads_width;
    table->npanels = 0;
    for (size_t first = 0; first < table->grid->ncolumns;) {
        size_t end = end_of_panel(fit, first, width);
        if (!fit_columns(fit, first, end, width)) /* one column, wider than the page */
            table->columns[first] = width;
        table->panel_ends[table->npanels++] = end;
        first = end;
    }
}

vc_pdf_table *vc_pdf_plan_table(vc_pdf_fonts *fonts, const vc_grid *grid, vc_arena *arena)
{
    static const struct {
        float size, heads;
        bool is_landscape;
    } tries[] = {{8.5f, 0.6f, false}, {8.5f, 0.4f, false}, {7.5f, 0.4f, false},
                 {8.5f, 0.5f, true},  {8.5f, 0.35f, true}, {7.5f, 0.3f, true}};
    vc_pdf_table *table = VC_ARENA_NEW(arena, vc_pdf_table, 1);
    if (table == NULL) return NULL;
    table->grid = grid;
    table->heads = VC_ARENA_NEW(arena, float, grid->nhead_columns);
    table->columns = VC_ARENA_NEW(arena, float, grid->ncolumns);
    table->panel_ends = VC_ARENA_NEW(arena, size_t, grid->ncolumns + 1);
    pdf_fit fit = {.table = table,
                   .needs = measure_columns(fonts, grid, arena),
                   .likes = measure_heads(fonts, grid, arena)};
    if (table->heads == NULL || table->columns == NULL || table->panel_ends == NULL ||
        fit.needs == NULL || fit.likes == NULL)
        return NULL;
    char reasons[VC_MAX_REASONS];
    vc_grid_reasons(grid, reasons);
    table->has_reasons = reasons[0] != '\0';
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
        if (fit_whole(&fit, tries[i].size, tries[i].is_landscape, tries[i].heads)) return table;
    fit_panels(&fit);
    return table;
}

bool vc_pdf_table_is_landscape(const vc_pdf_table *table)
{
    return table->is_landscape;
}
