/* Runs: files whole or not at all, the rest by the next run, and nothing outside of the folder. */
#include "report/run.h"
#include "tests/report/running.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(run, .timeout = 60);

Test(run, makes_every_format_and_a_manifest)
{
    struct running in;
    running_begin(&in, 2);
    for (unsigned i = 0; i < VC_REPORT_FORMATS; i++)
        in.plan.formats[i] = true;
    cr_assert_eq(running_run(&in), VC_OK, "%s", in.error.message);
    cr_assert_eq(in.result.nmade, 2);
    cr_assert_eq(in.result.progress.nfiles,
                 14); /* 4, and a section with a grid has 2, the other 1 */
    running_expect(&in, "a/0.html", "html of a/0\n");
    running_expect(&in, "a/1.pdf", "pdf of a/1\n");
    running_expect(&in, "a/1.xlsx", "xlsx of a/1\n");
    running_expect(&in, "a/1.md", "markdown of a/1\n");
    running_expect(&in, "a/1.grid.csv", "csv of a/1 grid\n");
    running_expect(&in, "a/1.grid.json", "jsonstat of a/1 grid\n");
    running_expect(&in, "a/1.silent.csv", "csv of a/1 silent\n"); /* nothing was asked for it: */
    cr_assert_not(running_has(&in, "a/1.silent.json"));
    cr_assert_not(running_has(&in, "a/1.text.csv"));
    vc_run_manifest manifest;
    running_manifest(&in, &manifest);
    cr_assert(manifest.is_complete);
    cr_assert_eq(manifest.ndocuments, 2);
    cr_assert_eq(manifest.documents[1].nfiles, 7);
    cr_assert_eq(manifest.ndefinitions, 2); /* of both documents, each once, in order */
    cr_assert(vc_str_is(manifest.definitions[0], "sha256:a"));
    cr_assert(vc_str_is(manifest.definitions[1], "sha256:b"));
    cr_assert_eq(manifest.documents[1].files[0].nbytes, strlen("html of a/1\n"));
    cr_assert_eq(running_temporaries(&in), 0);
    running_end(&in);
}

/* The order in which threads finish is nowhere to be seen. */
Test(run, is_the_same_with_any_number_of_threads)
{
    struct running one, many;
    running_begin(&one, 40);
    running_begin(&many, 40);
    vc_pool_new(4, &many.plan.pool, NULL);
    cr_assert_eq(running_run(&one), VC_OK);
    cr_assert_eq(running_run(&many), VC_OK);
    running_expect_same(&one, &many, VC_MANIFEST_NAME);
    running_expect_same(&one, &many, "a/39.html");
    vc_pool_free(many.plan.pool);
    running_end(&one);
    running_end(&many);
}

Test(run, keeps_what_is_finished)
{
    struct running in;
    running_begin(&in, 5);
    cr_assert_eq(running_run(&in), VC_OK);
    vc_buffer before = {0}, after = {0};
    running_read(&in, VC_MANIFEST_NAME, &before);
    running_write(&in, "a/2.html", "html of a/X\n"); /* of the same size */
    running_remove(&in, "a/3.html");
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 3);
    cr_assert_eq(in.result.nmade, 2);
    running_expect(&in, "a/2.html", "html of a/2\n");
    running_expect(&in, "a/3.html", "html of a/3\n");
    running_read(&in, VC_MANIFEST_NAME, &after);
    cr_assert_str_eq(before.data, after.data);
    in.plan.is_forced = true;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 0);
    vc_buffer_release(&before);
    vc_buffer_release(&after);
    running_end(&in);
}

/* What the bytes depend on is another key. */
Test(run, keeps_nothing_of_another_run)
{
    struct running in;
    running_begin(&in, 3);
    cr_assert_eq(running_run(&in), VC_OK);
    in.plan.snapshot = VC_STR("2-0000");
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 0, "another snapshot");
    in.plan.specification = VC_STR("{ }");
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 0, "another specification");
    vc_given_parameter year = {VC_STR("year"), VC_STR("2019")};
    in.plan.parameters = &year;
    in.plan.nparameters = 1;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 0, "other parameters");
    in.plan.formats[VC_REPORT_MARKDOWN] = true;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 0, "other formats");
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 3);
    running_end(&in);
}

