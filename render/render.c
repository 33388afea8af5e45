#include "render/render.h"

#include "render/parts.h"

enum { BLOCK_BYTES = 64 * 1024, LOOK_ITEMS = 16384 };

bool vc_render_goes_on(vc_rendering *rendering, uint64_t item)
{
    const vc_render_sink *sink = &rendering->sink;
    if (item % LOOK_ITEMS == 0 && rendering->status == VC_OK && sink->look != NULL)
        rendering->status = sink->look(sink->context, rendering->error);
    return rendering->status == VC_OK;
}

void vc_render_flush(vc_rendering *rendering)
{
    if (rendering->status == VC_OK && rendering->buffer.failed)
        rendering->status = vc_no_memory(rendering->error);
    if (rendering->buffer.size > 0 && vc_render_goes_on(rendering, 0))
        rendering->status = rendering->sink.write(rendering->sink.context, rendering->buffer.data,
                                                  rendering->buffer.size, rendering->error);
    vc_buffer_clear(&rendering->buffer);
}

static vc_status append(void *context, const char *data, size_t size, vc_error *error)
{
    vc_buffer *buffer = context;
    vc_buffer_put(buffer, data, size);
    return buffer->failed ? vc_no_memory(error) : VC_OK;
}

vc_render_sink vc_render_to_buffer(vc_buffer *buffer)
{
    return (vc_render_sink){.write = append, .context = buffer};
}

bool vc_render_row_done(vc_rendering *rendering)
{
    if (rendering->buffer.size >= BLOCK_BYTES || rendering->buffer.failed)
        vc_render_flush(rendering);
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

/* In parts, where the format has them. */
static const vc_render_parts *const parted[VC_FORMAT_COUNT] = {
    [VC_FORMAT_RECORDS] = &vc_render_records,
    [VC_FORMAT_NDJSON] = &vc_render_ndjson,
    [VC_FORMAT_CSV] = &vc_render_csv,
};

static void (*const whole[VC_FORMAT_COUNT])(vc_rendering *) = {
    [VC_FORMAT_ARRAYS] = vc_render_arrays,   [VC_FORMAT_TABLE] = vc_render_table,
    [VC_FORMAT_COLUMNS] = vc_render_columns, [VC_FORMAT_JSONSTAT] = vc_render_jsonstat,
    [VC_FORMAT_ARROW] = vc_render_arrow,
};

bool vc_render_has_parts(vc_render_format format)
{
    return parted[format] != NULL;
}

bool vc_render_has_separator(vc_render_format format)
{
    return parted[format] != NULL && parted[format]->has_separator;
}

static void render_parts(vc_rendering *rendering, const vc_render_parts *parts, unsigned which)
{
    rendering->is_first = (which & VC_PART_BEFORE) != 0;
    if (which & VC_PART_BEFORE) parts->before(rendering);
    if (rendering->status == VC_OK && (which & VC_PART_ROWS)) parts->rows(rendering);
    if (rendering->status == VC_OK && (which & VC_PART_AFTER)) parts->after(rendering);
}

vc_status vc_render_part(const vc_result *head, const vc_result *result, unsigned which,
                         vc_render_format format, const vc_render_options *options,
                         vc_render_sink sink, vc_error *error)
{
    static const vc_render_options defaults = {0};
    vc_rendering rendering = {.result = result,
                              .head = head,
                              .options = options != NULL ? options : &defaults,
                              .sink = sink,
                              .error = error};
    /* Room for a block and the row that fills it, so that the buffer grows only for long rows. */
    vc_buffer_reserve(&rendering.buffer, BLOCK_BYTES + BLOCK_BYTES / 4);
    if (parted[format] != NULL)
        render_parts(&rendering, parted[format], which);
    else
        whole[format](&rendering);
    vc_render_flush(&rendering);
    vc_buffer_release(&rendering.buffer);
    vc_arena_release(&rendering.arena);
    return rendering.status;
}

vc_status vc_render(const vc_result *result, vc_render_format format,
                    const vc_render_options *options, vc_render_sink sink, vc_error *error)
{
    return vc_render_part(result, result, VC_PART_BEFORE | VC_PART_ROWS | VC_PART_AFTER, format,
                          options, sink, error);
}
