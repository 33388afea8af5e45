/* Many clients at once, too many clients, clients that leave, and the end of the server. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static test_server server;

#define SLOW "/v1/cubes/world/aggregate?drilldown=geo:country|date:year&cache=off"

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- many ---- */

enum { NTHREADS = 8, NREQUESTS = 50 };

static const char *const targets[] = {
    "/v1/cubes/golden_left/aggregate?drilldown=country",
    "/v1/cubes/golden_full/aggregate?drilldown=country&format=csv",
    "/v1/cubes/golden_left",
    "/v1/cubes/golden_sex/dimensions/country/members",
    "/healthz",
    "/v1/cubes/nope",
};
enum { NTARGETS = sizeof targets / sizeof targets[0] };
static test_answer expected[NTARGETS];

/* All on one connection; every answer as the first client of all had it. */
static void *ask_many(void *context)
{
    size_t wrong = 0;
    int fd = client_open(server.port);
    for (size_t i = 0; i < NREQUESTS; i++) {
        size_t which = (i + (size_t)context) % NTARGETS;
        char request[200];
        test_answer answer;
        int size = snprintf(request, sizeof request,
                            "GET %s HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: same\r\n\r\n",
                            targets[which]);
        client_send(fd, request, (size_t)size);
        client_read(fd, false, &answer);
        wrong += answer.status != expected[which].status ||
                 answer.body.size != expected[which].body.size ||
                 memcmp(answer.body.data, expected[which].body.data, answer.body.size) != 0;
        answer_release(&answer);
    }
    close(fd);
    return (void *)wrong;
}

static void ask_from_many_threads(uint64_t dear_facts)
{
    vc_server_options options = {.dear_facts = dear_facts};
    fixture_start(&server, "samples/golden", &options);
    pthread_t threads[NTHREADS];
    for (size_t i = 0; i < NTARGETS; i++)
        ask(server.port, "GET", targets[i], "X-Request-Id: same\r\n", NULL, &expected[i]);
    for (size_t i = 0; i < NTHREADS; i++)
        pthread_create(&threads[i], NULL, ask_many, (void *)i);
    for (size_t i = 0; i < NTHREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        cr_assert_eq((size_t)wrong, 0);
    }
    for (size_t i = 0; i < NTARGETS; i++)
        answer_release(&expected[i]);
    fixture_stop(&server);
}

Test(busy, many_light)
{
    ask_from_many_threads(0);
}

Test(busy, many_heavy)
{
    ask_from_many_threads(1);
}

/* Each answer is of one snapshot, whatever is loaded meanwhile. */
Test(busy, loads_beside_queries)
{
    vc_server_options options = {0};
    fixture_start(&server, "samples/golden", &options);
    pthread_t threads[2];
    for (size_t i = 0; i < NTARGETS; i++) /* 404 and health depend on no snapshot */
        ask(server.port, "GET", targets[4 + i % 2], "X-Request-Id: same\r\n", NULL, &expected[i]);
    for (size_t i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, ask_many, (void *)i);
    for (int i = 0; i < 5; i++)
        fixture_load(&server, "samples/golden");
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    test_answer answer;
    ask(server.port, "GET", "/v1/cubes", NULL, NULL, &answer);
    cr_assert_eq(strncmp(answer_header(&answer, "X-Snapshot"), "6-", 2), 0);
    answer_release(&answer);
    for (size_t i = 0; i < NTARGETS; i++)
        answer_release(&expected[i]);
    fixture_stop(&server);
}

/* ---- too many ---- */

enum { NCLIENTS = 24 };
static atomic_uint nanswered, nrefused, nother;

static void *ask_slowly(void *context)
{
    (void)context;
    test_answer answer;
    ask(server.port, "GET", SLOW, NULL, NULL, &answer);
    if (answer.status == 200) {
        atomic_fetch_add(&nanswered, 1);
    } else if (answer.status == 503 && strcmp(answer_header(&answer, "Retry-After"), "1") == 0 &&
               strstr(answer.body.data, "\"busy\"") != NULL) {
        atomic_fetch_add(&nrefused, 1);
    } else {
        atomic_fetch_add(&nother, 1);
    }
    answer_release(&answer);
    return NULL;
}

static void run_slow_clients(pthread_t threads[NCLIENTS])
{
    for (size_t i = 0; i < NCLIENTS; i++)
        pthread_create(&threads[i], NULL, ask_slowly, NULL);
}

