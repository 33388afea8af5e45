#include "helper.h"

#include "base/buffer.h"
#include "storage/filesystem.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

TestSuite(store, .init = setup, .fini = teardown, .timeout = 60);

Test(store, empty)
{
    vc_store *store = open_store(directory, NULL);
    vc_snapshot *snapshot;
    vc_object *objects;
    size_t nobjects = 9;
    vc_arena arena = {0};
    vc_error error = {0};
    struct stat info;
    char path[DIRECTORY_TEXT + 32];
    cr_assert_eq(vc_snapshot_open(store, &snapshot, &error), VC_OK);
    cr_assert_eq(vc_snapshot_epoch(snapshot), 0);
    cr_assert_str_eq(vc_snapshot_id(snapshot), "0-0000");
    cr_assert_eq(vc_snapshot_list(snapshot, VC_KIND_CUBE, &arena, &objects, &nobjects, &error),
                 VC_OK);
    cr_assert_eq(nobjects, 0);
    vc_snapshot_close(snapshot);
    vc_snapshot_close(NULL);
    data_path(directory, path);
    cr_assert_eq(stat(path, &info), 0);
    cr_assert_eq(info.st_mode & 0777, 0600);
    cr_assert_str_eq(vc_store_directory(store), directory);
    vc_arena_release(&arena);
    vc_store_close(store);
    vc_store_close(NULL);
}

Test(store, makes_its_directory_but_not_the_parents)
{
    char path[DIRECTORY_TEXT + 32];
    vc_store *store;
    vc_error error = {0};
    struct stat info;
    snprintf(path, sizeof path, "%s/new", directory);
    vc_store_close(open_store(path, NULL));
    cr_assert_eq(stat(path, &info), 0);
    cr_assert_eq(info.st_mode & 0777, 0700);
    snprintf(path, sizeof path, "%s/no/parent", directory);
    cr_assert_eq(vc_store_open(path, NULL, &store, &error), VC_STORAGE);
    cr_assert_null(store);
}

Test(store, what_is_put_comes_back)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_snapshot *snapshot;
    int64_t start;
    check_ok(load_cube(store, "sales", 1000, 5, 3000, &error), &error, "load");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    cr_assert_eq(vc_snapshot_epoch(snapshot), 1);
    check_ok(read_cube(snapshot, "sales", &start, &error), &error, "read");
    cr_assert_eq(start, 1000);
    vc_snapshot_close(snapshot);
    vc_store_close(store);
    store = open_store(directory, NULL); /* and after opening again */
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(read_cube(snapshot, "sales", &start, &error), &error, "read");
    vc_snapshot_close(snapshot);
    vc_store_close(store);
}

/* Around the size of a piece, and nothing at all. What is one piece is read where it lies: 64 bytes
 * behind the start of a page. */
static void put_and_get_bytes(size_t piece_bytes)
{
    static const size_t sizes[] = {0, 1, 4000, 4032, 4033, 1048511, 1048512, 1048513, 5000000};
    enum { N = sizeof sizes / sizeof sizes[0] };
    vc_store_options options = {.batch_bytes = 1 << 20, .piece_bytes = piece_bytes};
    vc_store *store = open_store(directory, &options);
    vc_error error = {0};
    vc_load *load;
    vc_object object;
    vc_snapshot *snapshot;
    vc_arena arena = {0};
    char *data = malloc(5000000);
    for (size_t i = 0; i < 5000000; i++)
        data[i] = (char)(i * 7 + i / 256);
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    check_ok(vc_load_object(load, VC_KIND_DIMENSION, VC_STR("d"), &object, &error), &error, "");
    for (uint16_t column = 0; column < N; column++)
        check_ok(vc_load_put_bytes(load, &object, column, data, sizes[column], &error), &error,
                 "put");
    check_ok(vc_load_set_manifest(load, &object, VC_STR(""), NULL, 0, &error), &error, "");
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(vc_snapshot_find(snapshot, VC_KIND_DIMENSION, VC_STR("d"), &object, &error), &error,
             "find");
    cr_assert(!vc_str_is_null(object.manifest) && object.manifest.size == 0);
    for (uint16_t column = 0; column < N; column++) {
        vc_str bytes;
        check_ok(vc_snapshot_bytes(snapshot, object.id, object.generation, column, &arena, &bytes,
                                   &error),
                 &error, "bytes");
        cr_assert_eq(bytes.size, sizes[column]);
        cr_assert_not_null(bytes.data);
        cr_assert_eq((uintptr_t)bytes.data % 16, 0);
        cr_assert_eq(memcmp(bytes.data, data, bytes.size), 0);
        if (piece_bytes == 0 || bytes.size <= piece_bytes)
            cr_assert_eq((uintptr_t)bytes.data % 4096, 64, "%zu bytes", bytes.size);
    }
    vc_str bytes;
    cr_assert_eq(
        vc_snapshot_bytes(snapshot, object.id, object.generation, N, &arena, &bytes, &error),
        VC_CORRUPT);
    cr_assert_str_eq(error.code, "storage_damaged");
    cr_assert_not_null(strstr(error.message, "dimension 'd'"), "%s", error.message);
    vc_snapshot_close(snapshot);
    vc_arena_release(&arena);
    free(data);
    vc_store_close(store);
}

