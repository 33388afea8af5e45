#include "fixture.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static test_server server;

static json_t *post(const char *target, const char *body, unsigned status)
{
    test_answer answer;
    json_error_t error;
    ask(server.port, "POST", target, NULL, body, &answer);
    cr_assert_eq(answer.status, status, "%u %s", answer.status, answer.body.data);
    json_t *json = json_loadb(answer.body.data, answer.body.size, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(json, "%s: %s", error.text, answer.body.data);
    answer_release(&answer);
    return json;
}

static json_t *answer_at(const json_t *batch, size_t number, json_int_t status)
{
    json_t *item = json_array_get(json_object_get(batch, "answers"), number);
    cr_assert_eq(json_integer_value(json_object_get(item, "status")), status);
    return json_object_get(item, status == 200 ? "answer" : "problem");
}

static void assert_problem(const json_t *batch, size_t number, json_int_t status, const char *code,
                           const char *pointer)
{
    const json_t *problem = answer_at(batch, number, status);
    cr_assert_str_eq(text_of(problem, "code"), code);
    cr_assert_str_eq(text_of(problem, "pointer"), pointer);
}

/* Every answer is the one that the query alone would have. */
Test(batch, answers_in_their_order)
{
    static const char *const queries[] = {
        "{\"cube\":\"golden_full\",\"drilldown\":\"country\",\"totals\":\"()\"}",
        "{\"cube\":\"golden_left\",\"measures\":[\"cpop\"]}",
        "{\"cube\":\"golden_full\",\"drilldown\":\"country\",\"format\":\"arrays\",\"limit\":2}",
        "{\"cube\":\"golden_full\",\"drilldown\":\"country\",\"format\":\"jsonstat\"}",
    };
    enum { COUNT = sizeof queries / sizeof queries[0] };
    char body[2000] = "{\"queries\":[";
    fixture_start(&server, "samples/golden", NULL);
    for (size_t i = 0; i < COUNT; i++) {
        strcat(body, i > 0 ? "," : "");
        strcat(body, queries[i]);
    }
    strcat(body, "]}");
    json_t *batch = post("/v1/batch", body, 200);
    cr_assert_eq(json_array_size(json_object_get(batch, "answers")), COUNT);
    cr_assert_eq(strncmp(text_of(batch, "snapshot"), "1-", 2), 0);
    for (size_t i = 0; i < COUNT; i++) {
        json_t *alone = post("/v1/query", queries[i], 200);
        cr_assert(json_equal(answer_at(batch, i, 200), alone), "%s", queries[i]);
        json_decref(alone);
    }
    json_decref(batch);
    fixture_stop(&server);
}

Test(batch, a_mistake_costs_its_own_answer_only)
{
    fixture_start(&server, "samples/golden", NULL);
    json_t *batch = post("/v1/batch",
                         "{\"cube\":\"golden_full\",\"queries\":[{\"drilldown\":\"contry\"},"
                         "{\"cube\":\"gold\"},{\"measures\":[\"pop\"]},{\"limit\":\"x\"},"
                         "{\"format\":\"csv\"},{\"at\":\"1-0000\"},7]}",
                         200);
    assert_problem(batch, 0, 404, "unknown_dimension", "/queries/0/drilldown");
    assert_problem(batch, 1, 404, "unknown_cube", "/queries/1/cube");
    const json_t *summary = json_object_get(answer_at(batch, 2, 200), "summary");
    cr_assert_float_eq(json_number_value(json_object_get(summary, "pop")), 611.8, 1e-9);
    assert_problem(batch, 3, 400, "bad_parameter", "/queries/3/limit");
    assert_problem(batch, 4, 422, "unsupported", "/queries/4/format");
    assert_problem(batch, 5, 400, "bad_value", "/queries/5/at");
    assert_problem(batch, 6, 400, "bad_type", "/queries/6");
    json_decref(batch);
    fixture_stop(&server);
}

Test(batch, what_is_no_batch)
{
    static const struct {
        const char *body, *code, *pointer;
        unsigned status;
    } cases[] = {
        {"[]", "bad_type", "", 400},
        {"{}", "missing_field", "", 400},
        {"{\"queries\":{}}", "bad_type", "/queries", 400},
        {"{\"queries\":[],\"qeries\":[]}", "unknown_field", "/qeries", 400},
        {"{\"queries\":[],\"cube\":7}", "bad_type", "/cube", 400},
        {"{\"queries\":[],\"at\":\"9-ffff\"}", "unknown_snapshot", "/at", 404},
        {"{\"queries\":[", "json", "", 400},
    };
    fixture_start(&server, "samples/golden", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *problem = post("/v1/batch", cases[i].body, cases[i].status);
        cr_assert_str_eq(text_of(problem, "code"), cases[i].code, "%s", cases[i].body);
        cr_assert_str_eq(text_of(problem, "pointer"), cases[i].pointer, "%s", cases[i].body);
        json_decref(problem);
    }
    char many[1000] = "{\"queries\":[0";
    for (int i = 0; i < 100; i++)
        strcat(many, ",0");
    strcat(many, "]}");
    json_t *problem = post("/v1/batch", many, 422);
    cr_assert_str_eq(text_of(problem, "code"), "limit_queries");
    json_decref(problem);
    json_t *nothing = post("/v1/batch", "{\"queries\":[]}", 200);
    cr_assert_eq(json_array_size(json_object_get(nothing, "answers")), 0);
    json_decref(nothing);
    fixture_stop(&server);
}

/* All of it from the snapshot that `at` names, while a newer one is there. */
Test(batch, one_snapshot)
{
    char body[200];
    fixture_start(&server, "samples/golden", NULL);
    json_t *before = post("/v1/batch", "{\"queries\":[{\"cube\":\"golden_full\"}]}", 200);
    fixture_load(&server, "samples/golden");
    snprintf(body, sizeof body, "{\"at\":\"%s\",\"queries\":[{\"cube\":\"golden_full\"}]}",
             text_of(before, "snapshot"));
    json_t *after = post("/v1/batch", body, 200);
    cr_assert(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    fixture_stop(&server);
}
