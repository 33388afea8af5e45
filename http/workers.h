/* Workers: threads that take jobs from one bounded queue, first come first served.
 *
 * A full queue refuses, at once; whoever submits says so to the client. Jobs are intrusive: the
 * submitter owns the memory, which must live until the job has begun to run.
 * Threads: submit from any thread.
 */
#ifndef HTTP_WORKERS_H
#define HTTP_WORKERS_H

#include "base/status.h"

#include <stdbool.h>

typedef struct vc_workers vc_workers;

typedef struct vc_job {
    void (*run)(struct vc_job *job);
    struct vc_job *next; /* of the queue while it waits */
} vc_job;

/* nthreads      at least 1
 * queue_length  jobs that wait beyond those that run; at least 1
 *
 * VC_NO_MEMORY, or VC_STORAGE, code "server_start", when a thread cannot be started. */
vc_status vc_workers_new(unsigned nthreads, unsigned queue_length, const char *name,
                         vc_workers **workers_out, vc_error *error);

/* Waits for all submitted jobs, then ends the threads. NULL is fine. */
void vc_workers_free(vc_workers *workers);

/* Take a place in the queue. False when it is full. A place that was taken must be used: submit
 * exactly one job for it. */
bool vc_workers_reserve(vc_workers *workers);
void vc_workers_submit(vc_workers *workers, vc_job *job);

#endif
