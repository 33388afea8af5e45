/* The endpoints of the dialect (http/mondrian.h) that describe: cubes, dimensions, levels, members.
 * Their errors are our problems, with the `error` that clients of mondrian-rest look for. */
#include "http/mondrian.h"

static const char *const no_parameters[] = {NULL};

/* ---- cubes ---- */

/* A cube that cannot be opened is named, and hides no other. */
static vc_status put_cube_or_failure(vc_call *call, vc_json_writer *json, vc_str name,
                                     vc_buffer *failures)
{
    const vc_cube *cube;
    vc_error error = {0};
    vc_status status = vc_model_cube(call->model, name, &cube, &error);
    if (status == VC_OK) {
        vc_mondrian_put_cube(json, cube);
        return VC_OK;
    }
    if (status == VC_NO_MEMORY) return status;
    vc_json_writer failed = {.out = failures, .has_before = failures->size > 0};
    vc_json_begin(&failed, NULL, '{');
    vc_json_put_str(&failed, "name", name);
    vc_json_put_key(&failed, "problem");
    vc_reply_put_problem(failures, &error, NULL);
    vc_json_end(&failed, '}');
    return VC_OK;
}

vc_status vc_handle_mondrian_cubes(vc_call *call, vc_error *error)
{
    vc_object *objects = NULL;
    size_t nobjects = 0;
    vc_buffer failures = {0};
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status == VC_OK) status = vc_call_open_model(call, (vc_str){0}, error);
    if (status != VC_OK || vc_call_is_known(call, VC_STR("cubes"))) return status;
    status = vc_model_list(call->model, call->arena, &objects, &nobjects, error);
    if (status != VC_OK) return status;
    vc_json_writer json = {.out = &call->reply->body};
    vc_json_begin(&json, NULL, '{');
    vc_json_begin(&json, "cubes", '[');
    for (size_t i = 0; i < nobjects && status == VC_OK; i++)
        status = put_cube_or_failure(call, &json, objects[i].name, &failures);
    vc_json_end(&json, ']');
    if (failures.size > 0) {
        vc_json_begin(&json, "failures", '[');
        vc_buffer_put_str(json.out, (vc_str){failures.data, failures.size});
        vc_json_end(&json, ']');
    }
    vc_json_end(&json, '}');
    json.out->failed |= failures.failed;
    vc_buffer_release(&failures);
    return status == VC_OK ? vc_call_done_json(call) : vc_no_memory(error);
}

vc_status vc_handle_mondrian_cube(vc_call *call, vc_error *error)
{
    const vc_cube *cube;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status == VC_OK) status = vc_call_cube(call, &cube, error);
    if (status != VC_OK || vc_call_is_known(call, cube->definition_hash)) return status;
    vc_json_writer json = {.out = &call->reply->body};
    vc_mondrian_put_cube(&json, cube);
    return vc_call_done_json(call);
}

/* ---- dimensions ---- */

/* What the path leads to: .../dimensions/{d}[/hierarchies/{h}][/levels/{l}[/members/{key}]].
 * key_out  absent when there is none */
static vc_status find(vc_call *call, const vc_cube **cube_out, vc_mondrian_ref *ref,
                      vc_str *key_out, vc_error *error)
{
    enum { BEHIND_DIMENSION = 5 };
    const vc_request *request = call->request;
    bool has_hierarchy = request->nsegments > BEHIND_DIMENSION &&
                         vc_str_is(request->segments[BEHIND_DIMENSION], "hierarchies");
    size_t at = BEHIND_DIMENSION + (has_hierarchy ? 2 : 0);
    *ref = (vc_mondrian_ref){0};
    *key_out = (vc_str){0};
    vc_status status = vc_call_cube(call, cube_out, error);
    if (status == VC_OK)
        status = vc_cube_find_dimension(*cube_out, call->arguments[1], &ref->dimension, error);
    if (status != VC_OK) return status;
    const vc_dimension *dimension = (*cube_out)->dimensions[ref->dimension].dimension;
    if (has_hierarchy)
        status = vc_dimension_find_hierarchy(dimension, call->arguments[2], &ref->hierarchy, error);
    if (status != VC_OK || at >= request->nsegments) return status;
    ref->has_level = true;
    if (at + 3 < request->nsegments) *key_out = request->segments[at + 3];
    return vc_hierarchy_find_level(dimension, ref->hierarchy, request->segments[at + 1],
                                   &ref->level, error);
}

vc_status vc_handle_mondrian_dimension(vc_call *call, vc_error *error)
{
    const vc_cube *cube;
    vc_mondrian_ref ref;
    vc_str key;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status == VC_OK) status = find(call, &cube, &ref, &key, error);
    if (status != VC_OK || vc_call_is_known(call, cube->definition_hash)) return status;
    vc_json_writer json = {.out = &call->reply->body};
    if (ref.has_level)
        vc_mondrian_put_one_level(&json, cube, ref.dimension, ref.hierarchy, ref.level);
    else if (vc_str_is_null(call->arguments[2]))
        vc_mondrian_put_dimension(&json, cube, ref.dimension);
    else
        vc_mondrian_put_hierarchy(&json, cube, ref.dimension, ref.hierarchy);
    return vc_call_done_json(call);
}

/* ---- members ---- */

vc_status vc_handle_mondrian_members(vc_call *call, vc_error *error)
{
    const vc_cube *cube;
    vc_mondrian_ref ref;
    vc_str key;
    vc_status status = find(call, &cube, &ref, &key, error);
    if (status != VC_OK || vc_call_is_known(call, cube->definition_hash)) return status;
    status = vc_str_is_null(key) ? vc_mondrian_put_members(call, cube, &ref, error)
                                 : vc_mondrian_put_one_member(call, cube, &ref, &key, 1, error);
    return status == VC_OK ? vc_call_done_json(call) : status;
}

vc_status vc_handle_mondrian_full_name(vc_call *call, vc_error *error)
{
    const vc_cube *cube;
    vc_mdx_name name;
    vc_mondrian_ref ref;
    vc_dimref dimref;
    vc_item item;
    vc_source_text source = {.where = "full_name"};
    vc_status status = vc_request_parameter(call->request, "full_name", &source.text, error);
    if (status != VC_OK) return status;
    if (source.text.size == 0) {
        vc_fail(error, VC_BAD_INPUT, "missing_parameter",
                "found no 'full_name', which says the member");
        vc_error_at_pointer(error, "full_name");
        return VC_BAD_INPUT;
    }
    status = vc_call_cube(call, &cube, error);
    if (status != VC_OK || vc_call_is_known(call, cube->definition_hash)) return status;
    status = vc_mdx_name_parse(source, call->arena, &name, error);
    if (status == VC_OK) status = vc_mondrian_resolve(cube, &name, &ref, error);
    if (status == VC_OK)
        status = vc_mondrian_item(cube, &name, &ref, call->arena, &dimref, &item, error);
    if (status != VC_OK) return status;
    if (item.kind == VC_ITEM_ALL)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "'" VC_MONDRIAN_ALL_NAME "' is all members, not one of them");
    const vc_str null_key = VC_STR(VC_MONDRIAN_NULL_NAME);
    if (item.nkeys == 1 && item.keys[0].size == 0) item.keys = &null_key;
    status = vc_mondrian_put_one_member(call, cube, &ref, item.keys, item.nkeys, error);
    return status == VC_OK ? vc_call_done_json(call) : status;
}
