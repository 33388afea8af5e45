/* What the makers of tables share. Private to slice/table*.c, step.c, units.c and shares.c. */
#ifndef SLICE_TABLE_H
#define SLICE_TABLE_H

#include "slice/plan.h"

/* The groups of a dimension under the grouping: those of its axis when that is kept, else one group
 * 0 for all that is selected. */
typedef struct vc_grouping {
    const vc_axis *axis; /* NULL: rolled up */
    size_t number;       /* of the axis */
    const vc_selection *selection;
    uint32_t ngroups;
    uint64_t stride;
} vc_grouping;

/* The group of a slot, VC_NONE when it is not selected. */
static inline uint32_t vc_grouping_of(const vc_grouping *grouping, uint32_t slot)
{
    const uint64_t *selected = grouping->selection->slots;
    if (selected != NULL && !vc_bit_get(selected, slot)) return VC_NONE;
    return grouping->axis == NULL ? 0 : vc_axis_group(grouping->axis, slot);
}

/* A joined dimension under a grouping. */
typedef struct vc_mapping {
    const vc_cube_dimension *outer;
    const vc_binding *binding;
    vc_grouping grouping;
    uint32_t nleaves;
    vc_finer finer; /* what it is for the pass */
    vc_step step;   /* what it reads; nothing else of the step is set */
} vc_mapping;

/* A table that is being made. */
typedef struct vc_making {
    const vc_plan *plan;
    const vc_pass *pass;
    uint32_t kept;
    vc_table *table;
    const vc_shares **shares; /* of the table */
    const vc_cube_source *source;
} vc_making;

/* ---- step.c ---- */

/* Set `passing` and the rest of a step of whose leaves those pass that have a group. */
vc_status vc_step_pass_grouped(vc_arena *arena, vc_step *step, const uint32_t *groups,
                               vc_error *error);

/* Number the sets of groups that leaves of a ragged step lead to. A scan may then take a set for
 * one group, as if the relation were not ragged, and share out its cells at the end. */
vc_status vc_step_number_sets(vc_step *step, vc_arena *arena, vc_error *error);

/* A ragged step of which no leaf has two groups here becomes an ordinary one. Sets `passing`. */
vc_status vc_step_straighten(vc_step *step, vc_arena *arena, vc_error *error);

/* ---- table_mapped.c ---- */

/* A step through a relation, with what it reaches. */
typedef struct vc_mapped_step {
    vc_step step;
    uint64_t *mapped, *coarse; /* [ngroups] */
    uint64_t *repeated;        /* likewise; NULL: none */
} vc_mapped_step;

/* The step of a joined dimension. Without a condition it is the model's, made once; with one it is
 * cut from there where units are leaves and each joined leaf has one. */
vc_status vc_mapping_make_step(const vc_plan *plan, const vc_mapping *mapping, vc_mapped_step *out,
                               vc_error *error);

/* ---- table_over.c ---- */

/* `last` and `first`: of the leaves that the selection leaves in each group of the dimension, only
 * the last (first) one counts, the same for all combinations of the other dimensions. The step that
 * groups the dimension is replaced by one in which the other leaves lead nowhere. */
vc_status vc_table_restrict_over(vc_making *in, vc_error *error);

/* May a leaf of the column count at all? All steps on it must let it through. */
bool vc_over_passes(const vc_making *in, uint16_t column, uint32_t leaf);

/* The groups of a leaf in a step, NULL standing for one that leads everything to group 0. */
size_t vc_over_groups(const vc_step *step, uint32_t leaf, const uint32_t **groups_out);

/* Let a step lead to these groups only. step NULL: there is none on the column, one is added.
 * offsets  [leaves of the step + 1] into targets */
vc_status vc_over_replace(vc_making *in, vc_step *step, const uint32_t *offsets,
                          const uint32_t *targets, vc_error *error);

/* ---- table_over_pairs.c ---- */

/* Which component of the key that maps a source along a dimension its own dimension `column` is, if
 * the key has several and that is a part of it: not where keys are only read at its time. SIZE_MAX:
 * it is none. */
size_t vc_key_component(const vc_cube *cube, size_t source, size_t dimension, size_t column);

/* The same of the tuples of a step. */
size_t vc_over_component(const vc_making *in, const vc_step *step, size_t column);

/* The same as vc_table_restrict_over where several steps speak of the column. VC_IMPOSSIBLE
 * "unsupported" where none of them knows both its leaf and the cell. */
vc_status vc_table_restrict_pairs(vc_making *in, vc_numbers places, vc_error *error);

/* ---- units.c ---- */

/* Are rows asked for below the units? A year's total is nothing that a month has, and that the year
 * happens to have one month so far does not make it January's. */
bool vc_grouping_is_below(const vc_grouping *grouping, const vc_relation *relation);

/* The groups that each unit touches. */
typedef struct vc_units {
    const uint32_t *offsets; /* [nunits + 1] into items */
    const vc_share *items;   /* ascending by group; weight: what the group has of the unit */
    const uint64_t *split;   /* [nunits] bits: they straddle groups, or the selection */
} vc_units;

/* What a unit that straddles groups gives each: as in->finer says nothing, all, or its part. A unit
 * of a relation between leaves is its leaf. A leaf that another join hides is no part of its
 * unit. */
vc_status vc_units_make(const vc_mapping *in, vc_arena *arena, vc_units *units_out,
                        vc_error *error);

/* Mark the groups of split units that have partners. in/out: bits [ngroups] */
vc_status vc_units_mark_split(const vc_mapping *in, const vc_units *units, uint64_t *touched,
                              vc_error *error);

/* ---- shares.c ---- */

/* Does the pass count the facts of this binding in parts? */
bool vc_binding_has_shares(const vc_pass *pass, const vc_binding *binding);

/* What its finer is for the pass. */
vc_finer vc_binding_finer(const vc_pass *pass, const vc_binding *binding);

vc_status vc_shares_make(const vc_mapping *in, const vc_pass *pass, vc_arena *arena,
                         vc_shares *shares_out, vc_error *error);

#endif
