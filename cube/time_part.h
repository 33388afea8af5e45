/* Keys of derived time levels: year, quarter, month, ISO week and day of an ISO 8601 date.
 *
 * Threads: pure.
 */
#ifndef CUBE_TIME_PART_H
#define CUBE_TIME_PART_H

#include "base/text.h"
#include "cube/definition.h"

typedef struct vc_date {
    int year, month, day; /* Gregorian, 0000 .. 9999 */
} vc_date;

/* Read YYYY-MM-DD, or a longer time stamp: "2020-01-31T23:59", "2020-01-31 23:59:59.5+01:00". The
 * date is taken as written, whatever the time zone. False when it is no such date. */
bool vc_date_parse(vc_str text, vc_date *date_out);

enum { VC_TIME_KEY_BYTES = 12 }; /* the longest key and its NUL */

/* Write the key of a part: "2020", "2020-Q1", "2020-01", "2020-W01" (the ISO week's own year),
 * "2020-01-31". part is not VC_TIME_NONE. Returns its length. */
size_t vc_date_key(const vc_date *date, vc_time_part part, char text[VC_TIME_KEY_BYTES]);

#endif
