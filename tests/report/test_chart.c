#include "fixtures.h"
#include "making.h"
#include "pictures.h"
#include "writing.h"

#include "report/palette.h"
#include "report/writers.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static vc_arena arena;

static void release(void)
{
    vc_arena_release(&arena);
}

TestSuite(chart, .fini = release);

/* Whatever the chart and however narrow: shapes are inside, finite and the same each time. */
Test(chart, of_every_fixture)
{
    static const float widths[] = {0, 150, 360, 520, 1000};
    for (size_t i = 0; fixture_names[i] != NULL; i++) {
        const vc_document *document = fixture_document(fixture_names[i], &arena);
        for (size_t s = 0; s < document->nsections; s++)
            for (size_t w = 0; document->sections[s].chart != NULL && w < 5; w++) {
                vc_picture picture = draw_checked(document->sections[s].chart, widths[w], &arena);
                cr_assert(picture.nshapes > 0, "%s", fixture_names[i]);
            }
    }
}

static vc_chart *chart_of(vc_chart_kind kind, making *made)
{
    vc_document *document = make_document(&arena, "A chart", NULL);
    return make_chart(&arena, document, "chart", "A chart", kind, make_done(made), "A chart.");
}

static making make_rows(size_t nrows, size_t ncolumns, const char *pattern)
{
    making made = make_grid(
        &arena, "Things",
        (making_size){.nrows = nrows, .ncolumns = ncolumns, .nhead_columns = 1, .nhead_rows = 1});
    made.corners[0] = VC_STR("Thing");
    make_measure(&made, "Weight", "kg", VC_VALUE_FLOAT, 0, pattern);
    for (size_t row = 0; row < nrows; row++)
        make_row(&made, row, 0, NULL, vc_arena_printf(&arena, "Row %zu", row).data);
    for (size_t column = 0; column < ncolumns; column++)
        make_column(&made, 0, column, NULL, vc_arena_printf(&arena, "Column %zu", column).data);
    return made;
}

static double length_of(const vc_picture *picture, const char *tip, bool is_lying)
{
    const vc_shape *bar = find_shape(picture, VC_SHAPE_RECTANGLE, tip);
    cr_assert(bar != NULL, "no bar for %s", tip);
    return bar->points[is_lying ? 2 : 3];
}

/* The length of a bar is its value. */
Test(chart, bars_are_as_long_as_their_values)
{
    static const double values[] = {1, 2.5, -4, 100, 0.5};
    for (int is_lying = 0; is_lying < 2; is_lying++) {
        making made = make_rows(5, 1, "0.0");
        for (size_t row = 0; row < 5; row++)
            make_value(&made, row, 0, values[row]);
        vc_chart *chart = chart_of(VC_CHART_BAR, &made);
        chart->is_horizontal = is_lying;
        vc_picture picture = draw_checked(chart, 500, &arena);
        double each = length_of(&picture, "Row 3", is_lying) / 100;
        for (size_t row = 0; row < 5; row++) {
            const char *tip = vc_arena_printf(&arena, "Row %zu", row).data;
            cr_assert_float_eq(length_of(&picture, tip, is_lying), each * fabs(values[row]), 0.01,
                               "%s", tip);
        }
    }
}

Test(chart, a_null_is_no_bar)
{
    making made = make_rows(2, 1, "0.0");
    make_value(&made, 0, 0, 7);
    make_null(&made, 1, 0, VC_REASON_EMPTY);
    vc_picture picture = draw_checked(chart_of(VC_CHART_BAR, &made), 500, &arena);
    cr_assert(find_shape(&picture, VC_SHAPE_RECTANGLE, "Row 0") != NULL);
    cr_assert(find_shape(&picture, VC_SHAPE_RECTANGLE, "Row 1") == NULL);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "\xE2\x80\x93") != NULL);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "Without a value: ") != NULL);
}

/* A zero is a bar without length, and no dash. */
Test(chart, a_zero_is_a_value)
{
    making made = make_rows(2, 1, "0.0");
    make_value(&made, 0, 0, 7);
    make_value(&made, 1, 0, 0);
    vc_picture picture = draw_checked(chart_of(VC_CHART_BAR, &made), 500, &arena);
    cr_assert_float_eq(length_of(&picture, "Row 1", false), 0, 1e-6);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "\xE2\x80\x93") == NULL);
}

