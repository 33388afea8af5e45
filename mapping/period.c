#include "mapping/period.h"

/* Digits of a part, without a sign; -1 when there are others. */
static int32_t read_part(vc_str text, size_t first, size_t count)
{
    int32_t value = 0;
    for (size_t i = first; i < first + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return -1;
        value = 10 * value + (text.data[i] - '0');
    }
    return value;
}

static int32_t last_day_of(int32_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && is_leap);
}

bool vc_period_parse(vc_str text, int32_t *first_out, int32_t *last_out)
{
    int32_t first_month = 1, last_month = 12, first_day = 1;
    if (text.size != 4 && text.size != 7 && text.size != 10) return false;
    int32_t year = read_part(text, 0, 4);
    if (year < 0) return false;
    if (text.size >= 7) {
        first_month = last_month = text.data[4] == '-' ? read_part(text, 5, 2) : -1;
        if (first_month < 1 || first_month > 12) return false;
    }
    int32_t last_day = last_day_of(year, last_month);
    if (text.size == 10) {
        first_day = text.data[7] == '-' ? read_part(text, 8, 2) : -1;
        if (first_day < 1 || first_day > last_day) return false;
        last_day = first_day;
    }
    *first_out = year * 10000 + first_month * 100 + first_day;
    *last_out = year * 10000 + last_month * 100 + last_day;
    return true;
}

/* Days since 1970-01-01, and back (H. Hinnant, chrono-compatible low-level date algorithms). */
static int64_t days_of(int32_t year, int32_t month, int32_t day)
{
    int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int32_t day_of(int64_t days)
{
    days += 719468;
    int64_t era = days / 146097, of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100),
            month = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    return (int32_t)((year + era * 400 + (month <= 2)) * 10000 + month * 100 + day);
}

bool vc_period_parse_key(vc_str text, vc_period *period_out)
{
    if (vc_period_parse(text, &period_out->first, &period_out->last)) return true;
    bool is_quarter = text.size == 7 && text.data[4] == '-' && text.data[5] == 'Q';
    bool is_week = text.size == 8 && text.data[4] == '-' && text.data[5] == 'W';
    if (!is_quarter && !is_week) return false;
    int32_t year = read_part(text, 0, 4), number = read_part(text, 6, text.size - 6);
    if (year < 1 || number < 1 || number > (is_quarter ? 4 : 53)) return false;
    if (is_quarter) {
        *period_out =
            (vc_period){.first = year * 10000 + (3 * number - 2) * 100 + 1,
                        .last = year * 10000 + 3 * number * 100 + last_day_of(year, 3 * number)};
        return true;
    }
    /* The first week is the one with the 4th of January; 1970-01-05 was a Monday. */
    int64_t fourth = days_of(year, 1, 4), monday = fourth - ((fourth - 4) % 7 + 7) % 7;
    *period_out = (vc_period){.first = day_of(monday + 7 * (number - 1)),
                              .last = day_of(monday + 7 * (number - 1) + 6)};
    return true;
}

vc_str vc_period_text(vc_period period, vc_arena *arena)
{
    int32_t year = period.first / 10000, month = period.first / 100 % 100, day = period.first % 100;
    int32_t last_month = period.last / 100 % 100, last_day = period.last % 100;
    if (period.first == period.last)
        return vc_arena_printf(arena, "%04d-%02d-%02d", year, month, day);
    if (period.last / 10000 == year && day == 1 && last_day == last_day_of(year, last_month)) {
        if (month == last_month) return vc_arena_printf(arena, "%04d-%02d", year, month);
        if (month == 1 && last_month == 12) return vc_arena_printf(arena, "%04d", year);
    }
    return vc_arena_printf(arena, "%04d-%02d-%02d..%04d-%02d-%02d", year, month, day,
                           period.last / 10000, last_month, last_day);
}
