#include "fixture.h"

#include "cube/load.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

/* ---- the server ---- */

void fixture_load(test_server *fixture, const char *samples)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_str *files;
    size_t nfiles;
    vc_load_report report;
    cr_assert_eq(vc_definition_list(samples, &arena, &files, &nfiles, &error), VC_OK, "%s",
                 error.message);
    vc_definition **definitions = VC_ARENA_NEW(&arena, vc_definition *, nfiles);
    for (size_t i = 0; i < nfiles; i++)
        cr_assert_eq(vc_definition_read(files[i].data, &arena, &definitions[i], &error), VC_OK,
                     "%s", error.message);
    vc_load_options options = {.rejects_directory = fixture->directory};
    cr_assert_eq(
        vc_load_definitions(fixture->store, definitions, nfiles, &options, &arena, &report, &error),
        VC_OK, "%s", error.message);
    for (size_t i = 0; i < nfiles; i++)
        vc_definition_release(definitions[i]);
    vc_arena_release(&arena);
}

void fixture_start(test_server *fixture, const char *samples, const vc_server_options *options)
{
    vc_error error = {0};
    *fixture = (test_server){0};
    const char *base = getenv("TMPDIR");
    snprintf(fixture->directory, sizeof fixture->directory, "%s/vcube-http-XXXXXX",
             base != NULL && strlen(base) < 32 ? base : "/tmp");
    cr_assert_not_null(mkdtemp(fixture->directory));
    /* A small map: sanitizers reserve shadow memory for all of it. */
    vc_store_options store_options = {.map_bytes = (size_t)1 << 30};
    cr_assert_eq(vc_store_open(fixture->directory, &store_options, &fixture->store, &error), VC_OK,
                 "%s", error.message);
    if (samples != NULL) fixture_load(fixture, samples);
    vc_server_options filled = options != NULL ? *options : (vc_server_options){0};
    filled.store = fixture->store;
    filled.is_quiet = !filled.logs_requests;
    if (filled.version == NULL) filled.version = "test";
    cr_assert_eq(vc_server_start(&filled, &fixture->server, &error), VC_OK, "%s", error.message);
    fixture->port = vc_server_port(fixture->server);
}

void fixture_stop(test_server *fixture)
{
    vc_store_stats stats;
    vc_error error = {0};
    vc_server_stop(fixture->server);
    /* Every snapshot that a request had is closed. */
    cr_expect_eq(vc_store_stat(fixture->store, &stats, &error), VC_OK);
    cr_expect_eq(stats.nreaders, 0, "%u snapshots are open", stats.nreaders);
    vc_store_close(fixture->store);
    DIR *directory = opendir(fixture->directory);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", fixture->directory, entry->d_name);
        if (entry->d_name[0] != '.') unlink(path);
    }
    if (directory != NULL) closedir(directory);
    rmdir(fixture->directory);
}

/* ---- the client ---- */

void answer_release(test_answer *answer)
{
    vc_buffer_release(&answer->head);
    vc_buffer_release(&answer->body);
}

const char *answer_header(const test_answer *answer, const char *name)
{
    static _Thread_local char value[1024];
    size_t size = strlen(name);
    value[0] = '\0';
    for (const char *line = answer->head.data; line != NULL; line = strstr(line, "\r\n")) {
        if (line[0] == '\r') line += 2;
        if (strncasecmp(line, name, size) != 0 || line[size] != ':') continue;
        const char *first = line + size + 1;
        while (*first == ' ')
            first++;
        snprintf(value, sizeof value, "%.*s", (int)strcspn(first, "\r"), first);
        break;
    }
    return value;
}

static int connect_to(uint16_t port, int receive_bytes)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    if (receive_bytes > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) == 0) return fd;
    close(fd);
    return -1;
}

int client_open_or_fail(uint16_t port)
{
    return connect_to(port, 0);
}

int client_open_narrow(uint16_t port)
{
    int fd = connect_to(port, 4096);
    cr_assert_geq(fd, 0);
    return fd;
}

int client_open(uint16_t port)
{
    int fd = client_open_or_fail(port);
    cr_assert_geq(fd, 0);
    return fd;
}

