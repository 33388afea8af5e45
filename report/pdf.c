#include "report/pdf_parts.h"

#include <math.h>
#include <stdio.h>

/* ---- sections ---- */

static const vc_pdf_style body = {.size = 9.5f, .colour = VC_PDF_INK};
static const vc_pdf_style caption = {.size = 8, .colour = VC_PDF_MUTED, .tag = "Caption"};
static const vc_pdf_style note = {.size = 7.5f, .colour = VC_PDF_MUTED};

void vc_pdf_put_heading(vc_pdf *pdf, vc_str text, float with)
{
    static const vc_pdf_style style = {
        .size = 13, .is_bold = true, .colour = VC_PDF_ACCENT, .tag = "H2"};
    bool is_first = pdf->y <= VC_PDF_TOP;
    vc_pdf_need(pdf, VC_PDF_HEADING + with);
    if (!is_first && pdf->y > VC_PDF_TOP) pdf->y += 10;
    vc_pdf_mark(pdf, text);
    vc_pdf_put_paragraph(pdf, text, style, 0, 4);
}

static void put_paragraphs(vc_pdf *pdf, const vc_section *section)
{
    for (size_t i = 0; i < section->nparagraphs; i++)
        vc_pdf_put_paragraph(pdf, section->paragraphs[i], body, 0, 6);
}

static float paragraphs_height(vc_pdf *pdf, const vc_section *section)
{
    float height = 0, width = vc_pdf_inner_width(pdf);
    for (size_t i = 0; i < section->nparagraphs; i++) {
        unsigned nlines =
            vc_pdf_text_lines(pdf->fonts, section->paragraphs[i], body.size, false, width, 100);
        height += vc_pdf_pitch(body.size) * (float)nlines + 6;
    }
    return fminf(height, 200);
}

static void put_notes(vc_pdf *pdf, const vc_section *section)
{
    for (size_t i = 0; i < section->nnotes; i++)
        vc_pdf_put_bullet(pdf, section->notes[i], note);
}

static void put_grid_notes(vc_pdf *pdf, const vc_grid *grid)
{
    char reasons[VC_MAX_REASONS], text[128], shown[VC_NUMBER_TEXT], all[VC_NUMBER_TEXT];
    vc_grid_reasons(grid, reasons);
    vc_pdf_put_reasons(pdf, reasons);
    if (!grid->is_cut) return;
    vc_format_count(shown, grid->nrows);
    vc_format_count(all, grid->nrows_all);
    snprintf(text, sizeof text, "The first %s of %s rows.", shown, all);
    vc_pdf_put_paragraph(pdf, vc_str_of(text), note, 0, 0);
}

typedef struct pdf_plan { /* what a section needs in both passes */
    vc_pdf_table *table;
    vc_picture picture;
} pdf_plan;

static void put_pivot(vc_pdf *pdf, const vc_section *section, const pdf_plan *plan)
{
    const vc_grid *grid = section->grid;
    bool is_landscape = vc_pdf_table_is_landscape(plan->table);
    bool is_so = (pdf->width > pdf->height) == is_landscape;
    float height = 50 + paragraphs_height(pdf, section) + vc_pdf_table_beginning(pdf, plan->table);
    if (!is_so || (vc_pdf_room(pdf) < height && pdf->y > VC_PDF_TOP))
        vc_pdf_begin_page(pdf, is_landscape);
    pdf->keeps_page = true;
    vc_pdf_put_heading(pdf, section->title, 0);
    put_paragraphs(pdf, section);
    if (!vc_str_equal(grid->caption, section->title))
        vc_pdf_put_paragraph(pdf, grid->caption, caption, 0, 3);
    vc_pdf_put_table(pdf, plan->table, section->title);
    put_grid_notes(pdf, grid);
    put_notes(pdf, section);
    pdf->keeps_page = false;
}

/* As large as it was drawn, or as has room on a page; down to four fifths, where that keeps it on
 * this page. */
static float chart_scale(const vc_pdf *pdf, const vc_picture *picture, float words)
{
    const float least = 0.8f, heading = VC_PDF_HEADING;
    float page = pdf->height > pdf->width ? pdf->height : pdf->width;
    float most = page - VC_PDF_TOP - VC_PDF_BOTTOM - 70;
    float scale = fminf(1, most / picture->height);
    float here = (vc_pdf_room(pdf) - heading - words) / picture->height;
    bool is_upright = pdf->width < pdf->height;
    return is_upright && here < scale && here >= least * scale ? here : scale;
}

