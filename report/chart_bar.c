/* Bars, side by side or stacked, upwards or to the right.
 *
 * The length of a bar is its value: 0 is on the axis in any case. Names that do not fit below bars
 * that stand make them lie down. A null is an en dash where the bar would be, never a bar without
 * length.
 */
#include "report/chart_parts.h"

#include <float.h>
#include <math.h>

enum {
    ROW_GAP = 5,      /* between groups of bars that lie */
    TALLEST = 900,    /* of all groups together; rows beyond it are left out and said so */
    MOST_VALUES = 40, /* bars that have their number beside them */
    VALUE_GAP = 4,
    MOST_DASHES = 150, /* bars among which nulls are marked */
};

typedef struct bar_chart {
    vc_drawing *drawing;
    bool is_stacked, is_log, is_lying, has_values;
    size_t nrows;        /* shown */
    size_t nslots;       /* of those that stand: the rows, and the years missing among them */
    double group_height; /* of those that lie */
    double left_room, right_room; /* for numbers beside them */
    vc_places places;
} bar_chart;

static bool is_drawn(const bar_chart *bars, size_t row, size_t column)
{
    const vc_grid *grid = bars->drawing->grid;
    return !vc_grid_cell(grid, row, column)->is_null &&
           !(bars->is_log && !(vc_grid_number(grid, row, column) > 0));
}

static double bounded(double value)
{
    return fmax(-DBL_MAX, fmin(value, DBL_MAX));
}

static void add_row(const bar_chart *bars, const vc_panel *panel, size_t row, vc_extent *extent)
{
    double above = 0, below = 0;
    const vc_grid *grid = bars->drawing->grid;
    for (size_t column = panel->first; column < panel->end; column++) {
        if (vc_grid_cell(grid, row, column)->is_null) continue;
        double value = vc_grid_number(grid, row, column);
        if (!bars->is_stacked) {
            vc_extent_add(extent, value, bars->is_log);
            continue;
        }
        above = bounded(above + fmax(value, 0));
        below = bounded(below + fmin(value, 0));
        vc_extent_add(extent, above, false);
        vc_extent_add(extent, below, false);
    }
}

static vc_extent *find_extents(const bar_chart *bars)
{
    vc_drawing *drawing = bars->drawing;
    vc_extent *extents = VC_ARENA_NEW(drawing->arena, vc_extent, drawing->npanels);
    if (extents == NULL) {
        drawing->failed = true;
        return NULL;
    }
    for (size_t p = 0; p < drawing->npanels; p++)
        for (size_t row = 0; row < bars->nrows; row++)
            add_row(bars, &drawing->panels[p], row, &extents[p]);
    return extents;
}

/* ---- bars ---- */

/* From one number to another, in the band [from, to) across. */
static void draw_bar(const bar_chart *bars, const vc_axis *axis, const double values[2],
                     const double band[2], size_t row, size_t column)
{
    vc_drawing *drawing = bars->drawing;
    double one = vc_axis_at(axis, values[0]), other = vc_axis_at(axis, values[1]);
    vc_box box = bars->is_lying ? (vc_box){one, band[0], other, band[1]}
                                : (vc_box){band[0], one, band[1], other};
    vc_draw_rectangle(drawing, box, drawing->series[drawing->series_of[column]].colour,
                      vc_drawing_tip(drawing, row, column));
}

/* A text beside the end of a bar. */
static void draw_value(const bar_chart *bars, double x, double middle, vc_str text, bool is_left)
{
    vc_draw_text(bars->drawing, x + (is_left ? -VALUE_GAP : VALUE_GAP),
                 middle + 0.34 * VC_SIZE_TEXT, text,
                 (vc_text_style){.size = VC_SIZE_TEXT,
                                 .colour = VC_INK,
                                 .anchor = is_left ? VC_ANCHOR_END : VC_ANCHOR_START});
}

static void draw_dash(const bar_chart *bars, double base, double middle)
{
    static const vc_str dash = {.data = "\xE2\x80\x93", .size = 3};
    if (bars->is_lying) {
        draw_value(bars, base, middle, dash, false);
        return;
    }
    vc_draw_text(
        bars->drawing, middle, base - 3, dash,
        (vc_text_style){.size = VC_SIZE_TEXT, .colour = VC_INK_PALE, .anchor = VC_ANCHOR_MIDDLE});
}

