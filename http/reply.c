#include "http/reply.h"

#include "base/json_writer.h"
#include "http/encoder.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#define XXH_STATIC_LINKING_ONLY /* for a hashing state on the stack */
#include <xxhash.h>

enum { COMPRESS_FROM_BYTES = 1024 };

/* ---- statuses ---- */

static const unsigned status_of[VC_STATUS_COUNT] = {
    [VC_OK] = 200,         [VC_NO_MEMORY] = 503, [VC_NOT_FOUND] = 404, [VC_BAD_INPUT] = 400,
    [VC_IMPOSSIBLE] = 422, [VC_CONFLICT] = 409,  [VC_LIMIT] = 422,     [VC_OVERFLOW] = 422,
    [VC_CORRUPT] = 500,    [VC_STORAGE] = 500,   [VC_DISK_FULL] = 507, [VC_BUSY] = 503,
    [VC_CANCELLED] = 504,
};

/* What HTTP itself has a status for. */
static const struct {
    const char *code;
    unsigned status;
} status_of_code[] = {
    {"method_not_allowed", 405}, {"not_acceptable", 406},         {"body_too_large", 413},
    {"url_too_long", 414},       {"unsupported_media_type", 415}, {"too_many_headers", 431},
    {"expired_cursor", 410},     {"expired_snapshot", 410},       {"read_only", 403},
    {"foreign_origin", 403},     {"precondition_failed", 412},    {"unauthorized", 401},
    {"forbidden", 403},          {"rate_limited", 429},
};

unsigned vc_reply_status_of(const vc_error *error)
{
    for (size_t i = 0; error->code != NULL && i < sizeof status_of_code / sizeof status_of_code[0];
         i++)
        if (strcmp(error->code, status_of_code[i].code) == 0) return status_of_code[i].status;
    /* A stored definition that no longer fits the stored cubes is not the client's fault. */
    if (error->file[0] != '\0' && error->status < VC_CORRUPT) return 500;
    return status_of[error->status];
}

/* ---- problems ---- */

/* Failures whose message may name paths and addresses of the server. */
static bool is_internal(vc_status status)
{
    return status == VC_STORAGE || status == VC_NO_MEMORY || status == VC_DISK_FULL;
}

static const char *public_detail(const vc_error *error)
{
    if (error->status == VC_NO_MEMORY) return "the server is out of memory; try again";
    if (error->status == VC_DISK_FULL) return "the server's disk is full";
    return "the storage of the server failed; its log says how, under this request_id";
}

/* A text of an error. What it repeats of a request (a header, say) need not be UTF-8. */
static void put_text(vc_json_writer *json, const char *key, const char *text)
{
    char clean[sizeof(vc_error){0}.message];
    size_t size = strnlen(text, sizeof clean), at = 0, bad;
    memcpy(clean, text, size);
    while (!vc_utf8_check((vc_str){clean + at, size - at}, &bad)) {
        at += bad;
        clean[at++] = '?';
    }
    vc_json_put_str(json, key, (vc_str){clean, size});
}

/* "unknown_dimension" as "Unknown dimension": the same for each problem of the type. */
static void put_title(vc_json_writer *json, const char *code)
{
    char title[64];
    snprintf(title, sizeof title, "%s", code);
    title[0] = (char)toupper((unsigned char)title[0]);
    for (char *byte = title; *byte != '\0'; byte++)
        if (*byte == '_') *byte = ' ';
    vc_json_put_text(json, "title", title);
}

static void put_definition(vc_json_writer *json, const vc_error *error)
{
    const char *slash = strrchr(error->file, '/');
    vc_json_begin(json, "definition", '{');
    put_text(json, "file", slash != NULL ? slash + 1 : error->file);
    if (error->line > 0) vc_json_put_uint(json, "line", error->line);
    if (error->column > 0) vc_json_put_uint(json, "column", error->column);
    if (error->pointer[0] != '\0') put_text(json, "pointer", error->pointer);
    vc_json_end(json, '}');
}

static void put_place(vc_json_writer *json, const vc_error *error)
{
    if (error->file[0] != '\0') {
        put_definition(json, error);
        return;
    }
    if (error->pointer[0] == '/') {
        put_text(json, "pointer", error->pointer);
    } else if (error->pointer[0] != '\0') {
        /* The pointer of a parameter is its name and the byte, which also stand apart. */
        char pointer[sizeof error->pointer + 24];
        snprintf(pointer, sizeof pointer, error->has_offset ? "%s:%ld" : "%s", error->pointer,
                 error->offset);
        put_text(json, "pointer", pointer);
        put_text(json, "parameter", error->pointer);
    }
    if (error->has_offset) vc_json_put_uint(json, "offset", (uint64_t)error->offset);
    if (error->line > 0) vc_json_put_uint(json, "line", error->line);
    if (error->column > 0) vc_json_put_uint(json, "column", error->column);
}

