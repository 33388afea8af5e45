/* How long does a query take, from its text to the text of its answer, in a process that is up?
 *
 *     query DIR THREADS
 *
 * opens a store and obeys lines on standard input, with one line of answer for each, so that a
 * driver can let other engines run between any two queries.
 *
 * run FILE       ask the query of a JSON body. Answers "TOTAL CPU ENGINE", nanoseconds: from the
 *                text of the query to the text of the answer (format=arrays); processor time of
 *                all threads meanwhile; of TOTAL, the time in vc_engine_run.
 *
 * answer FILE    the answer, one line of JSON
 *
 * memory FILE    bytes that the query is estimated to need, and the limit beyond which a server or
 *                the command refuses it unless told otherwise; here there is none
 *
 * columns CUBE   stored bytes of each fact column of a source cube, one line of JSON
 *
 * sum BYTES      add up a buffer of so many bytes with all threads, which is what the memory
 *                allows. Answers "TOTAL CPU", nanoseconds
 *
 * kernels        the name of the level of kernels in use
 *
 * Before the first line it prints the nanoseconds that opening the store took.
 */
#include "base/buffer.h"
#include "base/cpu.h"
#include "base/pool.h"
#include "query/body.h"
#include "render/render.h"
#include "slice/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench {
    vc_store *store;
    vc_model *model;
    vc_pool *pool;
    uint64_t *numbers; /* for `sum` */
    size_t numbers_bytes;
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static void die(const vc_error *error)
{
    fprintf(stderr, "query: %s: %s\n", error->code, error->message);
    exit(1);
}

/* ---- queries ---- */

static vc_str read_text(const char *path, vc_arena *arena)
{
    char block[65536];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = fread(block, 1, sizeof block, file);
    fclose(file);
    return vc_arena_str(arena, (vc_str){.data = block, .size = size});
}

static vc_status collect(void *context, const char *data, size_t size, vc_error *error)
{
    vc_buffer *buffer = context;
    vc_buffer_put(buffer, data, size);
    return buffer->failed ? vc_no_memory(error) : VC_OK;
}

static void run_query(const struct bench *bench, const char *path, bool shows_answer)
{
    vc_arena arena = {0};
    vc_buffer answer = {0};
    vc_error error = {0};
    vc_query query;
    const vc_result *result;
    vc_engine_options options = {.pool = bench->pool, .limits.max_memory_bytes = UINT64_MAX};
    vc_str text = read_text(path, &arena);
    uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), begin = now_ns();
    vc_status status = vc_body_parse(text, 0, &arena, &query, &error);
    uint64_t parsed = now_ns();
    if (status == VC_OK)
        status = vc_engine_run(bench->model, &query, &options, &arena, &result, &error);
    uint64_t computed = now_ns();
    if (status == VC_OK)
        status = vc_render(result, VC_FORMAT_ARRAYS, NULL,
                           (vc_render_sink){.write = collect, .context = &answer}, &error);
    uint64_t end = now_ns();
    cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (status != VC_OK) die(&error);
    if (shows_answer)
        fwrite(answer.data, 1, answer.size, stdout);
    else
        printf("%llu %llu %llu\n", (unsigned long long)(end - begin), (unsigned long long)cpu,
               (unsigned long long)(computed - parsed));
    vc_buffer_release(&answer);
    vc_arena_release(&arena);
}

static void print_memory(const struct bench *bench, const char *path)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query query;
    const vc_explain *explain;
    vc_engine_options options = {.pool = bench->pool};
    vc_status status = vc_body_parse(read_text(path, &arena), 0, &arena, &query, &error);
    if (status == VC_OK)
        status = vc_engine_explain(bench->model, &query, &options, &arena, &explain, &error);
    if (status != VC_OK) die(&error);
    printf("%llu %llu\n", (unsigned long long)explain->memory_bytes,
           (unsigned long long)explain->max_memory_bytes);
    vc_arena_release(&arena);
}

/* ---- sizes ---- */

static uint64_t column_bytes(const struct bench *bench, const vc_source_cube *cube, uint16_t column)
{
    uint64_t bytes = 0;
    vc_error error = {0};
    for (uint32_t s = 0; s < cube->nsegments; s++) {
        vc_chunk chunk;
        if (vc_source_cube_chunk(cube, vc_model_snapshot(bench->model), column, s, &chunk,
                                 &error) != VC_OK)
            die(&error);
        bytes += chunk.nbytes;
    }
    return bytes;
}

