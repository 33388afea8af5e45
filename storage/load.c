/* A load gathers sealed records in one batch while a thread of its own commits the batch before, so
 * that encoding and disk work at the same time. Whatever needs all transactions of the process to
 * have ended (a full map) is left to the caller's thread, which finds it out when it next waits for
 * the writer, because the load's own snapshot is in that thread's hands. */
#include "storage/load_parts.h"

#include "storage/filesystem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { LOCK_WAIT_MS = 1000, MAX_NAME_BYTES = 1024 };

/* ---- begin and end ---- */

static void free_load(vc_load *load)
{
    vc_load_stop_writer(load);
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
    vc_load_stop_writer(load);
    vc_snapshot_close(load->snapshot); /* it would keep the pages of what is removed */
    load->snapshot = NULL;
    vc_store_collect(store, 0, &ndeleted, NULL);
    free_load(load);
}

/* ---- objects ---- */

static vc_load_state *find_object(vc_load *load, vc_kind kind, vc_str name)
{
    for (size_t i = 0; i < load->nobjects; i++)
        if (load->objects[i].kind == kind && vc_str_equal(load->objects[i].name, name))
            return &load->objects[i];
    return NULL;
}

vc_load_state *vc_load_find_id(vc_load *load, const vc_object *object)
{
    assert(object->generation == load->generation);
    for (size_t i = load->nobjects; i > 0; i--)
        if (load->objects[i - 1].id == object->id) return &load->objects[i - 1];
    abort(); /* not an object of this load: a bug of the caller */
}

static vc_load_state *add_object(vc_load *load, vc_kind kind, vc_str name)
{
    if (load->nobjects == load->objects_capacity) {
        size_t capacity = load->objects_capacity == 0 ? 16 : load->objects_capacity * 2;
        vc_load_state *objects = realloc(load->objects, capacity * sizeof *objects);
        if (objects == NULL) return NULL;
        load->objects = objects;
        load->objects_capacity = capacity;
    }
    vc_str copy = vc_arena_str(&load->arena, name);
    if (vc_str_is_null(copy)) return NULL;
    vc_load_state *object = &load->objects[load->nobjects];
    *object = (vc_load_state){.kind = kind, .name = copy};
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
    vc_load_state *object = find_object(load, kind, name);
    if (object == NULL) {
        /* The writer may be reading the head just now. */
        vc_status status = vc_load_wait(load, error);
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
    vc_load_state *object = find_object(load, kind, name);
    bool is_there = vc_catalogue_find(catalogue, kind, name) != NULL;
    if (object != NULL)
        is_there = !object->is_dropped && (is_there || !vc_str_is_null(object->manifest));
    if (!is_there) return vc_catalogue_fail_unknown(catalogue, kind, name, error);
    if (object == NULL) {
        vc_status status = vc_load_wait(load, error);
        if (status != VC_OK) return status;
        object = add_object(load, kind, name);
    }
    if (object == NULL) return vc_no_memory(error);
    object->is_dropped = true;
    object->manifest = (vc_str){0};
    return VC_OK;
}

/* ---- publish ---- */

static vc_status put_manifest(vc_load *load, vc_load_state *object, vc_error *error)
{
    vc_record_key key = {
        .kind = VC_RECORD_MANIFEST, .object = object->id, .generation = load->generation};
    vc_record_header header = {.min = (int64_t)object->manifest.size};
    size_t size = VC_HEADER_BYTES + object->manifest.size;
    void *value;
    vc_status status = vc_load_reserve(load, size, &value, error);
    if (status != VC_OK) return status;
    memcpy((char *)value + VC_HEADER_BYTES, object->manifest.data, object->manifest.size);
    uint32_t crc = vc_record_seal(value, size, &key, &header);
    vc_load_add_record(load, object, &key, size, crc);
    return VC_OK;
}

/* The zones of every fact column that have changed since they were put. */
static vc_status put_zones(vc_load *load, vc_load_state *object, vc_error *error)
{
    for (size_t c = 0; c < object->ncolumns; c++) {
        vc_load_zones *of = &object->columns[c];
        if (of->is_put || of->nsegments == 0) continue;
        vc_record_key key = {.kind = VC_RECORD_ZONES,
                             .object = object->id,
                             .generation = load->generation,
                             .column = of->column};
        size_t nbytes = of->nsegments * sizeof *of->zones, size = VC_HEADER_BYTES + nbytes;
        vc_record_header header = {.nrows = of->nsegments, .min = (int64_t)nbytes};
        void *value;
        vc_status status = vc_load_reserve(load, size, &value, error);
        if (status != VC_OK) return status;
        memcpy((char *)value + VC_HEADER_BYTES, of->zones, nbytes);
        uint32_t crc = vc_record_seal(value, size, &key, &header);
        vc_load_add_record(load, object, &key, size, crc);
        of->is_put = true;
    }
    return VC_OK;
}

static vc_entry entry_of(const vc_load *load, const vc_load_state *object)
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
        const vc_load_state *object = find_object(load, entry->kind, entry->name);
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
        vc_load_state *object = &load->objects[i];
        if (object->is_dropped || vc_str_is_null(object->manifest)) continue;
        status = put_zones(load, object, error);
        if (status != VC_OK || object->is_put) continue;
        status = put_manifest(load, object, error);
        object->is_put = status == VC_OK;
    }
    if (status != VC_OK) return status;
    return load->failed != VC_OK ? vc_load_fail(load, load->failed, error)
                                 : vc_load_wait(load, error);
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
    if (status == VC_OK) status = vc_load_commit_now(load, &load->filling, NULL, error);
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
    if (status == VC_OK) status = vc_load_commit_now(load, &load->filling, &catalogue, error);
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
