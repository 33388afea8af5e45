#include "dimensions/order.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* Numbers that a double holds exactly, so that strtod is an oracle. */
Test(order, numbers_compare_as_numbers)
{
    enum { COUNT = 400 };
    static char texts[COUNT][32];
    srand(7);
    for (int i = 0; i < COUNT; i++) {
        const char *sign = rand() % 3 == 0 ? "-" : rand() % 4 == 0 ? "+" : "";
        const char *zeros = rand() % 4 == 0 ? "000" : "";
        switch (rand() % 3) {
        case 0: snprintf(texts[i], sizeof texts[i], "%s%s%d", sign, zeros, rand() % 20); break;
        case 1:
            snprintf(texts[i], sizeof texts[i], "%s%s%d.%02d%s", sign, zeros, rand() % 3,
                     rand() % 4 * 25, zeros);
            break;
        default: snprintf(texts[i], sizeof texts[i], "%s%d", sign, rand()); break;
        }
    }
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++) {
            double a = strtod(texts[i], NULL), b = strtod(texts[j], NULL);
            int order = vc_number_compare(vc_str_of(texts[i]), vc_str_of(texts[j]));
            cr_assert_eq((order > 0) - (order < 0), (a > b) - (a < b), "%s %s", texts[i], texts[j]);
            if (a < b)
                cr_assert_leq(vc_number_prefix(vc_str_of(texts[i])),
                              vc_number_prefix(vc_str_of(texts[j])), "%s %s", texts[i], texts[j]);
        }
}

Test(order, long_numbers_are_exact)
{
    vc_str a = VC_STR("123456789012345678901234567890.0001");
    vc_str b = VC_STR("123456789012345678901234567890.0002");
    cr_assert_lt(vc_number_compare(a, b), 0);
    cr_assert_leq(vc_number_prefix(a), vc_number_prefix(b));
    cr_assert_eq(vc_number_compare(VC_STR("-000"), VC_STR("0.00")), 0);
    cr_assert_gt(
        vc_number_compare(VC_STR("-1234567890123456789012"), VC_STR("-1234567890123456789013")), 0);
    cr_assert_lt(vc_number_prefix(VC_STR("-9999999999999999999")), vc_number_prefix(VC_STR("-1")));
}

Test(order, prefixes_follow_bytes)
{
    cr_assert_lt(vc_bytes_prefix(VC_STR("ab"), 0), vc_bytes_prefix(VC_STR("b"), 0));
    cr_assert_lt(vc_bytes_prefix(VC_STR("a"), 0), vc_bytes_prefix(VC_STR("\xC3\xA9"), 0));
    cr_assert_lt(vc_bytes_prefix(VC_STR("xxa"), 2), vc_bytes_prefix(VC_STR("xxb"), 2));
    cr_assert_eq(vc_bytes_prefix(VC_STR("xx"), 2), 0);
}

Test(order, shortened_texts_end_between_characters)
{
    cr_assert_eq(vc_text_shorten(VC_STR("abc"), 3).size, 3);
    cr_assert_eq(vc_text_shorten(VC_STR("abcd"), 3).size, 3);
    cr_assert_eq(vc_text_shorten(VC_STR("ab\xC3\xA9"), 3).size, 2);
    cr_assert_eq(vc_text_shorten(VC_STR("a\xE2\x82\xAC"), 3).size, 1);
}
