#include "cube/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FORMAT = 1, MAX_DEPTH = 8 };

static const char *const kind_names[] = {
    [VC_DEFINITION_SOURCE] = "source",
    [VC_DEFINITION_VIRTUAL] = "virtual",
    [VC_DEFINITION_DIMENSION] = "dimension",
    [VC_DEFINITION_CROSSWALK] = "crosswalk",
};

static const char *const type_names[] = {
    [VC_VALUE_INT] = "int",
    [VC_VALUE_DECIMAL] = "decimal",
    [VC_VALUE_FLOAT] = "float",
};

static bool has_dimensions(vc_definition_kind kind)
{
    return kind == VC_DEFINITION_SOURCE || kind == VC_DEFINITION_DIMENSION;
}

/* ---- write ---- */

static void write_runs(const vc_manifest *manifest, vc_buffer *buffer)
{
    vc_buffer_put_text(buffer, ",\n \"runs\":[");
    for (size_t i = 0; i < manifest->nruns; i++) {
        const vc_fact_run *run = &manifest->runs[i];
        vc_buffer_printf(
            buffer, "%s{\"generation\":%" PRIu32 ",\"segments\":%" PRIu32 ",\"rows\":%" PRIu64 "}",
            i == 0 ? "" : ",", run->generation, run->nsegments, run->nrows);
    }
    vc_buffer_put_char(buffer, ']');
}

static void write_dimensions(const vc_manifest *manifest, vc_buffer *buffer)
{
    vc_buffer_put_text(buffer, ",\n \"dimensions\":[");
    for (size_t i = 0; i < manifest->ndimensions; i++) {
        const vc_manifest_dimension *dimension = &manifest->dimensions[i];
        vc_buffer_put_text(buffer, i == 0 ? "{\"name\":" : ",{\"name\":");
        vc_buffer_put_json(buffer, dimension->name);
        /* In hexadecimal, because JSON numbers of 64 bits do not survive every reader. */
        vc_buffer_printf(buffer, ",\"leaves\":%" PRIu32 ",\"fingerprint\":\"%016" PRIx64 "\"",
                         dimension->nleaves, dimension->fingerprint);
        vc_buffer_printf(buffer, ",\"aggregatable\":%s",
                         dimension->is_aggregatable ? "true" : "false");
        if (!vc_str_is_null(dimension->default_member)) {
            vc_buffer_put_text(buffer, ",\"default\":");
            vc_buffer_put_json(buffer, dimension->default_member);
        }
        vc_buffer_put_char(buffer, '}');
    }
    vc_buffer_put_char(buffer, ']');
}

static void write_columns(const vc_manifest *manifest, vc_buffer *buffer)
{
    vc_buffer_put_text(buffer, ",\n \"columns\":[");
    for (size_t i = 0; i < manifest->ncolumns; i++) {
        const vc_fact_column *column = &manifest->columns[i];
        vc_buffer_put_text(buffer, i == 0 ? "{\"name\":" : ",{\"name\":");
        vc_buffer_put_json(buffer, column->name);
        vc_buffer_printf(buffer, ",\"type\":\"%s\",\"scale\":%u,\"number\":%u",
                         type_names[column->type], column->scale, (unsigned)column->column);
        if (column->is_dictionary) vc_buffer_printf(buffer, ",\"codes\":%" PRIu32, column->ncodes);
        if (column->is_presence) vc_buffer_put_text(buffer, ",\"presence\":true");
        if (column->is_computed) vc_buffer_put_text(buffer, ",\"computed\":true");
        vc_buffer_put_char(buffer, '}');
    }
    vc_buffer_put_text(buffer, "],\n \"measures\":[");
    for (size_t i = 0; i < manifest->nmeasures; i++)
        vc_buffer_printf(buffer, "%s%d", i == 0 ? "" : ",", manifest->measure_columns[i]);
    vc_buffer_put_char(buffer, ']');
}

static void write_cluster(const vc_manifest *manifest, vc_buffer *buffer)
{
    if (manifest->ncluster == 0) return;
    vc_buffer_put_text(buffer, ",\n \"cluster\":[");
    for (size_t i = 0; i < manifest->ncluster; i++) {
        if (i > 0) vc_buffer_put_char(buffer, ',');
        vc_buffer_put_json(buffer, manifest->cluster[i]);
    }
    vc_buffer_put_char(buffer, ']');
}

