/* For tests: random numbers from a seed, the same everywhere. */
#ifndef TESTS_SLICE_RANDOM_H
#define TESTS_SLICE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct random {
    uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Below n; n at least 1. */
static inline unsigned random_below(struct random *random, unsigned n)
{
    return (unsigned)(random_next(random) % n);
}

static inline bool random_chance(struct random *random, unsigned percent)
{
    return random_below(random, 100) < percent;
}

/* How much to try and where to begin: VCUBE_ROUNDS, VCUBE_SEED and the like. */
static inline unsigned random_setting(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

#endif
