/* Where the cut stands on a dimension that is rolled up: "2020" is not All. Private to slice/. */
#ifndef SLICE_POSITION_H
#define SLICE_POSITION_H

#include "slice/plan.h"

typedef struct vc_position {
    unsigned hierarchy, level;
    uint32_t member;
} vc_position;

/* The one member whose leaves are what the conditions leave of a dimension; false: there is none.
 * Where several are (the year that has one month only), the one at the level that a condition
 * names, else the highest one of the first hierarchy that has any.
 *
 * hierarchy  -1: any
 *
 * Costs a look at each leaf for each level. */
bool vc_plan_position(const vc_plan *plan, size_t dimension, int hierarchy,
                      vc_position *position_out);

#endif
