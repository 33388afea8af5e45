/* Conditions -> sets: which slots of a dimension they leave, as a bitmap. */
#include "cube/condition.h"

#include "base/bits.h"
#include "cube/meeting.h"
#include "cube/model.h"
#include "dimensions/members.h"

#include <string.h>
#include <strings.h>

vc_status vc_error_at_place(vc_error *error, vc_status status, vc_place place)
{
    if (error == NULL) return status;
    if (place.where != NULL && place.is_pointer)
        vc_error_at_pointer(error, "%s", place.where);
    else if (place.where != NULL)
        vc_error_at_offset(error, place.where, place.offset);
    return error->status != VC_OK ? error->status : status;
}

struct selecting { /* one dimension of a cube, while its conditions are evaluated */
    const vc_cube *cube;
    vc_arena *arena;
    const vc_cube_dimension *outer;
    const vc_dimension *dimension;
    size_t nwords;
    unsigned depth; /* of member sets in member sets */
};

static uint64_t *new_bits(const struct selecting *in, vc_error *error)
{
    uint64_t *bits = VC_ARENA_NEW(in->arena, uint64_t, in->nwords + 1);
    if (bits == NULL) vc_no_memory(error);
    return bits;
}

/* A member of a level, or a leaf when the level is NULL. */
static void mark_member(const struct selecting *in, const vc_level *level, uint32_t member,
                        uint64_t *bits)
{
    if (level == NULL)
        vc_bit_set(bits, member);
    else
        vc_level_mark_leaves(in->dimension, level, member, bits);
}

/* Mark the leaves of all members of a level for which `chosen` (bits over members) is set: one pass
 * over the leaves however many members. */
static void mark_chosen(const struct selecting *in, const vc_level *level, const uint64_t *chosen,
                        uint64_t *bits)
{
    if (level->is_contiguous) {
        for (uint32_t member = 0; member < level->nmembers; member++)
            if (vc_bit_get(chosen, member))
                vc_bits_set_range(bits, vc_numbers_get(level->first_leaf, member),
                                  vc_numbers_get(level->first_leaf, member + 1));
        return;
    }
    for (uint32_t leaf = 0; leaf < in->dimension->nleaves; leaf++)
        if (vc_bit_get(chosen, vc_numbers_get(level->leaf_members, leaf))) vc_bit_set(bits, leaf);
}

/* ---- buckets by their synthetic keys ---- */

static bool mark_synthetic(const struct selecting *in, vc_str key, uint64_t *bits)
{
    const vc_cube_dimension *outer = in->outer;
    bool is_found = false;
    for (size_t i = 0; i < outer->nbuckets; i++)
        if (vc_str_equal(outer->buckets[i].key, key)) {
            vc_bits_set_range(bits, outer->buckets[i].first, outer->buckets[i].end);
            return true;
        }
    /* Leaves without a key of their own may have the same synthetic one: it means all of them. */
    for (uint32_t i = 0; i < outer->nsynthetic; i++)
        if (vc_str_equal(outer->synthetics[i].key, key)) {
            vc_bit_set(bits, in->dimension->nleaves + i);
            is_found = true;
        }
    return is_found;
}

/* ---- the level or index a reference names ---- */

struct target { /* either a level of a hierarchy, or an index */
    unsigned hierarchy;
    unsigned level_number;
    const vc_level *level;
    const vc_index *index;
};

/* A level of the hierarchy first, then an index. Without a name both stay NULL. */
static vc_status find_target(const struct selecting *in, const vc_dimref *ref,
                             struct target *target, vc_error *error)
{
    *target = (struct target){0};
    vc_status status =
        vc_dimension_find_hierarchy(in->dimension, ref->hierarchy, &target->hierarchy, error);
    if (status != VC_OK || ref->level.data == NULL)
        return status == VC_OK ? VC_OK : vc_error_at_place(error, status, ref->place);
    vc_error no_level = {0};
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    status = vc_hierarchy_find_level(in->dimension, target->hierarchy, ref->level,
                                     &target->level_number, &no_level);
    if (status == VC_OK) {
        target->level = &hierarchy->levels[target->level_number];
        return VC_OK;
    }
    status = vc_dimension_find_index(in->dimension, ref->level, &target->index, error);
    if (status != VC_OK) {
        if (error != NULL) *error = no_level;
        return vc_error_at_place(error, no_level.status, ref->place);
    }
    return VC_OK;
}

