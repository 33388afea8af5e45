/* For tests: a random world, a few source cubes and a virtual cube over them, as plain structs that
 * a slow evaluator can read (oracle.h), and as the files that the loader reads.
 *
 * The structs know nothing of leaf numbers, images or segments: a leaf is a row of a dimension, a
 * fact says which rows it lies on.
 */
#ifndef TESTS_SLICE_WORLD_H
#define TESTS_SLICE_WORLD_H

#include "cube/definition.h"
#include "cube/expr.h"
#include "tests/slice/random.h"

enum {
    WORLD_LEVELS = 3,
    WORLD_DIMENSIONS = 4,
    WORLD_COLUMNS = 4,
    WORLD_SOURCES = 3,
    WORLD_MEASURES = 7,
    WORLD_PAIRS = 4,
    WORLD_TAKEN = 12,
    WORLD_CUBES = WORLD_SOURCES + 1,
    WORLD_SETS = 2,
    WORLD_CROSSWALKS = 4,
    WORLD_ROWS = 24,
    WORLD_MAPS = 2
};

/* What a world may have beyond even hierarchies and joins by members: bits for world_make_with. */
enum world_kind {
    WORLD_RAGGED = 1,  /* leaves without a member at some level (`skip`) */
    WORLD_TREES = 2,   /* parent-child hierarchies */
    WORLD_PLACES = 4,  /* leaves under several parents */
    WORLD_DEFAULTS = 8 /* default members */
};

enum world_skip { SKIP_NEVER, SKIP_BLANK, SKIP_PARENT };

struct world_leaf {                 /* a row of the table; or of a tuple of columns */
    const char *keys[WORLD_LEVELS]; /* NULL: a null key, or of a tree: it stands above */
    uint32_t first;                 /* the row of its key that is first; itself, mostly */
    const char *parent;             /* of a tree: the parent's key as written; NULL: none */
    const char *key;                /* of the table; NULL without one */
    const char *code;               /* an attribute of the leaf; NULL: null */
    const char *top;                /* an attribute of the member on the first level */
    const char *days;               /* an attribute of the leaf, a number; NULL: null */
};

struct world_dimension {
    char name[16];
    bool has_table, is_shared;
    bool has_code, has_top;
    bool has_days;       /* with a table only */
    bool is_keyed_below; /* the lowest level is the key of the table */
    bool is_tree;        /* a parent-child hierarchy: the levels are depths */
    bool has_places;     /* rows of one key stand for one leaf under several parents */
    bool has_default;    /* the first `default_depth` keys of a leaf's path */
    unsigned default_leaf, default_depth;
    unsigned nlevels;
    enum world_skip skips[WORLD_LEVELS];
    bool is_int[WORLD_LEVELS];
    size_t nleaves;
    struct world_leaf *leaves;
    size_t nfirsts; /* leaves that are not further places of others: facts lie on these */
    size_t nold;    /* leaves of the first load; the others come with the append */
};

struct world_fact {
    uint32_t leaves[WORLD_DIMENSIONS];
    int64_t values[WORLD_COLUMNS]; /* ints; hundredths; quarters; numbers of texts */
    uint8_t nulls;                 /* a bit per column */
};

enum world_column { COLUMN_INT, COLUMN_DECIMAL, COLUMN_FLOAT, COLUMN_TEXT };

enum world_formula {
    FORMULA_NONE,
    FORMULA_SUM,
    FORMULA_RATIO,
    FORMULA_COALESCE,
    FORMULA_ZN,
    FORMULA_CALL /* a function over members, of one measure */
};

struct world_call {
    vc_member_function function;
    vc_member_aggregate how; /* of agg_over */
    const struct world_dimension *dimension;
    unsigned count; /* of previous, growth, moving_avg; 0: not said */
    int level;      /* of running and agg_over; -1: none */
};

struct world_measure { /* of a source cube */
    char name[16];
    vc_aggregator aggregator; /* VC_AGG_NONE: a formula */
    int column;               /* -1: none */
    int distinct_dimension;   /* -1: none */
    double quantile;
    int weight_column; /* of a weighted average: it may be stored as another type than its own */
    bool is_float_weight;
    bool is_product; /* of the columns 0 and 1, in place of the column: x0 * x1, a decimal */
    bool has_where;  /* facts whose leaf has, or has not, this key on the first level */
    bool is_negated;
    unsigned where_dimension;
    const char *where_key;
    vc_over over;
    unsigned over_dimension;
    enum world_formula formula;
    unsigned a, b; /* measures that the formula is over */
};

struct world_cube {
    char name[16];
    unsigned ndimensions;
    struct world_dimension *dimensions[WORLD_DIMENSIONS];
    size_t nfacts, nold; /* nold: of the first load; equal to nfacts when nothing is appended */
    struct world_fact *facts;
    unsigned nmeasures;
    struct world_measure measures[WORLD_MEASURES];
};

struct world_set { /* of members of a level: those with one of the keys, or all others */
    char name[16];
    const struct world_dimension *dimension;
    unsigned level, nkeys;
    const char *keys[3];
    bool is_negated;
};

struct world_crosswalk {
    char name[16];
    unsigned nrows;
    struct {
        const char *from, *to;
        unsigned quarters; /* the weight */
    } rows[WORLD_ROWS];
};

enum world_index { INDEX_KEY, INDEX_CODE, INDEX_TOP, INDEX_LEVEL }; /* INDEX_LEVEL + level */
enum { STEP_SPLIT = 1, STEP_TRIM = 2, STEP_FOLD = 4 };

