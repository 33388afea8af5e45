/* The cells of a pass: per cell the number of facts, and one accumulator per measure, as narrow as
 * its `keep` says.
 *
 * Few possible cells are kept densely, slot = key. Otherwise slots are given out in order of
 * arrival, and an open-addressing table leads from key to slot. Distinct ids are pairs (slot, id)
 * in one set per measure, so that a cell costs nothing until it has an id.
 */
#include "slice/plan.h"

#include <stdlib.h>
#include <string.h>

enum { DENSE_BYTES = 2 << 20 };

struct pairs {       /* a set of (slot, id) */
    uint64_t *items; /* pair + 1; 0: free */
    size_t count, capacity;
};

struct vc_cells {
    const vc_accumulator_spec *specs;
    vc_keep *keeps; /* [nspecs] */
    size_t nspecs;
    uint64_t max_slots;
    bool is_dense;
    size_t count, capacity;
    uint64_t *keys;  /* [count]; NULL when dense */
    uint32_t *table; /* [table_size] slot + 1; NULL when dense */
    size_t table_size;
    uint64_t *rows;
    void **accumulators;    /* [nspecs][capacity] of what the keep says; NULL: nothing */
    struct pairs *distinct; /* [nspecs] */
};

static size_t keep_bytes(vc_keep keep)
{
    return keep == VC_KEEP_WIDE    ? sizeof(vc_accumulator)
           : keep == VC_KEEP_SUM64 ? sizeof(int64_t)
                                   : 0;
}

/* Bytes of a slot: its number of facts and its accumulators. */
static uint64_t slot_bytes(const vc_keep *keeps, size_t nspecs)
{
    uint64_t bytes = sizeof(uint64_t);
    for (size_t i = 0; i < nspecs; i++)
        bytes += keep_bytes(keeps[i]);
    return bytes;
}

bool vc_cells_fit_densely(uint64_t ncells, const vc_keep *keeps, size_t nspecs)
{
    return ncells <= DENSE_BYTES / slot_bytes(keeps, nspecs);
}

uint64_t vc_cells_estimate(uint64_t ncells, const vc_keep *keeps, size_t nspecs, uint64_t nrows,
                           uint64_t max_slots)
{
    if (vc_cells_fit_densely(ncells, keeps, nspecs)) return ncells * slot_bytes(keeps, nspecs);
    uint64_t nslots = ncells < nrows ? ncells : nrows;
    if (nslots > max_slots) nslots = max_slots;
    /* Arrays double, and while they are copied both are there; the table is at most half full. */
    return nslots * 3 * (slot_bytes(keeps, nspecs) + sizeof(uint64_t)) +
           nslots * 6 * sizeof(uint32_t);
}

static bool grow_slots(vc_cells *cells, size_t capacity)
{
    uint64_t *rows = realloc(cells->rows, capacity * sizeof *rows);
    if (rows == NULL) return false;
    cells->rows = rows;
    memset(rows + cells->capacity, 0, (capacity - cells->capacity) * sizeof *rows);
    if (!cells->is_dense) {
        uint64_t *keys = realloc(cells->keys, capacity * sizeof *keys);
        if (keys == NULL) return false;
        cells->keys = keys;
    }
    for (size_t i = 0; i < cells->nspecs; i++) {
        size_t bytes = keep_bytes(cells->keeps[i]);
        if (bytes == 0) continue;
        char *grown = realloc(cells->accumulators[i], capacity * bytes);
        if (grown == NULL) return false;
        cells->accumulators[i] = grown;
        memset(grown + cells->capacity * bytes, 0, (capacity - cells->capacity) * bytes);
    }
    cells->capacity = capacity;
    return true;
}

vc_status vc_cells_new(uint64_t ncells, const vc_accumulator_spec *specs, const vc_keep *keeps,
                       size_t nspecs, uint64_t max_slots, vc_cells **cells_out, vc_error *error)
{
    vc_cells *cells = calloc(1, sizeof *cells);
    if (cells == NULL) return vc_no_memory(error);
    cells->specs = specs;
    cells->nspecs = nspecs;
    cells->max_slots = max_slots;
    cells->is_dense = vc_cells_fit_densely(ncells, keeps, nspecs);
    cells->keeps = calloc(nspecs + 1, sizeof *cells->keeps);
    if (cells->keeps != NULL && nspecs > 0) memcpy(cells->keeps, keeps, nspecs * sizeof *keeps);
    cells->accumulators = calloc(nspecs + 1, sizeof *cells->accumulators);
    cells->distinct = calloc(nspecs + 1, sizeof *cells->distinct);
    bool is_made = cells->keeps != NULL && cells->accumulators != NULL && cells->distinct != NULL &&
                   grow_slots(cells, cells->is_dense ? (size_t)ncells : 1024);
    if (is_made && cells->is_dense) cells->count = (size_t)ncells;
    if (is_made && !cells->is_dense) {
        cells->table_size = 4096;
        cells->table = calloc(cells->table_size, sizeof *cells->table);
        is_made = cells->table != NULL;
    }
    if (!is_made) {
        vc_cells_free(cells);
        return vc_no_memory(error);
    }
    *cells_out = cells;
    return VC_OK;
}

