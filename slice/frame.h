/* Frames: other groupings that functions over members look into (semantics, section 11).
 *
 * A *frame* is a grouping whose cells can be asked for, base measures and calculated ones alike:
 * the rows at hand are one, the rows a level higher (`parent`, `share`), the same rows past the cut
 * on a dimension (`previous`, `growth`), the rows at a lower level (`agg_over`) are others. Each is
 * scanned once, at its own grain, however many rows look into it. Functions in the argument of a
 * function lead from frame to frame. A *link* is a call as it is in one frame: which frame its
 * argument is evaluated in, and at which group.
 *
 *     frame.c    frames and links, made before the first row      members.c   values at cells
 *
 * Which frames there are depends on the expressions and the grouping only, not on what is in the
 * cells, so that `explain` knows them. Lifetime: the query's arena, and vc_frames_release.
 */
#ifndef SLICE_FRAME_H
#define SLICE_FRAME_H

#include "slice/plan.h"

typedef struct vc_link {
    const vc_member_call *call;
    size_t measure;            /* of the plan, in whose expression it stands */
    size_t dimension;          /* of the cube */
    size_t axis;               /* of the frame; SIZE_MAX: the dimension is rolled up there */
    unsigned hierarchy, level; /* along which, and the level that it names */
    bool is_foreign;           /* another hierarchy is drilled: null, reason g */
    vc_frame *other; /* where the argument is evaluated besides the frame itself; NULL: nowhere */
    size_t other_axis;
    vc_frame *const *parents; /* parent, share: where the argument is evaluated, for each group */
    const uint32_t
        *targets;          /* of each group of the axis (of the first only, where it is rolled
                            * up): parent, share      its parent in the frame `parents` says; VC_NONE: All
                            *   previous, growth   the member before in `other`; VC_NONE: none
                            *   running            its window
                            *   moving_avg         its place in `order`; VC_NONE: none
                            * agg_over: of each group of other_axis, the group it is part of */
    const uint32_t *order; /* [norder] moving_avg: groups of all members of the cube, in order */
    uint32_t norder;
} vc_link;

typedef struct vc_memo_entry { /* what was found at a cell */
    uint64_t key;
    uint32_t tag; /* 2 * measure, or 2 * call + 1 */
    bool is_used;
    vc_number number;
    const vc_number *line; /* of a call: of all groups of its axis, from the first visible one */
} vc_memo_entry;

/* One dimension of a frame that is another one's otherwise. */
typedef struct vc_frame_change {
    size_t dimension;
    bool is_kept;              /* at this level; else rolled up */
    unsigned hierarchy, level; /* of a kept one */
    bool is_collapsed;         /* a bucket is one group */
    bool is_lifted;            /* past the cut */
    const uint64_t *needed;    /* bits of groups; NULL: all */
    bool is_replaced;          /* rolled up, with another cut: */
    const uint64_t *slots;     /* NULL: none */
    size_t fixed;              /* rolled up, at a calculated member: its number + 1; 0: none */
    vc_str name;               /* for explain: ", previous date" */
} vc_frame_change;

enum { VC_FIXED_SEVERAL = 1 << 30 }; /* calculated members, and they are in no total */

typedef struct vc_frame_move { /* where an operand of a calculated member leads */
    struct vc_frame_move *next;
    const vc_coordinate *to;
    vc_frame *frame;
} vc_frame_move;

struct vc_frame {
    const vc_plan *base; /* whose axes, selections and grouping it began with */
    vc_plan *plan;       /* with those of the frame */
    vc_grain *grain;
    const vc_grain *finer;   /* cells that may be rolled up to it; or NULL */
    const bool *is_lifted;   /* [ndimensions] past the cut */
    const uint64_t **needed; /* [ndimensions] groups that are asked for; NULL: all */
    uint64_t strides[VC_MAX_AXES];
    bool *is_ready;         /* [nmeasures] */
    struct vc_ready *ready; /* the expressions that are */
    vc_link **links;        /* [ncalls of the plan] NULL: not made */
    /* Where the plan has calculated members: [ndimensions], else NULL. */
    size_t *fixed;             /* rolled up at one: its number + 1 */
    bool *is_replaced;         /* the cut is an operand's */
    const uint64_t **replaced; /* by these slots */
    vc_frame_move *moves;      /* those met so far */
    vc_memo_entry *memo;
    size_t nmemo, memo_size; /* a power of two */
    vc_frame *next;
};

/* The frame of rows, with all that its measures look into. Costs the scans of the other frames.
 * Errors: limit_cells, limit_axes, limit_measures. */
vc_status vc_frame_of_rows(vc_plan *plan, vc_grain *grain, vc_frame **frame_out, vc_error *error);

/* The frame that differs from another one by one dimension; itself when it does not. */
vc_status vc_frame_find(vc_frame *from, const vc_frame_change *change, vc_frame **frame_out,
                        vc_error *error);

/* Scan and link what a measure, or an expression of one, reads at cells of the frame. */
vc_status vc_frame_need_measure(vc_frame *frame, size_t measure, vc_error *error);
vc_status vc_frame_need_expr(vc_frame *frame, size_t measure, const vc_expr *expr, vc_error *error);

/* The value of a measure, or of an expression of one, at a cell of a frame that is no row; a count
 * without facts is null. */
vc_status vc_frame_read(vc_frame *frame, size_t measure, const uint32_t *groups,
                        vc_number *value_out, vc_error *error);
vc_status vc_frame_evaluate(vc_frame *frame, size_t measure, const vc_expr *expr,
                            const uint32_t *groups, vc_number *value_out, vc_error *error);

/* The same at the calculated member itself, which comes to be when the measure is late. */
vc_status vc_frame_evaluate_there(vc_frame *frame, size_t measure, const vc_expr *expr,
                                  const uint32_t *groups, vc_number *value_out, vc_error *error);

/* The axis of a plan on a dimension; SIZE_MAX: none. */
size_t vc_plan_find_axis(const vc_plan *plan, size_t dimension);

/* The value of a call (by number, of the expression of a measure) at a cell of a frame.
 *
 * groups  [naxes of the frame's plan]
 * row     the row at hand, when the cell is its own: what it has is not computed again, and a count
 *         without facts is 0. NULL: another cell, where such a count is null, reason e, as there is
 *         no row that would show it
 *
 * Errors: limit_cells when more cells are looked into than an answer may have for each call; those
 * of reading. */
vc_status vc_frame_call(vc_frame *frame, size_t measure, size_t call, const uint32_t *groups,
                        vc_row_at *row, vc_number *value_out, vc_error *error);

/* An expression (that of a measure, or an argument in it) at the row at hand. */
vc_status vc_row_evaluate(vc_row_at *row, size_t measure, const vc_expr *expr, vc_number *value_out,
                          vc_error *error);

/* Room for what an expression is computed from: few [VC_FEW_NUMBERS], or to be freed. */
enum { VC_FEW_NUMBERS = 32 };
vc_number *vc_numbers_borrow(const vc_plan_measure *measure, const vc_expr *expr, vc_number *few,
                             vc_error *error);

#endif
