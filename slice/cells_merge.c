/* Several cells objects into one. Every partition, or range of dense slots, is a job of its own and
 * adds up the parts in their order: which thread does it makes no difference to the bytes.
 *
 * Merging by key goes twice over the parts. First each partition gives the keys in it new numbers;
 * then, when it is known how many each has, they get their place in the arrays, partition after
 * partition, and what the parts have is added up there. The cells of a partition lie together in
 * the parts too, so a job works on a few hundred KB at a time even when there are millions of
 * cells.
 */
#include "slice/accumulator.h"
#include "slice/cells.h"

#include <stdlib.h>
#include <string.h>

enum { SERIAL_SLOTS = 8192 }; /* so few are merged sooner than a thread wakes up */

struct merging {
    vc_cells **parts;
    size_t nparts;
    vc_cells *into;
    uint32_t **numbers;                 /* [nparts][slots] within the partition */
    uint64_t *keys[VC_NPARTITIONS];     /* by number */
    vc_status statuses[VC_NPARTITIONS]; /* VC_OK, VC_NO_MEMORY or VC_CANCELLED */
    const vc_plan *plan;                /* asked for each partition; NULL: not */
};

static bool is_wanted(struct merging *merging, size_t partition)
{
    vc_status status = merging->plan == NULL ? VC_OK : vc_plan_check(merging->plan, NULL);
    if (status != VC_OK) merging->statuses[partition] = status;
    return status == VC_OK;
}

/* ---- one cell ---- */

static void add_spec(vc_cells *into, uint32_t slot, const vc_cells *from, uint32_t from_slot,
                     size_t spec)
{
    if (from->keeps[spec] == VC_KEEP_WIDE)
        vc_accumulator_merge(&from->specs[spec],
                             &((vc_accumulator *)into->accumulators[spec])[slot],
                             &((const vc_accumulator *)from->accumulators[spec])[from_slot]);
    else if (from->keeps[spec] == VC_KEEP_MOMENTS)
        vc_moments_merge(&from->specs[spec], &((vc_moments *)into->accumulators[spec])[slot],
                         &((const vc_moments *)from->accumulators[spec])[from_slot]);
    else if (from->keeps[spec] == VC_KEEP_SUM64)
        ((int64_t *)into->accumulators[spec])[slot] +=
            ((const int64_t *)from->accumulators[spec])[from_slot];
}

void vc_cells_add(vc_cells *into, uint32_t slot, const vc_cells *from, uint32_t from_slot)
{
    into->rows[slot] += from->rows[from_slot];
    for (size_t spec = 0; spec < from->nspecs; spec++)
        add_spec(into, slot, from, from_slot, spec);
}

/* One array after the other, so that each way of keeping is looked up once. */
void vc_cells_add_all(vc_cells *into, const uint32_t *slots, const vc_cells *from,
                      const uint32_t *from_slots, size_t n)
{
    for (size_t i = 0; i < n; i++)
        into->rows[slots[i]] += from->rows[from_slots[i]];
    for (size_t spec = 0; spec < from->nspecs; spec++) {
        if (from->keeps[spec] == VC_KEEP_SUM64) {
            int64_t *sums = into->accumulators[spec];
            const int64_t *added = from->accumulators[spec];
            for (size_t i = 0; i < n; i++)
                sums[slots[i]] += added[from_slots[i]];
            continue;
        }
        for (size_t i = 0; i < n; i++)
            add_spec(into, slots[i], from, from_slots[i], spec);
    }
}

/* What bitmaps have in common is counted when they are complete. */
static void add_bits(const vc_distinct *into, uint32_t slot, const vc_distinct *from,
                     uint32_t from_slot)
{
    uint64_t *bits = into->bits + slot * into->nwords;
    const uint64_t *others = from->bits + from_slot * from->nwords;
    for (size_t w = 0; w < into->nwords; w++)
        bits[w] |= others[w];
}

