/* The engine on small cubes that a person can check: notices, exactness, semi-additive measures,
 * fixes, coverage. What random worlds compare is in test_differential.c. */
#include "slice/engine.h"

#include "tests/slice/engine_asking.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(engine, golden_left)
{
    struct fixture fixture;
    engine_open_world(&fixture, "\"kind\": \"left\"");
    EXPECT("US 333 8.3; JP 125 -u; DE 84 5.6; FR 68 2.6; XK 1.8 0.2 = 611.8 16.7", .cube = "world",
           .axes = {"geo.country"}, .measures = {"pop", "cpop"});
    EXPECT("AM 333 8.3; AS 125 -u; EU 153.8 8.4 = 611.8 16.7", .cube = "world", .axes = {"geo"},
           .measures = {"pop", "cpop"});
    EXPECT("FR 2 1.3 2 = 2 1.3 2", .cube = "world", .axes = {"geo.country"},
           .measures = {"n", "mean", "distinct"}, .cut = "geo.country", .keys = {"FR", "JP"});
    EXPECT("-u -u -u = -u -u -u", .cube = "world", .measures = {"n", "mean", "distinct"},
           .cut = "geo.country", .keys = {"JP"});
    const vc_result *result = ASK(.cube = "world", .measures = {"cpop", "ratio"});
    const vc_notice *notice = engine_notice(result, "unmatched");
    cr_assert_not_null(notice);
    cr_assert_eq(notice->count, 1);
    cr_assert(vc_str_is(notice->source, "cities"));
    cr_assert(vc_str_is(notice->dimension, "geo"));
    cr_assert_float_eq(result->summary[1].as.f, 16.7 / 611.8, 1e-15, "a ratio of sums");
    fixture_close(&fixture);
}

Test(engine, golden_inner_right_full)
{
    struct fixture fixture;
    engine_open_world(&fixture, "\"kind\": \"inner\"");
    EXPECT("US 333 8.3; DE 84 5.6; FR 68 2.6; XK 1.8 0.2 = 486.8 16.7", .cube = "world",
           .axes = {"geo.country"}, .measures = {"pop", "cpop"});
    fixture_close(&fixture);
    engine_open_world(&fixture, "\"kind\": \"right\"");
    EXPECT("US 333 8.3; DE 84 5.6; FR 68 2.6; XK 1.8 0.2; (unmatched:cities) -u 0.1 = 486.8 16.8",
           .cube = "world", .axes = {"geo.country"}, .measures = {"pop", "cpop"});
    cr_assert_null(engine_notice(ASK(.cube = "world"), "unmatched"), "the bucket shows it");
    fixture_close(&fixture);
    engine_open_world(&fixture, "\"kind\": \"full\", \"unmatched\": \"members\"");
    EXPECT("US 333 8.3; JP 125 -u; DE 84 5.6; FR 68 2.6; XK 1.8 0.2; cities:Atlantis -u 0.1"
           " = 611.8 16.8",
           .cube = "world", .axes = {"geo.country"}, .measures = {"pop", "cpop"});
    EXPECT("AM 333 8.3; AS 125 -u; EU 153.8 8.4; (unmatched:cities) -u 0.1; * 611.8 16.8"
           " = 611.8 16.8",
           .cube = "world", .axes = {"geo"}, .measures = {"pop", "cpop"}, .total = "");
    EXPECT("7 7 = 7 7", .cube = "world", .measures = {"n", "distinct"});
    /* A bucket is selected by its key; a negated cut leaves it out. */
    EXPECT("-u 0.1 = -u 0.1", .cube = "world", .measures = {"pop", "cpop"}, .cut = "geo",
           .keys = {"cities:Atlantis"});
    EXPECT("543.8 14.1 = 543.8 14.1", .cube = "world", .measures = {"pop", "cpop"}, .cut = "geo",
           .keys = {"FR"}, .is_negated = true);
    fixture_close(&fixture);
}

/* ---- private dimensions ---- */

