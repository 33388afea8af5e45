/* Keys of one side of a join that became equal only by normalisation: "fr" and "FR", which are no
 * duplicates as they were found. How many, and a few examples. Threads: one at a time.
 */
#ifndef MAPPING_COLLISIONS_H
#define MAPPING_COLLISIONS_H

#include "base/arena.h"
#include "base/text.h"

#include <stdint.h>

enum { VC_COLLISIONS_LISTED = 5, VC_COLLISION_KEYS = 4 };

typedef struct vc_collision {
    vc_str key;                      /* what they became */
    vc_str found[VC_COLLISION_KEYS]; /* as they were, the first ones */
    uint32_t nfound;                 /* in all */
} vc_collision;

typedef struct vc_collisions {
    uint64_t count; /* keys that became equal to one before them */
    size_t nlisted;
    vc_collision listed[VC_COLLISIONS_LISTED];
} vc_collisions;

/* Note that a key became `key`, as `first` did before it. key is copied if it is listed; the others
 * are borrowed. False: out of memory. */
bool vc_collisions_note(vc_collisions *collisions, vc_str first, vc_str later, vc_str key,
                        vc_arena *arena);

/* Copy them to where they live longer. False: out of memory. */
bool vc_collisions_copy(const vc_collisions *from, vc_arena *arena, vc_collisions *out);

/* "'FR' and 'fr' (FRA), ...": the examples, for people; in the arena. Absent: out of memory. */
vc_str vc_collisions_text(const vc_collisions *collisions, vc_arena *arena);

#endif
