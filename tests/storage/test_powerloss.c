/* The power goes out at every write and sync of loads, publishing and collecting.
 *
 * A kill leaves the page cache in place and proves little. Here the writes of a run are recorded
 * (faults.h) and played back: what a sync has covered is durable, of the rest none, all or a random
 * half of the 4 KiB pages reached the disk. Each image must open, show the last acknowledged load
 * or the one in flight, verify clean, and take another load. The control leaves the syncs out and
 * must fail often, or the simulator could not see anything.
 */
#include "faults.h"
#include "helper.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, NLOADS = 6 };

static char directory[DIRECTORY_TEXT];

static void setup(void)
{
    make_directory(directory);
}

static void teardown(void)
{
    remove_directory(directory);
}

TestSuite(powerloss, .init = setup, .fini = teardown, .timeout = 300);

typedef struct disk {
    unsigned char *bytes;
    size_t size, capacity;
} disk;

static void disk_write(disk *d, uint64_t offset, const void *data, size_t size)
{
    if (offset + size > d->capacity) {
        size_t capacity = (offset + size) * 2;
        d->bytes = realloc(d->bytes, capacity);
        memset(d->bytes + d->capacity, 0, capacity - d->capacity);
        d->capacity = capacity;
    }
    memcpy(d->bytes + offset, data, size);
    if (offset + size > d->size) d->size = offset + size;
}

static void read_disk(const char *from, disk *d)
{
    char path[DIRECTORY_TEXT + 32], block[PAGE];
    data_path(from, path);
    FILE *file = fopen(path, "r");
    size_t size;
    *d = (disk){0};
    while ((size = fread(block, 1, sizeof block, file)) > 0)
        disk_write(d, d->size, block, size);
    fclose(file);
}

/* The lock file is made anew: it does not survive a start of the machine in any useful state. */
static void write_image(const char *to, const disk *d)
{
    char path[DIRECTORY_TEXT + 32];
    data_path(to, path);
    FILE *file = fopen(path, "w");
    cr_assert_eq(fwrite(d->bytes, 1, d->size, file), d->size);
    fclose(file);
    strcat(path, "-lock");
    unlink(path);
}

/* The writes that no sync has covered, applied page by page with a chance. */
static void apply_some(disk *d, const event *events, size_t first, size_t end, unsigned percent)
{
    for (size_t i = first; i < end; i++) {
        if (events[i].kind != EVENT_WRITE) continue;
        for (size_t at = 0; at < events[i].size; at += PAGE) {
            size_t size = events[i].size - at < PAGE ? events[i].size - at : PAGE;
            if ((unsigned)(rand() % 100) < percent)
                disk_write(d, events[i].offset + at, events[i].data + at, size);
        }
    }
}

/* Is the image what it should be after loads 1..acknowledged, or one more? Reading damage is safe;
 * writing on top of it is not, so the control does without. */
static bool check_image(const char *image, long acknowledged, bool is_control)
{
    vc_store *store;
    vc_snapshot *snapshot;
    vc_error error = {0};
    int64_t start = -1;
    uint64_t nrecords, ndamaged;
    if (vc_store_open(image, NULL, &store, &error) != VC_OK) return false;
    bool is_good = vc_snapshot_open(store, &snapshot, &error) == VC_OK;
    if (is_good) {
        vc_status status = read_cube(snapshot, "a", &start, &error);
        is_good = status == VC_OK ? start == acknowledged || start == acknowledged + 1
                                  : status == VC_NOT_FOUND && acknowledged == 0;
        vc_snapshot_close(snapshot);
    }
    is_good = is_good &&
              vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error) == VC_OK &&
              (is_control || load_cube(store, "a", 99, 2, 500, &error) == VC_OK);
    vc_store_close(store);
    return is_good;
}

/* In a process of its own: an image may be such that LMDB falls over it. */
static bool is_image_good(const char *image, long acknowledged, bool is_control)
{
    int state;
    pid_t child = fork();
    if (child == 0) _exit(check_image(image, acknowledged, is_control) ? 0 : 1);
    waitpid(child, &state, 0);
    return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

static void record_loads(disk *before, event **events, size_t *nevents)
{
    vc_error error = {0};
    vc_store_options options = {.batch_bytes = 1 << 16, .keep_epochs = 2};
    vc_store *store = open_store(directory, &options);
    read_disk(directory, before);
    events_start();
    for (long start = 1; start <= NLOADS; start++) {
        vc_load *load;
        check_ok(load_cube(store, "a", start, 4 + (uint32_t)start % 3, 9000, &error), &error, "");
        events_mark(start);
        check_ok(vc_load_begin(store, &load, &error), &error, "begin"); /* one that is given up */
        check_ok(put_cube(load, "b", 5, 5, 9000, &error), &error, "put");
        vc_load_abort(load);
    }
    *events = events_stop(nevents);
    vc_store_close(store);
}

/* Play back; with is_synced false the syncs are not believed. Returns how many images were bad. */
static int play_back(const disk *before, const event *events, size_t nevents, bool is_synced,
                     int *nimages_out)
{
    char image[DIRECTORY_TEXT];
    disk durable = {0}, work = {0};
    size_t pending = 0;
    long acknowledged = 0;
    int nbad = 0, nimages = 0;
    make_directory(image);
    vc_store_close(open_store(image, NULL)); /* its lock files */
    disk_write(&durable, 0, before->bytes, before->size);
    for (size_t i = 0; i < nevents; i++) {
        static const unsigned percents[] = {0, 100, 50, 50};
        for (size_t k = 0; k < sizeof percents / sizeof percents[0]; k++) {
            if (k > 0 && pending == i) break; /* nothing is pending: one image says it all */
            work.size = 0;
            disk_write(&work, 0, durable.bytes, durable.size);
            apply_some(&work, events, pending, i, percents[k]);
            write_image(image, &work);
            nimages++;
            nbad += !is_image_good(image, acknowledged, !is_synced);
        }
        if (events[i].kind == EVENT_MARK) acknowledged = events[i].mark;
        if (events[i].kind == EVENT_DURABLE_WRITE)
            disk_write(&durable, events[i].offset, events[i].data, events[i].size);
        if (events[i].kind == EVENT_SYNC && is_synced) {
            apply_some(&durable, events, pending, i, 100);
            pending = i + 1;
        }
    }
    free(durable.bytes);
    free(work.bytes);
    remove_directory(image);
    *nimages_out = nimages;
    return nbad;
}

Test(powerloss, at_every_write)
{
    disk before;
    event *events;
    size_t nevents;
    int nimages, ncontrol;
    srand(7);
    record_loads(&before, &events, &nevents);
    int nbad = play_back(&before, events, nevents, true, &nimages);
    cr_assert_eq(nbad, 0, "%d of %d images are bad", nbad, nimages);
    cr_assert_gt(nimages, 100);
    int nbad_control = play_back(&before, events, nevents, false, &ncontrol);
    cr_assert_gt(nbad_control, ncontrol / 3, "only %d of %d images without syncs are bad",
                 nbad_control, ncontrol);
    fprintf(stderr, "powerloss: %d images good; without syncs %d of %d bad\n", nimages,
            nbad_control, ncontrol);
    for (size_t i = 0; i < nevents; i++)
        free(events[i].data);
    free(before.bytes);
}
