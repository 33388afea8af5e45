/* Several processes, some of them killed. Children are forked before any store is open here. */
#include "helper.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
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

TestSuite(processes, .init = setup, .fini = teardown, .timeout = 120);

static void sleep_us(long us)
{
    nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
}

/* A child that loads cube "a" again and again with rising numbers, and writes each number to the
 * pipe once it is published. */
static void load_until_killed(int acknowledged, int64_t first)
{
    vc_store *store;
    vc_store_options options = {.batch_bytes = 1 << 17, .keep_epochs = 2};
    if (vc_store_open(directory, &options, &store, NULL) != VC_OK) _exit(3);
    for (int64_t start = first;; start++) {
        vc_error error = {0};
        if (load_cube(store, "a", start, 20 + (uint32_t)(start % 7), 10000, &error) != VC_OK) {
            fprintf(stderr, "child: %s\n", error.message);
            _exit(4);
        }
        if (write(acknowledged, &start, sizeof start) != sizeof start) _exit(5);
    }
}

static int64_t run_and_kill(int64_t first, long us, bool *is_orderly)
{
    int ends[2], state;
    int64_t last = first - 1, number;
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        load_until_killed(ends[1], first);
    }
    close(ends[1]);
    sleep_us(us);
    kill(child, SIGKILL);
    waitpid(child, &state, 0);
    *is_orderly = WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL;
    while (read(ends[0], &number, sizeof number) == sizeof number)
        last = number;
    close(ends[0]);
    return last;
}

/* No acknowledged load is lost, none is half visible, and nothing stays behind. */
Test(processes, kill_in_the_middle_of_loads)
{
    enum { NKILLS = 40 };
    vc_error error = {0};
    int64_t last = 0, start = 0;
    int norphans = 0;
    vc_store *store = open_store(directory, NULL);
    check_ok(load_cube(store, "a", 0, 2, 100, &error), &error, "first load");
    vc_store_close(store);
    srand(20240607);
    for (int i = 0; i < NKILLS; i++) {
        bool is_orderly;
        vc_snapshot *snapshot;
        vc_store_stats stats;
        uint64_t nrecords, ndamaged;
        last = run_and_kill(last + 1, 1000 + rand() % 40000, &is_orderly);
        cr_assert(is_orderly);
        store = open_store(directory, NULL);
        check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
        check_ok(read_cube(snapshot, "a", &start, &error), &error, "read");
        /* at most the one whose acknowledgement did not get out any more */
        cr_assert(start == last || start == last + 1, "%ld after %ld", (long)start, (long)last);
        last = start;
        vc_snapshot_close(snapshot);
        check_ok(vc_store_verify(store, NULL, NULL, &nrecords, &ndamaged, &error), &error, "");
        check_ok(vc_store_stat(store, &stats, &error), &error, "stat");
        norphans += stats.nchunks > 2 * 27;
        cr_assert_eq(stats.nreaders, 0);
        vc_store_close(store);
    }
    store = open_store(directory, &(vc_store_options){.keep_epochs = 1});
    check_ok(load_cube(store, "a", 1000, 5, 100, &error), &error, "load");
    vc_store_stats stats;
    check_ok(vc_store_stat(store, &stats, &error), &error, "stat");
    cr_assert_eq(stats.nchunks, 6, "%lu records", (unsigned long)stats.nchunks);
    cr_assert_gt(norphans, 0, "no kill hit a load that had committed a batch: a weak test");
    vc_store_close(store);
}

/* The other process grows the map, loads, and dies holding a snapshot; this one goes on. */
Test(processes, two_of_them_share_a_store)
{
    vc_store_options small = {.map_bytes = 1 << 20, .batch_bytes = 1 << 18};
    int to_child[2], to_parent[2], state;
    char byte = 'x';
    vc_error error = {0};
    vc_store_close(open_store(directory, &small));
    cr_assert(pipe(to_child) == 0 && pipe(to_parent) == 0);
    pid_t child = fork();
    if (child == 0) {
        vc_store *store;
        vc_snapshot *snapshot;
        vc_load *load;
        if (vc_store_open(directory, &small, &store, NULL) != VC_OK ||
            read(to_child[0], &byte, 1) != 1 ||
            load_cube(store, "a", 7, 60, 65536, NULL) != VC_OK ||
            vc_snapshot_open(store, &snapshot, NULL) != VC_OK ||
            vc_load_begin(store, &load, NULL) != VC_OK || write(to_parent[1], &byte, 1) != 1)
            _exit(3);
        pause(); /* with a snapshot and a load in its hands */
    }
    vc_store *store = open_store(directory, &small);
    vc_snapshot *snapshot;
    vc_load *load;
    vc_store_stats stats;
    int64_t start;
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    cr_assert_eq(vc_snapshot_epoch(snapshot), 0);
    vc_snapshot_close(snapshot);
    cr_assert_eq(write(to_child[1], &byte, 1), 1);
    cr_assert_eq(read(to_parent[0], &byte, 1), 1);
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "the map has grown elsewhere");
    check_ok(read_cube(snapshot, "a", &start, &error), &error, "read");
    cr_assert_eq(start, 7);
    vc_snapshot_close(snapshot);
    cr_assert_eq(vc_load_begin(store, &load, &error), VC_BUSY, "the load lock is held elsewhere");
    check_ok(vc_store_stat(store, &stats, &error), &error, "stat");
    cr_assert_eq(stats.nreaders, 2, "%u: a snapshot and the load's", stats.nreaders);
    kill(child, SIGKILL);
    waitpid(child, &state, 0);
    check_ok(load_cube(store, "a", 8, 3, 100, &error), &error, "its lock died with it");
    vc_store_close(store);
    store = open_store(directory, &small); /* looks for dead readers */
    check_ok(vc_store_stat(store, &stats, &error), &error, "stat");
    cr_assert_eq(stats.nreaders, 0);
    vc_store_close(store);
}

/* Two processes that make the store at the same moment, and load into it in turns. */
Test(processes, loads_are_serialised)
{
    enum { NCHILDREN = 4, NLOADS = 15 };
    pid_t children[NCHILDREN];
    for (int i = 0; i < NCHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            vc_store *store;
            vc_error error = {0};
            char name[16];
            snprintf(name, sizeof name, "c%d", i);
            if (vc_store_open(directory, NULL, &store, &error) != VC_OK) {
                fprintf(stderr, "child: %s\n", error.message);
                _exit(3);
            }
            for (int n = 0; n < NLOADS;) {
                vc_status status = load_cube(store, name, n, 2, 100, &error);
                if (status != VC_OK && status != VC_BUSY) _exit(4);
                n += status == VC_OK;
            }
            _exit(0);
        }
    }
    for (int i = 0; i < NCHILDREN; i++) {
        int state;
        waitpid(children[i], &state, 0);
        cr_assert(WIFEXITED(state) && WEXITSTATUS(state) == 0, "%d", state);
    }
    vc_store *store = open_store(directory, NULL);
    vc_snapshot *snapshot;
    vc_error error = {0};
    check_ok(vc_snapshot_open(store, &snapshot, &error), &error, "snapshot");
    cr_assert_eq(vc_snapshot_epoch(snapshot), NCHILDREN * NLOADS);
    for (int i = 0; i < NCHILDREN; i++) {
        char name[16];
        int64_t start;
        snprintf(name, sizeof name, "c%d", i);
        check_ok(read_cube(snapshot, name, &start, &error), &error, name);
        cr_assert_eq(start, NLOADS - 1);
    }
    vc_snapshot_close(snapshot);
    vc_store_close(store);
}
