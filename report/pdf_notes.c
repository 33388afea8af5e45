/* What a report ends with: how much of each source is in it, what its reader must know, where the
 * numbers come from and how to get the same ones again. */
#include "report/pdf_parts.h"

static const vc_pdf_style small_head = {
    .size = 9, .is_bold = true, .colour = VC_PDF_INK, .tag = "H3"};
static const vc_pdf_style words = {.size = 8, .colour = VC_PDF_INK};

static void put_head(vc_pdf *pdf, vc_str text)
{
    vc_pdf_need(pdf, 40);
    pdf->y += 5;
    vc_pdf_put_paragraph(pdf, text, small_head, 0, 2);
}

void vc_pdf_put_bullet(vc_pdf *pdf, vc_str text, vc_pdf_style style)
{
    if (text.size == 0) return;
    vc_pdf_need(pdf, vc_pdf_pitch(style.size) * 2);
    vc_pdf_put_line(pdf, VC_STR("\xE2\x80\xA2"), style, vc_pdf_left() + 2, pdf->y + style.size,
                    VC_ANCHOR_START);
    vc_pdf_put_paragraph(pdf, text, style, 10, 2);
}

void vc_pdf_put_reasons(vc_pdf *pdf, const char *reasons)
{
    vc_buffer text = {0};
    vc_pdf_style style = {.size = 7.5f, .colour = VC_PDF_MUTED};
    for (size_t i = 0; reasons[i] != '\0'; i++)
        vc_buffer_printf(&text, "%s%c\xC2\xA0\xC2\xA0%s", i > 0 ? ";   " : "", reasons[i],
                         vc_document_reason(reasons[i]));
    pdf->is_failed |= text.failed;
    vc_pdf_put_paragraph(pdf, (vc_str){.data = text.data, .size = text.size}, style, 0, 2);
    vc_buffer_release(&text);
}

static void put_coverage(vc_pdf *pdf, const vc_document_coverage *coverage)
{
    char matched[VC_NUMBER_TEXT], all[VC_NUMBER_TEXT];
    vc_buffer text = {0};
    vc_format_count(matched, coverage->keys_matched);
    vc_format_count(all, coverage->keys);
    vc_buffer_put_str(&text, coverage->source);
    vc_buffer_put_text(&text, " by ");
    vc_buffer_put_str(&text, coverage->dimension);
    vc_buffer_printf(&text, ": %s of %s keys matched", matched, all);
    if (coverage->shares.size > 0) {
        vc_buffer_put_text(&text, "; values: ");
        vc_buffer_put_str(&text, coverage->shares);
    }
    pdf->is_failed |= text.failed;
    vc_pdf_put_bullet(pdf, (vc_str){.data = text.data, .size = text.size}, words);
    vc_buffer_release(&text);
}

static void put_source(vc_pdf *pdf, const vc_document_source *source)
{
    vc_buffer text = {0};
    vc_buffer_put_str(&text, source->label.size > 0 ? source->label : source->name);
    vc_buffer_put_text(&text, " (");
    vc_buffer_put_str(&text, source->name);
    vc_buffer_put_text(&text, ")");
    if (source->source.size > 0) {
        vc_buffer_put_text(&text, ": ");
        vc_buffer_put_str(&text, source->source);
    }
    vc_buffer_put_text(&text, source->licence.size > 0 ? ". Licence: " : ". Licence: not stated");
    vc_buffer_put_str(&text, source->licence);
    pdf->is_failed |= text.failed;
    vc_pdf_put_bullet(pdf, (vc_str){.data = text.data, .size = text.size}, words);
    vc_buffer_release(&text);
}

static void put_line(vc_pdf *pdf, const char *name, vc_str value)
{
    if (value.size == 0) return;
    vc_buffer text = {0};
    vc_buffer_put_text(&text, name);
    vc_buffer_put_str(&text, value);
    pdf->is_failed |= text.failed;
    vc_pdf_put_paragraph(pdf, (vc_str){.data = text.data, .size = text.size},
                         (vc_pdf_style){.size = 7.5f, .colour = VC_PDF_MUTED}, 0, 0);
    vc_buffer_release(&text);
}

void vc_pdf_put_document_notes(vc_pdf *pdf)
{
    const vc_document *document = pdf->document;
    vc_pdf_put_heading(pdf, VC_STR("Notes"), 60);
    if (document->nnotices > 0) put_head(pdf, VC_STR("To know when reading"));
    for (size_t i = 0; i < document->nnotices; i++)
        vc_pdf_put_bullet(pdf, document->notices[i], words);
    if (document->ncoverage > 0) put_head(pdf, VC_STR("How much of the sources is in it"));
    for (size_t i = 0; i < document->ncoverage; i++)
        put_coverage(pdf, &document->coverage[i]);
    if (document->nsources > 0) put_head(pdf, VC_STR("Sources"));
    for (size_t i = 0; i < document->nsources; i++)
        put_source(pdf, &document->sources[i]);
    if (document->snapshot.size > 0 || document->definition.size > 0)
        put_head(pdf, VC_STR("For the same numbers again"));
    put_line(pdf, "Snapshot: ", document->snapshot);
    put_line(pdf, "Definitions: ", document->definition);
}
