/* What goes wrong below the program: bits that flip, disks that are full. It answers right or says
 * what is wrong, and what was loaded stays. */
#include "tests/house/house.h"

#include "storage/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(trouble, .timeout = 60);

static const char question[] = "{\"cube\":\"golden_full\",\"drilldown\":\"country\"}";

static void copy_store(const char *fixture, char root[HOUSE_PATH], char store[HOUSE_PATH])
{
    char from[HOUSE_PATH];
    house_make_folder(root);
    house_path(store, root, "store");
    house_store(fixture, from);
    house_copy_folder(from, store);
}

static uint64_t data_size(const char *store, char path[HOUSE_PATH])
{
    struct stat info;
    house_path(path, store, "vcube.mdb");
    cr_assert_eq(stat(path, &info), 0);
    return (uint64_t)info.st_size;
}

static void flip(const char *store, uint64_t byte, unsigned bit)
{
    char path[HOUSE_PATH];
    unsigned char value;
    house_path(path, store, "vcube.mdb");
    int file = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(file, 0);
    cr_assert_eq(pread(file, &value, 1, (off_t)byte), 1);
    value ^= (unsigned char)(1u << bit);
    cr_assert_eq(pwrite(file, &value, 1, (off_t)byte), 1);
    close(file);
}

static vc_status verify(const char *directory)
{
    vc_store *store;
    vc_error error = {0};
    uint64_t nrecords, ndamaged;
    vc_store_options options = {.is_read_only = true};
    vc_status status = vc_store_open(directory, &options, &store, &error);
    if (status == VC_OK) status = vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error);
    vc_store_close(store);
    return status;
}

/* Bits all over the file, on pages that hold something: each answer is as before or an error that
 * blames the storage, and whatever a query stumbles over `verify` finds. */
Test(trouble, no_flipped_bit_changes_an_answer)
{
    enum { NFLIPS = 400 };
    char root[HOUSE_PATH], store[HOUSE_PATH], path[HOUSE_PATH];
    struct house_reply before, now;
    uint64_t state = 2024;
    int nrefused = 0;
    copy_store("samples/golden", root, store);
    uint64_t size = data_size(store, path);
    house_ask_library(store, question, &before);
    cr_assert_eq(before.code, VC_OK);
    for (int i = 0; i < NFLIPS; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t byte = (state >> 20) % size;
        flip(store, byte, state >> 17 & 7);
        house_ask_library(store, question, &now);
        if (now.code == VC_OK) {
            cr_assert_str_eq(now.text.data, before.text.data, "byte %lu", (unsigned long)byte);
        } else {
            cr_assert(now.code == VC_CORRUPT || now.code == VC_STORAGE ||
                          strncmp(now.error.code, "unknown_", 8) == 0,
                      "byte %lu: %s: %s", (unsigned long)byte, now.error.code, now.error.message);
            cr_assert_neq(verify(store), VC_OK, "byte %lu: verify finds nothing, but: %s",
                          (unsigned long)byte, now.error.message);
            nrefused++;
        }
        flip(store, byte, state >> 17 & 7);
        house_reply_release(&now);
    }
    cr_assert_gt(nrefused, NFLIPS / 50);
    house_reply_release(&before);
    house_remove_folder(root);
}

/* The first byte whose flip the query meets in stored facts or dimensions. */
static uint64_t find_needed_byte(const char *store)
{
    char path[HOUSE_PATH];
    uint64_t size = data_size(store, path);
    for (uint64_t byte = 8192; byte < size; byte += 101) {
        struct house_reply reply;
        flip(store, byte, 3);
        house_ask_library(store, question, &reply);
        bool is_met = reply.code == VC_CORRUPT &&
                      strcmp(reply.error.code, "storage_damaged") == 0 &&
                      strstr(reply.error.message, "cube 'cities'") != NULL;
        flip(store, byte, 3);
        house_reply_release(&reply);
        if (is_met) return byte;
    }
    cr_assert_fail("no byte of the store is needed");
    return 0;
}

