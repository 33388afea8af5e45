#include "query/canonical.h"
#include "query/parameters.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

/* From a query string to a query, as a server does it. */
static vc_status parse(const char *query_string, vc_arena *arena, vc_query *query, vc_error *error)
{
    const vc_parameter *parameters;
    size_t nparameters;
    vc_status status =
        vc_parameters_decode(vc_str_of(query_string), arena, &parameters, &nparameters, error);
    if (status != VC_OK) return status;
    return vc_parameters_parse(parameters, nparameters, arena, query, error);
}

/* ---- decoding ---- */

Test(parameters, decode)
{
    vc_arena arena = {0};
    vc_error error = {0};
    const vc_parameter *p;
    size_t n;
    vc_str text = VC_STR("a=1+2%2B3&&b%20c=%C3%a9=%26&flag&=x&");
    cr_assert_eq(vc_parameters_decode(text, &arena, &p, &n, &error), VC_OK, "%s", error.message);
    cr_assert_eq(n, 4);
    cr_assert_str_eq(p[0].name.data, "a");
    cr_assert_str_eq(p[0].value.data, "1 2+3");
    cr_assert_str_eq(p[1].name.data, "b c");
    cr_assert_str_eq(p[1].value.data, "\xC3\xA9=&");
    cr_assert_str_eq(p[2].name.data, "flag");
    cr_assert_str_eq(p[2].value.data, "");
    cr_assert_str_eq(p[3].name.data, "");
    cr_assert_eq(vc_parameters_decode((vc_str){0}, &arena, &p, &n, &error), VC_OK);
    cr_assert_eq(n, 0);
    vc_arena_release(&arena);
}

struct encoding_case {
    char text[32];
    long offset;
};

ParameterizedTestParameters(parameters, bad_encoding)
{
    static struct encoding_case cases[] = {
        {"cut=%", 4},         {"cut=a%4", 5},    {"cut=a%4g", 5}, {"cut=%00", 4},
        {"x=1&cut=a%FFb", 9}, {"%zz=1", 0},      {"a%c3=1", 1},   {"cut=%20%ED%A0%80", 7},
        {"cut=\xFF", 4},      {"cut=%C0%AF", 4},
    };
    return cr_make_param_array(struct encoding_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct encoding_case *c, parameters, bad_encoding)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query query;
    cr_assert_eq(parse(c->text, &arena, &query, &error), VC_BAD_INPUT, "%s", c->text);
    cr_assert_str_eq(error.code, "bad_encoding");
    cr_assert_str_eq(error.pointer, "query string");
    cr_assert_eq(error.offset, c->offset, "%s: %ld", c->text, error.offset);
    vc_arena_release(&arena);
}

/* ---- every parameter ---- */