static const vc_level *index_level(const struct selecting *in, const vc_index *index)
{
    return index->hierarchy < 0
               ? NULL
               : &in->dimension->hierarchies[index->hierarchy].levels[index->level];
}

static vc_status fail_unknown_key(const struct selecting *in, const vc_dimref *ref, vc_str key,
                                  const vc_item *item, vc_error *error)
{
    vc_status status = vc_fail(error, VC_NOT_FOUND, "unknown_member",
                               "dimension '%.*s' has no member with the %.*s '%.*s'",
                               VC_FMT(in->outer->name), VC_FMT(ref->level), VC_FMT(key));
    return vc_error_at_place(error, status, item->place);
}

/* ---- items ---- */

static vc_status mark_key(const struct selecting *in, const vc_dimref *ref,
                          const struct target *target, const vc_item *item, uint64_t *bits,
                          vc_error *error)
{
    const uint32_t *members;
    uint32_t *found;
    size_t nmembers;
    vc_str key = item->keys[0];
    if (target->index != NULL) {
        vc_index_find(target->index, key, &members, &nmembers);
        for (size_t i = 0; i < nmembers; i++)
            mark_member(in, index_level(in, target->index), members[i], bits);
    } else {
        vc_str wanted = key.size == 0 ? (vc_str){0} : key;
        vc_status status =
            vc_level_find_members(target->level, wanted, in->arena, &found, &nmembers, error);
        if (status != VC_OK && status != VC_NOT_FOUND) return status;
        if (status == VC_NOT_FOUND) return vc_error_at_place(error, status, item->place);
        for (size_t i = 0; i < nmembers; i++)
            mark_member(in, target->level, found[i], bits);
    }
    return nmembers > 0 ? VC_OK : fail_unknown_key(in, ref, key, item, error);
}

/* A key that several members have is not ambiguous when all of them are the same leaves: a country
 * in several groups, a part of several machines. */
static vc_status mark_one_leaf(const struct selecting *in, const struct target *target, vc_str key,
                               uint64_t *bits, bool *is_one_out, vc_error *error)
{
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    uint64_t *first = NULL, *all = new_bits(in, error);
    if (in->dimension->ndoubles == 0) return VC_OK;
    if (all == NULL) return VC_NO_MEMORY;
    for (unsigned l = 0; l < hierarchy->nlevels; l++) {
        uint32_t *members;
        size_t nmembers;
        vc_status status = vc_level_find_members(&hierarchy->levels[l], key, in->arena, &members,
                                                 &nmembers, error);
        for (size_t i = 0; i < nmembers && status == VC_OK; i++) {
            uint64_t *mine = new_bits(in, error);
            if (mine == NULL) return VC_NO_MEMORY;
            mark_member(in, &hierarchy->levels[l], members[i], mine);
            mark_member(in, &hierarchy->levels[l], members[i], all);
            vc_dimension_mark_places(in->dimension, mine);
            if (first == NULL) first = mine;
            if (memcmp(first, mine, in->nwords * sizeof *mine) != 0) return VC_OK;
        }
        if (status != VC_OK) return status;
    }
    for (size_t w = 0; w < in->nwords; w++)
        bits[w] |= all[w];
    *is_one_out = true;
    return VC_OK;
}

static vc_status mark_path(const struct selecting *in, const vc_dimref *ref,
                           const struct target *target, const vc_item *item, uint64_t *bits,
                           vc_error *error)
{
    vc_member_ref member;
    if (item->nkeys == 1 && mark_synthetic(in, item->keys[0], bits)) return VC_OK;
    if (item->nkeys == 1 && (target->level != NULL || target->index != NULL))
        return mark_key(in, ref, target, item, bits, error);
    if (item->nkeys == 0) { /* All: its children and descendants are everything that is real */
        vc_bits_set_range(bits, 0, in->dimension->nleaves);
        return VC_OK;
    }
    vc_error problem = {0};
    vc_status status = vc_hierarchy_find_member(in->dimension, target->hierarchy, item->keys,
                                                item->nkeys, in->arena, &member, &problem);
    if (status == VC_IMPOSSIBLE && item->nkeys == 1) {
        bool is_one = false;
        vc_status looked = mark_one_leaf(in, target, item->keys[0], bits, &is_one, error);
        if (looked != VC_OK || is_one) return looked;
    }
    if (status != VC_OK && error != NULL) *error = problem;
    if (status != VC_OK) return vc_error_at_place(error, status, item->place);
    mark_member(in, &in->dimension->hierarchies[target->hierarchy].levels[member.level],
                member.member, bits);
    return VC_OK;
}