Test(store, byte_columns_in_one_piece)
{
    put_and_get_bytes(0);
}

Test(store, byte_columns_in_pieces)
{
    put_and_get_bytes(1048512);
}

Test(store, chunks_of_doubles_and_nulls_are_read_in_place)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_load *load;
    vc_object object;
    vc_snapshot *snapshot;
    vc_chunk chunk;
    double values[200], decoded[200];
    uint8_t validity[25];
    memset(validity, 0xF7, sizeof validity);
    for (int i = 0; i < 200; i++)
        values[i] = i / 8.0;
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    check_ok(vc_load_object(load, VC_KIND_CUBE, VC_STR("c"), &object, &error), &error, "object");
    cr_assert(vc_str_is_null(object.manifest));
    check_ok(vc_load_put_doubles(load, &object, 9, 0, values, validity, 200, &error), &error, "");
    check_ok(vc_load_put_ints(load, &object, 8, 0, NULL, NULL, 0, &error), &error, "no rows");
    check_ok(vc_load_set_manifest(load, &object, VC_STR("m"), NULL, 0, &error), &error, "");
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(vc_snapshot_chunk(snapshot, object.id, object.generation, 9, 0, &chunk, &error),
             &error, "chunk");
    cr_assert_eq((uintptr_t)chunk.data % 64, 0);
    cr_assert_eq((uintptr_t)chunk.validity % 64, 0);
    cr_assert_eq(chunk.nnulls, 25);
    vc_chunk_get_doubles(&chunk, decoded);
    for (uint32_t i = 0; i < 200; i++)
        cr_assert_eq(decoded[i], i % 8 == 3 ? 0 : values[i]);
    check_ok(vc_snapshot_chunk(snapshot, object.id, object.generation, 8, 0, &chunk, &error),
             &error, "empty chunk");
    cr_assert_eq(chunk.nrows, 0);
    vc_snapshot_close(snapshot);
    vc_store_close(store);
}

