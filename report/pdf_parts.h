/* How a PDF comes about, for the files of this folder that are named pdf_*.
 *
 * A document is laid out twice by the same code: a first time without a surface, to count its pages
 * ("2 / 5"), a second time onto one. What is measured is measured with arithmetic alone where the
 * text allows it (pdf_text.c), so the first time costs little.
 *
 * Lengths are points from the left upper corner of the page.
 * Threads: one thread at a time; fonts are a thread's own.
 */
#ifndef REPORT_PDF_PARTS_H
#define REPORT_PDF_PARTS_H

#include "report/palette.h"
#include "report/writers.h"

#include "report/pdf_library.h"

typedef struct vc_pdf_fonts vc_pdf_fonts;

enum {
    VC_PDF_INK = 0x1F2933,
    VC_PDF_MUTED = 0x52606D, /* 6:1 on white */
    VC_PDF_RULE = 0xB8C4CE,
    VC_PDF_SHADE = 0xF1F4F7,
    VC_PDF_ACCENT = 0x1B4F8A,
    VC_PDF_WARN = 0xA61B1B,
};

typedef struct vc_pdf {
    const vc_document *document;
    vc_pdf_fonts *fonts;
    cairo_surface_t *surface;
    cairo_t *cairo;        /* NULL while pages are only counted */
    unsigned page, npages; /* from 1; npages is 0 while they are counted */
    float width, height;   /* of this page */
    float y;               /* where the next thing goes */
    bool keeps_page;       /* what comes belongs to a table, be its page upright or not */
    bool is_failed;        /* no memory; what is drawn is lost */
    vc_buffer number;      /* for the text of a cell */
} vc_pdf;

/* ---- pages (pdf_page.c) ---- */

enum { VC_PDF_MARGIN = 45, VC_PDF_TOP = 54, VC_PDF_BOTTOM = 46, VC_PDF_HEADING = 34 };

/* Begin a page, behind the one that is open. */
void vc_pdf_begin_page(vc_pdf *pdf, bool is_landscape);
void vc_pdf_end_page(vc_pdf *pdf);

static inline float vc_pdf_left(void)
{
    return VC_PDF_MARGIN;
}
static inline float vc_pdf_inner_width(const vc_pdf *pdf)
{
    return pdf->width - 2 * VC_PDF_MARGIN;
}
/* How much is left below pdf->y. */
static inline float vc_pdf_room(const vc_pdf *pdf)
{
    return pdf->height - VC_PDF_BOTTOM - pdf->y;
}
/* Begin an upright page unless this is one that has so much room. */
void vc_pdf_need(vc_pdf *pdf, float height);

/* An entry of the outline that leads here. Level 0 or 1. */
void vc_pdf_mark(vc_pdf *pdf, vc_str text);

void vc_pdf_fill(vc_pdf *pdf, uint32_t colour, float x, float y, float width, float height);
void vc_pdf_rule(vc_pdf *pdf, uint32_t colour, float thickness, float x, float y, float width);
void vc_pdf_set_colour(vc_pdf *pdf, uint32_t colour);

/* Structure for readers of screens (PDF 1.7, 14.8.4: "Table", "TR", ...). Nothing while pages are
 * counted, nor with NULL. What is in no tag is decoration. */
void vc_pdf_tag(vc_pdf *pdf, const char *tag);
void vc_pdf_untag(vc_pdf *pdf, const char *tag);

/* ---- texts (pdf_text.c) ---- */

typedef struct vc_pdf_style {
    float size;
    bool is_bold;
    uint32_t colour;
    const char *tag; /* what a paragraph is, for readers of screens; NULL: "P" */
} vc_pdf_style;

/* The thread's fonts, made when it first asks and freed when it ends. VC_NO_MEMORY; VC_STORAGE,
 * code "output", of a machine without fonts. */
vc_status vc_pdf_fonts_get(vc_pdf_fonts **fonts_out, vc_error *error);

/* Of one line. */
float vc_pdf_text_width(vc_pdf_fonts *fonts, vc_str text, float size, bool is_bold);

