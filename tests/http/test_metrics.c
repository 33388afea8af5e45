#include "fixture.h"
#include "http/metrics.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void put_labels(vc_buffer *out, unsigned route)
{
    vc_buffer_put_text(out, route == 0 ? "method=\"GET\",route=\"/a\"" : "route=\"none\"");
}

Test(metrics, counts_by_route_and_status)
{
    vc_buffer out = {0};
    vc_metrics *metrics = vc_metrics_new(1);
    vc_metrics_count(metrics, 0, 200, 10, 90000);        /* within 0.1 ms */
    vc_metrics_count(metrics, 0, 304, 0, 100000);        /* just within */
    vc_metrics_count(metrics, 0, 200, 5, 2000000);       /* 2 ms */
    vc_metrics_count(metrics, 7, 404, 100, 20000000000); /* no route, 20 s */
    vc_metrics_count(metrics, 7, 0, 0, 0);               /* no answer */
    vc_metrics_count(metrics, 7, 299, 0, 0);             /* none of ours */
    vc_metrics_put(&out, metrics, put_labels);
    const char *text = vc_buffer_text(&out);
    static const char *const lines[] = {
        "vcube_requests_total{method=\"GET\",route=\"/a\",status=\"2xx\",code=\"200\"} 2\n",
        "vcube_requests_total{method=\"GET\",route=\"/a\",status=\"3xx\",code=\"304\"} 1\n",
        "vcube_requests_total{route=\"none\",status=\"4xx\",code=\"404\"} 1\n",
        "vcube_requests_total{route=\"none\",status=\"none\",code=\"none\"} 2\n",
        "vcube_response_bytes_total{method=\"GET\",route=\"/a\"} 15\n",
        "vcube_request_seconds_bucket{method=\"GET\",route=\"/a\",le=\"0.0001\"} 2\n",
        "vcube_request_seconds_bucket{method=\"GET\",route=\"/a\",le=\"0.001\"} 2\n",
        "vcube_request_seconds_bucket{method=\"GET\",route=\"/a\",le=\"0.0025\"} 3\n",
        "vcube_request_seconds_bucket{method=\"GET\",route=\"/a\",le=\"+Inf\"} 3\n",
        "vcube_request_seconds_sum{method=\"GET\",route=\"/a\"} 0.00219\n",
        "vcube_request_seconds_count{method=\"GET\",route=\"/a\"} 3\n",
        "vcube_request_seconds_bucket{route=\"none\",le=\"10\"} 2\n",
        "vcube_request_seconds_bucket{route=\"none\",le=\"+Inf\"} 3\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        cr_assert_not_null(strstr(text, lines[i]), "%s in\n%s", lines[i], text);
    vc_buffer_release(&out);
    vc_metrics_free(metrics);
}

Test(metrics, labels_are_escaped)
{
    vc_buffer out = {0};
    vc_metrics_put_label(&out, "cube", VC_STR("a\\b\"c\nd"));
    cr_assert_str_eq(vc_buffer_text(&out), "cube=\"a\\\\b\\\"c\\nd\"");
    vc_buffer_release(&out);
}

/* ---- the whole text, as Prometheus takes it ---- */

enum { MAX_LINES = 4000 };

struct family {
    char name[80], kind[16];
};

static const struct family *find_family(const struct family *families, size_t count,
                                        const char *name, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(families[i].name) == size && memcmp(families[i].name, name, size) == 0)
            return &families[i];
    return NULL;
}

/* Without what histograms put behind their name. */
static size_t base_size(const char *name, size_t size)
{
    static const char *const endings[] = {"_bucket", "_sum", "_count"};
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(endings[i]);
        if (size > length && memcmp(name + size - length, endings[i], length) == 0)
            return size - length;
    }
    return size;
}

/* What promtool checks: each sample is of a family that was declared just before, counters and only
 * they end in _total, and no series is there twice. */
