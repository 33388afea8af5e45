/* The parser writes postfix code as it goes, so `a + b + c + ...` of any length needs neither a
 * tree nor recursion to evaluate; only parentheses and calls nest, and those are counted. Every
 * instruction comes from at least one byte of text, which bounds the code before it is written.
 */
#include "cube/expr.h"

#include "base/nearest.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT_BYTES_MAX = 16 * 1024,
    NESTING_MAX = 64,
    STACK_MAX = VC_EXPR_STACK_MAX,
    FOUND_BYTES_MAX = 60
};

typedef vc_number function_code(const vc_number *arguments, size_t count);

typedef struct expr_function {
    const char *name;
    unsigned least, most; /* arguments; most 0: any number */
    function_code *run;
} expr_function;

typedef enum opcode {
    OP_NUMBER,
    OP_NAME,
    OP_CALL,
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
    uint8_t function; /* OP_CALL: of functions[] */
    uint32_t operand; /* OP_NAME: of names; OP_CALL: the number of arguments */
    double number;    /* OP_NUMBER */
    vc_str text;      /* OP_NUMBER: as written */
} instruction;

struct vc_expr {
    instruction *code;
    size_t ncode;
    vc_str *names;
    size_t nnames;
};

/* ---- values ---- */

static vc_number make_null(char reason)
{
    return (vc_number){.is_null = true, .reason = reason};
}

/* JSON has no infinity: what does not fit a double is undefined. */
static vc_number make_number(double value, char mark)
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

static vc_number apply_binary(opcode op, const vc_number operands[2])
{
    const vc_number *null = find_null(operands, 2);
    if (null != NULL) return *null;
    return make_number(apply(op, operands[0].value, operands[1].value), find_mark(operands, 2));
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
    return arguments[0].is_null ? make_number(0, 0) : arguments[0];
}

static vc_number run_safe_div(const vc_number *arguments, size_t count)
{
    (void)count;
    return apply_binary(OP_DIVIDE, arguments);
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
    return make_number(fabs(arguments[0].value), arguments[0].reason);
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
    return make_number(round_to(arguments[0].value, digits), find_mark(arguments, count));
}

static vc_number run_min(const vc_number *arguments, size_t count)
{
    const vc_number *null = find_null(arguments, count);
    if (null != NULL) return *null;
    double least = arguments[0].value;
    for (size_t i = 1; i < count; i++)
        if (arguments[i].value < least) least = arguments[i].value;
    return make_number(least, find_mark(arguments, count));
}

static vc_number run_max(const vc_number *arguments, size_t count)
{
    const vc_number *null = find_null(arguments, count);
    if (null != NULL) return *null;
    double most = arguments[0].value;
    for (size_t i = 1; i < count; i++)
        if (arguments[i].value > most) most = arguments[i].value;
    return make_number(most, find_mark(arguments, count));
}

static const expr_function functions[] = {
    {"coalesce", 1, 0, run_coalesce}, {"zn", 1, 1, run_zn},
    {"safe_div", 2, 2, run_safe_div}, {"if", 3, 3, run_if},
    {"abs", 1, 1, run_abs},           {"round", 1, 2, run_round},
    {"min", 1, 0, run_min},           {"max", 1, 0, run_max},
};

enum { NFUNCTIONS = sizeof functions / sizeof functions[0] };

/* ---- tokens ---- */

typedef enum token_kind {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_NAME,
    TOKEN_QUOTED,
    TOKEN_SYMBOL
} token_kind;

typedef struct token {
    token_kind kind;
    size_t offset;
    vc_str text;   /* as written; of a quoted name, what is between the quotes */
    double number; /* TOKEN_NUMBER */
} token;

typedef struct parser {
    vc_str text;
    size_t at; /* behind the current token */
    token token;
    vc_arena *arena;
    vc_expr *expr;
    size_t stack; /* values on the stack behind the code so far */
    unsigned nesting;
    vc_error *error;
} parser;

static vc_status fail_at(parser *p, size_t offset, const char *message)
{
    vc_fail(p->error, VC_BAD_INPUT, "expr", "%s, at byte %zu of the expression", message,
            offset + 1);
    vc_error_at_offset(p->error, "expr", offset);
    return VC_BAD_INPUT;
}

