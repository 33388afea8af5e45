/* Writing records down during a scan. */
#include "slice/collect.h"

#include "slice/accumulator.h"

#include <stdlib.h>
#include <string.h>

/* ---- records ---- */

uint64_t *vc_records_add(vc_records *records)
{
    size_t chunk = records->count / VC_CHUNK_RECORDS;
    if (chunk == records->chunk_capacity) {
        size_t capacity = chunk == 0 ? 16 : chunk * 2;
        uint64_t **chunks = realloc(records->chunks, capacity * sizeof *chunks);
        if (chunks == NULL) return NULL;
        records->chunks = chunks;
        records->chunk_capacity = capacity;
    }
    if (chunk == records->nchunks) {
        records->chunks[chunk] =
            malloc(VC_CHUNK_RECORDS * records->nwords * sizeof **records->chunks);
        if (records->chunks[chunk] == NULL) return NULL;
        records->nchunks++;
    }
    return vc_records_get(records, records->count++);
}

void vc_records_release(vc_records *records)
{
    for (size_t i = 0; i < records->nchunks; i++)
        free(records->chunks[i]);
    free(records->chunks);
    *records = (vc_records){0};
}

/* ---- what is collected ---- */

static vc_collect choose(const vc_scan *scan, size_t number)
{
    const vc_accumulator_spec *specs = scan->pass->accumulators;
    if (scan->pass->over > VC_OVER_FIRST) return VC_COLLECT_COMBINATIONS;
    if (!vc_is_quantile(specs[number].aggregator)) return VC_COLLECT_NOTHING;
    for (size_t i = 0; i < number; i++)
        if (vc_is_quantile(specs[i].aggregator) && specs[i].column == specs[number].column)
            return VC_COLLECT_SAME;
    return VC_COLLECT_VALUES;
}

/* Fields fill words from their highest bits on, the first dimension first, and stand in one word
 * each. */
static vc_status lay_out(vc_scan *scan, vc_combination_form *form, vc_error *error)
{
    const vc_source_cube *cube = scan->cube;
    size_t over = scan->pass->over_dimension, word = 0;
    unsigned left = 64;
    form->fields = VC_ARENA_NEW(scan->plan->arena, vc_combination_field, cube->ndimensions + 1);
    if (form->fields == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < cube->ndimensions; i++) {
        size_t column = i + 1 == cube->ndimensions ? over : i < over ? i : i + 1;
        uint32_t nleaves = cube->dimensions[column]->nleaves;
        uint32_t nstored = vc_source_cube_stored_leaves(cube, column);
        if (nstored > nleaves) nleaves = nstored;
        unsigned width = vc_packed_width(nleaves > 0 ? nleaves - 1 : 0);
        if (width > left) {
            word++;
            left = 64;
        }
        left -= width;
        form->fields[form->nfields++] = (vc_combination_field){.column = (uint16_t)column,
                                                               .word = (uint8_t)word,
                                                               .shift = (uint8_t)(left % 64),
                                                               .width = (uint8_t)width};
    }
    form->nwords = word + 1;
    return VC_OK;
}

static vc_status find_places(vc_scan *scan, vc_combination_form *form, vc_error *error)
{
    const vc_dimension *dimension = scan->cube->dimensions[scan->pass->over_dimension];
    vc_arena *arena = scan->plan->arena;
    uint32_t nstored = vc_source_cube_stored_leaves(scan->cube, scan->pass->over_dimension);
    vc_numbers numbers;
    uint32_t *places = vc_arena_alloc(arena, ((size_t)nstored + 1) * sizeof *places);
    uint32_t *leaves = VC_ARENA_NEW(arena, uint32_t, (size_t)dimension->nleaves + 1);
    if (places == NULL || leaves == NULL) return vc_no_memory(error);
    vc_status status = vc_table_find_places(dimension, arena, &numbers, error);
    if (status != VC_OK) return status;
    for (uint32_t stored = 0; stored < nstored; stored++) {
        uint32_t leaf = vc_source_cube_leaf(scan->cube, scan->pass->over_dimension, stored);
        places[stored] = leaf == VC_NONE ? VC_NONE : vc_numbers_get(numbers, leaf);
        if (leaf != VC_NONE) leaves[places[stored]] = stored;
    }
    form->places = places;
    form->leaf_of_place = leaves;
    return VC_OK;
}

