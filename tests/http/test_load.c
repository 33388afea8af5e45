/* POST /v1/cubes/{cube}/load: facts that are sent. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define CSV    "text/csv"
#define NDJSON "application/x-ndjson"

static const char SALES[] =
    "{\"name\":\"sales\",\"kind\":\"source\","
    "\"dimensions\":[{\"name\":\"geo\",\"levels\":[{\"name\":\"country\"}]}],"
    "\"measures\":[{\"name\":\"n\",\"type\":\"int\",\"aggregator\":\"sum\"},"
    "{\"name\":\"w\",\"type\":\"decimal(2)\",\"aggregator\":\"sum\"},"
    "{\"name\":\"rows\",\"aggregator\":\"count\"}]}";

static test_server server;

static void start_with(const vc_server_options *options)
{
    test_answer answer;
    fixture_start(&server, "samples/golden", options);
    send_body(server.port, "PUT", "/v1/cubes/sales", NULL, "application/json", SALES,
              sizeof SALES - 1, &answer);
    json_decref(json_of(&answer, 201));
}

static void start(void)
{
    start_with(NULL);
}

static void stop(void)
{
    fixture_stop(&server);
}

TestSuite(http_load, .init = start, .fini = stop, .timeout = 60);

static void load(const char *parameters, const char *type, const char *body, size_t size,
                 test_answer *answer)
{
    char target[160];
    snprintf(target, sizeof target, "/v1/cubes/sales/load%s", parameters);
    send_body(server.port, "POST", target, NULL, type, body, size, answer);
}

static json_t *load_text(const char *parameters, const char *type, const char *body,
                         unsigned status)
{
    test_answer answer;
    load(parameters, type, body, strlen(body), &answer);
    return json_of(&answer, status);
}

/* The summary of the cube. */
static json_int_t total(const char *measure)
{
    json_t *json = get_json(server.port, "/v1/cubes/sales/aggregate");
    json_int_t value =
        json_integer_value(json_object_get(json_object_get(json, "summary"), measure));
    json_decref(json);
    return value;
}

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* ---- what is loaded ---- */

Test(http_load, csv_then_ndjson)
{
    json_t *json = load_text("", CSV, "country,n,w\nFR,3,1.50\nDE,4,\n", 200);
    cr_assert_eq(number_of(json, "rows"), 2);
    cr_assert_eq(number_of(json, "members"), 2);
    cr_assert_str_eq(text_of(json, "mode"), "append");
    json_decref(json);
    cr_assert_eq(total("n"), 7);
    json = load_text("?mode=append", NDJSON, "{\"country\":\"FR\",\"n\":10}\n{\"n\":\"5\"}", 200);
    cr_assert_eq(number_of(json, "members"), 3);
    json_decref(json);
    cr_assert_eq(total("n"), 22);
    cr_assert_eq(total("rows"), 4);
    json_decref(
        load_text("?mode=replace", "application/ndjson", "{\"country\":\"FR\",\"n\":1}", 200));
    cr_assert_eq(total("n"), 1);
    cr_assert_eq(total("rows"), 1);
}

/* The same facts, as CSV and as NDJSON: every question has the same answer. */
Test(http_load, csv_and_ndjson_make_one_cube)
{
    vc_buffer csv = {0}, ndjson = {0}, answers[2] = {{0}};
    vc_buffer_put_text(&csv, "country,n,w\n");
    unsigned seed = 7;
    for (int i = 0; i < 20000; i++) {
        int country = rand_r(&seed) % 300, n = rand_r(&seed) % 1000 - 500;
        int cents = rand_r(&seed) % 100000;
        bool is_null = rand_r(&seed) % 10 == 0;
        vc_buffer_printf(&csv, "\"c, \"\"%d\"\"\",%d,", country, n);
        vc_buffer_printf(&ndjson, "{\"w\":%s", is_null ? "null" : "");
        if (!is_null) {
            vc_buffer_printf(&csv, "%d.%02d", cents / 100, cents % 100);
            vc_buffer_printf(&ndjson, "%d.%02d", cents / 100, cents % 100);
        }
        vc_buffer_put_text(&csv, "\r\n");
        vc_buffer_printf(&ndjson, ",\"country\":\"c, \\\"%d\\u0022\",\"n\":%d}\n", country, n);
    }
    for (int i = 0; i < 2; i++) {
        test_answer answer;
        const vc_buffer *body = i == 0 ? &csv : &ndjson;
        load("?mode=replace", i == 0 ? CSV : NDJSON, body->data, body->size, &answer);
        json_t *json = json_of(&answer, 200);
        cr_assert_eq(number_of(json, "rows"), 20000);
        json_decref(json);
        ask(server.port, "GET", "/v1/cubes/sales/aggregate?drilldown=geo&format=csv", NULL, NULL,
            &answer);
        cr_assert_eq(answer.status, 200);
        vc_buffer_put(&answers[i], answer.body.data, answer.body.size);
        answer_release(&answer);
    }
    cr_assert_eq(answers[0].size, answers[1].size);
    cr_assert_eq(memcmp(answers[0].data, answers[1].data, answers[0].size), 0);
    vc_buffer_release(&csv);
    vc_buffer_release(&ndjson);
    vc_buffer_release(&answers[0]);
    vc_buffer_release(&answers[1]);
}

