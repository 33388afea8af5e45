#include "tests/cube/scratch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_warning(void *context, const char *sentence)
{
    struct scratch *scratch = context;
    vc_buffer_printf(&scratch->warnings, "warning: %s\n", sentence);
}

void scratch_open(struct scratch *scratch)
{
    vc_error error = {0};
    *scratch = (struct scratch){0};
    strcpy(scratch->path, "/tmp/vcube-load.XXXXXX");
    cr_assert_not_null(mkdtemp(scratch->path));
    cr_assert_eq(vc_store_open(scratch->path, NULL, &scratch->store, &error), VC_OK, "%s",
                 error.message);
}

void scratch_close(struct scratch *scratch)
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

const char *scratch_write(struct scratch *scratch, const char *name, const char *text)
{
    vc_str path = vc_arena_printf(&scratch->arena, "%s/%s", scratch->path, name);
    FILE *file = fopen(path.data, "w");
    cr_assert_not_null(file, "cannot write %s", path.data);
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
    return path.data;
}

vc_status scratch_load(struct scratch *scratch, const char *path, vc_load_options options,
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
    if (options.warning == NULL && options.context == NULL) {
        options.warning = add_warning;
        options.context = scratch;
    }
    status = vc_load_definitions(scratch->store, definitions, ndefinitions, &options,
                                 &scratch->arena, report, error);
    for (size_t i = 0; i < ndefinitions; i++)
        vc_definition_release(definitions[i]);
    return status;
}

void scratch_need_load(struct scratch *scratch, const char *path, vc_load_options options)
{
    vc_load_report report;
    NEED_OK(scratch_load(scratch, path, options, &report, why));
}
