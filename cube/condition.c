/* Conditions -> sets: which slots of a dimension they leave, as a bitmap. */
#include "cube/condition_parts.h"
#include "cube/restrict.h"

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

static uint64_t *new_bits(const struct vc_condition_selecting *in, vc_error *error)
{
    uint64_t *bits = VC_ARENA_NEW(in->arena, uint64_t, in->nwords + 1);
    if (bits == NULL) vc_no_memory(error);
    return bits;
}

/* A member of a level, or a leaf when the level is NULL. */
void vc_condition_mark_member(const struct vc_condition_selecting *in, const vc_level *level,
                              uint32_t member, uint64_t *bits)
{
    if (level == NULL)
        vc_bit_set(bits, member);
    else
        vc_level_mark_leaves(in->dimension, level, member, bits);
}

void vc_condition_mark_chosen(const struct vc_condition_selecting *in, const vc_level *level,
                              const uint64_t *chosen, uint64_t *bits)
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

static bool mark_synthetic(const struct vc_condition_selecting *in, vc_str key, uint64_t *bits)
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

/* A level of the hierarchy first, then an index. Without a name both stay NULL. */
static vc_status find_target(const struct vc_condition_selecting *in, const vc_dimref *ref,
                             struct vc_condition_target *target, vc_error *error)
{
    *target = (struct vc_condition_target){0};
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

const vc_level *vc_condition_index_level(const struct vc_condition_selecting *in,
                                         const vc_index *index)
{
    return index->hierarchy < 0
               ? NULL
               : &in->dimension->hierarchies[index->hierarchy].levels[index->level];
}

static vc_status fail_unknown_key(const struct vc_condition_selecting *in, const vc_dimref *ref,
                                  vc_str key, const vc_item *item, vc_error *error)
{
    vc_status status = vc_fail(error, VC_NOT_FOUND, "unknown_member",
                               "dimension '%.*s' has no member with the %.*s '%.*s'",
                               VC_FMT(in->outer->name), VC_FMT(ref->level), VC_FMT(key));
    return vc_error_at_place(error, status, item->place);
}

/* ---- items ---- */

static vc_status mark_key(const struct vc_condition_selecting *in, const vc_dimref *ref,
                          const struct vc_condition_target *target, const vc_item *item,
                          uint64_t *bits, vc_error *error)
{
    const uint32_t *members;
    uint32_t *found;
    size_t nmembers;
    vc_str key = item->keys[0];
    if (target->index != NULL) {
        vc_index_find(target->index, key, &members, &nmembers);
        for (size_t i = 0; i < nmembers; i++)
            vc_condition_mark_member(in, vc_condition_index_level(in, target->index), members[i],
                                     bits);
    } else {
        vc_str wanted = key.size == 0 ? (vc_str){0} : key;
        vc_status status =
            vc_level_find_members(target->level, wanted, in->arena, &found, &nmembers, error);
        if (status != VC_OK && status != VC_NOT_FOUND) return status;
        if (status == VC_NOT_FOUND) return vc_error_at_place(error, status, item->place);
        for (size_t i = 0; i < nmembers; i++)
            vc_condition_mark_member(in, target->level, found[i], bits);
    }
    return nmembers > 0 ? VC_OK : fail_unknown_key(in, ref, key, item, error);
}

/* All members of a hierarchy that have the key, from the top. */
static vc_status find_with_key(const struct vc_condition_selecting *in,
                               const vc_hierarchy *hierarchy, vc_str key, vc_member_ref **found_out,
                               size_t *nfound_out, vc_error *error)
{
    *nfound_out = 0;
    *found_out = NULL;
    for (unsigned l = 0; l < hierarchy->nlevels; l++) {
        uint32_t *members;
        size_t nmembers, count = *nfound_out;
        vc_status status = vc_level_find_members(&hierarchy->levels[l], key, in->arena, &members,
                                                 &nmembers, error);
        if (status != VC_OK) return status;
        if (nmembers == 0) continue;
        vc_member_ref *all = VC_ARENA_NEW(in->arena, vc_member_ref, count + nmembers);
        if (all == NULL) return vc_no_memory(error);
        if (count > 0) memcpy(all, *found_out, count * sizeof *all);
        for (size_t i = 0; i < nmembers; i++)
            all[count + i] = (vc_member_ref){.level = l, .member = members[i]};
        *found_out = all;
        *nfound_out = count + nmembers;
    }
    return VC_OK;
}

vc_status vc_condition_find_same(const struct vc_condition_selecting *in,
                                 const struct vc_condition_target *target, vc_str key,
                                 vc_member_ref **members_out, size_t *nmembers_out, vc_error *error)
{
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    uint64_t *first = NULL;
    vc_member_ref *found;
    size_t nfound;
    *nmembers_out = 0;
    if (!in->dimension->has_places) return VC_OK;
    vc_status status = find_with_key(in, hierarchy, key, &found, &nfound, error);
    if (status != VC_OK) return status;
    for (size_t i = 0; i < nfound; i++) {
        uint64_t *mine = new_bits(in, error);
        if (mine == NULL) return VC_NO_MEMORY;
        vc_condition_mark_member(in, &hierarchy->levels[found[i].level], found[i].member, mine);
        vc_dimension_mark_places(in->dimension, mine);
        if (first == NULL) first = mine;
        if (memcmp(first, mine, in->nwords * sizeof *mine) != 0) return VC_OK;
    }
    *members_out = found;
    *nmembers_out = nfound;
    return VC_OK;
}

static vc_status mark_path(const struct vc_condition_selecting *in, const vc_dimref *ref,
                           const struct vc_condition_target *target, const vc_item *item,
                           uint64_t *bits, vc_error *error)
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
    vc_member_ref *same = &member;
    size_t nsame = 1;
    if (status == VC_IMPOSSIBLE && item->nkeys == 1) {
        vc_status looked = vc_condition_find_same(in, target, item->keys[0], &same, &nsame, error);
        if (looked != VC_OK) return looked;
        if (nsame > 0) status = VC_OK;
    }
    if (status != VC_OK && error != NULL) *error = problem;
    if (status != VC_OK) return vc_error_at_place(error, status, item->place);
    for (size_t i = 0; i < nsame; i++)
        vc_condition_mark_member(
            in, &in->dimension->hierarchies[target->hierarchy].levels[same[i].level],
            same[i].member, bits);
    return VC_OK;
}

