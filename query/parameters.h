/* A query from the parameters of a URL, or from options of the command line.
 *
 *     vc_parameters_decode      "cut=geo%3AFR&limit=10" -> pairs
 *     vc_parameters_parse       pairs -> vc_query
 *
 * The parameters and their grammars are in query/fields.h. Lists that are given several times
 * concatenate: as if their values stood in one, with a "|" between them. Byte offsets of errors
 * count in the decoded value, and on through the concatenated ones.
 * Threads: pure.
 */
#ifndef QUERY_PARAMETERS_H
#define QUERY_PARAMETERS_H

#include "base/arena.h"
#include "base/status.h"
#include "slice/query.h"

typedef struct vc_parameter { /* decoded: UTF-8 without NUL */
    vc_str name, value;
} vc_parameter;

/* Take a query string apart, without its "?". `+` is a space; a parameter without "=" has an empty
 * value; nothing between two `&` is passed over.
 *
 * VC_BAD_INPUT, code "bad_encoding": a `%` without two hexadecimal digits, %00, or text that is not
 * UTF-8. The offset counts in the query string as given. */
vc_status vc_parameters_decode(vc_str query_string, vc_arena *arena,
                               const vc_parameter **parameters_out, size_t *nparameters_out,
                               vc_error *error);

/* Make a query. Its `cube` is left absent for the caller to set, because URL and command line name
 * it elsewhere.
 *
 * parameters  borrowed for the call; what the query keeps is copied to the arena
 *
 * VC_BAD_INPUT: "unknown_parameter" with candidates, "bad_parameter", "syntax",
 * "unknown_operator", "bad_value", each at the parameter and the byte. */
vc_status vc_parameters_parse(const vc_parameter *parameters, size_t nparameters, vc_arena *arena,
                              vc_query *query_out, vc_error *error);

#endif
