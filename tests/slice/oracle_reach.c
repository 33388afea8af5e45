/* What of a source lies in a group: T of each group, and whether a fact is in it. */
#include "tests/slice/oracle_parts.h"

#include <string.h>

int oracle_axis_of(const struct asking *in, unsigned d)
{
    for (unsigned a = 0; a < in->naxes; a++)
        if (in->axes[a] == d && in->kept >> a & 1) return (int)a;
    return -1;
}

/* `slots`: those of the group that are selected. Fills allowed, and returns why there can be
 * nothing, or 0. */
static char reach(const struct asking *in, unsigned s, unsigned d, const bool *slots, bool *allowed)
{
    const struct dimension *dimension = &in->oracle->dimensions[d];
    const struct place *place = &in->oracle->sources[s].places[d];
    uint32_t n = place->nq;
    bool has_real = false, has_synthetic = false, is_mapped = false, is_coarse = false;
    for (uint32_t slot = 0; slot < dimension->nslots; slot++)
        *(slot < dimension->nleaves ? &has_real : &has_synthetic) |= slots[slot];
    if (!place->is_relation) {
        /* The total of a dimension that has no leaves at all is only empty. */
        bool has_place = in->is_cut[d] || oracle_axis_of(in, d) >= 0 || dimension->nleaves > 0;
        for (uint32_t slot = 0; slot < dimension->nleaves; slot++)
            allowed[dimension->stored->leaves[slot].first] |= slots[slot];
        return !has_real && has_synthetic && has_place ? 'u' : 0;
    }
    bool *is_split = VC_ARENA_NEW(in->arena, bool, place->nunits + 1);
    /* A leaf that is hidden splits nothing, and is itself never split. */
    for (uint32_t p = 0; p < dimension->nleaves && place->level < WORLD_LEVELS; p++)
        if (dimension->visible[p] && !slots[p] && place->units[p] != NOWHERE)
            is_split[place->units[p]] = true;
    int axis = oracle_axis_of(in, d);
    if (axis >= 0 && in->levels[axis] > place->level) /* rows below the units, however many */
        memset(is_split, true, place->nunits * sizeof *is_split);
    for (uint32_t q = 0; q < n; q++) {
        for (uint32_t p = 0; p < dimension->nleaves; p++) {
            if (!place->related[p * n + q] || !slots[p]) continue;
            is_mapped = true;
            if (is_split[place->units[p]])
                is_coarse = true;
            else
                allowed[q] = true;
        }
        if (place->unmatched != NULL && place->unmatched[q] != NOWHERE &&
            slots[place->unmatched[q]])
            allowed[q] = is_mapped = true;
    }
    return !is_mapped ? 'u' : is_coarse ? 'g' : 0;
}

void oracle_prepare(struct asking *in, uint32_t kept)
{
    struct oracle *oracle = in->oracle;
    in->kept = kept;
    for (unsigned s = 0; s < oracle->nsources; s++)
        for (unsigned d = 0; d < oracle->ndimensions; d++) {
            const struct place *place = &oracle->sources[s].places[d];
            if (!place->is_there) continue;
            size_t n = place->nq;
            int axis = oracle_axis_of(in, d);
            uint32_t ngroups = axis < 0 ? 1 : in->ngroups[axis];
            in->allowed[s][d] = VC_ARENA_NEW(in->arena, bool *, ngroups + 1);
            in->reasons[s][d] = VC_ARENA_NEW(in->arena, char, ngroups + 1);
            for (uint32_t g = 0; g < ngroups; g++) {
                uint32_t nslots = oracle->dimensions[d].nslots;
                bool *slots = VC_ARENA_NEW(in->arena, bool, nslots + 1);
                for (uint32_t slot = 0; slot < nslots; slot++)
                    slots[slot] =
                        in->selected[d][slot] && (axis < 0 || in->groups[axis][slot] == g);
                in->allowed[s][d][g] = VC_ARENA_NEW(in->arena, bool, n + 1);
                in->reasons[s][d][g] = reach(in, s, d, slots, in->allowed[s][d][g]);
            }
            if (in->whole[d] == NULL) continue;
            in->allowed_whole[s][d] = VC_ARENA_NEW(in->arena, bool, n + 1);
            in->reasons_whole[s][d] = reach(in, s, d, in->whole[d], in->allowed_whole[s][d]);
        }
}

