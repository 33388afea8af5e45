/* The store: one LMDB environment, one file, everything in it immutable once published.
 *
 * Nouns. An *object* is a named thing of one kind (a cube, a dimension, a crosswalk). It has a
 * *manifest*, a small text that says what it is, and *columns* numbered by its owner: byte columns
 * (flat arrays, read whole) and fact columns, cut into *segments* of rows with one checksummed
 * chunk each (storage/chunk.h). Each load writes under a fresh *generation*, and publishes
 * all of its objects in one tiny transaction that also advances the *epoch*. A *snapshot* is an
 * LMDB read transaction and its epoch: it sees all of a load or none of it.
 *
 * Files: DIR/vcube.mdb and LMDB's lock file DIR/vcube.mdb-lock, mode 0600.
 * Threads: a store is shared by all threads, a snapshot is used by many threads at once (it only
 * reads), a load by one thread. A store may be opened once per process (a registry keyed by device
 * and inode refuses the second time) and by several processes at once. Fork only before open.
 */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"
#include "storage/chunk.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct vc_store vc_store;
typedef struct vc_snapshot vc_snapshot;
typedef struct vc_load vc_load;

typedef enum vc_kind {
    VC_KIND_CUBE = 1,      /* source and virtual cubes share one name space */
    VC_KIND_DIMENSION = 2, /* those that several cubes share */
    VC_KIND_CROSSWALK = 3,
    VC_KIND_COUNT
} vc_kind;

/* "cube", and the error code "unknown_cube". */
const char *vc_kind_name(vc_kind kind);
const char *vc_kind_unknown_code(vc_kind kind);

enum { VC_SEGMENT_ROWS = 65536 }; /* rows of a full segment */

typedef struct vc_store_options {
    size_t map_bytes;         /* 0: 1 TiB, or $VCUBE_MAP_BYTES; grown when full */
    size_t batch_bytes;       /* 0: 16 MiB; a load commits whenever so much is pending */
    size_t piece_bytes;       /* 0: 128 MiB; a byte column up to this size is read in place */
    unsigned keep_epochs;     /* 0: 8; how many epochs stay readable by vc_snapshot_open_at */
    bool is_read_only;        /* no writes, and the store must exist */
    bool must_exist;          /* likewise, but with writes */
    bool allow_network_files; /* do not refuse NFS, CIFS, FUSE */
    bool forgets_pages;       /* after each batch of a load this process forgets the pages of the
                                 file that it met, or they count as its memory, more with each
                                 batch. For one that only loads: those who read meet them again */
} vc_store_options;

/* ---- open and close ---- */

/* Open the store in a directory, made when it does not exist (its parent must).
 *
 * options  may be NULL: all defaults
 *
 * Checks before it trusts: file system type, format version, file size against LMDB's meta page
 * (a truncated file is refused: VC_CORRUPT, code "storage_truncated"), stale readers, orphans of
 * loads that were killed (removed by the next load). A missing store with is_read_only
 * or must_exist is VC_NOT_FOUND, code "unknown_store", and nothing is made.
 */
vc_status vc_store_open(const char *directory, const vc_store_options *options,
                        vc_store **store_out, vc_error *error);

/* All snapshots and loads must have been closed. NULL is fine. */
void vc_store_close(vc_store *store);

const char *vc_store_directory(const vc_store *store);

typedef struct vc_store_stats {
    uint64_t epoch;
    uint64_t file_bytes; /* of the data file */
    uint64_t map_bytes;
    uint64_t used_bytes; /* pages in use, free ones not counted */
    uint64_t free_bytes; /* pages on the free list: reused by later loads */
    unsigned nreaders, max_readers;
    uint64_t epochs_held; /* write transactions since the oldest snapshot that is open: what they
                             freed cannot be used again. 0: no old one is */
    uint64_t nobjects, nchunks;
    const char *lmdb_version;
} vc_store_stats;

vc_status vc_store_stat(vc_store *store, vc_store_stats *stats_out, vc_error *error);

/* epochs_held alone, which costs little. 0 also when it cannot be read. */
uint64_t vc_store_epochs_held(vc_store *store);

/* ---- read ---- */

/* A snapshot of the newest epoch. Cheap (about a microsecond); hold it for one query only, because
 * it keeps old pages from being reused. Handles MDB_MAP_RESIZED and a full reader table (after a
 * reader check: VC_BUSY). */
vc_status vc_snapshot_open(vc_store *store, vc_snapshot **snapshot_out, vc_error *error);

/* A snapshot that shows the catalogue of an older epoch, while it is kept.
 * VC_NOT_FOUND, code "expired_snapshot" when it is older than what is kept, "unknown_snapshot" when
 * there never was such a one (candidates: the kept ones' ids, newest first). */
vc_status vc_snapshot_open_at(vc_store *store, vc_str id, vc_snapshot **snapshot_out,
                              vc_error *error);

void vc_snapshot_close(vc_snapshot *snapshot); /* NULL is fine */

