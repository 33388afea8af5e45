/* Where the server writes what it has to say: standard error, or a file that can be begun anew.
 *
 * A line is one write, so lines of threads never mix, nor do those of several processes.
 * Threads: vc_log_put from any; the others from one at a time.
 */
#ifndef HTTP_LINES_H
#define HTTP_LINES_H

#include "base/buffer.h"
#include "base/status.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef struct vc_log {
    atomic_int fd;            /* where to; standard error while there is no file */
    int file;                 /* its descriptor + 1, whatever file that is; 0: none yet */
    char *path;               /* of the file; NULL: standard error */
    atomic_bool has_requests; /* a line for each request */
    atomic_uint slow_ms;      /* a line for each request that takes as long; 0: for none */
} vc_log;

void vc_log_init(vc_log *log);
void vc_log_release(vc_log *log);

/* From now on to the file, which is made if it is not there, 0640; path NULL: to standard error.
 *
 * VC_STORAGE, code "log_file"; it goes on where it was, then. */
vc_status vc_log_open(vc_log *log, const char *path, vc_error *error);

/* The same path again: it goes on with the file that has the name now. So logs are rotated. */
vc_status vc_log_reopen(vc_log *log, vc_error *error);

bool vc_log_is_file(const vc_log *log);

/* Write a line, which is given without its end, and release it. What is no UTF-8, and controls,
 * have been replaced by whoever made it. */
void vc_log_put(vc_log *log, vc_buffer *line);

#endif
