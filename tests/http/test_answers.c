/* Answers that are kept: the module, and what clients see of it. */
#include "fixture.h"
#include "http/answers.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the module ---- */

static vc_answer *make_answer(const char *text, size_t times)
{
    vc_buffer body = {0};
    for (size_t i = 0; i < times; i++)
        vc_buffer_put_text(&body, text);
    return vc_answer_new(&body, "text/plain", "\"tag\"", "1-ab", "", VC_ENCODING_IDENTITY);
}

static void keep(vc_answers *answers, const char *key, const char *text, size_t times)
{
    vc_answer *found;
    cr_assert_eq(vc_answers_claim(answers, vc_str_of(key), NULL, &found), VC_CLAIM_MINE);
    vc_answer *answer = make_answer(text, times);
    vc_answers_keep(answers, vc_str_of(key), answer);
    vc_answer_release(answer);
}

static bool has_alias(vc_answers *answers, const char *alias)
{
    vc_answer *answer = vc_answers_find(answers, vc_str_of(alias));
    vc_answer_release(answer);
    return answer != NULL;
}

Test(answers, found_by_key_and_by_alias)
{
    vc_answer *answer;
    vc_answers *answers = vc_answers_new(1 << 20);
    keep(answers, "a", "one", 1);
    cr_assert_eq(vc_answers_claim(answers, VC_STR("a"), NULL, &answer), VC_CLAIM_FOUND);
    cr_assert_eq(strncmp(answer->body.data, "one", 3), 0);
    vc_answer_release(answer);
    cr_assert(!has_alias(answers, "a"), "a key is no alias");
    vc_answers_put_alias(answers, VC_STR("a"), VC_STR("x"));
    vc_answers_put_alias(answers, VC_STR("nothing"), VC_STR("y"));
    cr_assert(has_alias(answers, "x"));
    cr_assert(!has_alias(answers, "y"));
    vc_answers_free(answers);
}

/* The least recently used goes, and its aliases with it; who reads it still may go on. */
Test(answers, bounded)
{
    vc_answers *answers = vc_answers_new(100000);
    keep(answers, "a", "0123456789", 2000);
    keep(answers, "b", "0123456789", 2000);
    keep(answers, "c", "0123456789", 2000);
    keep(answers, "d", "0123456789", 2000);
    vc_answers_put_alias(answers, VC_STR("a"), VC_STR("x"));
    vc_answers_put_alias(answers, VC_STR("b"), VC_STR("y"));
    vc_answer *read = vc_answers_find(answers, VC_STR("y"));
    cr_assert(has_alias(answers, "x"));
    keep(answers, "e", "0123456789", 2000);
    keep(answers, "f", "0123456789", 2000);
    cr_assert(has_alias(answers, "x"), "used after b");
    vc_answers_stats stats = vc_answers_stat(answers);
    cr_assert_eq(stats.nanswers, 4);
    cr_assert_eq(stats.nevicted, 2);
    cr_assert_leq(stats.bytes, 100000);
    keep(answers, "g", "0123456789", 2000);
    keep(answers, "h", "0123456789", 2000);
    cr_assert(!has_alias(answers, "y"));
    cr_assert_eq(read->body.size, 20000);
    cr_assert_eq(memcmp(read->body.data + 19990, "0123456789", 10), 0);
    vc_answer_release(read);
    keep(answers, "large", "0123456789", 3000); /* more than a quarter of all */
    cr_assert_eq(vc_answers_stat(answers).nanswers, 4);
    vc_answers_free(answers);
}

Test(answers, many_keys)
{
    vc_answers *answers = vc_answers_new(1 << 24);
    char key[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "key %d", i);
        keep(answers, key, key, 1);
    }
    for (int i = 0; i < 5000; i++) {
        vc_answer *answer;
        size_t size = (size_t)snprintf(key, sizeof key, "key %d", i);
        cr_assert_eq(vc_answers_claim(answers, vc_str_of(key), NULL, &answer), VC_CLAIM_FOUND);
        cr_assert(answer->body.size == size && memcmp(answer->body.data, key, size) == 0);
        vc_answer_release(answer);
    }
    vc_answers_free(answers);
}

struct waiting {
    vc_answer_waiter waiter; /* first: a waiter is its test */
    vc_answer *answer;
    int nwoken;
};

static void woken(vc_answer_waiter *waiter, vc_answer *answer)
{
    struct waiting *waiting = (struct waiting *)waiter;
    waiting->answer = answer;
    waiting->nwoken++;
}