/* So much of a text as a message can hold, not ending within a character. */
static vc_str cut(vc_str text)
{
    if (text.size <= FOUND_BYTES_MAX) return text;
    text.size = FOUND_BYTES_MAX;
    while (text.size > 0 && ((unsigned char)text.data[text.size] & 0xC0) == 0x80)
        text.size--;
    return text;
}

static vc_status fail_expected(parser *p, const char *expected)
{
    char message[256];
    vc_str found = cut(p->token.text);
    if (p->token.kind == TOKEN_END)
        snprintf(message, sizeof message, "expected %s, found the end", expected);
    else
        snprintf(message, sizeof message, "expected %s, found '%.*s%s'", expected, VC_FMT(found),
                 found.size < p->token.text.size ? "..." : "");
    return fail_at(p, p->token.offset, message);
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool starts_name(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           (unsigned char)byte >= 0x80;
}

static bool continues_name(char byte)
{
    return starts_name(byte) || is_digit(byte) || byte == '.';
}

static char byte_at(const parser *p, size_t offset)
{
    return offset < p->text.size ? p->text.data[offset] : '\0';
}

static vc_str slice(const parser *p, size_t first, size_t end)
{
    return (vc_str){.data = p->text.data + first, .size = end - first};
}

static vc_status read_number(parser *p)
{
    size_t end = p->at;
    while (is_digit(byte_at(p, end)))
        end++;
    if (byte_at(p, end) == '.')
        for (end++; is_digit(byte_at(p, end));)
            end++;
    if (byte_at(p, end) == 'e' || byte_at(p, end) == 'E') {
        size_t digits = end + 1;
        if (byte_at(p, digits) == '+' || byte_at(p, digits) == '-') digits++;
        if (is_digit(byte_at(p, digits)))
            for (end = digits; is_digit(byte_at(p, end));)
                end++;
    }
    if (continues_name(byte_at(p, end)))
        return fail_at(p, p->at, "a name that begins with a digit must stand in quotes");
    p->token.kind = TOKEN_NUMBER;
    p->token.text = slice(p, p->at, end);
    vc_parse outcome = vc_parse_double(p->token.text, '.', &p->token.number);
    if (outcome == VC_PARSE_OVERFLOW) return fail_at(p, p->at, "the number is too large");
    if (outcome != VC_PARSE_OK) return fail_at(p, p->at, "not a number such as 12.5");
    p->at = end;
    return VC_OK;
}

/* "GDP per head": a quote inside is written twice. */
static vc_status read_quoted(parser *p)
{
    size_t first = p->at + 1, end = first, size = 0;
    while (byte_at(p, end) != '"' || byte_at(p, end + 1) == '"') {
        if (end >= p->text.size) return fail_at(p, p->at, "the quoted name has no end");
        end += byte_at(p, end) == '"' ? 2 : 1;
    }
    if (end == first) return fail_at(p, p->at, "the quoted name is empty");
    char *name = vc_arena_alloc(p->arena, end - first);
    if (name == NULL) return vc_no_memory(p->error);
    for (size_t at = first; at < end; at++) {
        name[size++] = p->text.data[at];
        if (p->text.data[at] == '"') at++;
    }
    p->token.kind = TOKEN_QUOTED;
    p->token.text = (vc_str){.data = name, .size = size};
    p->at = end + 1;
    return VC_OK;
}

static vc_status read_symbol(parser *p)
{
    char first = byte_at(p, p->at), second = byte_at(p, p->at + 1);
    if (strchr("+-*/(),=<>!", first) == NULL || first == '\0' || (first == '!' && second != '=')) {
        char message[64];
        if ((unsigned char)first < 0x20 || first == 0x7F)
            snprintf(message, sizeof message, "unexpected byte 0x%02x", (unsigned)first);
        else
            snprintf(message, sizeof message, "unexpected character '%c'", first);
        return fail_at(p, p->at, message);
    }
    size_t size = second == '=' && (first == '!' || first == '<' || first == '>') ? 2 : 1;
    p->token.kind = TOKEN_SYMBOL;
    p->token.text = slice(p, p->at, p->at + size);
    p->at += size;
    return VC_OK;
}

static vc_status advance(parser *p)
{
    while (p->at < p->text.size && memchr(" \t\r\n", p->text.data[p->at], 4) != NULL)
        p->at++;
    p->token = (token){.offset = p->at, .text = slice(p, p->at, p->at)};
    if (p->at == p->text.size) return VC_OK;
    char byte = p->text.data[p->at];
    if (is_digit(byte)) return read_number(p);
    if (byte == '"') return read_quoted(p);
    if (!starts_name(byte)) return read_symbol(p);
    size_t end = p->at;
    while (continues_name(byte_at(p, end)))
        end++;
    p->token.kind = TOKEN_NAME;
    p->token.text = slice(p, p->at, end);
    p->at = end;
    return VC_OK;
}

static bool is_symbol(const parser *p, const char *symbol)
{
    return p->token.kind == TOKEN_SYMBOL && vc_str_is(p->token.text, symbol);
}

static bool is_word(const parser *p, const char *word)
{
    return p->token.kind == TOKEN_NAME && vc_str_is(p->token.text, word);
}

static vc_status take_symbol(parser *p, const char *symbol, const char *expected)
{
    return is_symbol(p, symbol) ? advance(p) : fail_expected(p, expected);
}

/* ---- code ---- */

static vc_status emit(parser *p, instruction next)
{
    if (next.op == OP_NUMBER || next.op == OP_NAME)
        p->stack++;
    else if (next.op == OP_CALL)
        p->stack -= next.operand - 1;
    else if (next.op != OP_NEGATE && next.op != OP_NOT)
        p->stack--;
    if (p->stack > STACK_MAX)
        return fail_at(p, p->token.offset, "too many values at once in one expression");
    assert(p->expr->ncode < p->text.size);
    p->expr->code[p->expr->ncode++] = next;
    return VC_OK;
}

static vc_status emit_number(parser *p, const token *number)
{
    vc_str text = vc_arena_str(p->arena, number->text);
    if (text.data == NULL) return vc_no_memory(p->error);
    return emit(p, (instruction){.op = OP_NUMBER, .number = number->number, .text = text});
}

static vc_status emit_name(parser *p, vc_str name)
{
    vc_expr *expr = p->expr;
    size_t at = 0;
    while (at < expr->nnames && !vc_str_equal(expr->names[at], name))
        at++;
    if (at == expr->nnames) {
        vc_str copy = vc_arena_str(p->arena, name);
        if (copy.data == NULL) return vc_no_memory(p->error);
        expr->names[expr->nnames++] = copy;
    }
    return emit(p, (instruction){.op = OP_NAME, .operand = (uint32_t)at});
}

/* ---- grammar ---- */

static vc_status parse_or(parser *p);

static vc_status parse_nested(parser *p)
{
    if (p->nesting == NESTING_MAX)
        return fail_at(p, p->token.offset, "parentheses are nested too deeply");
    p->nesting++;
    vc_status status = parse_or(p);
    p->nesting--;
    return status;
}

static vc_status fail_function(parser *p, const token *name)
{
    char message[128];
    vc_str found = cut(name->text);
    snprintf(message, sizeof message, "no function named '%.*s'", VC_FMT(found));
    fail_at(p, name->offset, message);
    vc_nearest nearest;
    vc_nearest_init(&nearest, name->text);
    for (size_t i = 0; i < NFUNCTIONS; i++)
        vc_nearest_offer(&nearest, vc_str_of(functions[i].name));
    vc_nearest_report(&nearest, p->error);
    return VC_BAD_INPUT;
}

static vc_status check_count(parser *p, const token *name, const expr_function *function,
                             size_t count)
{
    if (count >= function->least && (function->most == 0 || count <= function->most)) return VC_OK;
    char message[128];
    if (function->least == function->most)
        snprintf(message, sizeof message, "%s takes %u argument%s, found %zu", function->name,
                 function->least, function->least == 1 ? "" : "s", count);
    else
        snprintf(message, sizeof message, "%s takes %u or %u arguments, found %zu", function->name,
                 function->least, function->most, count);
    return fail_at(p, name->offset, message);
}

/* The token is the parenthesis behind the name. */
static vc_status parse_call(parser *p, const token *name)
{
    size_t which = 0, count = 0;
    while (which < NFUNCTIONS && !vc_str_is(name->text, functions[which].name))
        which++;
    if (which == NFUNCTIONS) return fail_function(p, name);
    vc_status status;
    do {
        if ((status = advance(p)) != VC_OK || (status = parse_nested(p)) != VC_OK) return status;
        count++;
    } while (is_symbol(p, ","));
    if ((status = check_count(p, name, &functions[which], count)) != VC_OK ||
        (status = take_symbol(p, ")", "',' or ')'")) != VC_OK)
        return status;
    return emit(
        p, (instruction){.op = OP_CALL, .function = (uint8_t)which, .operand = (uint32_t)count});
}

static vc_status parse_primary(parser *p)
{
    token first = p->token;
    vc_status status;
    if (is_symbol(p, "(")) {
        if ((status = advance(p)) != VC_OK || (status = parse_nested(p)) != VC_OK) return status;
        return take_symbol(p, ")", "an operator or ')'");
    }
    bool is_keyword = is_word(p, "and") || is_word(p, "or") || is_word(p, "not");
    if (first.kind == TOKEN_END || first.kind == TOKEN_SYMBOL || is_keyword)
        return fail_expected(p, "a number, a measure, a function or '('");
    if ((status = advance(p)) != VC_OK) return status;
    if (first.kind == TOKEN_NUMBER) return emit_number(p, &first);
    if (first.kind == TOKEN_NAME && is_symbol(p, "(")) return parse_call(p, &first);
    return emit_name(p, first.text);
}

static vc_status parse_unary(parser *p)
{
    bool is_negative = false;
    vc_status status;
    while (is_symbol(p, "-")) {
        is_negative = !is_negative;
        if ((status = advance(p)) != VC_OK) return status;
    }
    status = parse_primary(p);
    if (status != VC_OK || !is_negative) return status;
    return emit(p, (instruction){.op = OP_NEGATE});
}

static vc_status parse_term(parser *p)
{
    vc_status status = parse_unary(p);
    while (status == VC_OK && (is_symbol(p, "*") || is_symbol(p, "/"))) {
        opcode op = is_symbol(p, "*") ? OP_MULTIPLY : OP_DIVIDE;
        if ((status = advance(p)) != VC_OK || (status = parse_unary(p)) != VC_OK) return status;
        status = emit(p, (instruction){.op = (uint8_t)op});
    }
    return status;
}

static vc_status parse_sum(parser *p)
{
    vc_status status = parse_term(p);
    while (status == VC_OK && (is_symbol(p, "+") || is_symbol(p, "-"))) {
        opcode op = is_symbol(p, "+") ? OP_ADD : OP_SUBTRACT;
        if ((status = advance(p)) != VC_OK || (status = parse_term(p)) != VC_OK) return status;
        status = emit(p, (instruction){.op = (uint8_t)op});
    }
    return status;
}

static vc_status parse_comparison(parser *p)
{
    static const struct {
        const char *symbol;
        opcode op;
    } comparisons[] = {{"=", OP_EQUAL},       {"!=", OP_NOT_EQUAL}, {"<", OP_LESS},
                       {"<=", OP_LESS_EQUAL}, {">", OP_GREATER},    {">=", OP_GREATER_EQUAL}};
    vc_status status = parse_sum(p);
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0] && status == VC_OK; i++) {
        if (!is_symbol(p, comparisons[i].symbol)) continue;
        if ((status = advance(p)) != VC_OK || (status = parse_sum(p)) != VC_OK) return status;
        return emit(p, (instruction){.op = (uint8_t)comparisons[i].op});
    }
    return status;
}

