/* The table of requests that two parsers could read in two ways: what RFC 9112 wants refused, is,
 * by one answer and the end of the connection; and what is hidden behind it is never answered.
 *
 * Each row is sent with a second request right behind it. Four things may happen:
 *
 *     REFUSED  one problem of ours with that status, then the end
 *     THEIRS   libmicrohttpd refuses by itself before any callback, in its own words (of a bad
 * length with its head twice): the status, then the end SILENT   it ends the connection without a
 * word TAKEN    read as it is meant, or as http/README.md says; the second request is then a
 * request of its own, and is answered once
 */
#include "fixture.h"
#include "http/connections.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST       "Host: localhost\r\n"
#define GET        "GET /healthz HTTP/1.1\r\n"
#define GET_HOST   GET HOST
#define POST_PLAIN "POST /v1/query HTTP/1.1\r\n" HOST
#define POST       POST_PLAIN "Content-Type: application/json\r\n"

enum kind { REFUSED, THEIRS, SILENT, TAKEN };

struct row {
    enum kind kind;
    unsigned status;
    const char *bytes;
    size_t size;
};

#define ROW(bytes) bytes, sizeof(bytes) - 1

/* clang-format off */
static const struct row rows[] = {
    {REFUSED, 400, ROW(POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Content-Length: 0\r\nContent-Length: 2\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: 2, 2\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: 2,3\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: +2\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: -2\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: 0x2\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: 2.0\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: 2e0\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: 2 2\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length:\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: \r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: two\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: \t\r\n\r\n{}")},
    {THEIRS, 413, ROW(POST "Content-Length: 18446744073709551616\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Content-Length: 18446744073709551615\r\n\r\n{}")},
    {THEIRS, 413, ROW(POST "Content-Length: 99999999999999999999999\r\n\r\n{}")},
    {REFUSED, 413, ROW(POST "Content-Length: 9223372036854775808\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Content-Length: 00000000000000000000002\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: \"2\"\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: 2;\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: 2\013\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Content-Length: \262\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "content-length: 2\r\nCONTENT-LENGTH: 2\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Content-Length : 2\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Content-Length\t: 2\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST " Content-Length: 2\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: gzip\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: identity\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: gzip, chunked\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: chunked, gzip\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: chunked, chunked\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: xchunked\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: chunkedx\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: \"chunked\"\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: chunked;q=1\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: \r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding:\013chunked\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Transfer-Encoding: chunked\000\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: chu nked\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding : chunked\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding\t: chunked\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer_Encoding: chunked\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "X: y\rTransfer-Encoding: chunked\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: \r\n chunked\r\n\r\n{}")},
    {REFUSED, 400, ROW(POST "Content-Length:\r\n 2\r\n\r\n{}")},
    {THEIRS, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n2 \r\n{}\r\n0\r\n\r\n")},
    {THEIRS, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\nx\r\n{}\r\n0\r\n\r\n")},
    {THEIRS, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n")},
    {THEIRS, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n")},
    {THEIRS, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n")},
    {THEIRS, 413, ROW(POST "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n{}\r\n0\r\n\r\n")},
    {THEIRS, 413, ROW(POST "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffffff\r\n{}\r\n")},
    {THEIRS, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX Y: 1\r\n\r\n")},
    {THEIRS, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
    {TAKEN, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n")},
    {TAKEN, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n")},
    {TAKEN, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n2;\r\n{}\r\n0\r\n\r\n")},
    {TAKEN, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n00000000000000002\r\n{}\r\n0\r\n\r\n")},
    {THEIRS, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n 2\r\n{}\r\n0\r\n\r\n")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nHost: evil\r\n\r\n")},
    {REFUSED, 400, ROW(POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n")},
    {REFUSED, 400, ROW(GET "\r\n")},
    {REFUSED, 400, ROW(GET_HOST "Host: localhost\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "host: evil\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: evil\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host:\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost, evil\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost@evil\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost:99999\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost:8080:1\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost:-1\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost:0x1\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost/..\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost evil\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost.\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: [::1\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: [::1]x\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: 127.1\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: 0.0.0.0\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: 2130706433\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host : localhost\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: http://localhost\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: local\000host\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: \303\251\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost#\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost?\r\n\r\n")},
    {REFUSED, 400, ROW(GET "Host: localhost%00\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X(y): 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X\002: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X\177: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X y: 1\r\n\r\n")},
    {THEIRS, 400, ROW(GET_HOST "X\000y: 1\r\n\r\n")},
    {TAKEN, 200, ROW(GET_HOST ": 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X[y]: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X@y: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X,y: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X;y: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X\"y: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X/y: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X{y}: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X\\y: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X\351: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X=y: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X?: 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X<y>: 1\r\n\r\n")},
    {THEIRS, 400, ROW(GET_HOST "nocolon\r\n\r\n")},
    {TAKEN, 200, ROW(GET_HOST "X: a\000b\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X: a\001b\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X: a\177b\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X: a\013b\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X: a\033b\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X: a\rb\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X : 1\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST "X\t: 1\r\n\r\n")},
    {TAKEN, 200, ROW(GET_HOST "X: a\r\n folded\r\n\r\n")},
    {REFUSED, 400, ROW(GET_HOST " X: first folded\r\n\r\n")},
    {REFUSED, 400, ROW(GET " X: before all\r\nHost: localhost\r\n\r\n")},
    {TAKEN, 200, ROW("GET  /healthz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /healthz  HTTP/1.1\r\n" HOST "\r\n")},
    {SILENT, 0, ROW("GET\t/healthz\tHTTP/1.1\r\n" HOST "\r\n")},
    {SILENT, 0, ROW(" GET /healthz HTTP/1.1\r\n" HOST "\r\n")},
    {THEIRS, 400, ROW("GET /healthz HTTP/1.1 \r\n" HOST "\r\n")},
    {THEIRS, 400, ROW("GET /healthz HTTP/1.1 x\r\n" HOST "\r\n")},
    {THEIRS, 505, ROW("GET /healthz HTTP/9.9\r\n" HOST "\r\n")},
    {THEIRS, 505, ROW("GET /healthz HTTP/2.0\r\n" HOST "\r\n")},
    {TAKEN, 200, ROW("GET /healthz HTTP/1.2\r\n" HOST "\r\n")},
    {THEIRS, 505, ROW("GET /healthz HTTP/0.9\r\n" HOST "\r\n")},
    {THEIRS, 400, ROW("GET /healthz http/1.1\r\n" HOST "\r\n")},
    {THEIRS, 400, ROW("GET /healthz HTTP/1,1\r\n" HOST "\r\n")},
    {THEIRS, 400, ROW("GET /healthz HTTP/1\r\n" HOST "\r\n")},
    {THEIRS, 400, ROW("GET /healthz HTTPS/1.1\r\n" HOST "\r\n")},
    {THEIRS, 400, ROW("GET /healthz HTTP/11\r\n" HOST "\r\n")},
    {THEIRS, 400, ROW("GET /healthz HTTP/1.10\r\n" HOST "\r\n")},
    {THEIRS, 400, ROW("GET /healthz\r\n" HOST "\r\n")},
    {THEIRS, 400, ROW("GET HTTP/1.1\r\n" HOST "\r\n")},
    {THEIRS, 400, ROW("/healthz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("get /healthz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("TRACE /healthz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("CONNECT localhost:80 HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("FOO /healthz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("G\000T /healthz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GE(T /healthz HTTP/1.1\r\n" HOST "\r\n")},
    {TAKEN, 404, ROW("GET /health\000z HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /healthz%00 HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /healthz%0d%0aX:1 HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /../../etc/passwd HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /v1/../healthz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /%2e%2e/etc HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /v1/%2e/cubes HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET http://localhost/healthz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET http://evil/healthz HTTP/1.1\r\n" HOST "\r\n")},
    {TAKEN, 404, ROW("GET //evil/healthz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET * HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET healthz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /a b HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /healthz#x HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /\351 HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /%ff HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /%c0%af HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /%zz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /% HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /healthz?x=%00 HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /healthz?%zz HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /\001 HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /\177 HTTP/1.1\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW("GET /healthz\r HTTP/1.1\r\n" HOST "\r\n")},
    {TAKEN, 400, ROW("GET /healthz?x=\000 HTTP/1.1\r\n" HOST "\r\n")},
    {THEIRS, 505, ROW("PRI * HTTP/2.0\r\n" HOST "\r\n")},
    {REFUSED, 400, ROW(GET_HOST "Content-Length: 2\r\n\r\n{}")},
    {REFUSED, 400, ROW(GET_HOST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
    {REFUSED, 400, ROW("HEAD /healthz HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}")},
    {REFUSED, 400, ROW("HEAD /healthz HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
    {REFUSED, 413, ROW(POST_PLAIN "Content-Length: 99999999999\r\n\r\n")},
    {REFUSED, 413, ROW(POST_PLAIN "Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n")},
    {TAKEN, 400, ROW(POST "Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}")},
    {REFUSED, 400, ROW("GET /healthz HTTP/1.0\r\n\r\n")},
    {REFUSED, 400, ROW("GET /healthz HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
    {REFUSED, 400, ROW("POST /v1/query HTTP/1.0\r\n" HOST "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
    {TAKEN, 200, ROW("GET /healthz HTTP/1.1\nHost: localhost\n\n")},
    {TAKEN, 200, ROW(GET "Host: localhost\n\r\n")},
    {REFUSED, 400, ROW("\026\003\001\002\000\001\000\001\374\003\003aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
    {SILENT, 0, ROW("SSH-2.0-x\r\n\r\n")},
    {TAKEN, 200, ROW("\r\n\r\nGET /healthz HTTP/1.1\r\n" HOST "\r\n")},
    {TAKEN, 200, ROW("\000\000\000\000\r\n\r\n")},
    {THEIRS, 505, ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
};
/* clang-format on */

enum { NROWS = sizeof rows / sizeof rows[0] };

static test_server server;

static void start(void)
{
    fixture_start(&server, "samples/golden", NULL);
}

static void stop(void)
{
    fixture_stop(&server);
}

TestSuite(smuggling, .init = start, .fini = stop);

static const char hidden[] = "GET /readyz HTTP/1.1\r\n" HOST "\r\n";
static const char hidden_answer[] = "\"status\":\"ready\"";

static unsigned count_texts(const char *text, const char *wanted)
{
    unsigned count = 0;
    for (; (text = strstr(text, wanted)) != NULL; text += strlen(wanted))
        count++;
    return count;
}

/* All that comes until the end, or until the second answer and then nothing for a while. */
static bool read_all(int fd, vc_buffer *out)
{
    bool has_second = false;
    for (;;) {
        char bytes[4096];
        struct pollfd waits = {.fd = fd, .events = POLLIN};
        if (poll(&waits, 1, has_second ? 20 : 3000) <= 0) return false;
        ssize_t size = recv(fd, bytes, sizeof bytes, 0);
        if (size <= 0) return true;
        vc_buffer_put(out, bytes, (size_t)size);
        has_second = strstr(vc_buffer_text(out), hidden_answer) != NULL;
    }
}

static void check_row(const struct row *row, size_t number)
{
    vc_buffer bytes = {0};
    unsigned status = 0;
    char what[80];
    snprintf(what, sizeof what, "row %zu: %.60s", number, row->bytes);
    int fd = client_open(server.port);
    vc_buffer_put(&bytes, row->bytes, row->size);
    vc_buffer_put(&bytes, hidden, sizeof hidden - 1);
    client_send(fd, bytes.data, bytes.size); /* together: nobody waits for an answer */
    vc_buffer_release(&bytes);
    bool has_ended = read_all(fd, &bytes);
    close(fd);
    const char *text = vc_buffer_text(&bytes);
    (void)sscanf(text, "HTTP/1.%*1[01] %u", &status);
    unsigned nanswers = count_texts(text, "HTTP/1.1 "), nhidden = count_texts(text, hidden_answer);
    cr_expect_eq(has_ended, row->kind != TAKEN, "%s", what);
    cr_expect_eq(nhidden, row->kind == TAKEN, "%s:\n%s", what, text);
    cr_expect_eq(status, row->status, "%s: %u\n%s", what, status, text);
    if (row->kind == REFUSED) {
        cr_expect_eq(nanswers, 1, "%s:\n%s", what, text);
        cr_expect_eq(count_texts(text, "Connection: close\r\n"), 1, "%s:\n%s", what, text);
        cr_expect_eq(count_texts(text, "application/problem+json"), 1, "%s:\n%s", what, text);
    }
    vc_buffer_release(&bytes);
}

Test(smuggling, table)
{
    cr_assert_geq(NROWS, 120);
    for (size_t i = 0; i < NROWS; i++)
        check_row(&rows[i], i);
}

/* ---- long ones ---- */

static void check_long(const char *before, const char *part, size_t nparts, const char *after,
                       enum kind kind, unsigned status)
{
    vc_buffer bytes = {0};
    vc_buffer_put_text(&bytes, before);
    for (size_t i = 0; i < nparts; i++)
        vc_buffer_put_text(&bytes, part);
    vc_buffer_put_text(&bytes, after);
    struct row row = {kind, status, vc_buffer_text(&bytes), bytes.size};
    check_row(&row, nparts);
    vc_buffer_release(&bytes);
}

Test(smuggling, long_ones)
{
    static const char end[] = " HTTP/1.1\r\n" HOST "\r\n";
    check_long("", "A", 5000, " /healthz HTTP/1.1\r\n" HOST "\r\n", REFUSED, 400);
    check_long("GET /", "a", 9000, end, REFUSED, 414);
    check_long("GET /", "a", 31000, end, REFUSED, 414);
    check_long("GET /", "a", 40000, end, THEIRS, 414);
    check_long("GET /healthz?a=1", "&a=1", 499, end, TAKEN, 400); /* it knows no `a` */
    check_long("GET /healthz?a=1", "&a=1", 500, end, REFUSED, 422);
    check_long("GET /healthz?a=1", "&a=1", 1900, end, REFUSED, 422);
    check_long("GET /healthz?", "&", 7900, end, REFUSED, 422);
    check_long(GET_HOST, "X: 1\r\n", 129, "\r\n", REFUSED, 431);
    check_long(GET_HOST, "X: 1\r\n", 1000, "\r\n", THEIRS, 431);
    check_long(GET_HOST "X: ", "a", 40000, "\r\n\r\n", THEIRS, 431);
}

/* A chunk that says it is as long as can be ends at the deadline of bodies, or when more came than
 * is ever read: it is one more body without an end. */
Test(smuggling, endless_chunk)
{
    static const char begun[] = POST "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n";
    static char spaces[65536];
    memset(spaces, ' ', sizeof spaces);
    int fd = client_open(server.port);
    client_send(fd, begun, sizeof begun - 1);
    size_t sent = 0;
    while (sent < 1000 && send(fd, spaces, sizeof spaces, MSG_NOSIGNAL) == sizeof spaces)
        sent++;
    cr_assert_lt(sent, 1000); /* of 62 MiB */
    close(fd);
}

/* A client that says all and then that it will say no more ("nc -N") has its answer, and the end;
 * and one that stops in the middle is not waited for. */
Test(smuggling, half_closed_ones_end)
{
    static const char whole[] = GET_HOST "\r\n";
    static const size_t sizes[] = {0, 10, sizeof whole - 5, sizeof whole - 1};
    for (size_t i = 0; i < 4; i++) {
        int64_t began_ms = vc_clock_ms();
        int fd = client_open(server.port);
        if (sizes[i] > 0) client_send(fd, whole, sizes[i]);
        cr_assert_eq(shutdown(fd, SHUT_WR), 0);
        test_answer answer;
        client_read(fd, false, &answer);
        cr_assert_eq(answer.status, i == 3 ? 200 : 0, "%zu: %u", i, answer.status);
        cr_assert(client_is_closed(fd, 2000), "%zu", i);
        cr_assert_lt(vc_clock_ms() - began_ms, 3000, "%zu", i); /* long before its deadline */
        answer_release(&answer);
        close(fd);
    }
}
