/* A pool of worker threads that runs numbered jobs.
 *
 * The caller's thread works too, so a pool of 1 has no thread of its own and runs everything in
 * order in the caller. Jobs are handed out in ascending order; which thread runs one is not
 * defined, so a job must not depend on it: results go to a place given by the job's number.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/status.h"

#include <stddef.h>

typedef struct vc_pool vc_pool;

/* nthreads  workers, the caller included; 0 means one per processor
 * Threads are started here; NULL and VC_NO_MEMORY or VC_STORAGE on failure. */
vc_status vc_pool_new(unsigned nthreads, vc_pool **pool_out, vc_error *error);
void vc_pool_free(vc_pool *pool); /* joins the threads; NULL is fine */
unsigned vc_pool_nthreads(const vc_pool *pool);

/* Run job(context, 0) ... job(context, njobs - 1) and wait for all of them.
 * Several threads may call this on one pool at the same time. pool NULL: run in the caller. */
void vc_pool_run(vc_pool *pool, size_t njobs, void (*job)(void *context, size_t number),
                 void *context);

#endif
