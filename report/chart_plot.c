#include "report/chart_parts.h"

#include <math.h>
#include <stdlib.h>

static const vc_text_style tick_style = {.size = VC_SIZE_TEXT, .colour = VC_INK_PALE};

static double text_width(vc_str text)
{
    return vc_picture_text_width(text, VC_SIZE_TEXT, false);
}

/* ---- places of rows ---- */

typedef struct place {
    double value;
    uint32_t row;
} place;

static int compare_places(const void *a, const void *b)
{
    const place *one = a, *other = b;
    if (one->value != other->value) return one->value < other->value ? -1 : 1;
    return one->row < other->row ? -1 : 1;
}

/* Rows that have no place, or one that another has, too, are names. */
static bool sort_places(vc_drawing *drawing, const double *values, size_t nrows, uint32_t *order)
{
    place *sorted = VC_ARENA_NEW(drawing->arena, place, nrows);
    if (sorted == NULL) {
        drawing->failed = true;
        return false;
    }
    for (size_t row = 0; row < nrows; row++) {
        if (!isfinite(values[row])) return false;
        sorted[row] = (place){values[row], (uint32_t)row};
    }
    qsort(sorted, nrows, sizeof *sorted, compare_places);
    for (size_t i = 1; i < nrows; i++)
        if (sorted[i].value == sorted[i - 1].value) return false;
    for (size_t i = 0; i < nrows; i++)
        order[i] = sorted[i].row;
    return true;
}

/* The step that most places are apart, as years or months are; 0: there is none. */
static double find_step(const vc_places *places)
{
    double least = INFINITY;
    size_t count = 0;
    for (size_t i = 1; i < places->nrows; i++)
        least =
            fmin(least, places->values[places->order[i]] - places->values[places->order[i - 1]]);
    for (size_t i = 1; i < places->nrows; i++)
        count +=
            places->values[places->order[i]] - places->values[places->order[i - 1]] < 1.2 * least;
    return 3 * count >= 2 * (places->nrows - 1) ? least : 0;
}

void vc_places_init(vc_drawing *drawing, vc_places *places, double padding, size_t nrows)
{
    uint32_t *order = VC_ARENA_NEW(drawing->arena, uint32_t, nrows);
    *places = (vc_places){.padding = padding, .nrows = nrows, .order = order};
    if (order == NULL) {
        drawing->failed = true;
        return;
    }
    const double *values = drawing->grid->row_places;
    if (values != NULL && nrows > 1 && sort_places(drawing, values, nrows, order)) {
        places->is_numeric = true;
        places->values = values;
        places->low = values[order[0]];
        places->high = values[order[nrows - 1]];
        places->step = find_step(places);
        return;
    }
    for (size_t row = 0; row < nrows; row++)
        order[row] = (uint32_t)row;
}

bool vc_places_has_gap(const vc_places *places, size_t index)
{
    if (places->step == 0) return false;
    double before = places->values[places->order[index - 1]];
    return places->values[places->order[index]] - before > 1.6 * places->step;
}

static double value_at(const vc_places *places, double value)
{
    double share = (value / 2 - places->low / 2) / (places->high / 2 - places->low / 2);
    return places->from + (places->to - places->from) * share;
}

static double step_width(const vc_places *places)
{
    return (places->to - places->from) / fmax((double)places->nrows - 1 + 2 * places->padding, 1);
}

double vc_places_at(const vc_places *places, size_t row)
{
    if (places->is_numeric) return value_at(places, places->values[row]);
    if (places->nrows == 1) return (places->from + places->to) / 2;
    return places->from + ((double)row + places->padding) * step_width(places);
}

/* ---- axes ---- */

void vc_draw_axis_up(vc_drawing *drawing, const vc_axis *axis, vc_box box, bool has_texts)
{
    vc_text_style style = tick_style;
    style.anchor = VC_ANCHOR_END;
    for (size_t i = 0; i < axis->nticks; i++) {
        double y = vc_axis_at(axis, axis->ticks[i].value);
        bool is_zero = axis->ticks[i].value == 0 && i > 0;
        vc_draw_line(drawing, box.left, y, box.right, y, is_zero ? VC_BASE_LINE : VC_RULE,
                     is_zero ? 0.75 : 0.5);
        if (has_texts)
            vc_draw_text(drawing, box.left - 5, y + 0.34 * VC_SIZE_TEXT, axis->ticks[i].text,
                         style);
    }
}

