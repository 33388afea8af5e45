/* Fractions of 128-bit integers. A product of two decimals is two multiplications; common divisors
 * are taken out only when a number would otherwise not fit. */
#include "cube/row_value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef __int128 wide;

typedef struct fraction {
    wide above, below; /* below > 0 */
    bool is_null;
} fraction;

typedef enum function {
    FUNCTION_COALESCE,
    FUNCTION_ZN,
    FUNCTION_SAFE_DIV,
    FUNCTION_IF,
    FUNCTION_ABS,
    FUNCTION_ROUND,
    FUNCTION_MIN,
    FUNCTION_MAX,
    NFUNCTIONS,
} function;

static const char *const function_names[NFUNCTIONS] = {"coalesce", "zn",    "safe_div", "if",
                                                       "abs",      "round", "min",      "max"};

typedef struct step {
    vc_expr_op op;
    function function;
    size_t operand; /* a name, or the number of arguments */
    fraction number;
} step;

struct vc_row_value {
    const vc_expr *expr;
    vc_value_type type;
    unsigned scale;
    step *steps; /* of exact ones; NULL: doubles */
    size_t nsteps;
    const vc_str *names;
    size_t nnames;
};

enum { POWER_MAX = 38 }; /* 10^38 is the largest that fits */

/* ---- fractions ---- */

static const fraction null_fraction = {.below = 1, .is_null = true};

static bool power_of_ten(unsigned exponent, wide *power_out)
{
    *power_out = 1;
    if (exponent > POWER_MAX) return false;
    while (exponent-- > 0)
        *power_out *= 10;
    return true;
}

static wide greatest_divisor(wide a, wide b)
{
    if (a < 0) a = -a;
    while (b != 0) {
        wide rest = a % b;
        a = b;
        b = rest;
    }
    return a == 0 ? 1 : a;
}

static void reduce(fraction *number)
{
    wide divisor = greatest_divisor(number->above, number->below);
    number->above /= divisor;
    number->below /= divisor;
}

static bool try_add(const fraction *a, const fraction *b, fraction *out)
{
    wide left, right;
    if (a->below == b->below) {
        out->below = a->below;
        return !__builtin_add_overflow(a->above, b->above, &out->above);
    }
    return !__builtin_mul_overflow(a->above, b->below, &left) &&
           !__builtin_mul_overflow(b->above, a->below, &right) &&
           !__builtin_mul_overflow(a->below, b->below, &out->below) &&
           !__builtin_add_overflow(left, right, &out->above);
}

static bool try_multiply(const fraction *a, const fraction *b, fraction *out)
{
    return !__builtin_mul_overflow(a->above, b->above, &out->above) &&
           !__builtin_mul_overflow(a->below, b->below, &out->below);
}

/* Once as they are, then without common divisors. */
static bool combine(bool (*try)(const fraction *, const fraction *, fraction *), fraction a,
                    fraction b, fraction *out)
{
    fraction result = {.is_null = false};
    if (!try(&a, &b, &result)) {
        reduce(&a);
        reduce(&b);
        wide across = greatest_divisor(a.above, b.below), back = greatest_divisor(b.above, a.below);
        if (try == try_multiply) {
            a.above /= across;
            b.below /= across;
            b.above /= back;
            a.below /= back;
        }
        if (!try(&a, &b, &result)) return false;
    }
    *out = result;
    return true;
}

static void turn_over(fraction *number)
{
    fraction turned = {.above = number->below, .below = number->above};
    if (number->above < 0) {
        turned.above = -turned.above;
        turned.below = -turned.below;
    }
    *number = turned;
}

/* -1, 0 or 1; false: too large to be compared. */
static bool compare(fraction a, fraction b, int *order_out)
{
    wide left, right;
    if (__builtin_mul_overflow(a.above, b.below, &left) ||
        __builtin_mul_overflow(b.above, a.below, &right)) {
        reduce(&a);
        reduce(&b);
        if (__builtin_mul_overflow(a.above, b.below, &left) ||
            __builtin_mul_overflow(b.above, a.below, &right))
            return false;
    }
    *order_out = (left > right) - (left < right);
    return true;
}

