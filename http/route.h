/* Routes: which handler answers a method and a path.
 * Threads: pure.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "http/service.h"

enum {
    VC_ROUTE_QUICK = 1,     /* may run on a polling thread: no model, no storage but a snapshot */
    VC_ROUTE_JSON = 2,      /* answers with JSON and nothing else */
    VC_ROUTE_CHANGE = 8,    /* changes the store: guarded (http/change.h), on the worker of loads */
    VC_ROUTE_UPLOAD = 16,   /* its body goes to a file (http/upload.h) */
    VC_ROUTE_COPY = 32,     /* copies the store: guarded, on the worker of copies */
    VC_ROUTE_CUBEJS = 64,   /* errors in the form of Cube */
    VC_ROUTE_KEPT = 4,      /* answers are kept: a request in equal words is one to be looked for */
    VC_ROUTE_OPEN = 128,    /* answers whoever asks: nothing of any cube */
    VC_ROUTE_METRICS = 256, /* tells of the server what only some may know */
};

typedef struct vc_route {
    vc_method method;     /* GET answers HEAD too */
    const char *template; /* "/v1/cubes/{cube}/coverage" */
    vc_handler *handler;
    unsigned traits; /* of VC_ROUTE_... */
} vc_route;

/* Find the route of a request and the arguments in its path, and check that the client takes what
 * it answers with.
 *
 * route_out  NULL for OPTIONS: then the reply is complete
 *
 * VC_NOT_FOUND, code "unknown_path"; VC_BAD_INPUT, codes "method_not_allowed" and
 * "not_acceptable". The reply's `allow`
 * is set for both OPTIONS and "method_not_allowed". */
vc_status vc_route_find(const vc_request *request, const vc_route **route_out,
                        vc_str arguments[VC_MAX_ARGUMENTS], vc_reply *reply, vc_error *error);

/* Is it a path of a dialect, whose clients look for what is wrong in `error`? */
bool vc_route_is_dialect(const vc_request *request);

/* The number of a route; the number of all of them for NULL. */
unsigned vc_route_number(const vc_route *route);

/* Which right a role needs for it (VC_MAY_..., http/roles.h); 0: none. What says nothing of itself
 * needs the right to read, what changes something the right to define. */
unsigned vc_route_right(const vc_route *route);

/* By number, for lists of what there is; NULL past the last one. */
const vc_route *vc_route_at(size_t number);

#endif
