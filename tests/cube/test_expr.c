#include "base/buffer.h"
#include "cube/expr.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Measures: a = 6, b = 4, zero = 0, e, u, x are null for these reasons, rep = 5 repeated,
 * est = 2 estimated, huge = 1e300, "GDP per head" = 3. */
static vc_number value_of(vc_str name)
{
    static const struct {
        const char *name;
        vc_number number;
    } values[] = {
        {"a", {.value = 6}},
        {"b", {.value = 4}},
        {"zero", {.value = 0}},
        {"e", {.is_null = true, .reason = 'e'}},
        {"u", {.is_null = true, .reason = 'u'}},
        {"x", {.is_null = true, .reason = 'x'}},
        {"rep", {.value = 5, .reason = 'r'}},
        {"est", {.value = 2, .reason = 'a'}},
        {"huge", {.value = 1e300}},
        {"GDP per head", {.value = 3}},
        {"say \"hi\"", {.value = 8}},
        {"or", {.value = 11}},
        {"wb.pop_2020", {.value = 7}},
        {"größe", {.value = 9}},
        {"min", {.value = 10}},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (vc_str_is(name, values[i].name)) return values[i].number;
    cr_assert_fail("no measure '%.*s'", VC_FMT(name));
    return (vc_number){0};
}

/* "1.5", "1.5 r" or "null e". */
static void evaluate(const char *text, char *outcome, size_t size)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_expr *expr;
    vc_number values[16];
    size_t nnames;
    cr_assert_eq(vc_expr_parse(vc_str_of(text), &arena, &expr, &error), VC_OK, "%s: %s", text,
                 error.message);
    const vc_str *names = vc_expr_names(expr, &nnames);
    cr_assert(nnames <= 16);
    for (size_t i = 0; i < nnames; i++)
        values[i] = value_of(names[i]);
    vc_number number = vc_expr_evaluate(expr, values);
    if (number.is_null)
        snprintf(outcome, size, "null %c", number.reason);
    else
        snprintf(outcome, size, "%.15g%s%c", number.value, number.reason == 0 ? "" : " ",
                 number.reason);
    vc_arena_release(&arena);
}

struct value_case {
    char text[96];
    char outcome[32];
};

