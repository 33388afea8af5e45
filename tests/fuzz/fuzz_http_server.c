/* libFuzzer target: bytes of a stranger, over a socket, into a whole server.
 *
 * The server is started once, over cubes that are defined over HTTP; each input is sent on a
 * connection of its own, and what comes within some milliseconds is read: it must be HTTP and never
 * a 500. Loads and definitions are among what may be asked, so the store changes on the way.
 */
#include "http/server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATIENCE_MS = 3 };

static uint16_t port;

static int send_to_server(const char *bytes, size_t size)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) abort();
    (void)!send(fd, bytes, size, MSG_NOSIGNAL);
    return fd;
}

/* The first answer's status; 0: none came in time. */
static unsigned read_status(int fd, int patience_ms)
{
    char bytes[4096];
    unsigned first = 0;
    struct pollfd waits = {.fd = fd, .events = POLLIN};
    while (poll(&waits, 1, patience_ms) > 0) {
        ssize_t size = recv(fd, bytes, sizeof bytes - 1, 0);
        if (size <= 0) break;
        bytes[size] = '\0';
        if (first == 0) {
            assert(strncmp(bytes, "HTTP/1.", 7) == 0);
            first = (unsigned)strtoul(bytes + 9, NULL, 10);
            assert(first != 500);
        }
        patience_ms = PATIENCE_MS;
    }
    return first;
}

static void define(const char *name, const char *definition)
{
    char request[2000];
    int size = snprintf(request, sizeof request,
                        "PUT /v1/cubes/%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                        "application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        name, strlen(definition), definition);
    int fd = send_to_server(request, (size_t)size);
    unsigned status = read_status(fd, 5000);
    assert(status == 201);
    close(fd);
}

static void load(const char *target, const char *facts)
{
    char request[2000];
    int size = snprintf(request, sizeof request,
                        "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
                        "Content-Length: %zu\r\n\r\n%s",
                        target, strlen(facts), facts);
    int fd = send_to_server(request, (size_t)size);
    unsigned status = read_status(fd, 5000);
    assert(status == 200);
    close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    static char folder[] = "/tmp/vcube-fuzz-XXXXXX";
    vc_error error = {0};
    vc_store *store;
    vc_server *server;
    vc_store_options how = {.map_bytes = (size_t)1 << 30};
    if (mkdtemp(folder) == NULL || vc_store_open(folder, &how, &store, &error) != VC_OK) abort();
    vc_server_options options = {.store = store,
                                 .is_quiet = true,
                                 .header_timeout_ms = 300,
                                 .body_timeout_ms = 300,
                                 .idle_timeout_ms = 300,
                                 .limits = {.max_cells = 100000, .max_time_ms = 500}};
    if (vc_server_start(&options, &server, &error) != VC_OK) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    port = vc_server_port(server);
    define("stats", "{\"name\":\"stats\",\"kind\":\"source\",\"dimensions\":[{\"name\":\"geo\","
                    "\"levels\":[{\"name\":\"geo\",\"key\":\"geo\"}]}],\"measures\":[{\"name\":"
                    "\"n\",\"type\":\"int\",\"aggregator\":\"sum\"}]}");
    load("/v1/cubes/stats/load", "geo,n\nFR,1\nDE,2\nJP,3\n");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct linger at_once = {.l_onoff = 1};
    int fd = send_to_server((const char *)data, size);
    (void)read_status(fd, PATIENCE_MS);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    return 0;
}