Test(parameters, all_of_them)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query q;
    vc_status status =
        parse("drilldown=geo:country%7Cdate@ywd:week&cut=class:5&measures=pop,cpop&measures=urban"
              "&having=pop:gt:5%7Cpop%20/%20cpop:ne:-1.5;2&order=pop:desc%7Cgeo.country&limit=10"
              "&offset=20&top=3:geo:pop%7C2:date:cpop:asc&totals=geo,date%7C()&totals_scope=visible"
              "&nonempty=geo,date&sparse=false&parents=true&properties=geo.capital&format=csv"
              "&header=labels&bom=true&status=true&explain=true&at=42-9f3c&cache=off&cut=x:1",
              &arena, &q, &error);
    cr_assert_eq(status, VC_OK, "%s: %s", error.pointer, error.message);
    cr_assert(vc_str_is_null(q.cube));
    cr_assert_eq(q.naxes, 2);
    cr_assert(vc_str_is(q.axes[1].dimref.hierarchy, "ywd"));
    cr_assert_eq(q.nconditions, 2);
    cr_assert_eq(q.conditions[1]->place.offset, 8, "offsets go on behind the first cut");
    cr_assert_eq(q.nmeasures, 3);
    cr_assert(vc_str_is(q.measures[2].name, "urban"));
    cr_assert_eq(q.measures[1].place.offset, 4);
    cr_assert_str_eq(q.measures[1].place.where, "measures");
    cr_assert_eq(q.nhavings, 2);
    cr_assert_eq(q.havings[0].op, VC_OP_GT);
    cr_assert_eq(q.havings[0].values[0], 5);
    cr_assert(vc_str_is(q.havings[1].measure, "pop / cpop"));
    cr_assert_eq(q.havings[1].op, VC_OP_NE);
    cr_assert_eq(q.havings[1].nvalues, 2);
    cr_assert_eq(q.havings[1].values[0], -1.5);
    cr_assert_eq(q.norders, 2);
    cr_assert(q.orders[0].is_descending && !q.orders[1].is_descending);
    cr_assert(vc_str_is(q.orders[1].name, "geo.country"));
    cr_assert_eq(q.limit, 10);
    cr_assert_eq(q.offset, 20);
    cr_assert_eq(q.ntops, 2);
    cr_assert(q.tops[0].count == 3 && !q.tops[0].is_ascending);
    cr_assert(vc_str_is(q.tops[1].dimension, "date") && vc_str_is(q.tops[1].measure, "cpop"));
    cr_assert(q.tops[1].is_ascending);
    cr_assert_eq(q.ntotals, 2);
    cr_assert_eq(q.totals[0].ndimensions, 2);
    cr_assert_eq(q.totals[1].ndimensions, 0);
    cr_assert_eq(q.totals[1].place.offset, 9);
    cr_assert(q.totals_visible && !q.is_sparse && q.has_parents && q.has_bom && q.has_status);
    cr_assert(q.wants_explain && q.no_cache);
    cr_assert_eq(q.nnonempty, 2);
    cr_assert_eq(q.nproperties, 1);
    cr_assert(vc_str_is(q.properties[0].name, "geo.capital"));
    cr_assert(vc_str_is(q.format, "csv") && vc_str_is(q.header, "labels"));
    cr_assert(vc_str_is(q.at, "42-9f3c"));
    vc_arena_release(&arena);
}

Test(parameters, none_is_the_default_query)
{
    vc_arena arena = {0};
    vc_query q;
    cr_assert_eq(vc_parameters_parse(NULL, 0, &arena, &q, NULL), VC_OK);
    cr_assert_eq(q.limit, UINT64_MAX);
    cr_assert(q.is_sparse && !q.has_parents && q.nmeasures == 0 && q.naxes == 0);
    vc_arena_release(&arena);
}

struct operator_case {
    char text[16];
    vc_operator op;
};

ParameterizedTestParameters(parameters, operators)
{
    static struct operator_case cases[] = {
        {"eq:1", VC_OP_EQ},  {"equals:1", VC_OP_EQ}, {"ne:1", VC_OP_NE}, {"notEquals:1", VC_OP_NE},
        {"gt:1", VC_OP_GT},  {"gte:1", VC_OP_GE},    {"ge:1", VC_OP_GE}, {"lt:1", VC_OP_LT},
        {"lte:1", VC_OP_LE}, {"le:1", VC_OP_LE},     {"set", VC_OP_SET}, {"notSet", VC_OP_NOT_SET},
    };
    return cr_make_param_array(struct operator_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct operator_case *c, parameters, operators)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query q;
    char text[40] = "having=pop:";
    strcat(text, c->text);
    cr_assert_eq(parse(text, &arena, &q, &error), VC_OK, "%s: %s", text, error.message);
    cr_assert_eq(q.havings[0].op, c->op);
    vc_arena_release(&arena);
}

/* ---- errors ---- */

struct bad_case {
    char text[48], code[24], pointer[16];
    long offset; /* -1: none */
    char part[40], candidate[16];
};

