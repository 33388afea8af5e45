/* The writing of numbers of base/text.h. Digits are made eight at a time, as the bytes of a word in
 * the order of the text, so that what is cut off, or moved by a point, is shifted. */
#include "base/shortest.h"
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t powers_of_ten[20] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first digit is the lowest byte");

#define ZEROS UINT64_C(0x3030303030303030)

/* ---- integers ---- */

/* The eight digits of a number below 10^8 as bytes of 0 to 9, the first the lowest: halves, then
 * quarters, then digits, all at once by multiplying with rounded reciprocals, which is exact for
 * numbers this small (P. Khuong, "How to print integers really fast", 2017). */
static uint64_t eight_digits(uint32_t value)
{
    uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x0000007F0000007F);
    uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = twos * 103 >> 10 & UINT64_C(0x000F000F000F000F);
    return tens | (twos - 10 * tens) << 8;
}

static void put_word(char *text, uint64_t word)
{
    memcpy(text, &word, sizeof word);
}

static void put_eight(char *text, uint32_t value)
{
    put_word(text, eight_digits(value) | ZEROS);
}

/* Without zeros in front; writes eight bytes. Returns the number of digits. */
static size_t put_small(char *text, uint32_t value)
{
    uint64_t digits = eight_digits(value);
    unsigned nzeros = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) / 8;
    put_word(text, (digits | ZEROS) >> 8 * nzeros);
    return 8 - nzeros;
}

