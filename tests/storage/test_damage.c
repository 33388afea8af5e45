/* Damaged files and failing disks: the answer is right or an error, and never the end of the
 * process. */
#include "faults.h"
#include "helper.h"

#include "storage/record.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[DIRECTORY_TEXT];

static void setup(void)
{
    make_directory(directory);
}

static void teardown(void)
{
    remove_directory(directory);
}

TestSuite(damage, .init = setup, .fini = teardown, .timeout = 120);

static void make_store(uint32_t nsegments, uint32_t nrows)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    check_ok(load_cube(store, "a", 10, nsegments, nrows, &error), &error, "load");
    check_ok(load_cube(store, "b", 20, nsegments, nrows, &error), &error, "load");
    vc_store_close(store);
}

static void cut_file(uint64_t size)
{
    char path[DIRECTORY_TEXT + 32];
    data_path(directory, path);
    cr_assert_eq(truncate(path, (off_t)size), 0);
}

static void check_refused(const char *code)
{
    vc_store *store;
    vc_error error = {0};
    vc_status status = vc_store_open(directory, NULL, &store, &error);
    cr_assert_neq(status, VC_OK);
    cr_assert_str_eq(error.code, code, "%s: %s", error.code, error.message);
    cr_assert_null(store);
}

Test(damage, truncated_files_are_refused)
{
    make_store(20, 5000);
    uint64_t size = file_bytes(directory);
    for (int cut = 1; cut < 8; cut++) {
        cut_file(size - size / 8 / 4096 * 4096 * (uint64_t)cut);
        check_refused("storage_truncated");
    }
    cut_file(size - size / 8 / 4096 * 4096 * 7 - 100);
    check_refused("storage_truncated");
    cut_file(5000);
    check_refused("storage_truncated");
    cut_file(0);
    check_refused("storage_truncated");
}

Test(damage, foreign_files_are_refused)
{
    char path[DIRECTORY_TEXT + 32];
    data_path(directory, path);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 2000; i++)
        fputs("this is no LMDB file\n", file);
    fclose(file);
    check_refused("storage_damaged");
    /* an LMDB file, but with something else in it */
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    MDB_val key = {.mv_size = 3, .mv_data = "key"}, value = {.mv_size = 5, .mv_data = "value"};
    unlink(path);
    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_open(env, path, MDB_NOSUBDIR, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    cr_assert_eq(mdb_dbi_open(txn, NULL, 0, &table), 0);
    cr_assert_eq(mdb_put(txn, table, &key, &value, 0), 0);
    cr_assert_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    check_refused("storage_foreign");
}

