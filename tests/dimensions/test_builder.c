#include "tests/dimensions/fixture.h"
#include "tests/dimensions/specs.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#define COUNTRIES                                                                                  \
    "FRA,Europe,France,Paris,1\n"                                                                  \
    "JPN,Asia,Japan,Tokyo,9\n"                                                                     \
    "DEU,Europe,Germany,Berlin,1\n"                                                                \
    "CHN,Asia,China,Beijing,8"

/* ---- numbering ---- */

Test(builder, leaves_are_numbered_depth_first)
{
    fixture geo;
    fixture_build(&geo, &geo_spec, NULL, COUNTRIES);
    cr_assert_eq(geo.status, VC_OK, "%s", geo.error.message);
    cr_assert_str_eq(fixture_leaves(&geo), "CHN JPN DEU FRA");
    cr_assert_str_eq(fixture_members(&geo, 0, 0), "Asia Europe");
    cr_assert_str_eq(fixture_members(&geo, 0, 1), "Asia,CHN Asia,JPN Europe,DEU Europe,FRA");
    const vc_level *region = &geo.dimension->hierarchies[0].levels[0];
    cr_assert(region->is_contiguous);
    cr_assert_eq(vc_numbers_get(region->first_leaf, 1), 2);
    cr_assert_eq(vc_numbers_get(region->first_leaf, 2), 4);
    cr_assert_eq(region->first_child[1], 2);
    cr_assert_eq(region->first_child[2], 4);
    cr_assert_eq(geo.leaf_of_row[vc_dimension_builder_find(geo.builder, VC_STR("FRA"))], 3);
    cr_assert_eq(vc_dimension_builder_find(geo.builder, VC_STR("fra")), VC_NONE);
    cr_assert_eq(geo.report.nnew_leaves, 4);
    fixture_release(&geo);
}

Test(builder, labels_belong_to_members)
{
    fixture geo;
    fixture_build(&geo, &geo_spec, NULL, COUNTRIES "\nSOL,Space,~,~,~");
    const vc_level *country = &geo.dimension->hierarchies[0].levels[1];
    cr_assert(country->has_labels && !geo.dimension->hierarchies[0].levels[0].has_labels);
    cr_assert(vc_str_is(vc_texts_get(&country->labels, 3), "France"));
    /* Without a label the key stands for it. */
    cr_assert(vc_str_is(vc_texts_get(&country->labels, 4), "SOL"));
    cr_assert(vc_str_is(country->label, "country"));
    cr_assert(vc_str_is(geo.dimension->label, "Geography"));
    fixture_release(&geo);
}

struct order_case {
    char keys[120];     /* of one level */
    char expected[160]; /* its members */
    bool is_numeric;
};
ParameterizedTestParameters(builder, order_of_keys)
{
    static struct order_case cases[] = {
        {"10\n9\n100", "9 10 100", true},
        {"10\n9\nx", "10 9 x", false}, /* one text makes all texts */
        {"10\n~\n9", "9 10 ", true},   /* null last */
        {"b\n~\na", "a b ", false},
        {"~", "", false},
        /* Doubles would take these for equal. */
        {"9007199254740993\n9007199254740992\n9007199254740994",
         "9007199254740992 9007199254740993 9007199254740994", true},
        {"100000000000000000000000000000000002\n100000000000000000000000000000000001\n7",
         "7 100000000000000000000000000000000001 100000000000000000000000000000000002", true},
        {"2.5\n-1\n2.25\n-1.5\n+3", "\\-1\\.5 \\-1 2\\.25 2\\.5 +3", true},
        {"1.0\n1\n01", "01 1 1\\.0", true}, /* equal numbers are still three members, by bytes */
        {"-0\n0\n-1", "\\-1 \\-0 0", true},
        {"1e3\n9\n10", "10 1e3 9", false}, /* no plain number */
        {"Z\n\xC3\xA9\na", "Z a \xC3\xA9", false},
    };
    return cr_make_param_array(struct order_case, cases, sizeof cases / sizeof cases[0]);
}
ParameterizedTest(struct order_case *c, builder, order_of_keys)
{
    vc_str column = VC_STR("k");
    vc_level_spec level = {.name = column, .key_column = 0, NO_COLUMNS};
    vc_hierarchy_spec hierarchy = {.name = VC_STR("std"), .nlevels = 1, .levels = &level};
    vc_dimension_spec spec = {.name = VC_STR("d"),
                              .ncolumns = 1,
                              .column_names = &column,
                              .key_column = -1,
                              .nhierarchies = 1,
                              .hierarchies = &hierarchy};
    fixture d;
    fixture_build(&d, &spec, NULL, c->keys);
    cr_assert_eq(d.status, VC_OK, "%s", d.error.message);
    cr_assert_str_eq(fixture_members(&d, 0, 0), c->expected);
    const vc_level *made = &d.dimension->hierarchies[0].levels[0];
    cr_assert_eq(made->is_numeric, c->is_numeric);
    for (uint32_t m = 1; m < made->nmembers; m++)
        cr_assert_lt(vc_level_compare_keys(made, vc_texts_get(&made->keys, m - 1),
                                           vc_texts_get(&made->keys, m)),
                     0);
    fixture_release(&d);
}