/* Positive pieces on top of each other, negative ones below. */
Test(chart, stacks_add_up)
{
    making made = make_rows(1, 4, "0.0");
    static const double values[] = {10, -5, 20, -1};
    for (size_t column = 0; column < 4; column++)
        make_value(&made, 0, column, values[column]);
    vc_picture picture = draw_checked(chart_of(VC_CHART_STACKED, &made), 500, &arena);
    const vc_shape *pieces[4];
    for (size_t i = 0; i < 4; i++)
        pieces[i] = find_shape(&picture, VC_SHAPE_RECTANGLE,
                               vc_arena_printf(&arena, "Row 0, Column %zu", i).data);
    double each = pieces[0]->points[3] / 10;
    for (size_t i = 0; i < 4; i++)
        cr_assert_float_eq(pieces[i]->points[3], each * fabs(values[i]), 0.01);
    cr_assert_float_eq(pieces[2]->points[1] + pieces[2]->points[3], pieces[0]->points[1], 0.01);
    cr_assert_float_eq(pieces[0]->points[1] + pieces[0]->points[3], pieces[1]->points[1], 0.01);
    cr_assert_float_eq(pieces[1]->points[1] + pieces[1]->points[3], pieces[3]->points[1], 0.01);
}

static size_t count_lines_of(const vc_picture *picture, uint32_t colour)
{
    size_t count = 0;
    for (size_t i = 0; i < picture->nshapes; i++)
        count += picture->shapes[i].kind == VC_SHAPE_LINE && picture->shapes[i].stroke == colour &&
                 picture->shapes[i].stroke_width > 1;
    return count;
}

/* A null parts a line; a point between two is a dot. */
Test(chart, lines_have_gaps)
{
    making made = make_rows(9, 1, "0.0");
    for (size_t row = 0; row < 9; row++)
        make_value(&made, row, 0, (double)row + 1);
    make_null(&made, 3, 0, VC_REASON_NULL);
    make_null(&made, 5, 0, VC_REASON_NULL);
    vc_picture picture = draw_checked(chart_of(VC_CHART_LINE, &made), 500, &arena);
    cr_assert_eq(count_lines_of(&picture, vc_colour_of_series(0)), 2);
    cr_assert(find_shape(&picture, VC_SHAPE_CIRCLE, "Row 4, Column 0: 5.0 kg") != NULL);
    cr_assert(find_shape(&picture, VC_SHAPE_CIRCLE, "Row 3") == NULL);
}

/* A month without a row is a gap, too: rows without any value are not in an answer. */
Test(chart, places_without_a_row_are_gaps)
{
    making made = make_rows(8, 1, "0.0");
    double *places = VC_ARENA_NEW(&arena, double, 8);
    for (size_t row = 0; row < 8; row++) {
        make_value(&made, row, 0, 5);
        places[row] = 2000 + (double)row + (row >= 5 ? 2 : 0);
    }
    made.grid->row_places = places;
    vc_picture picture = draw_checked(chart_of(VC_CHART_LINE, &made), 500, &arena);
    cr_assert_eq(count_lines_of(&picture, vc_colour_of_series(0)), 2);
}

/* The same for bars: they keep their distances. */
Test(chart, bars_have_gaps_where_years_are_missing)
{
    static const double years[] = {2000, 2001, 2004, 2005, 2006};
    making made = make_rows(5, 1, "0.0");
    for (size_t row = 0; row < 5; row++)
        make_value(&made, row, 0, 5);
    made.grid->row_places = years;
    vc_picture picture = draw_checked(chart_of(VC_CHART_BAR, &made), 500, &arena);
    double x[5];
    for (size_t row = 0; row < 5; row++)
        x[row] =
            find_shape(&picture, VC_SHAPE_RECTANGLE, vc_arena_printf(&arena, "Row %zu", row).data)
                ->points[0];
    for (size_t row = 1; row < 5; row++)
        cr_assert_float_eq(x[row] - x[row - 1], (x[1] - x[0]) * (years[row] - years[row - 1]), 0.1);
}

/* The largest eight have colours and names, the others are grey and counted. */
Test(chart, of_forty_series_eight_are_named)
{
    making made = make_rows(5, 40, "0.0");
    for (size_t row = 0; row < 5; row++)
        for (size_t column = 0; column < 40; column++)
            make_value(&made, row, column, (double)(column * 7 % 40) + 1);
    vc_picture picture = draw_checked(chart_of(VC_CHART_LINE, &made), 500, &arena);
    size_t ncoloured = 0;
    for (size_t i = 0; i < VC_NSERIES_COLOURS; i++)
        ncoloured += count_lines_of(&picture, vc_colour_of_series(i));
    cr_assert_eq(ncoloured, 8);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "Column 17") != NULL); /* 17 * 7 % 40 = 39 */
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "Column 0") == NULL);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "In grey: 32 others") != NULL);
}

