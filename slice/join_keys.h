/* The keys by which a source is joined along a dimension, as they were found: what a relation,
 * which knows only leaves, was made from. Threads: pure; everything is in the arena.
 */
#ifndef SLICE_JOIN_KEYS_H
#define SLICE_JOIN_KEYS_H

#include "cube/model.h"

typedef struct vc_join_key { /* one pair of `on` */
    const vc_on_def *on;
    const vc_index *from, *to; /* NULL: a constant */
    size_t component;          /* of tuples, in which `to` is */
    uint32_t *from_values;     /* [members of the index] into from->values, or VC_NONE */
    uint32_t *to_values;       /* likewise */
} vc_join_key;

typedef struct vc_join_keys {
    const vc_cube_source *source;
    const vc_binding *binding;
    const vc_dimension *outer;
    size_t nkeys; /* 0: joined by leaf, not by keys */
    vc_join_key *keys;
} vc_join_keys;

/* O(members of the indexes). */
vc_status vc_join_keys_new(const vc_cube *cube, size_t source, size_t dimension, vc_arena *arena,
                           vc_join_keys *keys_out, vc_error *error);

/* "geo.iso2 = city.country_iso and ..."; absent when there are no keys. */
vc_str vc_join_keys_text(const vc_join_keys *keys, vc_arena *arena);

/* The key of a joined leaf (or tuple), its components joined by ", "; absent: it has none. */
vc_str vc_join_keys_of_leaf(const vc_join_keys *keys, uint32_t leaf, vc_arena *arena);

/* The key of a unit of the primary. */
vc_str vc_join_keys_of_unit(const vc_join_keys *keys, uint32_t unit, vc_arena *arena);

#endif
