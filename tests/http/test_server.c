/* Every route and the shape of its answers and errors, over the golden samples. */
#include "fixture.h"

#include "query/body.h"
#include "query/parameters.h"
#include "render/render.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LEFT "/v1/cubes/golden_left"
#define FULL "/v1/cubes/golden_full"

static test_server server;

static void start(void)
{
    fixture_start(&server, "samples/golden", NULL);
}

static void stop(void)
{
    fixture_stop(&server);
}

TestSuite(server, .init = start, .fini = stop);

/* ---- the server itself ---- */

Test(server, health_readiness_info)
{
    json_t *json = get_json(server.port, "/healthz");
    cr_assert_str_eq(text_of(json, "status"), "ok");
    json_decref(json);
    json = get_json(server.port, "/readyz");
    cr_assert_str_eq(text_of(json, "status"), "ready");
    json_decref(json);
    json = get_json(server.port, "/v1/info");
    cr_assert_str_eq(text_of(json, "name"), "vcube");
    cr_assert_str_eq(text_of(json, "version"), "test");
    json_t *limits = json_object_get(json, "limits");
    cr_assert_eq(json_integer_value(json_object_get(limits, "max_body")), 1048576);
    cr_assert_eq(json_integer_value(json_object_get(limits, "max_cells")), 5000000);
    cr_assert_eq(json_integer_value(json_object_get(limits, "max_memory")),
                 (json_int_t)VC_DEFAULT_MAX_MEMORY);
    cr_assert_gt(json_array_size(json_object_get(json, "formats")), 3);
    json_decref(json);
    json = get_json(server.port, "/v1/snapshots");
    cr_assert_eq(json_integer_value(json_object_get(json_object_get(json, "newest"), "epoch")), 1);
    cr_assert_eq(json_array_size(json_object_get(json, "snapshots")), 1);
    json_decref(json);
}

/* The snapshots that are listed can be asked, and one that is not kept any more says so. */
Test(server, snapshots)
{
    char first[32], target[200];
    json_t *json = get_json(server.port, "/v1/snapshots"), *kept;
    size_t i;
    snprintf(first, sizeof first, "%s", text_of(json_object_get(json, "newest"), "id"));
    json_decref(json);
    for (i = 0; i < 8; i++)
        fixture_load(&server, "samples/golden");
    json = get_json(server.port, "/v1/snapshots");
    json_t *snapshots = json_object_get(json, "snapshots");
    cr_assert_eq(json_array_size(snapshots), 8);
    cr_assert(json_equal(json_object_get(json_array_get(snapshots, 0), "id"),
                         json_object_get(json_object_get(json, "newest"), "id")));
    cr_assert(json_equal(json_object_get(json_array_get(snapshots, 7), "id"),
                         json_object_get(json_object_get(json, "oldest"), "id")));
    cr_assert(json_is_null(json_object_get(json_array_get(snapshots, 7), "changes")));
    json_t *change = json_array_get(json_object_get(json_array_get(snapshots, 0), "changes"), 0);
    cr_assert_str_eq(text_of(change, "change"), "loaded");
    json_array_foreach(snapshots, i, kept)
    {
        snprintf(target, sizeof target, LEFT "/aggregate?at=%s", text_of(kept, "id"));
        json_decref(get_json(server.port, target));
    }
    test_answer answer;
    snprintf(target, sizeof target, LEFT "/aggregate?at=%s", first);
    ask(server.port, "GET", target, NULL, NULL, &answer);
    cr_assert_eq(answer.status, 410);
    cr_assert_not_null(strstr(answer.body.data, "expired_snapshot"));
    cr_assert_not_null(strstr(answer.body.data, text_of(json_object_get(json, "oldest"), "id")));
    cr_assert_not_null(strstr(answer.body.data, text_of(json_object_get(json, "newest"), "id")));
    answer_release(&answer);
    json_decref(json);
}

Test(server, headers_of_an_answer)
{
    test_answer answer;
    ask(server.port, "GET", "/v1/cubes", "X-Request-Id: mine-7\r\n", NULL, &answer);
    cr_assert_eq(answer.status, 200);
    cr_assert_str_eq(answer_header(&answer, "Content-Type"), "application/json; charset=utf-8");
    cr_assert_str_eq(answer_header(&answer, "X-Request-Id"), "mine-7");
    cr_assert_str_eq(answer_header(&answer, "X-Content-Type-Options"), "nosniff");
    cr_assert_str_eq(answer_header(&answer, "Cache-Control"), "no-cache");
    cr_assert_str_eq(answer_header(&answer, "Vary"), "Accept, Accept-Encoding, Authorization");
    cr_assert_eq(strncmp(answer_header(&answer, "X-Snapshot"), "1-", 2), 0);
    cr_assert_eq(strlen(answer_header(&answer, "ETag")), 34);
    cr_assert_neq(strlen(answer_header(&answer, "Server-Timing")), 0);
    answer_release(&answer);
}

