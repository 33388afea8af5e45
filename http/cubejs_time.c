/* Dates and ranges as Cube's clients write them. */
#include "http/cubejs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *const part_names[] = {
    [VC_TIME_YEAR] = "year", [VC_TIME_QUARTER] = "quarter", [VC_TIME_MONTH] = "month",
    [VC_TIME_WEEK] = "week", [VC_TIME_DAY] = "day",
};

vc_time_part vc_cubejs_part_find(vc_str name)
{
    for (vc_time_part part = VC_TIME_YEAR; part <= VC_TIME_DAY; part++)
        if (vc_str_is(name, part_names[part])) return part;
    return VC_TIME_NONE;
}

const char *vc_cubejs_part_name(vc_time_part part)
{
    return part_names[part];
}

/* ---- days ---- */

/* Years begin in March here, so that the leap day is the last of its year; an era has 400 years. */
static int64_t day_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t day, int64_t *year_out, int *month_out, int *day_out)
{
    day += 719468;
    int64_t era = (day >= 0 ? day : day - 146096) / 146097, of_era = day - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    *day_out = (int)(of_year - (153 * month + 2) / 5) + 1;
    *month_out = (int)(month < 10 ? month + 3 : month - 9);
    *year_out = year + era * 400 + (*month_out <= 2);
}

/* The first day of a month that may lie outside of the year. */
static int64_t first_of_month(int64_t year, int64_t month)
{
    int64_t months = year * 12 + month - 1;
    int64_t of_year = months % 12 < 0 ? months % 12 + 12 : months % 12;
    return day_of((months - of_year) / 12, (int)of_year + 1, 1);
}

/* The period that a day is in, or the one `shift` periods later. */
static vc_cubejs_range shifted_period(int64_t day, vc_time_part part, int64_t shift)
{
    int64_t year;
    int month, unused;
    vc_cubejs_range range = {.has_first = true, .has_end = true};
    date_of(day, &year, &month, &unused);
    if (part == VC_TIME_DAY || part == VC_TIME_WEEK) {
        int64_t size = part == VC_TIME_WEEK ? 7 : 1;
        int64_t weekday = ((day + 3) % 7 + 7) % 7; /* 0 is Monday: 1970-01-01 was a Thursday */
        range.first = (size == 7 ? day - weekday : day) + shift * size;
        range.end = range.first + size;
        return range;
    }
    int months = part == VC_TIME_YEAR ? 12 : part == VC_TIME_QUARTER ? 3 : 1;
    int64_t first = month - (month - 1) % months + shift * months;
    range.first = first_of_month(year, first);
    range.end = first_of_month(year, first + months);
    return range;
}

vc_cubejs_range vc_cubejs_period_of(int64_t day, vc_time_part part)
{
    return shifted_period(day, part, 0);
}

bool vc_cubejs_key_of(int64_t day, vc_time_part part, char text[VC_TIME_KEY_BYTES])
{
    int64_t year;
    vc_date date;
    date_of(day, &year, &date.month, &date.day);
    if (year < 0 || year > 9999) return false;
    date.year = (int)year;
    vc_date_key(&date, part, text);
    return true;
}

/* Digits and marks alike: "dddd-Qd". */
static bool has_form(vc_str text, const char *form)
{
    if (text.size != strlen(form)) return false;
    for (size_t i = 0; i < text.size; i++)
        if (form[i] == 'd' ? !isdigit((unsigned char)text.data[i]) : text.data[i] != form[i])
            return false;
    return true;
}

static int number_at(vc_str text, size_t at, size_t ndigits)
{
    int number = 0;
    for (size_t i = at; i < at + ndigits; i++)
        number = number * 10 + (text.data[i] - '0');
    return number;
}

bool vc_cubejs_period(vc_str key, vc_time_part part, vc_cubejs_range *range_out)
{
    static const char *const forms[] = {
        [VC_TIME_YEAR] = "dddd",     [VC_TIME_QUARTER] = "dddd-Qd", [VC_TIME_MONTH] = "dddd-dd",
        [VC_TIME_WEEK] = "dddd-Wdd", [VC_TIME_DAY] = "dddd-dd-dd",
    };
    char again[VC_TIME_KEY_BYTES];
    if (part == VC_TIME_NONE || !has_form(key, forms[part])) return false;
    int year = number_at(key, 0, 4), month = 1, day = 1;
    if (part == VC_TIME_QUARTER) month = number_at(key, 6, 1) * 3 - 2;
    if (part == VC_TIME_MONTH || part == VC_TIME_DAY) month = number_at(key, 5, 2);
    if (part == VC_TIME_DAY) day = number_at(key, 8, 2);
    if (month < 1 || month > 12 || day < 1) return false;
    int64_t first = day_of(year, month, day);
    if (part == VC_TIME_WEEK) /* 4 January is in the first one */
        first = vc_cubejs_period_of(day_of(year, 1, 4), VC_TIME_WEEK).first +
                7 * ((int64_t)number_at(key, 6, 2) - 1);
    *range_out = vc_cubejs_period_of(first, part);
    /* A 30 February, a fifth quarter and a week 54 are other periods when written again. */
    int64_t inside = part == VC_TIME_WEEK ? range_out->first + 3 : range_out->first;
    return vc_cubejs_key_of(inside, part, again) && vc_str_is(key, again);
}

