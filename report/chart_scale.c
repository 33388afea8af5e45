/* Colours of numbers: as the measure's colouring states, or a scale of our own.
 *
 * Ours has classes between round numbers on maps, as a colour is looked up in a legend and few are
 * told apart, and is continuous in heat maps, where most cells have their number in them. It is
 * logarithmic where most values are small beside the greatest (populations: linear, all countries
 * but two would be of one colour), and has two hues where there are values on both sides of 0.
 */
#include "report/chart_parts.h"

#include <math.h>

static const vc_text_style number_style = {
    .size = VC_SIZE_NOTE, .colour = VC_INK_PALE, .anchor = VC_ANCHOR_MIDDLE};

void vc_scale_add(vc_scale *scale, double value)
{
    vc_extent_add(&scale->extent, value, false);
    scale->mean += (value - scale->mean) / (double)scale->extent.count;
}

void vc_scale_init(vc_scale *scale, const vc_grid_measure *measure, bool has_classes, bool is_log)
{
    enum { MOST_TICKS = 7 };
    const vc_extent *extent = &scale->extent;
    scale->measure = measure;
    scale->is_given = measure->colouring.kind != VC_COLOURING_NONE;
    scale->has_classes = has_classes;
    if (scale->is_given || extent->count == 0) return;
    vc_extent shown = *extent;
    bool is_skewed = scale->mean < shown.high / 6 && shown.high > 100 * shown.low;
    scale->is_balance = shown.low < 0 && shown.high > 0;
    if (scale->is_balance) {
        shown.high = fmax(shown.high, -shown.low);
        shown.low = -shown.high;
    }
    is_log = shown.low > 0 && has_classes && (is_log || is_skewed);
    vc_axis_init(&scale->axis, &shown, false, is_log, scale->is_balance ? 9 : MOST_TICKS);
    scale->axis.from = 0;
    scale->axis.to = 1;
}

/* The class of a number, in the middle of its colours. */
static double middle_of_class(const vc_scale *scale, double value)
{
    const vc_axis *axis = &scale->axis;
    size_t class = 0;
    while (class + 2 < axis->nticks && value >= axis->ticks[class + 1].value)
        class ++;
    if (scale->is_balance) /* classes around 0 are of the palest colours */
        return ((double)class + 0.5) / (double)(axis->nticks - 1);
    return axis->nticks < 3 ? 0.5 : (double)class / (double)(axis->nticks - 2);
}

uint32_t vc_scale_colour(const vc_scale *scale, double value)
{
    if (scale->is_given) return vc_colouring_of(&scale->measure->colouring, value);
    double share =
        scale->has_classes ? middle_of_class(scale, value) : vc_axis_at(&scale->axis, value);
    if (scale->is_balance) return vc_colour_of_balance(2 * share - 1);
    /* The palest and the darkest are kept from land on white, and from numbers on it. */
    return vc_colour_of_share(0.06 + 0.86 * share);
}

/* ---- legends ---- */

enum {
    BAR_WIDTH = 250,
    BAR_HEIGHT = 9,
    SWATCH = 12,
    ENTRY_GAP = 12,
    INSET = 12,
    DIGITS = 4,
    NO_VALUE_WIDTH = 60
};

static void draw_swatch(vc_drawing *drawing, double *x, uint32_t fill, vc_str text)
{
    double y = drawing->bottom, width = vc_picture_text_width(text, VC_SIZE_NOTE, false);
    if (*x > 0 && *x + SWATCH + 4 + width > drawing->width) {
        *x = 0;
        drawing->bottom = y += BAR_HEIGHT + 6;
    }
    vc_draw_rectangle(drawing, (vc_box){*x, y, *x + SWATCH, y + BAR_HEIGHT}, VC_RULE, (vc_str){0});
    vc_draw_rectangle(drawing, (vc_box){*x + 0.5, y + 0.5, *x + SWATCH - 0.5, y + BAR_HEIGHT - 0.5},
                      fill, (vc_str){0});
    vc_text_style style = number_style;
    style.anchor = VC_ANCHOR_START;
    vc_draw_text(drawing, *x + SWATCH + 4, y + 8,
                 vc_draw_fit(drawing, text, VC_SIZE_NOTE, false, drawing->width - SWATCH - 4),
                 style);
    *x += SWATCH + 4 + width + ENTRY_GAP;
}

/* Where a number's text stands: not left of the picture. */
static vc_box place_of(const vc_str *text, double share, double width)
{
    double half = vc_picture_text_width(*text, VC_SIZE_NOTE, false) / 2;
    double x = fmax(INSET + share * width, half);
    return (vc_box){.left = x - half, .right = x + half};
}

/* All of them, or each n-th, so that none touches another. */
static void draw_numbers(vc_drawing *drawing, const vc_str *texts, const double *shares,
                         size_t count, double width)
{
    size_t every = 0;
    bool is_free = false;
    while (!is_free && ++every < count) {
        is_free = true;
        for (size_t k = every; k < count; k += every)
            is_free &= place_of(&texts[k], shares[k], width).left >
                       place_of(&texts[k - every], shares[k - every], width).right + 3;
    }
    for (size_t k = 0; k < count; k += every) {
        vc_box place = place_of(&texts[k], shares[k], width);
        vc_draw_text(drawing, (place.left + place.right) / 2, drawing->bottom + BAR_HEIGHT + 9,
                     texts[k], number_style);
    }
}

