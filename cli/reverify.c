#include "cli/reverify.h"

#include "base/json_writer.h"
#include "report/verify.h"

#include <string.h>

typedef struct reverifying {
    vc_reporting in; /* first: what the watcher is given */
    vc_folder *folder;
    vc_buffer text; /* of the manifest */
    vc_run_manifest manifest;
    vc_verification found;
    bool is_other_snapshot;
} reverifying;

static vc_status read_manifest(reverifying *r, vc_error *error)
{
    const char *path = vc_arguments_get(r->in.arguments, "verify");
    vc_status status = vc_folder_open(path, false, &r->folder, error);
    if (status == VC_OK)
        status = vc_folder_read(r->folder, VC_STR(VC_MANIFEST_NAME), VC_MAX_MANIFEST_BYTES,
                                &r->text, error);
    if (status != VC_OK) return status;
    vc_str file = vc_arena_printf(&r->in.arena, "%s/%s", path, VC_MANIFEST_NAME);
    return vc_run_manifest_read((vc_str){r->text.data, r->text.size}, file.data, &r->in.arena,
                                &r->manifest, error);
}

/* In the snapshot of the manifest, or, where that is gone, in the newest. */
static vc_status open_snapshot(reverifying *r, vc_error *error)
{
    vc_reporting *in = &r->in;
    const vc_run_manifest *manifest = &r->manifest;
    const char *at = vc_arguments_get(in->arguments, "at");
    vc_str wanted = at != NULL ? vc_str_of(at) : manifest->snapshot;
    vc_status status =
        vc_reporting_open(in, wanted, manifest->parameters, manifest->nparameters, error);
    bool is_gone = status == VC_NOT_FOUND && at == NULL && error->code != NULL &&
                   (strcmp(error->code, "expired_snapshot") == 0 ||
                    strcmp(error->code, "unknown_snapshot") == 0);
    if (is_gone) {
        vc_store_close(in->store);
        in->store = NULL;
        *error = (vc_error){0};
        status =
            vc_reporting_open(in, (vc_str){0}, manifest->parameters, manifest->nparameters, error);
    }
    if (status != VC_OK) return status;
    r->is_other_snapshot = !vc_str_equal(in->plan.snapshot, manifest->snapshot);
    memcpy(in->plan.formats, manifest->formats, sizeof in->plan.formats);
    return VC_OK;
}

static void say_before(const reverifying *r)
{
    if (r->is_other_snapshot)
        vc_cli_say("snapshot %.*s is %s; the files are compared with those of %.*s",
                   VC_FMT(r->manifest.snapshot),
                   vc_arguments_get(r->in.arguments, "at") != NULL ? "not asked for"
                                                                   : "not kept any more",
                   VC_FMT(r->in.plan.snapshot));
    if (!vc_str_is(r->manifest.version, VCUBE_VERSION))
        vc_cli_say("the files were made by vcube %.*s, this is " VCUBE_VERSION,
                   VC_FMT(r->manifest.version));
}

/* ---- what was found ---- */

static const char *explain(const reverifying *r, const vc_verified_file *file)
{
    switch (file->verdict) {
    case VC_VERDICT_CHANGED: return "changed on disk";
    case VC_VERDICT_MISSING: return "missing on disk";
    case VC_VERDICT_UNMADE: return "is not made any more";
    case VC_VERDICT_NEW: return "is made now, and was not then";
    case VC_VERDICT_DIFFERS:
        if (file->has_other_definitions) return "differs: definitions changed";
        if (r->is_other_snapshot) return "differs: the data changed";
        if (!vc_str_is(r->manifest.version, VCUBE_VERSION)) return "differs: another vcube made it";
        return "differs, of the same data";
    case VC_VERDICT_SAME:
    case VC_VERDICTS: break;
    }
    return "same";
}

static void print_findings(reverifying *r)
{
    const vc_verification *found = &r->found;
    for (size_t i = 0; i < found->nfindings; i++) {
        vc_str path = vc_cli_safe(&r->in.arena, found->findings[i].path);
        printf("%.*s: %s\n", VC_FMT(path), explain(r, &found->findings[i]));
    }
    fflush(stdout);
    vc_str same = vc_cli_count(&r->in.arena, found->counts[VC_VERDICT_SAME]),
           nfiles = vc_cli_count(&r->in.arena, found->nfiles);
    vc_cli_say("%.*s of %.*s files are the same (snapshot %.*s, %.2f s)", VC_FMT(same),
               VC_FMT(nfiles), VC_FMT(r->in.plan.snapshot), vc_reporting_seconds(&r->in));
}

static void print_findings_json(const reverifying *r)
{
    const vc_verification *found = &r->found;
    vc_buffer out = {0};
    vc_json_writer json = {.out = &out};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "snapshot", r->in.plan.snapshot);
    vc_json_put_str(&json, "manifest_snapshot", r->manifest.snapshot);
    vc_json_put_uint(&json, "files", found->nfiles);
    for (unsigned i = 0; i < VC_VERDICTS; i++)
        vc_json_put_uint(&json, vc_verdict_name((vc_verdict)i), found->counts[i]);
    vc_json_begin(&json, "findings", '[');
    for (size_t i = 0; i < found->nfindings; i++) {
        vc_json_begin(&json, NULL, '{');
        vc_json_put_str(&json, "path", found->findings[i].path);
        vc_json_put_text(&json, "verdict", vc_verdict_name(found->findings[i].verdict));
        vc_json_put_bool(&json, "definitions_changed", found->findings[i].has_other_definitions);
        vc_json_end(&json, '}');
    }
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
    puts(vc_buffer_text(&out));
    vc_buffer_release(&out);
}

static void show_progress(void *context, const vc_run_progress *progress)
{
    vc_reporting_show(context, progress);
}

int vc_reverify(const vc_arguments *arguments)
{
    vc_error error = {0};
    reverifying r = {.in.arguments = arguments};
    vc_status status = read_manifest(&r, &error);
    if (status == VC_OK)
        status = vc_reporting_read_spec(&r.in, r.manifest.specification,
                                        "the specification in " VC_MANIFEST_NAME, &error);
    if (status == VC_OK) status = open_snapshot(&r, &error);
    if (status == VC_OK) {
        say_before(&r);
        r.in.plan.watcher = (vc_run_watcher){.done = show_progress, .context = &r.in};
        vc_reporting_begin_signals();
        status = vc_verify_run(&r.in.plan, &r.manifest, r.folder, &r.in.arena, &r.found, &error);
        vc_reporting_clear(&r.in);
    }
    if (status == VC_OK && vc_arguments_get(arguments, "json") != NULL)
        print_findings_json(&r);
    else if (status == VC_OK)
        print_findings(&r);
    bool is_same = r.found.nfindings == 0;
    vc_folder_close(r.folder);
    vc_buffer_release(&r.text);
    vc_reporting_close(&r.in);
    vc_reporting_end_signals();
    if (status != VC_OK) return vc_cli_fail(&error);
    return is_same ? VC_EXIT_OK : VC_EXIT_NOT_THE_SAME;
}
