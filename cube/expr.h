/* Expressions of calculated measures: `safe_div(cpop, pop) * 100`.
 *
 *     expr    = or
 *     or      = and { "or" and }          and   = not { "and" not }      not = ["not"] compare
 *     compare = sum [ ("=" | "!=" | "<" | "<=" | ">" | ">=") sum ]
 *     sum     = term { ("+" | "-") term } term = unary { ("*" | "/") unary }
 *     unary   = "-" unary | primary
 *     primary = number | name | '"' name '"' | function "(" expr { "," expr } ")" | "(" expr ")"
 *             | "parent" "(" expr "," dim ")"       and so share, rank
 *             | "previous" "(" expr "," dim ["," n] ")"   and so growth
 *             | "running" "(" expr "," dim ["," level] ")"
 *             | "moving_avg" "(" expr "," n "," dim ")"
 *             | "agg_over" "(" ("avg" | "min" | "max" | "sum" | "count") "," expr "," dim ":" level
 * ")" dim     = name ["@" name]                 names of dimensions, hierarchies, levels: as of
 * measures
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

/* The same for a calculated member: operands are members in brackets, `[BEL] + [NLD]`, or
 * aggregates of such, `sum([BEL], [#bric])`, and the names are these texts as they were written,
 * brackets and all. There are no measures and no functions over members in it. */
vc_status vc_expr_parse_members(vc_str text, vc_arena *arena, vc_expr **expr_out, vc_error *error);

/* The distinct names it uses, in order of first appearance. The array lives in the expr's arena. */
const vc_str *vc_expr_names(const vc_expr *expr, size_t *nnames_out);

/* ---- functions over members ---- */

typedef enum vc_member_function {
    VC_MEMBER_PARENT,
    VC_MEMBER_SHARE,
    VC_MEMBER_PREVIOUS,
    VC_MEMBER_GROWTH,
    VC_MEMBER_RUNNING,
    VC_MEMBER_MOVING_AVG,
    VC_MEMBER_RANK,
    VC_MEMBER_AGG_OVER,
} vc_member_function;

typedef enum vc_member_aggregate {
    VC_MEMBER_AVG,
    VC_MEMBER_MIN,
    VC_MEMBER_MAX,
    VC_MEMBER_SUM,
    VC_MEMBER_COUNT,
} vc_member_aggregate;

/* A call of a function whose argument is wanted at other cells than the one at hand. */
typedef struct vc_member_call {
    vc_member_function function;
    const char *name;              /* "growth" */
    vc_member_aggregate aggregate; /* of agg_over */
    vc_str dimension;
    vc_str hierarchy; /* absent: the one that is drilled, or the main one */
    vc_str level;     /* of running and agg_over; absent: none */
    uint32_t count;   /* of previous and growth: how far back; of moving_avg: how many. 1 or more */
    size_t offset;    /* of the call in the text */
    const vc_expr *argument; /* shares names and calls with the whole */
} vc_member_call;

/* All calls of functions over members, also those in the argument of another, which come before it.
 */
const vc_member_call *vc_expr_calls(const vc_expr *expr, size_t *ncalls_out);

/* Of names and calls, those that evaluating this expression reads; what only stands in the argument
 * of a call is read where that is evaluated. */
const size_t *vc_expr_used_names(const vc_expr *expr, size_t *nnames_out);
const size_t *vc_expr_used_calls(const vc_expr *expr, size_t *ncalls_out);

/* ---- step by step ---- */

/* The expression as postfix code, for whoever computes with something else than doubles: each step
 * takes its operands from a stack and leaves one value there. A function over members is a call
 * with one argument, the expression. */
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

/* values [nnames + ncalls]: in the order of vc_expr_names, then what the calls came to in the order
 * of vc_expr_calls. Only those used are read. */
vc_number vc_expr_evaluate(const vc_expr *expr, const vc_number *values);

#endif
