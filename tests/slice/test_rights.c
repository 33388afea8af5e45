/* What a role sees of countries and cities (section 17 of the semantics), by hand. Random rights
 * over random worlds are in test_roles.c, HTTP in tests/house/test_roles.c. */
#include "cube/browse.h"
#include "cube/cut.h"
#include "tests/slice/engine_asking.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fixture fixture, role; /* the second has the model of the role */

static void open_role(const char *rights)
{
    const vc_rights *read;
    vc_error error = {0};
    if (role.model != NULL) fixture.arena = role.arena; /* of the one before */
    cr_assert_eq(vc_rights_parse(vc_str_of(rights), &fixture.arena, &read, &error), VC_OK, "%s",
                 error.message);
    role = fixture;
    cr_assert_eq(vc_model_restrict(fixture.model, read, &role.model, &error), VC_OK);
}

static void open_world(const char *join, const char *more, const char *rights)
{
    engine_write_world(&fixture, join, more);
    fixture_need_load(&fixture, false);
    open_role(rights);
}

static void close_world(void)
{
    fixture.arena = role.arena;
    fixture_close(&fixture);
}

static const char *ask_text(const struct question *question)
{
    return engine_text(&role, engine_ask(&role, question, NULL));
}

#define SEES(text, ...) cr_assert_str_eq(ask_text(&(struct question){__VA_ARGS__}), text)

/* pop of the world under a cut. */
static const char *cut_text(const char *cut)
{
    vc_list conditions = {0};
    vc_error error = {0};
    const vc_result *result;
    vc_query query =
        engine_query(&(struct question){.cube = "world", .measures = {"pop"}}, &role.arena);
    cr_assert_eq(vc_cut_parse((vc_source_text){.text = vc_str_of(cut), .where = "cut"}, &role.arena,
                              &conditions, &error),
                 VC_OK);
    query.conditions = conditions.items;
    query.nconditions = conditions.count;
    cr_assert_eq(vc_engine_run(role.model, &query, NULL, &role.arena, &result, &error), VC_OK, "%s",
                 error.message);
    return engine_text(&role, result);
}

static void refused(const struct question *question, vc_status status, const char *code,
                    const char *not_said)
{
    const vc_result *result;
    vc_error error = {0};
    cr_assert_eq(engine_try(&role, question, NULL, &result, &error), status, "%s", error.message);
    cr_assert_str_eq(error.code, code);
    cr_assert_null(strstr(error.message, not_said), "%s", error.message);
    for (unsigned i = 0; i < error.ncandidates; i++)
        cr_assert_str_neq(error.candidates[i], not_said);
}

#define REFUSED(status, code, not_said, ...)                                                       \
    refused(&(struct question){__VA_ARGS__}, status, code, not_said)

#define LEFT   "\"kind\": \"left\", \"unmatched\": \"bucket\""
#define ALL    "{\"stats\": {}, \"cities\": {}, \"world\": {}}"
#define FRANCE "{\"stats\": {}, \"cities\": {}, \"world\": {\"cut\": \"geo.country:FR\"}}"

Test(rights, seeing_everything_changes_nothing)
{
    open_world(LEFT, "", ALL);
    SEES("AM 333 8.3; AS 125 -u; EU 153.8 8.4; (unmatched:cities) -u 0.1 = 611.8 16.8",
         .cube = "world", .axes = {"geo.continent"}, .measures = {"pop", "cpop"});
    close_world();
}

