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
 * inside, or in one group.
 *
 * A leaf of a ragged relation leads to a set of groups. A set is scanned as if it were a group, in
 * a grid of sets, and shared out at the end (sets.c). Where that grid is larger than what is
 * scanned, and where cells cannot be added up exactly, a row becomes several *entries* instead, one
 * per group (expand). Either way the groups of a leaf are distinct, so no fact is counted twice in
 * a cell.
 *
 * Two ways to share the work. Sums that are exact do not depend on the order of rows: each thread
 * has cells of its own and takes the next piece when it is done. Sums of doubles do: the segments
 * are cut into a fixed number of parts, which does not depend on the number of threads, and merged
 * in order, so that they come out the same to the last bit whatever runs in parallel.
 */
#include "slice/collect.h"
#include "slice/narrow.h"

#include <stdlib.h>
#include <string.h>

/* ---- lanes ---- */

static size_t count_chunks(const vc_scan *scan)
{
    return scan->table->nsteps + 2 * scan->pass->naccumulators + scan->cube->ndimensions;
}

/* Go on to a segment, of which the zone of the first column says how many rows it has. */
static vc_status enter_segment(vc_lane *lane, uint32_t segment)
{
    const vc_scan *scan = lane->scan;
    const vc_zone *zones;
    if (segment != lane->segment) {
        memset(lane->chunks, 0, count_chunks(scan) * sizeof *lane->chunks);
        lane->segment = segment;
    }
    vc_status status = vc_plan_check(scan->plan, &lane->error);
    if (status == VC_OK)
        status = vc_source_cube_zones(scan->cube, scan->snapshot, 0, &zones, &lane->error);
    if (status == VC_OK) lane->segment_rows = zones[segment].nrows;
    return status;
}

static void enter_block(vc_lane *lane, uint32_t block)
{
    uint32_t left = lane->segment_rows - block * VC_BLOCK_ROWS;
    lane->block = block;
    lane->nrows = left < VC_BLOCK_ROWS ? left : VC_BLOCK_ROWS;
}

/* Some blocks of a segment. */
static vc_status scan_blocks(vc_lane *lane, uint32_t segment, uint32_t first, uint32_t end)
{
    vc_status status = enter_segment(lane, segment);
    for (uint32_t block = first;
         block < end && block * VC_BLOCK_ROWS < lane->segment_rows && status == VC_OK; block++) {
        enter_block(lane, block);
        status = vc_lane_scan_block(lane);
    }
    return status;
}

enum { SEGMENT_BLOCKS = VC_SEGMENT_ROWS / VC_BLOCK_ROWS };

static vc_status scan_lane(vc_lane *lane)
{
    vc_scan *scan = lane->scan;
    vc_status status = VC_OK;
    if (scan->is_ordered) {
        for (uint32_t i = lane->first; i < lane->end && status == VC_OK; i++)
            status = scan_blocks(lane, scan->segments[i], 0, SEGMENT_BLOCKS);
        return status;
    }
    size_t npieces = (size_t)scan->nsegments * VC_SEGMENT_PIECES, piece;
    while (status == VC_OK && (piece = atomic_fetch_add(&scan->next_piece, 1)) < npieces) {
        uint32_t first = (uint32_t)(piece % VC_SEGMENT_PIECES) * VC_PIECE_BLOCKS;
        status = scan_blocks(lane, scan->segments[piece / VC_SEGMENT_PIECES], first,
                             first + VC_PIECE_BLOCKS);
    }
    return status;
}

static bool start_records(vc_lane *lane)
{
    const vc_scan *scan = lane->scan;
    if (scan->collects == NULL) return true;
    lane->records = calloc(scan->pass->naccumulators + 1, sizeof *lane->records);
    for (size_t i = 0; lane->records != NULL && i < scan->pass->naccumulators; i++)
        lane->records[i].nwords =
            scan->collects[i] == VC_COLLECT_COMBINATIONS ? scan->combinations->nwords + 1 : 2;
    return lane->records != NULL;
}

static vc_status start_lane(vc_scan *scan, vc_lane *lane)
{
    lane->scan = scan;
    lane->segment = UINT32_MAX;
    lane->chunks = calloc(count_chunks(scan) + 1, sizeof *lane->chunks);
    return lane->chunks != NULL && start_records(lane) && vc_lane_reserve(lane, VC_BLOCK_ROWS)
               ? VC_OK
               : vc_no_memory(&lane->error);
}

