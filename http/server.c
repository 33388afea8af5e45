#include "http/server.h"

#include "base/memory.h"
#include "http/address.h"
#include "http/exchange.h"
#include "http/log.h"
#include "http/route.h"
#include "http/turns.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
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
    MAX_SILENCE_MS = 20000,       /* of the watchdog thread, which goes round every second */
    GIVE_BACK_EVERY_MS = 60000,   /* what was freed, to the system */
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

static vc_admission_options admission_of(const vc_server_options *options)
{
    return (vc_admission_options){.roles = options->roles,
                                  .tokens_path = options->tokens_path,
                                  .hosts = options->hosts,
                                  .nhosts = options->nhosts,
                                  .origins = options->origins,
                                  .norigins = options->norigins};
}

/* A snapshot that stays open keeps its pages from being used again: since when is there one? */
static void look_for_old_readers(vc_service *service)
{
    if (vc_store_epochs_held(service->options.store) == 0)
        atomic_store(&service->held_since_ms, 0);
    else if (atomic_load(&service->held_since_ms) == 0)
        atomic_store(&service->held_since_ms, vc_clock_ms());
}

/* Threads come and go, and each leaves holes in an arena of the allocator that others do not fill:
 * a server that runs for weeks must not hold what it freed. */
static void give_memory_back(struct vc_server *server)
{
    int64_t now_ms = vc_clock_ms();
    if (now_ms - server->gave_back_ms < GIVE_BACK_EVERY_MS) return;
    vc_memory_give_back();
    server->gave_back_ms = now_ms;
}

/* Once a second. */
static void tick(void *context)
{
    struct vc_server *server = context;
    vc_error error = {0};
    bool is_changed;
    give_memory_back(server);
    vc_model_cache_tick(server->service.models);
    look_for_old_readers(&server->service);
    vc_status status = vc_gate_look(server->gate, &is_changed, &error);
    if (is_changed) vc_log_tokens(&server->service, server->gate, status == VC_OK ? NULL : &error);
    atomic_store(&server->ticked_ms, vc_clock_ms());
}

static vc_status start_workers(struct vc_server *server, vc_error *error)
{
    const vc_server_options *options = &server->service.options;
    const struct {
        vc_workers **workers;
        vc_workers_options options;
    } groups[] = {
        {&server->light,
         {.name = "vc-light",
          .nthreads = LIGHT_WORKERS,
          .queue_length = LIGHT_QUEUE,
          .is_urgent = true}},
        {&server->heavy,
         {.name = "vc-heavy",
          .nthreads = options->nworkers,
          .queue_length = options->queue_length,
          .keeps_room = true}},
        /* Loads and copies wait for the disk, so each kind has a thread of its own. */
        {&server->loads, {.name = "vc-load", .nthreads = 1, .queue_length = LOAD_QUEUE}},
        {&server->copies, {.name = "vc-copy", .nthreads = 1, .queue_length = COPY_QUEUE}},
    };
    vc_status status = VC_OK;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0] && status == VC_OK; i++)
        status = vc_workers_new(&groups[i].options, groups[i].workers, error);
    return status;
}

static vc_status check_guards(const vc_server_options *options, bool has_tls, vc_error *error)
{
    const vc_admission_options admission = admission_of(options);
    const vc_address_guards guards = {.has_tls = has_tls,
                                      .has_tokens = options->tokens_path != NULL,
                                      .is_told = options->may_listen_openly};
    vc_status status = vc_access_check_options(&admission, error);
    if (status == VC_OK) status = vc_address_check(options->address, &guards, error);
    if (status == VC_OK && (options->tls_certificate == NULL) != (options->tls_key == NULL))
        status = vc_fail(error, VC_BAD_INPUT, "bad_certificate",
                         "a certificate needs its key, and a key its certificate");
    return status;
}

static void set_log(vc_log *log, const vc_server_options *options)
{
    atomic_store(&log->has_requests, options->logs_requests && !options->is_quiet);
    atomic_store(&log->slow_ms, options->is_quiet ? 0 : options->slow_ms);
}

/* Who is let in, and what is told of it. */
static vc_status start_guards(struct vc_server *server, vc_error *error)
{
    const vc_server_options *options = &server->service.options;
    const vc_admission_options admission = admission_of(options);
    vc_status status = check_guards(options, options->tls_certificate != NULL, error);
    if (status == VC_OK) status = vc_log_open(&server->service.log, options->log_file, error);
    if (status == VC_OK) status = vc_gate_new(&admission, &server->gate, error);
    if (status == VC_OK && options->tls_certificate != NULL)
        status = vc_tls_new(options->tls_certificate, options->tls_key, &server->tls, error);
    set_log(&server->service.log, options);
    return status;
}

