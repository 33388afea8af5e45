#include "query/node.h"

static vc_status set_node(const json_t *json, vc_str pointer, vc_body_node *node_out,
                          vc_error *error)
{
    *node_out = (vc_body_node){.json = json_is_null(json) ? NULL : json, .pointer = pointer.data};
    return vc_str_is_null(pointer) ? vc_no_memory(error) : VC_OK;
}

vc_status vc_body_node_field(vc_body_node object, const char *key, vc_arena *arena,
                             vc_body_node *field_out, vc_error *error)
{
    vc_str pointer = vc_arena_printf(arena, "%s/%s", object.pointer, key);
    return set_node(json_object_get(object.json, key), pointer, field_out, error);
}

vc_status vc_body_node_element(vc_body_node array, size_t number, vc_arena *arena,
                               vc_body_node *element_out, vc_error *error)
{
    vc_str pointer = vc_arena_printf(arena, "%s/%zu", array.pointer, number);
    *element_out =
        (vc_body_node){.json = json_array_get(array.json, number), .pointer = pointer.data};
    return vc_str_is_null(pointer) ? vc_no_memory(error) : VC_OK;
}

vc_place vc_body_node_place(vc_body_node node)
{
    return (vc_place){.where = node.pointer, .is_pointer = true};
}

vc_status vc_body_node_fail_type(vc_body_node node, const char *expected, vc_error *error)
{
    vc_fail(error, VC_BAD_INPUT, "bad_type", "found %s, expected %s", vc_json_type_name(node.json),
            expected);
    return vc_error_at_place(error, VC_BAD_INPUT, vc_body_node_place(node));
}

vc_status vc_body_node_fail_missing(vc_body_node object, const char *key, vc_error *error)
{
    vc_fail(error, VC_BAD_INPUT, "missing_field", "the field '%s' is missing", key);
    return vc_error_at_place(error, VC_BAD_INPUT, vc_body_node_place(object));
}

vc_status vc_body_node_name(vc_body_node node, const char *what, vc_arena *arena, vc_str *name_out,
                            vc_error *error)
{
    vc_str text = vc_json_str(node.json);
    if (vc_str_is_null(text)) return vc_body_node_fail_type(node, what, error);
    if (text.size == 0) {
        vc_fail(error, VC_BAD_INPUT, "bad_value", "found an empty text, expected %s", what);
        return vc_error_at_place(error, VC_BAD_INPUT, vc_body_node_place(node));
    }
    *name_out = vc_arena_str(arena, text);
    return vc_str_is_null(*name_out) ? vc_no_memory(error) : VC_OK;
}

vc_status vc_body_node_check_keys(vc_body_node object, const char *const *known, vc_error *error)
{
    vc_status status = vc_json_check_keys(object.json, known, error);
    if (status == VC_OK || error == NULL) return status;
    /* A very long key stands there cut by bytes, perhaps inside a character. */
    size_t bad_offset;
    if (!vc_utf8_check(vc_str_of(error->pointer), &bad_offset)) error->pointer[bad_offset] = '\0';
    vc_error_prefix_pointer(error, "%s", object.pointer);
    return status;
}
