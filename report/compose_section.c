/* Sections: asked, laid out, failed where they fail. */
#include "mapping/codelist.h"
#include "render/people.h"
#include "report/ask.h"
#include "report/compose_parts.h"
#include "report/pivot.h"
#include "report/try.h"

#include <math.h>
#include <string.h>

/* ---- texts ---- */

static vc_status compose_paragraphs(vc_composing *in, const vc_spec_section *spec,
                                    const vc_result *result, vc_section *out, vc_error *error)
{
    vc_str *paragraphs = VC_ARENA_NEW(in->arena, vc_str, spec->nparagraphs + 1);
    if (paragraphs == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < spec->nparagraphs; i++)
        TRY(vc_compose_expand(in, &spec->paragraphs[i], result, &paragraphs[i], error));
    out->paragraphs = paragraphs;
    out->nparagraphs = spec->nparagraphs;
    return VC_OK;
}

/* ---- captions ---- */

static void put_measures(vc_buffer *out, const vc_grid *grid)
{
    for (size_t m = 0; m < grid->nmeasures; m++) {
        const vc_result_measure *measure = grid->measures[m].measure;
        if (m > 0) vc_buffer_put_text(out, m + 1 == grid->nmeasures ? " and " : ", ");
        if (m == 3 && grid->nmeasures > 5) {
            vc_buffer_printf(out, "%zu other measures", grid->nmeasures - m);
            return;
        }
        vc_buffer_put_str(out, measure->label.size > 0 ? measure->label : measure->name);
        if (grid->nmeasures == 1 && measure->unit.size > 0)
            vc_buffer_printf(out, " (%.*s)", VC_FMT(measure->unit));
    }
}

/* "Population (persons) by country and year" */
static vc_status make_caption(vc_composing *in, const vc_result *result, const vc_grid *grid,
                              vc_str *out)
{
    vc_buffer text = {0};
    put_measures(&text, grid);
    for (size_t a = 0; a < result->naxes; a++) {
        const vc_result_axis *axis = &result->axes[a];
        vc_buffer_put_text(&text, a == 0 ? " by " : a + 1 == result->naxes ? " and " : ", ");
        vc_buffer_put_str(&text, axis->levels[axis->nlevels - 1].name);
    }
    *out = text.failed ? (vc_str){0} : vc_arena_str(in->arena, vc_str_of(vc_buffer_text(&text)));
    vc_buffer_release(&text);
    return vc_str_is_null(*out) ? vc_no_memory(in->error) : VC_OK;
}

/* ---- grids ---- */

/* Nothing but the members can be missing: no part of the answer was left out for another reason. */
static bool may_fill_holes(const vc_query *query, const vc_grid *grid)
{
    enum { MAX_FILLED = 1000 * 1000 };
    return query->is_sparse && !vc_collect_leaves_out(query) && query->naxes > 1 &&
           grid->nrows * grid->ncolumns <= MAX_FILLED;
}

/* Combinations without facts have no row in a sparse answer; asked for, each says why it is null.
 */
static vc_status with_holes(const vc_query *query, vc_arena *arena, vc_query *out, vc_error *error)
{
    vc_name_ref *names = VC_ARENA_NEW(arena, vc_name_ref, query->naxes);
    if (names == NULL) return vc_no_memory(error);
    for (size_t a = 0; a < query->naxes; a++)
        names[a].name = query->axes[a].dimref.dimension;
    *out = *query;
    out->is_sparse = false;
    out->nonempty = names;
    out->nnonempty = query->naxes;
    return VC_OK;
}

static vc_pivot_plan plan_of(const vc_spec_section *spec, const vc_query *query)
{
    return (vc_pivot_plan){.rows = spec->rows,
                           .nrows = spec->nrows,
                           .columns = spec->columns,
                           .ncolumns = spec->ncolumns,
                           .stacks_measures = spec->stacks_measures,
                           .measures = spec->measures,
                           .nmeasures = spec->nmeasures,
                           .orders = query->orders,
                           .norders = query->norders,
                           .pointer = spec->pointer};
}