static void put_chart(vc_pdf *pdf, const vc_section *section, const pdf_plan *plan)
{
    const vc_picture *picture = &plan->picture;
    float words = paragraphs_height(pdf, section) + 20;
    float scale = chart_scale(pdf, picture, words), height = picture->height * scale;
    vc_pdf_put_heading(pdf, section->title, height + words);
    put_paragraphs(pdf, section);
    vc_pdf_need(pdf, height);
    vc_pdf_tag(pdf, "Figure");
    vc_pdf_put_picture(pdf, picture, vc_pdf_left(), pdf->y, scale);
    vc_pdf_untag(pdf, "Figure");
    pdf->y += height + 4;
    /* cairo gives a figure no text of its own, so it stands below, where everybody reads it. */
    vc_pdf_put_paragraph(pdf, picture->alternative, caption, 0, 2);
    put_notes(pdf, section);
}

static void put_failed(vc_pdf *pdf, const vc_section *section)
{
    vc_pdf_style warning = {.size = 9, .colour = VC_PDF_WARN};
    vc_pdf_put_heading(pdf, section->title, 50);
    put_paragraphs(pdf, section);
    warning.is_bold = true;
    vc_pdf_put_paragraph(pdf, VC_STR("This section could not be made."), warning, 0, 1);
    warning.is_bold = false;
    vc_pdf_put_paragraph(pdf, section->failure, warning, 0, 2);
    vc_pdf_put_paragraph(pdf, section->query, note, 0, 2);
    put_notes(pdf, section);
}

static void put_section(vc_pdf *pdf, const vc_section *section, const pdf_plan *plan)
{
    switch (section->kind) {
    case VC_SECTION_TEXT:
        vc_pdf_put_heading(pdf, section->title, fminf(60, paragraphs_height(pdf, section)));
        put_paragraphs(pdf, section);
        put_notes(pdf, section);
        break;
    case VC_SECTION_FIGURES:
        vc_pdf_put_heading(pdf, section->title, 90 + paragraphs_height(pdf, section));
        put_paragraphs(pdf, section);
        vc_pdf_put_figures(pdf, section->figures, section->nfigures);
        put_notes(pdf, section);
        break;
    case VC_SECTION_PIVOT: put_pivot(pdf, section, plan); break;
    case VC_SECTION_CHART: put_chart(pdf, section, plan); break;
    case VC_SECTION_FAILED: put_failed(pdf, section); break;
    }
}

/* ---- the document ---- */

static void put_title(vc_pdf *pdf)
{
    static const vc_pdf_style title = {
        .size = 20, .is_bold = true, .colour = VC_PDF_INK, .tag = "H1"};
    static const vc_pdf_style subtitle = {.size = 12, .colour = VC_PDF_MUTED};
    const vc_document *document = pdf->document;
    pdf->y = VC_PDF_TOP - 8;
    vc_pdf_put_paragraph(pdf, document->title, title, 0, 0);
    vc_pdf_put_paragraph(pdf, document->subtitle, subtitle, 0, 0);
    pdf->y += 5;
    vc_pdf_rule(pdf, VC_PDF_ACCENT, 1.5f, vc_pdf_left(), pdf->y, vc_pdf_inner_width(pdf));
    pdf->y += 4;
    vc_pdf_put_paragraph(pdf, document->description, body, 0, 4);
}

/* Does a wide table come before anything but words and figures? Then they go onto its page, rather
 * than alone onto one of their own. */
static bool begins_wide(const vc_document *document, const pdf_plan *plans)
{
    for (size_t i = 0; i < document->nsections; i++) {
        vc_section_kind kind = document->sections[i].kind;
        if (kind == VC_SECTION_PIVOT) return vc_pdf_table_is_landscape(plans[i].table);
        if (kind != VC_SECTION_TEXT && kind != VC_SECTION_FIGURES) return false;
    }
    return false;
}

static void put_document(vc_pdf *pdf, const pdf_plan *plans)
{
    const vc_document *document = pdf->document;
    bool is_wide = begins_wide(document, plans);
    vc_pdf_begin_page(pdf, is_wide);
    pdf->keeps_page = is_wide;
    put_title(pdf);
    for (size_t i = 0; i < document->nsections; i++) {
        put_section(pdf, &document->sections[i], &plans[i]);
        if (document->sections[i].kind == VC_SECTION_PIVOT) pdf->keeps_page = false;
    }
    if (document->has_notes) vc_pdf_put_document_notes(pdf);
    vc_pdf_end_page(pdf);
}

