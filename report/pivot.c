#include "report/pivot.h"

#include "base/nearest.h"
#include "report/pivot_parts.h"
#include "report/try.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CELLS = 20 * 1000 * 1000 };

/* Rows as they came, until it is known where they stand. */
typedef struct row_block {
    struct row_block *before;
    size_t count;
    uint32_t *leaves; /* [2 * count] of the rows, of the columns */
    vc_cell *cells;   /* [count * nmeasures] */
} row_block;

struct vc_pivot {
    const vc_result *result; /* whose axes and measures all have */
    const vc_pivot_plan *plan;
    vc_arena *arena;
    vc_heads rows, columns;
    vc_grid *grid;
    row_block *blocks;
    size_t nholes;
    vc_error *error; /* of the call at hand */
};

typedef struct vc_pivot pivoting;

/* ---- measures ---- */

static const vc_spec_measure *find_measure(const vc_pivot_plan *plan, vc_str name)
{
    for (size_t i = 0; i < plan->nmeasures; i++)
        if (vc_str_equal(plan->measures[i].name, name)) return &plan->measures[i];
    return NULL;
}

/* ---- which dimension goes where ---- */

static vc_status find_axis(pivoting *in, vc_str name, size_t *axis_out)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t a = 0; a < in->result->naxes; a++) {
        const vc_result_axis *axis = &in->result->axes[a];
        *axis_out = a;
        if (vc_str_equal(axis->dimension, name) || vc_str_equal(axis->ref, name)) return VC_OK;
        vc_nearest_offer(&nearest, axis->dimension);
    }
    vc_fail(in->error, VC_NOT_FOUND, "unknown_dimension", "the query does not drill down '%.*s'",
            VC_FMT(name));
    vc_nearest_report(&nearest, in->error);
    return vc_error_at_place(in->error, VC_NOT_FOUND,
                             (vc_place){.where = in->plan->pointer, .is_pointer = true});
}

/* Months stand in their order, whichever the first row has, and all else where no order is asked
 * for. */
static bool is_by_member(const vc_pivot_plan *plan, const vc_result_axis *axis)
{
    if (plan->norders > 0 && !axis->is_time) return false;
    for (size_t i = 0; i < plan->norders; i++) {
        vc_str name = plan->orders[i].name, dimension = axis->dimension;
        bool begins =
            name.size >= dimension.size && memcmp(name.data, dimension.data, dimension.size) == 0;
        if (begins && (name.size == dimension.size || name.data[dimension.size] == '.' ||
                       name.data[dimension.size] == '@'))
            return false;
    }
    return true;
}

static vc_status take_axes(pivoting *in, const vc_str *names, size_t nnames, bool *is_taken,
                           vc_heads *heads)
{
    for (size_t i = 0; i < nnames; i++) {
        size_t axis = 0;
        TRY(find_axis(in, names[i], &axis));
        if (is_taken[axis]) {
            vc_fail(in->error, VC_BAD_INPUT, "duplicate_name", "'%.*s' stands in the layout twice",
                    VC_FMT(names[i]));
            return vc_error_at_place(in->error, VC_BAD_INPUT,
                                     (vc_place){.where = in->plan->pointer, .is_pointer = true});
        }
        is_taken[axis] = true;
        vc_heads_put_axis(heads, &in->result->axes[axis],
                          is_by_member(in->plan, &in->result->axes[axis]));
    }
    return VC_OK;
}

