/* Definitions over HTTP: PUT and DELETE of a cube, and its definition as it was written.
 *
 * The body of PUT is a definition, or an array of them: the cube, and the shared dimensions and
 * crosswalks that it needs, which are defined together or not at all. Data files may be named only
 * where the server has a folder for them, and only below it.
 */
#include "http/change.h"
#include "http/loading.h"

#include "base/json.h"
#include "cube/dependency.h"
#include "cube/manifest.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEFINITIONS = 100 };

typedef struct sent_definition {
    vc_str text;           /* within the body */
    vc_definition *parsed; /* NULL before */
} sent_definition;

typedef struct sending {
    vc_call *call;
    bool is_array;
    size_t count;
    sent_definition *items;
    vc_definition **parsed; /* [count] */
    size_t cube;            /* which one is the cube */
} sending;

/* ---- the body ---- */

/* The texts of the elements of an array that is known to be well formed. */
static void cut_elements(vc_str body, sent_definition *items, size_t count)
{
    size_t depth = 0, at = 0, nfound = 0, first = 0;
    bool is_inside = false;
    for (; at < body.size && nfound < count; at++) {
        char byte = body.data[at];
        if (is_inside) {
            if (byte == '\\')
                at++;
            else if (byte == '"')
                is_inside = false;
            continue;
        }
        bool ends = depth == 1 && (byte == ',' || byte == ']');
        if (ends) items[nfound++].text = (vc_str){body.data + first, at - first};
        if (byte == '"') is_inside = true;
        if (byte == '[' || byte == '{') depth++;
        if (byte == ']' || byte == '}') depth--;
        if (ends || (depth == 1 && byte == '[' && nfound == 0 && first == 0)) first = at + 1;
    }
}

static vc_status cut_body(sending *sent, vc_error *error)
{
    vc_call *call = sent->call;
    json_t *json = NULL;
    vc_status status = vc_json_parse(call->request->body, NULL, 0, &json, error);
    if (status != VC_OK) return status;
    sent->is_array = json_is_array(json);
    sent->count = sent->is_array ? json_array_size(json) : 1;
    json_decref(json);
    if (sent->count > MAX_DEFINITIONS)
        return vc_fail(error, VC_LIMIT, "limit_definitions",
                       "found %zu definitions, at most %d are taken at once", sent->count,
                       MAX_DEFINITIONS);
    sent->items = VC_ARENA_NEW(call->arena, sent_definition, sent->count);
    sent->parsed = VC_ARENA_NEW(call->arena, vc_definition *, sent->count);
    if (sent->items == NULL || sent->parsed == NULL) return vc_no_memory(error);
    if (sent->is_array)
        cut_elements(call->request->body, sent->items, sent->count);
    else
        sent->items[0].text = call->request->body;
    return VC_OK;
}

/* An error in one of the definitions is one in the body. */
static vc_status fail_within(const sending *sent, size_t number, vc_error *error)
{
    vc_str body = sent->call->request->body, text = sent->items[number].text;
    error->file[0] = '\0';
    if (!sent->is_array) return error->status;
    const char *line_start = body.data;
    unsigned nlines = 0;
    for (const char *byte = body.data; byte < text.data; byte++) {
        if (*byte != '\n') continue;
        nlines++;
        line_start = byte + 1;
    }
    if (error->line == 1) error->column += (unsigned)(text.data - line_start);
    if (error->line > 0) error->line += nlines;
    vc_error_prefix_pointer(error, "/%zu", number);
    return error->status;
}

static vc_status parse_definitions(sending *sent, vc_error *error)
{
    const char *directory = sent->call->service->options.data_directory;
    for (size_t i = 0; i < sent->count; i++) {
        /* By its name an error is known to be in this one, and not in one that is stored. */
        vc_reply tagged = {0};
        vc_change_tag(&tagged, sent->items[i].text);
        vc_str file = vc_arena_printf(sent->call->arena, "%s/definition-%.16s.json",
                                      directory != NULL ? directory : ".", tagged.etag + 1);
        if (file.data == NULL) return vc_no_memory(error);
        vc_status status = vc_definition_parse(sent->items[i].text, file.data, sent->call->arena,
                                               &sent->parsed[i], error);
        if (status != VC_OK) return fail_within(sent, i, error);
    }
    return VC_OK;
}

