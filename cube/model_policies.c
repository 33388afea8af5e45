/* Policies about private dimensions, and fixes. */
#include "cube/model_virtual.h"

#include "base/bits.h"
#include "dimensions/members.h"
#include "dimensions/path.h"

#include <string.h>

/* Has `on` mapped a source's dimension onto one of the primary? */
static bool is_mapped(const vc_source_def *source, vc_str dimension)
{
    for (size_t i = 0; i < source->join.non; i++)
        if (vc_str_equal(source->join.on[i].to_dim, dimension)) return true;
    return false;
}

/* Does a policy speak of this dimension, by its name here or in the cube of the source that has it,
 * or shares it? */
bool vc_virtual_is_about(const vc_virtual_builder *builder, const vc_private_def *policy,
                         size_t dimension)
{
    for (size_t s = 0; s < builder->virtual_cube->nsources; s++) {
        const vc_cube_source *source = &builder->sources[s];
        const vc_binding *binding = &source->bindings[dimension];
        const vc_virtual_part *part = vc_virtual_part_of(builder, s);
        if (binding->kind == VC_BIND_NONE || !vc_str_equal(policy->alias, part->definition->alias))
            continue;
        vc_str own = source->cube->dimension_names[binding->source_dimension];
        for (size_t e = 0; part->cube != NULL && e < part->cube->ndimensions; e++)
            if (part->outer[e] == dimension) own = part->cube->dimensions[e].name;
        if (!is_mapped(part->definition, own) &&
            (vc_str_equal(policy->dimension, builder->dimensions[dimension].name) ||
             vc_str_equal(policy->dimension, own)))
            return true;
    }
    return false;
}

vc_status vc_virtual_set_unrelated(vc_virtual_builder *builder, size_t source, vc_error *error)
{
    const vc_virtual_def *virtual_cube = builder->virtual_cube;
    vc_unrelated *unrelated = VC_ARENA_NEW(builder->arena, vc_unrelated, builder->ndimensions + 1);
    if (unrelated == NULL) return vc_no_memory(error);
    for (size_t d = 0; d < builder->ndimensions; d++) {
        unrelated[d] = vc_virtual_inner_policy(builder, source, d);
        if (unrelated[d] != VC_UNRELATED_DEFAULT) continue;
        unrelated[d] = VC_UNRELATED_NULL;
        for (size_t i = 0; i < virtual_cube->nprivates; i++)
            if (vc_virtual_is_about(builder, &virtual_cube->privates[i], d))
                unrelated[d] = virtual_cube->privates[i].others;
    }
    builder->sources[source].unrelated = unrelated;
    return vc_virtual_stand(builder, source, error);
}

/* A policy is for the measures of sources that lack the dimension. */
static vc_status check_lacking(const vc_virtual_builder *builder, size_t dimension, vc_error *error)
{
    size_t nsources = builder->virtual_cube->nsources, nbound = 0;
    for (size_t s = 0; s < nsources; s++)
        nbound += builder->sources[s].bindings[dimension].kind != VC_BIND_NONE;
    if (nsources == 1 || nbound < nsources) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "bad_value",
                   "'%.*s' is common to all sources: there are no other measures that a policy "
                   "could be for",
                   VC_FMT(builder->dimensions[dimension].name));
}

/* A policy that speaks of nobody would silently do nothing: about a dimension that is not there,
 * that comes from another source, that is mapped, or that all sources have. */
static vc_status check_private(const vc_virtual_builder *builder, const vc_private_def *policy,
                               vc_error *error)
{
    size_t number;
    const vc_virtual_part *part = builder->parts;
    const vc_virtual_part *end = builder->parts + builder->nparts;
    for (size_t d = 0; d < builder->ndimensions; d++)
        if (vc_virtual_is_about(builder, policy, d)) return check_lacking(builder, d, error);
    while (part + 1 < end && !vc_str_equal(part->definition->alias, policy->alias))
        part++; /* the definition's reader has checked the alias */
    const vc_source_cube *cube = builder->sources[part->first].cube;
    vc_status status = part->cube != NULL
                           ? vc_cube_find_dimension(part->cube, policy->dimension, &number, error)
                           : vc_source_cube_find_dimension(cube, policy->dimension, &number, error);
    if (status != VC_OK) return status;
    vc_str onto = VC_STR("");
    for (size_t i = 0; i < part->definition->join.non; i++)
        if (vc_str_equal(part->definition->join.on[i].to_dim, policy->dimension))
            onto = part->definition->join.on[i].dim;
    return vc_fail(error, VC_BAD_INPUT, "bad_value",
                   "dimension '%.*s' of '%.*s' is not private: \"on\" maps it to '%.*s', by which "
                   "it is cut and drilled",
                   VC_FMT(policy->dimension), VC_FMT(policy->alias), VC_FMT(onto));
}

