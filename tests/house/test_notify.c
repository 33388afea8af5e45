/* The server beside a service manager: what systemd would hear from it. */
#include "tests/house/house.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* A socket as systemd would have it; `name` is what $NOTIFY_SOCKET says. */
static int bind_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 20};
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_lt(strlen(name), sizeof address.sun_path);
    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@') address.sun_path[0] = '\0';
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

/* The next message that begins with `expected`; those before it are passed over. */
static void await(int fd, const char *expected, char message[600])
{
    for (;;) {
        ssize_t size = recv(fd, message, 599, 0);
        cr_assert_gt(size, 0, "nothing came that begins with %s", expected);
        message[size] = '\0';
        if (strncmp(message, expected, strlen(expected)) == 0) return;
    }
}

static pid_t start_server(const char *store, const char *socket_name, const char *watchdog_us)
{
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no server */
        setenv("NOTIFY_SOCKET", socket_name, 1);
        if (watchdog_us != NULL) setenv("WATCHDOG_USEC", watchdog_us, 1);
        execl(house_command(), "vcube", "serve", "-q", "-d", store, "--listen", "127.0.0.1:0",
              (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void stop_server(pid_t pid, int fd)
{
    char message[600];
    int status;
    cr_assert_eq(kill(pid, SIGTERM), 0);
    await(fd, "STOPPING=1\nSTATUS=", message);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "stopped with status %d", status);
}

static void serve_and_listen(const char *socket_name)
{
    char store[HOUSE_PATH], message[600];
    house_store("samples/golden", store);
    int fd = bind_socket(socket_name);
    pid_t pid = start_server(store, socket_name, NULL);
    await(fd, "READY=1\nSTATUS=serving ", message);
    cr_assert_not_null(strstr(message, " at http://127.0.0.1:"), "%s", message);
    stop_server(pid, fd);
    close(fd);
}

Test(notify, tells_when_it_is_ready_and_when_it_stops)
{
    char folder[HOUSE_PATH], name[HOUSE_PATH];
    house_make_folder(folder);
    house_path(name, folder, "n");
    serve_and_listen(name);
    house_remove_folder(folder);
}

Test(notify, knows_sockets_of_the_abstract_name_space)
{
    char name[64];
    snprintf(name, sizeof name, "@vcube-test-%d", (int)getpid());
    serve_and_listen(name);
}

Test(notify, says_that_it_is_alive_as_often_as_is_awaited)
{
    char name[64], store[HOUSE_PATH], message[600];
    snprintf(name, sizeof name, "@vcube-watch-%d", (int)getpid());
    house_store("samples/golden", store);
    int fd = bind_socket(name);
    pid_t pid = start_server(store, name, "60000");
    await(fd, "READY=1\n", message);
    for (int i = 0; i < 3; i++)
        await(fd, "WATCHDOG=1", message);
    stop_server(pid, fd);
    close(fd);
}

Test(notify, tells_of_a_reload_when_it_begins_and_when_it_is_over)
{
    char name[64], store[HOUSE_PATH], folder[HOUSE_PATH], config[HOUSE_PATH], message[600];
    vc_buffer text = {0};
    snprintf(name, sizeof name, "@vcube-reload-%d", (int)getpid());
    house_store("samples/golden", store);
    house_make_folder(folder);
    house_path(config, folder, "vcube.json");
    vc_buffer_printf(&text, "{\"store\": \"%s\", \"listen\": \"127.0.0.1:0\"}", store);
    house_write(config, text.data, text.size);
    int fd = bind_socket(name);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setenv("NOTIFY_SOCKET", name, 1);
        execl(house_command(), "vcube", "serve", "-q", "--config", config, (char *)NULL);
        _exit(127);
    }
    await(fd, "READY=1\nSTATUS=serving ", message);
    for (int i = 0; i < 2; i++) { /* the second is of a file that is wrong */
        kill(pid, SIGHUP);
        await(fd, "RELOADING=1\nMONOTONIC_USEC=", message);
        cr_expect_gt(strtoull(message + strlen("RELOADING=1\nMONOTONIC_USEC="), NULL, 10), 0);
        await(fd, "READY=1", message);
        house_write(config, "{", 1);
    }
    stop_server(pid, fd);
    close(fd);
    vc_buffer_release(&text);
    house_remove_folder(folder);
}

Test(notify, serves_where_the_socket_is_not_there)
{
    char store[HOUSE_PATH], line[600] = "";
    int status, says[2];
    house_store("samples/golden", store);
    cr_assert_eq(pipe(says), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no server */
        dup2(says[1], 2);
        setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
        execl(house_command(), "vcube", "serve", "-d", store, "--listen", "127.0.0.1:0",
              (char *)NULL);
        _exit(127);
    }
    close(says[1]);
    FILE *lines = fdopen(says[0], "r");
    while (strncmp(line, "serving ", 8) != 0)
        cr_assert_not_null(fgets(line, sizeof line, lines), "it does not serve");
    kill(pid, SIGTERM);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    fclose(lines);
}
