/* What holds for every route: HEAD, OPTIONS, and parameters that nobody knows. */
#include "fixture.h"
#include "http/route.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static test_server server;

static void start(void)
{
    fixture_start(&server, "samples/golden", NULL);
}

static void stop(void)
{
    fixture_stop(&server);
}

TestSuite(routes, .init = start, .fini = stop, .timeout = 60);

/* An address of the route over the golden samples, that answers 200 where it is a GET. */
static void fill(const vc_route *route, char target[200])
{
    static const struct {
        const char *name, *value;
    } values[] = {{"{cube}", "golden_left"},
                  {"{dimension}", "country"},
                  {"{index}", "iso2"},
                  {"{source}", "cities"}};
    static const struct {
        const char *end, *parameters;
    } needed[] = {
        {"/cell", "measure=pop"}, {"/indexes/iso2", "key=FR"}, {"/suggest", "with=cities"}};
    size_t size = 0;
    for (const char *at = route->template; *at != '\0';) {
        size_t used = 0;
        for (size_t i = 0; i < sizeof values / sizeof values[0] && used == 0; i++)
            if (strncmp(at, values[i].name, strlen(values[i].name)) == 0) {
                used = strlen(values[i].name);
                size += (size_t)snprintf(target + size, 200 - size, "%s", values[i].value);
            }
        if (used == 0) target[size++] = *at;
        at += used > 0 ? used : 1;
    }
    target[size] = '\0';
    if (strstr(target, "/suggest") != NULL) snprintf(target, 200, "/v1/cubes/stats/suggest");
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        size_t end = strlen(needed[i].end), all = strlen(target);
        if (all >= end && strcmp(target + all - end, needed[i].end) == 0)
            snprintf(target + all, 200 - all, "?%s", needed[i].parameters);
    }
}

/* What other servers' clients ask takes parameters as those servers do. */
static bool is_dialect(const char *target)
{
    return strncmp(target, "/mondrian-rest", 14) == 0 || strncmp(target, "/cubejs-api", 11) == 0;
}

/* Headers that are of this very exchange. */
static bool is_of_exchange(const char *name)
{
    return strcmp(name, "X-Request-Id") == 0 || strcmp(name, "Server-Timing") == 0 ||
           strcmp(name, "Date") == 0;
}

static void check_same_headers(const char *target, const test_answer *get, const test_answer *head)
{
    for (const char *line = strstr(get->head.data, "\r\n") + 2; *line != '\r' && *line != '\0';
         line = strstr(line, "\r\n") + 2) {
        char name[64], value[1024];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(line, ":"), line);
        snprintf(value, sizeof value, "%s", answer_header(get, name));
        if (is_of_exchange(name)) continue;
        /* Counts of requests, and a problem that names its request, have no fixed length. */
        if (strcmp(name, "Content-Length") == 0 &&
            (strcmp(target, "/metrics") == 0 || get->status != 200))
            continue;
        cr_assert_str_eq(answer_header(head, name), value, "HEAD %s: %s", target, name);
    }
}

Test(routes, head_is_get_without_the_body)
{
    for (size_t i = 0; vc_route_at(i) != NULL; i++) {
        char target[200];
        test_answer get, head;
        if (vc_route_at(i)->method != VC_METHOD_GET) continue;
        fill(vc_route_at(i), target);
        ask(server.port, "GET", target, NULL, NULL, &get);
        ask(server.port, "HEAD", target, NULL, NULL, &head);
        if (!is_dialect(target))
            cr_assert_eq(get.status, 200, "%s: %u %s", target, get.status, get.body.data);
        cr_assert_eq(head.status, get.status, "HEAD %s: %u", target, head.status);
        cr_assert_eq(head.body.size, 0);
        check_same_headers(target, &get, &head);
        answer_release(&get);
        answer_release(&head);
    }
}

static bool has_method(const char *allow, vc_method method)
{
    char list[100], wanted[20];
    snprintf(list, sizeof list, ", %s,", allow);
    snprintf(wanted, sizeof wanted, " %s,", vc_method_name(method));
    return strstr(list, wanted) != NULL;
}

/* OPTIONS and 405 both name the methods that the path takes, and all of these. */
Test(routes, allow)
{
    for (size_t i = 0; vc_route_at(i) != NULL; i++) {
        char target[200], allow[100];
        bool takes[VC_METHOD_COUNT] = {[VC_METHOD_OPTIONS] = true};
        for (size_t j = 0; vc_route_at(j) != NULL; j++)
            if (strcmp(vc_route_at(i)->template, vc_route_at(j)->template) == 0)
                takes[vc_route_at(j)->method] = true;
        takes[VC_METHOD_HEAD] = takes[VC_METHOD_GET];
        fill(vc_route_at(i), target);
        test_answer answer;
        ask(server.port, "OPTIONS", target, NULL, NULL, &answer);
        cr_assert_eq(answer.status, 204, "OPTIONS %s: %u", target, answer.status);
        snprintf(allow, sizeof allow, "%s", answer_header(&answer, "Allow"));
        answer_release(&answer);
        for (int method = 0; method < VC_METHOD_COUNT; method++) {
            cr_assert_eq(has_method(allow, (vc_method)method), takes[method], "%s %s: %s",
                         vc_method_name((vc_method)method), target, allow);
            if (takes[method]) continue;
            ask(server.port, vc_method_name((vc_method)method), target, NULL, NULL, &answer);
            cr_assert_eq(answer.status, 405, "%s %s: %u", vc_method_name((vc_method)method), target,
                         answer.status);
            cr_assert_str_eq(answer_header(&answer, "Allow"), allow);
            answer_release(&answer);
        }
    }
}

/* Never ignored, and where something like it is known it is named. */
Test(routes, unknown_parameters)
{
    for (size_t i = 0; vc_route_at(i) != NULL; i++) {
        const vc_route *route = vc_route_at(i);
        char target[200];
        test_answer answer;
        fill(route, target);
        if (is_dialect(target)) continue;
        size_t size = strlen(target);
        snprintf(target + size, sizeof target - size, "%climitt=1",
                 strchr(target, '?') ? '&' : '?');
        const char *method = vc_method_name(route->method);
        bool has_body = route->method == VC_METHOD_POST || route->method == VC_METHOD_PUT;
        if ((route->traits & VC_ROUTE_UPLOAD) != 0)
            send_body(server.port, method, target, NULL, "text/csv", "a\n", 2, &answer);
        else
            ask(server.port, method, target, NULL, has_body ? "{}" : NULL, &answer);
        cr_assert_eq(answer.status, 400, "%s: %u", target, answer.status);
        json_t *problem = json_loads(answer.body.data, 0, NULL);
        cr_assert_str_eq(text_of(problem, "code"), "unknown_parameter", "%s", target);
        cr_assert_str_eq(text_of(problem, "parameter"), "limitt");
        json_t *candidates = json_object_get(problem, "candidates");
        if (strstr(target, "/members") != NULL || strstr(target, "/aggregate") != NULL)
            cr_assert_str_eq(json_string_value(json_array_get(candidates, 0)), "limit");
        json_decref(problem);
        answer_release(&answer);
    }
}