Test(answers, others_wait)
{
    vc_answer *answer;
    vc_answers *answers = vc_answers_new(1 << 20);
    struct waiting a = {.waiter = {.wake = woken}}, b = a;
    cr_assert_eq(vc_answers_claim(answers, VC_STR("k"), NULL, &answer), VC_CLAIM_MINE);
    cr_assert_eq(vc_answers_claim(answers, VC_STR("k"), &a.waiter, &answer), VC_CLAIM_WAITING);
    cr_assert_eq(vc_answers_claim(answers, VC_STR("k"), &b.waiter, &answer), VC_CLAIM_WAITING);
    vc_answers_abandon(answers, VC_STR("k"));
    cr_assert(a.nwoken == 1 && a.answer == NULL && b.nwoken == 1 && b.answer == NULL);
    cr_assert_eq(vc_answers_claim(answers, VC_STR("k"), NULL, &answer), VC_CLAIM_MINE);
    cr_assert_eq(vc_answers_claim(answers, VC_STR("k"), &a.waiter, &answer), VC_CLAIM_WAITING);
    answer = make_answer("kept", 1);
    vc_answers_keep(answers, VC_STR("k"), answer);
    cr_assert(a.nwoken == 2 && a.answer == answer && b.nwoken == 1);
    vc_answer_release(a.answer);
    vc_answer_release(answer);
    vc_answers_free(answers);
}

/* ---- over HTTP ---- */

static test_server server;

#define SLICE "/v1/cubes/golden_full/aggregate?drilldown=country&measures=pop,cpop"

static bool is_hit(const test_answer *answer)
{
    return strstr(answer_header(answer, "Server-Timing"), "cache;desc=hit") != NULL;
}

/* Asked again, with a hit or not: the same bytes. */
static void check_again(const char *method, const char *target, const char *extra, const char *body,
                        bool expects_hit, const test_answer *first)
{
    test_answer again;
    ask(server.port, method, target, extra, body, &again);
    cr_assert_eq(again.status, 200);
    cr_assert_eq(is_hit(&again), expects_hit, "%s %s", method, target);
    cr_assert_eq(again.body.size, first->body.size);
    cr_assert_eq(memcmp(again.body.data, first->body.data, first->body.size), 0);
    char etag[64];
    snprintf(etag, sizeof etag, "%s", answer_header(first, "ETag"));
    cr_assert_str_eq(answer_header(&again, "ETag"), etag);
    cr_assert_str_eq(answer_header(&again, "Content-Type"), "application/json; charset=utf-8");
    answer_release(&again);
}

Test(kept, equal_questions)
{
    test_answer first;
    fixture_start(&server, "samples/golden", NULL);
    ask(server.port, "GET", SLICE, NULL, NULL, &first);
    cr_assert_eq(first.status, 200);
    cr_assert(!is_hit(&first));
    check_again("GET", SLICE, NULL, NULL, true, &first);
    /* In other words: by its key the first time, then by its own words. */
    static const char *const body =
        "{\"cube\":\"golden_full\",\"drilldown\":\"country\",\"measures\":[\"pop\",\"cpop\"]}";
    for (int i = 0; i < 2; i++) {
        check_again("GET", SLICE "&sparse=true", NULL, NULL, true, &first);
        check_again("POST", "/v1/query", NULL, body, true, &first);
    }
    check_again("GET", SLICE "&cache=off", NULL, NULL, false, &first);
    answer_release(&first);
    fixture_stop(&server);
}

Test(kept, other_questions)
{
    static const char *const others[] = {
        "/v1/cubes/golden_full/aggregate?drilldown=country&measures=cpop,pop",
        "/v1/cubes/golden_left/aggregate?drilldown=country&measures=pop,cpop",
        SLICE "&format=arrays",
        SLICE "&format=csv",
        SLICE "&format=csv&header=labels",
        SLICE "&limit=2",
    };
    test_answer first;
    fixture_start(&server, "samples/golden", NULL);
    ask(server.port, "GET", SLICE, NULL, NULL, &first);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        test_answer other;
        ask(server.port, "GET", others[i], NULL, NULL, &other);
        cr_assert_eq(other.status, 200);
        cr_assert(!is_hit(&other), "%s", others[i]);
        cr_assert(other.body.size != first.body.size ||
                  memcmp(other.body.data, first.body.data, first.body.size) != 0);
        answer_release(&other);
    }
    /* By Accept, in the same words but for it. */
    test_answer csv;
    ask(server.port, "GET", SLICE, "Accept: text/csv\r\n", NULL, &csv);
    cr_assert_str_eq(answer_header(&csv, "Content-Type"), "text/csv; charset=utf-8");
    answer_release(&csv);
    answer_release(&first);
    fixture_stop(&server);
}