struct world_pair {
    unsigned dimension; /* of the primary */
    unsigned index;
    const char *constant; /* instead of the primary's index; NULL */
    unsigned to_dimension, to_index;
    unsigned steps;
    /* Crosswalks of the world that keys go through before the steps, on the primary's side and on
     * the joined one's. */
    unsigned nmaps[2], maps[2][WORLD_MAPS];
    vc_finer finer;
    bool allocates_by_days;
};

struct world_fix {
    bool is_there;
    unsigned dimension, depth; /* the first `depth` keys of the leaf's path */
    uint32_t leaf;
};

struct world_source {
    char alias[16];
    unsigned cube;
    vc_join_kind kind;
    vc_unmatched unmatched;
    vc_join_mode mode; /* VC_MODE_DEFAULT: not said */
    bool is_fanout_weighted;
    vc_pick pick;
    unsigned pick_index;
    vc_reaggregate reaggregate;
    unsigned npairs;
    struct world_pair pairs[WORLD_PAIRS];
    struct world_fix fix;
    vc_unrelated others[WORLD_DIMENSIONS]; /* what others show over this source's own dimensions */
};

struct world_taken { /* a measure of the virtual cube */
    char name[16];
    unsigned source, measure;
    struct world_fix fix;
    vc_unrelated unrelated;
    bool is_mode_set;           /* each fact once, whatever the join says */
    vc_reaggregate reaggregate; /* instead of the join's */
    enum world_formula formula;
    unsigned a, b; /* taken measures before this one */
    struct world_call call;
};

struct world {
    vc_arena arena;
    struct random random;
    unsigned kinds;
    unsigned ncubes;
    struct world_cube cubes[WORLD_CUBES];
    unsigned nsources; /* of the virtual cube "v"; the first is the primary */
    struct world_source sources[WORLD_SOURCES];
    unsigned ntaken;
    struct world_taken taken[WORLD_TAKEN];
    /* The virtual cube "n": its primary is "v", its other source "k" is joined along dimensions of
     * v's primary. */
    bool has_nested;
    struct world_source nested;
    vc_unrelated nested_others[WORLD_DIMENSIONS]; /* what k shows over dimensions of v's primary */
    /* The virtual cube "o": its primary is the cube of `nested`, "v" is joined to it by this pair
     * (to a dimension of v's primary). */
    bool has_outer;
    struct world_source outer;
    /* The dimension "united" of "v": of s1 and s2 together. */
    bool has_united;
    struct world_dimension *united;
    unsigned united_of[2];      /* their dimensions */
    uint32_t *united_leaves[2]; /* the united leaf of each of theirs */
    unsigned nsets;
    struct world_set sets[WORLD_SETS]; /* in the definition of v's primary */
    unsigned ncrosswalks;
    struct world_crosswalk crosswalks[WORLD_CROSSWALKS];
    bool has_append;
};

/* Make a world.
 *
 * nfacts_max  about how many facts a cube may have
 * kinds       bits of what it may have besides; world_make: none */
void world_make(struct world *world, uint64_t seed, unsigned nfacts_max);
void world_make_with(struct world *world, uint64_t seed, unsigned nfacts_max, unsigned kinds);
/* Let joins count facts in parts (weights, lookups, `finer`), which only the SQL knows (sql.h).
 */
void world_add_parts(struct world *world);

/* Let measures look at other members, which only the SQL knows, too. */
void world_add_calls(struct world *world);

/* Put private dimensions of two sources together as one. Before calls are added. */
void world_add_united(struct world *world);

/* Add member sets; and a virtual cube over the virtual cube. */
void world_add_sets(struct world *world);
void world_add_nested(struct world *world, unsigned nfacts_max);
void world_add_outer(struct world *world); /* where there is a nested one */

/* A further cube, of dimensions of its own. */
void world_add_cube(struct world *world, unsigned nfacts_max);
/* Pairs between the dimensions of two cubes; none at all, perhaps. */
void world_make_pairs(struct world *world, const struct world_cube *primary,
                      const struct world_cube *joined, struct world_source *source);

void world_release(struct world *world);

/* Write the files of the first load into a folder, or those of the append. */
void world_write(const struct world *world, const char *folder, bool is_append);

/* The same virtual cube, called "w", with each of its sources inside a virtual cube of its own:
 * "s1" is the cube "n_s1", which has the one source "s1_". */
void world_write_nested(const struct world *world, const char *folder);

/* Has a leaf a member at the level? Where not, it is in none there, and its key is no one's. */
bool world_has_member(const struct world_dimension *dimension, const struct world_leaf *leaf,
                      unsigned level);

/* Is every leaf a member of every level? */
bool world_is_even(const struct world_dimension *dimension);

/* The path of a leaf's member: keys of the levels that it has, down to `depth` levels. Returns how
 * many. */
unsigned world_path(const struct world_dimension *dimension, const struct world_leaf *leaf,
                    unsigned depth, const char *keys_out[WORLD_LEVELS]);

/* Is a leaf below the member that the first keys of another one's path lead to? */
bool world_is_under(const struct world_dimension *dimension, const struct world_leaf *leaf,
                    const struct world_leaf *other, unsigned depth);

/* The values of an index at a leaf; NULL where it has none. */
const char *world_index_value(const struct world_dimension *dimension,
                              const struct world_leaf *leaf, unsigned index);

/* The name of an index in definitions and cuts. */
const char *world_index_name(unsigned index);

#endif
