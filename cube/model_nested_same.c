/* A dimension of a nested cube that is one with a dimension of the cube around it, without a join:
 * named in `common`, or of the same shared dimension file. Members that only one side has are
 * empty in the other; nothing is unmatched, but what the nested cube has in buckets of its own. */
#include "cube/model_virtual.h"

#include "base/bits.h"

vc_str vc_virtual_shared_name(const vc_source_cube *cube, size_t dimension)
{
    return cube->definition->as.cube.dimensions[dimension].shared;
}

/* The source cube that a dimension of the nested cube comes from, as it is there, and which of its
 * dimensions it is; NULL: it was put together. */
static const vc_source_cube *find_origin(const vc_cube_source *sources,
                                         const vc_cube_dimension *dimension, size_t number,
                                         size_t *source_dimension_out)
{
    const vc_cube_source *owner = &sources[dimension->owner];
    const vc_binding *binding = &owner->bindings[number];
    *source_dimension_out = binding->source_dimension;
    return binding->kind == VC_BIND_IDENTITY ? owner->cube : NULL;
}

bool vc_nested_shares(const vc_virtual_builder *builder, const vc_virtual_part *part, size_t number,
                      size_t dimension)
{
    size_t mine, other;
    const vc_source_cube *cube =
        find_origin(part->cube->sources, &part->cube->dimensions[number], number, &mine);
    const vc_source_cube *outer =
        find_origin(builder->sources, &builder->dimensions[dimension], dimension, &other);
    if (cube == NULL || outer == NULL) return false;
    if (cube == outer && mine == other) return true;
    vc_str shared = vc_virtual_shared_name(cube, mine);
    return shared.data != NULL && vc_str_equal(shared, vc_virtual_shared_name(outer, other));
}

/* ---- the same leaves under other numbers ---- */

/* The nested cube's leaves in the dimension here. place NULL: by their keys, or the numbers are the
 * same. */
static vc_status relate(vc_virtual_builder *builder, const vc_dimension *inner,
                        const vc_dimension *outer, const vc_united_place *place,
                        const vc_relation **relation_out, vc_error *error)
{
    vc_united_place same = {.level = -1};
    if (place == NULL && inner->fingerprint != outer->fingerprint)
        return vc_relation_resolve(outer, inner, NULL, 0, builder->arena, relation_out, error);
    if (place == NULL) {
        same.units =
            vc_arena_alloc(builder->arena, ((size_t)inner->nleaves + 1) * sizeof *same.units);
        if (same.units == NULL) return vc_no_memory(error);
        for (uint32_t leaf = 0; leaf < inner->nleaves; leaf++)
            same.units[leaf] = leaf;
        place = &same;
    }
    return vc_virtual_relate_place(builder->arena, inner, outer, place, relation_out, error);
}

static vc_status bind_source(vc_virtual_builder *builder, const vc_nested_join *join, size_t k,
                             size_t dimension, const vc_relation *relation, vc_error *error)
{
    const vc_virtual_part *part = join->part;
    const vc_binding *from = &part->cube->sources[k].bindings[join->numbers[0]];
    const vc_nested_reach *reach = &join->reaches[k];
    vc_binding *binding = &builder->sources[part->first + k].bindings[dimension];
    vc_relation *made;
    vc_status status = vc_nested_reach_points(builder->model, join, k, relation, error);
    if (status != VC_OK) return status;
    *binding = *from;
    binding->synthetic_slots = NULL;
    binding->join_relation = relation;
    binding->nested_join = join;
    binding->join_kind = VC_JOIN_LEFT; /* what the nested cube hides, it hides from itself only */
    binding->unmatched = VC_UNMATCHED_BUCKET;
    binding->is_united = from->kind == VC_BIND_IDENTITY || from->is_united;
    if (binding->is_united) binding->join_alias = part->definition->alias;
    status = vc_nested_compose(builder->arena, join, reach, relation, VC_MODE_SET, binding, error);
    if (status != VC_OK || from->kind != VC_BIND_RELATION) return status;
    made = VC_ARENA_NEW(builder->arena, vc_relation, 1); /* the quality is that of the inner join */
    if (made == NULL) return vc_no_memory(error);
    *made = *binding->relation;
    made->coverage = from->relation->coverage;
    made->unmatched = from->relation->unmatched;
    made->nunmatched = from->relation->nunmatched;
    made->joined_collisions = from->relation->joined_collisions;
    made->primary_collisions = from->relation->primary_collisions;
    made->primary_duplicates = from->relation->primary_duplicates;
    binding->relation = made;
    return VC_OK;
}

vc_status vc_nested_bind_same(vc_virtual_builder *builder, vc_virtual_part *part, size_t number,
                              size_t dimension, const vc_united_place *place, vc_error *error)
{
    const vc_cube_dimension *inner = &part->cube->dimensions[number];
    const vc_dimension *outer = builder->dimensions[dimension].dimension;
    size_t *numbers = VC_ARENA_NEW(builder->arena, size_t, 1);
    vc_nested_join *join = VC_ARENA_NEW(builder->arena, vc_nested_join, 1);
    const vc_relation *relation;
    if (numbers == NULL || join == NULL) return vc_no_memory(error);
    numbers[0] = number;
    *join = (vc_nested_join){.part = part, .numbers = numbers, .n = 1};
    vc_status status = vc_nested_find_points(builder->model, join, error);
    if (status == VC_OK) status = relate(builder, inner->dimension, outer, place, &relation, error);
    if (status == VC_OK) status = vc_nested_hide(builder->arena, inner, relation, &relation, error);
    part->outer[number] = dimension;
    for (size_t k = 0; k < part->count && status == VC_OK; k++) {
        const vc_binding *from = &part->cube->sources[k].bindings[number];
        vc_binding *binding = &builder->sources[part->first + k].bindings[dimension];
        bool is_own = from->kind == VC_BIND_IDENTITY && inner->visible == NULL && place == NULL &&
                      inner->dimension->fingerprint == outer->fingerprint;
        if (from->kind == VC_BIND_NONE) continue;
        builder->is_bound[part->first + k][from->source_dimension] = true;
        for (size_t c = 0; from->tuples != NULL && c < from->tuples->ncomponents; c++)
            builder->is_bound[part->first + k][from->components[c]] = true;
        if (is_own)
            *binding = *from;
        else
            status = bind_source(builder, join, k, dimension, relation, error);
    }
    return status;
}
