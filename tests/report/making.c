#include "making.h"

#include <math.h>

making make_grid(vc_arena *arena, const char *caption, making_size size)
{
    size_t nmeasures_of = size.measures_on_rows ? size.nrows : size.ncolumns;
    making made = {
        .arena = arena,
        .grid = VC_ARENA_NEW(arena, vc_grid, 1),
        .corners = VC_ARENA_NEW(arena, vc_str, size.nhead_columns),
        .corner_rows = VC_ARENA_NEW(arena, vc_str, size.nhead_rows),
        .row_heads = VC_ARENA_NEW(arena, vc_grid_head, size.nrows * size.nhead_columns),
        .column_heads = VC_ARENA_NEW(arena, vc_grid_head, size.nhead_rows * size.ncolumns),
        .total_rows = VC_ARENA_NEW(arena, bool, size.nrows),
        .total_columns = VC_ARENA_NEW(arena, bool, size.ncolumns),
        .cells = VC_ARENA_NEW(arena, vc_cell, size.nrows * size.ncolumns),
        .measures = VC_ARENA_NEW(arena, vc_grid_measure, MAKING_MEASURES),
        .measure_of = VC_ARENA_NEW(arena, uint32_t, nmeasures_of),
    };
    for (size_t i = 0; i < size.nrows * size.ncolumns; i++)
        made.cells[i] = vc_cell_null(VC_REASON_EMPTY);
    *made.grid = (vc_grid){
        .caption = vc_str_of(caption),
        .nrows = size.nrows,
        .ncolumns = size.ncolumns,
        .nhead_rows = size.nhead_rows,
        .nhead_columns = size.nhead_columns,
        .corners = made.corners,
        .corner_rows = made.corner_rows,
        .row_heads = made.row_heads,
        .column_heads = made.column_heads,
        .is_total_row = made.total_rows,
        .is_total_column = made.total_columns,
        .cells = made.cells,
        .measures = made.measures,
        .measure_of = made.measure_of,
        .measures_on_rows = size.measures_on_rows,
        .nrows_all = size.nrows,
    };
    return made;
}

uint32_t make_measure(making *made, const char *label, const char *unit, vc_value_type type,
                      unsigned scale, const char *pattern)
{
    vc_result_measure *measure = VC_ARENA_NEW(made->arena, vc_result_measure, 1);
    *measure = (vc_result_measure){
        .name = vc_arena_printf(made->arena, "m%zu", made->grid->nmeasures),
        .label = vc_str_of(label),
        .unit = vc_str_of(unit),
        .format = vc_str_of(pattern),
        .type = type,
        .scale = scale,
        .aggregator = VC_AGG_SUM,
    };
    vc_grid_measure *how = &made->measures[made->grid->nmeasures];
    *how = (vc_grid_measure){.measure = measure, .pattern = vc_str_of(pattern)};
    how->has_format = pattern != NULL && vc_number_format_parse(how->pattern, &how->format);
    return (uint32_t)made->grid->nmeasures++;
}

static vc_grid_head *set_head(vc_grid_head *head, const char *key, const char *text)
{
    *head = (vc_grid_head){.key = vc_str_of(key == NULL ? text : key), .text = vc_str_of(text)};
    return head;
}

vc_grid_head *make_row(making *made, size_t row, size_t column, const char *key, const char *text)
{
    return set_head(&made->row_heads[row * made->grid->nhead_columns + column], key, text);
}

vc_grid_head *make_column(making *made, size_t row, size_t column, const char *key,
                          const char *text)
{
    return set_head(&made->column_heads[row * made->grid->ncolumns + column], key, text);
}

void make_measure_column(making *made, size_t row, size_t column, uint32_t measure)
{
    const vc_result_measure *shown = made->measures[measure].measure;
    vc_str text = shown->label;
    if (!vc_str_is_null(shown->unit))
        text =
            vc_arena_printf(made->arena, "%.*s (%.*s)", VC_FMT(shown->label), VC_FMT(shown->unit));
    made->column_heads[row * made->grid->ncolumns + column] =
        (vc_grid_head){.key = shown->name, .text = text, .is_measure = true};
    made->measure_of[column] = measure;
}

void make_total_row(making *made, size_t row, size_t from)
{
    made->total_rows[row] = true;
    for (size_t c = from; c < made->grid->nhead_columns; c++)
        *make_row(made, row, c, NULL, "Total") =
            (vc_grid_head){.text = c == from ? VC_STR("Total") : VC_STR(""), .is_total = true};
}

