#include "report/palette.h"

#include <criterion/criterion.h>
#include <math.h>

/* Linear light of a colour as people see it who lack one kind of cone: matrices of Machado,
 * Oliveira and Fernandes (2009), severity 1. */
static const double sights[4][3][3] = {
    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
    {{0.152286, 1.052583, -0.204868},
     {0.114503, 0.786281, 0.099216},
     {-0.003882, -0.048116, 1.051998}},
    {{0.367322, 0.860646, -0.227968},
     {0.280085, 0.672501, 0.047413},
     {-0.011820, 0.042940, 0.968881}},
    {{1.255528, -0.076749, -0.178779},
     {-0.078411, 0.930809, 0.147602},
     {0.004733, 0.691367, 0.303900}},
};

static void oklab(uint32_t colour, const double sight[3][3], double lab[3])
{
    static const double to_cones[3][3] = {{0.4122214708, 0.5363325363, 0.0514459929},
                                          {0.2119034982, 0.6806995451, 0.1073969566},
                                          {0.0883024619, 0.2817188376, 0.6299787005}};
    static const double to_lab[3][3] = {{0.2104542553, 0.7936177850, -0.0040720468},
                                        {1.9779984951, -2.4285922050, 0.4505937099},
                                        {0.0259040371, 0.7827717662, -0.8086757660}};
    double light[3], seen[3], cones[3];
    for (int i = 0; i < 3; i++) {
        double part = (colour >> (16 - 8 * i) & 0xFF) / 255.0;
        light[i] = part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4);
    }
    for (int i = 0; i < 3; i++) {
        seen[i] = sight[i][0] * light[0] + sight[i][1] * light[1] + sight[i][2] * light[2];
        seen[i] = fmax(0, fmin(seen[i], 1));
    }
    for (int i = 0; i < 3; i++)
        cones[i] =
            cbrt(to_cones[i][0] * seen[0] + to_cones[i][1] * seen[1] + to_cones[i][2] * seen[2]);
    for (int i = 0; i < 3; i++)
        lab[i] = to_lab[i][0] * cones[0] + to_lab[i][1] * cones[1] + to_lab[i][2] * cones[2];
}

/* In the eyes that tell them apart worst. 0.02 is about the least that most people notice. */
static double distance(uint32_t one, uint32_t other)
{
    double least = INFINITY;
    for (int i = 0; i < 4; i++) {
        double a[3], b[3];
        oklab(one, sights[i], a);
        oklab(other, sights[i], b);
        least = fmin(least, hypot(hypot(a[0] - b[0], a[1] - b[1]), a[2] - b[2]));
    }
    return least;
}

Test(palette, series_differ_for_everybody)
{
    for (size_t i = 0; i < VC_NSERIES_COLOURS; i++)
        for (size_t j = 0; j < i; j++) {
            double bound = i < 3 ? 0.17 : i < 5 ? 0.09 : 0.069;
            double found = distance(vc_colour_of_series(i), vc_colour_of_series(j));
            cr_assert(found >= bound, "%zu and %zu: %g", i, j, found);
        }
}

Test(palette, series_stand_out_on_white)
{
    for (size_t i = 0; i < VC_NSERIES_COLOURS; i++)
        cr_assert(vc_colour_contrast(vc_colour_of_series(i), 0xFFFFFF) >= 3, "%zu", i);
    cr_assert_eq(vc_colour_of_series(VC_NSERIES_COLOURS), vc_colour_of_series(0));
}

/* Contrasts that others compute, too. */
Test(palette, contrast)
{
    cr_assert_float_eq(vc_colour_contrast(0x000000, 0xFFFFFF), 21, 1e-9);
    cr_assert_float_eq(vc_colour_contrast(0x767676, 0xFFFFFF), 4.54, 0.005);
    cr_assert_float_eq(vc_colour_contrast(0xFFFFFF, 0x767676), 4.54, 0.005);
    cr_assert_float_eq(vc_colour_contrast(0xFF0000, 0xFFFFFF), 4.00, 0.005);
    cr_assert_float_eq(vc_colour_contrast(0x123456, 0x123456), 1, 1e-12);
}

Test(palette, ink_is_read_on_every_colour)
{
    for (uint32_t colour = 0; colour <= 0xFFFFFF; colour += 0x10101 / 37)
        cr_assert(vc_colour_contrast(colour, vc_colour_of_ink(colour)) >= 4.5, "%06x", colour);
    cr_assert_eq(vc_colour_of_ink(0xFFFFFF), 0x1A1A1A);
    cr_assert_eq(vc_colour_of_ink(0x0072B2), 0xFFFFFF);
}

/* Darker with every step, and never so alike that a step is lost. */
Test(palette, scale_of_shares)
{
    for (int i = 1; i <= 20; i++) {
        uint32_t lighter = vc_colour_of_share((i - 1) / 20.0),
                 darker = vc_colour_of_share(i / 20.0);
        cr_assert(vc_colour_contrast(darker, 0xFFFFFF) > vc_colour_contrast(lighter, 0xFFFFFF));
        cr_assert(distance(lighter, darker) >= 0.02, "%d", i);
    }
    cr_assert_eq(vc_colour_of_share(-1), vc_colour_of_share(0));
    cr_assert_eq(vc_colour_of_share(2), vc_colour_of_share(1));
    cr_assert_eq(vc_colour_of_share(NAN), vc_colour_of_share(0));
    cr_assert_eq(vc_colour_of_share(INFINITY), vc_colour_of_share(1));
}

/* Lightest in the middle, and its sides are of hues that everybody tells apart. */
Test(palette, scale_of_balances)
{
    for (int i = 1; i <= 10; i++) {
        uint32_t below = vc_colour_of_balance(-i / 10.0), above = vc_colour_of_balance(i / 10.0);
        cr_assert(vc_colour_contrast(below, 0xFFFFFF) >
                  vc_colour_contrast(vc_colour_of_balance((1 - i) / 10.0), 0xFFFFFF));
        cr_assert(vc_colour_contrast(above, 0xFFFFFF) >
                  vc_colour_contrast(vc_colour_of_balance((i - 1) / 10.0), 0xFFFFFF));
        cr_assert(distance(below, above) >= 0.018 * i, "%d: %g", i, distance(below, above));
    }
    cr_assert_eq(vc_colour_of_balance(-9), vc_colour_of_balance(-1));
    cr_assert_eq(vc_colour_of_balance(9), vc_colour_of_balance(1));
    cr_assert_eq(vc_colour_of_balance(NAN), vc_colour_of_balance(0));
    cr_assert(vc_colour_contrast(vc_colour_of_balance(0), 0xFFFFFF) < 1.2);
}
