#include "report/run.h"

#include "base/strmap.h"
#include "report/journal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct run {
    const vc_run_plan *plan;
    vc_folder *folder;
    vc_journal *journal;
    vc_engine_options options;
    vc_str *entries; /* [nitems] of the manifest; absent: none */
    char **texts;    /* [nitems] what was made now, on the heap */
    atomic_bool is_stopped;
    pthread_mutex_t lock; /* of what follows, and of the watcher */
    vc_run_result *result;
    vc_status status;
    size_t failed_item;
    vc_error *error;
    vc_arena arena; /* of definitions */
    vc_strmap definitions;
} run;

/* ---- the key ---- */

static void add_text(crypto_hash_sha256_state *sum, vc_str text)
{
    uint64_t size = text.size;
    crypto_hash_sha256_update(sum, (const unsigned char *)&size, sizeof size);
    crypto_hash_sha256_update(sum, (const unsigned char *)text.data, text.size);
}

/* All that the bytes depend on. A program of the same version may have been built anew, so the file
 * that it is counts, too; the key is compared on this machine only. */
static void make_key(const vc_run_plan *plan, char key[VC_FOLDER_SUM + 1])
{
    crypto_hash_sha256_state sum;
    unsigned char bytes[crypto_hash_sha256_BYTES];
    struct stat program = {0};
    int64_t built[3] = {0};
    crypto_hash_sha256_init(&sum);
    if (stat("/proc/self/exe", &program) == 0) {
        built[0] = program.st_size;
        built[1] = program.st_mtim.tv_sec;
        built[2] = program.st_mtim.tv_nsec;
    }
    crypto_hash_sha256_update(&sum, (const unsigned char *)built, sizeof built);
    add_text(&sum, VC_STR(VCUBE_VERSION));
    add_text(&sum, plan->snapshot);
    add_text(&sum, plan->specification);
    for (unsigned i = 0; i < VC_REPORT_FORMATS; i++)
        add_text(&sum, plan->formats[i] ? VC_STR("1") : VC_STR("0"));
    for (size_t i = 0; i < plan->nparameters; i++) {
        add_text(&sum, plan->parameters[i].name);
        add_text(&sum, plan->parameters[i].value);
    }
    crypto_hash_sha256_final(&sum, bytes);
    sodium_bin2hex(key, VC_FOLDER_SUM + 1, bytes, sizeof bytes);
}

/* ---- keeping what is finished ---- */

static bool is_there(run *r, const vc_made_file *file)
{
    uint64_t nbytes;
    char sum[VC_FOLDER_SUM + 1];
    return vc_folder_sum(r->folder, file->path, &nbytes, sum, NULL) == VC_OK &&
           nbytes == file->nbytes && strcmp(sum, file->sum) == 0;
}

/* Is the document finished, with the bytes that it had then? */
static bool keep(run *r, const vc_sweep_item *item, vc_str *entry_out,
                 vc_made_document *document_out, vc_arena *arena)
{
    vc_str entry = vc_journal_find(r->journal, item->file);
    if (entry.data == NULL) return false;
    if (vc_run_manifest_read_document(entry, arena, document_out, NULL) != VC_OK) return false;
    bool is_kept = document_out->is_published && document_out->nproblems == 0;
    for (size_t i = 0; i < document_out->nfiles && is_kept; i++)
        is_kept = is_there(r, &document_out->files[i]);
    if (is_kept) *entry_out = entry;
    return is_kept;
}

/* ---- under the lock ---- */

static void stop(run *r, size_t number, vc_status status, const vc_error *error)
{
    pthread_mutex_lock(&r->lock);
    /* The first of the sweep; a cancelled one only tells that another one failed. */
    bool is_first = r->status == VC_OK || (r->status == VC_CANCELLED && status != VC_CANCELLED) ||
                    (status != VC_CANCELLED && number < r->failed_item);
    if (is_first) {
        r->status = status;
        r->failed_item = number;
        if (r->error != NULL) *r->error = *error;
    }
    atomic_store(&r->is_stopped, true);
    pthread_mutex_unlock(&r->lock);
}

