/* For tests: random rights over a random world, and the world without what they hide.
 *
 *     load the world; hiding_choose; if hiding_can_filter: hiding_filter, and compare what is asked
 *     with the rights with what the filtered structs say
 *
 * How a right on the virtual cube reaches the joined sources is taken from the evaluator's own
 * relation (oracle.h), leaf by leaf.
 */
#ifndef TESTS_SLICE_HIDING_H
#define TESTS_SLICE_HIDING_H

#include "base/buffer.h"
#include "tests/slice/oracle_parts.h"

struct hiding_cube {              /* of one cube of the world */
    bool *seen[WORLD_DIMENSIONS]; /* [nleaves]; NULL: all */
    bool *facts;                  /* [nfacts] */
};

struct hiding {
    struct world *world; /* is changed by hiding_filter */
    vc_arena *arena;
    bool is_of_sources; /* the virtual cube may not be seen: rights are on source cubes only */
    bool hides_sources; /* source cubes may be seen through the virtual cube only */
    struct hiding_cube cubes[WORLD_CUBES];
    bool is_closed[ORACLE_DIMENSIONS]; /* of the virtual cube: what does not match is hidden */
    vc_buffer rights;                  /* as JSON */
    unsigned ncuts, nvirtual, nfacts, nhidden; /* so far */
};

void hiding_choose(struct hiding *in);

/* Not where cubes share a dimension's table and see other parts of it, and where rows of a joined
 * tree stay because others are below them, of which the evaluator thinks otherwise. */
bool hiding_can_filter(const struct hiding *in);
void hiding_filter(struct hiding *in);

/* After each choice; the rights stay. */
void hiding_release(struct hiding *in);

#endif
