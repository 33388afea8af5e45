#include "tests/house/house.h"

#include "base/pool.h"
#include "query/body.h"
#include "query/parameters.h"
#include "render/query.h"
#include "slice/engine.h"

#include <string.h>

static vc_status answer(vc_model *model, vc_pool *pool, const vc_query *query, vc_arena *arena,
                        vc_buffer *text, vc_error *error)
{
    vc_engine_options options = {.pool = pool};
    vc_render_options rendering = vc_render_options_of(query);
    vc_render_format format = VC_FORMAT_RECORDS;
    const vc_result *result;
    vc_status status = VC_OK;
    if (query->format.data != NULL) status = vc_format_find(query->format, &format, error);
    if (status == VC_OK) status = vc_engine_run(model, query, &options, arena, &result, error);
    if (status == VC_OK)
        status = vc_render(result, format, &rendering, vc_render_to_buffer(text), error);
    return status;
}

/* The same in pieces of two rows, what does not fit 100 bytes in a file. */
static vc_status answer_in_pieces(vc_model *model, vc_pool *pool, const vc_query *query,
                                  vc_arena *arena, vc_buffer *text, vc_error *error)
{
    vc_engine_options options = {.pool = pool};
    vc_render_options rendering = vc_render_options_of(query);
    vc_render_query_options how = {.rendering = &rendering, .piece_rows = 2};
    const vc_result *result;
    vc_spool spool;
    char block[1000];
    ssize_t size;
    vc_spool_open(&spool, NULL, 100);
    vc_status status = VC_OK;
    if (query->format.data != NULL) status = vc_format_find(query->format, &how.format, error);
    if (status == VC_OK)
        status = vc_render_query(model, query, &options, &how, arena, &spool, &result, NULL, error);
    for (uint64_t at = 0; (size = vc_spool_read(&spool, at, block, sizeof block)) > 0;
         at += (uint64_t)size)
        vc_buffer_put(text, block, (size_t)size);
    vc_spool_close(&spool);
    return status;
}

typedef vc_status answering(vc_model *model, vc_pool *pool, const vc_query *query, vc_arena *arena,
                            vc_buffer *text, vc_error *error);

/* `status` is that of the parsing. */
static void run(const char *directory, vc_status status, const vc_query *query, vc_arena *arena,
                answering *way, struct house_reply *reply)
{
    vc_store_options options = {.is_read_only = true};
    vc_store *store = NULL;
    vc_snapshot *snapshot = NULL;
    vc_model *model = NULL;
    vc_pool *pool = NULL;
    vc_error *error = &reply->error;
    if (status == VC_OK) status = vc_store_open(directory, &options, &store, error);
    if (status == VC_OK)
        status = query->at.data == NULL ? vc_snapshot_open(store, &snapshot, error)
                                        : vc_snapshot_open_at(store, query->at, &snapshot, error);
    if (status == VC_OK) status = vc_model_new(snapshot, false, &model, error);
    if (status == VC_OK) status = vc_pool_new(2, &pool, error);
    if (status == VC_OK) status = way(model, pool, query, arena, &reply->text, error);
    vc_buffer_text(&reply->text);
    reply->code = (int)status;
    vc_pool_free(pool);
    vc_model_free(model);
    vc_snapshot_close(snapshot);
    vc_store_close(store);
}

void house_ask_library(const char *store, const char *body, struct house_reply *reply)
{
    vc_arena arena = {0};
    vc_query query;
    *reply = (struct house_reply){0};
    vc_status status = vc_body_parse(vc_str_of(body), 0, &arena, &query, &reply->error);
    run(store, status, &query, &arena, answer, reply);
    vc_arena_release(&arena);
}

void house_ask_pieces(const char *store, const char *body, struct house_reply *reply)
{
    vc_arena arena = {0};
    vc_query query;
    *reply = (struct house_reply){0};
    vc_status status = vc_body_parse(vc_str_of(body), 0, &arena, &query, &reply->error);
    run(store, status, &query, &arena, answer_in_pieces, reply);
    vc_arena_release(&arena);
}

void house_ask_parameters(const char *store, const char *cube, const json_t *parameters,
                          struct house_reply *reply)
{
    vc_parameter list[16];
    size_t nparameters = 0;
    vc_arena arena = {0};
    vc_query query;
    const char *name;
    json_t *value;
    *reply = (struct house_reply){0};
    json_object_foreach((json_t *)parameters, name, value)
    {
        cr_assert_lt(nparameters, 16);
        list[nparameters++] =
            (vc_parameter){.name = vc_str_of(name), .value = vc_json_scalar_text(&arena, value)};
    }
    vc_status status = vc_parameters_parse(list, nparameters, &arena, &query, &reply->error);
    query.cube = vc_str_of(cube);
    run(store, status, &query, &arena, answer, reply);
    vc_arena_release(&arena);
}

void house_reply_release(struct house_reply *reply)
{
    vc_buffer_release(&reply->text);
    vc_buffer_release(&reply->complaint);
}
