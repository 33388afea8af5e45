/* Leaves that stand under several parents of one hierarchy. */
#include "dimensions/renumber.h"
#include "tests/dimensions/fixture.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_COLUMNS .label_column = -1, .order_column = -1

/* country, group, name of the group, continent, area of the group */
static const vc_str columns[] = {
    {"iso3", 4}, {"club", 4}, {"name", 4}, {"continent", 9}, {"seat", 4}};
static const vc_level_spec club_levels[] = {
    {.name = {"club", 4}, .key_column = 1, .label_column = 2, .order_column = -1},
    {.name = {"country", 7}, .key_column = 0, NO_COLUMNS}};
static const vc_level_spec land_levels[] = {
    {.name = {"continent", 9}, .key_column = 3, NO_COLUMNS}};
static const vc_hierarchy_spec hierarchies[] = {
    {.name = {"clubs", 5}, .nlevels = 2, .levels = club_levels, .has_several_parents = true},
    {.name = {"lands", 5}, .nlevels = 1, .levels = land_levels}};
static const vc_attribute_spec seat = {
    .name = {"seat", 4}, .column = 4, .hierarchy = 0, .level = 0};
static const vc_index_spec by_key = {
    .name = {"code", 4}, .attribute = {"iso3", 4}, .is_unique = true};
static const vc_dimension_spec spec = {.name = {"geo", 3},
                                       .ncolumns = 5,
                                       .column_names = columns,
                                       .nhierarchies = 2,
                                       .hierarchies = hierarchies,
                                       .nattributes = 1,
                                       .attributes = &seat,
                                       .nindexes = 1,
                                       .indexes = &by_key};

#define CLUBS                                                                                      \
    "FRA,EU,Union,Europe,Brussels\nFRA,NATO,Treaty,Europe,~\nDEU,EU,Union,Europe,~\n"              \
    "USA,NATO,Treaty,America,Brussels\nFRA,EU,Union,Europe,Brussels\n"

/* The groups of a country, in the order of their members. */
static const char *places_of(fixture *made, const char *country)
{
    static char text[64];
    uint32_t *offsets, *places;
    const vc_dimension *dimension = made->dimension;
    const vc_hierarchy *clubs = &dimension->hierarchies[0];
    uint32_t leaf = made->leaf_of_row[vc_dimension_builder_find(made->builder, vc_str_of(country))];
    text[0] = '\0';
    cr_assert_lt(leaf, vc_dimension_count_leaves(dimension), "facts know the leaf");
    cr_assert_eq(vc_dimension_list_places(dimension, &made->arena, &offsets, &places, NULL), VC_OK);
    for (uint32_t i = offsets[leaf]; i < offsets[leaf + 1]; i++) {
        uint32_t club = vc_numbers_get(clubs->levels[0].leaf_members, places[i]);
        cr_assert_eq(vc_leaf_first(dimension, places[i]), leaf);
        cr_assert(vc_str_is(vc_texts_get(&dimension->leaf_keys, places[i]), country));
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s",
                 text[0] == '\0' ? "" : " ", VC_FMT(vc_texts_get(&clubs->levels[0].keys, club)));
    }
    return text;
}

Test(places, a_leaf_under_several_parents)
{
    fixture geo;
    fixture_build(&geo, &spec, NULL, CLUBS);
    cr_assert_eq(geo.status, VC_OK, "%s", geo.error.message);
    cr_expect_eq(geo.dimension->nleaves, 4);
    cr_expect_eq(geo.dimension->ndoubles, 1);
    cr_expect_eq(geo.report.nnew_leaves, 3);
    cr_expect_str_eq(fixture_members(&geo, 0, 1), "EU,DEU EU,FRA NATO,FRA NATO,USA");
    cr_expect_str_eq(places_of(&geo, "FRA"), "EU NATO");
    cr_expect_str_eq(places_of(&geo, "DEU"), "EU");
    cr_expect_str_eq(fixture_indexed(&geo, "code", "FRA"), "1 3");
    cr_expect(vc_dimension_is_depth_first(geo.dimension));
    uint64_t bits[1] = {8};
    vc_dimension_mark_places(geo.dimension, bits);
    cr_expect_eq(bits[0], 10, "the double and its leaf");
    fixture_walk(geo.dimension);
    fixture_release(&geo);
}

