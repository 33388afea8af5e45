/* Inside report/: what the files of the HTML writer share. */
#ifndef REPORT_HTML_PARTS_H
#define REPORT_HTML_PARTS_H

#include "report/blocks.h"
#include "report/document.h"

typedef struct vc_html {
    const vc_document *document;
    vc_blocks blocks;
    vc_arena arena; /* of one picture */
} vc_html;

/* A text of the data, for the inside of elements and of attributes in double quotes. What HTML does
 * not allow, controls, are shown as their pictures (U+2400 and on). */
void vc_html_put(vc_buffer *out, vc_str text);

/* A text for people; an empty one is said to be. */
void vc_html_put_shown(vc_buffer *out, vc_str text);

/* The same, with links where it has addresses of the web. */
void vc_html_put_linked(vc_buffer *out, vc_str text);

/* A grid as a table in a box of its own, and below it the legend of its letters.
 *
 * id  of the section; ids made of it have a dot, which those of sections have not */
void vc_html_put_grid(vc_html *html, const vc_grid *grid, vc_str id);

/* What letters mean, below a table. Nothing where there are none. */
void vc_html_put_legend(vc_buffer *out, const char *reasons);

/* "e" with what it means, behind a number or a dash. Nothing for VC_REASON_NONE. */
void vc_html_put_reason(vc_buffer *out, char reason);

#endif
