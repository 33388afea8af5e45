/* The log: each line is one JSON object whatever was asked, and shows no secret. */
#include "access.h"
#include "fixture.h"
#include "http/log.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static test_access files;
static char path[128];

static void start(void)
{
    access_start(&files, NULL);
    snprintf(path, sizeof path, "%s/log", files.directory);
}

static void stop(void)
{
    access_stop(&files);
}

TestSuite(log, .init = start, .fini = stop, .timeout = 60);

/* Every line must parse, and have only printable bytes. */
static json_t *read_log(const char *from)
{
    json_t *lines = json_array();
    static char line[65536];
    FILE *file = fopen(from, "r");
    cr_assert_not_null(file, "%s", from);
    while (fgets(line, sizeof line, file) != NULL) {
        json_error_t problem;
        json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, &problem);
        cr_assert_not_null(json, "%s: %s", problem.text, line);
        json_array_append_new(lines, json);
        for (size_t i = 0; line[i] != '\0' && line[i] != '\n'; i++)
            cr_expect(line[i] >= 0x20 || (unsigned char)line[i] >= 0x80, "%s", line);
    }
    fclose(file);
    return lines;
}

static const char *const nasty[] = {
    "a\r\n{\"status\":200}",
    "\x1b[31mred\x1b[0m",
    "\"},{\"x\":\"",
    "\\\"\\",
    "\xff\xfe\x80",
    "\xc2\x9b"
    "31m",
    "\xe2\x80",
    "\xed\xa0\x80",
    "\x7f\x08\x07",
    "vct_0123456789abcdef_AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKK",
    "",
};

enum { NNASTY = sizeof nasty / sizeof nasty[0] };

Test(log, every_field_of_every_line)
{
    vc_log log = {0};
    vc_error error = {0};
    char text[5000];
    vc_log_init(&log);
    cr_assert_eq(vc_log_open(&log, path, &error), VC_OK, "%s", error.message);
    for (size_t i = 0; i < NNASTY; i++) {
        vc_logged logged = {.request_id = nasty[i],
                            .method = "GET",
                            .target = nasty[i],
                            .snapshot = "",
                            .token_id = "",
                            .is_whole = true};
        vc_log_request(&log, &logged);
        vc_logged_slow slow = {.request_id = nasty[i],
                               .route = "/v1/query",
                               .cube = vc_str_of(nasty[i]),
                               .query = vc_str_of(nasty[i]),
                               .token_id = ""};
        vc_log_slow(&log, &slow);
        vc_log_say(&log, "%s", nasty[i]);
        /* Cut in the middle of whatever it is. */
        for (size_t before = 1980; before < 2005; before++) {
            memset(text, 'x', before);
            snprintf(text + before, sizeof text - before, "%s%s", nasty[i], nasty[i]);
            slow.query = vc_str_of(text);
            vc_log_slow(&log, &slow);
            vc_log_say(&log, "%s", text);
            logged.target = text + 1000;
            vc_log_request(&log, &logged);
        }
    }
    vc_log_release(&log);
    json_t *lines = read_log(path);
    cr_expect_eq(json_array_size(lines), NNASTY * (3 + 3 * 25));
    char *all = json_dumps(lines, 0);
    cr_expect_null(strstr(all, "AAAABBBB"), "a secret");
    cr_expect_null(strstr(all, "\\u001b"));
    cr_expect_null(strstr(all, "\xc2\x9b"));
    free(all);
    json_decref(lines);
}

#define SECRET "vct_0123456789abcdef_AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKK"

/* A request is noted when it is over, which its client may learn before. */
static void wait_for_lines(size_t nlines)
{
    for (int i = 0; i < 1000; i++) {
        json_t *lines = read_log(path);
        size_t count = json_array_size(lines);
        json_decref(lines);
        if (count >= nlines) return;
        usleep(10000);
    }
    cr_assert_fail("there are no %zu lines", nlines);
}

