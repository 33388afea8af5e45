/* The dialect of Cube: GET /cubejs-api/v1/meta, and load and dry-run by GET and POST.
 *
 * As with our own queries parsing, looking up and the entity tag come first, and an answer that is
 * kept is not computed again. A range in words ("last 6 months") becomes days before that, so that
 * yesterday's answer to the same words is never given today.
 */
#include "http/asking.h"
#include "http/cubejs.h"

#include "render/notices.h"

typedef struct loading { /* state of the call between its two parts */
    vc_cubejs_request request;
    bool is_multi; /* the client takes several results, and says so */
    bool no_cache;
} loading;

/* ---- meta ---- */

static void put_failed(vc_buffer *out, const vc_cubejs_name *name, const vc_error *error)
{
    vc_buffer_put_text(out, "{\"cube\":");
    vc_buffer_put_json(out, name->cube);
    vc_buffer_put_text(out, ",\"problem\":");
    vc_reply_put_problem(out, error, NULL);
    vc_buffer_put_char(out, '}');
}

/* All cubes, and those that cannot be opened with what is wrong with them. */
static vc_status put_cubes(vc_call *call, vc_buffer *failed, vc_error *error)
{
    const vc_cubejs_name *names;
    size_t nnames, nlisted = 0;
    vc_buffer *body = &call->reply->body;
    vc_status status = vc_cubejs_list_cubes(call->model, call->arena, &names, &nnames, error);
    for (size_t i = 0; i < nnames && status == VC_OK; i++) {
        const vc_cubejs_catalog *catalog;
        vc_error own = {0};
        vc_status opened = vc_cubejs_catalog_get(call->model, &names[i], &catalog, &own);
        if (opened == VC_NO_MEMORY) return vc_no_memory(error);
        if (opened != VC_OK) {
            if (failed->size > 0) vc_buffer_put_char(failed, ',');
            put_failed(failed, &names[i], &own);
            continue;
        }
        vc_buffer_put_text(body, nlisted > 0 ? ",\n" : "\n");
        vc_cubejs_put_meta(body, catalog, nlisted++);
    }
    return status;
}

vc_status vc_handle_cubejs_meta(vc_call *call, vc_error *error)
{
    static const char *const known[] = {"extended", "onlyCompilerId", NULL};
    vc_buffer failed = {0}, *body = &call->reply->body;
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK) status = vc_call_open_model(call, (vc_str){0}, error);
    if (status != VC_OK || vc_call_is_known(call, VC_STR("cubejs meta"))) return status;
    vc_buffer_put_text(body, "{\"cubes\":[");
    status = put_cubes(call, &failed, error);
    vc_buffer_put_text(body, "],\n\"compilerId\":");
    vc_buffer_put_json(body, vc_str_of(call->reply->snapshot));
    vc_buffer_put_text(body, ",\"vcube\":{\"snapshot\":");
    vc_buffer_put_json(body, vc_str_of(call->reply->snapshot));
    vc_buffer_put_text(body, ",\"failed\":[");
    vc_buffer_put(body, failed.data, failed.size);
    vc_buffer_put_text(body, "]}}");
    body->failed |= failed.failed;
    vc_buffer_release(&failed);
    return status == VC_OK ? vc_call_done_json(call) : status;
}

/* ---- reading ---- */

static vc_status fail_no_query(vc_error *error)
{
    vc_fail(error, VC_BAD_INPUT, "missing_field", "the query is missing: query={...}");
    vc_error_at_pointer(error, "query");
    return VC_BAD_INPUT;
}

/* "multi" is the one word of Cube's clients; the names of the types are what it answers. */
static vc_status read_type(vc_str type, bool *is_multi_out, vc_error *error)
{
    *is_multi_out = vc_str_is(type, "multi");
    if (vc_str_is_null(type) || *is_multi_out || vc_str_is(type, "regularQuery")) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_value", "queryType is 'multi' or absent, found '%.*s'",
            (int)(type.size > 60 ? 60 : type.size), type.data);
    vc_error_at_pointer(error, "queryType");
    return VC_BAD_INPUT;
}

/* What Cube's ways to use its cache come to: an answer here is never stale. */
static vc_status read_cache(vc_str cache, bool *no_cache_out, vc_error *error)
{
    static const char *const ways[] = {"stale-if-slow", "stale-while-revalidate", "must-revalidate",
                                       "no-cache", NULL};
    *no_cache_out = vc_str_is(cache, "no-cache");
    if (vc_str_is_null(cache)) return VC_OK;
    for (size_t i = 0; ways[i] != NULL; i++)
        if (vc_str_is(cache, ways[i])) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_value",
            "cache is one of: stale-if-slow, stale-while-revalidate, must-revalidate, no-cache");
    vc_error_at_pointer(error, "cache");
    return VC_BAD_INPUT;
}

