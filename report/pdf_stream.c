/* What cairo 1.16 cannot say stands in the catalogue of a PDF, which is the last object that it
 * writes. So entries can be put into it without moving another object: only the place of the table
 * behind it ("startxref", in the last line but one) changes. What is looked for has a line's end in
 * it, which no text in the file has: they are compressed, or cleaned.
 */
#include "report/pdf_parts.h"

#include <stdlib.h>
#include <string.h>

/* HELD_BYTES are kept back: what is looked for is never in two blocks, and the end is at hand. */
enum { BLOCK_BYTES = 64 << 10, HELD_BYTES = 512 };

static const char catalogue[] = " 0 obj\n<< /Type /Catalog\n";
static const char place_of_table[] = "startxref\n";

static void write_out(vc_pdf_stream *stream, size_t size)
{
    vc_buffer *block = &stream->block;
    if (stream->status == VC_OK && block->failed) stream->status = vc_no_memory(stream->error);
    if (stream->status == VC_OK && size > 0)
        stream->status = stream->sink.write(stream->sink.context, block->data, size, stream->error);
    if (size > 0) memmove(block->data, block->data + size, block->size - size);
    block->size -= size;
}

/* A language as BCP 47 has it: anything else would not be one, and could end the text. */
static bool is_language(vc_str language)
{
    for (size_t i = 0; i < language.size; i++) {
        char c = language.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return false;
    }
    return language.size > 0 && language.size < 64;
}

static void insert_entries(vc_pdf_stream *stream)
{
    vc_buffer *block = &stream->block;
    if (stream->ninserted > 0 || block->failed || block->size == 0) return;
    char *found = memmem(block->data, block->size, catalogue, sizeof catalogue - 1);
    if (found == NULL) return;
    vc_buffer rest = {0};
    size_t kept = (size_t)(found - block->data) + sizeof catalogue - 1;
    vc_buffer_put(&rest, block->data + kept, block->size - kept);
    block->size = kept;
    vc_buffer_put_text(block, "   /MarkInfo << /Marked true >>\n"
                              "   /ViewerPreferences << /DisplayDocTitle true >>\n");
    if (is_language(stream->language))
        vc_buffer_printf(block, "   /Lang (%.*s)\n", VC_FMT(stream->language));
    stream->ninserted = block->size - kept;
    vc_buffer_put(block, rest.data, rest.size);
    block->failed |= rest.failed;
    vc_buffer_release(&rest);
}

static void move_table(vc_pdf_stream *stream)
{
    vc_buffer *block = &stream->block;
    if (stream->ninserted == 0 || block->failed || block->size == 0) return;
    char *found = memmem(block->data, block->size, place_of_table, sizeof place_of_table - 1);
    if (found == NULL) return;
    found += sizeof place_of_table - 1;
    unsigned long long place = strtoull(vc_buffer_text(block) + (found - block->data), NULL, 10);
    block->size = (size_t)(found - block->data);
    vc_buffer_printf(block, "%llu\n%%%%EOF\n", place + stream->ninserted);
}

cairo_status_t vc_pdf_stream_take(void *closure, const unsigned char *data, unsigned size)
{
    vc_pdf_stream *stream = closure;
    vc_buffer_put(&stream->block, data, size);
    if (stream->block.failed || stream->block.size >= BLOCK_BYTES + HELD_BYTES) {
        insert_entries(stream);
        write_out(stream, stream->block.failed ? 0 : stream->block.size - HELD_BYTES);
    }
    return stream->status == VC_OK ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

void vc_pdf_stream_end(vc_pdf_stream *stream)
{
    insert_entries(stream);
    move_table(stream);
    write_out(stream, stream->block.failed ? 0 : stream->block.size);
    vc_buffer_release(&stream->block);
}
