/* The expectations that lie beside the samples, which share nothing with the program: coverage with
 * its unmatched keys, and answers. */
#include "tests/house/house.h"

#include "slice/engine.h"

#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

TestSuite(samples, .timeout = 60);

struct asking {
    vc_store *store;
    vc_snapshot *snapshot;
    vc_model *model;
    vc_arena arena;
};

#define NEED_OK(call)                                                                              \
    do {                                                                                           \
        vc_status need_status = (call);                                                            \
        cr_assert_eq(need_status, VC_OK, "%s: %s", #call, error.message);                          \
    } while (0)

static void open_sample(const char *sample, struct asking *in)
{
    char store[HOUSE_PATH];
    vc_error error = {0};
    vc_store_options options = {.is_read_only = true};
    *in = (struct asking){0};
    house_store(sample, store);
    NEED_OK(vc_store_open(store, &options, &in->store, &error));
    NEED_OK(vc_snapshot_open(in->store, &in->snapshot, &error));
    NEED_OK(vc_model_new(in->snapshot, false, &in->model, &error));
}

static void close_sample(struct asking *in)
{
    vc_model_free(in->model);
    vc_snapshot_close(in->snapshot);
    vc_store_close(in->store);
    vc_arena_release(&in->arena);
}

/* ---- coverage ---- */

static json_t *shares_of(const vc_result_coverage *item, vc_arena *arena)
{
    json_t *shares = json_object();
    for (size_t i = 0; i < item->nshares; i++)
        if (item->shares[i].is_known)
            json_object_set_new(shares, vc_arena_str(arena, item->shares[i].measure).data,
                                json_real(item->shares[i].share));
    return shares;
}

/* The keys that are neither matched nor excluded; blanks are no keys. */
static json_t *unmatched_of(const vc_relation *relation, unsigned *nexcluded)
{
    json_t *keys = json_array();
    *nexcluded = 0;
    for (size_t i = 0; i < relation->nunmatched; i++) {
        const vc_unmatched_key *key = &relation->unmatched[i];
        cr_assert(key->why != NULL && *key->why != '\0');
        cr_assert_eq(key->is_excluded, strcmp(key->why, "an aggregate, not a member") == 0);
        *nexcluded += key->is_excluded;
        if (!key->is_excluded && key->key.data != NULL)
            json_array_append_new(keys, json_stringn(key->key.data, key->key.size));
    }
    return keys;
}

static const vc_relation *relation_of(const vc_cube *cube, const vc_result_coverage *item)
{
    for (size_t s = 0; s < cube->nsources; s++)
        for (size_t d = 0; d < cube->ndimensions; d++)
            if (vc_str_equal(cube->sources[s].alias, item->source) &&
                vc_str_equal(cube->dimensions[d].name, item->dimension))
                return cube->sources[s].bindings[d].relation;
    return NULL;
}

static json_t *json_of(const vc_cube *cube, const vc_result_coverage *item, vc_arena *arena)
{
    const vc_coverage *counts = &item->counts;
    const vc_relation *relation = relation_of(cube, item);
    unsigned nexcluded;
    cr_assert_not_null(relation);
    json_t *unmatched = unmatched_of(relation, &nexcluded);
    cr_assert_eq(nexcluded, counts->excluded);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "keys",
                     (json_int_t)counts->keys, "matched", (json_int_t)counts->keys_matched,
                     "members", (json_int_t)counts->members, "members_matched",
                     (json_int_t)counts->members_matched, "primary_members",
                     (json_int_t)counts->primary_members, "primary_matched",
                     (json_int_t)counts->primary_matched, "excluded", (json_int_t)counts->excluded,
                     "value_share", shares_of(item, arena), "unmatched", unmatched);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

static json_t *sorted(json_t *texts)
{
    json_t *items[256], *result = json_array();
    size_t n = json_array_size(texts);
    cr_assert_leq(n, 256);
    for (size_t i = 0; i < n; i++)
        items[i] = json_array_get(texts, i);
    qsort(items, n, sizeof *items, compare_texts);
    for (size_t i = 0; i < n; i++)
        json_array_append(result, items[i]);
    return result;
}

/* The expected join with its unmatched keys as plain sorted texts, and without what says which join
 * it is. */
static json_t *expected_of(const json_t *join)
{
    json_t *expected = json_copy((json_t *)join), *keys = json_array(), *unmatched;
    size_t i;
    json_array_foreach(json_object_get(join, "unmatched"), i, unmatched)
    {
        json_array_append(keys, json_object_get(unmatched, "key"));
    }
    json_object_set_new(expected, "unmatched", sorted(keys));
    json_object_del(expected, "cube");
    json_object_del(expected, "source");
    json_object_del(expected, "dim");
    json_decref(keys);
    return expected;
}

static void check_join(struct asking *in, const json_t *join)
{
    const char *names[3] = {"cube", "source", "dim"};
    vc_error error = {0};
    const vc_cube *cube;
    const vc_result_coverage *items;
    size_t nitems, at = 0;
    for (size_t i = 0; i < 3; i++)
        names[i] = json_string_value(json_object_get(join, names[i]));
    NEED_OK(vc_model_cube(in->model, vc_str_of(names[0]), &cube, &error));
    NEED_OK(vc_engine_coverage(in->model, cube, NULL, &in->arena, &items, &nitems, &error));
    while (at < nitems &&
           !(vc_str_is(items[at].source, names[1]) && vc_str_is(items[at].dimension, names[2])))
        at++;
    cr_assert_lt(at, nitems, "%s: no coverage of %s over %s", names[0], names[1], names[2]);
    vc_buffer why = {0};
    json_t *expected = expected_of(join), *actual = json_of(cube, &items[at], &in->arena);
    json_object_set_new(actual, "unmatched", sorted(json_object_get(actual, "unmatched")));
    bool fits = house_fits(expected, actual, true, &why);
    cr_assert(fits, "%s, %s over %s: %s", names[0], names[1], names[2], vc_buffer_text(&why));
    vc_buffer_release(&why);
    json_decref(expected);
    json_decref(actual);
}

ParameterizedTestParameters(samples, coverage)
{
    static struct house_folder samples[] = {
        {"samples/golden"}, {"samples/retail"}, {"samples/world"}};
    return cr_make_param_array(struct house_folder, samples, 3);
}

ParameterizedTest(struct house_folder *sample, samples, coverage)
{
    struct asking in;
    json_t *expected = house_read_json(sample->name, "coverage.expected.json"), *join;
    size_t i;
    open_sample(sample->name, &in);
    cr_assert_gt(json_array_size(json_object_get(expected, "joins")), 0);
    json_array_foreach(json_object_get(expected, "joins"), i, join)
    {
        check_join(&in, join);
    }
    close_sample(&in);
    json_decref(expected);
}

/* Why keys do not match, in the words of the program. */
Test(samples, unmatched_keys_say_why)
{
    static const struct {
        const char *sample, *cube, *source, *key, *why;
    } cases[] = {
        {"samples/golden", "golden_left", "cities", "ZZ", "unknown code"},
        {"samples/golden", "golden_raw_left", "cities", "DE ", "no such key in the primary"},
        {"samples/golden", "golden_raw_left", "cities", "fr", "no such key in the primary"},
        {"samples/world", "world", "wb", "WLD", "an aggregate, not a member"},
        {"samples/world", "world", "wb", "CHI", "unknown code"},
        {"samples/world", "world", "fx", "ATS", "no such key in the primary"},
        {"samples/world", "world", "capitals", NULL, "not in the index"},
        {"samples/retail", "shop", "stock", NULL, "empty key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct asking in;
        vc_error error = {0};
        const vc_cube *cube;
        const char *why = NULL;
        open_sample(cases[i].sample, &in);
        NEED_OK(vc_model_cube(in.model, vc_str_of(cases[i].cube), &cube, &error));
        for (size_t s = 0; s < cube->nsources; s++)
            for (size_t d = 0; d < cube->ndimensions; d++) {
                const vc_relation *relation = cube->sources[s].bindings[d].relation;
                if (relation == NULL || !vc_str_is(cube->sources[s].alias, cases[i].source))
                    continue;
                for (size_t k = 0; k < relation->nunmatched; k++)
                    if (vc_str_equal(relation->unmatched[k].key, vc_str_of(cases[i].key)))
                        why = relation->unmatched[k].why;
            }
        cr_assert_not_null(why, "%s: %s matches", cases[i].cube, cases[i].key);
        cr_assert_str_eq(why, cases[i].why);
        close_sample(&in);
    }
}

/* ---- answers ---- */

static json_t *answer(const char *store, const json_t *question)
{
    struct house_reply reply;
    house_ask_parameters(store, json_string_value(json_object_get(question, "cube")),
                         json_object_get(question, "parameters"), &reply);
    cr_assert_eq(reply.code, VC_OK, "%s", reply.error.message);
    json_t *json = json_loads(reply.text.data, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(json);
    house_reply_release(&reply);
    return json;
}

/* Do all fields of the expected row fit? Here numbers need only fit to 1e-9. */
static bool row_fits(const json_t *expected, const json_t *actual)
{
    const char *name;
    json_t *value;
    if (json_object_get(expected, "_status") == NULL && json_object_get(actual, "_status") != NULL)
        return false;
    json_object_foreach((json_t *)expected, name, value)
    {
        const json_t *found = json_object_get(actual, name);
        double a = json_number_value(value), b = json_number_value(found);
        bool is_near =
            json_is_number(value) && json_is_number(found) &&
            (a == b || (a - b <= 1e-9 * (a < 0 ? -a : a) && b - a <= 1e-9 * (a < 0 ? -a : a)));
        if (found == NULL || (!is_near && !json_equal(value, found))) return false;
    }
    return true;
}

/* Rows are found wherever they stand, except where the order counts. */
static void check_rows(const char *name, const json_t *expected, const json_t *actual,
                       bool is_ordered)
{
    cr_assert_eq(json_array_size(expected), json_array_size(actual), "%s: %zu rows, expected %zu",
                 name, json_array_size(actual), json_array_size(expected));
    for (size_t i = 0; i < json_array_size(expected); i++) {
        const json_t *row = json_array_get(expected, i);
        bool is_found = row_fits(row, json_array_get(actual, i));
        for (size_t j = 0; !is_ordered && !is_found && j < json_array_size(actual); j++)
            is_found = row_fits(row, json_array_get(actual, j));
        char *text = json_dumps(row, JSON_COMPACT);
        cr_assert(is_found, "%s: no row %s", name, text);
        free(text);
    }
}

static bool has_notice(const json_t *answer, const char *code)
{
    size_t i;
    json_t *notice;
    json_array_foreach(json_object_get(json_object_get(answer, "meta"), "notices"), i, notice)
    {
        if (strcmp(json_string_value(json_object_get(notice, "code")), code) == 0) return true;
    }
    return false;
}

ParameterizedTestParameters(samples, answers)
{
    static struct house_folder samples[] = {
        {"samples/golden"}, {"samples/retail"}, {"samples/world"}};
    return cr_make_param_array(struct house_folder, samples, 3);
}

ParameterizedTest(struct house_folder *sample, samples, answers)
{
    char store[HOUSE_PATH];
    json_t *expected = house_read_json(sample->name, "answers.expected.json"), *question, *notice;
    size_t i, j;
    house_store(sample->name, store);
    cr_assert_gt(json_array_size(json_object_get(expected, "questions")), 0);
    json_array_foreach(json_object_get(expected, "questions"), i, question)
    {
        const char *name = json_string_value(json_object_get(question, "name"));
        json_t *actual = answer(store, question);
        cr_assert(
            row_fits(json_object_get(question, "summary"), json_object_get(actual, "summary")),
            "%s: summary", name);
        check_rows(name, json_object_get(question, "rows"), json_object_get(actual, "cells"),
                   json_is_true(json_object_get(question, "ordered")));
        json_array_foreach(json_object_get(question, "notices"), j, notice)
        {
            cr_assert(has_notice(actual, json_string_value(notice)), "%s: no notice %s", name,
                      json_string_value(notice));
        }
        json_decref(actual);
    }
    json_decref(expected);
}
