/* The command `compact`, beside a server that goes on answering. */
#include "http/server.h"
#include "tests/house/house.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(compact, .timeout = 60);

static void run(struct house_run *result, const char *const *arguments, const char *folder)
{
    house_run(arguments, folder, NULL, result);
    cr_assert_eq(result->code, 0, "%s: %s", arguments[0], vc_buffer_text(&result->complaint));
}

static void write_part(const char *folder, const char *rows)
{
    static const char definition[] =
        "{\"name\":\"sales\",\"kind\":\"source\",\"data\":{\"csv\":\"sales.csv\"},"
        "\"dimensions\":[{\"name\":\"place\",\"levels\":[\"land\",\"town\"]}],"
        "\"measures\":[{\"name\":\"n\",\"aggregator\":\"sum\",\"type\":\"int\"}]}";
    char path[HOUSE_PATH];
    vc_buffer text = {0};
    vc_buffer_printf(&text, "land,town,n\n%s", rows);
    house_path(path, folder, "sales.csv");
    house_write(path, text.data, text.size);
    house_path(path, folder, "sales.json");
    house_write(path, definition, strlen(definition));
    vc_buffer_release(&text);
}

/* The body of an answer; keeps what it says of its snapshot. */
static void get(uint16_t port, vc_buffer *body, char snapshot[64])
{
    char request[300], piece[4096];
    vc_buffer received = {0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    snprintf(request, sizeof request,
             "GET /v1/cubes/sales/aggregate?drilldown=place:town&measures=n&format=csv HTTP/1.1\r\n"
             "Host: 127.0.0.1:%u\r\nConnection: close\r\n\r\n",
             port);
    cr_assert_eq(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0;)
        vc_buffer_put(&received, piece, (size_t)n);
    close(fd);
    vc_buffer_text(&received);
    cr_assert_eq(strncmp(received.data, "HTTP/1.1 200", 12), 0, "%s", received.data);
    const char *head = strcasestr(received.data, "\r\nX-Snapshot: ");
    cr_assert_not_null(head, "%s", received.data);
    cr_assert_eq(sscanf(head + 14, "%63s", snapshot), 1);
    vc_buffer_put_text(body, strstr(received.data, "\r\n\r\n") + 4);
    vc_buffer_text(body);
    vc_buffer_release(&received);
}

Test(compact, while_a_server_answers)
{
    char root[HOUSE_PATH], store_path[HOUSE_PATH], before_id[64], after_id[64];
    struct house_run result;
    vc_error error = {0};
    vc_store *store;
    vc_server *server;
    vc_store_options store_options = {.is_read_only = true};
    vc_buffer before = {0}, after = {0};
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_make_folder(root);
    house_path(store_path, root, "store");
    write_part(root, "X,p,1\nY,q,2\n");
    run(&result, (const char *[]){"load", "-d", "store", "sales.json", NULL}, root);
    house_run_release(&result);
    write_part(root, "X,r,4\nA,s,8\n");
    run(&result, (const char *[]){"load", "-d", "store", "--append", "sales.json", NULL}, root);
    house_run_release(&result);

    cr_assert_eq(vc_store_open(store_path, &store_options, &store, &error), VC_OK, "%s",
                 error.message);
    vc_server_options options = {.store = store, .nworkers = 2, .is_quiet = true};
    cr_assert_eq(vc_server_start(&options, &server, &error), VC_OK, "%s", error.message);
    get(vc_server_port(server), &before, before_id);
    run(&result, (const char *[]){"compact", "-d", "store", NULL}, root);
    cr_assert_not_null(strstr(vc_buffer_text(&result.out), "2 -> 1"), "%s",
                       vc_buffer_text(&result.out));
    house_run_release(&result);
    get(vc_server_port(server), &after, after_id);
    cr_assert_str_neq(before_id, after_id);
    cr_assert_str_eq(before.data, after.data);
    cr_assert_not_null(strstr(after.data, "s,s,8"), "%s", after.data);
    run(&result, (const char *[]){"compact", "-d", "store", "sales", NULL}, root);
    cr_assert_not_null(strstr(vc_buffer_text(&result.complaint), "nothing to be gained"));
    house_run_release(&result);
    vc_server_stop(server);
    vc_store_close(store);
    vc_buffer_release(&before);
    vc_buffer_release(&after);
    house_remove_folder(root);
}

Test(compact, a_store_without_cubes)
{
    char root[HOUSE_PATH], store_path[HOUSE_PATH];
    struct house_run result;
    vc_error error = {0};
    vc_store *store;
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_make_folder(root);
    house_path(store_path, root, "store");
    cr_assert_eq(vc_store_open(store_path, NULL, &store, &error), VC_OK, "%s", error.message);
    vc_store_close(store);
    run(&result, (const char *[]){"compact", "-d", "store", NULL}, root);
    cr_assert_eq(result.out.size, 0, "%s", vc_buffer_text(&result.out));
    cr_assert_not_null(strstr(vc_buffer_text(&result.complaint), "has no cubes yet"));
    house_run_release(&result);
    house_remove_folder(root);
}
