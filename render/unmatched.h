/* Unmatched keys as JSON. */
#ifndef RENDER_UNMATCHED_H
#define RENDER_UNMATCHED_H

#include "base/buffer.h"
#include "slice/unmatched.h"

/* An object, as GET /v1/cubes/{cube}/unmatched answers (docs/api.md). */
void vc_missed_put_json(vc_buffer *out, vc_str cube, vc_str snapshot, const vc_missed_query *query,
                        const vc_missed *missed, size_t nmissed);

#endif
