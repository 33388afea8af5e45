/* Resolving a join. One pair of indexes whose values have one key each, which is the usual join, is
 * done in relation_single.c. Any join is resolved in three steps:
 *
 *   1. Each distinct value of each index is normalised once; what comes out OK gets a number that
 * both sides share, so from here on keys are compared as numbers.
 *   2. Each side becomes a list of (unit, key number) per unit: `struct vc_resolver_side`. A
 * composite key is the tuple of its components' numbers, numbered again.
 *      Where keys depend on the time, a value has *variants*, one for each period: those of the
 *      primary are keys of that period only, and a joined unit has the variant of its own.
 *   3. The primary's list is turned around (key -> units), and each joined leaf collects the units
 * of its keys, without repetition.
 */
#include "base/bits.h"
#include "mapping/relation_any.h"
#include "mapping/relation_places.h"

#include <stdlib.h>
#include <string.h>

/* ---- step 2: the keys of units ---- */

/* values[unit] of an index, whose members may stand on a level above the unit. */
static vc_status spread_values(struct vc_resolver *resolver, const struct vc_resolver_side *side,
                               const vc_index *index, uint32_t **values_out, vc_error *error)
{
    const vc_dimension *dimension = side->dimension;
    if (index == NULL) { /* a constant: value 0 */
        *values_out = VC_ARENA_NEW(&resolver->work, uint32_t, (size_t)side->nunits + 1);
        return *values_out == NULL ? vc_no_memory(error) : VC_OK;
    }
    bool is_leaf_index = index->hierarchy < 0;
    uint32_t nmembers =
        is_leaf_index ? dimension->nleaves
                      : dimension->hierarchies[index->hierarchy].levels[index->level].nmembers;
    uint32_t *of_member = vc_arena_alloc(&resolver->work, (size_t)nmembers * sizeof *of_member);
    if (of_member == NULL) return vc_no_memory(error);
    memset(of_member, 0xFF, (size_t)nmembers * sizeof *of_member);
    for (uint32_t value = 0; value < index->values.count; value++)
        for (uint32_t i = vc_numbers_get(index->offsets, value);
             i < vc_numbers_get(index->offsets, value + 1); i++)
            of_member[index->members[i]] = value;

    bool is_same_grain = index->hierarchy == side->hierarchy && index->level == side->level;
    if (is_same_grain) {
        *values_out = of_member;
        return VC_OK;
    }
    uint32_t *of_unit = vc_arena_alloc(&resolver->work, (size_t)side->nunits * sizeof *of_unit);
    if (of_unit == NULL) return vc_no_memory(error);
    const vc_level *levels = dimension->hierarchies[index->hierarchy].levels;
    for (uint32_t unit = 0; unit < side->nunits; unit++) {
        uint32_t member = unit;
        if (side->level < 0) /* the side counts in leaves: a leaf has its member's value */
            member = vc_numbers_get(levels[index->level].leaf_members, unit);
        for (int level = side->level; level > index->level; level--)
            member = vc_numbers_get(levels[level].parents, member);
        of_unit[unit] = of_member[member];
    }
    *values_out = of_unit;
    return VC_OK;
}

struct tuples { /* the composite keys of a side */
    struct vc_key_numbers keys;
    struct vc_key_weights weights;
    uint32_t *tuple; /* [npairs] room for the numbers of the combination at hand */
};

/* Add the composite keys of a unit: every combination of its components' keys.
 *
 * weight  of the components before `pair` */
