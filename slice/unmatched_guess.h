/* Which keys of the primary unmatched ones were perhaps meant to be; a part of unmatched.h. */
#ifndef SLICE_UNMATCHED_GUESS_H
#define SLICE_UNMATCHED_GUESS_H

#include "slice/join_keys.h"
#include "slice/unmatched.h"

/* Fill the suggestions of the keys of a page.
 *
 * A composite key is guessed component by component: one that the primary has as it is stays,
 * another one is what it was perhaps meant to be, and what comes of it must be a key that some
 * member of the primary has. Fewest guesses first. Cost: one look at each unit of the primary, and
 * for each key the guesses of each component, of which at most VC_MAX_COMBINATIONS combinations are
 * tried. */
enum { VC_MAX_COMBINATIONS = 1024 };

vc_status vc_missed_guess(const vc_join_keys *join, const vc_relation *relation,
                          vc_missed_key *keys, size_t nkeys, vc_arena *arena, vc_error *error);

#endif
