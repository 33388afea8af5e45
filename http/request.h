/* A request as plain data, and the checks that it must pass before anything looks at it.
 *
 * libmicrohttpd 0.9.75 lets through what a proxy in front may read differently (two lengths, a
 * length beside a transfer coding, odd header names, a NUL in the path). Whatever two parsers could
 * read in two ways is refused here with 400, and the connection is closed.
 * Threads: pure.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"
#include "http/encoding.h"
#include "query/parameters.h"

typedef enum vc_method {
    VC_METHOD_GET = 0,
    VC_METHOD_HEAD,
    VC_METHOD_POST,
    VC_METHOD_OPTIONS,
    VC_METHOD_PUT,
    VC_METHOD_DELETE,
    VC_METHOD_PATCH, /* known, so that it gets 405 and not 400 */
    VC_METHOD_COUNT
} vc_method;

enum { VC_MAX_SEGMENTS = 12, VC_MAX_PARAMETERS = 500 };

typedef struct vc_header { /* as sent */
    vc_str name, value;
} vc_header;

typedef struct vc_request {
    vc_method method;
    vc_str path;                      /* as sent, without the query string */
    vc_str segments[VC_MAX_SEGMENTS]; /* decoded: "/v1/cubes/a%2Fb" is v1, cubes, a/b */
    size_t nsegments;                 /* a "/" at the end adds an empty one */
    vc_str query_string;              /* as sent; absent when there is no "?" */
    const vc_parameter *parameters;   /* decoded */
    size_t nparameters;
    vc_str accept, content_type, content_encoding, if_match, if_none_match; /* absent when not
                                                                               sent */
    vc_str host;
    const char *const *hosts; /* [nhosts] names of this server beside those of its machine: set
                                 before the headers are read */
    size_t nhosts;
    vc_str authorization;        /* absent when not sent */
    vc_encoding_choice encoding; /* of the answer, by Accept-Encoding */
    vc_str request_id;           /* the client's, when it is fit to be repeated */
    vc_str forwarded_for;        /* the last of X-Forwarded-For, which the nearest proxy wrote */
    vc_str user_agent;
    vc_str origin;     /* of the page that asks; absent when not sent */
    bool is_preflight; /* with Access-Control-Request-Method */
    bool has_body;
    bool has_length;
    uint64_t content_length;
    bool expects_continue;
    vc_str body;
} vc_request;

const char *vc_method_name(vc_method method);

/* VC_BAD_INPUT, code "bad_method". */
vc_status vc_request_read_method(vc_str name, vc_request *request, vc_error *error);

/* Take the target apart: strictly percent-encoded (RFC 3986), decoded text is UTF-8 without control
 * characters, no "." or ".." segments, origin form only ("/...", or "*" for OPTIONS).
 *
 * target  as sent; what is decoded goes to the arena, the rest is a view of it
 *
 * VC_BAD_INPUT, codes "bad_target" and "bad_encoding"; VC_LIMIT, "url_too_long" and
 * "too_many_parameters". */
vc_status vc_request_read_target(vc_str target, size_t max_bytes, vc_arena *arena,
                                 vc_request *request, vc_error *error);

/* Check the headers and keep what is needed, as views.
 *
 * After the method. VC_BAD_INPUT, codes "bad_header", "bad_host" (absent, twice, or neither a
 * name of this machine nor one of request->hosts, against DNS rebinding) and "bad_framing"
 * (lengths, transfer codings, a GET with a body). */
vc_status vc_request_read_headers(const vc_header *headers, size_t nheaders, vc_request *request,
                                  vc_error *error);

/* Check what stands behind a chunked body; nothing of it is used. VC_BAD_INPUT, codes "bad_header"
 * and "bad_framing". */
vc_status vc_request_check_trailers(const vc_header *trailers, size_t ntrailers, vc_error *error);

/* The value of a parameter; absent when it is not there. VC_BAD_INPUT, code "bad_parameter", when
 * it is there more than once. */
vc_status vc_request_parameter(const vc_request *request, const char *name, vc_str *value_out,
                               vc_error *error);

/* A parameter that is a count. VC_BAD_INPUT, code "bad_parameter". */
vc_status vc_request_count(const vc_request *request, const char *name, uint64_t fallback,
                           uint64_t max, uint64_t *count_out, vc_error *error);

/* Refuse parameters that are not in `known` (ends with NULL): VC_BAD_INPUT, code
 * "unknown_parameter", with candidates. */
vc_status vc_request_check_parameters(const vc_request *request, const char *const *known,
                                      vc_error *error);

#endif