vc_status vc_scan_choose_collects(vc_scan *scan, vc_error *error)
{
    const vc_pass *pass = scan->pass;
    bool has_combinations = pass->over > VC_OVER_FIRST, has_any = has_combinations;
    for (size_t i = 0; i < pass->naccumulators; i++)
        has_any |= vc_is_quantile(pass->accumulators[i].aggregator);
    if (!has_any) return VC_OK;
    vc_collect *collects = VC_ARENA_NEW(scan->plan->arena, vc_collect, pass->naccumulators + 1);
    vc_combination_form *form = VC_ARENA_NEW(scan->plan->arena, vc_combination_form, 1);
    if (collects == NULL || form == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < pass->naccumulators; i++)
        collects[i] = choose(scan, i);
    scan->collects = collects;
    scan->combinations = form;
    if (!has_combinations) return VC_OK;
    /* Which of the cells of a fact count is known of its entries only, not of its leaves. */
    for (size_t i = 0; i < scan->table->nsteps && pass->combinations != NULL; i++)
        if (scan->table->steps[i].offsets != NULL)
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "totals of the rows shown, or the row of the others, of a measure that "
                           "is resolved per combination, over members that share facts");
    vc_status status = lay_out(scan, form, error);
    return status == VC_OK ? find_places(scan, form, error) : status;
}

/* ---- memory ---- */

/* Into how many cells a fact may fall. */
static uint64_t count_most_cells(const vc_scan *scan)
{
    uint64_t most = 1;
    for (size_t i = 0; i < scan->table->nsteps; i++) {
        const vc_step *step = &scan->table->steps[i];
        uint32_t widest = 1;
        if (step->stride == 0 || step->offsets == NULL) continue;
        for (uint32_t leaf = 0; leaf < step->nleaves; leaf++)
            if (step->offsets[leaf + 1] - step->offsets[leaf] > widest)
                widest = step->offsets[leaf + 1] - step->offsets[leaf];
        if (__builtin_mul_overflow(most, (uint64_t)widest, &most)) most = UINT64_MAX;
    }
    return most;
}

/* Values: records, one more word each to select from, and one for the cell. Combinations: records,
 * and twice as many when they are sorted. */
uint64_t vc_scan_collect_bytes(const vc_scan *scan, uint64_t nrows, size_t nlanes)
{
    uint64_t bytes = 0, each, needed, chunks;
    for (size_t i = 0; scan->collects != NULL && i < scan->pass->naccumulators; i++) {
        if (scan->collects[i] == VC_COLLECT_VALUES) {
            each = 4 * sizeof(uint64_t);
            if (__builtin_mul_overflow(each, count_most_cells(scan), &each)) each = UINT64_MAX;
        } else if (scan->collects[i] == VC_COLLECT_COMBINATIONS) {
            each = 3 * (scan->combinations->nwords + 1) * sizeof(uint64_t);
        } else {
            continue;
        }
        chunks = VC_CHUNK_RECORDS * each * nlanes;
        if (each > UINT32_MAX || __builtin_mul_overflow(each, nrows, &needed) ||
            __builtin_add_overflow(needed, chunks, &needed) ||
            __builtin_add_overflow(bytes, needed, &bytes))
            return UINT64_MAX;
    }
    return bytes;
}

/* ---- writing ---- */

enum { BATCH = 512 };

/* Integers without a sign in the order of the numbers; doubles likewise, -0 being 0. */
static uint64_t sortable(bool is_float, uint64_t bits)
{
    const uint64_t sign = UINT64_C(1) << 63;
    if (!is_float) return bits ^ sign;
    if (bits == sign) bits = 0;
    return bits & sign ? ~bits : bits | sign;
}

static vc_status collect_values(vc_lane *lane, size_t number, const vc_chunk *chunk)
{
    vc_records *records = &lane->records[number];
    uint64_t values[BATCH + VC_SCAN_SLACK];
    bool is_float = chunk->type == VC_CHUNK_FLOAT;
    uint32_t first = lane->block * VC_BLOCK_ROWS;
    for (size_t i = 0; i < lane->count; i += BATCH) {
        size_t n = lane->count - i < BATCH ? lane->count - i : BATCH;
        vc_lane_values(lane, chunk, lane->rows + i, n, values);
        for (size_t j = 0; j < n; j++) {
            if (!vc_chunk_has(chunk, first + lane->rows[i + j])) continue;
            uint64_t *record = vc_records_add(records);
            if (record == NULL) return vc_no_memory(&lane->error);
            uint32_t slot = lane->is_one_cell ? lane->cell : lane->slots[i + j];
            record[0] = vc_cells_key(lane->cells, slot);
            record[1] = sortable(is_float, values[j]);
        }
    }
    return VC_OK;
}

