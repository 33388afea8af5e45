/* The dialect of mondrian-rest. Its numbers are those of /v1/cubes/{cube}/aggregate: what is tested
 * here is how a question is read and an answer is called. The client itself is in tests/clients. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <string.h>

#define BASE "/mondrian-rest/cubes"

static test_server golden, world, gaps;

static void start_golden(void)
{
    fixture_start(&golden, "samples/golden", NULL);
}

static void stop_golden(void)
{
    fixture_stop(&golden);
}

static void start_world(void)
{
    fixture_start(&world, "samples/world", NULL);
}

static void stop_world(void)
{
    fixture_stop(&world);
}

static void start_gaps(void)
{
    fixture_start(&gaps, "tests/data/fixture/gaps", NULL);
}

static void stop_gaps(void)
{
    fixture_stop(&gaps);
}

TestSuite(mondrian, .init = start_golden, .fini = stop_golden, .timeout = 30);
TestSuite(mondrian_world, .init = start_world, .fini = stop_world, .timeout = 120);

/* The columns of an answer as CSV, a line each, ended by "\n" for reading here. */
static void check_csv(uint16_t port, const char *target, const char *expected)
{
    test_answer answer;
    vc_buffer lines = {0};
    ask(port, "GET", target, NULL, NULL, &answer);
    cr_assert_eq(answer.status, 200, "%s: %s", target, answer.body.data);
    cr_assert_str_eq(answer_header(&answer, "Content-Type"), "text/csv; charset=utf-8");
    for (size_t i = 0; i < answer.body.size; i++)
        if (answer.body.data[i] != '\r') vc_buffer_put_char(&lines, answer.body.data[i]);
    cr_assert_str_eq(vc_buffer_text(&lines), expected, "%s: %s", target, vc_buffer_text(&lines));
    vc_buffer_release(&lines);
    answer_release(&answer);
}

struct csv_case {
    char parameters[240];
    char expected[320];
};

#define LEFT "measures[]=pop&measures[]=cpop&"

