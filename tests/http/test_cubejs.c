/* The dialect of Cube: dates, names, what a query comes to, and errors. What its client makes of
 * the answers is tests/clients/cube.mjs. */
#include "fixture.h"

#include "http/cubejs.h"
#include "http/exchange.h"
#include "query/canonical.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* ---- dates ---- */

Test(cubejs, every_day_is_in_its_periods)
{
    for (int64_t day = -400000; day<400000; day += day> 8000 && day < 12000 ? 1 : 97)
        for (vc_time_part part = VC_TIME_YEAR; part <= VC_TIME_DAY; part++) {
            char key[VC_TIME_KEY_BYTES];
            vc_cubejs_range range, again = vc_cubejs_period_of(day, part);
            cr_assert(vc_cubejs_key_of(day, part, key));
            cr_assert(vc_cubejs_period(vc_str_of(key), part, &range), "%s", key);
            cr_assert_eq(range.first, again.first, "%s", key);
            cr_assert_eq(range.end, again.end, "%s", key);
            cr_assert(range.first <= day && day < range.end, "%s", key);
        }
}

Test(cubejs, what_is_no_period)
{
    static const struct {
        vc_time_part part;
        const char *key;
    } cases[] = {
        {VC_TIME_YEAR, "20"},          {VC_TIME_YEAR, "20200"},      {VC_TIME_YEAR, "FY20"},
        {VC_TIME_QUARTER, "2020-Q5"},  {VC_TIME_QUARTER, "2020-Q0"}, {VC_TIME_MONTH, "2020-13"},
        {VC_TIME_MONTH, "2020-00"},    {VC_TIME_WEEK, "2021-W53"},   {VC_TIME_WEEK, "2020-W00"},
        {VC_TIME_DAY, "2021-02-29"},   {VC_TIME_DAY, "2020-04-31"},  {VC_TIME_DAY, "2020-01-00"},
        {VC_TIME_DAY, "2020-1-1"},     {VC_TIME_MONTH, "2020-1"},    {VC_TIME_NONE, "2020"},
        {VC_TIME_DAY, "2020-01-01T00"}};
    vc_cubejs_range range;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_not(vc_cubejs_period(vc_str_of(cases[i].key), cases[i].part, &range), "%s",
                      cases[i].key);
    cr_assert(vc_cubejs_period(VC_STR("2020-W53"), VC_TIME_WEEK, &range)); /* a long year */
}

static int64_t day_of(const char *text)
{
    vc_cubejs_range range;
    cr_assert(vc_cubejs_period(vc_str_of(text), VC_TIME_DAY, &range), "%s", text);
    return range.first;
}

static vc_status read_range(const char *json, vc_cubejs_range *range, bool *is_relative,
                            vc_error *error)
{
    vc_arena arena = {0};
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    vc_body_node node = {.json = value, .pointer = "/r"};
    cr_assert_not_null(value, "%s", json);
    *is_relative = false;
    /* The last day of a month, a leap year's, a Sunday. */
    vc_status status =
        vc_cubejs_range_read(node, day_of("2024-03-31"), &arena, range, is_relative, error);
    json_decref(value);
    vc_arena_release(&arena);
    return status;
}

