/* The scan: facts to cells, block by block.
 *
 *     for each segment of a part, for each block of rows
 *         rows, keys = all rows, 0
 *         for each step      drop rows whose leaf has no group, add group * stride to the key
 *         slots = cells of the keys
 *         for each measure   accumulate the values of the rows that are left
 *
 * A block's rows are kept as a list of row numbers and a list of cell keys, so that every step is
 * one plain loop over arrays. A step through a ragged relation may make several entries of one row,
 * one per group; entries of a row always differ in their cell, so no fact is counted twice in one.
 *
 * The segments are cut into a fixed number of parts, which does not depend on the number of
 * threads, and merged in order: floating sums come out the same to the last bit whatever runs in
 * parallel.
 */
#include "slice/plan.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS = 4096, MAX_PARTS = 16 };

struct entries { /* the rows of a block that are still in, and their cell keys */
    uint32_t *rows;
    uint64_t *keys;
    size_t count, capacity;
};

struct column { /* of a segment: its chunk, and of integers the values, decoded */
    vc_chunk chunk;
    int64_t *ints; /* [VC_SEGMENT_ROWS], made when it is first needed */
};

struct part { /* a run of segments, scanned by one thread */
    const struct scan *scan;
    uint32_t first_segment, end_segment;
    vc_cells *cells;
    struct entries in, out;
    uint32_t *slots;
    size_t slots_capacity;
    vc_status status;
    vc_error error;
};

struct scan {
    const vc_plan *plan;
    const vc_pass *pass;
    const vc_table *table;
    const vc_source_cube *cube;
    const vc_snapshot *snapshot;
    struct part *parts;
};

static bool entries_reserve(struct entries *entries, size_t capacity)
{
    if (capacity <= entries->capacity) return true;
    capacity = capacity < BLOCK_ROWS ? BLOCK_ROWS : capacity + capacity / 2;
    uint32_t *rows = realloc(entries->rows, capacity * sizeof *rows);
    if (rows != NULL) entries->rows = rows;
    uint64_t *keys = realloc(entries->keys, capacity * sizeof *keys);
    if (keys != NULL) entries->keys = keys;
    if (rows == NULL || keys == NULL) return false;
    entries->capacity = capacity;
    return true;
}

/* ---- steps ---- */

/* Without branches, because whether a row stays is as good as random. `out` may be `in`: writing
 * never overtakes reading. */
static size_t step_plain(const struct column *column, const uint32_t *groups, uint64_t stride,
                         struct entries *entries)
{
    size_t kept = 0;
    for (size_t i = 0; i < entries->count; i++) {
        uint32_t row = entries->rows[i];
        uint32_t group = groups[column->ints[row]];
        uint64_t key = entries->keys[i] + group * stride;
        entries->rows[kept] = row;
        entries->keys[kept] = key;
        kept += group != VC_NONE;
    }
    return kept;
}

static bool step_ragged(const struct column *column, const vc_step *step, const struct entries *in,
                        struct entries *out)
{
    out->count = 0;
    for (size_t i = 0; i < in->count; i++) {
        uint32_t leaf = (uint32_t)column->ints[in->rows[i]];
        uint32_t first = step->offsets[leaf], end = step->offsets[leaf + 1];
        if (!entries_reserve(out, out->count + (end - first))) return false;
        for (uint32_t t = first; t < end; t++) {
            out->rows[out->count] = in->rows[i];
            out->keys[out->count++] = in->keys[i] + step->targets[t] * step->stride;
        }
    }
    return true;
}

static vc_status run_step(struct part *part, const vc_step *step, const struct column *column)
{
    if (step->groups == NULL) {
        if (!step_ragged(column, step, &part->in, &part->out)) return vc_no_memory(&part->error);
        struct entries swap = part->in;
        part->in = part->out;
        part->out = swap;
        return VC_OK;
    }
    part->in.count = step_plain(column, step->groups, step->stride, &part->in);
    return VC_OK;
}

