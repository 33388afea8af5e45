#include "cli/guard.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock; /* of directory */
    pthread_t thread;
    bool is_begun;
    sigset_t before;
    char directory[4096]; /* "": none */
} guard = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void fill_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGHUP);
}

static void remove_folder(const char *path)
{
    DIR *entries = opendir(path);
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        unlinkat(dirfd(entries), entry->d_name, 0); /* fails for . and .., as it should */
    if (entries != NULL) closedir(entries);
    rmdir(path);
}

/* Other threads may be at work in the folder still: nothing waits for them. The lock is not given
 * back, so that nobody sets another folder. */
static void *wait_for_signal(void *nothing)
{
    sigset_t signals;
    int number = 0;
    (void)nothing;
    fill_signals(&signals);
    if (sigwait(&signals, &number) != 0) return NULL;
    pthread_mutex_lock(&guard.lock);
    if (guard.directory[0] != '\0') remove_folder(guard.directory);
    signal(number, SIG_DFL);
    kill(getpid(), number);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    pause(); /* not reached */
    return NULL;
}

vc_status vc_guard_begin(vc_error *error)
{
    sigset_t signals;
    fill_signals(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, &guard.before);
    if (pthread_create(&guard.thread, NULL, wait_for_signal, NULL) != 0) {
        pthread_sigmask(SIG_SETMASK, &guard.before, NULL);
        return vc_fail(error, VC_STORAGE, "threads", "cannot start a thread: %m");
    }
    guard.is_begun = true;
    return VC_OK;
}

void vc_guard_set(const char *directory)
{
    pthread_mutex_lock(&guard.lock);
    snprintf(guard.directory, sizeof guard.directory, "%s", directory == NULL ? "" : directory);
    pthread_mutex_unlock(&guard.lock);
}

void vc_guard_end(void)
{
    if (!guard.is_begun) return;
    pthread_cancel(guard.thread);
    pthread_join(guard.thread, NULL);
    pthread_sigmask(SIG_SETMASK, &guard.before, NULL);
    guard.is_begun = false;
}
