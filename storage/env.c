#include "storage/env.h"

#include "base/text.h"
#include "storage/filesystem.h"
#include "storage/guard.h"
#include "storage/record.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_READERS = 1024, DRAIN_SECONDS = 30, READER_CHECK_SECONDS = 30, MAX_CURES = 3 };

struct vc_env {
    MDB_env *mdb;
    char *path;
    char *directory;
    vc_env_options options;
    _Atomic int64_t readers_checked_s;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* nactive or is_closed */
    unsigned nactive;       /* transactions of this process */
    bool is_closed;         /* the gate: somebody works on the map */
};

/* ---- errors ---- */

static bool is_out_of_room(const vc_env *env)
{
    vc_fs_room room;
    return vc_fs_room_of(env->directory, &room) && room.free_bytes < (UINT64_C(4) << 20);
}

vc_status vc_env_fail(const vc_env *env, int rc, const char *what, vc_error *error)
{
    switch (rc) {
    case ENOMEM: return vc_no_memory(error);
    case MDB_MAP_FULL:
        return vc_fail(error, VC_NO_MEMORY, "map_full", "%s: the map of %s is full", what,
                       env->path);
    case MDB_READERS_FULL:
        return vc_fail(error, VC_BUSY, "readers_full", "%s: all %d reader slots of %s are in use",
                       what, MAX_READERS, env->path);
    case MDB_PANIC:
        return vc_fail(error, VC_STORAGE, "storage_panic",
                       "%s: an earlier write to %s failed half-way and it could not be opened "
                       "again; the published state is safe",
                       what, env->path);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return vc_fail(error, VC_CORRUPT, "storage_damaged", "%s: %s: %s", what, env->path,
                       mdb_strerror(rc));
    case EACCES:
    case EROFS:
        return vc_fail(error, VC_STORAGE, "storage_read_only", "%s: %s: %s", what, env->path,
                       mdb_strerror(rc));
    default: break;
    }
    if (rc == ENOSPC || rc == EDQUOT || (rc == EIO && is_out_of_room(env)))
        return vc_fail(error, VC_DISK_FULL, "disk_full",
                       "%s: no room is left on the file system of %s; the store is as before", what,
                       env->path);
    return vc_fail(error, VC_STORAGE, "storage", "%s: %s: %s", what, env->path, mdb_strerror(rc));
}

/* ---- open and close ---- */

static int open_mdb_with_map(vc_env *env, size_t map_bytes)
{
    unsigned flags = MDB_NOTLS | MDB_NOSUBDIR | (env->options.is_read_only ? MDB_RDONLY : 0);
    MDB_env *mdb;
    MDB_txn *txn;
    MDB_dbi table = 0;
    int rc = mdb_env_create(&mdb);
    if (rc != 0) return rc;
    rc = mdb_env_set_maxreaders(mdb, MAX_READERS);
    if (rc == 0) rc = mdb_env_set_mapsize(mdb, map_bytes);
    if (rc == 0) rc = mdb_env_open(mdb, env->path, flags, 0600);
    if (rc == 0) rc = mdb_txn_begin(mdb, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        rc = mdb_dbi_open(txn, NULL, 0, &table);
        mdb_txn_abort(txn);
        assert(rc != 0 || table == VC_MAIN_TABLE);
    }
    if (rc != 0) {
        mdb_env_close(mdb);
        return rc;
    }
    vc_guard_lmdb(mdb);
    env->mdb = mdb;
    return 0;
}

static int open_mdb(vc_env *env)
{
    size_t map_bytes = env->options.map_bytes;
    int rc = open_mdb_with_map(env, map_bytes);
    /* Under a limit on the address space a smaller map is better than none: it grows when full. */
    while (rc == ENOMEM && env->options.is_map_default && map_bytes >> 31 != 0) {
        map_bytes >>= 3;
        rc = open_mdb_with_map(env, map_bytes);
    }
    return rc;
}

