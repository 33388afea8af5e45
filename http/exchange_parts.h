/* What the files of an exchange share (http/exchange.h):
 *
 *     exchange.c          libmicrohttpd's callbacks: a request begins, its body comes, it is over
 *     exchange_request.c  what is asked, by whom, and may they: before the body
 *     exchange_work.c     handlers, kept answers, workers, the reply
 */
#ifndef HTTP_EXCHANGE_PARTS_H
#define HTTP_EXCHANGE_PARTS_H

#include "http/access.h"
#include "http/exchange.h"
#include "http/route.h"

/* A body that is too large is read to its end so that the client sees the 413 and not a reset
 * connection, but not for ever. */
enum { VC_DISCARD_FACTOR = 16 };

typedef struct vc_exchange {
    vc_job job; /* first: a job is its vc_exchange */
    struct vc_server *server;
    struct MHD_Connection *connection;
    vc_connection *link;
    vc_arena arena;
    vc_request request;
    vc_buffer body;
    vc_upload *upload;      /* in place of it */
    vc_error *refusal;      /* known before the body came; of the arena */
    uint64_t body_bytes;    /* received, kept or not */
    uint64_t dropped_bytes; /* of an upload that has failed */
    vc_reply reply;
    vc_call call;
    const vc_route *route;
    vc_error *lost;                /* there is no route, or it does not fit; of the arena */
    vc_admission *admission;       /* that held when the request came */
    struct MHD_Response *response; /* once the reply is made */
    size_t reply_bytes;
    bool is_large; /* it is on the disk */
    char request_id[VC_REQUEST_ID_TEXT];
    int64_t began_ns;
    atomic_llong looked_ms; /* when the client was last looked for */
    atomic_bool is_gone;    /* it was not there */
    bool is_heavy;          /* on the heavy workers */
    bool is_prepared;       /* the handler has run; what it left for later has not */
    bool owns_key;          /* others may wait for the answer: it must be kept or abandoned */
    vc_answer_waiter waiter;
    vc_str salted; /* the call's key, with who asks */
    vc_str alias;  /* the words of the request; absent: not one whose answer is kept */
} vc_exchange;

/* ---- exchange_request.c ---- */

/* Read the method, the headers and the address, and name the request. The guard's errors. */
vc_status vc_exchange_read(vc_exchange *in, const char *method, vc_error *error);

/* Find the route, before the body is there; what is wrong with it is kept in in->lost. VC_NO_MEMORY
 * alone. */
vc_status vc_exchange_find_route(vc_exchange *in, vc_error *error);

/* Who asks, and may they? Before anything is done for them. Codes "unauthorized", "forbidden",
 * "rate_limited", "token_in_url", and "unknown_cube" of a load. */
vc_status vc_exchange_admit(vc_exchange *in, vc_error *error);

/* A refusal before the body was taken waits for the end of a small one, so that the client is there
 * to hear it; nothing of it is kept. VC_OK: it waits. */
vc_status vc_exchange_refuse(vc_exchange *in, const vc_error *error);

/* After a body in chunks: what libmicrohttpd calls footers. */
vc_status vc_exchange_check_trailers(vc_exchange *in, vc_error *error);

/* ---- exchange_work.c ---- */

/* The whole request is there. */
enum MHD_Result vc_exchange_dispatch(vc_exchange *in);

/* Answer with an error. */
enum MHD_Result vc_exchange_fail(vc_exchange *in, const vc_error *error);

/* Send the reply that was made. */
enum MHD_Result vc_exchange_queue(vc_exchange *in);

void vc_exchange_work(vc_job *job);           /* on a worker */
bool vc_exchange_is_cancelled(void *context); /* asked between segments, from any scanning thread */
void vc_exchange_release_upload(vc_exchange *in); /* if there is one */

/* VC_BUSY, code "busy". */
vc_status vc_exchange_fail_busy(vc_error *error, const char *why);

#endif
