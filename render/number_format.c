#include "render/number_format.h"

#include <assert.h>
#include <string.h>

static bool is_one_of(char byte, const char *set)
{
    return byte != '\0' && strchr(set, byte) != NULL;
}

/* Step over `byte`s; returns how many. */
static unsigned count_of(vc_str pattern, size_t *at, char byte)
{
    unsigned count = 0;
    for (; *at < pattern.size && pattern.data[*at] == byte; ++*at)
        count++;
    return count;
}

bool vc_number_format_parse(vc_str pattern, vc_number_format *format_out)
{
    enum { MAX_DIGITS = 30 };
    vc_number_format format = {0};
    size_t at = 0;
    while (at < pattern.size && !is_one_of(pattern.data[at], "#0.,;"))
        at++;
    format.prefix = (vc_str){.data = pattern.data, .size = at};
    size_t first = at;
    for (; at < pattern.size && is_one_of(pattern.data[at], "#0,"); at++) {
        format.min_whole += pattern.data[at] == '0';
        format.is_grouped |= pattern.data[at] == ',';
    }
    if (at < pattern.size && pattern.data[at] == '.') {
        at++;
        format.min_fraction = count_of(pattern, &at, '0');
        format.max_fraction = format.min_fraction + count_of(pattern, &at, '#');
    }
    format.suffix = (vc_str){.data = pattern.data + at, .size = pattern.size - at};
    for (size_t i = 0; i < format.suffix.size; i++)
        if (is_one_of(format.suffix.data[i], "#0;")) return false;
    if (format.suffix.size > 1 && is_one_of(format.suffix.data[0], "eE") &&
        is_one_of(format.suffix.data[1], "+-"))
        return false;
    if (at == first || format.min_whole > MAX_DIGITS || format.max_fraction > MAX_DIGITS)
        return false;
    format.is_percent =
        vc_str_contains(format.prefix, VC_STR("%")) || vc_str_contains(format.suffix, VC_STR("%"));
    *format_out = format;
    return true;
}

/* A number is 0.d1 d2 d3 ... times 10^point. Digits past the last one are zero. */
typedef struct decimal {
    char digits[VC_NUMBER_TEXT + 1];
    int ndigits, point;
    bool is_negative;
} decimal;

static decimal read_decimal(vc_str number)
{
    decimal result = {.is_negative = number.size > 0 && number.data[0] == '-'};
    bool is_fraction = false;
    for (size_t i = result.is_negative ? 1 : 0; i < number.size; i++) {
        char byte = number.data[i];
        if (byte == 'e') {
            int64_t exponent = 0;
            vc_str text = {.data = number.data + i + 1, .size = number.size - i - 1};
            vc_parse_int(text, &exponent);
            result.point += (int)exponent;
            break;
        }
        if (byte == '.') {
            is_fraction = true;
        } else if (byte == '0' && result.ndigits == 0) {
            result.point -= is_fraction; /* leading zeros are not kept */
        } else {
            assert(result.ndigits < VC_NUMBER_TEXT);
            result.digits[result.ndigits++] = byte;
            result.point += !is_fraction;
        }
    }
    return result;
}

/* Round to `nfraction` digits behind the point, half away from zero. */
static void round_decimal(decimal *number, unsigned nfraction)
{
    int keep = number->point + (int)nfraction;
    if (keep >= number->ndigits) return;
    if (keep < 0) {
        number->ndigits = 0;
        return;
    }
    bool goes_up = number->digits[keep] >= '5';
    number->ndigits = keep;
    if (!goes_up) return;
    while (number->ndigits > 0 && number->digits[number->ndigits - 1] == '9')
        number->ndigits--;
    if (number->ndigits > 0) {
        number->digits[number->ndigits - 1]++;
    } else { /* 9.96 became 10.0 */
        number->digits[number->ndigits++] = '1';
        number->point++;
    }
}

/* The digit of weight 10^weight. */
static char digit_of(const decimal *number, int weight)
{
    int at = number->point - 1 - weight;
    return at >= 0 && at < number->ndigits ? number->digits[at] : '0';
}

static bool is_zero(const decimal *number)
{
    for (int i = 0; i < number->ndigits; i++)
        if (number->digits[i] != '0') return false;
    return true;
}

void vc_number_format_put(const vc_number_format *format, vc_str text, vc_buffer *buffer)
{
    decimal number = read_decimal(text);
    if (format->is_percent) number.point += 2;
    round_decimal(&number, format->max_fraction);
    if (number.is_negative && !is_zero(&number)) vc_buffer_put_char(buffer, '-');
    vc_buffer_put_str(buffer, format->prefix);
    int nwhole = number.ndigits > 0 && number.point > 0 ? number.point : 0;
    if (nwhole < (int)format->min_whole) nwhole = (int)format->min_whole;
    for (int weight = nwhole - 1; weight >= 0; weight--) {
        vc_buffer_put_char(buffer, digit_of(&number, weight));
        if (format->is_grouped && weight > 0 && weight % 3 == 0) vc_buffer_put_char(buffer, ',');
    }
    int nfraction = (int)format->max_fraction;
    while (nfraction > (int)format->min_fraction && digit_of(&number, -nfraction) == '0')
        nfraction--;
    if (nwhole == 0 && nfraction == 0) vc_buffer_put_char(buffer, '0'); /* "#" of zero */
    if (nfraction > 0) vc_buffer_put_char(buffer, '.');
    for (int weight = -1; weight >= -nfraction; weight--)
        vc_buffer_put_char(buffer, digit_of(&number, weight));
    vc_buffer_put_str(buffer, format->suffix);
}