void vc_cells_free(vc_cells *cells)
{
    if (cells == NULL) return;
    for (size_t i = 0; i < cells->nspecs; i++) {
        if (cells->accumulators != NULL) free(cells->accumulators[i]);
        if (cells->distinct != NULL) free(cells->distinct[i].items);
    }
    free(cells->keeps);
    free(cells->accumulators);
    free(cells->distinct);
    free(cells->rows);
    free(cells->keys);
    free(cells->table);
    free(cells);
}

/* The finalizer of MurmurHash3: cell keys are dense numbers, their low bits alone would cluster. */
static uint64_t mix(uint64_t key)
{
    key ^= key >> 33;
    key *= 0xFF51AFD7ED558CCDu;
    key ^= key >> 33;
    key *= 0xC4CEB9FE1A85EC53u;
    return key ^ key >> 33;
}

static bool grow_table(vc_cells *cells)
{
    size_t size = cells->table_size * 2;
    uint32_t *table = calloc(size, sizeof *table);
    if (table == NULL) return false;
    for (size_t slot = 0; slot < cells->count; slot++) {
        size_t at = mix(cells->keys[slot]) & (size - 1);
        while (table[at] != 0)
            at = (at + 1) & (size - 1);
        table[at] = (uint32_t)slot + 1;
    }
    free(cells->table);
    cells->table = table;
    cells->table_size = size;
    return true;
}

static vc_status add_slot(vc_cells *cells, uint64_t key, size_t at, uint32_t *slot_out,
                          vc_error *error)
{
    if (cells->count >= cells->max_slots)
        return vc_fail(error, VC_LIMIT, "limit_cells",
                       "the answer has more than %llu cells; drill fewer dimensions or cut more",
                       (unsigned long long)cells->max_slots);
    if (cells->count == cells->capacity && !grow_slots(cells, cells->capacity * 2))
        return vc_no_memory(error);
    *slot_out = (uint32_t)cells->count;
    cells->keys[cells->count++] = key;
    cells->table[at] = *slot_out + 1;
    if (cells->count * 2 > cells->table_size && !grow_table(cells)) return vc_no_memory(error);
    return VC_OK;
}

