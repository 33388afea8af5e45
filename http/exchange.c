#include "http/exchange_parts.h"

#include "base/clock.h"
#include "http/change.h"
#include "http/client.h"
#include "http/cors.h"
#include "http/log.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_UPLOADS = 16,
    UPLOAD_STEP_BYTES = 256 * 1024, /* so much must come in the time that a body has */
};

/* ---- the request begins ---- */

static vc_status start_upload(vc_exchange *in, vc_error *error)
{
    struct vc_server *server = in->server;
    const vc_server_options *options = &server->service.options;
    if (atomic_fetch_add(&server->nuploads, 1) >= MAX_UPLOADS) {
        atomic_fetch_sub(&server->nuploads, 1);
        atomic_fetch_add(&server->service.nloads_held, 1);
        return vc_exchange_fail_busy(error, "too many bodies arrive already");
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

/* What is to change the store is looked at before its body is taken. */
static vc_status begin_change(vc_exchange *in, vc_error *error)
{
    if (in->lost != NULL || in->route == NULL ||
        (in->route->traits & (VC_ROUTE_CHANGE | VC_ROUTE_COPY)) == 0)
        return VC_OK; /* what is wrong is said when the body is there */
    vc_status status =
        vc_change_check(&in->server->service.options, &in->request, in->route->traits, error);
    if (status == VC_OK && (in->route->traits & VC_ROUTE_UPLOAD) != 0)
        status = start_upload(in, error);
    return status;
}

static const struct sockaddr *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info != NULL ? info->client_addr : NULL;
}

/* The headers are there. */
static enum MHD_Result begin(struct vc_server *server, struct MHD_Connection *connection,
                             const char *method, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    vc_connection *link = info != NULL ? info->socket_context : NULL;
    vc_exchange *in = link != NULL ? malloc(sizeof *in) : NULL;
    if (in == NULL) return MHD_NO;
    *context = in;
    atomic_fetch_add(&server->nrequests, 1);
    *in = (vc_exchange){
        .job = {.run = vc_exchange_work}, .server = server, .connection = connection, .link = link};
    in->began_ns = vc_clock_ns();
    in->admission = vc_gate_admission(server->gate);
    in->request.hosts = vc_admission_hosts(in->admission, &in->request.nhosts);
    in->call = (vc_call){.service = &server->service,
                         .role = &vc_role_nobody,
                         .token_id = "",
                         .request = &in->request,
                         .arena = &in->arena,
                         .reply = &in->reply,
                         .is_cancelled = vc_exchange_is_cancelled,
                         .context = in};
    vc_error error = {0};
    vc_status status = vc_exchange_read(in, method, &error);
    in->job.client = vc_client_number(peer_of(connection), &in->request);
    in->reply.is_dialect = vc_route_is_dialect(&in->request);
    size_t norigins;
    const char *const *origins = vc_admission_origins(in->admission, &norigins);
    vc_cors_read(origins, norigins, &in->request, &in->reply);
    if (status == VC_OK) status = vc_exchange_find_route(in, &error);
    if (status == VC_OK) {
        status = vc_exchange_admit(in, &error);
        if (status == VC_OK) status = begin_change(in, &error);
        if (status != VC_OK) status = vc_exchange_refuse(in, &error);
    }
    in->call.upload = in->upload;
    uint64_t max_bytes = server->service.options.max_body_bytes;
    bool is_hopeless = in->upload == NULL &&
                       (in->request.content_length > max_bytes * VC_DISCARD_FACTOR ||
                        (in->request.expects_continue && in->request.content_length > max_bytes));
    if (status == VC_OK && is_hopeless)
        status = vc_fail(&error, VC_LIMIT, "body_too_large", "the body has more than %llu bytes",
                         (unsigned long long)max_bytes);
    if (status != VC_OK) {
        in->reply.closes = true; /* where the next request begins is not to be trusted */
        return vc_exchange_fail(in, &error);
    }
    if (in->request.has_body) vc_connection_enter(link, VC_PHASE_BODY);
    return MHD_YES;
}

/* ---- its body ---- */

/* An upload may take long, as long as it comes on. */
static bool take_upload(vc_exchange *in, const char *data, size_t size)
{
    uint64_t before = in->body_bytes - size;
    if (in->body_bytes / UPLOAD_STEP_BYTES != before / UPLOAD_STEP_BYTES)
        vc_connection_enter(in->link, VC_PHASE_BODY);
    if (vc_upload_put(in->upload, data, size)) return true;
    in->dropped_bytes += size;
    return in->dropped_bytes <=
           in->server->service.options.max_body_bytes * (uint64_t)VC_DISCARD_FACTOR;
}

static enum MHD_Result take_body(vc_exchange *in, const char *data, size_t *size)
{
    size_t max_bytes = in->server->service.options.max_body_bytes, nbytes = *size;
    *size = 0;
    in->body_bytes += nbytes;
    if (in->upload != NULL) return take_upload(in, data, nbytes) ? MHD_YES : MHD_NO;
    if (in->body_bytes <= max_bytes && in->refusal == NULL)
        vc_buffer_put(&in->body, data, nbytes);
    else
        vc_buffer_release(&in->body);
    return in->body_bytes > (uint64_t)max_bytes * VC_DISCARD_FACTOR ? MHD_NO : MHD_YES;
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
    /* libmicrohttpd would take the parameters apart, too, in memory that 470 of them exhaust; then
     * it hangs. The text is its buffer, which it goes on to write into: for it there are none. */
    char *parameters = strchr(uri, '?');
    if (parameters != NULL) parameters[1] = '\0';
    return NULL;
}

enum MHD_Result vc_exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload_data,
                                   size_t *upload_data_size, void **context)
{
    (void)url; /* cut at %00 and decoded in MHD's way: ours is link->uri */
    (void)version;
    vc_exchange *in = *context;
    if (in == NULL) return begin(cls, connection, method, context);
    if (*upload_data_size > 0) return take_body(in, upload_data, upload_data_size);
    return in->response != NULL ? vc_exchange_queue(in) : vc_exchange_dispatch(in);
}

