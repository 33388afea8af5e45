#include "query/mdx.h"

#include "base/list.h"

#include <string.h>

static void skip_spaces(vc_scan *scan)
{
    while (vc_scan_take(scan, ' '))
        continue;
}

/* ---- parts ---- */

/* May a name end, or go on, at this place of the text? */
static bool can_follow(vc_str text, size_t at)
{
    while (at < text.size && text.data[at] == ' ')
        at++;
    return at == text.size || strchr(".,:&})", text.data[at]) != NULL;
}

/* The "]" that ends the text which begins at `at`; SIZE_MAX: there is none. */
static size_t find_bracket(vc_str text, size_t at)
{
    for (; at < text.size; at++) {
        if (text.data[at] != ']') continue;
        bool is_double = at + 1 < text.size && text.data[at + 1] == ']';
        if (is_double && memchr(text.data + at + 2, ']', text.size - at - 2) != NULL)
            at++; /* a "]" of the text */
        else if (!is_double && can_follow(text, at + 1))
            return at;
    }
    return SIZE_MAX;
}

/* The text between brackets. The cursor is behind the "[". */
static vc_status read_bracketed(vc_scan *scan, vc_str *text_out)
{
    vc_str all = scan->source.text;
    size_t end = find_bracket(all, scan->at), size = 0;
    if (end == SIZE_MAX) return vc_scan_fail(scan, all.size, "']'");
    char *text = vc_arena_alloc(scan->arena, end - scan->at + 1);
    if (text == NULL) return vc_no_memory(scan->error);
    for (size_t at = scan->at; at < end; at++) {
        text[size++] = all.data[at];
        if (all.data[at] == ']' && all.data[at + 1] == ']' && at + 1 < end) at++;
    }
    text[size] = '\0';
    *text_out = (vc_str){text, size};
    scan->at = end + 1;
    return VC_OK;
}

static vc_status read_plain(vc_scan *scan, const char *expected, vc_str *text_out)
{
    size_t first = scan->at, end;
    while (!vc_scan_is_end(scan) && strchr(".,:&{}()[]~", vc_scan_peek(scan)) == NULL)
        scan->at++;
    for (end = scan->at; end > first && scan->source.text.data[end - 1] == ' ';)
        end--;
    if (end == first) return vc_scan_fail(scan, first, expected);
    *text_out = vc_arena_str(scan->arena, (vc_str){scan->source.text.data + first, end - first});
    return vc_str_is_null(*text_out) ? vc_no_memory(scan->error) : VC_OK;
}

static vc_status read_part(vc_scan *scan, vc_mdx_part *part)
{
    part->offset = scan->at;
    part->is_key = vc_scan_take(scan, '&');
    vc_status status = vc_scan_take(scan, '[')
                           ? read_bracketed(scan, &part->text)
                           : read_plain(scan, part->is_key ? "a key" : "a name", &part->text);
    part->end = scan->at;
    skip_spaces(scan);
    return status;
}

static vc_status read_name(vc_scan *scan, vc_mdx_name *name)
{
    vc_list parts = {0};
    skip_spaces(scan);
    name->place = vc_scan_place(scan, scan->at);
    do {
        vc_mdx_part *part = VC_LIST_NEW(&parts, scan->arena, vc_mdx_part);
        if (part == NULL) return vc_no_memory(scan->error);
        skip_spaces(scan);
        vc_status status = read_part(scan, part);
        if (status != VC_OK) return status;
    } while (vc_scan_take(scan, '.') || vc_scan_peek(scan) == '&');
    name->parts = parts.items;
    name->nparts = parts.count;
    return VC_OK;
}

/* ---- cuts ---- */

static vc_status add_name(vc_scan *scan, vc_list *names)
{
    vc_mdx_name *name = VC_LIST_NEW(names, scan->arena, vc_mdx_name);
    return name == NULL ? vc_no_memory(scan->error) : read_name(scan, name);
}

static vc_status read_set(vc_scan *scan, vc_list *names)
{
    do {
        vc_status status = add_name(scan, names);
        if (status != VC_OK) return status;
    } while (vc_scan_take(scan, ','));
    return vc_scan_take(scan, '}') ? VC_OK : vc_scan_fail(scan, scan->at, "',' or '}'");
}

/* A name, or two with a ":" between them. */
static vc_status read_range(vc_scan *scan, vc_list *names, bool *is_range_out)
{
    bool is_closed = vc_scan_take(scan, '(');
    vc_status status = add_name(scan, names);
    if (status != VC_OK) return status;
    *is_range_out = vc_scan_take(scan, ':');
    if (!*is_range_out && is_closed) return vc_scan_fail(scan, scan->at, "':' and a member");
    if (*is_range_out) status = add_name(scan, names);
    if (status != VC_OK || !is_closed) return status;
    return vc_scan_take(scan, ')') ? VC_OK : vc_scan_fail(scan, scan->at, "')'");
}

static vc_status check_end(vc_scan *scan, const char *expected)
{
    skip_spaces(scan);
    return vc_scan_is_end(scan) ? VC_OK : vc_scan_fail(scan, scan->at, expected);
}

vc_status vc_mdx_cut_parse(vc_source_text source, vc_arena *arena, vc_mdx_cut *cut_out,
                           vc_error *error)
{
    vc_scan scan = {.source = source, .arena = arena, .error = error};
    vc_list names = {0};
    *cut_out = (vc_mdx_cut){0};
    skip_spaces(&scan);
    cut_out->place = vc_scan_place(&scan, scan.at);
    cut_out->is_negated = vc_scan_take(&scan, '~');
    skip_spaces(&scan);
    vc_status status = vc_scan_take(&scan, '{') ? read_set(&scan, &names)
                                                : read_range(&scan, &names, &cut_out->is_range);
    if (status == VC_OK) status = check_end(&scan, "the end");
    cut_out->names = names.items;
    cut_out->nnames = names.count;
    return status;
}

vc_status vc_mdx_name_parse(vc_source_text source, vc_arena *arena, vc_mdx_name *name_out,
                            vc_error *error)
{
    vc_scan scan = {.source = source, .arena = arena, .error = error};
    *name_out = (vc_mdx_name){0};
    vc_status status = read_name(&scan, name_out);
    return status == VC_OK ? check_end(&scan, "'.' or the end") : status;
}

void vc_mdx_put_part(vc_buffer *out, vc_str text)
{
    vc_buffer_put_char(out, '[');
    for (size_t i = 0; i < text.size; i++) {
        vc_buffer_put_char(out, text.data[i]);
        if (text.data[i] == ']') vc_buffer_put_char(out, ']');
    }
    vc_buffer_put_char(out, ']');
}
