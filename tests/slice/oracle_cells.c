/* A cell: why it is null, or the tally of the facts that lie in it. */
#include "tests/slice/oracle_parts.h"

/* The word of the policy over a dimension that the measure's source does not have. */
vc_unrelated oracle_policy_of(const struct oracle *oracle, const struct measure *measure,
                              unsigned d)
{
    const struct dimension *dimension = &oracle->dimensions[d];
    if (measure->unrelated != VC_UNRELATED_DEFAULT) return measure->unrelated;
    vc_unrelated others = oracle->sources[dimension->owner].definition->others[dimension->owned];
    return others == VC_UNRELATED_DEFAULT ? VC_UNRELATED_NULL : others;
}

bool oracle_is_asked(const struct asking *in, unsigned d)
{
    return in->is_cut[d] || oracle_axis_of(in, d) >= 0;
}

static struct oracle_cell base_cell(const struct asking *in, const struct measure *measure,
                                    const uint32_t *groups, bool *has_facts)
{
    const struct oracle *oracle = in->oracle;
    const struct source *source = &oracle->sources[measure->source];
    bool is_repeated = false;
    char reason = 0;
    for (unsigned d = 0; d < oracle->ndimensions; d++) {
        if (source->places[d].is_there || !oracle_is_asked(in, d)) continue;
        if (oracle_policy_of(oracle, measure, d) != VC_UNRELATED_REPEAT)
            return (struct oracle_cell){.is_null = true, .reason = 'x'};
        is_repeated = true;
    }
    for (unsigned d = 0; d < oracle->ndimensions; d++) {
        if (!source->places[d].is_there) continue;
        char mine = oracle_holds_fix(in, measure, d)
                        ? in->reasons_whole[measure->source][d]
                        : in->reasons[measure->source][d][oracle_group_in(in, groups, d)];
        if (mine != 0 && reason != 'u') reason = mine;
    }
    if (reason != 0) return (struct oracle_cell){.is_null = true, .reason = reason};
    struct tally tally = {0};
    uint32_t over = NOWHERE;
    bool is_cut = measure->stored->over == VC_OVER_LAST || measure->stored->over == VC_OVER_FIRST;
    bool is_resolved = measure->stored->over != VC_OVER_NONE && !is_cut;
    if (is_cut) over = oracle_choose_over(in, measure, groups);
    if (is_resolved) tally = oracle_resolve_over(in, measure, groups);
    for (size_t i = 0; i < source->cube->nfacts && !is_resolved; i++) {
        const struct world_fact *fact = &source->cube->facts[i];
        if (is_cut && fact->leaves[measure->stored->over_dimension] != over) continue;
        if (oracle_lies_in(in, measure, groups, fact->leaves, -1))
            oracle_add_fact(in, measure->stored, fact, &tally);
    }
    *has_facts |= tally.nfacts > 0;
    struct oracle_cell cell = oracle_read_tally(measure->stored, &tally);
    if (!cell.is_null && is_repeated) cell.reason = 'r';
    return cell;
}

static struct oracle_cell calculate(enum world_formula formula, const struct oracle_cell *a,
                                    const struct oracle_cell *b)
{
    struct oracle_cell zero = {0};
    if (formula == FORMULA_COALESCE) return !a->is_null ? *a : !b->is_null ? *b : *a;
    if (formula == FORMULA_ZN && a->is_null) a = &zero;
    if (a->is_null) return *a;
    if (b->is_null) return *b;
    struct oracle_cell cell = {.reason = a->reason != 0 ? a->reason : b->reason};
    double x = (double)a->value, y = (double)b->value; /* as expressions count */
    if (formula == FORMULA_SUM) cell.value = x + y;
    if (formula == FORMULA_ZN) cell.value = x - y;
    if (formula != FORMULA_RATIO) return cell;
    if (y == 0) return (struct oracle_cell){.is_null = true, .reason = 'd'};
    cell.value = x / y;
    return cell;
}

void oracle_fill_cell(const struct asking *in, unsigned m, const uint32_t *groups,
                      struct oracle_cell *cells, bool *is_done, bool *has_facts)
{
    const struct measure *measure = &in->oracle->measures[m];
    if (is_done[m]) return;
    is_done[m] = true;
    if (measure->formula == FORMULA_NONE) {
        cells[m] = base_cell(in, measure, groups, has_facts);
        return;
    }
    oracle_fill_cell(in, measure->a, groups, cells, is_done, has_facts);
    oracle_fill_cell(in, measure->b, groups, cells, is_done, has_facts);
    cells[m] = calculate(measure->formula, &cells[measure->a], &cells[measure->b]);
}

bool oracle_is_count(const struct measure *measure)
{
    return measure->formula == FORMULA_NONE &&
           (measure->stored->aggregator == VC_AGG_COUNT ||
            measure->stored->aggregator == VC_AGG_COUNT_DISTINCT);
}
