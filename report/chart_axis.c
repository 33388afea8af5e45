/* Ticks are multiples of 1, 2 or 5 times a power of ten (Heckbert, "Nice numbers for graph labels",
 * Graphics Gems, 1990), the finest step that has room; the axis begins and ends at one. Searches
 * that trade roundness against fit (Wilkinson; Talbot, Lin and Hanrahan 2010) save a little room,
 * but their steps of 2.5, 3 or 4 are read more slowly, and an axis that ends at a tick needs no
 * further number to be read.
 *
 * A step is kept as a small number and a power of ten, so that ticks are the doubles nearest to
 * round decimals: 3 * 0.1 would be 0.30000000000000004.
 */
#include "report/chart_parts.h"

#include "render/people.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Below this all numbers are alike: 10^-324 does not exist. */
static const double least_number = 1e-290;

void vc_extent_add(vc_extent *extent, double value, bool is_log)
{
    if (is_log && value < least_number) {
        extent->nleft_out++;
        return;
    }
    extent->low = extent->count == 0 ? value : fmin(extent->low, value);
    extent->high = extent->count == 0 ? value : fmax(extent->high, value);
    extent->count++;
}

typedef struct step {
    int factor, exponent;
} step;

/* The double nearest to count * factor * 10^exponent, a decimal: arithmetic would be off by a
 * rounding, and tell so in a tick's text. Infinite where there is none. */
static double multiple(step each, double count)
{
    char text[2 * VC_NUMBER_TEXT];
    double value = 0;
    size_t size = vc_format_int(text, (int64_t)(count * each.factor));
    text[size++] = 'e';
    size += vc_format_int(text + size, each.exponent);
    if (vc_parse_double((vc_str){.data = text, .size = size}, '.', &value) == VC_PARSE_OK)
        return value;
    return count < 0 ? -INFINITY : INFINITY;
}

static double power_of_ten(int exponent)
{
    return multiple((step){1, exponent}, 1);
}

/* The first and the last multiple of a step that hold a range. */
static void bounds(step each, double low, double high, double *first_out, double *last_out)
{
    double size = multiple(each, 1);
    double first = floor(low / size), last = ceil(high / size);
    /* Dividing rounds: 0.3 / 0.1 is just below 3. */
    if (multiple(each, first + 1) <= low) first++;
    if (multiple(each, last - 1) >= high) last--;
    *first_out = first;
    *last_out = last;
}

static step next_step(step each)
{
    switch (each.factor) {
    case 1: return (step){2, each.exponent};
    case 2: return (step){5, each.exponent};
    default: return (step){1, each.exponent + 1};
    }
}

static void put_tick(vc_axis *axis, double value)
{
    if (axis->nticks == VC_MAX_TICKS || !isfinite(value)) return;
    axis->ticks[axis->nticks++] = (vc_tick){.value = value == 0 ? 0 : value};
}

static void init_linear(vc_axis *axis, double low, double high, size_t max_ticks)
{
    /* In halves, as the range of 1e308 and -1e308 is none of a double. */
    double half = high / 2 - low / 2;
    step each = {1, (int)floor(log10(half)) - 1};
    double first = 0, last = 0;
    for (;; each = next_step(each)) {
        bounds(each, low, high, &first, &last);
        if (last - first + 1 <= (double)max_ticks) break;
    }
    for (double count = first; count <= last; count++)
        put_tick(axis, multiple(each, count));
    axis->low = fmin(low, axis->ticks[0].value);
    axis->high = fmax(high, axis->ticks[axis->nticks - 1].value);
}