Test(places, appending_moves_doubles_but_no_leaf)
{
    fixture geo, more;
    fixture_build(&geo, &spec, NULL, CLUBS);
    fixture_build(&more, &spec, geo.dimension,
                  "USA,OECD,Rich,America,Paris\nAUT,EU,Union,Europe,Brussels\n"
                  "FRA,OECD,Rich,Europe,Paris\nFRA,EU,Union,Europe,Brussels");
    cr_assert_eq(more.status, VC_OK, "%s", more.error.message);
    cr_expect_eq(vc_dimension_count_leaves(more.dimension), 4);
    cr_expect_eq(more.dimension->ndoubles, 3);
    cr_expect_eq(more.report.nnew_leaves, 1);
    cr_expect_str_eq(places_of(&more, "FRA"), "EU NATO OECD");
    cr_expect_str_eq(places_of(&more, "USA"), "NATO OECD");
    for (uint32_t leaf = 0; leaf < 3; leaf++)
        cr_expect(vc_str_equal(vc_texts_get(&more.dimension->leaf_keys, leaf),
                               vc_texts_get(&geo.dimension->leaf_keys, leaf)));
    cr_expect(!vc_dimension_is_depth_first(more.dimension));
    fixture_release(&more);
    fixture_release(&geo);
}

struct refusal {
    char rows[160];
    char code[24];
    char message[160]; /* part of it */
};
ParameterizedTestParameters(places, refused)
{
    static struct refusal cases[] = {
        {"FRA,EU,Union,Europe,~\nFRA,NATO,Treaty,Africa,~", "duplicate_key",
         "another 'continent': 'Europe' before, 'Africa' here"},
        {"FRA,EU,Union,Europe,Brussels\nFRA,EU,Union,Europe,Paris", "duplicate_key",
         "another 'seat': 'Brussels' before, 'Paris' here"},
        {"FRA,EU,Union,Europe,Brussels\nDEU,EU,Union,Europe,Paris", "attribute_conflict", "seat"},
        {"~,EU,Union,Europe,~", "empty_key", "no key"},
    };
    return cr_make_param_array(struct refusal, cases, sizeof cases / sizeof cases[0]);
}
ParameterizedTest(struct refusal *c, places, refused)
{
    fixture geo;
    fixture_build(&geo, &spec, NULL, c->rows);
    cr_assert_eq(geo.status, VC_BAD_INPUT);
    cr_expect_str_eq(geo.error.code, c->code);
    cr_expect_not_null(strstr(geo.error.message, c->message), "%s", geo.error.message);
    fixture_release(&geo);
}

Test(places, unasked_it_is_a_mistake)
{
    fixture geo;
    vc_hierarchy_spec strict[2] = {hierarchies[0], hierarchies[1]};
    vc_dimension_spec other = spec;
    strict[0].has_several_parents = false;
    other.hierarchies = strict;
    other.has_table = true;
    fixture_build(&geo, &other, NULL, CLUBS);
    cr_expect_str_eq(geo.error.code, "duplicate_key");
    cr_expect_not_null(strstr(geo.error.message, "\"several_parents\": true"), "%s",
                       geo.error.message);
    fixture_release(&geo);
}

/* ---- trees ---- */

static const vc_str tree_columns[] = {{"id", 2}, {"above", 5}, {"size", 4}};
static const vc_level_spec tree_level[] = {{.name = {"level1", 6}, .key_column = 0, NO_COLUMNS}};
static const vc_hierarchy_spec tree = {.name = {"parts", 5},
                                       .nlevels = 1,
                                       .levels = tree_level,
                                       .is_parent_child = true,
                                       .parent_column = 1,
                                       .level_column = -1,
                                       .has_several_parents = true};
static const vc_attribute_spec size = {
    .name = {"size", 4}, .column = 2, .hierarchy = -1, .level = -1};
static const vc_dimension_spec tree_spec = {.name = {"part", 4},
                                            .ncolumns = 3,
                                            .column_names = tree_columns,
                                            .nhierarchies = 1,
                                            .hierarchies = &tree,
                                            .nattributes = 1,
                                            .attributes = &size};

Test(places, what_is_below_a_row_with_two_parents_is_below_both)
{
    fixture part;
    fixture_build(&part, &tree_spec, NULL,
                  "car,~,9\nbike,~,5\nwheel,car,2\nwheel,bike,2\nbolt,wheel,1");
    cr_assert_eq(part.status, VC_OK, "%s", part.error.message);
    cr_expect_eq(vc_dimension_count_leaves(part.dimension), 4);
    cr_expect_eq(part.dimension->ndoubles, 2, "a wheel and a bolt");
    cr_expect_eq(part.dimension->hierarchies[0].nlevels, 3);
    vc_member_ref found;
    cr_expect_eq(fixture_find(&part, 0, "bike,wheel,bolt", &found), VC_OK);
    cr_expect_eq(fixture_find(&part, 0, "car,wheel,bolt", &found), VC_OK);
    fixture_walk(part.dimension);

    fixture more;
    fixture_build(&more, &tree_spec, part.dimension, "bolt,bike,1\nsaddle,bike,3");
    cr_assert_eq(more.status, VC_OK, "%s", more.error.message);
    cr_expect_eq(vc_dimension_count_leaves(more.dimension), 5);
    cr_expect_eq(more.dimension->ndoubles, 3);
    fixture_release(&more);
    fixture_release(&part);
}

