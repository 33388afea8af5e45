/* Suggested joins as text. */
#ifndef RENDER_SUGGEST_H
#define RENDER_SUGGEST_H

#include "base/arena.h"
#include "base/buffer.h"
#include "slice/suggest.h"

/* An object, as GET /v1/cubes/{cube}/suggest answers (docs/api.md). */
void vc_suggest_put_json(vc_buffer *out, vc_str snapshot, const vc_suggest *suggest);

/* A pair a line, and a last one that says how many there were. */
void vc_suggest_put_ndjson(vc_buffer *out, const vc_suggest *suggest);

/* RFC 4180, with a header. */
void vc_suggest_put_csv(vc_buffer *out, const vc_suggest *suggest);

/* The definition of a virtual cube that joins both by the best pairs, ready for a file. Nothing
 * when there is none. */
void vc_suggest_put_definition(vc_buffer *out, const vc_suggest *suggest);

/* Why a pair is shown, a sentence for people. In the arena. */
vc_str vc_suggest_why(const vc_suggest_pair *pair, vc_arena *arena);

/* "key", "level", "attribute". */
const char *vc_index_kind_name(vc_index_kind kind);

#endif
