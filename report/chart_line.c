#include "report/chart_parts.h"

#include <math.h>
#include <stdlib.h>

enum { LABEL_GAP = 6, MOST_MARKED = 80 };

typedef struct line_chart {
    vc_drawing *drawing;
    bool is_log, is_marked, has_labels;
    vc_places places;
} line_chart;

static bool is_drawn(const line_chart *lines, size_t row, size_t column)
{
    const vc_grid *grid = lines->drawing->grid;
    return !vc_grid_cell(grid, row, column)->is_null &&
           !(lines->is_log && !(vc_grid_number(grid, row, column) > 0));
}

static vc_extent *find_extents(vc_drawing *drawing, bool is_log, size_t *nvalues_out)
{
    const vc_grid *grid = drawing->grid;
    vc_extent *extents = VC_ARENA_NEW(drawing->arena, vc_extent, drawing->npanels);
    *nvalues_out = 0;
    if (extents == NULL) {
        drawing->failed = true;
        return NULL;
    }
    for (size_t p = 0; p < drawing->npanels; p++) {
        for (size_t column = drawing->panels[p].first; column < drawing->panels[p].end; column++)
            for (size_t row = 0; row < grid->nrows; row++)
                if (!vc_grid_cell(grid, row, column)->is_null)
                    vc_extent_add(&extents[p], vc_grid_number(grid, row, column), is_log);
        *nvalues_out += extents[p].count;
    }
    return extents;
}

/* Of points within half a unit across only those that can be seen: the first, the least, the
 * greatest and the last (Jugel et al., "M4", VLDB 2014). Returns how many are left. */
static size_t thin_out(float *points, size_t npoints)
{
    size_t n = 0;
    for (size_t i = 0; i < npoints;) {
        size_t end = i + 1, least = i, greatest = i;
        float place = floorf(points[2 * i] * 2);
        for (; end < npoints && floorf(points[2 * end] * 2) == place; end++) {
            if (points[2 * end + 1] < points[2 * least + 1]) least = end;
            if (points[2 * end + 1] > points[2 * greatest + 1]) greatest = end;
        }
        size_t kept[4] = {i, least < greatest ? least : greatest,
                          least < greatest ? greatest : least, end - 1};
        for (size_t k = 0; k < 4; k++) {
            if (k > 0 && kept[k] == kept[k - 1]) continue;
            points[2 * n] = points[2 * kept[k]];
            points[2 * n + 1] = points[2 * kept[k] + 1];
            n++;
        }
        i = end;
    }
    return n;
}

/* "France: 60.1 (2000) to 65.0 (2010)": what a line without marks tells. */
static vc_str tip_of_line(vc_drawing *drawing, size_t column, size_t first, size_t last)
{
    vc_str name = drawing->series[drawing->series_of[column]].name;
    vc_buffer *out = &drawing->scratch;
    vc_grid_put_text(drawing->grid, first, column, out);
    vc_str from = vc_draw_scratch(drawing);
    vc_grid_put_text(drawing->grid, last, column, out);
    vc_str to = vc_draw_scratch(drawing);
    return vc_draw_printf(drawing, "%.*s%s%.*s (%.*s) to %.*s (%.*s)", VC_FMT(name),
                          name.size > 0 ? ": " : "", VC_FMT(from),
                          VC_FMT(drawing->row_names[first]), VC_FMT(to),
                          VC_FMT(drawing->row_names[last]));
}

/* The rows order[first..end) of a column, without a gap. */
static void draw_run(const line_chart *lines, const vc_axis *axis, size_t column, size_t first,
                     size_t end, bool has_tip)
{
    vc_drawing *drawing = lines->drawing;
    const uint32_t *order = lines->places.order;
    uint32_t colour = drawing->series[drawing->series_of[column]].colour;
    if (end - first == 1) { /* a line of one point cannot be seen */
        size_t row = order[first];
        double y = vc_axis_at(axis, vc_grid_number(drawing->grid, row, column));
        vc_draw_circle(drawing, vc_places_at(&lines->places, row), y, 2.2, colour, VC_NO_COLOUR,
                       has_tip ? vc_drawing_tip(drawing, row, column) : (vc_str){0});
        return;
    }
    float *points;
    vc_shape *shape = vc_draw_path(drawing, VC_SHAPE_LINE, 2 * (end - first), &points);
    if (shape == NULL) return;
    for (size_t i = first; i < end; i++) {
        double value = vc_grid_number(drawing->grid, order[i], column);
        points[2 * (i - first)] = (float)vc_places_at(&lines->places, order[i]);
        points[2 * (i - first) + 1] = (float)vc_axis_at(axis, value);
    }
    if ((double)(end - first) > 2 * fabs(lines->places.to - lines->places.from))
        shape->npoints = 2 * thin_out(points, end - first);
    shape->stroke = colour;
    shape->stroke_width = colour == VC_OTHERS ? 0.8F : 1.8F;
    if (has_tip && (!lines->is_marked || colour == VC_OTHERS))
        shape->text = tip_of_line(drawing, column, order[first], order[end - 1]);
    for (size_t i = first; lines->is_marked && i < end; i++)
        vc_draw_circle(drawing, points[2 * (i - first)], points[2 * (i - first) + 1], 1.8, colour,
                       VC_NO_COLOUR, vc_drawing_tip(drawing, order[i], column));
}

