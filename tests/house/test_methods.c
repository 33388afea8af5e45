/* GET and POST of one question give the same bytes, in every format. What is not in the grammar of
 * parameters (expressions, filters, calculated members) can be asked by POST alone. */
#include "tests/house/house.h"

#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

TestSuite(methods, .timeout = 60);

static const char *const formats[] = {"records", "arrays", "columns",  "csv",
                                      "ndjson",  "table",  "jsonstat", "arrow"};

enum { NFORMATS = sizeof formats / sizeof formats[0] };

/* A name as the grammar reads it back. */
static void put_name(vc_buffer *out, const char *name)
{
    for (; *name != '\0'; name++) {
        if (strchr("|:;,-!@/#.\\()=", *name) != NULL) vc_buffer_put_char(out, '\\');
        vc_buffer_put_char(out, *name);
    }
}

/* An element of a list as a text of the grammar; false when it has none. */
static bool put_element(vc_buffer *out, const char *field, const json_t *element)
{
    const char *text = json_string_value(element);
    bool is_names = strcmp(field, "measures") == 0 || strcmp(field, "nonempty") == 0;
    if (text != NULL && is_names) {
        put_name(out, text);
    } else if (text != NULL) {
        vc_buffer_put_text(out, text);
    } else if (strcmp(field, "order") == 0 && json_array_size(element) == 2) {
        vc_buffer_printf(out, "%s:%s", json_string_value(json_array_get(element, 0)),
                         json_string_value(json_array_get(element, 1)));
    } else if (strcmp(field, "dimensions") == 0 && json_is_object(element)) {
        const char *level = json_string_value(json_object_get(element, "level"));
        vc_buffer_put_text(out, json_string_value(json_object_get(element, "dim")));
        if (level != NULL) vc_buffer_put_char(out, ':');
        if (level != NULL) put_name(out, level);
    } else {
        return false;
    }
    return true;
}

static bool put_value(vc_buffer *out, const char *field, const json_t *value)
{
    size_t i;
    json_t *element;
    if (json_is_string(value)) vc_buffer_put_text(out, json_string_value(value));
    if (json_is_boolean(value)) vc_buffer_put_text(out, json_is_true(value) ? "true" : "false");
    if (json_is_integer(value)) vc_buffer_put_int(out, json_integer_value(value));
    if (!json_is_array(value)) return json_is_string(value) || !json_is_object(value);
    bool has_commas = strcmp(field, "measures") == 0 || strcmp(field, "nonempty") == 0 ||
                      strcmp(field, "properties") == 0;
    json_array_foreach(value, i, element)
    {
        if (i > 0) vc_buffer_put_char(out, has_commas ? ',' : '|');
        if (!put_element(out, field, element)) return false;
    }
    return true;
}

/* The address that asks what the body asks, without the format; false when there is none. */
static bool put_target(vc_buffer *out, const json_t *query)
{
    static const char *const of_bodies[] = {"filters", "calculated_members", NULL};
    const char *field;
    json_t *value;
    vc_buffer_put_text(out, "/v1/cubes/");
    house_put_encoded(out, json_string_value(json_object_get(query, "cube")));
    vc_buffer_put_text(out, "/aggregate?cache=off");
    json_object_foreach((json_t *)query, field, value)
    {
        vc_buffer text = {0};
        for (size_t i = 0; of_bodies[i] != NULL; i++)
            if (strcmp(field, of_bodies[i]) == 0) return false;
        if (strcmp(field, "cube") == 0) continue;
        bool is_good = put_value(&text, field, value);
        vc_buffer_printf(out, "&%s=", strcmp(field, "dimensions") == 0 ? "drilldown" : field);
        house_put_encoded(out, vc_buffer_text(&text));
        vc_buffer_release(&text);
        if (!is_good) return false;
    }
    return true;
}

