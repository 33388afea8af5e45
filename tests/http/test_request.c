/* The guard, without a socket. */
#include "http/request.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

/* ---- targets ---- */

struct target_case {
    char target[64];
    char code[24];     /* "" when it is good */
    char segments[48]; /* joined by "|" */
};

ParameterizedTestParameters(request, target)
{
    static struct target_case cases[] = {
        {"/", "", ""},
        {"/v1/cubes", "", "v1|cubes"},
        {"/v1/cubes/", "", "v1|cubes|"},
        {"/v1/cubes/a%2Fb", "", "v1|cubes|a/b"}, /* an encoded slash is part of a name */
        {"/a+b", "", "a+b"},                     /* only in a query string is it a space */
        {"/%C3%A9?x=1", "", "\xC3\xA9"},
        {"/a%00b", "bad_encoding", ""}, /* libmicrohttpd's own path ends at the NUL */
        {"/a%0Ab", "bad_encoding", ""},
        {"/a%7F", "bad_encoding", ""},
        {"/a%", "bad_encoding", ""},
        {"/a%2", "bad_encoding", ""},
        {"/a%2g", "bad_encoding", ""},
        {"/%FF", "bad_encoding", ""},
        {"/%ED%A0%80", "bad_encoding", ""}, /* half of a surrogate pair */
        {"/?x=%00", "bad_encoding", ""},
        {"/?x=%zz", "bad_encoding", ""},
        {"/../etc/passwd", "bad_target", ""},
        {"/a/./b", "bad_target", ""},
        {"/a/%2e%2E/b", "bad_target", ""},
        {"/a b", "bad_target", ""},
        {"/a#b", "bad_target", ""},
        {"/\xC3\xA9", "bad_target", ""},
        {"http://localhost/", "bad_target", ""},
        {"*", "bad_target", ""}, /* it is for OPTIONS */
        {"", "bad_target", ""},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13", "unknown_path", ""},
    };
    return cr_make_param_array(struct target_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct target_case *c, request, target)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_request request = {.method = VC_METHOD_GET};
    vc_status status = vc_request_read_target(vc_str_of(c->target), 8000, &arena, &request, &error);
    cr_assert_str_eq(status == VC_OK ? "" : error.code, c->code, "%s: %s", c->target,
                     error.message);
    char joined[64] = "";
    for (size_t i = 0; i < request.nsegments && status == VC_OK; i++) {
        if (i > 0) strcat(joined, "|");
        strncat(joined, request.segments[i].data, request.segments[i].size);
    }
    cr_assert_str_eq(joined, c->segments);
    vc_arena_release(&arena);
}

Test(request, limits_of_targets)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_request request = {0};
    cr_assert_eq(vc_request_read_target(VC_STR("/1234"), 5, &arena, &request, &error), VC_OK);
    cr_assert_eq(vc_request_read_target(VC_STR("/12345"), 5, &arena, &request, &error), VC_LIMIT);
    cr_assert_str_eq(error.code, "url_too_long");
    char many[2 + 501 * 2] = "/?";
    for (size_t i = 0; i < 500; i++)
        memcpy(many + 2 + 2 * i, "a&", 2);
    request = (vc_request){0};
    vc_str text = {many, 2 + 2 * 500 - 1}; /* 500 parameters */
    cr_assert_eq(vc_request_read_target(text, 8000, &arena, &request, &error), VC_OK);
    cr_assert_eq(request.nparameters, 500);
    request = (vc_request){0};
    text.size++;
    cr_assert_eq(vc_request_read_target(text, 8000, &arena, &request, &error), VC_LIMIT);
    cr_assert_str_eq(error.code, "too_many_parameters");
    vc_arena_release(&arena);
}

/* ---- headers ---- */

struct header_case {
    char headers[160]; /* "Name: value\n", a line each */
    char code[24];
};

ParameterizedTestParameters(request, headers)
{
    static struct header_case cases[] = {
        {"Host: localhost\n", ""},
        {"HOST: LocalHost:8080\n", ""},
        {"Host: 127.0.0.1:1\n", ""},
        {"Host: [::1]:8080\n", ""},
        {"Host: localhost:\n", ""},
        {"", "bad_host"},
        {"Host: \n", "bad_host"},
        {"Host: localhost\nHost: localhost\n", "bad_host"},
        {"Host: example.com\n", "bad_host"}, /* a page whose name was rebound to 127.0.0.1 */
        {"Host: localhost.example.com\n", "bad_host"},
        {"Host: localhost:80@example.com\n", "bad_host"},
        {"Host: localhost:99999\n", "bad_host"},
        {"Host: localhost:+80\n", "bad_host"},
        {"Host: 127.0.0.2\n", "bad_host"},
        {"Host: localhost\nContent-Length: 5\n", ""},
        {"Host: localhost\nContent-Length: 5\nContent-Length: 5\n", "bad_framing"},
        {"Host: localhost\nContent-Length: 5\ncontent-length: 6\n", "bad_framing"},
        {"Host: localhost\nContent-Length: +5\n", "bad_framing"},
        {"Host: localhost\nContent-Length: 5, 5\n", "bad_framing"},
        {"Host: localhost\nContent-Length: 0x5\n", "bad_framing"},
        {"Host: localhost\nContent-Length: \n", "bad_framing"},
        {"Host: localhost\nContent-Length: 99999999999999999999\n", "bad_framing"},
        {"Host: localhost\nTransfer-Encoding: chunked\n", ""},
        {"Host: localhost\nTransfer-Encoding: Chunked\n", ""},
        {"Host: localhost\nTransfer-Encoding: chunked\nContent-Length: 5\n", "bad_framing"},
        {"Host: localhost\nContent-Length: 5\nTransfer-Encoding: chunked\n", "bad_framing"},
        {"Host: localhost\nTransfer-Encoding: gzip, chunked\n", "bad_framing"},
        {"Host: localhost\nTransfer-Encoding: xchunked\n", "bad_framing"},
        {"Host: localhost\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n",
         "bad_framing"},
        {"Host: localhost\nX(Y): 1\n", "bad_header"},
        {"Host: localhost\nX\x01: 1\n", "bad_header"},
        {"Host: localhost\nX : 1\n", "bad_header"},
        {"Host: localhost\n: 1\n", "bad_header"},
        {"Host: localhost\nX: a\rb\n", "bad_header"},
        {"Host: localhost\nX: a\x7F\n", "bad_header"},
        {"Host: localhost\nX: a\tb\n", ""},
        {"Host: localhost\nX: caf\xC3\xA9\n", ""},
    };
    return cr_make_param_array(struct header_case, cases, sizeof cases / sizeof cases[0]);
}

