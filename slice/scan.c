/* The scan: facts to cells, block by block.
 *
 *     segments = those whose zones meet what every step lets through
 *     for each block (4,096 rows) of them
 *         mask = rows that pass every step          compares on packed columns, 64 rows a word
 *         rows = positions of the mask
 *         for each kept dimension   keys[i] += group of the leaf in row i, times stride
 *         slots = cells of the keys
 *         for each measure          accumulate the values of the rows
 *
 * Every line is one loop over arrays (slice/kernels.h, storage/packed.h), written for several
 * instruction sets. What zones decide costs no loop: a block may lie outside a step, or wholly
 * inside, or in one group. A step through a ragged relation makes several *entries* of one row, one
 * per group (expand); entries of a row always differ in their cell, so no fact is counted twice.
 *
 * Two ways to share the work. Sums that are exact do not depend on the order of rows: each thread
 * has cells of its own and takes the next piece when it is done. Sums of doubles do: the segments
 * are cut into a fixed number of parts, which does not depend on the number of threads, and merged
 * in order, so that they come out the same to the last bit whatever runs in parallel.
 */
#include "slice/kernels.h"
#include "slice/plan.h"
#include "storage/packed.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_PARTS = 16,
    PIECE_BLOCKS = 8, /* blocks that a thread takes at a time */
    MASK_WORDS = VC_BLOCK_ROWS / 64,
    SLACK = 64, /* elements that kernels may write behind the last one */
};

struct scan {
    const vc_plan *plan;
    const vc_pass *pass;
    const vc_table *table;
    const vc_source_cube *cube;
    const vc_snapshot *snapshot;
    const vc_kernels *kernels;
    const vc_packed_kernels *packed;
    const vc_step **filters; /* [nfilters] steps that not every leaf passes, most selective first */
    size_t nfilters;
    bool is_ragged;  /* some step leads a leaf to several groups, or keys are wider than 32 bits */
    bool is_ordered; /* the order of rows matters: sums of doubles */
    uint32_t *segments; /* [nsegments] that may have rows that pass */
    uint32_t nsegments;
    vc_keep *keeps;     /* [naccumulators] */
    vc_cells_form form; /* of a lane's cells */
    struct lane *lanes;
    atomic_size_t next_piece; /* of PIECE_BLOCKS blocks, over `segments` */
};

/* One thread's work, or one part's. */
struct lane {
    struct scan *scan;
    uint32_t first, end; /* of a part: places in scan->segments */
    vc_cells *cells;
    vc_scan_stats stats;
    vc_status status;
    vc_error error;
    const vc_chunk **chunks; /* [nsteps + naccumulators] of the segment at hand, NULL: not yet */

    /* The block at hand. */
    uint32_t segment, block, nrows;
    uint64_t mask[MASK_WORDS];
    bool is_all;          /* no row was left out: mask is not looked at */
    size_t count;         /* entries: rows that are left, or more after expanding */
    const uint16_t *rows; /* [count] row of each entry; NULL: not needed so far */
    bool is_one_cell;     /* all entries are in `cell`; else slots [count] say where */
    uint32_t cell;
    const uint32_t *unpacked; /* deltas of all rows of `unpacked_column`, in `leaves` */
    uint16_t unpacked_column;

    size_t capacity; /* of the next four */
    uint16_t *row_buffer;
    uint32_t *slots, *picked;
    uint64_t *wide; /* wide keys, or values */
    uint16_t *spare_rows;
    uint64_t *spare_wide;
    size_t spare_capacity;
    uint32_t leaves[VC_BLOCK_ROWS + SLACK];
    uint64_t values[VC_BLOCK_ROWS + SLACK];
};

/* ---- memory ---- */

static bool reserve(struct lane *lane, size_t count)
{
    if (count <= lane->capacity) return true;
    size_t capacity = count + count / 2, room = capacity + SLACK;
    uint16_t *rows = realloc(lane->row_buffer, room * sizeof *rows);
    if (rows != NULL) {
        if (lane->rows == lane->row_buffer) lane->rows = rows;
        lane->row_buffer = rows;
    }
    uint32_t *slots = realloc(lane->slots, room * sizeof *slots);
    if (slots != NULL) lane->slots = slots;
    uint32_t *picked = realloc(lane->picked, room * sizeof *picked);
    if (picked != NULL) lane->picked = picked;
    uint64_t *wide = realloc(lane->wide, room * sizeof *wide);
    if (wide != NULL) lane->wide = wide;
    if (rows == NULL || slots == NULL || picked == NULL || wide == NULL) return false;
    lane->capacity = capacity;
    return true;
}

static bool reserve_spare(struct lane *lane, size_t count)
{
    if (count <= lane->spare_capacity) return true;
    size_t capacity = count < VC_BLOCK_ROWS ? VC_BLOCK_ROWS : count + count / 2;
    uint16_t *rows = realloc(lane->spare_rows, capacity * sizeof *rows);
    if (rows != NULL) lane->spare_rows = rows;
    uint64_t *wide = realloc(lane->spare_wide, capacity * sizeof *wide);
    if (wide != NULL) lane->spare_wide = wide;
    if (rows == NULL || wide == NULL) return false;
    lane->spare_capacity = capacity;
    return true;
}

/* ---- chunks ---- */

