/* The value of a measure that no parts add up to, computed once more from its facts, one by one: a
 * median, a variance, a weighted average, distinct values, and what is resolved along a dimension.
 * By the words of the definition and with none of the scan's means, so that the two can be
 * compared; in long doubles, which hold whole numbers exactly where these decide.
 */
#include "slice/collect.h"
#include "slice/facts_parts.h"
#include "slice/lineage_parts.h"

#include <math.h>
#include <stdlib.h>

struct fact {
    uint64_t combination; /* of its leaves, the `over` dimension apart */
    uint32_t place;       /* along that */
    long double value, weight;
};

struct recounting {
    const vc_plan *plan;
    const vc_cube_source *source;
    const vc_cube_measure *measure;
    const vc_accumulator_spec *spec;
    bool is_resolved;  /* along the `over` dimension, per combination */
    vc_numbers places; /* of its leaves */
    struct fact *facts;
    size_t nfacts, capacity;
};

typedef struct summing { /* what facts together are */
    long double sum, count, least, most;
} summing;

/* ---- reading ---- */

/* Of a value that is null, *has_out is false; the value of no column is 1. */
static vc_status read_value(const struct recounting *in, int number, uint32_t segment, uint32_t row,
                            long double *value_out, bool *has_out, vc_error *error)
{
    const vc_chunk *chunk;
    *value_out = 1;
    *has_out = true;
    if (number < 0) return VC_OK;
    const vc_fact_column *column = &in->source->cube->columns[number];
    vc_status status = vc_source_cube_view(in->source->cube, vc_model_snapshot(in->plan->model),
                                           column->column, segment, &chunk, error);
    if (status != VC_OK) return status;
    *has_out = row < chunk->nrows && vc_chunk_has(chunk, row);
    if (!*has_out) return VC_OK;
    *value_out = chunk->type == VC_CHUNK_FLOAT ? (long double)((const double *)chunk->data)[row]
                                               : (long double)vc_fact_int(chunk, row);
    return VC_OK;
}

static vc_status read_leaf(const struct recounting *in, size_t dimension, uint32_t segment,
                           uint32_t row, uint32_t *leaf_out, vc_error *error)
{
    const vc_chunk *chunk;
    vc_status status = vc_source_cube_view(in->source->cube, vc_model_snapshot(in->plan->model),
                                           (uint16_t)dimension, segment, &chunk, error);
    if (status == VC_OK)
        *leaf_out =
            vc_source_cube_leaf(in->source->cube, dimension, (uint32_t)vc_fact_int(chunk, row));
    return status;
}

/* Where a fact lies, the `over` dimension apart. VC_LIMIT when that is no number. */
static vc_status read_combination(const struct recounting *in, uint32_t segment, uint32_t row,
                                  struct fact *fact, vc_error *error)
{
    const vc_source_cube *cube = in->source->cube;
    for (size_t d = 0; d < cube->ndimensions; d++) {
        uint32_t leaf;
        vc_status status = read_leaf(in, d, segment, row, &leaf, error);
        if (status != VC_OK) return status;
        if (d == in->measure->over_dimension)
            fact->place = vc_numbers_get(in->places, leaf);
        else if (__builtin_mul_overflow(fact->combination, cube->dimensions[d]->nleaves,
                                        &fact->combination) ||
                 __builtin_add_overflow(fact->combination, leaf, &fact->combination))
            return vc_fail(error, VC_LIMIT, "limit_cells", "too many combinations of members");
    }
    return VC_OK;
}

static vc_status read_fact(struct recounting *in, uint32_t segment, uint32_t row, vc_error *error)
{
    struct fact fact = {.weight = 1};
    bool has = true, has_weight = true;
    vc_status status = VC_OK;
    if (in->spec->aggregator == VC_AGG_COUNT_DISTINCT && in->spec->distinct_dimension >= 0) {
        uint32_t leaf = 0;
        status = read_leaf(in, (size_t)in->spec->distinct_dimension, segment, row, &leaf, error);
        fact.value = leaf;
    } else {
        status = read_value(in, in->spec->column, segment, row, &fact.value, &has, error);
    }
    if (status == VC_OK && in->spec->aggregator == VC_AGG_WEIGHTED_AVG)
        status =
            read_value(in, in->spec->weight_column, segment, row, &fact.weight, &has_weight, error);
    if (status == VC_OK && in->is_resolved)
        status = read_combination(in, segment, row, &fact, error);
    if (status != VC_OK || !has || !has_weight) return status;
    if (in->spec->aggregator == VC_AGG_COUNT) fact.value = 1;
    if (in->nfacts == in->capacity) return VC_LIMIT;
    in->facts[in->nfacts++] = fact;
    return VC_OK;
}

