#include "pictures.h"

#include "markup.h"

#include "report/writers.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include <utf8proc.h>

static void check_inside(const vc_picture *picture, size_t index, float x, float y)
{
    const float tolerance = 0.6F;
    cr_assert(isfinite(x) && isfinite(y), "shape %zu: %g, %g", index, x, y);
    cr_assert(x >= -tolerance && x <= picture->width + tolerance && y >= -tolerance &&
                  y <= picture->height + tolerance,
              "shape %zu (of kind %d: %.*s) at %g, %g is outside of %g x %g", index,
              picture->shapes[index].kind, VC_FMT(picture->shapes[index].text), x, y,
              picture->width, picture->height);
}

static void check_text(const vc_picture *picture, size_t index)
{
    const vc_shape *shape = &picture->shapes[index];
    float width = vc_picture_text_width(shape->text, shape->size, shape->is_bold);
    cr_assert(utf8proc_decompose((const utf8proc_uint8_t *)shape->text.data,
                                 (utf8proc_ssize_t)shape->text.size, NULL, 0, 0) >= 0);
    cr_assert(memchr(shape->text.data, '\n', shape->text.size) == NULL);
    if (shape->is_vertical) return;
    float left = shape->points[0] - (shape->anchor == VC_ANCHOR_START ? 0
                                     : shape->anchor == VC_ANCHOR_END ? width
                                                                      : width / 2);
    check_inside(picture, index, left, shape->points[1]);
    check_inside(picture, index, left + width, shape->points[1]);
}

static void check_shape(const vc_picture *picture, size_t index)
{
    const vc_shape *shape = &picture->shapes[index];
    const float *points = shape->points;
    switch (shape->kind) {
    case VC_SHAPE_RECTANGLE:
        cr_assert(shape->npoints == 4 && points[2] >= 0 && points[3] >= 0);
        check_inside(picture, index, points[0], points[1]);
        check_inside(picture, index, points[0] + points[2], points[1] + points[3]);
        break;
    case VC_SHAPE_CIRCLE:
        cr_assert(shape->npoints == 3 && points[2] >= 0);
        check_inside(picture, index, points[0], points[1]);
        break;
    case VC_SHAPE_LINE:
    case VC_SHAPE_AREA:
        cr_assert(shape->npoints >= 4 && shape->npoints % 2 == 0);
        for (size_t i = 0; i < shape->npoints; i += 2)
            check_inside(picture, index, points[i], points[i + 1]);
        break;
    case VC_SHAPE_TEXT: check_text(picture, index); break;
    }
}

vc_picture draw_checked(const vc_chart *chart, float width, vc_arena *arena)
{
    vc_picture picture, again;
    vc_error error = {0};
    vc_buffer one = {0}, other = {0};
    cr_assert_eq(vc_chart_draw(chart, width, arena, &picture, &error), VC_OK, "%s", error.message);
    cr_assert_eq(vc_chart_draw(chart, width, arena, &again, &error), VC_OK);
    for (size_t i = 0; i < picture.nshapes; i++)
        check_shape(&picture, i);
    vc_picture_put_svg(&picture, VC_STR("a"), &one);
    vc_picture_put_svg(&again, VC_STR("a"), &other);
    cr_assert(one.size == other.size && memcmp(one.data, other.data, one.size) == 0);
    assert_well_formed("picture", (vc_str){.data = one.data, .size = one.size});
    vc_buffer_release(&one);
    vc_buffer_release(&other);
    return picture;
}

const vc_shape *find_shape(const vc_picture *picture, vc_shape_kind kind, const char *text)
{
    for (size_t i = 0; i < picture->nshapes; i++)
        if (picture->shapes[i].kind == kind &&
            vc_str_starts_with(picture->shapes[i].text, vc_str_of(text)))
            return &picture->shapes[i];
    return NULL;
}

size_t count_shapes(const vc_picture *picture, vc_shape_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < picture->nshapes; i++)
        count += picture->shapes[i].kind == kind;
    return count;
}
