/* The cells of a pass: per cell the number of facts, and one accumulator per measure, as narrow as
 * its `keep` says. cells.h says how they lie in memory, cells_merge.c how those of several threads
 * become one.
 */
#include "slice/cells.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    DENSE_BYTES = 2 << 20,   /* as much is dense whatever the facts are */
    BITMAP_BYTES = 32 << 20, /* of all dense cells, for one measure */
    HASHED_BITMAP_WORDS = 4, /* of a cell that has a key */
    BATCH = 256,             /* keys looked up together */
    MIN_INDEX_SIZE = 1024,
    MIN_SET_CAPACITY = 32,
};

static uint64_t max_dense_bytes = DENSE_BYTES, max_bitmap_bytes = BITMAP_BYTES;

void vc_cells_set_limits(uint64_t dense_bytes, uint64_t bitmap_bytes)
{
    max_dense_bytes = dense_bytes;
    max_bitmap_bytes = bitmap_bytes;
}

/* ---- forms ---- */

static bool is_distinct(const vc_cells_form *form, size_t spec)
{
    return form->specs[spec].aggregator == VC_AGG_COUNT_DISTINCT;
}

/* Bytes of a slot without distinct ids: its number of facts and its accumulators. */
static uint64_t slot_bytes(const vc_cells_form *form)
{
    uint64_t bytes = sizeof(uint64_t);
    for (size_t i = 0; i < form->nspecs; i++)
        bytes += vc_keep_bytes(form->keeps[i]);
    return bytes;
}

/* More cells than facts would be more memory to go through than facts to read. */
bool vc_cells_fit_densely(const vc_cells_form *form)
{
    if (form->ncells <= 1) return true; /* a total is always slot 0 */
    if (form->ncells >= VC_NONE || max_dense_bytes == 0) return false;
    return form->ncells <= max_dense_bytes / slot_bytes(form) || form->ncells <= form->nrows;
}

/* Words of the bitmap of a cell; 0: pairs are kept. */
static size_t bitmap_words(const vc_cells_form *form, size_t spec)
{
    uint64_t nwords = form->nids == NULL ? UINT64_MAX : (form->nids[spec] + 63) / 64;
    if (nwords == 0) nwords = 1;
    bool fits = vc_cells_fit_densely(form)
                    ? nwords <= max_bitmap_bytes / 8 / (form->ncells + (form->ncells == 0))
                    : nwords <= HASHED_BITMAP_WORDS && nwords * 8 <= max_bitmap_bytes;
    return fits ? (size_t)nwords : 0;
}

/* a * b, or UINT64_MAX when that is more. */
static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Of all lanes and merged: bitmaps of nslots, or sets of at most a pair per fact. At least a
 * quarter of the places in a set is used. */
static uint64_t estimate_distinct(const vc_cells_form *form, size_t spec, uint64_t nrows,
                                  uint64_t nslots)
{
    size_t nwords = bitmap_words(form, spec);
    if (nwords > 0) return times(nslots, nwords * sizeof(uint64_t));
    uint64_t npairs = form->nids == NULL ? nrows : least(nrows, times(nslots, form->nids[spec]));
    return times(npairs, 2 * 4 * sizeof(uint64_t));
}

/* By key, a lane's slot has its key, 4 bytes of its number when it is merged, and an index entry,
 * of which at least a quarter is used, and half while it doubles; a merged one has the same, and
 * its key twice. Of arrays that double, what is not used yet is not touched. */