static vc_status visit(void *context, const vc_lane *lane, bool *is_enough_out, vc_error *error)
{
    (void)is_enough_out;
    for (size_t i = 0; i < lane->count; i++) {
        vc_status status =
            read_fact(context, lane->segment, lane->block * VC_BLOCK_ROWS + lane->rows[i], error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* ---- counting ---- */

static int compare_values(const void *a, const void *b)
{
    const struct fact *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

static int compare_places(const void *a, const void *b)
{
    const struct fact *x = a, *y = b;
    if (x->combination != y->combination) return x->combination < y->combination ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static void add(summing *to, const summing *from)
{
    if (from->count == 0) return;
    to->least = to->count == 0 || from->least < to->least ? from->least : to->least;
    to->most = to->count == 0 || from->most > to->most ? from->most : to->most;
    to->sum += from->sum;
    to->count += from->count;
}

static long double quantile_of(struct recounting *in, double quantile)
{
    qsort(in->facts, in->nfacts, sizeof *in->facts, compare_values);
    long double at = (long double)quantile * (long double)(in->nfacts - 1);
    size_t below = (size_t)floorl(at);
    size_t above = below + 1 < in->nfacts ? below + 1 : below;
    long double part = at - (long double)below;
    return in->facts[below].value + part * (in->facts[above].value - in->facts[below].value);
}

static long double variance_of(const struct recounting *in, bool is_sample)
{
    long double mean = 0, squares = 0;
    for (size_t i = 0; i < in->nfacts; i++)
        mean += in->facts[i].value / (long double)in->nfacts;
    for (size_t i = 0; i < in->nfacts; i++)
        squares += (in->facts[i].value - mean) * (in->facts[i].value - mean);
    return squares / (long double)(in->nfacts - is_sample);
}

static long double weighted_mean_of(const struct recounting *in)
{
    long double sum = 0, weights = 0;
    for (size_t i = 0; i < in->nfacts; i++) {
        sum += in->facts[i].value * in->facts[i].weight;
        weights += in->facts[i].weight;
    }
    return sum / weights;
}

static long double distinct_of(struct recounting *in)
{
    long double count = 0;
    qsort(in->facts, in->nfacts, sizeof *in->facts, compare_values);
    for (size_t i = 0; i < in->nfacts; i++)
        count += i == 0 || in->facts[i].value != in->facts[i - 1].value;
    return count;
}

/* What one combination has along the dimension: its facts [n], in the order of the places. */
static summing resolve(const struct recounting *in, const struct fact *facts, size_t n)
{
    summing first = {0}, last = {0}, all = {0};
    long double least = 0, most = 0;
    size_t npoints = 0;
    for (size_t at = 0, end; at < n; at = end, npoints++) {
        last = (summing){0};
        for (end = at; end < n && facts[end].place == facts[at].place; end++)
            add(&last, &(summing){facts[end].value, 1, facts[end].value, facts[end].value});
        if (at == 0) first = last;
        least = at == 0 || last.sum < least ? last.sum : least;
        most = at == 0 || last.sum > most ? last.sum : most;
        add(&all, &last);
    }
    switch (in->measure->over) {
    case VC_OVER_AVG: return (summing){.sum = all.sum / (long double)npoints, .count = 1};
    case VC_OVER_MIN: return (summing){.sum = least, .count = 1};
    case VC_OVER_MAX: return (summing){.sum = most, .count = 1};
    case VC_OVER_LAST_NONEMPTY: return last;
    default: return first;
    }
}

static long double resolved_of(struct recounting *in)
{
    summing all = {0};
    qsort(in->facts, in->nfacts, sizeof *in->facts, compare_places);
    for (size_t at = 0, end; at < in->nfacts; at = end) {
        for (end = at; end < in->nfacts && in->facts[end].combination == in->facts[at].combination;)
            end++;
        summing one = resolve(in, in->facts + at, end - at);
        add(&all, &one);
    }
    switch (in->spec->aggregator) {
    case VC_AGG_MIN: return all.least;
    case VC_AGG_MAX: return all.most;
    case VC_AGG_AVG: return all.sum / all.count;
    default: return all.sum;
    }
}

static long double put_together(struct recounting *in)
{
    if (in->is_resolved) return resolved_of(in);
    switch (in->spec->aggregator) {
    case VC_AGG_MEDIAN: return quantile_of(in, 0.5);
    case VC_AGG_QUANTILE: return quantile_of(in, in->spec->quantile);
    case VC_AGG_WEIGHTED_AVG: return weighted_mean_of(in);
    case VC_AGG_COUNT_DISTINCT: return distinct_of(in);
    case VC_AGG_VARIANCE: return variance_of(in, true);
    case VC_AGG_VARIANCE_POP: return variance_of(in, false);
    case VC_AGG_STDDEV: return sqrtl(variance_of(in, true));
    default: return sqrtl(variance_of(in, false));
    }
}

/* From units of the column to those of the measure. */
static vc_cell cell_of(const struct recounting *in, const vc_lineage_source *out, long double value)
{
    vc_aggregator aggregator = in->spec->aggregator;
    bool is_square = aggregator == VC_AGG_VARIANCE || aggregator == VC_AGG_VARIANCE_POP;
    if (out->type != VC_VALUE_FLOAT) return (vc_cell){.as.i = (int64_t)llroundl(value)};
    if (in->spec->column >= 0 && in->spec->type == VC_VALUE_DECIMAL && aggregator != VC_AGG_COUNT &&
        aggregator != VC_AGG_COUNT_DISTINCT) {
        unsigned scale = in->source->cube->columns[in->spec->column].scale;
        for (int i = 0; i < 1 + is_square; i++)
            value /= (long double)vc_pow10(scale);
    }
    return (vc_cell){.as.f = (double)value};
}

/* ---- the whole ---- */

static vc_status find_places(struct recounting *in, vc_arena *arena, vc_error *error)
{
    vc_over over = in->measure->over;
    if (over == VC_OVER_NONE || over == VC_OVER_LAST || over == VC_OVER_FIRST) return VC_OK;
    in->is_resolved = true;
    return vc_table_find_places(in->source->cube->dimensions[in->measure->over_dimension], arena,
                                &in->places, error);
}

vc_status vc_trace_again(const vc_tracing *tracing, const vc_table *table, vc_lineage_source *out,
                         vc_error *error)
{
    const vc_plan *plan = tracing->plan;
    const vc_plan_measure *measure = &plan->measures[tracing->measure];
    vc_pass pass = plan->passes[measure->pass];
    struct recounting in = {.plan = plan,
                            .source = &plan->cube->sources[pass.source],
                            .measure = measure->measure,
                            .spec = &pass.accumulators[measure->accumulator],
                            .capacity = (size_t)out->nfacts};
    if (out->nfacts > VC_LINEAGE_FACTS) return VC_OK;
    vc_status status = find_places(&in, tracing->arena, error);
    in.facts = malloc((in.capacity + 1) * sizeof *in.facts);
    if (status == VC_OK && in.facts == NULL) status = vc_no_memory(error);
    pass.naccumulators = 0;
    pass.over = VC_OVER_NONE; /* what it leaves is in the steps */
    vc_error limit = {0};
    if (status == VC_OK) status = vc_scan_visit(plan, &pass, table, visit, &in, &limit);
    if (status == VC_OK) {
        bool is_null = in.nfacts == 0 && in.spec->aggregator != VC_AGG_COUNT_DISTINCT &&
                       in.spec->aggregator != VC_AGG_COUNT;
        long double value = is_null ? 0 : put_together(&in);
        out->is_checked = true;
        out->again = is_null           ? vc_cell_null(VC_REASON_NULL)
                     : isfinite(value) ? cell_of(&in, out, value)
                                       : vc_cell_null(VC_REASON_UNDEFINED);
    } else if (status == VC_LIMIT) {
        status = VC_OK; /* not checked, then */
    } else if (error != NULL) {
        *error = limit;
    }
    free(in.facts);
    return status;
}
