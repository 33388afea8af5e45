/* A growing run of bytes on the heap, to write text into.
 *
 * Out of memory is remembered (`failed`) and everything after it is ignored, so that a writer
 * checks once, at its end.
 * Threads: one thread at a time.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vc_buffer {
    char *data; /* NULL while empty; not ended with NUL unless vc_buffer_text was called */
    size_t size;
    size_t capacity;
    bool failed;
} vc_buffer;

void vc_buffer_release(vc_buffer *buffer); /* frees; the buffer is empty and usable again */
void vc_buffer_clear(vc_buffer *buffer);   /* keeps the memory */

/* Room for `size` more bytes. False when out of memory. */
bool vc_buffer_reserve(vc_buffer *buffer, size_t size);

void vc_buffer_put(vc_buffer *buffer, const void *data, size_t size);
void vc_buffer_put_char(vc_buffer *buffer, char byte);
void vc_buffer_put_str(vc_buffer *buffer, vc_str text);
void vc_buffer_put_text(vc_buffer *buffer, const char *text); /* NUL-terminated */
void vc_buffer_printf(vc_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void vc_buffer_put_int(vc_buffer *buffer, int64_t value);
void vc_buffer_put_double(vc_buffer *buffer, double value); /* vc_format_double */

/* A JSON string with its quotes; an absent text is written as null. */
void vc_buffer_put_json(vc_buffer *buffer, vc_str text);

/* The contents ended with NUL (not counted in size), or "" when out of memory. */
const char *vc_buffer_text(vc_buffer *buffer);

#endif
