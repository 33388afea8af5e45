/* Key figures as cards, up to four in a row: what it is, the number, how it has changed. */
#include "report/pdf_parts.h"

#include <math.h>
#include <string.h>

enum { MAX_PER_ROW = 4, CARD_GAP = 10, CARD_PADDING = 9, MAX_LABEL_LINES = 5 };
static const float label_size = 8, value_size = 17, unit_size = 8, change_size = 8;

typedef struct pdf_card {
    const vc_figure *figure;
    float width; /* inside */
} pdf_card;

static vc_pdf_style style_of(float size, bool is_bold, uint32_t colour)
{
    return (vc_pdf_style){.size = size, .is_bold = is_bold, .colour = colour};
}

/* Long numbers are set smaller, down to what is still read. */
static float value_size_of(vc_pdf *pdf, const pdf_card *card)
{
    float width = vc_pdf_text_width(pdf->fonts, card->figure->value, value_size, true);
    return width <= card->width ? value_size : fmaxf(5, value_size * card->width / width);
}

static unsigned label_lines(vc_pdf *pdf, const pdf_card *card)
{
    return vc_pdf_text_lines(pdf->fonts, card->figure->label, label_size, false, card->width,
                             MAX_LABEL_LINES);
}

/* A judged change is green or red, and every change says its direction by its sign and arrow. */
static uint32_t change_colour(const vc_figure *figure)
{
    if (!figure->has_judgement || figure->direction == 0) return VC_PDF_MUTED;
    return figure->is_good ? 0x1B6E3C : VC_PDF_WARN;
}

static void put_change(vc_pdf *pdf, const pdf_card *card, float x, float y)
{
    const vc_figure *figure = card->figure;
    if (figure->change.size == 0) return;
    vc_pdf_style style = style_of(change_size, true, change_colour(figure));
    static const char *const arrows[] = {"\xE2\x96\xBC", "", "\xE2\x96\xB2"};
    vc_str arrow = vc_str_of(arrows[figure->direction < 0 ? 0 : figure->direction > 0 ? 2 : 1]);
    if (arrow.size > 0) {
        vc_pdf_put_line(pdf, arrow, style, x, y, VC_ANCHOR_START);
        x += vc_pdf_text_width(pdf->fonts, arrow, style.size, true) + 3;
    }
    vc_pdf_put_line(pdf, figure->change, style, x, y, VC_ANCHOR_START);
}

/* Where things stand in all cards of a row, from its top: baselines, but for the label. */
typedef struct pdf_lines {
    float label, value, unit, change, against, height;
} pdf_lines;

static pdf_lines lines_of(vc_pdf *pdf, const pdf_card *cards, size_t count)
{
    unsigned nlines = 1;
    bool has_unit = false, has_change = false, has_against = false;
    for (size_t i = 0; i < count; i++) {
        unsigned n = label_lines(pdf, &cards[i]);
        if (n > nlines) nlines = n;
        has_unit |= cards[i].figure->unit.size > 0;
        has_change |= cards[i].figure->change.size > 0;
        has_against |= cards[i].figure->against.size > 0;
    }
    pdf_lines lines = {.label = CARD_PADDING - 1};
    lines.value =
        lines.label + vc_pdf_pitch(label_size) * (float)(nlines - 1) + label_size + value_size + 6;
    lines.unit = lines.value + (has_unit ? vc_pdf_pitch(unit_size) + 1 : 0);
    lines.change = lines.unit + (has_change ? vc_pdf_pitch(change_size) + 3 : 0);
    lines.against = lines.change + (has_against ? vc_pdf_pitch(change_size) : 0);
    lines.height = lines.against + CARD_PADDING;
    return lines;
}

static void put_value(vc_pdf *pdf, const pdf_card *card, float x, float y)
{
    const vc_figure *figure = card->figure;
    float size = value_size_of(pdf, card);
    vc_pdf_put_line(pdf, figure->value, style_of(size, true, VC_PDF_INK), x, y, VC_ANCHOR_START);
    if (figure->reason == VC_REASON_NONE) return;
    x += vc_pdf_text_width(pdf->fonts, figure->value, size, true) + 3;
    vc_pdf_put_line(pdf, (vc_str){.data = &figure->reason, .size = 1},
                    style_of(8, false, VC_PDF_MUTED), x, y - size * 0.35f, VC_ANCHOR_START);
}

static void put_card(vc_pdf *pdf, const pdf_card *card, const pdf_lines *lines, float x)
{
    const vc_figure *figure = card->figure;
    vc_pdf_style small = style_of(label_size, false, VC_PDF_MUTED);
    float inside = x + CARD_PADDING, top = pdf->y, above = small.size; /* baseline below a top */
    vc_pdf_fill(pdf, VC_PDF_SHADE, x, top, card->width + 2 * CARD_PADDING, lines->height);
    vc_pdf_fill(pdf, VC_PDF_ACCENT, x, top, 2.5f, lines->height);
    vc_pdf_put_text(pdf, figure->label, small, inside, top + lines->label, card->width,
                    VC_ANCHOR_START, MAX_LABEL_LINES);
    put_value(pdf, card, inside, top + lines->value);
    vc_pdf_put_text(pdf, figure->unit, small, inside, top + lines->unit - above, card->width,
                    VC_ANCHOR_START, 1);
    put_change(pdf, card, inside, top + lines->change);
    vc_pdf_put_text(pdf, figure->against, small, inside, top + lines->against - above, card->width,
                    VC_ANCHOR_START, 1);
}

static void put_row(vc_pdf *pdf, const vc_figure *figures, size_t count, float width)
{
    pdf_card cards[MAX_PER_ROW];
    for (size_t i = 0; i < count; i++)
        cards[i] = (pdf_card){.figure = &figures[i], .width = width - 2 * CARD_PADDING};
    pdf_lines lines = lines_of(pdf, cards, count);
    vc_pdf_need(pdf, lines.height);
    for (size_t i = 0; i < count; i++) {
        vc_pdf_tag(pdf, "P");
        put_card(pdf, &cards[i], &lines, vc_pdf_left() + (width + CARD_GAP) * (float)i);
        vc_pdf_untag(pdf, "P");
    }
    pdf->y += lines.height + CARD_GAP;
}

/* What the letters behind the numbers mean. */
static void put_reasons(vc_pdf *pdf, const vc_figure *figures, size_t nfigures)
{
    char reasons[VC_MAX_REASONS] = "";
    size_t count = 0;
    for (size_t i = 0; i < nfigures; i++) {
        char reason = figures[i].reason;
        if (reason != VC_REASON_NONE && strchr(reasons, reason) == NULL &&
            count + 1 < VC_MAX_REASONS)
            reasons[count++] = reason;
    }
    vc_pdf_put_reasons(pdf, reasons);
}

void vc_pdf_put_figures(vc_pdf *pdf, const vc_figure *figures, size_t nfigures)
{
    if (nfigures == 0) return;
    /* Rows of about the same number of cards: five are three and two. */
    size_t nrows = (nfigures + MAX_PER_ROW - 1) / MAX_PER_ROW;
    size_t per_row = (nfigures + nrows - 1) / nrows;
    size_t columns = per_row < 3 ? 3 : per_row;
    float width = (vc_pdf_inner_width(pdf) - CARD_GAP * (float)(columns - 1)) / (float)columns;
    for (size_t first = 0; first < nfigures; first += per_row) {
        size_t left = nfigures - first;
        put_row(pdf, figures + first, left < per_row ? left : per_row, width);
    }
    put_reasons(pdf, figures, nfigures);
}
