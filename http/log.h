/* What the server writes to its log (http/lines.h): one line each, safe to read by programs and
 * people, whatever was asked. Threads: any.
 */
#ifndef HTTP_LOG_H
#define HTTP_LOG_H

#include "http/access.h"
#include "http/service.h"

typedef struct vc_logged { /* of a request that is over */
    const char *request_id, *method;
    const char *target; /* as sent; shown cut, and with what is not printable replaced */
    unsigned status;
    size_t bytes; /* of the body */
    int64_t elapsed_ns;
    const char *snapshot;
    vc_str role;          /* absent when the server has none, or nobody was let in */
    const char *token_id; /* "" when none */
    bool is_whole;        /* false: the client went away before it had the answer */
} vc_logged;

/* A line for people: "vcube: ..." on standard error, {"time":...,"message":"..."} in a file. */
void vc_log_say(vc_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* {"time":"2024-05-01T12:00:00.123Z","request_id":"...","method":"GET",...} */
void vc_log_request(vc_log *log, const vc_logged *logged);

typedef struct vc_logged_slow { /* of a request that took long, until it had its answer */
    const char *request_id;
    const char *route;  /* the template of its path */
    vc_str cube, query; /* absent when it has none; the query in canonical text */
    vc_str role;        /* as of vc_logged */
    const char *token_id;
    unsigned status;
    size_t bytes;
    uint64_t nrows; /* of the answer; 0: none, or not known */
    int64_t elapsed_ns, queued_ns, prepared_ns, run_ns, rendered_ns;
} vc_logged_slow;

/* {"time":"...","slow":true,"request_id":"...","route":"/v1/query",...} */
void vc_log_slow(vc_log *log, const vc_logged_slow *slow);

/* What became of a changed file of tokens, as "vcube: ..." for people. error NULL: it is in force.
 */
void vc_log_tokens(vc_service *service, vc_gate *gate, const vc_error *error);

/* "vcube: request ID: 500 storage_damaged: ..."; nothing when the server is quiet. */
void vc_log_failure(vc_service *service, const char *request_id, const vc_error *error);

#endif