Test(server, first_page)
{
    test_answer answer;
    ask(server.port, "GET", "/", "Accept: text/html\r\n", NULL, &answer);
    cr_assert_eq(answer.status, 200);
    cr_assert_not_null(strstr(answer.body.data, "/v1/cubes/golden_left"));
    /* Nothing that its Content-Security-Policy forbids. */
    cr_assert_null(strstr(answer.body.data, "<script"));
    cr_assert_null(strstr(answer.body.data, "<style"));
    cr_assert_null(strstr(answer.body.data, "style="));
    answer_release(&answer);
    ask(server.port, "GET", "/ui/", NULL, NULL, &answer);
    cr_assert_eq(answer.status, 200);
    answer_release(&answer);
}

/* ---- the catalogue ---- */

static json_t *named(json_t *list, const char *key, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) if (strcmp(text_of(item, key), name) == 0) return item;
    return NULL;
}

Test(server, cubes)
{
    json_t *json = get_json(server.port, "/v1/cubes");
    json_t *cubes = json_object_get(json, "cubes");
    cr_assert_str_eq(text_of(named(cubes, "name", "stats"), "kind"), "source");
    json_t *left = named(cubes, "name", "golden_left");
    cr_assert_str_eq(text_of(left, "kind"), "virtual");
    cr_assert_str_eq(text_of(left, "label"), "Golden example, left join");
    cr_assert_eq(json_array_size(json_object_get(left, "sources")), 2);
    json_decref(json);
}

Test(server, virtual_cube)
{
    json_t *json = get_json(server.port, LEFT);
    cr_assert_str_eq(text_of(json, "kind"), "virtual");
    json_t *country = named(json_object_get(json, "dimensions"), "name", "country");
    cr_assert_str_eq(text_of(country, "owner"), "stats");
    cr_assert_not(json_is_true(json_object_get(country, "private")));
    cr_assert_not_null(named(json_object_get(country, "indexes"), "name", "iso2"));
    json_t *measures = json_object_get(json, "measures");
    cr_assert_str_eq(text_of(named(measures, "name", "pop"), "type"), "decimal(1)");
    cr_assert_str_eq(text_of(named(measures, "name", "cpop"), "source"), "cities");
    cr_assert_str_eq(text_of(named(measures, "name", "cities"), "aggregator"), "count_distinct");
    cr_assert_str_eq(text_of(named(measures, "name", "ratio"), "expr"), "cpop / pop");
    json_t *cities = named(json_object_get(json, "sources"), "alias", "cities");
    cr_assert_str_eq(text_of(json_object_get(cities, "join"), "kind"), "left");
    json_t *mapped = named(json_object_get(cities, "dimensions"), "dim", "country");
    cr_assert_str_eq(text_of(mapped, "binding"), "mapped");
    cr_assert_str_eq(text_of(mapped, "to_dim"), "city");
    cr_assert_str_eq(text_of(mapped, "grain"), "leaf");
    json_t *coverage = json_array_get(json_object_get(json, "coverage"), 0);
    cr_assert_eq(json_integer_value(json_object_get(coverage, "members")), 7);
    cr_assert_eq(json_integer_value(json_object_get(coverage, "members_matched")), 6);
    json_decref(json);
}

Test(server, source_cube)
{
    json_t *json = get_json(server.port, "/v1/cubes/cities");
    cr_assert_str_eq(text_of(json, "kind"), "source");
    cr_assert_null(json_object_get(json, "coverage"));
    json_t *source = json_array_get(json_object_get(json, "sources"), 0);
    cr_assert_eq(json_integer_value(json_object_get(source, "facts")), 7);
    json_decref(json);
}

Test(server, private_dimension)
{
    json_t *json = get_json(server.port, "/v1/cubes/golden_sex");
    json_t *sex = named(json_object_get(json, "dimensions"), "name", "sex");
    cr_assert(json_is_true(json_object_get(sex, "private")));
    json_t *cities = named(json_object_get(json, "sources"), "alias", "cities");
    json_t *binding = named(json_object_get(cities, "dimensions"), "dim", "sex");
    cr_assert_str_eq(text_of(binding, "binding"), "none");
    cr_assert_str_eq(text_of(binding, "unrelated"), "null");
    json_decref(json);
    json = get_json(server.port, "/v1/cubes/golden_sex/dimensions/sex");
    cr_assert_str_eq(text_of(json, "cube"), "golden_sex");
    json_decref(json);
}