void make_total_column(making *made, size_t column, size_t from)
{
    made->total_columns[column] = true;
    for (size_t r = from; r < made->grid->nhead_rows; r++)
        *make_column(made, r, column, NULL, "Total") =
            (vc_grid_head){.text = r == from ? VC_STR("Total") : VC_STR(""), .is_total = true};
}

static vc_cell *cell_at(making *made, size_t row, size_t column)
{
    return &made->cells[row * made->grid->ncolumns + column];
}

void make_value(making *made, size_t row, size_t column, double value)
{
    const vc_result_measure *measure = vc_grid_measure_at(made->grid, row, column)->measure;
    if (measure->type == VC_VALUE_FLOAT)
        *cell_at(made, row, column) = (vc_cell){.as.f = value};
    else
        make_integer(made, row, column, llround(value * pow(10, measure->scale)));
}

void make_integer(making *made, size_t row, size_t column, int64_t value)
{
    *cell_at(made, row, column) = (vc_cell){.as.i = value};
}

void make_null(making *made, size_t row, size_t column, char reason)
{
    *cell_at(made, row, column) = vc_cell_null((vc_reason)reason);
}

void make_mark(making *made, size_t row, size_t column, char reason)
{
    cell_at(made, row, column)->reason = reason;
}

/* Heads without a text are one with the head before them, `step` further up in the list. */
static void reckon_spans(vc_grid_head *heads, size_t count, size_t step)
{
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        if (!vc_str_is_null(heads[i * step].text)) first = i;
        heads[first * step].span++;
    }
}

const vc_grid *make_done(making *made)
{
    const vc_grid *grid = made->grid;
    for (size_t c = 0; c < grid->nhead_columns; c++)
        reckon_spans(made->row_heads + c, grid->nrows, grid->nhead_columns);
    for (size_t r = 0; r < grid->nhead_rows; r++)
        reckon_spans(made->column_heads + r * grid->ncolumns, grid->ncolumns, 1);
    return grid;
}

/* ---- documents ---- */

vc_document *make_document(vc_arena *arena, const char *title, const char *subtitle)
{
    vc_document *document = VC_ARENA_NEW(arena, vc_document, 1);
    *document = (vc_document){
        .title = vc_str_of(title),
        .subtitle = vc_str_of(subtitle),
        .language = VC_STR("en"),
        .sections = VC_ARENA_NEW(arena, vc_section, MAKING_SECTIONS),
        .snapshot = VC_STR("7"),
        .definition = VC_STR("5f0c9be1f2ab"),
        .generator = VC_STR("vcube 0.0.0"),
    };
    return document;
}

vc_section *make_section(vc_arena *arena, vc_document *document, vc_section_kind kind,
                         const char *id, const char *title)
{
    (void)arena;
    vc_section *section = (vc_section *)&document->sections[document->nsections++];
    *section = (vc_section){.kind = kind, .id = vc_str_of(id), .title = vc_str_of(title)};
    return section;
}

const vc_str *make_texts(vc_arena *arena, const char *const *texts, size_t count)
{
    vc_str *made = VC_ARENA_NEW(arena, vc_str, count);
    for (size_t i = 0; i < count; i++)
        made[i] = vc_str_of(texts[i]);
    return made;
}

vc_section *make_pivot(vc_arena *arena, vc_document *document, const char *id, const char *title,
                       const vc_grid *grid)
{
    vc_section *section = make_section(arena, document, VC_SECTION_PIVOT, id, title);
    section->grid = grid;
    section->query = VC_STR("cube=world&drilldown=geo&measures=pop");
    return section;
}

vc_chart *make_chart(vc_arena *arena, vc_document *document, const char *id, const char *title,
                     vc_chart_kind kind, const vc_grid *grid, const char *alternative)
{
    vc_section *section = make_section(arena, document, VC_SECTION_CHART, id, title);
    vc_chart *chart = VC_ARENA_NEW(arena, vc_chart, 1);
    *chart = (vc_chart){.kind = kind, .grid = grid, .alternative = vc_str_of(alternative)};
    section->grid = grid;
    section->chart = chart;
    section->query = VC_STR("cube=world&drilldown=geo&measures=pop");
    return chart;
}
