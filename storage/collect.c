/* The collector. What is kept is decided by catalogues alone: a (object, generation) pair is alive
 * when the catalogue of a kept epoch names it, as the manifest's own or as a part. The keys of dead
 * pairs are found by jumping over live ones, so its cost is that of the pairs and of what is dead,
 * not of the store. Keys are gathered in a read transaction and deleted in a write transaction, a
 * bounded number at a time; the catalogues that are not kept go first, so that no epoch ever names
 * a chunk that is gone. */
#include "storage/guard.h"
#include "storage/internal.h"

#include <stdlib.h>

enum { MAX_KEYS = 4096, MAX_CURES = 3 };

typedef struct live_set {
    uint64_t *pairs; /* object << 32 | generation, ascending */
    size_t npairs, capacity;
} live_set;

typedef struct collection {
    vc_store *store;
    uint32_t spared; /* generation */
    MDB_cursor *cursor;
    live_set data, manifests;
    vc_record_key keys[MAX_KEYS];
    size_t nkeys;
} collection;

static bool add_pair(live_set *set, uint32_t object, uint32_t generation)
{
    if (set->npairs == set->capacity) {
        size_t capacity = set->capacity == 0 ? 64 : set->capacity * 2;
        uint64_t *pairs = realloc(set->pairs, capacity * sizeof *pairs);
        if (pairs == NULL) return false;
        set->pairs = pairs;
        set->capacity = capacity;
    }
    set->pairs[set->npairs++] = (uint64_t)object << 32 | generation;
    return true;
}

static int compare_pairs(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static bool is_alive(const live_set *set, const vc_record_key *key)
{
    uint64_t pair = (uint64_t)key->object << 32 | key->generation;
    return set->npairs > 0 &&
           bsearch(&pair, set->pairs, set->npairs, sizeof pair, compare_pairs) != NULL;
}

static vc_status add_live_of(collection *work, const vc_catalogue *catalogue, vc_error *error)
{
    bool is_good = true;
    for (size_t i = 0; i < catalogue->nentries; i++) {
        const vc_entry *entry = &catalogue->entries[i];
        is_good = is_good && add_pair(&work->manifests, entry->id, entry->generation) &&
                  add_pair(&work->data, entry->id, entry->generation);
        for (uint32_t part = 0; part < entry->nparts; part++)
            is_good = is_good && add_pair(&work->data, entry->id, entry->parts[part]);
    }
    return is_good ? VC_OK : vc_no_memory(error);
}

/* Sort the epochs into those that are kept, whose pairs live, and those whose records go. */
static vc_status read_catalogues(collection *work, MDB_txn *txn, vc_error *error)
{
    vc_head head;
    vc_status status = vc_head_read(txn, &head, error);
    uint64_t epoch = 0;
    while (status == VC_OK && vc_catalogue_next_epoch(work->cursor, epoch, &epoch)) {
        if (epoch > head.epoch || epoch + work->store->keep_epochs <= head.epoch) {
            if (work->nkeys < MAX_KEYS) work->keys[work->nkeys++] = vc_record_catalogue_key(epoch);
        } else {
            vc_catalogue *catalogue;
            status = vc_catalogue_read(txn, epoch, &catalogue, error);
            if (status == VC_OK) status = add_live_of(work, catalogue, error);
            vc_catalogue_drop(catalogue);
        }
        epoch++;
    }
    if (work->data.npairs > 0)
        qsort(work->data.pairs, work->data.npairs, sizeof(uint64_t), compare_pairs);
    if (work->manifests.npairs > 0)
        qsort(work->manifests.pairs, work->manifests.npairs, sizeof(uint64_t), compare_pairs);
    return status;
}

/* Move the cursor from a key, or to it; false when there are no more keys of its kind. found may be
 * from. */
static bool seek(MDB_cursor *cursor, const vc_record_key *from, MDB_cursor_op op,
                 vc_record_key *found)
{
    vc_record_kind kind = from->kind;
    uint8_t bytes[VC_KEY_BYTES];
    vc_record_key_write(from, bytes);
    MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes}, value;
    return mdb_cursor_get(cursor, &key, &value, op) == 0 &&
           vc_record_key_read(key.mv_data, key.mv_size, found) && found->kind == kind;
}

static void gather(collection *work, vc_record_kind kind, const live_set *alive)
{
    vc_record_key key;
    bool is_found = seek(work->cursor, &(vc_record_key){.kind = kind}, MDB_SET_RANGE, &key);
    while (is_found && work->nkeys < MAX_KEYS) {
        if (key.generation != work->spared && !is_alive(alive, &key)) {
            work->keys[work->nkeys++] = key;
            is_found = seek(work->cursor, &key, MDB_NEXT, &key);
            continue;
        }
        vc_record_key next = {.kind = kind, .object = key.object, .generation = key.generation};
        if (++next.generation == 0 && ++next.object == 0) break;
        is_found = seek(work->cursor, &next, MDB_SET_RANGE, &key);
    }
}

static void gather_all(void *context)
{
    collection *work = context;
    gather(work, VC_RECORD_MANIFEST, &work->manifests);
    /* Zones before the chunks that they name: whoever verifies in between misses none. */
    gather(work, VC_RECORD_ZONES, &work->data);
    gather(work, VC_RECORD_FACTS, &work->data);
    gather(work, VC_RECORD_BYTES, &work->data);
}

/* Fill work->keys with up to MAX_KEYS keys of records that nobody needs. */
static vc_status find_dead(collection *work, vc_error *error)
{
    MDB_txn *txn;
    vc_env *env = work->store->env;
    work->nkeys = work->data.npairs = work->manifests.npairs = 0;
    vc_status status = vc_env_begin_read(env, &txn, error);
    if (status != VC_OK) return status;
    int rc = mdb_cursor_open(txn, VC_MAIN_TABLE, &work->cursor);
    if (rc != 0) {
        status = vc_env_fail(env, rc, "collect", error);
    } else {
        status = read_catalogues(work, txn, error);
        if (status == VC_OK && !vc_guard_run(gather_all, work))
            status =
                vc_fail(error, VC_CORRUPT, "storage_damaged", "the tree of records is damaged");
        mdb_cursor_close(work->cursor);
    }
    vc_env_end(env, txn);
    return status;
}

static int delete_keys(MDB_txn *txn, void *context)
{
    const collection *work = context;
    for (size_t i = 0; i < work->nkeys; i++) {
        uint8_t bytes[VC_KEY_BYTES];
        vc_record_key_write(&work->keys[i], bytes);
        MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};
        int rc = mdb_del(txn, VC_MAIN_TABLE, &key, NULL);
        if (rc != 0 && rc != MDB_NOTFOUND) return rc;
    }
    return 0;
}

vc_status vc_store_collect(vc_store *store, uint32_t spared, uint64_t *ndeleted_out,
                           vc_error *error)
{
    *ndeleted_out = 0;
    collection *work = calloc(1, sizeof *work);
    if (work == NULL) return vc_no_memory(error);
    work->store = store;
    work->spared = spared;
    int cures = 0;
    vc_status status = find_dead(work, error);
    while (status == VC_OK && work->nkeys > 0) {
        int rc = vc_env_try_write(store->env, delete_keys, work);
        if (rc == 0) {
            *ndeleted_out += work->nkeys;
            status = find_dead(work, error);
        } else if (vc_env_is_curable(rc) && cures++ < MAX_CURES) {
            status = vc_env_repair(store->env, rc, error);
        } else {
            status = vc_env_fail(store->env, rc, "collect", error);
        }
    }
    free(work->data.pairs);
    free(work->manifests.pairs);
    free(work);
    return status;
}
