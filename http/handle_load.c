/* POST /v1/cubes/{cube}/load: facts that are sent, into a source cube.
 *
 * The body is in a file by now (http/upload.h); it is read from there as a data file is, all or
 * nothing, by the definition that is stored.
 */
#include "http/change.h"
#include "http/loading.h"

#include <string.h>

static const char *const known[] = {"mode", "max_rejects", NULL};

static vc_status read_body(void *context, char *data, size_t capacity, size_t *size_out,
                           vc_error *error)
{
    vc_call *call = context;
    if (call->is_cancelled(call->context))
        return vc_fail(error, VC_CANCELLED, "cancelled", "the load was cancelled");
    return vc_upload_read(call->upload, data, capacity, size_out, error);
}

static vc_status read_mode(const vc_request *request, bool *append_out, vc_error *error)
{
    vc_str mode;
    vc_status status = vc_request_parameter(request, "mode", &mode, error);
    if (status != VC_OK) return status;
    *append_out = !vc_str_is(mode, "replace");
    if (vc_str_is_null(mode) || vc_str_is(mode, "append") || vc_str_is(mode, "replace"))
        return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_parameter", "mode is '%.*s'; expected 'append' or 'replace'",
            VC_FMT(mode));
    vc_error_at_offset(error, "mode", 0);
    return VC_BAD_INPUT;
}

/* Packed bodies are known by their first bytes, so the header can only be wrong. */
static vc_status check_coding(const vc_call *call, vc_error *error)
{
    static const struct {
        const char *name, *magic;
    } codings[] = {{"gzip", "\x1f\x8b"}, {"x-gzip", "\x1f\x8b"}, {"zstd", "\x28\xb5\x2f\xfd"}};
    vc_str coding = call->request->content_encoding, first = vc_upload_first(call->upload);
    if (coding.size == 0 || vc_media_type_is(coding, "identity")) return VC_OK;
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        if (!vc_media_type_is(coding, codings[i].name)) continue;
        if (vc_str_starts_with(first, vc_str_of(codings[i].magic))) return VC_OK;
        return vc_fail(error, VC_BAD_INPUT, "archive_corrupt",
                       "the Content-Encoding is %s, but the body is not", codings[i].name);
    }
    return vc_fail(error, VC_BAD_INPUT, "unsupported_media_type",
                   "found the Content-Encoding '%.*s', expected gzip or zstd",
                   (int)(coding.size > 100 ? 100 : coding.size), coding.data);
}

static void put_report(vc_call *call, vc_loading *loading, const vc_load_report *report,
                       bool appends)
{
    vc_json_writer json = {.out = &call->reply->body};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "cube", call->arguments[0]);
    vc_json_put_text(&json, "mode", appends ? "append" : "replace");
    vc_json_put_uint(&json, "rows", report->nrows);
    vc_json_put_uint(&json, "rejected", report->nrejects);
    vc_json_put_uint(&json, "members", report->objects[0].nmembers);
    vc_json_put_uint(&json, "bytes", vc_upload_nbytes(call->upload));
    vc_loading_put(loading, report->epoch, &json);
    vc_json_end(&json, '}');
}

vc_status vc_handle_load(vc_call *call, vc_error *error)
{
    const vc_request *request = call->request;
    vc_loading loading;
    vc_load_report report;
    vc_load_options options = vc_loading_start(&loading, call, (vc_str){0});
    options.tells_no_others = call->role->rights != NULL;
    vc_load_body body = {.source = read_body,
                         .context = call,
                         .nbytes = vc_upload_nbytes(call->upload),
                         .name = "body",
                         .is_ndjson = !vc_media_type_is(request->content_type, "text/csv"),
                         .charset = vc_media_type_parameter(request->content_type, "charset")};
    vc_status status = vc_request_check_parameters(request, known, error);
    if (status == VC_OK) status = read_mode(request, &options.append, error);
    if (status == VC_OK)
        status =
            vc_request_count(request, "max_rejects", 0, INT64_MAX, &options.max_rejects, error);
    if (status == VC_OK) status = check_coding(call, error);
    if (status != VC_OK) return status;
    loading.cube = call->arguments[0];
    status = vc_load_into(call->service->options.store, call->arguments[0], &body, &options,
                          call->arena, &report, error);
    if (status == VC_OK)
        put_report(call, &loading, &report, options.append);
    else
        status = vc_loading_fail(&loading, error);
    /* As admitted ones are told of cubes that they may not see. */
    if (status == VC_NOT_FOUND && call->role->rights != NULL)
        status = vc_fail(error, VC_NOT_FOUND, "unknown_cube", "no cube named '%.*s'",
                         VC_FMT(call->arguments[0]));
    vc_loading_release(&loading);
    return status == VC_OK ? vc_call_done_json(call) : status;
}
