/* Texts in PDF.
 *
 * Most texts of a report are numbers and names in Latin, Greek or Cyrillic letters: one glyph per
 * character from left to right. Those are measured with a table of advances and handed to cairo as
 * glyphs, at a hundredth of what laying them out costs. All others (Arabic, Hebrew, Devanagari,
 * combining marks, what the font lacks) are laid out by Pango, which chooses fonts, shapes and
 * orders them.
 *
 * Glyphs carry their text ("clusters"), so that people and programs can copy it out again; of a
 * character that no font has, too.
 */
#include "report/pdf_parts.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { NCHARACTERS = 0x2600 }; /* up to geometric shapes: arrows, dashes, quotes, currencies */
static const double reference_size = 64;

typedef enum glyph_state { GLYPH_NEW, GLYPH_SIMPLE, GLYPH_OTHER } glyph_state;

typedef struct pdf_glyph {
    float advance; /* of a font of size 1 */
    uint16_t index;
    uint8_t state; /* glyph_state */
} pdf_glyph;

typedef struct pdf_face {
    PangoFontDescription *description;
    cairo_font_face_t *font_face;
    cairo_scaled_font_t *reference;
    pdf_glyph glyphs[NCHARACTERS];
} pdf_face;

struct vc_pdf_fonts {
    PangoFontMap *map;
    PangoContext *context;
    PangoLayout *layout;
    pdf_face faces[2]; /* regular, bold */
    char *clean;       /* a text without control characters */
    size_t clean_capacity;
    cairo_glyph_t *run; /* of a line */
    cairo_text_cluster_t *clusters;
    size_t run_capacity;
};

/* ---- fonts of a thread ---- */

static pthread_key_t fonts_key;
static pthread_once_t fonts_once = PTHREAD_ONCE_INIT;

static void free_fonts(void *of_thread)
{
    vc_pdf_fonts *fonts = of_thread;
    for (size_t i = 0; i < 2; i++) {
        if (fonts->faces[i].reference != NULL) cairo_scaled_font_destroy(fonts->faces[i].reference);
        if (fonts->faces[i].font_face != NULL) cairo_font_face_destroy(fonts->faces[i].font_face);
        if (fonts->faces[i].description != NULL)
            pango_font_description_free(fonts->faces[i].description);
    }
    if (fonts->layout != NULL) g_object_unref(fonts->layout);
    if (fonts->context != NULL) g_object_unref(fonts->context);
    if (fonts->map != NULL) g_object_unref(fonts->map);
    free(fonts->clean);
    free(fonts->run);
    free(fonts->clusters);
    free(fonts);
}

static void make_key(void)
{
    pthread_key_create(&fonts_key, free_fonts);
}

/* No hints: glyphs are as wide as the font says whatever their size, so what is measured at one
 * size holds at all. */
static cairo_font_options_t *new_options(void)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    return options;
}

