#include "report/verify.h"

#include "base/strmap.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const char *vc_verdict_name(vc_verdict verdict)
{
    static const char *const names[VC_VERDICTS] = {
        [VC_VERDICT_SAME] = "same",       [VC_VERDICT_CHANGED] = "changed",
        [VC_VERDICT_MISSING] = "missing", [VC_VERDICT_DIFFERS] = "differs",
        [VC_VERDICT_UNMADE] = "unmade",   [VC_VERDICT_NEW] = "new",
    };
    return names[verdict];
}

typedef struct verified { /* of one document */
    vc_verified_file *files;
    size_t nfiles;
} verified;

typedef struct verifying {
    const vc_run_plan *plan;
    const vc_run_manifest *manifest;
    vc_folder *folder;
    vc_engine_options options;
    vc_strmap items;         /* file of an item -> its number */
    vc_strmap documents;     /* of the manifest, likewise */
    const size_t *new_items; /* [nnew] not in the manifest */
    size_t nnew;
    verified *found; /* [ndocuments + nnew] */
    atomic_bool is_stopped;
    pthread_mutex_t lock; /* of what follows, and of the watcher */
    vc_arena *arena;
    vc_run_progress progress;
    vc_status status;
    vc_error *error;
} verifying;

/* ---- a document ---- */

static const vc_made_file *find_made(const vc_run_files *files, vc_str path)
{
    for (size_t i = 0; i < files->nfiles; i++)
        if (vc_str_equal(files->files[i].path, path)) return &files->files[i];
    return NULL;
}

static vc_verdict judge(verifying *v, const vc_made_file *file, const vc_made_file *made)
{
    uint64_t nbytes;
    char sum[VC_FOLDER_SUM + 1];
    vc_status status = vc_folder_sum(v->folder, file->path, &nbytes, sum, NULL);
    if (status == VC_NOT_FOUND) return VC_VERDICT_MISSING;
    if (status != VC_OK || strcmp(sum, file->sum) != 0) return VC_VERDICT_CHANGED;
    if (made == NULL) return VC_VERDICT_UNMADE;
    return strcmp(made->sum, file->sum) == 0 ? VC_VERDICT_SAME : VC_VERDICT_DIFFERS;
}

static bool has_definitions(const vc_made_document *document, vc_str definitions)
{
    size_t count = 0;
    while (definitions.data != NULL) {
        vc_str part = vc_str_split(&definitions, ' ');
        if (part.size == 0) continue;
        if (count >= document->ndefinitions || !vc_str_equal(document->definitions[count], part))
            return false;
        count++;
    }
    return count == document->ndefinitions;
}

/* Under the lock. */
static verified *add_found(verifying *v, size_t number, size_t nfiles)
{
    verified *found = &v->found[number];
    found->files = VC_ARENA_NEW(v->arena, vc_verified_file, nfiles + 1);
    return found->files != NULL ? found : NULL;
}

static bool note_document(verifying *v, size_t number, const vc_made_document *document,
                          const vc_run_files *files, const vc_composed *composed)
{
    verified *found = add_found(v, number, document->nfiles + files->nfiles);
    if (found == NULL) return false;
    bool has_same = has_definitions(document, composed->definitions);
    for (size_t i = 0; i < document->nfiles; i++) {
        const vc_made_file *file = &document->files[i], *made = find_made(files, file->path);
        vc_verdict verdict = judge(v, file, made);
        found->files[found->nfiles++] =
            (vc_verified_file){.path = file->path,
                               .verdict = verdict,
                               .has_other_definitions = verdict == VC_VERDICT_DIFFERS && !has_same};
    }
    /* A section that had no rows then, and has a file now. */
    for (size_t i = 0; i < files->nfiles; i++) {
        bool is_known = false;
        for (size_t j = 0; j < document->nfiles && !is_known; j++)
            is_known = vc_str_equal(document->files[j].path, files->files[i].path);
        if (is_known) continue;
        vc_str path = vc_arena_str(v->arena, files->files[i].path);
        if (path.data == NULL) return false;
        found->files[found->nfiles++] = (vc_verified_file){.path = path, .verdict = VC_VERDICT_NEW};
    }
    return true;
}

static bool note_done(verifying *v, size_t number, const vc_made_document *document, vc_str file,
                      const vc_run_files *files, const vc_composed *composed)
{
    pthread_mutex_lock(&v->lock);
    bool is_noted = note_document(v, number, document, files, composed);
    v->progress.ndone++;
    v->progress.nfiles += files->nfiles;
    v->progress.file = file;
    if (v->plan->watcher.done != NULL)
        v->plan->watcher.done(v->plan->watcher.context, &v->progress);
    pthread_mutex_unlock(&v->lock);
    return is_noted;
}

