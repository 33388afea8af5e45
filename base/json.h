/* JSON through jansson, with the place of every error.
 *
 * jansson does not keep where a value stood. A reader of ours reports an error with the JSON
 * pointer of the value; vc_json_locate finds that pointer in the text again, only when there is an
 * error to report, so the good path pays nothing.
 * Threads: pure; call vc_json_setup once before threads start.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"

#include <jansson.h>

/* Seed jansson's hashing, once, before threads start. */
void vc_json_setup(void);

/* Parse a whole text: duplicate keys, trailing text, bad UTF-8, U+0000 and nesting deeper than
 * `max_depth` (0: 64) are refused. On error: VC_BAD_INPUT, code "json", line and column, and `file`
 * if it is not NULL. The caller owns *json_out. */
vc_status vc_json_parse(vc_str text, const char *file, unsigned max_depth, json_t **json_out,
                        vc_error *error);

/* Find the line and column (1-based, in bytes) of the value that a JSON pointer names. When the
 * pointer leads nowhere, the place of its longest existing prefix. text must be valid JSON. */
void vc_json_locate(vc_str text, const char *pointer, unsigned *line_out, unsigned *column_out);

/* The text of a JSON string, viewed (lives as long as the json); absent when it is no string. */
vc_str vc_json_str(const json_t *json);

/* A JSON scalar as canonical text in the arena: a string as it is, 4 as "4", 2.50 as "2.5", true as
 * "true"; null, arrays and objects are absent. */
vc_str vc_json_scalar_text(vc_arena *arena, const json_t *json);

/* Refuse the first key of `object` that is not in `known` (ends with NULL): VC_BAD_INPUT, code
 * "unknown_field", the pointer at the key (the caller prefixes the path of the object), nearest
 * known ones as candidates. */
vc_status vc_json_check_keys(const json_t *object, const char *const *known, vc_error *error);

/* The type of a value for messages: "a string", "an object", "null", ... */
const char *vc_json_type_name(const json_t *json);

#endif
