/* For tests: what the parts of the slow evaluator share. */
#ifndef TESTS_SLICE_ORACLE_PARTS_H
#define TESTS_SLICE_ORACLE_PARTS_H

#include "tests/slice/oracle.h"

enum { MEASURES = 64, NOWHERE = UINT32_MAX };

/* A synthetic slot: an unmatched leaf of a joined source, or all of them (leaf NOWHERE). */
struct synthetic {
    unsigned source;
    uint32_t leaf;
    const char *key;
};

struct place { /* how a joined source lies along a dimension of the cube */
    bool is_there, is_relation;
    unsigned of; /* its own dimension, the first one of a composite key */
    /* What is related to leaves of the cube's: leaves of its own dimension, or of several the
     * tuples that facts have. Called q below. */
    unsigned ncomponents, components[WORLD_DIMENSIONS];
    uint32_t nq;
    uint32_t (*tuples)[WORLD_DIMENSIONS]; /* [nq][ncomponents] */
    bool *related;                        /* [leaf of the cube's][q] */
    uint32_t *units;                      /* [leaf of the cube's] what the index stands on */
    uint32_t nunits;
    unsigned level;      /* of the units; WORLD_LEVELS: leaves */
    uint32_t *unmatched; /* [q] slot, or NOWHERE */
    vc_coverage coverage;
};

struct dimension {
    const struct world_dimension *stored;
    const char *name;
    unsigned owner, owned; /* source, and its own dimension */
    uint32_t nleaves, nslots;
    uint32_t members[WORLD_LEVELS]; /* how many */
    uint32_t *member_of[WORLD_LEVELS];
    bool is_number[WORLD_LEVELS];
    bool *visible; /* [nslots] */
    struct synthetic *synthetics;
    unsigned nbuckets, bucket_sources[WORLD_SOURCES];
    const char *bucket_keys[WORLD_SOURCES];
    bool bucket_has_members[WORLD_SOURCES];
};

struct measure {
    char name[24];
    unsigned source;
    const struct world_measure *stored; /* NULL: a formula */
    struct world_fix fix;
    vc_unrelated unrelated;
    enum world_formula formula;
    unsigned a, b;
};

struct source {
    const struct world_cube *cube;
    const struct world_source *definition; /* NULL: a source cube by itself */
    struct place places[ORACLE_DIMENSIONS];
};

struct oracle {
    vc_arena arena;
    const struct world *world;
    unsigned ndimensions, nsources, nmeasures, nnamed;
    struct dimension dimensions[ORACLE_DIMENSIONS];
    struct source sources[WORLD_SOURCES];
    struct measure measures[MEASURES];
};

struct asking {
    struct oracle *oracle;
    const vc_query *query;
    vc_arena *arena;
    bool *selected[ORACLE_DIMENSIONS]; /* [nslots] */
    bool *whole[ORACLE_DIMENSIONS]; /* where a default member is selected: without it; else NULL */
    const char *errors[16];         /* of conditions */
    bool is_cut[ORACLE_DIMENSIONS];
    unsigned naxes, axes[ORACLE_AXES], levels[ORACLE_AXES];
    uint32_t ngroups[ORACLE_AXES];
    uint32_t *groups[ORACLE_AXES]; /* [nslots] */
    const char *synthetic_keys[ORACLE_AXES][512];
    bool is_wanted[MEASURES]; /* asked, compared, or needed for one of those */
    unsigned asked[MEASURES], nasked;
    /* of the grouping at hand: */
    uint32_t kept;
    bool **allowed[WORLD_SOURCES][ORACLE_DIMENSIONS]; /* [group][leaf of the source's] */
    char *reasons[WORLD_SOURCES][ORACLE_DIMENSIONS];  /* [group] */
    /* The same of what is selected without the default member (one group). */
    bool *allowed_whole[WORLD_SOURCES][ORACLE_DIMENSIONS];
    char reasons_whole[WORLD_SOURCES][ORACLE_DIMENSIONS];
};

struct tally {
    size_t nfacts, nvalues;
    int64_t sum, least, most; /* in units of the column */
    uint32_t *ids;
    size_t nids;
    long double *values, *weights; /* [nvalues] of what is no sum or extreme */
    bool is_resolved;              /* `value` is all there is to say */
    long double value;
};

