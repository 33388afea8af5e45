/* How long does a profile of a country take as HTML, PDF and a workbook, and how much memory a
 * workbook of 1,000,000 numbers?
 *
 * The profile has four figures, two pivots of 60 numbers and two charts, made in memory (seeded).
 * Prints tables in Markdown: milliseconds of the thread's processor time, median (best) of several
 * files after the first, and that first one; for large grids milliseconds, and the growth of the
 * largest resident set.
 *
 *     build/bench/report_writers [FILES [FOLDER]]
 */
#include "bench/generate.h"
#include "report/writers.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FILES = 999 };

static void *take(vc_arena *arena, size_t count, size_t size)
{
    void *memory = vc_arena_calloc(arena, count, size);
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return memory;
}

#define TAKE(arena, type, count) ((type *)take(arena, count, sizeof(type)))

/* ---- documents ---- */

static vc_grid_measure *make_measure(vc_arena *arena, vc_str label, vc_str unit, vc_str pattern)
{
    vc_result_measure *measure = TAKE(arena, vc_result_measure, 1);
    vc_grid_measure *how = TAKE(arena, vc_grid_measure, 1);
    *measure = (vc_result_measure){
        .name = label, .label = label, .unit = unit, .type = VC_VALUE_DECIMAL, .scale = 1};
    how->measure = measure;
    how->has_format = vc_number_format_parse(pattern, &how->format);
    how->pattern = pattern;
    return how;
}

static vc_grid *make_grid(vc_arena *arena, size_t nrows, size_t ncolumns, bool is_coloured)
{
    vc_grid *grid = TAKE(arena, vc_grid, 1);
    vc_grid_head *rows = TAKE(arena, vc_grid_head, nrows);
    vc_grid_head *columns = TAKE(arena, vc_grid_head, ncolumns);
    vc_cell *cells = TAKE(arena, vc_cell, nrows * ncolumns);
    vc_str *corners = TAKE(arena, vc_str, 2);
    double *places = TAKE(arena, double, nrows);
    uint64_t state = 7;
    corners[0] = VC_STR("Year");
    for (size_t i = 0; i < nrows; i++) {
        vc_str key = vc_arena_printf(arena, "%zu", 2000 + i);
        rows[i] = (vc_grid_head){.key = key, .text = key, .span = 1};
        places[i] = 2000 + (double)i;
    }
    for (size_t i = 0; i < ncolumns; i++) {
        vc_str key = vc_arena_printf(arena, "Region %zu", i + 1);
        columns[i] = (vc_grid_head){.key = key, .text = key, .span = 1};
    }
    for (size_t i = 0; i < nrows * ncolumns; i++) {
        cells[i].as.i = (int64_t)(next_random(&state) % 10000000);
        if (i % 29 == 7) cells[i] = vc_cell_null(VC_REASON_EMPTY);
    }
    vc_grid_measure *measure =
        make_measure(arena, VC_STR("Output"), VC_STR("million EUR"), VC_STR("#,##0.0"));
    if (is_coloured)
        measure->colouring = (vc_colouring){.kind = VC_COLOURING_SCALE, .high = 1000000};
    *grid = (vc_grid){.caption = VC_STR("Output by year and region"),
                      .nrows = nrows,
                      .ncolumns = ncolumns,
                      .nhead_rows = 1,
                      .nhead_columns = 1,
                      .corners = corners,
                      .corner_rows = corners + 1,
                      .row_heads = rows,
                      .column_heads = columns,
                      .is_total_row = TAKE(arena, bool, nrows),
                      .is_total_column = TAKE(arena, bool, ncolumns),
                      .cells = cells,
                      .nmeasures = 1,
                      .measures = measure,
                      .measure_of = TAKE(arena, uint32_t, ncolumns),
                      .row_places = places};
    return grid;
}

static vc_chart *make_chart(vc_arena *arena, const vc_grid *grid, vc_chart_kind kind)
{
    vc_chart *chart = TAKE(arena, vc_chart, 1);
    *chart =
        (vc_chart){.kind = kind, .grid = grid, .alternative = VC_STR("Output goes up and down.")};
    return chart;
}

