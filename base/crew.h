/* A crew of threads on an assembly line: one file is read, worked on and taken.
 *
 *     read    fills the next slot; one thread at a time, in order
 *     work    does with a slot what needs no order; any number of slots at once
 *     take    whatever the owner does with the slots that vc_crew_next gives, in order
 *
 * Whoever has nothing to do takes the next step that is there, the owner too, so a crew of 1 has no
 * thread of its own and does everything in order. Between slots the owner may have the whole crew
 * run numbered jobs. Threads are started when there is a second slot to be read; in a crew without
 * slots, when there is a second job.
 * Threads: the functions here are for the owner, the thread that made the crew.
 */
#ifndef BASE_CREW_H
#define BASE_CREW_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct vc_crew vc_crew;

typedef struct vc_crew_plan {
    unsigned nthreads; /* the owner included; 0: one per processor */
    size_t nslots;     /* at least 1: slots are numbered 0 .. nslots-1 and used in turn */
    /* Fill a slot; false when it is the last one (which may be empty: it is worked on and taken
     * like any other). NULL: there are no slots, the crew only runs jobs. */
    bool (*read)(void *context, size_t slot);
    /* thread  0 .. nthreads-1: no two steps at once have the same one; 0 is the owner */
    void (*work)(void *context, size_t slot, unsigned thread);
    void *context;
} vc_crew_plan;

/* How many threads `nthreads` stands for: itself, or the number of processors for 0. */
unsigned vc_crew_count_threads(unsigned nthreads);

/* VC_NO_MEMORY. Nothing is read yet. That a thread cannot be started is no failure: the others do
 * its work. */
vc_status vc_crew_new(const vc_crew_plan *plan, vc_crew **crew_out, vc_error *error);

/* Lets every thread finish its step and joins them. NULL is fine. */
void vc_crew_free(vc_crew *crew);

/* The next slot, read and worked on. False when there is none. The slot is the owner's until
 * vc_crew_done, which must come before the next vc_crew_next. */
bool vc_crew_next(vc_crew *crew, size_t *slot_out);
void vc_crew_done(vc_crew *crew);

/* Run job(context, 0 .. njobs-1, thread), each once, in no order, and wait for all of them. Jobs go
 * before slots. */
void vc_crew_run(vc_crew *crew, size_t njobs,
                 void (*job)(void *context, size_t number, unsigned thread), void *context);

#endif
