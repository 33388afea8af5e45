/* What the files of the laws share. Private to query/laws*.c.
 *
 *     laws.c          which laws, how many cases, what is reported
 *     laws_cube.c     what the laws need to know of a cube
 *     laws_make.c     names, members and levels at random, as text
 *     laws_side.c     asking a side, and a side as a command
 *     laws_match.c    comparing answers
 *     laws_variant.c  the same cube with other joins
 *     laws_joins.c    L1, L2, L3
 *     laws_members.c  L4      laws_shared.c  which facts children share
 *     laws_order.c    L5, L6, L7, L8
 */
#ifndef QUERY_LAWS_PARTS_H
#define QUERY_LAWS_PARTS_H

#include "base/list.h"
#include "query/laws.h"

/* ---- the cube ---- */

typedef struct vc_law_part { /* a source as the definition names it */
    const vc_source_def *definition;
    const vc_cube *cube; /* by itself */
    size_t first, count; /* its sources in the cube: several when it is a virtual cube */
    bool is_nested;
} vc_law_part;

typedef struct vc_law_measure {
    size_t number; /* in the cube */
    vc_str name;
    size_t part;      /* SIZE_MAX: calculated, over several perhaps */
    vc_str inner;     /* the measure in the part's cube */
    vc_list cuts;     /* of vc_str: its `fix` and `where`, as cuts of the part's cube */
    bool is_plain;    /* no fix, no where */
    bool is_additive; /* a sum or a count of one source, not looked up */
    bool has_calls;   /* functions over members */
    bool has_negative;
} vc_law_measure;

/* The same cube with other joins: NULL when there can be none. */
typedef struct vc_law_variant {
    const vc_cube *cube;
    const vc_definition *definition; /* NULL: it is the cube itself */
} vc_law_variant;

enum { VC_LAW_ORDERS = 3 };

typedef struct vc_laws {
    vc_model *model;
    vc_model *again; /* L8: of the same snapshot, with nothing kept yet */
    const vc_cube *cube;
    const vc_laws_options *options;
    vc_arena *arena; /* for as long as the report */
    vc_arena work;   /* of a case */
    vc_error *error;
    uint64_t random;
    size_t nparts; /* 0: a source cube */
    vc_law_part *parts;
    size_t nmeasures; /* that can be asked */
    vc_law_measure *measures;
    vc_law_variant *full; /* [nparts] that part's join full, all others left */
    vc_law_variant left;  /* all left */
    size_t norders;
    vc_law_variant orders[VC_LAW_ORDERS];
    bool is_ambiguous;     /* the case at hand has rows that cannot be told apart: it is none */
    vc_law_report *report; /* of the law at hand */
    vc_list notes;         /* of it */
} vc_laws;

/* Learn what there is. Failures are those of memory and storage. */
vc_status vc_laws_learn(vc_laws *laws);
vc_status vc_laws_vary(vc_laws *laws);

/* The part that a source of the cube belongs to. */
size_t vc_law_part_of(const vc_laws *laws, size_t source);

/* The name that a dimension of the cube has in the cube of a part, where it is the same dimension
 * there; absent where it is none of it, or is joined. */
vc_str vc_law_inner_name(const vc_laws *laws, size_t part, size_t dimension);

/* Has the part a relation along some dimension: is it joined? */
bool vc_law_is_joined(const vc_laws *laws, size_t part, size_t dimension);

/* Does the measure's `over` go along the dimension? */
bool vc_law_is_over(const vc_laws *laws, const vc_law_measure *measure, size_t dimension);

/* ---- notes ---- */

