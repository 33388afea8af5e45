/* The command beside tokens, roles, a configuration and signals, as an operator uses them. */
#include "tests/house/house.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[HOUSE_PATH], store[HOUSE_PATH];

static void start(void)
{
    house_make_folder(folder);
    house_store("samples/golden", store);
}

static void stop(void)
{
    house_remove_folder(folder);
}

TestSuite(secured, .init = start, .fini = stop, .timeout = 60);

/* ---- the command ---- */

static int run(const char *const *arguments, char *out, size_t capacity)
{
    struct house_run ran;
    house_run(arguments, folder, NULL, &ran);
    if (out != NULL) snprintf(out, capacity, "%s", vc_buffer_text(&ran.out));
    int code = ran.code;
    house_run_release(&ran);
    return code;
}

static void make_token(const char *role, char token[128])
{
    const char *const arguments[] = {"token",  "create", "-q",     "--tokens", "tokens.json",
                                     "--role", role,     "--name", "test",     NULL};
    cr_assert_eq(run(arguments, token, 128), 0);
    token[strcspn(token, "\n")] = '\0';
}

static void revoke_token(const char *token)
{
    char id[17];
    snprintf(id, sizeof id, "%.16s", token + 4);
    const char *const arguments[] = {"token", "revoke", "-q", "--tokens", "tokens.json", id, NULL};
    cr_assert_eq(run(arguments, NULL, 0), 0);
}

static void write_file(const char *name, const char *text)
{
    char path[HOUSE_PATH];
    house_path(path, folder, name);
    house_write(path, text, strlen(text));
    cr_assert_eq(chmod(path, 0644), 0);
}

static void write_config(const char *role, const char *more)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{\"store\": \"%s\", \"listen\": \"127.0.0.1:0\",\n"
             " \"roles\": {\"view\": {\"may\": [%s], \"cubes\": {\"*\": {}}}},\n"
             " \"tokens\": \"tokens.json\", \"log\": {\"file\": \"log\"}%s}",
             store, role, more);
    write_file("vcube.json", text);
}

Test(secured, tokens_are_made_listed_and_revoked)
{
    char token[128], out[4096];
    make_token("view", token);
    cr_assert_eq(strlen(token), 64);
    const char *const list[] = {"token", "list", "--json", "--tokens", "tokens.json", NULL};
    cr_assert_eq(run(list, out, sizeof out), 0);
    json_t *json = json_loads(out, 0, NULL);
    json_t *first = json_array_get(json_object_get(json, "tokens"), 0);
    cr_assert_not_null(first, "%s", out);
    cr_expect_eq(strncmp(json_string_value(json_object_get(first, "id")), token + 4, 16), 0);
    cr_expect_str_eq(json_string_value(json_object_get(first, "state")), "valid");
    cr_expect_null(strstr(out, token + 21), "the secret");
    json_decref(json);
    revoke_token(token);
    revoke_token(token);
    cr_assert_eq(run(list, out, sizeof out), 0);
    cr_expect_not_null(strstr(out, "\"state\":\"revoked\""));
    const char *const table[] = {"token", "list", "--tokens", "tokens.json", NULL};
    cr_assert_eq(run(table, out, sizeof out), 0);
    cr_expect_not_null(strstr(out, "revoked"));
}

/* By the configuration: the file that it names, and roles that it has. */
Test(secured, tokens_of_a_configuration)
{
    char path[HOUSE_PATH];
    const char *arguments[] = {"token",  "create", "-q",     "--config", "vcube.json",
                               "--role", "veiw",   "--name", "test",     NULL};
    write_config("\"read\"", "");
    cr_expect_eq(run(arguments, NULL, 0), 1);
    house_path(path, folder, "tokens.json");
    cr_expect(!house_exists(path));
    arguments[6] = "view";
    cr_expect_eq(run(arguments, NULL, 0), 0);
    cr_expect(house_exists(path));
    const char *const list[] = {"token", "list", "--config", "vcube.json", NULL};
    cr_expect_eq(run(list, NULL, 0), 0);
    write_file("vcube.json", "{}");
    unsetenv("VCUBE_TOKENS");
    cr_expect_eq(run(list, NULL, 0), 2);
}