/* The cube's own sets come first, then those of the source that the dimension comes from. */
Test(server, sets)
{
    fixture_load(&server, "tests/data/fixture/choices");
    json_t *json = get_json(server.port, "/v1/cubes/both/dimensions/year");
    json_t *sets = json_object_get(json, "sets");
    cr_assert_eq(json_array_size(sets), 4);
    cr_assert_str_eq(text_of(json_array_get(sets, 0), "name"), "early");
    cr_assert_str_eq(text_of(json_array_get(sets, 1), "name"), "late");
    cr_assert_str_eq(text_of(json_array_get(sets, 1), "cut"), "year:2024-");
    json_decref(json);
    json = get_json(server.port, "/v1/cubes/both/dimensions/scenario");
    cr_assert_null(json_object_get(json, "sets"));
    json_decref(json);
}

/* ---- members ---- */

static void expect_keys(const char *target, const char *expected, int total)
{
    json_t *json = get_json(server.port, target);
    char keys[512] = "";
    size_t i;
    json_t *member;
    json_array_foreach(json_object_get(json, "members"), i, member)
    {
        if (i > 0) strcat(keys, " ");
        strcat(keys, text_of(member, "key"));
        if (json_is_true(json_object_get(member, "synthetic"))) strcat(keys, "*");
    }
    cr_assert_str_eq(keys, expected, "%s: %s", target, keys);
    cr_assert_eq(json_integer_value(json_object_get(json, "total")), total, "%s", target);
    json_decref(json);
}

Test(server, members)
{
    expect_keys(LEFT "/dimensions/country/members", "DE FR JP US XK", 5);
    expect_keys(LEFT "/dimensions/country/members?limit=2&offset=1", "FR JP", 5);
    expect_keys(LEFT "/dimensions/country/members?limit=0", "", 5);
    expect_keys(LEFT "/dimensions/country/members?q=an", "DE FR JP", 3); /* in labels */
    expect_keys(LEFT "/dimensions/country/members?parent=FR&level=country", "FR", 1);
    expect_keys(LEFT "/dimensions/country/members?parent=FR", "", 0);
}

/* What an inner join hides is not listed; the bucket of a full join stands last. */
Test(server, members_after_joins)
{
    expect_keys("/v1/cubes/golden_inner/dimensions/country/members", "DE FR US XK", 4);
    expect_keys("/v1/cubes/golden_inner/dimensions/country/members?limit=2&offset=2", "US XK", 4);
    expect_keys(FULL "/dimensions/country/members", "DE FR JP US XK (unmatched:cities)*", 6);
    expect_keys(FULL "/dimensions/country/members?offset=5", "(unmatched:cities)*", 6);
    expect_keys(FULL "/dimensions/country/members?offset=4&limit=1", "XK", 6);
    expect_keys(FULL "/dimensions/country/members?offset=6", "", 6);
    expect_keys(FULL "/dimensions/country/members?q=UNMATCHED", "(unmatched:cities)*", 1);
    expect_keys("/v1/cubes/golden_right/dimensions/country/members",
                "DE FR US XK (unmatched:cities)*", 5);
}

/* What stands in "path" can be put into a cut as it is. */
Test(server, the_path_of_a_bucket)
{
    json_t *json = get_json(server.port, FULL "/dimensions/country/members?offset=5");
    json_t *bucket = json_array_get(json_object_get(json, "members"), 0);
    cr_assert_str_eq(text_of(bucket, "path"), "(unmatched\\:cities)");
    json_decref(json);
    json = get_json(server.port, FULL "/aggregate?cut=country:(unmatched%5C:cities)&measures=cpop");
    json_t *summary = json_object_get(json, "summary");
    cr_assert_float_eq(json_real_value(json_object_get(summary, "cpop")), 0.1, 1e-12);
    json_decref(json);
}

Test(server, members_with_properties)
{
    json_t *json =
        get_json(server.port, LEFT "/dimensions/country/members?properties=name,country.iso2");
    json_t *france = named(json_object_get(json, "members"), "key", "FR");
    cr_assert_str_eq(text_of(france, "label"), "France");
    cr_assert_str_eq(text_of(france, "path"), "FR");
    json_t *properties = json_object_get(france, "properties");
    cr_assert_str_eq(text_of(properties, "iso2"), "FR");
    cr_assert_str_eq(text_of(properties, "name"), "France");
    json_decref(json);
}

/* Of the joined cities: two keys, none, and that of the bucket; the catalogue says that several
 * can be. */
