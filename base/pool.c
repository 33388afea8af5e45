/* Each call of vc_pool_run is a *batch* on its caller's stack, linked into the pool while it has
 * jobs to hand out. A job's number is claimed by one atomic addition; the lock is taken only when
 * a thread joins or leaves a batch. The caller unlinks its batch when the numbers run out, so
 * nobody can join any more, and waits until those inside have left. Because the caller works on
 * its own batch, a job may itself call vc_pool_run without a deadlock. */
#include "base/pool.h"

#include "base/cpu.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct batch batch;

struct batch {
    batch *next;
    void (*job)(void *context, size_t number);
    void *context;
    size_t njobs;
    atomic_size_t next_job;
    unsigned ninside; /* workers, without the caller; under the pool's lock */
};

struct vc_pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a batch was linked, or the pool is closing */
    pthread_cond_t left; /* a batch has no worker inside any more */
    batch *batches;      /* oldest first */
    bool is_closing;
    unsigned nthreads; /* the caller included */
    pthread_t threads[];
};

static void run_jobs(batch *work)
{
    size_t number;
    while ((number = atomic_fetch_add(&work->next_job, 1)) < work->njobs)
        work->job(work->context, number);
}

static batch *find_work(const vc_pool *pool)
{
    batch *work = pool->batches;
    while (work != NULL && atomic_load(&work->next_job) >= work->njobs)
        work = work->next;
    return work;
}

static void *worker(void *argument)
{
    vc_pool *pool = argument;
    pthread_mutex_lock(&pool->lock);
    while (!pool->is_closing) {
        batch *work = find_work(pool);
        if (work == NULL) {
            pthread_cond_wait(&pool->work, &pool->lock);
            continue;
        }
        work->ninside++;
        pthread_mutex_unlock(&pool->lock);
        run_jobs(work);
        pthread_mutex_lock(&pool->lock);
        if (--work->ninside == 0) pthread_cond_broadcast(&pool->left);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

vc_status vc_pool_new(unsigned nthreads, vc_pool **pool_out, vc_error *error)
{
    *pool_out = NULL;
    if (nthreads == 0) nthreads = vc_cpu_count();
    vc_pool *pool = calloc(1, sizeof *pool + (nthreads - 1) * sizeof pool->threads[0]);
    if (pool == NULL) return vc_no_memory(error);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->left, NULL);
    pool->nthreads = 1;
    /* Signals are for the thread that waits for them, never for a worker in a scan. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = 0;
    while (rc == 0 && pool->nthreads < nthreads) {
        rc = pthread_create(&pool->threads[pool->nthreads - 1], NULL, worker, pool);
        if (rc == 0) pool->nthreads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        unsigned started = pool->nthreads;
        vc_pool_free(pool);
        return vc_fail(error, VC_STORAGE, "threads", "thread %u of %u cannot be started: %s",
                       started + 1, nthreads, strerror(rc));
    }
    *pool_out = pool;
    return VC_OK;
}

void vc_pool_free(vc_pool *pool)
{
    if (pool == NULL) return;
    pthread_mutex_lock(&pool->lock);
    pool->is_closing = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i + 1 < pool->nthreads; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->left);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

unsigned vc_pool_nthreads(const vc_pool *pool)
{
    return pool == NULL ? 1 : pool->nthreads;
}

static void link_batch(vc_pool *pool, batch *work)
{
    pthread_mutex_lock(&pool->lock);
    batch **end = &pool->batches;
    while (*end != NULL)
        end = &(*end)->next;
    *end = work;
    if (work->njobs > 2)
        pthread_cond_broadcast(&pool->work);
    else
        pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

static void unlink_batch(vc_pool *pool, batch *work)
{
    pthread_mutex_lock(&pool->lock);
    batch **link = &pool->batches;
    while (*link != work)
        link = &(*link)->next;
    *link = work->next;
    while (work->ninside > 0)
        pthread_cond_wait(&pool->left, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void vc_pool_run(vc_pool *pool, size_t njobs, void (*job)(void *context, size_t number),
                 void *context)
{
    if (pool == NULL || pool->nthreads == 1 || njobs < 2) {
        for (size_t number = 0; number < njobs; number++)
            job(context, number);
        return;
    }
    batch work = {.job = job, .context = context, .njobs = njobs};
    link_batch(pool, &work);
    run_jobs(&work);
    unlink_batch(pool, &work);
}
