/* Medians and quantiles: the values of each cell side by side, and the one or two that are asked
 * for selected from them. Which they are does not depend on the order of the values, so neither do
 * the bytes of the answer. */
#include "slice/collect.h"

#include "slice/accumulator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 24, NJOBS = 64 };

struct selecting {
    const vc_scan *scan;
    size_t number; /* of the accumulator that was collected */
    vc_cells *cells;
    uint64_t *values;
    vc_status statuses[NJOBS]; /* VC_OK or VC_CANCELLED */
    uint64_t *ends; /* [ncells + 1] values of a slot are before; of slot i from ends[i - 1] on */
    size_t nslots;
};

/* ---- selecting ---- */

static int compare_values(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t middle_of(uint64_t a, uint64_t b, uint64_t c)
{
    if (a > b) {
        uint64_t larger = a;
        a = b;
        b = larger;
    }
    return c < a ? a : c > b ? b : c;
}

/* A job, which asks now and then whether it goes on. */
struct job {
    const struct selecting *in;
    vc_status status;
    size_t nmoved; /* since it was asked */
};

static bool goes_on(struct job *job, size_t nvalues)
{
    job->nmoved += nvalues;
    if (job->nmoved < VC_LOOK_ITEMS || job->status != VC_OK) return job->status == VC_OK;
    job->nmoved = 0;
    job->status = vc_plan_check(job->in->scan->plan, NULL);
    return job->status == VC_OK;
}

/* Order values so that the k-th stands in its place, none before it is larger and none behind it
 * smaller (Hoare's FIND; what does not get smaller soon enough is sorted). Not so when the job does
 * not go on. */
static void select_value(struct job *job, uint64_t *values, size_t n, size_t k)
{
    size_t first = 0, end = n;
    for (unsigned rounds = 0; end - first > SMALL && rounds < 96; rounds++) {
        uint64_t pivot =
            middle_of(values[first], values[first + (end - first) / 2], values[end - 1]);
        size_t low = first, high = end - 1;
        for (;;) {
            while (values[low] < pivot)
                low++;
            while (values[high] > pivot)
                high--;
            if (low >= high) break;
            if (!goes_on(job, 2)) return;
            uint64_t swapped = values[low];
            values[low++] = values[high];
            values[high--] = swapped;
        }
        /* values before `low` are at most the pivot, those behind `high` at least. */
        if (k <= high && low > high)
            end = high + 1;
        else if (low > high)
            first = low;
        else if (k < low)
            end = low;
        else if (k > low)
            first = low + 1;
        else
            return;
    }
    qsort(values + first, end - first, sizeof *values, compare_values);
}

static long double to_number(bool is_float, uint64_t value)
{
    const uint64_t sign = UINT64_C(1) << 63;
    double number;
    if (!is_float) return (long double)(int64_t)(value ^ sign);
    value = value & sign ? value ^ sign : ~value;
    memcpy(&number, &value, sizeof number);
    return number;
}

/* Between the two values next to (n - 1) * quantile, in proportion. */
static double find_quantile(struct job *job, uint64_t *values, size_t n, double quantile,
                            bool is_float, long double unit)
{
    double place = quantile * (double)(n - 1);
    size_t below = (size_t)floor(place);
    if (below > n - 1) below = n - 1;
    long double part = (long double)place - (long double)below;
    select_value(job, values, n, below);
    long double low = to_number(is_float, values[below]);
    if (part <= 0 || below + 1 == n) return (double)(low / unit);
    uint64_t next = values[below + 1];
    for (size_t i = below + 2; i < n; i++)
        if (values[i] < next) next = values[i];
    long double high = to_number(is_float, next);
    return (double)((low + (high - low) * part) / unit);
}

static void select_slot(struct job *job, size_t slot)
{
    const struct selecting *in = job->in;
    const vc_pass *pass = in->scan->pass;
    uint64_t first = slot == 0 ? 0 : in->ends[slot - 1];
    size_t n = (size_t)(in->ends[slot] - first);
    for (size_t i = in->number; n > 0 && i < pass->naccumulators; i++) {
        const vc_accumulator_spec *spec = &pass->accumulators[i];
        if (!vc_is_quantile(spec->aggregator) ||
            spec->column != pass->accumulators[in->number].column)
            continue;
        const vc_fact_column *column = &in->scan->cube->columns[spec->column];
        vc_accumulator *accumulator = &vc_cells_accumulators(in->cells, i)[slot];
        bool is_decimal = spec->type == VC_VALUE_DECIMAL;
        accumulator->count = n;
        accumulator->as.fextreme =
            find_quantile(job, in->values + first, n, spec->quantile, spec->type == VC_VALUE_FLOAT,
                          is_decimal ? (long double)vc_pow10(column->scale) : 1);
    }
}

/* A job takes the slots whose last value lies in its share of all values. */
static void select_share(void *context, size_t number)
{
    struct selecting *in = context;
    struct job job = {.in = in};
    uint64_t share = in->ends[in->nslots - 1] / NJOBS + 1, first = number * share;
    size_t slot = 0, end = in->nslots;
    while (slot < end) { /* the first one that ends behind the share's beginning */
        size_t middle = slot + (end - slot) / 2;
        if (in->ends[middle] > first)
            end = middle;
        else
            slot = middle + 1;
    }
    for (; slot < in->nslots && in->ends[slot] <= first + share && goes_on(&job, 1); slot++)
        select_slot(&job, slot);
    in->statuses[number] = job.status;
}

/* ---- putting side by side ---- */

/* Count the values of each slot; a record's key becomes its slot. */
static vc_status count_values(struct selecting *in, const vc_records *const *records,
                              size_t nrecords, vc_error *error)
{
    for (size_t r = 0; r < nrecords; r++) {
        for (uint64_t i = 0; i < records[r]->count; i++) {
            uint64_t *record = vc_records_get(records[r], i);
            vc_status status = vc_plan_look(in->scan->plan, i, error);
            if (status != VC_OK) return status;
            uint32_t slot = vc_cells_find(in->cells, record[0]);
            if (slot == VC_NONE)
                return vc_fail(error, VC_CORRUPT, "storage_damaged",
                               "a value was read for a cell that has no facts");
            record[0] = slot;
            in->ends[slot]++;
        }
    }
    return VC_OK;
}

static vc_status place_values(struct selecting *in, const vc_records *const *records,
                              size_t nrecords, vc_error *error)
{
    uint64_t all = 0;
    vc_status status = VC_OK;
    for (size_t slot = 0; slot < in->nslots; slot++) { /* for now, where a slot begins */
        uint64_t count = in->ends[slot];
        in->ends[slot] = all;
        all += count;
    }
    for (size_t r = 0; r < nrecords; r++)
        for (uint64_t i = 0; i < records[r]->count && status == VC_OK; i++) {
            const uint64_t *record = vc_records_get(records[r], i);
            status = vc_plan_look(in->scan->plan, i, error);
            in->values[in->ends[record[0]]++] = record[1];
        }
    return status;
}

static vc_status find_failure(const struct selecting *in, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t job = 0; job < NJOBS; job++)
        if (in->statuses[job] != VC_OK) status = in->statuses[job];
    if (status == VC_OK) return VC_OK;
    if (vc_plan_check(in->scan->plan, error) == VC_OK) /* which has the words, mostly */
        vc_fail(error, status, "cancelled", "the query was cancelled");
    return status;
}

vc_status vc_quantile_put(const vc_scan *scan, size_t number, const vc_records *const *records,
                          size_t nrecords, vc_cells *cells, vc_error *error)
{
    struct selecting in = {
        .scan = scan, .number = number, .cells = cells, .nslots = vc_cells_count(cells)};
    uint64_t all = 0;
    for (size_t r = 0; r < nrecords; r++)
        all += records[r]->count;
    if (all == 0) return VC_OK;
    in.values = malloc(all * sizeof *in.values);
    in.ends = calloc(in.nslots + 1, sizeof *in.ends);
    vc_status status = in.values == NULL || in.ends == NULL
                           ? vc_no_memory(error)
                           : count_values(&in, records, nrecords, error);
    if (status == VC_OK) status = place_values(&in, records, nrecords, error);
    if (status == VC_OK) {
        vc_pool_run(scan->plan->options->pool, NJOBS, select_share, &in);
        status = find_failure(&in, error);
    }
    free(in.values);
    free(in.ends);
    return status;
}