/* region, city, place of the city, label of the city, id */
static const vc_str placed_columns[] = {
    {"region", 6}, {"city", 4}, {"place", 5}, {"label", 5}, {"id", 2}};
static const vc_level_spec placed_levels[] = {
    {.name = {"region", 6}, .key_column = 0, NO_COLUMNS},
    {.name = {"city", 4}, .key_column = 1, .label_column = 3, .order_column = 2},
};
static const vc_hierarchy_spec placed_hierarchy = {
    .name = {"std", 3}, .nlevels = 2, .levels = placed_levels};
static const vc_dimension_spec placed_spec = {.name = {"placed", 6},
                                              .ncolumns = 5,
                                              .column_names = placed_columns,
                                              .key_column = 4,
                                              .nhierarchies = 1,
                                              .hierarchies = &placed_hierarchy};

Test(builder, an_order_column_sorts_siblings)
{
    fixture d;
    fixture_build(&d, &placed_spec, NULL,
                  "N,a,10,A,1\nN,b,9,B,2\nS,c,1,C,3\nN,d,~,D,4\nN,e,9,E,5\nN,a,10,A,6\nS,b,0,B,7");
    cr_assert_eq(d.status, VC_OK, "%s", d.error.message);
    /* 9 before 10; b and e are equal, so by key; d has no place, so last */
    cr_assert_str_eq(fixture_members(&d, 0, 1), "N,b N,e N,a N,d S,b S,c");
    cr_assert_str_eq(fixture_leaves(&d), "2 5 1 6 4 7 3");
    const vc_level *city = &d.dimension->hierarchies[0].levels[1];
    cr_assert(city->is_ordered_by_column && city->is_contiguous && !city->is_numeric);
    cr_assert(vc_str_is(vc_texts_get(&city->labels, 2), "A"));
    fixture_release(&d);

    fixture_build(&d, &placed_spec, NULL, "N,a,10,A,1\nN,b,9,B,2\nS,c,x,C,3");
    cr_assert_str_eq(fixture_members(&d, 0, 1), "N,a N,b S,c", "one text makes all places texts");
    fixture_release(&d);
}

Test(builder, the_first_label_stands)
{
    fixture d;
    fixture_build(&d, &placed_spec, NULL,
                  "N,z,1,~,9\nN,z,1,First,8\nN,z,1,Second,1\nN,z,1,Third,2\nS,z,1,South,3");
    const vc_level *city = &d.dimension->hierarchies[0].levels[1];
    cr_assert(vc_str_is(vc_texts_get(&city->labels, 0), "First"));
    cr_assert(vc_str_is(vc_texts_get(&city->labels, 1), "South"));
    cr_assert_eq(d.report.nlabel_conflicts, 1, "one member, however many labels");
    cr_assert_str_eq(d.report.label_conflict, "level 'city': 'z' is labelled 'First' and 'Second'");

    /* Leaf 0 is the row of "Second", but it was not the first to come. */
    fixture more;
    fixture_build(&more, &placed_spec, d.dimension, "N,z,1,Fourth,7\nN,y,5,Y,6");
    cr_assert_eq(more.status, VC_OK, "%s", more.error.message);
    city = &more.dimension->hierarchies[0].levels[1];
    cr_assert_str_eq(fixture_members(&more, 0, 1), "N,z N,y S,z");
    cr_assert(vc_str_is(vc_texts_get(&city->labels, 0), "First"));
    fixture_release(&more);
    fixture_release(&d);
}

