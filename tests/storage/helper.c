#include "helper.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void make_directory(char directory[DIRECTORY_TEXT])
{
    const char *parent = getenv("TMPDIR");
    snprintf(directory, DIRECTORY_TEXT, "%s/vcube-storage-XXXXXX",
             parent != NULL ? parent : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
}

void remove_directory(const char *directory)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;
    char path[2 * DIRECTORY_TEXT + 256];
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] != '.' && unlink(path) != 0) remove_directory(path);
    }
    if (entries != NULL) closedir(entries);
    rmdir(directory);
}

void data_path(const char *directory, char path[DIRECTORY_TEXT + 32])
{
    snprintf(path, DIRECTORY_TEXT + 32, "%s/vcube.mdb", directory);
}

void check_ok(vc_status status, const vc_error *error, const char *what)
{
    cr_assert_eq(status, VC_OK, "%s: status %d: %s", what, status, error->message);
}

vc_store *open_store(const char *directory, const vc_store_options *options)
{
    vc_store *store;
    vc_error error = {0};
    check_ok(vc_store_open(directory, options, &store, &error), &error, "open");
    return store;
}

vc_status put_cube(vc_load *load, const char *name, int64_t start, uint32_t nsegments,
                   uint32_t nrows, vc_error *error)
{
    vc_object object;
    char text[64];
    int64_t *values = malloc(nrows * sizeof *values + 1);
    vc_status status = vc_load_object(load, VC_KIND_CUBE, vc_str_of(name), &object, error);
    for (uint32_t segment = 0; segment < nsegments && status == VC_OK; segment++) {
        for (uint32_t row = 0; row < nrows; row++)
            values[row] = start + (int64_t)segment * nrows + row;
        status = vc_load_put_ints(load, &object, 1, segment, values, NULL, nrows, error);
    }
    free(values);
    snprintf(text, sizeof text, "bytes of %ld", (long)start);
    if (status == VC_OK) status = vc_load_put_bytes(load, &object, 2, text, strlen(text), error);
    snprintf(text, sizeof text, "%ld %u %u", (long)start, nsegments, nrows);
    if (status == VC_OK)
        status = vc_load_set_manifest(load, &object, vc_str_of(text), NULL, 0, error);
    return status;
}

vc_status load_cube(vc_store *store, const char *name, int64_t start, uint32_t nsegments,
                    uint32_t nrows, vc_error *error)
{
    vc_load *load;
    vc_status status = vc_load_begin(store, &load, error);
    if (status != VC_OK) return status;
    status = put_cube(load, name, start, nsegments, nrows, error);
    if (status == VC_OK) return vc_load_publish(load, NULL, error);
    vc_load_abort(load);
    return status;
}

static vc_status read_bytes_column(const vc_snapshot *snapshot, const vc_object *object, long start,
                                   vc_error *error)
{
    vc_arena arena = {0};
    vc_str bytes;
    char expected[64];
    vc_status status =
        vc_snapshot_bytes(snapshot, object->id, object->generation, 2, &arena, &bytes, error);
    snprintf(expected, sizeof expected, "bytes of %ld", start);
    if (status == VC_OK)
        cr_assert(vc_str_is(bytes, expected), "%.*s, not %s", VC_FMT(bytes), expected);
    vc_arena_release(&arena);
    return status;
}

/* The zones of column 1 must be there and say exactly what load_cube put. */
static vc_status read_zones(const vc_snapshot *snapshot, const vc_object *object, long start,
                            unsigned nsegments, unsigned nrows, vc_error *error)
{
    vc_arena arena = {0};
    const vc_zone *zones;
    uint32_t count;
    vc_status status = nsegments == 0 ? VC_OK
                                      : vc_snapshot_zones(snapshot, object->id, object->generation,
                                                          1, &arena, &zones, &count, error);
    if (status == VC_OK && nsegments > 0) cr_assert_eq(count, nsegments);
    for (unsigned segment = 0; segment < nsegments && status == VC_OK; segment++) {
        const vc_zone *zone = &zones[segment];
        int64_t first = start + (int64_t)segment * nrows;
        cr_assert(zone->nrows == nrows && zone->nnulls == 0);
        cr_assert(zone->min == first && zone->max == first + nrows - 1, "segment %u", segment);
    }
    vc_arena_release(&arena);
    return status;
}

vc_status read_cube(const vc_snapshot *snapshot, const char *name, int64_t *start_out,
                    vc_error *error)
{
    vc_object object;
    long start;
    unsigned nsegments, nrows;
    vc_status status = vc_snapshot_find(snapshot, VC_KIND_CUBE, vc_str_of(name), &object, error);
    if (status != VC_OK) return status;
    char manifest[64];
    snprintf(manifest, sizeof manifest, "%.*s", VC_FMT(object.manifest));
    cr_assert_eq(sscanf(manifest, "%ld %u %u", &start, &nsegments, &nrows), 3, "%s", manifest);
    status = read_bytes_column(snapshot, &object, start, error);
    if (status == VC_OK && nrows > 0)
        status = read_zones(snapshot, &object, start, nsegments, nrows, error);
    int64_t *values = malloc(nrows * sizeof *values + 1);
    for (unsigned segment = 0; segment < nsegments && status == VC_OK; segment++) {
        vc_chunk chunk;
        status =
            vc_snapshot_chunk(snapshot, object.id, object.generation, 1, segment, &chunk, error);
        if (status != VC_OK) break;
        cr_assert_eq(chunk.nrows, nrows);
        vc_chunk_get_ints(&chunk, values);
        for (unsigned row = 0; row < nrows; row++)
            cr_assert_eq(values[row], start + (int64_t)segment * nrows + row);
    }
    free(values);
    *start_out = start;
    return status;
}

uint64_t file_bytes(const char *directory)
{
    char path[DIRECTORY_TEXT + 32];
    struct stat info;
    data_path(directory, path);
    cr_assert_eq(stat(path, &info), 0);
    return (uint64_t)info.st_size;
}

void flip_bit(const char *directory, uint64_t byte, unsigned bit)
{
    char path[DIRECTORY_TEXT + 32];
    unsigned char value;
    data_path(directory, path);
    int fd = open(path, O_RDWR);
    cr_assert_geq(fd, 0);
    cr_assert_eq(pread(fd, &value, 1, (off_t)byte), 1);
    value ^= (unsigned char)(1u << bit);
    cr_assert_eq(pwrite(fd, &value, 1, (off_t)byte), 1);
    close(fd);
}