static size_t split_headers(vc_str text, vc_header headers[16])
{
    size_t count = 0;
    while (text.size > 0) {
        vc_str value = vc_str_split(&text, '\n');
        headers[count].name = vc_str_split(&value, ':');
        headers[count++].value = (vc_str){value.data + 1, value.size - 1};
    }
    return count;
}

ParameterizedTest(struct header_case *c, request, headers)
{
    vc_header headers[16];
    vc_error error = {0};
    vc_request request = {.method = VC_METHOD_POST};
    size_t count = split_headers(vc_str_of(c->headers), headers);
    vc_status status = vc_request_read_headers(headers, count, &request, &error);
    cr_assert_str_eq(status == VC_OK ? "" : error.code, c->code, "%s: %s", c->headers,
                     error.message);
}

Test(request, a_get_has_no_body)
{
    vc_header headers[16];
    vc_error error = {0};
    vc_request request = {.method = VC_METHOD_GET};
    size_t count = split_headers(VC_STR("Host: localhost\nContent-Length: 3\n"), headers);
    cr_assert_eq(vc_request_read_headers(headers, count, &request, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "bad_framing");
    request = (vc_request){.method = VC_METHOD_GET};
    count = split_headers(VC_STR("Host: localhost\nContent-Length: 0\n"), headers);
    cr_assert_eq(vc_request_read_headers(headers, count, &request, &error), VC_OK);
}

Test(request, an_id_is_repeated_only_if_it_is_fit)
{
    vc_header headers[16];
    vc_request request = {.method = VC_METHOD_GET};
    size_t count = split_headers(VC_STR("Host: localhost\nX-Request-Id: a-1\n"), headers);
    cr_assert_eq(vc_request_read_headers(headers, count, &request, NULL), VC_OK);
    cr_assert(vc_str_is(request.request_id, "a-1"));
    request = (vc_request){.method = VC_METHOD_GET};
    count = split_headers(VC_STR("Host: localhost\nX-Request-Id: a\"b\n"), headers);
    cr_assert_eq(vc_request_read_headers(headers, count, &request, NULL), VC_OK);
    cr_assert_eq(request.request_id.size, 0);
}

/* ---- methods and parameters ---- */

Test(request, methods)
{
    vc_request request;
    vc_error error = {0};
    cr_assert_eq(vc_request_read_method(VC_STR("HEAD"), &request, &error), VC_OK);
    cr_assert_eq(request.method, VC_METHOD_HEAD);
    cr_assert_eq(vc_request_read_method(VC_STR("get"), &request, &error), VC_BAD_INPUT);
    cr_assert_eq(vc_request_read_method(VC_STR("TRACE"), &request, &error), VC_BAD_INPUT);
    char longer[5000];
    memset(longer, 'A', sizeof longer);
    cr_assert_eq(vc_request_read_method((vc_str){longer, sizeof longer}, &request, &error),
                 VC_BAD_INPUT);
    cr_assert_lt(strlen(error.message), 200);
}

Test(request, parameters)
{
    static const char *const known[] = {"limit", "q", NULL};
    vc_arena arena = {0};
    vc_error error = {0};
    vc_request request = {0};
    uint64_t count;
    vc_str value;
    cr_assert_eq(vc_request_read_target(VC_STR("/?limit=7&q=a&q=b"), 99, &arena, &request, &error),
                 VC_OK);
    cr_assert_eq(vc_request_count(&request, "limit", 1, 10, &count, &error), VC_OK);
    cr_assert_eq(count, 7);
    cr_assert_eq(vc_request_count(&request, "offset", 3, 10, &count, &error), VC_OK);
    cr_assert_eq(count, 3);
    cr_assert_eq(vc_request_count(&request, "limit", 1, 6, &count, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.pointer, "limit");
    cr_assert_eq(vc_request_parameter(&request, "q", &value, &error), VC_BAD_INPUT);
    cr_assert_eq(vc_request_check_parameters(&request, known, &error), VC_OK);
    request.parameters = (vc_parameter[]){{VC_STR("limt"), VC_STR("1")}};
    request.nparameters = 1;
    cr_assert_eq(vc_request_check_parameters(&request, known, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "unknown_parameter");
    cr_assert_str_eq(error.candidates[0], "limit");
    vc_arena_release(&arena);
}