/* ---- what is below a member ---- */

/* "/descendants:level" says a level, which must stand below the member: the levels that do are the
 * candidates. */
static vc_status check_is_below(const struct selecting *in, const struct target *target,
                                const vc_item *item, const vc_member_ref *member, unsigned level,
                                vc_error *error)
{
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    if (member == NULL || level > member->level) return VC_OK;
    vc_status status = vc_fail(error, VC_IMPOSSIBLE, "bad_level",
                               "level '%.*s' is not below '%.*s', which is a member of '%.*s'%s",
                               VC_FMT(item->level), VC_FMT(item->keys[item->nkeys - 1]),
                               VC_FMT(hierarchy->levels[member->level].name),
                               member->level + 1 == hierarchy->nlevels ? ", the lowest level" : "");
    for (unsigned l = member->level + 1; l < hierarchy->nlevels; l++)
        vc_error_add_candidate(error, hierarchy->levels[l].name.data,
                               hierarchy->levels[l].name.size);
    return vc_error_at_place(error, status, item->place);
}

/* The leaves of all members of a level that are below one, or anywhere. */
static vc_status mark_below(const struct selecting *in, const vc_hierarchy *hierarchy,
                            const vc_member_ref *member, unsigned number, uint64_t *bits,
                            vc_error *error)
{
    const vc_level *level = &hierarchy->levels[number];
    uint64_t *chosen = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(level->nmembers) + 1);
    uint32_t first = 0, end = level->nmembers;
    if (chosen == NULL) return vc_no_memory(error);
    if (member != NULL) vc_member_descendants(hierarchy, *member, number, &first, &end);
    for (uint32_t m = first; m < end; m++)
        if (!vc_member_is_hidden(level, m)) vc_bit_set(chosen, m);
    mark_chosen(in, level, chosen, bits);
    return VC_OK;
}

/* The leaves of the children. A leaf of a ragged hierarchy that is the member's own is in none. */
static vc_status mark_children(const struct selecting *in, const vc_hierarchy *hierarchy,
                               const vc_member_ref *member, uint64_t *bits, vc_error *error)
{
    vc_member_ref *children;
    size_t nchildren;
    vc_status status =
        vc_member_children(hierarchy, member, in->arena, &children, &nchildren, error);
    for (unsigned l = 0; status == VC_OK && l < hierarchy->nlevels; l++) {
        const vc_level *level = &hierarchy->levels[l];
        uint64_t *chosen = NULL;
        for (size_t i = 0; i < nchildren; i++) {
            if (children[i].level != l) continue;
            if (chosen == NULL)
                chosen = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(level->nmembers) + 1);
            if (chosen == NULL) return vc_no_memory(error);
            vc_bit_set(chosen, children[i].member);
        }
        if (chosen != NULL) mark_chosen(in, level, chosen, bits);
    }
    return status;
}

/* Those that have the key in an index. Nothing is below a leaf. */
static vc_status find_indexed(const struct selecting *in, const vc_dimref *ref,
                              const struct target *target, const vc_item *item,
                              vc_member_ref **starts_out, size_t *nstarts_out, vc_error *error)
{
    const vc_index *index = target->index;
    const uint32_t *members;
    vc_index_find(index, item->keys[0], &members, nstarts_out);
    if (*nstarts_out == 0) return fail_unknown_key(in, ref, item->keys[0], item, error);
    if (index->hierarchy != (int)target->hierarchy) {
        vc_status status = vc_fail(error, VC_IMPOSSIBLE, "bad_level",
                                   "level '%.*s' is not below what '%.*s' finds",
                                   VC_FMT(item->level), VC_FMT(index->name));
        return vc_error_at_place(error, status, item->place);
    }
    *starts_out = VC_ARENA_NEW(in->arena, vc_member_ref, *nstarts_out);
    if (*starts_out == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < *nstarts_out; i++)
        (*starts_out)[i] = (vc_member_ref){.level = (unsigned)index->level, .member = members[i]};
    return VC_OK;
}

/* The members that an item with a "/" starts from: one by its path, all that have the key where the
 * dimref names a level, or All: NULL. */
