#include "report/chart_parts.h"

#include <math.h>

static bool has_values(const vc_grid *grid)
{
    size_t ncells = grid->nrows * grid->ncolumns;
    for (size_t i = 0; i < ncells; i++)
        if (!grid->cells[i].is_null) return true;
    return false;
}

/* What each reason of the cells without a value means, once. */
static void put_reasons(vc_drawing *drawing)
{
    bool occurs[256] = {false}, is_first = true;
    char reasons[VC_MAX_REASONS];
    size_t ncells = drawing->grid->nrows * drawing->grid->ncolumns;
    for (size_t i = 0; i < ncells; i++)
        if (drawing->grid->cells[i].is_null)
            occurs[(unsigned char)drawing->grid->cells[i].reason] = true;
    vc_grid_reasons(drawing->grid, reasons);
    for (const char *at = reasons; *at != '\0'; at++) {
        if (!occurs[(unsigned char)*at]) continue;
        if (!is_first) vc_buffer_put_text(&drawing->scratch, "; ");
        vc_buffer_put_text(&drawing->scratch, vc_document_reason(*at));
        is_first = false;
    }
}

void vc_draw_nothing(vc_drawing *drawing)
{
    enum { HEIGHT = 60 };
    vc_box box = {0, drawing->bottom, drawing->width, drawing->bottom + HEIGHT};
    vc_draw_rectangle(drawing, box, 0xF4F4F4, (vc_str){0});
    vc_draw_text(drawing, drawing->width / 2, drawing->bottom + HEIGHT / 2.0 + 3,
                 VC_STR("No values to show"),
                 (vc_text_style){
                     .size = VC_SIZE_TEXT + 1, .colour = VC_INK_PALE, .anchor = VC_ANCHOR_MIDDLE});
    drawing->bottom += HEIGHT + 4;
}

/* In lines of whole words; a word that is too long for a line is cut. */
static void draw_wrapped(vc_drawing *drawing, vc_str text)
{
    const vc_text_style style = {.size = VC_SIZE_NOTE, .colour = VC_INK_PALE};
    while (text.size > 0) {
        size_t end = 0;
        for (size_t at = 0; at <= text.size; at++) {
            if (at < text.size && text.data[at] != ' ') continue;
            vc_str line = {.data = text.data, .size = at};
            if (end > 0 && vc_picture_text_width(line, VC_SIZE_NOTE, false) > drawing->width) break;
            end = at;
        }
        vc_str line = {.data = text.data, .size = end};
        drawing->bottom += 1.35 * VC_SIZE_NOTE;
        vc_draw_text(drawing, 0, drawing->bottom,
                     vc_draw_fit(drawing, line, VC_SIZE_NOTE, false, drawing->width), style);
        while (end < text.size && text.data[end] == ' ')
            end++;
        if (end == 0) break; /* a text that begins with a space */
        text = (vc_str){.data = text.data + end, .size = text.size - end};
    }
}

static void draw_notes(vc_drawing *drawing)
{
    put_reasons(drawing);
    if (drawing->scratch.size > 0) {
        vc_str reasons = vc_draw_scratch(drawing);
        vc_draw_note(drawing, vc_draw_printf(drawing, "Without a value: %.*s.", VC_FMT(reasons)));
    }
    const vc_str *notes = drawing->notes.items;
    for (size_t i = 0; i < drawing->notes.count; i++)
        draw_wrapped(drawing, notes[i]);
    if (drawing->notes.count > 0) drawing->bottom += 4;
}

static void draw_kind(vc_drawing *drawing)
{
    switch (drawing->chart->kind) {
    case VC_CHART_LINE: vc_draw_lines(drawing); break;
    case VC_CHART_BAR:
    case VC_CHART_STACKED: vc_draw_bars(drawing); break;
    case VC_CHART_SCATTER: vc_draw_points(drawing); break;
    case VC_CHART_HEAT: vc_draw_heat(drawing); break;
    case VC_CHART_MAP: vc_draw_map(drawing); break;
    }
}

vc_status vc_chart_draw(const vc_chart *chart, float width, vc_arena *arena,
                        vc_picture *picture_out, vc_error *error)
{
    enum { NARROWEST = 120, WIDEST = 4000 };
    vc_drawing drawing = {.arena = arena,
                          .chart = chart,
                          .grid = chart->grid,
                          .width = width > NARROWEST ? fmin(width, WIDEST) : NARROWEST};
    if (!has_values(chart->grid)) {
        vc_draw_nothing(&drawing);
    } else {
        vc_drawing_name_rows(&drawing);
        vc_drawing_find_series(&drawing);
        if (!drawing.failed) draw_kind(&drawing);
    }
    draw_notes(&drawing);
    bool failed = drawing.failed || drawing.scratch.failed;
    vc_buffer_release(&drawing.scratch);
    if (failed) return vc_no_memory(error);
    *picture_out = (vc_picture){.width = (float)drawing.width,
                                .height = (float)ceil(drawing.bottom + 1),
                                .shapes = drawing.shapes.items,
                                .nshapes = drawing.shapes.count,
                                .alternative = chart->alternative};
    return VC_OK;
}
