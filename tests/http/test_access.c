/* Who is let in: at every route, before anything is read or looked for. */
#include "access.h"
#include "fixture.h"
#include "http/route.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static test_access files;
static test_server server;
static vc_roles *roles;

static const char role_text[] =
    "{\"roles\": {"
    "\"admin\": {\"may\": [\"read\",\"load\",\"define\",\"backup\",\"metrics\"],"
    " \"cubes\": {\"*\": {}}},"
    "\"reader\": {\"may\": [\"read\"], \"cubes\": {\"*\": {}}},"
    "\"loader\": {\"may\": [\"load\"], \"cubes\": {\"*\": {}}},"
    "\"definer\": {\"may\": [\"define\"], \"cubes\": {\"*\": {}}},"
    "\"copier\": {\"may\": [\"backup\"], \"cubes\": {\"*\": {}}},"
    "\"watcher\": {\"may\": [\"metrics\"]},"
    "\"some\": {\"may\": [\"read\", \"load\"], \"cubes\": {\"golden_full\": {},"
    " \"stats\": {\"measures\": [\"pop\"]}}},"
    "\"towns\": {\"may\": [\"load\"], \"cubes\": {\"cities\": {}}},"
    "\"slow\": {\"may\": [\"read\"], \"cubes\": {\"*\": {}},"
    " \"rate\": {\"per_second\": 0.01, \"burst\": 3}}}%s}";

static char admin[VC_TOKEN_SIZE + 1];

static void start_with(const char *anonymous, const char *const *origins, size_t norigins)
{
    char text[2048];
    vc_error error = {0};
    snprintf(text, sizeof text, role_text, anonymous);
    access_start(&files, text);
    cr_assert_eq(vc_roles_open(files.roles, &roles, &error), VC_OK, "%s", error.message);
    access_token(&files, "admin", 0, admin);
    const vc_server_options options = {
        .roles = roles, .tokens_path = files.tokens, .origins = origins, .norigins = norigins};
    fixture_start(&server, "samples/golden", &options);
}

static void start(void)
{
    start_with("", NULL, 0);
}

static void stop(void)
{
    fixture_stop(&server);
    vc_roles_release(roles);
    access_stop(&files);
}

TestSuite(access, .init = start, .fini = stop, .timeout = 60);

/* The status; the body, if it is wanted, goes to `body`. */
static unsigned status_of(const char *method, const char *target, const char *headers,
                          const char *sent, char *code, size_t capacity)
{
    test_answer answer;
    ask(server.port, method, target, headers, sent, &answer);
    unsigned status = answer.status;
    if (code != NULL) {
        json_t *json = json_loads(answer.body.size > 0 ? answer.body.data : "{}", 0, NULL);
        snprintf(code, capacity, "%s", text_of(json, "code"));
        json_decref(json);
    }
    answer_release(&answer);
    return status;
}

/* Wait until the server has read the tokens as they are: it looks once a second. */
static void settle(void)
{
    char last[VC_TOKEN_SIZE + 1];
    access_token(&files, "reader", 0, last);
    for (int i = 0; i < 500 && status_of("GET", "/v1/cubes", bearer(last), NULL, NULL, 0) == 401;
         i++)
        usleep(20000);
    cr_assert_eq(status_of("GET", "/v1/cubes", bearer(last), NULL, NULL, 0), 200);
}

static void fill(const vc_route *route, char target[200])
{
    size_t size = 0;
    for (const char *at = route->template; *at != '\0';) {
        if (*at == '{') {
            size += (size_t)snprintf(target + size, 200 - size, "%s",
                                     strncmp(at, "{cube}", 6) == 0 ? "golden_full" : "x");
            at = strchr(at, '}') + 1;
        } else {
            target[size++] = *at++;
        }
    }
    target[size] = '\0';
}

static unsigned ask_route(const vc_route *route, const char *headers, char *code, size_t capacity)
{
    char target[200];
    fill(route, target);
    bool has_body = route->method == VC_METHOD_POST || route->method == VC_METHOD_PUT;
    return status_of(vc_method_name(route->method), target, headers, has_body ? "{}" : NULL, code,
                     capacity);
}

