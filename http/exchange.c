#include "http/exchange.h"

#include "base/clock.h"
#include "http/change.h"
#include "http/cors.h"
#include "http/log.h"
#include "http/response.h"
#include "http/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    MAX_HEADERS = 128,
    LOOK_EVERY_MS = 20, /* how often a running query looks whether its client is still there */
    /* A body that is too large is read to its end so that the client sees the 413 and not a reset
     * connection, but not for ever. */
    DISCARD_FACTOR = 16,
    SLOWEST_BYTES_PER_MS = 1000, /* of a large answer: who takes less is cut off */
    MAX_UPLOADS = 16,
    UPLOAD_STEP_BYTES = 256 * 1024, /* so much must come in the time that a body has */
};

typedef struct exchange {
    vc_job job; /* first: a job is its exchange */
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
    struct MHD_Response *response; /* once the reply is made */
    size_t reply_bytes;
    bool is_large; /* it is on the disk */
    char request_id[VC_REQUEST_ID_TEXT];
    int64_t began_ns, queued_ns;
    atomic_llong looked_ms; /* when the client was last looked for */
    bool is_heavy;          /* on the heavy workers */
    bool is_prepared;       /* the handler has run; what it left for later has not */
    bool owns_key;          /* others may wait for the answer: it must be kept or abandoned */
    vc_answer_waiter waiter;
    vc_str alias; /* the words of the request; absent: not one whose answer is kept */
} exchange;

static void finish_and_resume(exchange *in, vc_status status, const vc_error *error);

/* ---- the reply ---- */

/* From now on a request in these words needs no parsing. */
static void put_alias(exchange *in)
{
    if (in->alias.size > 0 && !in->call.is_of_today)
        vc_answers_put_alias(in->server->service.answers, in->call.key, in->alias);
}

/* Keep the answer, and give it to those who wait for it; or tell them that there is none. */
static void settle_key(exchange *in)
{
    vc_reply *reply = &in->reply;
    vc_answers *answers = in->server->service.answers;
    vc_answer *answer = NULL;
    if (reply->status == 200 && (reply->body.data != NULL || reply->spool != NULL))
        answer = vc_answer_new(&reply->body, reply->content_type, reply->etag, reply->snapshot,
                               reply->notices, reply->encoding);
    if (answer != NULL) {
        answer->spool = reply->spool;
        reply->spool = NULL;
    }
    in->owns_key = false;
    if (answer == NULL) {
        vc_answers_abandon(answers, in->call.key);
        return;
    }
    reply->answer = answer;
    vc_answers_keep(answers, in->call.key, answer);
    put_alias(in);
}

/* In the words of the dialect that was spoken. */
static void put_error(exchange *in, const vc_error *error)
{
    if (in->route != NULL && (in->route->traits & VC_ROUTE_CUBEJS) != 0)
        vc_reply_cubejs_error(&in->reply, error, in->request_id);
    else
        vc_reply_problem(&in->reply, error, in->request_id);
}

static void release_upload(exchange *in)
{
    if (in->upload == NULL) return;
    vc_upload_free(in->upload);
    in->upload = NULL;
    atomic_fetch_sub(&in->server->nuploads, 1);
}

/* Turn the reply into a response of MHD. What the request needed is given back here, so that a
 * client that is slow to read holds no snapshot. */
static void finish(exchange *in, vc_status status, const vc_error *error)
{
    vc_reply *reply = &in->reply;
    vc_error own = {0};
    if (status == VC_OK && reply->body.failed) {
        status = vc_no_memory(&own);
        error = &own;
    } else if (status == VC_OK && reply->answer == NULL) {
        status = vc_reply_compress(reply, &in->request, &own);
        if (status != VC_OK) error = &own;
    }
    if (status != VC_OK) {
        put_error(in, error);
        if (reply->status >= 500) vc_log_failure(&in->server->service, in->request_id, error);
    }
    if (in->owns_key) settle_key(in);
    vc_call_close_model(&in->call);
    vc_arena_release(&in->arena);
    vc_buffer_release(&in->body);
    release_upload(in);
    if (atomic_load(&in->server->service.is_draining)) reply->closes = true;
    const vc_spool *spool = reply->answer != NULL ? reply->answer->spool : reply->spool;
    const vc_buffer *body = reply->answer != NULL ? &reply->answer->body : &reply->body;
    in->is_large = spool != NULL;
    in->reply_bytes = spool != NULL ? vc_spool_size(spool) : body->size;
    in->response = vc_response_make(reply, in->request_id); /* NULL: the connection is closed */
}