void vc_draw_axis_across(vc_drawing *drawing, const vc_axis *axis, vc_box box, bool is_above)
{
    vc_text_style style = tick_style;
    double y = is_above ? box.top - 4 : box.bottom + VC_SIZE_TEXT + 4;
    for (size_t i = 0; i < axis->nticks; i++) {
        double x = vc_axis_at(axis, axis->ticks[i].value);
        double half = text_width(axis->ticks[i].text) / 2;
        vc_draw_line(drawing, x, box.top, x, box.bottom, VC_RULE, 0.5);
        style.anchor = VC_ANCHOR_MIDDLE;
        double at = x;
        if (x + half > drawing->width) {
            style.anchor = VC_ANCHOR_END;
            at = drawing->width;
        }
        vc_draw_text(drawing, at, y, axis->ticks[i].text, style);
    }
}

/* A name below a place, moved where it would leave the picture. */
static void draw_name(vc_drawing *drawing, double x, double y, vc_str name)
{
    double half = text_width(name) / 2;
    vc_text_style style = tick_style;
    style.anchor = VC_ANCHOR_MIDDLE;
    if (x + half > drawing->width) {
        style.anchor = VC_ANCHOR_END;
        x = drawing->width;
    } else if (x - half < 0) {
        style.anchor = VC_ANCHOR_START;
        x = 0;
    }
    vc_draw_text(drawing, x, y, name, style);
}

static void draw_mark(vc_drawing *drawing, double x, vc_box box)
{
    vc_draw_line(drawing, x, box.bottom, x, box.bottom + 3, VC_BASE_LINE, 0.5);
}

/* As many names as there is room for, each n-th. */
static void draw_names(vc_drawing *drawing, const vc_places *places, vc_box box)
{
    enum { GAP = 2, GAP_BETWEEN = 7, SHORTENED = 45, LONGEST = 90 };
    double widest = 0, step = step_width(places);
    for (size_t row = 0; row < places->nrows; row++)
        widest = fmax(widest, text_width(drawing->row_names[row]));
    size_t every = 1;
    double room = step >= SHORTENED || places->nrows == 1 ? step - GAP : fmin(widest, LONGEST);
    if (step < SHORTENED && widest + GAP > step) every = (size_t)ceil((room + GAP_BETWEEN) / step);
    if (places->nrows == 1) room = box.right - box.left;
    for (size_t i = 0; i < places->nrows; i += every) {
        size_t row = places->order[i];
        double x = vc_places_at(places, row);
        draw_mark(drawing, x, box);
        draw_name(drawing, x, box.bottom + VC_SIZE_TEXT + 5,
                  vc_draw_fit(drawing, drawing->row_names[row], VC_SIZE_TEXT, false, room));
    }
}

static bool is_whole(double value)
{
    return value == floor(value) && fabs(value) < 1e15;
}

/* Names at round places; a place without a row (a missing year) has its number. */
static void draw_round_places(vc_drawing *drawing, const vc_places *places, vc_box box)
{
    enum { GAP = 12 };
    double widest = 0;
    for (size_t i = 0; i < places->nrows; i++)
        if (is_whole(places->values[places->order[i]]))
            widest = fmax(widest, text_width(drawing->row_names[places->order[i]]));
    if (widest == 0) widest = text_width(VC_STR("0000"));
    size_t most = (size_t)fmax(2, (box.right - box.left) / (fmin(widest, 90) + GAP));
    vc_extent extent = {.low = places->low, .high = places->high, .count = 2};
    vc_axis axis;
    vc_axis_init(&axis, &extent, false, false, most);
    size_t i = 0;
    for (size_t t = 0; t < axis.nticks; t++) {
        double value = axis.ticks[t].value;
        if (value < places->low || value > places->high || !is_whole(value)) continue;
        while (i < places->nrows && places->values[places->order[i]] < value)
            i++;
        bool has_row = i < places->nrows && places->values[places->order[i]] == value;
        if (!has_row) vc_buffer_put_double(&drawing->scratch, value);
        vc_str name = has_row ? drawing->row_names[places->order[i]] : vc_draw_scratch(drawing);
        double x = value_at(places, value);
        draw_mark(drawing, x, box);
        draw_name(drawing, x, box.bottom + VC_SIZE_TEXT + 5,
                  vc_draw_fit(drawing, name, VC_SIZE_TEXT, false, 90));
    }
}

void vc_draw_rows_below(vc_drawing *drawing, const vc_places *places, vc_box box)
{
    if (drawing->failed) return;
    vc_draw_line(drawing, box.left, box.bottom, box.right, box.bottom, VC_BASE_LINE, 0.75);
    if (places->is_numeric && floor(places->high) - ceil(places->low) >= 1)
        draw_round_places(drawing, places, box);
    else
        draw_names(drawing, places, box);
}

