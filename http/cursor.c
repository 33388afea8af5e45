#include "http/cursor.h"

#include <string.h>
#include <xxhash.h>

enum {
    VERSION = 1,
    KEYS_MAX = 1024,  /* bytes of a path that a cursor holds */
    TEXT_MAX = 4096,  /* more is none of ours */
    NULL_KEY = 65535, /* as a size */
    CHECK_BYTES = 8,
};

/* ---- base64url (RFC 4648, 5), without padding ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void put_base64(vc_buffer *out, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i < 3 ? size - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (j < left ? bytes[i + j] : 0);
        for (size_t j = 0; j <= left; j++)
            vc_buffer_put_char(out, digits[bits >> (18 - 6 * j) & 63]);
    }
}

/* bytes  room for text.size. False when it is not what put_base64 writes. */
static bool read_base64(vc_str text, unsigned char *bytes, size_t *size_out)
{
    uint32_t bits = 0;
    unsigned nbits = 0;
    *size_out = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *digit = text.data[i] != '\0' ? strchr(digits, text.data[i]) : NULL;
        if (digit == NULL) return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        nbits += 6;
        if (nbits < 8) continue;
        nbits -= 8;
        bytes[(*size_out)++] = (unsigned char)(bits >> nbits);
        bits &= (1u << nbits) - 1;
    }
    return nbits < 6 && bits == 0;
}

/* ---- fields ---- */

static void put_number(vc_buffer *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        vc_buffer_put_char(out, (char)(value >> 8 * i));
}

static void put_text(vc_buffer *out, vc_str text)
{
    put_number(out, vc_str_is_null(text) ? NULL_KEY : text.size, 2);
    if (text.size > 0) vc_buffer_put_str(out, text);
}

struct reader {
    const unsigned char *at, *end;
    bool failed;
};

static uint64_t read_number(struct reader *in, size_t size)
{
    uint64_t value = 0;
    if (in->failed || (size_t)(in->end - in->at) < size) {
        in->failed = true;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)*in->at++ << 8 * i;
    return value;
}

static vc_str read_text(struct reader *in)
{
    size_t size = read_number(in, 2);
    if (in->failed || size == NULL_KEY) return (vc_str){0};
    if ((size_t)(in->end - in->at) < size) {
        in->failed = true;
        return (vc_str){0};
    }
    vc_str text = {(const char *)in->at, size};
    in->at += size;
    if (!vc_utf8_check(text, NULL)) in->failed = true;
    return text;
}

/* ---- cursors ---- */

static unsigned count_keys(const vc_cursor *cursor)
{
    size_t size = 0;
    for (unsigned i = 0; i < cursor->nkeys; i++)
        size += 2 + cursor->keys[i].size;
    return size <= KEYS_MAX ? cursor->nkeys : 0;
}

void vc_cursor_put(vc_buffer *out, const vc_cursor *cursor)
{
    vc_buffer bytes = {0};
    unsigned nkeys = count_keys(cursor);
    put_number(&bytes, VERSION, 1);
    put_number(&bytes, cursor->question, 8);
    put_number(&bytes, cursor->definition, 8);
    put_number(&bytes, cursor->numbering, 8);
    put_number(&bytes, cursor->order, 8);
    put_number(&bytes, cursor->ngiven, 8);
    put_number(&bytes, cursor->nreal, 8);
    put_number(&bytes, cursor->has_after, 1);
    put_number(&bytes, cursor->after.level, 1);
    put_number(&bytes, cursor->after.member, 4);
    put_text(&bytes, cursor->snapshot);
    put_number(&bytes, nkeys, 1);
    for (unsigned i = 0; i < nkeys; i++)
        put_text(&bytes, cursor->keys[i]);
    put_number(&bytes, XXH3_64bits_withSeed(bytes.data, bytes.size, VERSION), CHECK_BYTES);
    if (bytes.failed)
        out->failed = true;
    else
        put_base64(out, (const unsigned char *)bytes.data, bytes.size);
    vc_buffer_release(&bytes);
}

bool vc_cursor_read(vc_str text, vc_arena *arena, vc_cursor *cursor_out)
{
    size_t size;
    unsigned char *bytes =
        text.size <= TEXT_MAX ? VC_ARENA_NEW(arena, unsigned char, text.size + 1) : NULL;
    if (bytes == NULL || !read_base64(text, bytes, &size) || size < CHECK_BYTES) return false;
    struct reader in = {bytes, bytes + size - CHECK_BYTES, false};
    struct reader check = {in.end, bytes + size, false};
    if (read_number(&check, CHECK_BYTES) !=
        XXH3_64bits_withSeed(bytes, size - CHECK_BYTES, VERSION))
        return false;
    if (read_number(&in, 1) != VERSION) return false;
    *cursor_out = (vc_cursor){.question = read_number(&in, 8)};
    cursor_out->definition = read_number(&in, 8);
    cursor_out->numbering = read_number(&in, 8);
    cursor_out->order = read_number(&in, 8);
    cursor_out->ngiven = read_number(&in, 8);
    cursor_out->nreal = read_number(&in, 8);
    cursor_out->has_after = read_number(&in, 1) != 0;
    cursor_out->after.level = (unsigned)read_number(&in, 1);
    cursor_out->after.member = (uint32_t)read_number(&in, 4);
    cursor_out->snapshot = read_text(&in);
    cursor_out->nkeys = (unsigned)read_number(&in, 1);
    if (cursor_out->nkeys > VC_MAX_LEVELS) return false;
    for (unsigned i = 0; i < cursor_out->nkeys; i++)
        cursor_out->keys[i] = read_text(&in);
    return !in.failed && in.at == in.end && cursor_out->nreal <= cursor_out->ngiven &&
           cursor_out->ngiven < UINT64_MAX / 2;
}
