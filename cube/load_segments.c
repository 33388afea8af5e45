/* Rows of a window become segments: all threads encode, one puts.
 *
 * A dimension that gets its leaves only when all facts were read has the numbers of its rows
 * spilled instead, and its segments put at the end.
 */
#include "cube/load_parts.h"

#include <stdlib.h>

/* A column of a segment, made by any thread. */
typedef struct made_chunk {
    vc_encoded encoded;
    uint32_t *rows; /* [VC_SEGMENT_ROWS] of a spilled column; NULL until one comes */
    vc_status status;
    vc_error error;
} made_chunk;

typedef struct thread_scratch {
    int64_t *cells;    /* [VC_SEGMENT_ROWS] */
    uint8_t *validity; /* [VC_SEGMENT_ROWS / 8 + 1] */
} thread_scratch;

struct vc_segments {
    vc_load *load;
    const vc_object *object;
    size_t ncolumns;
    const vc_segment_column *columns;
    vc_crew *crew;
    unsigned nthreads;
    thread_scratch *scratch; /* [nthreads] */
    made_chunk *chunks;      /* [nchunks] what is made at a time */
    size_t nchunks;
    uint32_t nsegments;
    uint64_t nrows;
};

/* ---- life ---- */

static bool make_scratch(vc_segments *segments)
{
    segments->chunks = calloc(segments->nchunks, sizeof *segments->chunks);
    segments->scratch = calloc(segments->nthreads, sizeof *segments->scratch);
    if (segments->chunks == NULL || segments->scratch == NULL) return false;
    for (unsigned i = 0; i < segments->nthreads; i++) {
        thread_scratch *scratch = &segments->scratch[i];
        scratch->cells = malloc(VC_SEGMENT_ROWS * sizeof *scratch->cells);
        scratch->validity = malloc(VC_SEGMENT_ROWS / 8 + 1);
        if (scratch->cells == NULL || scratch->validity == NULL) return false;
    }
    return true;
}

vc_status vc_segments_new(vc_load *load, const vc_object *object, size_t ncolumns,
                          const vc_segment_column *columns, vc_crew *crew, unsigned nthreads,
                          vc_segments **segments_out, vc_error *error)
{
    vc_segments *segments = calloc(1, sizeof *segments);
    if (segments == NULL) return vc_no_memory(error);
    *segments = (vc_segments){.load = load,
                              .object = object,
                              .ncolumns = ncolumns,
                              .columns = columns,
                              .crew = crew,
                              .nthreads = nthreads,
                              .nchunks = nthreads * ncolumns};
    if (!make_scratch(segments)) {
        vc_segments_free(segments);
        return vc_no_memory(error);
    }
    *segments_out = segments;
    return VC_OK;
}

void vc_segments_free(vc_segments *segments)
{
    if (segments == NULL) return;
    for (size_t i = 0; segments->chunks != NULL && i < segments->nchunks; i++) {
        vc_encoded_release(&segments->chunks[i].encoded);
        free(segments->chunks[i].rows);
    }
    for (unsigned i = 0; segments->scratch != NULL && i < segments->nthreads; i++) {
        free(segments->scratch[i].cells);
        free(segments->scratch[i].validity);
    }
    free(segments->chunks);
    free(segments->scratch);
    free(segments);
}

uint32_t vc_segments_count(const vc_segments *segments)
{
    return segments->nsegments;
}

uint64_t vc_segments_nrows(const vc_segments *segments)
{
    return segments->nrows;
}

static uint32_t rows_of(uint64_t nrows, uint32_t segment)
{
    uint64_t left = nrows - (uint64_t)segment * VC_SEGMENT_ROWS;
    return left < VC_SEGMENT_ROWS ? (uint32_t)left : VC_SEGMENT_ROWS;
}

static bool has_rows(made_chunk *chunk)
{
    if (chunk->rows == NULL) chunk->rows = malloc(VC_SEGMENT_ROWS * sizeof *chunk->rows);
    if (chunk->rows == NULL) chunk->status = vc_no_memory(&chunk->error);
    return chunk->rows != NULL;
}

/* Room for chunks of which the first has nrows rows. Few rows are not worth it. */
static vc_status begin_round(vc_segments *segments, uint32_t nrows, size_t nchunks, vc_error *error)
{
    return nrows < VC_SEGMENT_ROWS ? VC_OK : vc_load_begin_round(segments->load, nchunks, error);
}

static vc_status put_encoded(vc_segments *segments, size_t column, uint32_t segment,
                             const made_chunk *chunk, vc_error *error)
{
    if (chunk->status == VC_OK)
        return vc_load_put_encoded(segments->load, segments->object,
                                   segments->columns[column].number, segment, &chunk->encoded,
                                   error);
    if (error != NULL) *error = chunk->error;
    return chunk->status;
}

/* ---- the rows of a window ---- */

typedef struct window_work {
    vc_segments *segments;
    const vc_window *window;
    const uint32_t *order;
    uint32_t nrows;
    uint32_t first; /* of the segments that are being made, counted from that of the first row */
} window_work;