/* ---- panels ---- */

static bool have_one_unit(const vc_grid *grid)
{
    for (size_t i = 1; i < grid->nmeasures; i++)
        if (!vc_str_equal(grid->measures[i].measure->unit, grid->measures[0].measure->unit))
            return false;
    return true;
}

/* Do numbers of several units stand on one axis? */
static bool mixes_units(const vc_drawing *drawing)
{
    const vc_grid *grid = drawing->grid;
    if (have_one_unit(grid)) return false;
    if (grid->measures_on_rows) return true;
    for (size_t p = 0; p < drawing->npanels; p++)
        for (size_t c = drawing->panels[p].first + 1; c < drawing->panels[p].end; c++)
            if (!vc_str_equal(vc_grid_measure_at(grid, 0, c)->measure->unit,
                              vc_grid_measure_at(grid, 0, c - 1)->measure->unit))
                return true;
    return false;
}

vc_axis *vc_drawing_make_axes(vc_drawing *drawing, vc_extent *extents, const vc_axis_kind *kind)
{
    vc_extent all = {0};
    vc_axis *axes = VC_ARENA_NEW(drawing->arena, vc_axis, drawing->npanels);
    if (axes == NULL) {
        drawing->failed = true;
        return NULL;
    }
    for (size_t p = 0; p < drawing->npanels; p++) {
        if (extents[p].count > 0) {
            vc_extent_add(&all, extents[p].low, false);
            vc_extent_add(&all, extents[p].high, false);
        }
        all.nleft_out += extents[p].nleft_out;
    }
    bool is_shared = kind->is_shared || have_one_unit(drawing->grid);
    for (size_t p = 0; p < drawing->npanels; p++) {
        const vc_extent *extent = is_shared ? &all : &extents[p];
        double largest = fmax(fabs(extent->low), fabs(extent->high));
        bool has_zero =
            kind->has_zero || (kind->zero_share > 0 &&
                               extent->high / 2 - extent->low / 2 > kind->zero_share * largest / 2);
        const vc_grid_measure *measure =
            vc_grid_measure_at(drawing->grid, 0, drawing->panels[p].first + kind->column);
        size_t most = kind->max_ticks;
        do {
            vc_axis_init(&axes[p], extent, has_zero, kind->is_log, most);
            vc_axis_name_ticks(drawing, &axes[p], measure);
        } while (kind->width > 0 && most-- > 3 &&
                 (vc_axis_widest_tick(&axes[p]) + 8) * (double)axes[p].nticks > kind->width);
    }
    if (!kind->is_shared && mixes_units(drawing))
        vc_draw_note(drawing, VC_STR("Numbers of different units stand on one axis: their heights "
                                     "do not compare."));
    if (all.nleft_out == 1)
        vc_draw_note(drawing, VC_STR("1 value that is not above 0 is left out: a logarithmic axis "
                                     "has no place for it."));
    else if (all.nleft_out > 1)
        vc_draw_note(drawing, vc_draw_printf(drawing,
                                             "%zu values that are not above 0 are left out: a "
                                             "logarithmic axis has no place for them.",
                                             all.nleft_out));
    return axes;
}

double vc_axes_widest_tick(const vc_drawing *drawing, const vc_axis *axes)
{
    double widest = 0;
    for (size_t p = 0; p < drawing->npanels; p++)
        widest = fmax(widest, vc_axis_widest_tick(&axes[p]));
    return widest;
}

bool vc_panel_is_first(const vc_drawing *drawing, size_t panel)
{
    return panel % drawing->npanels_across == 0;
}