/* Leaf numbers in a chunk must be leaves of the dimension: the tables are read without a check. */
static vc_status check_leaves(struct lane *lane, const vc_step *step, const vc_chunk *chunk)
{
    if (chunk->type == VC_CHUNK_INT && chunk->validity == NULL &&
        (chunk->nrows == 0 || (chunk->min >= 0 && chunk->max < (int64_t)step->nleaves)))
        return VC_OK;
    return vc_fail(
        &lane->error, VC_CORRUPT, "storage_damaged",
        "cube '%.*s', segment %u: column %u holds leaves that the dimension does not have",
        VC_FMT(lane->scan->cube->name), lane->segment, step->column);
}

static vc_status find_chunk(struct lane *lane, size_t place, uint16_t column,
                            const vc_chunk **chunk_out)
{
    const struct scan *scan = lane->scan;
    *chunk_out = lane->chunks[place];
    if (*chunk_out != NULL) return VC_OK;
    vc_status status = vc_source_cube_view(scan->cube, scan->snapshot, column, lane->segment,
                                           chunk_out, &lane->error);
    if (status == VC_OK && place < scan->table->nsteps)
        status = check_leaves(lane, &scan->table->steps[place], *chunk_out);
    if (status == VC_OK) lane->chunks[place] = *chunk_out;
    return status;
}

static vc_status step_chunk(struct lane *lane, const vc_step *step, const vc_chunk **chunk_out)
{
    return find_chunk(lane, (size_t)(step - lane->scan->table->steps), step->column, chunk_out);
}

/* The column of a measure: its values, or the leaves that are counted. -1: none, rows are. */
static int value_column(const struct scan *scan, const vc_accumulator_spec *spec)
{
    if (spec->distinct_dimension >= 0) return spec->distinct_dimension;
    return spec->column < 0 ? -1 : scan->cube->columns[spec->column].column;
}

static void count_bytes(struct lane *lane, const vc_block *block)
{
    lane->stats.nbytes += vc_packed_bytes(lane->nrows, block->width);
}

/* ---- filters: which rows pass ---- */

/* Do the leaves [min, max] all pass, or none? */
static bool none_pass(const vc_step *step, int64_t min, int64_t max)
{
    return max < (int64_t)step->first || min >= (int64_t)step->end;
}

static bool all_in_range(const vc_step *step, int64_t min, int64_t max)
{
    return min >= (int64_t)step->first && max < (int64_t)step->end;
}

static bool all_pass(const vc_step *step, int64_t min, int64_t max)
{
    return all_in_range(step, min, max) &&
           (step->passing == NULL || vc_bits_all(step->passing, (size_t)min, (size_t)max + 1));
}

static void start_mask(struct lane *lane)
{
    size_t full = lane->nrows / 64, rest = lane->nrows % 64;
    memset(lane->mask, 0xFF, full * sizeof *lane->mask);
    memset(lane->mask + full, 0, (MASK_WORDS - full) * sizeof *lane->mask);
    if (rest > 0) lane->mask[full] = (UINT64_C(1) << rest) - 1;
    lane->is_all = false;
}

static void apply_range(struct lane *lane, const vc_step *step, const vc_chunk *chunk,
                        const vc_block *block)
{
    int64_t first = (int64_t)step->first - block->min, last = (int64_t)step->end - 1 - block->min;
    if (lane->is_all) start_mask(lane);
    count_bytes(lane, block);
    lane->scan->packed->filter(vc_chunk_block_data(chunk, lane->block), block->width, lane->nrows,
                               first < 0 ? 0 : (uint64_t)first, (uint64_t)last, lane->mask);
}

/* Leaves that pass here and there: looked up one by one, for the rows that passed so far when they
 * are few. */
static void apply_set(struct lane *lane, const vc_step *step, const vc_chunk *chunk,
                      const vc_block *block)
{
    const struct scan *scan = lane->scan;
    const void *data = vc_chunk_block_data(chunk, lane->block);
    if (lane->is_all) start_mask(lane);
    size_t count = scan->kernels->count_bits(lane->mask, MASK_WORDS);
    if (count * 8 > lane->nrows) {
        count_bytes(lane, block);
        scan->packed->unpack32(data, block->width, lane->nrows, lane->leaves);
        lane->unpacked = lane->leaves;
        lane->unpacked_column = step->column;
        scan->kernels->filter_set(lane->leaves, lane->nrows, (uint32_t)block->min, step->passing,
                                  lane->mask);
        return;
    }
    scan->kernels->positions(lane->mask, MASK_WORDS, lane->row_buffer);
    scan->packed->gather32(data, block->width, lane->row_buffer, count, lane->picked);
    for (size_t i = 0; i < count; i++)
        if (!vc_bit_get(step->passing, (size_t)block->min + lane->picked[i]))
            vc_bit_clear(lane->mask, lane->row_buffer[i]);
}

/* Leaves in lane->mask the rows that pass every step; *is_empty_out: none can. What the zones
 * decide comes first, it is free; then compares, then sets. */
static vc_status filter_block(struct lane *lane, bool *is_empty_out)
{
    enum { ZONES, RANGES, SETS, NROUNDS };
    const struct scan *scan = lane->scan;
    *is_empty_out = false;
    lane->is_all = true;
    lane->unpacked = NULL;
    for (int round = ZONES; round < NROUNDS; round++)
        for (size_t i = 0; i < scan->nfilters; i++) {
            const vc_step *step = scan->filters[i];
            const vc_chunk *chunk;
            vc_status status = step_chunk(lane, step, &chunk);
            if (status != VC_OK) return status;
            const vc_block *block = &chunk->blocks[lane->block];
            if (none_pass(step, block->min, block->max)) {
                *is_empty_out = true;
                return VC_OK;
            }
            if (round == RANGES && !all_in_range(step, block->min, block->max))
                apply_range(lane, step, chunk, block);
            if (round == SETS && step->passing != NULL && !all_pass(step, block->min, block->max))
                apply_set(lane, step, chunk, block);
        }
    return VC_OK;
}