static void draw_group(const bar_chart *bars, const vc_panel *panel, const vc_axis *axis,
                       size_t row, double first, double width)
{
    vc_drawing *drawing = bars->drawing;
    const vc_grid *grid = drawing->grid;
    size_t ncolumns = panel->end - panel->first;
    double base = bars->is_log ? axis->ticks[0].value : 0;
    for (size_t i = 0; i < ncolumns; i++) {
        size_t column = panel->first + i;
        double band[2] = {first + width * (double)i / (double)ncolumns,
                          first + width * (double)(i + 1) / (double)ncolumns};
        double middle = (band[0] + band[1]) / 2;
        if (!is_drawn(bars, row, column)) {
            if (bars->nrows * grid->ncolumns <= MOST_DASHES)
                draw_dash(bars, vc_axis_at(axis, base), middle);
            continue;
        }
        double values[2] = {base, vc_grid_number(grid, row, column)};
        draw_bar(bars, axis, values, band, row, column);
        if (bars->has_values)
            draw_value(bars, vc_axis_at(axis, values[1]), middle,
                       vc_name_value(drawing, row, column), values[1] < base);
    }
}

static void draw_stack(const bar_chart *bars, const vc_panel *panel, const vc_axis *axis,
                       size_t row, double first, double width)
{
    double band[2] = {first, first + width}, above = 0, below = 0;
    bool is_empty = true;
    for (size_t column = panel->first; column < panel->end; column++) {
        if (!is_drawn(bars, row, column)) continue;
        double value = vc_grid_number(bars->drawing->grid, row, column);
        double *end = value < 0 ? &below : &above;
        double values[2] = {*end, bounded(*end + value)};
        draw_bar(bars, axis, values, band, row, column);
        *end = values[1];
        is_empty = false;
    }
    if (is_empty) draw_dash(bars, vc_axis_at(axis, 0), (band[0] + band[1]) / 2);
}

/* Room for the bars of a row that stand. */
static double slot_width(const bar_chart *bars, vc_box box)
{
    return (box.right - box.left) / (double)bars->nslots;
}

static void draw_rows(const bar_chart *bars, const vc_panel *panel, const vc_axis *axis)
{
    double step = bars->is_lying ? bars->group_height + ROW_GAP : slot_width(bars, panel->box);
    double width = bars->is_lying ? bars->group_height : fmin(step * 0.78, 60);
    for (size_t row = 0; row < bars->nrows; row++) {
        double middle = bars->is_lying ? panel->box.top + step * ((double)row + 0.5)
                                       : vc_places_at(&bars->places, row);
        double first = middle - width / 2;
        if (bars->is_stacked)
            draw_stack(bars, panel, axis, row, first, width);
        else
            draw_group(bars, panel, axis, row, first, width);
    }
}

/* ---- panels ---- */

static void draw_standing(bar_chart *bars, size_t p, vc_axis *axis)
{
    vc_drawing *drawing = bars->drawing;
    const vc_panel *panel = &drawing->panels[p];
    vc_box box = panel->box;
    axis->from = box.bottom;
    axis->to = box.top;
    double inset = bars->places.is_numeric ? slot_width(bars, box) / 2 : 0;
    bars->places.from = box.left + inset;
    bars->places.to = box.right - inset;
    vc_draw_axis_up(drawing, axis, box, true);
    draw_rows(bars, panel, axis);
    vc_draw_rows_below(drawing, &bars->places, box);
    double zero = vc_axis_at(axis, 0);
    if (!bars->is_log && zero < box.bottom - 0.5)
        vc_draw_line(drawing, box.left, zero, box.right, zero, VC_BASE_LINE, 0.75);
}

static void draw_lying(bar_chart *bars, size_t p, vc_axis *axis, double name_width)
{
    vc_drawing *drawing = bars->drawing;
    const vc_panel *panel = &drawing->panels[p];
    vc_box box = panel->box;
    axis->from = box.left;
    axis->to = box.right;
    vc_draw_axis_across(drawing, axis, box, true);
    draw_rows(bars, panel, axis);
    double zero = bars->is_log ? box.left : vc_axis_at(axis, 0);
    vc_draw_line(drawing, zero, box.top, zero, box.bottom, VC_BASE_LINE, 0.75);
    if (!vc_panel_is_first(drawing, p)) return;
    double step = bars->group_height + ROW_GAP, right = box.left - 6 - bars->left_room;
    name_width = fmin(name_width, right);
    const vc_text_style style = {.size = VC_SIZE_TEXT, .colour = VC_INK, .anchor = VC_ANCHOR_END};
    const vc_str *names =
        vc_draw_fit_all(drawing, drawing->row_names, bars->nrows, style, name_width);
    for (size_t row = 0; row < bars->nrows; row++)
        vc_draw_text(drawing, right, box.top + step * ((double)row + 0.5) + 0.34 * VC_SIZE_TEXT,
                     names[row], style);
}

