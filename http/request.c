#include "http/request.h"

#include "base/nearest.h"

#include <string.h>
#include <strings.h>

enum { MAX_REQUEST_ID = 64 };

static const char *const method_names[VC_METHOD_COUNT] = {"GET", "HEAD",   "POST", "OPTIONS",
                                                          "PUT", "DELETE", "PATCH"};

const char *vc_method_name(vc_method method)
{
    return method_names[method];
}

vc_status vc_request_read_method(vc_str name, vc_request *request, vc_error *error)
{
    for (int i = 0; i < VC_METHOD_COUNT; i++)
        if (vc_str_is(name, method_names[i])) {
            request->method = (vc_method)i;
            return VC_OK;
        }
    return vc_fail(error, VC_BAD_INPUT, "bad_method",
                   "found the method '%.*s'%s; there are GET, HEAD, POST, PUT, DELETE and OPTIONS",
                   (int)(name.size > 40 ? 40 : name.size), name.data, name.size > 40 ? "..." : "");
}

/* ---- target ---- */

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

/* Decode one segment of the path. `+` stands for itself there. */
static vc_status decode_segment(vc_str raw, vc_arena *arena, vc_str *segment_out, vc_error *error)
{
    char *text = vc_arena_alloc(arena, raw.size + 1);
    if (text == NULL) return vc_no_memory(error);
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        char byte = raw.data[i];
        if (byte == '%') {
            int high = i + 2 < raw.size ? hex_digit(raw.data[i + 1]) : -1;
            int low = i + 2 < raw.size ? hex_digit(raw.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return vc_fail(error, VC_BAD_INPUT, "bad_encoding",
                               "found '%%' without two hexadecimal digits behind it in the path");
            byte = (char)(high * 16 + low);
            i += 2;
        }
        if ((unsigned char)byte < 0x20 || byte == 0x7F)
            return vc_fail(error, VC_BAD_INPUT, "bad_encoding",
                           "found the control character %%%02X in the path",
                           (unsigned)(unsigned char)byte);
        text[size++] = byte;
    }
    text[size] = '\0';
    *segment_out = (vc_str){text, size};
    if (!vc_utf8_check(*segment_out, NULL))
        return vc_fail(error, VC_BAD_INPUT, "bad_encoding",
                       "found bytes that are not UTF-8 in the path");
    if (vc_str_is(*segment_out, ".") || vc_str_is(*segment_out, ".."))
        return vc_fail(error, VC_BAD_INPUT, "bad_target",
                       "found a segment '%s' in the path, which leads nowhere", text);
    return VC_OK;
}

/* Only what RFC 3986 lets stand as itself; everything else must be percent-encoded. `"<>\^`{|}` are
 * let pass because browsers and people send them, and nothing reads them in two ways. */
static vc_status check_bytes(vc_str target, vc_error *error)
{
    for (size_t i = 0; i < target.size; i++) {
        unsigned char byte = (unsigned char)target.data[i];
        if (byte > 0x20 && byte < 0x7F && byte != '#') continue;
        return vc_fail(error, VC_BAD_INPUT, "bad_target",
                       "found the byte 0x%02X in the address, at offset %zu; it must be "
                       "percent-encoded",
                       byte, i);
    }
    return VC_OK;
}