static void count_bits(vc_cells *cells, size_t spec, uint32_t first, uint32_t end)
{
    const vc_distinct *distinct = cells->distinct[spec];
    vc_accumulator *accumulators = cells->accumulators[spec];
    for (uint32_t slot = first; slot < end; slot++) {
        if (cells->rows[slot] == 0) continue;
        const uint64_t *bits = distinct->bits + slot * distinct->nwords;
        accumulators[slot].count = 0;
        for (size_t w = 0; w < distinct->nwords; w++)
            accumulators[slot].count += (uint64_t)__builtin_popcountll(bits[w]);
    }
}

static void count_all_bits(vc_cells *cells, uint32_t first, uint32_t end)
{
    for (size_t spec = 0; spec < cells->nspecs; spec++)
        if (cells->distinct[spec] != NULL && cells->distinct[spec]->nwords > 0)
            count_bits(cells, spec, first, end);
}

/* ---- sets of a partition ---- */

/* numbers: new slots, less first, by old ones; NULL: they stay. */
static vc_status add_set(const vc_plan *plan, vc_cells *into, const vc_cells *from, size_t spec,
                         size_t partition, const uint32_t *numbers, uint32_t first)
{
    const vc_id_set *set = &from->distinct[spec]->sets[partition];
    vc_id_set *united = &into->distinct[spec]->sets[partition];
    vc_accumulator *accumulators = into->accumulators[spec];
    for (size_t i = 0; i < set->capacity; i++) {
        bool is_new;
        vc_status status = plan == NULL ? VC_OK : vc_plan_look(plan, i, NULL);
        if (status != VC_OK) return status;
        if (set->items[i] == 0) continue;
        uint64_t item = set->items[i] - 1;
        uint32_t slot = (uint32_t)(item >> 32);
        if (numbers != NULL) slot = first + numbers[slot];
        status = vc_id_set_add(plan, united, slot, (uint32_t)item, &is_new, NULL);
        if (status != VC_OK) return status;
        accumulators[slot].count += is_new;
    }
    return VC_OK;
}

static void add_set_of(struct merging *merging, const vc_cells *from, size_t spec, size_t partition,
                       const uint32_t *numbers, uint32_t first)
{
    vc_status *status = &merging->statuses[partition];
    if (*status == VC_OK)
        *status = add_set(merging->plan, merging->into, from, spec, partition, numbers, first);
}

/* ---- dense ---- */

static uint32_t dense_first(const vc_cells *cells, size_t partition)
{
    uint64_t first = (uint64_t)partition << cells->dense_shift;
    return (uint32_t)(first < cells->count ? first : cells->count);
}

static void merge_dense_part(vc_cells *into, const vc_cells *from, uint32_t first, uint32_t end)
{
    for (uint32_t slot = first; slot < end; slot++)
        into->rows[slot] += from->rows[slot];
    for (size_t spec = 0; spec < from->nspecs; spec++) {
        const vc_distinct *distinct = from->distinct[spec];
        if (distinct == NULL) {
            for (uint32_t slot = first; slot < end; slot++)
                if (from->rows[slot] > 0) add_spec(into, slot, from, slot, spec);
        } else if (distinct->nwords > 0) {
            for (uint32_t slot = first; slot < end; slot++)
                if (from->rows[slot] > 0) add_bits(into->distinct[spec], slot, distinct, slot);
        }
    }
}

static void merge_dense(void *context, size_t partition)
{
    struct merging *merging = context;
    vc_cells *into = merging->into;
    uint32_t first = dense_first(into, partition), end = dense_first(into, partition + 1);
    if (!is_wanted(merging, partition)) return;
    for (size_t i = 1; i < merging->nparts; i++) {
        const vc_cells *from = merging->parts[i];
        merge_dense_part(into, from, first, end);
        for (size_t spec = 0; spec < from->nspecs; spec++)
            if (from->distinct[spec] != NULL && from->distinct[spec]->nwords == 0)
                add_set_of(merging, from, spec, partition, NULL, 0);
    }
    count_all_bits(into, first, end);
}

/* ---- by key ---- */

/* The slots that a partition was given, chunk by chunk. */
struct walk {
    const vc_cells *cells;
    const vc_partition *partition;
    uint32_t chunk;
};