uint64_t vc_cells_estimate(const vc_cells_form *form, uint64_t nrows, size_t nlanes)
{
    enum { INDEX_BYTES = 6 * sizeof(uint64_t), KEY_BYTES = sizeof(uint64_t), NUMBER_BYTES = 4 };
    uint64_t nslots = times(form->ncells, nlanes), nmerged = 0;
    uint64_t bytes = slot_bytes(form);
    if (!vc_cells_fit_densely(form)) {
        nslots = least(least(nslots, nrows), times(form->max_slots, nlanes));
        nmerged = nlanes > 1 ? least(least(form->ncells, nrows), form->max_slots) : 0;
        nslots = plus(nslots, (uint64_t)nlanes * VC_NPARTITIONS * VC_CELL_CHUNK);
        bytes += INDEX_BYTES + KEY_BYTES + NUMBER_BYTES;
    }
    uint64_t all = plus(times(nslots, bytes), times(nmerged, bytes + KEY_BYTES));
    for (size_t i = 0; i < form->nspecs; i++)
        if (is_distinct(form, i))
            all = plus(all, estimate_distinct(form, i, nrows, plus(nslots, nmerged)));
    return all;
}

uint64_t vc_cells_bytes(const vc_cells *cells)
{
    enum { KEYED_BYTES = 6 * sizeof(uint64_t) }; /* its key, and its index entry */
    const vc_cells_form form_of = {.ncells = cells->ncells,
                                   .specs = cells->specs,
                                   .keeps = cells->keeps,
                                   .nids = cells->nids,
                                   .nspecs = cells->nspecs,
                                   .nrows = cells->is_dense ? cells->ncells : 0};
    const vc_cells_form *form = &form_of;
    bool is_dense = cells->is_dense;
    uint64_t nslots = vc_cells_count(cells), nfacts = 0;
    uint64_t all = times(nslots, slot_bytes(form) + (is_dense ? 0 : KEYED_BYTES));
    for (size_t i = 0; i < form->nspecs; i++) {
        if (!is_distinct(form, i)) continue;
        for (uint64_t slot = 0; nfacts == 0 && slot < nslots; slot++)
            nfacts = plus(nfacts, vc_cells_facts(cells)[slot]);
        all = plus(all, estimate_distinct(form, i, nfacts, nslots));
    }
    return all;
}

/* ---- memory ---- */

/* A first array is zero; what a larger one has more is not: add_chunk clears it, so that memory is
 * touched only when it is used. */
static bool grow_array(void *array_in_out, size_t element_bytes, size_t old, size_t capacity)
{
    void **array = array_in_out, *grown;
    if (element_bytes == 0) return true;
    if (old == 0) {
        free(*array); /* what an attempt without memory left */
        *array = NULL;
    }
    grown = old == 0 ? calloc(capacity + 1, element_bytes)
                     : realloc(*array, (capacity + 1) * element_bytes);
    if (grown == NULL) return false;
    vc_memory_want_huge(grown, (capacity + 1) * element_bytes);
    *array = grown;
    return true;
}

bool vc_cells_reserve(vc_cells *cells, size_t capacity)
{
    size_t old = cells->capacity;
    size_t nchunks = capacity / VC_CELL_CHUNK, old_chunks = old / VC_CELL_CHUNK;
    if (capacity <= old) return true;
    if (!grow_array(&cells->rows, sizeof *cells->rows, old, capacity)) return false;
    if (!cells->is_dense &&
        (!grow_array(&cells->keys, sizeof *cells->keys, old, capacity) ||
         !grow_array(&cells->next_chunks, sizeof *cells->next_chunks, old_chunks, nchunks) ||
         !grow_array(&cells->owners, sizeof *cells->owners, old_chunks, nchunks)))
        return false;
    for (size_t i = 0; i < cells->nspecs; i++) {
        vc_distinct *distinct = cells->distinct[i];
        if (!grow_array(&cells->accumulators[i], vc_keep_bytes(cells->keeps[i]), old, capacity))
            return false;
        if (distinct != NULL &&
            !grow_array(&distinct->bits, distinct->nwords * sizeof *distinct->bits, old, capacity))
            return false;
    }
    cells->capacity = capacity;
    return true;
}

