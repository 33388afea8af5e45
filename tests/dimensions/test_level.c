#include "tests/dimensions/fixture.h"
#include "tests/dimensions/specs.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#define COUNTRIES                                                                                  \
    "FRA,Europe,France,Paris,1\n"                                                                  \
    "JPN,Asia,Japan,Tokyo,9\n"                                                                     \
    "DEU,Europe,Germany,Berlin,1\n"                                                                \
    "CHN,Asia,China,Beijing,8\n"                                                                   \
    "Europe,Space,Moon,~,~\n"                                                                      \
    "XXX,~,Nowhere,Nil,~"

struct path_case {
    char path[40];
    vc_status status;
    unsigned level;
    uint32_t member;
    char candidate[24]; /* the first one of an error */
};
ParameterizedTestParameters(level, paths)
{
    /* Regions Asia 0, Europe 1, Space 2, null 3; countries CHN 0, JPN 1, DEU 2, FRA 3, Europe 4,
     * XXX 5. */
    static struct path_case cases[] = {
        {"Europe", VC_OK, 0, 1, ""}, /* a key of the top is a path of one */
        {"Europe,FRA", VC_OK, 1, 3, ""},
        {"FRA", VC_OK, 1, 3, ""}, /* unique in the hierarchy */
        {"Space,Europe", VC_OK, 1, 4, ""},
        {"", VC_OK, 0, 3, ""}, /* the null region */
        {",XXX", VC_OK, 1, 5, ""},
        {"Asia,FRA", VC_NOT_FOUND, 0, 0, ""},
        {"Europa", VC_NOT_FOUND, 0, 0, "Europe"},
        {"Europe,FRB", VC_NOT_FOUND, 0, 0, "FRA"},
        {"Europe,germany", VC_NOT_FOUND, 0, 0, "DEU"}, /* by its label */
        {"france", VC_NOT_FOUND, 0, 0, "FRA"},
        {"Europe,", VC_NOT_FOUND, 0, 0, ""}, /* no null country */
        {"Europe,FRA,Paris", VC_NOT_FOUND, 0, 0, ""},
        {"europe", VC_NOT_FOUND, 0, 0, "Europe"}, /* case matters, but helps to guess */
    };
    return cr_make_param_array(struct path_case, cases, sizeof cases / sizeof cases[0]);
}
ParameterizedTest(struct path_case *c, level, paths)
{
    fixture geo;
    fixture_build(&geo, &geo_spec, NULL, COUNTRIES);
    vc_member_ref found = {77, 77};
    vc_status status = fixture_find(&geo, 0, c->path, &found);
    cr_assert_eq(status, c->status, "%s: %s", c->path, geo.error.message);
    if (status == VC_OK) {
        cr_assert_eq(found.level, c->level, "%s", c->path);
        cr_assert_eq(found.member, c->member, "%s", c->path);
    } else {
        cr_assert_eq(found.level, 77, "untouched");
        cr_assert_str_eq(geo.error.code, "unknown_member");
        cr_assert_str_eq(geo.error.candidates[0], c->candidate, "%s: %s", c->path,
                         geo.error.message);
    }
    fixture_release(&geo);
}

Test(level, an_ambiguous_key_lists_the_paths)
{
    fixture city;
    fixture_build(&city, &city_spec, NULL,
                  "US,Paris,~,~\nFR,Paris,~,~\nFR,A-b,~,~\nUS,A-b,~,~\nDE,Bonn,~,~");
    vc_member_ref found;
    cr_assert_eq(fixture_find(&city, 0, "Paris", &found), VC_IMPOSSIBLE);
    cr_assert_str_eq(city.error.code, "ambiguous_key");
    cr_assert_eq(city.error.ncandidates, 2);
    cr_assert_str_eq(city.error.candidates[0], "FR,Paris");
    cr_assert_str_eq(city.error.candidates[1], "US,Paris");
    cr_assert_not_null(strstr(city.error.message, "2 members"), "%s", city.error.message);
    cr_assert_eq(fixture_find(&city, 0, "A-b", &found), VC_IMPOSSIBLE);
    cr_assert_str_eq(city.error.candidates[0], "FR,A\\-b", "escaped as in a cut");
    cr_assert_eq(fixture_find(&city, 0, "US,Paris", &found), VC_OK);
    cr_assert_eq(found.member, 4);
    fixture_release(&city);
}

