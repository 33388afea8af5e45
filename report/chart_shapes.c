#include "report/chart_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Thousandths of the size, of the characters from the space to the tilde: letters and digits as
 * wide as those of Helvetica ("core 14" AFM files; Arial and Liberation Sans have the same), other
 * signs as those of DejaVu, where they are wider. */
static const uint16_t widths[] = {
    278, 355, 405, 740, 560, 890, 667, 191, 345, 345, 440, 740, 278, 335,  280, 300, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 300, 300, 740, 740, 740, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 345, 300, 345, 740, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 560, 340, 560, 740};

static double width_of(utf8proc_int32_t character)
{
    if (character >= ' ' && character <= '~') return widths[character - ' '];
    switch (utf8proc_charwidth(character)) {
    case 0: return 0;
    case 1: return 620;
    default: return 1000;
    }
}

/* The next character of valid UTF-8; bytes that are not count as one each. */
static utf8proc_int32_t next_character(vc_str text, size_t *at)
{
    utf8proc_int32_t character;
    utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)text.data + *at,
                                             (utf8proc_ssize_t)(text.size - *at), &character);
    *at += size > 0 ? (size_t)size : 1;
    return size > 0 ? character : '?';
}

/* Fonts of pages are a little wider than Helvetica, most of all DejaVu. */
static double scale_of(double size, bool is_bold)
{
    return size / 1000 * (is_bold ? 1.25 : 1.14);
}

float vc_picture_text_width(vc_str text, float size, bool is_bold)
{
    double width = 0;
    for (size_t at = 0; at < text.size;)
        width += width_of(next_character(text, &at));
    return (float)(width * scale_of(size, is_bold));
}

vc_str vc_draw_fit(vc_drawing *drawing, vc_str text, double size, bool is_bold, double width)
{
    if (vc_picture_text_width(text, (float)size, is_bold) <= width) return text;
    double room = width / scale_of(size, is_bold) - 1000; /* for the ellipsis */
    size_t end = 0;
    for (size_t at = 0; at < text.size;) {
        double next = width_of(next_character(text, &at));
        room -= next;
        if (room < 0 && next > 0) break; /* what has no width goes with what is before it */
        end = at;
    }
    while (end > 0 && text.data[end - 1] == ' ')
        end--;
    return vc_draw_printf(drawing, "%.*s\xE2\x80\xA6", (int)end, text.data);
}

/* Its beginning and its end around an ellipsis: for texts that begin alike. */
static vc_str fit_ends(vc_drawing *drawing, vc_str text, double size, bool is_bold, double width)
{
    double room = (width / scale_of(size, is_bold) - 1000) / 2, left = room, right = room;
    size_t end = 0, begin = text.size;
    for (size_t at = 0; at < text.size;) {
        double next = width_of(next_character(text, &at));
        if (left - next < 0 && next > 0) break;
        left -= next;
        end = at;
    }
    /* Backwards by characters; one without width stays with what it stands on. */
    for (size_t at = text.size; at > end;) {
        size_t first = at - 1, after;
        while (first > end && ((unsigned char)text.data[first] & 0xC0) == 0x80)
            first--;
        after = first;
        double next = width_of(next_character(text, &after));
        if (right - next < 0) break;
        right -= next;
        at = first;
        if (next > 0) begin = first;
    }
    return vc_draw_printf(drawing, "%.*s\xE2\x80\xA6%.*s", (int)end, text.data,
                          (int)(text.size - begin), text.data + begin);
}

static int compare_texts(const void *a, const void *b)
{
    return vc_str_compare(*(const vc_str *)a, *(const vc_str *)b);
}

/* How many different ones. The texts are sorted. */
static size_t count_different(vc_str *texts, size_t count)
{
    size_t ndifferent = count > 0;
    qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 1; i < count; i++)
        ndifferent += !vc_str_equal(texts[i], texts[i - 1]);
    return ndifferent;
}

