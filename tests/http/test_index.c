/* The first page: what it offers works. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static test_server server;

/* Follow every address on it; how many there are. */
static size_t follow_links(const char *folder)
{
    test_answer page, answer;
    size_t nlinks = 0;
    ask(server.port, "GET", "/", NULL, NULL, &page);
    cr_assert_eq(page.status, 200);
    cr_assert_null(strstr(page.body.data, "It cannot be asked"));
    for (const char *at = page.body.data; (at = strstr(at, "href=\"")) != NULL; nlinks++) {
        char target[1000];
        size_t size = 0;
        for (at += 6; *at != '"' && size < sizeof target - 1; at++) {
            target[size++] = *at;
            if (strncmp(at, "&amp;", 5) == 0) at += 4;
        }
        target[size] = '\0';
        ask(server.port, "GET", target, NULL, NULL, &answer);
        cr_assert_eq(answer.status, 200, "%s: %s: %u %s", folder, target, answer.status,
                     answer.body.data);
        if (strstr(target, "/aggregate?") != NULL && strstr(target, "format=records") != NULL)
            cr_assert_not_null(strstr(answer.body.data, "\"cells\":[{"), "%s is empty", target);
        answer_release(&answer);
    }
    answer_release(&page);
    return nlinks;
}

/* Whatever cubes there are: also with dimensions that have no All, and measures along one. */
Test(first_page, links)
{
    static const char *const folders[] = {"samples/golden", "samples/world", "samples/retail",
                                          "tests/data/fixture/choices",
                                          "tests/data/fixture/stocks"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        fixture_start(&server, folders[i], NULL);
        cr_assert_gt(follow_links(folders[i]), 20);
        fixture_stop(&server);
    }
}
