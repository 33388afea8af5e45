/* GET /metrics: the server as Prometheus reads it. */
#include "http/route.h"

#include "http/metrics.h"

#include <sys/resource.h>
#include <unistd.h>

static const char *name_of(unsigned route)
{
    const vc_route *at = vc_route_at(route);
    return at != NULL ? at->template : "none";
}

static double resident_bytes(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%*u %llu", &pages) != 1) pages = 0;
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double processor_seconds(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void put_answers(vc_buffer *out, vc_answers *answers)
{
    vc_answers_stats stats = vc_answers_stat(answers);
    vc_metrics_put_number(out, "vcube_answers_kept", "gauge", "Answers that are kept.",
                          (double)stats.nanswers);
    vc_metrics_put_number(out, "vcube_answers_kept_bytes", "gauge", "Bytes of them.",
                          (double)stats.bytes);
    vc_metrics_put_number(out, "vcube_answers_found_total", "counter",
                          "Queries whose answer was there.",
                          (double)(stats.nfound + stats.naliased));
    vc_metrics_put_number(out, "vcube_answers_awaited_total", "counter",
                          "Queries that waited for an equal one.", (double)stats.nwaited);
    vc_metrics_put_number(out, "vcube_answers_computed_total", "counter",
                          "Queries that were computed.", (double)stats.ncomputed);
    vc_metrics_put_number(out, "vcube_answers_evicted_total", "counter",
                          "Answers that had to go for others.", (double)stats.nevicted);
}

static void put_store(vc_buffer *out, const vc_store_stats *stats)
{
    vc_metrics_put_number(out, "vcube_snapshot_epoch", "gauge", "The newest snapshot's number.",
                          (double)stats->epoch);
    vc_metrics_put_number(out, "vcube_store_bytes", "gauge", "Size of the data file.",
                          (double)stats->file_bytes);
    vc_metrics_put_number(out, "vcube_store_used_bytes", "gauge", "Pages of it in use.",
                          (double)stats->used_bytes);
    vc_metrics_put_number(out, "vcube_store_readers", "gauge",
                          "Reader slots taken, by all processes.", (double)stats->nreaders);
}

vc_status vc_handle_metrics(vc_call *call, vc_error *error)
{
    static const char *const no_parameters[] = {NULL};
    vc_store_stats stats;
    vc_service *service = call->service;
    vc_buffer *out = &call->reply->body;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status == VC_OK) status = vc_store_stat(service->options.store, &stats, error);
    if (status != VC_OK) return status;
    vc_buffer_printf(out,
                     "# HELP vcube_info The version.\n# TYPE vcube_info gauge\n"
                     "vcube_info{version=\"%s\"} 1\n",
                     service->options.version);
    vc_metrics_put(out, service->metrics, name_of);
    put_answers(out, service->answers);
    put_store(out, &stats);
    vc_metrics_put_number(out, "process_cpu_seconds_total", "counter", "Processor time.",
                          processor_seconds());
    vc_metrics_put_number(out, "process_resident_memory_bytes", "gauge", "Memory in use.",
                          resident_bytes());
    call->reply->status = 200;
    call->reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return VC_OK;
}
