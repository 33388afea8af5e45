#include "slice/kernels.h"

#include "slice/kernels_loops.h"

static const vc_kernels portable = {
    .level = VC_CPU_PORTABLE,
    .positions = vc_loop_positions,
    .count_bits = vc_loop_count_bits,
    .filter_set = vc_loop_filter_set,
    .pick32 = vc_loop_pick32,
    .add_groups = vc_loop_add_groups,
    .select_groups = vc_loop_select_groups,
    .sum32 = vc_loop_sum32,
    .sum32_masked = vc_loop_sum32_masked,
    .count = vc_loop_count,
    .add32 = vc_loop_add32,
    .add64 = vc_loop_add64,
};

const vc_kernels *vc_kernels_get(vc_cpu_level level)
{
#if defined(__x86_64__)
    if (level >= VC_CPU_AVX512) return &vc_kernels_avx512;
    if (level == VC_CPU_AVX2) return &vc_kernels_avx2;
#endif
    (void)level;
    return &portable;
}
