#include "report/chart_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The head that stands for a place: itself, or the one before it that spans it. */
static const vc_grid_head *head_over(const vc_grid_head *heads, size_t stride, size_t index)
{
    while (index > 0 && heads[index * stride].span == 0)
        index--;
    return &heads[index * stride];
}

static void add_part(vc_buffer *out, vc_str part)
{
    if (part.size == 0) return;
    if (out->size > 0) vc_buffer_put_text(out, ", ");
    vc_buffer_put_str(out, part);
}

/* ---- rows ---- */

vc_str vc_drawing_row(vc_drawing *drawing, size_t row)
{
    const vc_grid *grid = drawing->grid;
    for (size_t c = 0; c < grid->nhead_columns; c++)
        add_part(&drawing->scratch, head_over(grid->row_heads + c, grid->nhead_columns, row)->text);
    return vc_draw_scratch(drawing);
}

static int compare_names(const void *a, const void *b)
{
    return vc_str_compare(*(const vc_str *)a, *(const vc_str *)b);
}

static bool are_unique(vc_drawing *drawing, const vc_str *names, size_t count)
{
    vc_str *sorted = VC_ARENA_NEW(drawing->arena, vc_str, count);
    if (sorted == NULL) {
        drawing->failed = true;
        return true;
    }
    if (count > 0) memcpy(sorted, names, count * sizeof *names);
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < count; i++)
        if (vc_str_equal(sorted[i], sorted[i - 1])) return false;
    return true;
}

void vc_drawing_name_rows(vc_drawing *drawing)
{
    const vc_grid *grid = drawing->grid;
    size_t ncolumns = grid->nhead_columns;
    vc_str *names = drawing->row_names = VC_ARENA_NEW(drawing->arena, vc_str, grid->nrows);
    if (names == NULL) {
        drawing->failed = true;
        return;
    }
    for (size_t row = 0; row < grid->nrows; row++) {
        vc_str text = VC_STR("");
        if (ncolumns > 0) text = grid->row_heads[(row + 1) * ncolumns - 1].text;
        names[row] = text.size == 0 ? VC_STR("") : vc_draw_clean(drawing, text);
    }
    if (ncolumns < 2 || are_unique(drawing, names, grid->nrows)) return;
    for (size_t row = 0; row < grid->nrows; row++)
        names[row] = vc_drawing_row(drawing, row);
}

vc_str vc_drawing_row_title(vc_drawing *drawing)
{
    const vc_grid *grid = drawing->grid;
    for (size_t c = 0; c < grid->nhead_columns; c++)
        add_part(&drawing->scratch, grid->corners[c]);
    return vc_draw_scratch(drawing);
}

/* ---- columns ---- */

static bool is_row_of_measures(const vc_grid *grid, size_t row)
{
    return grid->ncolumns > 0 && grid->column_heads[row * grid->ncolumns].is_measure;
}

/* What tells a column from the others of its panel. */
static vc_str name_of_column(vc_drawing *drawing, size_t first_row, size_t column)
{
    const vc_grid *grid = drawing->grid;
    for (size_t r = first_row; r < grid->nhead_rows; r++) {
        if (is_row_of_measures(grid, r) && grid->nmeasures == 1 && grid->nhead_rows > first_row + 1)
            continue;
        const vc_grid_head *heads = grid->column_heads + r * grid->ncolumns;
        add_part(&drawing->scratch, head_over(heads, 1, column)->text);
    }
    return vc_draw_scratch(drawing);
}

static void add_panel(vc_drawing *drawing, vc_list *list, vc_str title, size_t first, size_t end)
{
    vc_panel *panel = VC_LIST_NEW(list, drawing->arena, vc_panel);
    if (panel == NULL)
        drawing->failed = true;
    else
        *panel = (vc_panel){.title = title, .first = first, .end = end};
}

static void find_panels(vc_drawing *drawing, bool has_panels)
{
    enum { MOST = 36 };
    const vc_grid *grid = drawing->grid;
    vc_list list = {0};
    size_t first = 0;
    for (size_t end = 1; has_panels && end <= grid->ncolumns; end++) {
        if (end < grid->ncolumns && grid->column_heads[end].span == 0) continue;
        vc_str title = grid->column_heads[first].text;
        if (list.count < MOST)
            add_panel(drawing, &list, title.size == 0 ? VC_STR(" ") : vc_draw_clean(drawing, title),
                      first, end);
        else if (end == grid->ncolumns)
            vc_draw_note(drawing, VC_STR("Only the first 36 panels are shown."));
        first = end;
    }
    if (!has_panels) add_panel(drawing, &list, (vc_str){0}, 0, grid->ncolumns);
    drawing->panels = list.items;
    drawing->npanels = list.count;
}

/* The series of this name that the panel does not have yet. */
static size_t find_series(const vc_list *list, vc_str name, const size_t *used_by, size_t panel)
{
    const vc_series *series = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (used_by[i] != panel && vc_str_equal(series[i].name, name)) return i;
    return list->count;
}

