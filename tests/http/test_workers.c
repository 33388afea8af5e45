#include "http/workers.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static vc_workers *start(unsigned nthreads, unsigned queue_length, bool keeps_room)
{
    vc_workers *workers = NULL;
    vc_error error = {0};
    vc_workers_options options = {.name = "test",
                                  .nthreads = nthreads,
                                  .queue_length = queue_length,
                                  .keeps_room = keeps_room};
    cr_assert_eq(vc_workers_new(&options, &workers, &error), VC_OK, "%s", error.message);
    return workers;
}

/* A job that waits for a gate, works for a while, and says when it was the n-th to end. */
struct counted {
    vc_job job;
    atomic_bool *gate;
    long work_ms;
    atomic_uint *done;
    unsigned place;
    int64_t worked_ns;
};

static void count(vc_job *job)
{
    struct counted *counted = (struct counted *)job;
    while (!atomic_load(counted->gate))
        pause_ms(1);
    int64_t began_ns = vc_clock_ns();
    if (counted->work_ms > 0) pause_ms(counted->work_ms);
    counted->worked_ns = vc_clock_ns() - began_ns;
    counted->place = atomic_fetch_add(counted->done, 1);
}

static void submit(vc_workers *workers, struct counted *counted)
{
    cr_assert(vc_workers_reserve(workers, counted->job.client));
    vc_workers_submit(workers, &counted->job);
}

static void await_running(vc_workers *workers, unsigned nrunning)
{
    for (int i = 0; i < 5000 && vc_workers_stat(workers).nrunning != nrunning; i++)
        pause_ms(1);
    cr_assert_eq(vc_workers_stat(workers).nrunning, nrunning);
}

/* One runs, two wait, the fourth is refused; and each that was taken is run. */
Test(workers, refuse_when_the_queue_is_full)
{
    atomic_bool gate = false;
    atomic_uint done = 0;
    struct counted jobs[4];
    vc_workers *workers = start(1, 2, false);
    for (size_t i = 0; i < 4; i++)
        jobs[i] = (struct counted){.job = {.run = count}, .gate = &gate, .done = &done};
    submit(workers, &jobs[0]);
    await_running(workers, 1);
    submit(workers, &jobs[1]);
    submit(workers, &jobs[2]);
    cr_assert_not(vc_workers_reserve(workers, 0));
    cr_assert_not(vc_workers_reserve(workers, 1)); /* nor is there a place for another one */
    vc_workers_stats stats = vc_workers_stat(workers);
    cr_assert_eq(stats.nfull, 2);
    cr_assert_eq(stats.nwaiting, 2);
    cr_assert_eq(stats.nclients, 1);
    atomic_store(&gate, true);
    vc_workers_free(workers);
    cr_assert_eq(atomic_load(&done), 3);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(jobs[i].place, i); /* first come, first served */
}

Test(workers, free_waits_for_all)
{
    enum { NJOBS = 500 };
    static struct counted jobs[NJOBS];
    atomic_bool gate = true;
    atomic_uint done = 0;
    vc_workers *workers = start(3, NJOBS, false);
    for (size_t i = 0; i < NJOBS; i++) {
        jobs[i] =
            (struct counted){.job = {.run = count, .client = i}, .gate = &gate, .done = &done};
        submit(workers, &jobs[i]);
    }
    vc_workers_free(workers);
    cr_assert_eq(atomic_load(&done), NJOBS);
}

/* One client leaves as many places as it takes, a second one a third of all; who had none finds
 * room until there is none at all. */
