#include "http/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Upper bounds in seconds; the last bucket has none. */
static const double bounds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};

enum { NBOUNDS = sizeof bounds / sizeof bounds[0], NCLASSES = 6 };

typedef struct route_metrics {
    atomic_ullong nrequests[NCLASSES]; /* by the first digit of the status; 0: no answer */
    atomic_ullong nwithin[NBOUNDS + 1];
    atomic_ullong total_ns, total_bytes;
} route_metrics;

struct vc_metrics {
    unsigned nroutes;
    route_metrics routes[]; /* [nroutes + 1] */
};

vc_metrics *vc_metrics_new(unsigned nroutes)
{
    vc_metrics *metrics = calloc(1, sizeof *metrics + (nroutes + 1) * sizeof *metrics->routes);
    if (metrics != NULL) metrics->nroutes = nroutes;
    return metrics;
}

void vc_metrics_free(vc_metrics *metrics)
{
    free(metrics);
}

static void add(atomic_ullong *number, uint64_t more)
{
    atomic_fetch_add_explicit(number, more, memory_order_relaxed);
}

static uint64_t get(const atomic_ullong *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

void vc_metrics_count(vc_metrics *metrics, unsigned route, unsigned status, uint64_t bytes,
                      int64_t elapsed_ns)
{
    route_metrics *of = &metrics->routes[route < metrics->nroutes ? route : metrics->nroutes];
    unsigned bucket = 0;
    while (bucket < NBOUNDS && (double)elapsed_ns > bounds[bucket] * 1e9)
        bucket++;
    add(&of->nrequests[status / 100 < NCLASSES ? status / 100 : 0], 1);
    add(&of->nwithin[bucket], 1);
    add(&of->total_ns, elapsed_ns > 0 ? (uint64_t)elapsed_ns : 0);
    add(&of->total_bytes, bytes);
}

/* ---- as text ---- */

static void put_head(vc_buffer *out, const char *name, const char *kind, const char *help)
{
    vc_buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

void vc_metrics_put_number(vc_buffer *out, const char *name, const char *kind, const char *help,
                           double value)
{
    put_head(out, name, kind, help);
    vc_buffer_printf(out, "%s ", name);
    vc_buffer_put_double(out, value);
    vc_buffer_put_char(out, '\n');
}

static uint64_t count_requests(const route_metrics *of)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < NCLASSES; i++)
        count += get(&of->nrequests[i]);
    return count;
}

static void put_seconds(vc_buffer *out, const route_metrics *of, const char *name)
{
    uint64_t count = 0;
    for (unsigned i = 0; i <= NBOUNDS; i++) {
        count += get(&of->nwithin[i]);
        vc_buffer_printf(out, "vcube_request_seconds_bucket{route=\"%s\",le=\"", name);
        if (i < NBOUNDS)
            vc_buffer_put_double(out, bounds[i]);
        else
            vc_buffer_put_text(out, "+Inf");
        vc_buffer_printf(out, "\"} %llu\n", (unsigned long long)count);
    }
    vc_buffer_printf(out, "vcube_request_seconds_sum{route=\"%s\"} ", name);
    vc_buffer_put_double(out, (double)get(&of->total_ns) / 1e9);
    vc_buffer_printf(out, "\nvcube_request_seconds_count{route=\"%s\"} %llu\n", name,
                     (unsigned long long)count);
}

void vc_metrics_put(vc_buffer *out, const vc_metrics *metrics,
                    const char *(*name_of)(unsigned route))
{
    put_head(out, "vcube_requests_total", "counter", "Requests by route and class of status.");
    for (unsigned r = 0; r <= metrics->nroutes; r++)
        for (unsigned i = 0; i < NCLASSES; i++) {
            uint64_t count = get(&metrics->routes[r].nrequests[i]);
            if (count == 0) continue;
            vc_buffer_printf(out, "vcube_requests_total{route=\"%s\",status=\"%s\"} %llu\n",
                             name_of(r),
                             i == 0 ? "none" : (const char[]){(char)('0' + i), 'x', 'x', 0},
                             (unsigned long long)count);
        }
    put_head(out, "vcube_response_bytes_total", "counter", "Bytes of bodies sent, by route.");
    for (unsigned r = 0; r <= metrics->nroutes; r++)
        if (count_requests(&metrics->routes[r]) > 0)
            vc_buffer_printf(out, "vcube_response_bytes_total{route=\"%s\"} %llu\n", name_of(r),
                             (unsigned long long)get(&metrics->routes[r].total_bytes));
    put_head(out, "vcube_request_seconds", "histogram",
             "From the first header to the last byte sent, by route.");
    for (unsigned r = 0; r <= metrics->nroutes; r++)
        if (count_requests(&metrics->routes[r]) > 0)
            put_seconds(out, &metrics->routes[r], name_of(r));
}
