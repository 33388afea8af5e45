#include "base/keymap.h"

#include "base/strmap.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static vc_str get_key(const void *context, uint32_t number)
{
    return ((const vc_str *)context)[number];
}

/* The number of a key, found in one step and in two, between which its bytes are gone. */
static uint32_t find(const vc_keymap *map, vc_str key)
{
    char bytes[64];
    int64_t value;
    vc_str copy = {.data = key.data == NULL ? NULL : bytes, .size = key.size};
    cr_assert_leq(key.size, sizeof bytes);
    if (key.size > 0) memcpy(bytes, key.data, key.size);
    vc_keymap_search search = vc_keymap_begin(map, copy);
    memset(bytes, 'x', sizeof bytes);
    uint32_t number = vc_keymap_find(map, key);
    cr_assert_eq(vc_keymap_find_begun(map, &search, &value, 1), number == VC_KEYMAP_NONE);
    cr_assert_eq(value, number == VC_KEYMAP_NONE ? -1 : (int64_t)number, "%.*s", VC_FMT(key));
    return number;
}

static void check_all(const vc_str *keys, uint32_t count)
{
    vc_keymap map = {0};
    cr_assert_eq(vc_keymap_init(&map, count, get_key, keys, NULL), VC_OK);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq(find(&map, keys[i]), i, "%.*s", VC_FMT(keys[i]));
        cr_assert(vc_str_equal(vc_keymap_get(&map, i), keys[i]));
    }
    vc_keymap_release(&map);
}

/* A spelling of a number that is not the shortest is a text of its own. */
Test(keymap, finds_texts_byte_by_byte)
{
    const vc_str keys[] = {VC_STR("7"),  VC_STR("007"), VC_STR("+7"),
                           VC_STR("-7"), VC_STR(""),    VC_STR("-0"),
                           VC_STR("0"),  VC_STR("7.0"), VC_STR("seven"),
                           VC_STR("-"),  VC_STR("7 "),  VC_STR("999999999999999999"),
                           VC_STR("00"), VC_STR("1 "),  VC_STR("9999999999999999999")};
    uint32_t count = sizeof keys / sizeof keys[0];
    vc_keymap map = {0};
    check_all(keys, count);
    for (uint32_t without = 0; without < count; without++) {
        vc_str some[sizeof keys / sizeof keys[0]];
        uint32_t n = 0;
        for (uint32_t i = 0; i < count; i++)
            if (i != without) some[n++] = keys[i];
        cr_assert_eq(vc_keymap_init(&map, n, get_key, some, NULL), VC_OK);
        cr_assert_eq(find(&map, keys[without]), VC_KEYMAP_NONE);
        vc_keymap_release(&map);
    }
}

Test(keymap, finds_integers_by_value)
{
    const vc_str keys[] = {VC_STR("-5"), VC_STR("a"), VC_STR("12"), VC_STR("012")};
    vc_keymap map = {0};
    cr_assert_eq(vc_keymap_init(&map, 4, get_key, keys, NULL), VC_OK);
    cr_assert_eq(vc_keymap_find_int(&map, -5), 0);
    cr_assert_eq(vc_keymap_find_int(&map, 12), 2);
    const int64_t absent[] = {0, -6, 13, INT64_MIN, INT64_MAX};
    for (int i = 0; i < 5; i++)
        cr_assert_eq(vc_keymap_find_int(&map, absent[i]), VC_KEYMAP_NONE);
    vc_keymap_release(&map);
}

/* Whatever is an int64_t is found by its value, up to the ends; what is none is a text. */
Test(keymap, finds_integers_of_every_length)
{
    const vc_str keys[] = {VC_STR("9223372036854775807"), VC_STR("-9223372036854775808"),
                           VC_STR("9223372036854775808"), VC_STR("-9223372036854775809"),
                           VC_STR("1234567890123456789"), VC_STR("-1000000000000000000"),
                           VC_STR("999999999999999999"),  VC_STR("7")};
    const int64_t values[] = {INT64_MAX,
                              INT64_MIN,
                              0,
                              0,
                              INT64_C(1234567890123456789),
                              INT64_C(-1000000000000000000),
                              INT64_C(999999999999999999),
                              7};
    uint32_t count = sizeof keys / sizeof keys[0];
    vc_keymap map = {0};
    check_all(keys, count);
    cr_assert_eq(vc_keymap_init(&map, count, get_key, keys, NULL), VC_OK);
    for (uint32_t i = 0; i < count; i++) {
        int64_t value = values[i];
        if (value == 0) continue;
        cr_assert_eq(vc_keymap_find_int(&map, value), i, "%" PRId64, value);
        cr_assert_eq(vc_keymap_find_ints(&map, &value, 1), 0);
        cr_assert_eq(value, i);
    }
    cr_assert_eq(vc_keymap_find_int(&map, 0), VC_KEYMAP_NONE);
    vc_keymap_release(&map);
}

