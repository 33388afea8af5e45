/* The inside of an expression, for expr*.c only. */
#ifndef CUBE_EXPR_PARTS_H
#define CUBE_EXPR_PARTS_H

#include "cube/expr.h"

typedef vc_number vc_expr_code(const vc_number *arguments, size_t count);

typedef struct vc_expr_function {
    const char *name;
    unsigned least, most; /* arguments; most 0: any number */
    vc_expr_code *run;
} vc_expr_function;

extern const vc_expr_function vc_expr_functions[];
extern const size_t vc_expr_nfunctions;

typedef enum opcode {
    OP_NUMBER,
    OP_NAME,
    OP_CALL,
    OP_MEMBER, /* what a function over members came to */
    OP_NEGATE,
    OP_NOT,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_AND,
    OP_OR,
} opcode;

typedef struct instruction {
    uint8_t op;       /* opcode */
    uint8_t function; /* OP_CALL: of vc_expr_functions */
    uint32_t operand; /* OP_NAME: of names; OP_CALL: the number of arguments; OP_MEMBER: of calls */
    double number;    /* OP_NUMBER */
    vc_str text;      /* OP_NUMBER: as written */
} instruction;

/* An expression and the arguments of its functions over members, which are expressions of their
 * own, share names, calls and code. */
struct vc_expr {
    instruction *code; /* [ncode] the whole, arguments of functions over members included */
    size_t ncode;
    instruction *program; /* [nprogram] the same without them */
    size_t nprogram;
    vc_str *names;
    size_t nnames;
    vc_member_call *calls;
    size_t ncalls;
    size_t *used_names; /* [nused_names] in the program */
    size_t nused_names;
    size_t *used_calls;
    size_t nused_calls;
};

vc_number vc_expr_apply_binary(opcode op, const vc_number operands[2]);
vc_number vc_expr_make_number(double value, char mark);

/* Give an expression that was parsed, and each argument of its calls, a program. first [ncalls]:
 * where in the code each argument begins; end [ncalls]: where its call stands. */
vc_status vc_expr_link(vc_expr *expr, const size_t *first, const size_t *end, vc_arena *arena,
                       vc_error *error);

#endif
