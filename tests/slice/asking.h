/* For tests: random queries over a cube of a random world, and queries as text for people. */
#ifndef TESTS_SLICE_ASKING_H
#define TESTS_SLICE_ASKING_H

#include "base/buffer.h"
#include "tests/slice/oracle.h"

/* Make a query. max_groups  about how many rows it may have */
vc_query asking_make(const struct oracle *oracle, const char *cube, struct random *random,
                     unsigned max_groups, vc_arena *arena);

/* The query as a JSON body, for `vcube query --body`. */
void asking_print(const vc_query *query, vc_buffer *out);

#endif
