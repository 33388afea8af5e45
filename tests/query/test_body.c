#include "query/body.h"
#include "query/canonical.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

static vc_status parse(const char *text, vc_arena *arena, vc_query *query, vc_error *error)
{
    return vc_body_parse(vc_str_of(text), 0, arena, query, error);
}

/* ---- filters, shown as canonical texts ---- */

struct filter_case {
    char filter[320], canonical[120];
};

ParameterizedTestParameters(body, filters)
{
    static struct filter_case cases[] = {
        {"{'member': 'geo.iso2', 'operator': 'equals', 'values': ['FR', 'DE']}", "geo.iso2:DE;FR"},
        {"{'member': 'geo', 'operator': 'equals', 'values': ['a-b,c']}", "geo:a\\-b\\,c"},
        {"{'member': 'geo', 'operator': 'equals', 'values': ['']}", "geo:"},
        {"{'member': 'd@weekly.week', 'operator': 'eq', 'values': [4, 2.50, true]}",
         "d@weekly.week:2\\.5;4;true"},
        {"{'member': 'geo.iso2', 'operator': 'notEquals', 'values': ['FR', 'DE']}",
         "!geo.iso2:DE;FR"},
        {"{'member': 'd.year', 'operator': 'gt', 'values': [2010]}", "d.year:2010!-"},
        {"{'member': 'd.year', 'operator': 'gte', 'values': ['2010']}", "d.year:2010-"},
        {"{'member': 'd.year', 'operator': 'lt', 'values': [2010]}", "d.year:-!2010"},
        {"{'member': 'd.year', 'operator': 'lte', 'values': [2010]}", "d.year:-2010"},
        {"{'member': 'd.day', 'operator': 'inDateRange', 'values': ['2020-01-31', '2020-02-01']}",
         "d.day:2020\\-01\\-31-2020\\-02\\-01"},
        {"{'member': 'd.year', 'operator': 'set'}", "d.year:(set)"},
        {"{'member': 'd.year', 'operator': 'notSet', 'values': []}", "d.year:(null)"},
        {"{'member': 'geo.country', 'operator': 'contains', 'values': ['land', 'ia']}",
         "geo.country:(contains)ia;(contains)land"},
        {"{'member': 'geo.country', 'operator': 'startsWith', 'values': ['N']}",
         "geo.country:(starts)N"},
        {"{'member': 'geo.country', 'operator': 'endsWith', 'values': ['n']}",
         "geo.country:(ends)n"},
        {"{'or': [{'member': 'd.year', 'operator': 'gte', 'values': [2010]},"
         "        {'member': 'd.year', 'operator': 'notSet'}]}",
         "(d.year:(null)|d.year:2010-)"},
        {"{'or': [{'and': [{'member': 'd.year', 'operator': 'gt', 'values': [1]},"
         "                 {'member': 'd@w.year', 'operator': 'lt', 'values': [5]}]},"
         "        {'member': 'd', 'operator': 'eq', 'values': [9]}]}",
         "((d.year:1!-&d@w.year:-!5)|d:9)"},
        {"{'and': [{'member': 'a', 'operator': 'eq', 'values': [1]},"
         "         {'and': [{'member': 'b', 'operator': 'eq', 'values': [2]}]}]}",
         "a:1|b:2"},
        {"{'or': [{'member': 'a', 'operator': 'eq', 'values': [1]}]}", "a:1"},
    };
    return cr_make_param_array(struct filter_case, cases, sizeof cases / sizeof cases[0]);
}

/* JSON is written with ' for " in the tables above. */
static void quote(char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\'') *text = '"';
}

ParameterizedTest(struct filter_case *c, body, filters)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query query;
    char text[400], expected[160];
    snprintf(text, sizeof text, "{'cube': 'c', 'filters': [%s]}", c->filter);
    quote(text);
    cr_assert_eq(parse(text, &arena, &query, &error), VC_OK, "%s: %s", error.pointer,
                 error.message);
    snprintf(expected, sizeof expected, "cube=c&cut=%s", c->canonical);
    cr_assert_str_eq(vc_query_canonical(&query, &arena).data, expected);
    vc_arena_release(&arena);
}

/* ---- the rest ---- */

