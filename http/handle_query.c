/* Queries: GET /v1/cubes/{cube}/aggregate and POST /v1/query, which differ in their parsing only,
 * and POST /v1/explain, which reads what /v1/query reads and no fact.
 *
 * Parsing, opening the cube and the entity tag come first, on a light worker; an answer that the
 * client has already is never computed again. An explained answer tells how long it took, so it has
 * no tag.
 */
#include "http/asking.h"

#include "base/clock.h"
#include "base/memory.h"
#include "query/body.h"
#include "query/canonical.h"
#include "query/parameters.h"
#include "render/explain.h"
#include "render/query.h"

#include <strings.h>

struct asking { /* state of the call between its two parts */
    vc_query query;
    vc_render_format format;
};

vc_status vc_asking_tell_notices(vc_reply *reply, const vc_result *result, vc_error *error)
{
    vc_buffer text = {0};
    vc_notices_put_header(&text, result);
    bool failed = text.failed;
    snprintf(reply->notices, sizeof reply->notices, "%s", failed ? "" : vc_buffer_text(&text));
    vc_buffer_release(&text);
    return failed ? vc_no_memory(error) : VC_OK;
}

/* Up to this an answer is in memory; beyond, on the disk of the store. */
enum { SPOOL_FROM_BYTES = 8 << 20 };

static vc_status run(vc_call *call, vc_error *error)
{
    struct asking *asking = call->state;
    vc_reply *reply = call->reply;
    vc_engine_options options = vc_call_engine_options(call);
    vc_render_options rendering = vc_render_options_of(&asking->query);
    vc_render_query_options how = {.format = asking->format, .rendering = &rendering};
    const vc_result *result;
    vc_render_times times;
    vc_spool spool;
    vc_spool_open(&spool, vc_store_directory(call->service->options.store), SPOOL_FROM_BYTES);
    vc_status status = vc_render_query(call->model, &asking->query, &options, &how, call->arena,
                                       &spool, &result, &times, error);
    reply->run_ns = (int64_t)times.run_ns;
    if (status == VC_OK) reply->rendered_ns = (int64_t)times.rendered_ns;
    if (status == VC_OK) call->told.nrows = result->nrows_before + result->nrows;
    if (status == VC_OK) status = vc_asking_tell_notices(reply, result, error);
    if (status == VC_OK) status = vc_reply_take_spool(reply, &spool, error);
    vc_spool_close(&spool);
    if (reply->spool != NULL) vc_memory_give_back();
    if (status != VC_OK) return status;
    reply->status = 200;
    reply->content_type = vc_format_media_type(asking->format);
    return VC_OK;
}

static vc_status choose_format(const vc_call *call, const vc_query *query,
                               vc_render_format *format_out, vc_error *error)
{
    if (vc_str_is_null(query->format))
        return vc_format_accept(call->request->accept, format_out, error);
    vc_status status = vc_format_find(query->format, format_out, error);
    if (status != VC_OK) vc_error_at_pointer(error, call->request->has_body ? "/format" : "format");
    return status;
}

/* Name what the answer is made of. Is the client's copy of it still right? */
static bool is_known(vc_call *call, const struct asking *asking, const vc_cube *cube)
{
    call->told.query = vc_query_canonical(&asking->query, call->arena);
    if (asking->query.wants_explain) return false;
    const vc_str parts[] = {vc_str_of(call->service->options.version),
                            vc_str_of(call->reply->snapshot), cube->definition_hash,
                            call->told.query, vc_str_of(vc_format_name(asking->format))};
    if (vc_str_is_null(parts[3])) return false;
    vc_reply_tag(call->reply, parts, sizeof parts / sizeof parts[0]);
    if (asking->query.no_cache) return false;
    vc_encoding_choice choice = call->request->encoding;
    call->key = vc_arena_printf(call->arena, "%.*s\n%.*s\n%.*s\n%.*s\n%d%d\n%.*s", VC_FMT(parts[0]),
                                VC_FMT(parts[1]), VC_FMT(parts[2]), VC_FMT(parts[4]),
                                choice.encoding, choice.is_forced, VC_FMT(parts[3]));
    return vc_reply_is_known(call->reply, call->request);
}

