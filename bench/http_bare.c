/* How fast can a handler of libmicrohttpd be that does nothing but answer?
 *
 * Serves the same bytes to everyone on 127.0.0.1, with the headers that it is given, in the same
 * way as vcube serve does: epoll in as many threads, the same memory per connection. The response
 * is made once and shared by all replies, which a server that answers different questions cannot
 * do. Prints where; ends with its standard input.
 *
 *     build/bench/http_bare [--tls CERT KEY] BODY-FILE [NAME VALUE]...
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECTION_BYTES = 32 * 1024, MAX_THREADS = 4 };

static enum MHD_Result answer(void *response, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **context)
{
    static int seen;
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_size;
    if (*context == NULL) { /* the headers only: a reply to these would end the connection */
        *context = &seen;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static size_t read_file(const char *path, char *bytes, size_t capacity)
{
    FILE *file = path != NULL ? fopen(path, "rb") : NULL;
    if (file == NULL) fail("usage: http_bare [--tls CERT KEY] BODY-FILE [NAME VALUE]...");
    size_t size = fread(bytes, 1, capacity, file);
    fclose(file);
    return size;
}

static struct MHD_Response *make_response(int argc, char **argv)
{
    static char body[1 << 20];
    size_t size = read_file(argc > 1 ? argv[1] : NULL, body, sizeof body);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, body, MHD_RESPMEM_PERSISTENT);
    for (int i = 2; i + 1 < argc && response != NULL; i += 2)
        if (MHD_add_response_header(response, argv[i], argv[i + 1]) != MHD_YES) fail(argv[i]);
    return response;
}

int main(int argc, char **argv)
{
    static char certificate[1 << 16], key[1 << 16]; /* end with the NUL that they had */
    bool is_tls = argc > 3 && strcmp(argv[1], "--tls") == 0;
    if (is_tls) {
        read_file(argv[2], certificate, sizeof certificate - 1);
        read_file(argv[3], key, sizeof key - 1);
        argc -= 3;
        argv += 3;
    }
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL}};
    struct MHD_Response *response = make_response(argc, argv);
    if (response == NULL) fail("out of memory");
    long nprocessors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned nthreads = nprocessors < 2             ? 2
                        : nprocessors > MAX_THREADS ? MAX_THREADS
                                                    : (unsigned)nprocessors;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | (is_tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
                         answer, response,                                             /* */
                         MHD_OPTION_SOCK_ADDR, &address,                               /* */
                         MHD_OPTION_THREAD_POOL_SIZE, nthreads,                        /* */
                         MHD_OPTION_CONNECTION_LIMIT, 512u,                            /* */
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, /* */
                         MHD_OPTION_ARRAY, is_tls ? tls : tls + 3,                     /* */
                         MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        daemon != NULL ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (info == NULL) fail("libmicrohttpd does not start");
    printf("serving at http%s://127.0.0.1:%u/\n", is_tls ? "s" : "", (unsigned)info->port);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    return 0;
}
