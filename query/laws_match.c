/* Comparing answers: rows by what they stand for, numbers exactly where they are exact. */
#include "query/laws_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

/* At a calculated member there are doubles of measures that have none elsewhere. */
static bool is_float(const vc_result_measure *measure, const vc_cell *cell)
{
    return measure->type == VC_VALUE_FLOAT || cell->is_float;
}

static double rough_value(const vc_result_measure *measure, const vc_cell *cell)
{
    if (is_float(measure, cell)) return cell->as.f;
    return measure->type == VC_VALUE_DECIMAL ? (double)cell->as.i / pow(10, measure->scale)
                                             : (double)cell->as.i;
}

void vc_law_sum_add(vc_law_sum *sum, const vc_result_measure *measure, const vc_cell *cell,
                    int factor)
{
    unsigned scale = measure->type == VC_VALUE_DECIMAL ? measure->scale : 0;
    if (cell == NULL || cell->is_null) return;
    sum->is_rough |= is_float(measure, cell) || (sum->has_scale && sum->scale != scale);
    sum->has_scale = true;
    sum->scale = scale;
    if (!is_float(measure, cell)) sum->exact += (__int128)factor * cell->as.i;
    sum->rough += factor * rough_value(measure, cell);
    sum->size += fabs(factor * rough_value(measure, cell));
}

bool vc_law_cell_counts(const vc_cell *cell)
{
    return !cell->is_null || cell->reason == VC_REASON_EMPTY || cell->reason == VC_REASON_NULL ||
           cell->reason == VC_REASON_UNMATCHED;
}

int vc_law_sum_sign(const vc_law_sum *sum)
{
    if (!sum->is_rough) return sum->exact < 0 ? -1 : sum->exact > 0;
    if (fabs(sum->rough) <= 1e-9 * sum->size) return 0;
    return sum->rough < 0 ? -1 : 1;
}

vc_str vc_law_cell_text(vc_laws *laws, const vc_result_measure *measure, const vc_cell *cell)
{
    char text[VC_NUMBER_TEXT];
    if (cell == NULL) return VC_STR("no row");
    if (cell->is_null) return vc_arena_printf(&laws->work, "null %c", cell->reason);
    switch (is_float(measure, cell) ? VC_VALUE_FLOAT : measure->type) {
    case VC_VALUE_FLOAT: vc_format_double(text, cell->as.f); break;
    case VC_VALUE_DECIMAL: vc_format_decimal(text, cell->as.i, measure->scale); break;
    default: vc_format_int(text, cell->as.i); break;
    }
    return vc_arena_printf(&laws->work, "%s%s%.1s", text, cell->reason != 0 ? " " : "",
                           cell->reason != 0 ? &cell->reason : "");
}

/* ---- rows ---- */

/* "geo.region=Europe, date.year=2020"; SIZE_MAX is the summary. */
vc_str vc_law_place_text(vc_laws *laws, const vc_result *result, size_t row)
{
    vc_buffer text = {0};
    for (size_t a = 0; row != SIZE_MAX && a < result->naxes; a++) {
        const vc_result_axis *axis = &result->axes[a];
        uint32_t number = result->coords[row * result->naxes + a];
        if (number == VC_NONE) continue;
        for (size_t l = 0; l < axis->nlevels; l++) {
            vc_str key = axis->members[number].keys[l];
            if (key.data == NULL && l + 1 < axis->nlevels) continue;
            vc_buffer_printf(&text, "%s%.*s=", text.size > 0 ? ", " : "",
                             VC_FMT(axis->levels[l].key_name));
            vc_buffer_put_str(&text, key.data == NULL ? VC_STR("(null)") : key);
        }
    }
    vc_str place = text.size == 0
                       ? VC_STR("the total of the selection")
                       : vc_arena_printf(&laws->work, "the row %s", vc_buffer_text(&text));
    vc_buffer_release(&text);
    return place;
}

static int compare_rows(const void *a, const void *b)
{
    return vc_str_compare(((const vc_law_row *)a)->key, ((const vc_law_row *)b)->key);
}

/* The keys of a row with their lengths, so that different rows never look the same. */
static void put_row_key(vc_buffer *out, const vc_result *result, size_t row, const size_t *axes)
{
    for (size_t a = 0; a < result->naxes; a++) {
        size_t at = axes == NULL ? a : axes[a];
        const vc_result_axis *axis = &result->axes[at];
        const vc_result_member *member = &axis->members[result->coords[row * result->naxes + at]];
        vc_buffer_put_char(out, member->is_synthetic    ? 's'
                                : member->is_other      ? 'o'
                                : member->is_calculated ? 'c'
                                                        : 'm');
        for (size_t l = 0; l < axis->nlevels; l++) {
            vc_str key = member->keys[l];
            if (key.data == NULL)
                vc_buffer_put_text(out, "-");
            else
                vc_buffer_printf(out, "%zu:", key.size);
            vc_buffer_put_str(out, key);
        }
    }
}

