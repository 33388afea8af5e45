#include "fixture.h"
#include "http/metrics.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *name_of(unsigned route)
{
    return route == 0 ? "/a" : "none";
}

Test(metrics, counts_by_route_and_status)
{
    vc_buffer out = {0};
    vc_metrics *metrics = vc_metrics_new(1);
    vc_metrics_count(metrics, 0, 200, 10, 90000);        /* within 0.1 ms */
    vc_metrics_count(metrics, 0, 304, 0, 100000);        /* just within */
    vc_metrics_count(metrics, 0, 200, 5, 2000000);       /* 2 ms */
    vc_metrics_count(metrics, 7, 404, 100, 20000000000); /* no route, 20 s */
    vc_metrics_put(&out, metrics, name_of);
    const char *text = vc_buffer_text(&out);
    static const char *const lines[] = {
        "vcube_requests_total{route=\"/a\",status=\"2xx\"} 2\n",
        "vcube_requests_total{route=\"/a\",status=\"3xx\"} 1\n",
        "vcube_requests_total{route=\"none\",status=\"4xx\"} 1\n",
        "vcube_response_bytes_total{route=\"/a\"} 15\n",
        "vcube_request_seconds_bucket{route=\"/a\",le=\"0.0001\"} 2\n",
        "vcube_request_seconds_bucket{route=\"/a\",le=\"0.001\"} 2\n",
        "vcube_request_seconds_bucket{route=\"/a\",le=\"0.0025\"} 3\n",
        "vcube_request_seconds_bucket{route=\"/a\",le=\"+Inf\"} 3\n",
        "vcube_request_seconds_sum{route=\"/a\"} 0.00219\n",
        "vcube_request_seconds_count{route=\"/a\"} 3\n",
        "vcube_request_seconds_bucket{route=\"none\",le=\"10\"} 0\n",
        "vcube_request_seconds_bucket{route=\"none\",le=\"+Inf\"} 1\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        cr_assert_not_null(strstr(text, lines[i]), "%s in\n%s", lines[i], text);
    vc_buffer_release(&out);
    vc_metrics_free(metrics);
}

static test_server server;

/* Every line is one of the format, and a request that is over is counted. */
Test(metrics, of_a_server)
{
    static const char counted[] =
        "vcube_requests_total{route=\"/v1/cubes/{cube}/aggregate\",status=\"2xx\"} 2\n";
    regex_t line_form;
    test_answer answer;
    bool is_counted = false;
    cr_assert_eq(
        regcomp(&line_form,
                "^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\\{[a-z]+=\"[^\"]*\"(,[a-z]+=\"[^\"]*\")*"
                "\\})? [0-9.e+-]+)$",
                REG_EXTENDED | REG_NOSUB),
        0);
    fixture_start(&server, "samples/golden", NULL);
    for (int i = 0; i < 2; i++) {
        ask(server.port, "GET", "/v1/cubes/golden_full/aggregate", NULL, NULL, &answer);
        answer_release(&answer);
    }
    for (int i = 0; i < 100 && !is_counted; i++) { /* a moment after its last byte */
        ask(server.port, "GET", "/metrics", NULL, NULL, &answer);
        cr_assert_eq(answer.status, 200);
        cr_assert_str_eq(answer_header(&answer, "Content-Type"),
                         "text/plain; version=0.0.4; charset=utf-8");
        is_counted = strstr(answer.body.data, counted) != NULL;
        if (!is_counted) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        for (char *line = strtok(answer.body.data, "\n"); line != NULL; line = strtok(NULL, "\n"))
            cr_assert_eq(regexec(&line_form, line, 0, NULL, 0), 0, "%s", line);
        answer_release(&answer);
    }
    cr_assert(is_counted);
    ask(server.port, "GET", "/metrics", NULL, NULL, &answer);
    cr_assert_not_null(strstr(answer.body.data, "\nvcube_answers_found_total 1\n"));
    cr_assert_not_null(strstr(answer.body.data, "\nvcube_snapshot_epoch 1\n"));
    answer_release(&answer);
    regfree(&line_form);
    fixture_stop(&server);
}
