#include "storage/internal.h"

#include "storage/filesystem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t DEFAULT_MAP_BYTES = (size_t)1 << 40, LEAST_MAP_BYTES = (size_t)1 << 20;
enum { DEFAULT_BATCH_BYTES = 16 << 20, DEFAULT_KEEP_EPOCHS = 8, CREATE_WAIT_MS = 5000 };

/* ---- the registry: one store per file and process ---- */

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static vc_store *registry;

static bool enter_registry(vc_store *store)
{
    bool is_free = true;
    pthread_mutex_lock(&registry_lock);
    for (vc_store *other = registry; other != NULL; other = other->next)
        is_free = is_free && (other->device != store->device || other->inode != store->inode);
    if (is_free) {
        store->next = registry;
        registry = store;
    }
    pthread_mutex_unlock(&registry_lock);
    return is_free;
}

static void leave_registry(vc_store *store)
{
    pthread_mutex_lock(&registry_lock);
    vc_store **link = &registry;
    while (*link != NULL && *link != store)
        link = &(*link)->next;
    if (*link != NULL) *link = store->next;
    pthread_mutex_unlock(&registry_lock);
}

/* ---- making a new file ---- */

static int write_first_records(MDB_txn *txn, void *context)
{
    unsigned char value[VC_HEADER_BYTES];
    vc_record_key key = {.kind = VC_RECORD_FORMAT};
    vc_record_header header = {.nrows = VC_FORMAT_VERSION};
    (void)context;
    vc_record_seal(value, sizeof value, &key, &header);
    int rc = vc_record_put(txn, &key, value, sizeof value);
    return rc != 0 ? rc : vc_head_write(txn, &(vc_head){.next_object = 1, .next_generation = 1});
}

static vc_status fill_new_file(const char *path, vc_error *error)
{
    vc_env *env;
    vc_status status =
        vc_env_open(path, &(vc_env_options){.map_bytes = LEAST_MAP_BYTES}, &env, error);
    if (status != VC_OK) return status;
    int rc = vc_env_try_write(env, write_first_records, NULL);
    if (rc != 0) status = vc_env_fail(env, rc, "make a store", error);
    vc_env_close(env);
    return status;
}

/* A store appears under its name only when it is complete, so an empty or foreign file of that name
 * is always a damage. */
static vc_status make_file(const vc_store *store, vc_error *error)
{
    char path[4096 + 32], lock_path[4096 + 32];
    struct stat info;
    int lock;
    vc_status status = vc_fs_lock(store->directory, CREATE_WAIT_MS, &lock, error);
    if (status != VC_OK) return status;
    if (stat(store->data_path, &info) != 0) { /* nobody else made it while we waited */
        snprintf(path, sizeof path, "%s.new", store->data_path);
        snprintf(lock_path, sizeof lock_path, "%s.new-lock", store->data_path);
        unlink(path);
        status = fill_new_file(path, error);
        if (status == VC_OK && rename(path, store->data_path) != 0)
            status = vc_fail(error, VC_STORAGE, "storage", "%s: %s", path, strerror(errno));
        unlink(path);
        unlink(lock_path);
        if (status == VC_OK) status = vc_fs_sync_directory(store->directory, error);
    }
    vc_fs_unlock(lock);
    return status;
}

/* ---- checks at open ---- */

static vc_status fail_truncated(const vc_store *store, uint64_t found, uint64_t expected,
                                vc_error *error)
{
    return vc_fail(error, VC_CORRUPT, "storage_truncated",
                   "%s has %llu bytes, but its contents need %llu: the file was cut",
                   store->data_path, (unsigned long long)found, (unsigned long long)expected);
}

/* The pages that LMDB counts must be in the file. The last ones may be absent when they are free:
 * LMDB does not write a page that was taken and given back within one transaction. */
static vc_status check_size(vc_store *store, MDB_txn *txn, vc_error *error)
{
    MDB_envinfo info;
    struct stat file;
    uint64_t nfree;
    mdb_env_info(vc_env_mdb(store->env), &info);
    uint64_t npages = (uint64_t)info.me_last_pgno + 1;
    if (stat(store->data_path, &file) != 0)
        return vc_fail(error, VC_STORAGE, "storage", "%s: %s", store->data_path, strerror(errno));
    uint64_t present = (uint64_t)file.st_size / VC_PAGE_BYTES;
    if (present >= npages) return VC_OK;
    if (vc_env_count_free_pages(txn, (size_t)present, &nfree) && nfree == npages - present)
        return VC_OK;
    return fail_truncated(store, (uint64_t)file.st_size, npages * VC_PAGE_BYTES, error);
}