/* The same key under two parents is two members. */
Test(builder, members_are_paths)
{
    fixture city;
    fixture_build(&city, &city_spec, NULL, "US,Paris,75460,2\nFR,Paris,75000,1\nUS,Paris,75460,3");
    cr_assert_eq(city.status, VC_OK, "%s", city.error.message);
    cr_assert_str_eq(fixture_members(&city, 0, 1), "FR,Paris US,Paris");
    cr_assert_eq(city.dimension->nleaves, 3);
    cr_assert_eq(city.dimension->leaf_keys.count, 0);
    fixture_release(&city);
}

Test(builder, several_hierarchies)
{
    fixture date;
    /* A week across two years; days in any order, one twice. */
    fixture_build(&date, &date_spec, NULL,
                  "2021-01-03,2021,1,2020,W53\n2020-12-31,2020,12,2020,W53\n"
                  "2021-01-04,2021,01,2021,W01\n2020-02-29,2020,2,2020,W09\n"
                  "2020-12-31,2020,12,2020,W53");
    cr_assert_eq(date.status, VC_OK, "%s", date.error.message);
    cr_assert_eq(date.nrows, 4);
    cr_assert_eq(date.row_of_line[4], date.row_of_line[1]);
    cr_assert_str_eq(fixture_members(&date, 0, 1), "2020,2 2020,12 2021,1");
    cr_assert_str_eq(fixture_members(&date, 1, 1), "2020,W09 2020,W53 2021,W01");
    const vc_level *week = &date.dimension->hierarchies[1].levels[1];
    uint32_t expected[] = {0, 1, 1, 2};
    cr_assert(fixture_are(week->leaf_members, expected, 4));
    cr_assert(week->is_contiguous, "weeks are runs of days too, when days are in order");
    cr_assert(date.dimension->is_time);
    fixture_release(&date);
}

Test(builder, a_hierarchy_across_the_main_one_is_not_contiguous)
{
    fixture date;
    fixture_build(&date, &date_spec, NULL,
                  "2020-01-01,2020,1,1,B\n2020-01-02,2020,1,1,A\n2020-01-03,2020,1,1,B");
    const vc_level *levels = date.dimension->hierarchies[1].levels;
    cr_assert(levels[0].is_contiguous && !levels[1].is_contiguous);
    uint64_t bits[1] = {0};
    vc_level_mark_leaves(date.dimension, &levels[1], 1, bits);
    cr_assert_eq(bits[0], 5);
    fixture_release(&date);
}

/* Facts come in any order; what the dimension is must not depend on it where leaves have no key. */
Test(builder, the_order_of_rows_does_not_matter_without_keys)
{
    fixture a, b;
    fixture_build(&a, &city_spec, NULL, "FR,Paris,75,1\nFR,Paris,75,2\nDE,Bonn,53,~\nDE,Bonn,53,1");
    fixture_build(&b, &city_spec, NULL, "DE,Bonn,53,1\nFR,Paris,75,2\nDE,Bonn,53,~\nFR,Paris,75,1");
    const vc_attribute *rank_a = vc_dimension_find_attribute(a.dimension, VC_STR("rank"));
    const vc_attribute *rank_b = vc_dimension_find_attribute(b.dimension, VC_STR("rank"));
    uint32_t expected[] = {0, VC_NONE, 0, 1};
    cr_assert(fixture_are(rank_a->codes, expected, sizeof expected / sizeof *expected));
    cr_assert(fixture_are(rank_b->codes, expected, sizeof expected / sizeof *expected));
    fixture_release(&a);
    fixture_release(&b);
}

/* city, its label, its place; no key: what a city is called is no part of what it is */
static const vc_str spoken_columns[] = {{"city", 4}, {"label", 5}, {"place", 5}, {"size", 4}};
static const vc_level_spec spoken_levels[] = {
    {.name = {"city", 4}, .key_column = 0, .label_column = 1, .order_column = 2}};
static const vc_hierarchy_spec spoken_hierarchy = {
    .name = {"std", 3}, .nlevels = 1, .levels = spoken_levels};
static const vc_attribute_spec spoken_attribute = {
    .name = {"size", 4}, .column = 3, .hierarchy = -1, .level = -1};