/* By the table of routes: a new one cannot be forgotten. */
Test(access, every_route_needs_a_token)
{
    size_t nopen = 0;
    for (size_t i = 0; vc_route_at(i) != NULL; i++) {
        const vc_route *route = vc_route_at(i);
        char code[64], target[200];
        bool is_open =
            strcmp(route->template, "/healthz") == 0 || strcmp(route->template, "/readyz") == 0;
        nopen += is_open;
        unsigned status = ask_route(route, NULL, code, sizeof code);
        cr_expect_eq(status, is_open ? 200 : 401, "%s: %u", route->template, status);
        if (!is_open) cr_expect_str_eq(code, "unauthorized");
        cr_expect_neq(ask_route(route, bearer(admin), code, sizeof code), 401, "%s",
                      route->template);
        cr_expect_str_neq(code, "forbidden", "%s", route->template);
        fill(route, target);
        for (int method = 0; method < VC_METHOD_COUNT && !is_open; method++)
            cr_expect_eq(status_of(vc_method_name((vc_method)method), target, NULL, NULL, NULL, 0),
                         401, "%s %s", vc_method_name((vc_method)method), target);
    }
    cr_expect_eq(nopen, 2);
    cr_expect_eq(status_of("GET", "/v1/nothing", NULL, NULL, NULL, 0), 401);
    cr_expect_eq(status_of("GET", "/v1/cubes/nothing", NULL, NULL, NULL, 0), 401);
    cr_expect_eq(status_of("GET", "/v1/nothing", bearer(admin), NULL, NULL, 0), 404);
}

/* What needs more than to read, by name: so a route whose right changes is seen. */
Test(access, which_right_is_needed)
{
    static const struct {
        vc_method method;
        const char *template;
        unsigned right;
    } others[] = {{VC_METHOD_GET, "/healthz", 0},
                  {VC_METHOD_GET, "/readyz", 0},
                  {VC_METHOD_GET, "/metrics", VC_MAY_METRICS},
                  {VC_METHOD_PUT, "/v1/cubes/{cube}", VC_MAY_DEFINE},
                  {VC_METHOD_DELETE, "/v1/cubes/{cube}", VC_MAY_DEFINE},
                  {VC_METHOD_POST, "/v1/cubes/{cube}/load", VC_MAY_LOAD},
                  {VC_METHOD_POST, "/v1/admin/backup", VC_MAY_BACKUP}};
    size_t nfound = 0;
    for (size_t i = 0; vc_route_at(i) != NULL; i++) {
        const vc_route *route = vc_route_at(i);
        unsigned right = VC_MAY_READ;
        for (size_t o = 0; o < sizeof others / sizeof others[0]; o++)
            if (route->method == others[o].method &&
                strcmp(route->template, others[o].template) == 0) {
                right = others[o].right;
                nfound++;
            }
        cr_expect_eq(vc_route_right(route), right, "%s %s", vc_method_name(route->method),
                     route->template);
    }
    cr_expect_eq(nfound, sizeof others / sizeof others[0]);
}

/* One right on each route: exactly those that need it are not forbidden. */
Test(access, each_right_opens_its_routes)
{
    static const struct {
        const char *role;
        unsigned right;
    } cases[] = {{"reader", VC_MAY_READ},
                 {"loader", VC_MAY_LOAD},
                 {"definer", VC_MAY_DEFINE},
                 {"copier", VC_MAY_BACKUP},
                 {"watcher", VC_MAY_METRICS}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        char token[VC_TOKEN_SIZE + 1], code[64];
        access_token(&files, cases[c].role, 0, token);
        settle();
        for (size_t i = 0; vc_route_at(i) != NULL; i++) {
            const vc_route *route = vc_route_at(i);
            unsigned right = vc_route_right(route);
            bool is_let = right == 0 || right == cases[c].right;
            unsigned status = ask_route(route, bearer(token), code, sizeof code);
            cr_expect_eq(strcmp(code, "forbidden") == 0, !is_let, "%s %s: %u %s", cases[c].role,
                         route->template, status, code);
            if (!is_let) cr_expect_eq(status, 403);
        }
    }
    cr_expect_eq(vc_route_right(vc_route_at(0)), VC_MAY_READ, "what says nothing is to be read");
}