/* A line of the journal that is torn or changed is none; those after it are. */
Test(run, does_not_trust_the_journal)
{
    struct running in;
    vc_buffer journal = {0};
    running_begin(&in, 4);
    cr_assert_eq(running_run(&in), VC_OK);
    running_read(&in, ".vcube-report.journal", &journal);
    /* Torn in the last line. */
    journal.data[journal.size - 20] = '\0';
    running_write(&in, ".vcube-report.journal", journal.data);
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 3);
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 4, "what came behind the torn line is found");
    /* A digit changed in the second document: its files are right, but what is said of them is not.
     */
    journal.size = 0;
    running_read(&in, ".vcube-report.journal", &journal);
    char *at = strstr(journal.data, "\"file\":\"a/1\"");
    cr_assert_not_null(at);
    at = strstr(at, "\"rows\":12");
    cr_assert_not_null(at);
    at[8] = '3';
    running_write(&in, ".vcube-report.journal", journal.data);
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 3);
    running_write(&in, ".vcube-report.journal", "rubbish");
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 0);
    vc_buffer_release(&journal);
    running_end(&in);
}

/* ---- problems ---- */

Test(run, does_not_publish_what_must_not_be)
{
    struct running in;
    running_begin(&in, 3);
    running_make_folder(&in, "a");
    running_write(&in, "a/1.html", "older\n");
    in.assertion = 1;
    in.section = 2;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.nmade, 2);
    cr_assert_eq(in.result.nunpublished, 1);
    cr_assert_eq(in.result.nfailed, 1);
    running_expect(&in, "a/1.html", "older\n");
    running_expect(&in, "a/2.html", "html of a/2\n");
    vc_run_manifest manifest;
    running_manifest(&in, &manifest);
    cr_assert_not(manifest.documents[1].is_published);
    cr_assert_eq(manifest.documents[1].nfiles, 0);
    cr_assert_eq(manifest.documents[1].nproblems, 1);
    cr_assert_eq(in.nproblems_seen, 2);
    cr_assert_eq(in.nunpublished_seen, 1);
    cr_assert_eq(in.result.nstrangers, 0);
    /* Problems are looked at again. */
    in.section = -1;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 1);
    cr_assert_eq(in.result.nfailed, 0);
    running_end(&in);
}

Test(run, is_strict_with_sections)
{
    struct running in;
    running_begin(&in, 2);
    in.section = 1;
    in.plan.is_strict = true;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.nunpublished, 1);
    cr_assert_not(running_has(&in, "a/1.html"));
    running_end(&in);
}

/* A grid that JSON-stat cannot show takes its file away and no other. */
Test(run, tells_of_a_section_that_has_no_file)
{
    struct running in;
    running_begin(&in, 2);
    in.plan.formats[VC_REPORT_JSONSTAT] = true;
    in.bad_section = 0;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.nfailed, 1);
    cr_assert_not(running_has(&in, "a/0.grid.json"));
    running_expect(&in, "a/0.html", "html of a/0\n");
    running_expect(&in, "a/1.grid.json", "jsonstat of a/1 grid\n");
    cr_assert_eq(running_temporaries(&in), 0);
    vc_run_manifest manifest;
    running_manifest(&in, &manifest);
    cr_assert_eq(manifest.documents[0].nproblems, 1);
    cr_assert_eq(manifest.documents[0].nfiles, 1);
    running_end(&in);
}

/* ---- runs that end early ---- */

Test(run, leaves_finished_files_when_one_cannot_be_made)
{
    struct running in;
    running_begin(&in, 6);
    in.broken = 3;
    cr_assert_eq(running_run(&in), VC_CORRUPT);
    running_expect(&in, "a/2.html", "html of a/2\n");
    cr_assert_not(running_has(&in, "a/3.html"));
    cr_assert_not(running_has(&in, VC_MANIFEST_NAME));
    cr_assert_eq(running_temporaries(&in), 0);
    in.broken = -1;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 3);
    running_end(&in);
}