static void print_columns(const struct bench *bench, const char *name)
{
    const vc_cube *cube;
    vc_error error = {0};
    if (vc_model_cube(bench->model, vc_str_of(name), &cube, &error) != VC_OK) die(&error);
    const vc_source_cube *source = cube->sources[0].cube;
    printf("{\"rows\":%llu", (unsigned long long)source->nrows);
    for (size_t i = 0; i < source->ndimensions; i++)
        printf(",\"%.*s\":%llu", VC_FMT(source->dimension_names[i]),
               (unsigned long long)column_bytes(bench, source, (uint16_t)i));
    for (size_t i = 0; i < source->ncolumns; i++)
        printf(",\"%.*s\":%llu", VC_FMT(source->columns[i].name),
               (unsigned long long)column_bytes(bench, source, source->columns[i].column));
    printf("}\n");
}

/* ---- what the memory allows ---- */

enum { NPIECES = 16 };

static volatile uint64_t sink; /* so that the work is not optimised away */

struct sum {
    const uint64_t *numbers;
    size_t nnumbers;
    uint64_t totals[NPIECES];
};

/* Compiled for several instruction sets; the loader picks one. */
__attribute__((target_clones("avx512f", "avx2", "default"))) static uint64_t sum_numbers(
    const uint64_t *numbers, size_t nnumbers)
{
    uint64_t total = 0;
    for (size_t i = 0; i < nnumbers; i++)
        total += numbers[i];
    return total;
}

static void sum_piece(void *context, size_t number)
{
    struct sum *sum = context;
    size_t first = sum->nnumbers * number / NPIECES, end = sum->nnumbers * (number + 1) / NPIECES;
    sum->totals[number] = sum_numbers(sum->numbers + first, end - first);
}

static void run_sum(struct bench *bench, size_t nbytes)
{
    if (nbytes > bench->numbers_bytes) {
        free(bench->numbers);
        bench->numbers = malloc(nbytes);
        if (bench->numbers == NULL) {
            perror("sum");
            exit(1);
        }
        memset(bench->numbers, 1, nbytes);
        bench->numbers_bytes = nbytes;
    }
    struct sum sum = {.numbers = bench->numbers, .nnumbers = nbytes / sizeof *bench->numbers};
    uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), begin = now_ns();
    vc_pool_run(bench->pool, NPIECES, sum_piece, &sum);
    for (size_t i = 0; i < NPIECES; i++)
        sink += sum.totals[i];
    uint64_t end = now_ns();
    cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%llu %llu\n", (unsigned long long)(end - begin), (unsigned long long)cpu);
}

/* ---- the whole ---- */

static void open_bench(const char *directory, unsigned nthreads, struct bench *bench)
{
    vc_error error = {0};
    vc_store_options options = {.is_read_only = true};
    vc_snapshot *snapshot;
    vc_status status = vc_pool_new(nthreads, &bench->pool, &error);
    if (status == VC_OK) status = vc_store_open(directory, &options, &bench->store, &error);
    if (status == VC_OK) status = vc_snapshot_open(bench->store, &snapshot, &error);
    if (status == VC_OK) status = vc_model_new(snapshot, true, &bench->model, &error);
    if (status != VC_OK) die(&error);
}

static bool obey(struct bench *bench, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *argument = strchr(line, ' ');
    if (argument != NULL) *argument++ = '\0';
    if (strcmp(line, "kernels") == 0)
        puts(vc_cpu_level_name(vc_cpu_get_level()));
    else if (argument != NULL && strcmp(line, "columns") == 0)
        print_columns(bench, argument);
    else if (argument != NULL && strcmp(line, "run") == 0)
        run_query(bench, argument, false);
    else if (argument != NULL && strcmp(line, "answer") == 0)
        run_query(bench, argument, true);
    else if (argument != NULL && strcmp(line, "memory") == 0)
        print_memory(bench, argument);
    else if (argument != NULL && strcmp(line, "sum") == 0)
        run_sum(bench, strtoull(argument, NULL, 10));
    else
        return false;
    fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    char line[4352];
    if (argc != 3 || strtoul(argv[2], NULL, 10) == 0) {
        fprintf(stderr, "usage: query DIR THREADS      (commands on standard input)\n");
        return 2;
    }
    struct bench bench = {0};
    uint64_t begin = now_ns();
    open_bench(argv[1], (unsigned)strtoul(argv[2], NULL, 10), &bench);
    printf("%llu\n", (unsigned long long)(now_ns() - begin));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL)
        if (!obey(&bench, line)) {
            fprintf(stderr, "query: unknown command '%s'\n", line);
            return 2;
        }
    vc_model_free(bench.model);
    vc_store_close(bench.store);
    vc_pool_free(bench.pool);
    free(bench.numbers);
    return 0;
}