static vc_status add_totals_of(vc_composing *in, const vc_query *query, vc_pivot *pivot,
                               vc_error *error)
{
    const vc_result *result;
    TRY(vc_engine_run(in->model, query, in->options, in->arena, &result, error));
    return vc_pivot_add(pivot, result, true, error);
}

/* Total rows are those with facts, whatever `sparse` says: what is empty is asked for by itself. */
static vc_status fill_totals(vc_composing *in, const vc_query *query, vc_pivot *pivot,
                             vc_error *error)
{
    for (size_t i = 0; i < query->ntotals; i++) {
        vc_query part, filled;
        TRY(vc_compose_total_query(query, &query->totals[i], in->arena, &part, error));
        if (part.naxes == 0) continue; /* the total of all is always there */
        TRY(with_holes(&part, in->arena, &filled, error));
        TRY(add_totals_of(in, &filled, pivot, error));
    }
    return VC_OK;
}

/* Subtotals of the levels above. */
static vc_status add_uppers(vc_composing *in, const vc_spec_section *spec, const vc_query *query,
                            const vc_result *result, bool is_filled, vc_pivot *pivot,
                            vc_error *error)
{
    const vc_query *uppers = NULL;
    size_t nuppers = 0;
    if (spec->kind == VC_SECTION_PIVOT)
        TRY(vc_compose_upper_queries(spec, query, result, in->arena, &uppers, &nuppers, error));
    for (size_t i = 0; i < nuppers; i++) {
        vc_query filled = uppers[i];
        if (is_filled) TRY(with_holes(&uppers[i], in->arena, &filled, error));
        TRY(add_totals_of(in, &filled, pivot, error));
        if (is_filled) TRY(fill_totals(in, &uppers[i], pivot, error));
    }
    return VC_OK;
}

static vc_status finish_grid(vc_composing *in, const vc_spec_section *spec, const vc_query *query,
                             const vc_result *result, bool is_filled, vc_pivot *pivot,
                             vc_grid **grid_out, size_t *nholes_out, vc_error *error)
{
    const vc_grid *grid;
    if (is_filled) TRY(fill_totals(in, query, pivot, error));
    TRY(add_uppers(in, spec, query, result, is_filled, pivot, error));
    TRY(vc_pivot_finish(pivot, &grid, nholes_out, error));
    *grid_out = (vc_grid *)grid; /* it is ours as yet */
    return VC_OK;
}

static vc_status fill_grid(vc_composing *in, const vc_spec_section *spec, const vc_query *query,
                           const vc_pivot_plan *plan, vc_grid **grid_out, vc_error *error)
{
    vc_query filled;
    vc_pivot *pivot = NULL;
    const vc_result *result;
    size_t nholes;
    TRY(with_holes(query, in->arena, &filled, error));
    vc_status status =
        vc_collect(in->model, &filled, in->options, plan, true, in->arena, &pivot, &result, error);
    if (status == VC_OK)
        status = finish_grid(in, spec, query, result, true, pivot, grid_out, &nholes, error);
    vc_pivot_free(pivot);
    return status;
}

/* Are rows of the answer named in the section's texts, or looked at by its assertions? */
static bool needs_rows(const vc_spec_section *spec)
{
    return spec->nparagraphs > 0 || spec->nassertions > 0 ||
           vc_str_contains(spec->title.text, VC_STR("{{"));
}

static vc_status ask_for_grid(vc_composing *in, const vc_spec_section *spec, const vc_query *query,
                              const vc_pivot_plan *plan, vc_pivot **pivot_out,
                              const vc_result **result_out, vc_str *query_out, vc_error *error)
{
    bool has_totals = spec->kind == VC_SECTION_PIVOT; /* a chart has no place for them */
    if (!needs_rows(spec))
        return vc_compose_collect(in, spec->id, spec->query.pointer, query, plan, has_totals,
                                  pivot_out, result_out, query_out, error);
    TRY(vc_compose_ask(in, spec->id, spec->query.pointer, query, result_out, query_out, error));
    return vc_collect_result(query, *result_out, plan, has_totals, in->arena, pivot_out, error);
}

