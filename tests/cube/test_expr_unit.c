#include "cube/expr_unit.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

struct unit_case {
    char text[48];
    char units[3][8]; /* of the names in order */
    bool is_refused;
    char unit[8];
};

ParameterizedTestParameters(expr_unit, followed)
{
    static struct unit_case cases[] = {
        {"a + b", {"USD", "USD"}, false, "USD"},
        {"a + b", {"USD", "EUR"}, true, ""},
        {"a - b", {"USD", "EUR"}, true, ""},
        {"a > b", {"USD", "EUR"}, true, ""},
        {"a > b", {"USD", "USD"}, false, ""},
        {"a / b", {"USD", "EUR"}, false, ""},
        {"a * b", {"USD", "pcs"}, false, ""},
        {"a + b", {"USD", ""}, false, "USD"}, /* none stated goes with any */
        {"2 * a / 3 + b", {"USD", "EUR"}, true, ""},
        {"-a * 2", {"USD"}, false, "USD"},
        {"coalesce(a, b)", {"USD", "EUR"}, true, ""},
        {"zn(a) + 1", {"USD"}, false, "USD"},
        {"if(a > 1, b, c)", {"pcs", "USD", "EUR"}, true, ""},
        {"if(a > 1, b, 0)", {"pcs", "USD"}, false, "USD"},
        {"round(a, b)", {"USD", "pcs"}, false, "USD"},
        {"safe_div(a, b) + c", {"USD", "pcs", "EUR"}, false, "EUR"},
    };
    return cr_make_param_array(struct unit_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct unit_case *c, expr_unit, followed)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_expr *expr;
    vc_str units[3], unit;
    cr_assert_eq(vc_expr_parse(vc_str_of(c->text), &arena, &expr, &error), VC_OK);
    for (size_t i = 0; i < 3; i++)
        units[i] = vc_str_of(c->units[i]);
    vc_status status = vc_expr_unit(expr, units, &unit, &error);
    cr_assert_eq(status, c->is_refused ? VC_BAD_INPUT : VC_OK, "%s", c->text);
    if (c->is_refused)
        cr_assert_str_eq(error.code, "unit_mismatch");
    else
        cr_assert(vc_str_is(unit, c->unit), "%s: %.*s", c->text, VC_FMT(unit));
    vc_arena_release(&arena);
}