/* The widest word: narrower, a text is broken within it. */
float vc_pdf_word_width(vc_pdf_fonts *fonts, vc_str text, float size, bool is_bold);

/* From one line to the next. */
float vc_pdf_pitch(float size);

/* Lines that a text takes in a width; never more than max_lines: the last one ends with an
 * ellipsis then. An empty text takes none. */
unsigned vc_pdf_text_lines(vc_pdf_fonts *fonts, vc_str text, float size, bool is_bold, float width,
                           unsigned max_lines);

/* Draw one line; x is where `anchor` says. y is of the baseline. */
void vc_pdf_put_line(vc_pdf *pdf, vc_str text, vc_pdf_style style, float x, float y,
                     vc_text_anchor anchor);

/* Draw a text in a box of a width, y being its top. Returns its lines, as vc_pdf_text_lines. */
unsigned vc_pdf_put_text(vc_pdf *pdf, vc_str text, vc_pdf_style style, float x, float y,
                         float width, vc_text_anchor anchor, unsigned max_lines);

/* Draw some lines of a text that has been counted, from `first` on; towards the right end, where
 * the text is written from right to left. It is never cut. */
void vc_pdf_put_lines(vc_pdf *pdf, vc_str text, vc_pdf_style style, float x, float y, float width,
                      unsigned first, unsigned count);

/* ---- the file (pdf_stream.c) ---- */

/* From cairo, which writes line by line, to a sink, which gets blocks; and what cairo 1.16 cannot
 * say of a document is said in it on the way: its language, that it is tagged, that its title is to
 * be shown. Zero it but for the first three. */
typedef struct vc_pdf_stream {
    vc_render_sink sink;
    vc_error *error;
    vc_str language; /* of the document */
    vc_buffer block;
    vc_status status;
    size_t ninserted; /* bytes that cairo does not know of */
} vc_pdf_stream;

cairo_status_t vc_pdf_stream_take(void *stream, const unsigned char *data, unsigned size);

/* Whatever is left; stream->status is the whole's. */
void vc_pdf_stream_end(vc_pdf_stream *stream);

/* ---- what is on pages ---- */

/* A grid, over pages as needed. First it is planned, which does not need a page: then its section
 * knows on which kind of page it is and how much room its beginning needs. The plan lives in the
 * arena; NULL: no memory (pdf_table.c). */
typedef struct vc_pdf_table vc_pdf_table;
vc_pdf_table *vc_pdf_plan_table(vc_pdf_fonts *fonts, const vc_grid *grid, vc_arena *arena);
bool vc_pdf_table_is_landscape(const vc_pdf_table *table);

/* Of its heads and first rows (pdf_rows.c). */
float vc_pdf_table_beginning(vc_pdf *pdf, const vc_pdf_table *table);

/* title: of its section, said again on later pages. */
void vc_pdf_put_table(vc_pdf *pdf, const vc_pdf_table *table, vc_str title);

/* A picture whose corner is at x, y, as large as `scale` makes it (pdf_picture.c). */
void vc_pdf_put_picture(vc_pdf *pdf, const vc_picture *picture, float x, float y, float scale);

/* A paragraph as wide as the page, over pages as needed, with `gap` below it (pdf_page.c). */
void vc_pdf_put_paragraph(vc_pdf *pdf, vc_str text, vc_pdf_style style, float indent, float gap);

/* The title of a section, on a page that has so much room below it, too (pdf.c). */
void vc_pdf_put_heading(vc_pdf *pdf, vc_str text, float with);

/* A paragraph with a bullet; what the letters behind numbers mean (pdf_notes.c). */
void vc_pdf_put_bullet(vc_pdf *pdf, vc_str text, vc_pdf_style style);
void vc_pdf_put_reasons(vc_pdf *pdf, const char *reasons);

/* Key figures as cards (pdf_figures.c). */
void vc_pdf_put_figures(vc_pdf *pdf, const vc_figure *figures, size_t nfigures);

/* Coverage, notices, sources, how to get the same numbers again (pdf_notes.c). */
void vc_pdf_put_document_notes(vc_pdf *pdf);

#endif
