#include "cube/row_value.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

struct row_case {
    char text[64];
    vc_value_type type;
    unsigned scale;
    char texts[3][24]; /* of the names in order; "-" alone: null */
    vc_parse parse;
    bool is_null;
    int64_t value;
};

ParameterizedTestParameters(row_value, computed)
{
    static struct row_case cases[] = {
        {"a * b", VC_VALUE_DECIMAL, 2, {"1.50", "3"}, VC_PARSE_OK, false, 450},
        {"a * b", VC_VALUE_DECIMAL, 2, {"0.125", "1"}, VC_PARSE_INEXACT, false, 0},
        {"round(a * b, 2)", VC_VALUE_DECIMAL, 2, {"0.125", "1"}, VC_PARSE_OK, false, 13},
        {"round(a * b, 2)", VC_VALUE_DECIMAL, 2, {"-0.125", "1"}, VC_PARSE_OK, false, -13},
        {"round(a, -2)", VC_VALUE_INT, 0, {"1250"}, VC_PARSE_OK, false, 1300},
        {"a / 3 * 3", VC_VALUE_INT, 0, {"1"}, VC_PARSE_OK, false, 1}, /* a third is a third */
        {"a + b", VC_VALUE_DECIMAL, 1, {"0.1", "0.2"}, VC_PARSE_OK, false, 3},
        {"a / b", VC_VALUE_INT, 0, {"1", "0"}, VC_PARSE_OK, true, 0},
        {"a - b", VC_VALUE_INT, 0, {"1", "-"}, VC_PARSE_OK, true, 0},
        {"coalesce(a, b)", VC_VALUE_INT, 0, {"-", "7"}, VC_PARSE_OK, false, 7},
        {"if(a > b, a, b)", VC_VALUE_INT, 0, {"2", "10"}, VC_PARSE_OK, false, 10},
        {"max(a, b) - min(a, b)", VC_VALUE_INT, 0, {"2", "10"}, VC_PARSE_OK, false, 8},
        {"safe_div(a, b)", VC_VALUE_INT, 0, {"10", "2"}, VC_PARSE_OK, false, 5},
        {"abs(a)", VC_VALUE_INT, 0, {"-4"}, VC_PARSE_OK, false, 4},
        {"min(a, b)", VC_VALUE_INT, 0, {"2", "-"}, VC_PARSE_OK, true, 0},
        {"a * b", VC_VALUE_INT, 0, {"9223372036854775807", "2"}, VC_PARSE_OVERFLOW, false, 0},
        {"a * b", VC_VALUE_INT, 0, {"x", "2"}, VC_PARSE_BAD, false, 0},
        {"a * 1e3", VC_VALUE_INT, 0, {"1.5e-1"}, VC_PARSE_OK, false, 150},
        {"round(a, b)", VC_VALUE_DECIMAL, 2, {"1.259", "4294967298"}, VC_PARSE_OVERFLOW, false, 0},
    };
    return cr_make_param_array(struct row_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct row_case *c, row_value, computed)
{
    vc_arena arena = {0};
    vc_row_value *value;
    vc_str texts[3] = {{0}};
    int64_t result = 0;
    bool is_null = false;
    size_t nnames, name;
    vc_error error = {0};
    vc_status status =
        vc_row_value_new(vc_str_of(c->text), c->type, c->scale, &arena, &value, &error);
    cr_assert_eq(status, VC_OK, "%s", error.message);
    vc_row_value_names(value, &nnames);
    for (size_t i = 0; i < nnames; i++)
        if (strcmp(c->texts[i], "-") != 0) texts[i] = vc_str_of(c->texts[i]);
    cr_assert_eq(vc_row_value_compute(value, texts, '.', &result, &is_null, &name), c->parse, "%s",
                 c->text);
    if (c->parse == VC_PARSE_OK) cr_assert_eq(is_null, c->is_null, "%s", c->text);
    if (c->parse == VC_PARSE_OK && !is_null)
        cr_assert_eq(result, c->value, "%s: %lld", c->text, (long long)result);
    if (c->parse == VC_PARSE_BAD) cr_assert_eq(name, 0);
    vc_arena_release(&arena);
}
