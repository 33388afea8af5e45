/* For tests: small worlds of a few dimensions of two levels, and questions as a URL asks them, for
 * what is told by a loop over the facts. Leaves are numbered in member order: the leaf 3 of
 * dimension "s" has the key "s3", below a member "S1" of the level "s_above"; its own level is
 * "s_leaf".
 */
#ifndef TESTS_SLICE_SMALL_H
#define TESTS_SLICE_SMALL_H

#include "tests/slice/fixture.h"
#include "tests/slice/random.h"

enum { SMALL_LEAVES = 9, SMALL_DIMENSIONS = 4 };

struct small_dimension {
    char letter;
    unsigned nleaves, nabove;
    unsigned above[SMALL_LEAVES]; /* of each leaf, ascending */
};

/* A random dimension, and its definition "<letter>.json" with its table. */
void small_make_dimension(struct small_dimension *dimension, char letter, struct random *random);
void small_write_dimension(const struct small_dimension *dimension, struct fixture *fixture);

/* Bits of the leaves of a member of a level: 0 above, 1 leaves. */
unsigned small_leaves(const struct small_dimension *dimension, unsigned level, unsigned member);
unsigned small_all(const struct small_dimension *dimension);

/* How many members the level has, and the key of one: "S1", "s3". In a static buffer that the next
 * calls use, too. */
unsigned small_count(const struct small_dimension *dimension, unsigned level);
const char *small_key(const struct small_dimension *dimension, unsigned level, unsigned member);
const char *small_level(const struct small_dimension *dimension, unsigned level);

/* A random cut of a dimension as text, and the leaves that it selects. *restricts_out: it is one
 * (`()` is none). */
const char *small_cut(const struct small_dimension *dimension, struct random *random,
                      unsigned *leaves_out, bool *restricts_out);

/* Ask a cube: "drilldown=..&cut=..". The result is in the fixture's arena. */
vc_status small_ask(struct fixture *fixture, const char *cube, const char *parameters,
                    const vc_engine_options *options, const vc_result **result_out,
                    vc_error *error);

/* The same question for others to ask, of one measure (NULL: of those in the text). */
vc_query small_query(struct fixture *fixture, const char *cube, const char *parameters,
                     const char *measure);

/* The row at members of the axes by their keys (NULL: rolled up); SIZE_MAX: there is none. */
size_t small_row(const vc_result *result, const char *const *keys);

#endif
