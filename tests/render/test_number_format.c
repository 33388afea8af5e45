#include "render/number_format.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct number_case {
    char pattern[24], number[32], expected[48];
};

ParameterizedTestParameters(number_format, numbers)
{
    static struct number_case cases[] = {
        {"#,##0", "0", "0"},
        {"#,##0", "999", "999"},
        {"#,##0", "1000", "1,000"},
        {"#,##0", "-1234567", "-1,234,567"},
        {"#,##0", "9223372036854775807", "9,223,372,036,854,775,807"},
        {"#,##0", "-9223372036854775808", "-9,223,372,036,854,775,808"},
        {"#,##0", "999.5", "1,000"},
        {"#,##0.00", "1234.5", "1,234.50"},
        {"#,##0.00", "0.125", "0.13"}, /* the double is a little less */
        {"#,##0.00", "-0.125", "-0.13"},
        {"#,##0.00", "1.005", "1.01"},
        {"#,##0.00", "-0.004", "0.00"}, /* no sign of nothing */
        {"#,##0.00", "0.005", "0.01"},
        {"#,##0.00", "0.0049", "0.00"},
        {"0.0", "9.96", "10.0"},
        {"0.0", "0.96", "1.0"},
        {"0", "0.5", "1"},
        {"0", "0.05", "0"},
        {"0", "199.5", "200"},
        {"0.0%", "0.123", "12.3%"},
        {"0.0%", "1", "100.0%"},
        {"0%", "0.005", "1%"},
        {"0.0%", "-0.0004", "0.0%"},
        {"0.##", "1.5", "1.5"},
        {"0.##", "1", "1"},
        {"0.0#", "1", "1.0"},
        {"0.0#", "1.256", "1.26"},
        {"000", "7", "007"},
        {"#", "0", "0"},
        {"#.#", "0.2", ".2"},
        {"$#,##0.00", "1234.5", "$1,234.50"},
        {"$#,##0.00", "-1234.5", "-$1,234.50"},
        {"#,##0 \xE2\x82\xAC", "1200", "1,200 \xE2\x82\xAC"},
        {"#,##0", "1e21", "1,000,000,000,000,000,000,000"},
        {"0.000", "1.5e-2", "0.015"},
        {"0.000", "5e-324", "0.000"},
        {"#,##0", "1.2e+20", "120,000,000,000,000,000,000"},
    };
    return cr_make_param_array(struct number_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct number_case *c, number_format, numbers)
{
    vc_number_format format;
    vc_buffer buffer = {0};
    cr_assert(vc_number_format_parse(vc_str_of(c->pattern), &format));
    vc_number_format_put(&format, vc_str_of(c->number), &buffer);
    cr_assert_str_eq(vc_buffer_text(&buffer), c->expected);
    vc_buffer_release(&buffer);
}

Test(number_format, patterns_of_another_kind)
{
    static const char *const patterns[] = {
        "", "abc", "General", "0.0E+00", "#,##0;(#,##0)", "0.0.0", "yyyy-mm-dd", "0 0", "%"};
    vc_number_format format;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        cr_assert(!vc_number_format_parse(vc_str_of(patterns[i]), &format), "%s", patterns[i]);
}

/* Against printf, where its rounding has no ties to break differently. */
Test(number_format, as_printf)
{
    unsigned seed = 5;
    vc_number_format format;
    cr_assert(vc_number_format_parse(VC_STR("0.000"), &format));
    for (int i = 0; i < 20000; i++) {
        double value = ((double)rand_r(&seed) - 1e9) / (1 + rand_r(&seed) % 100000);
        char text[VC_NUMBER_TEXT], expected[64];
        vc_buffer buffer = {0};
        size_t size = vc_format_double(text, value);
        if (size < 15) continue; /* a short decimal may be a tie */
        vc_number_format_put(&format, (vc_str){.data = text, .size = size}, &buffer);
        snprintf(expected, sizeof expected, "%.3f", value);
        if (strcmp(expected, "-0.000") == 0) strcpy(expected, "0.000");
        cr_assert_str_eq(vc_buffer_text(&buffer), expected);
        vc_buffer_release(&buffer);
    }
}
