/* The `aggregate` of the dialect: a question of the query model, and its answer in one of three
 * forms. */
#include "http/asking.h"

#include "base/clock.h"
#include "http/mondrian.h"

struct asking { /* state of the call between its two parts */
    vc_query query;
    vc_mondrian_form form;
};

static vc_status run(vc_call *call, vc_error *error)
{
    struct asking *asking = call->state;
    vc_reply *reply = call->reply;
    vc_engine_options options = vc_call_engine_options(call);
    const vc_result *result;
    int64_t began_ns = vc_clock_ns();
    vc_status status =
        vc_engine_run(call->model, &asking->query, &options, call->arena, &result, error);
    int64_t ran_ns = vc_clock_ns();
    reply->run_ns = ran_ns - began_ns;
    if (status == VC_OK)
        status =
            vc_mondrian_render(result, &asking->form, vc_render_to_buffer(&reply->body), error);
    reply->rendered_ns = vc_clock_ns() - ran_ns;
    if (status == VC_OK) status = vc_asking_tell_notices(reply, result, error);
    if (status != VC_OK) return status;
    reply->status = 200;
    reply->content_type = vc_mondrian_media_type(asking->form.kind);
    return VC_OK;
}

/* By the path: `aggregate`, `aggregate.json`, ... */
static vc_mondrian_kind kind_of(const vc_request *request)
{
    vc_str name = request->segments[request->nsegments - 1];
    return vc_str_ends_with(name, VC_STR(".csv"))           ? VC_MONDRIAN_CSV
           : vc_str_ends_with(name, VC_STR(".jsonrecords")) ? VC_MONDRIAN_RECORDS
                                                            : VC_MONDRIAN_JSON;
}

vc_status vc_handle_mondrian_aggregate(vc_call *call, vc_error *error)
{
    const vc_cube *cube;
    int64_t began_ns = vc_clock_ns();
    struct asking *asking = VC_ARENA_NEW(call->arena, struct asking, 1);
    if (asking == NULL) return vc_no_memory(error);
    asking->form.kind = kind_of(call->request);
    vc_status status = vc_call_cube(call, &cube, error);
    if (status == VC_OK)
        status = vc_mondrian_query_read(call->request, cube, call->arena, &asking->query,
                                        &asking->form, error);
    if (status != VC_OK || vc_call_is_known(call, cube->definition_hash)) return status;
    /* The path and the parameters as they were written: clients write them alike. */
    vc_encoding_choice choice = call->request->encoding;
    call->key = vc_arena_printf(
        call->arena, "%s\n%s\n%.*s\n%.*s?%.*s\n%d%d", call->service->options.version,
        call->reply->snapshot, VC_FMT(cube->definition_hash), VC_FMT(call->request->path),
        VC_FMT(call->request->query_string), choice.encoding, choice.is_forced);
    vc_call_continue(call, cube, vc_asking_bound_rows(cube, &asking->query), run, asking);
    call->told = (vc_told){.cube = call->arguments[0], .query = call->request->query_string};
    call->reply->prepared_ns = vc_clock_ns() - began_ns;
    return VC_OK;
}