Test(cubejs, ranges)
{
    static const struct {
        const char *json, *first, *last;
        bool is_relative;
    } cases[] = {
        {"[\"2020-01-01\",\"2020-12-31\"]", "2020-01-01", "2020-12-31", false},
        {"[\"2020-01-01T00:00:00.000\",\"2020-12-31T23:59:59.999\"]", "2020-01-01", "2020-12-31",
         false},
        {"[\"2020-02-29 00:00:00\",\"2020-02-29T23:59:59.999Z\"]", "2020-02-29", "2020-02-29",
         false},
        {"[\"2020-05-05\"]", "2020-05-05", "2020-05-05", false},
        {"\"2020-05-05\"", "2020-05-05", "2020-05-05", false},
        {"\"today\"", "2024-03-31", "2024-03-31", true},
        {"\"Yesterday\"", "2024-03-30", "2024-03-30", true},
        {"\"tomorrow\"", "2024-04-01", "2024-04-01", true},
        {"\"this week\"", "2024-03-25", "2024-03-31", true},
        {"\"last week\"", "2024-03-18", "2024-03-24", true},
        {"\"next week\"", "2024-04-01", "2024-04-07", true},
        {"\"this month\"", "2024-03-01", "2024-03-31", true},
        {"\"last month\"", "2024-02-01", "2024-02-29", true},
        {"\"last 6 months\"", "2023-09-01", "2024-02-29", true},
        {"[\"last 6 months\"]", "2023-09-01", "2024-02-29", true},
        {"\"last 1 month\"", "2024-02-01", "2024-02-29", true},
        {"\"next 2 months\"", "2024-04-01", "2024-05-31", true},
        {"\"this quarter\"", "2024-01-01", "2024-03-31", true},
        {"\"last quarter\"", "2023-10-01", "2023-12-31", true},
        {"\"last 5 quarters\"", "2022-10-01", "2023-12-31", true},
        {"\"This  Year\"", "2024-01-01", "2024-12-31", true},
        {"\"last 2 years\"", "2022-01-01", "2023-12-31", true},
        {"\"last 30 days\"", "2024-03-01", "2024-03-30", true},
        {"\"last day\"", "2024-03-30", "2024-03-30", true},
        {"\"from 2020-01-01 to 2020-12-31\"", "2020-01-01", "2020-12-31", false},
        {"\"from 2024-01-01 to now\"", "2024-01-01", "2024-03-31", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_error error = {0};
        vc_cubejs_range range;
        bool is_relative;
        cr_assert_eq(read_range(cases[i].json, &range, &is_relative, &error), VC_OK, "%s: %s",
                     cases[i].json, error.message);
        cr_expect_eq(range.first, day_of(cases[i].first), "%s", cases[i].json);
        cr_expect_eq(range.end, day_of(cases[i].last) + 1, "%s", cases[i].json);
        cr_expect_eq(is_relative, cases[i].is_relative, "%s", cases[i].json);
    }
}

Test(cubejs, what_is_no_range)
{
    static const struct {
        const char *json, *code;
    } cases[] = {
        {"[]", "bad_type"},
        {"7", "bad_type"},
        {"[\"2020-01-01\",7]", "bad_type"},
        {"[\"2020-01-01\",\"2020-02-01\",\"2020-03-01\"]", "bad_type"},
        {"\"\"", "bad_value"},
        {"\"last\"", "bad_value"},
        {"\"last 0 days\"", "bad_value"},
        {"\"this 2 days\"", "bad_value"},
        {"\"last 6 hours\"", "bad_value"},
        {"\"last 9999 years\"", "bad_value"}, /* before the year 0 */
        {"\"next 9999 years\"", "bad_value"},
        {"\"last 6 months ago or so\"", "bad_value"},
        {"[\"2020-02-30\",\"2020-03-01\"]", "bad_value"},
        {"[\"2020-12-31\",\"2020-01-01\"]", "bad_value"},
        {"[\"2020-01-01T12:00:00\",\"2020-12-31\"]", "unsupported"},
        {"[\"2020-01-01T23:59:59.999\",\"2020-12-31\"]", "unsupported"},
        {"[\"2020-01-01\",\"2020-12-31T00:00:00.000\"]", "unsupported"},
        {"[\"2020-01-01T00:00:00+02:00\",\"2020-12-31\"]", "unsupported"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_error error = {0};
        vc_cubejs_range range;
        bool is_relative;
        cr_assert_neq(read_range(cases[i].json, &range, &is_relative, &error), VC_OK, "%s",
                      cases[i].json);
        cr_expect_str_eq(error.code, cases[i].code, "%s: %s", cases[i].json, error.message);
    }
}

/* ---- what a query comes to ---- */

static test_server server;

static void start(void)
{
    fixture_start(&server, "samples/retail", NULL);
    fixture_load(&server, "tests/clients/fixture");
    fixture_load(&server, "samples/golden");
}

static vc_status read_query(const char *json, vc_model *model, vc_arena *arena,
                            vc_cubejs_request *request, vc_error *error)
{
    json_t *value = json_loads(json, 0, NULL);
    vc_body_node node = {.json = value, .pointer = "/query"};
    cr_assert_not_null(value, "%s", json);
    vc_status status = vc_cubejs_read(model, node, day_of("2025-01-15"), arena, request, error);
    json_decref(value);
    return status;
}

static vc_model *open_model(void)
{
    vc_snapshot *snapshot;
    vc_model *model;
    cr_assert_eq(vc_snapshot_open(server.store, &snapshot, NULL), VC_OK);
    cr_assert_eq(vc_model_new(snapshot, true, &model, NULL), VC_OK);
    return model;
}

#define LINES "\"measures\":[\"sales.lines\"]"

/* As the same question is written natively: canonical texts are equal. */
Test(cubejs, a_query_is_one_of_ours)
{
    static const struct {
        const char *json, *canonical;
    } cases[] = {
        {"{" LINES "}", "cube=sales&measures=lines&order=lines:desc"},
        {"{" LINES ",\"order\":[]}", "cube=sales&measures=lines"},
        {"{" LINES ",\"order\":{},\"dimensions\":[\"sales.store_city\"],\"limit\":3,\"offset\":2}",
         "cube=sales&drilldown=store:city&measures=lines&limit=3&offset=2"},
        {"{" LINES ",\"order\":[],\"dimensions\":[\"sales.store_region\",\"sales.store_city\"]}",
         "cube=sales&drilldown=store:city&measures=lines&parents=true"},
        {"{" LINES ",\"order\":[[\"sales.store_city\",\"desc\"]],\"dimensions\":"
         "[\"sales.store_city\"]}",
         "cube=sales&drilldown=store:city&measures=lines&order=store:desc"},
        {"{" LINES ",\"timeDimensions\":[{\"dimension\":\"sales.date\",\"granularity\":\"month\","
         "\"dateRange\":[\"2024-01-01\",\"2024-12-31\"]}]}",
         "cube=sales&cut=date.year:2024-2024&drilldown=date:month&measures=lines&order=date:asc"},
        {"{" LINES ",\"order\":[],\"timeDimensions\":[{\"dimension\":\"sales.date\",\"dateRange\":"
         "\"last 3 months\"}]}",
         "cube=sales&cut=date.quarter:2024\\-Q4-2024\\-Q4&measures=lines"},
        {"{" LINES ",\"order\":[],\"filters\":[{\"member\":\"sales.date\",\"operator\":"
         "\"beforeDate\",\"values\":[\"2024-02-10\"]}]}",
         "cube=sales&cut=date.day:-2024\\-02\\-09&measures=lines"},
        {"{" LINES ",\"order\":[],\"filters\":[{\"member\":\"sales.date\",\"operator\":"
         "\"afterDate\",\"values\":[\"2024-02-29\"]}]}",
         "cube=sales&cut=date.month:2024\\-03-&measures=lines"},
        {"{" LINES ",\"order\":[],\"filters\":[{\"dimension\":\"sales.store_city\",\"operator\":"
         "\"equals\",\"values\":[\"B\",\"A\",null]}]}",
         "cube=sales&cut=store.city:(null);A;B&measures=lines"},
        {"{" LINES ",\"order\":[],\"filters\":[{\"and\":[{\"member\":\"sales.lines\",\"operator\":"
         "\"gt\",\"values\":[\"10\"]},{\"member\":\"sales.product_brand\",\"operator\":"
         "\"contains\",\"values\":[\"x\"]}]}]}",
         "cube=sales&cut=product.brand:(contains)(key)x&having=lines:gt:10&measures=lines"},
        {"{" LINES ",\"order\":[],\"filters\":[{\"member\":\"sales.lines\",\"operator\":"
         "\"measureFilter\"}]}",
         "cube=sales&having=lines:set&measures=lines"},
        {"{" LINES ",\"order\":[],\"dimensions\":[\"sales.product\",\"sales.product_brand\"]}",
         "cube=sales&drilldown=product:product&measures=lines&properties=product\\.brand"},
        {"{\"measures\":[\"visits.lines\"],\"dimensions\":[\"visits.day_weekly_day\"],"
         "\"timeDimensions\":[{\"dimension\":\"visits.day\",\"granularity\":\"week\"}]}",
         "cube=visits&drilldown=day@weekly:day&measures=lines&order=day:asc&"
         "parents=true"},
    };
    start();
    vc_model *model = open_model();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_error error = {0};
        vc_arena arena = {0};
        vc_cubejs_request request;
        vc_status status = read_query(cases[i].json, model, &arena, &request, &error);
        cr_assert_eq(status, VC_OK, "%s: %s", cases[i].json, error.message);
        vc_str text = vc_query_canonical(&request.queries[0].query, &arena);
        cr_expect(vc_str_is(text, cases[i].canonical), "%s\nis       %.*s\nexpected %s",
                  cases[i].json, VC_FMT(text), cases[i].canonical);
        vc_arena_release(&arena);
    }
    vc_model_free(model);
    fixture_stop(&server);
}

/* An answer to words is today's: only then is the day a part of what it is made of. */
Test(cubejs, words_are_of_today)
{
    static const struct {
        const char *json;
        bool is_of_today;
    } cases[] = {
        {"{" LINES ",\"timeDimensions\":[{\"dimension\":\"sales.date\",\"dateRange\":\"today\"}]}",
         true},
        {"{" LINES ",\"filters\":[{\"member\":\"sales.date\",\"operator\":\"inDateRange\","
         "\"values\":[\"last 2 days\"]}]}",
         true},
        {"{" LINES ",\"timeDimensions\":[{\"dimension\":\"sales.date\",\"compareDateRange\":"
         "[[\"2024-01-01\",\"2024-01-31\"],\"this month\"]}]}",
         true},
        {"{" LINES ",\"timeDimensions\":[{\"dimension\":\"sales.date\",\"dateRange\":"
         "\"2024-01-01\"}]}",
         false},
    };
    start();
    vc_model *model = open_model();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_error error = {0};
        vc_arena arena = {0};
        vc_cubejs_request request;
        vc_status status = read_query(cases[i].json, model, &arena, &request, &error);
        cr_assert_eq(status, VC_OK, "%s: %s", cases[i].json, error.message);
        cr_expect_eq(request.is_of_today, cases[i].is_of_today, "%s", cases[i].json);
        vc_arena_release(&arena);
    }
    vc_model_free(model);
    fixture_stop(&server);
}

