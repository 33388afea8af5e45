#include "base/arena.h"
#include "base/bits.h"
#include "base/buffer.h"
#include "base/strmap.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(arena, pieces_are_aligned_and_apart)
{
    vc_arena arena = {0};
    unsigned char *pieces[400];
    for (size_t i = 0; i < 400; i++) {
        size_t size = i * i % 3000;
        pieces[i] = vc_arena_alloc(&arena, size);
        cr_assert_not_null(pieces[i]);
        cr_assert_eq((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i & 255), size);
    }
    for (size_t i = 0; i < 400; i++)
        for (size_t j = 0; j < i * i % 3000; j++)
            cr_assert_eq(pieces[i][j], i & 255);
    vc_arena_release(&arena);
    cr_assert_eq(arena.total_bytes, 0);
    cr_assert_not_null(vc_arena_alloc(&arena, 1));
    vc_arena_release(&arena);
}

/* What another arena had stays where it is, and goes with this one. */
Test(arena, adopts_another)
{
    vc_arena arena = {0}, other = {0}, empty = {0};
    char *mine = vc_arena_alloc(&arena, 100), *theirs = NULL;
    for (int i = 0; i < 3000; i++)
        theirs = vc_arena_alloc(&other, 100);
    memset(mine, 'm', 100);
    memset(theirs, 't', 100);
    size_t total_bytes = arena.total_bytes + other.total_bytes;
    vc_arena_adopt(&arena, &other);
    vc_arena_adopt(&arena, &empty);
    cr_assert_eq(arena.total_bytes, total_bytes);
    cr_assert_eq(other.total_bytes, 0);
    memset(vc_arena_alloc(&arena, 100), 'n', 100);
    cr_assert_eq(mine[99], 'm');
    cr_assert_eq(theirs[0], 't');
    vc_arena_adopt(&other, &arena);
    memset(vc_arena_alloc(&other, 100), 'o', 100);
    cr_assert_eq(theirs[99], 't');
    vc_arena_release(&other);
}

/* A large piece must not throw away the room left in the newest block. */
Test(arena, large_pieces_leave_the_newest_block_in_use)
{
    vc_arena arena = {0};
    char *small = vc_arena_alloc(&arena, 16);
    char *large = vc_arena_alloc(&arena, 10 << 20);
    cr_assert_not_null(large);
    large[(10 << 20) - 1] = 1;
    cr_assert_eq((char *)vc_arena_alloc(&arena, 16), small + 16);
    cr_assert_lt(arena.total_bytes, (size_t)11 << 20);
    vc_arena_release(&arena);
}

/* What was cleared is used again, without growing. */
Test(arena, clear_keeps_one_block)
{
    vc_arena arena = {0};
    vc_arena_clear(&arena);
    cr_assert_eq(arena.total_bytes, 0);
    for (int i = 0; i < 3000; i++)
        cr_assert_not_null(vc_arena_alloc(&arena, 100));
    vc_arena_clear(&arena);
    char *first = vc_arena_alloc(&arena, 100);
    size_t total_bytes = arena.total_bytes;
    for (int i = 0; i < 3000; i++) {
        vc_arena_clear(&arena);
        cr_assert_eq((char *)vc_arena_alloc(&arena, 100), first);
        first[99] = 1;
    }
    cr_assert_eq(arena.total_bytes, total_bytes);
    vc_arena_release(&arena);
    cr_assert_eq(arena.total_bytes, 0);
}

Test(arena, sizes_that_cannot_be)
{
    vc_arena arena = {0};
    cr_assert_null(vc_arena_alloc(&arena, SIZE_MAX));
    cr_assert_null(vc_arena_calloc(&arena, SIZE_MAX / 2, 4));
    cr_assert_not_null(vc_arena_calloc(&arena, 0, 4));
    vc_arena_release(&arena);
}

Test(arena, text)
{
    vc_arena arena = {0};
    cr_assert(vc_str_is_null(vc_arena_str(&arena, (vc_str){0})));
    vc_str empty = vc_arena_str(&arena, VC_STR(""));
    cr_assert(!vc_str_is_null(empty) && empty.size == 0 && empty.data[0] == '\0');
    cr_assert_str_eq(vc_arena_str(&arena, (vc_str){"abcd", 2}).data, "ab");
    cr_assert(vc_str_is(vc_arena_printf(&arena, "%d-%s", 42, "x"), "42-x"));
    vc_arena_release(&arena);
}

Test(buffer, text_and_numbers)
{
    vc_buffer buffer = {0};
    cr_assert_str_eq(vc_buffer_text(&buffer), "");
    vc_buffer_put_text(&buffer, "a=");
    vc_buffer_put_int(&buffer, -3);
    vc_buffer_put_char(&buffer, ' ');
    vc_buffer_put_double(&buffer, 2.5);
    vc_buffer_printf(&buffer, " %s",
                     "and a text that is longer than a small buffer could hold .......");
    vc_buffer_put_str(&buffer, (vc_str){0});
    cr_assert_str_eq(vc_buffer_text(&buffer),
                     "a=-3 2.5 and a text that is longer than a small buffer could hold .......");
    vc_buffer_clear(&buffer);
    cr_assert_eq(buffer.size, 0);
    for (int i = 0; i < 100000; i++)
        vc_buffer_put_text(&buffer, "0123456789");
    cr_assert_eq(buffer.size, 1000000);
    vc_buffer_release(&buffer);
}