/* ---- members and their order (oracle_members.c) ---- */

/* Digits only? */
bool oracle_is_number_text(const char *text);
/* In the order of a level: numbers before words, null keys last. */
int oracle_compare_texts(vc_str a, vc_str b, bool is_number);
/* The key of a leaf's member; NULL: it is null, or there is no such member. */
const char *oracle_key(const struct dimension *dimension, uint32_t leaf, unsigned level);
/* By the first keys of two leaves' paths. */
int oracle_compare_paths(const struct dimension *dimension, unsigned nlevels, uint32_t a,
                         uint32_t b);
/* Fill in the members of each level. */
void oracle_number_members(struct oracle *oracle, struct dimension *dimension);
/* The places of a dimension's leaves in its order. */
uint32_t *oracle_rank_leaves(struct oracle *oracle, const struct world_cube *cube, unsigned of);

/* ---- relations (oracle_relate.c) ---- */

/* Relate a joined source to a dimension of the cube, by its pairs. */
void oracle_relate(struct oracle *oracle, unsigned s, unsigned d);
/* The source has the dimension itself. */
void oracle_take_place(struct oracle *oracle, unsigned s, unsigned d, unsigned of);
/* The q of a fact. */
uint32_t oracle_find_q(const struct place *place, const uint32_t *leaves);

/* ---- cuts (oracle_cuts.c) ---- */

/* Of the cube, by its name. */
unsigned oracle_find_dimension(const struct oracle *oracle, vc_str name);
/* The level or index that a reference names: an index; -1: none. */
int oracle_find_target(const struct world_dimension *dimension, vc_str name);
/* Fill in what is selected. Returns the code of an error, or NULL. */
const char *oracle_select_all(struct asking *in);

/* ---- what of a source lies in a group (oracle_reach.c) ---- */

/* The axis on which a dimension is drilled in the grouping at hand; -1: none. */
int oracle_axis_of(const struct asking *in, unsigned d);
/* The group of a dimension in a row; 0 where it is rolled up. */
uint32_t oracle_group_in(const struct asking *in, const uint32_t *groups, unsigned d);
/* Fill in what is allowed in each group, and why nothing is. */
void oracle_prepare(struct asking *in, uint32_t kept);
/* Is a default member of the dimension replaced by a fix on what the source has there? */
bool oracle_holds_fix(const struct asking *in, const struct measure *measure, unsigned d);
/* May a fact on these leaves count, as far as its dimension `only` is concerned, or all (-1)? */
bool oracle_lies_in(const struct asking *in, const struct measure *measure, const uint32_t *groups,
                    const uint32_t *leaves, int only);

/* ---- cells (oracle_tally.c, oracle_over.c, oracle_cells.c) ---- */

/* The value of a fact in units of the measure's column. False: it is null. */
bool oracle_value_of(const struct world_measure *stored, const struct world_fact *fact,
                     int64_t *value_out);
void oracle_add_fact(const struct asking *in, const struct world_measure *stored,
                     const struct world_fact *fact, struct tally *tally);
struct oracle_cell oracle_read_tally(const struct world_measure *stored, const struct tally *tally);
/* The leaf that counts of a measure that is `last` or `first` along a dimension. */
uint32_t oracle_choose_over(const struct asking *in, const struct measure *measure,
                            const uint32_t *groups);
/* What all other words of `over` come to. */
struct tally oracle_resolve_over(const struct asking *in, const struct measure *measure,
                                 const uint32_t *groups);
/* The word of the policy over a dimension that the measure's source does not have. */
vc_unrelated oracle_policy_of(const struct oracle *oracle, const struct measure *measure,
                              unsigned d);
/* Is a dimension cut, or drilled in the grouping at hand? */
bool oracle_is_asked(const struct asking *in, unsigned d);
/* Compute a measure, and what it is made of. */
void oracle_fill_cell(const struct asking *in, unsigned m, const uint32_t *groups,
                      struct oracle_cell *cells, bool *is_done, bool *has_facts);
bool oracle_is_count(const struct measure *measure);

extern const long double oracle_units[]; /* of the columns */

#endif
