/* The packed kernels against a packer and reader that go bit by bit as storage/packed.h says in
 * words, and every level against the portable one. */
#include "storage/packed.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MAX_ROWS = 4096, GUARD = 64, PAGE = 4096 };

static const uint32_t row_counts[] = {0, 1, 63, 64, 65, 511, 512, 513, 4095, 4096};
enum { NCOUNTS = sizeof row_counts / sizeof row_counts[0] };

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 11 ^ *state << 40;
}

static uint64_t largest_of(unsigned width)
{
    return width == 0 ? 0 : ~UINT64_C(0) >> (64 - width);
}

/* ---- the oracle ---- */

/* Where bit `bit` of number `row` stands in the data, counted in bits. */
static size_t place_of(unsigned width, uint32_t row, unsigned bit)
{
    unsigned lane_bits = 8;
    while (lane_bits < width)
        lane_bits *= 2;
    uint32_t nlanes = 512 / lane_bits, unit = row / 512, number = row % 512;
    uint32_t lane = number % nlanes, in_lane = number / nlanes * width + bit;
    uint32_t vector = in_lane / lane_bits;
    return (size_t)unit * width * 512 + vector * 512 + lane * lane_bits + in_lane % lane_bits;
}

static void slow_put(const uint64_t *deltas, uint32_t nrows, unsigned width, unsigned char *data)
{
    memset(data, 0, vc_packed_bytes(nrows, width));
    for (uint32_t row = 0; row < nrows; row++)
        for (unsigned bit = 0; bit < width; bit++) {
            size_t place = place_of(width, row, bit);
            data[place / 8] |= (unsigned char)((deltas[row] >> bit & 1) << place % 8);
        }
}

/* ---- cases: one process per width ---- */

struct packed_case {
    unsigned width;
};

static struct criterion_test_params all_widths(void)
{
    static struct packed_case cases[65];
    for (unsigned width = 0; width <= 64; width++)
        cases[width].width = width;
    return cr_make_param_array(struct packed_case, cases, 65);
}

static uint64_t deltas[MAX_ROWS];
static unsigned char data[MAX_ROWS * 8 + GUARD] __attribute__((aligned(64)));

/* Random numbers, with those at the ends of the range among them. */
static void make(unsigned width, uint32_t nrows, uint64_t seed)
{
    uint64_t largest = largest_of(width);
    for (uint32_t row = 0; row < nrows; row++) {
        uint64_t dice = next_random(&seed) % 16;
        deltas[row] = dice == 0   ? 0
                      : dice == 1 ? largest
                      : dice == 2 ? largest / 2
                                  : next_random(&seed) & largest;
    }
    memset(data, 0xAA, sizeof data);
    slow_put(deltas, nrows, width, data);
}

/* A copy of data that ends where a page ends that is followed by one that may not be touched. */
static unsigned char *copy_before_guard(size_t size)
{
    size_t room = (size + PAGE - 1) / PAGE * PAGE;
    unsigned char *pages =
        mmap(NULL, room + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)pages, MAP_FAILED);
    cr_assert_eq(mprotect(pages + room, PAGE, PROT_NONE), 0);
    memcpy(pages + room - size, data, size);
    return pages + room - size;
}

static void free_before_guard(unsigned char *copy, size_t size)
{
    size_t room = (size + PAGE - 1) / PAGE * PAGE;
    munmap(copy + size - room, room + PAGE);
}

/* The levels of this machine; says once per process which one cannot be tested here. */
static bool has_level(int level)
{
    static bool is_told[VC_CPU_LEVELS];
    if (level <= (int)vc_cpu_best_level()) return true;
    if (!is_told[level])
        fprintf(stderr, "packed: no %s on this machine, its kernels are not tested\n",
                vc_cpu_level_name((vc_cpu_level)level));
    is_told[level] = true;
    return false;
}

ParameterizedTestParameters(packed, put)
{
    return all_widths();
}

ParameterizedTest(struct packed_case *c, packed, put)
{
    static unsigned char packed[MAX_ROWS * 8 + GUARD] __attribute__((aligned(64)));
    for (int level = 0; level < VC_CPU_LEVELS; level++) {
        if (!has_level(level)) continue;
        cr_assert(vc_cpu_set_level((vc_cpu_level)level));
        for (int n = 0; n < NCOUNTS; n++) {
            uint32_t nrows = row_counts[n];
            size_t size = vc_packed_bytes(nrows, c->width);
            make(c->width, nrows, c->width * 100 + nrows);
            memset(packed, 0xAA, sizeof packed);
            vc_packed_put(deltas, nrows, c->width, packed);
            /* the guard behind the data as well */
            cr_assert_eq(memcmp(packed, data, size + GUARD), 0, "level %d, width %u, %u rows",
                         level, c->width, nrows);
            for (uint32_t row = 0; row < nrows; row++)
                cr_assert_eq(vc_packed_get(packed, c->width, row), deltas[row]);
        }
    }
}

