/* The one result model: what a query's answer is, before it becomes text.
 *
 * Rows are in the order of the answer: detail rows first, total rows behind them. A row names its
 * members by their position in the axis' table of members; its cells are in one array, row by row.
 * Lifetime: the arena of the request, and the model whose texts it points into.
 */
#ifndef SLICE_RESULT_H
#define SLICE_RESULT_H

#include "cube/model.h"
#include "slice/explain.h"
#include "slice/query.h"

/* Reasons a cell is null, or how a present one is to be read (semantics, section 10). */
typedef enum vc_reason {
    VC_REASON_NONE = 0,        /* present, as it is */
    VC_REASON_EMPTY = 'e',     /* null: no facts at this cell */
    VC_REASON_UNMATCHED = 'u', /* null: key unmatched */
    VC_REASON_UNRELATED = 'x', /* null: unrelated private dimension */
    VC_REASON_GRAIN = 'g',     /* null: below the source's grain */
    VC_REASON_UNDEFINED = 'd', /* null: undefined arithmetic */
    VC_REASON_NULL = 'n',      /* null stored in the source */
    VC_REASON_WITHHELD = 'c',  /* null: by security */
    VC_REASON_REPEATED = 'r',  /* present; do not sum */
    VC_REASON_ALLOCATED = 'a', /* present; estimated */
} vc_reason;

typedef struct vc_cell {
    union {
        int64_t i; /* int, and decimal scaled by 10^scale */
        double f;  /* float: finite */
    } as;
    bool is_null;
    char reason;   /* vc_reason */
    bool is_float; /* a double, although the measure is not: at a calculated member */
} vc_cell;

static inline vc_cell vc_cell_null(vc_reason reason)
{
    return (vc_cell){.is_null = true, .reason = (char)reason};
}

typedef struct vc_result_level { /* one level shown of an axis */
    vc_str key_name;             /* "geo.country", "date@weekly.week" */
    vc_str label_name;           /* "geo.country_label" */
    vc_str name;                 /* "country" */
    vc_key_type key_type;        /* VC_KEY_INT: keys are written as numbers */
    bool is_asked;               /* the members' own; the others are those above it */
} vc_result_level;

typedef struct vc_result_property {
    vc_str name;   /* "geo.capital", "cities.mayor" */
    vc_str source; /* alias of the source whose attribute it is; absent: of the dimension itself */
    bool is_multi; /* some member of the answer has several values */
} vc_result_property;

typedef struct vc_result_values { /* what a member has of a property */
    const vc_str *items;          /* [count] ascending by bytes */
    uint32_t count;               /* 0: null */
} vc_result_values;

typedef struct vc_result_member {
    const vc_str *keys;                 /* [nlevels of the axis]; absent: null key */
    const vc_str *labels;               /* [nlevels] */
    const vc_result_values *properties; /* [nproperties of the axis] */
    uint32_t number;   /* on its level, the same in all answers of a snapshot: tells members of one
                          key apart, who are below different parents. 0 of those that are marked: */
    bool is_synthetic; /* a bucket or an unmatched member: its keys are texts */
    bool is_other;     /* all that a top leaves out: likewise */
    bool is_calculated;
} vc_result_member;

typedef struct vc_result_axis {
    vc_str dimension; /* "geo" */
    vc_str ref;       /* "geo", "date@weekly": how the levels' names begin */
    vc_str label;     /* of the dimension, for people */
    bool is_time;
    size_t nlevels; /* shown: 1, or with `parents` all from the top down to the asked one */
    const vc_result_level *levels; /* the last one is the asked level */
    size_t nproperties;
    const vc_result_property *properties;
    size_t nmembers; /* that occur in the rows, in member order */
    const vc_result_member *members;
} vc_result_axis;

typedef struct vc_result_measure {
    vc_str name, label, unit, format;
    vc_value_type type;
    unsigned scale;
    vc_str source; /* alias; absent for a calculated one or a source cube */
    vc_aggregator aggregator;
    bool is_calculated;
} vc_result_measure;

typedef struct vc_result_calculated { /* a calculated member that is shown, or cut to */
    vc_str dimension, name, label, expr;
    int solve_order;
    bool keeps_unit;     /* its values have the measure's unit; otherwise: */
    vc_str unit, format; /* as it states; absent: not stated */
} vc_result_calculated;

typedef struct vc_value_share {
    vc_str measure;
    double share;
    bool is_known; /* false: the source's total is 0 or null */
} vc_value_share;

typedef struct vc_result_coverage {
    vc_str source, dimension; /* alias, and the dimension of the virtual cube */
    vc_coverage counts;
    const vc_relation *relation; /* the join's; NULL: not known */
    size_t nshares;
    const vc_value_share *shares; /* of the source's sum and count measures */
} vc_result_coverage;

typedef struct vc_notice {
    const char
        *code;     /* "unmatched", "overlap", "repeat", "truncated", "excluded", "default", ... */
    vc_str source; /* alias; absent: none */
    vc_str dimension; /* absent: none */
    vc_str message;   /* one sentence */
    bool has_count;
    uint64_t count;
    size_t nmembers; /* at most 20 */
    const vc_str *members;
} vc_notice;

typedef struct vc_result {
    vc_str cube;
    vc_str snapshot, definition_hash;
    size_t naxes;
    const vc_result_axis *axes;
    size_t nmeasures;
    const vc_result_measure *measures;
    uint64_t nrows_before; /* detail rows that were handed over in pieces, before these; mostly 0 */
    size_t nrows;          /* in this answer, totals included */
    size_t ndetail_rows;
    const uint32_t *coords;    /* [nrows * naxes] into axes[a].members; VC_NONE: rolled up */
    const vc_cell *cells;      /* [nrows * nmeasures] */
    const uint32_t *grouping;  /* [nrows] bitmask, first axis the highest bit, 1 = rolled up; 0 in
                                 detail rows */
    const vc_cell *summary;    /* [nmeasures] total of the whole selection */
    uint64_t total_cell_count; /* detail rows before offset and limit */
    bool is_truncated;
    bool is_virtual;
    size_t ncoverage;
    const vc_result_coverage *coverage;
    size_t nnotices;
    const vc_notice *notices;
    size_t ncalculated;
    const vc_result_calculated *calculated;
    const vc_explain *explain; /* NULL unless the query asked for it */
} vc_result;

#endif
