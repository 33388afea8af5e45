/* How many megabytes of text a second do the writers of answers make on one core?
 *
 * Results of 100,000 rows are made in memory (seeded), one per kind of content, and written in each
 * format to a sink that only counts. Prints a table in Markdown: MB/s of the thread's processor
 * time, median (best) of several runs; and the bytes of a row as records.
 *
 *     build/bench/writers [RUNS [FORMAT]]
 */
#include "render/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NROWS = 100000, MOST_MEASURES = 3, MOST_AXES = 2, MOST_RUNS = 99 };

typedef struct content {
    const char *name;
    size_t nmembers[MOST_AXES]; /* of the axes; the second may have none */
    size_t nmeasures;
    vc_value_type type;
    bool is_short;    /* doubles of few digits */
    bool has_marks;   /* labels with letters beyond ASCII, and with what JSON must escape */
    bool has_reasons; /* every second cell is null, every eighth has a remark */
} content;

static const content shapes[] = {
    {"integers", {250, 400}, 2, VC_VALUE_INT, false, false, false},
    {"decimals", {250, 400}, 3, VC_VALUE_DECIMAL, false, false, false},
    {"doubles, all digits", {250, 400}, 3, VC_VALUE_FLOAT, false, false, false},
    {"doubles, few digits", {250, 400}, 3, VC_VALUE_FLOAT, true, false, false},
    {"labels in UTF-8, with escapes", {50000, 0}, 1, VC_VALUE_INT, false, true, false},
    {"a member per row", {NROWS, 0}, 1, VC_VALUE_DECIMAL, false, false, false},
    {"nulls with reasons", {250, 400}, 3, VC_VALUE_DECIMAL, false, false, true},
};