static void run_lane(void *context, size_t number)
{
    vc_scan *scan = context;
    vc_lane *lane = &scan->lanes[number];
    lane->status = start_lane(scan, lane);
    if (lane->status == VC_OK) lane->status = vc_cells_new(&scan->form, &lane->cells, &lane->error);
    if (lane->status == VC_OK) lane->status = scan_lane(lane);
}

static void release_lane(vc_lane *lane)
{
    vc_cells_free(lane->cells);
    vc_lane_release_tuples(lane);
    for (size_t i = 0; lane->records != NULL && i < lane->scan->pass->naccumulators; i++)
        vc_records_release(&lane->records[i]);
    free(lane->records);
    free(lane->chunks);
    free(lane->row_buffer);
    free(lane->slots);
    free(lane->picked);
    free(lane->wide);
    free(lane->spare_rows);
    free(lane->spare_wide);
}

/* ---- sets of groups ---- */

enum { MAX_KEPT_CELLS = 1 << 20 };

/* Are they few enough to be kept beside the cells of groups? Known before anything is read. */
static bool keeps_sets(const vc_scan *scan)
{
    return scan->has_sets && scan->ncells <= MAX_KEPT_CELLS;
}

/* From the cells of sets to those of groups. The former are freed, or go to *sets_out, if the
 * caller is to have them. */
static vc_status share_out(const vc_scan *scan, const vc_table *table, vc_cells *from,
                           vc_cells **cells_out, vc_set_cells **sets_out, vc_error *error)
{
    vc_set_cells sets = {.table = table, .spans = scan->spans, .cells = from};
    vc_status status =
        vc_set_cells_share(scan->plan, &sets, table, &scan->shared, cells_out, error);
    if (status == VC_OK && sets_out != NULL && keeps_sets(scan)) {
        *sets_out = VC_ARENA_NEW(scan->plan->arena, vc_set_cells, 1);
        if (*sets_out != NULL) {
            **sets_out = sets;
            return VC_OK;
        }
        vc_cells_free(*cells_out);
        status = vc_no_memory(error);
    }
    vc_cells_free(from);
    return status;
}

/* ---- the whole ---- */

static void add_stats(vc_scan_stats *stats, const vc_lane *lane)
{
    stats->nblocks_skipped += lane->stats.nblocks_skipped;
    stats->nrows_scanned += lane->stats.nrows_scanned;
    stats->nrows_kept += lane->stats.nrows_kept;
    stats->nbytes += lane->stats.nbytes;
}

static void count_usage(vc_engine_usage *usage, const vc_scan_stats *stats)
{
    if (usage == NULL) return;
    atomic_fetch_add_explicit(&usage->nscans, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&usage->nfacts, stats->nrows_scanned, memory_order_relaxed);
    atomic_fetch_add_explicit(&usage->nbytes, stats->nbytes, memory_order_relaxed);
}

/* Parts are cut by the cube's segments, not by those that are read, so that a cell's doubles are
 * added up in the same way whatever else a query asks for. */
static uint32_t find_part_end(const vc_scan *scan, size_t part, size_t nparts)
{
    uint64_t end = (uint64_t)scan->cube->nsegments * (part + 1) / nparts;
    uint32_t place = 0;
    while (place < scan->nsegments && scan->segments[place] < end)
        place++;
    return place;
}

static vc_status run(vc_scan *scan, const vc_table *table, size_t nlanes, vc_cells **cells_out,
                     vc_set_cells **sets_out, vc_scan_stats *stats, vc_error *error)
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
        vc_lane *lane = &scan->lanes[i];
        add_stats(stats, lane);
        if (status != VC_OK) continue;
        status = lane->status;
        if (status != VC_OK && error != NULL) *error = lane->error;
        parts[i] = lane->cells;
    }
    count_usage(scan->plan->options->usage, stats);
    if (status == VC_OK)
        status =
            vc_cells_merge(scan->plan->options->pool, scan->plan, parts, nlanes, cells_out, error);
    if (status == VC_OK && parts[0] == NULL) scan->lanes[0].cells = NULL;
    if (status == VC_OK && scan->has_sets)
        status = share_out(scan, table, *cells_out, cells_out, sets_out, error);
    if (status == VC_OK) {
        status = vc_scan_put_together(scan, nlanes, *cells_out, error);
        if (status != VC_OK) vc_cells_free(*cells_out);
    }
    if (status != VC_OK) *cells_out = NULL;
    for (size_t i = 0; i < nlanes; i++)
        release_lane(&scan->lanes[i]);
    free(scan->lanes);
    return status;
}