Test(engine, policies)
{
    struct fixture fixture;
    engine_open_world(&fixture, "\"kind\": \"left\"");
    EXPECT("305.9 -x -x = 305.9 -x -x", .cube = "world", .measures = {"pop", "cpop", "n"},
           .cut = "sex", .keys = {"F"});
    EXPECT("F 305.9 -x; M 305.9 -x = 611.8 16.7", .cube = "world", .axes = {"sex"},
           .measures = {"pop", "cpop"});
    cr_assert_null(engine_notice(ASK(.cube = "world", .axes = {"sex"}), "repeat"));
    fixture_close(&fixture);

    engine_write_world(&fixture, "\"kind\": \"left\"",
                       ", \"private\": {\"stats\": {\"sex\": {\"others\": \"repeat\"}}}");
    fixture_need_load(&fixture, false);
    EXPECT("305.9 16.7r = 305.9 16.7r", .cube = "world", .measures = {"pop", "cpop"}, .cut = "sex",
           .keys = {"F"});
    /* A drilldown selects nothing: the summary is not repeated. */
    EXPECT("F 305.9 16.7r; M 305.9 16.7r = 611.8 16.7", .cube = "world", .axes = {"sex"},
           .measures = {"pop", "cpop"});
    const vc_result *result = ASK(.cube = "world", .axes = {"sex"}, .measures = {"cpop", "ratio"});
    cr_assert_not_null(engine_notice(result, "repeat"));
    cr_assert_eq(result->cells[1].reason, 'r', "survives arithmetic");
    fixture_close(&fixture);

    engine_write_world(&fixture, "\"kind\": \"left\"",
                       ", \"private\": {\"stats\": {\"sex\": {\"others\": \"error\"}}}");
    fixture_need_load(&fixture, false);
    vc_error error = {0};
    struct question question = {.cube = "world", .axes = {"sex"}, .measures = {"cpop"}};
    cr_assert_eq(engine_try(&fixture, &question, NULL, &result, &error), VC_IMPOSSIBLE);
    cr_assert_str_eq(error.code, "unrelated");
    EXPECT("F 305.9; M 305.9 = 611.8", .cube = "world", .axes = {"sex"}, .measures = {"pop"});
    fixture_close(&fixture);
}

/* ---- fan-out ---- */

Test(engine, fanout_is_a_union)
{
    struct fixture fixture;
    engine_open_fanout(&fixture);
    EXPECT("high -e 15; low 3 15; other 4 100; * 7 115 = 7 115", .cube = "both", .axes = {"item"},
           .measures = {"n", "m"}, .total = "");
    EXPECT("a00 1 15; a01 2 15 = 3 15", .cube = "both", .axes = {"item.id"}, .measures = {"n", "m"},
           .cut = "item.id", .keys = {"a00", "a01"});
    fixture_close(&fixture);
}

/* Each fact is in one cell of sets of groups, so totals of a ragged join are added up from those:
 * no fact is read twice, and the explanation knows it before. */
Test(engine, fanout_is_read_once)
{
    struct fixture fixture;
    const vc_explain *planned;
    vc_error error = {0};
    engine_open_fanout(&fixture);
    vc_query query = engine_query(
        &(struct question){.cube = "both", .axes = {"item"}, .measures = {"m", "n"}, .total = ""},
        &fixture.arena);
    cr_assert_eq(vc_engine_explain(fixture.model, &query, NULL, &fixture.arena, &planned, &error),
                 VC_OK, "%s", error.message);
    query.wants_explain = true;
    const vc_result *result;
    cr_assert_eq(vc_engine_run(fixture.model, &query, NULL, &fixture.arena, &result, &error), VC_OK,
                 "%s", error.message);
    const vc_explain *executed = result->explain;
    cr_assert_gt(executed->nscans, 3);
    cr_assert_eq(planned->nscans, executed->nscans);
    size_t nread = 0;
    for (size_t i = 0; i < executed->nscans; i++) {
        cr_assert_eq(planned->scans[i].is_derived, executed->scans[i].is_derived);
        nread += !executed->scans[i].is_derived;
    }
    cr_assert_eq(nread, 2, "each source once");
    fixture_close(&fixture);
}

/* Joined by two keys of several members each: B is of x1 and x2, A of x2; P of y1 and y2, Q of y2.
 * Facts are 1 by (B, P), 10 by (B, Q), 100 by (A, Q). */