/* 1, 2 and 5 of each power of ten where there is room, or 1 and 3, or 1, or 1 of every n-th. */
static void init_log(vc_axis *axis, double low, double high, size_t max_ticks)
{
    static const int factors[][3] = {{1, 2, 5}, {1, 3}, {1}};
    int from = (int)floor(log10(low)), to = (int)ceil(log10(high)), every = 1;
    if (from == to) to++;
    size_t npowers = (size_t)(to - from), sparsity = 0;
    while (sparsity < 2 && npowers * (3 - sparsity) + 1 > max_ticks)
        sparsity++;
    while ((npowers + (size_t)every - 1) / (size_t)every + 1 > max_ticks)
        every++;
    for (int exponent = from; exponent < to + every; exponent += every)
        for (size_t i = 0; i < 3 - sparsity; i++) {
            double value = multiple((step){factors[sparsity][i], exponent}, 1);
            if (axis->nticks == 1 && value <= low) axis->nticks = 0;
            if (axis->nticks < 2 || axis->ticks[axis->nticks - 1].value < high)
                put_tick(axis, value);
        }
    axis->low = log10(fmin(low, axis->ticks[0].value));
    axis->high = log10(fmax(high, axis->ticks[axis->nticks - 1].value));
    if (axis->low == axis->high) axis->high++;
}

void vc_axis_init(vc_axis *axis, const vc_extent *extent, bool has_zero, bool is_log,
                  size_t max_ticks)
{
    *axis = (vc_axis){.is_log = is_log};
    double low = extent->count == 0 ? (is_log ? 1 : 0) : extent->low;
    double high = extent->count == 0 ? (is_log ? 10 : 1) : extent->high;
    size_t fewest = fmax(fabs(low), fabs(high)) > 1e307 ? 5 : 3; /* steps of 2e308 do not exist */
    if (max_ticks < fewest) max_ticks = fewest;
    if (max_ticks > VC_MAX_TICKS) max_ticks = VC_MAX_TICKS;
    if (is_log) {
        init_log(axis, low, high, max_ticks);
        return;
    }
    double largest = fmax(fabs(low), fabs(high));
    /* Numbers that a double hardly tells apart are seen from zero, too. */
    if (has_zero || high / 2 - low / 2 <= largest * 1e-9) {
        low = fmin(low, 0);
        high = fmax(high, 0);
    }
    if (largest < least_number) {
        low = 0;
        high = 1;
    }
    init_linear(axis, low, high, max_ticks);
}

double vc_axis_at(const vc_axis *axis, double value)
{
    if (axis->is_log) value = log10(fmax(value, least_number));
    double share = (value / 2 - axis->low / 2) / (axis->high / 2 - axis->low / 2);
    return axis->from + (axis->to - axis->from) * fmax(0, fmin(share, 1));
}

/* ---- texts ---- */

enum {
    LONG_NUMBER = 9,  /* characters: "1,234,567" */
    SHORT_DIGITS = 3, /* of a number that is written short */
    DIGITS_OF_FACTOR = 9,
};

static void put_superscript(vc_buffer *out, int number)
{
    static const char *const digits[] = {
        "\xE2\x81\xB0", "\xC2\xB9",     "\xC2\xB2",     "\xC2\xB3",     "\xE2\x81\xB4",
        "\xE2\x81\xB5", "\xE2\x81\xB6", "\xE2\x81\xB7", "\xE2\x81\xB8", "\xE2\x81\xB9"};
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    for (const char *at = text; *at != '\0'; at++)
        vc_buffer_put_text(out, *at == '-' ? "\xE2\x81\xBB" : digits[*at - '0']);
}

double vc_round_number(double value, int ndigits)
{
    if (fabs(value) < least_number) return 0;
    step each = {1, (int)floor(log10(fabs(value))) - ndigits + 1};
    double result = multiple(each, round(value / multiple(each, 1)));
    return isfinite(result) ? result : value;
}

typedef struct short_form {
    const char *word; /* NULL: as a power of ten */
    double divisor;
} short_form;

static short_form form_of(double largest)
{
    static const short_form forms[] = {
        {" trillion", 1e12}, {" billion", 1e9}, {" million", 1e6}, {"", 1}};
    if (largest >= 1e-4 && largest < 1e15)
        for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
            if (largest >= forms[i].divisor || forms[i].divisor == 1) return forms[i];
    return (short_form){NULL, 1};
}

static int exponent_of(double value)
{
    return value > 0 ? (int)floor(log10(value)) : 0;
}

/* 1.5e300 as 1.5 times ten to the 300th. */
static void put_scientific(vc_buffer *out, double value, int exponent)
{
    double factor = exponent < 0 ? value * power_of_ten(-exponent) : value / power_of_ten(exponent);
    factor = vc_round_number(factor, DIGITS_OF_FACTOR);
    if (factor != 1) {
        vc_buffer_put_double(out, factor);
        vc_buffer_put_text(out, "\xC3\x97"); /* times */
    }
    vc_buffer_put_text(out, "10");
    put_superscript(out, exponent);
}

