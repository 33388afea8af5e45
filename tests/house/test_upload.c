/* Loads over HTTP into `vcube serve`, and what ends the process in the middle of them. */
#include "tests/house/house.h"

#include "storage/store.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TestSuite(upload, .timeout = 120);

static const char question[] = "{\"cube\":\"golden_full\",\"drilldown\":\"country\"}";

typedef struct server {
    pid_t pid;
    unsigned port;
} server;

/* Start the command; it says on standard error where it listens. */
static server start_server(const char *store)
{
    int pipes[2];
    char line[512] = "";
    size_t used = 0;
    server started = {0};
    cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
    started.pid = fork();
    cr_assert_geq(started.pid, 0);
    if (started.pid == 0) {
        dup2(pipes[1], 2);
        execl(house_command(), "vcube", "serve", "-d", store, "--listen", "127.0.0.1:0", NULL);
        _exit(127);
    }
    close(pipes[1]);
    while (strstr(line, "(Ctrl-C") == NULL && used + 1 < sizeof line) {
        ssize_t n = read(pipes[0], line + used, sizeof line - 1 - used);
        cr_assert_gt(n, 0, "the server says: %s", line);
        used += (size_t)n;
        line[used] = '\0';
    }
    close(pipes[0]); /* it says nothing more before it stops */
    const char *at = strstr(line, "127.0.0.1:");
    cr_assert_eq(sscanf(at, "127.0.0.1:%u", &started.port), 1);
    return started;
}

static void end_server(server *running, int signal_number)
{
    int status;
    kill(running->pid, signal_number);
    cr_assert_eq(waitpid(running->pid, &status, 0), running->pid);
}

static int connect_to(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Send as much as it takes within the time; returns whether that was all. */
static bool send_for(int fd, const char *data, size_t size, int ms)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (size > 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        long passed = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
        if (passed >= ms) return false;
        struct pollfd poller = {.fd = fd, .events = POLLOUT};
        if (poll(&poller, 1, (int)(ms - passed)) <= 0) return false;
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) continue;
        if (sent <= 0) return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void put_request(vc_buffer *request, const char *cube, size_t nrows)
{
    vc_buffer rows = {0};
    vc_buffer_put_text(&rows, "country,pop\n");
    for (size_t i = 0; i < nrows; i++)
        vc_buffer_printf(&rows, "%s,1.5\n", i % 2 == 0 ? "FR" : "DE");
    vc_buffer_printf(request,
                     "POST /v1/cubes/%s/load?mode=replace HTTP/1.1\r\nHost: localhost\r\n"
                     "Connection: close\r\nContent-Type: text/csv\r\nContent-Length: %zu\r\n\r\n",
                     cube, rows.size);
    vc_buffer_put(request, rows.data, rows.size);
    vc_buffer_release(&rows);
}

static int read_status(int fd)
{
    char head[4096];
    size_t used = 0;
    ssize_t n;
    while (used + 1 < sizeof head && (n = recv(fd, head + used, sizeof head - 1 - used, 0)) > 0)
        used += (size_t)n;
    head[used] = '\0';
    int status = 0;
    sscanf(head, "HTTP/1.1 %d", &status);
    return status;
}

static void check_whole(const char *directory)
{
    vc_store *store;
    vc_error error = {0};
    uint64_t nrecords, ndamaged;
    vc_store_options options = {.is_read_only = true};
    cr_assert_eq(vc_store_open(directory, &options, &store, &error), VC_OK, "%s", error.message);
    cr_assert_eq(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), VC_OK, "%s",
                 error.message);
    vc_store_close(store);
}

static void copy_store(char root[HOUSE_PATH], char store[HOUSE_PATH])
{
    char from[HOUSE_PATH];
    house_make_folder(root);
    house_path(store, root, "store");
    house_store("samples/golden", from);
    house_copy_folder(from, store);
}

/* Killed while the body comes, while it is read, while it is published: the store is as it was
 * before, or, when the load was done, as it is after it. */
