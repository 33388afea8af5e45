#include "report/variables.h"

#include "base/nearest.h"
#include "cube/condition.h"
#include "render/number_format.h"

#include <string.h>

typedef enum put_mode {
    PUT_TEXT,    /* for people */
    PUT_GRAMMAR, /* into a text that a grammar of queries reads */
    PUT_URL,     /* the same, percent-encoded */
    PUT_KEY,     /* into a list of keys, as it is */
    PUT_NUMBER,  /* into an expression: nothing but a number */
    PUT_FILE,    /* into the name of a file */
} put_mode;

typedef struct expansion {
    const vc_variables *variables;
    const vc_variable_lookup *more;
    put_mode mode;
    vc_buffer out;
    vc_error *error;
} expansion;

/* ---- taking a template apart ---- */

/* The next {{...}} from *at on: its inside, and where it begins. False when there is none, or none
 * is ended: then *error says where. */
static vc_status next_hole(vc_str text, size_t *at, size_t *begin_out, vc_str *inside_out,
                           vc_error *error)
{
    static const char open[] = "{{", close[] = "}}";
    const char *begin = *at < text.size ? memmem(text.data + *at, text.size - *at, open, 2) : NULL;
    *inside_out = (vc_str){0};
    if (begin == NULL) return VC_OK;
    *begin_out = (size_t)(begin - text.data);
    const char *inside = begin + 2;
    const char *end = memmem(inside, (size_t)(text.data + text.size - inside), close, 2);
    if (end == NULL) {
        vc_fail(error, VC_BAD_INPUT, "syntax", "found '{{' without '}}'");
        return vc_error_at_place(error, VC_BAD_INPUT,
                                 (vc_place){.where = "", .offset = *begin_out});
    }
    *inside_out = vc_str_trim((vc_str){.data = inside, .size = (size_t)(end - inside)});
    *at = (size_t)(end + 2 - text.data);
    return VC_OK;
}

vc_status vc_template_names(vc_str text,
                            vc_status (*each)(void *context, vc_str name, vc_error *error),
                            void *context, vc_error *error)
{
    size_t at = 0, begin;
    vc_str inside;
    for (;;) {
        vc_status status = next_hole(text, &at, &begin, &inside, error);
        if (status != VC_OK || vc_str_is_null(inside)) return status;
        vc_str rest = inside;
        status = each(context, vc_str_trim(vc_str_split(&rest, '|')), error);
        if (status != VC_OK) return status;
    }
}

/* ---- putting in ---- */

static void put_byte_for_url(vc_buffer *out, char byte)
{
    static const char safe[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:;,|";
    if (byte != '\0' && strchr(safe, byte) != NULL)
        vc_buffer_put_char(out, byte);
    else
        vc_buffer_printf(out, "%%%02X", (unsigned char)byte);
}

static void put_for_query(expansion *in, vc_str text, bool is_escaped)
{
    static const char delimiters[] = "|:;,-!@/#.\\";
    for (size_t i = 0; i < text.size; i++) {
        bool is_delimiter = text.data[i] != '\0' && strchr(delimiters, text.data[i]) != NULL;
        if (is_delimiter && !is_escaped) {
            if (in->mode == PUT_URL)
                put_byte_for_url(&in->out, '\\');
            else
                vc_buffer_put_char(&in->out, '\\');
        }
        if (in->mode == PUT_URL)
            put_byte_for_url(&in->out, text.data[i]);
        else
            vc_buffer_put_char(&in->out, text.data[i]);
    }
}

/* Letters of all scripts stay; what a shell, a file system or a reader of listings minds does not.
 */
static void put_for_file(vc_buffer *out, vc_str text)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._+";
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        bool is_safe = (unsigned char)byte >= 0x80 || (byte != '\0' && strchr(safe, byte) != NULL);
        vc_buffer_put_char(out, is_safe ? byte : '_');
    }
}

static vc_status put_value(expansion *in, vc_str name, vc_str text, bool is_escaped)
{
    double number;
    switch (in->mode) {
    case PUT_TEXT:
    case PUT_KEY: vc_buffer_put_str(&in->out, text); return VC_OK;
    case PUT_FILE: put_for_file(&in->out, text); return VC_OK;
    case PUT_GRAMMAR:
    case PUT_URL: put_for_query(in, text, is_escaped); return VC_OK;
    case PUT_NUMBER: break;
    }
    if (vc_parse_double(text, '.', &number) != VC_PARSE_OK)
        return vc_fail(in->error, VC_BAD_INPUT, "bad_value",
                       "'%.*s' is '%.*s', and in an expression only numbers can be put",
                       VC_FMT(name), (int)(text.size < 80 ? text.size : 80), text.data);
    vc_buffer_put_str(&in->out, text);
    return VC_OK;
}