ParameterizedTestParameters(expr, value)
{
    static struct value_case cases[] = {
        {"1", "1"},
        {" 1.5e2 ", "150"},
        {"a", "6"},
        {"a+b*2", "14"}, /* precedence */
        {"(a+b)*2", "20"},
        {"a-b-1", "1"}, /* to the left */
        {"24/a/2", "2"},
        {"a--b", "10"},
        {"---a", "-6"},
        {"-a*-b", "24"},
        {"2 - -2", "4"},
        {"\"GDP per head\" * 2", "6"},
        {"\"say \"\"hi\"\"\"", "8"},
        {"\"or\"", "11"}, /* a word of the grammar is a name in quotes */
        {"wb.pop_2020", "7"},
        {"größe+1", "10"},
        {"min + min(min, 3)", "13"}, /* a name unless a parenthesis follows */
        {"a = 6", "1"},
        {"a != 6", "0"},
        {"a < 6", "0"},
        {"a <= 6", "1"},
        {"a > b", "1"},
        {"a >= 7", "0"},
        {"a+1 > b*2", "0"},
        {"not a = 6", "0"}, /* not is weaker than a comparison */
        {"not zero", "1"},
        {"a and zero", "0"},
        {"a or zero", "1"},
        {"a or zero and zero", "1"}, /* and is stronger than or */
        {"not zero and not zero", "1"},
        {"(a > 1) + (b > 1)", "2"},
        /* null: the reason of the leftmost one */
        {"e + u", "null e"},
        {"u + e", "null u"},
        {"a * u", "null u"},
        {"-u", "null u"},
        {"not u", "null u"},
        {"u = u", "null u"},
        {"zero and u", "null u"},
        {"1 / zero", "null d"},
        {"zero / zero", "null d"},
        {"e / zero", "null e"},
        {"u / e", "null u"},
        {"huge * huge", "null d"}, /* JSON has no infinity */
        {"huge * huge - huge * huge", "null d"},
        /* marks beside present values survive */
        {"rep + 1", "6 r"},
        {"1 + est", "3 a"},
        {"rep * est", "10 r"},
        {"est * rep", "10 a"},
        {"-rep", "-5 r"},
        {"rep > 1", "1 r"},
        {"rep + u", "null u"},
        /* functions */
        {"coalesce(a)", "6"},
        {"coalesce(e, u, b, a)", "4"},
        {"coalesce(e, rep)", "5 r"},
        {"coalesce(u, e)", "null u"},
        {"zn(e) + 1", "1"},
        {"zn(rep)", "5 r"},
        {"safe_div(a, b)", "1.5"},
        {"safe_div(a, zero)", "null d"},
        {"safe_div(u, zero)", "null u"},
        {"if(a > b, 1, 2)", "1"},
        {"if(a < b, 1, 2)", "2"},
        {"if(a > b, a, u)", "6"}, /* the other branch may be null */
        {"if(zero, a, u)", "null u"},
        {"if(e, a, b)", "null e"},
        {"if(rep > 1, a, b)", "6 r"},
        {"if(a, est, b)", "2 a"},
        {"abs(-a)", "6"},
        {"abs(u)", "null u"},
        {"round(2.5)", "3"},
        {"round(-2.5)", "-3"},
        {"round(a / 7, 3)", "0.857"},
        {"round(1234.5, -2)", "1200"},
        {"round(huge, 20) / huge", "1"},
        {"round(a, 1000)", "6"},
        {"round(a, -1000)", "0"},
        {"round(rep / 2, 0)", "3 r"},
        {"round(a, u)", "null u"},
        {"min(a, b, 5)", "4"},
        {"max(a, b, 5)", "6"},
        {"max(a, e)", "null e"},
        {"min(a, est)", "2 a"},
        {"safe_div(coalesce(u, b), a) * 100", "66.6666666666667"},
    };
    return cr_make_param_array(struct value_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct value_case *c, expr, value)
{
    char outcome[64];
    evaluate(c->text, outcome, sizeof outcome);
    cr_assert_str_eq(outcome, c->outcome, "%s gives %s, not %s", c->text, outcome, c->outcome);
}

struct refused_case {
    char text[64];
    long offset;
    char part[48]; /* of the message */
    char candidate[16];
};

ParameterizedTestParameters(expr, refused)
{
    static struct refused_case cases[] = {
        {"", 0, "found the end", ""},
        {"   ", 3, "found the end", ""},
        {"a +", 3, "found the end", ""},
        {"a b", 2, "expected an operator or the end, found 'b'", ""},
        {"a < b < a", 6, "expected an operator or the end, found '<'", ""},
        {"(a", 2, "expected an operator or ')', found the end", ""},
        {"a)", 1, "found ')'", ""},
        {"()", 1, "found ')'", ""},
        {"* a", 0, "found '*'", ""},
        {"and", 0, "found 'and'", ""},
        {"a or or b", 5, "found 'or'", ""},
        {"not not a", 4, "found 'not'", ""},
        {"a = = b", 4, "found '='", ""},
        {"2x", 0, "must stand in quotes", ""},
        {"1e", 0, "must stand in quotes", ""},
        {"1e999", 0, "too large", ""},
        {".5", 0, "unexpected character '.'", ""},
        {"a % b", 2, "unexpected character '%'", ""},
        {"a ! b", 2, "unexpected character '!'", ""},
        {"a \x01", 2, "unexpected byte 0x01", ""},
        {"\"a", 0, "no end", ""},
        {"\"a\"\"", 0, "no end", ""},
        {"\"\" + 1", 0, "is empty", ""},
        {"save_div(a, b)", 0, "no function named 'save_div'", "safe_div"},
        {"a + coalesc(a)", 4, "no function named 'coalesc'", "coalesce"},
        {"safe_div(a)", 0, "safe_div takes 2 arguments, found 1", ""},
        {"zn(a, b)", 0, "zn takes 1 argument, found 2", ""},
        {"round(a, 1, 2)", 0, "round takes 1 or 2 arguments, found 3", ""},
        {"1 + if(a, b)", 4, "if takes 3 arguments, found 2", ""},
        {"min()", 4, "found ')'", ""},
        {"min(a,)", 6, "found ')'", ""},
        {"min(a b)", 6, "expected ',' or ')', found 'b'", ""},
        {"\"min\"(a)", 5, "found '('", ""}, /* in quotes it is a measure */
        {"a : b", 2, "expected an operator or the end, found ':'", ""},
        {"sharre(a, geo)", 0, "no function named 'sharre'", "share"},
        {"share(a)", 7, "expected ',', found ')'", ""},
        {"share(a, 3)", 9, "expected a dimension, found '3'", ""},
        {"share(a, geo:country)", 12, "expected ')', found ':'", ""},
        {"share(a, geo@)", 13, "expected a hierarchy, found ')'", ""},
        {"parent(a, geo, 1)", 13, "expected ')', found ','", ""},
        {"previous(a, date, 0)", 18, "expected a number of members", ""},
        {"previous(a, date, 1.5)", 18, "expected a number of members", ""},
        {"previous(a, date, -1)", 18, "expected a number of members", ""},
        {"previous(a, date, b)", 18, "expected a number of members", ""},
        {"moving_avg(a, date)", 14, "expected a number of members", ""},
        {"running(a, date, 3)", 17, "expected a level, found '3'", ""},
        {"agg_over(a, b, date:day)", 9, "expected avg, min, max, sum or count", ""},
        {"agg_over(avg, b, date)", 21, "expected ':' and a level", ""},
        {"growth(, date)", 7, "found ','", ""},
    };
    return cr_make_param_array(struct refused_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct refused_case *c, expr, refused)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_expr *expr = NULL;
    cr_assert_eq(vc_expr_parse(vc_str_of(c->text), &arena, &expr, &error), VC_BAD_INPUT, "%s",
                 c->text);
    cr_assert_null(expr);
    cr_assert_str_eq(error.code, "expr");
    cr_assert(error.has_offset);
    cr_assert_eq(error.offset, c->offset, "%s: offset %ld, %s", c->text, error.offset,
                 error.message);
    cr_assert_not_null(strstr(error.message, c->part), "%s: %s", c->text, error.message);
    cr_assert_str_eq(error.candidates[0], c->candidate);
    vc_arena_release(&arena);
}

Test(expr, names_in_order_of_appearance)
{
    vc_arena arena = {0};
    vc_expr *expr;
    size_t nnames;
    char text[] = "b + a * \"b\" - min(\"c d\", a)";
    cr_assert_eq(vc_expr_parse(vc_str_of(text), &arena, &expr, NULL), VC_OK);
    memset(text, '?', sizeof text - 1); /* the text is not kept */
    const vc_str *names = vc_expr_names(expr, &nnames);
    cr_assert_eq(nnames, 3);
    cr_assert(vc_str_is(names[0], "b"));
    cr_assert(vc_str_is(names[1], "a"));
    cr_assert(vc_str_is(names[2], "c d"));
    vc_arena_release(&arena);
}

/* "growth(x date 12)": a call as it was read. */
static void write_call(const vc_member_call *call, char *out, size_t size)
{
    snprintf(out, size, "%s %d %.*s@%.*s:%.*s %u at %zu", call->name, (int)call->aggregate,
             VC_FMT(call->dimension), VC_FMT(call->hierarchy), VC_FMT(call->level), call->count,
             call->offset);
}

struct call_case {
    char text[80];
    char call[64]; /* the last */
};

ParameterizedTestParameters(expr, call)
{
    static struct call_case cases[] = {
        {"parent(a, geo)", "parent 0 geo@: 1 at 0"},
        {"1 + share(a + b, geo)", "share 0 geo@: 1 at 4"},
        {"previous(a, date)", "previous 0 date@: 1 at 0"},
        {"previous(a, date@weekly, 52)", "previous 0 date@weekly: 52 at 0"},
        {"growth(a, \"my date\", 12)", "growth 0 my date@: 12 at 0"},
        {"running(a, date)", "running 0 date@: 1 at 0"},
        {"running(a, date, year)", "running 0 date@:year 1 at 0"},
        {"moving_avg(a, 3, date)", "moving_avg 0 date@: 3 at 0"},
        {"rank(a, geo)", "rank 0 geo@: 1 at 0"},
        {"agg_over(avg, a, date:month)", "agg_over 0 date@:month 1 at 0"},
        {"agg_over(count, a, date@weekly:week)", "agg_over 4 date@weekly:week 1 at 0"},
        {"growth(share(a, geo), date)", "growth 0 date@: 1 at 0"},
    };
    return cr_make_param_array(struct call_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct call_case *c, expr, call)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_expr *expr;
    size_t ncalls;
    char found[128];
    cr_assert_eq(vc_expr_parse(vc_str_of(c->text), &arena, &expr, &error), VC_OK, "%s",
                 error.message);
    const vc_member_call *calls = vc_expr_calls(expr, &ncalls);
    cr_assert_gt(ncalls, 0);
    write_call(&calls[ncalls - 1], found, sizeof found);
    cr_assert_str_eq(found, c->call);
    vc_arena_release(&arena);
}

/* Arguments of calls are expressions by themselves, and what is in them is not read outside. Three
 * calls begin at the same place. */
Test(expr, arguments_of_calls)
{
    vc_arena arena = {0};
    vc_expr *expr;
    size_t nnames, ncalls, nused;
    cr_assert_eq(vc_expr_parse(VC_STR("growth(share(rank(a, p) + b, q), r) * c + parent(a * a, s)"),
                               &arena, &expr, NULL),
                 VC_OK);
    cr_assert_eq((vc_expr_names(expr, &nnames), nnames), 3); /* a, b, c */
    const vc_member_call *calls = vc_expr_calls(expr, &ncalls);
    cr_assert_eq(ncalls, 4); /* rank, share, growth, parent */
    const size_t *used = vc_expr_used_names(expr, &nused);
    cr_assert(nused == 1 && used[0] == 2);
    used = vc_expr_used_calls(expr, &nused);
    cr_assert(nused == 2 && used[0] == 2 && used[1] == 3);
    used = vc_expr_used_calls(calls[2].argument, &nused);
    cr_assert(nused == 1 && used[0] == 1);
    used = vc_expr_used_names(calls[2].argument, &nused);
    cr_assert_eq(nused, 0);
    used = vc_expr_used_names(calls[1].argument, &nused);
    cr_assert(nused == 1 && used[0] == 1);
    const vc_number values[] = {{.value = 2},   {.value = 3},    {.value = 5},   {.value = 10},
                                {.value = 100}, {.value = 1000}, {.value = 7000}};
    cr_assert_eq(vc_expr_evaluate(calls[0].argument, values).value, 2);
    cr_assert_eq(vc_expr_evaluate(calls[1].argument, values).value, 10 + 3);
    cr_assert_eq(vc_expr_evaluate(calls[2].argument, values).value, 100);
    cr_assert_eq(vc_expr_evaluate(calls[3].argument, values).value, 4);
    cr_assert_eq(vc_expr_evaluate(expr, values).value, 1000 * 5 + 7000);
    /* as a walk: a b c are names 0 1 2; a function over members is a call with one argument */
    cr_assert_eq(vc_expr_nsteps(expr), 13);
    cr_assert_str_eq(vc_expr_get_step(expr, 1).function, "rank");
    cr_assert_eq(vc_expr_get_step(expr, 1).narguments, 1);
    cr_assert_eq(vc_expr_get_step(expr, 4).op, VC_EXPR_CALL);
    vc_arena_release(&arena);
}

Test(expr, without_names)
{
    vc_arena arena = {0};
    vc_expr *expr;
    size_t nnames;
    cr_assert_eq(vc_expr_parse(VC_STR("1 + 2"), &arena, &expr, NULL), VC_OK);
    vc_expr_names(expr, &nnames);
    cr_assert_eq(nnames, 0);
    cr_assert_eq(vc_expr_evaluate(expr, NULL).value, 3);
    vc_arena_release(&arena);
}

/* `part` so many times, between `before` and `after`. */
static vc_status parse_repeated(const char *before, const char *part, size_t times,
                                const char *after, double *value_out)
{
    vc_arena arena = {0};
    vc_buffer text = {0};
    vc_expr *expr;
    vc_buffer_put_text(&text, before);
    for (size_t i = 0; i < times; i++)
        vc_buffer_put_text(&text, part);
    vc_buffer_put_text(&text, after);
    vc_status status =
        vc_expr_parse((vc_str){.data = text.data, .size = text.size}, &arena, &expr, NULL);
    if (status == VC_OK) *value_out = vc_expr_evaluate(expr, NULL).value;
    vc_buffer_release(&text);
    vc_arena_release(&arena);
    return status;
}

/* Long is fine; deep and wide end before the stacks do. */
Test(expr, limits)
{
    double value = 0;
    cr_assert_eq(parse_repeated("1", "+1", 8000, "", &value), VC_OK);
    cr_assert_eq(value, 8001);
    cr_assert_eq(parse_repeated("1", "+1", 9000, "", &value), VC_BAD_INPUT);
    cr_assert_eq(parse_repeated("", "-", 8000, "1", &value), VC_OK);
    cr_assert_eq(value, 1);
    cr_assert_eq(parse_repeated("max(1", ",2", 255, ")", &value), VC_OK);
    cr_assert_eq(value, 2);
    cr_assert_eq(parse_repeated("max(1", ",2", 256, ")", &value), VC_BAD_INPUT);
}

Test(expr, nesting)
{
    char text[160];
    for (int depth = 64; depth <= 65; depth++) {
        vc_arena arena = {0};
        vc_error error = {0};
        vc_expr *expr;
        snprintf(text, sizeof text, "%.*s1%.*s", depth,
                 "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((", depth,
                 "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))");
        vc_status status = vc_expr_parse(vc_str_of(text), &arena, &expr, &error);
        cr_assert_eq(status, depth == 64 ? VC_OK : VC_BAD_INPUT, "depth %d: %s", depth,
                     error.message);
        vc_arena_release(&arena);
    }
}
