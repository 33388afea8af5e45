/* What the kinds of charts are made of. Private to report/chart*.c.
 *
 *     chart.c          what a chart shows, its panels, its legend and notes; calls a kind
 *     chart_series.c   names of rows and columns, which columns are lines (bars, ...) of which
 * panel chart_shapes.c   shapes and texts are added to a picture chart_axis.c     ticks and places
 * of numbers chart_plot.c     a panel with two axes: its grid lines and ticks chart_scale.c colours
 * of numbers and their legend chart_line.c, chart_bar.c, chart_scatter.c, chart_heat.c, chart_map.c
 *
 * Everything is drawn downwards: `drawing.bottom` is where the next part begins, and at the end how
 * high the picture is. Out of memory is remembered (`failed`) and looked at once, at the end.
 */
#ifndef REPORT_CHART_PARTS_H
#define REPORT_CHART_PARTS_H

#include "base/buffer.h"
#include "report/palette.h"
#include "report/picture.h"

enum {
    VC_SIZE_TEXT = 9, /* points */
    VC_SIZE_NOTE = 8,
    VC_INK = 0x1A1A1A,
    VC_INK_PALE = 0x555555, /* 7.4:1 on white */
    VC_RULE = 0xDDDDDD,     /* lines of the grid */
    VC_BASE_LINE = 0x555555,
    VC_OTHERS = 0xB4B4B4,   /* series beyond those that have a colour */
    VC_NO_VALUE = 0xE3E3E3, /* areas without a value */
    VC_MAX_TICKS = 24,
    VC_MAX_COLOURED = 8,
};

typedef struct vc_box {
    double left, top, right, bottom;
} vc_box;

typedef struct vc_series { /* a column, or some, of all panels */
    vc_str name;
    uint32_t colour; /* VC_OTHERS: not one of the largest */
} vc_series;

typedef struct vc_panel {
    vc_str title;      /* absent: the only one */
    size_t first, end; /* columns */
    vc_box box;        /* of the plot, without its texts */
} vc_panel;

typedef struct vc_drawing {
    vc_arena *arena;
    const vc_chart *chart;
    const vc_grid *grid;
    double width, bottom;
    vc_list shapes, notes; /* of vc_shape, vc_str */
    vc_buffer scratch;
    bool failed;

    vc_str *row_names; /* [nrows] short; full ones: vc_drawing_row */
    size_t nseries;
    vc_series *series;
    const uint32_t *series_of; /* [ncolumns] */
    size_t nothers;            /* series without a colour of their own */
    size_t npanels;
    vc_panel *panels;
    size_t npanels_across; /* in a line */
} vc_drawing;

/* ---- chart_shapes.c ---- */

typedef struct vc_text_style {
    double size;
    uint32_t colour;
    vc_text_anchor anchor;
    bool is_bold, is_vertical;
} vc_text_style;

void vc_draw_rectangle(vc_drawing *drawing, vc_box box, uint32_t fill, vc_str tip);
void vc_draw_line(vc_drawing *drawing, double x, double y, double x2, double y2, uint32_t colour,
                  double width);
void vc_draw_circle(vc_drawing *drawing, double x, double y, double radius, uint32_t fill,
                    uint32_t stroke, vc_str tip);

/* For shapes of many corners: the points are the caller's to fill in, and NULL when out of memory.
 * The shape is valid until the next one is drawn. */
vc_shape *vc_draw_path(vc_drawing *drawing, vc_shape_kind kind, size_t npoints, float **points_out);

void vc_draw_text(vc_drawing *drawing, double x, double y, vc_str text, vc_text_style style);

/* The text, or its beginning and an ellipsis, so that it takes at most `width`. */
vc_str vc_draw_fit(vc_drawing *drawing, vc_str text, double size, bool is_bold, double width);

/* Several, each within the width. Where that would make different ones the same, their beginnings
 * and ends are kept. */
const vc_str *vc_draw_fit_all(vc_drawing *drawing, const vc_str *texts, size_t count,
                              vc_text_style style, double width);

/* On one line, without what is no part of a text for people: control characters, line ends, marks
 * that turn the direction of what follows. */
vc_str vc_draw_clean(vc_drawing *drawing, vc_str text);

/* What was put into drawing->scratch, clean; the scratch is empty again. */
vc_str vc_draw_scratch(vc_drawing *drawing);

