/* Where values stand along dimensions that their source does not have, by the policy "fix". */
#include "cube/model_measures.h"
#include "cube/model_virtual.h"

#include "base/bits.h"

#include <string.h>

const char *vc_unrelated_name(vc_unrelated unrelated)
{
    return unrelated == VC_UNRELATED_REPEAT  ? "repeat"
           : unrelated == VC_UNRELATED_ERROR ? "error"
           : unrelated == VC_UNRELATED_FIX   ? "fix"
                                             : "null";
}

/* Of the source's policies; without any the values say nothing. */
static vc_unrelated policy_of(const vc_cube_source *source, size_t dimension,
                              const vc_standing **standing_out)
{
    vc_unrelated word = source->unrelated[dimension];
    if (word == VC_UNRELATED_FIX) *standing_out = &source->stands[dimension];
    return word;
}

vc_unrelated vc_cube_unrelated(const vc_cube *cube, const vc_cube_measure *measure,
                               size_t dimension, const vc_standing **standing_out)
{
    const vc_cube_source *source = &cube->sources[measure->source];
    *standing_out = NULL;
    if (measure->unrelated == VC_UNRELATED_DEFAULT)
        return policy_of(source, dimension, standing_out);
    if (measure->unrelated != VC_UNRELATED_FIX) return measure->unrelated;
    for (size_t i = 0; i < measure->nstands; i++)
        if (measure->stands[i].dimension == dimension) {
            *standing_out = &measure->stands[i];
            return VC_UNRELATED_FIX;
        }
    if (source->stands == NULL || source->stands[dimension].leaves == NULL)
        return policy_of(source, dimension, standing_out);
    *standing_out = &source->stands[dimension];
    return VC_UNRELATED_FIX;
}

/* ---- members ---- */

/* The leaves of a member, of several places the first, that are members here. */
static vc_status find_standing(vc_model *model, const vc_cube_dimension *outer, size_t dimension,
                               vc_str member, vc_standing *standing, vc_error *error)
{
    const uint64_t *found;
    vc_status status = vc_model_fix_leaves(model, outer->dimension, member, &found, error);
    if (status != VC_OK) return status;
    uint64_t *leaves =
        VC_ARENA_NEW(vc_model_arena(model), uint64_t, vc_bits_words(outer->dimension->nleaves) + 1);
    if (leaves == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < outer->dimension->nleaves; leaf++)
        if (vc_bit_get(found, leaf) && (outer->visible == NULL || vc_bit_get(outer->visible, leaf)))
            vc_bit_set(leaves, vc_leaf_first(outer->dimension, leaf));
    *standing = (vc_standing){.dimension = dimension, .member = member, .leaves = leaves};
    return VC_OK;
}

/* Is the nested cube of sources [first, first + count) joined along the dimension? */
static bool is_joined(const vc_cube_source *sources, size_t first, size_t count, size_t dimension)
{
    for (size_t s = first; s < first + count; s++)
        if (sources[s].bindings[dimension].nested_join != NULL) return true;
    return false;
}

/* What a nested cube says, of a dimension that has the same leaves here; number SIZE_MAX: it is
 * joined to one that has others. */
static vc_status keep_inner(const vc_cube *nested, const vc_cube_dimension *outer, size_t number,
                            const vc_standing *inner, vc_standing *standing, vc_error *error)
{
    const vc_cube_dimension *dimension = &nested->dimensions[inner->dimension];
    if (number == SIZE_MAX || outer[number].dimension != dimension->dimension)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "values of the nested cube '%.*s' stand at '%.*s' of its dimension '%.*s' "
                       "(\"fix\"), which has other members here",
                       VC_FMT(nested->name), VC_FMT(inner->member), VC_FMT(dimension->name));
    *standing = *inner;
    standing->dimension = number;
    return VC_OK;
}

/* ---- sources ---- */

static vc_status stand_inside(const vc_virtual_builder *builder, const vc_virtual_part *part,
                              size_t source, size_t dimension, vc_standing *standing,
                              vc_error *error)
{
    const vc_cube_source *inner = &part->cube->sources[source - part->first];
    bool is_other = is_joined(builder->sources, part->first, part->count, dimension);
    vc_status status = VC_OK;
    for (size_t e = 0; e < part->cube->ndimensions && status == VC_OK; e++)
        if (part->outer[e] == dimension && inner->unrelated[e] == VC_UNRELATED_FIX &&
            inner->bindings[e].kind == VC_BIND_NONE)
            status = keep_inner(part->cube, builder->dimensions, is_other ? SIZE_MAX : dimension,
                                &inner->stands[e], standing, error);
    return vc_model_place(builder->definition, part->definition->pointer, "/cube", status, error);
}