static bool note_definitions(run *r, const vc_str *definitions, size_t ndefinitions)
{
    bool is_noted = true;
    for (size_t i = 0; i < ndefinitions; i++)
        is_noted &= vc_strmap_put(&r->definitions, definitions[i], NULL) != VC_STRMAP_NONE;
    return is_noted;
}

static void note_done(run *r, const vc_sweep_item *item, const vc_made_file *files, size_t nfiles)
{
    vc_run_progress *progress = &r->result->progress;
    progress->ndone++;
    progress->nfiles += nfiles;
    for (size_t i = 0; i < nfiles; i++)
        progress->nbytes += files[i].nbytes;
    progress->file = item->file;
    if (r->plan->watcher.done != NULL) r->plan->watcher.done(r->plan->watcher.context, progress);
}

static vc_status note_kept(run *r, size_t number, const vc_made_document *document, vc_error *error)
{
    bool is_wanted = r->plan->is_wanted == NULL || r->plan->is_wanted[number];
    pthread_mutex_lock(&r->lock);
    bool is_noted = note_definitions(r, document->definitions, document->ndefinitions);
    if (is_wanted) {
        r->result->progress.nkept++;
        note_done(r, &r->plan->sweep->items[number], document->files, document->nfiles);
    }
    pthread_mutex_unlock(&r->lock);
    return is_noted ? VC_OK : vc_no_memory(error);
}

static vc_status note_made(run *r, size_t number, const vc_composed *composed,
                           const vc_run_files *files, bool is_published, vc_arena *arena,
                           vc_error *error)
{
    const vc_sweep_item *item = &r->plan->sweep->items[number];
    const vc_run_watcher *watcher = &r->plan->watcher;
    const vc_str *definitions;
    size_t ndefinitions;
    vc_status status =
        vc_run_manifest_split(composed->definitions, arena, &definitions, &ndefinitions, error);
    if (status != VC_OK) return status;
    pthread_mutex_lock(&r->lock);
    if (!note_definitions(r, definitions, ndefinitions)) status = vc_no_memory(error);
    r->result->nmade += is_published;
    r->result->nunpublished += !is_published;
    r->result->nfailed += is_published && composed->nproblems > 0;
    r->result->nproblems += composed->nproblems;
    for (size_t i = 0; i < composed->nproblems && watcher->problem != NULL; i++)
        watcher->problem(watcher->context, item, &composed->problems[i], is_published);
    note_done(r, item, files->files, is_published ? files->nfiles : 0);
    pthread_mutex_unlock(&r->lock);
    return status;
}

/* ---- a document ---- */

static vc_status publish(const vc_run_files *files, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < files->nfiles && status == VC_OK; i++)
        status = vc_folder_sync_file(&files->open[i], error);
    for (size_t i = 0; i < files->nfiles && status == VC_OK; i++)
        status = vc_folder_rename(&files->open[i], error);
    return status;
}

static vc_status put_entry(run *r, size_t number, const vc_composed *composed,
                           const vc_run_files *files, bool is_published, vc_error *error)
{
    vc_buffer text = {0};
    vc_status status = VC_OK;
    vc_run_manifest_put_document(&text, &r->plan->sweep->items[number], composed, files->files,
                                 is_published ? files->nfiles : 0, is_published);
    if (text.failed) {
        vc_buffer_release(&text);
        return vc_no_memory(error);
    }
    r->texts[number] = text.data;
    r->entries[number] = (vc_str){text.data, text.size};
    if (composed->nproblems == 0) status = vc_journal_put(r->journal, r->entries[number], error);
    return status;
}

static vc_status make(run *r, size_t number, vc_arena *arena, vc_error *error)
{
    vc_composed composed = {0};
    vc_run_files files = {0};
    bool is_published;
    vc_status status = vc_run_make(r->plan, &r->plan->sweep->items[number], &r->options, r->folder,
                                   arena, &composed, &files, &is_published, error);
    if (status == VC_OK && is_published) status = publish(&files, error);
    vc_run_drop_files(&files);
    if (status == VC_OK) status = put_entry(r, number, &composed, &files, is_published, error);
    if (status == VC_OK)
        status = note_made(r, number, &composed, &files, is_published, arena, error);
    return status;
}

