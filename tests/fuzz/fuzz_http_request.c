/* libFuzzer target: the head of a request becomes a request or an error, and any error becomes a
 * problem that is JSON.
 *
 * The first line is method and target, the others are headers, cut as libmicrohttpd cuts them.
 */
#include "http/reply.h"
#include "http/request.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_problem(const vc_error *error)
{
    vc_reply reply = {0};
    json_error_t place;
    vc_reply_problem(&reply, error, "id");
    json_t *json = json_loadb(reply.body.data, reply.body.size, JSON_REJECT_DUPLICATES, &place);
    assert(json != NULL && reply.status >= 400);
    json_decref(json);
    vc_buffer_release(&reply.body);
}

static vc_status read_all(vc_str text, vc_arena *arena, vc_request *request, vc_error *error)
{
    enum { MAX_HEADERS = 128 };
    vc_header headers[MAX_HEADERS];
    size_t nheaders = 0;
    vc_str target = vc_str_split(&text, '\n');
    vc_str method = vc_str_split(&target, ' ');
    while (!vc_str_is_null(text) && nheaders < MAX_HEADERS) {
        vc_str value = vc_str_split(&text, '\n');
        vc_str name = vc_str_split(&value, ':');
        headers[nheaders++] = (vc_header){name, vc_str_is_null(value) ? VC_STR("") : value};
    }
    vc_status status = vc_request_read_method(method, request, error);
    if (status == VC_OK) status = vc_request_read_headers(headers, nheaders, request, error);
    if (status == VC_OK && !vc_str_is_null(target))
        status = vc_request_read_target(target, 8000, arena, request, error);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_request request = {0};
    vc_status status = read_all((vc_str){(const char *)data, size}, &arena, &request, &error);
    if (status != VC_OK) {
        check_problem(&error);
    } else {
        for (size_t i = 0; i < request.nsegments; i++) {
            assert(vc_utf8_check(request.segments[i], NULL));
            assert(!vc_str_is(request.segments[i], ".."));
            assert(memchr(request.segments[i].data, '\0', request.segments[i].size) == NULL);
        }
        vc_reply reply = {.etag = "\"00000000000000000000000000000000\""};
        (void)vc_reply_is_known(&reply, &request);
        (void)vc_accepts(request.accept, "application", "json");
    }
    vc_arena_release(&arena);
    return 0;
}