vc_status vc_cells_slots(vc_cells *cells, const uint64_t *keys, size_t n, uint32_t *slots_out,
                         vc_error *error)
{
    if (cells->is_dense) {
        for (size_t i = 0; i < n; i++)
            slots_out[i] = (uint32_t)keys[i];
        return VC_OK;
    }
    for (size_t i = 0; i < n; i++) {
        size_t at = mix(keys[i]) & (cells->table_size - 1);
        while (cells->table[at] != 0 && cells->keys[cells->table[at] - 1] != keys[i])
            at = (at + 1) & (cells->table_size - 1);
        if (cells->table[at] != 0) {
            slots_out[i] = cells->table[at] - 1;
            continue;
        }
        vc_status status = add_slot(cells, keys[i], at, &slots_out[i], error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
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
    size_t at = mix(key) & (cells->table_size - 1);
    while (cells->table[at] != 0) {
        if (cells->keys[cells->table[at] - 1] == key) return cells->table[at] - 1;
        at = (at + 1) & (cells->table_size - 1);
    }
    return VC_NONE;
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

static bool pairs_grow(struct pairs *pairs)
{
    size_t capacity = pairs->capacity == 0 ? 1024 : pairs->capacity * 2;
    uint64_t *items = calloc(capacity, sizeof *items);
    if (items == NULL) return false;
    for (size_t i = 0; i < pairs->capacity; i++) {
        if (pairs->items[i] == 0) continue;
        size_t at = mix(pairs->items[i]) & (capacity - 1);
        while (items[at] != 0)
            at = (at + 1) & (capacity - 1);
        items[at] = pairs->items[i];
    }
    free(pairs->items);
    pairs->items = items;
    pairs->capacity = capacity;
    return true;
}

bool vc_cells_add_distinct(vc_cells *cells, size_t spec, uint32_t slot, uint32_t id)
{
    struct pairs *pairs = &cells->distinct[spec];
    uint64_t item = ((uint64_t)slot << 32 | id) + 1;
    if (pairs->count * 2 >= pairs->capacity && !pairs_grow(pairs)) return false;
    size_t at = mix(item) & (pairs->capacity - 1);
    while (pairs->items[at] != 0) {
        if (pairs->items[at] == item) return true;
        at = (at + 1) & (pairs->capacity - 1);
    }
    pairs->items[at] = item;
    pairs->count++;
    vc_cells_accumulators(cells, spec)[slot].count++;
    return true;
}

/* ---- merging ---- */

static void merge_accumulator(const vc_accumulator_spec *spec, vc_accumulator *into,
                              const vc_accumulator *from)
{
    bool is_float = spec->type == VC_VALUE_FLOAT, is_first = into->count == 0;
    if (from->count == 0) return;
    switch (spec->aggregator) {
    case VC_AGG_SUM:
    case VC_AGG_AVG:
        if (is_float) {
            vc_sum_add(&into->as.f.sum, &into->as.f.correction, from->as.f.sum);
            into->as.f.correction += from->as.f.correction;
        } else {
            into->as.sum += from->as.sum;
        }
        break;
    case VC_AGG_MIN:
        if (is_float ? is_first || from->as.fextreme < into->as.fextreme
                     : is_first || from->as.extreme < into->as.extreme)
            into->as = from->as;
        break;
    case VC_AGG_MAX:
        if (is_float ? is_first || from->as.fextreme > into->as.fextreme
                     : is_first || from->as.extreme > into->as.extreme)
            into->as = from->as;
        break;
    default: break;
    }
    into->count += from->count;
}

static void add_spec(vc_cells *into, uint32_t slot, const vc_cells *from, uint32_t from_slot,
                     size_t spec)
{
    if (from->keeps[spec] == VC_KEEP_WIDE)
        merge_accumulator(&from->specs[spec], &((vc_accumulator *)into->accumulators[spec])[slot],
                          &((const vc_accumulator *)from->accumulators[spec])[from_slot]);
    else if (from->keeps[spec] == VC_KEEP_SUM64)
        ((int64_t *)into->accumulators[spec])[slot] +=
            ((const int64_t *)from->accumulators[spec])[from_slot];
}

static vc_status merge_distinct(vc_cells *into, const vc_cells *from, size_t spec,
                                const uint32_t *slots, vc_error *error)
{
    const struct pairs *pairs = &from->distinct[spec];
    for (size_t i = 0; i < pairs->capacity; i++) {
        if (pairs->items[i] == 0) continue;
        uint64_t item = pairs->items[i] - 1;
        if (!vc_cells_add_distinct(into, spec, slots[item >> 32], (uint32_t)item))
            return vc_no_memory(error);
    }
    return VC_OK;
}

vc_status vc_cells_merge(vc_cells *into, vc_cells *from, vc_error *error)
{
    uint32_t *slots = malloc((from->count + 1) * sizeof *slots);
    vc_status status = slots == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t slot = 0; slot < from->count && status == VC_OK; slot++) {
        if (from->rows[slot] == 0) continue;
        uint64_t key = vc_cells_key(from, (uint32_t)slot);
        status = vc_cells_slots(into, &key, 1, &slots[slot], error);
        if (status == VC_OK) into->rows[slots[slot]] += from->rows[slot];
    }
    for (size_t spec = 0; spec < from->nspecs && status == VC_OK; spec++) {
        if (from->specs[spec].aggregator == VC_AGG_COUNT_DISTINCT) {
            status = merge_distinct(into, from, spec, slots, error);
            continue;
        }
        for (size_t slot = 0; slot < from->count; slot++)
            if (from->rows[slot] > 0) add_spec(into, slots[slot], from, (uint32_t)slot, spec);
    }
    free(slots);
    return status;
}

void vc_cells_add(vc_cells *into, uint32_t slot, const vc_cells *from, uint32_t from_slot)
{
    into->rows[slot] += from->rows[from_slot];
    for (size_t spec = 0; spec < from->nspecs; spec++)
        add_spec(into, slot, from, from_slot, spec);
}