/* ---- what is below a member ---- */

/* "/descendants:level" says a level, which must stand below the member: the levels that do are the
 * candidates. */
static vc_status check_is_below(const struct vc_condition_selecting *in,
                                const struct vc_condition_target *target, const vc_item *item,
                                const vc_member_ref *member, unsigned level, vc_error *error)
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
static vc_status mark_below(const struct vc_condition_selecting *in, const vc_hierarchy *hierarchy,
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
    vc_condition_mark_chosen(in, level, chosen, bits);
    return VC_OK;
}

/* The leaves of the children: none below the lowest level. A leaf of a ragged hierarchy that is the
 * member's own is in none. */
static vc_status mark_children(const struct vc_condition_selecting *in,
                               const vc_hierarchy *hierarchy, const vc_member_ref *member,
                               uint64_t *bits, vc_error *error)
{
    vc_member_ref *children;
    size_t nchildren;
    if (!hierarchy->is_ragged) { /* their leaves are the member's */
        if (member == NULL)
            vc_bits_set_range(bits, 0, in->dimension->nleaves);
        else if (member->level + 1 < hierarchy->nlevels)
            vc_condition_mark_member(in, &hierarchy->levels[member->level], member->member, bits);
        return VC_OK;
    }
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
        if (chosen != NULL) vc_condition_mark_chosen(in, level, chosen, bits);
    }
    return status;
}

/* Those that have the key in an index. Nothing is below a leaf. */
static vc_status find_indexed(const struct vc_condition_selecting *in, const vc_dimref *ref,
                              const struct vc_condition_target *target, const vc_item *item,
                              vc_member_ref **starts_out, size_t *nstarts_out, vc_error *error)
{
    const vc_index *index = target->index;
    const uint32_t *members;
    vc_index_find(index, item->keys[0], &members, nstarts_out);
    if (*nstarts_out == 0) return fail_unknown_key(in, ref, item->keys[0], item, error);
    if (item->level.data != NULL && index->hierarchy != (int)target->hierarchy) {
        vc_status status = vc_fail(error, VC_IMPOSSIBLE, "bad_level",
                                   "level '%.*s' is not below what '%.*s' finds",
                                   VC_FMT(item->level), VC_FMT(index->name));
        return vc_error_at_place(error, status, item->place);
    }
    if (index->hierarchy < 0) *nstarts_out = 0;
    *starts_out = VC_ARENA_NEW(in->arena, vc_member_ref, *nstarts_out + 1);
    if (*starts_out == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < *nstarts_out; i++)
        (*starts_out)[i] = (vc_member_ref){.level = (unsigned)index->level, .member = members[i]};
    return VC_OK;
}

/* The members that an item with a "/" starts from: one by its path, all that have the key where the
 * dimref names a level, or All: NULL. */
