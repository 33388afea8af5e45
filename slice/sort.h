/* Sorting that looks now and then whether the query is still wanted. */
#ifndef SLICE_SORT_H
#define SLICE_SORT_H

#include "slice/plan.h"

/* Sort as qsort_r does, with a comparison that calls no two items equal unless they are the same
 * bytes. Where that lasts, it ends early with VC_CANCELLED, and the items are in any order.
 *
 * item_bytes  4 or 8 */
vc_status vc_sort(const vc_plan *plan, void *items, size_t nitems, size_t item_bytes,
                  int (*compare)(const void *a, const void *b, void *context), void *context,
                  vc_error *error);

#endif