ParameterizedTestParameters(packed, unpack)
{
    return all_widths();
}

ParameterizedTest(struct packed_case *c, packed, unpack)
{
    static uint64_t wide[MAX_ROWS + 8];
    static uint32_t narrow[MAX_ROWS + 8];
    for (int level = 0; level < VC_CPU_LEVELS; level++) {
        if (!has_level(level)) continue;
        const vc_packed_kernels *kernels = vc_packed_get_kernels((vc_cpu_level)level);
        for (int n = 0; n < NCOUNTS; n++) {
            uint32_t nrows = row_counts[n], end = (nrows + 511) / 512 * 512;
            make(c->width, nrows, c->width * 100 + nrows + 1);
            size_t size = vc_packed_bytes(nrows, c->width);
            unsigned char *from = copy_before_guard(size);
            memset(wide, 0x55, sizeof wide);
            memset(narrow, 0x55, sizeof narrow);
            kernels->unpack64(from, c->width, nrows, wide);
            if (c->width <= 32) kernels->unpack32(from, c->width, nrows, narrow);
            free_before_guard(from, size);
            for (uint32_t row = 0; row < end; row++) {
                uint64_t expected = row < nrows ? deltas[row] : 0;
                cr_assert_eq(wide[row], expected, "level %d, width %u, row %u of %u", level,
                             c->width, row, nrows);
                if (c->width <= 32)
                    cr_assert_eq(narrow[row], expected, "level %d, width %u, row %u of %u", level,
                                 c->width, row, nrows);
            }
            cr_assert_eq(wide[end], UINT64_C(0x5555555555555555), "wrote behind the end");
            cr_assert(c->width > 32 || narrow[end] == 0x55555555, "wrote behind the end");
        }
    }
}

/* ---- filter ---- */

struct range {
    uint64_t first, last;
};

static size_t make_ranges(unsigned width, struct range *ranges, uint64_t *state)
{
    uint64_t largest = largest_of(width), a = next_random(state) & largest,
             b = next_random(state) & largest, low = a < b ? a : b, high = a < b ? b : a;
    const struct range all[] = {
        {0, largest},      /* everything */
        {0, UINT64_MAX},   /* and more */
        {1, 0},            /* nothing */
        {high, low},       /* nothing, or one value */
        {UINT64_MAX, 0},   /* inverted as far as can be */
        {low, high},       /* some */
        {low, UINT64_MAX}, /* reaching beyond the width */
        {0, 0},            /* the values at the ends, alone */
        {largest, largest},
        {largest / 2, largest / 2},
        {largest / 2, largest},
        {0, largest / 2},
        {1, largest},
        {a, a},
        {largest + 1, UINT64_MAX}, /* beyond the width; all of them at width 64 */
        {largest + 1, largest + 9},
        {UINT64_MAX, UINT64_MAX},
    };
    memcpy(ranges, all, sizeof all);
    return sizeof all / sizeof all[0];
}

/* Full, random, empty units, one row only, nothing. */
static void make_mask(int kind, uint64_t *mask, uint64_t *state)
{
    for (unsigned word = 0; word < MAX_ROWS / 64; word++)
        mask[word] = kind == 0   ? ~UINT64_C(0)
                     : kind == 1 ? next_random(state)
                     : kind == 2 ? (word / 8 % 2 ? next_random(state) & next_random(state) : 0)
                     : kind == 3 ? (word == 5 ? 1 : 0)
                                 : 0;
}

static void check_filter(const unsigned char *from, int level, unsigned width, uint32_t nrows,
                         struct range range, int kind, uint64_t *state)
{
    uint64_t before[MAX_ROWS / 64], after[MAX_ROWS / 64 + 1], portable[MAX_ROWS / 64];
    uint32_t nwords = (nrows + 511) / 512 * 8;
    make_mask(kind, before, state);
    memcpy(after, before, sizeof before);
    memcpy(portable, before, sizeof before);
    after[nwords] = before[0];
    vc_packed_get_kernels((vc_cpu_level)level)
        ->filter(from, width, nrows, range.first, range.last, after);
    vc_packed_get_kernels(VC_CPU_PORTABLE)
        ->filter(from, width, nrows, range.first, range.last, portable);
    for (uint32_t row = 0; row < nrows; row++) {
        bool is_in = range.first <= deltas[row] && deltas[row] <= range.last;
        bool expected = is_in && (before[row / 64] >> row % 64 & 1);
        cr_assert_eq(after[row / 64] >> row % 64 & 1, expected,
                     "level %d, width %u, %u rows, range %llx to %llx, mask %d: row %u has %llx",
                     level, width, nrows, (unsigned long long)range.first,
                     (unsigned long long)range.last, kind, row, (unsigned long long)deltas[row]);
    }
    for (uint32_t row = nrows; row < nwords * 64; row++) /* what they had, or 0 */
        cr_assert_not((after[row / 64] & ~before[row / 64]) >> row % 64 & 1);
    cr_assert_eq(memcmp(after, portable, nwords * sizeof *after), 0, "unlike portable");
    cr_assert_eq(after[nwords], before[0], "wrote behind the end");
}