static const vc_dimension_spec spoken_spec = {.name = {"spoken", 6},
                                              .ncolumns = 4,
                                              .column_names = spoken_columns,
                                              .key_column = -1,
                                              .nhierarchies = 1,
                                              .hierarchies = &spoken_hierarchy,
                                              .nattributes = 1,
                                              .attributes = &spoken_attribute};

static const char *spoken_label(const fixture *made, uint32_t city)
{
    static char text[32];
    vc_str label = vc_texts_get(&made->dimension->hierarchies[0].levels[0].labels, city);
    snprintf(text, sizeof text, "%.*s", VC_FMT(label));
    return text;
}

Test(builder, a_label_does_not_make_another_leaf)
{
    fixture d, more;
    fixture_build(&d, &spoken_spec, NULL,
                  "rome,Rome,2,big\nrome,Roma,3,big\nrome,Rom,2,big\nnice,~,~,small\n"
                  "nice,Nice,1,small\nnice,Nizza,1,small");
    cr_assert_eq(d.status, VC_OK, "%s", d.error.message);
    cr_assert_eq(d.dimension->nleaves, 2);
    cr_assert_eq(d.row_of_line[1], d.row_of_line[0]);
    cr_assert_str_eq(fixture_members(&d, 0, 0), "nice rome", "the place that came later orders");
    cr_assert_str_eq(spoken_label(&d, 0), "Nice");
    cr_assert_str_eq(spoken_label(&d, 1), "Rome");
    cr_assert_eq(d.report.nlabel_conflicts, 2, "a member once, however many labels");

    fixture_build(&more, &spoken_spec, d.dimension, "rome,Roma,2,big\noslo,Oslo,~,small");
    cr_assert_eq(more.status, VC_OK, "%s", more.error.message);
    cr_assert_eq(more.dimension->nleaves, 3);
    cr_assert_eq(more.report.nnew_leaves, 1);
    cr_assert_eq(more.report.nlabel_conflicts, 1);
    cr_assert_str_eq(more.report.label_conflict,
                     "level 'city': 'rome' is labelled 'Rome' and 'Roma'");
    fixture_walk(more.dimension);
    fixture_release(&more);
    fixture_release(&d);
}

Test(builder, an_attribute_makes_another_leaf)
{
    fixture d;
    fixture_build(&d, &spoken_spec, NULL, "rome,Rome,2,big\nrome,Roma,2,small");
    cr_assert_eq(d.dimension->nleaves, 2);
    cr_assert_eq(d.dimension->hierarchies[0].levels[0].nmembers, 1);
    cr_assert_eq(d.report.nlabel_conflicts, 1);
    fixture_release(&d);
}

Test(builder, a_dimension_may_be_empty)
{
    fixture geo;
    fixture_build(&geo, &geo_spec, NULL, "");
    cr_assert_eq(geo.status, VC_OK, "%s", geo.error.message);
    cr_assert_eq(geo.dimension->nleaves, 0);
    cr_assert_eq(geo.dimension->hierarchies[0].levels[1].nmembers, 0);
    fixture_walk(geo.dimension);
    fixture more;
    fixture_build(&more, &geo_spec, geo.dimension, COUNTRIES);
    cr_assert_eq(more.status, VC_OK);
    cr_assert_eq(more.report.nnew_leaves, 4);
    fixture_release(&more);
    fixture_release(&geo);
}

/* ---- rows that are refused ---- */

struct refusal {
    char rows[160];
    char code[24];
    char message[160]; /* part of it */
};
ParameterizedTestParameters(builder, refused_rows)
{
    static struct refusal cases[] = {
        {"~,Europe,X,~,~", "empty_key", "no key in its column 'iso3'"},
        {",Europe,X,~,~", "empty_key", "no key in its column 'iso3'"},
        {"FRA,Europe,France,Paris,1\nFRA,Europe,France,Lyon,1", "duplicate_key",
         "the key 'FRA' already, with another 'capital': 'Paris' before, 'Lyon' here"},
        {"FRA,Europe,France,Paris,1\nFRA,Europe,France,Paris,~", "duplicate_key",
         "another 'zone': '1' before, null here"},
        {"FRA,Europe,~,Paris,1\nFRA,Europe,,Paris,1", "duplicate_key",
         "another 'name': null before, '' here"},
    };
    return cr_make_param_array(struct refusal, cases, sizeof cases / sizeof cases[0]);
}
ParameterizedTest(struct refusal *c, builder, refused_rows)
{
    fixture geo;
    fixture_build(&geo, &geo_spec, NULL, c->rows);
    cr_assert_eq(geo.status, VC_BAD_INPUT);
    cr_assert_str_eq(geo.error.code, c->code);
    cr_assert_not_null(strstr(geo.error.message, c->message), "%s", geo.error.message);
    /* The row was not added, and the builder goes on. */
    uint32_t nrows = vc_dimension_builder_nrows(geo.builder), row;
    vc_str good[5] = {VC_STR("ITA"), VC_STR("Europe")};
    cr_assert_eq(vc_dimension_builder_add(geo.builder, good, &row, NULL), VC_OK);
    cr_assert_eq(row, nrows);
    fixture_release(&geo);
}

