/* A join of one pair of indexes whose values have one key each, which most joins are.
 *
 * Values take the place of keys: values of the two indexes are matched (match.h), a joined leaf has
 * one value or none, and the primary's index says which units a value has. So everything is an
 * array over values or leaves, and nothing is looked up twice.
 */
#include "base/bits.h"
#include "mapping/match.h"
#include "mapping/relation_parts.h"

#include <stdlib.h>
#include <string.h>

struct resolver {
    vc_arena *arena; /* of the result */
    vc_arena work;   /* of what is only needed on the way */
    const vc_dimension *primary, *joined;
    const vc_relation_pair *pair;
    vc_match match;
    uint32_t *values; /* [nleaves] value of each joined leaf, VC_NONE when it is not in the index */
    /* The units of a value of the primary's index, the first one of its key. */
    vc_numbers offsets; /* [from->values.count + 1] into units */
    const uint32_t *units;
};

static size_t count_units(const struct resolver *resolver, uint32_t value)
{
    return vc_numbers_get(resolver->offsets, value + 1) - vc_numbers_get(resolver->offsets, value);
}

/* ---- the units of a key ---- */

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Give the first value of each key the units of all of its values. A unit has one value only. */
static vc_status gather_units(struct resolver *resolver, vc_error *error)
{
    const vc_index *from = resolver->pair->from;
    uint32_t nvalues = from->values.count, nunits = vc_numbers_get(from->offsets, nvalues);
    uint32_t *offsets = VC_ARENA_NEW(&resolver->work, uint32_t, (size_t)nvalues + 1);
    uint32_t *units = VC_ARENA_NEW(&resolver->work, uint32_t, (size_t)nunits + 1);
    uint64_t *is_later = VC_ARENA_NEW(&resolver->work, uint64_t, vc_bits_words(nvalues) + 1);
    uint32_t used = 0;
    if (offsets == NULL || units == NULL || is_later == NULL) return vc_no_memory(error);
    for (uint32_t value = 0; value < nvalues; value++) {
        uint32_t first = used;
        /* The first value of a key is the least one, so those after it are marked in time. */
        for (uint32_t at = vc_bit_get(is_later, value) ? VC_NONE : value; at != VC_NONE;
             at = resolver->match.same[at]) {
            vc_bit_set(is_later, at);
            for (uint32_t i = vc_numbers_get(from->offsets, at);
                 i < vc_numbers_get(from->offsets, at + 1); i++)
                units[used++] = from->members[i];
        }
        if (used - first > 1) qsort(units + first, used - first, sizeof *units, compare_numbers);
        offsets[value + 1] = used;
    }
    resolver->offsets = vc_numbers_of(offsets);
    resolver->units = units;
    return VC_OK;
}

/* ---- the value of a leaf ---- */

/* An index on a level gives its value to all leaves below. */
static vc_status spread_values(struct resolver *resolver, vc_error *error)
{
    const vc_dimension *joined = resolver->joined;
    const vc_index *to = resolver->pair->to;
    const vc_level *level =
        to->hierarchy < 0 ? NULL : &joined->hierarchies[to->hierarchy].levels[to->level];
    uint32_t nmembers = level == NULL ? joined->nleaves : level->nmembers;
    uint32_t *of_member =
        vc_arena_alloc(&resolver->work, ((size_t)nmembers + 1) * sizeof *of_member);
    if (of_member == NULL) return vc_no_memory(error);
    memset(of_member, 0xFF, (size_t)nmembers * sizeof *of_member);
    uint32_t first = vc_numbers_get(to->offsets, 0);
    for (uint32_t value = 0; value < to->values.count; value++) {
        uint32_t end = vc_numbers_get(to->offsets, value + 1);
        for (; first < end; first++)
            of_member[to->members[first]] = value;
    }
    resolver->values = of_member;
    if (level == NULL) return VC_OK;
    uint32_t *of_leaf =
        vc_arena_alloc(&resolver->work, ((size_t)joined->nleaves + 1) * sizeof *of_leaf);
    if (of_leaf == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < joined->nleaves; leaf++)
        of_leaf[leaf] = of_member[vc_numbers_get(level->leaf_members, leaf)];
    resolver->values = of_leaf;
    return VC_OK;
}

/* ---- the units of a leaf ---- */

/* The value of the primary's index that a joined leaf meets, VC_NONE for none. */
static uint32_t partner_of(const struct resolver *resolver, uint32_t leaf)
{
    uint32_t value = resolver->values[leaf];
    return value == VC_NONE ? VC_NONE : resolver->match.partners[value];
}

