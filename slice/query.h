/* The one query model: what every surface (URL, JSON body, reports) turns its text into.
 *
 * A vc_query is text that has been taken apart, not yet looked up: names are as the user wrote
 * them. The engine looks them up against a cube and reports errors at the *place* each part came
 * from. Everything lives in the arena of the request. `vc_query query = vc_query_default();`
 */
#ifndef SLICE_QUERY_H
#define SLICE_QUERY_H

#include "cube/calculated.h"
#include "cube/condition.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vc_axis_ref { /* one group of the drilldown */
    vc_dimref dimref;        /* level absent: the first below All */
} vc_axis_ref;

typedef struct vc_measure_ref {
    vc_str name;
    vc_str expr; /* absent: a measure of the cube */
    vc_str format, unit;
    bool has_solve_order; /* of an expression: after calculated members with a lower one */
    int solve_order;
    vc_place place;
    vc_place expr_place; /* of the expression; where NULL: as `place` */
} vc_measure_ref;

typedef enum vc_operator {
    VC_OP_EQ,
    VC_OP_NE,
    VC_OP_GT,
    VC_OP_GE,
    VC_OP_LT,
    VC_OP_LE,
    VC_OP_SET,
    VC_OP_NOT_SET,
} vc_operator;

typedef struct vc_having { /* all of them hold; several values of EQ mean any, of NE none */
    vc_str measure;        /* a measure of the query or of the cube, or an expression */
    vc_operator op;
    const double *values;
    size_t nvalues;
    vc_place place;
} vc_having;

typedef struct vc_total { /* a grouping set: the dimensions that stay; none: the grand total */
    const vc_str *dimensions;
    size_t ndimensions;
    vc_place place;
} vc_total;

typedef struct vc_order {
    vc_str name; /* a measure, or "geo.country" / "geo" (member order of an axis) */
    bool is_descending;
    vc_place place;
} vc_order;

typedef struct vc_top { /* the n best members of a dimension per combination of those before it */
    uint64_t count;
    vc_str dimension, measure;
    bool is_ascending;
    bool has_other; /* and a row for all the others together */
    vc_place place;
} vc_top;

typedef struct vc_name_ref {
    vc_str name;
    vc_place place;
} vc_name_ref;

typedef struct vc_query {
    vc_str cube;
    const vc_measure_ref *measures; /* none: all of the cube */
    size_t nmeasures;
    const vc_axis_ref *axes;
    size_t naxes;
    vc_condition *const *conditions; /* all hold; a dimension may occur several times */
    size_t nconditions;
    const vc_having *havings;
    size_t nhavings;
    const vc_total *totals;
    size_t ntotals;
    const vc_order *orders;
    size_t norders;
    const vc_top *tops;
    size_t ntops;
    const vc_name_ref *properties; /* attributes, as "geo.capital" or "capital" */
    size_t nproperties;
    const vc_calculated_def *calculated; /* members of this query only */
    size_t ncalculated;
    const vc_name_ref *nonempty; /* dimensions */
    size_t nnonempty;
    uint64_t limit; /* UINT64_MAX: none */
    uint64_t offset;
    bool is_sparse;      /* default true */
    bool has_parents;    /* add the levels above */
    bool totals_visible; /* totals_scope=visible */
    bool wants_explain;
    bool no_cache;
    vc_str format;   /* "records", "arrays", "csv", ...; absent: by Accept or the default */
    vc_str header;   /* of CSV: names, labels, none; absent: names */
    bool has_bom;    /* of CSV */
    bool has_status; /* of CSV: columns of reasons */
    vc_str at;       /* snapshot id; absent: the newest */
} vc_query;

vc_query vc_query_default(void);

#endif
