/* Drill-through: GET /v1/cubes/{cube}/facts. */
#include "http/service.h"

#include "query/clauses.h"
#include "query/parameters.h"
#include "render/facts.h"
#include "slice/facts.h"

struct drilling { /* state of the call between its two parts */
    vc_query query;
    vc_facts_query facts;
};

static vc_status run(vc_call *call, vc_error *error)
{
    struct drilling *drilling = call->state;
    vc_engine_options options = vc_call_engine_options(call);
    const vc_facts *facts;
    vc_status status =
        vc_facts_run(call->model, &drilling->facts, &options, call->arena, &facts, error);
    if (status != VC_OK) return status;
    vc_facts_put_json(&call->reply->body, facts);
    return vc_call_done_json(call);
}

/* `fields` and `source` are this address' own, the rest is as in any query. */
static vc_status read_query(vc_call *call, struct drilling *drilling, vc_error *error)
{
    const vc_request *request = call->request;
    vc_list fields = {0};
    vc_str text;
    vc_parameter *others = VC_ARENA_NEW(call->arena, vc_parameter, request->nparameters + 1);
    size_t nothers = 0;
    if (others == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < request->nparameters; i++)
        if (!vc_str_is(request->parameters[i].name, "fields") &&
            !vc_str_is(request->parameters[i].name, "source"))
            others[nothers++] = request->parameters[i];
    vc_status status = vc_parameters_parse(others, nothers, call->arena, &drilling->query, error);
    if (status == VC_OK) status = vc_request_parameter(request, "fields", &text, error);
    if (status == VC_OK && !vc_str_is_null(text))
        status = vc_names_parse((vc_source_text){.text = text, .where = "fields"}, "a field",
                                call->arena, &fields, error);
    if (status == VC_OK)
        status = vc_request_parameter(request, "source", &drilling->facts.source, error);
    if (status == VC_OK)
        status =
            vc_request_count(request, "limit", 100, VC_MAX_MEMBERS, &drilling->facts.limit, error);
    drilling->query.cube = call->arguments[0];
    drilling->facts.query = &drilling->query;
    drilling->facts.offset = drilling->query.offset;
    drilling->facts.fields = fields.items;
    drilling->facts.nfields = fields.count;
    return status;
}

vc_status vc_handle_facts(vc_call *call, vc_error *error)
{
    static const char *const known[] = {"cut",   "fields", "measures", "source",
                                        "limit", "offset", "at",       NULL};
    struct drilling *drilling = VC_ARENA_NEW(call->arena, struct drilling, 1);
    const vc_cube *cube;
    if (drilling == NULL) return vc_no_memory(error);
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK) status = read_query(call, drilling, error);
    if (status == VC_OK) {
        status = vc_call_open_model(call, drilling->query.at, error);
        if (status != VC_OK && !vc_str_is_null(drilling->query.at))
            vc_error_at_pointer(error, "at");
    }
    if (status == VC_OK) status = vc_model_cube(call->model, call->arguments[0], &cube, error);
    if (status != VC_OK || vc_call_is_known(call, cube->definition_hash)) return status;
    vc_call_continue(call, cube, drilling->facts.limit, run, drilling);
    return VC_OK;
}