static bool is_cancelled(void *context)
{
    run *r = context;
    const vc_engine_options *options = &r->plan->options;
    return atomic_load(&r->is_stopped) ||
           (options->is_cancelled != NULL && options->is_cancelled(options->context));
}

static void do_item(void *context, size_t number)
{
    run *r = context;
    vc_arena arena = {0};
    vc_error error = {0};
    vc_made_document document;
    bool is_wanted = r->plan->is_wanted == NULL || r->plan->is_wanted[number];
    vc_status status = VC_OK;
    if (is_cancelled(r))
        status = vc_fail(&error, VC_CANCELLED, "cancelled", "the run was stopped");
    else if (keep(r, &r->plan->sweep->items[number], &r->entries[number], &document, &arena))
        status = note_kept(r, number, &document, &error);
    else if (is_wanted)
        status = make(r, number, &arena, &error);
    if (status != VC_OK) stop(r, number, status, &error);
    vc_arena_release(&arena);
}

/* ---- before and after ---- */

static vc_status clean(run *r, vc_error *error)
{
    vc_status status = vc_folder_clean(r->folder, VC_STR(VC_MANIFEST_NAME), error);
    vc_str last = {0}; /* sweeps go folder by folder */
    for (size_t i = 0; i < r->plan->sweep->nitems && status == VC_OK; i++) {
        vc_str file = r->plan->sweep->items[i].file;
        size_t size = file.size;
        while (size > 0 && file.data[size - 1] != '/')
            size--;
        vc_str folder = {file.data, size};
        if (size > 0 && !vc_str_equal(folder, last))
            status = vc_folder_clean(r->folder, file, error);
        last = folder;
    }
    return status;
}

/* What the new manifest accounts for: its files, and documents whose older files stay. */
static bool list_known(const vc_run_manifest *now, vc_strmap *paths, vc_strmap *unpublished)
{
    bool is_listed = true;
    for (size_t i = 0; i < now->ndocuments; i++) {
        const vc_made_document *document = &now->documents[i];
        if (!document->is_published)
            is_listed &= vc_strmap_put(unpublished, document->file, NULL) != VC_STRMAP_NONE;
        for (size_t j = 0; j < document->nfiles; j++)
            is_listed &= vc_strmap_put(paths, document->files[j].path, NULL) != VC_STRMAP_NONE;
    }
    return is_listed;
}

/* Files that the last manifest lists, the new one does not, and that are there still. */
static void find_strangers(run *r, vc_str old, vc_str new, vc_arena *arena)
{
    vc_arena scratch = {0};
    vc_strmap paths = {0}, unpublished = {0};
    vc_run_manifest before, now;
    uint64_t nbytes;
    char sum[VC_FOLDER_SUM + 1];
    bool is_known = vc_run_manifest_read(old, NULL, &scratch, &before, NULL) == VC_OK &&
                    vc_run_manifest_read(new, NULL, &scratch, &now, NULL) == VC_OK &&
                    now.is_complete && list_known(&now, &paths, &unpublished);
    for (size_t i = 0; is_known && i < before.ndocuments; i++) {
        const vc_made_document *document = &before.documents[i];
        if (vc_strmap_find(&unpublished, document->file) != VC_STRMAP_NONE) continue;
        for (size_t j = 0; j < document->nfiles; j++) {
            vc_str path = document->files[j].path;
            if (vc_strmap_find(&paths, path) != VC_STRMAP_NONE ||
                vc_folder_sum(r->folder, path, &nbytes, sum, NULL) != VC_OK)
                continue;
            if (r->result->nstrangers++ == 0) r->result->stranger = vc_arena_str(arena, path);
        }
    }
    vc_strmap_release(&paths);
    vc_strmap_release(&unpublished);
    vc_arena_release(&scratch);
}

static int compare_texts(const void *a, const void *b)
{
    return vc_str_compare(*(const vc_str *)a, *(const vc_str *)b);
}

