#include "query/parameters.h"

#include "base/nearest.h"
#include "query/fields.h"

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

static vc_status fail_encoding(vc_error *error, size_t offset, const char *message)
{
    vc_fail(error, VC_BAD_INPUT, "bad_encoding", "%s", message);
    vc_error_at_offset(error, "query string", offset);
    return VC_BAD_INPUT;
}

/* The offset in `raw` of the byte that decodes to number `decoded`. */
static size_t raw_offset(vc_str raw, size_t decoded)
{
    size_t at = 0;
    while (decoded-- > 0)
        at += raw.data[at] == '%' ? 3 : 1;
    return at;
}

/* base  where `raw` stands in the query string, for errors */
static vc_status decode(vc_str raw, size_t base, vc_arena *arena, vc_str *text_out, vc_error *error)
{
    char *text = vc_arena_alloc(arena, raw.size + 1);
    if (text == NULL) return vc_no_memory(error);
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        char byte = raw.data[i];
        size_t first = i;
        if (byte == '+') byte = ' ';
        if (byte == '%') {
            int high = i + 2 < raw.size ? hex_digit(raw.data[i + 1]) : -1;
            int low = i + 2 < raw.size ? hex_digit(raw.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return fail_encoding(error, base + i,
                                     "found '%' without two hexadecimal digits behind it; a "
                                     "percent sign itself is written %25");
            byte = (char)(high * 16 + low);
            i += 2;
        }
        if (byte == '\0')
            return fail_encoding(error, base + first, "found a NUL, which no text may hold");
        text[size++] = byte;
    }
    text[size] = '\0';
    *text_out = (vc_str){.data = text, .size = size};
    size_t bad_offset;
    if (!vc_utf8_check(*text_out, &bad_offset))
        return fail_encoding(error, base + raw_offset(raw, bad_offset),
                             "found bytes that are not UTF-8");
    return VC_OK;
}

vc_status vc_parameters_decode(vc_str query_string, vc_arena *arena,
                               const vc_parameter **parameters_out, size_t *nparameters_out,
                               vc_error *error)
{
    vc_list list = {0};
    vc_str rest = query_string;
    while (!vc_str_is_null(rest)) {
        vc_str part = vc_str_split(&rest, '&');
        if (part.size == 0) continue;
        vc_parameter *parameter = VC_LIST_NEW(&list, arena, vc_parameter);
        if (parameter == NULL) return vc_no_memory(error);
        size_t base = (size_t)(part.data - query_string.data);
        vc_str value = part, name = vc_str_split(&value, '=');
        if (vc_str_is_null(value)) value = VC_STR("");
        vc_status status = decode(name, base, arena, &parameter->name, error);
        if (status == VC_OK)
            status = decode(value, base + name.size + 1, arena, &parameter->value, error);
        if (status != VC_OK) return status;
    }
    *parameters_out = list.items;
    *nparameters_out = list.count;
    return VC_OK;
}

static vc_status fail_unknown(vc_str name, vc_error *error)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; vc_query_field_name(i) != NULL; i++)
        vc_nearest_offer(&nearest, vc_str_of(vc_query_field_name(i)));
    vc_fail(error, VC_BAD_INPUT, "unknown_parameter", "unknown parameter '%.*s'", VC_FMT(name));
    vc_error_at_pointer(error, "%.*s", VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return VC_BAD_INPUT;
}

/* Bytes that earlier parameters of this name take in the concatenation. */
static size_t bytes_before(const vc_parameter *parameters, size_t end)
{
    size_t base = 0;
    for (size_t i = 0; i < end; i++)
        if (vc_str_equal(parameters[i].name, parameters[end].name))
            base += parameters[i].value.size + 1;
    return base;
}

vc_status vc_parameters_parse(const vc_parameter *parameters, size_t nparameters, vc_arena *arena,
                              vc_query *query_out, vc_error *error)
{
    vc_query_builder builder;
    vc_query_builder_init(&builder, arena);
    for (size_t i = 0; i < nparameters; i++) {
        const vc_query_field *field = vc_query_field_find(parameters[i].name);
        if (field == NULL) return fail_unknown(parameters[i].name, error);
        vc_str where = vc_arena_str(arena, parameters[i].name);
        if (vc_str_is_null(where)) return vc_no_memory(error);
        vc_source_text source = {
            .text = parameters[i].value, .where = where.data, .base = bytes_before(parameters, i)};
        if (source.base > 0 && !vc_query_field_repeats(field)) {
            vc_fail(error, VC_BAD_INPUT, "bad_parameter", "'%s' is given twice", where.data);
            vc_error_at_offset(error, where.data, 0);
            return VC_BAD_INPUT;
        }
        vc_status status = vc_query_field_put(field, &builder, source, error);
        if (status != VC_OK) return status;
    }
    *query_out = vc_query_builder_finish(&builder);
    return VC_OK;
}
