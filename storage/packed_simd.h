/* The kernels of the SIMD levels, written once. The file that includes this defines TARGET, the
 * attribute of its level, and on a `row`, the 64 bytes that one word of every lane takes,
 *
 *     row_load, row_store, row_and, row_fill       row_fill(T, x): x in each lane of T bits
 *     row_shift_right, row_shift_left              of lanes of T bits, by less than T
 *     row_select(mask, a, b)                       bits of a where the mask has them, else of b
 *     row_in_range(T, r, first, span)              bit i: lane i - first <= span, unsigned
 *     row_widen32, row_widen64                     store all lanes of T bits as 32 or 64
 *
 * T is always a constant, and so are most widths: for them the shifts are immediate and no branch
 * is left. */
#define KERNEL    TARGET static
#define OPERATION TARGET INLINE

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

OPERATION void unpack32_lanes(unsigned T, const void *data, unsigned width, uint32_t nunits,
                              uint32_t *deltas)
{
    const unsigned char *unit = data;
    for (uint32_t i = 0; i < nunits; i++, unit += width * 64)
        for (unsigned number = 0; number < T; number++, deltas += 512 / T)
            row_widen32(T, take(T, unit, width, number), deltas);
}

KERNEL void unpack32(const void *data, unsigned width, uint32_t nrows, uint32_t *deltas)
{
    uint32_t nunits = packed_units(nrows);
    if (width == 0)
        memset(deltas, 0, (size_t)nunits * VC_UNIT_ROWS * sizeof *deltas);
    else if (width <= 8)
        unpack32_lanes(8, data, width, nunits, deltas);
    else if (width <= 16)
        unpack32_lanes(16, data, width, nunits, deltas);
    else
        unpack32_lanes(32, data, width, nunits, deltas);
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

OPERATION void filter_lanes(unsigned T, const void *data, unsigned width, uint32_t nunits,
                            uint64_t first, uint64_t last, uint64_t *mask)
{
    const unsigned char *unit = data;
    const unsigned nlanes = 512 / T, per_word = 64 / nlanes;
    const row from = row_fill(T, first), span = row_fill(T, last - first);
    for (uint32_t i = 0; i < nunits; i++, unit += width * 64, mask += VC_UNIT_ROWS / 64) {
        if (packed_unit_is_out(mask)) continue;
        for (unsigned word = 0; word < VC_UNIT_ROWS / 64; word++) {
            uint64_t bits = 0;
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
    WITH_LANE_BITS(width, filter_lanes, data, width, nunits, first, last, mask);
}

/* ---- pack ---- */

TARGET static void put_unit(const uint64_t *deltas, unsigned width, void *data)
{
    packed_put_unit(deltas, width, data);
}
