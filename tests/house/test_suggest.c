/* What `suggest` proposes is loaded as it stands, and must cover what was promised. */
#include "tests/house/house.h"

#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

TestSuite(suggest, .timeout = 120);

struct cubes {
    char fixture[64], primary[32], joined[32];
    unsigned nleast; /* suggestions there are at least */
    bool is_whole;   /* other dimensions share names: single pairs would need new ones */
};

ParameterizedTestParameters(suggest, pasted)
{
    static struct cubes cases[] = {
        {"samples/golden", "stats", "cities", 1, false},
        {"samples/retail", "sales", "stock", 3, false},
        {"samples/retail", "sales", "targets", 2, false},
        {"samples/retail", "stock", "sales", 3, false},
        {"samples/world", "country_stats", "city_facts", 3, false},
        {"samples/world", "country_stats", "un_population", 2, false},
        {"samples/world", "wb_series", "country_stats", 2, false},
        {"samples/world", "fx", "country_stats", 2, false},
        /* a virtual cube on either side: members that it hides have no keys */
        {"samples/golden", "golden_inner", "stats", 1, false},
        {"samples/golden", "golden_inner", "golden_full", 1, false},
        {"samples/world", "world", "wb_series", 2, false},
        {"samples/world", "fx", "world", 3, true},
        {"tests/data/fixture/pairing", "sales", "rents", 3, false},
        {"tests/data/fixture/pairing", "rents", "sales", 3, false},
    };
    return cr_make_param_array(struct cubes, cases, sizeof cases / sizeof cases[0]);
}

static json_t *ask(const char *store, const char *cube, const char *part, const json_t *parameters)
{
    struct house_reply reply;
    house_get_part(store, cube, part, parameters, &reply);
    cr_assert_eq(reply.code, 200, "%s %s: %s", cube, part, vc_buffer_text(&reply.text));
    json_t *json = json_loads(vc_buffer_text(&reply.text), 0, NULL);
    cr_assert_not_null(json);
    house_reply_release(&reply);
    return json;
}

/* Load a definition, and compare what each of the pairs promised with what it covers. */
static void load_and_compare(const char *store, const json_t *definition, const json_t *pairs)
{
    char path[HOUSE_PATH], folder[HOUSE_PATH];
    vc_error error = {0};
    vc_buffer why = {0};
    json_t *pair;
    size_t i;
    const char *name = json_string_value(json_object_get(definition, "name"));
    char *text = json_dumps(definition, 0);
    house_make_folder(folder);
    house_path(path, folder, "virtual.json");
    house_write(path, text, strlen(text));
    cr_assert_eq(house_load(store, (const char *const[]){path}, 1, &error), VC_OK, "%s: %s", text,
                 error.message);
    json_t *answer = ask(store, name, "coverage", NULL);
    json_t *coverage = json_object_get(answer, "coverage"), *item;
    const json_t *joined = json_array_get(json_object_get(definition, "sources"), 1);
    size_t njoins = 0;
    json_array_foreach(coverage, i, item)
    {
        size_t k, nfound = 0;
        /* A nested cube's own joins are listed, too. */
        if (!json_equal(json_object_get(item, "source"), json_object_get(joined, "alias")))
            continue;
        njoins++;
        json_array_foreach((json_t *)pairs, k, pair)
        {
            if (!json_equal(json_object_get(item, "dim"), json_object_get(pair, "dim"))) continue;
            cr_assert(house_fits(json_object_get(pair, "coverage"), item, true, &why), "%s: %s",
                      text, vc_buffer_text(&why));
            nfound++;
        }
        cr_assert_eq(nfound, 1);
    }
    cr_assert_eq(njoins, json_array_size(pairs), "%s", text);
    json_decref(answer);
    vc_buffer_release(&why);
    house_remove_folder(folder);
    free(text);
}

/* A virtual cube of both by one of the pairs. */
static json_t *definition_of(const struct cubes *c, const json_t *definition, const json_t *pair)
{
    json_t *whole = json_deep_copy(definition);
    json_t *source = json_array_get(json_object_get(whole, "sources"), 1);
    json_object_set(source, "join", json_object_get(pair, "join"));
    json_object_set_new(whole, "name", json_string("one_pair"));
    cr_assert_not_null(source, "%s", c->fixture);
    return whole;
}

ParameterizedTest(struct cubes *c, suggest, pasted)
{
    char store[HOUSE_PATH];
    vc_error error = {0};
    json_t *parameters = json_pack("{s:s, s:s}", "with", c->joined, "limit", "50"), *pair;
    size_t i;
    house_make_folder(store);
    cr_assert_eq(house_load(store, (const char *const[]){c->fixture}, 1, &error), VC_OK, "%s",
                 error.message);
    json_t *answer = ask(store, c->primary, "suggest", parameters);
    json_t *definition = json_object_get(answer, "definition");
    json_t *suggestions = json_object_get(answer, "suggestions"), *chosen = json_array();
    cr_assert_geq(json_array_size(suggestions), c->nleast);
    json_array_foreach(suggestions, i, pair)
    {
        if (json_is_true(json_object_get(pair, "chosen"))) json_array_append(chosen, pair);
        if (c->is_whole) continue;
        json_t *one = definition_of(c, definition, pair), *alone = json_pack("[O]", pair);
        load_and_compare(store, one, alone);
        json_decref(one);
        json_decref(alone);
    }
    load_and_compare(store, definition, chosen);
    json_decref(chosen);
    json_decref(answer);
    json_decref(parameters);
    house_remove_folder(store);
}