static double widest_name(const bar_chart *bars)
{
    double widest = 0;
    for (size_t row = 0; row < bars->nrows; row++)
        widest =
            fmax(widest, vc_picture_text_width(bars->drawing->row_names[row], VC_SIZE_TEXT, false));
    return widest;
}

/* Room for names left of bars that lie. */
static double width_of_names(const bar_chart *bars)
{
    return fmin(widest_name(bars), 0.38 * bars->drawing->width);
}

/* Bars of one panel beside each other in a group. */
static size_t most_bars(const bar_chart *bars)
{
    size_t most = 1;
    const vc_drawing *drawing = bars->drawing;
    for (size_t p = 0; p < drawing->npanels && !bars->is_stacked; p++)
        if (drawing->panels[p].end - drawing->panels[p].first > most)
            most = drawing->panels[p].end - drawing->panels[p].first;
    return most;
}

/* Do they stand or lie, and how many rows are shown? */
static void choose_form(bar_chart *bars)
{
    vc_drawing *drawing = bars->drawing;
    size_t nbars = most_bars(bars), nrows = drawing->grid->nrows;
    bars->nrows = nrows;
    bool are_names = drawing->grid->row_places == NULL;
    double across = drawing->npanels > 1 ? 110 : drawing->width - 40;
    bars->is_lying = drawing->chart->is_horizontal ||
                     (are_names && widest_name(bars) > across / (double)nrows && nrows > 1);
    bars->group_height = nbars == 1 ? 11 : fmax(11, 7 * (double)nbars);
    double most =
        bars->is_lying ? TALLEST / (bars->group_height + ROW_GAP) : 0.78 * across / (double)nbars;
    if ((double)nrows <= most) return;
    bars->nrows = (size_t)fmax(1, most);
    vc_draw_note(drawing, vc_draw_printf(drawing, "Only the first %zu of %zu rows are shown.",
                                         bars->nrows, nrows));
}

static vc_panel_room room_of(const bar_chart *bars, const vc_axis *axes, double name_width)
{
    const vc_drawing *drawing = bars->drawing;
    double widest = vc_axes_widest_tick(drawing, axes);
    if (bars->is_lying) {
        return (vc_panel_room){.first_margin = name_width + 6 + bars->left_room,
                               .margin = widest / 2 + 4 + bars->left_room,
                               .right = fmax(fmax(12, widest / 2), bars->right_room),
                               .height = (double)bars->nrows * (bars->group_height + ROW_GAP),
                               .above = VC_SIZE_TEXT + 6,
                               .below = 8,
                               .min_width = 100};
    }
    double margin = widest + 6;
    return (vc_panel_room){
        .first_margin = margin,
        .margin = margin + 6,
        .right = 6,
        .height = drawing->npanels > 1 ? 110 : fmax(150, fmin(0.42 * drawing->width, 260)),
        .above = 6,
        .below = 2.4 * VC_SIZE_TEXT,
        .min_width = 110};
}

/* Years, months and the like have their places, so that a missing one is a gap. */
static void find_slots(bar_chart *bars)
{
    vc_places *places = &bars->places;
    vc_places_init(bars->drawing, places, 0.5, bars->nrows);
    bars->nslots = bars->nrows;
    double nslots = places->step > 0 ? round((places->high - places->low) / places->step) + 1 : 0;
    places->is_numeric &= !bars->is_lying && nslots > 0 && nslots <= 2 * (double)bars->nrows;
    if (places->is_numeric) bars->nslots = (size_t)nslots;
}

