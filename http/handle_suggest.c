/* GET /v1/cubes/{cube}/suggest: by which indexes another cube could be joined to this one. */
#include "http/service.h"

#include "render/suggest.h"

struct suggesting { /* state of the call between its two parts */
    const vc_cube *cube;
    vc_suggest_query query;
};

static vc_status run(vc_call *call, vc_error *error)
{
    struct suggesting *suggesting = call->state;
    vc_engine_options options = vc_call_engine_options(call);
    const vc_suggest *suggest;
    vc_status status = vc_suggest_run(call->model, suggesting->cube, &suggesting->query, &options,
                                      call->arena, &suggest, error);
    if (status != VC_OK) return status;
    vc_suggest_put_json(&call->reply->body, vc_str_of(call->reply->snapshot), suggest);
    return vc_call_done_json(call);
}

static vc_status read_request(const vc_request *request, vc_suggest_query *query, vc_error *error)
{
    static const char *const known[] = {"with", "limit", "examples", NULL};
    uint64_t limit = 0, examples = 0;
    vc_status status = vc_request_check_parameters(request, known, error);
    if (status == VC_OK) status = vc_request_parameter(request, "with", &query->with, error);
    if (status == VC_OK && query->with.size == 0) {
        vc_fail(error, VC_BAD_INPUT, "missing_parameter",
                "'with' is missing: the cube that would be joined");
        vc_error_at_offset(error, "with", 0);
        return VC_BAD_INPUT;
    }
    if (status == VC_OK)
        status = vc_request_count(request, "limit", 10, VC_SUGGEST_MOST, &limit, error);
    if (status == VC_OK)
        status = vc_request_count(request, "examples", 5, VC_SUGGEST_MOST, &examples, error);
    query->limit = (size_t)limit;
    query->nexamples = (size_t)examples;
    return status;
}

vc_status vc_handle_suggest(vc_call *call, vc_error *error)
{
    struct suggesting *suggesting = VC_ARENA_NEW(call->arena, struct suggesting, 1);
    const vc_cube *joined;
    if (suggesting == NULL) return vc_no_memory(error);
    vc_status status = read_request(call->request, &suggesting->query, error);
    if (status == VC_OK) status = vc_call_cube(call, &suggesting->cube, error);
    if (status != VC_OK) return status;
    status = vc_model_cube(call->model, suggesting->query.with, &joined, error);
    if (status != VC_OK) {
        vc_error_at_offset(error, "with", 0);
        return status;
    }
    if (suggesting->cube->is_partial || joined->is_partial)
        return vc_fail(error, VC_IMPOSSIBLE, "forbidden",
                       "joins are suggested to roles that see all of both cubes");
    if (vc_call_is_known(call, joined->definition_hash)) return VC_OK;
    vc_call_continue(call, suggesting->cube, 0, run, suggesting);
    call->is_dear = true; /* it reads the keys of both cubes, and the facts of both */
    return VC_OK;
}