static enum MHD_Result queue_reply(exchange *in)
{
    if (in->response == NULL) return MHD_NO;
    vc_connection_enter(in->link, VC_PHASE_ANSWER);
    if (in->is_large)
        vc_connection_allow(in->link, (int64_t)(in->reply_bytes / SLOWEST_BYTES_PER_MS));
    enum MHD_Result result = MHD_queue_response(in->connection, in->reply.status, in->response);
    MHD_destroy_response(in->response);
    in->response = NULL;
    return result;
}

/* ---- work ---- */

static bool is_client_gone(int fd)
{
    char byte;
    ssize_t size = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/* Asked between segments, from any scanning thread. */
static bool is_cancelled(void *context)
{
    exchange *in = context;
    if (atomic_load_explicit(&in->server->service.is_cancelling, memory_order_relaxed)) return true;
    long long now_ms = vc_clock_ms(), looked_ms = atomic_load(&in->looked_ms);
    if (now_ms - looked_ms < LOOK_EVERY_MS ||
        !atomic_compare_exchange_strong(&in->looked_ms, &looked_ms, now_ms))
        return false;
    return is_client_gone(in->link->fd);
}

static vc_status fail_busy(vc_error *error, const char *why)
{
    return vc_fail(error, VC_BUSY, "busy", "the server is busy (%s); try again", why);
}

/* Woken by whoever computed the answer, on their thread. Without an answer the question is asked
 * again: theirs was cancelled or failed, which need not be so for this one. */
static void wake(vc_answer_waiter *waiter, vc_answer *answer)
{
    exchange *in = (exchange *)((char *)waiter - offsetof(exchange, waiter));
    vc_error error = {0};
    if (answer != NULL) {
        vc_reply_take_answer(&in->reply, answer);
        finish_and_resume(in, VC_OK, &error);
    } else if (vc_workers_reserve(in->server->light)) {
        in->queued_ns = vc_clock_ns();
        vc_workers_submit(in->server->light, &in->job);
    } else {
        finish_and_resume(in, fail_busy(&error, "too many requests wait already"), &error);
    }
}

/* Is the answer to be computed here? Otherwise it is in the reply, or whoever computes it wakes
 * this exchange: then it is theirs from now on, and *has_gone is set. */
static bool must_compute(exchange *in, bool *has_gone)
{
    vc_answer *answer;
    if (in->call.key.size == 0 || in->owns_key) return true;
    in->waiter.wake = wake;
    vc_answers *answers = in->server->service.answers;
    switch (vc_answers_claim(answers, in->call.key, &in->waiter, &answer)) {
    case VC_CLAIM_MINE: in->owns_key = true; return true;
    case VC_CLAIM_WAITING: *has_gone = true; return false;
    case VC_CLAIM_FOUND: break;
    }
    put_alias(in);
    vc_reply_take_answer(&in->reply, answer);
    return false;
}

/* Run the handler and what it left for later. False when another thread has taken over. */
static bool run_handlers(exchange *in, vc_status *status_out, vc_error *error)
{
    vc_status status = VC_OK;
    bool has_gone = false;
    if (!in->is_prepared) status = in->route->handler(&in->call, error);
    in->is_prepared = true;
    while (status == VC_OK && in->call.next != NULL) {
        if (!must_compute(in, &has_gone)) {
            if (has_gone) return false;
            break;
        }
        if (in->call.is_dear && !in->is_heavy) {
            if (!vc_workers_reserve(in->server->heavy)) {
                status = fail_busy(error, "too many large queries wait already");
                break;
            }
            in->is_heavy = true;
            in->queued_ns = vc_clock_ns();
            vc_workers_submit(in->server->heavy, &in->job);
            return false;
        }
        vc_handler *next = in->call.next;
        in->call.next = NULL;
        status = next(&in->call, error);
    }
    if (status == VC_CANCELLED && atomic_load(&in->server->service.is_cancelling))
        status = vc_fail(error, VC_BUSY, "shutting_down", "the server is stopping");
    *status_out = status;
    return true;
}

/* The last that a worker does with an exchange. */
static void finish_and_resume(exchange *in, vc_status status, const vc_error *error)
{
    struct vc_server *server = in->server;
    finish(in, status, error);
    /* From the next line on the polling thread may complete and free the exchange. */
    MHD_resume_connection(in->connection);
    atomic_fetch_sub(&server->nsuspended, 1);
}

static void work(vc_job *job)
{
    exchange *in = (exchange *)job;
    struct vc_server *server = in->server;
    vc_error error = {0};
    vc_status status = VC_OK;
    int64_t waited_ns = vc_clock_ns() - in->queued_ns;
    in->reply.queued_ns += waited_ns;
    uint64_t patience_ms = server->service.options.limits.max_time_ms;
    bool is_patient = (in->route->traits & (VC_ROUTE_CHANGE | VC_ROUTE_COPY)) != 0;
    if (!is_patient && (uint64_t)waited_ns / 1000000 > patience_ms)
        status = fail_busy(&error, "the request waited too long for its turn");
    else if (!run_handlers(in, &status, &error))
        return;
    finish_and_resume(in, status, &error);
}

static enum MHD_Result answer_failure(exchange *in, vc_error *error)
{
    finish(in, error->status, error);
    return queue_reply(in);
}

/* What the answer to a request in just these words depends on. */
static vc_str alias_of(exchange *in, const char *snapshot)
{
    const vc_request *request = &in->request;
    const char encoding[] = {'\n', (char)('0' + request->encoding.encoding),
                             (char)('0' + request->encoding.is_forced), '\n'};
    const vc_str parts[] = {vc_str_of(snapshot),   {encoding, sizeof encoding},
                            request->accept,       VC_STR("\n"),
                            request->path,         VC_STR("?"),
                            request->query_string, VC_STR("\n"),
                            request->body};
    size_t size = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        size += parts[i].size;
    char *text = vc_arena_alloc(&in->arena, size), *at = text;
    if (text == NULL) return (vc_str){0};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].size > 0) memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    return (vc_str){text, size};
}

