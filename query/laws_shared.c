/* Which leaves of a source several children of a member share: T of each child, from the relation,
 * without the engine. */
#include "query/laws_parts.h"

enum { MAX_CHILDREN = 5000 };

struct children {
    uint32_t *child_of; /* [leaves of the dimension] VC_NONE: of no child */
    bool is_family;     /* they make up the parent, each leaf under one of them */
};

static void find_range(const vc_hierarchy *hierarchy, const vc_law_family *family, uint32_t *first,
                       uint32_t *end)
{
    *first = 0;
    *end = hierarchy->levels[family->level].nmembers;
    if (family->parent == VC_NONE) return;
    const vc_level *above = &hierarchy->levels[family->level - 1];
    *first = above->first_child[family->parent];
    *end = above->first_child[family->parent + 1];
}

/* The child of each leaf. A leaf of the parent that no child has (it stands at no member of the
 * level), or that two have, makes them no family. */
static vc_status find_children(vc_laws *laws, const vc_dimension *dimension,
                               const vc_law_family *family, struct children *out)
{
    const vc_hierarchy *hierarchy = &dimension->hierarchies[family->hierarchy];
    const vc_level *level = &hierarchy->levels[family->level];
    size_t nwords = vc_bits_words(dimension->nleaves);
    uint64_t *one = VC_ARENA_NEW(&laws->work, uint64_t, nwords + 1);
    uint64_t *all = VC_ARENA_NEW(&laws->work, uint64_t, nwords + 1);
    uint64_t *whole = VC_ARENA_NEW(&laws->work, uint64_t, nwords + 1);
    out->child_of = VC_ARENA_NEW(&laws->work, uint32_t, (size_t)dimension->nleaves + 1);
    if (one == NULL || all == NULL || whole == NULL || out->child_of == NULL)
        return vc_no_memory(laws->error);
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        out->child_of[leaf] = VC_NONE;
    uint32_t first, end;
    find_range(hierarchy, family, &first, &end);
    out->is_family = end - first <= MAX_CHILDREN;
    for (uint32_t member = first; member < end && out->is_family; member++) {
        if (vc_member_is_hidden(level, member)) continue;
        for (size_t w = 0; w < nwords; w++)
            one[w] = 0;
        vc_level_mark_leaves(dimension, level, member, one);
        for (size_t w = 0; w < nwords; w++) {
            out->is_family &= (one[w] & all[w]) == 0;
            all[w] |= one[w];
            for (uint64_t left = one[w]; left != 0; left &= left - 1)
                out->child_of[w * 64 + (size_t)__builtin_ctzll(left)] = member;
        }
    }
    if (family->parent == VC_NONE)
        vc_bits_set_range(whole, 0, dimension->nleaves);
    else
        vc_level_mark_leaves(dimension, &hierarchy->levels[family->level - 1], family->parent,
                             whole);
    for (size_t w = 0; w < nwords; w++)
        out->is_family &= all[w] == whole[w];
    return VC_OK;
}

/* The child that each unit of the relation belongs to: a unit is a leaf, or a member at or below
 * the children. */
static vc_status find_units(vc_laws *laws, const vc_dimension *dimension,
                            const vc_relation *relation, const uint32_t *child_of,
                            const uint32_t **units_out)
{
    *units_out = child_of;
    if (relation->level < 0) return VC_OK;
    const vc_level *level = &dimension->hierarchies[relation->hierarchy].levels[relation->level];
    uint32_t *units = VC_ARENA_NEW(&laws->work, uint32_t, (size_t)relation->nunits + 1);
    if (units == NULL) return vc_no_memory(laws->error);
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        units[vc_numbers_get(level->leaf_members, leaf)] = child_of[leaf];
    *units_out = units;
    return VC_OK;
}

/* To how many different children does a leaf of the source belong? */
static uint32_t count_children(const vc_relation *relation, uint32_t q, const uint32_t *child_of)
{
    const uint32_t *units;
    size_t nunits = vc_relation_units(relation, q, &units);
    uint32_t count = 0;
    for (size_t i = 0; i < nunits; i++) {
        bool is_new = child_of[units[i]] != VC_NONE;
        for (size_t j = 0; j < i && is_new; j++)
            is_new = child_of[units[j]] != child_of[units[i]];
        count += is_new;
    }
    return count;
}

/* Is the level one of the relation's units, or above them? */
static bool is_at_grain(const vc_relation *relation, const vc_law_family *family)
{
    return relation->level < 0 ||
           (relation->hierarchy == (int)family->hierarchy && relation->level >= (int)family->level);
}

vc_status vc_law_share(vc_laws *laws, const vc_law_family *family, const vc_binding *binding,
                       bool is_weighted, vc_law_sharing *sharing_out)
{
    const vc_dimension *dimension = laws->cube->dimensions[family->dimension].dimension;
    const vc_relation *relation = binding->relation;
    struct children children = {0};
    const uint32_t *units;
    *sharing_out = (vc_law_sharing){0};
    vc_status status = find_children(laws, dimension, family, &children);
    if (status != VC_OK) return status;
    if (!children.is_family) {
        sharing_out->reason = "children that are not all of their parent (ragged), or too many";
        return VC_OK;
    }
    if (binding->kind != VC_BIND_RELATION) return VC_OK;
    if (!is_at_grain(relation, family)) {
        /* Parts add up; a whole value in each of them does not, and nothing is nothing. */
        sharing_out->is_allocated = binding->finer == VC_FINER_ALLOCATE;
        if (!sharing_out->is_allocated) sharing_out->reason = "below the source's grain";
        return VC_OK;
    }
    /* Parts of a nested cube's members, of which children may have the same ones. */
    if (is_weighted && binding->through != NULL && binding->through->join->weights == NULL &&
        binding->through->join->has_fanout)
        sharing_out->reason = "members of a nested cube that counts in parts are shared";
    if (is_weighted) return VC_OK; /* each child has its part */
    status = find_units(laws, dimension, relation, children.child_of, &units);
    for (uint32_t q = 0; q < relation->nleaves && status == VC_OK; q++) {
        uint32_t times = count_children(relation, q, units);
        if (times < 2) continue;
        sharing_out->is_shared = true;
        sharing_out->is_beyond |= times > VC_LAW_TIMES;
        if (times > VC_LAW_TIMES) continue;
        uint64_t **leaves = &sharing_out->leaves[times];
        if (*leaves == NULL)
            *leaves = VC_ARENA_NEW(&laws->work, uint64_t, vc_bits_words(relation->nleaves) + 1);
        if (*leaves == NULL) return vc_no_memory(laws->error);
        vc_bit_set(*leaves, q);
    }
    return status;
}