static void open_two_fanouts(struct fixture *fixture)
{
    fixture_open(fixture);
    fixture_write(fixture, "x.csv", "x,codes\nx1,B\nx2,\"A,B\"\n");
    fixture_write(fixture, "y.csv", "y,codes\ny1,P\ny2,\"P,Q\"\n");
    fixture_write(fixture, "left.csv", "x,y,n\nx1,y1,1\n");
    fixture_write(fixture, "right.csv", "a,p,n\nB,P,1\nB,Q,10\nA,Q,100\n");
    fixture_write(fixture, "left.json",
                  "{\"name\": \"left\", \"kind\": \"source\", \"data\": {\"csv\": \"left.csv\"},"
                  "\"dimensions\": [{\"name\": \"x\", \"table\": {\"csv\": \"x.csv\"}, \"key\":"
                  " \"x\", \"levels\": [\"x\"], \"attributes\": [\"codes\"]}, {\"name\": \"y\","
                  " \"table\": {\"csv\": \"y.csv\"}, \"key\": \"y\", \"levels\": [\"y\"],"
                  " \"attributes\": [\"codes\"]}], \"measures\": ["
                  "{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(fixture, "right.json",
                  "{\"name\": \"right\", \"kind\": \"source\", \"data\": {\"csv\": \"right.csv\"},"
                  "\"dimensions\": [{\"name\": \"a\", \"levels\": [\"a\"]}, {\"name\": \"p\","
                  " \"levels\": [\"p\"]}], \"measures\": ["
                  "{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(
        fixture, "both.json",
        "{\"name\": \"both\", \"kind\": \"virtual\", \"primary\": \"left\", \"sources\": ["
        "{\"cube\": \"left\"}, {\"cube\": \"right\", \"join\": {\"on\": ["
        "{\"dim\": \"x\", \"index\": \"codes\", \"to_dim\": \"a\", \"normalize\": {\"from\":"
        " [{\"split\": \",\"}]}}, {\"dim\": \"y\", \"index\": \"codes\", \"to_dim\": \"p\","
        " \"normalize\": {\"from\": [{\"split\": \",\"}]}}]}}], \"measures\": ["
        "{\"name\": \"m\", \"source\": \"right\", \"measure\": \"n\"}]}");
    fixture_need_load(fixture, false);
}

/* A fact is in the cells of each pair of their groups, and once in every total. */
Test(engine, fanout_over_two_dimensions)
{
    struct fixture fixture;
    open_two_fanouts(&fixture);
    EXPECT("x1 y1 1; x1 y2 11; x2 y1 1; x2 y2 111; x1 * 11; x2 * 111 = 111", .cube = "both",
           .axes = {"x", "y"}, .measures = {"m"}, .total = "x");
    EXPECT("x1 y1 1; x1 y2 11; x2 y1 1; x2 y2 111; * y1 1; * y2 111 = 111", .cube = "both",
           .axes = {"x", "y"}, .measures = {"m"}, .total = "y");
    const vc_notice *notice =
        engine_notice(ASK(.cube = "both", .axes = {"x"}, .measures = {"m"}), "overlap");
    cr_assert_not_null(notice, "also where it is the last set that they share");
    cr_assert_eq(notice->count, 2);
    fixture_close(&fixture);
}

/* Joined by a key of many sets of members: code a is of member i when bit i of a + 1 is set. With
 * the dimension that both have, the sets have more cells than one thread shares out. */
enum { SET_MEMBERS = 8, SET_CODES = 200, SET_DAYS = 200 };

static int64_t value_of_code(unsigned code, unsigned day)
{
    return (int64_t)code * 1000 + day * day + 1;
}