uint64_t vc_snapshot_epoch(const vc_snapshot *snapshot);

/* "42-9f3c": the epoch and four hex digits of the hash of its catalogue. Lives as long as the
 * snapshot. */
const char *vc_snapshot_id(const vc_snapshot *snapshot);

typedef enum vc_change_kind {
    VC_CHANGE_ADDED = 0,
    VC_CHANGE_LOADED, /* it was there before */
    VC_CHANGE_DROPPED
} vc_change_kind;

const char *vc_change_name(vc_change_kind change); /* "added", "loaded", "dropped" */

typedef struct vc_change {
    vc_change_kind change;
    vc_kind kind;
    vc_str name;
} vc_change;

typedef struct vc_kept { /* an epoch that vc_snapshot_open_at can open */
    uint64_t epoch;
    char id[32];
    bool knows_changes; /* the epoch before it is kept, too, or is none */
    vc_change *changes; /* [nchanges] against that one, ascending by kind and name */
    size_t nchanges;
} vc_kept;

/* The epochs that are kept, ascending; nothing of the times at which they came is stored. In the
 * arena. VC_CORRUPT, VC_NO_MEMORY. */
vc_status vc_snapshot_list_kept(const vc_snapshot *snapshot, vc_arena *arena,
                                const vc_kept **kept_out, size_t *nkept_out, vc_error *error);

typedef struct vc_object {
    vc_kind kind;
    uint32_t id;         /* of the name, the same in all generations */
    uint32_t generation; /* in which the manifest was published */
    vc_str name;         /* these two: valid as long as the snapshot */
    vc_str manifest;
} vc_object;

/* VC_NOT_FOUND, code "unknown_cube", "unknown_dimension" or "unknown_crosswalk", with nearest names
 * as candidates. VC_CORRUPT when the manifest's checksum is wrong. */
vc_status vc_snapshot_find(const vc_snapshot *snapshot, vc_kind kind, vc_str name,
                           vc_object *object_out, vc_error *error);

/* All objects of a kind in the order of their names (bytes). The array is in the arena. */
vc_status vc_snapshot_list(const vc_snapshot *snapshot, vc_kind kind, vc_arena *arena,
                           vc_object **objects_out, size_t *nobjects_out, vc_error *error);

/* One chunk of a fact column, to be scanned in place: valid as long as the snapshot. The checksum
 * is verified at the first touch in this process.
 *
 * VC_CORRUPT, code "storage_damaged", naming object, column and segment, when the chunk is missing,
 * its checksum or key echo is wrong, or its header does not fit its size. */
vc_status vc_snapshot_chunk(const vc_snapshot *snapshot, uint32_t object_id, uint32_t generation,
                            uint16_t column, uint32_t segment, vc_chunk *chunk_out,
                            vc_error *error);

/* What is known of one segment of a fact column without touching its chunk. */
typedef struct vc_zone {
    int64_t min, max; /* of the non-null ints, min > max when there is none; of a float column
                         INT64_MIN and INT64_MAX: nothing is known */
    uint32_t nrows, nnulls;
} vc_zone;

/* The zones of a fact column of one generation, in the arena: *zones_out [*nsegments_out]. They
 * were written with the chunks and have a checksum of their own, verified at the first touch in
 * this process: a scan may leave out a segment because of them.
 *
 * A number below nsegments under which nothing was put has 0 rows and the range of a float column.
 * VC_CORRUPT, code "storage_damaged", when they are missing (a column never written) or damaged.
 * O(nsegments). */
vc_status vc_snapshot_zones(const vc_snapshot *snapshot, uint32_t object_id, uint32_t generation,
                            uint16_t column, vc_arena *arena, const vc_zone **zones_out,
                            uint32_t *nsegments_out, vc_error *error);

/* A byte column whole: in place when it is one piece (up to 128 MiB; valid as long as the
 * snapshot), otherwise put together in the arena. Aligned to 16 at least. A column never written is
 * VC_CORRUPT. */
vc_status vc_snapshot_bytes(const vc_snapshot *snapshot, uint32_t object_id, uint32_t generation,
                            uint16_t column, vc_arena *arena, vc_str *bytes_out, vc_error *error);

/* Check every chunk, byte column, manifest, catalogue and record of zones of the store, and that
 * the zones agree with the chunks and every chunk that they name is there. That a manifest has all
 * the columns and segments it needs is left to its owner.
 *
 * found  called for each damaged record with a sentence that names it; may be NULL
 *
 * Returns VC_OK with *ndamaged_out = 0 when all is well; VC_CORRUPT, with the first one in error,
 * otherwise. */
vc_status vc_store_verify(vc_store *store, void (*found)(void *context, const char *sentence),
                          void *context, uint64_t *nrecords_out, uint64_t *ndamaged_out,
                          vc_error *error);

/* ---- write ---- */

