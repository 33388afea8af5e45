/* What pivot.c and pivot_heads.c share. */
#ifndef REPORT_PIVOT_PARTS_H
#define REPORT_PIVOT_PARTS_H

#include "base/strmap.h"
#include "report/pivot.h"

typedef struct vc_heads_axis { /* a dimension of a direction */
    vc_str dimension;          /* of the head's answer */
    size_t nlevels;
    bool is_by_member; /* heads stand in member order, not in that of the rows */
    vc_strmap ways;    /* ways down to a member, so that several answers have the same numbers */
} vc_heads_axis;

/* One direction of a grid. Its heads are a tree: a unit of depth for each level of each dimension,
 * a node for each way down that occurs, numbered as they come. */
typedef struct vc_heads {
    vc_arena *arena; /* of the grid */
    size_t naxes;
    vc_heads_axis *axes; /* [naxes] */
    size_t depth;        /* units: levels of all axes */
    vc_strmap nodes;
    vc_buffer heads; /* vc_grid_head [nodes] */
    vc_buffer
        ways; /* uint32_t [nodes] of its axis: in member order, as far as an answer is whole */
    vc_buffer leaves; /* uint32_t [nodes]: the leaf that a node is, where it is one */
    vc_buffer paths;  /* uint32_t [nleaves * depth]: nodes from the top down */
    vc_buffer totals; /* bool [nleaves * depth]: is it a total? */
    size_t nleaves;
    uint32_t *order; /* [nleaves] leaves in the order of the grid */
    uint32_t *place; /* [nleaves] where each stands */
} vc_heads;

/* Directions are made of zeroes and an arena; `axes` has room for all dimensions. */
void vc_heads_put_axis(vc_heads *heads, const vc_result_axis *axis, bool is_by_member);
void vc_heads_release(vc_heads *heads);

/* The leaf of each row of an answer, [nrows]; VC_NONE: it sums up nothing that is there. */
vc_status vc_heads_add(vc_heads *heads, const vc_result *result, bool is_upper,
                       uint32_t *leaf_of_out, vc_error *error);

/* Put the leaves in order. Nothing is added then. */
vc_status vc_heads_sort(vc_heads *heads, vc_error *error);

/* Write the heads of a unit: out[i * step], i < nleaves, spans counted in leaves. */
void vc_heads_write(const vc_heads *heads, size_t unit, vc_grid_head *out, size_t step);

/* Is the leaf at a place a total? */
bool vc_heads_is_total(const vc_heads *heads, size_t place);

#endif
