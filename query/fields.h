/* The fields of a query by name, each readable from text: parameters of a URL, options of the
 * command line, and fields of a body that hold a string.
 *
 *     cut drilldown measures having order top totals properties nonempty     lists: may repeat
 *     limit offset sparse parents totals_scope explain cache at format header bom
 *
 * A builder collects them, however they come; vc_query_builder_finish makes the query.
 * Threads: one thread at a time.
 */
#ifndef QUERY_FIELDS_H
#define QUERY_FIELDS_H

#include "base/list.h"
#include "cube/text_scan.h"
#include "slice/query.h"

typedef struct vc_query_builder {
    vc_arena *arena;
    vc_query query;
    vc_list measures, axes, conditions, havings, totals, orders, tops, properties, nonempty;
    vc_list calculated; /* of bodies only */
} vc_query_builder;

typedef struct vc_query_field vc_query_field;

/* A builder over the default query. */
void vc_query_builder_init(vc_query_builder *builder, vc_arena *arena);

/* The query, with everything that was put. It lives in the arena. */
vc_query vc_query_builder_finish(vc_query_builder *builder);

/* NULL when there is no field of that name. */
const vc_query_field *vc_query_field_find(vc_str name);
bool vc_query_field_repeats(const vc_query_field *field);

/* By number, for lists of what there is; NULL past the last one. */
const char *vc_query_field_name(size_t number);

/* Read a field from text. VC_BAD_INPUT, code "syntax" or "bad_parameter", with the place. */
vc_status vc_query_field_put(const vc_query_field *field, vc_query_builder *builder,
                             vc_source_text source, vc_error *error);

#endif