static vc_status find_starts(const struct vc_condition_selecting *in, const vc_dimref *ref,
                             const struct vc_condition_target *target, const vc_item *item,
                             vc_member_ref **starts_out, size_t *nstarts_out, vc_error *error)
{
    uint32_t *members;
    *starts_out = VC_ARENA_NEW(in->arena, vc_member_ref, 1);
    *nstarts_out = 1;
    if (*starts_out == NULL) return vc_no_memory(error);
    if (target->index != NULL)
        return find_indexed(in, ref, target, item, starts_out, nstarts_out, error);
    if (target->level == NULL || item->nkeys != 1) {
        vc_error problem = {0};
        vc_status status = vc_hierarchy_find_member(in->dimension, target->hierarchy, item->keys,
                                                    item->nkeys, in->arena, *starts_out, &problem);
        if (status == VC_IMPOSSIBLE && item->nkeys == 1) {
            vc_status looked =
                vc_condition_find_same(in, target, item->keys[0], starts_out, nstarts_out, error);
            if (looked != VC_OK || *nstarts_out > 0) return looked;
        }
        if (status != VC_OK && error != NULL) *error = problem;
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

/* "/children" and "/descendants". */
static vc_status mark_relatives(const struct vc_condition_selecting *in, const vc_dimref *ref,
                                const struct vc_condition_target *target, const vc_item *item,
                                uint64_t *bits, vc_error *error)
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
    if (item->kind == VC_ITEM_DESCENDANTS && !has_level)
        return mark_path(in, ref, target, item, bits, error);
    if (!has_level && target->index != NULL && target->index->hierarchy >= 0)
        hierarchy = &in->dimension->hierarchies[target->index->hierarchy];
    if (!has_level && item->nkeys == 1 && mark_synthetic(in, item->keys[0], bits)) return VC_OK;
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

static vc_status mark_null(const struct vc_condition_selecting *in,
                           const struct vc_condition_target *target, bool wants_null,
                           uint64_t *bits, vc_error *error)
{
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    if (target->index != NULL) {
        uint64_t *has = VC_ARENA_NEW(in->arena, uint64_t, in->nwords + 1);
        if (has == NULL) return vc_no_memory(error);
        for (uint32_t i = 0;
             i < vc_numbers_get(target->index->offsets, target->index->values.count); i++)
            vc_condition_mark_member(in, vc_condition_index_level(in, target->index),
                                     target->index->members[i], has);
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

static vc_status mark_text(const struct vc_condition_selecting *in,
                           const struct vc_condition_target *target, const vc_item *item,
                           uint64_t *bits, vc_error *error)
{
    const vc_hierarchy *hierarchy = &in->dimension->hierarchies[target->hierarchy];
    if (target->index != NULL) {
        const vc_index *index = target->index;
        for (uint32_t value = 0; value < index->values.count; value++)
            if (text_fits(vc_texts_get(&index->values, value), item->keys[0], item->kind))
                for (uint32_t i = vc_numbers_get(index->offsets, value);
                     i < vc_numbers_get(index->offsets, value + 1); i++)
                    vc_condition_mark_member(in, vc_condition_index_level(in, index),
                                             index->members[i], bits);
        return VC_OK;
    }
    const vc_level *level = target->level != NULL ? target->level : &hierarchy->levels[0];
    uint64_t *chosen = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(level->nmembers) + 1);
    if (chosen == NULL) return vc_no_memory(error);
    for (uint32_t member = 0; member < level->nmembers; member++)
        if ((item->text_of != VC_TEXT_OF_LABEL &&
             text_fits(vc_texts_get(&level->keys, member), item->keys[0], item->kind)) ||
            (item->text_of != VC_TEXT_OF_KEY &&
             text_fits(vc_texts_get(&level->labels, member), item->keys[0], item->kind)))
            vc_bit_set(chosen, member);
    vc_condition_mark_chosen(in, level, chosen, bits);
    return VC_OK;
}

static vc_status evaluate(const struct vc_condition_selecting *in, const vc_condition *condition,
                          uint64_t **bits_out, vc_error *error);

/* "#name": what the cut of the set selects; all of its conditions hold. */
/* The whole dimension of which a role sees a part, if the one that is seen is a source's own. */
static const vc_source_cube *find_shown(const struct vc_condition_selecting *in, size_t *number_out)
{
    if (!in->cube->is_partial) return NULL;
    const vc_cube_source *owner = &in->cube->sources[in->outer->owner];
    const vc_binding *binding = &owner->bindings[in->outer - in->cube->dimensions];
    *number_out = binding->source_dimension;
    bool is_own = binding->kind != VC_BIND_NONE && owner->cube->masks != NULL &&
                  owner->cube->dimensions[*number_out] == in->dimension;
    return is_own ? owner->cube : NULL;
}

/* A set is its author's: it may name members that whoever uses it may not see. Then it is what is
 * left of it, which is found in the whole dimension. */
static vc_status evaluate_set(const struct vc_condition_selecting *in,
                              const vc_condition *condition, uint64_t **bits_out, vc_error *error)
{
    size_t number;
    struct vc_condition_selecting whole = *in;
    const vc_source_cube *shown = find_shown(in, &number);
    if (shown == NULL) return evaluate(in, condition, bits_out, error);
    whole.dimension = shown->whole->dimensions[number];
    whole.nwords = vc_bits_words(whole.dimension->nleaves);
    if (whole.nwords < in->nwords) whole.nwords = in->nwords;
    uint64_t *bits = NULL, *seen = new_bits(in, error), *found;
    vc_status status = seen == NULL ? VC_NO_MEMORY : evaluate(&whole, condition, &bits, error);
    if (status != VC_OK) return status;
    vc_dimension_mark_places(whole.dimension, bits);
    status = vc_source_cube_show_leaves(shown, number, bits, in->arena, &found, error);
    for (size_t w = 0; status == VC_OK && w < vc_bits_words(in->dimension->nleaves); w++)
        seen[w] = found[w];
    *bits_out = seen;
    return status;
}

static vc_status mark_set(const struct vc_condition_selecting *in, const vc_item *item,
                          uint64_t *bits, vc_error *error)
{
    enum { MAX_DEPTH = 16, MAX_SETS = 4096 };
    const vc_set_def *set;
    struct vc_condition_selecting inner = *in;
    uint64_t *all, *part;
    vc_meeting meeting = {.dimension = in->dimension, .nwords = in->nwords, .arena = in->arena};
    vc_error why = {0};
    vc_status status = vc_cube_find_set(in->cube, in->outer, item->keys[0], &set, error);
    if (status != VC_OK) return vc_error_at_place(error, status, item->place);
    if (inner.depth++ == MAX_DEPTH)
        status = vc_fail(&why, VC_BAD_INPUT, "definition_cycle", "it needs itself");
    if (status == VC_OK && ++*in->nsets > MAX_SETS)
        status =
            vc_fail(&why, VC_LIMIT, "limit_depth",
                    "it leads to more than %d member sets, those within sets counted", MAX_SETS);
    for (size_t i = 0; i < set->nconditions && status == VC_OK; i++) {
        status = evaluate_set(&inner, set->conditions[i], &part, &why);
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

static vc_status mark_item(const struct vc_condition_selecting *in, const vc_dimref *ref,
                           const struct vc_condition_target *target, const vc_item *item,
                           uint64_t *bits, vc_error *error)
{
    switch (item->kind) {
    case VC_ITEM_ALL: vc_bits_set_range(bits, 0, in->outer->nslots); return VC_OK;
    case VC_ITEM_PATH: return mark_path(in, ref, target, item, bits, error);
    case VC_ITEM_CHILDREN:
    case VC_ITEM_DESCENDANTS: return mark_relatives(in, ref, target, item, bits, error);
    case VC_ITEM_RANGE: return vc_condition_mark_range(in, target, item, bits, error);
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

static vc_status evaluate(const struct vc_condition_selecting *in, const vc_condition *condition,
                          uint64_t **bits_out, vc_error *error)
{
    uint64_t *bits = new_bits(in, error), *child;
    vc_status status = bits == NULL ? VC_NO_MEMORY : VC_OK;
    if (status == VC_OK && condition->kind == VC_CONDITION_ITEMS) {
        struct vc_condition_target target;
        status = find_target(in, &condition->dimref, &target, error);
        for (size_t i = 0; i < condition->nitems && status == VC_OK; i++) {
            status = mark_item(in, &condition->dimref, &target, &condition->items[i], bits, error);
            /* Of a set whose dimension is put together, what is not seen is nothing. */
            if (in->cube->is_partial && in->depth > 0 && status == VC_NOT_FOUND) status = VC_OK;
        }
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
    unsigned nsets = 0;
    struct vc_condition_selecting in = {.cube = cube,
                                        .nsets = &nsets,
                                        .arena = arena,
                                        .outer = dimension,
                                        .dimension = dimension->dimension,
                                        .nwords = vc_bits_words(dimension->nslots)};
    return evaluate(&in, condition, bits_out, error);
}
