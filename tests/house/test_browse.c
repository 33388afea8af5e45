/* Looking around in a store, by the command. */
#include "tests/house/house.h"

#include <string.h>

TestSuite(browse, .timeout = 60);

static void run(struct house_run *result, const char *const *arguments)
{
    house_run(arguments, NULL, NULL, result);
    cr_assert_eq(result->code, 0, "%s: %s", arguments[0], vc_buffer_text(&result->complaint));
}

/* What was dropped by force must not hide the cubes that are well. */
Test(browse, ls_with_a_broken_cube)
{
    char root[HOUSE_PATH], store[HOUSE_PATH], from[HOUSE_PATH];
    struct house_run result;
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_make_folder(root);
    house_path(store, root, "store");
    house_store("tests/data/fixture/edges", from);
    house_copy_folder(from, store);
    run(&result, (const char *[]){"drop", "-d", store, "--force", "countries", NULL});
    house_run_release(&result);

    run(&result, (const char *[]){"ls", "-d", store, NULL});
    cr_assert_not_null(strstr(vc_buffer_text(&result.out), "prices"), "%s",
                       vc_buffer_text(&result.out));
    cr_assert_not_null(strstr(vc_buffer_text(&result.out), "there is no cube named 'countries'"));
    house_run_release(&result);

    run(&result, (const char *[]){"ls", "-d", store, "--json", NULL});
    json_t *json = json_loads(vc_buffer_text(&result.out), 0, NULL), *cube;
    size_t i, nbroken = 0;
    json_array_foreach(json_object_get(json, "cubes"), i, cube)
    {
        bool is_broken = strcmp(json_string_value(json_object_get(cube, "kind")), "broken") == 0;
        const char *name = json_string_value(json_object_get(cube, "name"));
        nbroken += is_broken;
        cr_assert_eq(is_broken, strcmp(name, "money") == 0, "%s", name);
    }
    cr_assert_eq(nbroken, 1);
    json_decref(json);
    house_run_release(&result);
    house_remove_folder(root);
}

/* What data hold drives no terminal: tables, lists and errors show it on one line. */
Test(browse, data_with_escape_sequences)
{
    static const char *const commands[][7] = {{"members", "esc", "k"},
                                              {"facts", "esc"},
                                              {"suggest", "esc", "esc"},
                                              {"query", "esc", "--cut", "k:a\033[31mre"}};
    static const char data[] = "k,v\n\"a\033[31mred\",1\n\"b\nline\",2\nc,3\n";
    static const char definition[] =
        "{\"name\": \"esc\", \"kind\": \"source\", \"data\": {\"csv\": \"d.csv\"}, \"dimensions\": "
        "[{\"name\": \"k\", \"levels\": [\"k\"]}], \"measures\": [{\"name\": \"v\", \"type\": "
        "\"int\", \"aggregator\": \"sum\"}]}";
    char root[HOUSE_PATH], store[HOUSE_PATH], path[HOUSE_PATH];
    const char *const paths[] = {path};
    struct house_run result;
    vc_error error;
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_make_folder(root);
    house_path(store, root, "store");
    house_path(path, root, "d.csv");
    house_write(path, data, sizeof data - 1);
    house_path(path, root, "d.json");
    house_write(path, definition, sizeof definition - 1);
    cr_assert_eq(house_load(store, paths, 1, &error), VC_OK, "%s", error.message);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *arguments[10] = {commands[i][0], "-d", store};
        for (size_t a = 1; commands[i][a] != NULL; a++)
            arguments[a + 2] = commands[i][a];
        house_run(arguments, NULL, NULL, &result);
        cr_expect_null(strchr(vc_buffer_text(&result.out), '\033'), "%s", commands[i][0]);
        cr_expect_null(strchr(vc_buffer_text(&result.complaint), '\033'), "%s", commands[i][0]);
        cr_expect_null(strstr(vc_buffer_text(&result.out), "\nline"), "%s", commands[i][0]);
        house_run_release(&result);
    }
    house_remove_folder(root);
}

/* Members that inner joins hide are not listed, and do not count for a page. */
Test(browse, members_without_hidden_ones)
{
    struct house_run result;
    char store[HOUSE_PATH];
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_store("samples/golden", store);
    run(&result, (const char *[]){"members", "-d", store, "golden_inner", "country", "--limit", "2",
                                  "--offset", "1", NULL});
    const char *text = vc_buffer_text(&result.out);
    cr_assert_not_null(strstr(text, "FR       France         FR\nUS       United States  US\n"),
                       "%s", text);
    cr_assert_null(strstr(text, "JP"), "%s", text);
    house_run_release(&result);
}

/* Attributes in the list of members, as a table and as JSON, and what describe says of them. */
Test(browse, properties)
{
    char from[HOUSE_PATH];
    struct house_run result;
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_store("tests/data/fixture/attributes", from);
    const char *const members[] = {"members",
                                   "-d",
                                   from,
                                   "all_inner",
                                   "place",
                                   "--properties",
                                   "size,crew.head,office.lang,tags.zone.side",
                                   NULL};
    run(&result, members);
    cr_assert_str_eq(vc_buffer_text(&result.out),
                     "land  label  path  size        crew.head  office.lang  tags.zone.side\n"
                     "A     A      A     big; small  Ann; Bea   en           east\n"
                     "B     B      B     big         Bob        fr           west\n");
    house_run_release(&result);

    run(&result, (const char *[]){"members", "-d", from, "all_full", "place", "--parent", "B",
                                  "--json", "--properties", "duties.ruler,crew.head", NULL});
    cr_assert_str_eq(vc_buffer_text(&result.out),
                     "[{\"key\":\"b1\",\"label\":\"b1\",\"path\":\"B,b1\",\"properties\":"
                     "{\"duties.ruler\":\"King\",\"crew.head\":\"Bob\"}},"
                     "{\"key\":\"b2\",\"label\":\"b2\",\"path\":\"B,b2\",\"properties\":"
                     "{\"duties.ruler\":\"King\",\"crew.head\":null}}]\n");
    house_run_release(&result);

    run(&result, (const char *[]){"describe", "-d", from, "all_full", NULL});
    cr_assert_not_null(strstr(vc_buffer_text(&result.out),
                              "    joined      crew.zone, crew.head (several), crew.lang, "
                              "duties.ruler, tags.side, tags.colour\n"),
                       "%s", vc_buffer_text(&result.out));
    house_run_release(&result);
}