static void open_many_sets(struct fixture *fixture)
{
    vc_buffer text = {0};
    fixture_open(fixture);
    vc_buffer_put_text(&text, "x,codes\n");
    for (unsigned i = 0; i < SET_MEMBERS; i++) {
        vc_buffer_printf(&text, "x%u,\"-", i);
        for (unsigned code = 0; code < SET_CODES; code++)
            if ((code + 1) >> i & 1) vc_buffer_printf(&text, ",c%u", code);
        vc_buffer_put_text(&text, "\"\n");
    }
    fixture_write(fixture, "x.csv", vc_buffer_text(&text));
    vc_buffer_clear(&text);
    vc_buffer_put_text(&text, "a,day,n\n");
    for (unsigned code = 0; code < SET_CODES; code++)
        for (unsigned day = 0; day < SET_DAYS; day++)
            vc_buffer_printf(&text, "c%u,%u,%lld\n", code, day,
                             (long long)value_of_code(code, day));
    fixture_write(fixture, "right.csv", vc_buffer_text(&text));
    vc_buffer_clear(&text);
    vc_buffer_put_text(&text, "x,day,n\n");
    for (unsigned day = 0; day < SET_DAYS; day++)
        vc_buffer_printf(&text, "x1,%u,1\n", day);
    fixture_write(fixture, "left.csv", vc_buffer_text(&text));
    vc_buffer_release(&text);
    fixture_write(fixture, "left.json",
                  "{\"name\": \"left\", \"kind\": \"source\", \"data\": {\"csv\": \"left.csv\"},"
                  "\"dimensions\": [{\"name\": \"x\", \"table\": {\"csv\": \"x.csv\"}, \"key\":"
                  " \"x\", \"levels\": [\"x\"], \"attributes\": [\"codes\"]}, {\"name\": \"day\","
                  " \"levels\": [{\"name\": \"day\", \"type\": \"int\"}]}], \"measures\": ["
                  "{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(fixture, "right.json",
                  "{\"name\": \"right\", \"kind\": \"source\", \"data\": {\"csv\": \"right.csv\"},"
                  "\"dimensions\": [{\"name\": \"a\", \"levels\": [\"a\"]}, {\"name\": \"day\","
                  " \"levels\": [{\"name\": \"day\", \"type\": \"int\"}]}], \"measures\": ["
                  "{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(fixture, "both.json",
                  "{\"name\": \"both\", \"kind\": \"virtual\", \"primary\": \"left\","
                  " \"sources\": [{\"cube\": \"left\"}, {\"cube\": \"right\", \"join\": {\"on\": ["
                  "{\"dim\": \"day\", \"to_dim\": \"day\"}, {\"dim\": \"x\", \"index\": \"codes\","
                  " \"to_dim\": \"a\", \"normalize\": {\"from\": [{\"split\": \",\"}]}}]}}],"
                  " \"measures\": [{\"name\": \"m\", \"source\": \"right\", \"measure\": \"n\"}]}");
    fixture_need_load(fixture, false);
}

/* What the member has on the days first .. end - 1. */
static int64_t sum_of_member(unsigned member, unsigned first, unsigned end)
{
    int64_t sum = 0;
    for (unsigned code = 0; code < SET_CODES; code++)
        for (unsigned day = first; ((code + 1) >> member & 1) != 0 && day < end; day++)
            sum += value_of_code(code, day);
    return sum;
}

Test(engine, fanout_shared_out_by_threads)
{
    struct fixture fixture;
    open_many_sets(&fixture);
    for (unsigned nthreads = 1; nthreads <= 4; nthreads += 3) {
        vc_pool *pool;
        const vc_result *result;
        vc_error error = {0};
        cr_assert_eq(vc_pool_new(nthreads, &pool, NULL), VC_OK);
        vc_query query = engine_query(
            &(struct question){
                .cube = "both", .axes = {"x", "day"}, .measures = {"m"}, .total = "x"},
            &fixture.arena);
        cr_assert_eq(vc_engine_run(fixture.model, &query, &(vc_engine_options){.pool = pool},
                                   &fixture.arena, &result, &error),
                     VC_OK, "%s", error.message);
        cr_assert_eq(result->ndetail_rows, SET_MEMBERS * SET_DAYS);
        cr_assert_eq(result->nrows, SET_MEMBERS * (SET_DAYS + 1));
        for (size_t row = 0; row < result->nrows; row++) {
            unsigned member = result->coords[row * 2], day = result->coords[row * 2 + 1];
            bool is_total = row >= result->ndetail_rows;
            int64_t expected =
                is_total ? sum_of_member(member, 0, SET_DAYS) : sum_of_member(member, day, day + 1);
            cr_assert_eq(result->cells[row].as.i, expected, "row %zu, %u threads", row, nthreads);
        }
        vc_pool_free(pool);
    }
    fixture_close(&fixture);
}

/* At most 20 members and a count; none where the members of this answer share nothing. */
Test(engine, overlap)
{
    struct fixture fixture;
    engine_open_fanout(&fixture);
    const vc_notice *notice =
        engine_notice(ASK(.cube = "both", .axes = {"item.id"}, .measures = {"m"}), "overlap");
    cr_assert_not_null(notice);
    cr_assert_eq(notice->count, 30);
    cr_assert_eq(notice->nmembers, 20);
    cr_assert(vc_str_is(notice->members[0], "a15"), "in member order: high comes before low");
    notice = engine_notice(ASK(.cube = "both", .axes = {"item"}, .measures = {"m"}), "overlap");
    cr_assert_eq(notice->count, 2);
    cr_assert(vc_str_is(notice->members[0], "high"));
    cr_assert_null(engine_notice(ASK(.cube = "both", .axes = {"item"}, .measures = {"m"},
                                     .cut = "item", .keys = {"low", "other"}),
                                 "overlap"),
                   "only one of them is shown");
    cr_assert_null(engine_notice(ASK(.cube = "both", .measures = {"m"}), "overlap"));
    fixture_close(&fixture);
}