static void count_rows(struct lane *lane)
{
    lane->rows = NULL;
    lane->count = lane->nrows;
    if (lane->is_all) return;
    lane->count = lane->scan->kernels->count_bits(lane->mask, MASK_WORDS);
    lane->is_all = lane->count == lane->nrows;
}

/* The rows of the entries as a list, for whoever cannot do with the mask. */
static void list_rows(struct lane *lane)
{
    if (lane->rows != NULL) return;
    if (lane->is_all)
        for (size_t i = 0; i < lane->nrows; i++)
            lane->row_buffer[i] = (uint16_t)i;
    else
        lane->scan->kernels->positions(lane->mask, MASK_WORDS, lane->row_buffer);
    lane->rows = lane->row_buffer;
}

/* ---- deltas of a column for the entries ---- */

/* [count] deltas of a block of at most 32 bits, one for each entry: all rows unpacked and picked
 * from where many are left, else only those that are. The array is leaves or picked. */
static const uint32_t *entry_deltas(struct lane *lane, const vc_chunk *chunk, uint16_t column)
{
    const struct scan *scan = lane->scan;
    const vc_block *block = &chunk->blocks[lane->block];
    const void *data = vc_chunk_block_data(chunk, lane->block);
    bool is_unpacked = lane->unpacked != NULL && lane->unpacked_column == column;
    bool is_plain = lane->is_all && lane->count == lane->nrows;
    if (!is_unpacked && (is_plain || lane->count * 8 > lane->nrows)) {
        count_bytes(lane, block);
        scan->packed->unpack32(data, block->width, lane->nrows, lane->leaves);
        lane->unpacked = lane->leaves;
        lane->unpacked_column = column;
        is_unpacked = true;
    }
    if (is_unpacked && is_plain) return lane->leaves;
    list_rows(lane);
    if (is_unpacked) {
        scan->kernels->pick32(lane->leaves, lane->rows, lane->count, lane->picked);
    } else {
        count_bytes(lane, block);
        scan->packed->gather32(data, block->width, lane->rows, lane->count, lane->picked);
    }
    return lane->picked;
}

/* The same for any width, in `wide` (after the slots are known, it is free). */
static const uint64_t *entry_wide_deltas(struct lane *lane, const vc_chunk *chunk)
{
    const struct scan *scan = lane->scan;
    const vc_block *block = &chunk->blocks[lane->block];
    const void *data = vc_chunk_block_data(chunk, lane->block);
    count_bytes(lane, block);
    list_rows(lane);
    if (lane->count * 4 > lane->nrows) {
        scan->packed->unpack64(data, block->width, lane->nrows, lane->values);
        for (size_t i = 0; i < lane->count; i++)
            lane->wide[i] = lane->values[lane->rows[i]];
    } else {
        scan->packed->gather64(data, block->width, lane->rows, lane->count, lane->wide);
    }
    return lane->wide;
}

/* ---- keys and slots ---- */

/* Is the block in one group of the step? */
static bool find_block_group(const vc_step *step, const vc_block *block, uint32_t *group_out)
{
    int64_t first = block->min, last = block->max;
    if (step->is_ordered) { /* rows that do not pass do not count */
        if (first < (int64_t)step->first) first = step->first;
        if (last >= (int64_t)step->end) last = (int64_t)step->end - 1;
    }
    *group_out = step->groups[first];
    return first == last || (step->is_ordered && step->groups[last] == *group_out);
}

static vc_status slot_keys(struct lane *lane, const uint64_t *keys)
{
    return vc_cells_slots(lane->cells, keys, lane->count, lane->slots, &lane->error);
}

/* Keys of 32 bits, one group per entry: nearly every query. Before the first group is added, keys
 * are minus the first visible ones. */
static vc_status find_slots(struct lane *lane)
{
    const struct scan *scan = lane->scan;
    const vc_table *table = scan->table;
    uint32_t constant = 0;
    bool has_keys = false;
    vc_status status = VC_OK;
    for (size_t i = 0; i < scan->plan->naxes; i++)
        constant -= (uint32_t)(table->firsts[i] * table->strides[i]);
    for (size_t i = 0; i < table->nsteps && status == VC_OK; i++) {
        const vc_step *step = &table->steps[i];
        const vc_chunk *chunk;
        uint32_t group, stride = (uint32_t)step->stride;
        if (step->stride == 0) continue;
        status = step_chunk(lane, step, &chunk);
        if (status != VC_OK) return status;
        const vc_block *block = &chunk->blocks[lane->block];
        if (find_block_group(step, block, &group)) {
            constant += group * stride;
            continue;
        }
        if (!has_keys) memset(lane->slots, 0, lane->count * sizeof *lane->slots);
        has_keys = true;
        scan->kernels->add_groups(entry_deltas(lane, chunk, step->column), lane->count,
                                  step->groups + block->min, stride, lane->slots);
    }
    lane->is_one_cell = !has_keys;
    if (!has_keys) {
        uint64_t key = constant;
        return vc_cells_slots(lane->cells, &key, 1, &lane->cell, &lane->error);
    }
    if (vc_cells_is_dense(lane->cells)) {
        for (size_t i = 0; constant != 0 && i < lane->count; i++)
            lane->slots[i] += constant;
        return VC_OK;
    }
    for (size_t i = 0; i < lane->count; i++)
        lane->wide[i] = lane->slots[i] + constant;
    return slot_keys(lane, lane->wide);
}

