/* Calculated members looked up: first all their names, so that they can use each other, then what
 * their expressions name. */
#include "cube/calculated.h"

#include "cube/calculated_parts.h"
#include "cube/cut.h"
#include "cube/expr_unit.h"
#include "dimensions/path.h"

#include <stdlib.h>

vc_status vc_calculated_parse(vc_str dim, vc_arena *arena, vc_calculated_def *definition,
                              vc_error *error)
{
    vc_dimref ref;
    vc_source_text source = {.text = dim};
    vc_status status = vc_dimref_parse(source, arena, &ref, error);
    if (status != VC_OK) return status;
    definition->dim = ref.dimension;
    definition->hierarchy = ref.hierarchy;
    if (!vc_str_is_null(ref.level) && !vc_str_is_null(definition->level))
        return vc_fail(error, VC_BAD_INPUT, "bad_value",
                       "the level is given twice, in 'level' and in 'dim'");
    if (!vc_str_is_null(ref.level)) definition->level = ref.level;
    if (vc_str_is_null(definition->label)) definition->label = definition->name;
    vc_expr *expr;
    status = vc_expr_parse_members(definition->expr, arena, &expr, error);
    if (status == VC_OK) definition->parsed = expr;
    return status;
}

size_t vc_calculated_find(const vc_calculated *calculated, size_t ncalculated, size_t dimension,
                          vc_str name)
{
    for (size_t i = 0; i < ncalculated; i++)
        if (calculated[i].dimension == dimension && vc_str_equal(calculated[i].name, name))
            return i;
    return SIZE_MAX;
}

size_t vc_calculated_find_path(const vc_cube *cube, const vc_calculated *calculated,
                               size_t ncalculated, size_t dimension, unsigned hierarchy,
                               const vc_str *keys, size_t nkeys, vc_arena *arena)
{
    if (nkeys == 0) return SIZE_MAX;
    size_t found = vc_calculated_find(calculated, ncalculated, dimension, keys[nkeys - 1]);
    if (found == SIZE_MAX || nkeys == 1) return found;
    const vc_calculated *member = &calculated[found];
    vc_member_ref parent;
    if (!member->has_parent || member->hierarchy != hierarchy ||
        vc_hierarchy_find_member(cube->dimensions[dimension].dimension, hierarchy, keys, nkeys - 1,
                                 arena, &parent, NULL) != VC_OK)
        return SIZE_MAX;
    bool is_parent = parent.level == member->parent.level && parent.member == member->parent.member;
    return is_parent ? found : SIZE_MAX;
}

vc_status vc_calculating_dimension(const struct vc_calculating *in, vc_str name,
                                   size_t *dimension_out, vc_error *error)
{
    const vc_calculated_names *names = in->names;
    if (names == NULL) return vc_cube_find_dimension(in->cube, name, dimension_out, error);
    for (size_t i = 0; i < names->count; i++)
        if (vc_str_equal(names->names[i], name)) {
            *dimension_out = names->dimensions[i];
            return VC_OK;
        }
    return vc_fail(error, VC_NOT_FOUND, "unknown_dimension",
                   "cube '%.*s' has nothing that stands for dimension '%.*s'",
                   VC_FMT(in->cube->name), VC_FMT(name));
}

/* ---- names ---- */

