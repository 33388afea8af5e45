/* Charts of the spreadsheet's own, over the cells of the sheet: who changes a number sees it. */
#include "report/xlsx_parts.h"

#include <math.h>

enum { MAX_SERIES = 255, MAX_POINTS = 32000, MAX_PANELS = 24, PANELS_IN_A_ROW = 2 };

typedef struct xlsx_chart {
    vc_xlsx *xlsx;
    const vc_xlsx_sheet *sheet;
    const vc_xlsx_place *place;
    const vc_chart *chart;
    const vc_grid *grid;
} xlsx_chart;

/* ---- what is no chart in a spreadsheet ---- */

static bool is_coloured_cells(const vc_chart *chart)
{
    return chart->kind == VC_CHART_HEAT || chart->kind == VC_CHART_MAP;
}

const char *vc_xlsx_chart_note(const vc_chart *chart)
{
    switch (chart->kind) {
    case VC_CHART_HEAT: return "The heat map is the colours of the cells.";
    case VC_CHART_MAP:
        return "A spreadsheet draws no map of countries: the colours of the cells are those of "
               "the map.";
    case VC_CHART_SCATTER:
        if (chart->grid->ncolumns > 2)
            return "The points are drawn in one size here; the third column is their area in "
                   "other formats.";
        break;
    default: break;
    }
    if (chart->grid->nrows > MAX_POINTS)
        return "There is no chart here: it would have more points than a spreadsheet draws.";
    if (chart->grid->ncolumns > MAX_SERIES)
        return "The chart has the first 255 columns: a spreadsheet draws no more.";
    return NULL;
}

bool vc_xlsx_chart_range(const vc_chart *chart, double *low_out, double *high_out)
{
    const vc_grid *grid = chart->grid;
    size_t ncolumns = chart->kind == VC_CHART_MAP && grid->ncolumns > 1 ? 1 : grid->ncolumns;
    bool has_any = false;
    if (!is_coloured_cells(chart)) return false;
    for (size_t row = 0; row < grid->nrows; row++)
        for (size_t column = 0; column < ncolumns; column++) {
            if (vc_grid_cell(grid, row, column)->is_null) continue;
            double value = vc_grid_number(grid, row, column);
            *low_out = has_any ? fmin(*low_out, value) : value;
            *high_out = has_any ? fmax(*high_out, value) : value;
            has_any = true;
        }
    return has_any;
}

/* ---- charts ---- */

static uint8_t type_of(const vc_chart *chart)
{
    switch (chart->kind) {
    case VC_CHART_LINE: return LXW_CHART_LINE;
    case VC_CHART_BAR: return chart->is_horizontal ? LXW_CHART_BAR : LXW_CHART_COLUMN;
    case VC_CHART_STACKED:
        return chart->is_horizontal ? LXW_CHART_BAR_STACKED : LXW_CHART_COLUMN_STACKED;
    case VC_CHART_SCATTER: return LXW_CHART_SCATTER;
    case VC_CHART_HEAT:
    case VC_CHART_MAP: break;
    }
    return LXW_CHART_NONE;
}

/* Its heads from the outermost on, but for the `skipped` first ones, joined. */
static vc_str name_of_column(const xlsx_chart *of, size_t column, size_t skipped)
{
    vc_buffer name = {0};
    const vc_grid *grid = of->grid;
    for (size_t row = skipped; row < grid->nhead_rows; row++) {
        const vc_grid_head *heads = grid->column_heads + row * grid->ncolumns;
        size_t begin = column;
        while (begin > 0 && heads[begin].span == 0)
            begin--;
        if (heads[begin].text.size == 0) continue;
        if (name.size > 0) vc_buffer_put_text(&name, ", ");
        vc_buffer_put_str(&name, heads[begin].text);
    }
    vc_str copy = vc_arena_str(&of->xlsx->arena, (vc_str){.data = name.data, .size = name.size});
    of->xlsx->is_failed |= name.failed;
    vc_buffer_release(&name);
    return vc_str_is_null(copy) ? (vc_str){.data = ""} : copy;
}

static void set_markers(lxw_chart_series *series, uint32_t colour, uint8_t size)
{
    lxw_chart_fill fill = {.color = colour};
    lxw_chart_line line = {.color = colour, .width = 0.75};
    chart_series_set_marker_type(series, LXW_CHART_MARKER_CIRCLE);
    chart_series_set_marker_size(series, size);
    chart_series_set_marker_fill(series, &fill);
    chart_series_set_marker_line(series, &line);
}