Test(secured, wrong_commands)
{
    static const struct {
        const char *arguments[12];
        int code;
    } cases[] = {
        {{"token"}, 2},
        {{"token", "creat", "--tokens", "t"}, 2},
        {{"token", "create", "--tokens", "t", "--role", "a"}, 2},
        {{"token", "create", "--tokens", "t", "--role", "a", "--name", "a b"}, 1},
        {{"token", "create", "--tokens", "t", "--role", "a", "--name", "b", "--expires", "90"}, 2},
        {{"token", "create", "--tokens", "t", "--role", "a", "--name", "b", "--expires", "-1d"}, 2},
        {{"token", "create", "--tokens", "t", "--role", "a", "--name", "b", "--expires", "999y"},
         2},
        {{"token", "create", "x", "--tokens", "t", "--role", "a", "--name", "b"}, 2},
        {{"token", "create", "--tokens", "no/where", "--role", "a", "--name", "b"}, 1},
        {{"token", "list", "--tokens", "nowhere"}, 1},
        {{"token", "revoke", "--tokens", "nowhere"}, 2},
        {{"token", "revoke", "--tokens", "nowhere", "0123456789abcdef"}, 1},
        {{"serve", "--config", "nowhere", "--check"}, 1},
        {{"serve", "--listen", "0.0.0.0:0", "--check"}, 1},
        {{"serve", "--tokens", "tokens.json", "--check"}, 1},
        {{"serve", "--tls-cert", "c", "--check"}, 1},
        {{"serve", "--slow-ms", "0", "--check"}, 2},
        {{"serve", "--listen", "0.0.0.0:0", "--insecure-listen", "--check"}, 0},
        {{"serve", "--check"}, 0},
    };
    unsetenv("VCUBE_TOKENS");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(run(cases[i].arguments, NULL, 0), cases[i].code, "%zu: %s %s", i,
                     cases[i].arguments[0], cases[i].arguments[1]);
    char path[HOUSE_PATH];
    house_path(path, folder, "t");
    cr_expect(!house_exists(path), "nothing is made by what failed");
}

/* ---- a server ---- */

struct server {
    pid_t pid;
    uint16_t port;
};

