/* The loops of a scan: the portable ones against loops as plain as their descriptions, the others
 * of this machine against the same; with arrays that end where they may end, for the sanitizers. */
#include "slice/kernels.h"

#include "tests/slice/random.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 64, NLEAVES = 1000, MAX_CELLS = 10000 };

static const uint32_t sizes[] = {0, 1, 15, 16, 17, 31, 63, 64, 65, 127, 128, 129, 4095, 4096, 5000};

struct test {
    vc_cpu_level level;
    uint32_t n;
};

/* Every size at every level that the machine has. */
static struct criterion_test_params every_test(void)
{
    static struct test tests[VC_CPU_LEVELS * sizeof sizes / sizeof sizes[0]];
    size_t ntests = 0;
    for (int level = 0; level <= (int)vc_cpu_best_level(); level++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            tests[ntests++] = (struct test){(vc_cpu_level)level, sizes[i]};
    return cr_make_param_array(struct test, tests, ntests);
}

static const vc_kernels *kernels_of(const struct test *test)
{
    const vc_kernels *kernels = vc_kernels_get(test->level);
#if defined(__x86_64__)
    cr_assert_eq(kernels->level, test->level);
#endif
    return kernels;
}

/* An array of n elements that ends where its memory ends. */
static void *array(size_t n, size_t element_bytes)
{
    void *made = malloc(n * element_bytes + (n == 0));
    cr_assert_not_null(made);
    return made;
}

/* Small, large, and at the borders of signed and unsigned. */
static uint64_t any_value(struct random *random)
{
    static const uint64_t borders[] = {
        0, 1, INT32_MAX, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX};
    switch (random_below(random, 3)) {
    case 0: return borders[random_below(random, 8)];
    case 1: return random_below(random, 100);
    default: return random_next(random);
    }
}

static uint32_t *any_values32(struct random *random, size_t n)
{
    uint32_t *values = array(n, sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = (uint32_t)any_value(random);
    return values;
}

/* n bits, those past them clear. Kinds: none, all, one in 64, most, half; words of each sort. */
enum { MASK_KINDS = 6 };

static uint64_t *any_mask(struct random *random, int kind, uint32_t n)
{
    static const unsigned percents[] = {0, 100, 2, 95, 50};
    uint64_t *mask = array((n + 63) / 64, sizeof *mask);
    memset(mask, 0, (n + 63) / 64 * sizeof *mask);
    unsigned percent = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i % 64 == 0) percent = percents[kind < 5 ? kind : (int)random_below(random, 5)];
        if (random_chance(random, percent)) mask[i / 64] |= UINT64_C(1) << i % 64;
    }
    return mask;
}

static bool bit_of(const uint64_t *mask, uint64_t i)
{
    return mask[i / 64] >> i % 64 & 1;
}

ParameterizedTestParameters(kernels, positions)
{
    return every_test();
}

ParameterizedTest(struct test *test, kernels, positions)
{
    struct random random = {test->n};
    for (int kind = 0; kind < MASK_KINDS; kind++) {
        uint64_t *mask = any_mask(&random, kind, test->n);
        uint16_t *rows = array(test->n + ROOM, sizeof *rows);
        size_t n = kernels_of(test)->positions(mask, (test->n + 63) / 64, rows), expected = 0;
        for (uint32_t i = 0; i < test->n; i++)
            if (bit_of(mask, i)) cr_assert_eq(rows[expected++], i);
        cr_assert_eq(n, expected);
        cr_assert_eq(kernels_of(test)->count_bits(mask, (test->n + 63) / 64), expected);
        free(mask);
        free(rows);
    }
}

ParameterizedTestParameters(kernels, filter_set)
{
    return every_test();
}

/* Also with bits past the rows, which stay, and a base below zero that makes bits wrap. */
ParameterizedTest(struct test *test, kernels, filter_set)
{
    struct random random = {test->n};
    for (int round = 0; round < 3 * MASK_KINDS; round++) {
        uint32_t n = test->n, nwords = (n + 63) / 64;
        uint32_t base = round % 3 == 0 ? 0 : round % 3 == 1 ? 77 : (uint32_t)-500;
        uint64_t *set = array((NLEAVES + 77 + 63) / 64, sizeof *set);
        for (size_t i = 0; i < (NLEAVES + 77 + 63) / 64; i++)
            set[i] = random_next(&random) & random_next(&random);
        uint32_t *leaves = array(n, sizeof *leaves);
        for (uint32_t i = 0; i < n; i++)
            leaves[i] = random_below(&random, NLEAVES) + (base == (uint32_t)-500 ? 500 : 0);
        uint64_t *mask = any_mask(&random, round / 3, n), *filtered = array(nwords, 8);
        if (n % 64 != 0) mask[nwords - 1] |= random_next(&random) << n % 64;
        memcpy(filtered, mask, nwords * sizeof *mask);
        kernels_of(test)->filter_set(leaves, n, base, set, filtered);
        for (uint32_t i = 0; i < nwords * 64; i++) {
            bool expected =
                bit_of(mask, i) && (i >= n || bit_of(set, (uint32_t)(base + leaves[i])));
            cr_assert_eq(bit_of(filtered, i), expected, "row %u of %u, round %d", i, n, round);
        }
        free(set);
        free(leaves);
        free(mask);
        free(filtered);
    }
}