static const vc_variable *find_variable(const vc_variables *variables, vc_str name)
{
    for (size_t i = 0; i < variables->count; i++)
        if (vc_str_equal(variables->items[i].name, name)) return &variables->items[i];
    return NULL;
}

static vc_status fail_unknown(expansion *in, vc_str name)
{
    vc_nearest nearest;
    vc_fail(in->error, VC_BAD_INPUT, "unknown_variable", "there is nothing called '%.*s' here",
            VC_FMT(name));
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < in->variables->count; i++)
        vc_nearest_offer(&nearest, in->variables->items[i].name);
    for (size_t i = 0; in->more != NULL && in->more->name != NULL; i++) {
        vc_str other = in->more->name(in->more->context, i);
        if (vc_str_is_null(other)) break;
        vc_nearest_offer(&nearest, other);
    }
    vc_nearest_report(&nearest, in->error);
    return VC_BAD_INPUT;
}

static vc_status fail_part(expansion *in, const vc_variable *variable, vc_str part)
{
    vc_nearest nearest;
    vc_fail(in->error, VC_BAD_INPUT, "unknown_variable",
            "the variable '%.*s' has no '%.*s'; it has key, label%s and the properties that its "
            "query asks for",
            VC_FMT(variable->name), VC_FMT(part), vc_str_is_null(variable->path) ? "" : ", path");
    vc_nearest_init(&nearest, part);
    for (size_t i = 0; i < variable->nparts; i++)
        vc_nearest_offer(&nearest, variable->parts[i].name);
    vc_nearest_report(&nearest, in->error);
    return VC_BAD_INPUT;
}

/* `country`, `country.key`, `country.path`: of a variable, where there is one of that name. */
static vc_status put_variable(expansion *in, const vc_variable *variable, vc_str name, vc_str part)
{
    bool is_for_people = in->mode == PUT_TEXT || in->mode == PUT_FILE;
    if (vc_str_is(part, "label") || (vc_str_is_null(part) && is_for_people))
        return put_value(in, name, variable->label, false);
    if (vc_str_is(part, "key") || vc_str_is_null(part))
        return put_value(in, name, variable->key, false);
    if (vc_str_is(part, "path") && !vc_str_is_null(variable->path))
        return put_value(in, name, variable->path, true);
    for (size_t i = 0; i < variable->nparts; i++)
        if (vc_str_equal(variable->parts[i].name, part))
            return put_value(in, name, variable->parts[i].value, false);
    return fail_part(in, variable, part);
}

static vc_status put_hole(expansion *in, vc_str inside)
{
    vc_str pattern = inside, name = vc_str_trim(vc_str_split(&pattern, '|'));
    if (!vc_str_is_null(pattern)) pattern = vc_str_trim(pattern);
    vc_str part = name, base = vc_str_split(&part, '.');
    const vc_variable *variable = find_variable(in->variables, base);
    vc_number_format unused;
    if (!vc_str_is_null(pattern) && !vc_number_format_parse(pattern, &unused))
        return vc_fail(in->error, VC_BAD_INPUT, "bad_value",
                       "found '%.*s', expected a number format as '#,##0' or '0.0%%'",
                       (int)(pattern.size < 80 ? pattern.size : 80), pattern.data);
    if (variable != NULL && vc_str_is_null(pattern)) return put_variable(in, variable, name, part);
    if (in->more != NULL && in->more->find(in->more->context, name, pattern, &in->out))
        return VC_OK;
    if (variable != NULL)
        return vc_fail(in->error, VC_BAD_INPUT, "syntax",
                       "'%.*s' is a text, and has no number format", VC_FMT(name));
    return fail_unknown(in, name);
}

static vc_status expand(expansion *in, vc_str text, vc_arena *arena, vc_str *text_out)
{
    size_t at = 0, before = 0, begin;
    vc_str inside;
    for (;;) {
        vc_status status = next_hole(text, &at, &begin, &inside, in->error);
        if (status != VC_OK) return status;
        if (vc_str_is_null(inside)) break;
        vc_buffer_put(&in->out, text.data + before, begin - before);
        status = put_hole(in, inside);
        if (status != VC_OK)
            return vc_error_at_place(in->error, status, (vc_place){.where = "", .offset = begin});
        before = at;
    }
    if (before == 0 && in->mode != PUT_FILE) {
        *text_out = text;
        return VC_OK;
    }
    vc_buffer_put(&in->out, text.data + before, text.size - before);
    if (in->out.failed) return vc_no_memory(in->error);
    *text_out = vc_arena_str(
        arena, (vc_str){.data = in->out.size > 0 ? in->out.data : "", .size = in->out.size});
    return vc_str_is_null(*text_out) ? vc_no_memory(in->error) : VC_OK;
}

