/* The members of a dimension as a cube has them, for whoever lists them. Threads: pure. */
#ifndef CUBE_BROWSE_H
#define CUBE_BROWSE_H

#include "cube/model.h"
#include "dimensions/members.h"

/* What vc_dimension_browse finds, without the members that the cube's inner and right joins hide:
 * those of which no leaf is visible. Errors and costs as there; where some are hidden, a look at
 * each member that the filter finds, and at each leaf once for each level.
 *
 * members_out  [nmembers] of the page, in the arena; *ntotal_out counts all */
vc_status vc_cube_browse(const vc_cube_dimension *outer, const vc_member_filter *filter,
                         vc_arena *arena, vc_member_ref **members_out, size_t *nmembers_out,
                         size_t *ntotal_out, vc_error *error);

#endif
