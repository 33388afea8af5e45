/* The parser writes postfix code as it goes, so `a + b + c + ...` of any length needs neither a
 * tree nor recursion to evaluate; only parentheses and calls nest, and those are counted. Every
 * instruction comes from at least one byte of text, which bounds the code before it is written.
 */
#include "cube/expr_parts.h"

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

/* ---- tokens ---- */

typedef enum token_kind {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_NAME,
    TOKEN_QUOTED,
    TOKEN_MEMBER, /* "[BEL]", "sum([BEL], [NLD])", as written */
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
    size_t *first, *end; /* of each call: where in the code its argument begins, and it stands */
    size_t stack;        /* values on the stack behind the code so far */
    unsigned nesting;
    bool takes_members; /* operands are members in brackets, not measures */
    vc_error *error;
} parser;

static vc_status fail_at(parser *p, size_t offset, const char *message)
{
    vc_fail(p->error, VC_BAD_INPUT, "expr", "%s", message);
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
    if (strchr("+-*/(),=<>!:@", first) == NULL || first == '\0' ||
        (first == '!' && second != '=')) {
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

/* ---- members in brackets ---- */

static size_t skip_space(const parser *p, size_t at)
{
    while (at < p->text.size && memchr(" \t\r\n", p->text.data[at], 4) != NULL)
        at++;
    return at;
}

/* Behind the "]" of the bracket that begins here; a backslash escapes a byte, as in a cut. */
static vc_status skip_bracket(parser *p, size_t first, size_t *end_out)
{
    size_t at = first + 1;
    while (at < p->text.size && p->text.data[at] != ']')
        at += p->text.data[at] == '\\' ? 2 : 1;
    if (at >= p->text.size) return fail_at(p, first, "the bracket has no end");
    if (skip_space(p, first + 1) == at) return fail_at(p, first, "there is no member in it");
    *end_out = at + 1;
    return VC_OK;
}

static void take_member(parser *p, size_t end)
{
    p->token.kind = TOKEN_MEMBER;
    p->token.text = slice(p, p->at, end);
    p->at = end;
}

/* "sum([BEL], [#bric])" is one operand; "min([BEL] - 1, 0)" is not. */
static vc_status read_aggregate(parser *p, size_t name_end, bool *is_found_out)
{
    static const char *const names[] = {"sum", "avg", "min", "max", "count"};
    vc_str name = slice(p, p->at, name_end);
    size_t at = skip_space(p, name_end);
    bool is_name = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        is_name |= vc_str_is(name, names[i]);
    *is_found_out = false;
    if (!is_name || byte_at(p, at) != '(') return VC_OK;
    do {
        at = skip_space(p, at + 1);
        if (byte_at(p, at) != '[') return VC_OK;
        vc_status status = skip_bracket(p, at, &at);
        if (status != VC_OK) return status;
        at = skip_space(p, at);
    } while (byte_at(p, at) == ',');
    if (byte_at(p, at) != ')') return VC_OK;
    take_member(p, at + 1);
    *is_found_out = true;
    return VC_OK;
}

static vc_status advance(parser *p)
{
    while (p->at < p->text.size && memchr(" \t\r\n", p->text.data[p->at], 4) != NULL)
        p->at++;
    p->token = (token){.offset = p->at, .text = slice(p, p->at, p->at)};
    if (p->at == p->text.size) return VC_OK;
    char byte = p->text.data[p->at];
    bool is_found = false;
    if (is_digit(byte)) return read_number(p);
    if (byte == '"') return read_quoted(p);
    if (byte == '[' && p->takes_members) {
        size_t end;
        vc_status status = skip_bracket(p, p->at, &end);
        if (status == VC_OK) take_member(p, end);
        return status;
    }
    if (!starts_name(byte)) return read_symbol(p);
    size_t end = p->at;
    while (continues_name(byte_at(p, end)))
        end++;
    vc_status status = p->takes_members ? read_aggregate(p, end, &is_found) : VC_OK;
    if (status != VC_OK || is_found) return status;
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
    else if (next.op != OP_NEGATE && next.op != OP_NOT && next.op != OP_MEMBER)
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

/* ---- the functions over members ---- */

/* What stands between the parentheses, beside the expression and the dimension. */
typedef enum member_form {
    FORM_PLAIN,     /* x, dim */
    FORM_NUMBER,    /* x, dim [, n] */
    FORM_LEVEL,     /* x, dim [, level] */
    FORM_WINDOW,    /* x, n, dim */
    FORM_AGGREGATE, /* avg, x, dim:level */
} member_form;

static const struct member_function {
    const char *name;
    vc_member_function function;
    member_form form;
} member_functions[] = {
    {"parent", VC_MEMBER_PARENT, FORM_PLAIN},
    {"share", VC_MEMBER_SHARE, FORM_PLAIN},
    {"previous", VC_MEMBER_PREVIOUS, FORM_NUMBER},
    {"growth", VC_MEMBER_GROWTH, FORM_NUMBER},
    {"running", VC_MEMBER_RUNNING, FORM_LEVEL},
    {"moving_avg", VC_MEMBER_MOVING_AVG, FORM_WINDOW},
    {"rank", VC_MEMBER_RANK, FORM_PLAIN},
    {"agg_over", VC_MEMBER_AGG_OVER, FORM_AGGREGATE},
};

enum { NMEMBER_FUNCTIONS = sizeof member_functions / sizeof member_functions[0] };

static const struct member_function *find_member_function(vc_str name)
{
    for (size_t i = 0; i < NMEMBER_FUNCTIONS; i++)
        if (vc_str_is(name, member_functions[i].name)) return &member_functions[i];
    return NULL;
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
    if (p->takes_members &&
        (vc_str_is(found, "sum") || vc_str_is(found, "avg") || vc_str_is(found, "count"))) {
        snprintf(message, sizeof message, "%.*s takes members in brackets, like %.*s([BEL], [NLD])",
                 VC_FMT(found), VC_FMT(found));
        return fail_at(p, name->offset, message);
    }
    snprintf(message, sizeof message, "no function named '%.*s'", VC_FMT(found));
    fail_at(p, name->offset, message);
    vc_nearest nearest;
    vc_nearest_init(&nearest, name->text);
    for (size_t i = 0; i < vc_expr_nfunctions; i++)
        vc_nearest_offer(&nearest, vc_str_of(vc_expr_functions[i].name));
    for (size_t i = 0; i < NMEMBER_FUNCTIONS; i++)
        vc_nearest_offer(&nearest, vc_str_of(member_functions[i].name));
    vc_nearest_report(&nearest, p->error);
    return VC_BAD_INPUT;
}

static vc_status check_count(parser *p, const token *name, const vc_expr_function *function,
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

/* ---- functions over members ---- */

static vc_status take_name(parser *p, const char *expected, vc_str *name_out)
{
    if (p->token.kind != TOKEN_NAME && p->token.kind != TOKEN_QUOTED)
        return fail_expected(p, expected);
    *name_out = vc_arena_str(p->arena, p->token.text);
    return name_out->data == NULL ? vc_no_memory(p->error) : advance(p);
}

/* How many members back, or wide. */
static vc_status take_members(parser *p, uint32_t *count_out)
{
    double number = p->token.number;
    if (p->token.kind != TOKEN_NUMBER || number < 1 || number > 1e9 || number != floor(number))
        return fail_expected(p, "a number of members, 1 or more");
    *count_out = (uint32_t)number;
    return advance(p);
}

static vc_status take_aggregate(parser *p, vc_member_aggregate *aggregate_out)
{
    static const char *const names[] = {"avg", "min", "max", "sum", "count"};
    for (int i = 0; i < 5; i++) {
        if (!is_word(p, names[i])) continue;
        *aggregate_out = (vc_member_aggregate)i;
        return advance(p);
    }
    return fail_expected(p, "avg, min, max, sum or count");
}

/* dim, dim@hierarchy; with a level behind a colon where one must be named. */
static vc_status take_dimension(parser *p, vc_member_call *call, bool wants_level)
{
    vc_status status = take_name(p, "a dimension", &call->dimension);
    if (status == VC_OK && is_symbol(p, "@") && (status = advance(p)) == VC_OK)
        status = take_name(p, "a hierarchy", &call->hierarchy);
    if (status != VC_OK || !wants_level) return status;
    status = take_symbol(p, ":", "':' and a level");
    return status == VC_OK ? take_name(p, "a level", &call->level) : status;
}

/* The token is the parenthesis behind the name. */
static vc_status parse_member_call(parser *p, const token *name,
                                   const struct member_function *function)
{
    vc_member_call call = {
        .function = function->function, .name = function->name, .count = 1, .offset = name->offset};
    bool is_aggregate = function->form == FORM_AGGREGATE;
    vc_status status = advance(p);
    if (status == VC_OK && is_aggregate) {
        status = take_aggregate(p, &call.aggregate);
        if (status == VC_OK) status = take_symbol(p, ",", "','");
    }
    size_t first = p->expr->ncode;
    if (status == VC_OK) status = parse_nested(p);
    if (status == VC_OK) status = take_symbol(p, ",", "','");
    if (status == VC_OK && function->form == FORM_WINDOW) {
        status = take_members(p, &call.count);
        if (status == VC_OK) status = take_symbol(p, ",", "','");
    }
    if (status == VC_OK) status = take_dimension(p, &call, is_aggregate);
    if (status == VC_OK && is_symbol(p, ",") && function->form == FORM_NUMBER &&
        (status = advance(p)) == VC_OK)
        status = take_members(p, &call.count);
    if (status == VC_OK && is_symbol(p, ",") && function->form == FORM_LEVEL &&
        (status = advance(p)) == VC_OK)
        status = take_name(p, "a level", &call.level);
    if (status == VC_OK) status = take_symbol(p, ")", "')'");
    if (status != VC_OK) return status;
    size_t number = p->expr->ncalls++;
    p->expr->calls[number] = call;
    p->first[number] = first;
    p->end[number] = p->expr->ncode;
    return emit(p, (instruction){.op = OP_MEMBER, .operand = (uint32_t)number});
}

/* The token is the parenthesis behind the name. */
static vc_status parse_call(parser *p, const token *name)
{
    const struct member_function *over_members = find_member_function(name->text);
    size_t which = 0, count = 0;
    if (over_members != NULL && p->takes_members)
        return fail_at(p, name->offset,
                       "functions over members belong into measures; a calculated member is made "
                       "of members in brackets");
    if (over_members != NULL) return parse_member_call(p, name, over_members);
    while (which < vc_expr_nfunctions && !vc_str_is(name->text, vc_expr_functions[which].name))
        which++;
    if (which == vc_expr_nfunctions) return fail_function(p, name);
    vc_status status;
    do {
        if ((status = advance(p)) != VC_OK || (status = parse_nested(p)) != VC_OK) return status;
        count++;
    } while (is_symbol(p, ","));
    if ((status = check_count(p, name, &vc_expr_functions[which], count)) != VC_OK ||
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
    const char *operands = p->takes_members
                               ? "a number, a member in brackets like [BEL], a function or '('"
                               : "a number, a measure, a function or '('";
    if (first.kind == TOKEN_END || first.kind == TOKEN_SYMBOL || is_keyword)
        return fail_expected(p, operands);
    if ((status = advance(p)) != VC_OK) return status;
    if (first.kind == TOKEN_NUMBER) return emit_number(p, &first);
    if (first.kind == TOKEN_NAME && is_symbol(p, "(")) return parse_call(p, &first);
    if (p->takes_members && first.kind != TOKEN_MEMBER) {
        p->token = first;
        return fail_expected(p, operands);
    }
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

static vc_status parse(vc_str text, bool takes_members, vc_arena *arena, vc_expr **expr_out,
                       vc_error *error)
{
    if (vc_str_is_null(text)) text = VC_STR("");
    parser p = {.text = text, .arena = arena, .takes_members = takes_members, .error = error};
    if (text.size > TEXT_BYTES_MAX)
        return fail_at(&p, TEXT_BYTES_MAX, "the expression is too long");
    p.expr = VC_ARENA_NEW(arena, vc_expr, 1);
    if (p.expr == NULL) return vc_no_memory(error);
    p.expr->code = VC_ARENA_NEW(arena, instruction, text.size);
    p.expr->names = VC_ARENA_NEW(arena, vc_str, text.size);
    p.expr->calls = VC_ARENA_NEW(arena, vc_member_call, text.size / 8 + 1); /* "rank(a,b" */
    p.first = VC_ARENA_NEW(arena, size_t, text.size / 8 + 1);
    p.end = VC_ARENA_NEW(arena, size_t, text.size / 8 + 1);
    if (p.expr->code == NULL || p.expr->names == NULL || p.expr->calls == NULL || p.first == NULL ||
        p.end == NULL)
        return vc_no_memory(error);
    vc_status status = advance(&p);
    if (status == VC_OK) status = parse_or(&p);
    if (status == VC_OK && p.token.kind != TOKEN_END)
        status = fail_expected(&p, "an operator or the end");
    if (status == VC_OK) status = vc_expr_link(p.expr, p.first, p.end, arena, error);
    if (status != VC_OK) return status;
    assert(p.stack == 1);
    *expr_out = p.expr;
    return VC_OK;
}

vc_status vc_expr_parse(vc_str text, vc_arena *arena, vc_expr **expr_out, vc_error *error)
{
    return parse(text, false, arena, expr_out, error);
}

vc_status vc_expr_parse_members(vc_str text, vc_arena *arena, vc_expr **expr_out, vc_error *error)
{
    return parse(text, true, arena, expr_out, error);
}
