/* The facts of one cube: read, sorted, written.
 *
 * The ranks of the first item of the order are cut into *buckets*, and a first pass over its column
 * counts the rows of each and notes which buckets each segment has. Consecutive buckets that hold a
 * window of rows together are then collected from the segments that have them, sorted and written;
 * what does not fill a segment stays in the window for the next ones. A bucket with more rows than
 * a window is sorted window by window. Without an order there is one bucket.
 */
#include "cube/compact_parts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_BUCKETS = 1 << 14,
    UNSORTED_ROWS = 4 * VC_SEGMENT_ROWS, /* of a window without an order */
};

typedef struct source_segment {
    uint32_t generation, number; /* where it is: number within its run */
    uint32_t nrows;
    uint32_t first_bucket, last_bucket;
    bool was_read;
} source_segment;

typedef struct thread_lane { /* of a thread */
    int64_t *cells;          /* [VC_SEGMENT_ROWS] */
    uint8_t *nulls;          /* [VC_SEGMENT_ROWS] */
    uint8_t *validity;       /* [VC_SEGMENT_ROWS / 8 + 1] */
    uint64_t *counts;        /* [nbuckets] */
    uint64_t *shares; /* [VC_SEGMENT_ROWS] of the hashes of rows, of the columns taken here */
    bool has_shares;
    uint64_t bytes_before;
    vc_status status; /* of the first failure since the lanes were looked at */
    vc_error error;
} thread_lane;

typedef struct rewriting {
    vc_rewrite *rewrite;
    vc_arena arena;
    source_segment *segments;
    uint32_t nsegments;
    uint32_t *bucket_of; /* [leaves of the first item's dimension], by old number; NULL: one */
    uint32_t nbuckets;
    size_t window_rows;
    vc_window *window;
    vc_segment_column *stored; /* [ncolumns] */
    vc_segments *written;
    thread_lane *lanes; /* [nthreads] */
    /* the segment that is being read: */
    source_segment *from;
    uint32_t *rows; /* [VC_SEGMENT_ROWS] those that are wanted, ascending */
    uint32_t nwanted;
    bool wants_all;
} rewriting;

static vc_status fail_damaged(const rewriting *work, const char *what, vc_error *error)
{
    return vc_fail(error, VC_CORRUPT, "storage_damaged", "cube '%.*s': %s",
                   VC_FMT(work->rewrite->cube->name), what);
}

/* Run jobs in all lanes; the first failure of any. */
static vc_status run_jobs(rewriting *work, size_t njobs,
                          void (*job)(void *context, size_t number, unsigned thread),
                          vc_error *error)
{
    vc_crew_run(work->rewrite->crew, njobs, job, work);
    for (unsigned i = 0; i < work->rewrite->nthreads; i++) {
        if (work->lanes[i].status == VC_OK) continue;
        if (error != NULL) *error = work->lanes[i].error;
        return work->lanes[i].status;
    }
    return VC_OK;
}

/* ---- reading ---- */

/* The cells of a column of a segment, as they are stored. */
static vc_status read_cells(const rewriting *work, const source_segment *segment, size_t column,
                            int64_t *cells, vc_chunk *chunk, vc_error *error)
{
    const vc_rewrite *rewrite = work->rewrite;
    const vc_rewrite_column *from = &rewrite->columns[column];
    vc_status status =
        vc_snapshot_chunk(vc_load_snapshot(rewrite->load), rewrite->cube->object_id,
                          segment->generation, from->number, segment->number, chunk, error);
    if (status != VC_OK) return status;
    if (chunk->nrows != segment->nrows || (chunk->type == VC_CHUNK_FLOAT) != from->is_double)
        return fail_damaged(work, "a column is not what its manifest says", error);
    if (from->is_double)
        vc_chunk_get_doubles(chunk, (double *)(void *)cells);
    else
        vc_chunk_get_ints(chunk, cells);
    if (from->nleaves > 0 && chunk->nrows > 0 &&
        (chunk->nnulls > 0 || chunk->min < 0 || chunk->max >= (int64_t)from->nleaves))
        return fail_damaged(work, "facts have leaves that their dimension does not have", error);
    return VC_OK;
}

