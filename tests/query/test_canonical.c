#include "query/body.h"
#include "query/canonical.h"
#include "query/parameters.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

static vc_str canonical_of_url(const char *text, vc_arena *arena)
{
    vc_error error = {0};
    const vc_parameter *parameters;
    size_t nparameters;
    vc_query query;
    cr_assert_eq(vc_parameters_decode(vc_str_of(text), arena, &parameters, &nparameters, &error),
                 VC_OK, "%s", error.message);
    cr_assert_eq(vc_parameters_parse(parameters, nparameters, arena, &query, &error), VC_OK,
                 "%s: %s", text, error.message);
    query.cube = VC_STR("world");
    return vc_query_canonical(&query, arena);
}

static vc_str canonical_of_body(const char *text, vc_arena *arena)
{
    vc_error error = {0};
    vc_query query;
    vc_status status = vc_body_parse(vc_str_of(text), 0, arena, &query, &error);
    cr_assert_eq(status, VC_OK, "%s: %s", error.pointer, error.message);
    return vc_query_canonical(&query, arena);
}

/* ---- a URL and a body that ask the same ---- */

struct pair_case {
    char url[200], body[320];
};

ParameterizedTestParameters(canonical, get_is_post)
{
    static struct pair_case cases[] = {
        {"", "{'cube': 'world'}"},
        {"drilldown=geo:country%7Cdate@weekly:week&measures=pop,cpop",
         "{'cube': 'world', 'measures': ['pop', 'cpop'], 'dimensions': [{'dim': 'geo', 'level':"
         " 'country'}, {'dim': 'date@weekly', 'level': 'week'}]}"},
        {"drilldown=geo.country", "{'cube': 'world', 'drilldown': 'geo:country'}"},
        {"cut=geo.iso2:FR;DE",
         "{'cube': 'world', 'filters': [{'member': 'geo.iso2', 'operator': 'equals', 'values':"
         " ['DE', 'FR']}]}"},
        {"cut=!geo:RUS|date.year:2010-",
         "{'cube': 'world', 'filters': [{'member': 'date.year', 'operator': 'gte', 'values': "
         "[2010]}, {'member': 'geo', 'operator': 'notEquals', 'values': ['RUS']}]}"},
        {"cut=date.month:2020%5C-01-2020%5C-06",
         "{'cube': 'world', 'filters': [{'member': 'date.month', 'operator': 'inDateRange', "
         "'values': ['2020-01', '2020-06']}]}"},
        {"cut=a:1&cut=b:2", "{'cube': 'world', 'cut': ['b:2', 'a:1']}"},
        {"having=pop:gt:5&order=pop:desc|geo.country&limit=10&offset=0",
         "{'cube': 'world', 'having': [{'member': 'pop', 'operator': 'gt', 'values': [5.0]}],"
         " 'order': [['pop', 'desc'], ['geo.country', 'asc']], 'limit': 10}"},
        {"totals=geo,date|()&top=3:geo:pop&totals_scope=visible",
         "{'cube': 'world', 'totals': ['geo,date', '()'], 'totals_scope': 'visible',"
         " 'top': [{'count': 3, 'dim': 'geo', 'measure': 'pop', 'order': 'desc'}]}"},
        {"properties=geo.capital&nonempty=geo,date&sparse=false&parents=true&explain=true",
         "{'cube': 'world', 'properties': ['geo.capital'], 'nonempty': 'geo|date',"
         " 'sparse': false, 'parents': true, 'explain': true}"},
        {"format=csv&header=names&bom=true&at=42-9f3c&cache=off",
         "{'cube': 'world', 'format': 'csv', 'bom': true, 'at': '42-9f3c'}"},
    };
    return cr_make_param_array(struct pair_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct pair_case *c, canonical, get_is_post)
{
    vc_arena arena = {0};
    for (char *p = c->body; *p != '\0'; p++)
        if (*p == '\'') *p = '"';
    vc_str url = canonical_of_url(c->url, &arena), body = canonical_of_body(c->body, &arena);
    cr_assert_str_eq(url.data, body.data);
    vc_arena_release(&arena);
}

Test(canonical, whole_text)
{
    vc_arena arena = {0};
    vc_str text = canonical_of_url(
        "cut=geo.iso2:FR;DE;FR&drilldown=geo:country|date@weekly&measures=pop&having=pop:eq:1;-2.5"
        "&order=pop:desc&limit=7&top=3:geo:pop:asc&totals=()&sparse=true&format=csv",
        &arena);
    cr_assert_str_eq(text.data,
                     "cube=world&cut=geo.iso2:DE;FR&having=pop:eq:1;-2.5"
                     "&drilldown=geo:country|date@weekly&measures=pop&totals=()&order=pop:desc"
                     "&top=3:geo:pop:asc&limit=7&format=csv");
    vc_arena_release(&arena);
}

/* Texts that a careless writer would make equal. */
Test(canonical, different_queries_differ)
{
    static const char *const urls[] = {
        "cut=a:x|b:y",
        "cut=a:x%5C|b%5C:y",
        "cut=a:x,y",
        "cut=a:x%5C,y",
        "cut=a:x;y",
        "cut=a:x-y",
        "cut=a:x%5C-y",
        "cut=a:-x",
        "cut=a:x-",
        "cut=a:()",
        "cut=a:%5C()",
        "cut=a:",
        "cut=a:,",
        "cut=a:(null)",
        "cut=a.l:x",
        "cut=a@l:x",
        "cut=a:x/children",
        "cut=a:x%5C/children",
        "cut=a:x/descendants",
        "cut=a:x/descendants:l",
        "cut=a:()/children",
        "cut=a:/children",
        "cut=!a:x",
        "cut=%5C!a:x",
        "cut=a:%23x",
        "cut=a:%5C%23x",
        "cut=a:x%26limit=5",
        "cut=a:x&limit=5",
        "measures=a,b",
        "measures=b,a",
        "measures=a%5C,b",
        "order=a|b",
        "order=b|a",
        "order=a:desc",
        "totals=a,b",
        "totals=a|b",
        "totals=a%5C,b",
        "totals=()",
        "totals=%5C()",
        "having=a:gt:1",
        "having=a:ge:1",
        "limit=0",
        "limit=1",
        "offset=1",
        "at=1",
        "format=1",
        "header=labels",
        "header=none",
        "bom=true",
        "status=true",
        "top=2:geo:pop:asc:other",
        "properties=a",
        "nonempty=a",
        "sparse=false",
        "parents=true",
        "explain=true",
        "totals_scope=visible",
        "drilldown=a",
        "drilldown=a:b",
        "drilldown=a@b",
        "drilldown=a|b",
        "top=1:a:b",
        "top=1:a:b:asc",
    };
    enum { N = sizeof urls / sizeof urls[0] };
    vc_arena arena = {0};
    vc_str texts[N];
    for (size_t i = 0; i < N; i++) {
        texts[i] = canonical_of_url(urls[i], &arena);
        for (size_t j = 0; j < i; j++)
            cr_assert(!vc_str_equal(texts[i], texts[j]), "%s and %s both give %s", urls[i], urls[j],
                      texts[i].data);
    }
    vc_arena_release(&arena);
}
