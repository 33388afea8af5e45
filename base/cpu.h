/* How many processors there are, and which instructions they have, as far as kernels are written
 * for them.
 *
 * Kernels exist in variants that give the same bytes: portable C, which is the oracle of the
 * others, AVX2 and AVX-512. A table of kernels is chosen by level, once per query. Code for a level
 * is compiled with target attributes in files of its own, so that the rest runs anywhere.
 * Threads: from any; vc_cpu_set_level only while nothing runs that asks for it.
 */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include <stdbool.h>

typedef enum vc_cpu_level {
    VC_CPU_PORTABLE = 0,
    VC_CPU_AVX2,   /* with BMI1, BMI2, POPCNT */
    VC_CPU_AVX512, /* F, BW, DQ, VL, VBMI, VBMI2, with all of AVX2's */
    VC_CPU_LEVELS,
} vc_cpu_level;

/* The best level of this machine; $VCUBE_KERNELS ("portable", "avx2", "avx512") names a lower one,
 * a higher one than there is has no effect, nor has another word. O(1) after the first call. */
vc_cpu_level vc_cpu_get_level(void);

/* The level of a word for $VCUBE_KERNELS, in any case, whether or not the machine has it; false:
 * there is none. */
bool vc_cpu_find_level(const char *word, vc_cpu_level *level_out);

/* The best level of the machine, whatever was asked for. */
vc_cpu_level vc_cpu_best_level(void);

/* For tests and benches. False, and nothing changed, when the machine does not have it. */
bool vc_cpu_set_level(vc_cpu_level level);

/* Processors that this process may run on, at least 1. */
unsigned vc_cpu_count(void);

const char *vc_cpu_level_name(vc_cpu_level level); /* "portable", "AVX2", "AVX-512" */

#endif