static bool load_face(vc_pdf_fonts *fonts, pdf_face *face, bool is_bold)
{
    face->description = pango_font_description_from_string("DejaVu Sans");
    pango_font_description_set_weight(face->description,
                                      is_bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_font_description_set_size(face->description, (gint)(reference_size * PANGO_SCALE));
    PangoFont *font = pango_font_map_load_font(fonts->map, fonts->context, face->description);
    if (font == NULL) return false;
    cairo_scaled_font_t *scaled = pango_cairo_font_get_scaled_font(PANGO_CAIRO_FONT(font));
    if (scaled != NULL) {
        face->reference = cairo_scaled_font_reference(scaled);
        face->font_face = cairo_font_face_reference(cairo_scaled_font_get_font_face(scaled));
    }
    g_object_unref(font);
    return scaled != NULL;
}

static void open_fonts(vc_pdf_fonts *fonts)
{
    cairo_font_options_t *options = new_options();
    fonts->map = pango_cairo_font_map_new();
    pango_cairo_font_map_set_resolution(PANGO_CAIRO_FONT_MAP(fonts->map), 72);
    fonts->context = pango_font_map_create_context(fonts->map);
    pango_cairo_context_set_font_options(fonts->context, options);
    pango_cairo_context_set_resolution(fonts->context, 72);
    pango_context_set_round_glyph_positions(fonts->context, FALSE);
    pango_context_set_language(fonts->context, pango_language_from_string("en"));
    fonts->layout = pango_layout_new(fonts->context);
    cairo_font_options_destroy(options);
}

static vc_status new_fonts(vc_pdf_fonts **fonts_out, vc_error *error)
{
    vc_pdf_fonts *fonts = calloc(1, sizeof *fonts);
    if (fonts == NULL) return vc_no_memory(error);
    open_fonts(fonts);
    if (!load_face(fonts, &fonts->faces[0], false) || !load_face(fonts, &fonts->faces[1], true)) {
        free_fonts(fonts);
        return vc_fail(error, VC_STORAGE, "output",
                       "PDF needs a font, and this machine has none: install DejaVu Sans");
    }
    if (pthread_setspecific(fonts_key, fonts) != 0) {
        free_fonts(fonts);
        return vc_no_memory(error);
    }
    *fonts_out = fonts;
    return VC_OK;
}

vc_status vc_pdf_fonts_get(vc_pdf_fonts **fonts_out, vc_error *error)
{
    pthread_once(&fonts_once, make_key);
    *fonts_out = pthread_getspecific(fonts_key);
    return *fonts_out != NULL ? VC_OK : new_fonts(fonts_out, error);
}

/* ---- characters ---- */

/* One character of valid UTF-8. */
static uint32_t next_character(const char **at)
{
    const unsigned char *bytes = (const unsigned char *)*at;
    if (bytes[0] < 0x80) {
        *at += 1;
        return bytes[0];
    }
    if (bytes[0] < 0xE0) {
        *at += 2;
        return (bytes[0] & 0x1Fu) << 6 | (bytes[1] & 0x3Fu);
    }
    if (bytes[0] < 0xF0) {
        *at += 3;
        return (bytes[0] & 0x0Fu) << 12 | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
    }
    *at += 4;
    return (bytes[0] & 0x07u) << 18 | (bytes[1] & 0x3Fu) << 12 | (bytes[2] & 0x3Fu) << 6 |
           (bytes[3] & 0x3Fu);
}

/* Characters that stand for themselves wherever they are, if the font has them. */
static bool stands_alone(uint32_t c)
{
    return (c >= 0x20 && c < 0x7F) || (c >= 0xA0 && c < 0x300 && c != 0xAD) ||
           (c >= 0x370 && c < 0x483) || (c >= 0x48A && c < 0x530) || (c >= 0x1E00 && c < 0x2000) ||
           (c >= 0x2010 && c < 0x2028) || (c >= 0x2030 && c < 0x205F) ||
           (c >= 0x2070 && c < 0x20D0) || (c >= 0x2100 && c < NCHARACTERS);
}

static void look_up(pdf_face *face, uint32_t character, const char *text, int size)
{
    pdf_glyph *entry = &face->glyphs[character];
    cairo_glyph_t found[4], *glyphs = found;
    int nglyphs = 4;
    entry->state = GLYPH_OTHER;
    if (!stands_alone(character)) return;
    if (cairo_scaled_font_text_to_glyphs(face->reference, 0, 0, text, size, &glyphs, &nglyphs, NULL,
                                         NULL, NULL) != CAIRO_STATUS_SUCCESS)
        return;
    if (nglyphs == 1 && glyphs[0].index != 0) {
        cairo_text_extents_t extents;
        cairo_scaled_font_glyph_extents(face->reference, glyphs, 1, &extents);
        entry->advance = (float)(extents.x_advance / reference_size);
        entry->index = (uint16_t)glyphs[0].index;
        entry->state = GLYPH_SIMPLE;
    }
    if (glyphs != found) cairo_glyph_free(glyphs);
}

/* NULL: not one that stands alone. */
static const pdf_glyph *find_glyph(pdf_face *face, const char **at)
{
    const char *first = *at;
    uint32_t character = next_character(at);
    if (character >= NCHARACTERS) return NULL;
    pdf_glyph *entry = &face->glyphs[character];
    if (entry->state == GLYPH_NEW) look_up(face, character, first, (int)(*at - first));
    return entry->state == GLYPH_SIMPLE ? entry : NULL;
}

/* Can it be set glyph by glyph? Then *width_out is of a font of size 1. */
static bool measure_simple(pdf_face *face, vc_str text, float *width_out)
{
    float width = 0;
    for (const char *at = text.data, *end = text.data + text.size; at < end;) {
        const pdf_glyph *glyph = find_glyph(face, &at);
        if (glyph == NULL) return false;
        width += glyph->advance;
    }
    *width_out = width;
    return true;
}

/* C0 and C1 controls, and separators of lines. */
static bool is_control(const unsigned char *byte, const unsigned char *end, size_t *size_out)
{
    *size_out = 1;
    if (*byte < 0x20 || *byte == 0x7F) return true;
    if (byte + 1 < end && byte[0] == 0xC2 && byte[1] < 0xA0) return *size_out = 2, true;
    *size_out = 3;
    return byte + 2 < end && byte[0] == 0xE2 && byte[1] == 0x80 &&
           (byte[2] == 0xA8 || byte[2] == 0xA9);
}

/* Tabs and ends of lines are spaces in a line; other controls are nothing. */
static bool is_white(unsigned char byte)
{
    return (byte >= '\t' && byte <= '\r') || byte == 0xE2;
}

/* The text without controls; itself, if it has none. */
static vc_str clean_text(vc_pdf_fonts *fonts, vc_str text)
{
    const unsigned char *bytes = (const unsigned char *)text.data, *end = bytes + text.size;
    size_t size, i = 0;
    while (i < text.size && !is_control(bytes + i, end, &size))
        i++;
    if (i == text.size) return text;
    if (fonts->clean_capacity < text.size) {
        char *grown = realloc(fonts->clean, text.size);
        if (grown == NULL) return (vc_str){.data = "", .size = 0};
        fonts->clean = grown;
        fonts->clean_capacity = text.size;
    }
    size_t used = 0;
    for (i = 0; i < text.size;) {
        if (is_control(bytes + i, end, &size)) {
            if (is_white(bytes[i]) && used > 0 && fonts->clean[used - 1] != ' ')
                fonts->clean[used++] = ' ';
            i += size;
        } else {
            fonts->clean[used++] = text.data[i++];
        }
    }
    while (used > 0 && fonts->clean[used - 1] == ' ')
        used--;
    return (vc_str){.data = fonts->clean, .size = used};
}

/* ---- by Pango ---- */

static PangoLayout *lay_out(vc_pdf_fonts *fonts, vc_str text, float size, bool is_bold, float width,
                            unsigned max_lines)
{
    PangoLayout *layout = fonts->layout;
    PangoFontDescription *description = fonts->faces[is_bold].description;
    pango_font_description_set_size(description, (gint)lrintf(size * PANGO_SCALE));
    pango_layout_set_font_description(layout, description);
    pango_layout_set_text(layout, text.data, (int)text.size);
    pango_layout_set_width(layout, width > 0 ? (int)lrintf(width * PANGO_SCALE) : -1);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize(layout, width > 0 ? PANGO_ELLIPSIZE_END : PANGO_ELLIPSIZE_NONE);
    pango_layout_set_height(layout, width > 0 ? -(int)max_lines : -1);
    return layout;
}

static float pango_width(PangoLayout *layout)
{
    PangoRectangle logical;
    pango_layout_get_extents(layout, NULL, &logical);
    return (float)logical.width / PANGO_SCALE;
}

static bool has_unknown(const PangoGlyphString *glyphs)
{
    for (int i = 0; i < glyphs->num_glyphs; i++)
        if (glyphs->glyphs[i].glyph & PANGO_GLYPH_UNKNOWN_FLAG &&
            glyphs->glyphs[i].glyph != PANGO_GLYPH_EMPTY)
            return true;
    return false;
}

/* What no font has: the box that our font has for it, with the text behind it. Pango would draw
 * boxes without a text. */
static void put_unknown(vc_pdf *pdf, const char *text, const PangoGlyphItem *item, float x, float y,
                        float size)
{
    cairo_glyph_t box = {.index = 0, .x = x, .y = y};
    cairo_set_font_face(pdf->cairo, pdf->fonts->faces[0].font_face);
    cairo_set_font_size(pdf->cairo, size);
    PangoGlyphItemIter at;
    for (gboolean has = pango_glyph_item_iter_init_start(&at, (PangoGlyphItem *)item, text); has;
         has = pango_glyph_item_iter_next_cluster(&at)) {
        cairo_text_cluster_t cluster = {.num_bytes = at.end_index - at.start_index,
                                        .num_glyphs = 1};
        cairo_show_text_glyphs(pdf->cairo, text + at.start_index, cluster.num_bytes, &box, 1,
                               &cluster, 1, 0);
        for (int i = at.start_glyph; i < at.end_glyph; i++)
            box.x += (double)item->glyphs->glyphs[i].geometry.width / PANGO_SCALE;
    }
}

static void put_pango_line(vc_pdf *pdf, PangoLayout *layout, PangoLayoutLine *line, float x,
                           float y, float size)
{
    const char *text = pango_layout_get_text(layout);
    int at = 0;
    for (GSList *run = line->runs; run != NULL; run = run->next) {
        PangoGlyphItem *item = run->data;
        float run_x = x + (float)at / PANGO_SCALE;
        if (item->item->analysis.font == NULL || has_unknown(item->glyphs)) {
            put_unknown(pdf, text, item, run_x, y, size);
        } else {
            cairo_move_to(pdf->cairo, run_x, y);
            pango_cairo_show_glyph_item(pdf->cairo, text, item);
        }
        at += pango_glyph_string_get_width(item->glyphs);
    }
}

static float anchored(float x, float width, vc_text_anchor anchor)
{
    return anchor == VC_ANCHOR_START ? x : anchor == VC_ANCHOR_END ? x - width : x - width / 2;
}

/* Lines from `first` on. */
static void put_pango_text(vc_pdf *pdf, PangoLayout *layout, vc_pdf_style style, float x, float y,
                           vc_text_anchor anchor, unsigned first, unsigned max_lines)
{
    int nlines = pango_layout_get_line_count(layout);
    for (int i = (int)first; i < nlines && (unsigned)i - first < max_lines; i++) {
        PangoLayoutLine *line = pango_layout_get_line_readonly(layout, i);
        PangoRectangle logical;
        pango_layout_line_get_extents(line, NULL, &logical);
        float width = (float)logical.width / PANGO_SCALE;
        put_pango_line(pdf, layout, line, anchored(x, width, anchor), y, style.size);
        y += vc_pdf_pitch(style.size);
    }
}

/* ---- glyph by glyph ---- */

static bool reserve_run(vc_pdf_fonts *fonts, size_t count)
{
    if (count <= fonts->run_capacity) return true;
    cairo_glyph_t *run = realloc(fonts->run, 2 * count * sizeof *run);
    if (run != NULL) fonts->run = run;
    cairo_text_cluster_t *clusters = realloc(fonts->clusters, 2 * count * sizeof *clusters);
    if (clusters != NULL) fonts->clusters = clusters;
    if (run == NULL || clusters == NULL) return false;
    fonts->run_capacity = 2 * count;
    return true;
}

static void put_simple_line(vc_pdf *pdf, vc_str text, vc_pdf_style style, float x, float y)
{
    vc_pdf_fonts *fonts = pdf->fonts;
    pdf_face *face = &fonts->faces[style.is_bold];
    if (!reserve_run(fonts, text.size)) {
        pdf->is_failed = true;
        return;
    }
    int n = 0;
    double width = 0;
    for (const char *at = text.data, *end = text.data + text.size; at < end; n++) {
        const char *first = at;
        const pdf_glyph *glyph = find_glyph(face, &at);
        fonts->run[n] = (cairo_glyph_t){.index = glyph->index, .x = x + width, .y = y};
        fonts->clusters[n] =
            (cairo_text_cluster_t){.num_bytes = (int)(at - first), .num_glyphs = 1};
        width += (double)glyph->advance * style.size;
    }
    cairo_set_font_face(pdf->cairo, face->font_face);
    cairo_set_font_size(pdf->cairo, style.size);
    cairo_show_text_glyphs(pdf->cairo, text.data, (int)text.size, fonts->run, n, fonts->clusters, n,
                           0);
}

static bool is_break(char byte)
{
    return byte == ' ' || byte == '-' || byte == '/';
}

/* The line that begins a simple text in a width: its end (without spaces) and where the next one
 * begins. A word that is wider than the line is broken in it. */
static size_t break_line(pdf_face *face, vc_str text, float width, size_t *next_out)
{
    const char *at = text.data, *end = text.data + text.size;
    float used = 0;
    size_t end_of_line = 0, next = 0;
    while (at < end) {
        const char *first = at;
        used += find_glyph(face, &at)->advance;
        if (*first == ' ') {
            end_of_line = (size_t)(first - text.data);
            next = (size_t)(at - text.data);
            continue; /* a space at the end of a line takes no room */
        }
        if (used > width && first > text.data) {
            if (next > 0) return *next_out = next, end_of_line;
            return *next_out = (size_t)(first - text.data);
        }
        if (is_break(*first)) end_of_line = next = (size_t)(at - text.data);
    }
    return *next_out = text.size;
}

/* As much of a text as has room beside an ellipsis. */
static size_t cut_line(pdf_face *face, vc_str text, float width)
{
    float used = 1; /* the ellipsis of DejaVu Sans */
    const char *at = text.data, *end = text.data + text.size;
    while (at < end) {
        const char *first = at;
        used += find_glyph(face, &at)->advance;
        if (used > width) return (size_t)(first - text.data);
    }
    return text.size;
}

/* Which lines of a text are drawn, and after how many it is cut. */
typedef struct pdf_lines {
    unsigned first, end, most;
} pdf_lines;

/* Break a text into lines and draw some of them, where there is a pdf. */
static unsigned flow_simple(vc_pdf *pdf, pdf_face *face, vc_str text, vc_pdf_style style, float x,
                            float y, float width, vc_text_anchor anchor, pdf_lines lines)
{
    enum { MAX_LINE = 2048 };
    float width_of_one = width / style.size + 0.001f;
    unsigned nlines = 0;
    while (text.size > 0 && nlines < lines.most && nlines < lines.end) {
        size_t next, size = break_line(face, text, width_of_one, &next);
        /* With the space that ends it, where it moves nothing: readers of screens need one. */
        vc_str line = {.data = text.data, .size = anchor == VC_ANCHOR_START ? next : size};
        bool is_cut = ++nlines == lines.most && next < text.size;
        char cut[MAX_LINE + 4];
        if (is_cut) {
            line.size = cut_line(face, text, width_of_one);
            if (line.size > MAX_LINE) line.size = 0;
            memcpy(cut, text.data, line.size);
            memcpy(cut + line.size, "\xE2\x80\xA6", 3);
            line = (vc_str){.data = cut, .size = line.size + 3};
        }
        float wide;
        if (pdf != NULL && nlines > lines.first && measure_simple(face, line, &wide))
            put_simple_line(pdf, line, style, anchored(x, wide * style.size, anchor),
                            y + (float)(nlines - 1 - lines.first) * vc_pdf_pitch(style.size));
        text = (vc_str){.data = text.data + next, .size = text.size - next};
    }
    return nlines;
}

/* ---- in and out ---- */

float vc_pdf_pitch(float size)
{
    return size * 1.3f;
}

float vc_pdf_text_width(vc_pdf_fonts *fonts, vc_str text, float size, bool is_bold)
{
    float width;
    text = clean_text(fonts, text);
    if (measure_simple(&fonts->faces[is_bold], text, &width)) return width * size;
    return pango_width(lay_out(fonts, text, size, is_bold, 0, 1));
}

float vc_pdf_word_width(vc_pdf_fonts *fonts, vc_str text, float size, bool is_bold)
{
    float widest = 0;
    text = clean_text(fonts, text);
    for (size_t first = 0; first < text.size;) {
        size_t end = first;
        while (end < text.size && !is_break(text.data[end]))
            end++;
        if (end < text.size && text.data[end] != ' ') end++;
        vc_str word = {.data = text.data + first, .size = end - first};
        widest = fmaxf(widest, vc_pdf_text_width(fonts, word, size, is_bold));
        first = end + (end < text.size && text.data[end] == ' ');
    }
    return widest;
}

unsigned vc_pdf_text_lines(vc_pdf_fonts *fonts, vc_str text, float size, bool is_bold, float width,
                           unsigned max_lines)
{
    float wide;
    pdf_face *face = &fonts->faces[is_bold];
    text = clean_text(fonts, text);
    if (text.size == 0) return 0;
    if (width < size) width = size;
    if (!measure_simple(face, text, &wide))
        return (unsigned)pango_layout_get_line_count(
            lay_out(fonts, text, size, is_bold, width, max_lines));
    if (wide * size <= width) return 1;
    return flow_simple(NULL, face, text, (vc_pdf_style){.size = size}, 0, 0, width, VC_ANCHOR_START,
                       (pdf_lines){.end = max_lines, .most = max_lines});
}

void vc_pdf_put_line(vc_pdf *pdf, vc_str text, vc_pdf_style style, float x, float y,
                     vc_text_anchor anchor)
{
    float width;
    if (pdf->cairo == NULL) return;
    text = clean_text(pdf->fonts, text);
    if (text.size == 0) return;
    vc_pdf_set_colour(pdf, style.colour);
    if (measure_simple(&pdf->fonts->faces[style.is_bold], text, &width))
        put_simple_line(pdf, text, style, anchored(x, width * style.size, anchor), y);
    else
        put_pango_text(pdf, lay_out(pdf->fonts, text, style.size, style.is_bold, 0, 1), style, x, y,
                       anchor, 0, 1);
}

/* Where lines are anchored in a box. */
static float anchor_in(float x, float width, vc_text_anchor anchor)
{
    return anchor == VC_ANCHOR_START ? x : anchor == VC_ANCHOR_END ? x + width : x + width / 2;
}

unsigned vc_pdf_put_text(vc_pdf *pdf, vc_str text, vc_pdf_style style, float x, float y,
                         float width, vc_text_anchor anchor, unsigned max_lines)
{
    float wide;
    vc_pdf_fonts *fonts = pdf->fonts;
    if (pdf->cairo == NULL)
        return vc_pdf_text_lines(fonts, text, style.size, style.is_bold, width, max_lines);
    text = clean_text(fonts, text);
    if (text.size == 0) return 0;
    if (width < style.size) width = style.size;
    vc_pdf_set_colour(pdf, style.colour);
    pdf_face *face = &fonts->faces[style.is_bold];
    float at = anchor_in(x, width, anchor);
    y += style.size; /* the first baseline */
    if (measure_simple(face, text, &wide))
        return flow_simple(pdf, face, text, style, at, y, width, anchor,
                           (pdf_lines){.end = max_lines, .most = max_lines});
    PangoLayout *layout = lay_out(fonts, text, style.size, style.is_bold, width, max_lines);
    put_pango_text(pdf, layout, style, at, y, anchor, 0, max_lines);
    return (unsigned)pango_layout_get_line_count(layout);
}

void vc_pdf_put_lines(vc_pdf *pdf, vc_str text, vc_pdf_style style, float x, float y, float width,
                      unsigned first, unsigned count)
{
    float wide;
    vc_pdf_fonts *fonts = pdf->fonts;
    text = clean_text(fonts, text);
    if (pdf->cairo == NULL || text.size == 0) return;
    vc_pdf_set_colour(pdf, style.colour);
    pdf_face *face = &fonts->faces[style.is_bold];
    y += style.size;
    if (measure_simple(face, text, &wide)) {
        flow_simple(pdf, face, text, style, x, y, width, VC_ANCHOR_START,
                    (pdf_lines){.first = first, .end = first + count, .most = UINT_MAX});
        return;
    }
    PangoLayout *layout = lay_out(fonts, text, style.size, style.is_bold, width, UINT16_MAX);
    bool is_leftward = pango_layout_get_direction(layout, 0) == PANGO_DIRECTION_RTL;
    vc_text_anchor anchor = is_leftward ? VC_ANCHOR_END : VC_ANCHOR_START;
    put_pango_text(pdf, layout, style, anchor_in(x, width, anchor), y, anchor, first, count);
}