static void strip_id(char *body)
{
    char *id = strstr(body, "\"request_id\"");
    if (id != NULL) *id = '\0';
}

/* One body, one status, whatever is wrong. */
Test(access, all_refusals_are_alike)
{
    char good[VC_TOKEN_SIZE + 1], expired[VC_TOKEN_SIZE + 1], revoked[VC_TOKEN_SIZE + 1],
        stray[VC_TOKEN_SIZE + 1], first[2048] = "";
    vc_error error = {0};
    access_token(&files, "reader", 0, good);
    access_token(&files, "reader", (int64_t)time(NULL) - 50, expired);
    access_token(&files, "nosuchrole", 0, stray);
    access_token(&files, "reader", 0, revoked);
    cr_assert_eq(vc_tokens_revoke(files.tokens, (vc_str){revoked + 4, VC_TOKEN_ID_SIZE}, 1, &error),
                 VC_OK);
    settle();
    cr_assert_eq(status_of("GET", "/v1/cubes", bearer(good), NULL, NULL, 0), 200);
    char upper[VC_TOKEN_SIZE + 1], cut[VC_TOKEN_SIZE + 1], longer[VC_TOKEN_SIZE + 2],
        unknown[VC_TOKEN_SIZE + 1], wrong[VC_TOKEN_SIZE + 1], basic[100], raw[100],
        headers[24][200];
    for (size_t i = 0; i <= VC_TOKEN_SIZE; i++)
        upper[i] = good[i] >= 'a' && good[i] <= 'z' ? (char)(good[i] - 32) : good[i];
    snprintf(cut, sizeof cut, "%.*s", VC_TOKEN_SIZE - 1, good);
    snprintf(longer, sizeof longer, "%sA", good);
    memcpy(unknown, good, sizeof good);
    unknown[4] = unknown[4] == '0' ? '1' : '0';
    memcpy(wrong, good, sizeof good);
    wrong[40] = wrong[40] == 'A' ? 'B' : 'A';
    snprintf(basic, sizeof basic, "Authorization: Basic %s\r\n", good);
    snprintf(raw, sizeof raw, "Authorization: %s\r\n", good);
    const char *const tokens[] = {"",      " ",   "x",     upper,   cut,  longer,
                                  unknown, wrong, expired, revoked, stray};
    size_t n = 0;
    for (; n < sizeof tokens / sizeof tokens[0]; n++)
        snprintf(headers[n], sizeof headers[n], "%s", bearer(tokens[n]));
    snprintf(headers[n++], sizeof headers[0], "%s", basic);
    snprintf(headers[n++], sizeof headers[0], "%s", raw);
    snprintf(headers[n++], sizeof headers[0], "Authorization:\r\n");
    snprintf(headers[n++], sizeof headers[0], "Authorization: Bearer\r\n");
    snprintf(headers[n++], sizeof headers[0], "Authorization: Bearer%s\r\n", good);
    snprintf(headers[n++], sizeof headers[0], "Authorization: Bearer %s %s\r\n", good, good);
    snprintf(headers[n++], sizeof headers[0], "Authorization: Bearer \"%s\"\r\n", good);
    snprintf(headers[n++], sizeof headers[0], "Cookie: token=%s\r\n", good);
    for (size_t i = 0; i < n; i++) {
        test_answer answer;
        ask(server.port, "GET", "/v1/cubes", headers[i], NULL, &answer);
        cr_expect_eq(answer.status, 401, "%s", headers[i]);
        cr_expect_str_eq(answer_header(&answer, "WWW-Authenticate"), "Bearer realm=\"vcube\"");
        cr_expect_str_eq(answer_header(&answer, "Cache-Control"), "private, no-cache");
        strip_id(answer.body.data);
        if (i == 0) snprintf(first, sizeof first, "%s", answer.body.data);
        cr_expect_str_eq(answer.body.data, first, "%s", headers[i]);
        answer_release(&answer);
    }
    /* The scheme's name is of any case, blanks may be more. */
    char other[200];
    snprintf(other, sizeof other, "authorization: bEARER   %s\r\n", good);
    cr_expect_eq(status_of("GET", "/v1/cubes", other, NULL, NULL, 0), 200);
    snprintf(other, sizeof other, "%s%s", headers[0], bearer(good));
    cr_expect_eq(status_of("GET", "/v1/cubes", other, NULL, NULL, 0), 400, "twice");
    /* Cube's client sends it alone, there and nowhere else. */
    cr_expect_eq(status_of("GET", "/cubejs-api/v1/meta", raw, NULL, NULL, 0), 200);
    cr_expect_eq(status_of("GET", "/cubejs-api/v1/meta", bearer(good), NULL, NULL, 0), 200);
    cr_expect_eq(status_of("GET", "/cubejs-api/v1/meta", NULL, NULL, NULL, 0), 401);
}

