/* Most cases are folders: tests/data/load/<case> is loaded into a store that holds one cube already
 * (tests/data/load/.base), and what the store holds then, or the error, must equal expected.txt. A
 * sub-folder `append` is loaded behind it, with --append; `replace` without; `append-again` with.
 * Whatever fails must leave the store as it was. `make test VCUBE_ACCEPT=1` writes expected.txt
 * anew. */
#include "cube/load.h"

#include "base/buffer.h"
#include "cube/dependency.h"
#include "cube/load_parts.h"
#include "cube/source.h"
#include "cube/text_column.h"
#include "tests/cube/load_state.h"
#include "tests/cube/scratch.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[112];
};

/* ---- golden cases ---- */

static struct criterion_test_params list_folders(const char *path)
{
    static struct folder folders[256];
    size_t count = 0;
    struct dirent **entries = NULL;
    int nentries = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < nentries; i++) {
        if (entries[i]->d_name[0] != '.' && count < 256 &&
            strlen(path) + strlen(entries[i]->d_name) + 2 <= sizeof folders[0].path)
            sprintf(folders[count++].path, "%s/%s", path, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return cr_make_param_array(struct folder, folders, count);
}

static bool has_path(const char *folder, const char *name, char *path, size_t size)
{
    struct stat info;
    snprintf(path, size, "%s/%s", folder, name);
    return stat(path, &info) == 0;
}

static uint64_t read_max_rejects(const char *folder)
{
    char path[200];
    unsigned long long number = 0;
    if (!has_path(folder, "max_rejects", path, sizeof path)) return 0;
    FILE *file = fopen(path, "r");
    cr_assert_eq(fscanf(file, "%llu", &number), 1);
    fclose(file);
    return number;
}

static void run_step(struct scratch *scratch, const char *folder, const char *path,
                     vc_load_options options, vc_buffer *actual)
{
    options.max_rejects = read_max_rejects(folder);
    vc_load_report report;
    vc_error error = {0};
    struct load_state before;
    vc_buffer_clear(&scratch->warnings);
    load_take_state(scratch, &before);
    vc_status status = scratch_load(scratch, path, options, &report, &error);
    load_put_outcome(actual, scratch, folder, status, &error, &report);
    if (status != VC_OK)
        load_check_same_state(scratch, &before);
    else
        cr_assert_eq(report.epoch, before.epoch + 1);
    vc_buffer_release(&before.dump);
}

static void put_rejects(const struct scratch *scratch, const char *folder, vc_buffer *actual)
{
    struct dirent **entries;
    int n = scandir(scratch->path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[400], line[400];
        snprintf(path, sizeof path, "%s/%s", scratch->path, entries[i]->d_name);
        FILE *file = strstr(path, ".rejects.csv") != NULL ? fopen(path, "r") : NULL;
        if (file != NULL) vc_buffer_printf(actual, "%s\n", entries[i]->d_name);
        for (int l = 0; file != NULL && l < 10 && fgets(line, sizeof line, file) != NULL; l++) {
            line[strcspn(line, "\r\n")] = '\0';
            vc_buffer_put_text(actual, "  ");
            load_put_cleaned(actual, line, folder, "CASE");
            vc_buffer_put_char(actual, '\n');
        }
        if (file != NULL) fclose(file);
        free(entries[i]);
    }
    free(entries);
}

static void check_expected(const char *folder, vc_buffer *actual)
{
    char path[200], expected[16384] = "";
    snprintf(path, sizeof path, "%s/expected.txt", folder);
    if (getenv("VCUBE_ACCEPT") != NULL) {
        FILE *file = fopen(path, "w");
        fputs(vc_buffer_text(actual), file);
        fclose(file);
        return;
    }
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "cannot read %s", path);
    expected[fread(expected, 1, sizeof expected - 1, file)] = '\0';
    fclose(file);
    cr_assert_str_eq(vc_buffer_text(actual), expected, "%s:\n%s", folder, vc_buffer_text(actual));
}

ParameterizedTestParameters(load, golden)
{
    return list_folders("tests/data/load");
}

