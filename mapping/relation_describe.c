/* What is told of a resolved join: what did not match and why, coverage, and which keys are one. */
#include "mapping/relation_any.h"

#include <stdlib.h>
#include <string.h>

/* ---- what did not match, and coverage ---- */

const char *const vc_unmatched_reasons[] = {
    [VC_KEY_OK] = "no such key in the primary", [VC_KEY_EMPTY] = "empty key",
    [VC_KEY_UNKNOWN] = "unknown code",          [VC_KEY_WITHDRAWN] = "withdrawn code",
    [VC_KEY_AMBIGUOUS] = "ambiguous code",      [VC_KEY_AGGREGATE] = "an aggregate, not a member",
};

static const char *why_not(const struct vc_resolver *resolver, uint32_t leaf, bool *is_excluded)
{
    const struct vc_resolver_side *joined = &resolver->joined;
    *is_excluded = false;
    for (size_t pair = 0; pair < resolver->npairs; pair++) {
        uint32_t value = joined->values[pair][leaf];
        const vc_index *to = resolver->pairs[pair].to;
        if (value == VC_NONE)
            return to != NULL && to->is_partial ? VC_NOT_IN_INDEX
                                                : vc_unmatched_reasons[VC_KEY_EMPTY];
        vc_key_state state = joined->value_keys[pair].states[value];
        if (state != VC_KEY_OK) {
            *is_excluded = joined->value_keys[pair].is_excluded[value];
            return vc_unmatched_reasons[state];
        }
    }
    return vc_unmatched_reasons[VC_KEY_OK];
}

/* The value that a variant is of. */
static uint32_t base_of(const struct vc_resolver *resolver, size_t pair, uint32_t value,
                        bool *is_variant_out)
{
    uint32_t nvalues = vc_resolver_count_values(resolver->pairs[pair].to);
    *is_variant_out = value >= nvalues;
    if (!*is_variant_out) return value;
    return resolver->joined.value_keys[pair]
        .bases[(value - nvalues) / (uint32_t)resolver->when->nperiods];
}

/* The key of a joined leaf as it was found, with its time behind it where it depends on that;
 * absent when any component is null. */
static vc_str found_key(const struct vc_resolver *resolver, uint32_t leaf, vc_arena *arena)
{
    vc_str text = {0};
    bool is_first = true, is_timed = false;
    for (size_t pair = 0; pair < resolver->npairs; pair++) {
        uint32_t value = resolver->joined.values[pair][leaf];
        const vc_index *to = resolver->pairs[pair].to;
        bool is_variant;
        if (value == VC_NONE) return (vc_str){0};
        value = base_of(resolver, pair, value, &is_variant);
        is_timed |= is_variant;
        if (to == NULL) continue;
        vc_str part = vc_texts_get(&to->values, value);
        text = is_first ? part : vc_arena_printf(arena, "%.*s, %.*s", VC_FMT(text), VC_FMT(part));
        is_first = false;
    }
    if (!is_timed) return text;
    const vc_relation_when *when = resolver->when;
    vc_str time = vc_period_text(when->periods[when->period_of[leaf]], arena);
    return vc_arena_printf(arena, "%.*s, %.*s", VC_FMT(text), VC_FMT(time));
}

/* The keys of all joined leaves, where they are not simply those of the indexes. */
static vc_status keep_keys(struct vc_resolver *resolver, vc_relation *relation, vc_error *error)
{
    vc_str *keys = VC_ARENA_NEW(resolver->arena, vc_str, (size_t)relation->nleaves + 1);
    if (keys == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        vc_str key = found_key(resolver, leaf, &resolver->work);
        if (vc_str_is_null(key)) continue;
        keys[leaf] = vc_arena_str(resolver->arena, key);
        if (keys[leaf].data == NULL) return vc_no_memory(error);
    }
    relation->keys = keys;
    return VC_OK;
}

static int compare_unmatched(const void *a, const void *b)
{
    return vc_str_compare(((const vc_unmatched_key *)a)->key, ((const vc_unmatched_key *)b)->key);
}

/* Joined leaves that have keys of their own: of places of one leaf (relation_places.c) only the
 * first, unless some index stands on a level, of which each place has a member. */