static json_t *open_query(const char *name, char store[HOUSE_PATH])
{
    char folder[HOUSE_PATH];
    house_path(folder, "tests/data/query", name);
    json_t *request = house_read_json(folder, "request.json");
    house_store(json_string_value(json_object_get(request, "fixture")), store);
    json_t *query = json_incref(json_object_get(request, "query"));
    json_decref(request);
    return query;
}

/* Not from what is kept: both are computed. */
static char *body_of(const json_t *query, const char *format)
{
    json_t *copy = json_deep_copy(query);
    json_object_set_new(copy, "format", json_string(format));
    json_object_set_new(copy, "cache", json_string("off"));
    char *body = json_dumps(copy, JSON_COMPACT);
    json_decref(copy);
    return body;
}

/* The code of a problem; where it stands and its request differ. */
static void put_code(vc_buffer *out, const struct house_reply *reply)
{
    json_t *problem = json_loads(reply->text.data, 0, NULL);
    const char *code = json_string_value(json_object_get(problem, "code"));
    vc_buffer_put_text(out, code != NULL ? code : "?");
    json_decref(problem);
}

static void check_same(const char *name, const char *target, const struct house_reply *get,
                       const struct house_reply *post)
{
    vc_buffer got = {0}, posted = {0};
    cr_assert_eq(get->code, post->code, "%s: GET %s: %d %s\nPOST: %d %s", name, target, get->code,
                 get->text.data, post->code, post->text.data);
    if (get->code == 200) {
        cr_assert(get->text.size == post->text.size &&
                      memcmp(get->text.data, post->text.data, get->text.size) == 0,
                  "%s: GET %s\n%s\nPOST\n%s", name, target, get->text.data, post->text.data);
    } else {
        put_code(&got, get);
        put_code(&posted, post);
        cr_assert_str_eq(vc_buffer_text(&got), vc_buffer_text(&posted), "%s", name);
    }
    vc_buffer_release(&got);
    vc_buffer_release(&posted);
}

/* Does it hold what only a body can: objects, in a list or as filters and calculated members are?
 */
static bool is_only_body(const json_t *query)
{
    size_t i;
    const char *field;
    json_t *value, *element;
    json_object_foreach((json_t *)query, field, value)
    {
        if (strcmp(field, "dimensions") == 0) continue;
        json_array_foreach(value, i, element) if (json_is_object(element)) return true;
    }
    return false;
}

ParameterizedTestParameters(methods, get_and_post)
{
    return house_folders("tests/data/query");
}

ParameterizedTest(struct house_folder *parameter, methods, get_and_post)
{
    char store[HOUSE_PATH];
    vc_buffer targets[NFORMATS] = {{0}};
    struct house_request requests[2 * NFORMATS];
    struct house_reply replies[2 * NFORMATS];
    json_t *query = open_query(parameter->name, store);
    for (size_t i = 0; i < NFORMATS; i++) {
        if (!put_target(&targets[i], query)) {
            cr_assert(is_only_body(query), "%s: no address", parameter->name);
            vc_buffer_release(&targets[i]);
            json_decref(query);
            return;
        }
        vc_buffer_printf(&targets[i], "&format=%s", formats[i]);
        requests[2 * i] = (struct house_request){.target = vc_buffer_text(&targets[i])};
        requests[2 * i + 1] =
            (struct house_request){.target = "/v1/query", .body = body_of(query, formats[i])};
    }
    house_ask_many(store, requests, 2 * NFORMATS, replies);
    cr_assert_eq(replies[0].code, 200, "%s: %s\n%s", parameter->name, requests[0].target,
                 replies[0].text.data);
    for (size_t i = 0; i < NFORMATS; i++) {
        check_same(parameter->name, requests[2 * i].target, &replies[2 * i], &replies[2 * i + 1]);
        house_reply_release(&replies[2 * i]);
        house_reply_release(&replies[2 * i + 1]);
        free((char *)requests[2 * i + 1].body);
        vc_buffer_release(&targets[i]);
    }
    json_decref(query);
}
