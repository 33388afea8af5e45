/* Fields of a specification. */
#include "base/nearest.h"
#include "report/spec_parts.h"

#include <math.h>
#include <string.h>

vc_status vc_spec_fail(vc_spec_reading *in, vc_body_node node, vc_str found,
                       const char *const *names, const char *expected)
{
    vc_fail(in->error, VC_BAD_INPUT, "bad_value", "found '%.*s', expected %s",
            (int)(found.size < 80 ? found.size : 80), found.data != NULL ? found.data : "",
            expected);
    vc_nearest nearest;
    vc_nearest_init(&nearest, found);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        vc_nearest_offer(&nearest, vc_str_of(names[i]));
    vc_nearest_report(&nearest, in->error);
    return vc_error_at_place(in->error, VC_BAD_INPUT, vc_body_node_place(node));
}

vc_status vc_spec_fail_field(vc_spec_reading *in, vc_body_node object, const char *key,
                             vc_str found, const char *const *names, const char *expected)
{
    vc_body_node field;
    TRY(vc_body_node_field(object, key, in->arena, &field, in->error));
    return vc_spec_fail(in, field, found, names, expected);
}

vc_status vc_spec_read_str(vc_spec_reading *in, vc_body_node object, const char *key,
                           const char *what, vc_str *out)
{
    vc_body_node field;
    TRY(vc_body_node_field(object, key, in->arena, &field, in->error));
    if (field.json == NULL) return VC_OK;
    return vc_body_node_name(field, what, in->arena, out, in->error);
}

static vc_status read_template(vc_spec_reading *in, vc_body_node node, vc_spec_text *out)
{
    if (!json_is_string(node.json)) return vc_body_node_fail_type(node, "a text", in->error);
    *out = (vc_spec_text){.text = vc_json_str(node.json), .pointer = node.pointer};
    return VC_OK;
}

vc_status vc_spec_read_template(vc_spec_reading *in, vc_body_node object, const char *key,
                                vc_spec_text *out)
{
    vc_body_node field;
    TRY(vc_body_node_field(object, key, in->arena, &field, in->error));
    return field.json == NULL ? VC_OK : read_template(in, field, out);
}

vc_status vc_spec_read_bool(vc_spec_reading *in, vc_body_node object, const char *key, bool *out)
{
    vc_body_node field;
    TRY(vc_body_node_field(object, key, in->arena, &field, in->error));
    if (field.json == NULL) return VC_OK;
    if (!json_is_boolean(field.json))
        return vc_body_node_fail_type(field, "true or false", in->error);
    *out = json_is_true(field.json);
    return VC_OK;
}

vc_status vc_spec_read_number(vc_spec_reading *in, vc_body_node object, const char *key,
                              bool *has_out, double *out)
{
    vc_body_node field;
    TRY(vc_body_node_field(object, key, in->arena, &field, in->error));
    if (field.json == NULL) return VC_OK;
    if (!json_is_number(field.json)) return vc_body_node_fail_type(field, "a number", in->error);
    *out = json_number_value(field.json);
    *has_out = true;
    return VC_OK;
}

vc_status vc_spec_read_query(vc_spec_reading *in, vc_body_node object, const char *key,
                             vc_spec_query *out)
{
    vc_body_node field;
    TRY(vc_body_node_field(object, key, in->arena, &field, in->error));
    if (field.json == NULL) return VC_OK;
    if (!json_is_object(field.json) && !json_is_string(field.json))
        return vc_body_node_fail_type(
            field, "a query: an object, or a text as in a URL (drilldown=geo&cut=date:2020)",
            in->error);
    *out = (vc_spec_query){.body = field.json, .pointer = field.pointer};
    return VC_OK;
}

static vc_status read_list(vc_spec_reading *in, vc_body_node object, const char *key,
                           vc_body_node *field_out, size_t *count_out)
{
    TRY(vc_body_node_field(object, key, in->arena, field_out, in->error));
    *count_out =
        json_is_array(field_out->json) ? json_array_size(field_out->json) : field_out->json != NULL;
    return VC_OK;
}

static vc_status element_of(vc_spec_reading *in, vc_body_node list, size_t number,
                            vc_body_node *out)
{
    *out = list;
    return json_is_array(list.json) ? vc_body_node_element(list, number, in->arena, out, in->error)
                                    : VC_OK;
}

vc_status vc_spec_read_templates(vc_spec_reading *in, vc_body_node object, const char *key,
                                 const vc_spec_text **out, size_t *count_out)
{
    vc_body_node field, element;
    size_t count;
    TRY(read_list(in, object, key, &field, &count));
    vc_spec_text *items = VC_ARENA_NEW(in->arena, vc_spec_text, count);
    if (items == NULL) return vc_no_memory(in->error);
    for (size_t i = 0; i < count; i++) {
        TRY(element_of(in, field, i, &element));
        TRY(read_template(in, element, &items[i]));
    }
    *out = items;
    *count_out = count;
    return VC_OK;
}

vc_status vc_spec_read_names(vc_spec_reading *in, vc_body_node object, const char *key,
                             const vc_str **out, size_t *count_out, bool *has_out)
{
    vc_body_node field, element;
    size_t count;
    TRY(read_list(in, object, key, &field, &count));
    vc_str *items = VC_ARENA_NEW(in->arena, vc_str, count);
    if (items == NULL) return vc_no_memory(in->error);
    for (size_t i = 0; i < count; i++) {
        TRY(element_of(in, field, i, &element));
        TRY(vc_body_node_name(element, "a name", in->arena, &items[i], in->error));
    }
    *out = items;
    *count_out = count;
    *has_out |= field.json != NULL;
    return VC_OK;
}

vc_status vc_spec_read_array(vc_spec_reading *in, vc_body_node object, const char *key,
                             vc_body_node *out)
{
    TRY(vc_body_node_field(object, key, in->arena, out, in->error));
    if (out->json == NULL || json_is_array(out->json)) return VC_OK;
    return vc_body_node_fail_type(*out, "a list", in->error);
}

vc_status vc_spec_read_object(vc_spec_reading *in, vc_body_node object, const char *key,
                              vc_body_node *out)
{
    TRY(vc_body_node_field(object, key, in->arena, out, in->error));
    if (out->json == NULL || json_is_object(out->json)) return VC_OK;
    return vc_body_node_fail_type(*out, "an object", in->error);
}

vc_status vc_spec_read_value(vc_spec_reading *in, vc_body_node node, vc_spec_value *out)
{
    static const char *const known[] = {"key", "label", NULL};
    vc_body_node key = node;
    if (json_is_object(node.json)) {
        TRY(vc_body_node_check_keys(node, known, in->error));
        TRY(vc_body_node_field(node, "key", in->arena, &key, in->error));
        if (key.json == NULL) return vc_body_node_fail_missing(node, "key", in->error);
        TRY(vc_spec_read_str(in, node, "label", "a text", &out->label));
    }
    out->key = vc_json_scalar_text(in->arena, key.json);
    if (vc_str_is_null(out->key))
        return vc_body_node_fail_type(key, "a text, a number, true or false", in->error);
    if (vc_str_is_null(out->label)) out->label = out->key;
    return VC_OK;
}

bool vc_spec_is_id(vc_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", text.data[i]) == NULL) return false;
    return text.size > 0;
}
