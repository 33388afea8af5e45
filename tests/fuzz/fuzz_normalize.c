/* Does any pipeline on any key break what mapping/normalize.h promises?
 *
 *     clang -std=c11 -D_GNU_SOURCE -I. -g -O1 -fsanitize=fuzzer,address,undefined \
 *         tests/fuzz/fuzz_normalize.c mapping/{codelist,codelist_iso3166,keytext}.c \
 *         mapping/normalize{,_parse}.c base/{arena,buffer,json,nearest,number,status,text}.c \
 *         -ljansson -lutf8proc -lm -o fuzz_normalize
 *
 * The input is a pipeline in JSON, a line feed, and a key; when the first part is no pipeline, its
 * first byte chooses one of those below.
 */
#include "base/json.h"
#include "mapping/normalize.h"

#include <stdlib.h>
#include <string.h>

static const char *const pipelines[] = {
    "[\"trim\", \"codelist:iso3166-1\"]",
    "[\"collapse_space\", \"trim\", \"nfc\", \"casefold\"]",
    "[{\"codelist\": {\"list\": \"iso3166-1\", \"from\": \"name\", \"to\": \"numeric\"}}]",
    "[{\"split\": \",\"}, \"trim\", {\"pad_left\": {\"width\": 5, \"fill\": \"\xc3\xa9\"}}]",
    ("[{\"split\": \",\"}, \"map:parts\", {\"codelist\": {\"list\": \"iso3166-1\", \"as_of\": 1975,"
     " \"withdrawn\": \"successor\", \"aliases\": [\"kosovo\"]}}, \"map:parts\"]"),
    "[{\"strip_prefix\": \"\xc3\xa9\"}, \"casefold\", \"nfc\", {\"split\": \" \"}, \"trim\"]",
};

static vc_status open_crosswalk(void *context, vc_str name, const void **crosswalk_out,
                                vc_error *error)
{
    if (!vc_str_is(name, "parts")) return vc_fail(error, VC_NOT_FOUND, "unknown_crosswalk", "none");
    (void)context;
    *crosswalk_out = "parts";
    return VC_OK;
}

/* A key of an even number of bytes has two targets, its halves; others are unknown. */
static size_t find_targets(const void *crosswalk, vc_str key,
                           const vc_crosswalk_target **targets_out)
{
    static _Thread_local vc_crosswalk_target targets[2];
    (void)crosswalk;
    size_t half = key.size / 2;
    if (key.size % 2 != 0 || !vc_utf8_check((vc_str){key.data, half}, NULL)) return 0;
    targets[0] = (vc_crosswalk_target){{key.data, half}, 0.5, VC_DAY_FIRST, VC_DAY_LAST, {0}};
    targets[1] =
        (vc_crosswalk_target){{key.data + half, half}, 0.5, VC_DAY_FIRST, VC_DAY_LAST, {0}};
    *targets_out = targets;
    return 2;
}

static void check(int holds)
{
    if (!holds) abort();
}

static void check_keys(const vc_key_list *list, int is_utf8)
{
    check(list->count >= 1 && list->count <= list->capacity);
    for (size_t i = 0; i < list->count; i++) {
        const vc_key *key = &list->keys[i];
        check(key->state <= VC_KEY_AGGREGATE);
        check((key->state == VC_KEY_EMPTY) == (key->text.size == 0));
        check(key->state != VC_KEY_EMPTY || list->count == 1);
        check(!key->is_excluded || key->state == VC_KEY_AGGREGATE);
        if (is_utf8) check(vc_utf8_check(key->text, NULL));
        for (size_t j = 0; j < i && list->count < 100; j++)
            check(key->state != list->keys[j].state ||
                  !vc_str_equal(key->text, list->keys[j].text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vc_str rest = {(const char *)data, size};
    if (size == 0) return 0;
    vc_str text = vc_str_split(&rest, '\n');
    if (vc_str_is_null(rest)) rest = (vc_str){(const char *)data + size, 0};

    vc_crosswalk_source source = {NULL, open_crosswalk, find_targets};
    vc_normalizer *normalizer = NULL;
    json_t *steps = NULL;
    vc_error error = {0};
    if (vc_json_parse(text, NULL, 0, &steps, &error) != VC_OK) {
        const char *pipeline = pipelines[data[0] % (sizeof pipelines / sizeof pipelines[0])];
        check(vc_json_parse(vc_str_of(pipeline), NULL, 0, &steps, NULL) == VC_OK);
    }
    if (vc_normalizer_parse(steps, &source, &normalizer, &error) == VC_OK) {
        vc_arena arena = {0};
        vc_key_list list = {0};
        int is_utf8 = vc_utf8_check(rest, NULL);
        check(vc_normalizer_apply(normalizer, rest, &arena, &list, NULL) == VC_OK);
        check_keys(&list, is_utf8);
        vc_arena_release(&arena);
    } else {
        check(error.status == VC_BAD_INPUT && error.message[0] != '\0' && error.code != NULL);
    }
    vc_normalizer_free(normalizer);
    json_decref(steps);
    return 0;
}
