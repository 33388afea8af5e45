/* What a load met of the file does not stay mapped in a process that only loads. */
#include "helper.h"
#include "storage/filesystem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

TestSuite(pages, .init = setup, .fini = teardown, .timeout = 60);

/* How much of the mappings of a file is in the page tables of this process: smaps, proc(5). */
static uint64_t mapped_bytes(const char *path, char kind)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[1024], given;
    bool is_ours = false;
    uint64_t bytes = 0;
    unsigned long long number;
    cr_assert_not_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%*x-%*x %*3c%c", &given) == 1)
            is_ours = strstr(line, path) != NULL && given == kind;
        else if (is_ours && sscanf(line, "Rss: %llu kB", &number) == 1)
            bytes += number << 10;
    }
    fclose(maps);
    return bytes;
}

Test(pages, forgotten_where_shared_and_kept_where_private)
{
    enum { BYTES = 1 << 20 };
    char path[DIRECTORY_TEXT + 32], other_path[DIRECTORY_TEXT + 32];
    struct stat info;
    unsigned char *maps[3];
    snprintf(path, sizeof path, "%s/one", directory);
    snprintf(other_path, sizeof other_path, "%s/two", directory);
    int fd = open(path, O_RDWR | O_CREAT, 0600), other = open(other_path, O_RDWR | O_CREAT, 0600);
    cr_assert(fd >= 0 && other >= 0);
    cr_assert_eq(ftruncate(fd, BYTES) + ftruncate(other, BYTES), 0);
    maps[0] = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    maps[1] = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    maps[2] = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
    for (int i = 0; i < 3; i++) {
        cr_assert(maps[i] != MAP_FAILED);
        memset(maps[i], 'a' + i, BYTES);
    }
    cr_assert_eq(mapped_bytes(path, 's'), BYTES);
    cr_assert_eq(fstat(fd, &info), 0);
    vc_fs_forget_pages(info.st_dev, info.st_ino);
    cr_expect_eq(mapped_bytes(path, 's'), 0);
    cr_expect_eq(mapped_bytes(path, 'p'), BYTES);
    cr_expect_eq(mapped_bytes(other_path, 's'), BYTES);
    for (int i = 0; i < 3; i++) {
        for (size_t at = 0; at < BYTES; at++)
            if (maps[i][at] != 'a' + i) cr_assert_fail("map %d, byte %zu", i, at);
        munmap(maps[i], BYTES);
    }
    close(fd);
    close(other);
}

static uint64_t mapped_after_load(const char *name, bool forgets_pages)
{
    char where[DIRECTORY_TEXT + 16], path[DIRECTORY_TEXT + 48];
    vc_error error = {0};
    vc_load *load;
    vc_snapshot *snapshot;
    int64_t first;
    snprintf(where, sizeof where, "%s/%s", directory, name);
    data_path(where, path);
    vc_store_options options = {.batch_bytes = 1 << 16, .forgets_pages = forgets_pages};
    vc_store *store = open_store(where, &options);
    check_ok(vc_load_begin(store, &load, &error), &error, "begin");
    check_ok(put_cube(load, "c", 7, 80, 60000, &error), &error, "put");
    uint64_t bytes = mapped_bytes(path, 's');
    check_ok(vc_load_publish(load, NULL, &error), &error, "publish");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(read_cube(snapshot, "c", &first, &error), &error, "read");
    vc_snapshot_close(snapshot);
    vc_store_close(store);
    return bytes;
}

Test(pages, a_load_that_forgets_has_few)
{
    uint64_t kept = mapped_after_load("keeps", false), left = mapped_after_load("forgets", true);
    cr_expect(left < kept / 2, "%llu bytes of pages are mapped, and %llu without forgetting",
              (unsigned long long)left, (unsigned long long)kept);
}
