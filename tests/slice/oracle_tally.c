/* What the facts of a cell come to. */
#include "tests/slice/oracle_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const long double oracle_units[] = {1, 100, 4, 1};

/* The value of a fact in units of the measure's column. False: it is null. */
bool oracle_value_of(const struct world_measure *stored, const struct world_fact *fact,
                     int64_t *value_out)
{
    int64_t factor = stored->is_product ? fact->values[COLUMN_INT] : 1;
    *value_out = stored->column < 0 ? 1 : fact->values[stored->column] * factor;
    if (stored->column < 0) return true;
    if (stored->is_product && (fact->nulls >> COLUMN_INT & 1)) return false;
    return !(fact->nulls >> stored->column & 1);
}

static void keep_value(const struct asking *in, struct tally *tally, long double value,
                       long double weight)
{
    size_t n = tally->nvalues;
    if (n == 0 || (n >= 64 && (n & (n - 1)) == 0)) { /* as many again */
        size_t room = n < 64 ? 64 : 2 * n;
        long double *values = VC_ARENA_NEW(in->arena, long double, 2 * room);
        if (n > 0) {
            memcpy(values, tally->values, n * sizeof *values);
            memcpy(values + room, tally->weights, n * sizeof *values);
        }
        tally->values = values;
        tally->weights = values + room;
    }
    tally->values[n] = value;
    tally->weights[n] = weight;
}

static void add_id(const struct asking *in, struct tally *tally, uint32_t id)
{
    for (size_t i = 0; i < tally->nids; i++)
        if (tally->ids[i] == id) return;
    if (tally->nids % 64 == 0) {
        uint32_t *ids = VC_ARENA_NEW(in->arena, uint32_t, tally->nids + 64);
        if (tally->nids > 0) memcpy(ids, tally->ids, tally->nids * sizeof *ids);
        tally->ids = ids;
    }
    tally->ids[tally->nids++] = id;
}

void oracle_add_fact(const struct asking *in, const struct world_measure *stored,
                     const struct world_fact *fact, struct tally *tally)
{
    tally->nfacts++;
    if (stored->distinct_dimension >= 0) {
        tally->nvalues++;
        add_id(in, tally, fact->leaves[stored->distinct_dimension]);
        return;
    }
    int64_t value;
    if (!oracle_value_of(stored, fact, &value)) return;
    if (stored->weight_column >= 0 && (fact->nulls >> stored->weight_column & 1)) return;
    if (stored->aggregator > VC_AGG_COUNT_DISTINCT) {
        long double weight = 1;
        if (stored->weight_column >= 0)
            weight = (long double)fact->values[stored->weight_column] /
                     oracle_units[stored->weight_column];
        keep_value(in, tally, (long double)value / oracle_units[stored->column], weight);
    }
    if (stored->aggregator == VC_AGG_COUNT_DISTINCT) {
        add_id(in, tally, (uint32_t)value);
    } else {
        tally->sum += value;
        if (tally->nvalues == 0 || value < tally->least) tally->least = value;
        if (tally->nvalues == 0 || value > tally->most) tally->most = value;
    }
    tally->nvalues++;
}

static int compare_doubles(const void *a, const void *b)
{
    long double x = *(const long double *)a, y = *(const long double *)b;
    return (x > y) - (x < y);
}

static struct oracle_cell read_quantile(const struct world_measure *stored,
                                        const struct tally *tally)
{
    size_t n = tally->nvalues;
    double place = stored->quantile * (double)(n - 1);
    size_t below = (size_t)place;
    qsort(tally->values, n, sizeof *tally->values, compare_doubles);
    long double low = tally->values[below], high = below + 1 < n ? tally->values[below + 1] : low;
    long double value = low + (high - low) * ((long double)place - below);
    return (struct oracle_cell){.value = (double)value};
}

/* Averages by weights, and variances by going through the values twice. All of these are doubles,
 * and rows are chosen by what they are. */
static struct oracle_cell read_values(const struct world_measure *stored, const struct tally *tally)
{
    struct oracle_cell undefined = {.is_null = true, .reason = 'd'};
    long double sum = 0, weights = 0, squares = 0, n = (long double)tally->nvalues;
    for (size_t i = 0; i < tally->nvalues; i++) {
        sum += tally->values[i] * tally->weights[i];
        weights += tally->weights[i];
    }
    if (weights == 0) return undefined;
    if (stored->aggregator == VC_AGG_WEIGHTED_AVG)
        return (struct oracle_cell){.value = (double)(sum / weights)};
    for (size_t i = 0; i < tally->nvalues; i++)
        squares += (tally->values[i] - sum / n) * (tally->values[i] - sum / n);
    bool is_pop =
        stored->aggregator == VC_AGG_STDDEV_POP || stored->aggregator == VC_AGG_VARIANCE_POP;
    if (n == 1 && !is_pop) return undefined;
    squares /= is_pop ? n : n - 1;
    bool is_stddev = stored->aggregator == VC_AGG_STDDEV || stored->aggregator == VC_AGG_STDDEV_POP;
    return (struct oracle_cell){.value = (double)(is_stddev ? sqrtl(squares) : squares)};
}

struct oracle_cell oracle_read_tally(const struct world_measure *stored, const struct tally *tally)
{
    bool is_count = stored->aggregator == VC_AGG_COUNT, is_null = false;
    if (stored->aggregator == VC_AGG_COUNT_DISTINCT)
        return (struct oracle_cell){.value = (long double)tally->nids};
    if (is_count) return (struct oracle_cell){.value = (long double)tally->nvalues};
    is_null = tally->nvalues == 0;
    if (is_null)
        return (struct oracle_cell){.is_null = true, .reason = tally->nfacts > 0 ? 'n' : 'e'};
    if (tally->is_resolved) return (struct oracle_cell){.value = tally->value};
    long double unit = oracle_units[stored->column];
    switch (stored->aggregator) {
    case VC_AGG_SUM: return (struct oracle_cell){.value = (long double)tally->sum / unit};
    case VC_AGG_MIN: return (struct oracle_cell){.value = (long double)tally->least / unit};
    case VC_AGG_MAX: return (struct oracle_cell){.value = (long double)tally->most / unit};
    case VC_AGG_AVG: break;
    case VC_AGG_MEDIAN:
    case VC_AGG_QUANTILE: return read_quantile(stored, tally);
    default: return read_values(stored, tally);
    }
    long double mean = (long double)tally->sum / (unit * (long double)tally->nvalues);
    return (struct oracle_cell){.value = (double)mean};
}