void vc_manifest_write(const vc_manifest *manifest, vc_buffer *buffer)
{
    vc_buffer_printf(buffer, "{\"format\":%d,\"kind\":\"%s\",\"definition\":", FORMAT,
                     kind_names[manifest->kind]);
    vc_buffer_put_json(buffer, manifest->definition);
    vc_buffer_put_text(buffer, ",\n \"file\":");
    vc_buffer_put_json(buffer, manifest->file.data == NULL ? VC_STR("") : manifest->file);
    vc_buffer_printf(buffer, ",\"rows\":%" PRIu64, manifest->nrows);
    if (manifest->kind == VC_DEFINITION_SOURCE) {
        write_runs(manifest, buffer);
        write_columns(manifest, buffer);
        write_cluster(manifest, buffer);
    }
    if (has_dimensions(manifest->kind)) write_dimensions(manifest, buffer);
    vc_buffer_put_text(buffer, "}\n");
}

/* ---- read ---- */

/* Reading goes on after the first wrong field, with zeros; `is_damaged` is looked at once. */
typedef struct manifest_reader {
    vc_arena *arena;
    bool is_damaged;
    bool is_out_of_memory;
} manifest_reader;

static uint64_t read_count(manifest_reader *reader, const json_t *object, const char *field,
                           uint64_t limit)
{
    const json_t *value = json_object_get(object, field);
    json_int_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= 0 && (uint64_t)number <= limit) return (uint64_t)number;
    reader->is_damaged = true;
    return 0;
}

static vc_str read_text(manifest_reader *reader, const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    if (!json_is_string(value)) {
        reader->is_damaged = true;
        return VC_STR("");
    }
    vc_str text = vc_arena_str(reader->arena, vc_json_str(value));
    if (text.data == NULL) reader->is_out_of_memory = true;
    return text;
}

/* An array and zeroed room for its elements; NULL and a count of 0 when it cannot be had. */
static void *read_array(manifest_reader *reader, const json_t *object, const char *field,
                        size_t size, const json_t **array_out, size_t *count_out)
{
    *array_out = json_object_get(object, field);
    *count_out = json_array_size(*array_out);
    if (!json_is_array(*array_out)) reader->is_damaged = true;
    void *elements = vc_arena_calloc(reader->arena, *count_out, size);
    if (elements == NULL) {
        reader->is_out_of_memory = true;
        *count_out = 0;
    }
    return elements;
}

static unsigned read_name(manifest_reader *reader, const json_t *object, const char *field,
                          const char *const *names, size_t nnames)
{
    const char *text = json_string_value(json_object_get(object, field));
    for (unsigned i = 0; text != NULL && i < nnames; i++) {
        if (names[i] != NULL && strcmp(names[i], text) == 0) return i;
    }
    reader->is_damaged = true;
    return 0;
}

static void read_runs(manifest_reader *reader, const json_t *json, vc_manifest *manifest)
{
    const json_t *array;
    manifest->runs =
        read_array(reader, json, "runs", sizeof *manifest->runs, &array, &manifest->nruns);
    for (size_t i = 0; i < manifest->nruns; i++) {
        const json_t *run = json_array_get(array, i);
        manifest->runs[i] = (vc_fact_run){
            .generation = (uint32_t)read_count(reader, run, "generation", UINT32_MAX),
            .nsegments = (uint32_t)read_count(reader, run, "segments", UINT32_MAX),
            .nrows = read_count(reader, run, "rows", INT64_MAX),
        };
    }
}

static void read_dimensions(manifest_reader *reader, const json_t *json, vc_manifest *manifest)
{
    const json_t *array;
    manifest->dimensions = read_array(reader, json, "dimensions", sizeof *manifest->dimensions,
                                      &array, &manifest->ndimensions);
    for (size_t i = 0; i < manifest->ndimensions; i++) {
        const json_t *dimension = json_array_get(array, i);
        vc_manifest_dimension *entry = &manifest->dimensions[i];
        entry->name = read_text(reader, dimension, "name");
        entry->nleaves = (uint32_t)read_count(reader, dimension, "leaves", UINT32_MAX);
        entry->is_aggregatable = json_is_true(json_object_get(dimension, "aggregatable"));
        if (json_object_get(dimension, "default") != NULL)
            entry->default_member = read_text(reader, dimension, "default");
        vc_str fingerprint = read_text(reader, dimension, "fingerprint");
        if (fingerprint.data == NULL ||
            sscanf(fingerprint.data, "%16" SCNx64, &entry->fingerprint) != 1)
            reader->is_damaged = true;
    }
}

