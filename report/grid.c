#include "report/grid.h"

#include "render/people.h"
#include "report/palette.h"

#include <math.h>

double vc_grid_number(const vc_grid *grid, size_t row, size_t column)
{
    return vc_cell_double(vc_grid_measure_at(grid, row, column)->measure,
                          vc_grid_cell(grid, row, column));
}

static void put_formatted(const vc_number_format *format, const vc_result_measure *measure,
                          const vc_cell *cell, vc_buffer *out)
{
    vc_buffer number = {0};
    vc_put_number(&number, measure, cell);
    vc_number_format_put(format, (vc_str){.data = number.data, .size = number.size}, out);
    out->failed |= number.failed;
    vc_buffer_release(&number);
}

void vc_grid_put_text(const vc_grid *grid, size_t row, size_t column, vc_buffer *out)
{
    const vc_cell *cell = vc_grid_cell(grid, row, column);
    const vc_grid_measure *how = vc_grid_measure_at(grid, row, column);
    if (cell->is_null)
        vc_buffer_put_text(out, "\xE2\x80\x93");
    else if (how->has_format)
        put_formatted(&how->format, how->measure, cell, out);
    else
        vc_put_plain_number(out, how->measure, cell);
}

void vc_grid_put_exact(const vc_grid *grid, size_t row, size_t column, vc_buffer *out)
{
    vc_put_number(out, vc_grid_measure_at(grid, row, column)->measure,
                  vc_grid_cell(grid, row, column));
}

/* Ticks are doubles, whatever the measure is; of a format's fraction a tick wants no more than it
 * has, so that an axis says 2.5 and not 2.50, and 0.25 although the measure is written in wholes.
 */
void vc_grid_put_tick(const vc_grid_measure *measure, double value, vc_buffer *out)
{
    enum { DIGITS_OF_TICK = 6 };
    vc_cell cell = {.as.f = value, .is_float = true};
    if (!measure->has_format) {
        vc_put_plain_number(out, measure->measure, &cell);
        return;
    }
    vc_number_format format = measure->format;
    format.min_fraction = 0;
    if (format.max_fraction < DIGITS_OF_TICK) format.max_fraction = DIGITS_OF_TICK;
    put_formatted(&format, measure->measure, &cell, out);
}

static const char all_reasons[] = {VC_REASON_EMPTY,    VC_REASON_UNMATCHED, VC_REASON_UNRELATED,
                                   VC_REASON_GRAIN,    VC_REASON_UNDEFINED, VC_REASON_NULL,
                                   VC_REASON_WITHHELD, VC_REASON_REPEATED,  VC_REASON_ALLOCATED};
_Static_assert(sizeof all_reasons < VC_MAX_REASONS, "room for a NUL");

void vc_grid_reasons(const vc_grid *grid, char reasons_out[VC_MAX_REASONS])
{
    bool occurs[256] = {false};
    size_t ncells = grid->nrows * grid->ncolumns, n = 0;
    for (size_t i = 0; i < ncells; i++)
        occurs[(unsigned char)grid->cells[i].reason] = true;
    for (size_t i = 0; i < sizeof all_reasons; i++)
        if (occurs[(unsigned char)all_reasons[i]]) reasons_out[n++] = all_reasons[i];
    reasons_out[n] = '\0';
}

static bool holds(const vc_colour_rule *rule, double value)
{
    switch (rule->op) {
    case VC_OP_EQ: return value == rule->value;
    case VC_OP_NE: return value != rule->value;
    case VC_OP_GT: return value > rule->value;
    case VC_OP_GE: return value >= rule->value;
    case VC_OP_LT: return value < rule->value;
    case VC_OP_LE: return value <= rule->value;
    default: return false;
    }
}

static double share_between(double low, double high, double value)
{
    return high > low ? (value - low) / (high - low) : 0.5;
}

uint32_t vc_colouring_of(const vc_colouring *colouring, double value)
{
    switch (colouring->kind) {
    case VC_COLOURING_NONE: break;
    case VC_COLOURING_SCALE:
        return vc_colour_of_share(share_between(colouring->low, colouring->high, value));
    case VC_COLOURING_DIVERGING:
        return vc_colour_of_balance(
            value < colouring->middle
                ? share_between(colouring->low, colouring->middle, value) - 1
                : (colouring->high > colouring->middle
                       ? share_between(colouring->middle, colouring->high, value)
                       : 0));
    case VC_COLOURING_RULES:
        for (size_t i = 0; i < colouring->nrules; i++)
            if (holds(&colouring->rules[i], value)) return colouring->rules[i].fill;
        break;
    }
    return VC_NO_COLOUR;
}

uint32_t vc_grid_colour(const vc_grid *grid, size_t row, size_t column)
{
    const vc_colouring *colouring = &vc_grid_measure_at(grid, row, column)->colouring;
    if (colouring->kind == VC_COLOURING_NONE || vc_grid_cell(grid, row, column)->is_null)
        return VC_NO_COLOUR;
    /* A total is of another size than what it is the total of: it would be the darkest always. */
    bool is_total = grid->is_total_row[row] || grid->is_total_column[column];
    if (is_total && colouring->kind != VC_COLOURING_RULES) return VC_NO_COLOUR;
    return vc_colouring_of(colouring, vc_grid_number(grid, row, column));
}
