/* Cursors: where a list of members goes on, as a text that a client only hands back.
 *
 * A cursor names the question, the snapshot that it was asked of, the last member that was given
 * and how many were. Members have the numbers of their snapshot, so it goes on there at once,
 * however deep; where that snapshot is gone, the keys of the last member say where. A text that was
 * changed on its way is noticed by its checksum, one that somebody made up is checked like any
 * other input by whoever uses it.
 *
 * Threads: pure.
 */
#ifndef HTTP_CURSOR_H
#define HTTP_CURSOR_H

#include "base/arena.h"
#include "base/buffer.h"
#include "dimensions/dimension.h"

typedef struct vc_cursor {
    uint64_t question;   /* hash of what was asked for */
    uint64_t definition; /* hash of the cube's */
    uint64_t numbering;  /* the dimension's fingerprint: with it members have the same numbers */
    uint64_t order;      /* hash of the rules by which the keys are sorted */
    uint64_t ngiven;     /* members before, of all kinds */
    uint64_t nreal;      /* of them those of the data */
    bool has_after;      /* some member of the data was given */
    vc_member_ref after; /* the last of those */
    vc_str snapshot;     /* its id */
    unsigned nkeys;      /* 0: not kept, being too long */
    vc_str keys[VC_MAX_LEVELS]; /* of its path from the top; absent: null */
} vc_cursor;

/* In base64url. out->failed when out of memory. */
void vc_cursor_put(vc_buffer *out, const vc_cursor *cursor);

/* False when it is none of ours, or was damaged. Texts are in the arena. */
bool vc_cursor_read(vc_str text, vc_arena *arena, vc_cursor *cursor_out);

#endif
