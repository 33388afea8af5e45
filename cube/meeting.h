/* Conditions that all hold: what is left of a dimension when several sets of its slots meet.
 *
 * A condition asks for leaves, and shows them where it found them. Where a leaf may stand under
 * several parents these are not the same: what is in the EU and in NATO are the leaves that both
 * have, though no place of theirs is under both. So the sets are intersected by leaves; of a leaf
 * that is left those places stay which the most sets have: all of them, if any place can. The order
 * of the sets makes no difference.
 */
#ifndef CUBE_MEETING_H
#define CUBE_MEETING_H

#include "dimensions/dimension.h"

/* To begin with dimension, nwords and arena are set. */
typedef struct vc_meeting {
    const vc_dimension *dimension;
    size_t nwords; /* of the sets; slots behind the leaves are their own */
    vc_arena *arena;
    uint64_t *all; /* slots that all sets have; NULL: no set was added */
    /* Where leaves have several places: all places of leaves that all sets have, and how many sets
     * have each of them, [nleaves]. */
    uint64_t *leaves;
    uint32_t *counts;
} vc_meeting;

/* bits [nwords] is only read. VC_NO_MEMORY. */
vc_status vc_meeting_add(vc_meeting *meeting, const uint64_t *bits, vc_error *error);

/* What is left of at least one set: *bits_out [nwords] in the arena, to be changed at will.
 * VC_NO_MEMORY. */
vc_status vc_meeting_end(const vc_meeting *meeting, uint64_t **bits_out, vc_error *error);

#endif
