/* Most cases are folders: tests/data/load/<case> is loaded into a store that holds one cube already
 * (tests/data/load/.base), and what the store holds then, or the error, must equal expected.txt. A
 * sub-folder `append` is loaded behind it, with --append; `replace` without; `append-again` with.
 * Whatever fails must leave the store as it was. `make test VCUBE_ACCEPT=1` writes expected.txt
 * anew. */
#include "cube/load.h"

#include "base/buffer.h"
#include "cube/dependency.h"
#include "tests/cube/load_dump.h"

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

/* ---- a store in a temporary folder ---- */

struct scratch {
    char path[64];
    vc_store *store;
    vc_arena arena;
    vc_buffer warnings;
};

static void add_warning(void *context, const char *sentence)
{
    struct scratch *scratch = context;
    vc_buffer_printf(&scratch->warnings, "warning: %s\n", sentence);
}

static void open_scratch(struct scratch *scratch)
{
    vc_error error = {0};
    *scratch = (struct scratch){0};
    strcpy(scratch->path, "/tmp/vcube-load.XXXXXX");
    cr_assert_not_null(mkdtemp(scratch->path));
    cr_assert_eq(vc_store_open(scratch->path, NULL, &scratch->store, &error), VC_OK, "%s",
                 error.message);
}

static void close_scratch(struct scratch *scratch)
{
    vc_store_close(scratch->store);
    vc_buffer_release(&scratch->warnings);
    vc_arena_release(&scratch->arena);
    struct dirent **entries;
    int n = scandir(scratch->path, &entries, NULL, NULL);
    for (int i = 0; i < n; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", scratch->path, entries[i]->d_name);
        unlink(path);
        free(entries[i]);
    }
    free(entries);
    rmdir(scratch->path);
}

/* Load a file or all definitions of a folder. */
static vc_status load_path(struct scratch *scratch, const char *path, vc_load_options options,
                           vc_load_report *report, vc_error *error)
{
    vc_str *files;
    size_t nfiles;
    vc_definition *definitions[16];
    vc_status status = vc_definition_list(path, &scratch->arena, &files, &nfiles, error);
    cr_assert_eq(status, VC_OK, "%s: %s", path, error->message);
    cr_assert_leq(nfiles, 16);
    size_t ndefinitions = 0;
    for (; ndefinitions < nfiles; ndefinitions++) {
        status = vc_definition_read(files[ndefinitions].data, &scratch->arena,
                                    &definitions[ndefinitions], error);
        cr_assert_eq(status, VC_OK, "%s: %s", path, error->message);
    }
    if (options.rejects_directory == NULL) options.rejects_directory = scratch->path;
    options.warning = add_warning;
    options.context = scratch;
    status = vc_load_definitions(scratch->store, definitions, ndefinitions, &options,
                                 &scratch->arena, report, error);
    for (size_t i = 0; i < ndefinitions; i++)
        vc_definition_release(definitions[i]);
    return status;
}

struct state { /* of a store, to be compared */
    char snapshot[64];
    uint64_t epoch, nobjects, nchunks;
    vc_buffer dump;
};

static void take_state(const struct scratch *scratch, struct state *state)
{
    vc_error error = {0};
    vc_store_stats stats;
    vc_snapshot *snapshot;
    uint64_t nrecords, ndamaged;
    *state = (struct state){0};
    cr_assert_eq(vc_store_verify(scratch->store, NULL, NULL, &nrecords, &ndamaged, &error), VC_OK,
                 "%s", error.message);
    cr_assert_eq(vc_store_stat(scratch->store, &stats, &error), VC_OK);
    state->epoch = stats.epoch;
    state->nobjects = stats.nobjects;
    state->nchunks = stats.nchunks;
    cr_assert_eq(vc_snapshot_open(scratch->store, &snapshot, &error), VC_OK);
    snprintf(state->snapshot, sizeof state->snapshot, "%s", vc_snapshot_id(snapshot));
    vc_snapshot_close(snapshot);
    load_dump_store(scratch->store, &state->dump);
    vc_buffer_text(&state->dump);
}