/* All files of a document are written before the first has its name. */
Test(run, gives_no_file_its_name_before_all_are_written)
{
    struct running in;
    running_begin(&in, 1);
    in.plan.formats[VC_REPORT_PDF] = true;
    in.broken_pdf = 0;
    cr_assert_eq(running_run(&in), VC_STORAGE);
    cr_assert_not(running_has(&in, "a/0.html"));
    cr_assert_eq(running_temporaries(&in), 0);
    running_end(&in);
}

Test(run, stops_when_it_is_told_to)
{
    struct running in;
    running_begin(&in, 10);
    cr_assert_eq(running_run(&in), VC_OK);
    vc_buffer before = {0}, after = {0};
    running_read(&in, VC_MANIFEST_NAME, &before);
    in.plan.snapshot = VC_STR("2-0000");
    in.cancel = 4;
    cr_assert_eq(running_run(&in), VC_CANCELLED);
    cr_assert_eq(in.result.nmade, 4);
    running_read(&in, VC_MANIFEST_NAME, &after);
    cr_assert_str_eq(before.data, after.data, "the manifest is the older one");
    cr_assert_eq(running_temporaries(&in), 0);
    in.cancel = -1;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.progress.nkept, 4);
    vc_buffer_release(&before);
    vc_buffer_release(&after);
    running_end(&in);
}

/* kill -9 at a hundred moments: whole files only, and the next run makes the rest. */
Test(run, survives_being_killed)
{
    struct running whole, in;
    enum { NITEMS = 12, NKILLS = 100 };
    char name[32];
    unsigned seed = 7, nunfinished = 0;
    running_begin(&whole, NITEMS);
    whole.plan.formats[VC_REPORT_MARKDOWN] = true;
    cr_assert_eq(running_run(&whole), VC_OK);
    running_begin(&in, NITEMS);
    in.plan.formats[VC_REPORT_MARKDOWN] = true;
    for (int round = 0; round < NKILLS; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            in.plan.is_forced = round % 4 == 0;
            running_run(&in);
            _exit(0);
        }
        usleep((unsigned)rand_r(&seed) % 12000);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        for (int i = 0; i < NITEMS; i++) {
            snprintf(name, sizeof name, "a/%d.html", i);
            if (running_has(&in, name))
                running_expect_same(&whole, &in, name);
            else
                nunfinished++;
        }
        if (running_has(&in, VC_MANIFEST_NAME)) running_expect_same(&whole, &in, VC_MANIFEST_NAME);
        if (round % 10 == 9) running_clear(&in);
    }
    cr_assert_gt(nunfinished, 0, "no kill came early");
    cr_assert_eq(running_run(&in), VC_OK);
    for (int i = 0; i < NITEMS; i++) {
        snprintf(name, sizeof name, "a/%d.md", i);
        running_expect_same(&whole, &in, name);
    }
    running_expect_same(&whole, &in, VC_MANIFEST_NAME);
    cr_assert_eq(running_temporaries(&in), 0);
    running_end(&whole);
    running_end(&in);
}

/* ---- the folder ---- */

Test(run, removes_what_a_killed_one_left)
{
    struct running in;
    running_begin(&in, 1);
    running_make_folder(&in, "a");
    running_write(&in, ".vcube-report-7.tmp", "half");
    running_write(&in, "a/.vcube-report-0.tmp", "half");
    running_write(&in, "a/.vcube-report-mine", "somebody's");
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(running_temporaries(&in), 0);
    cr_assert(running_has(&in, "a/.vcube-report-mine"));
    running_end(&in);
}

