/* Pictures as SVG 1.1, small: one decimal of a point (a third of what a screen can show), relative
 * coordinates, no element without a need. Colours are explicit and the ground is white, so that a
 * page in a dark style does not hide what is drawn dark. The font is that of the page around it.
 */
#include "report/writers.h"

#include <math.h>
#include <utf8proc.h>

/* Text that is well-formed XML 1.0, in elements as in attributes. */
static void put_escaped(vc_buffer *out, vc_str text)
{
    for (size_t at = 0; at < text.size;) {
        utf8proc_int32_t character;
        utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
                                                 (utf8proc_ssize_t)(text.size - at), &character);
        if (size < 1 || (character < ' ' && character != '\t' && character != '\n') ||
            (character >= 0x7F && character < 0xA0) || (character & 0xFFFE) == 0xFFFE)
            vc_buffer_put_text(out, "\xEF\xBF\xBD");
        else if (character == '&')
            vc_buffer_put_text(out, "&amp;");
        else if (character == '<')
            vc_buffer_put_text(out, "&lt;");
        else if (character == '>')
            vc_buffer_put_text(out, "&gt;");
        else if (character == '"')
            vc_buffer_put_text(out, "&quot;");
        else
            vc_buffer_put(out, text.data + at, (size_t)size);
        at += size < 1 ? 1 : (size_t)size;
    }
}

static long tenths(float value)
{
    return lroundf(value * 10);
}

/* 12.3, .5, -7 */
static void put_tenths(vc_buffer *out, long number)
{
    char text[32];
    size_t size = 0;
    unsigned long rest = number < 0 ? -(unsigned long)number : (unsigned long)number;
    if (rest % 10 != 0) {
        text[size++] = (char)('0' + rest % 10);
        text[size++] = '.';
    }
    rest /= 10;
    if (rest == 0 && size == 0) text[size++] = '0';
    for (; rest > 0; rest /= 10)
        text[size++] = (char)('0' + rest % 10);
    if (number < 0) vc_buffer_put_char(out, '-');
    while (size > 0)
        vc_buffer_put_char(out, text[--size]);
}

static void put_number(vc_buffer *out, const char *name, float value)
{
    vc_buffer_put_char(out, ' ');
    vc_buffer_put_text(out, name);
    vc_buffer_put_text(out, "=\"");
    put_tenths(out, tenths(value));
    vc_buffer_put_char(out, '"');
}

/* #abc where that is #aabbcc. */
static void put_colour(vc_buffer *out, const char *name, uint32_t colour)
{
    static const char digits[] = "0123456789abcdef";
    bool is_short = ((colour >> 4) & 0x0F0F0F) == (colour & 0x0F0F0F);
    vc_buffer_put_char(out, ' ');
    vc_buffer_put_text(out, name);
    vc_buffer_put_text(out, "=\"#");
    for (int shift = 20; shift >= 0; shift -= is_short ? 8 : 4)
        vc_buffer_put_char(out, digits[colour >> shift & 0xF]);
    vc_buffer_put_char(out, '"');
}

/* What shapes that follow each other have in common is said once: a map is a quarter smaller. */
typedef struct group {
    size_t end; /* the shape behind the last one */
    bool has_stroke, has_fill;
} group;

static void put_fill(vc_buffer *out, const vc_shape *shape)
{
    if (shape->fill != VC_NO_COLOUR)
        put_colour(out, "fill", shape->fill);
    else if (shape->kind != VC_SHAPE_LINE || shape->npoints > 4)
        vc_buffer_put_text(out, " fill=\"none\"");
}

static void put_stroke(vc_buffer *out, const vc_shape *shape)
{
    if (shape->stroke == VC_NO_COLOUR) return;
    put_colour(out, "stroke", shape->stroke);
    if (shape->stroke_width != 1) put_number(out, "stroke-width", shape->stroke_width);
    if (shape->is_dashed) vc_buffer_put_text(out, " stroke-dasharray=\"4 3\"");
}

/* A number behind another one: a minus or a point that cannot be part of it parts them. */
static void put_next(vc_buffer *out, long number)
{
    if (number >= 0) vc_buffer_put_char(out, ' ');
    put_tenths(out, number);
}

