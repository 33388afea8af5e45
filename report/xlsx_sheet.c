/* A grid on a sheet: title, heads, numbers as numbers, what to know of them below. */
#include "report/xlsx_parts.h"

#include <math.h>
#include <string.h>

typedef struct xlsx_grid {
    vc_xlsx *xlsx;
    lxw_worksheet *sheet;
    const vc_section *section;
    const vc_grid *grid;
    vc_xlsx_place place;
    bool *has_letters; /* [ncolumns] letters stand behind some numbers */
    size_t nreasons[256];
    size_t ncomments, ntexts;
    bool has_range; /* of a chart that is coloured cells */
    double low, high;
} xlsx_grid;

/* ---- heads ---- */

static vc_xlsx_look head_look(bool is_wide)
{
    return (vc_xlsx_look){.kind = is_wide ? VC_XLSX_HEAD_WIDE : VC_XLSX_HEAD};
}

/* Merged cells within a row can be written as rows are. */
static void put_wide(xlsx_grid *on, size_t row, size_t first, size_t end, vc_str text,
                     lxw_format *format)
{
    if (end - first < 2) {
        vc_xlsx_put(on->xlsx, on->sheet, row, first, text, format);
        return;
    }
    worksheet_merge_range(on->sheet, (lxw_row_t)row, (lxw_col_t)first, (lxw_row_t)row,
                          (lxw_col_t)(end - 1), vc_xlsx_clean(on->xlsx, text, false), format);
}

static void put_corners(xlsx_grid *on, size_t row)
{
    const vc_grid *grid = on->grid;
    bool is_last = row + 1 == grid->nhead_rows;
    lxw_format *corner = vc_xlsx_kind_of(on->xlsx, VC_XLSX_CORNER);
    lxw_format *right = vc_xlsx_kind_of(on->xlsx, VC_XLSX_HEAD);
    for (size_t i = 0; i < grid->nhead_columns; i++) {
        bool is_beside = i + 1 == grid->nhead_columns && grid->corner_rows[row].size > 0;
        vc_str text = is_last ? grid->corners[i] : (vc_str){.data = ""};
        size_t at = on->place.head_row + row;
        if (is_beside && text.size == 0)
            vc_xlsx_put(on->xlsx, on->sheet, at, i, grid->corner_rows[row], right);
        else
            vc_xlsx_put(on->xlsx, on->sheet, at, i, text, corner);
    }
}

static void put_heads(xlsx_grid *on)
{
    const vc_grid *grid = on->grid;
    for (size_t row = 0; row < grid->nhead_rows; row++) {
        const vc_grid_head *heads = grid->column_heads + row * grid->ncolumns;
        double nlines = 1;
        put_corners(on, row);
        for (size_t column = 0; column < on->place.ncolumns;) {
            size_t span = heads[column].span > 0 ? heads[column].span : 1, end = column + span;
            if (end > on->place.ncolumns) end = on->place.ncolumns;
            vc_xlsx_look look = head_look(span > 1);
            put_wide(on, on->place.head_row + row, on->place.first_column + column,
                     on->place.first_column + end, heads[column].text,
                     vc_xlsx_format_of(on->xlsx, &look));
            double width = 0;
            for (size_t i = column; i < end; i++)
                width += on->place.widths[on->place.first_column + i];
            nlines = fmax(nlines, vc_xlsx_lines(heads[column].text, width));
            column = end;
        }
        vc_xlsx_set_height(on->sheet, on->place.head_row + row, nlines);
    }
}

/* Of a total in several columns of heads the first one says so. */
static bool is_said_before(const vc_grid_head *heads, size_t column)
{
    return column > 0 && heads[column].is_total && heads[column - 1].is_total &&
           heads[column].span > 0 && heads[column - 1].span > 0 &&
           vc_str_equal(heads[column].text, heads[column - 1].text);
}

static void put_row_heads(xlsx_grid *on, size_t row)
{
    const vc_grid *grid = on->grid;
    const vc_grid_head *heads = grid->row_heads + row * grid->nhead_columns;
    size_t at = on->place.first_row + row;
    double nlines = 1;
    for (size_t column = 0; column < grid->nhead_columns; column++) {
        const vc_grid_head *head = &heads[column];
        bool is_own = head->span > 0, is_merged = head->span > 1 && !on->xlsx->is_constant;
        vc_xlsx_look look = {.kind = VC_XLSX_ROW_HEAD,
                             .is_total = grid->is_total_row[row] && is_own,
                             .is_marked = head->is_marked,
                             .indent = head->indent < 15 ? head->indent : 15};
        lxw_format *format = vc_xlsx_format_of(on->xlsx, &look);
        vc_str text = is_own && !is_said_before(heads, column) ? head->text : (vc_str){.data = ""};
        size_t end = row + head->span < on->place.nrows ? row + head->span : on->place.nrows;
        if (is_merged && end > row + 1)
            worksheet_merge_range(on->sheet, (lxw_row_t)at, (lxw_col_t)column,
                                  (lxw_row_t)(at + end - row - 1), (lxw_col_t)column,
                                  vc_xlsx_clean(on->xlsx, text, false), format);
        else if (is_own || on->xlsx->is_constant)
            vc_xlsx_put(on->xlsx, on->sheet, at, column, text, format);
        double width = on->place.widths[column] - 2 * (double)look.indent;
        if (is_own) nlines = fmax(nlines, vc_xlsx_lines(text, width) + 1 - head->span);
    }
    vc_xlsx_set_height(on->sheet, at, nlines);
}