/* Is a leaf, at one of its places, below the member that a fix names? */
static bool is_under_fix(const struct world_cube *cube, const struct world_fix *fix,
                         const uint32_t *leaves)
{
    const struct world_dimension *dimension = cube->dimensions[fix->dimension];
    const struct world_leaf *fixed = &dimension->leaves[fix->leaf];
    for (size_t i = 0; i < dimension->nleaves; i++)
        if (dimension->leaves[i].first == leaves[fix->dimension] &&
            world_is_under(dimension, &dimension->leaves[i], fixed, fix->depth))
            return true;
    return false;
}

/* The group of each dimension in a row; 0 where it is rolled up. */
uint32_t oracle_group_in(const struct asking *in, const uint32_t *groups, unsigned d)
{
    int axis = oracle_axis_of(in, d);
    return axis < 0 ? 0 : groups[axis];
}

static bool is_where(const struct world_cube *cube, const struct world_measure *stored,
                     const uint32_t *leaves)
{
    const struct world_dimension *dimension = cube->dimensions[stored->where_dimension];
    bool is_there = false;
    for (size_t i = 0; i < dimension->nleaves; i++) {
        const struct world_leaf *leaf = &dimension->leaves[i];
        is_there |= leaf->first == leaves[stored->where_dimension] &&
                    world_has_member(dimension, leaf, 0) && leaf->keys[0] != NULL &&
                    strcmp(leaf->keys[0], stored->where_key) == 0;
    }
    return is_there != stored->is_negated;
}

/* Is a default member of the dimension replaced by a fix on what the source has there? */
bool oracle_holds_fix(const struct asking *in, const struct measure *measure, unsigned d)
{
    const struct source *source = &in->oracle->sources[measure->source];
    const struct world_fix *fix = source->definition == NULL ? NULL : &source->definition->fix;
    if (in->whole[d] == NULL || !source->places[d].is_there) return false;
    return (measure->fix.is_there && measure->fix.dimension == source->places[d].of) ||
           (fix != NULL && fix->is_there && fix->dimension == source->places[d].of);
}

/* May a fact on these leaves count, as far as dimension `only` is concerned, or all (-1)? */
bool oracle_lies_in(const struct asking *in, const struct measure *measure, const uint32_t *groups,
                    const uint32_t *leaves, int only)
{
    const struct source *source = &in->oracle->sources[measure->source];
    for (unsigned d = 0; d < in->oracle->ndimensions; d++) {
        const struct place *place = &source->places[d];
        if (!place->is_there || (only >= 0 && place->of != (unsigned)only)) continue;
        uint32_t q = place->ncomponents == 1 ? leaves[place->of] : oracle_find_q(place, leaves);
        const bool *allowed = oracle_holds_fix(in, measure, d)
                                  ? in->allowed_whole[measure->source][d]
                                  : in->allowed[measure->source][d][oracle_group_in(in, groups, d)];
        if (!allowed[q]) return false;
    }
    const struct world_fix *own = &measure->fix;
    if (own->is_there && (only < 0 || own->dimension == (unsigned)only) &&
        !is_under_fix(source->cube, own, leaves))
        return false;
    const struct world_measure *stored = measure->stored;
    if (stored->has_where && (only < 0 || stored->where_dimension == (unsigned)only) &&
        !is_where(source->cube, stored, leaves))
        return false;
    if (source->definition == NULL) return true;
    const struct world_fix *fix = &source->definition->fix;
    bool is_replaced = own->is_there && own->dimension == fix->dimension;
    return !fix->is_there || is_replaced || (only >= 0 && fix->dimension != (unsigned)only) ||
           is_under_fix(source->cube, fix, leaves);
}
