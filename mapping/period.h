/* Periods of time as dates write them: a year, a month, or a day.
 *
 * A day is the number YYYYMMDD: days compare as numbers, which is all that is needed of them.
 * Threads: pure.
 */
#ifndef MAPPING_PERIOD_H
#define MAPPING_PERIOD_H

#include "base/text.h"

#include <stdint.h>

#define VC_DAY_FIRST INT32_MIN /* since ever */
#define VC_DAY_LAST  INT32_MAX /* for ever */

/* Read "1990", "1990-10" or "1990-10-03": its first day and its last. False when it is none. */
bool vc_period_parse(vc_str text, int32_t *first_out, int32_t *last_out);

#endif