Test(store, objects_are_listed_by_kind_and_name)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_load *load;
    vc_object object, *objects;
    vc_snapshot *snapshot;
    vc_arena arena = {0};
    size_t nobjects;
    const char *names[] = {"world", "cities", "countries"};
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    for (int i = 0; i < 3; i++) {
        check_ok(vc_load_object(load, VC_KIND_CUBE, vc_str_of(names[i]), &object, &error), &error,
                 "object");
        check_ok(vc_load_set_manifest(load, &object, vc_str_of(names[i]), NULL, 0, &error), &error,
                 "manifest");
    }
    /* a dimension may have the name of a cube */
    check_ok(vc_load_object(load, VC_KIND_DIMENSION, VC_STR("world"), &object, &error), &error, "");
    check_ok(vc_load_set_manifest(load, &object, VC_STR("dim"), NULL, 0, &error), &error, "");
    cr_assert_eq(vc_load_object(load, VC_KIND_CUBE, VC_STR(""), &object, &error), VC_BAD_INPUT);
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(vc_snapshot_list(snapshot, VC_KIND_CUBE, &arena, &objects, &nobjects, &error), &error,
             "list");
    cr_assert_eq(nobjects, 3);
    cr_assert(vc_str_is(objects[0].name, "cities") && vc_str_is(objects[2].manifest, "world"));
    cr_assert_eq(vc_snapshot_find(snapshot, VC_KIND_CUBE, VC_STR("city"), &object, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_cube");
    cr_assert_eq(vc_snapshot_find(snapshot, VC_KIND_CUBE, VC_STR("contries"), &object, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.candidates[0], "countries");
    cr_assert_eq(vc_snapshot_find(snapshot, VC_KIND_CROSSWALK, VC_STR("world"), &object, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_crosswalk");
    vc_snapshot_close(snapshot);
    vc_arena_release(&arena);
    vc_store_close(store);
}

Test(store, nothing_is_visible_before_publishing)
{
    vc_store *store = open_store(directory, &(vc_store_options){.batch_bytes = 1 << 16});
    vc_error error = {0};
    vc_load *load;
    vc_snapshot *before, *during;
    int64_t start;
    check_ok(load_cube(store, "a", 1, 3, 1000, &error), &error, "first load");
    check_ok(vc_snapshot_open(store, &before, &error), &error, "snapshot");
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    check_ok(put_cube(load, "a", 2, 200, 5000, &error), &error, "put"); /* several batches */
    check_ok(put_cube(load, "b", 3, 3, 1000, &error), &error, "put");
    check_ok(vc_snapshot_open(store, &during, &error), &error, "snapshot");
    cr_assert_str_eq(vc_snapshot_id(during), vc_snapshot_id(before));
    check_ok(read_cube(during, "a", &start, &error), &error, "read");
    cr_assert_eq(start, 1);
    cr_assert_eq(read_cube(during, "b", &start, &error), VC_NOT_FOUND);
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    check_ok(read_cube(before, "a", &start, &error), &error, "an older snapshot stays as it was");
    cr_assert_eq(start, 1);
    vc_snapshot_close(before);
    vc_snapshot_close(during);
    check_ok(vc_snapshot_open(store, &before, &error), &error, "snapshot");
    check_ok(read_cube(before, "a", &start, &error), &error, "read");
    cr_assert_eq(start, 2);
    check_ok(read_cube(before, "b", &start, &error), &error, "read");
    vc_snapshot_close(before);
    vc_store_close(store);
}

Test(store, an_aborted_load_leaves_nothing)
{
    vc_store *store = open_store(directory, &(vc_store_options){.batch_bytes = 1 << 16});
    vc_error error = {0};
    vc_load *load;
    vc_snapshot *snapshot;
    vc_store_stats before, after;
    int64_t start;
    check_ok(load_cube(store, "a", 1, 3, 1000, &error), &error, "load");
    check_ok(vc_store_stat(store, &before, &error), &error, "stat");
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    check_ok(put_cube(load, "a", 2, 100, 5000, &error), &error, "put");
    vc_load_abort(load);
    vc_load_abort(NULL);
    check_ok(vc_store_stat(store, &after, &error), &error, "stat");
    cr_assert_eq(before.nchunks, 4);
    cr_assert_eq(after.nchunks, 4);
    cr_assert_eq(after.epoch, 1);
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(read_cube(snapshot, "a", &start, &error), &error, "read");
    cr_assert_eq(start, 1);
    vc_snapshot_close(snapshot);
    vc_store_close(store);
}

/* A preview shows what publishing will give, to the load alone: others see the old state until
 * then, and for ever when the load is given up. */
Test(store, a_preview_is_what_publishing_gives)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_load *load;
    vc_snapshot *preview, *snapshot;
    vc_object object;
    char id[32];
    int64_t start;
    check_ok(load_cube(store, "a", 1, 2, 100, &error), &error, "load");
    for (int round = 0; round < 2; round++) {
        check_ok(vc_load_begin(store, &load, &error), &error, "begin");
        check_ok(put_cube(load, "a", 7, 2, 100, &error), &error, "put");
        check_ok(put_cube(load, "b", 9, 1, 10, &error), &error, "put");
        check_ok(vc_load_preview(load, &preview, &error), &error, "preview");
        check_ok(read_cube(preview, "a", &start, &error), &error, "read a");
        cr_assert_eq(start, 7);
        check_ok(read_cube(preview, "b", &start, &error), &error, "read b");
        cr_assert_eq(start, 9);
        snprintf(id, sizeof id, "%s", vc_snapshot_id(preview));
        vc_snapshot_close(preview);

        check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
        check_ok(read_cube(snapshot, "a", &start, &error), &error, "read old");
        cr_assert_eq(start, 1);
        cr_assert_eq(vc_snapshot_find(snapshot, VC_KIND_CUBE, VC_STR("b"), &object, &error),
                     VC_NOT_FOUND);
        vc_snapshot_close(snapshot);
        if (round == 0)
            vc_load_abort(load);
        else
            check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    }
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    cr_assert_str_eq(vc_snapshot_id(snapshot), id);
    check_ok(read_cube(snapshot, "a", &start, &error), &error, "read new");
    cr_assert_eq(start, 7);
    vc_snapshot_close(snapshot);
    vc_store_close(store);
}

/* Append a segment of one row; is_published: otherwise the load is given up once it was previewed.
 */
static void append_row(vc_store *store, uint32_t *parts, size_t *nparts, bool is_published)
{
    vc_error error = {0};
    vc_load *load;
    vc_object object;
    vc_snapshot *preview;
    int64_t value = (int64_t)*nparts;
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    check_ok(vc_load_object(load, VC_KIND_CUBE, VC_STR("a"), &object, &error), &error, "object");
    check_ok(vc_load_put_ints(load, &object, 1, 0, &value, NULL, 1, &error), &error, "put");
    check_ok(vc_load_set_manifest(load, &object, VC_STR("many parts"), parts, *nparts, &error),
             &error, "manifest");
    parts[(*nparts)++] = object.generation;
    check_ok(vc_load_preview(load, &preview, &error), &error, "preview");
    vc_snapshot_close(preview);
    if (is_published)
        check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    else
        vc_load_abort(load);
}

/* The manifest of the load that is given up is the last one; what stands behind it in the tree are
 * facts, of generations that no kept manifest has, but that the cube still refers to as parts. */
Test(store, what_is_given_up_takes_no_parts_along)
{
    enum { NPARTS = 6 };
    uint32_t parts[NPARTS + 1];
    size_t nparts = 0;
    vc_store *store = open_store(directory, &(vc_store_options){.keep_epochs = 2});
    vc_error error = {0};
    vc_snapshot *snapshot;
    vc_object object;
    vc_chunk chunk;
    uint64_t nrecords, ndamaged;
    while (nparts < NPARTS)
        append_row(store, parts, &nparts, true);
    append_row(store, parts, &nparts, false);
    check_ok(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), &error, "verify");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(vc_snapshot_find(snapshot, VC_KIND_CUBE, VC_STR("a"), &object, &error), &error,
             "find");
    for (size_t i = 0; i < NPARTS; i++) {
        int64_t value;
        check_ok(vc_snapshot_chunk(snapshot, object.id, parts[i], 1, 0, &chunk, &error), &error,
                 "chunk");
        vc_chunk_get_ints(&chunk, &value);
        cr_assert_eq(value, (int64_t)i);
    }
    vc_snapshot_close(snapshot);
    vc_store_close(store);
}

Test(store, dropping)
{
    vc_store *store = open_store(directory, &(vc_store_options){.keep_epochs = 1});
    vc_error error = {0};
    vc_load *load;
    vc_snapshot *snapshot;
    vc_store_stats stats;
    vc_object object;
    check_ok(load_cube(store, "a", 1, 3, 1000, &error), &error, "load");
    check_ok(load_cube(store, "bb", 1, 3, 1000, &error), &error, "load");
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    cr_assert_eq(vc_load_drop(load, VC_KIND_CUBE, VC_STR("bbb"), &error), VC_NOT_FOUND);
    cr_assert_str_eq(error.candidates[0], "bb");
    check_ok(vc_load_drop(load, VC_KIND_CUBE, VC_STR("a"), &error), &error, "drop");
    cr_assert_eq(vc_load_drop(load, VC_KIND_CUBE, VC_STR("a"), &error), VC_NOT_FOUND);
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    cr_assert_eq(vc_snapshot_find(snapshot, VC_KIND_CUBE, VC_STR("a"), &object, &error),
                 VC_NOT_FOUND);
    check_ok(vc_snapshot_find(snapshot, VC_KIND_CUBE, VC_STR("bb"), &object, &error), &error, "");
    vc_snapshot_close(snapshot);
    check_ok(vc_store_stat(store, &stats, &error), &error, "stat");
    cr_assert_eq(stats.nobjects, 1);
    cr_assert_eq(stats.nchunks, 4, "%lu", (unsigned long)stats.nchunks);
    vc_store_close(store);
}

/* Appending: the new manifest refers to the segments of the older generation. */
Test(store, parts_keep_older_generations_alive)
{
    vc_store *store = open_store(directory, &(vc_store_options){.keep_epochs = 1});
    vc_error error = {0};
    vc_load *load;
    vc_object object;
    vc_snapshot *snapshot;
    vc_chunk chunk;
    int64_t values[10] = {5};
    uint32_t generations[5];
    for (uint32_t i = 0; i < 5; i++) {
        check_ok(vc_load_begin(store, &load, &error), &error, "begin");
        check_ok(vc_load_object(load, VC_KIND_CUBE, VC_STR("c"), &object, &error), &error, "");
        generations[i] = object.generation;
        values[0] = i;
        check_ok(vc_load_put_ints(load, &object, 0, i, values, NULL, 10, &error), &error, "put");
        check_ok(vc_load_set_manifest(load, &object, VC_STR("m"), generations + 1,
                                      i > 1 ? i - 1 : 0, &error),
                 &error, "manifest");
        check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    }
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    for (uint32_t i = 1; i < 5; i++) {
        check_ok(vc_snapshot_chunk(snapshot, object.id, generations[i], 0, i, &chunk, &error),
                 &error, "chunk of a part");
        cr_assert_eq(chunk.nrows, 10);
    }
    cr_assert_eq(vc_snapshot_chunk(snapshot, object.id, generations[0], 0, 0, &chunk, &error),
                 VC_CORRUPT, "generation 0 is no part, so it is gone");
    vc_snapshot_close(snapshot);
    vc_store_close(store);
}

/* An object of a load without a manifest keeps what it had, and what was put for it goes. */
Test(store, without_a_manifest_nothing_changes)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_load *load;
    vc_object object;
    vc_snapshot *snapshot;
    vc_store_stats stats;
    int64_t start, values[4] = {1, 2, 3, 4};
    check_ok(load_cube(store, "a", 1, 3, 1000, &error), &error, "load");
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    check_ok(vc_load_object(load, VC_KIND_CUBE, VC_STR("a"), &object, &error), &error, "object");
    cr_assert(vc_str_is(object.manifest, "1 3 1000"));
    check_ok(vc_load_put_ints(load, &object, 1, 0, values, NULL, 4, &error), &error, "put");
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(read_cube(snapshot, "a", &start, &error), &error, "read");
    vc_snapshot_close(snapshot);
    check_ok(vc_store_stat(store, &stats, &error), &error, "stat");
    cr_assert_eq(stats.nchunks, 4);
    vc_store_close(store);
}

Test(store, older_epochs_stay_as_long_as_they_are_kept)
{
    vc_store *store = open_store(directory, &(vc_store_options){.keep_epochs = 3});
    vc_error error = {0};
    vc_snapshot *snapshot;
    char ids[6][32];
    int64_t start;
    for (int i = 0; i < 6; i++) {
        check_ok(load_cube(store, "a", 100 + i, 2, 500, &error), &error, "load");
        check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
        snprintf(ids[i], sizeof ids[i], "%s", vc_snapshot_id(snapshot));
        vc_snapshot_close(snapshot);
    }
    for (int i = 3; i < 6; i++) {
        check_ok(vc_snapshot_open_at(store, vc_str_of(ids[i]), &snapshot, &error), &error, ids[i]);
        cr_assert_str_eq(vc_snapshot_id(snapshot), ids[i]);
        check_ok(read_cube(snapshot, "a", &start, &error), &error, "read");
        cr_assert_eq(start, 100 + i);
        vc_snapshot_close(snapshot);
    }
    const char *unknown[] = {ids[0], ids[2], "6-zzzz", "7-0000", "", "x", "-1-0000", "5"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        cr_assert_eq(vc_snapshot_open_at(store, vc_str_of(unknown[i]), &snapshot, &error),
                     VC_NOT_FOUND, "%s", unknown[i]);
        cr_assert_str_eq(error.code, i < 2 ? "expired_snapshot" : "unknown_snapshot", "%s",
                         unknown[i]);
        cr_assert_not_null(strstr(error.message, ids[3]));
        cr_assert_eq(error.ncandidates, 3);
        cr_assert_str_eq(error.candidates[0], ids[5]);
    }
    vc_arena arena = {0};
    const vc_kept *kept;
    size_t nkept;
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(vc_snapshot_list_kept(snapshot, &arena, &kept, &nkept, &error), &error, "list");
    cr_assert_eq(nkept, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_str_eq(kept[i].id, ids[3 + i]);
        cr_assert_eq(kept[i].epoch, 4 + i);
        cr_assert_eq(kept[i].knows_changes, i > 0);
        cr_assert_eq(kept[i].nchanges, i > 0 ? 1 : 0);
    }
    cr_assert_eq(kept[2].changes[0].change, VC_CHANGE_LOADED);
    vc_snapshot_close(snapshot);
    vc_arena_release(&arena);
    vc_store_stats stats;
    check_ok(vc_store_stat(store, &stats, &error), &error, "stat");
    cr_assert_eq(stats.nchunks, 3 * 3); /* two segments and a byte column in each kept epoch */
    vc_store_close(store);
}

static void check_changes(vc_store *store, const char *expected)
{
    vc_error error = {0};
    vc_arena arena = {0};
    vc_snapshot *snapshot;
    const vc_kept *kept;
    size_t nkept;
    vc_buffer text = {0};
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(vc_snapshot_list_kept(snapshot, &arena, &kept, &nkept, &error), &error, "list");
    for (size_t i = 0; i < nkept; i++) {
        vc_buffer_printf(&text, "%s%d:", i > 0 ? "|" : "", (int)kept[i].epoch);
        for (size_t c = 0; c < kept[i].nchanges; c++)
            vc_buffer_printf(&text, " %s %s %.*s", vc_kind_name(kept[i].changes[c].kind),
                             vc_change_name(kept[i].changes[c].change),
                             VC_FMT(kept[i].changes[c].name));
    }
    cr_assert_str_eq(vc_buffer_text(&text), expected);
    vc_buffer_release(&text);
    vc_arena_release(&arena);
    vc_snapshot_close(snapshot);
}

/* What each load did, by its catalogue and the one before. */
Test(store, changes_of_each_load)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_load *load;
    check_changes(store, "");
    check_ok(load_cube(store, "b", 1, 2, 500, &error), &error, "load");
    check_ok(load_cube(store, "a", 1, 2, 500, &error), &error, "load");
    check_ok(load_cube(store, "b", 1, 2, 500, &error), &error, "load");
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    check_ok(vc_load_drop(load, VC_KIND_CUBE, VC_STR("a"), &error), &error, "drop");
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    check_changes(store, "1: cube added b|2: cube added a|3: cube loaded b|4: cube dropped a");
    vc_store_close(store);
}

