/* How many MB of CSV a second are made of a grid of 1,000,000 numbers on one core, and does memory
 * grow?
 *
 * Grids are made in memory (seeded), one per kind of number, and written to a sink that only
 * counts. Prints a table in Markdown: MB/s of the thread's processor time, median (best) of several
 * runs, and the growth of the largest resident set over all of them.
 *
 *     build/bench/report_csv [RUNS]
 */
#include "bench/generate.h"
#include "report/writers.h"

#include <sys/resource.h>
#include <time.h>

enum { NROWS = 10000, NCOLUMNS = 100, MOST_RUNS = 99 };

static const struct shape {
    const char *name;
    vc_value_type type;
    unsigned scale;
    int64_t most; /* of integers and decimals; 0: any double */
} shapes[] = {
    {"integers of 1 to 3 digits", VC_VALUE_INT, 0, 1000},
    {"integers of 1 to 9 digits", VC_VALUE_INT, 0, 1000000000},
    {"decimals, 2 places", VC_VALUE_DECIMAL, 2, 100000000},
    {"doubles, all digits", VC_VALUE_FLOAT, 0, 0},
};
enum { NSHAPES = sizeof shapes / sizeof shapes[0] };

static void *take(vc_arena *arena, size_t count, size_t size)
{
    void *memory = vc_arena_calloc(arena, count, size);
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return memory;
}

static vc_grid make_grid(vc_arena *arena, const struct shape *shape)
{
    vc_grid_head *rows = take(arena, NROWS, sizeof *rows);
    vc_grid_head *columns = take(arena, NCOLUMNS, sizeof *columns);
    vc_cell *cells = take(arena, (size_t)NROWS * NCOLUMNS, sizeof *cells);
    vc_result_measure *measure = take(arena, 1, sizeof *measure);
    vc_grid_measure *how = take(arena, 1, sizeof *how);
    vc_str *corners = take(arena, 2, sizeof *corners);
    uint64_t state = 7;
    *measure = (vc_result_measure){.name = VC_STR("m"), .type = shape->type, .scale = shape->scale};
    how->measure = measure;
    corners[0] = VC_STR("Row");
    for (size_t i = 0; i < NROWS; i++) {
        vc_str key = vc_arena_printf(arena, "row %zu", i);
        rows[i] = (vc_grid_head){.key = key, .text = key, .span = 1};
    }
    for (size_t i = 0; i < NCOLUMNS; i++) {
        vc_str key = vc_arena_printf(arena, "column %zu", i);
        columns[i] = (vc_grid_head){.key = key, .text = key, .span = 1};
    }
    for (size_t i = 0; i < (size_t)NROWS * NCOLUMNS; i++) {
        if (shape->most == 0)
            cells[i].as.f = (double)(next_random(&state) >> 11) / 4503599627.0;
        else
            cells[i].as.i = (int64_t)(next_random(&state) % (uint64_t)shape->most);
    }
    return (vc_grid){.nrows = NROWS,
                     .ncolumns = NCOLUMNS,
                     .nhead_rows = 1,
                     .nhead_columns = 1,
                     .corners = corners,
                     .corner_rows = corners + 1,
                     .row_heads = rows,
                     .column_heads = columns,
                     .is_total_row = take(arena, NROWS, sizeof(bool)),
                     .is_total_column = take(arena, NCOLUMNS, sizeof(bool)),
                     .cells = cells,
                     .nmeasures = 1,
                     .measures = how,
                     .measure_of = take(arena, NCOLUMNS, sizeof(uint32_t))};
}

static vc_status count_bytes(void *context, const char *data, size_t size, vc_error *error)
{
    (void)data, (void)error;
    *(size_t *)context += size;
    return VC_OK;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static long resident_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void measure_shape(const struct shape *shape, int nruns)
{
    vc_arena arena = {0};
    vc_grid grid = make_grid(&arena, shape);
    double rates[MOST_RUNS];
    size_t nbytes = 0;
    long before = resident_kib();
    for (int run = -1; run < nruns; run++) { /* the first one warms up */
        vc_render_sink sink = {.write = count_bytes, .context = &nbytes};
        nbytes = 0;
        double start = seconds_now();
        if (vc_grid_write_csv(&grid, false, sink, NULL) != VC_OK) exit(1);
        if (run >= 0) rates[run] = (double)nbytes / 1e6 / (seconds_now() - start);
    }
    qsort(rates, (size_t)nruns, sizeof rates[0], compare);
    printf("| %s | %.1f | %.0f (%.0f) | %.2f |\n", shape->name, (double)nbytes / 1e6,
           rates[nruns / 2], rates[nruns - 1], (double)(resident_kib() - before) / 1024);
    vc_arena_release(&arena);
}

int main(int argc, char **argv)
{
    int nruns = argc > 1 ? atoi(argv[1]) : 9;
    if (nruns < 1 || nruns > MOST_RUNS) return 2;
    printf("| 1,000,000 | MB | MB/s | growth, MiB |\n|---|---:|---:|---:|\n");
    for (size_t i = 0; i < NSHAPES; i++)
        measure_shape(&shapes[i], nruns);
    return 0;
}
