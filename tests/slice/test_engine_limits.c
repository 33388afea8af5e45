/* The engine at its limits: cells, time, threads, wrong questions, damaged storage. */
#include "slice/engine.h"

#include "tests/slice/engine_asking.h"
#include "tests/slice/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- limits ---- */

static bool never_mind(void *context)
{
    return ++*(int *)context > 0;
}

Test(engine, limits)
{
    struct fixture fixture;
    const vc_result *result;
    vc_error error = {0};
    engine_open_fanout(&fixture);
    struct question question = {.cube = "both", .axes = {"item.id"}, .measures = {"n", "m"}};
    vc_engine_options options = {.limits.max_cells = 2 * 31};
    cr_assert_eq(engine_try(&fixture, &question, &options, &result, &error), VC_OK);
    options.limits.max_cells--;
    cr_assert_eq(engine_try(&fixture, &question, &options, &result, &error), VC_LIMIT);
    cr_assert_str_eq(error.code, "limit_cells");

    int ncalls = 0;
    options = (vc_engine_options){.is_cancelled = never_mind, .context = &ncalls};
    cr_assert_eq(engine_try(&fixture, &question, &options, &result, &error), VC_CANCELLED);
    cr_assert_str_eq(error.code, "cancelled");
    cr_assert_gt(ncalls, 0);
    fixture_close(&fixture);
}

/* The client is still there, but time passes. */
static bool wait_a_little(void *context)
{
    (void)context;
    usleep(5000);
    return false;
}

Test(engine, deadline)
{
    struct fixture fixture;
    const vc_result *result;
    vc_error error = {0};
    engine_open_fanout(&fixture);
    struct question question = {.cube = "both", .axes = {"item.id"}};
    vc_engine_options options = {.is_cancelled = wait_a_little, .limits.max_time_ms = 1};
    cr_assert_eq(engine_try(&fixture, &question, &options, &result, &error), VC_CANCELLED);
    cr_assert_str_eq(error.code, "limit_time");
    fixture_close(&fixture);
}

/* A cross product of 10^12 rows is refused before memory is asked for. */
Test(engine, limit_before_allocating)
{
    struct fixture fixture;
    vc_buffer text = {0};
    const vc_result *result;
    vc_error error = {0};
    fixture_open(&fixture);
    vc_buffer_put_text(&text, "a,b,c\n");
    for (int i = 0; i < 10000; i++)
        vc_buffer_printf(&text, "%d,%d,%d\n", i, i, i);
    fixture_write(&fixture, "c.csv", vc_buffer_text(&text));
    fixture_write(&fixture, "c.json",
                  "{\"name\": \"c\", \"kind\": \"source\", \"data\": {\"csv\": \"c.csv\"},"
                  "\"dimensions\": [{\"name\": \"a\", \"levels\": [\"a\"]},"
                  "{\"name\": \"b\", \"levels\": [\"b\"]}, {\"name\": \"c\", \"levels\": [\"c\"]}],"
                  "\"measures\": [{\"name\": \"n\", \"aggregator\": \"count\"}]}");
    vc_buffer_release(&text);
    fixture_need_load(&fixture, false);
    vc_query query =
        engine_query(&(struct question){.cube = "c", .axes = {"a", "b", "c"}}, &fixture.arena);
    cr_assert_eq(vc_engine_run(fixture.model, &query, NULL, &fixture.arena, &result, &error),
                 VC_OK);
    cr_assert_eq(result->nrows, 10000);
    query.is_sparse = false;
    size_t before = fixture.arena.total_bytes;
    cr_assert_eq(vc_engine_run(fixture.model, &query, NULL, &fixture.arena, &result, &error),
                 VC_LIMIT);
    cr_assert_str_eq(error.code, "limit_cells");
    cr_assert_lt(fixture.arena.total_bytes - before, 16u << 20);
    fixture_close(&fixture);
}

/* ---- threads ---- */

/* Doubles of all sizes, so that every order of adding has another result: the bytes of an answer
 * are the same however many threads there are, and the sum is right. */
