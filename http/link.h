/* Addresses of this server, as they stand in pages and headers. Threads: pure. */
#ifndef HTTP_LINK_H
#define HTTP_LINK_H

#include "http/request.h"

/* A name or a value with all but the unreserved characters of RFC 3986 percent-encoded. */
void vc_link_put_encoded(vc_buffer *out, vc_str text);

/* The path of the request and its parameters but those in `dropped` (ends with NULL), and then
 * name=value: another page of the same. */
void vc_link_put_other(vc_buffer *out, const vc_request *request, const char *const *dropped,
                       const char *name, vc_str value);

#endif
