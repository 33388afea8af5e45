/* Rows that see the facts of some combinations of members only: totals of what is shown, and the
 * row of all that a top leaves out. Private to slice/.
 *
 * Adding up rows would be wrong for all that is not a plain sum, so such a row is scanned from the
 * facts as any other is. Where the combinations are all those of some members (a product), that is
 * a selection of members, and nothing else is new. Where they are not (the best three per year),
 * each fact that is read is asked whether one of its combinations is among them.
 */
#ifndef SLICE_NARROW_H
#define SLICE_NARROW_H

#include "slice/plan.h"

typedef struct vc_narrowing {
    uint32_t axes;          /* mask: what the combinations are over */
    const uint32_t *groups; /* [count * naxes of the plan]; those of other axes are not looked at */
    size_t count;
    bool is_complement; /* all but these; the axes are the first ones */
    size_t cut_axis;    /* its dimension counts as cut, for policies; SIZE_MAX: none */
    uint32_t kept;      /* mask: the axes of the rows to be stitched */
    vc_place place;     /* of what asked for it, for errors */
} vc_narrowing;

/* A plan like this one, but narrowed; to be given to vc_stitch with the kept axes. Lives in the
 * plan's arena. Errors: VC_IMPOSSIBLE "not_exact", with the place. */
vc_status vc_plan_narrow(const vc_plan *plan, const vc_narrowing *narrowing, vc_plan **narrowed_out,
                         vc_error *error);

/* The combinations of a pass. */
struct vc_combinations {
    const vc_table *table; /* keeps the axes: from a leaf to its groups */
    uint64_t *keys;        /* [nkeys] of the table, ascending */
    size_t nkeys;
    const uint64_t *bits; /* [ncells of the table], the same; NULL: too many cells */
    bool is_complement;
};

static inline bool vc_combinations_have(const vc_combinations *combinations, uint64_t key)
{
    size_t first = 0, end = combinations->nkeys;
    if (combinations->bits != NULL)
        return vc_bit_get(combinations->bits, key) != combinations->is_complement;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (combinations->keys[middle] < key)
            first = middle + 1;
        else
            end = middle;
    }
    bool is_in = first < combinations->nkeys && combinations->keys[first] == key;
    return is_in != combinations->is_complement;
}

#endif
