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
