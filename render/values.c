#include "render/values.h"

#include "render/parts.h"

void vc_values_put_json(vc_buffer *buffer, const vc_result_values *values)
{
    if (values->count < 2) {
        vc_buffer_put_json(buffer, values->count == 0 ? (vc_str){0} : values->items[0]);
        return;
    }
    for (uint32_t i = 0; i < values->count; i++) {
        vc_buffer_put_char(buffer, i == 0 ? '[' : ',');
        vc_buffer_put_json(buffer, values->items[i]);
    }
    vc_buffer_put_char(buffer, ']');
}

void vc_values_put_text(vc_buffer *buffer, const vc_result_values *values)
{
    enum { MAX_LISTED = 5 };
    for (uint32_t i = 0; i < values->count && i < MAX_LISTED; i++) {
        bool is_quoted = values->count > 1 && vc_str_contains(values->items[i], VC_STR(";"));
        vc_buffer_put_text(buffer, i > 0 ? "; " : "");
        vc_buffer_put_text(buffer, is_quoted ? "\"" : "");
        vc_put_safe(buffer, values->items[i]);
        vc_buffer_put_text(buffer, is_quoted ? "\"" : "");
    }
    if (values->count > MAX_LISTED)
        vc_buffer_printf(buffer, "; \xE2\x80\xA6 (%u in all)", values->count);
}
