#include "base/nearest.h"
#include "cube/definition_parts.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

vc_node vc_node_field(const vc_node *object, const char *key)
{
    return (vc_node){.reader = object->reader,
                     .parent = object,
                     .key = key,
                     .json = json_object_get(object->json, key)};
}

vc_node vc_node_element(const vc_node *array, size_t index)
{
    return (vc_node){.reader = array->reader,
                     .parent = array,
                     .index = index,
                     .json = json_array_get(array->json, index)};
}

bool vc_node_has(const vc_node *object, const char *key)
{
    return json_object_get(object->json, key) != NULL;
}

/* ---- places ---- */

/* "/" and the key as a step of a pointer ("~" is "~0", "/" is "~1"), or the index. */
static void put_step(vc_buffer *pointer, const vc_node *node)
{
    vc_buffer_put_char(pointer, '/');
    if (node->key == NULL) {
        vc_buffer_put_int(pointer, (int64_t)node->index);
        return;
    }
    for (const char *byte = node->key; *byte != '\0'; byte++) {
        if (*byte == '~')
            vc_buffer_put_text(pointer, "~0");
        else if (*byte == '/')
            vc_buffer_put_text(pointer, "~1");
        else
            vc_buffer_put_char(pointer, *byte);
    }
}

static void put_pointer(vc_buffer *pointer, const vc_node *node)
{
    if (node->parent == NULL) return;
    put_pointer(pointer, node->parent); /* as deep as JSON may nest */
    put_step(pointer, node);
}

vc_str vc_node_pointer(const vc_node *node)
{
    vc_buffer pointer = {0};
    put_pointer(&pointer, node);
    vc_str text = {0};
    if (!pointer.failed) {
        text = vc_arena_str(node->reader->arena, vc_str_of(vc_buffer_text(&pointer)));
    }
    vc_buffer_release(&pointer);
    return text;
}

/* ---- errors ---- */

void vc_node_put_place(const vc_node *node)
{
    vc_buffer pointer = {0};
    put_pointer(&pointer, node);
    vc_error_at_pointer(node->reader->error, "%s", vc_buffer_text(&pointer));
    vc_buffer_release(&pointer);
}

vc_status vc_node_fail(const vc_node *node, const char *code, const char *format, ...)
{
    char message[sizeof node->reader->error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    vc_fail(node->reader->error, VC_BAD_INPUT, code, "%s", message);
    vc_node_put_place(node);
    return VC_BAD_INPUT;
}

vc_status vc_node_fail_type(const vc_node *node, const char *expected)
{
    return vc_node_fail(node, "bad_type", "expected %s, found %s", expected,
                        vc_json_type_name(node->json));
}

vc_status vc_node_fail_missing(const vc_node *object, const char *key)
{
    return vc_node_fail(object, "missing_field", "the field '%s' is missing", key);
}

vc_status vc_node_fail_unsupported(const vc_node *node, const char *what)
{
    return vc_node_fail(node, "unsupported", "%s are not supported by this version", what);
}

vc_status vc_node_fail_unknown(const vc_node *node, const char *code, const char *noun, vc_str name,
                               vc_names known)
{
    enum { LIST_MAX = 12 }; /* more are no help in a sentence */
    vc_buffer list = {0};
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < known.count; i++) {
        if (i < LIST_MAX) vc_buffer_put_text(&list, i == 0 ? "; there is: " : ", ");
        if (i < LIST_MAX) vc_buffer_put_str(&list, known.names[i]);
        vc_nearest_offer(&nearest, known.names[i]);
    }
    if (known.count > LIST_MAX) vc_buffer_put_text(&list, ", ...");
    vc_node_fail(node, code, "no %s named '%.*s'%s", noun, VC_FMT(name), vc_buffer_text(&list));
    vc_nearest_report(&nearest, node->reader->error);
    vc_buffer_release(&list);
    return VC_BAD_INPUT;
}

/* ---- values ---- */

vc_status vc_node_object(const vc_node *node, const char *const *known)
{
    if (!json_is_object(node->json)) return vc_node_fail_type(node, "an object");
    vc_error *error = node->reader->error;
    if (vc_json_check_keys(node->json, known, error) == VC_OK) return VC_OK;
    vc_str pointer = vc_node_pointer(node);
    if (pointer.data != NULL) vc_error_prefix_pointer(error, "%s", pointer.data);
    return VC_BAD_INPUT;
}

vc_status vc_node_array(const vc_node *node, size_t least, size_t most, size_t *count_out)
{
    if (!json_is_array(node->json)) return vc_node_fail_type(node, "an array");
    size_t count = json_array_size(node->json);
    if (count < least)
        return vc_node_fail(node, "bad_value", "expected at least %zu %s, found %zu", least,
                            least == 1 ? "element" : "elements", count);
    if (count > most)
        return vc_node_fail(node, "bad_value", "expected at most %zu elements, found %zu", most,
                            count);
    *count_out = count;
    return VC_OK;
}

static vc_status copy_text(const vc_node *node, vc_str *text_out)
{
    vc_str text = vc_json_str(node->json);
    if (vc_str_is_null(text)) return vc_node_fail_type(node, "a string");
    *text_out = vc_arena_str(node->reader->arena, text);
    return text_out->data == NULL ? vc_no_memory(node->reader->error) : VC_OK;
}

vc_status vc_node_text(const vc_node *node, vc_str *text_out)
{
    vc_status status = copy_text(node, text_out);
    if (status != VC_OK) return status;
    return text_out->size > 0 ? VC_OK : vc_node_fail(node, "bad_value", "must not be empty");
}

