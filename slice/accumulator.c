/* What a cell accumulated, as the value of a measure. */
#include "slice/plan.h"

#include <math.h>

static vc_status fail_overflow(const vc_plan_measure *measure, vc_error *error)
{
    vc_fail(error, VC_OVERFLOW, "overflow",
            "measure '%.*s': a value does not fit its type; ask for smaller parts, or define "
            "the measure with a smaller scale",
            VC_FMT(measure->name));
    return vc_error_at_place(error, VC_OVERFLOW, measure->place);
}

static vc_status average(const vc_plan_measure *measure, const vc_accumulator_spec *spec,
                         unsigned scale, const vc_accumulator *from, vc_cell *cell, vc_error *error)
{
    double divisor = (double)from->count;
    if (spec->type == VC_VALUE_FLOAT)
        cell->as.f = (from->as.f.sum + from->as.f.correction) / divisor;
    else if (spec->type == VC_VALUE_DECIMAL)
        cell->as.f = (double)((long double)from->as.sum /
                              ((long double)from->count * (long double)vc_pow10(scale)));
    else
        cell->as.f = (double)((long double)from->as.sum / (long double)from->count);
    return isfinite(cell->as.f) ? VC_OK : fail_overflow(measure, error);
}

vc_status vc_accumulator_cell(const vc_plan *plan, const vc_plan_measure *measure,
                              const vc_accumulator *from, vc_cell *cell, vc_error *error)
{
    const vc_pass *pass = &plan->passes[measure->pass];
    const vc_accumulator_spec *spec = &pass->accumulators[measure->accumulator];
    const vc_source_cube *source = plan->cube->sources[pass->source].cube;
    bool is_float = spec->type == VC_VALUE_FLOAT;
    *cell = (vc_cell){0};
    if (spec->aggregator == VC_AGG_COUNT || spec->aggregator == VC_AGG_COUNT_DISTINCT) {
        cell->as.i = (int64_t)from->count;
        return VC_OK;
    }
    if (from->count == 0) {
        *cell = (vc_cell){.is_null = true, .reason = VC_REASON_NULL};
        return VC_OK;
    }
    switch (spec->aggregator) {
    case VC_AGG_AVG:
        return average(measure, spec, source->columns[spec->column].scale, from, cell, error);
    case VC_AGG_SUM:
        if (is_float) {
            cell->as.f = from->as.f.sum + from->as.f.correction;
            return isfinite(cell->as.f) ? VC_OK : fail_overflow(measure, error);
        }
        if (from->as.sum > INT64_MAX || from->as.sum < INT64_MIN)
            return fail_overflow(measure, error);
        cell->as.i = (int64_t)from->as.sum;
        return VC_OK;
    default:
        if (is_float)
            cell->as.f = from->as.fextreme;
        else
            cell->as.i = from->as.extreme;
        return VC_OK;
    }
}
