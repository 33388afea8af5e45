/* From a specification to a document: values put in, queries asked, answers laid out.
 *
 * Threads: any number at once over one model, each with an arena of its own.
 */
#ifndef REPORT_COMPOSE_H
#define REPORT_COMPOSE_H

#include "render/render.h"
#include "report/sweep.h"

typedef enum vc_problem_kind {
    VC_PROBLEM_SECTION,   /* a section could not be made: the document says so in its place */
    VC_PROBLEM_ASSERTION, /* an assertion or min_coverage does not hold: the document must not be
                             published */
} vc_problem_kind;

typedef struct vc_problem {
    vc_problem_kind kind;
    vc_str section; /* id; absent: of the whole report */
    vc_str message; /* a sentence with its place in the specification */
    vc_str query;   /* canonical; absent: none */
} vc_problem;

typedef struct vc_composed_query { /* what was asked for a section, for the manifest */
    vc_str section;                /* id; absent: of the whole report */
    vc_str cube;
    vc_str query; /* canonical text: the same question has the same text */
    uint64_t nrows;
} vc_composed_query;

typedef struct vc_composed {
    vc_document document;
    const vc_problem *problems;
    size_t nproblems;
    const vc_composed_query *queries;
    size_t nqueries;
    vc_str definitions; /* hashes of the definitions of all cubes asked, joined by blanks */
} vc_composed;

/* Compose the document of an item.
 *
 * arena  owns the document, which also points into the model
 *
 * Only what concerns the whole is an error: VC_NO_MEMORY, VC_CANCELLED, VC_CORRUPT. */
vc_status vc_compose(const vc_spec *spec, const vc_sweep_item *item, vc_model *model,
                     const vc_engine_options *options, vc_arena *arena, vc_composed *composed_out,
                     vc_error *error);

/* The answer of a section's query in a format of render/ (JSON-stat), into a sink. `section` is a
 * section of the document by its id. Errors: those of the engine and of vc_render. */
vc_status vc_compose_section(const vc_spec *spec, const vc_sweep_item *item, vc_str section,
                             vc_render_format format, vc_model *model,
                             const vc_engine_options *options, vc_render_sink sink,
                             vc_error *error);

#endif