static vc_status find_starts(const struct selecting *in, const vc_dimref *ref,
                             const struct target *target, const vc_item *item,
                             vc_member_ref **starts_out, size_t *nstarts_out, vc_error *error)
{
    uint32_t *members;
    *starts_out = VC_ARENA_NEW(in->arena, vc_member_ref, 1);
    *nstarts_out = 1;
    if (*starts_out == NULL) return vc_no_memory(error);
    if (target->index != NULL)
        return find_indexed(in, ref, target, item, starts_out, nstarts_out, error);
    if (target->level == NULL || item->nkeys != 1) {
        vc_status status = vc_hierarchy_find_member(in->dimension, target->hierarchy, item->keys,
                                                    item->nkeys, in->arena, *starts_out, error);
        return status == VC_OK ? VC_OK : vc_error_at_place(error, status, item->place);
    }
    vc_str key = item->keys[0].size == 0 ? (vc_str){0} : item->keys[0];
    vc_status status =
        vc_level_find_members(target->level, key, in->arena, &members, nstarts_out, error);
    if (status != VC_OK) return status;
    if (*nstarts_out == 0) return fail_unknown_key(in, ref, item->keys[0], item, error);
    *starts_out = VC_ARENA_NEW(in->arena, vc_member_ref, *nstarts_out);
    if (*starts_out == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < *nstarts_out; i++)
        (*starts_out)[i] = (vc_member_ref){.level = target->level_number, .member = members[i]};
    return VC_OK;
}

/* "/children" and "/descendants". In an even hierarchy their leaves are the member's. */
static vc_status mark_relatives(const struct selecting *in, const vc_dimref *ref,
                                const struct target *target, const vc_item *item, uint64_t *bits,
                                vc_error *error)
{
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    bool has_level = item->level.data != NULL;
    unsigned level = 0;
    vc_member_ref *starts = NULL;
    size_t nstarts = 1; /* All */
    vc_status status = VC_OK;
    if (has_level) {
        status =
            vc_hierarchy_find_level(in->dimension, target->hierarchy, item->level, &level, error);
        if (status != VC_OK) return vc_error_at_place(error, status, item->place);
    }
    if ((!has_level && (target->index != NULL || !hierarchy->is_ragged)) ||
        (item->kind == VC_ITEM_DESCENDANTS && !has_level))
        return mark_path(in, ref, target, item, bits, error);
    if (item->nkeys > 0) status = find_starts(in, ref, target, item, &starts, &nstarts, error);
    for (size_t i = 0; i < nstarts && status == VC_OK; i++) {
        const vc_member_ref *start = starts == NULL ? NULL : &starts[i];
        if (has_level) status = check_is_below(in, target, item, start, level, error);
        if (status != VC_OK) return status;
        status = has_level ? mark_below(in, hierarchy, start, level, bits, error)
                           : mark_children(in, hierarchy, start, bits, error);
    }
    return status;
}

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
static vc_status find_bound_level(const struct selecting *in, const struct target *target,
                                  const vc_item *item, unsigned *level_out, vc_error *error)
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
        if (status == VC_OK && found.level < highest) highest = found.level;
        if (status == VC_IMPOSSIBLE) ambiguous = problem;
    }
    if (target->level == NULL && highest < VC_MAX_LEVELS) *level_out = highest;
    if (highest < VC_MAX_LEVELS || ambiguous.status == VC_OK) return VC_OK;
    if (error != NULL) *error = ambiguous;
    return vc_error_at_place(error, ambiguous.status, item->place);
}

static struct bound make_bound(const struct selecting *in, const struct target *target,
                               const vc_str *keys, size_t nkeys, unsigned single_level)
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

static void mark_index_range(const struct selecting *in, const vc_index *index, const vc_item *item,
                             uint64_t *bits)
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
            mark_member(in, index_level(in, index), index->members[i], bits);
    }
}

/* On a level of numbers the end of a range is a number: "2025-Q1" is a key whose "-" was not
 * escaped. */
static vc_status check_bound(const struct selecting *in, const struct target *target,
                             const struct bound *bound, const vc_item *item, vc_error *error)
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

static vc_status mark_range(const struct selecting *in, const struct target *target,
                            const vc_item *item, uint64_t *bits, vc_error *error)
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
    mark_chosen(in, at, chosen, bits);
    return VC_OK;
}

