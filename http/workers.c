/* A client is in the table while it has places, waiting jobs or running ones; then it is forgotten,
 * and comes back like a new one. The table is searched from end to end: it has few entries, since
 * each has a place in the queue or a thread. */
#include "http/workers.h"

#include "base/clock.h"
#include "http/turns.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

typedef struct client {
    uint64_t id;
    vc_job *first, *last; /* waiting */
    unsigned nplaces;     /* of the queue, whether the job is there yet or not */
    unsigned nrunning;
    int64_t used_ns; /* when it came: as much as the least; and its jobs since. While one runs, the
                        time at which it began is subtracted */
} client;

struct vc_workers {
    pthread_mutex_t mutex;
    pthread_cond_t has_job;
    client *clients;     /* [stats.nclients], in no order */
    unsigned nsubmitted; /* of the places */
    unsigned nidle, queue_length;
    bool keeps_room, is_ending;
    vc_workers_stats stats; /* nwaiting: places */
    unsigned nthreads;
    pthread_t threads[];
};

/* ---- clients; all with the mutex held ---- */

static int64_t used_by(const client *of, int64_t now_ns)
{
    return of->used_ns + of->nrunning * now_ns;
}

static client *find_client(vc_workers *workers, uint64_t id)
{
    for (unsigned i = 0; i < workers->stats.nclients; i++)
        if (workers->clients[i].id == id) return &workers->clients[i];
    return NULL;
}

static client *add_client(vc_workers *workers, uint64_t id)
{
    int64_t now_ns = vc_clock_ns(), least_ns = 0;
    for (unsigned i = 0; i < workers->stats.nclients; i++) {
        int64_t used_ns = used_by(&workers->clients[i], now_ns);
        if (i == 0 || used_ns < least_ns) least_ns = used_ns;
    }
    client *new = &workers->clients[workers->stats.nclients++];
    *new = (client){.id = id, .used_ns = least_ns};
    return new;
}

static void forget_client(vc_workers *workers, client *gone)
{
    if (gone->nplaces > 0 || gone->nrunning > 0) return;
    *gone = workers->clients[--workers->stats.nclients];
}

/* Whose job is the next? There is one. */
static client *next_client(vc_workers *workers, int64_t now_ns)
{
    client *next = NULL;
    for (unsigned i = 0; i < workers->stats.nclients; i++) {
        client *at = &workers->clients[i];
        if (at->first != NULL && (next == NULL || used_by(at, now_ns) < used_by(next, now_ns)))
            next = at;
    }
    return next;
}

static vc_job *begin_job(vc_workers *workers, int64_t now_ns)
{
    client *of = next_client(workers, now_ns);
    vc_job *job = of->first;
    of->first = job->next;
    of->nplaces--;
    of->nrunning++;
    of->used_ns -= now_ns;
    workers->nsubmitted--;
    workers->stats.nwaiting--;
    workers->stats.nrunning++;
    workers->stats.nstarted++;
    workers->stats.waited_ns += (uint64_t)(now_ns - job->since_ns);
    return job;
}

static void end_job(vc_workers *workers, uint64_t id, int64_t began_ns, int64_t now_ns)
{
    client *of = find_client(workers, id);
    of->nrunning--;
    of->used_ns += now_ns;
    forget_client(workers, of);
    workers->stats.nrunning--;
    workers->stats.worked_ns += (uint64_t)(now_ns - began_ns);
}

/* ---- threads ---- */

static void *work(void *context)
{
    vc_workers *workers = context;
    pthread_mutex_lock(&workers->mutex);
    for (;;) {
        workers->nidle++;
        while (workers->nsubmitted == 0 && !workers->is_ending)
            pthread_cond_wait(&workers->has_job, &workers->mutex);
        workers->nidle--;
        if (workers->nsubmitted == 0) break;
        int64_t began_ns = vc_clock_ns();
        vc_job *job = begin_job(workers, began_ns);
        pthread_mutex_unlock(&workers->mutex);
        uint64_t id = job->client;
        job->run(job); /* which may free the job */
        pthread_mutex_lock(&workers->mutex);
        end_job(workers, id, began_ns, vc_clock_ns());
    }
    pthread_mutex_unlock(&workers->mutex);
    return NULL;
}