/* Members that an axis has at most; 0 when there is no such axis, which the engine says quickly. */
static uint64_t count_members(const vc_cube *cube, const vc_dimref *ref)
{
    size_t number;
    unsigned hierarchy, level = 0;
    if (vc_cube_find_dimension(cube, ref->dimension, &number, NULL) != VC_OK) return 0;
    const vc_cube_dimension *outer = &cube->dimensions[number];
    const vc_dimension *dimension = outer->dimension;
    if (vc_dimension_find_hierarchy(dimension, ref->hierarchy, &hierarchy, NULL) != VC_OK) return 0;
    if (!vc_str_is_null(ref->level) &&
        vc_hierarchy_find_level(dimension, hierarchy, ref->level, &level, NULL) != VC_OK)
        return 0;
    return dimension->hierarchies[hierarchy].levels[level].nmembers + outer->nsynthetic;
}

uint64_t vc_asking_bound_rows(const vc_cube *cube, const vc_query *query)
{
    uint64_t nfacts = 0, nrows = 1;
    for (size_t s = 0; s < cube->nsources; s++)
        nfacts += cube->sources[s].cube->nrows;
    for (size_t a = 0; a < query->naxes; a++)
        if (__builtin_mul_overflow(nrows, count_members(cube, &query->axes[a].dimref), &nrows))
            nrows = UINT64_MAX;
    return query->is_sparse && nfacts < nrows ? nfacts : nrows;
}

/* The model and the cube that a query is about. */
static vc_status open_cube(vc_call *call, const vc_query *query, const vc_cube **cube_out,
                           vc_error *error)
{
    call->told.cube = query->cube;
    vc_status status = vc_call_open_model(call, query->at, error);
    if (status != VC_OK) {
        if (!vc_str_is_null(query->at))
            vc_error_at_pointer(error, call->request->has_body ? "/at" : "at");
        return status;
    }
    status = vc_model_cube(call->model, query->cube, cube_out, error);
    if (status != VC_OK && call->request->has_body && error->file[0] == '\0')
        vc_error_at_pointer(error, "/cube");
    return status;
}

static vc_status prepare(vc_call *call, struct asking *asking, vc_error *error)
{
    vc_query *query = &asking->query;
    const vc_cube *cube;
    vc_status status = choose_format(call, query, &asking->format, error);
    if (status != VC_OK) return status;
    status = vc_explain_check_format(query, asking->format, error);
    if (status != VC_OK) {
        vc_error_at_pointer(error, call->request->has_body ? "/explain" : "explain");
        return status;
    }
    status = open_cube(call, query, &cube, error);
    if (status != VC_OK) return status;
    if (is_known(call, asking, cube)) return VC_OK;
    vc_call_continue(call, cube, vc_asking_bound_rows(cube, query), run, asking);
    return VC_OK;
}

static vc_status ask(vc_call *call, struct asking **asking_out, vc_error *error)
{
    *asking_out = VC_ARENA_NEW(call->arena, struct asking, 1);
    if (*asking_out == NULL) return vc_no_memory(error);
    (*asking_out)->query = vc_query_default();
    return VC_OK;
}

vc_status vc_handle_aggregate(vc_call *call, vc_error *error)
{
    struct asking *asking;
    int64_t began_ns = vc_clock_ns();
    vc_status status = ask(call, &asking, error);
    if (status == VC_OK)
        status = vc_parameters_parse(call->request->parameters, call->request->nparameters,
                                     call->arena, &asking->query, error);
    if (status != VC_OK) return status;
    asking->query.cube = call->arguments[0];
    status = prepare(call, asking, error);
    call->reply->prepared_ns = vc_clock_ns() - began_ns;
    return status;
}