static void read_columns(manifest_reader *reader, const json_t *json, vc_manifest *manifest)
{
    const json_t *array;
    manifest->columns =
        read_array(reader, json, "columns", sizeof *manifest->columns, &array, &manifest->ncolumns);
    for (size_t i = 0; i < manifest->ncolumns; i++) {
        const json_t *column = json_array_get(array, i);
        vc_fact_column *entry = &manifest->columns[i];
        entry->name = read_text(reader, column, "name");
        entry->type = (vc_value_type)read_name(reader, column, "type", type_names,
                                               sizeof type_names / sizeof type_names[0]);
        entry->scale = (unsigned)read_count(reader, column, "scale", 18);
        entry->column = (uint16_t)read_count(reader, column, "number", UINT16_MAX);
        entry->is_dictionary = json_object_get(column, "codes") != NULL;
        if (entry->is_dictionary)
            entry->ncodes = (uint32_t)read_count(reader, column, "codes", UINT32_MAX);
        entry->is_presence = json_is_true(json_object_get(column, "presence"));
        entry->is_computed = json_is_true(json_object_get(column, "computed"));
    }
    manifest->measure_columns = read_array(
        reader, json, "measures", sizeof *manifest->measure_columns, &array, &manifest->nmeasures);
    for (size_t i = 0; i < manifest->nmeasures; i++) {
        const json_t *number = json_array_get(array, i);
        json_int_t column = json_integer_value(number);
        if (!json_is_integer(number) || column < -1 || column >= (json_int_t)manifest->ncolumns)
            reader->is_damaged = true;
        else
            manifest->measure_columns[i] = (int)column;
    }
}

/* Absent: the facts lie as they came. */
static void read_cluster(manifest_reader *reader, const json_t *json, vc_manifest *manifest)
{
    const json_t *array;
    if (json_object_get(json, "cluster") == NULL) return;
    manifest->cluster =
        read_array(reader, json, "cluster", sizeof *manifest->cluster, &array, &manifest->ncluster);
    for (size_t i = 0; i < manifest->ncluster; i++) {
        const json_t *text = json_array_get(array, i);
        if (!json_is_string(text)) {
            reader->is_damaged = true;
            continue;
        }
        manifest->cluster[i] = vc_arena_str(reader->arena, vc_json_str(text));
        if (manifest->cluster[i].data == NULL) reader->is_out_of_memory = true;
    }
}

static void read_fields(manifest_reader *reader, const json_t *json, vc_manifest *manifest)
{
    manifest->kind = (vc_definition_kind)read_name(reader, json, "kind", kind_names,
                                                   sizeof kind_names / sizeof kind_names[0]);
    manifest->definition = read_text(reader, json, "definition");
    manifest->file = read_text(reader, json, "file");
    manifest->nrows = read_count(reader, json, "rows", INT64_MAX);
    if (manifest->kind == VC_DEFINITION_SOURCE) {
        read_runs(reader, json, manifest);
        read_columns(reader, json, manifest);
        read_cluster(reader, json, manifest);
    }
    if (has_dimensions(manifest->kind)) read_dimensions(reader, json, manifest);
}

vc_status vc_manifest_read(const vc_object *object, vc_arena *arena, vc_manifest *manifest_out,
                           vc_error *error)
{
    json_t *json = NULL;
    *manifest_out = (vc_manifest){0};
    vc_status status = vc_json_parse(object->manifest, NULL, MAX_DEPTH, &json, error);
    if (status == VC_NO_MEMORY) return status;
    if (status != VC_OK)
        return vc_fail(error, VC_CORRUPT, "storage_damaged", "the manifest of '%.*s' is no JSON",
                       VC_FMT(object->name));
    json_int_t format = json_integer_value(json_object_get(json, "format"));
    manifest_reader reader = {.arena = arena};
    if (format > FORMAT) {
        status = vc_fail(error, VC_CORRUPT, "storage_format",
                         "'%.*s' was stored in format %lld by a newer version; this one knows %d",
                         VC_FMT(object->name), (long long)format, FORMAT);
        goto done;
    }
    read_fields(&reader, json, manifest_out);
    if (reader.is_out_of_memory)
        status = vc_no_memory(error);
    else if (reader.is_damaged || format < 1)
        status = vc_fail(error, VC_CORRUPT, "storage_damaged", "the manifest of '%.*s' is damaged",
                         VC_FMT(object->name));
done:
    json_decref(json);
    return status;
}

vc_status vc_manifest_definition(const vc_object *object, vc_arena *arena,
                                 vc_definition **definition_out, vc_error *error)
{
    vc_manifest manifest;
    vc_status status = vc_manifest_read(object, arena, &manifest, error);
    if (status != VC_OK) return status;
    const char *file = manifest.file.size == 0 ? NULL : manifest.file.data;
    return vc_definition_parse(manifest.definition, file, arena, definition_out, error);
}
