#include "base/text.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(text, absent_and_empty_differ)
{
    vc_str absent = {0}, empty = VC_STR("");
    cr_assert(vc_str_is_null(absent));
    cr_assert(vc_str_equal(absent, vc_str_of(NULL)));
    cr_assert_not(vc_str_equal(absent, empty));
    cr_assert_not(vc_str_is_null(empty));
    cr_assert_gt(vc_str_compare(absent, VC_STR("zzz")), 0);
    cr_assert_lt(vc_str_compare(VC_STR("a"), VC_STR("ab")), 0);
    cr_assert_gt(vc_str_compare(VC_STR("b"), VC_STR("ab")), 0);
    cr_assert_eq(vc_str_compare(absent, absent), 0);
}

Test(text, parts)
{
    vc_str text = VC_STR("cube.json");
    cr_assert(vc_str_starts_with(text, VC_STR("cube")));
    cr_assert_not(vc_str_starts_with(VC_STR("cu"), VC_STR("cube")));
    cr_assert(vc_str_ends_with(text, VC_STR(".json")));
    cr_assert_not(vc_str_ends_with(text, VC_STR("xcube.json")));
    cr_assert(vc_str_contains(text, VC_STR("e.j")));
    cr_assert_not(vc_str_contains(text, VC_STR("e,j")));
    cr_assert(vc_str_contains((vc_str){0}, VC_STR("")));
}

Test(text, split_gives_every_part_once)
{
    vc_str rest = VC_STR("a,,b,");
    cr_assert(vc_str_is(vc_str_split(&rest, ','), "a"));
    cr_assert(vc_str_is(vc_str_split(&rest, ','), ""));
    cr_assert(vc_str_is(vc_str_split(&rest, ','), "b"));
    cr_assert_not(vc_str_is_null(rest)); /* behind the last comma there is an empty part */
    cr_assert(vc_str_is(vc_str_split(&rest, ','), ""));
    cr_assert(vc_str_is_null(rest));
}

struct utf8_case {
    char text[24];
    int bad_offset; /* -1: valid */
    unsigned columns;
};

