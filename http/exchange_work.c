#include "http/exchange_parts.h"

#include "base/clock.h"
#include "http/log.h"
#include "http/response.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
    LOOK_EVERY_MS = 10, /* how often a running query looks whether its client is still there */
    SLOWEST_BYTES_PER_MS = 1000, /* of a large answer: who takes less is cut off */
};

static void finish_and_resume(vc_exchange *in, vc_status status, const vc_error *error);

/* ---- the reply ---- */

/* From now on a request in these words needs no parsing. */
static void put_alias(vc_exchange *in)
{
    if (in->alias.size > 0 && !in->call.is_of_today)
        vc_answers_put_alias(in->server->service.answers, in->salted, in->alias);
}

/* Keep the answer, and give it to those who wait for it; or tell them that there is none. */
static void settle_key(vc_exchange *in)
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
        vc_answers_abandon(answers, in->salted);
        return;
    }
    reply->answer = answer;
    vc_answers_keep(answers, in->salted, answer);
    put_alias(in);
}

/* In the words of the dialect that was spoken. */
static void put_error(vc_exchange *in, const vc_error *error)
{
    if (in->route != NULL && (in->route->traits & VC_ROUTE_CUBEJS) != 0)
        vc_reply_cubejs_error(&in->reply, error, in->request_id);
    else
        vc_reply_problem(&in->reply, error, in->request_id);
}

void vc_exchange_release_upload(vc_exchange *in)
{
    if (in->upload == NULL) return;
    vc_upload_free(in->upload);
    in->upload = NULL;
    atomic_fetch_sub(&in->server->nuploads, 1);
}

static const vc_spool *spool_of(const vc_reply *reply)
{
    return reply->answer != NULL ? reply->answer->spool : reply->spool;
}

static size_t bytes_of(const vc_reply *reply)
{
    const vc_spool *spool = spool_of(reply);
    if (spool != NULL) return vc_spool_size(spool);
    return reply->answer != NULL ? reply->answer->body.size : reply->body.size;
}

static void log_slow(vc_exchange *in)
{
    vc_log *log = &in->server->service.log;
    const vc_reply *reply = &in->reply;
    unsigned slow_ms = atomic_load_explicit(&log->slow_ms, memory_order_relaxed);
    int64_t elapsed_ns = slow_ms > 0 ? vc_clock_ns() - in->began_ns : 0;
    if (slow_ms == 0 || elapsed_ns < (int64_t)slow_ms * 1000000) return;
    vc_log_slow(log, &(vc_logged_slow){.request_id = in->request_id,
                                       .route = in->route != NULL ? in->route->template : "",
                                       .cube = in->call.told.cube,
                                       .query = in->call.told.query,
                                       .role = in->call.role->name,
                                       .token_id = in->call.token_id,
                                       .status = reply->status,
                                       .bytes = bytes_of(reply),
                                       .nrows = in->call.told.nrows,
                                       .elapsed_ns = elapsed_ns,
                                       .queued_ns = reply->queued_ns,
                                       .prepared_ns = reply->prepared_ns,
                                       .run_ns = reply->run_ns,
                                       .rendered_ns = reply->rendered_ns});
}

/* Cancelled by whom? */
static vc_status tell_cancelled(const vc_exchange *in, vc_error *error)
{
    if (!atomic_load(&in->server->service.is_cancelling)) return VC_CANCELLED;
    return vc_fail(error, VC_BUSY, "shutting_down", "the server is stopping");
}

/* Turn the reply into a response of MHD. What the request needed is given back here, so that a
 * client that is slow to read holds no snapshot. */
static void finish(vc_exchange *in, vc_status status, const vc_error *error)
{
    vc_reply *reply = &in->reply;
    vc_error own = {0};
    if (status == VC_OK && reply->body.failed) {
        status = vc_no_memory(&own);
        error = &own;
    } else if (status == VC_OK && reply->answer == NULL) {
        status = vc_reply_compress(reply, &in->request, vc_exchange_is_cancelled, in, &own);
        if (status == VC_CANCELLED) status = tell_cancelled(in, &own);
        if (status != VC_OK) error = &own;
    }
    if (status != VC_OK) {
        put_error(in, error);
        if (reply->status >= 500) vc_log_failure(&in->server->service, in->request_id, error);
    }
    if (in->owns_key) settle_key(in);
    log_slow(in);
    vc_call_close_model(&in->call);
    vc_arena_release(&in->arena);
    vc_buffer_release(&in->body);
    vc_exchange_release_upload(in);
    if (atomic_load(&in->server->service.is_draining)) reply->closes = true;
    in->is_large = spool_of(reply) != NULL;
    in->reply_bytes = bytes_of(reply);
    in->response = vc_response_make(reply, in->request_id); /* NULL: the connection is closed */
}

