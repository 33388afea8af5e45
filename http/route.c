#include "http/route.h"

#include <string.h>

#define MONDRIAN           "/mondrian-rest/cubes"
#define MONDRIAN_CUBE      MONDRIAN "/{cube}"
#define MONDRIAN_DIMENSION MONDRIAN_CUBE "/dimensions/{dimension}"
#define MONDRIAN_HIERARCHY MONDRIAN_DIMENSION "/hierarchies/{hierarchy}"

enum { CUBEJS_LOAD = VC_ROUTE_JSON | VC_ROUTE_KEPT | VC_ROUTE_CUBEJS };

static const vc_route routes[] = {
    {VC_METHOD_GET, "/", vc_handle_index, 0},
    {VC_METHOD_GET, "/ui", vc_handle_index, 0},
    {VC_METHOD_GET, "/ui/", vc_handle_index, 0},
    {VC_METHOD_GET, "/ui/style.css", vc_handle_styles, 0},
    {VC_METHOD_GET, "/healthz", vc_handle_health, VC_ROUTE_QUICK | VC_ROUTE_JSON | VC_ROUTE_OPEN},
    {VC_METHOD_GET, "/readyz", vc_handle_ready, VC_ROUTE_QUICK | VC_ROUTE_JSON | VC_ROUTE_OPEN},
    {VC_METHOD_GET, "/metrics", vc_handle_metrics, VC_ROUTE_METRICS},
    {VC_METHOD_GET, "/v1/info", vc_handle_info, VC_ROUTE_QUICK | VC_ROUTE_JSON},
    {VC_METHOD_GET, "/v1/openapi.json", vc_handle_openapi, VC_ROUTE_JSON},
    {VC_METHOD_GET, "/v1/snapshots", vc_handle_snapshots, VC_ROUTE_JSON},
    {VC_METHOD_GET, "/v1/cubes", vc_handle_cubes, VC_ROUTE_JSON},
    {VC_METHOD_GET, "/v1/cubes/{cube}", vc_handle_cube, VC_ROUTE_JSON},
    {VC_METHOD_PUT, "/v1/cubes/{cube}", vc_handle_define, VC_ROUTE_JSON | VC_ROUTE_CHANGE},
    {VC_METHOD_DELETE, "/v1/cubes/{cube}", vc_handle_drop, VC_ROUTE_JSON | VC_ROUTE_CHANGE},
    {VC_METHOD_GET, "/v1/cubes/{cube}/definition", vc_handle_definition, VC_ROUTE_JSON},
    {VC_METHOD_POST, "/v1/cubes/{cube}/load", vc_handle_load,
     VC_ROUTE_JSON | VC_ROUTE_CHANGE | VC_ROUTE_UPLOAD},
    {VC_METHOD_GET, "/v1/cubes/{cube}/dimensions/{dimension}", vc_handle_dimension, VC_ROUTE_JSON},
    {VC_METHOD_GET, "/v1/cubes/{cube}/dimensions/{dimension}/members", vc_handle_members,
     VC_ROUTE_JSON},
    {VC_METHOD_GET, "/v1/cubes/{cube}/dimensions/{dimension}/indexes/{index}",
     vc_handle_dimension_index, VC_ROUTE_JSON},
    {VC_METHOD_GET, "/v1/cubes/{cube}/aggregate", vc_handle_aggregate, VC_ROUTE_KEPT},
    {VC_METHOD_GET, "/v1/cubes/{cube}/facts", vc_handle_facts, VC_ROUTE_JSON},
    {VC_METHOD_GET, "/v1/cubes/{cube}/cell", vc_handle_cell, VC_ROUTE_JSON},
    {VC_METHOD_GET, "/v1/cubes/{cube}/coverage", vc_handle_coverage, VC_ROUTE_JSON},
    {VC_METHOD_GET, "/v1/cubes/{cube}/unmatched", vc_handle_unmatched, VC_ROUTE_JSON},
    {VC_METHOD_GET, "/v1/cubes/{cube}/suggest", vc_handle_suggest, VC_ROUTE_JSON},
    {VC_METHOD_POST, "/v1/query", vc_handle_query, VC_ROUTE_KEPT},
    {VC_METHOD_POST, "/v1/batch", vc_handle_batch, VC_ROUTE_JSON},
    {VC_METHOD_POST, "/v1/explain", vc_handle_explain, 0},
    {VC_METHOD_GET, MONDRIAN, vc_handle_mondrian_cubes, 0},
    {VC_METHOD_GET, MONDRIAN_CUBE, vc_handle_mondrian_cube, 0},
    {VC_METHOD_GET, MONDRIAN_CUBE "/aggregate", vc_handle_mondrian_aggregate, VC_ROUTE_KEPT},
    {VC_METHOD_GET, MONDRIAN_CUBE "/aggregate.json", vc_handle_mondrian_aggregate, VC_ROUTE_KEPT},
    {VC_METHOD_GET, MONDRIAN_CUBE "/aggregate.jsonrecords", vc_handle_mondrian_aggregate,
     VC_ROUTE_KEPT},
    {VC_METHOD_GET, MONDRIAN_CUBE "/aggregate.csv", vc_handle_mondrian_aggregate, VC_ROUTE_KEPT},
    {VC_METHOD_GET, MONDRIAN_CUBE "/members", vc_handle_mondrian_full_name, 0},
    {VC_METHOD_GET, MONDRIAN_DIMENSION, vc_handle_mondrian_dimension, 0},
    {VC_METHOD_GET, MONDRIAN_DIMENSION "/levels/{level}", vc_handle_mondrian_dimension, 0},
    {VC_METHOD_GET, MONDRIAN_DIMENSION "/levels/{level}/members", vc_handle_mondrian_members, 0},
    {VC_METHOD_GET, MONDRIAN_DIMENSION "/levels/{level}/members/{key}", vc_handle_mondrian_members,
     0},
    {VC_METHOD_GET, MONDRIAN_HIERARCHY, vc_handle_mondrian_dimension, 0},
    {VC_METHOD_GET, MONDRIAN_HIERARCHY "/levels/{level}", vc_handle_mondrian_dimension, 0},
    {VC_METHOD_GET, MONDRIAN_HIERARCHY "/levels/{level}/members", vc_handle_mondrian_members, 0},
    {VC_METHOD_GET, MONDRIAN_HIERARCHY "/levels/{level}/members/{key}", vc_handle_mondrian_members,
     0},
    {VC_METHOD_GET, "/cubejs-api/v1/meta", vc_handle_cubejs_meta, VC_ROUTE_JSON | VC_ROUTE_CUBEJS},
    {VC_METHOD_GET, "/cubejs-api/v1/load", vc_handle_cubejs_load, CUBEJS_LOAD},
    {VC_METHOD_POST, "/cubejs-api/v1/load", vc_handle_cubejs_load, CUBEJS_LOAD},
    {VC_METHOD_GET, "/cubejs-api/v1/subscribe", vc_handle_cubejs_load, CUBEJS_LOAD},
    {VC_METHOD_POST, "/cubejs-api/v1/subscribe", vc_handle_cubejs_load, CUBEJS_LOAD},
    {VC_METHOD_GET, "/cubejs-api/v1/dry-run", vc_handle_cubejs_dry_run,
     VC_ROUTE_JSON | VC_ROUTE_CUBEJS},
    {VC_METHOD_POST, "/cubejs-api/v1/dry-run", vc_handle_cubejs_dry_run,
     VC_ROUTE_JSON | VC_ROUTE_CUBEJS},
    {VC_METHOD_GET, "/cubejs-api/v1/sql", vc_handle_cubejs_sql, VC_ROUTE_QUICK | VC_ROUTE_CUBEJS},
    {VC_METHOD_POST, "/cubejs-api/v1/sql", vc_handle_cubejs_sql, VC_ROUTE_QUICK | VC_ROUTE_CUBEJS},
    {VC_METHOD_POST, "/cubejs-api/v1/cubesql", vc_handle_cubejs_sql,
     VC_ROUTE_QUICK | VC_ROUTE_CUBEJS},
    {VC_METHOD_POST, "/v1/admin/backup", vc_handle_backup, VC_ROUTE_COPY},
};

