/* A relation: which units of the primary's dimension a joined leaf (or tuple of leaves) belongs to.
 *
 * A join on indexes, resolved once against two dimensions. A *unit* is a leaf of the primary's
 * dimension, or a member of one of its levels when the index stands on a level above the leaf.
 * `R` of the semantics is the set of pairs (unit, joined leaf); multiplicity is never kept.
 *
 * When each joined leaf has at most one unit, which is the common case, the whole join is the array
 * `units`; otherwise it is compressed sparse rows (`offsets`, `targets`).
 * Threads: immutable after vc_relation_resolve. Everything lives in its arena, but keys that did
 * not match may be views into the joined dimension.
 */
#ifndef MAPPING_RELATION_H
#define MAPPING_RELATION_H

#include "dimensions/dimension.h"
#include "mapping/collisions.h"
#include "mapping/normalize.h"
#include "mapping/tuples.h"

/* One pair of a join: an index on either side, and the steps that make their keys comparable. A
 * constant stands for an index that gives every member of its side this one value; not on both
 * sides, and not in all pairs. */
typedef struct vc_relation_pair {
    const vc_index *from;                               /* of the primary's dimension; or NULL */
    const vc_index *to;                                 /* of the joined dimension; or NULL */
    vc_str from_constant, to_constant;                  /* instead of an index */
    size_t component;                                   /* of tuples, in which `to` is */
    const vc_normalizer *normalize_from, *normalize_to; /* NULL: keys as they are */
    const uint64_t *from_leaves; /* [leaves of the primary] bits: the others are hidden and have no
                                    keys. NULL: all have. Of the first pair, for all of them */
    const uint64_t *to_leaves; /* likewise of the joined dimension: the others are hidden, and in no
                                  count of coverage */
} vc_relation_pair;

typedef enum vc_leaf_fate { /* of a joined leaf */
                            VC_FATE_MATCHED = 0,
                            VC_FATE_UNMATCHED, /* its key is not on the primary's side, or it has
                                                  none */
                            VC_FATE_EXCLUDED,  /* an aggregate ("World") in a list of countries: in
                                                  no total */
} vc_leaf_fate;

typedef struct vc_coverage {
    uint64_t keys, keys_matched;       /* distinct key texts as found on the joined side */
    uint64_t members, members_matched; /* joined leaves */
    uint64_t excluded;                 /* joined leaves that are aggregates */
    uint64_t primary_members, primary_matched;
} vc_coverage;

#define VC_NOT_IN_INDEX "not in the index" /* why: a partial index leaves the leaf out */

/* The time of tuples, of which one component is a leaf of a time dimension. Keys that mean
 * different things at different times then are read at the time of the tuple, on both sides. */
typedef struct vc_relation_times {
    size_t component;
    const uint32_t *period_of; /* [leaves of that dimension] into periods; VC_NONE: none is known */
    const vc_period *periods;  /* [nperiods] */
    size_t nperiods;
} vc_relation_times;

typedef struct vc_unmatched_key {
    vc_str key;       /* as found; the components of a composite key joined by ", " */
    uint32_t leaf;    /* the first joined leaf that has it */
    uint32_t nleaves; /* joined leaves that have it */
    const char *why;  /* "no such key in the primary", "unknown code", "empty key", ... */
    bool is_excluded;
} vc_unmatched_key;

typedef struct vc_relation {
    uint32_t nleaves;        /* of the joined dimension */
    uint32_t nunits;         /* of the primary: its leaves, or the members of the level */
    int hierarchy, level;    /* what a unit is: -1, -1 a leaf */
    const uint32_t *units;   /* [nleaves] unit or VC_NONE; NULL when a leaf has several */
    const uint32_t *offsets; /* [nleaves + 1] into targets; NULL when `units` is set */
    const uint32_t *targets; /* ascending per leaf */
    /* How much of a joined leaf each of its units has: [nleaves] beside `units`, or beside
     * `targets`. NULL: resolved without weights, all 1. */
    const double *weights;
    const uint8_t *fates; /* [nleaves] vc_leaf_fate */
    bool has_unit_fanin;  /* some unit has several joined leaves (many cities a country) */
    bool has_fanout;      /* some joined leaf has several units */
    vc_coverage coverage;
    vc_unmatched_key *unmatched; /* in the order of their bytes; excluded ones too */
    size_t nunmatched;
    /* Resolved with times: the key of each joined tuple as in `unmatched`, with the time behind it
     * where it depends on that: "CS, 1990". NULL: keys are what the indexes say. */
    const vc_str *keys;
    /* Keys of either side that became equal only by normalisation; of a composite key, those of its
     * components. Apart from them: keys as found that several units of the primary have. */
    vc_collisions joined_collisions, primary_collisions;
    uint64_t primary_duplicates;
} vc_relation;

/* Resolve a join: pairs [npairs] are one composite key, compared as tuples after normalisation; an
 * empty or null component never matches.
 *
 * With no pairs the relation is by leaf keys (two versions of one dimension). The primary's units
 * are the members of the lowest level on which its indexes stand, when all are levels of one
 * hierarchy, else its leaves. An index of the joined side that stands on a level gives its key to
 * all leaves below. O(keys log keys) over distinct keys, each normalised once.
 */
vc_status vc_relation_resolve(const vc_dimension *primary, const vc_dimension *joined,
                              const vc_relation_pair *pairs, size_t npairs, vc_arena *arena,
                              const vc_relation **relation_out, vc_error *error);

/* The same with weights. A pair's weight is the sum, over all keys by which the two meet, of the
 * products of the weights of the crosswalks on the way there (1 without any), from either side and
 * over all components. */
vc_status vc_relation_resolve_weighted(const vc_dimension *primary, const vc_dimension *joined,
                                       const vc_relation_pair *pairs, size_t npairs,
                                       vc_arena *arena, const vc_relation **relation_out,
                                       vc_error *error);

/* The same by a key whose components lie in several dimensions of the joined cube: tuples take the
 * place of joined leaves, in everything that a relation says.
 *
 * times  NULL: keys are read at no time in particular. Otherwise has_unit_fanin is of leaves that
 *        differ in more than their time */
vc_status vc_relation_resolve_tuples(const vc_dimension *primary, const vc_tuples *tuples,
                                     const vc_relation_pair *pairs, size_t npairs,
                                     const vc_relation_times *times, bool is_weighted,
                                     vc_arena *arena, const vc_relation **relation_out,
                                     vc_error *error);

/* Is there a key of either side that is another one at some of the times than at none in
 * particular? Each distinct key is normalised, and those whose meaning may change at each time. */
vc_status vc_relation_depends_on_time(const vc_relation_pair *pairs, size_t npairs,
                                      const vc_period *periods, size_t nperiods, bool *depends_out,
                                      vc_error *error);

/* The units of a joined leaf: *units_out is in the relation. Returns how many. */
size_t vc_relation_units(const vc_relation *relation, uint32_t leaf, const uint32_t **units_out);

#endif
