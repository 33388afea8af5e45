/* The filters of a body: conditions on members, as a small tree of `and` and `or`.
 * Threads: pure.
 */
#ifndef QUERY_FILTER_H
#define QUERY_FILTER_H

#include "base/json.h"
#include "base/list.h"
#include "slice/query.h"

/* Add the conditions of one filter, which all hold, to a list of `vc_condition *`.
 *
 * An `and` at the top is taken apart; an `or` must stay within one dimension (VC_IMPOSSIBLE, code
 * "or_dimensions"). Depth is bounded by that of the JSON.
 *
 * pointer  of the filter, "/filters/0" */
vc_status vc_filter_read(const json_t *json, const char *pointer, vc_arena *arena,
                         vc_list *conditions, vc_error *error);

#endif