static void put_ring(vc_buffer *out, const float *points, size_t ncorners, bool is_closed)
{
    long x = tenths(points[0]), y = tenths(points[1]);
    vc_buffer_put_char(out, 'M');
    put_tenths(out, x);
    put_next(out, y);
    bool is_first = true;
    for (size_t i = 1; i < ncorners; i++) {
        long next_x = tenths(points[2 * i]), next_y = tenths(points[2 * i + 1]);
        if (next_x == x && next_y == y) continue;
        if (is_first) vc_buffer_put_char(out, 'l');
        if (is_first)
            put_tenths(out, next_x - x);
        else
            put_next(out, next_x - x);
        put_next(out, next_y - y);
        is_first = false;
        x = next_x;
        y = next_y;
    }
    if (is_closed) vc_buffer_put_char(out, 'z');
}

static void put_path(vc_buffer *out, const vc_shape *shape)
{
    bool is_area = shape->kind == VC_SHAPE_AREA;
    vc_buffer_put_text(out, "<path d=\"");
    if (shape->rings == NULL) {
        put_ring(out, shape->points, shape->npoints / 2, is_area);
    } else {
        const float *points = shape->points;
        for (size_t i = 0; i < shape->nrings; i++) {
            put_ring(out, points, shape->rings[i], is_area);
            points += 2 * shape->rings[i];
        }
        if (shape->nrings > 1) vc_buffer_put_text(out, "\" fill-rule=\"evenodd");
    }
    vc_buffer_put_char(out, '"');
    if (!is_area) vc_buffer_put_text(out, " stroke-linejoin=\"round\"");
}

static void put_line(vc_buffer *out, const vc_shape *shape)
{
    if (shape->npoints != 4) {
        put_path(out, shape);
        return;
    }
    vc_buffer_put_text(out, "<line");
    put_number(out, "x1", shape->points[0]);
    put_number(out, "y1", shape->points[1]);
    put_number(out, "x2", shape->points[2]);
    put_number(out, "y2", shape->points[3]);
}

static void put_text(vc_buffer *out, const vc_shape *shape)
{
    vc_buffer_put_text(out, "<text");
    if (shape->is_vertical) {
        vc_buffer_put_text(out, " transform=\"translate(");
        put_tenths(out, tenths(shape->points[0]));
        put_next(out, tenths(shape->points[1]));
        vc_buffer_put_text(out, ")rotate(-90)\"");
    } else {
        put_number(out, "x", shape->points[0]);
        put_number(out, "y", shape->points[1]);
    }
    if (shape->anchor == VC_ANCHOR_MIDDLE) vc_buffer_put_text(out, " text-anchor=\"middle\"");
    if (shape->anchor == VC_ANCHOR_END) vc_buffer_put_text(out, " text-anchor=\"end\"");
    put_number(out, "font-size", shape->size);
    if (shape->is_bold) vc_buffer_put_text(out, " font-weight=\"bold\"");
    put_colour(out, "fill", shape->fill);
    vc_buffer_put_char(out, '>');
    put_escaped(out, shape->text);
    vc_buffer_put_text(out, "</text>");
}

static void put_shape(vc_buffer *out, const vc_shape *shape, const group *within)
{
    static const char *const names[] = {[VC_SHAPE_RECTANGLE] = "rect",
                                        [VC_SHAPE_LINE] = "line",
                                        [VC_SHAPE_AREA] = "path",
                                        [VC_SHAPE_CIRCLE] = "circle",
                                        [VC_SHAPE_TEXT] = "text"};
    const char *name = names[shape->kind];
    switch (shape->kind) {
    case VC_SHAPE_TEXT: put_text(out, shape); return;
    case VC_SHAPE_RECTANGLE:
        vc_buffer_put_text(out, "<rect");
        put_number(out, "x", shape->points[0]);
        put_number(out, "y", shape->points[1]);
        put_number(out, "width", shape->points[2]);
        put_number(out, "height", shape->points[3]);
        break;
    case VC_SHAPE_CIRCLE:
        vc_buffer_put_text(out, "<circle");
        put_number(out, "cx", shape->points[0]);
        put_number(out, "cy", shape->points[1]);
        put_number(out, "r", shape->points[2]);
        break;
    case VC_SHAPE_LINE:
        put_line(out, shape);
        if (shape->npoints != 4) name = "path";
        break;
    case VC_SHAPE_AREA: put_path(out, shape); break;
    }
    if (!within->has_fill) put_fill(out, shape);
    if (!within->has_stroke) put_stroke(out, shape);
    if (shape->text.size == 0) {
        vc_buffer_put_text(out, "/>");
        return;
    }
    vc_buffer_put_text(out, "><title>");
    put_escaped(out, shape->text);
    vc_buffer_put_text(out, "</title></");
    vc_buffer_put_text(out, name);
    vc_buffer_put_char(out, '>');
}

