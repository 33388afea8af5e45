#include "tests/dimensions/fixture.h"
#include "tests/dimensions/specs.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNTRIES                                                                                  \
    "FRA,Europe,France,Paris,1\n"                                                                  \
    "JPN,Asia,Japan,Tokyo,9\n"                                                                     \
    "DEU,Europe,Germany,Berlin,1\n"                                                                \
    "CHN,Asia,China,Beijing,8\n"                                                                   \
    "SOL,Space,Sun,~,~"

/* Everything is an index: declared ones, key, key column, levels, attributes. */
Test(index, what_has_a_name_can_be_looked_up)
{
    fixture geo;
    fixture_build(&geo, &geo_spec, NULL, COUNTRIES);
    cr_assert_eq(geo.status, VC_OK, "%s", geo.error.message);
    /* CHN JPN DEU FRA SOL */
    cr_assert_str_eq(fixture_indexed(&geo, "capital_of", "Paris"), "3");
    cr_assert_str_eq(fixture_indexed(&geo, "capital", "Berlin"), "2");
    cr_assert_str_eq(fixture_indexed(&geo, "key", "FRA"), "3");
    cr_assert_str_eq(fixture_indexed(&geo, "iso3", "CHN"), "0");
    cr_assert_str_eq(fixture_indexed(&geo, "region", "Europe"), "1");
    cr_assert_str_eq(fixture_indexed(&geo, "country", "SOL"), "4");
    cr_assert_str_eq(fixture_indexed(&geo, "zone", "1"), "2 3");
    cr_assert_str_eq(fixture_indexed(&geo, "zone", "7"), "");
    cr_assert_str_eq(fixture_indexed(&geo, "zone", "A"), "");
    cr_assert_str_eq(fixture_indexed(&geo, "zone", ""), "");

    const vc_index *index;
    cr_assert_eq(vc_dimension_find_index(geo.dimension, VC_STR("iso3"), &index, NULL), VC_OK);
    cr_assert(index->is_implicit && index->is_unique && index->hierarchy == -1);
    cr_assert_eq(vc_dimension_find_index(geo.dimension, VC_STR("region"), &index, NULL), VC_OK);
    cr_assert(index->is_implicit && !index->is_unique && index->hierarchy == 0);
    cr_assert_eq(vc_dimension_find_index(geo.dimension, VC_STR("capital_of"), &index, NULL), VC_OK);
    cr_assert(!index->is_implicit && index->is_unique && !index->is_partial);
    cr_assert_eq(index->values.count, 4, "null is not in an index");

    vc_error error = {0};
    vc_status status = vc_dimension_find_index(geo.dimension, VC_STR("capitals"), &index, &error);
    cr_assert_eq(status, VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_index");
    cr_assert_str_eq(error.candidates[0], "capital");
    fixture_release(&geo);
}

Test(index, without_keys_key_is_the_lowest_level)
{
    fixture city;
    fixture_build(&city, &city_spec, NULL, "US,Paris,75460,2\nFR,Paris,75000,1\nUS,Paris,75460,3");
    const vc_index *index;
    cr_assert_eq(vc_dimension_find_index(city.dimension, VC_STR("key"), &index, NULL), VC_OK);
    cr_assert(index->hierarchy == 0 && index->level == 1 && !index->is_unique);
    cr_assert_str_eq(fixture_indexed(&city, "key", "Paris"), "0 1");
    /* An index on a level's attribute holds members of that level. */
    cr_assert_str_eq(fixture_indexed(&city, "zip", "75460"), "1");
    fixture_release(&city);
}

/* A declared index takes the name from an implicit one. */
Test(index, declared_names_win)
{
    vc_dimension_spec spec = geo_spec;
    vc_index_spec index = {.name = VC_STR("region"), .attribute = VC_STR("zone")};
    spec.indexes = &index;
    fixture geo;
    fixture_build(&geo, &spec, NULL, COUNTRIES);
    cr_assert_str_eq(fixture_indexed(&geo, "region", "1"), "2 3");
    unsigned count = 0;
    for (unsigned i = 0; i < geo.dimension->nindexes; i++)
        count += vc_str_is(geo.dimension->indexes[i].name, "region");
    cr_assert_eq(count, 1);
    fixture_release(&geo);
}

Test(index, unique_is_verified)
{
    fixture geo;
    fixture_build(&geo, &geo_spec, NULL, "A,X,~,P,~\nB,X,~,P,~\nC,X,~,Q,~\nD,X,~,~,~\nE,X,~,~,~");
    cr_assert_eq(geo.status, VC_BAD_INPUT);
    cr_assert_str_eq(geo.error.code, "index_not_unique");
    cr_assert_not_null(strstr(geo.error.message, "1 of its values has several members: 'P' (A, B)"),
                       "%s", geo.error.message);
    fixture_release(&geo);

    /* Nulls and empty texts are no values, so they are no conflict. */
    fixture_build(&geo, &geo_spec, NULL, "A,X,~,,~\nB,X,~,,~\nC,X,~,Q,~\nD,X,~,~,~\nE,X,~,~,~");
    cr_assert_eq(geo.status, VC_OK, "%s", geo.error.message);
    const vc_index *index;
    cr_assert_eq(vc_dimension_find_index(geo.dimension, VC_STR("capital_of"), &index, NULL), VC_OK);
    cr_assert_eq(index->values.count, 1);
    fixture_release(&geo);
}

Test(index, conflicts_beyond_the_first_are_counted)
{
    fixture geo;
    fixture_build(&geo, &geo_spec, NULL,
                  "A,X,~,1,~\nB,X,~,1,~\nC,X,~,2,~\nD,X,~,2,~\nE,X,~,3,~\nF,X,~,3,~\nG,X,~,4,~\n"
                  "H,X,~,4,~\nI,X,~,5,~\nJ,X,~,5,~\nK,X,~,1,~\nL,X,~,1,~\nM,X,~,1,~");
    cr_assert_not_null(strstr(geo.error.message,
                              "5 of its values have several members: '1' (A, B, K, L, and 1 more), "
                              "'2' (C, D), '3' (E, F), and 2 more values"),
                       "%s", geo.error.message);
    fixture_release(&geo);
}

Test(index, a_partial_index_holds_some_leaves)
{
    vc_str wanted[] = {VC_STR("9"), VC_STR("8"), VC_STR("nobody has this")};
    vc_index_spec index = {.name = VC_STR("eastern"),
                           .attribute = VC_STR("capital"),
                           .is_unique = true,
                           .has_where = true,
                           .where_attribute = VC_STR("zone"),
                           .where_values = wanted,
                           .nwhere_values = 3};
    vc_dimension_spec spec = geo_spec;
    spec.indexes = &index;
    fixture geo;
    /* Berlin is there twice, but not in the index. */
    fixture_build(&geo, &spec, NULL, COUNTRIES "\nDDR,Europe,East,Berlin,1");
    cr_assert_eq(geo.status, VC_OK, "%s", geo.error.message);
    cr_assert_str_eq(fixture_indexed(&geo, "eastern", "Tokyo"), "1");
    cr_assert_str_eq(fixture_indexed(&geo, "eastern", "Berlin"), "");
    const vc_index *found;
    cr_assert_eq(vc_dimension_find_index(geo.dimension, VC_STR("eastern"), &found, NULL), VC_OK);
    cr_assert(found->is_partial && found->values.count == 2);
    fixture_release(&geo);

    /* The condition may be on a level above the leaf, and on a column that is no attribute. */
    index.where_attribute = VC_STR("region");
    wanted[0] = VC_STR("Asia");
    fixture_build(&geo, &spec, NULL, COUNTRIES);
    cr_assert_str_eq(fixture_indexed(&geo, "eastern", "Beijing"), "0");
    cr_assert_str_eq(fixture_indexed(&geo, "eastern", "Paris"), "");
    fixture_release(&geo);
    index.where_attribute = VC_STR("name");
    wanted[0] = VC_STR("France");
    fixture_build(&geo, &spec, NULL, COUNTRIES);
    cr_assert_str_eq(fixture_indexed(&geo, "eastern", "Paris"), "3");
    fixture_release(&geo);
}

Test(index, a_partial_index_of_a_level_asks_the_level_or_above)
{
    vc_str wanted[] = {VC_STR("FR")};
    vc_index_spec index = {.name = VC_STR("french_zip"),
                           .attribute = VC_STR("zip"),
                           .has_where = true,
                           .where_attribute = VC_STR("country"),
                           .where_values = wanted,
                           .nwhere_values = 1};
    vc_dimension_spec spec = city_spec;
    spec.indexes = &index;
    spec.nindexes = 1;
    fixture city;
    fixture_build(&city, &spec, NULL, "FR,Paris,75,1\nDE,Bonn,53,~\nDE,Ulm,75,~");
    cr_assert_eq(city.status, VC_OK, "%s", city.error.message);
    cr_assert_str_eq(fixture_indexed(&city, "french_zip", "75"), "2");
    cr_assert_str_eq(fixture_indexed(&city, "zip", "75"), "1 2");
    fixture_release(&city);
}

/* A country has many cities, so it has no one zip: what is indexed then are its cities. */
Test(index, a_partial_index_of_a_level_without_one_value_is_of_leaves)
{
    vc_str wanted[] = {VC_STR("75")};
    vc_index_spec index = {.name = VC_STR("of_75"),
                           .attribute = VC_STR("country"),
                           .is_unique = true,
                           .has_where = true,
                           .where_attribute = VC_STR("zip"),
                           .where_values = wanted,
                           .nwhere_values = 1};
    vc_dimension_spec spec = city_spec;
    spec.indexes = &index;
    spec.nindexes = 1;
    fixture city;
    fixture_build(&city, &spec, NULL, "FR,Paris,75,1\nFR,Lyon,69,1\nDE,Bonn,53,~\nDE,Ulm,75,~");
    cr_assert_eq(city.status, VC_OK, "%s", city.error.message);
    cr_assert_str_eq(fixture_members(&city, 0, 1), "DE,Bonn DE,Ulm FR,Lyon FR,Paris");
    cr_assert_str_eq(fixture_indexed(&city, "of_75", "DE"), "1");
    cr_assert_str_eq(fixture_indexed(&city, "of_75", "FR"), "3");
    cr_assert_str_eq(fixture_indexed(&city, "country", "FR"), "1");
    fixture_release(&city);
}

/* Two indexes on the same things must not be confused with the texts they share. */
Test(index, an_int_level_is_indexed_by_its_shortest_form)
{
    fixture date;
    fixture_build(&date, &date_spec, NULL,
                  "2020-01-05,2020,01,1,A\n2020-02-05,2020,02,1,A\n2021-01-09,2021,1,1,B");
    cr_assert_str_eq(fixture_indexed(&date, "month", "1"), "0 2");
    cr_assert_str_eq(fixture_indexed(&date, "month", "01"), "");
    cr_assert_str_eq(fixture_indexed(&date, "week", "A"), "0");
    fixture_release(&date);
}
