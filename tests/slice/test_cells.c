/* Cells: dense and by hash, merged, with distinct ids, within their limit. */
#include "slice/cells.h"
#include "slice/plan.h"

#include "tests/slice/random.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

static const vc_accumulator_spec sum = {.aggregator = VC_AGG_SUM, .type = VC_VALUE_INT};

/* nids 0: unknown. */
static vc_cells *make_kept(uint64_t ncells, const vc_accumulator_spec *specs, size_t nspecs,
                           vc_keep keep, uint64_t nids, uint64_t max_slots)
{
    vc_cells *cells;
    vc_keep keeps[4];
    uint64_t all_nids[4];
    for (size_t i = 0; i < nspecs; i++) {
        keeps[i] = keep;
        all_nids[i] = nids;
    }
    vc_cells_form form = {.ncells = ncells,
                          .specs = specs,
                          .keeps = keeps,
                          .nids = nids == 0 ? NULL : all_nids,
                          .nspecs = nspecs,
                          .max_slots = max_slots};
    cr_assert_eq(vc_cells_new(&form, &cells, NULL), VC_OK);
    return cells;
}

static vc_cells *make(uint64_t ncells, const vc_accumulator_spec *specs, size_t nspecs,
                      uint64_t max_slots)
{
    return make_kept(ncells, specs, nspecs, VC_KEEP_WIDE, 0, max_slots);
}

/* The parts become one; they are freed. */
static vc_cells *merge(vc_pool *pool, vc_cells **parts, size_t nparts)
{
    vc_cells *merged;
    cr_assert_eq(vc_cells_merge(pool, NULL, parts, nparts, &merged, NULL), VC_OK);
    for (size_t i = 0; i < nparts; i++)
        vc_cells_free(parts[i]);
    return merged;
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
        parts[i] = make_kept(kind->ncells, &sum, 1, kind->keep, 0, 1000000);
    for (int i = 0; i < VALUES; i++) {
        unsigned key = random_below(&random, KEYS - 1); /* the last one stays empty */
        int64_t value = (int64_t)random_below(&random, 2000) - 1000;
        expected[key] += value;
        counts[key]++;
        add(parts[i % 3 == 0], key * kind->stride, value);
    }
    vc_cells *merged = merge(NULL, parts, 2);
    for (unsigned key = 0; key < KEYS; key++) {
        uint32_t slot = vc_cells_find(merged, key * kind->stride);
        cr_assert_eq(slot == VC_NONE, counts[key] == 0, "key %u", key);
        if (slot == VC_NONE) continue;
        cr_assert_eq(vc_cells_key(merged, slot), key * kind->stride);
        cr_assert_eq(vc_cells_rows(merged)[slot], counts[key]);
        vc_accumulator found = vc_cells_read(merged, 0, slot);
        if (kind->keep != VC_KEEP_ROWS) cr_assert_eq((int64_t)found.as.sum, expected[key]);
        cr_assert_eq(found.count, counts[key]);
    }
    vc_cells_free(merged);
}

/* Many keys: slots and indexes grow, and old slots stay where they are. Slots that no key has have
 * no facts. */
static void test_growing(uint64_t ncells, uint64_t stride)
{
    enum { KEYS = 100000 };
    static uint32_t slots[KEYS];
    vc_cells *cells = make(ncells, &sum, 1, KEYS);
    uint64_t nfacts = 0;
    for (uint64_t key = 0; key < KEYS; key++) {
        add(cells, key * stride, (int64_t)key);
        slots[key] = vc_cells_find(cells, key * stride);
    }
    for (uint64_t key = 0; key < KEYS; key++) {
        uint32_t slot = vc_cells_find(cells, key * stride);
        cr_assert_eq(slot, slots[key]);
        cr_assert_eq(vc_cells_key(cells, slot), key * stride);
        cr_assert_eq((int64_t)vc_cells_accumulators(cells, 0)[slot].as.sum, (int64_t)key);
    }
    for (uint32_t slot = 0; slot < vc_cells_count(cells); slot++)
        nfacts += vc_cells_facts(cells)[slot];
    cr_assert_eq(nfacts, KEYS);
    cr_assert_eq(vc_cells_find(cells, 1), VC_NONE);
    vc_cells_free(cells);
}

