/* Pages of which other origins may read answers (CORS): those on a list, nobody else.
 *
 * There are no wildcards: whoever looks at any page of the web would lend it what this server
 * knows. Answers are the same for all origins; only headers differ, and those are never kept.
 * Threads: pure.
 */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "base/status.h"
#include "http/reply.h"
#include "http/request.h"

/* Is it an origin as browsers send it, "https://host" or "http://host:8081"?
 *
 * VC_BAD_INPUT, code "bad_origin": "*" and "null", a path, capitals, the scheme's own port. */
vc_status vc_cors_check(const char *origin, vc_error *error);

/* Note in the reply what the request's origin may have. origins [norigins] live as long. */
void vc_cors_read(const char *const *origins, size_t norigins, const vc_request *request,
                  vc_reply *reply);

/* What a preflight allows in requests, what pages may read of replies, and for how long a browser
 * need not ask again. */
#define VC_CORS_REQUEST_HEADERS "Accept, Authorization, Content-Type, If-None-Match, X-Request-Id"
#define VC_CORS_REPLY_HEADERS                                                                      \
    "Content-Encoding, ETag, Link, Retry-After, Server-Timing, X-Notices, X-Request-Id, "          \
    "X-Snapshot"
#define VC_CORS_MAX_AGE_S "600"

#endif
