/* Synthetic leaves for unmatched keys, and the members that inner and right joins leave visible. */
#include "cube/model_virtual.h"

#include "base/bits.h"
#include "dimensions/renumber.h"

vc_str vc_virtual_leaf_text(const vc_dimension *dimension, uint32_t leaf)
{
    if (dimension->leaf_keys.count > 0) return vc_texts_get(&dimension->leaf_keys, leaf);
    const vc_hierarchy *main = &dimension->hierarchies[0];
    unsigned lowest = main->nlevels - 1; /* that the leaf has a member of */
    while (lowest > 0 &&
           vc_member_is_hidden(&main->levels[lowest],
                               vc_numbers_get(main->levels[lowest].leaf_members, leaf)))
        lowest--;
    const vc_level *level = &main->levels[lowest];
    return vc_texts_get(&level->keys, vc_numbers_get(level->leaf_members, leaf));
}

/* The same of a joined leaf or tuple: "GBP, 2020". */
static vc_str joined_text(const vc_source_cube *cube, const vc_binding *binding, uint32_t leaf,
                          vc_arena *arena)
{
    const vc_tuples *tuples = binding->tuples;
    if (tuples == NULL)
        return vc_virtual_leaf_text(cube->dimensions[binding->source_dimension], leaf);
    vc_str text = vc_virtual_leaf_text(tuples->dimensions[0], vc_tuples_leaf(tuples, 0, leaf));
    for (size_t c = 1; c < tuples->ncomponents; c++)
        text = vc_arena_printf(
            arena, "%.*s, %.*s", VC_FMT(text),
            VC_FMT(vc_virtual_leaf_text(tuples->dimensions[c], vc_tuples_leaf(tuples, c, leaf))));
    return text;
}

/* Has a leaf facts for a bucket? Through a nested cube it may have some for members, too. */
static bool is_unmatched(const vc_binding *binding, uint32_t leaf)
{
    return binding->unmatched_points != NULL ? binding->unmatched_points[leaf] != VC_NONE
                                             : binding->relation->fates[leaf] == VC_FATE_UNMATCHED;
}

static size_t count_unmatched(const vc_binding *binding)
{
    size_t nunmatched = 0;
    if (binding->kind == VC_BIND_RELATION && binding->unmatched != VC_UNMATCHED_DROP)
        for (uint32_t leaf = 0; leaf < binding->relation->nleaves; leaf++)
            nunmatched += is_unmatched(binding, leaf);
    return nunmatched;
}

/* Give the unmatched leaves of one binding their synthetic slots, from *next on.
 *
 * order  [nleaves] in which they are numbered; NULL: by leaf */
static vc_status number_unmatched(vc_virtual_builder *builder, size_t source, vc_binding *binding,
                                  vc_bucket *bucket, const uint32_t *order,
                                  vc_synthetic *synthetics, uint32_t base, uint32_t *next,
                                  vc_error *error)
{
    const vc_relation *relation = binding->relation;
    const vc_cube_source *from = &builder->sources[source];
    uint32_t *slots = vc_arena_alloc(builder->arena, (size_t)relation->nleaves * sizeof *slots);
    *bucket = (vc_bucket){
        .source = source,
        .key = vc_arena_printf(builder->arena, "(unmatched:%.*s)", VC_FMT(binding->join_alias)),
        .first = *next,
        .has_members = binding->unmatched == VC_UNMATCHED_MEMBERS};
    if (slots == NULL || bucket->key.data == NULL) return vc_no_memory(error);
    if (!bucket->has_members) {
        synthetics[*next - base] =
            (vc_synthetic){.key = bucket->key, .source = source, .is_bucket = true};
        ++*next;
    }
    for (uint32_t i = 0; i < relation->nleaves; i++) {
        uint32_t leaf = order == NULL ? i : order[i];
        slots[leaf] = VC_NONE;
        if (relation->fates[leaf] != VC_FATE_UNMATCHED) continue;
        slots[leaf] = bucket->first;
        if (bucket->has_members) {
            vc_str key =
                vc_arena_printf(builder->arena, "%.*s:%.*s", VC_FMT(binding->join_alias),
                                VC_FMT(joined_text(from->cube, binding, leaf, builder->arena)));
            if (key.data == NULL) return vc_no_memory(error);
            synthetics[*next - base] = (vc_synthetic){.key = key, .source = source};
            slots[leaf] = (*next)++;
        }
    }
    bucket->end = *next;
    binding->synthetic_slots = slots;
    return VC_OK;
}

