#include "cube/time_part.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct key_case {
    char text[40];
    char keys[6][12]; /* by vc_time_part; all empty: no date */
};

ParameterizedTestParameters(time_part, keys)
{
    static struct key_case cases[] = {
        {"2020-01-31", {"", "2020", "2020-Q1", "2020-01", "2020-W05", "2020-01-31"}},
        {"2021-01-03", {"", "2021", "2021-Q1", "2021-01", "2020-W53", "2021-01-03"}}, /* old week */
        {"2018-12-31", {"", "2018", "2018-Q4", "2018-12", "2019-W01", "2018-12-31"}}, /* new week */
        {"2000-02-29", {"", "2000", "2000-Q1", "2000-02", "2000-W09", "2000-02-29"}},
        {"2020-07-01T23:59", {"", "2020", "2020-Q3", "2020-07", "2020-W27", "2020-07-01"}},
        {"2020-07-01 23:59:59.123+02:00",
         {"", "2020", "2020-Q3", "2020-07", "2020-W27", "2020-07-01"}},
        {"2020-07-01T00:00:00Z", {"", "2020", "2020-Q3", "2020-07", "2020-W27", "2020-07-01"}},
        {"1900-02-29", {""}}, /* no leap year */
        {"2020-13-01", {""}},
        {"2020-00-01", {""}},
        {"2020-04-31", {""}},
        {"2020-04-00", {""}},
        {"2020-4-01", {""}},
        {"2020-04", {""}},
        {"20200401", {""}},
        {"01.04.2020", {""}},
        {"2020-04-01x", {""}},
        {"2020-04-01T", {""}},
        {"2020-04-01T25:00", {""}},
        {"2020-04-01T10:00:00.", {""}},
        {"2020-04-01T10:00 CET", {""}},
        {" 2020-04-01", {""}},
        {"", {""}},
    };
    return cr_make_param_array(struct key_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct key_case *c, time_part, keys)
{
    vc_date date;
    bool is_date = c->keys[VC_TIME_YEAR][0] != '\0';
    cr_assert_eq(vc_date_parse(vc_str_of(c->text), &date), is_date, "%s", c->text);
    if (!is_date) return;
    for (int part = VC_TIME_YEAR; part <= VC_TIME_DAY; part++) {
        char key[VC_TIME_KEY_BYTES];
        size_t size = vc_date_key(&date, (vc_time_part)part, key);
        cr_assert_str_eq(key, c->keys[part]);
        cr_assert_eq(size, strlen(key));
    }
}

/* Every day of 1890 to 2110 against the C library. */
Test(time_part, weeks_are_those_of_strftime)
{
    for (time_t at = -2524521600; at < 4449513600; at += 86400) {
        char text[16], expected[16], key[VC_TIME_KEY_BYTES];
        struct tm day;
        vc_date date;
        gmtime_r(&at, &day);
        strftime(text, sizeof text, "%Y-%m-%d", &day);
        strftime(expected, sizeof expected, "%G-W%V", &day);
        cr_assert(vc_date_parse(vc_str_of(text), &date), "%s", text);
        vc_date_key(&date, VC_TIME_WEEK, key);
        cr_assert_str_eq(key, expected, "%s", text);
        vc_date_key(&date, VC_TIME_DAY, key);
        cr_assert_str_eq(key, text);
    }
}
