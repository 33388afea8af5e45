/* A query of Cube in full, as it stands in the answer and as the translation reads it. */
#include "http/cubejs.h"

#include <string.h>

enum { MAX_ITEMS = 500 }; /* of a list, but of filters and their values */

typedef struct normalizing {
    vc_body_node query;
    size_t compared;
    int64_t today;
    vc_arena *arena;
    json_t *out;
    bool *is_relative;
} normalizing;

static const char *const fields[] = {"measures",  "dimensions", "filters",        "timeDimensions",
                                     "segments",  "order",      "limit",          "rowLimit",
                                     "offset",    "total",      "timezone",       "renewQuery",
                                     "ungrouped", "cache",      "responseFormat", NULL};

static vc_status fail_at(vc_body_node node, vc_status status, vc_error *error)
{
    return vc_error_at_place(error, status, vc_body_node_place(node));
}

/* Steals the value, which may be NULL: out of memory. */
static vc_status put(json_t *object, const char *key, json_t *value, vc_error *error)
{
    return json_object_set_new(object, key, value) == 0 ? VC_OK : vc_no_memory(error);
}

static vc_status append(json_t *array, json_t *value, vc_error *error)
{
    return json_array_append_new(array, value) == 0 ? VC_OK : vc_no_memory(error);
}

static vc_status get_field(const normalizing *in, const char *key, vc_body_node *node_out,
                           vc_error *error)
{
    return vc_body_node_field(in->query, key, in->arena, node_out, error);
}

static vc_status check_array(vc_body_node node, const char *what, vc_error *error)
{
    if (!json_is_array(node.json)) return vc_body_node_fail_type(node, what, error);
    if (json_array_size(node.json) <= MAX_ITEMS) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_value", "found %zu items, the most is %d",
            json_array_size(node.json), MAX_ITEMS);
    return fail_at(node, VC_BAD_INPUT, error);
}

/* An array of texts under a new name; empty when the query has none. */
static vc_status put_names(const normalizing *in, const char *key, vc_error *error)
{
    vc_body_node node;
    json_t *names = json_array();
    vc_status status = put(in->out, key, names, error);
    if (status == VC_OK) status = get_field(in, key, &node, error);
    if (status != VC_OK || node.json == NULL) return status;
    status = check_array(node, "an array of names", error);
    for (size_t i = 0; i < json_array_size(node.json) && status == VC_OK; i++) {
        vc_body_node name;
        status = vc_body_node_element(node, i, in->arena, &name, error);
        if (status == VC_OK && !json_is_string(name.json))
            return vc_body_node_fail_type(name, "a name", error);
        if (status == VC_OK) status = append(names, json_incref((json_t *)name.json), error);
    }
    return status;
}

/* ---- time dimensions ---- */

static vc_status put_range(const normalizing *in, vc_body_node node, json_t *out, vc_error *error)
{
    vc_cubejs_range range;
    char first[VC_CUBEJS_INSTANT_BYTES], last[VC_CUBEJS_INSTANT_BYTES];
    vc_status status =
        vc_cubejs_range_read(node, in->today, in->arena, &range, in->is_relative, error);
    if (status != VC_OK) return status;
    vc_cubejs_put_instant(range.first, false, first);
    vc_cubejs_put_instant(range.end - 1, true, last);
    return put(out, "dateRange", json_pack("[ss]", first, last), error);
}

static vc_status read_time(const normalizing *in, vc_body_node node, json_t *out, vc_error *error)
{
    static const char *const known[] = {"dimension", "granularity", "dateRange", "compareDateRange",
                                        NULL};
    vc_body_node dimension, granularity, range, compared, one;
    if (!json_is_object(node.json))
        return vc_body_node_fail_type(node, "a time dimension, which is an object", error);
    vc_status status = vc_body_node_check_keys(node, known, error);
    if (status == VC_OK)
        status = vc_body_node_field(node, "dimension", in->arena, &dimension, error);
    if (status == VC_OK)
        status = vc_body_node_field(node, "granularity", in->arena, &granularity, error);
    if (status == VC_OK) status = vc_body_node_field(node, "dateRange", in->arena, &range, error);
    if (status == VC_OK)
        status = vc_body_node_field(node, "compareDateRange", in->arena, &compared, error);
    if (status != VC_OK) return status;
    if (dimension.json == NULL) return vc_body_node_fail_missing(node, "dimension", error);
    if (!json_is_string(dimension.json)) return vc_body_node_fail_type(dimension, "a name", error);
    status = put(out, "dimension", json_incref((json_t *)dimension.json), error);
    if (status == VC_OK && granularity.json != NULL) {
        if (!json_is_string(granularity.json))
            return vc_body_node_fail_type(granularity, "a granularity", error);
        status = put(out, "granularity", json_incref((json_t *)granularity.json), error);
    }
    if (status != VC_OK) return status;
    if (compared.json == NULL) return range.json == NULL ? VC_OK : put_range(in, range, out, error);
    if (range.json != NULL) {
        vc_fail(error, VC_BAD_INPUT, "bad_value",
                "a time dimension has a 'dateRange' or a 'compareDateRange', not both");
        return fail_at(node, VC_BAD_INPUT, error);
    }
    if (!json_is_array(compared.json) || json_array_size(compared.json) == 0)
        return vc_body_node_fail_type(compared, "an array of ranges", error);
    status = vc_body_node_element(compared, in->compared, in->arena, &one, error);
    return status == VC_OK ? put_range(in, one, out, error) : status;
}

