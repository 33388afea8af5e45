/* Semi-additive measures: what counts along one dimension, per combination of the others. */
#include "tests/slice/oracle_parts.h"

#include <stdlib.h>

/* How the leaves of the dimension along which a measure is semi-additive follow each other. */
static struct dimension over_order(const struct asking *in, const struct measure *measure)
{
    const struct world_dimension *dimension =
        in->oracle->sources[measure->source].cube->dimensions[measure->stored->over_dimension];
    struct dimension order = {.stored = dimension, .nleaves = (uint32_t)dimension->nleaves};
    for (unsigned l = 0; l < dimension->nlevels; l++) {
        order.is_number[l] = true;
        for (size_t i = 0; i < dimension->nleaves; i++)
            if (dimension->leaves[i].keys[l] != NULL &&
                !oracle_is_number_text(dimension->leaves[i].keys[l]))
                order.is_number[l] = false;
    }
    return order;
}

/* The leaf that counts of a semi-additive measure: the last or first of those in the cell. */
uint32_t oracle_choose_over(const struct asking *in, const struct measure *measure,
                            const uint32_t *groups)
{
    const struct world_measure *stored = measure->stored;
    struct dimension order = over_order(in, measure);
    uint32_t best = NOWHERE, leaves[WORLD_DIMENSIONS] = {0};
    for (uint32_t leaf = 0; leaf < order.nleaves; leaf++) {
        leaves[stored->over_dimension] = leaf;
        if (!oracle_lies_in(in, measure, groups, leaves, (int)stored->over_dimension)) continue;
        int later =
            best == NOWHERE ? 0 : oracle_compare_paths(&order, order.stored->nlevels, leaf, best);
        if (best == NOWHERE || (stored->over == VC_OVER_LAST ? later > 0 : later < 0)) best = leaf;
    }
    return best;
}

static struct { /* for qsort */
    unsigned ndimensions, over;
} sorting;

/* By the combination of the other leaves, then by the leaf along the dimension. */
static int compare_facts(const void *a, const void *b)
{
    const struct world_fact *x = *(const struct world_fact *const *)a;
    const struct world_fact *y = *(const struct world_fact *const *)b;
    for (unsigned d = 0; d < sorting.ndimensions; d++)
        if (d != sorting.over && x->leaves[d] != y->leaves[d])
            return x->leaves[d] < y->leaves[d] ? -1 : 1;
    uint32_t i = x->leaves[sorting.over], j = y->leaves[sorting.over];
    return (i > j) - (i < j);
}

static bool is_same_but_over(const struct world_fact *a, const struct world_fact *b)
{
    for (unsigned d = 0; d < sorting.ndimensions; d++)
        if (d != sorting.over && a->leaves[d] != b->leaves[d]) return false;
    return true;
}

/* The facts of one combination, first to end. */
static void resolve_combination(const struct asking *in, const struct measure *measure,
                                const struct world_fact *const *facts, size_t first, size_t end,
                                struct tally *tally)
{
    const struct world_measure *stored = measure->stored;
    struct dimension order = over_order(in, measure);
    unsigned over = stored->over_dimension;
    bool wants_last = stored->over == VC_OVER_LAST_NONEMPTY;
    long double total = 0, extreme = 0;
    size_t npoints = 0, point_end;
    uint32_t best = NOWHERE;
    for (size_t i = first; i < end; i = point_end) {
        uint32_t leaf = facts[i]->leaves[over];
        long double sum = 0;
        bool has_value = false;
        for (point_end = i; point_end < end && facts[point_end]->leaves[over] == leaf;
             point_end++) {
            int64_t value;
            if (!oracle_value_of(stored, facts[point_end], &value)) continue;
            has_value = true;
            sum += value;
        }
        if (!has_value) continue;
        total += sum;
        if (npoints++ == 0 || (stored->over == VC_OVER_MAX ? sum > extreme : sum < extreme))
            extreme = sum;
        if (best == NOWHERE ||
            (oracle_compare_paths(&order, order.stored->nlevels, leaf, best) > 0) == wants_last)
            best = leaf;
    }
    if (npoints == 0) return;
    if (wants_last || stored->over == VC_OVER_FIRST_NONEMPTY) {
        for (size_t i = first; i < end; i++)
            if (facts[i]->leaves[over] == best) oracle_add_fact(in, stored, facts[i], tally);
        return;
    }
    tally->is_resolved = true;
    tally->nvalues++;
    tally->value += (stored->over == VC_OVER_AVG ? total / (long double)npoints : extreme) /
                    oracle_units[stored->column];
}

struct tally oracle_resolve_over(const struct asking *in, const struct measure *measure,
                                 const uint32_t *groups)
{
    const struct world_cube *cube = in->oracle->sources[measure->source].cube;
    const struct world_fact **facts =
        VC_ARENA_NEW(in->arena, const struct world_fact *, cube->nfacts + 1);
    struct tally tally = {0};
    size_t nfacts = 0, end;
    for (size_t i = 0; i < cube->nfacts; i++)
        if (oracle_lies_in(in, measure, groups, cube->facts[i].leaves, -1))
            facts[nfacts++] = &cube->facts[i];
    sorting.ndimensions = cube->ndimensions;
    sorting.over = measure->stored->over_dimension;
    qsort(facts, nfacts, sizeof *facts, compare_facts);
    for (size_t first = 0; first < nfacts; first = end) {
        for (end = first + 1; end < nfacts && is_same_but_over(facts[first], facts[end]);)
            end++;
        resolve_combination(in, measure, facts, first, end, &tally);
    }
    tally.nfacts = nfacts;
    return tally;
}