/* n rows that ascend, many or few of those there are; or in any order. */
static uint16_t *any_rows(struct random *random, uint32_t n, int kind, uint32_t *nvalues_out)
{
    uint16_t *rows = array(n, sizeof *rows);
    uint32_t row = 0;
    for (uint32_t i = 0; i < n; i++) {
        row += kind == 0 ? 1 : kind == 1 ? random_below(random, 3) : random_below(random, 10);
        rows[i] = (uint16_t)row;
    }
    if (kind == 3)
        for (uint32_t i = 0; i < n; i++)
            rows[i] = (uint16_t)random_below(random, i % 512 < 256 ? 5000 : 70);
    *nvalues_out = 0;
    for (uint32_t i = 0; i < n; i++)
        if (rows[i] >= *nvalues_out) *nvalues_out = rows[i] + UINT32_C(1);
    return rows;
}

ParameterizedTestParameters(kernels, pick32)
{
    return every_test();
}

ParameterizedTest(struct test *test, kernels, pick32)
{
    struct random random = {test->n};
    for (int kind = 0; kind < 4; kind++) {
        uint32_t nvalues;
        uint16_t *rows = any_rows(&random, test->n, kind, &nvalues);
        uint32_t *values = any_values32(&random, nvalues);
        uint32_t *picked = array(test->n + ROOM, sizeof *picked);
        kernels_of(test)->pick32(values, rows, test->n, picked);
        for (uint32_t i = 0; i < test->n; i++)
            cr_assert_eq(picked[i], values[rows[i]], "%u of %u, kind %d", i, test->n, kind);
        free(rows);
        free(values);
        free(picked);
    }
}

ParameterizedTestParameters(kernels, select_groups)
{
    return every_test();
}

/* None of the leaves have a group, all, few, most, half. */
ParameterizedTest(struct test *test, kernels, select_groups)
{
    static const unsigned percents[] = {0, 100, 3, 95, 50};
    struct random random = {test->n};
    for (int round = 0; round < 5; round++) {
        uint32_t n = test->n, nwords = (n + 63) / 64, expected = 0;
        uint32_t *groups = any_values32(&random, NLEAVES), *leaves = array(n, sizeof *leaves);
        uint32_t *keys = array(n + ROOM, sizeof *keys);
        uint64_t *mask = array(nwords, sizeof *mask);
        memset(mask, 0x5A, nwords * sizeof *mask);
        for (uint32_t leaf = 0; leaf < NLEAVES; leaf++)
            if (!random_chance(&random, percents[round])) groups[leaf] = UINT32_MAX;
        for (uint32_t i = 0; i < n; i++)
            leaves[i] = random_below(&random, NLEAVES);
        size_t count = kernels_of(test)->select_groups(leaves, n, groups, mask, keys);
        for (uint32_t i = 0; i < nwords * 64; i++) {
            bool is_one = i < n && groups[leaves[i]] != UINT32_MAX;
            cr_assert_eq(bit_of(mask, i), is_one, "row %u of %u, round %d", i, n, round);
            if (is_one) cr_assert_eq(keys[expected++], groups[leaves[i]]);
        }
        cr_assert_eq(count, expected);
        free(groups);
        free(leaves);
        free(keys);
        free(mask);
    }
}

ParameterizedTestParameters(kernels, add_groups)
{
    return every_test();
}

/* Keys and products wrap. */
ParameterizedTest(struct test *test, kernels, add_groups)
{
    struct random random = {test->n};
    uint32_t n = test->n, stride = UINT32_MAX / 3;
    uint32_t *groups = any_values32(&random, NLEAVES), *keys = array(n + ROOM, sizeof *keys);
    uint32_t *leaves = array(n, sizeof *leaves), *before = any_values32(&random, n);
    for (uint32_t i = 0; i < n; i++)
        leaves[i] = random_below(&random, NLEAVES);
    memcpy(keys, before, n * sizeof *keys);
    kernels_of(test)->add_groups(leaves, n, groups, stride, keys);
    for (uint32_t i = 0; i < n; i++)
        cr_assert_eq(keys[i], (uint32_t)(before[i] + groups[leaves[i]] * stride));
    free(groups);
    free(keys);
    free(leaves);
    free(before);
}