Test(level, members_of_a_key)
{
    fixture city;
    fixture_build(&city, &city_spec, NULL, "US,Paris,~,~\nFR,Paris,~,~\nFR,~,~,~\nDE,~,~,~");
    const vc_level *level = &city.dimension->hierarchies[0].levels[1];
    uint32_t *members;
    size_t nmembers;
    /* DE,null 0; FR,Paris 1; FR,null 2; US,Paris 3 */
    vc_level_find_members(level, VC_STR("Paris"), &city.arena, &members, &nmembers, NULL);
    cr_assert(nmembers == 2 && members[0] == 1 && members[1] == 3);
    vc_level_find_members(level, (vc_str){0}, &city.arena, &members, &nmembers, NULL);
    cr_assert(nmembers == 2 && members[0] == 0 && members[1] == 2);
    vc_level_find_members(level, VC_STR("paris"), &city.arena, &members, &nmembers, NULL);
    cr_assert_eq(nmembers, 0);
    fixture_release(&city);
}

Test(level, names)
{
    fixture date;
    fixture_build(&date, &date_spec, NULL, "2020-01-05,2020,01,2020,W01");
    unsigned number = 9;
    cr_assert_eq(vc_dimension_find_hierarchy(date.dimension, (vc_str){0}, &number, NULL), VC_OK);
    cr_assert_eq(number, 0);
    cr_assert_eq(vc_dimension_find_hierarchy(date.dimension, VC_STR("weekly"), &number, NULL),
                 VC_OK);
    cr_assert_eq(number, 1);
    cr_assert_eq(vc_hierarchy_find_level(date.dimension, 1, VC_STR("week"), &number, NULL), VC_OK);
    cr_assert_eq(number, 1);
    vc_error error = {0};
    cr_assert_eq(vc_dimension_find_hierarchy(date.dimension, VC_STR("weekley"), &number, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_hierarchy");
    cr_assert_str_eq(error.candidates[0], "weekly");
    cr_assert_eq(vc_hierarchy_find_level(date.dimension, 1, VC_STR("day"), &number, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_level");
    cr_assert_eq(error.ncandidates, 2, "nothing is near, so all that there is");
    cr_assert_eq(number, 1, "untouched");
    fixture_release(&date);
}

struct range_case {
    char a[40], b[40];
    int order; /* at the numeric level */
};
ParameterizedTestParameters(level, ends_of_ranges_need_not_exist)
{
    static struct range_case cases[] = {
        {"2", "10", -1},    {"10", "10.0", -1}, /* equal numbers, by bytes */
        {"10", "10", 0},    {"2019.5", "2020", -1},
        {"-3", "2", -1},    {"99999999999999999999999", "3", 1},
        {"abc", "2020", 1},                  /* no number: after all of them */
        {"abc", "abd", -1}, {"~", "abc", 1}, /* null last */
        {"~", "~", 0},
    };
    return cr_make_param_array(struct range_case, cases, sizeof cases / sizeof cases[0]);
}
ParameterizedTest(struct range_case *c, level, ends_of_ranges_need_not_exist)
{
    fixture date;
    fixture_build(&date, &date_spec, NULL, "2020-01-05,2020,01,2020,W01");
    const vc_level *year = &date.dimension->hierarchies[0].levels[0];
    vc_str a = strcmp(c->a, "~") == 0 ? (vc_str){0} : vc_str_of(c->a);
    vc_str b = strcmp(c->b, "~") == 0 ? (vc_str){0} : vc_str_of(c->b);
    int there = vc_level_compare_keys(year, a, b), back = vc_level_compare_keys(year, b, a);
    cr_assert_eq((there > 0) - (there < 0), c->order, "%s %s", c->a, c->b);
    cr_assert_eq((back > 0) - (back < 0), -c->order, "%s %s", c->b, c->a);
    /* The weeks are texts, where 2 is after 10. */
    const vc_level *week = &date.dimension->hierarchies[1].levels[1];
    cr_assert_gt(vc_level_compare_keys(week, VC_STR("2"), VC_STR("10")), 0);
    fixture_release(&date);
}

Test(level, paths_are_escaped)
{
    fixture city;
    fixture_build(&city, &city_spec, NULL, "a|b:c;d-e!f@g/h#i.j\\k,(),~,~");
    cr_assert_str_eq(fixture_members(&city, 0, 1),
                     "a\\|b\\:c\\;d\\-e\\!f\\@g\\/h\\#i\\.j\\\\k,\\()");
    fixture_release(&city);
}