/* Compressed and not are answers of their own; a client that has one is told so. */
static void check_encoding(const char *name, const char *tag, const test_answer *plain)
{
    test_answer packed, again;
    char extra[200];
    snprintf(extra, sizeof extra, "Accept-Encoding: %s\r\n", name);
    for (int i = 0; i < 2; i++) {
        ask(server.port, "GET", SLICE, extra, NULL, &packed);
        cr_assert_str_eq(answer_header(&packed, "Content-Encoding"), name);
        cr_assert_eq(is_hit(&packed), i == 1);
        cr_assert_lt(packed.body.size, plain->body.size);
        cr_assert_not_null(strstr(answer_header(&packed, "ETag"), tag));
        if (i == 0) answer_release(&packed);
    }
    ask(server.port, "HEAD", SLICE, extra, NULL, &again);
    cr_assert_str_eq(answer_header(&again, "Content-Encoding"), name);
    cr_assert_eq((size_t)atol(answer_header(&again, "Content-Length")), packed.body.size);
    answer_release(&again);
    snprintf(extra, sizeof extra, "Accept-Encoding: %s\r\nIf-None-Match: %s\r\n", name,
             answer_header(&packed, "ETag"));
    ask(server.port, "GET", SLICE, extra, NULL, &again);
    cr_assert_eq(again.status, 304);
    cr_assert_eq(again.body.size, 0);
    cr_assert_str_eq(answer_header(&again, "Content-Encoding"), "");
    cr_assert_not_null(strstr(answer_header(&again, "ETag"), tag));
    answer_release(&again);
    answer_release(&packed);
}

Test(kept, encodings_and_tags)
{
    test_answer plain, again;
    fixture_start(&server, "samples/golden", NULL);
    ask(server.port, "GET", SLICE, NULL, NULL, &plain);
    check_encoding("gzip", "-gz\"", &plain);
    check_encoding("zstd", "-zst\"", &plain);
    ask(server.port, "GET", SLICE, "Accept-Encoding: identity;q=0, br\r\n", NULL, &again);
    cr_assert_eq(again.status, 406);
    cr_assert_str_eq(answer_header(&again, "Vary"), "Accept, Accept-Encoding, Authorization");
    answer_release(&again);
    ask(server.port, "HEAD", SLICE, NULL, NULL, &again);
    cr_assert_eq(again.status, 200);
    cr_assert_eq((size_t)atol(answer_header(&again, "Content-Length")), plain.body.size);
    answer_release(&again);
    answer_release(&plain);
    fixture_stop(&server);
}

/* What is too short to be worth it is packed where it must be, and kept apart. */
Test(kept, encoding_that_must_be)
{
    static const char *const target = "/v1/cubes/golden_full/aggregate?measures=pop";
    static const struct {
        const char *header, *encoding;
    } cases[] = {
        {"Accept-Encoding: zstd\r\n", ""},
        {"Accept-Encoding: zstd, identity;q=0\r\n", "zstd"},
        {"Accept-Encoding: gzip, *;q=0\r\n", "gzip"},
        {"Accept-Encoding: gzip\r\n", ""},
    };
    fixture_start(&server, "samples/golden", NULL);
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        test_answer answer;
        size_t at = i % (sizeof cases / sizeof cases[0]);
        ask(server.port, "GET", target, cases[at].header, NULL, &answer);
        cr_assert_eq(answer.status, 200);
        cr_assert_str_eq(answer_header(&answer, "Content-Encoding"), cases[at].encoding, "%s",
                         cases[at].header);
        answer_release(&answer);
    }
    fixture_stop(&server);
}

Test(kept, not_past_a_load)
{
    test_answer before, after;
    fixture_start(&server, "samples/golden", NULL);
    ask(server.port, "GET", SLICE, NULL, NULL, &before);
    fixture_load(&server, "samples/golden");
    ask(server.port, "GET", SLICE, NULL, NULL, &after);
    cr_assert(!is_hit(&after));
    cr_assert_eq(strncmp(answer_header(&after, "X-Snapshot"), "2-", 2), 0);
    answer_release(&before);
    answer_release(&after);
    fixture_stop(&server);
}

/* ---- at the same time ---- */

enum { NCLIENTS = 24 };

static void *ask_the_same(void *context)
{
    ask(server.port, "GET", "/v1/cubes/world/aggregate?drilldown=geo:country|date:year", NULL, NULL,
        context);
    return NULL;
}

/* One worker with one place in its queue: as many as 24 questions of one kind are one to it. */
Test(kept, computed_once)
{
    vc_server_options options = {.dear_facts = 1, .nworkers = 1, .queue_length = 1};
    fixture_start(&server, "samples/world", &options);
    pthread_t threads[NCLIENTS];
    static test_answer answers[NCLIENTS];
    for (size_t i = 0; i < NCLIENTS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, ask_the_same, &answers[i]), 0);
    for (size_t i = 0; i < NCLIENTS; i++)
        pthread_join(threads[i], NULL);
    size_t ncomputed = 0;
    for (size_t i = 0; i < NCLIENTS; i++) {
        cr_assert_eq(answers[i].status, 200);
        cr_assert_eq(answers[i].body.size, answers[0].body.size);
        cr_assert_eq(memcmp(answers[i].body.data, answers[0].body.data, answers[0].body.size), 0);
        ncomputed += !is_hit(&answers[i]);
    }
    for (size_t i = 0; i < NCLIENTS; i++)
        answer_release(&answers[i]);
    cr_assert_eq(ncomputed, 1);
    fixture_stop(&server);
}