Test(chart, logarithmic_axes_say_what_they_leave_out)
{
    making made = make_rows(4, 1, "#,##0");
    static const double values[] = {1, 100, 0, -3};
    for (size_t row = 0; row < 4; row++)
        make_value(&made, row, 0, values[row]);
    vc_chart *chart = chart_of(VC_CHART_LINE, &made);
    chart->is_logarithmic = true;
    vc_picture picture = draw_checked(chart, 500, &arena);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "2 values that are not above 0 are left out") !=
              NULL);
}

/* Numbers that break axes which are made carelessly. */
Test(chart, of_extreme_numbers)
{
    static const double values[][3] = {
        {1e300, 1, 0},
        {1e-300, 2e-300, 0},
        {-1.7e308, 1.7e308, 0},
        {5, 5, 5},
        {0, 0, 0},
        {-3, -3, -3},
        {1e15, 1e15 + 1, 1e15},
        {1e-9, 2e-9, 3e-9},
        {5e-324, 1e-320, 0},
        {-1e-5, -2, -1e9},
        {1.7e308, 1, 1},
        {0.1, 0.2, 0.3},
        {123456789, 1e12, 5},
        {-1e300, -1, -5},
    };
    static const vc_chart_kind kinds[] = {VC_CHART_LINE, VC_CHART_BAR, VC_CHART_STACKED,
                                          VC_CHART_HEAT, VC_CHART_SCATTER};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        for (size_t k = 0; k < 5; k++)
            for (int is_log = 0; is_log < 2; is_log++) {
                making made = make_rows(3, 2, i % 2 == 0 ? NULL : "#,##0.0");
                for (size_t row = 0; row < 3; row++) {
                    make_value(&made, row, 0, values[i][row]);
                    make_value(&made, row, 1, values[i][2 - row]);
                }
                vc_chart *chart = chart_of(kinds[k], &made);
                chart->is_logarithmic = is_log;
                draw_checked(chart, 400, &arena);
            }
}

Test(chart, says_that_there_is_nothing)
{
    making made = make_rows(0, 2, "0");
    vc_picture picture = draw_checked(chart_of(VC_CHART_LINE, &made), 400, &arena);
    cr_assert(find_shape(&picture, VC_SHAPE_TEXT, "No values to show") != NULL);
    cr_assert_eq(count_shapes(&picture, VC_SHAPE_LINE), 0);
}

/* Two units on one axis are said; a panel for each has an axis of its own. */
Test(chart, says_that_units_are_mixed)
{
    for (int has_panels = 0; has_panels < 2; has_panels++) {
        making made = make_rows(3, 2, "0.0");
        make_measure_column(&made, 0, 0, 0);
        make_measure_column(&made, 0, 1,
                            make_measure(&made, "Length", "m", VC_VALUE_FLOAT, 0, "0.0"));
        for (size_t row = 0; row < 3; row++)
            for (size_t column = 0; column < 2; column++)
                make_value(&made, row, column, column == 0 ? 5 : 5000 + (double)row);
        vc_chart *chart = chart_of(VC_CHART_BAR, &made);
        chart->has_panels = has_panels;
        vc_picture picture = draw_checked(chart, 500, &arena);
        cr_assert_eq(find_shape(&picture, VC_SHAPE_TEXT, "Numbers of different units") != NULL,
                     !has_panels);
        double length = length_of(&picture, "Row 0, Weight", false);
        cr_assert(has_panels ? length > 50 : length < 1, "%g", length);
    }
}

/* ---- goldens ---- */

/* Small pictures, looked at by eye: what changes in them is to be seen. */
Test(chart, goldens)
{
    static const char *const names[] = {"line", "time",    "gaps",    "log",      "panels", "bar",
                                        "long", "ranking", "stacked", "negative", "bubbles"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *name = vc_arena_printf(&arena, "chart-%s", names[i]).data;
        const vc_document *document = fixture_document(name, &arena);
        vc_picture picture = draw_checked(document->sections[0].chart, 520, &arena);
        vc_buffer out = {0};
        vc_picture_put_svg(&picture, VC_STR("chart"), &out);
        assert_golden(vc_arena_printf(&arena, "charts/%s.svg", names[i]).data, &out);
        vc_buffer_release(&out);
    }
}

/* ---- random grids ---- */

static unsigned state = 7;

static double unit(void)
{
    state = state * 1103515245 + 12345;
    return (double)(state >> 8 & 0xFFFFFF) / 0x1000000;
}

