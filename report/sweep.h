/* A sweep: the documents of one run, and the names of their files.
 *
 * Threads: one at a time; the result is read by any number.
 */
#ifndef REPORT_SWEEP_H
#define REPORT_SWEEP_H

#include "report/spec.h"
#include "report/variables.h"
#include "slice/engine.h"

typedef struct vc_sweep_item {
    vc_variables variables; /* parameters first, then one for each level of for_each */
    vc_str file; /* without extension, below the folder of the run: "Europe/FRA"; unique whatever
                    the case, without "..", no part begins with a dot, each at most 120 bytes,
                    characters that a file system or a shell minds are "_" */
} vc_sweep_item;

typedef struct vc_sweep {
    const vc_sweep_item *items; /* in the order of the members */
    size_t nitems;
} vc_sweep;

typedef struct vc_given_parameter { /* --param year=2019 */
    vc_str name, value;
} vc_given_parameter;

/* List the documents. Queries for members are asked of the model.
 *
 * VC_BAD_INPUT: "unknown_parameter", "missing_parameter", "bad_value"; "duplicate_name" when two
 * documents would have one file; errors of the engine, at their place in the specification. */
vc_status vc_sweep_make(const vc_spec *spec, const vc_given_parameter *given, size_t ngiven,
                        vc_model *model, const vc_engine_options *options, vc_arena *arena,
                        vc_sweep *sweep_out, vc_error *error);

#endif
