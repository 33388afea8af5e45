#include "report/xlsx_parts.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- number formats ---- */

/* Literal text of a number format, in quotes. A percent sign stands free once: it multiplies. */
static void put_literal(vc_str text, bool *has_percent, vc_buffer *out)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        bool is_free = byte == '"' || (byte == '%' && !*has_percent);
        if (is_quoted == is_free) {
            vc_buffer_put_char(out, '"');
            is_quoted = !is_quoted;
        }
        if (byte == '"') vc_buffer_put_char(out, '\\');
        if (byte == '%') *has_percent = true;
        vc_buffer_put_char(out, (unsigned char)byte < 0x20 ? ' ' : byte);
    }
    if (is_quoted) vc_buffer_put_char(out, '"');
}

static void put_digits(const vc_number_format *format, vc_buffer *out)
{
    /* A zero is written though the pattern asks for no digit. */
    unsigned zeros = format->min_whole > 0 ? format->min_whole : 1;
    unsigned places = format->is_grouped && zeros < 4 ? 4 : zeros;
    for (unsigned place = places; place-- > 0;) {
        vc_buffer_put_char(out, place < zeros ? '0' : '#');
        if (format->is_grouped && place > 0 && place % 3 == 0) vc_buffer_put_char(out, ',');
    }
    if (format->max_fraction > 0) vc_buffer_put_char(out, '.');
    for (unsigned i = 0; i < format->max_fraction; i++)
        vc_buffer_put_char(out, i < format->min_fraction ? '0' : '#');
}

void vc_xlsx_put_pattern(const vc_grid_measure *measure, bool has_letters, char letter,
                         vc_buffer *out)
{
    const vc_result_measure *what = measure->measure;
    if (measure->has_format) {
        bool has_percent = !measure->format.is_percent;
        put_literal(measure->format.prefix, &has_percent, out);
        put_digits(&measure->format, out);
        put_literal(measure->format.suffix, &has_percent, out);
    } else if (what->type == VC_VALUE_FLOAT) {
        vc_buffer_put_text(out, "General");
    } else {
        vc_buffer_put_text(out,
                           what->type == VC_VALUE_DECIMAL && what->scale > 0 ? "#,##0." : "#,##0");
        for (unsigned i = 0; what->type == VC_VALUE_DECIMAL && i < what->scale; i++)
            vc_buffer_put_char(out, '0');
    }
    /* A letter behind the number does not make it a text; numbers without one are moved by as
     * much, so that digits stand below digits. */
    if (letter != '\0')
        vc_buffer_printf(out, "\" %c\"", letter);
    else if (has_letters)
        vc_buffer_put_text(out, "_ _r");
}

enum { DIGITS = 15 };

/* From the first that is not zero to the last. */
static size_t count_digits(vc_str exact)
{
    size_t count = 0, significant = 0;
    for (size_t i = 0; i < exact.size; i++) {
        char byte = exact.data[i];
        if (byte < '0' || byte > '9' || (byte == '0' && count == 0)) continue;
        count++;
        if (byte != '0') significant = count;
    }
    return significant;
}

bool vc_xlsx_shows(vc_str exact, const vc_number_format *format)
{
    double number;
    char text[VC_NUMBER_TEXT];
    vc_buffer wanted = {0}, shown = {0};
    if (count_digits(exact) <= DIGITS) return true;
    if (format == NULL || vc_parse_double(exact, '.', &number) != VC_PARSE_OK) return false;
    snprintf(text, sizeof text, "%.*g", DIGITS, number);
    vc_number_format_put(format, exact, &wanted);
    vc_number_format_put(format, vc_str_of(text), &shown);
    bool is_same = !wanted.failed && !shown.failed &&
                   strcmp(vc_buffer_text(&wanted), vc_buffer_text(&shown)) == 0;
    vc_buffer_release(&wanted);
    vc_buffer_release(&shown);
    return is_same;
}

/* ---- looks ---- */

static void set_lines(lxw_format *format, bool is_total)
{
    format_set_bottom(format, LXW_BORDER_HAIR);
    format_set_bottom_color(format, 0xB8C4CE);
    if (!is_total) return;
    format_set_top(format, LXW_BORDER_THIN);
    format_set_top_color(format, 0x8796A5);
}

