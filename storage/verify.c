#include "storage/encode.h"
#include "storage/guard.h"
#include "storage/internal.h"
#include "storage/packed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct verification {
    vc_snapshot *snapshot;
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc;
    vc_record_key record_key; /* that is looked at, and reported */
    vc_record_key found_key;
    const char *problem;
    uint64_t *pairs; /* [npairs] object << 32 | generation that kept catalogues name */
    size_t npairs;
    void (*found)(void *context, const char *sentence);
    void *context;
    uint64_t nrecords, ndamaged;
    vc_error *error; /* of the first */
} verification;

static void report(verification *work, const char *name, const char *problem)
{
    char sentence[800];
    snprintf(sentence, sizeof sentence, "%s %s", name, problem);
    if (work->ndamaged++ == 0) vc_fail(work->error, VC_CORRUPT, "storage_damaged", "%s", sentence);
    if (work->found != NULL) work->found(work->context, sentence);
}

static void report_record(verification *work, const char *problem)
{
    char name[512];
    vc_record_describe(work->snapshot->catalogue, &work->record_key, name, sizeof name);
    report(work, name, problem);
}

static void step(void *context)
{
    verification *work = context;
    work->rc = mdb_cursor_get(work->cursor, &work->key, &work->value, MDB_NEXT);
}

/* Is the range of each block that of its values? The checksum says that the bytes are those that
 * were written; this, that they were written right. */
static const char *check_values(const vc_chunk *chunk)
{
    uint64_t deltas[VC_BLOCK_ROWS];
    const vc_packed_kernels *kernels = vc_packed_get_kernels(vc_cpu_get_level());
    for (uint32_t b = 0; b < chunk->nblocks; b++) {
        const vc_block *block = &chunk->blocks[b];
        uint64_t largest = 0, expected = (uint64_t)block->max - (uint64_t)block->min;
        if (block->width == 0) continue;
        kernels->unpack64(vc_chunk_block_data(chunk, b), block->width,
                          vc_chunk_block_rows(chunk, b), deltas);
        for (uint32_t row = 0; row < vc_chunk_block_rows(chunk, b); row++)
            largest = deltas[row] > largest ? deltas[row] : largest;
        if (largest != expected) return "has a block with values outside its range";
    }
    return NULL;
}

static void check_record(void *context)
{
    verification *work = context;
    vc_record_header header;
    vc_chunk chunk;
    const void *value = work->value.mv_data;
    size_t size = work->value.mv_size;
    work->problem = vc_record_read(&work->record_key, value, size, &header);
    if (work->problem == NULL && !vc_record_is_sound(value, size))
        work->problem = "has a wrong checksum";
    if (work->problem != NULL) return;
    switch (work->record_key.kind) {
    case VC_RECORD_FACTS:
        work->problem = vc_chunk_view(&header, value, size, &chunk);
        if (work->problem == NULL) work->problem = check_values(&chunk);
        break;
    case VC_RECORD_ZONES: work->problem = vc_zones_check(&header, size); break;
    case VC_RECORD_BYTES:
        work->problem = vc_piece_check(&header, work->record_key.segment, size);
        break;
    case VC_RECORD_MANIFEST:
    case VC_RECORD_CATALOGUE:
        if ((uint64_t)header.min != size - VC_HEADER_BYTES)
            work->problem = "has another size than it says";
        break;
    default: break;
    }
}

/* Every record that the tree holds. */
static void check_records(verification *work)
{
    while (true) {
        if (!vc_guard_run(step, work)) {
            report(work, "the tree of records", "is damaged, and the rest of it cannot be reached");
            return;
        }
        if (work->rc == MDB_NOTFOUND) return;
        if (work->rc != 0) {
            report(work, "the tree of records:", mdb_strerror(work->rc));
            return;
        }
        work->nrecords++;
        if (!vc_record_key_read(work->key.mv_data, work->key.mv_size, &work->record_key)) {
            report(work, "a record", "has a key that is none of ours");
            continue;
        }
        if (!vc_guard_run(check_record, work))
            work->problem = "lies on a page that the file does not have";
        if (work->problem != NULL) report_record(work, work->problem);
    }
}

