#include "http/exchange_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_HEADERS = 128 };

/* ---- headers ---- */

struct headers {
    vc_header items[MAX_HEADERS];
    size_t count;
};

static enum MHD_Result collect_header(void *context, enum MHD_ValueKind kind, const char *key,
                                      size_t key_size, const char *value, size_t value_size)
{
    (void)kind;
    struct headers *headers = context;
    if (headers->count < MAX_HEADERS)
        headers->items[headers->count] =
            (vc_header){.name = {key, key_size}, .value = {value != NULL ? value : "", value_size}};
    headers->count++;
    return MHD_YES;
}

/* After a body in chunks: what libmicrohttpd calls footers. */
vc_status vc_exchange_check_trailers(vc_exchange *in, vc_error *error)
{
    struct headers trailers;
    if (!in->request.has_body || in->request.has_length) return VC_OK;
    trailers.count = 0;
    MHD_get_connection_values_n(in->connection, MHD_FOOTER_KIND, collect_header, &trailers);
    if (trailers.count > MAX_HEADERS)
        return vc_fail(error, VC_LIMIT, "too_many_headers", "found %zu trailers, the most is %d",
                       trailers.count, MAX_HEADERS);
    vc_status status = vc_request_check_trailers(trailers.items, trailers.count, error);
    if (status != VC_OK) in->reply.closes = true;
    return status;
}

/* ---- the request ---- */

static void name_request(vc_exchange *in)
{
    vc_str given = in->request.request_id;
    if (given.size > 0) {
        snprintf(in->request_id, sizeof in->request_id, "%.*s", VC_FMT(given));
        return;
    }
    snprintf(in->request_id, sizeof in->request_id, "%08llx-%llx",
             (unsigned long long)(in->server->request_seed & 0xffffffff),
             atomic_fetch_add(&in->server->next_request, 1));
}

vc_status vc_exchange_read(vc_exchange *in, const char *method, vc_error *error)
{
    struct headers headers;
    headers.count = 0; /* the items are many, and written before they are read */
    MHD_get_connection_values_n(in->connection, MHD_HEADER_KIND, collect_header, &headers);
    vc_status status = vc_request_read_method(vc_str_of(method), &in->request, error);
    if (status == VC_OK && headers.count > MAX_HEADERS)
        status = vc_fail(error, VC_LIMIT, "too_many_headers", "found %zu headers, the most is %d",
                         headers.count, MAX_HEADERS);
    if (status == VC_OK)
        status = vc_request_read_headers(headers.items, headers.count, &in->request, error);
    name_request(in);
    if (status != VC_OK) return status;
    if (in->link->uri == NULL) return vc_no_memory(error);
    return vc_request_read_target(vc_str_of(in->link->uri),
                                  in->server->service.options.max_url_bytes, &in->arena,
                                  &in->request, error);
}

/* ---- who asks ---- */

/* A refusal before the body was taken waits for the end of a small one, so that the client is there
 * to hear it; nothing of it is kept. */
vc_status vc_exchange_refuse(vc_exchange *in, const vc_error *error)
{
    if (in->request.expects_continue ||
        in->request.content_length >
            in->server->service.options.max_body_bytes * (uint64_t)VC_DISCARD_FACTOR)
        return error->status;
    in->refusal = VC_ARENA_NEW(&in->arena, vc_error, 1);
    if (in->refusal == NULL) return error->status;
    *in->refusal = *error;
    return VC_OK;
}

/* Whose clients send a token without saying that it is one. */
static bool is_cube_path(const vc_exchange *in)
{
    return in->request.nsegments > 0 && vc_str_is(in->request.segments[0], "cubejs-api");
}

/* A browser asks without a token whether its page may send one. */
static bool needs_token(const vc_exchange *in)
{
    bool is_open = in->route != NULL && vc_route_right(in->route) == 0;
    return !is_open && !in->reply.is_preflight;
}

static vc_status check_right(vc_exchange *in, vc_error *error)
{
    unsigned right = in->route != NULL ? vc_route_right(in->route) : 0;
    const vc_role *role = in->call.role;
    if ((role->may & right) != right)
        return vc_fail(error, VC_IMPOSSIBLE, "forbidden",
                       "the role '%.*s' may not '%s', which this needs", VC_FMT(role->name),
                       vc_may_name(right));
    vc_str cube = in->call.arguments[0];
    if (right != VC_MAY_LOAD || vc_role_may_load(role, cube)) return VC_OK;
    if (vc_rights_may_read(role->rights, cube))
        return vc_fail(error, VC_IMPOSSIBLE, "forbidden",
                       "the role '%.*s' may load only into cubes of which it sees all",
                       VC_FMT(role->name));
    return vc_fail(error, VC_NOT_FOUND, "unknown_cube", "no cube named '%.*s'", VC_FMT(cube));
}

/* Who asks, and may they? Before anything is done for them. */
vc_status vc_exchange_admit(vc_exchange *in, vc_error *error)
{
    vc_caller caller = {.role = &vc_role_nobody, .token_id = ""};
    vc_status status = vc_access_check_parameters(&in->request, error);
    if (status == VC_OK && needs_token(in))
        status = vc_admission_check(in->admission, &in->request, is_cube_path(in), time(NULL),
                                    in->began_ns, &caller, &in->reply.retry_after_s, error);
    in->call.role = caller.role;
    in->call.token_id = caller.token_id;
    in->reply.salt = caller.role->fingerprint;
    in->reply.is_private = vc_admission_is_on(in->admission);
    /* Who has a token is a client wherever they ask from. */
    if (caller.token_id[0] != '\0') in->job.client = strtoull(caller.token_id, NULL, 16);
    if (status == VC_OK) status = check_right(in, error);
    if (status != VC_OK) in->reply.allow[0] = '\0';
    return status;
}

/* The route is known before the body is; what is wrong with it is said afterwards. */
vc_status vc_exchange_find_route(vc_exchange *in, vc_error *error)
{
    vc_error found = {0};
    if (vc_route_find(&in->request, &in->route, in->call.arguments, &in->reply, &found) == VC_OK)
        return VC_OK;
    in->lost = VC_ARENA_NEW(&in->arena, vc_error, 1);
    if (in->lost == NULL) return vc_no_memory(error);
    *in->lost = found;
    return VC_OK;
}
