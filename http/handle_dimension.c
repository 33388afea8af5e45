/* A dimension of a cube: what it is, and keys looked up in its indexes. */
#include "http/describe.h"
#include "http/service.h"

#include "base/nearest.h"

static const char *const no_parameters[] = {NULL};

/* The cube and dimension of the path. */
static vc_status find(vc_call *call, const vc_cube **cube_out, size_t *number_out, vc_error *error)
{
    vc_status status = vc_call_cube(call, cube_out, error);
    if (status != VC_OK) return status;
    return vc_cube_find_dimension(*cube_out, call->arguments[1], number_out, error);
}

vc_status vc_handle_dimension(vc_call *call, vc_error *error)
{
    const vc_cube *cube;
    size_t number;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status == VC_OK) status = find(call, &cube, &number, error);
    if (status != VC_OK || vc_call_is_known(call, cube->definition_hash)) return status;
    vc_json_writer json = {.out = &call->reply->body};
    vc_describe_dimension(&json, cube, number, call->reply->snapshot);
    return vc_call_done_json(call);
}

/* ---- indexes ---- */

static vc_status fail_unknown_key(const vc_index *index, vc_str key, vc_error *error)
{
    enum { MAX_OFFERED = 65536 };
    vc_nearest nearest;
    vc_nearest_init(&nearest, key);
    for (uint32_t i = 0; i < index->values.count && i < MAX_OFFERED; i++)
        vc_nearest_offer(&nearest, vc_texts_get(&index->values, i));
    vc_fail(error, VC_NOT_FOUND, "unknown_key", "index '%.*s' has no key '%.*s'",
            VC_FMT(index->name), VC_FMT(key));
    vc_error_at_offset(error, "key", 0);
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

static vc_status put_indexed(vc_json_writer *json, const vc_dimension *dimension,
                             const vc_index *index, uint32_t member, vc_arena *arena,
                             vc_error *error)
{
    /* A leaf is shown by its member at the lowest level of the main hierarchy. */
    bool is_leaf = index->hierarchy < 0;
    const vc_hierarchy *hierarchy = &dimension->hierarchies[is_leaf ? 0 : index->hierarchy];
    unsigned number = is_leaf ? hierarchy->nlevels - 1 : (unsigned)index->level;
    if (is_leaf) {
        uint32_t leaf = member;
        member = vc_numbers_get(hierarchy->levels[number].leaf_members, leaf);
        vc_member_ref at = {.level = number, .member = member};
        if (vc_member_is_hidden(&hierarchy->levels[number], member) &&
            vc_member_parent(hierarchy, at, &at)) {
            number = at.level;
            member = at.member;
        }
        vc_status status = vc_describe_begin_member(json, hierarchy, number, member, arena, error);
        if (status != VC_OK) return status;
        if (dimension->leaf_keys.count > 0)
            vc_json_put_str(json, "leaf", vc_texts_get(&dimension->leaf_keys, leaf));
    } else {
        vc_status status = vc_describe_begin_member(json, hierarchy, number, member, arena, error);
        if (status != VC_OK) return status;
    }
    vc_json_put_str(json, "level", hierarchy->levels[number].name);
    vc_json_end(json, '}');
    return VC_OK;
}

vc_status vc_handle_dimension_index(vc_call *call, vc_error *error)
{
    static const char *const known[] = {"key", NULL};
    const vc_cube *cube;
    const vc_index *index;
    size_t number, nmembers;
    vc_str key;
    const uint32_t *members;
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK) status = vc_request_parameter(call->request, "key", &key, error);
    if (status == VC_OK) status = find(call, &cube, &number, error);
    if (status != VC_OK) return status;
    const vc_dimension *dimension = cube->dimensions[number].dimension;
    status = vc_dimension_find_index(dimension, call->arguments[2], &index, error);
    if (status != VC_OK) return status;
    if (vc_str_is_null(key)) {
        vc_fail(error, VC_BAD_INPUT, "missing_parameter", "found no 'key' to look up");
        vc_error_at_pointer(error, "key");
        return VC_BAD_INPUT;
    }
    vc_index_find(index, key, &members, &nmembers);
    if (nmembers == 0) return fail_unknown_key(index, key, error);
    if (vc_call_is_known(call, cube->definition_hash)) return VC_OK;
    vc_json_writer json = {.out = &call->reply->body};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "cube", cube->name);
    vc_json_put_text(&json, "snapshot", call->reply->snapshot);
    vc_json_put_str(&json, "dimension", cube->dimensions[number].name);
    vc_json_put_str(&json, "index", index->name);
    vc_json_put_bool(&json, "unique", index->is_unique);
    vc_json_put_str(&json, "key", key);
    vc_json_put_uint(&json, "total", nmembers);
    vc_json_begin(&json, "members", '[');
    for (size_t i = 0; i < nmembers && i < VC_MAX_MEMBERS && status == VC_OK; i++)
        status = put_indexed(&json, dimension, index, members[i], call->arena, error);
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
    return status == VC_OK ? vc_call_done_json(call) : status;
}
