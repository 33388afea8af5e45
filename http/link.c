#include "http/link.h"

void vc_link_put_encoded(vc_buffer *out, vc_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                        (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '.' || byte == '_' ||
                        byte == '~';
        if (is_plain)
            vc_buffer_put_char(out, (char)byte);
        else
            vc_buffer_printf(out, "%%%02X", byte);
    }
}

void vc_link_put_other(vc_buffer *out, const vc_request *request, const char *const *dropped,
                       const char *name, vc_str value)
{
    for (size_t i = 0; i < request->nsegments; i++) {
        vc_buffer_put_char(out, '/');
        vc_link_put_encoded(out, request->segments[i]);
    }
    char between = '?';
    for (size_t i = 0; i < request->nparameters; i++) {
        const vc_parameter *given = &request->parameters[i];
        bool is_dropped = vc_str_is(given->name, name);
        for (size_t d = 0; dropped[d] != NULL; d++)
            is_dropped |= vc_str_is(given->name, dropped[d]);
        if (is_dropped) continue;
        vc_buffer_put_char(out, between);
        vc_link_put_encoded(out, given->name);
        vc_buffer_put_char(out, '=');
        vc_link_put_encoded(out, given->value);
        between = '&';
    }
    vc_buffer_printf(out, "%c%s=", between, name);
    vc_link_put_encoded(out, value);
}