struct typed_row {
    char row[80];
    bool is_good;
    char path[40]; /* of its day, when good */
};
ParameterizedTestParameters(builder, typed_keys)
{
    static struct typed_row cases[] = {
        {"2020-02-29,2020,2,1,W", true, "2020,2,2020\\-02\\-29"},
        {"2021-02-29,2021,2,1,W", false, ""},
        {"2020-13-01,2020,2,1,W", false, ""},
        {"2020-00-10,2020,2,1,W", false, ""},
        {"2020-04-31,2020,4,1,W", false, ""},
        {"2020-4-3,2020,4,1,W", false, ""},
        {"2020-04-3x,2020,4,1,W", false, ""},
        {"2020-04-30-,2020,4,1,W", false, ""},
        {"1900-02-29,1900,2,1,W", false, ""},
        {"2000-02-29,2000,2,1,W", true, "2000,2,2000\\-02\\-29"},
        {"2020-Q4,2020,10,1,W", true, "2020,10,2020\\-Q4"},
        {"2020-Q5,2020,10,1,W", false, ""},
        {"2020-W53,2020,12,1,W", true, "2020,12,2020\\-W53"},
        {"2020-W54,2020,12,1,W", false, ""},
        {"2020,+2020,007,1,W", true, "2020,7,2020"},
        {",2020,7,1,W", false, ""}, /* the empty text is no date; null is fine */
        {"~,~,~,~,~", true, ",,"},
        {"2020,20x,7,1,W", false, ""},
        {"2020,20.0,7,1,W", false, ""},
        {"2020,99999999999999999999,7,1,W", false, ""},
        {"2020,-5,7,1,W", true, "\\-5,7,2020"},
    };
    return cr_make_param_array(struct typed_row, cases, sizeof cases / sizeof cases[0]);
}
ParameterizedTest(struct typed_row *c, builder, typed_keys)
{
    fixture date;
    fixture_build(&date, &date_spec, NULL, c->row);
    if (c->is_good) {
        cr_assert_eq(date.status, VC_OK, "%s: %s", c->row, date.error.message);
        cr_assert_str_eq(fixture_members(&date, 0, 2), c->path);
    } else {
        cr_assert_eq(date.status, VC_BAD_INPUT, "%s", c->row);
        cr_assert_str_eq(date.error.code, "bad_key");
        cr_assert_eq(vc_dimension_builder_nrows(date.builder), 0);
    }
    fixture_release(&date);
}

/* An integer that is the leaf's key is found however it is written. */
Test(builder, integer_keys_have_one_form)
{
    vc_str columns[] = {VC_STR("id")};
    vc_level_spec level = {
        .name = VC_STR("id"), .key_column = 0, .key_type = VC_KEY_INT, NO_COLUMNS};
    vc_hierarchy_spec hierarchy = {.name = VC_STR("std"), .nlevels = 1, .levels = &level};
    vc_dimension_spec spec = {.name = VC_STR("d"),
                              .ncolumns = 1,
                              .column_names = columns,
                              .key_column = 0,
                              .nhierarchies = 1,
                              .hierarchies = &hierarchy};
    fixture d;
    fixture_build(&d, &spec, NULL, "007\n7\n+7\n10");
    cr_assert_eq(d.nrows, 2);
    cr_assert_eq(vc_dimension_builder_find(d.builder, VC_STR("07")), 0);
    cr_assert_eq(vc_dimension_builder_find(d.builder, VC_STR("x")), VC_NONE);
    cr_assert_str_eq(fixture_leaves(&d), "7 10");
    vc_member_ref found;
    cr_assert_eq(fixture_find(&d, 0, "0010", &found), VC_OK);
    cr_assert_eq(found.member, 1);
    fixture_release(&d);
}

