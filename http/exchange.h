/* An exchange: one request and its reply, between libmicrohttpd and the handlers.
 *
 *     polling thread   uri noted -> begin: guard, route -> body -> quick answer, or suspend
 *     light worker     handler: parse, open the model, tag; 304, error or small answer -> resume
 *     heavy worker     what the handler left for later                                  -> resume
 *     polling thread   send the reply -> completed: free
 *
 * At any time one thread has the exchange; while its connection is suspended, a worker.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "http/access.h"
#include "http/connections.h"
#include "http/service.h"
#include "http/tls.h"
#include "http/workers.h"

#include <microhttpd.h>

struct vc_server {
    vc_service service;
    vc_gate *gate; /* who is let in */
    vc_tls *tls;   /* NULL: plain HTTP */
    vc_workers *light, *heavy;
    vc_workers *loads, *copies; /* one thread each */
    atomic_uint nuploads;       /* bodies that go to files */
    vc_connections *connections;
    struct MHD_Daemon *daemon;
    int listen_fd;
    uint16_t port;
    atomic_uint nrequests;  /* begun and not completed */
    atomic_uint nsuspended; /* with a worker */
    atomic_ullong next_request;
    atomic_llong ticked_ms; /* when the watchdog thread was last seen to go round */
    int64_t gave_back_ms;   /* of the watchdog thread: when freed memory was given back */
    uint64_t request_seed;  /* makes ids of two runs of the server differ */
};

/* Callbacks of libmicrohttpd; `cls` is the server. */
void *vc_exchange_note_uri(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result vc_exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload_data,
                                   size_t *upload_data_size, void **context);
void vc_exchange_complete(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_RequestTerminationCode code);
int vc_exchange_show_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
                                 int nauthorities, const gnutls_pk_algorithm_t *algorithms,
                                 int nalgorithms, gnutls_pcert_st **chain, unsigned *nchain,
                                 gnutls_privkey_t *key);
void vc_exchange_note_connection(void *cls, struct MHD_Connection *connection,
                                 void **socket_context, enum MHD_ConnectionNotificationCode code);

#endif