Test(http_load, packed)
{
    static const char csv[] = "country,n,w\nFR,3,1.50\nDE,4,\n";
    char gzip[256], zstd[256];
    test_answer answer;
    z_stream stream = {.next_in = (Bytef *)csv,
                       .avail_in = sizeof csv - 1,
                       .next_out = (Bytef *)gzip,
                       .avail_out = sizeof gzip};
    cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t gzip_size = stream.total_out;
    deflateEnd(&stream);
    size_t zstd_size = ZSTD_compress(zstd, sizeof zstd, csv, sizeof csv - 1, 3);
    load("?mode=replace", CSV, gzip, gzip_size, &answer);
    json_decref(json_of(&answer, 200));
    send_body(server.port, "POST", "/v1/cubes/sales/load", "Content-Encoding: zstd\r\n", CSV, zstd,
              zstd_size, &answer);
    json_decref(json_of(&answer, 200));
    cr_assert_eq(total("n"), 14);
    send_body(server.port, "POST", "/v1/cubes/sales/load", "Content-Encoding: gzip\r\n", CSV, zstd,
              zstd_size, &answer);
    json_t *json = json_of(&answer, 400);
    cr_assert_str_eq(text_of(json, "code"), "archive_corrupt");
    json_decref(json);
    load("", CSV, gzip, gzip_size - 4, &answer);
    json = json_of(&answer, 400);
    cr_assert_str_eq(text_of(json, "code"), "archive_truncated");
    json_decref(json);
    cr_assert_eq(total("n"), 14);
}

/* A dimension with a table keeps its members; the facts of another are rejected. */
Test(http_load, keeps_tables)
{
    test_answer answer;
    send_body(server.port, "POST", "/v1/cubes/stats/load?mode=replace&max_rejects=1", NULL, CSV,
              "country,pop\nFR,1\nZZ,5\n", 22, &answer);
    json_t *json = json_of(&answer, 200);
    json_t *reject = json_array_get(json_object_get(json, "rejects"), 0);
    cr_assert_eq(number_of(json, "rows"), 1);
    cr_assert_eq(number_of(json, "rejected"), 1);
    cr_assert_eq(number_of(reject, "line"), 3);
    cr_assert_eq(number_of(reject, "column"), 1);
    cr_assert_str_eq(text_of(reject, "code"), "unknown_key");
    json_decref(json);
    json = get_json(server.port, "/v1/cubes/stats/dimensions/country/members");
    cr_assert_eq(number_of(json, "total"), 5);
    json_decref(json);
    json = get_json(server.port, "/v1/cubes/golden_left/aggregate?measures=pop");
    cr_assert_eq(number_of(json_object_get(json, "summary"), "pop"), 1);
    json_decref(json);
}

/* ---- what is refused, and leaves the cube as it was ---- */

struct refused_case {
    char cube[16], parameters[40], extra[64], type[48], body[96];
    unsigned status;
    char code[24];
};