static uint32_t count_told(const struct vc_resolver *resolver)
{
    for (size_t pair = 0; pair < resolver->npairs; pair++)
        if (resolver->pairs[pair].to != NULL && resolver->pairs[pair].to->hierarchy >= 0)
            return resolver->joined.dimension->nleaves;
    return vc_dimension_count_leaves(resolver->joined.dimension);
}

/* Fates of leaves, counts of keys, and the list of what did not match: one pass over the leaves,
 * with the distinct raw keys numbered by their values' numbers. */
static vc_status describe(struct vc_resolver *resolver, vc_relation *relation, vc_error *error)
{
    vc_coverage *coverage = &relation->coverage;
    size_t npairs = resolver->npairs;
    vc_strmap keys = {0};
    uint32_t *tuple = VC_ARENA_NEW(&resolver->work, uint32_t, npairs);
    uint8_t *fates = VC_ARENA_NEW(resolver->arena, uint8_t, (size_t)relation->nleaves + 1);
    vc_unmatched_key *found =
        VC_ARENA_NEW(resolver->arena, vc_unmatched_key, (size_t)relation->nleaves + 1);
    uint32_t *place =
        VC_ARENA_NEW(&resolver->work, uint32_t, (size_t)relation->nleaves + 1); /* of key: +1 */
    vc_status status = VC_NO_MEMORY;
    if (tuple == NULL || fates == NULL || found == NULL || place == NULL) goto done;
    relation->fates = fates;
    relation->unmatched = found;
    const uint64_t *seen = resolver->pairs[0].to_leaves;
    coverage->members = seen == NULL ? relation->nleaves : vc_bits_count(seen, relation->nleaves);
    uint32_t nleaves = count_told(resolver);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        if (seen != NULL && !vc_bit_get(seen, leaf)) {
            fates[leaf] = VC_FATE_EXCLUDED; /* it is nobody's */
            continue;
        }
        const uint32_t *units;
        bool is_matched = vc_relation_units(relation, leaf, &units) > 0, is_new, has_null = false;
        for (size_t pair = 0; pair < npairs; pair++) {
            tuple[pair] = resolver->joined.values[pair][leaf];
            has_null |= tuple[pair] == VC_NONE;
        }
        uint32_t key = vc_strmap_put(
            &keys, (vc_str){.data = (const char *)tuple, .size = npairs * sizeof *tuple}, &is_new);
        if (key == VC_STRMAP_NONE) goto done;
        coverage->keys += is_new && !has_null;
        coverage->keys_matched += is_new && is_matched;
        coverage->members_matched += is_matched;
        if (is_matched) continue;
        bool is_excluded;
        const char *why = why_not(resolver, leaf, &is_excluded);
        fates[leaf] = is_excluded ? VC_FATE_EXCLUDED : VC_FATE_UNMATCHED;
        coverage->excluded += is_excluded;
        if (is_new) {
            place[key] = (uint32_t)relation->nunmatched + 1;
            found[relation->nunmatched++] = (vc_unmatched_key){
                .key = vc_arena_str(resolver->arena, found_key(resolver, leaf, &resolver->work)),
                .leaf = leaf,
                .why = why,
                .is_excluded = is_excluded};
        }
        found[place[key] - 1].nleaves++;
    }
    for (uint32_t leaf = nleaves; leaf < relation->nleaves; leaf++) /* other places of those */
        fates[leaf] = fates[vc_leaf_first(resolver->joined.dimension, leaf)];
    qsort(found, relation->nunmatched, sizeof *found, compare_unmatched);
    status = VC_OK;
done:
    vc_strmap_release(&keys);
    return status == VC_OK ? VC_OK : vc_no_memory(error);
}

/* ---- keys that are one ---- */

