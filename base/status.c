#include "base/status.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text that was cut must not end inside a character, because it becomes JSON later. */
static void trim_cut_utf8(char *text)
{
    size_t size = strlen(text);
    size_t lead = size;
    while (lead > 0 && size - lead < 4 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
        lead--;
    if (lead == 0) return;
    unsigned char byte = (unsigned char)text[lead - 1];
    size_t need = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    if (size - (lead - 1) < need) text[lead - 1] = '\0';
}

static void copy_cut(char *to, size_t capacity, const char *from, size_t size)
{
    bool is_cut = size >= capacity;
    if (is_cut) size = capacity - 1;
    memcpy(to, from, size);
    to[size] = '\0';
    if (is_cut) trim_cut_utf8(to);
}

/* What a message repeats of data or of a request may be cut inside a character, or be no UTF-8. */
static void replace_invalid(char *text)
{
    size_t size = strlen(text), at = 0, bad;
    while (!vc_utf8_check((vc_str){text + at, size - at}, &bad)) {
        at += bad;
        text[at++] = '?';
    }
}

static void print_cut(char *to, size_t capacity, const char *format, va_list arguments)
{
    int size = vsnprintf(to, capacity, format, arguments);
    if (size < 0)
        to[0] = '\0';
    else if ((size_t)size >= capacity)
        trim_cut_utf8(to);
    replace_invalid(to);
}

vc_status vc_fail(vc_error *error, vc_status status, const char *code, const char *format, ...)
{
    if (error == NULL) return status;
    /* The arguments may point into this very error (its message, a candidate), so print first. */
    char message[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    print_cut(message, sizeof message, format, arguments);
    va_end(arguments);
    *error = (vc_error){.status = status, .code = code};
    memcpy(error->message, message, strlen(message) + 1);
    return status;
}

vc_status vc_no_memory(vc_error *error)
{
    return vc_fail(error, VC_NO_MEMORY, "no_memory", "out of memory");
}

void vc_error_at_file(vc_error *error, const char *file, unsigned line, unsigned column)
{
    if (error == NULL) return;
    if (file != NULL) copy_cut(error->file, sizeof error->file, file, strlen(file));
    error->line = line;
    error->column = column;
}

void vc_error_at_pointer(vc_error *error, const char *format, ...)
{
    if (error == NULL) return;
    va_list arguments;
    va_start(arguments, format);
    print_cut(error->pointer, sizeof error->pointer, format, arguments);
    va_end(arguments);
}

void vc_error_at_offset(vc_error *error, const char *parameter, size_t offset)
{
    if (error == NULL) return;
    copy_cut(error->pointer, sizeof error->pointer, parameter, strlen(parameter));
    error->offset = (long)offset;
    error->has_offset = true;
}

void vc_error_prefix_pointer(vc_error *error, const char *format, ...)
{
    if (error == NULL) return;
    char prefix[sizeof error->pointer], joined[2 * sizeof error->pointer];
    va_list arguments;
    va_start(arguments, format);
    print_cut(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    snprintf(joined, sizeof joined, "%s%s", prefix, error->pointer);
    copy_cut(error->pointer, sizeof error->pointer, joined, strlen(joined));
}

void vc_error_add_candidate(vc_error *error, const char *data, size_t size)
{
    if (error == NULL || error->ncandidates == VC_ERROR_CANDIDATES || data == NULL) return;
    copy_cut(error->candidates[error->ncandidates++], sizeof error->candidates[0], data, size);
}

/* Append to a text of fixed room; *used never passes size - 1. */
__attribute__((format(printf, 4, 5))) static void append(char *text, size_t size, size_t *used,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text + *used, size - *used, format, arguments);
    va_end(arguments);
    if (n > 0) *used = (size_t)n < size - *used ? *used + (size_t)n : size - 1;
}

char *vc_error_format(const vc_error *error, char *text, size_t size)
{
    if (size == 0) return text;
    size_t used = 0;
    text[0] = '\0';
    if (error->file[0] != '\0') {
        append(text, size, &used, "%s:", error->file);
        if (error->line != 0) append(text, size, &used, "%u:", error->line);
        if (error->line != 0 && error->column != 0) append(text, size, &used, "%u:", error->column);
        append(text, size, &used, " ");
    } else if (error->line != 0) {
        append(text, size, &used, "line %u, column %u: ", error->line, error->column);
    }
    if (error->pointer[0] != '\0' && error->has_offset)
        append(text, size, &used, "%s, byte %ld: ", error->pointer, error->offset);
    else if (error->pointer[0] != '\0')
        append(text, size, &used, "%s: ", error->pointer);
    append(text, size, &used, "%s", error->message);
    for (unsigned i = 0; i < error->ncandidates; i++)
        append(text, size, &used, "%s'%s'", i == 0 ? " (did you mean " : ", ",
               error->candidates[i]);
    if (error->ncandidates > 0) append(text, size, &used, "?)");
    if (used == size - 1) trim_cut_utf8(text);
    return text;
}
