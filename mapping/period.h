/* Periods of time as dates write them: a year, a month, or a day.
 *
 * A day is the number YYYYMMDD: days compare as numbers, which is all that is needed of them.
 * Threads: pure.
 */
#ifndef MAPPING_PERIOD_H
#define MAPPING_PERIOD_H

#include "base/text.h"

#include "base/arena.h"

#include <stdint.h>

#define VC_DAY_FIRST INT32_MIN /* since ever */
#define VC_DAY_LAST  INT32_MAX /* for ever */

typedef struct vc_period {
    int32_t first, last; /* days, the last one included */
} vc_period;

/* Read "1990", "1990-10" or "1990-10-03": its first day and its last. False when it is none. */
bool vc_period_parse(vc_str text, int32_t *first_out, int32_t *last_out);

/* The same of the keys of a time dimension, which may be quarters and weeks, too: "1990-Q1",
 * "1990-W01" (ISO 8601). */
bool vc_period_parse_key(vc_str text, vc_period *period_out);

/* "1990", "1990-10", "1990-10-03", or where it is none of these "1990-10-01..1990-12-31"; absent
 * when out of memory. */
vc_str vc_period_text(vc_period period, vc_arena *arena);

#endif