static bool is_json(vc_str content_type)
{
    vc_str type = vc_str_split(&content_type, ';');
    while (type.size > 0 && type.data[type.size - 1] == ' ')
        type.size--;
    return type.size == sizeof "application/json" - 1 &&
           strncasecmp(type.data, "application/json", type.size) == 0;
}

vc_status vc_asking_check_body(const vc_request *request, vc_error *error)
{
    static const char *const no_parameters[] = {NULL};
    if (!is_json(request->content_type))
        return vc_fail(error, VC_BAD_INPUT, "unsupported_media_type",
                       "found the Content-Type '%.*s', expected application/json",
                       (int)(request->content_type.size > 100 ? 100 : request->content_type.size),
                       request->content_type.size > 0 ? request->content_type.data : "");
    return vc_request_check_parameters(request, no_parameters, error);
}

/* A query from the body, for whatever is done with it. */
static vc_status read_body(vc_call *call, struct asking **asking_out, vc_error *error)
{
    vc_status status = vc_asking_check_body(call->request, error);
    if (status == VC_OK) status = ask(call, asking_out, error);
    if (status == VC_OK)
        status = vc_body_parse(call->request->body, 0, call->arena, &(*asking_out)->query, error);
    return status;
}

vc_status vc_handle_query(vc_call *call, vc_error *error)
{
    struct asking *asking;
    int64_t began_ns = vc_clock_ns();
    vc_status status = read_body(call, &asking, error);
    if (status == VC_OK) status = prepare(call, asking, error);
    call->reply->prepared_ns = vc_clock_ns() - began_ns;
    return status;
}

/* ---- explain ---- */

/* The text that the command prints, where the body says "table" or the client prefers text/plain.
 * Another format in the body is what the query would be answered in: it is explained in JSON. */
static vc_status wants_text(const vc_call *call, const vc_query *query, bool *is_text,
                            vc_error *error)
{
    vc_render_format format;
    vc_status status = choose_format(call, query, &format, error);
    if (status != VC_OK) return status;
    *is_text = format == VC_FORMAT_TABLE;
    if (*is_text || !vc_str_is_null(query->format)) return VC_OK;
    if (vc_accepts(call->request->accept, "application", "json")) return VC_OK;
    *is_text = vc_accepts(call->request->accept, "text", "plain");
    if (*is_text) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "not_acceptable",
                   "nothing fits the Accept header; there are application/json and text/plain");
}

/* Nothing is scanned, so it needs no heavy worker, whatever the query would. */
vc_status vc_handle_explain(vc_call *call, vc_error *error)
{
    struct asking *asking;
    const vc_cube *cube;
    const vc_explain *explain;
    vc_explain_head head;
    vc_reply *reply = call->reply;
    vc_engine_options options = vc_call_engine_options(call);
    bool is_text = false;
    int64_t began_ns = vc_clock_ns();
    vc_status status = read_body(call, &asking, error);
    if (status == VC_OK) status = wants_text(call, &asking->query, &is_text, error);
    if (status == VC_OK) status = open_cube(call, &asking->query, &cube, error);
    if (status == VC_OK)
        status =
            vc_engine_explain(call->model, &asking->query, &options, call->arena, &explain, error);
    if (status == VC_OK)
        status = vc_explain_head_make(call->model, &asking->query, call->arena, &head, error);
    reply->prepared_ns = vc_clock_ns() - began_ns;
    if (status != VC_OK) return status;
    if (is_text)
        vc_explain_put_text(&reply->body, &head, explain, false);
    else
        vc_explain_put_document(&reply->body, &head, explain);
    reply->status = 200;
    reply->content_type = is_text ? vc_format_media_type(VC_FORMAT_TABLE) : VC_JSON_TYPE;
    return reply->body.failed ? vc_no_memory(error) : VC_OK;
}
