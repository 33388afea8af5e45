/* What the generators of bench data share: random numbers, and CSV rows written fast.
 *
 * Every row is drawn from a generator seeded by its table and number, so the same scale gives the
 * same bytes anywhere, and nothing is held in memory. Errors end the program.
 */
#ifndef BENCH_GENERATE_H
#define BENCH_GENERATE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- random numbers ---- */

/* SplitMix64 (Steele, Lea, Flood 2014): any state is a good one, so rows can be seeded freely. */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static inline uint64_t seed_row(unsigned table, uint64_t row)
{
    uint64_t state = (uint64_t)table << 56 ^ row;
    return next_random(&state);
}

/* Uniform in [first, last]; the bias of the multiplication is below 2^-32 of a bucket. */
static inline uint32_t between(uint64_t *state, uint32_t first, uint32_t last)
{
    return first + (uint32_t)((next_random(state) >> 32) * (uint64_t)(last - first + 1) >> 32);
}

/* ---- writing ---- */

struct file {
    FILE *stream;
    char path[4096];
    char *at, *end;
    char buffer[1 << 16];
};

static inline struct file *file_new(const char *directory, const char *name, const char *header)
{
    struct file *file = malloc(sizeof *file);
    if (file == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    snprintf(file->path, sizeof file->path, "%s/%s", directory, name);
    file->stream = fopen(file->path, "we");
    if (file->stream == NULL) {
        fprintf(stderr, "%s: %s\n", file->path, strerror(errno));
        exit(1);
    }
    file->at = file->buffer;
    file->end = file->buffer + sizeof file->buffer;
    fprintf(file->stream, "%s\n", header);
    return file;
}

static inline void file_flush(struct file *file)
{
    size_t size = (size_t)(file->at - file->buffer);
    if (fwrite(file->buffer, 1, size, file->stream) != size) {
        fprintf(stderr, "%s: %s\n", file->path, strerror(errno));
        exit(1);
    }
    file->at = file->buffer;
}

static inline void file_close(struct file *file)
{
    file_flush(file);
    if (fclose(file->stream) != 0) {
        fprintf(stderr, "%s: %s\n", file->path, strerror(errno));
        exit(1);
    }
    free(file);
}

/* Call before each row: no row is longer than a kilobyte. */
static inline void begin_row(struct file *file)
{
    if (file->end - file->at < 1024) file_flush(file);
}

static inline void put_text(struct file *file, const char *text)
{
    size_t size = strlen(text);
    memcpy(file->at, text, size);
    file->at += size;
}

static inline void put_number(struct file *file, uint64_t value)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (n > 0)
        *file->at++ = digits[--n];
}

static inline void comma(struct file *file)
{
    *file->at++ = ',';
}

static inline void end_row(struct file *file)
{
    *file->at++ = '\n';
}

static inline void number_field(struct file *file, uint64_t value)
{
    put_number(file, value);
    comma(file);
}

static inline void text_field(struct file *file, const char *text)
{
    put_text(file, text);
    comma(file);
}

#endif
