/* For tests: a random world in SQLite, and what a query asks of it as SQL.
 *
 * Written from the definition and from docs/semantics.md: relations are joins of normalised keys,
 * T(m) is a set of pairs (group, joined leaf), a cell is one GROUP BY over the facts. It shares
 * nothing with the engine, and with the slow evaluator (oracle.h) only the world.
 *
 * All statements since the last question are in a log, which sqlite3 can run again.
 */
#ifndef TESTS_SLICE_SQL_H
#define TESTS_SLICE_SQL_H

#include "base/buffer.h"
#include "slice/query.h"
#include "tests/slice/asking.h"
#include "tests/slice/world.h"

#include <sqlite3.h>

enum { SQL_DIMENSIONS = 16, SQL_NODES = 64, SQL_AXES = 8 };

/* What a measure is made by, beyond aggregating the facts of T: each must be asked for often. Pairs
 * are counted in which a cell that it makes has a value. */
enum sql_feature {
    FEATURE_CROSSWALK,
    FEATURE_WEIGHTED,
    FEATURE_EQUAL_PARTS,
    FEATURE_WHOLE, /* each fact once in a weighted join */
    FEATURE_LOOKUP,
    FEATURE_PICK,
    FEATURE_REPEAT,
    FEATURE_ALLOCATE,
    FEATURE_VISIBLE, /* cells of totals */
    FEATURE_OTHER,   /* of rows of others */
    FEATURE_SET,     /* of answers with a member set in a cut */
    FEATURE_NESTED,  /* of a virtual cube whose primary is one */
    FEATURE_OUTER,   /* of one that is joined */
    FEATURE_UNITED,  /* of answers along a dimension of several sources together */
    FEATURE_CALL,    /* and those behind it: of each vc_member_function */
    FEATURE_AGG_OVER = FEATURE_CALL + VC_MEMBER_AGG_OVER,
    NFEATURES
};
extern const char *const sql_feature_names[NFEATURES];

struct sql_place { /* how a source lies along a dimension of the cube */
    bool is_there, is_relation;
    bool is_united; /* by leaves of its own: m<source>_<dimension> has them */
    unsigned of;    /* its own dimension, the first one of a composite key */
    unsigned level; /* of the units of a relation; WORLD_LEVELS: leaves */
    unsigned ncomponents, components[WORLD_DIMENSIONS]; /* of the key of a relation */
    vc_join_mode mode;                                  /* of a relation; never DEFAULT */
    bool is_equal;                                      /* weighted, in equal parts */
    vc_finer finer;
    bool allocates_by_days;
    bool is_rough; /* its parts are no exact doubles */
};

struct sql_source {
    unsigned cube;                         /* of the world */
    const struct world_source *definition; /* NULL: a source cube by itself */
    struct sql_place places[SQL_DIMENSIONS];
};

struct sql_dimension { /* of the cube */
    const char *name;
    bool is_hidden; /* of "o": what "v" is joined by, which others take the place of */
    const struct world_dimension *stored;
    unsigned owner, owned; /* source, and its own dimension */
    unsigned cube, of;     /* whose tables c<cube>_<of> and o<cube>_<of> are its leaves */
};

struct sql_node { /* a measure, or one that a formula of a source is over */
    const char *name;
    unsigned source;
    const struct world_measure *stored; /* NULL: a formula */
    struct world_fix fix;
    vc_unrelated unrelated;
    bool is_mode_set;
    vc_reaggregate reaggregate; /* never DEFAULT */
    enum world_formula formula;
    unsigned a, b;
    struct world_call call;
    unsigned call_dimension; /* of the cube */
};

struct sql {
    sqlite3 *db;
    const struct world *world;
    unsigned nsources, ndimensions, nnodes, nnamed;
    unsigned ninner; /* sources of "v" in "n"; else 0 */
    unsigned first;  /* of "v": 1 in "o", whose first source is the primary; else 0 */
    unsigned shift;  /* by how much dimensions of v's primary stand later, in "o" */
    struct sql_source sources[WORLD_CUBES];
    struct sql_dimension dimensions[SQL_DIMENSIONS];
    struct sql_node nodes[SQL_NODES];
    bool is_number[WORLD_CUBES + 1][WORLD_DIMENSIONS][WORLD_LEVELS]; /* keys, of cubes */
    vc_buffer world_log, log;
};

/* The world's tables, seen as a cube of it: "v", or a source cube by itself. The definition must
 * hold together. */
void sql_open(struct sql *sql, const struct world *world, const char *cube);
void sql_close(struct sql *sql);

/* What there is to ask; lives in the arena. */
void sql_describe(struct sql *sql, vc_arena *arena, struct asking_cube *cube_out);

/* Would a measure be refused, or could it be, as it does not add up (not_additive)? Are its values
 * doubles whose last digits depend on the way they are computed? */
bool sql_may_not_add(const struct sql *sql, vc_str measure);
bool sql_is_rough(const struct sql *sql, vc_str measure);

/* Can the question be put as SQL by us? Of kinds that are newer than this file: no. */
bool sql_knows(const vc_query *query);

/* Ask. Fills the table `w` for a grouping when it is wanted; detail rows first.
 *
 * error_out  the code of an expected error, or NULL */
struct sql_question;
struct sql_question *sql_ask(struct sql *sql, const vc_query *query, vc_arena *arena,
                             const char **error_out);

/* How many detail rows there are before offset and limit; the statement gives those behind them.
 * Columns: per kept axis whether the member is synthetic (1) or stands for others (2), and its
 * keys, the first level's first; then per asked measure its amount, or null, and its reason. */
sqlite3_stmt *sql_detail(struct sql_question *question, size_t *nfound_out);
/* The same of a grouping: bits of axes that stay. With totals_scope=visible ask for the detail rows
 * first. And the one row of the summary. */
sqlite3_stmt *sql_total(struct sql_question *question, uint32_t kept);
sqlite3_stmt *sql_summary(struct sql_question *question);

const struct sql *sql_of(const struct sql_question *question);
/* Does a function over members look at a dimension that is not drilled, and that something it looks
 * at does not have? */
bool sql_drills_more(const struct sql_question *question);
size_t sql_naxes(const struct sql_question *question);
unsigned sql_nkeys(const struct sql_question *question, size_t axis);
/* The asked measures, and the type of one's value. */
size_t sql_nasked(const struct sql_question *question);
const char *sql_asked(const struct sql_question *question, size_t number);
vc_value_type sql_type(const struct sql_question *question, size_t number);
/* May its values be shared out below a grain? Where they are, they are doubles. */
bool sql_may_allocate(const struct sql_question *question, size_t number);
uint32_t sql_features(const struct sql_question *question, size_t number); /* bits */
/* And may the question be refused (not_additive), because one that does not add up would be? */
bool sql_may_refuse(const struct sql_question *question);

/* One statement, formatted as printf; aborts when SQLite refuses it. */
void sql_run(struct sql *sql, vc_buffer *log, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int64_t sql_number(struct sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sql_put_text(vc_buffer *out, vc_str text); /* quoted */

#endif
