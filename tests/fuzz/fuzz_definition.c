/* Does any text break what cube/definition.h promises?
 *
 *     clang -std=c11 -D_GNU_SOURCE -I. -g -O1 -fsanitize=fuzzer,address,undefined \
 *         tests/fuzz/fuzz_definition.c cube/definition*.c cube/{expr,encoding}.c mapping/[!r]*.c \
 *         base/[!p]*.c -ljansson -lutf8proc -lxxhash -lsodium -lm -o fuzz_definition
 *     ./fuzz_definition CORPUS     (start with copies of
 * tests/data/definition/<case>/definition.json)
 */
#include "cube/definition.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
    if (!holds) abort();
}

static void check_error(vc_status status, const vc_error *error)
{
    require(error->status == status && error->code != NULL && error->message[0] != '\0');
    require(vc_utf8_check(vc_str_of(error->message), NULL));
    require(vc_utf8_check(vc_str_of(error->pointer), NULL));
    if (status == VC_BAD_INPUT) require(error->line > 0 && error->column > 0);
    require(strcmp(error->file, "f.json") == 0);
}

/* Space between tokens says nothing, so the hash must not see a line feed at the end. */
static void check_hash(const vc_definition *definition, vc_str text, vc_arena *arena)
{
    vc_definition *again = NULL;
    vc_str spaced = vc_arena_printf(arena, "%.*s\n", VC_FMT(text));
    require(vc_definition_parse(spaced, "f.json", arena, &again, NULL) == VC_OK);
    require(vc_str_equal(vc_definition_hash(definition, arena), vc_definition_hash(again, arena)));
    vc_definition_release(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vc_str text = {.data = size == 0 ? "" : (const char *)data, .size = size};
    vc_arena arena = {0};
    vc_error error = {0};
    vc_definition *definition = NULL;
    vc_status status = vc_definition_parse(text, "f.json", &arena, &definition, &error);
    if (status == VC_OK) {
        require(definition->kind >= VC_DEFINITION_SOURCE &&
                definition->kind <= VC_DEFINITION_CROSSWALK);
        require(definition->name.size > 0);
        check_hash(definition, text, &arena);
        vc_definition_release(definition);
    } else {
        require(definition == NULL);
        check_error(status, &error);
    }
    vc_arena_release(&arena);
    return 0;
}