static vc_status check_format(const vc_store *store, MDB_txn *txn, vc_error *error)
{
    vc_record_key key = {.kind = VC_RECORD_FORMAT};
    vc_record record;
    vc_head head;
    const char *problem = vc_record_get(NULL, txn, &key, VC_LOOK_ALL, &record);
    if (problem == VC_RECORD_MISSING)
        return vc_fail(error, VC_CORRUPT, "storage_foreign",
                       "%s is an LMDB file, but not a store of vcube", store->data_path);
    if (problem != NULL)
        return vc_fail(error, VC_CORRUPT, "storage_damaged", "%s: the format record %s",
                       store->data_path, problem);
    if (record.header.nrows < VC_FORMAT_VERSION)
        return vc_fail(error, VC_STORAGE, "storage_version",
                       "%s has format version %u of an older vcube, and this program reads version "
                       "%d: load the data again into a new directory",
                       store->data_path, record.header.nrows, VC_FORMAT_VERSION);
    if (record.header.nrows > VC_FORMAT_VERSION)
        return vc_fail(error, VC_STORAGE, "storage_version",
                       "%s has format version %u of a newer vcube, and this program reads version "
                       "%d: use the newer program, or load the data again into a new directory",
                       store->data_path, record.header.nrows, VC_FORMAT_VERSION);
    return vc_head_read(txn, &head, error);
}

static vc_status check_before_trust(vc_store *store, vc_error *error)
{
    MDB_txn *txn;
    vc_status status = vc_env_begin_read(store->env, &txn, error);
    if (status != VC_OK) return status;
    status = check_size(store, txn, error);
    if (status == VC_OK) status = check_format(store, txn, error);
    vc_env_end(store->env, txn);
    return status;
}

/* ---- open and close ---- */

static vc_env_options choose_map(const vc_store *store, const vc_store_options *options)
{
    vc_env_options chosen = {.map_bytes = options->map_bytes, .is_read_only = store->is_read_only};
    const char *given = getenv("VCUBE_MAP_BYTES");
    int64_t bytes;
    if (chosen.map_bytes == 0 && given != NULL &&
        vc_parse_int(vc_str_of(given), &bytes) == VC_PARSE_OK && bytes > 0)
        chosen.map_bytes = (size_t)bytes;
    if (chosen.map_bytes == 0) {
        chosen.map_bytes = DEFAULT_MAP_BYTES;
        chosen.is_map_default = true;
    }
    if (chosen.map_bytes < LEAST_MAP_BYTES) chosen.map_bytes = LEAST_MAP_BYTES;
    chosen.map_bytes = chosen.map_bytes / VC_PAGE_BYTES * VC_PAGE_BYTES;
    return chosen;
}

static vc_status find_or_make_file(vc_store *store, const vc_store_options *options,
                                   vc_error *error)
{
    struct stat info;
    vc_status status = VC_OK;
    bool must_exist = options->is_read_only || options->must_exist;
    if (!must_exist) status = vc_fs_make_directory(store->directory, error);
    bool is_missing = status == VC_OK && stat(store->data_path, &info) != 0;
    if (is_missing && errno != ENOENT && errno != ENOTDIR)
        return vc_fail(error, VC_STORAGE, "storage", "%s: %s", store->data_path, strerror(errno));
    if (is_missing && must_exist)
        return vc_fail(error, VC_NOT_FOUND, "unknown_store", "there is no store in %s",
                       store->directory);
    if (status == VC_OK && !options->allow_network_files)
        status = vc_fs_check_local(store->directory, error);
    if (status == VC_OK && is_missing) status = make_file(store, error);
    if (status != VC_OK) return status;
    if (stat(store->data_path, &info) != 0)
        return vc_fail(error, VC_STORAGE, "storage", "%s: %s", store->data_path, strerror(errno));
    /* LMDB would make a new store of an empty file, and lose an old one that was cut to nothing. */
    if (info.st_size < 2 * VC_PAGE_BYTES)
        return fail_truncated(store, (uint64_t)info.st_size, 2 * VC_PAGE_BYTES, error);
    store->device = info.st_dev;
    store->inode = info.st_ino;
    return VC_OK;
}

static vc_status open_in(vc_store *store, const vc_store_options *options, vc_error *error)
{
    vc_status status = find_or_make_file(store, options, error);
    if (status != VC_OK) return status;
    if (!enter_registry(store)) {
        store->inode = 0;
        return vc_fail(error, VC_CONFLICT, "store_open",
                       "the store in %s is open in this process already", store->directory);
    }
    vc_env_options chosen = choose_map(store, options);
    status = vc_env_open(store->data_path, &chosen, &store->env, error);
    return status != VC_OK ? status : check_before_trust(store, error);
}

