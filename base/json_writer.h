/* JSON written straight into a buffer, for the answers that are not query results.
 *
 *     vc_json_writer json = {.out = &buffer};
 *     vc_json_begin(&json, NULL, '{');
 *     vc_json_put_str(&json, "name", cube->name);
 *     vc_json_end(&json, '}');
 *
 * `key` is the key inside an object (plain ASCII without anything to escape) and NULL inside an
 * array. Out of memory is remembered by the buffer.
 */
#ifndef BASE_JSON_WRITER_H
#define BASE_JSON_WRITER_H

#include "base/buffer.h"

typedef struct vc_json_writer {
    vc_buffer *out;
    bool has_before; /* something stands before in this object or array: a comma is due */
} vc_json_writer;

void vc_json_begin(vc_json_writer *json, const char *key, char bracket);  /* '{' or '[' */
void vc_json_end(vc_json_writer *json, char bracket);                     /* '}' or ']' */
void vc_json_put_str(vc_json_writer *json, const char *key, vc_str text); /* absent: null */
void vc_json_put_text(vc_json_writer *json, const char *key, const char *text);
void vc_json_put_uint(vc_json_writer *json, const char *key, uint64_t value);
void vc_json_put_bool(vc_json_writer *json, const char *key, bool value);
void vc_json_put_double(vc_json_writer *json, const char *key, double value);
void vc_json_put_null(vc_json_writer *json, const char *key);

/* A string, but nothing at all when the text is absent or empty. */
void vc_json_put_given(vc_json_writer *json, const char *key, vc_str text);

/* The comma and the key, for a value that the caller writes to `out` by itself. */
void vc_json_put_key(vc_json_writer *json, const char *key);

#endif