vc_status vc_env_open(const char *path, const vc_env_options *options, vc_env **env_out,
                      vc_error *error)
{
    *env_out = NULL;
    vc_env *env = calloc(1, sizeof *env);
    if (env == NULL) return vc_no_memory(error);
    pthread_mutex_init(&env->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&env->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    env->options = *options;
    env->path = strdup(path);
    env->directory = strdup(path);
    vc_status status = VC_OK;
    if (env->path == NULL || env->directory == NULL) {
        status = vc_no_memory(error);
    } else {
        char *slash = strrchr(env->directory, '/');
        if (slash != NULL) *slash = '\0';
        int rc = open_mdb(env);
        if (rc != 0) status = vc_env_fail(env, rc, "open", error);
    }
    if (status != VC_OK) {
        vc_env_close(env);
        return status;
    }
    vc_env_check_readers(env);
    *env_out = env;
    return VC_OK;
}

void vc_env_close(vc_env *env)
{
    if (env == NULL) return;
    assert(env->nactive == 0);
    if (env->mdb != NULL) mdb_env_close(env->mdb);
    pthread_cond_destroy(&env->changed);
    pthread_mutex_destroy(&env->lock);
    free(env->directory);
    free(env->path);
    free(env);
}

MDB_env *vc_env_mdb(vc_env *env)
{
    return env->mdb;
}

/* ---- the gate ---- */

static void enter(vc_env *env)
{
    pthread_mutex_lock(&env->lock);
    while (env->is_closed)
        pthread_cond_wait(&env->changed, &env->lock);
    env->nactive++;
    pthread_mutex_unlock(&env->lock);
}

static void leave(vc_env *env)
{
    pthread_mutex_lock(&env->lock);
    env->nactive--;
    if (env->is_closed && env->nactive == 0) pthread_cond_broadcast(&env->changed);
    pthread_mutex_unlock(&env->lock);
}

static bool close_gate(vc_env *env, unsigned *nactive_out)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += DRAIN_SECONDS;
    pthread_mutex_lock(&env->lock);
    while (env->is_closed)
        pthread_cond_wait(&env->changed, &env->lock);
    env->is_closed = true;
    int rc = 0;
    while (env->nactive > 0 && rc == 0)
        rc = pthread_cond_timedwait(&env->changed, &env->lock, &deadline);
    bool is_drained = env->nactive == 0;
    *nactive_out = env->nactive;
    if (!is_drained) {
        env->is_closed = false;
        pthread_cond_broadcast(&env->changed);
    }
    pthread_mutex_unlock(&env->lock);
    return is_drained;
}

static void open_gate(vc_env *env)
{
    pthread_mutex_lock(&env->lock);
    env->is_closed = false;
    pthread_cond_broadcast(&env->changed);
    pthread_mutex_unlock(&env->lock);
}

/* ---- cures ---- */

bool vc_env_is_curable(int rc)
{
    return rc == MDB_MAP_FULL || rc == MDB_MAP_RESIZED || rc == MDB_PANIC;
}

static int grow_map(vc_env *env)
{
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    if (info.me_mapsize > SIZE_MAX / 2) return ENOMEM;
    return mdb_env_set_mapsize(env->mdb, info.me_mapsize * 2);
}

/* The map is as large as it was, or as the file needs by now. */
static int open_again(vc_env *env)
{
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    if (info.me_mapsize > env->options.map_bytes) env->options.map_bytes = info.me_mapsize;
    mdb_env_close(env->mdb);
    env->mdb = NULL;
    return open_mdb(env);
}

vc_status vc_env_repair(vc_env *env, int rc, vc_error *error)
{
    unsigned nactive;
    assert(vc_env_is_curable(rc));
    if (!close_gate(env, &nactive))
        return vc_fail(error, VC_BUSY, "map_busy",
                       "the map of %s must be resized, but %u snapshots are still open after %d s",
                       env->path, nactive, DRAIN_SECONDS);
    vc_status status = VC_OK;
    int result = 0;
    if (env->mdb == NULL || rc == MDB_PANIC) {
        result = env->mdb == NULL ? open_mdb(env) : open_again(env);
        if (result != 0) status = vc_env_fail(env, result, "open again", error);
    } else if (rc == MDB_MAP_RESIZED) {
        result = mdb_env_set_mapsize(env->mdb, 0);
        if (result != 0) status = vc_env_fail(env, result, "take over the size of the map", error);
    } else {
        result = grow_map(env);
        if (result != 0)
            status = vc_fail(error, VC_NO_MEMORY, "map_full",
                             "the map of %s is full and cannot grow: %s", env->path,
                             mdb_strerror(result));
    }
    open_gate(env);
    return status;
}

/* ---- transactions ---- */

/* One attempt, inside the gate when it succeeds. An environment that could not be opened again is
 * tried again by the next one who needs it. */
static int try_begin(vc_env *env, unsigned flags, MDB_txn **txn_out)
{
    enter(env);
    int rc = env->mdb == NULL ? MDB_PANIC : mdb_txn_begin(env->mdb, NULL, flags, txn_out);
    if (rc == MDB_READERS_FULL) {
        vc_env_check_readers(env);
        rc = mdb_txn_begin(env->mdb, NULL, flags, txn_out);
    }
    if (rc != 0) leave(env);
    return rc;
}

