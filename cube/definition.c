#include "cube/definition.h"

#include "cube/definition_parts.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_BYTES_MAX = 16 << 20 };

/* ---- reading ---- */

static vc_status read_info(const vc_node *root, vc_info_def *info)
{
    static const char *const known[] = {"source", "licence", NULL};
    vc_node node = vc_node_field(root, "info");
    if (node.json == NULL) return VC_OK;
    vc_status status;
    if ((status = vc_node_object(&node, known)) != VC_OK ||
        (status = vc_field_label(&node, "source", &info->source)) != VC_OK)
        return status;
    return vc_field_label(&node, "licence", &info->licence);
}

static vc_status read_kind(const vc_node *root, vc_definition *definition)
{
    static const vc_word kinds[] = {{"source", VC_DEFINITION_SOURCE, NULL},
                                    {"virtual", VC_DEFINITION_VIRTUAL, NULL},
                                    {"dimension", VC_DEFINITION_DIMENSION, NULL},
                                    {"crosswalk", VC_DEFINITION_CROSSWALK, NULL},
                                    {NULL, 0, NULL}};
    int kind = 0;
    if (!json_is_object(root->json)) return vc_node_fail_type(root, "an object");
    if (!vc_node_has(root, "kind"))
        return vc_node_fail(root, "missing_field",
                            "the field 'kind' is missing: source, virtual, dimension or crosswalk");
    vc_status status = vc_field_choice(root, "kind", kinds, &kind);
    definition->kind = (vc_definition_kind)kind;
    return status;
}

static vc_status read_definition(const vc_node *root, vc_definition *definition)
{
    vc_str schema = {0};
    vc_status status;
    if ((status = read_kind(root, definition)) != VC_OK ||
        (status = vc_field_need(root, "name")) != VC_OK ||
        (status = vc_field_name(root, "name", &definition->name)) != VC_OK)
        return status;
    definition->label = definition->name;
    if ((status = vc_field_label(root, "label", &definition->label)) != VC_OK ||
        (status = vc_field_label(root, "description", &definition->description)) != VC_OK ||
        (status = vc_field_text(root, "$schema", &schema)) != VC_OK ||
        (status = read_info(root, &definition->info)) != VC_OK)
        return status;
    switch (definition->kind) {
    case VC_DEFINITION_SOURCE: return vc_read_cube(root, &definition->as.cube);
    case VC_DEFINITION_VIRTUAL: return vc_read_virtual(root, &definition->as.virtual_cube);
    case VC_DEFINITION_DIMENSION: break;
    case VC_DEFINITION_CROSSWALK: return vc_read_crosswalk(root, &definition->as.crosswalk);
    }
    return vc_read_shared_dimension(root, &definition->as.dimension);
}

/* "samples/world/geo.json" lies in "samples/world", "geo.json" in ".", "/geo.json" in "/". */
static vc_str directory_of(vc_str file, vc_arena *arena)
{
    size_t size = file.size;
    while (size > 0 && file.data[size - 1] != '/')
        size--;
    if (size == 0) return VC_STR(".");
    return vc_arena_str(arena, (vc_str){.data = file.data, .size = size == 1 ? 1 : size - 1});
}

vc_status vc_definition_parse(vc_str text, const char *file, vc_arena *arena,
                              vc_definition **definition_out, vc_error *error)
{
    vc_error unwanted = {0};
    if (error == NULL) error = &unwanted;
    vc_definition *definition = VC_ARENA_NEW(arena, vc_definition, 1);
    if (definition == NULL) return vc_no_memory(error);
    definition->file = vc_arena_str(arena, vc_str_of(file == NULL ? "" : file));
    definition->text = vc_arena_str(arena, text);
    if (definition->file.data == NULL || definition->text.data == NULL) return vc_no_memory(error);
    definition->directory = directory_of(definition->file, arena);
    if (definition->directory.data == NULL) return vc_no_memory(error);
    vc_status status = vc_json_parse(definition->text, file, 0, &definition->json, error);
    if (status != VC_OK) return status;
    vc_reader reader = {.arena = arena, .definition = definition, .error = error};
    vc_node root = {.reader = &reader, .json = definition->json};
    status = read_definition(&root, definition);
    if (status != VC_OK) {
        vc_definition_locate(definition, error);
        vc_definition_release(definition);
        return status;
    }
    *definition_out = definition;
    return VC_OK;
}