static vc_status start_scan(const vc_plan *plan, const vc_pass *pass, const vc_table *table,
                            vc_scan *scan, vc_error *error)
{
    *scan = (vc_scan){.plan = plan,
                      .pass = pass,
                      .cube = plan->cube->sources[pass->source].cube,
                      .snapshot = vc_model_snapshot(plan->model),
                      .kernels = vc_kernels_get(vc_cpu_get_level()),
                      .packed = vc_packed_get_kernels(vc_cpu_get_level())};
    vc_status status = vc_table_of_stored(scan->cube, table, plan->arena, &scan->table, error);
    if (status == VC_OK && pass->combinations != NULL)
        status = vc_table_of_stored(scan->cube, pass->combinations->table, plan->arena,
                                    &scan->combined, error);
    return status;
}

vc_status vc_scan_run_keeping(const vc_plan *plan, const vc_pass *pass, const vc_table *table,
                              vc_cells **cells_out, vc_set_cells **sets_out, vc_scan_stats *stats,
                              vc_error *error)
{
    vc_scan scan;
    *stats = (vc_scan_stats){0};
    vc_status status = start_scan(plan, pass, table, &scan, error);
    if (status == VC_OK) status = vc_scan_choose(&scan, stats, error);
    if (status != VC_OK) return status;
    size_t nlanes = vc_scan_count_lanes(&scan);
    stats->nthreads = vc_pool_nthreads(plan->options->pool);
    if (stats->nthreads > nlanes) stats->nthreads = (unsigned)nlanes;
    status = vc_scan_choose_form(&scan, nlanes, stats, error);
    if (status != VC_OK) return status;
    if (cells_out != NULL) return run(&scan, table, nlanes, cells_out, sets_out, stats, error);
    if (sets_out != NULL && keeps_sets(&scan)) {
        *sets_out = VC_ARENA_NEW(plan->arena, vc_set_cells, 1);
        if (*sets_out == NULL) return vc_no_memory(error);
        **sets_out = (vc_set_cells){.table = table, .spans = scan.spans};
    }
    return vc_scan_promise_bytes(&scan, stats, error);
}

vc_status vc_scan_run(const vc_plan *plan, const vc_pass *pass, const vc_table *table,
                      vc_cells **cells_out, vc_scan_stats *stats, vc_error *error)
{
    return vc_scan_run_keeping(plan, pass, table, cells_out, NULL, stats, error);
}

/* ---- rows ---- */

static vc_status visit_segment(vc_lane *lane, uint32_t segment, vc_visit_rows *visit, void *context,
                               bool *is_enough, vc_error *error)
{
    vc_status status = enter_segment(lane, segment);
    for (uint32_t block = 0; status == VC_OK && block * VC_BLOCK_ROWS < lane->segment_rows;
         block++) {
        enter_block(lane, block);
        status = vc_lane_select_block(lane);
        if (status != VC_OK || lane->count == 0) continue;
        status = visit(context, lane, is_enough, error);
        if (status != VC_OK || *is_enough) return status;
    }
    if (status != VC_OK && error != NULL) *error = lane->error;
    return status;
}

vc_status vc_scan_visit(const vc_plan *plan, const vc_pass *pass, const vc_table *table,
                        vc_visit_rows *visit, void *context, vc_error *error)
{
    vc_scan scan;
    vc_scan_stats stats = {0};
    bool is_enough = false;
    vc_status status = start_scan(plan, pass, table, &scan, error);
    if (status == VC_OK) status = vc_scan_choose(&scan, &stats, error);
    if (status != VC_OK) return status;
    vc_lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL) return vc_no_memory(error);
    status = start_lane(&scan, lane);
    if (status != VC_OK && error != NULL) *error = lane->error;
    for (uint32_t i = 0; i < scan.nsegments && status == VC_OK && !is_enough; i++)
        status = visit_segment(lane, scan.segments[i], visit, context, &is_enough, error);
    release_lane(lane);
    free(lane);
    return status;
}