static void put_candidates(vc_json_writer *json, const vc_error *error)
{
    if (error->ncandidates == 0) return;
    vc_json_begin(json, "candidates", '[');
    for (unsigned i = 0; i < error->ncandidates; i++)
        put_text(json, NULL, error->candidates[i]);
    vc_json_end(json, ']');
}

static void put_problem(vc_buffer *out, const vc_error *error, const char *request_id,
                        bool is_dialect)
{
    const char *code = error->code != NULL ? error->code : "internal";
    vc_json_writer json = {.out = out};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_key(&json, "type");
    vc_buffer_printf(out, "\"urn:vcube:problem:%s\"", code);
    put_title(&json, code);
    vc_json_put_uint(&json, "status", vc_reply_status_of(error));
    const char *detail = is_internal(error->status) ? public_detail(error) : error->message;
    put_text(&json, "detail", detail);
    if (is_dialect) put_text(&json, "error", detail);
    vc_json_put_text(&json, "code", code);
    if (!is_internal(error->status)) put_place(&json, error);
    put_candidates(&json, error);
    if (request_id != NULL) vc_json_put_text(&json, "request_id", request_id);
    vc_json_end(&json, '}');
}

void vc_reply_put_problem(vc_buffer *out, const vc_error *error, const char *request_id)
{
    put_problem(out, error, request_id, false);
}

void vc_reply_problem(vc_reply *reply, const vc_error *error, const char *request_id)
{
    vc_buffer_clear(&reply->body);
    vc_answer_release(reply->answer);
    reply->answer = NULL;
    vc_reply_free_spool(reply->spool);
    reply->spool = NULL;
    reply->status = vc_reply_status_of(error);
    reply->content_type = VC_PROBLEM_TYPE;
    reply->etag[0] = '\0';
    vc_buffer_clear(&reply->link);
    reply->encoding = VC_ENCODING_IDENTITY;
    if (reply->status == 503) reply->retry_after_s = 1;
    put_problem(&reply->body, error, request_id, reply->is_dialect);
    if (reply->details.size > 0 && !reply->body.failed) {
        reply->body.size--; /* the brace at its end */
        vc_buffer_printf(&reply->body, ",%.*s}", VC_FMT(reply->details));
    }
    vc_buffer_put_char(&reply->body, '\n');
}

/* The detail, and what may have been meant. */
static void put_sentence(vc_buffer *out, const vc_error *error)
{
    vc_buffer_put_text(out, is_internal(error->status) ? public_detail(error) : error->message);
    for (unsigned i = 0; i < error->ncandidates && !is_internal(error->status); i++)
        vc_buffer_printf(out, "%s'%s'", i == 0 ? "; nearest: " : ", ", error->candidates[i]);
}

void vc_reply_cubejs_error(vc_reply *reply, const vc_error *error, const char *request_id)
{
    vc_buffer sentence = {0};
    vc_json_writer json = {.out = &reply->body};
    vc_reply_problem(reply, error, request_id); /* for the status and all that is not the body */
    vc_buffer_clear(&reply->body);
    if (reply->status == 404 || reply->status == 409 || reply->status == 422) reply->status = 400;
    reply->content_type = VC_JSON_TYPE;
    put_sentence(&sentence, error);
    vc_json_begin(&json, NULL, '{');
    put_text(&json, "error", vc_buffer_text(&sentence));
    vc_json_put_text(&json, "code", error->code != NULL ? error->code : "internal");
    if (!is_internal(error->status)) put_place(&json, error);
    put_candidates(&json, error);
    if (request_id != NULL) vc_json_put_text(&json, "requestId", request_id);
    vc_json_end(&json, '}');
    vc_buffer_put_char(&reply->body, '\n');
    reply->body.failed |= sentence.failed;
    vc_buffer_release(&sentence);
}

/* ---- answers ---- */

/* Cut where it does not fit; they all do. */
static void copy_text(char *to, size_t capacity, const char *text)
{
    size_t size = strnlen(text, capacity - 1);
    memcpy(to, text, size);
    to[size] = '\0';
}

void vc_reply_take_answer(vc_reply *reply, vc_answer *answer)
{
    vc_answer_release(reply->answer);
    vc_buffer_clear(&reply->body);
    reply->answer = answer;
    reply->was_kept = true;
    reply->status = 200;
    reply->content_type = answer->content_type;
    reply->encoding = answer->encoding;
    copy_text(reply->etag, sizeof reply->etag, answer->etag);
    copy_text(reply->snapshot, sizeof reply->snapshot, answer->snapshot);
    copy_text(reply->notices, sizeof reply->notices, answer->notices);
}

