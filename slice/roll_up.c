/* Totals from cells: where that is exact, facts need not be read again.
 *
 * A total has a meaning of its own (the facts at its own grain), and adding up cells is the usual
 * way to get it wrong: a fact in two cells, a part of a unit that no cell has, an average of
 * averages. So the rule here is narrow, and the differential tests ask every total both ways.
 */
#include "slice/accumulator.h"

static bool is_exact(const vc_accumulator_spec *spec)
{
    return spec->type != VC_VALUE_FLOAT && spec->aggregator != VC_AGG_COUNT_DISTINCT &&
           !vc_is_quantile(spec->aggregator) && !vc_accumulator_is_ordered(spec);
}

bool vc_cells_can_roll_up(const vc_plan *plan, const vc_pass *pass, const vc_table *from,
                          bool has_sets)
{
    if (plan->options->is_plain) return false;
    if (from->classes != NULL) return false;      /* its cells are of classes, not of groups */
    if (pass->over != VC_OVER_NONE) return false; /* the last leaf of all is not that of a group */
    for (size_t i = 0; i < pass->naccumulators; i++)
        if (!is_exact(&pass->accumulators[i])) return false;
    for (size_t i = 0; i < from->nsteps && !has_sets; i++)
        if (from->steps[i].offsets != NULL) return false;
    for (size_t i = 0; i < plan->naxes; i++) /* some facts may be in no cell */
        if (from->strides[i] > 0 && plan->axes[i].stored->is_ragged) return false;
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        const vc_reach *reach = &from->reaches[d];
        uint32_t ngroups = 1;
        if (!reach->is_bound) continue;
        for (size_t i = 0; i < plan->naxes; i++)
            if (plan->axes[i].dimension == d && from->strides[i] > 0)
                ngroups = plan->axes[i].ngroups;
        if (reach->is_relation && vc_bits_count(reach->coarse, ngroups) > 0) return false;
        if (reach->repeated != NULL && vc_bits_count(reach->repeated, ngroups) > 0) return false;
    }
    return true;
}

vc_status vc_cells_roll_up(const vc_plan *plan, const vc_pass *pass, const vc_table *from,
                           const vc_cells *cells, const vc_set_cells *sets, const vc_table *to,
                           vc_cells **cells_out, vc_error *error)
{
    vc_cells *rolled;
    vc_cells_form form = {.plan = plan,
                          .ncells = to->ncells,
                          .specs = pass->accumulators,
                          .keeps = vc_cells_keeps(cells),
                          .nspecs = pass->naccumulators,
                          .nrows = vc_cells_count(cells), /* what falls into them are cells */
                          .max_slots = plan->options->limits.max_cells};
    if (sets != NULL) return vc_set_cells_share(plan, sets, to, &form, cells_out, error);
    vc_status status = vc_cells_new(&form, &rolled, error);
    if (status != VC_OK) return status;
    const uint64_t *rows = vc_cells_facts(cells);
    for (size_t slot = 0; slot < vc_cells_count(cells) && status == VC_OK; slot++) {
        uint64_t key = 0, old = vc_cells_key(cells, (uint32_t)slot);
        uint32_t new_slot;
        status = vc_plan_look(plan, slot, error);
        if (rows[slot] == 0 || status != VC_OK) continue;
        for (size_t i = 0; i < plan->naxes; i++)
            if (to->strides[i] > 0)
                key += (vc_table_group(from, i, old) - to->firsts[i]) * to->strides[i];
        status = vc_cells_slots(rolled, &key, 1, &new_slot, error);
        if (status == VC_OK) vc_cells_add(rolled, new_slot, cells, (uint32_t)slot);
    }
    if (status == VC_OK)
        *cells_out = rolled;
    else
        vc_cells_free(rolled);
    return status;
}