vc_status vc_request_read_target(vc_str target, size_t max_bytes, vc_arena *arena,
                                 vc_request *request, vc_error *error)
{
    if (target.size > max_bytes)
        return vc_fail(error, VC_LIMIT, "url_too_long",
                       "the address has more than %zu bytes; ask by POST /v1/query", max_bytes);
    vc_status status = check_bytes(target, error);
    if (status != VC_OK) return status;
    request->query_string = target;
    request->path = vc_str_split(&request->query_string, '?');
    if (vc_str_is(target, "*") && request->method == VC_METHOD_OPTIONS) return VC_OK;
    if (request->path.size == 0 || request->path.data[0] != '/')
        return vc_fail(error, VC_BAD_INPUT, "bad_target",
                       "found an address that does not begin with '/'");
    vc_str rest = {request->path.data + 1, request->path.size - 1};
    while (!vc_str_is_null(rest)) {
        vc_str raw = vc_str_split(&rest, '/');
        if (request->nsegments == VC_MAX_SEGMENTS)
            return vc_fail(error, VC_NOT_FOUND, "unknown_path", "nothing lies so deep");
        status = decode_segment(raw, arena, &request->segments[request->nsegments++], error);
        if (status != VC_OK) return status;
    }
    if (vc_str_is_null(request->query_string)) return VC_OK;
    size_t count = 1;
    for (size_t i = 0; i < request->query_string.size; i++)
        count += request->query_string.data[i] == '&';
    if (count > VC_MAX_PARAMETERS)
        return vc_fail(error, VC_LIMIT, "too_many_parameters",
                       "found %zu parameters, the most is %d; ask by POST /v1/query", count,
                       VC_MAX_PARAMETERS);
    return vc_parameters_decode(request->query_string, arena, &request->parameters,
                                &request->nparameters, error);
}

/* ---- headers ---- */

static bool is_token_byte(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static bool is_named(vc_str name, const char *wanted)
{
    return name.size == strlen(wanted) && strncasecmp(name.data, wanted, name.size) == 0;
}

/* What others may take for a length or a transfer coding: written with "_", which some gateways
 * make a "-"; or longer, because libmicrohttpd puts the text of a folded line behind the *name*, so
 * that "Content-Length:\r\n 2" arrives as "Content-Length2". */
static bool is_like_framing(vc_str name)
{
    static const char *const names[] = {"Content-Length", "Transfer-Encoding"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t size = strlen(names[i]), same = 0;
        while (same < size && same < name.size &&
               (strncasecmp(name.data + same, names[i] + same, 1) == 0 ||
                (names[i][same] == '-' && name.data[same] == '_')))
            same++;
        if (same == size && !is_named(name, names[i])) return true;
    }
    return false;
}

static vc_status check_header(const vc_header *header, vc_error *error)
{
    bool is_good = header->name.size > 0;
    for (size_t i = 0; i < header->name.size && is_good; i++)
        is_good = is_token_byte((unsigned char)header->name.data[i]);
    if (!is_good)
        return vc_fail(error, VC_BAD_INPUT, "bad_header",
                       "found a header whose name is not a token of RFC 9110");
    if (is_like_framing(header->name))
        return vc_fail(error, VC_BAD_INPUT, "bad_framing",
                       "found the header '%.*s', which is none, but like one that says where the "
                       "body ends",
                       (int)(header->name.size > 100 ? 100 : header->name.size), header->name.data);
    for (size_t i = 0; i < header->value.size; i++) {
        unsigned char byte = (unsigned char)header->value.data[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F)
            return vc_fail(error, VC_BAD_INPUT, "bad_header",
                           "found a control character in the value of the header '%.*s'",
                           VC_FMT(header->name));
    }
    return VC_OK;
}

/* The name, with any port. */
static bool is_host(vc_str host, const char *name)
{
    size_t size = strlen(name);
    int64_t number;
    if (host.size < size || strncasecmp(host.data, name, size) != 0) return false;
    vc_str port = {host.data + size, host.size - size};
    if (port.size == 0) return true;
    if (port.data[0] != ':' || port.size > 6) return false;
    if (port.size == 1) return true; /* "localhost:" is the default port */
    port = (vc_str){port.data + 1, port.size - 1};
    return port.data[0] >= '0' && port.data[0] <= '9' &&
           vc_parse_int(port, &number) == VC_PARSE_OK && number <= UINT16_MAX;
}

/* A name of this machine or of this server. Others come from a page whose name was rebound to an
 * address of ours (DNS rebinding). */
static vc_status check_host(vc_str host, const vc_request *request, vc_error *error)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (is_host(host, names[i])) return VC_OK;
    for (size_t i = 0; i < request->nhosts; i++)
        if (is_host(host, request->hosts[i])) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "bad_host",
                   "found the Host '%.*s', expected localhost, 127.0.0.1 or [::1]%s",
                   (int)(host.size > 100 ? 100 : host.size), host.data,
                   request->nhosts > 0 ? ", or a name that this server was told to have" : "");
}

