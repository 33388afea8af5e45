/* The engine on small cubes that a person can check: notices, exactness, semi-additive measures,
 * fixes, coverage, limits. What random worlds compare is in test_differential.c. */
#include "slice/engine.h"

#include "tests/slice/fixture.h"
#include "tests/slice/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- asking ---- */

enum { NAMES = 8 };

struct question { /* a query of plain texts; what is not given is absent */
    const char *cube;
    const char *axes[NAMES]; /* "geo" or "geo.country" */
    const char *measures[NAMES];
    const char *cut, *keys[NAMES]; /* one dimension, its members */
    bool is_negated;
    const char *total; /* one dimension that stays, "" for none */
};

static vc_dimref ref_of(const char *text)
{
    vc_str rest = vc_str_of(text), name = vc_str_split(&rest, '.');
    return (vc_dimref){.dimension = name, .level = rest};
}

static vc_query query_of(const struct question *question, vc_arena *arena)
{
    vc_query query = vc_query_default();
    vc_axis_ref *axes = VC_ARENA_NEW(arena, vc_axis_ref, NAMES);
    vc_measure_ref *measures = VC_ARENA_NEW(arena, vc_measure_ref, NAMES);
    query.cube = vc_str_of(question->cube);
    while (question->axes[query.naxes] != NULL) {
        axes[query.naxes].dimref = ref_of(question->axes[query.naxes]);
        query.naxes++;
    }
    while (question->measures[query.nmeasures] != NULL) {
        measures[query.nmeasures].name = vc_str_of(question->measures[query.nmeasures]);
        query.nmeasures++;
    }
    query.axes = axes;
    query.measures = measures;
    if (question->cut != NULL) {
        vc_condition *all = VC_ARENA_NEW(arena, vc_condition, 2);
        vc_condition **list = VC_ARENA_NEW(arena, vc_condition *, 2);
        vc_item *items = VC_ARENA_NEW(arena, vc_item, NAMES);
        vc_str *keys = VC_ARENA_NEW(arena, vc_str, NAMES);
        all[0] = (vc_condition){.dimref = ref_of(question->cut), .items = items};
        while (question->keys[all[0].nitems] != NULL) {
            keys[all[0].nitems] = vc_str_of(question->keys[all[0].nitems]);
            items[all[0].nitems] =
                (vc_item){.kind = VC_ITEM_PATH, .keys = &keys[all[0].nitems], .nkeys = 1};
            all[0].nitems++;
        }
        list[0] = &all[0];
        list[1] = &all[0];
        all[1] = (vc_condition){.kind = VC_CONDITION_NOT,
                                .dimref = all[0].dimref,
                                .children = &list[1],
                                .nchildren = 1};
        if (question->is_negated) list[0] = &all[1];
        query.conditions = list;
        query.nconditions = 1;
    }
    if (question->total != NULL) {
        vc_total *total = VC_ARENA_NEW(arena, vc_total, 1);
        vc_str *name = VC_ARENA_NEW(arena, vc_str, 1);
        *name = vc_str_of(question->total);
        *total = (vc_total){.dimensions = name, .ndimensions = name->size > 0};
        query.totals = total;
        query.ntotals = 1;
    }
    return query;
}

static vc_status try_ask(struct fixture *fixture, const struct question *question,
                         const vc_engine_options *options, const vc_result **result,
                         vc_error *error)
{
    vc_query query = query_of(question, &fixture->arena);
    return vc_engine_run(fixture->model, &query, options, &fixture->arena, result, error);
}

static const vc_result *ask_with(struct fixture *fixture, const struct question *question,
                                 const vc_engine_options *options)
{
    const vc_result *result = NULL;
    vc_error error = {0};
    char text[2048];
    cr_assert_eq(try_ask(fixture, question, options, &result, &error), VC_OK, "%s",
                 vc_error_format(&error, text, sizeof text));
    return result;
}

#define ASK(...) ask_with(&fixture, &(struct question){__VA_ARGS__}, NULL)

/* A cell as text: its value, or "-"; then its reason. */
static const char *cell_text(const vc_result *result, const vc_cell *cells, size_t m, char *text)
{
    const vc_result_measure *measure = &result->measures[m];
    size_t size;
    if (cells[m].is_null)
        size = (size_t)sprintf(text, "-");
    else if (measure->type == VC_VALUE_FLOAT)
        size = vc_format_double(text, cells[m].as.f);
    else
        size = vc_format_decimal(text, cells[m].as.i, measure->scale);
    text[size] = cells[m].reason;
    text[size + (cells[m].reason != 0)] = '\0';
    return text;
}