static vc_status start_threads(vc_workers *workers, const vc_workers_options *options,
                               vc_error *error)
{
    unsigned nthreads = options->nthreads;
    bool is_urgent = options->is_urgent;
    /* Signals are for the main thread; a client that went away is seen by the write's result. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (is_urgent) vc_turns_shorten();
    int rc = 0;
    while (rc == 0 && workers->nthreads < nthreads) {
        rc = pthread_create(&workers->threads[workers->nthreads], NULL, work, workers);
        if (rc == 0) (void)pthread_setname_np(workers->threads[workers->nthreads++], options->name);
    }
    if (is_urgent) vc_turns_restore();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) return VC_OK;
    return vc_fail(error, VC_STORAGE, "server_start", "cannot start a worker thread: %s",
                   strerror(rc));
}

vc_status vc_workers_new(const vc_workers_options *options, vc_workers **workers_out,
                         vc_error *error)
{
    unsigned nthreads = options->nthreads;
    vc_workers *workers = calloc(1, sizeof *workers + nthreads * sizeof workers->threads[0]);
    if (workers == NULL) return vc_no_memory(error);
    /* Each place, each idle thread, which is room for one more, and each job that runs. */
    workers->clients = calloc(options->queue_length + 2 * (size_t)nthreads, sizeof(client));
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->has_job, NULL);
    workers->queue_length = options->queue_length;
    workers->keeps_room = options->keeps_room;
    vc_status status =
        workers->clients == NULL ? vc_no_memory(error) : start_threads(workers, options, error);
    if (status != VC_OK) {
        vc_workers_free(workers);
        return status;
    }
    *workers_out = workers;
    return VC_OK;
}

void vc_workers_free(vc_workers *workers)
{
    if (workers == NULL) return;
    pthread_mutex_lock(&workers->mutex);
    workers->is_ending = true;
    pthread_cond_broadcast(&workers->has_job);
    pthread_mutex_unlock(&workers->mutex);
    for (unsigned i = 0; i < workers->nthreads; i++)
        pthread_join(workers->threads[i], NULL);
    pthread_cond_destroy(&workers->has_job);
    pthread_mutex_destroy(&workers->mutex);
    free(workers->clients);
    free(workers);
}

/* ---- the queue ---- */

bool vc_workers_reserve(vc_workers *workers, uint64_t id)
{
    pthread_mutex_lock(&workers->mutex);
    vc_workers_stats *stats = &workers->stats;
    /* Each idle thread is room for one more, and for whom does not matter. */
    unsigned nplaces = workers->queue_length + workers->nidle;
    unsigned nfree = nplaces - (stats->nwaiting < nplaces ? stats->nwaiting : nplaces);
    client *of = find_client(workers, id);
    bool is_fair = !workers->keeps_room || of == NULL || of->nplaces < nfree + workers->nidle;
    bool is_taken = nfree > 0 && is_fair;
    if (is_taken) {
        if (of == NULL) of = add_client(workers, id);
        of->nplaces++;
        stats->nwaiting++;
    } else {
        stats->nfull += nfree == 0;
        stats->nunfair += nfree > 0;
    }
    pthread_mutex_unlock(&workers->mutex);
    return is_taken;
}

void vc_workers_submit(vc_workers *workers, vc_job *job)
{
    int64_t now_ns = vc_clock_ns();
    pthread_mutex_lock(&workers->mutex);
    client *of = find_client(workers, job->client);
    assert(of != NULL); /* a place was taken */
    job->next = NULL;
    job->since_ns = now_ns;
    if (of->first == NULL)
        of->first = job;
    else
        of->last->next = job;
    of->last = job;
    workers->nsubmitted++;
    pthread_cond_signal(&workers->has_job);
    pthread_mutex_unlock(&workers->mutex);
}

vc_workers_stats vc_workers_stat(vc_workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    vc_workers_stats stats = workers->stats;
    pthread_mutex_unlock(&workers->mutex);
    return stats;
}