/* The same. Members stand in the order of the joined dimension's hierarchy, not in that in which
 * they were loaded: compacting must not change an answer. */
static vc_status make_bucket(vc_virtual_builder *builder, size_t source, vc_binding *binding,
                             vc_bucket *bucket, vc_synthetic *synthetics, uint32_t base,
                             uint32_t *next, vc_error *error)
{
    const vc_source_cube *from = builder->sources[source].cube;
    const uint32_t *order = NULL;
    vc_arena arena = {0};
    vc_status status = VC_OK;
    if (binding->unmatched == VC_UNMATCHED_MEMBERS && binding->tuples == NULL) /* they are in it */
        status = vc_dimension_order_leaves(from->dimensions[binding->source_dimension], &arena,
                                           &order, error);
    if (status == VC_OK)
        status = number_unmatched(builder, source, binding, bucket, order, synthetics, base, next,
                                  error);
    vc_arena_release(&arena);
    return status;
}

/* ---- buckets of nested cubes ---- */

/* Do two bindings go through one join of a nested cube? Its sources have a bucket together. */
static bool share_join(const vc_binding *a, const vc_binding *b)
{
    return a->nested_join != NULL && a->nested_join == b->nested_join;
}

/* The first source with unmatched leaves of the same join. */
static size_t find_leader(const vc_virtual_builder *builder, size_t source, size_t dimension)
{
    const vc_binding *mine = &builder->sources[source].bindings[dimension];
    for (size_t s = 0; s < source; s++) {
        const vc_binding *binding = &builder->sources[s].bindings[dimension];
        if (share_join(mine, binding) && count_unmatched(binding) > 0) return s;
    }
    return source;
}

/* The points of which some source has unmatched facts: bits. Returns how many; 0 also when out of
 * memory (*points_out NULL). */
static size_t mark_points(const vc_virtual_builder *builder, size_t leader, size_t dimension,
                          vc_arena *arena, uint64_t **points_out)
{
    const vc_binding *mine = &builder->sources[leader].bindings[dimension];
    uint32_t npoints = mine->nested_join->npoints;
    *points_out = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(npoints) + 1);
    if (*points_out == NULL) return 0;
    for (size_t s = leader; s < builder->virtual_cube->nsources; s++) {
        const vc_binding *binding = &builder->sources[s].bindings[dimension];
        for (uint32_t leaf = 0; share_join(mine, binding) && leaf < binding->relation->nleaves;
             leaf++)
            if (binding->unmatched_points[leaf] != VC_NONE)
                vc_bit_set(*points_out, binding->unmatched_points[leaf]);
    }
    return vc_bits_count(*points_out, npoints);
}

/* The slot of each unmatched point: the bucket's, or one of its own. In the order of the nested
 * cube's hierarchy, not of loading. */