void vc_cubejs_put_instant(int64_t day, bool is_end, char text[VC_CUBEJS_INSTANT_BYTES])
{
    int64_t year;
    int month, of_month;
    date_of(day, &year, &month, &of_month);
    snprintf(text, VC_CUBEJS_INSTANT_BYTES, "%04lld-%02d-%02dT%s", (long long)year % 100000, month,
             of_month, is_end ? "23:59:59.999" : "00:00:00.000");
}

int64_t vc_cubejs_today(void)
{
    time_t now = time(NULL);
    return (int64_t)now / 86400;
}

/* ---- what clients write ---- */

vc_status vc_cubejs_moment_read(vc_str text, int64_t *day_out, vc_cubejs_moment *moment_out,
                                vc_error *error)
{
    vc_cubejs_range range;
    vc_str date = {text.data, text.size < 10 ? text.size : 10};
    vc_str rest = {text.data + date.size, text.size - date.size};
    if (!vc_cubejs_period(date, VC_TIME_DAY, &range) ||
        (rest.size > 0 && rest.data[0] != 'T' && rest.data[0] != ' '))
        return vc_fail(error, VC_BAD_INPUT, "bad_value",
                       "'%.*s' is no date like 2020-01-31 or 2020-01-31T23:59:59.999",
                       (int)(text.size > 60 ? 60 : text.size), text.data);
    *day_out = range.first;
    *moment_out = VC_CUBEJS_DATE;
    if (rest.size == 0) return VC_OK;
    rest.data++;
    rest.size--;
    if (vc_str_ends_with(rest, VC_STR("Z"))) rest.size--;
    static const char *const begins[] = {"00:00", "00:00:00", "00:00:00.000", NULL};
    static const char *const ends[] = {"23:59", "23:59:59", "23:59:59.999", NULL};
    for (size_t i = 0; begins[i] != NULL; i++) {
        if (vc_str_is(rest, begins[i])) *moment_out = VC_CUBEJS_BEGIN;
        if (vc_str_is(rest, ends[i])) *moment_out = VC_CUBEJS_END;
    }
    if (*moment_out != VC_CUBEJS_DATE) return VC_OK;
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                   "'%.*s' is a time of day, and facts know days at most: a range begins at "
                   "00:00:00.000 and ends at 23:59:59.999, in UTC",
                   (int)(text.size > 60 ? 60 : text.size), text.data);
}

static vc_status fail_range(vc_body_node node, vc_status status, vc_error *error)
{
    return vc_error_at_place(error, status, vc_body_node_place(node));
}

/* One end of a pair: a moment, or a day in a word. */
static vc_status read_end(vc_str text, int64_t today, int64_t *day_out,
                          vc_cubejs_moment *moment_out, bool *is_relative, vc_error *error)
{
    static const struct {
        const char *word;
        int days;
    } words[] = {{"now", 0}, {"today", 0}, {"yesterday", -1}, {"tomorrow", 1}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text.size != strlen(words[i].word) ||
            strncasecmp(text.data, words[i].word, text.size) != 0)
            continue;
        *day_out = today + words[i].days;
        *moment_out = VC_CUBEJS_DATE;
        *is_relative = true;
        return VC_OK;
    }
    return vc_cubejs_moment_read(text, day_out, moment_out, error);
}

static vc_status read_pair(vc_str from, vc_str to, int64_t today, vc_cubejs_range *range,
                           bool *is_relative, vc_error *error)
{
    int64_t last;
    vc_cubejs_moment begin, end;
    vc_status status = read_end(from, today, &range->first, &begin, is_relative, error);
    if (status == VC_OK) status = read_end(to, today, &last, &end, is_relative, error);
    if (status != VC_OK) return status;
    if (begin == VC_CUBEJS_END || end == VC_CUBEJS_BEGIN)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "a range begins with a day and ends with one: write '%.10s' to '%.10s', or "
                       "the times of day 00:00:00.000 and 23:59:59.999",
                       from.size >= 10 ? from.data : "2020-01-01",
                       to.size >= 10 ? to.data : "2020-12-31");
    if (last < range->first)
        return vc_fail(error, VC_BAD_INPUT, "bad_value", "the range ends before it begins");
    range->end = last + 1;
    range->has_first = range->has_end = true;
    return VC_OK;
}