static vc_status parse_not(parser *p)
{
    vc_status status;
    if (!is_word(p, "not")) return parse_comparison(p);
    if ((status = advance(p)) != VC_OK || (status = parse_comparison(p)) != VC_OK) return status;
    return emit(p, (instruction){.op = OP_NOT});
}

static vc_status parse_and(parser *p)
{
    vc_status status = parse_not(p);
    while (status == VC_OK && is_word(p, "and")) {
        if ((status = advance(p)) != VC_OK || (status = parse_not(p)) != VC_OK) return status;
        status = emit(p, (instruction){.op = OP_AND});
    }
    return status;
}

static vc_status parse_or(parser *p)
{
    vc_status status = parse_and(p);
    while (status == VC_OK && is_word(p, "or")) {
        if ((status = advance(p)) != VC_OK || (status = parse_and(p)) != VC_OK) return status;
        status = emit(p, (instruction){.op = OP_OR});
    }
    return status;
}

/* ---- the door ---- */

vc_status vc_expr_parse(vc_str text, vc_arena *arena, vc_expr **expr_out, vc_error *error)
{
    if (vc_str_is_null(text)) text = VC_STR("");
    parser p = {.text = text, .arena = arena, .error = error};
    if (text.size > TEXT_BYTES_MAX)
        return fail_at(&p, TEXT_BYTES_MAX, "the expression is too long");
    p.expr = VC_ARENA_NEW(arena, vc_expr, 1);
    if (p.expr == NULL) return vc_no_memory(error);
    p.expr->code = VC_ARENA_NEW(arena, instruction, text.size);
    p.expr->names = VC_ARENA_NEW(arena, vc_str, text.size);
    if (p.expr->code == NULL || p.expr->names == NULL) return vc_no_memory(error);
    vc_status status = advance(&p);
    if (status == VC_OK) status = parse_or(&p);
    if (status == VC_OK && p.token.kind != TOKEN_END)
        status = fail_expected(&p, "an operator or the end");
    if (status != VC_OK) return status;
    assert(p.stack == 1);
    *expr_out = p.expr;
    return VC_OK;
}