/* "FR 68 2.6; DE 84 5.6; * 611.8 16.7": rows, and behind "=" the summary. */
static const char *answer_text(struct fixture *fixture, const vc_result *result)
{
    vc_buffer text = {0};
    char cell[VC_NUMBER_TEXT];
    for (size_t row = 0; row < result->nrows; row++) {
        vc_buffer_put_text(&text, row > 0 ? "; " : "");
        for (size_t a = 0; a < result->naxes; a++) {
            uint32_t at = result->coords[row * result->naxes + a];
            const vc_result_axis *axis = &result->axes[a];
            vc_str key = at == VC_NONE ? VC_STR("*") : axis->members[at].keys[axis->nlevels - 1];
            vc_buffer_printf(&text, "%.*s ", VC_FMT(key.data == NULL ? VC_STR("null") : key));
        }
        for (size_t m = 0; m < result->nmeasures; m++)
            vc_buffer_printf(&text, "%s%s", m > 0 ? " " : "",
                             cell_text(result, &result->cells[row * result->nmeasures], m, cell));
    }
    vc_buffer_put_text(&text, " =");
    for (size_t m = 0; m < result->nmeasures; m++)
        vc_buffer_printf(&text, " %s", cell_text(result, result->summary, m, cell));
    vc_str copy = vc_arena_str(&fixture->arena, vc_str_of(vc_buffer_text(&text)));
    vc_buffer_release(&text);
    return copy.data;
}

#define EXPECT(text, ...) cr_assert_str_eq(answer_text(&fixture, ASK(__VA_ARGS__)), text)

static const vc_notice *find_notice(const vc_result *result, const char *code)
{
    for (size_t i = 0; i < result->nnotices; i++)
        if (strcmp(result->notices[i].code, code) == 0) return &result->notices[i];
    return NULL;
}

/* ---- countries and cities: section 17 of the semantics ---- */

static void write_world(struct fixture *fixture, const char *join, const char *more)
{
    vc_buffer text = {0};
    fixture_open(fixture);
    fixture_write(fixture, "stats.csv",
                  "country,sex,pop\nFR,F,34\nFR,M,34\nDE,F,42\nDE,M,42\nUS,F,166.5\nUS,M,166.5\n"
                  "XK,F,0.9\nXK,M,0.9\nJP,F,62.5\nJP,M,62.5\n");
    fixture_write(fixture, "countries.csv", "iso2,continent\nFR,EU\nDE,EU\nUS,AM\nXK,EU\nJP,AS\n");
    fixture_write(fixture, "cities.csv",
                  "city,ciso,cpop\nParis,fr,2.1\nLyon,FR,0.5\nBerlin,DEU,3.7\nHamburg,\"DE \",1.9\n"
                  "New York,US,8.3\nPristina,XK,0.2\nAtlantis,ZZ,0.1\n");
    fixture_write(fixture, "stats.json",
                  "{\"name\": \"stats\", \"kind\": \"source\", \"data\": {\"csv\": \"stats.csv\"},"
                  " \"dimensions\": [{\"name\": \"geo\", \"table\": {\"csv\": \"countries.csv\"},"
                  " \"key\": \"iso2\", \"column\": \"country\", \"levels\": [\"continent\","
                  " {\"name\": \"country\", \"key\": \"iso2\"}]},"
                  " {\"name\": \"sex\", \"levels\": [\"sex\"]}],"
                  " \"measures\": [{\"name\": \"pop\", \"type\": \"decimal(1)\","
                  " \"aggregator\": \"sum\"}]}");
    fixture_write(
        fixture, "cities.json",
        "{\"name\": \"cities\", \"kind\": \"source\", \"data\": {\"csv\": \"cities.csv\"},"
        " \"dimensions\": [{\"name\": \"city\", \"levels\": [\"city\"],"
        " \"attributes\": [\"ciso\"]}],"
        " \"measures\": [{\"name\": \"cpop\", \"type\": \"decimal(1)\","
        " \"aggregator\": \"sum\"}, {\"name\": \"cities\", \"aggregator\": \"count\"},"
        " {\"name\": \"mean\", \"column\": \"cpop\", \"type\": \"decimal(1)\","
        " \"aggregator\": \"avg\"},"
        " {\"name\": \"distinct\", \"aggregator\": \"count_distinct\","
        " \"dimension\": \"city\"}]}");
    vc_buffer_printf(
        &text,
        "{\"name\": \"world\", \"kind\": \"virtual\", \"primary\": \"stats\", \"sources\": ["
        "{\"alias\": \"stats\", \"cube\": \"stats\"}, {\"alias\": \"cities\", \"cube\": \"cities\","
        " \"join\": {%s, \"on\": [{\"dim\": \"geo\", \"index\": \"country\", \"to_dim\": \"city\","
        " \"to_index\": \"ciso\", \"normalize\": {\"both\": [\"trim\", {\"codelist\":"
        " {\"list\": \"iso3166-1\", \"to\": \"alpha3\"}}]}}]}}]%s, \"measures\": ["
        "{\"name\": \"pop\", \"source\": \"stats\"}, {\"name\": \"cpop\", \"source\": \"cities\"},"
        "{\"name\": \"n\", \"source\": \"cities\", \"measure\": \"cities\"},"
        "{\"name\": \"mean\", \"source\": \"cities\"}, {\"name\": \"distinct\","
        " \"source\": \"cities\"}, {\"name\": \"ratio\", \"expr\": \"cpop / pop\"}]}",
        join, more);
    fixture_write(fixture, "world.json", vc_buffer_text(&text));
    vc_buffer_release(&text);
}