static vc_status put_times(const normalizing *in, vc_error *error)
{
    vc_body_node node;
    json_t *times = json_array();
    vc_status status = put(in->out, "timeDimensions", times, error);
    if (status == VC_OK) status = get_field(in, "timeDimensions", &node, error);
    if (status != VC_OK || node.json == NULL) return status;
    status = check_array(node, "an array of time dimensions", error);
    for (size_t i = 0; i < json_array_size(node.json) && status == VC_OK; i++) {
        vc_body_node time;
        json_t *out = json_object();
        status = append(times, out, error);
        if (status == VC_OK) status = vc_body_node_element(node, i, in->arena, &time, error);
        if (status == VC_OK) status = read_time(in, time, out, error);
    }
    return status;
}

/* "shop.date.month" among the dimensions is a time dimension by that granularity. */
static vc_status move_times(const normalizing *in, vc_error *error)
{
    json_t *dimensions = json_object_get(in->out, "dimensions");
    json_t *times = json_object_get(in->out, "timeDimensions");
    vc_status status = VC_OK;
    for (size_t i = 0; i < json_array_size(dimensions) && status == VC_OK;) {
        vc_str name = vc_json_str(json_array_get(dimensions, i)), rest = name;
        vc_str cube = vc_str_split(&rest, '.'), member = {0};
        if (!vc_str_is_null(rest)) member = vc_str_split(&rest, '.');
        if (vc_str_is_null(rest)) {
            i++;
            continue;
        }
        int size = (int)(cube.size + 1 + member.size);
        json_t *time = json_pack("{s:s%, s:s%}", "dimension", name.data, (size_t)size,
                                 "granularity", rest.data, rest.size);
        status = append(times, time, error);
        if (json_array_remove(dimensions, i) != 0) return vc_no_memory(error);
    }
    return status;
}

/* ---- filters ---- */

/* The same filter with `member` in place of the older `dimension`. */
static json_t *copy_filter(const json_t *filter, unsigned depth)
{
    json_t *copy = json_is_object(filter) ? json_copy((json_t *)filter) : NULL;
    if (copy == NULL) return json_incref((json_t *)filter);
    json_t *dimension = json_object_get(copy, "dimension");
    if (dimension != NULL && json_object_get(copy, "member") == NULL) {
        json_object_set(copy, "member", dimension);
        json_object_del(copy, "dimension");
    }
    static const char *const keys[] = {"and", "or"};
    for (size_t k = 0; k < 2 && depth < 32; k++) {
        const json_t *array = json_object_get(filter, keys[k]);
        if (!json_is_array(array)) continue;
        json_t *inner = json_array();
        for (size_t i = 0; i < json_array_size(array); i++)
            json_array_append_new(inner, copy_filter(json_array_get(array, i), depth + 1));
        json_object_set_new(copy, keys[k], inner);
    }
    return copy;
}

static vc_status put_filters(const normalizing *in, vc_error *error)
{
    vc_body_node node;
    json_t *filters = json_array();
    vc_status status = put(in->out, "filters", filters, error);
    if (status == VC_OK) status = get_field(in, "filters", &node, error);
    if (status != VC_OK || node.json == NULL) return status;
    if (!json_is_array(node.json)) return vc_body_node_fail_type(node, "an array", error);
    for (size_t i = 0; i < json_array_size(node.json) && status == VC_OK; i++)
        status = append(filters, copy_filter(json_array_get(node.json, i), 0), error);
    return status;
}

/* ---- order ---- */