static vc_status mark_null(const struct selecting *in, const struct target *target, bool wants_null,
                           uint64_t *bits, vc_error *error)
{
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    if (target->index != NULL) {
        uint64_t *has = VC_ARENA_NEW(in->arena, uint64_t, in->nwords + 1);
        if (has == NULL) return vc_no_memory(error);
        for (uint32_t i = 0;
             i < vc_numbers_get(target->index->offsets, target->index->values.count); i++)
            mark_member(in, index_level(in, target->index), target->index->members[i], has);
        for (uint32_t leaf = 0; leaf < in->dimension->nleaves; leaf++)
            if (vc_bit_get(has, leaf) != wants_null) vc_bit_set(bits, leaf);
        return VC_OK;
    }
    const vc_level *level = target->level != NULL ? target->level : &hierarchy->levels[0];
    for (uint32_t leaf = 0; leaf < in->dimension->nleaves; leaf++) {
        bool is_null =
            vc_texts_get(&level->keys, vc_numbers_get(level->leaf_members, leaf)).data == NULL;
        if (is_null == wants_null) vc_bit_set(bits, leaf);
    }
    return VC_OK;
}

/* ASCII case ignored. */
static bool text_fits(vc_str text, vc_str part, vc_item_kind kind)
{
    if (text.data == NULL || part.size > text.size) return false;
    size_t last = text.size - part.size;
    if (kind == VC_ITEM_STARTS_WITH) last = 0;
    for (size_t at = kind == VC_ITEM_ENDS_WITH ? last : 0; at <= last; at++)
        if (strncasecmp(text.data + at, part.data, part.size) == 0) return true;
    return false;
}

static vc_status mark_text(const struct selecting *in, const struct target *target,
                           const vc_item *item, uint64_t *bits, vc_error *error)
{
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    if (target->index != NULL) {
        const vc_index *index = target->index;
        for (uint32_t value = 0; value < index->values.count; value++)
            if (text_fits(vc_texts_get(&index->values, value), item->keys[0], item->kind))
                for (uint32_t i = vc_numbers_get(index->offsets, value);
                     i < vc_numbers_get(index->offsets, value + 1); i++)
                    mark_member(in, index_level(in, index), index->members[i], bits);
        return VC_OK;
    }
    const vc_level *level = target->level != NULL ? target->level : &hierarchy->levels[0];
    uint64_t *chosen = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(level->nmembers) + 1);
    if (chosen == NULL) return vc_no_memory(error);
    for (uint32_t member = 0; member < level->nmembers; member++)
        if (text_fits(vc_texts_get(&level->keys, member), item->keys[0], item->kind) ||
            text_fits(vc_texts_get(&level->labels, member), item->keys[0], item->kind))
            vc_bit_set(chosen, member);
    mark_chosen(in, level, chosen, bits);
    return VC_OK;
}

static vc_status evaluate(const struct selecting *in, const vc_condition *condition,
                          uint64_t **bits_out, vc_error *error);

/* "#name": what the cut of the set selects; all of its conditions hold. */
static vc_status mark_set(const struct selecting *in, const vc_item *item, uint64_t *bits,
                          vc_error *error)
{
    enum { MAX_DEPTH = 16 };
    const vc_set_def *set;
    struct selecting inner = *in;
    uint64_t *all, *part;
    vc_meeting meeting = {.dimension = in->dimension, .nwords = in->nwords, .arena = in->arena};
    vc_error why = {0};
    vc_status status = vc_cube_find_set(in->cube, in->outer, item->keys[0], &set, error);
    if (status != VC_OK) return vc_error_at_place(error, status, item->place);
    if (inner.depth++ == MAX_DEPTH)
        status = vc_fail(&why, VC_BAD_INPUT, "definition_cycle", "it needs itself");
    for (size_t i = 0; i < set->nconditions && status == VC_OK; i++) {
        status = evaluate(&inner, set->conditions[i], &part, &why);
        if (status == VC_OK) status = vc_meeting_add(&meeting, part, &why);
    }
    if (status == VC_OK) status = vc_meeting_end(&meeting, &all, &why);
    for (size_t w = 0; status == VC_OK && w < in->nwords; w++)
        bits[w] |= all[w];
    if (status == VC_OK) return VC_OK;
    if (strncmp(why.message, "member set", strlen("member set")) == 0) { /* of the innermost */
        if (error != NULL) *error = why;
    } else {
        vc_fail(error, status, why.code, "member set '#%.*s': %s", VC_FMT(set->name), why.message);
        for (unsigned i = 0; i < why.ncandidates; i++)
            vc_error_add_candidate(error, why.candidates[i], strlen(why.candidates[i]));
    }
    return vc_error_at_place(error, status, item->place);
}

