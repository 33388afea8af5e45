/* GET /metrics: the server as Prometheus reads it. docs/metrics.md is the list. */
#include "base/clock.h"
#include "http/exchange.h"
#include "http/metrics.h"
#include "http/route.h"

#include <dirent.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

static void put_labels(vc_buffer *out, unsigned route)
{
    const vc_route *at = vc_route_at(route);
    vc_buffer_printf(out, "method=\"%s\",route=\"%s\"",
                     at != NULL ? vc_method_name(at->method) : "any",
                     at != NULL ? at->template : "none");
}

static void put_counter(vc_buffer *out, const char *name, const char *help, double value)
{
    vc_metrics_put_number(out, name, "counter", help, value);
}

static void put_gauge(vc_buffer *out, const char *name, const char *help, double value)
{
    vc_metrics_put_number(out, name, "gauge", help, value);
}

/* ---- answers and queries ---- */

static void put_answers(vc_buffer *out, vc_answers *answers)
{
    vc_answers_stats stats = vc_answers_stat(answers);
    put_gauge(out, "vcube_answers_kept", "Answers that are kept.", (double)stats.nanswers);
    put_gauge(out, "vcube_answers_kept_bytes", "Bytes of them.", (double)stats.bytes);
    put_counter(out, "vcube_answers_found_total", "Queries whose answer was there.",
                (double)(stats.nfound + stats.naliased));
    put_counter(out, "vcube_answers_awaited_total", "Queries that waited for an equal one.",
                (double)stats.nwaited);
    put_counter(out, "vcube_answers_computed_total", "Queries that were computed.",
                (double)stats.ncomputed);
    put_counter(out, "vcube_answers_evicted_total", "Answers that had to go for others.",
                (double)stats.nevicted);
}

static void put_usage(vc_buffer *out, vc_engine_usage *usage)
{
    put_counter(out, "vcube_cells_returned_total", "Cells of answers that were computed.",
                (double)atomic_load(&usage->ncells));
    put_counter(out, "vcube_scans_total", "Passes over facts.",
                (double)atomic_load(&usage->nscans));
    put_counter(out, "vcube_facts_scanned_total", "Facts that were read.",
                (double)atomic_load(&usage->nfacts));
    put_counter(out, "vcube_scanned_bytes_total", "Stored bytes that were read for them.",
                (double)atomic_load(&usage->nbytes));
}

/* ---- queues ---- */

enum { NGROUPS = 4 };

struct groups {
    const char *labels[NGROUPS];
    vc_workers_stats stats[NGROUPS];
};

static void put_groups(vc_buffer *out, const struct groups *groups, const char *name,
                       const char *kind, const char *help,
                       double (*value_of)(const vc_workers_stats *stats))
{
    vc_metrics_put_family(out, name, kind, help);
    for (size_t i = 0; i < NGROUPS; i++)
        vc_metrics_put_sample(out, name, groups->labels[i], value_of(&groups->stats[i]));
}

static double waiting_of(const vc_workers_stats *stats)
{
    return stats->nwaiting;
}

static double running_of(const vc_workers_stats *stats)
{
    return stats->nrunning;
}

static double clients_of(const vc_workers_stats *stats)
{
    return stats->nclients;
}

static double started_of(const vc_workers_stats *stats)
{
    return (double)stats->nstarted;
}

static double waited_of(const vc_workers_stats *stats)
{
    return (double)stats->waited_ns / 1e9;
}

static double worked_of(const vc_workers_stats *stats)
{
    return (double)stats->worked_ns / 1e9;
}

static void put_refusals(vc_buffer *out, const vc_service *service, const struct groups *groups)
{
    static const char name[] = "vcube_refusals_total";
    double nfull = 0, nunfair = 0;
    for (size_t i = 0; i < NGROUPS; i++) {
        nfull += (double)groups->stats[i].nfull;
        nunfair += (double)groups->stats[i].nunfair;
    }
    vc_metrics_put_family(out, name, "counter", "Requests that were told to come again (503).");
    vc_metrics_put_sample(out, name, "reason=\"queue_full\"", nfull);
    vc_metrics_put_sample(out, name, "reason=\"client_share\"", nunfair);
    vc_metrics_put_sample(out, name, "reason=\"waited_too_long\"",
                          (double)atomic_load(&service->nimpatient));
    vc_metrics_put_sample(out, name, "reason=\"too_many_uploads\"",
                          (double)atomic_load(&service->nloads_held));
}