static void put_short(vc_buffer *out, const vc_grid_measure *measure, double value, short_form form,
                      int exponent)
{
    const vc_number_format *format = measure->has_format ? &measure->format : NULL;
    if (value < 0) vc_buffer_put_char(out, '-');
    if (format != NULL) vc_buffer_put_str(out, format->prefix);
    value = fabs(value);
    if (value == 0) {
        vc_buffer_put_char(out, '0');
    } else if (form.word == NULL) {
        put_scientific(out, value, exponent);
    } else if (form.divisor == 1) {
        vc_cell cell = {.as.f = value, .is_float = true};
        vc_put_plain_number(out, measure->measure, &cell);
    } else {
        vc_buffer_put_double(out, value / form.divisor);
        vc_buffer_put_text(out, form.word);
    }
    if (format != NULL) vc_buffer_put_str(out, format->suffix);
}

/* A percentage is a number of hundredths. */
static double shown(const vc_grid_measure *measure, double value)
{
    bool is_percent = measure->has_format && measure->format.is_percent;
    return is_percent && fabs(value) < 1e300 ? value * 100 : value;
}

static bool are_different(const double *values, const vc_str *texts, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (values[i] != values[i - 1] && vc_str_equal(texts[i], texts[i - 1])) return false;
    return true;
}

void vc_name_numbers(vc_drawing *drawing, const vc_grid_measure *measure, const double *values,
                     size_t count, vc_str *texts_out)
{
    size_t longest = 0;
    double largest = 0, least = INFINITY;
    for (size_t i = 0; i < count; i++) {
        vc_grid_put_tick(measure, values[i], &drawing->scratch);
        texts_out[i] = vc_draw_scratch(drawing);
        size_t columns = vc_utf8_columns(texts_out[i]);
        longest = columns > longest ? columns : longest;
        double size = fabs(shown(measure, values[i]));
        largest = fmax(largest, size);
        if (size > 0) least = fmin(least, size);
    }
    if (longest <= LONG_NUMBER && are_different(values, texts_out, count)) return;
    /* In one unit, unless they are so far apart as those of logarithmic axes. */
    bool is_alike = least >= largest / 1e3;
    for (size_t i = 0; i < count; i++) {
        double value = shown(measure, values[i]), of = is_alike ? largest : fabs(value);
        put_short(&drawing->scratch, measure, value, form_of(of), exponent_of(of));
        texts_out[i] = vc_draw_scratch(drawing);
    }
}

vc_str vc_name_value(vc_drawing *drawing, size_t row, size_t column)
{
    vc_grid_put_text(drawing->grid, row, column, &drawing->scratch);
    vc_str text = vc_draw_scratch(drawing);
    if (vc_utf8_columns(text) <= LONG_NUMBER) return text;
    const vc_grid_measure *measure = vc_grid_measure_at(drawing->grid, row, column);
    double value = shown(measure, vc_grid_number(drawing->grid, row, column));
    value = vc_round_number(value, SHORT_DIGITS);
    put_short(&drawing->scratch, measure, value, form_of(fabs(value)), exponent_of(fabs(value)));
    return vc_draw_scratch(drawing);
}

void vc_axis_name_ticks(vc_drawing *drawing, vc_axis *axis, const vc_grid_measure *measure)
{
    double values[VC_MAX_TICKS];
    vc_str texts[VC_MAX_TICKS];
    for (size_t i = 0; i < axis->nticks; i++)
        values[i] = axis->ticks[i].value;
    vc_name_numbers(drawing, measure, values, axis->nticks, texts);
    for (size_t i = 0; i < axis->nticks; i++)
        axis->ticks[i].text = texts[i];
}

double vc_axis_widest_tick(const vc_axis *axis)
{
    double widest = 0;
    for (size_t i = 0; i < axis->nticks; i++)
        widest = fmax(widest, vc_picture_text_width(axis->ticks[i].text, VC_SIZE_TEXT, false));
    return widest;
}
