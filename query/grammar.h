/* The grammar of drilldowns; that of cuts is in cube/cut.h.
 *
 *     drilldown  = group *( "|" group )
 *     group      = dimref [":" level]
 *
 * Errors: VC_BAD_INPUT, code "syntax", with the byte offset. Everything lives in the arena.
 * Threads: pure.
 */
#ifndef QUERY_GRAMMAR_H
#define QUERY_GRAMMAR_H

#include "cube/cut.h"
#include "slice/query.h"

/* Add the groups of a drilldown to a list of vc_axis_ref. */
vc_status vc_drilldown_parse(vc_source_text source, vc_arena *arena, vc_list *axes,
                             vc_error *error);

#endif
