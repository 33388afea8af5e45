/* For tests: a question that fails made smaller, and the world it is asked of. */
#ifndef TESTS_SLICE_SHRINK_H
#define TESTS_SLICE_SHRINK_H

#include "slice/query.h"
#include "tests/slice/oracle.h"

/* Leave out of the query, part by part, what it fails without. `fails` is asked of smaller ones. */
void shrink_query(vc_query *query, const struct oracle *oracle,
                  bool (*fails)(void *context, const vc_query *query), void *context,
                  vc_arena *arena);

/* Leave out facts, in halves, quarters, ..., as long as `fails` says so of the world; at most
 * max_tries questions. A leaf that is known by its facts alone keeps one. */
void shrink_facts(struct world *world, bool (*fails)(void *context), void *context,
                  unsigned max_tries);

#endif