/* The id must tell apart two stores with the same history and other numbers in it. */
Test(store, snapshot_id_depends_on_the_contents)
{
    char ids[3][32], path[DIRECTORY_TEXT + 32];
    for (int i = 0; i < 3; i++) {
        vc_error error = {0};
        vc_load *load;
        vc_object object;
        vc_snapshot *snapshot;
        int64_t value = i == 2 ? 8 : 7; /* stores 0 and 1 are the same */
        snprintf(path, sizeof path, "%s/%d", directory, i);
        vc_store *store = open_store(path, NULL);
        check_ok(vc_load_begin(store, &load, &error), &error, "begin");
        check_ok(vc_load_object(load, VC_KIND_CUBE, VC_STR("c"), &object, &error), &error, "");
        check_ok(vc_load_put_ints(load, &object, 0, 0, &value, NULL, 1, &error), &error, "put");
        check_ok(vc_load_set_manifest(load, &object, VC_STR("m"), NULL, 0, &error), &error, "");
        check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
        check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
        snprintf(ids[i], sizeof ids[i], "%s", vc_snapshot_id(snapshot));
        vc_snapshot_close(snapshot);
        vc_store_close(store);
    }
    cr_assert_str_eq(ids[0], ids[1]);
    cr_assert_str_neq(ids[0], ids[2]);
}