Test(body, example_of_the_contract)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query q;
    char text[] =
        "{'cube': 'world', 'measures': ['pop', 'cpop', {'name': 'urban', 'expr': 'cpop / pop',"
        "  'format': '0.0%', 'unit': 'share'}],"
        " 'dimensions': [{'dim': 'geo', 'level': 'country'}, {'dim': 'date@weekly'}, 'sex:sex'],"
        " 'filters': [{'member': 'geo.iso2', 'operator': 'equals', 'values': ['FR', 'DE']}],"
        " 'cut': ['class:5', 'x:1|y:2'],"
        " 'having': [{'member': 'pop', 'operator': 'gt', 'values': [10]}, 'cpop:set'],"
        " 'totals': ['geo', '()'], 'order': [['pop', 'desc'], ['geo.country'], 'cpop:asc'],"
        " 'top': [{'count': 3, 'dim': 'geo', 'measure': 'pop'}], 'properties': ['geo.capital'],"
        " 'limit': 100, 'offset': 0, 'sparse': true, 'nonempty': [], 'format': 'records',"
        " 'explain': false, 'at': null, 'cache': 'off'}";
    quote(text);
    cr_assert_eq(parse(text, &arena, &q, &error), VC_OK, "%s: %s", error.pointer, error.message);
    cr_assert(vc_str_is(q.cube, "world"));
    cr_assert_eq(q.nmeasures, 3);
    cr_assert(vc_str_is(q.measures[2].expr, "cpop / pop"));
    cr_assert(vc_str_is(q.measures[2].format, "0.0%"));
    cr_assert(vc_str_is(q.measures[2].unit, "share"));
    cr_assert(vc_str_is_null(q.measures[0].expr));
    cr_assert_str_eq(q.measures[2].place.where, "/measures/2");
    cr_assert(q.measures[2].place.is_pointer);
    cr_assert_eq(q.naxes, 3);
    cr_assert(vc_str_is(q.axes[1].dimref.hierarchy, "weekly"));
    cr_assert(vc_str_is_null(q.axes[1].dimref.level));
    cr_assert(vc_str_is(q.axes[2].dimref.level, "sex"));
    cr_assert_str_eq(q.axes[0].dimref.place.where, "/dimensions/0");
    cr_assert_eq(q.nconditions, 4);
    cr_assert_str_eq(q.conditions[0]->items[1].place.where, "/filters/0/values/1");
    cr_assert_str_eq(q.conditions[3]->place.where, "/cut/1");
    cr_assert_eq(q.conditions[3]->place.offset, 4);
    cr_assert_eq(q.nhavings, 2);
    cr_assert_eq(q.havings[1].op, VC_OP_SET);
    cr_assert_eq(q.ntotals, 2);
    cr_assert_eq(q.norders, 3);
    cr_assert(q.orders[0].is_descending && !q.orders[1].is_descending);
    cr_assert(q.ntops == 1 && q.tops[0].count == 3 && !q.tops[0].is_ascending);
    cr_assert_eq(q.nproperties, 1);
    cr_assert_eq(q.limit, 100);
    cr_assert(q.nnonempty == 0 && !q.wants_explain && q.is_sparse && q.no_cache);
    cr_assert(vc_str_is_null(q.at));
    vc_arena_release(&arena);
}

Test(body, inside_something_larger)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query q;
    json_t *json = json_pack("{s:[{s:s}]}", "filters", "member", "geo");
    cr_assert_eq(vc_body_read(json, "/queries/2", VC_STR("world"), &arena, &q, &error),
                 VC_BAD_INPUT);
    cr_assert_str_eq(error.pointer, "/queries/2/filters/0");
    json_object_del(json, "filters");
    cr_assert_eq(vc_body_read(json, "/queries/2", VC_STR("world"), &arena, &q, &error), VC_OK);
    cr_assert(vc_str_is(q.cube, "world"));
    json_decref(json);
    vc_arena_release(&arena);
}

/* ---- errors ---- */

struct bad_case {
    char text[160];
    vc_status status;
    char code[24], pointer[32];
    long offset; /* -1: none */
    char part[48], candidate[16];
};

#define FILTER(text) "{'cube': 'c', 'filters': [" text "]}"