static vc_status add_order(json_t *orders, vc_str id, vc_body_node direction, vc_error *error)
{
    vc_str word = vc_json_str(direction.json);
    bool is_descending = vc_str_is(word, "desc");
    if (!is_descending && !vc_str_is(word, "asc"))
        return vc_body_node_fail_type(direction, "\"asc\" or \"desc\"", error);
    return append(orders, json_pack("{s:s%, s:b}", "id", id.data, id.size, "desc", is_descending),
                  error);
}

static vc_status read_orders(const normalizing *in, vc_body_node node, json_t *orders,
                             vc_error *error)
{
    const char *key;
    json_t *value;
    vc_status status = VC_OK;
    if (!json_is_object(node.json))
        status = check_array(node, "an object or an array of pairs", error);
    if (status == VC_OK && json_object_size(node.json) > MAX_ITEMS)
        return vc_body_node_fail_type(node, "fewer fields", error);
    if (status != VC_OK) return status;
    json_object_foreach((json_t *)node.json, key, value)
    {
        vc_body_node direction = {.json = value, .pointer = node.pointer};
        status = add_order(orders, vc_str_of(key), direction, error);
        if (status != VC_OK) return status;
    }
    for (size_t i = 0; i < json_array_size(node.json); i++) {
        vc_body_node pair, direction;
        status = vc_body_node_element(node, i, in->arena, &pair, error);
        if (status != VC_OK) return status;
        vc_str id = vc_json_str(json_array_get(pair.json, 0));
        if (json_array_size(pair.json) != 2 || vc_str_is_null(id))
            return vc_body_node_fail_type(pair, "a pair like [\"world.pop\", \"desc\"]", error);
        status = vc_body_node_element(pair, 1, in->arena, &direction, error);
        if (status == VC_OK) status = add_order(orders, id, direction, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* As Cube does: by the first time, else by the first measure, the greatest first. Without measures
 * members come in their own order. */
static vc_status put_default_order(const normalizing *in, json_t *orders, vc_error *error)
{
    const json_t *times = json_object_get(in->out, "timeDimensions");
    for (size_t i = 0; i < json_array_size(times); i++) {
        const json_t *time = json_array_get(times, i);
        if (json_object_get(time, "granularity") == NULL) continue;
        json_t *order =
            json_pack("{s:O, s:b}", "id", json_object_get(time, "dimension"), "desc", 0);
        return append(orders, order, error);
    }
    json_t *measure = json_array_get(json_object_get(in->out, "measures"), 0);
    if (measure == NULL) return VC_OK;
    return append(orders, json_pack("{s:O, s:b}", "id", measure, "desc", 1), error);
}

static vc_status put_order(const normalizing *in, vc_error *error)
{
    vc_body_node node;
    json_t *orders = json_array();
    vc_status status = put(in->out, "order", orders, error);
    if (status == VC_OK) status = get_field(in, "order", &node, error);
    if (status != VC_OK) return status;
    return node.json == NULL ? put_default_order(in, orders, error)
                             : read_orders(in, node, orders, error);
}

/* ---- single values ---- */

static vc_status put_count(const normalizing *in, const char *key, const char *as, json_int_t min,
                           vc_error *error)
{
    vc_body_node node;
    vc_status status = get_field(in, key, &node, error);
    if (status != VC_OK || node.json == NULL) return status;
    if (!json_is_integer(node.json)) return vc_body_node_fail_type(node, "a whole number", error);
    if (json_integer_value(node.json) < min) {
        vc_fail(error, VC_BAD_INPUT, "bad_value", "%s is at least %d", key, (int)min);
        return fail_at(node, VC_BAD_INPUT, error);
    }
    return put(in->out, as, json_incref((json_t *)node.json), error);
}

static vc_status read_flag(const normalizing *in, const char *key, bool *flag_out, vc_error *error)
{
    vc_body_node node;
    vc_status status = get_field(in, key, &node, error);
    *flag_out = status == VC_OK && json_is_true(node.json);
    if (status != VC_OK || node.json == NULL || json_is_boolean(node.json)) return status;
    return vc_body_node_fail_type(node, "true or false", error);
}

static vc_status check_timezone(const normalizing *in, vc_error *error)
{
    static const char *const names[] = {"UTC",           "Etc/UTC",   "Etc/GMT", "GMT",
                                        "Etc/Universal", "Universal", "Zulu",    NULL};
    vc_body_node node;
    vc_status status = get_field(in, "timezone", &node, error);
    if (status != VC_OK || node.json == NULL) return status;
    vc_str name = vc_json_str(node.json);
    for (size_t i = 0; names[i] != NULL; i++)
        if (vc_str_is(name, names[i])) return VC_OK;
    if (vc_str_is_null(name)) return vc_body_node_fail_type(node, "the name of a time zone", error);
    vc_fail(error, VC_IMPOSSIBLE, "unsupported",
            "the time zone is '%.*s', and dates are days as the facts have them: there is UTC",
            VC_FMT(name));
    return fail_at(node, VC_IMPOSSIBLE, error);
}

static vc_status put_format(const normalizing *in, vc_error *error)
{
    vc_body_node node;
    vc_status status = get_field(in, "responseFormat", &node, error);
    if (status != VC_OK || node.json == NULL) return status;
    vc_str name = vc_json_str(node.json);
    if (vc_str_is(name, "default") || vc_str_is(name, "compact") || vc_str_is(name, "columnar"))
        return put(in->out, "responseFormat", json_incref((json_t *)node.json), error);
    vc_fail(error, VC_BAD_INPUT, "bad_value",
            "responseFormat is one of: default, compact, columnar");
    return fail_at(node, VC_BAD_INPUT, error);
}

static vc_status put_rest(const normalizing *in, vc_error *error)
{
    bool is_ungrouped = false, has_total = false, unused;
    vc_status status = check_timezone(in, error);
    if (status == VC_OK) status = put(in->out, "timezone", json_string("UTC"), error);
    if (status == VC_OK) status = put_count(in, "rowLimit", "limit", 1, error);
    if (status == VC_OK) status = put_count(in, "limit", "limit", 1, error);
    if (status == VC_OK) status = put_count(in, "offset", "offset", 0, error);
    if (status == VC_OK) status = read_flag(in, "total", &has_total, error);
    if (status == VC_OK) status = read_flag(in, "renewQuery", &unused, error);
    if (status == VC_OK) status = read_flag(in, "ungrouped", &is_ungrouped, error);
    if (status == VC_OK && has_total) status = put(in->out, "total", json_true(), error);
    if (status == VC_OK) status = put_format(in, error);
    if (status != VC_OK) return status;
    if (json_array_size(json_object_get(in->out, "segments")) > 0)
        status = vc_fail(error, VC_IMPOSSIBLE, "unsupported", "there are no segments");
    else if (is_ungrouped)
        status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                         "an ungrouped query asks for facts; /v1/cubes/{cube}/facts lists them");
    return status == VC_OK ? VC_OK : fail_at(in->query, status, error);
}

static vc_status check_asks(const normalizing *in, vc_error *error)
{
    const json_t *times = json_object_get(in->out, "timeDimensions");
    size_t nasked = json_array_size(json_object_get(in->out, "measures")) +
                    json_array_size(json_object_get(in->out, "dimensions"));
    for (size_t i = 0; i < json_array_size(times); i++)
        nasked += json_object_get(json_array_get(times, i), "granularity") != NULL;
    if (nasked > 0) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "missing_field",
            "a query asks for measures, dimensions or timeDimensions with a granularity");
    return fail_at(in->query, VC_BAD_INPUT, error);
}

size_t vc_cubejs_count_compared(const json_t *query)
{
    const json_t *times = json_object_get(query, "timeDimensions");
    for (size_t i = 0; i < json_array_size(times); i++) {
        const json_t *compared = json_object_get(json_array_get(times, i), "compareDateRange");
        if (json_is_array(compared)) return json_array_size(compared);
    }
    return 0;
}

vc_status vc_cubejs_normalize(vc_body_node query, size_t compared, int64_t today, vc_arena *arena,
                              json_t **json_out, bool *is_relative, vc_error *error)
{
    normalizing in = {.query = query,
                      .compared = compared,
                      .today = today,
                      .arena = arena,
                      .out = NULL,
                      .is_relative = is_relative};
    if (!json_is_object(query.json))
        return vc_body_node_fail_type(query, "a query, which is an object", error);
    vc_status status = vc_body_node_check_keys(query, fields, error);
    if (status != VC_OK) return status;
    in.out = json_object();
    if (in.out == NULL) return vc_no_memory(error);
    status = put_names(&in, "measures", error);
    if (status == VC_OK) status = put_names(&in, "dimensions", error);
    if (status == VC_OK) status = put_times(&in, error);
    if (status == VC_OK) status = move_times(&in, error);
    if (status == VC_OK) status = put_filters(&in, error);
    if (status == VC_OK) status = put_names(&in, "segments", error);
    if (status == VC_OK) status = put_order(&in, error);
    if (status == VC_OK) status = put_rest(&in, error);
    if (status == VC_OK) status = check_asks(&in, error);
    if (status == VC_OK)
        *json_out = in.out;
    else
        json_decref(in.out);
    return status;
}
