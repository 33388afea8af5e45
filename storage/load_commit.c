/* Batches of a load, committed by a thread of its own. */
#include "storage/filesystem.h"
#include "storage/load_parts.h"

enum { MAX_CURES = 4 };

typedef struct commit {
    const vc_batch *batch;
    const vc_head *head;
    const vc_buffer *catalogue; /* NULL before publishing */
} commit;

/* The head is written with every batch: it claims the generation and the ids for good. */
static int write_commit(MDB_txn *txn, void *context)
{
    const commit *work = context;
    int rc = vc_batch_put(work->batch, txn);
    if (rc == 0 && work->catalogue != NULL) {
        vc_record_key key = vc_record_catalogue_key(work->head->epoch);
        rc = vc_record_put(txn, &key, work->catalogue->data, work->catalogue->size);
    }
    return rc != 0 ? rc : vc_head_write(txn, work->head);
}

static void *run_writer(void *argument)
{
    vc_load *load = argument;
    vc_load_writer *w = &load->writer;
    pthread_mutex_lock(&w->lock);
    while (true) {
        while (!w->is_busy && !w->is_quitting)
            pthread_cond_wait(&w->changed, &w->lock);
        if (!w->is_busy) break;
        commit work = {.batch = &w->batch, .head = &load->head};
        pthread_mutex_unlock(&w->lock);
        int result = vc_env_try_write(load->store->env, write_commit, &work);
        if (load->store->forgets_pages) vc_fs_forget_pages(load->store->device, load->store->inode);
        pthread_mutex_lock(&w->lock);
        w->result = result;
        w->is_busy = false;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

vc_status vc_load_fail(vc_load *load, vc_status status, vc_error *error)
{
    load->failed = status;
    if (error != NULL) *error = load->failure;
    return status;
}

/* Make room on a full disk: LMDB can use the pages of deleted records two commits later, provided
 * that no snapshot is older. */
static bool make_room(vc_load *load)
{
    uint64_t ndeleted;
    const commit nothing = {.batch = &(vc_batch){0}, .head = &load->head};
    if (vc_store_collect(load->store, load->generation, &ndeleted, NULL) != VC_OK) return false;
    return vc_env_try_write(load->store->env, write_commit, (void *)&nothing) == 0;
}

/* After a transaction failed with rc: cure what can be cured and run it again, in this thread, with
 * the load's snapshot closed meanwhile. */
static vc_status commit_again(vc_load *load, int rc, commit *work, vc_error *error)
{
    vc_env *env = load->store->env;
    vc_status status = VC_OK;
    bool has_made_room = false;
    vc_snapshot_suspend(load->snapshot);
    for (int cures = 0; rc != 0 && status == VC_OK && cures < MAX_CURES; cures++) {
        if (vc_env_is_curable(rc)) {
            status = vc_env_repair(env, rc, &load->failure);
        } else {
            status = vc_env_fail(env, rc, "write a batch", &load->failure);
            if (status == VC_DISK_FULL && !has_made_room && make_room(load)) {
                has_made_room = true;
                status = VC_OK;
            }
        }
        if (status == VC_OK) rc = vc_env_try_write(env, write_commit, work);
    }
    if (status == VC_OK && rc != 0) status = vc_env_fail(env, rc, "write a batch", &load->failure);
    vc_error resume_error = {0};
    vc_status resumed = vc_snapshot_resume(load->snapshot, &resume_error);
    if (status == VC_OK && resumed != VC_OK) {
        status = resumed;
        load->failure = resume_error;
    }
    return status == VC_OK ? VC_OK : vc_load_fail(load, status, error);
}

vc_status vc_load_commit_now(vc_load *load, const vc_batch *batch, const vc_buffer *catalogue,
                             vc_error *error)
{
    commit work = {.batch = batch, .head = &load->head, .catalogue = catalogue};
    int rc = vc_env_try_write(load->store->env, write_commit, &work);
    return rc == 0 ? VC_OK : commit_again(load, rc, &work, error);
}

vc_status vc_load_wait(vc_load *load, vc_error *error)
{
    vc_load_writer *w = &load->writer;
    if (!w->is_started) return VC_OK;
    pthread_mutex_lock(&w->lock);
    while (w->is_busy)
        pthread_cond_wait(&w->changed, &w->lock);
    int rc = w->result;
    w->result = 0;
    pthread_mutex_unlock(&w->lock);
    if (rc == 0) return VC_OK;
    commit work = {.batch = &w->batch, .head = &load->head};
    return commit_again(load, rc, &work, error);
}

void vc_load_stop_writer(vc_load *load)
{
    vc_load_writer *w = &load->writer;
    if (w->is_started) {
        pthread_mutex_lock(&w->lock);
        w->is_quitting = true;
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
        w->is_started = false;
    }
}

/* Hand the full batch to the writer, and go on with the other one. Without a thread (none can be
 * started) the batch is committed here. */
vc_status vc_load_submit(vc_load *load, vc_error *error)
{
    vc_load_writer *w = &load->writer;
    vc_status status = vc_load_wait(load, error);
    if (status != VC_OK) return status;
    if (!w->is_started) w->is_started = pthread_create(&w->thread, NULL, run_writer, load) == 0;
    if (!w->is_started) {
        status = vc_load_commit_now(load, &load->filling, NULL, error);
        vc_batch_clear(&load->filling);
        return status;
    }
    pthread_mutex_lock(&w->lock);
    vc_batch full = load->filling;
    load->filling = w->batch;
    w->batch = full;
    w->is_busy = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    vc_batch_clear(&load->filling);
    return VC_OK;
}
