#include "slice/additive.h"

bool vc_measure_is_additive(const vc_cube_measure *measure, size_t source)
{
    return measure->expr == NULL && !measure->is_hidden && measure->source == source &&
           measure->over == VC_OVER_NONE && measure->nfixes == 0 && measure->nwheres == 0 &&
           (measure->aggregator == VC_AGG_SUM || measure->aggregator == VC_AGG_COUNT);
}

vc_accumulator_spec vc_additive_spec(const vc_cube *cube, const vc_cube_measure *measure)
{
    const vc_source_cube *stored = cube->sources[measure->source].cube;
    return (vc_accumulator_spec){
        .aggregator = measure->aggregator,
        .type = measure->column >= 0 ? stored->columns[measure->column].type : VC_VALUE_INT,
        .column = measure->column,
        .distinct_dimension = -1};
}

double vc_additive_number(const vc_accumulator_spec *spec, const vc_accumulator *from)
{
    if (spec->aggregator == VC_AGG_COUNT) return (double)from->count;
    if (spec->type == VC_VALUE_FLOAT) return from->as.f.sum + from->as.f.correction;
    return (double)from->as.sum;
}

void vc_steps_put_fixes(const vc_cube_source *source, vc_step *steps)
{
    for (size_t i = 0; i < source->nfixes; i++) {
        size_t fixed = source->fixes[i].source_dimension;
        steps[i] = (vc_step){.column = (uint16_t)fixed,
                             .nleaves = source->cube->dimensions[fixed]->nleaves,
                             .dimension = SIZE_MAX};
        vc_step_set_passing(&steps[i], source->fixes[i].leaves);
    }
}
