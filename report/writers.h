/* The writers: a document as a file that people open.
 *
 *     html      self-contained, with pictures as inline SVG; no scripts, prints well
 *     pdf       A4, text as text, tables over several pages with their heads
 *     xlsx      a sheet per section with a grid, typed cells, charts of the spreadsheet's own
 *     markdown  with pipe tables
 *     csv       one grid (RFC 4180), exact numbers
 *     svg       one picture
 *
 * The bytes depend on the document alone. Texts of the data are escaped for the format; none is
 * ever run (formulas, markup, scripts).
 * Errors: VC_NO_MEMORY, what the sink returned, VC_STORAGE and VC_DISK_FULL of xlsx.
 * Threads: any number at once, each with a document of its own.
 */
#ifndef REPORT_WRITERS_H
#define REPORT_WRITERS_H

#include "render/render.h"
#include "report/document.h"
#include "report/picture.h"

vc_status vc_html_write(const vc_document *document, vc_render_sink sink, vc_error *error);
vc_status vc_markdown_write(const vc_document *document, vc_render_sink sink, vc_error *error);

/* Pages of A4 (landscape, where a grid is too wide for the other; in panels that repeat the row
 * heads, where it is wider still), numbered. Texts are texts, with an outline and tags for readers
 * of screens; a table of more than 5,000 cells has no tags inside, as they would take ten times its
 * room.
 * Set in DejaVu Sans, and in what other fonts the machine has where that lacks a character: the
 * bytes depend on the fonts and on the versions of cairo and Pango, too. A thread that made one
 * keeps its fonts (a megabyte) until it ends.
 * cairo 1.16 cannot give a figure a text of its own, so what it shows stands below it; nor say of a
 * head for which cells it is one. */
vc_status vc_pdf_write(const vc_document *document, vc_render_sink sink, vc_error *error);

/* To a file, which is made or replaced; not synced. Where this fails there is no file of that name;
 * libxlsxwriter then says so on stderr, too. Temporary files stand in the path's folder while it is
 * written. Formats and widths as people expect; strings are never formulas. Integers and
 * decimals of which more than the fifteen digits are to be seen that a spreadsheet shows are exact
 * texts, and said so.
 * Of a grid of more than 1,048,576 rows or 16,384 columns the rest is left out and said so. Of more
 * than 50,000 cells in all, rows are written as they come, so that memory does not grow with them:
 * row heads are not merged, and empty cells have no comments. */
vc_status vc_xlsx_write(const vc_document *document, const char *path, vc_error *error);

/* The header is the last row of column heads, prefixed by those above it ("2010 pop"), by their
 * keys; names that read alike get a number ("pop (2)"). Row heads are their keys and, where some
 * differ, their labels: "Country", "Country (label)". Total rows and columns are left out unless
 * has_totals. Nulls are empty. Texts that a spreadsheet would run have an apostrophe in front. */
vc_status vc_grid_write_csv(const vc_grid *grid, bool has_totals, vc_render_sink sink,
                            vc_error *error);

/* As an element for HTML, without a prologue. id_prefix makes ids in it unique in its page. */
void vc_picture_put_svg(const vc_picture *picture, vc_str id_prefix, vc_buffer *out);

#endif