/* ---- the survey ---- */

static void survey_segment(void *context, size_t number, unsigned thread)
{
    rewriting *work = context;
    thread_lane *lane = &work->lanes[thread];
    source_segment *segment = &work->segments[number];
    vc_chunk chunk;
    vc_error error;
    vc_status status = read_cells(work, segment, work->rewrite->order->items[0].dimension,
                                  lane->cells, &chunk, &error);
    if (status != VC_OK) {
        lane->status = status;
        lane->error = error;
        return;
    }
    uint32_t first = UINT32_MAX, last = 0;
    for (uint32_t row = 0; row < segment->nrows; row++) {
        uint32_t bucket = work->bucket_of[lane->cells[row]];
        lane->counts[bucket]++;
        first = bucket < first ? bucket : first;
        last = bucket > last ? bucket : last;
    }
    segment->first_bucket = first;
    segment->last_bucket = last;
}

/* Which bucket each leaf of the first item's dimension belongs to, by its number as stored. */
static vc_status make_buckets(rewriting *work, vc_error *error)
{
    const vc_order_item *item = &work->rewrite->order->items[0];
    const vc_rewrite_column *column = &work->rewrite->columns[item->dimension];
    unsigned shift = 0;
    while (item->nranks > 0 && (item->nranks - 1) >> shift >= MAX_BUCKETS)
        shift++;
    work->nbuckets = item->nranks == 0 ? 1 : ((item->nranks - 1) >> shift) + 1;
    work->bucket_of = vc_arena_alloc(&work->arena, column->nleaves * sizeof *work->bucket_of);
    if (work->bucket_of == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < column->nleaves; leaf++) {
        uint32_t number = column->leaves == NULL ? leaf : column->leaves[leaf];
        work->bucket_of[leaf] = (item->ranks == NULL ? number : item->ranks[number]) >> shift;
    }
    for (unsigned i = 0; i < work->rewrite->nthreads; i++) {
        work->lanes[i].counts = VC_ARENA_NEW(&work->arena, uint64_t, work->nbuckets);
        if (work->lanes[i].counts == NULL) return vc_no_memory(error);
    }
    return VC_OK;
}

static vc_status survey(rewriting *work, vc_error *error)
{
    work->nbuckets = 1;
    if (work->rewrite->order->nitems == 0) return VC_OK;
    vc_status status = make_buckets(work, error);
    return status == VC_OK ? run_jobs(work, work->nsegments, survey_segment, error) : status;
}

static uint64_t count_rows(const rewriting *work, uint32_t bucket)
{
    uint64_t count = 0;
    for (unsigned i = 0; work->bucket_of != NULL && i < work->rewrite->nthreads; i++)
        count += work->lanes[i].counts[bucket];
    return count;
}

/* ---- collecting ---- */

static void select_rows(rewriting *work, uint32_t first_bucket, uint32_t end_bucket)
{
    const int64_t *cells = work->lanes[0].cells;
    uint32_t nwanted = 0, span = end_bucket - first_bucket;
    for (uint32_t row = 0; row < work->from->nrows; row++) {
        work->rows[nwanted] = row;
        nwanted += work->bucket_of[cells[row]] - first_bucket < span;
    }
    work->nwanted = nwanted;
}

/* The wanted rows of a column, in their place; NULL in nulls_out when none is null. */
static void narrow_cells(const rewriting *work, const vc_chunk *chunk, thread_lane *lane,
                         const uint8_t **nulls_out)
{
    *nulls_out = NULL;
    if (!work->wants_all) /* ascending, so nothing is overwritten that is still needed */
        for (uint32_t i = 0; i < work->nwanted; i++)
            lane->cells[i] = lane->cells[work->rows[i]];
    if (chunk->validity == NULL) return;
    for (uint32_t i = 0; i < work->nwanted; i++)
        lane->nulls[i] = !vc_chunk_has(chunk, work->wants_all ? i : work->rows[i]);
    *nulls_out = lane->nulls;
}

