/* The catalogue: which cubes there are, and what each one is made of. */
#include "http/describe.h"
#include "http/service.h"
#include "render/collisions.h"
#include "render/coverage.h"
#include "render/unmatched.h"

static const char *const no_parameters[] = {NULL};

/* ---- the list ---- */

static void put_listed(vc_json_writer *json, const vc_definition *definition,
                       const vc_rights *rights)
{
    bool is_virtual = definition->kind == VC_DEFINITION_VIRTUAL;
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "name", definition->name);
    vc_json_put_text(json, "kind", is_virtual ? "virtual" : "source");
    vc_json_put_str(json, "label",
                    definition->label.size > 0 ? definition->label : definition->name);
    vc_json_put_given(json, "description", definition->description);
    vc_describe_info(json, definition);
    if (is_virtual) {
        const vc_virtual_def *cube = &definition->as.virtual_cube;
        vc_json_begin(json, "sources", '[');
        for (size_t s = 0; s < cube->nsources; s++)
            if (rights == NULL || vc_rights_find(rights, cube->sources[s].cube) != NULL)
                vc_json_put_str(json, NULL, cube->sources[s].cube);
        vc_json_end(json, ']');
    }
    vc_json_end(json, '}');
}

vc_status vc_handle_cubes(vc_call *call, vc_error *error)
{
    vc_object *objects = NULL;
    size_t nobjects = 0;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status == VC_OK) status = vc_call_open_model(call, (vc_str){0}, error);
    if (status != VC_OK || vc_call_is_known(call, VC_STR("cubes"))) return status;
    status = vc_model_list(call->model, call->arena, &objects, &nobjects, error);
    if (status != VC_OK) return status;
    vc_json_writer json = {.out = &call->reply->body};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_text(&json, "snapshot", call->reply->snapshot);
    vc_json_begin(&json, "cubes", '[');
    for (size_t i = 0; i < nobjects && status == VC_OK; i++) {
        /* The definition says enough; opening each cube would resolve every join of the store. */
        vc_definition *definition;
        status = vc_manifest_definition(&objects[i], call->arena, &definition, error);
        if (status != VC_OK) break;
        put_listed(&json, definition, vc_model_rights(call->model));
        vc_definition_release(definition);
    }
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
    return status == VC_OK ? vc_call_done_json(call) : status;
}

vc_status vc_handle_cube(vc_call *call, vc_error *error)
{
    const vc_cube *cube;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status == VC_OK) status = vc_call_cube(call, &cube, error);
    if (status != VC_OK || vc_call_is_known(call, cube->definition_hash)) return status;
    vc_json_writer json = {.out = &call->reply->body};
    vc_describe_cube(&json, cube, call->reply->snapshot);
    return vc_call_done_json(call);
}

/* ---- the mapping's quality ---- */

static vc_status run_coverage(vc_call *call, vc_error *error)
{
    const vc_cube *cube = call->state;
    const vc_result_coverage *coverage;
    size_t ncoverage;
    vc_engine_options options = vc_call_engine_options(call);
    vc_status status =
        vc_engine_coverage(call->model, cube, &options, call->arena, &coverage, &ncoverage, error);
    if (status != VC_OK) return status;
    vc_json_writer json = {.out = &call->reply->body};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "cube", cube->name);
    vc_json_put_text(&json, "snapshot", call->reply->snapshot);
    vc_json_begin(&json, "coverage", '[');
    for (size_t i = 0; i < ncoverage; i++) {
        vc_json_begin(&json, NULL, '{');
        vc_json_put_str(&json, "source", coverage[i].source);
        vc_json_put_str(&json, "dim", coverage[i].dimension);
        vc_coverage_put_json(&json, &coverage[i]);
        vc_collisions_put_json(&json, coverage[i].relation);
        vc_json_end(&json, '}');
    }
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
    return vc_call_done_json(call);
}

vc_status vc_handle_coverage(vc_call *call, vc_error *error)
{
    const vc_cube *cube;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status == VC_OK) status = vc_call_cube(call, &cube, error);
    if (status != VC_OK || vc_call_is_known(call, cube->definition_hash)) return status;
    vc_call_continue(call, cube, 0, run_coverage, (void *)(uintptr_t)cube);
    return VC_OK;
}

/* ---- unmatched keys ---- */

struct listing { /* state of the call between its two parts */
    const vc_cube *cube;
    vc_missed_query query;
};

static vc_status list_unmatched(vc_call *call, vc_error *error)
{
    struct listing *listing = call->state;
    vc_engine_options options = vc_call_engine_options(call);
    const vc_missed *missed;
    size_t nmissed;
    vc_status status = vc_missed_run(call->model, listing->cube, &listing->query, &options,
                                     call->arena, &missed, &nmissed, error);
    if (status != VC_OK) return status;
    vc_missed_put_json(&call->reply->body, listing->cube->name, vc_str_of(call->reply->snapshot),
                       &listing->query, missed, nmissed);
    return vc_call_done_json(call);
}

static vc_status read_order(const vc_request *request, bool *is_by_value_out, vc_error *error)
{
    vc_str order;
    vc_status status = vc_request_parameter(request, "order", &order, error);
    if (status != VC_OK) return status;
    *is_by_value_out = vc_str_is(order, "value");
    if (vc_str_is_null(order) || *is_by_value_out || vc_str_is(order, "key")) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_parameter", "order is '%.*s'; expected 'key' or 'value'",
            VC_FMT(order));
    vc_error_at_offset(error, "order", 0);
    return VC_BAD_INPUT;
}

vc_status vc_handle_unmatched(vc_call *call, vc_error *error)
{
    static const char *const known[] = {"source", "order", "limit", "offset", NULL};
    struct listing *listing = VC_ARENA_NEW(call->arena, struct listing, 1);
    vc_str alias;
    uint64_t limit = 0, offset = 0;
    const vc_request *request = call->request;
    if (listing == NULL) return vc_no_memory(error);
    listing->query.sources = UINT64_MAX;
    vc_status status = vc_request_check_parameters(request, known, error);
    if (status == VC_OK) status = vc_request_parameter(request, "source", &alias, error);
    if (status == VC_OK) status = read_order(request, &listing->query.is_by_value, error);
    if (status == VC_OK)
        status = vc_request_count(request, "limit", 100, VC_MAX_MEMBERS, &limit, error);
    if (status == VC_OK)
        status = vc_request_count(request, "offset", 0, UINT32_MAX, &offset, error);
    listing->query.limit = (size_t)limit;
    listing->query.offset = (size_t)offset;
    if (status == VC_OK) status = vc_call_cube(call, &listing->cube, error);
    if (status == VC_OK && !vc_str_is_null(alias)) {
        status = vc_cube_find_sources(listing->cube, alias, &listing->query.sources, error);
        if (status != VC_OK) vc_error_at_offset(error, "source", 0);
    }
    if (status != VC_OK || vc_call_is_known(call, listing->cube->definition_hash)) return status;
    vc_call_continue(call, listing->cube, limit, list_unmatched, listing);
    return VC_OK;
}