ParameterizedTestParameters(body, refused)
{
    static struct bad_case cases[] = {
        {"[]", VC_BAD_INPUT, "bad_type", "", -1, "a query", ""},
        {"{", VC_BAD_INPUT, "json", "", -1, "", ""},
        {"{}", VC_BAD_INPUT, "missing_field", "", -1, "'cube'", ""},
        {"{'cube': ''}", VC_BAD_INPUT, "bad_value", "/cube", -1, "empty text", ""},
        {"{'cube': 1}", VC_BAD_INPUT, "bad_type", "/cube", -1, "found an integer", ""},
        {"{'cube': 'c', 'measure': []}", VC_BAD_INPUT, "unknown_field", "/measure", -1, "",
         "measures"},
        {"{'cube': 'c', 'measures': [1]}", VC_BAD_INPUT, "bad_type", "/measures/0", -1,
         "a name or an object", ""},
        {"{'cube': 'c', 'measures': 'a,'}", VC_BAD_INPUT, "syntax", "/measures", 2, "a measure",
         ""},
        {"{'cube': 'c', 'measures': [{'expr': 'a'}]}", VC_BAD_INPUT, "missing_field", "/measures/0",
         -1, "'name'", ""},
        {"{'cube': 'c', 'measures': [{'nam': 'a'}]}", VC_BAD_INPUT, "unknown_field",
         "/measures/0/nam", -1, "", "name"},
        {"{'cube': 'c', 'dimensions': {'dim': 'geo'}}", VC_BAD_INPUT, "bad_type", "/dimensions", -1,
         "an array", ""},
        {"{'cube': 'c', 'dimensions': [{'level': 'x'}]}", VC_BAD_INPUT, "missing_field",
         "/dimensions/0", -1, "'dim'", ""},
        {"{'cube': 'c', 'dimensions': [{'dim': 'a@'}]}", VC_BAD_INPUT, "syntax",
         "/dimensions/0/dim", 2, "a hierarchy", ""},
        {"{'cube': 'c', 'dimensions': [{'dim': 'a.b', 'level': 'c'}]}", VC_BAD_INPUT, "bad_value",
         "/dimensions/0", -1, "one level", ""},
        {"{'cube': 'c', 'cut': ['a:1', 'b']}", VC_BAD_INPUT, "syntax", "/cut/1", 1, "':'", ""},
        {"{'cube': 'c', 'cut': [1]}", VC_BAD_INPUT, "bad_type", "/cut/0", -1, "a string", ""},
        {"{'cube': 'c', 'limit': -1}", VC_BAD_INPUT, "bad_parameter", "/limit", 0, "from 0", ""},
        {"{'cube': 'c', 'limit': [1]}", VC_BAD_INPUT, "bad_type", "/limit", -1, "one value", ""},
        {"{'cube': 'c', 'sparse': 1}", VC_BAD_INPUT, "bad_parameter", "/sparse", 0, "'true'", ""},
        {"{'cube': 'c', 'order': [['pop', 'down']]}", VC_BAD_INPUT, "bad_value", "/order/0/1", -1,
         "desc", ""},
        {"{'cube': 'c', 'order': [['pop', 'asc', 1]]}", VC_BAD_INPUT, "bad_value", "/order/0", -1,
         "a pair", ""},
        {"{'cube': 'c', 'order': [{'pop': 'asc'}]}", VC_BAD_INPUT, "bad_type", "/order/0", -1,
         "a pair", ""},
        {"{'cube': 'c', 'top': [{'count': 0, 'dim': 'a', 'measure': 'b'}]}", VC_BAD_INPUT,
         "bad_value", "/top/0/count", -1, "at least 1", ""},
        {"{'cube': 'c', 'top': [{'dim': 'a', 'measure': 'b'}]}", VC_BAD_INPUT, "missing_field",
         "/top/0", -1, "'count'", ""},
        {"{'cube': 'c', 'having': [{'member': 'p', 'operator': 'gt'}]}", VC_BAD_INPUT, "bad_value",
         "/having/0", -1, "exactly one value", ""},
        {"{'cube': 'c', 'having': [{'member': 'p', 'operator': 'in'}]}", VC_BAD_INPUT,
         "unknown_operator", "/having/0/operator", -1, "", ""},
        {"{'cube': 'c', 'having': [{'member': 'p', 'operator': 'gt', 'values': ['x']}]}",
         VC_BAD_INPUT, "bad_value", "/having/0/values/0", -1, "a finite number", ""},
        {FILTER("'geo:FR'"), VC_BAD_INPUT, "bad_type", "/filters/0", -1, "an object", ""},
        {FILTER("{}"), VC_BAD_INPUT, "missing_field", "/filters/0", -1, "'member'", ""},
        {FILTER("{'member': 'a'}"), VC_BAD_INPUT, "missing_field", "/filters/0", -1, "'operator'",
         ""},
        {FILTER("{'member': 'a', 'operator': 'equal', 'values': [1]}"), VC_BAD_INPUT,
         "unknown_operator", "/filters/0/operator", -1, "inDateRange", "equals"},
        {FILTER("{'member': 'a', 'operator': 'equals', 'values': []}"), VC_BAD_INPUT, "bad_value",
         "/filters/0", -1, "at least one value", ""},
        {FILTER("{'member': 'a', 'operator': 'equals', 'values': 'x'}"), VC_BAD_INPUT, "bad_type",
         "/filters/0/values", -1, "an array", ""},
        {FILTER("{'member': 'a', 'operator': 'equals', 'values': [null]}"), VC_BAD_INPUT,
         "bad_type", "/filters/0/values/0", -1, "notSet", ""},
        {FILTER("{'member': 'a', 'operator': 'equals', 'values': [[]]}"), VC_BAD_INPUT, "bad_type",
         "/filters/0/values/0", -1, "found an array", ""},
        {FILTER("{'member': 'a', 'operator': 'inDateRange', 'values': [1]}"), VC_BAD_INPUT,
         "bad_value", "/filters/0", -1, "exactly two values", ""},
        {FILTER("{'member': 'a.b.c', 'operator': 'set'}"), VC_BAD_INPUT, "syntax",
         "/filters/0/member", 3, "found '.'", ""},
        {FILTER("{'or': []}"), VC_BAD_INPUT, "bad_value", "/filters/0/or", -1,
         "at least one filter", ""},
        {FILTER("{'or': {}}"), VC_BAD_INPUT, "bad_type", "/filters/0/or", -1, "an array of filters",
         ""},
        {FILTER("{'or': [{'member': 'a', 'operator': 'set'}], 'member': 'a'}"), VC_BAD_INPUT,
         "unknown_field", "/filters/0/member", -1, "", ""},
        {FILTER("{'or': [{'member': 'a', 'operator': 'set'}, {'member': 'b', 'operator': 'set'}]}"),
         VC_IMPOSSIBLE, "or_dimensions", "/filters/0/or/1/member", -1, "found 'b' beside 'a'", ""},
        {FILTER("{'or': [{'and': [{'member': 'a', 'operator': 'set'}, {'member': 'b', 'operator': "
                "'set'}]}]}"),
         VC_IMPOSSIBLE, "or_dimensions", "/filters/0/or/0/and/1/member", -1, "", ""},
        {FILTER("{'and': [{'or': [{'member': 'a', 'operator': 'x'}]}]}"), VC_BAD_INPUT,
         "unknown_operator", "/filters/0/and/0/or/0/operator", -1, "", ""},
    };
    return cr_make_param_array(struct bad_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct bad_case *c, body, refused)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query q;
    quote(c->text);
    cr_assert_eq(parse(c->text, &arena, &q, &error), c->status, "%s", c->text);
    cr_assert_str_eq(error.code, c->code, "%s: %s", c->text, error.message);
    cr_assert_str_eq(error.pointer, c->pointer, "%s: %s", c->text, error.pointer);
    cr_assert_eq(error.has_offset, c->offset >= 0, "%s", c->text);
    if (c->offset >= 0) cr_assert_eq(error.offset, c->offset, "%s: %ld", c->text, error.offset);
    cr_assert_not_null(strstr(error.message, c->part), "%s: %s", c->text, error.message);
    if (c->candidate[0] != '\0') cr_assert_str_eq(error.candidates[0], c->candidate);
    vc_arena_release(&arena);
}

