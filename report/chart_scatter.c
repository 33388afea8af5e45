/* Points: a row's first number across, its second upwards, its third as the area of a circle. The
 * largest are drawn first, so that none is hidden behind another, and named first, as long as a
 * name does not touch another name or a point.
 *
 * On a logarithmic chart each axis is logarithmic whose numbers span more than a power of ten: one
 * may be wealth and the other a length of life.
 */
#include "report/chart_parts.h"

#include <math.h>
#include <stdlib.h>

enum {
    MOST_NAMES = 25,
    MOST_NAMED_POINTS = 250, /* among more, no names */
    MOST_TIPS = 400,
    FILL = 0x8CC0DE,
    STROKE = 0x0072B2,
};

static const double plain_radius = 3, least_radius = 1.2;

typedef struct point {
    double x, y, radius;
    size_t row;
} point;

typedef struct scatter_chart {
    vc_drawing *drawing;
    bool has_sizes;
    bool is_log[2]; /* across, up */
    double largest; /* size */
    double radius;  /* of the largest */
    size_t nleft_out;
} scatter_chart;

static bool is_value(const vc_grid *grid, size_t row, size_t column)
{
    return !vc_grid_cell(grid, row, column)->is_null;
}

/* Has a row all that makes a point? */
static bool is_point(const scatter_chart *chart, const vc_panel *panel, size_t row)
{
    const vc_grid *grid = chart->drawing->grid;
    for (size_t i = 0; i < 2; i++)
        if (!is_value(grid, row, panel->first + i) ||
            (chart->is_log[i] && !(vc_grid_number(grid, row, panel->first + i) > 0)))
            return false;
    return !chart->has_sizes || (is_value(grid, row, panel->first + 2) &&
                                 vc_grid_number(grid, row, panel->first + 2) >= 0);
}

/* What the numbers of a column span, of rows with both. */
static void find_extents(scatter_chart *chart, size_t dimension, vc_extent *extents)
{
    const vc_drawing *drawing = chart->drawing;
    for (size_t p = 0; p < drawing->npanels; p++)
        for (size_t row = 0; row < drawing->grid->nrows; row++)
            if (is_point(chart, &drawing->panels[p], row))
                vc_extent_add(
                    &extents[p],
                    vc_grid_number(drawing->grid, row, drawing->panels[p].first + dimension),
                    false);
}

static bool spans_powers(const vc_drawing *drawing, size_t dimension)
{
    double low = INFINITY, high = 0;
    for (size_t p = 0; p < drawing->npanels; p++)
        for (size_t row = 0; row < drawing->grid->nrows; row++) {
            size_t column = drawing->panels[p].first + dimension;
            if (!is_value(drawing->grid, row, column)) continue;
            double value = vc_grid_number(drawing->grid, row, column);
            if (value > 0) {
                low = fmin(low, value);
                high = fmax(high, value);
            }
        }
    return high / 10 > low;
}

static void find_sizes(scatter_chart *chart)
{
    const vc_drawing *drawing = chart->drawing;
    for (size_t p = 0; p < drawing->npanels; p++)
        for (size_t row = 0; row < drawing->grid->nrows; row++) {
            if (!is_point(chart, &drawing->panels[p], row)) {
                chart->nleft_out++;
                continue;
            }
            if (chart->has_sizes)
                chart->largest = fmax(chart->largest, vc_grid_number(drawing->grid, row,
                                                                     drawing->panels[p].first + 2));
        }
}

static double radius_of(const scatter_chart *chart, double size)
{
    if (!chart->has_sizes) return plain_radius;
    if (!(chart->largest > 0)) return least_radius;
    return fmax(least_radius, chart->radius * sqrt(size / chart->largest));
}

/* ---- names ---- */

