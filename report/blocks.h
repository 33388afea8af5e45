/* Text for a sink, in blocks of about 64 KiB: what the writers of text share.
 *
 * A writer puts text into `buffer` and calls vc_blocks_next wherever it may be handed on. Failures
 * are remembered, and everything after them is ignored, so that a writer checks once, at its end.
 * Threads: one thread at a time.
 */
#ifndef REPORT_BLOCKS_H
#define REPORT_BLOCKS_H

#include "render/render.h"

typedef struct vc_blocks {
    vc_buffer buffer;
    vc_render_sink sink;
    vc_status status;
    vc_error *error; /* of the caller; may be NULL */
} vc_blocks;

void vc_blocks_init(vc_blocks *blocks, vc_render_sink sink, vc_error *error);

/* Hand the buffer on if it is full. False: it has failed, and what follows would be for nothing. */
bool vc_blocks_next(vc_blocks *blocks);

/* Hand on what is left, and free. VC_NO_MEMORY, or what the sink returned. */
vc_status vc_blocks_finish(vc_blocks *blocks);

/* A control at a place of a text, which no format of text may hold: as its picture (U+2400 and on),
 * of U+0080 to U+009F as U+FFFD. Tabs and line ends are none. Returns its bytes, 0: it is none. */
size_t vc_put_control(vc_buffer *out, vc_str text, size_t at);

#endif
