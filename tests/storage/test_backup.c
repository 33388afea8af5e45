#include "helper.h"

#include "storage/backup.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[DIRECTORY_TEXT], target[DIRECTORY_TEXT + 16];

static void setup(void)
{
    make_directory(directory);
    snprintf(target, sizeof target, "%s-copy", directory);
}

static void remove_target(void)
{
    const char *const names[] = {"vcube.mdb", "vcube.mdb-lock", "vcube.lock"};
    char path[DIRECTORY_TEXT + 64];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", target, names[i]);
        unlink(path);
    }
    rmdir(target);
}

static void teardown(void)
{
    remove_directory(directory);
    remove_target();
}

TestSuite(backup, .init = setup, .fini = teardown, .timeout = 120);

static int64_t start_of(const char *folder)
{
    vc_store *store = open_store(folder, NULL);
    vc_snapshot *snapshot;
    vc_error error = {0};
    int64_t start = -1;
    uint64_t nrecords, ndamaged;
    check_ok(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), &error, "verify");
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    check_ok(read_cube(snapshot, "sales", &start, &error), &error, "read");
    vc_snapshot_close(snapshot);
    vc_store_close(store);
    return start;
}

/* How many temporary folders there are. */
static unsigned count_temporary(const char *folder)
{
    DIR *entries = opendir(folder);
    unsigned count = 0;
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
        count += strncmp(entry->d_name, ".vcube-backup-", 14) == 0;
    if (entries != NULL) closedir(entries);
    return count;
}

Test(backup, is_a_store)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_backup_report report;
    struct stat info;
    char path[DIRECTORY_TEXT + 64];
    check_ok(load_cube(store, "sales", 7, 3, 1000, &error), &error, "load");
    check_ok(vc_store_backup(store, target, NULL, &report, &error), &error, "backup");
    check_ok(load_cube(store, "sales", 8, 3, 1000, &error), &error, "load");
    vc_store_close(store);
    cr_assert_eq(report.epoch, 1);
    cr_assert_eq(strncmp(report.snapshot, "1-", 2), 0);
    snprintf(path, sizeof path, "%s/vcube.mdb", target);
    cr_assert_eq(stat(path, &info), 0);
    cr_assert_eq(info.st_mode & 0777, 0600);
    cr_assert_eq((uint64_t)info.st_size, report.nbytes);
    cr_assert_eq(count_temporary(target), 0);
    cr_assert_eq(start_of(target), 7);
    cr_assert_eq(start_of(directory), 8);
}

Test(backup, replaces_nothing_unless_forced)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_backup_report report;
    check_ok(load_cube(store, "sales", 1, 1, 10, &error), &error, "load");
    check_ok(vc_store_backup(store, target, NULL, &report, &error), &error, "backup");
    check_ok(load_cube(store, "sales", 2, 1, 10, &error), &error, "load");
    cr_assert_eq(vc_store_backup(store, target, NULL, &report, &error), VC_CONFLICT);
    cr_assert_str_eq(error.code, "backup_exists");
    cr_assert_eq(start_of(target), 1);
    vc_backup_options options = {.force = true};
    check_ok(vc_store_backup(store, target, &options, &report, &error), &error, "backup");
    cr_assert_eq(start_of(target), 2);
    cr_assert_eq(vc_store_backup(store, directory, &options, &report, &error), VC_CONFLICT);
    cr_assert_str_eq(error.code, "backup_is_store");
    vc_store_close(store);
    cr_assert_eq(start_of(directory), 2);
}

static vc_status refuse(void *context, vc_store *copy, vc_error *error)
{
    vc_snapshot *snapshot;
    cr_assert_eq(vc_snapshot_open(copy, &snapshot, error), VC_OK);
    vc_snapshot_close(snapshot);
    return vc_fail(error, VC_CORRUPT, "storage_damaged", "%s", (const char *)context);
}

