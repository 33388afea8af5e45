/* Zones: what a scan believes about a segment without looking at it. */
#include "helper.h"

#include "storage/encode.h"
#include "storage/record.h"

#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char directory[DIRECTORY_TEXT];

static void setup(void)
{
    make_directory(directory);
}

static void teardown(void)
{
    remove_directory(directory);
}

TestSuite(zones, .init = setup, .fini = teardown, .timeout = 60);

static void check_zone(const vc_zone *zone, int64_t min, int64_t max, uint32_t nrows,
                       uint32_t nnulls)
{
    cr_assert(zone->min == min && zone->max == max && zone->nrows == nrows &&
                  zone->nnulls == nnulls,
              "%ld to %ld, %u rows, %u null", (long)zone->min, (long)zone->max, zone->nrows,
              zone->nnulls);
}

/* Segments in any order, one of them twice, one never; nulls; extreme values; doubles. */
static void put_columns(vc_load *load, vc_object *object)
{
    vc_error error = {0};
    int64_t values[3] = {5, -7, 6}, ends[2] = {INT64_MIN, INT64_MAX};
    double doubles[2] = {1.5, -2};
    uint8_t none = 0, last = 4;
    check_ok(vc_load_object(load, VC_KIND_CUBE, VC_STR("c"), object, &error), &error, "object");
    check_ok(vc_load_put_ints(load, object, 3, 4, ends, NULL, 2, &error), &error, "");
    check_ok(vc_load_put_ints(load, object, 3, 1, values, &last, 3, &error), &error, "");
    check_ok(vc_load_put_ints(load, object, 3, 0, values, NULL, 1, &error), &error, "");
    check_ok(vc_load_put_ints(load, object, 3, 0, values, NULL, 3, &error), &error, "again");
    check_ok(vc_load_put_ints(load, object, 3, 3, values, &none, 3, &error), &error, "");
    check_ok(vc_load_put_doubles(load, object, 7, 0, doubles, NULL, 2, &error), &error, "");
    check_ok(vc_load_set_manifest(load, object, VC_STR("m"), NULL, 0, &error), &error, "");
}

static void check_columns(const vc_snapshot *snapshot, const vc_object *object)
{
    vc_error error = {0};
    vc_arena arena = {0};
    const vc_zone *zones;
    uint32_t count;
    check_ok(vc_snapshot_zones(snapshot, object->id, object->generation, 3, &arena, &zones, &count,
                               &error),
             &error, "zones");
    cr_assert_eq(count, 5);
    check_zone(&zones[0], -7, 6, 3, 0);
    check_zone(&zones[1], 6, 6, 3, 2);
    check_zone(&zones[2], INT64_MIN, INT64_MAX, 0, 0); /* never put: nothing may be left out */
    check_zone(&zones[3], 1, 0, 3, 3);                 /* no value */
    check_zone(&zones[4], INT64_MIN, INT64_MAX, 2, 0);
    check_ok(vc_snapshot_zones(snapshot, object->id, object->generation, 7, &arena, &zones, &count,
                               &error),
             &error, "zones of doubles");
    cr_assert_eq(count, 1);
    check_zone(&zones[0], INT64_MIN, INT64_MAX, 2, 0);
    cr_assert_eq(vc_snapshot_zones(snapshot, object->id, object->generation, 4, &arena, &zones,
                                   &count, &error),
                 VC_CORRUPT);
    cr_assert_str_eq(error.code, "storage_damaged");
    cr_assert_not_null(strstr(error.message, "the zones of the cube 'c'"), "%s", error.message);
    cr_assert_not_null(strstr(error.message, "column 4, is missing"), "%s", error.message);
    vc_arena_release(&arena);
}

Test(zones, say_what_was_put)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_load *load;
    vc_object object;
    vc_snapshot *snapshot;
    uint64_t nrecords, ndamaged;
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    put_columns(load, &object);
    check_ok(vc_load_preview(load, &snapshot, &error), &error, "preview");
    check_columns(snapshot, &object);
    vc_snapshot_close(snapshot);
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    for (int round = 0; round < 2; round++) { /* also after opening again */
        check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
        check_columns(snapshot, &object);
        vc_snapshot_close(snapshot);
        check_ok(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), &error, "");
        vc_store_close(store);
        store = open_store(directory, NULL);
    }
    vc_store_close(store);
}

/* What is put after a preview must be in the zones that are published. */
Test(zones, grow_after_a_preview)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_load *load;
    vc_object object;
    vc_snapshot *snapshot;
    vc_arena arena = {0};
    const vc_zone *zones;
    uint32_t count;
    uint64_t nrecords, ndamaged;
    int64_t value = 1000;
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    put_columns(load, &object);
    check_ok(vc_load_preview(load, &snapshot, &error), &error, "preview");
    vc_snapshot_close(snapshot);
    check_ok(vc_load_put_ints(load, &object, 3, 20000, &value, NULL, 1, &error), &error, "");
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(vc_snapshot_zones(snapshot, object.id, object.generation, 3, &arena, &zones, &count,
                               &error),
             &error, "zones");
    cr_assert_eq(count, 20001); /* more than a page */
    check_zone(&zones[20000], 1000, 1000, 1, 0);
    check_zone(&zones[1], 6, 6, 3, 2);
    vc_snapshot_close(snapshot);
    check_ok(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), &error, "verify");
    vc_arena_release(&arena);
    vc_store_close(store);
}