static vc_status place_axes(pivoting *in)
{
    size_t naxes = in->result->naxes;
    bool *is_taken = VC_ARENA_NEW(in->arena, bool, naxes + 1);
    in->rows.axes = VC_ARENA_NEW(in->arena, vc_heads_axis, naxes + 1);
    in->columns.axes = VC_ARENA_NEW(in->arena, vc_heads_axis, naxes + 1);
    if (is_taken == NULL || in->rows.axes == NULL || in->columns.axes == NULL)
        return vc_no_memory(in->error);
    const vc_pivot_plan *plan = in->plan;
    TRY(take_axes(in, plan->rows, plan->nrows, is_taken, &in->rows));
    TRY(take_axes(in, plan->columns, plan->ncolumns, is_taken, &in->columns));
    for (size_t a = 0; a < naxes; a++) {
        if (is_taken[a]) continue;
        bool goes_to_rows = plan->nrows == 0 && (plan->ncolumns > 0 || in->rows.naxes == 0);
        vc_heads_put_axis(goes_to_rows ? &in->rows : &in->columns, &in->result->axes[a],
                          is_by_member(plan, &in->result->axes[a]));
    }
    return VC_OK;
}

/* ---- heads ---- */

/* "country" is "Country". */
static vc_str unit_name(pivoting *in, const vc_heads *heads, size_t unit)
{
    size_t a = 0, axis = 0;
    while (unit >= heads->axes[a].nlevels)
        unit -= heads->axes[a++].nlevels;
    (void)find_axis(in, heads->axes[a].dimension, &axis);
    vc_str name = vc_arena_str(in->arena, in->result->axes[axis].levels[unit].name);
    char *first = (char *)name.data; /* the copy is ours */
    if (name.size > 0 && *first >= 'a' && *first <= 'z') *first = (char)(*first - 32);
    return name;
}

static vc_grid_head measure_head(pivoting *in, size_t measure)
{
    const vc_result_measure *m = in->grid->measures[measure].measure;
    vc_str label = vc_str_is_null(m->label) || m->label.size == 0 ? m->name : m->label;
    vc_str text = vc_str_is_null(m->unit) || m->unit.size == 0
                      ? label
                      : vc_arena_printf(in->arena, "%.*s (%.*s)", VC_FMT(label), VC_FMT(m->unit));
    return (vc_grid_head){.key = m->name, .text = text, .span = 1, .is_measure = true};
}

/* The heads of one direction, and behind them a unit of the measures where they stand there. Every
 * leaf has nmeasures lines then. Unit u of line i is out[i * line_step + u * unit_step]. */
static void write_heads(pivoting *in, const vc_heads *heads, bool has_measures, vc_grid_head *out,
                        size_t line_step, size_t unit_step)
{
    size_t nmeasures = has_measures ? in->result->nmeasures : 1;
    for (size_t u = 0; u < heads->depth; u++) {
        vc_grid_head *unit = out + u * unit_step;
        vc_heads_write(heads, u, unit, line_step * nmeasures);
        for (size_t i = 0; i < heads->nleaves && nmeasures > 1; i++)
            unit[i * line_step * nmeasures].span *= (uint32_t)nmeasures;
    }
    for (size_t i = 0; has_measures && i < heads->nleaves; i++)
        for (size_t m = 0; m < nmeasures; m++)
            out[(i * nmeasures + m) * line_step + heads->depth * unit_step] = measure_head(in, m);
}

static vc_status name_units(pivoting *in, const vc_heads *heads, size_t nunits,
                            const vc_str **names_out)
{
    vc_str *names = VC_ARENA_NEW(in->arena, vc_str, nunits + 1);
    if (names == NULL) return vc_no_memory(in->error);
    for (size_t u = 0; u < heads->depth; u++) {
        names[u] = unit_name(in, heads, u);
        if (vc_str_is_null(names[u])) return vc_no_memory(in->error);
    }
    *names_out = names;
    return VC_OK;
}