/* Two stores that append the same rows to different ones must not look the same either. */
Test(store, snapshot_id_depends_on_the_parts)
{
    char ids[2][32], path[DIRECTORY_TEXT + 32];
    for (int i = 0; i < 2; i++) {
        vc_error error = {0};
        vc_snapshot *snapshot;
        uint32_t first = 0;
        snprintf(path, sizeof path, "%s/%d", directory, i);
        vc_store *store = open_store(path, NULL);
        for (int part = 0; part < 2; part++) {
            vc_load *load;
            vc_object object;
            int64_t value = part == 0 ? i : 7;
            check_ok(vc_load_begin(store, &load, &error), &error, "begin");
            check_ok(vc_load_object(load, VC_KIND_CUBE, VC_STR("c"), &object, &error), &error, "");
            check_ok(vc_load_put_ints(load, &object, 0, 0, &value, NULL, 1, &error), &error, "");
            check_ok(vc_load_set_manifest(load, &object, VC_STR("m"), &first, (size_t)part, &error),
                     &error, "manifest");
            first = object.generation;
            check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
        }
        check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
        snprintf(ids[i], sizeof ids[i], "%s", vc_snapshot_id(snapshot));
        vc_snapshot_close(snapshot);
        vc_store_close(store);
    }
    cr_assert_str_neq(ids[0], ids[1]);
}

