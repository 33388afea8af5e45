/* How long do facts take to get into cells, when there are millions of cells?
 *
 * 6 million facts with random keys are put into cells by 1 and 2 threads, by blocks of 4,096 as a
 * scan does it, with a sum each, and the cells of the threads are merged. Prints ns per fact of
 * filling and of merging, by the clock and of the processors, median (best) of several runs
 * (seeded); and the same for sets of distinct ids. The bytes are what a scan would say beforehand
 * that it may need.
 */
#include "base/pool.h"
#include "slice/kernels.h"
#include "slice/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NFACTS = 6000000, BLOCK = 4096, ROOM = BLOCK + 64, NRUNS = 5, MAX_THREADS = 2 };

static const vc_accumulator_spec sum = {.aggregator = VC_AGG_SUM, .type = VC_VALUE_INT},
                                 distinct = {.aggregator = VC_AGG_COUNT_DISTINCT};

struct filling {
    vc_cells_form form;
    const uint64_t *keys;
    const uint32_t *values;
    size_t nthreads;
    vc_cells *parts[MAX_THREADS];
};

static uint64_t next_random(void)
{
    static uint64_t state = 42;
    uint64_t z = state += 0x9E3779B97F4A7C15u; /* SplitMix64 */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static double now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void check(vc_status status, const vc_error *error)
{
    if (status == VC_OK) return;
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

/* Every nthreads-th block. */
static void fill(void *context, size_t number)
{
    static _Thread_local uint32_t slots[ROOM];
    struct filling *filling = context;
    const vc_kernels *kernels = vc_kernels_get(vc_cpu_get_level());
    vc_error error = {0};
    check(vc_cells_new(&filling->form, &filling->parts[number], &error), &error);
    vc_cells *cells = filling->parts[number];
    for (size_t first = number * BLOCK; first < NFACTS; first += filling->nthreads * BLOCK) {
        size_t n = NFACTS - first < BLOCK ? NFACTS - first : BLOCK;
        const uint32_t *values = filling->values + first;
        check(vc_cells_slots(cells, filling->keys + first, n, slots, &error), &error);
        kernels->count(slots, n, vc_cells_rows(cells));
        if (filling->form.specs == &sum)
            kernels->add32(slots, values, n, 0, vc_cells_sums(cells, 0));
        else
            check(vc_cells_add_ids(cells, 0, slots, values, n, &error), &error);
    }
}

/* Of filling and of merging: of the clock, and of the processors. */
struct times {
    double fill_ns[NRUNS], fill_cpu_ns[NRUNS], merge_ns[NRUNS], merge_cpu_ns[NRUNS];
};

static uint64_t run(struct filling *filling, vc_pool *pool, struct times *times, int number)
{
    vc_error error = {0};
    vc_cells *merged;
    double start = now_ns(CLOCK_MONOTONIC), start_cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    vc_pool_run(pool, filling->nthreads, fill, filling);
    double filled = now_ns(CLOCK_MONOTONIC), filled_cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    check(vc_cells_merge(pool, NULL, filling->parts, filling->nthreads, &merged, &error), &error);
    times->merge_ns[number] = now_ns(CLOCK_MONOTONIC) - filled;
    times->merge_cpu_ns[number] = now_ns(CLOCK_PROCESS_CPUTIME_ID) - filled_cpu;
    times->fill_ns[number] = filled - start;
    times->fill_cpu_ns[number] = filled_cpu - start_cpu;
    uint64_t total = 0;
    for (uint32_t slot = 0; slot < vc_cells_count(merged); slot++)
        if (vc_cells_facts(merged)[slot] > 0)
            total += (uint64_t)vc_cells_read(merged, 0, slot).as.sum +
                     vc_cells_read(merged, 0, slot).count;
    for (size_t i = 0; i < filling->nthreads; i++)
        vc_cells_free(filling->parts[i]);
    vc_cells_free(merged);
    return total;
}

static void print(const char *name, double *ns)
{
    qsort(ns, NRUNS, sizeof ns[0], compare_doubles);
    printf("  %s %6.2f (%6.2f)", name, ns[NRUNS / 2] / NFACTS, ns[0] / NFACTS);
}

static void measure(const char *what, struct filling *filling, size_t nthreads)
{
    static struct times times;
    vc_error error = {0};
    vc_pool *pool;
    check(vc_pool_new((unsigned)nthreads, &pool, &error), &error);
    filling->nthreads = nthreads;
    filling->form.nrows = NFACTS / nthreads;
    uint64_t total = run(filling, pool, &times, 0); /* warm-up */
    for (int i = 0; i < NRUNS; i++)
        if (run(filling, pool, &times, i) != total) exit(1);
    printf("%-31s %zu threads", what, nthreads);
    print("fill", times.fill_ns);
    print("cpu", times.fill_cpu_ns);
    print("merge", times.merge_ns);
    print("cpu", times.merge_cpu_ns);
    printf(" ns/fact  %5.0f MB\n",
           (double)vc_cells_estimate(&filling->form, NFACTS, nthreads) / 1e6);
    vc_pool_free(pool);
}

int main(void)
{
    static const struct {
        const char *name;
        uint64_t ncells, stride; /* distinct keys, and their distance */
        uint64_t nids;           /* 0: a sum */
    } kinds[] = {
        {"10 k cells, dense", 10000, 1, 0},
        {"1 M cells, dense", 1000000, 1, 0},
        {"10 k of 10 G cells", 10000, 1000003, 0},
        {"1 M of 4 G cells", 1000000, 4001, 0},
        {"4 M of 4 G cells", 4000000, 1001, 0},
        {"4 M of 400 G cells", 4000000, 100003, 0},
        {"25 ids in 10 k cells", 10000, 1, 25},
        {"30,000 ids in 1 k cells", 1000, 1, 30000},
        {"30,000 ids in 10 k cells", 10000, 1, 30000},
        {"25 ids in 1 M of 4 G cells", 1000000, 4001, 25},
        {"30,000 ids in 1 M of 4 G cells", 1000000, 4001, 30000},
    };
    uint64_t *keys = malloc(NFACTS * sizeof *keys);
    uint32_t *values = malloc(NFACTS * sizeof *values);
    if (keys == NULL || values == NULL) return 1;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        static const vc_keep sum64 = VC_KEEP_SUM64, wide = VC_KEEP_WIDE;
        bool is_sum = kinds[i].nids == 0;
        struct filling filling = {.form = {.ncells = kinds[i].ncells * kinds[i].stride,
                                           .specs = is_sum ? &sum : &distinct,
                                           .keeps = is_sum ? &sum64 : &wide,
                                           .nids = is_sum ? NULL : &kinds[i].nids,
                                           .nspecs = 1,
                                           .max_slots = UINT32_MAX - 1},
                                  .keys = keys,
                                  .values = values};
        for (size_t fact = 0; fact < NFACTS; fact++) {
            keys[fact] = next_random() % kinds[i].ncells * kinds[i].stride;
            values[fact] = (uint32_t)(next_random() % (is_sum ? 100000 : kinds[i].nids));
        }
        for (size_t nthreads = 1; nthreads <= MAX_THREADS; nthreads++)
            measure(kinds[i].name, &filling, nthreads);
    }
    free(keys);
    free(values);
    return 0;
}
