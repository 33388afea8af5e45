/* What the files of a load share. Private to storage/load*.c.
 *
 *     load.c         begin and end, objects, publish
 *     load_put.c     records of the load, into the batch that is being filled
 *     load_commit.c  batches into the store, by a thread of the load's own
 */
#ifndef STORAGE_LOAD_PARTS_H
#define STORAGE_LOAD_PARTS_H

#include "storage/batch.h"
#include "storage/internal.h"

/* The zones of one fact column, as its segments are put. */
typedef struct vc_load_zones {
    uint16_t column;
    bool is_put; /* as they are now, they stand in a batch already */
    vc_zone *zones;
    uint32_t nsegments, capacity;
} vc_load_zones;

typedef struct vc_load_state {
    vc_kind kind;
    vc_str name;
    uint32_t id;
    const vc_entry *published; /* NULL when new */
    uint64_t digest;           /* of what this load put */
    vc_str manifest;           /* absent: keeps what it had */
    const uint32_t *parts;
    uint32_t nparts;
    bool is_dropped;
    bool is_put; /* the manifest stands in a batch already */
    vc_load_zones *columns;
    size_t ncolumns;
} vc_load_state;

typedef struct vc_load_writer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_started, is_quitting;
    bool is_busy; /* the batch belongs to the thread */
    int result;   /* LMDB code of the last batch */
    vc_batch batch;
} vc_load_writer;

struct vc_load {
    vc_store *store;
    vc_snapshot *snapshot;
    int lock;
    vc_head head; /* as the load's transactions write it */
    uint32_t generation;
    vc_arena arena;
    vc_load_state *objects;
    size_t nobjects, objects_capacity;
    vc_batch filling;
    vc_load_writer writer;
    vc_status failed; /* once something was lost, the load can only be aborted */
    vc_error failure;
};

/* ---- committing (load_commit.c) ---- */

/* Remember why the load can only be aborted: in load->failure, which is copied to the error.
 * Returns the status. */
vc_status vc_load_fail(vc_load *load, vc_status status, vc_error *error);

/* Write a batch, and the catalogue if there is one, in this thread. */
vc_status vc_load_commit_now(vc_load *load, const vc_batch *batch, const vc_buffer *catalogue,
                             vc_error *error);

/* Wait until the thread has committed what it has; what failed there and can be cured is done
 * again here. */
vc_status vc_load_wait(vc_load *load, vc_error *error);

void vc_load_stop_writer(vc_load *load);

/* Hand the full batch to the writer, and go on with the other one. Without a thread (none can be
 * started) the batch is committed here. */
vc_status vc_load_submit(vc_load *load, vc_error *error);

/* ---- objects (load.c) ---- */

vc_load_state *vc_load_find_id(vc_load *load, const vc_object *object);

/* ---- records (load_put.c) ---- */

/* Room for a record in the batch; vc_load_add_record puts it there when it is filled. */
vc_status vc_load_reserve(vc_load *load, size_t size, void **value_out, vc_error *error);
void vc_load_add_record(vc_load *load, vc_load_state *object, const vc_record_key *key, size_t size,
                        uint32_t crc);

#endif