/* The end of the rows from `first` on (in order) that a line runs through; `first` itself where a
 * gap is there. */
static size_t end_of_run(const line_chart *lines, size_t column, size_t first)
{
    size_t end = first;
    while (end < lines->places.nrows && is_drawn(lines, lines->places.order[end], column) &&
           (end == first || !vc_places_has_gap(&lines->places, end)))
        end++;
    return end;
}

static void draw_column(const line_chart *lines, const vc_axis *axis, size_t column)
{
    enum { MOST_TIPS = 12 };
    size_t nrows = lines->places.nrows, nruns = 0;
    for (size_t i = 0; i < nrows;) {
        size_t end = end_of_run(lines, column, i);
        if (end > i) draw_run(lines, axis, column, i, end, nruns++ < MOST_TIPS);
        i = end > i ? end : i + 1;
    }
}

/* ---- names at the ends of the lines ---- */

typedef struct end_label {
    double x, y, at; /* of the last point; where the name stands */
    size_t column;
} end_label;

static int compare_labels(const void *a, const void *b)
{
    const end_label *one = a, *other = b;
    if (one->y != other->y) return one->y < other->y ? -1 : 1;
    return one->column < other->column ? -1 : one->column > other->column;
}

/* Moved apart as little as may be: labels that would touch are a block around the middle of where
 * they should be (the pool of adjacent violators, which is least squares); then into the plot. */
static void move_apart(end_label *labels, size_t count, double top, double bottom)
{
    const double line = 1.2 * VC_SIZE_TEXT;
    size_t first[VC_MAX_COLOURED], nblocks = 0;
    double sums[VC_MAX_COLOURED]; /* of y, less the lines above it in its block */
    size_t sizes[VC_MAX_COLOURED];
    for (size_t i = 0; i < count; i++) {
        first[nblocks] = i;
        sums[nblocks] = labels[i].y;
        sizes[nblocks++] = 1;
        while (nblocks > 1) {
            size_t last = nblocks - 1, before = nblocks - 2;
            double above = sums[before] / (double)sizes[before];
            double below = sums[last] / (double)sizes[last];
            if (above + line * (double)sizes[before] <= below) break;
            sums[before] += sums[last] - line * (double)(sizes[before] * sizes[last]);
            sizes[before] += sizes[last];
            nblocks--;
        }
    }
    for (size_t b = 0; b < nblocks; b++)
        for (size_t k = 0; k < sizes[b]; k++)
            labels[first[b] + k].at = sums[b] / (double)sizes[b] + line * (double)k;
    for (size_t i = 0; i < count; i++)
        labels[i].at = fmax(labels[i].at, i == 0 ? top : labels[i - 1].at + line);
    for (size_t i = count; i-- > 0;)
        labels[i].at = fmin(labels[i].at, i + 1 == count ? bottom : labels[i + 1].at - line);
}

static void draw_labels(const line_chart *lines, const vc_axis *axis, vc_box box)
{
    vc_drawing *drawing = lines->drawing;
    end_label labels[VC_MAX_COLOURED];
    size_t count = 0;
    for (size_t column = 0; column < drawing->grid->ncolumns; column++) {
        if (drawing->series[column].colour == VC_OTHERS) continue;
        size_t i = lines->places.nrows;
        while (i > 0 && !is_drawn(lines, lines->places.order[i - 1], column))
            i--;
        if (i == 0) continue;
        size_t row = lines->places.order[i - 1];
        labels[count++] =
            (end_label){.x = vc_places_at(&lines->places, row),
                        .y = vc_axis_at(axis, vc_grid_number(drawing->grid, row, column)),
                        .column = column};
    }
    qsort(labels, count, sizeof *labels, compare_labels);
    move_apart(labels, count, box.top, box.bottom);
    vc_str names[VC_MAX_COLOURED] = {0};
    for (size_t i = 0; i < count; i++)
        names[i] = drawing->series[labels[i].column].name;
    const vc_text_style style = {.size = VC_SIZE_TEXT, .is_bold = true};
    const vc_str *texts =
        vc_draw_fit_all(drawing, names, count, style, drawing->width - box.right - LABEL_GAP);
    for (size_t i = 0; i < count; i++) {
        const vc_series *series = &drawing->series[labels[i].column];
        /* Where the name is not beside the line's end, a thread leads to it. */
        if (fabs(labels[i].at - labels[i].y) > 3 || box.right - labels[i].x > 3)
            vc_draw_line(drawing, labels[i].x + 3, labels[i].y, box.right + LABEL_GAP - 2,
                         labels[i].at, series->colour, 0.4);
        vc_draw_text(
            drawing, box.right + LABEL_GAP, labels[i].at + 0.34 * VC_SIZE_TEXT, texts[i],
            (vc_text_style){.size = VC_SIZE_TEXT, .colour = series->colour, .is_bold = true});
    }
}