Test(store, opening_twice_is_refused)
{
    vc_store *store = open_store(directory, NULL), *second;
    vc_error error = {0};
    char path[DIRECTORY_TEXT + 32];
    snprintf(path, sizeof path, "%s/.", directory); /* another name of the same place */
    cr_assert_eq(vc_store_open(path, NULL, &second, &error), VC_CONFLICT);
    cr_assert_str_eq(error.code, "store_open");
    vc_store_close(store);
    store = open_store(path, NULL);
    vc_store_close(store);
}

Test(store, read_only)
{
    vc_store_options read_only = {.is_read_only = true};
    vc_store *store;
    vc_error error = {0};
    vc_load *load;
    vc_snapshot *snapshot;
    int64_t start;
    char missing[DIRECTORY_TEXT + 32];
    snprintf(missing, sizeof missing, "%s/missing", directory);
    cr_assert_eq(vc_store_open(missing, &read_only, &store, &error), VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_store");
    cr_assert_eq(vc_store_open(missing, &(vc_store_options){.must_exist = true}, &store, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_store");
    cr_assert_neq(access(missing, F_OK), 0);
    cr_assert_eq(vc_store_open(directory, &read_only, &store, &error), VC_NOT_FOUND);
    store = open_store(directory, NULL);
    check_ok(load_cube(store, "a", 4, 2, 100, &error), &error, "load");
    vc_store_close(store);
    store = open_store(directory, &read_only);
    cr_assert_eq(vc_load_begin(store, &load, &error), VC_STORAGE);
    cr_assert_str_eq(error.code, "storage_read_only");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(read_cube(snapshot, "a", &start, &error), &error, "read");
    vc_snapshot_close(snapshot);
    vc_store_close(store);
}

Test(store, only_one_load_at_a_time)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_load *load, *second;
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    cr_assert_eq(vc_load_begin(store, &second, &error), VC_BUSY);
    cr_assert_str_eq(error.code, "load_in_progress");
    vc_load_abort(load);
    check_ok(vc_load_begin(store, &second, &error), &error, "begin after the first ended");
    vc_load_abort(second);
    vc_store_close(store);
}

/* The map is far too small at first, and grows while readers come and go. */
typedef struct reading {
    vc_store *store;
    atomic_bool is_done;
    atomic_uint nreads, nbusy, nwrong;
} reading;

static void *read_all_the_time(void *context)
{
    reading *r = context;
    int64_t last = 0;
    while (!atomic_load(&r->is_done)) {
        vc_snapshot *snapshot;
        vc_error error = {0};
        int64_t start = 0;
        vc_status status = vc_snapshot_open(r->store, &snapshot, &error);
        if (status == VC_BUSY) {
            atomic_fetch_add(&r->nbusy, 1);
            continue;
        }
        if (status != VC_OK || read_cube(snapshot, "a", &start, &error) != VC_OK || start < last)
            atomic_fetch_add(&r->nwrong, 1);
        last = start;
        atomic_fetch_add(&r->nreads, 1);
        vc_snapshot_close(snapshot);
    }
    return NULL;
}

static void load_beside_readers(const vc_store_options *options, int nloads, uint32_t nsegments)
{
    enum { NREADERS = 3 };
    static reading r;
    pthread_t threads[NREADERS];
    vc_error error = {0};
    r.store = open_store(directory, options);
    check_ok(load_cube(r.store, "a", 1, 2, 1000, &error), &error, "first load");
    for (int i = 0; i < NREADERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, read_all_the_time, &r), 0);
    for (int i = 0; i < nloads; i++)
        check_ok(load_cube(r.store, "a", 2 + i, nsegments, 20000, &error), &error, "load");
    atomic_store(&r.is_done, true);
    for (int i = 0; i < NREADERS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(atomic_load(&r.nwrong), 0);
    cr_assert_eq(atomic_load(&r.nbusy), 0);
    cr_assert_gt(atomic_load(&r.nreads), 0);
    vc_store_close(r.store);
}

Test(store, map_grows_when_it_is_full)
{
    vc_store_options small = {.map_bytes = 1 << 20, .batch_bytes = 1 << 18};
    load_beside_readers(&small, 6, 100);
    vc_store *store = open_store(directory, &small);
    vc_store_stats stats;
    vc_error error = {0};
    check_ok(vc_store_stat(store, &stats, &error), &error, "stat");
    cr_assert_gt(stats.file_bytes, 1 << 20);
    cr_assert_geq(stats.map_bytes, stats.file_bytes);
    vc_store_close(store);
}

Test(store, readers_see_whole_loads)
{
    load_beside_readers(&(vc_store_options){.keep_epochs = 2, .batch_bytes = 1 << 19}, 30, 20);
}

/* One snapshot, many threads: a query's scan does this. */
static void *read_shared(void *context)
{
    const vc_snapshot *snapshot = context;
    int64_t start;
    vc_error error = {0};
    for (int i = 0; i < 20; i++)
        if (read_cube(snapshot, "a", &start, &error) != VC_OK) return (void *)snapshot;
    return NULL;
}

Test(store, a_snapshot_is_shared_by_threads)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_snapshot *snapshot;
    pthread_t threads[4];
    void *result;
    check_ok(load_cube(store, "a", 1, 50, 1000, &error), &error, "load");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, read_shared, snapshot), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &result);
        cr_assert_null(result);
    }
    vc_snapshot_close(snapshot);
    vc_store_close(store);
}

