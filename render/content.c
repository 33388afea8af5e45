#include "render/content.h"

#include "base/nearest.h"

#include <stdio.h>
#include <strings.h>

typedef struct format_info {
    const char *name, *media_type, *extension;
    const char *type, *subtype; /* of the media type; NULL: not chosen by Accept */
} format_info;

static const format_info formats[VC_FORMAT_COUNT] = {
    [VC_FORMAT_RECORDS] = {"records", "application/json; charset=utf-8", "json", "application",
                           "json"},
    [VC_FORMAT_ARRAYS] = {"arrays", "application/json; charset=utf-8", "json", NULL, NULL},
    [VC_FORMAT_NDJSON] = {"ndjson", "application/x-ndjson", "ndjson", "application", "x-ndjson"},
    [VC_FORMAT_CSV] = {"csv", "text/csv; charset=utf-8", "csv", "text", "csv"},
    [VC_FORMAT_TABLE] = {"table", "text/plain; charset=utf-8", "txt", "text", "plain"},
    [VC_FORMAT_COLUMNS] = {"columns", "application/json; charset=utf-8", "json", NULL, NULL},
    [VC_FORMAT_ARROW] = {"arrow", "application/vnd.apache.arrow.stream", "arrows", "application",
                         "vnd.apache.arrow.stream"},
    [VC_FORMAT_JSONSTAT] = {"jsonstat", "application/json; charset=utf-8", "json", NULL, NULL},
};

const char *vc_format_name(vc_render_format format)
{
    return formats[format].name;
}

const char *vc_format_media_type(vc_render_format format)
{
    return formats[format].media_type;
}

const char *vc_format_extension(vc_render_format format)
{
    return formats[format].extension;
}

vc_status vc_format_find(vc_str name, vc_render_format *format_out, vc_error *error)
{
    char list[96] = "";
    size_t used = 0;
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < VC_FORMAT_COUNT; i++) {
        if (vc_str_is(name, formats[i].name)) {
            *format_out = (vc_render_format)i;
            return VC_OK;
        }
        vc_nearest_offer(&nearest, vc_str_of(formats[i].name));
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ",
                                 formats[i].name);
    }
    vc_fail(error, VC_BAD_INPUT, "unknown_format", "unknown format '%.*s'; expected one of: %s",
            VC_FMT(name), list);
    vc_nearest_report(&nearest, error);
    return VC_BAD_INPUT;
}

/* ---- Accept ---- */

/* Media types are compared without regard to case. */
static bool is_token(vc_str text, const char *token)
{
    return vc_str_of(token).size == text.size && strncasecmp(text.data, token, text.size) == 0;
}

/* The quality among the parameters of a range; 1 when there is none, -1 when it is malformed. */
static double read_quality(vc_str parameters)
{
    while (!vc_str_is_null(parameters)) {
        vc_str value = vc_str_trim(vc_str_split(&parameters, ';'));
        vc_str name = vc_str_trim(vc_str_split(&value, '='));
        if (!is_token(name, "q") || vc_str_is_null(value)) continue;
        double quality;
        value = vc_str_trim(value);
        if (value.size == 0 || value.data[value.size - 1] == '.') return -1;
        if (vc_parse_double(value, '.', &quality) != VC_PARSE_OK) return -1;
        return quality < 0 || quality > 1 ? -1 : quality;
    }
    return 1;
}

/* How specifically a media range names a format: 0 not at all, 1 by anything, 2 by the type, 3. */
static int specificity(const format_info *format, vc_str range)
{
    vc_str subtype = range, type = vc_str_split(&subtype, '/');
    if (vc_str_is_null(subtype)) return 0;
    bool is_any_subtype = vc_str_is(subtype, "*");
    if (vc_str_is(type, "*")) return is_any_subtype ? 1 : 0;
    if (!is_token(type, format->type)) return 0;
    if (is_any_subtype) return 2;
    return is_token(subtype, format->subtype) ? 3 : 0;
}

/* What the header says of one format: the quality of the most specific range; 0: not acceptable. */
static double quality_of(const format_info *format, vc_str accept)
{
    int best = 0;
    double quality = 0;
    while (!vc_str_is_null(accept)) {
        vc_str parameters = vc_str_split(&accept, ',');
        vc_str range = vc_str_trim(vc_str_split(&parameters, ';'));
        int found = specificity(format, range);
        double value = found > best ? read_quality(parameters) : -1;
        if (value < 0) continue;
        best = found;
        quality = value;
    }
    return quality;
}

vc_status vc_format_accept(vc_str accept, vc_render_format *format_out, vc_error *error)
{
    if (vc_str_trim(accept).size == 0) {
        *format_out = VC_FORMAT_RECORDS;
        return VC_OK;
    }
    double best = 0;
    for (size_t i = 0; i < VC_FORMAT_COUNT; i++) {
        if (formats[i].type == NULL) continue;
        double quality = quality_of(&formats[i], accept);
        if (quality <= best) continue;
        best = quality;
        *format_out = (vc_render_format)i;
    }
    if (best > 0) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "not_acceptable",
                   "nothing fits the Accept header '%.*s'; there are application/json, "
                   "application/x-ndjson, text/csv, text/plain and "
                   "application/vnd.apache.arrow.stream",
                   VC_FMT(accept));
}
