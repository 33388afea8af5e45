/* Definitions: what analysts write in JSON, as structs.
 *
 * Reading a definition checks everything that can be known without data: field names and types,
 * references inside the definition, contradictions. What needs other objects (shared dimensions,
 * source cubes, crosswalks) is checked by cube/catalog.h. Every error names file, line, column and
 * JSON pointer, and the nearest known names.
 *
 * Ownership: all structs and texts live in the arena given to the reader; `json` is borrowed from
 * vc_definition, which owns it (vc_definition_release).
 * Threads: immutable after reading.
 */
#ifndef CUBE_DEFINITION_H
#define CUBE_DEFINITION_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "base/text.h"
#include "cube/calculated.h"
#include "cube/condition.h"
#include "dimensions/builder.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- data ---- */

typedef struct vc_csv_def {
    vc_str path; /* as written, relative to the definition file; "-" is standard input. Absent for
                    a cube whose facts are only sent */
    bool is_ndjson; /* not CSV but a JSON object to a line */
    char delimiter;
    char quote;
    char decimal;
    bool has_header;
    vc_str encoding;     /* "utf-8" */
    const vc_str *nulls; /* texts that mean null; default one: "" */
    size_t nnulls;
    const vc_str *columns; /* names, when there is no header line; of NDJSON: fields that it may
                              have besides those that the definition names */
    size_t ncolumns;
} vc_csv_def;

/* ---- dimensions ---- */

typedef enum vc_time_part { /* levels derived from an ISO 8601 date column */
                            VC_TIME_NONE = 0,
                            VC_TIME_YEAR,    /* 2020 */
                            VC_TIME_QUARTER, /* 2020-Q1 */
                            VC_TIME_MONTH,   /* 2020-01 */
                            VC_TIME_WEEK,    /* 2020-W01 (ISO 8601) */
                            VC_TIME_DAY,     /* 2020-01-31 */
} vc_time_part;

typedef struct vc_level_def {
    vc_str name, label;
    vc_str key;          /* column; the level's name when not given */
    vc_str label_column; /* absent when none */
    vc_str order_column; /* absent when none */
    vc_key_type key_type;
    vc_time_part part;        /* derived from the dimension's `column` */
    vc_skip skip;             /* leaves that have no member here */
    const vc_str *attributes; /* the level's own */
    size_t nattributes;
} vc_level_def;

typedef struct vc_hierarchy_def {
    vc_str name, label;
    vc_level_def *levels;
    size_t nlevels;
    vc_str parent_column;     /* parent-child; absent otherwise. Its levels are those of the first
                                 depths, and what the others are like */
    vc_str level_column;      /* absent: levels are depths */
    bool has_several_parents; /* a key may stand in several rows of the table */
} vc_hierarchy_def;

typedef struct vc_index_def {
    vc_str name, attribute;
    bool is_unique;
    vc_str where_attribute; /* absent when the index is not partial */
    vc_str *where_values;
    size_t nwhere_values;
} vc_index_def;

typedef struct vc_lookup_def {
    vc_csv_def csv;
    vc_str key;    /* column of the looked-up table */
    vc_str column; /* column of the dimension's table (or of an earlier lookup) that refers to it */
} vc_lookup_def;

typedef struct vc_dimension_def {
    vc_str name, label;
    bool is_time;
    bool has_table;
    vc_csv_def table;
    vc_str key;    /* the table's key column; absent without a table (then, if set, of the facts) */
    vc_str column; /* for derived time levels without a table: the date column */
    vc_lookup_def *lookups;
    size_t nlookups;
    vc_hierarchy_def *hierarchies;
    size_t nhierarchies;
    const vc_str *attributes; /* of the leaf */
    size_t nattributes;
    vc_index_def *indexes;
    size_t nindexes;
    bool is_not_aggregatable; /* "aggregatable": false: has no All */
    vc_str default_member;    /* a path: selected by a query that does not speak of the dimension;
                                 absent: All */
} vc_dimension_def;

/* A dimension as a cube uses it: its own, or a shared one by name. */
typedef struct vc_dimension_use {
    vc_str name;   /* in the cube */
    vc_str shared; /* name of the shared dimension; absent for the cube's own */
    vc_str column; /* column of the facts that holds the key of the dimension's table */
    const vc_dimension_def *own; /* NULL for a shared one */
} vc_dimension_use;

/* ---- measures ---- */

typedef enum vc_value_type {
    VC_VALUE_INT = 0,
    VC_VALUE_DECIMAL, /* int64 scaled by 10^scale */
    VC_VALUE_FLOAT,
} vc_value_type;

