/* Before the scan: what steps, zones and types say without a look at a fact. */
#include "slice/accumulator.h"
#include "slice/collect.h"

#include <stdlib.h>

int vc_scan_value_column(const vc_scan *scan, const vc_accumulator_spec *spec)
{
    if (spec->distinct_dimension >= 0) return spec->distinct_dimension;
    return spec->column < 0 ? -1 : scan->cube->columns[spec->column].column;
}

/* ---- filters and segments ---- */

static int compare_filters(const void *a, const void *b)
{
    const vc_step *x = *(const vc_step *const *)a, *y = *(const vc_step *const *)b;
    double p = (double)x->npassing / x->nleaves, q = (double)y->npassing / y->nleaves;
    if (p != q) return p < q ? -1 : 1;
    return (x > y) - (x < y);
}

static vc_status choose_filters(vc_scan *scan, vc_error *error)
{
    const vc_table *table = scan->table;
    scan->filters = VC_ARENA_NEW(scan->plan->arena, const vc_step *, table->nsteps + 1);
    if (scan->filters == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < table->nsteps; i++) {
        const vc_step *step = &table->steps[i];
        if (step->npassing < step->nleaves) scan->filters[scan->nfilters++] = step;
    }
    qsort(scan->filters, scan->nfilters, sizeof *scan->filters, compare_filters);
    return VC_OK;
}