/* ---- what may be sent ---- */

static vc_status fail_name(const sending *sent, size_t number, vc_error *error,
                           const char *sentence)
{
    vc_str name = sent->parsed[number]->name, wanted = sent->call->arguments[0];
    vc_fail(error, VC_BAD_INPUT, "bad_value", "found the cube '%.*s', expected '%.*s': %s",
            VC_FMT(name), VC_FMT(wanted), sentence);
    vc_error_at_pointer(error, "/name");
    return fail_within(sent, number, error);
}

/* One of them is the cube of the address; the others are what cubes share. */
static vc_status find_cube(sending *sent, vc_error *error)
{
    sent->cube = sent->count;
    for (size_t i = 0; i < sent->count; i++) {
        const vc_definition *definition = sent->parsed[i];
        if (vc_definition_object_kind(definition) != VC_KIND_CUBE) continue;
        if (!vc_str_equal(definition->name, sent->call->arguments[0]))
            return fail_name(sent, i, error, "each cube has an address of its own");
        sent->cube = i;
    }
    if (sent->cube < sent->count) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "bad_value",
                   "the body defines no cube; the cube '%.*s' must be in it",
                   VC_FMT(sent->call->arguments[0]));
}

static bool is_within(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* Does the path lead below the folder, symbolic links followed? Of a file that is not there its
 * folder counts: what it holds is named when the file is not found. */
static bool leads_below(const char *folder, vc_str path)
{
    char root[PATH_MAX], whole[PATH_MAX], found[PATH_MAX];
    vc_str rest = path;
    if (path.size == 0 || path.data[0] == '/' || vc_str_is(path, "-")) return false;
    while (!vc_str_is_null(rest))
        if (vc_str_is(vc_str_split(&rest, '/'), "..")) return false;
    int size = snprintf(whole, sizeof whole, "%s/%.*s", folder, VC_FMT(path));
    if (size < 0 || (size_t)size >= sizeof whole || realpath(folder, root) == NULL) return false;
    if (realpath(whole, found) != NULL) return is_within(found, root);
    *strrchr(whole, '/') = '\0';
    return realpath(whole, found) != NULL && is_within(found, root);
}

static vc_status check_files(const sending *sent, size_t number, vc_error *error)
{
    vc_load_named *files;
    size_t nfiles;
    const char *folder = sent->call->service->options.data_directory;
    vc_status status =
        vc_load_list_files(sent->parsed[number], sent->call->arena, &files, &nfiles, error);
    for (size_t i = 0; status == VC_OK && i < nfiles; i++) {
        if (folder != NULL && leads_below(folder, files[i].path)) continue;
        if (folder == NULL)
            status = vc_fail(error, VC_IMPOSSIBLE, "no_data_folder",
                             "'%.*s' is a file, and this server reads none (vcube serve --data DIR "
                             "lets it); leave it out, and send the facts to .../load",
                             VC_FMT(files[i].path));
        else
            status = vc_fail(error, VC_IMPOSSIBLE, "outside_data_folder",
                             "'%.*s' does not lead below the server's data folder",
                             VC_FMT(files[i].path));
        vc_error_at_pointer(error, "%.*s", VC_FMT(files[i].pointer));
        vc_definition_locate(sent->parsed[number], error);
        return fail_within(sent, number, error);
    }
    return status;
}

static vc_status read_body(sending *sent, vc_error *error)
{
    vc_status status = cut_body(sent, error);
    if (status == VC_OK) status = parse_definitions(sent, error);
    if (status == VC_OK) status = find_cube(sent, error);
    for (size_t i = 0; status == VC_OK && i < sent->count; i++)
        status = check_files(sent, i, error);
    return status;
}

/* ---- PUT ---- */

static const char *const kind_names[] = {[VC_DEFINITION_SOURCE] = "source",
                                         [VC_DEFINITION_VIRTUAL] = "virtual",
                                         [VC_DEFINITION_DIMENSION] = "dimension",
                                         [VC_DEFINITION_CROSSWALK] = "crosswalk"};

static void put_report(const sending *sent, vc_loading *loading, const vc_load_report *report)
{
    vc_json_writer json = {.out = &sent->call->reply->body};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "cube", sent->call->arguments[0]);
    vc_json_put_bool(&json, "created", !loading->was_there);
    vc_json_begin(&json, "objects", '[');
    for (size_t i = 0; i < report->nobjects; i++) {
        const vc_load_object_report *object = &report->objects[i];
        vc_json_begin(&json, NULL, '{');
        vc_json_put_text(&json, "kind", kind_names[object->kind]);
        vc_json_put_str(&json, "name", object->name);
        vc_json_put_uint(&json, "rows", object->nrows);
        vc_json_put_uint(&json, "members", object->nmembers);
        vc_json_put_uint(&json, "rejected", object->nrejects);
        vc_json_end(&json, '}');
    }
    vc_json_end(&json, ']');
    vc_loading_put(loading, report->epoch, &json);
    vc_json_end(&json, '}');
}