ParameterizedTestParameters(mondrian, csv)
{
    static struct csv_case cases[] = {
        /* every member, also those without a value, unless nonempty or sparse say otherwise */
        {"measures[]=cpop&drilldown[]=[country].[country]",
         "ID country,country,cpop\nDE,Germany,5.6\nFR,France,2.6\nJP,Japan,\nUS,United States,8.3\n"
         "XK,Kosovo,0.2\n"},
        {"measures[]=cpop&drilldown[]=[country].[country]&nonempty=true&cut[]=~[country].%26[US]",
         "ID country,country,cpop\nDE,Germany,5.6\nFR,France,2.6\nXK,Kosovo,0.2\n"},
        {"measures[]=cpop&drilldown[]=country&sparse=true&distinct=true&limit=2&offset=1",
         "ID country,country,cpop\nFR,France,2.6\nUS,United States,8.3\n"},
        /* without a drilldown the total, without measures the first one */
        {"", "pop\n611.8\n"},
        {LEFT "cut[]=[country].[(All)].[All]", "pop,cpop\n611.8,16.7\n"},
        /* cuts: a member by key, by its path, in a set, in a range; several cuts all hold */
        {LEFT "cut[]=[country].[country].%26[FR]", "pop,cpop\n68,2.6\n"},
        {LEFT "cut[]=[country].[std].[country].%26[FR]", "pop,cpop\n68,2.6\n"},
        {LEFT "cut[]=[country.std].[country].%26[FR]", "pop,cpop\n68,2.6\n"},
        {LEFT "cut[]=[country].[FR]", "pop,cpop\n68,2.6\n"},
        {LEFT "cut[]=%7B[country].[country].%26[FR],[country].%26[DE]%7D", "pop,cpop\n152,8.2\n"},
        {LEFT "cut[]=([country].[country].%26[DE]:[country].[country].%26[JP])",
         "pop,cpop\n277,8.2\n"},
        {LEFT "cut[]=%7B[country].%26[FR],[country].%26[DE]%7D&cut[]=~[country].%26[DE]",
         "pop,cpop\n68,2.6\n"},
        {LEFT "cut=[country].[country].%26[FR]&cut%5B0%5D=", "pop,cpop\n68,2.6\n"},
        /* filters and orders */
        {LEFT "drilldown[]=[country]&filter[]=pop+%3E+68&filter[]=[Measures].[pop]%3C%3D125",
         "ID country,country,pop,cpop\nDE,Germany,84,5.6\nJP,Japan,125,\n"},
        {LEFT "drilldown[]=[country]&filters[]=pop%3C%3E68&order=[Measures].[cpop]&order_desc=true"
              "&limit=2",
         "ID country,country,pop,cpop\nUS,United States,333,8.3\nDE,Germany,84,5.6\n"},
        {"drilldown[]=[country]&order=[country].[country]&order_desc=true&limit=1",
         "ID country,country,pop\nXK,Kosovo,1.8\n"},
        /* properties and captions, of the dimension and of what is joined */
        {"drilldown[]=[country]&limit=2&properties[]=[country].[country].iso2&properties[]="
         "[country].[country].cities.ciso&caption[]=[country].[country].[iso2]",
         "ID country,country,iso2,cities.ciso,pop\nDE,DE,DE,\"[\"\"DE \"\",\"\"DEU\"\"]\",84\n"
         "FR,FR,FR,\"[\"\"FR\"\",\"\"fr\"\"]\",68\n"},
    };
    return cr_make_param_array(struct csv_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct csv_case *c, mondrian, csv)
{
    char target[320];
    snprintf(target, sizeof target, BASE "/golden_left/aggregate.csv?%s", c->parameters);
    check_csv(golden.port, target, c->expected);
}

/* Why a value is null, and which rows are no members, stand beside the values. */
Test(mondrian, records)
{
    json_t *json = get_json(golden.port, BASE "/golden_full/aggregate.jsonrecords?measures[]=pop&"
                                              "measures[]=cpop&drilldown[]=country&debug=true");
    json_t *expected =
        json_loads("[{\"ID country\":\"DE\",\"country\":\"Germany\",\"pop\":84,\"cpop\":5.6},"
                   "{\"ID country\":\"FR\",\"country\":\"France\",\"pop\":68,\"cpop\":2.6},"
                   "{\"ID country\":\"JP\",\"country\":\"Japan\",\"pop\":125,\"cpop\":null,"
                   "\"_status\":{\"cpop\":\"u\"}},"
                   "{\"ID country\":\"US\",\"country\":\"United States\",\"pop\":333,\"cpop\":8.3},"
                   "{\"ID country\":\"XK\",\"country\":\"Kosovo\",\"pop\":1.8,\"cpop\":0.2},"
                   "{\"ID country\":\"(unmatched:cities)\",\"country\":\"(unmatched:cities)\","
                   "\"pop\":null,\"cpop\":0.1,\"_status\":{\"pop\":\"u\"},"
                   "\"_synthetic\":[\"country\"]}]",
                   0, NULL);
    cr_assert(json_equal(json_object_get(json, "data"), expected), "%s",
              json_dumps(json_object_get(json, "data"), 0));
    cr_assert_str_eq(text_of(json, "query"),
                     "cube=golden_full&drilldown=country:country&measures=pop|cpop&sparse=false");
    cr_assert_not_null(json_object_get(json_object_get(json, "meta"), "notices"));
    json_decref(expected);
    json_decref(json);
}

/* The bucket is cut by its key, as any member. */
Test(mondrian, buckets)
{
    check_csv(golden.port,
              BASE "/golden_full/aggregate.csv?measures[]=cpop&"
                   "cut[]=[country].[country].%26[(unmatched:cities)]",
              "cpop\n0.1\n");
    json_t *json =
        get_json(golden.port, BASE "/golden_full/dimensions/country/levels/country/members");
    json_t *members = json_object_get(json, "members");
    const json_t *last = json_array_get(members, json_array_size(members) - 1);
    cr_assert_eq(json_array_size(members), 6);
    cr_assert_str_eq(text_of(last, "key"), "(unmatched:cities)");
    cr_assert(json_is_true(json_object_get(last, "synthetic")));
    json_decref(json);
}

struct error_case {
    char target[140];
    unsigned status;
    char code[24];
    char error[100]; /* part of it */
};

ParameterizedTestParameters(mondrian, errors)
{
#define ASK BASE "/golden_left/aggregate.jsonrecords?"
    static struct error_case cases[] = {
        {"/mondrian-rest/nothing", 404, "unknown_path", "nothing at"},
        {BASE "/golden_lft", 404, "unknown_cube", "golden_lft"},
        {BASE "/golden_left/aggregate.xls", 404, "unknown_path", "aggregate.xls"},
        {ASK "drilldown[]=[contry]", 404, "unknown_dimension", "contry"},
        {ASK "drilldown[]=[country].[contry]", 404, "unknown_level", "contry"},
        {ASK "drilldown[]=[country].[country].%26[FR]", 400, "syntax", "behind a level"},
        {ASK "drilldown[]=[country].[(All)]", 422, "unsupported", "no level to drill"},
        {ASK "drilldown[]=country&drilldown[]=country", 422, "duplicate_dimension", "country"},
        {ASK "cut[]=[country].[country].%26[NIX]", 404, "unknown_member", "NIX"},
        {ASK "cut[]=[country].[country]", 400, "syntax", "found no member"},
        {ASK "cut[]=[country].%26[FR", 400, "syntax", "expected ']'"},
        {ASK "cut[]=([country].%26[FR]:[country].[country].%26[DE])", 400, "syntax", "one level"},
        {ASK "measures[]=pops", 404, "unknown_measure", "pops"},
        {ASK "filter[]=pop", 400, "syntax", "a measure, one of"},
        {ASK "filter[]=pops>1", 404, "unknown_measure", "pops"},
        {ASK "filter[]=pop>much", 400, "syntax", "and a number"},
        {ASK "order=pops", 404, "unknown_measure", "pops"},
        {ASK "drilldown[]=country&order=[country].[country].[iso2]", 422, "unsupported",
         "not by a property"},
        {ASK "properties[]=[country].[country].iso2", 422, "unsupported", "not drilled"},
        {ASK "drilldown[]=country&properties[]=[country].[country].iso", 404, "unknown_attribute",
         "iso"},
        {ASK "nonempty=perhaps", 400, "bad_parameter", "true or false"},
        {ASK "limit=-1", 400, "bad_parameter", "whole number"},
        {ASK "colour=red", 400, "unknown_parameter", "colour"},
        {BASE "/golden_left/members", 400, "missing_parameter", "full_name"},
        {BASE "/golden_left/members?full_name=[country].[All]", 404, "unknown_member", "All"},
        {BASE "/golden_left/dimensions/country/levels/country/members/NIX", 404, "unknown_member",
         "NIX"},
        {BASE "/golden_left/dimensions/country/hierarchies/s/levels/country", 404,
         "unknown_hierarchy", "'s'"},
        {BASE "/golden_left/dimensions/country/levels/country/members?limit=100001", 400,
         "bad_parameter", "100000"},
    };
    return cr_make_param_array(struct error_case, cases, sizeof cases / sizeof cases[0]);
}

/* Our problems, which say what is wrong in `error`, too: that is where clients look. */
ParameterizedTest(struct error_case *c, mondrian, errors)
{
    test_answer answer;
    ask(golden.port, "GET", c->target, NULL, NULL, &answer);
    cr_assert_eq(answer.status, c->status, "%s: %u %s", c->target, answer.status, answer.body.data);
    json_t *problem = json_loadb(answer.body.data, answer.body.size, 0, NULL);
    cr_assert_str_eq(text_of(problem, "code"), c->code);
    cr_assert_not_null(strstr(text_of(problem, "error"), c->error), "%s", answer.body.data);
    cr_assert_str_eq(text_of(problem, "error"), text_of(problem, "detail"));
    json_decref(problem);
    answer_release(&answer);
    ask(golden.port, "GET", "/v1/cubes/nix", NULL, NULL, &answer);
    cr_assert_null(strstr(answer.body.data, "\"error\""));
    answer_release(&answer);
}

/* An inner join hides members from the lists, too. */
Test(mondrian, hidden_members)
{
    test_answer answer;
    const char *target = BASE "/golden_inner/dimensions/country/levels/country/members";
    json_t *json = get_json(golden.port, target);
    cr_assert_eq(json_array_size(json_object_get(json, "members")), 4);
    ask(golden.port, "GET", BASE "/golden_inner/dimensions/country/levels/country/members/JP", NULL,
        NULL, &answer);
    cr_assert_eq(answer.status, 404, "%s", answer.body.data);
    answer_release(&answer);
    json_decref(json);
}

Test(mondrian, answers_are_tagged_and_kept)
{
    test_answer first, second;
    char tag[160];
    const char *target = BASE "/golden_left/aggregate.jsonrecords?drilldown[]=country";
    ask(golden.port, "GET", target, NULL, NULL, &first);
    ask(golden.port, "GET", target, NULL, NULL, &second);
    cr_assert_str_eq(first.body.data, second.body.data);
    cr_assert_not_null(strstr(answer_header(&second, "Server-Timing"), "desc=hit"));
    snprintf(tag, sizeof tag, "If-None-Match: %s\r\n", answer_header(&second, "ETag"));
    answer_release(&first);
    ask(golden.port, "GET", target, tag, NULL, &first);
    cr_assert_eq(first.status, 304);
    answer_release(&first);
    answer_release(&second);
}

/* ---- several levels and hierarchies ---- */

Test(mondrian_world, levels)
{
    check_csv(world.port,
              BASE
              "/world/aggregate.csv?drilldown[]=[geo].[country]&measures[]=ncities&parents=true"
              "&cut[]=[geo].[country].%26[Europe].%26[Western+Europe].%26[MCO]",
              "ID region,region,ID subregion,subregion,ID country,country,ncities\n"
              "Europe,Europe,Western Europe,Western Europe,MCO,Monaco,2\n");
    /* A level that only another hierarchy has, and one that both have. */
    json_t *json =
        get_json(world.port, BASE "/world/aggregate.json?drilldown[]=[geo].[income_group]"
                                  "&cut[]=[geo].[income].[country].%26[FRA]&parents=true");
    const json_t *axis = json_array_get(json_object_get(json, "axes"), 1);
    const json_t *member = json_array_get(json_object_get(axis, "members"), 0);
    cr_assert_str_eq(text_of(axis, "hierarchy"), "income");
    cr_assert_str_eq(text_of(member, "full_name"), "[geo].[income].[income_group].&[high income]");
    json_decref(json);
}

Test(mondrian_world, members)
{
    json_t *json =
        get_json(world.port, BASE "/world/dimensions/geo/hierarchies/std/levels/country/"
                                  "members/FRA?member_properties[]=capital&caption=iso2");
    cr_assert_str_eq(text_of(json, "caption"), "FR");
    cr_assert_str_eq(text_of(json_object_get(json, "properties"), "capital"), "Paris");
    cr_assert_str_eq(text_of(json, "full_name"),
                     "[geo].[country].&[Europe].&[Western Europe].&[FRA]");
    cr_assert_str_eq(text_of(json_array_get(json_object_get(json, "ancestors"), 0), "key"),
                     "Western Europe");
    json_decref(json);
    json = get_json(world.port,
                    BASE "/world/members?full_name=[geo].[country].%26[Europe].%26[Western+Europe]."
                         "%26[FRA]");
    cr_assert_str_eq(text_of(json, "caption"), "France");
    json_decref(json);
    json = get_json(world.port, BASE "/world/dimensions/geo/levels/region/members?children=true");
    const json_t *africa = json_array_get(json_object_get(json, "members"), 0);
    cr_assert_eq(json_array_size(json_object_get(africa, "children")), 2);
    json_decref(json);
    /* Keys that name a member of another level than the name says are no member of it. */
    test_answer answer;
    ask(world.port, "GET",
        BASE "/world/aggregate.csv?cut[]=[geo].[region].%26[Europe].%26[Western+Europe]", NULL,
        NULL, &answer);
    cr_assert_eq(answer.status, 404, "%s", answer.body.data);
    cr_assert_not_null(strstr(answer.body.data, "not of 'region'"));
    answer_release(&answer);
}

/* ---- ragged ---- */

/* A full name has a key for each level, "#null" where there is no member. What no cut can tell from
 * another member is refused, not taken for both. */
Test(mondrian_ragged, full_names, .init = start_gaps, .fini = stop_gaps, .timeout = 30)
{
#define STOCK BASE "/stock/aggregate.csv?measures[]=n&"
    check_csv(gaps.port, STOCK "drilldown[]=[depot].[district]&parents=true&nonempty=true",
              "ID region,region,ID district,district,n\n1,1,9,9,2\n1,1,10,10,1\n,,1,1,32\n"
              ",,10,10,8\n");
    check_csv(gaps.port, STOCK "cut[]=[depot].[district].%26[%23null].%26[1]", "n\n32\n");
    check_csv(gaps.port, STOCK "cut[]=[depot].[district].%26[1].%26[9]", "n\n2\n");
    check_csv(gaps.port, STOCK "cut[]=[depot].[district].%26[10]", "n\n9\n");
    test_answer answer;
    ask(gaps.port, "GET", STOCK "cut[]=[depot].[district].%26[%23null].%26[10]", NULL, NULL,
        &answer);
    cr_assert_eq(answer.status, 422, "%s", answer.body.data);
    cr_assert_not_null(strstr(answer.body.data, "\"ambiguous_key\""));
    answer_release(&answer);
    json_t *json = get_json(gaps.port, BASE
                            "/stock/dimensions/depot/levels/district/members?offset=2&limit=1");
    cr_assert_str_eq(text_of(json_array_get(json_object_get(json, "members"), 0), "full_name"),
                     "[depot].[district].&[#null].&[1]");
    json_decref(json);
}
