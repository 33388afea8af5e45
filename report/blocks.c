#include "report/blocks.h"

enum { BLOCK_BYTES = 64 * 1024 };

void vc_blocks_init(vc_blocks *blocks, vc_render_sink sink, vc_error *error)
{
    *blocks = (vc_blocks){.sink = sink, .error = error};
}

static void hand_on(vc_blocks *blocks)
{
    if (blocks->status == VC_OK && blocks->buffer.failed)
        blocks->status = vc_no_memory(blocks->error);
    if (blocks->status == VC_OK && blocks->buffer.size > 0)
        blocks->status = blocks->sink.write(blocks->sink.context, blocks->buffer.data,
                                            blocks->buffer.size, blocks->error);
    vc_buffer_clear(&blocks->buffer);
}

bool vc_blocks_next(vc_blocks *blocks)
{
    if (blocks->buffer.size >= BLOCK_BYTES || blocks->buffer.failed) hand_on(blocks);
    return blocks->status == VC_OK;
}

vc_status vc_blocks_finish(vc_blocks *blocks)
{
    hand_on(blocks);
    vc_buffer_release(&blocks->buffer);
    return blocks->status;
}

size_t vc_put_control(vc_buffer *out, vc_str text, size_t at)
{
    unsigned char byte = (unsigned char)text.data[at];
    if (byte == 0xC2 && at + 1 < text.size && (unsigned char)text.data[at + 1] < 0xA0) {
        vc_buffer_put_text(out, "\xEF\xBF\xBD");
        return 2;
    }
    if ((byte >= ' ' && byte != 0x7F) || byte == '\t' || byte == '\n' || byte == '\r') return 0;
    char picture[] = {'\xE2', '\x90', (char)(0x80 + (byte == 0x7F ? 0x21 : byte))};
    vc_buffer_put(out, picture, sizeof picture);
    return 1;
}
