/* The texts of doubles are those of the plain way, which tries one number of digits after the
 * other: at the ends of all exponents, at powers, at short decimals, and for random bits. */
#include "base/powers.h"
#include "base/shortest.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NRANDOM = 300000, NEIGHBOURS = 3 };

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15); /* SplitMix64 */
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static double of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void compare(double value)
{
    char text[VC_NUMBER_TEXT], plain[VC_NUMBER_TEXT];
    if (!isfinite(value)) return;
    size_t size = vc_format_double(text, value),
           plain_size = vc_format_double_plainly(plain, value);
    if (size != plain_size || size != strlen(text) || strcmp(text, plain) != 0)
        cr_assert_fail("%a: found %s, expected %s", value, text, plain);
}

/* And those beside it, with both signs. */
static void compare_around(double value)
{
    double above = value, below = value;
    for (int i = 0; i < NEIGHBOURS; i++) {
        compare(above);
        compare(-below);
        above = nextafter(above, INFINITY);
        below = nextafter(below, 0);
    }
}

Test(shortest, powers_of_two)
{
    for (int exponent = -1074; exponent < 1024; exponent++)
        compare_around(ldexp(1, exponent));
}

Test(shortest, powers_of_ten_and_their_multiples)
{
    char text[32];
    for (int exponent = -324; exponent < 309; exponent++)
        for (int digit = 1; digit < 10; digit++) {
            snprintf(text, sizeof text, "%de%d", digit, exponent);
            compare_around(strtod(text, NULL));
        }
}

Test(shortest, every_exponent)
{
    uint64_t state = 5;
    for (uint64_t exponent = 0; exponent < 2047; exponent++) {
        for (int i = 0; i < 16; i++)
            compare(of_bits(exponent << 52 | next_random(&state) >> 12));
        for (int bit = 0; bit < 52; bit++) {
            compare(of_bits(exponent << 52 | UINT64_C(1) << bit));
            compare(of_bits(exponent << 52 | ((UINT64_C(1) << 52) - (UINT64_C(1) << bit))));
        }
    }
}

Test(shortest, smallest_and_largest)
{
    for (uint64_t bits = 0; bits < 20000; bits++)
        compare(of_bits(bits));
    compare_around(2.2250738585072014e-308); /* the smallest normal one */
    compare_around(1.7976931348623157e308);
}

Test(shortest, random_bits)
{
    uint64_t state = 1;
    for (int i = 0; i < NRANDOM; i++)
        compare(of_bits(next_random(&state)));
}

/* What cubes hold: decimals of all lengths, also those of more than 15 digits. */
Test(shortest, random_decimals)
{
    uint64_t state = 2;
    char text[48];
    for (int i = 0; i < NRANDOM; i++) {
        uint64_t bits = next_random(&state), digits = next_random(&state) >> (bits & 63);
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)digits,
                 (int)(bits >> 32 & 63) - 40);
        compare(strtod(text, NULL));
    }
}

/* Of a normal power of two the plain way is asked. */
Test(shortest, powers_of_two_are_left)
{
    vc_decimal decimal;
    cr_assert_not(vc_shortest_decimal(ldexp(1, -44), &decimal));
    cr_assert(vc_shortest_decimal(ldexp(1, -1074), &decimal)); /* as far to both sides */
    cr_assert_eq(decimal.digits, 5);
    cr_assert_eq(decimal.exponent, -324);
    cr_assert(vc_shortest_decimal(1.0 / 3, &decimal));
    cr_assert_eq(decimal.digits, UINT64_C(3333333333333333));
    cr_assert_eq(decimal.exponent, -16);
}

/* ---- integers and scaled integers ---- */

/* By printf, cut at the zeros. */
static void compare_decimal(int64_t scaled, unsigned scale)
{
    char text[VC_NUMBER_TEXT], plain[2 * VC_NUMBER_TEXT], digits[VC_NUMBER_TEXT];
    uint64_t size_of_it = scaled < 0 ? -(uint64_t)scaled : (uint64_t)scaled;
    snprintf(digits, sizeof digits, "%0*llu", (int)scale + 1, (unsigned long long)size_of_it);
    size_t whole = strlen(digits) - scale;
    snprintf(plain, sizeof plain, "%s%.*s.%s", scaled < 0 ? "-" : "", (int)whole, digits,
             digits + whole);
    for (size_t end = strlen(plain); plain[--end] == '0' || plain[end] == '.';) {
        bool is_point = plain[end] == '.';
        plain[end] = '\0';
        if (is_point) break;
    }
    cr_assert_eq(vc_format_decimal(text, scaled, scale), strlen(plain), "%s, not %s", text, plain);
    cr_assert_str_eq(text, plain);
    if (scale > 0) return;
    cr_assert_eq(vc_format_int(text, scaled), strlen(plain));
    cr_assert_str_eq(text, plain);
}

Test(shortest, scaled_integers)
{
    uint64_t state = 3;
    for (unsigned scale = 0; scale <= 18; scale++) {
        int64_t power = 1;
        for (int exponent = 0; exponent <= 18; exponent++, power = exponent <= 18 ? power * 10 : 0)
            for (int64_t step = -1; step <= 1; step++) {
                compare_decimal(power + step, scale);
                compare_decimal(-(power + step), scale);
            }
        compare_decimal(INT64_MAX, scale);
        compare_decimal(INT64_MIN, scale);
        for (int i = 0; i < 4000; i++) {
            uint64_t bits = next_random(&state);
            compare_decimal((int64_t)bits >> (bits & 63), scale);
        }
    }
}