ParameterizedTestParameters(parameters, refused)
{
    static struct bad_case cases[] = {
        {"drildown=geo", "unknown_parameter", "drildown", -1, "'drildown'", "drilldown"},
        {"=geo", "unknown_parameter", "", -1, "unknown parameter ''", ""},
        {"limit=-1", "bad_parameter", "limit", 0, "a whole number from 0", ""},
        {"limit=", "bad_parameter", "limit", 0, "found ''", ""},
        {"limit=99999999999999999999", "bad_parameter", "limit", 0, "a whole number", ""},
        {"limit=1&limit=1", "bad_parameter", "limit", 0, "given twice", ""},
        {"sparse=yes", "bad_parameter", "sparse", 0, "'true' or 'false'", ""},
        {"totals_scope=none", "bad_parameter", "totals_scope", 0, "'visible' or 'all'", ""},
        {"cache=false", "bad_parameter", "cache", 0, "'off' or 'on'", ""},
        {"header=all", "bad_parameter", "header", 0, "'names', 'labels' or 'none'", ""},
        {"at=", "bad_parameter", "at", 0, "a snapshot", ""},
        {"cut=geo:FR&cut=geo", "syntax", "cut", 10, "expected ':'", ""},
        {"measures=pop,,cpop", "syntax", "measures", 4, "found ','", ""},
        {"measures=", "syntax", "measures", 0, "a measure", ""},
        {"having=pop", "syntax", "having", 3, "an operator", ""},
        {"having=pop:gt", "bad_value", "having", 4, "exactly one value, found 0", ""},
        {"having=pop:gt:1;2", "bad_value", "having", 4, "found 2", ""},
        {"having=pop:set:1", "bad_value", "having", 4, "takes no value", ""},
        {"having=pop:gt:x", "syntax", "having", 7, "a finite number", ""},
        {"having=pop:gt:1e999", "syntax", "having", 7, "a finite number", ""},
        {"having=pop:gtt:1", "unknown_operator", "having", 4, "for a measure", "gt"},
        {"having=pop:contains:1", "unknown_operator", "having", 4, "for a measure", ""},
        {"having=pop:gt:1:2", "syntax", "having", 8, "'|' or the end", ""},
        {"order=pop:down", "syntax", "order", 4, "'asc' or 'desc'", ""},
        {"order=pop:desc,cpop", "syntax", "order", 8, "found ','", ""},
        {"top=0:geo:pop", "syntax", "top", 0, "a whole number from 1", ""},
        {"top=3:geo", "syntax", "top", 5, "':' and a measure", ""},
        {"top=3:geo:pop:desc:x", "syntax", "top", 15, "expected 'other'", ""},
        {"top=3:geo:pop:up", "syntax", "top", 10, "'asc', 'desc' or 'other'", ""},
        {"top=3:geo:pop:other:desc", "syntax", "top", 15, "'|' or the end", ""},
        {"totals=geo|", "syntax", "totals", 4, "or '()'", ""},
        {"totals=geo,", "syntax", "totals", 4, "or '()'", ""},
    };
    return cr_make_param_array(struct bad_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct bad_case *c, parameters, refused)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query q;
    cr_assert_eq(parse(c->text, &arena, &q, &error), VC_BAD_INPUT, "%s", c->text);
    cr_assert_str_eq(error.code, c->code, "%s: %s", c->text, error.message);
    cr_assert_str_eq(error.pointer, c->pointer, "%s: %s", c->text, error.pointer);
    cr_assert_eq(error.has_offset, c->offset >= 0);
    if (c->offset >= 0) cr_assert_eq(error.offset, c->offset, "%s: %ld", c->text, error.offset);
    cr_assert_not_null(strstr(error.message, c->part), "%s: %s", c->text, error.message);
    if (c->candidate[0] != '\0') cr_assert_str_eq(error.candidates[0], c->candidate);
    vc_arena_release(&arena);
}
