/* Numbering the leaves of a dimension depth first again.
 *
 * Leaves that were appended come last, wherever in the hierarchy they belong. So members are many
 * ranges of leaves instead of one, and facts that are stored by leaf lie in the order of arrival.
 * Renumbering gives every leaf the number that a load of all rows at once would have given it; the
 * image becomes the one that such a load would have written, to the last byte. Members, their
 * order, labels, attributes and what indexes lead to stay as they are; so does the order in which
 * rows were loaded, which an append goes on with.
 * Threads: the dimension is only read.
 */
#ifndef DIMENSIONS_RENUMBER_H
#define DIMENSIONS_RENUMBER_H

#include "base/buffer.h"
#include "dimensions/dimension.h"

/* Is every member of the main hierarchy one range of leaves? Then renumbering has nothing to give.
 */
bool vc_dimension_is_depth_first(const vc_dimension *dimension);

/* The leaves in the order in which a load of all rows at once would number them: by member of the
 * lowest level of the main hierarchy, then by key; where leaves have no key, by the columns of
 * their rows from left to right.
 *
 * order_out  [nleaves] leaves, in the arena
 * VC_NO_MEMORY; VC_CORRUPT when the rows cannot be read. O(nleaves), more where many leaves share
 * a member. */
vc_status vc_dimension_order_leaves(const vc_dimension *dimension, vc_arena *arena,
                                    const uint32_t **order_out, vc_error *error);

/* Write the image of the renumbered dimension.
 *
 * image       replaced
 * leaves_out  [nleaves] the new number of each leaf, in the arena, as is what the work needs
 *             (about 60 bytes a leaf)
 * VC_NO_MEMORY; VC_CORRUPT, code "storage_damaged". */
vc_status vc_dimension_renumber(const vc_dimension *dimension, vc_arena *arena, vc_buffer *image,
                                const uint32_t **leaves_out, vc_error *error);

#endif
