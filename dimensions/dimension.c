/* Looking things up in a dimension by name and by value. Levels and paths are in level.c. */
#include "dimensions/dimension.h"

#include "base/nearest.h"

#include <string.h>

/* ---- numbers ---- */

void vc_numbers_copy(vc_numbers numbers, uint32_t first, uint32_t count, uint32_t *values_out)
{
    switch (numbers.width) { /* apart, so that each loop has its one form */
    case 0:
        for (uint32_t i = 0; i < count; i++)
            values_out[i] = first + i;
        return;
    case 1:
        for (uint32_t i = 0; i < count; i++)
            values_out[i] = vc_numbers_get((vc_numbers){numbers.data, 1}, first + i);
        return;
    case 2:
        for (uint32_t i = 0; i < count; i++)
            values_out[i] = vc_numbers_get((vc_numbers){numbers.data, 2}, first + i);
        return;
    default:
        if (count > 0)
            memcpy(values_out, (const uint32_t *)numbers.data + first, count * sizeof *values_out);
    }
}

/* ---- names ---- */

/* All names are few, so an error lists the nearest, or else the first ones. */
static vc_status fail_unknown(vc_error *error, const char *code, vc_str wanted, const vc_str *names,
                              size_t nnames, const char *kind, vc_str dimension)
{
    vc_fail(error, VC_NOT_FOUND, code, "dimension '%.*s' has no %s '%.*s'", VC_FMT(dimension), kind,
            VC_FMT(wanted));
    vc_nearest nearest;
    vc_nearest_init(&nearest, wanted);
    for (size_t i = 0; i < nnames; i++)
        vc_nearest_offer(&nearest, names[i]);
    vc_nearest_report(&nearest, error);
    for (size_t i = 0; nearest.count == 0 && i < nnames && i < VC_ERROR_CANDIDATES; i++)
        vc_error_add_candidate(error, names[i].data, names[i].size);
    return VC_NOT_FOUND;
}

vc_status vc_dimension_find_hierarchy(const vc_dimension *dimension, vc_str name,
                                      unsigned *hierarchy_out, vc_error *error)
{
    vc_str names[VC_MAX_HIERARCHIES];
    for (unsigned h = 0; h < dimension->nhierarchies; h++) {
        names[h] = dimension->hierarchies[h].name;
        if (name.size > 0 && !vc_str_equal(names[h], name)) continue;
        *hierarchy_out = h;
        return VC_OK;
    }
    return fail_unknown(error, "unknown_hierarchy", name, names, dimension->nhierarchies,
                        "hierarchy", dimension->name);
}

vc_status vc_hierarchy_find_level(const vc_dimension *dimension, unsigned hierarchy, vc_str name,
                                  unsigned *level_out, vc_error *error)
{
    const vc_hierarchy *within = &dimension->hierarchies[hierarchy];
    vc_str names[VC_MAX_LEVELS];
    for (unsigned l = 0; l < within->nlevels; l++) {
        names[l] = within->levels[l].name;
        if (!vc_str_equal(names[l], name)) continue;
        *level_out = l;
        return VC_OK;
    }
    return fail_unknown(error, "unknown_level", name, names, within->nlevels, "level",
                        dimension->name);
}