/* Is there a number that no line leads to? It would not be seen without a marker. */
static bool has_lone_point(const vc_grid *grid, size_t column)
{
    for (size_t row = 0; row < grid->nrows; row++) {
        bool is_joined = (row > 0 && !vc_grid_cell(grid, row - 1, column)->is_null) ||
                         (row + 1 < grid->nrows && !vc_grid_cell(grid, row + 1, column)->is_null);
        if (!is_joined && !vc_grid_cell(grid, row, column)->is_null) return true;
    }
    return false;
}

static void colour_series(const xlsx_chart *of, lxw_chart_series *series, size_t column,
                          size_t number)
{
    uint32_t colour = vc_colour_of_series(number);
    lxw_chart_fill fill = {.color = colour};
    lxw_chart_line line = {.color = colour, .width = 2};
    switch (of->chart->kind) {
    case VC_CHART_LINE:
        chart_series_set_line(series, &line);
        if (has_lone_point(of->grid, column)) set_markers(series, colour, 5);
        break;
    case VC_CHART_SCATTER: set_markers(series, colour, 6); break;
    default: chart_series_set_fill(series, &fill); break;
    }
}

static void add_series(const xlsx_chart *of, lxw_chart *chart, size_t column, size_t categories,
                       size_t number, size_t skipped)
{
    const vc_xlsx_place *place = of->place;
    lxw_row_t first = (lxw_row_t)place->first_row;
    lxw_row_t last = (lxw_row_t)(place->first_row + place->nrows - 1);
    lxw_col_t at = (lxw_col_t)(place->first_column + column), names = (lxw_col_t)categories;
    lxw_chart_series *series = chart_add_series(chart, NULL, NULL);
    if (series == NULL) {
        of->xlsx->is_failed = true;
        return;
    }
    chart_series_set_values(series, of->sheet->name, first, at, last, at);
    if (of->grid->nhead_columns > 0 || of->chart->kind == VC_CHART_SCATTER)
        chart_series_set_categories(series, of->sheet->name, first, names, last, names);
    if (of->grid->nhead_rows == 1 && skipped == 0)
        chart_series_set_name_range(series, of->sheet->name, (lxw_row_t)place->head_row, at);
    else
        chart_series_set_name(series, vc_xlsx_name(of->xlsx, name_of_column(of, column, skipped)));
    colour_series(of, series, column, number);
}

static void set_pattern(const xlsx_chart *of, lxw_chart_axis *axis, size_t column)
{
    const vc_grid *grid = of->grid;
    vc_buffer pattern = {0};
    if (grid->nrows == 0 || grid->ncolumns == 0) return;
    vc_xlsx_put_pattern(vc_grid_measure_at(grid, 0, column), false, '\0', &pattern);
    chart_axis_set_num_format(axis, vc_buffer_text(&pattern));
    of->xlsx->is_failed |= pattern.failed;
    vc_buffer_release(&pattern);
}

static void name_axis(const xlsx_chart *of, lxw_chart_axis *axis, vc_str given, vc_str otherwise)
{
    vc_str name = given.size > 0 ? given : otherwise;
    if (name.size > 0) chart_axis_set_name(axis, vc_xlsx_name(of->xlsx, name));
}

static vc_str measure_label(const xlsx_chart *of)
{
    const vc_grid *grid = of->grid;
    if (grid->nmeasures != 1) return (vc_str){.data = ""};
    const vc_result_measure *measure = grid->measures[0].measure;
    vc_str label = measure->label.size > 0 ? measure->label : measure->name;
    if (measure->unit.size == 0) return label;
    vc_str both =
        vc_arena_printf(&of->xlsx->arena, "%.*s (%.*s)", VC_FMT(label), VC_FMT(measure->unit));
    return vc_str_is_null(both) ? label : both;
}

/* In a chart of bars to the right the rows are along the y axis. */
static bool is_turned(const vc_chart *chart)
{
    return chart->is_horizontal && (chart->kind == VC_CHART_BAR || chart->kind == VC_CHART_STACKED);
}

