#include "report/map.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const vc_map_country *find(const char *code)
{
    return vc_map_find(vc_str_of(code));
}

Test(map, finds_countries_by_their_code)
{
    static const char *const codes[] = {"ABW", "FRA", "XKX", "ZWE", "TUV", "SSD", "TWN", "PSE"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        cr_assert(find(codes[i]) != NULL, "%s", codes[i]);
        cr_assert(eq(str, (char *)find(codes[i])->code, (char *)codes[i]));
    }
    static const char *const others[] = {"ATA", "XYZ", "FR", "fra", "FRAN", "", "AAA", "ZZZ"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_assert(find(others[i]) == NULL, "%s", others[i]);
    cr_assert(vc_map_find((vc_str){0}) == NULL);
}

/* Every corner on the map, and rings as the countries say. */
Test(map, data_are_whole)
{
    size_t ring = 0, corner = 0;
    cr_assert(ge(sz, vc_map_ncountries, 215));
    for (size_t i = 0; i < vc_map_ncountries; i++) {
        const vc_map_country *country = &vc_map_countries[i];
        cr_assert(i == 0 || strcmp(vc_map_countries[i - 1].code, country->code) < 0);
        cr_assert(country->x >= 0 && country->x <= vc_map_width, "%s", country->code);
        cr_assert(country->y >= 0 && country->y <= vc_map_height, "%s", country->code);
        cr_assert(eq(sz, country->ring, ring), "%s", country->code);
        cr_assert(eq(sz, country->corner, corner), "%s", country->code);
        for (size_t r = 0; r < country->nrings; r++) {
            uint32_t ncorners = vc_map_rings[ring++];
            cr_assert(ge(u32, ncorners, 3));
            for (size_t k = 0; k < ncorners; k++, corner++) {
                int16_t x = vc_map_points[2 * corner], y = vc_map_points[2 * corner + 1];
                cr_assert(x >= 0 && x <= vc_map_width && y >= 0 && y <= vc_map_height, "%s",
                          country->code);
            }
        }
    }
}

/* Of its rings, holes taken off: even-odd, as they are drawn. */
static double area_of(const char *code)
{
    const vc_map_country *country = find(code);
    const int16_t *points = vc_map_points + 2 * country->corner;
    double area = 0;
    for (size_t r = 0; r < country->nrings; r++) {
        size_t n = vc_map_rings[country->ring + r];
        for (size_t i = 0; i < n; i++) {
            const int16_t *a = points + 2 * i, *b = points + 2 * ((i + 1) % n);
            area += (double)a[0] * b[1] - (double)b[0] * a[1];
        }
        points += 2 * n;
    }
    return fabs(area / 2);
}

/* An equal-area projection: areas are as in any almanac (1000 km2), less what was simplified. */
Test(map, areas_compare)
{
    static const struct {
        const char *code;
        double area;
    } almanac[] = {{"RUS", 17098}, {"CAN", 9985}, {"BRA", 8516}, {"AUS", 7692}, {"COD", 2345},
                   {"GRL", 2166},  {"FIN", 338},  {"DEU", 358},  {"IND", 3287}, {"ARG", 2780}};
    double each = area_of("BRA") / 8516;
    for (size_t i = 0; i < sizeof almanac / sizeof almanac[0]; i++)
        cr_assert_float_eq(area_of(almanac[i].code) / each, almanac[i].area, 0.08 * almanac[i].area,
                           "%s: %g", almanac[i].code, area_of(almanac[i].code) / each);
}

/* Russia and Fiji reach over the antimeridian: no edge crosses the whole map. */
Test(map, nothing_goes_around_the_back)
{
    for (size_t i = 0; i < vc_map_ncountries; i++) {
        const int16_t *points = vc_map_points + 2 * vc_map_countries[i].corner;
        for (size_t r = 0; r < vc_map_countries[i].nrings; r++) {
            size_t n = vc_map_rings[vc_map_countries[i].ring + r];
            for (size_t k = 1; k < n; k++)
                cr_assert(abs(points[2 * k] - points[2 * k - 2]) < vc_map_width / 8, "%s",
                          vc_map_countries[i].code);
            points += 2 * n;
        }
    }
}
