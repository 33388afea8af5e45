#include "cube/rejects.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/vc-rejects-XXXXXX";
static char path[64];

static void make_folder(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/facts.rejects.csv", folder);
}

static void remove_folder(void)
{
    unlink(path);
    cr_expect_eq(rmdir(folder), 0, "something is left in the folder");
}

TestSuite(rejects, .init = make_folder, .fini = remove_folder);

static size_t count_files(void)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    cr_assert(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static const char *read_file(void)
{
    static char text[1024];
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static vc_rejects *new_rejects(void)
{
    vc_rejects *rejects;
    vc_error error = {0};
    cr_assert_eq(vc_rejects_new(path, &rejects, &error), VC_OK);
    return rejects;
}

static void put(vc_rejects *rejects, unsigned line, const char *message, const char *record)
{
    vc_error reason = {0}, error = {0};
    vc_fail(&reason, VC_BAD_INPUT, "csv_fields", "%s", message);
    vc_error_at_file(&reason, "facts.csv", line, line > 0 ? 5 : 0);
    cr_expect_eq(vc_rejects_put(rejects, &reason, vc_str_of(record), &error), VC_OK, "%s",
                 error.message);
}

Test(rejects, without_a_reject_there_is_no_file)
{
    vc_error error = {0};
    vc_rejects *rejects = new_rejects();
    cr_expect_eq(vc_rejects_count(rejects), 0);
    cr_expect_eq(vc_rejects_close(rejects, &error), VC_OK);
    cr_expect_eq(count_files(), 0);
}

Test(rejects, rows_are_written_as_they_were)
{
    vc_error error = {0};
    vc_rejects *rejects = new_rejects();
    put(rejects, 7, "the row has 1 field, expected 2", "FR");
    put(rejects, 0, "'x' is \"bad\"", "\"a\nb\",\xE9");
    cr_expect_eq(vc_rejects_count(rejects), 2);
    cr_expect_str_eq(vc_rejects_path(rejects), path);
    cr_expect_neq(access(path, F_OK), 0, "visible before it is complete");
    cr_expect_eq(vc_rejects_close(rejects, &error), VC_OK);
    cr_expect_str_eq(read_file(),
                     "file,line,column,reason,record\r\n"
                     "\"facts.csv\",7,5,\"the row has 1 field, expected 2\",\"FR\"\r\n"
                     "\"facts.csv\",,,\"'x' is \"\"bad\"\"\",\"\"\"a\nb\"\",\xE9\"\r\n");
    cr_expect_eq(count_files(), 1);
    struct stat about;
    cr_expect_eq(stat(path, &about), 0);
    cr_expect_eq(about.st_mode & 0777, 0600); /* the rows may be confidential */
}

Test(rejects, a_newer_file_takes_the_place_of_an_older_one)
{
    vc_error error = {0};
    for (unsigned line = 1; line <= 2; line++) {
        vc_rejects *rejects = new_rejects();
        put(rejects, line, "no", "x");
        cr_expect_eq(vc_rejects_close(rejects, &error), VC_OK);
    }
    cr_expect(strstr(read_file(), "\"facts.csv\",2,") != NULL);
    cr_expect(strstr(read_file(), "\"facts.csv\",1,") == NULL);
}

Test(rejects, abandoning_leaves_nothing)
{
    vc_rejects *rejects = new_rejects();
    put(rejects, 1, "no", "x");
    vc_rejects_abandon(rejects);
    cr_expect_eq(count_files(), 0);
    vc_rejects_abandon(NULL);
    cr_expect_eq(vc_rejects_close(NULL, NULL), VC_OK);
}

Test(rejects, a_folder_that_is_not_there_fails_and_still_counts)
{
    vc_error reason = {0}, error = {0};
    vc_rejects *rejects;
    char elsewhere[80];
    snprintf(elsewhere, sizeof elsewhere, "%s/none/facts.rejects.csv", folder);
    vc_fail(&reason, VC_BAD_INPUT, "csv_fields", "no");
    cr_assert_eq(vc_rejects_new(elsewhere, &rejects, &error), VC_OK);
    for (unsigned i = 1; i <= 2; i++) {
        cr_expect_eq(vc_rejects_put(rejects, &reason, VC_STR("x"), &error), VC_STORAGE);
        cr_expect_str_eq(error.code, "rejects_write");
        cr_expect_str_eq(error.file, elsewhere);
        cr_expect_eq(vc_rejects_count(rejects), i);
    }
    cr_expect_eq(vc_rejects_close(rejects, &error), VC_STORAGE);
}

/* The name is taken by a folder, so that only the renaming fails. */
Test(rejects, a_failure_at_the_end_leaves_no_temporary_file)
{
    vc_error error = {0};
    vc_rejects *rejects = new_rejects();
    put(rejects, 1, "no", "x");
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(vc_rejects_close(rejects, &error), VC_STORAGE);
    cr_expect_eq(count_files(), 1);
    rmdir(path);
}