static void put_manifest(run *r, vc_buffer *out)
{
    const vc_run_plan *plan = r->plan;
    size_t nentries = 0, nitems = plan->sweep->nitems;
    vc_run_manifest manifest = {.version = VC_STR(VCUBE_VERSION),
                                .report = plan->report,
                                .specification = plan->specification,
                                .snapshot = plan->snapshot,
                                .parameters = plan->parameters,
                                .nparameters = plan->nparameters,
                                .definitions = r->definitions.keys,
                                .ndefinitions = r->definitions.count};
    memcpy(manifest.formats, plan->formats, sizeof manifest.formats);
    /* The map is used no more: its keys may change places. */
    if (r->definitions.count > 0)
        qsort(r->definitions.keys, r->definitions.count, sizeof(vc_str), compare_texts);
    for (size_t i = 0; i < nitems; i++)
        if (r->entries[i].data != NULL) r->entries[nentries++] = r->entries[i];
    manifest.is_complete = nentries == nitems;
    vc_run_manifest_put(out, &manifest, r->entries, nentries);
}

static vc_status write_manifest(run *r, vc_arena *arena, vc_error *error)
{
    vc_buffer text = {0}, old = {0};
    vc_folder_file file = {0};
    vc_str name = VC_STR(VC_MANIFEST_NAME);
    put_manifest(r, &text);
    if (vc_folder_read(r->folder, name, VC_MAX_MANIFEST_BYTES, &old, NULL) == VC_OK)
        find_strangers(r, (vc_str){old.data, old.size}, (vc_str){text.data, text.size}, arena);
    vc_status status =
        text.failed ? vc_no_memory(error) : vc_folder_create(r->folder, name, &file, error);
    if (status == VC_OK) {
        vc_render_sink sink = vc_folder_sink(&file);
        status = sink.write(sink.context, text.data, text.size, error);
    }
    if (status == VC_OK) status = vc_folder_sync_file(&file, error);
    if (status == VC_OK) status = vc_folder_rename(&file, error);
    vc_folder_drop(&file);
    vc_buffer_release(&text);
    vc_buffer_release(&old);
    return status == VC_OK ? vc_folder_sync(r->folder, error) : status;
}

static size_t count_wanted(const vc_run_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->sweep->nitems; i++)
        count += plan->is_wanted == NULL || plan->is_wanted[i];
    return count;
}

static vc_status open_run(run *r, const char *directory, vc_error *error)
{
    char key[VC_FOLDER_SUM + 1];
    size_t nitems = r->plan->sweep->nitems;
    r->entries = calloc(nitems + 1, sizeof *r->entries);
    r->texts = calloc(nitems + 1, sizeof *r->texts);
    if (r->entries == NULL || r->texts == NULL) return vc_no_memory(error);
    vc_status status = vc_folder_open(directory, true, &r->folder, error);
    if (status == VC_OK) status = clean(r, error);
    make_key(r->plan, key);
    if (status == VC_OK)
        status = vc_journal_open(r->folder, vc_str_of(key), r->plan->is_forced, &r->journal, error);
    return status;
}

static void close_run(run *r)
{
    for (size_t i = 0; r->texts != NULL && i < r->plan->sweep->nitems; i++)
        free(r->texts[i]);
    free(r->texts);
    free(r->entries);
    vc_strmap_release(&r->definitions);
    vc_journal_close(r->journal);
    vc_folder_close(r->folder);
    pthread_mutex_destroy(&r->lock);
}

vc_status vc_run(const vc_run_plan *plan, const char *directory, vc_arena *arena,
                 vc_run_result *result_out, vc_error *error)
{
    run r = {.plan = plan, .result = result_out, .error = error, .options = plan->options};
    vc_error unused;
    size_t nwanted = count_wanted(plan);
    *result_out = (vc_run_result){.progress.ntotal = nwanted};
    pthread_mutex_init(&r.lock, NULL);
    r.options.pool = nwanted == 1 ? plan->pool : NULL;
    r.options.is_cancelled = is_cancelled;
    r.options.context = &r;
    vc_status status = open_run(&r, directory, error);
    if (status == VC_OK) {
        vc_pool_run(nwanted == 1 ? NULL : plan->pool, plan->sweep->nitems, do_item, &r);
        status = r.status;
        if (status == VC_OK)
            status = write_manifest(&r, arena, error);
        else
            (void)vc_folder_sync(r.folder, &unused);
    }
    close_run(&r);
    return status;
}
