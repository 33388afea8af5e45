/* The dialect of Cube (cube.dev): its names, its queries, its answers, onto the one query model.
 *
 *     names   world.geo_country  <->  level country of dimension geo of the cube world
 *     query   {"measures": ["world.pop"], "timeDimensions": [...], ...}  ->  vc_query
 *     answer  vc_result  ->  {"queryType": "regularQuery", "results": [{"data": [...], ...}], ...}
 *
 * Nothing is computed here. What the query model cannot say is refused, never left out.
 * docs/cube-dialect.md says what a user sees of this.
 *
 * Threads: pure, but for the catalog of a cube, which is made once per model (vc_model_memo).
 */
#ifndef HTTP_CUBEJS_H
#define HTTP_CUBEJS_H

#include "base/buffer.h"
#include "base/json.h"
#include "base/list.h"
#include "cube/model.h"
#include "cube/time_part.h"
#include "query/node.h"
#include "slice/query.h"
#include "slice/result.h"

/* ---- time ---- */

/* Days of the proleptic Gregorian calendar, half-open; 0 is 1970-01-01. */
typedef struct vc_cubejs_range {
    bool has_first, has_end; /* false: open on that side */
    int64_t first, end;
} vc_cubejs_range;

/* "day", "week", ...; VC_TIME_NONE for what is no granularity of ours. */
vc_time_part vc_cubejs_part_find(vc_str name);
const char *vc_cubejs_part_name(vc_time_part part);

/* Is a key one of this part ("2020-Q1" of VC_TIME_QUARTER), and which days are its? */
bool vc_cubejs_period(vc_str key, vc_time_part part, vc_cubejs_range *range_out);

/* The days of the period that a day is in. */
vc_cubejs_range vc_cubejs_period_of(int64_t day, vc_time_part part);

/* The key of the period that a day is in. False before 0000 and after 9999. */
bool vc_cubejs_key_of(int64_t day, vc_time_part part, char text[VC_TIME_KEY_BYTES]);

/* "2020-01-31T00:00:00.000" (the beginning of a day), "2020-01-31T23:59:59.999" (its end). */
enum { VC_CUBEJS_INSTANT_BYTES = 32 };
void vc_cubejs_put_instant(int64_t day, bool is_end, char text[VC_CUBEJS_INSTANT_BYTES]);

int64_t vc_cubejs_today(void); /* UTC */

/* A moment as a client writes it: a date, or a date and a time of day that is the first moment of
 * the day or its last. VC_BAD_INPUT, code "bad_value"; VC_IMPOSSIBLE, code "unsupported", for other
 * times of day. */
typedef enum vc_cubejs_moment { VC_CUBEJS_DATE, VC_CUBEJS_BEGIN, VC_CUBEJS_END } vc_cubejs_moment;
vc_status vc_cubejs_moment_read(vc_str text, int64_t *day_out, vc_cubejs_moment *moment_out,
                                vc_error *error);

/* A range: a pair of moments, one, or words ("last 6 months", "this year", "yesterday"), which are
 * of `today` and set *is_relative. */
vc_status vc_cubejs_range_read(vc_body_node node, int64_t today, vc_arena *arena,
                               vc_cubejs_range *range_out, bool *is_relative, vc_error *error);

/* ---- names ---- */

typedef enum vc_cubejs_kind {
    VC_CUBEJS_MEASURE,
    VC_CUBEJS_TIME,      /* a time dimension: asked with a granularity */
    VC_CUBEJS_LEVEL,     /* keys of the members of a level */
    VC_CUBEJS_LABEL,     /* their labels */
    VC_CUBEJS_ATTRIBUTE, /* of leaves, or of the members of a level */
} vc_cubejs_kind;

typedef struct vc_cubejs_member {
    vc_cubejs_kind kind;
    vc_str name;               /* "world.geo_country" */
    vc_str title, short_title; /* "The world Country", "Country" */
    vc_str description;        /* absent when there is none */
    size_t number;             /* of the measure, or of the dimension */
    unsigned hierarchy, level; /* whose members it tells of; of an attribute of leaves the lowest of
                                  the main hierarchy */
    const vc_attribute *attribute;
    bool has_paths; /* LEVEL: keys are not unique, so values are paths: "2020,1" */
    bool is_unique; /* LABEL, ATTRIBUTE: no two members have the same, so it tells them apart */
} vc_cubejs_member;

typedef struct vc_cubejs_time_level { /* a level whose keys are periods */
    size_t dimension;
    unsigned hierarchy, level;
    vc_time_part part;
} vc_cubejs_time_level;

typedef struct vc_cubejs_catalog { /* a cube as Cube sees it */
    const vc_cube *cube;
    vc_str name, title;
    size_t nmembers;
    const vc_cubejs_member *members; /* measures first */
    size_t ntimes;
    const vc_cubejs_time_level *times;
} vc_cubejs_catalog;

typedef struct vc_cubejs_name { /* of a cube */
    vc_str name;                /* as Cube's clients write it */
    vc_str cube;                /* as it is called */
} vc_cubejs_name;

/* The names of all cubes of the model, in the arena. What stands in a name and is no letter, digit
 * or "_" is "_" here; cubes that would be called the same all get a suffix of their own. */
vc_status vc_cubejs_list_cubes(vc_model *model, vc_arena *arena, const vc_cubejs_name **names_out,
                               size_t *nnames_out, vc_error *error);

/* The catalog of a cube, which the model keeps. Errors: those of vc_model_cube. */
vc_status vc_cubejs_catalog_get(vc_model *model, const vc_cubejs_name *name,
                                const vc_cubejs_catalog **catalog_out, vc_error *error);