static const char *random_name(void)
{
    static const char *const parts[] = {"Ab",
                                        "long name of a thing",
                                        "\xE4\xB8\xAD\xE5\x9B\xBD",
                                        "<b>",
                                        "\xD7\xA9\xD7\x9C",
                                        "e\xCC\x81",
                                        "",
                                        "a\nb",
                                        "&amp;"};
    vc_buffer out = {0};
    for (size_t n = (size_t)(unit() * 5); n-- > 0;)
        vc_buffer_put_text(&out, parts[(size_t)(unit() * 9)]);
    vc_str name = vc_arena_str(&arena, (vc_str){vc_buffer_text(&out), out.size});
    vc_buffer_release(&out);
    return name.data;
}

static making make_random(size_t nrows, size_t ncolumns, size_t nhead_rows)
{
    static const char *const patterns[] = {NULL, "#,##0", "0.0%", "$#,##0.00"};
    making made = make_grid(
        &arena, "Things",
        (making_size){
            .nrows = nrows, .ncolumns = ncolumns, .nhead_columns = 1, .nhead_rows = nhead_rows});
    make_measure(&made, "Weight", unit() < 0.5 ? "kg" : "", VC_VALUE_FLOAT, 0,
                 patterns[(size_t)(unit() * 4)]);
    made.corners[0] = vc_str_of(random_name());
    for (size_t row = 0; row < nrows; row++)
        make_row(&made, row, 0, NULL, random_name());
    for (size_t r = 0; r < nhead_rows; r++)
        for (size_t column = 0; column < ncolumns; column++)
            if (r + 1 == nhead_rows || column == 0 || unit() < 0.4)
                make_column(&made, r, column, NULL, random_name());
    double size = pow(10, unit() * 16 - 6), share_of_nulls = unit() < 0.5 ? 0 : unit();
    for (size_t row = 0; row < nrows; row++)
        for (size_t column = 0; column < ncolumns; column++)
            if (unit() >= share_of_nulls)
                make_value(&made, row, column, size * (unit() < 0.2 ? -unit() : unit()));
    if (unit() < 0.3) {
        double *places = VC_ARENA_NEW(&arena, double, nrows);
        for (size_t row = 0; row < nrows; row++)
            places[row] = 1950 + floor(unit() * 90) / (unit() < 0.5 ? 1 : 12);
        made.grid->row_places = places;
    }
    return made;
}

Test(chart, of_random_grids)
{
    static const vc_chart_kind kinds[] = {VC_CHART_LINE,    VC_CHART_BAR,  VC_CHART_STACKED,
                                          VC_CHART_SCATTER, VC_CHART_HEAT, VC_CHART_MAP};
    for (int i = 0; i < 1500; i++) {
        making made = make_random((size_t)(unit() * unit() * 70),
                                  1 + (size_t)(unit() * unit() * 24), 1 + (unit() < 0.4));
        vc_chart *chart = chart_of(kinds[(size_t)(unit() * 6)], &made);
        chart->has_panels = unit() < 0.3;
        chart->is_logarithmic = unit() < 0.2;
        chart->is_horizontal = unit() < 0.2;
        draw_checked(chart, (float)(120 + unit() * 700), &arena);
        vc_arena_release(&arena);
    }
}

/* Whatever the numbers: a bar for each, as long as it is, and none for a null. */
Test(chart, bars_of_random_numbers)
{
    for (int i = 0; i < 300; i++) {
        size_t nrows = 1 + (size_t)(unit() * 20);
        making made = make_rows(nrows, 1, NULL);
        double largest = 0, size = pow(10, unit() * 12 - 4);
        size_t nvalues = 0;
        for (size_t row = 0; row < nrows; row++) {
            if (unit() < 0.2) continue;
            make_value(&made, row, 0, size * (2 * unit() - 0.5));
            largest = fmax(largest, fabs(made.cells[row].as.f));
            nvalues++;
        }
        if (nvalues == 0) continue;
        vc_chart *chart = chart_of(VC_CHART_BAR, &made);
        chart->is_horizontal = true;
        vc_picture picture = draw_checked(chart, 600, &arena);
        double longest = 0;
        size_t nbars = 0;
        for (size_t s = 0; s < picture.nshapes; s++)
            if (picture.shapes[s].kind == VC_SHAPE_RECTANGLE) {
                longest = fmax(longest, picture.shapes[s].points[2]);
                nbars++;
            }
        cr_assert_eq(nbars, nvalues);
        for (size_t row = 0; row < nrows; row++) {
            if (made.cells[row].is_null) continue;
            const char *tip = vc_arena_printf(&arena, "Row %zu,", row).data;
            cr_assert_float_eq(length_of(&picture, tip, true),
                               longest * fabs(made.cells[row].as.f) / largest, 0.01);
        }
        vc_arena_release(&arena);
    }
}