static fraction from_bool(bool is_true)
{
    return (fraction){.above = is_true, .below = 1};
}

/* Halves go away from zero. */
static bool round_fraction(fraction *number, fraction digits)
{
    wide power, half, scaled;
    bool is_before = digits.above < 0;
    wide exponent = (is_before ? -digits.above : digits.above) / digits.below;
    if (exponent > POWER_MAX || !power_of_ten((unsigned)exponent, &power)) return false;
    reduce(number);
    if (is_before ? __builtin_mul_overflow(number->below, power, &number->below)
                  : __builtin_mul_overflow(number->above, power, &number->above))
        return false;
    half = number->below / 2;
    if (number->above < 0) half = -half;
    /* below may be odd: then its half is below the middle, and what is left decides rightly. */
    if (__builtin_add_overflow(number->above, half, &scaled)) return false;
    wide whole = scaled / number->below;
    *number = (fraction){.above = whole, .below = 1};
    if (is_before) return !__builtin_mul_overflow(number->above, power, &number->above);
    number->below = power;
    return true;
}

/* ---- texts ---- */

/* "-12.50", "1e3". */
static vc_parse parse_exact(vc_str text, char decimal, fraction *out)
{
    const char *at = text.data, *end = text.data + text.size;
    bool is_negative = at < end && *at == '-', has_digits = false, is_behind = false;
    int exponent = 0;
    wide value = 0, power;
    if (at < end && (*at == '-' || *at == '+')) at++;
    for (; at < end && ((*at >= '0' && *at <= '9') || (*at == decimal && !is_behind)); at++) {
        if (*at == decimal) {
            is_behind = true;
            continue;
        }
        has_digits = true;
        exponent -= is_behind;
        if (__builtin_mul_overflow(value, (wide)10, &value) ||
            __builtin_add_overflow(value, (wide)(*at - '0'), &value))
            return VC_PARSE_OVERFLOW;
    }
    if (!has_digits) return VC_PARSE_BAD;
    if (at < end && (*at == 'e' || *at == 'E')) {
        int64_t shift;
        at += at + 1 < end && at[1] == '+' ? 2 : 1;
        vc_str digits = {.data = at, .size = (size_t)(end - at)};
        if (vc_parse_int(digits, &shift) != VC_PARSE_OK) return VC_PARSE_BAD;
        if (shift < -1000 || shift > 1000) return VC_PARSE_OVERFLOW;
        exponent += (int)shift;
        at = end;
    }
    if (at != end) return VC_PARSE_BAD;
    *out = (fraction){.above = is_negative ? -value : value, .below = 1};
    if (value == 0) return VC_PARSE_OK;
    if (!power_of_ten((unsigned)(exponent < 0 ? -exponent : exponent), &power))
        return VC_PARSE_OVERFLOW;
    if (exponent < 0)
        out->below = power;
    else if (__builtin_mul_overflow(out->above, power, &out->above))
        return VC_PARSE_OVERFLOW;
    return VC_PARSE_OK;
}

/* ---- making ---- */

static vc_status make_step(const vc_row_value *value, size_t number, step *out, vc_error *error)
{
    vc_expr_step from = vc_expr_get_step(value->expr, number);
    *out = (step){.op = from.op, .operand = from.name};
    if (from.op == VC_EXPR_CALL) {
        out->operand = from.narguments;
        while (out->function < NFUNCTIONS &&
               strcmp(function_names[out->function], from.function) != 0)
            out->function++;
        if (out->function == NFUNCTIONS)
            return vc_fail(error, VC_BAD_INPUT, "expr",
                           "%s() looks at members, which a single row does not have; use it in an "
                           "'expr'",
                           from.function);
    }
    if (from.op == VC_EXPR_NUMBER && value->type != VC_VALUE_FLOAT &&
        parse_exact(from.text, '.', &out->number) != VC_PARSE_OK)
        return vc_fail(error, VC_BAD_INPUT, "expr",
                       "the number %.*s cannot be computed with exactly", VC_FMT(from.text));
    return VC_OK;
}

