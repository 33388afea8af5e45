#include "render/query.h"

#include "base/clock.h"
typedef struct writing {
    vc_render_format format;
    const vc_render_options *options;
    vc_arena *arena;
    const vc_result *head;
    vc_buffer *lanes; /* [nlanes] rows that wait for their turn */
    size_t nlanes;
    vc_spool *out;
    uint64_t nbytes;          /* of rows */
    vc_engine_options asking; /* how it is cancelled */
    uint64_t deadline_ns;
} writing;

/* Writing is a part of answering: it ends early, too. */
static vc_status look(void *context, vc_error *error)
{
    const writing *in = context;
    return vc_engine_check(&in->asking, in->deadline_ns, error);
}

/* Rows of a piece, which are written on several threads. */
typedef struct lane_writing {
    const writing *in;
    vc_buffer *rows;
} lane_writing;

static vc_status append(void *context, const char *data, size_t size, vc_error *error)
{
    vc_buffer *rows = ((lane_writing *)context)->rows;
    vc_buffer_put(rows, data, size);
    return rows->failed ? vc_no_memory(error) : VC_OK;
}

static vc_status look_in_lane(void *context, vc_error *error)
{
    return look((void *)((lane_writing *)context)->in, error);
}

static vc_status spool(void *context, const char *data, size_t size, vc_error *error)
{
    writing *in = context;
    in->nbytes += size;
    return vc_spool_put(in->out, data, size, error);
}

/* ---- pieces ---- */

static vc_status begin(void *context, const vc_result *head, size_t nlanes, vc_error *error)
{
    writing *in = context;
    in->head = head;
    in->lanes = VC_ARENA_NEW(in->arena, vc_buffer, nlanes);
    in->nlanes = in->lanes == NULL ? 0 : nlanes;
    return in->lanes == NULL ? vc_no_memory(error) : VC_OK;
}

static vc_status write_piece(void *context, size_t lane, const vc_result *piece, vc_error *error)
{
    writing *in = context;
    lane_writing own = {.in = in, .rows = &in->lanes[lane]};
    vc_buffer_clear(&in->lanes[lane]);
    return vc_render_part(in->head, piece, VC_PART_ROWS, in->format, in->options,
                          (vc_render_sink){.write = append, .look = look_in_lane, .context = &own},
                          error);
}

/* Rows go to the spool; the very first of all loses its separator. */
static vc_status commit(void *context, size_t lane, vc_error *error)
{
    writing *in = context;
    const vc_buffer *rows = &in->lanes[lane];
    size_t skipped = in->nbytes == 0 && rows->size > 0 && vc_render_has_separator(in->format);
    if (rows->size == 0) return VC_OK;
    return spool(in, rows->data + skipped, rows->size - skipped, error);
}

/* Total rows, and what stands around all rows. Without detail rows a total may be the first. */
static vc_status write_rest(writing *in, const vc_result *result, vc_error *error)
{
    vc_buffer text = {0};
    lane_writing own = {.in = in, .rows = &text};
    vc_render_sink to_text = {.write = append, .look = look_in_lane, .context = &own};
    vc_status status =
        vc_render_part(result, result, VC_PART_ROWS, in->format, in->options, to_text, error);
    size_t skipped = in->nbytes == 0 && text.size > 0 && vc_render_has_separator(in->format);
    if (status == VC_OK && text.size > 0)
        status = spool(in, text.data + skipped, text.size - skipped, error);
    vc_buffer_clear(&text);
    if (status == VC_OK)
        status =
            vc_render_part(result, result, VC_PART_AFTER, in->format, in->options,
                           (vc_render_sink){.write = spool, .look = look, .context = in}, error);
    if (status == VC_OK)
        status =
            vc_render_part(result, result, VC_PART_BEFORE, in->format, in->options, to_text, error);
    if (status == VC_OK) vc_spool_set_before(in->out, &text);
    vc_buffer_release(&text);
    return status;
}

/* ---- the whole ---- */

vc_status vc_render_query(vc_model *model, const vc_query *query, const vc_engine_options *options,
                          const vc_render_query_options *how, vc_arena *arena, vc_spool *out,
                          const vc_result **result_out, vc_render_times *times_out, vc_error *error)
{
    writing in = {.format = how->format,
                  .options = how->rendering,
                  .arena = arena,
                  .out = out,
                  .asking = vc_engine_defaults(options)};
    in.deadline_ns = (uint64_t)vc_clock_ns() + in.asking.limits.max_time_ms * 1000000;
    vc_pieces pieces = {.begin = begin,
                        .piece = write_piece,
                        .commit = commit,
                        .context = &in,
                        .takes_marks = how->format != VC_FORMAT_CSV,
                        .piece_rows = how->piece_rows};
    bool may_cut = vc_render_has_parts(how->format);
    int64_t began_ns = vc_clock_ns();
    vc_status status = vc_engine_run_in_pieces(model, query, options, may_cut ? &pieces : NULL,
                                               arena, result_out, error);
    for (size_t i = 0; i < in.nlanes; i++)
        vc_buffer_release(&in.lanes[i]);
    int64_t ran_ns = vc_clock_ns();
    if (status == VC_OK && in.head != NULL)
        status = write_rest(&in, *result_out, error);
    else if (status == VC_OK)
        status = vc_render(*result_out, how->format, how->rendering,
                           (vc_render_sink){.write = spool, .look = look, .context = &in}, error);
    if (status == VC_OK) status = vc_spool_seal(out, error);
    if (times_out != NULL)
        *times_out =
            (vc_render_times){.run_ns = ran_ns - began_ns, .rendered_ns = vc_clock_ns() - ran_ns};
    return status;
}
