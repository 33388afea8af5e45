/* Chunks that several threads encode and place in the batch: the store is the one that a single
 * thread makes, whatever had room and whatever had not. */
#include "helper.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { NTHREADS = 3, NCHUNKS = 8, NROUNDS = 12, NROWS = 5000 };

static char directory[DIRECTORY_TEXT], other[DIRECTORY_TEXT];

static void setup(void)
{
    make_directory(directory);
    make_directory(other);
}

static void teardown(void)
{
    remove_directory(directory);
    remove_directory(other);
}

TestSuite(rounds, .init = setup, .fini = teardown, .timeout = 60);

static int64_t value_of(uint32_t segment, uint32_t row)
{
    return (int64_t)((segment * UINT64_C(7919) + row) * UINT64_C(0x9E3779B97F4A7C15) >> 40);
}

static void fill(uint32_t segment, int64_t *values)
{
    for (uint32_t row = 0; row < NROWS; row++)
        values[row] = value_of(segment, row);
}

typedef struct round_work {
    vc_load *load;
    const vc_object *object;
    vc_encoded *encoded; /* [NCHUNKS] */
    uint32_t first;
    unsigned number;  /* of the thread */
    unsigned skipped; /* every so many chunks are not placed; 0: none */
} round_work;

static void *encode(void *argument)
{
    const round_work *work = argument;
    int64_t values[NROWS];
    for (uint32_t i = work->number; i < NCHUNKS; i += NTHREADS) {
        vc_error error = {0};
        fill(work->first + i, values);
        check_ok(vc_load_encode_ints(work->object, 1, work->first + i, values, NULL, NROWS,
                                     &work->encoded[i], &error),
                 &error, "encode");
        if (work->skipped == 0 || i % work->skipped != 0)
            vc_load_place_encoded(work->load, &work->encoded[i]);
    }
    return NULL;
}

/* nopened: chunks that there is room for */
static void put_round(vc_load *load, const vc_object *object, vc_encoded *encoded, uint32_t first,
                      size_t nopened, unsigned skipped)
{
    pthread_t threads[NTHREADS];
    round_work works[NTHREADS];
    vc_error error = {0};
    check_ok(vc_load_begin_round(load, nopened, &error), &error, "begin a round");
    for (unsigned i = 0; i < NTHREADS; i++) {
        works[i] = (round_work){.load = load,
                                .object = object,
                                .encoded = encoded,
                                .first = first,
                                .number = i,
                                .skipped = skipped};
        cr_assert_eq(pthread_create(&threads[i], NULL, encode, &works[i]), 0);
    }
    for (unsigned i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
    for (uint32_t i = 0; i < NCHUNKS; i++)
        check_ok(vc_load_put_encoded(load, object, 1, first + i, &encoded[i], &error), &error,
                 "put");
}

static vc_store *start(const char *where, vc_load **load, vc_object *object)
{
    vc_error error = {0};
    vc_store *store = open_store(where, &(vc_store_options){.batch_bytes = 100000});
    check_ok(vc_load_begin(store, load, &error), &error, "begin");
    check_ok(vc_load_object(*load, VC_KIND_CUBE, VC_STR("c"), object, &error), &error, "object");
    return store;
}

/* The id has the hash of the catalogue, which knows what was put. */
static void end(vc_store *store, vc_load *load, const vc_object *object, char id[64])
{
    vc_error error = {0};
    vc_snapshot *snapshot;
    vc_chunk chunk;
    int64_t values[NROWS];
    uint64_t nrecords, ndamaged;
    check_ok(vc_load_set_manifest(load, object, VC_STR("m"), NULL, 0, &error), &error, "manifest");
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    strcpy(id, vc_snapshot_id(snapshot));
    for (uint32_t segment = 0; segment < NROUNDS * NCHUNKS; segment++) {
        check_ok(
            vc_snapshot_chunk(snapshot, object->id, object->generation, 1, segment, &chunk, &error),
            &error, "chunk");
        cr_assert_eq(chunk.nrows, NROWS);
        vc_chunk_get_ints(&chunk, values);
        for (uint32_t row = 0; row < NROWS; row++)
            cr_assert_eq(values[row], value_of(segment, row), "segment %u, row %u", segment, row);
    }
    vc_snapshot_close(snapshot);
    check_ok(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), &error, "verify");
    vc_store_close(store);
}

static void check_rounds(size_t nopened, unsigned skipped)
{
    char by_threads[64], alone[64];
    int64_t values[NROWS];
    vc_encoded encoded[NCHUNKS] = {0};
    vc_error error = {0};
    vc_load *load;
    vc_object object;
    vc_store *store = start(directory, &load, &object);
    for (uint32_t round = 0; round < NROUNDS; round++)
        put_round(load, &object, encoded, round * NCHUNKS, nopened, skipped);
    for (size_t i = 0; i < NCHUNKS; i++)
        vc_encoded_release(&encoded[i]);
    end(store, load, &object, by_threads);

    store = start(other, &load, &object);
    for (uint32_t segment = 0; segment < NROUNDS * NCHUNKS; segment++) {
        fill(segment, values);
        check_ok(vc_load_put_ints(load, &object, 1, segment, values, NULL, NROWS, &error), &error,
                 "put");
    }
    end(store, load, &object, alone);
    cr_assert_str_eq(by_threads, alone);
}

Test(rounds, all_placed)
{
    check_rounds(NCHUNKS, 0);
}

Test(rounds, some_not_placed)
{
    check_rounds(NCHUNKS, 3);
}

/* Claims beyond what was opened are refused, and those chunks copied when they are put. */
Test(rounds, nothing_opened)
{
    check_rounds(0, 0);
}

/* What was claimed and never put goes with the load. */
Test(rounds, left_behind)
{
    vc_encoded encoded[NCHUNKS] = {0};
    vc_error error = {0};
    vc_load *load;
    vc_object object;
    uint64_t nrecords, ndamaged;
    vc_store *store = start(directory, &load, &object);
    put_round(load, &object, encoded, 0, NCHUNKS, 0);
    check_ok(vc_load_begin_round(load, NCHUNKS, &error), &error, "begin a round");
    round_work work = {.load = load, .object = &object, .encoded = encoded, .first = NCHUNKS};
    encode(&work);
    vc_load_abort(load);
    for (size_t i = 0; i < NCHUNKS; i++)
        vc_encoded_release(&encoded[i]);
    check_ok(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), &error, "verify");
    vc_store_close(store);
}