/* A bar of `nsteps` colours, numbers below some of its places (shares of its length). */
static void draw_bar(vc_drawing *drawing, const vc_scale *scale, const double *numbers,
                     const vc_str *texts, const double *shares, size_t count, size_t nsteps)
{
    double y = drawing->bottom, width = fmin(BAR_WIDTH, drawing->width - 60);
    for (size_t i = 0; i < nsteps; i++) {
        double from = (double)i / (double)nsteps, middle = from + 0.5 / (double)nsteps;
        double value = numbers[0];
        for (size_t k = 1; k < count; k++)
            if (middle >= shares[k - 1] && middle <= shares[k])
                value = numbers[k - 1] + (numbers[k] - numbers[k - 1]) * (middle - shares[k - 1]) /
                                             (shares[k] - shares[k - 1]);
        /* To the end, so that no ground is seen between neighbours. */
        vc_draw_rectangle(drawing, (vc_box){INSET + from * width, y, INSET + width, y + BAR_HEIGHT},
                          vc_scale_colour(scale, value), (vc_str){0});
    }
    draw_numbers(drawing, texts, shares, count, width);
}

static vc_str rule_text(vc_drawing *drawing, const vc_scale *scale, const vc_colour_rule *rule)
{
    static const char *const signs[] = {[VC_OP_EQ] = "= ", [VC_OP_NE] = "\xE2\x89\xA0 ",
                                        [VC_OP_GT] = "> ", [VC_OP_GE] = "\xE2\x89\xA5 ",
                                        [VC_OP_LT] = "< ", [VC_OP_LE] = "\xE2\x89\xA4 "};
    vc_str number;
    vc_name_numbers(drawing, scale->measure, &rule->value, 1, &number);
    bool is_known = (size_t)rule->op < sizeof signs / sizeof signs[0] && signs[rule->op] != NULL;
    return vc_draw_printf(drawing, "%s%.*s", is_known ? signs[rule->op] : "", VC_FMT(number));
}

static void draw_rules(vc_drawing *drawing, const vc_scale *scale, double *x)
{
    const vc_colouring *colouring = &scale->measure->colouring;
    for (size_t i = 0; i < colouring->nrules; i++)
        draw_swatch(drawing, x, colouring->rules[i].fill,
                    rule_text(drawing, scale, &colouring->rules[i]));
    draw_swatch(drawing, x, 0xFFFFFF, VC_STR("others"));
}

/* Ends beyond which there are values say so. */
static void draw_given(vc_drawing *drawing, const vc_scale *scale)
{
    const vc_colouring *colouring = &scale->measure->colouring;
    bool is_diverging = colouring->kind == VC_COLOURING_DIVERGING;
    double numbers[3] = {colouring->low, colouring->middle, colouring->high};
    if (!is_diverging) numbers[1] = colouring->low / 2 + colouring->high / 2;
    const double shares[3] = {0, 0.5, 1};
    double shown[3];
    vc_str texts[3];
    for (size_t i = 0; i < 3; i++)
        shown[i] = vc_round_number(numbers[i], DIGITS);
    vc_name_numbers(drawing, scale->measure, shown, 3, texts);
    if (scale->extent.count > 0 && scale->extent.low < colouring->low)
        texts[0] = vc_draw_printf(drawing, "\xE2\x89\xA4 %.*s", VC_FMT(texts[0]));
    if (scale->extent.count > 0 && scale->extent.high > colouring->high)
        texts[2] = vc_draw_printf(drawing, "\xE2\x89\xA5 %.*s", VC_FMT(texts[2]));
    draw_bar(drawing, scale, numbers, texts, shares, 3, 36);
}

static void draw_own(vc_drawing *drawing, vc_scale *scale)
{
    vc_axis *axis = &scale->axis;
    double numbers[VC_MAX_TICKS], shares[VC_MAX_TICKS];
    vc_str texts[VC_MAX_TICKS];
    vc_axis_name_ticks(drawing, axis, scale->measure);
    for (size_t i = 0; i < axis->nticks; i++) {
        numbers[i] = axis->ticks[i].value;
        texts[i] = axis->ticks[i].text;
        shares[i] = scale->has_classes ? (double)i / (double)(axis->nticks - 1)
                                       : vc_axis_at(axis, axis->ticks[i].value);
    }
    draw_bar(drawing, scale, numbers, texts, shares, axis->nticks,
             scale->has_classes ? axis->nticks - 1 : 36);
}

void vc_draw_scale(vc_drawing *drawing, vc_scale *scale, bool has_no_value)
{
    double x = 0;
    bool has_rules = scale->is_given && scale->measure->colouring.kind == VC_COLOURING_RULES;
    drawing->bottom += 3;
    if (has_rules) {
        draw_rules(drawing, scale, &x);
    } else if (scale->extent.count > 0) {
        if (scale->is_given)
            draw_given(drawing, scale);
        else
            draw_own(drawing, scale);
        x = fmin(BAR_WIDTH, drawing->width - 60) + 50;
        if (x + NO_VALUE_WIDTH > drawing->width) { /* below the numbers */
            x = 0;
            drawing->bottom += has_no_value ? BAR_HEIGHT + 14 : 0;
        }
    }
    if (has_no_value) draw_swatch(drawing, &x, VC_NO_VALUE, VC_STR("no value"));
    drawing->bottom += BAR_HEIGHT + (has_rules ? 8 : 16);
}