static void set_axes(const xlsx_chart *of, lxw_chart *chart)
{
    const vc_grid *grid = of->grid;
    lxw_chart_axis *rows = is_turned(of->chart) ? chart->y_axis : chart->x_axis;
    lxw_chart_axis *values = is_turned(of->chart) ? chart->x_axis : chart->y_axis;
    lxw_chart_line pale = {.color = 0xD9DFE5, .width = 0.75};
    chart_axis_major_gridlines_set_visible(values, LXW_TRUE);
    chart_axis_major_gridlines_set_visible(rows, LXW_FALSE);
    chart_axis_major_gridlines_set_line(values, &pale);
    if (of->chart->is_logarithmic) chart_axis_set_log_base(values, 10);
    if (of->chart->kind == VC_CHART_SCATTER) {
        name_axis(of, rows, of->chart->x_title, name_of_column(of, 0, 0));
        name_axis(of, values, of->chart->y_title, name_of_column(of, 1, 0));
        set_pattern(of, rows, 0);
        set_pattern(of, values, 1);
        return;
    }
    vc_str corner =
        grid->nhead_columns > 0 ? grid->corners[grid->nhead_columns - 1] : (vc_str){.data = ""};
    name_axis(of, rows, of->chart->x_title, corner);
    name_axis(of, values, of->chart->y_title, measure_label(of));
    set_pattern(of, values, 0);
    chart_axis_set_label_position(rows, LXW_CHART_AXIS_LABEL_POSITION_LOW);
    if (is_turned(of->chart)) { /* the first row is above, and the values still below */
        chart_axis_set_reverse(rows);
        chart_axis_set_crossing_max(rows);
    }
}

/* A chart of the columns [first, end); title absent: the section's. */
static lxw_chart *make_chart(const xlsx_chart *of, size_t first, size_t end, vc_str title)
{
    lxw_chart *chart = workbook_add_chart(of->xlsx->book, type_of(of->chart));
    if (chart == NULL) {
        of->xlsx->is_failed = true;
        return NULL;
    }
    bool is_panel = title.size > 0;
    if (of->chart->kind == VC_CHART_SCATTER) {
        add_series(of, chart, 1, of->place->first_column, 0, 0);
    } else {
        size_t categories = of->grid->nhead_columns > 0 ? of->grid->nhead_columns - 1 : 0;
        for (size_t column = first; column < end; column++)
            add_series(of, chart, column, categories, column - first, is_panel);
    }
    set_axes(of, chart);
    const vc_section *section = of->sheet->section;
    vc_str name = is_panel ? title : section->title;
    if (name.size > 0)
        chart_title_set_name(chart, vc_xlsx_name(of->xlsx, name));
    else
        chart_title_off(chart);
    lxw_chart_font font = {.size = 12, .bold = LXW_TRUE, .color = 0x1F2933};
    if (name.size > 0) chart_title_set_name_font(chart, &font);
    if (end - first > 1 && of->chart->kind != VC_CHART_SCATTER)
        chart_legend_set_position(chart, LXW_CHART_LEGEND_BOTTOM);
    else
        chart_legend_set_position(chart, LXW_CHART_LEGEND_NONE);
    return chart;
}

/* ---- where charts stand ---- */

static const double chart_width = 480, chart_height = 288; /* unscaled, pixels */

typedef struct xlsx_scale {
    double x, y;
} xlsx_scale;

static bool has_panels(const vc_chart *chart)
{
    return chart->has_panels && chart->grid->nhead_rows > 1 && chart->kind != VC_CHART_SCATTER;
}

static xlsx_scale scale_of(const vc_chart *chart, size_t nrows)
{
    if (has_panels(chart)) return (xlsx_scale){0.9, 0.85};
    xlsx_scale scale = {1.45, 1.35};
    if (is_turned(chart)) /* every bar has its name */
        scale.y = fmin(8, fmax(scale.y, (18 * (double)nrows + 110) / chart_height));
    return scale;
}

static size_t count_panels(const vc_grid *grid)
{
    size_t count = 0;
    for (size_t column = 0; column < grid->ncolumns; column++)
        count += grid->column_heads[column].span > 0;
    return count < MAX_PANELS ? count : MAX_PANELS;
}

static bool is_below(const vc_xlsx_place *place)
{
    const double widest = 900;
    return place->width > widest;
}

size_t vc_xlsx_chart_rows(const vc_section *section, const vc_xlsx_place *place)
{
    const double row_height = 20, gap = 12;
    const vc_chart *chart = section->chart;
    if (section->kind != VC_SECTION_CHART || is_coloured_cells(chart) || is_below(place)) return 0;
    size_t down = 1;
    if (has_panels(chart))
        down = (count_panels(chart->grid) + PANELS_IN_A_ROW - 1) / PANELS_IN_A_ROW;
    double height = scale_of(chart, place->nrows).y * chart_height + gap;
    return (size_t)ceil(height * (double)down / row_height) + 1;
}