/* ---- entity tags ---- */

void vc_reply_tag(vc_reply *reply, const vc_str *parts, size_t nparts)
{
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    for (size_t i = 0; i < nparts; i++) {
        uint64_t size = parts[i].size;
        XXH3_128bits_update(&state, &size, sizeof size);
        if (size > 0) XXH3_128bits_update(&state, parts[i].data, parts[i].size);
    }
    if (reply->salt != NULL && reply->salt[0] != '\0')
        XXH3_128bits_update(&state, reply->salt, strlen(reply->salt));
    XXH128_hash_t hash = XXH3_128bits_digest(&state);
    snprintf(reply->etag, sizeof reply->etag, "\"%016llx%016llx\"", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
}

/* The tag that an encoding makes of it: "abc" is "abc-gz". */
static void tag_as(char etag[VC_ETAG_TEXT], vc_encoding encoding)
{
    size_t size = strlen(etag);
    if (size > 0)
        snprintf(etag + size - 1, VC_ETAG_TEXT - size + 1, "%s\"", vc_encoding_tag(encoding));
}

/* Is it the tag of the reply, or what it would be in some encoding? Sets the reply's to it. */
static bool is_own_tag(vc_reply *reply, vc_str tag)
{
    if (vc_str_is(tag, reply->etag) || vc_str_is(tag, "*")) return true;
    for (int i = 0; i < VC_ENCODING_COUNT; i++) {
        char encoded[VC_ETAG_TEXT];
        memcpy(encoded, reply->etag, sizeof encoded);
        tag_as(encoded, (vc_encoding)i);
        if (!vc_str_is(tag, encoded)) continue;
        memcpy(reply->etag, encoded, sizeof encoded);
        return true;
    }
    return false;
}

bool vc_reply_matches(const vc_reply *reply, vc_str list)
{
    vc_reply own = {0};
    memcpy(own.etag, reply->etag, sizeof own.etag);
    while (!vc_str_is_null(list)) {
        if (is_own_tag(&own, vc_str_trim(vc_str_split(&list, ',')))) return true;
    }
    return false;
}

bool vc_reply_is_known(vc_reply *reply, const vc_request *request)
{
    vc_str rest = request->if_none_match;
    while (!vc_str_is_null(rest)) {
        /* Our tags hold no comma, so a comma inside a tag only cuts one that is not ours. */
        vc_str tag = vc_str_trim(vc_str_split(&rest, ','));
        if (vc_str_starts_with(tag, VC_STR("W/"))) tag = (vc_str){tag.data + 2, tag.size - 2};
        if (!is_own_tag(reply, tag)) continue;
        vc_buffer_clear(&reply->body);
        vc_answer_release(reply->answer);
        reply->answer = NULL;
        reply->encoding = VC_ENCODING_IDENTITY;
        reply->status = 304;
        return true;
    }
    return false;
}

/* ---- what the client takes ---- */

static bool is_token(vc_str text, const char *token)
{
    return text.size == strlen(token) && strncasecmp(text.data, token, text.size) == 0;
}

bool vc_accepts(vc_str accept, const char *type, const char *subtype)
{
    if (vc_str_trim(accept).size == 0) return true;
    int best = 0; /* the most specific range that names the type decides */
    bool is_taken = false;
    while (!vc_str_is_null(accept)) {
        vc_str parameters = vc_str_split(&accept, ',');
        vc_str range_subtype = vc_str_trim(vc_str_split(&parameters, ';'));
        vc_str range_type = vc_str_split(&range_subtype, '/');
        int specific = 0;
        if (vc_str_is(range_type, "*") && vc_str_is(range_subtype, "*"))
            specific = 1;
        else if (is_token(range_type, type) && vc_str_is(range_subtype, "*"))
            specific = 2;
        else if (is_token(range_type, type) && is_token(range_subtype, subtype))
            specific = 3;
        if (specific <= best) continue;
        best = specific;
        is_taken = vc_quality_read(parameters) > 0;
    }
    return is_taken;
}

/* ---- compression ---- */

enum { ENCODED_BYTES = 256 * 1024 }; /* at once */

typedef struct encoding_job {
    vc_reply *reply;
    vc_encoding_choice choice;
    bool (*is_cancelled)(void *context);
    void *context;
} encoding_job;

static vc_status goes_on(const encoding_job *job, vc_error *error)
{
    if (job->is_cancelled == NULL || !job->is_cancelled(job->context)) return VC_OK;
    return vc_fail(error, VC_CANCELLED, "cancelled", "the client went away");
}

/* *is_made_out: it was; there is memory for it. */
static vc_status encode(const encoding_job *job, vc_buffer *out, bool *is_made_out, vc_error *error)
{
    const vc_buffer *body = &job->reply->body;
    vc_encoder *encoder = vc_encoder_new(job->choice.encoding, body->size);
    bool is_made = encoder != NULL;
    vc_status status = VC_OK;
    for (size_t at = 0; at < body->size && is_made && status == VC_OK; at += ENCODED_BYTES) {
        size_t size = body->size - at < ENCODED_BYTES ? body->size - at : ENCODED_BYTES;
        status = goes_on(job, error);
        if (status == VC_OK) is_made = vc_encoder_put(encoder, body->data + at, size, out);
    }
    *is_made_out = is_made && status == VC_OK && vc_encoder_end(encoder, out);
    vc_encoder_free(encoder);
    return status;
}

static vc_status compress_body(const encoding_job *job, vc_error *error)
{
    vc_reply *reply = job->reply;
    vc_buffer packed = {0};
    bool is_made;
    vc_status status = encode(job, &packed, &is_made, error);
    if (is_made && (job->choice.is_forced || packed.size < reply->body.size)) {
        vc_buffer swapped = reply->body;
        reply->body = packed;
        packed = swapped;
        reply->encoding = job->choice.encoding;
        tag_as(reply->etag, job->choice.encoding);
    }
    vc_buffer_release(&packed);
    return status;
}

/* From one spool through an encoder into another one, block by block. */
static vc_status encode_spool(const encoding_job *job, vc_encoder *encoder, vc_spool *to,
                              vc_error *error)
{
    const vc_spool *from = job->reply->spool;
    vc_buffer packed = {0};
    char *block = malloc(ENCODED_BYTES);
    uint64_t offset = 0, size = vc_spool_size(from);
    vc_status status = block == NULL || encoder == NULL ? vc_no_memory(error) : VC_OK;
    while (status == VC_OK && offset < size) {
        ssize_t n = vc_spool_read(from, offset, block, ENCODED_BYTES);
        if (n <= 0) {
            status = vc_fail(error, VC_STORAGE, "spool", "the file of a large answer: %s",
                             n < 0 ? strerror(errno) : "it is shorter than it was");
            break;
        }
        offset += (uint64_t)n;
        vc_buffer_clear(&packed);
        bool is_made = vc_encoder_put(encoder, block, (size_t)n, &packed) &&
                       (offset < size || vc_encoder_end(encoder, &packed));
        status = is_made ? vc_spool_put(to, packed.data, packed.size, error) : vc_no_memory(error);
        if (status == VC_OK) status = goes_on(job, error);
    }
    if (status == VC_OK) status = vc_spool_seal(to, error);
    vc_buffer_release(&packed);
    free(block);
    return status;
}

static vc_status compress_spool(const encoding_job *job, vc_error *error)
{
    vc_reply *reply = job->reply;
    vc_encoding encoding = job->choice.encoding;
    vc_spool packed;
    vc_encoder *encoder = vc_encoder_new(encoding, vc_spool_size(reply->spool));
    vc_spool_open(&packed, reply->spool->directory, reply->spool->memory_bytes);
    vc_status status = encode_spool(job, encoder, &packed, error);
    vc_encoder_free(encoder);
    if (status == VC_OK) {
        vc_reply_free_spool(reply->spool);
        reply->spool = NULL;
        status = vc_reply_take_spool(reply, &packed, error);
        reply->encoding = encoding;
        tag_as(reply->etag, encoding);
    }
    vc_spool_close(&packed);
    return status;
}

vc_status vc_reply_compress(vc_reply *reply, const vc_request *request,
                            bool (*is_cancelled)(void *context), void *context, vc_error *error)
{
    encoding_job job = {reply, request->encoding, is_cancelled, context};
    size_t from_bytes = job.choice.is_forced ? 1 : COMPRESS_FROM_BYTES;
    if (job.choice.encoding == VC_ENCODING_IDENTITY) return VC_OK;
    if (reply->spool != NULL) return compress_spool(&job, error);
    return reply->body.size >= from_bytes ? compress_body(&job, error) : VC_OK;
}

/* ---- large bodies ---- */

void vc_reply_free_spool(void *spool)
{
    if (spool == NULL) return;
    vc_spool_close(spool);
    free(spool);
}

vc_status vc_reply_take_spool(vc_reply *reply, vc_spool *spool, vc_error *error)
{
    if (spool->file == 0 && spool->before.size == 0) {
        vc_buffer_release(&reply->body);
        reply->body = spool->memory;
        *spool = (vc_spool){0};
        return VC_OK;
    }
    reply->spool = malloc(sizeof *reply->spool);
    if (reply->spool == NULL) return vc_no_memory(error);
    *reply->spool = *spool;
    *spool = (vc_spool){0};
    return VC_OK;
}