/* ---- over HTTP ---- */

static json_t *load(const char *query, unsigned status)
{
    char body[4000];
    test_answer answer;
    snprintf(body, sizeof body, "{\"query\":%s,\"queryType\":\"multi\"}", query);
    ask(server.port, "POST", "/cubejs-api/v1/load", "Content-Type: application/json\r\n", body,
        &answer);
    cr_assert_eq(answer.status, status, "%s: %u %s", query, answer.status, answer.body.data);
    cr_assert_eq(strncmp(answer_header(&answer, "Content-Type"), "application/json", 16), 0);
    json_t *json = json_loadb(answer.body.data, answer.body.size, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(json, "%s", answer.body.data);
    answer_release(&answer);
    return json;
}

static void assert_data(const char *query, const char *expected)
{
    json_t *answer = load(query, 200);
    json_t *data = json_object_get(json_array_get(json_object_get(answer, "results"), 0), "data");
    json_t *wanted = json_loads(expected, 0, NULL);
    cr_assert_not_null(wanted, "%s", expected);
    char *text = json_dumps(data, JSON_COMPACT);
    cr_expect(json_equal(data, wanted), "%s\nis       %s\nexpected %s", query, text, expected);
    free(text);
    json_decref(wanted);
    json_decref(answer);
}

/* The golden example of the semantics, seen through Cube. */
Test(cubejs, golden)
{
    start();
    assert_data("{\"measures\":[\"golden_full.pop\",\"golden_full.cpop\"],\"order\":[]}",
                "[{\"golden_full.pop\":611.8,\"golden_full.cpop\":16.8}]");
    fixture_stop(&server);
}

Test(cubejs, rows)
{
    start();
    assert_data(
        "{\"measures\":[\"golden_full.cpop\",\"golden_full.pop\"],"
        "\"dimensions\":[\"golden_full.country\"],\"order\":[]}",
        "[{\"golden_full.country\":\"DE\",\"golden_full.cpop\":5.6,\"golden_full.pop\":84},"
        "{\"golden_full.country\":\"FR\",\"golden_full.cpop\":2.6,\"golden_full.pop\":68},"
        "{\"golden_full.country\":\"JP\",\"golden_full.cpop\":null,\"golden_full.pop\":125},"
        "{\"golden_full.country\":\"US\",\"golden_full.cpop\":8.3,\"golden_full.pop\":333},"
        "{\"golden_full.country\":\"XK\",\"golden_full.cpop\":0.2,\"golden_full.pop\":1.8},"
        "{\"golden_full.country\":\"(unmatched:cities)\",\"golden_full.cpop\":0.1,"
        "\"golden_full.pop\":null}]");
    fixture_stop(&server);
}

Test(cubejs, errors)
{
    static const struct {
        const char *query, *code, *pointer;
        unsigned status;
    } cases[] = {
        {"{" LINES ",\"timezone\":\"Europe/Paris\"}", "unsupported", "/query/timezone", 400},
        {"{" LINES ",\"filters\":[{\"member\":\"sales.x\",\"operator\":\"set\"}]}",
         "unknown_member", "/query/filters/0/member", 400},
        {"{" LINES
         ",\"filters\":[{\"member\":\"sales.date\",\"operator\":\"set\",\"values\":[1]}]}",
         "bad_value", "/query/filters/0", 400},
        {"{" LINES ",\"limit\":0}", "bad_value", "/query/limit", 400},
        {"{" LINES ",\"dimensions\":[7]}", "bad_type", "/query/dimensions/0", 400},
        {"{" LINES ",\"timeDimensions\":[{\"granularity\":\"day\"}]}", "missing_field",
         "/query/timeDimensions/0", 400},
        {"{" LINES ",\"timeDimensions\":[{\"dimension\":\"sales.date\",\"dateRange\":\"today\","
         "\"compareDateRange\":[\"today\"]}]}",
         "bad_value", "/query/timeDimensions/0", 400},
        {"{" LINES ",\"order\":{\"sales.store_region\":\"asc\",\"sales.lines\":\"desc\"},"
         "\"dimensions\":[\"sales.store_region\",\"sales.store_city\"]}",
         "unsupported", "/query/order/0", 400},
        {"{" LINES ",\"order\":{\"sales.store_region\":\"asc\",\"sales.store_city\":\"desc\"},"
         "\"dimensions\":[\"sales.store_region\",\"sales.store_city\"]}",
         "unsupported", "/query/order/0", 400},
        {"{" LINES ",\"order\":{\"sales.store_label\":\"asc\"},"
         "\"dimensions\":[\"sales.store\",\"sales.store_label\"]}",
         "unsupported", "/query/order/0", 400},
        /* The measure and the dimension have one name, and an order goes by names. */
        {"{\"measures\":[\"tricky_names.place\"],\"dimensions\":[\"tricky_names.place_state\"]}",
         "unsupported", "/query/order/0", 400},
        {"{\"measures\":[\"shop.target\"],\"dimensions\":[\"shop.no\"]}", "unknown_member",
         "/query/dimensions/0", 400},
    };
    start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *error = load(cases[i].query, cases[i].status);
        cr_expect_str_eq(text_of(error, "code"), cases[i].code, "%s", cases[i].query);
        cr_expect_str_eq(text_of(error, "pointer"), cases[i].pointer, "%s", cases[i].query);
        cr_expect_neq(text_of(error, "error")[0], '\0');
        json_decref(error);
    }
    fixture_stop(&server);
}