static bool copy_form(vc_cells *cells, const vc_cells_form *form)
{
    size_t nspecs = form->nspecs;
    cells->plan = form->plan;
    cells->specs = form->specs;
    cells->nspecs = nspecs;
    cells->ncells = form->ncells;
    cells->max_slots = form->max_slots < VC_NONE ? form->max_slots : VC_NONE - 1;
    cells->is_dense = vc_cells_fit_densely(form);
    cells->is_wide = form->ncells > UINT64_C(1) << 32;
    cells->keeps = calloc(nspecs + 1, sizeof *cells->keeps);
    cells->nids = calloc(nspecs + 1, sizeof *cells->nids);
    cells->accumulators = calloc(nspecs + 1, sizeof *cells->accumulators);
    cells->distinct = calloc(nspecs + 1, sizeof *cells->distinct);
    for (size_t p = 0; p < VC_NPARTITIONS; p++)
        cells->partitions[p].first_chunk = cells->partitions[p].last_chunk = VC_NONE;
    cells->nindexes = 1;
    if (cells->keeps == NULL || cells->nids == NULL || cells->accumulators == NULL ||
        cells->distinct == NULL)
        return false;
    for (size_t i = 0; i < nspecs; i++) {
        cells->keeps[i] = form->keeps[i];
        cells->nids[i] = form->nids == NULL ? UINT64_C(1) << 32 : form->nids[i];
        if (!is_distinct(form, i)) continue;
        cells->distinct[i] = calloc(1, sizeof *cells->distinct[i]);
        if (cells->distinct[i] == NULL) return false;
        cells->distinct[i]->nwords = bitmap_words(form, i);
    }
    return true;
}

vc_status vc_cells_new(const vc_cells_form *form, vc_cells **cells_out, vc_error *error)
{
    vc_cells *cells = calloc(1, sizeof *cells);
    bool is_made = cells != NULL && copy_form(cells, form);
    if (is_made && cells->is_dense) {
        is_made = form->ncells == 0 || vc_cells_reserve(cells, (size_t)form->ncells);
        cells->count = (size_t)form->ncells;
        while (form->ncells >> cells->dense_shift >= VC_NPARTITIONS)
            cells->dense_shift++;
    }
    if (is_made && !cells->is_dense)
        is_made = vc_cell_index_grow(NULL, &cells->indexes[0], cells->is_wide, MIN_INDEX_SIZE,
                                     NULL) == VC_OK;
    if (!is_made) {
        vc_cells_free(cells);
        return vc_no_memory(error);
    }
    *cells_out = cells;
    return VC_OK;
}

vc_status vc_cells_new_like(const vc_cells *other, vc_cells **cells_out, vc_error *error)
{
    /* What is not dense for any number of facts is not for none. */
    vc_cells_form form = {.ncells = other->ncells,
                          .specs = other->specs,
                          .keeps = other->keeps,
                          .nids = other->nids,
                          .nspecs = other->nspecs,
                          .max_slots = other->max_slots};
    vc_cells *cells = calloc(1, sizeof *cells);
    if (cells == NULL || !copy_form(cells, &form)) {
        vc_cells_free(cells);
        return vc_no_memory(error);
    }
    cells->nindexes = VC_NPARTITIONS;
    *cells_out = cells;
    return VC_OK;
}

static void free_distinct(vc_distinct *distinct)
{
    if (distinct == NULL) return;
    for (size_t p = 0; p < VC_NPARTITIONS; p++)
        free(distinct->sets[p].items);
    free(distinct->bits);
    free(distinct);
}

void vc_cells_free(vc_cells *cells)
{
    if (cells == NULL) return;
    for (size_t i = 0; i < cells->nspecs; i++) {
        if (cells->accumulators != NULL) free(cells->accumulators[i]);
        if (cells->distinct != NULL) free_distinct(cells->distinct[i]);
    }
    for (size_t p = 0; p < VC_NPARTITIONS; p++)
        free(cells->indexes[p].entries);
    free(cells->keeps);
    free(cells->nids);
    free(cells->accumulators);
    free(cells->distinct);
    free(cells->rows);
    free(cells->keys);
    free(cells->next_chunks);
    free(cells->owners);
    free(cells);
}

/* ---- slots ---- */

/* Entries are put in order of the old index, so that the new one is written in two ascending runs.
 * The hash comes from the tag. */