/* Words between single spaces, in lower case; false when there are too many. */
static size_t take_words(vc_str text, char *copy, size_t size, vc_str *words, size_t max_words)
{
    size_t nwords = 0, at = 0;
    if (text.size >= size) return 0;
    for (size_t i = 0; i < text.size; i++)
        copy[i] = (char)tolower((unsigned char)text.data[i]);
    while (at < text.size) {
        size_t first = at;
        while (at < text.size && copy[at] != ' ')
            at++;
        if (at > first && nwords == max_words) return 0;
        if (at > first) words[nwords++] = (vc_str){copy + first, at - first};
        at++;
    }
    return nwords;
}

/* "last 6 months", "this year". Like Cube: "last" leaves out the period that is not over, "next"
 * begins after it. */
static bool read_words(const vc_str *words, size_t nwords, int64_t today, vc_cubejs_range *range)
{
    bool is_this = vc_str_is(words[0], "this"), is_last = vc_str_is(words[0], "last"),
         is_next = vc_str_is(words[0], "next");
    int64_t count = 1;
    if ((!is_this && !is_last && !is_next) || nwords < 2 || nwords > 3) return false;
    if (nwords == 3 &&
        (is_this || vc_parse_int(words[1], &count) != VC_PARSE_OK || count < 1 || count > 10000))
        return false;
    vc_str unit = words[nwords - 1];
    if (nwords == 3 && vc_str_ends_with(unit, VC_STR("s"))) unit.size--;
    vc_time_part part = vc_cubejs_part_find(unit);
    if (part == VC_TIME_NONE) return false;
    *range = shifted_period(today, part, is_last ? -count : is_next ? 1 : 0);
    range->end = shifted_period(today, part, is_last ? -1 : is_next ? count : 0).end;
    return true;
}

static vc_status read_text(vc_str text, int64_t today, vc_cubejs_range *range, bool *is_relative,
                           vc_error *error)
{
    enum { MAX_WORDS = 6 };
    char copy[80];
    vc_str words[MAX_WORDS];
    size_t nwords = take_words(text, copy, sizeof copy, words, MAX_WORDS);
    char key[VC_TIME_KEY_BYTES];
    if (nwords > 1 && read_words(words, nwords, today, range) &&
        vc_cubejs_key_of(range->first, VC_TIME_DAY, key) &&
        vc_cubejs_key_of(range->end - 1, VC_TIME_DAY, key)) {
        *is_relative = true;
        return VC_OK;
    }
    if (nwords == 4 && vc_str_is(words[0], "from") && vc_str_is(words[2], "to"))
        return read_pair(words[1], words[3], today, range, is_relative, error);
    if (nwords == 1) return read_pair(text, text, today, range, is_relative, error);
    return vc_fail(error, VC_BAD_INPUT, "bad_value",
                   "'%.*s' is no range of dates: there are [\"2020-01-01\", \"2020-12-31\"], "
                   "\"2020-01-31\", \"today\", \"yesterday\", \"tomorrow\", \"this month\", \"last "
                   "6 months\", \"next quarter\" and \"from 2020-01-01 to 2020-12-31\", with day, "
                   "week, month, quarter and year",
                   (int)(text.size > 60 ? 60 : text.size), text.data);
}

vc_status vc_cubejs_range_read(vc_body_node node, int64_t today, vc_arena *arena,
                               vc_cubejs_range *range_out, bool *is_relative, vc_error *error)
{
    vc_str from, to;
    vc_status status;
    *range_out = (vc_cubejs_range){.has_first = true, .has_end = true};
    if (json_is_string(node.json)) {
        status = read_text(vc_json_str(node.json), today, range_out, is_relative, error);
        return status == VC_OK ? VC_OK : fail_range(node, status, error);
    }
    size_t size = json_array_size(node.json);
    if (!json_is_array(node.json) || size < 1 || size > 2)
        return vc_body_node_fail_type(node, "a range: [from, to], one date, or words", error);
    for (size_t i = 0; i < size; i++) {
        vc_body_node end;
        status = vc_body_node_element(node, i, arena, &end, error);
        if (status != VC_OK) return status;
        if (!json_is_string(end.json)) return vc_body_node_fail_type(end, "a date", error);
    }
    from = vc_json_str(json_array_get(node.json, 0));
    to = vc_json_str(json_array_get(node.json, size - 1));
    /* ["last 6 months"] is what some clients send for the words alone. */
    status = size == 1 ? read_text(from, today, range_out, is_relative, error)
                       : read_pair(from, to, today, range_out, is_relative, error);
    return status == VC_OK ? VC_OK : fail_range(node, status, error);
}
