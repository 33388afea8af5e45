/* How many packed numbers per nanosecond does each kernel read, by width and level?
 *
 * Prints values/ns, the best of several runs over one block of 4,096 numbers that lies in the first
 * cache, as blocks do when a scan goes through them one after the other. `put` is packing, of
 * 64-bit deltas. `some` filters with a mask in which one unit of 512 in four has a bit left; the
 * gathers take one row in eight, in order.
 * Then, how many GB of 64-bit values per second become chunks of 65,536 rows (with every eighth row
 * null: `nulls`; checksum included) and are decoded again.
 *
 *     packed [LEVEL]    portable, avx2, avx512; all without one
 */
#include "storage/packed.h"
#include "storage/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { ROWS = 4096, NRUNS = 30, NREPEATS = 200, NPICKED = ROWS / 8, CHUNK_ROWS = 65536 };

static uint64_t deltas[ROWS];
static uint64_t wide[ROWS];
static uint32_t narrow[ROWS];
static uint16_t picked[NPICKED];
static uint64_t mask[ROWS / 64];
static unsigned char data[ROWS * 8] __attribute__((aligned(64)));

typedef enum kernel {
    FILTER,
    FILTER_SOME,
    UNPACK32,
    UNPACK64,
    GATHER32,
    GATHER64,
    PUT,
    NKERNELS
} kernel;

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void run(const vc_packed_kernels *kernels, kernel which, unsigned width)
{
    uint64_t largest = ~UINT64_C(0) >> (64 - width);
    switch (which) {
    case FILTER:
        memset(mask, 0xFF, sizeof mask);
        kernels->filter(data, width, ROWS, largest / 4, largest / 2, mask);
        break;
    case FILTER_SOME:
        memset(mask, 0, sizeof mask);
        mask[3] = mask[40] = 1;
        kernels->filter(data, width, ROWS, largest / 4, largest / 2, mask);
        break;
    case UNPACK32: kernels->unpack32(data, width, ROWS, narrow); break;
    case UNPACK64: kernels->unpack64(data, width, ROWS, wide); break;
    case GATHER32: kernels->gather32(data, width, picked, NPICKED, narrow); break;
    case GATHER64: kernels->gather64(data, width, picked, NPICKED, wide); break;
    default: vc_packed_put(deltas, ROWS, width, data); break;
    }
}

static double measure(const vc_packed_kernels *kernels, kernel which, unsigned width)
{
    double best = 1e300;
    for (int i = 0; i < NRUNS; i++) {
        double start = now_ns();
        for (int repeat = 0; repeat < NREPEATS; repeat++)
            run(kernels, which, width);
        double elapsed_ns = now_ns() - start;
        best = elapsed_ns < best ? elapsed_ns : best;
    }
    int nvalues = which == GATHER32 || which == GATHER64 ? NPICKED : ROWS;
    return (double)nvalues * NREPEATS / best;
}

static void measure_level(vc_cpu_level level)
{
    static const unsigned widths[] = {1, 3, 4, 7, 8, 9, 12, 16, 17, 20, 24, 31, 32, 33, 48, 63, 64};
    const vc_packed_kernels *kernels = vc_packed_get_kernels(level);
    printf("%s, values/ns\n%5s %8s %8s %8s %8s %8s %8s %8s\n", vc_cpu_level_name(level), "width",
           "filter", "some", "unpack32", "unpack64", "gather32", "gather64", "put");
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        unsigned width = widths[i];
        for (size_t row = 0; row < ROWS; row++)
            deltas[row] = (row * UINT64_C(0x9E3779B97F4A7C15) ^ row << 7) >> (64 - width);
        vc_packed_put(deltas, ROWS, width, data);
        printf("%5u", width);
        for (int which = 0; which < NKERNELS; which++)
            if (width > 32 && (which == UNPACK32 || which == GATHER32))
                printf(" %8s", "");
            else
                printf(" %8.2f", measure(kernels, (kernel)which, width));
        printf("\n");
    }
}

/* A whole chunk: ranges, packing, checksum. */
static void measure_encoding(vc_cpu_level level)
{
    static const unsigned widths[] = {0, 4, 12, 24, 40, 64};
    static int64_t values[CHUNK_ROWS], decoded[CHUNK_ROWS];
    static uint8_t validity[CHUNK_ROWS / 8];
    static unsigned char memory[CHUNK_ROWS * 9 + 8192] __attribute__((aligned(64)));
    const vc_record_key key = {.kind = VC_RECORD_FACTS, .object = 1};
    memset(validity, 0x7F, sizeof validity);
    printf("%s, GB/s of 64-bit values\n%5s %8s %8s %8s\n", vc_cpu_level_name(level), "width",
           "nulls", "encode", "decode");
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        double best[3] = {1e300, 1e300, 1e300};
        vc_chunk chunk;
        for (size_t row = 0; row < CHUNK_ROWS; row++)
            values[row] = widths[i] == 0
                              ? 7
                              : (int64_t)((row * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - widths[i]));
        for (int run = 0; run < NRUNS * 3; run++) {
            vc_record_header header;
            double start = now_ns();
            if (run % 3 < 2) {
                size_t size = vc_chunk_encode_ints(&key, values, run % 3 == 0 ? validity : NULL,
                                                   CHUNK_ROWS, memory + 16, &header);
                if (vc_chunk_view(&header, memory + 16, size, &chunk) != NULL) exit(1);
            } else {
                vc_chunk_get_ints(&chunk, decoded);
            }
            double elapsed_ns = now_ns() - start;
            best[run % 3] = elapsed_ns < best[run % 3] ? elapsed_ns : best[run % 3];
        }
        printf("%5u", widths[i]);
        for (int k = 0; k < 3; k++)
            printf(" %8.2f", CHUNK_ROWS * 8 / best[k]);
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"portable", "avx2", "avx512"};
    for (int i = 0; i < NPICKED; i++)
        picked[i] = (uint16_t)(i * 8 + i * 5 % 8);
    for (int level = 0; level < VC_CPU_LEVELS; level++)
        if ((argc < 2 || strcasecmp(argv[1], words[level]) == 0) &&
            vc_cpu_set_level((vc_cpu_level)level)) {
            measure_level((vc_cpu_level)level);
            measure_encoding((vc_cpu_level)level);
        }
    return 0;
}
