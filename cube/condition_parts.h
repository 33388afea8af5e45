/* What the parts of conditions share; only condition*.c include it. */
#ifndef CUBE_CONDITION_PARTS_H
#define CUBE_CONDITION_PARTS_H

#include "cube/condition.h"
#include "cube/model.h"

struct vc_condition_selecting { /* one dimension of a cube, while its conditions are evaluated */
    const vc_cube *cube;
    vc_arena *arena;
    const vc_cube_dimension *outer;
    const vc_dimension *dimension;
    size_t nwords;
    unsigned depth;  /* of member sets in member sets */
    unsigned *nsets; /* member sets so far, each as often as it is named */
};

struct vc_condition_target { /* either a level of a hierarchy, or an index */
    unsigned hierarchy;
    unsigned level_number;
    const vc_level *level;
    const vc_index *index;
};

/* Mark the leaves of a member of a level, or a leaf when the level is NULL. */
void vc_condition_mark_member(const struct vc_condition_selecting *in, const vc_level *level,
                              uint32_t member, uint64_t *bits);

/* Mark the leaves of all members of a level for which `chosen` (bits over members) is set: one pass
 * over the leaves however many members. */
void vc_condition_mark_chosen(const struct vc_condition_selecting *in, const vc_level *level,
                              const uint64_t *chosen, uint64_t *bits);

/* The level that an index stands on; NULL: leaves. */
const vc_level *vc_condition_index_level(const struct vc_condition_selecting *in,
                                         const vc_index *index);

/* A key that several members have is not ambiguous when all of them are the same leaves: a country
 * in several groups, a part of several machines. All members that have the key, from the top; none
 * when they are different leaves. members_out is in the arena. VC_NO_MEMORY. */
vc_status vc_condition_find_same(const struct vc_condition_selecting *in,
                                 const struct vc_condition_target *target, vc_str key,
                                 vc_member_ref **members_out, size_t *nmembers_out,
                                 vc_error *error);

/* Mark what a range selects (condition_range.c). */
vc_status vc_condition_mark_range(const struct vc_condition_selecting *in,
                                  const struct vc_condition_target *target, const vc_item *item,
                                  uint64_t *bits, vc_error *error);

#endif
