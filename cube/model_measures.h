/* Measures of a cube while they are bound. Private to cube/model_measures.c and
 * cube/model_nested_measures.c. */
#ifndef CUBE_MODEL_MEASURES_H
#define CUBE_MODEL_MEASURES_H

#include "cube/model_parts.h"

typedef struct vc_measures { /* the measures so far */
    vc_model *model;
    vc_cube_measure *items; /* move when one is added */
    size_t count, capacity;
    /* Operands that come along hidden with the measure at hand: from the first on, and which
     * measure of its source, or nested cube, each is [capacity]. One that is needed twice comes
     * once, or a chain of expressions would bring exponentially many. */
    size_t first_hidden;
    size_t *numbers;
} vc_measures;

/* One more, not set yet; NULL when out of memory. */
vc_cube_measure *vc_measures_add(vc_measures *measures);

/* The operand `number` of the measure at hand if it has come along already, else one more, which is
 * hidden and else not set yet (*is_new_out). SIZE_MAX: out of memory. */
size_t vc_measures_add_hidden(vc_measures *measures, size_t number, bool *is_new_out);

/* What kind of number the aggregate is: counts are integers, sums and extremes as stored, the rest
 * doubles. */
void vc_measure_set_type(vc_cube_measure *measure, const vc_measure_def *definition);

/* How it counts joined facts. What is shared out by weights, and averages, are doubles. */
void vc_measure_set_mode(vc_cube_measure *measure, const vc_cube_source *source);

vc_str vc_first_present(vc_str a, vc_str b);

/* A virtual cube that lists no measures has those of all its sources; a name that is taken gets the
 * alias in front. */
vc_str vc_measures_choose_name(const vc_measures *measures, vc_arena *arena, vc_str alias,
                               vc_str name);

/* ---- model_nested_measures.c ---- */

/* The first source of a nested cube; nsources when there is none of that alias. */
size_t vc_nested_find(const vc_cube *cube, vc_str alias);

/* Fill measure `at`, which the definition takes from the nested cube whose sources begin at
 * `first`. Errors have their place. */
vc_status vc_nested_bind_measure(vc_measures *measures, const vc_cube *cube, size_t first,
                                 const vc_measure_def *from, size_t at, vc_error *error);

/* All measures of the nested cube. */
vc_status vc_nested_add_measures(vc_measures *measures, const vc_cube *cube, size_t first,
                                 vc_error *error);

#endif