/* Which values of a component became the same key, on one side. */
static vc_status find_collisions(struct vc_resolver *resolver, const struct vc_resolver_side *side,
                                 size_t pair, const vc_index *index, vc_collisions *out,
                                 vc_error *error)
{
    const struct vc_value_keys *keys = &side->value_keys[pair];
    const vc_strmap *texts = &resolver->components[pair];
    uint32_t *firsts = vc_arena_alloc(&resolver->work, ((size_t)texts->count + 1) * sizeof *firsts);
    if (firsts == NULL) return vc_no_memory(error);
    memset(firsts, 0xFF, ((size_t)texts->count + 1) * sizeof *firsts);
    for (uint32_t value = 0; index != NULL && value < index->values.count; value++)
        for (uint32_t i = keys->offsets[value]; i < keys->offsets[value + 1]; i++) {
            uint32_t key = vc_resolver_component(resolver, keys->keys[i]), first = firsts[key];
            if (first == VC_NONE)
                firsts[key] = value;
            else if (!vc_collisions_note(out, vc_texts_get(&index->values, first),
                                         vc_texts_get(&index->values, value), texts->keys[key],
                                         resolver->arena))
                return vc_no_memory(error);
        }
    return VC_OK;
}

uint64_t vc_relation_count_members(const vc_dimension *primary, const vc_relation *relation,
                                   const uint64_t *seen)
{
    uint64_t count = seen == NULL ? relation->nunits : vc_bits_count(seen, relation->nunits);
    if (relation->hierarchy < 0) return count;
    const vc_level *level = &primary->hierarchies[relation->hierarchy].levels[relation->level];
    for (uint32_t unit = 0; level->is_ragged && unit < relation->nunits; unit++)
        count -= vc_member_is_hidden(level, unit) && (seen == NULL || vc_bit_get(seen, unit));
    return count;
}

uint64_t vc_relation_count_duplicates(const vc_index *index)
{
    uint64_t count = 0;
    for (uint32_t value = 0; value < index->values.count && !index->is_unique; value++)
        count +=
            vc_numbers_get(index->offsets, value + 1) > vc_numbers_get(index->offsets, value) + 1;
    return count;
}

/* Keys as found that several units of the primary have. */
static vc_status count_duplicates(struct vc_resolver *resolver, uint64_t *count_out,
                                  vc_error *error)
{
    const struct vc_resolver_side *side = &resolver->primary;
    size_t npairs = resolver->npairs;
    vc_strmap keys = {0};
    if (npairs == 1) {
        *count_out = vc_relation_count_duplicates(resolver->pairs[0].from);
        return VC_OK;
    }
    uint32_t *tuple = VC_ARENA_NEW(&resolver->work, uint32_t, npairs);
    uint8_t *seen = VC_ARENA_NEW(&resolver->work, uint8_t, (size_t)side->nunits + 1); /* by key */
    bool is_whole = tuple != NULL && seen != NULL;
    for (uint32_t unit = 0; unit < side->nunits && is_whole; unit++) {
        bool has_null = false;
        for (size_t pair = 0; pair < npairs; pair++) {
            tuple[pair] = side->values[pair][unit];
            has_null |= tuple[pair] == VC_NONE;
        }
        if (has_null) continue;
        uint32_t key = vc_strmap_put(
            &keys, (vc_str){.data = (const char *)tuple, .size = npairs * sizeof *tuple}, NULL);
        is_whole = key != VC_STRMAP_NONE;
        if (is_whole) *count_out += seen[key] == 1;
        if (is_whole && seen[key] < 2) seen[key]++;
    }
    vc_strmap_release(&keys);
    return is_whole ? VC_OK : vc_no_memory(error);
}

static vc_status describe_keys(struct vc_resolver *resolver, vc_relation *relation, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < resolver->npairs && status == VC_OK; i++) {
        const vc_relation_pair *pair = &resolver->pairs[i];
        status = find_collisions(resolver, &resolver->joined, i, pair->to,
                                 &relation->joined_collisions, error);
        if (status == VC_OK)
            status = find_collisions(resolver, &resolver->primary, i, pair->from,
                                     &relation->primary_collisions, error);
    }
    return status == VC_OK ? count_duplicates(resolver, &relation->primary_duplicates, error)
                           : status;
}

vc_status vc_resolver_describe(struct vc_resolver *resolver, vc_relation *relation, vc_error *error)
{
    vc_status status = describe(resolver, relation, error);
    if (status == VC_OK && resolver->when != NULL) status = keep_keys(resolver, relation, error);
    return status == VC_OK ? describe_keys(resolver, relation, error) : status;
}
