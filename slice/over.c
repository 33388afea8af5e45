/* Measures that are resolved along one dimension of their source: `over` last_nonempty,
 * first_nonempty, avg, min and max.
 *
 * The records of all facts are sorted by combination of the other coordinates, then by place along
 * the dimension. So a combination is a run of records, and within it a leaf of the dimension is
 * one: its facts are aggregated first. Then it is known, by the steps of the scan, into which cells
 * the combination falls at each of its leaves; per cell, what there is along the dimension becomes
 * one value, which is added to the cell. Which cells a combination falls into does not matter to
 * others, so relations with several partners need no more than several cells.
 *
 * Sums of doubles are taken in the order of the sorted records: the bytes depend on nothing else.
 */
#include "slice/collect.h"

#include "slice/accumulator.h"

#include <stdlib.h>
#include <string.h>

struct share { /* what a combination has at one leaf of the dimension, in one cell */
    uint64_t key;
    uint32_t point;
};

struct resolving {
    const vc_scan *scan;
    const vc_combination_form *form;
    const vc_accumulator_spec *spec;
    vc_cells *cells;
    vc_accumulator *accumulators; /* [slots] of the cells */
    vc_over over;
    size_t nwords; /* of a record */
    uint64_t *sorted, *spare;
    uint64_t nrecords;
    /* The combination at hand: */
    uint32_t *leaves;       /* [ndimensions] of the point at hand */
    vc_accumulator *points; /* [npoints] at each leaf of the dimension that has a value */
    size_t npoints, point_capacity;
    struct share *shares;
    size_t nshares, share_capacity;
};

/* ---- sorting ---- */

/* One byte of one word, least first; equal records stay in order. */
static vc_status sort_byte(struct resolving *in, size_t word, unsigned shift, vc_error *error)
{
    vc_status status = VC_OK;
    uint64_t counts[256] = {0}, place = 0;
    size_t bytes = in->nwords * sizeof *in->sorted;
    for (uint64_t i = 0; i < in->nrecords && status == VC_OK; i++) {
        status = vc_plan_look(in->scan->plan, i, error);
        counts[in->sorted[i * in->nwords + word] >> shift & 255]++;
    }
    for (size_t b = 0; b < 256; b++) {
        if (counts[b] == in->nrecords) return status;
        uint64_t count = counts[b];
        counts[b] = place;
        place += count;
    }
    for (uint64_t i = 0; i < in->nrecords && status == VC_OK; i++) {
        const uint64_t *record = in->sorted + i * in->nwords;
        status = vc_plan_look(in->scan->plan, i, error);
        uint64_t to = counts[record[word] >> shift & 255]++;
        memcpy(in->spare + to * in->nwords, record, bytes);
    }
    uint64_t *sorted = in->spare;
    in->spare = in->sorted;
    in->sorted = sorted;
    return status;
}

static vc_status sort_records(struct resolving *in, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t word = in->form->nwords; word-- > 0 && status == VC_OK;)
        for (unsigned shift = 0; shift < 64 && status == VC_OK; shift += 8)
            status = sort_byte(in, word, shift, error);
    return status;
}

static vc_status gather(struct resolving *in, const vc_records *const *records, size_t nrecords,
                        vc_error *error)
{
    for (size_t r = 0; r < nrecords; r++)
        in->nrecords += records[r]->count;
    size_t bytes = in->nrecords * in->nwords * sizeof *in->sorted;
    in->sorted = malloc(bytes + 1);
    in->spare = malloc(bytes + 1);
    if (in->sorted == NULL || in->spare == NULL) return vc_no_memory(error);
    uint64_t *to = in->sorted;
    vc_status status = VC_OK;
    for (size_t r = 0; r < nrecords; r++)
        for (uint64_t i = 0; i < records[r]->count && status == VC_OK; i++, to += in->nwords) {
            status = vc_plan_look(in->scan->plan, i, error);
            memcpy(to, vc_records_get(records[r], i), in->nwords * sizeof *to);
        }
    return status == VC_OK ? sort_records(in, error) : status;
}

/* ---- a point: one leaf of the dimension ---- */

