#include "http/workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct vc_workers {
    pthread_mutex_t mutex;
    pthread_cond_t has_job;
    vc_job *first, *last; /* waiting */
    unsigned nwaiting;    /* and places reserved */
    unsigned nidle, queue_length;
    bool is_ending;
    unsigned nthreads;
    pthread_t threads[];
};

static void *work(void *context)
{
    vc_workers *workers = context;
    pthread_mutex_lock(&workers->mutex);
    for (;;) {
        workers->nidle++;
        while (workers->first == NULL && !workers->is_ending)
            pthread_cond_wait(&workers->has_job, &workers->mutex);
        workers->nidle--;
        vc_job *job = workers->first;
        if (job == NULL) break;
        workers->first = job->next;
        workers->nwaiting--;
        pthread_mutex_unlock(&workers->mutex);
        job->run(job); /* which may free the job */
        pthread_mutex_lock(&workers->mutex);
    }
    pthread_mutex_unlock(&workers->mutex);
    return NULL;
}

vc_status vc_workers_new(unsigned nthreads, unsigned queue_length, const char *name,
                         vc_workers **workers_out, vc_error *error)
{
    vc_workers *workers = calloc(1, sizeof *workers + nthreads * sizeof workers->threads[0]);
    if (workers == NULL) return vc_no_memory(error);
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->has_job, NULL);
    workers->queue_length = queue_length;
    /* Signals are for the main thread; a client that went away is seen by the write's result. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    vc_status status = VC_OK;
    for (unsigned i = 0; i < nthreads && status == VC_OK; i++) {
        int rc = pthread_create(&workers->threads[i], NULL, work, workers);
        if (rc != 0)
            status = vc_fail(error, VC_STORAGE, "server_start", "cannot start a worker thread: %s",
                             strerror(rc));
        else {
            workers->nthreads++;
            (void)pthread_setname_np(workers->threads[i], name);
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
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
    free(workers);
}

bool vc_workers_reserve(vc_workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    /* Each idle thread is room for one more. */
    bool is_room = workers->nwaiting < workers->queue_length + workers->nidle;
    if (is_room) workers->nwaiting++;
    pthread_mutex_unlock(&workers->mutex);
    return is_room;
}

void vc_workers_submit(vc_workers *workers, vc_job *job)
{
    pthread_mutex_lock(&workers->mutex);
    job->next = NULL;
    if (workers->first == NULL)
        workers->first = job;
    else
        workers->last->next = job;
    workers->last = job;
    pthread_cond_signal(&workers->has_job);
    pthread_mutex_unlock(&workers->mutex);
}
