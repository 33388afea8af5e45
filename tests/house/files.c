#include "tests/house/house.h"

#include <criterion/parameterized.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct criterion_test_params house_folders(const char *path)
{
    struct dirent **entries = NULL;
    size_t count = 0;
    int nentries = scandir(path, &entries, NULL, alphasort);
    struct house_folder *folders = cr_calloc(nentries > 0 ? (size_t)nentries : 1, sizeof *folders);
    for (int i = 0; i < nentries; i++) {
        if (entries[i]->d_name[0] != '.') {
            /* One that is left out would be a test that nobody misses. */
            if (strlen(entries[i]->d_name) >= sizeof folders->name) abort();
            strcpy(folders[count++].name, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    return cr_make_param_array(struct house_folder, folders, count);
}

void house_path(char path[HOUSE_PATH], const char *folder, const char *name)
{
    int size = snprintf(path, HOUSE_PATH, "%s/%s", folder, name);
    cr_assert_lt(size, HOUSE_PATH);
}

bool house_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

void house_read(const char *path, vc_buffer *text)
{
    char block[65536];
    size_t n;
    FILE *file = fopen(path, "re");
    cr_assert_not_null(file, "%s: %s", path, strerror(errno));
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        vc_buffer_put(text, block, n);
    fclose(file);
    vc_buffer_text(text);
}

json_t *house_read_json(const char *folder, const char *name)
{
    char path[HOUSE_PATH];
    json_error_t error;
    house_path(path, folder, name);
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(json, "%s:%d:%d: %s", path, error.line, error.column, error.text);
    return json;
}

void house_write(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file, "%s: %s", path, strerror(errno));
    cr_assert_eq(fwrite(text, 1, size, file), size);
    fclose(file);
}

void house_copy_folder(const char *from, const char *to)
{
    struct dirent **entries;
    int n = scandir(from, &entries, NULL, alphasort);
    cr_assert(mkdir(to, 0700) == 0 || errno == EEXIST, "%s: %s", to, strerror(errno));
    for (int i = 0; i < n; i++) {
        char source[HOUSE_PATH], target[HOUSE_PATH];
        struct stat info;
        vc_buffer text = {0};
        house_path(source, from, entries[i]->d_name);
        house_path(target, to, entries[i]->d_name);
        if (stat(source, &info) == 0 && S_ISREG(info.st_mode)) {
            house_read(source, &text);
            house_write(target, text.size > 0 ? text.data : "", text.size);
        }
        vc_buffer_release(&text);
        free(entries[i]);
    }
    free(entries);
}

void house_make_folder(char path[HOUSE_PATH])
{
    const char *folder = getenv("VCUBE_HOUSE_STORES"); /* main removes it, also what tests leave */
    if (folder == NULL) folder = getenv("TMPDIR");
    house_path(path, folder != NULL ? folder : "/tmp", "vcube-house-XXXXXX");
    cr_assert_not_null(mkdtemp(path), "%s: %s", path, strerror(errno));
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

void house_remove_folder(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