/* Note that a joined leaf has a unit. */
static void meet_unit(vc_relation *relation, uint64_t *seen, uint32_t unit)
{
    relation->has_unit_fanin |= vc_bit_get(seen, unit);
    vc_bit_set(seen, unit);
}

/* Each leaf has one unit or none. */
static vc_status set_units(struct resolver *resolver, uint64_t *seen, vc_relation *relation,
                           vc_error *error)
{
    uint32_t nvalues = resolver->pair->to->values.count;
    uint32_t *of_value = vc_arena_alloc(&resolver->work, ((size_t)nvalues + 1) * sizeof *of_value);
    uint32_t *units =
        vc_arena_alloc(resolver->arena, ((size_t)relation->nleaves + 1) * sizeof *units);
    if (of_value == NULL || units == NULL) return vc_no_memory(error);
    for (uint32_t value = 0; value < nvalues; value++) {
        uint32_t partner = resolver->match.partners[value];
        of_value[value] = partner == VC_NONE
                              ? VC_NONE
                              : resolver->units[vc_numbers_get(resolver->offsets, partner)];
    }
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        uint32_t value = resolver->values[leaf];
        units[leaf] = value == VC_NONE ? VC_NONE : of_value[value];
        if (units[leaf] == VC_NONE) continue;
        meet_unit(relation, seen, units[leaf]);
        relation->coverage.members_matched++;
    }
    relation->units = units;
    return VC_OK;
}

/* Some leaf has several units. */
static vc_status set_targets(struct resolver *resolver, uint64_t *seen, vc_relation *relation,
                             vc_error *error)
{
    uint64_t ntargets = 0;
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        uint32_t partner = partner_of(resolver, leaf);
        if (partner != VC_NONE) ntargets += count_units(resolver, partner);
    }
    if (ntargets > UINT32_MAX) return vc_no_memory(error);
    uint32_t *offsets =
        vc_arena_alloc(resolver->arena, ((size_t)relation->nleaves + 1) * sizeof *offsets);
    uint32_t *targets = vc_arena_alloc(resolver->arena, ((size_t)ntargets + 1) * sizeof *targets);
    if (offsets == NULL || targets == NULL) return vc_no_memory(error);
    offsets[0] = 0;
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        uint32_t partner = partner_of(resolver, leaf), used = offsets[leaf];
        if (partner != VC_NONE) {
            uint32_t end = vc_numbers_get(resolver->offsets, partner + 1);
            for (uint32_t i = vc_numbers_get(resolver->offsets, partner); i < end; i++) {
                targets[used++] = resolver->units[i];
                meet_unit(relation, seen, resolver->units[i]);
            }
            relation->coverage.members_matched++;
        }
        offsets[leaf + 1] = used;
    }
    relation->offsets = offsets;
    relation->targets = targets;
    return VC_OK;
}

static vc_status match_leaves(struct resolver *resolver, vc_relation *relation, vc_error *error)
{
    vc_coverage *coverage = &relation->coverage;
    uint64_t *seen = VC_ARENA_NEW(&resolver->work, uint64_t, vc_bits_words(relation->nunits) + 1);
    if (seen == NULL) return vc_no_memory(error);
    coverage->keys = resolver->pair->to->values.count; /* each is some leaf's */
    for (uint32_t value = 0; value < coverage->keys; value++) {
        uint32_t partner = resolver->match.partners[value];
        if (partner == VC_NONE) continue;
        coverage->keys_matched++;
        relation->has_fanout |= count_units(resolver, partner) > 1;
    }
    vc_status status = relation->has_fanout ? set_targets(resolver, seen, relation, error)
                                            : set_units(resolver, seen, relation, error);
    coverage->members = relation->nleaves;
    coverage->primary_members = vc_relation_count_members(resolver->primary, relation, NULL);
    coverage->primary_matched = vc_bits_count(seen, relation->nunits);
    return status;
}

/* ---- what did not match ---- */

static bool is_excluded(const struct resolver *resolver, uint32_t value)
{
    return value != VC_NONE && resolver->match.states != NULL &&
           resolver->match.states[value] != VC_KEY_OK && resolver->match.is_excluded[value];
}

/* How many leaves each value without a partner has, counts [nvalues + 1], and the first one of
 * them, firsts [nvalues + 1]; the last one is of no value. Returns how many of those have any. */