Test(backup, that_is_not_well_gets_no_name)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_backup_report report;
    char path[DIRECTORY_TEXT + 64];
    vc_backup_options options = {.check = refuse, .context = "not well"};
    check_ok(load_cube(store, "sales", 1, 1, 10, &error), &error, "load");
    cr_assert_eq(vc_store_backup(store, target, &options, &report, &error), VC_CORRUPT);
    cr_assert_str_eq(error.message, "not well");
    snprintf(path, sizeof path, "%s/vcube.mdb", target);
    cr_assert_neq(access(path, F_OK), 0);
    cr_assert_eq(count_temporary(target), 0);
    vc_store_close(store);
}

/* A file of at most so many bytes stands for a disk that is full. */
Test(backup, without_room)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_backup_report report;
    struct rlimit limit = {.rlim_cur = 20000, .rlim_max = 20000};
    check_ok(load_cube(store, "sales", 1, 8, 60000, &error), &error, "load");
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_neq(vc_store_backup(store, target, NULL, &report, &error), VC_OK);
    cr_assert_eq(count_temporary(target), 0);
    setenv("VCUBE_MIN_FREE_BYTES", "9000000000000000000", 1);
    cr_assert_eq(vc_store_backup(store, target, NULL, &report, &error), VC_DISK_FULL);
    cr_assert_str_eq(error.code, "disk_full");
    vc_store_close(store);
}

Test(backup, removes_what_a_killed_one_left)
{
    vc_store *store = open_store(directory, NULL);
    vc_error error = {0};
    vc_backup_report report;
    char stale[DIRECTORY_TEXT + 64], used[DIRECTORY_TEXT + 64], file[DIRECTORY_TEXT + 96];
    int fd;
    check_ok(load_cube(store, "sales", 1, 1, 10, &error), &error, "load");
    snprintf(stale, sizeof stale, "%s/.vcube-backup-stale1", directory);
    snprintf(used, sizeof used, "%s/.vcube-backup-inuse1", directory);
    cr_assert_eq(mkdir(stale, 0700), 0);
    cr_assert_eq(mkdir(used, 0700), 0);
    snprintf(file, sizeof file, "%s/vcube.mdb", stale);
    close(open(file, O_WRONLY | O_CREAT, 0600));
    int lock = open(used, O_RDONLY | O_DIRECTORY);
    cr_assert_eq(flock(lock, LOCK_EX | LOCK_NB), 0);
    check_ok(vc_store_backup_unnamed(store, NULL, &fd, &report, &error), &error, "backup");
    cr_assert_eq(count_temporary(directory), 1, "that of another one stays");
    struct stat info;
    cr_assert_eq(fstat(fd, &info), 0);
    cr_assert_eq((uint64_t)info.st_size, report.nbytes);
    cr_assert_eq(info.st_nlink, 0);
    close(fd);
    close(lock);
    rmdir(used);
    vc_store_close(store);
}

struct loads {
    vc_store *store;
    atomic_bool is_ending;
    atomic_int nloads;
};

static void *load_on(void *context)
{
    struct loads *loads = context;
    vc_error error = {0};
    while (!atomic_load(&loads->is_ending)) {
        int64_t start = atomic_load(&loads->nloads) + 1;
        check_ok(load_cube(loads->store, "sales", start, 4, 60000, &error), &error, "load");
        atomic_fetch_add(&loads->nloads, 1);
    }
    return NULL;
}

/* Each copy is one of the states that were published, whole. */
Test(backup, while_loads_run)
{
    vc_store_options options = {.batch_bytes = 1 << 20};
    struct loads loads = {.store = open_store(directory, &options)};
    pthread_t thread;
    vc_error error = {0};
    check_ok(load_cube(loads.store, "sales", 0, 4, 60000, &error), &error, "load");
    cr_assert_eq(pthread_create(&thread, NULL, load_on, &loads), 0);
    int64_t before = 0;
    for (int i = 0; i < 5; i++) {
        vc_backup_report report;
        int64_t published = atomic_load(&loads.nloads);
        check_ok(vc_store_backup(loads.store, target, NULL, &report, &error), &error, "backup");
        int64_t start = start_of(target);
        cr_assert_geq(start, published);
        cr_assert_geq(start, before);
        before = start;
        remove_target();
    }
    atomic_store(&loads.is_ending, true);
    pthread_join(thread, NULL);
    cr_assert_gt(atomic_load(&loads.nloads), 0);
    vc_store_close(loads.store);
}