static vc_status number_points(vc_virtual_builder *builder, size_t leader, size_t dimension,
                               vc_bucket *bucket, vc_synthetic *synthetics, uint32_t base,
                               uint32_t *next, uint32_t *slots, vc_error *error)
{
    const vc_binding *binding = &builder->sources[leader].bindings[dimension];
    const vc_nested_join *join = binding->nested_join;
    const uint32_t *order = NULL;
    uint64_t *points;
    vc_arena work = {0};
    vc_status status = VC_OK;
    *bucket = (vc_bucket){
        .source = leader,
        .key = vc_arena_printf(builder->arena, "(unmatched:%.*s)", VC_FMT(binding->join_alias)),
        .first = *next,
        .has_members = binding->unmatched == VC_UNMATCHED_MEMBERS};
    mark_points(builder, leader, dimension, &work, &points);
    if (points == NULL || bucket->key.data == NULL) status = vc_no_memory(error);
    if (!bucket->has_members)
        synthetics[(*next)++ - base] =
            (vc_synthetic){.key = bucket->key, .source = leader, .is_bucket = true};
    else if (status == VC_OK && join->tuples == NULL)
        status = vc_dimension_order_leaves(join->part->cube->dimensions[join->numbers[0]].dimension,
                                           &work, &order, error);
    for (uint32_t i = 0; i < join->npoints && status == VC_OK; i++) {
        uint32_t point = order != NULL && i < join->nmatching ? order[i] : i;
        slots[point] = VC_NONE;
        if (!vc_bit_get(points, point)) continue;
        slots[point] = bucket->first;
        if (!bucket->has_members) continue;
        vc_str text = vc_nested_point_text(join, point, builder->arena);
        vc_str key =
            vc_arena_printf(builder->arena, "%.*s:%.*s", VC_FMT(binding->join_alias), VC_FMT(text));
        if (key.data == NULL) status = vc_no_memory(error);
        synthetics[*next - base] = (vc_synthetic){.key = key, .source = leader};
        slots[point] = (*next)++;
    }
    bucket->end = *next;
    vc_arena_release(&work);
    return status;
}

/* One bucket for all sources of a nested cube that are joined together. */
static vc_status make_nested_bucket(vc_virtual_builder *builder, size_t leader, size_t dimension,
                                    vc_bucket *bucket, vc_synthetic *synthetics, uint32_t base,
                                    uint32_t *next, vc_error *error)
{
    vc_binding *mine = &builder->sources[leader].bindings[dimension];
    uint32_t *of_point =
        vc_arena_alloc(builder->arena, ((size_t)mine->nested_join->npoints + 1) * sizeof *of_point);
    if (of_point == NULL) return vc_no_memory(error);
    vc_status status =
        number_points(builder, leader, dimension, bucket, synthetics, base, next, of_point, error);
    for (size_t s = leader; s < builder->virtual_cube->nsources && status == VC_OK; s++) {
        vc_binding *binding = &builder->sources[s].bindings[dimension];
        if (!share_join(mine, binding)) continue;
        uint32_t nleaves = binding->relation->nleaves;
        uint32_t *slots = vc_arena_alloc(builder->arena, ((size_t)nleaves + 1) * sizeof *slots);
        if (slots == NULL) return vc_no_memory(error);
        for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
            uint32_t point = binding->unmatched_points[leaf];
            slots[leaf] = point == VC_NONE ? VC_NONE : of_point[point];
        }
        binding->synthetic_slots = slots;
        if (binding->through != NULL) binding->through->slots = of_point;
    }
    return status;
}

/* ---- buckets ---- */

/* How many synthetic slots a source brings: none, when another one of its nested cube stands for
 * it. */
static vc_status count_slots(const vc_virtual_builder *builder, size_t source, size_t dimension,
                             size_t *count_out, vc_error *error)
{
    const vc_binding *binding = &builder->sources[source].bindings[dimension];
    vc_arena work = {0};
    uint64_t *points;
    *count_out = count_unmatched(binding);
    if (*count_out == 0) return VC_OK;
    if (binding->nested_join != NULL) {
        if (find_leader(builder, source, dimension) != source) {
            *count_out = 0;
            return VC_OK;
        }
        *count_out = mark_points(builder, source, dimension, &work, &points);
        vc_arena_release(&work);
        if (*count_out == 0) return vc_no_memory(error);
    }
    if (binding->unmatched != VC_UNMATCHED_MEMBERS) *count_out = 1;
    return VC_OK;
}

