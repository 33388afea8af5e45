#include "http/server.h"

#include "http/address.h"
#include "http/cors.h"
#include "http/exchange.h"
#include "http/route.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    LIGHT_WORKERS = 2,
    LIGHT_QUEUE = 512,
    LOAD_QUEUE = 16,
    COPY_QUEUE = 4,
    BACKLOG = 1024,
    MAX_POLLING_THREADS = 4,
    POLLING_STACK_BYTES = 512 * 1024,
    CONNECTION_BYTES = 32 * 1024, /* of MHD per connection: the longest headers it takes */
    LAST_FLUSH_MS = 1000,         /* for cancelled requests to be told, after the grace */
};

/* ---- options ---- */

static unsigned count_processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (unsigned)count;
}

#define DEFAULT_TO(field, value)                                                                   \
    if ((field) == 0) (field) = (value)

static vc_server_options fill_options(const vc_server_options *given)
{
    vc_server_options options = *given;
    if (options.version == NULL) options.version = "0";
    DEFAULT_TO(options.nworkers, count_processors());
    DEFAULT_TO(options.queue_length, 64);
    DEFAULT_TO(options.dear_facts, 1 << 20);
    DEFAULT_TO(options.max_connections, 512);
    DEFAULT_TO(options.cache_bytes, 64 * 1024 * 1024);
    DEFAULT_TO(options.max_body_bytes, 1024 * 1024);
    DEFAULT_TO(options.max_url_bytes, 8000);
    DEFAULT_TO(options.limits.max_cells, 5000000);
    DEFAULT_TO(options.limits.max_time_ms, 30000);
    DEFAULT_TO(options.limits.max_memory_bytes, VC_DEFAULT_MAX_MEMORY);
    DEFAULT_TO(options.max_load_bytes, UINT64_C(4) << 30);
    DEFAULT_TO(options.header_timeout_ms, 5000);
    DEFAULT_TO(options.body_timeout_ms, 30000);
    DEFAULT_TO(options.answer_timeout_ms, 60000);
    DEFAULT_TO(options.idle_timeout_ms, 30000);
    DEFAULT_TO(options.grace_ms, 5000);
    return options;
}

/* Descriptors for all connections beside what else the process has open. */
static vc_status raise_descriptors(unsigned max_connections, vc_error *error)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)max_connections + 64;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return VC_OK;
    if (limit.rlim_max >= wanted) {
        limit.rlim_cur = wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return VC_OK;
    }
    return vc_fail(error, VC_STORAGE, "server_start",
                   "%u connections need %llu open files, the limit is %llu (ulimit -n)",
                   max_connections, (unsigned long long)wanted, (unsigned long long)limit.rlim_max);
}

/* ---- start ---- */

static void tick(void *context)
{
    vc_model_cache_tick(((struct vc_server *)context)->service.models);
}

static vc_status start_parts(struct vc_server *server, vc_error *error)
{
    vc_status status = VC_OK;
    const vc_server_options *options = &server->service.options;
    for (size_t i = 0; i < options->norigins && status == VC_OK; i++)
        status = vc_cors_check(options->origins[i], error);
    const unsigned timeouts_ms[VC_PHASE_COUNT] = {
        [VC_PHASE_FIRST] = options->header_timeout_ms,   [VC_PHASE_IDLE] = options->idle_timeout_ms,
        [VC_PHASE_HEADERS] = options->header_timeout_ms, [VC_PHASE_BODY] = options->body_timeout_ms,
        [VC_PHASE_ANSWER] = options->answer_timeout_ms,
    };
    if (status == VC_OK)
        status = vc_model_cache_new(options->store, &server->service.models, error);
    if (status == VC_OK) status = vc_pool_new(0, &server->service.pool, error);
    if (status == VC_OK) {
        server->service.answers = vc_answers_new(options->cache_bytes);
        server->service.metrics = vc_metrics_new(vc_route_number(NULL));
        if (server->service.answers == NULL || server->service.metrics == NULL)
            status = vc_no_memory(error);
    }
    if (status == VC_OK)
        status = vc_workers_new(LIGHT_WORKERS, LIGHT_QUEUE, "vc-light", &server->light, error);
    if (status == VC_OK)
        status = vc_workers_new(options->nworkers, options->queue_length, "vc-heavy",
                                &server->heavy, error);
    /* Loads and copies wait for the disk, so each kind has a thread of its own. */
    if (status == VC_OK) status = vc_workers_new(1, LOAD_QUEUE, "vc-load", &server->loads, error);
    if (status == VC_OK) status = vc_workers_new(1, COPY_QUEUE, "vc-copy", &server->copies, error);
    if (status == VC_OK)
        status = vc_connections_new(timeouts_ms, tick, server, &server->connections, error);
    if (status == VC_OK) status = raise_descriptors(options->max_connections, error);
    if (status == VC_OK)
        status = vc_address_listen(options->address, options->port, BACKLOG, &server->listen_fd,
                                   &server->port, error);
    return status;
}