Test(keymap, an_empty_one_finds_nothing)
{
    vc_keymap map = {0};
    for (int round = 0; round < 2; round++) {
        cr_assert_eq(find(&map, VC_STR("1")), VC_KEYMAP_NONE);
        cr_assert_eq(find(&map, VC_STR("a")), VC_KEYMAP_NONE);
        cr_assert_eq(find(&map, (vc_str){0}), VC_KEYMAP_NONE);
        cr_assert_eq(vc_keymap_find_int(&map, 1), VC_KEYMAP_NONE);
        if (round == 0) cr_assert_eq(vc_keymap_init(&map, 0, get_key, NULL, NULL), VC_OK);
    }
    vc_keymap_release(&map);
}

Test(keymap, keys_must_be_different)
{
    static const vc_str pairs[][2] = {
        {VC_STR("a"), VC_STR("a")}, {VC_STR("5"), VC_STR("5")}, {VC_STR("5"), {0}}};
    const char *const codes[] = {"duplicate_key", "duplicate_key", "absent_key"};
    for (int i = 0; i < 3; i++) {
        vc_keymap map = {0};
        vc_error error = {0};
        cr_assert_eq(vc_keymap_init(&map, 2, get_key, pairs[i], &error), VC_CORRUPT);
        cr_assert_str_eq(error.code, codes[i]);
        cr_assert_null(map.bytes);
    }
}

/* Texts of every length around the longest that stands in a slot, each differing from the next in
 * one byte only, or by a byte 0 more. */
Test(keymap, texts_of_every_length)
{
    enum { LENGTHS = 28 };
    static char texts[LENGTHS * (LENGTHS + 2)][LENGTHS + 1];
    static vc_str keys[LENGTHS * (LENGTHS + 2)];
    uint32_t count = 0;
    for (uint32_t size = 0; size < LENGTHS; size++)
        for (uint32_t place = 0; place <= size; place++) { /* place == size: all bytes alike */
            memset(texts[count], 0, sizeof texts[count]);
            if (place < size) texts[count][place] = 'a';
            keys[count] = (vc_str){.data = texts[count], .size = size};
            count++;
        }
    check_all(keys, count);
    for (uint32_t without = 0; without < count; without++) {
        vc_keymap map = {0};
        vc_str last = keys[count - 1], absent = keys[without];
        keys[without] = last;
        cr_assert_eq(vc_keymap_init(&map, count - 1, get_key, keys, NULL), VC_OK);
        if (without < count - 1) cr_assert_eq(find(&map, absent), VC_KEYMAP_NONE);
        vc_keymap_release(&map);
        keys[without] = absent;
    }
}

/* Dense integers, sparse ones, extreme ones, texts: as an ordinary hash map finds them. */
Test(keymap, agrees_with_a_hash_map)
{
    static char texts[20000][24];
    static vc_str keys[20000];
    static int64_t values[20000];
    static vc_keymap_search searches[20000];
    static const int64_t spreads[] = {1, 7, 1000003, INT64_C(40000000000000)};
    for (int kind = 0; kind < 5; kind++) {
        vc_strmap plain = {0};
        vc_keymap map = {0};
        uint32_t count = 0;
        for (uint32_t i = 0; i < 20000; i++) {
            int64_t value = kind < 4 ? ((int64_t)i - 3000) * spreads[kind] : i;
            snprintf(texts[i], sizeof texts[i], kind < 4 ? "%" PRId64 : "key %" PRId64, value);
            keys[i] = vc_str_of(texts[i]);
            if (i % 2 == 1) continue; /* the odd ones are looked for in vain */
            vc_strmap_put(&plain, keys[i], NULL);
            keys[count++] = keys[i];
        }
        cr_assert_eq(vc_keymap_init(&map, count, get_key, keys, NULL), VC_OK);
        for (uint32_t i = 0; i < 20000; i++) {
            vc_str key = vc_str_of(texts[i]);
            cr_assert_eq(find(&map, key), vc_strmap_find(&plain, key), "%s", texts[i]);
        }
        for (uint32_t i = 0; i < 20000; i++)
            searches[i] = vc_keymap_begin(&map, vc_str_of(texts[i]));
        cr_assert_eq(vc_keymap_find_begun(&map, searches, values, 20000), 10000);
        for (uint32_t i = 0; i < 20000; i++)
            cr_assert_eq(values[i], i % 2 == 1 ? -1 : (int64_t)(i / 2));
        for (uint32_t i = 0; kind < 4 && i < 20000; i++)
            values[i] = ((int64_t)i - 3000) * spreads[kind];
        if (kind < 4) cr_assert_eq(vc_keymap_find_ints(&map, values, 20000), 10000);
        for (uint32_t i = 0; kind < 4 && i < 20000; i++)
            cr_assert_eq(values[i], i % 2 == 1 ? -1 : (int64_t)(i / 2));
        vc_keymap_release(&map);
        vc_strmap_release(&plain);
    }
}
