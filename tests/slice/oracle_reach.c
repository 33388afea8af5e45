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
        memcpy(allowed, slots, n);
        return !has_real && has_synthetic && has_place ? 'u' : 0;
    }
    bool *is_split = VC_ARENA_NEW(in->arena, bool, place->nunits + 1);
    for (uint32_t p = 0; p < dimension->nleaves; p++) /* a leaf that is hidden splits nothing */
        if (dimension->visible[p] && !slots[p]) is_split[place->units[p]] = true;
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
        }
}

static bool is_under_fix(const struct world_cube *cube, const struct world_fix *fix,
                         const uint32_t *leaves)
{
    const struct world_dimension *dimension = cube->dimensions[fix->dimension];
    for (unsigned l = 0; l < fix->depth; l++) {
        const char *a = dimension->leaves[fix->leaf].keys[l];
        const char *b = dimension->leaves[leaves[fix->dimension]].keys[l];
        if (a == NULL || b == NULL ? a != b : strcmp(a, b) != 0) return false;
    }
    return true;
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
    const char *key = dimension->leaves[leaves[stored->where_dimension]].keys[0];
    return (key != NULL && strcmp(key, stored->where_key) == 0) != stored->is_negated;
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
        if (!in->allowed[measure->source][d][oracle_group_in(in, groups, d)][q]) return false;
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