/* One runs, one waits, the others are told to come again; and cheap ones pass them all. */
Test(busy, a_full_queue_refuses)
{
    vc_server_options options = {.dear_facts = 1000, .nworkers = 1, .queue_length = 1};
    fixture_start(&server, "samples/world", &options);
    pthread_t threads[NCLIENTS];
    run_slow_clients(threads);
    test_answer answer;
    ask(server.port, "GET", "/v1/cubes/world/dimensions/geo/members?limit=1", NULL, NULL, &answer);
    cr_assert_eq(answer.status, 200);
    answer_release(&answer);
    for (size_t i = 0; i < NCLIENTS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(atomic_load(&nother), 0);
    cr_assert_geq(atomic_load(&nanswered), 2);
    cr_assert_geq(atomic_load(&nrefused), 1);
    cr_assert_eq(atomic_load(&nanswered) + atomic_load(&nrefused), NCLIENTS);
    fixture_stop(&server);
}

Test(busy, with_room_all_are_answered)
{
    vc_server_options options = {.dear_facts = 1000, .nworkers = 2, .queue_length = 2 * NCLIENTS};
    fixture_start(&server, "samples/world", &options);
    pthread_t threads[NCLIENTS];
    run_slow_clients(threads);
    for (size_t i = 0; i < NCLIENTS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(atomic_load(&nanswered), NCLIENTS);
    fixture_stop(&server);
}

/* One dashboard asks for more than the server can do; another one finds a place in the queue, and
 * is not served after all that waits of the first. */
Test(busy, a_greedy_client_holds_up_no_other)
{
    vc_server_options options = {.dear_facts = 1000, .nworkers = 1, .queue_length = 8};
    fixture_start(&server, "samples/world", &options);
    pthread_t threads[NCLIENTS];
    atomic_store(&nanswered, 0);
    atomic_store(&nrefused, 0);
    run_slow_clients(threads);
    while (atomic_load(&nrefused) == 0) /* it has its share */
        pause_ms(1);
    unsigned before = atomic_load(&nanswered);
    test_answer answer;
    ask(server.port, "GET", SLOW, "User-Agent: another\r\n", NULL, &answer);
    cr_assert_eq(answer.status, 200, "%u", answer.status);
    cr_assert_leq(atomic_load(&nanswered), before + 2);
    answer_release(&answer);
    for (size_t i = 0; i < NCLIENTS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(atomic_load(&nother), 0);
    fixture_stop(&server);
}

/* ---- leaving ---- */

/* Clients that do not wait for their answers leave nothing behind: the server can be stopped. */
Test(busy, clients_that_leave)
{
    static const char request[] = "GET " SLOW " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    vc_server_options options = {.dear_facts = 1000, .queue_length = 64};
    fixture_start(&server, "samples/world", &options);
    for (int i = 0; i < 30; i++) {
        int fd = client_open(server.port);
        client_send(fd, request, sizeof request - 1);
        if (i % 3 == 0) pause_ms(10);
        close(fd);
    }
    test_answer answer;
    ask(server.port, "GET", "/v1/cubes/world/aggregate", NULL, NULL, &answer);
    cr_assert_eq(answer.status, 200);
    answer_release(&answer);
    fixture_stop(&server);
}

/* Large answers arrive whole; who does not take them is cut off, and holds nothing meanwhile. */
Test(busy, clients_that_do_not_read)
{
    static const char request[] = "GET " SLOW " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    vc_server_options options = {.answer_timeout_ms = 1000, .queue_length = 64};
    fixture_start(&server, "samples/world", &options);
    test_answer quick, slow;
    int fd = client_open_narrow(server.port);
    client_send(fd, request, sizeof request - 1);
    ask(server.port, "GET", SLOW, NULL, NULL, &quick);
    cr_assert_eq(quick.status, 200);
    cr_assert_gt(quick.body.size, 1000000);
    cr_assert_eq(memcmp(quick.body.data + quick.body.size - 3, "]}\n", 3), 0);
    sleep(2);
    client_read(fd, false, &slow);
    cr_assert_eq(slow.status, 0);
    cr_assert_lt(slow.body.size, quick.body.size);
    answer_release(&quick);
    answer_release(&slow);
    close(fd);
    fixture_stop(&server);
}

/* ---- the end ---- */

Test(busy, stop_when_idle_is_quick)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    fixture_start(&server, "samples/golden", NULL);
    test_answer answer;
    int fd = client_open(server.port);
    client_send(fd, request, sizeof request - 1);
    client_read(fd, false, &answer);
    answer_release(&answer);
    double began_ms = now_ms();
    fixture_stop(&server); /* though a connection is kept alive */
    cr_assert_lt(now_ms() - began_ms, 3000);
    close(fd);
}

static void *ask_until_the_end(void *context)
{
    atomic_uint *nbroken = context;
    for (;;) {
        static const char request[] =
            "GET /v1/cubes/golden_left/aggregate?drilldown=country HTTP/1.1\r\n"
            "Host: localhost\r\n\r\n";
        int fd = client_open_or_fail(server.port);
        if (fd < 0) return NULL; /* it listens no more */
        for (bool has_ended = false; !has_ended;) {
            test_answer answer;
            client_send(fd, request, sizeof request - 1);
            client_read(fd, false, &answer);
            /* No answer at all is a connection closed between two requests. Half of one is not. */
            if (answer.status != 200 && answer.head.size > 0) atomic_fetch_add(nbroken, 1);
            has_ended = answer.has_ended || answer.status != 200;
            answer_release(&answer);
        }
        close(fd);
    }
}

Test(busy, stop_under_load)
{
    vc_server_options options = {.dear_facts = 1};
    fixture_start(&server, "samples/golden", &options);
    pthread_t threads[NTHREADS];
    atomic_uint nbroken = 0;
    for (size_t i = 0; i < NTHREADS; i++)
        pthread_create(&threads[i], NULL, ask_until_the_end, &nbroken);
    pause_ms(300);
    double began_ms = now_ms();
    vc_server_stop(server.server);
    cr_assert_lt(now_ms() - began_ms, 5000);
    for (size_t i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(atomic_load(&nbroken), 0);
    server.server = NULL;
    fixture_stop(&server);
}

/* With no grace at all, what runs and waits is cancelled and told so. */
Test(busy, stop_without_grace)
{
    vc_server_options options = {
        .dear_facts = 1000, .nworkers = 1, .queue_length = NCLIENTS, .grace_ms = 1};
    fixture_start(&server, "samples/world", &options);
    pthread_t threads[NCLIENTS];
    run_slow_clients(threads);
    pause_ms(100);
    vc_server_stop(server.server);
    for (size_t i = 0; i < NCLIENTS; i++)
        pthread_join(threads[i], NULL);
    server.server = NULL;
    fixture_stop(&server);
}