static void set_fill(lxw_format *format, uint32_t fill)
{
    format_set_bg_color(format, fill);
    format_set_font_color(format, vc_colour_of_ink(fill));
}

static void set_head(lxw_format *format, bool is_wide)
{
    format_set_bold(format);
    format_set_text_wrap(format);
    format_set_bg_color(format, 0xE6EBF0);
    format_set_bottom(format, LXW_BORDER_THIN);
    format_set_bottom_color(format, 0x52606D);
    format_set_align(format, LXW_ALIGN_VERTICAL_BOTTOM);
    format_set_align(format, is_wide ? LXW_ALIGN_CENTER : LXW_ALIGN_RIGHT);
}

static void set_cell(vc_xlsx *xlsx, lxw_format *format, const vc_xlsx_look *look)
{
    set_lines(format, look->is_total);
    if (look->is_total) {
        format_set_bold(format);
        format_set_bg_color(format, 0xF1F4F7);
    }
    if (look->is_text) format_set_align(format, LXW_ALIGN_RIGHT);
    if (look->fill != 0) set_fill(format, look->fill - 1);
    format_set_align(format, LXW_ALIGN_VERTICAL_TOP);
    if (look->measure == NULL) return;
    vc_buffer pattern = {0};
    vc_xlsx_put_pattern(look->measure, look->has_letters, look->letter, &pattern);
    /* libxlsxwriter has room for 127 bytes; what is longer would be cut within quotes. */
    if (pattern.size < LXW_FORMAT_FIELD_LEN)
        format_set_num_format(format, vc_buffer_text(&pattern));
    xlsx->is_failed |= pattern.failed;
    vc_buffer_release(&pattern);
}

static void set_row_head(lxw_format *format, const vc_xlsx_look *look)
{
    set_lines(format, look->is_total);
    format_set_align(format, LXW_ALIGN_LEFT);
    format_set_align(format, LXW_ALIGN_VERTICAL_TOP);
    format_set_text_wrap(format);
    if (look->indent > 0) format_set_indent(format, look->indent);
    if (look->is_marked) format_set_font_color(format, 0x52606D);
    if (!look->is_total) return;
    format_set_bold(format);
    format_set_bg_color(format, 0xF1F4F7);
}

static void set_words(lxw_format *format, const vc_xlsx_look *look)
{
    static const struct {
        double size;
        uint32_t colour;
        bool is_bold, is_wrapped;
    } words[] = {
        [VC_XLSX_TITLE] = {18, 0x1F2933, true, false},
        [VC_XLSX_SECTION] = {13, 0x1B4F8A, true, false},
        [VC_XLSX_TEXT] = {11, 0x1F2933, false, true},
        [VC_XLSX_NOTE] = {9, 0x52606D, false, false},
        [VC_XLSX_WARNING] = {11, 0xA61B1B, false, true},
        [VC_XLSX_VALUE] = {11, 0x1F2933, true, false},
        [VC_XLSX_LINK] = {11, 0x1B4F8A, false, false},
    };
    if (look->kind >= sizeof words / sizeof words[0] || words[look->kind].size <= 0) return;
    format_set_font_size(format, words[look->kind].size);
    format_set_font_color(format, words[look->kind].colour);
    if (words[look->kind].is_bold) format_set_bold(format);
    if (!words[look->kind].is_wrapped) return;
    format_set_text_wrap(format);
    format_set_align(format, LXW_ALIGN_VERTICAL_TOP);
}

