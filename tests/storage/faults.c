#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fault_call fault;
static int fault_errno;
static unsigned fault_first, fault_end, ncalls;
static bool is_recording;
static event *events;
static size_t nevents, events_capacity;

void faults_set(fault_call call, int error_number, unsigned first, unsigned count)
{
    pthread_mutex_lock(&lock);
    fault = call;
    fault_errno = error_number;
    fault_first = first;
    fault_end = first + count;
    ncalls = 0;
    pthread_mutex_unlock(&lock);
}

unsigned faults_count(void)
{
    return ncalls;
}

static bool is_data_file(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    static const char name[] = "/vcube.mdb";
    return size >= (ssize_t)strlen(name) &&
           memcmp(path + size - strlen(name), name, strlen(name)) == 0;
}

static bool is_durable(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_DSYNC) != 0;
}

static void add_event(event_kind kind, uint64_t offset, const void *data, size_t size, long mark)
{
    if (nevents == events_capacity) {
        events_capacity = events_capacity == 0 ? 1024 : events_capacity * 2;
        events = realloc(events, events_capacity * sizeof *events);
    }
    unsigned char *copy = size == 0 ? NULL : malloc(size);
    if (size > 0) memcpy(copy, data, size);
    events[nevents++] = (event){kind, offset, size, copy, mark};
}

/* True when the call has to fail. */
static bool count_call(fault_call call)
{
    bool fails = false;
    if (fault == call) {
        fails = ncalls >= fault_first && ncalls < fault_end;
        ncalls++;
    }
    return fails;
}

void events_start(void)
{
    is_recording = true;
    nevents = 0;
}

void events_mark(long mark)
{
    pthread_mutex_lock(&lock);
    add_event(EVENT_MARK, 0, NULL, 0, mark);
    pthread_mutex_unlock(&lock);
}

event *events_stop(size_t *nevents_out)
{
    is_recording = false;
    *nevents_out = nevents;
    return events;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    if (is_data_file(fd)) {
        bool durable = is_durable(fd);
        pthread_mutex_lock(&lock);
        bool fails = count_call(durable ? FAULT_META_WRITE : FAULT_DATA_WRITE);
        if (!fails && is_recording)
            add_event(durable ? EVENT_DURABLE_WRITE : EVENT_WRITE, (uint64_t)offset, data, size, 0);
        pthread_mutex_unlock(&lock);
        if (fails) {
            errno = fault_errno;
            return -1;
        }
    }
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset);
ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite(fd, data, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int nparts)
{
    if (is_data_file(fd)) {
        pthread_mutex_lock(&lock);
        bool fails = count_call(FAULT_DATA_WRITE);
        uint64_t offset = (uint64_t)lseek(fd, 0, SEEK_CUR);
        for (int i = 0; i < nparts && !fails && is_recording; i++) {
            add_event(EVENT_WRITE, offset, parts[i].iov_base, parts[i].iov_len, 0);
            offset += parts[i].iov_len;
        }
        pthread_mutex_unlock(&lock);
        if (fails) {
            errno = fault_errno;
            return -1;
        }
    }
    return syscall(SYS_writev, fd, parts, nparts);
}

int fdatasync(int fd)
{
    if (is_data_file(fd)) {
        pthread_mutex_lock(&lock);
        bool fails = count_call(FAULT_SYNC);
        if (!fails && is_recording) add_event(EVENT_SYNC, 0, NULL, 0, 0);
        pthread_mutex_unlock(&lock);
        if (fails) {
            errno = fault_errno;
            return -1;
        }
    }
    return (int)syscall(SYS_fdatasync, fd);
}
