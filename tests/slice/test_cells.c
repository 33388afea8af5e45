/* Cells: dense and by hash, merged, with distinct ids, within their limit. */
#include "slice/plan.h"

#include "tests/slice/random.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

static const vc_accumulator_spec sum = {.aggregator = VC_AGG_SUM, .type = VC_VALUE_INT};

static vc_cells *make_kept(uint64_t ncells, const vc_accumulator_spec *specs, size_t nspecs,
                           vc_keep keep, uint64_t max_slots)
{
    vc_cells *cells;
    vc_keep keeps[4];
    for (size_t i = 0; i < nspecs; i++)
        keeps[i] = keep;
    cr_assert_eq(vc_cells_new(ncells, specs, keeps, nspecs, max_slots, &cells, NULL), VC_OK);
    return cells;
}

static vc_cells *make(uint64_t ncells, const vc_accumulator_spec *specs, size_t nspecs,
                      uint64_t max_slots)
{
    return make_kept(ncells, specs, nspecs, VC_KEEP_WIDE, max_slots);
}

static uint32_t slot_of(vc_cells *cells, uint64_t key)
{
    uint32_t slot;
    cr_assert_eq(vc_cells_slots(cells, &key, 1, &slot, NULL), VC_OK);
    return slot;
}

static void add(vc_cells *cells, uint64_t key, int64_t value)
{
    uint32_t slot = slot_of(cells, key);
    vc_cells_rows(cells)[slot]++;
    if (vc_cells_keeps(cells)[0] == VC_KEEP_ROWS) return;
    if (vc_cells_keeps(cells)[0] == VC_KEEP_SUM64) {
        vc_cells_sums(cells, 0)[slot] += value;
        return;
    }
    vc_cells_accumulators(cells, 0)[slot].as.sum += value;
    vc_cells_accumulators(cells, 0)[slot].count++;
}

struct kind {
    uint64_t ncells;
    uint64_t stride; /* between the keys that are used */
    vc_keep keep;
};

ParameterizedTestParameters(cells, like_an_array)
{
    static struct kind kinds[] = {
        {100, 1, VC_KEEP_WIDE}, /* dense */
        {100, 1, VC_KEEP_SUM64},
        {100, 1, VC_KEEP_ROWS},
        {(2 << 20) / 40, 500, VC_KEEP_WIDE},     /* the last dense size */
        {(2 << 20) / 40 + 1, 500, VC_KEEP_WIDE}, /* the first by hash */
        {(2 << 20) / 16, 1300, VC_KEEP_SUM64},
        {(2 << 20) / 16 + 1, 1300, VC_KEEP_SUM64},
        {UINT64_C(1) << 60, 1, VC_KEEP_ROWS},       /* neighbours */
        {UINT64_C(1) << 60, 1 << 20, VC_KEEP_WIDE}, /* equal low bits: a plain mask would put them
                                                       together */
        {UINT64_C(1) << 60, 4096 * 4095, VC_KEEP_SUM64}, /* near multiples of the table's size */
    };
    return cr_make_param_array(struct kind, kinds, sizeof kinds / sizeof kinds[0]);
}

/* Sums per key are those of a plain array; two halves merged are the same as one. */
ParameterizedTest(struct kind *kind, cells, like_an_array)
{
    enum { KEYS = 100, VALUES = 20000 };
    struct random random = {42};
    int64_t expected[KEYS] = {0};
    uint64_t counts[KEYS] = {0};
    vc_cells *parts[2];
    for (int i = 0; i < 2; i++)
        parts[i] = make_kept(kind->ncells, &sum, 1, kind->keep, 1000000);
    for (int i = 0; i < VALUES; i++) {
        unsigned key = random_below(&random, KEYS - 1); /* the last one stays empty */
        int64_t value = (int64_t)random_below(&random, 2000) - 1000;
        expected[key] += value;
        counts[key]++;
        add(parts[i % 3 == 0], key * kind->stride, value);
    }
    cr_assert_eq(vc_cells_merge(parts[0], parts[1], NULL), VC_OK);
    for (unsigned key = 0; key < KEYS; key++) {
        uint32_t slot = vc_cells_find(parts[0], key * kind->stride);
        cr_assert_eq(slot == VC_NONE, counts[key] == 0, "key %u", key);
        if (slot == VC_NONE) continue;
        cr_assert_eq(vc_cells_key(parts[0], slot), key * kind->stride);
        cr_assert_eq(vc_cells_rows(parts[0])[slot], counts[key]);
        vc_accumulator found = vc_cells_read(parts[0], 0, slot);
        if (kind->keep != VC_KEEP_ROWS) cr_assert_eq((int64_t)found.as.sum, expected[key]);
        cr_assert_eq(found.count, counts[key]);
    }
    vc_cells_free(parts[0]);
    vc_cells_free(parts[1]);
}

