/* The formats of an answer: their names, their media types, and how a client chooses.
 * Threads: pure.
 */
#ifndef RENDER_CONTENT_H
#define RENDER_CONTENT_H

#include "base/status.h"
#include "base/text.h"

typedef enum vc_render_format {
    VC_FORMAT_RECORDS = 0, /* the default */
    VC_FORMAT_ARRAYS,
    VC_FORMAT_NDJSON,
    VC_FORMAT_CSV,
    VC_FORMAT_TABLE,
    VC_FORMAT_JSONSTAT,
    VC_FORMAT_ARROW,
    VC_FORMAT_COLUMNS,
    VC_FORMAT_COUNT
} vc_render_format;

const char *vc_format_name(vc_render_format format);       /* "records" */
const char *vc_format_media_type(vc_render_format format); /* "text/csv; charset=utf-8" */
const char *vc_format_extension(vc_render_format format);  /* "csv", for file names */

/* By name. VC_BAD_INPUT, code "unknown_format", with the list of names and candidates. */
vc_status vc_format_find(vc_str name, vc_render_format *format_out, vc_error *error);

/* By an Accept header (RFC 9110, section 12.5.1): the format whose media type has the highest
 * quality, the most specific range deciding for each; equals in the order of the enumeration.
 * `arrays`, `columns` and `jsonstat` are never chosen, because they share their media type with
 * `records`.
 *
 * accept  absent or blank: records
 *
 * VC_BAD_INPUT, code "not_acceptable", when nothing fits. */
vc_status vc_format_accept(vc_str accept, vc_render_format *format_out, vc_error *error);

#endif