Test(engine, same_bytes_for_any_threads)
{
    enum { FACTS = 5 * VC_SEGMENT_ROWS + 777 };
    struct fixture fixture;
    struct random random = {11};
    vc_buffer facts = {0}, first = {0}, text = {0};
    vc_error error = {0};
    long double exact = 0;
    vc_buffer_put_text(&facts, "k,t,x\n");
    for (int i = 0; i < FACTS; i++) {
        double value = ldexp((double)random_below(&random, 1000000) - 500000,
                             (int)random_below(&random, 40) - 20);
        char number[VC_NUMBER_TEXT];
        vc_format_double(number, value);
        vc_buffer_printf(&facts, "k%u,%u,%s\n", random_below(&random, 50),
                         random_below(&random, 1000), number);
        exact += value;
    }
    engine_open_numbers(
        &fixture,
        "{\"name\": \"x\", \"type\": \"float\", \"aggregator\": \"sum\"},"
        "{\"name\": \"mean\", \"column\": \"x\", \"type\": \"float\","
        " \"aggregator\": \"avg\"},"
        "{\"name\": \"kinds\", \"column\": \"x\", \"aggregator\": \"count_distinct\"},"
        "{\"name\": \"stock\", \"column\": \"x\", \"type\": \"float\","
        " \"aggregator\": \"sum\", \"over\": {\"t\": \"last\"}}",
        vc_buffer_text(&facts));
    const unsigned nthreads[] = {0, 1, 2, 4, 7};
    for (size_t i = 0; i < sizeof nthreads / sizeof nthreads[0]; i++) {
        vc_engine_options options = {0};
        if (nthreads[i] > 0) cr_assert_eq(vc_pool_new(nthreads[i], &options.pool, &error), VC_OK);
        vc_buffer *out = i == 0 ? &first : &text;
        for (int drilled = 0; drilled < 2; drilled++) {
            const struct question question = {
                .cube = "c", .axes = {"k", drilled ? "t" : NULL}, .total = ""};
            const vc_result *result = engine_ask(&fixture, &question, &options);
            cr_assert_float_eq(result->summary[0].as.f, (double)exact,
                               fabs((double)exact) * 1e-15 + 1e-9);
            fixture_dump(result, out);
        }
        cr_assert(i == 0 ||
                      (text.size == first.size && memcmp(text.data, first.data, first.size) == 0),
                  "%u threads", nthreads[i]);
        vc_buffer_clear(&text);
        vc_pool_free(options.pool);
    }
    vc_buffer_release(&facts);
    vc_buffer_release(&first);
    vc_buffer_release(&text);
    fixture_close(&fixture);
}

/* ---- errors ---- */

struct bad {
    struct question question;
    const char *code;
};

Test(engine, errors)
{
    struct fixture fixture;
    static const struct bad cases[] = {
        {{.cube = "nothing"}, "unknown_cube"},
        {{.cube = "world", .axes = {"gea"}}, "unknown_dimension"},
        {{.cube = "world", .axes = {"geo.county"}}, "unknown_level"},
        {{.cube = "world", .axes = {"geo", "geo"}}, "duplicate_dimension"},
        {{.cube = "world", .measures = {"popp"}}, "unknown_measure"},
        {{.cube = "world", .measures = {"pop", "pop"}}, "duplicate_name"},
        {{.cube = "world", .cut = "geo", .keys = {"ZZ"}}, "unknown_member"},
        {{.cube = "world", .cut = "geo.iso", .keys = {"ZZ"}}, "unknown_level"},
        {{.cube = "world", .axes = {"geo"}, .total = "sex"}, "unknown_dimension"},
    };
    engine_open_world(&fixture, "\"kind\": \"left\"");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const vc_result *result;
        vc_error error = {0};
        cr_assert_neq(engine_try(&fixture, &cases[i].question, NULL, &result, &error), VC_OK);
        cr_assert_str_eq(error.code, cases[i].code, "case %zu: %s (%s)", i, error.code,
                         error.message);
    }
    fixture_close(&fixture);
}

/* ---- the order of loading ---- */

/* Two leaves of one day: which of them is the last does not depend on which was loaded first, nor
 * on whether the cube was compacted since. */
Test(engine, the_last_of_a_tie)
{
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_write(&fixture, "stock.json",
                  "{\"name\":\"stock\",\"kind\":\"source\",\"data\":{\"csv\":\"stock.csv\"},"
                  "\"dimensions\":[{\"name\":\"date\",\"type\":\"time\",\"column\":\"day\","
                  "\"levels\":[\"month\",\"day\"],\"attributes\":[\"shift\"]}],"
                  "\"measures\":[{\"name\":\"n\",\"aggregator\":\"sum\",\"type\":\"int\","
                  "\"over\":{\"date\":\"last\"}}]}");
    fixture_write(&fixture, "stock.csv", "day,shift,n\n2024-01-31,late,10\n");
    fixture_need_load(&fixture, false);
    fixture_write(&fixture, "stock.csv", "day,shift,n\n2024-01-31,early,5\n2024-01-02,late,7\n");
    fixture_need_load(&fixture, true);
    const vc_result *result = ASK(.cube = "stock", .measures = {"n"});
    cr_assert_str_eq(engine_text(&fixture, result), "10 = 10");
    cr_assert(fixture_compact(&fixture, 0));
    result = ASK(.cube = "stock", .measures = {"n"});
    cr_assert_str_eq(engine_text(&fixture, result), "10 = 10");
    fixture_close(&fixture);
}