ParameterizedTestParameters(http_load, refused)
{
    static struct refused_case cases[] = {
        {"sales", "", "", CSV, "country,n,w\nFR,x,1\n", 400, "rejects"},
        {"sales", "", "", CSV, "", 400, "csv_empty"},
        {"sales", "", "", NDJSON, "\n", 400, "csv_empty"},
        {"sales", "", "", CSV, "country,n\nFR,1\n", 400, "unknown_column"},
        {"sales", "", "", NDJSON, "{\"country\":\"FR\",\"m\":1}", 400, "rejects"},
        {"sales", "", "", NDJSON, "{\"country\":{\"a\":1}}", 400, "rejects"},
        {"sales", "?mode=upsert", "", CSV, "country,n,w\nFR,1,1\n", 400, "bad_parameter"},
        {"sales", "?max_rejects=-1", "", CSV, "country,n,w\nFR,1,1\n", 400, "bad_parameter"},
        {"sales", "?modus=append", "", CSV, "country,n,w\nFR,1,1\n", 400, "unknown_parameter"},
        {"sales", "", "", "application/json", "{}", 415, "unsupported_media_type"},
        {"sales", "", "", "text/plain", "country,n,w\n", 415, "unsupported_media_type"},
        {"sales", "", "", "application/x-www-form-urlencoded", "a=b", 415,
         "unsupported_media_type"},
        {"sales", "", "Content-Encoding: br\r\n", CSV, "country,n,w\n", 415,
         "unsupported_media_type"},
        {"sales", "", "", "text/csv; charset=klingon", "country,n,w\n", 400, "unknown_encoding"},
        {"sales", "", "Origin: http://evil.example\r\n", CSV, "country,n,w\nFR,1,1\n", 403,
         "foreign_origin"},
        {"sales", "", "Origin: null\r\n", CSV, "country,n,w\nFR,1,1\n", 403, "foreign_origin"},
        {"sales", "", "If-Match: \"old\"\r\n", CSV, "country,n,w\nFR,1,1\n", 412,
         "precondition_failed"},
        {"golden_left", "", "", CSV, "country,n,w\nFR,1,1\n", 422, "not_a_source"},
        {"nothing", "", "", CSV, "country,n,w\nFR,1,1\n", 404, "unknown_cube"},
    };
    return cr_make_param_array(struct refused_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct refused_case *c, http_load, refused)
{
    test_answer answer;
    char target[96];
    json_decref(load_text("", CSV, "country,n,w\nFR,3,1\n", 200));
    json_t *before = get_json(server.port, "/v1/snapshots");
    snprintf(target, sizeof target, "/v1/cubes/%s/load%s", c->cube, c->parameters);
    send_body(server.port, "POST", target, c->extra, c->type, c->body, strlen(c->body), &answer);
    json_t *problem = json_of(&answer, c->status);
    cr_assert_str_eq(text_of(problem, "code"), c->code);
    json_t *after = get_json(server.port, "/v1/snapshots");
    cr_assert(json_equal(before, after));
    cr_assert_eq(total("n"), 3);
    json_decref(problem);
    json_decref(before);
    json_decref(after);
}

/* Of a page of this very server. */
Test(http_load, own_origin)
{
    test_answer answer;
    send_body(server.port, "POST", "/v1/cubes/sales/load", "Origin: http://localhost\r\n", CSV,
              "country,n,w\nFR,1,1\n", 19, &answer);
    json_decref(json_of(&answer, 200));
}

Test(http_load, rejects_are_listed)
{
    vc_buffer body = {0};
    test_answer answer;
    vc_buffer_put_text(&body, "country,n,w\n");
    for (int i = 0; i < 150; i++)
        vc_buffer_printf(&body, "FR,%s,1\n", i % 2 == 0 ? "x" : "2");
    load("?max_rejects=74", CSV, body.data, body.size, &answer);
    json_t *json = json_of(&answer, 400);
    cr_assert_eq(json_array_size(json_object_get(json, "rejects")), 75);
    cr_assert_eq(number_of(json, "line"), 2);
    cr_assert_eq(number_of(json, "column"), 4);
    cr_assert_null(json_object_get(json, "definition"));
    json_decref(json);
    load("?max_rejects=75", CSV, body.data, body.size, &answer);
    json = json_of(&answer, 200);
    cr_assert_eq(json_array_size(json_object_get(json, "rejects")), 75);
    cr_assert_eq(number_of(json, "rejected"), 75);
    json_decref(json);
    cr_assert_eq(total("n"), 150);
    vc_buffer_release(&body);
}

/* ---- answers that are kept ---- */

Test(http_load, is_seen_at_once)
{
    test_answer answer, known;
    char tag[64], extra[96];
    json_decref(load_text("", CSV, "country,n,w\nFR,3,1\n", 200));
    for (int i = 0; i < 2; i++) {
        ask(server.port, "GET", "/v1/cubes/sales/aggregate", NULL, NULL, &answer);
        snprintf(tag, sizeof tag, "%s", answer_header(&answer, "ETag"));
        answer_release(&answer);
    }
    snprintf(extra, sizeof extra, "If-None-Match: %s\r\n", tag);
    ask(server.port, "GET", "/v1/cubes/sales/aggregate", extra, NULL, &known);
    cr_assert_eq(known.status, 304);
    answer_release(&known);
    load("", CSV, "country,n,w\nFR,4,1\n", 19, &answer);
    cr_assert_eq(answer.status, 200);
    char snapshot[64];
    snprintf(snapshot, sizeof snapshot, "%s", answer_header(&answer, "X-Snapshot"));
    json_t *json = json_of(&answer, 200);
    cr_assert_str_eq(text_of(json, "snapshot"), snapshot);
    json_decref(json);
    ask(server.port, "GET", "/v1/cubes/sales/aggregate", extra, NULL, &known);
    cr_assert_eq(known.status, 200);
    cr_assert_str_eq(answer_header(&known, "X-Snapshot"), snapshot);
    cr_assert_not_null(strstr(known.body.data, "\"n\":7"));
    answer_release(&known);
    json = get_json(server.port, "/v1/snapshots");
    cr_assert_str_eq(text_of(json_object_get(json, "newest"), "id"), snapshot);
    json_decref(json);
}

struct reading {
    atomic_bool is_ending;
    atomic_int nreads, nchanges;
};

/* Each answer is of one state: the rows and the sum belong together. */
static void *read_on(void *context)
{
    struct reading *reading = context;
    json_int_t before = 0;
    for (unsigned i = 0; !atomic_load(&reading->is_ending); i++) {
        char target[96];
        snprintf(target, sizeof target, "/v1/cubes/sales/aggregate?drilldown=geo%s",
                 i % 3 == 0 ? "&cache=off" : "");
        json_t *json = get_json(server.port, target), *cell;
        json_t *summary = json_object_get(json, "summary");
        json_int_t rows = number_of(summary, "rows"), n = number_of(summary, "n"), sum = 0;
        size_t at;
        json_array_foreach(json_object_get(json, "cells"), at, cell) sum += number_of(cell, "n");
        cr_assert(rows == 0 || rows == 5000, "%lld rows", (long long)rows);
        cr_assert_eq(n % 5000, 0);
        cr_assert_eq(sum, n);
        cr_assert_geq(n, before);
        if (n > before) atomic_fetch_add(&reading->nchanges, 1);
        before = n;
        atomic_fetch_add(&reading->nreads, 1);
        json_decref(json);
    }
    return NULL;
}

/* Every load replaces all facts by 5,000 of a greater value. */
Test(http_load, readers_see_before_or_after)
{
    struct reading reading = {0};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, read_on, &reading), 0);
    for (int value = 1; value <= 12; value++) {
        vc_buffer body = {0};
        test_answer answer;
        for (int i = 0; i < 5000; i++)
            vc_buffer_printf(&body, "{\"country\":\"c%d\",\"n\":%d}\n", i % 17, value);
        load("?mode=replace", NDJSON, body.data, body.size, &answer);
        json_decref(json_of(&answer, 200));
        vc_buffer_release(&body);
    }
    atomic_store(&reading.is_ending, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    cr_assert_gt(atomic_load(&reading.nchanges), 3);
    cr_assert_eq(total("n"), 60000);
}

