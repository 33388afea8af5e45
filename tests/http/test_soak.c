/* A short soak: asked, loaded and defined anew for some seconds, a server does not grow. The long
 * one is bench/safety/soak.py. */
#include "fixture.h"
#include "http/connections.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NCLIENTS = 4, WARM_MS = 4000, RUN_MS = 8000, MAX_GROWTH_BYTES = 1 << 20 };

static test_server server;
static atomic_bool is_over;
static atomic_uint nasked, nwrong;

static const struct {
    const char *target;
    unsigned status;
} wanted[] = {
    {"/v1/cubes/golden_left/aggregate?drilldown=country", 200},
    {"/v1/cubes/golden_full/aggregate?drilldown=country&cache=off", 200},
    {"/v1/cubes/golden_full/aggregate?drilldown=country&format=csv&cache=off", 200},
    {"/v1/cubes/golden_sex/dimensions/country/members?q=a", 200},
    {"/v1/cubes/stats/facts?limit=3", 200},
    {"/v1/cubes/golden_left/coverage", 200},
    {"/v1/cubes/nope", 404},
    {"/v1/cubes/golden_left/aggregate?drilldown=nope", 404},
    {"/metrics", 200},
    {"/v1/cubes/stats/aggregate?cut=country:nowhere", 404},
};
enum { NWANTED = sizeof wanted / sizeof wanted[0] };

static void ask_one(int *fd, size_t number)
{
    char request[300];
    test_answer answer;
    int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                        wanted[number % NWANTED].target);
    if (*fd < 0) *fd = client_open(server.port);
    client_send(*fd, request, (size_t)size);
    client_read(*fd, false, &answer);
    if (answer.status != wanted[number % NWANTED].status) atomic_fetch_add(&nwrong, 1);
    answer_release(&answer);
    atomic_fetch_add(&nasked, 1);
    if (number % 50 == 49) { /* now and then another connection; some leave in the middle */
        if (number % 100 == 99) client_send(*fd, request, (size_t)size / 2 * (1 + number % 3 / 2));
        close(*fd);
        *fd = -1;
    }
}

static void *ask_on(void *context)
{
    int fd = -1;
    for (size_t i = (size_t)context; !atomic_load(&is_over); i++)
        ask_one(&fd, i);
    if (fd >= 0) close(fd);
    return NULL;
}

static void change_until(int64_t end_ms)
{
    static const char definition[] =
        "{\"name\":\"days\",\"kind\":\"source\",\"dimensions\":[{\"name\":\"day\",\"levels\":"
        "[{\"name\":\"day\",\"key\":\"day\"}]}],\"measures\":[{\"name\":\"n\",\"type\":\"int\","
        "\"aggregator\":\"sum\"}]}";
    static const char facts[] = "day,n\nD1,1\nD2,2\n";
    while (vc_clock_ms() < end_ms) {
        test_answer answer;
        send_body(server.port, "PUT", "/v1/cubes/days", NULL, "application/json", definition,
                  sizeof definition - 1, &answer);
        if (answer.status / 100 != 2) atomic_fetch_add(&nwrong, 1);
        answer_release(&answer);
        send_body(server.port, "POST", "/v1/cubes/days/load?mode=replace", NULL, "text/csv", facts,
                  sizeof facts - 1, &answer);
        if (answer.status != 200) atomic_fetch_add(&nwrong, 1);
        answer_release(&answer);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

static size_t used_bytes(void)
{
    malloc_trim(0);
    struct mallinfo2 heap = mallinfo2();
    return heap.uordblks + heap.hblkhd;
}

static int count_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    cr_assert_not_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

Test(soak, does_not_grow, .timeout = 60)
{
    /* Few answers are kept, so that those of old snapshots have gone when it is warm. */
    vc_server_options options = {.cache_bytes = 256 * 1024, .dear_facts = 1};
    pthread_t threads[NCLIENTS];
    fixture_start(&server, "samples/golden", &options);
    int nbefore = count_descriptors();
    for (size_t i = 0; i < NCLIENTS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, ask_on, (void *)(i * 3)), 0);
    change_until(vc_clock_ms() + WARM_MS);
    size_t warm = used_bytes();
    change_until(vc_clock_ms() + RUN_MS);
    size_t after = used_bytes();
    atomic_store(&is_over, true);
    for (size_t i = 0; i < NCLIENTS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(atomic_load(&nwrong), 0);
    cr_assert_gt(atomic_load(&nasked), 100);
    /* Sanitizers keep what is freed, and count nothing here. */
    cr_assert_leq(after, warm + MAX_GROWTH_BYTES, "%zu bytes, %zu when it was warm", after, warm);
    int nafter = 0;
    for (int i = 0; i < 100; i++) {
        nafter = count_descriptors();
        if (nafter <= nbefore + 2) break;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    cr_assert_leq(nafter, nbefore + 2);
    fixture_stop(&server);
}