vc_status vc_env_begin_read(vc_env *env, MDB_txn **txn_out, vc_error *error)
{
    int rc = try_begin(env, MDB_RDONLY, txn_out);
    for (int cures = 0; rc != 0; cures++) {
        if (!vc_env_is_curable(rc) || cures == MAX_CURES)
            return vc_env_fail(env, rc, "begin a snapshot", error);
        vc_status status = vc_env_repair(env, rc, error);
        if (status != VC_OK) return status;
        rc = try_begin(env, MDB_RDONLY, txn_out);
    }
    return VC_OK;
}

void vc_env_end(vc_env *env, MDB_txn *txn)
{
    if (txn == NULL) return;
    mdb_txn_abort(txn);
    leave(env);
}

int vc_env_try_write(vc_env *env, int (*write)(MDB_txn *txn, void *context), void *context)
{
    MDB_txn *txn;
    int rc = try_begin(env, 0, &txn);
    if (rc != 0) return rc;
    rc = write(txn, context);
    if (rc == 0)
        rc = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    leave(env);
    return rc;
}

int vc_env_copy(vc_env *env, int fd)
{
    MDB_txn *txn; /* sees to it that one can be begun */
    if (vc_env_begin_read(env, &txn, NULL) != VC_OK) return MDB_READERS_FULL;
    int rc = mdb_env_copyfd2(env->mdb, fd, MDB_CP_COMPACT);
    vc_env_end(env, txn);
    return rc;
}

/* ---- readers ---- */

static int64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec;
}

void vc_env_check_readers(vc_env *env)
{
    int ndead;
    atomic_store(&env->readers_checked_s, now_s());
    mdb_reader_check(env->mdb, &ndead);
}

void vc_env_check_readers_sometimes(vc_env *env)
{
    if (now_s() - atomic_load_explicit(&env->readers_checked_s, memory_order_relaxed) <
        READER_CHECK_SECONDS)
        return;
    enter(env); /* not while the environment is being opened again */
    if (env->mdb != NULL) vc_env_check_readers(env);
    leave(env);
}

struct readers {
    unsigned count;
    size_t oldest;
};

static int count_reader(const char *line, void *context)
{
    struct readers *readers = context;
    size_t size = strlen(line), first;
    /* "pid thread txnid", after a line of headings; "-" for a slot without a snapshot. */
    while (size > 0 && line[size - 1] == '\n')
        size--;
    for (first = size; first > 0 && line[first - 1] >= '0' && line[first - 1] <= '9';)
        first--;
    if (first == size) return 0;
    size_t transaction = strtoull(line + first, NULL, 10);
    if (transaction < readers->oldest) readers->oldest = transaction;
    readers->count++;
    return 0;
}

unsigned vc_env_count_readers(vc_env *env, size_t *oldest_out)
{
    struct readers readers = {.oldest = SIZE_MAX};
    mdb_reader_list(env->mdb, count_reader, &readers);
    if (oldest_out != NULL) *oldest_out = readers.oldest;
    return readers.count;
}

typedef struct free_walk {
    MDB_txn *txn;
    MDB_cursor *cursor;
    size_t first_page;
    uint64_t npages;
    int rc;
} free_walk;

/* A record of LMDB's own table 0 is a list of page numbers: a count, then that many. */
static void walk_free_pages(void *context)
{
    free_walk *walk = context;
    MDB_val key, value;
    walk->rc = mdb_cursor_open(walk->txn, 0, &walk->cursor);
    while (walk->rc == 0 &&
           (walk->rc = mdb_cursor_get(walk->cursor, &key, &value, MDB_NEXT)) == 0) {
        size_t count, page;
        const char *list = value.mv_data;
        memcpy(&count, list, sizeof count);
        if (value.mv_size / sizeof page < count + 1) {
            walk->rc = MDB_CORRUPTED;
            return;
        }
        for (size_t i = 1; i <= count; i++) {
            memcpy(&page, list + i * sizeof page, sizeof page);
            walk->npages += page >= walk->first_page;
        }
    }
}

bool vc_env_count_free_pages(MDB_txn *txn, size_t first_page, uint64_t *npages_out)
{
    free_walk walk = {.txn = txn, .first_page = first_page};
    bool is_whole = vc_guard_run(walk_free_pages, &walk) && walk.rc == MDB_NOTFOUND;
    if (walk.cursor != NULL) mdb_cursor_close(walk.cursor);
    *npages_out = walk.npages;
    return is_whole;
}
