#include "base/pool.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

enum { NJOBS = 5000 };

typedef struct tally {
    vc_pool *pool;
    atomic_int runs[NJOBS];
    size_t last; /* only used in order by one thread */
    bool in_order;
} tally;

static void count_job(void *context, size_t number)
{
    tally *t = context;
    atomic_fetch_add(&t->runs[number], 1);
}

static void check_once(tally *t, int times)
{
    for (size_t i = 0; i < NJOBS; i++)
        cr_assert_eq(atomic_load(&t->runs[i]), times, "job %zu", i);
}

Test(pool, every_job_runs_once)
{
    for (unsigned nthreads = 1; nthreads <= 5; nthreads++) {
        vc_pool *pool;
        static tally t;
        t = (tally){0};
        cr_assert_eq(vc_pool_new(nthreads, &pool, NULL), VC_OK);
        cr_assert_eq(vc_pool_nthreads(pool), nthreads);
        vc_pool_run(pool, 0, count_job, &t);
        vc_pool_run(pool, NJOBS, count_job, &t);
        check_once(&t, 1);
        vc_pool_free(pool);
    }
}

static void order_job(void *context, size_t number)
{
    tally *t = context;
    t->in_order = t->in_order && number == t->last++;
}

Test(pool, one_thread_or_none_runs_in_order)
{
    vc_pool *pool;
    tally t = {.in_order = true};
    cr_assert_eq(vc_pool_new(1, &pool, NULL), VC_OK);
    vc_pool_run(pool, NJOBS, order_job, &t);
    cr_assert(t.in_order);
    t.last = 0;
    vc_pool_run(NULL, NJOBS, order_job, &t);
    cr_assert(t.in_order && t.last == NJOBS);
    vc_pool_free(pool);
    vc_pool_free(NULL);
}

static void *run_many(void *context)
{
    tally *t = context;
    for (int i = 0; i < 20; i++)
        vc_pool_run(t->pool, NJOBS, count_job, t);
    return NULL;
}

Test(pool, several_callers_share_it)
{
    static tally tallies[4];
    pthread_t threads[4];
    vc_pool *pool;
    cr_assert_eq(vc_pool_new(3, &pool, NULL), VC_OK);
    for (int i = 0; i < 4; i++) {
        tallies[i].pool = pool;
        cr_assert_eq(pthread_create(&threads[i], NULL, run_many, &tallies[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        check_once(&tallies[i], 20);
    }
    vc_pool_free(pool);
}

static void nested_job(void *context, size_t number)
{
    tally *t = context;
    if (number < 4) vc_pool_run(t->pool, NJOBS, count_job, t);
}

/* A job that itself uses the pool must not wait for a worker that waits for it. */
Test(pool, jobs_may_run_jobs, .timeout = 20)
{
    static tally t;
    cr_assert_eq(vc_pool_new(2, &t.pool, NULL), VC_OK);
    vc_pool_run(t.pool, 8, nested_job, &t);
    check_once(&t, 4);
    vc_pool_free(t.pool);
}

static void meet_job(void *context, size_t number)
{
    atomic_int *arrived = context;
    (void)number;
    atomic_fetch_add(arrived, 1);
    for (int i = 0; i < 5000 && atomic_load(arrived) < 2; i++)
        usleep(1000);
}

/* Two jobs that wait for each other only end when they run at the same time. */
Test(pool, jobs_run_at_the_same_time, .timeout = 20)
{
    vc_pool *pool;
    atomic_int arrived = 0;
    cr_assert_eq(vc_pool_new(2, &pool, NULL), VC_OK);
    vc_pool_run(pool, 2, meet_job, &arrived);
    cr_assert_eq(atomic_load(&arrived), 2);
    vc_pool_free(pool);
}

Test(pool, zero_means_one_per_processor)
{
    vc_pool *pool;
    cr_assert_eq(vc_pool_new(0, &pool, NULL), VC_OK);
    cr_assert_geq(vc_pool_nthreads(pool), 1);
    vc_pool_free(pool);
}
