/* Assertions: what must hold of an answer before anybody reads the report.
 *
 *     assertion  = comparison *( "and" comparison )
 *     comparison = value ( "<" / "<=" / ">" / ">=" / "=" / "!=" ) value
 *     value      = number / function "(" [name] ")"
 *
 *     total(pop)      of the whole selection, at its own grain
 *     min(pop), max(pop), count(pop), nulls(pop)    of the rows (totals aside)
 *     rows()          how many there are
 *     coverage(cities), coverage()    the least share of keys that match, of that join or of all
 *
 * A null is never equal to, less or greater than anything: what is not known does not hold.
 * Threads: pure.
 */
#ifndef REPORT_ASSERTION_H
#define REPORT_ASSERTION_H

#include "slice/result.h"

/* Does it hold?
 *
 * why_out  where it does not: "total(pop) is 6,912,000,000, expected > 7e9"; in the arena
 *
 * VC_BAD_INPUT "syntax", with the offset in the text; VC_NOT_FOUND "unknown_measure",
 * "unknown_source", with candidates. */
vc_status vc_assertion_check(vc_str text, const vc_result *result, vc_arena *arena, bool *holds_out,
                             vc_str *why_out, vc_error *error);

#endif
