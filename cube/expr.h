/* Expressions of calculated measures: `safe_div(cpop, pop) * 100`.
 *
 *     expr    = or
 *     or      = and { "or" and }          and   = not { "and" not }      not = ["not"] compare
 *     compare = sum [ ("=" | "!=" | "<" | "<=" | ">" | ">=") sum ]
 *     sum     = term { ("+" | "-") term } term = unary { ("*" | "/") unary }
 *     unary   = "-" unary | primary
 *     primary = number | name | '"' name '"' | function "(" expr { "," expr } ")" | "(" expr ")"
 *
 * Functions: coalesce(a, ...), zn(a), safe_div(a, b), if(condition, a, b), abs(a), round(a[, n]),
 * min(a, ...), max(a, ...). Names are measures of the same cube: letters, digits, `_`, `.` and
 * non-ASCII, not beginning with a digit; others in quotes, a quote inside written twice.
 * Limits: 16 KiB of text, 64 levels of parentheses and calls, 256 values at once.
 *
 * Values are double or null with a reason. Null propagates, with the reason of the leftmost null
 * operand; division by zero is null `d`, in safe_div too (docs/semantics.md says why);
 * coalesce takes the first that is not null; zn turns null into 0. Reasons `r` and `a`, which stand
 * beside present values, survive arithmetic.
 */
#ifndef CUBE_EXPR_H
#define CUBE_EXPR_H

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"

#include <stdint.h>

typedef struct vc_expr vc_expr;

typedef struct vc_number {
    double value;
    bool is_null;
    char reason; /* null: one of e u x g d n c; present: 0, r or a */
} vc_number;

/* Parse into the arena.
 * VC_BAD_INPUT, code "expr", with the byte offset (vc_error.offset) and what was expected; an
 * unknown function has candidates. */
vc_status vc_expr_parse(vc_str text, vc_arena *arena, vc_expr **expr_out, vc_error *error);

/* The distinct names it uses, in order of first appearance. The array lives in the expr's arena. */
const vc_str *vc_expr_names(const vc_expr *expr, size_t *nnames_out);

/* The expression as postfix code, for whoever computes with something else than doubles: each step
 * takes its operands from a stack and leaves one value there. */
typedef enum vc_expr_op {
    VC_EXPR_NUMBER,
    VC_EXPR_NAME,
    VC_EXPR_CALL,
    VC_EXPR_NEGATE,
    VC_EXPR_NOT,
    VC_EXPR_ADD,
    VC_EXPR_SUBTRACT,
    VC_EXPR_MULTIPLY,
    VC_EXPR_DIVIDE,
    VC_EXPR_EQUAL,
    VC_EXPR_NOT_EQUAL,
    VC_EXPR_LESS,
    VC_EXPR_LESS_EQUAL,
    VC_EXPR_GREATER,
    VC_EXPR_GREATER_EQUAL,
    VC_EXPR_AND,
    VC_EXPR_OR,
} vc_expr_op;

typedef struct vc_expr_step {
    vc_expr_op op;
    vc_str text;          /* of a number, as written */
    size_t name;          /* VC_EXPR_NAME: of vc_expr_names */
    const char *function; /* VC_EXPR_CALL */
    size_t narguments;
} vc_expr_step;

enum { VC_EXPR_STACK_MAX = 256 }; /* values that are on the stack at once */

size_t vc_expr_nsteps(const vc_expr *expr);
vc_expr_step vc_expr_get_step(const vc_expr *expr, size_t number);

/* values [nnames] in the order of vc_expr_names. */
vc_number vc_expr_evaluate(const vc_expr *expr, const vc_number *values);

#endif
