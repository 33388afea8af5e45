/* A query and its answer as text: the engine and a format together.
 *
 * A large answer is made and written piece by piece (slice/engine.h) into a spool, so that it takes
 * disk and not memory, and nothing of it is seen before it is known to be whole: a query that fails
 * at its last row is an error, never a text that stops.
 * Threads: any number at once, each with an arena and a spool of its own.
 */
#ifndef RENDER_QUERY_H
#define RENDER_QUERY_H

#include "base/spool.h"
#include "render/render.h"
#include "slice/engine.h"

typedef struct vc_render_query_options {
    vc_render_format format;
    const vc_render_options *rendering; /* NULL: the defaults */
    size_t piece_rows;                  /* 0: as usual (vc_pieces) */
} vc_render_query_options;

typedef struct vc_render_times {
    uint64_t run_ns;      /* the engine; of a large answer, and writing its rows */
    uint64_t rendered_ns; /* the rest */
} vc_render_times;

/* Answer a query in a format, into an open spool, which is sealed then.
 *
 * result_out  what it was made of; of a large answer without the detail rows. In the arena
 * times_out   may be NULL
 *
 * Errors: those of vc_engine_run, vc_render and vc_spool_put. */
vc_status vc_render_query(vc_model *model, const vc_query *query, const vc_engine_options *options,
                          const vc_render_query_options *how, vc_arena *arena, vc_spool *out,
                          const vc_result **result_out, vc_render_times *times_out,
                          vc_error *error);

#endif
