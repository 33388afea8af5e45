#include "http/service.h"

#include <string.h>

vc_status vc_call_open_model(vc_call *call, vc_str at, vc_error *error)
{
    vc_status status;
    call->owns_model = !vc_str_is_null(at);
    if (!call->owns_model) {
        status = vc_model_acquire(call->service->models, &call->whole, error);
    } else {
        vc_snapshot *snapshot;
        status = vc_snapshot_open_at(call->service->options.store, at, &snapshot, error);
        if (status != VC_OK) return status;
        status = vc_model_new(snapshot, true, &call->whole, error);
        if (status != VC_OK) vc_snapshot_close(snapshot);
    }
    if (status != VC_OK) {
        call->whole = NULL;
        return status;
    }
    status = vc_model_restrict(call->whole, call->role->rights, &call->model, error);
    if (status != VC_OK) {
        vc_call_close_model(call);
        return status;
    }
    const char *id = vc_snapshot_id(vc_model_snapshot(call->model));
    size_t size = strlen(id);
    if (size < sizeof call->reply->snapshot) memcpy(call->reply->snapshot, id, size + 1);
    return VC_OK;
}

void vc_call_close_model(vc_call *call)
{
    if (call->whole == NULL) return;
    if (call->owns_model)
        vc_model_free(call->whole);
    else
        vc_model_release(call->service->models, call->whole);
    call->model = call->whole = NULL;
}

vc_status vc_call_cube(vc_call *call, const vc_cube **cube_out, vc_error *error)
{
    vc_status status = vc_call_open_model(call, (vc_str){0}, error);
    if (status != VC_OK) return status;
    return vc_model_cube(call->model, call->arguments[0], cube_out, error);
}

bool vc_call_is_known(vc_call *call, vc_str salt)
{
    const vc_str parts[] = {vc_str_of(call->service->options.version),
                            vc_str_of(call->reply->snapshot), call->request->path,
                            call->request->query_string, salt};
    vc_reply_tag(call->reply, parts, sizeof parts / sizeof parts[0]);
    return vc_reply_is_known(call->reply, call->request);
}

vc_status vc_call_done_json(vc_call *call)
{
    vc_buffer_put_char(&call->reply->body, '\n');
    call->reply->status = 200;
    call->reply->content_type = VC_JSON_TYPE;
    return VC_OK;
}

/* What a row of the answer costs, in facts: about 1.5 us to stitch and write it. */
enum { ROW_COST = 512 };

void vc_call_continue(vc_call *call, const vc_cube *cube, uint64_t nrows_max, vc_handler *next,
                      void *state)
{
    uint64_t cost;
    if (__builtin_mul_overflow(nrows_max, ROW_COST, &cost) || cost > UINT64_MAX / 2)
        cost = UINT64_MAX / 2; /* which leaves room for the facts */
    for (size_t s = 0; s < cube->nsources; s++)
        cost += cube->sources[s].cube->nrows;
    call->next = next;
    call->state = state;
    call->is_dear = cost >= call->service->options.dear_facts;
}

vc_engine_options vc_call_engine_options(vc_call *call)
{
    return (vc_engine_options){.pool = call->service->pool,
                               .limits = call->service->options.limits,
                               .is_cancelled = call->is_cancelled,
                               .context = call->context,
                               .usage = &call->service->usage};
}