enum { NROUTES = sizeof routes / sizeof routes[0] };

bool vc_route_is_dialect(const vc_request *request)
{
    return request->nsegments > 0 && vc_str_is(request->segments[0], "mondrian-rest");
}

unsigned vc_route_number(const vc_route *route)
{
    return route != NULL ? (unsigned)(route - routes) : NROUTES;
}

unsigned vc_route_right(const vc_route *route)
{
    if ((route->traits & VC_ROUTE_OPEN) != 0) return 0;
    if ((route->traits & VC_ROUTE_COPY) != 0) return VC_MAY_BACKUP;
    if ((route->traits & VC_ROUTE_UPLOAD) != 0) return VC_MAY_LOAD;
    if ((route->traits & VC_ROUTE_CHANGE) != 0) return VC_MAY_DEFINE;
    return (route->traits & VC_ROUTE_METRICS) != 0 ? VC_MAY_METRICS : VC_MAY_READ;
}

const vc_route *vc_route_at(size_t number)
{
    return number < NROUTES ? &routes[number] : NULL;
}

static bool matches(const char *template, const vc_request *request,
                    vc_str arguments[VC_MAX_ARGUMENTS])
{
    vc_str rest = vc_str_of(template + 1);
    size_t narguments = 0, at = 0;
    for (; !vc_str_is_null(rest); at++) {
        vc_str part = vc_str_split(&rest, '/');
        if (at == request->nsegments) return false;
        if (part.size > 0 && part.data[0] == '{') {
            if (request->segments[at].size == 0) return false;
            arguments[narguments++] = request->segments[at];
        } else if (!vc_str_equal(part, request->segments[at])) {
            return false;
        }
    }
    return at == request->nsegments;
}

