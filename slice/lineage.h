/* Lineage: why a cell has the value that it has, or none.
 *
 * A *cell* is what a cut leaves of a measure. Its lineage says, for each base measure it is
 * computed from, what the cut became in the source: the members that are selected, through which
 * join which members of the source they are, which policy and which fix applied; and of which
 * *parts* the value is made: the source's own cells, one for each combination of members of its
 * mapped and cut dimensions. The parts are read from the facts apart from the cell, and put
 * together again: that this is the cell's value is checked.
 *
 * Lists hold `limit` items at most, and say how many there are. Lifetime: the arena of the request,
 * and the model.
 */
#ifndef SLICE_LINEAGE_H
#define SLICE_LINEAGE_H

#include "slice/engine.h"

/* What no parts add up to is computed again from the facts themselves, up to this many. */
#define VC_LINEAGE_FACTS 1000000

typedef struct vc_lineage_query {
    const vc_query *query; /* cube, conditions, one measure; axes: the cell is their only row */
    size_t limit;
} vc_lineage_query;

typedef struct vc_lineage_member {
    vc_str key, label; /* label absent: none */
} vc_lineage_member;

typedef struct vc_lineage_members {
    uint64_t count; /* those that are not listed among them */
    const vc_lineage_member *items;
    size_t nitems;
} vc_lineage_members;

typedef struct vc_lineage_link { /* a row of the mapping */
    vc_str from, to;             /* a member of the cube, one of the source */
    vc_str from_key, to_key;     /* what was compared, as found; absent: joined by member */
    double weight;
} vc_lineage_link;

typedef struct vc_lineage_dimension { /* a dimension of the cube, as the source sees it */
    vc_str name;
    const char *how; /* "own", "mapped", "none": the source does not have it */
    bool is_cut;
    char reason;                   /* why there is no value, or how to read it, because of it; 0 */
    const char *policy;            /* "none": "null", "repeat", "fix"; else NULL */
    vc_str stands;                 /* "fix": the member, as the definition has it; else absent */
    vc_lineage_members selected;   /* of the cube's members, by leaves; not listed when not cut */
    vc_str to_name;                /* own, mapped: of the source's dimension */
    vc_str through;                /* mapped: "geo.iso2 = city.country_iso"; absent: by member */
    vc_str level;                  /* mapped: the grain of the source; absent: leaves */
    vc_lineage_members translated; /* mapped: the members of the source */
    uint64_t nlinks;
    const vc_lineage_link *links;
    size_t nlisted;
} vc_lineage_dimension;

typedef struct vc_lineage_fix {
    vc_str name; /* of the source's dimension */
    vc_lineage_members members;
} vc_lineage_fix;

typedef struct vc_lineage_part {
    const vc_str *keys, *labels; /* [nby] members of the source's dimensions */
    vc_cell value;
    uint64_t facts;
    double weight, counts_for; /* where parts are weighted: value * weight */
} vc_lineage_part;

typedef struct vc_lineage_source { /* a base measure */
    vc_str measure, unit;
    vc_str source, cube; /* alias; whose facts they are */
    vc_aggregator aggregator;
    vc_value_type type;
    unsigned scale;
    vc_cell cell;
    const vc_lineage_dimension *dimensions;
    size_t ndimensions;
    const vc_lineage_fix *fixes;
    size_t nfixes;
    vc_str over;           /* dimension of the source along which it is resolved; absent: none */
    const char *over_word; /* "last", "avg", ... */
    vc_str where;          /* of the measure, as the definition has it; absent: none */
    size_t nby;
    const vc_str *by; /* [nby] dimensions of the source; 0: one part, all facts */
    uint64_t nparts, nfacts;
    vc_value_type part_type; /* of the parts' values */
    unsigned part_scale;
    bool has_weights; /* parts count by a weight: of a crosswalk, of a level, of how many look up */
    const vc_lineage_part *parts; /* [nlisted] the largest first */
    size_t nlisted;
    vc_lineage_part rest; /* of the parts that are not listed, put together */
    const char *putting;  /* how parts make the value: "added up", "the smallest", ... */
    bool from_facts;      /* parts do not make the value: it was computed again from its facts */
    bool is_checked; /* the value was made again; false: there were no facts, or too many of them */
    bool adds_up;
    vc_cell again; /* what came out */
} vc_lineage_source;

typedef struct vc_lineage_operand { /* of a calculated measure, base measures too */
    vc_str name, expr;              /* expr absent: a base measure */
    vc_value_type type;
    unsigned scale;
    vc_cell cell;
} vc_lineage_operand;

typedef struct vc_lineage_place { /* where a calculated member reads the measure */
    vc_str operand;               /* as the expression has it: "[BEL]", "sum([#bric])" */
    vc_str cut;                   /* one place of it: "geo:BEL" */
    vc_cell cell;                 /* as it was read for the value */
    vc_cell alone;                /* asked by itself, in place of the member */
} vc_lineage_place;

typedef struct vc_lineage_calculated { /* the member by whose expression the cell is made */
    vc_str dimension, name, label, expr;
    vc_str unit; /* of the operands; the cell's is the member's own where it has another */
    int solve_order;
    uint64_t nplaces;
    const vc_lineage_place *places; /* [nlisted] */
    size_t nlisted;
    bool adds_up; /* those listed are what they are by themselves */
} vc_lineage_calculated;

typedef struct vc_lineage {
    vc_str cube, snapshot, measure, unit;
    vc_value_type type;
    unsigned scale;
    vc_str expr; /* absent: a base measure */
    vc_cell cell;
    const vc_lineage_operand *operands;
    size_t noperands;
    const vc_lineage_source *sources;
    size_t nsources;
    const vc_lineage_calculated *calculated; /* NULL: the cell is at no calculated member; sources
                                                are then not traced, ask for those of an operand */
    const vc_notice *notices;
    size_t nnotices;
} vc_lineage;

/* The lineage of a cell.
 *
 * Errors: those of vc_engine_run; VC_BAD_INPUT missing_parameter when there is not one measure;
 * VC_IMPOSSIBLE not_one_cell when the axes leave several rows, or none. Cost: the query, and one
 * more scan for each base measure. */
vc_status vc_lineage_run(vc_model *model, const vc_lineage_query *query,
                         const vc_engine_options *options, vc_arena *arena,
                         const vc_lineage **lineage_out, vc_error *error);

#endif
