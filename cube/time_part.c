#include "cube/time_part.h"

#include <assert.h>

static bool is_leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

/* Take exactly ndigits digits off the front of the text, a number of at most `max`. */
static bool take_number(vc_str *text, size_t ndigits, int max, int *out)
{
    int number = 0;
    if (text->size < ndigits) return false;
    for (size_t i = 0; i < ndigits; i++) {
        unsigned digit = (unsigned char)text->data[i] - (unsigned)'0';
        if (digit > 9) return false;
        number = number * 10 + (int)digit;
    }
    text->data += ndigits;
    text->size -= ndigits;
    *out = number;
    return number <= max;
}

static bool take_char(vc_str *text, char c)
{
    if (text->size == 0 || text->data[0] != c) return false;
    text->data++;
    text->size--;
    return true;
}

/* "Z", "+01", "+0100", "-05:30" or nothing, up to the end of the text. */
static bool is_zone(vc_str text)
{
    int number;
    if (text.size == 0) return true;
    if (take_char(&text, 'Z') || take_char(&text, 'z')) return text.size == 0;
    if (!take_char(&text, '+') && !take_char(&text, '-')) return false;
    if (!take_number(&text, 2, 23, &number)) return false;
    if (text.size == 0) return true;
    take_char(&text, ':');
    return take_number(&text, 2, 59, &number) && text.size == 0;
}

/* "23:59", "23:59:60", "23:59:59.123" and a zone. */
static bool is_time_of_day(vc_str text)
{
    int number;
    if (!take_number(&text, 2, 24, &number) || !take_char(&text, ':') ||
        !take_number(&text, 2, 59, &number))
        return false;
    if (!take_char(&text, ':')) return is_zone(text);
    if (!take_number(&text, 2, 60, &number)) return false;
    if (take_char(&text, '.') || take_char(&text, ',')) {
        if (!take_number(&text, 1, 9, &number)) return false;
        while (take_number(&text, 1, 9, &number)) {}
    }
    return is_zone(text);
}

bool vc_date_parse(vc_str text, vc_date *date_out)
{
    vc_date date;
    if (!take_number(&text, 4, 9999, &date.year) || !take_char(&text, '-') ||
        !take_number(&text, 2, 12, &date.month) || date.month == 0 || !take_char(&text, '-') ||
        !take_number(&text, 2, 31, &date.day) || date.day == 0 ||
        date.day > days_of_month(date.year, date.month))
        return false;
    if (text.size > 0) {
        if (!take_char(&text, 'T') && !take_char(&text, 't') && !take_char(&text, ' '))
            return false;
        if (!is_time_of_day(text)) return false;
    }
    *date_out = date;
    return true;
}

/* Days since 0000-03-01 of the proleptic Gregorian calendar: years begin in March, so that the
 * leap day is the last of its year. */
static int count_days(int year, int month, int day)
{
    int y = month <= 2 ? year + 399 : year + 400; /* 400 years later: never negative */
    int m = month <= 2 ? month + 9 : month - 3;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
}

/* 0 is Monday: 0000-03-01 was a Wednesday, and 400 years are a whole number of weeks. */
static int find_weekday(int days)
{
    return (days + 2) % 7;
}

/* The Monday of the week that holds 4 January, which is week 1. */
static int find_first_week(int year)
{
    int days = count_days(year, 1, 4);
    return days - find_weekday(days);
}

static void find_week(const vc_date *date, int *year_out, int *week_out)
{
    int days = count_days(date->year, date->month, date->day);
    int year = date->year;
    if (days < find_first_week(year))
        year--;
    else if (days >= find_first_week(year + 1))
        year++;
    *year_out = year;
    *week_out = (days - find_first_week(year)) / 7 + 1;
}

static size_t put_number(char *text, size_t at, int number, size_t ndigits)
{
    for (size_t i = ndigits; i > 0; i--) {
        text[at + i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + ndigits;
}

size_t vc_date_key(const vc_date *date, vc_time_part part, char text[VC_TIME_KEY_BYTES])
{
    int year = date->year, week = 0;
    assert(part != VC_TIME_NONE);
    if (part == VC_TIME_WEEK) find_week(date, &year, &week);
    if (year < 0) year = 0; /* the days of 0000 before its first week */
    size_t at = put_number(text, 0, year, 4);
    if (part != VC_TIME_YEAR) text[at++] = '-';
    if (part == VC_TIME_QUARTER) {
        text[at++] = 'Q';
        at = put_number(text, at, (date->month + 2) / 3, 1);
    } else if (part == VC_TIME_WEEK) {
        text[at++] = 'W';
        at = put_number(text, at, week, 2);
    } else if (part == VC_TIME_MONTH || part == VC_TIME_DAY) {
        at = put_number(text, at, date->month, 2);
    }
    if (part == VC_TIME_DAY) {
        text[at++] = '-';
        at = put_number(text, at, date->day, 2);
    }
    text[at] = '\0';
    return at;
}
