/* What the server writes to standard error: one line each, safe to read by programs and people.
 * Threads: any; a line is one write.
 */
#ifndef HTTP_LOG_H
#define HTTP_LOG_H

#include "http/service.h"

typedef struct vc_logged { /* of a request that is over */
    const char *request_id, *method;
    const char *target; /* as sent; shown cut, and with what is not printable replaced */
    unsigned status;
    size_t bytes; /* of the body */
    int64_t elapsed_ns;
    const char *snapshot;
    bool is_whole; /* false: the client went away before it had the answer */
} vc_logged;

/* {"time":"2024-05-01T12:00:00.123Z","request_id":"...","method":"GET",...} */
void vc_log_request(const vc_logged *logged);

/* "vcube: request ID: 500 storage_damaged: ..."; nothing when the server is quiet. */
void vc_log_failure(const vc_service *service, const char *request_id, const vc_error *error);

#endif