/* ---- zones ---- */

static bool is_same_zone(vc_zone a, vc_zone b)
{
    return a.min == b.min && a.max == b.max && a.nrows == b.nrows && a.nnulls == b.nnulls;
}

/* The zones of work->found_key, from its segment on, against the headers of their chunks, up to the
 * first that differs. Records whose own checksum is wrong have been reported and are left out. */
static void compare_zones(void *context)
{
    verification *work = context;
    MDB_txn *txn = work->snapshot->txn;
    vc_record zones, chunk;
    vc_record_key zones_key = work->found_key;
    zones_key.segment = 0;
    work->record_key = work->found_key;
    work->problem = NULL;
    if (vc_record_get(NULL, txn, &zones_key, VC_LOOK_ALL, &zones) != NULL ||
        vc_zones_check(&zones.header, zones.size) != NULL)
        return;
    work->record_key.kind = VC_RECORD_FACTS;
    for (; work->record_key.segment < zones.header.nrows; work->record_key.segment++) {
        vc_zone zone = vc_zones_get(zones.value, work->record_key.segment);
        const char *problem = vc_record_get(NULL, txn, &work->record_key, VC_LOOK_HEADER, &chunk);
        if (problem != NULL && problem != VC_RECORD_MISSING) continue;
        if (is_same_zone(zone, vc_zone_of(problem == NULL ? &chunk.header : NULL))) continue;
        if (problem == NULL && !vc_record_is_sound(chunk.value, chunk.size)) continue;
        work->problem = problem != NULL ? problem : "is not what its zone says";
        return;
    }
}

/* Set work->found_key to the first record of work->found_key's kind, object and generation from its
 * column on; its object becomes 0 when there is none. */
static void find_column(void *context)
{
    verification *work = context;
    uint8_t bytes[VC_KEY_BYTES];
    vc_record_key from = work->found_key;
    vc_record_key_write(&from, bytes);
    MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes}, value;
    if (mdb_cursor_get(work->cursor, &key, &value, MDB_SET_RANGE) != 0 ||
        !vc_record_key_read(key.mv_data, key.mv_size, &work->found_key) ||
        work->found_key.kind != from.kind || work->found_key.object != from.object ||
        work->found_key.generation != from.generation)
        work->found_key.object = 0;
}

/* Every column of the generation that has records of the kind. */
static void for_columns(verification *work, vc_record_kind kind, uint64_t pair,
                        void (*check)(verification *work))
{
    uint32_t column = 0;
    do {
        work->found_key = (vc_record_key){.kind = kind,
                                          .object = (uint32_t)(pair >> 32),
                                          .generation = (uint32_t)pair,
                                          .column = (uint16_t)column};
        if (!vc_guard_run(find_column, work) || work->found_key.object == 0) return;
        column = work->found_key.column + UINT32_C(1);
        check(work);
    } while (column <= UINT16_MAX);
}

static void check_zones(verification *work)
{
    do { /* all that is wrong in a column: compare_zones stops at each */
        if (!vc_guard_run(compare_zones, work)) return; /* the page has been reported */
        if (work->problem != NULL) report_record(work, work->problem);
        work->found_key.segment = work->record_key.segment + 1;
    } while (work->problem != NULL);
}

static void check_has_zones(verification *work)
{
    vc_record zones;
    work->record_key = work->found_key;
    work->record_key.kind = VC_RECORD_ZONES;
    work->record_key.segment = 0;
    if (vc_record_get(NULL, work->snapshot->txn, &work->record_key, VC_LOOK_HEADER, &zones) ==
        VC_RECORD_MISSING)
        report_record(work, VC_RECORD_MISSING);
}