static void open_world(struct fixture *fixture, const char *join)
{
    write_world(fixture, join, "");
    fixture_need_load(fixture, false);
}

Test(engine, golden_left)
{
    struct fixture fixture;
    open_world(&fixture, "\"kind\": \"left\"");
    EXPECT("US 333 8.3; JP 125 -u; DE 84 5.6; FR 68 2.6; XK 1.8 0.2 = 611.8 16.7", .cube = "world",
           .axes = {"geo.country"}, .measures = {"pop", "cpop"});
    EXPECT("AM 333 8.3; AS 125 -u; EU 153.8 8.4 = 611.8 16.7", .cube = "world", .axes = {"geo"},
           .measures = {"pop", "cpop"});
    EXPECT("FR 2 1.3 2 = 2 1.3 2", .cube = "world", .axes = {"geo.country"},
           .measures = {"n", "mean", "distinct"}, .cut = "geo.country", .keys = {"FR", "JP"});
    EXPECT("-u -u -u = -u -u -u", .cube = "world", .measures = {"n", "mean", "distinct"},
           .cut = "geo.country", .keys = {"JP"});
    const vc_result *result = ASK(.cube = "world", .measures = {"cpop", "ratio"});
    const vc_notice *notice = find_notice(result, "unmatched");
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
    open_world(&fixture, "\"kind\": \"inner\"");
    EXPECT("US 333 8.3; DE 84 5.6; FR 68 2.6; XK 1.8 0.2 = 486.8 16.7", .cube = "world",
           .axes = {"geo.country"}, .measures = {"pop", "cpop"});
    fixture_close(&fixture);
    open_world(&fixture, "\"kind\": \"right\"");
    EXPECT("US 333 8.3; DE 84 5.6; FR 68 2.6; XK 1.8 0.2; (unmatched:cities) -u 0.1 = 486.8 16.8",
           .cube = "world", .axes = {"geo.country"}, .measures = {"pop", "cpop"});
    cr_assert_null(find_notice(ASK(.cube = "world"), "unmatched"), "the bucket shows it");
    fixture_close(&fixture);
    open_world(&fixture, "\"kind\": \"full\", \"unmatched\": \"members\"");
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
    open_world(&fixture, "\"kind\": \"left\"");
    EXPECT("305.9 -x -x = 305.9 -x -x", .cube = "world", .measures = {"pop", "cpop", "n"},
           .cut = "sex", .keys = {"F"});
    EXPECT("F 305.9 -x; M 305.9 -x = 611.8 16.7", .cube = "world", .axes = {"sex"},
           .measures = {"pop", "cpop"});
    cr_assert_null(find_notice(ASK(.cube = "world", .axes = {"sex"}), "repeat"));
    fixture_close(&fixture);

    write_world(&fixture, "\"kind\": \"left\"",
                ", \"private\": {\"stats\": {\"sex\": {\"others\": \"repeat\"}}}");
    fixture_need_load(&fixture, false);
    EXPECT("305.9 16.7r = 305.9 16.7r", .cube = "world", .measures = {"pop", "cpop"}, .cut = "sex",
           .keys = {"F"});
    /* A drilldown selects nothing: the summary is not repeated. */
    EXPECT("F 305.9 16.7r; M 305.9 16.7r = 611.8 16.7", .cube = "world", .axes = {"sex"},
           .measures = {"pop", "cpop"});
    const vc_result *result = ASK(.cube = "world", .axes = {"sex"}, .measures = {"cpop", "ratio"});
    cr_assert_not_null(find_notice(result, "repeat"));
    cr_assert_eq(result->cells[1].reason, 'r', "survives arithmetic");
    fixture_close(&fixture);

    write_world(&fixture, "\"kind\": \"left\"",
                ", \"private\": {\"stats\": {\"sex\": {\"others\": \"error\"}}}");
    fixture_need_load(&fixture, false);
    vc_error error = {0};
    struct question question = {.cube = "world", .axes = {"sex"}, .measures = {"cpop"}};
    cr_assert_eq(try_ask(&fixture, &question, NULL, &result, &error), VC_IMPOSSIBLE);
    cr_assert_str_eq(error.code, "unrelated");
    EXPECT("F 305.9; M 305.9 = 611.8", .cube = "world", .axes = {"sex"}, .measures = {"pop"});
    fixture_close(&fixture);
}

