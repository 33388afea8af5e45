/* A reply as plain data, and how failures become replies.
 *
 * The one place that knows which HTTP status a vc_status is.
 * Threads: one thread at a time has a reply.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "base/buffer.h"
#include "base/spool.h"
#include "base/status.h"
#include "http/answers.h"
#include "http/request.h"
#include "render/notices.h"

enum { VC_ETAG_TEXT = 48, VC_REQUEST_ID_TEXT = 80 };

#define VC_JSON_TYPE    "application/json; charset=utf-8"
#define VC_PROBLEM_TYPE "application/problem+json; charset=utf-8"

typedef struct vc_reply {
    unsigned status; /* of HTTP; 0: not set yet */
    const char *content_type;
    vc_buffer body;
    vc_answer *answer;               /* in place of the body: a reference of the reply's own */
    vc_spool *spool;                 /* likewise: a body too large for memory; of the heap */
    const char *salt;                /* of all tags: what who asks may see; NULL: everything */
    bool is_private;                 /* for who asks alone, not for caches that others share */
    char etag[VC_ETAG_TEXT];         /* with its quotes; "" when none */
    char snapshot[48];               /* "" when none */
    char allow[64];                  /* "" when none */
    char notices[VC_NOTICES_HEADER]; /* of an answer; "" when none */
    vc_buffer link;                  /* where it goes on; empty when nowhere */
    unsigned retry_after_s;          /* 0: none */
    const char *origin;              /* whose pages may read this (http/cors.h); NULL: nobody's */
    bool varies_by_origin;
    bool is_preflight; /* the origin's browser asks what it may send */
    vc_encoding encoding;
    const char *file_name; /* "attachment; filename=..."; NULL: none */
    vc_str details;        /* of a problem: JSON members besides; of the call's arena */
    bool was_kept;         /* the answer, from an earlier request */
    bool is_dialect; /* a problem says its detail as `error`, too, where clients of others look */
    bool closes;     /* the connection, after this */
    int64_t queued_ns, prepared_ns, run_ns, rendered_ns; /* for Server-Timing; 0: none */
} vc_reply;

/* The status of HTTP for an error. */
unsigned vc_reply_status_of(const vc_error *error);

/* Make the reply a problem (RFC 9457), whatever it was before.
 *
 *     {"type": "urn:vcube:problem:unknown_dimension", "title": "Unknown dimension", "status": 404,
 *      "detail": "...", "code": "unknown_dimension", "parameter": "cut", "offset": 4,
 *      "candidates": ["geo"], "request_id": "..."}
 *
 * `pointer` stands for `parameter` when it leads into a body; `definition` holds file, line, column
 * and pointer when a stored definition is at fault. What failed inside the server (storage,
 * memory) is not told to the client; it is in the log under the request id. */
void vc_reply_problem(vc_reply *reply, const vc_error *error, const char *request_id);

/* The same for clients of Cube: {"error": "a sentence", "code": ..., "pointer": ..., "candidates":
 * [...], "requestId": ...}. What the client did wrong is 400 there, whatever it is. */
void vc_reply_cubejs_error(vc_reply *reply, const vc_error *error, const char *request_id);

/* The same as a part of JSON. request_id NULL: without one. */
void vc_reply_put_problem(vc_buffer *out, const vc_error *error, const char *request_id);

/* The reply is an answer that was kept: 200, with its texts. Takes the reference. */
void vc_reply_take_answer(vc_reply *reply, vc_answer *answer);

/* Strong entity tag over the parts, each with its size, and the reply's salt. */
void vc_reply_tag(vc_reply *reply, const vc_str *parts, size_t nparts);

/* Does a list of strong tags (If-Match) name the reply's, in whatever encoding, or any ("*")? */
bool vc_reply_matches(const vc_reply *reply, vc_str list);

/* If the client has the tagged answer already, make the reply 304 and return true. */
bool vc_reply_is_known(vc_reply *reply, const vc_request *request);

/* Put what is in a sealed spool into the reply: as its body if it is small, else as its spool. The
 * spool is empty then. VC_NO_MEMORY. */
vc_status vc_reply_take_spool(vc_reply *reply, vc_spool *spool, vc_error *error);
void vc_reply_free_spool(void *spool); /* as a callback of libmicrohttpd; NULL is fine */

/* Encode the body, or what is in the spool, as the client wishes, if it pays or must be. Changes
 * the tag, because another encoding is another representation. Fails as vc_spool_put, of a spool
 * only, and with VC_CANCELLED.
 *
 * is_cancelled  asked every 256 KiB; NULL: never */
vc_status vc_reply_compress(vc_reply *reply, const vc_request *request,
                            bool (*is_cancelled)(void *context), void *context, vc_error *error);

/* Does an Accept header take the media type? An absent one takes everything. */
bool vc_accepts(vc_str accept, const char *type, const char *subtype);

#endif
