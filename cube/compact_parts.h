/* What the files of compacting share. Private to cube/compact*.c.
 *
 *     compact.c        which cubes and dimensions, images, manifests, publishing
 *     compact_plan.c   what is to be gained, and which images may be renumbered
 *     compact_facts.c  the facts of one cube: read, sorted, written
 *     compact_check.c  what was written is what was read
 */
#ifndef CUBE_COMPACT_PARTS_H
#define CUBE_COMPACT_PARTS_H

#include "cube/compact.h"
#include "cube/load_parts.h"
#include "cube/source.h"

/* ---- the plan (compact_plan.c) ---- */

typedef struct vc_compact_plan_cube {
    vc_source_cube *cube; /* its dimensions lie in the map: only to be looked at while planning */
    bool is_named, is_rewritten;
    vc_load_order order;          /* by what its facts shall be sorted: items without ranks */
    bool *renumbers;              /* [ndimensions] */
    const vc_definition **shared; /* [ndimensions] of a shared dimension, as stored now; NULL for an
                                     own one, and when it is not there any more */
    vc_compact_cube *report;      /* NULL unless named */
} vc_compact_plan_cube;

typedef struct vc_compact_plan_shared { /* a shared dimension of the store */
    vc_str name;
    vc_definition *definition;
    bool has_image, is_renumbered;
    uint64_t fingerprint;
} vc_compact_plan_shared;

typedef struct vc_compact_plan {
    const vc_snapshot *snapshot;
    vc_arena *arena; /* of all of it */
    size_t ncubes;
    vc_compact_plan_cube *cubes; /* the source cubes of the store */
    size_t nshared;
    vc_compact_plan_shared *shared;
} vc_compact_plan;

/* Open the cubes of the snapshot and decide. report->cubes has a place for each cube that is named,
 * in the order of names, or for each source cube. */
vc_status vc_compact_plan_make(vc_compact_plan *plan, const vc_str *names, size_t nnames,
                               bool is_forced, vc_arena *arena, vc_compact_report *report,
                               vc_error *error);
void vc_compact_plan_release(vc_compact_plan *plan); /* what is not in the arena */

/* ---- facts (compact_facts.c) ---- */

typedef struct vc_rewrite_column {
    uint16_t number; /* in the object */
    bool is_double;
    uint32_t nleaves;       /* of a dimension */
    const uint32_t *leaves; /* [nleaves] its new numbers; NULL: values stay */
} vc_rewrite_column;

typedef struct vc_rewrite { /* the facts of one cube */
    vc_load *load;
    const vc_source_cube *cube; /* name, runs, counts */
    const vc_object *object;    /* of the load, which gets them */
    size_t ncolumns;
    const vc_rewrite_column *columns; /* dimensions first */
    vc_load_order *order;             /* with ranks of new leaves */
    size_t window_rows;               /* 0: what is best */
    unsigned nthreads;
    vc_crew *crew; /* without slots */
    void (*progress)(void *context, uint64_t nrows);
    void *context;
    uint32_t nsegments; /* out */
    uint64_t hash;      /* of what was read: the sum of the hashes of its rows */
    uint64_t bytes_before, bytes_after;
} vc_rewrite;

/* The hash of a row: the shares of its cells as they were stored before, added up and finished. A
 * null cell has the share of VC_REWRITE_NULL. */
#define VC_REWRITE_NULL INT64_C(0x6E756C6C6E756C6C)
static inline uint64_t vc_rewrite_share(size_t column, int64_t cell)
{
    return (uint64_t)cell * (((uint64_t)column + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1);
}
static inline uint64_t vc_rewrite_finish(uint64_t shares)
{
    shares = (shares ^ shares >> 31) * UINT64_C(0xBF58476D1CE4E5B9);
    shares = (shares ^ shares >> 29) * UINT64_C(0x94D049BB133111EB);
    return shares ^ shares >> 32;
}

/* Read the facts from the load's snapshot, and put them in order as segments 0, 1, ... of the
 * object. VC_CORRUPT, code "storage_damaged"; what putting may return. */
vc_status vc_rewrite_facts(vc_rewrite *rewrite, vc_error *error);

/* Read what was written, leaves turned back into the numbers they had, and compare. Fills
 * bytes_after.
 *
 * preview  of the load, with the cube's new manifest
 * VC_CORRUPT, code "storage_damaged": then the load must be given up. */
vc_status vc_rewrite_check(vc_rewrite *rewrite, const vc_snapshot *preview, vc_error *error);

#endif