/* The query of a URL is JSON in a parameter; of a body it is a part of it, as JSON or as its text.
 */
static vc_status take_query(vc_call *call, const json_t *root, json_t **query_out, vc_error *error)
{
    vc_str text = {0};
    vc_status status = VC_OK;
    const json_t *inside = json_object_get(root, "query");
    *query_out = NULL;
    if (json_is_object(inside) || json_is_array(inside)) {
        *query_out = json_incref((json_t *)inside);
        return VC_OK;
    }
    if (root == NULL)
        status = vc_request_parameter(call->request, "query", &text, error);
    else
        text = vc_json_str(inside);
    if (status != VC_OK) return status;
    if (vc_str_is_null(text)) return fail_no_query(error);
    return vc_json_parse(text, NULL, 0, query_out, error);
}

static vc_status read_words(vc_call *call, const json_t *root, loading *to, vc_error *error)
{
    vc_str type = vc_json_str(json_object_get(root, "queryType")),
           cache = vc_json_str(json_object_get(root, "cache"));
    vc_status status = VC_OK;
    if (root == NULL) status = vc_request_parameter(call->request, "queryType", &type, error);
    if (status == VC_OK && root == NULL)
        status = vc_request_parameter(call->request, "cache", &cache, error);
    if (status == VC_OK) status = read_type(type, &to->is_multi, error);
    if (status == VC_OK) status = read_cache(cache, &to->no_cache, error);
    return status;
}

/* The body of a POST; NULL for a GET. */
static vc_status read_root(vc_call *call, json_t **root_out, vc_error *error)
{
    static const char *const known[] = {"query", "queryType", "cache", NULL};
    const vc_request *request = call->request;
    *root_out = NULL;
    if (request->method != VC_METHOD_POST)
        return vc_request_check_parameters(request, known, error);
    vc_status status = vc_asking_check_body(request, error);
    if (status == VC_OK) status = vc_json_parse(request->body, NULL, 0, root_out, error);
    if (status != VC_OK) return status;
    vc_body_node node = {.json = *root_out, .pointer = ""};
    return json_is_object(*root_out) ? vc_body_node_check_keys(node, known, error)
                                     : vc_body_node_fail_type(node, "an object", error);
}

static vc_status read_loading(vc_call *call, loading **to_out, vc_error *error)
{
    json_t *root = NULL, *query = NULL;
    loading *to = VC_ARENA_NEW(call->arena, loading, 1);
    if (to == NULL) return vc_no_memory(error);
    *to_out = to;
    vc_status status = read_root(call, &root, error);
    if (status == VC_OK) status = read_words(call, root, to, error);
    if (status == VC_OK) status = take_query(call, root, &query, error);
    if (status == VC_OK) status = vc_call_open_model(call, (vc_str){0}, error);
    if (status == VC_OK) {
        vc_body_node node = {.json = query, .pointer = "/query"};
        status =
            vc_cubejs_read(call->model, node, vc_cubejs_today(), call->arena, &to->request, error);
    }
    json_decref(query);
    json_decref(root);
    call->is_of_today = status == VC_OK && to->request.is_of_today;
    return status;
}

/* ---- load ---- */

/* One query after another takes the memory of one. */
static vc_status put_one(vc_call *call, const vc_cubejs_query *query, vc_error *error)
{
    const vc_result *result;
    vc_arena arena = {0};
    vc_engine_options options = vc_call_engine_options(call);
    vc_status status = vc_engine_run(call->model, &query->query, &options, &arena, &result, error);
    if (status == VC_OK)
        status = vc_cubejs_put_result(&call->reply->body, query, result, &arena, error);
    vc_arena_release(&arena);
    return status;
}

