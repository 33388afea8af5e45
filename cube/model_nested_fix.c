/* Fixes of a nested cube and of its measures: members of its dimensions, in terms of each of its
 * sources. */
#include "cube/model_virtual.h"

#include "base/bits.h"
#include "cube/cut.h"

#include <string.h>

/* ---- selections of the nested cube ---- */

/* Which units of a relation a selection has whole; VC_IMPOSSIBLE where it has a part of one that
 * has facts. */
static vc_status select_units(const vc_cube_dimension *inner, const vc_relation *relation,
                              const uint64_t *selected, uint64_t *units, vc_error *error)
{
    const vc_level *level =
        &inner->dimension->hierarchies[relation->hierarchy].levels[relation->level];
    for (uint32_t leaf = 0; leaf < inner->dimension->nleaves; leaf++)
        if (vc_bit_get(selected, leaf))
            vc_bit_set(units, vc_numbers_get(level->leaf_members, leaf));
    for (uint32_t leaf = 0; leaf < inner->dimension->nleaves; leaf++)
        if (!vc_bit_get(selected, leaf) &&
            (inner->visible == NULL || vc_bit_get(inner->visible, leaf)) &&
            vc_bit_get(units, vc_numbers_get(level->leaf_members, leaf)))
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "a source of the nested cube stands at '%.*s' of '%.*s', of which only "
                           "a part of a member is selected",
                           VC_FMT(level->name), VC_FMT(inner->name));
    return VC_OK;
}

/* What a selection of the nested cube's slots is in terms of a source's leaves. */
static vc_status translate(const vc_cube_dimension *inner, const vc_binding *binding,
                           const uint64_t *selected, vc_arena *arena, vc_cube_fix *fix,
                           vc_error *error)
{
    const vc_relation *relation = binding->relation;
    *fix = (vc_cube_fix){.source_dimension = binding->source_dimension, .leaves = selected};
    if (binding->kind == VC_BIND_IDENTITY) return VC_OK;
    if (binding->tuples != NULL)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "members of '%.*s' are combinations of members of several dimensions of a "
                       "source of the nested cube; a fix holds one dimension",
                       VC_FMT(inner->name));
    const uint64_t *wanted = selected;
    vc_status status = VC_OK;
    if (relation->level >= 0) {
        uint64_t *units = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(relation->nunits) + 1);
        if (units == NULL) return vc_no_memory(error);
        wanted = units;
        status = select_units(inner, relation, selected, units, error);
    }
    uint64_t *leaves = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(relation->nleaves) + 1);
    if (leaves == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves && status == VC_OK; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        for (size_t i = 0; i < nunits; i++)
            if (vc_bit_get(wanted, units[i])) vc_bit_set(leaves, leaf);
        if (binding->synthetic_slots != NULL && binding->synthetic_slots[leaf] != VC_NONE &&
            vc_bit_get(selected, binding->synthetic_slots[leaf]))
            vc_bit_set(leaves, leaf);
    }
    fix->leaves = leaves;
    return status;
}

static vc_status fix_slots(vc_model *model, const vc_cube_dimension *inner, vc_str value,
                           const uint64_t **slots_out, vc_error *error)
{
    vc_arena *arena = vc_model_arena(model);
    const uint64_t *leaves;
    vc_status status = vc_model_fix_leaves(model, inner->dimension, value, &leaves, error);
    uint64_t *slots = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(inner->nslots) + 1);
    if (status != VC_OK || slots == NULL) return status == VC_OK ? vc_no_memory(error) : status;
    for (uint32_t leaf = 0; leaf < inner->dimension->nleaves; leaf++)
        if (vc_bit_get(leaves, leaf) &&
            (inner->visible == NULL || vc_bit_get(inner->visible, leaf)))
            vc_bit_set(slots, leaf);
    *slots_out = slots;
    return VC_OK;
}

/* ---- fixes of the nested cube as a source ---- */

/* The inner cube's own fixes, and those of the definition, each for the sources that have the
 * dimension. */
vc_status vc_virtual_fix_nested(vc_virtual_builder *builder, const vc_virtual_part *part,
                                vc_error *error)
{
    const vc_source_def *from = part->definition;
    for (size_t k = 0; k < part->count; k++) {
        const vc_cube_source *inner = &part->cube->sources[k];
        vc_cube_source *source = &builder->sources[part->first + k];
        vc_cube_fix *fixes =
            VC_ARENA_NEW(builder->arena, vc_cube_fix, inner->nfixes + from->nfixes + 1);
        if (fixes == NULL) return vc_no_memory(error);
        if (inner->nfixes > 0) memcpy(fixes, inner->fixes, inner->nfixes * sizeof *fixes);
        source->fixes = fixes;
        source->nfixes = inner->nfixes;
        for (size_t i = 0; i < from->nfixes; i++) {
            size_t number;
            const uint64_t *selected = NULL;
            vc_status status =
                vc_cube_find_dimension(part->cube, from->fixes[i].dimension, &number, error);
            if (status == VC_OK)
                status = fix_slots(builder->model, &part->cube->dimensions[number],
                                   from->fixes[i].value, &selected, error);
            if (status == VC_OK && inner->bindings[number].kind != VC_BIND_NONE)
                status = translate(&part->cube->dimensions[number], &inner->bindings[number],
                                   selected, builder->arena, &fixes[source->nfixes++], error);
            if (status == VC_OK) continue;
            vc_model_fix_place(&from->fixes[i], status, error);
            return vc_model_place(builder->definition, from->pointer, "/fix", status, error);
        }
    }
    return VC_OK;
}

/* ---- fixes of its measures ---- */