vc_status vc_cell_index_grow(const vc_plan *plan, vc_cell_index *index, bool is_wide, size_t size,
                             vc_error *error)
{
    vc_cell_index grown = *index;
    grown.size = size;
    grown.entries = calloc(size, sizeof *grown.entries);
    if (grown.entries == NULL) return vc_no_memory(error);
    vc_memory_want_huge(grown.entries, size * sizeof *grown.entries);
    for (size_t i = 0; i < index->size; i++) {
        uint64_t entry = index->entries[i], tag = entry >> 32;
        if (plan != NULL && i % VC_LOOK_ITEMS == VC_LOOK_ITEMS - 1) {
            vc_status status = vc_plan_check(plan, error);
            if (status != VC_OK) {
                free(grown.entries);
                return status;
            }
        }
        if (entry == 0) continue;
        size_t at = vc_cell_place(&grown, is_wide ? tag << 32 : vc_cell_hash(tag));
        while (grown.entries[at] != 0)
            at = (at + 1) & (size - 1);
        grown.entries[at] = entry;
    }
    free(index->entries);
    *index = grown;
    return VC_OK;
}

vc_status vc_cells_fail_limit(const vc_cells *cells, vc_error *error)
{
    return vc_fail(error, VC_LIMIT, "limit_cells",
                   "the answer has more than %llu cells; drill fewer dimensions or cut more",
                   (unsigned long long)cells->max_slots);
}

/* Zero the slots of a chunk, but for the keys. */
static void clear_slots(vc_cells *cells, size_t first)
{
    memset(cells->rows + first, 0, VC_CELL_CHUNK * sizeof *cells->rows);
    for (size_t i = 0; i < cells->nspecs; i++) {
        size_t bytes = vc_keep_bytes(cells->keeps[i]);
        const vc_distinct *distinct = cells->distinct[i];
        if (bytes > 0)
            memset((char *)cells->accumulators[i] + first * bytes, 0, VC_CELL_CHUNK * bytes);
        if (distinct != NULL && distinct->nwords > 0)
            memset(distinct->bits + first * distinct->nwords, 0,
                   VC_CELL_CHUNK * distinct->nwords * sizeof *distinct->bits);
    }
}

static bool add_chunk(vc_cells *cells, size_t partition)
{
    vc_partition *part = &cells->partitions[partition];
    uint32_t chunk = (uint32_t)(cells->count / VC_CELL_CHUNK);
    if (cells->count + VC_CELL_CHUNK >= VC_NONE) return false;
    if (cells->count == cells->capacity &&
        !vc_cells_reserve(cells,
                          cells->count == 0 ? VC_NPARTITIONS * VC_CELL_CHUNK : cells->count * 2))
        return false;
    clear_slots(cells, cells->count);
    cells->count += VC_CELL_CHUNK;
    cells->owners[chunk] = (uint8_t)partition;
    cells->next_chunks[chunk] = VC_NONE;
    if (part->last_chunk == VC_NONE)
        part->first_chunk = chunk;
    else
        cells->next_chunks[part->last_chunk] = chunk;
    part->last_chunk = chunk;
    part->next_slot = chunk * VC_CELL_CHUNK;
    part->end_slot = part->next_slot + VC_CELL_CHUNK;
    return true;
}

/* The slot of a key that has none. at: the free entry for it. */
static vc_status add_slot(vc_cells *cells, uint64_t key, uint64_t hash, size_t at,
                          uint32_t *slot_out, vc_error *error)
{
    vc_cell_index *index = &cells->indexes[0];
    vc_partition *partition = &cells->partitions[vc_cell_partition(hash)];
    if (cells->nused >= cells->max_slots) return vc_cells_fail_limit(cells, error);
    if (partition->next_slot == partition->end_slot && !add_chunk(cells, vc_cell_partition(hash)))
        return vc_no_memory(error);
    uint32_t slot = partition->next_slot++;
    partition->count++;
    cells->keys[slot] = key;
    index->entries[at] = vc_cell_entry(cells->is_wide, key, hash, slot);
    *slot_out = slot;
    if (++cells->nused * 2 <= index->size) return VC_OK;
    return vc_cell_index_grow(cells->plan, index, cells->is_wide, index->size * 2, error);
}