/* "GET, HEAD, OPTIONS": by the methods of the routes with this path; "*" allows what any does. */
static void put_allow(const bool has[VC_METHOD_COUNT], char allow[64])
{
    allow[0] = '\0';
    for (int method = 0; method < VC_METHOD_COUNT; method++) {
        if (!has[method]) continue;
        strcat(allow, vc_method_name((vc_method)method));
        strcat(allow, ", ");
    }
    strcat(allow, "OPTIONS");
}

static vc_status check_accept(const vc_route *route, const vc_request *request, vc_error *error)
{
    if (request->encoding.is_none)
        return vc_fail(
            error, VC_BAD_INPUT, "not_acceptable",
            "nothing fits the Accept-Encoding header; there are zstd, gzip and identity");
    if ((route->traits & VC_ROUTE_JSON) == 0 || vc_accepts(request->accept, "application", "json"))
        return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "not_acceptable",
                   "nothing fits the Accept header '%.*s'; there is application/json",
                   (int)(request->accept.size > 200 ? 200 : request->accept.size),
                   request->accept.data);
}

vc_status vc_route_find(const vc_request *request, const vc_route **route_out,
                        vc_str arguments[VC_MAX_ARGUMENTS], vc_reply *reply, vc_error *error)
{
    bool has[VC_METHOD_COUNT] = {false}, is_path = false;
    bool is_any = vc_str_is(request->path, "*");
    vc_method wanted = request->method == VC_METHOD_HEAD ? VC_METHOD_GET : request->method;
    for (size_t i = 0; i < NROUTES; i++) {
        if (!is_any && !matches(routes[i].template, request, arguments)) continue;
        if (!is_any && routes[i].method == wanted) {
            *route_out = &routes[i];
            return check_accept(&routes[i], request, error);
        }
        is_path = true;
        has[routes[i].method] = true;
        if (routes[i].method == VC_METHOD_GET) has[VC_METHOD_HEAD] = true;
    }
    *route_out = NULL;
    if (!is_path)
        return vc_fail(error, VC_NOT_FOUND, "unknown_path",
                       "there is nothing at '%.*s'; /v1/info says what there is",
                       (int)(request->path.size > 200 ? 200 : request->path.size),
                       request->path.data);
    put_allow(has, reply->allow);
    if (request->method == VC_METHOD_OPTIONS) {
        reply->status = 204;
        return VC_OK;
    }
    return vc_fail(error, VC_BAD_INPUT, "method_not_allowed",
                   "%s is not for '%.*s', which takes %s", vc_method_name(request->method),
                   (int)(request->path.size > 200 ? 200 : request->path.size), request->path.data,
                   reply->allow);
}
