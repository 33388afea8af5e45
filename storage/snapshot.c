#include "storage/internal.h"

#include "storage/encode.h"
#include "storage/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char VC_RECORD_MISSING[] = "is missing";

/* ---- one record ---- */

typedef struct lookup {
    vc_store *store;
    MDB_txn *txn;
    const vc_record_key *key;
    vc_look look;
    vc_record *record;
    const char *problem;
} lookup;

static void look_up(void *context)
{
    lookup *work = context;
    vc_record *record = work->record;
    uint8_t bytes[VC_KEY_BYTES];
    vc_record_key_write(work->key, bytes);
    MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes}, value;
    int rc = mdb_get(work->txn, VC_MAIN_TABLE, &key, &value);
    if (rc != 0) {
        work->problem = rc == MDB_NOTFOUND ? VC_RECORD_MISSING : mdb_strerror(rc);
        return;
    }
    record->value = value.mv_data;
    record->size = value.mv_size;
    work->problem = vc_record_read(work->key, record->value, record->size, &record->header);
    if (work->problem != NULL || work->look == VC_LOOK_HEADER ||
        (work->look == VC_LOOK_ONCE && vc_verified_has(work->store->verified, work->key)))
        return;
    if (!vc_record_is_sound(record->value, record->size))
        work->problem = "has a wrong checksum";
    else if (work->look == VC_LOOK_ONCE)
        vc_verified_add(work->store->verified, work->key);
}

const char *vc_record_get(vc_store *store, MDB_txn *txn, const vc_record_key *key, vc_look look,
                          vc_record *record_out)
{
    lookup work = {.store = store, .txn = txn, .key = key, .look = look, .record = record_out};
    if (!vc_guard_run(look_up, &work))
        return "lies on a page that the file does not have, or that is damaged";
    return work.problem;
}

int vc_record_put(MDB_txn *txn, const vc_record_key *key, const void *value, size_t size)
{
    uint8_t bytes[VC_KEY_BYTES];
    vc_record_key_write(key, bytes);
    MDB_val k = {.mv_size = sizeof bytes, .mv_data = bytes};
    MDB_val v = {.mv_size = size, .mv_data = (void *)value};
    return mdb_put(txn, VC_MAIN_TABLE, &k, &v, 0);
}

vc_status vc_head_read(MDB_txn *txn, vc_head *head_out, vc_error *error)
{
    vc_record_key key = {.kind = VC_RECORD_HEAD};
    vc_record record;
    const char *problem = vc_record_get(NULL, txn, &key, VC_LOOK_ALL, &record);
    if (problem != NULL)
        return vc_fail(error, VC_CORRUPT, "storage_damaged",
                       "the head record, which names the newest epoch, %s", problem);
    *head_out = (vc_head){.epoch = (uint64_t)record.header.min,
                          .next_object = record.header.nrows,
                          .next_generation = (uint32_t)record.header.max};
    return VC_OK;
}

int vc_head_write(MDB_txn *txn, const vc_head *head)
{
    unsigned char value[VC_HEADER_BYTES];
    vc_record_key key = {.kind = VC_RECORD_HEAD};
    vc_record_header header = {.nrows = head->next_object,
                               .min = (int64_t)head->epoch,
                               .max = (int64_t)head->next_generation};
    vc_record_seal(value, sizeof value, &key, &header);
    return vc_record_put(txn, &key, value, sizeof value);
}

vc_status vc_catalogue_read(MDB_txn *txn, uint64_t epoch, vc_catalogue **catalogue_out,
                            vc_error *error)
{
    *catalogue_out = NULL;
    if (epoch == 0) {
        *catalogue_out = vc_catalogue_new_empty();
        return *catalogue_out == NULL ? vc_no_memory(error) : VC_OK;
    }
    vc_record_key key = vc_record_catalogue_key(epoch);
    vc_record record;
    const char *problem = vc_record_get(NULL, txn, &key, VC_LOOK_ALL, &record);
    if (problem != NULL)
        return vc_fail(error, VC_CORRUPT, "storage_damaged", "the catalogue of epoch %llu %s",
                       (unsigned long long)epoch, problem);
    return vc_catalogue_parse(epoch, &record.header, record.value, record.size, catalogue_out,
                              error);
}

bool vc_catalogue_next_epoch(MDB_cursor *cursor, uint64_t first, uint64_t *epoch_out)
{
    uint8_t bytes[VC_KEY_BYTES];
    vc_record_key key = vc_record_catalogue_key(first);
    vc_record_key_write(&key, bytes);
    MDB_val k = {.mv_size = sizeof bytes, .mv_data = bytes}, value;
    if (mdb_cursor_get(cursor, &k, &value, MDB_SET_RANGE) != 0 ||
        !vc_record_key_read(k.mv_data, k.mv_size, &key) || key.kind != VC_RECORD_CATALOGUE)
        return false;
    *epoch_out = vc_record_key_epoch(&key);
    return true;
}