/* The first sentence of the alternative is the picture's name, the rest its description. */
static size_t end_of_sentence(vc_str alternative)
{
    size_t end = 0;
    while (end < alternative.size && !(alternative.data[end] == '.' && end + 1 < alternative.size &&
                                       alternative.data[end + 1] == ' '))
        end++;
    return end < alternative.size ? end + 1 : end;
}

static void put_alternative(vc_buffer *out, vc_str alternative, vc_str id_prefix)
{
    size_t end = end_of_sentence(alternative);
    vc_str name = {.data = alternative.data, .size = end};
    vc_str rest = {.data = alternative.data + end, .size = alternative.size - end};
    vc_buffer_put_text(out, "<title id=\"");
    put_escaped(out, id_prefix);
    vc_buffer_put_text(out, "-title\">");
    put_escaped(out, name.size > 0 ? name : VC_STR("Chart"));
    vc_buffer_put_text(out, "</title>");
    if (rest.size == 0) return;
    vc_buffer_put_text(out, "<desc id=\"");
    put_escaped(out, id_prefix);
    vc_buffer_put_text(out, "-desc\">");
    put_escaped(out, vc_str_trim(rest));
    vc_buffer_put_text(out, "</desc>");
}

static bool has_outline(const vc_shape *shape)
{
    return (shape->kind == VC_SHAPE_AREA || shape->kind == VC_SHAPE_CIRCLE) &&
           shape->stroke != VC_NO_COLOUR && !shape->is_dashed;
}

/* Areas and circles of one outline, from a shape on. */
static group find_group(const vc_picture *picture, size_t first)
{
    enum { FEWEST = 3 };
    const vc_shape *shapes = picture->shapes;
    group found = {.end = first, .has_stroke = true, .has_fill = true};
    while (found.end < picture->nshapes && has_outline(&shapes[found.end]) &&
           shapes[found.end].stroke == shapes[first].stroke &&
           shapes[found.end].stroke_width == shapes[first].stroke_width) {
        found.has_fill &= shapes[found.end].fill == shapes[first].fill;
        found.end++;
    }
    return found.end - first >= FEWEST ? found : (group){.end = first + 1};
}

static void put_shapes(vc_buffer *out, const vc_picture *picture)
{
    for (size_t i = 0; i < picture->nshapes;) {
        group within = find_group(picture, i);
        if (within.has_stroke) {
            vc_buffer_put_text(out, "<g");
            if (within.has_fill) put_fill(out, &picture->shapes[i]);
            put_stroke(out, &picture->shapes[i]);
            vc_buffer_put_char(out, '>');
        }
        for (; i < within.end; i++)
            put_shape(out, &picture->shapes[i], &within);
        if (within.has_stroke) vc_buffer_put_text(out, "</g>");
    }
}

void vc_picture_put_svg(const vc_picture *picture, vc_str id_prefix, vc_buffer *out)
{
    vc_buffer_put_text(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
                            "aria-labelledby=\"");
    put_escaped(out, id_prefix);
    vc_buffer_put_text(out, "-title\"");
    if (end_of_sentence(picture->alternative) < picture->alternative.size) {
        vc_buffer_put_text(out, " aria-describedby=\"");
        put_escaped(out, id_prefix);
        vc_buffer_put_text(out, "-desc\"");
    }
    vc_buffer_put_text(out, " viewBox=\"0 0 ");
    put_tenths(out, tenths(picture->width));
    put_next(out, tenths(picture->height));
    vc_buffer_put_text(out, "\" width=\"");
    put_tenths(out, tenths(picture->width));
    vc_buffer_put_text(out, "pt\" height=\"");
    put_tenths(out, tenths(picture->height));
    vc_buffer_put_text(out, "pt\">");
    put_alternative(out, picture->alternative, id_prefix);
    vc_buffer_put_text(out, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
    put_shapes(out, picture);
    vc_buffer_put_text(out, "</svg>");
}