Test(access, tokens_change_while_it_runs)
{
    char token[VC_TOKEN_SIZE + 1];
    access_token(&files, "reader", 0, token);
    settle();
    cr_assert_eq(status_of("GET", "/v1/cubes", bearer(token), NULL, NULL, 0), 200);
    /* A file that cannot be read changes nothing. */
    cr_assert_eq(chmod(files.tokens, 0644), 0);
    usleep(1500000); /* the server looks once a second */
    cr_expect_eq(status_of("GET", "/v1/cubes", bearer(token), NULL, NULL, 0), 200);
    cr_assert_eq(chmod(files.tokens, 0600), 0);
    cr_assert_eq(vc_tokens_revoke(files.tokens, (vc_str){token + 4, VC_TOKEN_ID_SIZE}, 1, NULL),
                 VC_OK);
    int waited_ms = 0;
    while (status_of("GET", "/v1/cubes", bearer(token), NULL, NULL, 0) == 200 && waited_ms < 5000) {
        usleep(50000);
        waited_ms += 50;
    }
    cr_expect_lt(waited_ms, 2000, "%d ms", waited_ms);
    cr_expect_eq(status_of("GET", "/v1/cubes", bearer(admin), NULL, NULL, 0), 200);
}

Test(access, tokens_in_addresses_are_refused)
{
    static const char *const names[] = {"token", "access_token", "API_KEY", "Authorization"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char target[200], code[64];
        snprintf(target, sizeof target, "/v1/cubes?%s=%s", names[i], admin);
        cr_expect_eq(status_of("GET", target, NULL, NULL, code, sizeof code), 400);
        cr_expect_str_eq(code, "token_in_url");
        cr_expect_eq(status_of("GET", target, bearer(admin), NULL, code, sizeof code), 400);
        cr_expect_str_eq(code, "token_in_url");
    }
}

#define SLICE "/v1/cubes/golden_full/aggregate?drilldown=country&measures=pop"

/* A kept answer, its tag and its words are of those who may see the same. */
Test(access, what_is_kept_is_kept_by_role)
{
    char some[VC_TOKEN_SIZE + 1], reader[VC_TOKEN_SIZE + 1], extra[300], tag[64];
    access_token(&files, "some", 0, some);
    access_token(&files, "reader", 0, reader);
    settle();
    test_answer answer;
    for (int i = 0; i < 3; i++) {
        ask(server.port, "GET", SLICE, bearer(admin), NULL, &answer);
        cr_assert_eq(answer.status, 200);
        cr_expect_eq(strstr(answer_header(&answer, "Server-Timing"), "cache") != NULL, i > 0);
        snprintf(tag, sizeof tag, "%s", answer_header(&answer, "ETag"));
        answer_release(&answer);
    }
    /* Who sees the same has the same. */
    ask(server.port, "GET", SLICE, bearer(reader), NULL, &answer);
    cr_expect_not_null(strstr(answer_header(&answer, "Server-Timing"), "cache"));
    answer_release(&answer);
    /* Who sees less has their own, under a tag of its own. */
    snprintf(extra, sizeof extra, "%sIf-None-Match: %s\r\n", bearer(some), tag);
    for (int i = 0; i < 2; i++) {
        ask(server.port, "GET", SLICE, extra, NULL, &answer);
        cr_expect_eq(answer.status, 200, "not 304");
        cr_expect_eq(strstr(answer_header(&answer, "Server-Timing"), "cache") != NULL, i > 0);
        cr_expect_str_neq(answer_header(&answer, "ETag"), tag);
        cr_expect_not_null(strstr(answer_header(&answer, "Vary"), "Authorization"));
        answer_release(&answer);
    }
    /* Without a token what is kept is not there, and no tag says whether it would be right. */
    snprintf(extra, sizeof extra, "If-None-Match: %s\r\n", tag);
    cr_expect_eq(status_of("GET", SLICE, extra, NULL, NULL, 0), 401);
    cr_expect_eq(status_of("GET", SLICE, NULL, NULL, NULL, 0), 401);
}