/* One step for entries with wide keys; a ragged one may make more of them. */
static vc_status expand_step(struct lane *lane, const vc_step *step, const vc_chunk *chunk)
{
    const vc_block *block = &chunk->blocks[lane->block];
    const uint32_t *deltas = entry_deltas(lane, chunk, step->column);
    if (step->offsets == NULL) {
        for (size_t i = 0; i < lane->count; i++)
            lane->wide[i] += step->groups[(uint64_t)block->min + deltas[i]] * step->stride;
        return VC_OK;
    }
    size_t count = 0;
    for (size_t i = 0; i < lane->count; i++) {
        size_t leaf = (size_t)block->min + deltas[i];
        uint32_t first = step->offsets[leaf], end = step->offsets[leaf + 1];
        if (!reserve_spare(lane, count + (end - first))) return vc_no_memory(&lane->error);
        for (uint32_t t = first; t < end; t++) {
            lane->spare_rows[count] = lane->rows[i];
            lane->spare_wide[count++] = lane->wide[i] + step->targets[t] * step->stride;
        }
    }
    if (!reserve(lane, count)) return vc_no_memory(&lane->error);
    if (count > 0) {
        memcpy(lane->row_buffer, lane->spare_rows, count * sizeof *lane->row_buffer);
        memcpy(lane->wide, lane->spare_wide, count * sizeof *lane->wide);
    }
    lane->rows = lane->row_buffer;
    lane->count = count;
    lane->is_all = false;
    return VC_OK;
}

static vc_status expand(struct lane *lane)
{
    const struct scan *scan = lane->scan;
    const vc_table *table = scan->table;
    uint64_t constant = 0;
    vc_status status = VC_OK;
    for (size_t i = 0; i < scan->plan->naxes; i++)
        constant -= table->firsts[i] * table->strides[i];
    list_rows(lane);
    for (size_t i = 0; i < lane->count; i++)
        lane->wide[i] = constant;
    for (size_t i = 0; i < table->nsteps && status == VC_OK; i++) {
        const vc_chunk *chunk;
        if (table->steps[i].stride == 0) continue;
        status = step_chunk(lane, &table->steps[i], &chunk);
        if (status == VC_OK) status = expand_step(lane, &table->steps[i], chunk);
    }
    lane->is_one_cell = false;
    return status == VC_OK ? slot_keys(lane, lane->wide) : status;
}

/* ---- measures ---- */

static void add_int(vc_accumulator *accumulator, vc_aggregator aggregator, int64_t value)
{
    bool is_first = accumulator->count++ == 0;
    switch (aggregator) {
    case VC_AGG_SUM:
    case VC_AGG_AVG: accumulator->as.sum += value; break;
    case VC_AGG_MIN:
        if (is_first || value < accumulator->as.extreme) accumulator->as.extreme = value;
        break;
    case VC_AGG_MAX:
        if (is_first || value > accumulator->as.extreme) accumulator->as.extreme = value;
        break;
    default: break;
    }
}

static void add_double(vc_accumulator *accumulator, vc_aggregator aggregator, double value)
{
    bool is_first = accumulator->count++ == 0;
    switch (aggregator) {
    case VC_AGG_SUM:
    case VC_AGG_AVG:
        vc_sum_add(&accumulator->as.f.sum, &accumulator->as.f.correction, value);
        break;
    case VC_AGG_MIN:
        if (is_first || value < accumulator->as.fextreme) accumulator->as.fextreme = value;
        break;
    case VC_AGG_MAX:
        if (is_first || value > accumulator->as.fextreme) accumulator->as.fextreme = value;
        break;
    default: break;
    }
}

static uint32_t slot_at(const struct lane *lane, size_t entry)
{
    return lane->is_one_cell ? lane->cell : lane->slots[entry];
}

/* All entries in one cell: nothing is scattered, and where many rows are left, nothing listed. */
static void sum_one_cell(struct lane *lane, const vc_chunk *chunk, uint16_t column, int64_t *sums)
{
    const struct scan *scan = lane->scan;
    const vc_block *block = &chunk->blocks[lane->block];
    uint64_t sum = (uint64_t)block->min * lane->count;
    if (block->width > 32) {
        const uint64_t *deltas = entry_wide_deltas(lane, chunk);
        for (size_t i = 0; i < lane->count; i++)
            sum += deltas[i];
    } else if (block->width > 0 && !lane->is_all && lane->count * 8 > lane->nrows) {
        count_bytes(lane, block);
        scan->packed->unpack32(vc_chunk_block_data(chunk, lane->block), block->width, lane->nrows,
                               lane->leaves);
        lane->unpacked = lane->leaves;
        lane->unpacked_column = column;
        sum += scan->kernels->sum32_masked(lane->leaves, lane->mask, lane->nrows);
    } else if (block->width > 0) {
        sum += scan->kernels->sum32(entry_deltas(lane, chunk, column), lane->count);
    }
    sums[lane->cell] = (int64_t)((uint64_t)sums[lane->cell] + sum);
}

static void sum_entries(struct lane *lane, const vc_chunk *chunk, uint16_t column, int64_t *sums)
{
    const struct scan *scan = lane->scan;
    const vc_block *block = &chunk->blocks[lane->block];
    if (block->width > 32)
        scan->kernels->add64(lane->slots, entry_wide_deltas(lane, chunk), lane->count, block->min,
                             sums);
    else
        scan->kernels->add32(lane->slots, entry_deltas(lane, chunk, column), lane->count,
                             block->min, sums);
}

