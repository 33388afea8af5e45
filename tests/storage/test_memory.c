/* Each allocation of a whole life of a store fails once: the answer is an error or all is well, and
 * the next one who opens the store finds it whole. Not under the address sanitizer, which has an
 * allocator of its own. */
#include "helper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static _Thread_local long countdown = -1; /* allocations until one fails; -1: none does */

static bool is_refused(void)
{
    if (countdown < 0) return false;
    if (countdown-- > 0) return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return is_refused() ? NULL : __libc_memalign(alignment, size);
}

static char directory[DIRECTORY_TEXT];

static void setup(void)
{
    make_directory(directory);
}

static void teardown(void)
{
    remove_directory(directory);
}

TestSuite(memory, .init = setup, .fini = teardown, .timeout = 120);

/* Open, load several batches, read in all ways, close. */
static vc_status live(vc_error *error)
{
    static int64_t values[1000];
    vc_store *store;
    vc_load *load;
    vc_object object, *objects;
    vc_snapshot *snapshot = NULL;
    vc_chunk chunk;
    vc_str bytes;
    vc_arena arena = {0};
    size_t nobjects;
    const vc_zone *zones;
    uint32_t nzones;
    uint64_t nrecords, ndamaged;
    static char data[3 << 20];
    vc_status status =
        vc_store_open(directory, &(vc_store_options){.batch_bytes = 1 << 16}, &store, error);
    if (status != VC_OK) return status;
    status = vc_load_begin(store, &load, error);
    if (status == VC_OK) {
        status = vc_load_object(load, VC_KIND_CUBE, VC_STR("a"), &object, error);
        for (uint32_t segment = 0; segment < 40 && status == VC_OK; segment++)
            status = vc_load_put_ints(load, &object, 1, segment, values, NULL, 1000, error);
        if (status == VC_OK) status = vc_load_put_bytes(load, &object, 2, data, sizeof data, error);
        if (status == VC_OK)
            status = vc_load_set_manifest(load, &object, VC_STR("m"), NULL, 0, error);
        if (status == VC_OK)
            status = vc_load_publish(load, NULL, error);
        else
            vc_load_abort(load);
    }
    if (status == VC_OK) status = vc_snapshot_open(store, &snapshot, error);
    if (status == VC_OK)
        status = vc_snapshot_list(snapshot, VC_KIND_CUBE, &arena, &objects, &nobjects, error);
    if (status == VC_OK)
        status =
            vc_snapshot_chunk(snapshot, objects[0].id, objects[0].generation, 1, 39, &chunk, error);
    if (status == VC_OK)
        status = vc_snapshot_bytes(snapshot, objects[0].id, objects[0].generation, 2, &arena,
                                   &bytes, error);
    if (status == VC_OK)
        status = vc_snapshot_zones(snapshot, objects[0].id, objects[0].generation, 1, &arena,
                                   &zones, &nzones, error);
    vc_snapshot_close(snapshot);
    vc_arena_release(&arena);
    if (status == VC_OK) status = vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, error);
    vc_store_close(store);
    return status;
}

Test(memory, each_allocation_fails_once)
{
    vc_error error = {0};
    check_ok(live(&error), &error, "with memory");
    for (long n = 0; n < 5000; n++) {
        countdown = n;
        vc_status status = live(&error);
        bool is_over = countdown >= 0; /* fewer allocations than n */
        countdown = -1;
        cr_assert(status == VC_OK || status == VC_NO_MEMORY, "allocation %ld: status %d: %s", n,
                  status, error.message);
        check_ok(live(&error), &error, "afterwards");
        if (is_over) return;
    }
    cr_assert_fail("more than 5000 allocations");
}

#endif