typedef enum vc_aggregator {
    VC_AGG_NONE = 0, /* calculated: has an expr */
    VC_AGG_SUM,
    VC_AGG_COUNT, /* of rows, or of the non-null values of a column */
    VC_AGG_MIN,
    VC_AGG_MAX,
    VC_AGG_AVG,
    VC_AGG_COUNT_DISTINCT, /* of a column or of a dimension's leaves */
    VC_AGG_WEIGHTED_AVG,   /* sum of weight times value, divided by the sum of weights */
    VC_AGG_MEDIAN,
    VC_AGG_QUANTILE, /* interpolated between the two values next to it */
    VC_AGG_STDDEV,   /* of a sample: divided by n - 1 */
    VC_AGG_STDDEV_POP,
    VC_AGG_VARIANCE, /* of a sample */
    VC_AGG_VARIANCE_POP,
} vc_aggregator;

typedef enum vc_over { /* along one dimension, inside the source */
                       VC_OVER_NONE = 0,
                       VC_OVER_LAST,
                       VC_OVER_FIRST,
                       /* per combination of the other coordinates: */
                       VC_OVER_LAST_NONEMPTY,
                       VC_OVER_FIRST_NONEMPTY,
                       VC_OVER_AVG,
                       VC_OVER_MIN,
                       VC_OVER_MAX,
} vc_over;

typedef enum vc_unrelated { /* other sources' private dimensions */
                            VC_UNRELATED_DEFAULT = 0,
                            VC_UNRELATED_NULL,   /* status x */
                            VC_UNRELATED_REPEAT, /* status r */
                            VC_UNRELATED_ERROR,
                            VC_UNRELATED_FIX, /* the value where a cell has all of one member, else
                                                 status x */
} vc_unrelated;

typedef struct vc_fix_def { /* {"scenario": "actual"} */
    vc_str dimension;
    vc_str value; /* key or path in the cut grammar */
} vc_fix_def;

/* How joined facts count at a member of the primary. */
typedef enum vc_join_mode {
    VC_MODE_DEFAULT = 0, /* of a measure: as its source's join says */
    VC_MODE_SET,         /* each fact once */
    VC_MODE_WEIGHTED,    /* by the weights of the pairs */
    VC_MODE_LOOKUP,      /* per leaf of the primary the value of its one partner */
} vc_join_mode;

/* What the values of a lookup become at members above the leaf. */
typedef enum vc_reaggregate {
    VC_REAGGREGATE_DEFAULT = 0, /* of a measure: as its source's join says */
    VC_REAGGREGATE_NONE,        /* nothing: null, reason d */
    VC_REAGGREGATE_SUM,
    VC_REAGGREGATE_AVG,
    VC_REAGGREGATE_MIN,
    VC_REAGGREGATE_MAX,
} vc_reaggregate;

typedef struct vc_measure_def {
    vc_str name, label, unit, format, description;
    vc_aggregator aggregator;
    vc_value_type type;
    unsigned scale;
    vc_str column;    /* of the facts; absent for a count of rows and for calculated ones */
    vc_str dimension; /* count_distinct over a dimension; absent otherwise */
    vc_str value;     /* an expression over columns, in place of a column; absent otherwise */
    vc_str weight;    /* column of VC_AGG_WEIGHTED_AVG */
    vc_value_type weight_type;
    unsigned weight_scale;
    double quantile;        /* 0 to 1, of VC_AGG_QUANTILE */
    vc_str expr;            /* calculated; absent otherwise */
    const int *solve_order; /* of a calculated one; NULL: before all calculated members */
    vc_str where;           /* a cut on the dimensions of the source; absent: all facts */
    vc_str over_dimension;
    vc_over over;
    /* only in virtual cubes; what is absent above is as in the source, the label too: */
    vc_str source, measure;
    const vc_fix_def *fixes;
    size_t nfixes;
    vc_unrelated unrelated;
    const vc_fix_def *stands; /* members that VC_UNRELATED_FIX is about; for the dimensions it does
                                 not name, those of the policies of the cube */
    size_t nstands;
    vc_join_mode mode; /* SET: each fact once, whatever the join's mode */
    vc_reaggregate reaggregate;
    vc_str pointer; /* JSON pointer of the measure, for errors found later */
} vc_measure_def;

/* ---- source cubes ---- */

typedef struct vc_info_def {
    vc_str source, licence;
} vc_info_def;