ParameterizedTestParameters(packed, filter)
{
    return all_widths();
}

ParameterizedTest(struct packed_case *c, packed, filter)
{
    uint64_t state = c->width + 7;
    struct range ranges[32];
    for (int level = 0; level < VC_CPU_LEVELS; level++) {
        if (!has_level(level)) continue;
        for (int n = 0; n < NCOUNTS; n++) {
            make(c->width, row_counts[n], c->width * 100 + row_counts[n] + 2);
            size_t size = vc_packed_bytes(row_counts[n], c->width);
            unsigned char *from = copy_before_guard(size);
            size_t nranges = make_ranges(c->width, ranges, &state);
            for (size_t i = 0; i < nranges; i++)
                for (int kind = 0; kind < 5; kind++)
                    check_filter(from, level, c->width, row_counts[n], ranges[i], kind, &state);
            free_before_guard(from, size);
        }
    }
}

/* The kernel must not read a unit that is out already: here it is not even there. */
Test(packed, filter_leaves_units_alone_that_are_out)
{
    for (int level = 0; level < VC_CPU_LEVELS; level++) {
        if (!has_level(level)) continue;
        uint64_t mask[16] = {0};
        make(8, 512, 3);
        mask[2] = 6;
        unsigned char *alone = copy_before_guard(512);
        vc_packed_get_kernels((vc_cpu_level)level)
            ->filter(alone, 8, 1024, deltas[129], deltas[129], mask);
        cr_assert_eq(mask[2] & 2, 2);
        cr_assert_eq(mask[2] & ~UINT64_C(6), 0);
        free_before_guard(alone, 512);
    }
}

/* ---- gather ---- */

static void check_gather(int level, unsigned width, const unsigned char *from, const uint16_t *rows,
                         size_t n)
{
    static uint64_t wide[MAX_ROWS + 32];
    static uint32_t narrow[MAX_ROWS + 32];
    const vc_packed_kernels *kernels = vc_packed_get_kernels((vc_cpu_level)level);
    size_t room = (n + 15) / 16 * 16;
    memset(wide, 0x55, sizeof wide);
    memset(narrow, 0x55, sizeof narrow);
    kernels->gather64(from, width, rows, n, wide);
    if (width <= 32) kernels->gather32(from, width, rows, n, narrow);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(wide[i], deltas[rows[i]], "level %d, width %u, row %u", level, width, rows[i]);
        if (width <= 32)
            cr_assert_eq(narrow[i], deltas[rows[i]], "level %d, width %u, row %u", level, width,
                         rows[i]);
    }
    cr_assert_eq(wide[room], UINT64_C(0x5555555555555555), "wrote behind the room");
    cr_assert_eq(narrow[room], 0x55555555, "wrote behind the room");
}

ParameterizedTestParameters(packed, gather)
{
    return all_widths();
}

ParameterizedTest(struct packed_case *c, packed, gather)
{
    uint64_t state = c->width + 70;
    for (int level = 0; level < VC_CPU_LEVELS; level++) {
        if (!has_level(level)) continue;
        for (int n = 1; n < NCOUNTS; n++) {
            uint32_t nrows = row_counts[n];
            size_t size = vc_packed_bytes(nrows, c->width);
            make(c->width, nrows, c->width * 100 + nrows + 3);
            unsigned char *from = copy_before_guard(size);
            static const size_t counts[] = {0, 1, 2, 15, 16, 17, 100, MAX_ROWS};
            for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
                uint16_t *rows = malloc(counts[i] * sizeof *rows + (counts[i] == 0));
                for (size_t k = 0; k < counts[i]; k++) /* in order, then in none */
                    rows[k] =
                        (uint16_t)(i % 2 ? k * nrows / counts[i] : next_random(&state) % nrows);
                if (counts[i] > 1) rows[counts[i] - 1] = (uint16_t)(nrows - 1);
                check_gather(level, c->width, from, rows, counts[i]);
                free(rows);
            }
            free_before_guard(from, size);
        }
    }
}

Test(packed, width_of_a_number)
{
    cr_assert_eq(vc_packed_width(0), 0);
    cr_assert_eq(vc_packed_width(1), 1);
    for (unsigned width = 1; width < 64; width++) {
        cr_assert_eq(vc_packed_width(largest_of(width)), width);
        cr_assert_eq(vc_packed_width(largest_of(width) + 1), width + 1);
    }
    cr_assert_eq(vc_packed_width(UINT64_MAX), 64);
    cr_assert_eq(vc_packed_bytes(513, 3), 2 * 3 * 64);
    cr_assert_eq(vc_packed_bytes(4096, 0), 0);
}
