#include "http/reply.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct status_case {
    vc_status status;
    char code[24];
    unsigned http;
};

ParameterizedTestParameters(reply, statuses)
{
    static struct status_case cases[] = {
        {VC_NOT_FOUND, "unknown_dimension", 404},
        {VC_BAD_INPUT, "syntax", 400},
        {VC_IMPOSSIBLE, "ambiguous_key", 422},
        {VC_CONFLICT, "exists", 409},
        {VC_LIMIT, "limit_cells", 422},
        {VC_LIMIT, "body_too_large", 413},
        {VC_LIMIT, "url_too_long", 414},
        {VC_LIMIT, "too_many_headers", 431},
        {VC_BAD_INPUT, "method_not_allowed", 405},
        {VC_BAD_INPUT, "not_acceptable", 406},
        {VC_BAD_INPUT, "unsupported_media_type", 415},
        {VC_OVERFLOW, "overflow", 422},
        {VC_CORRUPT, "storage_damaged", 500},
        {VC_STORAGE, "storage", 500},
        {VC_DISK_FULL, "disk_full", 507},
        {VC_BUSY, "busy", 503},
        {VC_BUSY, "shutting_down", 503},
        {VC_NO_MEMORY, "no_memory", 503},
        {VC_CANCELLED, "limit_time", 504},
    };
    return cr_make_param_array(struct status_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct status_case *c, reply, statuses)
{
    vc_error error = {.status = c->status, .code = c->code};
    vc_reply reply = {0};
    vc_reply_problem(&reply, &error, "id-1");
    cr_assert_eq(reply.status, c->http, "%s: %u", c->code, reply.status);
    cr_assert_eq(reply.retry_after_s > 0, c->http == 503);
    json_t *json = json_loadb(reply.body.data, reply.body.size, 0, NULL);
    cr_assert_eq(json_integer_value(json_object_get(json, "status")), c->http);
    cr_assert_str_eq(json_string_value(json_object_get(json, "code")), c->code);
    json_decref(json);
    vc_buffer_release(&reply.body);
}

static json_t *problem_of(const vc_error *error)
{
    vc_reply reply = {0};
    vc_reply_problem(&reply, error, "id-1");
    json_t *json = json_loadb(reply.body.data, reply.body.size, 0, NULL);
    cr_assert_not_null(json);
    vc_buffer_release(&reply.body);
    return json;
}

Test(reply, a_problem_names_the_parameter)
{
    vc_error error = {0};
    vc_fail(&error, VC_NOT_FOUND, "unknown_dimension", "no dimension 'ge\"o'");
    vc_error_at_offset(&error, "cut", 4);
    vc_error_add_candidate(&error, "geo", 3);
    json_t *json = problem_of(&error);
    json_t *expected = json_pack(
        "{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:[s], s:s}", "type",
        "urn:vcube:problem:unknown_dimension", "title", "Unknown dimension", "status", 404,
        "detail", "no dimension 'ge\"o'", "code", "unknown_dimension", "pointer", "cut:4",
        "parameter", "cut", "offset", 4, "candidates", "geo", "request_id", "id-1");
    cr_assert(json_equal(json, expected), "%s", json_dumps(json, 0));
    json_decref(json);
    json_decref(expected);
}

Test(reply, a_problem_names_the_place_in_a_body)
{
    vc_error error = {0};
    vc_fail(&error, VC_BAD_INPUT, "bad_type", "found a number");
    vc_error_at_pointer(&error, "/filters/0");
    json_t *json = problem_of(&error);
    cr_assert_str_eq(json_string_value(json_object_get(json, "pointer")), "/filters/0");
    cr_assert_null(json_object_get(json, "parameter"));
    json_decref(json);
}

/* A cube that no longer fits is found by a client who did nothing wrong. */
Test(reply, a_stored_definition_at_fault_is_ours)
{
    vc_error error = {0};
    vc_fail(&error, VC_NOT_FOUND, "unknown_index", "no index 'iso9'");
    vc_error_at_file(&error, "/secret/place/world.json", 3, 7);
    vc_error_at_pointer(&error, "/sources/1");
    json_t *json = problem_of(&error);
    cr_assert_eq(json_integer_value(json_object_get(json, "status")), 500);
    json_t *definition = json_object_get(json, "definition");
    cr_assert_str_eq(json_string_value(json_object_get(definition, "file")), "world.json");
    cr_assert_str_eq(json_string_value(json_object_get(definition, "pointer")), "/sources/1");
    json_decref(json);
}

Test(reply, what_fails_inside_stays_inside)
{
    vc_error error = {0};
    vc_fail(&error, VC_STORAGE, "storage", "/secret/place/vcube.mdb: Input/output error");
    json_t *json = problem_of(&error);
    char *text = json_dumps(json, 0);
    cr_assert_null(strstr(text, "secret"));
    free(text);
    json_decref(json);
}

/* A header may hold any byte, and a message repeats it. */
Test(reply, a_problem_is_utf8_whatever_was_sent)
{
    vc_error error = {0};
    vc_fail(&error, VC_BAD_INPUT, "bad_host", "found the Host '\xC3\xA9 \xFF\xC3'");
    vc_error_add_candidate(&error, "\xE9", 1);
    json_t *json = problem_of(&error);
    cr_assert_str_eq(json_string_value(json_object_get(json, "detail")),
                     "found the Host '\xC3\xA9 ?"
                     "?'");
    json_decref(json);
}

/* ---- tags ---- */

Test(reply, tags_depend_on_each_part_and_its_bounds)
{
    vc_reply a = {0}, b = {0}, c = {0};
    vc_reply_tag(&a, (vc_str[]){VC_STR("ab"), VC_STR("c")}, 2);
    vc_reply_tag(&b, (vc_str[]){VC_STR("a"), VC_STR("bc")}, 2);
    vc_reply_tag(&c, (vc_str[]){VC_STR("ab"), VC_STR("c")}, 2);
    cr_assert_str_neq(a.etag, b.etag);
    cr_assert_str_eq(a.etag, c.etag);
    cr_assert_eq(strlen(a.etag), 34);
}

struct match_case {
    char header[64];
    bool is_known;
    char etag[24]; /* afterwards */
};

ParameterizedTestParameters(reply, if_none_match)
{
    static struct match_case cases[] = {
        {"", false, "\"abc\""},
        {"\"abc\"", true, "\"abc\""},
        {"\"abd\"", false, "\"abc\""},
        {"abc", false, "\"abc\""},
        {"W/\"abc\"", true, "\"abc\""}, /* a proxy that compressed weakens tags */
        {"\"x\" ,\t\"abc\"", true, "\"abc\""},
        {"\"x,\"abc\"y\"", false, "\"abc\""},
        {"*", true, "\"abc\""},
        {"\"abc-gz\"", true, "\"abc-gz\""}, /* the compressed one is as current */
        {"\"abc-zst\"", true, "\"abc-zst\""},
        {"\"abc-br\"", false, "\"abc\""},
    };
    return cr_make_param_array(struct match_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct match_case *c, reply, if_none_match)
{
    vc_reply reply = {.etag = "\"abc\""};
    vc_request request = {.if_none_match = vc_str_of(c->header)};
    cr_assert_eq(vc_reply_is_known(&reply, &request), c->is_known, "%s", c->header);
    cr_assert_eq(reply.status, c->is_known ? 304 : 0);
    cr_assert_str_eq(reply.etag, c->etag);
}

/* ---- what the client takes ---- */

struct accept_case {
    char header[64];
    bool json;
};

ParameterizedTestParameters(reply, accepts)
{
    static struct accept_case cases[] = {
        {"", true},
        {"gzip", false},
        {"*/*", true},
        {"application/*", true},
        {"Application/JSON", true},
        {"text/html, */*;q=0.8", true},
        {"application/json;q=0, */*", false}, /* the most specific range decides */
        {"application/problem+json", false},
    };
    return cr_make_param_array(struct accept_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct accept_case *c, reply, accepts)
{
    cr_assert_eq(vc_accepts(vc_str_of(c->header), "application", "json"), c->json, "%s", c->header);
}

Test(reply, compresses_what_is_long)
{
    vc_reply reply = {.etag = "\"abc\""};
    vc_request request = {.encoding = {.encoding = VC_ENCODING_GZIP}};
    for (int i = 0; i < 1023; i++)
        vc_buffer_put_char(&reply.body, 'x');
    cr_assert_eq(vc_reply_compress(&reply, &request, NULL, NULL, NULL), VC_OK);
    cr_assert_eq(reply.encoding, VC_ENCODING_IDENTITY);
    vc_buffer_put_char(&reply.body, 'x');
    cr_assert_eq(vc_reply_compress(&reply, &(vc_request){0}, NULL, NULL, NULL), VC_OK);
    cr_assert_eq(reply.encoding, VC_ENCODING_IDENTITY);
    cr_assert_eq(vc_reply_compress(&reply, &request, NULL, NULL, NULL), VC_OK);
    cr_assert_eq(reply.encoding, VC_ENCODING_GZIP);
    cr_assert_str_eq(reply.etag, "\"abc-gz\"");
    char text[2000];
    z_stream stream = {.next_in = (Bytef *)reply.body.data,
                       .avail_in = (uInt)reply.body.size,
                       .next_out = (Bytef *)text,
                       .avail_out = sizeof text};
    inflateInit2(&stream, 15 + 16);
    cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    cr_assert_eq(stream.total_out, 1024);
    inflateEnd(&stream);
    vc_buffer_release(&reply.body);
}

static bool is_gone_after(void *context)
{
    return --*(int *)context < 0;
}

/* Who has left waits for no encoding, of a body or of a spool. */
Test(reply, stops_to_compress)
{
    for (int is_spooled = 0; is_spooled < 2; is_spooled++) {
        vc_error error = {0};
        vc_reply reply = {0};
        vc_spool spool;
        vc_request request = {.encoding = {.encoding = VC_ENCODING_ZSTD}};
        char *text = calloc(1, 3 << 20);
        int left = 2;
        vc_spool_open(&spool, NULL, is_spooled ? 1000 : 4 << 20);
        cr_assert_eq(vc_spool_put(&spool, text, 3 << 20, NULL), VC_OK);
        cr_assert_eq(vc_spool_seal(&spool, NULL), VC_OK);
        cr_assert_eq(vc_reply_take_spool(&reply, &spool, NULL), VC_OK);
        cr_assert_eq(reply.spool != NULL, is_spooled);
        cr_assert_eq(vc_reply_compress(&reply, &request, is_gone_after, &left, &error),
                     VC_CANCELLED);
        cr_assert_str_eq(error.code, "cancelled");
        cr_assert_eq(left, -1); /* and nobody asked again */
        cr_assert_eq(reply.encoding, VC_ENCODING_IDENTITY);
        vc_reply_free_spool(reply.spool);
        vc_buffer_release(&reply.body);
        free(text);
    }
}
