/* One lock, and one condition that tells of every change: a step takes milliseconds, so there are
 * few of them. Slots are counted, never reset: slot number n lives in place n % nslots. */
#include "base/crew.h"

#include "base/cpu.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct crew_thread {
    vc_crew *crew;
    unsigned number;
    pthread_t thread;
} crew_thread;

struct vc_crew {
    vc_crew_plan plan;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* All below: under the lock. nread >= nstarted, ntaken; nread - ntaken <= nslots. */
    uint64_t nread, nstarted, ntaken;
    bool is_reading, is_at_end, is_quitting;
    bool has_slot; /* the owner has slot ntaken */
    bool *is_done; /* [nslots] */
    void (*job)(void *context, size_t number, unsigned thread);
    void *job_context;
    size_t njobs, next_job, njobs_done;
    unsigned nthreads; /* started, the owner included */
    bool has_started;
    crew_thread *threads; /* [plan.nthreads - 1] */
};

unsigned vc_crew_count_threads(unsigned nthreads)
{
    return nthreads > 0 ? nthreads : vc_cpu_count();
}

/* ---- steps: called with the lock, which is given up meanwhile ---- */

static void run_job(vc_crew *crew, unsigned thread)
{
    size_t number = crew->next_job++;
    pthread_mutex_unlock(&crew->lock);
    crew->job(crew->job_context, number, thread);
    pthread_mutex_lock(&crew->lock);
    if (++crew->njobs_done == crew->njobs) pthread_cond_broadcast(&crew->changed);
}

static void work_on_slot(vc_crew *crew, unsigned thread)
{
    size_t slot = (size_t)(crew->nstarted++ % crew->plan.nslots);
    pthread_mutex_unlock(&crew->lock);
    crew->plan.work(crew->plan.context, slot, thread);
    pthread_mutex_lock(&crew->lock);
    crew->is_done[slot] = true;
    pthread_cond_broadcast(&crew->changed);
}

static void read_slot(vc_crew *crew)
{
    size_t slot = (size_t)(crew->nread % crew->plan.nslots);
    crew->is_reading = true;
    pthread_mutex_unlock(&crew->lock);
    bool has_more = crew->plan.read(crew->plan.context, slot);
    pthread_mutex_lock(&crew->lock);
    crew->is_reading = false;
    crew->is_at_end = !has_more;
    crew->is_done[slot] = false;
    crew->nread++;
    pthread_cond_broadcast(&crew->changed);
}

/* Do one step, if there is one to do. */
static bool step(vc_crew *crew, unsigned thread)
{
    if (crew->next_job < crew->njobs)
        run_job(crew, thread);
    else if (crew->nstarted < crew->nread)
        work_on_slot(crew, thread);
    else if (!crew->is_reading && !crew->is_at_end &&
             crew->nread - crew->ntaken < crew->plan.nslots)
        read_slot(crew);
    else
        return false;
    return true;
}

static void *run_thread(void *argument)
{
    crew_thread *self = argument;
    vc_crew *crew = self->crew;
    pthread_mutex_lock(&crew->lock);
    while (!crew->is_quitting) {
        if (!step(crew, self->number)) pthread_cond_wait(&crew->changed, &crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

/* ---- life ---- */

vc_status vc_crew_new(const vc_crew_plan *plan, vc_crew **crew_out, vc_error *error)
{
    assert(plan->nslots > 0);
    vc_crew *crew = calloc(1, sizeof *crew);
    if (crew == NULL) return vc_no_memory(error);
    crew->plan = *plan;
    crew->plan.nthreads = vc_crew_count_threads(plan->nthreads);
    crew->nthreads = 1;
    crew->is_at_end = plan->read == NULL;
    crew->is_done = calloc(plan->nslots, sizeof *crew->is_done);
    crew->threads = calloc(crew->plan.nthreads, sizeof *crew->threads);
    if (crew->is_done == NULL || crew->threads == NULL) {
        free(crew->is_done);
        free(crew->threads);
        free(crew);
        return vc_no_memory(error);
    }
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->changed, NULL);
    *crew_out = crew;
    return VC_OK;
}

/* Signals are for the thread that waits for them, never for one of these. */
static void start_threads(vc_crew *crew)
{
    sigset_t all, before;
    crew->has_started = true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (crew->nthreads < crew->plan.nthreads) {
        crew_thread *thread = &crew->threads[crew->nthreads - 1];
        *thread = (crew_thread){.crew = crew, .number = crew->nthreads};
        if (pthread_create(&thread->thread, NULL, run_thread, thread) != 0) break;
        crew->nthreads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void vc_crew_free(vc_crew *crew)
{
    if (crew == NULL) return;
    pthread_mutex_lock(&crew->lock);
    crew->is_quitting = true;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
    for (unsigned i = 0; i + 1 < crew->nthreads; i++)
        pthread_join(crew->threads[i].thread, NULL);
    pthread_cond_destroy(&crew->changed);
    pthread_mutex_destroy(&crew->lock);
    free(crew->is_done);
    free(crew->threads);
    free(crew);
}

/* ---- the owner ---- */

bool vc_crew_next(vc_crew *crew, size_t *slot_out)
{
    assert(!crew->has_slot);
    pthread_mutex_lock(&crew->lock);
    size_t slot = (size_t)(crew->ntaken % crew->plan.nslots);
    while (crew->ntaken == crew->nread || !crew->is_done[slot]) {
        if (crew->is_at_end && crew->ntaken == crew->nread) break;
        if (!crew->has_started && crew->nread > 0 && !crew->is_at_end) start_threads(crew);
        if (!step(crew, 0)) pthread_cond_wait(&crew->changed, &crew->lock);
    }
    crew->has_slot = crew->ntaken < crew->nread;
    pthread_mutex_unlock(&crew->lock);
    *slot_out = slot;
    return crew->has_slot;
}

void vc_crew_done(vc_crew *crew)
{
    assert(crew->has_slot);
    pthread_mutex_lock(&crew->lock);
    crew->has_slot = false;
    crew->ntaken++;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

void vc_crew_run(vc_crew *crew, size_t njobs,
                 void (*job)(void *context, size_t number, unsigned thread), void *context)
{
    if (njobs == 0) return;
    pthread_mutex_lock(&crew->lock);
    crew->job = job;
    crew->job_context = context;
    crew->next_job = 0;
    crew->njobs_done = 0;
    crew->njobs = njobs;
    if (!crew->has_started && crew->plan.read == NULL && njobs > 1) start_threads(crew);
    pthread_cond_broadcast(&crew->changed);
    while (crew->next_job < crew->njobs)
        run_job(crew, 0);
    while (crew->njobs_done < crew->njobs)
        pthread_cond_wait(&crew->changed, &crew->lock);
    crew->njobs = crew->next_job = 0;
    pthread_mutex_unlock(&crew->lock);
}