/* Nulls, extremes, doubles, sums that may not fit: value by value. */
static vc_status accumulate_wide(struct lane *lane, size_t number, const vc_chunk *chunk)
{
    const vc_accumulator_spec *spec = &lane->scan->pass->accumulators[number];
    vc_accumulator *accumulators = vc_cells_accumulators(lane->cells, number);
    size_t first = (size_t)lane->block * VC_BLOCK_ROWS;
    list_rows(lane);
    if (chunk->type == VC_CHUNK_FLOAT) {
        const double *doubles = (const double *)chunk->data + first;
        lane->stats.nbytes += lane->nrows * sizeof *doubles;
        for (size_t i = 0; i < lane->count; i++)
            if (vc_chunk_has(chunk, (uint32_t)(first + lane->rows[i])))
                add_double(&accumulators[slot_at(lane, i)], spec->aggregator,
                           doubles[lane->rows[i]]);
        return VC_OK;
    }
    const uint64_t *deltas = entry_wide_deltas(lane, chunk);
    uint64_t base = (uint64_t)chunk->blocks[lane->block].min;
    for (size_t i = 0; i < lane->count; i++) {
        if (!vc_chunk_has(chunk, (uint32_t)(first + lane->rows[i]))) continue;
        int64_t value = (int64_t)(base + deltas[i]);
        uint32_t slot = slot_at(lane, i);
        add_int(&accumulators[slot], spec->aggregator, value);
    }
    return VC_OK;
}

static vc_status accumulate_ids(struct lane *lane, size_t number, const vc_chunk *chunk)
{
    enum { BATCH = 512 };
    uint32_t slots[BATCH], ids[BATCH];
    const uint64_t *deltas = entry_wide_deltas(lane, chunk);
    uint64_t base = (uint64_t)chunk->blocks[lane->block].min;
    size_t first = (size_t)lane->block * VC_BLOCK_ROWS, n = 0;
    vc_status status = VC_OK;
    for (size_t i = 0; i < lane->count && status == VC_OK; i++) {
        if (!vc_chunk_has(chunk, (uint32_t)(first + lane->rows[i]))) continue;
        slots[n] = slot_at(lane, i);
        ids[n++] = (uint32_t)(base + deltas[i]);
        if (n < BATCH) continue;
        status = vc_cells_add_ids(lane->cells, number, slots, ids, n, &lane->error);
        n = 0;
    }
    if (status == VC_OK)
        status = vc_cells_add_ids(lane->cells, number, slots, ids, n, &lane->error);
    return status;
}

static vc_status accumulate(struct lane *lane, size_t number)
{
    const struct scan *scan = lane->scan;
    int column = value_column(scan, &scan->pass->accumulators[number]);
    const vc_chunk *chunk;
    if (scan->keeps[number] == VC_KEEP_ROWS) return VC_OK; /* the cells count rows anyway */
    vc_status status = find_chunk(lane, scan->table->nsteps + number, (uint16_t)column, &chunk);
    if (status != VC_OK) return status;
    if (scan->pass->accumulators[number].aggregator == VC_AGG_COUNT_DISTINCT)
        return accumulate_ids(lane, number, chunk);
    if (scan->keeps[number] == VC_KEEP_WIDE) return accumulate_wide(lane, number, chunk);
    int64_t *sums = vc_cells_sums(lane->cells, number);
    if (lane->is_one_cell)
        sum_one_cell(lane, chunk, (uint16_t)column, sums);
    else
        sum_entries(lane, chunk, (uint16_t)column, sums);
    return VC_OK;
}

/* ---- blocks, segments, lanes ---- */

static vc_status scan_block(struct lane *lane)
{
    const struct scan *scan = lane->scan;
    bool is_empty;
    vc_status status = filter_block(lane, &is_empty);
    if (status != VC_OK) return status;
    if (is_empty) {
        lane->stats.nblocks_skipped++;
        return VC_OK;
    }
    count_rows(lane);
    lane->stats.nrows_scanned += lane->nrows;
    lane->stats.nrows_kept += lane->count;
    if (lane->count == 0) return VC_OK;
    status = scan->is_ragged ? expand(lane) : find_slots(lane);
    if (status != VC_OK || lane->count == 0) return status;
    uint64_t *rows = vc_cells_rows(lane->cells);
    if (lane->is_one_cell)
        rows[lane->cell] += lane->count;
    else
        scan->kernels->count(lane->slots, lane->count, rows);
    for (size_t i = 0; i < scan->pass->naccumulators && status == VC_OK; i++)
        status = accumulate(lane, i);
    return status;
}

/* Some blocks of a segment. All columns of a segment have the same rows: the zones say so. */
static vc_status scan_blocks(struct lane *lane, uint32_t segment, uint32_t first, uint32_t end)
{
    const struct scan *scan = lane->scan;
    const vc_zone *zones;
    if (segment != lane->segment) {
        size_t nchunks = scan->table->nsteps + scan->pass->naccumulators;
        memset(lane->chunks, 0, nchunks * sizeof *lane->chunks);
        lane->segment = segment;
    }
    vc_status status = vc_plan_check(scan->plan, &lane->error);
    if (status == VC_OK)
        status = vc_source_cube_zones(scan->cube, scan->snapshot, 0, &zones, &lane->error);
    if (status != VC_OK) return status;
    uint32_t nrows = zones[segment].nrows;
    for (uint32_t block = first; block < end && block * VC_BLOCK_ROWS < nrows && status == VC_OK;
         block++) {
        uint32_t left = nrows - block * VC_BLOCK_ROWS;
        lane->block = block;
        lane->nrows = left < VC_BLOCK_ROWS ? left : VC_BLOCK_ROWS;
        status = scan_block(lane);
    }
    return status;
}

