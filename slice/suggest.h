/* Which indexes of two cubes could join them: every pair of an index of the one and an index of the
 * other is tried, and what meets by more than chance is ranked.
 *
 *     mapping/pairing.h   how many keys of two indexes meet, under which normalisation
 *     suggest.c           all pairs, what is passed over and why, ranks
 *     suggest_names.c     do two names speak of the same?
 *     suggest_detail.c    of those that are shown: the relation, the facts, examples
 *
 * The score of a pair, 0 to 1, is
 *
 *     (3/4 of the greater share of keys that meet + 1/4 of the lesser)
 *       * 1, or 0.97 where keys stand for single leaves on one side only, or 0.75 where on none
 *       * 1, or 0.9 where only the names speak for it
 *       * 0.98 where names of countries are compared, which change more often than codes
 *       * 0.8 + 0.2 of the share of members that have a key, on the side where it is less
 *
 * Shares are of distinct keys as found, those of aggregates apart. A pair is passed over when less
 * than a fifth of the keys meets on either side; when chance explains it and the names do not
 * speak for it either; when one side is a level of time and the other is not, nor is called so;
 * when another key of the same members does as well; and when three better pairs join the same two
 * dimensions.
 * Bounds: those of mapping/pairing.h for each index of both cubes; for each pair that is shown one
 * relation and one scan of each cube's facts.
 */
#ifndef SLICE_SUGGEST_H
#define SLICE_SUGGEST_H

#include "mapping/pairing.h"
#include "slice/engine.h"

enum {
    VC_SUGGEST_MOST = 100, /* pairs that are shown, and keys of each */
    VC_SUGGEST_PASSED = 3, /* examples of pairs that are not */
};

typedef struct vc_suggest_query {
    vc_str with;      /* the cube that would be joined; the primary is the cube that is asked */
    size_t limit;     /* how many pairs are shown */
    size_t nexamples; /* of keys, for each list */
} vc_suggest_query;

typedef enum vc_index_kind { VC_INDEX_KEY, VC_INDEX_LEVEL, VC_INDEX_ATTRIBUTE } vc_index_kind;

typedef struct vc_suggest_side {
    vc_index_kind kind;
    bool is_declared, is_unique;
    uint32_t nkeys, nmembers;     /* distinct keys; members that have one */
    uint32_t nmatched, nexcluded; /* keys */
    bool has_facts;               /* it is known to which members facts belong */
    uint64_t nfacts, nfacts_matched;
    const vc_str *unmatched; /* [nunmatched] examples */
    size_t nunmatched;
} vc_suggest_side;

typedef struct vc_suggest_match {
    vc_str from, to;
} vc_suggest_match;

typedef struct vc_suggest_on { /* a pair of `on` */
    vc_str dim, index, to_dim, to_index;
    vc_str normalize; /* JSON; absent: keys as they are */
} vc_suggest_on;

typedef struct vc_suggest_pair {
    vc_suggest_on on;
    vc_suggest_side from, to;
    const char *manner, *word; /* how keys are compared: vc_pairing_manner, vc_pairing_word */
    double score;
    bool is_time;                    /* both are levels of time */
    bool is_shared;                  /* the same shared dimension: common without a join */
    bool is_by_name;                 /* only the names speak for it */
    bool has_many_from, has_many_to; /* members of either side that share partners */
    const vc_suggest_match *matches; /* [nmatches] examples */
    size_t nmatches;
    vc_result_coverage coverage; /* of this join, as the virtual cube will say */
    bool is_chosen;              /* part of the definition */
} vc_suggest_pair;

typedef struct vc_suggest_passed { /* why pairs were passed over */
    const char *why;
    uint32_t count;
    vc_str examples[VC_SUGGEST_PASSED];
    unsigned nexamples;
} vc_suggest_passed;

typedef struct vc_suggest_rename {
    vc_str from, to;
} vc_suggest_rename;

typedef struct vc_suggest {
    const vc_cube *primary, *joined;
    vc_str alias;                 /* of the joined cube in the definition */
    const vc_suggest_pair *pairs; /* [npairs], best first */
    size_t npairs, nall;          /* shown; of so many */
    const vc_suggest_passed *passed;
    size_t npassed;
    const vc_suggest_rename *renames; /* dimensions of the joined cube, in the definition */
    size_t nrenames;
    const vc_suggest_on *on; /* [non] the pairs that are chosen, shown or not */
    size_t non;
    bool has_definition;   /* something is chosen, or shared */
    const vc_str *no_alls; /* [nno_alls] dimensions of the joined cube that need a "fix" */
    size_t nno_alls;
    uint64_t nindexes, ntried, nbytes; /* what was looked at; what the keys took */
} vc_suggest;

/* VC_NOT_FOUND unknown_cube, with its place in `with`; those of scanning. */
vc_status vc_suggest_run(vc_model *model, const vc_cube *primary, const vc_suggest_query *query,
                         const vc_engine_options *options, vc_arena *arena,
                         const vc_suggest **suggest_out, vc_error *error);

/* "one-one", "one-many", "many-one", "many-many": members of the primary, of the joined cube. */
const char *vc_suggest_cardinality(const vc_suggest_pair *pair);

#endif