void vc_exchange_complete(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_RequestTerminationCode code)
{
    (void)connection;
    struct vc_server *server = cls;
    vc_exchange *in = *context;
    if (in == NULL) return;
    *context = NULL;
    vc_connection_enter(in->link, VC_PHASE_IDLE);
    int64_t elapsed_ns = vc_clock_ns() - in->began_ns;
    vc_metrics_count(server->service.metrics, vc_route_number(in->route), in->reply.status,
                     in->reply_bytes, elapsed_ns);
    vc_log *log = &server->service.log;
    if (atomic_load_explicit(&log->has_requests, memory_order_relaxed))
        vc_log_request(log, &(vc_logged){.request_id = in->request_id,
                                         .method = vc_method_name(in->request.method),
                                         .target = in->link->uri,
                                         .status = in->reply.status,
                                         .bytes = in->reply_bytes,
                                         .elapsed_ns = elapsed_ns,
                                         .snapshot = in->reply.snapshot,
                                         .role = in->call.role->name,
                                         .token_id = in->call.token_id,
                                         .is_whole = code == MHD_REQUEST_TERMINATED_COMPLETED_OK});
    if (in->response != NULL) MHD_destroy_response(in->response);
    if (in->call.model != NULL && !in->call.owns_model)
        vc_model_release(server->service.models, in->call.model);
    vc_arena_release(&in->arena);
    vc_buffer_release(&in->body);
    vc_exchange_release_upload(in);
    vc_buffer_release(&in->reply.body);
    vc_reply_free_spool(in->reply.spool);
    vc_buffer_release(&in->reply.link);
    vc_answer_release(in->reply.answer);
    vc_admission_release(in->admission);
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
    vc_connection *link =
        info != NULL ? vc_connections_open(server->connections, info->connect_fd) : NULL;
    if (link != NULL) link->owner = server;
    *socket_context = link;
}

/* libmicrohttpd gives no context, but its connection is that of the session. */
int vc_exchange_show_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
                                 int nauthorities, const gnutls_pk_algorithm_t *algorithms,
                                 int nalgorithms, gnutls_pcert_st **chain, unsigned *nchain,
                                 gnutls_privkey_t *key)
{
    (void)authorities, (void)nauthorities, (void)algorithms, (void)nalgorithms;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        gnutls_session_get_ptr(session), MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    const vc_connection *link = info != NULL ? info->socket_context : NULL;
    if (link == NULL) return -1;
    return vc_tls_retrieve(((struct vc_server *)link->owner)->tls, chain, nchain, key);
}