/* ---- files ---- */

static vc_status fail_file(vc_error *error, const char *file, int number)
{
    bool is_missing = number == ENOENT || number == ENOTDIR;
    vc_status status = is_missing ? VC_NOT_FOUND : VC_STORAGE;
    if (is_missing)
        vc_fail(error, status, "missing_file", "no such file");
    else
        vc_fail(error, status, "file_read", "cannot read '%s': %s", file, strerror(number));
    vc_error_at_file(error, file, 0, 0);
    return status;
}

/* The whole file into the buffer. */
static vc_status read_file(const char *file, vc_buffer *buffer, vc_error *error)
{
    FILE *stream = fopen(file, "rbe");
    if (stream == NULL) return fail_file(error, file, errno);
    vc_status status = VC_OK;
    char block[16 * 1024];
    size_t size;
    while ((size = fread(block, 1, sizeof block, stream)) > 0 && buffer->size <= FILE_BYTES_MAX)
        vc_buffer_put(buffer, block, size);
    if (ferror(stream)) {
        status = fail_file(error, file, errno);
    } else if (buffer->size > FILE_BYTES_MAX) {
        status =
            vc_fail(error, VC_LIMIT, "file_too_large",
                    "a definition has at most %d MiB; is '%s' one?", FILE_BYTES_MAX >> 20, file);
        vc_error_at_file(error, file, 0, 0);
    } else if (buffer->failed) {
        status = vc_no_memory(error);
    }
    fclose(stream);
    return status;
}

vc_status vc_definition_read(const char *file, vc_arena *arena, vc_definition **definition_out,
                             vc_error *error)
{
    vc_buffer buffer = {0};
    vc_status status = read_file(file, &buffer, error);
    if (status == VC_OK) {
        vc_str text = {.data = buffer.size > 0 ? buffer.data : "", .size = buffer.size};
        status = vc_definition_parse(text, file, arena, definition_out, error);
    }
    vc_buffer_release(&buffer);
    return status;
}

/* What a folder's file holds: JSON without a "kind" is something else's. A text that is no JSON, or
 * cannot be read, stays in the list, so that reading it says what is wrong. */
static bool holds_definition(const char *file)
{
    vc_buffer buffer = {0};
    json_t *json = NULL;
    bool is_definition = true;
    if (read_file(file, &buffer, NULL) == VC_OK) {
        vc_str text = {.data = buffer.size > 0 ? buffer.data : "", .size = buffer.size};
        if (vc_json_parse(text, file, 0, &json, NULL) == VC_OK)
            is_definition = json_object_get(json, "kind") != NULL;
    }
    json_decref(json);
    vc_buffer_release(&buffer);
    return is_definition;
}

static int is_visible_json(const struct dirent *entry)
{
    vc_str name = vc_str_of(entry->d_name);
    return entry->d_name[0] != '.' && vc_str_ends_with(name, VC_STR(".json"));
}

/* By bytes, whatever the locale. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static vc_status list_folder(const char *path, struct dirent **entries, size_t nentries,
                             vc_arena *arena, vc_str **files_out, size_t *nfiles_out,
                             vc_error *error)
{
    vc_str *files = VC_ARENA_NEW(arena, vc_str, nentries);
    size_t nfiles = 0, path_size = strlen(path);
    if (files == NULL) return vc_no_memory(error);
    const char *slash = path_size > 0 && path[path_size - 1] == '/' ? "" : "/";
    for (size_t i = 0; i < nentries; i++) {
        struct stat about;
        vc_str file = vc_arena_printf(arena, "%s%s%s", path, slash, entries[i]->d_name);
        if (file.data == NULL) return vc_no_memory(error);
        if (stat(file.data, &about) == 0 && S_ISDIR(about.st_mode)) continue;
        if (holds_definition(file.data)) files[nfiles++] = file;
    }
    if (nfiles == 0) {
        vc_fail(error, VC_NOT_FOUND, "missing_file",
                "no definition (a .json file with a \"kind\") in the folder '%s'", path);
        vc_error_at_file(error, path, 0, 0);
        return VC_NOT_FOUND;
    }
    *files_out = files;
    *nfiles_out = nfiles;
    return VC_OK;
}

vc_status vc_definition_list(const char *path, vc_arena *arena, vc_str **files_out,
                             size_t *nfiles_out, vc_error *error)
{
    struct stat about;
    if (stat(path, &about) != 0) return fail_file(error, path, errno);
    if (!S_ISDIR(about.st_mode)) {
        vc_str *file = VC_ARENA_NEW(arena, vc_str, 1);
        if (file == NULL) return vc_no_memory(error);
        *file = vc_arena_str(arena, vc_str_of(path));
        if (file->data == NULL) return vc_no_memory(error);
        *files_out = file;
        *nfiles_out = 1;
        return VC_OK;
    }
    struct dirent **entries = NULL;
    int nentries = scandir(path, &entries, is_visible_json, compare_names);
    if (nentries < 0) return fail_file(error, path, errno);
    vc_status status =
        list_folder(path, entries, (size_t)nentries, arena, files_out, nfiles_out, error);
    for (int i = 0; i < nentries; i++)
        free(entries[i]);
    free(entries);
    return status;
}

/* ---- afterwards ---- */

