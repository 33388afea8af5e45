#include "dimensions/members.h"

#include "base/nearest.h"
#include "dimensions/search.h"

#include <assert.h>
#include <string.h>

/* ---- listing ---- */

void vc_member_descendants(const vc_hierarchy *hierarchy, vc_member_ref member, unsigned level,
                           uint32_t *first_out, uint32_t *end_out)
{
    assert(member.level <= level);
    uint32_t first = member.member, end = member.member + 1;
    for (unsigned l = member.level; l < level; l++) {
        first = hierarchy->levels[l].first_child[first];
        end = hierarchy->levels[l].first_child[end];
    }
    *first_out = first;
    *end_out = end;
}

/* Those among [first, end) of a level, and instead of a hidden one those right below it: added to
 * `members`, or only counted when that is NULL. */
static size_t list_children(const vc_hierarchy *hierarchy, unsigned number, uint32_t first,
                            uint32_t end, vc_member_ref *members)
{
    const vc_level *level = &hierarchy->levels[number];
    size_t count = 0;
    for (uint32_t m = first; m < end; m++) {
        if (!vc_member_is_hidden(level, m)) {
            if (members != NULL) members[count] = (vc_member_ref){.level = number, .member = m};
            count++;
        } else if (level->first_child != NULL) {
            count +=
                list_children(hierarchy, number + 1, level->first_child[m],
                              level->first_child[m + 1], members == NULL ? NULL : members + count);
        }
    }
    return count;
}

vc_status vc_member_children(const vc_hierarchy *hierarchy, const vc_member_ref *parent,
                             vc_arena *arena, vc_member_ref **members_out, size_t *nmembers_out,
                             vc_error *error)
{
    unsigned number = 0;
    uint32_t first = 0, end = hierarchy->levels[0].nmembers;
    if (parent != NULL) {
        const vc_level *level = &hierarchy->levels[parent->level];
        number = parent->level + 1;
        first = end = 0;
        if (level->first_child != NULL) {
            first = level->first_child[parent->member];
            end = level->first_child[parent->member + 1];
        }
    }
    size_t count = first == end ? 0 : list_children(hierarchy, number, first, end, NULL);
    vc_member_ref *members = VC_ARENA_NEW(arena, vc_member_ref, count + 1);
    if (members == NULL) return vc_no_memory(error);
    if (count > 0) list_children(hierarchy, number, first, end, members);
    *members_out = members;
    *nmembers_out = count;
    return VC_OK;
}

size_t vc_member_count_children(const vc_hierarchy *hierarchy, vc_member_ref member)
{
    const uint32_t *firsts = hierarchy->levels[member.level].first_child;
    if (firsts == NULL) return 0;
    return list_children(hierarchy, member.level + 1, firsts[member.member],
                         firsts[member.member + 1], NULL);
}

uint32_t vc_level_count(const vc_level *level)
{
    uint32_t first = 0, end = level->nmembers; /* null keys are last in by_key */
    while (level->is_ragged && first < end) {
        uint32_t middle = first + (end - first) / 2;
        if (vc_member_is_hidden(level, vc_numbers_get(level->by_key, middle)))
            end = middle;
        else
            first = middle + 1;
    }
    return end;
}

/* How much of `count` is left behind the offset, up to the limit. */
static size_t page_size(const vc_member_filter *filter, size_t count)
{
    if (filter->offset >= count) return 0;
    size_t left = count - filter->offset;
    return left < filter->limit ? left : filter->limit;
}

