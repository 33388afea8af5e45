#include "base/cpu.h"

#include <criterion/criterion.h>

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