static vc_status read_length(vc_str value, vc_request *request, vc_error *error)
{
    uint64_t length = 0;
    bool is_good = value.size > 0 && value.size <= 19;
    for (size_t i = 0; i < value.size && is_good; i++) {
        is_good = value.data[i] >= '0' && value.data[i] <= '9';
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    if (!is_good)
        return vc_fail(error, VC_BAD_INPUT, "bad_framing",
                       "found a Content-Length that is no number");
    request->has_length = true;
    request->content_length = length;
    request->has_body = request->has_body || length > 0;
    return VC_OK;
}

static vc_str last_of_list(vc_str list)
{
    vc_str last = {0};
    while (!vc_str_is_null(list))
        last = vc_str_split(&list, ',');
    while (last.size > 0 && (*last.data == ' ' || *last.data == '\t'))
        last = (vc_str){last.data + 1, last.size - 1};
    return last;
}

struct counts {
    unsigned hosts, lengths, codings;
};

static vc_status read_header(const vc_header *header, struct counts *counts, vc_request *request,
                             vc_error *error)
{
    vc_str name = header->name, value = header->value;
    if (is_named(name, "Host")) {
        if (counts->hosts++ > 0)
            return vc_fail(error, VC_BAD_INPUT, "bad_host", "found two Host headers");
        request->host = value;
        return check_host(value, request, error);
    } else if (is_named(name, "Content-Length")) {
        if (counts->lengths++ > 0)
            return vc_fail(error, VC_BAD_INPUT, "bad_framing", "found two Content-Length headers");
        return read_length(value, request, error);
    } else if (is_named(name, "Transfer-Encoding")) {
        if (counts->codings++ > 0 || !is_named(value, "chunked"))
            return vc_fail(error, VC_BAD_INPUT, "bad_framing",
                           "found a Transfer-Encoding other than just 'chunked'");
        request->has_body = true;
    } else if (is_named(name, "Authorization")) {
        if (!vc_str_is_null(request->authorization))
            return vc_fail(error, VC_BAD_INPUT, "bad_header", "found two Authorization headers");
        request->authorization = value;
    } else if (is_named(name, "Accept")) {
        request->accept = value;
    } else if (is_named(name, "Accept-Encoding")) {
        request->encoding = vc_encoding_choose(value);
    } else if (is_named(name, "Content-Type")) {
        request->content_type = value;
    } else if (is_named(name, "Content-Encoding")) {
        request->content_encoding = value;
    } else if (is_named(name, "If-None-Match")) {
        request->if_none_match = value;
    } else if (is_named(name, "If-Match")) {
        request->if_match = value;
    } else if (is_named(name, "Origin")) {
        request->origin = value;
    } else if (is_named(name, "Access-Control-Request-Method")) {
        request->is_preflight = true;
    } else if (is_named(name, "Expect")) {
        request->expects_continue = is_named(value, "100-continue");
    } else if (is_named(name, "X-Forwarded-For")) {
        request->forwarded_for = last_of_list(value);
    } else if (is_named(name, "User-Agent")) {
        request->user_agent = value;
    } else if (is_named(name, "X-Request-Id")) {
        bool is_fit = value.size > 0 && value.size <= MAX_REQUEST_ID;
        for (size_t i = 0; i < value.size && is_fit; i++)
            is_fit = is_token_byte((unsigned char)value.data[i]);
        if (is_fit) request->request_id = value;
    }
    return VC_OK;
}

vc_status vc_request_read_headers(const vc_header *headers, size_t nheaders, vc_request *request,
                                  vc_error *error)
{
    struct counts counts = {0};
    for (size_t i = 0; i < nheaders; i++) {
        vc_status status = check_header(&headers[i], error);
        if (status == VC_OK) status = read_header(&headers[i], &counts, request, error);
        if (status != VC_OK) return status;
    }
    if (counts.hosts == 0) return vc_fail(error, VC_BAD_INPUT, "bad_host", "found no Host header");
    if (counts.lengths > 0 && counts.codings > 0)
        return vc_fail(error, VC_BAD_INPUT, "bad_framing",
                       "found a Content-Length beside a Transfer-Encoding");
    if (request->has_body &&
        (request->method == VC_METHOD_GET || request->method == VC_METHOD_HEAD))
        return vc_fail(error, VC_BAD_INPUT, "bad_framing",
                       "found a %s with a body; a query in a body is a POST /v1/query",
                       vc_method_name(request->method));
    return VC_OK;
}

vc_status vc_request_check_trailers(const vc_header *trailers, size_t ntrailers, vc_error *error)
{
    static const char *const framing[] = {"Host", "Content-Length", "Transfer-Encoding"};
    for (size_t i = 0; i < ntrailers; i++) {
        vc_status status = check_header(&trailers[i], error);
        if (status != VC_OK) return status;
        for (size_t k = 0; k < sizeof framing / sizeof framing[0]; k++)
            if (is_named(trailers[i].name, framing[k]))
                return vc_fail(error, VC_BAD_INPUT, "bad_framing",
                               "found '%s' behind the body, where it must not stand", framing[k]);
    }
    return VC_OK;
}

/* ---- parameters ---- */

vc_status vc_request_parameter(const vc_request *request, const char *name, vc_str *value_out,
                               vc_error *error)
{
    *value_out = (vc_str){0};
    for (size_t i = 0; i < request->nparameters; i++) {
        if (!vc_str_is(request->parameters[i].name, name)) continue;
        if (!vc_str_is_null(*value_out)) {
            vc_fail(error, VC_BAD_INPUT, "bad_parameter", "found '%s' twice, expected it once",
                    name);
            vc_error_at_pointer(error, "%s", name);
            return VC_BAD_INPUT;
        }
        *value_out = request->parameters[i].value;
    }
    return VC_OK;
}

vc_status vc_request_count(const vc_request *request, const char *name, uint64_t fallback,
                           uint64_t max, uint64_t *count_out, vc_error *error)
{
    vc_str text;
    vc_status status = vc_request_parameter(request, name, &text, error);
    if (status != VC_OK) return status;
    *count_out = fallback;
    if (vc_str_is_null(text)) return VC_OK;
    int64_t value;
    if (vc_parse_int(text, &value) != VC_PARSE_OK || value < 0 || (uint64_t)value > max) {
        vc_fail(error, VC_BAD_INPUT, "bad_parameter",
                "found '%.*s', expected a whole number from 0 to %llu", VC_FMT(text),
                (unsigned long long)max);
        vc_error_at_offset(error, name, 0);
        return VC_BAD_INPUT;
    }
    *count_out = (uint64_t)value;
    return VC_OK;
}

vc_status vc_request_check_parameters(const vc_request *request, const char *const *known,
                                      vc_error *error)
{
    for (size_t i = 0; i < request->nparameters; i++) {
        vc_str name = request->parameters[i].name;
        vc_nearest nearest;
        vc_nearest_init(&nearest, name);
        bool is_known = false;
        for (size_t k = 0; known[k] != NULL && !is_known; k++) {
            is_known = vc_str_is(name, known[k]);
            vc_nearest_offer(&nearest, vc_str_of(known[k]));
        }
        if (is_known) continue;
        vc_buffer names = {0};
        for (size_t k = 0; known[k] != NULL; k++)
            vc_buffer_printf(&names, "%s%s", k == 0 ? "; expected one of: " : ", ", known[k]);
        vc_fail(error, VC_BAD_INPUT, "unknown_parameter", "unknown parameter '%.*s'%s",
                VC_FMT(name), names.size > 0 ? vc_buffer_text(&names) : "; none is known here");
        vc_buffer_release(&names);
        vc_error_at_pointer(error, "%.*s", VC_FMT(name));
        vc_nearest_report(&nearest, error);
        return VC_BAD_INPUT;
    }
    return VC_OK;
}