/* Why something was not asked. The text is counted, not repeated. */
vc_status vc_law_note_put(vc_laws *laws, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- chance ---- */

uint32_t vc_law_below(vc_laws *laws, size_t n); /* n at least 1 */
bool vc_law_chance(vc_laws *laws, unsigned percent);

/* ---- text of queries ---- */

typedef struct vc_law_pick { /* something said of a dimension, without its name */
    size_t dimension;        /* of the cube; SIZE_MAX: nothing was picked */
    vc_str text;             /* "@income:group", ":Europe;Asia" */
    bool is_negated;
} vc_law_pick;

/* A name or key with what the grammars would take for a delimiter escaped. */
void vc_law_put_name(vc_buffer *out, vc_str name);

/* A level to drill to, of at most max_members. False: there is none. */
bool vc_law_pick_level(vc_laws *laws, size_t dimension, uint32_t max_members, vc_law_pick *pick,
                       uint32_t *nmembers_out);

/* Members to cut by: a few of one level, or a range, perhaps negated. */
bool vc_law_pick_members(vc_laws *laws, size_t dimension, vc_law_pick *pick);

/* Different members of one level, for laws that need to know them. */
typedef struct vc_law_members {
    unsigned hierarchy, level;
    size_t count;
    uint32_t members[8];
} vc_law_members;
bool vc_law_pick_some(vc_laws *laws, size_t dimension, size_t wanted, vc_law_members *members);

/* ":path;path" of some of them; absent where a path would lead elsewhere. */
vc_str vc_law_members_text(vc_laws *laws, size_t dimension, const vc_law_members *members,
                           size_t first, size_t end);

/* ".key:A;B" or ":path;path": exactly these leaves [nleaves bits]; absent where they cannot be
 * named, or are none or more than max. */
vc_str vc_law_leaves_text(vc_laws *laws, const vc_dimension *dimension, const uint64_t *leaves,
                          size_t max);

/* ---- sides ---- */

typedef struct vc_law_query { /* being put together */
    vc_law_side side;
    vc_list parameters; /* of vc_parameter */
    vc_buffer measures, drilldown;
    const vc_result *result; /* NULL: refused, or not asked yet */
    const char *refusal;     /* its code */
} vc_law_query;

/* Start a side on a cube; `variant` may be NULL. Texts live as long as the work. */
vc_law_query vc_law_begin(const char *what, const vc_cube *cube, const vc_law_variant *variant);
void vc_law_cut(vc_laws *laws, vc_law_query *query, vc_str name, const vc_law_pick *pick);
void vc_law_cut_text(vc_laws *laws, vc_law_query *query, vc_str text); /* a whole cut */
void vc_law_drill(vc_law_query *query, vc_str name, const vc_law_pick *pick);
void vc_law_measure_add(vc_law_query *query, vc_str name);
void vc_law_put(vc_laws *laws, vc_law_query *query, const char *field, const char *value);

/* Ask for all of every dimension that has a default member, as far as nothing else is cut. */
void vc_law_undefault(vc_laws *laws, vc_law_query *query, const vc_cube *cube);

/* Ask it. VC_OK with result NULL when the query was refused. */
vc_status vc_law_ask(vc_laws *laws, vc_law_query *query);
vc_status vc_law_ask_of(vc_laws *laws, vc_model *model, const vc_engine_options *options,
                        vc_law_query *query);

/* All of them answered? Otherwise says in a note who was refused. */
bool vc_law_all_answered(vc_laws *laws, vc_law_query *queries, size_t nqueries);

/* ---- comparing ---- */

/* Cells as numbers: exact while all are whole numbers of one scale. */
typedef struct vc_law_sum {
    __int128 exact;
    double rough, size; /* size: of the absolute values, for the tolerance */
    unsigned scale;
    bool is_rough, has_scale;
} vc_law_sum;

void vc_law_sum_add(vc_law_sum *sum, const vc_result_measure *measure, const vc_cell *cell,
                    int factor);
/* Is it a number, or nothing to add? Otherwise it is null because no number can be shown. */
bool vc_law_cell_counts(const vc_cell *cell);

/* Below zero, zero (or as near as doubles can tell), above. */
int vc_law_sum_sign(const vc_law_sum *sum);

vc_str vc_law_cell_text(vc_laws *laws, const vc_result_measure *measure, const vc_cell *cell);
vc_str vc_law_place_text(vc_laws *laws, const vc_result *result, size_t row);

/* Rows by what they stand for. Where two have the same keys (unmatched members of a dimension whose
 * leaves have no keys), laws->is_ambiguous is set, and nothing can be compared. axes [naxes]: the
 * order in which the keys are written; NULL: as they are. */
typedef struct vc_law_row {
    vc_str key;
    size_t row;
} vc_law_row;
typedef struct vc_law_rows {
    const vc_result *result;
    size_t nrows;
    vc_law_row *rows; /* by key */
} vc_law_rows;
/* Those of calculated members are left out: the laws are about facts. */
vc_status vc_law_rows_make(vc_laws *laws, const vc_result *result, const size_t *axes,
                           vc_law_rows *rows_out);
/* The cells of a row; NULL where there is none. */
bool vc_law_row_is_calculated(const vc_result *result, size_t row);
const vc_cell *vc_law_rows_find(const vc_law_rows *rows, vc_str key);

typedef struct vc_law_matching {
    const size_t *axes;     /* of the second answer, in the order of the first's; NULL: the same */
    const size_t *measures; /* likewise */
    size_t nmeasures;       /* to compare, of the first; 0: all */
    bool may_have_more;     /* the second answer may have more rows */
    bool has_calculated;    /* rows of calculated members, too: where no facts are spoken of */
    bool is_reason_free;    /* reasons may differ; and null is 0 where a count stands */
    const char *claim;      /* printf with both values: "%s is not %s" */
} vc_law_matching;

/* Do two answers agree? If not, the breach is made. */
vc_status vc_law_match(vc_laws *laws, vc_law_query queries[2], const vc_law_matching *how);

/* Report a breach; found [nqueries] texts of numbers. Takes copies. */
vc_status vc_law_break(vc_laws *laws, vc_law_query *queries, size_t nqueries, const vc_str *found,
                       vc_str measure, vc_str place, vc_str claim);

/* ---- the laws: one case each. *asked_out: was there one? ---- */

typedef vc_status vc_law_case(vc_laws *laws, bool *asked_out);
vc_law_case vc_law_primary, vc_law_joined, vc_law_conservation, vc_law_children, vc_law_order,
    vc_law_adding, vc_law_split, vc_law_snapshot;

/* How the children of a member share joined facts: laws_shared.c. */
typedef struct vc_law_family {
    size_t dimension;
    unsigned hierarchy, level; /* of the children */
    uint32_t parent;           /* on the level above; VC_NONE: All */
} vc_law_family;

enum { VC_LAW_TIMES = 4 }; /* as many children as one leaf may have, for the excess to be known */

typedef struct vc_law_sharing {
    const char *reason; /* why the law says nothing of these children; NULL: it does */
    bool is_shared;     /* some leaf of the source belongs to several children */
    bool is_allocated;  /* the children stand below the grain, and have parts, if anything */
    bool is_beyond;     /* ... to more than VC_LAW_TIMES */
    uint64_t *leaves[VC_LAW_TIMES + 1]; /* [times]: bits of the source's leaves that belong to so
                                           many children, from 2 on; NULL where there are none */
} vc_law_sharing;

vc_status vc_law_share(vc_laws *laws, const vc_law_family *family, const vc_binding *binding,
                       bool is_weighted, vc_law_sharing *sharing_out);

#endif
