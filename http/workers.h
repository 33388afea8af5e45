/* Workers: threads that take jobs from one bounded queue, fairly between clients.
 *
 * A job is of a client. Of the clients with jobs that wait, the next is whoever has used the least
 * time of the threads, what runs just now included; a client's own jobs run in their order. A
 * client that comes begins with as much as the least of those who are there, so nobody saves up,
 * and who asks once now and then is the next at once, however many jobs another one has waiting.
 * With one client this is first come first served.
 *
 * A full queue refuses, at once; whoever submits says so to the client. Where the queue keeps room
 * for others, no client takes more places than it leaves free: one takes half of them, two take a
 * third each. Jobs are intrusive: the submitter owns the memory, which must live until the job has
 * begun to run.
 * Threads: submit from any thread.
 */
#ifndef HTTP_WORKERS_H
#define HTTP_WORKERS_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct vc_workers vc_workers;

typedef struct vc_job {
    void (*run)(struct vc_job *job);
    uint64_t client;     /* whose it is: equal numbers are one client */
    int64_t since_ns;    /* when it was submitted: vc_clock_ns */
    struct vc_job *next; /* of its client while it waits */
} vc_job;

typedef struct vc_workers_options {
    const char *name;      /* of the threads, at most 15 bytes */
    unsigned nthreads;     /* at least 1 */
    unsigned queue_length; /* jobs that wait beyond those that run; at least 1 */
    bool keeps_room;       /* for other clients than one */
    bool is_urgent;        /* the jobs are short, and somebody waits for each (http/turns.h) */
} vc_workers_options;

/* VC_NO_MEMORY, or VC_STORAGE, code "server_start", when a thread cannot be started. */
vc_status vc_workers_new(const vc_workers_options *options, vc_workers **workers_out,
                         vc_error *error);

/* Waits for all submitted jobs, then ends the threads. NULL is fine. */
void vc_workers_free(vc_workers *workers);

/* Take a place in the queue for a job of that client. False when there is none for it. A place that
 * was taken must be used: submit exactly one job of that client for it. */
bool vc_workers_reserve(vc_workers *workers, uint64_t client);
void vc_workers_submit(vc_workers *workers, vc_job *job);

typedef struct vc_workers_stats {
    unsigned nrunning, nwaiting; /* now */
    unsigned nclients;           /* with jobs that run or wait */
    uint64_t nstarted, nfull,
        nunfair;                   /* jobs begun; refused for the queue; for their client's share */
    uint64_t waited_ns, worked_ns; /* of all jobs begun, and ended */
} vc_workers_stats;

vc_workers_stats vc_workers_stat(vc_workers *workers);

#endif