enum { SEGMENT_BLOCKS = VC_SEGMENT_ROWS / VC_BLOCK_ROWS };
enum { SEGMENT_PIECES = SEGMENT_BLOCKS / PIECE_BLOCKS };

static vc_status scan_lane(struct lane *lane)
{
    struct scan *scan = lane->scan;
    vc_status status = VC_OK;
    if (scan->is_ordered) {
        for (uint32_t i = lane->first; i < lane->end && status == VC_OK; i++)
            status = scan_blocks(lane, scan->segments[i], 0, SEGMENT_BLOCKS);
        return status;
    }
    size_t npieces = (size_t)scan->nsegments * SEGMENT_PIECES, piece;
    while (status == VC_OK && (piece = atomic_fetch_add(&scan->next_piece, 1)) < npieces) {
        uint32_t first = (uint32_t)(piece % SEGMENT_PIECES) * PIECE_BLOCKS;
        status =
            scan_blocks(lane, scan->segments[piece / SEGMENT_PIECES], first, first + PIECE_BLOCKS);
    }
    return status;
}

static void run_lane(void *context, size_t number)
{
    struct scan *scan = context;
    struct lane *lane = &scan->lanes[number];
    size_t nchunks = scan->table->nsteps + scan->pass->naccumulators;
    lane->scan = scan;
    lane->segment = UINT32_MAX;
    lane->chunks = calloc(nchunks + 1, sizeof *lane->chunks);
    lane->status = lane->chunks != NULL && reserve(lane, VC_BLOCK_ROWS)
                       ? vc_cells_new(&scan->form, &lane->cells, &lane->error)
                       : vc_no_memory(&lane->error);
    if (lane->status == VC_OK) lane->status = scan_lane(lane);
}

static void release_lane(struct lane *lane)
{
    vc_cells_free(lane->cells);
    free(lane->chunks);
    free(lane->row_buffer);
    free(lane->slots);
    free(lane->picked);
    free(lane->wide);
    free(lane->spare_rows);
    free(lane->spare_wide);
}

/* ---- before the scan ---- */

static int compare_filters(const void *a, const void *b)
{
    const vc_step *x = *(const vc_step *const *)a, *y = *(const vc_step *const *)b;
    double p = (double)x->npassing / x->nleaves, q = (double)y->npassing / y->nleaves;
    if (p != q) return p < q ? -1 : 1;
    return (x > y) - (x < y);
}

static vc_status choose_filters(struct scan *scan, vc_error *error)
{
    const vc_table *table = scan->table;
    scan->filters = VC_ARENA_NEW(scan->plan->arena, const vc_step *, table->nsteps + 1);
    if (scan->filters == NULL) return vc_no_memory(error);
    scan->is_ragged = table->ncells > UINT32_MAX;
    for (size_t i = 0; i < table->nsteps; i++) {
        const vc_step *step = &table->steps[i];
        if (step->npassing < step->nleaves) scan->filters[scan->nfilters++] = step;
        scan->is_ragged |= step->offsets != NULL;
    }
    qsort(scan->filters, scan->nfilters, sizeof *scan->filters, compare_filters);
    return VC_OK;
}

/* The segments that no zone rules out. */
static vc_status choose_segments(struct scan *scan, vc_scan_stats *stats, vc_error *error)
{
    uint32_t nsegments = scan->cube->nsegments;
    const vc_zone *zones;
    bool *is_out = VC_ARENA_NEW(scan->plan->arena, bool, (size_t)nsegments + 1);
    scan->segments = VC_ARENA_NEW(scan->plan->arena, uint32_t, (size_t)nsegments + 1);
    if (is_out == NULL || scan->segments == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < scan->nfilters; i++) {
        vc_status status = vc_source_cube_zones(scan->cube, scan->snapshot,
                                                scan->filters[i]->column, &zones, error);
        if (status != VC_OK) return status;
        for (uint32_t s = 0; s < nsegments; s++)
            is_out[s] |= none_pass(scan->filters[i], zones[s].min, zones[s].max);
    }
    vc_status status = vc_source_cube_zones(scan->cube, scan->snapshot, 0, &zones, error);
    for (uint32_t s = 0; s < nsegments && status == VC_OK; s++) {
        stats->nrows += zones[s].nrows;
        if (is_out[s]) continue;
        scan->segments[scan->nsegments++] = s;
        stats->nblocks += (zones[s].nrows + VC_BLOCK_ROWS - 1) / VC_BLOCK_ROWS;
        stats->nrows_scanned += zones[s].nrows;
    }
    stats->nsegments = nsegments;
    stats->nsegments_skipped = nsegments - scan->nsegments;
    return status;
}