static void check_text(char *text)
{
    static struct family families[200];
    static char *lines[MAX_LINES];
    size_t nfamilies = 0, nlines = 0;
    regex_t form;
    cr_assert_eq(regcomp(&form,
                         "^[a-z_]+(\\{[a-z]+=\"([^\"\\]|\\\\[\\\\n\"])*\""
                         "(,[a-z]+=\"([^\"\\]|\\\\[\\\\n\"])*\")*\\})? [0-9.e+-]+$",
                         REG_EXTENDED | REG_NOSUB),
                 0);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        struct family family = {0};
        if (strncmp(line, "# HELP ", 7) == 0) continue;
        if (sscanf(line, "# TYPE %79s %15s", family.name, family.kind) == 2) {
            size_t size = strlen(family.name);
            bool is_total = size > 6 && strcmp(family.name + size - 6, "_total") == 0;
            cr_assert_eq(is_total, strcmp(family.kind, "counter") == 0, "%s", line);
            cr_assert_null(find_family(families, nfamilies, family.name, size), "%s", line);
            families[nfamilies++] = family;
            continue;
        }
        cr_assert_eq(regexec(&form, line, 0, NULL, 0), 0, "%s", line);
        const struct family *last = &families[nfamilies - 1];
        size_t size = strcspn(line, "{ ");
        if (strcmp(last->kind, "histogram") == 0) size = base_size(line, size);
        cr_assert_eq(find_family(families, nfamilies, line, size), last, "%s", line);
        char *value = strrchr(line, ' ');
        *value = '\0';
        for (size_t i = 0; i < nlines; i++)
            cr_assert_str_neq(lines[i], line);
        cr_assert_lt(nlines, MAX_LINES);
        lines[nlines++] = line; /* the series without its value */
    }
    regfree(&form);
}

static test_server server;

static void get_text(test_answer *answer)
{
    ask(server.port, "GET", "/metrics", NULL, NULL, answer);
    cr_assert_eq(answer->status, 200);
    cr_assert_str_eq(answer_header(answer, "Content-Type"),
                     "text/plain; version=0.0.4; charset=utf-8");
}

/* A request that is over is counted, though perhaps a moment after its last byte. */
static void await_line(const char *line)
{
    bool is_there = false;
    for (int i = 0; i < 100 && !is_there; i++) {
        test_answer answer;
        get_text(&answer);
        is_there = strstr(answer.body.data, line) != NULL;
        if (!is_there) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        answer_release(&answer);
    }
    cr_assert(is_there, "%s", line);
}

Test(metrics, of_a_server)
{
    static const char *const lines[] = {
        "\nvcube_requests_total{method=\"GET\",route=\"/v1/cubes/{cube}/aggregate\","
        "status=\"2xx\",code=\"200\"} 2\n",
        /* Another method of the same path is another series. */
        "\nvcube_requests_total{method=\"GET\",route=\"/v1/cubes/{cube}\",status=\"2xx\","
        "code=\"200\"} 1\n",
        "\nvcube_requests_total{method=\"DELETE\",route=\"/v1/cubes/{cube}\",status=\"4xx\","
        "code=\"404\"} 1\n",
        "\nvcube_answers_found_total 1\n",
        "\nvcube_snapshot_epoch 1\n",
        "\nvcube_join_members{cube=\"golden_full\",source=\"cities\",dimension=\"country\"} 7\n",
        "\nvcube_join_unmatched_members{cube=\"golden_full\",source=\"cities\","
        "dimension=\"country\"} 1\n",
        "\nvcube_jobs_started_total{workers=\"heavy\"} 1\n",
        "\nvcube_cells_returned_total 5\n", /* a row of five measures */
        "\nvcube_store_held_epochs 0\n",
    };
    test_answer answer;
    vc_server_options options = {.dear_facts = 1};
    fixture_start(&server, "samples/golden", &options);
    for (int i = 0; i < 2; i++) {
        ask(server.port, "GET", "/v1/cubes/golden_full/aggregate", NULL, NULL, &answer);
        cr_assert_eq(answer.status, 200);
        answer_release(&answer);
    }
    ask(server.port, "GET", "/v1/cubes/golden_full", NULL, NULL, &answer);
    answer_release(&answer);
    ask(server.port, "DELETE", "/v1/cubes/nope", NULL, NULL, &answer);
    answer_release(&answer);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        await_line(lines[i]);
    get_text(&answer);
    unsigned nfacts = 0;
    const char *scanned = strstr(answer.body.data, "\nvcube_facts_scanned_total ");
    cr_assert_eq(sscanf(scanned, "\nvcube_facts_scanned_total %u\n", &nfacts), 1);
    cr_assert_geq(nfacts, 10);
    check_text(answer.body.data);
    answer_release(&answer);
    fixture_stop(&server);
}

/* What is refused, and who is late, by reason and phase. */
Test(metrics, of_refusals)
{
    vc_server_options options = {.header_timeout_ms = 100};
    fixture_start(&server, "samples/golden", &options);
    int fd = client_open(server.port);
    client_send(fd, "GET /v", 6);
    cr_assert(client_is_closed(fd, 3000));
    close(fd);
    await_line("\nvcube_connections_late_total{phase=\"first\"} 1\n");
    await_line("\nvcube_refusals_total{reason=\"queue_full\"} 0\n");
    fixture_stop(&server);
}
