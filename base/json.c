#include "base/json.h"

#include "base/nearest.h"

#include <string.h>

enum { DEFAULT_DEPTH = 64 };

void vc_json_setup(void)
{
    json_object_seed(0);
}

static bool has_byte_order_mark(vc_str text)
{
    return vc_str_starts_with(text, VC_STR("\xEF\xBB\xBF"));
}

/* 1-based line and column of a byte; the column counts bytes. */
static void place_of(vc_str text, size_t offset, unsigned *line_out, unsigned *column_out)
{
    unsigned line = 1;
    size_t line_start = 0;
    for (size_t i = 0; i < offset && i < text.size; i++)
        if (text.data[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    *line_out = line;
    *column_out = (unsigned)(offset - line_start) + 1;
}

static vc_status fail_at(vc_error *error, vc_str text, const char *file, size_t offset,
                         const char *message)
{
    unsigned line, column;
    place_of(text, offset, &line, &column);
    vc_fail(error, VC_BAD_INPUT, "json", "%s", message);
    vc_error_at_file(error, file, line, column);
    return VC_BAD_INPUT;
}

/* Offset of the bracket that goes too deep, or text.size. It need not be right about broken texts:
 * those are refused by the parser. */
static size_t find_too_deep(vc_str text, unsigned max_depth)
{
    unsigned depth = 0;
    bool is_inside = false;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (is_inside && byte == '\\')
            i++;
        else if (byte == '"')
            is_inside = !is_inside;
        else if (is_inside)
            continue;
        else if (byte == '[' || byte == '{') {
            if (++depth > max_depth) return i;
        } else if ((byte == ']' || byte == '}') && depth > 0)
            depth--;
    }
    return text.size;
}

/* jansson counts up to the end of the token it did not like, and quotes that token when it is
 * short; the place to show is its start. */
static size_t error_offset(const json_error_t *problem, size_t size)
{
    size_t offset = problem->position < 0 ? 0 : (size_t)problem->position;
    const char *near_text = strstr(problem->text, " near '");
    if (near_text != NULL) {
        size_t token = strlen(near_text + strlen(" near '"));
        token = token > 0 ? token - 1 : 0;
        offset = offset > token ? offset - token : 0;
    }
    return offset < size ? offset : size;
}

vc_status vc_json_parse(vc_str text, const char *file, unsigned max_depth, json_t **json_out,
                        vc_error *error)
{
    *json_out = NULL;
    if (max_depth == 0) max_depth = DEFAULT_DEPTH;
    size_t skipped = has_byte_order_mark(text) ? 3 : 0;
    size_t bad_offset;
    if (!vc_utf8_check(text, &bad_offset))
        return fail_at(error, text, file, bad_offset, "not valid UTF-8");
    size_t too_deep = find_too_deep(text, max_depth);
    if (too_deep < text.size) {
        char message[80];
        snprintf(message, sizeof message, "nested deeper than %u levels", max_depth);
        return fail_at(error, text, file, too_deep, message);
    }
    json_error_t problem;
    json_t *json = json_loadb(text.size == skipped ? "" : text.data + skipped, text.size - skipped,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (json != NULL) {
        *json_out = json;
        return VC_OK;
    }
    if (json_error_code(&problem) == json_error_out_of_memory) return vc_no_memory(error);
    size_t offset = skipped + error_offset(&problem, text.size - skipped);
    /* jansson quotes what it had read when it gave up, which may be half a character. */
    if (!vc_utf8_check(vc_str_of(problem.text), &bad_offset)) problem.text[bad_offset] = '\0';
    return fail_at(error, text, file, offset, problem.text);
}

/* ---- vc_json_locate: a scanner over text known to be valid ---- */

static size_t skip_space(vc_str text, size_t at)
{
    while (at < text.size && strchr(" \t\r\n", text.data[at]) != NULL)
        at++;
    return at;
}

/* From the opening quote to behind the closing one. */
static size_t skip_string(vc_str text, size_t at)
{
    for (at++; at < text.size && text.data[at] != '"'; at++)
        if (text.data[at] == '\\') at++;
    return at < text.size ? at + 1 : text.size;
}

static size_t skip_value(vc_str text, size_t at)
{
    unsigned depth = 0;
    while (at < text.size) {
        char byte = text.data[at];
        if (byte == '"') {
            at = skip_string(text, at);
        } else {
            if (byte == '[' || byte == '{')
                depth++;
            else if (byte == ']' || byte == '}')
                depth--;
            else if (depth == 0) { /* a number or a word */
                while (at < text.size && strchr(",]} \t\r\n", text.data[at]) == NULL)
                    at++;
                return at;
            }
            at++;
        }
        if (depth == 0) return at;
    }
    return at;
}

/* Does the JSON string (quotes included) say the same as the step of a pointer ("~1" for "/")? */
static bool is_step(vc_str quoted, vc_str step)
{
    json_t *string = json_loadb(quoted.data, quoted.size, JSON_DECODE_ANY, NULL);
    vc_str key = vc_json_str(string);
    size_t k = 0, s = 0;
    bool is_equal = !vc_str_is_null(key);
    while (is_equal && k < key.size && s < step.size) {
        char wanted = step.data[s++];
        if (wanted == '~' && s < step.size) wanted = step.data[s++] == '1' ? '/' : '~';
        is_equal = key.data[k++] == wanted;
    }
    is_equal = is_equal && k == key.size && s == step.size;
    json_decref(string);
    return is_equal;
}

/* The offset of the value of key or index `step` of the container at `at`; text.size if none. */
static size_t find_step(vc_str text, size_t at, vc_str step)
{
    char open = text.data[at];
    if (open != '{' && open != '[') return text.size;
    int64_t index = -1;
    if (open == '[' && (vc_parse_int(step, &index) != VC_PARSE_OK || index < 0)) return text.size;
    at = skip_space(text, at + 1);
    while (at < text.size && text.data[at] != ']' && text.data[at] != '}') {
        bool is_found;
        if (open == '{') {
            size_t key_end = skip_string(text, at);
            is_found = is_step((vc_str){.data = text.data + at, .size = key_end - at}, step);
            at = skip_space(text, skip_space(text, key_end) + 1); /* behind the colon */
        } else {
            is_found = index-- == 0;
        }
        if (is_found) return at;
        at = skip_space(text, skip_value(text, at));
        if (at < text.size && text.data[at] == ',') at = skip_space(text, at + 1);
    }
    return text.size;
}

void vc_json_locate(vc_str text, const char *pointer, unsigned *line_out, unsigned *column_out)
{
    size_t at = skip_space(text, has_byte_order_mark(text) ? 3 : 0);
    vc_str rest = vc_str_of(pointer);
    if (rest.size > 0 && rest.data[0] == '/') {
        rest.data++;
        rest.size--;
        while (!vc_str_is_null(rest) && at < text.size) {
            size_t found = find_step(text, at, vc_str_split(&rest, '/'));
            if (found >= text.size) break;
            at = found;
        }
    }
    place_of(text, at, line_out, column_out);
}

/* ---- values ---- */

vc_str vc_json_str(const json_t *json)
{
    if (!json_is_string(json)) return (vc_str){0};
    return (vc_str){.data = json_string_value(json), .size = json_string_length(json)};
}

vc_str vc_json_scalar_text(vc_arena *arena, const json_t *json)
{
    char number[VC_NUMBER_TEXT];
    if (json == NULL) return (vc_str){0};
    switch (json_typeof(json)) {
    case JSON_STRING: return vc_arena_str(arena, vc_json_str(json));
    case JSON_TRUE: return VC_STR("true");
    case JSON_FALSE: return VC_STR("false");
    case JSON_INTEGER: vc_format_int(number, json_integer_value(json)); break;
    case JSON_REAL: vc_format_double(number, json_real_value(json)); break;
    default: return (vc_str){0};
    }
    return vc_arena_str(arena, vc_str_of(number));
}

/* A key as one step of a JSON pointer: "~" is "~0" and "/" is "~1". */
static void escape_step(char *step, size_t capacity, const char *key)
{
    size_t size = 0;
    for (; *key != '\0' && size + 3 < capacity; key++) {
        if (*key == '~' || *key == '/') {
            step[size++] = '~';
            step[size++] = *key == '~' ? '0' : '1';
        } else {
            step[size++] = *key;
        }
    }
    step[size] = '\0';
}

static vc_status fail_unknown_key(const char *key, const char *const *known, vc_error *error)
{
    char list[512] = "", step[128];
    size_t used = 0;
    vc_nearest nearest;
    vc_nearest_init(&nearest, vc_str_of(key));
    for (size_t i = 0; known[i] != NULL; i++) {
        vc_nearest_offer(&nearest, vc_str_of(known[i]));
        if (used + strlen(known[i]) + 3 < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ",
                                     known[i]);
    }
    escape_step(step, sizeof step, key);
    vc_fail(error, VC_BAD_INPUT, "unknown_field", "unknown field '%s'; expected one of: %s", key,
            list);
    vc_error_at_pointer(error, "/%s", step);
    vc_nearest_report(&nearest, error);
    return VC_BAD_INPUT;
}

vc_status vc_json_check_keys(const json_t *object, const char *const *known, vc_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        if (known[i] == NULL) return fail_unknown_key(key, known, error);
    }
    return VC_OK;
}

const char *vc_json_type_name(const json_t *json)
{
    if (json == NULL) return "nothing";
    switch (json_typeof(json)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "a boolean";
    case JSON_NULL: return "null";
    }
    return "nothing";
}
