#include "tests/house/house.h"

#include "cube/load.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vc_status read_definitions(const char *const *paths, size_t npaths, vc_arena *arena,
                                  vc_definition **definitions, size_t *ndefinitions,
                                  size_t max_definitions, vc_error *error)
{
    for (size_t i = 0; i < npaths; i++) {
        vc_str *files;
        size_t nfiles;
        vc_status status = vc_definition_list(paths[i], arena, &files, &nfiles, error);
        for (size_t j = 0; j < nfiles && status == VC_OK && *ndefinitions < max_definitions; j++) {
            status = vc_definition_read(files[j].data, arena, &definitions[*ndefinitions], error);
            if (status == VC_OK) ++*ndefinitions;
        }
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

vc_status house_load(const char *directory, const char *const *paths, size_t npaths,
                     vc_error *error)
{
    vc_definition *definitions[64];
    size_t ndefinitions = 0;
    vc_arena arena = {0};
    vc_store *store = NULL;
    vc_load_report report;
    vc_load_options options = {0};
    vc_status status =
        read_definitions(paths, npaths, &arena, definitions, &ndefinitions, 64, error);
    if (status == VC_OK) status = vc_store_open(directory, NULL, &store, error);
    if (status == VC_OK)
        status =
            vc_load_definitions(store, definitions, ndefinitions, &options, &arena, &report, error);
    for (size_t i = 0; i < ndefinitions; i++)
        vc_definition_release(definitions[i]);
    vc_store_close(store);
    vc_arena_release(&arena);
    return status;
}

void house_store(const char *fixture, char path[HOUSE_PATH])
{
    const char *root = getenv("VCUBE_HOUSE_STORES"), *name = strrchr(fixture, '/');
    cr_assert_not_null(root, "the stores of the fixtures are made by main");
    house_path(path, root, name != NULL ? name + 1 : fixture);
}

static bool load_fixtures_of(const char *root, const char *folder)
{
    struct dirent **entries;
    bool is_well = true;
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[HOUSE_PATH], store[HOUSE_PATH], text[2048];
        const char *paths[1] = {path};
        vc_error error = {0};
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        snprintf(store, sizeof store, "%s/%s", root, entries[i]->d_name);
        if (entries[i]->d_type == DT_DIR && entries[i]->d_name[0] != '.' &&
            house_load(store, paths, 1, &error) != VC_OK) {
            fprintf(stderr, "fixture %s\n", vc_error_format(&error, text, sizeof text));
            is_well = false;
        }
        free(entries[i]);
    }
    if (n >= 0) free(entries);
    return n >= 0 && is_well;
}

bool house_load_fixtures(const char *root)
{
    bool has_samples = load_fixtures_of(root, "samples");
    return load_fixtures_of(root, "tests/data/fixture") && has_samples;
}