/* Zones go with the generation that they belong to. */
Test(zones, are_collected)
{
    vc_store *store = open_store(directory, &(vc_store_options){.keep_epochs = 1});
    vc_error error = {0};
    vc_snapshot *snapshot;
    vc_object older, object;
    vc_arena arena = {0};
    const vc_zone *zones;
    uint32_t count;
    uint64_t nrecords[3], ndamaged;
    check_ok(load_cube(store, "a", 1, 3, 100, &error), &error, "load");
    check_ok(vc_store_verify(store, NULL, NULL, &nrecords[0], &ndamaged, &error), &error, "");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(vc_snapshot_find(snapshot, VC_KIND_CUBE, VC_STR("a"), &older, &error), &error, "");
    vc_snapshot_close(snapshot);
    check_ok(load_cube(store, "a", 1, 3, 100, &error), &error, "load");
    check_ok(vc_store_verify(store, NULL, NULL, &nrecords[1], &ndamaged, &error), &error, "");
    cr_assert_eq(nrecords[1], nrecords[0]);
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    cr_assert_eq(
        vc_snapshot_zones(snapshot, older.id, older.generation, 1, &arena, &zones, &count, &error),
        VC_CORRUPT);
    check_ok(vc_snapshot_find(snapshot, VC_KIND_CUBE, VC_STR("a"), &object, &error), &error, "");
    check_ok(vc_snapshot_zones(snapshot, object.id, object.generation, 1, &arena, &zones, &count,
                               &error),
             &error, "the new ones are there");
    vc_snapshot_close(snapshot);
    vc_load *load; /* a load that is given up leaves none */
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    check_ok(put_cube(load, "b", 1, 3, 100, &error), &error, "put");
    check_ok(vc_load_preview(load, &snapshot, &error), &error, "preview");
    vc_snapshot_close(snapshot);
    vc_load_abort(load);
    check_ok(vc_store_verify(store, NULL, NULL, &nrecords[2], &ndamaged, &error), &error, "");
    cr_assert_eq(nrecords[2], nrecords[0]);
    vc_arena_release(&arena);
    vc_store_close(store);
}

/* ---- damage ---- */

