/* The values of two indexes that have the same key, where each value has one. Private to mapping/.
 *
 * Values of an index stand in the order of their bytes. Where their keys do too, which is so
 * without steps and often with some (padding of codes of one width), two sorted lists are merged;
 * otherwise the keys of the primary go into a hash table of numbers. Either way no key is copied
 * that its steps do not change.
 */
#ifndef MAPPING_MATCH_H
#define MAPPING_MATCH_H

#include "mapping/relation.h"

typedef struct vc_match {
    uint32_t *partners; /* [to->values.count] the value of `from` with the same key, of several the
                           first one; VC_NONE where there is none */
    uint32_t *same;     /* [from->values.count] at the first value of a key another one with it, and
                           so on until VC_NONE, in any order; NULL: no two have the same key */
    uint8_t *states;    /* [to->values.count] vc_key_state; NULL: all OK */
    bool *is_excluded;  /* likewise */
    vc_collisions from_collisions, to_collisions;
} vc_match;

/* Match the values of a pair of indexes.
 *
 * is_single_out  false: the steps make several keys of some value, and nothing is matched
 * match          its arrays are in the arena
 *
 * VC_NO_MEMORY only. Each value is normalised once, or twice when that shows only on the way that
 * the order of its keys is another one. O(values). */
vc_status vc_match_values(const vc_relation_pair *pair, vc_arena *arena, bool *is_single_out,
                          vc_match *match, vc_error *error);

#endif