static void write_format(uint32_t version)
{
    char path[DIRECTORY_TEXT + 32];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    unsigned char value[VC_HEADER_BYTES];
    uint8_t bytes[VC_KEY_BYTES];
    vc_record_key key = {.kind = VC_RECORD_FORMAT};
    vc_record_header header = {.nrows = version};
    data_path(directory, path);
    vc_record_key_write(&key, bytes);
    vc_record_seal(value, sizeof value, &key, &header);
    MDB_val k = {.mv_size = sizeof bytes, .mv_data = bytes};
    MDB_val v = {.mv_size = sizeof value, .mv_data = value};
    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_open(env, path, MDB_NOSUBDIR, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    cr_assert_eq(mdb_dbi_open(txn, NULL, 0, &table), 0);
    cr_assert_eq(mdb_put(txn, table, &k, &v, 0), 0);
    cr_assert_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void check_version_refused(uint32_t version, const char *hint)
{
    vc_store *store;
    vc_error error = {0};
    write_format(version);
    cr_assert_eq(vc_store_open(directory, NULL, &store, &error), VC_STORAGE);
    cr_assert_str_eq(error.code, "storage_version");
    cr_assert_not_null(strstr(error.message, hint), "%s", error.message);
    cr_assert_not_null(strstr(error.message, "load the data again"), "%s", error.message);
    cr_assert_null(store);
}

Test(damage, another_format_is_refused_and_says_what_to_do)
{
    vc_store_close(open_store(directory, NULL));
    check_version_refused(VC_FORMAT_VERSION + 1, "version 3 of a newer vcube");
    check_version_refused(1, "version 1 of an older vcube");
    write_format(VC_FORMAT_VERSION);
    vc_store_close(open_store(directory, NULL));
}

/* Where in the file the value of a chunk lies. */
static uint64_t find_in_file(const void *bytes, size_t size)
{
    char path[DIRECTORY_TEXT + 32];
    uint64_t total = file_bytes(directory);
    char *whole = malloc(total);
    data_path(directory, path);
    FILE *file = fopen(path, "r");
    cr_assert_eq(fread(whole, 1, total, file), total);
    fclose(file);
    char *found = memmem(whole, total, bytes, size);
    cr_assert_not_null(found);
    uint64_t at = (uint64_t)(found - whole);
    free(whole);
    return at;
}

static void remember_sentence(void *context, const char *sentence)
{
    snprintf(context, 800, "%s", sentence);
}

Test(damage, a_flipped_bit_in_a_chunk_is_found_and_named)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_load *load;
    vc_object object, other;
    vc_snapshot *snapshot;
    vc_chunk chunk;
    vc_str bytes;
    vc_arena arena = {0};
    uint64_t nrecords, ndamaged;
    char sentence[800] = "";
    double values[1000];
    for (int i = 0; i < 1000; i++)
        values[i] = i * 1.5 + 0.123;
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    check_ok(vc_load_object(load, VC_KIND_CUBE, VC_STR("other"), &other, &error), &error, "");
    check_ok(vc_load_put_bytes(load, &other, 0, "fine", 4, &error), &error, "put");
    check_ok(vc_load_set_manifest(load, &other, VC_STR("m"), NULL, 0, &error), &error, "");
    check_ok(vc_load_object(load, VC_KIND_CUBE, VC_STR("sales"), &object, &error), &error, "");
    check_ok(vc_load_put_doubles(load, &object, 7, 17, values, NULL, 1000, &error), &error, "");
    check_ok(vc_load_put_bytes(load, &object, 8, "a text to be found", 18, &error), &error, "");
    check_ok(vc_load_set_manifest(load, &object, VC_STR("the manifest of sales"), NULL, 0, &error),
             &error, "");
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    check_ok(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), &error, "verify");
    cr_assert_eq(ndamaged, 0);
    cr_assert_eq(nrecords, 2 + 1 + 2 + 3 + 1); /* format and head, catalogue, other, sales */
    vc_store_close(store);

    uint64_t chunk_at = find_in_file(values, 100), bytes_at = find_in_file("a text to be", 12),
             manifest_at = find_in_file("the manifest of sales", 21);
    flip_bit(directory, chunk_at + 5000, 3);
    store = open_store(directory, NULL);
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    for (int i = 0; i < 2; i++) { /* also the second time */
        cr_assert_eq(
            vc_snapshot_chunk(snapshot, object.id, object.generation, 7, 17, &chunk, &error),
            VC_CORRUPT);
        cr_assert_str_eq(error.code, "storage_damaged");
        cr_assert_not_null(strstr(error.message, "cube 'sales'"), "%s", error.message);
        cr_assert_not_null(strstr(error.message, "column 7, segment 17"), "%s", error.message);
    }
    check_ok(vc_snapshot_bytes(snapshot, other.id, other.generation, 0, &arena, &bytes, &error),
             &error, "another cube goes on");
    vc_snapshot_close(snapshot);
    cr_assert_eq(vc_store_verify(store, remember_sentence, sentence, &nrecords, &ndamaged, &error),
                 VC_CORRUPT);
    cr_assert_eq(ndamaged, 1);
    cr_assert_not_null(strstr(sentence, "column 7, segment 17"), "%s", sentence);
    vc_store_close(store);

    flip_bit(directory, chunk_at + 5000, 3); /* healed */
    flip_bit(directory, bytes_at + 2, 0);
    flip_bit(directory, manifest_at + 2, 0);
    store = open_store(directory, NULL);
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(vc_snapshot_chunk(snapshot, object.id, object.generation, 7, 17, &chunk, &error),
             &error, "healed");
    cr_assert_eq(
        vc_snapshot_bytes(snapshot, object.id, object.generation, 8, &arena, &bytes, &error),
        VC_CORRUPT);
    cr_assert_eq(vc_snapshot_find(snapshot, VC_KIND_CUBE, VC_STR("sales"), &object, &error),
                 VC_CORRUPT);
    vc_snapshot_close(snapshot);
    cr_assert_eq(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), VC_CORRUPT);
    cr_assert_eq(ndamaged, 2);
    vc_arena_release(&arena);
    vc_store_close(store);
}