/* The narrowest way to keep an accumulator that is exact whatever facts fall into one cell. */
static vc_status choose_keep(const struct scan *scan, const vc_accumulator_spec *spec,
                             vc_keep *keep_out, vc_error *error)
{
    int column = value_column(scan, spec);
    bool is_sum = (spec->aggregator == VC_AGG_SUM || spec->aggregator == VC_AGG_AVG) &&
                  spec->type != VC_VALUE_FLOAT;
    const vc_zone *zones;
    uint64_t most = 0, product;
    *keep_out = column < 0 ? VC_KEEP_ROWS : VC_KEEP_WIDE;
    if (column < 0 || (!is_sum && spec->aggregator != VC_AGG_COUNT)) return VC_OK;
    vc_status status =
        vc_source_cube_zones(scan->cube, scan->snapshot, (uint16_t)column, &zones, error);
    if (status != VC_OK) return status;
    for (uint32_t s = 0; s < scan->cube->nsegments; s++) {
        if (zones[s].nnulls > 0) return VC_OK;
        uint64_t low = zones[s].min < 0 ? -(uint64_t)zones[s].min : (uint64_t)zones[s].min;
        uint64_t high = zones[s].max < 0 ? -(uint64_t)zones[s].max : (uint64_t)zones[s].max;
        most = low > most ? low : most;
        most = high > most ? high : most;
    }
    if (!is_sum)
        *keep_out = VC_KEEP_ROWS;
    else if (!__builtin_mul_overflow(most, scan->cube->nrows, &product) && product <= INT64_MAX)
        *keep_out = VC_KEEP_SUM64;
    return VC_OK;
}

static vc_status choose_keeps(struct scan *scan, vc_error *error)
{
    const vc_pass *pass = scan->pass;
    scan->keeps = VC_ARENA_NEW(scan->plan->arena, vc_keep, pass->naccumulators + 1);
    if (scan->keeps == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < pass->naccumulators; i++) {
        const vc_accumulator_spec *spec = &pass->accumulators[i];
        vc_status status = choose_keep(scan, spec, &scan->keeps[i], error);
        if (status != VC_OK) return status;
        scan->is_ordered |= spec->type == VC_VALUE_FLOAT &&
                            (spec->aggregator == VC_AGG_SUM || spec->aggregator == VC_AGG_AVG);
    }
    return VC_OK;
}

/* Ids of a count_distinct are below. */
static vc_status find_nids(const struct scan *scan, const vc_accumulator_spec *spec,
                           uint64_t *nids_out, vc_error *error)
{
    const vc_zone *zones;
    uint16_t column = (uint16_t)value_column(scan, spec);
    vc_status status = vc_source_cube_zones(scan->cube, scan->snapshot, column, &zones, error);
    *nids_out = 0;
    for (uint32_t s = 0; s < scan->cube->nsegments && status == VC_OK; s++) {
        if (zones[s].nnulls == zones[s].nrows) continue;
        if (zones[s].min < 0 || zones[s].max > UINT32_MAX)
            return vc_fail(error, VC_CORRUPT, "storage_damaged",
                           "cube '%.*s', fact column %u, segment %u: ids from %lld to %lld are out "
                           "of range",
                           VC_FMT(scan->cube->name), column, s, (long long)zones[s].min,
                           (long long)zones[s].max);
        if ((uint64_t)zones[s].max >= *nids_out) *nids_out = (uint64_t)zones[s].max + 1;
    }
    return status;
}

/* What each of nlanes gets about its share of the facts that are scanned into. */
static vc_status choose_form(struct scan *scan, size_t nlanes, uint64_t nrows_scanned,
                             vc_error *error)
{
    const vc_pass *pass = scan->pass;
    uint64_t *nids = VC_ARENA_NEW(scan->plan->arena, uint64_t, pass->naccumulators + 1);
    vc_status status = nids == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t i = 0; i < pass->naccumulators && status == VC_OK; i++)
        if (pass->accumulators[i].aggregator == VC_AGG_COUNT_DISTINCT)
            status = find_nids(scan, &pass->accumulators[i], &nids[i], error);
    scan->form = (vc_cells_form){.ncells = scan->table->ncells,
                                 .specs = pass->accumulators,
                                 .keeps = scan->keeps,
                                 .nids = nids,
                                 .nspecs = pass->naccumulators,
                                 .nrows = nrows_scanned / nlanes,
                                 .max_slots = scan->plan->options->limits.max_cells};
    return status;
}

static size_t count_lanes(const struct scan *scan)
{
    uint32_t nsegments = scan->cube->nsegments;
    if (scan->is_ordered) return nsegments < MAX_PARTS ? nsegments : MAX_PARTS;
    size_t npieces = (size_t)scan->nsegments * SEGMENT_PIECES, most = npieces / 2;
    size_t nthreads = vc_pool_nthreads(scan->plan->options->pool);
    return nthreads < most ? nthreads : most;
}

static vc_status check_memory(const struct scan *scan, size_t nlanes, vc_scan_stats *stats,
                              vc_error *error)
{
    uint64_t limit = scan->plan->options->limits.max_memory_bytes;
    stats->is_dense = vc_cells_fit_densely(&scan->form);
    stats->memory_bytes =
        nlanes * sizeof(struct lane) + vc_cells_estimate(&scan->form, stats->nrows_scanned, nlanes);
    char need[VC_NUMBER_TEXT], most[VC_NUMBER_TEXT];
    if (stats->memory_bytes <= limit || scan->plan->is_dry) return VC_OK;
    vc_format_bytes(need, stats->memory_bytes);
    vc_format_bytes(most, limit);
    return vc_fail(error, VC_LIMIT, "limit_memory",
                   "the query may need %s of memory, the limit is %s; drill fewer dimensions, or "
                   "cut more",
                   need, most);
}

/* Bytes of a column in the segments that are left, at most: blocks are no wider than the range of
 * their segment. */