/* Nothing of a body is kept for who is not let in. */
Test(access, before_the_body)
{
    enum { NBYTES = 200000 };
    static char body[NBYTES];
    test_answer answer;
    memset(body, 'x', sizeof body);
    send_body(server.port, "POST", "/v1/cubes/stats/load", NULL, "text/csv", body, sizeof body,
              &answer);
    cr_expect_eq(answer.status, 401);
    answer_release(&answer);
    /* Who asks whether it may send is told at once, and so is who announces too much. */
    static const char *const heads[] = {"Expect: 100-continue\r\nContent-Length: 1000000\r\n",
                                        "Content-Length: 4000000000\r\n"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        char request[300];
        int size = snprintf(request, sizeof request,
                            "POST /v1/cubes/stats/load HTTP/1.1\r\nHost: localhost\r\n"
                            "Content-Type: text/csv\r\n%s\r\n",
                            heads[i]);
        int fd = client_open(server.port);
        client_send(fd, request, (size_t)size);
        client_read(fd, false, &answer);
        cr_expect_eq(answer.status, 401, "%s", heads[i]);
        cr_expect(client_is_closed(fd, 2000));
        close(fd);
        answer_release(&answer);
    }
}

Test(access, loads_go_into_whole_cubes)
{
    static const char rows[] = "country,pop\nFR,1\n";
    char some[VC_TOKEN_SIZE + 1];
    static const struct {
        const char *cube, *code;
        unsigned status;
    } cases[] = {{"stats", "forbidden", 403},
                 {"cities", "unknown_cube", 404},
                 {"nothing", "unknown_cube", 404},
                 {"golden_full", "not_a_source", 422}};
    access_token(&files, "some", 0, some);
    settle();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char target[100];
        test_answer answer;
        snprintf(target, sizeof target, "/v1/cubes/%s/load", cases[i].cube);
        send_body(server.port, "POST", target, bearer(some), "text/csv", rows, sizeof rows - 1,
                  &answer);
        json_t *json = json_of(&answer, cases[i].status);
        cr_expect_str_eq(text_of(json, "code"), cases[i].code);
        cr_expect_null(json_object_get(json, "candidates"));
        json_decref(json);
    }
}

/* What a load would break is not named to who may not see it. */
Test(access, loads_tell_of_no_hidden_cube)
{
    static const char hidden[] =
        "{\"name\":\"hidden\",\"kind\":\"virtual\",\"primary\":\"stats\",\"sources\":["
        "{\"alias\":\"stats\",\"cube\":\"stats\"},"
        "{\"alias\":\"towns\",\"cube\":\"cities\",\"join\":{\"kind\":\"left\",\"min_coverage\":0.6,"
        "\"on\":[{\"dim\":\"country\",\"index\":\"iso2\",\"to_dim\":\"city\",\"to_index\":\"ciso\","
        "\"normalize\":{\"both\":[\"trim\",{\"codelist\":{\"list\":\"iso3166-1\",\"to\":\"alpha3\"}"
        "}]}}]}}],"
        "\"measures\":[{\"name\":\"pop\",\"source\":\"stats\",\"measure\":\"pop\"}]}";
    static const char rows[] = "city,ciso,cpop\nA,QA1,1\nB,QA2,1\nC,QA3,1\nD,QA4,1\nE,QA5,1\n"
                               "F,QA6,1\nG,QA7,1\n";
    char towns[VC_TOKEN_SIZE + 1], code[64];
    test_answer answer;
    access_token(&files, "towns", 0, towns);
    settle();
    cr_assert_eq(status_of("PUT", "/v1/cubes/hidden", bearer(admin), hidden, code, sizeof code),
                 201, "%s", code);
    send_body(server.port, "POST", "/v1/cubes/cities/load", bearer(admin), "text/csv", rows,
              sizeof rows - 1, &answer);
    cr_expect_not_null(strstr(answer.body.data, "'hidden'"), "%s", answer.body.data);
    cr_expect_geq(answer.status, 400);
    answer_release(&answer);
    send_body(server.port, "POST", "/v1/cubes/cities/load", bearer(towns), "text/csv", rows,
              sizeof rows - 1, &answer);
    cr_expect_eq(answer.status, 409);
    cr_expect_not_null(strstr(answer.body.data, "has_dependents"), "%s", answer.body.data);
    static const char *const secrets[] = {"hidden", "towns", "stats", "country", "coverage"};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        cr_expect_null(strstr(answer.body.data, secrets[i]), "%s: %s", secrets[i],
                       answer.body.data);
    answer_release(&answer);
    /* What fits is loaded all the same. */
    send_body(server.port, "POST", "/v1/cubes/cities/load", bearer(towns), "text/csv",
              "city,ciso,cpop\nNice,FR,1\n", 25, &answer);
    cr_expect_eq(answer.status, 200, "%s", answer.body.data);
    answer_release(&answer);
}

