/* How fast are CSV rows cut into fields, next to the least that any reader must do?
 *
 * Prints, for each kind of data and way of reading it: MB/s and ns per row, median and best of
 * several runs over the same bytes in memory (seeded). The baselines are counting the line ends
 * with memchr, which no reader of rows can beat, and a plain automaton byte by byte.
 */
#include "cube/csv.h"

#include "base/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT_BYTES = 64 << 20, NRUNS = 9 };

static volatile uint64_t sink; /* so that no work is optimised away */

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* ---- the data ---- */

static void put_numbers(vc_buffer *text, uint64_t *random)
{
    vc_buffer_printf(text, "%u,%u,%u,%u,%u.%02u,%u,%u,%u\n", next_random(random) % 10000000,
                     next_random(random) % 3000, next_random(random) % 2500,
                     19920101 + next_random(random) % 70000, next_random(random) % 100000,
                     next_random(random) % 100, next_random(random) % 50, next_random(random) % 11,
                     next_random(random) % 1000000);
}

static void put_names(vc_buffer *text, uint64_t *random)
{
    static const char *const names[] = {"C\xC3\xB4te d'Ivoire", "Germany", "S\xC3\xA3o Tom\xC3\xA9",
                                        "United Kingdom", "\xE6\x97\xA5\xE6\x9C\xAC"};
    vc_buffer_printf(text, "%s,%u,%s,%u\n", names[next_random(random) % 5],
                     next_random(random) % 200, names[next_random(random) % 5],
                     next_random(random) % 1000000);
}

static void put_quoted(vc_buffer *text, uint64_t *random)
{
    vc_buffer_printf(text, "\"%u\",\"Korea, Republic of\",\"the \"\"%u\"\" one\",%u,\"%u\"\n",
                     next_random(random), next_random(random) % 100, next_random(random) % 1000,
                     next_random(random) % 100000);
}

/* ---- the ways of reading ---- */

static uint64_t count_lines(vc_str text)
{
    uint64_t nrows = 0;
    const char *at = text.data, *end = text.data + text.size;
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        nrows++;
        at++;
    }
    return nrows;
}

static uint64_t run_automaton(vc_str text)
{
    uint64_t nfields = 0, nrows = 0;
    bool is_in_quotes = false;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '"') is_in_quotes = !is_in_quotes;
        if (is_in_quotes) continue;
        nfields += byte == ',' || byte == '\n';
        nrows += byte == '\n';
    }
    sink += nfields;
    return nrows;
}

static uint64_t split_only(vc_str text)
{
    const vc_csv_syntax syntax = {.delimiter = ',', .quote = '"'};
    vc_csv_field fields[16];
    vc_csv_record record;
    uint64_t nrows = 0;
    for (size_t at = 0; at < text.size; at += record.bytes, nrows++) {
        vc_csv_split(&syntax, text.data + at, text.size - at, true, 16, fields, &record);
        sink += fields[record.nfields - 1].end;
    }
    return nrows;
}

static uint64_t read_rows(vc_str text)
{
    vc_csv_options options;
    vc_error error = {0};
    vc_input *input;
    vc_csv *csv;
    vc_csv_row row;
    vc_csv_event event;
    uint64_t nrows = 0;
    vc_csv_options_init(&options);
    options.has_header = false;
    if (vc_input_open_memory(text, "bench", &input, &error) != VC_OK ||
        vc_csv_open(input, &options, &csv, &error) != VC_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    while ((event = vc_csv_next(csv, &row, &error)) == VC_CSV_ROW) {
        sink += row.fields[row.nfields - 1].size;
        nrows++;
    }
    if (event != VC_CSV_END) {
        fprintf(stderr, "line %u: %s\n", error.line, error.message);
        exit(1);
    }
    vc_csv_close(csv);
    vc_input_close(input);
    return nrows;
}

/* ---- measuring ---- */

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void measure(const char *data, const char *way, uint64_t (*read)(vc_str), vc_str text)
{
    double elapsed_ns[NRUNS];
    uint64_t nrows = read(text); /* warm-up */
    for (int run = 0; run < NRUNS; run++) {
        double start = now_ns();
        if (read(text) != nrows) exit(1);
        elapsed_ns[run] = now_ns() - start;
    }
    qsort(elapsed_ns, NRUNS, sizeof elapsed_ns[0], compare_doubles);
    double median = elapsed_ns[NRUNS / 2], best = elapsed_ns[0], bytes = (double)text.size;
    printf("%-8s %-22s %8.0f MB/s median %8.0f best   %7.1f ns_per_row median %7.1f best\n", data,
           way, bytes * 1e3 / median, bytes * 1e3 / best, median / (double)nrows,
           best / (double)nrows);
}

int main(void)
{
    static const struct {
        const char *name;
        void (*put)(vc_buffer *, uint64_t *);
    } kinds[] = {{"numbers", put_numbers}, {"names", put_names}, {"quoted", put_quoted}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        vc_buffer buffer = {0};
        uint64_t random = 42;
        while (buffer.size < TEXT_BYTES)
            kinds[i].put(&buffer, &random);
        if (buffer.failed) return 1;
        vc_str text = {buffer.data, buffer.size};
        measure(kinds[i].name, "baseline: line ends", count_lines, text);
        measure(kinds[i].name, "baseline: automaton", run_automaton, text);
        measure(kinds[i].name, "vc_csv_split", split_only, text);
        measure(kinds[i].name, "vc_csv_next", read_rows, text);
        vc_buffer_release(&buffer);
    }
    return 0;
}
