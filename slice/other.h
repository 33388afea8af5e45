/* The row of all that a top leaves out. Private to slice/. */
#ifndef SLICE_OTHER_H
#define SLICE_OTHER_H

#include "slice/plan.h"

typedef struct vc_top_split { /* what a top made of the rows */
    const vc_top *top;
    size_t axis;
    const uint32_t *kept, *dropped; /* [nkept], [ndropped] rows, ascending */
    size_t nkept, ndropped;
    bool is_filtered; /* having had left rows out before: they belong to neither */
} vc_top_split;

/* The kept rows and, behind those of each combination of the other axes, the row of the others,
 * scanned from the facts of all selected members that are not kept there. A combination without
 * such facts has none. rows_out shares the grain of `detail`, which it stands for from then on.
 * Errors: as of stitching; VC_IMPOSSIBLE "not_exact". */
vc_status vc_other_add(vc_plan *plan, const vc_rows *detail, const vc_top_split *split,
                       vc_rows **rows_out, vc_error *error);

/* Is a row one of the others? */
static inline bool vc_row_is_other(const vc_plan *plan, const vc_rows *rows, size_t row)
{
    for (size_t i = 0; i < plan->naxes; i++)
        if (plan->axes[i].has_other &&
            vc_rows_group(plan, rows, rows->keys[row], i) == plan->axes[i].ngroups - 1)
            return true;
    return false;
}

#endif