/* ---- fan-out ---- */

/* 30 members of the primary have the key A, one has B. */
static void open_fanout(struct fixture *fixture)
{
    vc_buffer text = {0};
    fixture_open(fixture);
    vc_buffer_put_text(&text, "id,group,code\nb,other,B\n");
    for (int i = 0; i < 30; i++)
        vc_buffer_printf(&text, "a%02d,%s,A\n", i, i < 15 ? "low" : "high");
    fixture_write(fixture, "items.csv", vc_buffer_text(&text));
    fixture_write(fixture, "left.csv", "id,n\na00,1\na01,2\nb,4\n");
    fixture_write(fixture, "right.csv", "code,n\nA,10\nA,5\nB,100\n");
    fixture_write(fixture, "left.json",
                  "{\"name\": \"left\", \"kind\": \"source\", \"data\": {\"csv\": \"left.csv\"},"
                  "\"dimensions\": [{\"name\": \"item\", \"table\": {\"csv\": \"items.csv\"},"
                  " \"key\": \"id\", \"levels\": [\"group\", \"id\"], \"attributes\": [\"code\"]}],"
                  "\"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(fixture, "right.json",
                  "{\"name\": \"right\", \"kind\": \"source\", \"data\": {\"csv\": \"right.csv\"},"
                  "\"dimensions\": [{\"name\": \"code\", \"levels\": [\"code\"]}],"
                  "\"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(
        fixture, "both.json",
        "{\"name\": \"both\", \"kind\": \"virtual\", \"primary\": \"left\", \"sources\": ["
        "{\"cube\": \"left\"}, {\"cube\": \"right\", \"join\": {\"on\": [{\"dim\":"
        " \"item\", \"index\": \"code\", \"to_dim\": \"code\"}]}}], \"measures\": ["
        "{\"name\": \"n\", \"source\": \"left\"}, {\"name\": \"m\", \"source\": \"right\","
        " \"measure\": \"n\"}]}");
    vc_buffer_release(&text);
    fixture_need_load(fixture, false);
}

Test(engine, fanout_is_a_union)
{
    struct fixture fixture;
    open_fanout(&fixture);
    EXPECT("high -e 15; low 3 15; other 4 100; * 7 115 = 7 115", .cube = "both", .axes = {"item"},
           .measures = {"n", "m"}, .total = "");
    EXPECT("a00 1 15; a01 2 15 = 3 15", .cube = "both", .axes = {"item.id"}, .measures = {"n", "m"},
           .cut = "item.id", .keys = {"a00", "a01"});
    fixture_close(&fixture);
}

