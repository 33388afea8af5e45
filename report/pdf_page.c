#include "report/pdf_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const float a4_short = 595.28f, a4_long = 841.89f;

/* The title above, the page's number below: from the second page on the title, too. */
static void put_margins(vc_pdf *pdf)
{
    const vc_document *document = pdf->document;
    vc_pdf_style style = {.size = 7.5f, .colour = VC_PDF_MUTED};
    float left = vc_pdf_left(), inner = vc_pdf_inner_width(pdf);
    float foot = pdf->height - VC_PDF_BOTTOM + 22;
    char text[48];
    snprintf(text, sizeof text, "%u / %u", pdf->page, pdf->npages);
    if (pdf->page > 1) {
        float title_width = document->subtitle.size > 0 ? 0.6f * inner : inner;
        vc_pdf_put_text(pdf, document->title, style, left, 28, title_width, VC_ANCHOR_START, 1);
        if (document->subtitle.size > 0)
            vc_pdf_put_text(pdf, document->subtitle, style, left + 0.62f * inner, 28, 0.38f * inner,
                            VC_ANCHOR_END, 1);
        vc_pdf_rule(pdf, VC_PDF_RULE, 0.5f, left, 41, inner);
    }
    vc_pdf_rule(pdf, VC_PDF_RULE, 0.5f, left, foot - 5, inner);
    vc_pdf_put_text(pdf, document->generator, style, left, foot, 0.7f * inner, VC_ANCHOR_START, 1);
    vc_pdf_put_line(pdf, vc_str_of(text), style, left + inner, foot + style.size, VC_ANCHOR_END);
}

void vc_pdf_begin_page(vc_pdf *pdf, bool is_landscape)
{
    if (pdf->page > 0) vc_pdf_end_page(pdf);
    pdf->page++;
    pdf->width = is_landscape ? a4_long : a4_short;
    pdf->height = is_landscape ? a4_short : a4_long;
    pdf->y = VC_PDF_TOP;
    if (pdf->cairo == NULL) return;
    cairo_pdf_surface_set_size(pdf->surface, (double)pdf->width, (double)pdf->height);
    put_margins(pdf);
}

void vc_pdf_end_page(vc_pdf *pdf)
{
    if (pdf->cairo != NULL) cairo_show_page(pdf->cairo);
}

void vc_pdf_need(vc_pdf *pdf, float height)
{
    bool is_upright = pdf->width < pdf->height;
    bool is_empty = pdf->y <= VC_PDF_TOP, is_full = vc_pdf_room(pdf) < height && !is_empty;
    if (pdf->keeps_page ? is_full : is_full || !is_upright)
        vc_pdf_begin_page(pdf, pdf->keeps_page && !is_upright);
}

/* An outline's title ends in NUL and is one line. */
void vc_pdf_mark(vc_pdf *pdf, vc_str text)
{
    if (pdf->cairo == NULL || text.size == 0) return;
    char title[256], place[64];
    vc_str cut = vc_utf8_cut(text, 80);
    size_t size = 0;
    for (size_t i = 0; i < cut.size && size < sizeof title - 4; i++)
        title[size++] = (unsigned char)cut.data[i] < 0x20 ? ' ' : cut.data[i];
    while (size > 0 && size >= sizeof title - 4 && ((unsigned char)title[size - 1] & 0x80))
        size--; /* never half a character */
    title[size] = '\0';
    snprintf(place, sizeof place, "page=%u pos=[%d %d]", pdf->page, VC_PDF_MARGIN, (int)pdf->y);
    cairo_pdf_surface_add_outline(pdf->surface, CAIRO_PDF_OUTLINE_ROOT, title, place, 0);
}

void vc_pdf_set_colour(vc_pdf *pdf, uint32_t colour)
{
    cairo_set_source_rgb(pdf->cairo, (colour >> 16 & 0xFF) / 255.0, (colour >> 8 & 0xFF) / 255.0,
                         (colour & 0xFF) / 255.0);
}

void vc_pdf_fill(vc_pdf *pdf, uint32_t colour, float x, float y, float width, float height)
{
    if (pdf->cairo == NULL) return;
    vc_pdf_set_colour(pdf, colour);
    cairo_rectangle(pdf->cairo, (double)x, (double)y, (double)width, (double)height);
    cairo_fill(pdf->cairo);
}

void vc_pdf_rule(vc_pdf *pdf, uint32_t colour, float thickness, float x, float y, float width)
{
    vc_pdf_fill(pdf, colour, x, y - thickness / 2, width, thickness);
}

void vc_pdf_tag(vc_pdf *pdf, const char *tag)
{
    if (pdf->cairo != NULL && tag != NULL) cairo_tag_begin(pdf->cairo, tag, NULL);
}

void vc_pdf_untag(vc_pdf *pdf, const char *tag)
{
    if (pdf->cairo != NULL && tag != NULL) cairo_tag_end(pdf->cairo, tag);
}

void vc_pdf_put_paragraph(vc_pdf *pdf, vc_str text, vc_pdf_style style, float indent, float gap)
{
    const char *tag = style.tag != NULL ? style.tag : "P";
    enum { MAX_LINES = 5000, NEVER_ALONE = 2 };
    float width = vc_pdf_inner_width(pdf) - indent, pitch = vc_pdf_pitch(style.size);
    unsigned nlines =
        vc_pdf_text_lines(pdf->fonts, text, style.size, style.is_bold, width, MAX_LINES);
    for (unsigned first = 0; first < nlines;) {
        unsigned left = nlines - first;
        vc_pdf_need(pdf, pitch * (float)(left < NEVER_ALONE ? left : NEVER_ALONE));
        unsigned count = (unsigned)fmaxf(1, floorf(vc_pdf_room(pdf) / pitch));
        if (count > left) count = left;
        vc_pdf_tag(pdf, tag);
        vc_pdf_put_lines(pdf, text, style, vc_pdf_left() + indent, pdf->y, width, first, count);
        vc_pdf_untag(pdf, tag);
        pdf->y += pitch * (float)count;
        first += count;
    }
    if (nlines > 0) pdf->y += gap;
}