/* As wide as the widest number on each side. A narrow picture has none. */
static void find_room_for_values(bar_chart *bars)
{
    vc_drawing *drawing = bars->drawing;
    if (!bars->has_values) return;
    for (size_t p = 0; p < drawing->npanels; p++)
        for (size_t row = 0; row < bars->nrows; row++) {
            size_t column = drawing->panels[p].first;
            if (!is_drawn(bars, row, column)) continue;
            vc_str text = vc_name_value(drawing, row, column);
            double width = vc_picture_text_width(text, VC_SIZE_TEXT, false) + VALUE_GAP + 2;
            bool is_left = vc_grid_number(drawing->grid, row, column) < 0;
            double *room = is_left ? &bars->left_room : &bars->right_room;
            *room = fmax(*room, width);
        }
    if (width_of_names(bars) + bars->left_room + bars->right_room < 0.6 * drawing->width) return;
    bars->has_values = false;
    bars->left_room = bars->right_room = 0;
}

static void add_notes(const bar_chart *bars)
{
    const vc_grid *grid = bars->drawing->grid;
    bool is_repeated = false;
    for (size_t i = 0; i < grid->nrows * grid->ncolumns; i++)
        is_repeated |= grid->cells[i].reason == VC_REASON_REPEATED;
    if (bars->is_stacked && is_repeated)
        vc_draw_note(bars->drawing,
                     VC_STR("Some values are repeated: a stack of them is no sum of anything."));
    if (bars->is_stacked && bars->drawing->chart->is_logarithmic)
        vc_draw_note(bars->drawing,
                     VC_STR("The axis is not logarithmic: on such a one pieces do not add up."));
}

static void draw_panels(bar_chart *bars, vc_axis *axes)
{
    vc_drawing *drawing = bars->drawing;
    vc_str across = drawing->chart->x_title, up = drawing->chart->y_title;
    if (vc_str_is_null(up)) up = vc_drawing_measure_title(drawing, 0, drawing->grid->ncolumns);
    if (vc_str_is_null(across)) across = vc_drawing_row_title(drawing);
    vc_draw_title(drawing, vc_draw_clean(drawing, up));
    vc_draw_legend(drawing, false);
    across = vc_draw_clean(drawing, across);
    double name_width = width_of_names(bars);
    double title_width = fmin(vc_picture_text_width(across, VC_SIZE_TEXT, false), 90);
    double first_tick = vc_picture_text_width(axes[0].ticks[0].text, VC_SIZE_TEXT, false);
    if (bars->is_lying) name_width = fmax(name_width, title_width + first_tick / 2);
    vc_panel_room room = room_of(bars, axes, name_width);
    vc_drawing_place_panels(drawing, &room);
    for (size_t p = 0; p < drawing->npanels; p++)
        if (bars->is_lying)
            draw_lying(bars, p, &axes[p], name_width);
        else
            draw_standing(bars, p, &axes[p]);
    vc_box box = drawing->panels[0].box;
    if (bars->is_lying)
        vc_draw_text(drawing, 0, box.top - 4,
                     vc_draw_fit(drawing, across, VC_SIZE_TEXT, false, title_width),
                     (vc_text_style){.size = VC_SIZE_TEXT, .colour = VC_INK_PALE});
    else
        vc_draw_title_below(drawing, across,
                            drawing->npanels > 1 ? drawing->width / 2 : (box.left + box.right) / 2);
}

void vc_draw_bars(vc_drawing *drawing)
{
    bar_chart bars = {.drawing = drawing, .is_stacked = drawing->chart->kind == VC_CHART_STACKED};
    bars.is_log = drawing->chart->is_logarithmic && !bars.is_stacked;
    vc_drawing_rank_series(drawing);
    choose_form(&bars);
    bars.has_values =
        bars.is_lying && !bars.is_stacked && most_bars(&bars) == 1 && bars.nrows <= MOST_VALUES;
    find_room_for_values(&bars);
    find_slots(&bars);
    vc_extent *extents = find_extents(&bars);
    vc_axis_kind kind = {.has_zero = !bars.is_log,
                         .is_log = bars.is_log,
                         .max_ticks = bars.is_lying          ? 10
                                      : drawing->npanels > 1 ? 5
                                                             : 9};
    if (bars.is_lying)
        kind.width = drawing->npanels > 1 ? 100 : drawing->width - width_of_names(&bars) - 12;
    vc_axis *axes = drawing->failed ? NULL : vc_drawing_make_axes(drawing, extents, &kind);
    if (axes == NULL) return;
    draw_panels(&bars, axes);
    add_notes(&bars);
}
