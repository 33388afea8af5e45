#include "mapping/keytext.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

static bool is_white_space(utf8proc_int32_t point)
{
    return (point >= 0x09 && point <= 0x0D) || point == 0x20 || point == 0x85 || point == 0xA0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 ||
           point == 0x2029 || point == 0x202F || point == 0x205F || point == 0x3000;
}

/* Bytes of the blank that starts at `at`; 0 when no blank does. */
static size_t blank_size(vc_str key, size_t at)
{
    unsigned char byte = (unsigned char)key.data[at];
    if (byte < 0x80) return is_white_space(byte) ? 1 : 0;
    utf8proc_int32_t point;
    utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)key.data + at,
                                             (utf8proc_ssize_t)(key.size - at), &point);
    return size > 0 && is_white_space(point) ? (size_t)size : 0;
}

vc_str vc_key_trim(vc_str key)
{
    size_t first = 0, end = key.size;
    for (size_t size; first < end && (size = blank_size(key, first)) > 0;)
        first += size;
    while (end > first) {
        size_t start = end - 1;
        while (start > first && ((unsigned char)key.data[start] & 0xC0) == 0x80)
            start--;
        size_t size = blank_size((vc_str){key.data, end}, start);
        if (size == 0 || start + size != end) break;
        end = start;
    }
    return (vc_str){key.data + first, end - first};
}

vc_str vc_key_collapse_space(vc_str key, vc_arena *arena)
{
    char *text = NULL; /* made at the first change */
    size_t used = 0;
    for (size_t at = 0; at < key.size;) {
        size_t run = 0;
        for (size_t size; at + run < key.size && (size = blank_size(key, at + run)) > 0;)
            run += size;
        if (text == NULL && run > 0 && (run > 1 || key.data[at] != ' ')) {
            text = vc_arena_alloc(arena, key.size);
            if (text == NULL) return (vc_str){NULL, 0};
            memcpy(text, key.data, at);
            used = at;
        }
        if (text != NULL) text[used++] = run > 0 ? ' ' : key.data[at];
        at += run > 0 ? run : 1;
    }
    return text == NULL ? key : (vc_str){text, used};
}

static bool is_ascii(vc_str key)
{
    for (size_t i = 0; i < key.size; i++)
        if ((unsigned char)key.data[i] >= 0x80) return false;
    return true;
}

/* Decompose and put together again with utf8proc, in the arena. */
static vc_str transform(vc_str key, utf8proc_option_t options, vc_arena *arena)
{
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)key.data;
    utf8proc_ssize_t size = (utf8proc_ssize_t)key.size;
    utf8proc_ssize_t npoints = utf8proc_decompose(bytes, size, NULL, 0, options);
    if (npoints < 0) return key;
    /* utf8proc_reencode writes the text over the points and a NUL behind it. */
    utf8proc_int32_t *points =
        vc_arena_alloc(arena, ((size_t)npoints + 1) * sizeof(utf8proc_int32_t));
    if (points == NULL) return (vc_str){NULL, 0};
    npoints = utf8proc_decompose(bytes, size, points, npoints, options);
    utf8proc_ssize_t text_bytes = utf8proc_reencode(points, npoints, options);
    if (text_bytes < 0) return key;
    return (vc_str){(const char *)points, (size_t)text_bytes};
}

vc_str vc_key_nfc(vc_str key, vc_arena *arena)
{
    if (is_ascii(key)) return key;
    return transform(key, UTF8PROC_COMPOSE | UTF8PROC_STABLE, arena);
}

vc_str vc_key_casefold(vc_str key, vc_arena *arena)
{
    if (!is_ascii(key)) return transform(key, UTF8PROC_CASEFOLD, arena);
    size_t first = 0;
    while (first < key.size && (key.data[first] < 'A' || key.data[first] > 'Z'))
        first++;
    if (first == key.size) return key;
    char *text = vc_arena_alloc(arena, key.size);
    if (text == NULL) return (vc_str){NULL, 0};
    for (size_t i = 0; i < key.size; i++) {
        char byte = key.data[i];
        text[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
    }
    return (vc_str){text, key.size};
}

size_t vc_key_ncharacters(vc_str key)
{
    size_t ncharacters = 0;
    for (size_t i = 0; i < key.size; i++)
        ncharacters += ((unsigned char)key.data[i] & 0xC0) != 0x80;
    return ncharacters;
}

vc_str vc_key_pad_left(vc_str key, size_t width, vc_str fill, vc_arena *arena)
{
    size_t ncharacters = vc_key_ncharacters(key);
    if (ncharacters >= width) return key;
    size_t npads = width - ncharacters;
    char *text = vc_arena_alloc(arena, npads * fill.size + key.size);
    if (text == NULL) return (vc_str){NULL, 0};
    for (size_t i = 0; i < npads; i++)
        memcpy(text + i * fill.size, fill.data, fill.size);
    memcpy(text + npads * fill.size, key.data, key.size);
    return (vc_str){text, npads * fill.size + key.size};
}
