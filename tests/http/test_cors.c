/* Which pages may read answers: those of origins on the list, whatever the answer is. */
#include "fixture.h"
#include "http/cors.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

static test_server server;

struct origin_case {
    char origin[48];
    bool is_good;
};

ParameterizedTestParameters(cors, origins)
{
    static struct origin_case cases[] = {
        {"http://localhost:3000", true},
        {"https://bi.example.org", true},
        {"http://127.0.0.1:8081", true},
        {"http://[::1]:8081", true},
        {"https://xn--bcher-kva.example", true},
        {"app://obsidian.md", true},
        {"http://a:443", true},
        {"*", false},
        {"null", false},
        {"", false},
        {"http://", false},
        {"//a", false},
        {"http:a", false},
        {"http://a/", false},
        {"http://A", false},
        {"HTTP://a", false},
        {"http://u@a", false},
        {"http://*.a", false},
        {"http://a:80", false},
        {"https://a:443", false},
        {"http://a:", false},
        {"http://a:0", false},
        {"http://a:080", false},
        {"http://a:65536", false},
        {"http://a:1 ", false},
        {"http://[::1", false},
        {"http://a\r\nX: y", false},
    };
    return cr_make_param_array(struct origin_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct origin_case *c, cors, origins)
{
    vc_error error = {0};
    cr_assert_eq(vc_cors_check(c->origin, &error) == VC_OK, c->is_good, "'%s'", c->origin);
    if (!c->is_good) cr_assert_str_eq(error.code, "bad_origin");
}

static const char *const two_origins[] = {"http://a.example:3000", "https://b.example"};

#define ORIGIN_A    "Origin: http://a.example:3000\r\n"
#define ORIGIN_B    "Origin: https://b.example\r\n"
#define ORIGIN_EVIL "Origin: https://evil.example\r\n"
#define SLICE       "/v1/cubes/golden_full/aggregate?drilldown=country&measures=pop,cpop"

static const char vary[] = "Accept, Accept-Encoding, Authorization, Origin";

static void check(const char *method, const char *target, const char *extra, unsigned status,
                  const char *origin, test_answer *answer)
{
    ask(server.port, method, target, extra, NULL, answer);
    cr_assert_eq(answer->status, status, "%s %s: %u", method, target, answer->status);
    cr_assert_str_eq(answer_header(answer, "Access-Control-Allow-Origin"), origin, "%s %s%s",
                     method, target, extra);
    cr_assert_str_eq(answer_header(answer, "Vary"), vary);
    cr_assert_eq(strlen(answer_header(answer, "Access-Control-Expose-Headers")) > 0,
                 origin[0] != '\0' && strcmp(method, "OPTIONS") != 0);
    cr_assert_str_eq(answer_header(answer, "Access-Control-Allow-Credentials"), "");
}

static void start(void)
{
    vc_server_options options = {.origins = two_origins, .norigins = 2};
    fixture_start(&server, "samples/golden", &options);
}

static void stop(void)
{
    fixture_stop(&server);
}

TestSuite(cors_served, .init = start, .fini = stop);

/* What is kept is kept for all: each is told its own origin, or nothing. */
Test(cors_served, kept_answers)
{
    static const struct {
        const char *extra, *origin;
    } cases[] = {
        {ORIGIN_A, "http://a.example:3000"},
        {ORIGIN_B, "https://b.example"},
        {ORIGIN_EVIL, ""},
        {"", ""},
        {"Origin: null\r\n", ""},
        {"Origin: http://a.example:30001\r\n", ""},
        {"Origin: http://a.example\r\n", ""},
        {"Origin: HTTP://a.example:3000\r\n", ""},
        {"Origin: http://a.example:3000, https://b.example\r\n", ""},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        test_answer answer;
        size_t at = i % (sizeof cases / sizeof cases[0]);
        check("GET", SLICE, cases[at].extra, 200, cases[at].origin, &answer);
        cr_assert_eq(strstr(answer_header(&answer, "Server-Timing"), "hit") != NULL, i > 0);
        answer_release(&answer);
    }
}

Test(cors_served, errors_and_304)
{
    test_answer answer;
    char extra[200];
    check("GET", "/v1/cubes/nothing", ORIGIN_A, 404, "http://a.example:3000", &answer);
    answer_release(&answer);
    check("GET", "/v1/cubes?x=1", ORIGIN_A, 400, "http://a.example:3000", &answer);
    answer_release(&answer);
    check("DELETE", "/v1/info", ORIGIN_A, 405, "http://a.example:3000", &answer);
    answer_release(&answer);
    check("GET", "/v1/cubes/%ff", ORIGIN_A, 400, "http://a.example:3000", &answer);
    answer_release(&answer);
    check("GET", "/v1/cubes/nothing", ORIGIN_EVIL, 404, "", &answer);
    answer_release(&answer);
    static const char *const targets[] = {"/v1/cubes", SLICE};
    for (size_t i = 0; i < 2; i++) {
        check("GET", targets[i], ORIGIN_B, 200, "https://b.example", &answer);
        snprintf(extra, sizeof extra, ORIGIN_A "If-None-Match: %s\r\n",
                 answer_header(&answer, "ETag"));
        answer_release(&answer);
        check("GET", targets[i], extra, 304, "http://a.example:3000", &answer);
        answer_release(&answer);
        check("HEAD", targets[i], ORIGIN_B, 200, "https://b.example", &answer);
        answer_release(&answer);
    }
}

Test(cors_served, preflight)
{
    test_answer answer;
    const char *asked = ORIGIN_A "Access-Control-Request-Method: POST\r\n"
                                 "Access-Control-Request-Headers: content-type\r\n";
    check("OPTIONS", "/v1/query", asked, 204, "http://a.example:3000", &answer);
    cr_assert_str_eq(answer_header(&answer, "Access-Control-Allow-Methods"), "POST, OPTIONS");
    cr_assert_not_null(
        strstr(answer_header(&answer, "Access-Control-Allow-Headers"), "Content-Type"));
    cr_assert_str_eq(answer_header(&answer, "Access-Control-Max-Age"), "600");
    answer_release(&answer);
    check("OPTIONS", "/v1/query", ORIGIN_EVIL "Access-Control-Request-Method: POST\r\n", 204, "",
          &answer);
    cr_assert_str_eq(answer_header(&answer, "Access-Control-Allow-Methods"), "");
    cr_assert_str_eq(answer_header(&answer, "Access-Control-Allow-Headers"), "");
    cr_assert_str_eq(answer_header(&answer, "Access-Control-Max-Age"), "");
    cr_assert_str_eq(answer_header(&answer, "Allow"), "POST, OPTIONS");
    answer_release(&answer);
}

Test(cors, nothing_without_a_list)
{
    test_answer answer;
    fixture_start(&server, "samples/golden", NULL);
    ask(server.port, "GET", "/v1/cubes", ORIGIN_A, NULL, &answer);
    cr_assert_eq(answer.status, 200);
    cr_assert_null(strstr(answer.head.data, "Access-Control"));
    cr_assert_str_eq(answer_header(&answer, "Vary"), "Accept, Accept-Encoding, Authorization");
    answer_release(&answer);
    fixture_stop(&server);
}

Test(cors, a_bad_list_starts_nothing)
{
    static const char *const origins[] = {"http://a", "*"};
    vc_error error = {0};
    vc_server *none = NULL;
    vc_server_options options = {.origins = origins, .norigins = 2};
    cr_assert_eq(vc_server_start(&options, &none, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "bad_origin");
}