vc_status vc_dimension_list_members(const vc_dimension *dimension, const vc_member_filter *filter,
                                    vc_arena *arena, uint32_t **members_out, size_t *nmembers_out,
                                    size_t *ntotal_out, vc_error *error)
{
    const vc_hierarchy *hierarchy = &dimension->hierarchies[filter->hierarchy];
    const vc_level *level = &hierarchy->levels[filter->level];
    uint32_t first = 0, end = level->nmembers;
    if (filter->has_parent && filter->parent.level > filter->level)
        return vc_fail(error, VC_NOT_FOUND, "unknown_level",
                       "level '%.*s' of dimension '%.*s' is above the parent's level '%.*s'",
                       VC_FMT(level->name), VC_FMT(dimension->name),
                       VC_FMT(hierarchy->levels[filter->parent.level].name));
    if (filter->has_parent)
        vc_member_descendants(hierarchy, filter->parent, filter->level, &first, &end);

    if (filter->has_after && filter->after.member >= first)
        first = filter->after.member < end ? filter->after.member + 1 : end;
    bool is_listed = filter->search.size == 0 && !level->is_ragged; /* all of the range */
    uint32_t *members = vc_arena_alloc(arena, page_size(filter, end - first) * sizeof *members);
    if (members == NULL) return vc_no_memory(error);
    size_t ntotal = 0, nmembers = 0;
    if (is_listed) {
        ntotal = end - first;
        nmembers = page_size(filter, ntotal);
        for (size_t i = 0; i < nmembers; i++)
            members[i] = first + (uint32_t)(filter->offset + i);
    } else {
        vc_search search = {0};
        const vc_search_texts *texts = filter->texts;
        vc_status status = VC_OK;
        bool is_search = filter->search.size > 0;
        if (is_search)
            status = vc_search_make(filter->search, filter->is_prefix, arena, &search, error);
        if (status == VC_OK && is_search && texts == NULL)
            status = vc_search_texts_make(level, first, end - first, arena, &texts, error);
        if (status != VC_OK) return status;
        for (uint32_t m = first; m < end; m++) {
            if (is_search) m = vc_search_next(&search, texts, m, end);
            if (m == end) break;
            if (vc_member_is_hidden(level, m)) continue;
            if (ntotal >= filter->offset && nmembers < filter->limit) members[nmembers++] = m;
            ntotal++;
        }
    }
    *members_out = members;
    *nmembers_out = nmembers;
    *ntotal_out = ntotal;
    return VC_OK;
}

bool vc_hierarchy_is_by_key(const vc_hierarchy *hierarchy, unsigned level)
{
    for (unsigned l = 0; l <= level; l++)
        if (hierarchy->levels[l].is_ordered_by_column || hierarchy->levels[l].is_ragged)
            return false;
    return true;
}