/* An error of the load with its place in the body, when it has one there. */
static vc_status fail_load(const sending *sent, vc_loading *loading, vc_error *error)
{
    size_t number = 0;
    while (number < sent->count && strcmp(error->file, vc_str_is_null(sent->parsed[number]->file)
                                                           ? ""
                                                           : sent->parsed[number]->file.data) != 0)
        number++;
    bool is_data = number == sent->count && error->file[0] != '\0' && error->pointer[0] == '\0';
    if (number < sent->count && error->pointer[0] != '\0') (void)fail_within(sent, number, error);
    if (is_data && error->status < VC_CORRUPT) {
        vc_error found = *error;
        const char *slash = strrchr(found.file, '/');
        snprintf(error->message, sizeof error->message, "%s: %.700s",
                 slash != NULL ? slash + 1 : found.file, found.message);
    }
    return vc_loading_fail(loading, error);
}

static vc_status read_parameters(const vc_request *request, vc_load_options *options,
                                 vc_error *error)
{
    static const char *const known[] = {"facts", "max_rejects", NULL};
    vc_str facts;
    vc_status status = vc_request_check_parameters(request, known, error);
    if (status == VC_OK) status = vc_request_parameter(request, "facts", &facts, error);
    if (status == VC_OK)
        status =
            vc_request_count(request, "max_rejects", 0, INT64_MAX, &options->max_rejects, error);
    if (status != VC_OK) return status;
    options->drops_facts = vc_str_is(facts, "drop");
    if (vc_str_is_null(facts) || options->drops_facts || vc_str_is(facts, "keep")) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_parameter", "facts is '%.*s'; expected 'keep' or 'drop'",
            VC_FMT(facts));
    vc_error_at_offset(error, "facts", 0);
    return VC_BAD_INPUT;
}

static vc_status load(sending *sent, const vc_load_options *options, vc_loading *loading,
                      vc_error *error)
{
    vc_call *call = sent->call;
    vc_load_report report;
    vc_status status = vc_load_definitions(call->service->options.store, sent->parsed, sent->count,
                                           options, call->arena, &report, error);
    if (status != VC_OK) return fail_load(sent, loading, error);
    put_report(sent, loading, &report);
    vc_change_tag(call->reply, sent->parsed[sent->cube]->text);
    status = vc_call_done_json(call);
    if (!loading->was_there) call->reply->status = 201;
    return status;
}