/* *result_out: the answer; of a large one without its rows. */
static vc_status compose_grid(vc_composing *in, const vc_spec_section *spec, const vc_query *query,
                              vc_section *out, const vc_result **result_out, vc_error *error)
{
    vc_pivot_plan plan = plan_of(spec, query);
    vc_pivot *pivot = NULL;
    vc_grid *grid = NULL;
    size_t nholes = 0;
    vc_status status = ask_for_grid(in, spec, query, &plan, &pivot, result_out, &out->query, error);
    if (status == VC_OK)
        status = finish_grid(in, spec, query, *result_out, false, pivot, &grid, &nholes, error);
    vc_pivot_free(pivot);
    if (status == VC_OK && nholes > 0 && spec->kind == VC_SECTION_PIVOT &&
        may_fill_holes(query, grid))
        status = fill_grid(in, spec, query, &plan, &grid, error);
    if (status != VC_OK) return status;
    bool is_list = grid->nhead_rows == 0 || grid->ncolumns == 0 || grid->column_heads[0].is_measure;
    grid->is_cut = (*result_out)->is_truncated && is_list;
    grid->nrows_all = (*result_out)->total_cell_count;
    out->grid = grid;
    return make_caption(in, *result_out, grid, &grid->caption);
}

/* ---- charts ---- */

static const char *const kind_names[] = {"Line chart",   "Bar chart", "Stacked bar chart",
                                         "Scatter plot", "Heat map",  "Map"};

/* ISO 3166-1 alpha-3 of each row, whatever form its keys have. */
static vc_status find_codes(vc_composing *in, const vc_grid *grid, const vc_str **codes_out)
{
    const vc_codelist *list = vc_codelist_get(VC_STR("iso3166-1"));
    vc_str *codes = VC_ARENA_NEW(in->arena, vc_str, grid->nrows + 1);
    if (codes == NULL) return vc_no_memory(in->error);
    for (size_t r = 0; r < grid->nrows && grid->nhead_columns > 0; r++) {
        vc_code_match match;
        vc_str key = grid->row_heads[r * grid->nhead_columns + grid->nhead_columns - 1].key;
        if (vc_str_is_null(key)) continue;
        vc_code_kind kind = vc_codelist_find(list, key, NULL, &match);
        if (kind == VC_CODE_ASSIGNED || kind == VC_CODE_USER)
            codes[r] = vc_str_of(match.code->alpha3);
    }
    *codes_out = codes;
    return VC_OK;
}

/* The head that stands for a line, perhaps before it. */
static vc_str head_at(const vc_grid_head *heads, size_t line)
{
    while (line > 0 && heads[line].span == 0)
        line--;
    return heads[line].text;
}

/* "64.2 (Africa, 2020)" */
static void put_value(vc_buffer *out, const vc_grid *grid, size_t row, size_t column)
{
    const char *before = " (";
    vc_grid_put_text(grid, row, column, out);
    for (size_t u = 0; u < grid->nhead_rows && grid->ncolumns > 1; u++) {
        vc_buffer_put_text(out, before);
        vc_buffer_put_str(out, head_at(grid->column_heads + u * grid->ncolumns, column));
        before = ", ";
    }
    if (grid->nhead_columns > 0) {
        vc_buffer_put_text(out, before);
        vc_buffer_put_str(out, grid->row_heads[(row + 1) * grid->nhead_columns - 1].text);
        before = ", ";
    }
    if (before[0] == ',') vc_buffer_put_char(out, ')');
}

