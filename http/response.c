#include "http/response.h"

#include "http/cors.h"

#include <stdio.h>

enum { SPOOL_BLOCK_BYTES = 256 * 1024 };

static void put_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value[0] != '\0') (void)MHD_add_response_header(response, name, value);
}

static void put_timing(struct MHD_Response *response, const vc_reply *reply)
{
    static const char *const names[] = {"queue", "prepare", "run", "render"};
    const int64_t spans_ns[] = {reply->queued_ns, reply->prepared_ns, reply->run_ns,
                                reply->rendered_ns};
    char text[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (spans_ns[i] > 0)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s;dur=%.3f",
                                     used > 0 ? ", " : "", names[i], (double)spans_ns[i] / 1e6);
    if (reply->was_kept)
        snprintf(text + used, sizeof text - used, "%scache;desc=hit", used > 0 ? ", " : "");
    put_header(response, "Server-Timing", text);
}

/* Without an origin that is allowed no header says so; that it depends on it is always said. */
static void put_cors(struct MHD_Response *response, const vc_reply *reply)
{
    put_header(response, "Vary",
               reply->varies_by_origin ? "Accept, Accept-Encoding, Authorization, Origin"
                                       : "Accept, Accept-Encoding, Authorization");
    if (reply->origin == NULL) return;
    put_header(response, "Access-Control-Allow-Origin", reply->origin);
    if (!reply->is_preflight) {
        put_header(response, "Access-Control-Expose-Headers", VC_CORS_REPLY_HEADERS);
        return;
    }
    put_header(response, "Access-Control-Allow-Methods", reply->allow);
    put_header(response, "Access-Control-Allow-Headers", VC_CORS_REQUEST_HEADERS);
    put_header(response, "Access-Control-Max-Age", VC_CORS_MAX_AGE_S);
}

/* RFC 8288. Of an address that is longer than headers should be the body has the parts. */
static void put_link(struct MHD_Response *response, const vc_buffer *link)
{
    enum { LONGEST = 4000 };
    char text[LONGEST + 16];
    if (link->size == 0 || link->size > LONGEST || link->failed) return;
    snprintf(text, sizeof text, "<%.*s>; rel=\"next\"", (int)link->size, link->data);
    put_header(response, "Link", text);
}

static void put_headers(struct MHD_Response *response, const vc_reply *reply,
                        const char *request_id)
{
    if (reply->content_type != NULL) put_header(response, "Content-Type", reply->content_type);
    put_header(response, "ETag", reply->etag);
    put_header(response, "X-Snapshot", reply->snapshot);
    put_header(response, "X-Notices", reply->notices);
    put_header(response, "X-Request-Id", request_id);
    put_header(response, "Allow", reply->allow);
    if (reply->file_name != NULL) put_header(response, "Content-Disposition", reply->file_name);
    if (reply->encoding != VC_ENCODING_IDENTITY)
        put_header(response, "Content-Encoding", vc_encoding_name(reply->encoding));
    put_link(response, &reply->link);
    if (reply->retry_after_s > 0) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%u", reply->retry_after_s);
        put_header(response, "Retry-After", seconds);
    }
    put_header(response, "Cache-Control", reply->is_private ? "private, no-cache" : "no-cache");
    if (reply->status == 401) put_header(response, "WWW-Authenticate", "Bearer realm=\"vcube\"");
    put_cors(response, reply);
    put_header(response, "X-Content-Type-Options", "nosniff");
    put_header(response, "Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'");
    put_timing(response, reply);
    if (reply->closes) put_header(response, "Connection", "close");
}

static ssize_t read_spool(void *spool, uint64_t offset, char *block, size_t capacity)
{
    ssize_t n = vc_spool_read(spool, offset, block, capacity);
    return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR; /* the size was promised */
}

static ssize_t read_answer(void *answer, uint64_t offset, char *block, size_t capacity)
{
    return read_spool(((vc_answer *)answer)->spool, offset, block, capacity);
}

static struct MHD_Response *make_of_answer(vc_answer *answer)
{
    if (answer->spool != NULL)
        return MHD_create_response_from_callback(vc_spool_size(answer->spool), SPOOL_BLOCK_BYTES,
                                                 read_answer, answer, vc_answer_release);
    return MHD_create_response_from_buffer_with_free_callback_cls(
        answer->body.size, answer->body.data, vc_answer_release, answer);
}

static struct MHD_Response *make_of_spool(vc_reply *reply)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(vc_spool_size(reply->spool), SPOOL_BLOCK_BYTES,
                                          read_spool, reply->spool, vc_reply_free_spool);
    if (response != NULL) reply->spool = NULL;
    return response;
}

/* MHD takes the body's memory, or the reference to the answer. NULL when out of memory. */
static struct MHD_Response *make_body(vc_reply *reply)
{
    if (reply->answer != NULL) {
        struct MHD_Response *kept = make_of_answer(reply->answer);
        if (kept == NULL) vc_answer_release(reply->answer);
        reply->answer = NULL;
        return kept;
    }
    if (reply->spool != NULL) return make_of_spool(reply);
    enum MHD_ResponseMemoryMode mode =
        reply->body.data != NULL ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->body.size, reply->body.data != NULL ? reply->body.data : "", mode);
    if (response != NULL) reply->body = (vc_buffer){0};
    return response;
}

struct MHD_Response *vc_response_make(vc_reply *reply, const char *request_id)
{
    struct MHD_Response *response = make_body(reply);
    if (response != NULL) put_headers(response, reply, request_id);
    return response;
}