vc_str vc_draw_printf(vc_drawing *drawing, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A sentence below the chart. */
void vc_draw_note(vc_drawing *drawing, vc_str sentence);

/* ---- chart_series.c ---- */

/* Fill row_names, series, series_of and panels of the drawing. */
void vc_drawing_name_rows(vc_drawing *drawing);
void vc_drawing_find_series(vc_drawing *drawing);

/* Only the VC_MAX_COLOURED largest series keep a colour of their own. */
void vc_drawing_rank_series(vc_drawing *drawing);

/* "Europe, France". */
vc_str vc_drawing_row(vc_drawing *drawing, size_t row);

/* "Europe, France, 2010: 65.0 million persons". */
vc_str vc_drawing_tip(vc_drawing *drawing, size_t row, size_t column);

/* "Population (millions)" of the measures of some columns. */
vc_str vc_drawing_measure_title(vc_drawing *drawing, size_t first, size_t end);

/* The same of one measure. */
vc_str vc_drawing_title_of(vc_drawing *drawing, const vc_grid_measure *measure);

/* "Year": what the rows are. */
vc_str vc_drawing_row_title(vc_drawing *drawing);

/* ---- chart_axis.c ---- */

typedef struct vc_extent {
    double low, high; /* where count > 0 */
    size_t count, nleft_out;
} vc_extent;

/* Take a number in; on a logarithmic axis what is not above 0 is counted as left out. */
void vc_extent_add(vc_extent *extent, double value, bool is_log);

typedef struct vc_tick {
    double value;
    vc_str text;
} vc_tick;

typedef struct vc_axis {
    double low, high; /* low < high; of a logarithmic one, exponents */
    bool is_log;
    double from, to; /* coordinates of low and high */
    size_t nticks;
    vc_tick ticks[VC_MAX_TICKS]; /* ascending, the outer ones at or beyond the values */
} vc_axis;

/* Round numbers from below the least value to above the greatest, at most `max_ticks` (>= 2).
 *
 * has_zero   0 is on it in any case (bars: their length is the value) */
void vc_axis_init(vc_axis *axis, const vc_extent *extent, bool has_zero, bool is_log,
                  size_t max_ticks);

/* Where a number is, within from and to. */
double vc_axis_at(const vc_axis *axis, double value);

/* The texts of the ticks, as the measure writes its numbers, or short ("1.2 million"), where that
 * would be long or the ticks would be the same. */
void vc_axis_name_ticks(vc_drawing *drawing, vc_axis *axis, const vc_grid_measure *measure);

/* Some numbers, alike. */
void vc_name_numbers(vc_drawing *drawing, const vc_grid_measure *measure, const double *values,
                     size_t count, vc_str *texts_out);

/* A cell that is not null, as the measure writes it, or short with three digits. */
vc_str vc_name_value(vc_drawing *drawing, size_t row, size_t column);

/* To so many digits. */
double vc_round_number(double value, int ndigits);

double vc_axis_widest_tick(const vc_axis *axis);

/* ---- chart_plot.c ---- */

typedef struct vc_places { /* of the rows along the axis across */
    bool is_numeric;       /* by their row_places; otherwise in equal steps */
    double low, high;
    double step;    /* of most of them, where is_numeric; 0: of none */
    double padding; /* room at both ends, in steps of rows */
    double from, to;
    size_t nrows;
    const double *values;  /* where is_numeric */
    const uint32_t *order; /* rows ascending by place */
} vc_places;

void vc_places_init(vc_drawing *drawing, vc_places *places, double padding, size_t nrows);
double vc_places_at(const vc_places *places, size_t row);

/* Is something missing before the row order[index], a month among months? index > 0. */
bool vc_places_has_gap(const vc_places *places, size_t index);

/* Grid lines and numbers of an axis that goes up, left of a panel (texts only in the first). */
void vc_draw_axis_up(vc_drawing *drawing, const vc_axis *axis, vc_box box, bool has_texts);

/* The same of one that goes to the right, above a panel or below it. */
void vc_draw_axis_across(vc_drawing *drawing, const vc_axis *axis, vc_box box, bool is_above);

/* The names of the rows below a panel, as many as there is room for. */
void vc_draw_rows_below(vc_drawing *drawing, const vc_places *places, vc_box box);

/* Place the panels below drawing->bottom.
 *
 * first_margin   left of the first panel of a line
 * margin         left of the others
 * height         of a plot
 * above, below   room for texts of a plot */
typedef struct vc_panel_room {
    double first_margin, margin, right, height, above, below, min_width;
} vc_panel_room;
void vc_drawing_place_panels(vc_drawing *drawing, const vc_panel_room *room);
bool vc_panel_is_first(const vc_drawing *drawing, size_t panel); /* of its line */

/* An axis of numbers for each panel, the same for all where their unit is the same, so that panels
 * compare. Its numbers are named; notes tell what a logarithmic one leaves out.
 *
 * extents  [npanels] */
typedef struct vc_axis_kind {
    bool has_zero;     /* 0 is on it */
    double zero_share; /* 0 is on it, too, where the numbers span more than this share of the
                          largest; 0: not */
    bool is_log;
    bool is_shared; /* by all panels, whatever their units */
    size_t column;  /* of each panel, whose measure it is */
    size_t max_ticks;
    double width; /* for the numbers side by side; 0: they are above each other */
} vc_axis_kind;
vc_axis *vc_drawing_make_axes(vc_drawing *drawing, vc_extent *extents, const vc_axis_kind *kind);
double vc_axes_widest_tick(const vc_drawing *drawing, const vc_axis *axes);

/* The title of an axis: one line at the left, above what it is of. */
void vc_draw_title(vc_drawing *drawing, vc_str title);

/* Below the panels, in the middle. */
void vc_draw_title_below(vc_drawing *drawing, vc_str title, double x);

/* Names and colours of the series, in as many lines as it takes. Nothing where there is one. */
void vc_draw_legend(vc_drawing *drawing, bool has_lines);

/* In place of a chart that has nothing to show. */
void vc_draw_nothing(vc_drawing *drawing);

/* ---- chart_scale.c ---- */

typedef struct vc_scale {
    vc_extent extent; /* of the numbers added */
    double mean;
    const vc_grid_measure *measure;
    bool is_given; /* by the measure; otherwise: */
    bool has_classes, is_balance;
    vc_axis axis;
} vc_scale;

/* Numbers are added first; then it is made. is_log: it is to be logarithmic if it can. */
void vc_scale_add(vc_scale *scale, double value);
void vc_scale_init(vc_scale *scale, const vc_grid_measure *measure, bool has_classes, bool is_log);

/* VC_NO_COLOUR: none of the measure's rules holds. */
uint32_t vc_scale_colour(const vc_scale *scale, double value);

void vc_draw_scale(vc_drawing *drawing, vc_scale *scale, bool has_no_value);

/* ---- kinds ---- */

void vc_draw_lines(vc_drawing *drawing);
void vc_draw_bars(vc_drawing *drawing);
void vc_draw_points(vc_drawing *drawing);
void vc_draw_heat(vc_drawing *drawing);
void vc_draw_map(vc_drawing *drawing);

#endif