static int compare_words(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Aggregate the values of records first to end, which have the same leaves. */
static vc_status add_point(struct resolving *in, uint64_t first, uint64_t end, vc_error *error)
{
    if (in->npoints == in->point_capacity) {
        size_t capacity = in->point_capacity == 0 ? 64 : in->point_capacity * 2;
        vc_accumulator *points = realloc(in->points, capacity * sizeof *points);
        if (points == NULL) return vc_no_memory(error);
        in->points = points;
        in->point_capacity = capacity;
    }
    vc_accumulator *point = &in->points[in->npoints++];
    *point = (vc_accumulator){.count = 0};
    bool is_float = in->spec->type == VC_VALUE_FLOAT;
    /* The order of their values is the one that lanes cannot change. The spare array is free. */
    uint64_t *values = in->spare;
    for (uint64_t i = first; i < end; i++)
        values[i - first] = in->sorted[i * in->nwords + in->form->nwords];
    if (is_float && end - first > 1) qsort(values, end - first, sizeof *values, compare_words);
    for (uint64_t i = 0; i < end - first; i++) {
        double number;
        memcpy(&number, &values[i], sizeof number);
        if (is_float)
            vc_accumulator_add_double(point, in->spec->aggregator, number);
        else
            vc_accumulator_add_int(point, in->spec->aggregator, (int64_t)values[i]);
    }
    return VC_OK;
}

static void read_leaves(struct resolving *in, const uint64_t *record)
{
    for (size_t f = 0; f < in->form->nfields; f++) {
        const vc_combination_field *field = &in->form->fields[f];
        uint64_t mask = (UINT64_C(1) << field->width) - 1;
        uint32_t leaf = (uint32_t)(record[field->word] >> field->shift & mask);
        if (f + 1 == in->form->nfields) leaf = in->form->leaf_of_place[leaf];
        in->leaves[field->column] = leaf;
    }
}

/* ---- the cells of a point ---- */

static vc_status add_share(struct resolving *in, uint64_t key, vc_error *error)
{
    if (in->nshares == in->share_capacity) {
        size_t capacity = in->share_capacity == 0 ? 64 : in->share_capacity * 2;
        struct share *shares = realloc(in->shares, capacity * sizeof *shares);
        if (shares == NULL) return vc_no_memory(error);
        in->shares = shares;
        in->share_capacity = capacity;
    }
    in->shares[in->nshares++] = (struct share){key, (uint32_t)in->npoints - 1};
    return VC_OK;
}

/* The leaf, or tuple, at hand that a step is about. */
static uint32_t leaf_of(const struct resolving *in, const vc_step *step)
{
    uint64_t code = 0;
    uint32_t number;
    if (step->tuples == NULL) return in->leaves[step->column];
    for (size_t c = 0; c < step->tuples->ncomponents; c++) {
        size_t column = step->components[c];
        uint32_t leaf = vc_source_cube_leaf(in->scan->cube, column, in->leaves[column]);
        vc_tuples_add_component(step->tuples, c, &leaf, 0, 1, &code);
    }
    vc_tuples_find(step->tuples, &code, 1, &number);
    return number;
}

/* The cells that the leaves at hand lead to, from a step on. */
static vc_status add_cells(struct resolving *in, size_t number, uint64_t key, vc_error *error)
{
    const vc_table *table = in->scan->table;
    for (; number < table->nsteps; number++) {
        const vc_step *step = &table->steps[number];
        if (step->stride == 0) continue;
        uint32_t leaf = leaf_of(in, step); /* known: it is that of a fact that passes */
        uint32_t origin = table->firsts[step->axis];
        if (step->offsets == NULL) {
            key += (step->groups[leaf] - origin) * step->stride;
            continue;
        }
        vc_status status = VC_OK;
        for (uint32_t t = step->offsets[leaf]; t < step->offsets[leaf + 1] && status == VC_OK; t++)
            status =
                add_cells(in, number + 1, key + (step->targets[t] - origin) * step->stride, error);
        return status;
    }
    return add_share(in, key, error);
}

/* ---- along the dimension ---- */

static int compare_shares(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->point > y->point) - (x->point < y->point);
}

static double sum_of(const vc_accumulator *point)
{
    return point->as.f.sum + point->as.f.correction;
}

static void add_average(const struct resolving *in, const struct share *shares, size_t n,
                        vc_accumulator *to)
{
    double average;
    if (in->spec->type == VC_VALUE_FLOAT) {
        double sum = 0, correction = 0;
        for (size_t i = 0; i < n; i++) {
            vc_sum_add(&sum, &correction, in->points[shares[i].point].as.f.sum);
            correction += in->points[shares[i].point].as.f.correction;
        }
        average = (sum + correction) / (double)n;
    } else {
        __int128 sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += in->points[shares[i].point].as.sum;
        average = (double)((long double)sum / (long double)n);
    }
    vc_sum_add(&to->as.f.sum, &to->as.f.correction, average);
    to->count++;
}