Test(trouble, a_flipped_byte_is_named_by_query_and_verify)
{
    char root[HOUSE_PATH], store[HOUSE_PATH];
    const char *query[] = {"query", "-d", store, "golden_full", "--drilldown", "country", NULL};
    const char *other[] = {"query", "-d", store, "stats", NULL};
    const char *check[] = {"verify", "-d", store, NULL};
    struct house_run run;
    struct house_reply reply;
    if (house_command() == NULL) cr_skip_test("the command is not built");
    copy_store("samples/golden", root, store);
    house_run(check, NULL, NULL, &run);
    cr_assert_eq(run.code, 0, "%s", run.complaint.data);
    cr_assert_not_null(strstr(run.out.data, "all well"));
    house_run_release(&run);
    flip(store, find_needed_byte(store), 3);
    house_run(query, NULL, NULL, &run);
    cr_assert_eq(run.code, 1);
    cr_assert_str_eq(run.out.data, "", "a damaged answer: %s", run.out.data);
    cr_assert_not_null(strstr(run.complaint.data, "cube 'cities'"), "%s", run.complaint.data);
    house_run_release(&run);
    house_run(check, NULL, NULL, &run);
    cr_assert_eq(run.code, 1);
    cr_assert_not_null(strstr(run.out.data, "cube 'cities'"), "%s", run.out.data);
    cr_assert_not_null(strstr(run.out.data, "1 damaged"), "%s", run.out.data);
    house_run_release(&run);
    house_run(other, NULL, NULL, &run); /* what is not damaged is still answered */
    cr_assert_eq(run.code, 0, "%s", run.complaint.data);
    house_run_release(&run);
    house_ask_http(store, question, &reply);
    cr_assert_eq(reply.code, 500);
    cr_assert_not_null(strstr(reply.text.data, "\"storage_damaged\""), "%s", reply.text.data);
    house_reply_release(&reply);
    house_remove_folder(root);
}

/* ---- a full disk ---- */

/* A file system of 2 MiB with the golden store in it; false when this machine does not let us. It
 * is in a name space of this process, so it goes when the test does. */
static bool mount_small(char root[HOUSE_PATH], char store[HOUSE_PATH])
{
    char from[HOUSE_PATH];
    house_make_folder(root);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("vcube-house", root, "tmpfs", 0, "size=2m") != 0) {
        fprintf(stderr, "no full disk is tried: mount: %s\n", strerror(errno));
        house_remove_folder(root);
        return false;
    }
    house_path(store, root, "store");
    house_store("samples/golden", from);
    house_copy_folder(from, store);
    return true;
}

static void check_full_load(const char *min_free, const char *says)
{
    char root[HOUSE_PATH], store[HOUSE_PATH];
    struct house_reply before, now;
    struct house_run run;
    const char *load[] = {"load", "-d", store, "samples/world", NULL};
    if (house_command() == NULL) cr_skip_test("the command is not built");
    if (!mount_small(root, store)) cr_skip_test("cannot mount a small file system");
    house_ask_library(store, question, &before);
    cr_assert_eq(before.code, VC_OK, "%s", before.error.message);
    setenv("VCUBE_MIN_FREE_BYTES", min_free, 1);
    for (int i = 0; i < 2; i++) { /* and once more: nothing that failed stays in the way */
        house_run(load, NULL, NULL, &run);
        cr_assert_eq(run.code, 1, "%d %s", run.code, run.complaint.data);
        cr_assert_str_eq(run.out.data, "");
        cr_assert_not_null(strstr(run.complaint.data, says), "%s", run.complaint.data);
        house_run_release(&run);
        house_ask_library(store, question, &now);
        cr_assert_eq(now.code, VC_OK, "%s", now.error.message);
        cr_assert_str_eq(now.text.data, before.text.data);
        cr_assert_eq(verify(store), VC_OK);
        house_reply_release(&now);
    }
    house_reply_release(&before);
    cr_assert_eq(umount(root), 0);
    house_remove_folder(root);
}

Test(trouble, a_disk_with_little_room_is_refused_before_the_load)
{
    check_full_load("67108864", "a load needs 64 MiB");
}

Test(trouble, a_disk_that_fills_leaves_the_store_as_it_was)
{
    check_full_load("0", "no room is left");
}
