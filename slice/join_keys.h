/* The keys by which a source is joined along a dimension, as they were found: what a relation,
 * which knows only leaves, was made from. Threads: pure; everything is in the arena.
 */
#ifndef SLICE_JOIN_KEYS_H
#define SLICE_JOIN_KEYS_H

#include "cube/model.h"

typedef struct vc_join_key {   /* one pair of `on` */
    const vc_on_def *on;       /* NULL: two versions of one dimension are joined by `key` */
    const vc_index *from, *to; /* NULL: a constant */
    size_t component;          /* of tuples, in which `to` is */
    uint32_t *from_values;     /* [members of the index] into from->values, or VC_NONE */
    uint32_t *to_values;       /* likewise */
} vc_join_key;

typedef struct vc_join_keys {
    const vc_cube_source *source;
    const vc_binding *binding;
    const vc_dimension *outer;
    /* A nested cube is joined, not the source: its dimension, and the leaf of that for each leaf
     * (or tuple) of the source, VC_NONE for none; NULL: they are numbered alike. */
    const vc_dimension *nested;
    const uint32_t *nested_leaves;
    size_t nkeys; /* 0: joined by leaf, not by keys */
    vc_join_key *keys;
} vc_join_keys;

/* O(members of the indexes, and leaves of the source where it is nested). */
vc_status vc_join_keys_new(const vc_cube *cube, size_t source, size_t dimension, vc_arena *arena,
                           vc_join_keys *keys_out, vc_error *error);

/* "geo.iso2 = city.country_iso and ..."; absent when there are no keys. */
vc_str vc_join_keys_text(const vc_join_keys *keys, vc_arena *arena);

/* The leaf (or tuple) that is joined, of a leaf of the source; VC_NONE for none. */
uint32_t vc_join_keys_joined(const vc_join_keys *keys, uint32_t leaf);

/* The value that a joined leaf (or tuple) has in the index of a pair, VC_NONE for none; 0 where
 * that is a constant. */
uint32_t vc_join_keys_value(const vc_join_keys *keys, size_t pair, uint32_t joined);

/* The same of a unit of the primary. */
uint32_t vc_join_keys_unit_value(const vc_join_keys *keys, size_t pair, uint32_t unit);

/* The key of a leaf (or tuple) of the source, its components but the constants joined by ", ";
 * absent: it has none, or not all. */
vc_str vc_join_keys_of_leaf(const vc_join_keys *keys, uint32_t leaf, vc_arena *arena);

/* The key of a unit of the primary. */
vc_str vc_join_keys_of_unit(const vc_join_keys *keys, uint32_t unit, vc_arena *arena);

#endif