/* What one sees, for those who do not: what is drawn, how much, and between which values. */
static vc_status describe_chart(vc_composing *in, const vc_grid *grid, vc_chart_kind kind,
                                vc_str *out)
{
    size_t low_row = 0, low_column = 0, high_row = 0, high_column = 0, nvalues = 0;
    for (size_t r = 0; r < grid->nrows; r++)
        for (size_t c = 0; c < grid->ncolumns; c++) {
            if (vc_grid_cell(grid, r, c)->is_null) continue;
            if (grid->measure_of[grid->measures_on_rows ? r : c] != 0) continue;
            double value = vc_grid_number(grid, r, c);
            if (nvalues == 0 || value < vc_grid_number(grid, low_row, low_column))
                low_row = r, low_column = c;
            if (nvalues == 0 || value > vc_grid_number(grid, high_row, high_column))
                high_row = r, high_column = c;
            nvalues++;
        }
    vc_buffer text = {0};
    vc_buffer_printf(&text, "%s: %.*s. ", kind_names[kind], VC_FMT(grid->caption));
    if (nvalues == 0) {
        vc_buffer_put_text(&text, "There are no values to show.");
    } else {
        vc_buffer_printf(&text, "%zu %s, from ", nvalues, nvalues == 1 ? "value" : "values");
        put_value(&text, grid, low_row, low_column);
        vc_buffer_put_text(&text, " to ");
        put_value(&text, grid, high_row, high_column);
        vc_buffer_put_char(&text, '.');
    }
    *out = text.failed ? (vc_str){0} : vc_arena_str(in->arena, vc_str_of(vc_buffer_text(&text)));
    vc_buffer_release(&text);
    return vc_str_is_null(*out) ? vc_no_memory(in->error) : VC_OK;
}

static vc_status fail_chart(const vc_spec_section *spec, const char *expected, vc_error *error)
{
    vc_fail(error, VC_IMPOSSIBLE, "unsupported", "%s needs %s", kind_names[spec->chart.kind],
            expected);
    vc_error_at_pointer(error, "%s", spec->pointer);
    return VC_IMPOSSIBLE;
}

static vc_status compose_chart(vc_composing *in, const vc_spec_section *spec,
                               const vc_result *result, vc_section *out, vc_error *error)
{
    vc_chart *chart = VC_ARENA_NEW(in->arena, vc_chart, 1);
    if (chart == NULL) return vc_no_memory(error);
    *chart = spec->chart;
    chart->grid = out->grid;
    if (chart->kind == VC_CHART_SCATTER && out->grid->ncolumns < 2 && out->grid->nrows > 0)
        return fail_chart(spec, "two measures", error);
    if (result->naxes == 0) return fail_chart(spec, "a dimension in 'drilldown'", error);
    if (chart->kind == VC_CHART_MAP) TRY(find_codes(in, out->grid, &chart->codes));
    TRY(vc_compose_expand(in, &spec->x_title, result, &chart->x_title, error));
    TRY(vc_compose_expand(in, &spec->y_title, result, &chart->y_title, error));
    TRY(vc_compose_expand(in, &spec->alternative, result, &chart->alternative, error));
    if (vc_str_is_null(chart->alternative))
        TRY(describe_chart(in, out->grid, chart->kind, &chart->alternative));
    out->chart = chart;
    return VC_OK;
}

/* ---- figures ---- */

static vc_status find_figure(const vc_result *result, const vc_spec_figure *spec,
                             const vc_spec_section *section, size_t *measure_out, vc_error *error)
{
    for (size_t m = 0; m < result->nmeasures; m++) {
        *measure_out = m;
        if (vc_str_equal(result->measures[m].name, spec->measure)) return VC_OK;
    }
    vc_fail(error, VC_NOT_FOUND, "unknown_measure", "the query has no measure '%.*s'",
            VC_FMT(spec->measure));
    vc_error_at_pointer(error, "%s/figures", section->pointer);
    return VC_NOT_FOUND;
}

/* Of a share in percent the difference is in points; of all else it is in percent of what was. */
static vc_status put_change(vc_composing *in, vc_str pattern, double value, double before,
                            vc_figure *out)
{
    vc_number_format format;
    bool is_share =
        pattern.size > 0 && vc_number_format_parse(pattern, &format) && format.is_percent;
    double change = is_share ? 100 * (value - before) : 100 * (value - before) / fabs(before);
    if (!isfinite(change)) return VC_OK;
    char text[VC_NUMBER_TEXT];
    vc_buffer number = {0};
    vc_str exact = {.data = text, .size = vc_format_double(text, fabs(change))};
    vc_number_format one = {
        .min_whole = 1, .is_grouped = true, .min_fraction = 1, .max_fraction = 1};
    vc_number_format_put(&one, exact, &number);
    bool is_nothing = vc_str_is((vc_str){.data = number.data, .size = number.size}, "0.0");
    out->direction = is_nothing ? 0 : change > 0 ? 1 : -1;
    const char *sign = out->direction > 0 ? "+" : out->direction < 0 ? "\xE2\x88\x92" : "";
    out->change = vc_arena_printf(in->arena, "%s%s%s", sign, vc_buffer_text(&number),
                                  is_share ? " points" : " %");
    bool has_failed = number.failed || vc_str_is_null(out->change);
    vc_buffer_release(&number);
    return has_failed ? vc_no_memory(in->error) : VC_OK;
}