/* Was the same asked in the same words, and is the answer still kept? This is all that a dashboard
 * costs which is looked at again. */
static bool is_kept(exchange *in)
{
    vc_snapshot *snapshot;
    struct vc_server *server = in->server;
    if (in->request.body.size > 0 && !vc_str_is(in->request.content_type, "application/json"))
        return false; /* what else is taken for JSON, if anything, is the handler's matter */
    if (vc_snapshot_open(server->service.options.store, &snapshot, NULL) != VC_OK) return false;
    in->alias = alias_of(in, vc_snapshot_id(snapshot));
    vc_snapshot_close(snapshot);
    vc_answer *answer = vc_answers_find(server->service.answers, in->alias);
    if (answer == NULL) return false;
    vc_reply_take_answer(&in->reply, answer);
    (void)vc_reply_is_known(&in->reply, &in->request);
    return true;
}

/* The whole request is there. */
static enum MHD_Result dispatch(exchange *in)
{
    vc_error error = {0};
    struct vc_server *server = in->server;
    in->request.body = (vc_str){in->body.data != NULL ? in->body.data : "", in->body.size};
    if (in->body.failed) {
        vc_no_memory(&error);
        return answer_failure(in, &error);
    }
    if (in->refusal != NULL) {
        error = *in->refusal;
        return answer_failure(in, &error);
    }
    if (in->upload != NULL) {
        if (vc_upload_finish(in->upload, &error) != VC_OK) return answer_failure(in, &error);
    } else if (in->body_bytes > server->service.options.max_body_bytes) {
        vc_fail(&error, VC_LIMIT, "body_too_large", "the body has more than %zu bytes",
                server->service.options.max_body_bytes);
        return answer_failure(in, &error);
    }
    vc_status status =
        vc_route_find(&in->request, &in->route, in->call.arguments, &in->reply, &error);
    unsigned traits = status == VC_OK && in->route != NULL ? in->route->traits : VC_ROUTE_QUICK;
    bool is_answered = (traits & VC_ROUTE_KEPT) != 0 && is_kept(in);
    if (is_answered || (traits & VC_ROUTE_QUICK) != 0) {
        if (!is_answered && status == VC_OK && in->route != NULL)
            status = in->route->handler(&in->call, &error);
        finish(in, status, &error);
        return queue_reply(in);
    }
    vc_workers *workers = (traits & VC_ROUTE_CHANGE) != 0 ? server->loads
                          : (traits & VC_ROUTE_COPY) != 0 ? server->copies
                                                          : server->light;
    if (!vc_workers_reserve(workers)) {
        fail_busy(&error, "too many requests wait already");
        return answer_failure(in, &error);
    }
    vc_connection_enter(in->link, VC_PHASE_WORKING);
    in->queued_ns = vc_clock_ns();
    atomic_fetch_add(&server->nsuspended, 1);
    /* Suspended first: the worker may be done before this returns. */
    MHD_suspend_connection(in->connection);
    vc_workers_submit(workers, &in->job);
    return MHD_YES;
}

