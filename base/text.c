#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

vc_str vc_str_of(const char *text)
{
    return text == NULL ? (vc_str){0} : (vc_str){.data = text, .size = strlen(text)};
}

bool vc_str_is_null(vc_str text)
{
    return text.data == NULL;
}

bool vc_str_equal(vc_str a, vc_str b)
{
    if (vc_str_is_null(a) || vc_str_is_null(b)) return vc_str_is_null(a) && vc_str_is_null(b);
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

bool vc_str_is(vc_str a, const char *text)
{
    return vc_str_equal(a, vc_str_of(text));
}

int vc_str_compare(vc_str a, vc_str b)
{
    if (vc_str_is_null(a) || vc_str_is_null(b)) return vc_str_is_null(a) - vc_str_is_null(b);
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

bool vc_str_starts_with(vc_str text, vc_str prefix)
{
    if (prefix.size == 0) return true;
    return text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0;
}

bool vc_str_ends_with(vc_str text, vc_str suffix)
{
    if (suffix.size == 0) return true;
    return text.size >= suffix.size &&
           memcmp(text.data + (text.size - suffix.size), suffix.data, suffix.size) == 0;
}

bool vc_str_contains(vc_str text, vc_str part)
{
    if (part.size == 0) return true;
    return text.size >= part.size && memmem(text.data, text.size, part.data, part.size) != NULL;
}

vc_str vc_str_trim(vc_str text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

vc_str vc_str_split(vc_str *rest, char separator)
{
    vc_str part = *rest;
    const char *cut = part.size == 0 ? NULL : memchr(part.data, separator, part.size);
    if (cut == NULL) {
        *rest = (vc_str){0};
        return part;
    }
    part.size = (size_t)(cut - part.data);
    rest->data = cut + 1;
    rest->size -= part.size + 1;
    return part;
}

/* Bytes of the well-formed character at the start of text (RFC 3629, table in section 4), 0 when
 * there is none. */
static size_t character_size(const unsigned char *text, size_t size)
{
    unsigned char lead = text[0];
    if (lead < 0x80) return 1;
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || size < need) return 0;
    for (size_t i = 1; i < need; i++)
        if ((text[i] & 0xC0) != 0x80) return 0;
    bool is_overlong = (lead == 0xE0 && text[1] < 0xA0) || (lead == 0xF0 && text[1] < 0x90);
    bool is_surrogate = lead == 0xED && text[1] > 0x9F;
    bool is_beyond = lead == 0xF4 && text[1] > 0x8F;
    return is_overlong || is_surrogate || is_beyond ? 0 : need;
}

bool vc_utf8_check(vc_str text, size_t *bad_offset)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t at = 0;
    while (at < text.size) {
        /* Eight bytes of ASCII at a time: most text is nothing else. */
        uint64_t word;
        while (text.size - at >= sizeof word) {
            memcpy(&word, bytes + at, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) != 0) break;
            at += sizeof word;
        }
        if (at == text.size) break;
        size_t size = character_size(bytes + at, text.size - at);
        if (size == 0) {
            if (bad_offset != NULL) *bad_offset = at;
            return false;
        }
        at += size;
    }
    return true;
}

size_t vc_utf8_columns(vc_str text)
{
    size_t columns = 0;
    for (size_t at = 0; at < text.size;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
                                                 (utf8proc_ssize_t)(text.size - at), &point);
        if (size <= 0) { /* not text: a terminal shows one replacement character */
            columns++;
            at++;
            continue;
        }
        int width = utf8proc_charwidth(point);
        columns += width > 0 ? (size_t)width : 0;
        at += (size_t)size;
    }
    return columns;
}

vc_str vc_utf8_cut(vc_str text, size_t width)
{
    size_t end = 0;
    for (size_t next = 0; next < text.size; end = next) {
        for (next++; next < text.size && ((unsigned char)text.data[next] & 0xC0) == 0x80;)
            next++;
        if (vc_utf8_columns((vc_str){.data = text.data, .size = next}) > width) break;
    }
    return (vc_str){.data = text.data, .size = end};
}

static unsigned char lower(char byte)
{
    return (unsigned char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
}

static bool equal_ignoring_case(vc_str a, vc_str b)
{
    for (size_t i = 0; i < a.size; i++)
        if (lower(a.data[i]) != lower(b.data[i])) return false;
    return true;
}

/* Optimal string alignment (a Damerau-Levenshtein distance in which no part is edited twice), with
 * three rows of the table. */
unsigned vc_str_distance(vc_str a, vc_str b, unsigned limit)
{
    enum { LONGEST = 255 };
    size_t difference = a.size > b.size ? a.size - b.size : b.size - a.size;
    if (difference > limit) return limit + 1;
    if (a.size == b.size && equal_ignoring_case(a, b)) return 0;
    if (a.size > LONGEST || b.size > LONGEST) return limit + 1;
    unsigned rows[3][LONGEST + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b.size; j++)
        above[j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        unsigned least = row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.size; j++) {
            unsigned char x = lower(a.data[i - 1]), y = lower(b.data[j - 1]);
            unsigned best = above[j - 1] + (x != y);
            if (above[j] + 1 < best) best = above[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            if (i > 1 && j > 1 && x == lower(b.data[j - 2]) && lower(a.data[i - 2]) == y &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
            least = best < least ? best : least;
        }
        if (least > limit) return limit + 1;
        unsigned *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b.size] > limit ? limit + 1 : above[b.size];
}

char *vc_str_dup(vc_str text)
{
    char *copy = text.size == SIZE_MAX ? NULL : malloc(text.size + 1);
    if (copy == NULL) return NULL;
    if (text.size > 0) memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}
