/* The HTTP server: one store, served over HTTP/1.1, with TLS if wanted.
 *
 *     polling threads   parse requests, refuse what is malformed, answer what is cheap
 *     light workers     read the catalogue, check ETags, answer small queries
 *     heavy workers     run queries over many facts, behind a bounded queue
 *
 * A request never runs a query on a polling thread, and never waits without bound: where a queue is
 * full the answer is 503 with Retry-After. Each request works on one snapshot from its first look
 * to its last byte, and has one arena.
 *
 *     vc_server_options options = {.store = store, .address = "127.0.0.1", .port = 8080};
 *     status = vc_server_start(&options, &server, &error);
 *     ...wait for a signal...
 *     vc_server_stop(server);
 *
 * Threads: start and stop from one thread; vc_server_port from any. The process must ignore
 * SIGPIPE only if it wants to: the server's own threads block it.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/status.h"
#include "base/text.h"
#include "http/roles.h"
#include "slice/engine.h"
#include "storage/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vc_server vc_server;

typedef struct vc_server_options {
    vc_store *store;        /* borrowed until vc_server_stop has returned */
    const char *address;    /* an IP address or "localhost"; NULL: 127.0.0.1 */
    bool may_listen_openly; /* where others can reach it, also without TLS and tokens */
    const char *tls_certificate, *tls_key; /* files (http/tls.h); NULL: plain HTTP */
    uint16_t port;                         /* 0: any free one; vc_server_port says which */
    const char *version;                   /* shown by /v1/info; NULL: "0" */
    unsigned nworkers;                     /* heavy queries at once; 0: one per processor */
    unsigned queue_length;      /* heavy queries that wait, of one client at most half; 0: 64 */
    uint64_t dear_facts;        /* a query over so many facts is heavy, a row of the answer
                                   counting as 512 of them; 0: 1,048,576 */
    unsigned max_connections;   /* 0: 512 */
    uint64_t cache_bytes;       /* of answers that are kept; 0: 64 MiB */
    size_t max_body_bytes;      /* of a query's JSON; 0: 1 MiB */
    size_t max_url_bytes;       /* as sent; 0: 8000 (MHD answers 414 by itself above ~31 KB) */
    vc_engine_limits limits;    /* of each query; 0: the engine's defaults */
    const char *data_directory; /* where definitions that are sent may name files; NULL: nowhere */
    uint64_t max_load_bytes;    /* of facts that are sent, as they are sent; 0: 4 GiB */
    bool is_read_only;          /* takes no changes */
    unsigned header_timeout_ms; /* from the first byte waited for to the last header; 0: 5,000 */
    unsigned body_timeout_ms;   /* of facts that are sent: for each 256 KiB of them; 0: 30,000 */
    unsigned answer_timeout_ms; /* until the client has taken the answer; 0: 60,000 */
    unsigned idle_timeout_ms;   /* between two requests of a connection; 0: 30,000 */
    unsigned grace_ms;          /* for running requests when stopping; 0: 5,000 */
    vc_roles *roles;            /* who may what (http/roles.h), shared; NULL: everyone everything */
    const char *tokens_path;    /* of those who are let in (http/tokens.h); NULL: none. It is looked
                                   at once a second. For this and the next three what is given is
                                   copied */
    const char *const *hosts;   /* [nhosts] names that this server may be asked for */
    const char *const *origins; /* [norigins] whose pages may read answers (CORS), as browsers send
                                   them */
    size_t nhosts, norigins;
    const char *log_file; /* where lines go; NULL: standard error */
    bool logs_requests;   /* one JSON line per request */
    unsigned slow_ms;     /* and one for each that takes as long; 0: for none */
    bool is_quiet;        /* no lines at all, also not of failures of the server */
} vc_server_options;

/* Take "127.0.0.1:8080", "[::1]:8080", "localhost", "8080" or ":8080" apart, as given to --listen.
 *
 * address_out  the part before the port, without brackets; "127.0.0.1" when there is none
 * port_out     8080 when there is none
 *
 * VC_BAD_INPUT, code "bad_address". Whether the address may be used is for vc_server_start. */
vc_status vc_listen_parse(vc_str text, char address_out[64], uint16_t *port_out, vc_error *error);

/* Start to listen and to answer; returns when the socket takes connections.
 *
 * VC_BAD_INPUT, code "bad_origin": http/cors.h; "bad_host_name"; and the errors of
 * vc_tokens_open.
 * VC_BAD_INPUT, code "bad_address": not an address, or one that other machines could reach, without
 * TLS and tokens; "bad_certificate": http/tls.h. VC_STORAGE, code "log_file".
 * VC_CONFLICT, code "address_in_use". VC_STORAGE, code "server_start": what the system refused. */
vc_status vc_server_start(const vc_server_options *options, vc_server **server_out,
                          vc_error *error);

/* Take up what can change while it runs: roles, tokens, hosts, origins, the certificate, and the
 * log. Requests that are being answered are answered
 * as before. Nothing is lost on failure: all stays as it was, with the errors of vc_server_start.
 *
 * Threads: those that start and stop. */
vc_status vc_server_reload(vc_server *server, const vc_server_options *options, vc_error *error);

/* Begin the log's file anew, if it was moved away. VC_STORAGE, code "log_file". Threads: those that
 * start and stop. */
vc_status vc_server_begin_log(vc_server *server, vc_error *error);

/* Put a line for people into its log: "vcube: ...". */
void vc_server_say(vc_server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Could a server be started with these options, as far as files and addresses say? */
vc_status vc_server_check(const vc_server_options *options, vc_error *error);

/* Seconds since 1970 when the certificate expires; 0 without TLS. */
int64_t vc_server_certificate_expires_s(const vc_server *server);

/* The port that it listens on. */
uint16_t vc_server_port(const vc_server *server);

/* Does it get on? False when the thread that looks after connections and the catalogue has not gone
 * round for 20 seconds: it stands in a lock or in the file system. */
bool vc_server_is_alive(const vc_server *server);

/* Stop: no new connections, requests that were accepted are answered (for at most grace_ms, then
 * their queries are cancelled), and everything is freed. NULL is fine. */
void vc_server_stop(vc_server *server);

#endif