static vc_status write_all_heads(pivoting *in)
{
    vc_grid *grid = in->grid;
    size_t nmeasures = in->result->nmeasures;
    bool on_rows = grid->measures_on_rows;
    bool has_measure_row = !on_rows && (nmeasures != 1 || in->columns.depth == 0);
    size_t nrows = in->rows.nleaves * (on_rows ? nmeasures : 1);
    size_t ncolumns = in->columns.nleaves * (on_rows ? 1 : nmeasures);
    if (nrows > 0 && ncolumns > MAX_CELLS / nrows)
        return vc_fail(in->error, VC_LIMIT, "limit_cells",
                       "the table would have %zu rows and %zu columns, more than 20 million cells",
                       nrows, ncolumns);
    grid->nrows = nrows;
    grid->ncolumns = ncolumns;
    grid->nhead_columns = in->rows.depth + on_rows;
    grid->nhead_rows = in->columns.depth + has_measure_row;
    vc_grid_head *row_heads =
        VC_ARENA_NEW(in->arena, vc_grid_head, nrows * grid->nhead_columns + 1);
    vc_grid_head *column_heads =
        VC_ARENA_NEW(in->arena, vc_grid_head, ncolumns * (grid->nhead_rows + 1));
    bool *is_total_row = VC_ARENA_NEW(in->arena, bool, nrows + 1);
    bool *is_total_column = VC_ARENA_NEW(in->arena, bool, ncolumns + 1);
    if (row_heads == NULL || column_heads == NULL || is_total_row == NULL ||
        is_total_column == NULL)
        return vc_no_memory(in->error);
    write_heads(in, &in->rows, on_rows, row_heads, grid->nhead_columns, 1);
    write_heads(in, &in->columns, has_measure_row, column_heads, 1, ncolumns);
    for (size_t r = 0; r < nrows; r++)
        is_total_row[r] = vc_heads_is_total(&in->rows, on_rows ? r / nmeasures : r);
    for (size_t c = 0; c < ncolumns; c++)
        is_total_column[c] = vc_heads_is_total(&in->columns, on_rows ? c : c / nmeasures);
    grid->row_heads = row_heads;
    grid->column_heads = column_heads;
    grid->is_total_row = is_total_row;
    grid->is_total_column = is_total_column;
    TRY(name_units(in, &in->rows, grid->nhead_columns, &grid->corners));
    return name_units(in, &in->columns, grid->nhead_rows, &grid->corner_rows);
}

/* ---- cells ---- */

static void put_cells(const pivoting *in, const row_block *block, vc_cell *cells)
{
    const vc_grid *grid = in->grid;
    size_t nmeasures = in->result->nmeasures;
    for (size_t row = 0; row < block->count; row++) {
        size_t r = in->rows.place[block->leaves[2 * row]],
               c = in->columns.place[block->leaves[2 * row + 1]];
        for (size_t m = 0; m < nmeasures; m++) {
            size_t at = grid->measures_on_rows ? (r * nmeasures + m) * grid->ncolumns + c
                                               : r * grid->ncolumns + c * nmeasures + m;
            cells[at] = block->cells[row * nmeasures + m];
        }
    }
}

static vc_status write_cells(pivoting *in)
{
    vc_grid *grid = in->grid;
    size_t nmeasures = in->result->nmeasures, ncells = grid->nrows * grid->ncolumns, nrows = 0;
    vc_cell *cells = vc_arena_alloc(in->arena, (ncells + 1) * sizeof *cells);
    uint32_t *measure_of = VC_ARENA_NEW(
        in->arena, uint32_t, (grid->measures_on_rows ? grid->nrows : grid->ncolumns) + 1);
    if (cells == NULL || measure_of == NULL) return vc_no_memory(in->error);
    for (size_t i = 0; i < ncells; i++)
        cells[i] = (vc_cell){.is_null = true};
    while (in->blocks != NULL) { /* given back as they are used: both are not there at once */
        row_block *block = in->blocks;
        put_cells(in, block, cells);
        nrows += block->count;
        in->blocks = block->before;
        free(block);
    }
    in->nholes = nmeasures == 0 ? 0 : ncells / nmeasures - nrows;
    size_t nlines = grid->measures_on_rows ? grid->nrows : grid->ncolumns;
    for (size_t i = 0; i < nlines && nmeasures > 0; i++)
        measure_of[i] = (uint32_t)(i % nmeasures);
    grid->cells = cells;
    grid->measure_of = measure_of;
    return VC_OK;
}

