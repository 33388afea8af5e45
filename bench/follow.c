/* What would a column cost that is not stored, because it follows from others?
 *
 * Of the Star Schema Benchmark, supplycost follows from the part (a price list), and what was
 * discounted is the price times the discount. Each way is read as a scan reads it, block by block
 * of packed numbers that lie in memory, by one thread:
 *
 *     supplycost   17 bits a row, or those of the part and its price in a table of all parts;
 *                  all rows, or one in 60 as in Q4.1
 *     discounted   27 bits a row, or 24 of the price and 4 of the discount; 13 % of the rows, as
 *                  in Q1.1
 *
 * Prints nanoseconds a row of the scan, the best of several runs in turns, and how many times the
 * time of what is stored.
 *
 *     follow [MILLIONS_OF_ROWS [PARTS]]    6 and 200,000 as at SF 1
 */
#include "slice/kernels.h"
#include "storage/chunk.h"
#include "storage/packed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NRUNS = 15, SLACK = 64, FEW = 60 };

typedef struct column {
    unsigned char *data;
    unsigned width;
} column;

typedef struct bench {
    const vc_packed_kernels *packed;
    const vc_kernels *kernels;
    size_t nblocks;
    column cost, part, price, discount, discounted;
    uint32_t *costs; /* [parts] */
    uint64_t *mask;  /* [nblocks * VC_BLOCK_ROWS / 64] one row in eight */
    uint16_t few[VC_BLOCK_ROWS / FEW];
    uint32_t a[VC_BLOCK_ROWS + SLACK], b[VC_BLOCK_ROWS + SLACK];
    uint16_t rows[VC_BLOCK_ROWS + SLACK];
} bench;

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void *need(size_t size)
{
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64 + 64);
    if (memory == NULL) exit(1);
    return memory;
}

static uint64_t mix(uint64_t number)
{
    number = (number ^ number >> 31) * UINT64_C(0x9E3779B97F4A7C15);
    return number ^ number >> 29;
}

/* Numbers below `end`, in no order. */
static column make_column(size_t nblocks, uint64_t end, uint64_t seed)
{
    static uint64_t deltas[VC_BLOCK_ROWS];
    column made = {.width = vc_packed_width(end - 1)};
    size_t nbytes = vc_packed_bytes(VC_BLOCK_ROWS, made.width);
    made.data = need(nblocks * nbytes);
    for (size_t block = 0; block < nblocks; block++) {
        for (size_t row = 0; row < VC_BLOCK_ROWS; row++)
            deltas[row] = mix(seed << 40 | (block * VC_BLOCK_ROWS + row)) % end;
        vc_packed_put(deltas, VC_BLOCK_ROWS, made.width, made.data + block * nbytes);
    }
    return made;
}

static const uint32_t *unpack(const bench *on, const column *from, size_t block, uint32_t *to)
{
    on->packed->unpack32(from->data + block * vc_packed_bytes(VC_BLOCK_ROWS, from->width),
                         from->width, VC_BLOCK_ROWS, to);
    return to;
}

static const uint32_t *gather(const bench *on, const column *from, size_t block, size_t n,
                              uint32_t *to)
{
    on->packed->gather32(from->data + block * vc_packed_bytes(VC_BLOCK_ROWS, from->width),
                         from->width, on->few, n, to);
    return to;
}

static uint64_t look_up(bench *on, const uint32_t *parts, size_t n)
{
    memset(on->b, 0, n * sizeof *on->b);
    on->kernels->add_groups(parts, n, on->costs, 1, on->b);
    return on->kernels->sum32(on->b, n);
}

/* ---- the six ways ---- */

static uint64_t cost_stored(bench *on, size_t block)
{
    return on->kernels->sum32(unpack(on, &on->cost, block, on->a), VC_BLOCK_ROWS);
}

static uint64_t cost_followed(bench *on, size_t block)
{
    return look_up(on, unpack(on, &on->part, block, on->a), VC_BLOCK_ROWS);
}

