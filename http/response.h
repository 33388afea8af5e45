/* A reply as a response of libmicrohttpd: its body without a copy, and all its headers.
 *
 * Threads: one thread at a time has a reply.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "http/reply.h"

#include <microhttpd.h>

/* Takes the reply's body, or its reference to a kept answer; the rest is copied. The caller
 * destroys the response. NULL when out of memory. */
struct MHD_Response *vc_response_make(vc_reply *reply, const char *request_id);

#endif
