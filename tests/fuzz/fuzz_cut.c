/* libFuzzer target: whatever stands in a URL becomes a query or an error with its place, and the
 * canonical text of a query can be made.
 *
 *     clang -std=c11 -D_GNU_SOURCE -I. -g -O1 -fsanitize=fuzzer,address,undefined \
 *         tests/fuzz/fuzz_cut.c query/[a-z]*.c slice/query.c base/[a-z]*.c \
 *         -ljansson -lxxhash -lsodium -lutf8proc -lm -lpthread -o fuzz_cut
 */
#include "query/canonical.h"
#include "query/parameters.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An error says what, where and why, and the place lies in the text. */
static void check_error(vc_status status, const vc_error *error, size_t end)
{
    assert(status == error->status && error->code != NULL && error->message[0] != '\0');
    assert(vc_utf8_check(vc_str_of(error->message), NULL));
    assert(!error->has_offset || (error->offset >= 0 && (size_t)error->offset <= end));
}

/* The bytes as the value of one parameter, and as a whole query string. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"cut",   "drilldown", "measures", "having",
                                        "order", "top",       "totals",   "limit"};
    if (size == 0) return 0;
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query query;
    vc_str text = {.data = (const char *)data + 1, .size = size - 1};
    vc_parameter one = {.name = vc_str_of(names[data[0] % 8]), .value = text};
    if (vc_utf8_check(text, NULL) && memchr(data + 1, '\0', size - 1) == NULL) {
        vc_status status = vc_parameters_parse(&one, 1, &arena, &query, &error);
        if (status != VC_OK)
            check_error(status, &error, text.size);
        else
            assert(!vc_str_is_null(vc_query_canonical(&query, &arena)));
    }
    const vc_parameter *parameters;
    size_t nparameters;
    vc_status status = vc_parameters_decode(text, &arena, &parameters, &nparameters, &error);
    if (status == VC_OK)
        status = vc_parameters_parse(parameters, nparameters, &arena, &query, &error);
    if (status != VC_OK)
        check_error(status, &error, text.size);
    else
        assert(!vc_str_is_null(vc_query_canonical(&query, &arena)));
    vc_arena_release(&arena);
    return 0;
}