static void run_golden(const struct folder *folder, unsigned nthreads, size_t block_bytes)
{
    vc_load_options fresh = {.nthreads = nthreads, .block_bytes = block_bytes};
    vc_load_options append = fresh;
    append.append = true;
    struct scratch scratch;
    vc_buffer actual = {0};
    vc_load_report report;
    vc_error error = {0};
    char path[200];
    scratch_open(&scratch);
    cr_assert_eq(
        scratch_load(&scratch, "tests/data/load/.base", (vc_load_options){0}, &report, &error),
        VC_OK, "%s", error.message);
    run_step(&scratch, folder->path, folder->path, fresh, &actual);
    if (has_path(folder->path, "append", path, sizeof path))
        run_step(&scratch, folder->path, path, append, &actual);
    if (has_path(folder->path, "replace", path, sizeof path))
        run_step(&scratch, folder->path, path, fresh, &actual);
    if (has_path(folder->path, "append-again", path, sizeof path))
        run_step(&scratch, folder->path, path, append, &actual);
    struct load_state now;
    load_take_state(&scratch, &now);
    vc_buffer_put_text(&actual, now.dump.data);
    vc_buffer_release(&now.dump);
    put_rejects(&scratch, folder->path, &actual);
    check_expected(folder->path, &actual);
    vc_buffer_release(&actual);
    scratch_close(&scratch);
}

ParameterizedTest(struct folder *folder, load, golden)
{
    run_golden(folder, 0, 0);
    run_golden(folder, 1, 100);
    run_golden(folder, 7, 60);
}

/* ---- what no folder can say ---- */

static const char letters_json[] =
    "{\"name\":\"letters\",\"kind\":\"source\",\"data\":{\"csv\":\"letters.csv\"},"
    "\"dimensions\":[{\"name\":\"letter\",\"levels\":[\"letter\"]}],"
    "\"measures\":[{\"name\":\"n\",\"type\":\"int\",\"aggregator\":\"sum\"}]}";

/* A folder that is not found would silently mean no cases. */
Test(load, golden_cases_are_there)
{
    cr_assert_geq(list_folders("tests/data/load").length, 50);
}

