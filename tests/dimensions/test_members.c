#include "tests/dimensions/fixture.h"
#include "tests/dimensions/specs.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#define COUNTRIES                                                                                  \
    "FRA,Europe,France,Paris,1\n"                                                                  \
    "AUT,Europe,\xC3\x96sterreich,Vienna,1\n"                                                      \
    "GBR,Europe,Great Britain,London,0\n"                                                          \
    "JPN,Asia,Japan,Tokyo,~\n"                                                                     \
    "CHN,Asia,China,Beijing,9"

struct list_case {
    char search[16];
    int parent; /* region, -1: none */
    size_t offset, limit;
    char expected[40];
    size_t ntotal;
};
ParameterizedTestParameters(members, lists)
{
    /* CHN 0, JPN 1, AUT 2, FRA 3, GBR 4 */
    static struct list_case cases[] = {
        {"", -1, 0, 100, "0 1 2 3 4", 5},
        {"", -1, 3, 100, "3 4", 5},
        {"", -1, 1, 2, "1 2", 5},
        {"", -1, 5, 2, "", 5},
        {"", -1, 99, 2, "", 5},
        {"", -1, 0, 0, "", 5},
        {"", 1, 0, 100, "2 3 4", 3},
        {"", 1, 2, 100, "4", 3},
        {"an", -1, 0, 100, "1 3", 2}, /* JApan, FrANce: by label; not Great Britain */
        {"RA", -1, 0, 100, "3", 1},   /* by key and by label, in any case */
        {"i", 1, 0, 100, "2 4", 2},   /* under one parent */
        {"a", -1, 1, 2, "1 2", 5},
        {"\xC3\xB6st", -1, 0, 9, "2", 1}, /* letters beyond ASCII have cases too */
        {"ost", -1, 0, 9, "2", 1},        /* and accents */
        {"nothing", -1, 0, 100, "", 0},
        {"GBRx", -1, 0, 100, "", 0},
    };
    return cr_make_param_array(struct list_case, cases, sizeof cases / sizeof cases[0]);
}
ParameterizedTest(struct list_case *c, members, lists)
{
    fixture geo;
    fixture_build(&geo, &geo_spec, NULL, COUNTRIES);
    vc_member_filter filter = {.level = 1,
                               .has_parent = c->parent >= 0,
                               .parent = {.level = 0, .member = (uint32_t)c->parent},
                               .search = vc_str_of(c->search),
                               .offset = c->offset,
                               .limit = c->limit};
    uint32_t *members;
    size_t nmembers, ntotal;
    vc_status status = vc_dimension_list_members(geo.dimension, &filter, &geo.arena, &members,
                                                 &nmembers, &ntotal, &geo.error);
    cr_assert_eq(status, VC_OK, "%s", geo.error.message);
    vc_buffer text = {0};
    for (size_t i = 0; i < nmembers; i++)
        vc_buffer_printf(&text, i == 0 ? "%u" : " %u", (unsigned)members[i]);
    cr_assert_str_eq(vc_buffer_text(&text), c->expected);
    cr_assert_eq(ntotal, c->ntotal);
    vc_buffer_release(&text);
    fixture_release(&geo);
}

