/* What was parsed, run: the code of the whole stays one piece, so that it can be walked; a program
 * leaves out the arguments of functions over members, whose values come from other cells.
 */
#include "cube/expr_parts.h"

#include <assert.h>

/* ---- programs ---- */

/* Where arguments begin in the code: for each instruction the outermost of the calls whose argument
 * begins there; `inner` leads from a call to the next one inside it that begins there too. */
struct linking {
    vc_expr *expr;
    const size_t *first, *end;
    size_t *outermost; /* [ncode + 1] call + 1; 0: none */
    size_t *inner;     /* [ncalls] likewise */
    vc_arena *arena;
    vc_error *error;
};

/* The code in [first, end), with one instruction for each call in it. */
static vc_status make_program(const struct linking *in, size_t first, size_t end, vc_expr *into)
{
    const vc_expr *expr = in->expr;
    bool *is_used = VC_ARENA_NEW(in->arena, bool, expr->nnames + 1);
    into->program = VC_ARENA_NEW(in->arena, instruction, end - first + 1);
    into->used_names = VC_ARENA_NEW(in->arena, size_t, expr->nnames + 1);
    into->used_calls = VC_ARENA_NEW(in->arena, size_t, expr->ncalls + 1);
    if (is_used == NULL || into->program == NULL || into->used_names == NULL ||
        into->used_calls == NULL)
        return vc_no_memory(in->error);
    for (size_t i = first; i < end; i++) {
        size_t call = in->outermost[i];
        while (call > 0 && in->end[call - 1] >= end)
            call = in->inner[call - 1];
        if (call > 0) i = in->end[call - 1];
        const instruction *next = &expr->code[i];
        into->program[into->nprogram++] = *next;
        if (next->op == OP_MEMBER) into->used_calls[into->nused_calls++] = next->operand;
        if (next->op == OP_NAME && !is_used[next->operand]) {
            is_used[next->operand] = true;
            into->used_names[into->nused_names++] = next->operand;
        }
    }
    return VC_OK;
}

vc_status vc_expr_link(vc_expr *expr, const size_t *first, const size_t *end, vc_arena *arena,
                       vc_error *error)
{
    struct linking in = {.expr = expr,
                         .first = first,
                         .end = end,
                         .outermost = VC_ARENA_NEW(arena, size_t, expr->ncode + 1),
                         .inner = VC_ARENA_NEW(arena, size_t, expr->ncalls + 1),
                         .arena = arena,
                         .error = error};
    if (in.outermost == NULL || in.inner == NULL) return vc_no_memory(error);
    for (size_t call = 0; call < expr->ncalls; call++) { /* inner calls come first */
        in.inner[call] = in.outermost[first[call]];
        in.outermost[first[call]] = call + 1;
    }
    vc_status status = make_program(&in, 0, expr->ncode, expr);
    for (size_t call = 0; call < expr->ncalls && status == VC_OK; call++) {
        vc_expr *argument = VC_ARENA_NEW(arena, vc_expr, 1);
        if (argument == NULL) return vc_no_memory(error);
        *argument = (vc_expr){.code = expr->code + first[call],
                              .ncode = end[call] - first[call],
                              .names = expr->names,
                              .nnames = expr->nnames,
                              .calls = expr->calls,
                              .ncalls = expr->ncalls};
        expr->calls[call].argument = argument;
        status = make_program(&in, first[call], end[call], argument);
    }
    return status;
}

/* ---- the door ---- */

const vc_str *vc_expr_names(const vc_expr *expr, size_t *nnames_out)
{
    *nnames_out = expr->nnames;
    return expr->names;
}

const vc_member_call *vc_expr_calls(const vc_expr *expr, size_t *ncalls_out)
{
    *ncalls_out = expr->ncalls;
    return expr->calls;
}

const size_t *vc_expr_used_names(const vc_expr *expr, size_t *nnames_out)
{
    *nnames_out = expr->nused_names;
    return expr->used_names;
}

const size_t *vc_expr_used_calls(const vc_expr *expr, size_t *ncalls_out)
{
    *ncalls_out = expr->nused_calls;
    return expr->used_calls;
}

size_t vc_expr_nsteps(const vc_expr *expr)
{
    return expr->ncode;
}

vc_expr_step vc_expr_get_step(const vc_expr *expr, size_t number)
{
    static const vc_expr_op ops[] = {
        [OP_NUMBER] = VC_EXPR_NUMBER,     [OP_NAME] = VC_EXPR_NAME,
        [OP_CALL] = VC_EXPR_CALL,         [OP_MEMBER] = VC_EXPR_CALL,
        [OP_NEGATE] = VC_EXPR_NEGATE,     [OP_NOT] = VC_EXPR_NOT,
        [OP_ADD] = VC_EXPR_ADD,           [OP_SUBTRACT] = VC_EXPR_SUBTRACT,
        [OP_MULTIPLY] = VC_EXPR_MULTIPLY, [OP_DIVIDE] = VC_EXPR_DIVIDE,
        [OP_EQUAL] = VC_EXPR_EQUAL,       [OP_NOT_EQUAL] = VC_EXPR_NOT_EQUAL,
        [OP_LESS] = VC_EXPR_LESS,         [OP_LESS_EQUAL] = VC_EXPR_LESS_EQUAL,
        [OP_GREATER] = VC_EXPR_GREATER,   [OP_GREATER_EQUAL] = VC_EXPR_GREATER_EQUAL,
        [OP_AND] = VC_EXPR_AND,           [OP_OR] = VC_EXPR_OR,
    };
    const instruction *next = &expr->code[number];
    vc_expr_step step = {.op = ops[next->op], .text = next->text};
    if (step.op == VC_EXPR_NAME) step.name = next->operand;
    if (next->op == OP_CALL) {
        step.function = vc_expr_functions[next->function].name;
        step.narguments = next->operand;
    }
    if (next->op == OP_MEMBER) {
        step.function = expr->calls[next->operand].name;
        step.narguments = 1;
    }
    return step;
}

vc_number vc_expr_evaluate(const vc_expr *expr, const vc_number *values)
{
    vc_number stack[VC_EXPR_STACK_MAX]; /* enough: the parser counted */
    size_t top = 0;
    for (size_t i = 0; i < expr->nprogram; i++) {
        const instruction *next = &expr->program[i];
        vc_number *last = &stack[top == 0 ? 0 : top - 1];
        switch ((opcode)next->op) {
        case OP_NUMBER: stack[top++] = vc_expr_make_number(next->number, 0); break;
        case OP_NAME: stack[top++] = values[next->operand]; break;
        case OP_MEMBER: stack[top++] = values[expr->nnames + next->operand]; break;
        case OP_CALL:
            top -= next->operand;
            stack[top] = vc_expr_functions[next->function].run(&stack[top], next->operand);
            top++;
            break;
        case OP_NEGATE:
            if (!last->is_null) last->value = -last->value;
            break;
        case OP_NOT:
            if (!last->is_null) last->value = last->value == 0;
            break;
        default:
            top -= 2;
            stack[top] = vc_expr_apply_binary((opcode)next->op, &stack[top]);
            top++;
            break;
        }
    }
    return stack[0];
}
