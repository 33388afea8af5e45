/* Ranges: between two keys, or paths, of the members of a level, or between two values of an index.
 */
#include "cube/condition_parts.h"

#include "base/bits.h"
#include "cube/model.h"

/* One end of a range: keys compared from the top level down (a path), or one level's key alone. */
struct bound {
    unsigned first_level; /* of keys[0] */
    const vc_str *keys;
    size_t nkeys;   /* 0: open */
    bool is_member; /* on a level with its own order: `member` is the end */
    uint32_t member;
};

/* Where single keys stand: on the level that is named, else on the highest one where an end is
 * found, else on the top: ends need not exist. A key that is only found on several members of lower
 * levels says neither. */
static vc_status find_bound_level(const struct vc_condition_selecting *in,
                                  const struct vc_condition_target *target, const vc_item *item,
                                  unsigned *level_out, vc_error *error)
{
    const vc_str *ends[2] = {item->nkeys == 1 ? item->keys : NULL,
                             item->nend_keys == 1 ? item->end_keys : NULL};
    unsigned highest = VC_MAX_LEVELS;
    vc_error ambiguous = {0}, problem;
    *level_out = target->level_number;
    for (int i = 0; i < 2 && target->level == NULL; i++) {
        vc_member_ref found;
        if (ends[i] == NULL) continue;
        vc_status status = vc_hierarchy_find_member(in->dimension, target->hierarchy, ends[i], 1,
                                                    in->arena, &found, &problem);
        vc_member_ref *same = &found;
        size_t nsame = status == VC_OK;
        if (status == VC_IMPOSSIBLE) {
            vc_status looked = vc_condition_find_same(in, target, *ends[i], &same, &nsame, error);
            if (looked != VC_OK) return looked;
            if (nsame == 0) ambiguous = problem;
        }
        if (nsame > 0 && same[0].level < highest) highest = same[0].level;
    }
    if (target->level == NULL && highest < VC_MAX_LEVELS) *level_out = highest;
    if (highest < VC_MAX_LEVELS || ambiguous.status == VC_OK) return VC_OK;
    if (error != NULL) *error = ambiguous;
    return vc_error_at_place(error, ambiguous.status, item->place);
}

static struct bound make_bound(const struct vc_condition_selecting *in,
                               const struct vc_condition_target *target, const vc_str *keys,
                               size_t nkeys, unsigned single_level)
{
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    struct bound bound = {
        .first_level = nkeys == 1 ? single_level : 0, .keys = keys, .nkeys = nkeys};
    vc_member_ref found;
    if (nkeys == 0 || bound.first_level + nkeys > hierarchy->nlevels) return bound;
    const vc_level *last = &hierarchy->levels[bound.first_level + nkeys - 1];
    if (last->is_ordered_by_column &&
        vc_hierarchy_find_member(in->dimension, target->hierarchy, keys, nkeys, in->arena, &found,
                                 NULL) == VC_OK &&
        found.level == bound.first_level + nkeys - 1) {
        bound.is_member = true;
        bound.member = found.member;
    }
    return bound;
}

/* Compare a member of `level` (at or below the bound's levels) with a bound. *is_null: a key on the
 * way is null, which is in no range. */
static int compare_with_bound(const vc_hierarchy *hierarchy, unsigned level, uint32_t member,
                              const struct bound *bound, bool *is_null)
{
    uint32_t path[VC_MAX_LEVELS];
    for (unsigned l = level + 1; l-- > 0;) {
        path[l] = member;
        if (l > 0) member = vc_numbers_get(hierarchy->levels[l].parents, member);
    }
    if (bound->is_member) {
        uint32_t mine = path[bound->first_level + bound->nkeys - 1];
        return (mine > bound->member) - (mine < bound->member);
    }
    for (size_t i = 0; i < bound->nkeys; i++) {
        const vc_level *at = &hierarchy->levels[bound->first_level + i];
        vc_str key = vc_texts_get(&at->keys, path[bound->first_level + i]);
        if (key.data == NULL) {
            *is_null = true;
            return 0;
        }
        int order = vc_level_compare_keys(at, key, bound->keys[i]);
        if (order != 0) return order;
    }
    return 0;
}

