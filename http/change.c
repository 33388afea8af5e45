#include "http/change.h"

#include "cube/source.h"
#include "http/route.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- media types ---- */

static bool is_same(vc_str text, const char *wanted)
{
    return text.size == strlen(wanted) && strncasecmp(text.data, wanted, text.size) == 0;
}

bool vc_media_type_is(vc_str content_type, const char *wanted)
{
    return is_same(vc_str_trim(vc_str_split(&content_type, ';')), wanted);
}

vc_str vc_media_type_parameter(vc_str content_type, const char *name)
{
    (void)vc_str_split(&content_type, ';');
    while (!vc_str_is_null(content_type)) {
        vc_str value = vc_str_trim(vc_str_split(&content_type, ';'));
        if (!is_same(vc_str_trim(vc_str_split(&value, '=')), name) || vc_str_is_null(value))
            continue;
        value = vc_str_trim(value);
        if (value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"')
            value = (vc_str){value.data + 1, value.size - 2};
        return value;
    }
    return (vc_str){0};
}

/* ---- who ---- */

/* Is the origin the host that the request is for? */
static bool is_origin(const vc_request *request, const char *scheme)
{
    vc_str origin = request->origin;
    size_t size = strlen(scheme);
    return origin.size > size && strncasecmp(origin.data, scheme, size) == 0 &&
           origin.size - size == request->host.size &&
           strncasecmp(origin.data + size, request->host.data, request->host.size) == 0;
}

/* A page of this server. Pages that may read answers (CORS) may not change anything. A plain server
 * may have a proxy before it that speaks TLS; one that speaks TLS has no plain pages. */
static bool is_own_origin(const vc_server_options *options, const vc_request *request)
{
    return is_origin(request, "https://") ||
           (options->tls_certificate == NULL && is_origin(request, "http://"));
}

static vc_status check_type(const vc_request *request, unsigned traits, vc_error *error)
{
    vc_str type = request->content_type;
    bool is_upload = (traits & VC_ROUTE_UPLOAD) != 0;
    bool is_known = is_upload ? vc_media_type_is(type, "text/csv") ||
                                    vc_media_type_is(type, "application/x-ndjson") ||
                                    vc_media_type_is(type, "application/ndjson") ||
                                    vc_media_type_is(type, "application/jsonl")
                              : vc_media_type_is(type, "application/json");
    if (is_known) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "unsupported_media_type",
                   "found the Content-Type '%.*s', expected %s",
                   (int)(type.size > 100 ? 100 : type.size), type.size > 0 ? type.data : "",
                   is_upload ? "text/csv or application/x-ndjson" : "application/json");
}

vc_status vc_change_check(const vc_server_options *options, const vc_request *request,
                          unsigned traits, vc_error *error)
{
    if (!vc_str_is_null(request->origin) && !is_own_origin(options, request))
        return vc_fail(
            error, VC_IMPOSSIBLE, "foreign_origin", "a page of '%.*s' may not change anything here",
            (int)(request->origin.size > 100 ? 100 : request->origin.size), request->origin.data);
    if (options->is_read_only && (traits & VC_ROUTE_CHANGE) != 0)
        return vc_fail(error, VC_IMPOSSIBLE, "read_only",
                       "this server only reads (vcube serve --read-only)");
    bool needs_body = (traits & VC_ROUTE_UPLOAD) != 0 || request->method == VC_METHOD_PUT;
    return needs_body || request->has_body ? check_type(request, traits, error) : VC_OK;
}

/* ---- on what condition ---- */

void vc_change_tag(vc_reply *reply, vc_str text)
{
    const vc_str parts[] = {VC_STR("definition"), text};
    vc_reply_tag(reply, parts, 2);
}

/* Does the list name the stored cube as it is? */
static vc_status is_named(const vc_request *request, vc_str list, const char *version,
                          const char *salt, const vc_snapshot *published, const vc_object *object,
                          bool *is_out, vc_error *error)
{
    vc_arena arena = {0};
    vc_reply tagged = {.salt = salt};
    vc_definition *definition = NULL;
    vc_status status = vc_manifest_definition(object, &arena, &definition, error);
    if (status == VC_OK) {
        /* As vc_call_is_known tags the answer to GET. */
        const vc_str parts[] = {vc_str_of(version), vc_str_of(vc_snapshot_id(published)),
                                request->path, (vc_str){0}, vc_definition_hash(definition, &arena)};
        vc_change_tag(&tagged, definition->text);
        *is_out = vc_reply_matches(&tagged, list);
        vc_reply_tag(&tagged, parts, sizeof parts / sizeof parts[0]);
        *is_out = *is_out || vc_reply_matches(&tagged, list);
    }
    vc_definition_release(definition);
    vc_arena_release(&arena);
    return status;
}

vc_status vc_change_check_match(const vc_request *request, const char *version, const char *salt,
                                const vc_snapshot *published, vc_str cube, vc_error *error)
{
    vc_object object;
    vc_str match = request->if_match, none = request->if_none_match;
    bool is_matched = false, is_excluded = false;
    if (vc_str_is_null(match) && vc_str_is_null(none)) return VC_OK;
    vc_status status = vc_snapshot_find(published, VC_KIND_CUBE, cube, &object, error);
    bool is_there = status == VC_OK;
    if (status == VC_NOT_FOUND) status = VC_OK;
    if (is_there && !vc_str_is_null(match))
        status = is_named(request, match, version, salt, published, &object, &is_matched, error);
    if (status == VC_OK && is_there && !vc_str_is_null(none))
        status = is_named(request, none, version, salt, published, &object, &is_excluded, error);
    if (status != VC_OK) return status;
    if (!vc_str_is_null(match) && !is_matched)
        return vc_fail(error, VC_CONFLICT, "precondition_failed",
                       is_there ? "If-Match: cube '%.*s' is not as it was then"
                                : "If-Match: there is no cube '%.*s'",
                       VC_FMT(cube));
    if (is_excluded)
        return vc_fail(error, VC_CONFLICT, "precondition_failed",
                       "If-None-Match: cube '%.*s' is there already", VC_FMT(cube));
    return VC_OK;
}