/* Change one record behind the store's back: a copy of its value, or nothing, instead. */
static void replace(const vc_record_key *key, const void *value, size_t size)
{
    char path[DIRECTORY_TEXT + 32];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    uint8_t bytes[VC_KEY_BYTES];
    data_path(directory, path);
    vc_record_key_write(key, bytes);
    MDB_val k = {.mv_size = sizeof bytes, .mv_data = bytes};
    MDB_val v = {.mv_size = size, .mv_data = (void *)value};
    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_open(env, path, MDB_NOSUBDIR, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    cr_assert_eq(mdb_dbi_open(txn, NULL, 0, &table), 0);
    cr_assert_eq(value != NULL ? mdb_put(txn, table, &k, &v, 0) : mdb_del(txn, table, &k, NULL), 0);
    cr_assert_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

struct sentences {
    int count;
    char last[800];
};

static void remember(void *context, const char *sentence)
{
    struct sentences *found = context;
    found->count++;
    snprintf(found->last, sizeof found->last, "%s", sentence);
}

/* Verify must report one thing, and name it. */
static void check_found(const char *name)
{
    vc_store *store = open_store(directory, NULL);
    struct sentences found = {0};
    vc_error error = {0};
    uint64_t nrecords, ndamaged;
    cr_assert_eq(vc_store_verify(store, remember, &found, &nrecords, &ndamaged, &error), VC_CORRUPT,
                 "expected: %s", name);
    cr_assert_eq(ndamaged, 1, "%s", found.last);
    cr_assert_eq(found.count, 1);
    cr_assert_not_null(strstr(found.last, name), "%s", found.last);
    vc_store_close(store);
}

static vc_object make_cube(void)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_snapshot *snapshot;
    vc_object object;
    /* two epochs name the same generation of "a": it is reported once */
    check_ok(load_cube(store, "a", 10, 3, 100, &error), &error, "load");
    check_ok(load_cube(store, "b", 10, 3, 100, &error), &error, "load");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(vc_snapshot_find(snapshot, VC_KIND_CUBE, VC_STR("a"), &object, &error), &error, "");
    vc_snapshot_close(snapshot);
    vc_store_close(store);
    return object;
}

Test(zones, a_missing_chunk_is_found)
{
    vc_object object = make_cube();
    replace(&(vc_record_key){VC_RECORD_FACTS, object.id, object.generation, 1, 2}, NULL, 0);
    check_found("column 1, segment 2 is missing");
}

Test(zones, missing_ones_are_found)
{
    vc_object object = make_cube();
    replace(&(vc_record_key){VC_RECORD_ZONES, object.id, object.generation, 1, 0}, NULL, 0);
    check_found("the zones of the cube 'a'");
}

/* A chunk whose checksum is right, but whose values are not those of the zones. */
Test(zones, that_do_not_agree_are_found)
{
    vc_object object = make_cube();
    vc_record_key key = {VC_RECORD_ZONES, object.id, object.generation, 1, 0};
    unsigned char value[VC_HEADER_BYTES + 3 * sizeof(vc_zone)] = {0};
    for (int segment = 0; segment < 3; segment++) {
        vc_zone zone = {.min = 10 + segment * 100,
                        .max = 10 + segment * 100 + (segment == 1 ? 98 : 99),
                        .nrows = 100};
        memcpy(value + VC_HEADER_BYTES + (size_t)segment * sizeof zone, &zone, sizeof zone);
    }
    vc_record_header header = {.nrows = 3, .min = 3 * sizeof(vc_zone)};
    vc_record_seal(value, sizeof value, &key, &header);
    replace(&key, value, sizeof value);
    check_found("column 1, segment 1 is not what its zone says");
}

/* A value outside the range of its block, under a checksum that is right: a scan would believe the
 * range. */
Test(zones, a_value_outside_its_block_is_found)
{
    vc_object object = make_cube();
    vc_record_key key = {VC_RECORD_FACTS, object.id, object.generation, 1, 2};
    vc_record_header header;
    vc_chunk chunk;
    int64_t values[100];
    unsigned char *memory = aligned_alloc(64, vc_chunk_room(100) + 16), *value = memory + 16;
    for (int row = 0; row < 100; row++)
        values[row] = 10 + 200 + row;
    for (int round = 0; round < 2; round++) {
        size_t size = vc_chunk_encode_ints(&key, values, NULL, 100, value, &header);
        cr_assert_null(vc_chunk_view(&header, value, size, &chunk));
        /* deltas 0 to 99 in 7 bits: the first becomes 127, or the largest, row 99 in lane 35, 1 */
        unsigned char *data = value + ((const unsigned char *)chunk.data - value);
        if (round == 0) {
            data[0] |= 0x7F;
        } else {
            data[35] &= 0x7F;
            data[64 + 35] = 0;
        }
        vc_record_seal(value, size, &key, &header);
        replace(&key, value, size);
        check_found("column 1, segment 2 has a block with values outside its range");
    }
    free(memory);
}

/* Zones that were cut, with a checksum that is right. */
Test(zones, of_another_size_are_refused)
{
    vc_object object = make_cube();
    vc_record_key key = {VC_RECORD_ZONES, object.id, object.generation, 1, 0};
    unsigned char value[VC_HEADER_BYTES + 3 * sizeof(vc_zone)] = {0};
    vc_record_header header = {.nrows = 4, .min = 4 * sizeof(vc_zone)};
    vc_record_seal(value, sizeof value, &key, &header);
    replace(&key, value, sizeof value);
    check_found("the zones of the cube 'a'");
    vc_store *store = open_store(directory, NULL);
    vc_snapshot *snapshot;
    vc_arena arena = {0};
    const vc_zone *zones;
    uint32_t count;
    vc_error error = {0};
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    cr_assert_eq(vc_snapshot_zones(snapshot, object.id, object.generation, 1, &arena, &zones,
                                   &count, &error),
                 VC_CORRUPT);
    vc_snapshot_close(snapshot);
    vc_arena_release(&arena);
    vc_store_close(store);
}

/* Any bit of the zones of a cube. */
Test(zones, every_flipped_bit_is_seen)
{
    char path[DIRECTORY_TEXT + 32];
    vc_object object = make_cube();
    vc_zone first = {.min = 10, .max = 109, .nrows = 100};
    uint64_t total = file_bytes(directory);
    char *whole = malloc(total);
    data_path(directory, path);
    FILE *file = fopen(path, "r");
    cr_assert_eq(fread(whole, 1, total, file), total);
    fclose(file);
    int nfound = 0;
    for (char *at = whole;
         (at = memmem(at, (size_t)(whole + total - at), &first, sizeof first)) != NULL;
         at += sizeof first) {
        uint64_t byte = (uint64_t)(at - whole) - VC_HEADER_BYTES;
        for (unsigned bit = 0; bit < (VC_HEADER_BYTES + 3 * sizeof first) * 8; bit += 5) {
            vc_snapshot *snapshot;
            vc_arena arena = {0};
            const vc_zone *zones;
            uint32_t count;
            vc_error error = {0};
            flip_bit(directory, byte + bit / 8, bit % 8);
            vc_store *store = open_store(directory, NULL);
            check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
            vc_status status = vc_snapshot_zones(snapshot, object.id, object.generation, 1, &arena,
                                                 &zones, &count, &error);
            if (status == VC_OK) check_zone(&zones[0], 10, 109, 100, 0); /* those of b, or old */
            nfound += status == VC_CORRUPT;
            vc_snapshot_close(snapshot);
            vc_arena_release(&arena);
            vc_store_close(store);
            flip_bit(directory, byte + bit / 8, bit % 8);
        }
    }
    free(whole);
    cr_assert_geq(nfound, (int)(VC_HEADER_BYTES + 3 * sizeof first) * 8 / 5);
}
