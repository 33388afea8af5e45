/* Calculated members: members of a dimension that are computed from others (semantics, 11).
 *
 *     {"dim": "geo", "name": "benelux", "expr": "[BEL] + [NLD] + [LUX]", "solve_order": 10}
 *
 * The value of a measure at such a member is the expression over the measure's values at the
 * members in brackets, all other coordinates of the cell kept. A bracket holds a cut, of the
 * member's own dimension where it names none: `[BEL]`, `[BEL;NLD]` (both together, facts counted
 * once), `[geo@alt:West]`, `[()]` (All), `[F|geo:()]` (a member and one of another dimension).
 * Aggregates take a list, in which a set, a range, `/children` and `/descendants:level` stand for
 * each of their members: `avg([#bric])`; nulls are skipped.
 *
 * Which of two members that meet in a cell is computed last, from values of the other, says
 * solve_order: the higher one. Of equal ones the one that is defined later; those of a query after
 * those of its cube.
 *
 * Threads: pure. Lifetime: the arena that is handed in, and the cube's model.
 */
#ifndef CUBE_CALCULATED_H
#define CUBE_CALCULATED_H

#include "cube/condition.h"
#include "cube/expr.h"
#include "dimensions/dimension.h"

/* As it was written, in a definition or in a query. */
typedef struct vc_calculated_def {
    vc_str dim, hierarchy; /* absent: the main one */
    vc_str name, label;    /* label: the name, if none is given */
    vc_str parent;         /* a path; absent: All */
    vc_str level;          /* absent: the one below the parent, or that of the first member */
    vc_str expr, unit, format, description; /* absent: none */
    int solve_order;
    const vc_expr *parsed;
    vc_place place;
} vc_calculated_def;

typedef enum vc_coordinate_kind {
    VC_AT_MEMBER,     /* of a level */
    VC_AT_SELECTION,  /* slots, which count together */
    VC_AT_CALCULATED, /* another calculated member */
} vc_coordinate_kind;

typedef struct vc_coordinate { /* where an operand stands on one dimension */
    size_t dimension;
    vc_coordinate_kind kind;
    unsigned hierarchy; /* VC_AT_MEMBER */
    vc_member_ref member;
    const uint64_t *slots; /* VC_AT_SELECTION; NULL: All */
    size_t calculated;     /* VC_AT_CALCULATED: its number */
} vc_coordinate;

typedef struct vc_member_target { /* one place at which measures are read */
    vc_str text;                  /* the cut that leads there */
    const vc_coordinate *coordinates;
    size_t ncoordinates;
} vc_member_target;

typedef struct vc_member_operand {
    vc_str text; /* as written */
    bool is_aggregate;
    vc_member_aggregate aggregate;
    const vc_member_target *targets; /* [ntargets]; one where it is no aggregate */
    size_t ntargets;
} vc_member_operand;

typedef struct vc_calculated {
    const vc_calculated_def *definition;
    vc_str name, label;
    size_t dimension; /* of the cube */
    unsigned hierarchy, level;
    bool has_parent;
    vc_member_ref parent;
    size_t rank; /* the higher one is computed last: by solve_order, then by definition */
    const vc_expr *expr;
    const vc_member_operand *operands; /* [noperands] in the order of vc_expr_names */
    size_t noperands;
    bool keeps_unit; /* the value has the measure's unit: operands are added, not multiplied */
} vc_calculated;

/* Names of dimensions, where they are not those of the cube: of a cube that is part of it. */
typedef struct vc_calculated_names {
    const vc_str *names;
    const size_t *dimensions; /* [count] of the cube */
    size_t count;
} vc_calculated_names;

/* Look up what definitions name.
 *
 * known  [nknown] that are there already, of the same cube
 * names  NULL: the cube's
 * out    [nknown + ndefinitions]: the known ones first, with their numbers; ranks are new
 *
 * Errors at the place of the definition: unknown_dimension, unknown_hierarchy, unknown_level,
 * unknown_member, unknown_set, ambiguous_key, duplicate_name (of a member, or of another calculated
 * one), missing_field, definition_cycle, unit_mismatch, syntax. */
vc_status vc_cube_calculate(const struct vc_cube *cube, const vc_calculated_def *definitions,
                            size_t ndefinitions, const vc_calculated *known, size_t nknown,
                            const vc_calculated_names *names, vc_arena *arena,
                            const vc_calculated **calculated_out, vc_error *error);

/* The calculated member of that name, of a dimension; SIZE_MAX: none. */
size_t vc_calculated_find(const vc_calculated *calculated, size_t ncalculated, size_t dimension,
                          vc_str name);

/* Does a path, of a dimension and hierarchy, name a calculated member: by its key alone, or behind
 * its parent's path? Its number, or SIZE_MAX. arena: for the work. */
size_t vc_calculated_find_path(const struct vc_cube *cube, const vc_calculated *calculated,
                               size_t ncalculated, size_t dimension, unsigned hierarchy,
                               const vc_str *keys, size_t nkeys, vc_arena *arena);

/* What a definition or a query says of one, once all its texts have been read: its dimension is
 * taken apart, its expression parsed. Errors: syntax, expr, without a place. */
vc_status vc_calculated_parse(vc_str dim, vc_arena *arena, vc_calculated_def *definition,
                              vc_error *error);

#endif