vc_status vc_row_value_new(vc_str text, vc_value_type type, unsigned scale, vc_arena *arena,
                           vc_row_value **value_out, vc_error *error)
{
    vc_expr *expr;
    vc_row_value *value = VC_ARENA_NEW(arena, vc_row_value, 1);
    if (value == NULL) return vc_no_memory(error);
    vc_status status = vc_expr_parse(text, arena, &expr, error);
    if (status != VC_OK) return status;
    value->expr = expr;
    value->type = type;
    value->scale = type == VC_VALUE_DECIMAL ? scale : 0;
    value->nsteps = vc_expr_nsteps(expr);
    value->names = vc_expr_names(expr, &value->nnames);
    value->steps = VC_ARENA_NEW(arena, step, value->nsteps);
    if (value->steps == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < value->nsteps && status == VC_OK; i++)
        status = make_step(value, i, &value->steps[i], error);
    if (status == VC_OK && (value->nnames == 0 || value->nnames > VC_ROW_VALUE_NAMES))
        status = vc_fail(error, VC_BAD_INPUT, "expr",
                         "a value is computed from 1 to %d columns, found %zu", VC_ROW_VALUE_NAMES,
                         value->nnames);
    *value_out = value;
    return status;
}

const vc_str *vc_row_value_names(const vc_row_value *value, size_t *nnames_out)
{
    *nnames_out = value->nnames;
    return value->names;
}

/* ---- computing exactly ---- */

static bool apply_binary(vc_expr_op op, const fraction *operands, fraction *out)
{
    fraction a = operands[0], b = operands[1];
    int order = 0;
    if (a.is_null || b.is_null) {
        *out = null_fraction;
        return true;
    }
    switch (op) {
    case VC_EXPR_SUBTRACT: b.above = -b.above; return combine(try_add, a, b, out);
    case VC_EXPR_ADD: return combine(try_add, a, b, out);
    case VC_EXPR_MULTIPLY: return combine(try_multiply, a, b, out);
    case VC_EXPR_DIVIDE:
        if (b.above == 0) {
            *out = null_fraction;
            return true;
        }
        turn_over(&b);
        return combine(try_multiply, a, b, out);
    case VC_EXPR_AND: *out = from_bool(a.above != 0 && b.above != 0); return true;
    case VC_EXPR_OR: *out = from_bool(a.above != 0 || b.above != 0); return true;
    default: break;
    }
    if (!compare(a, b, &order)) return false;
    bool is_true = op == VC_EXPR_EQUAL        ? order == 0
                   : op == VC_EXPR_NOT_EQUAL  ? order != 0
                   : op == VC_EXPR_LESS       ? order < 0
                   : op == VC_EXPR_LESS_EQUAL ? order <= 0
                   : op == VC_EXPR_GREATER    ? order > 0
                                              : order >= 0;
    *out = from_bool(is_true);
    return true;
}

static bool find_extreme(const fraction *arguments, size_t count, int sign, fraction *out)
{
    fraction best = arguments[0];
    for (size_t i = 1; i < count; i++) {
        int order;
        if (!compare(arguments[i], best, &order)) return false;
        if (order * sign > 0) best = arguments[i];
    }
    *out = best;
    return true;
}

/* out may be arguments[0]. */
static bool call(function which, const fraction *arguments, size_t count, fraction *out)
{
    fraction first = arguments[0];
    bool has_null = false;
    for (size_t i = 0; i < count; i++)
        has_null |= arguments[i].is_null;
    switch (which) {
    case FUNCTION_COALESCE:
        for (size_t i = count; i-- > 0;)
            if (!arguments[i].is_null) first = arguments[i];
        *out = first;
        return true;
    case FUNCTION_ZN: *out = first.is_null ? from_bool(false) : first; return true;
    case FUNCTION_IF:
        *out = first.is_null ? first : arguments[first.above != 0 ? 1 : 2];
        return true;
    default: break;
    }
    if (has_null) {
        *out = null_fraction;
        return true;
    }
    switch (which) {
    case FUNCTION_SAFE_DIV: return apply_binary(VC_EXPR_DIVIDE, arguments, out);
    case FUNCTION_ABS:
        if (first.above < 0) first.above = -first.above;
        *out = first;
        return true;
    case FUNCTION_ROUND:
        *out = first;
        return round_fraction(out, count == 2 ? arguments[1] : from_bool(false));
    default: return find_extreme(arguments, count, which == FUNCTION_MIN ? -1 : 1, out);
    }
}