static void *load_one(void *context)
{
    (void)context;
    json_decref(load_text("", CSV, "country,n,w\nFR,1,1\n", 200));
    return NULL;
}

/* They wait for each other; none is lost. */
Test(http_load, several_at_once)
{
    pthread_t threads[12];
    for (int i = 0; i < 12; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, load_one, NULL), 0);
    for (int i = 0; i < 12; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(total("n"), 12);
}

/* ---- how bodies arrive ---- */

TestSuite(http_upload, .fini = stop, .timeout = 60);

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Files that a body lies in: none has a name. */
static unsigned count_open_bodies(void)
{
    unsigned count = 0;
    DIR *entries = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char path[300], target[512];
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size <= 0) continue;
        target[size] = '\0';
        count += strncmp(target, server.directory, strlen(server.directory)) == 0 &&
                 strstr(target, "(deleted)") != NULL;
    }
    closedir(entries);
    return count;
}

static void wait_for_no_bodies(void)
{
    for (int i = 0; i < 200 && count_open_bodies() > 0; i++)
        pause_ms(10);
    cr_assert_eq(count_open_bodies(), 0);
}

/* Slower than the deadline of a body, but it comes on. */
Test(http_upload, slow)
{
    start_with(&(vc_server_options){.body_timeout_ms = 700});
    enum { PIECES = 20, PIECE = 80000 };
    char *piece = malloc(PIECE);
    for (int i = 0; i < PIECE; i += 8)
        memcpy(piece + i, "FR,1,1 \n", 8);
    for (int i = 6; i < PIECE; i += 8)
        piece[i] = '0'; /* FR,1,10 */
    int fd = client_open(server.port);
    char head[256];
    int size = snprintf(head, sizeof head,
                        "POST /v1/cubes/sales/load HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                        "text/csv\r\nContent-Length: %d\r\n\r\ncountry,n,w\n",
                        PIECES * PIECE + 12);
    client_send(fd, head, (size_t)size);
    for (int i = 0; i < PIECES; i++) { /* 2 s, in which 1.6 MB come */
        client_send(fd, piece, PIECE);
        pause_ms(100);
        if (i + 1 < PIECES) cr_assert_eq(count_open_bodies(), 1);
    }
    test_answer answer;
    client_read(fd, false, &answer);
    json_decref(json_of(&answer, 200));
    cr_assert_eq(total("n"), PIECES * PIECE / 8);
    close(fd);
    free(piece);
    wait_for_no_bodies();
}