void vc_drawing_place_panels(vc_drawing *drawing, const vc_panel_room *room)
{
    size_t npanels = drawing->npanels;
    double usable = drawing->width - room->first_margin + room->margin;
    double most = floor(usable / (room->min_width + room->margin + room->right));
    size_t across = npanels == 1 || most < 1 ? 1 : (size_t)fmin(most, (double)npanels);
    size_t nlines = (npanels + across - 1) / across;
    across = (npanels + nlines - 1) / nlines; /* as even as may be */
    drawing->npanels_across = across;

    double title = npanels > 1 || drawing->panels[0].title.size > 0 ? 1.6 * VC_SIZE_TEXT : 0;
    double width = usable / (double)across - room->margin - room->right;
    bool is_narrow = width < 20; /* too narrow to be good, but nothing leaves the picture */
    for (size_t p = 0; p < npanels; p++) {
        vc_box *box = &drawing->panels[p].box;
        double line = (double)(p / across), column = (double)(p % across);
        box->left = room->first_margin + column * (width + room->right + room->margin);
        box->right = box->left + width;
        if (is_narrow) {
            box->left = 0.6 * drawing->width;
            box->right = 0.85 * drawing->width;
        }
        box->top = drawing->bottom + line * (title + room->above + room->height + room->below) +
                   title + room->above;
        box->bottom = box->top + room->height;
        vc_draw_text(drawing, box->left, box->top - room->above - 0.5 * VC_SIZE_TEXT,
                     vc_draw_fit(drawing, drawing->panels[p].title, VC_SIZE_TEXT, true, width),
                     (vc_text_style){.size = VC_SIZE_TEXT, .colour = VC_INK, .is_bold = true});
    }
    drawing->bottom = drawing->panels[npanels - 1].box.bottom + room->below;
}

/* ---- titles and legends ---- */

void vc_draw_title(vc_drawing *drawing, vc_str title)
{
    if (title.size == 0) return;
    title = vc_draw_fit(drawing, title, VC_SIZE_TEXT, false, drawing->width);
    vc_draw_text(drawing, 0, drawing->bottom + VC_SIZE_TEXT, title, tick_style);
    drawing->bottom += 1.5 * VC_SIZE_TEXT;
}

void vc_draw_title_below(vc_drawing *drawing, vc_str title, double x)
{
    if (title.size == 0) return;
    title = vc_draw_fit(drawing, title, VC_SIZE_TEXT, false, drawing->width);
    draw_name(drawing, x, drawing->bottom + VC_SIZE_TEXT, title);
    drawing->bottom += 1.5 * VC_SIZE_TEXT;
}

typedef struct flow { /* of entries from left to right, in lines */
    double x, y;
} flow;

enum { SWATCH = 9, SWATCH_OF_LINE = 14, WIDEST_ENTRY = 240 };

/* `text` is what there is room for of `name`. */
static void draw_entry(vc_drawing *drawing, flow *at, vc_str name, vc_str text, uint32_t colour,
                       bool is_line)
{
    enum { GAP = 14 };
    double swatch = is_line ? SWATCH_OF_LINE : SWATCH;
    double width = swatch + 4 + text_width(text);
    if (at->x > 0 && at->x + width > drawing->width) {
        at->x = 0;
        at->y += 1.45 * VC_SIZE_TEXT;
    }
    if (is_line) {
        double y = at->y + 0.55 * VC_SIZE_TEXT;
        vc_draw_line(drawing, at->x, y, at->x + swatch, y, colour, 2);
    } else {
        vc_box box = {at->x, at->y + 0.5, at->x + swatch, at->y + 0.5 + SWATCH};
        vc_draw_rectangle(drawing, box, colour, vc_str_equal(text, name) ? (vc_str){0} : name);
    }
    vc_draw_text(drawing, at->x + swatch + 4, at->y + 0.9 * VC_SIZE_TEXT, text,
                 (vc_text_style){.size = VC_SIZE_TEXT, .colour = VC_INK});
    at->x += width + GAP;
}

void vc_draw_legend(vc_drawing *drawing, bool has_lines)
{
    if (drawing->nseries < 2) return;
    flow at = {0, drawing->bottom + 2};
    vc_str names[VC_MAX_COLOURED] = {0};
    uint32_t colours[VC_MAX_COLOURED] = {0};
    size_t count = 0;
    for (size_t i = 0; i < drawing->nseries && count < VC_MAX_COLOURED; i++)
        if (drawing->series[i].colour != VC_OTHERS) {
            names[count] = drawing->series[i].name;
            colours[count++] = drawing->series[i].colour;
        }
    double room = fmin(WIDEST_ENTRY, drawing->width - SWATCH_OF_LINE - 4);
    const vc_str *texts =
        vc_draw_fit_all(drawing, names, count, (vc_text_style){.size = VC_SIZE_TEXT}, room);
    for (size_t i = 0; i < count; i++)
        draw_entry(drawing, &at, names[i], texts[i], colours[i], has_lines);
    if (drawing->nothers > 0) {
        vc_str others = vc_draw_printf(drawing, "%zu others", drawing->nothers);
        draw_entry(drawing, &at, others, others, VC_OTHERS, has_lines);
    }
    drawing->bottom = at.y + 1.7 * VC_SIZE_TEXT;
}
