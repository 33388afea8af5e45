#include "report/chart_parts.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static unsigned state = 1;

static double unit(void)
{
    state = state * 1103515245 + 12345;
    return (double)(state >> 8 & 0xFFFFFF) / 0x1000000;
}

/* Of any size and sign, now and then close together. */
static double any_number(void)
{
    double size = pow(10, floor(unit() * 40 - 20)) * (1 + 9 * unit());
    return unit() < 0.3 ? -size : size;
}

static size_t digits_of(double value)
{
    char text[VC_NUMBER_TEXT];
    size_t ndigits = 0, size = vc_format_double(text, value);
    size_t end = memchr(text, 'e', size) == NULL ? size : (size_t)(strchr(text, 'e') - text);
    while (end > 0 && (text[end - 1] == '0' || text[end - 1] == '.'))
        end--;
    for (size_t i = 0; i < end; i++)
        ndigits += text[i] >= '0' && text[i] <= '9' && (ndigits > 0 || text[i] != '0');
    return ndigits;
}

static void check_axis(const vc_axis *axis, double low, double high, size_t max_ticks)
{
    cr_assert(axis->nticks >= 2 && axis->nticks <= max_ticks, "%zu ticks of %zu", axis->nticks,
              max_ticks);
    cr_assert(axis->ticks[0].value <= low && axis->ticks[axis->nticks - 1].value >= high,
              "%.17g to %.17g is not within %.17g to %.17g", low, high, axis->ticks[0].value,
              axis->ticks[axis->nticks - 1].value);
    for (size_t i = 1; i < axis->nticks; i++)
        cr_assert(axis->ticks[i].value > axis->ticks[i - 1].value);
    cr_assert(axis->low < axis->high);
}

/* Ticks hold the numbers, are as many as asked, and round. */
Test(chart_axis, ticks_hold_any_numbers)
{
    for (int i = 0; i < 20000; i++) {
        double a = any_number(), b = unit() < 0.3 ? a * (1 + 0.1 * unit()) : any_number();
        vc_extent extent = {.low = fmin(a, b), .high = fmax(a, b), .count = 2};
        size_t max_ticks = 3 + (size_t)(unit() * 9);
        vc_axis axis;
        vc_axis_init(&axis, &extent, unit() < 0.5, false, max_ticks);
        check_axis(&axis, extent.low, extent.high, max_ticks);
        double step = axis.ticks[1].value - axis.ticks[0].value;
        for (size_t t = 0; t < axis.nticks; t++) {
            double each = (axis.ticks[t].value - axis.ticks[0].value) / step;
            cr_assert(fabs(each - (double)t) < 1e-4, "uneven ticks");
            double largest =
                fmax(fabs(axis.ticks[0].value), fabs(axis.ticks[axis.nticks - 1].value));
            /* As many digits as it takes to tell the step, and no rest of arithmetic. */
            cr_assert(digits_of(axis.ticks[t].value) <= (size_t)(2 + ceil(log10(largest / step))),
                      "%.17g", axis.ticks[t].value);
        }
    }
}

Test(chart_axis, logarithmic_ticks_hold_any_numbers)
{
    for (int i = 0; i < 20000; i++) {
        double a = fabs(any_number()), b = unit() < 0.3 ? a * (1 + unit()) : fabs(any_number());
        vc_extent extent = {.low = fmin(a, b), .high = fmax(a, b), .count = 2};
        size_t max_ticks = 3 + (size_t)(unit() * 9);
        vc_axis axis;
        vc_axis_init(&axis, &extent, false, true, max_ticks);
        check_axis(&axis, extent.low, extent.high, max_ticks);
        for (size_t t = 0; t < axis.nticks; t++)
            cr_assert(eq(sz, digits_of(axis.ticks[t].value), 1));
    }
}

struct axis_case {
    double low, high;
    bool has_zero, is_log;
    size_t max_ticks;
    double ticks[12];
    size_t nticks;
};

