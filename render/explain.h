/* How an answer was made, or would be: a vc_explain as JSON for programs and as text for people.
 *
 * The JSON is the same wherever it stands: under "explain" in the `meta` of an answer, and in what
 * an endpoint or a command that only explains writes. Numbers of what was not executed are upper
 * bounds; what only executing shows (rows kept, times) is left out then.
 * Threads: pure.
 */
#ifndef RENDER_EXPLAIN_H
#define RENDER_EXPLAIN_H

#include "base/buffer.h"
#include "cube/model.h"
#include "render/content.h"
#include "slice/explain.h"
#include "slice/query.h"

/* What stands above an explanation that stands by itself. Absent texts are left out. */
typedef struct vc_explain_head {
    vc_str cube, snapshot, definition;
    vc_str question; /* the query in its canonical text */
} vc_explain_head;

/* Of a query over a model. The question leaves out what only concerns the form of the answer.
 * VC_NOT_FOUND, code "unknown_cube", and what else opening a cube gives. */
vc_status vc_explain_head_make(vc_model *model, const vc_query *query, vc_arena *arena,
                               vc_explain_head *head_out, vc_error *error);

/* {"executed": false, "memory_bytes": ..., "measures": [...], "scans": [...]} */
void vc_explain_put_json(vc_buffer *buffer, const vc_explain *explain);

/* {"cube": ..., "snapshot": ..., "definition": ..., "question": ..., "explain": {...}} and a line
 * feed. */
void vc_explain_put_document(vc_buffer *buffer, const vc_explain_head *head,
                             const vc_explain *explain);

/* Tables for a terminal; head may be NULL. Out of memory is remembered by the buffer. */
void vc_explain_put_text(vc_buffer *buffer, const vc_explain_head *head, const vc_explain *explain,
                         bool is_coloured);

/* Has the format a place for the explanation that a query asks for? VC_IMPOSSIBLE, code
 * "unsupported", when not: it is CSV. */
vc_status vc_explain_check_format(const vc_query *query, vc_render_format format, vc_error *error);

#endif