vc_status vc_handle_define(vc_call *call, vc_error *error)
{
    vc_loading loading;
    sending sent = {.call = call};
    vc_load_options options = vc_loading_start(&loading, call, call->arguments[0]);
    vc_status status = read_parameters(call->request, &options, error);
    if (status == VC_OK) status = read_body(&sent, error);
    if (status == VC_OK) status = load(&sent, &options, &loading, error);
    for (size_t i = 0; sent.parsed != NULL && i < sent.count; i++)
        vc_definition_release(sent.parsed[i]);
    vc_loading_release(&loading);
    return status;
}

/* ---- DELETE ---- */

static vc_status check_match(void *context, const vc_snapshot *published, vc_error *error)
{
    const vc_call *call = context;
    return vc_change_check_match(call->request, call->service->options.version, call->reply->salt,
                                 published, call->arguments[0], error);
}

vc_status vc_handle_drop(vc_call *call, vc_error *error)
{
    static const char *const known[] = {"force", NULL};
    vc_str force;
    uint64_t epoch;
    vc_store *store = call->service->options.store;
    vc_snapshot *snapshot;
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK) status = vc_request_parameter(call->request, "force", &force, error);
    if (status != VC_OK) return status;
    bool is_forced = vc_str_is(force, "true");
    if (!is_forced && !vc_str_is_null(force) && !vc_str_is(force, "false")) {
        vc_fail(error, VC_BAD_INPUT, "bad_parameter", "force is '%.*s'; expected 'true' or 'false'",
                VC_FMT(force));
        vc_error_at_offset(error, "force", 0);
        return VC_BAD_INPUT;
    }
    status = vc_object_drop_if(store, VC_KIND_CUBE, call->arguments[0], is_forced, check_match,
                               call, &epoch, error);
    if (status != VC_OK) return status;
    vc_json_writer json = {.out = &call->reply->body};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "cube", call->arguments[0]);
    vc_json_put_bool(&json, "dropped", true);
    vc_json_put_uint(&json, "epoch", epoch);
    if (vc_snapshot_open(store, &snapshot, NULL) == VC_OK) {
        if (vc_snapshot_epoch(snapshot) == epoch)
            snprintf(call->reply->snapshot, sizeof call->reply->snapshot, "%s",
                     vc_snapshot_id(snapshot));
        vc_snapshot_close(snapshot);
    }
    vc_json_end(&json, '}');
    return vc_call_done_json(call);
}

/* ---- GET ---- */

/* A definition names members, measures and cubes: it is for who sees all of the cube. */
static vc_status check_whole(vc_call *call, vc_error *error)
{
    const vc_cube *cube;
    vc_status status = vc_call_cube(call, &cube, error);
    if (status != VC_OK || !cube->is_partial) return status;
    return vc_fail(error, VC_IMPOSSIBLE, "forbidden",
                   "the definition of cube '%.*s' is for roles that see all of it",
                   VC_FMT(cube->name));
}

vc_status vc_handle_definition(vc_call *call, vc_error *error)
{
    static const char *const known[] = {NULL};
    vc_snapshot *snapshot;
    vc_object object;
    vc_manifest manifest;
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK && call->role->rights != NULL) status = check_whole(call, error);
    if (status == VC_OK) status = vc_snapshot_open(call->service->options.store, &snapshot, error);
    if (status != VC_OK) return status;
    snprintf(call->reply->snapshot, sizeof call->reply->snapshot, "%s", vc_snapshot_id(snapshot));
    status = vc_snapshot_find(snapshot, VC_KIND_CUBE, call->arguments[0], &object, error);
    if (status == VC_OK) status = vc_manifest_read(&object, call->arena, &manifest, error);
    vc_snapshot_close(snapshot);
    if (status != VC_OK) return status;
    vc_change_tag(call->reply, manifest.definition);
    if (vc_reply_is_known(call->reply, call->request)) return VC_OK;
    vc_buffer_put_str(&call->reply->body, manifest.definition);
    call->reply->status = 200;
    call->reply->content_type = VC_JSON_TYPE;
    return VC_OK;
}
