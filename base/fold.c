#include "base/fold.h"

#include <utf8proc.h>

/* The same table stands in tools/make-codelists.py. */
const char *vc_fold_letters(int32_t point)
{
    switch (point) {
    case 0x00F8: return "o";  /* o with stroke */
    case 0x00E6: return "ae"; /* ae */
    case 0x0153: return "oe"; /* oe */
    case 0x0142: return "l";  /* l with stroke */
    case 0x0111:              /* d with stroke */
    case 0x00F0: return "d";  /* eth */
    case 0x00FE: return "th"; /* thorn */
    case 0x0131: return "i";  /* dotless i */
    default: return NULL;
    }
}

static void put_folded_point(vc_buffer *out, utf8proc_int32_t point)
{
    enum { LONGEST = 32 };
    utf8proc_int32_t parts[LONGEST];
    int boundary = 0;
    utf8proc_ssize_t count = utf8proc_decompose_char(
        point, parts, LONGEST, UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK,
        &boundary);
    for (utf8proc_ssize_t i = 0; i < count && i < LONGEST; i++) {
        utf8proc_uint8_t bytes[4];
        const char *plain = vc_fold_letters(parts[i]);
        if (plain != NULL)
            vc_buffer_put_text(out, plain);
        else
            vc_buffer_put(out, bytes, (size_t)utf8proc_encode_char(parts[i], bytes));
    }
}

void vc_fold_put(vc_buffer *out, vc_str text)
{
    if (!vc_buffer_reserve(out, text.size + 1)) return;
    for (size_t at = 0; at < text.size;) {
        unsigned char byte = (unsigned char)text.data[at];
        utf8proc_int32_t point;
        utf8proc_ssize_t size = 1;
        if (byte >= 0x80)
            size = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
                                    (utf8proc_ssize_t)(text.size - at), &point);
        if (byte < 0x80 || size <= 0) {
            vc_buffer_put_char(out, byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : (char)byte);
            at++;
        } else {
            put_folded_point(out, point);
            at += (size_t)size;
        }
    }
}
