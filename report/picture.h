/* A picture: what a chart looks like, as a list of shapes that SVG and PDF draw alike.
 *
 * Lengths are points (1/72 inch; SVG: user units) from the left upper corner, numbers are finite.
 * Shapes are drawn in their order. Texts are UTF-8, one line, and safe for no format: writers
 * escape. Nothing is measured with a font, so that a picture is the same everywhere: room for
 * texts is reckoned by vc_picture_text_width.
 * Lifetime: an arena. Threads: pure.
 */
#ifndef REPORT_PICTURE_H
#define REPORT_PICTURE_H

#include "base/arena.h"
#include "base/list.h"
#include "base/status.h"
#include "report/document.h"

typedef enum vc_shape_kind {
    VC_SHAPE_RECTANGLE, /* points: x, y, width, height */
    VC_SHAPE_LINE,      /* points: x, y of each corner, open, stroked */
    VC_SHAPE_AREA,      /* points: x, y of each corner, closed, filled; several rings: see nrings */
    VC_SHAPE_CIRCLE,    /* points: x, y, radius */
    VC_SHAPE_TEXT,      /* points: x, y of the baseline's anchor */
} vc_shape_kind;

typedef enum vc_text_anchor { VC_ANCHOR_START, VC_ANCHOR_MIDDLE, VC_ANCHOR_END } vc_text_anchor;

typedef struct vc_shape {
    vc_shape_kind kind;
    const float *points;
    size_t npoints;        /* numbers in points */
    const uint32_t *rings; /* [nrings] of an area: corners of each ring; NULL: one ring; even-odd */
    size_t nrings;
    uint32_t fill, stroke; /* 0xRRGGBB or VC_NO_COLOUR; of a text: fill */
    float stroke_width;
    bool is_dashed;
    vc_str text; /* of a text; of others what a pointer over it tells ("France, 2010: 65.0
                    million"); absent: nothing */
    float size;  /* of a text, points */
    vc_text_anchor anchor;
    bool is_bold, is_vertical; /* vertical: turned by 90 degrees against the clock */
} vc_shape;

typedef struct vc_picture {
    float width, height;
    const vc_shape *shapes;
    size_t nshapes;
    vc_str alternative; /* of the chart */
} vc_picture;

/* Draw a chart.
 *
 * width       points; the height follows from what there is to show
 *
 * Every chart has what its reader needs: axes with their titles and units, round ticks, a legend
 * where there are several series (or the series' names at the lines' ends), gaps for nulls. Where
 * there is nothing to show it says so. VC_NO_MEMORY. O(cells). */
vc_status vc_chart_draw(const vc_chart *chart, float width, vc_arena *arena,
                        vc_picture *picture_out, vc_error *error);

/* About as wide as the text will be, a little more than less. */
float vc_picture_text_width(vc_str text, float size, bool is_bold);

#endif
