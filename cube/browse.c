#include "cube/browse.h"

#include "base/bits.h"

/* Which members of a level have a leaf that the cube's joins let be seen: made when it is needed.
 */
static const uint64_t *visible_members(const vc_cube_dimension *outer, const vc_level *level,
                                       uint64_t **made, vc_arena *arena)
{
    if (*made != NULL) return *made;
    uint64_t *bits = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(level->nmembers) + 1);
    for (uint32_t leaf = 0; bits != NULL && leaf < outer->dimension->nleaves; leaf++)
        if (vc_bit_get(outer->visible, leaf))
            vc_bit_set(bits, vc_numbers_get(level->leaf_members, leaf));
    return *made = bits;
}

vc_status vc_cube_browse(const vc_cube_dimension *outer, const vc_member_filter *filter,
                         vc_arena *arena, vc_member_ref **members_out, size_t *nmembers_out,
                         size_t *ntotal_out, vc_error *error)
{
    if (outer->visible == NULL)
        return vc_dimension_browse(outer->dimension, filter, arena, members_out, nmembers_out,
                                   ntotal_out, error);
    uint64_t *made[VC_MAX_LEVELS] = {0};
    vc_member_filter whole = *filter;
    vc_member_ref *all;
    size_t nall = 0, ntotal, nmembers = 0, count = 0;
    whole.offset = 0;
    whole.limit = SIZE_MAX;
    vc_status status =
        vc_dimension_browse(outer->dimension, &whole, arena, &all, &nall, &ntotal, error);
    for (size_t i = 0; i < nall && status == VC_OK; i++) {
        const vc_level *level =
            &outer->dimension->hierarchies[filter->hierarchy].levels[all[i].level];
        const uint64_t *visible = visible_members(outer, level, &made[all[i].level], arena);
        if (visible == NULL) return vc_no_memory(error);
        if (!vc_bit_get(visible, all[i].member)) continue;
        if (count >= filter->offset && nmembers < filter->limit)
            all[nmembers++] = all[i]; /* those of the page move to the front */
        count++;
    }
    if (status != VC_OK) return status;
    *members_out = all;
    *nmembers_out = nmembers;
    *ntotal_out = count;
    return VC_OK;
}