vc_status vc_virtual_stand(vc_virtual_builder *builder, size_t source, vc_error *error)
{
    const vc_virtual_def *virtual_cube = builder->virtual_cube;
    const vc_virtual_part *part = vc_virtual_part_of(builder, source);
    vc_cube_source *of = &builder->sources[source];
    vc_standing *stands = VC_ARENA_NEW(builder->arena, vc_standing, builder->ndimensions + 1);
    vc_status status = stands == NULL ? vc_no_memory(error) : VC_OK;
    of->stands = stands;
    for (size_t d = 0; d < builder->ndimensions && status == VC_OK; d++) {
        if (of->bindings[d].kind != VC_BIND_NONE) continue;
        if (part->cube != NULL && vc_virtual_inner_policy(builder, source, d) == VC_UNRELATED_FIX) {
            status = stand_inside(builder, part, source, d, &stands[d], error);
            continue;
        }
        for (size_t i = 0; i < virtual_cube->nprivates && status == VC_OK; i++) {
            const vc_private_def *policy = &virtual_cube->privates[i];
            if (policy->fix.size == 0 || !vc_virtual_is_about(builder, policy, d)) continue;
            status = find_standing(builder->model, &builder->dimensions[d], d, policy->fix,
                                   &stands[d], error);
            if (status != VC_OK)
                return vc_model_place(builder->definition, policy->pointer,
                                      policy->is_inside ? "/others/fix" : "/fix", status, error);
        }
    }
    return status;
}

/* A dimension of the cube by its name; ndimensions: none. */
static size_t find_dimension(const vc_cube_dimension *dimensions, size_t ndimensions, vc_str name)
{
    size_t d = 0;
    while (d < ndimensions && !vc_str_equal(dimensions[d].name, name))
        d++;
    return d;
}

vc_status vc_virtual_stand_source(vc_virtual_builder *builder, size_t source, const vc_fix_def *fix,
                                  bool *is_standing_out, vc_error *error)
{
    vc_cube_source *of = &builder->sources[source];
    size_t own, d = find_dimension(builder->dimensions, builder->ndimensions, fix->dimension);
    *is_standing_out = d < builder->ndimensions && of->bindings[d].kind == VC_BIND_NONE &&
                       vc_source_cube_find_dimension(of->cube, fix->dimension, &own, NULL) != VC_OK;
    if (!*is_standing_out) return VC_OK;
    vc_status status =
        of->unrelated[d] == VC_UNRELATED_FIX
            ? find_standing(builder->model, &builder->dimensions[d], d, fix->value,
                            (vc_standing *)&of->stands[d], error)
            : vc_fail(error, VC_BAD_INPUT, "bad_value",
                      "'%.*s' has no dimension '%.*s': a fix there is where its values stand, "
                      "which 'private' must ask for by \"others\": \"fix\"",
                      VC_FMT(of->alias), VC_FMT(fix->dimension));
    return status == VC_OK ? VC_OK : vc_model_fix_place(fix, status, error);
}

vc_status vc_virtual_check_stands(const vc_virtual_builder *builder, vc_error *error)
{
    const vc_virtual_def *virtual_cube = builder->virtual_cube;
    for (size_t s = 0; s < virtual_cube->nsources; s++) {
        const vc_cube_source *source = &builder->sources[s];
        for (size_t d = 0; d < builder->ndimensions; d++) {
            if (source->bindings[d].kind != VC_BIND_NONE ||
                source->unrelated[d] != VC_UNRELATED_FIX || source->stands[d].leaves != NULL)
                continue;
            vc_status status =
                vc_fail(error, VC_BAD_INPUT, "bad_value",
                        "names no member for '%.*s': expected \"others\": {\"fix\": MEMBER}, or a "
                        "\"fix\" of that source",
                        VC_FMT(source->alias));
            for (size_t i = 0; i < virtual_cube->nprivates; i++)
                if (vc_virtual_is_about(builder, &virtual_cube->privates[i], d))
                    return vc_model_place(builder->definition, virtual_cube->privates[i].pointer,
                                          "/others", status, error);
            return status;
        }
    }
    return VC_OK;
}

/* ---- measures ---- */

static vc_status add_standing(vc_model *model, const vc_cube *cube, const vc_fix_def *fix,
                              vc_standing *stands, size_t *nstands, vc_error *error)
{
    size_t d;
    vc_status status = vc_cube_find_dimension(cube, fix->dimension, &d, error);
    if (status == VC_OK)
        status =
            find_standing(model, &cube->dimensions[d], d, fix->value, &stands[(*nstands)++], error);
    return status == VC_OK ? VC_OK : vc_model_fix_place(fix, status, error);
}