static vc_document make_profile(vc_arena *arena)
{
    static const vc_figure figures[] = {
        {.label = VC_STR("Population"),
         .value = VC_STR("67,571,107"),
         .unit = VC_STR("persons"),
         .exact = VC_STR("67571107"),
         .change = VC_STR("+3.9 %"),
         .against = VC_STR("than 2010"),
         .direction = 1},
        {.label = VC_STR("GDP"), .value = VC_STR("2,639.0"), .unit = VC_STR("billion US$")},
        {.label = VC_STR("Life expectancy"), .value = VC_STR("82.3"), .unit = VC_STR("years")},
        {.label = VC_STR("Cities"), .value = VC_STR("1,234")},
    };
    static const vc_str words[] = {
        VC_STR("In 2020 France had 67,571,107 inhabitants, 3.9 % more than ten years before. Its "
               "output was 2,639 billion US$, of which services had more than two thirds."),
    };
    vc_section *sections = TAKE(arena, vc_section, 6);
    const vc_grid *first = make_grid(arena, 12, 5, true), *second = make_grid(arena, 10, 6, false);
    const vc_grid *years = make_grid(arena, 21, 3, false), *bars = make_grid(arena, 8, 2, false);
    sections[0] = (vc_section){.kind = VC_SECTION_TEXT,
                               .id = VC_STR("summary"),
                               .title = VC_STR("Summary"),
                               .paragraphs = words,
                               .nparagraphs = 1};
    sections[1] = (vc_section){.kind = VC_SECTION_FIGURES,
                               .id = VC_STR("figures"),
                               .title = VC_STR("At a glance"),
                               .figures = figures,
                               .nfigures = 4};
    sections[2] = (vc_section){.kind = VC_SECTION_PIVOT,
                               .id = VC_STR("regions"),
                               .title = VC_STR("Regions"),
                               .grid = first};
    sections[3] = (vc_section){.kind = VC_SECTION_CHART,
                               .id = VC_STR("years"),
                               .title = VC_STR("Years"),
                               .grid = years,
                               .chart = make_chart(arena, years, VC_CHART_LINE)};
    sections[4] = (vc_section){.kind = VC_SECTION_PIVOT,
                               .id = VC_STR("sectors"),
                               .title = VC_STR("Sectors"),
                               .grid = second};
    sections[5] = (vc_section){.kind = VC_SECTION_CHART,
                               .id = VC_STR("bars"),
                               .title = VC_STR("Bars"),
                               .grid = bars,
                               .chart = make_chart(arena, bars, VC_CHART_BAR)};
    return (vc_document){.title = VC_STR("France"),
                         .subtitle = VC_STR("2000 to 2020"),
                         .language = VC_STR("en"),
                         .generator = VC_STR("vcube"),
                         .snapshot = VC_STR("7"),
                         .sections = sections,
                         .nsections = 6,
                         .has_notes = true};
}

/* ---- measuring ---- */

static vc_status count_bytes(void *context, const char *data, size_t size, vc_error *error)
{
    (void)data, (void)error;
    *(size_t *)context += size;
    return VC_OK;
}

static double ms_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
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

/* One file of a format: "html", "pdf" or "xlsx", which is written to path. Its bytes. */
static size_t write_file(const vc_document *document, const char *format, const char *path)
{
    size_t nbytes = 0;
    vc_error error = {0};
    vc_render_sink sink = {.write = count_bytes, .context = &nbytes};
    vc_status status = format[0] == 'h'   ? vc_html_write(document, sink, &error)
                       : format[0] == 'p' ? vc_pdf_write(document, sink, &error)
                                          : vc_xlsx_write(document, path, &error);
    if (status != VC_OK) {
        fprintf(stderr, "%s: %s\n", format, error.message);
        exit(1);
    }
    return nbytes;
}

static void measure_profile(int nfiles, const char *path)
{
    static const char *const formats[] = {"html", "pdf", "xlsx"};
    vc_arena arena = {0};
    vc_document document = make_profile(&arena);
    printf("| a profile | ms, median (best) | ms, first | kB |\n|---|---:|---:|---:|\n");
    for (size_t i = 0; i < 3; i++) {
        double times[MOST_FILES], first = 0;
        size_t nbytes = 0;
        for (int file = -1; file < nfiles; file++) {
            double start = ms_now();
            nbytes = write_file(&document, formats[i], path);
            double spent = ms_now() - start;
            if (file < 0)
                first = spent;
            else
                times[file] = spent;
        }
        qsort(times, (size_t)nfiles, sizeof times[0], compare);
        printf("| %s | %.2f (%.2f) | %.1f | %.1f |\n", formats[i], times[nfiles / 2], times[0],
               first, (double)nbytes / 1e3);
    }
    vc_arena_release(&arena);
}

static void measure_large(size_t nrows, size_t ncolumns, const char *path)
{
    vc_arena arena = {0};
    const vc_grid *grid = make_grid(&arena, nrows, ncolumns, true);
    vc_section section = {
        .kind = VC_SECTION_PIVOT, .id = VC_STR("g"), .title = VC_STR("Grid"), .grid = grid};
    vc_document document = {.title = VC_STR("Large"),
                            .language = VC_STR("en"),
                            .generator = VC_STR("vcube"),
                            .sections = &section,
                            .nsections = 1};
    long before = resident_kib();
    double start = ms_now();
    write_file(&document, "xlsx", path);
    double spent = ms_now() - start;
    printf("| %zu x %zu | %.0f | %.1f |\n", nrows, ncolumns, spent,
           (double)(resident_kib() - before) / 1024);
    vc_arena_release(&arena);
}

int main(int argc, char **argv)
{
    int nfiles = argc > 1 ? atoi(argv[1]) : 99;
    const char *folder = argc > 2 ? argv[2] : "/tmp";
    char path[512];
    if (nfiles < 1 || nfiles > MOST_FILES) return 2;
    snprintf(path, sizeof path, "%s/vcube-report-%d.xlsx", folder, (int)getpid());
    measure_profile(nfiles, path);
    printf("\n| xlsx, 1,000,000 numbers | ms | growth, MiB |\n|---|---:|---:|\n");
    /* The least memory first: the largest resident set never shrinks. */
    measure_large(10000, 100, path);
    measure_large(1000000, 1, path);
    measure_large(100, 10000, path);
    unlink(path);
    return 0;
}
