/* What the two ways to resolve a join share; only relation*.c and their tests
 * include it. */
#ifndef MAPPING_RELATION_PARTS_H
#define MAPPING_RELATION_PARTS_H

#include "mapping/relation.h"

/* "no such key in the primary", "empty key", ...: indexed by vc_key_state. */
extern const char *const vc_unmatched_reasons[];

/* Keys of an index that several members have. */
uint64_t vc_relation_count_duplicates(const vc_index *index);

/* Members of the primary that the relation could be about: hidden ones of a ragged level are none.
 * seen  bits of its units that are there; NULL: all */
uint64_t vc_relation_count_members(const vc_dimension *primary, const vc_relation *relation,
                                   const uint64_t *seen);

/* When the joined leaves are: [nleaves] numbers of periods, VC_NONE where it is not known. */
typedef struct vc_relation_when {
    const uint32_t *period_of;
    const vc_period *periods;
    size_t nperiods;
} vc_relation_when;

/* Any join, npairs at least 1, with weights if they are asked for, and by times (NULL: without):
 * relation.c. */
vc_status vc_relation_resolve_any(const vc_dimension *primary, const vc_dimension *joined,
                                  const vc_relation_pair *pairs, size_t npairs,
                                  const vc_relation_when *when, bool is_weighted, vc_arena *arena,
                                  vc_relation *relation, vc_error *error);

/* A join of one pair whose values have one key each: relation_single.c. The same relation, many
 * times sooner. *is_single_out false: some value has several keys, and the relation is not set. */
vc_status vc_relation_resolve_single(const vc_dimension *primary, const vc_dimension *joined,
                                     const vc_relation_pair *pair, vc_arena *arena,
                                     bool *is_single_out, vc_relation *relation, vc_error *error);

#endif