/* ---- measures ---- */

/* A slip in a name must not go unnoticed. */
static vc_status check_measures(pivoting *in)
{
    for (size_t i = 0; i < in->plan->nmeasures; i++) {
        vc_str name = in->plan->measures[i].name;
        bool is_known = false;
        vc_nearest nearest;
        vc_nearest_init(&nearest, name);
        for (size_t m = 0; m < in->result->nmeasures; m++) {
            is_known |= vc_str_equal(in->result->measures[m].name, name);
            vc_nearest_offer(&nearest, in->result->measures[m].name);
        }
        if (is_known) continue;
        vc_fail(in->error, VC_NOT_FOUND, "unknown_measure", "the query has no measure '%.*s'",
                VC_FMT(name));
        vc_nearest_report(&nearest, in->error);
        return vc_error_at_place(in->error, VC_NOT_FOUND,
                                 (vc_place){.where = in->plan->pointer, .is_pointer = true});
    }
    return VC_OK;
}

/* The ends of a scale that are not stated: those of the values, totals aside. */
static void fit_colouring(const vc_grid *grid, size_t measure, const vc_spec_measure *stated,
                          vc_colouring *colouring)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t r = 0; r < grid->nrows; r++)
        for (size_t c = 0; c < grid->ncolumns; c++) {
            bool is_meant = grid->measure_of[grid->measures_on_rows ? r : c] == measure &&
                            !grid->is_total_row[r] && !grid->is_total_column[c];
            if (!is_meant || vc_grid_cell(grid, r, c)->is_null) continue;
            double value = vc_grid_number(grid, r, c);
            if (value < low) low = value;
            if (value > high) high = value;
        }
    if (low > high) low = high = 0;
    if (!stated->has_low) colouring->low = low;
    if (!stated->has_high) colouring->high = high;
    if (colouring->kind == VC_COLOURING_SCALE || colouring->low > colouring->middle)
        colouring->low =
            fmin(colouring->low,
                 colouring->kind == VC_COLOURING_SCALE ? colouring->high : colouring->middle);
    if (colouring->kind == VC_COLOURING_DIVERGING && colouring->high < colouring->middle)
        colouring->high = colouring->middle;
}

/* A measure as the section calls it. */
static const vc_result_measure *called(pivoting *in, const vc_result_measure *measure,
                                       const vc_spec_measure *stated)
{
    if (stated == NULL || vc_str_is_null(stated->label)) return measure;
    vc_result_measure *copy = VC_ARENA_NEW(in->arena, vc_result_measure, 1);
    if (copy == NULL) return measure;
    *copy = *measure;
    copy->label = stated->label;
    return copy;
}

static vc_status write_measures(pivoting *in)
{
    vc_grid *grid = in->grid;
    const vc_result *result = in->result;
    vc_grid_measure *measures = VC_ARENA_NEW(in->arena, vc_grid_measure, result->nmeasures + 1);
    if (measures == NULL) return vc_no_memory(in->error);
    grid->measures = measures;
    grid->nmeasures = result->nmeasures;
    for (size_t m = 0; m < result->nmeasures; m++) {
        const vc_spec_measure *stated = find_measure(in->plan, result->measures[m].name);
        vc_grid_measure *measure = &measures[m];
        measure->measure = called(in, &result->measures[m], stated);
        measure->pattern = stated != NULL && !vc_str_is_null(stated->pattern)
                               ? stated->pattern
                               : result->measures[m].format;
        measure->has_format =
            measure->pattern.size > 0 && vc_number_format_parse(measure->pattern, &measure->format);
        if (!measure->has_format) measure->pattern = (vc_str){0};
    }
    return VC_OK;
}

