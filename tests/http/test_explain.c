/* POST /v1/explain and explain=true. What the numbers are is for slice; that they come is ours. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#define BODY                                                                                       \
    "{\"cube\":\"golden_left\",\"drilldown\":\"country\",\"cut\":\"country:FR;DE\","               \
    "\"measures\":[\"pop\",\"cpop\",\"ratio\"]"
#define QUESTION "cube=golden_left&cut=country:DE;FR&drilldown=country&measures=pop|cpop|ratio"

static test_server server;

static void start(void)
{
    fixture_start(&server, "samples/golden", NULL);
}

static void stop(void)
{
    fixture_stop(&server);
}

TestSuite(explaining, .init = start, .fini = stop, .timeout = 30);

static json_t *post(const char *target, const char *body)
{
    test_answer answer;
    ask(server.port, "POST", target, NULL, body, &answer);
    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    cr_assert_str_eq(answer_header(&answer, "Content-Type"), "application/json; charset=utf-8");
    json_t *json = json_loadb(answer.body.data, answer.body.size, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(json, "%s", answer.body.data);
    answer_release(&answer);
    return json;
}

/* The step of a scan that is for a dimension; a borrowed reference. */
static const json_t *find_step(const json_t *scan, const char *dimension)
{
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(scan, "steps"), i, step)
    {
        if (strcmp(text_of(step, "dim"), dimension) == 0) return step;
    }
    return NULL;
}

static bool has_word(const json_t *words, const char *word)
{
    for (size_t i = 0; i < json_array_size(words); i++)
        if (strcmp(json_string_value(json_array_get(words, i)), word) == 0) return true;
    return false;
}

Test(explaining, without_executing)
{
    json_t *json = post("/v1/explain", BODY "}"), *explain = json_object_get(json, "explain");
    cr_assert_str_eq(text_of(json, "cube"), "golden_left");
    cr_assert_str_eq(text_of(json, "question"), QUESTION);
    cr_assert_eq(strncmp(text_of(json, "snapshot"), "1-", 2), 0);
    cr_assert(json_is_false(json_object_get(explain, "executed")));
    cr_assert_null(json_object_get(explain, "ns"));
    cr_assert_gt(json_integer_value(json_object_get(explain, "memory_bytes")), 0);
    const json_t *measures = json_object_get(explain, "measures"),
                 *ratio = json_array_get(measures, 2),
                 *cities = json_array_get(json_object_get(explain, "scans"), 1),
                 *step = find_step(cities, "country");
    cr_assert_eq(json_array_size(measures), 3);
    cr_assert_str_eq(text_of(json_array_get(measures, 1), "source"), "cities");
    cr_assert_str_eq(text_of(json_array_get(measures, 1), "aggregator"), "sum");
    cr_assert_str_eq(text_of(ratio, "expr"), "cpop / pop");
    /* Both countries of the cut, through the join: Paris, Lyon; Berlin, Hamburg. */
    cr_assert_str_eq(text_of(cities, "source"), "cities");
    cr_assert_str_eq(text_of(cities, "grouping"), "rows");
    cr_assert_not_null(step);
    cr_assert_str_eq(text_of(step, "source_dim"), "city");
    cr_assert_str_eq(text_of(step, "through"), "country.iso2 = city.ciso");
    cr_assert(json_is_true(json_object_get(step, "mapped")));
    const json_t *why = json_object_get(step, "why");
    cr_assert(has_word(why, "cut") && has_word(why, "drilldown") && has_word(why, "join"));
    cr_assert_eq(json_integer_value(json_object_get(step, "leaves")), 7);
    cr_assert_eq(json_integer_value(json_object_get(step, "leaves_passing")), 4);
    cr_assert_null(json_object_get(cities, "rows_kept"));
    json_decref(json);
}

static void check_text(const char *extra, const char *body, const char *type)
{
    test_answer answer;
    ask(server.port, "POST", "/v1/explain", extra, body, &answer);
    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    cr_assert_str_eq(answer_header(&answer, "Content-Type"), type);
    cr_assert_eq(strncmp(answer.body.data, "cube ", 5) == 0, type[0] == 't', "%s",
                 answer.body.data);
    answer_release(&answer);
}

