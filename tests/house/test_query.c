/* Golden folders tests/data/query/<case>: the answer is what the semantics say, and the library,
 * the command and the server give the same bytes. */
#include "tests/house/house.h"

#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

TestSuite(query, .timeout = 60);

struct question {
    char folder[HOUSE_PATH], store[HOUSE_PATH];
    json_t *request;
};

static void open_question(struct question *in, const char *name)
{
    house_path(in->folder, "tests/data/query", name);
    in->request = house_read_json(in->folder, "request.json");
    const char *fixture = json_string_value(json_object_get(in->request, "fixture"));
    cr_assert_not_null(fixture, "%s/request.json: no fixture", in->folder);
    house_store(fixture, in->store);
}

/* The body as it is sent, with the format in it. The caller frees it. */
static char *body_of(const struct question *in, const char *format)
{
    json_t *query = json_deep_copy(json_object_get(in->request, "query"));
    cr_assert_not_null(query, "%s/request.json: no query", in->folder);
    json_object_set_new(query, "format", json_string(format));
    char *body = json_dumps(query, JSON_COMPACT);
    json_decref(query);
    return body;
}

static void check_part(const struct question *in, const char *part, bool is_open,
                       const json_t *expected, const json_t *actual, const char *text)
{
    vc_buffer why = {0};
    json_t *wanted = json_object_get(expected, part);
    bool fits = wanted == NULL || house_fits(wanted, json_object_get(actual, part), is_open, &why);
    cr_assert(fits, "%s: %s%s\n%s", in->folder, part, vc_buffer_text(&why), text);
    vc_buffer_release(&why);
}

ParameterizedTestParameters(query, golden)
{
    return house_folders("tests/data/query");
}

ParameterizedTest(struct house_folder *parameter, query, golden)
{
    struct question in;
    struct house_reply reply;
    open_question(&in, parameter->name);
    json_t *expected = house_read_json(in.folder, "expected.json");
    char *body = body_of(&in, "records");
    house_ask_library(in.store, body, &reply);
    cr_assert_eq(reply.code, VC_OK, "%s: %s: %s", in.folder, reply.error.code, reply.error.message);
    json_t *actual = json_loads(reply.text.data, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(actual, "%s: not JSON: %s", in.folder, reply.text.data);
    cr_assert_not_null(json_object_get(expected, "cells"), "%s: no cells", in.folder);
    check_part(&in, "cells", false, expected, actual, reply.text.data);
    check_part(&in, "summary", false, expected, actual, reply.text.data);
    check_part(&in, "meta", true, expected, actual, reply.text.data);
    json_decref(actual);
    json_decref(expected);
    json_decref(in.request);
    house_reply_release(&reply);
    free(body);
}

/* ---- the three ways ---- */

typedef void way(const char *store, const char *body, struct house_reply *reply);

static void check_same_bytes(const char *name, way *other, int well)
{
    static const char *const formats[] = {"records", "arrays", "csv", "ndjson"};
    struct question in;
    open_question(&in, name);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct house_reply here, there;
        char *body = body_of(&in, formats[i]);
        house_ask_library(in.store, body, &here);
        other(in.store, body, &there);
        cr_assert_eq(there.code, well, "%s, %s: %d %s%s", in.folder, formats[i], there.code,
                     there.text.data, there.complaint.data == NULL ? "" : there.complaint.data);
        cr_assert(here.text.size == there.text.size &&
                      memcmp(here.text.data, there.text.data, here.text.size) == 0,
                  "%s, %s:\nlibrary %s\nother   %s", in.folder, formats[i], here.text.data,
                  there.text.data);
        house_reply_release(&here);
        house_reply_release(&there);
        free(body);
    }
    json_decref(in.request);
}

ParameterizedTestParameters(query, same_in_pieces)
{
    return house_folders("tests/data/query");
}

ParameterizedTest(struct house_folder *parameter, query, same_in_pieces)
{
    check_same_bytes(parameter->name, house_ask_pieces, VC_OK);
}

ParameterizedTestParameters(query, same_by_command)
{
    return house_folders("tests/data/query");
}

ParameterizedTest(struct house_folder *parameter, query, same_by_command)
{
    if (house_command() == NULL) cr_skip_test("the command is not built");
    check_same_bytes(parameter->name, house_ask_command, 0);
}

ParameterizedTestParameters(query, same_by_http)
{
    return house_folders("tests/data/query");
}

ParameterizedTest(struct house_folder *parameter, query, same_by_http)
{
    check_same_bytes(parameter->name, house_ask_http, 200);
}