Test(engine, truncated)
{
    struct fixture fixture;
    const vc_result *result;
    vc_error error = {0};
    engine_open_fanout(&fixture);
    vc_query query =
        engine_query(&(struct question){.cube = "both", .axes = {"item.id"}}, &fixture.arena);
    query.limit = 10;
    query.offset = 5;
    cr_assert_eq(vc_engine_run(fixture.model, &query, NULL, &fixture.arena, &result, &error),
                 VC_OK);
    cr_assert_eq(result->nrows, 10);
    cr_assert_eq(result->total_cell_count, 31);
    cr_assert(result->is_truncated);
    cr_assert_eq(engine_notice(result, "truncated")->count, 31);
    query.offset = 25;
    cr_assert_eq(vc_engine_run(fixture.model, &query, NULL, &fixture.arena, &result, &error),
                 VC_OK);
    cr_assert_eq(result->nrows, 6);
    cr_assert_not(result->is_truncated, "the last page");
    query.offset = 1000;
    cr_assert_eq(vc_engine_run(fixture.model, &query, NULL, &fixture.arena, &result, &error),
                 VC_OK);
    cr_assert_eq(result->nrows, 0);
    fixture_close(&fixture);
}

/* ---- numbers ---- */

Test(engine, overflow_is_an_error)
{
    struct fixture fixture;
    const vc_result *result;
    vc_error error = {0};
    engine_open_numbers(
        &fixture,
        "{\"name\": \"x\", \"type\": \"int\", \"aggregator\": \"sum\"},"
        "{\"name\": \"mean\", \"column\": \"x\", \"type\": \"int\", \"aggregator\": \"avg\"}",
        "k,t,x\na,1,9223372036854775807\na,2,1\na,3,-1\nb,1,9223372036854775807\n"
        "b,2,1\nc,1,-9223372036854775808\n");
    EXPECT("a 9223372036854775807 = 9223372036854775807", .cube = "c", .axes = {"k"},
           .measures = {"x"}, .cut = "k", .keys = {"a"});
    struct question question = {
        .cube = "c", .axes = {"k"}, .measures = {"x"}, .cut = "k", .keys = {"b"}};
    cr_assert_eq(engine_try(&fixture, &question, NULL, &result, &error), VC_OVERFLOW);
    cr_assert_str_eq(error.code, "overflow");
    cr_assert_not_null(strstr(error.message, "'x'"));
    EXPECT("b 4.611686018427388e+18 = 4.611686018427388e+18", .cube = "c", .axes = {"k"},
           .measures = {"mean"}, .cut = "k", .keys = {"b"});
    fixture_close(&fixture);
}

Test(engine, decimals_are_exact)
{
    struct fixture fixture;
    vc_buffer facts = {0};
    vc_buffer_put_text(&facts, "k,t,x\n");
    for (int i = 0; i < 1000; i++)
        vc_buffer_printf(&facts, "%s,%d,0.1\n", i % 2 ? "a" : "b", i);
    vc_buffer_put_text(&facts, "c,1,900000000000000.01\nc,2,-900000000000000.02\n");
    engine_open_numbers(&fixture,
                        "{\"name\": \"x\", \"type\": \"decimal(2)\", \"aggregator\": \"sum\"},"
                        "{\"name\": \"mean\", \"column\": \"x\", \"type\": \"decimal(2)\","
                        " \"aggregator\": \"avg\"},"
                        "{\"name\": \"most\", \"column\": \"x\", \"type\": \"decimal(2)\","
                        " \"aggregator\": \"max\"}",
                        vc_buffer_text(&facts));
    EXPECT("a 50 0.1 0.1; b 50 0.1 0.1; c -0.01 -0.005 900000000000000.01"
           " = 99.99 0.09979041916167665 900000000000000.01",
           .cube = "c", .axes = {"k"}, .measures = {"x", "mean", "most"});
    vc_buffer_release(&facts);
    fixture_close(&fixture);
}

