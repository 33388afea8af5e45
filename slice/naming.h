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

/* Places of one leaf that go by the same name are told once in a list. */
typedef struct vc_telling_once {
    const vc_dimension *dimension;
    uint32_t *lists; /* [leaves] number of the list that has it; NULL: all names are told apart */
    uint32_t list;   /* at hand */
} vc_telling_once;

/* VC_NO_MEMORY. The first list begins. */
vc_status vc_telling_once_init(const vc_namer *namer, vc_arena *arena, vc_telling_once *once_out,
                               vc_error *error);

void vc_telling_once_next(vc_telling_once *once); /* the next list */

/* Is the leaf told in this list by another place already? Then it is, from now on. */
bool vc_telling_once_is_told(vc_telling_once *once, uint32_t leaf);

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