static vc_status promise_bytes(const struct scan *scan, uint16_t column, uint64_t *bytes,
                               vc_error *error)
{
    const vc_zone *zones;
    vc_status status = vc_source_cube_zones(scan->cube, scan->snapshot, column, &zones, error);
    for (uint32_t i = 0; i < scan->nsegments && status == VC_OK; i++) {
        const vc_zone *zone = &zones[scan->segments[i]];
        uint64_t range = zone->min > zone->max ? 0 : (uint64_t)zone->max - (uint64_t)zone->min;
        uint64_t nblocks = (zone->nrows + VC_BLOCK_ROWS - 1) / VC_BLOCK_ROWS;
        *bytes += nblocks * vc_packed_bytes(VC_BLOCK_ROWS, vc_packed_width(range));
    }
    return status;
}

/* A step reads its column to filter and to group, an accumulator its own. */
static vc_status promise_all_bytes(const struct scan *scan, vc_scan_stats *stats, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < scan->table->nsteps && status == VC_OK; i++) {
        const vc_step *step = &scan->table->steps[i];
        if (step->npassing < step->nleaves)
            status = promise_bytes(scan, step->column, &stats->nbytes, error);
        if (status == VC_OK && (step->groups != NULL || step->offsets != NULL))
            status = promise_bytes(scan, step->column, &stats->nbytes, error);
    }
    for (size_t i = 0; i < scan->pass->naccumulators && status == VC_OK; i++)
        if (scan->keeps[i] != VC_KEEP_ROWS)
            status = promise_bytes(scan, (uint16_t)value_column(scan, &scan->pass->accumulators[i]),
                                   &stats->nbytes, error);
    return status;
}

/* ---- the whole ---- */

static void add_stats(vc_scan_stats *stats, const struct lane *lane)
{
    stats->nblocks_skipped += lane->stats.nblocks_skipped;
    stats->nrows_scanned += lane->stats.nrows_scanned;
    stats->nrows_kept += lane->stats.nrows_kept;
    stats->nbytes += lane->stats.nbytes;
}

/* Parts are cut by the cube's segments, not by those that are read, so that a cell's doubles are
 * added up in the same way whatever else a query asks for. */
static uint32_t find_part_end(const struct scan *scan, size_t part, size_t nparts)
{
    uint64_t end = (uint64_t)scan->cube->nsegments * (part + 1) / nparts;
    uint32_t place = 0;
    while (place < scan->nsegments && scan->segments[place] < end)
        place++;
    return place;
}

static vc_status run(struct scan *scan, size_t nlanes, vc_cells **cells_out, vc_scan_stats *stats,
                     vc_error *error)
{
    vc_status status = VC_OK;
    vc_cells **parts = VC_ARENA_NEW(scan->plan->arena, vc_cells *, nlanes);
    scan->lanes = calloc(nlanes, sizeof *scan->lanes);
    if (scan->lanes == NULL || parts == NULL) {
        free(scan->lanes);
        return vc_no_memory(error);
    }
    for (size_t i = 0; i < nlanes; i++) {
        scan->lanes[i].first = i == 0 ? 0 : scan->lanes[i - 1].end;
        scan->lanes[i].end = find_part_end(scan, i, nlanes);
    }
    vc_pool_run(scan->plan->options->pool, nlanes, run_lane, scan);
    stats->nrows_scanned = 0;
    for (size_t i = 0; i < nlanes; i++) {
        struct lane *lane = &scan->lanes[i];
        add_stats(stats, lane);
        if (status != VC_OK) continue;
        status = lane->status;
        if (status != VC_OK && error != NULL) *error = lane->error;
        parts[i] = lane->cells;
    }
    if (status == VC_OK)
        status = vc_cells_merge(scan->plan->options->pool, parts, nlanes, cells_out, error);
    if (status == VC_OK && parts[0] == NULL) scan->lanes[0].cells = NULL;
    for (size_t i = 0; i < nlanes; i++)
        release_lane(&scan->lanes[i]);
    free(scan->lanes);
    return status;
}

vc_status vc_scan_run(const vc_plan *plan, const vc_pass *pass, const vc_table *table,
                      vc_cells **cells_out, vc_scan_stats *stats, vc_error *error)
{
    struct scan scan = {.plan = plan,
                        .pass = pass,
                        .table = table,
                        .cube = plan->cube->sources[pass->source].cube,
                        .snapshot = vc_model_snapshot(plan->model),
                        .kernels = vc_kernels_get(vc_cpu_get_level()),
                        .packed = vc_packed_get_kernels(vc_cpu_get_level())};
    *stats = (vc_scan_stats){0};
    vc_status status = choose_filters(&scan, error);
    if (status == VC_OK) status = choose_segments(&scan, stats, error);
    if (status == VC_OK) status = choose_keeps(&scan, error);
    if (status != VC_OK) return status;
    size_t nlanes = count_lanes(&scan);
    if (nlanes == 0) nlanes = 1; /* no facts: cells with nothing in them */
    stats->nthreads = vc_pool_nthreads(plan->options->pool);
    if (stats->nthreads > nlanes) stats->nthreads = (unsigned)nlanes;
    status = choose_form(&scan, nlanes, stats->nrows_scanned, error);
    if (status == VC_OK) status = check_memory(&scan, nlanes, stats, error);
    if (status != VC_OK) return status;
    if (cells_out == NULL) return promise_all_bytes(&scan, stats, error);
    return run(&scan, nlanes, cells_out, stats, error);
}