Test(store, many_readers_then_no_slot)
{
    enum { MANY = 1100 };
    static vc_snapshot *snapshots[MANY];
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_store_stats stats;
    int count = 0;
    vc_status status = VC_OK;
    while (count < MANY && (status = vc_snapshot_open(store, &snapshots[count], &error)) == VC_OK)
        count++;
    cr_assert_eq(status, VC_BUSY);
    cr_assert_str_eq(error.code, "readers_full");
    cr_assert_geq(count, 1000);
    vc_snapshot_close(snapshots[--count]);
    check_ok(vc_store_stat(store, &stats, &error), &error, "a slot is free again");
    cr_assert_eq(stats.nreaders, (unsigned)count);
    cr_assert_eq(stats.max_readers, (unsigned)count + 1);
    while (count > 0)
        vc_snapshot_close(snapshots[--count]);
    vc_store_close(store);
}

/* A snapshot that stays open while others load keeps their pages, and is told. */
Test(store, snapshots_that_are_held)
{
    vc_store *store = open_store(directory, NULL);
    vc_snapshot *first, *second;
    vc_store_stats stats;
    vc_error error = {0};
    check_ok(load_cube(store, "a", 1, 10, 100, &error), &error, "load");
    check_ok(vc_snapshot_open(store, &first, &error), &error, "open");
    cr_assert_eq(vc_store_epochs_held(store), 0);
    check_ok(load_cube(store, "a", 2, 10, 100, &error), &error, "load");
    uint64_t held = vc_store_epochs_held(store);
    cr_assert_geq(held, 1);
    check_ok(vc_snapshot_open(store, &second, &error), &error, "open");
    check_ok(vc_store_stat(store, &stats, &error), &error, "stat");
    cr_assert_eq(stats.epochs_held, held);
    cr_assert_eq(stats.nreaders, 2);
    vc_snapshot_close(first);
    cr_assert_eq(vc_store_epochs_held(store), 0); /* the second is of the newest */
    vc_snapshot_close(second);
    vc_store_close(store);
}

