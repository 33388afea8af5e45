/* Answers that are too large for memory: made in pieces, spooled to the disk, sent from there. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

TestSuite(large, .timeout = 120);

enum { SIDE = 600, HOLE = 7 }; /* rows of the grid; every seventh cell has no facts */

/* A cube of SIDE x SIDE cells, which is more than four pieces. */
static void write_grid(char folder[64])
{
    char path[96];
    snprintf(folder, 64, "/tmp/vcube-grid-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/grid.json", folder);
    FILE *file = fopen(path, "w");
    fputs("{\"name\": \"grid\", \"kind\": \"source\", \"data\": {\"csv\": \"grid.csv\"}, "
          "\"dimensions\": [{\"name\": \"a\", \"levels\": [{\"name\": \"a\"}]}, "
          "{\"name\": \"b\", \"levels\": [{\"name\": \"b\"}]}], "
          "\"measures\": [{\"name\": \"x\", \"type\": \"decimal(2)\", \"aggregator\": \"sum\"}]}",
          file);
    fclose(file);
    snprintf(path, sizeof path, "%s/grid.csv", folder);
    file = fopen(path, "w");
    fputs("a,b,x\n", file);
    for (int a = 0; a < SIDE; a++)
        for (int b = 0; b < SIDE; b++)
            if ((a * SIDE + b) % HOLE != 0)
                fprintf(file, "a%03d,b%03d,%d.%02d\n", a, b, a * b % 1000, b % 100);
    fclose(file);
}

static void remove_grid(const char *folder)
{
    char path[96];
    snprintf(path, sizeof path, "%s/grid.json", folder);
    remove(path);
    snprintf(path, sizeof path, "%s/grid.csv", folder);
    remove(path);
    rmdir(folder);
}

static test_server server;
static char folder[64];

static void start(void)
{
    write_grid(folder);
    fixture_start(&server, folder, NULL);
}

static void stop(void)
{
    fixture_stop(&server);
    remove_grid(folder);
}

static void get(const char *more, const char *headers, test_answer *answer)
{
    char target[256];
    snprintf(target, sizeof target, "/v1/cubes/grid/aggregate?drilldown=a|b%s", more);
    ask(server.port, "GET", target, headers, NULL, answer);
}

/* With an order by the first axis, which is none, an answer is made as a whole. */
static void check_like_whole(const char *more)
{
    char ordered[128];
    test_answer pieces, whole;
    snprintf(ordered, sizeof ordered, "%s&order=a:asc", more);
    get(more, "", &pieces);
    get(ordered, "", &whole);
    cr_assert_eq(pieces.status, 200, "%s: %.500s", more, pieces.body.data);
    cr_assert_gt(pieces.body.size, 4000000);
    cr_assert_eq(pieces.body.size, whole.body.size, "%s", more);
    cr_assert_eq(memcmp(pieces.body.data, whole.body.data, whole.body.size), 0, "%s", more);
    cr_assert_str_eq(answer_header(&pieces, "Content-Type"), answer_header(&whole, "Content-Type"));
    answer_release(&pieces);
    answer_release(&whole);
}

Test(large, pieces_are_the_whole, .init = start, .fini = stop)
{
    check_like_whole("&format=ndjson");
    check_like_whole("&format=csv");
    check_like_whole("&format=records");
    check_like_whole("&format=ndjson&totals=a|()");
    check_like_whole("&format=csv&totals=()&status=true");
    check_like_whole("&format=ndjson&offset=100001&limit=150000");
    check_like_whole("&format=csv&having=x:gt:100");
    check_like_whole("&format=csv&sparse=false");
}

static void inflate_all(const vc_buffer *packed, vc_buffer *text)
{
    z_stream stream = {.next_in = (Bytef *)packed->data, .avail_in = (uInt)packed->size};
    char block[65536];
    int result = Z_OK;
    cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    while (result == Z_OK) {
        stream.next_out = (Bytef *)block;
        stream.avail_out = sizeof block;
        result = inflate(&stream, Z_NO_FLUSH);
        vc_buffer_put(text, block, sizeof block - stream.avail_out);
    }
    cr_assert_eq(result, Z_STREAM_END);
    cr_assert_eq(stream.avail_in, 0);
    inflateEnd(&stream);
}

