#include "cube/text_scan.h"

#include <string.h>

bool vc_scan_is_end(const vc_scan *scan)
{
    return scan->at == scan->source.text.size;
}

char vc_scan_peek(const vc_scan *scan)
{
    return vc_scan_is_end(scan) ? '\0' : scan->source.text.data[scan->at];
}

bool vc_scan_take(vc_scan *scan, char byte)
{
    if (vc_scan_is_end(scan) || scan->source.text.data[scan->at] != byte) return false;
    scan->at++;
    return true;
}

bool vc_scan_take_text(vc_scan *scan, const char *text)
{
    size_t size = strlen(text);
    if (scan->source.text.size - scan->at < size) return false;
    if (memcmp(scan->source.text.data + scan->at, text, size) != 0) return false;
    scan->at += size;
    return true;
}

static bool is_stop(char byte, const char *stops)
{
    return byte != '\0' && strchr(stops, byte) != NULL;
}

vc_status vc_scan_word(vc_scan *scan, const char *stops, vc_str *word_out)
{
    vc_str text = scan->source.text;
    size_t end = scan->at;
    while (end < text.size && !is_stop(text.data[end], stops))
        end += text.data[end] == '\\' ? 2 : 1;
    if (end > text.size) return vc_scan_fail(scan, text.size, "a character behind the '\\'");
    char *word = vc_arena_alloc(scan->arena, end - scan->at + 1);
    if (word == NULL) return vc_no_memory(scan->error);
    size_t size = 0;
    for (; scan->at < end; scan->at++) {
        if (text.data[scan->at] == '\\') scan->at++;
        word[size++] = text.data[scan->at];
    }
    word[size] = '\0';
    *word_out = (vc_str){.data = word, .size = size};
    return VC_OK;
}

vc_status vc_scan_name(vc_scan *scan, const char *stops, const char *what, vc_str *word_out)
{
    size_t first = scan->at;
    vc_status status = vc_scan_word(scan, stops, word_out);
    if (status != VC_OK) return status;
    return word_out->size > 0 ? VC_OK : vc_scan_fail(scan, first, what);
}

vc_place vc_scan_place(const vc_scan *scan, size_t at)
{
    return (vc_place){.where = scan->source.where, .offset = scan->source.base + at};
}

/* The whole character at an offset, for a message. */
static vc_str character_at(vc_str text, size_t at)
{
    size_t end = at + 1;
    while (end < text.size && ((unsigned char)text.data[end] & 0xC0) == 0x80)
        end++;
    return (vc_str){.data = text.data + at, .size = end - at};
}

vc_status vc_scan_fail(const vc_scan *scan, size_t at, const char *expected)
{
    if (at < scan->source.text.size)
        vc_fail(scan->error, VC_BAD_INPUT, "syntax", "found '%.*s', expected %s",
                VC_FMT(character_at(scan->source.text, at)), expected);
    else
        vc_fail(scan->error, VC_BAD_INPUT, "syntax", "found the end of the text, expected %s",
                expected);
    return vc_error_at_place(scan->error, VC_BAD_INPUT, vc_scan_place(scan, at));
}