/* Rows, or values that are there; and why a cell is null. */
Test(engine, counts_and_nulls)
{
    struct fixture fixture;
    engine_open_numbers(
        &fixture,
        "{\"name\": \"x\", \"type\": \"int\", \"aggregator\": \"sum\"},"
        "{\"name\": \"rows\", \"aggregator\": \"count\"},"
        "{\"name\": \"values\", \"column\": \"x\", \"aggregator\": \"count\"},"
        "{\"name\": \"kinds\", \"column\": \"x\", \"aggregator\": \"count_distinct\"},"
        "{\"name\": \"least\", \"column\": \"x\", \"type\": \"int\","
        " \"aggregator\": \"min\"}",
        "k,t,x\na,1,0\na,2,\na,3,0\nb,1,\nc,9,7\n");
    EXPECT("a 0 3 2 1 0; b -n 1 0 0 -n; c 7 1 1 1 7 = 7 5 3 2 0", .cube = "c", .axes = {"k"});
    EXPECT("a 0 2 1; b -n 1 0 = 0 3 1", .cube = "c", .axes = {"k"},
           .measures = {"x", "rows", "kinds"}, .cut = "t", .keys = {"1", "3"});
    fixture_close(&fixture);
}

/* ---- along one dimension: last and first ---- */

static const char stock[] =
    "{\"name\": \"x\", \"type\": \"int\", \"aggregator\": \"sum\", \"over\": {\"t\": \"last\"}},"
    "{\"name\": \"y\", \"column\": \"x\", \"type\": \"int\", \"aggregator\": \"sum\","
    " \"over\": {\"t\": \"first\"}},"
    "{\"name\": \"flow\", \"column\": \"x\", \"type\": \"int\", \"aggregator\": \"sum\"}";

/* The last leaf of the selection is the same for all combinations: b has no row there. 10 is after
 * 9, because all keys are numbers. */
Test(engine, last_and_first)
{
    struct fixture fixture;
    engine_open_numbers(&fixture, stock, "k,t,x\na,9,1\na,10,2\nb,9,40\nc,2,5\nc,10,100\n");
    EXPECT("a 2 -e 3; b -e -e 40; c 100 5 105 = 102 5 148", .cube = "c", .axes = {"k"});
    EXPECT("a 1 1 1; b 40 40 40 = 41 41 41", .cube = "c", .axes = {"k"}, .cut = "t", .keys = {"9"});
    EXPECT("2 5 5 5; 9 41 41 41; 10 102 102 102 = 102 5 148", .cube = "c", .axes = {"t"});
    fixture_close(&fixture);
}

/* Joined: several members of the primary share a leaf of t, so that its groups overlap. Each group
 * has its own last leaf. */
Test(engine, last_over_a_ragged_relation)
{
    struct fixture fixture;
    engine_open_numbers(&fixture, stock, "k,t,x\na,1,10\na,2,20\na,3,30\n");
    fixture_write(&fixture, "p.csv", "id,codes\nA,\"1,2\"\nB,\"2,3\"\nC,1\nD,7\n");
    fixture_write(&fixture, "f.csv", "id,n\nA,1\n");
    fixture_write(
        &fixture, "p.json",
        "{\"name\": \"p\", \"kind\": \"source\", \"data\": {\"csv\": \"f.csv\"},"
        "\"dimensions\": [{\"name\": \"id\", \"table\": {\"csv\": \"p.csv\"}, \"key\": \"id\","
        " \"levels\": [\"id\"], \"attributes\": [\"codes\"]}], \"measures\": ["
        "{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(
        &fixture, "v.json",
        "{\"name\": \"v\", \"kind\": \"virtual\", \"primary\": \"p\", \"sources\": ["
        "{\"cube\": \"p\"}, {\"cube\": \"c\", \"join\": {\"on\": [{\"dim\": \"id\","
        " \"index\": \"codes\", \"to_dim\": \"t\", \"normalize\": {\"from\":"
        " [{\"split\": \",\"}]}}]}}], \"measures\": [{\"name\": \"x\", \"source\": \"c\"},"
        "{\"name\": \"y\", \"source\": \"c\"}, {\"name\": \"flow\", \"source\": \"c\"}]}");
    fixture_need_load(&fixture, false);
    EXPECT("A 20 10 30; B 30 20 50; C 10 10 10 = 30 10 60", .cube = "v", .axes = {"id"});
    fixture_close(&fixture);
}

/* ---- grain ---- */

/* Budgets by year, sales by month: below the year the budget is null g, and a cut to a month does
 * not make it known. */