Test(cells, grow)
{
    test_growing(UINT64_C(1) << 32, 7919); /* the last keys of 32 bits */
    test_growing(UINT64_C(1) << 40, 7919); /* wide, also where the low 32 bits are equal: */
    test_growing(UINT64_C(1) << 60, UINT64_C(1) << 32);
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

/* A cell's doubles of all parts, in their order. */
static vc_accumulator add_up(vc_cells **parts, size_t nparts, uint64_t key)
{
    vc_accumulator total = {0};
    for (size_t i = 0; i < nparts; i++) {
        uint32_t slot = vc_cells_find(parts[i], key);
        if (slot == VC_NONE) continue;
        vc_accumulator part = vc_cells_read(parts[i], 0, slot);
        vc_sum_add(&total.as.f.sum, &total.as.f.correction, part.as.f.sum);
        total.as.f.correction += part.as.f.correction;
        total.count += part.count;
    }
    return total;
}

/* Merging is the same for any number of threads, and in the order of the parts: keys, slots, facts,
 * doubles to the last bit. */
Test(cells, merge_is_the_same_for_any_threads)
{
    enum { PARTS = 5, VALUES = 100000, KEYS = 20000 };
    static vc_accumulator expected[KEYS];
    static const vc_accumulator_spec spec = {.aggregator = VC_AGG_SUM, .type = VC_VALUE_FLOAT};
    static const uint64_t grids[] = {500, 100000, UINT64_C(1) << 31, UINT64_C(1) << 50};
    vc_pool *pool;
    cr_assert_eq(vc_pool_new(4, &pool, NULL), VC_OK);
    for (size_t grid = 0; grid < 4; grid++) {
        vc_cells *merged[2];
        for (int is_parallel = 0; is_parallel < 2; is_parallel++) {
            struct random random = {grid};
            vc_cells *parts[PARTS];
            for (int i = 0; i < PARTS; i++)
                parts[i] = make(grids[grid], &spec, 1, 1000000);
            for (int i = 0; i < VALUES; i++) {
                vc_cells *part = parts[random_below(&random, PARTS)];
                uint64_t key = random_below(&random, KEYS) * UINT64_C(1000003) % grids[grid];
                uint32_t slot = slot_of(part, key);
                vc_accumulator *accumulator = &vc_cells_accumulators(part, 0)[slot];
                vc_cells_rows(part)[slot]++;
                accumulator->count++;
                vc_sum_add(&accumulator->as.f.sum, &accumulator->as.f.correction,
                           1.0 / (1 + random_below(&random, 1000000)));
            }
            for (uint64_t key = 0; key < KEYS; key++)
                expected[key] = add_up(parts, PARTS, key * UINT64_C(1000003) % grids[grid]);
            merged[is_parallel] = merge(is_parallel ? pool : NULL, parts, PARTS);
        }
        cr_assert_eq(vc_cells_count(merged[0]), vc_cells_count(merged[1]));
        for (uint32_t slot = 0; slot < vc_cells_count(merged[0]); slot++) {
            vc_accumulator a = vc_cells_read(merged[0], 0, slot);
            vc_accumulator b = vc_cells_read(merged[1], 0, slot);
            cr_assert_eq(vc_cells_facts(merged[0])[slot], vc_cells_facts(merged[1])[slot]);
            cr_assert_eq(vc_cells_key(merged[0], slot), vc_cells_key(merged[1], slot));
            cr_assert_eq(a.count, b.count);
            cr_assert_eq(memcmp(&a.as.f, &b.as.f, sizeof a.as.f), 0);
        }
        for (uint64_t key = 0; key < KEYS; key++) {
            uint32_t slot = vc_cells_find(merged[0], key * UINT64_C(1000003) % grids[grid]);
            cr_assert_eq(slot == VC_NONE, expected[key].count == 0);
            if (slot == VC_NONE) continue;
            vc_accumulator found = vc_cells_read(merged[0], 0, slot);
            cr_assert_eq(memcmp(&found.as.f, &expected[key].as.f, sizeof found.as.f), 0);
        }
        vc_cells_free(merged[0]);
        vc_cells_free(merged[1]);
    }
    vc_pool_free(pool);
}

/* Each part is within the limit, all together are not. */
Test(cells, limit_of_all_parts)
{
    vc_error error = {0};
    vc_cells *parts[2], *merged;
    for (uint64_t i = 0; i < 2; i++) {
        parts[i] = make(UINT64_C(1) << 40, &sum, 1, 3);
        for (uint64_t key = 0; key < 2; key++)
            add(parts[i], key + 2 * i, 1);
    }
    cr_assert_eq(vc_cells_merge(NULL, NULL, parts, 2, &merged, &error), VC_LIMIT);
    cr_assert_str_eq(error.code, "limit_cells");
    vc_cells_free(parts[0]);
    vc_cells_free(parts[1]);
}

static bool is_cancelled(void *context)
{
    return --*(int *)context == 0; /* once: who asks again is told that it goes on */
}

/* Whichever partition finds that nobody wants the cells, there are none, and the error says why. */
Test(cells, cancelled_while_they_are_merged)
{
    for (int at = 1; at <= 2 * VC_NPARTITIONS; at += 31) {
        vc_error error = {0};
        vc_cells *parts[2], *merged = NULL;
        int left = at;
        vc_engine_options options = {.is_cancelled = is_cancelled, .context = &left};
        vc_plan plan = {.options = &options, .deadline_ns = UINT64_MAX};
        for (uint64_t i = 0; i < 2; i++) {
            parts[i] = make(UINT64_C(1) << 40, &sum, 1, 1 << 20);
            for (uint64_t key = 0; key < 6000; key++)
                add(parts[i], key * 2 + i, 1);
        }
        cr_assert_eq(vc_cells_merge(NULL, &plan, parts, 2, &merged, &error), VC_CANCELLED);
        cr_assert_str_eq(error.code, "cancelled");
        vc_cells_free(parts[0]);
        vc_cells_free(parts[1]);
    }
}

struct distinct_kind {
    uint64_t ncells;
    uint64_t nids;         /* 0: unknown, so there are pairs */
    uint64_t bitmap_bytes; /* limit of a bitmap */
    size_t nparts;
};

ParameterizedTestParameters(cells, distinct)
{
    static struct distinct_kind kinds[] = {
        {50, 0, 1 << 20, 3},
        {50, 300, 1 << 20, 3},                /* bitmaps, dense */
        {50, 300, 50 * 40, 3},                /* the last that fit, */
        {50, 300, 50 * 40 - 1, 3},            /* and the first that do not */
        {UINT64_C(1) << 50, 0, 1 << 20, 3},   /* by key */
        {UINT64_C(1) << 50, 300, 1 << 20, 3}, /* too many ids for a bitmap by key */
        {UINT64_C(1) << 50, 256, 1 << 20, 3}, /* bitmaps by key */
        {UINT64_C(1) << 30, 256, 0, 3},
        {50, 300, 1 << 20, 1}, /* one part */
        {UINT64_C(1) << 50, 256, 1 << 20, 1},
        {UINT64_C(1) << 50, 0, 1 << 20, 1},
    };
    return cr_make_param_array(struct distinct_kind, kinds, sizeof kinds / sizeof kinds[0]);
}

/* A set per cell: an id counts once, in the union of parts, too; whatever keeps them. */
ParameterizedTest(struct distinct_kind *kind, cells, distinct)
{
    enum { CELLS = 50, IDS = 256 };
    static const vc_accumulator_spec spec = {.aggregator = VC_AGG_COUNT_DISTINCT};
    static bool seen[CELLS][IDS];
    struct random random = {7};
    vc_cells *parts[3];
    vc_cells_set_limits(2 << 20, kind->bitmap_bytes);
    for (size_t i = 0; i < kind->nparts; i++)
        parts[i] = make_kept(kind->ncells, &spec, 1, VC_KEEP_WIDE, kind->nids, 1000);
    for (int i = 0; i < 30000; i++) {
        unsigned cell = random_below(&random, CELLS);
        vc_cells *part = parts[random_below(&random, (unsigned)kind->nparts)];
        uint32_t id = random_below(&random, cell * 5 + 1), slot = slot_of(part, cell);
        vc_cells_rows(part)[slot]++;
        cr_assert_eq(vc_cells_add_ids(part, 0, &slot, &id, 1, NULL), VC_OK);
        seen[cell][id] = true;
    }
    vc_cells *merged = merge(NULL, parts, kind->nparts);
    for (unsigned cell = 0; cell < CELLS; cell++) {
        unsigned expected = 0;
        for (unsigned id = 0; id < IDS; id++)
            expected += seen[cell][id];
        uint32_t slot = vc_cells_find(merged, cell);
        cr_assert_eq(vc_cells_read(merged, 0, slot).count, expected);
    }
    vc_cells_free(merged);
}

/* The largest id and slot together are not taken for a free place. */
Test(cells, distinct_ids_of_all_sizes)
{
    static const vc_accumulator_spec spec = {.aggregator = VC_AGG_COUNT_DISTINCT};
    vc_cells *cells = make(2, &spec, 1, 10);
    const uint32_t ids[] = {0, 1, UINT32_MAX - 1, UINT32_MAX, 0, UINT32_MAX};
    for (uint32_t slot = 0; slot < 2; slot++) {
        const uint32_t slots[] = {slot, slot, slot, slot, slot, slot};
        cr_assert_eq(vc_cells_add_ids(cells, 0, slots, ids, 6, NULL), VC_OK);
        vc_cells_rows(cells)[slot] = 6;
    }
    cells = merge(NULL, &cells, 1);
    for (uint32_t slot = 0; slot < 2; slot++)
        cr_assert_eq(vc_cells_read(cells, 0, slot).count, 4);
    vc_cells_free(cells);
}

/* An id that the zones did not promise would be written behind a bitmap. */
Test(cells, an_id_out_of_range)
{
    static const vc_accumulator_spec spec = {.aggregator = VC_AGG_COUNT_DISTINCT};
    vc_cells *cells = make_kept(1, &spec, 1, VC_KEEP_WIDE, 64, 10);
    const uint32_t slots[] = {0, 0}, ids[] = {63, 64};
    vc_error error = {0};
    cr_assert_eq(vc_cells_add_ids(cells, 0, slots, ids, 1, &error), VC_OK);
    cr_assert_eq(vc_cells_add_ids(cells, 0, slots, ids, 2, &error), VC_CORRUPT);
    cr_assert_str_eq(error.code, "storage_damaged");
    vc_cells_free(cells);
}

/* Minimum and maximum of parts of which some have no value: 0 is not one. */
Test(cells, merge_extremes)
{
    static const vc_accumulator_spec specs[] = {{.aggregator = VC_AGG_MIN, .type = VC_VALUE_INT},
                                                {.aggregator = VC_AGG_MAX, .type = VC_VALUE_FLOAT}};
    vc_cells *parts[] = {make(2, specs, 2, 10), make(2, specs, 2, 10)};
    for (uint32_t slot = 0; slot < 2; slot++) {
        vc_cells *which = parts[slot]; /* only one side has values */
        vc_cells_rows(parts[0])[slot] = vc_cells_rows(parts[1])[slot] = 1;
        vc_cells_accumulators(which, 0)[slot] = (vc_accumulator){.as.extreme = 5, .count = 1};
        vc_cells_accumulators(which, 1)[slot] = (vc_accumulator){.as.fextreme = -5, .count = 1};
    }
    vc_cells *into = merge(NULL, parts, 2);
    for (uint32_t slot = 0; slot < 2; slot++) {
        cr_assert_eq(vc_cells_accumulators(into, 0)[slot].as.extreme, 5);
        cr_assert_eq(vc_cells_accumulators(into, 1)[slot].as.fextreme, -5.0);
        cr_assert_eq(vc_cells_accumulators(into, 0)[slot].count, 1);
    }
    vc_cells_free(into);
}

/* Exact for dense cells; by key, not less than what 100,000 facts in as many cells allocate. */
Test(cells, estimate)
{
    const vc_keep keep = VC_KEEP_SUM64;
    vc_cells_form form = {
        .ncells = 1000, .specs = &sum, .keeps = &keep, .nspecs = 1, .max_slots = 1000000};
    cr_assert_eq(vc_cells_estimate(&form, 5000, 1), 1000 * 16);
    cr_assert_eq(vc_cells_estimate(&form, 5000, 3), 3000 * 16);
    form.ncells = UINT64_MAX;
    uint64_t few = vc_cells_estimate(&form, 100000, 1), more = vc_cells_estimate(&form, 200000, 1);
    cr_assert_geq(few, 100000 * (16 + 8 + 16));
    cr_assert_gt(more, few);
    cr_assert_gt(vc_cells_estimate(&form, 100000, 2), few, "the merged ones are another object");
    cr_assert_leq(vc_cells_estimate(&form, UINT64_MAX, 2), UINT64_C(4000000) * 100);
    form.max_slots = UINT64_MAX;
    cr_assert_eq(vc_cells_estimate(&form, UINT64_MAX, 2), UINT64_MAX, "no wrapping");
}