const vc_str *vc_expr_names(const vc_expr *expr, size_t *nnames_out)
{
    *nnames_out = expr->nnames;
    return expr->names;
}

size_t vc_expr_nsteps(const vc_expr *expr)
{
    return expr->ncode;
}

vc_expr_step vc_expr_get_step(const vc_expr *expr, size_t number)
{
    static const vc_expr_op ops[] = {
        [OP_NUMBER] = VC_EXPR_NUMBER,
        [OP_NAME] = VC_EXPR_NAME,
        [OP_CALL] = VC_EXPR_CALL,
        [OP_NEGATE] = VC_EXPR_NEGATE,
        [OP_NOT] = VC_EXPR_NOT,
        [OP_ADD] = VC_EXPR_ADD,
        [OP_SUBTRACT] = VC_EXPR_SUBTRACT,
        [OP_MULTIPLY] = VC_EXPR_MULTIPLY,
        [OP_DIVIDE] = VC_EXPR_DIVIDE,
        [OP_EQUAL] = VC_EXPR_EQUAL,
        [OP_NOT_EQUAL] = VC_EXPR_NOT_EQUAL,
        [OP_LESS] = VC_EXPR_LESS,
        [OP_LESS_EQUAL] = VC_EXPR_LESS_EQUAL,
        [OP_GREATER] = VC_EXPR_GREATER,
        [OP_GREATER_EQUAL] = VC_EXPR_GREATER_EQUAL,
        [OP_AND] = VC_EXPR_AND,
        [OP_OR] = VC_EXPR_OR,
    };
    const instruction *next = &expr->code[number];
    vc_expr_step step = {.op = ops[next->op], .text = next->text};
    if (step.op == VC_EXPR_NAME) step.name = next->operand;
    if (step.op == VC_EXPR_CALL) {
        step.function = functions[next->function].name;
        step.narguments = next->operand;
    }
    return step;
}

vc_number vc_expr_evaluate(const vc_expr *expr, const vc_number *values)
{
    vc_number stack[STACK_MAX]; /* enough: the parser counted */
    size_t top = 0;
    for (size_t i = 0; i < expr->ncode; i++) {
        const instruction *next = &expr->code[i];
        vc_number *last = &stack[top == 0 ? 0 : top - 1];
        switch ((opcode)next->op) {
        case OP_NUMBER: stack[top++] = make_number(next->number, 0); break;
        case OP_NAME: stack[top++] = values[next->operand]; break;
        case OP_CALL:
            top -= next->operand;
            stack[top] = functions[next->function].run(&stack[top], next->operand);
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
            stack[top] = apply_binary((opcode)next->op, &stack[top]);
            top++;
            break;
        }
    }
    return stack[0];
}