/* The first member of [first, end) whose key is not before `key`. */
static uint32_t lower_bound(const vc_level *level, uint32_t first, uint32_t end, vc_str key)
{
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        if (vc_level_compare_keys(level, vc_texts_get(&level->keys, middle), key) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

void vc_hierarchy_find_place(const vc_hierarchy *hierarchy, unsigned level, const vc_str *keys,
                             bool *is_any_out, uint32_t *member_out)
{
    assert(vc_hierarchy_is_by_key(hierarchy, level));
    uint32_t first = 0, end = hierarchy->levels[0].nmembers;
    bool is_there = true;
    for (unsigned l = 0;; l++) {
        const vc_level *at = &hierarchy->levels[l];
        if (is_there) {
            first = lower_bound(at, first, end, keys[l]);
            is_there = first < end &&
                       vc_level_compare_keys(at, vc_texts_get(&at->keys, first), keys[l]) == 0;
        }
        if (l == level) break;
        end = at->first_child[is_there ? first + 1 : first];
        first = at->first_child[first];
    }
    /* `first` is the member itself, or the first one behind where it would be. */
    *is_any_out = is_there || first > 0;
    *member_out = is_there ? first : first - 1;
}

static vc_status is_match(const vc_hierarchy *hierarchy, vc_member_ref member,
                          const vc_member_filter *filter, bool *fits_out, vc_error *error)
{
    vc_arena arena = {0};
    vc_search search;
    const vc_search_texts *texts;
    uint32_t number = member.member;
    vc_status status = vc_search_make(filter->search, filter->is_prefix, &arena, &search, error);
    if (status == VC_OK)
        status = vc_search_texts_make(&hierarchy->levels[member.level], number, 1, &arena, &texts,
                                      error);
    *fits_out = status == VC_OK && vc_search_next(&search, texts, number, number + 1) == number;
    vc_arena_release(&arena);
    return status;
}

/* What is right below the parent of the filter. */
static vc_status browse_children(const vc_hierarchy *hierarchy, const vc_member_filter *filter,
                                 vc_arena *arena, vc_member_ref **members_out, size_t *nmembers_out,
                                 size_t *ntotal_out, vc_error *error)
{
    vc_member_ref *members;
    size_t count, nmembers = 0, ntotal = 0;
    vc_status status = vc_member_children(hierarchy, filter->has_parent ? &filter->parent : NULL,
                                          arena, &members, &count, error);
    bool is_behind = !filter->has_after;
    for (size_t i = 0; status == VC_OK && i < count; i++) {
        bool fits = true;
        if (!is_behind) {
            is_behind = members[i].level == filter->after.level &&
                        members[i].member == filter->after.member;
            continue;
        }
        if (filter->search.size > 0) status = is_match(hierarchy, members[i], filter, &fits, error);
        if (!fits) continue;
        if (ntotal >= filter->offset && nmembers < filter->limit) members[nmembers++] = members[i];
        ntotal++;
    }
    *members_out = members;
    *nmembers_out = nmembers;
    *ntotal_out = ntotal;
    return status;
}

vc_status vc_dimension_browse(const vc_dimension *dimension, const vc_member_filter *filter,
                              vc_arena *arena, vc_member_ref **members_out, size_t *nmembers_out,
                              size_t *ntotal_out, vc_error *error)
{
    uint32_t *numbers;
    if (filter->is_children)
        return browse_children(&dimension->hierarchies[filter->hierarchy], filter, arena,
                               members_out, nmembers_out, ntotal_out, error);
    vc_status status = vc_dimension_list_members(dimension, filter, arena, &numbers, nmembers_out,
                                                 ntotal_out, error);
    if (status != VC_OK) return status;
    *members_out = vc_arena_alloc(arena, (*nmembers_out + 1) * sizeof **members_out);
    if (*members_out == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < *nmembers_out; i++)
        (*members_out)[i] = (vc_member_ref){.level = filter->level, .member = numbers[i]};
    return VC_OK;
}

/* ---- properties ---- */

uint32_t vc_attribute_leaf_code(const vc_dimension *dimension, const vc_attribute *attribute,
                                uint32_t leaf)
{
    if (attribute->hierarchy < 0) return vc_numbers_get(attribute->codes, leaf);
    const vc_level *level = &dimension->hierarchies[attribute->hierarchy].levels[attribute->level];
    return vc_numbers_get(attribute->codes, vc_numbers_get(level->leaf_members, leaf));
}

static uint32_t merge_codes(uint32_t so_far, uint32_t code)
{
    if (code == VC_NONE || code == so_far) return so_far;
    return so_far == VC_NONE ? code : VC_MANY;
}

/* Of the rows that members of a parent-child hierarchy are. */
static vc_status node_properties(const vc_dimension *dimension, const vc_level *level,
                                 const vc_attribute *attribute, const uint32_t *members,
                                 size_t nmembers, uint32_t *codes_out, vc_error *error)
{
    const vc_index *keys;
    vc_status status = vc_dimension_find_index(dimension, VC_STR("key"), &keys, error);
    for (size_t i = 0; status == VC_OK && i < nmembers; i++) {
        const uint32_t *leaves;
        size_t nleaves;
        vc_index_find(keys, vc_texts_get(&level->keys, members[i]), &leaves, &nleaves);
        codes_out[i] =
            nleaves == 0 ? VC_NONE : vc_attribute_leaf_code(dimension, attribute, leaves[0]);
    }
    return status;
}

vc_status vc_member_properties(const vc_dimension *dimension, unsigned hierarchy, unsigned level,
                               const vc_attribute *attribute, const uint32_t *members,
                               size_t nmembers, vc_arena *arena, uint32_t *codes_out,
                               vc_error *error)
{
    const vc_level *of = &dimension->hierarchies[hierarchy].levels[level];
    if (dimension->hierarchies[hierarchy].is_parent_child)
        return node_properties(dimension, of, attribute, members, nmembers, codes_out, error);
    for (size_t i = 0; i < nmembers; i++) {
        codes_out[i] = VC_NONE;
        if (!of->is_contiguous) continue;
        uint32_t leaf = vc_numbers_get(of->first_leaf, members[i]);
        uint32_t end = vc_numbers_get(of->first_leaf, members[i] + 1);
        for (; leaf < end && codes_out[i] != VC_MANY; leaf++)
            codes_out[i] =
                merge_codes(codes_out[i], vc_attribute_leaf_code(dimension, attribute, leaf));
    }
    if (of->is_contiguous) return VC_OK;

    uint32_t *code_of_member = vc_arena_alloc(arena, of->nmembers * sizeof *code_of_member);
    if (code_of_member == NULL) return vc_no_memory(error);
    for (uint32_t m = 0; m < of->nmembers; m++)
        code_of_member[m] = VC_NONE;
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        uint32_t *code = &code_of_member[vc_numbers_get(of->leaf_members, leaf)];
        if (*code != VC_MANY)
            *code = merge_codes(*code, vc_attribute_leaf_code(dimension, attribute, leaf));
    }
    for (size_t i = 0; i < nmembers; i++)
        codes_out[i] = code_of_member[members[i]];
    return VC_OK;
}

vc_status vc_member_property_values(const vc_dimension *dimension, unsigned hierarchy,
                                    vc_member_ref member, const vc_attribute *attribute,
                                    vc_arena *arena, uint32_t **codes_out, size_t *ncodes_out,
                                    vc_error *error)
{
    const vc_level *level = &dimension->hierarchies[hierarchy].levels[member.level];
    uint32_t nvalues = attribute->values.count;
    uint64_t *is_there = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(nvalues));
    if (is_there == NULL) return vc_no_memory(error);
    uint32_t leaf = 0, end = dimension->nleaves;
    if (level->is_contiguous) {
        leaf = vc_numbers_get(level->first_leaf, member.member);
        end = vc_numbers_get(level->first_leaf, member.member + 1);
    }
    for (; leaf < end; leaf++) {
        if (vc_numbers_get(level->leaf_members, leaf) != member.member) continue;
        uint32_t code = vc_attribute_leaf_code(dimension, attribute, leaf);
        if (code != VC_NONE) vc_bit_set(is_there, code);
    }
    size_t ncodes = 0;
    uint32_t *codes = vc_arena_alloc(arena, vc_bits_count(is_there, nvalues) * sizeof *codes);
    if (codes == NULL) return vc_no_memory(error);
    for (uint32_t code = 0; code < nvalues; code++)
        if (vc_bit_get(is_there, code)) codes[ncodes++] = code;
    *codes_out = codes;
    *ncodes_out = ncodes;
    return VC_OK;
}

vc_status vc_dimension_get_attribute(const vc_dimension *dimension, vc_str name,
                                     const vc_attribute **attribute_out, vc_error *error)
{
    *attribute_out = vc_dimension_find_attribute(dimension, name);
    if (*attribute_out != NULL) return VC_OK;
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (unsigned a = 0; a < dimension->nattributes; a++)
        vc_nearest_offer(&nearest, dimension->attributes[a].name);
    vc_fail(error, VC_NOT_FOUND, "unknown_attribute", "dimension '%.*s' has no attribute '%.*s'",
            VC_FMT(dimension->name), VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}