bool vc_law_row_is_calculated(const vc_result *result, size_t row)
{
    bool is_calculated = false;
    for (size_t a = 0; a < result->naxes; a++)
        is_calculated |=
            result->axes[a].members[result->coords[row * result->naxes + a]].is_calculated;
    return is_calculated;
}

static vc_status make_rows(vc_laws *laws, const vc_result *result, const size_t *axes,
                           bool has_calculated, vc_law_rows *rows_out)
{
    vc_buffer key = {0};
    *rows_out = (vc_law_rows){.result = result};
    rows_out->rows = VC_ARENA_NEW(&laws->work, vc_law_row, result->ndetail_rows + 1);
    if (rows_out->rows == NULL) return vc_no_memory(laws->error);
    bool has_failed = false;
    for (size_t row = 0; row < result->ndetail_rows; row++) {
        if (!has_calculated && vc_law_row_is_calculated(result, row)) continue;
        vc_buffer_clear(&key);
        put_row_key(&key, result, row, axes);
        vc_str text = {.data = vc_buffer_text(&key), .size = key.size};
        vc_law_row *made = &rows_out->rows[rows_out->nrows++];
        *made = (vc_law_row){.key = vc_arena_str(&laws->work, text), .row = row};
        has_failed |= made->key.data == NULL || key.failed;
    }
    vc_buffer_release(&key);
    if (has_failed) return vc_no_memory(laws->error);
    if (rows_out->nrows > 0)
        qsort(rows_out->rows, rows_out->nrows, sizeof *rows_out->rows, compare_rows);
    for (size_t i = 1; i < rows_out->nrows; i++)
        laws->is_ambiguous |= vc_str_equal(rows_out->rows[i].key, rows_out->rows[i - 1].key);
    return VC_OK;
}

vc_status vc_law_rows_make(vc_laws *laws, const vc_result *result, const size_t *axes,
                           vc_law_rows *rows_out)
{
    return make_rows(laws, result, axes, false, rows_out);
}

const vc_cell *vc_law_rows_find(const vc_law_rows *rows, vc_str key)
{
    const vc_law_row wanted = {.key = key};
    const vc_law_row *found = rows->nrows == 0 ? NULL
                                               : bsearch(&wanted, rows->rows, rows->nrows,
                                                         sizeof *rows->rows, compare_rows);
    return found == NULL ? NULL : rows->result->cells + found->row * rows->result->nmeasures;
}

/* ---- two answers ---- */

static bool is_count(const vc_result_measure *measure)
{
    return measure->aggregator == VC_AGG_COUNT || measure->aggregator == VC_AGG_COUNT_DISTINCT;
}

/* Which reason a null has, and whether a value stands on facts of its own, may differ between cubes
 * (is_reason_free): nobody matches (u) in one is nothing there (e) in the other. */
static bool is_same_cell(const vc_result_measure *a, const vc_cell *x, const vc_result_measure *b,
                         const vc_cell *y, bool is_reason_free)
{
    vc_law_sum difference = {0};
    if (is_reason_free && is_count(a) && (x->is_null || y->is_null))
        return (x->is_null || x->as.i == 0) && (y->is_null || y->as.i == 0);
    /* What is calculated from a count of nothing is null where nobody matches. */
    if (is_reason_free && a->is_calculated && x->is_null && x->reason == VC_REASON_UNMATCHED)
        return true;
    if (x->is_null != y->is_null) return false;
    if (!is_reason_free && x->reason != y->reason) return false;
    vc_law_sum_add(&difference, a, x, 1);
    vc_law_sum_add(&difference, b, y, -1);
    return vc_law_sum_sign(&difference) == 0;
}

/* A row whose measures are all null, or counts of 0, may stand in one answer only. */
static bool says_nothing(const vc_result *result, const vc_cell *cells, size_t nmeasures)
{
    for (size_t m = 0; m < nmeasures; m++)
        if (!cells[m].is_null && (!is_count(&result->measures[m]) || cells[m].as.i != 0))
            return false;
    return true;
}