/* At most 20 members and a count; none where the members of this answer share nothing. */
Test(engine, overlap)
{
    struct fixture fixture;
    open_fanout(&fixture);
    const vc_notice *notice =
        find_notice(ASK(.cube = "both", .axes = {"item.id"}, .measures = {"m"}), "overlap");
    cr_assert_not_null(notice);
    cr_assert_eq(notice->count, 30);
    cr_assert_eq(notice->nmembers, 20);
    cr_assert(vc_str_is(notice->members[0], "a15"), "in member order: high comes before low");
    notice = find_notice(ASK(.cube = "both", .axes = {"item"}, .measures = {"m"}), "overlap");
    cr_assert_eq(notice->count, 2);
    cr_assert(vc_str_is(notice->members[0], "high"));
    cr_assert_null(find_notice(ASK(.cube = "both", .axes = {"item"}, .measures = {"m"},
                                   .cut = "item", .keys = {"low", "other"}),
                               "overlap"),
                   "only one of them is shown");
    cr_assert_null(find_notice(ASK(.cube = "both", .measures = {"m"}), "overlap"));
    fixture_close(&fixture);
}

Test(engine, truncated)
{
    struct fixture fixture;
    const vc_result *result;
    vc_error error = {0};
    open_fanout(&fixture);
    vc_query query =
        query_of(&(struct question){.cube = "both", .axes = {"item.id"}}, &fixture.arena);
    query.limit = 10;
    query.offset = 5;
    cr_assert_eq(vc_engine_run(fixture.model, &query, NULL, &fixture.arena, &result, &error),
                 VC_OK);
    cr_assert_eq(result->nrows, 10);
    cr_assert_eq(result->total_cell_count, 31);
    cr_assert(result->is_truncated);
    cr_assert_eq(find_notice(result, "truncated")->count, 31);
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

/* One cube of a dimension `k` and measures over the column x. */
static void open_numbers(struct fixture *fixture, const char *measures, const char *facts)
{
    vc_buffer text = {0};
    fixture_open(fixture);
    fixture_write(fixture, "c.csv", facts);
    vc_buffer_printf(&text,
                     "{\"name\": \"c\", \"kind\": \"source\", \"data\": {\"csv\": \"c.csv\"},"
                     "\"dimensions\": [{\"name\": \"k\", \"levels\": [\"k\"]},"
                     "{\"name\": \"t\", \"levels\": [{\"name\": \"t\", \"type\": \"int\"}]}],"
                     "\"measures\": [%s]}",
                     measures);
    fixture_write(fixture, "c.json", vc_buffer_text(&text));
    vc_buffer_release(&text);
    fixture_need_load(fixture, false);
}

Test(engine, overflow_is_an_error)
{
    struct fixture fixture;
    const vc_result *result;
    vc_error error = {0};
    open_numbers(
        &fixture,
        "{\"name\": \"x\", \"type\": \"int\", \"aggregator\": \"sum\"},"
        "{\"name\": \"mean\", \"column\": \"x\", \"type\": \"int\", \"aggregator\": \"avg\"}",
        "k,t,x\na,1,9223372036854775807\na,2,1\na,3,-1\nb,1,9223372036854775807\n"
        "b,2,1\nc,1,-9223372036854775808\n");
    EXPECT("a 9223372036854775807 = 9223372036854775807", .cube = "c", .axes = {"k"},
           .measures = {"x"}, .cut = "k", .keys = {"a"});
    struct question question = {
        .cube = "c", .axes = {"k"}, .measures = {"x"}, .cut = "k", .keys = {"b"}};
    cr_assert_eq(try_ask(&fixture, &question, NULL, &result, &error), VC_OVERFLOW);
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
    open_numbers(&fixture,
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
    open_numbers(&fixture,
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
    open_numbers(&fixture, stock, "k,t,x\na,9,1\na,10,2\nb,9,40\nc,2,5\nc,10,100\n");
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
    open_numbers(&fixture, stock, "k,t,x\na,1,10\na,2,20\na,3,30\n");
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
    open_numbers(&fixture, "{\"name\": \"x\", \"type\": \"int\", \"aggregator\": \"sum\"}",
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
    open_world(&fixture, "\"kind\": \"left\"");
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
    write_world(&fixture, "\"kind\": \"full\"", "");
    fixture_write(&fixture, "cities.csv",
                  "city,ciso,cpop\nParis,FR,2.1\nAll,OWID_WRL,7000\n?,ZZ,1\n");
    fixture_need_load(&fixture, false);
    EXPECT("US 333 -u; JP 125 -u; DE 84 -u; FR 68 2.1; XK 1.8 -u; (unmatched:cities) -u 1"
           " = 611.8 3.1",
           .cube = "world", .axes = {"geo.country"}, .measures = {"pop", "cpop"});
    const vc_notice *notice = find_notice(ASK(.cube = "world"), "excluded");
    cr_assert_not_null(notice);
    cr_assert_eq(notice->count, 1);
    const vc_result_coverage *item = &ASK(.cube = "world")->coverage[0];
    cr_assert_eq(item->counts.excluded, 1);
    cr_assert_float_eq(item->shares[0].share, 2.1 / 3.1, 1e-12,
                       "of the source less its aggregates");
    fixture_close(&fixture);
}

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
    open_fanout(&fixture);
    struct question question = {.cube = "both", .axes = {"item.id"}, .measures = {"n", "m"}};
    vc_engine_options options = {.limits.max_cells = 2 * 31};
    cr_assert_eq(try_ask(&fixture, &question, &options, &result, &error), VC_OK);
    options.limits.max_cells--;
    cr_assert_eq(try_ask(&fixture, &question, &options, &result, &error), VC_LIMIT);
    cr_assert_str_eq(error.code, "limit_cells");

    int ncalls = 0;
    options = (vc_engine_options){.is_cancelled = never_mind, .context = &ncalls};
    cr_assert_eq(try_ask(&fixture, &question, &options, &result, &error), VC_CANCELLED);
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
    open_fanout(&fixture);
    struct question question = {.cube = "both", .axes = {"item.id"}};
    vc_engine_options options = {.is_cancelled = wait_a_little, .limits.max_time_ms = 1};
    cr_assert_eq(try_ask(&fixture, &question, &options, &result, &error), VC_CANCELLED);
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
        query_of(&(struct question){.cube = "c", .axes = {"a", "b", "c"}}, &fixture.arena);
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
    open_numbers(&fixture,
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
            const vc_result *result = ask_with(&fixture, &question, &options);
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

/* ---- buckets ---- */

/* Leaves without a key of their own: two cities called Nowhere have one synthetic key, and it means
 * both. */
Test(engine, synthetic_key_of_several)
{
    struct fixture fixture;
    write_world(&fixture, "\"kind\": \"full\", \"unmatched\": \"members\"", "");
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
    write_world(&fixture, "\"kind\": \"full\"", "");
    fixture_write(&fixture, "stats.csv", "country,sex,pop\n");
    fixture_write(&fixture, "countries.csv", "iso2,continent\n");
    fixture_need_load(&fixture, false);
    EXPECT("-e 16.8 = -e 16.8", .cube = "world", .measures = {"pop", "cpop"});
    EXPECT("(unmatched:cities) -u 16.8 = -e 16.8", .cube = "world", .axes = {"geo"},
           .measures = {"pop", "cpop"});
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
    open_world(&fixture, "\"kind\": \"left\"");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const vc_result *result;
        vc_error error = {0};
        cr_assert_neq(try_ask(&fixture, &cases[i].question, NULL, &result, &error), VC_OK);
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
    cr_assert_str_eq(answer_text(&fixture, result), "10 = 10");
    cr_assert(fixture_compact(&fixture, 0));
    result = ASK(.cube = "stock", .measures = {"n"});
    cr_assert_str_eq(answer_text(&fixture, result), "10 = 10");
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
    cr_assert_str_eq(answer_text(&fixture, ASK(.cube = "c", .measures = {"n"})), "6 = 6");
    write_uneven(&fixture, "c");
    vc_model_free(fixture.model);
    vc_snapshot *snapshot;
    vc_error error = {0};
    const vc_result *result;
    cr_assert_eq(vc_snapshot_open(fixture.store, &snapshot, &error), VC_OK);
    cr_assert_eq(vc_model_new(snapshot, true, &fixture.model, &error), VC_OK);
    const struct question sum = {.cube = "c", .axes = {"geo"}, .measures = {"n"}};
    cr_assert_eq(try_ask(&fixture, &sum, NULL, &result, &error), VC_CORRUPT);
    cr_assert_str_eq(error.code, "storage_damaged");
    cr_assert_not_null(strstr(error.message, "column 256 has 2 rows"), "%s", error.message);
    fixture_close(&fixture);
}