/* Many keys: slots and table grow, and old slots stay where they are. */
Test(cells, grow)
{
    enum { KEYS = 100000 };
    vc_cells *cells = make(UINT64_C(1) << 40, &sum, 1, KEYS);
    for (uint64_t key = 0; key < KEYS; key++)
        add(cells, key * 7919, (int64_t)key);
    for (uint64_t key = 0; key < KEYS; key++) {
        uint32_t slot = vc_cells_find(cells, key * 7919);
        cr_assert_eq(slot, key, "slots are given out in order of arrival");
        cr_assert_eq((int64_t)vc_cells_accumulators(cells, 0)[slot].as.sum, (int64_t)key);
    }
    cr_assert_eq(vc_cells_find(cells, 1), VC_NONE);
    vc_cells_free(cells);
}

Test(cells, limit)
{
    vc_error error = {0};
    vc_cells *cells = make(UINT64_C(1) << 40, &sum, 1, 3);
    const uint64_t keys[] = {9, 8, 9, 7, 6};
    uint32_t slots[5];
    cr_assert_eq(vc_cells_slots(cells, keys, 4, slots, &error), VC_OK);
    cr_assert_eq(slots[0], slots[2]);
    cr_assert_eq(vc_cells_slots(cells, keys, 5, slots, &error), VC_LIMIT);
    cr_assert_str_eq(error.code, "limit_cells");
    vc_cells_free(cells);
}

/* A set per cell: an id counts once, in the union of parts, too. */
Test(cells, distinct)
{
    enum { CELLS = 50, IDS = 300 };
    static const vc_accumulator_spec spec = {.aggregator = VC_AGG_COUNT_DISTINCT};
    static bool seen[CELLS][IDS];
    struct random random = {7};
    for (int kind = 0; kind < 2; kind++) {
        vc_cells *parts[3];
        memset(seen, 0, sizeof seen);
        for (int i = 0; i < 3; i++)
            parts[i] = make(kind == 0 ? CELLS : UINT64_C(1) << 50, &spec, 1, 1000);
        for (int i = 0; i < 30000; i++) {
            unsigned cell = random_below(&random, CELLS), part = random_below(&random, 3);
            uint32_t id = random_below(&random, cell * 6 + 1);
            uint32_t slot = slot_of(parts[part], cell);
            vc_cells_rows(parts[part])[slot]++;
            cr_assert(vc_cells_add_distinct(parts[part], 0, slot, id));
            seen[cell][id] = true;
        }
        for (int i = 1; i < 3; i++)
            cr_assert_eq(vc_cells_merge(parts[0], parts[i], NULL), VC_OK);
        for (unsigned cell = 0; cell < CELLS; cell++) {
            unsigned expected = 0;
            for (unsigned id = 0; id < IDS; id++)
                expected += seen[cell][id];
            uint32_t slot = vc_cells_find(parts[0], cell);
            cr_assert_eq(vc_cells_accumulators(parts[0], 0)[slot].count, expected);
        }
        for (int i = 0; i < 3; i++)
            vc_cells_free(parts[i]);
    }
}

/* The largest id and slot together are not taken for a free place. */
Test(cells, distinct_ids_of_all_sizes)
{
    static const vc_accumulator_spec spec = {.aggregator = VC_AGG_COUNT_DISTINCT};
    vc_cells *cells = make(2, &spec, 1, 10);
    const uint32_t ids[] = {0, 1, UINT32_MAX - 1, UINT32_MAX, 0, UINT32_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        for (uint32_t slot = 0; slot < 2; slot++)
            cr_assert(vc_cells_add_distinct(cells, 0, slot, ids[i]));
    for (uint32_t slot = 0; slot < 2; slot++)
        cr_assert_eq(vc_cells_accumulators(cells, 0)[slot].count, 4);
    vc_cells_free(cells);
}

/* Minimum and maximum of parts of which some have no value: 0 is not one. */
Test(cells, merge_extremes)
{
    static const vc_accumulator_spec specs[] = {{.aggregator = VC_AGG_MIN, .type = VC_VALUE_INT},
                                                {.aggregator = VC_AGG_MAX, .type = VC_VALUE_FLOAT}};
    vc_cells *into = make(2, specs, 2, 10), *from = make(2, specs, 2, 10);
    for (uint32_t slot = 0; slot < 2; slot++) {
        vc_cells *which = slot == 0 ? into : from; /* only one side has values */
        vc_cells_rows(into)[slot] = vc_cells_rows(from)[slot] = 1;
        vc_cells_accumulators(which, 0)[slot] = (vc_accumulator){.as.extreme = 5, .count = 1};
        vc_cells_accumulators(which, 1)[slot] = (vc_accumulator){.as.fextreme = -5, .count = 1};
    }
    cr_assert_eq(vc_cells_merge(into, from, NULL), VC_OK);
    for (uint32_t slot = 0; slot < 2; slot++) {
        cr_assert_eq(vc_cells_accumulators(into, 0)[slot].as.extreme, 5);
        cr_assert_eq(vc_cells_accumulators(into, 1)[slot].as.fextreme, -5.0);
        cr_assert_eq(vc_cells_accumulators(into, 0)[slot].count, 1);
    }
    vc_cells_free(into);
    vc_cells_free(from);
}
