/* Raw bytes: what a stranger may send, and that the connection is in order afterwards. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static test_server server;

static void start(void)
{
    vc_server_options options = {.header_timeout_ms = 400,
                                 .body_timeout_ms = 1500,
                                 .idle_timeout_ms = 400,
                                 .answer_timeout_ms = 400,
                                 .grace_ms = 500};
    fixture_start(&server, "samples/golden", &options);
}

static void stop(void)
{
    fixture_stop(&server);
}

TestSuite(guard, .init = start, .fini = stop);

/* Each of these is followed by a second request on the same connection, which must never be
 * answered: it is what a smuggler hides. */
struct refused_case {
    char request[200];
    size_t size; /* 0: strlen */
    unsigned status;
};

#define HOST "Host: localhost\r\n"

ParameterizedTestParameters(guard, refused)
{
    static struct refused_case cases[] = {
        {"GET /healthz HTTP/1.1\r\n\r\n", 0, 400},
        {"GET /healthz HTTP/1.1\r\n" HOST HOST "\r\n", 0, 400},
        {"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 0, 400},
        {"POST /v1/query HTTP/1.1\r\n" HOST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 0,
         400},
        {"POST /v1/query HTTP/1.1\r\n" HOST "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}", 0,
         400},
        {"POST /v1/query HTTP/1.1\r\n" HOST
         "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
         0, 400},
        {"POST /v1/query HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 0, 400},
        {"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 0, 400},
        {"GET /healthz HTTP/1.1\r\n" HOST "X(y): 1\r\n\r\n", 0, 400},
        {"GET /healthz HTTP/1.1\r\n" HOST "X\x02: 1\r\n\r\n", 0, 400},
        {"GET /healthz HTTP/1.1\r\n" HOST "Content-Length : 2\r\n\r\n{}", 0, 400},
        {"GET /../../etc/passwd HTTP/1.1\r\n" HOST "\r\n", 0, 400},
        {"GET http://localhost/healthz HTTP/1.1\r\n" HOST "\r\n", 0, 400},
        {"TRACE /healthz HTTP/1.1\r\n" HOST "\r\n", 0, 400},
        {"get /healthz HTTP/1.1\r\n" HOST "\r\n", 0, 400},
        {"POST /v1/query HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\n", 0, 413},
        {"POST /v1/query HTTP/1.1\r\n" HOST
         "Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n",
         0, 413},
    };
    return cr_make_param_array(struct refused_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct refused_case *c, guard, refused)
{
    static const char hidden[] = "GET /readyz HTTP/1.1\r\n" HOST "\r\n";
    test_answer answer;
    int fd = client_open(server.port);
    client_send(fd, c->request, c->size > 0 ? c->size : strlen(c->request));
    client_send(fd, hidden, sizeof hidden - 1);
    client_read(fd, false, &answer);
    cr_assert_eq(answer.status, c->status, "%s: %u", c->request, answer.status);
    cr_assert(answer.has_ended, "%s", answer.head.data);
    cr_assert_str_eq(answer_header(&answer, "Content-Type"),
                     "application/problem+json; charset=utf-8");
    cr_assert(client_is_closed(fd, 2000));
    answer_release(&answer);
    close(fd);
}

/* A NUL ends the path for libmicrohttpd; for us it is not one. */
Test(guard, nul_in_the_path)
{
    test_answer answer;
    ask(server.port, "GET", "/healthz%00/../../x", NULL, NULL, &answer);
    cr_assert_eq(answer.status, 400);
    answer_release(&answer);
}

Test(guard, long_addresses)
{
    static char target[9000] = "/v1/cubes/stats/dimensions/country/members?q=";
    test_answer answer;
    size_t size = strlen(target);
    memset(target + size, 'a', 8000 - size);
    ask(server.port, "GET", target, NULL, NULL, &answer);
    cr_assert_eq(answer.status, 200);
    answer_release(&answer);
    memset(target + size, 'a', 8001 - size);
    ask(server.port, "GET", target, NULL, NULL, &answer);
    cr_assert_eq(answer.status, 414);
    answer_release(&answer);
}

Test(guard, many_headers)
{
    vc_buffer lines = {0};
    test_answer answer;
    for (int i = 0; i < 200; i++)
        vc_buffer_printf(&lines, "X%d: 1\r\n", i);
    ask(server.port, "GET", "/healthz", vc_buffer_text(&lines), NULL, &answer);
    cr_assert_eq(answer.status, 431);
    answer_release(&answer);
    vc_buffer_release(&lines);
}

/* The client is still sending when the answer is clear; it must see the answer, not a reset. */
Test(guard, large_bodies)
{
    size_t size = 3 << 20;
    char *body = malloc(size + 1);
    test_answer answer;
    memset(body, ' ', size);
    body[size] = '\0';
    ask(server.port, "POST", "/v1/query", NULL, body, &answer);
    cr_assert_eq(answer.status, 413);
    answer_release(&answer);
    free(body);
}

/* A body without an end is not read for ever, even if it comes fast. */
Test(guard, endless_bodies)
{
    static const char begun[] =
        "POST /v1/query HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    static char chunk[65536 + 9] = "10000\r\n";
    memset(chunk + 7, ' ', 65536);
    memcpy(chunk + 7 + 65536, "\r\n", 2);
    int fd = client_open(server.port);
    client_send(fd, begun, sizeof begun - 1);
    size_t sent = 0;
    while (sent < 1000 && send(fd, chunk, sizeof chunk, MSG_NOSIGNAL) == sizeof chunk)
        sent++;
    cr_assert_lt(sent, 1000); /* of 62 MiB */
    close(fd);
}

Test(guard, chunked_bodies)
{
    static const char request[] =
        "POST /v1/query HTTP/1.1\r\n" HOST "Content-Type: application/json; charset=utf-8\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
        "8\r\n{\"cube\":\r\n8\r\n\"stats\"}\r\n0\r\n\r\n"
        "GET /healthz HTTP/1.1\r\n" HOST "\r\n";
    test_answer answer;
    int fd = client_open(server.port);
    client_send(fd, request, sizeof request - 1);
    client_read(fd, false, &answer);
    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    answer_release(&answer);
    client_read(fd, false, &answer); /* what was pipelined behind it */
    cr_assert_eq(answer.status, 200);
    answer_release(&answer);
    close(fd);
}

Test(guard, keep_alive)
{
    static const char *const targets[] = {"/healthz",       "/v1/cubes",
                                          "/v1/cubes/nope", "/v1/cubes/stats/aggregate",
                                          "/v1/cubes?x=1",  "/readyz"};
    static const unsigned statuses[] = {200, 200, 404, 200, 400, 200};
    int fd = client_open(server.port);
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        char request[128];
        test_answer answer;
        int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", targets[i]);
        client_send(fd, request, (size_t)size);
        client_read(fd, false, &answer);
        cr_assert_eq(answer.status, statuses[i], "%s: %u", targets[i], answer.status);
        cr_assert_not(answer.has_ended);
        answer_release(&answer);
    }
    close(fd);
}

/* ---- deadlines ---- */

/* A byte now and then keeps libmicrohttpd's time-out away, but not ours. */
static bool is_cut_while_dripping(int fd, const char *text)
{
    for (int i = 0; i < 120; i++) {
        client_send(fd, &text[(size_t)i % strlen(text)], 1);
        if (client_is_closed(fd, 25)) return true;
    }
    return false;
}

Test(guard, slow_request_line)
{
    int fd = client_open(server.port);
    cr_assert(is_cut_while_dripping(fd, "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    close(fd);
}

Test(guard, slow_headers)
{
    static const char begun[] = "GET /healthz HTTP/1.1\r\n" HOST "X-Slow: ";
    int fd = client_open(server.port);
    client_send(fd, begun, sizeof begun - 1);
    cr_assert(is_cut_while_dripping(fd, "a"));
    close(fd);
}

Test(guard, slow_body)
{
    static const char begun[] = "POST /v1/query HTTP/1.1\r\n" HOST
                                "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
    int fd = client_open(server.port);
    client_send(fd, begun, sizeof begun - 1);
    cr_assert(is_cut_while_dripping(fd, " "));
    close(fd);
}

Test(guard, idle_connections_end)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\n" HOST "\r\n";
    test_answer answer;
    int fd = client_open(server.port);
    client_send(fd, request, sizeof request - 1);
    client_read(fd, false, &answer);
    cr_assert_eq(answer.status, 200);
    cr_assert(client_is_closed(fd, 2000));
    answer_release(&answer);
    close(fd);
}

Test(guard, half_open_ones_do_not_hinder_others)
{
    enum { NCONNECTIONS = 300 };
    int fds[NCONNECTIONS];
    for (int i = 0; i < NCONNECTIONS; i++)
        fds[i] = client_open(server.port);
    test_answer answer;
    ask(server.port, "GET", "/v1/cubes/stats/aggregate", NULL, NULL, &answer);
    cr_assert_eq(answer.status, 200);
    answer_release(&answer);
    for (int i = 0; i < NCONNECTIONS; i++) {
        cr_assert(client_is_closed(fds[i], 2000));
        close(fds[i]);
    }
}