/* One that stalls, or drips, is cut. */
Test(http_upload, stalled)
{
    start_with(&(vc_server_options){.body_timeout_ms = 500});
    static const char head[] =
        "POST /v1/cubes/sales/load HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "text/csv\r\nContent-Length: 100000000\r\n\r\ncountry,n,w\n";
    int stalled = client_open(server.port), dripping = client_open(server.port);
    client_send(stalled, head, sizeof head - 1);
    client_send(dripping, head, sizeof head - 1);
    int ndrops = 0;
    for (; ndrops < 200 && !client_is_closed(dripping, 20); ndrops++)
        client_send(dripping, "FR,1,1\n", 7);
    cr_assert_lt(ndrops, 200, "what drips holds a connection for 4 s and more");
    cr_assert(client_is_closed(stalled, 2000));
    close(stalled);
    close(dripping);
    wait_for_no_bodies();
    cr_assert_eq(total("rows"), 0);
}

Test(http_upload, client_goes_away)
{
    start_with(NULL);
    static const char head[] =
        "POST /v1/cubes/sales/load HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "text/csv\r\nContent-Length: 1000\r\n\r\ncountry,n,w\nFR,1,1\n";
    int fd = client_open(server.port);
    client_send(fd, head, sizeof head - 1);
    for (int i = 0; i < 200 && count_open_bodies() == 0; i++)
        pause_ms(5);
    cr_assert_eq(count_open_bodies(), 1);
    close(fd);
    wait_for_no_bodies();
    cr_assert_eq(total("rows"), 0);
}

Test(http_upload, chunked_and_too_large)
{
    start_with(&(vc_server_options){.max_load_bytes = 100000, .max_body_bytes = 4096});
    static const char head[] = "POST /v1/cubes/sales/load HTTP/1.1\r\nHost: localhost\r\n"
                               "Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n";
    test_answer answer;
    int fd = client_open(server.port);
    client_send(fd, head, sizeof head - 1);
    static const char body[] = "c\r\ncountry,n,w\n\r\n7\r\nFR,1,1\n\r\n0\r\n\r\n";
    client_send(fd, body, sizeof body - 1);
    client_read(fd, false, &answer);
    json_decref(json_of(&answer, 200));
    /* on the same connection one that has no length and is too large: read on, then refused */
    client_send(fd, head, sizeof head - 1);
    client_send(fd, "c\r\ncountry,n,w\n\r\n", 17);
    for (int i = 0; i < 15; i++) {
        char chunk[7012];
        memcpy(chunk, "1b58\r\n", 6);
        for (int at = 0; at < 7000; at += 7)
            memcpy(chunk + 6 + at, "FR,1,1\n", 7);
        memcpy(chunk + 7006, "\r\n", 2);
        client_send(fd, chunk, 7008);
    }
    client_send(fd, "0\r\n\r\n", 5);
    client_read(fd, false, &answer);
    json_t *json = json_of(&answer, 413);
    cr_assert_str_eq(text_of(json, "code"), "body_too_large");
    json_decref(json);
    close(fd);
    /* a length that says so is refused before the body comes */
    static const char large[] = "POST /v1/cubes/sales/load HTTP/1.1\r\nHost: localhost\r\n"
                                "Content-Type: text/csv\r\nContent-Length: 100001\r\n"
                                "Expect: 100-continue\r\n\r\n";
    fd = client_open(server.port);
    client_send(fd, large, sizeof large - 1);
    client_read(fd, false, &answer);
    json_decref(json_of(&answer, 413));
    close(fd);
    cr_assert_eq(total("n"), 1);
}

