#include "storage/encode.h"
#include "storage/guard.h"
#include "storage/internal.h"

#include <stdio.h>
#include <string.h>

typedef struct verification {
    vc_snapshot *snapshot;
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc;
    vc_record_key record_key;
    const char *problem;
    void (*found)(void *context, const char *sentence);
    void *context;
    uint64_t nrecords, ndamaged;
    vc_error *error; /* of the first */
} verification;

static void report(verification *work, const char *name, const char *problem)
{
    char sentence[800];
    snprintf(sentence, sizeof sentence, "%s %s", name, problem);
    if (work->ndamaged++ == 0) vc_fail(work->error, VC_CORRUPT, "storage_damaged", "%s", sentence);
    if (work->found != NULL) work->found(work->context, sentence);
}

static void report_record(verification *work, const char *problem)
{
    char name[512];
    vc_record_describe(work->snapshot->catalogue, &work->record_key, name, sizeof name);
    report(work, name, problem);
}

static void step(void *context)
{
    verification *work = context;
    work->rc = mdb_cursor_get(work->cursor, &work->key, &work->value, MDB_NEXT);
}

static void check_record(void *context)
{
    verification *work = context;
    vc_record_header header;
    vc_chunk chunk;
    const void *value = work->value.mv_data;
    size_t size = work->value.mv_size;
    work->problem = vc_record_read(&work->record_key, value, size, &header);
    if (work->problem == NULL && !vc_record_is_sound(value, size))
        work->problem = "has a wrong checksum";
    if (work->problem != NULL) return;
    switch (work->record_key.kind) {
    case VC_RECORD_FACTS: work->problem = vc_chunk_view(&header, value, size, &chunk); break;
    case VC_RECORD_BYTES:
        work->problem = vc_piece_check(&header, work->record_key.segment, size);
        break;
    case VC_RECORD_MANIFEST:
    case VC_RECORD_CATALOGUE:
        if ((uint64_t)header.min != size - VC_HEADER_BYTES)
            work->problem = "has another size than it says";
        break;
    default: break;
    }
}

/* Every record that the tree holds. */
static void check_records(verification *work)
{
    while (true) {
        if (!vc_guard_run(step, work)) {
            report(work, "the tree of records", "is damaged, and the rest of it cannot be reached");
            return;
        }
        if (work->rc == MDB_NOTFOUND) return;
        if (work->rc != 0) {
            report(work, "the tree of records:", mdb_strerror(work->rc));
            return;
        }
        work->nrecords++;
        if (!vc_record_key_read(work->key.mv_data, work->key.mv_size, &work->record_key)) {
            report(work, "a record", "has a key that is none of ours");
            continue;
        }
        if (!vc_guard_run(check_record, work))
            work->problem = "lies on a page that the file does not have";
        if (work->problem != NULL) report_record(work, work->problem);
    }
}

/* Every record that the catalogues name: one that is gone leaves no trace in the tree. */
static vc_status check_catalogue(verification *work, uint64_t epoch)
{
    vc_catalogue *catalogue;
    vc_error problem = {0};
    vc_status status = vc_catalogue_read(work->snapshot->txn, epoch, &catalogue, &problem);
    if (status == VC_NO_MEMORY) return vc_no_memory(work->error);
    if (status != VC_OK) {
        report(work, problem.message, "");
        return VC_OK;
    }
    for (size_t i = 0; i < catalogue->nentries; i++) {
        vc_record_key key = {.kind = VC_RECORD_MANIFEST,
                             .object = catalogue->entries[i].id,
                             .generation = catalogue->entries[i].generation};
        vc_record record;
        if (vc_record_get(NULL, work->snapshot->txn, &key, VC_LOOK_HEADER, &record) ==
            VC_RECORD_MISSING) {
            work->record_key = key;
            report_record(work, VC_RECORD_MISSING);
        }
    }
    vc_catalogue_drop(catalogue);
    return VC_OK;
}

static vc_status check_catalogues(verification *work)
{
    uint64_t epoch = 0;
    vc_status status = VC_OK;
    while (status == VC_OK && vc_catalogue_next_epoch(work->cursor, epoch, &epoch))
        status = check_catalogue(work, epoch++);
    return status;
}

vc_status vc_store_verify(vc_store *store, void (*found)(void *context, const char *sentence),
                          void *context, uint64_t *nrecords_out, uint64_t *ndamaged_out,
                          vc_error *error)
{
    verification work = {.found = found, .context = context, .error = error};
    *nrecords_out = *ndamaged_out = 0;
    vc_status status = vc_snapshot_open(store, &work.snapshot, error);
    if (status == VC_CORRUPT) { /* the head or the newest catalogue itself */
        *ndamaged_out = 1;
        if (found != NULL && error != NULL) found(context, error->message);
    }
    if (status != VC_OK) return status;
    int rc = mdb_cursor_open(work.snapshot->txn, VC_MAIN_TABLE, &work.cursor);
    if (rc != 0) {
        status = vc_env_fail(store->env, rc, "verify", error);
    } else {
        check_records(&work);
        status = check_catalogues(&work);
        mdb_cursor_close(work.cursor);
    }
    vc_snapshot_close(work.snapshot);
    *nrecords_out = work.nrecords;
    *ndamaged_out = work.ndamaged;
    if (status == VC_OK && work.ndamaged > 0) status = VC_CORRUPT;
    return status;
}
