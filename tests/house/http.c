/* A client of a few lines, so that what is compared is what the server sent. */
#include "tests/house/house.h"

#include "http/server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(client, 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

/* Send the request, with a body unless it is NULL, and read until the server closes. */
static void exchange(uint16_t port, const char *target, const char *body, vc_buffer *received)
{
    vc_buffer request = {0};
    char block[65536];
    ssize_t n;
    vc_buffer_printf(&request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n",
                     body == NULL ? "GET" : "POST", target, port);
    if (body != NULL)
        vc_buffer_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                         strlen(body));
    vc_buffer_put_text(&request, "\r\n");
    if (body != NULL) vc_buffer_put_text(&request, body);
    int client = connect_to(port);
    for (size_t sent = 0; sent < request.size; sent += (size_t)n) {
        n = send(client, request.data + sent, request.size - sent, MSG_NOSIGNAL);
        cr_assert_gt(n, 0);
    }
    while ((n = recv(client, block, sizeof block, 0)) > 0)
        vc_buffer_put(received, block, (size_t)n);
    cr_assert_eq(n, 0);
    close(client);
    vc_buffer_release(&request);
    vc_buffer_text(received);
}

static void put_chunks(const char *at, vc_buffer *text)
{
    for (;;) {
        char *end;
        size_t size = strtoul(at, &end, 16);
        if (size == 0) return;
        at = strstr(end, "\r\n") + 2;
        vc_buffer_put(text, at, size);
        at += size + 2;
    }
}

static void take_apart(const vc_buffer *received, struct house_reply *reply)
{
    char *head_end = strstr(received->data, "\r\n\r\n");
    cr_assert_not_null(head_end, "no head in the answer");
    cr_assert_eq(sscanf(received->data, "HTTP/1.1 %d", &reply->code), 1);
    *head_end = '\0';
    const char *body = head_end + 4;
    if (strcasestr(received->data, "\r\ntransfer-encoding: chunked") != NULL)
        put_chunks(body, &reply->text);
    else
        vc_buffer_put(&reply->text, body, received->size - (size_t)(body - received->data));
    vc_buffer_text(&reply->text);
}

void house_ask_many(const char *directory, const struct house_request *requests, size_t nrequests,
                    struct house_reply *replies)
{
    house_ask_as(directory, NULL, requests, nrequests, replies);
}

void house_ask_as(const char *directory, const char *cubes, const struct house_request *requests,
                  size_t nrequests, struct house_reply *replies)
{
    vc_store *store;
    vc_server *server;
    vc_error error = {0};
    vc_store_options store_options = {.is_read_only = true};
    cr_assert_eq(vc_store_open(directory, &store_options, &store, &error), VC_OK, "%s",
                 error.message);
    vc_server_options options = {.store = store, .nworkers = 2, .is_quiet = true};
    if (cubes != NULL) {
        json_t *roles =
            json_pack("{s:{s:[s],s:o}}", "one", "may", "read", "cubes", json_loads(cubes, 0, NULL));
        json_t *name = json_string("one");
        cr_assert_eq(vc_roles_read(roles, name, &options.roles, &error), VC_OK, "%s in %s",
                     error.message, cubes);
        json_decref(roles);
        json_decref(name);
    }
    cr_assert_eq(vc_server_start(&options, &server, &error), VC_OK, "%s", error.message);
    for (size_t i = 0; i < nrequests; i++) {
        vc_buffer received = {0};
        replies[i] = (struct house_reply){0};
        exchange(vc_server_port(server), requests[i].target, requests[i].body, &received);
        take_apart(&received, &replies[i]);
        vc_buffer_release(&received);
    }
    vc_server_stop(server);
    vc_roles_release(options.roles);
    vc_store_close(store);
}

static void ask(const char *directory, const char *target, const char *body,
                struct house_reply *reply)
{
    struct house_request request = {.target = target, .body = body};
    house_ask_many(directory, &request, 1, reply);
}

void house_ask_http(const char *directory, const char *body, struct house_reply *reply)
{
    ask(directory, "/v1/query", body, reply);
}

void house_explain_http(const char *directory, const char *body, struct house_reply *reply)
{
    ask(directory, "/v1/explain", body, reply);
}

void house_put_encoded(vc_buffer *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (isalnum((unsigned char)*text))
            vc_buffer_put_char(out, *text);
        else
            vc_buffer_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
}

void house_get_http(const char *directory, const char *cube, const json_t *parameters,
                    struct house_reply *reply)
{
    house_get_part(directory, cube, "aggregate", parameters, reply);
}

void house_get_part(const char *directory, const char *cube, const char *part,
                    const json_t *parameters, struct house_reply *reply)
{
    vc_buffer target = {0};
    const char *name, *separator = "?";
    json_t *value;
    vc_buffer_put_text(&target, "/v1/cubes/");
    house_put_encoded(&target, cube);
    vc_buffer_put_char(&target, '/');
    vc_buffer_put_text(&target, part);
    json_object_foreach((json_t *)parameters, name, value)
    {
        vc_buffer_put_text(&target, separator);
        house_put_encoded(&target, name);
        vc_buffer_put_char(&target, '=');
        house_put_encoded(&target, json_string_value(value));
        separator = "&";
    }
    ask(directory, vc_buffer_text(&target), NULL, reply);
    vc_buffer_release(&target);
}