static void open_grain(struct fixture *fixture, const char *more)
{
    vc_buffer text = {0};
    fixture_open(fixture);
    fixture_write(fixture, "sales.csv",
                  "year,month,n\n2020,2020-01,1\n2020,2020-02,2\n2021,2021-01,4\n");
    fixture_write(fixture, "budget.csv", "year,n\n2020,100\n2021,200\n2022,400\n");
    fixture_write(fixture, "months.csv", "month,n\n2020-01,1000\n2021-01,2000\n");
    fixture_write(fixture, "sales.json",
                  "{\"name\": \"sales\", \"kind\": \"source\", \"data\": {\"csv\": \"sales.csv\"},"
                  "\"dimensions\": [{\"name\": \"date\", \"levels\": [\"year\", \"month\"]}],"
                  "\"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(
        fixture, "budget.json",
        "{\"name\": \"budget\", \"kind\": \"source\", \"data\": {\"csv\": \"budget.csv\"},"
        "\"dimensions\": [{\"name\": \"y\", \"levels\": [\"year\"]}],"
        "\"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"},"
        "{\"name\": \"rows\", \"aggregator\": \"count\"}]}");
    fixture_write(
        fixture, "months.json",
        "{\"name\": \"months\", \"kind\": \"source\", \"data\": {\"csv\": \"months.csv\"},"
        "\"dimensions\": [{\"name\": \"m\", \"levels\": [\"month\"]}],"
        "\"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    vc_buffer_printf(
        &text,
        "{\"name\": \"v\", \"kind\": \"virtual\", \"primary\": \"sales\", \"sources\": ["
        "{\"cube\": \"sales\"}, {\"cube\": \"budget\", \"join\": {\"on\": [{\"dim\":"
        " \"date\", \"level\": \"year\", \"to_dim\": \"y\"}]}}%s], \"measures\": ["
        "{\"name\": \"n\", \"source\": \"sales\"}, {\"name\": \"b\", \"source\":"
        " \"budget\", \"measure\": \"n\"}, {\"name\": \"rows\", \"source\":"
        " \"budget\"}]}",
        more);
    fixture_write(fixture, "v.json", vc_buffer_text(&text));
    vc_buffer_release(&text);
    fixture_need_load(fixture, false);
}

Test(engine, below_the_grain)
{
    struct fixture fixture;
    open_grain(&fixture, "");
    EXPECT("2020 3 100 1; 2021 4 200 1 = 7 300 2", .cube = "v", .axes = {"date"});
    /* January is all of 2021 that there is so far, and still not the year. */
    EXPECT("2020-01 1 -g -g; 2020-02 2 -g -g; 2021-01 4 -g -g = 7 300 2", .cube = "v",
           .axes = {"date.month"});
    EXPECT("1 -g -g = 1 -g -g", .cube = "v", .cut = "date.month", .keys = {"2020-01"});
    fixture_close(&fixture);
}

/* February is hidden by an inner join on months; 2020 is still 2020. */
Test(engine, hidden_leaves_split_no_unit)
{
    struct fixture fixture;
    open_grain(
        &fixture,
        ", {\"cube\": \"months\", \"join\": {\"kind\": \"inner\", \"on\": [{\"dim\": \"date\","
        " \"level\": \"month\", \"to_dim\": \"m\"}]}}");
    EXPECT("2020 1 100 1; 2021 4 200 1 = 5 300 2", .cube = "v", .axes = {"date"});
    fixture_close(&fixture);
}

/* ---- fixes ---- */

/* The measure's fix replaces the source's on the same dimension, and intersects with a cut. */
Test(engine, fixes)
{
    struct fixture fixture;
    engine_open_numbers(&fixture, "{\"name\": \"x\", \"type\": \"int\", \"aggregator\": \"sum\"}",
                        "k,t,x\na,1,1\na,2,2\nb,1,4\nb,2,8\n");
    fixture_write(
        &fixture, "v.json",
        "{\"name\": \"v\", \"kind\": \"virtual\", \"primary\": \"p\", \"sources\": ["
        "{\"alias\": \"p\", \"cube\": \"c\"}, {\"alias\": \"q\", \"cube\": \"c\","
        " \"fix\": {\"t\": \"1\"}}], \"measures\": ["
        "{\"name\": \"p\", \"source\": \"p\", \"measure\": \"x\"},"
        "{\"name\": \"q\", \"source\": \"q\", \"measure\": \"x\"},"
        "{\"name\": \"q2\", \"source\": \"q\", \"measure\": \"x\", \"fix\": {\"t\": \"2\"}},"
        "{\"name\": \"qb\", \"source\": \"q\", \"measure\": \"x\", \"fix\": {\"k\": \"b\"}}]}");
    fixture_need_load(&fixture, false);
    EXPECT("a 3 1 2 -e; b 12 4 8 4 = 15 5 10 4", .cube = "v", .axes = {"k"});
    EXPECT("10 -e 10 -e = 10 -e 10 -e", .cube = "v", .cut = "t", .keys = {"2"});
    fixture_close(&fixture);
}