/* C0, DEL and C1 (C2 80 .. C2 9F in UTF-8): the offset of the first, or the size. */
static size_t find_control(vc_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte < 0x20 || byte == 0x7F) return i;
        if (byte == 0xC2 && i + 1 < text.size && (unsigned char)text.data[i + 1] < 0xA0) return i;
    }
    return text.size;
}

vc_status vc_node_name(const vc_node *node, vc_str *name_out)
{
    vc_status status = vc_node_text(node, name_out);
    if (status != VC_OK) return status;
    vc_str name = *name_out;
    if (name.size > VC_NAME_BYTES_MAX)
        return vc_node_fail(node, "bad_value", "a name has at most %d bytes, found %zu",
                            VC_NAME_BYTES_MAX, name.size);
    size_t control = find_control(name);
    if (control < name.size)
        return vc_node_fail(node, "bad_value",
                            "a name has no control characters, found one at byte %zu", control + 1);
    if (name.data[0] == ' ' || name.data[name.size - 1] == ' ')
        return vc_node_fail(node, "bad_value",
                            "a name neither begins nor ends with a space, found '%.*s'",
                            VC_FMT(name));
    return VC_OK;
}

vc_status vc_node_check_new(const vc_node *node, const char *noun, vc_str name, const vc_str *names,
                            size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (vc_str_equal(names[i], name))
            return vc_node_fail(node, "duplicate_name", "the %s '%.*s' is there already", noun,
                                VC_FMT(name));
    return VC_OK;
}

/* ---- fields ---- */

vc_status vc_field_need(const vc_node *object, const char *key)
{
    return vc_node_has(object, key) ? VC_OK : vc_node_fail_missing(object, key);
}

vc_status vc_field_text(const vc_node *object, const char *key, vc_str *out)
{
    vc_node node = vc_node_field(object, key);
    return node.json == NULL ? VC_OK : vc_node_text(&node, out);
}

vc_status vc_field_name(const vc_node *object, const char *key, vc_str *out)
{
    vc_node node = vc_node_field(object, key);
    return node.json == NULL ? VC_OK : vc_node_name(&node, out);
}

vc_status vc_field_label(const vc_node *object, const char *key, vc_str *out)
{
    vc_node node = vc_node_field(object, key);
    return node.json == NULL ? VC_OK : copy_text(&node, out);
}

vc_status vc_field_bool(const vc_node *object, const char *key, bool *out)
{
    vc_node node = vc_node_field(object, key);
    if (node.json == NULL) return VC_OK;
    if (!json_is_boolean(node.json)) return vc_node_fail_type(&node, "true or false");
    *out = json_is_true(node.json);
    return VC_OK;
}

vc_status vc_field_texts(const vc_node *object, const char *key, const vc_str **out, size_t *count)
{
    vc_node node = vc_node_field(object, key);
    size_t ntexts = 0;
    if (node.json == NULL) return VC_OK;
    vc_status status = vc_node_array(&node, 0, VC_LIST_MAX, &ntexts);
    if (status != VC_OK) return status;
    vc_str *texts = VC_ARENA_NEW(node.reader->arena, vc_str, ntexts);
    if (texts == NULL) return vc_no_memory(node.reader->error);
    for (size_t i = 0; i < ntexts; i++) {
        vc_node element = vc_node_element(&node, i);
        if ((status = vc_node_text(&element, &texts[i])) != VC_OK ||
            (status = vc_node_check_new(&element, "entry", texts[i], texts, i)) != VC_OK)
            return status;
    }
    *out = texts;
    *count = ntexts;
    return VC_OK;
}

vc_status vc_field_char(const vc_node *object, const char *key, char *out)
{
    vc_node node = vc_node_field(object, key);
    if (node.json == NULL) return VC_OK;
    vc_str text = vc_json_str(node.json);
    if (vc_str_is_null(text)) return vc_node_fail_type(&node, "a string of one character");
    if (text.size != 1 || (unsigned char)text.data[0] >= 0x80)
        return vc_node_fail(&node, "bad_value", "expected one ASCII character, found '%.*s'",
                            VC_FMT(text));
    *out = text.data[0];
    return VC_OK;
}

static vc_status fail_choice(const vc_node *node, vc_str found, const vc_word *words)
{
    vc_buffer list = {0};
    vc_nearest nearest;
    vc_nearest_init(&nearest, found);
    for (; words->word != NULL; words++) {
        if (words->unsupported != NULL) continue;
        if (list.size > 0) vc_buffer_put_text(&list, ", ");
        vc_buffer_put_text(&list, words->word);
        vc_nearest_offer(&nearest, vc_str_of(words->word));
    }
    vc_node_fail(node, "bad_value", "expected one of: %s; found '%.*s'", vc_buffer_text(&list),
                 VC_FMT(found));
    vc_nearest_report(&nearest, node->reader->error);
    vc_buffer_release(&list);
    return VC_BAD_INPUT;
}

vc_status vc_field_choice(const vc_node *object, const char *key, const vc_word *words, int *out)
{
    vc_node node = vc_node_field(object, key);
    if (node.json == NULL) return VC_OK;
    vc_str found = vc_json_str(node.json);
    if (vc_str_is_null(found)) return vc_node_fail_type(&node, "a string");
    for (const vc_word *word = words; word->word != NULL; word++) {
        if (!vc_str_is(found, word->word)) continue;
        if (word->unsupported != NULL) return vc_node_fail_unsupported(&node, word->unsupported);
        *out = word->value;
        return VC_OK;
    }
    return fail_choice(&node, found, words);
}
