/* The smaller grammars of a query: what stands in a URL, and in a body wherever that gives a string
 * instead of an array.
 *
 *     measures, nonempty, properties = name *( ("," / "|") name )
 *     having  = test *( "|" test )        test  = measure ":" operator [":" value *( ";" value )]
 *     order   = by *( "|" by )            by    = name [":" ("asc" / "desc")]
 *     top     = best *( "|" best )        best  = count ":" dimension ":" measure [":" asc / desc]
 *     totals  = set *( "|" set )          set   = "()" / dimension *( "," dimension )
 *
 * A backslash takes the next character as it is. Each function adds to a list of the type it names.
 * Errors: VC_BAD_INPUT, code "syntax", with the byte offset.
 * Threads: pure.
 */
#ifndef QUERY_CLAUSES_H
#define QUERY_CLAUSES_H

#include "base/list.h"
#include "cube/text_scan.h"
#include "slice/query.h"

vc_status vc_measures_parse(vc_source_text source, vc_arena *arena, vc_list *measures,
                            vc_error *error); /* vc_measure_ref */
vc_status vc_name_refs_parse(vc_source_text source, const char *what, vc_arena *arena,
                             vc_list *refs, vc_error *error); /* vc_name_ref */
vc_status vc_names_parse(vc_source_text source, const char *what, vc_arena *arena, vc_list *names,
                         vc_error *error); /* vc_str */
vc_status vc_having_parse(vc_source_text source, vc_arena *arena, vc_list *havings,
                          vc_error *error); /* vc_having */
vc_status vc_order_parse(vc_source_text source, vc_arena *arena, vc_list *orders,
                         vc_error *error); /* vc_order */
vc_status vc_top_parse(vc_source_text source, vc_arena *arena, vc_list *tops,
                       vc_error *error); /* vc_top */
vc_status vc_totals_parse(vc_source_text source, vc_arena *arena, vc_list *totals,
                          vc_error *error); /* vc_total */

/* "asc" or "desc". */
bool vc_direction_find(vc_str name, bool *is_descending_out);

#endif