static int compare_pairs(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Only what is published is looked at: a load that was killed may have left chunks alone. */
static void check_pairs(verification *work)
{
    if (work->npairs > 0) qsort(work->pairs, work->npairs, sizeof *work->pairs, compare_pairs);
    for (size_t i = 0; i < work->npairs; i++) {
        if (i > 0 && work->pairs[i] == work->pairs[i - 1]) continue;
        for_columns(work, VC_RECORD_ZONES, work->pairs[i], check_zones);
        for_columns(work, VC_RECORD_FACTS, work->pairs[i], check_has_zones);
    }
}

static bool add_pairs(verification *work, const vc_entry *entry)
{
    size_t count = (size_t)entry->nparts + 1;
    uint64_t *pairs = realloc(work->pairs, (work->npairs + count) * sizeof *pairs);
    if (pairs == NULL) return false;
    work->pairs = pairs;
    for (uint32_t part = 0; part < entry->nparts; part++)
        pairs[work->npairs++] = (uint64_t)entry->id << 32 | entry->parts[part];
    pairs[work->npairs++] = (uint64_t)entry->id << 32 | entry->generation;
    return true;
}

/* ---- catalogues ---- */

/* Every record that the catalogues name: one that is gone leaves no trace in the tree. */
static vc_status check_catalogue(verification *work, uint64_t epoch)
{
    vc_catalogue *catalogue;
    vc_error problem = {0};
    vc_status status = vc_catalogue_read(work->snapshot->txn, epoch, &catalogue, &problem);
    if (status == VC_NO_MEMORY) return vc_no_memory(work->error);
    if (status != VC_OK) {
        report(work, problem.message, "");
        return VC_OK;
    }
    for (size_t i = 0; i < catalogue->nentries && status == VC_OK; i++) {
        if (!add_pairs(work, &catalogue->entries[i])) status = vc_no_memory(work->error);
        vc_record_key key = {.kind = VC_RECORD_MANIFEST,
                             .object = catalogue->entries[i].id,
                             .generation = catalogue->entries[i].generation};
        vc_record record;
        if (vc_record_get(NULL, work->snapshot->txn, &key, VC_LOOK_HEADER, &record) ==
            VC_RECORD_MISSING) {
            work->record_key = key;
            report_record(work, VC_RECORD_MISSING);
        }
    }
    vc_catalogue_drop(catalogue);
    return status;
}

static vc_status check_catalogues(verification *work)
{
    uint64_t epoch = 0;
    vc_status status = VC_OK;
    while (status == VC_OK && vc_catalogue_next_epoch(work->cursor, epoch, &epoch))
        status = check_catalogue(work, epoch++);
    if (status == VC_OK) check_pairs(work);
    free(work->pairs);
    return status;
}

vc_status vc_store_verify(vc_store *store, void (*found)(void *context, const char *sentence),
                          void *context, uint64_t *nrecords_out, uint64_t *ndamaged_out,
                          vc_error *error)
{
    verification work = {.found = found, .context = context, .error = error};
    *nrecords_out = *ndamaged_out = 0;
    vc_status status = vc_snapshot_open(store, &work.snapshot, error);
    if (status == VC_CORRUPT) { /* the head or the newest catalogue itself */
        *ndamaged_out = 1;
        if (found != NULL && error != NULL) found(context, error->message);
    }
    if (status != VC_OK) return status;
    int rc = mdb_cursor_open(work.snapshot->txn, VC_MAIN_TABLE, &work.cursor);
    if (rc != 0) {
        status = vc_env_fail(store->env, rc, "verify", error);
    } else {
        check_records(&work);
        status = check_catalogues(&work);
        mdb_cursor_close(work.cursor);
    }
    vc_snapshot_close(work.snapshot);
    *nrecords_out = work.nrecords;
    *ndamaged_out = work.ndamaged;
    if (status == VC_OK && work.ndamaged > 0) status = VC_CORRUPT;
    return status;
}