/* A range over the values of an index: by bytes, or as numbers where both are. */
static int compare_values(vc_str a, vc_str b)
{
    double x, y;
    if (vc_str_is_number(a) && vc_str_is_number(b) && vc_parse_double(a, '.', &x) == VC_PARSE_OK &&
        vc_parse_double(b, '.', &y) == VC_PARSE_OK && x != y)
        return x < y ? -1 : 1;
    return vc_str_compare(a, b);
}

static void mark_index_range(const struct vc_condition_selecting *in, const vc_index *index,
                             const vc_item *item, uint64_t *bits)
{
    for (uint32_t value = 0; value < index->values.count; value++) {
        vc_str text = vc_texts_get(&index->values, value);
        int first = item->nkeys > 0 ? compare_values(text, item->keys[0]) : 1;
        int end = item->nend_keys > 0 ? compare_values(text, item->end_keys[0]) : -1;
        if (first < 0 || (first == 0 && item->excludes_first) || end > 0 ||
            (end == 0 && item->excludes_end))
            continue;
        for (uint32_t i = vc_numbers_get(index->offsets, value);
             i < vc_numbers_get(index->offsets, value + 1); i++)
            vc_condition_mark_member(in, vc_condition_index_level(in, index), index->members[i],
                                     bits);
    }
}

/* On a level of numbers the end of a range is a number: "2025-Q1" is a key whose "-" was not
 * escaped. */
static vc_status check_bound(const struct vc_condition_selecting *in,
                             const struct vc_condition_target *target, const struct bound *bound,
                             const vc_item *item, vc_error *error)
{
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    for (size_t i = 0; i < bound->nkeys && bound->first_level + i < hierarchy->nlevels; i++) {
        const vc_level *level = &hierarchy->levels[bound->first_level + i];
        if (!level->is_numeric || level->nmembers == 0 || vc_str_is_number(bound->keys[i]))
            continue;
        vc_status status =
            vc_fail(error, VC_BAD_INPUT, "syntax",
                    "'%.*s' is the end of a range over '%.*s', whose keys are numbers; a '-' that "
                    "belongs to a key is written '\\-'",
                    VC_FMT(bound->keys[i]), VC_FMT(level->name));
        return vc_error_at_place(error, status, item->place);
    }
    return VC_OK;
}

vc_status vc_condition_mark_range(const struct vc_condition_selecting *in,
                                  const struct vc_condition_target *target, const vc_item *item,
                                  uint64_t *bits, vc_error *error)
{
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    if (target->index != NULL) {
        mark_index_range(in, target->index, item, bits);
        return VC_OK;
    }
    unsigned single;
    vc_status status = find_bound_level(in, target, item, &single, error);
    if (status != VC_OK) return status;
    struct bound first = make_bound(in, target, item->keys, item->nkeys, single);
    struct bound end = make_bound(in, target, item->end_keys, item->nend_keys, single);
    status = check_bound(in, target, &first, item, error);
    if (status == VC_OK) status = check_bound(in, target, &end, item, error);
    if (status != VC_OK) return status;
    unsigned level = 0;
    if (first.nkeys > 0) level = first.first_level + (unsigned)first.nkeys - 1;
    if (end.nkeys > 0 && end.first_level + end.nkeys - 1 > level)
        level = end.first_level + (unsigned)end.nkeys - 1;
    if (level >= hierarchy->nlevels) {
        status = vc_fail(error, VC_BAD_INPUT, "syntax",
                         "a path of %u keys, but '%.*s' has only %u levels", level + 1,
                         VC_FMT(in->outer->name), hierarchy->nlevels);
        return vc_error_at_place(error, status, item->place);
    }
    const vc_level *at = &hierarchy->levels[level];
    uint64_t *chosen = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(at->nmembers) + 1);
    if (chosen == NULL) return vc_no_memory(error);
    for (uint32_t member = 0; member < at->nmembers; member++) {
        bool is_null = false;
        int low =
            first.nkeys == 0 ? 1 : compare_with_bound(hierarchy, level, member, &first, &is_null);
        int high =
            end.nkeys == 0 ? -1 : compare_with_bound(hierarchy, level, member, &end, &is_null);
        if (!is_null && (low > 0 || (low == 0 && !item->excludes_first)) &&
            (high < 0 || (high == 0 && !item->excludes_end)))
            vc_bit_set(chosen, member);
    }
    vc_condition_mark_chosen(in, at, chosen, bits);
    return VC_OK;
}