/* Leaf numbers in a chunk must be leaves of the dimension: the tables are read without a check. */
static vc_status check_leaves(const struct part *part, const vc_step *step, const vc_chunk *chunk,
                              uint32_t segment, vc_error *error)
{
    if (chunk->type == VC_CHUNK_INT && chunk->validity == NULL &&
        (chunk->nrows == 0 || (chunk->min >= 0 && chunk->max < (int64_t)step->nleaves)))
        return VC_OK;
    return vc_fail(
        error, VC_CORRUPT, "storage_damaged",
        "cube '%.*s', segment %u: column %u holds leaves that the dimension does not have",
        VC_FMT(part->scan->cube->name), segment, step->column);
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

/* Sums of integers are the bulk of all work: their loop has the nulls decided outside. */
static bool sum_plain(const vc_accumulator_spec *spec, const struct column *column,
                      const struct entries *entries, const uint32_t *slots,
                      vc_accumulator *accumulators)
{
    bool is_sum = spec->aggregator == VC_AGG_SUM || spec->aggregator == VC_AGG_AVG;
    if (!is_sum || column->chunk.type != VC_CHUNK_INT || column->chunk.validity != NULL)
        return false;
    for (size_t i = 0; i < entries->count; i++) {
        vc_accumulator *accumulator = &accumulators[slots[i]];
        accumulator->as.sum += column->ints[entries->rows[i]];
        accumulator->count++;
    }
    return true;
}

static vc_status accumulate(struct part *part, size_t number, const struct column *column)
{
    const vc_accumulator_spec *spec = &part->scan->pass->accumulators[number];
    vc_accumulator *accumulators = vc_cells_accumulators(part->cells, number);
    const struct entries *entries = &part->in;
    if (column == NULL) { /* a count of rows: the cells count them anyway */
        for (size_t i = 0; i < entries->count; i++)
            accumulators[part->slots[i]].count++;
        return VC_OK;
    }
    if (sum_plain(spec, column, entries, part->slots, accumulators)) return VC_OK;
    const vc_chunk *chunk = &column->chunk;
    for (size_t i = 0; i < entries->count; i++) {
        uint32_t row = entries->rows[i], slot = part->slots[i];
        if (!vc_chunk_has(chunk, row)) continue;
        if (spec->aggregator == VC_AGG_COUNT_DISTINCT) {
            if (!vc_cells_add_distinct(part->cells, number, slot, (uint32_t)column->ints[row]))
                return vc_no_memory(&part->error);
        } else if (chunk->type == VC_CHUNK_FLOAT) {
            add_double(&accumulators[slot], spec->aggregator, ((const double *)chunk->data)[row]);
        } else {
            add_int(&accumulators[slot], spec->aggregator, column->ints[row]);
        }
    }
    return VC_OK;
}

/* ---- segments and parts ---- */

struct segment { /* the chunks that a segment needs */
    uint32_t nrows;
    struct column *steps;  /* [nsteps] */
    struct column *values; /* [naccumulators] */
    bool *has_values;      /* [naccumulators] false: counts rows */
};

/* The column of a measure: its values, or the leaves that are counted. -1: none, rows are. */
static int value_column(const struct scan *scan, const vc_accumulator_spec *spec)
{
    if (spec->distinct_dimension >= 0) return spec->distinct_dimension;
    return spec->column < 0 ? -1 : scan->cube->columns[spec->column].column;
}

static vc_status open_column(struct part *part, uint16_t number, uint32_t segment_number,
                             const struct segment *segment, struct column *column)
{
    const struct scan *scan = part->scan;
    vc_status status = vc_source_cube_chunk(scan->cube, scan->snapshot, number, segment_number,
                                            &column->chunk, &part->error);
    if (status != VC_OK) return status;
    if (column->chunk.nrows != segment->nrows)
        return vc_fail(&part->error, VC_CORRUPT, "storage_damaged",
                       "cube '%.*s', segment %u: columns of different lengths",
                       VC_FMT(scan->cube->name), segment_number);
    if (column->chunk.type != VC_CHUNK_INT) return VC_OK;
    if (column->ints == NULL) column->ints = malloc(VC_SEGMENT_ROWS * sizeof *column->ints);
    if (column->ints == NULL) return vc_no_memory(&part->error);
    vc_chunk_get_ints(&column->chunk, column->ints);
    return VC_OK;
}

static vc_status open_segment(struct part *part, uint32_t number, struct segment *segment)
{
    const struct scan *scan = part->scan;
    vc_chunk any;
    vc_status status =
        vc_source_cube_chunk(scan->cube, scan->snapshot, 0, number, &any, &part->error);
    segment->nrows = status == VC_OK ? any.nrows : 0;
    for (size_t i = 0; i < scan->table->nsteps && status == VC_OK; i++) {
        const vc_step *step = &scan->table->steps[i];
        status = open_column(part, step->column, number, segment, &segment->steps[i]);
        if (status == VC_OK)
            status = check_leaves(part, step, &segment->steps[i].chunk, number, &part->error);
    }
    for (size_t i = 0; i < scan->pass->naccumulators && status == VC_OK; i++) {
        int column = value_column(scan, &scan->pass->accumulators[i]);
        segment->has_values[i] = column >= 0;
        if (column >= 0)
            status = open_column(part, (uint16_t)column, number, segment, &segment->values[i]);
    }
    return status;
}

static void release_columns(struct column *columns, size_t count)
{
    for (size_t i = 0; columns != NULL && i < count; i++)
        free(columns[i].ints);
    free(columns);
}

static vc_status scan_block(struct part *part, const struct segment *segment, uint32_t first,
                            uint32_t end)
{
    const struct scan *scan = part->scan;
    struct entries *entries = &part->in;
    for (uint32_t row = first; row < end; row++)
        entries->rows[row - first] = row;
    memset(entries->keys, 0, (end - first) * sizeof *entries->keys);
    entries->count = end - first;
    for (size_t i = 0; i < scan->table->nsteps && part->in.count > 0; i++) {
        vc_status status = run_step(part, &scan->table->steps[i], &segment->steps[i]);
        if (status != VC_OK) return status;
    }
    size_t count = part->in.count;
    if (count > part->slots_capacity) {
        free(part->slots);
        part->slots_capacity = count + BLOCK_ROWS;
        part->slots = malloc(part->slots_capacity * sizeof *part->slots);
        if (part->slots == NULL) {
            part->slots_capacity = 0;
            return vc_no_memory(&part->error);
        }
    }
    vc_status status = vc_cells_slots(part->cells, part->in.keys, count, part->slots, &part->error);
    if (status != VC_OK) return status;
    uint64_t *rows = vc_cells_rows(part->cells);
    for (size_t i = 0; i < count; i++)
        rows[part->slots[i]]++;
    for (size_t i = 0; i < scan->pass->naccumulators && status == VC_OK; i++)
        status = accumulate(part, i, segment->has_values[i] ? &segment->values[i] : NULL);
    return status;
}

static vc_status scan_part(struct part *part)
{
    const struct scan *scan = part->scan;
    size_t nsteps = scan->table->nsteps, nvalues = scan->pass->naccumulators;
    struct segment segment = {.steps = calloc(nsteps + 1, sizeof(struct column)),
                              .values = calloc(nvalues + 1, sizeof(struct column)),
                              .has_values = calloc(nvalues + 1, sizeof(bool))};
    vc_status status = VC_OK;
    if (segment.steps == NULL || segment.values == NULL || segment.has_values == NULL ||
        !entries_reserve(&part->in, BLOCK_ROWS))
        status = vc_no_memory(&part->error);
    if (status == VC_OK)
        status = vc_cells_new(scan->table->ncells, scan->pass->accumulators, nvalues,
                              scan->plan->options->limits.max_cells, &part->cells, &part->error);
    for (uint32_t s = part->first_segment; s < part->end_segment && status == VC_OK; s++) {
        status = vc_plan_check(scan->plan, &part->error);
        if (status == VC_OK) status = open_segment(part, s, &segment);
        for (uint32_t row = 0; row < segment.nrows && status == VC_OK;) {
            /* A ragged step may have swapped the entries: both need room for a block. */
            uint32_t end = segment.nrows - row > BLOCK_ROWS ? row + BLOCK_ROWS : segment.nrows;
            status = entries_reserve(&part->in, BLOCK_ROWS) ? scan_block(part, &segment, row, end)
                                                            : vc_no_memory(&part->error);
            row = end;
        }
    }
    release_columns(segment.steps, nsteps);
    release_columns(segment.values, nvalues);
    free(segment.has_values);
    return status;
}

static void run_part(void *context, size_t number)
{
    struct scan *scan = context;
    struct part *part = &scan->parts[number];
    part->status = scan_part(part);
}

static void release_part(struct part *part)
{
    vc_cells_free(part->cells);
    free(part->in.rows);
    free(part->in.keys);
    free(part->out.rows);
    free(part->out.keys);
    free(part->slots);
}

vc_status vc_scan_run(const vc_plan *plan, const vc_pass *pass, const vc_table *table,
                      vc_cells **cells_out, vc_error *error)
{
    const vc_source_cube *cube = plan->cube->sources[pass->source].cube;
    uint32_t nparts = cube->nsegments < MAX_PARTS ? cube->nsegments : MAX_PARTS;
    struct part parts[MAX_PARTS] = {0};
    struct scan scan = {.plan = plan,
                        .pass = pass,
                        .table = table,
                        .cube = cube,
                        .snapshot = vc_model_snapshot(plan->model),
                        .parts = parts};
    nparts = nparts == 0 ? 1 : nparts; /* no facts: a part with nothing in it */
    for (uint32_t i = 0; i < nparts; i++)
        parts[i] =
            (struct part){.scan = &scan,
                          .first_segment = (uint32_t)((uint64_t)cube->nsegments * i / nparts),
                          .end_segment = (uint32_t)((uint64_t)cube->nsegments * (i + 1) / nparts)};
    vc_pool_run(plan->options->pool, nparts, run_part, &scan);
    vc_status status = VC_OK;
    for (uint32_t i = 0; i < nparts && status == VC_OK; i++) {
        status = parts[i].status;
        if (status != VC_OK && error != NULL) *error = parts[i].error;
        if (status == VC_OK && i > 0)
            status = vc_cells_merge(parts[0].cells, parts[i].cells, error);
    }
    if (status == VC_OK) {
        *cells_out = parts[0].cells;
        parts[0].cells = NULL;
    }
    for (uint32_t i = 0; i < nparts; i++)
        release_part(&parts[i]);
    return status;
}
