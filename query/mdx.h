/* Names, sets and ranges of MDX, as clients of mondrian-rest write drilldowns and cuts.
 *
 *     cut    = ["~"] ( name / "{" name *( "," name ) "}" / ["("] name ":" name [")"] )
 *     name   = part *( ["."] part )                       a "." may be absent before an "&" only
 *     part   = ["&"] ( "[" text "]" / plain )             behind an "&" stands a key
 *     plain  = 1*( any but . , : & { } ( ) [ ] ~ )        spaces around it are none of it
 *
 * Inside brackets "]]" is one "]". Clients that put keys between brackets without doubling theirs
 * are understood where that can be told: a single "]" ends the text only where the name can end or
 * go on behind it, and a last "]]" is a "]" and the end.
 *
 * Errors: VC_BAD_INPUT, code "syntax", with the byte offset. Everything lives in the arena.
 * Threads: pure.
 */
#ifndef QUERY_MDX_H
#define QUERY_MDX_H

#include "base/buffer.h"
#include "cube/text_scan.h"

typedef struct vc_mdx_part {
    vc_str text;
    bool is_key;
    size_t offset, end; /* of the part in the text that was parsed, with its "&" and brackets */
} vc_mdx_part;

typedef struct vc_mdx_name {
    const vc_mdx_part *parts; /* [nparts], at least one */
    size_t nparts;
    vc_place place;
} vc_mdx_name;

typedef struct vc_mdx_cut {
    bool is_negated;
    bool is_range;            /* from the first of two names to the second */
    const vc_mdx_name *names; /* [nnames], at least one: any of them */
    size_t nnames;
    vc_place place;
} vc_mdx_cut;

vc_status vc_mdx_cut_parse(vc_source_text source, vc_arena *arena, vc_mdx_cut *cut_out,
                           vc_error *error);

/* Read a whole text as one name. */
vc_status vc_mdx_name_parse(vc_source_text source, vc_arena *arena, vc_mdx_name *name_out,
                            vc_error *error);

/* "[text]" with each "]" doubled, as vc_mdx_name_parse reads it. */
void vc_mdx_put_part(vc_buffer *out, vc_str text);

#endif
