/* Default members, which a query selects of a dimension that it does not speak of, and member sets,
 * which it selects by name. */
#include "cube/model_parts.h"

#include "base/bits.h"
#include "base/nearest.h"
#include "dimensions/path.h"

/* The member of a path in the dimension that the cube shows: it was there when its source was
 * loaded, and a dimension put together of several has it, too. */
static vc_status find_default(vc_arena *arena, vc_str path, vc_cube_dimension *outer,
                              vc_error *error)
{
    const vc_str *keys;
    size_t nkeys;
    vc_member_ref found;
    vc_status status = vc_path_split(path, arena, &keys, &nkeys, error);
    if (status == VC_OK)
        status = vc_hierarchy_find_member(outer->dimension, 0, keys, nkeys, arena, &found, error);
    if (status != VC_OK) return status;
    uint64_t *slots = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(outer->nslots) + 1);
    if (slots == NULL) return vc_no_memory(error);
    vc_level_mark_leaves(outer->dimension, &outer->dimension->hierarchies[0].levels[found.level],
                         found.member, slots);
    outer->default_member = path;
    outer->default_slots = slots;
    return VC_OK;
}

vc_status vc_model_find_defaults(vc_model *model, const vc_cube_source *sources,
                                 vc_cube_dimension *dimensions, size_t ndimensions, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t d = 0; d < ndimensions && status == VC_OK; d++) {
        const vc_cube_source *owner = &sources[dimensions[d].owner];
        vc_str path = owner->cube->default_members[owner->bindings[d].source_dimension];
        if (!vc_str_is_null(path))
            status = find_default(vc_model_arena(model), path, &dimensions[d], error);
        if (vc_model_forgives(model, status)) status = VC_OK; /* hidden: there is none */
    }
    return status;
}

/* ---- member sets ---- */

/* Among the sets of a definition, in which the dimension has the name `dim`. */
static const vc_set_def *find_in(const vc_definition *definition, vc_str dim, vc_str name,
                                 vc_nearest *nearest)
{
    for (size_t i = 0; i < definition->nsets; i++) {
        const vc_set_def *set = &definition->sets[i];
        if (!vc_str_equal(set->dim, dim)) continue;
        if (vc_str_equal(set->name, name)) return set;
        vc_nearest_offer(nearest, set->name);
    }
    return NULL;
}

/* The definition that the owner of a dimension has of its own, and the dimension's name there. */
static const vc_definition *owner_of(const vc_cube *cube, const vc_cube_dimension *dimension,
                                     vc_str *name_out)
{
    const vc_cube_source *owner = &cube->sources[dimension->owner];
    size_t number = owner->bindings[dimension - cube->dimensions].source_dimension;
    *name_out = owner->cube->dimension_names[number];
    return owner->cube->definition;
}

vc_status vc_cube_list_sets(const vc_cube *cube, const vc_cube_dimension *dimension,
                            vc_arena *arena, const vc_set_def ***sets_out, size_t *nsets_out,
                            vc_error *error)
{
    vc_str own;
    vc_nearest nearest;
    const vc_definition *owner = owner_of(cube, dimension, &own);
    size_t room = cube->definition->nsets + owner->nsets, count = 0;
    const vc_set_def **sets = VC_ARENA_NEW(arena, const vc_set_def *, room + 1);
    if (sets == NULL) return vc_no_memory(error);
    vc_nearest_init(&nearest, VC_STR(""));
    for (size_t i = 0; i < cube->definition->nsets; i++)
        if (vc_str_equal(cube->definition->sets[i].dim, dimension->name))
            sets[count++] = &cube->definition->sets[i];
    for (size_t i = 0; owner != cube->definition && i < owner->nsets; i++)
        if (vc_str_equal(owner->sets[i].dim, own) &&
            find_in(cube->definition, dimension->name, owner->sets[i].name, &nearest) == NULL)
            sets[count++] = &owner->sets[i];
    *sets_out = sets;
    *nsets_out = count;
    return VC_OK;
}

vc_status vc_cube_find_set(const vc_cube *cube, const vc_cube_dimension *dimension, vc_str name,
                           const vc_set_def **set_out, vc_error *error)
{
    vc_str own;
    vc_nearest nearest;
    const vc_definition *owner = owner_of(cube, dimension, &own);
    vc_nearest_init(&nearest, name);
    *set_out = find_in(cube->definition, dimension->name, name, &nearest);
    if (*set_out == NULL && owner != cube->definition)
        *set_out = find_in(owner, own, name, &nearest);
    if (*set_out != NULL) return VC_OK;
    vc_fail(error, VC_NOT_FOUND, "unknown_set",
            "dimension '%.*s' of cube '%.*s' has no member set "
            "'#%.*s'",
            VC_FMT(dimension->name), VC_FMT(cube->name), VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

static vc_status check_set(const vc_cube *cube, const vc_set_def *set, size_t number,
                           vc_error *error)
{
    vc_arena work = {0};
    size_t dimension;
    uint64_t *bits;
    const char *field = "/dim";
    vc_status status = vc_cube_find_dimension(cube, set->dim, &dimension, error);
    if (status == VC_OK) field = "/cut";
    for (size_t i = 0; i < set->nconditions && status == VC_OK; i++)
        status = vc_condition_evaluate(cube, &cube->dimensions[dimension], set->conditions[i],
                                       &work, &bits, error);
    vc_str pointer = vc_arena_printf(&work, "/sets/%zu", number);
    if (status != VC_OK && pointer.data != NULL)
        vc_model_place(cube->definition, pointer, field, status, error);
    vc_arena_release(&work);
    return status;
}

vc_status vc_cube_check_sets(const vc_cube *cube, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < cube->definition->nsets && status == VC_OK; i++)
        status = check_set(cube, &cube->definition->sets[i], i, error);
    return status;
}