static uint64_t few_stored(bench *on, size_t block)
{
    size_t n = VC_BLOCK_ROWS / FEW;
    return on->kernels->sum32(gather(on, &on->cost, block, n, on->a), n);
}

static uint64_t few_followed(bench *on, size_t block)
{
    size_t n = VC_BLOCK_ROWS / FEW;
    return look_up(on, gather(on, &on->part, block, n, on->a), n);
}

static uint64_t discounted_stored(bench *on, size_t block)
{
    return on->kernels->sum32_masked(unpack(on, &on->discounted, block, on->a),
                                     on->mask + block * (VC_BLOCK_ROWS / 64), VC_BLOCK_ROWS);
}

static uint64_t discounted_followed(bench *on, size_t block)
{
    const uint32_t *prices = unpack(on, &on->price, block, on->a);
    const uint32_t *discounts = unpack(on, &on->discount, block, on->b);
    size_t n = on->kernels->positions(on->mask + block * (VC_BLOCK_ROWS / 64), VC_BLOCK_ROWS / 64,
                                      on->rows);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint64_t)prices[on->rows[i]] * discounts[on->rows[i]];
    return sum;
}

static const struct {
    const char *what;
    uint64_t (*read)(bench *on, size_t block);
} ways[] = {
    {"supplycost, all rows, stored", cost_stored},
    {"... by the part", cost_followed},
    {"supplycost, one row in 60, stored", few_stored},
    {"... by the part", few_followed},
    {"discounted, 13 % of the rows, stored", discounted_stored},
    {"... price times discount", discounted_followed},
};
enum { NWAYS = sizeof ways / sizeof ways[0] };

int main(int argc, char **argv)
{
    static bench on;
    double millions = argc > 1 ? atof(argv[1]) : 6, best[NWAYS];
    uint32_t nparts = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 200000;
    uint64_t sum = 0;
    on.packed = vc_packed_get_kernels(vc_cpu_get_level());
    on.kernels = vc_kernels_get(vc_cpu_get_level());
    on.nblocks = (size_t)(millions * 1e6 / VC_BLOCK_ROWS) + 1;
    on.cost = make_column(on.nblocks, 100000, 1);
    on.part = make_column(on.nblocks, nparts, 2);
    on.price = make_column(on.nblocks, 10494901, 3);
    on.discount = make_column(on.nblocks, 11, 4);
    on.discounted = make_column(on.nblocks, 104949001, 5);
    on.costs = need(nparts * sizeof *on.costs);
    for (uint32_t i = 0; i < nparts; i++)
        on.costs[i] = (uint32_t)(mix(i) % 100000);
    on.mask = need(on.nblocks * VC_BLOCK_ROWS / 8);
    memset(on.mask, 0, on.nblocks * VC_BLOCK_ROWS / 8);
    for (size_t row = 0; row < on.nblocks * VC_BLOCK_ROWS; row++)
        on.mask[row / 64] |= (uint64_t)(mix(row) % 1000 < 131) << row % 64;
    for (size_t i = 0; i < VC_BLOCK_ROWS / FEW; i++)
        on.few[i] = (uint16_t)(i * FEW);
    for (size_t way = 0; way < NWAYS; way++)
        best[way] = 1e300;
    for (int run = 0; run < NRUNS; run++)
        for (size_t way = 0; way < NWAYS; way++) {
            double start = now_ns();
            for (size_t block = 0; block < on.nblocks; block++)
                sum += ways[way].read(&on, block);
            double elapsed_ns = now_ns() - start;
            best[way] = elapsed_ns < best[way] ? elapsed_ns : best[way];
        }
    for (size_t way = 0; way < NWAYS; way++) {
        printf("%-38s %6.3f ns/row", ways[way].what,
               best[way] / ((double)on.nblocks * VC_BLOCK_ROWS));
        if (way % 2 == 1) printf(", %.2f times", best[way] / best[way - 1]);
        printf("\n");
    }
    return sum == 0;
}
