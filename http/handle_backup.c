/* POST /v1/admin/backup: a copy of the store, as a file. */
#include "base/spool.h"
#include "cube/source.h"
#include "http/service.h"
#include "storage/backup.h"

#include <stdio.h>
#include <string.h>

static const char *const known[] = {"verify", NULL};

static vc_status check_whole(void *context, vc_store *copy, vc_error *error)
{
    (void)context;
    uint64_t nrecords, nimages, ndamaged;
    vc_status status = vc_store_verify(copy, NULL, NULL, &nrecords, &ndamaged, error);
    return status == VC_OK ? vc_source_cube_verify(copy, NULL, NULL, &nimages, &ndamaged, error)
                           : status;
}

vc_status vc_handle_backup(vc_call *call, vc_error *error)
{
    vc_str verify;
    vc_backup_options options = {0};
    vc_backup_report report;
    vc_reply *reply = call->reply;
    int fd;
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK) status = vc_request_parameter(call->request, "verify", &verify, error);
    if (status != VC_OK) return status;
    if (vc_str_is(verify, "true")) {
        options.check = check_whole;
    } else if (!vc_str_is_null(verify) && !vc_str_is(verify, "false")) {
        vc_fail(error, VC_BAD_INPUT, "bad_parameter",
                "verify is '%.*s'; expected 'true' or 'false'", VC_FMT(verify));
        vc_error_at_offset(error, "verify", 0);
        return VC_BAD_INPUT;
    }
    status = vc_store_backup_unnamed(call->service->options.store, &options, &fd, &report, error);
    if (status != VC_OK) return status;
    vc_spool spool = {.file = fd + 1,
                      .nwritten = report.nbytes,
                      .directory = vc_store_directory(call->service->options.store)};
    status = vc_reply_take_spool(reply, &spool, error);
    if (status != VC_OK) {
        vc_spool_close(&spool);
        return status;
    }
    reply->file_name = "attachment; filename=\"vcube.mdb\"";
    reply->content_type = "application/octet-stream";
    reply->status = 200;
    snprintf(reply->snapshot, sizeof reply->snapshot, "%s", report.snapshot);
    return VC_OK;
}