static void stop(verifying *v, vc_status status, const vc_error *error)
{
    pthread_mutex_lock(&v->lock);
    if (v->status == VC_OK || (v->status == VC_CANCELLED && status != VC_CANCELLED)) {
        v->status = status;
        if (v->error != NULL) *v->error = *error;
    }
    atomic_store(&v->is_stopped, true);
    pthread_mutex_unlock(&v->lock);
}

static bool is_cancelled(void *context)
{
    verifying *v = context;
    const vc_engine_options *options = &v->plan->options;
    return atomic_load(&v->is_stopped) ||
           (options->is_cancelled != NULL && options->is_cancelled(options->context));
}

static void verify_document(void *context, size_t number)
{
    static const vc_made_document unknown = {0};
    verifying *v = context;
    vc_arena arena = {0};
    vc_error error = {0};
    vc_composed composed = {0};
    vc_run_files files = {0};
    vc_status status = VC_OK;
    bool is_published = false, is_new = number >= v->manifest->ndocuments;
    const vc_made_document *document = is_new ? &unknown : &v->manifest->documents[number];
    uint32_t place = is_new ? (uint32_t)v->new_items[number - v->manifest->ndocuments]
                            : vc_strmap_find(&v->items, document->file);
    vc_str file = document->file;
    if (is_cancelled(v)) {
        status = vc_fail(&error, VC_CANCELLED, "cancelled", "the verification was stopped");
    } else if (place != VC_STRMAP_NONE) {
        file = v->plan->sweep->items[place].file;
        status = vc_run_make(v->plan, &v->plan->sweep->items[place], &v->options, NULL, &arena,
                             &composed, &files, &is_published, &error);
    }
    vc_run_drop_files(&files);
    if (!is_published) files.nfiles = 0;
    if (status == VC_OK && !note_done(v, number, document, file, &files, &composed))
        status = vc_no_memory(&error);
    if (status != VC_OK) stop(v, status, &error);
    vc_arena_release(&arena);
}

/* ---- all of them ---- */

static bool list_items(verifying *v)
{
    const vc_sweep *sweep = v->plan->sweep;
    bool is_listed = true;
    size_t *new_items = VC_ARENA_NEW(v->arena, size_t, sweep->nitems + 1);
    if (new_items == NULL) return false;
    for (size_t i = 0; i < v->manifest->ndocuments; i++)
        is_listed &=
            vc_strmap_put(&v->documents, v->manifest->documents[i].file, NULL) != VC_STRMAP_NONE;
    for (size_t i = 0; i < sweep->nitems; i++) {
        is_listed &= vc_strmap_put(&v->items, sweep->items[i].file, NULL) == i;
        if (v->manifest->is_complete &&
            vc_strmap_find(&v->documents, sweep->items[i].file) == VC_STRMAP_NONE)
            new_items[v->nnew++] = i;
    }
    v->new_items = new_items;
    v->found = VC_ARENA_NEW(v->arena, verified, v->manifest->ndocuments + v->nnew + 1);
    return is_listed && v->found != NULL;
}

static vc_status sum_up(verifying *v, vc_verification *out, vc_error *error)
{
    size_t count = v->manifest->ndocuments + v->nnew, nfiles = 0;
    for (size_t i = 0; i < count; i++)
        nfiles += v->found[i].nfiles;
    vc_verified_file *findings = VC_ARENA_NEW(v->arena, vc_verified_file, nfiles + 1);
    if (findings == NULL) return vc_no_memory(error);
    out->ndocuments = v->manifest->ndocuments;
    out->findings = findings;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < v->found[i].nfiles; j++) {
            const vc_verified_file *file = &v->found[i].files[j];
            out->counts[file->verdict]++;
            out->nfiles += file->verdict != VC_VERDICT_NEW;
            if (file->verdict != VC_VERDICT_SAME) findings[out->nfindings++] = *file;
        }
    return VC_OK;
}

vc_status vc_verify_run(const vc_run_plan *plan, const vc_run_manifest *manifest, vc_folder *folder,
                        vc_arena *arena, vc_verification *verification_out, vc_error *error)
{
    verifying v = {.plan = plan,
                   .manifest = manifest,
                   .folder = folder,
                   .options = plan->options,
                   .arena = arena,
                   .error = error};
    *verification_out = (vc_verification){0};
    pthread_mutex_init(&v.lock, NULL);
    v.options.is_cancelled = is_cancelled;
    v.options.context = &v;
    v.options.pool = NULL;
    if (!list_items(&v)) v.status = vc_no_memory(error);
    if (v.status == VC_OK) {
        v.progress.ntotal = manifest->ndocuments + v.nnew;
        vc_pool_run(plan->pool, v.progress.ntotal, verify_document, &v);
    }
    if (v.status == VC_OK) v.status = sum_up(&v, verification_out, error);
    vc_strmap_release(&v.items);
    vc_strmap_release(&v.documents);
    pthread_mutex_destroy(&v.lock);
    return v.status;
}