static vc_status run(vc_call *call, vc_error *error)
{
    const loading *of = call->state;
    const vc_cubejs_request *request = &of->request;
    vc_buffer *body = &call->reply->body;
    vc_status status = VC_OK;
    if (of->is_multi) vc_buffer_printf(body, "{\"queryType\":\"%s\",\"results\":[", request->type);
    for (size_t i = 0; i < request->nqueries && status == VC_OK; i++) {
        if (i > 0) vc_buffer_put_char(body, ',');
        status = put_one(call, &request->queries[i], error);
    }
    if (of->is_multi) {
        vc_buffer_put_text(body, "],\n\"pivotQuery\":");
        vc_buffer_put_str(body, request->pivot);
        vc_buffer_put_text(body, ",\"slowQuery\":false}");
    }
    return status == VC_OK ? vc_call_done_json(call) : status;
}

/* Everything that the answer is made of. The days of ranges in words stand in the queries in full,
 * but for those of filters: the day stands for them. */
static bool is_known(vc_call *call, const loading *of)
{
    const vc_cubejs_request *request = &of->request;
    size_t nparts = 0;
    vc_str *parts = VC_ARENA_NEW(call->arena, vc_str, request->nqueries * 2 + 4);
    vc_buffer key = {0};
    vc_encoding_choice choice = call->request->encoding;
    if (parts == NULL) return false;
    parts[nparts++] = vc_str_of(call->service->options.version);
    parts[nparts++] = vc_str_of(call->reply->snapshot);
    parts[nparts++] = of->is_multi ? VC_STR("cubejs multi") : VC_STR("cubejs");
    parts[nparts++] = vc_arena_printf(call->arena, "%s %lld", request->type,
                                      request->is_of_today ? (long long)request->today : -1);
    for (size_t i = 0; i < request->nqueries; i++) {
        parts[nparts++] = request->queries[i].catalog->cube->definition_hash;
        parts[nparts++] = request->queries[i].text;
    }
    call->told.query = request->nqueries > 0 ? request->queries[0].text : (vc_str){0};
    vc_reply_tag(call->reply, parts, nparts);
    if (of->no_cache) return false;
    vc_buffer_printf(&key, "%d%d", choice.encoding, choice.is_forced);
    for (size_t i = 0; i < nparts; i++) {
        vc_buffer_put_char(&key, '\n');
        vc_buffer_put_str(&key, parts[i]);
    }
    if (!key.failed) call->key = vc_arena_str(call->arena, (vc_str){key.data, key.size});
    vc_buffer_release(&key);
    return vc_reply_is_known(call->reply, call->request);
}

/* Dear when one of its queries is. */
static void leave_for_later(vc_call *call, loading *of)
{
    bool is_dear = false;
    for (size_t i = 0; i < of->request.nqueries; i++) {
        const vc_cubejs_query *query = &of->request.queries[i];
        const vc_cube *cube = query->catalog->cube;
        vc_call_continue(call, cube, vc_asking_bound_rows(cube, &query->query), run, of);
        is_dear |= call->is_dear;
    }
    call->is_dear = is_dear;
}

vc_status vc_handle_cubejs_load(vc_call *call, vc_error *error)
{
    loading *of;
    vc_status status = read_loading(call, &of, error);
    if (status != VC_OK) return status;
    if (!of->is_multi && of->request.type[0] != 'r')
        return vc_fail(error, VC_BAD_INPUT, "bad_value",
                       "several queries have several results: ask with queryType=multi");
    if (!is_known(call, of)) leave_for_later(call, of);
    return VC_OK;
}

/* ---- what a query would be ---- */

vc_status vc_handle_cubejs_dry_run(vc_call *call, vc_error *error)
{
    loading *of;
    vc_buffer *body = &call->reply->body;
    vc_status status = read_loading(call, &of, error);
    if (status != VC_OK) return status;
    vc_buffer_printf(body, "{\"queryType\":\"%s\",\"normalizedQueries\":[", of->request.type);
    for (size_t i = 0; i < of->request.nqueries; i++) {
        if (i > 0) vc_buffer_put_char(body, ',');
        vc_buffer_put_str(body, of->request.queries[i].text);
    }
    vc_buffer_put_text(body, "],\"pivotQuery\":");
    vc_buffer_put_str(body, of->request.pivot);
    vc_buffer_put_text(body, ",\"queryOrder\":[");
    for (size_t i = 0; i < of->request.nqueries; i++) {
        if (i > 0) vc_buffer_put_char(body, ',');
        vc_buffer_put_str(body, of->request.queries[i].order);
    }
    vc_buffer_put_text(body, "],\"transformedQueries\":[]}");
    return vc_call_done_json(call);
}

vc_status vc_handle_cubejs_sql(vc_call *call, vc_error *error)
{
    (void)call;
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                   "queries are not made into SQL here; /v1/explain tells how one is answered");
}
