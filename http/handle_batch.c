/* POST /v1/batch: several queries on one snapshot.
 *
 *     {"cube": "world", "at": "42-9f3c", "queries": [{...}, {...}]}
 *
 * `cube` is that of queries which name none. There are as many answers, in their order, each with
 * its status: what is wrong with one query is no reason to withhold the others.
 */
#include "http/asking.h"

#include "base/json.h"
#include "query/body.h"
#include "query/node.h"
#include "render/render.h"

#include <string.h>

enum { MAX_QUERIES = 100 };

typedef struct batch_query {
    vc_query query;
    vc_render_format format;
    vc_error *error; /* what is wrong with it; NULL: nothing yet */
} batch_query;

typedef struct batch { /* state of the call between its two parts */
    vc_str at;
    size_t nqueries;
    batch_query *queries;
} batch;

/* ---- reading ---- */

static bool is_json_format(vc_render_format format)
{
    return vc_str_starts_with(vc_str_of(vc_format_media_type(format)), VC_STR("application/json"));
}

/* In a batch a query has no snapshot of its own, and its answer is a part of JSON. */
static vc_status check_query(const vc_query *query, const char *pointer, vc_render_format *format,
                             vc_error *error)
{
    if (!vc_str_is_null(query->at)) {
        vc_fail(error, VC_BAD_INPUT, "bad_value",
                "a batch is answered from one snapshot: 'at' stands beside 'queries'");
        vc_error_at_pointer(error, "%s/at", pointer);
        return VC_BAD_INPUT;
    }
    if (vc_str_is_null(query->format)) return VC_OK;
    vc_status status = vc_format_find(query->format, format, error);
    if (status == VC_OK && !is_json_format(*format))
        status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                         "'%.*s' is no part of JSON; in a batch there are records, arrays, columns "
                         "and jsonstat",
                         VC_FMT(query->format));
    if (status != VC_OK) vc_error_at_pointer(error, "%s/format", pointer);
    return status;
}

/* Only being out of memory stops the batch. */
static vc_status read_query(vc_call *call, vc_body_node node, vc_str default_cube, batch_query *to,
                            vc_error *error)
{
    vc_error own = {0};
    *to = (batch_query){.query = vc_query_default()};
    vc_status status =
        vc_body_read(node.json, node.pointer, default_cube, call->arena, &to->query, &own);
    if (status == VC_OK) status = check_query(&to->query, node.pointer, &to->format, &own);
    if (status == VC_OK) return VC_OK;
    if (status != VC_NO_MEMORY) to->error = VC_ARENA_NEW(call->arena, vc_error, 1);
    if (to->error == NULL) return vc_no_memory(error);
    *to->error = own;
    return VC_OK;
}