/* ---- the request ---- */

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

static void name_request(exchange *in)
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

static vc_status read_request(exchange *in, const char *method, vc_error *error)
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

static vc_status start_upload(exchange *in, vc_error *error)
{
    struct vc_server *server = in->server;
    const vc_server_options *options = &server->service.options;
    if (atomic_fetch_add(&server->nuploads, 1) >= MAX_UPLOADS) {
        atomic_fetch_sub(&server->nuploads, 1);
        return fail_busy(error, "too many bodies arrive already");
    }
    if (in->request.content_length > options->max_load_bytes)
        vc_fail(error, VC_LIMIT, "body_too_large", "the body has more than %llu bytes",
                (unsigned long long)options->max_load_bytes);
    else if (vc_upload_new(vc_store_directory(options->store), options->max_load_bytes, &in->upload,
                           error) == VC_OK)
        return VC_OK;
    atomic_fetch_sub(&server->nuploads, 1);
    return error->status;
}

/* What is to change the store is looked at before its body is taken: a refusal waits for the end of
 * a small one, so that the client is there to hear it. */
static vc_status begin_change(exchange *in, vc_error *error)
{
    const vc_route *route;
    vc_str arguments[VC_MAX_ARGUMENTS];
    vc_reply unused = {0};
    if (vc_route_find(&in->request, &route, arguments, &unused, NULL) != VC_OK || route == NULL ||
        (route->traits & (VC_ROUTE_CHANGE | VC_ROUTE_COPY)) == 0)
        return VC_OK; /* what is wrong is said when the body is there */
    vc_status status =
        vc_change_check(&in->server->service.options, &in->request, route->traits, error);
    if (status == VC_OK && (route->traits & VC_ROUTE_UPLOAD) != 0) status = start_upload(in, error);
    if (status == VC_OK || in->request.expects_continue ||
        in->request.content_length >
            in->server->service.options.max_body_bytes * (uint64_t)DISCARD_FACTOR)
        return status;
    in->refusal = VC_ARENA_NEW(&in->arena, vc_error, 1);
    if (in->refusal == NULL) return status;
    *in->refusal = *error;
    return VC_OK;
}

/* The headers are there. */
static enum MHD_Result begin(struct vc_server *server, struct MHD_Connection *connection,
                             const char *method, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    vc_connection *link = info != NULL ? info->socket_context : NULL;
    exchange *in = link != NULL ? malloc(sizeof *in) : NULL;
    if (in == NULL) return MHD_NO;
    *context = in;
    atomic_fetch_add(&server->nrequests, 1);
    *in =
        (exchange){.job = {.run = work}, .server = server, .connection = connection, .link = link};
    in->began_ns = vc_clock_ns();
    in->call = (vc_call){.service = &server->service,
                         .request = &in->request,
                         .arena = &in->arena,
                         .reply = &in->reply,
                         .is_cancelled = is_cancelled,
                         .context = in};
    vc_error error = {0};
    vc_status status = read_request(in, method, &error);
    in->reply.is_dialect = vc_route_is_dialect(&in->request);
    vc_cors_read(&server->service.options, &in->request, &in->reply);
    if (status == VC_OK) status = begin_change(in, &error);
    in->call.upload = in->upload;
    uint64_t max_bytes = server->service.options.max_body_bytes;
    bool is_hopeless = in->upload == NULL &&
                       (in->request.content_length > max_bytes * DISCARD_FACTOR ||
                        (in->request.expects_continue && in->request.content_length > max_bytes));
    if (status == VC_OK && is_hopeless)
        status = vc_fail(&error, VC_LIMIT, "body_too_large", "the body has more than %llu bytes",
                         (unsigned long long)max_bytes);
    if (status != VC_OK) {
        in->reply.closes = true; /* where the next request begins is not to be trusted */
        return answer_failure(in, &error);
    }
    if (in->request.has_body) vc_connection_enter(link, VC_PHASE_BODY);
    return MHD_YES;
}