/* The segments that no zone rules out. */
static vc_status choose_segments(vc_scan *scan, vc_scan_stats *stats, vc_error *error)
{
    uint32_t nsegments = scan->cube->nsegments;
    const vc_zone *zones;
    bool *is_out = VC_ARENA_NEW(scan->plan->arena, bool, (size_t)nsegments + 1);
    scan->segments = VC_ARENA_NEW(scan->plan->arena, uint32_t, (size_t)nsegments + 1);
    if (is_out == NULL || scan->segments == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < scan->nfilters && !scan->plan->options->is_plain; i++) {
        if (scan->filters[i]->tuples != NULL) continue; /* they have no zones of their own */
        vc_status status = vc_source_cube_zones(scan->cube, scan->snapshot,
                                                scan->filters[i]->column, &zones, error);
        if (status != VC_OK) return status;
        for (uint32_t s = 0; s < nsegments; s++)
            is_out[s] |= vc_scan_none_pass(scan->filters[i], zones[s].min, zones[s].max);
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

/* ---- cells ---- */

/* The narrowest way to keep an accumulator that is exact whatever facts fall into one cell. */
static vc_status choose_keep(const vc_scan *scan, const vc_accumulator_spec *spec,
                             vc_keep *keep_out, vc_error *error)
{
    int column = vc_scan_value_column(scan, spec);
    bool is_sum = (spec->aggregator == VC_AGG_SUM || spec->aggregator == VC_AGG_AVG) &&
                  spec->type != VC_VALUE_FLOAT;
    const vc_zone *zones;
    uint64_t most = 0, product;
    *keep_out = column < 0 ? VC_KEEP_ROWS : VC_KEEP_WIDE;
    if (vc_has_moments(spec->aggregator)) *keep_out = VC_KEEP_MOMENTS;
    if (column < 0 || scan->plan->options->is_plain ||
        (!is_sum && spec->aggregator != VC_AGG_COUNT))
        return VC_OK;
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

static vc_status choose_keeps(vc_scan *scan, vc_error *error)
{
    const vc_pass *pass = scan->pass;
    scan->keeps = VC_ARENA_NEW(scan->plan->arena, vc_keep, pass->naccumulators + 1);
    if (scan->keeps == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < pass->naccumulators; i++) {
        const vc_accumulator_spec *spec = &pass->accumulators[i];
        if (scan->collects != NULL && scan->collects[i] != VC_COLLECT_NOTHING) {
            scan->keeps[i] = VC_KEEP_WIDE;
            continue;
        }
        vc_status status = choose_keep(scan, spec, &scan->keeps[i], error);
        if (status != VC_OK) return status;
        scan->is_ordered |= vc_accumulator_is_ordered(spec);
    }
    return VC_OK;
}

/* Ids of a count_distinct are below. */
static vc_status find_nids(const vc_scan *scan, const vc_accumulator_spec *spec, uint64_t *nids_out,
                           vc_error *error)
{
    const vc_zone *zones;
    uint16_t column = (uint16_t)vc_scan_value_column(scan, spec);
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

/* May ragged steps be scanned by their sets of groups? Only where cells can be added up exactly. */
static bool can_scan_sets(const vc_scan *scan)
{
    bool is_ragged = false, can = !scan->is_ordered && !scan->plan->options->is_plain &&
                                  scan->pass->combinations == NULL;
    for (size_t i = 0; i < scan->table->nsteps; i++) {
        const vc_step *step = &scan->table->steps[i];
        if (step->offsets == NULL) continue;
        is_ragged = true;
        can &= step->nsets > 0;
    }
    for (size_t i = 0; i < scan->pass->naccumulators; i++)
        can &= scan->pass->accumulators[i].aggregator != VC_AGG_COUNT_DISTINCT &&
               !vc_is_quantile(scan->pass->accumulators[i].aggregator);
    return is_ragged && can;
}

/* Strides and origin of the grid: the table's. */
static void lay_grid(vc_scan *scan)
{
    const vc_table *table = scan->table;
    scan->origin = 0;
    for (size_t i = 0; i < table->nsteps; i++) {
        const vc_step *step = &table->steps[i];
        if (step->stride == 0) continue;
        scan->strides[i] = step->stride;
        scan->spans[i] = table->spans[step->axis];
        scan->origin -= table->firsts[step->axis] * step->stride;
    }
    scan->ncells = table->ncells;
}

/* The same with the sets of ragged steps in place of groups. They run fastest: facts lie mostly in
 * the order of time, so the cells of the others are those of one or few of their groups for long,
 * and these of the sets lie close together. False: it has more than 2^64 cells. */
static bool lay_grid_of_sets(vc_scan *scan)
{
    const vc_table *table = scan->table;
    scan->ncells = 1;
    scan->origin = 0;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < table->nsteps; i++) {
            const vc_step *step = &table->steps[i];
            bool is_set = step->offsets != NULL;
            if (step->stride == 0 || is_set != (round == 0)) continue;
            scan->strides[i] = scan->ncells;
            scan->spans[i] = is_set ? step->nsets : table->spans[step->axis];
            if (!is_set) scan->origin -= table->firsts[step->axis] * scan->strides[i];
            if (__builtin_mul_overflow(scan->ncells, (uint64_t)scan->spans[i], &scan->ncells))
                return false;
        }
    return true;
}

/* Where leaves pass here and there in one step only, and it is kept, one look at the group of a
 * leaf says both. Where few of them pass, their bits are looked up faster than groups of all. */
static void choose_selecting(vc_scan *scan)
{
    const vc_step *only = NULL;
    size_t nsets = 0;
    for (size_t i = 0; i < scan->nfilters; i++) {
        if (scan->filters[i]->passing == NULL) continue;
        only = scan->filters[i];
        nsets++;
    }
    if (nsets == 1 && !scan->expands && only->is_marked && only->stride > 0 &&
        (uint64_t)only->npassing * 4 >= only->nleaves)
        scan->selecting = only;
}

/* Sharing out costs as much per cell as expanding does per row: sets are for grids that are not
 * larger than what is scanned. */
static vc_status choose_grid(vc_scan *scan, uint64_t nrows, vc_error *error)
{
    enum { SMALL = 1 << 16 };
    const vc_table *table = scan->table;
    scan->strides = VC_ARENA_NEW(scan->plan->arena, uint64_t, table->nsteps + 1);
    scan->spans = VC_ARENA_NEW(scan->plan->arena, uint32_t, table->nsteps + 1);
    if (scan->strides == NULL || scan->spans == NULL) return vc_no_memory(error);
    scan->has_sets = can_scan_sets(scan) && lay_grid_of_sets(scan) &&
                     scan->ncells <= (nrows > SMALL ? nrows : SMALL);
    if (!scan->has_sets) lay_grid(scan);
    scan->expands = scan->ncells > UINT32_MAX || scan->plan->options->is_plain ||
                    scan->pass->combinations != NULL;
    for (size_t i = 0; i < table->nsteps; i++)
        scan->expands |= table->steps[i].offsets != NULL && !scan->has_sets;
    choose_selecting(scan);
    return VC_OK;
}

static vc_status check_memory(const vc_scan *scan, size_t nlanes, vc_scan_stats *stats,
                              vc_error *error)
{
    uint64_t limit = scan->plan->options->limits.max_memory_bytes;
    stats->is_dense = vc_cells_fit_densely(&scan->form);
    stats->memory_bytes =
        nlanes * sizeof(vc_lane) + vc_cells_estimate(&scan->form, stats->nrows_scanned, nlanes);
    if (scan->has_sets)
        stats->memory_bytes += vc_cells_estimate(&scan->shared, stats->nrows_scanned, 1) *
                               vc_set_cells_count_jobs(scan->plan, scan->ncells, &scan->shared);
    if (scan->collects != NULL) {
        uint64_t bytes = vc_scan_collect_bytes(scan, stats->nrows_scanned, nlanes);
        if (__builtin_add_overflow(stats->memory_bytes, bytes, &stats->memory_bytes))
            stats->memory_bytes = UINT64_MAX;
    }
    char need[VC_NUMBER_TEXT], held[VC_NUMBER_TEXT], most[VC_NUMBER_TEXT];
    /* Beside the cells that are there already: of other sources, of rows, of frames. */
    uint64_t held_bytes = scan->plan->root == NULL ? 0 : scan->plan->root->held_bytes;
    bool fits = stats->memory_bytes <= limit && held_bytes <= limit - stats->memory_bytes;
    if (fits || scan->plan->is_dry) return VC_OK;
    vc_format_bytes(need, stats->memory_bytes);
    vc_format_bytes(held, held_bytes);
    vc_format_bytes(most, limit);
    return vc_fail(error, VC_LIMIT, "limit_memory",
                   "the query may need %s of memory%s%s%s, the limit is %s; drill fewer "
                   "dimensions, cut more, or raise the limit (--max-memory)",
                   need, held_bytes > 0 ? " beside the " : "", held_bytes > 0 ? held : "",
                   held_bytes > 0 ? " that it has" : "", most);
}

/* What each of nlanes gets about its share of the facts that are scanned into. */
vc_status vc_scan_choose_form(vc_scan *scan, size_t nlanes, vc_scan_stats *stats, vc_error *error)
{
    const vc_pass *pass = scan->pass;
    uint64_t *nids = VC_ARENA_NEW(scan->plan->arena, uint64_t, pass->naccumulators + 1);
    vc_status status = nids == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t i = 0; i < pass->naccumulators && status == VC_OK; i++)
        if (pass->accumulators[i].aggregator == VC_AGG_COUNT_DISTINCT)
            status = find_nids(scan, &pass->accumulators[i], &nids[i], error);
    uint64_t nrows = stats->nrows_scanned, few = scan->plan->nfacts_expected;
    if (few > 0 && few < nrows) nrows = few;
    scan->form = (vc_cells_form){.plan = scan->plan,
                                 .ncells = scan->ncells,
                                 .specs = pass->accumulators,
                                 .keeps = scan->keeps,
                                 .nids = nids,
                                 .nspecs = pass->naccumulators,
                                 .nrows = nrows / nlanes,
                                 .max_slots = scan->plan->options->limits.max_cells};
    if (scan->has_sets) { /* the limit is on the cells of the answer, and the grid is bounded */
        scan->shared = scan->form;
        scan->shared.ncells = scan->table->ncells;
        scan->shared.nrows = nrows;
        scan->form.max_slots = scan->ncells;
    }
    return status == VC_OK ? check_memory(scan, nlanes, stats, error) : status;
}

size_t vc_scan_count_lanes(const vc_scan *scan)
{
    uint32_t nsegments = scan->cube->nsegments;
    size_t most = (size_t)scan->nsegments * VC_SEGMENT_PIECES / VC_LANE_PIECES;
    size_t nthreads = vc_pool_nthreads(scan->plan->options->pool);
    if (scan->is_ordered) {
        most = nsegments;
        nthreads = VC_SCAN_PARTS;
    }
    size_t nlanes = nthreads < most ? nthreads : most;
    return nlanes > 0 ? nlanes : 1;
}

vc_status vc_scan_choose(vc_scan *scan, vc_scan_stats *stats, vc_error *error)
{
    vc_status status = choose_filters(scan, error);
    if (status == VC_OK) status = choose_segments(scan, stats, error);
    if (status == VC_OK) status = vc_scan_choose_collects(scan, error);
    if (status == VC_OK) status = choose_keeps(scan, error);
    return status == VC_OK ? choose_grid(scan, stats->nrows_scanned, error) : status;
}

/* ---- promises ---- */

/* Bytes of a column in the segments that are left, at most: blocks are no wider than the range of
 * their segment. */
static vc_status promise_bytes(const vc_scan *scan, uint16_t column, uint64_t *bytes,
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

static vc_status promise_step(const vc_scan *scan, const vc_step *step, uint64_t *bytes,
                              vc_error *error)
{
    if (step->tuples == NULL) return promise_bytes(scan, step->column, bytes, error);
    vc_status status = VC_OK;
    for (size_t c = 0; c < step->tuples->ncomponents && status == VC_OK; c++)
        status = promise_bytes(scan, (uint16_t)step->components[c], bytes, error);
    return status;
}

/* A step reads its column, an accumulator its own. */
vc_status vc_scan_promise_bytes(const vc_scan *scan, vc_scan_stats *stats, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < scan->table->nsteps && status == VC_OK; i++) {
        const vc_step *step = &scan->table->steps[i];
        bool is_read = step->npassing < step->nleaves || step->stride > 0;
        for (size_t before = 0; before < i; before++)
            is_read &= scan->table->steps[before].column != step->column;
        if (is_read) status = promise_step(scan, step, &stats->nbytes, error);
    }
    for (size_t i = 0; i < scan->pass->naccumulators && status == VC_OK; i++) {
        const vc_accumulator_spec *spec = &scan->pass->accumulators[i];
        int column = vc_scan_value_column(scan, spec);
        if (scan->keeps[i] != VC_KEEP_ROWS && column >= 0)
            status = promise_bytes(scan, (uint16_t)column, &stats->nbytes, error);
        if (status == VC_OK && spec->aggregator == VC_AGG_WEIGHTED_AVG)
            status = promise_bytes(scan, scan->cube->columns[spec->weight_column].column,
                                   &stats->nbytes, error);
    }
    return status;
}
