/* Series: blue, vermillion, green and reddish purple are those of Okabe and Ito ("Color Universal
 * Design", 2008, https://jfly.uni-koeln.de/color/), purple is one of Tol's "bright" scheme (SRON
 * technical note SRON/EPS/TN/09-002, 2021); navy, brown and dark teal fill the gaps that these
 * leave in lightness. The other colours of those sets have less than 3:1 on white. The order is
 * greedy: each is the one farthest from those before it, in the worst of normal, protan, deutan and
 * tritan sight as Machado, Oliveira and Fernandes (IEEE TVCG 15, 2009) compute them, so that charts
 * of few series have the colours that are easiest to tell apart.
 *
 * Scales: even steps of lightness in Oklab (B. Ottosson, "A perceptual color space for image
 * processing", 2020), so that equal steps of a value look equal, and print well in grey.
 */
#include "report/palette.h"

#include <math.h>

uint32_t vc_colour_of_series(size_t number)
{
    static const uint32_t colours[VC_NSERIES_COLOURS] = {0x0072B2, 0xD55E00, 0x1B3A6B, 0x7F4A00,
                                                         0xCC79A7, 0x005F56, 0x009E73, 0xAA3377};
    return colours[number % VC_NSERIES_COLOURS];
}

/* At `place` (0..1) of a way through colours. */
static uint32_t colour_between(const uint32_t *colours, size_t ncolours, double place)
{
    double at = place * (double)(ncolours - 1);
    size_t first = (size_t)at;
    if (first > ncolours - 2) first = ncolours - 2;
    double share = at - (double)first;
    uint32_t colour = 0;
    for (unsigned shift = 0; shift <= 16; shift += 8) {
        double from = colours[first] >> shift & 0xFF, to = colours[first + 1] >> shift & 0xFF;
        colour |= (uint32_t)(from + (to - from) * share + 0.5) << shift;
    }
    return colour;
}

uint32_t vc_colour_of_share(double share)
{
    static const uint32_t colours[] = {0xF0F4D2, 0xBCE4B2, 0x80D3A8, 0x3DBDA7, 0x00A3A4,
                                       0x00879A, 0x006B8D, 0x1F5074, 0x29394F};
    return colour_between(colours, sizeof colours / sizeof colours[0],
                          share > 0 ? fmin(share, 1) : 0);
}

uint32_t vc_colour_of_balance(double balance)
{
    static const uint32_t colours[] = {0x773500, 0xA55B28, 0xC58C69, 0xE2BEA8, 0xF1F4F7,
                                       0xAEC9E7, 0x719FCE, 0x3575B2, 0x004C87};
    double share = isnan(balance) ? 0.5 : (fmax(-1, fmin(balance, 1)) + 1) / 2;
    return colour_between(colours, sizeof colours / sizeof colours[0], share);
}

/* WCAG 2.2, "relative luminance". */
static double luminance(uint32_t colour)
{
    static const double weights[] = {0.0722, 0.7152, 0.2126};
    double sum = 0;
    for (unsigned i = 0; i < 3; i++) {
        double part = (colour >> 8 * i & 0xFF) / 255.0;
        sum += weights[i] * (part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4));
    }
    return sum;
}

double vc_colour_contrast(uint32_t one, uint32_t other)
{
    double a = luminance(one), b = luminance(other);
    return (fmax(a, b) + 0.05) / (fmin(a, b) + 0.05);
}

/* Of black and white one always has 4.58 and more. */
uint32_t vc_colour_of_ink(uint32_t background)
{
    static const uint32_t dark = 0x1A1A1A, light = 0xFFFFFF;
    double with_dark = vc_colour_contrast(dark, background);
    double with_light = vc_colour_contrast(light, background);
    if (fmax(with_dark, with_light) < 4.5) return 0x000000;
    return with_dark >= with_light ? dark : light;
}