/* Scales, once the values are there. */
static void write_colours(pivoting *in)
{
    for (size_t m = 0; m < in->grid->nmeasures; m++) {
        vc_grid_measure *measure = (vc_grid_measure *)&in->grid->measures[m]; /* ours as yet */
        const vc_spec_measure *stated = find_measure(in->plan, measure->measure->name);
        if (stated == NULL || !stated->has_colouring) continue;
        measure->colouring = stated->colouring;
        if (stated->colouring.kind != VC_COLOURING_RULES)
            fit_colouring(in->grid, m, stated, &measure->colouring);
    }
}

/* ---- places on an axis ---- */

static bool read_digits(vc_str *text, size_t count, int *out)
{
    *out = 0;
    if (text->size < count) return false;
    for (size_t i = 0; i < count; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') return false;
        *out = *out * 10 + (text->data[i] - '0');
    }
    *text = (vc_str){.data = text->data + count, .size = text->size - count};
    return true;
}

static bool take(vc_str *text, char byte)
{
    if (text->size == 0 || text->data[0] != byte) return false;
    *text = (vc_str){.data = text->data + 1, .size = text->size - 1};
    return true;
}

bool vc_time_place(vc_str key, double *place_out)
{
    static const int days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    vc_str rest = key;
    int year, part, day;
    if (!read_digits(&rest, 4, &year)) return false;
    *place_out = year;
    if (rest.size == 0) return true;
    if (!take(&rest, '-')) return false;
    if (take(&rest, 'Q')) {
        *place_out += 0;
        if (!read_digits(&rest, 1, &part) || part < 1 || part > 4 || rest.size > 0) return false;
        *place_out += (part - 1) / 4.0;
        return true;
    }
    if (take(&rest, 'W')) {
        if (!read_digits(&rest, 2, &part) || part < 1 || part > 53 || rest.size > 0) return false;
        *place_out += (part - 1) * 7 / 365.25;
        return true;
    }
    if (!read_digits(&rest, 2, &part) || part < 1 || part > 12) return false;
    if (rest.size == 0) {
        *place_out += (part - 1) / 12.0;
        return true;
    }
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (!take(&rest, '-') || !read_digits(&rest, 2, &day) || day < 1 || day > 31 || rest.size > 0)
        return false;
    *place_out += (days_before[part - 1] + (part > 2 && is_leap) + day - 1) / (365.0 + is_leap);
    return true;
}

/* Rows of a time, or of numbers, ascending: then a line knows how far apart they are. */
static vc_status write_places(pivoting *in)
{
    vc_grid *grid = in->grid;
    if (in->rows.depth != 1 || grid->measures_on_rows || grid->nrows == 0) return VC_OK;
    size_t number = 0;
    (void)find_axis(in, in->rows.axes[0].dimension, &number);
    const vc_result_axis *axis = &in->result->axes[number];
    double *places = VC_ARENA_NEW(in->arena, double, grid->nrows);
    if (places == NULL) return vc_no_memory(in->error);
    for (size_t r = 0; r < grid->nrows; r++) {
        vc_str key = grid->row_heads[r].key;
        bool is_number = axis->levels[axis->nlevels - 1].key_type == VC_KEY_INT;
        if (vc_str_is_null(key) || grid->row_heads[r].is_marked) return VC_OK;
        bool is_good = axis->is_time
                           ? vc_time_place(key, &places[r])
                           : is_number && vc_parse_double(key, '.', &places[r]) == VC_PARSE_OK;
        if (!is_good || (r > 0 && places[r] <= places[r - 1])) return VC_OK;
    }
    grid->row_places = places;
    return VC_OK;
}

/* ---- the whole ---- */

vc_status vc_pivot_new(const vc_result *head, const vc_pivot_plan *plan, vc_arena *arena,
                       vc_pivot **pivot_out, vc_error *error)
{
    vc_pivot *pivot = VC_ARENA_NEW(arena, vc_pivot, 1);
    *pivot_out = pivot;
    if (pivot == NULL) return vc_no_memory(error);
    *pivot = (vc_pivot){.result = head,
                        .plan = plan,
                        .arena = arena,
                        .rows.arena = arena,
                        .columns.arena = arena,
                        .grid = VC_ARENA_NEW(arena, vc_grid, 1),
                        .error = error};
    if (pivot->grid == NULL) return vc_no_memory(error);
    pivot->grid->measures_on_rows = plan->stacks_measures;
    TRY(check_measures(pivot));
    TRY(place_axes(pivot));
    return write_measures(pivot);
}

