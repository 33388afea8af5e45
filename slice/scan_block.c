/* One block: which rows pass, which cell each falls into, what is added there. */
#include "slice/accumulator.h"
#include "slice/collect.h"

#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

bool vc_lane_reserve(vc_lane *lane, size_t count)
{
    if (count <= lane->capacity) return true;
    size_t capacity = count + count / 2, room = capacity + VC_SCAN_SLACK;
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

static bool reserve_spare(vc_lane *lane, size_t count)
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
static vc_status check_leaves(vc_lane *lane, const vc_step *step, const vc_chunk *chunk)
{
    if (chunk->type == VC_CHUNK_INT && chunk->validity == NULL &&
        (chunk->nrows == 0 || (chunk->min >= 0 && chunk->max < (int64_t)step->nleaves)))
        return VC_OK;
    return vc_fail(
        &lane->error, VC_CORRUPT, "storage_damaged",
        "cube '%.*s', segment %u: column %u holds leaves that the dimension does not have",
        VC_FMT(lane->scan->cube->name), lane->segment, step->column);
}

static vc_status find_chunk(vc_lane *lane, size_t place, uint16_t column,
                            const vc_chunk **chunk_out)
{
    const vc_scan *scan = lane->scan;
    *chunk_out = lane->chunks[place];
    if (*chunk_out != NULL) return VC_OK;
    if (column >= VC_COLUMN_TUPLES) return vc_lane_find_tuples(lane, place, chunk_out);
    vc_status status = vc_source_cube_view(scan->cube, scan->snapshot, column, lane->segment,
                                           chunk_out, &lane->error);
    if (status == VC_OK && (*chunk_out)->nrows != lane->segment_rows)
        status = vc_fail(&lane->error, VC_CORRUPT, "storage_damaged",
                         "cube '%.*s', segment %u: column %u has %u rows, others have %u",
                         VC_FMT(scan->cube->name), lane->segment, column, (*chunk_out)->nrows,
                         lane->segment_rows);
    if (status == VC_OK && place < scan->table->nsteps)
        status = check_leaves(lane, &scan->table->steps[place], *chunk_out);
    if (status == VC_OK) lane->chunks[place] = *chunk_out;
    return status;
}

vc_status vc_lane_leaves(vc_lane *lane, uint16_t column, const vc_chunk **chunk_out)
{
    const vc_scan *scan = lane->scan;
    vc_step all = {.column = column, .nleaves = vc_source_cube_stored_leaves(scan->cube, column)};
    size_t place = scan->table->nsteps + 2 * scan->pass->naccumulators + column;
    vc_status status = find_chunk(lane, place, column, chunk_out);
    return status == VC_OK ? check_leaves(lane, &all, *chunk_out) : status;
}

static vc_status step_chunk(vc_lane *lane, const vc_step *step, const vc_chunk **chunk_out)
{
    return find_chunk(lane, (size_t)(step - lane->scan->table->steps), step->column, chunk_out);
}

/* Count the bytes of a column in the block, once. */
static void count_bytes(vc_lane *lane, uint16_t column, const vc_block *block)
{
    if (column >= VC_COLUMN_TUPLES) return; /* the columns it is made of were counted */
    for (size_t i = 0; i < lane->ncounted; i++)
        if (lane->counted[i] == column) return;
    if (lane->ncounted < sizeof lane->counted / sizeof lane->counted[0])
        lane->counted[lane->ncounted++] = column;
    lane->stats.nbytes += vc_packed_bytes(lane->nrows, block->width);
}

/* ---- filters: which rows pass ---- */

static bool all_in_range(const vc_step *step, int64_t min, int64_t max)
{
    return min >= (int64_t)step->first && max < (int64_t)step->end;
}

static bool all_pass(const vc_step *step, int64_t min, int64_t max)
{
    return all_in_range(step, min, max) &&
           (step->passing == NULL || vc_bits_all(step->passing, (size_t)min, (size_t)max + 1));
}

static void start_mask(vc_lane *lane)
{
    size_t full = lane->nrows / 64, rest = lane->nrows % 64;
    memset(lane->mask, 0xFF, full * sizeof *lane->mask);
    memset(lane->mask + full, 0, (VC_MASK_WORDS - full) * sizeof *lane->mask);
    if (rest > 0) lane->mask[full] = (UINT64_C(1) << rest) - 1;
    lane->is_all = false;
}

static void apply_range(vc_lane *lane, const vc_step *step, const vc_chunk *chunk,
                        const vc_block *block)
{
    int64_t first = (int64_t)step->first - block->min, last = (int64_t)step->end - 1 - block->min;
    if (lane->is_all) start_mask(lane);
    count_bytes(lane, step->column, block);
    lane->scan->packed->filter(vc_chunk_block_data(chunk, lane->block), block->width, lane->nrows,
                               first < 0 ? 0 : (uint64_t)first, (uint64_t)last, lane->mask);
}

/* Unpack all rows of a column into `leaves`, unless that is what is there. */
static const uint32_t *unpack_block(vc_lane *lane, const vc_chunk *chunk, uint16_t column)
{
    const vc_block *block = &chunk->blocks[lane->block];
    if (lane->unpacked_column == column) return lane->leaves;
    count_bytes(lane, column, block);
    lane->scan->packed->unpack32(vc_chunk_block_data(chunk, lane->block), block->width, lane->nrows,
                                 lane->leaves);
    lane->unpacked_column = column;
    return lane->leaves;
}

/* Leaves that pass here and there: looked up one by one, for the rows that passed so far when they
 * are few. */
static void apply_set(vc_lane *lane, const vc_step *step, const vc_chunk *chunk,
                      const vc_block *block)
{
    const vc_scan *scan = lane->scan;
    if (lane->is_all) start_mask(lane);
    size_t count = scan->kernels->count_bits(lane->mask, VC_MASK_WORDS);
    if (count * 8 > lane->nrows) {
        scan->kernels->filter_set(unpack_block(lane, chunk, step->column), lane->nrows,
                                  (uint32_t)block->min, step->passing, lane->mask);
        return;
    }
    count_bytes(lane, step->column, block);
    scan->kernels->positions(lane->mask, VC_MASK_WORDS, lane->row_buffer);
    scan->packed->gather32(vc_chunk_block_data(chunk, lane->block), block->width, lane->row_buffer,
                           count, lane->picked);
    for (size_t i = 0; i < count; i++)
        if (!vc_bit_get(step->passing, (size_t)block->min + lane->picked[i]))
            vc_bit_clear(lane->mask, lane->row_buffer[i]);
}

/* The same for all rows, and their groups at once. */
static void select_groups(vc_lane *lane, const vc_step *step, const vc_chunk *chunk,
                          const vc_block *block)
{
    start_mask(lane); /* words past the rows */
    lane->scan->kernels->select_groups(unpack_block(lane, chunk, step->column), lane->nrows,
                                       step->groups + block->min, lane->mask, lane->slots);
    lane->selected = step;
}

/* What the other filters must be equal to. */
static void apply_plainly(vc_lane *lane, const vc_step *step, const vc_chunk *chunk,
                          const vc_block *block)
{
    const void *data = vc_chunk_block_data(chunk, lane->block);
    if (lane->is_all) start_mask(lane);
    count_bytes(lane, step->column, block);
    for (uint32_t row = 0; row < lane->nrows; row++) {
        uint64_t leaf = (uint64_t)block->min + vc_packed_get(data, block->width, row);
        if (!vc_step_passes(step, (uint32_t)leaf)) vc_bit_clear(lane->mask, row);
    }
}

/* Leaves in lane->mask the rows that pass every step; *is_empty_out: none can. What the zones
 * decide comes first, it is free; then compares, then sets. */
static vc_status filter_block(vc_lane *lane, bool *is_empty_out)
{
    enum { ZONES, RANGES, SETS, NROUNDS };
    const vc_scan *scan = lane->scan;
    *is_empty_out = false;
    lane->is_all = true;
    lane->selected = NULL;
    lane->unpacked_column = VC_NONE;
    lane->ncounted = 0;
    for (int round = ZONES; round < NROUNDS; round++)
        for (size_t i = 0; i < scan->nfilters; i++) {
            const vc_step *step = scan->filters[i];
            const vc_chunk *chunk;
            vc_status status = step_chunk(lane, step, &chunk);
            if (status != VC_OK) return status;
            const vc_block *block = &chunk->blocks[lane->block];
            if (scan->plan->options->is_plain) {
                if (round == ZONES) apply_plainly(lane, step, chunk, block);
                continue;
            }
            if (vc_scan_none_pass(step, block->min, block->max)) {
                *is_empty_out = true;
                return VC_OK;
            }
            if (round == RANGES && !all_in_range(step, block->min, block->max))
                apply_range(lane, step, chunk, block);
            if (round == SETS && step->passing != NULL && !all_pass(step, block->min, block->max)) {
                if (step == scan->selecting && lane->is_all)
                    select_groups(lane, step, chunk, block);
                else
                    apply_set(lane, step, chunk, block);
            }
        }
    return VC_OK;
}

static void count_rows(vc_lane *lane)
{
    lane->rows = NULL;
    lane->count = lane->nrows;
    if (lane->is_all) return;
    lane->count = lane->scan->kernels->count_bits(lane->mask, VC_MASK_WORDS);
    lane->is_all = lane->count == lane->nrows;
}

/* The rows of the entries as a list, for whoever cannot do with the mask. */
void vc_lane_list_rows(vc_lane *lane)
{
    if (lane->rows != NULL) return;
    if (lane->is_all)
        for (size_t i = 0; i < lane->nrows; i++)
            lane->row_buffer[i] = (uint16_t)i;
    else
        lane->scan->kernels->positions(lane->mask, VC_MASK_WORDS, lane->row_buffer);
    lane->rows = lane->row_buffer;
}

/* ---- deltas of a column for the entries ---- */

/* [count] deltas of a block of at most 32 bits, one for each entry: all rows unpacked and picked
 * from where many are left, else only those that are. The array is leaves or picked. */
static const uint32_t *entry_deltas(vc_lane *lane, const vc_chunk *chunk, uint16_t column)
{
    const vc_scan *scan = lane->scan;
    const vc_block *block = &chunk->blocks[lane->block];
    if (lane->is_all) return unpack_block(lane, chunk, column);
    vc_lane_list_rows(lane);
    if (lane->unpacked_column == column || lane->count * 8 > lane->nrows) {
        scan->kernels->pick32(unpack_block(lane, chunk, column), lane->rows, lane->count,
                              lane->picked);
    } else {
        count_bytes(lane, column, block);
        scan->packed->gather32(vc_chunk_block_data(chunk, lane->block), block->width, lane->rows,
                               lane->count, lane->picked);
    }
    return lane->picked;
}

/* The same for any width, in `wide` (after the slots are known, it is free). */
static const uint64_t *entry_wide_deltas(vc_lane *lane, const vc_chunk *chunk, uint16_t column)
{
    const vc_scan *scan = lane->scan;
    const vc_block *block = &chunk->blocks[lane->block];
    const void *data = vc_chunk_block_data(chunk, lane->block);
    count_bytes(lane, column, block);
    vc_lane_list_rows(lane);
    if (lane->count * 4 > lane->nrows) {
        scan->packed->unpack64(data, block->width, lane->nrows, lane->values);
        for (size_t i = 0; i < lane->count; i++)
            lane->wide[i] = lane->values[lane->rows[i]];
    } else {
        scan->packed->gather64(data, block->width, lane->rows, lane->count, lane->wide);
    }
    return lane->wide;
}

void vc_lane_values(vc_lane *lane, const vc_chunk *chunk, const uint16_t *rows, size_t n,
                    uint64_t *values_out)
{
    const vc_block *block = &chunk->blocks[lane->block];
    if (chunk->type == VC_CHUNK_FLOAT) {
        const uint64_t *bits = (const uint64_t *)chunk->data + (size_t)lane->block * VC_BLOCK_ROWS;
        for (size_t i = 0; i < n; i++)
            values_out[i] = bits[rows[i]];
        return;
    }
    lane->scan->packed->gather64(vc_chunk_block_data(chunk, lane->block), block->width, rows, n,
                                 values_out);
    for (size_t i = 0; i < n; i++)
        values_out[i] += (uint64_t)block->min;
}

/* ---- keys and slots ---- */

/* A table through a join is in no order, but leaves that are neighbours are often in one group. */
static bool are_in_one_group(const uint32_t *groups, int64_t first, int64_t last)
{
    enum { MOST_LEAVES = 256 };
    int64_t leaf = first;
    if (last - first >= MOST_LEAVES) return false;
    while (leaf < last && groups[leaf + 1] == groups[first])
        leaf++;
    return leaf == last;
}

/* Is the block in one group of the step? */
static bool find_block_group(const vc_step *step, const vc_block *block, uint32_t *group_out)
{
    int64_t first = block->min, last = block->max;
    if (step->is_ordered) { /* rows that do not pass do not count */
        if (first < (int64_t)step->first) first = step->first;
        if (last >= (int64_t)step->end) last = (int64_t)step->end - 1;
    }
    *group_out = step->groups[first];
    if (step->is_ordered) return step->groups[last] == *group_out;
    return are_in_one_group(step->groups, first, last);
}

static vc_status slot_wide_keys(vc_lane *lane)
{
    return vc_cells_slots(lane->cells, lane->wide, lane->count, lane->slots, &lane->error);
}

/* What was selected as groups becomes keys. */
static void stride_selected(vc_lane *lane, uint32_t stride)
{
    for (size_t i = 0; stride != 1 && i < lane->count; i++)
        lane->slots[i] *= stride;
}

/* Keys of 32 bits, one group per entry: nearly every query. Before the first group is added, keys
 * are minus the first visible ones. */
static vc_status find_slots(vc_lane *lane)
{
    const vc_scan *scan = lane->scan;
    const vc_table *table = scan->table;
    uint32_t constant = (uint32_t)scan->origin;
    bool has_keys = lane->selected != NULL;
    vc_status status = VC_OK;
    if (has_keys) stride_selected(lane, (uint32_t)scan->strides[lane->selected - table->steps]);
    for (size_t i = 0; i < table->nsteps && status == VC_OK; i++) {
        const vc_step *step = &table->steps[i];
        const vc_chunk *chunk;
        uint32_t group, stride = (uint32_t)scan->strides[i];
        if (step->stride == 0 || step == lane->selected) continue;
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
    return slot_wide_keys(lane);
}

/* One step for entries with wide keys; a ragged one may make more of them. */
static vc_status expand_step(vc_lane *lane, const vc_step *step, uint64_t stride,
                             const vc_chunk *chunk)
{
    const vc_block *block = &chunk->blocks[lane->block];
    const uint32_t *deltas = entry_deltas(lane, chunk, step->column);
    if (step->offsets == NULL) {
        for (size_t i = 0; i < lane->count; i++)
            lane->wide[i] += step->groups[(uint64_t)block->min + deltas[i]] * stride;
        return VC_OK;
    }
    size_t count = 0;
    for (size_t i = 0; i < lane->count; i++) {
        size_t leaf = (size_t)block->min + deltas[i];
        uint32_t first = step->offsets[leaf], end = step->offsets[leaf + 1];
        if (!reserve_spare(lane, count + (end - first))) return vc_no_memory(&lane->error);
        for (uint32_t t = first; t < end; t++) {
            lane->spare_rows[count] = lane->rows[i];
            lane->spare_wide[count++] = lane->wide[i] + step->targets[t] * stride;
        }
    }
    if (!vc_lane_reserve(lane, count)) return vc_no_memory(&lane->error);
    if (count > 0) {
        memcpy(lane->row_buffer, lane->spare_rows, count * sizeof *lane->row_buffer);
        memcpy(lane->wide, lane->spare_wide, count * sizeof *lane->wide);
    }
    lane->rows = lane->row_buffer;
    lane->count = count;
    lane->is_all = false;
    return VC_OK;
}

static vc_status expand(vc_lane *lane)
{
    const vc_scan *scan = lane->scan;
    const vc_table *table = scan->table;
    vc_status status = VC_OK;
    vc_lane_list_rows(lane);
    for (size_t i = 0; i < lane->count; i++)
        lane->wide[i] = scan->origin;
    for (size_t i = 0; i < table->nsteps && status == VC_OK; i++) {
        const vc_chunk *chunk;
        if (table->steps[i].stride == 0) continue;
        status = step_chunk(lane, &table->steps[i], &chunk);
        if (status == VC_OK) status = expand_step(lane, &table->steps[i], scan->strides[i], chunk);
    }
    lane->is_one_cell = false;
    if (status == VC_OK && scan->pass->combinations != NULL)
        status = vc_lane_keep_combinations(lane);
    return status == VC_OK ? slot_wide_keys(lane) : status;
}

/* ---- measures ---- */

static uint32_t slot_at(const vc_lane *lane, size_t entry)
{
    return lane->is_one_cell ? lane->cell : lane->slots[entry];
}

/* All entries in one cell: nothing is scattered, and where many rows are left, nothing listed. */
static void sum_one_cell(vc_lane *lane, const vc_chunk *chunk, uint16_t column, int64_t *sums)
{
    const vc_scan *scan = lane->scan;
    const vc_block *block = &chunk->blocks[lane->block];
    uint64_t sum = (uint64_t)block->min * lane->count;
    if (block->width > 32) {
        const uint64_t *deltas = entry_wide_deltas(lane, chunk, column);
        for (size_t i = 0; i < lane->count; i++)
            sum += deltas[i];
    } else if (block->width > 0 && !lane->is_all && lane->count * 8 > lane->nrows) {
        sum +=
            scan->kernels->sum32_masked(unpack_block(lane, chunk, column), lane->mask, lane->nrows);
    } else if (block->width > 0) {
        sum += scan->kernels->sum32(entry_deltas(lane, chunk, column), lane->count);
    }
    sums[lane->cell] = (int64_t)((uint64_t)sums[lane->cell] + sum);
}

static void sum_entries(vc_lane *lane, const vc_chunk *chunk, uint16_t column, int64_t *sums)
{
    const vc_scan *scan = lane->scan;
    const vc_block *block = &chunk->blocks[lane->block];
    if (block->width > 32)
        scan->kernels->add64(lane->slots, entry_wide_deltas(lane, chunk, column), lane->count,
                             block->min, sums);
    else
        scan->kernels->add32(lane->slots, entry_deltas(lane, chunk, column), lane->count,
                             block->min, sums);
}

/* Nulls, extremes, doubles, sums that may not fit: value by value. */
static vc_status accumulate_wide(vc_lane *lane, size_t number, const vc_chunk *chunk,
                                 uint16_t column)
{
    const vc_accumulator_spec *spec = &lane->scan->pass->accumulators[number];
    vc_accumulator *accumulators = vc_cells_accumulators(lane->cells, number);
    size_t first = (size_t)lane->block * VC_BLOCK_ROWS;
    vc_lane_list_rows(lane);
    if (chunk->type == VC_CHUNK_FLOAT) {
        const double *doubles = (const double *)chunk->data + first;
        lane->stats.nbytes += lane->nrows * sizeof *doubles;
        for (size_t i = 0; i < lane->count; i++)
            if (vc_chunk_has(chunk, (uint32_t)(first + lane->rows[i])))
                vc_accumulator_add_double(&accumulators[slot_at(lane, i)], spec->aggregator,
                                          doubles[lane->rows[i]]);
        return VC_OK;
    }
    const uint64_t *deltas = entry_wide_deltas(lane, chunk, column);
    uint64_t base = (uint64_t)chunk->blocks[lane->block].min;
    for (size_t i = 0; i < lane->count; i++) {
        if (!vc_chunk_has(chunk, (uint32_t)(first + lane->rows[i]))) continue;
        int64_t value = (int64_t)(base + deltas[i]);
        uint32_t slot = slot_at(lane, i);
        vc_accumulator_add_int(&accumulators[slot], spec->aggregator, value);
    }
    return VC_OK;
}

static double as_double(const vc_chunk *chunk, uint64_t bits)
{
    double number;
    if (chunk->type != VC_CHUNK_FLOAT) return (double)(int64_t)bits;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* Variances, and averages by weights. A row counts where both numbers are there. */
static vc_status accumulate_moments(vc_lane *lane, size_t number, const vc_chunk *chunk)
{
    enum { BATCH = 512 };
    const vc_scan *scan = lane->scan;
    const vc_accumulator_spec *spec = &scan->pass->accumulators[number];
    bool has_weights = spec->aggregator == VC_AGG_WEIGHTED_AVG;
    bool is_double = vc_accumulator_is_ordered(spec);
    vc_moments *moments = vc_cells_moments(lane->cells, number);
    uint64_t values[BATCH + VC_SCAN_SLACK], weights[BATCH + VC_SCAN_SLACK];
    uint32_t first = lane->block * VC_BLOCK_ROWS;
    const vc_chunk *weighing = chunk;
    if (has_weights) {
        size_t place = scan->table->nsteps + scan->pass->naccumulators + number;
        vc_status status =
            find_chunk(lane, place, scan->cube->columns[spec->weight_column].column, &weighing);
        if (status != VC_OK) return status;
    }
    vc_lane_list_rows(lane);
    for (size_t i = 0; i < lane->count; i += BATCH) {
        size_t n = lane->count - i < BATCH ? lane->count - i : BATCH;
        vc_lane_values(lane, chunk, lane->rows + i, n, values);
        if (has_weights) vc_lane_values(lane, weighing, lane->rows + i, n, weights);
        for (size_t j = 0; j < n; j++) {
            uint32_t row = first + lane->rows[i + j];
            if (!vc_chunk_has(chunk, row) || !vc_chunk_has(weighing, row)) continue;
            vc_moments *to = &moments[slot_at(lane, i + j)];
            if (has_weights && is_double)
                vc_moments_add_weighted_double(to, as_double(chunk, values[j]),
                                               as_double(weighing, weights[j]));
            else if (has_weights)
                vc_moments_add_weighted_int(to, (int64_t)values[j], (int64_t)weights[j]);
            else if (is_double)
                vc_moments_add_double(to, as_double(chunk, values[j]));
            else
                vc_moments_add_int(to, (int64_t)values[j]);
        }
    }
    lane->stats.nbytes += lane->count * sizeof(uint64_t) * (has_weights ? 2 : 1);
    return VC_OK;
}

/* What is written down instead of added up. */
static vc_status collect(vc_lane *lane, size_t number, int column)
{
    const vc_chunk *chunk = NULL;
    vc_status status = VC_OK;
    if (lane->scan->collects[number] == VC_COLLECT_SAME) return VC_OK;
    if (column >= 0)
        status = find_chunk(lane, lane->scan->table->nsteps + number, (uint16_t)column, &chunk);
    if (status != VC_OK) return status;
    vc_lane_list_rows(lane);
    lane->stats.nbytes += lane->count * sizeof(uint64_t);
    return vc_lane_collect(lane, number, chunk);
}

static vc_status accumulate_ids(vc_lane *lane, size_t number, const vc_chunk *chunk,
                                uint16_t column)
{
    enum { BATCH = 512 };
    uint32_t slots[BATCH], ids[BATCH];
    const uint64_t *deltas = entry_wide_deltas(lane, chunk, column);
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

static vc_status accumulate(vc_lane *lane, size_t number)
{
    const vc_scan *scan = lane->scan;
    int column = vc_scan_value_column(scan, &scan->pass->accumulators[number]);
    const vc_chunk *chunk;
    if (scan->keeps[number] == VC_KEEP_ROWS) return VC_OK; /* the cells count rows anyway */
    if (scan->collects != NULL && scan->collects[number] != VC_COLLECT_NOTHING)
        return collect(lane, number, column);
    vc_status status = find_chunk(lane, scan->table->nsteps + number, (uint16_t)column, &chunk);
    if (status != VC_OK) return status;
    if (scan->pass->accumulators[number].aggregator == VC_AGG_COUNT_DISTINCT)
        return accumulate_ids(lane, number, chunk, (uint16_t)column);
    if (scan->keeps[number] == VC_KEEP_MOMENTS) return accumulate_moments(lane, number, chunk);
    if (scan->keeps[number] == VC_KEEP_WIDE)
        return accumulate_wide(lane, number, chunk, (uint16_t)column);
    int64_t *sums = vc_cells_sums(lane->cells, number);
    if (lane->is_one_cell)
        sum_one_cell(lane, chunk, (uint16_t)column, sums);
    else
        sum_entries(lane, chunk, (uint16_t)column, sums);
    return VC_OK;
}

/* ---- blocks, segments, lanes ---- */

vc_status vc_lane_scan_block(vc_lane *lane)
{
    const vc_scan *scan = lane->scan;
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
    status = scan->expands ? expand(lane) : find_slots(lane);
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

vc_status vc_lane_select_block(vc_lane *lane)
{
    bool is_empty;
    vc_status status = filter_block(lane, &is_empty);
    if (status != VC_OK || is_empty) {
        lane->count = 0;
        return status;
    }
    count_rows(lane);
    vc_lane_list_rows(lane);
    return VC_OK;
}