typedef struct vc_cluster_def { /* "date", or "date.month": facts are stored in this order */
    size_t dimension;           /* its number in the cube */
    vc_str level;               /* absent: by leaf */
    vc_str text;                /* as written */
    vc_str pointer;
} vc_cluster_def;

typedef struct vc_cube_def {
    vc_csv_def data;
    vc_dimension_use *dimensions;
    size_t ndimensions;
    bool has_cluster; /* it is written; otherwise the first time dimension, if there is one */
    vc_cluster_def *cluster;
    size_t ncluster;
    vc_measure_def *measures;
    size_t nmeasures;
} vc_cube_def;

/* ---- virtual cubes ---- */

typedef enum vc_join_kind {
    VC_JOIN_LEFT = 0,
    VC_JOIN_INNER,
    VC_JOIN_RIGHT,
    VC_JOIN_FULL
} vc_join_kind;
typedef enum vc_unmatched {
    VC_UNMATCHED_DROP = 0,
    VC_UNMATCHED_BUCKET,
    VC_UNMATCHED_MEMBERS
} vc_unmatched;
typedef enum vc_fanout {
    VC_FANOUT_UNION = 0,
    VC_FANOUT_ERROR,
    VC_FANOUT_WEIGHTED, /* by the crosswalk's weights, else in equal parts */
} vc_fanout;

/* Which of several partners a lookup takes. */
typedef enum vc_pick { VC_PICK_ERROR = 0, VC_PICK_FIRST_BY, VC_PICK_MAX } vc_pick;

/* What a joined cube's values are below its grain. */
typedef enum vc_finer {
    VC_FINER_NULL = 0, /* status g */
    VC_FINER_REPEAT,   /* status r */
    VC_FINER_ALLOCATE, /* status a */
} vc_finer;

typedef struct vc_on_def { /* one pair of a join */
    vc_str dim;            /* the primary's dimension */
    vc_str index;          /* of it: index, `key` or level */
    vc_str to_dim;         /* the joined cube's dimension; absent where to_constant needs none */
    vc_str to_index;
    vc_str constant, to_constant; /* in place of an index; else absent, at most one of them */
    const json_t *normalize_from, *normalize_to; /* arrays of steps, or NULL; `both` is in each:
                                                    its steps come after the side's own */
    vc_finer finer;
    vc_str allocate_by; /* the primary's attribute of weights; absent: in equal parts */
    vc_str pointer;
} vc_on_def;

/* "expose_as_level": the joined members as a level below the primary's. */
typedef struct vc_expose_def {
    bool is_asked;
    vc_str name;        /* of the level; absent: that of the joined dimension's lowest level */
    vc_str label;       /* absent: that of the joined level, or the name */
    vc_str dim;         /* the primary's dimension; absent: the one that the join is along */
    vc_finer finer;     /* what the primary's own measures show at the level */
    vc_str allocate_by; /* as in a pair */
    vc_str pointer;
} vc_expose_def;

typedef struct vc_join_def {
    vc_join_kind kind;
    vc_unmatched unmatched; /* the kind's default is filled in */
    vc_fanout on_fanout;
    vc_join_mode mode; /* never DEFAULT */
    vc_pick pick;      /* of a lookup */
    vc_str pick_by;    /* the joined dimension's attribute; absent for VC_PICK_ERROR */
    vc_reaggregate reaggregate;
    bool is_cardinality_one;
    double min_coverage; /* 0: none; of the joined leaves' keys */
    vc_expose_def expose;
    vc_on_def *on;
    size_t non;
} vc_join_def;

typedef struct vc_rename_def { /* {"geo": "geo2"} on a source: its dimension under another name */
    vc_str from, to;
} vc_rename_def;

typedef struct vc_source_def {
    vc_str alias, cube;
    bool has_join; /* the primary has none; a joined source may have none when it shares dimensions
                    */
    vc_join_def join;
    const vc_fix_def *fixes;
    size_t nfixes;
    const vc_rename_def *renames;
    size_t nrenames;
    vc_str pointer;
} vc_source_def;

typedef struct vc_private_def { /* {"stats": {"sex": {"others": "null"}}} */
    vc_str alias, dimension;
    vc_unrelated others;
    vc_str fix;     /* key or path of the member at which others stand by VC_UNRELATED_FIX; absent:
                       their     own `fix` says it */
    bool is_inside; /* it stands in `others` */
    vc_str pointer;
} vc_private_def;

typedef struct vc_common_of {
    vc_str alias, dimension;
} vc_common_of;
typedef struct vc_common_def {
    vc_str name;
    vc_common_of *of;
    size_t nof;
    vc_str pointer;
} vc_common_def;

