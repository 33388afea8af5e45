/* For tests: what an answer must be, worked out from the meaning alone.
 *
 * The evaluator follows docs/semantics.md and nothing else: it relates leaves pair by pair, and for
 * each cell goes through all facts of the source row by row, asking of each whether it lies in the
 * cell. It has no leaf numbers, no group tables, no cell keys, no segments.
 */
#ifndef TESTS_SLICE_ORACLE_H
#define TESTS_SLICE_ORACLE_H

#include "slice/result.h"
#include "tests/slice/world.h"

enum { ORACLE_AXES = 6, ORACLE_ASKED = 16, ORACLE_DIMENSIONS = 16 };

struct oracle_cell {
    bool is_null;
    char reason;
    long double value; /* of a decimal: the amount, not scaled */
};

struct oracle_row {
    uint32_t grouping;
    uint32_t groups[ORACLE_AXES]; /* UINT32_MAX: rolled up */
    struct oracle_cell *cells;    /* of all measures of the cube, asked or not */
};

struct oracle_answer {
    const char *error; /* the code of an expected error; NULL */
    size_t nrows, ndetail, nfound;
    struct oracle_row *rows;
    struct oracle_cell *summary;
};

struct oracle;

/* A cube of the world: "v", or a source cube by itself. NULL, and *error_out, when the definition
 * cannot hold together. */
struct oracle *oracle_new(const struct world *world, const char *cube, const char **error_out);
void oracle_free(struct oracle *oracle);

unsigned oracle_ndimensions(const struct oracle *oracle);
const struct world_dimension *oracle_dimension(const struct oracle *oracle, unsigned dimension);
const char *oracle_dimension_name(const struct oracle *oracle, unsigned dimension);
unsigned oracle_nmeasures(const struct oracle *oracle);
const char *oracle_measure_name(const struct oracle *oracle, unsigned measure);
bool oracle_measure_is_decimal(const struct oracle *oracle, unsigned measure);
bool oracle_measure_is_float(const struct oracle *oracle, unsigned measure);

/* The synthetic key of a dimension's number-th synthetic slot or, past those, bucket; NULL past
 * all. */
const char *oracle_synthetic_key(const struct oracle *oracle, unsigned dimension, unsigned number);

/* The names of member sets of a dimension. Returns how many. */
unsigned oracle_list_sets(const struct oracle *oracle, unsigned dimension,
                          const char *names_out[WORLD_SETS]);

/* Answer a query (of the kinds that the generator makes). Lives in the arena. */
struct oracle_answer *oracle_ask(struct oracle *oracle, const vc_query *query, vc_arena *arena);

/* The keys of a group on the query's axis, from the first level down to the asked one; absent keys
 * above a synthetic one. Returns how many. */
unsigned oracle_group_keys(const struct oracle *oracle, const vc_query *query, unsigned axis,
                           uint32_t group, vc_str *keys_out, bool *is_synthetic_out);

/* Of the joined source's relation over a dimension: what coverage must say. False: none. */
bool oracle_coverage(const struct oracle *oracle, const char *alias, unsigned dimension,
                     vc_coverage *coverage_out);

#endif