Test(buffer, json_strings)
{
    vc_buffer buffer = {0};
    vc_buffer_put_json(&buffer, VC_STR("a\"b\\c\n\r\t\x01\x1f\x7f\xC3\xA9/"));
    cr_assert_str_eq(vc_buffer_text(&buffer),
                     "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7f\xC3\xA9/\"");
    vc_buffer_clear(&buffer);
    vc_buffer_put_json(&buffer, (vc_str){0});
    vc_buffer_put_json(&buffer, VC_STR(""));
    cr_assert_str_eq(vc_buffer_text(&buffer), "null\"\"");
    vc_buffer_release(&buffer);
}

/* One byte at a time, as RFC 8259 says it. */
static void put_json_plainly(vc_buffer *out, vc_str text)
{
    vc_buffer_put_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        const char *letter = byte == '\n'   ? "\\n"
                             : byte == '\r' ? "\\r"
                             : byte == '\t' ? "\\t"
                             : byte == '"'  ? "\\\""
                             : byte == '\\' ? "\\\\"
                                            : NULL;
        if (letter != NULL)
            vc_buffer_put_text(out, letter);
        else if ((unsigned char)byte < 0x20)
            vc_buffer_printf(out, "\\u%04x", (unsigned)byte);
        else
            vc_buffer_put_char(out, byte);
    }
    vc_buffer_put_char(out, '"');
}

/* Every byte at every place of texts of all sizes, beside bytes that differ by a bit from those
 * that are escaped; and several of them. */
Test(buffer, json_strings_word_by_word)
{
    static const char others[] = {' ', '!', '#', '[', ']', 'a', '\xA2', '\x9F', '\x80', '\xDC'};
    vc_buffer buffer = {0}, plain = {0};
    unsigned seed = 1;
    for (size_t round = 0; round < 26 * 256 * 4; round++) {
        char text[32];
        size_t size = round / 256 % 26;
        for (size_t i = 0; i < size; i++)
            text[i] = others[(size_t)rand_r(&seed) % sizeof others];
        for (size_t n = 0; n <= round % 3 && size > 0; n++)
            text[(size_t)rand_r(&seed) % size] = (char)(round % 256);
        vc_buffer_clear(&buffer);
        vc_buffer_clear(&plain);
        vc_buffer_put_json(&buffer, (vc_str){text, size});
        put_json_plainly(&plain, (vc_str){text, size});
        cr_assert_str_eq(vc_buffer_text(&buffer), vc_buffer_text(&plain));
    }
    vc_buffer_release(&buffer);
    vc_buffer_release(&plain);
}

/* The writer checks once, at its end: after a failure nothing may be appended. */
Test(buffer, out_of_memory_is_remembered)
{
    vc_buffer buffer = {0};
    vc_buffer_put_text(&buffer, "x");
    cr_assert_not(vc_buffer_reserve(&buffer, SIZE_MAX));
    cr_assert(buffer.failed);
    vc_buffer_put_text(&buffer, "y");
    vc_buffer_printf(&buffer, "%d", 1);
    cr_assert_eq(buffer.size, 1);
    cr_assert_str_eq(vc_buffer_text(&buffer), "");
    vc_buffer_release(&buffer);
}

Test(strmap, numbers_are_dense_and_stable)
{
    vc_strmap map = {0};
    char key[32];
    bool is_new;
    cr_assert_eq(vc_strmap_find(&map, VC_STR("k0")), VC_STRMAP_NONE);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 50000; i++) {
            snprintf(key, sizeof key, "k%u", i);
            cr_assert_eq(vc_strmap_put(&map, vc_str_of(key), &is_new), i);
            cr_assert_eq(is_new, round == 0);
        }
    cr_assert_eq(map.count, 50000);
    cr_assert(vc_str_is(map.keys[49999], "k49999"));
    cr_assert_eq(vc_strmap_find(&map, VC_STR("k31999")), 31999);
    cr_assert_eq(vc_strmap_find(&map, VC_STR("k50000")), VC_STRMAP_NONE);
    vc_strmap_release(&map);
    cr_assert_eq(map.count, 0);
}

Test(strmap, absent_and_empty_are_two_keys)
{
    vc_strmap map;
    vc_strmap_init(&map);
    cr_assert_eq(vc_strmap_put(&map, VC_STR(""), NULL), 0);
    cr_assert_eq(vc_strmap_put(&map, (vc_str){0}, NULL), 1);
    cr_assert_eq(vc_strmap_find(&map, VC_STR("")), 0);
    cr_assert_eq(vc_strmap_find(&map, (vc_str){0}), 1);
    vc_strmap_release(&map);
}

Test(bits, ranges_and_counts_agree_with_single_bits)
{
    enum { N = 200 };
    for (size_t first = 0; first <= N; first += 13)
        for (size_t end = 0; end <= N; end += 7) {
            uint64_t bits[4] = {0};
            size_t expected = 0;
            vc_bits_set_range(bits, first, end);
            for (size_t i = 0; i < N; i++) {
                cr_assert_eq(vc_bit_get(bits, i), i >= first && i < end);
                expected += i >= first && i < end;
            }
            cr_assert_eq(vc_bits_count(bits, N), expected);
        }
    uint64_t one[2] = {0};
    vc_bit_set(one, 64);
    cr_assert_eq(vc_bits_count(one, 64), 0); /* bits past the size are not looked at */
    cr_assert_eq(vc_bits_count(one, 65), 1);
    vc_bit_clear(one, 64);
    cr_assert_eq(vc_bits_count(one, 128), 0);
    cr_assert_eq(vc_bits_words(0), 0);
    cr_assert_eq(vc_bits_words(64), 1);
    cr_assert_eq(vc_bits_words(65), 2);
}