Test(access, rates)
{
    char slow[VC_TOKEN_SIZE + 1], other[VC_TOKEN_SIZE + 1];
    access_token(&files, "slow", 0, slow);
    access_token(&files, "slow", 0, other);
    settle();
    for (int i = 0; i < 3; i++)
        cr_expect_eq(status_of("GET", "/v1/cubes", bearer(slow), NULL, NULL, 0), 200);
    for (int i = 0; i < 3; i++) {
        test_answer answer;
        ask(server.port, "GET", "/v1/cubes", bearer(slow), NULL, &answer);
        cr_expect_eq(answer.status, 429);
        int wait_s = atoi(answer_header(&answer, "Retry-After"));
        cr_expect(wait_s >= 95 && wait_s <= 100, "%d", wait_s);
        json_t *json = json_of(&answer, 429);
        cr_expect_str_eq(text_of(json, "code"), "rate_limited");
        json_decref(json);
    }
    cr_expect_eq(status_of("GET", "/v1/cubes", bearer(other), NULL, NULL, 0), 200, "of its own");
    cr_expect_eq(status_of("GET", "/healthz", bearer(slow), NULL, NULL, 0), 200);
    /* What is used stays used when the file changes. */
    char more[VC_TOKEN_SIZE + 1];
    access_token(&files, "reader", 0, more);
    settle();
    cr_expect_eq(status_of("GET", "/v1/cubes", bearer(more), NULL, NULL, 0), 200);
    cr_expect_eq(status_of("GET", "/v1/cubes", bearer(slow), NULL, NULL, 0), 429);
}

/* ---- with a role for those without a token ---- */

static const char *const origins[] = {"https://bi.example.org"};

static void start_anonymous(void)
{
    start_with(", \"anonymous\": \"reader\"", origins, 1);
}

TestSuite(access_anonymous, .init = start_anonymous, .fini = stop, .timeout = 60);

Test(access_anonymous, has_its_role)
{
    char code[64], wrong[VC_TOKEN_SIZE + 1];
    memcpy(wrong, admin, sizeof wrong);
    wrong[30] = wrong[30] == 'A' ? 'B' : 'A';
    cr_expect_eq(status_of("GET", SLICE, NULL, NULL, NULL, 0), 200);
    cr_expect_eq(status_of("GET", SLICE, bearer(wrong), NULL, NULL, 0), 401, "wrong all the same");
    cr_expect_eq(status_of("GET", SLICE, "Authorization:\r\n", NULL, NULL, 0), 401);
    cr_expect_eq(status_of("GET", "/metrics", NULL, NULL, code, sizeof code), 403);
    cr_expect_str_eq(code, "forbidden");
    cr_expect_eq(status_of("GET", "/metrics", bearer(admin), NULL, NULL, 0), 200);
}

/* A browser asks without a token whether its page may send one. */
Test(access_anonymous, preflight)
{
    test_answer answer;
    ask(server.port, "OPTIONS", "/v1/query",
        "Origin: https://bi.example.org\r\nAccess-Control-Request-Method: POST\r\n"
        "Access-Control-Request-Headers: authorization\r\n",
        NULL, &answer);
    cr_expect_eq(answer.status, 204);
    cr_expect_not_null(
        strstr(answer_header(&answer, "Access-Control-Allow-Headers"), "Authorization"));
    cr_expect_str_eq(answer_header(&answer, "Access-Control-Allow-Origin"),
                     "https://bi.example.org");
    answer_release(&answer);
}