static size_t count_leaves(const struct resolver *resolver, vc_relation *relation, uint8_t *fates,
                           uint32_t *counts, uint32_t *firsts)
{
    uint32_t nvalues = resolver->pair->to->values.count;
    const vc_dimension *joined = resolver->joined;
    size_t nunmatched = 0;
    /* Places of a leaf have one value of the leaf between them, but one each of a level. */
    uint32_t nleaves =
        resolver->pair->to->hierarchy < 0 ? vc_dimension_count_leaves(joined) : relation->nleaves;
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        uint32_t value = resolver->values[leaf];
        if (value != VC_NONE && resolver->match.partners[value] != VC_NONE) continue;
        bool excluded = is_excluded(resolver, value);
        fates[leaf] = excluded ? VC_FATE_EXCLUDED : VC_FATE_UNMATCHED;
        relation->coverage.excluded += excluded;
        uint32_t key = value == VC_NONE ? nvalues : value;
        if (counts[key]++ > 0) continue;
        firsts[key] = leaf;
        nunmatched++;
    }
    for (uint32_t leaf = nleaves; leaf < relation->nleaves; leaf++) /* other places of those */
        fates[leaf] = fates[vc_leaf_first(joined, leaf)];
    return nunmatched;
}

/* Values stand in the order of their bytes, and what has none comes last, so the list is in order.
 */
static vc_status list_unmatched(struct resolver *resolver, vc_relation *relation, vc_error *error)
{
    const vc_index *to = resolver->pair->to;
    uint32_t nvalues = to->values.count;
    uint8_t *fates = VC_ARENA_NEW(resolver->arena, uint8_t, (size_t)relation->nleaves + 1);
    if (fates == NULL) return vc_no_memory(error);
    relation->fates = fates;
    if (relation->coverage.members_matched == relation->nleaves) return VC_OK;
    uint32_t *counts = VC_ARENA_NEW(&resolver->work, uint32_t, (size_t)nvalues + 1);
    uint32_t *firsts = VC_ARENA_NEW(&resolver->work, uint32_t, (size_t)nvalues + 1);
    if (counts == NULL || firsts == NULL) return vc_no_memory(error);
    relation->nunmatched = count_leaves(resolver, relation, fates, counts, firsts);
    vc_unmatched_key *list = vc_arena_alloc(resolver->arena, relation->nunmatched * sizeof *list);
    if (list == NULL) return vc_no_memory(error);
    relation->unmatched = list;
    for (uint32_t value = 0; value < nvalues; value++) {
        if (counts[value] == 0) continue;
        vc_key_state state =
            resolver->match.states == NULL ? VC_KEY_OK : resolver->match.states[value];
        *list++ = (vc_unmatched_key){.key = vc_texts_get(&to->values, value),
                                     .leaf = firsts[value],
                                     .nleaves = counts[value],
                                     .why = vc_unmatched_reasons[state],
                                     .is_excluded = is_excluded(resolver, value)};
    }
    if (counts[nvalues] > 0)
        *list = (vc_unmatched_key){.leaf = firsts[nvalues],
                                   .nleaves = counts[nvalues],
                                   .why = to->is_partial ? VC_NOT_IN_INDEX
                                                         : vc_unmatched_reasons[VC_KEY_EMPTY]};
    return VC_OK;
}

vc_status vc_relation_resolve_single(const vc_dimension *primary, const vc_dimension *joined,
                                     const vc_relation_pair *pair, vc_arena *arena,
                                     bool *is_single_out, vc_relation *relation, vc_error *error)
{
    const vc_index *from = pair->from;
    struct resolver resolver = {.arena = arena,
                                .primary = primary,
                                .joined = joined,
                                .pair = pair,
                                .offsets = from->offsets,
                                .units = from->members};
    *relation = (vc_relation){
        .nleaves = joined->nleaves,
        .nunits = from->hierarchy < 0
                      ? primary->nleaves
                      : primary->hierarchies[from->hierarchy].levels[from->level].nmembers,
        .hierarchy = from->hierarchy,
        .level = from->level};
    vc_status status = vc_match_values(pair, &resolver.work, is_single_out, &resolver.match, error);
    if (status != VC_OK || !*is_single_out) goto done;
    if (resolver.match.same != NULL) status = gather_units(&resolver, error);
    if (status == VC_OK) status = spread_values(&resolver, error);
    if (status == VC_OK) status = match_leaves(&resolver, relation, error);
    if (status == VC_OK) status = list_unmatched(&resolver, relation, error);
    if (status == VC_OK &&
        (!vc_collisions_copy(&resolver.match.to_collisions, arena, &relation->joined_collisions) ||
         !vc_collisions_copy(&resolver.match.from_collisions, arena,
                             &relation->primary_collisions)))
        status = vc_no_memory(error);
    relation->primary_duplicates = vc_relation_count_duplicates(from);
done:
    vc_arena_release(&resolver.work);
    return status;
}