vc_status vc_store_open(const char *directory, const vc_store_options *options,
                        vc_store **store_out, vc_error *error)
{
    *store_out = NULL;
    vc_store_options defaults = options != NULL ? *options : (vc_store_options){0};
    vc_store *store = calloc(1, sizeof *store);
    if (store == NULL) return vc_no_memory(error);
    pthread_mutex_init(&store->lock, NULL);
    store->is_read_only = defaults.is_read_only;
    store->forgets_pages = defaults.forgets_pages;
    store->batch_bytes = defaults.batch_bytes != 0 ? defaults.batch_bytes : DEFAULT_BATCH_BYTES;
    store->piece_bytes = defaults.piece_bytes != 0 ? defaults.piece_bytes : VC_PIECE_BYTES;
    store->keep_epochs = defaults.keep_epochs != 0 ? defaults.keep_epochs : DEFAULT_KEEP_EPOCHS;
    store->verified = vc_verified_new();
    store->directory = strdup(directory);
    if (store->directory == NULL || store->verified == NULL ||
        asprintf(&store->data_path, "%s/vcube.mdb", directory) < 0) {
        vc_store_close(store);
        return vc_no_memory(error);
    }
    vc_status status = strlen(store->data_path) < 4000
                           ? open_in(store, &defaults, error)
                           : vc_fail(error, VC_BAD_INPUT, "storage",
                                     "the path of the store is longer than 4000 bytes");
    if (status != VC_OK) {
        vc_store_close(store);
        return status;
    }
    *store_out = store;
    return VC_OK;
}

void vc_store_close(vc_store *store)
{
    if (store == NULL) return;
    vc_env_close(store->env);
    leave_registry(store);
    vc_catalogue_drop(store->newest);
    vc_verified_free(store->verified);
    pthread_mutex_destroy(&store->lock);
    free(store->data_path);
    free(store->directory);
    free(store);
}

const char *vc_store_directory(const vc_store *store)
{
    return store->directory;
}

/* ---- statistics ---- */

static uint64_t count_records(vc_record_kind kind, MDB_cursor *cursor)
{
    uint8_t first[VC_KEY_BYTES];
    uint64_t count = 0;
    vc_record_key_write(&(vc_record_key){.kind = kind}, first);
    MDB_val key = {.mv_size = sizeof first, .mv_data = first}, value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; rc == 0 && *(const uint8_t *)key.mv_data == kind; count++)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    return count;
}

/* Called with a snapshot open, so that the environment stays. */
static uint64_t count_epochs_held(vc_store *store, unsigned *nreaders_out)
{
    MDB_envinfo info;
    size_t oldest;
    *nreaders_out = vc_env_count_readers(store->env, &oldest);
    mdb_env_info(vc_env_mdb(store->env), &info);
    return oldest < info.me_last_txnid ? info.me_last_txnid - oldest : 0;
}

uint64_t vc_store_epochs_held(vc_store *store)
{
    unsigned nreaders;
    vc_snapshot *snapshot;
    if (vc_snapshot_open(store, &snapshot, NULL) != VC_OK) return 0;
    uint64_t count = count_epochs_held(store, &nreaders);
    vc_snapshot_close(snapshot);
    return count;
}

vc_status vc_store_stat(vc_store *store, vc_store_stats *stats_out, vc_error *error)
{
    *stats_out = (vc_store_stats){.lmdb_version = mdb_version(NULL, NULL, NULL)};
    vc_snapshot *snapshot;
    vc_status status = vc_snapshot_open(store, &snapshot, error);
    if (status != VC_OK) return status;
    MDB_env *mdb = vc_env_mdb(store->env);
    MDB_envinfo info;
    MDB_stat table;
    MDB_cursor *cursor;
    struct stat file;
    uint64_t nfree;
    mdb_env_info(mdb, &info);
    int rc = mdb_stat(snapshot->txn, VC_MAIN_TABLE, &table);
    if (rc == 0) rc = mdb_cursor_open(snapshot->txn, VC_MAIN_TABLE, &cursor);
    if (rc != 0) {
        status = vc_env_fail(store->env, rc, "read statistics", error);
    } else {
        uint64_t nothers = count_records(VC_RECORD_CATALOGUE, cursor) +
                           count_records(VC_RECORD_MANIFEST, cursor) +
                           count_records(VC_RECORD_ZONES, cursor) + 2;
        stats_out->nchunks = table.ms_entries > nothers ? table.ms_entries - nothers : 0;
        mdb_cursor_close(cursor);
    }
    vc_env_count_free_pages(snapshot->txn, 0, &nfree);
    stats_out->epoch = snapshot->catalogue->epoch;
    stats_out->nobjects = snapshot->catalogue->nentries;
    stats_out->file_bytes = stat(store->data_path, &file) == 0 ? (uint64_t)file.st_size : 0;
    stats_out->map_bytes = info.me_mapsize;
    stats_out->free_bytes = nfree * VC_PAGE_BYTES;
    stats_out->used_bytes = ((uint64_t)info.me_last_pgno + 1 - nfree) * VC_PAGE_BYTES;
    stats_out->max_readers = info.me_maxreaders;
    stats_out->epochs_held = count_epochs_held(store, &stats_out->nreaders);
    stats_out->nreaders--; /* without this one */
    vc_snapshot_close(snapshot);
    return status;
}