Test(upload, killed_in_the_middle)
{
    char root[HOUSE_PATH], store[HOUSE_PATH];
    struct house_reply before, after, now;
    vc_buffer request = {0};
    int nbefore = 0;
    if (house_command() == NULL) cr_skip_test("the command is not built");
    copy_store(root, store);
    house_ask_library(store, question, &before);
    put_request(&request, "stats", 2000000);
    server running = start_server(store);
    int fd = connect_to(running.port);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    cr_assert(send_for(fd, request.data, request.size, 60000));
    cr_assert_eq(read_status(fd), 200);
    clock_gettime(CLOCK_MONOTONIC, &end);
    close(fd);
    end_server(&running, SIGTERM);
    int whole_ms =
        (int)((end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000);
    house_ask_library(store, question, &after);
    cr_assert_str_neq(before.text.data, after.text.data);
    house_remove_folder(root);
    copy_store(root, store);
    for (int i = 0; i < 12; i++) {
        running = start_server(store);
        fd = connect_to(running.port);
        int ms = whole_ms * (i + 1) / 11;
        struct timespec pause = {.tv_nsec = 1000000};
        bool is_sent = send_for(fd, request.data, request.size, ms);
        for (int waited = 0; is_sent && waited < ms * i / 24; waited++)
            nanosleep(&pause, NULL);
        end_server(&running, SIGKILL);
        close(fd);
        check_whole(store);
        house_ask_library(store, question, &now);
        cr_assert_eq(now.code, VC_OK, "%s", now.error.message);
        bool is_before = strcmp(strstr(now.text.data, "\"summary\""),
                                strstr(before.text.data, "\"summary\"")) == 0;
        bool is_after = strcmp(strstr(now.text.data, "\"summary\""),
                               strstr(after.text.data, "\"summary\"")) == 0;
        cr_assert(is_before || is_after, "%s", now.text.data);
        nbefore += is_before;
        house_reply_release(&now);
        if (!is_after) continue;
        house_remove_folder(root);
        copy_store(root, store);
    }
    cr_assert_gt(nbefore, 0);
    /* and it can be loaded as if nothing had been */
    running = start_server(store);
    fd = connect_to(running.port);
    cr_assert(send_for(fd, request.data, request.size, 60000));
    cr_assert_eq(read_status(fd), 200);
    close(fd);
    end_server(&running, SIGTERM);
    house_reply_release(&before);
    house_reply_release(&after);
    vc_buffer_release(&request);
    house_remove_folder(root);
}

/* A server that is asked to stop ends within its grace, whatever is loaded, and loads nothing. */
Test(upload, stopped_in_the_middle)
{
    char root[HOUSE_PATH], store[HOUSE_PATH];
    struct house_reply before, now;
    vc_buffer request = {0};
    if (house_command() == NULL) cr_skip_test("the command is not built");
    copy_store(root, store);
    house_ask_library(store, question, &before);
    put_request(&request, "stats", 1000000);
    server running = start_server(store);
    int fd = connect_to(running.port);
    cr_assert(send_for(fd, request.data, request.size / 2, 20000));
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    end_server(&running, SIGTERM);
    clock_gettime(CLOCK_MONOTONIC, &end);
    cr_assert_lt(end.tv_sec - start.tv_sec, 15);
    close(fd);
    house_ask_library(store, question, &now);
    cr_assert_str_eq(now.text.data, before.text.data);
    house_reply_release(&before);
    house_reply_release(&now);
    vc_buffer_release(&request);
    house_remove_folder(root);
}

/* A file system of 8 MiB: the body does not fit, or it fits and what is made of it does not. */
Test(upload, a_disk_that_fills_leaves_the_store_as_it_was)
{
    char root[HOUSE_PATH], store[HOUSE_PATH];
    struct house_reply before, now;
    vc_buffer request = {0};
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_make_folder(root);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("vcube-house", root, "tmpfs", 0, "size=8m") != 0) {
        house_remove_folder(root);
        cr_skip_test("cannot mount a small file system");
    }
    char from[HOUSE_PATH];
    house_path(store, root, "store");
    house_store("samples/golden", from);
    house_copy_folder(from, store);
    house_ask_library(store, question, &before);
    setenv("VCUBE_MIN_FREE_BYTES", "0", 1);
    server running = start_server(store);
    put_request(&request, "stats", 2000000); /* 14 MB */
    int fd = connect_to(running.port);
    (void)send_for(fd, request.data, request.size, 20000);
    cr_assert_eq(read_status(fd), 507);
    close(fd);
    vc_buffer_clear(&request);
    put_request(&request, "stats", 4);
    fd = connect_to(running.port);
    cr_assert(send_for(fd, request.data, request.size, 20000));
    cr_assert_eq(read_status(fd), 200, "the room that the body took is free again");
    close(fd);
    end_server(&running, SIGTERM);
    check_whole(store);
    house_ask_library(store, question, &now);
    cr_assert_str_neq(now.text.data, before.text.data);
    house_reply_release(&before);
    house_reply_release(&now);
    vc_buffer_release(&request);
    cr_assert_eq(umount(root), 0);
    house_remove_folder(root);
}
