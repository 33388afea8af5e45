/* Does any expression, on any values, break what cube/expr.h promises?
 *
 *     clang -std=c11 -D_GNU_SOURCE -I. -g -O1 -fsanitize=fuzzer,address,undefined \
 *         tests/fuzz/fuzz_expr.c cube/expr.c base/{arena,buffer,nearest,number,status,text}.c \
 *         -lutf8proc -lm -o fuzz_expr
 *
 * The first 16 bytes of the input choose the values of the names, the rest is the expression.
 */
#include "cube/expr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NVALUES = 16 };

static void require(bool holds)
{
    if (!holds) abort();
}

static vc_number choose(uint8_t byte)
{
    static const double values[] = {0, 1, -1, 2.5, 1e308, -1e308, 5e-324, 100};
    static const char reasons[] = "euxgdnc";
    static const char marks[] = {0, 0, 0, 'r', 'a', 0, 0, 0};
    if (byte % 3 == 0) return (vc_number){.is_null = true, .reason = reasons[byte / 3 % 7]};
    return (vc_number){.value = values[byte % 8], .reason = marks[byte / 8 % 8]};
}

static void check_number(vc_number number)
{
    if (number.is_null)
        require(number.reason != 0 && strchr("euxgdnc", number.reason) != NULL);
    else
        require(isfinite(number.value) &&
                (number.reason == 0 || number.reason == 'r' || number.reason == 'a'));
}

static void check_expr(const vc_expr *expr, const uint8_t *choices)
{
    size_t nnames;
    const vc_str *names = vc_expr_names(expr, &nnames);
    size_t ncalls;
    const vc_member_call *calls = vc_expr_calls(expr, &ncalls);
    vc_number *values = calloc(nnames + ncalls + 1, sizeof *values);
    require(values != NULL);
    for (size_t i = 0; i < nnames; i++) {
        require(names[i].size > 0);
        if (i > 0) require(!vc_str_equal(names[i], names[i - 1]));
        values[i] = choose(choices[i % NVALUES]);
    }
    for (size_t i = 0; i < ncalls; i++) {
        values[nnames + i] = vc_expr_evaluate(calls[i].argument, values);
        check_number(values[nnames + i]);
    }
    vc_number first = vc_expr_evaluate(expr, values);
    vc_number second = vc_expr_evaluate(expr, values);
    check_number(first);
    require(first.is_null == second.is_null && first.reason == second.reason &&
            first.value == second.value);
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < NVALUES) return 0;
    vc_str text = {.data = (const char *)data + NVALUES, .size = size - NVALUES};
    vc_arena arena = {0};
    vc_error error = {0};
    vc_expr *expr = NULL;
    vc_status status = vc_expr_parse(text, &arena, &expr, &error);
    if (status == VC_OK) {
        check_expr(expr, data);
    } else {
        require(status == VC_BAD_INPUT && expr == NULL && strcmp(error.code, "expr") == 0);
        require(error.has_offset && error.offset >= 0 && (size_t)error.offset <= text.size);
    }
    vc_arena_release(&arena);
    return 0;
}