static lxw_format *make_format(vc_xlsx *xlsx, const vc_xlsx_look *look)
{
    lxw_format *format = workbook_add_format(xlsx->book);
    if (format == NULL) return NULL;
    format_set_font_size(format, 10);
    switch (look->kind) {
    case VC_XLSX_CELL: set_cell(xlsx, format, look); break;
    case VC_XLSX_HEAD: set_head(format, false); break;
    case VC_XLSX_HEAD_WIDE: set_head(format, true); break;
    case VC_XLSX_CORNER:
        set_head(format, false);
        format_set_align(format, LXW_ALIGN_LEFT);
        break;
    case VC_XLSX_ROW_HEAD: set_row_head(format, look); break;
    case VC_XLSX_LABEL:
    case VC_XLSX_LABEL_RIGHT:
        format_set_bold(format);
        if (look->kind == VC_XLSX_LABEL_RIGHT) format_set_align(format, LXW_ALIGN_RIGHT);
        format_set_bottom(format, LXW_BORDER_THIN);
        format_set_bottom_color(format, 0x8796A5);
        break;
    case VC_XLSX_VALUE:
        set_words(format, look);
        format_set_align(format, LXW_ALIGN_RIGHT);
        break;
    case VC_XLSX_RIGHT: format_set_align(format, LXW_ALIGN_RIGHT); break;
    case VC_XLSX_INDENTED: format_set_indent(format, 1); break;
    case VC_XLSX_WRAPPED:
        format_set_text_wrap(format);
        format_set_align(format, LXW_ALIGN_VERTICAL_TOP);
        break;
    case VC_XLSX_COUNT: format_set_num_format(format, "#,##0"); break;
    case VC_XLSX_PERCENT: format_set_num_format(format, "0.0%"); break;
    case VC_XLSX_LINK:
        set_words(format, look);
        format_set_underline(format, LXW_UNDERLINE_SINGLE);
        break;
    default: set_words(format, look); break;
    }
    return format;
}

/* ---- each once ---- */

static bool is_same(const vc_xlsx_look *a, const vc_xlsx_look *b)
{
    return a->kind == b->kind && a->measure == b->measure && a->is_total == b->is_total &&
           a->is_marked == b->is_marked && a->is_text == b->is_text &&
           a->has_letters == b->has_letters && a->letter == b->letter && a->fill == b->fill &&
           a->indent == b->indent;
}

static size_t hash_of(const vc_xlsx_look *look)
{
    uint64_t words[3] = {(uint64_t)look->kind | (uint64_t)look->is_total << 8 |
                             (uint64_t)look->is_marked << 9 | (uint64_t)look->is_text << 10 |
                             (uint64_t)look->has_letters << 11 | (uint64_t)look->indent << 16 |
                             (uint64_t)(unsigned char)look->letter << 24,
                         look->fill, (uint64_t)(uintptr_t)look->measure};
    return (size_t)XXH3_64bits(words, sizeof words);
}

/* The place of a look, or the free one where it belongs. */
static vc_xlsx_format *find_place(vc_xlsx_format *formats, size_t capacity,
                                  const vc_xlsx_look *look)
{
    size_t at = hash_of(look) & (capacity - 1);
    while (formats[at].format != NULL && !is_same(&formats[at].look, look))
        at = (at + 1) & (capacity - 1);
    return &formats[at];
}

static bool grow(vc_xlsx *xlsx)
{
    size_t capacity = xlsx->formats_capacity > 0 ? 2 * xlsx->formats_capacity : 256;
    vc_xlsx_format *formats = calloc(capacity, sizeof *formats);
    if (formats == NULL) return false;
    for (size_t i = 0; i < xlsx->formats_capacity; i++)
        if (xlsx->formats[i].format != NULL)
            *find_place(formats, capacity, &xlsx->formats[i].look) = xlsx->formats[i];
    free(xlsx->formats);
    xlsx->formats = formats;
    xlsx->formats_capacity = capacity;
    return true;
}

lxw_format *vc_xlsx_format_of(vc_xlsx *xlsx, const vc_xlsx_look *look)
{
    if (2 * xlsx->nformats >= xlsx->formats_capacity && !grow(xlsx)) {
        xlsx->is_failed = true;
        return NULL;
    }
    vc_xlsx_format *place = find_place(xlsx->formats, xlsx->formats_capacity, look);
    if (place->format != NULL) return place->format;
    *place = (vc_xlsx_format){.look = *look, .format = make_format(xlsx, look)};
    if (place->format == NULL)
        xlsx->is_failed = true;
    else
        xlsx->nformats++;
    return place->format;
}

lxw_format *vc_xlsx_kind_of(vc_xlsx *xlsx, vc_xlsx_kind kind)
{
    return vc_xlsx_format_of(xlsx, &(vc_xlsx_look){.kind = kind});
}
