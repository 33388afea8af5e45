/* Tuples of leaves: the coordinates that facts have along several dimensions together.
 *
 * A composite key whose components lie in several dimensions of the joined cube relates members of
 * the primary to such tuples, not to members of each dimension: facts of (GBP, 2020) and (EUR,
 * 2021) are two tuples, not four. A tuple counts when a fact has it. Tuples are numbered in the
 * order of their leaves (vc_dimension_order_leaves), the first component the most significant, so
 * numbers do not depend on the order in which facts or members were loaded.
 *
 *     vc_tuples_new, vc_tuples_add for all facts, vc_tuples_finish, then vc_tuples_find
 *
 * Threads: immutable once finished.
 */
#ifndef MAPPING_TUPLES_H
#define MAPPING_TUPLES_H

#include "dimensions/dimension.h"

enum { VC_MAX_COMPONENTS = 16 };

typedef struct vc_tuples {
    size_t ncomponents;
    const vc_dimension *const *dimensions; /* [ncomponents] of the joined cube */
    uint32_t count;
    const uint32_t *leaves; /* [ncomponents][count] */
    /* Finding them: a tuple's code is the sum of leaf * stride. */
    uint64_t strides[VC_MAX_COMPONENTS];
    uint64_t ncodes;
    uint32_t *dense; /* [ncodes] numbers, or VC_NONE; NULL where codes are too many */
    uint64_t *codes; /* [mask + 1] code + 1 by hash, 0: free; else NULL */
    uint32_t *numbers;
    uint64_t mask;
} vc_tuples;

/* dimensions  [ncomponents], at least 2; borrowed for as long as the tuples live
 * nrows       facts that will be added
 *
 * VC_LIMIT, code "limit_tuples", when the dimensions have 2^63 combinations or more. */
vc_status vc_tuples_new(const vc_dimension *const *dimensions, size_t ncomponents, uint64_t nrows,
                        vc_tuples **tuples_out, vc_error *error);
void vc_tuples_free(vc_tuples *tuples); /* NULL is fine */

/* The codes of n facts: leaves of one component are added. codes [n] in/out, 0 before the first. */
static inline void vc_tuples_add_component(const vc_tuples *tuples, size_t component,
                                           const uint32_t *deltas, uint32_t base, size_t n,
                                           uint64_t *codes)
{
    uint64_t stride = tuples->strides[component];
    for (size_t i = 0; i < n; i++)
        codes[i] += (uint64_t)(base + deltas[i]) * stride;
}

/* Take note of the codes of facts. VC_NO_MEMORY; VC_LIMIT "limit_tuples" past 2^31 tuples. */
vc_status vc_tuples_add(vc_tuples *tuples, const uint64_t *codes, size_t n, vc_error *error);

/* Number what was added. O(count log count) at most. */
vc_status vc_tuples_finish(vc_tuples *tuples, vc_error *error);

/* The numbers of codes; VC_NONE for one that was not added. */
void vc_tuples_find(const vc_tuples *tuples, const uint64_t *codes, size_t n,
                    uint32_t *numbers_out);

/* The leaf of a tuple in a component. */
static inline uint32_t vc_tuples_leaf(const vc_tuples *tuples, size_t component, uint32_t tuple)
{
    return tuples->leaves[component * tuples->count + tuple];
}

#endif
