/* What a join declares of its relation, verified: cardinality, fan-out, coverage. The errors list
 * the keys. */
#include "cube/model_virtual.h"

#include "base/bits.h"

vc_str vc_virtual_unit_key(const vc_relation *relation, const vc_dimension *dimension,
                           uint32_t unit)
{
    if (relation->level >= 0)
        return vc_texts_get(
            &dimension->hierarchies[relation->hierarchy].levels[relation->level].keys, unit);
    if (dimension->leaf_keys.count > 0) return vc_texts_get(&dimension->leaf_keys, unit);
    const vc_hierarchy *main = &dimension->hierarchies[0];
    const vc_level *lowest = &main->levels[main->nlevels - 1];
    return vc_texts_get(&lowest->keys, vc_numbers_get(lowest->leaf_members, unit));
}

/* The keys of units that have several joined leaves, at most five, and how many there are. */
static vc_status fail_cardinality(const vc_relation *relation, const vc_dimension *primary,
                                  vc_error *error)
{
    vc_arena work = {0};
    uint32_t *counts = VC_ARENA_NEW(&work, uint32_t, (size_t)relation->nunits + 1);
    vc_str list = VC_STR("");
    size_t nseveral = 0;
    if (counts == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        for (size_t i = 0; i < nunits; i++)
            counts[units[i]]++;
    }
    for (uint32_t unit = 0; unit < relation->nunits; unit++)
        if (counts[unit] > 1 && nseveral++ < 5)
            list =
                vc_arena_printf(&work, "%.*s%s'%.*s' (%u)", VC_FMT(list), nseveral > 1 ? ", " : "",
                                VC_FMT(vc_virtual_unit_key(relation, primary, unit)), counts[unit]);
    vc_fail(error, VC_IMPOSSIBLE, "cardinality",
            "the join is declared to find one member per key, but %zu keys find several: %.*s%s",
            nseveral, VC_FMT(list), nseveral > 5 ? ", ..." : "");
    vc_arena_release(&work);
    return VC_IMPOSSIBLE;
}

/* The members of the primary that share keys, group by group, at most five groups, and how many
 * there are. */
static vc_status fail_fanout(const vc_relation *relation, const vc_dimension *primary,
                             vc_error *error)
{
    vc_arena work = {0};
    uint64_t *is_listed = VC_ARENA_NEW(&work, uint64_t, vc_bits_words(relation->nunits) + 1);
    vc_str list = VC_STR("");
    size_t ngroups = 0;
    if (is_listed == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        if (nunits < 2 || vc_bit_get(is_listed, units[0])) continue;
        vc_bit_set(is_listed, units[0]);
        if (ngroups++ >= 5) continue;
        for (size_t i = 0; i < nunits && i < 5; i++)
            list = vc_arena_printf(&work, "%.*s%s'%.*s'", VC_FMT(list),
                                   i > 0         ? " and "
                                   : ngroups > 1 ? ", "
                                                 : "",
                                   VC_FMT(vc_virtual_unit_key(relation, primary, units[i])));
    }
    vc_fail(error, VC_IMPOSSIBLE, "fanout",
            "members of the primary share keys, so that facts fall on several of them, and "
            "on_fanout is \"error\": %.*s%s",
            VC_FMT(list), ngroups > 5 ? ", ..." : "");
    vc_arena_release(&work);
    return VC_IMPOSSIBLE;
}

vc_status vc_virtual_check_join(const vc_join_def *join, const vc_relation *relation,
                                const vc_dimension *primary, bool is_partial,
                                const char **field_out, vc_error *error)
{
    const vc_coverage *coverage = &relation->coverage;
    *field_out = "";
    if (is_partial) return VC_OK; /* the whole was checked */
    *field_out = "/join/cardinality";
    if (join->is_cardinality_one && relation->has_unit_fanin)
        return fail_cardinality(relation, primary, error);
    *field_out = "/join/on_fanout";
    if (join->on_fanout == VC_FANOUT_ERROR && relation->has_fanout)
        return fail_fanout(relation, primary, error);
    *field_out = "/join/min_coverage";
    double share =
        coverage->keys == 0 ? 1 : (double)coverage->keys_matched / (double)coverage->keys;
    if (share < join->min_coverage)
        return vc_fail(error, VC_IMPOSSIBLE, "low_coverage",
                       "%llu of %llu keys match, that is %.1f%%; min_coverage asks for %.1f%%",
                       (unsigned long long)coverage->keys_matched,
                       (unsigned long long)coverage->keys, 100 * share, 100 * join->min_coverage);
    return VC_OK;
}

bool vc_sources_cut(const vc_cube_source *sources, size_t nsources, size_t dimension)
{
    for (size_t s = 0; s < nsources; s++) {
        const vc_binding *binding = &sources[s].bindings[dimension];
        const vc_leaf_mask *masks = sources[s].cube->masks;
        if ((binding->kind == VC_BIND_IDENTITY || binding->is_united) && masks != NULL &&
            masks[binding->source_dimension].is_cut)
            return true;
    }
    return false;
}

vc_status vc_virtual_close(const vc_virtual_builder *builder, size_t dimension,
                           const vc_relation **relation, vc_error *error)
{
    const vc_relation *from = *relation;
    if (!vc_sources_cut(builder->sources, builder->virtual_cube->nsources, dimension)) return VC_OK;
    vc_relation *closed = VC_ARENA_NEW(builder->arena, vc_relation, 1);
    uint8_t *fates = VC_ARENA_NEW(builder->arena, uint8_t, (size_t)from->nleaves + 1);
    if (closed == NULL || fates == NULL) return vc_no_memory(error);
    *closed = *from;
    for (uint32_t leaf = 0; leaf < from->nleaves; leaf++)
        fates[leaf] = from->fates[leaf] == VC_FATE_MATCHED ? VC_FATE_MATCHED : VC_FATE_EXCLUDED;
    closed->fates = fates;
    closed->coverage.keys = from->coverage.keys_matched;
    closed->coverage.members = from->coverage.members_matched;
    closed->coverage.excluded = 0;
    closed->nunmatched = 0;
    if (from->nunmatched > 0) closed->joined_collisions = (vc_collisions){0};
    *relation = closed;
    return VC_OK;
}
