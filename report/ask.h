/* Queries of a specification: put together for a document.
 * Threads: pure.
 */
#ifndef REPORT_ASK_H
#define REPORT_ASK_H

#include "report/spec.h"
#include "report/variables.h"

/* The query, with values put in. Errors: those of vc_template_expand_query, vc_body_read and
 * vc_parameters_parse, with their place in the specification. */
vc_status vc_report_query(const vc_spec *spec, const vc_spec_query *written,
                          const vc_variables *variables, vc_arena *arena, vc_query *query_out,
                          vc_error *error);

#endif