static bool overlap(vc_box a, vc_box b)
{
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

static vc_box box_of_point(const point *at)
{
    return (vc_box){at->x - at->radius, at->y - at->radius, at->x + at->radius, at->y + at->radius};
}

/* Right of a point, left of it, above, below: 0 to 3. */
static vc_box place_for_name(const point *at, double width, int side)
{
    double gap = 3, half = 0.5 * VC_SIZE_NOTE;
    switch (side) {
    case 0:
        return (vc_box){at->x + at->radius + gap, at->y - half, at->x + at->radius + gap + width,
                        at->y + half};
    case 1:
        return (vc_box){at->x - at->radius - gap - width, at->y - half, at->x - at->radius - gap,
                        at->y + half};
    case 2:
        return (vc_box){at->x - width / 2, at->y - at->radius - gap - 2 * half, at->x + width / 2,
                        at->y - at->radius - gap};
    default:
        return (vc_box){at->x - width / 2, at->y + at->radius + gap, at->x + width / 2,
                        at->y + at->radius + gap + 2 * half};
    }
}

static bool is_free(vc_box place, vc_box within, const point *points, size_t npoints,
                    const vc_box *names, size_t nnames)
{
    if (place.left < within.left || place.right > within.right || place.top < within.top ||
        place.bottom > within.bottom)
        return false;
    for (size_t i = 0; i < nnames; i++)
        if (overlap(place, names[i])) return false;
    for (size_t i = 0; i < npoints; i++)
        if (overlap(place, box_of_point(&points[i]))) return false;
    return true;
}

static void draw_names(const scatter_chart *chart, vc_box within, const point *points,
                       size_t npoints)
{
    vc_drawing *drawing = chart->drawing;
    vc_box names[MOST_NAMES];
    size_t nnames = 0;
    within.right = drawing->width;
    for (size_t i = 0; i < npoints && nnames < MOST_NAMES; i++) {
        vc_str name =
            vc_draw_fit(drawing, drawing->row_names[points[i].row], VC_SIZE_NOTE, false, 110);
        double width = vc_picture_text_width(name, VC_SIZE_NOTE, false);
        for (int side = 0; side < 4; side++) {
            vc_box place = place_for_name(&points[i], width, side);
            if (!is_free(place, within, points, npoints, names, nnames)) continue;
            vc_draw_text(drawing, place.left, place.bottom - 0.14 * VC_SIZE_NOTE, name,
                         (vc_text_style){.size = VC_SIZE_NOTE, .colour = VC_INK});
            names[nnames++] = place;
            break;
        }
    }
}

/* ---- panels ---- */

static int compare_points(const void *a, const void *b)
{
    const point *one = a, *other = b;
    if (one->radius != other->radius) return one->radius > other->radius ? -1 : 1;
    return one->row < other->row ? -1 : one->row > other->row;
}

static vc_str tip_of(vc_drawing *drawing, const vc_panel *panel, size_t row)
{
    vc_buffer text = {0};
    size_t count = panel->end - panel->first < 3 ? 2 : 3;
    vc_buffer_put_str(&text, vc_drawing_row(drawing, row));
    for (size_t i = 0; i < count; i++) {
        size_t column = panel->first + i;
        vc_str name = drawing->series[drawing->series_of[column]].name;
        vc_buffer_put_text(&text, i == 0 ? ": " : "; ");
        vc_buffer_put_str(&text, name);
        if (name.size > 0) vc_buffer_put_char(&text, ' ');
        vc_grid_put_text(drawing->grid, row, column, &text);
    }
    vc_str tip = vc_draw_printf(drawing, "%.*s", (int)text.size, text.size > 0 ? text.data : "");
    drawing->failed |= text.failed;
    vc_buffer_release(&text);
    return vc_draw_clean(drawing, tip);
}

static void draw_panel(const scatter_chart *chart, const vc_panel *panel, vc_axis *axes[2])
{
    vc_drawing *drawing = chart->drawing;
    const vc_grid *grid = drawing->grid;
    vc_box box = panel->box;
    point *points = VC_ARENA_NEW(drawing->arena, point, grid->nrows);
    if (points == NULL) {
        drawing->failed = true;
        return;
    }
    double room = chart->has_sizes ? 0.7 * chart->radius : 0; /* from the numbers of the axes */
    axes[0]->from = box.left + room;
    axes[0]->to = box.right;
    axes[1]->from = box.bottom - room;
    axes[1]->to = box.top;
    vc_draw_axis_up(drawing, axes[1], box, true);
    vc_draw_axis_across(drawing, axes[0], box, false);
    vc_draw_line(drawing, box.left, box.bottom, box.right, box.bottom, VC_BASE_LINE, 0.75);
    size_t npoints = 0;
    for (size_t row = 0; row < grid->nrows; row++) {
        if (!is_point(chart, panel, row)) continue;
        double size = chart->has_sizes ? vc_grid_number(grid, row, panel->first + 2) : 0;
        points[npoints++] =
            (point){vc_axis_at(axes[0], vc_grid_number(grid, row, panel->first)),
                    vc_axis_at(axes[1], vc_grid_number(grid, row, panel->first + 1)),
                    radius_of(chart, size), row};
    }
    qsort(points, npoints, sizeof *points, compare_points);
    for (size_t i = 0; i < npoints; i++)
        vc_draw_circle(drawing, points[i].x, points[i].y, points[i].radius, FILL, STROKE,
                       grid->nrows * drawing->npanels <= MOST_TIPS
                           ? tip_of(drawing, panel, points[i].row)
                           : (vc_str){0});
    if (npoints <= MOST_NAMED_POINTS && drawing->npanels == 1)
        draw_names(chart, box, points, npoints);
}

/* ---- titles ---- */

/* Of a column: its measure, and where there is only one, what tells the columns apart. */
static vc_str title_of(vc_drawing *drawing, size_t dimension)
{
    size_t column = drawing->panels[0].first + dimension;
    const vc_grid_measure *measure = vc_grid_measure_at(drawing->grid, 0, column);
    vc_str title = vc_drawing_title_of(drawing, measure);
    vc_str name = drawing->series[drawing->series_of[column]].name;
    if (drawing->grid->nmeasures > 1 || name.size == 0) return title;
    return vc_draw_printf(drawing, "%.*s, %.*s", VC_FMT(title), VC_FMT(name));
}

/* Two circles with their numbers. */
static void draw_size_legend(const scatter_chart *chart)
{
    vc_drawing *drawing = chart->drawing;
    vc_extent extent = {.high = chart->largest, .count = 1};
    if (!chart->has_sizes || !(chart->largest > 0)) return;
    vc_axis axis;
    vc_axis_init(&axis, &extent, true, false, 5);
    while (axis.nticks > 2 && axis.ticks[axis.nticks - 1].value > chart->largest)
        axis.nticks--;
    vc_axis_name_ticks(drawing, &axis,
                       vc_grid_measure_at(drawing->grid, 0, drawing->panels[0].first + 2));
    vc_text_style style = {.size = VC_SIZE_TEXT, .colour = VC_INK_PALE};
    vc_str title = title_of(drawing, 2);
    title = vc_draw_printf(drawing, "Area: %.*s", VC_FMT(title));
    title = vc_draw_fit(drawing, title, VC_SIZE_TEXT, false, drawing->width * 0.55);
    double middle = drawing->bottom + fmax(chart->radius, 6) + 1;
    vc_draw_text(drawing, 0, middle + 0.34 * VC_SIZE_TEXT, title, style);
    double x = vc_picture_text_width(title, VC_SIZE_TEXT, false) + 12;
    size_t shown[2] = {axis.nticks - 1, 1};
    for (size_t i = 0; i < (axis.nticks > 2 ? 2u : 1u); i++) {
        const vc_tick *tick = &axis.ticks[shown[i]];
        double radius = fmin(radius_of(chart, tick->value), chart->radius);
        double width = vc_picture_text_width(tick->text, VC_SIZE_TEXT, false);
        if (x + 2 * radius + 4 + width > drawing->width) break;
        vc_draw_circle(drawing, x + radius, middle, radius, FILL, STROKE, (vc_str){0});
        vc_draw_text(drawing, x + 2 * radius + 4, middle + 0.34 * VC_SIZE_TEXT, tick->text, style);
        x += 2 * radius + 4 + width + 12;
    }
    drawing->bottom = middle + fmax(chart->radius, 6) + 4;
}

static void add_note(const scatter_chart *chart)
{
    if (chart->nleft_out == 0) return;
    const char *what = chart->has_sizes ? "all three numbers" : "both numbers";
    vc_draw_note(
        chart->drawing,
        vc_draw_printf(
            chart->drawing,
            chart->nleft_out == 1 ? "%zu point is not shown: it does not have %s%s."
                                  : "%zu points are not shown: they do not have %s%s.",
            chart->nleft_out, what,
            chart->is_log[0] || chart->is_log[1] ? " above 0, where an axis is logarithmic" : ""));
}

static void draw_panels(scatter_chart *chart, vc_axis *axes[2])
{
    vc_drawing *drawing = chart->drawing;
    vc_str up = drawing->chart->y_title, across = drawing->chart->x_title;
    if (vc_str_is_null(up)) up = title_of(drawing, 1);
    if (vc_str_is_null(across)) across = title_of(drawing, 0);
    draw_size_legend(chart);
    vc_draw_title(drawing, vc_draw_clean(drawing, up));
    double margin = vc_axes_widest_tick(drawing, axes[1]) + 6;
    double last = vc_axes_widest_tick(drawing, axes[0]) / 2;
    vc_panel_room room = {
        .first_margin = margin,
        .margin = margin + 6,
        .right = fmax(8, fmin(last, 40)),
        .height = drawing->npanels > 1 ? 120 : fmax(180, fmin(0.55 * drawing->width, 320)),
        .above = 6,
        .below = 2.2 * VC_SIZE_TEXT,
        .min_width = 120};
    vc_drawing_place_panels(drawing, &room);
    for (size_t p = 0; p < drawing->npanels; p++)
        draw_panel(chart, &drawing->panels[p], (vc_axis *[2]){&axes[0][p], &axes[1][p]});
    vc_box box = drawing->panels[0].box;
    vc_draw_title_below(drawing, vc_draw_clean(drawing, across),
                        drawing->npanels > 1 ? drawing->width / 2 : (box.left + box.right) / 2);
    add_note(chart);
}

void vc_draw_points(vc_drawing *drawing)
{
    scatter_chart chart = {
        .drawing = drawing, .has_sizes = true, .radius = drawing->npanels > 1 ? 9 : 15};
    for (size_t p = 0; p < drawing->npanels; p++) {
        size_t ncolumns = drawing->panels[p].end - drawing->panels[p].first;
        chart.has_sizes &= ncolumns > 2;
        if (ncolumns >= 2) continue;
        vc_draw_nothing(drawing);
        vc_draw_note(drawing, VC_STR("A point needs two numbers: a column for each."));
        return;
    }
    for (size_t i = 0; i < 2; i++)
        chart.is_log[i] = drawing->chart->is_logarithmic && spans_powers(drawing, i);
    find_sizes(&chart);
    vc_axis *axes[2];
    for (size_t i = 0; i < 2; i++) {
        vc_extent *extents = VC_ARENA_NEW(drawing->arena, vc_extent, drawing->npanels);
        if (extents == NULL) {
            drawing->failed = true;
            return;
        }
        find_extents(&chart, i, extents);
        vc_axis_kind kind = {.zero_share = 0.75,
                             .is_log = chart.is_log[i],
                             .is_shared = true,
                             .column = i,
                             .max_ticks = drawing->npanels > 1 ? 5 : 9,
                             .width = i > 0                  ? 0
                                      : drawing->npanels > 1 ? 100
                                                             : drawing->width - 50};
        axes[i] = vc_drawing_make_axes(drawing, extents, &kind);
        if (axes[i] == NULL) return;
    }
    draw_panels(&chart, axes);
}
