#include "slice/naming.h"

bool vc_level_has_unique_keys(const vc_level *level)
{
    for (uint32_t i = 1; i < level->nmembers; i++)
        if (vc_str_equal(vc_texts_get(&level->keys, vc_numbers_get(level->by_key, i)),
                         vc_texts_get(&level->keys, vc_numbers_get(level->by_key, i - 1))))
            return false;
    return true;
}

static const vc_level *lowest_level(const vc_dimension *dimension)
{
    const vc_hierarchy *main = &dimension->hierarchies[0];
    return &main->levels[main->nlevels - 1];
}

vc_namer vc_namer_of(const vc_dimension *dimension)
{
    const vc_level *lowest = lowest_level(dimension);
    vc_namer namer = {.dimension = dimension};
    namer.has_leaf_keys =
        lowest->nmembers < dimension->nleaves && dimension->leaf_keys.count == dimension->nleaves;
    namer.has_paths = !namer.has_leaf_keys && dimension->hierarchies[0].nlevels > 1 &&
                      !vc_level_has_unique_keys(lowest);
    return namer;
}

vc_namer vc_namer_of_facts(const vc_dimension *dimension)
{
    if (dimension->ndoubles == 0) return vc_namer_of(dimension);
    return (vc_namer){.dimension = dimension, .has_leaf_keys = true};
}

vc_status vc_telling_once_init(const vc_namer *namer, vc_arena *arena, vc_telling_once *once_out,
                               vc_error *error)
{
    const vc_dimension *dimension = namer->dimension;
    *once_out = (vc_telling_once){.dimension = dimension, .list = 1};
    if (dimension->ndoubles == 0 || namer->has_paths) return VC_OK;
    once_out->lists = VC_ARENA_NEW(arena, uint32_t, vc_dimension_count_leaves(dimension));
    return once_out->lists == NULL ? vc_no_memory(error) : VC_OK;
}

void vc_telling_once_next(vc_telling_once *once)
{
    once->list++;
}

bool vc_telling_once_is_told(vc_telling_once *once, uint32_t leaf)
{
    if (once->lists == NULL || leaf >= once->dimension->nleaves) return false;
    uint32_t *list = &once->lists[vc_leaf_first(once->dimension, leaf)];
    bool is_told = *list == once->list;
    *list = once->list;
    return is_told;
}

static vc_str name_member(const vc_hierarchy *hierarchy, unsigned number, uint32_t member,
                          bool has_paths, vc_arena *arena, vc_str *label_out)
{
    const vc_level *level = &hierarchy->levels[number];
    if (label_out != NULL)
        *label_out = level->has_labels ? vc_texts_get(&level->labels, member) : (vc_str){0};
    return has_paths ? vc_member_path(hierarchy, number, member, arena)
                     : vc_texts_get(&level->keys, member);
}

vc_str vc_namer_leaf(const vc_namer *namer, uint32_t leaf, vc_arena *arena, vc_str *label_out)
{
    const vc_hierarchy *main = &namer->dimension->hierarchies[0];
    uint32_t member = vc_numbers_get(lowest_level(namer->dimension)->leaf_members, leaf);
    vc_str key = name_member(main, main->nlevels - 1, member, namer->has_paths, arena, label_out);
    if (!namer->has_leaf_keys) return key;
    if (label_out != NULL && vc_str_is_null(*label_out)) *label_out = key;
    return vc_texts_get(&namer->dimension->leaf_keys, leaf);
}

vc_str vc_namer_unit(const vc_namer *namer, const vc_relation *relation, uint32_t unit,
                     vc_arena *arena, vc_str *label_out)
{
    if (relation->level < 0) return vc_namer_leaf(namer, unit, arena, label_out);
    const vc_hierarchy *hierarchy = &namer->dimension->hierarchies[relation->hierarchy];
    bool has_paths = !vc_level_has_unique_keys(&hierarchy->levels[relation->level]);
    return name_member(hierarchy, (unsigned)relation->level, unit, has_paths, arena, label_out);
}

vc_str vc_namer_slot(const vc_namer *namer, const vc_cube_dimension *outer, uint32_t slot,
                     vc_arena *arena, vc_str *label_out)
{
    if (slot < outer->dimension->nleaves) return vc_namer_leaf(namer, slot, arena, label_out);
    if (label_out != NULL) *label_out = (vc_str){0};
    return outer->synthetics[slot - outer->dimension->nleaves].key;
}