/* ---- coverage ---- */

Test(engine, coverage)
{
    struct fixture fixture;
    engine_open_world(&fixture, "\"kind\": \"left\"");
    const vc_result *result = ASK(.cube = "world", .measures = {"cpop"});
    cr_assert_eq(result->ncoverage, 1);
    const vc_result_coverage *item = &result->coverage[0];
    cr_assert_eq(item->counts.keys, 7);
    cr_assert_eq(item->counts.keys_matched, 6);
    cr_assert_eq(item->counts.members, 7);
    cr_assert_eq(item->counts.primary_members, 5);
    cr_assert_eq(item->counts.primary_matched, 4);
    cr_assert_eq(item->nshares, 2, "sums and counts, no averages");
    cr_assert(vc_str_is(item->shares[0].measure, "cpop"));
    cr_assert_float_eq(item->shares[0].share, 16.7 / 16.8, 1e-12);
    cr_assert_float_eq(item->shares[1].share, 6.0 / 7, 1e-12);
    result = ASK(.cube = "world", .measures = {"pop"});
    cr_assert_eq(result->ncoverage, 0, "the answer does not depend on the join");
    fixture_close(&fixture);
}

/* An aggregate among the joined keys is in no bucket and no total, and the answer says so. */
Test(engine, excluded)
{
    struct fixture fixture;
    engine_write_world(&fixture, "\"kind\": \"full\"", "");
    fixture_write(&fixture, "cities.csv",
                  "city,ciso,cpop\nParis,FR,2.1\nAll,OWID_WRL,7000\n?,ZZ,1\n");
    fixture_need_load(&fixture, false);
    EXPECT("US 333 -u; JP 125 -u; DE 84 -u; FR 68 2.1; XK 1.8 -u; (unmatched:cities) -u 1"
           " = 611.8 3.1",
           .cube = "world", .axes = {"geo.country"}, .measures = {"pop", "cpop"});
    const vc_notice *notice = engine_notice(ASK(.cube = "world"), "excluded");
    cr_assert_not_null(notice);
    cr_assert_eq(notice->count, 1);
    const vc_result_coverage *item = &ASK(.cube = "world")->coverage[0];
    cr_assert_eq(item->counts.excluded, 1);
    cr_assert_float_eq(item->shares[0].share, 2.1 / 3.1, 1e-12,
                       "of the source less its aggregates");
    fixture_close(&fixture);
}

/* ---- buckets ---- */

/* Leaves without a key of their own: two cities called Nowhere have one synthetic key, and it means
 * both. */
Test(engine, synthetic_key_of_several)
{
    struct fixture fixture;
    engine_write_world(&fixture, "\"kind\": \"full\", \"unmatched\": \"members\"", "");
    fixture_write(&fixture, "cities.csv",
                  "city,ciso,cpop\nParis,FR,2.1\nNowhere,ZZ,1\nNowhere,QQ,2\n");
    fixture_need_load(&fixture, false);
    EXPECT("3 = 3", .cube = "world", .measures = {"cpop"}, .cut = "geo",
           .keys = {"cities:Nowhere"});
    fixture_close(&fixture);
}

/* Law L1 where the primary is empty: its total is empty, not unmatched; the bucket is the others'.
 */
Test(engine, empty_primary)
{
    struct fixture fixture;
    engine_write_world(&fixture, "\"kind\": \"full\"", "");
    fixture_write(&fixture, "stats.csv", "country,sex,pop\n");
    fixture_write(&fixture, "countries.csv", "iso2,continent\n");
    fixture_need_load(&fixture, false);
    EXPECT("-e 16.8 = -e 16.8", .cube = "world", .measures = {"pop", "cpop"});
    EXPECT("(unmatched:cities) -u 16.8 = -e 16.8", .cube = "world", .axes = {"geo"},
           .measures = {"pop", "cpop"});
    fixture_close(&fixture);
}