/* FR only: no German city through a total, no unmatched bucket. */
Test(rights, a_cut_on_a_virtual_cube_goes_through_its_joins)
{
    open_world(LEFT, "", FRANCE);
    SEES("EU 68 2.6 = 68 2.6", .cube = "world", .axes = {"geo.continent"},
         .measures = {"pop", "cpop"});
    SEES("FR 68 2.6 2 = 68 2.6 2", .cube = "world", .axes = {"geo.country"},
         .measures = {"pop", "cpop", "n"});
    const vc_result *result = engine_ask(
        &role,
        &(struct question){.cube = "world", .axes = {"geo.country"}, .measures = {"pop", "cpop"}},
        NULL);
    cr_assert_eq(result->ncoverage, 1);
    cr_assert_eq(result->coverage[0].counts.keys, 2); /* "fr" and "FR" */
    cr_assert_eq(result->coverage[0].counts.members, 2);
    cr_assert_eq(result->coverage[0].counts.members_matched, 2);
    cr_assert_null(engine_notice(result, "unmatched"));
    REFUSED(VC_NOT_FOUND, "unknown_member", "DE", .cube = "world", .measures = {"pop"},
            .cut = "geo", .keys = {"D"});
    REFUSED(VC_NOT_FOUND, "unknown_member", "(unmatched:cities)", .cube = "world",
            .measures = {"cpop"}, .cut = "geo", .keys = {"(unmatched)"});
    /* The source by itself is as its own right says. */
    SEES("16.8 = 16.8", .cube = "cities", .measures = {"cpop"});
    close_world();
}

Test(rights, members_are_those_that_may_be_seen)
{
    const vc_cube *cube;
    vc_error error = {0};
    vc_member_ref *members;
    size_t nmembers, ntotal;
    open_world(LEFT, "", FRANCE);
    cr_assert_eq(vc_model_cube(role.model, VC_STR("world"), &cube, &error), VC_OK);
    const vc_member_filter filter = {.level = 1, .limit = 10};
    cr_assert_eq(vc_cube_browse(&cube->dimensions[0], &filter, &role.arena, &members, &nmembers,
                                &ntotal, &error),
                 VC_OK);
    cr_assert_eq(ntotal, 1);
    cr_assert_eq(cube->dimensions[0].nbuckets, 0);
    cr_assert_eq(vc_dimension_count_leaves(cube->dimensions[0].dimension), 1);
    cr_assert_eq(cube->sources[0].cube->nrows, 2);
    cr_assert_eq(cube->sources[1].cube->nrows, 2);
    close_world();
}

/* (a) and (c): what sources and the virtual cube say all holds. */
Test(rights, cuts_on_sources_hold_inside_them)
{
    open_world(LEFT, "",
               "{\"stats\": {\"cut\": \"sex:F\"}, \"cities\": {\"cut\": \"city:Paris;Berlin\"},"
               " \"world\": {\"cut\": \"!geo.country:DE\"}}");
    SEES("US 166.5 -u; JP 62.5 -u; FR 34 2.1; XK 0.9 -u = 263.9 2.1", .cube = "world",
         .axes = {"geo.country"}, .measures = {"pop", "cpop"});
    SEES("Berlin 3.7; Paris 2.1 = 5.8", .cube = "cities", .axes = {"city"}, .measures = {"cpop"});
    REFUSED(VC_NOT_FOUND, "unknown_member", "Hamburg", .cube = "cities", .measures = {"cpop"},
            .cut = "city", .keys = {"Hambur"});
    close_world();
}

/* The dimension comes from the primary: what hides there is hidden for the cities, too. */
Test(rights, a_cut_on_the_primary_reaches_the_joined_source)
{
    open_world(LEFT, "",
               "{\"stats\": {\"cut\": \"geo:EU\"}, \"cities\": {\"access\": \"join\"},"
               " \"world\": {}}");
    SEES("DE 84 5.6; FR 68 2.6; XK 1.8 0.2 = 153.8 8.4", .cube = "world", .axes = {"geo.country"},
         .measures = {"pop", "cpop"});
    REFUSED(VC_NOT_FOUND, "unknown_cube", "cities", .cube = "citie", .measures = {"cpop"});
    REFUSED(VC_NOT_FOUND, "unknown_cube", "of its own", .cube = "cities", .measures = {"cpop"});
    close_world();
}