static vc_status make_plans(vc_pdf *pdf, vc_arena *arena, pdf_plan *plans, vc_error *error)
{
    const vc_document *document = pdf->document;
    float width = 595.28f - 2 * VC_PDF_MARGIN;
    for (size_t i = 0; i < document->nsections; i++) {
        const vc_section *section = &document->sections[i];
        if (section->kind == VC_SECTION_PIVOT) {
            plans[i].table = vc_pdf_plan_table(pdf->fonts, section->grid, arena);
            if (plans[i].table == NULL) return vc_no_memory(error);
        }
        if (section->kind == VC_SECTION_CHART) {
            vc_status status =
                vc_chart_draw(section->chart, width, arena, &plans[i].picture, error);
            if (status != VC_OK) return status;
        }
    }
    return VC_OK;
}

/* Without what would end a line of the file. */
static const char *clean_metadata(vc_str text, vc_arena *arena)
{
    char *copy = vc_arena_alloc(arena, text.size + 1);
    if (copy == NULL) return NULL;
    for (size_t i = 0; i < text.size; i++)
        copy[i] = (unsigned char)text.data[i] < 0x20 ? ' ' : text.data[i];
    copy[text.size] = '\0';
    return copy;
}

static void set_metadata(vc_pdf *pdf, vc_arena *arena)
{
    const vc_document *document = pdf->document;
    /* Dates of the time of day would make every file another. */
    static const char *const date = "1980-01-01T00:00:00Z";
    const struct {
        cairo_pdf_metadata_t what;
        vc_str text;
    } texts[] = {{CAIRO_PDF_METADATA_TITLE, document->title},
                 {CAIRO_PDF_METADATA_SUBJECT, document->subtitle},
                 {CAIRO_PDF_METADATA_CREATOR, document->generator}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = clean_metadata(texts[i].text, arena);
        if (text == NULL)
            pdf->is_failed = true;
        else if (text[0] != '\0')
            cairo_pdf_surface_set_metadata(pdf->surface, texts[i].what, text);
    }
    cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_CREATE_DATE, date);
    cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_MOD_DATE, date);
}

/* ---- the file ---- */

static vc_status draw(vc_pdf *pdf, const pdf_plan *plans, vc_arena *arena, vc_render_sink sink,
                      vc_error *error)
{
    vc_pdf_stream stream = {.sink = sink, .error = error, .language = pdf->document->language};
    pdf->surface = cairo_pdf_surface_create_for_stream(vc_pdf_stream_take, &stream, 595.28, 841.89);
    pdf->cairo = cairo_create(pdf->surface);
    set_metadata(pdf, arena);
    put_document(pdf, plans);
    cairo_status_t drawn = cairo_status(pdf->cairo);
    cairo_destroy(pdf->cairo);
    cairo_surface_finish(pdf->surface);
    if (drawn == CAIRO_STATUS_SUCCESS) drawn = cairo_surface_status(pdf->surface);
    cairo_surface_destroy(pdf->surface);
    vc_pdf_stream_end(&stream);
    if (stream.status != VC_OK) return stream.status;
    if (pdf->is_failed || drawn == CAIRO_STATUS_NO_MEMORY) return vc_no_memory(error);
    if (drawn != CAIRO_STATUS_SUCCESS)
        return vc_fail(error, VC_STORAGE, "storage", "the PDF could not be made: %s",
                       cairo_status_to_string(drawn));
    return VC_OK;
}

vc_status vc_pdf_write(const vc_document *document, vc_render_sink sink, vc_error *error)
{
    vc_arena arena = {0};
    vc_status status = vc_pdf_library_open(error);
    if (status != VC_OK) return status;
    vc_pdf pdf = {.document = document};
    status = vc_pdf_fonts_get(&pdf.fonts, error);
    if (status != VC_OK) return status;
    pdf_plan *plans = VC_ARENA_NEW(&arena, pdf_plan, document->nsections);
    if (plans == NULL) {
        status = vc_no_memory(error);
        goto done;
    }
    status = make_plans(&pdf, &arena, plans, error);
    if (status != VC_OK) goto done;
    put_document(&pdf, plans);
    vc_pdf drawn = {.document = document, .fonts = pdf.fonts, .npages = pdf.page};
    status = pdf.is_failed ? vc_no_memory(error) : draw(&drawn, plans, &arena, sink, error);
    vc_buffer_release(&drawn.number);
done:
    vc_buffer_release(&pdf.number);
    vc_arena_release(&arena);
    return status;
}