static void check_same_state(const struct scratch *scratch, struct state *before)
{
    struct state now;
    take_state(scratch, &now);
    cr_assert_str_eq(now.snapshot, before->snapshot);
    cr_assert_eq(now.epoch, before->epoch);
    cr_assert_eq(now.nobjects, before->nobjects);
    cr_assert_eq(now.nchunks, before->nchunks);
    cr_assert_str_eq(now.dump.data, before->dump.data);
    vc_buffer_release(&now.dump);
}

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

/* Put the text, with what differs from run to run and from place to place taken out. */
static void put_cleaned(vc_buffer *buffer, const char *text, const char *path, const char *name)
{
    size_t size = strlen(path);
    for (const char *at; (at = strstr(text, path)) != NULL; text = at + size) {
        vc_buffer_put(buffer, text, (size_t)(at - text));
        vc_buffer_put_text(buffer, name);
    }
    vc_buffer_put_text(buffer, text);
}

static void put_outcome(vc_buffer *buffer, const struct scratch *scratch, const char *folder,
                        vc_status status, const vc_error *error, const vc_load_report *report)
{
    char text[3000];
    vc_buffer once = {0};
    if (status != VC_OK) {
        cr_assert_eq(error->status, status);
        vc_error_format(error, text, sizeof text);
        vc_buffer_printf(&once, "error %s: %s\n", error->code, text);
    } else {
        vc_buffer_printf(&once, "loaded %llu rows, %llu rejected\n",
                         (unsigned long long)report->nrows, (unsigned long long)report->nrejects);
    }
    vc_buffer_put_str(&once, (vc_str){scratch->warnings.data, scratch->warnings.size});
    vc_buffer twice = {0};
    put_cleaned(&twice, vc_buffer_text(&once), scratch->path, "TEMPORARY");
    put_cleaned(buffer, vc_buffer_text(&twice), folder, "CASE");
    vc_buffer_release(&once);
    vc_buffer_release(&twice);
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

static void run_step(struct scratch *scratch, const char *folder, const char *path, bool append,
                     vc_buffer *actual)
{
    vc_load_options options = {.append = append, .max_rejects = read_max_rejects(folder)};
    vc_load_report report;
    vc_error error = {0};
    struct state before;
    vc_buffer_clear(&scratch->warnings);
    take_state(scratch, &before);
    vc_status status = load_path(scratch, path, options, &report, &error);
    put_outcome(actual, scratch, folder, status, &error, &report);
    if (status != VC_OK)
        check_same_state(scratch, &before);
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
            put_cleaned(actual, line, folder, "CASE");
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

ParameterizedTest(struct folder *folder, load, golden)
{
    struct scratch scratch;
    vc_buffer actual = {0};
    vc_load_report report;
    vc_error error = {0};
    char path[200];
    open_scratch(&scratch);
    cr_assert_eq(
        load_path(&scratch, "tests/data/load/.base", (vc_load_options){0}, &report, &error), VC_OK,
        "%s", error.message);
    run_step(&scratch, folder->path, folder->path, false, &actual);
    if (has_path(folder->path, "append", path, sizeof path))
        run_step(&scratch, folder->path, path, true, &actual);
    if (has_path(folder->path, "replace", path, sizeof path))
        run_step(&scratch, folder->path, path, false, &actual);
    if (has_path(folder->path, "append-again", path, sizeof path))
        run_step(&scratch, folder->path, path, true, &actual);
    struct state now;
    take_state(&scratch, &now);
    vc_buffer_put_text(&actual, now.dump.data);
    vc_buffer_release(&now.dump);
    put_rejects(&scratch, folder->path, &actual);
    check_expected(folder->path, &actual);
    vc_buffer_release(&actual);
    close_scratch(&scratch);
}