/* (d): its measures are not there, and what is computed of them is not. */
Test(rights, a_source_that_may_not_be_read_has_no_measures)
{
    const vc_cube *cube;
    vc_error error = {0};
    open_world(LEFT, "", "{\"stats\": {}, \"world\": {}}");
    SEES("611.8 = 611.8", .cube = "world", .measures = {"pop"});
    const vc_result *result =
        engine_ask(&role, &(struct question){.cube = "world", .axes = {"geo.country"}}, NULL);
    cr_assert_eq(result->nmeasures, 1);
    cr_assert_eq(result->ncoverage, 0);
    REFUSED(VC_NOT_FOUND, "forbidden", "cpop", .cube = "world", .measures = {"cpo"});
    REFUSED(VC_NOT_FOUND, "forbidden", "unknown", .cube = "world", .measures = {"cpop"});
    REFUSED(VC_NOT_FOUND, "forbidden", "unknown", .cube = "world", .measures = {"ratio"});
    REFUSED(VC_NOT_FOUND, "forbidden", "unknown", .cube = "world", .measures = {"nothing"});
    cr_assert_eq(vc_model_cube(role.model, VC_STR("world"), &cube, &error), VC_OK);
    cr_assert(cube->sources[1].is_unseen);
    cr_assert_eq(cube->sources[1].cube->nrows, 0);
    close_world();
}

Test(rights, listed_measures_only)
{
    open_world(LEFT, "",
               "{\"stats\": {}, \"cities\": {}, \"world\": {\"measures\": [\"pop\", \"ratio\"]}}");
    /* A ratio that was released is not its parts. */
    SEES("FR 68 0.03823529411764706 = 68 0.03823529411764706", .cube = "world",
         .axes = {"geo.country"}, .measures = {"pop", "ratio"}, .cut = "geo", .keys = {"FR"});
    REFUSED(VC_NOT_FOUND, "forbidden", "unknown", .cube = "world", .measures = {"cpop"});
    close_world();
}

/* (e): what matches nothing, or does not fit the cube, denies all. */
Test(rights, a_restriction_that_matches_nothing_denies_all)
{
    static const char *const cuts[] = {"geo.country:FR;ZZ", "!geo.country:ZZ", "planet:Earth",
                                       "geo.moon:1"};
    engine_write_world(&fixture, LEFT, "");
    fixture_need_load(&fixture, false);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        char rights[256];
        snprintf(rights, sizeof rights,
                 "{\"stats\": {}, \"cities\": {}, \"world\": {\"cut\": \"%s\"}}", cuts[i]);
        open_role(rights);
        const vc_result *result =
            engine_ask(&role, &(struct question){.cube = "world", .axes = {"geo.country"}}, NULL);
        cr_assert_eq(result->nrows, 0, "%s", cuts[i]);
        cr_assert(result->summary[0].is_null);
    }
    close_world();
}

Test(rights, nothing_is_seen_that_is_not_named)
{
    open_world(LEFT, "", "{\"stats\": {}}");
    REFUSED(VC_NOT_FOUND, "unknown_cube", "world", .cube = "worl", .measures = {"pop"});
    REFUSED(VC_NOT_FOUND, "unknown_cube", "virtual", .cube = "world", .measures = {"pop"});
    SEES("611.8 = 611.8", .cube = "stats", .measures = {"pop"});
    close_world();
}

/* A set is its author's: of it there is what may be seen, and its other members are not told. */
Test(rights, sets_and_calculated_members_are_what_is_left_of_them)
{
    open_world(LEFT,
               ", \"sets\": [{\"name\": \"big\", \"dim\": \"geo\", \"cut\": \"geo.country:FR;DE\"},"
               " {\"name\": \"rest\", \"dim\": \"geo\", \"cut\": \"!geo.country:DE\"}],"
               " \"calculated_members\": [{\"name\": \"two\", \"dim\": \"geo\", \"expr\":"
               " \"[geo.country:FR] + [geo.country:DE]\"}]",
               FRANCE);
    cr_assert_str_eq(cut_text("geo:#big"), "68 = 68");
    cr_assert_str_eq(cut_text("geo:#rest"), "68 = 68");
    cr_assert_str_eq(cut_text("!geo:#rest"), "-e = -e");
    REFUSED(VC_NOT_FOUND, "unknown_member", "DE", .cube = "world", .measures = {"pop"},
            .cut = "geo", .keys = {"two"}); /* it would be of a member that is hidden */
    close_world();
}

