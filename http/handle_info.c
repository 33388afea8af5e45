/* What is known of the server itself. */
#include "base/json_writer.h"
#include "http/route.h"
#include "http/service.h"

#include "render/content.h"

#include <stdio.h>
#include <string.h>

static const char *const no_parameters[] = {NULL};

vc_status vc_handle_health(vc_call *call, vc_error *error)
{
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status != VC_OK) return status;
    vc_buffer_put_text(&call->reply->body, "{\"status\":\"ok\"}");
    return vc_call_done_json(call);
}

vc_status vc_handle_ready(vc_call *call, vc_error *error)
{
    vc_snapshot *snapshot;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status != VC_OK) return status;
    if (atomic_load(&call->service->is_draining))
        return vc_fail(error, VC_BUSY, "shutting_down", "the server is stopping");
    status = vc_snapshot_open(call->service->options.store, &snapshot, error);
    if (status != VC_OK) return status;
    vc_buffer_printf(&call->reply->body, "{\"status\":\"ready\",\"snapshot\":\"%s\"}",
                     vc_snapshot_id(snapshot));
    vc_snapshot_close(snapshot);
    return vc_call_done_json(call);
}

static void put_limits(vc_json_writer *json, const vc_server_options *options)
{
    vc_json_begin(json, "limits", '{');
    vc_json_put_uint(json, "max_cells", options->limits.max_cells);
    vc_json_put_uint(json, "max_time_ms", options->limits.max_time_ms);
    vc_json_put_uint(json, "max_memory", options->limits.max_memory_bytes);
    vc_json_put_uint(json, "cache", options->cache_bytes);
    vc_json_put_uint(json, "max_body", options->max_body_bytes);
    vc_json_put_uint(json, "max_load", options->max_load_bytes);
    vc_json_put_uint(json, "max_url", options->max_url_bytes);
    vc_json_put_uint(json, "max_depth", 64);
    vc_json_put_uint(json, "max_parameters", VC_MAX_PARAMETERS);
    vc_json_put_uint(json, "max_members", VC_MAX_MEMBERS);
    vc_json_put_uint(json, "max_connections", options->max_connections);
    vc_json_put_uint(json, "workers", options->nworkers);
    vc_json_put_uint(json, "queue_length", options->queue_length);
    vc_json_end(json, '}');
}

vc_status vc_handle_info(vc_call *call, vc_error *error)
{
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status != VC_OK) return status;
    vc_json_writer json = {.out = &call->reply->body};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_text(&json, "name", "vcube");
    vc_json_put_text(&json, "version", call->service->options.version);
    vc_json_put_bool(&json, "read_only", call->service->options.is_read_only);
    vc_json_begin(&json, "formats", '[');
    for (int i = 0; i < VC_FORMAT_COUNT; i++)
        vc_json_put_text(&json, NULL, vc_format_name((vc_render_format)i));
    vc_json_end(&json, ']');
    vc_json_begin(&json, "aggregators", '[');
    for (int i = VC_AGG_SUM; i <= VC_AGG_VARIANCE_POP; i++)
        vc_json_put_text(&json, NULL, vc_aggregator_name((vc_aggregator)i));
    vc_json_end(&json, ']');
    vc_json_begin(&json, "joins", '[');
    for (int i = VC_JOIN_LEFT; i <= VC_JOIN_FULL; i++)
        vc_json_put_text(&json, NULL, vc_join_kind_name((vc_join_kind)i));
    vc_json_end(&json, ']');
    put_limits(&json, &call->service->options);
    vc_json_begin(&json, "endpoints", '[');
    for (size_t i = 0; vc_route_at(i) != NULL; i++) {
        if (strncmp(vc_route_at(i)->template, "/ui/", 4) == 0) continue;
        vc_json_begin(&json, NULL, '{');
        vc_json_put_text(&json, "method", vc_method_name(vc_route_at(i)->method));
        vc_json_put_text(&json, "path", vc_route_at(i)->template);
        vc_json_end(&json, '}');
    }
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
    return vc_call_done_json(call);
}

/* Of what changed, the cubes that who asks may ask for. */
static void put_snapshot(vc_json_writer *json, const char *key, const vc_kept *kept,
                         const vc_rights *rights)
{
    vc_json_begin(json, key, '{');
    vc_json_put_text(json, "id", kept->id);
    vc_json_put_uint(json, "epoch", kept->epoch);
    if (key == NULL && kept->knows_changes) {
        vc_json_begin(json, "changes", '[');
        for (size_t i = 0; i < kept->nchanges; i++) {
            if (rights != NULL && (kept->changes[i].kind != VC_KIND_CUBE ||
                                   !vc_rights_may_read(rights, kept->changes[i].name)))
                continue;
            vc_json_begin(json, NULL, '{');
            vc_json_put_text(json, "kind", vc_kind_name(kept->changes[i].kind));
            vc_json_put_str(json, "name", kept->changes[i].name);
            vc_json_put_text(json, "change", vc_change_name(kept->changes[i].change));
            vc_json_end(json, '}');
        }
        vc_json_end(json, ']');
    } else if (key == NULL) {
        vc_json_put_str(json, "changes", (vc_str){0});
    }
    vc_json_end(json, '}');
}

static void put_snapshots(vc_json_writer *json, const vc_kept *kept, size_t nkept,
                          const vc_rights *rights)
{
    const vc_kept nothing = {.id = "0-0000"}; /* of a store without a load */
    vc_json_begin(json, NULL, '{');
    put_snapshot(json, "newest", nkept > 0 ? &kept[nkept - 1] : &nothing, rights);
    put_snapshot(json, "oldest", nkept > 0 ? &kept[0] : &nothing, rights);
    vc_json_begin(json, "snapshots", '[');
    for (size_t i = nkept; i-- > 0;)
        put_snapshot(json, NULL, &kept[i], rights);
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

vc_status vc_handle_snapshots(vc_call *call, vc_error *error)
{
    vc_snapshot *snapshot;
    const vc_kept *kept;
    size_t nkept;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status != VC_OK) return status;
    status = vc_snapshot_open(call->service->options.store, &snapshot, error);
    if (status != VC_OK) return status;
    snprintf(call->reply->snapshot, sizeof call->reply->snapshot, "%s", vc_snapshot_id(snapshot));
    if (vc_call_is_known(call, VC_STR("snapshots"))) {
        vc_snapshot_close(snapshot);
        return VC_OK;
    }
    status = vc_snapshot_list_kept(snapshot, call->arena, &kept, &nkept, error);
    vc_snapshot_close(snapshot);
    if (status != VC_OK) return status;
    vc_json_writer json = {.out = &call->reply->body};
    put_snapshots(&json, kept, nkept, call->role->rights);
    return vc_call_done_json(call);
}
