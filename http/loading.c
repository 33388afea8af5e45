#include "http/loading.h"

#include "http/change.h"

#include <stdio.h>
#include <string.h>

enum { LISTED_REJECTS = 100, LISTED_WARNINGS = 100 };

/* ---- while it runs ---- */

static vc_status note_begin(void *context, const vc_snapshot *published, vc_error *error)
{
    vc_loading *loading = context;
    const vc_call *call = loading->call;
    vc_object object;
    if (vc_str_is_null(loading->cube)) return VC_OK;
    loading->was_there =
        vc_snapshot_find(published, VC_KIND_CUBE, loading->cube, &object, NULL) == VC_OK;
    return vc_change_check_match(call->request, call->service->options.version, call->reply->salt,
                                 published, loading->cube, error);
}

/* The snapshot's id is already that which publishing gives it. */
static vc_status note_snapshot(void *context, const vc_snapshot *preview, vc_error *error)
{
    vc_loading *loading = context;
    vc_call *call = loading->call;
    snprintf(loading->snapshot, sizeof loading->snapshot, "%s", vc_snapshot_id(preview));
    if (!call->is_cancelled(call->context)) return VC_OK;
    return vc_fail(error, VC_CANCELLED, "cancelled", "the load was cancelled");
}

static void note_reject(void *context, const vc_error *reason, vc_str record)
{
    (void)record;
    vc_loading *loading = context;
    if (loading->nlisted == LISTED_REJECTS) return;
    if (loading->nlisted++ > 0) vc_buffer_put_char(&loading->rejects, ',');
    vc_json_writer json = {.out = &loading->rejects};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_uint(&json, "line", reason->line);
    if (reason->column > 0) vc_json_put_uint(&json, "column", reason->column);
    vc_json_put_text(&json, "code", reason->code);
    vc_json_put_text(&json, "reason", reason->message);
    if (reason->ncandidates > 0) {
        vc_json_begin(&json, "candidates", '[');
        for (unsigned i = 0; i < reason->ncandidates; i++)
            vc_json_put_text(&json, NULL, reason->candidates[i]);
        vc_json_end(&json, ']');
    }
    vc_json_end(&json, '}');
}

static void note_warning(void *context, const char *sentence)
{
    vc_loading *loading = context;
    vc_buffer *out = &loading->warnings;
    if (out->size > LISTED_WARNINGS * 256) return;
    if (out->size > 0) vc_buffer_put_char(out, ',');
    vc_buffer_put_json(out, vc_str_of(sentence));
}

vc_load_options vc_loading_start(vc_loading *loading, vc_call *call, vc_str cube)
{
    *loading = (vc_loading){.call = call, .cube = cube};
    return (vc_load_options){.begun = note_begin,
                             .checked = note_snapshot,
                             .rejected = note_reject,
                             .warning = note_warning,
                             .context = loading};
}

/* ---- how it is told ---- */

static bool is_code(const vc_error *error, const char *code)
{
    return error->code != NULL && strcmp(error->code, code) == 0;
}

vc_status vc_loading_fail(vc_loading *loading, vc_error *error)
{
    vc_call *call = loading->call;
    if (loading->nlisted > 0 && !loading->rejects.failed)
        call->reply->details = vc_arena_printf(call->arena, "\"rejects\":[%.*s]",
                                               (int)loading->rejects.size, loading->rejects.data);
    if (error->status >= VC_CORRUPT) return error->status;
    /* A file that is not there, a column that the body lacks: what was sent is wrong. */
    bool is_content = is_code(error, "unknown_column") || is_code(error, "missing_file");
    if (is_content) error->status = VC_BAD_INPUT;
    if (error->file[0] != '\0' && error->pointer[0] != '\0') {
        /* The place is in a stored definition, which the request does not show: the cube's own,
         * or that of one that would no longer work. */
        if (!is_content) error->status = VC_CONFLICT;
        error->pointer[0] = '\0';
        error->line = error->column = 0;
    }
    error->file[0] = '\0';
    return error->status;
}

void vc_loading_put(vc_loading *loading, uint64_t epoch, vc_json_writer *json)
{
    vc_reply *reply = loading->call->reply;
    snprintf(reply->snapshot, sizeof reply->snapshot, "%s", loading->snapshot);
    vc_json_put_text(json, "snapshot", loading->snapshot);
    vc_json_put_uint(json, "epoch", epoch);
    vc_json_put_key(json, "rejects");
    vc_buffer_printf(json->out, "[%.*s]", (int)loading->rejects.size,
                     loading->rejects.size > 0 ? loading->rejects.data : "");
    vc_json_put_key(json, "warnings");
    vc_buffer_printf(json->out, "[%.*s]", (int)loading->warnings.size,
                     loading->warnings.size > 0 ? loading->warnings.data : "");
}

void vc_loading_release(vc_loading *loading)
{
    vc_buffer_release(&loading->rejects);
    vc_buffer_release(&loading->warnings);
}