Test(server, members_with_joined_properties)
{
    json_t *json = get_json(server.port, FULL "/dimensions/country/members?properties=cities.ciso");
    static const char *const expected[] = {
        "[\"DE \", \"DEU\"]", "[\"FR\", \"fr\"]", "null", "\"US\"", "\"XK\"", "\"ZZ\""};
    json_t *members = json_object_get(json, "members");
    cr_assert_eq(json_array_size(members), 6);
    for (size_t i = 0; i < 6; i++) {
        json_t *of = json_object_get(json_array_get(members, i), "properties");
        char *text = json_dumps(json_object_get(of, "cities.ciso"), JSON_ENCODE_ANY);
        cr_assert_str_eq(text, expected[i]);
        free(text);
    }
    json_decref(json);
    json = get_json(server.port, FULL "/dimensions/country");
    json_t *joined = json_array_get(json_object_get(json, "joined_attributes"), 0);
    cr_assert_str_eq(text_of(joined, "name"), "cities.ciso");
    cr_assert_str_eq(text_of(joined, "to_dim"), "city");
    cr_assert(json_is_true(json_object_get(joined, "multi")));
    json_decref(json);
}

Test(server, index_of_a_dimension)
{
    json_t *json =
        get_json(server.port, "/v1/cubes/stats_fanout/dimensions/country/indexes/iso2?key=FR");
    cr_assert_eq(json_integer_value(json_object_get(json, "total")), 2);
    cr_assert_not(json_is_true(json_object_get(json, "unique")));
    json_t *second = json_array_get(json_object_get(json, "members"), 1);
    cr_assert_str_eq(text_of(second, "key"), "FX");
    cr_assert_str_eq(text_of(second, "level"), "country");
    cr_assert_str_eq(text_of(second, "leaf"), "FX");
    json_decref(json);
}

/* ---- coverage ---- */

Test(server, coverage_and_unmatched)
{
    json_t *json = get_json(server.port, LEFT "/coverage");
    json_t *coverage = json_array_get(json_object_get(json, "coverage"), 0);
    cr_assert_str_eq(text_of(coverage, "source"), "cities");
    cr_assert_eq(json_integer_value(json_object_get(coverage, "matched")), 6);
    double share =
        json_real_value(json_object_get(json_object_get(coverage, "value_share"), "cpop"));
    cr_assert_float_eq(share, 16.7 / 16.8, 1e-12);
    /* Berlin's DEU and Hamburg's "DE ", Lyon's FR and Paris' fr */
    const json_t *collisions = json_object_get(coverage, "collisions");
    const json_t *examples = json_object_get(collisions, "examples");
    cr_assert_eq(json_integer_value(json_object_get(collisions, "keys")), 2);
    cr_assert_eq(json_integer_value(json_object_get(collisions, "primary_keys")), 0);
    cr_assert_eq(json_array_size(examples), 2);
    cr_assert_str_eq(text_of(json_array_get(examples, 1), "became"), "FRA");
    cr_assert_eq(json_integer_value(json_object_get(coverage, "primary_duplicates")), 0);
    json_decref(json);
    json = get_json(server.port, LEFT "/unmatched?source=cities");
    json_t *unmatched = json_array_get(json_object_get(json, "unmatched"), 0);
    cr_assert_eq(json_integer_value(json_object_get(unmatched, "total")), 1);
    cr_assert_str_eq(text_of(json_array_get(json_object_get(unmatched, "keys"), 0), "key"), "ZZ");
    json_decref(json);
    json = get_json(server.port, "/v1/cubes/stats/coverage");
    cr_assert_eq(json_array_size(json_object_get(json, "coverage")), 0);
    json_decref(json);
}

Test(server, suggested_joins)
{
    json_t *json = get_json(server.port, "/v1/cubes/stats/suggest?with=cities&examples=1");
    json_t *pair = json_array_get(json_object_get(json, "suggestions"), 0);
    cr_assert_str_eq(text_of(pair, "to_index"), "ciso");
    cr_assert_eq(json_array_size(json_object_get(pair, "matched")), 1);
    cr_assert_str_eq(text_of(json_object_get(json, "definition"), "kind"), "virtual");
    json_decref(json);
    json = get_json(server.port, "/v1/cubes/stats/suggest?with=cities&limit=0");
    cr_assert_eq(json_array_size(json_object_get(json, "suggestions")), 0);
    cr_assert_eq(json_integer_value(json_object_get(json, "total")), 1);
    json_decref(json);
}

/* ---- queries ---- */

/* CSV has no place for notices, and reasons are columns that are asked for. */
Test(server, csv_with_reasons_and_notices)
{
    test_answer answer;
    const char expected[] = "country.country,country.country_label,cpop,_other,cpop_status\r\n"
                            "US,United States,8.3,,\r\n(other),(other),8.4,country,\r\n";
    ask(server.port, "GET",
        LEFT "/aggregate?drilldown=country&measures=cpop&top=1:country:cpop:desc:other&format=csv"
             "&status=true",
        "", NULL, &answer);
    cr_assert_str_eq(vc_buffer_text(&answer.body), expected);
    cr_assert_str_eq(answer_header(&answer, "X-Notices"),
                     "unmatched;source=\"cities\";dim=\"country\";count=1");
    answer_release(&answer);
}