Test(workers, keep_room_for_others)
{
    enum { LENGTH = 12 };
    static const unsigned expected[] = {6, 3, 2, 1, 0};
    static struct counted jobs[LENGTH + 1];
    atomic_bool gate = false;
    atomic_uint done = 0;
    unsigned njobs = 0;
    vc_workers *workers = start(1, LENGTH, true);
    for (size_t i = 0; i <= LENGTH; i++)
        jobs[i] = (struct counted){.job = {.run = count}, .gate = &gate, .done = &done};
    submit(workers, &jobs[njobs++]);
    await_running(workers, 1);
    for (uint64_t client = 0; client < 5; client++) {
        unsigned taken = 0;
        while (vc_workers_reserve(workers, client)) {
            jobs[njobs].job.client = client;
            vc_workers_submit(workers, &jobs[njobs++].job);
            taken++;
        }
        cr_assert_eq(taken, expected[client], "client %u: %u", (unsigned)client, taken);
    }
    cr_assert_eq(vc_workers_stat(workers).nunfair, 3);
    cr_assert_eq(vc_workers_stat(workers).nfull, 2); /* of the fourth's second, and of the fifth */
    atomic_store(&gate, true);
    vc_workers_free(workers);
    cr_assert_eq(atomic_load(&done), LENGTH + 1);
}

/* A single place is for whoever comes. */
Test(workers, room_of_one)
{
    atomic_bool gate = false;
    atomic_uint done = 0;
    struct counted jobs[2];
    vc_workers *workers = start(1, 1, true);
    for (size_t i = 0; i < 2; i++)
        jobs[i] = (struct counted){.job = {.run = count}, .gate = &gate, .done = &done};
    submit(workers, &jobs[0]);
    await_running(workers, 1);
    submit(workers, &jobs[1]);
    cr_assert_not(vc_workers_reserve(workers, 0));
    atomic_store(&gate, true);
    vc_workers_free(workers);
}

/* Many wait of one client, each of them long; whoever comes then is the next, and with two who have
 * many they take turns by the time that they use: two jobs of 10 ms for one of 20 ms. */
Test(workers, take_turns_by_time)
{
    enum { NGREEDY = 12, NSHORT = 12, NRARE = 1 };
    static struct counted jobs[1 + NGREEDY + NSHORT + NRARE];
    atomic_bool gate = false;
    atomic_uint done = 0;
    vc_workers *workers = start(1, 64, false);
    struct counted *first = jobs, *greedy = jobs + 1, *brief = greedy + NGREEDY,
                   *rare = brief + NSHORT;
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++)
        jobs[i] = (struct counted){
            .job = {.run = count, .client = 1}, .gate = &gate, .work_ms = 20, .done = &done};
    submit(workers, first);
    await_running(workers, 1);
    for (size_t i = 0; i < NGREEDY; i++)
        submit(workers, &greedy[i]);
    for (size_t i = 0; i < NSHORT; i++) {
        brief[i].job.client = 2;
        brief[i].work_ms = 10;
        submit(workers, &brief[i]);
    }
    rare->job.client = 3;
    submit(workers, rare);
    atomic_store(&gate, true);
    vc_workers_free(workers);
    cr_assert_eq(first->place, 0);
    cr_assert_leq(rare->place, 4, "%u", rare->place);
    /* While both have jobs that wait, neither has used more than the other by much more than a job
     * takes, however long the machine lets each of them take. */
    int64_t used_ns[4] = {0}, longest_ns = 0;
    size_t left[4] = {0, 1 + NGREEDY, NSHORT, NRARE}, njobs = sizeof jobs / sizeof jobs[0];
    for (unsigned place = 0; place < njobs && left[1] > 0 && left[2] > 0; place++)
        for (size_t i = 0; i < njobs; i++) {
            if (jobs[i].place != place) continue;
            used_ns[jobs[i].job.client] += jobs[i].worked_ns;
            left[jobs[i].job.client]--;
            if (jobs[i].worked_ns > longest_ns) longest_ns = jobs[i].worked_ns;
            int64_t more_ns = used_ns[1] - used_ns[2];
            cr_assert_leq(more_ns < 0 ? -more_ns : more_ns, 2 * longest_ns + 20000000, "%u", place);
        }
    for (size_t i = 1; i < NSHORT; i++) /* within a client first come, first served */
        cr_assert_gt(brief[i].place, brief[i - 1].place);
}