static void add_shares(const rewriting *work, thread_lane *lane, size_t column,
                       const uint8_t *nulls)
{
    if (!lane->has_shares) memset(lane->shares, 0, work->nwanted * sizeof *lane->shares);
    lane->has_shares = true;
    for (uint32_t i = 0; i < work->nwanted; i++)
        lane->shares[i] +=
            vc_rewrite_share(column, nulls != NULL && nulls[i] ? VC_REWRITE_NULL : lane->cells[i]);
}

/* The hashes of the rows of which all columns have been taken. */
static void add_hashes(rewriting *work)
{
    thread_lane *first = NULL;
    for (unsigned i = 0; i < work->rewrite->nthreads; i++) {
        thread_lane *lane = &work->lanes[i];
        if (!lane->has_shares) continue;
        lane->has_shares = false;
        for (uint32_t row = 0; first != NULL && row < work->nwanted; row++)
            first->shares[row] += lane->shares[row];
        if (first == NULL) first = lane;
    }
    for (uint32_t row = 0; first != NULL && row < work->nwanted; row++)
        work->rewrite->hash += vc_rewrite_finish(first->shares[row]);
}

/* A column of the segment into the window, by any thread. */
static void take_column(void *context, size_t number, unsigned thread)
{
    rewriting *work = context;
    thread_lane *lane = &work->lanes[thread];
    const vc_rewrite_column *column = &work->rewrite->columns[number];
    const uint8_t *nulls;
    vc_chunk chunk;
    vc_error error;
    vc_status status = read_cells(work, work->from, number, lane->cells, &chunk, &error);
    if (status == VC_OK) {
        if (!work->from->was_read) lane->bytes_before += chunk.nbytes;
        narrow_cells(work, &chunk, lane, &nulls);
        add_shares(work, lane, number, nulls);
        for (uint32_t i = 0; column->leaves != NULL && i < work->nwanted; i++)
            lane->cells[i] = column->leaves[lane->cells[i]];
        status = vc_window_put(work->window, number, lane->cells, nulls, work->nwanted, &error);
    }
    if (status == VC_OK) return;
    lane->status = status;
    lane->error = error;
}

/* The rows of a segment that belong to the buckets, into the window. */
static vc_status take_segment(rewriting *work, source_segment *segment, uint32_t first_bucket,
                              uint32_t end_bucket, vc_error *error)
{
    work->from = segment;
    work->nwanted = segment->nrows;
    work->wants_all = segment->first_bucket >= first_bucket && segment->last_bucket < end_bucket;
    if (!work->wants_all) {
        vc_chunk chunk;
        vc_status status = read_cells(work, segment, work->rewrite->order->items[0].dimension,
                                      work->lanes[0].cells, &chunk, error);
        if (status != VC_OK) return status;
        select_rows(work, first_bucket, end_bucket);
    }
    if (work->nwanted == 0) return VC_OK;
    vc_status status = run_jobs(work, work->rewrite->ncolumns, take_column, error);
    if (status != VC_OK) return status;
    segment->was_read = true;
    add_hashes(work);
    vc_window_add_rows(work->window, work->nwanted);
    return VC_OK;
}

/* ---- writing ---- */

/* The rows behind the last whole segment go into a window of their own, which takes the place of
 * the one there is. */
static vc_status keep_rest(rewriting *work, const uint32_t *order, uint32_t nput, vc_error *error)
{
    thread_lane *lane = &work->lanes[0];
    size_t ncolumns = work->rewrite->ncolumns;
    uint32_t nrows = vc_window_nrows(work->window) - nput;
    vc_window *rest;
    vc_status status = vc_window_new(ncolumns, work->stored, &rest, error);
    if (status != VC_OK) return status;
    for (size_t c = 0; status == VC_OK && c < ncolumns; c++) {
        bool has_nulls;
        vc_window_get(work->window, c, order, nput, nrows, lane->cells, lane->validity, &has_nulls);
        for (uint32_t i = 0; has_nulls && i < nrows; i++)
            lane->nulls[i] = !(lane->validity[i >> 3] >> (i & 7) & 1);
        status = vc_window_put(rest, c, lane->cells, has_nulls ? lane->nulls : NULL, nrows, error);
    }
    vc_window_add_rows(rest, nrows);
    vc_window_free(work->window);
    work->window = rest;
    return status;
}