static vc_status collect(void *context, const char *data, size_t size, vc_error *error)
{
    (void)error;
    vc_buffer_put(context, data, size);
    return VC_OK;
}

/* The answer as the layers below make it. */
static void render_directly(const vc_query *query, vc_render_format format, vc_buffer *out)
{
    vc_snapshot *snapshot;
    vc_model *model;
    const vc_result *result;
    vc_arena arena = {0};
    vc_error error = {0};
    cr_assert_eq(vc_snapshot_open(server.store, &snapshot, &error), VC_OK);
    cr_assert_eq(vc_model_new(snapshot, true, &model, &error), VC_OK);
    cr_assert_eq(vc_engine_run(model, query, NULL, &arena, &result, &error), VC_OK, "%s",
                 error.message);
    vc_render_options options = vc_render_options_of(query);
    cr_assert_eq(vc_render(result, format, &options,
                           (vc_render_sink){.write = collect, .context = out}, &error),
                 VC_OK);
    vc_buffer_text(out);
    vc_arena_release(&arena);
    vc_model_free(model);
}

struct query_case {
    char cube[16];
    char parameters[96];
    char body[200];
    vc_render_format format;
    char type[40];
};

/* The description of the API has just the routes that there are, but for pages. */
Test(server, openapi)
{
    size_t npaths = 0, nlisted = 0;
    json_t *document = get_json(server.port, "/v1/openapi.json");
    json_t *info = get_json(server.port, "/v1/info");
    json_t *paths = json_object_get(document, "paths"), *endpoint;
    size_t i;
    json_array_foreach(json_object_get(info, "endpoints"), i, endpoint)
    {
        const char *path = text_of(endpoint, "path");
        char method[8] = "";
        if (path[1] == '\0' || strcmp(path, "/ui") == 0) continue;
        for (size_t b = 0; b < 7 && text_of(endpoint, "method")[b] != '\0'; b++)
            method[b] = (char)tolower((unsigned char)text_of(endpoint, "method")[b]);
        json_t *operation = json_object_get(json_object_get(paths, path), method);
        cr_assert_not_null(operation, "%s %s", method, path);
        nlisted++;
    }
    const char *path;
    json_t *item;
    json_object_foreach(paths, path, item) npaths += json_object_size(item);
    cr_assert_eq(npaths, nlisted);
    json_decref(document);
    json_decref(info);
}

ParameterizedTestParameters(server, query)
{
    static struct query_case cases[] = {
        {"golden_left", "drilldown=country",
         "{\"cube\":\"golden_left\",\"dimensions\":[\"country\"]}", VC_FORMAT_RECORDS,
         "application/json; charset=utf-8"},
        {"golden_full", "drilldown=country&format=csv&header=labels",
         "{\"cube\":\"golden_full\",\"drilldown\":\"country\",\"format\":\"csv\",\"header\":"
         "\"labels\"}",
         VC_FORMAT_CSV, "text/csv; charset=utf-8"},
        {"golden_right", "drilldown=country&measures=cpop&order=cpop:desc&limit=2&format=arrays",
         "{\"cube\":\"golden_right\",\"dimensions\":[\"country\"],\"measures\":[\"cpop\"],"
         "\"order\":[[\"cpop\",\"desc\"]],\"limit\":2,\"format\":\"arrays\"}",
         VC_FORMAT_ARRAYS, "application/json; charset=utf-8"},
        {"cities", "cut=city.ciso:FR&format=ndjson",
         "{\"cube\":\"cities\",\"cut\":\"city.ciso:FR\",\"format\":\"ndjson\"}", VC_FORMAT_NDJSON,
         "application/x-ndjson"},
        {"golden_full", "drilldown=country&totals=()&format=jsonstat",
         "{\"cube\":\"golden_full\",\"drilldown\":\"country\",\"totals\":[\"()\"],"
         "\"format\":\"jsonstat\"}",
         VC_FORMAT_JSONSTAT, "application/json; charset=utf-8"},
        {"stats", "drilldown=country&format=table",
         "{\"cube\":\"stats\",\"drilldown\":\"country\",\"format\":\"table\"}", VC_FORMAT_TABLE,
         "text/plain; charset=utf-8"},
    };
    return cr_make_param_array(struct query_case, cases, sizeof cases / sizeof cases[0]);
}