ParameterizedTestParameters(kernels, sum32)
{
    return every_test();
}

ParameterizedTest(struct test *test, kernels, sum32)
{
    struct random random = {test->n};
    for (int is_extreme = 0; is_extreme < 2; is_extreme++) {
        uint32_t *deltas = any_values32(&random, test->n);
        if (is_extreme) memset(deltas, 0xFF, test->n * sizeof *deltas);
        uint64_t expected = 0;
        for (uint32_t i = 0; i < test->n; i++)
            expected += deltas[i];
        cr_assert_eq(kernels_of(test)->sum32(deltas, test->n), expected);
        free(deltas);
    }
}

ParameterizedTestParameters(kernels, sum32_masked)
{
    return every_test();
}

ParameterizedTest(struct test *test, kernels, sum32_masked)
{
    struct random random = {test->n};
    for (int round = 0; round < 2 * MASK_KINDS; round++) {
        uint32_t *deltas = any_values32(&random, test->n);
        uint64_t *mask = any_mask(&random, round / 2, test->n), expected = 0;
        if (round % 2 == 1) memset(deltas, 0xFF, test->n * sizeof *deltas);
        for (uint32_t i = 0; i < test->n; i++)
            if (bit_of(mask, i)) expected += deltas[i];
        cr_assert_eq(kernels_of(test)->sum32_masked(deltas, mask, test->n), expected);
        free(deltas);
        free(mask);
    }
}

/* Keys: one, few, many; runs of all lengths, which end within a group and at its border. */
enum { KEY_KINDS = 7 };

static uint32_t *any_keys(struct random *random, int kind, uint32_t n)
{
    static const unsigned ncells[] = {1, 2, 7, 200, MAX_CELLS};
    uint32_t *keys = array(n, sizeof *keys), key = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (kind < 5)
            key = random_below(random, ncells[kind]);
        else if (random_below(random, kind == 5 ? 4 : 40) == 0)
            key = random_below(random, MAX_CELLS);
        keys[i] = key;
    }
    return keys;
}

ParameterizedTestParameters(kernels, adding_to_cells)
{
    return every_test();
}

ParameterizedTest(struct test *test, kernels, adding_to_cells)
{
    static uint64_t counts[MAX_CELLS], sums32[MAX_CELLS], sums64[MAX_CELLS];
    static uint64_t counted[MAX_CELLS], added32[MAX_CELLS], added64[MAX_CELLS];
    static const int64_t bases[] = {0, -5, INT64_MIN, INT64_MAX};
    const vc_kernels *kernels = kernels_of(test);
    struct random random = {test->n};
    for (int round = 0; round < 4 * KEY_KINDS; round++) {
        uint32_t *keys = any_keys(&random, round / 4, test->n);
        uint32_t *deltas32 = any_values32(&random, test->n);
        uint64_t *deltas64 = array(test->n, sizeof *deltas64), base = (uint64_t)bases[round % 4];
        for (uint32_t i = 0; i < test->n; i++) {
            deltas64[i] = any_value(&random);
            counts[keys[i]]++;
            sums32[keys[i]] += base + deltas32[i];
            sums64[keys[i]] += base + deltas64[i];
        }
        kernels->count(keys, test->n, counted);
        kernels->add32(keys, deltas32, test->n, (int64_t)base, (int64_t *)added32);
        kernels->add64(keys, deltas64, test->n, (int64_t)base, (int64_t *)added64);
        cr_assert_eq(memcmp(counts, counted, sizeof counts), 0, "round %d", round);
        cr_assert_eq(memcmp(sums32, added32, sizeof sums32), 0, "round %d", round);
        cr_assert_eq(memcmp(sums64, added64, sizeof sums64), 0, "round %d", round);
        free(keys);
        free(deltas32);
        free(deltas64);
    }
}

Test(kernels, a_level_that_is_missing_gives_a_lower_one)
{
    cr_assert_eq(vc_kernels_get(VC_CPU_PORTABLE)->level, VC_CPU_PORTABLE);
    for (int level = 0; level < VC_CPU_LEVELS; level++)
        cr_assert_leq(vc_kernels_get((vc_cpu_level)level)->level, level);
}
