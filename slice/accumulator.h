/* Accumulators: adding a value to one, and adding up two. For the scan (scan_block.c), merging
 * (cells_merge.c) and what is put together after a scan (collect.c). Private to slice/. */
#ifndef SLICE_ACCUMULATOR_H
#define SLICE_ACCUMULATOR_H

#include "slice/plan.h"

static inline void vc_accumulator_add_int(vc_accumulator *accumulator, vc_aggregator aggregator,
                                          int64_t value)
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

static inline void vc_accumulator_add_double(vc_accumulator *accumulator, vc_aggregator aggregator,
                                             double value)
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

/* Add what another one of the same kind has. */
static inline void vc_accumulator_merge(const vc_accumulator_spec *spec, vc_accumulator *into,
                                        const vc_accumulator *from)
{
    bool is_float = spec->type == VC_VALUE_FLOAT;
    if (from->count == 0) return;
    if (into->count == 0) {
        *into = *from;
        return;
    }
    switch (spec->aggregator) {
    case VC_AGG_SUM:
    case VC_AGG_AVG:
        if (is_float) {
            vc_sum_add(&into->as.f.sum, &into->as.f.correction, from->as.f.sum);
            into->as.f.correction += from->as.f.correction;
        } else {
            into->as.sum += from->as.sum;
        }
        break;
    case VC_AGG_MIN:
        if (is_float ? from->as.fextreme < into->as.fextreme : from->as.extreme < into->as.extreme)
            into->as = from->as;
        break;
    case VC_AGG_MAX:
        if (is_float ? from->as.fextreme > into->as.fextreme : from->as.extreme > into->as.extreme)
            into->as = from->as;
        break;
    default: break;
    }
    into->count += from->count;
}

/* Does the aggregator keep moments: variances and weighted averages? */
static inline bool vc_has_moments(vc_aggregator aggregator)
{
    return aggregator == VC_AGG_STDDEV || aggregator == VC_AGG_STDDEV_POP ||
           aggregator == VC_AGG_VARIANCE || aggregator == VC_AGG_VARIANCE_POP ||
           aggregator == VC_AGG_WEIGHTED_AVG;
}

static inline bool vc_is_quantile(vc_aggregator aggregator)
{
    return aggregator == VC_AGG_MEDIAN || aggregator == VC_AGG_QUANTILE;
}

static inline bool vc_is_count(vc_aggregator aggregator)
{
    return aggregator == VC_AGG_COUNT || aggregator == VC_AGG_COUNT_DISTINCT;
}

/* Are the values of cells doubles, whatever is computed from them? */
static inline bool vc_accumulator_has_doubles(const vc_accumulator_spec *spec, vc_over over)
{
    if (spec->aggregator == VC_AGG_AVG || vc_has_moments(spec->aggregator) ||
        vc_is_quantile(spec->aggregator))
        return true;
    return !vc_is_count(spec->aggregator) && (over == VC_OVER_AVG || spec->type == VC_VALUE_FLOAT);
}

/* Are doubles added up, so that the order of facts matters? */
bool vc_accumulator_is_ordered(const vc_accumulator_spec *spec);

void vc_moments_add_int(vc_moments *moments, int64_t value);
void vc_moments_add_double(vc_moments *moments, double value);
/* A value and its weight, as integers or, where one of them is floating, as doubles (which are not
 * scaled either). */
void vc_moments_add_weighted_int(vc_moments *moments, int64_t value, int64_t weight);
void vc_moments_add_weighted_double(vc_moments *moments, double value, double weight);
/* Of a weighted average: the sum of weight times value, in units of the stored numbers, and that of
 * the weights. */
void vc_moments_read_weighted(const vc_accumulator_spec *spec, const vc_moments *from,
                              long double *sum_out, long double *weights_out);
void vc_moments_merge(const vc_accumulator_spec *spec, vc_moments *into, const vc_moments *from);

/* VC_OVERFLOW "overflow", at the measure's place: its value does not fit its type. */
vc_status vc_measure_fail_overflow(const vc_plan_measure *measure, vc_error *error);

#endif