/* What the nested cube hides is hidden in the cube over it. */
Test(rights, a_cut_on_a_nested_cube_holds_around_it)
{
    static const char over[] =
        "{\"name\": \"over\", \"kind\": \"virtual\", \"primary\": \"w\", \"sources\": ["
        "{\"alias\": \"w\", \"cube\": \"world\"}], \"measures\": ["
        "{\"name\": \"people\", \"source\": \"w\", \"measure\": \"pop\"},"
        "{\"name\": \"townsmen\", \"source\": \"w\", \"measure\": \"cpop\"}]}";
    engine_write_world(&fixture, LEFT, "");
    fixture_write(&fixture, "over.json", over);
    fixture_need_load(&fixture, false);
    open_role("{\"*\": {\"access\": \"join\"}, \"over\": {}}");
    SEES("AM 333 8.3; AS 125 -u; EU 153.8 8.4; (unmatched:cities) -u 0.1 = 611.8 16.8",
         .cube = "over", .axes = {"geo.continent"}, .measures = {"people", "townsmen"});
    REFUSED(VC_NOT_FOUND, "unknown_cube", "measure", .cube = "world", .measures = {"pop"});
    open_role("{\"stats\": {}, \"cities\": {}, \"over\": {},"
              " \"world\": {\"access\": \"join\", \"cut\": \"geo.country:FR\"}}");
    SEES("EU 68 2.6 = 68 2.6", .cube = "over", .axes = {"geo.continent"},
         .measures = {"people", "townsmen"});
    open_role("{\"stats\": {}, \"cities\": {}, \"over\": {},"
              " \"world\": {\"access\": \"join\", \"measures\": [\"pop\"]}}");
    SEES("611.8 = 611.8", .cube = "over", .measures = {"people"});
    REFUSED(VC_NOT_FOUND, "forbidden", "unknown", .cube = "over", .measures = {"townsmen"});
    open_role("{\"stats\": {}, \"cities\": {}, \"over\": {}}");
    REFUSED(VC_NOT_FOUND, "forbidden", "unknown", .cube = "over", .measures = {"people"});
    open_role("{\"stats\": {}, \"cities\": {\"cut\": \"city:Lyon;Berlin\"}, \"world\": {},"
              " \"over\": {\"cut\": \"!geo.country:DE\"}}");
    SEES("AM 333 -u; AS 125 -u; EU 69.8 0.5 = 527.8 0.5", .cube = "over", .axes = {"geo.continent"},
         .measures = {"people", "townsmen"});
    close_world();
}

