/* Drill-through: the facts behind a cell or a cut, as they were loaded.
 *
 * A *set* of facts is what one source contributes: those that the cut leaves, translated through
 * the joins, with the source's fixes, each once. How many they are is the count measure of the
 * source under the same cut, and read in the same way; the facts themselves are found by the same
 * steps, block by block, until there are enough of them.
 *
 * Lifetime: the arena of the request, and the model.
 */
#ifndef SLICE_FACTS_H
#define SLICE_FACTS_H

#include "slice/engine.h"

typedef struct vc_facts_query {
    const vc_query *query; /* cube, conditions; measures: only the facts that these read, with their
                              own fixes. The rest does not count */
    vc_str source;         /* alias; absent: of all sources */
    const vc_str *fields;  /* none: see vc_facts_run */
    size_t nfields;
    uint64_t offset, limit; /* of each set, in the order in which facts are stored */
} vc_facts_query;

typedef enum vc_fact_kind {
    VC_FACT_TEXT,   /* a key, a label, an attribute, a text */
    VC_FACT_NUMBER, /* a key of an int level: written as a number */
    VC_FACT_VALUE,  /* a column of the facts */
    VC_FACT_LIST,   /* members of a dimension of the virtual cube: where the fact falls */
} vc_fact_kind;

typedef struct vc_fact_field {
    vc_str name; /* "city.city", "city.city_label", "date.key", "population", "in.geo" */
    vc_fact_kind kind;
    vc_value_type type; /* of a value */
    unsigned scale;
} vc_fact_field;

typedef struct vc_fact_cell {
    bool is_null;
    union {
        vc_str text;
        int64_t i; /* int, and decimal scaled by 10^scale */
        double f;
        struct {
            const vc_str *items;
            size_t nitems;
        } list;
    } as;
} vc_fact_cell;

typedef struct vc_fact_set {
    vc_str source;       /* alias; of a source cube its name */
    vc_str cube;         /* whose facts they are */
    const vc_str *fixes; /* dimensions of the source that are fixed */
    size_t nfixes;
    const vc_str *measures; /* that read these facts, when measures were named */
    size_t nmeasures;
    char reason; /* vc_reason: why there are none (u, x, g, d, e), or that they are repeated (r) */
    uint64_t count; /* facts in all; 0 beside a reason other than r */
    const vc_fact_field *fields;
    size_t nfields;
    const vc_fact_cell *cells; /* [nrows * nfields] */
    size_t nrows;
} vc_fact_set;

typedef struct vc_facts {
    vc_str cube, snapshot;
    bool is_virtual;
    const vc_fact_set *sets;
    size_t nsets;
    uint64_t offset, limit;
} vc_facts;

/* Find facts.
 *
 * Fields are named as the source names its dimensions: "city" (what tells its leaves apart),
 * "city.LEVEL", "city.LEVEL_label", "city.ATTRIBUTE", "city.key"; columns by a measure that reads
 * them, or as in the file; "in.geo" is where the fact falls in a dimension of the virtual cube that
 * it is mapped to. Without fields: all dimensions, where it falls, all columns. A field that only
 * some of the sources have is left out of the others.
 *
 * Errors: those of vc_engine_run; VC_NOT_FOUND unknown_source; VC_BAD_INPUT unknown_field. Cost:
 * one count per set, then reading blocks until `limit` facts are found. */
vc_status vc_facts_run(vc_model *model, const vc_facts_query *query,
                       const vc_engine_options *options, vc_arena *arena,
                       const vc_facts **facts_out, vc_error *error);

#endif
