/* How single leaves are called where people read them: by the shortest key that is theirs alone.
 * Threads: pure; what had to be put together is in the arena.
 */
#ifndef SLICE_NAMING_H
#define SLICE_NAMING_H

#include "cube/model.h"

typedef struct vc_namer {
    const vc_dimension *dimension;
    bool has_leaf_keys; /* leaves are told apart by the key of their table only */
    bool has_paths;     /* keys of the lowest level occur under several parents */
} vc_namer;

/* One look at the keys of the lowest level. */
vc_namer vc_namer_of(const vc_dimension *dimension);

/* The same where leaves are those of facts, which go by their keys however many places they have.
 */
vc_namer vc_namer_of_facts(const vc_dimension *dimension);

/* Do members of the level have a key each, whatever is above them? */
bool vc_level_has_unique_keys(const vc_level *level);

/* The key of a leaf: of its member on the lowest level, of its row in the table, or the path
 * ("2020,1", escaped as in a cut). label_out may be NULL; absent where there is no other label. */
vc_str vc_namer_leaf(const vc_namer *namer, uint32_t leaf, vc_arena *arena, vc_str *label_out);

/* The same of a unit of a relation to the dimension: a leaf, or a member of the relation's level.
 */
vc_str vc_namer_unit(const vc_namer *namer, const vc_relation *relation, uint32_t unit,
                     vc_arena *arena, vc_str *label_out);

/* The same of a slot of a dimension of a cube, which may be a synthetic one. */
vc_str vc_namer_slot(const vc_namer *namer, const vc_cube_dimension *outer, uint32_t slot,
                     vc_arena *arena, vc_str *label_out);

#endif