Test(explaining, as_text_or_json)
{
    static const char text[] = "text/plain; charset=utf-8",
                      json[] = "application/json; charset=utf-8";
    check_text(NULL, BODY ",\"format\":\"table\"}", text);
    check_text("Accept: text/plain\r\n", BODY "}", text);
    check_text("Accept: text/plain, application/json;q=0.5\r\n", BODY "}", text);
    check_text("Accept: text/plain;q=0.5, application/json\r\n", BODY "}", json);
    check_text("Accept: text/csv, text/plain;q=0.5\r\n", BODY "}", text);
    check_text("Accept: text/csv, application/json;q=0.5\r\n", BODY "}", json);
    check_text(NULL, BODY ",\"format\":\"csv\"}", json); /* of the query that is explained */
    check_text("Accept: text/plain\r\n", BODY ",\"format\":\"records\"}", json);
}

/* The answer as always, and the explanation in its meta. It tells times, so it has no tag. */
Test(explaining, beside_the_answer)
{
    json_t *plain = post("/v1/query", BODY "}"),
           *both = post("/v1/query", BODY ",\"explain\":true}"),
           *meta = json_object_get(both, "meta");
    cr_assert_null(json_object_get(json_object_get(plain, "meta"), "explain"));
    cr_assert_eq(json_array_size(json_object_get(json_object_get(meta, "explain"), "measures")), 3);
    json_object_del(meta, "explain");
    cr_assert(json_equal(plain, both));
    json_decref(plain);
    json_decref(both);
    test_answer answer;
    ask(server.port, "GET", "/v1/cubes/golden_left/aggregate?explain=true", NULL, NULL, &answer);
    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    cr_assert_str_eq(answer_header(&answer, "ETag"), "");
    cr_assert_not_null(strstr(answer.body.data, "\"explain\":{\"executed\":"));
    answer_release(&answer);
    ask(server.port, "GET", "/v1/cubes/golden_left/aggregate?explain=false", NULL, NULL, &answer);
    cr_assert_str_neq(answer_header(&answer, "ETag"), "");
    cr_assert_null(strstr(answer.body.data, "\"explain\""));
    answer_release(&answer);
}

TestSuite(explaining_memory, .fini = stop, .timeout = 30);

/* What scans before have left in memory counts, too. */
Test(explaining_memory, is_added_up)
{
    vc_server_options options = {.limits.max_memory_bytes = 1};
    fixture_start(&server, "samples/golden", &options);
    json_t *json = post("/v1/explain", BODY "}"), *explain = json_object_get(json, "explain");
    json_int_t need = json_integer_value(json_object_get(explain, "memory_bytes"));
    json_decref(json);
    stop();
    options.limits.max_memory_bytes = (uint64_t)need; /* of the scan that needs most */
    fixture_start(&server, "samples/golden", &options);
    test_answer answer;
    ask(server.port, "POST", "/v1/query", NULL, BODY "}", &answer);
    cr_assert_eq(answer.status, 422, "%s", answer.body.data);
    cr_assert_not_null(strstr(answer.body.data, " beside the "), "%s", answer.body.data);
    cr_assert_not_null(strstr(answer.body.data, "--max-memory"), "%s", answer.body.data);
    answer_release(&answer);
    stop();
    options.limits.max_memory_bytes = 2 * (uint64_t)need;
    fixture_start(&server, "samples/golden", &options);
    ask(server.port, "POST", "/v1/query", NULL, BODY "}", &answer);
    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    answer_release(&answer);
}

/* What is refused for its need of memory can still be explained. */
TestSuite(explaining_limits, .fini = stop, .timeout = 30);

Test(explaining_limits, memory)
{
    vc_server_options options = {.limits.max_memory_bytes = 1};
    fixture_start(&server, "samples/golden", &options);
    test_answer answer;
    ask(server.port, "POST", "/v1/query", NULL, BODY "}", &answer);
    cr_assert_eq(answer.status, 422, "%s", answer.body.data);
    cr_assert_not_null(strstr(answer.body.data, "\"code\":\"limit_memory\""), "%s",
                       answer.body.data);
    answer_release(&answer);
    json_t *json = post("/v1/explain", BODY "}"), *explain = json_object_get(json, "explain");
    cr_assert_eq(json_integer_value(json_object_get(explain, "max_memory_bytes")), 1);
    cr_assert_gt(json_integer_value(json_object_get(explain, "memory_bytes")), 1);
    json_decref(json);
    ask(server.port, "POST", "/v1/explain", NULL, BODY ",\"format\":\"table\"}", &answer);
    cr_assert_not_null(strstr(answer.body.data, "limit 1 B: the query is refused\n"), "%s",
                       answer.body.data);
    answer_release(&answer);
    json = get_json(server.port, "/v1/info");
    cr_assert_eq(json_integer_value(json_object_get(json_object_get(json, "limits"), "max_memory")),
                 1);
    json_decref(json);
}
