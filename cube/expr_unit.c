#include "cube/expr_unit.h"

#include <string.h>

typedef struct side { /* a value on the stack */
    vc_str unit;      /* "": none, or not known */
    vc_str name;      /* of the measure that brought the unit */
    bool is_plain;    /* certainly without a unit: made of numbers only */
} side;

static const side nothing = {.unit = {"", 0}, .name = {"", 0}};

static bool has_unit(const side *of)
{
    return of->unit.size > 0;
}

static vc_status meet(const char *what, const side *a, const side *b, side *out, vc_error *error)
{
    if (has_unit(a) && has_unit(b) && !vc_str_equal(a->unit, b->unit))
        return vc_fail(error, VC_BAD_INPUT, "unit_mismatch",
                       "'%.*s' is in %.*s and '%.*s' in %.*s: they cannot be %s; convert one of "
                       "them by a factor in a measure that states its unit",
                       VC_FMT(a->name), VC_FMT(a->unit), VC_FMT(b->name), VC_FMT(b->unit), what);
    bool is_plain = a->is_plain && b->is_plain;
    *out = has_unit(a) ? *a : *b;
    out->is_plain = is_plain;
    return VC_OK;
}

static side multiply(const side *a, const side *b)
{
    if (a->is_plain) return *b;
    return b->is_plain ? *a : nothing;
}

static side divide(const side *a, const side *b)
{
    return b->is_plain ? *a : nothing;
}

/* The arguments of a function that must be of one unit: first to end. */
static vc_status call(const vc_expr_step *step, side *arguments, vc_error *error)
{
    size_t first = 0, end = step->narguments;
    if (strcmp(step->function, "safe_div") == 0) {
        arguments[0] = divide(&arguments[0], &arguments[1]);
        return VC_OK;
    }
    bool is_bare = strcmp(step->function, "share") == 0 || strcmp(step->function, "growth") == 0 ||
                   strcmp(step->function, "rank") == 0 || strcmp(step->function, "agg_over") == 0;
    if (is_bare) { /* ratios and places; agg_over may count */
        arguments[0] = nothing;
        return VC_OK;
    }
    if (strcmp(step->function, "if") == 0) first = 1;
    if (strcmp(step->function, "round") == 0) end = 1;
    side all = arguments[first];
    for (size_t i = first + 1; i < end; i++) {
        vc_status status =
            meet("compared or taken for each other", &all, &arguments[i], &all, error);
        if (status != VC_OK) return status;
    }
    arguments[0] = all;
    return VC_OK;
}

static vc_status combine(vc_expr_op op, side *operands, vc_error *error)
{
    switch (op) {
    case VC_EXPR_ADD: return meet("added", &operands[0], &operands[1], &operands[0], error);
    case VC_EXPR_SUBTRACT:
        return meet("subtracted", &operands[0], &operands[1], &operands[0], error);
    case VC_EXPR_MULTIPLY: operands[0] = multiply(&operands[0], &operands[1]); return VC_OK;
    case VC_EXPR_DIVIDE: operands[0] = divide(&operands[0], &operands[1]); return VC_OK;
    case VC_EXPR_AND:
    case VC_EXPR_OR: operands[0] = nothing; return VC_OK;
    default: break;
    }
    side met;
    vc_status status = meet("compared", &operands[0], &operands[1], &met, error);
    operands[0] = nothing;
    return status;
}

vc_status vc_expr_unit(const vc_expr *expr, const vc_str *units, vc_str *unit_out, vc_error *error)
{
    side stack[VC_EXPR_STACK_MAX]; /* enough: the parser counted */
    size_t top = 0, nnames;
    const vc_str *names = vc_expr_names(expr, &nnames);
    vc_status status = VC_OK;
    stack[0] = nothing;
    for (size_t i = 0; i < vc_expr_nsteps(expr) && status == VC_OK; i++) {
        vc_expr_step step = vc_expr_get_step(expr, i);
        switch (step.op) {
        case VC_EXPR_NUMBER:
            stack[top] = nothing;
            stack[top++].is_plain = true;
            break;
        case VC_EXPR_NAME:
            stack[top] = nothing;
            if (units[step.name].size > 0) stack[top].unit = units[step.name];
            stack[top++].name = names[step.name];
            break;
        case VC_EXPR_NEGATE: break;
        case VC_EXPR_NOT: stack[top - 1] = nothing; break;
        case VC_EXPR_CALL:
            top -= step.narguments;
            status = call(&step, &stack[top++], error);
            break;
        default:
            top -= 2;
            status = combine(step.op, &stack[top++], error);
            break;
        }
    }
    *unit_out = stack[0].unit;
    return status;
}