Test(chart_axis, ticks)
{
    static const struct axis_case cases[] = {
        {0, 100, true, false, 6, {0, 20, 40, 60, 80, 100}, 6},
        {0.1, 0.3, false, false, 5, {0.1, 0.15, 0.2, 0.25, 0.3}, 5}, /* 3 * 0.1 is not 0.3 */
        {-7, 12, false, false, 6, {-10, -5, 0, 5, 10, 15}, 6},
        {0, 0.07, true, false, 8, {0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07}, 8},
        {0.3, 0.7, false, false, 5, {0.3, 0.4, 0.5, 0.6, 0.7}, 5}, /* 0.07 / 0.01 > 7, 0.3 / 0.1 < 3
                                                                    */
        {5, 5, false, false, 6, {0, 1, 2, 3, 4, 5}, 6},            /* all equal: from 0 */
        {-3, -3, false, false, 4, {-3, -2, -1, 0}, 4},
        {0, 0, false, false, 6, {0, 0.2, 0.4, 0.6, 0.8, 1}, 6},
        {1982, 2021, false, false, 6, {1980, 1990, 2000, 2010, 2020, 2030}, 6},
        {1, 1000, false, true, 5, {1, 10, 100, 1000}, 4},
        {3, 70, false, true, 8, {2, 5, 10, 20, 50, 100}, 6},
        {1, 1e12, false, true, 5, {1, 1e3, 1e6, 1e9, 1e12}, 5},
        {100, 100, false, true, 5, {100, 200}, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct axis_case *c = &cases[i];
        vc_extent extent = {.low = c->low, .high = c->high, .count = 1};
        vc_axis axis;
        vc_axis_init(&axis, &extent, c->has_zero, c->is_log, c->max_ticks);
        cr_assert(eq(sz, axis.nticks, c->nticks), "case %zu: ends at %g", i,
                  axis.ticks[axis.nticks - 1].value);
        for (size_t t = 0; t < c->nticks; t++)
            cr_assert(eq(dbl, axis.ticks[t].value, c->ticks[t]), "case %zu, tick %zu: %.17g", i, t,
                      axis.ticks[t].value);
    }
}

struct names_case {
    const char *pattern;
    double values[4];
    size_t count;
    const char *texts[4];
};

/* As the measure writes numbers, or short where that is long. */
Test(chart_axis, names_of_numbers)
{
    static const struct names_case cases[] = {
        {"#,##0", {0, 500, 1000}, 3, {"0", "500", "1,000"}},
        {"#,##0", {0, 500000, 1000000}, 3, {"0", "500,000", "1,000,000"}},
        {"#,##0", {0, 5000000, 10000000}, 3, {"0", "5 million", "10 million"}},
        {"#,##0", {0, 500e9, 1.5e12}, 3, {"0", "0.5 trillion", "1.5 trillion"}},
        {"$#,##0", {-2e9, 0, 2e9}, 3, {"-$2 billion", "$0", "$2 billion"}},
        {"0%", {0, 0.25, 0.5}, 3, {"0%", "25%", "50%"}},
        {"0%", {0, 0.0025, 0.005}, 3, {"0%", "0.25%", "0.5%"}},
        {"0.0",
         {0, 2e-9, 4e-9},
         3,
         {"0",
          "2\xC3\x97"
          "10\xE2\x81\xBB\xE2\x81\xB9",
          "4\xC3\x97"
          "10\xE2\x81\xBB\xE2\x81\xB9"}},
        {"#,##0", {0, 1e300}, 2, {"0", "10\xC2\xB3\xE2\x81\xB0\xE2\x81\xB0"}},
        {"#,##0", {1, 1e6, 1e12}, 3, {"1", "1 million", "1 trillion"}}, /* logarithmic */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct names_case *c = &cases[i];
        vc_arena arena = {0};
        vc_drawing drawing = {.arena = &arena};
        vc_result_measure result = {.name = VC_STR("m"), .type = VC_VALUE_FLOAT};
        vc_grid_measure measure = {.measure = &result, .has_format = true};
        cr_assert(vc_number_format_parse(vc_str_of(c->pattern), &measure.format));
        vc_str texts[4];
        vc_name_numbers(&drawing, &measure, c->values, c->count, texts);
        for (size_t k = 0; k < c->count; k++)
            cr_assert(vc_str_is(texts[k], c->texts[k]), "case %zu: %.*s", i, VC_FMT(texts[k]));
        vc_buffer_release(&drawing.scratch);
        vc_arena_release(&arena);
    }
}

Test(chart_axis, places_of_numbers)
{
    vc_extent extent = {.low = 0, .high = 100, .count = 2};
    vc_axis axis;
    vc_axis_init(&axis, &extent, true, false, 6);
    axis.from = 200;
    axis.to = 0;
    cr_assert(ieee_ulp_eq(dbl, vc_axis_at(&axis, 0), 200, 2));
    cr_assert(ieee_ulp_eq(dbl, vc_axis_at(&axis, 25), 150, 2));
    cr_assert(ieee_ulp_eq(dbl, vc_axis_at(&axis, 100), 0, 2));
    extent.low = 1;
    vc_axis_init(&axis, &extent, false, true, 6);
    axis.from = 0;
    axis.to = 300;
    cr_assert(epsilon_eq(dbl, vc_axis_at(&axis, 10), 150, 1e-9));
}

/* Cut to a width with an ellipsis; what has no width is not cut from what it stands on. */
Test(chart_axis, texts_are_fitted)
{
    static const char *const texts[] = {"Timor-Leste", "The former Yugoslav Republic of Macedonia",
                                        "", "e\xCC\x81\xCC\x81\xCC\x81 x",
                                        "\xE4\xB8\xAD\xE5\x9B\xBD\xE4\xBA\xBA\xE6\xB0\x91"};
    vc_arena arena = {0};
    vc_drawing drawing = {.arena = &arena};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (double width = 0; width < 300; width += 3.5) {
            vc_str text = vc_str_of(texts[i]), cut = vc_draw_fit(&drawing, text, 9, false, width);
            double room = fmax(width, vc_picture_text_width(VC_STR("\xE2\x80\xA6"), 9, false));
            cr_assert(width < 10.3 || vc_picture_text_width(cut, 9, false) <= room + 0.01);
            cr_assert(vc_utf8_check(cut, NULL));
            bool is_whole = vc_picture_text_width(text, 9, false) <= width;
            cr_assert(eq(int, vc_str_equal(cut, text), is_whole || text.size == 0));
        }
    vc_arena_release(&arena);
}

/* Names that begin alike keep their ends, too. */
Test(chart_axis, texts_stay_different)
{
    static const vc_str names[] = {VC_STR("Ministry of the northern provinces, part one"),
                                   VC_STR("Ministry of the northern provinces, part two"),
                                   VC_STR("Short")};
    static const vc_str others[] = {VC_STR("Apples of the northern provinces, in baskets"),
                                    VC_STR("Pears of the northern provinces, in baskets")};
    vc_arena arena = {0};
    vc_drawing drawing = {.arena = &arena};
    const vc_text_style style = {.size = 9};
    const vc_str *fitted = vc_draw_fit_all(&drawing, names, 3, style, 100);
    cr_assert(vc_str_ends_with(fitted[0], VC_STR("one")), "%.*s", VC_FMT(fitted[0]));
    cr_assert(vc_str_ends_with(fitted[1], VC_STR("two")), "%.*s", VC_FMT(fitted[1]));
    cr_assert(vc_str_is(fitted[2], "Short"));
    for (size_t i = 0; i < 3; i++)
        cr_assert(vc_picture_text_width(fitted[i], 9, false) <= 100);
    fitted = vc_draw_fit_all(&drawing, others, 2, style, 100);
    for (size_t i = 0; i < 2; i++)
        cr_assert(vc_str_ends_with(fitted[i], VC_STR("\xE2\x80\xA6")));
    vc_arena_release(&arena);
}

Test(chart_axis, texts_are_cleaned)
{
    vc_arena arena = {0};
    vc_drawing drawing = {.arena = &arena};
    vc_str clean = vc_draw_clean(&drawing, VC_STR("a\nb\tc\x01\xC2\x85"
                                                  "d\xE2\x80\xAE"
                                                  "e"));
    cr_assert(vc_str_is(clean, "a b c  de"), "%.*s", VC_FMT(clean));
    vc_str same = VC_STR("plain \xC3\xA9");
    cr_assert_eq(vc_draw_clean(&drawing, same).data, same.data);
    vc_arena_release(&arena);
}