static void add_extreme(const struct resolving *in, const struct share *shares, size_t n,
                        vc_accumulator *to)
{
    bool is_float = in->spec->type == VC_VALUE_FLOAT, is_max = in->over == VC_OVER_MAX;
    const vc_accumulator *best = &in->points[shares[0].point];
    for (size_t i = 1; i < n; i++) {
        const vc_accumulator *point = &in->points[shares[i].point];
        bool is_more = is_float ? sum_of(point) > sum_of(best) : point->as.sum > best->as.sum;
        bool is_less = is_float ? sum_of(point) < sum_of(best) : point->as.sum < best->as.sum;
        if (is_max ? is_more : is_less) best = point;
    }
    if (is_float)
        vc_sum_add(&to->as.f.sum, &to->as.f.correction, sum_of(best));
    else
        to->as.sum += best->as.sum;
    to->count++;
}

/* One value of a combination in a cell, from what it has along the dimension: shares [n] in the
 * order of the places. */
static vc_status resolve(struct resolving *in, const struct share *shares, size_t n,
                         vc_error *error)
{
    uint32_t slot = vc_cells_find(in->cells, shares[0].key);
    if (slot == VC_NONE)
        return vc_fail(error, VC_CORRUPT, "storage_damaged",
                       "a value was read for a cell that has no facts");
    vc_accumulator *to = &in->accumulators[slot];
    switch (in->over) {
    case VC_OVER_AVG: add_average(in, shares, n, to); break;
    case VC_OVER_MIN:
    case VC_OVER_MAX: add_extreme(in, shares, n, to); break;
    case VC_OVER_LAST_NONEMPTY:
        vc_accumulator_merge(in->spec, to, &in->points[shares[n - 1].point]);
        break;
    default: vc_accumulator_merge(in->spec, to, &in->points[shares[0].point]); break;
    }
    return VC_OK;
}

static vc_status resolve_combination(struct resolving *in, vc_error *error)
{
    bool is_sorted = true;
    for (size_t i = 1; i < in->nshares && is_sorted; i++)
        is_sorted = in->shares[i - 1].key <= in->shares[i].key;
    if (!is_sorted) qsort(in->shares, in->nshares, sizeof *in->shares, compare_shares);
    vc_status status = VC_OK;
    for (size_t first = 0, end; first < in->nshares && status == VC_OK; first = end) {
        for (end = first + 1; end < in->nshares && in->shares[end].key == in->shares[first].key;)
            end++;
        status = resolve(in, in->shares + first, end - first, error);
    }
    in->npoints = in->nshares = 0;
    return status;
}

/* ---- the whole ---- */

/* Do two records lie on the same leaves, the `over` dimension apart? */
static bool is_same_combination(const struct resolving *in, const uint64_t *a, const uint64_t *b)
{
    const vc_combination_field *over = &in->form->fields[in->form->nfields - 1];
    for (size_t word = 0; word < in->form->nwords; word++) {
        uint64_t mask = UINT64_MAX;
        if (word == over->word) mask ^= ((UINT64_C(1) << over->width) - 1) << over->shift;
        if ((a[word] & mask) != (b[word] & mask)) return false;
    }
    return true;
}

static vc_status resolve_all(struct resolving *in, vc_error *error)
{
    size_t key_bytes = in->form->nwords * sizeof *in->sorted;
    vc_status status = VC_OK;
    for (uint64_t first = 0, end, npoints = 0; first < in->nrecords && status == VC_OK;
         first = end, npoints++) {
        const uint64_t *record = in->sorted + first * in->nwords;
        for (end = first + 1; end < in->nrecords; end++)
            if (memcmp(in->sorted + end * in->nwords, record, key_bytes) != 0) break;
        if (first > 0 && !is_same_combination(in, record, record - in->nwords))
            status = resolve_combination(in, error);
        if (status == VC_OK && npoints % 65536 == 0) status = vc_plan_check(in->scan->plan, error);
        if (status == VC_OK) status = add_point(in, first, end, error);
        if (status != VC_OK) break;
        read_leaves(in, record);
        status = add_cells(in, 0, 0, error);
    }
    return status == VC_OK ? resolve_combination(in, error) : status;
}

vc_status vc_over_put(const vc_scan *scan, size_t number, const vc_records *const *records,
                      size_t nrecords, vc_cells *cells, vc_error *error)
{
    struct resolving in = {.scan = scan,
                           .form = scan->combinations,
                           .spec = &scan->pass->accumulators[number],
                           .cells = cells,
                           .accumulators = vc_cells_accumulators(cells, number),
                           .over = scan->pass->over,
                           .nwords = scan->combinations->nwords + 1};
    in.leaves = VC_ARENA_NEW(scan->plan->arena, uint32_t, scan->cube->ndimensions + 1);
    vc_status status =
        in.leaves == NULL ? vc_no_memory(error) : gather(&in, records, nrecords, error);
    if (status == VC_OK && in.nrecords > 0) status = resolve_all(&in, error);
    free(in.sorted);
    free(in.spare);
    free(in.points);
    free(in.shares);
    return status;
}
