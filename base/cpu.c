#include "base/cpu.h"

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

const char *vc_cpu_level_name(vc_cpu_level level)
{
    static const char *const names[] = {"portable", "AVX2", "AVX-512"};
    return names[level];
}

static vc_cpu_level choose(void)
{
    static const char *const words[] = {"portable", "avx2", "avx512"};
    vc_cpu_level best = vc_cpu_best_level();
    const char *wanted = getenv("VCUBE_KERNELS");
    for (int level = 0; wanted != NULL && level < (int)best; level++)
        if (strcasecmp(wanted, words[level]) == 0) return (vc_cpu_level)level;
    return best;
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