/* Longer than any deadline of ours: libmicrohttpd's own time-out is the second line. */
static unsigned backstop_s(const vc_server_options *options)
{
    unsigned longest_ms = options->answer_timeout_ms;
    if (options->idle_timeout_ms > longest_ms) longest_ms = options->idle_timeout_ms;
    if (options->body_timeout_ms > longest_ms) longest_ms = options->body_timeout_ms;
    return longest_ms / 1000 + 5;
}

static vc_status start_daemon(struct vc_server *server, vc_error *error)
{
    const vc_server_options *options = &server->service.options;
    unsigned npolling = count_processors();
    if (npolling > MAX_POLLING_THREADS) npolling = MAX_POLLING_THREADS;
    if (npolling < 2) npolling = 2;
    server->daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0,
                         NULL, NULL, vc_exchange_handle, server,                       /* */
                         MHD_OPTION_LISTEN_SOCKET, server->listen_fd,                  /* */
                         MHD_OPTION_THREAD_POOL_SIZE, npolling,                        /* */
                         MHD_OPTION_THREAD_STACK_SIZE, (size_t)POLLING_STACK_BYTES,    /* */
                         MHD_OPTION_CONNECTION_LIMIT, options->max_connections,        /* */
                         MHD_OPTION_CONNECTION_TIMEOUT, backstop_s(options),           /* */
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, /* */
                         /* Our guard is stricter, and its replies are well formed. */
                         MHD_OPTION_STRICT_FOR_CLIENT, 0,                                   /* */
                         MHD_OPTION_URI_LOG_CALLBACK, vc_exchange_note_uri, server,         /* */
                         MHD_OPTION_NOTIFY_COMPLETED, vc_exchange_complete, server,         /* */
                         MHD_OPTION_NOTIFY_CONNECTION, vc_exchange_note_connection, server, /* */
                         MHD_OPTION_END);
    if (server->daemon == NULL)
        return vc_fail(error, VC_STORAGE, "server_start", "libmicrohttpd does not start");
    return VC_OK;
}

static void free_server(struct vc_server *server)
{
    if (server->daemon != NULL) MHD_stop_daemon(server->daemon);
    if (server->listen_fd >= 0) close(server->listen_fd);
    vc_workers_free(server->light);
    vc_workers_free(server->heavy);
    vc_workers_free(server->loads);
    vc_workers_free(server->copies);
    vc_connections_free(server->connections); /* before what its tick looks at */
    vc_pool_free(server->service.pool);
    vc_answers_free(server->service.answers);
    vc_metrics_free(server->service.metrics);
    vc_model_cache_free(server->service.models);
    free(server);
}

vc_status vc_server_start(const vc_server_options *options, vc_server **server_out, vc_error *error)
{
    struct vc_server *server = calloc(1, sizeof *server);
    if (server == NULL) return vc_no_memory(error);
    server->service.options = fill_options(options);
    server->listen_fd = -1;
    if (getrandom(&server->request_seed, sizeof server->request_seed, 0) < 0)
        server->request_seed = (uint64_t)time(NULL);
    vc_json_setup();
    vc_status status = start_parts(server, error);
    if (status == VC_OK) status = start_daemon(server, error);
    if (status != VC_OK) {
        free_server(server);
        return status;
    }
    *server_out = server;
    return VC_OK;
}

uint16_t vc_server_port(const vc_server *server)
{
    return server->port;
}

/* ---- stop ---- */

static void pause_ms(long ms)
{
    struct timespec span = {.tv_nsec = ms * 1000000};
    nanosleep(&span, NULL);
}

/* Connections from now on are refused, not left in a backlog that nobody takes from. The number of
 * the descriptor stays taken until MHD, which still knows it, has stopped. */
static void stop_listening(struct vc_server *server)
{
    int fd = MHD_quiesce_daemon(server->daemon);
    int nothing = fd >= 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
    if (nothing < 0) return;
    (void)dup3(nothing, fd, O_CLOEXEC);
    close(nothing);
}

static bool is_idle(struct vc_server *server)
{
    return atomic_load(&server->nrequests) == 0 && vc_connections_count(server->connections) == 0;
}

void vc_server_stop(vc_server *server)
{
    if (server == NULL) return;
    atomic_store(&server->service.is_draining, true);
    stop_listening(server);
    vc_connections_drain(server->connections);
    int64_t end_ms = vc_clock_ms() + server->service.options.grace_ms;
    while (!is_idle(server) && vc_clock_ms() < end_ms)
        pause_ms(5);
    atomic_store(&server->service.is_cancelling, true);
    /* libmicrohttpd must not be stopped while a connection is suspended. */
    while (atomic_load(&server->nsuspended) > 0)
        pause_ms(5);
    end_ms = vc_clock_ms() + LAST_FLUSH_MS;
    while (atomic_load(&server->nrequests) > 0 && vc_clock_ms() < end_ms)
        pause_ms(5);
    free_server(server);
}