Test(run, follows_no_link)
{
    struct running in;
    char path[512], target[512];
    running_begin(&in, 1);
    snprintf(target, sizeof target, "%s-elsewhere", in.directory);
    snprintf(path, sizeof path, "%s/a", in.directory);
    cr_assert_eq(mkdir(target, 0700), 0);
    cr_assert_eq(symlink(target, path), 0);
    cr_assert_eq(running_run(&in), VC_STORAGE);
    cr_assert_not_null(strstr(in.error.message, "a symbolic link or a file is in the way"), "%s",
                       in.error.message);
    cr_assert_eq(rmdir(target), 0, "nothing was written there");
    unlink(path);
    /* In the place of a file. */
    running_make_folder(&in, "a");
    snprintf(path, sizeof path, "%s/a/0.html", in.directory);
    cr_assert_eq(symlink("/tmp/elsewhere", path), 0);
    cr_assert_eq(running_run(&in), VC_STORAGE);
    cr_assert_not_null(strstr(in.error.message, "is a symbolic link"), "%s", in.error.message);
    unlink(path);
    running_make_folder(&in, "a/0.html");
    cr_assert_eq(running_run(&in), VC_STORAGE);
    cr_assert_not_null(strstr(in.error.message, "is a folder"), "%s", in.error.message);
    running_end(&in);
}

static void expect_same_ways(vc_folder *folder, const char *name, int expected)
{
    int fd = vc_folder_open_file(folder, vc_str_of(name), O_RDONLY);
    cr_assert_eq(fd >= 0, expected, "%s", name);
    if (fd >= 0) close(fd);
}

/* With openat2 and without it the same ways lead below the folder. */
Test(run, goes_part_by_part_as_with_openat2)
{
    struct running in;
    char path[512];
    running_begin(&in, 1);
    cr_assert_eq(running_run(&in), VC_OK);
    snprintf(path, sizeof path, "%s/link", in.directory);
    cr_assert_eq(symlink("a", path), 0);
    snprintf(path, sizeof path, "%s/a/link", in.directory);
    cr_assert_eq(symlink("0.html", path), 0);
    for (int plain = 0; plain < 2; plain++) {
        vc_folder *folder;
        cr_assert_eq(vc_folder_open(in.directory, false, &folder, NULL), VC_OK);
        if (plain) vc_folder_go_part_by_part(folder);
        expect_same_ways(folder, "a/0.html", 1);
        expect_same_ways(folder, "a/1.html", 0);
        expect_same_ways(folder, "link/0.html", 0);
        expect_same_ways(folder, "a/link", 0);
        expect_same_ways(folder, "a/0.html/x", 0);
        vc_folder_close(folder);
    }
    running_end(&in);
}

