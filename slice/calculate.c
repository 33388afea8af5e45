/* The cells of a row: base measures read from the grain, calculated ones from other cells of the
 * row, each once, whatever uses it.
 */
#include "slice/plan.h"

#include <math.h>
#include <string.h>

vc_number vc_cell_number(const vc_plan_measure *measure, const vc_cell *cell)
{
    vc_number number = {.is_null = cell->is_null, .reason = cell->reason};
    if (cell->is_null) return number;
    if (measure->type == VC_VALUE_FLOAT)
        number.value = cell->as.f;
    else
        number.value = (double)cell->as.i / (double)vc_pow10(measure->scale);
    return number;
}

static vc_status fill_cell(vc_row_at *row, size_t number, vc_error *error)
{
    const vc_plan *plan = row->grain->plan;
    const vc_plan_measure *measure = &plan->measures[number];
    if (row->is_done[number]) return VC_OK;
    row->is_done[number] = true;
    if (measure->expr == NULL) {
        bool has_facts;
        vc_status status =
            vc_grain_read(row->grain, number, row->groups, &row->cells[number], &has_facts, error);
        row->has_facts |= has_facts;
        return status;
    }
    vc_number operands[256];
    if (measure->noperands > sizeof operands / sizeof operands[0])
        return vc_fail(error, VC_LIMIT, "limit_measures",
                       "measure '%.*s' is computed from more than 256 others",
                       VC_FMT(measure->name));
    for (size_t i = 0; i < measure->noperands; i++) {
        size_t operand = measure->operands[i];
        vc_status status = fill_cell(row, operand, error);
        if (status != VC_OK) return status;
        operands[i] = vc_cell_number(&plan->measures[operand], &row->cells[operand]);
    }
    vc_number value = vc_expr_evaluate(measure->expr, operands);
    if (!value.is_null && !isfinite(value.value))
        value = (vc_number){.is_null = true, .reason = VC_REASON_UNDEFINED};
    row->cells[number] = (vc_cell){.is_null = value.is_null, .reason = value.reason};
    row->cells[number].as.f = value.is_null ? 0 : value.value;
    return VC_OK;
}

vc_status vc_row_fill(vc_row_at *row, vc_error *error)
{
    size_t nmeasures = row->grain->plan->nmeasures;
    vc_status status = VC_OK;
    memset(row->is_done, 0, nmeasures * sizeof *row->is_done);
    row->has_facts = false;
    for (size_t m = 0; m < nmeasures && status == VC_OK; m++)
        status = fill_cell(row, m, error);
    return status;
}