/* One bit anywhere in the file: what is read is right, or there is an error. A flip in a free page
 * or in slack harms nobody. */
Test(damage, any_flipped_bit_gives_no_wrong_answer)
{
    enum { NFLIPS = 600 };
    make_store(4, 700);
    uint64_t size = file_bytes(directory), state = 12345;
    int nfound = 0;
    for (int i = 0; i < NFLIPS; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t byte = (state >> 20) % size;
        unsigned bit = state >> 17 & 7;
        vc_store *store;
        vc_snapshot *snapshot;
        vc_error error = {0};
        bool is_found = false;
        flip_bit(directory, byte, bit);
        if (vc_store_open(directory, NULL, &store, &error) == VC_OK) {
            int64_t start;
            uint64_t nrecords, ndamaged;
            if (vc_snapshot_open(store, &snapshot, &error) == VC_OK) {
                vc_status a = read_cube(snapshot, "a", &start, &error);
                cr_assert(a != VC_OK || start == 10);
                vc_status b = read_cube(snapshot, "b", &start, &error);
                cr_assert(b != VC_OK || start == 20);
                is_found = a != VC_OK || b != VC_OK;
                vc_snapshot_close(snapshot);
            } else {
                is_found = true;
            }
            vc_status status = vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error);
            cr_assert(!is_found || status != VC_OK, "verify misses byte %lu", (unsigned long)byte);
            vc_store_close(store);
        } else {
            is_found = true;
        }
        nfound += is_found;
        flip_bit(directory, byte, bit);
    }
    cr_assert_gt(nfound, NFLIPS / 4);
}

/* The file is cut while the store is open: SIGBUS becomes an error, and the process goes on. */
Test(damage, a_file_cut_while_open_is_an_error)
{
    make_store(50, 5000);
    vc_store *store = open_store(directory, NULL);
    vc_snapshot *snapshot;
    vc_error error = {0};
    int64_t start;
    uint64_t nrecords, ndamaged;
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    cut_file(4096 * 4);
    vc_status a = read_cube(snapshot, "a", &start, &error);
    vc_status b = read_cube(snapshot, "b", &start, &error);
    cr_assert(a == VC_CORRUPT && b == VC_CORRUPT, "%d %d", a, b);
    cr_assert_str_eq(error.code, "storage_damaged");
    vc_snapshot_close(snapshot);
    cr_assert_eq(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), VC_CORRUPT);
    vc_store_close(store);
}

/* ---- writes that fail ---- */

static void check_still_loads(int64_t old_start)
{
    vc_store *store = open_store(directory, NULL);
    vc_snapshot *snapshot;
    vc_error error = {0};
    int64_t start;
    uint64_t nrecords, ndamaged;
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(read_cube(snapshot, "a", &start, &error), &error, "read");
    cr_assert_eq(start, old_start);
    vc_snapshot_close(snapshot);
    check_ok(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), &error, "verify");
    check_ok(load_cube(store, "a", 77, 3, 1000, &error), &error, "load again");
    vc_store_close(store);
}

