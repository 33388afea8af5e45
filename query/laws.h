/* The laws of a virtual cube (docs/semantics.md, section 1), asked of the cubes of a model.
 *
 *     L1 primary        L2 joined    L3 conservation    L4 no double count
 *     L5 order          L6 adding    L7 split           L8 snapshot
 *
 * A law says how answers to different queries go together; no slow evaluator is needed to see
 * whether it holds. A *case* of a law is two or more queries, made at random from the model: its
 * members, levels, measures and joins. Queries are made as text, in the grammar that people use, so
 * what a report shows of a case is what was asked. Where a law speaks of another kind of join or
 * another order of joins than the cube has (L2, L3, L5), the model is given a variant of the
 * definition (vc_model_add); nothing is stored.
 *
 * A law is asked only where it must hold; each file says the exact preconditions above its law. A
 * query that is refused makes no case. `vcube check --laws` and tests/slice/test_laws.c use this.
 * Threads: one run at a time per model; queries use the pool of the options.
 */
#ifndef QUERY_LAWS_H
#define QUERY_LAWS_H

#include "base/buffer.h"
#include "query/parameters.h"
#include "slice/engine.h"

enum { VC_LAWS = 8, VC_LAW_SIDES = 5 };

/* "primary", ..., and the law in one sentence. law is 1 to VC_LAWS. */
const char *vc_law_name(unsigned law);
const char *vc_law_sentence(unsigned law);

/* One query of a case. */
typedef struct vc_law_side {
    vc_str what; /* "the children of the member" */
    vc_str cube;
    vc_str variant; /* the definition, as JSON, of a cube that the snapshot does not have; absent:
                       it has it */
    size_t nparameters;
    const vc_parameter *parameters; /* fields of a query (query/fields.h) */
    bool is_single_threaded;        /* L8: asked without a pool */
    vc_str found;                   /* the number at the place of the breach, as text */
} vc_law_side;

typedef struct vc_law_breach {
    vc_str claim;   /* what does not hold, with the numbers: "16.7 + 0.1 is not 16.9" */
    vc_str measure; /* absent when it is not about one */
    vc_str place;   /* "geo.region=Europe"; "the total" */
    size_t nsides;
    const vc_law_side *sides;
} vc_law_breach;

typedef struct vc_law_note {
    vc_str text; /* why something was not asked: "no additive measure" */
    uint64_t count;
} vc_law_note;

typedef struct vc_law_report { /* of one law on one cube */
    unsigned law;
    uint64_t ncases;  /* that were asked */
    uint64_t nshared; /* of L4: in which children shared facts, and how much was known apart */
    size_t nnotes;
    const vc_law_note *notes;    /* the most frequent first */
    const vc_law_breach *breach; /* of the first case that breaks the law; NULL: it holds */
} vc_law_report;

typedef struct vc_laws_options {
    uint64_t seed;   /* the same seed, the same cases */
    uint32_t rounds; /* cases wanted of each law; where few are possible, fewer are asked */
    unsigned laws;   /* bits, L1 the lowest; 0: all */
    vc_engine_options engine;
    /* The body that L8 compares; NULL: a text of all that the result holds of rows and notices. */
    vc_status (*write_body)(void *context, const vc_result *result, vc_buffer *out,
                            vc_error *error);
    void (*progress)(void *context, unsigned law, uint32_t round); /* NULL: silent */
    void *context;                                                 /* of both */
} vc_laws_options;

/* Ask all laws of one cube.
 *
 * arena        owns the reports
 * reports_out  [VC_LAWS]; a law that was not wanted has no cases and no notes
 *
 * A broken law is no failure: see its breach. Errors: those of opening the cube, of memory, storage
 * and of an engine that was cancelled. */
vc_status vc_laws_check(vc_model *model, vc_str cube, const vc_laws_options *options,
                        vc_arena *arena, vc_law_report reports_out[VC_LAWS], vc_error *error);

/* A side as a command that anyone can run: "vcube query -d DIR world --cut 'geo:Europe'", quoted
 * for a shell. */
void vc_law_side_command(const vc_law_side *side, const char *directory, vc_buffer *out);

#endif
