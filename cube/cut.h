/* The grammar of cuts.
 *
 *     cut        = dimcut *( "|" dimcut )                all of them hold
 *     dimcut     = ["!"] dimref ":" selection            "!" inverts
 *     dimref     = name ["@" hierarchy] ["." level or index]
 *     selection  = item *( ";" item )                    any of them
 *     item       = "()" / path / range / parent "/children"
 *                / parent "/descendants" [":" level] / "#" setname
 *     parent     = path / "()"
 *     range      = [path] "-" [path]                     at least one side
 *     path       = key *( "," key )
 *     escape     = "\" any                               | : ; , - ! @ / # . \
 *
 * The characters of the last line stand in a name or a key only behind a backslash. An empty key
 * names the null member: "2004," is the unknown month of 2004, and an item that is empty altogether
 * the null member of the top level. Behind a dimref with a level or an index a path is one key.
 *
 * Errors: VC_BAD_INPUT, code "syntax", with the byte offset. Everything lives in the arena.
 * Threads: pure.
 */
#ifndef CUBE_CUT_H
#define CUBE_CUT_H

#include "base/list.h"
#include "cube/text_scan.h"

/* Add the conditions of a cut to a list of `vc_condition *`. */
vc_status vc_cut_parse(vc_source_text source, vc_arena *arena, vc_list *conditions,
                       vc_error *error);

/* What ends a name or a key when it is not escaped. */
#define VC_CUT_RESERVED "|:;,-!@/#."

/* Read a dimref at the cursor, whose names end at an unescaped one of `stops`. */
vc_status vc_dimref_scan(vc_scan *scan, const char *stops, vc_dimref *dimref);

/* Read a whole text as one dimref. Here only "@", "." and the backslash are special, so that names
 * can be copied from an answer ("geo.sub-region"). */
vc_status vc_dimref_parse(vc_source_text source, vc_arena *arena, vc_dimref *dimref_out,
                          vc_error *error);

#endif