/* NULL when there is none. */
const vc_cubejs_member *vc_cubejs_find_member(const vc_cubejs_catalog *catalog, vc_str name);
const vc_cubejs_time_level *vc_cubejs_find_time(const vc_cubejs_catalog *catalog, size_t dimension,
                                                vc_time_part part);

/* The most exact period that a time dimension knows; NULL: it is none. */
const vc_cubejs_time_level *vc_cubejs_finest_time(const vc_cubejs_catalog *catalog,
                                                  size_t dimension);

/* Words for a name, its odd characters replaced by "_". */
void vc_cubejs_put_word(vc_buffer *buffer, vc_str name);

/* ---- meta ---- */

/* One cube as an object of the array `cubes`. */
void vc_cubejs_put_meta(vc_buffer *out, const vc_cubejs_catalog *catalog, size_t number);

/* {"title": ..., "shortTitle": ..., "type": ..., ...}, of an annotation. VC_TIME_NONE: without a
 * granularity. */
void vc_cubejs_put_annotation(vc_buffer *out, const vc_cubejs_catalog *catalog,
                              const vc_cubejs_member *member, vc_time_part part);

/* ---- queries ---- */

typedef struct vc_cubejs_output { /* a column of the data */
    const vc_cubejs_member *member;
    vc_time_part part; /* TIME: of its keys */
    vc_str name;       /* "shop.date.month" */
    vc_str also;       /* "shop.date": the same under another name; absent: not */
    size_t number;     /* of the measure in the result, or of the axis */
} vc_cubejs_output;

typedef struct vc_cubejs_axis {
    size_t dimension;
    unsigned hierarchy, level;
} vc_cubejs_axis;

typedef struct vc_cubejs_query {
    const vc_cubejs_catalog *catalog;
    vc_query query;
    size_t noutputs;
    const vc_cubejs_output *outputs;
    const vc_cubejs_axis *axes; /* [query.naxes] */
    vc_str text;                /* the query as JSON, in full: dates without words, order as list */
    vc_str order;               /* {"world.pop":"desc"} */
    vc_str constant;            /* "compareDateRange" of every row; absent: none */
    vc_str blended;             /* "time.month": the time once more; absent: not */
    vc_str format;              /* "default", "compact", "columnar" */
    bool has_total;
} vc_cubejs_query;

typedef struct vc_cubejs_request {
    const char *type; /* "regularQuery", "compareDateRangeQuery", "blendingQuery" */
    size_t nqueries;
    vc_cubejs_query *queries;
    vc_str pivot;     /* the pivotQuery as JSON */
    bool is_of_today; /* some range is words: tomorrow it is another one */
    int64_t today;
} vc_cubejs_request;

/* Read a query, or an array of them, and look everything up.
 *
 * node   the JSON and its pointer
 * today  for ranges in words
 *
 * VC_BAD_INPUT and VC_IMPOSSIBLE with the place in the query; errors of vc_cubejs_catalog_get. */
vc_status vc_cubejs_read(vc_model *model, vc_body_node node, int64_t today, vc_arena *arena,
                         vc_cubejs_request *request_out, vc_error *error);

/* ---- inside ---- */

/* The filters of a query as conditions and measure filters (cubejs_filter.c).
 *
 * conditions  gets `vc_condition *`
 * havings     gets vc_having */
vc_status vc_cubejs_filters_read(const vc_cubejs_catalog *catalog, vc_body_node filters,
                                 int64_t today, vc_arena *arena, vc_list *conditions,
                                 vc_list *havings, bool *is_relative, vc_error *error);

/* The days of a range as a condition, on the coarsest level on whose bounds it begins and ends.
 * VC_IMPOSSIBLE, code "unsupported", when it begins or ends within a period of them all. */
vc_status vc_cubejs_range_condition(const vc_cubejs_catalog *catalog, size_t dimension,
                                    const vc_cubejs_range *range, vc_place place, vc_arena *arena,
                                    vc_condition **condition_out, vc_error *error);

/* A member by its full name. VC_NOT_FOUND, code "unknown_member", with candidates. */
vc_status vc_cubejs_need_member(const vc_cubejs_catalog *catalog, vc_str name, vc_place place,
                                const vc_cubejs_member **member_out, vc_error *error);

/* A query in full: deprecated forms replaced, dates in words read, the order that Cube has by
 * default. The caller owns *json_out. (cubejs_normal.c)
 *
 * compared  which of its compareDateRange it is for */
vc_status vc_cubejs_normalize(vc_body_node query, size_t compared, int64_t today, vc_arena *arena,
                              json_t **json_out, bool *is_relative, vc_error *error);

/* How many queries one with compareDateRange stands for; 0: it has none. */
size_t vc_cubejs_count_compared(const json_t *query);

/* A normal query as a query of ours (cubejs_translate.c). */
vc_status vc_cubejs_translate(vc_model *model, const vc_cubejs_name *names, size_t nnames,
                              vc_body_node query, int64_t today, vc_arena *arena,
                              vc_cubejs_query *query_out, bool *is_relative, vc_error *error);

/* ---- answers ---- */

/* One result: {"query": ..., "data": [...], "annotation": {...}, ...}. VC_IMPOSSIBLE when values of
 * an attribute are several. */
vc_status vc_cubejs_put_result(vc_buffer *out, const vc_cubejs_query *query,
                               const vc_result *result, vc_arena *arena, vc_error *error);

#endif
