#include "http/cors.h"

#include <string.h>

static vc_status fail(const char *origin, const char *expected, vc_error *error)
{
    return vc_fail(error, VC_BAD_INPUT, "bad_origin", "found the origin '%.200s', expected %s",
                   origin, expected);
}

static bool is_small_or_digit(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

/* The name or address; its size. */
static size_t host_size(const char *host)
{
    size_t size = 0;
    if (host[0] == '[') {
        for (size = 1; is_small_or_digit(host[size]) || host[size] == ':' || host[size] == '.';)
            size++;
        return host[size] == ']' && size > 1 ? size + 1 : 0;
    }
    while (is_small_or_digit(host[size]) || (host[size] != '\0' && strchr("-._", host[size])))
        size++;
    return size;
}

vc_status vc_cors_check(const char *origin, vc_error *error)
{
    static const char form[] = "scheme://host or scheme://host:port in small letters, as browsers "
                               "send it, without a path";
    if (strcmp(origin, "*") == 0 || strcmp(origin, "null") == 0)
        return fail(origin,
                    "the origins by name: any page of the web could read what is served here",
                    error);
    size_t scheme = 0;
    while (is_small_or_digit(origin[scheme]) ||
           (origin[scheme] != '\0' && strchr("+-.", origin[scheme])))
        scheme++;
    if (scheme == 0 || strncmp(origin + scheme, "://", 3) != 0) return fail(origin, form, error);
    const char *host = origin + scheme + 3;
    size_t size = host_size(host);
    if (size == 0) return fail(origin, form, error);
    if (host[size] == '\0') return VC_OK;
    int64_t port;
    vc_str text = vc_str_of(host + size + 1);
    if (host[size] != ':' || text.size == 0 || text.data[0] < '1' || text.data[0] > '9' ||
        vc_parse_int(text, &port) != VC_PARSE_OK || port > UINT16_MAX)
        return fail(origin, form, error);
    bool is_http = scheme == 4 && memcmp(origin, "http", 4) == 0;
    bool is_https = scheme == 5 && memcmp(origin, "https", 5) == 0;
    if ((is_http && port == 80) || (is_https && port == 443))
        return fail(origin, "it without the port, which browsers leave out", error);
    return VC_OK;
}

void vc_cors_read(const char *const *origins, size_t norigins, const vc_request *request,
                  vc_reply *reply)
{
    reply->varies_by_origin = norigins > 0;
    for (size_t i = 0; i < norigins && request->origin.size > 0; i++)
        if (vc_str_is(request->origin, origins[i])) {
            reply->origin = origins[i];
            reply->is_preflight = request->method == VC_METHOD_OPTIONS && request->is_preflight;
        }
}