ParameterizedTestParameters(text, utf8)
{
    static struct utf8_case cases[] = {
        {"", -1, 0},
        {"plain ASCII, longer", -1, 19},
        {"Zu\xCC\x88rich", -1, 6},           /* combining mark takes no column */
        {"\xE6\x9D\xB1\xE4\xBA\xAC", -1, 4}, /* two wide characters */
        {"12345678\xFF", 8, 9},              /* after a whole word of ASCII */
        {"a\xC0\xAF", 1, 3},                 /* overlong slash */
        {"\xE0\x80\xAF", 0, 3},              /* overlong, three bytes */
        {"\xED\xA0\x80", 0, 3},              /* surrogate */
        {"\xF4\x90\x80\x80", 0, 4},          /* past U+10FFFF */
        {"\xF0\x9F\x98\x80", -1, 2},         /* last plane in use */
        {"ab\xE2\x82", 2, 4},                /* cut short */
    };
    return cr_make_param_array(struct utf8_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct utf8_case *c, text, utf8)
{
    size_t bad = 99;
    bool is_valid = vc_utf8_check(vc_str_of(c->text), &bad);
    cr_assert_eq(is_valid, c->bad_offset < 0, "%s", c->text);
    if (!is_valid) cr_assert_eq(bad, (size_t)c->bad_offset, "%zu", bad);
    cr_assert_eq(vc_utf8_columns(vc_str_of(c->text)), c->columns);
}

Test(text, cut_to_columns)
{
    const vc_str text = VC_STR("a\xCC\x81\xE4\xB8\xAD"
                               "b"); /* a with an accent, a wide one, b */
    static const size_t sizes[] = {0, 3, 3, 6, 7, 7};
    for (size_t width = 0; width < sizeof sizes / sizeof sizes[0]; width++) {
        vc_str part = vc_utf8_cut(text, width);
        cr_assert_eq(part.size, sizes[width], "%zu columns: %zu bytes", width, part.size);
        cr_assert_eq(part.data, text.data);
    }
}

struct int_case {
    char text[32];
    vc_parse result;
    int64_t value;
};

ParameterizedTestParameters(text, parse_int)
{
    static struct int_case cases[] = {
        {"0", VC_PARSE_OK, 0},
        {"-0", VC_PARSE_OK, 0},
        {"+17", VC_PARSE_OK, 17},
        {"000000000000000000000000042", VC_PARSE_OK, 42},
        {"9223372036854775807", VC_PARSE_OK, INT64_MAX},
        {"-9223372036854775808", VC_PARSE_OK, INT64_MIN},
        {"9223372036854775808", VC_PARSE_OVERFLOW, 0},
        {"-9223372036854775809", VC_PARSE_OVERFLOW, 0},
        {"99999999999999999999x", VC_PARSE_BAD, 0}, /* too long and no number: no number */
        {"", VC_PARSE_BAD, 0},
        {"-", VC_PARSE_BAD, 0},
        {"1 ", VC_PARSE_BAD, 0},
        {"12.0", VC_PARSE_BAD, 0},
        {"1e3", VC_PARSE_BAD, 0},
        {"0x10", VC_PARSE_BAD, 0},
    };
    return cr_make_param_array(struct int_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct int_case *c, text, parse_int)
{
    int64_t value = 0;
    cr_assert_eq(vc_parse_int(vc_str_of(c->text), &value), c->result, "%s", c->text);
    cr_assert_eq(value, c->value, "%s", c->text);
}

struct decimal_case {
    char text[40];
    unsigned scale;
    char point;
    vc_parse result;
    int64_t value;
};

ParameterizedTestParameters(text, parse_decimal)
{
    static struct decimal_case cases[] = {
        {"123.45", 2, '.', VC_PARSE_OK, 12345},
        {"123,45", 2, ',', VC_PARSE_OK, 12345},
        {"123,45", 2, '.', VC_PARSE_BAD, 0},
        {".5", 2, '.', VC_PARSE_OK, 50},
        {"5.", 2, '.', VC_PARSE_BAD, 0},
        {".", 2, '.', VC_PARSE_BAD, 0},
        {"-1.2300", 2, '.', VC_PARSE_OK, -123},
        {"-1.2301", 2, '.', VC_PARSE_INEXACT, 0},
        {"1.5e3", 0, '.', VC_PARSE_OK, 1500},
        {"1.5E-1", 2, '.', VC_PARSE_OK, 15},
        {"1.5e-1", 1, '.', VC_PARSE_INEXACT, 0},
        {"1e-99", 2, '.', VC_PARSE_INEXACT, 0},
        {"0e999999999999", 2, '.', VC_PARSE_OK, 0},
        {"1e999999999999", 2, '.', VC_PARSE_OVERFLOW, 0},
        {"0.000e-99", 2, '.', VC_PARSE_OK, 0},
        {"92233720368547758.07", 2, '.', VC_PARSE_OK, INT64_MAX},
        {"-92233720368547758.08", 2, '.', VC_PARSE_OK, INT64_MIN},
        {"92233720368547758.08", 2, '.', VC_PARSE_OVERFLOW, 0},
        {"10", 18, '.', VC_PARSE_OVERFLOW, 0},
        {"1e", 2, '.', VC_PARSE_BAD, 0},
        {"nan", 2, '.', VC_PARSE_BAD, 0},
        {"", 2, '.', VC_PARSE_BAD, 0},
    };
    return cr_make_param_array(struct decimal_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct decimal_case *c, text, parse_decimal)
{
    int64_t value = 0;
    vc_parse result = vc_parse_decimal(vc_str_of(c->text), c->scale, c->point, &value);
    cr_assert_eq(result, c->result, "%s: %d", c->text, result);
    cr_assert_eq(value, c->value, "%s: %ld", c->text, (long)value);
}

struct double_case {
    char text[64];
    vc_parse result;
    double value;
};

ParameterizedTestParameters(text, parse_double)
{
    static struct double_case cases[] = {
        {"0.1", VC_PARSE_OK, 0.1},
        {"-.5e1", VC_PARSE_OK, -5},
        {"1e22", VC_PARSE_OK, 1e22},
        {"1e23", VC_PARSE_OK, 1e23}, /* not exact: must go the slow way */
        {"9007199254740993", VC_PARSE_OK, 9007199254740992.0},
        {"9007199254740993.0000000000000000000000001", VC_PARSE_OK, 9007199254740994.0},
        {"1.7976931348623157e308", VC_PARSE_OK, 1.7976931348623157e308},
        {"1.8e308", VC_PARSE_OVERFLOW, 0},
        {"-1e400", VC_PARSE_OVERFLOW, 0},
        {"5e-324", VC_PARSE_OK, 5e-324},
        {"1e-400", VC_PARSE_OK, 0},
        {"nan", VC_PARSE_BAD, 0},
        {"inf", VC_PARSE_BAD, 0},
        {"0x1p3", VC_PARSE_BAD, 0},
        {" 1", VC_PARSE_BAD, 0},
        {"1 ", VC_PARSE_BAD, 0},
        {"1e+", VC_PARSE_BAD, 0},
        {"1,5", VC_PARSE_BAD, 0},
        {"", VC_PARSE_BAD, 0},
    };
    return cr_make_param_array(struct double_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct double_case *c, text, parse_double)
{
    double value = 0;
    cr_assert_eq(vc_parse_double(vc_str_of(c->text), '.', &value), c->result, "%s", c->text);
    cr_assert_eq(value, c->value, "%s: %.17g", c->text, value);
}

/* A text far longer than any buffer, whose last digit decides the rounding. */
Test(text, parse_double_looks_at_every_digit)
{
    enum { SIZE = 5000 };
    static char text[SIZE + 1];
    double value;
    memset(text, '0', SIZE);
    memcpy(text, "9007199254740993.", 17);
    cr_assert_eq(vc_parse_double((vc_str){text, SIZE}, '.', &value), VC_PARSE_OK);
    cr_assert_eq(value, 9007199254740992.0);
    text[SIZE - 1] = '1';
    cr_assert_eq(vc_parse_double((vc_str){text, SIZE}, '.', &value), VC_PARSE_OK);
    cr_assert_eq(value, 9007199254740994.0);
}

Test(text, parse_double_agrees_with_strtod)
{
    uint64_t state = 20240501;
    for (int i = 0; i < 200000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        char text[64];
        int64_t digits = (int64_t)state >> (state >> 58 & 31);
        snprintf(text, sizeof text, "%lde%d", (long)digits, (int)(state % 60) - 30);
        double value = 0;
        cr_assert_eq(vc_parse_double(vc_str_of(text), '.', &value), VC_PARSE_OK);
        cr_assert_eq(value, strtod(text, NULL), "%s", text);
    }
}

struct format_case {
    double value;
    char text[32];
};

ParameterizedTestParameters(text, format_double)
{
    static struct format_case cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {0.1, "0.1"},
        {-5, "-5"},
        {2.50, "2.5"},
        {1e300, "1e+300"},
        {999999999999999, "999999999999999"},
        {100000000000000, "100000000000000"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {123456.789, "123456.789"},
        {1e-7, "0.0000001"},
        {-1e-5, "-0.00001"},
        {1e15, "1e+15"},
    };
    return cr_make_param_array(struct format_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct format_case *c, text, format_double)
{
    char text[VC_NUMBER_TEXT];
    size_t size = vc_format_double(text, c->value);
    cr_assert_str_eq(text, c->text);
    cr_assert_eq(size, strlen(text));
}

Test(text, format_double_round_trips_and_fits)
{
    uint64_t state = 7;
    for (int i = 0; i < 200000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double value, again = 0;
        if (i % 2 == 0)
            memcpy(&value, &state, sizeof value);
        else
            value = (double)((int64_t)state >> 30) / 1000;
        if (!isfinite(value)) continue;
        char text[VC_NUMBER_TEXT];
        cr_assert_lt(vc_format_double(text, value), sizeof text);
        cr_assert_eq(vc_parse_double(vc_str_of(text), '.', &again), VC_PARSE_OK, "%s", text);
        cr_assert_eq(again, value, "%s", text);
    }
}

Test(text, format_whole_and_scaled)
{
    char text[VC_NUMBER_TEXT];
    vc_format_int(text, INT64_MIN);
    cr_assert_str_eq(text, "-9223372036854775808");
    vc_format_int(text, INT64_MAX);
    cr_assert_str_eq(text, "9223372036854775807");
    cr_assert_eq(vc_format_decimal(text, 12345, 2), 6);
    cr_assert_str_eq(text, "123.45");
    cr_assert_eq(vc_format_decimal(text, 1200, 2), 2);
    cr_assert_str_eq(text, "12");
    vc_format_decimal(text, -5, 2);
    cr_assert_str_eq(text, "-0.05");
    vc_format_decimal(text, 1050, 3);
    cr_assert_str_eq(text, "1.05");
    vc_format_decimal(text, INT64_MIN, 18);
    cr_assert_str_eq(text, "-9.223372036854775808");
    vc_format_decimal(text, 0, 4);
    cr_assert_str_eq(text, "0");
}

Test(text, plain_numbers)
{
    cr_assert(vc_str_is_number(VC_STR("-12.50")));
    cr_assert(vc_str_is_number(VC_STR("007")));
    cr_assert_not(vc_str_is_number(VC_STR("1e3")));
    cr_assert_not(vc_str_is_number(VC_STR("1.")));
    cr_assert_not(vc_str_is_number(VC_STR(".5")));
    cr_assert_not(vc_str_is_number(VC_STR("")));
    cr_assert_not(vc_str_is_number((vc_str){0}));
}

struct distance_case {
    char a[16], b[16];
    unsigned limit, distance;
};

ParameterizedTestParameters(text, distance)
{
    static struct distance_case cases[] = {
        {"", "", 3, 0},
        {"abc", "ABC", 3, 0},
        {"abc", "acb", 3, 1},
        {"abc", "abcd", 3, 1},
        {"", "abc", 3, 3},
        {"kitten", "sitting", 3, 3},
        {"kitten", "sitting", 2, 3},
        {"ca", "abc", 5, 3},
        {"abc", "xyzuvw", 2, 3},
    };
    return cr_make_param_array(struct distance_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct distance_case *c, text, distance)
{
    cr_assert_eq(vc_str_distance(vc_str_of(c->a), vc_str_of(c->b), c->limit), c->distance);
    cr_assert_eq(vc_str_distance(vc_str_of(c->b), vc_str_of(c->a), c->limit), c->distance);
}

Test(text, numbers_for_people)
{
    static const struct {
        uint64_t number;
        const char *count, *bytes;
    } cases[] = {
        {0, "0", "0 B"},
        {999, "999", "999 B"},
        {1000, "1,000", "1.0 kB"},
        {12345, "12,345", "12.3 kB"},
        {999949, "999,949", "999.9 kB"},
        {999950, "999,950", "1.0 MB"}, /* not 1000.0 kB */
        {1234567890, "1,234,567,890", "1.2 GB"},
        {UINT64_MAX, "18,446,744,073,709,551,615", "18446744.1 TB"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[VC_NUMBER_TEXT];
        cr_assert_eq(vc_format_count(text, cases[i].number), strlen(cases[i].count));
        cr_assert_str_eq(text, cases[i].count);
        cr_assert_eq(vc_format_bytes(text, cases[i].number), strlen(cases[i].bytes));
        cr_assert_str_eq(text, cases[i].bytes);
    }
}

Test(text, distance_of_long_texts_needs_no_memory)
{
    static char a[2000], b[2000];
    memset(a, 'a', sizeof a);
    memset(b, 'A', sizeof b);
    cr_assert_eq(vc_str_distance((vc_str){a, 2000}, (vc_str){b, 2000}, 9), 0);
    b[7] = 'b';
    cr_assert_eq(vc_str_distance((vc_str){a, 2000}, (vc_str){b, 2000}, 9), 10);
    cr_assert_eq(vc_str_distance((vc_str){a, 255}, (vc_str){b, 255}, 9), 1);
}

Test(text, dup)
{
    char *copy = vc_str_dup((vc_str){"abcdef", 3});
    cr_assert_str_eq(copy, "abc");
    free(copy);
    copy = vc_str_dup((vc_str){0});
    cr_assert_str_eq(copy, "");
    free(copy);
}

Test(text, trim_takes_spaces_and_tabs_at_both_ends)
{
    static const char *const texts[][2] = {{"", ""},   {" ", ""},         {"\t \t", ""},
                                           {"a", "a"}, {" a b\t", "a b"}, {"a\n ", "a\n"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert(vc_str_is(vc_str_trim(vc_str_of(texts[i][0])), texts[i][1]), "%zu", i);
}
