/* Heat maps: a cell of the grid is a field in the colour of its number, with the number in it where
 * it has room. */
#include "report/chart_parts.h"

#include <math.h>

enum {
    NARROWEST = 7, /* points of a field */
    WIDEST = 90,
    MOST_ROWS = 60,
    MOST_TIPS = 600, /* fields that tell their number to a pointer */
    PANEL_GAP = 10,
    TALLEST_NAME = 100,
};

typedef struct heat_map {
    vc_drawing *drawing;
    vc_scale *scales; /* [nmeasures] */
    size_t nrows, ncolumns;
    double left, top, width, height; /* of all fields; of one */
    bool has_numbers, are_upright;   /* numbers in the fields; names of columns */
    bool has_nulls;
} heat_map;

/* The left edge of a field: panels are apart. */
static double left_of(const heat_map *heat, size_t column)
{
    const vc_drawing *drawing = heat->drawing;
    size_t panel = 0;
    while (panel + 1 < drawing->npanels && column >= drawing->panels[panel].end)
        panel++;
    return heat->left + heat->width * (double)column + PANEL_GAP * (double)panel;
}

static void find_scales(heat_map *heat)
{
    vc_drawing *drawing = heat->drawing;
    const vc_grid *grid = drawing->grid;
    heat->scales = VC_ARENA_NEW(drawing->arena, vc_scale, grid->nmeasures);
    if (heat->scales == NULL) {
        drawing->failed = true;
        return;
    }
    for (size_t row = 0; row < heat->nrows; row++)
        for (size_t column = 0; column < heat->ncolumns; column++)
            if (vc_grid_cell(grid, row, column)->is_null)
                heat->has_nulls = true;
            else
                vc_scale_add(&heat->scales[vc_grid_measure_at(grid, row, column) - grid->measures],
                             vc_grid_number(grid, row, column));
    for (size_t i = 0; i < grid->nmeasures; i++)
        vc_scale_init(&heat->scales[i], &grid->measures[i], false, drawing->chart->is_logarithmic);
}

static double widest_name_of_rows(const heat_map *heat)
{
    double widest = 0;
    for (size_t row = 0; row < heat->nrows; row++)
        widest =
            fmax(widest, vc_picture_text_width(heat->drawing->row_names[row], VC_SIZE_TEXT, false));
    return fmin(widest, 0.3 * heat->drawing->width);
}

static vc_str column_name(const heat_map *heat, size_t column)
{
    return heat->drawing->series[heat->drawing->series_of[column]].name;
}

static double widest_name_of_columns(const heat_map *heat)
{
    double widest = 0;
    for (size_t column = 0; column < heat->ncolumns; column++)
        widest =
            fmax(widest, vc_picture_text_width(column_name(heat, column), VC_SIZE_TEXT, false));
    return widest;
}

static void choose_size(heat_map *heat)
{
    vc_drawing *drawing = heat->drawing;
    const vc_grid *grid = drawing->grid;
    size_t ncolumns = drawing->panels[drawing->npanels - 1].end;
    heat->nrows = grid->nrows < MOST_ROWS ? grid->nrows : MOST_ROWS;
    heat->left = widest_name_of_rows(heat) + 6;
    double room = drawing->width - heat->left - PANEL_GAP * (double)(drawing->npanels - 1);
    size_t most = (size_t)fmax(1, floor(room / NARROWEST));
    heat->ncolumns = ncolumns < most ? ncolumns : most;
    heat->width = fmin(WIDEST, fmax(room, NARROWEST) / (double)heat->ncolumns);
    heat->height = heat->nrows > 30 ? 12 : 16;
    if (heat->nrows < grid->nrows)
        vc_draw_note(drawing, vc_draw_printf(drawing, "Only the first %zu of %zu rows are shown.",
                                             heat->nrows, grid->nrows));
    if (heat->ncolumns < grid->ncolumns)
        vc_draw_note(drawing,
                     vc_draw_printf(drawing, "Only the first %zu of %zu columns are shown.",
                                    heat->ncolumns, grid->ncolumns));
}

static void find_room_for_numbers(heat_map *heat)
{
    heat->has_numbers = heat->height >= 16 && heat->width >= 16;
    for (size_t row = 0; row < heat->nrows && heat->has_numbers; row++)
        for (size_t column = 0; column < heat->ncolumns && heat->has_numbers; column++)
            if (!vc_grid_cell(heat->drawing->grid, row, column)->is_null)
                heat->has_numbers = vc_picture_text_width(vc_name_value(heat->drawing, row, column),
                                                          VC_SIZE_NOTE, false) <= heat->width - 2;
}

