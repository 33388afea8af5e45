#include "report/xlsx_parts.h"

#include "base/fold.h"

#include <string.h>

/* Bytes of the character that begins here; *is_wide: it is two units of UTF-16. */
static size_t size_of_character(const char *at, bool *is_wide)
{
    unsigned char byte = (unsigned char)*at;
    *is_wide = byte >= 0xF0;
    return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/* U+FFFE and U+FFFF are no characters of XML. */
static bool is_no_character(const char *at, size_t size)
{
    return size == 3 && memcmp(at, "\xEF\xBF", 2) == 0 && (unsigned char)at[2] >= 0xBE;
}

static bool is_hex(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F') ||
           (byte >= 'a' && byte <= 'f');
}

/* "_x0041_" is how a workbook writes characters that XML cannot have: a text that looks like it
 * would be read as another. */
static bool looks_escaped(const char *at, const char *end)
{
    if (end - at < 7 || at[0] != '_' || at[1] != 'x' || at[6] != '_') return false;
    return is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5]);
}

static void put_clean(vc_buffer *out, vc_str text, bool has_lines, bool is_cell)
{
    size_t units = 0;
    const char *at = text.data, *end = text.data + text.size;
    while (at < end) {
        bool is_wide;
        size_t size = size_of_character(at, &is_wide);
        if ((units += 1 + is_wide) > VC_XLSX_MAX_TEXT - 8) break;
        if (is_cell && looks_escaped(at, end)) vc_buffer_put_text(out, "_x005F"), units += 6;
        if ((unsigned char)*at < 0x20 || *at == 0x7F) {
            bool is_line = *at == '\n';
            if (is_line && has_lines)
                vc_buffer_put_char(out, '\n');
            else if (is_line || *at == '\t')
                vc_buffer_put_char(out, ' ');
        } else if (!is_no_character(at, size)) {
            vc_buffer_put(out, at, size);
        }
        at += size;
    }
}

const char *vc_xlsx_clean(vc_xlsx *xlsx, vc_str text, bool has_lines)
{
    vc_buffer_clear(&xlsx->text);
    put_clean(&xlsx->text, text, has_lines, true);
    return vc_buffer_text(&xlsx->text);
}

char *vc_xlsx_name(vc_xlsx *xlsx, vc_str text)
{
    enum { MAX_NAME = 200 };
    vc_buffer clean = {0};
    if (text.size > 0 && text.data[0] == '=') vc_buffer_put_char(&clean, ' ');
    put_clean(&clean, vc_utf8_cut(text, MAX_NAME), false, false);
    vc_str name = {.data = vc_buffer_text(&clean), .size = clean.size};
    vc_str copy = vc_arena_str(&xlsx->arena, name);
    xlsx->is_failed |= clean.failed || copy.data == NULL;
    vc_buffer_release(&clean);
    return (char *)copy.data; /* libxlsxwriter's options are not const */
}

/* ---- names of sheets ---- */

/* Characters up to `units` of UTF-16. */
static vc_str cut_units(vc_str text, size_t units)
{
    size_t at = 0;
    while (at < text.size) {
        bool is_wide;
        size_t size = size_of_character(text.data + at, &is_wide);
        if (units < 1u + is_wide) break;
        units -= 1u + is_wide;
        at += size;
    }
    return vc_str_trim((vc_str){.data = text.data, .size = at});
}

static void put_sheet_characters(vc_buffer *out, vc_str title)
{
    for (const char *at = title.data, *end = at + title.size; at < end;) {
        bool is_wide;
        size_t size = size_of_character(at, &is_wide);
        if ((unsigned char)*at < 0x20 || *at == 0x7F || is_no_character(at, size) ||
            strchr("[]:*?/\\", *at) != NULL) {
            if (out->size > 0 && out->data[out->size - 1] != ' ') vc_buffer_put_char(out, ' ');
        } else if (*at == '\'') {
            vc_buffer_put_text(out, "\xE2\x80\x99"); /* ’ needs no quotes in formulas */
        } else {
            vc_buffer_put(out, at, size);
        }
        at += size;
    }
}

static bool is_same_name(const char *a, vc_str b)
{
    vc_buffer one = {0}, other = {0};
    vc_fold_put(&one, vc_str_of(a));
    vc_fold_put(&other, b);
    bool is_same =
        one.size == other.size && (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
    vc_buffer_release(&one);
    vc_buffer_release(&other);
    return is_same;
}

static bool is_taken(const vc_xlsx *xlsx, vc_str name)
{
    /* "History" is a name that Excel keeps for itself. */
    if (is_same_name("Report", name) || is_same_name("History", name)) return true;
    for (size_t i = 0; i < xlsx->document->nsections; i++)
        if (xlsx->sheets[i].name[0] != '\0' && is_same_name(xlsx->sheets[i].name, name))
            return true;
    return false;
}

void vc_xlsx_name_sheet(vc_xlsx *xlsx, const vc_section *section, size_t number,
                        char name_out[VC_XLSX_SHEET_NAME])
{
    enum { MAX_UNITS = 31, MAX_SUFFIX = 8 };
    vc_buffer clean = {0};
    char suffix[32] = "";
    put_sheet_characters(&clean, section->title.size > 0 ? section->title : section->id);
    vc_str whole = vc_str_trim((vc_str){.data = clean.data, .size = clean.size});
    if (whole.size == 0) {
        vc_buffer_clear(&clean);
        vc_buffer_printf(&clean, "Section %zu", number);
        whole = (vc_str){.data = clean.data, .size = clean.size};
    }
    xlsx->is_failed |= clean.failed;
    for (unsigned again = 2;; again++) {
        vc_str cut = clean.failed ? VC_STR("x") : cut_units(whole, MAX_UNITS - strlen(suffix));
        snprintf(name_out, VC_XLSX_SHEET_NAME, "%.*s%s", VC_FMT(cut), suffix);
        if (!is_taken(xlsx, vc_str_of(name_out))) break;
        snprintf(suffix, sizeof suffix, " %u", again);
    }
    vc_buffer_release(&clean);
}

void vc_xlsx_put(vc_xlsx *xlsx, lxw_worksheet *sheet, size_t row, size_t column, vc_str text,
                 lxw_format *format)
{
    const char *clean = vc_xlsx_clean(xlsx, text, false);
    if (clean[0] == '\0')
        worksheet_write_blank(sheet, (lxw_row_t)row, (lxw_col_t)column, format);
    else
        worksheet_write_string(sheet, (lxw_row_t)row, (lxw_col_t)column, clean, format);
}