/* Two words on one dimension, from two sources that share it. */
static vc_status check_agreement(const vc_virtual_builder *builder, size_t number, vc_error *error)
{
    const vc_private_def *policies = builder->virtual_cube->privates;
    for (size_t d = 0; d < builder->ndimensions; d++)
        for (size_t i = 0; i < number; i++)
            if ((policies[i].others != policies[number].others ||
                 !vc_str_equal(policies[i].fix, policies[number].fix)) &&
                vc_virtual_is_about(builder, &policies[i], d) &&
                vc_virtual_is_about(builder, &policies[number], d))
                return vc_fail(error, VC_BAD_INPUT, "bad_value",
                               "'%.*s' has another policy by '%.*s' already: the two sources "
                               "share it",
                               VC_FMT(builder->dimensions[d].name), VC_FMT(policies[i].alias));
    return VC_OK;
}

vc_status vc_virtual_check_privates(vc_virtual_builder *builder, vc_error *error)
{
    for (size_t i = 0; i < builder->virtual_cube->nprivates; i++) {
        const vc_private_def *policy = &builder->virtual_cube->privates[i];
        vc_status status = check_private(builder, policy, error);
        if (status == VC_OK) status = check_agreement(builder, i, error);
        if (status != VC_OK)
            return vc_model_place(builder->definition, policy->pointer, "", status, error);
    }
    return VC_OK;
}

static bool has_fix(const vc_cube_fix *fixes, size_t nfixes, size_t dimension)
{
    for (size_t i = 0; i < nfixes; i++)
        if (fixes[i].source_dimension == dimension) return true;
    return false;
}

/* Can a query choose the member? Not of a private dimension, which queries of other measures leave
 * alone, unless it has a default. */
static bool is_asked(const vc_cube *cube, const vc_cube_source *source, size_t source_dimension)
{
    for (size_t d = 0; d < cube->ndimensions; d++) {
        const vc_binding *binding = &source->bindings[d];
        if (binding->kind != VC_BIND_NONE && binding->tuples == NULL &&
            binding->source_dimension == source_dimension)
            return !cube->dimensions[d].is_private || cube->dimensions[d].default_slots != NULL;
    }
    return false;
}

/* A private dimension without an All must be fixed, by the source or by each of its measures. */
vc_status vc_virtual_check_aggregatable(const vc_virtual_builder *builder, vc_error *error)
{
    const vc_cube *cube = builder->cube;
    for (size_t m = 0; m < cube->nmeasures; m++) {
        const vc_cube_measure *measure = &cube->measures[m];
        if (measure->expr != NULL) continue;
        const vc_cube_source *source = &cube->sources[measure->source];
        for (size_t d = 0; d < source->cube->ndimensions; d++)
            if (!source->cube->is_aggregatable[d] && !has_fix(source->fixes, source->nfixes, d) &&
                !has_fix(measure->fixes, measure->nfixes, d) && !is_asked(cube, source, d)) {
                vc_status status = vc_fail(error, VC_BAD_INPUT, "missing_fix",
                                           "dimension '%.*s' of source '%.*s' has no All, so "
                                           "measure '%.*s' needs a \"fix\" "
                                           "for it, on the source or on the measure",
                                           VC_FMT(source->cube->dimension_names[d]),
                                           VC_FMT(source->alias), VC_FMT(measure->name));
                return vc_model_place(builder->definition, source->definition->pointer, "", status,
                                      error);
            }
    }
    return VC_OK;
}

/* A key of several members that are all the same leaves, at other places: is it that? Then they are
 * marked. */
static vc_status mark_same(vc_arena *arena, const vc_dimension *dimension, vc_str key,
                           uint64_t *leaves, bool *is_same_out, vc_error *error)
{
    size_t nwords = vc_bits_words(dimension->nleaves), nfound = 0;
    const vc_hierarchy *hierarchy = &dimension->hierarchies[0];
    uint64_t *others = VC_ARENA_NEW(arena, uint64_t, nwords + 1);
    if (others == NULL) return vc_no_memory(error);
    *is_same_out = dimension->has_places;
    for (unsigned l = 0; l < hierarchy->nlevels && *is_same_out; l++)
        for (uint32_t m = 0; m < hierarchy->levels[l].nmembers && *is_same_out; m++) {
            const vc_level *level = &hierarchy->levels[l];
            if (vc_member_is_hidden(level, m) || !vc_str_equal(vc_texts_get(&level->keys, m), key))
                continue;
            uint64_t *bits = nfound++ == 0 ? leaves : others;
            memset(bits, 0, nwords * sizeof *bits);
            vc_level_mark_leaves(dimension, level, m, bits);
            vc_dimension_mark_places(dimension, bits);
            *is_same_out = memcmp(bits, leaves, nwords * sizeof *bits) == 0;
        }
    *is_same_out &= nfound > 0;
    return VC_OK;
}