/* ---- open and close ---- */

/* The catalogue of the newest epoch: nearly always the one that was parsed last. */
static vc_status share_catalogue(vc_store *store, MDB_txn *txn, uint64_t epoch,
                                 vc_catalogue **catalogue_out, vc_error *error)
{
    pthread_mutex_lock(&store->lock);
    bool is_known = store->newest != NULL && store->newest->epoch == epoch;
    if (is_known) *catalogue_out = vc_catalogue_hold(store->newest);
    pthread_mutex_unlock(&store->lock);
    if (is_known) return VC_OK;
    vc_status status = vc_catalogue_read(txn, epoch, catalogue_out, error);
    if (status != VC_OK) return status;
    pthread_mutex_lock(&store->lock);
    if (store->newest == NULL || store->newest->epoch < epoch) {
        vc_catalogue_drop(store->newest);
        store->newest = vc_catalogue_hold(*catalogue_out);
    }
    pthread_mutex_unlock(&store->lock);
    return VC_OK;
}

vc_status vc_snapshot_open(vc_store *store, vc_snapshot **snapshot_out, vc_error *error)
{
    *snapshot_out = NULL;
    vc_head head;
    vc_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL) return vc_no_memory(error);
    snapshot->store = store;
    vc_env_check_readers_sometimes(store->env);
    vc_status status = vc_env_begin_read(store->env, &snapshot->txn, error);
    if (status == VC_OK) status = vc_head_read(snapshot->txn, &head, error);
    if (status == VC_OK)
        status = share_catalogue(store, snapshot->txn, head.epoch, &snapshot->catalogue, error);
    if (status != VC_OK) {
        vc_snapshot_close(snapshot);
        return status;
    }
    *snapshot_out = snapshot;
    return VC_OK;
}

void vc_snapshot_close(vc_snapshot *snapshot)
{
    if (snapshot == NULL) return;
    vc_env_end(snapshot->store->env, snapshot->txn);
    vc_catalogue_drop(snapshot->catalogue);
    free(snapshot);
}

void vc_snapshot_suspend(vc_snapshot *snapshot)
{
    vc_env_end(snapshot->store->env, snapshot->txn);
    snapshot->txn = NULL;
}

vc_status vc_snapshot_resume(vc_snapshot *snapshot, vc_error *error)
{
    return vc_env_begin_read(snapshot->store->env, &snapshot->txn, error);
}

vc_status vc_snapshot_open_at(vc_store *store, vc_str id, vc_snapshot **snapshot_out,
                              vc_error *error)
{
    vc_snapshot *snapshot;
    *snapshot_out = NULL;
    vc_status status = vc_snapshot_open(store, &snapshot, error);
    if (status != VC_OK) return status;
    vc_str rest = id;
    int64_t epoch = -1;
    vc_catalogue *older = NULL;
    if (!vc_str_is(id, snapshot->catalogue->id)) {
        if (vc_parse_int(vc_str_split(&rest, '-'), &epoch) == VC_PARSE_OK && epoch >= 0 &&
            (uint64_t)epoch < snapshot->catalogue->epoch)
            vc_catalogue_read(snapshot->txn, (uint64_t)epoch, &older, NULL);
        if (older == NULL || !vc_str_is(id, older->id)) {
            vc_catalogue_drop(older);
            status = vc_snapshot_fail_unknown(snapshot, id, error);
            vc_snapshot_close(snapshot);
            return status;
        }
        vc_catalogue_drop(snapshot->catalogue);
        snapshot->catalogue = older;
    }
    *snapshot_out = snapshot;
    return VC_OK;
}

uint64_t vc_snapshot_epoch(const vc_snapshot *snapshot)
{
    return snapshot->catalogue->epoch;
}

const char *vc_snapshot_id(const vc_snapshot *snapshot)
{
    return snapshot->catalogue->id;
}

/* ---- objects ---- */

static vc_status read_object(const vc_snapshot *snapshot, const vc_entry *entry,
                             vc_object *object_out, vc_error *error)
{
    vc_record_key key = {
        .kind = VC_RECORD_MANIFEST, .object = entry->id, .generation = entry->generation};
    vc_record record;
    const char *problem = vc_record_get(snapshot->store, snapshot->txn, &key, VC_LOOK_ALL, &record);
    if (problem == NULL && (uint64_t)record.header.min != record.size - VC_HEADER_BYTES)
        problem = "has another size than it says";
    if (problem != NULL)
        return vc_fail(error, VC_CORRUPT, "storage_damaged", "the manifest of the %s '%.*s' %s",
                       vc_kind_name(entry->kind), VC_FMT(entry->name), problem);
    *object_out = (vc_object){.kind = entry->kind,
                              .id = entry->id,
                              .generation = entry->generation,
                              .name = entry->name,
                              .manifest = {.data = (const char *)record.value + VC_HEADER_BYTES,
                                           .size = record.size - VC_HEADER_BYTES}};
    return VC_OK;
}

