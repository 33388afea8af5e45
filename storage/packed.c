/* The portable level, in loops over whole lanes that compilers turn into vector instructions, and
 * the choice among the levels. */
#include "storage/packed_levels.h"

/* Row `number` of a unit: L consecutive numbers, for lanes of T bits. */
#define DEFINE_TAKE(T)                                                                             \
    INLINE void take_##T(const void *unit, unsigned width, unsigned number,                        \
                         uint##T##_t *restrict numbers)                                            \
    {                                                                                              \
        enum { L = 512 / T };                                                                      \
        unsigned bit = number * width, shift = bit % T;                                            \
        const uint##T##_t *restrict low = (const uint##T##_t *)unit + bit / T * L;                 \
        const uint##T##_t mask = (uint##T##_t)packed_largest(width);                               \
        if (shift + width <= T) {                                                                  \
            for (unsigned lane = 0; lane < L; lane++)                                              \
                numbers[lane] = (uint##T##_t)(low[lane] >> shift & mask);                          \
        } else {                                                                                   \
            const uint##T##_t *restrict high = low + L;                                            \
            for (unsigned lane = 0; lane < L; lane++)                                              \
                numbers[lane] =                                                                    \
                    (uint##T##_t)((low[lane] >> shift | high[lane] << (T - shift)) & mask);        \
        }                                                                                          \
    }
DEFINE_TAKE(8)
DEFINE_TAKE(16)
DEFINE_TAKE(32)
DEFINE_TAKE(64)

/* ---- unpack ---- */

#define UNPACK(T, type)                                                                            \
    do {                                                                                           \
        enum { L = 512 / T };                                                                      \
        uint##T##_t numbers[L];                                                                    \
        for (unsigned row = 0; row < T; row++, deltas += L) {                                      \
            take_##T(unit, width, row, numbers);                                                   \
            for (unsigned lane = 0; lane < L; lane++)                                              \
                deltas[lane] = (type)numbers[lane];                                                \
        }                                                                                          \
    } while (0)

static void unpack32(const void *data, unsigned width, uint32_t nrows, uint32_t *restrict deltas)
{
    const unsigned char *unit = data;
    uint32_t nunits = packed_units(nrows);
    if (width == 0) memset(deltas, 0, (size_t)nunits * VC_UNIT_ROWS * sizeof *deltas);
    for (uint32_t i = 0; i < nunits && width > 0; i++, unit += width * 64) {
        if (width <= 8)
            UNPACK(8, uint32_t);
        else if (width <= 16)
            UNPACK(16, uint32_t);
        else
            UNPACK(32, uint32_t);
    }
}

static void unpack64(const void *data, unsigned width, uint32_t nrows, uint64_t *restrict deltas)
{
    const unsigned char *unit = data;
    uint32_t nunits = packed_units(nrows);
    if (width == 0) memset(deltas, 0, (size_t)nunits * VC_UNIT_ROWS * sizeof *deltas);
    for (uint32_t i = 0; i < nunits && width > 0; i++, unit += width * 64) {
        if (width <= 8)
            UNPACK(8, uint64_t);
        else if (width <= 16)
            UNPACK(16, uint64_t);
        else if (width <= 32)
            UNPACK(32, uint64_t);
        else
            UNPACK(64, uint64_t);
    }
}

/* ---- filter ---- */

/* Eight bytes of 0 or 1 to eight bits: the product adds each to a place of its own. */
INLINE uint64_t gather_bits(const uint8_t flags[64])
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t eight;
        memcpy(&eight, flags + i * 8, sizeof eight);
        bits |= (eight * UINT64_C(0x0102040810204080) >> 56) << i * 8;
    }
    return bits;
}