/* Beside the table; of a wide one, below everything. */
static void insert_chart(const xlsx_chart *of, lxw_chart *chart, size_t number)
{
    xlsx_scale scale = scale_of(of->chart, of->place->nrows);
    bool is_low = is_below(of->place);
    lxw_row_t row = (lxw_row_t)(is_low ? of->place->end_row + 1 : of->place->head_row);
    lxw_col_t column = (lxw_col_t)(is_low ? 0 : of->place->first_column + of->place->ncolumns);
    size_t across = number % PANELS_IN_A_ROW, down = number / PANELS_IN_A_ROW;
    lxw_chart_options options = {
        .x_scale = scale.x,
        .y_scale = scale.y,
        .x_offset = (int32_t)(20 + (double)across * (chart_width * scale.x + 12)),
        .y_offset = (int32_t)((double)down * (chart_height * scale.y + 12)),
        .object_position = LXW_OBJECT_MOVE_DONT_SIZE,
        .description = vc_xlsx_name(of->xlsx, of->chart->alternative)};
    worksheet_insert_chart_opt(of->sheet->sheet, row, column, chart, &options);
}

/* A step of 1, 2 or 5 and zeros, of which about five make the width. */
static double round_step(double width)
{
    double least = width / 5, power = pow(10, floor(log10(least))), digits = least / power;
    return power * (digits <= 1 ? 1 : digits <= 2 ? 2 : digits <= 5 ? 5 : 10);
}

/* Panels are compared, so their axes of values are the same. */
static void set_same_axis(const xlsx_chart *of, lxw_chart *chart, size_t ncolumns)
{
    const vc_grid *grid = of->grid;
    double low = 0, high = 0;
    lxw_chart_axis *axis = is_turned(of->chart) ? chart->x_axis : chart->y_axis;
    for (size_t row = 0; row < grid->nrows; row++)
        for (size_t column = 0; column < ncolumns; column++)
            if (!vc_grid_cell(grid, row, column)->is_null) {
                low = fmin(low, vc_grid_number(grid, row, column));
                high = fmax(high, vc_grid_number(grid, row, column));
            }
    bool is_stacked = of->chart->kind == VC_CHART_STACKED;
    double step = high > low ? round_step(high - low) : 0;
    if (of->chart->is_logarithmic || is_stacked || !(step > 0) || !isfinite(step)) return;
    chart_axis_set_min(axis, floor(low / step) * step);
    chart_axis_set_max(axis, ceil(high / step) * step);
}

static void put_panels(const xlsx_chart *of, size_t ncolumns)
{
    const vc_grid *grid = of->grid;
    size_t number = 0;
    for (size_t first = 0; first < ncolumns && number < MAX_PANELS; number++) {
        const vc_grid_head *head = &grid->column_heads[first];
        size_t end = first + (head->span > 0 ? head->span : 1);
        if (end > ncolumns) end = ncolumns;
        vc_str title = head->text.size > 0 ? head->text : VC_STR(" ");
        lxw_chart *chart = make_chart(of, first, end, title);
        if (chart == NULL) return;
        set_same_axis(of, chart, ncolumns);
        insert_chart(of, chart, number);
        first = end;
    }
}

void vc_xlsx_put_chart(vc_xlsx *xlsx, vc_xlsx_sheet *sheet, vc_xlsx_place *place)
{
    xlsx_chart of = {.xlsx = xlsx,
                     .sheet = sheet,
                     .place = place,
                     .chart = sheet->section->chart,
                     .grid = vc_xlsx_grid_of(sheet->section)};
    size_t ncolumns = place->ncolumns < MAX_SERIES ? place->ncolumns : MAX_SERIES;
    bool is_scatter = of.chart->kind == VC_CHART_SCATTER;
    if (is_coloured_cells(of.chart) || place->nrows == 0 || place->nrows > MAX_POINTS ||
        ncolumns < (is_scatter ? 2u : 1u))
        return;
    if (has_panels(of.chart)) {
        put_panels(&of, ncolumns);
        return;
    }
    lxw_chart *chart = make_chart(&of, 0, ncolumns, (vc_str){.data = ""});
    if (chart != NULL) insert_chart(&of, chart, 0);
}
