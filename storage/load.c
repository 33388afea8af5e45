/* A load gathers sealed records in one batch while a thread of its own commits the batch before, so
 * that encoding and disk work at the same time. Whatever needs all transactions of the process to
 * have ended (a full map) is left to the caller's thread, which finds it out when it next waits for
 * the writer, because the load's own snapshot is in that thread's hands. */
#include "storage/batch.h"
#include "storage/encode.h"
#include "storage/filesystem.h"
#include "storage/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { LOCK_WAIT_MS = 1000, MAX_CURES = 4, MAX_NAME_BYTES = 1024 };

/* The zones of one fact column, as its segments are put. */
typedef struct column_zones {
    uint16_t column;
    bool is_put; /* as they are now, they stand in a batch already */
    vc_zone *zones;
    uint32_t nsegments, capacity;
} column_zones;

typedef struct load_object {
    vc_kind kind;
    vc_str name;
    uint32_t id;
    const vc_entry *published; /* NULL when new */
    uint64_t digest;           /* of what this load put */
    vc_str manifest;           /* absent: keeps what it had */
    const uint32_t *parts;
    uint32_t nparts;
    bool is_dropped;
    bool is_put; /* the manifest stands in a batch already */
    column_zones *columns;
    size_t ncolumns;
} load_object;

typedef struct writer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_started, is_quitting;
    bool is_busy; /* the batch belongs to the thread */
    int result;   /* LMDB code of the last batch */
    vc_batch batch;
} writer;

struct vc_load {
    vc_store *store;
    vc_snapshot *snapshot;
    int lock;
    vc_head head; /* as the load's transactions write it */
    uint32_t generation;
    vc_arena arena;
    load_object *objects;
    size_t nobjects, objects_capacity;
    vc_batch filling;
    writer writer;
    vc_status failed; /* once something was lost, the load can only be aborted */
    vc_error failure;
};

/* ---- committing batches ---- */

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
    writer *w = &load->writer;
    pthread_mutex_lock(&w->lock);
    while (true) {
        while (!w->is_busy && !w->is_quitting)
            pthread_cond_wait(&w->changed, &w->lock);
        if (!w->is_busy) break;
        commit work = {.batch = &w->batch, .head = &load->head};
        pthread_mutex_unlock(&w->lock);
        int result = vc_env_try_write(load->store->env, write_commit, &work);
        pthread_mutex_lock(&w->lock);
        w->result = result;
        w->is_busy = false;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static vc_status remember_failure(vc_load *load, vc_status status, vc_error *error)
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
    return status == VC_OK ? VC_OK : remember_failure(load, status, error);
}

static vc_status commit_now(vc_load *load, const vc_batch *batch, const vc_buffer *catalogue,
                            vc_error *error)
{
    commit work = {.batch = batch, .head = &load->head, .catalogue = catalogue};
    int rc = vc_env_try_write(load->store->env, write_commit, &work);
    return rc == 0 ? VC_OK : commit_again(load, rc, &work, error);
}

