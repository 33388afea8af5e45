#include "cube/encoding.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    vc_charset encoding;
} names[] = {
    {"utf-8", VC_ENCODING_UTF8},          {"utf8", VC_ENCODING_UTF8},
    {"latin1", VC_ENCODING_LATIN1},       {"latin-1", VC_ENCODING_LATIN1},
    {"iso-8859-1", VC_ENCODING_LATIN1},   {"windows-1252", VC_ENCODING_WINDOWS_1252},
    {"cp1252", VC_ENCODING_WINDOWS_1252}, {"utf-16", VC_ENCODING_UTF16LE},
    {"utf-16le", VC_ENCODING_UTF16LE},    {"utf-16be", VC_ENCODING_UTF16BE},
};

/* What windows-1252 has in place of the C1 controls (WHATWG Encoding, index windows-1252). */
static const uint16_t windows_1252_c1[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

vc_status vc_encoding_parse(vc_str name, vc_charset *encoding_out, vc_error *error)
{
    size_t nnames = sizeof names / sizeof names[0];
    for (size_t i = 0; i < nnames; i++) {
        if (name.size == strlen(names[i].name) &&
            strncasecmp(name.data, names[i].name, name.size) == 0) {
            *encoding_out = names[i].encoding;
            return VC_OK;
        }
    }
    vc_fail(error, VC_BAD_INPUT, "unknown_encoding",
            "no encoding named '%.*s', expected utf-8, latin1, windows-1252 or utf-16",
            VC_FMT(name));
    for (size_t i = 0; i < nnames; i++) {
        if (vc_str_distance(name, vc_str_of(names[i].name), 3) <= 3)
            vc_error_add_candidate(error, names[i].name, strlen(names[i].name));
    }
    return VC_BAD_INPUT;
}

vc_charset vc_encoding_detect(vc_str head, vc_charset declared, size_t *mark_bytes_out)
{
    static const struct {
        vc_str mark;
        vc_charset encoding;
    } marks[] = {
        {{"\xEF\xBB\xBF", 3}, VC_ENCODING_UTF8},
        {{"\xFF\xFE", 2}, VC_ENCODING_UTF16LE},
        {{"\xFE\xFF", 2}, VC_ENCODING_UTF16BE},
    };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (vc_str_starts_with(head, marks[i].mark)) {
            *mark_bytes_out = marks[i].mark.size;
            return marks[i].encoding;
        }
    }
    *mark_bytes_out = 0;
    return declared;
}

/* Surrogates are written like any other code point: three bytes that no UTF-8 check accepts. */
static size_t put_code_point(uint32_t point, char *utf8)
{
    unsigned char *bytes = (unsigned char *)utf8;
    if (point < 0x80) {
        bytes[0] = (unsigned char)point;
        return 1;
    }
    if (point < 0x800) {
        bytes[0] = (unsigned char)(0xC0 | point >> 6);
        bytes[1] = (unsigned char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        bytes[0] = (unsigned char)(0xE0 | point >> 12);
        bytes[1] = (unsigned char)(0x80 | (point >> 6 & 0x3F));
        bytes[2] = (unsigned char)(0x80 | (point & 0x3F));
        return 3;
    }
    bytes[0] = (unsigned char)(0xF0 | point >> 18);
    bytes[1] = (unsigned char)(0x80 | (point >> 12 & 0x3F));
    bytes[2] = (unsigned char)(0x80 | (point >> 6 & 0x3F));
    bytes[3] = (unsigned char)(0x80 | (point & 0x3F));
    return 4;
}

static size_t convert_bytes(vc_charset encoding, vc_str text, size_t *used_out, char *utf8,
                            size_t capacity)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t used = 0, size = 0;
    for (; used < text.size && capacity - size >= VC_ENCODING_UNIT_BYTES; used++) {
        uint32_t point = bytes[used];
        if (encoding == VC_ENCODING_WINDOWS_1252 && point >= 0x80 && point < 0xA0)
            point = windows_1252_c1[point - 0x80];
        size += put_code_point(point, utf8 + size);
    }
    *used_out = used;
    return size;
}

static uint32_t utf16_unit(const unsigned char *bytes, bool is_big_endian)
{
    return is_big_endian ? (uint32_t)bytes[0] << 8 | bytes[1] : (uint32_t)bytes[1] << 8 | bytes[0];
}

static size_t convert_utf16(bool is_big_endian, vc_str text, bool is_last, size_t *used_out,
                            char *utf8, size_t capacity)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t used = 0, size = 0;
    while (text.size - used >= 2 && capacity - size >= VC_ENCODING_UNIT_BYTES) {
        uint32_t point = utf16_unit(bytes + used, is_big_endian);
        size_t taken = 2;
        if (point >= 0xD800 && point < 0xDC00) {
            if (text.size - used < 4 && !is_last) break;
            uint32_t low = text.size - used < 4 ? 0 : utf16_unit(bytes + used + 2, is_big_endian);
            if (low >= 0xDC00 && low < 0xE000) {
                point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
                taken = 4;
            }
        }
        size += put_code_point(point, utf8 + size);
        used += taken;
    }
    if (is_last && text.size - used == 1 && size < capacity) {
        utf8[size++] = (char)0xFF; /* half a unit: 0xFF never occurs in UTF-8 */
        used++;
    }
    *used_out = used;
    return size;
}

size_t vc_encoding_convert(vc_charset encoding, vc_str text, bool is_last, size_t *used_out,
                           char *utf8, size_t capacity)
{
    assert(encoding != VC_ENCODING_UTF8);
    assert(capacity >= VC_ENCODING_UNIT_BYTES);
    if (encoding == VC_ENCODING_LATIN1 || encoding == VC_ENCODING_WINDOWS_1252)
        return convert_bytes(encoding, text, used_out, utf8, capacity);
    return convert_utf16(encoding == VC_ENCODING_UTF16BE, text, is_last, used_out, utf8, capacity);
}
