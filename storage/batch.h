/* A batch: sealed records in memory that go into LMDB in one transaction.
 *
 * LMDB keeps a write transaction in memory anyway, and loses it when the map is full. With the
 * records here a lost transaction is simply run again, and no transaction stays open while the
 * caller of a load thinks.
 *
 * Values that several threads make are copied into the batch by those: it is opened for so many
 * bytes, room is claimed, and when all of them are done the owner adds what was claimed.
 * Threads: one at a time, the owner, but for vc_batch_claim.
 */
#ifndef STORAGE_BATCH_H
#define STORAGE_BATCH_H

#include "storage/record.h"

#include <lmdb.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct vc_batch_entry {
    vc_record_key key;
    size_t offset; /* of the value in data */
    size_t size;
} vc_batch_entry;

typedef struct vc_batch {
    unsigned char *data; /* 64-byte aligned; every value begins 16 bytes behind such a boundary */
    size_t size, capacity;
    atomic_size_t claimed; /* where the next claim begins, while it is open */
    size_t open_end;       /* 0: it is not open */
    atomic_size_t nclaims; /* that were not added yet */
    vc_batch_entry *entries;
    size_t nentries, entries_capacity;
} vc_batch;

void vc_batch_release(vc_batch *batch);
void vc_batch_clear(vc_batch *batch); /* keeps the memory */

/* Room for one value of up to `size` bytes, so that value + VC_HEADER_BYTES is 64-byte aligned.
 * NULL when out of memory. The value joins the batch by vc_batch_add, before the next call of this.
 */
void *vc_batch_reserve(vc_batch *batch, size_t size);

/* Add the value that was written into the room of the last vc_batch_reserve. */
void vc_batch_add(vc_batch *batch, const vc_record_key *key, size_t size);

/* Open the batch for claims of up to `size` bytes. When out of memory it is not opened. Closed by
 * the next call that adds or reserves. */
void vc_batch_open(vc_batch *batch, size_t size);

/* Claim room for a value: its offset in the data, where it may be written until the batch is
 * closed. 0: it is not open, or not for so much. Any thread. */
size_t vc_batch_claim(vc_batch *batch, size_t size);

/* Add a value that stands where it was claimed; false when out of memory. */
bool vc_batch_add_claimed(vc_batch *batch, const vc_record_key *key, size_t offset, size_t size);

/* Put all records; an LMDB code. */
int vc_batch_put(const vc_batch *batch, MDB_txn *txn);

#endif