Test(large, in_every_encoding, .init = start, .fini = stop)
{
    test_answer plain, packed;
    vc_buffer text = {0};
    get("&format=ndjson", "", &plain);
    cr_assert_gt(plain.body.size, 8 << 20);
    get("&format=ndjson", "Accept-Encoding: gzip\r\n", &packed);
    cr_assert_str_eq(answer_header(&packed, "Content-Encoding"), "gzip");
    inflate_all(&packed.body, &text);
    cr_assert_eq(text.size, plain.body.size);
    cr_assert_eq(memcmp(text.data, plain.body.data, text.size), 0);
    answer_release(&packed);
    get("&format=ndjson", "Accept-Encoding: zstd\r\n", &packed);
    cr_assert_str_eq(answer_header(&packed, "Content-Encoding"), "zstd");
    cr_assert_eq(ZSTD_decompress(text.data, text.size, packed.body.data, packed.body.size),
                 plain.body.size);
    cr_assert_eq(memcmp(text.data, plain.body.data, text.size), 0);
    answer_release(&packed);
    answer_release(&plain);
    vc_buffer_release(&text);
}

/* The tag says that it is known without computing it; HEAD has the headers only. */
Test(large, head_and_304, .init = start, .fini = stop)
{
    test_answer plain, head, known;
    char header[128];
    get("&format=csv&status=true", "", &plain);
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", answer_header(&plain, "ETag"));
    get("&format=csv&status=true", header, &known);
    cr_assert_eq(known.status, 304);
    ask(server.port, "HEAD", "/v1/cubes/grid/aggregate?drilldown=a|b&format=csv&status=true", "",
        NULL, &head);
    cr_assert_eq(head.status, 200);
    cr_assert_eq((size_t)atoll(answer_header(&head, "Content-Length")), plain.body.size);
    answer_release(&plain);
    answer_release(&head);
    answer_release(&known);
}

/* What is refused, though only while it is made, is an error and not half an answer. */
Test(large, too_large_is_an_error)
{
    test_answer answer;
    vc_server_options options = {.limits = {.max_cells = 300000}};
    write_grid(folder);
    fixture_start(&server, folder, &options);
    get("&format=ndjson", "", &answer);
    cr_assert_eq(answer.status, 422);
    cr_assert_not_null(strstr(answer.body.data, "\"code\":\"limit_cells\""), "%s",
                       answer.body.data);
    answer_release(&answer);
    stop();
}

/* Who goes away in the middle takes nothing with him: the next one gets all of it. */
Test(large, a_client_that_leaves, .init = start, .fini = stop)
{
    static const char request[] =
        "GET /v1/cubes/grid/aggregate?drilldown=a|b&format=ndjson HTTP/1.1\r\nHost: x\r\n\r\n";
    test_answer answer;
    char block[1000];
    int fd = client_open(server.port);
    client_send(fd, request, sizeof request - 1);
    cr_assert_gt(read(fd, block, sizeof block), 0);
    close(fd);
    get("&format=ndjson", "", &answer);
    cr_assert_eq(answer.status, 200);
    cr_assert_gt(answer.body.size, 8 << 20);
    cr_assert_eq(
        strcmp(answer.body.data + answer.body.size - 27, "{\"end\":true,\"rows\":308571}\n"), 0,
        "%s", answer.body.data + answer.body.size - 27);
    answer_release(&answer);
}

static void *ask_for_all(void *context)
{
    get("&format=ndjson", "", context);
    return NULL;
}

/* Equal questions at the same time are one, also when the answer is too large to be kept. */
Test(large, computed_once_for_all_who_wait, .init = start, .fini = stop)
{
    enum { NCLIENTS = 6 };
    pthread_t threads[NCLIENTS];
    test_answer answers[NCLIENTS];
    for (size_t i = 0; i < NCLIENTS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, ask_for_all, &answers[i]), 0);
    for (size_t i = 0; i < NCLIENTS; i++)
        pthread_join(threads[i], NULL);
    size_t nshared = 0;
    for (size_t i = 0; i < NCLIENTS; i++) {
        cr_assert_eq(answers[i].status, 200);
        cr_assert_eq(answers[i].body.size, answers[0].body.size);
        cr_assert_eq(memcmp(answers[i].body.data, answers[0].body.data, answers[0].body.size), 0);
        nshared += strstr(answer_header(&answers[i], "Server-Timing"), "cache;desc=hit") != NULL;
    }
    for (size_t i = 0; i < NCLIENTS; i++)
        answer_release(&answers[i]);
    cr_assert_gt(nshared, 0);
}
