/* Connections and their absolute deadlines.
 *
 * libmicrohttpd's time-outs start anew with every byte, so a client that sends one byte a second
 * stays for ever. Here each connection has a deadline for what it is doing, which bytes do not
 * move; a watchdog thread shuts down the socket of whoever misses it, and MHD then sees the end of
 * the stream and closes. The close notification comes before close(), and unlinks under the same
 * mutex, so the watchdog never touches a descriptor that was reused. It also ends connections whose
 * client has closed its side while a request was awaited.
 *
 * Threads: open and close from MHD's threads; expect from the thread that has the connection.
 */
#ifndef HTTP_CONNECTIONS_H
#define HTTP_CONNECTIONS_H

#include "base/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct vc_connections vc_connections;

typedef enum vc_phase {
    VC_PHASE_FIRST = 0, /* connected, nothing received */
    VC_PHASE_IDLE,      /* between two requests */
    VC_PHASE_HEADERS,   /* the request line is there */
    VC_PHASE_BODY,
    VC_PHASE_WORKING, /* with us: no deadline but the query's own */
    VC_PHASE_ANSWER,  /* the client takes the answer */
    VC_PHASE_COUNT
} vc_phase;

typedef struct vc_connection {
    struct vc_connection *previous, *next;
    void *owner; /* the server */
    int fd;
    atomic_int phase;
    atomic_llong since_ms; /* when the phase began, on the monotonic clock */
    bool is_late;          /* and ended for it */
    char *uri;             /* of the current request, as sent; heap */
    size_t uri_capacity;
} vc_connection;

/* timeouts_ms  [VC_PHASE_COUNT], 0: none
 * tick         called about once a second from the watchdog thread; may be NULL */
vc_status vc_connections_new(const unsigned timeouts_ms[VC_PHASE_COUNT],
                             void (*tick)(void *context), void *context,
                             vc_connections **connections_out, vc_error *error);
void vc_connections_free(vc_connections *connections); /* after all are closed; NULL is fine */

/* NULL when out of memory. */
vc_connection *vc_connections_open(vc_connections *connections, int fd);
void vc_connections_close(vc_connections *connections, vc_connection *connection);

void vc_connection_enter(vc_connection *connection, vc_phase phase);

/* Give it more time for its phase. */
void vc_connection_allow(vc_connection *connection, int64_t more_ms);

unsigned vc_connections_count(vc_connections *connections);

/* How many were ended because they were late in a phase. */
uint64_t vc_connections_count_late(vc_connections *connections, vc_phase phase);

/* From now on connections without a request are closed after a short pause, in which a request
 * that is on its way still arrives. */
void vc_connections_drain(vc_connections *connections);

/* Milliseconds of the monotonic clock. */
int64_t vc_clock_ms(void);

#endif