/* Rows of the block that have a value, each once: entries of a row follow each other. */
static size_t list_valued(const vc_lane *lane, const vc_chunk *chunk, size_t *at, uint16_t *rows)
{
    uint32_t first = lane->block * VC_BLOCK_ROWS;
    size_t n = 0;
    for (; *at < lane->count && n < BATCH; (*at)++) {
        uint16_t row = lane->rows[*at];
        if (*at > 0 && lane->rows[*at - 1] == row) continue;
        if (chunk == NULL || vc_chunk_has(chunk, first + row)) rows[n++] = row;
    }
    return n;
}

/* The leaves of one dimension, into their place in n records that were just added. */
static vc_status put_leaves(vc_lane *lane, const vc_combination_field *field, const uint16_t *rows,
                            size_t n, uint64_t *const *records)
{
    const vc_scan *scan = lane->scan;
    const vc_combination_form *form = scan->combinations;
    const vc_chunk *chunk;
    uint64_t leaves[BATCH + VC_SCAN_SLACK];
    vc_status status = vc_lane_leaves(lane, field->column, &chunk);
    if (status != VC_OK) return status;
    vc_lane_values(lane, chunk, rows, n, leaves);
    bool is_over = field == &form->fields[form->nfields - 1];
    for (size_t i = 0; i < n; i++) {
        uint64_t leaf = is_over ? form->places[leaves[i]] : leaves[i];
        records[i][field->word] |= leaf << field->shift;
    }
    return VC_OK;
}

static vc_status collect_combinations(vc_lane *lane, size_t number, const vc_chunk *chunk)
{
    const vc_combination_form *form = lane->scan->combinations;
    uint64_t *records[BATCH], values[BATCH + VC_SCAN_SLACK];
    uint16_t rows[BATCH];
    size_t at = 0, n;
    vc_status status = VC_OK;
    while (status == VC_OK && (n = list_valued(lane, chunk, &at, rows)) > 0) {
        if (chunk != NULL) vc_lane_values(lane, chunk, rows, n, values);
        for (size_t i = 0; i < n; i++) {
            records[i] = vc_records_add(&lane->records[number]);
            if (records[i] == NULL) return vc_no_memory(&lane->error);
            memset(records[i], 0, form->nwords * sizeof *records[i]);
            records[i][form->nwords] = chunk != NULL ? values[i] : 1;
        }
        for (size_t f = 0; f < form->nfields && status == VC_OK; f++)
            status = put_leaves(lane, &form->fields[f], rows, n, records);
    }
    return status;
}

vc_status vc_lane_collect(vc_lane *lane, size_t number, const vc_chunk *chunk)
{
    switch (lane->scan->collects[number]) {
    case VC_COLLECT_VALUES: return collect_values(lane, number, chunk);
    case VC_COLLECT_COMBINATIONS: return collect_combinations(lane, number, chunk);
    default: return VC_OK;
    }
}

/* ---- putting together ---- */

vc_status vc_scan_put_together(const vc_scan *scan, size_t nlanes, vc_cells *cells, vc_error *error)
{
    vc_status status = VC_OK;
    if (scan->collects == NULL) return VC_OK;
    const vc_records **records = VC_ARENA_NEW(scan->plan->arena, const vc_records *, nlanes);
    if (records == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < scan->pass->naccumulators && status == VC_OK; i++) {
        if (scan->collects[i] == VC_COLLECT_SAME) continue;
        for (size_t lane = 0; lane < nlanes; lane++)
            records[lane] = &scan->lanes[lane].records[i];
        status = scan->collects[i] == VC_COLLECT_VALUES
                     ? vc_quantile_put(scan, i, records, nlanes, cells, error)
                     : vc_over_put(scan, i, records, nlanes, cells, error);
        for (size_t lane = 0; lane < nlanes; lane++)
            vc_records_release(&scan->lanes[lane].records[i]);
    }
    return status;
}
