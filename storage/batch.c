#include "storage/batch.h"

#include "base/memory.h"
#include "storage/internal.h"

#include <stdlib.h>
#include <string.h>

/* What is reserved and not touched costs nothing, what is copied into larger memory does. */
enum { FIRST_CAPACITY = 1 << 16, GROWTH = 4, FIRST_ENTRIES = 64, BEFORE_VALUE = 16 };

void vc_batch_release(vc_batch *batch)
{
    free(batch->data);
    free(batch->entries);
    *batch = (vc_batch){0};
}

void vc_batch_clear(vc_batch *batch)
{
    batch->size = 0;
    batch->open_end = 0;
    batch->nclaims = 0;
    batch->nentries = 0;
}

static bool grow_data(vc_batch *batch, size_t need)
{
    size_t capacity = batch->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : batch->capacity;
    while (capacity < need)
        capacity *= GROWTH;
    unsigned char *data = aligned_alloc(64, capacity);
    if (data == NULL) return false;
    vc_memory_want_huge(data, capacity);
    if (batch->size > 0) memcpy(data, batch->data, batch->size);
    free(batch->data);
    batch->data = data;
    batch->capacity = capacity;
    return true;
}

static bool grow_entries(vc_batch *batch)
{
    size_t capacity = batch->entries_capacity == 0 ? FIRST_ENTRIES : batch->entries_capacity * 2;
    vc_batch_entry *entries = realloc(batch->entries, capacity * sizeof *entries);
    if (entries == NULL) return false;
    batch->entries = entries;
    batch->entries_capacity = capacity;
    return true;
}

static size_t next_offset(const vc_batch *batch)
{
    return (batch->size + 63) / 64 * 64 + BEFORE_VALUE;
}

static void close_claims(vc_batch *batch)
{
    if (batch->open_end == 0) return;
    size_t claimed = batch->claimed; /* also what did not fit */
    batch->size = claimed < batch->open_end ? claimed : batch->open_end;
    batch->open_end = 0;
}

void vc_batch_open(vc_batch *batch, size_t size)
{
    close_claims(batch);
    size_t first = (batch->size + 63) / 64 * 64;
    if (first + size > batch->capacity && !grow_data(batch, first + size)) return;
    batch->claimed = first;
    batch->open_end = first + size;
}

size_t vc_batch_claim(vc_batch *batch, size_t size)
{
    size_t room = (BEFORE_VALUE + size + 63) / 64 * 64;
    if (batch->open_end == 0) return 0;
    size_t first = atomic_fetch_add(&batch->claimed, room);
    if (first + room > batch->open_end) return 0;
    atomic_fetch_add(&batch->nclaims, 1);
    return first + BEFORE_VALUE;
}

bool vc_batch_add_claimed(vc_batch *batch, const vc_record_key *key, size_t offset, size_t size)
{
    close_claims(batch);
    if (batch->nentries == batch->entries_capacity && !grow_entries(batch)) return false;
    batch->entries[batch->nentries++] =
        (vc_batch_entry){.key = *key, .offset = offset, .size = size};
    atomic_fetch_sub(&batch->nclaims, 1);
    return true;
}

void *vc_batch_reserve(vc_batch *batch, size_t size)
{
    close_claims(batch);
    size_t offset = next_offset(batch);
    if (offset + size > batch->capacity && !grow_data(batch, offset + size)) return NULL;
    if (batch->nentries == batch->entries_capacity && !grow_entries(batch)) return NULL;
    return batch->data + offset;
}

void vc_batch_add(vc_batch *batch, const vc_record_key *key, size_t size)
{
    size_t offset = next_offset(batch);
    batch->entries[batch->nentries++] =
        (vc_batch_entry){.key = *key, .offset = offset, .size = size};
    batch->size = offset + size;
}

int vc_batch_put(const vc_batch *batch, MDB_txn *txn)
{
    int rc = 0;
    for (size_t i = 0; i < batch->nentries && rc == 0; i++) {
        const vc_batch_entry *entry = &batch->entries[i];
        rc = vc_record_put(txn, &entry->key, batch->data + entry->offset, entry->size);
    }
    return rc;
}
