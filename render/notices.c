#include "render/notices.h"

#include "render/parts.h"

enum { MAX_MEMBERS = 5 };

void vc_notice_put_text(vc_buffer *buffer, const vc_notice *notice)
{
    vc_put_safe(buffer, notice->message.size > 0 ? notice->message : vc_str_of(notice->code));
    for (size_t i = 0; i < notice->nmembers && i < MAX_MEMBERS; i++) {
        vc_buffer_put_text(buffer, i == 0 ? ": " : ", ");
        vc_put_safe(buffer,
                    vc_str_is_null(notice->members[i]) ? VC_STR("(null)") : notice->members[i]);
    }
    if (notice->nmembers > MAX_MEMBERS) vc_buffer_put_text(buffer, ", \xE2\x80\xA6");
}

static bool is_plain(vc_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7E) return false;
    return true;
}

static void put_parameter(vc_buffer *buffer, const char *name, vc_str text)
{
    if (vc_str_is_null(text)) return;
    bool is_ascii = is_plain(text);
    vc_buffer_printf(buffer, ";%s=%s", name, is_ascii ? "\"" : "%\"");
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (is_ascii) {
            if (byte == '"' || byte == '\\') vc_buffer_put_char(buffer, '\\');
            vc_buffer_put_char(buffer, (char)byte);
        } else if (byte < 0x20 || byte > 0x7E || byte == '%' || byte == '"') {
            vc_buffer_printf(buffer, "%%%02x", byte);
        } else {
            vc_buffer_put_char(buffer, (char)byte);
        }
    }
    vc_buffer_put_char(buffer, '"');
}

void vc_notices_put_header(vc_buffer *buffer, const vc_result *result)
{
    size_t begin = buffer->size;
    for (size_t i = 0; i < result->nnotices; i++) {
        const vc_notice *notice = &result->notices[i];
        size_t before = buffer->size;
        vc_buffer_put_text(buffer, i > 0 ? ", " : "");
        vc_buffer_put_text(buffer, notice->code);
        put_parameter(buffer, "source", notice->source);
        put_parameter(buffer, "dim", notice->dimension);
        if (notice->has_count)
            vc_buffer_printf(buffer, ";count=%llu", (unsigned long long)notice->count);
        if (buffer->size - begin <= VC_NOTICES_HEADER - 40) continue;
        buffer->size = before;
        vc_buffer_printf(buffer, "%smore;count=%zu", i > 0 ? ", " : "", result->nnotices - i);
        return;
    }
}