static vc_status mark_item(const struct selecting *in, const vc_dimref *ref,
                           const struct target *target, const vc_item *item, uint64_t *bits,
                           vc_error *error)
{
    switch (item->kind) {
    case VC_ITEM_ALL: vc_bits_set_range(bits, 0, in->outer->nslots); return VC_OK;
    case VC_ITEM_PATH: return mark_path(in, ref, target, item, bits, error);
    case VC_ITEM_CHILDREN:
    case VC_ITEM_DESCENDANTS: return mark_relatives(in, ref, target, item, bits, error);
    case VC_ITEM_RANGE: return mark_range(in, target, item, bits, error);
    case VC_ITEM_NULL: return mark_null(in, target, true, bits, error);
    case VC_ITEM_NOT_NULL: return mark_null(in, target, false, bits, error);
    case VC_ITEM_CONTAINS:
    case VC_ITEM_STARTS_WITH:
    case VC_ITEM_ENDS_WITH: return mark_text(in, target, item, bits, error);
    case VC_ITEM_MEMBER_SET: return mark_set(in, item, bits, error);
    }
    return VC_OK;
}

/* ---- conditions ---- */

bool vc_condition_restricts(const vc_condition *condition)
{
    if (condition->kind == VC_CONDITION_NOT) return true;
    if (condition->kind == VC_CONDITION_ITEMS) {
        for (size_t i = 0; i < condition->nitems; i++)
            if (condition->items[i].kind == VC_ITEM_ALL) return false; /* All or anything is All */
        return true;
    }
    bool any = false, all = true;
    for (size_t i = 0; i < condition->nchildren; i++) {
        bool does = vc_condition_restricts(condition->children[i]);
        any |= does;
        all &= does;
    }
    return condition->kind == VC_CONDITION_AND ? any : all;
}

static vc_status evaluate(const struct selecting *in, const vc_condition *condition,
                          uint64_t **bits_out, vc_error *error)
{
    uint64_t *bits = new_bits(in, error), *child;
    vc_status status = bits == NULL ? VC_NO_MEMORY : VC_OK;
    if (status == VC_OK && condition->kind == VC_CONDITION_ITEMS) {
        struct target target;
        status = find_target(in, &condition->dimref, &target, error);
        for (size_t i = 0; i < condition->nitems && status == VC_OK; i++)
            status = mark_item(in, &condition->dimref, &target, &condition->items[i], bits, error);
    }
    vc_meeting meeting = {.dimension = in->dimension, .nwords = in->nwords, .arena = in->arena};
    for (size_t c = 0; c < condition->nchildren && status == VC_OK; c++) {
        status = evaluate(in, condition->children[c], &child, error);
        if (status == VC_OK && condition->kind == VC_CONDITION_AND)
            status = vc_meeting_add(&meeting, child, error);
        for (size_t w = 0; status == VC_OK && w < in->nwords; w++)
            bits[w] |= child[w];
    }
    if (status == VC_OK && condition->kind == VC_CONDITION_AND && condition->nchildren > 0)
        status = vc_meeting_end(&meeting, &bits, error);
    if (status == VC_OK && condition->kind == VC_CONDITION_NOT) {
        vc_dimension_mark_places(in->dimension, bits); /* a leaf is asked for wherever it stands */
        for (size_t w = 0; w < in->nwords; w++)
            bits[w] = ~bits[w];
        /* What is not asked for does not include what has no place: buckets stay out. */
        for (size_t slot = in->dimension->nleaves; slot < in->nwords * 64; slot++)
            vc_bit_clear(bits, slot);
    }
    *bits_out = bits;
    return status;
}

vc_status vc_condition_evaluate(const vc_cube *cube, const vc_cube_dimension *dimension,
                                const vc_condition *condition, vc_arena *arena, uint64_t **bits_out,
                                vc_error *error)
{
    struct selecting in = {.cube = cube,
                           .arena = arena,
                           .outer = dimension,
                           .dimension = dimension->dimension,
                           .nwords = vc_bits_words(dimension->nslots)};
    return evaluate(&in, condition, bits_out, error);
}