Test(cubejs, an_answer_is_kept)
{
    static const char target[] = "/cubejs-api/v1/load?query=%7B%22measures%22%3A%5B%22sales.lines"
                                 "%22%5D%7D";
    test_answer first, second, third;
    char tag[200];
    start();
    ask(server.port, "GET", target, NULL, NULL, &first);
    cr_assert_eq(first.status, 200);
    snprintf(tag, sizeof tag, "If-None-Match: %s\r\n", answer_header(&first, "ETag"));
    ask(server.port, "GET", target, NULL, NULL, &second);
    cr_assert_str_eq(second.body.data, first.body.data);
    cr_assert_not_null(strstr(answer_header(&second, "Server-Timing"), "hit"));
    ask(server.port, "GET", target, tag, NULL, &third);
    cr_assert_eq(third.status, 304);
    answer_release(&first);
    answer_release(&second);
    answer_release(&third);
    fixture_stop(&server);
}

/* The words of a request stand for its answer only if they mean the same tomorrow. */
Test(cubejs, words_of_today_are_looked_up_by_the_day)
{
    static const struct {
        const char *query;
        uint64_t naliased, nfound;
    } cases[] = {
        {"{" LINES ",\"timeDimensions\":[{\"dimension\":\"sales.date\",\"dateRange\":\"today\"}]}",
         0, 1},
        {"{" LINES "}", 1, 0},
    };
    start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_answers_stats before = vc_answers_stat(server.server->service.answers);
        json_decref(load(cases[i].query, 200));
        json_decref(load(cases[i].query, 200));
        vc_answers_stats after = vc_answers_stat(server.server->service.answers);
        cr_expect_eq(after.naliased - before.naliased, cases[i].naliased, "%s", cases[i].query);
        cr_expect_eq(after.nfound - before.nfound, cases[i].nfound, "%s", cases[i].query);
    }
    fixture_stop(&server);
}