/* False: a number does not fit 128 bits. */
static bool run(const vc_row_value *value, const fraction *names, fraction *out)
{
    fraction stack[VC_EXPR_STACK_MAX]; /* enough: the parser counted */
    size_t top = 0;
    bool fits = true;
    stack[0] = null_fraction;
    for (size_t i = 0; i < value->nsteps && fits; i++) {
        const step *next = &value->steps[i];
        fraction *last = &stack[top == 0 ? 0 : top - 1];
        switch (next->op) {
        case VC_EXPR_NUMBER: stack[top++] = next->number; break;
        case VC_EXPR_NAME: stack[top++] = names[next->operand]; break;
        case VC_EXPR_NEGATE: last->above = -last->above; break;
        case VC_EXPR_NOT:
            if (!last->is_null) *last = from_bool(last->above == 0);
            break;
        case VC_EXPR_CALL:
            top -= next->operand;
            fits = call(next->function, &stack[top], next->operand, &stack[top]);
            top++;
            break;
        default:
            top -= 2;
            fits = apply_binary(next->op, &stack[top], &stack[top]);
            top++;
            break;
        }
    }
    *out = stack[0];
    return fits;
}

static vc_parse to_stored(const vc_row_value *value, fraction result, int64_t *value_out)
{
    wide power, scaled;
    if (!power_of_ten(value->scale, &power)) return VC_PARSE_OVERFLOW;
    if (__builtin_mul_overflow(result.above, power, &scaled)) {
        reduce(&result);
        if (__builtin_mul_overflow(result.above, power, &scaled)) return VC_PARSE_OVERFLOW;
    }
    if (scaled % result.below != 0) return VC_PARSE_INEXACT;
    scaled /= result.below;
    if (scaled > INT64_MAX || scaled < INT64_MIN) return VC_PARSE_OVERFLOW;
    *value_out = (int64_t)scaled;
    return VC_PARSE_OK;
}

static vc_parse compute_exactly(const vc_row_value *value, const vc_str *texts, char decimal,
                                int64_t *value_out, bool *is_null_out, size_t *name_out)
{
    fraction names[VC_ROW_VALUE_NAMES], result;
    for (size_t i = 0; i < value->nnames; i++) {
        names[i] = null_fraction;
        if (vc_str_is_null(texts[i])) continue;
        vc_parse parse = parse_exact(texts[i], decimal, &names[i]);
        *name_out = i;
        if (parse != VC_PARSE_OK) return parse;
    }
    *name_out = SIZE_MAX;
    if (!run(value, names, &result)) return VC_PARSE_OVERFLOW;
    *is_null_out = result.is_null;
    return result.is_null ? VC_PARSE_OK : to_stored(value, result, value_out);
}

static vc_parse compute_double(const vc_row_value *value, const vc_str *texts, char decimal,
                               int64_t *value_out, bool *is_null_out, size_t *name_out)
{
    vc_number names[VC_ROW_VALUE_NAMES];
    for (size_t i = 0; i < value->nnames; i++) {
        names[i] = (vc_number){.is_null = true, .reason = 'n'};
        if (vc_str_is_null(texts[i])) continue;
        vc_parse parse = vc_parse_double(texts[i], decimal, &names[i].value);
        *name_out = i;
        if (parse != VC_PARSE_OK) return parse;
        names[i].is_null = false;
        names[i].reason = 0;
    }
    vc_number result = vc_expr_evaluate(value->expr, names);
    *is_null_out = result.is_null;
    if (!result.is_null) memcpy(value_out, &result.value, sizeof result.value);
    return VC_PARSE_OK;
}

vc_parse vc_row_value_compute(const vc_row_value *value, const vc_str *texts, char decimal,
                              int64_t *value_out, bool *is_null_out, size_t *name_out)
{
    *value_out = 0; /* 0.0 as well */
    return value->type == VC_VALUE_FLOAT
               ? compute_double(value, texts, decimal, value_out, is_null_out, name_out)
               : compute_exactly(value, texts, decimal, value_out, is_null_out, name_out);
}