/* And a NUL behind them; writes up to eight bytes more. */
static size_t write_digits(char *text, uint64_t value)
{
    enum { EIGHT = 100000000 };
    uint64_t upper = value / EIGHT;
    size_t count;
    if (upper == 0) {
        count = put_small(text, (uint32_t)value);
    } else {
        if (upper < EIGHT) {
            count = put_small(text, (uint32_t)upper);
        } else {
            count = put_small(text, (uint32_t)(upper / EIGHT));
            put_eight(text + count, (uint32_t)(upper % EIGHT));
            count += 8;
        }
        put_eight(text + count, (uint32_t)(value % EIGHT));
        count += 8;
    }
    text[count] = '\0';
    return count;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

size_t vc_format_int(char *text, int64_t value)
{
    size_t size = 0;
    if (value < 0) text[size++] = '-';
    return size + write_digits(text + size, magnitude(value));
}

/* ---- decimals ---- */

enum { MOST_DIGITS = 20, SHIFTED_DIGITS = 16 };

/* digits * 10^-scale, of any size. */
static size_t write_long_decimal(char *text, uint64_t digits, unsigned scale)
{
    char written[VC_NUMBER_TEXT]; /* copied in one piece, with what is behind it */
    for (; scale > 0 && digits % 10 == 0; scale--)
        digits /= 10;
    size_t count = write_digits(written, digits), whole = count > scale ? count - scale : 0;
    if (scale == 0) {
        memcpy(text, written, MOST_DIGITS + 1);
        return count;
    }
    if (whole > 0) {
        memcpy(text, written, MOST_DIGITS);
        text[whole] = '.';
        memcpy(text + whole + 1, written + whole, MOST_DIGITS);
        text[++count] = '\0';
        return count;
    }
    text[0] = '0';
    text[1] = '.';
    memset(text + 2, '0', scale - count);
    memcpy(text + 2 + scale - count, written, MOST_DIGITS + 1);
    return 2 + scale;
}

/* digits * 10^-scale without zeros at its end: (1230, 4) is "0.123". */
static size_t write_decimal(char *text, uint64_t digits, unsigned scale)
{
    enum { EIGHT = 100000000 };
    if (scale == 0) return write_digits(text, digits);
    if (digits >= (uint64_t)EIGHT * EIGHT || scale >= SHIFTED_DIGITS)
        return write_long_decimal(text, digits, scale);
    uint64_t upper = eight_digits((uint32_t)(digits / EIGHT));
    uint64_t lower = eight_digits((uint32_t)(digits % EIGHT));
    unsigned first = upper != 0   ? (unsigned)__builtin_ctzll(upper) / 8
                     : lower != 0 ? 8 + (unsigned)__builtin_ctzll(lower) / 8
                                  : SHIFTED_DIGITS;
    unsigned end = lower != 0   ? SHIFTED_DIGITS - (unsigned)__builtin_clzll(lower) / 8
                   : upper != 0 ? 8 - (unsigned)__builtin_clzll(upper) / 8
                                : 0;
    unsigned point = SHIFTED_DIGITS - scale; /* in front of this digit; at least one before it */
    if (first >= point) first = point - 1;
    if (end < point) end = point;
    unsigned __int128 all = (unsigned __int128)(lower | ZEROS) << 64 | upper | ZEROS;
    unsigned __int128 whole = all >> 8 * first, fraction = all >> 8 * point;
    size_t nwhole = point - first, nfraction = end - point;
    memcpy(text, &whole, sizeof whole);
    text[nwhole] = '.';
    memcpy(text + nwhole + 1, &fraction, sizeof fraction);
    size_t size = nwhole + (nfraction > 0) + nfraction;
    text[size] = '\0';
    return size;
}

size_t vc_format_decimal(char *text, int64_t scaled, unsigned scale)
{
    assert(scale <= 18);
    size_t size = 0;
    if (scaled < 0) text[size++] = '-';
    return size + write_decimal(text + size, magnitude(scaled), scale);
}

/* ---- doubles ---- */

/* 10^0 .. 10^9 are exact doubles. */
static const double exact_powers[10] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

/* Most numbers in cubes are short decimals. n / 10^k with n < 10^15 rounds correctly, so when it
 * gives the value back, these digits are the shortest that do: k is the smallest, and no two texts
 * of at most 15 digits are the same double. */
static size_t format_short_decimal(char *text, double value)
{
    for (unsigned scale = 0; scale <= 9; scale++) {
        double scaled = value * exact_powers[scale];
        if (fabs(scaled) >= 1e15) return 0;
        int64_t digits = llrint(scaled);
        if ((double)digits / exact_powers[scale] == value)
            return vc_format_decimal(text, digits, scale);
    }
    return 0;
}

size_t vc_format_double_plainly(char *text, double value)
{
    assert(isfinite(value));
    size_t size = format_short_decimal(text, value);
    if (size > 0) return size;
    /* 15 digits are the shortest for a normal double whenever they suffice, %g drops the zeros;
     * a denormal has fewer good ones. */
    int first = fabs(value) < 2.2250738585072014e-308 ? 1 : 15;
    for (int digits = first; digits <= 17; digits++) {
        size = (size_t)snprintf(text, VC_NUMBER_TEXT, "%.*g", digits, value);
        if (digits == 17 || strtod(text, NULL) == value) break;
    }
    return size;
}

/* 1233 / 4096 is just above the logarithm of 2. */
static int count_digits(uint64_t value)
{
    int about = (64 - __builtin_clzll(value | 1)) * 1233 >> 12;
    return about + (value >= powers_of_ten[about]);
}

/* d.ddde-05: at least two digits of exponent. */
static size_t write_scientific(char *text, uint64_t digits, int exponent)
{
    size_t count = write_digits(text + 1, digits), size = count + 1;
    text[0] = text[1];
    text[1] = '.';
    if (count == 1) size = 1;
    text[size++] = 'e';
    text[size++] = exponent < 0 ? '-' : '+';
    unsigned distance = (unsigned)abs(exponent);
    if (distance < 10) text[size++] = '0';
    return size + write_digits(text + size, distance);
}

/* With a point as long as vc_format_double_plainly has it: numbers of at most 15 digits with no
 * more than 9 behind the point, others as "%.15g" to "%.17g" write them. */
static size_t write_shortest(char *text, vc_decimal decimal)
{
    int count = count_digits(decimal.digits), exponent = decimal.exponent + count - 1;
    int precision = count > 15 ? count : 15;
    bool is_short = decimal.exponent >= -9 && exponent < 15;
    if (!is_short && (exponent < -4 || exponent >= precision))
        return write_scientific(text, decimal.digits, exponent);
    if (decimal.exponent <= 0)
        return write_decimal(text, decimal.digits, (unsigned)-decimal.exponent);
    return write_digits(text, decimal.digits * powers_of_ten[decimal.exponent]);
}

size_t vc_format_double(char *text, double value)
{
    assert(isfinite(value));
    size_t size = 0;
    double above = fabs(value);
    vc_decimal decimal;
    if (value < 0) text[size++] = '-';
    if (above < 1e11) {
        /* Most numbers in cubes: see format_short_decimal. */
        uint64_t scaled = (uint64_t)(above * 1e4 + 0.5);
        if ((double)scaled / 1e4 == above) return size + write_decimal(text + size, scaled, 4);
    }
    if (!vc_shortest_decimal(above, &decimal)) return vc_format_double_plainly(text, value);
    return size + write_shortest(text + size, decimal);
}

/* ---- for people ---- */

size_t vc_format_count(char *text, uint64_t count)
{
    char digits[VC_NUMBER_TEXT];
    int ndigits = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t at = 0;
    for (int i = 0; i < ndigits; i++) {
        if (i > 0 && (ndigits - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return at;
}

size_t vc_format_bytes(char *text, uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    double value = (double)bytes / 1000;
    size_t unit = 0;
    if (bytes < 1000) return (size_t)snprintf(text, VC_NUMBER_TEXT, "%u B", (unsigned)bytes);
    while (value >= 999.95 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    return (size_t)snprintf(text, VC_NUMBER_TEXT, "%.1f %s", value, units[unit]);
}