/* An upload may take long, as long as it comes on. */
static bool take_upload(exchange *in, const char *data, size_t size)
{
    uint64_t before = in->body_bytes - size;
    if (in->body_bytes / UPLOAD_STEP_BYTES != before / UPLOAD_STEP_BYTES)
        vc_connection_enter(in->link, VC_PHASE_BODY);
    if (vc_upload_put(in->upload, data, size)) return true;
    in->dropped_bytes += size;
    return in->dropped_bytes <=
           in->server->service.options.max_body_bytes * (uint64_t)DISCARD_FACTOR;
}

static enum MHD_Result take_body(exchange *in, const char *data, size_t *size)
{
    size_t max_bytes = in->server->service.options.max_body_bytes, nbytes = *size;
    *size = 0;
    in->body_bytes += nbytes;
    if (in->upload != NULL) return take_upload(in, data, nbytes) ? MHD_YES : MHD_NO;
    if (in->body_bytes <= max_bytes && in->refusal == NULL)
        vc_buffer_put(&in->body, data, nbytes);
    else
        vc_buffer_release(&in->body);
    return in->body_bytes > (uint64_t)max_bytes * DISCARD_FACTOR ? MHD_NO : MHD_YES;
}

/* ---- callbacks ---- */

void *vc_exchange_note_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct vc_server *server = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    vc_connection *link = info != NULL ? info->socket_context : NULL;
    if (link == NULL) return NULL;
    vc_connection_enter(link, VC_PHASE_HEADERS);
    /* One byte more than is allowed is enough to see that it is too long. */
    size_t size = strnlen(uri, server->service.options.max_url_bytes + 1);
    if (size + 1 > link->uri_capacity) {
        free(link->uri);
        link->uri_capacity = size + 1 < 256 ? 256 : size + 1;
        link->uri = malloc(link->uri_capacity);
        if (link->uri == NULL) {
            link->uri_capacity = 0;
            return NULL;
        }
    }
    memcpy(link->uri, uri, size);
    link->uri[size] = '\0';
    return NULL;
}

enum MHD_Result vc_exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload_data,
                                   size_t *upload_data_size, void **context)
{
    (void)url; /* cut at %00 and decoded in MHD's way: ours is link->uri */
    (void)version;
    exchange *in = *context;
    if (in == NULL) return begin(cls, connection, method, context);
    if (*upload_data_size > 0) return take_body(in, upload_data, upload_data_size);
    return in->response != NULL ? queue_reply(in) : dispatch(in);
}

void vc_exchange_complete(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_RequestTerminationCode code)
{
    (void)connection;
    struct vc_server *server = cls;
    exchange *in = *context;
    if (in == NULL) return;
    *context = NULL;
    vc_connection_enter(in->link, VC_PHASE_IDLE);
    int64_t elapsed_ns = vc_clock_ns() - in->began_ns;
    vc_metrics_count(server->service.metrics, vc_route_number(in->route), in->reply.status,
                     in->reply_bytes, elapsed_ns);
    if (server->service.options.logs_requests && !server->service.options.is_quiet)
        vc_log_request(&(vc_logged){.request_id = in->request_id,
                                    .method = vc_method_name(in->request.method),
                                    .target = in->link->uri,
                                    .status = in->reply.status,
                                    .bytes = in->reply_bytes,
                                    .elapsed_ns = elapsed_ns,
                                    .snapshot = in->reply.snapshot,
                                    .is_whole = code == MHD_REQUEST_TERMINATED_COMPLETED_OK});
    if (in->response != NULL) MHD_destroy_response(in->response);
    if (in->call.model != NULL && !in->call.owns_model)
        vc_model_release(server->service.models, in->call.model);
    vc_arena_release(&in->arena);
    vc_buffer_release(&in->body);
    release_upload(in);
    vc_buffer_release(&in->reply.body);
    vc_reply_free_spool(in->reply.spool);
    vc_buffer_release(&in->reply.link);
    vc_answer_release(in->reply.answer);
    free(in);
    atomic_fetch_sub(&server->nrequests, 1);
}

void vc_exchange_note_connection(void *cls, struct MHD_Connection *connection,
                                 void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    struct vc_server *server = cls;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*socket_context != NULL) vc_connections_close(server->connections, *socket_context);
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *socket_context =
        info != NULL ? vc_connections_open(server->connections, info->connect_fd) : NULL;
}