void client_send(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0) return; /* the server may refuse before all is sent */
        data += sent;
        size -= (size_t)sent;
    }
}

/* Up to `wanted` more bytes into the buffer. False at the end of the stream, or of patience. */
static bool receive(int fd, vc_buffer *buffer, size_t wanted, int timeout_ms)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    if (poll(&poller, 1, timeout_ms) <= 0) return false;
    vc_buffer_reserve(buffer, wanted + 1);
    ssize_t got = recv(fd, buffer->data + buffer->size, wanted, 0);
    if (got <= 0) return false;
    buffer->size += (size_t)got;
    return true;
}

void client_read(int fd, bool is_head, test_answer *answer)
{
    *answer = (test_answer){0};
    /* Byte by byte, so that nothing of the next answer is taken. */
    while (answer->head.size < 4 ||
           memcmp(answer->head.data + answer->head.size - 4, "\r\n\r\n", 4) != 0)
        if (!receive(fd, &answer->head, 1, PATIENCE_MS)) break;
    vc_buffer_text(&answer->head);
    if (answer->head.size < 12) {
        answer->has_ended = true;
        return;
    }
    answer->status = (unsigned)atoi(answer->head.data + 9);
    size_t length = is_head || answer->status == 304
                        ? 0
                        : (size_t)strtoull(answer_header(answer, "Content-Length"), NULL, 10);
    while (answer->body.size < length)
        if (!receive(fd, &answer->body, length - answer->body.size, PATIENCE_MS)) break;
    if (answer->body.size < length) answer->status = 0;
    vc_buffer_text(&answer->body);
    answer->has_ended = strcasecmp(answer_header(answer, "Connection"), "close") == 0;
}

bool client_is_closed(int fd, int timeout_ms)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    char byte;
    if (poll(&poller, 1, timeout_ms) <= 0) return false;
    return recv(fd, &byte, 1, 0) <= 0;
}

void ask(uint16_t port, const char *method, const char *target, const char *extra, const char *body,
         test_answer *answer)
{
    vc_buffer request = {0};
    vc_buffer_printf(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, target,
                     extra != NULL ? extra : "");
    if (body != NULL)
        vc_buffer_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                         strlen(body));
    vc_buffer_printf(&request, "\r\n%s", body != NULL ? body : "");
    int fd = client_open(port);
    client_send(fd, request.data, request.size);
    client_read(fd, strcmp(method, "HEAD") == 0, answer);
    close(fd);
    vc_buffer_release(&request);
}

void send_body(uint16_t port, const char *method, const char *target, const char *extra,
               const char *type, const char *body, size_t size, test_answer *answer)
{
    vc_buffer request = {0};
    vc_buffer_printf(
        &request, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s%s%sContent-Length: %zu\r\n\r\n",
        method, target, extra != NULL ? extra : "", type != NULL ? "Content-Type: " : "",
        type != NULL ? type : "", type != NULL ? "\r\n" : "", size);
    vc_buffer_put(&request, body, size);
    int fd = client_open(port);
    client_send(fd, request.data, request.size);
    client_read(fd, false, answer);
    close(fd);
    vc_buffer_release(&request);
}

json_t *json_of(test_answer *answer, unsigned status)
{
    cr_assert_eq(answer->status, status, "%u %s", answer->status,
                 answer->body.data != NULL ? answer->body.data : "");
    json_t *json = json_loadb(answer->body.data, answer->body.size, 0, NULL);
    cr_assert_not_null(json, "%s is no JSON", answer->body.data);
    answer_release(answer);
    return json;
}

json_t *get_json(uint16_t port, const char *target)
{
    test_answer answer;
    ask(port, "GET", target, NULL, NULL, &answer);
    cr_assert_eq(answer.status, 200, "%s: %u %s", target, answer.status, answer.body.data);
    json_t *json = json_loadb(answer.body.data, answer.body.size, 0, NULL);
    cr_assert_not_null(json, "%s is no JSON", target);
    answer_release(&answer);
    return json;
}

const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}