/* The file must not grow with the number of loads. */
Test(store, rewriting_reuses_pages)
{
    vc_store *store =
        open_store(directory, &(vc_store_options){.keep_epochs = 1, .batch_bytes = 1 << 20});
    vc_error error = {0};
    for (int i = 0; i < 3; i++)
        check_ok(load_cube(store, "a", i, 100, 10000, &error), &error, "load");
    uint64_t after_three = file_bytes(directory);
    for (int i = 0; i < 30; i++)
        check_ok(load_cube(store, "a", i, 100, 10000, &error), &error, "load");
    cr_assert_leq(file_bytes(directory), after_three + after_three / 4);
    vc_store_close(store);
}

Test(store, network_file_systems_are_known_by_number)
{
    cr_assert_str_eq(vc_fs_network_name(0x6969), "NFS");
    cr_assert_str_eq(vc_fs_network_name(0x65735546), "FUSE");
    /* f_type is signed on some machines */
    cr_assert_str_eq(vc_fs_network_name((uint64_t)(int64_t)(int32_t)0xFF534D42), "CIFS");
    cr_assert_null(vc_fs_network_name(0xEF53));     /* ext4 */
    cr_assert_null(vc_fs_network_name(0x01021994)); /* tmpfs */
    cr_assert_eq(vc_fs_check_local(directory, NULL), VC_OK);
}

Test(store, a_load_wants_room_on_the_disk)
{
    vc_store *store = open_store(directory, NULL);
    vc_load *load;
    vc_error error = {0};
    setenv("VCUBE_MIN_FREE_BYTES", "9000000000000000000", 1);
    cr_assert_eq(vc_load_begin(store, &load, &error), VC_DISK_FULL);
    cr_assert_str_eq(error.code, "disk_full");
    setenv("VCUBE_MIN_FREE_BYTES", "0", 1);
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    vc_load_abort(load);
    unsetenv("VCUBE_MIN_FREE_BYTES");
    vc_store_close(store);
}