/* Sort the window and put its rows: whole segments, at the end all. */
static vc_status put_window(rewriting *work, bool is_end, vc_error *error)
{
    vc_rewrite *rewrite = work->rewrite;
    const uint32_t *order;
    uint32_t nrows = vc_window_nrows(work->window);
    uint32_t nput = is_end ? nrows : nrows - nrows % VC_SEGMENT_ROWS;
    if (nput == 0) return VC_OK;
    vc_status status = vc_load_sort_window(rewrite->order, work->window, rewrite->crew,
                                           rewrite->nthreads, &order, error);
    if (status == VC_OK) status = vc_segments_put(work->written, work->window, order, nput, error);
    if (status != VC_OK) return status;
    if (rewrite->progress != NULL)
        rewrite->progress(rewrite->context, vc_segments_nrows(work->written));
    if (nput < nrows) return keep_rest(work, order, nput, error);
    vc_window_clear(work->window);
    return VC_OK;
}

/* Collect the buckets. They fit into the window together, beside what is left in it; one that is
 * too large by itself goes in several. */
static vc_status take_buckets(rewriting *work, uint32_t first, uint32_t end, vc_error *error)
{
    vc_status status = VC_OK;
    for (uint32_t i = 0; status == VC_OK && i < work->nsegments; i++) {
        source_segment *segment = &work->segments[i];
        if (segment->last_bucket < first || segment->first_bucket >= end) continue;
        status = take_segment(work, segment, first, end, error);
        if (status == VC_OK && vc_window_nrows(work->window) >= work->window_rows + VC_SEGMENT_ROWS)
            status = put_window(work, false, error);
    }
    return status == VC_OK ? put_window(work, end == work->nbuckets, error) : status;
}

static vc_status take_all(rewriting *work, vc_error *error)
{
    vc_status status = VC_OK;
    for (uint32_t first = 0, end; status == VC_OK && first < work->nbuckets; first = end) {
        uint64_t nrows = count_rows(work, first);
        for (end = first + 1; end < work->nbuckets; end++) {
            nrows += count_rows(work, end);
            if (nrows > work->window_rows) break;
        }
        status = take_buckets(work, first, end, error);
    }
    if (status == VC_OK && vc_segments_nrows(work->written) != work->rewrite->cube->nrows)
        status = fail_damaged(work, "it does not have as many facts as its manifest says", error);
    return status;
}

/* ---- beginning and end ---- */

/* Bytes that a cell takes in a window. */
static size_t cell_bytes(const vc_zone *zones, uint32_t nsegments, bool is_double)
{
    size_t width = is_double ? 8 : 1, nulls = 0;
    for (uint32_t i = 0; i < nsegments; i++) {
        if (zones[i].nnulls > 0) nulls = 1;
        while (width < 8 && zones[i].min <= zones[i].max &&
               (zones[i].min < -(INT64_C(1) << (8 * width - 1)) ||
                zones[i].max >= INT64_C(1) << (8 * width - 1)))
            width *= 2;
    }
    return width + nulls;
}

/* The zones of a column in all runs; adds what its cells take to *row_bytes. */
static vc_status look_at_column(rewriting *work, size_t number, size_t *row_bytes, vc_error *error)
{
    const vc_source_cube *cube = work->rewrite->cube;
    const vc_rewrite_column *column = &work->rewrite->columns[number];
    vc_arena arena = {0};
    vc_status status = VC_OK;
    size_t most = column->is_double ? 8 : 1;
    uint32_t at = 0;
    for (size_t r = 0; status == VC_OK && r < cube->nruns; r++) {
        const vc_zone *zones;
        uint32_t nsegments;
        status = vc_snapshot_zones(vc_load_snapshot(work->rewrite->load), cube->object_id,
                                   cube->runs[r].generation, column->number, &arena, &zones,
                                   &nsegments, error);
        if (status == VC_OK && nsegments != cube->runs[r].nsegments)
            status = fail_damaged(work, "a run does not have the segments of its manifest", error);
        if (status != VC_OK) break;
        size_t bytes = cell_bytes(zones, nsegments, column->is_double);
        most = bytes > most ? bytes : most;
        for (uint32_t i = 0; number == 0 && i < nsegments; i++)
            work->segments[at++] = (source_segment){
                .generation = cube->runs[r].generation, .number = i, .nrows = zones[i].nrows};
    }
    *row_bytes += most;
    vc_arena_release(&arena);
    return status;
}

