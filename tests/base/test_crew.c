#include "base/crew.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

enum { NSLOTS = 5, MAX_THREADS = 8 };

struct line {
    unsigned nfiles; /* how many slots are to be read */
    unsigned nread;
    atomic_int readers;
    bool has_fault;
    atomic_bool is_busy[MAX_THREADS];
    uint64_t slots[NSLOTS];
    atomic_size_t nruns[1000];
};

static bool read_slot(void *context, size_t slot)
{
    struct line *line = context;
    if (atomic_fetch_add(&line->readers, 1) != 0) line->has_fault = true;
    line->slots[slot] = line->nread++;
    atomic_fetch_sub(&line->readers, 1);
    return line->nread < line->nfiles;
}

static void work_on(void *context, size_t slot, unsigned thread)
{
    struct line *line = context;
    if (atomic_exchange(&line->is_busy[thread], true)) line->has_fault = true;
    for (volatile unsigned i = 0; i < line->slots[slot] % 7 * 1000;) /* some take longer */
        i = i + 1;
    line->slots[slot] = line->slots[slot] * 2 + 1;
    atomic_store(&line->is_busy[thread], false);
}

static void run_job(void *context, size_t number, unsigned thread)
{
    struct line *line = context;
    if (atomic_exchange(&line->is_busy[thread], true)) line->has_fault = true;
    atomic_fetch_add(&line->nruns[number], 1);
    atomic_store(&line->is_busy[thread], false);
}

static void check_line(unsigned nthreads, size_t nslots, unsigned nfiles, unsigned nlast)
{
    struct line line = {.nfiles = nfiles};
    vc_crew_plan plan = {nthreads, nslots, read_slot, work_on, &line};
    vc_crew *crew;
    size_t slot, nrounds = 0;
    cr_assert_eq(vc_crew_new(&plan, &crew, NULL), VC_OK);
    unsigned ntaken = 0;
    while (ntaken < nlast && vc_crew_next(crew, &slot)) {
        cr_assert_eq(line.slots[slot], ntaken * 2 + 1); /* in order, and worked on once */
        if (++ntaken % 16 == 0) {
            vc_crew_run(crew, ntaken % 1000, run_job, &line);
            nrounds++;
        }
        vc_crew_done(crew);
    }
    cr_assert_eq(ntaken, nfiles < nlast ? nfiles : nlast);
    if (ntaken < nlast) cr_assert_not(vc_crew_next(crew, &slot));
    vc_crew_free(crew);
    if (ntaken < 1000) {
        for (size_t i = 0; i < 1000; i++) {
            size_t expected = 0; /* rounds whose number of jobs is above i */
            for (unsigned n = 16; n <= ntaken; n += 16)
                expected += i < n;
            cr_assert_eq(line.nruns[i], expected, "job %zu of %zu rounds", i, nrounds);
        }
    }
    cr_assert_not(line.has_fault);
}

Test(crew, slots_come_in_order_whoever_works_on_them)
{
    for (unsigned nthreads = 1; nthreads <= MAX_THREADS; nthreads++)
        for (size_t nslots = 1; nslots <= NSLOTS; nslots++)
            for (unsigned nfiles = 1; nfiles <= 200; nfiles += 66)
                check_line(nthreads, nslots, nfiles, UINT32_MAX);
}

/* Whoever has seen enough goes. */
Test(crew, the_owner_may_leave_early)
{
    for (unsigned nlast = 0; nlast < 40; nlast += 3)
        check_line(4, 3, 200, nlast);
}

/* A crew without slots runs jobs only, with all its threads. */
Test(crew, without_slots)
{
    for (unsigned nthreads = 1; nthreads <= MAX_THREADS; nthreads += 3) {
        struct line line = {0};
        vc_crew_plan plan = {.nthreads = nthreads, .nslots = 1, .context = &line};
        vc_crew *crew;
        size_t slot;
        cr_assert_eq(vc_crew_new(&plan, &crew, NULL), VC_OK);
        for (size_t round = 1; round <= 20; round++) {
            vc_crew_run(crew, 1000, run_job, &line);
            for (size_t i = 0; i < 1000; i++)
                cr_assert_eq(line.nruns[i], round);
        }
        cr_assert_not(vc_crew_next(crew, &slot));
        cr_assert_not(line.has_fault);
        vc_crew_free(crew);
    }
}