/* ---- numbers ---- */

/* Is it a number that a spreadsheet shows as the report does? Most are, at a glance. */
static bool is_kept(xlsx_grid *on, size_t row, size_t column)
{
    const int64_t few = (int64_t)1000 * 1000 * 1000 * 1000 * 1000; /* fifteen digits */
    const vc_cell *cell = vc_grid_cell(on->grid, row, column);
    const vc_grid_measure *measure = vc_grid_measure_at(on->grid, row, column);
    if (cell->is_float || measure->measure->type == VC_VALUE_FLOAT) return true;
    if (cell->as.i < few && cell->as.i > -few) return true;
    vc_buffer exact = {0};
    vc_grid_put_exact(on->grid, row, column, &exact);
    bool is_shown = vc_xlsx_shows(vc_str_of(vc_buffer_text(&exact)),
                                  measure->has_format ? &measure->format : NULL);
    on->xlsx->is_failed |= exact.failed;
    vc_buffer_release(&exact);
    return is_shown;
}

static void put_comment(xlsx_grid *on, size_t row, size_t column, char reason)
{
    if (on->xlsx->is_constant || on->ncomments++ >= VC_XLSX_MAX_COMMENTS) return;
    lxw_comment_options options = {.width = 220, .height = 32};
    worksheet_write_comment_opt(on->sheet, (lxw_row_t)row, (lxw_col_t)column,
                                vc_document_reason(reason), &options);
}

/* The colour behind a cell: its measure's, or that of a chart of coloured cells. */
static uint32_t colour_of(const xlsx_grid *on, size_t row, size_t column)
{
    uint32_t own = vc_grid_colour(on->grid, row, column);
    if (own != VC_NO_COLOUR || !on->has_range || vc_grid_cell(on->grid, row, column)->is_null)
        return own;
    if (on->section->chart->kind == VC_CHART_MAP && column > 0) return VC_NO_COLOUR;
    double width = on->high - on->low;
    double value = vc_grid_number(on->grid, row, column);
    return vc_colour_of_share(width > 0 ? (value - on->low) / width : 0.5);
}

static uint32_t fill_of(const xlsx_grid *on, size_t row, size_t column)
{
    uint32_t fill = colour_of(on, row, column);
    if (fill == VC_NO_COLOUR) return 0;
    /* Steps of scales that nobody tells apart are one format; a workbook has 64,000 at most. */
    bool is_rule = vc_grid_measure_at(on->grid, row, column)->colouring.kind == VC_COLOURING_RULES;
    return (is_rule ? fill : (fill & 0xF8F8F8) | 0x040404) + 1;
}

static void put_cell(xlsx_grid *on, size_t row, size_t column)
{
    const vc_grid *grid = on->grid;
    const vc_cell *cell = vc_grid_cell(grid, row, column);
    const vc_grid_measure *measure = vc_grid_measure_at(grid, row, column);
    size_t at = on->place.first_row + row, to = on->place.first_column + column;
    vc_xlsx_look look = {.kind = VC_XLSX_CELL,
                         .measure = measure,
                         .is_total = grid->is_total_row[row] || grid->is_total_column[column],
                         .has_letters = on->has_letters[column],
                         .letter = cell->is_null ? '\0' : cell->reason,
                         .fill = fill_of(on, row, column)};
    on->nreasons[(unsigned char)cell->reason]++;
    if (cell->is_null) {
        worksheet_write_blank(on->sheet, (lxw_row_t)at, (lxw_col_t)to,
                              vc_xlsx_format_of(on->xlsx, &look));
        if (cell->reason != VC_REASON_NONE) put_comment(on, at, to, cell->reason);
    } else if (is_kept(on, row, column)) {
        worksheet_write_number(on->sheet, (lxw_row_t)at, (lxw_col_t)to,
                               vc_grid_number(grid, row, column),
                               vc_xlsx_format_of(on->xlsx, &look));
    } else {
        look.is_text = true;
        on->ntexts++;
        vc_buffer exact = {0};
        vc_grid_put_exact(grid, row, column, &exact);
        worksheet_write_string(on->sheet, (lxw_row_t)at, (lxw_col_t)to, vc_buffer_text(&exact),
                               vc_xlsx_format_of(on->xlsx, &look));
        on->xlsx->is_failed |= exact.failed;
        vc_buffer_release(&exact);
    }
}