static bool next_slots(struct walk *walk, uint32_t *first_out, uint32_t *end_out)
{
    if (walk->chunk == VC_NONE) return false;
    *first_out = walk->chunk * VC_CELL_CHUNK;
    *end_out = walk->chunk == walk->partition->last_chunk ? walk->partition->next_slot
                                                          : *first_out + VC_CELL_CHUNK;
    walk->chunk = walk->cells->next_chunks[walk->chunk];
    return true;
}

static struct walk walk_over(const vc_cells *cells, size_t partition)
{
    const vc_partition *walked = &cells->partitions[partition];
    return (struct walk){cells, walked, walked->first_chunk};
}

static bool grow_numbering(struct merging *merging, size_t partition)
{
    vc_cell_index *index = &merging->into->indexes[partition];
    size_t size = index->size * 2;
    uint64_t *keys = realloc(merging->keys[partition], size / 2 * sizeof *keys);
    if (keys == NULL) return false;
    merging->keys[partition] = keys;
    return vc_cell_index_grow(NULL, index, merging->into->is_wide, size, NULL) == VC_OK;
}

static bool number_slots(struct merging *merging, size_t partition, const vc_cells *from,
                         uint32_t *numbers)
{
    vc_cells *into = merging->into;
    vc_cell_index *index = &into->indexes[partition];
    size_t *count = &into->partitions[partition].count;
    struct walk walk = walk_over(from, partition);
    uint32_t first, end;
    while (next_slots(&walk, &first, &end))
        for (uint32_t slot = first; slot < end; slot++) {
            uint64_t key = from->keys[slot], hash = vc_cell_hash(key);
            size_t at = vc_cell_probe(index, merging->keys[partition], into->is_wide, key, hash);
            if (index->entries[at] != 0) {
                numbers[slot] = (uint32_t)index->entries[at] - 1;
                continue;
            }
            numbers[slot] = (uint32_t)*count;
            merging->keys[partition][*count] = key;
            index->entries[at] = vc_cell_entry(into->is_wide, key, hash, (uint32_t)*count);
            if (++*count * 2 == index->size && !grow_numbering(merging, partition)) return false;
        }
    return true;
}

static void number_partition(void *context, size_t partition)
{
    struct merging *merging = context;
    size_t size = 1, most = 0;
    if (!is_wanted(merging, partition)) return;
    for (size_t i = 0; i < merging->nparts; i++)
        if (merging->parts[i]->partitions[partition].count > most)
            most = merging->parts[i]->partitions[partition].count;
    while (size < most * 2 + 2)
        size *= 2;
    merging->keys[partition] = malloc(size / 2 * sizeof(uint64_t));
    bool is_done = merging->keys[partition] != NULL &&
                   vc_cell_index_grow(NULL, &merging->into->indexes[partition],
                                      merging->into->is_wide, size, NULL) == VC_OK;
    for (size_t i = 0; i < merging->nparts && is_done; i++)
        is_done = number_slots(merging, partition, merging->parts[i], merging->numbers[i]);
    if (!is_done) merging->statuses[partition] = VC_NO_MEMORY;
}

/* One array of the part after the other, so that few are in the cache at a time. */
static void add_slots(vc_cells *into, const vc_cells *from, size_t partition, uint32_t target,
                      const uint32_t *numbers)
{
    uint32_t first, end;
    struct walk walk = walk_over(from, partition);
    while (next_slots(&walk, &first, &end))
        for (uint32_t slot = first; slot < end; slot++)
            into->rows[target + numbers[slot]] += from->rows[slot];
    for (size_t spec = 0; spec < from->nspecs; spec++) {
        const vc_distinct *distinct = from->distinct[spec];
        if (distinct != NULL && distinct->nwords == 0) continue;
        walk = walk_over(from, partition);
        while (next_slots(&walk, &first, &end))
            for (uint32_t slot = first; slot < end; slot++)
                if (distinct == NULL)
                    add_spec(into, target + numbers[slot], from, slot, spec);
                else
                    add_bits(into->distinct[spec], target + numbers[slot], distinct, slot);
    }
}