/* GET and POST give what the engine and the renderer give, byte for byte, under one tag. */
ParameterizedTest(struct query_case *c, server, query)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_query query;
    const vc_parameter *parameters;
    size_t nparameters;
    vc_buffer expected = {0};
    test_answer get, post;
    char target[160], tag[64];
    cr_assert_eq(
        vc_parameters_decode(vc_str_of(c->parameters), &arena, &parameters, &nparameters, &error),
        VC_OK);
    cr_assert_eq(vc_parameters_parse(parameters, nparameters, &arena, &query, &error), VC_OK);
    query.cube = vc_str_of(c->cube);
    render_directly(&query, c->format, &expected);
    snprintf(target, sizeof target, "/v1/cubes/%s/aggregate?%s", c->cube, c->parameters);
    ask(server.port, "GET", target, NULL, NULL, &get);
    cr_assert_eq(get.status, 200, "%s", get.body.data);
    cr_assert_str_eq(get.body.data, expected.data);
    cr_assert_str_eq(answer_header(&get, "Content-Type"), c->type);
    snprintf(tag, sizeof tag, "%s", answer_header(&get, "ETag"));
    ask(server.port, "POST", "/v1/query", NULL, c->body, &post);
    cr_assert_eq(post.status, 200, "%s", post.body.data);
    cr_assert_str_eq(post.body.data, expected.data);
    cr_assert_str_eq(answer_header(&post, "ETag"), tag);
    answer_release(&get);
    answer_release(&post);
    vc_buffer_release(&expected);
    vc_arena_release(&arena);
}

Test(server, accept_chooses_the_format)
{
    test_answer answer;
    ask(server.port, "GET", LEFT "/aggregate", "Accept: text/csv\r\n", NULL, &answer);
    cr_assert_str_eq(answer_header(&answer, "Content-Type"), "text/csv; charset=utf-8");
    answer_release(&answer);
    ask(server.port, "GET", LEFT "/aggregate?format=records", "Accept: text/csv\r\n", NULL,
        &answer);
    cr_assert_eq(answer.body.data[0], '{');
    answer_release(&answer);
}

/* No body follows, no length makes a client wait for one, and the connection goes on. */
Test(server, not_modified_has_no_body)
{
    test_answer answer;
    char request[512];
    ask(server.port, "GET", LEFT "/aggregate", NULL, NULL, &answer);
    snprintf(request, sizeof request,
             "GET " LEFT "/aggregate HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: %s\r\n\r\n",
             answer_header(&answer, "ETag"));
    answer_release(&answer);
    int fd = client_open(server.port);
    for (int again = 0; again < 3; again++) {
        client_send(fd, request, strlen(request));
        client_read(fd, false, &answer);
        cr_assert_eq(answer.status, 304);
        cr_assert_eq(atoi(answer_header(&answer, "Content-Length")), 0);
        cr_assert_str_eq(answer_header(&answer, "Transfer-Encoding"), "");
        cr_assert_not(answer.has_ended);
        answer_release(&answer);
    }
    close(fd);
}

Test(server, what_is_known_is_not_computed_again)
{
    static const char *const targets[] = {LEFT "/aggregate?drilldown=country", LEFT, "/v1/cubes",
                                          LEFT "/coverage", LEFT "/dimensions/country/members"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        test_answer first, second;
        char extra[128];
        ask(server.port, "GET", targets[i], NULL, NULL, &first);
        snprintf(extra, sizeof extra, "If-None-Match: %s\r\n", answer_header(&first, "ETag"));
        ask(server.port, "GET", targets[i], extra, NULL, &second);
        cr_assert_eq(second.status, 304, "%s: %u", targets[i], second.status);
        cr_assert_null(strstr(answer_header(&second, "Server-Timing"), "run"));
        cr_assert_neq(strlen(answer_header(&second, "ETag")), 0);
        answer_release(&second);
        /* A load makes a new snapshot, and with it a new tag. */
        if (i == 0) {
            fixture_load(&server, "samples/golden");
            ask(server.port, "GET", targets[i], extra, NULL, &second);
            cr_assert_eq(second.status, 200);
            cr_assert_eq(strncmp(answer_header(&second, "X-Snapshot"), "2-", 2), 0);
            answer_release(&second);
        }
        answer_release(&first);
    }
    test_answer always;
    ask(server.port, "GET", LEFT "/aggregate?cache=off", "If-None-Match: *\r\n", NULL, &always);
    cr_assert_eq(always.status, 200);
    answer_release(&always);
}

Test(server, older_snapshots)
{
    test_answer now, then;
    char target[128];
    ask(server.port, "GET", LEFT "/aggregate", NULL, NULL, &now);
    snprintf(target, sizeof target, LEFT "/aggregate?at=%s", answer_header(&now, "X-Snapshot"));
    fixture_load(&server, "samples/golden");
    ask(server.port, "GET", target, NULL, NULL, &then);
    cr_assert_eq(then.status, 200);
    cr_assert_str_eq(then.body.data, now.body.data);
    answer_release(&now);
    answer_release(&then);
}

