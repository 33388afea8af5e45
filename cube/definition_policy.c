/* Members that a definition fixes, and what measures show along dimensions that their source does
 * not have. */
#include "cube/definition_parts.h"

static const vc_word unrelated_words[] = {{"null", VC_UNRELATED_NULL, NULL},
                                          {"repeat", VC_UNRELATED_REPEAT, NULL},
                                          {"error", VC_UNRELATED_ERROR, NULL},
                                          {"fix", VC_UNRELATED_FIX, NULL},
                                          {NULL, 0, NULL}};

/* The key or path of a member. */
static vc_status read_member(const vc_node *node, vc_str *member_out)
{
    if (json_is_null(node->json) || json_is_object(node->json) || json_is_array(node->json))
        return vc_node_fail_type(node, "a key, as a string or a number");
    *member_out = vc_json_scalar_text(node->reader->arena, node->json);
    if (member_out->data == NULL) return vc_no_memory(node->reader->error);
    return member_out->size == 0 ? vc_node_fail(node, "bad_value", "must not be empty") : VC_OK;
}

vc_status vc_read_fixes(const vc_node *object, const vc_fix_def **fixes_out, size_t *nfixes_out)
{
    vc_node node = vc_node_field(object, "fix");
    if (node.json == NULL) return VC_OK;
    if (!json_is_object(node.json)) return vc_node_fail_type(&node, "an object");
    size_t count = json_object_size(node.json), i = 0;
    if (count > VC_DIMENSIONS_MAX)
        return vc_node_fail(&node, "bad_value", "at most %d dimensions, found %zu",
                            VC_DIMENSIONS_MAX, count);
    vc_fix_def *fixes = VC_ARENA_NEW(node.reader->arena, vc_fix_def, count);
    if (fixes == NULL) return vc_no_memory(node.reader->error);
    const char *key;
    json_t *json;
    json_object_foreach((json_t *)node.json, key, json)
    {
        vc_node value = vc_node_field(&node, key);
        vc_fix_def *fix = &fixes[i++];
        fix->dimension = vc_arena_str(node.reader->arena, vc_str_of(key));
        if (fix->dimension.data == NULL) return vc_no_memory(node.reader->error);
        vc_status status = read_member(&value, &fix->value);
        if (status != VC_OK) return status;
    }
    *fixes_out = fixes;
    *nfixes_out = count;
    return VC_OK;
}

/* A word, or {"fix": ...} in its place: then *object_out is that object, else its json is NULL. */
static vc_status read_word(const vc_node *object, const char *key, vc_unrelated *word_out,
                           vc_node *object_out)
{
    static const char *const known[] = {"fix", NULL};
    int word = VC_UNRELATED_DEFAULT;
    vc_node node = vc_node_field(object, key);
    *object_out = (vc_node){.json = NULL};
    vc_status status;
    if (!json_is_object(node.json)) {
        status = vc_field_choice(object, key, unrelated_words, &word);
        *word_out = (vc_unrelated)word;
        return status;
    }
    if ((status = vc_node_object(&node, known)) != VC_OK ||
        (status = vc_field_need(&node, "fix")) != VC_OK)
        return status;
    *word_out = VC_UNRELATED_FIX;
    *object_out = node;
    return VC_OK;
}

vc_status vc_read_others(const vc_node *node, vc_private_def *private)
{
    vc_node object, outside = vc_node_field(node, "fix");
    vc_status status = read_word(node, "others", &private->others, &object);
    if (status == VC_OK && object.json != NULL && outside.json != NULL)
        status = vc_node_fail(&outside, "bad_value", "'others' names the member already");
    if (status == VC_OK && outside.json != NULL) status = read_member(&outside, &private->fix);
    if (status != VC_OK || object.json == NULL) return status;
    private->is_inside = true;
    vc_node inside = vc_node_field(&object, "fix");
    return read_member(&inside, &private->fix);
}

vc_status vc_read_unrelated(const vc_node *node, vc_measure_def *measure)
{
    vc_node object;
    vc_status status = read_word(node, "unrelated", &measure->unrelated, &object);
    if (status != VC_OK || object.json == NULL) return status;
    status = vc_read_fixes(&object, &measure->stands, &measure->nstands);
    if (status != VC_OK || measure->nstands > 0) return status;
    vc_node fix = vc_node_field(&object, "fix");
    return vc_node_fail(&fix, "bad_value", "names no dimension");
}
