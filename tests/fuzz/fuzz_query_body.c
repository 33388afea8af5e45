/* libFuzzer target: whatever stands in a body becomes a query or an error, and the canonical text
 * of a query can be made.
 *
 *     clang -std=c11 -D_GNU_SOURCE -I. -g -O1 -fsanitize=fuzzer,address,undefined \
 *         tests/fuzz/fuzz_query_body.c query/[a-z]*.c slice/query.c base/[a-z]*.c \
 *         -ljansson -lxxhash -lsodium -lutf8proc -lm -lpthread -o fuzz_query_body
 */
#include "query/body.h"
#include "query/canonical.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query query;
    vc_str text = {.data = (const char *)data, .size = size};
    vc_status status = vc_body_parse(text, 32, &arena, &query, &error);
    if (status == VC_OK) {
        assert(query.cube.size > 0);
        assert(!vc_str_is_null(vc_query_canonical(&query, &arena)));
    } else {
        assert(status == error.status && error.code != NULL && error.message[0] != '\0');
        assert(vc_utf8_check(vc_str_of(error.message), NULL));
        assert(vc_utf8_check(vc_str_of(error.pointer), NULL));
        assert(error.pointer[0] == '\0' || error.pointer[0] == '/');
    }
    vc_arena_release(&arena);
    return 0;
}