/* As wide as the names at the lines' ends; 0: they stand in a legend. */
static double width_of_labels(const vc_drawing *drawing, double height)
{
    double widest = 0;
    size_t count = 0;
    if (drawing->npanels > 1) return 0;
    for (size_t i = 0; i < drawing->nseries; i++)
        if (drawing->series[i].colour != VC_OTHERS) {
            widest =
                fmax(widest, vc_picture_text_width(drawing->series[i].name, VC_SIZE_TEXT, true));
            count++;
        }
    if (count < 2 || (double)count * 1.2 * VC_SIZE_TEXT > height) return 0;
    return fmin(widest, 0.28 * drawing->width) + LABEL_GAP;
}

static void draw_panel(line_chart *lines, size_t p, vc_axis *axis)
{
    vc_drawing *drawing = lines->drawing;
    const vc_panel *panel = &drawing->panels[p];
    vc_box box = panel->box;
    axis->from = box.bottom;
    axis->to = box.top;
    lines->places.from = box.left;
    lines->places.to = box.right;
    vc_draw_axis_up(drawing, axis, box, true);
    vc_draw_rows_below(drawing, &lines->places, box);
    for (int is_front = 0; is_front < 2; is_front++)
        for (size_t column = panel->first; column < panel->end; column++) {
            uint32_t colour = drawing->series[drawing->series_of[column]].colour;
            if ((colour != VC_OTHERS) == is_front) draw_column(lines, axis, column);
        }
    if (lines->has_labels) draw_labels(lines, axis, box);
}

void vc_draw_lines(vc_drawing *drawing)
{
    size_t nvalues;
    line_chart lines = {.drawing = drawing, .is_log = drawing->chart->is_logarithmic};
    vc_drawing_rank_series(drawing);
    vc_extent *extents = find_extents(drawing, lines.is_log, &nvalues);
    vc_places_init(drawing, &lines.places, 0, drawing->grid->nrows);
    double height = drawing->npanels > 1 ? 110 : fmax(150, fmin(0.45 * drawing->width, 270));
    vc_axis_kind kind = {
        .zero_share = 0.5, .is_log = lines.is_log, .max_ticks = (size_t)(height / 26)};
    vc_axis *axes = drawing->failed ? NULL : vc_drawing_make_axes(drawing, extents, &kind);
    if (axes == NULL) return;
    lines.is_marked = nvalues <= MOST_MARKED;

    vc_str title = drawing->chart->y_title;
    if (vc_str_is_null(title))
        title = vc_drawing_measure_title(drawing, 0, drawing->grid->ncolumns);
    vc_draw_title(drawing, vc_draw_clean(drawing, title));
    double labels = width_of_labels(drawing, height);
    lines.has_labels = labels > 0;
    if (!lines.has_labels) vc_draw_legend(drawing, true);
    double margin = vc_axes_widest_tick(drawing, axes) + 6;
    vc_panel_room room = {.first_margin = margin,
                          .margin = margin + 6,
                          .right = labels > 0 ? labels + 4 : 8,
                          .height = height,
                          .above = 6,
                          .below = 2.4 * VC_SIZE_TEXT,
                          .min_width = 110};
    vc_drawing_place_panels(drawing, &room);
    for (size_t p = 0; p < drawing->npanels; p++)
        draw_panel(&lines, p, &axes[p]);
    title = drawing->chart->x_title;
    if (vc_str_is_null(title)) title = vc_drawing_row_title(drawing);
    vc_box box = drawing->panels[0].box;
    double middle = drawing->npanels > 1 ? drawing->width / 2 : (box.left + box.right) / 2;
    vc_draw_title_below(drawing, vc_draw_clean(drawing, title), middle);
    if (lines.has_labels && drawing->nothers > 0)
        vc_draw_note(drawing,
                     vc_draw_printf(drawing, "In grey: %zu others; the %d largest are named.",
                                    drawing->nothers, (int)VC_MAX_COLOURED));
}
