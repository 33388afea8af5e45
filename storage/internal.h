/* What the files of this folder share: the store, the snapshot, and looking up one record. */
#ifndef STORAGE_INTERNAL_H
#define STORAGE_INTERNAL_H

#include "storage/catalogue.h"
#include "storage/env.h"
#include "storage/record.h"
#include "storage/store.h"
#include "storage/verified.h"

#include <pthread.h>
#include <sys/types.h>

struct vc_store {
    vc_store *next; /* in the registry of this process */
    dev_t device;
    ino_t inode;
    vc_env *env;
    char *directory;
    char *data_path;
    size_t batch_bytes;
    size_t piece_bytes;
    unsigned keep_epochs;
    bool is_read_only;
    bool forgets_pages;
    vc_verified *verified;
    pthread_mutex_t lock;
    vc_catalogue *newest; /* the last one parsed; under the lock */
};

struct vc_snapshot {
    vc_store *store;
    MDB_txn *txn;
    vc_catalogue *catalogue;
};

/* VC_NOT_FOUND, codes "expired_snapshot" (older than what is kept) and "unknown_snapshot", with the
 * newest ids as candidates; or what else is wrong. */
vc_status vc_snapshot_fail_unknown(const vc_snapshot *snapshot, vc_str id, vc_error *error);

typedef struct vc_record {
    const void *value; /* in the map: lives as long as the transaction */
    size_t size;
    vc_record_header header;
} vc_record;

typedef enum vc_look {
    VC_LOOK_HEADER, /* compare magic and key only */
    VC_LOOK_ONCE,   /* and verify the checksum, unless this process has done so */
    VC_LOOK_ALL,    /* and verify the checksum */
} vc_look;

/* Find a record, behind the guard of storage/guard.h.
 *
 * Returns NULL when it is there and well, VC_RECORD_MISSING when there is none, otherwise what is
 * wrong with it (a text that stays valid). store may be NULL unless look is VC_LOOK_ONCE. */
const char *vc_record_get(vc_store *store, MDB_txn *txn, const vc_record_key *key, vc_look look,
                          vc_record *record_out);

extern const char VC_RECORD_MISSING[]; /* "is missing" */

/* Name a record in a message: "the cube 'sales' (object 3), generation 7, column 2, segment 17". */
void vc_record_describe(const vc_catalogue *catalogue, const vc_record_key *key, char *text,
                        size_t size);

/* Does the header of a piece of a byte column agree with itself and with the size of the value?
 * Returns NULL, or what is wrong (a literal). */
const char *vc_piece_check(const vc_record_header *header, uint32_t piece, size_t size);

/* Does the header of a record of zones agree with the size of the value? Returns NULL, or what is
 * wrong (a literal). */
const char *vc_zones_check(const vc_record_header *header, size_t size);

/* Zone number `segment` of a record of zones, which may lie at any address. */
vc_zone vc_zones_get(const void *value, uint32_t segment);

/* The zone of a chunk with this header; of no chunk, when NULL. */
vc_zone vc_zone_of(const vc_record_header *header);

typedef struct vc_head {
    uint64_t epoch;
    uint32_t next_object;
    uint32_t next_generation;
} vc_head;

vc_status vc_head_read(MDB_txn *txn, vc_head *head_out, vc_error *error);
int vc_head_write(MDB_txn *txn, const vc_head *head); /* an LMDB code */

/* Put a record whose value is sealed; an LMDB code. */
int vc_record_put(MDB_txn *txn, const vc_record_key *key, const void *value, size_t size);

/* The catalogue of an epoch, parsed from its record. The caller holds it. */
vc_status vc_catalogue_read(MDB_txn *txn, uint64_t epoch, vc_catalogue **catalogue_out,
                            vc_error *error);

/* Open a snapshot again at the newest state in place, or only end its transaction; whatever was
 * read in place from it is gone. After vc_snapshot_suspend, only resume or close it. */
void vc_snapshot_suspend(vc_snapshot *snapshot);
vc_status vc_snapshot_resume(vc_snapshot *snapshot, vc_error *error);

/* Delete every record that no kept epoch names, and the catalogues of epochs that are not kept. The
 * caller holds the load lock and no transaction. When a kept catalogue cannot be read, nothing is
 * deleted: VC_CORRUPT.
 *
 * spared  a generation that is not published yet but in use: that of the running load; 0 for none
 */
vc_status vc_store_collect(vc_store *store, uint32_t spared, uint64_t *ndeleted_out,
                           vc_error *error);

/* The next epoch that has a catalogue, from `first` on; false when there is none. */
bool vc_catalogue_next_epoch(MDB_cursor *cursor, uint64_t first, uint64_t *epoch_out);

#endif
