/* Scatter charts, heat maps and maps. */
#include "making.h"
#include "pictures.h"

#include "report/map.h"
#include "report/writers.h"

#include <criterion/criterion.h>
#include <math.h>

static vc_arena arena;

static void release(void)
{
    vc_arena_release(&arena);
}

TestSuite(chart_kinds, .fini = release);

static vc_chart *chart_of(vc_chart_kind kind, making *made)
{
    vc_document *document = make_document(&arena, "A chart", NULL);
    return make_chart(&arena, document, "chart", "A chart", kind, make_done(made), "A chart.");
}

static making make_rows(size_t nrows, size_t ncolumns)
{
    making made = make_grid(
        &arena, "Things",
        (making_size){.nrows = nrows, .ncolumns = ncolumns, .nhead_columns = 1, .nhead_rows = 1});
    made.corners[0] = VC_STR("Thing");
    make_measure(&made, "Weight", "kg", VC_VALUE_FLOAT, 0, "#,##0.0");
    for (size_t row = 0; row < nrows; row++)
        make_row(&made, row, 0, NULL, vc_arena_printf(&arena, "Row %zu", row).data);
    for (size_t column = 0; column < ncolumns; column++)
        make_column(&made, 0, column, NULL, vc_arena_printf(&arena, "Column %zu", column).data);
    return made;
}

/* ---- scatter ---- */

Test(chart_kinds, areas_of_points_are_their_sizes)
{
    making made = make_rows(3, 3);
    static const double sizes[] = {100, 25, 64};
    for (size_t row = 0; row < 3; row++) {
        make_value(&made, row, 0, (double)row);
        make_value(&made, row, 1, (double)row * 2);
        make_value(&made, row, 2, sizes[row]);
    }
    vc_picture picture = draw_checked(chart_of(VC_CHART_SCATTER, &made), 500, &arena);
    float radius = find_shape(&picture, VC_SHAPE_CIRCLE, "Row 0:")->points[2];
    for (size_t row = 0; row < 3; row++) {
        const char *tip = vc_arena_printf(&arena, "Row %zu:", row).data;
        const vc_shape *point = find_shape(&picture, VC_SHAPE_CIRCLE, tip);
        cr_assert_float_eq(point->points[2] * point->points[2], radius * radius * sizes[row] / 100,
                           1e-3);
    }
}

/* Equal steps of the numbers are equal steps in the picture, and up is more. */
Test(chart_kinds, points_are_where_their_numbers_are)
{
    making made = make_rows(4, 2);
    for (size_t row = 0; row < 3; row++) {
        make_value(&made, row, 0, 10 + 5 * (double)row);
        make_value(&made, row, 1, -4 + 2 * (double)row);
    }
    make_value(&made, 3, 0, 1);
    make_null(&made, 3, 1, VC_REASON_UNMATCHED);
    vc_picture picture = draw_checked(chart_of(VC_CHART_SCATTER, &made), 500, &arena);
    const float *points[3];
    for (size_t row = 0; row < 3; row++)
        points[row] =
            find_shape(&picture, VC_SHAPE_CIRCLE, vc_arena_printf(&arena, "Row %zu:", row).data)
                ->points;
    cr_assert_float_eq(points[2][0] - points[1][0], points[1][0] - points[0][0], 0.01);
    cr_assert_float_eq(points[2][1] - points[1][1], points[1][1] - points[0][1], 0.01);
    cr_assert(points[1][0] > points[0][0] && points[1][1] < points[0][1]);
    cr_assert(find_shape(&picture, VC_SHAPE_CIRCLE, "Row 3") == NULL);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "1 point is not shown") != NULL);
}

/* ---- heat ---- */

Test(chart_kinds, fields_have_the_colours_of_the_measure)
{
    making made = make_rows(2, 2);
    static const double values[] = {0, 5, 10, 10};
    static const vc_colour_rule rules[] = {{VC_OP_GE, 8, 0x123456}, {VC_OP_LT, 3, 0xFEDCBA}};
    made.measures[0].colouring =
        (vc_colouring){.kind = VC_COLOURING_RULES, .rules = rules, .nrules = 2};
    for (size_t i = 0; i < 3; i++)
        make_value(&made, i / 2, i % 2, values[i]);
    make_null(&made, 1, 1, VC_REASON_EMPTY);
    vc_picture picture = draw_checked(chart_of(VC_CHART_HEAT, &made), 400, &arena);
    size_t fields[4] = {0};
    const uint32_t fills[4] = {0x123456, 0xFEDCBA, 0xFFFFFF, 0xE3E3E3};
    for (size_t i = 0; i < picture.nshapes; i++)
        for (size_t k = 0; k < 4; k++)
            fields[k] += picture.shapes[i].kind == VC_SHAPE_RECTANGLE &&
                         picture.shapes[i].points[2] > 50 && picture.shapes[i].fill == fills[k];
    for (size_t k = 0; k < 4; k++)
        cr_assert_eq(fields[k], 1, "%06x: %zu", fills[k], fields[k]);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "no value") != NULL);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "\xE2\x89\xA5 8") != NULL);
}

/* ---- maps ---- */

static vc_chart *map_of(making *made, const vc_str *codes)
{
    vc_chart *chart = chart_of(VC_CHART_MAP, made);
    chart->codes = codes;
    return chart;
}

Test(chart_kinds, a_map_tells_what_is_not_on_it)
{
    static const vc_str codes[] = {VC_STR("FRA"), VC_STR("ATA"), {0}, VC_STR("FRA"), VC_STR("LIE")};
    making made = make_rows(5, 1);
    for (size_t row = 0; row < 5; row++)
        make_value(&made, row, 0, (double)row + 1);
    make_null(&made, 4, 0, VC_REASON_NULL);
    vc_picture picture = draw_checked(map_of(&made, codes), 500, &arena);
    const vc_shape *france = find_shape(&picture, VC_SHAPE_AREA, "Row 0, Column 0: 1.0 kg");
    cr_assert(france != NULL);
    cr_assert_neq(france->fill, 0xE3E3E3);
    const vc_shape *small = find_shape(&picture, VC_SHAPE_CIRCLE, "Row 4: ");
    cr_assert(small != NULL);
    cr_assert_eq(small->fill, 0xE3E3E3);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "2 rows are not on the map: Row 1, Row 2.") !=
              NULL);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT,
                         "1 row is of a country that is on the map already") != NULL);
}

/* All countries: each is seen, and small enough for two hundred files a second. */
Test(chart_kinds, a_map_of_the_world)
{
    making made = make_rows(vc_map_ncountries, 1);
    vc_str *codes = VC_ARENA_NEW(&arena, vc_str, vc_map_ncountries);
    for (size_t row = 0; row < vc_map_ncountries; row++) {
        codes[row] = vc_str_of(vc_map_countries[row].code);
        make_value(&made, row, 0, pow(1.09, (double)(row * 37 % 249)));
    }
    vc_picture picture = draw_checked(map_of(&made, codes), 540, &arena);
    vc_buffer out = {0};
    for (size_t row = 0; row < vc_map_ncountries; row++) {
        const char *tip = vc_arena_printf(&arena, "Row %zu, ", row).data;
        cr_assert(find_shape(&picture, VC_SHAPE_AREA, tip) != NULL ||
                      find_shape(&picture, VC_SHAPE_CIRCLE, tip) != NULL,
                  "%s", vc_map_countries[row].code);
    }
    vc_picture_put_svg(&picture, VC_STR("a"), &out);
    cr_assert_lt(out.size, 60000, "%zu", out.size);
    vc_buffer_release(&out);
}
