/* How an answer is made: what `explain` tells. Filled by the engine, written by render/explain.h.
 *
 * A *scan* reads one source once, for one grouping; a source is scanned again for a grouping only
 * when its cells cannot be added up exactly from those of the rows (`is_derived` says that they
 * were). A *step* is what a dimension of the cube, a join, a fix does to a scan: which leaves of
 * the source's dimension pass, and what they are grouped by. Where nothing was executed, numbers of
 * rows and bytes are upper bounds from the zone maps, and times are 0.
 *
 * Whatever is told to people comes from this struct: a reader who may not see a name or a number
 * gets a vc_explain without it, and nothing behind the engine has to know.
 * Lifetime: the arena of the request.
 */
#ifndef SLICE_EXPLAIN_H
#define SLICE_EXPLAIN_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vc_explain_step {
    vc_str dimension;        /* of the cube; of the source for a fix */
    vc_str source_dimension; /* the source's own, whose column is read */
    const char *why; /* "cut", "drilldown", "join", "fix", "where", "over"; several joined by "+" */
    const char *how; /* "range": leaves by comparing; "set": by a bitmap; "all": every leaf
                        passes; "relation": a leaf may have several groups;
                        "parts": groups have shares of a leaf; "lookup": a leaf counts once
                        for each unit that finds it */
    bool is_mapped;  /* through the relation of a join */
    vc_str through;  /* its indexes, "geo.iso2 = city.country_iso"; absent: not mapped */
    uint64_t ncollisions; /* keys of either side that are one only by normalisation */
    vc_str level;         /* grouped by this level; absent: rolled up */
    uint64_t nleaves, npassing;
    uint64_t ngroups; /* 1 when rolled up */
} vc_explain_step;

typedef struct vc_explain_scan {
    vc_str source; /* alias, or the cube's name */
    vc_str rows;   /* "rows", "summary", "totals geo,date" */
    bool is_derived, is_executed;
    vc_explain_step *steps;
    size_t nsteps;
    const vc_str *measures; /* accumulated here */
    size_t nmeasures;
    uint64_t nsegments, nsegments_skipped; /* of the source; by zone map */
    uint64_t nblocks, nblocks_skipped; /* of 4,096 rows, of the segments that were not skipped */
    uint64_t nrows, nrows_scanned;     /* of the source; of the blocks that were not skipped */
    uint64_t nrows_kept;               /* that all steps let through; 0 when not executed */
    uint64_t nbytes;                   /* stored bytes touched */
    uint64_t ncells, ncells_found;     /* of the grid (UINT64_MAX: more); with facts */
    const char *cells;                 /* "dense", "hashed" */
    const char *kernel;                /* vc_cpu_level_name */
    unsigned nthreads;
    uint64_t memory_bytes; /* estimated need of the accumulators */
    uint64_t ns;
} vc_explain_scan;

typedef struct vc_explain_measure {
    vc_str name;
    vc_str source;      /* alias; absent: calculated, or the only source */
    vc_str aggregator;  /* absent: calculated */
    vc_str expr;        /* absent: stored */
    const char *policy; /* on dimensions that its source does not have: "null", "repeat"; NULL: has
                           all that the query names */
} vc_explain_measure;

typedef struct vc_explain {
    vc_explain_scan *scans;
    size_t nscans;
    const vc_explain_measure *measures;
    size_t nmeasures;
    uint64_t memory_bytes, max_memory_bytes; /* estimated at most at once; the limit */
    bool is_executed;
    struct {
        uint64_t plan, scan, stitch, shape, total;
    } ns; /* of the engine: looking up, reading facts, putting together, ordering */
} vc_explain;

#endif