/* Intersect a fix with what holds for its dimension already; one for each dimension. */
static vc_status narrow(vc_arena *arena, const vc_source_cube *cube, vc_cube_fix *fixes,
                        size_t *nfixes, const vc_cube_fix *fix, vc_error *error)
{
    size_t at = 0, nwords = vc_bits_words(cube->dimensions[fix->source_dimension]->nleaves);
    while (at < *nfixes && fixes[at].source_dimension != fix->source_dimension)
        at++;
    if (at == *nfixes) {
        fixes[(*nfixes)++] = *fix;
        return VC_OK;
    }
    uint64_t *both = VC_ARENA_NEW(arena, uint64_t, nwords + 1);
    if (both == NULL) return vc_no_memory(error);
    for (size_t w = 0; w < nwords; w++)
        both[w] = fixes[at].leaves[w] & fix->leaves[w];
    fixes[at].leaves = both;
    return VC_OK;
}

/* What holds for a measure inside the nested cube: its own fixes, and those of its source for the
 * dimensions that a fix here names, which replaces the ones that the nested cube has here. */
static vc_status start_fixes(vc_arena *arena, const vc_cube_source *inner,
                             const vc_cube_measure *measure, const vc_cube_fix *added,
                             size_t nadded, vc_cube_fix *fixes, size_t *nfixes, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < measure->nfixes; i++)
        fixes[(*nfixes)++] = measure->fixes[i];
    size_t nown = *nfixes;
    for (size_t i = 0; i < nadded && status == VC_OK; i++) {
        bool is_own = false;
        for (size_t j = 0; j < nown; j++)
            is_own |= fixes[j].source_dimension == added[i].source_dimension;
        for (size_t j = 0; j < inner->nfixes && !is_own && status == VC_OK; j++)
            if (inner->fixes[j].source_dimension == added[i].source_dimension)
                status = narrow(arena, inner->cube, fixes, nfixes, &inner->fixes[j], error);
    }
    return status;
}

vc_status vc_nested_fix_measure(vc_model *model, const vc_cube *nested,
                                const vc_fix_def *definitions, size_t ndefinitions,
                                vc_cube_measure *measure, size_t source, bool *has_any,
                                vc_error *error)
{
    vc_arena *arena = vc_model_arena(model);
    const vc_cube_source *inner = &nested->sources[source];
    size_t room = measure->nfixes + inner->nfixes + ndefinitions + 1, nadded = 0, nfixes = 0;
    vc_cube_fix *added = VC_ARENA_NEW(arena, vc_cube_fix, ndefinitions + 1);
    vc_cube_fix *fixes = VC_ARENA_NEW(arena, vc_cube_fix, room);
    vc_status status = added == NULL || fixes == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t i = 0; i < ndefinitions && status == VC_OK; i++) {
        size_t number;
        const uint64_t *selected = NULL;
        status = vc_cube_find_dimension(nested, definitions[i].dimension, &number, error);
        if (status == VC_OK)
            status = fix_slots(model, &nested->dimensions[number], definitions[i].value, &selected,
                               error);
        if (status != VC_OK) vc_model_fix_place(&definitions[i], status, error);
        if (status != VC_OK || inner->bindings[number].kind == VC_BIND_NONE) continue;
        *has_any = true;
        status = translate(&nested->dimensions[number], &inner->bindings[number], selected, arena,
                           &added[nadded++], error);
    }
    if (status == VC_OK)
        status = start_fixes(arena, inner, measure, added, nadded, fixes, &nfixes, error);
    for (size_t i = 0; i < nadded && status == VC_OK; i++)
        status = narrow(arena, inner->cube, fixes, &nfixes, &added[i], error);
    measure->fixes = fixes;
    measure->nfixes = nfixes;
    return status;
}

/* ---- where ---- */

vc_status vc_nested_where_measure(vc_model *model, const vc_cube *nested, vc_str where,
                                  vc_cube_measure *measure, size_t source, bool *has_any,
                                  vc_error *error)
{
    vc_arena *arena = vc_model_arena(model);
    const vc_cube_source *inner = &nested->sources[source];
    vc_list list = {0};
    vc_source_text text = {.text = where}; /* the place is the measure of whoever asks */
    vc_status status = vc_cut_parse(text, arena, &list, error);
    if (status != VC_OK) return status;
    size_t nwheres = measure->nwheres;
    vc_cube_fix *wheres = VC_ARENA_NEW(arena, vc_cube_fix, nwheres + list.count + 1);
    if (wheres == NULL) return vc_no_memory(error);
    if (nwheres > 0) memcpy(wheres, measure->wheres, nwheres * sizeof *wheres);
    for (size_t i = 0; i < list.count && status == VC_OK; i++) {
        const vc_condition *condition = ((vc_condition *const *)list.items)[i];
        size_t number;
        uint64_t *slots;
        vc_cube_fix fix;
        status = vc_cube_find_dimension(nested, condition->dimref.dimension, &number, error);
        if (status == VC_OK)
            status = vc_condition_evaluate(nested, &nested->dimensions[number], condition, arena,
                                           &slots, error);
        if (status != VC_OK || !vc_condition_restricts(condition) ||
            inner->bindings[number].kind == VC_BIND_NONE)
            continue;
        *has_any = true;
        status = translate(&nested->dimensions[number], &inner->bindings[number], slots, arena,
                           &fix, error);
        if (status == VC_OK) status = narrow(arena, inner->cube, wheres, &nwheres, &fix, error);
    }
    measure->wheres = wheres;
    measure->nwheres = nwheres;
    measure->where = measure->where.size == 0 ? where
                                              : vc_arena_printf(arena, "%.*s|%.*s", VC_FMT(where),
                                                                VC_FMT(measure->where));
    return status == VC_OK && measure->where.data == NULL ? vc_no_memory(error) : status;
}
