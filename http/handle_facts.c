/* Why: GET /v1/cubes/{cube}/facts, the facts behind a cell, and /cell, its lineage. Both are a
 * query whose parameters are read as those of any other. */
#include "http/service.h"

#include "query/clauses.h"
#include "query/parameters.h"
#include "render/facts.h"
#include "render/lineage.h"
#include "slice/facts.h"
#include "slice/lineage.h"

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

static bool is_one_of(vc_str name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (vc_str_is(name, *names)) return true;
    return false;
}

/* The parameters but those of the address' own. */
static vc_status read_query(const vc_call *call, const char *const *own, vc_query *query,
                            vc_error *error)
{
    const vc_request *request = call->request;
    vc_parameter *others = VC_ARENA_NEW(call->arena, vc_parameter, request->nparameters + 1);
    size_t nothers = 0;
    if (others == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < request->nparameters; i++)
        if (!is_one_of(request->parameters[i].name, own))
            others[nothers++] = request->parameters[i];
    vc_status status = vc_parameters_parse(others, nothers, call->arena, query, error);
    query->cube = call->arguments[0];
    return status;
}

/* The model and the cube of a query, and whether the client has the answer. */
static vc_status open_cube(vc_call *call, const vc_query *query, uint64_t nrows, vc_handler *next,
                           void *state, vc_error *error)
{
    const vc_cube *cube;
    vc_status status = vc_call_open_model(call, query->at, error);
    if (status != VC_OK && !vc_str_is_null(query->at)) vc_error_at_pointer(error, "at");
    if (status == VC_OK) status = vc_model_cube(call->model, query->cube, &cube, error);
    if (status != VC_OK || vc_call_is_known(call, cube->definition_hash)) return status;
    vc_call_continue(call, cube, nrows, next, state);
    return VC_OK;
}

/* ---- facts ---- */

static vc_status read_facts(vc_call *call, struct drilling *drilling, vc_error *error)
{
    static const char *const own[] = {"fields", "source", NULL};
    const vc_request *request = call->request;
    vc_list fields = {0};
    vc_str text;
    vc_status status = read_query(call, own, &drilling->query, error);
    if (status == VC_OK) status = vc_request_parameter(request, "fields", &text, error);
    if (status == VC_OK && !vc_str_is_null(text))
        status = vc_names_parse((vc_source_text){.text = text, .where = "fields"}, "a field",
                                call->arena, &fields, error);
    if (status == VC_OK)
        status = vc_request_parameter(request, "source", &drilling->facts.source, error);
    if (status == VC_OK)
        status =
            vc_request_count(request, "limit", 100, VC_MAX_MEMBERS, &drilling->facts.limit, error);
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
    if (drilling == NULL) return vc_no_memory(error);
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK) status = read_facts(call, drilling, error);
    if (status != VC_OK) return status;
    return open_cube(call, &drilling->query, drilling->facts.limit, run, drilling, error);
}

/* ---- a cell ---- */

struct tracing {
    vc_query query;
    vc_lineage_query lineage;
};

static vc_status trace(vc_call *call, vc_error *error)
{
    struct tracing *tracing = call->state;
    vc_engine_options options = vc_call_engine_options(call);
    const vc_lineage *lineage;
    vc_status status =
        vc_lineage_run(call->model, &tracing->lineage, &options, call->arena, &lineage, error);
    if (status != VC_OK) return status;
    vc_lineage_put_json(&call->reply->body, lineage);
    return vc_call_done_json(call);
}

vc_status vc_handle_cell(vc_call *call, vc_error *error)
{
    static const char *const known[] = {"cut", "measure", "drilldown", "limit", "at", NULL};
    static const char *const own[] = {"measure", "limit", NULL};
    struct tracing *tracing = VC_ARENA_NEW(call->arena, struct tracing, 1);
    vc_list measures = {0};
    vc_str text;
    uint64_t limit = 0;
    if (tracing == NULL) return vc_no_memory(error);
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK) status = read_query(call, own, &tracing->query, error);
    if (status == VC_OK) status = vc_request_parameter(call->request, "measure", &text, error);
    if (status == VC_OK && !vc_str_is_null(text))
        status = vc_measures_parse((vc_source_text){.text = text, .where = "measure"}, call->arena,
                                   &measures, error);
    if (status == VC_OK)
        status = vc_request_count(call->request, "limit", 20, VC_MAX_MEMBERS, &limit, error);
    if (status != VC_OK) return status;
    tracing->query.measures = measures.items;
    tracing->query.nmeasures = measures.count;
    tracing->lineage = (vc_lineage_query){.query = &tracing->query, .limit = (size_t)limit};
    return open_cube(call, &tracing->query, limit, trace, tracing, error);
}
