#include "dimensions/members.h"

#include "base/nearest.h"

#include <assert.h>
#include <string.h>
#include <utf8proc.h>

/* ---- searching ---- */

/* One character in lower case; moves *text behind it. Bytes that are no UTF-8 stand for themselves.
 */
static int32_t take_lower(vc_str *text)
{
    unsigned char byte = (unsigned char)text->data[0];
    utf8proc_int32_t character = byte;
    utf8proc_ssize_t size = 1;
    if (byte >= 0x80) {
        size = utf8proc_iterate((const utf8proc_uint8_t *)text->data, (utf8proc_ssize_t)text->size,
                                &character);
        if (size <= 0) {
            character = byte;
            size = 1;
        }
        character = utf8proc_tolower(character);
    } else if (byte >= 'A' && byte <= 'Z') {
        character = byte + ('a' - 'A');
    }
    text->data += size;
    text->size -= (size_t)size;
    return character;
}

static bool begins_with(vc_str text, vc_str part)
{
    while (part.size > 0) {
        if (text.size == 0) return false;
        if (take_lower(&text) != take_lower(&part)) return false;
    }
    return true;
}

static bool contains(vc_str text, vc_str part)
{
    for (; text.size > 0; take_lower(&text))
        if (begins_with(text, part)) return true;
    return false;
}

static bool is_match(const vc_level *level, uint32_t member, vc_str search)
{
    if (contains(vc_texts_get(&level->keys, member), search)) return true;
    return level->has_labels && contains(vc_texts_get(&level->labels, member), search);
}

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

    uint32_t *members = vc_arena_alloc(arena, page_size(filter, end - first) * sizeof *members);
    if (members == NULL) return vc_no_memory(error);
    size_t ntotal = 0, nmembers = 0;
    if (filter->search.size == 0) {
        ntotal = end - first;
        nmembers = page_size(filter, ntotal);
        for (size_t i = 0; i < nmembers; i++)
            members[i] = first + (uint32_t)(filter->offset + i);
    } else {
        for (uint32_t m = first; m < end; m++) {
            if (!is_match(level, m, filter->search)) continue;
            if (ntotal >= filter->offset && nmembers < filter->limit) members[nmembers++] = m;
            ntotal++;
        }
    }
    *members_out = members;
    *nmembers_out = nmembers;
    *ntotal_out = ntotal;
    return VC_OK;
}

/* ---- properties ---- */

/* The attribute's value of each leaf. */
static uint32_t leaf_code(const vc_dimension *dimension, const vc_attribute *attribute,
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

vc_status vc_member_properties(const vc_dimension *dimension, unsigned hierarchy, unsigned level,
                               const vc_attribute *attribute, const uint32_t *members,
                               size_t nmembers, vc_arena *arena, uint32_t *codes_out,
                               vc_error *error)
{
    const vc_level *of = &dimension->hierarchies[hierarchy].levels[level];
    for (size_t i = 0; i < nmembers; i++) {
        codes_out[i] = VC_NONE;
        if (!of->is_contiguous) continue;
        uint32_t leaf = vc_numbers_get(of->first_leaf, members[i]);
        uint32_t end = vc_numbers_get(of->first_leaf, members[i] + 1);
        for (; leaf < end && codes_out[i] != VC_MANY; leaf++)
            codes_out[i] = merge_codes(codes_out[i], leaf_code(dimension, attribute, leaf));
    }
    if (of->is_contiguous) return VC_OK;

    uint32_t *code_of_member = vc_arena_alloc(arena, of->nmembers * sizeof *code_of_member);
    if (code_of_member == NULL) return vc_no_memory(error);
    for (uint32_t m = 0; m < of->nmembers; m++)
        code_of_member[m] = VC_NONE;
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        uint32_t *code = &code_of_member[vc_numbers_get(of->leaf_members, leaf)];
        if (*code != VC_MANY) *code = merge_codes(*code, leaf_code(dimension, attribute, leaf));
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
        uint32_t code = leaf_code(dimension, attribute, leaf);
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
