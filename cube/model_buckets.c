/* Synthetic leaves for unmatched keys, and the members that inner and right joins leave visible. */
#include "cube/model_virtual.h"

#include "base/bits.h"
#include "dimensions/renumber.h"

/* The text of an unmatched leaf in its synthetic key: its own key, else its lowest level's. */
static vc_str leaf_text(const vc_dimension *dimension, uint32_t leaf)
{
    if (dimension->leaf_keys.count > 0) return vc_texts_get(&dimension->leaf_keys, leaf);
    const vc_hierarchy *main = &dimension->hierarchies[0];
    const vc_level *lowest = &main->levels[main->nlevels - 1];
    return vc_texts_get(&lowest->keys, vc_numbers_get(lowest->leaf_members, leaf));
}

/* The same of a joined leaf or tuple: "GBP, 2020". */
static vc_str joined_text(const vc_source_cube *cube, const vc_binding *binding, uint32_t leaf,
                          vc_arena *arena)
{
    const vc_tuples *tuples = binding->tuples;
    if (tuples == NULL) return leaf_text(cube->dimensions[binding->source_dimension], leaf);
    vc_str text = leaf_text(tuples->dimensions[0], vc_tuples_leaf(tuples, 0, leaf));
    for (size_t c = 1; c < tuples->ncomponents; c++)
        text = vc_arena_printf(
            arena, "%.*s, %.*s", VC_FMT(text),
            VC_FMT(leaf_text(tuples->dimensions[c], vc_tuples_leaf(tuples, c, leaf))));
    return text;
}

static size_t count_unmatched(const vc_binding *binding)
{
    size_t nunmatched = 0;
    if (binding->kind == VC_BIND_RELATION && binding->unmatched != VC_UNMATCHED_DROP)
        for (uint32_t leaf = 0; leaf < binding->relation->nleaves; leaf++)
            nunmatched += binding->relation->fates[leaf] == VC_FATE_UNMATCHED;
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

/* The first source with unmatched leaves of the same join: sources of one nested cube have a bucket
 * together. */
static size_t find_leader(const vc_virtual_builder *builder, size_t source, size_t dimension)
{
    const vc_binding *mine = &builder->sources[source].bindings[dimension];
    for (size_t s = 0; s < source; s++) {
        const vc_binding *binding = &builder->sources[s].bindings[dimension];
        if (mine->join_relation != NULL && binding->join_relation == mine->join_relation &&
            count_unmatched(binding) > 0)
            return s;
    }
    return source;
}

/* Into the bucket of another source. */
static vc_status follow(vc_virtual_builder *builder, vc_binding *binding, const vc_bucket *buckets,
                        size_t nbuckets, size_t leader, vc_error *error)
{
    const vc_relation *relation = binding->relation;
    uint32_t *slots =
        vc_arena_alloc(builder->arena, ((size_t)relation->nleaves + 1) * sizeof *slots);
    size_t b = 0;
    if (slots == NULL) return vc_no_memory(error);
    while (b + 1 < nbuckets && buckets[b].source != leader)
        b++;
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++)
        slots[leaf] = relation->fates[leaf] == VC_FATE_UNMATCHED ? buckets[b].first : VC_NONE;
    binding->synthetic_slots = slots;
    return VC_OK;
}

vc_status vc_virtual_make_buckets(vc_virtual_builder *builder, size_t dimension, vc_error *error)
{
    vc_cube_dimension *outer = &builder->dimensions[dimension];
    size_t nsources = builder->virtual_cube->nsources, nbuckets = 0, nsynthetic = 0;
    for (size_t s = 0; s < nsources; s++) {
        const vc_binding *binding = &builder->sources[s].bindings[dimension];
        size_t nunmatched = count_unmatched(binding);
        if (nunmatched > 0 && find_leader(builder, s, dimension) != s) continue;
        nbuckets += nunmatched > 0;
        nsynthetic += binding->unmatched == VC_UNMATCHED_MEMBERS ? nunmatched : nunmatched > 0;
    }
    if (nbuckets == 0) return VC_OK;
    vc_bucket *buckets = VC_ARENA_NEW(builder->arena, vc_bucket, nbuckets);
    vc_synthetic *synthetics = VC_ARENA_NEW(builder->arena, vc_synthetic, nsynthetic);
    if (buckets == NULL || synthetics == NULL) return vc_no_memory(error);
    uint32_t nleaves = outer->dimension->nleaves, next = nleaves;
    outer->buckets = buckets;
    outer->synthetics = synthetics;
    for (size_t s = 0; s < nsources; s++) {
        vc_binding *binding = &builder->sources[s].bindings[dimension];
        if (count_unmatched(binding) == 0) continue;
        size_t leader = find_leader(builder, s, dimension);
        if (leader != s) {
            vc_status status = follow(builder, binding, buckets, outer->nbuckets, leader, error);
            if (status != VC_OK) return status;
            continue;
        }
        vc_status status = make_bucket(builder, s, binding, &buckets[outer->nbuckets++], synthetics,
                                       nleaves, &next, error);
        if (status != VC_OK) return status;
    }
    outer->nslots = next;
    outer->nsynthetic = next - nleaves;
    return VC_OK;
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