vc_status vc_template_expand(vc_str text, const vc_variables *variables,
                             const vc_variable_lookup *more, vc_arena *arena, vc_str *text_out,
                             vc_error *error)
{
    expansion in = {.variables = variables, .more = more, .mode = PUT_TEXT, .error = error};
    vc_status status = expand(&in, text, arena, text_out);
    vc_buffer_release(&in.out);
    return status;
}

vc_status vc_template_expand_file(vc_str text, const vc_variables *variables, vc_arena *arena,
                                  vc_str *text_out, vc_error *error)
{
    expansion in = {.variables = variables, .mode = PUT_FILE, .error = error};
    vc_status status = expand(&in, text, arena, text_out);
    vc_buffer_release(&in.out);
    return status;
}

/* ---- queries ---- */

static vc_status expand_string(const json_t *json, const vc_variables *variables, put_mode mode,
                               vc_arena *arena, json_t **json_out, vc_error *error)
{
    expansion in = {.variables = variables, .mode = mode, .error = error};
    vc_str text;
    vc_status status = expand(&in, vc_json_str(json), arena, &text);
    vc_buffer_release(&in.out);
    if (status != VC_OK) return status;
    *json_out = json_stringn(text.data, text.size);
    return *json_out == NULL ? vc_no_memory(error) : VC_OK;
}

static vc_status expand_json(const json_t *json, const vc_variables *variables, put_mode mode,
                             vc_arena *arena, json_t **json_out, vc_error *error);

static vc_status expand_array(const json_t *json, const vc_variables *variables, put_mode mode,
                              vc_arena *arena, json_t **json_out, vc_error *error)
{
    json_t *array = json_array();
    vc_status status = array == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t i = 0; i < json_array_size(json) && status == VC_OK; i++) {
        json_t *item;
        status = expand_json(json_array_get(json, i), variables, mode, arena, &item, error);
        if (status != VC_OK)
            vc_error_prefix_pointer(error, "/%zu", i);
        else if (json_array_append_new(array, item) != 0)
            status = vc_no_memory(error);
    }
    if (status != VC_OK) json_decref(array);
    *json_out = array;
    return status;
}

/* What stands under `values` no grammar reads; under `expr` are numbers. */
static put_mode mode_under(const char *key, put_mode mode)
{
    if (strcmp(key, "values") == 0) return PUT_KEY;
    if (strcmp(key, "label") == 0) return PUT_TEXT;
    return strcmp(key, "expr") == 0 ? PUT_NUMBER : mode;
}

static vc_status expand_object(const json_t *json, const vc_variables *variables, put_mode mode,
                               vc_arena *arena, json_t **json_out, vc_error *error)
{
    json_t *object = json_object(), *item;
    const json_t *value;
    vc_status status = object == NULL ? vc_no_memory(error) : VC_OK;
    for (void *i = json_object_iter((json_t *)json); i != NULL && status == VC_OK;
         i = json_object_iter_next((json_t *)json, i)) {
        const char *key = json_object_iter_key(i);
        value = json_object_iter_value(i);
        status = expand_json(value, variables, mode_under(key, mode), arena, &item, error);
        if (status != VC_OK)
            vc_error_prefix_pointer(error, "/%s", key);
        else if (json_object_set_new(object, key, item) != 0)
            status = vc_no_memory(error);
    }
    if (status != VC_OK) json_decref(object);
    *json_out = object;
    return status;
}

static vc_status expand_json(const json_t *json, const vc_variables *variables, put_mode mode,
                             vc_arena *arena, json_t **json_out, vc_error *error)
{
    if (json_is_string(json)) return expand_string(json, variables, mode, arena, json_out, error);
    if (json_is_array(json)) return expand_array(json, variables, mode, arena, json_out, error);
    if (json_is_object(json)) return expand_object(json, variables, mode, arena, json_out, error);
    *json_out = json_incref((json_t *)json);
    return VC_OK;
}

vc_status vc_template_expand_query(const json_t *body, const vc_variables *variables,
                                   vc_arena *arena, json_t **json_out, vc_error *error)
{
    return expand_json(body, variables, json_is_string(body) ? PUT_URL : PUT_GRAMMAR, arena,
                       json_out, error);
}
