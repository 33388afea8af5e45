/* The reading of numbers of base/text.h. Every number is first cut into its parts by one scanner,
 * so that the three readers accept the same syntax and none of them depends on the locale. */
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 10^0 .. 10^22 are exact doubles. */
static const double exact_powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                        1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Value of the number: the digits of `whole` followed by those of `fraction`, times
 * 10^(exponent - fraction.size). */
typedef struct number_parts {
    bool is_negative;
    vc_str whole;    /* may be empty when fraction is not */
    vc_str fraction; /* without the point */
    int exponent;    /* held within +-EXPONENT_LIMIT */
} number_parts;

enum { EXPONENT_LIMIT = 1000000 };

static vc_str scan_digits(vc_str text, size_t *at)
{
    size_t first = *at;
    while (*at < text.size && is_digit(text.data[*at]))
        ++*at;
    if (first == text.size) return VC_STR(""); /* also for an absent text, which has no data */
    return (vc_str){.data = text.data + first, .size = *at - first};
}

static bool scan_sign(vc_str text, size_t *at)
{
    if (*at < text.size && (text.data[*at] == '-' || text.data[*at] == '+'))
        return text.data[(*at)++] == '-';
    return false;
}

/* [+-](digits[.digits]|.digits)[(e|E)[+-]digits], and nothing after it. */
static bool scan_number(vc_str text, char point, number_parts *parts)
{
    size_t at = 0;
    *parts = (number_parts){.is_negative = scan_sign(text, &at)};
    parts->whole = scan_digits(text, &at);
    if (at < text.size && text.data[at] == point) {
        at++;
        parts->fraction = scan_digits(text, &at);
        if (parts->fraction.size == 0) return false;
    }
    if (parts->whole.size + parts->fraction.size == 0) return false;
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        bool is_negative = scan_sign(text, &at);
        vc_str digits = scan_digits(text, &at);
        if (digits.size == 0) return false;
        int exponent = 0;
        for (size_t i = 0; i < digits.size && exponent < EXPONENT_LIMIT; i++)
            exponent = exponent * 10 + (digits.data[i] - '0');
        if (exponent > EXPONENT_LIMIT) exponent = EXPONENT_LIMIT;
        parts->exponent = is_negative ? -exponent : exponent;
    }
    return at == text.size;
}

vc_parse vc_parse_int(vc_str text, int64_t *out)
{
    size_t at = 0;
    bool is_negative = scan_sign(text, &at);
    if (at == text.size) return VC_PARSE_BAD;
    /* Up to 18 digits cannot overflow: the common case has no check in the loop. */
    int64_t value = 0;
    size_t safe_end = text.size - at > 18 ? at + 18 : text.size;
    for (; at < safe_end; at++) {
        if (!is_digit(text.data[at])) return VC_PARSE_BAD;
        value = value * 10 + (text.data[at] - '0');
    }
    if (is_negative) value = -value;
    bool is_too_large = false;
    for (; at < text.size; at++) {
        if (!is_digit(text.data[at])) return VC_PARSE_BAD;
        int digit = is_negative ? '0' - text.data[at] : text.data[at] - '0';
        is_too_large |= __builtin_mul_overflow(value, 10, &value);
        is_too_large |= __builtin_add_overflow(value, digit, &value);
    }
    if (is_too_large) return VC_PARSE_OVERFLOW;
    *out = value;
    return VC_PARSE_OK;
}

/* The digit of weight 10^-(i - whole.size + 1), counted from the left over both parts. */
static int digit_at(const number_parts *parts, size_t i)
{
    return i < parts->whole.size ? parts->whole.data[i] - '0'
                                 : parts->fraction.data[i - parts->whole.size] - '0';
}

vc_parse vc_parse_decimal(vc_str text, unsigned scale, char point, int64_t *out)
{
    assert(scale <= 18);
    number_parts parts;
    if (!scan_number(text, point, &parts)) return VC_PARSE_BAD;
    size_t ndigits = parts.whole.size + parts.fraction.size;
    /* How many of the digits stand left of the scaled point; more than there are means zeros. */
    long long nkept = (long long)parts.whole.size + parts.exponent + (long long)scale;
    int64_t value = 0;
    bool is_too_large = false, is_inexact = false;
    size_t i = 0;
    for (; i < ndigits && (long long)i < nkept; i++) {
        int digit = parts.is_negative ? -digit_at(&parts, i) : digit_at(&parts, i);
        is_too_large |= __builtin_mul_overflow(value, 10, &value);
        is_too_large |= __builtin_add_overflow(value, digit, &value);
    }
    for (size_t rest = i; rest < ndigits; rest++)
        is_inexact |= digit_at(&parts, rest) != 0;
    for (long long zeros = nkept - (long long)i; zeros > 0 && value != 0 && !is_too_large; zeros--)
        is_too_large |= __builtin_mul_overflow(value, 10, &value);
    if (is_too_large) return VC_PARSE_OVERFLOW;
    if (is_inexact) return VC_PARSE_INEXACT;
    *out = value;
    return VC_PARSE_OK;
}

