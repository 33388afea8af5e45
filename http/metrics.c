#include "http/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Upper bounds in seconds; the last bucket has none. */
static const double bounds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};

/* What is answered, at most; 0: no answer, and any other. */
static const unsigned codes[] = {0,   200, 201, 204, 304, 400, 401, 403, 404, 405,
                                 406, 409, 410, 411, 412, 413, 414, 415, 422, 428,
                                 429, 431, 500, 501, 503, 504, 505, 507};

enum { NBOUNDS = sizeof bounds / sizeof bounds[0], NCODES = sizeof codes / sizeof codes[0] };

typedef struct route_metrics {
    atomic_ullong nrequests[NCODES];
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
    unsigned code = NCODES - 1;
    while (code > 0 && codes[code] != status)
        code--;
    add(&of->nrequests[code], 1);
    add(&of->nwithin[bucket], 1);
    add(&of->total_ns, elapsed_ns > 0 ? (uint64_t)elapsed_ns : 0);
    add(&of->total_bytes, bytes);
}

/* ---- as text ---- */

void vc_metrics_put_family(vc_buffer *out, const char *name, const char *kind, const char *help)
{
    vc_buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

void vc_metrics_put_number(vc_buffer *out, const char *name, const char *kind, const char *help,
                           double value)
{
    vc_metrics_put_family(out, name, kind, help);
    vc_buffer_printf(out, "%s ", name);
    vc_buffer_put_double(out, value);
    vc_buffer_put_char(out, '\n');
}

void vc_metrics_put_sample(vc_buffer *out, const char *name, const char *labels, double value)
{
    vc_buffer_printf(out, "%s{%s} ", name, labels);
    vc_buffer_put_double(out, value);
    vc_buffer_put_char(out, '\n');
}

void vc_metrics_put_label(vc_buffer *out, const char *name, vc_str value)
{
    vc_buffer_printf(out, "%s=\"", name);
    for (size_t i = 0; i < value.size; i++) {
        char byte = value.data[i];
        if (byte == '\\' || byte == '"') vc_buffer_put_char(out, '\\');
        if (byte == '\n')
            vc_buffer_put_text(out, "\\n");
        else
            vc_buffer_put_char(out, byte);
    }
    vc_buffer_put_char(out, '"');
}

static uint64_t count_requests(const route_metrics *of)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < NCODES; i++)
        count += get(&of->nrequests[i]);
    return count;
}

static void put_seconds(vc_buffer *out, const route_metrics *of, const char *labels)
{
    uint64_t count = 0;
    for (unsigned i = 0; i <= NBOUNDS; i++) {
        count += get(&of->nwithin[i]);
        vc_buffer_printf(out, "vcube_request_seconds_bucket{%s,le=\"", labels);
        if (i < NBOUNDS)
            vc_buffer_put_double(out, bounds[i]);
        else
            vc_buffer_put_text(out, "+Inf");
        vc_buffer_printf(out, "\"} %llu\n", (unsigned long long)count);
    }
    vc_metrics_put_sample(out, "vcube_request_seconds_sum", labels,
                          (double)get(&of->total_ns) / 1e9);
    vc_buffer_printf(out, "vcube_request_seconds_count{%s} %llu\n", labels,
                     (unsigned long long)count);
}

static void put_codes(vc_buffer *out, const route_metrics *of, const char *labels)
{
    for (unsigned i = 0; i < NCODES; i++) {
        uint64_t count = get(&of->nrequests[i]);
        if (count == 0) continue;
        vc_buffer_printf(out, "vcube_requests_total{%s,", labels);
        if (codes[i] == 0)
            vc_buffer_put_text(out, "status=\"none\",code=\"none\"");
        else
            vc_buffer_printf(out, "status=\"%uxx\",code=\"%u\"", codes[i] / 100, codes[i]);
        vc_buffer_printf(out, "} %llu\n", (unsigned long long)count);
    }
}

static void put_bytes(vc_buffer *out, const route_metrics *of, const char *labels)
{
    vc_metrics_put_sample(out, "vcube_response_bytes_total", labels, (double)get(&of->total_bytes));
}

void vc_metrics_put(vc_buffer *out, const vc_metrics *metrics,
                    void (*put_labels)(vc_buffer *out, unsigned route))
{
    const struct {
        const char *name, *kind, *help;
        void (*put)(vc_buffer *out, const route_metrics *of, const char *labels);
    } families[] = {
        {"vcube_requests_total", "counter", "Requests by method, route and status.", put_codes},
        {"vcube_response_bytes_total", "counter", "Bytes of bodies sent.", put_bytes},
        {"vcube_request_seconds", "histogram", "From the first header to the last byte sent.",
         put_seconds},
    };
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        vc_metrics_put_family(out, families[f].name, families[f].kind, families[f].help);
        for (unsigned r = 0; r <= metrics->nroutes; r++) {
            if (count_requests(&metrics->routes[r]) == 0) continue;
            vc_buffer labels = {0};
            put_labels(&labels, r);
            families[f].put(out, &metrics->routes[r], vc_buffer_text(&labels));
            vc_buffer_release(&labels);
        }
    }
}