static uint64_t next_random(void)
{
    static uint64_t state = 42;
    uint64_t z = state += 0x9E3779B97F4A7C15u; /* SplitMix64 */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void *take(vc_arena *arena, size_t count, size_t size)
{
    void *memory = vc_arena_alloc(arena, count * size);
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memset(memory, 0, count * size);
    return memory;
}

#define TAKE(arena, type, count) ((type *)take(arena, count, sizeof(type)))

/* ---- results ---- */

static vc_str label_of(vc_arena *arena, const content *shape, size_t i)
{
    static const char *const marked[] = {
        "Caf\xC3\xA9 cr\xC3\xA8me no. %zu", "Espresso \"doppio\" %zu",
        "\xE7\xB7\x91\xE8\x8C\xB6 (green tea) %zu", "Half\\half, %zu g\xC3\xBCnstig"};
    if (shape->has_marks) return vc_arena_printf(arena, marked[i % 4], i);
    return vc_arena_printf(arena, "Country of the number %zu", i);
}

static void make_axis(vc_arena *arena, const content *shape, size_t a, vc_result_axis *axis)
{
    static const vc_result_level levels[MOST_AXES] = {{.key_name = VC_STR("geo.country"),
                                                       .label_name = VC_STR("geo.country_label"),
                                                       .name = VC_STR("country"),
                                                       .is_asked = true},
                                                      {.key_name = VC_STR("date.year"),
                                                       .label_name = VC_STR("date.year_label"),
                                                       .name = VC_STR("year"),
                                                       .key_type = VC_KEY_INT,
                                                       .is_asked = true}};
    size_t nmembers = shape->nmembers[a];
    vc_result_member *members = TAKE(arena, vc_result_member, nmembers);
    for (size_t i = 0; i < nmembers; i++) {
        vc_str *texts = TAKE(arena, vc_str, 2);
        texts[0] = a == 0 ? vc_arena_printf(arena, nmembers < 1000 ? "C%02zX" : "4006381%06zu", i)
                          : vc_arena_printf(arena, "%zu", 1800 + i);
        texts[1] = a == 0 ? label_of(arena, shape, i) : texts[0];
        members[i] = (vc_result_member){.keys = &texts[0], .labels = &texts[1]};
    }
    *axis = (vc_result_axis){.dimension = a == 0 ? VC_STR("geo") : VC_STR("date"),
                             .ref = a == 0 ? VC_STR("geo") : VC_STR("date"),
                             .nlevels = 1,
                             .levels = &levels[a],
                             .nmembers = nmembers,
                             .members = members};
}

static vc_cell make_cell(const content *shape)
{
    static const char reasons[] = {VC_REASON_EMPTY, VC_REASON_UNMATCHED, VC_REASON_NULL};
    uint64_t bits = next_random();
    vc_cell cell = {.as.i = (int64_t)(bits >> 40)}; /* up to 16,777,215 */
    if (shape->type == VC_VALUE_FLOAT)
        cell.as.f = shape->is_short ? (double)(bits >> 54) / 10 : (double)(bits >> 11) * 0x1p-40;
    if (!shape->has_reasons) return cell;
    if (bits % 2 == 0) return vc_cell_null((vc_reason)reasons[bits / 2 % 3]);
    cell.reason = bits % 8 == 1 ? VC_REASON_REPEATED : VC_REASON_NONE;
    return cell;
}

static vc_result make_result(vc_arena *arena, const content *shape)
{
    static const char *const names[MOST_MEASURES] = {"sales", "quantity", "price"};
    size_t naxes = shape->nmembers[1] > 0 ? 2 : 1;
    vc_result_axis *axes = TAKE(arena, vc_result_axis, naxes);
    for (size_t a = 0; a < naxes; a++)
        make_axis(arena, shape, a, &axes[a]);
    vc_result_measure *measures = TAKE(arena, vc_result_measure, shape->nmeasures);
    for (size_t m = 0; m < shape->nmeasures; m++)
        measures[m] = (vc_result_measure){.name = vc_str_of(names[m]),
                                          .type = shape->type,
                                          .scale = shape->type == VC_VALUE_DECIMAL ? 2 : 0,
                                          .aggregator = VC_AGG_SUM};
    uint32_t *coords = TAKE(arena, uint32_t, NROWS * naxes);
    for (size_t row = 0; row < NROWS; row++)
        for (size_t a = 0; a < naxes; a++) {
            size_t position = a == 0 && naxes == 2 ? row / shape->nmembers[1] : row;
            coords[row * naxes + a] = (uint32_t)(position % shape->nmembers[a]);
        }
    vc_cell *cells = TAKE(arena, vc_cell, NROWS * shape->nmeasures);
    for (size_t i = 0; i < NROWS * shape->nmeasures; i++)
        cells[i] = make_cell(shape);
    return (vc_result){.cube = VC_STR("bench"),
                       .snapshot = VC_STR("1-0000"),
                       .definition_hash = VC_STR("xxh3:00"),
                       .naxes = naxes,
                       .axes = axes,
                       .nmeasures = shape->nmeasures,
                       .measures = measures,
                       .nrows = NROWS,
                       .ndetail_rows = NROWS,
                       .coords = coords,
                       .cells = cells,
                       .grouping = TAKE(arena, uint32_t, NROWS),
                       .summary = cells,
                       .total_cell_count = NROWS};
}

/* ---- measuring ---- */

static vc_status count(void *context, const char *data, size_t size, vc_error *error)
{
    (void)data;
    (void)error;
    *(size_t *)context += size;
    return VC_OK;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* MB/s of each run, ascending; returns the bytes of the text. */
static size_t measure(const vc_result *result, vc_render_format format, size_t nruns, double *rates)
{
    size_t bytes = 0;
    for (size_t run = 0; run <= nruns; run++) { /* the first one warms up */
        vc_error error = {0};
        bytes = 0;
        double began_s = now_s();
        vc_render_sink sink = {.write = count, .context = &bytes};
        if (vc_render(result, format, NULL, sink, &error) != VC_OK) {
            fprintf(stderr, "%s\n", error.message);
            exit(1);
        }
        if (run > 0) rates[run - 1] = (double)bytes / 1e6 / (now_s() - began_s);
    }
    qsort(rates, nruns, sizeof *rates, compare_doubles);
    return bytes;
}

static void measure_shape(const content *shape, size_t nruns, const char *only)
{
    static const vc_render_format formats[] = {VC_FORMAT_RECORDS, VC_FORMAT_NDJSON,
                                               VC_FORMAT_ARRAYS,  VC_FORMAT_COLUMNS,
                                               VC_FORMAT_CSV,     VC_FORMAT_ARROW};
    vc_arena arena = {0};
    vc_result result = make_result(&arena, shape);
    double rates[MOST_RUNS];
    size_t record_bytes = 0;
    printf("| %s |", shape->name);
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        if (only != NULL && strcmp(only, vc_format_name(formats[f])) != 0) continue;
        size_t bytes = measure(&result, formats[f], nruns, rates);
        if (f == 0) record_bytes = bytes / NROWS;
        printf(" %.0f (%.0f) |", rates[nruns / 2], rates[nruns - 1]);
    }
    printf(" %zu |\n", record_bytes);
    fflush(stdout);
    vc_arena_release(&arena);
}

int main(int argc, char **argv)
{
    size_t nruns = argc > 1 ? strtoul(argv[1], NULL, 10) : 9;
    const char *only = argc > 2 ? argv[2] : NULL;
    if (nruns < 1 || nruns > MOST_RUNS) nruns = 9;
    if (only == NULL)
        printf(
            "| MB/s on one core, median (best) | records | ndjson | arrays | columns | csv | arrow "
            "| bytes of a record |\n|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        measure_shape(&shapes[s], nruns, only);
    return 0;
}