/* With two threads a client who has one running waits for the one who has none. */
Test(workers, what_runs_counts)
{
    atomic_bool gate = false, open = true;
    atomic_uint done = 0;
    struct counted jobs[4];
    vc_workers *workers = start(2, 8, false);
    for (size_t i = 0; i < 4; i++)
        jobs[i] = (struct counted){.job = {.run = count, .client = i == 3 ? 2 : 1},
                                   .gate = i == 0 ? &gate : &open,
                                   .work_ms = i == 1 ? 50 : 0,
                                   .done = &done};
    for (size_t i = 0; i < 4; i++) {
        submit(workers, &jobs[i]);
        if (i == 1) await_running(workers, 2);
    }
    while (atomic_load(&done) < 3)
        pause_ms(1);
    atomic_store(&gate, true);
    vc_workers_free(workers);
    cr_assert_eq(jobs[1].place, 0);
    cr_assert_eq(jobs[3].place, 1); /* before jobs[2], which came earlier */
    cr_assert_eq(jobs[2].place, 2);
}

/* Whoever comes late has saved nothing up: it does not shut out who was there all the time. */
Test(workers, nobody_saves_up)
{
    enum { NEARLY = 10, NLATE = 6 };
    static struct counted jobs[NEARLY + NLATE];
    atomic_bool open = true;
    atomic_uint done = 0;
    vc_workers *workers = start(1, 32, false);
    for (size_t i = 0; i < NEARLY + NLATE; i++) {
        jobs[i] = (struct counted){
            .job = {.run = count, .client = i >= NEARLY},
            .gate = &open,
            .work_ms = 30, /* time to submit the late ones, on a busy machine, too */
            .done = &done};
        while (i == NEARLY && atomic_load(&done) < NEARLY - 3)
            pause_ms(1);
        submit(workers, &jobs[i]);
    }
    vc_workers_free(workers);
    cr_assert_lt(jobs[NEARLY - 1].place, jobs[NEARLY + NLATE - 1].place);
    cr_assert_leq(jobs[NEARLY].place, NEARLY - 1);
}

/* ---- from many threads ---- */

enum { NSUBMITTERS = 4, NEACH = 400 };
static struct counted many[NSUBMITTERS][NEACH];
static vc_workers *of_many;

static void *submit_many(void *context)
{
    struct counted *jobs = context;
    for (size_t i = 0; i < NEACH; i++) {
        while (!vc_workers_reserve(of_many, jobs[i].job.client))
            pause_ms(1);
        vc_workers_submit(of_many, &jobs[i].job);
    }
    return NULL;
}

Test(workers, from_many_threads)
{
    atomic_bool open = true;
    atomic_uint done = 0;
    pthread_t threads[NSUBMITTERS];
    of_many = start(3, 8, true);
    for (size_t t = 0; t < NSUBMITTERS; t++) {
        for (size_t i = 0; i < NEACH; i++)
            many[t][i] = (struct counted){
                .job = {.run = count, .client = (t + i) % 3}, .gate = &open, .done = &done};
        cr_assert_eq(pthread_create(&threads[t], NULL, submit_many, many[t]), 0);
    }
    for (size_t t = 0; t < NSUBMITTERS; t++)
        pthread_join(threads[t], NULL);
    while (atomic_load(&done) < NSUBMITTERS * NEACH)
        pause_ms(1);
    await_running(of_many, 0);
    vc_workers_stats stats = vc_workers_stat(of_many);
    cr_assert_eq(stats.nwaiting, 0);
    cr_assert_eq(stats.nclients, 0); /* all forgotten */
    cr_assert_eq(stats.nstarted, NSUBMITTERS * NEACH);
    vc_workers_free(of_many);
}
