/* What operators and functions make of numbers, nulls and marks. */
#include "cube/expr_parts.h"

#include <assert.h>
#include <math.h>

/* ---- values ---- */

static vc_number make_null(char reason)
{
    return (vc_number){.is_null = true, .reason = reason};
}

/* JSON has no infinity: what does not fit a double is undefined. */
vc_number vc_expr_make_number(double value, char mark)
{
    if (!isfinite(value)) return make_null('d');
    return (vc_number){.value = value, .reason = mark};
}

/* The leftmost operand that is null; NULL when all are there. */
static const vc_number *find_null(const vc_number *operands, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (operands[i].is_null) return &operands[i];
    return NULL;
}

/* The leftmost mark, `r` or `a`, beside present operands; 0 when there is none. */
static char find_mark(const vc_number *operands, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (operands[i].reason != 0) return operands[i].reason;
    return 0;
}

static double apply(opcode op, double a, double b)
{
    switch (op) {
    case OP_ADD: return a + b;
    case OP_SUBTRACT: return a - b;
    case OP_MULTIPLY: return a * b;
    case OP_DIVIDE: return a / b; /* by zero: not finite, so null `d` */
    case OP_EQUAL: return a == b;
    case OP_NOT_EQUAL: return a != b;
    case OP_LESS: return a < b;
    case OP_LESS_EQUAL: return a <= b;
    case OP_GREATER: return a > b;
    case OP_GREATER_EQUAL: return a >= b;
    case OP_AND: return a != 0 && b != 0;
    default: assert(op == OP_OR); return a != 0 || b != 0;
    }
}

vc_number vc_expr_apply_binary(opcode op, const vc_number operands[2])
{
    const vc_number *null = find_null(operands, 2);
    if (null != NULL) return *null;
    return vc_expr_make_number(apply(op, operands[0].value, operands[1].value),
                               find_mark(operands, 2));
}

/* ---- functions ---- */

static vc_number run_coalesce(const vc_number *arguments, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!arguments[i].is_null) return arguments[i];
    return arguments[0];
}

static vc_number run_zn(const vc_number *arguments, size_t count)
{
    (void)count;
    return arguments[0].is_null ? vc_expr_make_number(0, 0) : arguments[0];
}

static vc_number run_safe_div(const vc_number *arguments, size_t count)
{
    (void)count;
    return vc_expr_apply_binary(OP_DIVIDE, arguments);
}

/* The branch that is not taken may be null. */
static vc_number run_if(const vc_number *arguments, size_t count)
{
    (void)count;
    if (arguments[0].is_null) return arguments[0];
    vc_number chosen = arguments[arguments[0].value != 0 ? 1 : 2];
    if (!chosen.is_null && arguments[0].reason != 0) chosen.reason = arguments[0].reason;
    return chosen;
}

static vc_number run_abs(const vc_number *arguments, size_t count)
{
    (void)count;
    if (arguments[0].is_null) return arguments[0];
    return vc_expr_make_number(fabs(arguments[0].value), arguments[0].reason);
}

/* Halves go away from zero. Digits count behind the point, or before it when negative. */
static double round_to(double value, double digits)
{
    if (digits > 300) return value;
    if (digits < -300) return 0;
    double power = pow(10, fabs(digits));
    if (digits < 0) return round(value / power) * power;
    double scaled = value * power;
    return isfinite(scaled) ? round(scaled) / power : value; /* too large to have such digits */
}

static vc_number run_round(const vc_number *arguments, size_t count)
{
    const vc_number *null = find_null(arguments, count);
    if (null != NULL) return *null;
    double digits = count == 2 ? trunc(arguments[1].value) : 0;
    return vc_expr_make_number(round_to(arguments[0].value, digits), find_mark(arguments, count));
}

static vc_number run_min(const vc_number *arguments, size_t count)
{
    const vc_number *null = find_null(arguments, count);
    if (null != NULL) return *null;
    double least = arguments[0].value;
    for (size_t i = 1; i < count; i++)
        if (arguments[i].value < least) least = arguments[i].value;
    return vc_expr_make_number(least, find_mark(arguments, count));
}

static vc_number run_max(const vc_number *arguments, size_t count)
{
    const vc_number *null = find_null(arguments, count);
    if (null != NULL) return *null;
    double most = arguments[0].value;
    for (size_t i = 1; i < count; i++)
        if (arguments[i].value > most) most = arguments[i].value;
    return vc_expr_make_number(most, find_mark(arguments, count));
}

const vc_expr_function vc_expr_functions[] = {
    {"coalesce", 1, 0, run_coalesce}, {"zn", 1, 1, run_zn},
    {"safe_div", 2, 2, run_safe_div}, {"if", 3, 3, run_if},
    {"abs", 1, 1, run_abs},           {"round", 1, 2, run_round},
    {"min", 1, 0, run_min},           {"max", 1, 0, run_max},
};

const size_t vc_expr_nfunctions = sizeof vc_expr_functions / sizeof vc_expr_functions[0];
