/* The shortest decimal of a double, after Raffaello Giulietti, "The Schubfach way to render
 * doubles" (2020, revised 2022).
 *
 * A double c * 2^q is what every number within half a unit, 2^(q-1), of it is read as, the ends
 * of the interval included where c is even. Let 10^k be the largest power of ten that is not above
 * the unit. A grid of such steps has a point in the interval, one of ten times the step has at most
 * one (the pigeonholes), so two divisions of the value, rounded down, give all candidates. They are
 * compared as integers, in quarters of 10^k: products with 128 bits of 10^-k, in which the last bit
 * tells that something follows it.
 *
 * The powers of two that are left out have an interval that is narrower below than above. */
#include "base/shortest.h"

#include "base/powers.h"

#include <string.h>

enum { FRACTION_BITS = 52, LEAST_EXPONENT = -1074 };

/* Both exact for the exponents that occur (section 8.3 of the paper has the idea; tests ask all).
 */
static int floor_log10_of_power_of_2(int exponent)
{
    return (int)((int64_t)exponent * 1262611 >> 22);
}

static int floor_log2_of_power_of_10(int exponent)
{
    return (int)((int64_t)exponent * 1741647 >> 19);
}

/* The upper 64 of the 192 bits of power * factor, the last bit set when something follows them. The
 * power is up to one unit too large, which is less than a unit of the word that is looked at. */
static uint64_t multiply(const uint64_t power[2], uint64_t factor)
{
    unsigned __int128 lower = (unsigned __int128)power[1] * factor;
    unsigned __int128 upper = (unsigned __int128)power[0] * factor + (uint64_t)(lower >> 64);
    return (uint64_t)(upper >> 64) | ((uint64_t)upper != 0);
}

static vc_decimal without_zeros(uint64_t digits, int exponent)
{
    if (digits % 100000000 == 0) {
        digits /= 100000000;
        exponent += 8;
    }
    if (digits % 10000 == 0) {
        digits /= 10000;
        exponent += 4;
    }
    while (digits % 10 == 0) {
        digits /= 10;
        exponent++;
    }
    return (vc_decimal){digits, exponent};
}

bool vc_shortest_decimal(double value, vc_decimal *decimal_out)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t c = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    int q = LEAST_EXPONENT, biased = (int)(bits >> FRACTION_BITS);
    if (biased > 0) {
        if (c == 0) return false;
        c |= UINT64_C(1) << FRACTION_BITS;
        q += biased - 1;
    }

    int k = floor_log10_of_power_of_2(q), shift = q + floor_log2_of_power_of_10(-k) + 1;
    const uint64_t *power = vc_powers_of_ten[-k - VC_FIRST_POWER];
    uint64_t here = multiply(power, 4 * c << shift); /* all in quarters of 10^k */
    uint64_t first = multiply(power, (4 * c - 2) << shift);
    uint64_t last = multiply(power, (4 * c + 2) << shift);
    first += c & 1; /* an odd one does not own the ends */
    last -= c & 1;

    uint64_t below = here / 4, tens = below / 10;
    bool is_low = first <= 40 * tens, is_high = 40 * tens + 40 <= last;
    if (is_low != is_high) {
        *decimal_out = without_zeros(tens + is_high, k + 1);
        return true;
    }
    is_low = first <= 4 * below;
    is_high = 4 * below + 4 <= last;
    uint64_t middle = 4 * below + 2;
    bool is_nearer_above = here > middle || (here == middle && (below & 1) != 0);
    *decimal_out = (vc_decimal){below + (is_low != is_high ? is_high : is_nearer_above), k};
    return true;
}
