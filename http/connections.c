#include "http/connections.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { WATCH_EVERY_MS = 100, TICK_EVERY_MS = 1000, DRAIN_PAUSE_MS = 150 };

struct vc_connections {
    pthread_mutex_t mutex;
    pthread_cond_t wakes;
    vc_connection *first;
    unsigned count;
    bool is_ending, is_draining;
    unsigned timeouts_ms[VC_PHASE_COUNT];
    uint64_t nlate[VC_PHASE_COUNT];
    void (*tick)(void *context);
    void *context;
    pthread_t watchdog;
};

int64_t vc_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What of the client's bytes MHD has not read yet. 0: it sends no more; -1: nothing is there. */
static int peek(const vc_connection *connection)
{
    char byte;
    return (int)recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

/* The client sends no more, so a request that is awaited never comes. Where the end arrives
 * together with what stands before it, MHD does not see it: epoll tells it of both at once, and it
 * reads no further than it must. */
static bool has_ended(const vc_connection *connection, int phase, int64_t waited_ms)
{
    if (phase > VC_PHASE_BODY || waited_ms < WATCH_EVERY_MS) return false;
    return peek(connection) == 0;
}

/* Where bytes lie unread, it is this process that is late, not the client: the machine had no time
 * for it. That does not go on for ever. */
static bool is_late(const vc_connection *connection, int phase, int64_t waited_ms,
                    unsigned timeout_ms)
{
    if (timeout_ms == 0 || waited_ms <= timeout_ms) return false;
    return phase > VC_PHASE_BODY || waited_ms > 3 * (int64_t)timeout_ms || peek(connection) <= 0;
}

static void end_late_one(vc_connections *connections, vc_connection *connection, int phase)
{
    shutdown(connection->fd, SHUT_RDWR);
    if (!connection->is_late) connections->nlate[phase]++;
    connection->is_late = true; /* until MHD has closed it */
}

/* Called with the mutex held. */
static void end_late_ones(vc_connections *connections)
{
    int64_t now_ms = vc_clock_ms();
    for (vc_connection *c = connections->first; c != NULL; c = c->next) {
        int phase = atomic_load(&c->phase);
        int64_t waited_ms = now_ms - atomic_load(&c->since_ms);
        unsigned timeout_ms = connections->timeouts_ms[phase];
        if (is_late(c, phase, waited_ms, timeout_ms))
            end_late_one(connections, c, phase);
        else if (has_ended(c, phase, waited_ms))
            shutdown(c->fd, SHUT_RDWR);
        /* Linux still hands out what arrived before SHUT_RD, so a request that crossed our
         * decision is answered; after it MHD sees the end and closes. */
        else if (connections->is_draining && phase <= VC_PHASE_IDLE && waited_ms > DRAIN_PAUSE_MS)
            shutdown(c->fd, SHUT_RD);
    }
}

static void *watch(void *context)
{
    vc_connections *connections = context;
    int64_t tick_ms = vc_clock_ms();
    pthread_mutex_lock(&connections->mutex);
    while (!connections->is_ending) {
        end_late_ones(connections);
        if (connections->tick != NULL && vc_clock_ms() - tick_ms >= TICK_EVERY_MS) {
            pthread_mutex_unlock(&connections->mutex);
            connections->tick(connections->context);
            tick_ms = vc_clock_ms();
            pthread_mutex_lock(&connections->mutex);
            if (connections->is_ending) break;
        }
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += WATCH_EVERY_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_nsec -= 1000000000L;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&connections->wakes, &connections->mutex, &until);
    }
    pthread_mutex_unlock(&connections->mutex);
    return NULL;
}

vc_status vc_connections_new(const unsigned timeouts_ms[VC_PHASE_COUNT],
                             void (*tick)(void *context), void *context,
                             vc_connections **connections_out, vc_error *error)
{
    vc_connections *connections = calloc(1, sizeof *connections);
    if (connections == NULL) return vc_no_memory(error);
    memcpy(connections->timeouts_ms, timeouts_ms, sizeof connections->timeouts_ms);
    connections->tick = tick;
    connections->context = context;
    pthread_mutex_init(&connections->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&connections->wakes, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&connections->watchdog, NULL, watch, connections);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        pthread_cond_destroy(&connections->wakes);
        pthread_mutex_destroy(&connections->mutex);
        free(connections);
        return vc_fail(error, VC_STORAGE, "server_start", "cannot start the watchdog thread: %s",
                       strerror(rc));
    }
    (void)pthread_setname_np(connections->watchdog, "vc-watchdog");
    *connections_out = connections;
    return VC_OK;
}

void vc_connections_free(vc_connections *connections)
{
    if (connections == NULL) return;
    pthread_mutex_lock(&connections->mutex);
    connections->is_ending = true;
    pthread_cond_signal(&connections->wakes);
    pthread_mutex_unlock(&connections->mutex);
    pthread_join(connections->watchdog, NULL);
    while (connections->first != NULL)
        vc_connections_close(connections, connections->first);
    pthread_cond_destroy(&connections->wakes);
    pthread_mutex_destroy(&connections->mutex);
    free(connections);
}

vc_connection *vc_connections_open(vc_connections *connections, int fd)
{
    vc_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) return NULL;
    connection->fd = fd;
    vc_connection_enter(connection, VC_PHASE_FIRST);
    pthread_mutex_lock(&connections->mutex);
    connection->next = connections->first;
    if (connections->first != NULL) connections->first->previous = connection;
    connections->first = connection;
    connections->count++;
    pthread_mutex_unlock(&connections->mutex);
    return connection;
}

void vc_connections_close(vc_connections *connections, vc_connection *connection)
{
    pthread_mutex_lock(&connections->mutex);
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        connections->first = connection->next;
    if (connection->next != NULL) connection->next->previous = connection->previous;
    connections->count--;
    pthread_mutex_unlock(&connections->mutex);
    free(connection->uri);
    free(connection);
}

void vc_connection_enter(vc_connection *connection, vc_phase phase)
{
    /* The time first: a watchdog that looks in between sees the old phase as fresh. */
    atomic_store(&connection->since_ms, vc_clock_ms());
    atomic_store(&connection->phase, (int)phase);
}

void vc_connection_allow(vc_connection *connection, int64_t more_ms)
{
    atomic_fetch_add(&connection->since_ms, more_ms);
}

unsigned vc_connections_count(vc_connections *connections)
{
    pthread_mutex_lock(&connections->mutex);
    unsigned count = connections->count;
    pthread_mutex_unlock(&connections->mutex);
    return count;
}

uint64_t vc_connections_count_late(vc_connections *connections, vc_phase phase)
{
    pthread_mutex_lock(&connections->mutex);
    uint64_t count = connections->nlate[phase];
    pthread_mutex_unlock(&connections->mutex);
    return count;
}

void vc_connections_drain(vc_connections *connections)
{
    pthread_mutex_lock(&connections->mutex);
    connections->is_draining = true;
    pthread_mutex_unlock(&connections->mutex);
}
