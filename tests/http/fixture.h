/* A server over the golden samples, and a client that sees every byte. */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include "base/buffer.h"
#include "http/server.h"

typedef struct test_server {
    char directory[64];
    vc_store *store;
    vc_server *server;
    uint16_t port;
} test_server;

/* samples   a folder of definitions, "samples/golden"
 * options   store, address and port are filled in; NULL: all defaults */
void fixture_start(test_server *fixture, const char *samples, const vc_server_options *options);
void fixture_stop(test_server *fixture);

/* Load a folder into the store of a running server. */
void fixture_load(test_server *fixture, const char *samples);

typedef struct test_answer {
    unsigned status; /* 0: the connection ended before an answer */
    vc_buffer head;  /* status line and headers, ended with NUL */
    vc_buffer body;  /* ended with NUL, not counted */
    bool has_ended;  /* the server closed after it */
} test_answer;

void answer_release(test_answer *answer);

/* A header's value in a static buffer; "" when absent. */
const char *answer_header(const test_answer *answer, const char *name);

int client_open(uint16_t port);
int client_open_or_fail(uint16_t port); /* -1: nobody listens */
int client_open_narrow(uint16_t port);  /* takes a few KB at a time */
void client_send(int fd, const char *data, size_t size);

/* Read one answer. is_head: it has no body whatever its length says. Waits at most 10 s. */
void client_read(int fd, bool is_head, test_answer *answer);

/* Has the server closed, with nothing more to read? Waits at most timeout_ms. */
bool client_is_closed(int fd, int timeout_ms);

/* One request on a connection of its own. extra: header lines, each with its "\r\n". */
void ask(uint16_t port, const char *method, const char *target, const char *extra, const char *body,
         test_answer *answer);

/* The same with a body of any type and size. */
void send_body(uint16_t port, const char *method, const char *target, const char *extra,
               const char *type, const char *body, size_t size, test_answer *answer);

/* The body of an answer as JSON, to be freed by the caller; the answer is released. */
struct json_t *json_of(test_answer *answer, unsigned status);

/* GET that must succeed with 200; returns the body as JSON, to be freed by the caller. */
struct json_t *get_json(uint16_t port, const char *target);

/* The text of a key of an object; "" when it is not a text. */
const char *text_of(const struct json_t *object, const char *key);

#endif