/* Begin a load. One at a time over all processes: the second waits up to a second, then VC_BUSY,
 * code "load_in_progress". Refused with VC_DISK_FULL, code "disk_full", when the file system has
 * less than max(5 %, two batches + 64 MiB) free (the share capped at 1 GiB; $VCUBE_MIN_FREE_BYTES
 * overrides). Nothing is visible to others before vc_load_publish. Removes what killed loads left
 * behind. */
vc_status vc_load_begin(vc_store *store, vc_load **load_out, vc_error *error);

/* The snapshot of what is published now, to read the older state from; closed with the load. What
 * was read in place from it (chunks, bytes, manifests) is valid only until the next vc_load_put_*,
 * _object, _drop or _publish, because the map may have to grow there. */
const vc_snapshot *vc_load_snapshot(const vc_load *load);

/* The object of that name in this load's new generation, made when it is new. Call once per object
 * that this load writes. object_out->manifest is the published one (absent when new); name and
 * manifest are copies that live as long as the load. The name has 1 to 1024 bytes (VC_BAD_INPUT).
 * After vc_load_drop, setting a manifest makes the object again. */
vc_status vc_load_object(vc_load *load, vc_kind kind, vc_str name, vc_object *object_out,
                         vc_error *error);

/* Put one segment of a fact column (see chunk.h for the arguments), in any order of segments; the
 * load keeps the zones and puts them with the manifest. object->generation is the load's. On
 * VC_DISK_FULL or VC_STORAGE the load can only be aborted. */
vc_status vc_load_put_ints(vc_load *load, const vc_object *object, uint16_t column,
                           uint32_t segment, const int64_t *values, const uint8_t *validity,
                           uint32_t nrows, vc_error *error);
vc_status vc_load_put_doubles(vc_load *load, const vc_object *object, uint16_t column,
                              uint32_t segment, const double *values, const uint8_t *validity,
                              uint32_t nrows, vc_error *error);

/* The same in two halves, so that several threads can encode: the first in any thread, the second,
 * for the same object, column and segment, in the load's.
 *
 * encoded  all zero at first; its memory is used again. Release it with vc_encoded_release. */
typedef struct vc_encoded {
    void *data; /* from 16 bytes behind a 64-byte boundary */
    size_t capacity, size;
    size_t place; /* in the batch of the load; 0: it was not placed */
} vc_encoded;

vc_status vc_load_encode_ints(const vc_object *object, uint16_t column, uint32_t segment,
                              const int64_t *values, const uint8_t *validity, uint32_t nrows,
                              vc_encoded *encoded, vc_error *error);
vc_status vc_load_encode_doubles(const vc_object *object, uint16_t column, uint32_t segment,
                                 const double *values, const uint8_t *validity, uint32_t nrows,
                                 vc_encoded *encoded, vc_error *error);

/* Before threads encode and place up to nchunks chunks of which most are full: the load's thread
 * has room for them made. */
vc_status vc_load_begin_round(vc_load *load, size_t nchunks, vc_error *error);

/* Copy what was encoded to where it will be put from, while it is in the cache of the thread. May
 * be left out, and does nothing where there is no room. Between vc_load_begin_round and the next
 * call for the load in its thread; what was placed must be put before anything else is. */
void vc_load_place_encoded(vc_load *load, vc_encoded *encoded);

vc_status vc_load_put_encoded(vc_load *load, const vc_object *object, uint16_t column,
                              uint32_t segment, const vc_encoded *encoded, vc_error *error);
void vc_encoded_release(vc_encoded *encoded);

/* Put a byte column whole; what is larger than piece_bytes is cut. Once per column. */
vc_status vc_load_put_bytes(vc_load *load, const vc_object *object, uint16_t column,
                            const void *data, size_t size, vc_error *error);

/* The manifest that publishing will give the object. Without one, an object of the load keeps what
 * it had. `parts` are the older generations of this object that the manifest still refers to
 * (appended facts), so that they are not collected. */
vc_status vc_load_set_manifest(vc_load *load, const vc_object *object, vc_str manifest,
                               const uint32_t *parts, size_t nparts, vc_error *error);

/* Take an object out of the catalogue at publishing. VC_NOT_FOUND as vc_snapshot_find. */
vc_status vc_load_drop(vc_load *load, vc_kind kind, vc_str name, vc_error *error);

/* A snapshot that shows the catalogue as publishing would make it, to check the load with. Commits
 * the pending batch (still unpublished). Close it before publishing or aborting; nothing may be put
 * while it is open. */
vc_status vc_load_preview(vc_load *load, vc_snapshot **snapshot_out, vc_error *error);

/* Make everything of the load visible at once, durably, and end the load (also on failure: then
 * nothing is visible). Afterwards collects what no kept epoch names. epoch_out may be NULL. */
vc_status vc_load_publish(vc_load *load, uint64_t *epoch_out, vc_error *error);

/* Give up: nothing of the load remains visible; its chunks are removed now or by the next load.
 * NULL is fine. */
void vc_load_abort(vc_load *load);

#endif
