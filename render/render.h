/* A result as text.
 *
 *     records   {"meta", "summary", "cells": [{...}]}: one object per row
 *     arrays    {"meta", "columns", "rows": [[...]], "status": {"row,column": "u"}}
 *     columns   {"meta", "rows": n, "columns": {name: [...]}, "status": {measure: {"row": "u"}}}
 *     ndjson    {"meta", "summary"}, one object per row, {"end": true, "rows": n}; a line each
 *     csv       RFC 4180
 *     table     for a terminal
 *     arrow     an Arrow IPC stream: the columns of CSV with their statuses, in types
 *     jsonstat  a JSON-stat 2.0 dataset: a grid of the members of each dimension and the measures
 *
 * Text is made in blocks of about 64 KiB and handed to a sink, so an answer of any size takes the
 * same memory. Numbers: integers and decimals exactly, doubles as the shortest text that reads back
 * the same; never Infinity or NaN. The text depends on the result and the options only.
 * Threads: pure; the sink is called from the caller's thread.
 */
#ifndef RENDER_RENDER_H
#define RENDER_RENDER_H

#include "base/buffer.h"
#include "render/content.h"
#include "slice/result.h"

typedef struct vc_render_sink {
    /* Take a block, which is borrowed for the call and not ended with NUL. Whatever is not VC_OK
     * stops the rendering and is its result. */
    vc_status (*write)(void *context, const char *data, size_t size, vc_error *error);
    /* Does the rendering go on? Asked before each block, and now and then where none is written for
     * long. Whatever is not VC_OK stops the rendering and is its result. NULL: it does. */
    vc_status (*look)(void *context, vc_error *error);
    void *context;
} vc_render_sink;

/* A sink that appends to a buffer. */
vc_render_sink vc_render_to_buffer(vc_buffer *buffer);

typedef enum vc_csv_header {
    VC_HEADER_NAMES = 0, /* geo.country, geo.country_label, pop */
    VC_HEADER_LABELS,    /* Geography: country (key), Geography: country, Population */
    VC_HEADER_NONE,
} vc_csv_header;

typedef struct vc_render_options { /* `{0}` is the default of each */
    /* csv */
    vc_csv_header header;
    bool has_bom;         /* UTF-8 byte order mark, for spreadsheets */
    bool has_status;      /* a column of reasons per measure, behind all others */
    bool guards_formulas; /* a ' in front of texts that a spreadsheet would run as a formula */
    /* records, arrays, columns, jsonstat */
    bool is_pretty; /* a line per row */
    /* table */
    bool is_coloured;
    unsigned width; /* columns of the terminal; 0: as wide as it is */
} vc_render_options;

/* The options that a query asks for (`header`, `bom`). */
vc_render_options vc_render_options_of(const vc_query *query);

/* Write a result in a format.
 *
 * options  may be NULL
 *
 * Returns VC_NO_MEMORY, or what the sink returned; before the first block, from jsonstat only:
 * VC_IMPOSSIBLE, code "ambiguous_key", where members have the same key, and VC_LIMIT, code
 * "limit_cells", where the grid has more points than a JavaScript number can count. O(rows *
 * columns); the table formats each cell twice. */
vc_status vc_render(const vc_result *result, vc_render_format format,
                    const vc_render_options *options, vc_render_sink sink, vc_error *error);

/* ---- in parts ---- */

/* Can the rows of a format be written apart from what stands before and behind them? Is there a
 * byte between two rows? */
bool vc_render_has_parts(vc_render_format format);
bool vc_render_has_separator(vc_render_format format);

enum { VC_PART_BEFORE = 1, VC_PART_ROWS = 2, VC_PART_AFTER = 4 };

/* Write some parts of an answer whose rows come piece by piece (slice/engine.h).
 *
 * head    the whole of it: what stands before and behind the rows, and which columns there are
 * result  whose rows are written with VC_PART_ROWS. Without VC_PART_BEFORE each of them has the
 *         separator in front, which the very first of the answer has to lose
 *
 * A format that has no parts is written whole. */
vc_status vc_render_part(const vc_result *head, const vc_result *result, unsigned which,
                         vc_render_format format, const vc_render_options *options,
                         vc_render_sink sink, vc_error *error);

#endif