Test(http_upload, disk_full)
{
    start_with(NULL);
    test_answer answer;
    setenv("VCUBE_MIN_FREE_BYTES", "9000000000000000000", 1);
    load("", CSV, "country,n,w\nFR,1,1\n", 19, &answer);
    json_t *json = json_of(&answer, 507);
    cr_assert_str_eq(text_of(json, "code"), "disk_full");
    cr_assert_null(strstr(text_of(json, "detail"), "/"), "a path of the server is told");
    json_decref(json);
    unsetenv("VCUBE_MIN_FREE_BYTES");
    json_decref(load_text("", CSV, "country,n,w\nFR,1,1\n", 200));
    cr_assert_eq(total("n"), 1);
    wait_for_no_bodies();
}

/* Another process (here: another lock) loads. */
Test(http_upload, store_is_being_loaded)
{
    start_with(NULL);
    vc_load *other;
    vc_error error = {0};
    test_answer answer;
    cr_assert_eq(vc_load_begin(server.store, &other, &error), VC_OK);
    load("", CSV, "country,n,w\nFR,1,1\n", 19, &answer);
    cr_assert_str_neq(answer_header(&answer, "Retry-After"), "");
    json_t *json = json_of(&answer, 503);
    cr_assert_str_eq(text_of(json, "code"), "load_in_progress");
    json_decref(json);
    vc_load_abort(other);
    json_decref(load_text("", CSV, "country,n,w\nFR,1,1\n", 200));
}

Test(http_upload, read_only)
{
    start_with(NULL);
    stop();
    fixture_start(&server, "samples/golden", &(vc_server_options){.is_read_only = true});
    test_answer answer;
    send_body(server.port, "POST", "/v1/cubes/stats/load", NULL, CSV, "country,pop\nFR,1\n", 17,
              &answer);
    json_t *json = json_of(&answer, 403);
    cr_assert_str_eq(text_of(json, "code"), "read_only");
    json_decref(json);
    send_body(server.port, "PUT", "/v1/cubes/sales", NULL, "application/json", SALES,
              sizeof SALES - 1, &answer);
    json_decref(json_of(&answer, 403));
    ask(server.port, "DELETE", "/v1/cubes/stats", NULL, NULL, &answer);
    json_decref(json_of(&answer, 403));
    json = get_json(server.port, "/v1/info");
    cr_assert(json_is_true(json_object_get(json, "read_only")));
    json_decref(json);
}

/* A body is not held in memory: 200 MB of them, in rows of 1,000 bytes. */
Test(http_upload, memory_is_bounded)
{
    start_with(NULL);
    struct rusage before, after;
    enum { ROW = 1000, ROWS = 1000, PIECES = 200 };
    char *piece = malloc(ROW * ROWS), head[256];
    memset(piece, 'x', ROW * ROWS);
    for (int i = 1; i <= ROWS; i++)
        memcpy(piece + i * ROW - 5, ",1,1\n", 5);
    int size = snprintf(head, sizeof head,
                        "POST /v1/cubes/sales/load HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                        "text/csv\r\nContent-Length: %d\r\n\r\ncountry,n,w\n",
                        PIECES * ROW * ROWS + 12);
    getrusage(RUSAGE_SELF, &before);
    int fd = client_open(server.port);
    client_send(fd, head, (size_t)size);
    for (int i = 0; i < PIECES; i++)
        client_send(fd, piece, ROW * ROWS);
    test_answer answer;
    client_read(fd, false, &answer);
    getrusage(RUSAGE_SELF, &after);
    json_decref(json_of(&answer, 200));
    close(fd);
    free(piece);
    cr_assert_eq(total("n"), PIECES * ROWS);
    cr_assert_lt(after.ru_maxrss - before.ru_maxrss, 100 * 1024, "%ld KiB",
                 after.ru_maxrss - before.ru_maxrss);
}
