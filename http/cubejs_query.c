/* One query or several of Cube: a comparison of ranges is a query for each, an array is blended. */
#include "http/cubejs.h"

#include <stdlib.h>

enum { MAX_QUERIES = 100 };

typedef struct requesting {
    vc_model *model;
    const vc_cubejs_name *names;
    size_t nnames;
    vc_arena *arena;
    vc_cubejs_request *out;
    json_t *normals; /* array of the queries in full */
} requesting;

/* JSON as text in the arena. */
static vc_status dump(const json_t *json, vc_arena *arena, vc_str *text_out, vc_error *error)
{
    char *text = json_dumps(json, JSON_COMPACT);
    *text_out = vc_arena_str(arena, vc_str_of(text));
    free(text);
    return vc_str_is_null(*text_out) ? vc_no_memory(error) : VC_OK;
}

/* {"world.pop":"desc"} */
static vc_status dump_order(const json_t *normal, vc_arena *arena, vc_str *text_out,
                            vc_error *error)
{
    const json_t *orders = json_object_get(normal, "order");
    json_t *out = json_object();
    for (size_t i = 0; i < json_array_size(orders); i++) {
        const json_t *order = json_array_get(orders, i);
        bool is_descending = json_is_true(json_object_get(order, "desc"));
        json_object_set_new(out, json_string_value(json_object_get(order, "id")),
                            json_string(is_descending ? "desc" : "asc"));
    }
    vc_status status = dump(out, arena, text_out, error);
    json_decref(out);
    return status;
}

static vc_status add_query(requesting *in, vc_body_node node, size_t compared, vc_error *error)
{
    json_t *normal = NULL;
    vc_cubejs_request *out = in->out;
    vc_cubejs_query *query = &out->queries[out->nqueries];
    bool is_relative = false;
    vc_status status =
        vc_cubejs_normalize(node, compared, out->today, in->arena, &normal, &is_relative, error);
    if (status != VC_OK) return status;
    if (json_array_append_new(in->normals, normal) != 0) return vc_no_memory(error);
    vc_body_node full = {.json = normal, .pointer = node.pointer};
    status = vc_cubejs_translate(in->model, in->names, in->nnames, full, out->today, in->arena,
                                 query, &is_relative, error);
    if (status == VC_OK) status = dump(normal, in->arena, &query->text, error);
    if (status == VC_OK) status = dump_order(normal, in->arena, &query->order, error);
    out->is_of_today |= is_relative;
    out->nqueries++;
    return status;
}

static vc_status fail_count(vc_body_node node, size_t count, vc_error *error)
{
    if (count == 0)
        vc_fail(error, VC_BAD_INPUT, "bad_value", "found an empty array, expected queries");
    else
        vc_fail(error, VC_LIMIT, "limit_queries", "found %zu queries, a request has at most %d",
                count, MAX_QUERIES);
    return vc_error_at_place(error, count == 0 ? VC_BAD_INPUT : VC_LIMIT, vc_body_node_place(node));
}

static vc_status read_queries(requesting *in, vc_body_node node, vc_error *error)
{
    vc_cubejs_request *out = in->out;
    bool is_array = json_is_array(node.json);
    size_t ncompared = is_array ? 0 : vc_cubejs_count_compared(node.json);
    size_t count = is_array ? json_array_size(node.json) : ncompared > 0 ? ncompared : 1;
    if (count == 0 || count > MAX_QUERIES) return fail_count(node, count, error);
    out->type = is_array        ? "blendingQuery"
                : ncompared > 0 ? "compareDateRangeQuery"
                                : "regularQuery";
    out->queries = VC_ARENA_NEW(in->arena, vc_cubejs_query, count);
    if (out->queries == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    for (size_t i = 0; i < count && status == VC_OK; i++) {
        vc_body_node one = node;
        if (is_array) status = vc_body_node_element(node, i, in->arena, &one, error);
        if (status == VC_OK) status = add_query(in, one, is_array ? 0 : i, error);
        if (status == VC_OK && is_array && vc_cubejs_count_compared(one.json) > 0) {
            vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                    "queries that are blended have no compareDateRange");
            return vc_error_at_place(error, VC_IMPOSSIBLE, vc_body_node_place(one));
        }
    }
    return status;
}

/* ---- what rows say beside ---- */

static const json_t *first_time(const json_t *normal)
{
    return json_array_get(json_object_get(normal, "timeDimensions"), 0);
}

