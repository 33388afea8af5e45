/* The coverage of a join as JSON (docs/api.md). */
#ifndef RENDER_COVERAGE_H
#define RENDER_COVERAGE_H

#include "base/json_writer.h"
#include "slice/result.h"

/* Its counts, as members of an object that is open. */
void vc_coverage_put_counts(vc_json_writer *json, const vc_coverage *counts);

/* The same, and "value_share". */
void vc_coverage_put_json(vc_json_writer *json, const vc_result_coverage *coverage);

#endif