/* Of a composite key each part may be seen, and the two together not. */
Test(rights, tuples_that_lead_to_nothing_visible_are_hidden)
{
    fixture_open(&fixture);
    fixture_write(&fixture, "events.csv", "id,n\na,1\nb,2\nc,4\nd,8\n");
    fixture_write(&fixture, "event.csv",
                  "id,cur,year\na,EUR,2020\nb,USD,2021\nc,EUR,2021\nd,USD,2020\n");
    fixture_write(&fixture, "rates.csv",
                  "cur,year,rate\nEUR,2020,1\nUSD,2021,2\nEUR,2021,4\nUSD,2020,8\nGBP,2020,16\n");
    fixture_write(
        &fixture, "events.json",
        "{\"name\": \"events\", \"kind\": \"source\", \"data\": {\"csv\": \"events.csv\"},"
        " \"dimensions\": [{\"name\": \"event\", \"table\": {\"csv\": \"event.csv\"},"
        " \"key\": \"id\", \"levels\": [\"id\"], \"attributes\": [\"cur\", \"year\"]}],"
        " \"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(
        &fixture, "rates.json",
        "{\"name\": \"rates\", \"kind\": \"source\", \"data\": {\"csv\": \"rates.csv\"},"
        " \"dimensions\": [{\"name\": \"cur\", \"levels\": [\"cur\"]},"
        " {\"name\": \"year\", \"levels\": [\"year\"]}], \"measures\": [{\"name\": \"rate\","
        " \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(
        &fixture, "both.json",
        "{\"name\": \"both\", \"kind\": \"virtual\", \"primary\": \"events\", \"sources\": ["
        "{\"cube\": \"events\"}, {\"cube\": \"rates\", \"join\": {\"kind\": \"left\","
        " \"unmatched\": \"bucket\", \"on\": ["
        "{\"dim\": \"event\", \"index\": \"cur\", \"to_dim\": \"cur\", \"to_index\": \"cur\"},"
        "{\"dim\": \"event\", \"index\": \"year\", \"to_dim\": \"year\", \"to_index\": "
        "\"year\"}]}}],"
        " \"measures\": [{\"name\": \"n\", \"source\": \"events\"},"
        " {\"name\": \"rate\", \"source\": \"rates\"}]}");
    fixture_need_load(&fixture, false);
    open_role("{\"events\": {}, \"rates\": {}, \"both\": {\"cut\": \"event:a;b\"}}");
    SEES("a 1 1; b 2 2 = 3 3", .cube = "both", .axes = {"event"}, .measures = {"n", "rate"});
    SEES("3 = 3", .cube = "both", .measures = {"rate"});
    const vc_result *result = engine_ask(
        &role, &(struct question){.cube = "both", .axes = {"event"}, .measures = {"rate"}}, NULL);
    cr_assert_eq(result->coverage[0].counts.keys, 2);
    cr_assert_eq(result->coverage[0].counts.members, 2);
    cr_assert_null(engine_notice(result, "unmatched"));
    close_world();
}

Test(rights, everything_is_no_rights_at_all)
{
    const vc_rights *rights;
    vc_arena arena = {0};
    vc_error error = {0};
    cr_assert_eq(vc_rights_parse(VC_STR("{\"*\": {}}"), &arena, &rights, &error), VC_OK);
    cr_assert_null(rights);
    cr_assert_eq(vc_rights_parse(VC_STR("{\"*\": {}, \"a\": {\"access\": \"join\"}}"), &arena,
                                 &rights, &error),
                 VC_OK);
    cr_assert(vc_rights_may_read(rights, VC_STR("b")));
    cr_assert_not(vc_rights_may_read(rights, VC_STR("a")));
    vc_arena_release(&arena);
}

Test(rights, errors_have_their_place)
{
    static const struct {
        const char *text, *code, *pointer;
    } cases[] = {
        {"[]", "bad_type", ""},
        {"{\"a\": 1}", "bad_type", "/a"},
        {"{\"a\": {\"measure\": []}}", "unknown_field", "/a/measure"},
        {"{\"a\": {\"access\": \"write\"}}", "bad_value", "/a/access"},
        {"{\"a\": {\"measures\": \"pop\"}}", "bad_type", "/a/measures"},
        {"{\"a\": {\"measures\": [\"pop\", 1]}}", "bad_type", "/a/measures/1"},
        {"{\"a\": {\"cut\": \"geo\"}}", "syntax", "/a/cut"},
        {"{\"*\": {\"cut\": \"geo:FR\"}}", "bad_value", "/*/cut"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const vc_rights *rights;
        vc_arena arena = {0};
        vc_error error = {0};
        cr_assert_eq(vc_rights_parse(vc_str_of(cases[i].text), &arena, &rights, &error),
                     VC_BAD_INPUT, "%s", cases[i].text);
        cr_assert_str_eq(error.code, cases[i].code, "%s: %s", cases[i].text, error.code);
        cr_assert_str_eq(error.pointer, cases[i].pointer, "%s: %s", cases[i].text, error.pointer);
        vc_arena_release(&arena);
    }
}