static vc_status name_ranges(requesting *in, vc_body_node node, vc_error *error)
{
    for (size_t i = 0; i < in->out->nqueries; i++) {
        const json_t *range =
            json_object_get(first_time(json_array_get(in->normals, i)), "dateRange");
        vc_str from = vc_json_str(json_array_get(range, 0)),
               to = vc_json_str(json_array_get(range, 1));
        if (vc_str_is_null(from) || vc_str_is_null(to)) {
            vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                    "compareDateRange is of the first time dimension");
            return vc_error_at_place(error, VC_IMPOSSIBLE, vc_body_node_place(node));
        }
        vc_str text = vc_arena_printf(in->arena, "%.*s - %.*s", VC_FMT(from), VC_FMT(to));
        if (vc_str_is_null(text)) return vc_no_memory(error);
        in->out->queries[i].constant = text;
    }
    return VC_OK;
}

static vc_status blend(requesting *in, vc_body_node node, vc_error *error)
{
    vc_str shared =
        vc_json_str(json_object_get(first_time(json_array_get(in->normals, 0)), "granularity"));
    for (size_t i = 0; i < in->out->nqueries; i++) {
        vc_str granularity =
            vc_json_str(json_object_get(first_time(json_array_get(in->normals, i)), "granularity"));
        if (vc_str_is_null(granularity) || !vc_str_equal(granularity, shared)) {
            vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                    "queries are blended by time: the first time dimension of each has the same "
                    "granularity");
            return vc_error_at_place(error, VC_IMPOSSIBLE, vc_body_node_place(node));
        }
        in->out->queries[i].blended = vc_arena_printf(in->arena, "time.%.*s", VC_FMT(granularity));
        if (vc_str_is_null(in->out->queries[i].blended)) return vc_no_memory(error);
    }
    return VC_OK;
}

/* ---- the query that a client pivots by ---- */

/* The names of all queries, each once. */
static json_t *unite(const json_t *normals, const char *key)
{
    json_t *names = json_array();
    for (size_t q = 0; q < json_array_size(normals); q++) {
        json_t *theirs = json_object_get(json_array_get(normals, q), key);
        for (size_t i = 0; i < json_array_size(theirs); i++) {
            json_t *name = json_array_get(theirs, i);
            size_t at = 0;
            while (at < json_array_size(names) && !json_equal(json_array_get(names, at), name))
                at++;
            if (at == json_array_size(names)) json_array_append(names, name);
        }
    }
    return names;
}

static json_t *make_pivot(const requesting *in)
{
    const json_t *first = json_array_get(in->normals, 0);
    if (in->out->queries[0].blended.size > 0)
        return json_pack("{s:o, s:o, s:[{s:s, s:O}], s:s}", "measures",
                         unite(in->normals, "measures"), "dimensions",
                         unite(in->normals, "dimensions"), "timeDimensions", "dimension", "time",
                         "granularity", json_object_get(first_time(first), "granularity"),
                         "queryType", in->out->type);
    json_t *pivot = json_deep_copy(first);
    if (pivot == NULL) return NULL;
    bool is_well = json_object_set_new(pivot, "queryType", json_string(in->out->type)) == 0;
    if (in->out->queries[0].constant.size > 0)
        is_well &= json_array_insert_new(json_object_get(pivot, "dimensions"), 0,
                                         json_string("compareDateRange")) == 0;
    if (is_well) return pivot;
    json_decref(pivot);
    return NULL;
}

static vc_status put_pivot(requesting *in, vc_error *error)
{
    json_t *pivot = make_pivot(in);
    if (pivot == NULL) return vc_no_memory(error);
    vc_status status = dump(pivot, in->arena, &in->out->pivot, error);
    json_decref(pivot);
    return status;
}

vc_status vc_cubejs_read(vc_model *model, vc_body_node node, int64_t today, vc_arena *arena,
                         vc_cubejs_request *request_out, vc_error *error)
{
    requesting in = {.model = model, .arena = arena, .out = request_out};
    *request_out = (vc_cubejs_request){.today = today};
    in.normals = json_array();
    if (in.normals == NULL) return vc_no_memory(error);
    vc_status status = vc_cubejs_list_cubes(model, arena, &in.names, &in.nnames, error);
    if (status == VC_OK) status = read_queries(&in, node, error);
    if (status == VC_OK && request_out->type[0] == 'c') status = name_ranges(&in, node, error);
    if (status == VC_OK && request_out->type[0] == 'b') status = blend(&in, node, error);
    if (status == VC_OK) status = put_pivot(&in, error);
    json_decref(in.normals);
    return status;
}