void vc_drawing_find_series(vc_drawing *drawing)
{
    const vc_grid *grid = drawing->grid;
    bool has_panels = drawing->chart->has_panels && grid->nhead_rows > 0 && grid->ncolumns > 0;
    find_panels(drawing, has_panels);
    uint32_t *series_of = VC_ARENA_NEW(drawing->arena, uint32_t, grid->ncolumns);
    size_t *used_by = VC_ARENA_NEW(drawing->arena, size_t, grid->ncolumns);
    if (series_of == NULL || used_by == NULL || drawing->failed) {
        drawing->failed = true;
        return;
    }
    vc_list list = {0};
    for (size_t p = 0; p < drawing->npanels; p++)
        for (size_t column = drawing->panels[p].first; column < drawing->panels[p].end; column++) {
            vc_str name = name_of_column(drawing, has_panels, column);
            size_t index = has_panels ? find_series(&list, name, used_by, p + 1) : list.count;
            if (index == list.count) {
                vc_series *series = VC_LIST_NEW(&list, drawing->arena, vc_series);
                if (series == NULL) {
                    drawing->failed = true;
                    return;
                }
                *series = (vc_series){.name = name, .colour = vc_colour_of_series(index)};
            }
            used_by[index] = p + 1;
            series_of[column] = (uint32_t)index;
        }
    drawing->series = list.items;
    drawing->nseries = list.count;
    drawing->series_of = series_of;
}

typedef struct rank {
    double size;
    size_t index;
} rank;

static int compare_ranks(const void *a, const void *b)
{
    const rank *one = a, *other = b;
    if (one->size != other->size) return one->size > other->size ? -1 : 1;
    return one->index < other->index ? -1 : 1;
}

static int compare_indexes(const void *a, const void *b)
{
    const rank *one = a, *other = b;
    return one->index < other->index ? -1 : one->index > other->index;
}

void vc_drawing_rank_series(vc_drawing *drawing)
{
    const vc_grid *grid = drawing->grid;
    if (drawing->nseries <= VC_MAX_COLOURED) return;
    rank *ranks = VC_ARENA_NEW(drawing->arena, rank, drawing->nseries);
    if (ranks == NULL) {
        drawing->failed = true;
        return;
    }
    for (size_t i = 0; i < drawing->nseries; i++)
        ranks[i].index = i;
    for (size_t p = 0; p < drawing->npanels; p++)
        for (size_t column = drawing->panels[p].first; column < drawing->panels[p].end; column++)
            for (size_t row = 0; row < grid->nrows; row++)
                if (!vc_grid_cell(grid, row, column)->is_null)
                    ranks[drawing->series_of[column]].size +=
                        fabs(vc_grid_number(grid, row, column)) / (double)grid->nrows;
    qsort(ranks, drawing->nseries, sizeof *ranks, compare_ranks);
    for (size_t i = 0; i < drawing->nseries; i++)
        drawing->series[i].colour = VC_OTHERS;
    qsort(ranks, VC_MAX_COLOURED, sizeof *ranks, compare_indexes);
    for (size_t i = 0; i < VC_MAX_COLOURED; i++)
        drawing->series[ranks[i].index].colour = vc_colour_of_series(i);
    drawing->nothers = drawing->nseries - VC_MAX_COLOURED;
}

/* ---- measures ---- */

static vc_str label_of(const vc_result_measure *measure)
{
    return measure->label.size > 0 ? measure->label : measure->name;
}

vc_str vc_drawing_tip(vc_drawing *drawing, size_t row, size_t column)
{
    const vc_grid *grid = drawing->grid;
    const vc_grid_measure *measure = vc_grid_measure_at(grid, row, column);
    vc_buffer *out = &drawing->scratch;
    for (size_t c = 0; c < grid->nhead_columns; c++)
        add_part(out, head_over(grid->row_heads + c, grid->nhead_columns, row)->text);
    for (size_t r = 0; r < grid->nhead_rows; r++)
        if (!is_row_of_measures(grid, r) || grid->nmeasures > 1)
            add_part(out, head_over(grid->column_heads + r * grid->ncolumns, 1, column)->text);
    if (out->size == 0) vc_buffer_put_str(out, label_of(measure->measure));
    vc_buffer_put_text(out, ": ");
    vc_grid_put_text(grid, row, column, out);
    if (measure->measure->unit.size > 0 && grid->nmeasures == 1) {
        vc_buffer_put_char(out, ' ');
        vc_buffer_put_str(out, measure->measure->unit);
    }
    return vc_draw_scratch(drawing);
}

static void put_title(vc_buffer *out, const vc_result_measure *measure)
{
    add_part(out, label_of(measure));
    if (measure->unit.size == 0) return;
    vc_buffer_put_text(out, " (");
    vc_buffer_put_str(out, measure->unit);
    vc_buffer_put_char(out, ')');
}

vc_str vc_drawing_title_of(vc_drawing *drawing, const vc_grid_measure *measure)
{
    put_title(&drawing->scratch, measure->measure);
    return vc_draw_scratch(drawing);
}

/* Is this the first of the columns (or rows) with its measure? */
static bool is_first_use(const vc_grid *grid, size_t first, size_t at)
{
    for (size_t i = first; i < at; i++)
        if (grid->measure_of[i] == grid->measure_of[at]) return false;
    return true;
}

vc_str vc_drawing_measure_title(vc_drawing *drawing, size_t first, size_t end)
{
    enum { MOST = 3 };
    const vc_grid *grid = drawing->grid;
    size_t ntitles = 0;
    if (grid->measures_on_rows) {
        first = 0;
        end = grid->nrows;
    }
    for (size_t i = first; i < end; i++) {
        if (!is_first_use(grid, first, i)) continue;
        if (ntitles++ == MOST) {
            vc_buffer_put_text(&drawing->scratch, ", \xE2\x80\xA6");
            break;
        }
        put_title(&drawing->scratch, grid->measures[grid->measure_of[i]].measure);
    }
    return vc_draw_scratch(drawing);
}
