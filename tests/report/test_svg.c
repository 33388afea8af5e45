#include "markup.h"

#include "report/writers.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static const char *svg_of(const vc_shape *shapes, size_t nshapes, const char *alternative)
{
    static vc_buffer out;
    vc_picture picture = {.width = 100,
                          .height = 50.5F,
                          .shapes = shapes,
                          .nshapes = nshapes,
                          .alternative = vc_str_of(alternative)};
    vc_buffer_clear(&out);
    vc_picture_put_svg(&picture, VC_STR("p"), &out);
    assert_well_formed("svg", (vc_str){.data = out.data, .size = out.size});
    return vc_buffer_text(&out);
}

#define HEAD_OF(rest)                                                                              \
    "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"p-title\"" rest      \
    " viewBox=\"0 0 100 50.5\" width=\"100pt\" height=\"50.5pt\">"
#define HEAD   HEAD_OF("")
#define GROUND "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"

Test(svg, of_each_shape)
{
    static const float box[] = {1, 2.25F, 30.04F, 0.06F}, line[] = {0, 0, -0.5F, 10};
    static const float way[] = {0, 0, 0.5F, 10, 0.52F, 10.01F, 20, 9}, circle[] = {5, 5, 2.5F};
    static const float area[] = {0, 0, 10, 0, 10, 10, 2, 2, 3, 2, 3, 3}, place[] = {7, 8};
    static const uint32_t rings[] = {3, 3};
    vc_shape none = {.fill = VC_NO_COLOUR, .stroke = VC_NO_COLOUR};
    vc_shape shapes[7];
    for (size_t i = 0; i < 7; i++)
        shapes[i] = none;
    shapes[0] = (vc_shape){VC_SHAPE_RECTANGLE, .points = box, .npoints = 4, .fill = 0x112233};
    shapes[0].stroke = VC_NO_COLOUR;
    shapes[0].text = VC_STR("a < b & \"c\"");
    shapes[1] = (vc_shape){VC_SHAPE_LINE, .points = line, .npoints = 4, .stroke = 0xDDDDDE};
    shapes[1].fill = VC_NO_COLOUR;
    shapes[1].stroke_width = 0.5F;
    shapes[1].is_dashed = true;
    shapes[2] =
        (vc_shape){VC_SHAPE_LINE, .points = way, .npoints = 8, .stroke = 0, .stroke_width = 1};
    shapes[2].fill = VC_NO_COLOUR;
    shapes[3] = (vc_shape){VC_SHAPE_CIRCLE, .points = circle, .npoints = 3, .fill = 0xFFFFFF};
    shapes[3].stroke = VC_NO_COLOUR;
    shapes[4] = (vc_shape){VC_SHAPE_AREA, .points = area, .npoints = 12, .fill = 0xFF0000};
    shapes[4].rings = rings;
    shapes[4].nrings = 2;
    shapes[4].stroke = VC_NO_COLOUR;
    shapes[5] = (vc_shape){VC_SHAPE_TEXT, .points = place, .npoints = 2, .fill = 0x123456};
    shapes[5].text = VC_STR("</text>");
    shapes[5].size = 9;
    shapes[5].anchor = VC_ANCHOR_END;
    shapes[5].is_bold = true;
    shapes[6] = shapes[5];
    shapes[6].text = VC_STR("up\x01");
    shapes[6].is_vertical = true;
    shapes[6].anchor = VC_ANCHOR_START;
    shapes[6].is_bold = false;
    cr_assert(
        eq(str, (char *)svg_of(shapes, 7, "What one sees. And more."),
           HEAD_OF(
               " aria-describedby=\"p-desc\"") "<title id=\"p-title\">What one sees.</title><desc "
                                               "id=\"p-desc\">And more.</desc>" GROUND
                                               "<rect x=\"1\" y=\"2.3\" width=\"30\" height=\".1\" "
                                               "fill=\"#123\">"
                                               "<title>a &lt; b &amp; &quot;c&quot;</title></rect>"
                                               "<line x1=\"0\" y1=\"0\" x2=\"-.5\" y2=\"10\" "
                                               "stroke=\"#ddddde\" stroke-width=\".5\" "
                                               "stroke-dasharray=\"4 3\"/>"
                                               "<path d=\"M0 0l.5 10 19.5-1\" "
                                               "stroke-linejoin=\"round\" fill=\"none\" "
                                               "stroke=\"#000\"/>"
                                               "<circle cx=\"5\" cy=\"5\" r=\"2.5\" fill=\"#fff\"/>"
                                               "<path d=\"M0 0l10 0 0 10zM2 2l1 0 0 1z\" "
                                               "fill-rule=\"evenodd\" fill=\"#f00\"/>"
                                               "<text x=\"7\" y=\"8\" text-anchor=\"end\" "
                                               "font-size=\"9\" font-weight=\"bold\" "
                                               "fill=\"#123456\">&lt;/text&gt;</text>"
                                               "<text transform=\"translate(7 8)rotate(-90)\" "
                                               "font-size=\"9\" fill=\"#123456\">"
                                               "up\xEF\xBF\xBD</text></svg>"));
}

Test(svg, has_a_name_in_any_case)
{
    cr_assert(eq(str, (char *)svg_of(NULL, 0, NULL),
                 HEAD "<title id=\"p-title\">Chart</title>" GROUND "</svg>"));
    cr_assert(eq(str, (char *)svg_of(NULL, 0, "No full stop <i>"),
                 HEAD "<title id=\"p-title\">No full stop &lt;i&gt;</title>" GROUND "</svg>"));
}

#define ONE "<circle cx=\"5\" cy=\"5\" r=\"2\"/>"

/* What neighbours have in common is said once. */
Test(svg, of_many_alike)
{
    static const float circle[] = {5, 5, 2};
    vc_shape shapes[4];
    for (size_t i = 0; i < 4; i++)
        shapes[i] = (vc_shape){.kind = VC_SHAPE_CIRCLE,
                               .points = circle,
                               .npoints = 3,
                               .fill = 0xABCDEF,
                               .stroke = 0x101010,
                               .stroke_width = 0.3F};
    shapes[3].stroke = 0x202020;
    const char expected[] =
        HEAD "<title id=\"p-title\">A.</title>" GROUND
             "<g fill=\"#abcdef\" stroke=\"#101010\" stroke-width=\".3\">" ONE ONE ONE "</g>"
             "<circle cx=\"5\" cy=\"5\" r=\"2\" fill=\"#abcdef\" stroke=\"#202020\" "
             "stroke-width=\".3\"/></svg>";
    cr_assert(eq(str, (char *)svg_of(shapes, 4, "A."), (char *)expected));
    shapes[1].fill = 0x123456;
    cr_assert(strstr(svg_of(shapes, 4, "A."),
                     "<g stroke=\"#101010\" stroke-width=\".3\"><circle cx=\"5\" cy=\"5\" r=\"2\" "
                     "fill=\"#abcdef\"/>") != NULL);
}