typedef struct vc_virtual_def {
    vc_str primary;         /* alias */
    vc_source_def *sources; /* the primary first, then in the order of the definition */
    size_t nsources;
    vc_private_def *privates;
    size_t nprivates;
    vc_common_def *commons;
    size_t ncommons;
    vc_measure_def *measures;
    size_t nmeasures;
} vc_virtual_def;

typedef enum vc_weights_sum { /* a declaration, checked against the rows with tolerance 1e-9 */
                              VC_WEIGHTS_ANY = 0,
                              VC_WEIGHTS_ONE_PER_FROM,
                              VC_WEIGHTS_ONE_PER_TO,
} vc_weights_sum;

typedef struct vc_crosswalk_def {
    vc_csv_def data;
    vc_str from, to, weight;           /* columns; weight absent: 1 */
    vc_str valid_from, valid_to, note; /* columns; absent: always valid, without notes */
    vc_weights_sum weights_sum;
} vc_crosswalk_def;

/* A named selection of members, "#name" in cuts. */
typedef struct vc_set_def {
    vc_str name, dim;
    vc_str cut;                      /* as written */
    vc_condition *const *conditions; /* [nconditions] that all hold; of the dimension `dim` */
    size_t nconditions;
} vc_set_def;

/* ---- a definition ---- */

typedef enum vc_definition_kind {
    VC_DEFINITION_SOURCE = 1,
    VC_DEFINITION_VIRTUAL,
    VC_DEFINITION_DIMENSION,
    VC_DEFINITION_CROSSWALK,
} vc_definition_kind;

typedef struct vc_definition {
    vc_definition_kind kind;
    vc_str name, label, description;
    vc_info_def info;
    vc_str file;            /* where it was read from, "" when from memory */
    vc_str directory;       /* of the file, for relative paths; "." when the file names none */
    vc_str text;            /* the JSON as read, for places of later errors and for the manifest */
    const vc_set_def *sets; /* [nsets] of a cube */
    size_t nsets;
    const vc_calculated_def *calculated; /* [ncalculated] members of a cube */
    size_t ncalculated;
    json_t *json;      /* owned */
    json_t *made_json; /* owned: arrays put together while reading; NULL when there are none */
    union {
        vc_cube_def cube;
        vc_virtual_def virtual_cube;
        vc_dimension_def dimension;
        vc_crosswalk_def crosswalk;
    } as;
} vc_definition;

/* Read a definition from text.
 *
 * file   for messages and relative paths; may be NULL
 * arena  owns the result, except for its json
 *
 * VC_BAD_INPUT, codes "json", "unknown_field", "missing_field", "bad_type", "bad_value",
 * "duplicate_name", "unknown_measure", "unknown_attribute", ..., each with its place. Features of
 * the format that this version cannot answer are refused with code "unsupported", never ignored. */
vc_status vc_definition_parse(vc_str text, const char *file, vc_arena *arena,
                              vc_definition **definition_out, vc_error *error);

/* Read a file of at most 16 MiB. VC_NOT_FOUND, code "missing_file"; VC_STORAGE, "file_read";
 * VC_LIMIT, "file_too_large". */
vc_status vc_definition_read(const char *file, vc_arena *arena, vc_definition **definition_out,
                             vc_error *error);

/* Release the json of a definition; the rest goes with its arena. NULL is fine. */
void vc_definition_release(vc_definition *definition);

/* Set file, line and column of an error whose pointer leads into this definition. */
void vc_definition_locate(const vc_definition *definition, vc_error *error);

/* Files named on a command line: a file is itself; a folder stands for its *.json files, sorted,
 * not descending; JSON that is no definition (has no "kind") is passed over in a folder, what is
 * not JSON is listed, so that reading it says why. A folder without any, and a path that leads
 * nowhere: VC_NOT_FOUND, code "missing_file". */
vc_status vc_definition_list(const char *path, vc_arena *arena, vc_str **files_out,
                             size_t *nfiles_out, vc_error *error);

/* "sha256:<64 hex digits>" over the text with insignificant space removed, which any program can
 * compute again. 5 us for a KB: made once when a cube is opened. Absent when out of memory. */
vc_str vc_definition_hash(const vc_definition *definition, vc_arena *arena);

const char *vc_aggregator_name(vc_aggregator aggregator); /* "sum", "count_distinct", ... */
const char *vc_over_name(vc_over over);                   /* "last", "avg", ... */
const char *vc_join_kind_name(vc_join_kind kind);

#endif