/* Lengths are part of what tells rows apart. */
Test(builder, tuples_do_not_run_together)
{
    fixture city;
    fixture_build(&city, &city_spec, NULL, "a,bc,~,~\nab,c,~,~\na,bc,,~\na,b,c,~\na,bc,~,");
    cr_assert_eq(city.status, VC_OK, "%s", city.error.message);
    cr_assert_eq(city.nrows, 5);
    fixture_release(&city);
}

/* ---- append ---- */

Test(builder, an_append_keeps_numbers)
{
    fixture geo, more;
    fixture_build(&geo, &geo_spec, NULL, COUNTRIES);
    fixture_build(&more, &geo_spec, geo.dimension,
                  "AUT,Europe,Austria,Vienna,1\nJPN,Asia,Japan,Tokyo,9\nBRA,America,Brazil,~,~\n"
                  "AFG,Asia,Afghanistan,Kabul,~");
    cr_assert_eq(more.status, VC_OK, "%s", more.error.message);
    cr_assert_eq(more.report.nnew_leaves, 3);
    /* The new ones depth first among themselves. */
    cr_assert_str_eq(fixture_leaves(&more), "CHN JPN DEU FRA BRA AFG AUT");
    cr_assert_str_eq(fixture_members(&more, 0, 0), "America Asia Europe");
    const vc_level *region = &more.dimension->hierarchies[0].levels[0];
    cr_assert(!region->is_contiguous);
    uint64_t bits[1] = {0};
    vc_level_mark_leaves(more.dimension, region, 1, bits);
    cr_assert_eq(bits[0], 0x23);
    cr_assert_eq(more.leaf_of_row[more.row_of_line[1]], 1);
    cr_assert_eq(more.leaf_of_row[vc_dimension_builder_find(more.builder, VC_STR("FRA"))], 3);

    fixture again;
    fixture_build(&again, &geo_spec, more.dimension, "AUT,Europe,Austria,Vienna,1");
    cr_assert_str_eq(fixture_leaves(&again), "CHN JPN DEU FRA BRA AFG AUT");
    cr_assert_eq(again.report.nnew_leaves, 0);
    cr_assert_eq(again.dimension->fingerprint, more.dimension->fingerprint);
    cr_assert_neq(again.dimension->fingerprint, geo.dimension->fingerprint);
    fixture_release(&again);
    fixture_release(&more);
    fixture_release(&geo);
}

Test(builder, an_append_must_not_contradict)
{
    fixture geo, more;
    fixture_build(&geo, &geo_spec, NULL, COUNTRIES);
    fixture_build(&more, &geo_spec, geo.dimension, "JPN,Asia,Nippon,Tokyo,9");
    cr_assert_eq(more.status, VC_BAD_INPUT);
    cr_assert_str_eq(more.error.code, "duplicate_key");
    fixture_release(&more);

    vc_dimension_spec changed = geo_spec;
    vc_str columns[5];
    memcpy(columns, geo_spec.column_names, sizeof columns);
    columns[4] = VC_STR("zones");
    changed.column_names = columns;
    fixture_build(&more, &changed, geo.dimension, "");
    cr_assert_eq(more.status, VC_BAD_INPUT);
    cr_assert_str_eq(more.error.code, "definition_changed");
    cr_assert_not_null(strstr(more.error.message, "zones"), "%s", more.error.message);
    fixture_release(&more);

    changed = geo_spec;
    changed.ncolumns = 4;
    changed.nattributes = 1;
    fixture_build(&more, &changed, geo.dimension, "");
    cr_assert_str_eq(more.error.code, "definition_changed");
    cr_assert_not_null(strstr(more.error.message, "'zone'"), "%s", more.error.message);
    fixture_release(&more);

    changed = geo_spec;
    changed.key_column = 2;
    fixture_build(&more, &changed, geo.dimension, "");
    cr_assert_str_eq(more.error.code, "definition_changed");
    fixture_release(&more);
    fixture_release(&geo);
}

