/* The query of a section: its own, and the totals that the layout wants. */
#include "base/list.h"
#include "report/ask.h"
#include "report/compose_parts.h"
#include "report/try.h"

typedef struct section_layout {
    vc_str *rows, *columns; /* dimensions, outermost first */
    size_t nrows, ncolumns;
} section_layout;

static bool is_among(vc_str name, const vc_str *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (vc_str_equal(names[i], name)) return true;
    return false;
}

/* Where the dimensions of the query go: as report/pivot.h says. Names that are none of them are for
 * vc_pivot to complain of. */
static vc_status lay_out(const vc_spec_section *section, const vc_query *query, vc_arena *arena,
                         section_layout *out, vc_error *error)
{
    out->rows = VC_ARENA_NEW(arena, vc_str, query->naxes + section->nrows + 1);
    out->columns = VC_ARENA_NEW(arena, vc_str, query->naxes + section->ncolumns + 1);
    if (out->rows == NULL || out->columns == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < section->nrows; i++)
        out->rows[out->nrows++] = section->rows[i];
    for (size_t i = 0; i < section->ncolumns; i++)
        out->columns[out->ncolumns++] = section->columns[i];
    for (size_t a = 0; a < query->naxes; a++) {
        vc_str name = query->axes[a].dimref.dimension;
        if (is_among(name, section->rows, section->nrows) ||
            is_among(name, section->columns, section->ncolumns))
            continue;
        bool goes_to_rows = section->nrows == 0 && (section->ncolumns > 0 || out->nrows == 0);
        if (goes_to_rows)
            out->rows[out->nrows++] = name;
        else
            out->columns[out->ncolumns++] = name;
    }
    return VC_OK;
}

/* Is there to be a total over the dimension? */
static bool has_total(const vc_spec_section *section, vc_str dimension, bool is_row)
{
    return is_among(dimension, section->totals, section->ntotals) ||
           (is_row ? section->has_row_totals : section->has_column_totals);
}

/* For each way of leaving out dimensions from the inside, in rows and in columns, as far as they
 * may be left out there. */
static vc_status add_totals(const vc_spec_section *section, const section_layout *layout,
                            bool of_rows, bool of_columns, vc_list *totals, vc_arena *arena,
                            vc_error *error)
{
    for (size_t r = of_rows ? 0 : layout->nrows; r <= layout->nrows; r++)
        for (size_t c = of_columns ? 0 : layout->ncolumns; c <= layout->ncolumns; c++) {
            if (r == layout->nrows && c == layout->ncolumns) continue;
            if (r < layout->nrows && !has_total(section, layout->rows[r], true)) continue;
            if (c < layout->ncolumns && !has_total(section, layout->columns[c], false)) continue;
            vc_total *total = VC_LIST_NEW(totals, arena, vc_total);
            vc_str *stay = VC_ARENA_NEW(arena, vc_str, r + c + 1);
            if (total == NULL || stay == NULL) return vc_no_memory(error);
            for (size_t i = 0; i < r; i++)
                stay[i] = layout->rows[i];
            for (size_t i = 0; i < c; i++)
                stay[r + i] = layout->columns[i];
            *total = (vc_total){.dimensions = stay,
                                .ndimensions = r + c,
                                .place = {.where = section->pointer, .is_pointer = true}};
        }
    return VC_OK;
}

vc_status vc_compose_query(const vc_spec *spec, const vc_spec_section *section,
                           const vc_variables *variables, bool has_totals, vc_arena *arena,
                           vc_query *query_out, vc_error *error)
{
    section_layout layout = {0};
    TRY(vc_report_query(spec, &section->query, variables, arena, query_out, error));
    query_out->format = (vc_str){0};
    query_out->at = (vc_str){0}; /* all of a run is of one snapshot */
    bool wants = section->has_row_totals || section->has_column_totals || section->ntotals > 0;
    if (!has_totals || !wants) return VC_OK;
    TRY(lay_out(section, query_out, arena, &layout, error));
    vc_list totals = {0};
    for (size_t i = 0; i < query_out->ntotals; i++) {
        vc_total *total = VC_LIST_NEW(&totals, arena, vc_total);
        if (total == NULL) return vc_no_memory(error);
        *total = query_out->totals[i];
    }
    TRY(add_totals(section, &layout, true, true, &totals, arena, error));
    query_out->totals = totals.items;
    query_out->ntotals = totals.count;
    return VC_OK;
}

/* ---- subtotals within a hierarchy ---- */

typedef struct level_variant { /* the first dimensions of a direction, the last of them higher up */
    size_t ndimensions;
    size_t level; /* SIZE_MAX: as asked */
} level_variant;

static const vc_result_axis *find_axis(const vc_result *result, vc_str dimension, size_t *at_out)
{
    for (*at_out = 0; *at_out < result->naxes; ++*at_out)
        if (vc_str_equal(result->axes[*at_out].dimension, dimension)) return &result->axes[*at_out];
    return NULL;
}