vc_status vc_dimension_find_index(const vc_dimension *dimension, vc_str name,
                                  const vc_index **index_out, vc_error *error)
{
    for (unsigned i = 0; i < dimension->nindexes; i++)
        if (vc_str_equal(dimension->indexes[i].name, name)) {
            *index_out = &dimension->indexes[i];
            return VC_OK;
        }
    vc_fail(error, VC_NOT_FOUND, "unknown_index",
            "dimension '%.*s' has no index, level or attribute '%.*s'", VC_FMT(dimension->name),
            VC_FMT(name));
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (unsigned i = 0; i < dimension->nindexes; i++)
        vc_nearest_offer(&nearest, dimension->indexes[i].name);
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

const vc_attribute *vc_dimension_find_attribute(const vc_dimension *dimension, vc_str name)
{
    for (unsigned a = 0; a < dimension->nattributes; a++)
        if (vc_str_equal(dimension->attributes[a].name, name)) return &dimension->attributes[a];
    return NULL;
}

/* ---- values ---- */

void vc_index_find(const vc_index *index, vc_str value, const uint32_t **members_out,
                   size_t *nmembers_out)
{
    uint32_t first = 0, end = index->values.count;
    *members_out = index->members;
    *nmembers_out = 0;
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        int order = vc_str_compare(vc_texts_get(&index->values, middle), value);
        if (order == 0) {
            uint32_t at = vc_numbers_get(index->offsets, middle);
            *members_out = index->members + at;
            *nmembers_out = vc_numbers_get(index->offsets, middle + 1) - at;
            return;
        }
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
}

void vc_level_mark_leaves(const vc_dimension *dimension, const vc_level *level, uint32_t member,
                          uint64_t *bits)
{
    if (level->is_contiguous) {
        vc_bits_set_range(bits, vc_numbers_get(level->first_leaf, member),
                          vc_numbers_get(level->first_leaf, member + 1));
        return;
    }
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        if (vc_numbers_get(level->leaf_members, leaf) == member) vc_bit_set(bits, leaf);
}

vc_status vc_index_leaf_values(const vc_dimension *dimension, const vc_index *index,
                               vc_arena *arena, uint32_t **values_out, vc_error *error)
{
    const vc_level *level = index->hierarchy < 0
                                ? NULL
                                : &dimension->hierarchies[index->hierarchy].levels[index->level];
    uint32_t nmembers = level == NULL ? dimension->nleaves : level->nmembers;
    uint32_t *of_member = vc_arena_alloc(arena, ((size_t)nmembers + 1) * sizeof *of_member);
    uint32_t *of_leaf = vc_arena_alloc(arena, ((size_t)dimension->nleaves + 1) * sizeof *of_leaf);
    if (of_member == NULL || of_leaf == NULL) return vc_no_memory(error);
    memset(of_member, 0xFF, (size_t)nmembers * sizeof *of_member);
    for (uint32_t value = 0; value < index->values.count; value++)
        for (uint32_t i = vc_numbers_get(index->offsets, value);
             i < vc_numbers_get(index->offsets, value + 1); i++)
            of_member[index->members[i]] = value;
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        of_leaf[leaf] = of_member[level == NULL ? leaf : vc_numbers_get(level->leaf_members, leaf)];
    *values_out = of_leaf;
    return VC_OK;
}

vc_status vc_dimension_list_places(const vc_dimension *dimension, vc_arena *arena,
                                   uint32_t **offsets_out, uint32_t **places_out, vc_error *error)
{
    uint32_t nleaves = dimension->nleaves;
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)nleaves + 2);
    uint32_t *places = vc_arena_alloc(arena, ((size_t)nleaves + 1) * sizeof *places);
    if (offsets == NULL || places == NULL) return vc_no_memory(error);
    uint32_t *next = offsets + 1; /* becomes the offsets as places are put */
    for (uint32_t leaf = 0; leaf < nleaves; leaf++)
        next[vc_leaf_first(dimension, leaf) + 1]++;
    for (uint32_t leaf = 1; leaf <= nleaves; leaf++)
        next[leaf] += next[leaf - 1];
    for (uint32_t leaf = 0; leaf < nleaves; leaf++)
        places[next[vc_leaf_first(dimension, leaf)]++] = leaf;
    *offsets_out = offsets;
    *places_out = places;
    return VC_OK;
}

void vc_dimension_mark_places(const vc_dimension *dimension, uint64_t *bits)
{
    uint32_t count = vc_dimension_count_leaves(dimension);
    for (uint32_t i = 0; i < dimension->ndoubles; i++)
        if (vc_bit_get(bits, count + i)) vc_bit_set(bits, vc_numbers_get(dimension->firsts, i));
    for (uint32_t i = 0; i < dimension->ndoubles; i++)
        if (vc_bit_get(bits, vc_numbers_get(dimension->firsts, i))) vc_bit_set(bits, count + i);
}