static vc_status compose_figure(vc_composing *in, const vc_spec_section *section,
                                const vc_spec_figure *spec, vc_figure *out, vc_error *error)
{
    vc_query query;
    const vc_result *result, *before;
    size_t m, b;
    TRY(vc_report_query(in->spec, &spec->query, in->variables, in->arena, &query, error));
    TRY(vc_compose_ask(in, section->id, spec->query.pointer, &query, &result, NULL, error));
    TRY(find_figure(result, spec, section, &m, error));
    const vc_result_measure *measure = &result->measures[m];
    const vc_cell *cell = &result->summary[m];
    vc_str pattern = vc_str_is_null(spec->pattern) ? measure->format : spec->pattern;
    vc_buffer value = {0}, exact = {0};
    vc_compose_put_number(measure, cell, pattern, &value);
    if (!cell->is_null) vc_put_number(&exact, measure, cell);
    TRY(vc_compose_expand(in, &spec->label, result, &out->label, error));
    if (vc_str_is_null(out->label))
        out->label = measure->label.size > 0 ? measure->label : measure->name;
    out->value = vc_arena_str(in->arena, vc_str_of(vc_buffer_text(&value)));
    if (!cell->is_null) out->exact = vc_arena_str(in->arena, vc_str_of(vc_buffer_text(&exact)));
    bool has_failed = value.failed || exact.failed || vc_str_is_null(out->value);
    vc_buffer_release(&value);
    vc_buffer_release(&exact);
    if (has_failed) return vc_no_memory(error);
    out->unit = vc_str_is_null(spec->unit) ? measure->unit : spec->unit;
    out->reason = cell->reason;
    if (spec->against.body == NULL) return VC_OK;
    TRY(vc_report_query(in->spec, &spec->against, in->variables, in->arena, &query, error));
    TRY(vc_compose_ask(in, section->id, spec->against.pointer, &query, &before, NULL, error));
    TRY(find_figure(before, spec, section, &b, error));
    TRY(vc_compose_expand(in, &spec->against_label, before, &out->against, error));
    if (cell->is_null || before->summary[b].is_null) return VC_OK;
    TRY(put_change(in, pattern, vc_cell_double(measure, cell),
                   vc_cell_double(&before->measures[b], &before->summary[b]), out));
    out->has_judgement = spec->good != 0 && out->direction != 0;
    out->is_good = out->direction == spec->good;
    return VC_OK;
}

static vc_status compose_figures(vc_composing *in, const vc_spec_section *spec, vc_section *out,
                                 vc_error *error)
{
    vc_figure *figures = VC_ARENA_NEW(in->arena, vc_figure, spec->nfigures);
    if (figures == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < spec->nfigures; i++)
        TRY(compose_figure(in, spec, &spec->figures[i], &figures[i], error));
    out->figures = figures;
    out->nfigures = spec->nfigures;
    return VC_OK;
}

/* ---- notes ---- */

/* Its reader adds up what is shown, and must know that totals are of more. */
static bool has_larger_totals(const vc_query *query, const vc_grid *grid)
{
    bool has_totals = false;
    vc_query without_others = *query; /* a row of all the others leaves nothing out */
    for (size_t t = 0; t < query->ntops; t++)
        without_others.ntops -= query->tops[t].has_other;
    for (size_t r = 0; r < grid->nrows; r++)
        has_totals |= grid->is_total_row[r];
    for (size_t c = 0; c < grid->ncolumns; c++)
        has_totals |= grid->is_total_column[c];
    return has_totals && !query->totals_visible && vc_collect_leaves_out(&without_others);
}

