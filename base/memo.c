/* Open addressing. A slot is written whole and then made visible by its hash, which is never 0 and
 * never changes; a table that has become too small is copied into one of twice the size, which is
 * made visible as a whole. Finders may still be in the old one, so all tables stay until the end:
 * together they are no more than the last one. */
#include "base/memo.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FIRST_SLOTS = 64 };

typedef struct memo_slot {
    atomic_uint_least64_t hash; /* 0: free */
    const char *data;
    uint32_t size;
    uint32_t value;
} memo_slot;

struct vc_memo_table {
    vc_memo_table *older;
    uint64_t mask;
    memo_slot slots[];
};

static uint64_t mix(uint64_t bytes)
{
    uint64_t hash = bytes * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

/* Most keys have a few bytes; they are their own hash, nearly. */
static inline uint64_t hash_key(vc_str key)
{
    uint64_t hash;
    if (key.size > 16) {
        hash = XXH3_64bits(key.data, key.size);
    } else if (key.size >= 8) {
        uint64_t head, tail;
        memcpy(&head, key.data, 8);
        memcpy(&tail, key.data + key.size - 8, 8);
        hash = mix(mix(head) ^ tail ^ key.size);
    } else if (key.size >= 4) {
        uint32_t head, tail;
        memcpy(&head, key.data, 4);
        memcpy(&tail, key.data + key.size - 4, 4);
        hash = mix((uint64_t)head << 32 ^ tail ^ (uint64_t)key.size << 24);
    } else {
        uint64_t bytes = key.size << 24 | (uint64_t)(key.data == NULL) << 30;
        for (size_t i = 0; i < key.size; i++)
            bytes |= (uint64_t)(unsigned char)key.data[i] << 8 * i;
        hash = mix(bytes);
    }
    return hash | UINT64_C(1) << 63;
}

static inline bool is_key(const memo_slot *slot, vc_str key)
{
    return slot->size == key.size && (slot->data == NULL) == (key.data == NULL) &&
           (key.size == 0 || memcmp(slot->data, key.data, key.size) == 0);
}

static void put(vc_memo_table *table, uint64_t hash, vc_str key, uint32_t value)
{
    uint64_t at = hash & table->mask;
    while (atomic_load_explicit(&table->slots[at].hash, memory_order_relaxed) != 0)
        at = (at + 1) & table->mask;
    memo_slot *slot = &table->slots[at];
    slot->data = key.data;
    slot->size = (uint32_t)key.size;
    slot->value = value;
    atomic_store_explicit(&slot->hash, hash, memory_order_release);
}

static bool grow(vc_memo *memo, vc_memo_table *older)
{
    size_t nslots = older == NULL ? FIRST_SLOTS : (size_t)(older->mask + 1) * 2;
    vc_memo_table *table = calloc(1, sizeof *table + nslots * sizeof table->slots[0]);
    if (table == NULL) return false;
    table->older = older;
    table->mask = nslots - 1;
    for (size_t i = 0; older != NULL && i <= older->mask; i++) {
        const memo_slot *slot = &older->slots[i];
        uint64_t hash = atomic_load_explicit(&slot->hash, memory_order_relaxed);
        if (hash != 0) put(table, hash, (vc_str){slot->data, slot->size}, slot->value);
    }
    atomic_store_explicit(&memo->table, table, memory_order_release);
    return true;
}

bool vc_memo_put(vc_memo *memo, vc_str key, uint32_t value)
{
    vc_memo_table *table = atomic_load_explicit(&memo->table, memory_order_relaxed);
    if (table == NULL || (uint64_t)memo->count * 2 > table->mask) {
        if (!grow(memo, table)) return false;
        table = atomic_load_explicit(&memo->table, memory_order_relaxed);
    }
    put(table, hash_key(key), key, value);
    memo->count++;
    return true;
}

uint32_t vc_memo_find(const vc_memo *memo, vc_str key)
{
    const vc_memo_table *table = atomic_load_explicit(&memo->table, memory_order_acquire);
    if (table == NULL) return VC_MEMO_NONE;
    uint64_t hash = hash_key(key), found;
    for (uint64_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        const memo_slot *slot = &table->slots[at];
        found = atomic_load_explicit(&slot->hash, memory_order_acquire);
        if (found == 0) return VC_MEMO_NONE;
        if (found == hash && is_key(slot, key)) return slot->value;
    }
}

void vc_memo_release(vc_memo *memo)
{
    vc_memo_table *table = atomic_load_explicit(&memo->table, memory_order_relaxed);
    while (table != NULL) {
        vc_memo_table *older = table->older;
        free(table);
        table = older;
    }
    atomic_store_explicit(&memo->table, NULL, memory_order_relaxed);
    memo->count = 0;
}
