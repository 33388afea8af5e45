#include "base/cpu.h"

#include "base/crew.h"

#include <criterion/criterion.h>
#include <sched.h>

Test(cpu, portable_can_always_be_chosen)
{
    cr_assert(vc_cpu_set_level(VC_CPU_PORTABLE));
    cr_assert_eq(vc_cpu_get_level(), VC_CPU_PORTABLE);
    cr_assert(vc_cpu_set_level(vc_cpu_best_level()));
    cr_assert_eq(vc_cpu_get_level(), vc_cpu_best_level());
}

Test(cpu, what_the_machine_does_not_have_is_refused)
{
    vc_cpu_level before = vc_cpu_get_level();
    if (vc_cpu_best_level() + 1 == VC_CPU_LEVELS) return; /* it has everything */
    cr_assert_not(vc_cpu_set_level((vc_cpu_level)(vc_cpu_best_level() + 1)));
    cr_assert_eq(vc_cpu_get_level(), before);
}

Test(cpu, environment_names_a_lower_level)
{
    setenv("VCUBE_KERNELS", "PORTABLE", 1);
    cr_assert_eq(vc_cpu_get_level(), VC_CPU_PORTABLE);
}

Test(cpu, environment_cannot_raise_the_level)
{
    setenv("VCUBE_KERNELS", "avx1024", 1);
    cr_assert_eq(vc_cpu_get_level(), vc_cpu_best_level());
}

Test(cpu, words_for_levels)
{
    vc_cpu_level level = VC_CPU_LEVELS;
    cr_assert(vc_cpu_find_level("AVX512", &level));
    cr_assert_eq(level, VC_CPU_AVX512);
    cr_assert_not(vc_cpu_find_level("avx", &level));
    cr_assert_not(vc_cpu_find_level("", &level));
    cr_assert_eq(level, VC_CPU_AVX512);
}

Test(cpu, counts_the_processors_it_may_use)
{
    cpu_set_t before, one;
    unsigned count = vc_cpu_count();
    cr_assert_geq(count, 1);
    cr_assert_eq(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
    cr_assert_eq(vc_cpu_count(), 1);
    cr_assert_eq(vc_crew_count_threads(0), 1);
    cr_assert_eq(vc_crew_count_threads(3), 3);
}