static vc_status add_tuples(struct vc_resolver *resolver, const struct vc_resolver_side *side,
                            uint32_t unit, size_t pair, double weight, struct tuples *out,
                            vc_error *error)
{
    uint32_t *tuple = out->tuple;
    if (pair == resolver->npairs) {
        uint32_t number = tuple[0];
        if (resolver->npairs > 1) {
            /* Numbers have a fixed size, so no separator is needed. */
            vc_str bytes = {.data = (const char *)tuple, .size = pair * sizeof *tuple};
            number = vc_strmap_put(&resolver->tuples, bytes, NULL);
        }
        if (number == VC_STRMAP_NONE || !vc_key_numbers_add(&resolver->work, &out->keys, number) ||
            (resolver->is_weighted && !vc_key_weights_add(&resolver->work, &out->weights, weight)))
            return vc_no_memory(error);
        return VC_OK;
    }
    uint32_t value = side->values[pair][unit];
    if (value == VC_NONE) return VC_OK; /* a null component never matches */
    const struct vc_value_keys *value_keys = &side->value_keys[pair];
    uint32_t first = value_keys->offsets[value], end = value_keys->offsets[value + 1];
    if (side == &resolver->primary && value_keys->variants != NULL &&
        value_keys->variants[value] != VC_NONE) { /* what it is at each time */
        first = value_keys->offsets[value_keys->variants[value]];
        end = value_keys->offsets[value_keys->variants[value] + resolver->when->nperiods];
    }
    for (uint32_t i = first; i < end; i++) {
        double part = value_keys->weights == NULL ? 1 : value_keys->weights[i];
        tuple[pair] = value_keys->keys[i];
        vc_status status = add_tuples(resolver, side, unit, pair + 1, weight * part, out, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* Bits of the units of which a leaf is to be seen; NULL: of all. */
static vc_status find_seen(struct vc_resolver *resolver, vc_error *error)
{
    const struct vc_resolver_side *side = &resolver->primary;
    const uint64_t *leaves = resolver->pairs[0].from_leaves;
    if (leaves == NULL) return VC_OK;
    uint64_t *seen = VC_ARENA_NEW(&resolver->work, uint64_t, vc_bits_words(side->nunits) + 1);
    if (seen == NULL) return vc_no_memory(error);
    vc_numbers unit_of = {0}; /* the leaf itself */
    if (side->hierarchy >= 0)
        unit_of = side->dimension->hierarchies[side->hierarchy].levels[side->level].leaf_members;
    for (uint32_t leaf = 0; leaf < side->dimension->nleaves; leaf++)
        if (vc_bit_get(leaves, leaf)) vc_bit_set(seen, vc_numbers_get(unit_of, leaf));
    resolver->seen = seen;
    return VC_OK;
}

/* A joined unit has a value as it is at the time of the unit. */
static void take_variants(const struct vc_resolver *resolver, const struct vc_value_keys *keys,
                          uint32_t *values)
{
    for (uint32_t unit = 0; keys->variants != NULL && unit < resolver->joined.nunits; unit++) {
        uint32_t value = values[unit], period = resolver->when->period_of[unit];
        if (value == VC_NONE || keys->variants[value] == VC_NONE || period == VC_NONE) continue;
        values[unit] = keys->variants[value] + period;
    }
}

static vc_status make_side(struct vc_resolver *resolver, struct vc_resolver_side *side,
                           bool is_primary, vc_error *error)
{
    struct tuples tuples = {.tuple = VC_ARENA_NEW(&resolver->work, uint32_t, resolver->npairs)};
    side->values = VC_ARENA_NEW(&resolver->work, uint32_t *, resolver->npairs);
    side->value_keys = VC_ARENA_NEW(&resolver->work, struct vc_value_keys, resolver->npairs);
    side->offsets = VC_ARENA_NEW(&resolver->work, uint32_t, (size_t)side->nunits + 1);
    if (tuples.tuple == NULL || side->values == NULL || side->value_keys == NULL ||
        side->offsets == NULL)
        return vc_no_memory(error);
    for (size_t pair = 0; pair < resolver->npairs; pair++) {
        const vc_relation_pair *on = &resolver->pairs[pair];
        const vc_index *index = is_primary ? on->from : on->to;
        vc_status status =
            vc_resolver_number_values(resolver, pair, is_primary, &side->value_keys[pair], error);
        if (status == VC_OK)
            status = spread_values(resolver, side, index, &side->values[pair], error);
        if (status != VC_OK) return status;
        for (uint32_t unit = 0; is_primary && resolver->seen != NULL && unit < side->nunits; unit++)
            if (!vc_bit_get(resolver->seen, unit)) side->values[pair][unit] = VC_NONE;
        const uint64_t *to_leaves = is_primary ? NULL : resolver->pairs[0].to_leaves;
        for (uint32_t unit = 0; to_leaves != NULL && unit < side->nunits; unit++)
            if (!vc_bit_get(to_leaves, unit)) side->values[pair][unit] = VC_NONE;
        if (!is_primary) take_variants(resolver, &side->value_keys[pair], side->values[pair]);
    }
    for (uint32_t unit = 0; unit < side->nunits; unit++) {
        vc_status status = add_tuples(resolver, side, unit, 0, 1, &tuples, error);
        if (status != VC_OK) return status;
        side->offsets[unit + 1] = (uint32_t)tuples.keys.count;
    }
    side->keys = tuples.keys.items;
    side->weights = tuples.weights.items;
    return VC_OK;
}

/* What the primary counts in: the lowest level on which its indexes stand (country, state and city
 * together are the key of a city), else its leaves: when one is of the leaf, or when they stand in
 * several hierarchies. */
static void choose_units(struct vc_resolver *resolver, const vc_dimension *primary)
{
    struct vc_resolver_side *side = &resolver->primary;
    bool is_first = true;
    side->dimension = primary;
    side->hierarchy = side->level = -1;
    for (size_t i = 0; i < resolver->npairs; i++) {
        const vc_index *index = resolver->pairs[i].from;
        if (index == NULL) continue; /* a constant is every member's, whatever a unit is */
        if (is_first) {
            side->hierarchy = index->hierarchy;
            side->level = index->level;
            is_first = false;
        } else if (index->hierarchy != side->hierarchy) {
            side->hierarchy = side->level = -1;
        } else if (index->level > side->level)
            side->level = index->level;
    }
    side->nunits = side->hierarchy < 0
                       ? primary->nleaves
                       : primary->hierarchies[side->hierarchy].levels[side->level].nmembers;
}

/* ---- step 3: units of joined leaves ---- */

struct key_units {     /* the units of each key, and how much of the key each has */
    uint32_t *offsets; /* [nkeys + 1] into units */
    uint32_t *units;
    double *weights; /* NULL: not asked for */
};

/* key -> units, by counting. */
static vc_status turn_around(struct vc_resolver *resolver, uint32_t nkeys, struct key_units *out,
                             vc_error *error)
{
    const struct vc_resolver_side *side = &resolver->primary;
    uint32_t ntotal = side->offsets[side->nunits];
    uint32_t *offsets = VC_ARENA_NEW(&resolver->work, uint32_t, (size_t)nkeys + 2);
    uint32_t *units = VC_ARENA_NEW(&resolver->work, uint32_t, (size_t)ntotal + 1);
    double *weights = NULL;
    if (resolver->is_weighted) weights = VC_ARENA_NEW(&resolver->work, double, (size_t)ntotal + 1);
    if (offsets == NULL || units == NULL || (resolver->is_weighted && weights == NULL))
        return vc_no_memory(error);
    for (uint32_t i = 0; i < ntotal; i++)
        offsets[side->keys[i] + 2]++;
    for (uint32_t key = 0; key < nkeys; key++)
        offsets[key + 1] += offsets[key];
    for (uint32_t unit = 0; unit < side->nunits; unit++)
        for (uint32_t i = side->offsets[unit]; i < side->offsets[unit + 1]; i++) {
            uint32_t at = offsets[side->keys[i] + 1]++;
            units[at] = unit;
            if (weights != NULL) weights[at] = side->weights[i];
        }
    *out = (struct key_units){.offsets = offsets, .units = units, .weights = weights};
    return VC_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static size_t sort_distinct(uint32_t *items, size_t count)
{
    if (count < 2) return count;
    qsort(items, count, sizeof *items, compare_numbers);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++)
        if (items[i] != items[kept - 1]) items[kept++] = items[i];
    return kept;
}

/* The place of a unit among those of a leaf, which ascend; it is there. */
static size_t find_unit(const uint32_t *units, size_t count, uint32_t unit)
{
    size_t first = 0;
    for (size_t end = count; end - first > 1;) {
        size_t middle = first + (end - first) / 2;
        if (units[middle] <= unit)
            first = middle;
        else
            end = middle;
    }
    return first;
}

/* Bits of the joined places that have the same keys as one of their leaf before them: those say
 * nothing more. NULL: no leaf has several places. */
static vc_status find_repeats(struct vc_resolver *resolver, uint64_t **repeats_out, vc_error *error)
{
    const vc_dimension *joined = resolver->joined.dimension;
    uint32_t *offsets, *places;
    *repeats_out = NULL;
    if (joined->ndoubles == 0) return VC_OK;
    uint64_t *repeats = VC_ARENA_NEW(&resolver->work, uint64_t, vc_bits_words(joined->nleaves) + 1);
    if (repeats == NULL) return vc_no_memory(error);
    vc_status status = vc_dimension_list_places(joined, &resolver->work, &offsets, &places, error);
    for (uint32_t leaf = 0; status == VC_OK && leaf < joined->nleaves; leaf++)
        for (uint32_t i = offsets[leaf]; i < offsets[leaf + 1]; i++)
            for (uint32_t j = offsets[leaf]; j < i && !vc_bit_get(repeats, places[i]); j++) {
                bool is_same = true;
                for (size_t pair = 0; pair < resolver->npairs; pair++)
                    is_same &= resolver->joined.values[pair][places[i]] ==
                               resolver->joined.values[pair][places[j]];
                if (is_same) vc_bit_set(repeats, places[i]);
            }
    *repeats_out = repeats;
    return status;
}

/* The weight of each pair of the relation: over all keys by which the two meet, what the primary's
 * unit has of the key times what the joined leaf has of it. */
static vc_status weigh_pairs(struct vc_resolver *resolver, const struct key_units *of_key,
                             vc_relation *relation, vc_error *error)
{
    const struct vc_resolver_side *joined = &resolver->joined;
    uint64_t *repeats;
    vc_status status = find_repeats(resolver, &repeats, error);
    if (status != VC_OK) return status;
    size_t npairs =
        relation->units != NULL ? relation->nleaves : relation->offsets[relation->nleaves];
    double *weights = VC_ARENA_NEW(resolver->arena, double, npairs + 1);
    if (weights == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        size_t first = relation->units != NULL ? leaf : relation->offsets[leaf];
        if (repeats != NULL && vc_bit_get(repeats, leaf)) continue;
        for (uint32_t i = joined->offsets[leaf]; i < joined->offsets[leaf + 1] && nunits > 0; i++) {
            uint32_t key = joined->keys[i];
            for (uint32_t u = of_key->offsets[key]; u < of_key->offsets[key + 1]; u++)
                weights[first + find_unit(units, nunits, of_key->units[u])] +=
                    joined->weights[i] * of_key->weights[u];
        }
    }
    relation->weights = weights;
    return VC_OK;
}

static vc_status match_leaves(struct vc_resolver *resolver, vc_relation *relation, vc_error *error)
{
    const struct vc_resolver_side *joined = &resolver->joined;
    uint32_t nkeys =
        resolver->npairs > 1 ? resolver->tuples.count : vc_resolver_count_keys(resolver, 0);
    struct key_units of_key = {0};
    struct vc_key_numbers targets = {0};
    uint8_t *seen = VC_ARENA_NEW(&resolver->work, uint8_t, (size_t)relation->nunits + 1);
    uint32_t *offsets = VC_ARENA_NEW(resolver->arena, uint32_t, (size_t)joined->nunits + 1);
    vc_status status = turn_around(resolver, nkeys, &of_key, error);
    if (status != VC_OK) return status;
    if (seen == NULL || offsets == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < joined->nunits; leaf++) {
        size_t first = targets.count;
        for (uint32_t i = joined->offsets[leaf]; i < joined->offsets[leaf + 1]; i++) {
            uint32_t key = joined->keys[i];
            for (uint32_t u = of_key.offsets[key]; u < of_key.offsets[key + 1]; u++)
                if (!vc_key_numbers_add(&resolver->work, &targets, of_key.units[u]))
                    return vc_no_memory(error);
        }
        targets.count = first + sort_distinct(targets.items + first, targets.count - first);
        relation->has_fanout |= targets.count - first > 1;
        for (size_t i = first; i < targets.count; i++) {
            relation->has_unit_fanin |= seen[targets.items[i]] != 0;
            seen[targets.items[i]] = 1;
        }
        offsets[leaf + 1] = (uint32_t)targets.count;
    }
    for (uint32_t unit = 0; unit < relation->nunits; unit++)
        relation->coverage.primary_matched += seen[unit];
    relation->coverage.primary_members =
        vc_relation_count_members(resolver->primary.dimension, relation, resolver->seen);

    uint32_t *kept = VC_ARENA_NEW(resolver->arena, uint32_t, targets.count + joined->nunits + 1);
    if (kept == NULL) return vc_no_memory(error);
    if (relation->has_fanout) {
        memcpy(kept, targets.items, targets.count * sizeof *kept);
        relation->offsets = offsets;
        relation->targets = kept;
    } else {
        for (uint32_t leaf = 0; leaf < joined->nunits; leaf++)
            kept[leaf] = offsets[leaf] < offsets[leaf + 1] ? targets.items[offsets[leaf]] : VC_NONE;
        relation->units = kept;
    }
    return resolver->is_weighted ? weigh_pairs(resolver, &of_key, relation, error) : VC_OK;
}

vc_status vc_relation_resolve_any(const vc_dimension *primary, const vc_dimension *joined,
                                  const vc_relation_pair *pairs, size_t npairs,
                                  const vc_relation_when *when, bool is_weighted, vc_arena *arena,
                                  vc_relation *relation, vc_error *error)
{
    struct vc_resolver resolver = {
        .arena = arena, .pairs = pairs, .npairs = npairs, .is_weighted = is_weighted, .when = when};
    resolver.components = calloc(npairs, sizeof *resolver.components);
    resolver.timed = calloc(npairs, sizeof *resolver.timed);
    vc_status status =
        resolver.components == NULL || resolver.timed == NULL ? vc_no_memory(error) : VC_OK;
    if (status != VC_OK) goto done;
    choose_units(&resolver, primary);
    resolver.joined = (struct vc_resolver_side){
        .dimension = joined, .hierarchy = -1, .level = -1, .nunits = joined->nleaves};
    *relation = (vc_relation){.nleaves = joined->nleaves,
                              .nunits = resolver.primary.nunits,
                              .hierarchy = resolver.primary.hierarchy,
                              .level = resolver.primary.level};
    status = find_seen(&resolver, error);
    if (status == VC_OK) status = make_side(&resolver, &resolver.primary, true, error);
    if (status == VC_OK) status = make_side(&resolver, &resolver.joined, false, error);
    if (status == VC_OK) status = match_leaves(&resolver, relation, error);
    if (status == VC_OK) status = vc_resolver_describe(&resolver, relation, error);
done:
    for (size_t i = 0; resolver.components != NULL && resolver.timed != NULL && i < npairs; i++) {
        vc_strmap_release(&resolver.components[i]);
        vc_strmap_release(&resolver.timed[i]);
    }
    free(resolver.components);
    free(resolver.timed);
    vc_strmap_release(&resolver.tuples);
    vc_arena_release(&resolver.work);
    return status;
}

static vc_status resolve(const vc_dimension *primary, const vc_dimension *joined,
                         const vc_relation_pair *pairs, size_t npairs, bool is_weighted,
                         vc_arena *arena, const vc_relation **relation_out, vc_error *error)
{
    vc_relation_pair by_key = {0};
    vc_status status = VC_OK;
    if (npairs == 0) {
        status = vc_dimension_find_index(primary, VC_STR("key"), &by_key.from, error);
        if (status == VC_OK)
            status = vc_dimension_find_index(joined, VC_STR("key"), &by_key.to, error);
        if (status != VC_OK) return status;
        pairs = &by_key;
        npairs = 1;
    }
    bool is_done = false;
    vc_relation *relation = VC_ARENA_NEW(arena, vc_relation, 1);
    if (relation == NULL) return vc_no_memory(error);
    if (npairs == 1 && !is_weighted && pairs[0].from_leaves == NULL && pairs[0].to_leaves == NULL)
        status =
            vc_relation_resolve_single(primary, joined, pairs, arena, &is_done, relation, error);
    if (status == VC_OK && !is_done)
        status = vc_relation_resolve_any(primary, joined, pairs, npairs, NULL, is_weighted, arena,
                                         relation, error);
    if (status == VC_OK) status = vc_relation_fold_places(primary, joined, arena, relation, error);
    if (status == VC_OK) *relation_out = relation;
    return status;
}

vc_status vc_relation_resolve(const vc_dimension *primary, const vc_dimension *joined,
                              const vc_relation_pair *pairs, size_t npairs, vc_arena *arena,
                              const vc_relation **relation_out, vc_error *error)
{
    return resolve(primary, joined, pairs, npairs, false, arena, relation_out, error);
}

vc_status vc_relation_resolve_weighted(const vc_dimension *primary, const vc_dimension *joined,
                                       const vc_relation_pair *pairs, size_t npairs,
                                       vc_arena *arena, const vc_relation **relation_out,
                                       vc_error *error)
{
    return resolve(primary, joined, pairs, npairs, true, arena, relation_out, error);
}

size_t vc_relation_units(const vc_relation *relation, uint32_t leaf, const uint32_t **units_out)
{
    if (relation->units != NULL) {
        *units_out = &relation->units[leaf];
        return relation->units[leaf] != VC_NONE;
    }
    *units_out = relation->targets + relation->offsets[leaf];
    return relation->offsets[leaf + 1] - relation->offsets[leaf];
}