enum MHD_Result vc_exchange_queue(vc_exchange *in)
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
bool vc_exchange_is_cancelled(void *context)
{
    vc_exchange *in = context;
    if (atomic_load_explicit(&in->server->service.is_cancelling, memory_order_relaxed)) return true;
    if (atomic_load_explicit(&in->is_gone, memory_order_relaxed)) return true;
    long long now_ms = vc_clock_ms(), looked_ms = atomic_load(&in->looked_ms);
    if (now_ms - looked_ms < LOOK_EVERY_MS ||
        !atomic_compare_exchange_strong(&in->looked_ms, &looked_ms, now_ms))
        return false;
    if (!is_client_gone(in->link->fd)) return false;
    atomic_store(&in->is_gone, true); /* for all that scan for it */
    return true;
}

vc_status vc_exchange_fail_busy(vc_error *error, const char *why)
{
    return vc_fail(error, VC_BUSY, "busy", "the server is busy (%s); try again", why);
}

/* Woken by whoever computed the answer, on their thread. Without an answer the question is asked
 * again: theirs was cancelled or failed, which need not be so for this one. */
static void wake(vc_answer_waiter *waiter, vc_answer *answer)
{
    vc_exchange *in = (vc_exchange *)((char *)waiter - offsetof(vc_exchange, waiter));
    vc_error error = {0};
    if (answer != NULL) {
        vc_reply_take_answer(&in->reply, answer);
        finish_and_resume(in, VC_OK, &error);
    } else if (vc_workers_reserve(in->server->light, in->job.client)) {
        vc_workers_submit(in->server->light, &in->job);
    } else {
        finish_and_resume(in, vc_exchange_fail_busy(&error, "too many requests wait already"),
                          &error);
    }
}

/* Answers are kept by who may see them, and no handler can forget it. False: out of memory. */
static bool salt_key(vc_exchange *in)
{
    const char *fingerprint = in->call.role->fingerprint;
    in->salted = fingerprint[0] == '\0'
                     ? in->call.key
                     : vc_arena_printf(&in->arena, "%s\n%.*s", fingerprint, VC_FMT(in->call.key));
    return !vc_str_is_null(in->salted);
}

/* Is the answer to be computed here? Otherwise it is in the reply, or whoever computes it wakes
 * this exchange: then it is theirs from now on, and *has_gone is set. */
static bool must_compute(vc_exchange *in, bool *has_gone)
{
    vc_answer *answer;
    if (in->call.key.size == 0 || in->owns_key || !salt_key(in)) return true;
    in->waiter.wake = wake;
    vc_answers *answers = in->server->service.answers;
    switch (vc_answers_claim(answers, in->salted, &in->waiter, &answer)) {
    case VC_CLAIM_MINE: in->owns_key = true; return true;
    case VC_CLAIM_WAITING: *has_gone = true; return false;
    case VC_CLAIM_FOUND: break;
    }
    put_alias(in);
    vc_reply_take_answer(&in->reply, answer);
    return false;
}

/* Run the handler and what it left for later. False when another thread has taken over. */
static bool run_handlers(vc_exchange *in, vc_status *status_out, vc_error *error)
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
            if (!vc_workers_reserve(in->server->heavy, in->job.client)) {
                status = vc_exchange_fail_busy(error, "too many large queries wait already");
                break;
            }
            in->is_heavy = true;
            vc_workers_submit(in->server->heavy, &in->job);
            return false;
        }
        vc_handler *next = in->call.next;
        in->call.next = NULL;
        status = next(&in->call, error);
    }
    if (status == VC_CANCELLED) status = tell_cancelled(in, error);
    *status_out = status;
    return true;
}