static vc_status wait_for_writer(vc_load *load, vc_error *error)
{
    writer *w = &load->writer;
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

static void stop_writer(vc_load *load)
{
    writer *w = &load->writer;
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
static vc_status submit(vc_load *load, vc_error *error)
{
    writer *w = &load->writer;
    vc_status status = wait_for_writer(load, error);
    if (status != VC_OK) return status;
    if (!w->is_started) w->is_started = pthread_create(&w->thread, NULL, run_writer, load) == 0;
    if (!w->is_started) {
        status = commit_now(load, &load->filling, NULL, error);
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

/* ---- begin and end ---- */

static void free_load(vc_load *load)
{
    stop_writer(load);
    vc_snapshot_close(load->snapshot);
    vc_batch_release(&load->filling);
    vc_batch_release(&load->writer.batch);
    pthread_cond_destroy(&load->writer.changed);
    pthread_mutex_destroy(&load->writer.lock);
    vc_arena_release(&load->arena);
    for (size_t i = 0; i < load->nobjects; i++) {
        for (size_t c = 0; c < load->objects[i].ncolumns; c++)
            free(load->objects[i].columns[c].zones);
        free(load->objects[i].columns);
    }
    free(load->objects);
    if (load->lock >= 0) vc_fs_unlock(load->lock);
    free(load);
}

static vc_status start(vc_load *load, vc_error *error)
{
    vc_store *store = load->store;
    uint64_t ndeleted;
    vc_status status = vc_fs_lock(store->directory, LOCK_WAIT_MS, &load->lock, error);
    if (status == VC_OK) status = vc_fs_check_room(store->directory, store->batch_bytes, error);
    if (status != VC_OK) return status;
    /* What killed loads left is only in the way of disk space: not being able to remove it is no
     * reason to refuse this load. */
    vc_store_collect(store, 0, &ndeleted, NULL);
    status = vc_snapshot_open(store, &load->snapshot, error);
    if (status == VC_OK) status = vc_head_read(load->snapshot->txn, &load->head, error);
    if (status != VC_OK) return status;
    if (load->head.next_generation == UINT32_MAX)
        return vc_fail(error, VC_LIMIT, "storage_generations",
                       "the store has no generation number left; copy it into a new one");
    load->generation = load->head.next_generation++;
    return VC_OK;
}

vc_status vc_load_begin(vc_store *store, vc_load **load_out, vc_error *error)
{
    *load_out = NULL;
    if (store->is_read_only)
        return vc_fail(error, VC_STORAGE, "storage_read_only",
                       "the store in %s was opened for reading only", store->directory);
    vc_load *load = calloc(1, sizeof *load);
    if (load == NULL) return vc_no_memory(error);
    load->store = store;
    load->lock = -1;
    pthread_mutex_init(&load->writer.lock, NULL);
    pthread_cond_init(&load->writer.changed, NULL);
    vc_status status = start(load, error);
    if (status != VC_OK) {
        free_load(load);
        return status;
    }
    *load_out = load;
    return VC_OK;
}

const vc_snapshot *vc_load_snapshot(const vc_load *load)
{
    return load->snapshot;
}

void vc_load_abort(vc_load *load)
{
    if (load == NULL) return;
    vc_store *store = load->store;
    uint64_t ndeleted;
    stop_writer(load);
    vc_snapshot_close(load->snapshot); /* it would keep the pages of what is removed */
    load->snapshot = NULL;
    vc_store_collect(store, 0, &ndeleted, NULL);
    free_load(load);
}

/* ---- objects ---- */

static load_object *find_object(vc_load *load, vc_kind kind, vc_str name)
{
    for (size_t i = 0; i < load->nobjects; i++)
        if (load->objects[i].kind == kind && vc_str_equal(load->objects[i].name, name))
            return &load->objects[i];
    return NULL;
}

static load_object *find_object_id(vc_load *load, const vc_object *object)
{
    assert(object->generation == load->generation);
    for (size_t i = load->nobjects; i > 0; i--)
        if (load->objects[i - 1].id == object->id) return &load->objects[i - 1];
    abort(); /* not an object of this load: a bug of the caller */
}

static load_object *add_object(vc_load *load, vc_kind kind, vc_str name)
{
    if (load->nobjects == load->objects_capacity) {
        size_t capacity = load->objects_capacity == 0 ? 16 : load->objects_capacity * 2;
        load_object *objects = realloc(load->objects, capacity * sizeof *objects);
        if (objects == NULL) return NULL;
        load->objects = objects;
        load->objects_capacity = capacity;
    }
    vc_str copy = vc_arena_str(&load->arena, name);
    if (vc_str_is_null(copy)) return NULL;
    load_object *object = &load->objects[load->nobjects];
    *object = (load_object){.kind = kind, .name = copy};
    object->published = vc_catalogue_find(load->snapshot->catalogue, kind, name);
    object->id = object->published != NULL ? object->published->id : load->head.next_object++;
    load->nobjects++;
    return object;
}

vc_status vc_load_object(vc_load *load, vc_kind kind, vc_str name, vc_object *object_out,
                         vc_error *error)
{
    if (name.size == 0 || name.size > MAX_NAME_BYTES)
        return vc_fail(error, VC_BAD_INPUT, "bad_name",
                       "the name of a %s has %zu bytes; it must have 1 to %d", vc_kind_name(kind),
                       name.size, MAX_NAME_BYTES);
    load_object *object = find_object(load, kind, name);
    if (object == NULL) {
        /* The writer may be reading the head just now. */
        vc_status status = wait_for_writer(load, error);
        if (status != VC_OK) return status;
        object = add_object(load, kind, name);
    }
    if (object == NULL) return vc_no_memory(error);
    *object_out = (vc_object){.kind = kind, .id = object->id, .name = object->name};
    if (object->published != NULL) {
        vc_status status = vc_snapshot_find(load->snapshot, kind, name, object_out, error);
        if (status != VC_OK) return status;
        /* Out of the map, which may move with the next batch. */
        object_out->manifest = vc_arena_str(&load->arena, object_out->manifest);
        if (vc_str_is_null(object_out->manifest)) return vc_no_memory(error);
        object_out->name = object->name;
    }
    object_out->generation = load->generation;
    return VC_OK;
}

vc_status vc_load_drop(vc_load *load, vc_kind kind, vc_str name, vc_error *error)
{
    const vc_catalogue *catalogue = load->snapshot->catalogue;
    load_object *object = find_object(load, kind, name);
    bool is_there = vc_catalogue_find(catalogue, kind, name) != NULL;
    if (object != NULL)
        is_there = !object->is_dropped && (is_there || !vc_str_is_null(object->manifest));
    if (!is_there) return vc_catalogue_fail_unknown(catalogue, kind, name, error);
    if (object == NULL) {
        vc_status status = wait_for_writer(load, error);
        if (status != VC_OK) return status;
        object = add_object(load, kind, name);
    }
    if (object == NULL) return vc_no_memory(error);
    object->is_dropped = true;
    object->manifest = (vc_str){0};
    return VC_OK;
}

/* ---- put ---- */

/* Refuse more once something was lost; make room in the batch. */
static vc_status reserve(vc_load *load, size_t size, void **value_out, vc_error *error)
{
    if (load->failed != VC_OK) return remember_failure(load, load->failed, error);
    if (load->filling.size >= load->store->batch_bytes) {
        vc_status status = submit(load, error);
        if (status != VC_OK) return status;
    }
    *value_out = vc_batch_reserve(&load->filling, size);
    return *value_out == NULL ? vc_no_memory(error) : VC_OK;
}

/* The digest does not depend on the order in which chunks are put. */
static void add_record(vc_load *load, load_object *object, const vc_record_key *key, size_t size,
                       uint32_t crc)
{
    uint8_t bytes[VC_KEY_BYTES];
    vc_record_key_write(key, bytes);
    object->digest += XXH3_64bits_withSeed(bytes, sizeof bytes, crc);
    vc_batch_add(&load->filling, key, size);
}

static column_zones *find_column(load_object *object, uint16_t column)
{
    for (size_t c = object->ncolumns; c > 0; c--)
        if (object->columns[c - 1].column == column) return &object->columns[c - 1];
    column_zones *columns =
        realloc(object->columns, (object->ncolumns + 1) * sizeof *object->columns);
    if (columns == NULL) return NULL;
    object->columns = columns;
    columns[object->ncolumns] = (column_zones){.column = column};
    return &columns[object->ncolumns++];
}

/* Room for the zone of one more segment, before its chunk goes into the batch. */
static column_zones *reserve_zone(load_object *object, uint16_t column, uint32_t segment)
{
    column_zones *of = find_column(object, column);
    if (of == NULL || segment < of->capacity) return of;
    size_t capacity = (size_t)segment + 1 + segment / 2 + 8;
    if (capacity > UINT32_MAX) return NULL;
    vc_zone *zones = realloc(of->zones, capacity * sizeof *zones);
    if (zones == NULL) return NULL;
    of->zones = zones;
    of->capacity = (uint32_t)capacity;
    return of;
}

static void set_zone(column_zones *of, uint32_t segment, const vc_record_header *header)
{
    for (; of->nsegments <= segment; of->nsegments++) /* segments may come in any order */
        of->zones[of->nsegments] = vc_zone_of(NULL);
    of->zones[segment] = vc_zone_of(header);
    of->is_put = false;
}

static vc_record_key chunk_key(const vc_object *object, uint16_t column, uint32_t segment)
{
    return (vc_record_key){.kind = VC_RECORD_FACTS,
                           .object = object->id,
                           .generation = object->generation,
                           .column = column,
                           .segment = segment};
}

/* A fact chunk that is being put: its key, and room for its value in the batch. */
typedef struct chunk_room {
    vc_record_key key;
    load_object *target;
    column_zones *zones;
    void *value;
} chunk_room;

static vc_status reserve_chunk(vc_load *load, const vc_object *object, uint16_t column,
                               uint32_t segment, size_t size, chunk_room *room, vc_error *error)
{
    *room = (chunk_room){.key = chunk_key(object, column, segment),
                         .target = find_object_id(load, object)};
    room->zones = reserve_zone(room->target, column, segment);
    if (room->zones == NULL) return vc_no_memory(error);
    return reserve(load, size, &room->value, error);
}

static void add_chunk(vc_load *load, const chunk_room *room, size_t size,
                      const vc_record_header *header)
{
    add_record(load, room->target, &room->key, size, header->crc);
    set_zone(room->zones, room->key.segment, header);
}

vc_status vc_load_put_ints(vc_load *load, const vc_object *object, uint16_t column,
                           uint32_t segment, const int64_t *values, const uint8_t *validity,
                           uint32_t nrows, vc_error *error)
{
    chunk_room room;
    vc_record_header header;
    assert(nrows <= VC_SEGMENT_ROWS);
    vc_status status =
        reserve_chunk(load, object, column, segment, vc_chunk_room(nrows), &room, error);
    if (status != VC_OK) return status;
    size_t size = vc_chunk_encode_ints(&room.key, values, validity, nrows, room.value, &header);
    add_chunk(load, &room, size, &header);
    return VC_OK;
}

vc_status vc_load_put_doubles(vc_load *load, const vc_object *object, uint16_t column,
                              uint32_t segment, const double *values, const uint8_t *validity,
                              uint32_t nrows, vc_error *error)
{
    chunk_room room;
    vc_record_header header;
    assert(nrows <= VC_SEGMENT_ROWS);
    vc_status status =
        reserve_chunk(load, object, column, segment, vc_chunk_room(nrows), &room, error);
    if (status != VC_OK) return status;
    size_t size = vc_chunk_encode_doubles(&room.key, values, validity, nrows, room.value, &header);
    add_chunk(load, &room, size, &header);
    return VC_OK;
}

/* Values begin 16 bytes behind a boundary, so that what follows their header is at one. */
enum { BEFORE_VALUE = 64 - VC_HEADER_BYTES };

static void *reserve_encoded(vc_encoded *encoded, uint32_t nrows)
{
    size_t size = (vc_chunk_room(nrows) + BEFORE_VALUE + 63) / 64 * 64;
    if (encoded->capacity < size) {
        vc_encoded_release(encoded);
        char *data = aligned_alloc(64, size);
        if (data == NULL) return NULL;
        encoded->data = data + BEFORE_VALUE;
        encoded->capacity = size;
    }
    return encoded->data;
}

void vc_encoded_release(vc_encoded *encoded)
{
    if (encoded->data != NULL) free((char *)encoded->data - BEFORE_VALUE);
    *encoded = (vc_encoded){0};
}

vc_status vc_load_encode_ints(const vc_object *object, uint16_t column, uint32_t segment,
                              const int64_t *values, const uint8_t *validity, uint32_t nrows,
                              vc_encoded *encoded, vc_error *error)
{
    vc_record_key key = chunk_key(object, column, segment);
    vc_record_header header;
    assert(nrows <= VC_SEGMENT_ROWS);
    void *value = reserve_encoded(encoded, nrows);
    if (value == NULL) return vc_no_memory(error);
    encoded->size = vc_chunk_encode_ints(&key, values, validity, nrows, value, &header);
    return VC_OK;
}

vc_status vc_load_encode_doubles(const vc_object *object, uint16_t column, uint32_t segment,
                                 const double *values, const uint8_t *validity, uint32_t nrows,
                                 vc_encoded *encoded, vc_error *error)
{
    vc_record_key key = chunk_key(object, column, segment);
    vc_record_header header;
    assert(nrows <= VC_SEGMENT_ROWS);
    void *value = reserve_encoded(encoded, nrows);
    if (value == NULL) return vc_no_memory(error);
    encoded->size = vc_chunk_encode_doubles(&key, values, validity, nrows, value, &header);
    return VC_OK;
}

vc_status vc_load_put_encoded(vc_load *load, const vc_object *object, uint16_t column,
                              uint32_t segment, const vc_encoded *encoded, vc_error *error)
{
    chunk_room room;
    vc_record_header header;
    vc_status status = reserve_chunk(load, object, column, segment, encoded->size, &room, error);
    if (status != VC_OK) return status;
    const char *problem = vc_record_read(&room.key, encoded->data, encoded->size, &header);
    assert(problem == NULL); /* it was encoded for this place */
    (void)problem;
    memcpy(room.value, encoded->data, encoded->size);
    add_chunk(load, &room, encoded->size, &header);
    return VC_OK;
}

static vc_status put_piece(vc_load *load, load_object *object, const vc_record_key *key,
                           vc_record_header *header, const void *data, vc_error *error)
{
    void *value;
    size_t end = VC_HEADER_BYTES + header->nrows, size = vc_record_class_bytes(end);
    vc_status status = reserve(load, size, &value, error);
    if (status != VC_OK) return status;
    if (header->nrows > 0) memcpy((char *)value + VC_HEADER_BYTES, data, header->nrows);
    memset((char *)value + end, 0, size - end);
    uint32_t crc = vc_record_seal(value, size, key, header);
    add_record(load, object, key, size, crc);
    return VC_OK;
}

vc_status vc_load_put_bytes(vc_load *load, const vc_object *object, uint16_t column,
                            const void *data, size_t size, vc_error *error)
{
    load_object *target = find_object_id(load, object);
    size_t most = load->store->piece_bytes;
    size_t npieces = size / most + (size % most != 0 || size == 0);
    if (npieces > UINT32_MAX)
        return vc_fail(error, VC_LIMIT, "column_size", "a byte column of %zu bytes is too large",
                       size);
    for (size_t piece = 0, at = 0; piece < npieces; piece++) {
        size_t bytes = size - at < most ? size - at : most;
        vc_record_key key = {.kind = VC_RECORD_BYTES,
                             .object = object->id,
                             .generation = object->generation,
                             .column = column,
                             .segment = (uint32_t)piece};
        vc_record_header header = {
            .nrows = (uint32_t)bytes, .min = (int64_t)size, .max = (int64_t)npieces};
        const char *from = bytes > 0 ? (const char *)data + at : NULL;
        vc_status status = put_piece(load, target, &key, &header, from, error);
        if (status != VC_OK) return status;
        at += bytes;
    }
    return VC_OK;
}

vc_status vc_load_set_manifest(vc_load *load, const vc_object *object, vc_str manifest,
                               const uint32_t *parts, size_t nparts, vc_error *error)
{
    load_object *target = find_object_id(load, object);
    uint32_t *copy = VC_ARENA_NEW(&load->arena, uint32_t, nparts);
    vc_str text = vc_arena_str(&load->arena, manifest.data != NULL ? manifest : VC_STR(""));
    if (copy == NULL || vc_str_is_null(text)) return vc_no_memory(error);
    if (nparts > 0) memcpy(copy, parts, nparts * sizeof *copy);
    target->manifest = text;
    target->parts = copy;
    target->nparts = (uint32_t)nparts;
    target->is_dropped = false;
    target->is_put = false;
    return VC_OK;
}

/* ---- publish ---- */

static vc_status put_manifest(vc_load *load, load_object *object, vc_error *error)
{
    vc_record_key key = {
        .kind = VC_RECORD_MANIFEST, .object = object->id, .generation = load->generation};
    vc_record_header header = {.min = (int64_t)object->manifest.size};
    size_t size = VC_HEADER_BYTES + object->manifest.size;
    void *value;
    vc_status status = reserve(load, size, &value, error);
    if (status != VC_OK) return status;
    memcpy((char *)value + VC_HEADER_BYTES, object->manifest.data, object->manifest.size);
    uint32_t crc = vc_record_seal(value, size, &key, &header);
    add_record(load, object, &key, size, crc);
    return VC_OK;
}

/* The zones of every fact column that have changed since they were put. */
static vc_status put_zones(vc_load *load, load_object *object, vc_error *error)
{
    for (size_t c = 0; c < object->ncolumns; c++) {
        column_zones *of = &object->columns[c];
        if (of->is_put || of->nsegments == 0) continue;
        vc_record_key key = {.kind = VC_RECORD_ZONES,
                             .object = object->id,
                             .generation = load->generation,
                             .column = of->column};
        size_t nbytes = of->nsegments * sizeof *of->zones, size = VC_HEADER_BYTES + nbytes;
        vc_record_header header = {.nrows = of->nsegments, .min = (int64_t)nbytes};
        void *value;
        vc_status status = reserve(load, size, &value, error);
        if (status != VC_OK) return status;
        memcpy((char *)value + VC_HEADER_BYTES, of->zones, nbytes);
        uint32_t crc = vc_record_seal(value, size, &key, &header);
        add_record(load, object, &key, size, crc);
        of->is_put = true;
    }
    return VC_OK;
}

static vc_entry entry_of(const vc_load *load, const load_object *object)
{
    vc_entry entry = {.kind = object->kind,
                      .id = object->id,
                      .generation = load->generation,
                      .digest = object->digest,
                      .parts = object->parts,
                      .nparts = object->nparts,
                      .name = object->name};
    if (object->nparts > 0 && object->published != NULL) /* older rows are still part of it */
        entry.digest ^= XXH3_64bits(&object->published->digest, sizeof entry.digest);
    return entry;
}

/* The published entries that this load does not touch, and its own. */
static vc_status write_catalogue(vc_load *load, vc_buffer *buffer, vc_error *error)
{
    const vc_catalogue *published = load->snapshot->catalogue;
    size_t count = 0;
    vc_entry *entries = VC_ARENA_NEW(&load->arena, vc_entry, published->nentries + load->nobjects);
    if (entries == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < published->nentries; i++) {
        const vc_entry *entry = &published->entries[i];
        const load_object *object = find_object(load, entry->kind, entry->name);
        if (object == NULL || (!object->is_dropped && vc_str_is_null(object->manifest)))
            entries[count++] = *entry;
    }
    for (size_t i = 0; i < load->nobjects; i++)
        if (!load->objects[i].is_dropped && !vc_str_is_null(load->objects[i].manifest))
            entries[count++] = entry_of(load, &load->objects[i]);
    qsort(entries, count, sizeof *entries, vc_entry_compare);
    vc_catalogue_write(load->head.epoch, entries, count, buffer);
    return buffer->failed ? vc_no_memory(error) : VC_OK;
}

/* All zones and manifests into the batch, and nothing left with the writer. */
static vc_status put_manifests(vc_load *load, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < load->nobjects && status == VC_OK; i++) {
        load_object *object = &load->objects[i];
        if (object->is_dropped || vc_str_is_null(object->manifest)) continue;
        status = put_zones(load, object, error);
        if (status != VC_OK || object->is_put) continue;
        status = put_manifest(load, object, error);
        object->is_put = status == VC_OK;
    }
    if (status != VC_OK) return status;
    return load->failed != VC_OK ? remember_failure(load, load->failed, error)
                                 : wait_for_writer(load, error);
}

/* The catalogue as publishing would write it, parsed. */
static vc_status preview_catalogue(vc_load *load, vc_catalogue **catalogue_out, vc_error *error)
{
    vc_buffer buffer = {0};
    vc_record_header header;
    load->head.epoch++;
    vc_record_key key = vc_record_catalogue_key(load->head.epoch);
    vc_status status = write_catalogue(load, &buffer, error);
    const char *problem =
        status == VC_OK ? vc_record_read(&key, buffer.data, buffer.size, &header) : NULL;
    if (problem != NULL)
        status =
            vc_fail(error, VC_CORRUPT, "storage_damaged", "the catalogue of the load %s", problem);
    if (status == VC_OK)
        status = vc_catalogue_parse(load->head.epoch, &header, buffer.data, buffer.size,
                                    catalogue_out, error);
    load->head.epoch--;
    vc_buffer_release(&buffer);
    return status;
}

vc_status vc_load_preview(vc_load *load, vc_snapshot **snapshot_out, vc_error *error)
{
    vc_catalogue *catalogue = NULL;
    vc_snapshot *snapshot = NULL;
    *snapshot_out = NULL;
    vc_status status = put_manifests(load, error);
    if (status == VC_OK) status = commit_now(load, &load->filling, NULL, error);
    if (status == VC_OK) {
        vc_batch_clear(&load->filling);
        status = preview_catalogue(load, &catalogue, error);
    }
    if (status == VC_OK) status = vc_snapshot_open(load->store, &snapshot, error);
    if (status != VC_OK) {
        vc_catalogue_drop(catalogue);
        return status;
    }
    vc_catalogue_drop(snapshot->catalogue);
    snapshot->catalogue = catalogue;
    *snapshot_out = snapshot;
    return VC_OK;
}

static vc_status publish(vc_load *load, vc_error *error)
{
    vc_buffer catalogue = {0};
    vc_status status = put_manifests(load, error);
    if (status == VC_OK) {
        load->head.epoch++;
        status = write_catalogue(load, &catalogue, error);
    }
    /* The last batch, the catalogue and the head go in one transaction: all of it or none. */
    if (status == VC_OK) status = commit_now(load, &load->filling, &catalogue, error);
    vc_buffer_release(&catalogue);
    return status;
}

vc_status vc_load_publish(vc_load *load, uint64_t *epoch_out, vc_error *error)
{
    vc_status status = publish(load, error);
    if (status == VC_OK && epoch_out != NULL) *epoch_out = load->head.epoch;
    /* Published or not, what no kept epoch names is removed now, or by the next load. */
    vc_load_abort(load);
    return status;
}