/* All as asked first, then each level above of each dimension that has totals. */
static vc_status list_variants(const vc_spec_section *section, const vc_str *names, size_t nnames,
                               bool is_row, const vc_result *result, vc_arena *arena,
                               vc_list *variants, vc_error *error)
{
    level_variant *all = VC_LIST_NEW(variants, arena, level_variant);
    if (all == NULL) return vc_no_memory(error);
    *all = (level_variant){.ndimensions = nnames, .level = SIZE_MAX};
    for (size_t i = 0; i < nnames; i++) {
        size_t at;
        const vc_result_axis *axis = find_axis(result, names[i], &at);
        if (axis == NULL || !has_total(section, names[i], is_row)) continue;
        for (size_t l = 0; l + 1 < axis->nlevels; l++) {
            level_variant *upper = VC_LIST_NEW(variants, arena, level_variant);
            if (upper == NULL) return vc_no_memory(error);
            *upper = (level_variant){.ndimensions = i + 1, .level = l};
        }
    }
    return VC_OK;
}

static void add_axes(const vc_query *query, const vc_result *result, const vc_str *names,
                     const level_variant *variant, vc_axis_ref *axes, size_t *naxes)
{
    for (size_t i = 0; i < variant->ndimensions; i++) {
        size_t at;
        const vc_result_axis *axis = find_axis(result, names[i], &at);
        if (axis == NULL) continue;
        axes[*naxes] = query->axes[at];
        if (variant->level != SIZE_MAX && i + 1 == variant->ndimensions)
            axes[*naxes].dimref.level = axis->levels[variant->level].name;
        ++*naxes;
    }
}

/* Totals are of all, whichever rows are shown. */
static void show_all(vc_query *query)
{
    query->orders = NULL;
    query->tops = NULL;
    query->havings = NULL;
    query->nonempty = NULL;
    query->properties = NULL;
    query->norders = query->ntops = query->nhavings = query->nnonempty = query->nproperties = 0;
    query->limit = UINT64_MAX;
    query->offset = 0;
}

static vc_status make_upper(const vc_spec_section *section, const vc_query *query,
                            const vc_result *result, const section_layout *layout,
                            const level_variant *rows, const level_variant *columns,
                            vc_arena *arena, vc_query *out, vc_error *error)
{
    vc_list totals = {0};
    section_layout part = *layout;
    vc_axis_ref *axes = VC_ARENA_NEW(arena, vc_axis_ref, query->naxes + 1);
    if (axes == NULL) return vc_no_memory(error);
    *out = *query;
    out->axes = axes;
    out->naxes = 0;
    add_axes(query, result, layout->rows, rows, axes, &out->naxes);
    add_axes(query, result, layout->columns, columns, axes, &out->naxes);
    part.nrows = rows->ndimensions;
    part.ncolumns = columns->ndimensions;
    TRY(add_totals(section, &part, rows->level == SIZE_MAX, columns->level == SIZE_MAX, &totals,
                   arena, error));
    out->totals = totals.items;
    out->ntotals = totals.count;
    show_all(out);
    return VC_OK;
}

vc_status vc_compose_total_query(const vc_query *query, const vc_total *total, vc_arena *arena,
                                 vc_query *out, vc_error *error)
{
    vc_axis_ref *axes = VC_ARENA_NEW(arena, vc_axis_ref, query->naxes + 1);
    if (axes == NULL) return vc_no_memory(error);
    *out = *query;
    out->axes = axes;
    out->naxes = 0;
    for (size_t a = 0; a < query->naxes; a++)
        if (is_among(query->axes[a].dimref.dimension, total->dimensions, total->ndimensions))
            axes[out->naxes++] = query->axes[a];
    show_all(out);
    out->totals = NULL;
    out->ntotals = 0;
    return VC_OK;
}

vc_status vc_compose_upper_queries(const vc_spec_section *section, const vc_query *query,
                                   const vc_result *result, vc_arena *arena,
                                   const vc_query **queries_out, size_t *nqueries_out,
                                   vc_error *error)
{
    section_layout layout = {0};
    vc_list rows = {0}, columns = {0};
    *nqueries_out = 0;
    /* Totals of what is visible are not those of another question: better none. */
    if (query->totals_visible && vc_collect_leaves_out(query)) return VC_OK;
    TRY(lay_out(section, query, arena, &layout, error));
    TRY(list_variants(section, layout.rows, layout.nrows, true, result, arena, &rows, error));
    TRY(list_variants(section, layout.columns, layout.ncolumns, false, result, arena, &columns,
                      error));
    vc_query *queries = VC_ARENA_NEW(arena, vc_query, rows.count * columns.count);
    size_t n = 0;
    if (queries == NULL) return vc_no_memory(error);
    for (size_t r = 0; r < rows.count; r++)
        for (size_t c = 0; c < columns.count; c++)
            if (r + c > 0)
                TRY(make_upper(
                    section, query, result, &layout, (const level_variant *)rows.items + r,
                    (const level_variant *)columns.items + c, arena, &queries[n++], error));
    *queries_out = queries;
    *nqueries_out = n;
    return VC_OK;
}
