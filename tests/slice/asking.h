/* For tests: random queries over a cube of a random world, and queries as text for people. */
#ifndef TESTS_SLICE_ASKING_H
#define TESTS_SLICE_ASKING_H

#include "base/buffer.h"
#include "tests/slice/oracle.h"

/* What there is to ask of a cube. */
enum { ASKING_MEASURES = 64, ASKING_SYNTHETIC = 32 };
struct asking_cube {
    unsigned ndimensions;
    const struct world_dimension *dimensions[ORACLE_DIMENSIONS];
    const char *names[ORACLE_DIMENSIONS];
    unsigned nsynthetic[ORACLE_DIMENSIONS];
    const char *synthetic[ORACLE_DIMENSIONS][ASKING_SYNTHETIC]; /* keys */
    unsigned nmeasures;
    const char *measures[ASKING_MEASURES];
    /* A measure to ask for, along a dimension at a level: what makes it is met there. */
    bool has_aim;
    unsigned aim_measure, aim_dimension, aim_level;
    unsigned nsets[ORACLE_DIMENSIONS];
    const char *sets[ORACLE_DIMENSIONS][WORLD_SETS];
};

/* Make a query. max_groups  about how many rows it may have */
vc_query asking_make_of(const struct asking_cube *of, const char *cube, struct random *random,
                        unsigned max_groups, vc_arena *arena);

/* The same of a cube that the oracle knows. */
vc_query asking_make(const struct oracle *oracle, const char *cube, struct random *random,
                     unsigned max_groups, vc_arena *arena);

/* The query as a JSON body, for `vcube query --body`. */
void asking_print(const vc_query *query, vc_buffer *out);

#endif