Test(run, knows_names)
{
    static const struct {
        const char *name;
        bool is_name;
    } cases[] = {{"FRA.html", true}, {"a/b/c.csv", true},    {"\xC3\x89t\xC3\xA9", true},
                 {"", false},        {"/etc/passwd", false}, {"a//b", false},
                 {"a/", false},      {"../x", false},        {"a/../b", false},
                 {".", false},       {".hidden", false},     {"a/.b", false},
                 {"a\nb", false},    {"a\\b", false},        {"\xFF", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(vc_folder_is_name(vc_str_of(cases[i].name)), cases[i].is_name, "%s",
                     cases[i].name);
    char longer[300];
    memset(longer, 'a', sizeof longer);
    cr_assert(vc_folder_is_name((vc_str){longer, 255}));
    cr_assert_not(vc_folder_is_name((vc_str){longer, 256}));
    cr_assert_not(vc_folder_is_name((vc_str){"a\0b", 3}));
}

Test(run, is_alone_in_its_folder)
{
    struct running in;
    running_begin(&in, 1);
    cr_assert_eq(running_run(&in), VC_OK);
    int fd = open(in.directory, O_RDONLY | O_DIRECTORY);
    cr_assert_eq(flock(fd, LOCK_EX), 0);
    cr_assert_eq(running_run(&in), VC_BUSY);
    cr_assert_not_null(strstr(in.error.message, "another run writes into"), "%s", in.error.message);
    close(fd);
    cr_assert_eq(running_run(&in), VC_OK);
    running_end(&in);
}

/* A disk without room, stood in for by the largest size of a file. */
Test(run, tells_where_there_is_no_room)
{
    struct running in;
    running_begin(&in, 3);
    in.is_large = true;
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {20000, 20000};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_eq(running_run(&in), VC_STORAGE);
    cr_assert_not_null(strstr(in.error.message, "a/0.html cannot be written: File too large"), "%s",
                       in.error.message);
    cr_assert_eq(running_temporaries(&in), 0);
    cr_assert_not(running_has(&in, VC_MANIFEST_NAME));
    running_end(&in);
}

Test(run, tells_of_a_folder_that_cannot_be_made)
{
    struct running in;
    running_begin(&in, 1);
    size_t size = strlen(in.directory);
    snprintf(in.directory + size, 32, "/file");
    int file = open(in.directory, O_CREAT | O_WRONLY, 0600);
    cr_assert_geq(file, 0);
    close(file);
    snprintf(in.directory + size, 32, "/file/such");
    cr_assert_eq(running_run(&in), VC_STORAGE);
    cr_assert_not_null(strstr(in.error.message, "/file/such cannot be made: Not a directory"), "%s",
                       in.error.message);
    snprintf(in.directory + size, 32, "/file");
    unlink(in.directory);
    in.directory[size] = '\0';
    running_end(&in);
}

/* Folders by day are not there yet. */
Test(run, makes_the_folders_above)
{
    struct running in;
    running_begin(&in, 1);
    size_t size = strlen(in.directory);
    snprintf(in.directory + size, 32, "/2026/11//23/");
    cr_assert_eq(running_run(&in), VC_OK, "%s", in.error.message);
    cr_assert(running_has(&in, VC_MANIFEST_NAME));
    running_clear(&in);
    static const char *const made[] = {"/2026/11/23", "/2026/11", "/2026"};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        snprintf(in.directory + size, 32, "%s", made[i]);
        cr_assert_eq(rmdir(in.directory), 0);
    }
    in.directory[size] = '\0';
    running_end(&in);
}

Test(run, tells_of_files_of_the_last_run)
{
    struct running in;
    running_begin(&in, 4);
    cr_assert_eq(running_run(&in), VC_OK);
    in.sweep.nitems = 2;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.nstrangers, 2);
    cr_assert(vc_str_is(in.result.stranger, "a/2.html"));
    cr_assert(running_has(&in, "a/3.html"), "they stay");
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.nstrangers, 0, "the manifest knows them no more");
    /* An older file of a document that is not published now is no stranger. */
    in.plan.snapshot = VC_STR("2-0000");
    in.assertion = 1;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.nunpublished, 1);
    cr_assert(running_has(&in, "a/1.html"));
    cr_assert_eq(in.result.nstrangers, 0);
    running_end(&in);
}

Test(run, makes_only_what_is_wanted)
{
    struct running in;
    vc_run_manifest manifest;
    bool is_wanted[4] = {false, false, true, false};
    running_begin(&in, 4);
    in.plan.is_wanted = is_wanted;
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.nmade, 1);
    cr_assert_eq(in.result.progress.ntotal, 1);
    running_manifest(&in, &manifest);
    cr_assert_not(manifest.is_complete);
    cr_assert_eq(manifest.ndocuments, 1);
    in.plan.is_wanted = NULL;
    cr_assert_eq(running_run(&in), VC_OK);
    /* Of a run that was complete, the others are in the manifest still. */
    in.plan.is_wanted = is_wanted;
    running_remove(&in, "a/2.html");
    cr_assert_eq(running_run(&in), VC_OK);
    cr_assert_eq(in.result.nmade, 1);
    running_manifest(&in, &manifest);
    cr_assert(manifest.is_complete);
    running_remove(&in, "a/0.html");
    cr_assert_eq(running_run(&in), VC_OK);
    running_manifest(&in, &manifest);
    cr_assert_not(manifest.is_complete);
    cr_assert_eq(manifest.ndocuments, 3);
    running_end(&in);
}