Test(log, of_a_server)
{
    test_server server;
    test_answer answer;
    char second[160];
    vc_error error = {0};
    vc_server_options options = {.log_file = path, .logs_requests = true, .slow_ms = 1};
    fixture_start(&server, "samples/golden", &options);
    ask(server.port, "GET", "/v1/cubes?token=" SECRET, NULL, NULL, &answer);
    answer_release(&answer);
    ask(server.port, "GET", "/v1/cubes/%1b%5b31m", "X-Request-Id: " SECRET "\r\n", NULL, &answer);
    answer_release(&answer);
    ask(server.port, "GET", "/v1/cubes/" SECRET, "Authorization: Bearer " SECRET "\r\n", NULL,
        &answer);
    answer_release(&answer);
    wait_for_lines(3);
    /* Moved away: from the reload on a new file has the name. */
    snprintf(second, sizeof second, "%s.1", path);
    cr_assert_eq(rename(path, second), 0);
    cr_assert_eq(vc_server_reload(server.server, &options, &error), VC_OK, "%s", error.message);
    ask(server.port, "GET", "/healthz", NULL, NULL, &answer);
    answer_release(&answer);
    const vc_server_options nowhere = {.log_file = "/nowhere/log", .logs_requests = true};
    cr_expect_eq(vc_server_reload(server.server, &nowhere, &error), VC_STORAGE);
    cr_expect_str_eq(error.code, "log_file");
    ask(server.port, "GET", "/readyz", NULL, NULL, &answer);
    answer_release(&answer);
    fixture_stop(&server);
    json_t *before = read_log(second), *after = read_log(path);
    cr_expect_geq(json_array_size(before), 3);
    cr_expect_eq(json_array_size(after), 2, "as it was");
    char *all = json_dumps(before, 0);
    cr_expect_null(strstr(all, "AAAABBBB"), "%s", all);
    free(all);
    json_decref(before);
    json_decref(after);
    struct stat about;
    cr_assert_eq(stat(path, &about), 0);
    cr_expect_eq(about.st_mode & 07, 0);
}

Test(log, slow_requests)
{
    static const char body[] = "{\"cube\":\"golden_full\",\"drilldown\":\"country\","
                               "\"measures\":[\"pop\"]}";
    test_server server;
    test_answer answer;
    vc_server_options options = {.log_file = path, .logs_requests = true, .slow_ms = 1};
    fixture_start(&server, "samples/golden", &options);
    /* Nothing here is slow, so what is slow is made so: a body that comes late. */
    char head[200];
    int size = snprintf(head, sizeof head,
                        "POST /v1/query HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: late\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n"
                        "Expect: 100-continue\r\n\r\n",
                        sizeof body - 1);
    int fd = client_open(server.port);
    client_send(fd, head, (size_t)size);
    /* Only what comes after this is surely waited for: a busy server reads a head late, too. */
    client_read(fd, true, &answer);
    cr_assert_eq(answer.status, 100);
    answer_release(&answer);
    usleep(20000);
    client_send(fd, body, sizeof body - 1);
    client_read(fd, false, &answer);
    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    answer_release(&answer);
    close(fd);
    fixture_stop(&server);
    json_t *lines = read_log(path);
    json_t *line = json_array_get(lines, 0);
    cr_assert_not_null(line);
    cr_expect(json_is_true(json_object_get(line, "slow")));
    cr_expect_str_eq(text_of(line, "request_id"), "late");
    cr_expect_str_eq(text_of(line, "route"), "/v1/query");
    cr_expect_str_eq(text_of(line, "cube"), "golden_full");
    cr_expect_not_null(strstr(text_of(line, "query"), "country"), "%s", text_of(line, "query"));
    cr_expect_eq(json_integer_value(json_object_get(line, "status")), 200);
    cr_expect_gt(json_integer_value(json_object_get(line, "rows")), 3);
    cr_expect_geq(json_number_value(json_object_get(line, "ms")), 20);
    cr_expect(json_is_number(json_object_get(line, "run_ms")));
    json_decref(lines);
}
