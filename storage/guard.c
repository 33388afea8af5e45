#include "storage/guard.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

static _Thread_local sigjmp_buf *innermost;
static struct sigaction before_bus, before_segv;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void handle(int signal, siginfo_t *info, void *context)
{
    if (innermost != NULL) siglongjmp(*innermost, 1);
    const struct sigaction *before = signal == SIGBUS ? &before_bus : &before_segv;
    if ((before->sa_flags & SA_SIGINFO) != 0 && before->sa_sigaction != NULL) {
        before->sa_sigaction(signal, info, context);
    } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(signal);
    } else {
        /* Not ours: the instruction runs again and ends the process the usual way. */
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    }
}

static void install(void)
{
    /* NODEFER, because the jump out of the handler does not restore the signal mask. */
    struct sigaction action = {.sa_sigaction = handle,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &before_bus);
    sigaction(SIGSEGV, &action, &before_segv);
}

bool vc_guard_run(void (*read)(void *context), void *context)
{
    sigjmp_buf here;
    sigjmp_buf *volatile outer = innermost;
    pthread_once(&once, install);
    if (sigsetjmp(here, 0) != 0) {
        innermost = outer;
        return false;
    }
    innermost = &here;
    read(context);
    innermost = outer;
    return true;
}

/* LMDB calls this before it aborts the process. */
static void leave_assertion(MDB_env *env, const char *message)
{
    (void)env;
    (void)message;
    if (innermost != NULL) siglongjmp(*innermost, 1);
}

void vc_guard_lmdb(MDB_env *env)
{
    pthread_once(&once, install);
    mdb_env_set_assert(env, leave_assertion);
}
