#include "base/buffer.h"

#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void vc_buffer_release(vc_buffer *buffer)
{
    free(buffer->data);
    *buffer = (vc_buffer){0};
}

void vc_buffer_clear(vc_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

bool vc_buffer_reserve(vc_buffer *buffer, size_t size)
{
    if (buffer->failed) return false;
    if (size <= buffer->capacity - buffer->size) return true;
    size_t need, capacity = buffer->capacity < 128 ? 128 : buffer->capacity;
    if (__builtin_add_overflow(buffer->size, size, &need) || need > PTRDIFF_MAX / 2) {
        buffer->failed = true;
        return false;
    }
    while (capacity < need)
        capacity *= 2;
    char *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void vc_buffer_put(vc_buffer *buffer, const void *data, size_t size)
{
    if (size == 0 || !vc_buffer_reserve(buffer, size)) return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void vc_buffer_put_char(vc_buffer *buffer, char byte)
{
    if (vc_buffer_reserve(buffer, 1)) buffer->data[buffer->size++] = byte;
}

void vc_buffer_put_str(vc_buffer *buffer, vc_str text)
{
    vc_buffer_put(buffer, text.data, text.size);
}

void vc_buffer_put_text(vc_buffer *buffer, const char *text)
{
    vc_buffer_put(buffer, text, strlen(text));
}

void vc_buffer_printf(vc_buffer *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    if (size < 0)
        buffer->failed = true;
    else if (vc_buffer_reserve(buffer, (size_t)size + 1)) {
        vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
    va_end(arguments);
}

void vc_buffer_put_int(vc_buffer *buffer, int64_t value)
{
    if (vc_buffer_reserve(buffer, VC_NUMBER_TEXT))
        buffer->size += vc_format_int(buffer->data + buffer->size, value);
}

void vc_buffer_put_double(vc_buffer *buffer, double value)
{
    if (vc_buffer_reserve(buffer, VC_NUMBER_TEXT))
        buffer->size += vc_format_double(buffer->data + buffer->size, value);
}

/* Write one byte that cannot stand in a JSON string as it is. */
static void put_escape(vc_buffer *buffer, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    char escape[] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
    char letter = byte == '"' || byte == '\\' ? (char)byte
                  : byte == '\n'              ? 'n'
                  : byte == '\r'              ? 'r'
                  : byte == '\t'              ? 't'
                                              : '\0';
    if (letter != '\0') {
        escape[1] = letter;
        vc_buffer_put(buffer, escape, 2);
    } else {
        vc_buffer_put(buffer, escape, sizeof escape);
    }
}

static bool must_escape(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

/* The next byte from `at` on that cannot stand as it is; the size when there is none. */
static size_t find_escape(vc_str text, size_t at)
{
    for (; text.size - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word = vc_bytes_load(text.data + at);
        uint64_t mask =
            vc_bytes_below(word, 0x20) | vc_bytes_equal(word, '"') | vc_bytes_equal(word, '\\');
        if (mask != 0) return at + vc_bytes_first(mask);
    }
    while (at < text.size && !must_escape((unsigned char)text.data[at]))
        at++;
    return at;
}

void vc_buffer_put_json(vc_buffer *buffer, vc_str text)
{
    if (vc_str_is_null(text)) {
        vc_buffer_put(buffer, "null", 4);
        return;
    }
    vc_buffer_put_char(buffer, '"');
    for (size_t first = 0;;) {
        size_t end = find_escape(text, first);
        vc_buffer_put(buffer, text.data + first, end - first);
        if (end == text.size) break;
        put_escape(buffer, (unsigned char)text.data[end]);
        first = end + 1;
    }
    vc_buffer_put_char(buffer, '"');
}

const char *vc_buffer_text(vc_buffer *buffer)
{
    if (!vc_buffer_reserve(buffer, 1)) return "";
    buffer->data[buffer->size] = '\0';
    return buffer->data;
}