void vc_pivot_free(vc_pivot *pivot)
{
    if (pivot == NULL) return;
    vc_heads_release(&pivot->rows);
    vc_heads_release(&pivot->columns);
    while (pivot->blocks != NULL) {
        row_block *block = pivot->blocks;
        pivot->blocks = block->before;
        free(block);
    }
}

/* Room for rows, in one piece of memory: cells first, which want to be aligned. */
static row_block *new_block(size_t nrows, size_t nmeasures)
{
    row_block *block = malloc(sizeof *block + nrows * (nmeasures * sizeof(vc_cell) + 8));
    if (block == NULL) return NULL;
    *block = (row_block){.cells = (vc_cell *)(block + 1)};
    block->leaves = (uint32_t *)(block->cells + nrows * nmeasures);
    return block;
}

static vc_status fill_block(vc_pivot *pivot, const vc_result *result, row_block *block,
                            bool is_upper, vc_arena *scratch, vc_error *error)
{
    size_t nmeasures = result->nmeasures;
    uint32_t *rows = VC_ARENA_NEW(scratch, uint32_t, result->nrows + 1);
    uint32_t *columns = VC_ARENA_NEW(scratch, uint32_t, result->nrows + 1);
    if (rows == NULL || columns == NULL) return vc_no_memory(error);
    TRY(vc_heads_add(&pivot->rows, result, is_upper, rows, error));
    TRY(vc_heads_add(&pivot->columns, result, is_upper, columns, error));
    for (size_t row = 0; row < result->nrows; row++) {
        if (rows[row] == VC_NONE || columns[row] == VC_NONE) continue;
        block->leaves[2 * block->count] = rows[row];
        block->leaves[2 * block->count + 1] = columns[row];
        if (nmeasures > 0)
            memcpy(block->cells + block->count * nmeasures, result->cells + row * nmeasures,
                   nmeasures * sizeof(vc_cell));
        block->count++;
    }
    return VC_OK;
}

vc_status vc_pivot_add(vc_pivot *pivot, const vc_result *result, bool is_upper, vc_error *error)
{
    vc_arena scratch = {0};
    row_block *block = new_block(result->nrows, result->nmeasures);
    if (block == NULL) return vc_no_memory(error);
    block->before = pivot->blocks;
    pivot->blocks = block;
    vc_status status = fill_block(pivot, result, block, is_upper, &scratch, error);
    vc_arena_release(&scratch);
    return status;
}

vc_status vc_pivot_finish(vc_pivot *pivot, const vc_grid **grid_out, size_t *holes_out,
                          vc_error *error)
{
    pivot->error = error;
    TRY(vc_heads_sort(&pivot->rows, error));
    TRY(vc_heads_sort(&pivot->columns, error));
    TRY(write_all_heads(pivot));
    TRY(write_cells(pivot));
    write_colours(pivot);
    TRY(write_places(pivot));
    *grid_out = pivot->grid;
    if (holes_out != NULL) *holes_out = pivot->nholes;
    return VC_OK;
}

vc_status vc_pivot_of(const vc_result *result, const vc_pivot_plan *plan, vc_arena *arena,
                      const vc_grid **grid_out, size_t *holes_out, vc_error *error)
{
    vc_pivot *pivot;
    vc_status status = vc_pivot_new(result, plan, arena, &pivot, error);
    if (status == VC_OK) status = vc_pivot_add(pivot, result, false, error);
    if (status == VC_OK) status = vc_pivot_finish(pivot, grid_out, holes_out, error);
    vc_pivot_free(pivot);
    return status;
}
