/* For tests: an answer of the engine beside that of the slow evaluator. */
#ifndef TESTS_SLICE_COMPARE_H
#define TESTS_SLICE_COMPARE_H

#include "base/buffer.h"
#include "tests/slice/oracle.h"

/* Rows, members, cells with their reasons, totals, the summary and the coverage. Where they differ,
 * it says so in `why` and returns false.
 *
 * coverage  COMPARE_KNOWN: cubes may have two versions of a shared dimension, joined by its keys,
 * of which the evaluator knows nothing: that is not looked at. COMPARE_NONE: nor is the rest */
enum compare_coverage { COMPARE_ALL, COMPARE_KNOWN, COMPARE_NONE };

bool compare_answers(const struct oracle *oracle, const vc_query *query, const vc_result *result,
                     const struct oracle_answer *expected, enum compare_coverage coverage,
                     vc_buffer *why);

#endif