void vc_definition_release(vc_definition *definition)
{
    if (definition == NULL) return;
    json_decref(definition->made_json);
    json_decref(definition->json);
    definition->made_json = definition->json = NULL;
}

void vc_definition_locate(const vc_definition *definition, vc_error *error)
{
    unsigned line, column;
    if (error == NULL) return;
    vc_json_locate(definition->text, error->pointer, &line, &column);
    vc_error_at_file(error, definition->file.data, line, column);
}

/* JSON's space outside of strings says nothing. */
static void put_without_space(vc_buffer *buffer, vc_str text)
{
    bool is_inside = false;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (is_inside && byte == '\\' && i + 1 < text.size) {
            vc_buffer_put_char(buffer, byte);
            byte = text.data[++i];
        } else if (byte == '"') {
            is_inside = !is_inside;
        } else if (!is_inside && (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r')) {
            continue;
        }
        vc_buffer_put_char(buffer, byte);
    }
}

vc_str vc_definition_hash(const vc_definition *definition, vc_arena *arena)
{
    vc_buffer buffer = {0};
    vc_str hash = {0};
    put_without_space(&buffer, definition->text);
    if (!buffer.failed) {
        unsigned char sum[crypto_hash_sha256_BYTES];
        char digits[2 * sizeof sum + 1];
        crypto_hash_sha256(sum, (const unsigned char *)buffer.data, buffer.size);
        sodium_bin2hex(digits, sizeof digits, sum, sizeof sum);
        hash = vc_arena_printf(arena, "sha256:%s", digits);
    }
    vc_buffer_release(&buffer);
    return hash;
}

const char *vc_aggregator_name(vc_aggregator aggregator)
{
    switch (aggregator) {
    case VC_AGG_NONE: return "none";
    case VC_AGG_SUM: return "sum";
    case VC_AGG_COUNT: return "count";
    case VC_AGG_MIN: return "min";
    case VC_AGG_MAX: return "max";
    case VC_AGG_AVG: return "avg";
    case VC_AGG_COUNT_DISTINCT: return "count_distinct";
    case VC_AGG_WEIGHTED_AVG: return "weighted_avg";
    case VC_AGG_MEDIAN: return "median";
    case VC_AGG_QUANTILE: return "quantile";
    case VC_AGG_STDDEV: return "stddev";
    case VC_AGG_STDDEV_POP: return "stddev_pop";
    case VC_AGG_VARIANCE: return "variance";
    case VC_AGG_VARIANCE_POP: return "variance_pop";
    }
    return "none";
}

const char *vc_over_name(vc_over over)
{
    switch (over) {
    case VC_OVER_NONE: return "none";
    case VC_OVER_LAST: return "last";
    case VC_OVER_FIRST: return "first";
    case VC_OVER_LAST_NONEMPTY: return "last_nonempty";
    case VC_OVER_FIRST_NONEMPTY: return "first_nonempty";
    case VC_OVER_AVG: return "avg";
    case VC_OVER_MIN: return "min";
    case VC_OVER_MAX: return "max";
    }
    return "none";
}

const char *vc_join_kind_name(vc_join_kind kind)
{
    switch (kind) {
    case VC_JOIN_LEFT: return "left";
    case VC_JOIN_INNER: return "inner";
    case VC_JOIN_RIGHT: return "right";
    case VC_JOIN_FULL: return "full";
    }
    return "left";
}