static bool find_letters(xlsx_grid *on)
{
    const vc_grid *grid = on->grid;
    on->has_letters = VC_ARENA_NEW(&on->xlsx->arena, bool, grid->ncolumns);
    if (on->has_letters == NULL) return false;
    for (size_t row = 0; row < grid->nrows; row++)
        for (size_t column = 0; column < grid->ncolumns; column++) {
            const vc_cell *cell = vc_grid_cell(grid, row, column);
            on->has_letters[column] |= !cell->is_null && cell->reason != VC_REASON_NONE;
        }
    return true;
}

/* ---- below ---- */

static void put_note(xlsx_grid *on, vc_str text)
{
    if (text.size > 0)
        vc_xlsx_put(on->xlsx, on->sheet, on->place.end_row++, 0, text,
                    vc_xlsx_kind_of(on->xlsx, VC_XLSX_NOTE));
}

__attribute__((format(printf, 2, 3))) static void put_note_of(xlsx_grid *on, const char *format,
                                                              ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_note(on, vc_str_of(text));
}

static void put_reasons(xlsx_grid *on)
{
    char reasons[VC_MAX_REASONS];
    vc_grid_reasons(on->grid, reasons);
    for (size_t i = 0; reasons[i] != '\0'; i++) {
        char count[VC_NUMBER_TEXT];
        size_t ncells = on->nreasons[(unsigned char)reasons[i]];
        vc_format_count(count, ncells);
        bool is_mark = reasons[i] == VC_REASON_REPEATED || reasons[i] == VC_REASON_ALLOCATED;
        put_note_of(on, "%s %c: %s (%s %s)", is_mark ? "Number with" : "Empty,", reasons[i],
                    vc_document_reason(reasons[i]), count, ncells == 1 ? "cell" : "cells");
    }
    if (on->ncomments > VC_XLSX_MAX_COMMENTS)
        put_note_of(on, "Only the first %d empty cells have a comment that says why.",
                    (int)VC_XLSX_MAX_COMMENTS);
}

static void put_limits(xlsx_grid *on)
{
    const vc_grid *grid = on->grid;
    char some[VC_NUMBER_TEXT], all[VC_NUMBER_TEXT];
    if (on->ntexts > 0) {
        vc_format_count(some, on->ntexts);
        put_note_of(on,
                    "%s numbers have more digits than a spreadsheet shows. They are written as "
                    "text, exactly, and no sum or chart has them.",
                    some);
    }
    if (grid->is_cut && on->section->kind != VC_SECTION_CHART) { /* of charts a note says so */
        vc_format_count(some, grid->nrows);
        vc_format_count(all, grid->nrows_all);
        put_note_of(on, "The first %s of %s rows.", some, all);
    }
    if (on->place.nrows < grid->nrows) {
        vc_format_count(some, on->place.nrows);
        vc_format_count(all, grid->nrows);
        put_note_of(on, "A sheet has room for %s of the %s rows: the others are left out.", some,
                    all);
    }
    if (on->place.ncolumns < grid->ncolumns) {
        vc_format_count(some, on->place.ncolumns);
        vc_format_count(all, grid->ncolumns);
        put_note_of(on, "A sheet has room for %s of the %s columns: the others are left out.", some,
                    all);
    }
}

static void put_below(xlsx_grid *on)
{
    const vc_section *section = on->section;
    on->place.end_row = on->place.first_row + on->place.nrows;
    size_t chart_end = on->place.head_row + vc_xlsx_chart_rows(section, &on->place);
    bool is_beside = section->kind == VC_SECTION_CHART && chart_end > on->place.head_row;
    if (is_beside && on->place.end_row < chart_end) on->place.end_row = chart_end;
    if (on->grid->nrows == 0) put_note(on, VC_STR("No rows."));
    if (on->grid->ncolumns == 0) put_note(on, VC_STR("No columns."));
    if (on->place.end_row + 40 < VC_XLSX_MAX_ROWS) on->place.end_row++;
    put_reasons(on);
    put_limits(on);
    if (section->kind == VC_SECTION_CHART) {
        const char *note = vc_xlsx_chart_note(section->chart);
        if (note != NULL) put_note(on, vc_str_of(note));
        put_note(on, section->chart->alternative);
    }
    for (size_t i = 0; i < section->nnotes; i++)
        put_note(on, section->notes[i]);
}