Test(members, a_parent_may_be_far_above_but_not_below)
{
    fixture date;
    fixture_build(&date, &date_spec, NULL,
                  "2020-01-05,2020,1,2020,A\n2020-02-05,2020,2,2020,A\n2021-01-09,2021,1,2021,B");
    vc_member_filter filter = {
        .level = 2, .has_parent = true, .parent = {.level = 0, .member = 0}, .limit = 10};
    uint32_t *members;
    size_t nmembers, ntotal;
    cr_assert_eq(vc_dimension_list_members(date.dimension, &filter, &date.arena, &members,
                                           &nmembers, &ntotal, &date.error),
                 VC_OK);
    cr_assert(nmembers == 2 && members[0] == 0 && members[1] == 1);
    filter.parent = (vc_member_ref){.level = 2, .member = 2};
    cr_assert_eq(vc_dimension_list_members(date.dimension, &filter, &date.arena, &members,
                                           &nmembers, &ntotal, &date.error),
                 VC_OK);
    cr_assert(nmembers == 1 && members[0] == 2, "a member is under itself");
    filter.level = 1;
    cr_assert_eq(vc_dimension_list_members(date.dimension, &filter, &date.arena, &members,
                                           &nmembers, &ntotal, &date.error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(date.error.code, "unknown_level");
    fixture_release(&date);
}

static void expect_properties(fixture *made, unsigned hierarchy, unsigned level,
                              const char *attribute_name, const uint32_t *expected)
{
    const vc_attribute *attribute;
    vc_dimension_get_attribute(made->dimension, vc_str_of(attribute_name), &attribute, NULL);
    uint32_t members[16], codes[16], nmembers;
    nmembers = made->dimension->hierarchies[hierarchy].levels[level].nmembers;
    for (uint32_t m = 0; m < nmembers; m++)
        members[m] = m;
    vc_status status = vc_member_properties(made->dimension, hierarchy, level, attribute, members,
                                            nmembers, &made->arena, codes, NULL);
    cr_assert_eq(status, VC_OK);
    for (uint32_t m = 0; m < nmembers; m++)
        cr_assert_eq(codes[m], expected[m], "%s of member %u is %u", attribute_name, m, codes[m]);
}

Test(members, properties_are_one_value_or_many)
{
    fixture geo, more;
    fixture_build(&geo, &geo_spec, NULL, COUNTRIES);
    /* zones 0, 1, 9; Asia has 9 and null, which is no second value */
    expect_properties(&geo, 0, 0, "zone", (uint32_t[]){2, VC_MANY});
    expect_properties(&geo, 0, 1, "zone", (uint32_t[]){2, VC_NONE, 1, 1, 0});
    /* After an append members are no ranges of leaves. */
    fixture_build(&more, &geo_spec, geo.dimension, "IND,Asia,India,Delhi,9\nAFG,Asia,~,Kabul,4");
    expect_properties(&more, 0, 0, "zone", (uint32_t[]){VC_MANY, VC_MANY});
    cr_assert(!more.dimension->hierarchies[0].levels[0].is_contiguous);
    const vc_attribute *zone;
    vc_dimension_get_attribute(more.dimension, VC_STR("zone"), &zone, NULL);
    uint32_t *codes;
    size_t ncodes;
    vc_member_property_values(more.dimension, 0, (vc_member_ref){0, 0}, zone, &more.arena, &codes,
                              &ncodes, NULL);
    cr_assert(ncodes == 2 && codes[0] == 2 && codes[1] == 3, "zones 4 and 9");
    vc_member_property_values(geo.dimension, 0, (vc_member_ref){0, 1}, zone, &geo.arena, &codes,
                              &ncodes, NULL);
    cr_assert(ncodes == 2 && codes[0] == 0 && codes[1] == 1);
    fixture_release(&more);
    fixture_release(&geo);
}

Test(members, properties_of_a_level_reach_other_levels)
{
    fixture city;
    fixture_build(&city, &city_spec, NULL,
                  "FR,Paris,75,1\nFR,Paris,~,2\nDE,Bonn,53,~\nDE,Ulm,89,~");
    expect_properties(&city, 0, 1, "zip", (uint32_t[]){0, 2, 1});
    expect_properties(&city, 0, 0, "zip", (uint32_t[]){VC_MANY, 1});
    expect_properties(&city, 0, 0, "rank", (uint32_t[]){VC_NONE, VC_MANY});
    vc_error error = {0};
    const vc_attribute *attribute;
    cr_assert_eq(vc_dimension_get_attribute(city.dimension, VC_STR("zips"), &attribute, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_attribute");
    cr_assert_str_eq(error.candidates[0], "zip");
    fixture_release(&city);
}

/* Behind what is listed already, and behind a path that is not there (any more). */
Test(members, behind_a_place)
{
    static const struct {
        const char *region, *country;
        int after; /* CHN 0, JPN 1, AUT 2, FRA 3, GBR 4; -1: before all */
    } cases[] = {
        {"Asia", "CHN", 0},   {"Asia", "AAA", -1},  {"Asia", "CHO", 0},    {"Asia", "ZZZ", 1},
        {"Africa", "X", -1},  {"Atlas", "X", 1},    {"Europe", "AAA", 1},  {"Europe", "FRA", 3},
        {"Europe", "FRB", 3}, {"Europe", "ZZZ", 4}, {"Oceania", "AAA", 4}, {NULL, NULL, 4},
        {"Europe", NULL, 4},  {"Asia", NULL, 1},
    };
    fixture geo;
    fixture_build(&geo, &geo_spec, NULL, COUNTRIES);
    const vc_hierarchy *hierarchy = &geo.dimension->hierarchies[0];
    cr_assert(vc_hierarchy_is_by_key(hierarchy, 1));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_str keys[2] = {{0}};
        if (cases[i].region != NULL) keys[0] = vc_str_of(cases[i].region);
        if (cases[i].country != NULL) keys[1] = vc_str_of(cases[i].country);
        vc_member_filter filter = {.level = 1, .limit = 10, .after = {.level = 1}};
        vc_hierarchy_find_place(hierarchy, 1, keys, &filter.has_after, &filter.after.member);
        int after = filter.has_after ? (int)filter.after.member : -1;
        cr_assert_eq(after, cases[i].after, "%zu: %d", i, after);
        uint32_t *members;
        size_t nmembers, ntotal;
        cr_assert_eq(vc_dimension_list_members(geo.dimension, &filter, &geo.arena, &members,
                                               &nmembers, &ntotal, &geo.error),
                     VC_OK);
        cr_assert_eq(nmembers, 4 - (size_t)after);
        cr_assert_eq(ntotal, nmembers);
        for (size_t m = 0; m < nmembers; m++)
            cr_assert_eq(members[m], (uint32_t)after + 1 + m);
    }
    fixture_release(&geo);
}