/* strtod in the C locale, on text of bounded size: no double needs more than 770 significant
 * digits to be rounded correctly, and what follows them matters only by being zero or not. */
static double convert_slowly(const number_parts *parts)
{
    enum { MAX_DIGITS = 780 };
    char digits[MAX_DIGITS + 32];
    size_t count = 0, ndigits = parts->whole.size + parts->fraction.size, i = 0;
    while (i < ndigits && digit_at(parts, i) == 0)
        i++;
    for (; i < ndigits && count < MAX_DIGITS; i++)
        digits[count++] = (char)('0' + digit_at(parts, i));
    size_t ncut = ndigits - i;
    long long exponent = parts->exponent + (long long)ncut - (long long)parts->fraction.size;
    for (; i < ndigits; i++)
        if (digit_at(parts, i) != 0) {
            digits[count++] = '1';
            exponent--;
            break;
        }
    if (count == 0) digits[count++] = '0';
    snprintf(digits + count, sizeof digits - count, "e%lld", exponent);
    return strtod(digits, NULL);
}

vc_parse vc_parse_double(vc_str text, char point, double *out)
{
    number_parts parts;
    if (!scan_number(text, point, &parts)) return VC_PARSE_BAD;
    size_t ndigits = parts.whole.size + parts.fraction.size;
    long long exponent = (long long)parts.exponent - (long long)parts.fraction.size;
    double value;
    if (ndigits <= 15 && exponent >= -22 && exponent <= 22) {
        /* Digits and power are exact doubles, so one operation rounds correctly (Clinger 1990). */
        int64_t digits = 0;
        for (size_t i = 0; i < ndigits; i++)
            digits = digits * 10 + digit_at(&parts, i);
        value = exponent < 0 ? (double)digits / exact_powers[-exponent]
                             : (double)digits * exact_powers[exponent];
    } else {
        value = convert_slowly(&parts);
    }
    if (isinf(value)) return VC_PARSE_OVERFLOW;
    *out = parts.is_negative ? -value : value;
    return VC_PARSE_OK;
}

bool vc_str_is_number(vc_str text)
{
    number_parts parts;
    return text.size > 0 && memchr(text.data, 'e', text.size) == NULL &&
           memchr(text.data, 'E', text.size) == NULL && scan_number(text, '.', &parts) &&
           parts.whole.size > 0;
}

/* ---- bytes ---- */

/* What stands behind the digits, as a factor; 0: something else. */
static uint64_t factor_of(vc_str unit)
{
    static const char letters[] = "KMGT";
    uint64_t factor = 1;
    if (unit.size > 0 && unit.data[unit.size - 1] == 'B') unit.size--;
    if (unit.size == 0) return 1;
    const char *letter = memchr(letters, unit.data[0] == 'k' ? 'K' : unit.data[0], 4);
    bool is_binary = unit.size == 2 && unit.data[1] == 'i';
    if (letter == NULL || (unit.size != 1 && !is_binary)) return 0;
    for (const char *step = letters; step <= letter; step++)
        factor *= is_binary ? 1024 : 1000;
    return factor;
}

vc_parse vc_parse_bytes(vc_str text, uint64_t *out)
{
    size_t ndigits = 0;
    int64_t number;
    uint64_t bytes;
    while (ndigits < text.size && is_digit(text.data[ndigits]))
        ndigits++;
    if (ndigits == 0) return VC_PARSE_BAD;
    uint64_t factor = factor_of((vc_str){text.data + ndigits, text.size - ndigits});
    vc_parse parse = vc_parse_int((vc_str){text.data, ndigits}, &number);
    if (factor == 0 || (parse == VC_PARSE_OK && number == 0)) return VC_PARSE_BAD;
    if (parse != VC_PARSE_OK || __builtin_mul_overflow((uint64_t)number, factor, &bytes) ||
        bytes > INT64_MAX)
        return VC_PARSE_OVERFLOW;
    *out = bytes;
    return VC_PARSE_OK;
}