/* What the section's own answer leaves out; notices of the whole stand at the end. */
static vc_status note_rows(vc_composing *in, const vc_query *query, const vc_result *result,
                           vc_section *out)
{
    vc_str *notes = VC_ARENA_NEW(in->arena, vc_str, 2);
    char shown[VC_NUMBER_TEXT] = {0}, all[VC_NUMBER_TEXT] = {0};
    if (notes == NULL) return vc_no_memory(in->error);
    out->notes = notes;
    if (result->is_truncated && (out->kind == VC_SECTION_CHART || !out->grid->is_cut)) {
        vc_format_count(shown, result->nrows_before + result->ndetail_rows);
        vc_format_count(all, result->total_cell_count);
        notes[out->nnotes] = vc_arena_printf(in->arena, "%s of %s rows are shown.", shown, all);
        if (vc_str_is_null(notes[out->nnotes++])) return vc_no_memory(in->error);
    }
    if (out->kind == VC_SECTION_PIVOT && has_larger_totals(query, out->grid))
        notes[out->nnotes++] = VC_STR("Totals are of all rows, shown or not.");
    return VC_OK;
}

/* ---- a section ---- */

/* The answer to the section's query, and its grid where it has one. */
static vc_status ask_section(vc_composing *in, const vc_spec_section *spec, vc_section *out,
                             const vc_result **result_out, vc_error *error)
{
    vc_query query;
    if (spec->query.body == NULL || spec->kind == VC_SECTION_FIGURES) return VC_OK;
    TRY(vc_compose_query(in->spec, spec, in->variables, spec->kind == VC_SECTION_PIVOT, in->arena,
                         &query, error));
    if (spec->kind != VC_SECTION_TEXT) {
        TRY(compose_grid(in, spec, &query, out, result_out, error));
        return note_rows(in, &query, *result_out, out);
    }
    return vc_compose_ask(in, spec->id, spec->query.pointer, &query, result_out, &out->query,
                          error);
}

static vc_status compose_section(vc_composing *in, const vc_spec_section *spec, vc_section *out,
                                 vc_error *error)
{
    const vc_result *result = NULL;
    TRY(ask_section(in, spec, out, &result, error));
    TRY(vc_compose_expand(in, &spec->title, result, &out->title, error));
    TRY(compose_paragraphs(in, spec, result, out, error));
    if (spec->kind == VC_SECTION_FIGURES) return compose_figures(in, spec, out, error);
    if (result == NULL) return VC_OK;
    TRY(vc_compose_assert(in, spec->assertions, spec->nassertions, result, spec->id, out->query));
    if (spec->kind == VC_SECTION_TEXT) return VC_OK;
    return spec->kind == VC_SECTION_CHART ? compose_chart(in, spec, result, out, error) : VC_OK;
}

vc_status vc_compose_one(vc_composing *in, const vc_spec_section *spec, vc_section *out)
{
    vc_error error = {0};
    char text[2048];
    *out = (vc_section){.kind = spec->kind, .id = spec->id};
    vc_status status = compose_section(in, spec, out, &error);
    if (status == VC_OK) return VC_OK;
    if (!vc_compose_is_local(status)) {
        if (in->error != NULL && error.status != VC_OK) *in->error = error;
        return status;
    }
    TRY(vc_compose_put_problem(in, VC_PROBLEM_SECTION, spec->id, &error, out->query));
    vc_error_format(&error, text, sizeof text);
    if (vc_str_is_null(out->title) &&
        vc_compose_expand(in, &spec->title, NULL, &out->title, NULL) != VC_OK)
        out->title = spec->title.text;
    *out = (vc_section){.kind = VC_SECTION_FAILED,
                        .id = spec->id,
                        .title = out->title,
                        .failure = vc_arena_str(in->arena, vc_str_of(text)),
                        .query = out->query};
    return vc_str_is_null(out->failure) ? vc_no_memory(in->error) : VC_OK;
}