static vc_status read_list(vc_call *call, vc_body_node list, vc_str default_cube, batch *to,
                           vc_error *error)
{
    if (!json_is_array(list.json)) return vc_body_node_fail_type(list, "an array", error);
    to->nqueries = json_array_size(list.json);
    if (to->nqueries > MAX_QUERIES) {
        vc_fail(error, VC_LIMIT, "limit_queries", "found %zu queries, a batch has at most %d",
                to->nqueries, MAX_QUERIES);
        vc_error_at_pointer(error, "%s", list.pointer);
        return VC_LIMIT;
    }
    to->queries = VC_ARENA_NEW(call->arena, batch_query, to->nqueries);
    if (to->queries == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    for (size_t i = 0; i < to->nqueries && status == VC_OK; i++) {
        vc_body_node node;
        status = vc_body_node_element(list, i, call->arena, &node, error);
        if (status == VC_OK) status = read_query(call, node, default_cube, &to->queries[i], error);
    }
    return status;
}

static vc_status read_text(vc_call *call, vc_body_node node, const char *what, vc_str *text,
                           vc_error *error)
{
    return node.json == NULL ? VC_OK : vc_body_node_name(node, what, call->arena, text, error);
}

static vc_status read_batch(vc_call *call, const json_t *json, batch *to, vc_error *error)
{
    static const char *const known[] = {"cube", "at", "queries", NULL};
    vc_str cube = {0};
    vc_body_node root = {json, ""}, cube_node, at, list;
    if (!json_is_object(json)) return vc_body_node_fail_type(root, "an object", error);
    vc_status status = vc_body_node_check_keys(root, known, error);
    if (status == VC_OK) status = vc_body_node_field(root, "cube", call->arena, &cube_node, error);
    if (status == VC_OK) status = vc_body_node_field(root, "at", call->arena, &at, error);
    if (status == VC_OK) status = vc_body_node_field(root, "queries", call->arena, &list, error);
    if (status == VC_OK) status = read_text(call, cube_node, "the name of a cube", &cube, error);
    if (status == VC_OK) status = read_text(call, at, "the id of a snapshot", &to->at, error);
    if (status == VC_OK && list.json == NULL)
        status = vc_body_node_fail_missing(root, "queries", error);
    return status == VC_OK ? read_list(call, list, cube, to, error) : status;
}

/* ---- answering ---- */

static vc_status answer_query(vc_call *call, const batch_query *of, vc_arena *arena,
                              vc_error *error)
{
    const vc_result *result;
    vc_engine_options options = vc_call_engine_options(call);
    if (of->error != NULL) {
        *error = *of->error;
        return error->status;
    }
    vc_status status = vc_engine_run(call->model, &of->query, &options, arena, &result, error);
    if (status != VC_OK) return status;
    vc_render_options rendering = vc_render_options_of(&of->query);
    return vc_render(result, of->format, &rendering, vc_render_to_buffer(&call->reply->body),
                     error);
}

/* {"status":200,"answer":{...}} or {"status":404,"problem":{...}}. Whatever stops the whole batch
 * is returned. */
static vc_status put_answer(vc_call *call, const batch *in, size_t number, vc_error *error)
{
    const batch_query *of = &in->queries[number];
    vc_arena arena = {0}; /* of this query, so that one after another takes the memory of one */
    vc_buffer *body = &call->reply->body;
    vc_error own = {0};
    size_t begin = body->size;
    vc_buffer_put_text(body, "{\"status\":200,\"answer\":");
    vc_status status = answer_query(call, of, &arena, &own);
    vc_arena_release(&arena);
    if (status == VC_CANCELLED || status == VC_NO_MEMORY) {
        *error = own;
        return status;
    }
    if (status == VC_OK) {
        body->size--; /* the line feed of a document */
    } else {
        if (own.code != NULL && strcmp(own.code, "unknown_cube") == 0 && own.file[0] == '\0')
            vc_error_at_pointer(&own, "/queries/%zu/cube", number);
        body->size = begin;
        vc_buffer_printf(body, "{\"status\":%u,\"problem\":", vc_reply_status_of(&own));
        vc_reply_put_problem(body, &own, NULL);
    }
    vc_buffer_put_char(body, '}');
    return body->failed ? vc_no_memory(error) : VC_OK;
}

static vc_status run(vc_call *call, vc_error *error)
{
    const batch *of = call->state;
    vc_buffer *body = &call->reply->body;
    vc_status status = VC_OK;
    vc_buffer_put_text(body, "{\"snapshot\":");
    vc_buffer_put_json(body, vc_str_of(call->reply->snapshot));
    vc_buffer_put_text(body, ",\"answers\":[");
    for (size_t i = 0; i < of->nqueries && status == VC_OK; i++) {
        vc_buffer_put_text(body, i > 0 ? ",\n" : "\n");
        status = put_answer(call, of, i, error);
    }
    vc_buffer_put_text(body, "\n]}");
    return status == VC_OK ? vc_call_done_json(call) : status;
}

/* Dear when one of its queries is. */
static void leave_for_later(vc_call *call, batch *of)
{
    bool is_dear = false;
    for (size_t i = 0; i < of->nqueries; i++) {
        const vc_cube *cube;
        const vc_query *query = &of->queries[i].query;
        if (of->queries[i].error != NULL ||
            vc_model_cube(call->model, query->cube, &cube, NULL) != VC_OK)
            continue;
        vc_call_continue(call, cube, vc_asking_bound_rows(cube, query), run, of);
        is_dear |= call->is_dear;
    }
    call->next = run;
    call->state = of;
    call->is_dear = is_dear;
}

vc_status vc_handle_batch(vc_call *call, vc_error *error)
{
    json_t *json = NULL;
    batch *of = VC_ARENA_NEW(call->arena, batch, 1);
    if (of == NULL) return vc_no_memory(error);
    vc_status status = vc_asking_check_body(call->request, error);
    if (status == VC_OK) status = vc_json_parse(call->request->body, NULL, 0, &json, error);
    if (status == VC_OK) status = read_batch(call, json, of, error);
    json_decref(json);
    if (status != VC_OK) return status;
    status = vc_call_open_model(call, of->at, error);
    if (status != VC_OK) {
        if (!vc_str_is_null(of->at)) vc_error_at_pointer(error, "/at");
        return status;
    }
    if (!vc_call_is_known(call, call->request->body)) leave_for_later(call, of);
    return VC_OK;
}