const vc_str *vc_draw_fit_all(vc_drawing *drawing, const vc_str *texts, size_t count,
                              vc_text_style style, double width)
{
    vc_str *fitted = VC_ARENA_NEW(drawing->arena, vc_str, count);
    vc_str *sorted = VC_ARENA_NEW(drawing->arena, vc_str, count);
    if (fitted == NULL || sorted == NULL) {
        drawing->failed = true;
        return texts;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = fitted[i] = vc_draw_fit(drawing, texts[i], style.size, style.is_bold, width);
    size_t nfitted = count_different(sorted, count);
    if (count > 0) memcpy(sorted, texts, count * sizeof *texts);
    if (nfitted == count_different(sorted, count)) return fitted;
    for (size_t i = 0; i < count; i++)
        if (!vc_str_equal(fitted[i], texts[i]))
            fitted[i] = fit_ends(drawing, texts[i], style.size, style.is_bold, width);
    return fitted;
}

static bool is_mark_of_direction(utf8proc_int32_t character)
{
    return (character >= 0x202A && character <= 0x202E) ||
           (character >= 0x2066 && character <= 0x2069);
}

static bool is_clean(utf8proc_int32_t character)
{
    return character >= ' ' && !(character >= 0x7F && character < 0xA0) && character != 0x2028 &&
           character != 0x2029 && !is_mark_of_direction(character);
}

vc_str vc_draw_clean(vc_drawing *drawing, vc_str text)
{
    size_t at = 0, last = 0;
    while (at < text.size && is_clean(next_character(text, &at)))
        last = at;
    if (last == text.size) return text;

    vc_buffer clean = {0};
    for (at = 0; at < text.size;) {
        size_t first = at;
        utf8proc_int32_t character = next_character(text, &at);
        if (is_clean(character))
            vc_buffer_put(&clean, text.data + first, at - first);
        else if (!is_mark_of_direction(character))
            vc_buffer_put_char(&clean, ' ');
    }
    vc_str copy =
        vc_draw_printf(drawing, "%.*s", (int)clean.size, clean.size > 0 ? clean.data : "");
    drawing->failed |= clean.failed;
    vc_buffer_release(&clean);
    return copy;
}

vc_str vc_draw_scratch(vc_drawing *drawing)
{
    vc_buffer *scratch = &drawing->scratch;
    vc_str text =
        vc_arena_str(drawing->arena, (vc_str){.data = scratch->size > 0 ? scratch->data : "",
                                              .size = scratch->size});
    if (text.data == NULL || scratch->failed) {
        drawing->failed = true;
        text = VC_STR("");
    }
    vc_buffer_clear(scratch);
    return vc_draw_clean(drawing, text);
}

vc_str vc_draw_printf(vc_drawing *drawing, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int size = vsnprintf(NULL, 0, format, list);
    va_end(list);
    char *text = size < 0 ? NULL : vc_arena_alloc(drawing->arena, (size_t)size + 1);
    if (text != NULL) vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    drawing->failed |= text == NULL;
    return text == NULL ? VC_STR("") : (vc_str){.data = text, .size = (size_t)size};
}

void vc_draw_note(vc_drawing *drawing, vc_str sentence)
{
    vc_str *note = VC_LIST_NEW(&drawing->notes, drawing->arena, vc_str);
    if (note == NULL)
        drawing->failed = true;
    else
        *note = sentence;
}

vc_shape *vc_draw_path(vc_drawing *drawing, vc_shape_kind kind, size_t npoints, float **points_out)
{
    vc_shape *shape = VC_LIST_NEW(&drawing->shapes, drawing->arena, vc_shape);
    float *points = VC_ARENA_NEW(drawing->arena, float, npoints);
    if (shape == NULL || points == NULL) {
        /* An empty shape may stay behind: nobody sees a picture that failed. */
        drawing->failed = true;
        return NULL;
    }
    *shape = (vc_shape){.kind = kind,
                        .points = points,
                        .npoints = npoints,
                        .fill = VC_NO_COLOUR,
                        .stroke = VC_NO_COLOUR};
    *points_out = points;
    return shape;
}

void vc_draw_rectangle(vc_drawing *drawing, vc_box box, uint32_t fill, vc_str tip)
{
    float *points;
    vc_shape *shape = vc_draw_path(drawing, VC_SHAPE_RECTANGLE, 4, &points);
    if (shape == NULL) return;
    points[0] = (float)fmin(box.left, box.right);
    points[1] = (float)fmin(box.top, box.bottom);
    points[2] = (float)fabs(box.right - box.left);
    points[3] = (float)fabs(box.bottom - box.top);
    shape->fill = fill;
    shape->text = tip;
}

void vc_draw_line(vc_drawing *drawing, double x, double y, double x2, double y2, uint32_t colour,
                  double width)
{
    float *points;
    vc_shape *shape = vc_draw_path(drawing, VC_SHAPE_LINE, 4, &points);
    if (shape == NULL) return;
    points[0] = (float)x, points[1] = (float)y;
    points[2] = (float)x2, points[3] = (float)y2;
    shape->stroke = colour;
    shape->stroke_width = (float)width;
}

void vc_draw_circle(vc_drawing *drawing, double x, double y, double radius, uint32_t fill,
                    uint32_t stroke, vc_str tip)
{
    float *points;
    vc_shape *shape = vc_draw_path(drawing, VC_SHAPE_CIRCLE, 3, &points);
    if (shape == NULL) return;
    points[0] = (float)x, points[1] = (float)y, points[2] = (float)radius;
    shape->fill = fill;
    shape->stroke = stroke;
    shape->stroke_width = stroke == VC_NO_COLOUR ? 0 : 0.5F;
    shape->text = tip;
}

void vc_draw_text(vc_drawing *drawing, double x, double y, vc_str text, vc_text_style style)
{
    if (text.size == 0) return;
    float *points;
    vc_shape *shape = vc_draw_path(drawing, VC_SHAPE_TEXT, 2, &points);
    if (shape == NULL) return;
    points[0] = (float)x, points[1] = (float)y;
    shape->fill = style.colour;
    shape->text = text;
    shape->size = (float)style.size;
    shape->anchor = style.anchor;
    shape->is_bold = style.is_bold;
    shape->is_vertical = style.is_vertical;
}