#define FILTER(T)                                                                                  \
    do {                                                                                           \
        enum { L = 512 / T };                                                                      \
        const uint##T##_t from = (uint##T##_t)first, span = (uint##T##_t)(last - first);           \
        uint##T##_t numbers[L];                                                                    \
        for (unsigned row = 0; row < T; row++) {                                                   \
            uint8_t *restrict to = flags + row * L % 64;                                           \
            take_##T(unit, width, row, numbers);                                                   \
            for (unsigned lane = 0; lane < L; lane++)                                              \
                to[lane] = (uint##T##_t)(numbers[lane] - from) <= span;                            \
            if ((row + 1) * L % 64 == 0) mask[row * L / 64] &= gather_bits(flags);                 \
        }                                                                                          \
    } while (0)

static void filter(const void *data, unsigned width, uint32_t nrows, uint64_t first, uint64_t last,
                   uint64_t *mask)
{
    const unsigned char *unit = data;
    uint32_t nunits = packed_units(nrows);
    uint8_t flags[64];
    if (packed_filter_is_plain(width, nunits, first, &last, mask)) return;
    for (uint32_t i = 0; i < nunits; i++, unit += width * 64, mask += VC_UNIT_ROWS / 64) {
        if (packed_unit_is_out(mask)) continue;
        if (width <= 8)
            FILTER(8);
        else if (width <= 16)
            FILTER(16);
        else if (width <= 32)
            FILTER(32);
        else
            FILTER(64);
    }
}

/* ---- gather ---- */

INLINE void gather_lanes32(unsigned lane_bits, const void *data, unsigned width,
                           const uint16_t *rows, size_t n, uint32_t *restrict deltas)
{
    for (size_t i = 0; i < n; i++)
        deltas[i] = (uint32_t)packed_get(data, lane_bits, width, rows[i]);
}

static void gather32(const void *data, unsigned width, const uint16_t *rows, size_t n,
                     uint32_t *deltas)
{
    if (width == 0)
        memset(deltas, 0, n * sizeof *deltas);
    else
        WITH_LANE_BITS(width, gather_lanes32, data, width, rows, n, deltas);
}

INLINE void gather_lanes64(unsigned lane_bits, const void *data, unsigned width,
                           const uint16_t *rows, size_t n, uint64_t *restrict deltas)
{
    for (size_t i = 0; i < n; i++)
        deltas[i] = packed_get(data, lane_bits, width, rows[i]);
}

static void gather64(const void *data, unsigned width, const uint16_t *rows, size_t n,
                     uint64_t *deltas)
{
    if (width == 0)
        memset(deltas, 0, n * sizeof *deltas);
    else
        WITH_LANE_BITS(width, gather_lanes64, data, width, rows, n, deltas);
}

uint64_t vc_packed_get(const void *data, unsigned width, uint32_t row)
{
    if (width == 0) return 0;
    return packed_get(data, width <= 8 ? 8 : width <= 16 ? 16 : width <= 32 ? 32 : 64, width, row);
}

/* ---- pack ---- */

void vc_packed_put_unit_portable(const uint64_t *deltas, unsigned width, void *data)
{
    packed_put_unit(deltas, width, data);
}

void vc_packed_put(const uint64_t *deltas, uint32_t nrows, unsigned width, void *data)
{
    void (*put_unit)(const uint64_t *, unsigned, void *) = vc_packed_put_unit_portable;
    unsigned char *unit = data;
    uint64_t rest[VC_UNIT_ROWS] = {0};
#if defined(__x86_64__)
    if (vc_cpu_get_level() >= VC_CPU_AVX512)
        put_unit = vc_packed_put_unit_avx512;
    else if (vc_cpu_get_level() >= VC_CPU_AVX2)
        put_unit = vc_packed_put_unit_avx2;
#endif
    if (width == 0) return;
    for (; nrows >= VC_UNIT_ROWS; nrows -= VC_UNIT_ROWS, deltas += VC_UNIT_ROWS, unit += width * 64)
        put_unit(deltas, width, unit);
    if (nrows == 0) return;
    memcpy(rest, deltas, nrows * sizeof *deltas);
    put_unit(rest, width, unit);
}

/* ---- levels ---- */

const vc_packed_kernels vc_packed_portable = {unpack32, unpack64, filter, gather32, gather64};

const vc_packed_kernels *vc_packed_get_kernels(vc_cpu_level level)
{
#if defined(__x86_64__)
    if (level >= VC_CPU_AVX512) return &vc_packed_avx512;
    if (level >= VC_CPU_AVX2) return &vc_packed_avx2;
#endif
    (void)level;
    return &vc_packed_portable;
}