/* ---- storage that somebody wrote wrongly ---- */

/* The facts of a cube of one dimension and one measure, written again with a measure's column that
 * is shorter than the dimension's. Its checksums are right. */
static void write_uneven(struct fixture *fixture, const char *name)
{
    static const int64_t leaves[3] = {0, 1, 0}, values[2] = {1, 2};
    vc_load *load;
    vc_object object, published;
    vc_str image;
    vc_error error = {0};
    char first[40], runs[40];
    cr_assert_eq(vc_load_begin(fixture->store, &load, &error), VC_OK, "%s", error.message);
    const vc_snapshot *snapshot = vc_load_snapshot(load);
    cr_assert_eq(vc_snapshot_find(snapshot, VC_KIND_CUBE, vc_str_of(name), &published, &error),
                 VC_OK);
    cr_assert_eq(vc_snapshot_bytes(snapshot, published.id, published.generation, VC_COLUMN_IMAGE,
                                   &fixture->arena, &image, &error),
                 VC_OK);
    image = vc_arena_str(&fixture->arena, image);
    cr_assert_eq(vc_load_object(load, VC_KIND_CUBE, vc_str_of(name), &object, &error), VC_OK);
    cr_assert_eq(vc_load_put_bytes(load, &object, VC_COLUMN_IMAGE, image.data, image.size, &error),
                 VC_OK);
    cr_assert_eq(vc_load_put_ints(load, &object, 0, 0, leaves, NULL, 3, &error), VC_OK);
    cr_assert_eq(vc_load_put_ints(load, &object, VC_COLUMN_MEASURE, 0, values, NULL, 2, &error),
                 VC_OK);
    snprintf(first, sizeof first, "\"generation\":%u", published.generation);
    snprintf(runs, sizeof runs, "\"generation\":%u", object.generation);
    vc_str manifest = object.manifest;
    const char *at = memmem(manifest.data, manifest.size, first, strlen(first));
    cr_assert_not_null(at, "%.*s", VC_FMT(manifest));
    const char *rest = at + strlen(first);
    manifest =
        vc_arena_printf(&fixture->arena, "%.*s%s%.*s", (int)(at - manifest.data), manifest.data,
                        runs, (int)(manifest.data + manifest.size - rest), rest);
    cr_assert_eq(vc_load_set_manifest(load, &object, manifest, NULL, 0, &error), VC_OK);
    cr_assert_eq(vc_load_publish(load, NULL, &error), VC_OK, "%s", error.message);
}

Test(engine, columns_of_different_lengths)
{
    struct fixture fixture;
    fixture_open(&fixture);
    fixture_write(&fixture, "c.json",
                  "{\"name\":\"c\",\"kind\":\"source\",\"data\":{\"csv\":\"c.csv\"},"
                  "\"dimensions\":[{\"name\":\"geo\",\"levels\":[\"geo\"]}],"
                  "\"measures\":[{\"name\":\"n\",\"aggregator\":\"sum\",\"type\":\"int\"},"
                  "{\"name\":\"rows\",\"aggregator\":\"count\"}]}");
    fixture_write(&fixture, "c.csv", "geo,n\nA,1\nB,2\nA,3\n");
    fixture_need_load(&fixture, false);
    cr_assert_str_eq(engine_text(&fixture, ASK(.cube = "c", .measures = {"n"})), "6 = 6");
    write_uneven(&fixture, "c");
    vc_model_free(fixture.model);
    vc_snapshot *snapshot;
    vc_error error = {0};
    const vc_result *result;
    cr_assert_eq(vc_snapshot_open(fixture.store, &snapshot, &error), VC_OK);
    cr_assert_eq(vc_model_new(snapshot, true, &fixture.model, &error), VC_OK);
    const struct question sum = {.cube = "c", .axes = {"geo"}, .measures = {"n"}};
    cr_assert_eq(engine_try(&fixture, &sum, NULL, &result, &error), VC_CORRUPT);
    cr_assert_str_eq(error.code, "storage_damaged");
    cr_assert_not_null(strstr(error.message, "column 256 has 2 rows"), "%s", error.message);
    fixture_close(&fixture);
}