static vc_status break_match(vc_laws *laws, vc_law_query queries[2], const vc_law_matching *how,
                             const vc_cell *x, const vc_cell *y, size_t m, size_t n, vc_str place)
{
    const vc_result_measure *measures[2] = {&queries[0].result->measures[m],
                                            &queries[1].result->measures[n]};
    vc_str found[2] = {vc_law_cell_text(laws, measures[0], x),
                       vc_law_cell_text(laws, measures[1], y)};
    vc_str claim = vc_arena_printf(&laws->work, "%.*s is not %.*s: %s", VC_FMT(found[0]),
                                   VC_FMT(found[1]), how->claim);
    return vc_law_break(laws, queries, 2, found, measures[0]->name, place, claim);
}

/* Compare the cells of one row: false when the breach was made, or could not be. */
static bool match_cells(vc_laws *laws, vc_law_query queries[2], const vc_law_matching *how,
                        const vc_cell *x, const vc_cell *y, size_t row, vc_status *status)
{
    const vc_result *a = queries[0].result, *b = queries[1].result;
    size_t nmeasures = how->nmeasures > 0 ? how->nmeasures : a->nmeasures;
    for (size_t m = 0; m < nmeasures; m++) {
        size_t n = how->measures == NULL ? m : how->measures[m];
        const vc_cell *cell = y == NULL ? NULL : &y[n];
        if (cell != NULL &&
            is_same_cell(&a->measures[m], &x[m], &b->measures[n], cell, how->is_reason_free))
            continue;
        if (cell == NULL && x[m].is_null && m + 1 < nmeasures) continue; /* name one with a value */
        *status =
            break_match(laws, queries, how, &x[m], cell, m, n, vc_law_place_text(laws, a, row));
        return false;
    }
    return true;
}

vc_status vc_law_match(vc_laws *laws, vc_law_query queries[2], const vc_law_matching *how)
{
    const vc_result *a = queries[0].result, *b = queries[1].result;
    vc_law_rows first, second;
    vc_status status = make_rows(laws, a, NULL, how->has_calculated, &first);
    if (status == VC_OK) status = make_rows(laws, b, how->axes, how->has_calculated, &second);
    if (status != VC_OK || laws->is_ambiguous) return status;
    for (size_t i = 0; i < first.nrows; i++) {
        const vc_cell *x = a->cells + first.rows[i].row * a->nmeasures;
        const vc_cell *y = vc_law_rows_find(&second, first.rows[i].key);
        if (y == NULL && says_nothing(a, x, a->nmeasures)) continue;
        if (!match_cells(laws, queries, how, x, y, first.rows[i].row, &status)) return status;
    }
    for (size_t i = 0; i < second.nrows && !how->may_have_more; i++) {
        const vc_cell *y = b->cells + second.rows[i].row * b->nmeasures;
        if (vc_law_rows_find(&first, second.rows[i].key) != NULL ||
            says_nothing(b, y, b->nmeasures))
            continue;
        size_t m = 0, n = how->measures == NULL ? 0 : how->measures[0];
        while (y[n].is_null && m + 1 < a->nmeasures)
            n = how->measures == NULL ? ++m : how->measures[++m];
        return break_match(laws, queries, how, NULL, &y[n], m, n,
                           vc_law_place_text(laws, b, second.rows[i].row));
    }
    match_cells(laws, queries, how, a->summary, b->summary, SIZE_MAX, &status);
    return status;
}

/* ---- breaches ---- */

static vc_str keep(vc_laws *laws, vc_str text)
{
    return vc_arena_str(laws->arena, text);
}

vc_status vc_law_break(vc_laws *laws, vc_law_query *queries, size_t nqueries, const vc_str *found,
                       vc_str measure, vc_str place, vc_str claim)
{
    vc_law_breach *breach = VC_ARENA_NEW(laws->arena, vc_law_breach, 1);
    vc_law_side *sides = VC_ARENA_NEW(laws->arena, vc_law_side, nqueries);
    if (breach == NULL || sides == NULL) return vc_no_memory(laws->error);
    *breach = (vc_law_breach){.claim = keep(laws, claim),
                              .measure = keep(laws, measure),
                              .place = keep(laws, place),
                              .nsides = nqueries,
                              .sides = sides};
    for (size_t i = 0; i < nqueries; i++) {
        const vc_law_side *side = &queries[i].side;
        vc_parameter *parameters = VC_ARENA_NEW(laws->arena, vc_parameter, side->nparameters + 1);
        if (parameters == NULL) return vc_no_memory(laws->error);
        for (size_t p = 0; p < side->nparameters; p++)
            parameters[p] = (vc_parameter){.name = keep(laws, side->parameters[p].name),
                                           .value = keep(laws, side->parameters[p].value)};
        sides[i] = *side;
        sides[i].cube = keep(laws, side->cube);
        sides[i].variant = keep(laws, side->variant);
        sides[i].parameters = parameters;
        sides[i].found = keep(laws, found[i]);
    }
    laws->report->breach = breach;
    return VC_OK;
}
