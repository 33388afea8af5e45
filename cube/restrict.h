/* A source cube as somebody sees it who may not see all of its members.
 *
 * What is hidden is not there: the cube has the dimensions that a load of the visible facts and
 * rows alone would have made, member by member, numbered anew; and facts with a hidden leaf are
 * passed over by whoever reads facts (vc_leaf_mask). So whatever is asked of it has the answer that
 * a cube would give which never held the rest: totals, counts, lists of members, joins and their
 * coverage, messages. Nothing is copied but the dimensions.
 *
 * Of a dimension that was loaded with a table of its own, rows stay although no visible fact is on
 * them. One that is made of the facts has the leaves of the visible facts only. In a parent-child
 * hierarchy the members above a visible one are there, without facts of their own.
 *
 * Threads: what is made is immutable.
 */
#ifndef CUBE_RESTRICT_H
#define CUBE_RESTRICT_H

#include "cube/source.h"

/* bits       [ndimensions], each [leaves] bits of what may be seen; NULL: all of the dimension
 * shown_out  in the arena, as is all that it has of its own; borrows the rest from `whole`, so it
 * is not to be closed
 *
 * VC_CONFLICT, code "definition_changed", where a shared dimension was defined anew since the cube
 * was loaded: its rows cannot be read in its old form. VC_NO_MEMORY; errors of reading.
 * Cost: a pass over the columns of the facts that are restricted or make a dimension, and building
 * these dimensions (about a microsecond a row). */
vc_status vc_source_cube_restrict(const vc_source_cube *whole, const vc_snapshot *snapshot,
                                  const uint64_t *const *bits, vc_arena *arena,
                                  const vc_source_cube **shown_out, vc_error *error);

/* Bits of leaves of the whole cube's dimension, as bits of those that are seen. In the arena. */
vc_status vc_source_cube_show_leaves(const vc_source_cube *shown, size_t dimension,
                                     const uint64_t *bits, vc_arena *arena, uint64_t **bits_out,
                                     vc_error *error);

#endif