/* Deep nesting is refused by the JSON reader before it becomes recursion here. */
Test(body, depth_is_bounded)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query q;
    char text[4096] = "{\"cube\": \"c\", \"filters\": [";
    for (int i = 0; i < 100; i++)
        strcat(text, "{\"or\": [");
    cr_assert_eq(parse(text, &arena, &q, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "json");
    cr_assert_not_null(strstr(error.message, "deeper"));
    vc_arena_release(&arena);
}

/* Errors become JSON, so their texts hold whole characters, however long what they quote is. */
Test(body, long_names_are_cut_between_characters)
{
    for (size_t nletters = 100; nletters < 104; nletters++) {
        vc_arena arena = {0};
        vc_error error = {0};
        vc_query q;
        char text[4096] = "{\"cube\": \"c\", \"";
        memset(text + strlen(text), 'x', nletters);
        for (int i = 0; i < 600; i++)
            strcat(text, "\xE2\x82\xAC");
        strcat(text, "\": 1}");
        cr_assert_eq(parse(text, &arena, &q, &error), VC_BAD_INPUT);
        cr_assert_str_eq(error.code, "unknown_field");
        cr_assert(vc_utf8_check(vc_str_of(error.message), NULL));
        cr_assert(vc_utf8_check(vc_str_of(error.pointer), NULL));
        vc_arena_release(&arena);
    }
}
