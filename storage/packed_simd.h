/* The kernels of the SIMD levels, written once. The file that includes this defines TARGET, the
 * attribute of its level, and on a `row`, the 64 bytes that one word of every lane takes,
 *
 *     row_load, row_store, row_and, row_fill       row_fill(T, x): x in each lane of T bits
 *     row_shift_right, row_shift_left              of lanes of T bits, by less than T
 *     row_select(mask, a, b)                       bits of a where the mask has them, else of b
 *     row_in_range(T, r, first, span)              bit i: lane i - first <= span, unsigned
 *     row_widen32, row_widen64                     store all lanes of T bits as 32 or 64
 *
 * T, the size of a lane, is a constant wherever these are inlined, and so are most widths. */
#define KERNEL    TARGET static
#define OPERATION TARGET INLINE

/* With the width a constant and the loops over a unit unrolled, which shift a row needs and whether
 * it goes on in the next vector is decided by the compiler: twice as fast up to 32 bits, for 50 KB
 * of code per kernel. Wider numbers are rare, and gain nothing. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif

#define CASE_1(T, w, function, ...)                                                                \
    case w:                                                                                        \
        function(T, w, __VA_ARGS__);                                                               \
        break;
#define CASE_2(T, w, ...) CASE_1(T, w, __VA_ARGS__) CASE_1(T, w + 1, __VA_ARGS__)
#define CASE_4(T, w, ...) CASE_2(T, w, __VA_ARGS__) CASE_2(T, w + 2, __VA_ARGS__)
#define CASE_8(T, w, ...) CASE_4(T, w, __VA_ARGS__) CASE_4(T, w + 4, __VA_ARGS__)

#define CALL(T, w, function, ...) function(T, w, __VA_ARGS__)

/* Call `function` with lane size and width, constants up to a width of 32. */
#define WITH_WIDTH(width, ...)                                                                     \
    switch (width) {                                                                               \
        CASE_8(8, 1, __VA_ARGS__)                                                                  \
        CASE_8(16, 9, __VA_ARGS__)                                                                 \
        CASE_8(32, 17, __VA_ARGS__)                                                                \
        CASE_8(32, 25, __VA_ARGS__)                                                                \
    default: CALL(64, width, __VA_ARGS__);                                                         \
    }

/* Row `number` of a unit: 512 / T consecutive numbers. */
OPERATION row take(unsigned T, const unsigned char *unit, unsigned width, unsigned number)
{
    unsigned bit = number * width, shift = bit % T;
    const unsigned char *at = unit + bit / T * 64;
    row mask = row_fill(T, packed_largest(width));
    row low = row_shift_right(T, row_load(at), shift);
    if (shift + width <= T) return row_and(low, mask);
    row high = row_shift_left(T, row_load(at + 64), T - shift);
    row is_low = row_fill(T, packed_largest(T - shift));
    return row_and(row_select(is_low, low, high), mask);
}

/* ---- unpack ---- */

OPERATION void unpack32_lanes(unsigned T, unsigned width, const void *data, uint32_t nunits,
                              uint32_t *deltas)
{
    const unsigned char *unit = data;
    for (uint32_t i = 0; i < nunits; i++, unit += width * 64, deltas += VC_UNIT_ROWS)
        UNROLL
    for (unsigned number = 0; number < T; number++)
        row_widen32(T, take(T, unit, width, number), deltas + number * (512 / T));
}

KERNEL void unpack32(const void *data, unsigned width, uint32_t nrows, uint32_t *deltas)
{
    uint32_t nunits = packed_units(nrows);
    if (width == 0)
        memset(deltas, 0, (size_t)nunits * VC_UNIT_ROWS * sizeof *deltas);
    else
        WITH_WIDTH(width, unpack32_lanes, data, nunits, deltas);
}

OPERATION void unpack64_lanes(unsigned T, const void *data, unsigned width, uint32_t nunits,
                              uint64_t *deltas)
{
    const unsigned char *unit = data;
    for (uint32_t i = 0; i < nunits; i++, unit += width * 64)
        for (unsigned number = 0; number < T; number++, deltas += 512 / T)
            row_widen64(T, take(T, unit, width, number), deltas);
}

KERNEL void unpack64(const void *data, unsigned width, uint32_t nrows, uint64_t *deltas)
{
    uint32_t nunits = packed_units(nrows);
    if (width == 0)
        memset(deltas, 0, (size_t)nunits * VC_UNIT_ROWS * sizeof *deltas);
    else
        WITH_LANE_BITS(width, unpack64_lanes, data, width, nunits, deltas);
}

/* ---- filter ---- */

OPERATION void filter_lanes(unsigned T, unsigned width, const void *data, uint32_t nunits,
                            uint64_t first, uint64_t last, uint64_t *mask)
{
    const unsigned char *unit = data;
    const unsigned nlanes = 512 / T, per_word = 64 / nlanes;
    const row from = row_fill(T, first), span = row_fill(T, last - first);
    for (uint32_t i = 0; i < nunits; i++, unit += width * 64, mask += VC_UNIT_ROWS / 64) {
        if (packed_unit_is_out(mask)) continue;
        UNROLL
        for (unsigned word = 0; word < VC_UNIT_ROWS / 64; word++) {
            uint64_t bits = 0;
            UNROLL
            for (unsigned part = 0; part < per_word; part++) {
                row numbers = take(T, unit, width, word * per_word + part);
                bits |= row_in_range(T, numbers, from, span) << part * nlanes;
            }
            mask[word] &= bits;
        }
    }
}

KERNEL void filter(const void *data, unsigned width, uint32_t nrows, uint64_t first, uint64_t last,
                   uint64_t *mask)
{
    uint32_t nunits = packed_units(nrows);
    if (packed_filter_is_plain(width, nunits, first, &last, mask)) return;
    WITH_WIDTH(width, filter_lanes, data, nunits, first, last, mask);
}

/* ---- pack ---- */

TARGET static void put_unit(const uint64_t *deltas, unsigned width, void *data)
{
    packed_put_unit(deltas, width, data);
}
