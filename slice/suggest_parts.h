/* What the files of suggest.h share. */
#ifndef SLICE_SUGGEST_PARTS_H
#define SLICE_SUGGEST_PARTS_H

#include "slice/suggest.h"

/* An index of one of the two cubes. */
typedef struct vc_suggest_index {
    size_t dimension; /* of the cube */
    const vc_cube_dimension *outer;
    vc_pairing_side side;
    vc_index_kind kind;
    bool is_time; /* a level of a dimension of time */
} vc_suggest_index;

/* A pair that may be shown. */
typedef struct vc_suggest_candidate {
    vc_suggest_index *from, *to;
    vc_pairing pairing;
    double score;
    bool is_time, is_shared, is_by_name, is_chosen;
} vc_suggest_candidate;

/* Do the names of two indexes speak of the same? Words are compared that say something ("id",
 * "key", "code" do not), those of the dimension where an index has none. */
bool vc_suggest_names_alike(const vc_suggest_index *a, const vc_suggest_index *b);

/* The pair as a definition has it. VC_NO_MEMORY. */
vc_status vc_suggest_write_on(const vc_suggest_candidate *candidate, vc_arena *arena,
                              vc_suggest_on *on, vc_error *error);

/* Fill what is shown of a pair: the relation, the facts of both sides, examples. */
vc_status vc_suggest_detail(vc_model *model, const vc_suggest *suggest,
                            const vc_suggest_candidate *candidate, const vc_suggest_query *query,
                            const vc_engine_options *options, vc_arena *arena,
                            vc_suggest_pair *pair, vc_error *error);

#endif
