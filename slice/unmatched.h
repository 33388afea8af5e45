/* The keys of a join that found no partner: what they are worth, and what was perhaps meant.
 *
 * Lifetime: the arena of the request, and the model.
 */
#ifndef SLICE_UNMATCHED_H
#define SLICE_UNMATCHED_H

#include "slice/engine.h"

enum { VC_MAX_SUGGESTIONS = 3 };

typedef struct vc_suggestion {
    vc_str key; /* of the primary's index, as found there; of a composite key its components joined
                   by ", " */
    const char *why; /* "differs by case", "another code of iso3166-1", "near spelling", ... */
    const char
        *step; /* of `normalize` that makes them equal: "casefold"; NULL: a crosswalk would */
} vc_suggestion;

typedef struct vc_missed_key {
    const vc_unmatched_key *key;
    const vc_cell *values; /* [nmeasures] of its facts: what matching it would recover */
    size_t nsuggestions;
    vc_suggestion suggestions[VC_MAX_SUGGESTIONS];
} vc_missed_key;

typedef struct vc_missed_measure {
    vc_str name;
    vc_value_type type;
    unsigned scale;
} vc_missed_measure;

typedef struct vc_missed { /* one join */
    vc_str source, dimension, to_name, through;
    size_t nmeasures;
    const vc_missed_measure *measures; /* the sums and counts of the source */
    const vc_cell *values;             /* [nmeasures] of all keys that are not excluded */
    size_t nall;
    const vc_missed_key *keys; /* [nkeys] the page */
    size_t nkeys;
} vc_missed;

typedef struct vc_missed_query {
    uint64_t sources; /* a bit for each; UINT64_MAX: all */
    bool is_by_value; /* the largest value of the first measure first; else in the order of keys */
    size_t offset, limit;
} vc_missed_query;

/* List them, join by join. Values are read by one scan per join. Errors: those of scanning. Cost:
 * suggestions look at each key of the primary, for each key of the page. */
vc_status vc_missed_run(vc_model *model, const vc_cube *cube, const vc_missed_query *query,
                        const vc_engine_options *options, vc_arena *arena,
                        const vc_missed **missed_out, size_t *nmissed_out, vc_error *error);

#endif