Test(server, head_has_the_headers_of_get)
{
    static const char *const targets[] = {"/healthz", LEFT "/aggregate?drilldown=country", LEFT};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        test_answer get, head;
        char length[32];
        ask(server.port, "GET", targets[i], NULL, NULL, &get);
        ask(server.port, "HEAD", targets[i], NULL, NULL, &head);
        cr_assert_eq(head.status, 200);
        snprintf(length, sizeof length, "%s", answer_header(&get, "Content-Length"));
        cr_assert_str_eq(answer_header(&head, "Content-Length"), length);
        answer_release(&get);
        answer_release(&head);
    }
}

Test(server, compression)
{
    test_answer plain, packed;
    ask(server.port, "GET", LEFT, NULL, NULL, &plain);
    ask(server.port, "GET", LEFT, "Accept-Encoding: gzip\r\n", NULL, &packed);
    cr_assert_str_eq(answer_header(&packed, "Content-Encoding"), "gzip");
    cr_assert_lt(packed.body.size, plain.body.size);
    char tag[64];
    snprintf(tag, sizeof tag, "%s", answer_header(&packed, "ETag"));
    cr_assert_not_null(strstr(tag, "-gz\""));
    cr_assert_str_neq(answer_header(&plain, "ETag"), tag);
    answer_release(&plain);
    answer_release(&packed);
}

Test(server, options)
{
    test_answer answer;
    ask(server.port, "OPTIONS", "/v1/query", NULL, NULL, &answer);
    cr_assert_eq(answer.status, 204);
    cr_assert_str_eq(answer_header(&answer, "Allow"), "POST, OPTIONS");
    answer_release(&answer);
    ask(server.port, "OPTIONS", "*", NULL, NULL, &answer);
    cr_assert_eq(answer.status, 204);
    cr_assert_str_eq(answer_header(&answer, "Allow"), "GET, HEAD, POST, PUT, DELETE, OPTIONS");
    answer_release(&answer);
}

/* ---- errors ---- */

struct error_case {
    char method[8];
    char target[112];
    char extra[48];
    char body[96];
    unsigned status;
    char code[24];
    char place[16]; /* value of "parameter" or "pointer" */
};

