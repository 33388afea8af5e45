/* Relations of dimensions in which a leaf has several places (dimensions/dimension.h).
 *
 * Threads: as mapping/relation.h.
 */
#ifndef MAPPING_RELATION_PLACES_H
#define MAPPING_RELATION_PLACES_H

#include "mapping/relation.h"

/* From each leaf, by which facts know it, to its places: how a source's own facts find what stands
 * above them. Doubles lead nowhere, and no fact has one. Matches all. O(nleaves).
 * VC_NO_MEMORY. */
vc_status vc_relation_of_places(const vc_dimension *dimension, vc_arena *arena,
                                const vc_relation **relation_out, vc_error *error);

/* Make a relation between numbers of leaves, as any join resolves to, one between leaves: a joined
 * leaf has the units of all its places, its doubles none; is matched when one of them is; has, of a
 * leaf of the primary, all places or none; and is counted once in coverage, as are those. Does
 * nothing where no leaf has several places. relation is in/out; VC_NO_MEMORY. */
vc_status vc_relation_fold_places(const vc_dimension *primary, const vc_dimension *joined,
                                  vc_arena *arena, vc_relation *relation, vc_error *error);

#endif
