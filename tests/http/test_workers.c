#include "http/workers.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <time.h>

struct counted {
    vc_job job;
    atomic_bool *gate; /* waits until it is open */
    atomic_uint *done;
};

static void pause_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void count(vc_job *job)
{
    struct counted *counted = (struct counted *)job;
    while (!atomic_load(counted->gate))
        pause_a_little();
    atomic_fetch_add(counted->done, 1);
}

/* One runs, two wait, the fourth is refused; and each that was taken is run. */
Test(workers, refuse_when_the_queue_is_full)
{
    vc_workers *workers;
    vc_error error = {0};
    atomic_bool gate = false;
    atomic_uint done = 0;
    struct counted jobs[4];
    cr_assert_eq(vc_workers_new(1, 2, "test", &workers, &error), VC_OK);
    for (size_t i = 0; i < 4; i++)
        jobs[i] = (struct counted){.job = {.run = count}, .gate = &gate, .done = &done};
    while (!vc_workers_reserve(workers)) /* until the thread is idle or there is room */
        pause_a_little();
    vc_workers_submit(workers, &jobs[0].job);
    unsigned taken = 1;
    for (int tries = 0; tries < 100; tries++) {
        if (taken < 4 && vc_workers_reserve(workers))
            vc_workers_submit(workers, &jobs[taken++].job);
        pause_a_little();
    }
    cr_assert_eq(taken, 3);
    atomic_store(&gate, true);
    vc_workers_free(workers);
    cr_assert_eq(atomic_load(&done), 3);
}

Test(workers, free_waits_for_all)
{
    enum { NJOBS = 500 };
    static struct counted jobs[NJOBS];
    vc_workers *workers;
    vc_error error = {0};
    atomic_bool gate = true;
    atomic_uint done = 0;
    cr_assert_eq(vc_workers_new(3, NJOBS, "test", &workers, &error), VC_OK);
    for (size_t i = 0; i < NJOBS; i++) {
        jobs[i] = (struct counted){.job = {.run = count}, .gate = &gate, .done = &done};
        cr_assert(vc_workers_reserve(workers));
        vc_workers_submit(workers, &jobs[i].job);
    }
    vc_workers_free(workers);
    cr_assert_eq(atomic_load(&done), NJOBS);
}