struct circle {
    char rows[64];
};
ParameterizedTestParameters(places, circles)
{
    static struct circle cases[] = {{"a,~,1\nb,a,1\nc,b,1\nb,c,1"}, {"a,b,1\nb,a,1"}};
    return cr_make_param_array(struct circle, cases, 2);
}
ParameterizedTest(struct circle *c, places, circles)
{
    fixture part;
    fixture_build(&part, &tree_spec, NULL, c->rows);
    cr_expect_str_eq(part.error.code, "parent_cycle", "%s", part.error.message);
    fixture_release(&part);
}

/* ---- random tables: what came in parts is, renumbered, what comes at once ---- */

enum { MAX_LINES = 40 };

/* Lines of a table in which a key is always of one continent, and a group has one name and seat. */
static void make_clubs(char lines[MAX_LINES][32], unsigned nlines)
{
    for (unsigned i = 0; i < nlines; i++) {
        int key = rand() % 9, club = rand() % 4;
        snprintf(lines[i], 32, "k%d,c%d,n%d,l%d,%s", key, club, club, key % 3,
                 rand() % 3 == 0 ? "~" : "s");
    }
}

/* Whoever is below a row is later in the alphabet, so there are no circles. */
static void make_parts(char lines[MAX_LINES][32], unsigned nlines)
{
    for (unsigned i = 0; i < nlines; i++) {
        int key = rand() % 8, above = key == 0 ? 0 : rand() % key;
        if (key == 0 || rand() % 4 == 0)
            snprintf(lines[i], 32, "%c,~,%d", 'a' + key, key);
        else
            snprintf(lines[i], 32, "%c,%c,%d", 'a' + key, 'a' + above, key);
    }
}

static void join_lines(char lines[MAX_LINES][32], unsigned first, unsigned end, char *text)
{
    text[0] = '\0';
    for (unsigned i = first; i < end; i++)
        sprintf(text + strlen(text), "%s%s", i > first ? "\n" : "", lines[i]);
}

static void one_round(unsigned seed, const vc_dimension_spec *by,
                      void (*make)(char lines[MAX_LINES][32], unsigned))
{
    char lines[MAX_LINES][32], text[MAX_LINES * 33];
    srand(seed);
    unsigned nlines = 1 + (unsigned)rand() % (MAX_LINES - 1), cut = (unsigned)rand() % (nlines + 1);
    fixture fresh, part, more;
    vc_buffer image = {0};
    const uint32_t *leaves;
    make(lines, nlines);
    join_lines(lines, 0, nlines, text);
    fixture_build(&fresh, by, NULL, text);
    cr_assert_eq(fresh.status, VC_OK, "seed %u: %s", seed, fresh.error.message);
    fixture_walk(fresh.dimension);
    join_lines(lines, 0, cut, text);
    fixture_build(&part, by, NULL, text);
    join_lines(lines, cut, nlines, text);
    fixture_build(&more, by, part.dimension, text);
    cr_assert_eq(more.status, VC_OK, "seed %u: %s", seed, more.error.message);
    fixture_walk(more.dimension);
    cr_assert_eq(vc_dimension_count_leaves(more.dimension),
                 vc_dimension_count_leaves(fresh.dimension));
    for (uint32_t leaf = 0; leaf < vc_dimension_count_leaves(part.dimension); leaf++)
        cr_assert(vc_str_equal(vc_texts_get(&part.dimension->leaf_keys, leaf),
                               vc_texts_get(&more.dimension->leaf_keys, leaf)),
                  "seed %u", seed);
    for (unsigned l = 0; l < fresh.dimension->hierarchies[0].nlevels; l++)
        cr_assert_str_eq(fixture_members(&fresh, 0, l), fixture_members(&more, 0, l));
    cr_assert_eq(vc_dimension_renumber(more.dimension, &more.arena, &image, &leaves, &more.error),
                 VC_OK, "%s", more.error.message);
    cr_assert_eq(image.size, fresh.image.size, "seed %u", seed);
    cr_assert_eq(memcmp(image.data, fresh.image.data, image.size), 0, "seed %u", seed);
    for (uint32_t leaf = 0; leaf < vc_dimension_count_leaves(more.dimension); leaf++)
        cr_assert_lt(leaves[leaf], vc_dimension_count_leaves(fresh.dimension), "seed %u", seed);
    vc_buffer_release(&image);
    fixture_release(&more);
    fixture_release(&part);
    fixture_release(&fresh);
}

Test(places, random_tables)
{
    for (unsigned seed = 1; seed <= 400; seed++)
        one_round(seed, &spec, make_clubs);
}

Test(places, random_trees)
{
    for (unsigned seed = 1; seed <= 400; seed++)
        one_round(seed, &tree_spec, make_parts);
}