static vc_status start_parts(struct vc_server *server, vc_error *error)
{
    const vc_server_options *options = &server->service.options;
    vc_status status = start_guards(server, error);
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
    if (status == VC_OK) status = start_workers(server, error);
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
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    /* What plain HTTP has no use for ends the list before it begins. */
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, VC_TLS_PRIORITIES},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(intptr_t)vc_exchange_show_certificate},
        {MHD_OPTION_END, 0, NULL}};
    if (server->tls == NULL) tls[0].option = MHD_OPTION_END;
    if (server->tls != NULL) flags |= MHD_USE_TLS;
    vc_turns_shorten(); /* of the polling threads */
    server->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, vc_exchange_handle, server,             /* */
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
                         MHD_OPTION_ARRAY, tls,                                             /* */
                         MHD_OPTION_END);
    vc_turns_restore();
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
    vc_gate_free(server->gate);
    vc_tls_free(server->tls);
    vc_log_release(&server->service.log);
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
    server->service.server = server;
    server->service.started_s = time(NULL);
    vc_log_init(&server->service.log);
    server->listen_fd = -1;
    if (getrandom(&server->request_seed, sizeof server->request_seed, 0) < 0)
        server->request_seed = (uint64_t)time(NULL);
    vc_json_setup();
    atomic_store(&server->ticked_ms, vc_clock_ms());
    vc_status status = sodium_init() >= 0
                           ? VC_OK
                           : vc_fail(error, VC_STORAGE, "server_start", "libsodium does not start");
    if (status == VC_OK) status = start_parts(server, error);
    if (status == VC_OK) status = start_daemon(server, error);
    if (status != VC_OK) {
        free_server(server);
        return status;
    }
    *server_out = server;
    return VC_OK;
}

static vc_status check_all(const vc_server_options *options, bool has_tls, vc_error *error)
{
    vc_gate *gate = NULL;
    vc_tls *tls = NULL;
    const vc_admission_options admission = admission_of(options);
    vc_status status = check_guards(options, has_tls, error);
    if (status == VC_OK) status = vc_gate_new(&admission, &gate, error);
    if (status == VC_OK && options->tls_certificate != NULL)
        status = vc_tls_new(options->tls_certificate, options->tls_key, &tls, error);
    vc_gate_free(gate);
    vc_tls_free(tls);
    return status;
}

vc_status vc_server_check(const vc_server_options *options, vc_error *error)
{
    return check_all(options, options->tls_certificate != NULL, error);
}

vc_status vc_server_begin_log(vc_server *server, vc_error *error)
{
    return vc_log_reopen(&server->service.log, error);
}

void vc_server_say(vc_server *server, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    vc_log_say(&server->service.log, "%s", text);
}

/* What can fail comes first, and the last of it changes what is in force. */
vc_status vc_server_reload(vc_server *server, const vc_server_options *options, vc_error *error)
{
    vc_server_options wanted = *options;
    const vc_admission_options admission = admission_of(options);
    vc_tls *tried = NULL;
    wanted.address = server->service.options.address;
    wanted.may_listen_openly |= server->service.options.may_listen_openly;
    if (server->tls == NULL) wanted.tls_certificate = wanted.tls_key = NULL;
    vc_status status = check_all(&wanted, server->tls != NULL, error);
    if (status == VC_OK && wanted.tls_certificate != NULL)
        status = vc_tls_new(wanted.tls_certificate, wanted.tls_key, &tried, error);
    if (status == VC_OK) status = vc_log_open(&server->service.log, options->log_file, error);
    if (status == VC_OK) status = vc_gate_set(server->gate, &admission, error);
    if (status == VC_OK && tried != NULL) vc_tls_take(server->tls, tried);
    if (status == VC_OK) set_log(&server->service.log, &wanted);
    vc_tls_free(tried);
    return status;
}

int64_t vc_server_certificate_expires_s(const vc_server *server)
{
    return server->tls != NULL ? vc_tls_expires_s(server->tls) : 0;
}

uint16_t vc_server_port(const vc_server *server)
{
    return server->port;
}

bool vc_server_is_alive(const vc_server *server)
{
    return vc_clock_ms() - atomic_load(&server->ticked_ms) < MAX_SILENCE_MS;
}

/* ---- stop ---- */

static void pause_ms(long ms)
{
    struct timespec span = {.tv_nsec = ms * 1000000};
    nanosleep(&span, NULL);
}

/* Connections from now on are refused, not left in a backlog that nobody takes from. The socket
 * itself stays until MHD has stopped: its threads take it out of their epoll sets when they next
 * wake, and end the process when it is not there. */
static void stop_listening(struct vc_server *server)
{
    int fd = MHD_quiesce_daemon(server->daemon);
    if (fd >= 0) (void)shutdown(fd, SHUT_RDWR);
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