ParameterizedTestParameters(server, errors)
{
    static struct error_case cases[] = {
        {"GET", "/nothing", "", "", 404, "unknown_path", ""},
        {"GET", "/v1/cubes/", "", "", 404, "unknown_path", ""},
        {"GET", "/v1/cubes/nope", "", "", 404, "unknown_cube", ""},
        {"GET", LEFT "/dimensions/nope", "", "", 404, "unknown_dimension", ""},
        {"GET", LEFT "/dimensions/country/members?level=x", "", "", 404, "unknown_level", "level"},
        {"GET", LEFT "/dimensions/country/members?hierarchy=x", "", "", 404, "unknown_hierarchy",
         "hierarchy"},
        {"GET", LEFT "/dimensions/country/members?parent=ZZ", "", "", 404, "unknown_member",
         "parent"},
        {"GET", LEFT "/dimensions/country/members?limit=x", "", "", 400, "bad_parameter", "limit"},
        {"GET", LEFT "/dimensions/country/members?limit=10001", "", "", 400, "bad_parameter",
         "limit"},
        {"GET", LEFT "/dimensions/country/members?offset=-1", "", "", 400, "bad_parameter",
         "offset"},
        {"GET", LEFT "/dimensions/country/members?properties=nam", "", "", 404, "unknown_attribute",
         "properties"},
        {"GET", LEFT "/dimensions/country/members?sort=1", "", "", 400, "unknown_parameter",
         "sort"},
        {"GET", LEFT "/dimensions/country/indexes/iso9?key=FR", "", "", 404, "unknown_index", ""},
        {"GET", LEFT "/dimensions/country/indexes/iso2?key=QQ", "", "", 404, "unknown_key", "key"},
        {"GET", LEFT "/dimensions/country/indexes/iso2", "", "", 400, "missing_parameter", "key"},
        {"GET", LEFT "/unmatched?source=nope", "", "", 404, "unknown_source", "source"},
        {"GET", "/v1/cubes/stats/suggest", "", "", 400, "missing_parameter", "with"},
        {"GET", "/v1/cubes/stats/suggest?with=citys", "", "", 404, "unknown_cube", "with"},
        {"GET", "/v1/cubes/stat/suggest?with=cities", "", "", 404, "unknown_cube", ""},
        {"GET", "/v1/cubes/stats/suggest?with=cities&limit=101", "", "", 400, "bad_parameter",
         "limit"},
        {"GET", LEFT "/aggregate?drilldown=nope", "", "", 404, "unknown_dimension", "drilldown"},
        {"GET", LEFT "/aggregate?cut=country:QQ", "", "", 404, "unknown_member", "cut"},
        {"GET", LEFT "/aggregate?cut=country", "", "", 400, "syntax", "cut"},
        {"GET", LEFT "/aggregate?measures=nope", "", "", 404, "unknown_measure", "measures"},
        {"GET", LEFT "/aggregate?limt=1", "", "", 400, "unknown_parameter", "limt"},
        {"GET", LEFT "/aggregate?format=xml", "", "", 400, "unknown_format", "format"},
        {"GET", LEFT "/aggregate?at=9-0000", "", "", 404, "unknown_snapshot", "at"},
        {"GET", LEFT "/aggregate?explain=true&format=csv", "", "", 422, "unsupported", "explain"},
        {"GET", LEFT "/aggregate?explain=true", "Accept: text/csv\r\n", "", 422, "unsupported",
         "explain"},
        {"POST", "/v1/query", "", "{\"cube\":\"stats\",\"explain\":true,\"format\":\"csv\"}", 422,
         "unsupported", "/explain"},
        {"POST", "/v1/explain", "", "", 415, "unsupported_media_type", ""},
        {"POST", "/v1/explain", "", "{}", 400, "missing_field", ""},
        {"POST", "/v1/explain?x=1", "", "{}", 400, "unknown_parameter", "x"},
        {"POST", "/v1/explain", "", "{\"cube\":\"nope\"}", 404, "unknown_cube", "/cube"},
        {"POST", "/v1/explain", "", "{\"cube\":\"stats\",\"dimensions\":[\"x\"]}", 404,
         "unknown_dimension", "/dimensions/0"},
        {"POST", "/v1/explain", "", "{\"cube\":\"stats\",\"format\":\"xml\"}", 400,
         "unknown_format", "/format"},
        {"POST", "/v1/explain", "", "{\"cube\":\"stats\",\"at\":\"9-0000\"}", 404,
         "unknown_snapshot", "/at"},
        {"POST", "/v1/explain", "Accept: text/csv\r\n", "{\"cube\":\"stats\"}", 406,
         "not_acceptable", ""},
        {"GET", "/v1/explain", "", "", 405, "method_not_allowed", ""},
        {"GET", LEFT "/aggregate", "Accept: image/png\r\n", "", 406, "not_acceptable", ""},
        {"GET", LEFT, "Accept: image/png\r\n", "", 406, "not_acceptable", ""},
        {"GET", "/", "Accept: image/png\r\n", "", 406, "not_acceptable", ""},
        {"POST", "/v1/cubes", "", "{}", 405, "method_not_allowed", ""},
        {"PATCH", LEFT, "", "", 405, "method_not_allowed", ""},
        {"GET", "/v1/query", "", "", 405, "method_not_allowed", ""},
        {"POST", "/v1/query", "", "", 415, "unsupported_media_type", ""},
        {"POST", "/v1/query?x=1", "", "{}", 400, "unknown_parameter", "x"},
        {"POST", "/v1/query", "", "{", 400, "json", ""},
        {"POST", "/v1/query", "", "{}", 400, "missing_field", ""},
        {"POST", "/v1/query", "", "{\"cube\":\"nope\"}", 404, "unknown_cube", "/cube"},
        {"POST", "/v1/query", "", "{\"cube\":\"stats\",\"limit\":\"x\"}", 400, "bad_parameter",
         "/limit"},
        {"POST", "/v1/query", "", "{\"cube\":\"stats\",\"format\":\"xml\"}", 400, "unknown_format",
         "/format"},
        {"POST", "/v1/query", "", "{\"cube\":\"stats\",\"dimensions\":[\"x\"]}", 404,
         "unknown_dimension", "/dimensions/0"},
    };
    return cr_make_param_array(struct error_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct error_case *c, server, errors)
{
    test_answer answer;
    ask(server.port, c->method, c->target, c->extra, c->body[0] != '\0' ? c->body : NULL, &answer);
    cr_assert_eq(answer.status, c->status, "%s %s: %u %s", c->method, c->target, answer.status,
                 answer.body.data);
    cr_assert_str_eq(answer_header(&answer, "Content-Type"),
                     "application/problem+json; charset=utf-8");
    json_t *json = json_loadb(answer.body.data, answer.body.size, 0, NULL);
    cr_assert_str_eq(text_of(json, "code"), c->code, "%s", answer.body.data);
    cr_assert_str_eq(text_of(json, "request_id"), answer_header(&answer, "X-Request-Id"));
    const char *place = json_object_get(json, "parameter") != NULL ? text_of(json, "parameter")
                                                                   : text_of(json, "pointer");
    cr_assert_str_eq(place, c->place, "%s", answer.body.data);
    cr_assert_str_eq(answer_header(&answer, "ETag"), "");
    if (c->status == 405) cr_assert_neq(strlen(answer_header(&answer, "Allow")), 0);
    json_decref(json);
    answer_release(&answer);
}