/* One column of one segment, by any thread. */
static void make_chunk(void *context, size_t number, unsigned thread)
{
    const window_work *work = context;
    const vc_segments *segments = work->segments;
    const thread_scratch *scratch = &segments->scratch[thread];
    made_chunk *chunk = &segments->chunks[number];
    const vc_segment_column *column = &segments->columns[number % segments->ncolumns];
    uint32_t segment = work->first + (uint32_t)(number / segments->ncolumns);
    uint32_t nrows = rows_of(work->nrows, segment), stored = segments->nsegments + segment;
    bool has_nulls;
    vc_window_get(work->window, number % segments->ncolumns, work->order, segment * VC_SEGMENT_ROWS,
                  nrows, scratch->cells, scratch->validity, &has_nulls);
    const uint8_t *validity = has_nulls ? scratch->validity : NULL;
    chunk->status = VC_OK;
    if (column->spill != NULL) {
        if (!has_rows(chunk)) return;
        for (uint32_t i = 0; i < nrows; i++)
            chunk->rows[i] = (uint32_t)scratch->cells[i];
    } else if (column->is_double) {
        chunk->status = vc_load_encode_doubles(segments->object, column->number, stored,
                                               (const double *)(const void *)scratch->cells,
                                               validity, nrows, &chunk->encoded, &chunk->error);
    } else {
        chunk->status =
            vc_load_encode_ints(segments->object, column->number, stored, scratch->cells, validity,
                                nrows, &chunk->encoded, &chunk->error);
    }
    if (chunk->status == VC_OK && column->spill == NULL)
        vc_load_place_encoded(segments->load, &chunk->encoded);
}

static vc_status put_chunk(const window_work *work, size_t number, vc_error *error)
{
    vc_segments *segments = work->segments;
    const made_chunk *chunk = &segments->chunks[number];
    size_t column = number % segments->ncolumns;
    uint32_t segment = work->first + (uint32_t)(number / segments->ncolumns);
    vc_spill *spill = segments->columns[column].spill;
    if (spill != NULL && chunk->status == VC_OK)
        return vc_spill_put(spill, chunk->rows, rows_of(work->nrows, segment), error);
    return put_encoded(segments, column, segments->nsegments + segment, chunk, error);
}

vc_status vc_segments_put(vc_segments *segments, const vc_window *window, const uint32_t *order,
                          uint32_t nrows, vc_error *error)
{
    window_work work = {.segments = segments, .window = window, .order = order, .nrows = nrows};
    uint32_t nsegments = (nrows + VC_SEGMENT_ROWS - 1) / VC_SEGMENT_ROWS;
    if (nsegments > UINT32_MAX - 1 - segments->nsegments)
        return vc_fail(error, VC_LIMIT, "limit_facts", "cube '%.*s' has too many rows",
                       VC_FMT(segments->object->name));
    for (; work.first < nsegments; work.first += segments->nthreads) {
        uint32_t left = nsegments - work.first;
        size_t njobs = (left < segments->nthreads ? left : segments->nthreads) * segments->ncolumns;
        vc_status status = begin_round(segments, rows_of(nrows, work.first), njobs, error);
        if (status != VC_OK) return status;
        vc_crew_run(segments->crew, njobs, make_chunk, &work);
        for (size_t i = 0; i < njobs; i++) {
            status = put_chunk(&work, i, error);
            if (status != VC_OK) return status;
        }
    }
    segments->nsegments += nsegments;
    segments->nrows += nrows;
    return VC_OK;
}

/* ---- a column that was spilled ---- */

typedef struct spilled_work {
    vc_segments *segments;
    const vc_segment_column *column;
    const uint32_t *leaf_of_row;
    uint32_t first;
} spilled_work;

static void make_spilled(void *context, size_t number, unsigned thread)
{
    const spilled_work *work = context;
    const vc_segments *segments = work->segments;
    made_chunk *chunk = &segments->chunks[number];
    int64_t *cells = segments->scratch[thread].cells;
    uint32_t segment = work->first + (uint32_t)number, nrows = rows_of(segments->nrows, segment);
    if (!has_rows(chunk)) return;
    chunk->status = vc_spill_get(work->column->spill, segment, chunk->rows, nrows, &chunk->error);
    if (chunk->status != VC_OK) return;
    for (uint32_t row = 0; row < nrows; row++)
        cells[row] = work->leaf_of_row[chunk->rows[row]];
    chunk->status = vc_load_encode_ints(segments->object, work->column->number, segment, cells,
                                        NULL, nrows, &chunk->encoded, &chunk->error);
    if (chunk->status == VC_OK) vc_load_place_encoded(segments->load, &chunk->encoded);
}

vc_status vc_segments_put_spilled(vc_segments *segments, size_t column, const uint32_t *leaf_of_row,
                                  vc_error *error)
{
    spilled_work work = {
        .segments = segments, .column = &segments->columns[column], .leaf_of_row = leaf_of_row};
    while (work.first < segments->nsegments) {
        uint32_t left = segments->nsegments - work.first;
        uint32_t njobs = left < segments->nchunks ? left : (uint32_t)segments->nchunks;
        vc_status status =
            begin_round(segments, rows_of(segments->nrows, work.first), njobs, error);
        if (status != VC_OK) return status;
        vc_crew_run(segments->crew, njobs, make_spilled, &work);
        for (uint32_t i = 0; i < njobs; i++) {
            status = put_encoded(segments, column, work.first + i, &segments->chunks[i], error);
            if (status != VC_OK) return status;
        }
        work.first += njobs;
    }
    return VC_OK;
}
