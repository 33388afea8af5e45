/* The rows of a grouping while they are stitched, and those of calculated members. Private to
 * slice/stitch.c and slice/calculated_rows.c.
 */
#ifndef SLICE_CALCULATED_ROWS_H
#define SLICE_CALCULATED_ROWS_H

#include "slice/calculated.h"

#include "base/list.h"

typedef struct vc_stitching {
    vc_plan *plan;
    uint32_t kept;
    vc_rows *rows;
    vc_grain *grain;
    vc_frame *frame;             /* where there are functions over members, or calculated ones */
    const uint64_t *const *only; /* [naxes] bits of groups that keys are combined of, beside what is
                                    visible; NULL: of all */
    bool shows_calculated;
} vc_stitching;

typedef struct vc_row_keys {
    uint64_t *items;
    size_t count, capacity;
    uint64_t max;
} vc_row_keys;

/* Add a key. VC_LIMIT "limit_cells" when there are too many. */
vc_status vc_row_keys_add(vc_arena *arena, vc_row_keys *keys, uint64_t key, vc_error *error);

/* Add a key for each combination of visible groups on the axes of `mask`, from `axis` on. */
vc_status vc_row_keys_combine(const vc_stitching *in, uint32_t mask, size_t axis, uint64_t key,
                              vc_row_keys *keys, vc_error *error);

/* Add the keys of the cells that a pass has. */
vc_status vc_row_keys_of_pass(const vc_stitching *in, size_t pass, vc_row_keys *keys,
                              vc_error *error);

/* Add the keys of the rows that stand at calculated members: where some operand has facts, or all
 * combinations. */
vc_status vc_row_keys_calculated(const vc_stitching *in, bool is_sparse, vc_row_keys *keys,
                                 vc_error *error);

/* Into member order, in which calculated members stand behind their siblings. */
vc_status vc_row_keys_sort(const vc_stitching *in, vc_row_keys *keys, vc_error *error);

#endif