vc_status vc_snapshot_find(const vc_snapshot *snapshot, vc_kind kind, vc_str name,
                           vc_object *object_out, vc_error *error)
{
    const vc_entry *entry = vc_catalogue_find(snapshot->catalogue, kind, name);
    if (entry == NULL) return vc_catalogue_fail_unknown(snapshot->catalogue, kind, name, error);
    return read_object(snapshot, entry, object_out, error);
}

vc_status vc_snapshot_list(const vc_snapshot *snapshot, vc_kind kind, vc_arena *arena,
                           vc_object **objects_out, size_t *nobjects_out, vc_error *error)
{
    const vc_catalogue *catalogue = snapshot->catalogue;
    size_t first = 0, end;
    while (first < catalogue->nentries && catalogue->entries[first].kind < kind)
        first++;
    for (end = first; end < catalogue->nentries && catalogue->entries[end].kind == kind;)
        end++;
    vc_object *objects = VC_ARENA_NEW(arena, vc_object, end - first);
    if (objects == NULL) return vc_no_memory(error);
    for (size_t i = first; i < end; i++) {
        vc_status status =
            read_object(snapshot, &catalogue->entries[i], &objects[i - first], error);
        if (status != VC_OK) return status;
    }
    *objects_out = objects;
    *nobjects_out = end - first;
    return VC_OK;
}

/* ---- columns ---- */

typedef struct piece_copy {
    void *to;
    const void *from;
    size_t size;
} piece_copy;

static void copy_piece(void *context)
{
    piece_copy *copy = context;
    memcpy(copy->to, copy->from, copy->size);
}

static vc_status fail_damaged(const vc_snapshot *snapshot, const vc_record_key *key,
                              const char *problem, vc_error *error)
{
    char text[512];
    vc_record_describe(snapshot->catalogue, key, text, sizeof text);
    return vc_fail(error, VC_CORRUPT, "storage_damaged", "%s %s", text, problem);
}

void vc_record_describe(const vc_catalogue *catalogue, const vc_record_key *key, char *text,
                        size_t size)
{
    static const char *const names[] = {"",
                                        "the format record",
                                        "the head record",
                                        "the catalogue",
                                        "the manifest",
                                        "facts",
                                        "bytes",
                                        "zones"};
    if (key->kind < VC_RECORD_CATALOGUE) {
        snprintf(text, size, "%s", names[key->kind]);
        return;
    }
    if (key->kind == VC_RECORD_CATALOGUE) {
        snprintf(text, size, "the catalogue of epoch %llu",
                 (unsigned long long)vc_record_key_epoch(key));
        return;
    }
    const vc_entry *entry = vc_catalogue_find_id(catalogue, key->object);
    char object[300];
    if (entry == NULL)
        snprintf(object, sizeof object, "object %u", key->object);
    else
        snprintf(object, sizeof object, "the %s '%.*s' (object %u)", vc_kind_name(entry->kind),
                 entry->name.size > 200 ? 200 : (int)entry->name.size, entry->name.data, entry->id);
    if (key->kind == VC_RECORD_MANIFEST)
        snprintf(text, size, "the manifest of %s, generation %u,", object, key->generation);
    else if (key->kind == VC_RECORD_ZONES)
        snprintf(text, size, "the zones of %s, generation %u, column %u,", object, key->generation,
                 key->column);
    else
        snprintf(text, size, "%s, generation %u, column %u, %s %u", object, key->generation,
                 key->column, key->kind == VC_RECORD_FACTS ? "segment" : "piece", key->segment);
}

vc_status vc_snapshot_chunk(const vc_snapshot *snapshot, uint32_t object_id, uint32_t generation,
                            uint16_t column, uint32_t segment, vc_chunk *chunk_out, vc_error *error)
{
    vc_record_key key = {.kind = VC_RECORD_FACTS,
                         .object = object_id,
                         .generation = generation,
                         .column = column,
                         .segment = segment};
    vc_record record;
    const char *problem =
        vc_record_get(snapshot->store, snapshot->txn, &key, VC_LOOK_ONCE, &record);
    if (problem == NULL)
        problem = vc_chunk_view(&record.header, record.value, record.size, chunk_out);
    return problem == NULL ? VC_OK : fail_damaged(snapshot, &key, problem, error);
}

/* ---- zones ---- */