/* The last that a worker does with an exchange. */
static void finish_and_resume(vc_exchange *in, vc_status status, const vc_error *error)
{
    struct vc_server *server = in->server;
    finish(in, status, error);
    /* From the next line on the polling thread may complete and free the exchange. */
    MHD_resume_connection(in->connection);
    atomic_fetch_sub(&server->nsuspended, 1);
}

void vc_exchange_work(vc_job *job)
{
    vc_exchange *in = (vc_exchange *)job;
    struct vc_server *server = in->server;
    vc_error error = {0};
    vc_status status = VC_OK;
    int64_t waited_ns = vc_clock_ns() - job->since_ns;
    in->reply.queued_ns += waited_ns;
    uint64_t patience_ms = server->service.options.limits.max_time_ms;
    bool is_patient = (in->route->traits & (VC_ROUTE_CHANGE | VC_ROUTE_COPY)) != 0;
    if (!is_patient && (uint64_t)waited_ns / 1000000 > patience_ms) {
        status = vc_exchange_fail_busy(&error, "the request waited too long for its turn");
        atomic_fetch_add(&server->service.nimpatient, 1);
    } else if (!run_handlers(in, &status, &error))
        return;
    finish_and_resume(in, status, &error);
}

enum MHD_Result vc_exchange_fail(vc_exchange *in, const vc_error *error)
{
    finish(in, error->status, error);
    return vc_exchange_queue(in);
}

/* What the answer to a request in just these words depends on. */
static vc_str alias_of(vc_exchange *in, const char *snapshot)
{
    const vc_request *request = &in->request;
    const char encoding[] = {'\n', (char)('0' + request->encoding.encoding),
                             (char)('0' + request->encoding.is_forced), '\n'};
    const vc_str parts[] = {vc_str_of(in->call.role->fingerprint),
                            VC_STR("\n"),
                            vc_str_of(snapshot),
                            {encoding, sizeof encoding},
                            request->accept,
                            VC_STR("\n"),
                            request->path,
                            VC_STR("?"),
                            request->query_string,
                            VC_STR("\n"),
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
static bool is_kept(vc_exchange *in)
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
enum MHD_Result vc_exchange_dispatch(vc_exchange *in)
{
    vc_error error = {0};
    struct vc_server *server = in->server;
    in->request.body = (vc_str){in->body.data != NULL ? in->body.data : "", in->body.size};
    if (in->body.failed) {
        vc_no_memory(&error);
        return vc_exchange_fail(in, &error);
    }
    if (in->refusal != NULL) {
        error = *in->refusal;
        return vc_exchange_fail(in, &error);
    }
    if (vc_exchange_check_trailers(in, &error) != VC_OK) return vc_exchange_fail(in, &error);
    if (in->upload != NULL) {
        if (vc_upload_finish(in->upload, &error) != VC_OK) return vc_exchange_fail(in, &error);
    } else if (in->body_bytes > server->service.options.max_body_bytes) {
        vc_fail(&error, VC_LIMIT, "body_too_large", "the body has more than %zu bytes",
                server->service.options.max_body_bytes);
        return vc_exchange_fail(in, &error);
    }
    vc_status status = VC_OK;
    if (in->lost != NULL) {
        error = *in->lost;
        status = error.status;
    }
    unsigned traits = status == VC_OK && in->route != NULL ? in->route->traits : VC_ROUTE_QUICK;
    bool is_answered = (traits & VC_ROUTE_KEPT) != 0 && is_kept(in);
    if (is_answered || (traits & VC_ROUTE_QUICK) != 0) {
        if (!is_answered && status == VC_OK && in->route != NULL)
            status = in->route->handler(&in->call, &error);
        finish(in, status, &error);
        return vc_exchange_queue(in);
    }
    vc_workers *workers = (traits & VC_ROUTE_CHANGE) != 0 ? server->loads
                          : (traits & VC_ROUTE_COPY) != 0 ? server->copies
                                                          : server->light;
    if (!vc_workers_reserve(workers, in->job.client)) {
        vc_exchange_fail_busy(&error, "too many requests wait already");
        return vc_exchange_fail(in, &error);
    }
    vc_connection_enter(in->link, VC_PHASE_WORKING);
    atomic_fetch_add(&server->nsuspended, 1);
    /* Suspended first: the worker may be done before this returns. */
    MHD_suspend_connection(in->connection);
    vc_workers_submit(workers, &in->job);
    return MHD_YES;
}
