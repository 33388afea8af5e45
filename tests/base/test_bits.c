#include "base/bits.h"

#include <criterion/criterion.h>

/* Every range of a small set, with one bit missing at every place, or none. */
Test(bits, all)
{
    enum { NBITS = 200 };
    for (size_t first = 0; first <= NBITS; first += 7)
        for (size_t end = first; end <= NBITS; end += 5) {
            uint64_t bits[NBITS / 64 + 1] = {0};
            vc_bits_set_range(bits, first, end);
            cr_assert(vc_bits_all(bits, first, end), "[%zu, %zu)", first, end);
            cr_assert_eq(vc_bits_count(bits, NBITS), end - first);
            if (first > 0 && end > first) cr_assert_not(vc_bits_all(bits, first - 1, end));
            if (end > first) cr_assert_not(vc_bits_all(bits, first, end + 1));
            for (size_t gap = first; gap < end; gap++) {
                vc_bit_clear(bits, gap);
                cr_assert_not(vc_bits_all(bits, first, end), "[%zu, %zu) without %zu", first, end,
                              gap);
                vc_bit_set(bits, gap);
            }
        }
}

/* A range alone, with a bit behind the set that does not count. */
Test(bits, first_and_end)
{
    enum { NBITS = 260 };
    for (size_t nbits = 0; nbits <= NBITS; nbits++)
        for (size_t first = 0; first <= nbits; first += 3)
            for (size_t end = first; end <= nbits; end += 61) {
                uint64_t bits[NBITS / 64 + 2] = {0};
                vc_bits_set_range(bits, first, end);
                vc_bit_set(bits, nbits);
                cr_assert_eq(vc_bits_first(bits, nbits), first < end ? first : nbits);
                cr_assert_eq(vc_bits_end(bits, nbits), first < end ? end : 0);
            }
}
