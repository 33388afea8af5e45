#include "base/memo.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { NKEYS = 20000 };

static char texts[NKEYS][40];

static vc_str make_key(uint32_t i)
{
    static const char *const forms[] = {"%u", "k%u", "a key of more than sixteen bytes %u", "%08u",
                                        "%012u"};
    snprintf(texts[i], sizeof texts[i], forms[i % 5], i);
    return vc_str_of(texts[i]);
}

Test(memo, finds_what_was_put)
{
    vc_memo memo = {0};
    cr_assert_eq(vc_memo_find(&memo, VC_STR("a")), VC_MEMO_NONE);
    for (uint32_t i = 0; i < NKEYS; i++) {
        vc_str key = make_key(i);
        cr_assert_eq(vc_memo_find(&memo, key), VC_MEMO_NONE, "%s", texts[i]);
        cr_assert(vc_memo_put(&memo, key, i * 3));
    }
    for (uint32_t i = 0; i < NKEYS; i++) {
        char copy[40];
        strcpy(copy, texts[i]);
        cr_assert_eq(vc_memo_find(&memo, vc_str_of(copy)), i * 3);
    }
    cr_assert_eq(memo.count, NKEYS);
    vc_memo_release(&memo);
    cr_assert_eq(vc_memo_find(&memo, VC_STR("1")), VC_MEMO_NONE);
}

Test(memo, an_absent_key_is_not_the_empty_one)
{
    vc_memo memo = {0};
    cr_assert(vc_memo_put(&memo, VC_STR(""), 1));
    cr_assert_eq(vc_memo_find(&memo, (vc_str){0}), VC_MEMO_NONE);
    cr_assert(vc_memo_put(&memo, (vc_str){0}, 2));
    cr_assert_eq(vc_memo_find(&memo, VC_STR("")), 1);
    cr_assert_eq(vc_memo_find(&memo, (vc_str){0}), 2);
    vc_memo_release(&memo);
}

/* Keys of each size up to 40, that differ in one byte. */
Test(memo, every_byte_counts)
{
    static char keys[41][41][41];
    vc_memo memo = {0};
    for (uint32_t size = 1; size <= 40; size++)
        for (uint32_t at = 0; at < size; at++) {
            char *key = keys[size][at];
            memset(key, 'x', size);
            key[at] = 'y';
            vc_str text = {key, size};
            cr_assert_eq(vc_memo_find(&memo, text), VC_MEMO_NONE);
            cr_assert(vc_memo_put(&memo, text, size * 100 + at));
        }
    for (uint32_t size = 1; size <= 40; size++)
        for (uint32_t at = 0; at < size; at++)
            cr_assert_eq(vc_memo_find(&memo, (vc_str){keys[size][at], size}), size * 100 + at);
    vc_memo_release(&memo);
}

static void *find_all(void *argument)
{
    const vc_memo *memo = argument;
    uint32_t nfound = 0;
    while (nfound < NKEYS) {
        nfound = 0;
        for (uint32_t i = 0; i < NKEYS; i++) {
            uint32_t value = vc_memo_find(memo, vc_str_of(texts[i]));
            if (value == VC_MEMO_NONE) continue;
            if (value != i + 1) return "a wrong value";
            nfound++;
        }
    }
    return NULL;
}

/* While one puts, others find what there is or nothing, never something else. */
Test(memo, finders_need_not_wait)
{
    vc_memo memo = {0};
    pthread_t threads[3];
    for (uint32_t i = 0; i < NKEYS; i++)
        make_key(i);
    for (int t = 0; t < 3; t++)
        cr_assert_eq(pthread_create(&threads[t], NULL, find_all, &memo), 0);
    for (uint32_t i = 0; i < NKEYS; i++)
        cr_assert(vc_memo_put(&memo, vc_str_of(texts[i]), i + 1));
    for (int t = 0; t < 3; t++) {
        void *fault;
        pthread_join(threads[t], &fault);
        cr_assert_null(fault);
    }
    vc_memo_release(&memo);
}