/* Calculated members stand behind the others: at their level, below their parent. */
Test(browse, calculated_members)
{
    char from[HOUSE_PATH];
    struct house_run result;
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_store("tests/data/fixture/calculated", from);
    run(&result,
        (const char *[]){"members", "-d", from, "econ", "geo", "--level", "country", NULL});
    cr_assert_not_null(
        strstr(vc_buffer_text(&result.out),
               "NLD      Netherlands  Europe,NLD\n\ncalculated  label    expression\n"
               "benelux     Benelux  [BEL] + [NLD] + [LUX]\n"),
        "%s", vc_buffer_text(&result.out));
    house_run_release(&result);
    run(&result, (const char *[]){"members", "-d", from, "econ", "geo", "--parent", "Asia", NULL});
    cr_assert_null(strstr(vc_buffer_text(&result.out), "benelux"));
    house_run_release(&result);
    run(&result,
        (const char *[]){"members", "-d", from, "econ", "scenario", "--q", "vari", "--json", NULL});
    cr_assert_str_eq(vc_buffer_text(&result.out),
                     "[{\"key\":\"variance\",\"label\":\"Variance\",\"calculated\":true,\"expr\":"
                     "\"[actual] - [budget]\"}]\n");
    house_run_release(&result);
}

/* The cube's own sets come first, then those of the source that the dimension comes from. */
Test(browse, sets)
{
    struct house_run result;
    char store[HOUSE_PATH];
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_store("tests/data/fixture/choices", store);
    run(&result, (const char *[]){"describe", "-d", store, "both", NULL});
    cr_assert_not_null(strstr(vc_buffer_text(&result.out),
                              "    sets        #early = year:-2023\n"
                              "                #late = year:2024-\n"
                              "                #all = year:#late;2023\n"),
                       "%s", vc_buffer_text(&result.out));
    house_run_release(&result);
}

/* What normalisation made one, apart from what is one as found. */
Test(browse, coverage_tells_collisions)
{
    struct house_run result;
    char store[HOUSE_PATH];
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_store("samples/golden", store);
    run(&result, (const char *[]){"coverage", "-d", store, "golden_fanout", NULL});
    const char *text = vc_buffer_text(&result.out);
    cr_assert_not_null(strstr(text, "\n  2 joined keys became equal to others by normalisation: "
                                    "'DE ' and 'DEU' (DEU), 'FR' and 'fr' (FRA)\n"
                                    "  1 primary key has several members as found\n"),
                       "%s", text);
    house_run_release(&result);
    run(&result, (const char *[]){"coverage", "-d", store, "golden_raw_left", NULL});
    cr_assert_null(strstr(vc_buffer_text(&result.out), "keys that are one"));
    house_run_release(&result);
    run(&result, (const char *[]){"check", "samples/golden", NULL});
    cr_assert_not_null(strstr(vc_buffer_text(&result.out),
                              "golden_left: cities over country: 6 of 7 keys match (85.7%)\n"
                              "  2 joined keys became equal to others by normalisation: "),
                       "%s", vc_buffer_text(&result.out));
    cr_assert_not_null(strstr(vc_buffer_text(&result.complaint),
                              "warning: golden_left: 2 keys of source 'cities' became equal to "
                              "others by normalisation: 'DE ' and 'DEU' (DEU), 'FR' and 'fr' "
                              "(FRA)\n"),
                       "%s", vc_buffer_text(&result.complaint));
    house_run_release(&result);
    run(&result,
        (const char *[]){"explain", "-d", store, "golden_left", "--measures", "cpop", NULL});
    cr_assert_not_null(strstr(vc_buffer_text(&result.out), "2 keys equal only by normalisation"));
    house_run_release(&result);
}

/* CSV has no place for notices: they go to standard error, so that none is lost in a pipe. */
Test(browse, notices_of_csv)
{
    char from[HOUSE_PATH];
    struct house_run result;
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_store("samples/golden", from);
    run(&result, (const char *[]){"query", "-d", from, "golden_fanout", "--drilldown", "country",
                                  "--measures", "cpop", "--format", "csv", "--limit", "1", NULL});
    cr_assert_str_eq(vc_buffer_text(&result.complaint),
                     "note: 1 of 7 members of 'cities' match no member of 'country' and are in no "
                     "total\nnote: rows 1 to 1 of 5 are shown\n");
    house_run_release(&result);
    run(&result, (const char *[]){"query", "-d", from, "golden_fanout", "--drilldown", "country",
                                  "--measures", "cpop", "--format", "csv", NULL});
    cr_assert_not_null(strstr(vc_buffer_text(&result.complaint),
                              "note: 2 members share facts of 'cities': their sum is more than "
                              "their total: FR, FX\n"));
    house_run_release(&result);
}