/* Up to BATCH keys: their entries are on the way from memory while the first ones are looked at. */
static vc_status find_slots(vc_cells *cells, const uint64_t *keys, size_t n, uint32_t *slots_out,
                            vc_error *error)
{
    const vc_cell_index *index = &cells->indexes[0];
    uint64_t hashes[BATCH];
    for (size_t i = 0; i < n; i++) {
        hashes[i] = vc_cell_hash(keys[i]);
        __builtin_prefetch(&index->entries[vc_cell_place(index, hashes[i])]);
    }
    for (size_t i = 0; i < n; i++) {
        size_t at = vc_cell_probe(index, cells->keys, cells->is_wide, keys[i], hashes[i]);
        if (index->entries[at] != 0) {
            slots_out[i] = (uint32_t)index->entries[at] - 1;
            continue;
        }
        vc_status status = add_slot(cells, keys[i], hashes[i], at, &slots_out[i], error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

vc_status vc_cells_slots(vc_cells *cells, const uint64_t *keys, size_t n, uint32_t *slots_out,
                         vc_error *error)
{
    vc_status status = VC_OK;
    assert(cells->is_dense || cells->nindexes == 1); /* merged cells are complete */
    if (cells->is_dense)
        for (size_t i = 0; i < n; i++)
            slots_out[i] = (uint32_t)keys[i];
    else
        for (size_t i = 0; i < n && status == VC_OK; i += BATCH)
            status =
                find_slots(cells, keys + i, n - i < BATCH ? n - i : BATCH, slots_out + i, error);
    return status;
}

size_t vc_cells_count(const vc_cells *cells)
{
    return cells->count;
}

uint64_t vc_cells_key(const vc_cells *cells, uint32_t slot)
{
    return cells->is_dense ? slot : cells->keys[slot];
}

uint32_t vc_cells_find(const vc_cells *cells, uint64_t key)
{
    if (cells->is_dense)
        return key < cells->count && cells->rows[key] > 0 ? (uint32_t)key : VC_NONE;
    uint64_t hash = vc_cell_hash(key);
    const vc_cell_index *index = &cells->indexes[vc_cell_partition(hash) & (cells->nindexes - 1)];
    size_t at = vc_cell_probe(index, cells->keys + index->first_slot, cells->is_wide, key, hash);
    return index->entries[at] == 0 ? VC_NONE : index->first_slot + (uint32_t)index->entries[at] - 1;
}

uint64_t *vc_cells_rows(vc_cells *cells)
{
    return cells->rows;
}

const uint64_t *vc_cells_facts(const vc_cells *cells)
{
    return cells->rows;
}

const vc_keep *vc_cells_keeps(const vc_cells *cells)
{
    return cells->keeps;
}

bool vc_cells_is_dense(const vc_cells *cells)
{
    return cells->is_dense;
}

vc_accumulator *vc_cells_accumulators(vc_cells *cells, size_t spec)
{
    return cells->accumulators[spec];
}

int64_t *vc_cells_sums(vc_cells *cells, size_t spec)
{
    return cells->accumulators[spec];
}

vc_moments *vc_cells_moments(vc_cells *cells, size_t spec)
{
    return cells->accumulators[spec];
}

const vc_moments *vc_cells_read_moments(const vc_cells *cells, size_t spec, uint32_t slot)
{
    return (const vc_moments *)cells->accumulators[spec] + slot;
}

vc_accumulator vc_cells_read(const vc_cells *cells, size_t spec, uint32_t slot)
{
    vc_accumulator accumulator = {.count = cells->rows[slot]};
    if (cells->keeps[spec] == VC_KEEP_WIDE)
        return ((const vc_accumulator *)cells->accumulators[spec])[slot];
    if (cells->keeps[spec] == VC_KEEP_SUM64)
        accumulator.as.sum = ((const int64_t *)cells->accumulators[spec])[slot];
    return accumulator;
}

/* ---- distinct ids ---- */

static size_t partition_of(const vc_cells *cells, uint32_t slot)
{
    if (cells->is_dense) return slot >> cells->dense_shift;
    return cells->owners[slot / VC_CELL_CHUNK];
}

static vc_status grow_set(const vc_plan *plan, vc_id_set *set, vc_error *error)
{
    enum { LARGE = 4096 };
    vc_status status = plan == NULL || set->capacity < LARGE ? VC_OK : vc_plan_check(plan, error);
    if (status != VC_OK) return status;
    size_t capacity = set->capacity == 0 ? MIN_SET_CAPACITY : set->capacity * 2;
    uint64_t *items = calloc(capacity, sizeof *items);
    if (items == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < set->capacity; i++) {
        if (set->items[i] == 0) continue;
        size_t at = vc_cell_hash(set->items[i]) & (capacity - 1);
        while (items[at] != 0)
            at = (at + 1) & (capacity - 1);
        items[at] = set->items[i];
    }
    free(set->items);
    set->items = items;
    set->capacity = capacity;
    return VC_OK;
}

vc_status vc_id_set_add(const vc_plan *plan, vc_id_set *set, uint32_t slot, uint32_t id,
                        bool *is_new_out, vc_error *error)
{
    uint64_t item = ((uint64_t)slot << 32 | id) + 1;
    *is_new_out = false;
    if (set->count * 2 >= set->capacity) {
        vc_status status = grow_set(plan, set, error);
        if (status != VC_OK) return status;
    }
    size_t at = vc_cell_hash(item) & (set->capacity - 1);
    while (set->items[at] != 0) {
        if (set->items[at] == item) return VC_OK;
        at = (at + 1) & (set->capacity - 1);
    }
    set->items[at] = item;
    set->count++;
    *is_new_out = true;
    return VC_OK;
}

/* Up to BATCH pairs into sets; what they count is in the accumulators at once. */
static vc_status add_pairs(vc_cells *cells, size_t spec, const uint32_t *slots, const uint32_t *ids,
                           size_t n, vc_error *error)
{
    vc_accumulator *accumulators = cells->accumulators[spec];
    vc_id_set *sets = cells->distinct[spec]->sets;
    for (size_t i = 0; i < n; i++) {
        const vc_id_set *set = &sets[partition_of(cells, slots[i])];
        uint64_t hash = vc_cell_hash(((uint64_t)slots[i] << 32 | ids[i]) + 1);
        if (set->capacity > 0) __builtin_prefetch(&set->items[hash & (set->capacity - 1)]);
    }
    for (size_t i = 0; i < n; i++) {
        bool is_new;
        vc_id_set *set = &sets[partition_of(cells, slots[i])];
        vc_status status = vc_id_set_add(cells->plan, set, slots[i], ids[i], &is_new, error);
        if (status != VC_OK) return status;
        accumulators[slots[i]].count += is_new;
    }
    return VC_OK;
}

vc_status vc_cells_add_ids(vc_cells *cells, size_t spec, const uint32_t *slots, const uint32_t *ids,
                           size_t n, vc_error *error)
{
    const vc_distinct *distinct = cells->distinct[spec];
    uint32_t largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = ids[i] > largest ? ids[i] : largest;
    if (n > 0 && largest >= cells->nids[spec])
        return vc_fail(error, VC_CORRUPT, "storage_damaged",
                       "an id to be counted is %u, the column's zones promise less than %llu",
                       largest, (unsigned long long)cells->nids[spec]);
    if (distinct->nwords > 0) {
        for (size_t i = 0; i < n; i++)
            distinct->bits[slots[i] * distinct->nwords + ids[i] / 64] |= UINT64_C(1) << ids[i] % 64;
        return VC_OK;
    }
    vc_status status = VC_OK;
    for (size_t i = 0; i < n && status == VC_OK; i += BATCH)
        status = add_pairs(cells, spec, slots + i, ids + i, n - i < BATCH ? n - i : BATCH, error);
    return status;
}