/* ---- the sheet ---- */

static void put_above(xlsx_grid *on)
{
    const vc_section *section = on->section;
    vc_str title = section->title.size > 0 ? section->title : on->grid->caption;
    vc_xlsx_put(on->xlsx, on->sheet, 0, 0, title, vc_xlsx_kind_of(on->xlsx, VC_XLSX_SECTION));
    if (!vc_str_equal(title, on->grid->caption))
        vc_xlsx_put(on->xlsx, on->sheet, 1, 0, on->grid->caption,
                    vc_xlsx_kind_of(on->xlsx, VC_XLSX_NOTE));
}

/* Heads stay in sight and are printed on every page. */
static void set_up(xlsx_grid *on)
{
    lxw_worksheet *sheet = on->sheet;
    const vc_xlsx_place *place = &on->place;
    vc_buffer footer = {0};
    worksheet_freeze_panes(sheet, (lxw_row_t)place->first_row, (lxw_col_t)place->first_column);
    worksheet_set_paper(sheet, 9); /* A4 */
    if (place->width > 700 || on->section->kind == VC_SECTION_CHART) worksheet_set_landscape(sheet);
    /* What is wider than a page can be shrunk to is printed on several, with its row heads. */
    if (place->width < 2400) {
        worksheet_fit_to_pages(sheet, 1, 0);
    } else {
        worksheet_set_print_scale(sheet, 60);
        if (place->first_column > 0)
            worksheet_repeat_columns(sheet, 0, (lxw_col_t)(place->first_column - 1));
    }
    if (place->first_row > place->head_row)
        worksheet_repeat_rows(sheet, (lxw_row_t)place->head_row, (lxw_row_t)(place->first_row - 1));
    vc_str title = vc_utf8_cut(on->xlsx->document->title, 60);
    vc_buffer_put_text(&footer, "&L");
    for (const char *at = vc_xlsx_clean(on->xlsx, title, false); *at != '\0'; at++) {
        vc_buffer_put_char(&footer, *at);
        if (*at == '&') vc_buffer_put_char(&footer, '&');
    }
    vc_buffer_put_text(&footer, "&R&P / &N");
    on->xlsx->is_failed |= footer.failed;
    if (footer.size < 250) worksheet_set_footer(sheet, vc_buffer_text(&footer));
    vc_buffer_release(&footer);
    /* Filters want one row of heads, and no merged cells below it. */
    bool has_spans = false;
    for (size_t i = 0; i < on->grid->nrows * on->grid->nhead_columns; i++)
        has_spans |= on->grid->row_heads[i].span != 1;
    size_t width = place->first_column + place->ncolumns;
    if (on->grid->nhead_rows == 1 && !has_spans && place->nrows > 1 && width > 0)
        worksheet_autofilter(sheet, (lxw_row_t)place->head_row, 0,
                             (lxw_row_t)(place->first_row + place->nrows - 1),
                             (lxw_col_t)(width - 1));
}

void vc_xlsx_put_sheet(vc_xlsx *xlsx, vc_xlsx_sheet *sheet)
{
    enum { HEAD_ROW = 3, NOTE_ROWS = 100 };
    const vc_grid *grid = vc_xlsx_grid_of(sheet->section);
    xlsx_grid on = {.xlsx = xlsx, .sheet = sheet->sheet, .section = sheet->section, .grid = grid};
    size_t most_rows = VC_XLSX_MAX_ROWS - HEAD_ROW - grid->nhead_rows - NOTE_ROWS;
    size_t most_columns = VC_XLSX_MAX_COLUMNS - grid->nhead_columns;
    on.place =
        (vc_xlsx_place){.head_row = HEAD_ROW,
                        .first_row = HEAD_ROW + grid->nhead_rows,
                        .first_column = grid->nhead_columns,
                        .nrows = grid->nrows < most_rows ? grid->nrows : most_rows,
                        .ncolumns = grid->ncolumns < most_columns ? grid->ncolumns : most_columns};
    if (!find_letters(&on) || !vc_xlsx_set_widths(xlsx, sheet, &on.place)) {
        xlsx->is_failed = true;
        return;
    }
    if (sheet->section->kind == VC_SECTION_CHART)
        on.has_range = vc_xlsx_chart_range(sheet->section->chart, &on.low, &on.high);
    put_above(&on);
    put_heads(&on);
    for (size_t row = 0; row < on.place.nrows; row++) {
        put_row_heads(&on, row);
        for (size_t column = 0; column < on.place.ncolumns; column++)
            put_cell(&on, row, column);
    }
    put_below(&on);
    set_up(&on);
    if (sheet->section->kind == VC_SECTION_CHART) vc_xlsx_put_chart(xlsx, sheet, &on.place);
}