static void start_cors(void)
{
    start_with("", origins, 1);
}

TestSuite(access_cors, .init = start_cors, .fini = stop, .timeout = 60);

Test(access_cors, preflight_of_listed_origins_only)
{
    static const char asks[] = "Access-Control-Request-Method: POST\r\n";
    char headers[200];
    snprintf(headers, sizeof headers, "Origin: https://bi.example.org\r\n%s", asks);
    cr_expect_eq(status_of("OPTIONS", "/v1/query", headers, NULL, NULL, 0), 204);
    cr_expect_eq(status_of("POST", "/v1/query", headers, "{}", NULL, 0), 401);
    snprintf(headers, sizeof headers, "Origin: https://evil.example.org\r\n%s", asks);
    cr_expect_eq(status_of("OPTIONS", "/v1/query", headers, NULL, NULL, 0), 401);
    cr_expect_eq(status_of("OPTIONS", "/v1/query", NULL, NULL, NULL, 0), 401);
    /* The page is to read why. */
    test_answer answer;
    ask(server.port, "GET", "/v1/cubes", "Origin: https://bi.example.org\r\n", NULL, &answer);
    cr_expect_eq(answer.status, 401);
    cr_expect_str_eq(answer_header(&answer, "Access-Control-Allow-Origin"),
                     "https://bi.example.org");
    answer_release(&answer);
}

/* ---- starting ---- */

Test(access_options, nobody_could_ask)
{
    vc_roles *none;
    vc_error error = {0};
    vc_server *never;
    access_start(&files, "{\"roles\": {\"a\": {\"may\": [\"read\"]}}}");
    cr_assert_eq(vc_roles_open(files.roles, &none, &error), VC_OK);
    vc_server_options options = {.roles = none};
    cr_expect_eq(vc_server_start(&options, &never, &error), VC_BAD_INPUT);
    cr_expect_str_eq(error.code, "nobody_let_in");
    options = (vc_server_options){.tokens_path = files.tokens};
    cr_expect_eq(vc_server_start(&options, &never, &error), VC_BAD_INPUT);
    cr_expect_str_eq(error.code, "nobody_let_in");
    options = (vc_server_options){.roles = none, .tokens_path = files.tokens};
    cr_expect_eq(vc_server_start(&options, &never, &error), VC_NOT_FOUND);
    cr_expect_str_eq(error.code, "missing_file");
    static const char *const bad[] = {"a b", "", "a:80", "http://a", "*", "[::1", "[]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options = (vc_server_options){.hosts = &bad[i], .nhosts = 1};
        cr_expect_eq(vc_server_start(&options, &never, &error), VC_BAD_INPUT, "%s", bad[i]);
        cr_expect_str_eq(error.code, "bad_host_name");
    }
    vc_roles_release(none);
    access_stop(&files);
}

Test(access_options, hosts)
{
    static const char *const hosts[] = {"cubes.example.org", "[2001:db8::1]"};
    static const struct {
        const char *host;
        unsigned status;
    } cases[] = {{"cubes.example.org", 200},      {"CUBES.example.org:8443", 200},
                 {"[2001:db8::1]:80", 200},       {"localhost", 200},
                 {"cubes.example.org.evil", 400}, {"xcubes.example.org", 400},
                 {"cubes.example.org:x", 400},    {"example.org", 400},
                 {"[2001:db8::2]", 400}};
    const vc_server_options options = {.hosts = hosts, .nhosts = 2};
    fixture_start(&server, NULL, &options);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char request[200];
        test_answer answer;
        int fd = client_open(server.port);
        int size = snprintf(request, sizeof request, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n",
                            cases[i].host);
        client_send(fd, request, (size_t)size);
        client_read(fd, false, &answer);
        cr_expect_eq(answer.status, cases[i].status, "%s: %u", cases[i].host, answer.status);
        answer_release(&answer);
        close(fd);
    }
    fixture_stop(&server);
}