vc_status vc_virtual_make_buckets(vc_virtual_builder *builder, size_t dimension, vc_error *error)
{
    vc_cube_dimension *outer = &builder->dimensions[dimension];
    size_t nsources = builder->virtual_cube->nsources, nbuckets = 0, nsynthetic = 0, count;
    vc_status status = VC_OK;
    for (size_t s = 0; s < nsources && status == VC_OK; s++) {
        status = count_slots(builder, s, dimension, &count, error);
        nbuckets += count > 0;
        nsynthetic += count;
    }
    if (status != VC_OK || nbuckets == 0) return status;
    vc_bucket *buckets = VC_ARENA_NEW(builder->arena, vc_bucket, nbuckets);
    vc_synthetic *synthetics = VC_ARENA_NEW(builder->arena, vc_synthetic, nsynthetic);
    if (buckets == NULL || synthetics == NULL) return vc_no_memory(error);
    uint32_t nleaves = outer->dimension->nleaves, next = nleaves;
    outer->buckets = buckets;
    outer->synthetics = synthetics;
    for (size_t s = 0; s < nsources && status == VC_OK; s++) {
        vc_binding *binding = &builder->sources[s].bindings[dimension];
        status = count_slots(builder, s, dimension, &count, error);
        if (status != VC_OK || count == 0) continue;
        vc_bucket *bucket = &buckets[outer->nbuckets++];
        status = binding->nested_join != NULL
                     ? make_nested_bucket(builder, s, dimension, bucket, synthetics, nleaves, &next,
                                          error)
                     : make_bucket(builder, s, binding, bucket, synthetics, nleaves, &next, error);
    }
    outer->nslots = next;
    outer->nsynthetic = next - nleaves;
    return status;
}

/* Clear the leaves that a join without match hides. */
static vc_status hide_unmatched(vc_virtual_builder *builder, const vc_binding *binding,
                                const vc_dimension *primary, uint64_t *visible, vc_error *error)
{
    const vc_relation *relation =
        binding->join_relation != NULL ? binding->join_relation : binding->relation;
    uint64_t *matched = VC_ARENA_NEW(builder->arena, uint64_t, vc_bits_words(relation->nunits) + 1);
    if (matched == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        for (size_t i = 0; i < nunits; i++)
            vc_bit_set(matched, units[i]);
    }
    const vc_numbers unit_of =
        relation->level < 0
            ? (vc_numbers){0} /* the leaf itself */
            : primary->hierarchies[relation->hierarchy].levels[relation->level].leaf_members;
    for (uint32_t leaf = 0; leaf < primary->nleaves; leaf++)
        if (!vc_bit_get(matched, vc_numbers_get(unit_of, leaf))) vc_bit_clear(visible, leaf);
    return VC_OK;
}

vc_status vc_virtual_find_visible(vc_virtual_builder *builder, size_t dimension, vc_error *error)
{
    vc_cube_dimension *outer = &builder->dimensions[dimension];
    uint64_t *visible = NULL;
    for (size_t s = 0; s < builder->virtual_cube->nsources; s++) {
        const vc_binding *binding = &builder->sources[s].bindings[dimension];
        if (binding->kind != VC_BIND_RELATION ||
            (binding->join_kind != VC_JOIN_INNER && binding->join_kind != VC_JOIN_RIGHT))
            continue;
        if (visible == NULL) {
            visible = VC_ARENA_NEW(builder->arena, uint64_t, vc_bits_words(outer->nslots) + 1);
            if (visible == NULL) return vc_no_memory(error);
            vc_bits_set_range(visible, 0, outer->nslots);
        }
        vc_status status = hide_unmatched(builder, binding, outer->dimension, visible, error);
        if (status != VC_OK) return status;
    }
    outer->visible = visible;
    return VC_OK;
}
