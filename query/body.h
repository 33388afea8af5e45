/* A query from JSON: the body of a request, a member of a batch, a query inside a report.
 *
 *     { "cube": "world",
 *       "measures": ["pop", {"name": "urban", "expr": "cpop / pop", "format": "0.0%"}],
 *       "dimensions": [{"dim": "geo", "level": "country"}, "date@weekly:week"],
 *       "filters": [{"member": "geo.iso2", "operator": "equals", "values": ["FR", "DE"]},
 *                   {"or": [{...}, {"and": [{...}, {...}]}]}],
 *       "having": [{"member": "pop", "operator": "gt", "values": [10]}],
 *       "top": [{"count": 3, "dim": "geo", "measure": "pop", "order": "desc"}],
 *       "totals": ["geo", "geo,date", "()"], "order": [["pop", "desc"]],
 *       "limit": 100, "sparse": true, ... }
 *
 * Every parameter of a URL is a field here; where a string is given it is read as there, and where
 * an array of strings is given, as the parameter repeated (but the strings of `measures`,
 * `properties` and `nonempty` are whole names). `null` stands for a field that is not given.
 * Places of errors are JSON pointers, with a byte offset where the trouble is inside a string.
 * Threads: pure.
 */
#ifndef QUERY_BODY_H
#define QUERY_BODY_H

#include "base/json.h"
#include "slice/query.h"

/* Read the text of a body.
 *
 * max_depth  nesting allowed; 0: 64
 *
 * VC_BAD_INPUT: "json", "unknown_field", "missing_field", "bad_type", "bad_value", "syntax",
 * "unknown_operator". VC_IMPOSSIBLE, code "or_dimensions": an `or` over several dimensions. */
vc_status vc_body_parse(vc_str text, unsigned max_depth, vc_arena *arena, vc_query *query_out,
                        vc_error *error);

/* The same from JSON that is a part of something larger. json is borrowed for the call.
 *
 * pointer       of the object, "" at the top; put in front of every place
 * default_cube  when the object names none; absent: it must name one */
vc_status vc_body_read(const json_t *json, const char *pointer, vc_str default_cube,
                       vc_arena *arena, vc_query *query_out, vc_error *error);

#endif
