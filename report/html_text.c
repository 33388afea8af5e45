#include "report/html_parts.h"

static const char *entity_of(unsigned char byte)
{
    switch (byte) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    case '\r': return ""; /* of CR LF; alone it ends no line of text today */
    default: return NULL;
    }
}

/* What needs a second look: what is escaped, controls, and the C2 that some begin with. */
static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte != 0x7f && byte != 0xc2 && entity_of(byte) == NULL;
}

void vc_html_put(vc_buffer *out, vc_str text)
{
    for (size_t at = 0; at < text.size;) {
        size_t end = at;
        while (end < text.size && is_plain((unsigned char)text.data[end]))
            end++;
        vc_buffer_put(out, text.data + at, end - at);
        if (end == text.size) break;
        const char *entity = entity_of((unsigned char)text.data[end]);
        size_t ncontrol = entity == NULL ? vc_put_control(out, text, end) : 0;
        if (entity != NULL)
            vc_buffer_put_text(out, entity);
        else if (ncontrol == 0)
            vc_buffer_put_char(out, text.data[end]);
        at = end + (ncontrol > 0 ? ncontrol : 1);
    }
}

void vc_html_put_shown(vc_buffer *out, vc_str text)
{
    if (text.size == 0)
        vc_buffer_put_text(out, "<i>(empty)</i>");
    else
        vc_html_put(out, text);
}

/* Of an address at the beginning of a text, its size; 0: there is none. What ends a sentence or
 * closes a bracket is not of it. */
static size_t address_size(vc_str text)
{
    vc_str schemes[] = {VC_STR("https://"), VC_STR("http://")};
    for (size_t i = 0; i < 2; i++) {
        if (!vc_str_starts_with(text, schemes[i])) continue;
        size_t size = schemes[i].size;
        while (size < text.size && (unsigned char)text.data[size] > 0x20 &&
               (unsigned char)text.data[size] < 0x7f &&
               !vc_str_contains(VC_STR("<>\"'`()[]{}|\\^,;"), (vc_str){text.data + size, 1}))
            size++;
        while (size > schemes[i].size && (text.data[size - 1] == '.' || text.data[size - 1] == ':'))
            size--;
        return size > schemes[i].size ? size : 0;
    }
    return 0;
}

void vc_html_put_linked(vc_buffer *out, vc_str text)
{
    size_t first = 0;
    for (size_t at = 0; at < text.size;) {
        vc_str rest = {.data = text.data + at, .size = text.size - at};
        size_t size = rest.data[0] == 'h' ? address_size(rest) : 0;
        if (size == 0) {
            at++;
            continue;
        }
        vc_str address = {.data = rest.data, .size = size};
        vc_html_put(out, (vc_str){.data = text.data + first, .size = at - first});
        vc_buffer_put_text(out, "<a rel=\"noreferrer\" href=\"");
        vc_html_put(out, address);
        vc_buffer_put_text(out, "\">");
        vc_html_put(out, address);
        vc_buffer_put_text(out, "</a>");
        first = at += size;
    }
    vc_html_put(out, (vc_str){.data = text.data + first, .size = text.size - first});
}

void vc_html_put_reason(vc_buffer *out, char reason)
{
    if (reason == 0) return;
    vc_buffer_put_text(out, "<sup><abbr title=\"");
    vc_html_put(out, vc_str_of(vc_document_reason(reason)));
    vc_buffer_put_text(out, "\">");
    vc_buffer_put_char(out, reason);
    vc_buffer_put_text(out, "</abbr></sup>");
}