static vc_status look_at_columns(rewriting *work, vc_error *error)
{
    vc_rewrite *rewrite = work->rewrite;
    size_t row_bytes = 0;
    vc_status status = VC_OK;
    work->nsegments = rewrite->cube->nsegments;
    work->segments = VC_ARENA_NEW(&work->arena, source_segment, work->nsegments);
    work->stored = VC_ARENA_NEW(&work->arena, vc_segment_column, rewrite->ncolumns);
    if (work->segments == NULL || work->stored == NULL) return vc_no_memory(error);
    for (size_t c = 0; status == VC_OK && c < rewrite->ncolumns; c++) {
        work->stored[c] = (vc_segment_column){.number = rewrite->columns[c].number,
                                              .is_double = rewrite->columns[c].is_double};
        status = look_at_column(work, c, &row_bytes, error);
    }
    if (status != VC_OK) return status;
    work->window_rows = rewrite->window_rows;
    if (work->window_rows == 0)
        work->window_rows = rewrite->order->nitems == 0 ? UNSORTED_ROWS : VC_CLUSTER_ROWS_MAX;
    if (work->window_rows > VC_CLUSTER_BYTES_MAX / row_bytes)
        work->window_rows = VC_CLUSTER_BYTES_MAX / row_bytes;
    status = vc_window_new(rewrite->ncolumns, work->stored, &work->window, error);
    if (status != VC_OK) return status;
    return vc_segments_new(rewrite->load, rewrite->object, rewrite->ncolumns, work->stored,
                           rewrite->crew, rewrite->nthreads, &work->written, error);
}

static vc_status make_lanes(rewriting *work, vc_error *error)
{
    unsigned nthreads = work->rewrite->nthreads;
    work->rows = vc_arena_alloc(&work->arena, VC_SEGMENT_ROWS * sizeof *work->rows);
    work->lanes = VC_ARENA_NEW(&work->arena, thread_lane, nthreads);
    if (work->rows == NULL || work->lanes == NULL) return vc_no_memory(error);
    for (unsigned i = 0; i < nthreads; i++) {
        thread_lane *lane = &work->lanes[i];
        lane->cells = vc_arena_alloc(&work->arena, VC_SEGMENT_ROWS * sizeof *lane->cells);
        lane->nulls = vc_arena_alloc(&work->arena, VC_SEGMENT_ROWS);
        lane->validity = vc_arena_alloc(&work->arena, VC_SEGMENT_ROWS / 8 + 1);
        lane->shares = vc_arena_alloc(&work->arena, VC_SEGMENT_ROWS * sizeof *lane->shares);
        if (lane->cells == NULL || lane->nulls == NULL || lane->validity == NULL ||
            lane->shares == NULL)
            return vc_no_memory(error);
    }
    return VC_OK;
}

vc_status vc_rewrite_facts(vc_rewrite *rewrite, vc_error *error)
{
    rewriting work = {.rewrite = rewrite};
    rewrite->hash = rewrite->bytes_before = 0;
    vc_status status = make_lanes(&work, error);
    if (status == VC_OK) status = look_at_columns(&work, error);
    if (status == VC_OK) status = survey(&work, error);
    if (status == VC_OK) status = take_all(&work, error);
    for (unsigned i = 0; work.lanes != NULL && i < rewrite->nthreads; i++)
        rewrite->bytes_before += work.lanes[i].bytes_before;
    rewrite->nsegments = work.written == NULL ? 0 : vc_segments_count(work.written);
    vc_segments_free(work.written);
    vc_window_free(work.window);
    vc_arena_release(&work.arena);
    return status;
}
