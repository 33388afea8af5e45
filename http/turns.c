#include "http/turns.h"

#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SHORT_NS = 100 * 1000 }; /* the least that the kernel takes */

/* As the kernel has it (struct sched_attr, of which the C library has none yet). */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

/* What is refused is let be: turns are then as long as ever. */
static void set_turn(uint64_t turn_ns)
{
    struct attributes wanted = {.size = sizeof wanted,
                                .policy = SCHED_OTHER,
                                .nice = getpriority(PRIO_PROCESS, 0),
                                .runtime_ns = turn_ns};
    if (sched_getscheduler(0) == SCHED_OTHER) (void)syscall(SYS_sched_setattr, 0, &wanted, 0);
}

void vc_turns_shorten(void)
{
    set_turn(SHORT_NS);
}

void vc_turns_restore(void)
{
    set_turn(0);
}