static struct server serve(void)
{
    struct server server;
    char line[1024] = "";
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    server.pid = fork();
    cr_assert_geq(server.pid, 0);
    if (server.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no server */
        char config[HOUSE_PATH];
        house_path(config, folder, "vcube.json");
        dup2(ends[1], STDERR_FILENO);
        execl(house_command(), "vcube", "serve", "--config", config, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    size_t size = 0;
    const char *at = NULL;
    while (size < sizeof line - 1 && at == NULL) {
        ssize_t got = read(ends[0], line + size, sizeof line - 1 - size);
        cr_assert_gt(got, 0, "it did not start: %s", line);
        size += (size_t)got;
        line[size] = '\0';
        at = strstr(line, "(Ctrl-C");
    }
    at = strstr(line, "127.0.0.1:");
    cr_assert_not_null(at, "%s", line);
    server.port = (uint16_t)atoi(at + strlen("127.0.0.1:"));
    close(ends[0]);
    return server;
}

static void end(struct server server)
{
    int status;
    cr_assert_eq(kill(server.pid, SIGTERM), 0);
    cr_assert_eq(waitpid(server.pid, &status, 0), server.pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ended with %d", status);
}

/* The status; 0: no answer. */
static int ask(uint16_t port, const char *target, const char *token)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[1024];
    int status = 0, client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int size = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        "Authorization: Bearer %s\r\n\r\n",
                        target, token);
    if (connect(client, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(client, text, (size_t)size, MSG_NOSIGNAL) == size) {
        ssize_t got = recv(client, text, sizeof text - 1, MSG_WAITALL);
        text[got > 0 ? got : 0] = '\0';
        sscanf(text, "HTTP/1.1 %d", &status);
    }
    close(client);
    return status;
}

/* Until the log says so. */
static void await_log(const char *words)
{
    char path[HOUSE_PATH];
    house_path(path, folder, "log");
    for (int i = 0; i < 500; i++, usleep(10000)) {
        vc_buffer text = {0};
        if (!house_exists(path)) continue;
        house_read(path, &text);
        bool is_there = strstr(vc_buffer_text(&text), words) != NULL;
        vc_buffer_release(&text);
        if (is_there) return;
    }
    cr_assert_fail("the log does not say '%s'", words);
}

static void reload(struct server server, const char *words)
{
    char path[HOUSE_PATH];
    house_path(path, folder, "log");
    (void)unlink(path); /* as if it was moved away: a reload begins it anew */
    cr_assert_eq(kill(server.pid, SIGHUP), 0);
    await_log(words);
}

Test(secured, a_reload_takes_up_what_changed)
{
    char token[128];
    make_token("view", token);
    write_config("\"read\"", "");
    struct server server = serve();
    cr_expect_eq(ask(server.port, "/v1/cubes", token), 200);
    cr_expect_eq(ask(server.port, "/metrics", token), 403);
    cr_expect_eq(ask(server.port, "/v1/cubes", "x"), 401);
    write_config("\"metrics\"", "");
    cr_expect_eq(ask(server.port, "/metrics", token), 403, "not before it is told to");
    reload(server, "reloaded");
    cr_expect_eq(ask(server.port, "/v1/cubes", token), 403);
    cr_expect_eq(ask(server.port, "/metrics", token), 200);
    /* What is wrong leaves all as it is. */
    write_config("\"raed\"", "");
    reload(server, "all stays as it was");
    cr_expect_eq(ask(server.port, "/metrics", token), 200);
    write_file("vcube.json", "{");
    reload(server, "all stays as it was");
    cr_expect_eq(ask(server.port, "/metrics", token), 200);
    /* What takes a restart is told. */
    write_config("\"read\"", ", \"limits\": {\"workers\": 7}");
    reload(server, "limits.workers");
    cr_expect_eq(ask(server.port, "/v1/cubes", token), 200);
    /* A token goes at once, without a reload. */
    revoke_token(token);
    int waited_ms = 0;
    for (; ask(server.port, "/v1/cubes", token) == 200 && waited_ms < 5000; waited_ms += 20)
        usleep(20000);
    cr_expect_lt(waited_ms, 2500);
    end(server);
}

struct asking {
    uint16_t port;
    const char *token;
    atomic_bool *ends;
    unsigned nasked, nfailed;
};

static void *ask_on(void *context)
{
    struct asking *a = context;
    while (!atomic_load(a->ends)) {
        a->nasked++;
        a->nfailed += ask(a->port, "/v1/cubes/golden_full", a->token) != 200;
    }
    return NULL;
}

Test(secured, reloads_lose_no_request)
{
    enum { NCLIENTS = 4, NRELOADS = 30 };
    char token[128];
    pthread_t threads[NCLIENTS];
    struct asking askings[NCLIENTS];
    atomic_bool ends = false;
    make_token("view", token);
    write_config("\"read\"", "");
    struct server server = serve();
    for (int i = 0; i < NCLIENTS; i++) {
        askings[i] = (struct asking){.port = server.port, .token = token, .ends = &ends};
        pthread_create(&threads[i], NULL, ask_on, &askings[i]);
    }
    for (int i = 0; i < NRELOADS; i++) {
        write_config(i % 2 == 0 ? "\"read\", \"metrics\"" : "\"read\"", "");
        cr_assert_eq(kill(server.pid, i % 5 == 4 ? SIGPIPE : SIGHUP), 0);
        usleep(20000);
    }
    atomic_store(&ends, true);
    unsigned nasked = 0;
    for (int i = 0; i < NCLIENTS; i++) {
        pthread_join(threads[i], NULL);
        nasked += askings[i].nasked;
        cr_expect_eq(askings[i].nfailed, 0, "%u of %u", askings[i].nfailed, askings[i].nasked);
    }
    cr_expect_gt(nasked, NRELOADS / 3);
    end(server);
}

Test(secured, a_process_with_secrets_keeps_them)
{
    char token[128], path[64];
    struct stat about;
    make_token("view", token);
    write_config("\"read\"", "");
    struct server server = serve();
    snprintf(path, sizeof path, "/proc/%d/mem", (int)server.pid);
    cr_assert_eq(stat(path, &about), 0);
    snprintf(path, sizeof path, "/proc/%d/limits", (int)server.pid);
    vc_buffer limits = {0};
    house_read(path, &limits);
    const char *core = strstr(vc_buffer_text(&limits), "Max core file size");
    cr_assert_not_null(core);
    cr_expect_eq(strtoul(core + strlen("Max core file size"), NULL, 10), 0, "%.60s", core);
    vc_buffer_release(&limits);
    end(server);
}

/* Without any of these files a hangup is the end, as of any program whose terminal is closed. */
Test(secured, a_hangup_without_files)
{
    int status;
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(house_command(), "vcube", "serve", "-q", "-d", store, "--listen", "127.0.0.1:0",
              (char *)NULL);
        _exit(127);
    }
    usleep(1000000);
    cr_assert_eq(kill(pid, SIGHUP), 0);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
}

Test(secured, root_is_refused_where_it_is_told_to_be)
{
    char out[256];
    if (geteuid() != 0) cr_skip_test("not root");
    write_config("\"read\"", ", \"refuse_root\": true");
    char token[128];
    make_token("view", token);
    const char *const arguments[] = {"serve", "--config", "vcube.json", NULL};
    cr_expect_eq(run(arguments, out, sizeof out), 1);
}