Test(builder, an_append_without_keys_goes_by_the_tuple)
{
    fixture city, more;
    fixture_build(&city, &city_spec, NULL, "FR,Paris,75,1\nDE,Bonn,53,~");
    fixture_build(&more, &city_spec, city.dimension, "DE,Aachen,52,~\nDE,Bonn,53,~\nFR,Paris,75,2");
    cr_assert_eq(more.status, VC_OK, "%s", more.error.message);
    cr_assert_eq(more.dimension->nleaves, 4);
    cr_assert_eq(more.leaf_of_row[more.row_of_line[1]], 0);
    cr_assert_str_eq(fixture_members(&more, 0, 1), "DE,Aachen DE,Bonn FR,Paris");
    uint32_t expected[] = {1, 2, 0, 2};
    cr_assert(fixture_are(more.dimension->hierarchies[0].levels[1].leaf_members, expected, 4));
    fixture_release(&more);
    fixture_release(&city);
}

/* ---- attributes ---- */

Test(builder, attributes_of_leaf_and_level)
{
    fixture city;
    fixture_build(&city, &city_spec, NULL, "FR,Paris,75,1\nFR,Paris,~,2\nDE,Bonn,53,~\nDE,Ulm,~,~");
    cr_assert_eq(city.status, VC_OK, "%s", city.error.message);
    const vc_attribute *zip = vc_dimension_find_attribute(city.dimension, VC_STR("zip"));
    cr_assert(zip->hierarchy == 0 && zip->level == 1);
    uint32_t zips[] = {0, VC_NONE, 1}; /* Bonn, Ulm, Paris */
    cr_assert(fixture_are(zip->codes, zips, sizeof zips / sizeof *zips));
    const vc_attribute *rank = vc_dimension_find_attribute(city.dimension, VC_STR("rank"));
    cr_assert(rank->hierarchy == -1 && rank->values.count == 2);
    cr_assert_null(vc_dimension_find_attribute(city.dimension, VC_STR("zips")));
    fixture_release(&city);
}

Test(builder, a_level_attribute_has_one_value)
{
    fixture city, more;
    fixture_build(&city, &city_spec, NULL, "FR,Paris,75,1\nFR,Paris,76,1");
    cr_assert_eq(city.status, VC_BAD_INPUT);
    cr_assert_str_eq(city.error.code, "attribute_conflict");
    cr_assert_not_null(strstr(city.error.message, "'FR,Paris' has rows with '75' and with '76'"),
                       "%s", city.error.message);
    fixture_release(&city);

    fixture_build(&city, &city_spec, NULL, "FR,Paris,75,1");
    fixture_build(&more, &city_spec, city.dimension, "FR,Paris,76,1");
    cr_assert_eq(more.status, VC_BAD_INPUT);
    cr_assert_str_eq(more.error.code, "attribute_conflict");
    fixture_release(&more);
    fixture_release(&city);
}

/* ---- specs that cannot be ---- */

static void expect_bad_spec(const vc_dimension_spec *spec, const char *code, const char *part)
{
    vc_error error = {0};
    vc_dimension_builder *builder = NULL;
    cr_assert_eq(vc_dimension_builder_new(spec, NULL, &builder, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, code);
    cr_assert_not_null(strstr(error.message, part), "%s", error.message);
    cr_assert_null(builder);
}

Test(builder, specs_are_checked)
{
    vc_dimension_spec spec = geo_spec;
    spec.nhierarchies = 0;
    expect_bad_spec(&spec, "bad_dimension", "0 hierarchies");
    spec = geo_spec;
    spec.ncolumns = 4;
    expect_bad_spec(&spec, "bad_dimension", "column 4");
    spec = geo_spec;
    vc_hierarchy_spec hierarchy = {.name = VC_STR("none")};
    spec.hierarchies = &hierarchy;
    expect_bad_spec(&spec, "bad_dimension", "'none'");

    vc_index_spec index = {.name = VC_STR("by_capital"), .attribute = VC_STR("capitol")};
    spec = geo_spec;
    spec.indexes = &index;
    expect_bad_spec(&spec, "unknown_attribute", "'capitol'");
    index = (vc_index_spec){.name = VC_STR("regions"),
                            .attribute = VC_STR("region"),
                            .has_where = true,
                            .where_attribute = VC_STR("zone 5")};
    expect_bad_spec(&spec, "unknown_attribute", "'zone 5'");
}
