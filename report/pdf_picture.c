#include "report/pdf_parts.h"

#include <assert.h>

static void trace(cairo_t *cairo, const float *points, size_t ncorners)
{
    for (size_t i = 0; i < ncorners; i++) {
        double x = (double)points[2 * i], y = (double)points[2 * i + 1];
        if (i == 0)
            cairo_move_to(cairo, x, y);
        else
            cairo_line_to(cairo, x, y);
    }
}

static void trace_rings(cairo_t *cairo, const vc_shape *shape)
{
    size_t at = 0, ncorners = shape->npoints / 2;
    if (shape->nrings == 0) {
        trace(cairo, shape->points, ncorners);
        cairo_close_path(cairo);
    }
    for (size_t i = 0; i < shape->nrings; i++) {
        assert(at + shape->rings[i] <= ncorners);
        trace(cairo, shape->points + 2 * at, shape->rings[i]);
        cairo_close_path(cairo);
        at += shape->rings[i];
    }
}

static void trace_shape(cairo_t *cairo, const vc_shape *shape)
{
    const float *at = shape->points;
    switch (shape->kind) {
    case VC_SHAPE_RECTANGLE:
        cairo_rectangle(cairo, (double)at[0], (double)at[1], (double)at[2], (double)at[3]);
        break;
    case VC_SHAPE_LINE: trace(cairo, at, shape->npoints / 2); break;
    case VC_SHAPE_AREA: trace_rings(cairo, shape); break;
    case VC_SHAPE_CIRCLE:
        cairo_new_sub_path(cairo);
        cairo_arc(cairo, (double)at[0], (double)at[1], (double)at[2], 0, 6.283185307179586);
        break;
    case VC_SHAPE_TEXT: break;
    }
}

static void paint(vc_pdf *pdf, const vc_shape *shape)
{
    static const double dashes[] = {3, 2.5};
    cairo_t *cairo = pdf->cairo;
    bool is_filled = shape->fill != VC_NO_COLOUR && shape->kind != VC_SHAPE_LINE;
    bool is_stroked = shape->stroke != VC_NO_COLOUR && shape->stroke_width > 0;
    if (!is_filled && !is_stroked) return;
    trace_shape(cairo, shape);
    if (is_filled) {
        vc_pdf_set_colour(pdf, shape->fill);
        if (is_stroked)
            cairo_fill_preserve(cairo);
        else
            cairo_fill(cairo);
    }
    if (is_stroked) {
        vc_pdf_set_colour(pdf, shape->stroke);
        cairo_set_line_width(cairo, (double)shape->stroke_width);
        cairo_set_dash(cairo, dashes, shape->is_dashed ? 2 : 0, 0);
        cairo_stroke(cairo);
    }
}

static void put_text(vc_pdf *pdf, const vc_shape *shape)
{
    vc_pdf_style style = {.size = shape->size,
                          .is_bold = shape->is_bold,
                          .colour = shape->fill == VC_NO_COLOUR ? VC_PDF_INK : shape->fill};
    float x = shape->points[0], y = shape->points[1];
    if (!shape->is_vertical) {
        vc_pdf_put_line(pdf, shape->text, style, x, y, shape->anchor);
        return;
    }
    cairo_save(pdf->cairo);
    cairo_translate(pdf->cairo, (double)x, (double)y);
    cairo_rotate(pdf->cairo, -1.5707963267948966);
    vc_pdf_put_line(pdf, shape->text, style, 0, 0, shape->anchor);
    cairo_restore(pdf->cairo);
}

void vc_pdf_put_picture(vc_pdf *pdf, const vc_picture *picture, float x, float y, float scale)
{
    if (pdf->cairo == NULL) return;
    cairo_save(pdf->cairo);
    cairo_translate(pdf->cairo, (double)x, (double)y);
    if (scale < 1) cairo_scale(pdf->cairo, (double)scale, (double)scale);
    cairo_set_fill_rule(pdf->cairo, CAIRO_FILL_RULE_EVEN_ODD);
    cairo_set_line_join(pdf->cairo, CAIRO_LINE_JOIN_ROUND);
    for (size_t i = 0; i < picture->nshapes; i++) {
        const vc_shape *shape = &picture->shapes[i];
        if (shape->kind == VC_SHAPE_TEXT)
            put_text(pdf, shape);
        else
            paint(pdf, shape);
    }
    cairo_restore(pdf->cairo);
}