Test(load, a_check_writes_nothing)
{
    struct scratch scratch;
    struct load_state before;
    vc_load_report report;
    vc_error error = {0};
    scratch_open(&scratch);
    const char *file = scratch_write(&scratch, "letters.json", letters_json);
    scratch_write(&scratch, "letters.csv", "letter,n\na,1\nb,2\n");
    load_take_state(&scratch, &before);
    vc_load_options options = {.check_only = true};
    NEED_OK(scratch_load(&scratch, file, options, &report, why));
    cr_assert_eq(report.nrows, 2);
    cr_assert_eq(report.epoch, 0);
    load_check_same_state(&scratch, &before);

    scratch_write(&scratch, "letters.csv", "letter,n\na,x\n");
    cr_assert_eq(scratch_load(&scratch, file, options, &report, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "rejects");
    cr_assert_eq(error.line, 2);
    load_check_same_state(&scratch, &before);
    vc_buffer_release(&before.dump);
    scratch_close(&scratch);
}

/* Rejects of a check go into no file, unless a folder for them is named. */
Test(load, a_check_leaves_no_rejects_beside_the_data)
{
    struct scratch scratch;
    vc_load_report report;
    vc_error error = {0};
    vc_definition *definition;
    char path[128];
    scratch_open(&scratch);
    const char *file = scratch_write(&scratch, "letters.json", letters_json);
    scratch_write(&scratch, "letters.csv", "letter,n\na,x\n");
    NEED_OK(vc_definition_read(file, &scratch.arena, &definition, why));
    vc_load_options options = {.check_only = true};
    cr_assert_eq(vc_load_definitions(scratch.store, &definition, 1, &options, &scratch.arena,
                                     &report, &error),
                 VC_BAD_INPUT);
    snprintf(path, sizeof path, "%s/letters.csv.rejects.csv", scratch.path);
    cr_assert_neq(access(path, F_OK), 0);
    options.check_only = false;
    cr_assert_eq(vc_load_definitions(scratch.store, &definition, 1, &options, &scratch.arena,
                                     &report, &error),
                 VC_BAD_INPUT);
    cr_assert_eq(access(path, F_OK), 0, "the rejects of a load lie beside the data");
    vc_definition_release(definition);
    scratch_close(&scratch);
}

Test(load, a_check_needs_no_store)
{
    vc_arena arena = {0};
    vc_definition *definition;
    vc_load_report report;
    vc_load_options options = {.check_only = true};
    NEED_OK(vc_definition_read("tests/data/load/star/sales.json", &arena, &definition, why));
    NEED_OK(vc_load_definitions(NULL, &definition, 1, &options, &arena, &report, why));
    cr_assert_eq(report.nrows, 5);
    cr_assert_eq(report.nobjects, 1);
    cr_assert_eq(report.objects[0].nmembers, 12);
    vc_definition_release(definition);
    vc_arena_release(&arena);
}

static vc_status refuse(void *context, const vc_snapshot *preview, vc_error *error)
{
    vc_object object;
    cr_assert_eq(vc_snapshot_find(preview, VC_KIND_CUBE, VC_STR("letters"), &object, NULL), VC_OK,
                 "the preview shows the cube that is being loaded");
    ++*(int *)context;
    return vc_fail(error, VC_IMPOSSIBLE, "laws", "a law does not hold");
}

/* The last word before publishing is the caller's. */
Test(load, checked_can_refuse)
{
    struct scratch scratch;
    struct load_state before;
    vc_load_report report;
    vc_error error = {0};
    int ncalls = 0;
    scratch_open(&scratch);
    const char *file = scratch_write(&scratch, "letters.json", letters_json);
    scratch_write(&scratch, "letters.csv", "letter,n\na,1\n");
    load_take_state(&scratch, &before);
    vc_load_options options = {.checked = refuse, .context = &ncalls};
    cr_assert_eq(scratch_load(&scratch, file, options, &report, &error), VC_IMPOSSIBLE);
    cr_assert_str_eq(error.code, "laws");
    cr_assert_eq(ncalls, 1);
    load_check_same_state(&scratch, &before);
    vc_buffer_release(&before.dump);
    scratch_close(&scratch);
}

/* A file that is all wrong is not read to its end. */
Test(load, stops_after_enough_rejects)
{
    struct scratch scratch;
    vc_load_report report;
    vc_error error = {0};
    vc_buffer text = {0};
    scratch_open(&scratch);
    const char *file = scratch_write(&scratch, "letters.json", letters_json);
    vc_buffer_put_text(&text, "letter,n\n");
    for (int i = 0; i < 5000; i++)
        vc_buffer_put_text(&text, "a,x\n");
    scratch_write(&scratch, "letters.csv", vc_buffer_text(&text));
    vc_load_options options = {.max_rejects = 10};
    cr_assert_eq(scratch_load(&scratch, file, options, &report, &error), VC_BAD_INPUT);
    cr_assert_not_null(strstr(error.message, "1010 rows were rejected, 10 allowed; the first: "));
    cr_assert_eq(error.line, 2);
    vc_buffer_release(&text);
    scratch_close(&scratch);
}

/* Not being able to write the rejects down hides nothing, and loses no row in silence. */
Test(load, rejects_that_cannot_be_written)
{
    struct scratch scratch;
    vc_load_report report;
    vc_error error = {0};
    scratch_open(&scratch);
    const char *file = scratch_write(&scratch, "letters.json", letters_json);
    scratch_write(&scratch, "letters.csv", "letter,n\na,x\nb,2\n");
    vc_load_options options = {.rejects_directory = "/nonexistent"};
    cr_assert_eq(scratch_load(&scratch, file, options, &report, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "rejects");
    cr_assert_not_null(strstr(error.message, "'x' is not an integer"));
    cr_assert_null(strstr(error.message, "see "));
    options.max_rejects = 1;
    cr_assert_eq(scratch_load(&scratch, file, options, &report, &error), VC_STORAGE);
    cr_assert_str_eq(error.code, "rejects_write");
    scratch_close(&scratch);
}

/* One definition given twice is as wrong as two of one name. */
Test(load, the_same_definition_twice)
{
    struct scratch scratch;
    vc_load_report report;
    vc_load_options options = {0};
    vc_error error = {0};
    vc_definition *definitions[2];
    scratch_open(&scratch);
    NEED_OK(vc_definition_read("tests/data/load/star/sales.json", &scratch.arena, &definitions[0],
                               why));
    definitions[1] = definitions[0];
    cr_assert_eq(vc_load_definitions(scratch.store, definitions, 2, &options, &scratch.arena,
                                     &report, &error),
                 VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "duplicate_name");
    vc_definition_release(definitions[0]);
    scratch_close(&scratch);
}

/* The facts of earlier loads belong to a cube that was appended to: they stay when the epochs in
 * which they were published are collected. */
Test(load, appended_facts_outlive_old_epochs)
{
    struct scratch scratch;
    struct load_state before, now;
    scratch_open(&scratch);
    scratch_need_load(&scratch, "tests/data/load/append/sales.json", (vc_load_options){0});
    scratch_need_load(&scratch, "tests/data/load/append/append", (vc_load_options){.append = true});
    load_take_state(&scratch, &before);
    const char *file = scratch_write(&scratch, "a.json", letters_json);
    scratch_write(&scratch, "letters.csv", "letter,n\na,1\n");
    for (int i = 0; i < 12; i++) /* more than are kept */
        scratch_need_load(&scratch, file, (vc_load_options){0});
    NEED_OK(vc_object_drop(scratch.store, VC_KIND_CUBE, VC_STR("letters"), false, NULL, why));
    load_take_state(&scratch, &now);
    cr_assert_str_eq(now.dump.data, before.dump.data);
    cr_assert_not_null(strstr(now.dump.data, "facts: 4 rows, 2 runs"));
    vc_buffer_release(&before.dump);
    vc_buffer_release(&now.dump);
    scratch_close(&scratch);
}