vc_status vc_model_measure_stands(vc_model *model, const vc_cube *cube, const vc_measure_def *from,
                                  vc_cube_measure *measure, vc_error *error)
{
    vc_standing *stands = VC_ARENA_NEW(vc_model_arena(model), vc_standing, from->nstands + 1);
    if (stands == NULL) return vc_no_memory(error);
    measure->stands = stands;
    for (size_t i = 0; i < from->nstands; i++) {
        vc_status status =
            add_standing(model, cube, &from->stands[i], stands, &measure->nstands, error);
        if (status != VC_OK)
            return vc_model_place(cube->definition, from->pointer, "/unrelated/fix", status, error);
    }
    return VC_OK;
}

vc_status vc_model_measure_fixes(vc_model *model, const vc_cube *cube, size_t source,
                                 const vc_measure_def *from, vc_cube_measure *measure,
                                 vc_error *error)
{
    const vc_source_cube *stored = cube->sources[source].cube;
    vc_arena *arena = vc_model_arena(model);
    vc_fix_def *own = VC_ARENA_NEW(arena, vc_fix_def, from->nfixes + 1);
    vc_standing *stands = VC_ARENA_NEW(arena, vc_standing, from->nfixes + measure->nstands + 1);
    vc_status status = own == NULL || stands == NULL ? vc_no_memory(error) : VC_OK;
    if (status == VC_OK && measure->nstands > 0)
        memcpy(stands, measure->stands, measure->nstands * sizeof *stands);
    for (size_t i = 0; i < from->nfixes && status == VC_OK; i++) {
        size_t number,
            d = find_dimension(cube->dimensions, cube->ndimensions, from->fixes[i].dimension);
        if (from->unrelated == VC_UNRELATED_FIX && d < cube->ndimensions &&
            vc_source_cube_find_dimension(stored, from->fixes[i].dimension, &number, NULL) != VC_OK)
            status = add_standing(model, cube, &from->fixes[i], stands, &measure->nstands, error);
        else
            own[measure->nfixes++] = from->fixes[i];
    }
    if (status != VC_OK) return status;
    measure->stands = stands;
    return vc_model_fixes(model, stored, own, measure->nfixes, &measure->fixes, error);
}

vc_status vc_model_check_stands(const vc_cube *cube, const vc_measure_def *from,
                                const vc_cube_measure *measure, vc_error *error)
{
    bool has_any = measure->nstands > 0;
    vc_status status = VC_OK;
    if (measure->unrelated != VC_UNRELATED_FIX || measure->expr != NULL) return VC_OK;
    const vc_cube_source *source = &cube->sources[measure->source];
    for (size_t i = 0; i < measure->nstands && status == VC_OK; i++)
        if (source->bindings[measure->stands[i].dimension].kind != VC_BIND_NONE)
            status = vc_fail(
                error, VC_BAD_INPUT, "bad_value",
                "'%.*s' has dimension '%.*s' itself: a \"fix\" of the measure holds it "
                "at a member",
                VC_FMT(source->alias), VC_FMT(cube->dimensions[measure->stands[i].dimension].name));
    for (size_t d = 0; d < cube->ndimensions; d++)
        has_any |= source->stands != NULL && source->stands[d].leaves != NULL;
    if (status == VC_OK && !has_any)
        status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                         "names no member, and 'private' names none for '%.*s': expected "
                         "{\"fix\": {DIMENSION: MEMBER}}",
                         VC_FMT(source->alias));
    return vc_model_place(cube->definition, from->pointer, "/unrelated", status, error);
}

vc_status vc_nested_measure_stands(vc_model *model, const vc_cube *cube, size_t first,
                                   vc_cube_measure *measure, vc_error *error)
{
    const vc_cube *nested = cube->sources[first].nested;
    const size_t *outer = cube->sources[first].nested_dimensions;
    vc_standing *stands = VC_ARENA_NEW(vc_model_arena(model), vc_standing, measure->nstands + 1);
    vc_status status = stands == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t i = 0; i < measure->nstands && status == VC_OK; i++)
        status = keep_inner(
            nested, cube->dimensions,
            is_joined(cube->sources, first, nested->nsources, outer[measure->stands[i].dimension])
                ? SIZE_MAX
                : outer[measure->stands[i].dimension],
            &measure->stands[i], &stands[i], error);
    measure->stands = stands;
    return status;
}
