#include "base/cpu.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

static atomic_int chosen = -1;

vc_cpu_level vc_cpu_best_level(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
    bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
    if (has_avx2 && has_avx512) return VC_CPU_AVX512;
    if (has_avx2) return VC_CPU_AVX2;
#endif
    return VC_CPU_PORTABLE;
}

unsigned vc_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) < 1) return 1;
    return (unsigned)CPU_COUNT(&set);
}

const char *vc_cpu_level_name(vc_cpu_level level)
{
    static const char *const names[] = {"portable", "AVX2", "AVX-512"};
    return names[level];
}

bool vc_cpu_find_level(const char *word, vc_cpu_level *level_out)
{
    static const char *const words[VC_CPU_LEVELS] = {"portable", "avx2", "avx512"};
    for (int level = 0; level < VC_CPU_LEVELS; level++) {
        if (strcasecmp(word, words[level]) != 0) continue;
        *level_out = (vc_cpu_level)level;
        return true;
    }
    return false;
}

static vc_cpu_level choose(void)
{
    vc_cpu_level best = vc_cpu_best_level(), level;
    const char *wanted = getenv("VCUBE_KERNELS");
    return wanted != NULL && vc_cpu_find_level(wanted, &level) && level < best ? level : best;
}

vc_cpu_level vc_cpu_get_level(void)
{
    int level = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (level >= 0) return (vc_cpu_level)level;
    level = (int)choose();
    atomic_store_explicit(&chosen, level, memory_order_relaxed);
    return (vc_cpu_level)level;
}

bool vc_cpu_set_level(vc_cpu_level level)
{
    if (level > vc_cpu_best_level()) return false;
    atomic_store(&chosen, (int)level);
    return true;
}
