#include "http/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void vc_log_init(vc_log *log)
{
    atomic_init(&log->fd, STDERR_FILENO);
    log->file = 0;
    log->path = NULL;
}

void vc_log_release(vc_log *log)
{
    if (log->file > 0) close(log->file - 1);
    free(log->path);
    log->file = 0;
    log->path = NULL;
    atomic_store(&log->fd, STDERR_FILENO);
}

/* The file as the log's descriptor. */
static vc_status open_file(vc_log *log, const char *path, vc_error *error)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (fd >= 0 && log->file == 0) {
        log->file = fd + 1;
        return VC_OK;
    }
    /* Threads that write just now have the number, which means the new file from here on. */
    int rc = fd >= 0 ? dup3(fd, log->file - 1, O_CLOEXEC) : -1, reason = errno;
    if (fd >= 0) close(fd);
    if (rc >= 0) return VC_OK;
    return vc_fail(error, VC_STORAGE, "log_file", "the log '%s': %s", path, strerror(reason));
}

vc_status vc_log_open(vc_log *log, const char *path, vc_error *error)
{
    char *kept = path != NULL ? strdup(path) : NULL;
    if (path != NULL && kept == NULL) return vc_no_memory(error);
    vc_status status = path != NULL ? open_file(log, path, error) : VC_OK;
    if (status != VC_OK) {
        free(kept);
        return status;
    }
    free(log->path);
    log->path = kept;
    atomic_store(&log->fd, kept != NULL ? log->file - 1 : STDERR_FILENO);
    return VC_OK;
}

vc_status vc_log_reopen(vc_log *log, vc_error *error)
{
    return log->path != NULL ? open_file(log, log->path, error) : VC_OK;
}

bool vc_log_is_file(const vc_log *log)
{
    return atomic_load(&log->fd) != STDERR_FILENO;
}

void vc_log_put(vc_log *log, vc_buffer *line)
{
    vc_buffer_put_char(line, '\n');
    /* A log that nobody can take is no reason to fail a request. */
    ssize_t written = line->failed ? 0 : write(atomic_load(&log->fd), line->data, line->size);
    (void)written;
    vc_buffer_release(line);
}