/* A key of a member on any level, or of a bucket, would be two things. */
static vc_status check_new(const struct vc_calculating *in, const vc_calculated *member,
                           vc_error *error)
{
    const vc_cube_dimension *outer = &in->cube->dimensions[member->dimension];
    const vc_dimension *dimension = outer->dimension;
    bool is_taken = false;
    for (unsigned h = 0; h < dimension->nhierarchies && !is_taken; h++)
        for (unsigned l = 0; l < dimension->hierarchies[h].nlevels && !is_taken; l++) {
            uint32_t *members;
            size_t nmembers;
            vc_status status =
                vc_level_find_members(&dimension->hierarchies[h].levels[l], member->name, in->arena,
                                      &members, &nmembers, error);
            if (status != VC_OK) return status;
            is_taken = nmembers > 0;
        }
    for (uint32_t i = 0; i < outer->nsynthetic && !is_taken; i++)
        is_taken = vc_str_equal(outer->synthetics[i].key, member->name);
    for (size_t i = 0; i < outer->nbuckets && !is_taken; i++)
        is_taken = vc_str_equal(outer->buckets[i].key, member->name);
    if (is_taken)
        return vc_fail(error, VC_BAD_INPUT, "duplicate_name",
                       "dimension '%.*s' has a member with the key '%.*s'; a calculated member "
                       "needs another name",
                       VC_FMT(outer->name), VC_FMT(member->name));
    if (vc_calculated_find(in->members, in->nmembers, member->dimension, member->name) == SIZE_MAX)
        return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "duplicate_name",
                   "dimension '%.*s' has a calculated member '%.*s' already", VC_FMT(outer->name),
                   VC_FMT(member->name));
}

/* Above the level that it says, or right above the one it gets. */
static vc_status find_parent(const struct vc_calculating *in, vc_calculated *member,
                             vc_error *error)
{
    const vc_dimension *dimension = in->cube->dimensions[member->dimension].dimension;
    const vc_hierarchy *hierarchy = &dimension->hierarchies[member->hierarchy];
    const vc_calculated_def *definition = member->definition;
    const vc_str *keys;
    size_t nkeys;
    if (vc_str_is_null(definition->parent)) return VC_OK;
    vc_status status = vc_path_split(definition->parent, in->arena, &keys, &nkeys, error);
    if (status == VC_OK)
        status = vc_hierarchy_find_member(dimension, member->hierarchy, keys, nkeys, in->arena,
                                          &member->parent, error);
    if (status != VC_OK) return status;
    bool has_level = !vc_str_is_null(definition->level);
    bool is_above = has_level ? member->parent.level < member->level
                              : member->parent.level + 1 < hierarchy->nlevels;
    member->has_parent = true;
    if (!has_level) member->level = member->parent.level + 1;
    if (is_above) return VC_OK;
    return vc_fail(error, VC_IMPOSSIBLE, "bad_level",
                   "'%.*s' is a member of '%.*s', and cannot be the parent of one of %s",
                   VC_FMT(definition->parent), VC_FMT(hierarchy->levels[member->parent.level].name),
                   has_level ? "that level" : "a level below, which there is not");
}

static vc_status find_names(const struct vc_calculating *in, vc_calculated *member,
                            const vc_calculated_def *definition, vc_error *error)
{
    *member = (vc_calculated){.definition = definition,
                              .name = definition->name,
                              .label = definition->label,
                              .expr = definition->parsed};
    vc_status status = vc_calculating_dimension(in, definition->dim, &member->dimension, error);
    if (status != VC_OK) return status;
    const vc_dimension *dimension = in->cube->dimensions[member->dimension].dimension;
    status =
        vc_dimension_find_hierarchy(dimension, definition->hierarchy, &member->hierarchy, error);
    if (status == VC_OK && !vc_str_is_null(definition->level))
        status = vc_hierarchy_find_level(dimension, member->hierarchy, definition->level,
                                         &member->level, error);
    if (status == VC_OK) status = find_parent(in, member, error);
    return status == VC_OK ? check_new(in, member, error) : status;
}

/* ---- the whole ---- */

/* The unit is the measure's when each operand's value has it and the expression adds them up. */
static vc_status find_unit(const struct vc_calculating *in, vc_calculated *member, vc_error *error)
{
    size_t nnames;
    vc_str unit;
    vc_expr_names(member->expr, &nnames);
    vc_str *units = VC_ARENA_NEW(in->arena, vc_str, nnames + 1);
    if (units == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nnames; i++) {
        const vc_member_operand *operand = &member->operands[i];
        bool is_count = operand->is_aggregate && operand->aggregate == VC_MEMBER_COUNT;
        units[i] = is_count ? VC_STR("") : VC_STR("*");
    }
    vc_status status = vc_expr_unit(member->expr, units, &unit, error);
    member->keeps_unit = status == VC_OK && unit.size > 0;
    return status;
}

