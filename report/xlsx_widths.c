/* Widths of columns, in characters of the workbook's font, from the texts in them. */
#include "report/xlsx_parts.h"

#include <math.h>

enum { LEAST = 8, MOST_NUMBER = 40, MOST_HEAD = 48, MOST_WORD = 24, LOOKED_AT = 2000 };

static double clamp(double width, double least, double most)
{
    return fmin(most, fmax(least, width));
}

static size_t longest_word(vc_str text)
{
    size_t longest = 0;
    while (!vc_str_is_null(text) && text.size > 0) {
        size_t columns = vc_utf8_columns(vc_str_split(&text, ' '));
        if (columns > longest) longest = columns;
    }
    return longest;
}

/* Rows that are looked at: all, or some thousands of them, evenly. */
static size_t step_of(size_t nrows)
{
    return nrows / LOOKED_AT + 1;
}

static double width_of_numbers(vc_xlsx *xlsx, const vc_grid *grid, size_t column)
{
    size_t longest = 0, step = step_of(grid->nrows * grid->ncolumns / 8);
    for (size_t row = 0; row < grid->nrows; row += step) {
        vc_buffer_clear(&xlsx->text);
        vc_grid_put_text(grid, row, column, &xlsx->text);
        size_t columns =
            vc_utf8_columns((vc_str){.data = xlsx->text.data, .size = xlsx->text.size});
        if (columns > longest) longest = columns;
    }
    return clamp((double)longest + 3, LEAST, MOST_NUMBER);
}

static double width_of_column(vc_xlsx *xlsx, const vc_grid *grid, size_t column)
{
    double width = width_of_numbers(xlsx, grid, column);
    for (size_t row = 0; row < grid->nhead_rows; row++) {
        const vc_grid_head *head = &grid->column_heads[row * grid->ncolumns + column];
        if (head->span != 1) continue;
        /* Room for the button of the filter; long heads on two lines. */
        width = fmax(width, fmin((double)longest_word(head->text) + 4, MOST_WORD));
        width = fmax(width, fmin((double)vc_utf8_columns(head->text) / 2 + 3, MOST_WORD - 4));
    }
    return width;
}

static double width_of_head(const vc_grid *grid, size_t column)
{
    size_t longest = 0, step = step_of(grid->nrows);
    for (size_t row = 0; row < grid->nrows; row += step) {
        const vc_grid_head *head = &grid->row_heads[row * grid->nhead_columns + column];
        size_t columns = vc_utf8_columns(head->text) + 2 * (size_t)head->indent;
        if (columns > longest) longest = columns;
    }
    size_t corner = vc_utf8_columns(grid->corners[column]) + 3;
    return clamp((double)(longest > corner ? longest : corner) + 2, LEAST, MOST_HEAD);
}

static double pixels_of(double width)
{
    return 7 * width + 5;
}

/* Columns of equal width are one entry of the file. */
static void set_columns(lxw_worksheet *sheet, const double *widths, size_t count)
{
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && widths[end] == widths[first];)
            end++;
        worksheet_set_column(sheet, (lxw_col_t)first, (lxw_col_t)(end - 1), widths[first], NULL);
    }
}

bool vc_xlsx_set_widths(vc_xlsx *xlsx, vc_xlsx_sheet *sheet, vc_xlsx_place *place)
{
    const vc_grid *grid = vc_xlsx_grid_of(sheet->section);
    size_t count = place->first_column + place->ncolumns;
    place->widths = VC_ARENA_NEW(&xlsx->arena, double, count);
    if (place->widths == NULL) return false;
    for (size_t i = 0; i < count; i++) {
        place->widths[i] = i < place->first_column
                               ? width_of_head(grid, i)
                               : width_of_column(xlsx, grid, i - place->first_column);
        place->width += pixels_of(place->widths[i]);
    }
    set_columns(sheet->sheet, place->widths, count);
    return true;
}

double vc_xlsx_lines(vc_str text, double width)
{
    /* A column's width is in digits of a larger font. */
    double columns = (double)vc_utf8_columns(text), room = fmax(1.1 * width - 1, 4);
    if (columns <= room) return 1;
    /* Words are not broken, so lines are not full. */
    return floor(columns / fmax(room - 1.5, 4)) + 1;
}

void vc_xlsx_set_height(lxw_worksheet *sheet, size_t row, double nlines)
{
    enum { MOST_POINTS = 400 };
    const double line = 13.5;
    if (nlines > 1)
        worksheet_set_row(sheet, (lxw_row_t)row, fmin(MOST_POINTS, line * nlines + 2), NULL);
}