static void draw_names(heat_map *heat)
{
    vc_drawing *drawing = heat->drawing;
    double widest = widest_name_of_columns(heat);
    heat->are_upright = widest > heat->width - 2 && widest > 0;
    double tall = heat->are_upright ? fmin(widest, TALLEST_NAME) + 4 : VC_SIZE_TEXT + 5;
    bool has_titles = drawing->panels[0].title.size > 0;
    heat->top = drawing->bottom + (has_titles ? 1.5 * VC_SIZE_TEXT : 0) + tall;
    vc_text_style style = {.size = VC_SIZE_TEXT, .colour = VC_INK};
    for (size_t p = 0; p < drawing->npanels && has_titles; p++) {
        if (drawing->panels[p].first >= heat->ncolumns) break;
        style.is_bold = true;
        size_t end =
            drawing->panels[p].end < heat->ncolumns ? drawing->panels[p].end : heat->ncolumns;
        double width = heat->width * (double)(end - drawing->panels[p].first);
        vc_draw_text(
            drawing, left_of(heat, drawing->panels[p].first), drawing->bottom + VC_SIZE_TEXT,
            vc_draw_fit(drawing, drawing->panels[p].title, VC_SIZE_TEXT, true, width), style);
    }
    style = (vc_text_style){.size = VC_SIZE_TEXT,
                            .colour = VC_INK,
                            .anchor = heat->are_upright ? VC_ANCHOR_START : VC_ANCHOR_MIDDLE,
                            .is_vertical = heat->are_upright};
    size_t every = heat->are_upright ? (size_t)ceil((VC_SIZE_TEXT + 1) / heat->width) : 1;
    for (size_t column = 0; column < heat->ncolumns; column += every) {
        vc_str name = vc_draw_fit(drawing, column_name(heat, column), VC_SIZE_TEXT, false,
                                  heat->are_upright ? TALLEST_NAME : heat->width);
        double x =
            left_of(heat, column) + heat->width / 2 + (heat->are_upright ? 0.34 * VC_SIZE_TEXT : 0);
        vc_draw_text(drawing, x, heat->top - 4, name, style);
    }
    style = (vc_text_style){.size = VC_SIZE_TEXT, .colour = VC_INK, .anchor = VC_ANCHOR_END};
    const vc_str *names =
        vc_draw_fit_all(drawing, drawing->row_names, heat->nrows, style, heat->left - 6);
    for (size_t row = 0; row < heat->nrows; row++)
        vc_draw_text(drawing, heat->left - 6,
                     heat->top + heat->height * ((double)row + 0.5) + 0.34 * VC_SIZE_TEXT,
                     names[row], style);
}

static void draw_field(const heat_map *heat, size_t row, size_t column)
{
    vc_drawing *drawing = heat->drawing;
    const vc_grid *grid = drawing->grid;
    bool is_null = vc_grid_cell(grid, row, column)->is_null;
    uint32_t fill = VC_NO_VALUE;
    if (!is_null)
        fill =
            vc_scale_colour(&heat->scales[vc_grid_measure_at(grid, row, column) - grid->measures],
                            vc_grid_number(grid, row, column));
    if (fill == VC_NO_COLOUR) fill = 0xFFFFFF;
    double x = left_of(heat, column), y = heat->top + heat->height * (double)row;
    bool has_tip = !heat->has_numbers && heat->nrows * heat->ncolumns <= MOST_TIPS;
    vc_draw_rectangle(drawing,
                      (vc_box){x + 0.5, y + 0.5, x + heat->width - 0.5, y + heat->height - 0.5},
                      fill, has_tip ? vc_drawing_tip(drawing, row, column) : (vc_str){0});
    if (!heat->has_numbers) return;
    vc_draw_text(drawing, x + heat->width / 2, y + heat->height / 2 + 0.35 * VC_SIZE_NOTE,
                 is_null ? VC_STR("\xE2\x80\x93") : vc_name_value(drawing, row, column),
                 (vc_text_style){.size = VC_SIZE_NOTE,
                                 .colour = vc_colour_of_ink(fill),
                                 .anchor = VC_ANCHOR_MIDDLE});
}

void vc_draw_heat(vc_drawing *drawing)
{
    heat_map heat = {.drawing = drawing};
    const vc_grid *grid = drawing->grid;
    choose_size(&heat);
    find_scales(&heat);
    if (drawing->failed) return;
    bool is_shown = false;
    for (size_t i = 0; i < grid->nmeasures; i++) {
        if (heat.scales[i].extent.count == 0) continue;
        vc_draw_title(drawing, vc_drawing_title_of(drawing, &grid->measures[i]));
        vc_draw_scale(drawing, &heat.scales[i], heat.has_nulls && !is_shown);
        is_shown = true;
    }
    find_room_for_numbers(&heat);
    draw_names(&heat);
    for (size_t row = 0; row < heat.nrows; row++)
        for (size_t column = 0; column < heat.ncolumns; column++)
            draw_field(&heat, row, column);
    drawing->bottom = heat.top + heat.height * (double)heat.nrows + 6;
}
