/* POST /v1/admin/backup: a store, as a file. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static test_server server;

static void start(void)
{
    fixture_start(&server, "samples/golden", NULL);
}

static void stop(void)
{
    fixture_stop(&server);
}

TestSuite(http_backup, .init = start, .fini = stop, .timeout = 60);

static unsigned count_entries(const char *folder)
{
    unsigned count = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(entries);
    return count;
}

/* Open the body of an answer as a store, and check it; returns its newest snapshot's id. */
static void check_store(const test_answer *answer, char id[48])
{
    char folder[] = "/tmp/vcube-copy-XXXXXX", path[64];
    static const char *const names[] = {"vcube.mdb", "vcube.mdb-lock", "vcube.lock"};
    vc_store *store;
    vc_snapshot *snapshot;
    vc_error error = {0};
    uint64_t nrecords, ndamaged;
    vc_store_options options = {.map_bytes = (size_t)1 << 30, .is_read_only = true};
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/vcube.mdb", folder);
    FILE *file = fopen(path, "w");
    cr_assert_eq(fwrite(answer->body.data, 1, answer->body.size, file), answer->body.size);
    fclose(file);
    cr_assert_eq(vc_store_open(folder, &options, &store, &error), VC_OK, "%s", error.message);
    cr_assert_eq(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), VC_OK, "%s",
                 error.message);
    cr_assert_eq(vc_snapshot_open(store, &snapshot, &error), VC_OK);
    snprintf(id, 48, "%s", vc_snapshot_id(snapshot));
    vc_snapshot_close(snapshot);
    vc_store_close(store);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void back_up(const char *parameters, test_answer *answer)
{
    char target[64];
    snprintf(target, sizeof target, "/v1/admin/backup%s", parameters);
    ask(server.port, "POST", target, NULL, NULL, answer);
}

Test(http_backup, is_a_store)
{
    static const char *const parameters[] = {"", "?verify=true"};
    unsigned nentries = count_entries(server.directory);
    for (size_t i = 0; i < 2; i++) {
        test_answer answer;
        char id[48];
        back_up(parameters[i], &answer);
        cr_assert_eq(answer.status, 200, "%s", answer.body.data);
        cr_assert_str_eq(answer_header(&answer, "Content-Type"), "application/octet-stream");
        cr_assert_str_eq(answer_header(&answer, "Content-Disposition"),
                         "attachment; filename=\"vcube.mdb\"");
        cr_assert_str_eq(answer_header(&answer, "Content-Encoding"), "");
        check_store(&answer, id);
        cr_assert_str_eq(answer_header(&answer, "X-Snapshot"), id);
        answer_release(&answer);
    }
    cr_assert_eq(count_entries(server.directory), nentries, "something is left in the folder");
}

struct reloading {
    atomic_bool is_ending;
    atomic_int nloads;
};

static void *load_on(void *context)
{
    struct reloading *reloading = context;
    while (!atomic_load(&reloading->is_ending)) {
        test_answer answer;
        send_body(server.port, "POST", "/v1/cubes/stats/load?mode=replace", NULL, "text/csv",
                  "country,pop\nFR,1\n", 17, &answer);
        json_decref(json_of(&answer, 200));
        atomic_fetch_add(&reloading->nloads, 1);
    }
    return NULL;
}

/* Copies do not wait for loads, nor loads for copies: were it so, this would not end in its time.
 */
Test(http_backup, while_loads_run)
{
    struct reloading reloading = {0};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, load_on, &reloading), 0);
    for (int i = 0; i < 5 || atomic_load(&reloading.nloads) < 2; i++) {
        test_answer answer;
        char id[48];
        back_up("", &answer);
        cr_assert_eq(answer.status, 200);
        check_store(&answer, id);
        cr_assert_str_eq(answer_header(&answer, "X-Snapshot"), id);
        answer_release(&answer);
    }
    atomic_store(&reloading.is_ending, true);
    pthread_join(thread, NULL);
}

Test(http_backup, refused)
{
    test_answer answer;
    back_up("?verify=perhaps", &answer);
    json_decref(json_of(&answer, 400));
    back_up("?force=true", &answer);
    json_decref(json_of(&answer, 400));
    ask(server.port, "POST", "/v1/admin/backup", "Origin: https://evil.example\r\n", NULL, &answer);
    json_decref(json_of(&answer, 403));
    ask(server.port, "GET", "/v1/admin/backup", NULL, NULL, &answer);
    json_decref(json_of(&answer, 405));
    setenv("VCUBE_MIN_FREE_BYTES", "9000000000000000000", 1);
    back_up("", &answer);
    json_decref(json_of(&answer, 507));
    unsetenv("VCUBE_MIN_FREE_BYTES");
}

/* A client that goes away takes the file with it. */
Test(http_backup, client_goes_away)
{
    static const char request[] =
        "POST /v1/admin/backup HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    for (int i = 0; i < 20; i++) {
        int fd = client_open_narrow(server.port);
        client_send(fd, request, sizeof request - 1);
        close(fd);
    }
    test_answer answer;
    for (int i = 0; i < 100; i++) {
        back_up("", &answer);
        unsigned status = answer.status;
        answer_release(&answer);
        if (status == 200) break;
        cr_assert_eq(status, 503);
        usleep(20000);
    }
}