/* "a -> b -> a", by going where operands lead. state: 0 new, 1 on the way, 2 done. */
static vc_status check_loop(const struct vc_calculating *in, size_t at, uint8_t *states,
                            vc_str path, vc_error *error)
{
    const vc_calculated *member = &in->members[at];
    if (states[at] == 2) return VC_OK;
    path = vc_arena_printf(in->arena, "%.*s%s%.*s", VC_FMT(path), path.size > 0 ? " -> " : "",
                           VC_FMT(member->name));
    if (vc_str_is_null(path)) return vc_no_memory(error);
    if (states[at] == 1)
        return vc_fail(error, VC_BAD_INPUT, "definition_cycle",
                       "the calculated members lead back to themselves: %.*s", VC_FMT(path));
    states[at] = 1;
    for (size_t i = 0; i < member->noperands; i++)
        for (size_t t = 0; t < member->operands[i].ntargets; t++) {
            const vc_member_target *target = &member->operands[i].targets[t];
            for (size_t c = 0; c < target->ncoordinates; c++) {
                if (target->coordinates[c].kind != VC_AT_CALCULATED) continue;
                vc_status status =
                    check_loop(in, target->coordinates[c].calculated, states, path, error);
                if (status != VC_OK) return status;
            }
        }
    states[at] = 2;
    return VC_OK;
}

/* Few enough to be compared pair by pair. */
static void rank_members(vc_calculated *members, size_t nmembers)
{
    for (size_t i = 0; i < nmembers; i++) {
        members[i].rank = 0;
        for (size_t j = 0; j < nmembers; j++) {
            int mine = members[i].definition->solve_order,
                other = members[j].definition->solve_order;
            members[i].rank += other < mine || (other == mine && j < i);
        }
    }
}

vc_status vc_cube_calculate(const vc_cube *cube, const vc_calculated_def *definitions,
                            size_t ndefinitions, const vc_calculated *known, size_t nknown,
                            const vc_calculated_names *names, vc_arena *arena,
                            const vc_calculated **calculated_out, vc_error *error)
{
    size_t count = nknown + ndefinitions;
    vc_calculated *members = VC_ARENA_NEW(arena, vc_calculated, count + 1);
    uint8_t *states = VC_ARENA_NEW(arena, uint8_t, count + 1);
    if (members == NULL || states == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nknown; i++)
        members[i] = known[i];
    struct vc_calculating in = {
        .cube = cube, .arena = arena, .names = names, .members = members, .nmembers = nknown};
    vc_status status = VC_OK;
    size_t at = nknown;
    for (; at < count && status == VC_OK; at++) {
        status = find_names(&in, &members[at], &definitions[at - nknown], error);
        in.nmembers++;
    }
    for (size_t i = nknown; i < count && status == VC_OK; i++)
        vc_calculated_find_level(&in, &members[i]);
    for (size_t i = nknown; i < count && status == VC_OK; i++) {
        at = i + 1;
        status = vc_calculated_find_operands(&in, &members[i], error);
        if (status == VC_OK) status = vc_calculated_check_level(&members[i], error);
        if (status == VC_OK) status = find_unit(&in, &members[i], error);
    }
    for (size_t i = nknown; i < count && status == VC_OK; i++) {
        at = i + 1;
        status = check_loop(&in, i, states, VC_STR(""), error);
    }
    if (status != VC_OK)
        return at > nknown ? vc_error_at_place(error, status, definitions[at - nknown - 1].place)
                           : status;
    rank_members(members, count);
    *calculated_out = members;
    return VC_OK;
}