static void put_queues(vc_buffer *out, const vc_service *service)
{
    const struct vc_server *server = service->server;
    struct groups groups = {
        .labels = {"workers=\"light\"", "workers=\"heavy\"", "workers=\"loads\"",
                   "workers=\"copies\""},
        .stats = {vc_workers_stat(server->light), vc_workers_stat(server->heavy),
                  vc_workers_stat(server->loads), vc_workers_stat(server->copies)},
    };
    put_groups(out, &groups, "vcube_queue_length", "gauge", "Requests that wait.", waiting_of);
    put_groups(out, &groups, "vcube_queue_clients", "gauge",
               "Clients with requests that run or wait.", clients_of);
    put_groups(out, &groups, "vcube_jobs_running", "gauge", "Requests that are worked on.",
               running_of);
    put_groups(out, &groups, "vcube_jobs_started_total", "counter", "Requests taken up.",
               started_of);
    put_groups(out, &groups, "vcube_queue_wait_seconds_total", "counter",
               "Time that they had waited.", waited_of);
    put_groups(out, &groups, "vcube_job_seconds_total", "counter", "Time that they took.",
               worked_of);
    put_refusals(out, service, &groups);
    vc_metrics_put_family(out, "vcube_queue_capacity", "gauge", "Heavy queries that may wait.");
    vc_metrics_put_sample(out, "vcube_queue_capacity", groups.labels[1],
                          service->options.queue_length);
}

/* ---- connections ---- */

static void put_connections(vc_buffer *out, const vc_service *service)
{
    static const char late[] = "vcube_connections_late_total";
    static const struct {
        vc_phase phase;
        const char *labels;
    } phases[] = {{VC_PHASE_FIRST, "phase=\"first\""},
                  {VC_PHASE_IDLE, "phase=\"idle\""},
                  {VC_PHASE_HEADERS, "phase=\"headers\""},
                  {VC_PHASE_BODY, "phase=\"body\""},
                  {VC_PHASE_ANSWER, "phase=\"answer\""}};
    const struct vc_server *server = service->server;
    put_gauge(out, "vcube_connections", "Connections that are open.",
              vc_connections_count(server->connections));
    put_gauge(out, "vcube_connections_max", "Most that may be.", service->options.max_connections);
    put_gauge(out, "vcube_requests_open", "Requests begun and not over.",
              atomic_load(&server->nrequests));
    put_gauge(out, "vcube_uploads", "Bodies of facts that arrive or are loaded.",
              atomic_load(&server->nuploads));
    vc_metrics_put_family(out, late, "counter", "Connections ended for being late, by phase.");
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++)
        vc_metrics_put_sample(
            out, late, phases[i].labels,
            (double)vc_connections_count_late(server->connections, phases[i].phase));
}

/* ---- the store ---- */

static void put_store(vc_buffer *out, const vc_service *service, const vc_store_stats *stats)
{
    int64_t since_ms = atomic_load(&service->held_since_ms);
    put_gauge(out, "vcube_snapshot_epoch", "The newest snapshot's number.", (double)stats->epoch);
    put_gauge(out, "vcube_store_objects", "Cubes, dimensions and crosswalks.",
              (double)stats->nobjects);
    put_gauge(out, "vcube_store_bytes", "Size of the data file.", (double)stats->file_bytes);
    put_gauge(out, "vcube_store_used_bytes", "Pages of it in use.", (double)stats->used_bytes);
    put_gauge(out, "vcube_store_free_bytes", "Pages of it that loads use again.",
              (double)stats->free_bytes);
    put_gauge(out, "vcube_store_map_bytes", "How large it may become.", (double)stats->map_bytes);
    put_gauge(out, "vcube_store_readers", "Reader slots taken, by all processes.", stats->nreaders);
    put_gauge(out, "vcube_store_readers_max", "Reader slots that there are.", stats->max_readers);
    put_gauge(out, "vcube_store_held_epochs",
              "Changes since the oldest snapshot that is open; what they freed is kept.",
              (double)stats->epochs_held);
    put_gauge(out, "vcube_store_held_seconds", "For how long there has been such a snapshot.",
              since_ms == 0 ? 0 : (double)(vc_clock_ms() - since_ms) / 1e3);
}

/* A line for each join of the virtual cubes that were asked since the last load. */
enum { MAX_JOINS = 500 };

typedef double join_value(const vc_coverage *counts);

