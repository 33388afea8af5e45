#include "report/manifest.h"

#include "base/json_writer.h"

#include <string.h>

/* ---- writing ---- */

static void put_sum(vc_json_writer *json, const char *key, vc_str text)
{
    unsigned char bytes[crypto_hash_sha256_BYTES];
    char digits[2 * sizeof bytes + 1];
    crypto_hash_sha256(bytes, (const unsigned char *)text.data, text.size);
    sodium_bin2hex(digits, sizeof digits, bytes, sizeof bytes);
    vc_json_put_text(json, key, digits);
}

static void put_texts(vc_json_writer *json, const char *key, const vc_str *texts, size_t ntexts)
{
    vc_json_begin(json, key, '[');
    for (size_t i = 0; i < ntexts; i++)
        vc_json_put_str(json, NULL, texts[i]);
    vc_json_end(json, ']');
}

static void put_variables(vc_json_writer *json, const vc_variables *variables)
{
    vc_json_begin(json, "variables", '[');
    for (size_t i = 0; i < variables->count; i++) {
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "name", variables->items[i].name);
        vc_json_put_str(json, "key", variables->items[i].key);
        vc_json_put_str(json, "label", variables->items[i].label);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

static void put_files(vc_json_writer *json, const vc_made_file *files, size_t nfiles)
{
    vc_json_begin(json, "files", '[');
    for (size_t i = 0; i < nfiles; i++) {
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "path", files[i].path);
        vc_json_put_text(json, "format", vc_report_format_name(files[i].format));
        vc_json_put_uint(json, "bytes", files[i].nbytes);
        vc_json_put_text(json, "sha256", files[i].sum);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

static void put_queries(vc_json_writer *json, const vc_composed *composed)
{
    vc_json_begin(json, "queries", '[');
    for (size_t i = 0; i < composed->nqueries; i++) {
        const vc_composed_query *query = &composed->queries[i];
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "section", query->section);
        vc_json_put_str(json, "cube", query->cube);
        vc_json_put_str(json, "query", query->query);
        put_sum(json, "sha256", query->query);
        vc_json_put_uint(json, "rows", query->nrows);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

/* "sha256:... sha256:..." */
static void put_definitions(vc_json_writer *json, vc_str definitions)
{
    vc_json_begin(json, "definitions", '[');
    while (definitions.data != NULL) {
        vc_str part = vc_str_split(&definitions, ' ');
        if (part.size > 0) vc_json_put_str(json, NULL, part);
    }
    vc_json_end(json, ']');
}

static void put_coverage(vc_json_writer *json, const vc_document *document)
{
    vc_json_begin(json, "coverage", '[');
    for (size_t i = 0; i < document->ncoverage; i++) {
        const vc_document_coverage *coverage = &document->coverage[i];
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "source", coverage->source);
        vc_json_put_str(json, "dim", coverage->dimension);
        vc_json_put_uint(json, "keys", coverage->keys);
        vc_json_put_uint(json, "keys_matched", coverage->keys_matched);
        vc_json_put_given(json, "shares", coverage->shares);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

static void put_problems(vc_json_writer *json, const vc_composed *composed)
{
    vc_json_begin(json, "problems", '[');
    for (size_t i = 0; i < composed->nproblems; i++) {
        const vc_problem *problem = &composed->problems[i];
        vc_json_begin(json, NULL, '{');
        vc_json_put_text(json, "kind",
                         problem->kind == VC_PROBLEM_ASSERTION ? "assertion" : "section");
        vc_json_put_str(json, "section", problem->section);
        vc_json_put_str(json, "message", problem->message);
        vc_json_put_str(json, "query", problem->query);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

void vc_run_manifest_put_document(vc_buffer *out, const vc_sweep_item *item,
                                  const vc_composed *composed, const vc_made_file *files,
                                  size_t nfiles, bool is_published)
{
    vc_json_writer json = {.out = out};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "file", item->file);
    vc_json_put_bool(&json, "published", is_published);
    put_variables(&json, &item->variables);
    put_files(&json, files, nfiles);
    put_queries(&json, composed);
    put_definitions(&json, composed->definitions);
    put_coverage(&json, &composed->document);
    put_texts(&json, "notices", composed->document.notices, composed->document.nnotices);
    put_problems(&json, composed);
    vc_json_end(&json, '}');
}

/* Names of parameters come from the specification, which has checked them, and from a command line
 * that names these; escaped all the same. */
static void put_parameters(vc_json_writer *json, const vc_run_manifest *manifest)
{
    vc_json_begin(json, "parameters", '{');
    for (size_t i = 0; i < manifest->nparameters; i++) {
        if (i > 0) vc_buffer_put_char(json->out, ',');
        vc_buffer_put_json(json->out, manifest->parameters[i].name);
        vc_buffer_put_char(json->out, ':');
        vc_buffer_put_json(json->out, manifest->parameters[i].value);
    }
    vc_json_end(json, '}');
}

void vc_run_manifest_put(vc_buffer *out, const vc_run_manifest *manifest, const vc_str *entries,
                         size_t nentries)
{
    vc_json_writer json = {.out = out};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_uint(&json, "manifest", 1);
    vc_json_put_str(&json, "vcube", manifest->version);
    vc_json_put_str(&json, "report", manifest->report);
    vc_json_put_str(&json, "specification", manifest->specification);
    put_sum(&json, "specification_sha256", manifest->specification);
    put_parameters(&json, manifest);
    vc_json_begin(&json, "formats", '[');
    for (unsigned format = 0; format < VC_REPORT_FORMATS; format++)
        if (manifest->formats[format])
            vc_json_put_text(&json, NULL, vc_report_format_name((vc_report_format)format));
    vc_json_end(&json, ']');
    vc_json_put_str(&json, "snapshot", manifest->snapshot);
    put_texts(&json, "definitions", manifest->definitions, manifest->ndefinitions);
    vc_json_put_bool(&json, "complete", manifest->is_complete);
    vc_json_begin(&json, "documents", '[');
    for (size_t i = 0; i < nentries; i++) {
        vc_buffer_put_text(out, i > 0 ? ",\n" : "\n");
        vc_buffer_put_str(out, entries[i]);
    }
    vc_buffer_put_text(out, nentries > 0 ? "\n" : "");
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
    vc_buffer_put_char(out, '\n');
}

/* ---- reading ---- */

static vc_status fail_at(vc_error *error, const char *code, const char *pointer,
                         const char *sentence)
{
    vc_fail(error, VC_BAD_INPUT, code, "%s", sentence);
    vc_error_at_pointer(error, "%s", pointer);
    return VC_BAD_INPUT;
}

static vc_status get(const json_t *object, const char *name, json_type type, json_t **out,
                     vc_error *error)
{
    char pointer[64];
    *out = json_object_get(object, name);
    snprintf(pointer, sizeof pointer, "/%s", name);
    if (*out == NULL) {
        vc_fail(error, VC_BAD_INPUT, "missing_field", "a manifest needs '%s'", name);
        return VC_BAD_INPUT;
    }
    if (json_typeof(*out) == type ||
        (type == JSON_TRUE && json_is_boolean(*out))) /* JSON_TRUE: either */
        return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_type", "'%s' is %s", name, vc_json_type_name(*out));
    vc_error_at_pointer(error, "%s", pointer);
    return VC_BAD_INPUT;
}

static vc_status get_text(const json_t *object, const char *name, vc_arena *arena, vc_str *out,
                          vc_error *error)
{
    json_t *json;
    vc_status status = get(object, name, JSON_STRING, &json, error);
    if (status == VC_OK) {
        *out = vc_arena_str(arena, vc_json_str(json));
        if (out->data == NULL) return vc_no_memory(error);
    }
    return status;
}

static bool is_sum(vc_str text)
{
    if (text.size != VC_FOLDER_SUM) return false;
    for (size_t i = 0; i < text.size; i++)
        if (strchr("0123456789abcdef", text.data[i]) == NULL) return false;
    return true;
}

static vc_status read_file(const json_t *json, vc_arena *arena, vc_made_file *file, vc_error *error)
{
    json_t *nbytes;
    vc_str format, sum;
    vc_status status = get_text(json, "path", arena, &file->path, error);
    if (status == VC_OK && !vc_folder_is_name(file->path))
        return fail_at(error, "bad_value", "/path", "it is no name of a file below the folder");
    if (status == VC_OK) status = get_text(json, "format", arena, &format, error);
    if (status == VC_OK && !vc_report_format_find(format, &file->format))
        return fail_at(error, "bad_value", "/format", "there is no such format");
    if (status == VC_OK) status = get(json, "bytes", JSON_INTEGER, &nbytes, error);
    if (status == VC_OK && json_integer_value(nbytes) < 0)
        return fail_at(error, "bad_value", "/bytes", "a size is 0 or more");
    if (status == VC_OK) file->nbytes = (uint64_t)json_integer_value(nbytes);
    if (status == VC_OK) status = get_text(json, "sha256", arena, &sum, error);
    if (status == VC_OK && !is_sum(sum))
        return fail_at(error, "bad_value", "/sha256", "expected 64 hexadecimal digits");
    if (status == VC_OK) memcpy(file->sum, sum.data, VC_FOLDER_SUM);
    return status;
}

static vc_status read_texts(const json_t *object, const char *name, vc_arena *arena,
                            const vc_str **texts_out, size_t *ntexts_out, vc_error *error)
{
    json_t *array, *json;
    size_t i;
    vc_status status = get(object, name, JSON_ARRAY, &array, error);
    if (status != VC_OK) return status;
    vc_str *texts = VC_ARENA_NEW(arena, vc_str, json_array_size(array) + 1);
    if (texts == NULL) return vc_no_memory(error);
    json_array_foreach(array, i, json)
    {
        if (!json_is_string(json)) {
            vc_fail(error, VC_BAD_INPUT, "bad_type", "expected a string, found %s",
                    vc_json_type_name(json));
            vc_error_at_pointer(error, "/%s/%zu", name, i);
            return VC_BAD_INPUT;
        }
        texts[i] = vc_arena_str(arena, vc_json_str(json));
        if (texts[i].data == NULL) return vc_no_memory(error);
    }
    *texts_out = texts;
    *ntexts_out = json_array_size(array);
    return VC_OK;
}

static vc_status read_document(const json_t *json, vc_arena *arena, vc_made_document *document,
                               vc_error *error)
{
    json_t *published, *files, *problems, *item;
    size_t i;
    vc_status status = get_text(json, "file", arena, &document->file, error);
    if (status == VC_OK && !vc_folder_is_name(document->file))
        return fail_at(error, "bad_value", "/file", "it is no name of a file below the folder");
    if (status == VC_OK) status = get(json, "published", JSON_TRUE, &published, error);
    if (status == VC_OK) document->is_published = json_is_true(published);
    if (status == VC_OK) status = get(json, "problems", JSON_ARRAY, &problems, error);
    if (status == VC_OK) document->nproblems = json_array_size(problems);
    if (status == VC_OK)
        status = read_texts(json, "definitions", arena, &document->definitions,
                            &document->ndefinitions, error);
    if (status == VC_OK) status = get(json, "files", JSON_ARRAY, &files, error);
    if (status != VC_OK) return status;
    vc_made_file *list = VC_ARENA_NEW(arena, vc_made_file, json_array_size(files) + 1);
    if (list == NULL) return vc_no_memory(error);
    json_array_foreach(files, i, item)
    {
        status = read_file(item, arena, &list[i], error);
        if (status != VC_OK) {
            vc_error_prefix_pointer(error, "/files/%zu", i);
            return status;
        }
    }
    document->files = list;
    document->nfiles = json_array_size(files);
    return VC_OK;
}

vc_status vc_run_manifest_read_document(vc_str text, vc_arena *arena,
                                        vc_made_document *document_out, vc_error *error)
{
    json_t *json;
    *document_out = (vc_made_document){0};
    vc_status status = vc_json_parse(text, NULL, 0, &json, error);
    if (status != VC_OK) return status;
    status = read_document(json, arena, document_out, error);
    json_decref(json);
    return status;
}

static vc_status read_parameters(const json_t *json, vc_arena *arena, vc_run_manifest *manifest,
                                 vc_error *error)
{
    const char *name;
    json_t *object, *value;
    vc_status status = get(json, "parameters", JSON_OBJECT, &object, error);
    if (status != VC_OK) return status;
    vc_given_parameter *list =
        VC_ARENA_NEW(arena, vc_given_parameter, json_object_size(object) + 1);
    if (list == NULL) return vc_no_memory(error);
    json_object_foreach(object, name, value)
    {
        if (!json_is_string(value))
            return fail_at(error, "bad_type", "/parameters", "values are strings");
        vc_given_parameter *given = &list[manifest->nparameters++];
        given->name = vc_arena_str(arena, vc_str_of(name));
        given->value = vc_arena_str(arena, vc_json_str(value));
        if (given->name.data == NULL || given->value.data == NULL) return vc_no_memory(error);
    }
    manifest->parameters = list;
    return VC_OK;
}

static vc_status read_formats(const json_t *json, vc_arena *arena, vc_run_manifest *manifest,
                              vc_error *error)
{
    const vc_str *names;
    size_t nnames;
    vc_report_format format;
    vc_status status = read_texts(json, "formats", arena, &names, &nnames, error);
    for (size_t i = 0; i < nnames && status == VC_OK; i++) {
        if (!vc_report_format_find(names[i], &format))
            return fail_at(error, "bad_value", "/formats", "there is no such format");
        manifest->formats[format] = true;
    }
    return status;
}

static vc_status read_documents(const json_t *json, vc_arena *arena, vc_run_manifest *manifest,
                                vc_error *error)
{
    json_t *array, *item;
    size_t i;
    vc_status status = get(json, "documents", JSON_ARRAY, &array, error);
    if (status != VC_OK) return status;
    vc_made_document *list = VC_ARENA_NEW(arena, vc_made_document, json_array_size(array) + 1);
    if (list == NULL) return vc_no_memory(error);
    json_array_foreach(array, i, item)
    {
        status = read_document(item, arena, &list[i], error);
        if (status != VC_OK) {
            vc_error_prefix_pointer(error, "/documents/%zu", i);
            return status;
        }
    }
    manifest->documents = list;
    manifest->ndocuments = json_array_size(array);
    return VC_OK;
}

static vc_status read_manifest(const json_t *json, vc_arena *arena, vc_run_manifest *manifest,
                               vc_error *error)
{
    json_t *version, *complete;
    vc_status status = get(json, "manifest", JSON_INTEGER, &version, error);
    if (status == VC_OK && json_integer_value(version) != 1)
        return fail_at(error, "bad_value", "/manifest",
                       "it was written by a newer vcube; this one reads version 1");
    if (status == VC_OK) status = get_text(json, "vcube", arena, &manifest->version, error);
    if (status == VC_OK) status = get_text(json, "report", arena, &manifest->report, error);
    if (status == VC_OK)
        status = get_text(json, "specification", arena, &manifest->specification, error);
    if (status == VC_OK) status = get_text(json, "snapshot", arena, &manifest->snapshot, error);
    if (status == VC_OK) status = get(json, "complete", JSON_TRUE, &complete, error);
    if (status == VC_OK) manifest->is_complete = json_is_true(complete);
    if (status == VC_OK)
        status = read_texts(json, "definitions", arena, &manifest->definitions,
                            &manifest->ndefinitions, error);
    if (status == VC_OK) status = read_parameters(json, arena, manifest, error);
    if (status == VC_OK) status = read_formats(json, arena, manifest, error);
    if (status == VC_OK) status = read_documents(json, arena, manifest, error);
    return status;
}

vc_status vc_run_manifest_read(vc_str text, const char *file, vc_arena *arena,
                               vc_run_manifest *manifest_out, vc_error *error)
{
    json_t *json;
    vc_error local = {0};
    if (error == NULL) error = &local;
    *manifest_out = (vc_run_manifest){0};
    vc_status status = vc_json_parse(text, file, 0, &json, error);
    if (status != VC_OK) return status;
    status = read_manifest(json, arena, manifest_out, error);
    if (status == VC_BAD_INPUT) {
        unsigned line, column;
        vc_json_locate(text, error->pointer, &line, &column);
        vc_error_at_file(error, file, line, column);
    }
    json_decref(json);
    return status;
}

vc_status vc_run_manifest_split(vc_str definitions, vc_arena *arena, const vc_str **parts_out,
                                size_t *nparts_out, vc_error *error)
{
    vc_str *parts = VC_ARENA_NEW(arena, vc_str, definitions.size / 2 + 2);
    if (parts == NULL) return vc_no_memory(error);
    *parts_out = parts;
    for (*nparts_out = 0; definitions.data != NULL;) {
        vc_str part = vc_arena_str(arena, vc_str_split(&definitions, ' '));
        if (part.data == NULL) return vc_no_memory(error);
        if (part.size > 0) parts[(*nparts_out)++] = part;
    }
    return VC_OK;
}
