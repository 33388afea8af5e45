/* Measures that simply add up over facts, and scans of them that no query makes: for coverage, for
 * unmatched keys, for suggested joins. Threads: pure.
 */
#ifndef SLICE_ADDITIVE_H
#define SLICE_ADDITIVE_H

#include "slice/plan.h"

/* Is it a sum or a count of the source that takes all its facts as they are? */
bool vc_measure_is_additive(const vc_cube_measure *measure, size_t source);

/* What a scan accumulates of such a measure: of whole facts, in whatever parts the cube counts
 * them. */
vc_accumulator_spec vc_additive_spec(const vc_cube *cube, const vc_cube_measure *measure);

/* What was accumulated, for shares: of decimals not scaled. */
double vc_additive_number(const vc_accumulator_spec *spec, const vc_accumulator *from);

/* The steps of the source's fixes. steps  [nfixes of the source] */
void vc_steps_put_fixes(const vc_cube_source *source, vc_step *steps);

#endif