static void merge_partition(void *context, size_t partition)
{
    struct merging *merging = context;
    vc_cells *into = merging->into;
    size_t count = into->partitions[partition].count;
    if (!is_wanted(merging, partition)) return;
    uint32_t first = into->indexes[partition].first_slot, end = first + (uint32_t)count;
    if (count > 0) memcpy(into->keys + first, merging->keys[partition], count * sizeof *into->keys);
    for (size_t i = 0; i < merging->nparts; i++) {
        const vc_cells *from = merging->parts[i];
        add_slots(into, from, partition, first, merging->numbers[i]);
        for (size_t spec = 0; spec < from->nspecs; spec++)
            if (from->distinct[spec] != NULL && from->distinct[spec]->nwords == 0)
                add_set_of(merging, from, spec, partition, merging->numbers[i], first);
    }
    count_all_bits(into, first, end);
}

static vc_status find_failure(const struct merging *merging, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t p = 0; p < VC_NPARTITIONS; p++) {
        if (merging->statuses[p] == VC_NO_MEMORY) return vc_no_memory(error);
        if (merging->statuses[p] != VC_OK) status = merging->statuses[p];
    }
    if (status == VC_OK) return VC_OK;
    if (vc_plan_check(merging->plan, error) == VC_OK) /* which has the words, mostly */
        vc_fail(error, status, "cancelled", "the query was cancelled");
    return status;
}

static vc_status place_partitions(vc_cells *into, vc_error *error)
{
    uint64_t count = 0;
    for (size_t p = 0; p < VC_NPARTITIONS; p++) {
        into->indexes[p].first_slot = (uint32_t)count;
        count += into->partitions[p].count;
        if (count > into->max_slots) return vc_cells_fail_limit(into, error);
    }
    into->count = (size_t)count;
    into->nused = count;
    return vc_cells_reserve(into, (size_t)count) ? VC_OK : vc_no_memory(error);
}

static vc_status merge_by_key(vc_pool *pool, struct merging *merging, vc_error *error)
{
    vc_status status = vc_cells_new_like(merging->parts[0], &merging->into, error);
    if (status != VC_OK) return status;
    merging->numbers = calloc(merging->nparts, sizeof *merging->numbers);
    bool has_memory = merging->numbers != NULL;
    for (size_t i = 0; i < merging->nparts && has_memory; i++) {
        merging->numbers[i] = malloc((merging->parts[i]->count + 1) * sizeof(uint32_t));
        has_memory = merging->numbers[i] != NULL;
    }
    if (!has_memory) status = vc_no_memory(error);
    if (status == VC_OK) {
        vc_pool_run(pool, VC_NPARTITIONS, number_partition, merging);
        status = find_failure(merging, error);
    }
    if (status == VC_OK) status = place_partitions(merging->into, error);
    if (status == VC_OK) {
        vc_pool_run(pool, VC_NPARTITIONS, merge_partition, merging);
        status = find_failure(merging, error);
    }
    for (size_t i = 0; i < merging->nparts && merging->numbers != NULL; i++)
        free(merging->numbers[i]);
    free(merging->numbers);
    for (size_t p = 0; p < VC_NPARTITIONS; p++)
        free(merging->keys[p]);
    if (status != VC_OK) vc_cells_free(merging->into);
    return status;
}

/* ---- the whole ---- */

vc_status vc_cells_merge(vc_pool *pool, const vc_plan *plan, vc_cells **parts, size_t nparts,
                         vc_cells **cells_out, vc_error *error)
{
    struct merging merging = {.parts = parts, .nparts = nparts, .into = parts[0], .plan = plan};
    uint64_t nslots = 0;
    vc_status status;
    for (size_t i = 0; i < nparts; i++)
        nslots += parts[i]->count;
    if (nslots < SERIAL_SLOTS) {
        pool = NULL;
        merging.plan = NULL; /* it is done at once */
    }
    if (nparts > 1 && !parts[0]->is_dense) {
        status = merge_by_key(pool, &merging, error);
        if (status == VC_OK) *cells_out = merging.into;
        return status;
    }
    if (!parts[0]->is_dense) {
        count_all_bits(parts[0], 0, (uint32_t)parts[0]->count);
    } else {
        vc_pool_run(pool, VC_NPARTITIONS, merge_dense, &merging);
        status = find_failure(&merging, error);
        if (status != VC_OK) return status;
    }
    *cells_out = parts[0];
    parts[0] = NULL;
    return VC_OK;
}
