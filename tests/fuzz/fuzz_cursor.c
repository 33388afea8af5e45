/* libFuzzer target: a text is a cursor or it is not; what is one is written as it was read. */
#include "http/cursor.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(vc_str text)
{
    vc_arena arena = {0};
    vc_cursor cursor;
    vc_buffer again = {0};
    if (vc_cursor_read(text, &arena, &cursor)) {
        assert(cursor.nkeys <= VC_MAX_LEVELS && cursor.nreal <= cursor.ngiven);
        vc_cursor_put(&again, &cursor);
        vc_cursor other;
        assert(vc_cursor_read((vc_str){again.data, again.size}, &arena, &other));
        assert(other.after.member == cursor.after.member && other.ngiven == cursor.ngiven);
    }
    vc_buffer_release(&again);
    vc_arena_release(&arena);
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* As it is, and as bytes that get the checksum of somebody who knows how it is made. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check((vc_str){(const char *)data, size});
    if (size > 2000) return 0;
    unsigned char bytes[2048] = {0};
    vc_buffer text = {0};
    memcpy(bytes, data, size);
    uint64_t sum = XXH3_64bits_withSeed(bytes, size, 1);
    memcpy(bytes + size, &sum, sizeof sum);
    size += sizeof sum;
    for (size_t i = 0; i < size; i += 3)
        for (size_t j = 0; j <= (size - i < 3 ? size - i : 3); j++)
            vc_buffer_put_char(
                &text,
                digits[((unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8 | bytes[i + 2]) >>
                           (18 - 6 * j) &
                       63]);
    check((vc_str){text.data, text.size});
    vc_buffer_release(&text);
    return 0;
}