/* The n-th data write, sync or meta write fails once, for all n: the load fails and the old state
 * stays, or it succeeds because the store could help itself; the store goes on in both cases. */
static void fail_each_call(fault_call call, int error_number, vc_status expected)
{
    for (unsigned n = 0; n < 200; n++) {
        vc_error error = {0};
        remove_directory(directory);
        vc_store *store = open_store(directory, &(vc_store_options){.batch_bytes = 1 << 16});
        check_ok(load_cube(store, "a", 1, 3, 1000, &error), &error, "load");
        faults_set(call, error_number, n, 1);
        vc_status status = load_cube(store, "a", 2, 40, 2000, &error);
        unsigned count = faults_count();
        faults_set(FAULT_NONE, 0, 0, 0);
        if (status != VC_OK) cr_assert_eq(status, expected, "call %u: %s", n, error.message);
        vc_snapshot *snapshot;
        int64_t start;
        check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot without reopening");
        check_ok(read_cube(snapshot, "a", &start, &error), &error, "read");
        cr_assert_eq(start, status == VC_OK ? 2 : 1, "call %u: status %d", n, status);
        vc_snapshot_close(snapshot);
        check_ok(load_cube(store, "a", 3, 3, 1000, &error), &error, "load without reopening");
        vc_store_close(store);
        check_still_loads(3);
        if (count <= n) /* the call did not happen: all of them have been tried */
            return;
    }
    cr_assert_fail("more than 200 calls in a small load");
}

Test(damage, each_data_write_fails_once)
{
    fail_each_call(FAULT_DATA_WRITE, EIO, VC_STORAGE);
}

Test(damage, each_data_write_finds_no_room)
{
    fail_each_call(FAULT_DATA_WRITE, ENOSPC, VC_DISK_FULL);
}

Test(damage, each_sync_fails_once)
{
    fail_each_call(FAULT_SYNC, EIO, VC_STORAGE);
}

/* LMDB refuses all further work after this one, until it is opened again. */
Test(damage, each_meta_write_fails_once)
{
    fail_each_call(FAULT_META_WRITE, EIO, VC_STORAGE);
}

/* ---- a full disk ---- */

Test(damage, full_disk)
{
    char path[DIRECTORY_TEXT + 32];
    snprintf(path, sizeof path, "%s/disk", directory);
    cr_assert_eq(mkdir(path, 0700), 0);
    if (mount("none", path, "tmpfs", 0, "size=24m") != 0) {
        fprintf(stderr, "full_disk: skipped, mounting a tmpfs is not allowed here: %s\n",
                strerror(errno));
        cr_skip_test("no right to mount");
    }
    setenv("VCUBE_MIN_FREE_BYTES", "0", 1);
    vc_store_options options = {.batch_bytes = 1 << 20, .keep_epochs = 1};
    vc_store *store = open_store(path, &options);
    vc_error error = {0};
    vc_snapshot *snapshot;
    int64_t start;
    check_ok(load_cube(store, "a", 1, 10, 65536, &error), &error, "a load that fits");
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(load_cube(store, "big", 5, 400, 65536, &error), VC_DISK_FULL);
        cr_assert_str_eq(error.code, "disk_full");
        check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "reading goes on");
        check_ok(read_cube(snapshot, "a", &start, &error), &error, "read");
        cr_assert_eq(start, 1);
        vc_snapshot_close(snapshot);
        /* what the failed load took of the file is free again */
        check_ok(load_cube(store, "a", 1, 10, 65536, &error), &error, "a load that fits");
    }
    unsetenv("VCUBE_MIN_FREE_BYTES");
    vc_load *load;
    cr_assert_eq(vc_load_begin(store, &load, &error), VC_DISK_FULL, "refused before the work");
    vc_store_close(store);
    cr_assert_eq(umount(path), 0);
}
