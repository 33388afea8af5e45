/* The cells of a row: base measures read from the grain, calculated ones from other cells of the
 * row, each once, whatever uses it.
 */
#include "slice/calculated.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

vc_number vc_cell_number(const vc_plan_measure *measure, const vc_cell *cell)
{
    vc_number number = {.is_null = cell->is_null, .reason = cell->reason};
    if (cell->is_null) return number;
    if (measure->type == VC_VALUE_FLOAT || cell->is_float)
        number.value = cell->as.f;
    else
        number.value = (double)cell->as.i / (double)vc_pow10(measure->scale);
    return number;
}

static vc_cell to_cell(vc_number value)
{
    vc_cell cell = {.is_null = value.is_null, .reason = value.reason};
    if (!value.is_null && !isfinite(value.value))
        return (vc_cell){.is_null = true, .reason = VC_REASON_UNDEFINED};
    if (!value.is_null) cell.as.f = value.value;
    return cell;
}

static vc_status evaluate(vc_row_at *row, size_t number, const vc_expr *expr, vc_row_at *own,
                          vc_number *value_out, vc_error *error);

/* At a calculated member, arguments of functions are measures of their own: taken at its operands,
 * and not from the row. */
static vc_status fill_calculated(vc_row_at *row, size_t number, vc_error *error)
{
    const vc_plan_measure *measure = &row->grain->plan->measures[number];
    vc_number value;
    vc_status status =
        evaluate(row, number, measure->expr, row->is_calculated ? NULL : row, &value, error);
    if (status == VC_OK) row->cells[number] = to_cell(value);
    return status;
}

vc_status vc_row_cell(vc_row_at *row, size_t number, vc_error *error)
{
    bool has_facts;
    if (row->is_done[number]) return VC_OK;
    row->is_done[number] = true;
    if (row->is_calculated && !vc_calculated_is_last(row->frame, number, row->groups)) {
        vc_status found = vc_calculated_cell(row->frame, number, NULL, row->groups,
                                             &row->cells[number], &has_facts, error);
        row->has_facts |= has_facts;
        return found;
    }
    if (row->grain->plan->measures[number].expr != NULL) return fill_calculated(row, number, error);
    vc_status status =
        vc_grain_read(row->grain, number, row->groups, &row->cells[number], &has_facts, error);
    row->has_facts |= has_facts;
    return status;
}

/* own  the row, for calls that begin at it; NULL: at the cell, as at any other */
static vc_status fill_operands(vc_row_at *row, size_t number, const vc_expr *expr, vc_row_at *own,
                               vc_number *values, vc_error *error)
{
    const vc_plan *plan = row->grain->plan;
    const vc_plan_measure *measure = &plan->measures[number];
    size_t nnames, ncalls;
    const size_t *names = vc_expr_used_names(expr, &nnames);
    const size_t *calls = vc_expr_used_calls(expr, &ncalls);
    vc_status status = VC_OK;
    for (size_t i = 0; i < nnames && status == VC_OK; i++) {
        size_t operand = measure->operands[names[i]];
        status = vc_row_cell(row, operand, error);
        values[names[i]] = vc_cell_number(&plan->measures[operand], &row->cells[operand]);
    }
    for (size_t i = 0; i < ncalls && status == VC_OK; i++)
        status = vc_frame_call(row->frame, number, calls[i], row->groups, own,
                               &values[measure->noperands + calls[i]], error);
    return status;
}

static vc_status evaluate(vc_row_at *row, size_t number, const vc_expr *expr, vc_row_at *own,
                          vc_number *value_out, vc_error *error)
{
    vc_number few[VC_FEW_NUMBERS];
    vc_number *values = vc_numbers_borrow(&row->grain->plan->measures[number], expr, few, error);
    if (values == NULL) return VC_NO_MEMORY;
    vc_status status = fill_operands(row, number, expr, own, values, error);
    if (status == VC_OK) *value_out = vc_expr_evaluate(expr, values);
    if (values != few) free(values);
    return status;
}

vc_status vc_row_evaluate(vc_row_at *row, size_t number, const vc_expr *expr, vc_number *value_out,
                          vc_error *error)
{
    return evaluate(row, number, expr, row, value_out, error);
}

vc_number *vc_numbers_borrow(const vc_plan_measure *measure, const vc_expr *expr, vc_number *few,
                             vc_error *error)
{
    size_t ncalls;
    vc_expr_calls(expr, &ncalls);
    if (measure->noperands + ncalls <= VC_FEW_NUMBERS) return few;
    vc_number *many = malloc((measure->noperands + ncalls) * sizeof *many);
    if (many == NULL) vc_no_memory(error);
    return many;
}

vc_status vc_row_fill(vc_row_at *row, vc_error *error)
{
    size_t nmeasures = row->grain->plan->nmeasures;
    vc_status status = VC_OK;
    memset(row->is_done, 0, nmeasures * sizeof *row->is_done);
    row->has_facts = false;
    row->is_calculated = row->frame != NULL && vc_frame_is_calculated(row->frame, row->groups);
    for (size_t m = 0; m < nmeasures && status == VC_OK; m++)
        status = vc_row_cell(row, m, error);
    return status;
}