vc_status vc_model_fix_leaves(vc_model *model, const vc_dimension *dimension, vc_str value,
                              const uint64_t **leaves_out, vc_error *error)
{
    vc_arena *arena = vc_model_arena(model);
    const vc_str *keys;
    size_t nkeys;
    vc_member_ref found;
    uint64_t *leaves = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(dimension->nleaves) + 1);
    vc_status status = vc_path_split(value, arena, &keys, &nkeys, error);
    if (leaves == NULL) return vc_no_memory(error);
    if (status != VC_OK) return status;
    vc_error problem = {0};
    status = vc_hierarchy_find_member(dimension, 0, keys, nkeys, arena, &found, &problem);
    if (status == VC_IMPOSSIBLE && nkeys == 1) {
        bool is_same = false;
        vc_status looked = mark_same(arena, dimension, keys[0], leaves, &is_same, error);
        *leaves_out = leaves;
        if (looked != VC_OK || is_same) return looked;
    }
    if (vc_model_forgives(model, status)) {
        *leaves_out = leaves; /* it is hidden: no leaf */
        return VC_OK;
    }
    if (status != VC_OK && error != NULL) *error = problem;
    if (status != VC_OK) return status;
    vc_level_mark_leaves(dimension, &dimension->hierarchies[0].levels[found.level], found.member,
                         leaves);
    vc_dimension_mark_places(dimension, leaves); /* facts know a leaf, wherever it stands */
    *leaves_out = leaves;
    return VC_OK;
}

vc_status vc_model_fix_place(const vc_fix_def *fix, vc_status status, vc_error *error)
{
    char step[256];
    size_t size = 0;
    for (size_t i = 0; i < fix->dimension.size && size + 3 < sizeof step; i++) {
        char byte = fix->dimension.data[i];
        if (byte == '~' || byte == '/') step[size++] = '~';
        step[size++] = byte == '~' ? '0' : byte == '/' ? '1' : byte;
    }
    vc_error_at_pointer(error, "/%.*s", (int)size, step);
    return status;
}

vc_status vc_model_fixes(vc_model *model, const vc_source_cube *source, const vc_fix_def *fixes,
                         size_t nfixes, vc_cube_fix **fixes_out, vc_error *error)
{
    vc_arena *arena = vc_model_arena(model);
    vc_cube_fix *out = VC_ARENA_NEW(arena, vc_cube_fix, nfixes + 1);
    if (out == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nfixes; i++) {
        size_t number;
        const uint64_t *leaves;
        vc_status status =
            vc_source_cube_find_dimension(source, fixes[i].dimension, &number, error);
        if (status == VC_OK)
            status = vc_model_fix_leaves(model, source->dimensions[number], fixes[i].value, &leaves,
                                         error);
        if (status != VC_OK) return vc_model_fix_place(&fixes[i], status, error);
        out[i] = (vc_cube_fix){.source_dimension = number, .leaves = leaves};
    }
    *fixes_out = out;
    return VC_OK;
}

/* Those of its own dimensions hold its facts; others say where its values stand. */
static vc_status fix_source(vc_virtual_builder *builder, size_t number, const vc_source_def *from,
                            vc_error *error)
{
    vc_cube_source *source = &builder->sources[number];
    vc_fix_def *own = VC_ARENA_NEW(builder->arena, vc_fix_def, from->nfixes + 1);
    if (own == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < from->nfixes; i++) {
        bool is_standing = false;
        vc_status status =
            vc_virtual_stand_source(builder, number, &from->fixes[i], &is_standing, error);
        if (status != VC_OK) return status;
        if (!is_standing) own[source->nfixes++] = from->fixes[i];
    }
    return vc_model_fixes(builder->model, source->cube, own, source->nfixes, &source->fixes, error);
}

vc_status vc_virtual_fix_sources(vc_virtual_builder *builder, vc_error *error)
{
    for (size_t i = 0; i < builder->nparts; i++) {
        size_t s = builder->parts[i].first;
        const vc_source_def *from = &builder->virtual_cube->sources[s];
        if (builder->parts[i].cube != NULL) {
            vc_status nested = vc_virtual_fix_nested(builder, &builder->parts[i], error);
            if (nested != VC_OK) return nested;
            continue;
        }
        vc_status status = fix_source(builder, s, from, error);
        if (status != VC_OK)
            return vc_model_place(builder->definition, from->pointer, "/fix", status, error);
    }
    return VC_OK;
}
