#include "dimensions/order.h"

#include <string.h>

/* ---- numbers ---- */

/* A plain number without its insignificant zeros; 0 has neither digits nor a sign. */
typedef struct number {
    bool is_negative;
    vc_str whole, fraction;
} number;

static number split_number(vc_str text)
{
    number result = {0};
    if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        result.is_negative = text.data[0] == '-';
        text.data++, text.size--;
    }
    vc_str fraction = text;
    vc_str whole = vc_str_split(&fraction, '.');
    while (whole.size > 0 && whole.data[0] == '0')
        whole.data++, whole.size--;
    while (fraction.size > 0 && fraction.data[fraction.size - 1] == '0')
        fraction.size--;
    if (whole.size == 0 && fraction.size == 0) result.is_negative = false;
    result.whole = whole;
    result.fraction = fraction;
    return result;
}

static int compare_bytes(vc_str a, vc_str b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_magnitudes(const number *a, const number *b)
{
    if (a->whole.size != b->whole.size) return a->whole.size < b->whole.size ? -1 : 1;
    int order = compare_bytes(a->whole, b->whole);
    return order != 0 ? order : compare_bytes(a->fraction, b->fraction);
}

int vc_number_compare(vc_str a, vc_str b)
{
    number left = split_number(a), right = split_number(b);
    if (left.is_negative != right.is_negative) return left.is_negative ? -1 : 1;
    return left.is_negative ? compare_magnitudes(&right, &left) : compare_magnitudes(&left, &right);
}

/* The whole part, cut off at what 18 digits can hold. */
uint64_t vc_number_prefix(vc_str text)
{
    number parts = split_number(text);
    int64_t value = 0;
    if (parts.whole.size > 18) {
        value = INT64_MAX;
    } else {
        for (size_t i = 0; i < parts.whole.size; i++)
            value = value * 10 + (parts.whole.data[i] - '0');
    }
    if (parts.is_negative) value = -value;
    return (uint64_t)value ^ (UINT64_C(1) << 63);
}

/* ---- keys ---- */

uint64_t vc_bytes_prefix(vc_str text, size_t skip)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++) {
        unsigned char byte = skip + i < text.size ? (unsigned char)text.data[skip + i] : 0;
        prefix = prefix << 8 | byte;
    }
    return prefix;
}

int vc_key_compare(vc_str a, vc_str b, bool as_numbers)
{
    if (as_numbers && !vc_str_is_null(a) && !vc_str_is_null(b)) {
        bool is_number_a = vc_str_is_number(a), is_number_b = vc_str_is_number(b);
        if (is_number_a != is_number_b) return is_number_a ? -1 : 1;
        int order = is_number_a ? vc_number_compare(a, b) : 0;
        if (order != 0) return order;
    }
    return vc_str_compare(a, b);
}

static bool is_digits(vc_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    return text.size > 0;
}

vc_str vc_key_canonical_int(vc_str key, char text[static VC_NUMBER_TEXT])
{
    if (key.size <= 18 && is_digits(key) && (key.data[0] != '0' || key.size == 1)) return key;
    int64_t value;
    if (vc_parse_int(key, &value) != VC_PARSE_OK) return (vc_str){0};
    size_t size = vc_format_int(text, value);
    return (vc_str){.data = text, .size = size};
}

static unsigned two_digits(const char *data)
{
    return (unsigned)(data[0] - '0') * 10 + (unsigned)(data[1] - '0');
}

static bool is_leap_year(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool vc_key_is_date(vc_str key)
{
    static const unsigned char month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    vc_str rest = key;
    vc_str year = vc_str_split(&rest, '-');
    if (year.size != 4 || !is_digits(year)) return false;
    if (vc_str_is_null(rest)) return true;
    vc_str part = vc_str_split(&rest, '-');
    bool is_last = vc_str_is_null(rest);
    if (part.size == 2 && part.data[0] == 'Q')
        return is_last && part.data[1] >= '1' && part.data[1] <= '4';
    if (part.size == 3 && part.data[0] == 'W') {
        if (!is_last || !is_digits((vc_str){part.data + 1, 2})) return false;
        unsigned week = two_digits(part.data + 1);
        return week >= 1 && week <= 53;
    }
    if (part.size != 2 || !is_digits(part)) return false;
    unsigned month = two_digits(part.data);
    if (month < 1 || month > 12) return false;
    if (is_last) return true;
    if (rest.size != 2 || !is_digits(rest)) return false;
    unsigned day = two_digits(rest.data);
    if (day < 1 || day > month_days[month - 1]) return false;
    unsigned year_number = two_digits(year.data) * 100 + two_digits(year.data + 2);
    return month != 2 || day <= 28 || is_leap_year(year_number);
}

vc_str vc_text_shorten(vc_str text, size_t size)
{
    if (text.size <= size) return text;
    while (size > 0 && ((unsigned char)text.data[size] & 0xC0) == 0x80)
        size--;
    return (vc_str){.data = text.data, .size = size};
}
