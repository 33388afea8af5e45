#include "render/render.h"

#include "render/parts.h"

enum { BLOCK_BYTES = 64 * 1024 };

static void flush(vc_rendering *rendering)
{
    if (rendering->status == VC_OK && rendering->buffer.failed)
        rendering->status = vc_no_memory(rendering->error);
    if (rendering->status == VC_OK && rendering->buffer.size > 0)
        rendering->status = rendering->sink.write(rendering->sink.context, rendering->buffer.data,
                                                  rendering->buffer.size, rendering->error);
    vc_buffer_clear(&rendering->buffer);
}

bool vc_render_row_done(vc_rendering *rendering)
{
    if (rendering->buffer.size >= BLOCK_BYTES || rendering->buffer.failed) flush(rendering);
    return rendering->status == VC_OK;
}

vc_render_options vc_render_options_of(const vc_query *query)
{
    return (vc_render_options){.header = vc_str_is(query->header, "labels") ? VC_HEADER_LABELS
                                         : vc_str_is(query->header, "none") ? VC_HEADER_NONE
                                                                            : VC_HEADER_NAMES,
                               .has_bom = query->has_bom,
                               .has_status = query->has_status};
}

vc_status vc_render(const vc_result *result, vc_render_format format,
                    const vc_render_options *options, vc_render_sink sink, vc_error *error)
{
    static const vc_render_options defaults = {0};
    static void (*const writers[VC_FORMAT_COUNT])(vc_rendering *) = {
        [VC_FORMAT_RECORDS] = vc_render_records, [VC_FORMAT_ARRAYS] = vc_render_arrays,
        [VC_FORMAT_NDJSON] = vc_render_ndjson,   [VC_FORMAT_CSV] = vc_render_csv,
        [VC_FORMAT_TABLE] = vc_render_table,     [VC_FORMAT_JSONSTAT] = vc_render_jsonstat,
        [VC_FORMAT_COLUMNS] = vc_render_columns, [VC_FORMAT_ARROW] = vc_render_arrow,
    };
    vc_rendering rendering = {.result = result,
                              .options = options != NULL ? options : &defaults,
                              .sink = sink,
                              .error = error};
    /* Room for a block and the row that fills it, so that the buffer grows only for long rows. */
    vc_buffer_reserve(&rendering.buffer, BLOCK_BYTES + BLOCK_BYTES / 4);
    writers[format](&rendering);
    flush(&rendering);
    vc_buffer_release(&rendering.buffer);
    vc_arena_release(&rendering.arena);
    return rendering.status;
}