static double unmatched_of(const vc_coverage *counts)
{
    return (double)(counts->members - counts->members_matched - counts->excluded);
}

static double members_of(const vc_coverage *counts)
{
    return (double)(counts->members - counts->excluded);
}

static void put_cube_joins(vc_buffer *out, const char *name, const vc_cube *cube,
                           join_value *value_of, unsigned *nlines)
{
    for (size_t s = 0; s < cube->nsources; s++)
        for (size_t d = 0; d < cube->ndimensions && *nlines < MAX_JOINS; d++) {
            const vc_binding *binding = &cube->sources[s].bindings[d];
            if (!vc_binding_is_joined(binding)) continue;
            vc_buffer labels = {0};
            vc_metrics_put_label(&labels, "cube", cube->name);
            vc_buffer_put_char(&labels, ',');
            vc_metrics_put_label(&labels, "source", cube->sources[s].alias);
            vc_buffer_put_char(&labels, ',');
            vc_metrics_put_label(&labels, "dimension", cube->dimensions[d].name);
            vc_metrics_put_sample(out, name, vc_buffer_text(&labels),
                                  value_of(&binding->relation->coverage));
            vc_buffer_release(&labels);
            ++*nlines;
        }
}

static void put_joins(vc_buffer *out, vc_model *model, const char *name, const char *help,
                      join_value *value_of)
{
    unsigned nlines = 0;
    vc_metrics_put_family(out, name, "gauge", help);
    for (const vc_cube *cube = NULL; (cube = vc_model_next_opened(model, cube)) != NULL;)
        if (cube->is_virtual) put_cube_joins(out, name, cube, value_of, &nlines);
}

/* ---- the process, by the names that all exporters have ---- */

static double count_descriptors(void)
{
    double count = -3; /* ".", "..", and that of the folder itself */
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void put_process(vc_buffer *out, const vc_service *service)
{
    unsigned long long size = 0, resident = 0;
    double page = (double)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%llu %llu", &size, &resident) != 2) size = resident = 0;
    if (file != NULL) fclose(file);
    struct rusage usage = {0};
    struct rlimit limit = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    put_counter(out, "process_cpu_seconds_total", "Processor time.",
                (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    put_gauge(out, "process_resident_memory_bytes", "Memory in use, with pages of the data file.",
              (double)resident * page);
    put_gauge(out, "process_virtual_memory_bytes", "Memory mapped, with all of the data file.",
              (double)size * page);
    struct mallinfo2 heap = mallinfo2();
    put_gauge(out, "vcube_heap_bytes", "Memory allocated and not given back.",
              (double)(heap.uordblks + heap.hblkhd));
    put_gauge(out, "process_open_fds", "Open files and sockets.", count_descriptors());
    put_gauge(out, "process_max_fds", "Most that may be.", (double)limit.rlim_cur);
    put_gauge(out, "process_start_time_seconds", "When the server started, in seconds since 1970.",
              (double)service->started_s);
}

vc_status vc_handle_metrics(vc_call *call, vc_error *error)
{
    static const char *const no_parameters[] = {NULL};
    vc_store_stats stats;
    vc_model *model;
    vc_service *service = call->service;
    vc_buffer *out = &call->reply->body;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status == VC_OK) status = vc_store_stat(service->options.store, &stats, error);
    if (status == VC_OK) status = vc_model_acquire(service->models, &model, error);
    if (status != VC_OK) return status;
    vc_metrics_put_family(out, "vcube_build_info", "gauge", "The version.");
    vc_buffer_put_text(out, "vcube_build_info{");
    vc_metrics_put_label(out, "version", vc_str_of(service->options.version));
    vc_buffer_printf(out, ",lmdb=\"%s\",libmicrohttpd=\"%s\"} 1\n", stats.lmdb_version,
                     MHD_get_version());
    vc_metrics_put(out, service->metrics, put_labels);
    put_answers(out, service->answers);
    put_usage(out, &service->usage);
    put_queues(out, service);
    put_connections(out, service);
    put_store(out, service, &stats);
    put_joins(out, model, "vcube_join_members", "Members of a joined cube that could match.",
              members_of);
    put_joins(out, model, "vcube_join_unmatched_members", "Those of them that do not.",
              unmatched_of);
    put_process(out, service);
    vc_model_release(service->models, model);
    call->reply->status = 200;
    call->reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return out->failed ? vc_no_memory(error) : VC_OK;
}