vc_zone vc_zone_of(const vc_record_header *header)
{
    if (header == NULL || header->type != VC_CHUNK_INT)
        return (vc_zone){.min = INT64_MIN,
                         .max = INT64_MAX,
                         .nrows = header == NULL ? 0 : header->nrows,
                         .nnulls = header == NULL ? 0 : header->nnulls};
    return (vc_zone){
        .min = header->min, .max = header->max, .nrows = header->nrows, .nnulls = header->nnulls};
}

const char *vc_zones_check(const vc_record_header *header, size_t size)
{
    uint64_t nbytes = (uint64_t)header->nrows * sizeof(vc_zone);
    if (header->nrows == 0 || (uint64_t)header->min != nbytes || size != VC_HEADER_BYTES + nbytes)
        return "has another size than its segments need";
    return NULL;
}

vc_zone vc_zones_get(const void *value, uint32_t segment)
{
    vc_zone zone;
    memcpy(&zone, (const char *)value + VC_HEADER_BYTES + segment * sizeof zone, sizeof zone);
    return zone;
}

vc_status vc_snapshot_zones(const vc_snapshot *snapshot, uint32_t object_id, uint32_t generation,
                            uint16_t column, vc_arena *arena, const vc_zone **zones_out,
                            uint32_t *nsegments_out, vc_error *error)
{
    vc_record_key key = {
        .kind = VC_RECORD_ZONES, .object = object_id, .generation = generation, .column = column};
    vc_record record;
    const char *problem =
        vc_record_get(snapshot->store, snapshot->txn, &key, VC_LOOK_ONCE, &record);
    if (problem == NULL) problem = vc_zones_check(&record.header, record.size);
    if (problem != NULL) return fail_damaged(snapshot, &key, problem, error);
    vc_zone *zones = VC_ARENA_NEW(arena, vc_zone, record.header.nrows);
    if (zones == NULL) return vc_no_memory(error);
    piece_copy copy = {.to = zones,
                       .from = (const char *)record.value + VC_HEADER_BYTES,
                       .size = record.header.nrows * sizeof *zones};
    if (!vc_guard_run(copy_piece, &copy))
        return fail_damaged(snapshot, &key, "lies on a page that the file does not have", error);
    *zones_out = zones;
    *nsegments_out = record.header.nrows;
    return VC_OK;
}

/* ---- bytes ---- */

const char *vc_piece_check(const vc_record_header *header, uint32_t piece, size_t size)
{
    uint64_t total = (uint64_t)header->min, npieces = (uint64_t)header->max;
    if (piece >= npieces || (npieces == 1 && header->nrows != total) || header->nrows > total)
        return "has an impossible number of pieces";
    if (size != vc_record_class_bytes((size_t)VC_HEADER_BYTES + header->nrows))
        return "has an impossible size";
    return NULL;
}

/* Does a piece behind the first go with those before it, which leave `left` bytes? */
static const char *check_next_piece(const vc_record_header *header, uint64_t total,
                                    uint64_t npieces, uint64_t left)
{
    if ((uint64_t)header->min != total || (uint64_t)header->max != npieces)
        return "belongs to a column of another size";
    bool is_last = header->segment + UINT64_C(1) == npieces;
    if (header->nrows > left || (is_last && header->nrows < left))
        return "does not fit the pieces before it";
    return NULL;
}

vc_status vc_snapshot_bytes(const vc_snapshot *snapshot, uint32_t object_id, uint32_t generation,
                            uint16_t column, vc_arena *arena, vc_str *bytes_out, vc_error *error)
{
    vc_record_key key = {
        .kind = VC_RECORD_BYTES, .object = object_id, .generation = generation, .column = column};
    char *whole = NULL;
    size_t total = 0, at = 0;
    uint64_t npieces = 1;
    for (; key.segment < npieces; key.segment++) {
        vc_record record;
        const char *problem =
            vc_record_get(snapshot->store, snapshot->txn, &key, VC_LOOK_ONCE, &record);
        if (problem == NULL) problem = vc_piece_check(&record.header, key.segment, record.size);
        if (problem == NULL && key.segment > 0)
            problem = check_next_piece(&record.header, total, npieces, total - at);
        if (problem != NULL) return fail_damaged(snapshot, &key, problem, error);
        const char *data = (const char *)record.value + VC_HEADER_BYTES;
        if (record.header.max == 1) {
            *bytes_out = (vc_str){.data = data, .size = record.header.nrows};
            return VC_OK;
        }
        total = (size_t)record.header.min;
        npieces = (uint64_t)record.header.max;
        if (whole == NULL && (whole = vc_arena_alloc(arena, total)) == NULL)
            return vc_no_memory(error);
        piece_copy copy = {.to = whole + at, .from = data, .size = record.header.nrows};
        if (!vc_guard_run(copy_piece, &copy))
            return fail_damaged(snapshot, &key, "lies on a page that the file does not have",
                                error);
        at += record.header.nrows;
    }
    *bytes_out = (vc_str){.data = whole, .size = total};
    return VC_OK;
}
