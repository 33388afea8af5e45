/* `last` and `first` along a dimension: which leaf counts in each group. */
#include "slice/table.h"

#include "dimensions/renumber.h"
#include "slice/collect.h"

#include <string.h>

/* May a leaf count at all? All steps on its column must let it through. */
bool vc_over_passes(const vc_making *in, uint16_t column, uint32_t leaf)
{
    for (size_t i = 0; i < in->table->nsteps; i++)
        if (in->table->steps[i].column == column && !vc_step_passes(&in->table->steps[i], leaf))
            return false;
    return true;
}

/* By key where leaves share a member, so that it does not matter in which order they were loaded.
 */
vc_status vc_table_find_places(const vc_dimension *dimension, vc_arena *arena,
                               vc_numbers *places_out, vc_error *error)
{
    const vc_hierarchy *main = &dimension->hierarchies[0];
    const vc_level *lowest = &main->levels[main->nlevels - 1];
    *places_out = lowest->leaf_members;
    if (lowest->nmembers == dimension->nleaves) return VC_OK;
    const uint32_t *order;
    vc_status status = vc_dimension_order_leaves(dimension, arena, &order, error);
    if (status != VC_OK) return status;
    uint32_t *places = vc_arena_alloc(arena, (size_t)dimension->nleaves * sizeof *places);
    if (places == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        places[order[i]] = i;
    *places_out = vc_numbers_of(places);
    return VC_OK;
}

static bool comes_later(vc_numbers places, uint32_t a, uint32_t b)
{
    return vc_numbers_get(places, a) > vc_numbers_get(places, b);
}

/* The groups of a leaf in a step, NULL standing for a step that leads everything to group 0. */
size_t vc_over_groups(const vc_step *step, uint32_t leaf, const uint32_t **groups_out)
{
    static const uint32_t zero = 0;
    *groups_out = &zero;
    if (step == NULL) return 1;
    if (!vc_step_passes(step, leaf)) return 0;
    if (step->offsets != NULL) {
        *groups_out = step->targets + step->offsets[leaf];
        return step->offsets[leaf + 1] - step->offsets[leaf];
    }
    if (step->groups != NULL) *groups_out = step->groups + leaf;
    return 1;
}

/* The step that groups the column; *step_out stays NULL when the column is rolled up.
 * *is_simple_out: there are no others, and none of tuples in which the column is. */
static void find_grouped(const vc_making *in, uint16_t column, vc_step **step_out,
                         bool *is_simple_out)
{
    *step_out = NULL;
    *is_simple_out = true;
    for (size_t i = 0; i < in->table->nsteps; i++) {
        vc_step *step = &in->table->steps[i];
        *is_simple_out &= vc_over_component(in, step, column) == SIZE_MAX;
        if (step->column != column || step->stride == 0) continue;
        *is_simple_out &= *step_out == NULL;
        *step_out = step;
    }
}

vc_status vc_over_replace(vc_making *in, vc_step *step, const uint32_t *offsets,
                          const uint32_t *targets, vc_error *error)
{
    vc_step only = {.column = (uint16_t)in->pass->over_dimension,
                    .nleaves = in->source->cube->dimensions[in->pass->over_dimension]->nleaves,
                    .dimension = SIZE_MAX};
    if (step != NULL) only = *step;
    only.groups = NULL;
    only.nsets = 0;
    only.is_ordered = false;
    only.offsets = offsets;
    only.targets = targets;
    if (step == NULL) step = &in->table->steps[in->table->nsteps++];
    *step = only;
    vc_status status = vc_step_straighten(step, in->plan->arena, error);
    if (step->stride == 0) step->groups = step->offsets = step->targets = NULL;
    return status;
}

/* `last` and `first`: of the leaves that the selection leaves in each group of the dimension, only
 * the last (first) one counts, the same for all combinations of the other dimensions. The step that
 * groups the dimension is replaced by one in which the other leaves lead nowhere. */
vc_status vc_table_restrict_over(vc_making *in, vc_error *error)
{
    vc_arena *arena = in->plan->arena;
    uint16_t column = (uint16_t)in->pass->over_dimension;
    const vc_dimension *dimension = in->source->cube->dimensions[column];
    const uint32_t *groups;
    uint32_t nleaves = dimension->nleaves, ngroups = 1, noffsets = 0;
    vc_numbers places;
    vc_step *grouped;
    bool is_simple;
    vc_status status = vc_table_find_places(dimension, arena, &places, error);
    if (status != VC_OK) return status;
    find_grouped(in, column, &grouped, &is_simple);
    if (!is_simple) return vc_table_restrict_pairs(in, places, error);
    size_t ntargets = 0;
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        size_t n = vc_over_groups(grouped, leaf, &groups);
        for (size_t i = 0; i < n; i++)
            if (groups[i] >= ngroups) ngroups = groups[i] + 1;
        ntargets += n;
    }
    uint32_t *best = vc_arena_alloc(arena, ((size_t)ngroups + 1) * sizeof *best);
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)nleaves + 1);
    uint32_t *targets = VC_ARENA_NEW(arena, uint32_t, ntargets + 1);
    if (best == NULL || offsets == NULL || targets == NULL) return vc_no_memory(error);
    memset(best, 0xFF, (size_t)ngroups * sizeof *best);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        if (!vc_over_passes(in, column, leaf)) continue;
        size_t n = vc_over_groups(grouped, leaf, &groups);
        for (size_t i = 0; i < n; i++)
            if (best[groups[i]] == VC_NONE ||
                comes_later(places, leaf, best[groups[i]]) == (in->pass->over == VC_OVER_LAST))
                best[groups[i]] = leaf;
    }
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        size_t n = vc_over_groups(grouped, leaf, &groups);
        for (size_t i = 0; i < n; i++)
            if (best[groups[i]] == leaf) targets[noffsets++] = groups[i];
        offsets[leaf + 1] = noffsets;
    }
    return vc_over_replace(in, grouped, offsets, targets, error);
}
