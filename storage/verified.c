/* Open addressing over atomic words, 0 meaning free. A table is replaced by one of twice the size
 * when it is half full; the old one stays allocated until the end, because somebody may be reading
 * it, and all of them together are smaller than the newest. An addition lost between two tables is
 * only a record that is verified again. */
#include "storage/verified.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <xxhash.h>

enum { FIRST_CAPACITY = 1 << 12, LAST_CAPACITY = 1 << 23 };

typedef struct table table;

struct table {
    table *older;
    size_t capacity;
    atomic_size_t count;
    _Atomic uint64_t slots[];
};

struct vc_verified {
    _Atomic(table *) newest;
    pthread_mutex_t growing;
};

static table *new_table(size_t capacity, table *older)
{
    table *t = calloc(1, sizeof *t + capacity * sizeof t->slots[0]);
    if (t == NULL) return NULL;
    t->older = older;
    t->capacity = capacity;
    return t;
}

vc_verified *vc_verified_new(void)
{
    vc_verified *set = calloc(1, sizeof *set);
    table *first = new_table(FIRST_CAPACITY, NULL);
    if (set == NULL || first == NULL) {
        free(set);
        free(first);
        return NULL;
    }
    atomic_init(&set->newest, first);
    pthread_mutex_init(&set->growing, NULL);
    return set;
}

void vc_verified_free(vc_verified *set)
{
    if (set == NULL) return;
    table *t = atomic_load(&set->newest);
    while (t != NULL) {
        table *older = t->older;
        free(t);
        t = older;
    }
    pthread_mutex_destroy(&set->growing);
    free(set);
}

static uint64_t hash_key(const vc_record_key *key)
{
    uint8_t bytes[VC_KEY_BYTES];
    vc_record_key_write(key, bytes);
    uint64_t hash = XXH3_64bits(bytes, sizeof bytes);
    return hash == 0 ? 1 : hash;
}

/* Is the hash in the table? If not, *slot_out is the free slot where the search ended. */
static bool find(table *t, uint64_t hash, size_t *slot_out)
{
    size_t mask = t->capacity - 1, slot = (size_t)hash & mask;
    uint64_t held;
    while ((held = atomic_load_explicit(&t->slots[slot], memory_order_acquire)) != 0) {
        if (held == hash) return true;
        slot = (slot + 1) & mask;
    }
    *slot_out = slot;
    return false;
}

bool vc_verified_has(vc_verified *set, const vc_record_key *key)
{
    size_t slot;
    return find(atomic_load_explicit(&set->newest, memory_order_acquire), hash_key(key), &slot);
}

static void insert(table *t, uint64_t hash)
{
    size_t slot;
    while (!find(t, hash, &slot)) {
        uint64_t expected = 0;
        if (atomic_compare_exchange_strong(&t->slots[slot], &expected, hash)) {
            atomic_fetch_add(&t->count, 1);
            return;
        }
    }
}

static void grow(vc_verified *set, table *full)
{
    pthread_mutex_lock(&set->growing);
    if (atomic_load(&set->newest) == full) {
        table *larger = NULL;
        if (full->capacity < LAST_CAPACITY) larger = new_table(full->capacity * 2, full);
        if (larger != NULL) {
            for (size_t slot = 0; slot < full->capacity; slot++) {
                uint64_t hash = atomic_load(&full->slots[slot]);
                if (hash != 0) insert(larger, hash);
            }
            atomic_store(&set->newest, larger);
        } else {
            for (size_t slot = 0; slot < full->capacity; slot++)
                atomic_store(&full->slots[slot], 0);
            atomic_store(&full->count, 0);
        }
    }
    pthread_mutex_unlock(&set->growing);
}

void vc_verified_add(vc_verified *set, const vc_record_key *key)
{
    table *t = atomic_load(&set->newest);
    if (atomic_load(&t->count) >= t->capacity / 2) grow(set, t);
    insert(atomic_load(&set->newest), hash_key(key));
}
