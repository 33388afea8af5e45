#include "render/explain.h"

#include "query/canonical.h"
#include "render/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON ---- */

static void put_bool(vc_buffer *buffer, const char *name, bool value)
{
    vc_put_field_name(buffer, name);
    vc_buffer_put_text(buffer, value ? "true" : "false");
}

/* Without bound is null. */
static void put_bounded(vc_buffer *buffer, const char *name, uint64_t count)
{
    vc_put_field_name(buffer, name);
    if (count == UINT64_MAX)
        vc_buffer_put_text(buffer, "null");
    else
        vc_buffer_printf(buffer, "%llu", (unsigned long long)count);
}

static void put_word(vc_buffer *buffer, const char *name, const char *word)
{
    if (word != NULL) vc_put_field_text(buffer, name, vc_str_of(word));
}

static void put_measure(vc_buffer *buffer, const vc_explain_measure *measure)
{
    vc_buffer_put_char(buffer, '{');
    vc_put_field_text(buffer, "name", measure->name);
    vc_put_field_text(buffer, "source", measure->source);
    vc_put_field_text(buffer, "aggregator", measure->aggregator);
    vc_put_field_text(buffer, "expr", measure->expr);
    put_word(buffer, "policy", measure->policy);
    vc_buffer_put_char(buffer, '}');
}

/* "cut+join" as ["cut","join"]. */
static void put_whys(vc_buffer *buffer, const char *why)
{
    vc_str rest = vc_str_of(why);
    vc_put_field_name(buffer, "why");
    for (char bracket = '['; !vc_str_is_null(rest); bracket = ',') {
        vc_buffer_put_char(buffer, bracket);
        vc_buffer_put_json(buffer, vc_str_split(&rest, '+'));
    }
    vc_buffer_put_text(buffer, why == NULL ? "[]" : "]");
}

static void put_step(vc_buffer *buffer, const vc_explain_step *step)
{
    vc_buffer_put_char(buffer, '{');
    vc_put_field_text(buffer, "dim", step->dimension);
    vc_put_field_text(buffer, "source_dim", step->source_dimension);
    put_whys(buffer, step->why);
    put_word(buffer, "how", step->how);
    put_bool(buffer, "mapped", step->is_mapped);
    vc_put_field_text(buffer, "through", step->through);
    if (step->ncollisions > 0) vc_put_field_count(buffer, "collisions", step->ncollisions);
    vc_put_field_text(buffer, "level", step->level);
    vc_put_field_count(buffer, "leaves", step->nleaves);
    vc_put_field_count(buffer, "leaves_passing", step->npassing);
    vc_put_field_count(buffer, "groups", step->ngroups);
    vc_buffer_put_char(buffer, '}');
}

static void put_reading(vc_buffer *buffer, const vc_explain_scan *scan)
{
    vc_put_field_count(buffer, "segments", scan->nsegments);
    vc_put_field_count(buffer, "segments_skipped", scan->nsegments_skipped);
    vc_put_field_count(buffer, "blocks", scan->nblocks);
    vc_put_field_count(buffer, "blocks_skipped", scan->nblocks_skipped);
    vc_put_field_count(buffer, "rows", scan->nrows);
    vc_put_field_count(buffer, "rows_scanned", scan->nrows_scanned);
    if (scan->is_executed) vc_put_field_count(buffer, "rows_kept", scan->nrows_kept);
    vc_put_field_count(buffer, "bytes", scan->nbytes);
    put_word(buffer, "kernel", scan->kernel);
    vc_put_field_count(buffer, "threads", scan->nthreads);
}

static void put_scan(vc_buffer *buffer, const vc_explain_scan *scan)
{
    vc_buffer_put_char(buffer, '{');
    vc_put_field_text(buffer, "source", scan->source);
    vc_put_field_text(buffer, "grouping", scan->rows);
    put_bool(buffer, "derived", scan->is_derived);
    put_bool(buffer, "executed", scan->is_executed);
    vc_put_field_name(buffer, "measures");
    vc_buffer_put_char(buffer, '[');
    for (size_t i = 0; i < scan->nmeasures; i++) {
        if (i > 0) vc_buffer_put_char(buffer, ',');
        vc_buffer_put_json(buffer, scan->measures[i]);
    }
    vc_buffer_put_char(buffer, ']');
    vc_put_field_name(buffer, "steps");
    vc_buffer_put_char(buffer, '[');
    for (size_t i = 0; i < scan->nsteps; i++) {
        if (i > 0) vc_buffer_put_char(buffer, ',');
        put_step(buffer, &scan->steps[i]);
    }
    vc_buffer_put_char(buffer, ']');
    if (!scan->is_derived) put_reading(buffer, scan);
    put_bounded(buffer, "cells", scan->ncells);
    if (scan->is_executed) vc_put_field_count(buffer, "cells_found", scan->ncells_found);
    put_word(buffer, "kept", scan->cells);
    put_bounded(buffer, "memory_bytes", scan->memory_bytes);
    if (scan->is_executed) vc_put_field_count(buffer, "ns", scan->ns);
    vc_buffer_put_char(buffer, '}');
}

static void put_times(vc_buffer *buffer, const vc_explain *explain)
{
    vc_put_field_name(buffer, "ns");
    vc_buffer_put_char(buffer, '{');
    vc_put_field_count(buffer, "plan", explain->ns.plan);
    vc_put_field_count(buffer, "scan", explain->ns.scan);
    vc_put_field_count(buffer, "stitch", explain->ns.stitch);
    vc_put_field_count(buffer, "shape", explain->ns.shape);
    vc_put_field_count(buffer, "total", explain->ns.total);
    vc_buffer_put_char(buffer, '}');
}

void vc_explain_put_json(vc_buffer *buffer, const vc_explain *explain)
{
    vc_buffer_put_char(buffer, '{');
    put_bool(buffer, "executed", explain->is_executed);
    put_bounded(buffer, "memory_bytes", explain->memory_bytes);
    put_bounded(buffer, "max_memory_bytes", explain->max_memory_bytes);
    if (explain->is_executed) put_times(buffer, explain);
    vc_put_field_name(buffer, "measures");
    vc_buffer_put_char(buffer, '[');
    for (size_t i = 0; i < explain->nmeasures; i++) {
        if (i > 0) vc_buffer_put_char(buffer, ',');
        put_measure(buffer, &explain->measures[i]);
    }
    vc_buffer_put_char(buffer, ']');
    vc_put_field_name(buffer, "scans");
    vc_buffer_put_char(buffer, '[');
    for (size_t i = 0; i < explain->nscans; i++) {
        if (i > 0) vc_buffer_put_char(buffer, ',');
        put_scan(buffer, &explain->scans[i]);
    }
    vc_buffer_put_text(buffer, "]}");
}

void vc_explain_put_document(vc_buffer *buffer, const vc_explain_head *head,
                             const vc_explain *explain)
{
    vc_buffer_put_char(buffer, '{');
    vc_put_field_text(buffer, "cube", head->cube);
    vc_put_field_text(buffer, "snapshot", head->snapshot);
    vc_put_field_text(buffer, "definition", head->definition);
    vc_put_field_text(buffer, "question", head->question);
    vc_put_field_name(buffer, "explain");
    vc_explain_put_json(buffer, explain);
    vc_buffer_put_text(buffer, "}\n");
}

/* ---- numbers for people ---- */

static void put_count(vc_buffer *buffer, uint64_t count)
{
    char text[VC_NUMBER_TEXT];
    vc_buffer_put(buffer, text, vc_format_count(text, count));
}

static void put_counted(vc_buffer *buffer, uint64_t count, const char *noun)
{
    put_count(buffer, count);
    vc_buffer_printf(buffer, " %s%s", noun, count == 1 ? "" : "s");
}

static void put_bytes(vc_buffer *buffer, uint64_t bytes)
{
    char text[VC_NUMBER_TEXT];
    vc_buffer_put(buffer, text, vc_format_bytes(text, bytes));
}

static void put_ms(vc_buffer *buffer, uint64_t ns)
{
    vc_buffer_printf(buffer, ns < 10000000 ? "%.2f ms" : "%.1f ms", (double)ns / 1e6);
}

/* ---- tables ---- */

enum { MAX_COLUMNS = 7, GAP = 2 };

/* Cells are put one after the other, row by row; the first row is the header. The texts stand in
 * one buffer, so that nothing is allocated per cell. */
struct grid {
    size_t ncolumns, ncells, capacity;
    size_t *ends; /* [ncells] in `texts` */
    vc_buffer texts;
    bool is_right[MAX_COLUMNS];
};

static void end_cell(struct grid *grid)
{
    if (grid->ncells == grid->capacity) {
        size_t capacity = grid->capacity == 0 ? 64 : grid->capacity * 2;
        size_t *ends = realloc(grid->ends, capacity * sizeof *ends);
        if (ends == NULL) {
            grid->texts.failed = true;
            return;
        }
        grid->ends = ends;
        grid->capacity = capacity;
    }
    grid->ends[grid->ncells++] = grid->texts.size;
}

static void put_cell(struct grid *grid, vc_str text)
{
    vc_put_safe(&grid->texts, text);
    end_cell(grid);
}

static void put_head(struct grid *grid, const char *const *names, size_t nnames)
{
    grid->ncolumns = nnames;
    for (size_t i = 0; i < nnames; i++)
        put_cell(grid, vc_str_of(names[i]));
}

static vc_str cell_text(const struct grid *grid, size_t cell)
{
    size_t first = cell == 0 ? 0 : grid->ends[cell - 1];
    return (vc_str){.data = grid->texts.data + first, .size = grid->ends[cell] - first};
}

static void put_blanks(vc_buffer *buffer, size_t count)
{
    vc_buffer_printf(buffer, "%*s", (int)count, "");
}

/* No line ends in blanks: they are owed, and paid before the next text. */
static void put_line(vc_buffer *buffer, const struct grid *grid, size_t row, const size_t *widths,
                     size_t indent)
{
    size_t owed = indent;
    for (size_t c = 0; c < grid->ncolumns; c++) {
        vc_str text = cell_text(grid, row * grid->ncolumns + c);
        size_t padding = widths[c] - vc_utf8_columns(text);
        if (grid->is_right[c]) owed += padding;
        if (text.size > 0) {
            put_blanks(buffer, owed);
            vc_buffer_put_str(buffer, text);
            owed = 0;
        }
        owed += GAP + (grid->is_right[c] ? 0 : padding);
    }
}

/* Write the grid and release it. */
static void put_grid(vc_buffer *buffer, struct grid *grid, size_t indent, bool is_coloured)
{
    size_t widths[MAX_COLUMNS] = {0};
    buffer->failed |= grid->texts.failed;
    size_t nrows = buffer->failed ? 0 : grid->ncells / grid->ncolumns;
    for (size_t cell = 0; cell < nrows * grid->ncolumns; cell++) {
        size_t width = vc_utf8_columns(cell_text(grid, cell));
        if (width > widths[cell % grid->ncolumns]) widths[cell % grid->ncolumns] = width;
    }
    for (size_t row = 0; row < nrows; row++) {
        bool is_bold = row == 0 && is_coloured;
        if (is_bold) vc_buffer_put_text(buffer, "\x1b[1m");
        put_line(buffer, grid, row, widths, indent);
        vc_buffer_put_text(buffer, is_bold ? "\x1b[0m\n" : "\n");
    }
    vc_buffer_release(&grid->texts);
    free(grid->ends);
}

/* ---- text ---- */

struct writing {
    vc_buffer *buffer;
    const vc_explain *explain;
    bool is_coloured;
};

enum { LABEL_COLUMNS = 11, INDENT = 3 };

static void put_label(const struct writing *w, const char *label, size_t indent)
{
    if (w->is_coloured) vc_buffer_put_text(w->buffer, "\x1b[2m");
    vc_buffer_printf(w->buffer, "%*s%-*s", (int)indent, "", LABEL_COLUMNS, label);
    if (w->is_coloured) vc_buffer_put_text(w->buffer, "\x1b[0m");
}

static void put_head_line(const struct writing *w, const char *label, vc_str text, vc_str more)
{
    if (vc_str_is_null(text)) return;
    put_label(w, label, 0);
    vc_put_safe(w->buffer, text);
    if (!vc_str_is_null(more)) {
        vc_buffer_put_text(w->buffer, ", snapshot ");
        vc_put_safe(w->buffer, more);
    }
    vc_buffer_put_char(w->buffer, '\n');
}

static const char *policy_text(const char *policy)
{
    if (policy == NULL) return "";
    return strcmp(policy, "repeat") == 0 ? "repeated" : policy;
}

static void put_measures(const struct writing *w)
{
    static const char *const names[] = {"measure", "source", "is", "on dimensions it lacks"};
    struct grid grid = {0};
    if (w->explain->nmeasures == 0) return;
    put_head(&grid, names, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < w->explain->nmeasures; i++) {
        const vc_explain_measure *measure = &w->explain->measures[i];
        put_cell(&grid, measure->name);
        put_cell(&grid, measure->source);
        put_cell(&grid, vc_str_is_null(measure->expr) ? measure->aggregator : measure->expr);
        put_cell(&grid, vc_str_of(policy_text(measure->policy)));
    }
    vc_buffer_put_char(w->buffer, '\n');
    put_grid(w->buffer, &grid, 0, w->is_coloured);
}

/* "cut+join" reads "cut, join". */
static void put_why(struct grid *grid, const char *why)
{
    for (; why != NULL && *why != '\0'; why++) {
        vc_buffer_put_char(&grid->texts, *why == '+' ? ',' : *why);
        if (*why == '+') vc_buffer_put_char(&grid->texts, ' ');
    }
    end_cell(grid);
}

static void put_groups(struct grid *grid, const vc_explain_step *step)
{
    if (vc_str_is_null(step->level)) {
        vc_buffer_put_char(&grid->texts, '-');
    } else {
        put_count(&grid->texts, step->ngroups);
        vc_buffer_put_text(&grid->texts, " by ");
        vc_put_safe(&grid->texts, step->level);
    }
    end_cell(grid);
}

static void put_through(struct grid *grid, const vc_explain_step *step)
{
    vc_put_safe(&grid->texts, step->through);
    if (step->ncollisions > 0) {
        vc_buffer_put_text(&grid->texts, ", ");
        put_count(&grid->texts, step->ncollisions);
        vc_buffer_put_text(&grid->texts, step->ncollisions == 1 ? " key" : " keys");
        vc_buffer_put_text(&grid->texts, " equal only by normalisation");
    }
    end_cell(grid);
}

static void put_steps(const struct writing *w, const vc_explain_scan *scan)
{
    static const char *const names[] = {"dimension", "reads",  "for",    "leaves that pass",
                                        "how",       "groups", "through"};
    struct grid grid = {.is_right = {[3] = true}};
    if (scan->nsteps == 0) return;
    put_head(&grid, names, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < scan->nsteps; i++) {
        const vc_explain_step *step = &scan->steps[i];
        put_cell(&grid, step->dimension);
        put_cell(&grid, step->source_dimension);
        put_why(&grid, step->why);
        put_count(&grid.texts, step->npassing);
        vc_buffer_put_text(&grid.texts, " of ");
        put_count(&grid.texts, step->nleaves);
        end_cell(&grid);
        put_cell(&grid, vc_str_of(step->how));
        put_groups(&grid, step);
        put_through(&grid, step);
    }
    put_grid(w->buffer, &grid, INDENT, w->is_coloured);
}

static void put_skipped(const struct writing *w, const char *label, uint64_t count,
                        uint64_t nskipped)
{
    put_label(w, label, INDENT);
    put_count(w->buffer, count);
    if (nskipped > 0) {
        vc_buffer_put_text(w->buffer, ", ");
        put_count(w->buffer, nskipped);
        vc_buffer_put_text(w->buffer, " skipped by zone map");
    }
    vc_buffer_put_char(w->buffer, '\n');
}

static void put_rows(const struct writing *w, const vc_explain_scan *scan)
{
    put_label(w, "rows", INDENT);
    vc_buffer_put_text(w->buffer, scan->is_executed ? "" : "at most ");
    put_count(w->buffer, scan->nrows_scanned);
    vc_buffer_put_text(w->buffer, " of ");
    put_count(w->buffer, scan->nrows);
    vc_buffer_put_text(w->buffer, " scanned");
    if (scan->is_executed) {
        vc_buffer_put_text(w->buffer, ", ");
        put_count(w->buffer, scan->nrows_kept);
        vc_buffer_put_text(w->buffer, " kept");
    }
    vc_buffer_put_char(w->buffer, '\n');
}

static void put_cells(const struct writing *w, const vc_explain_scan *scan)
{
    put_label(w, "cells", INDENT);
    if (scan->is_executed) {
        put_count(w->buffer, scan->ncells_found);
        vc_buffer_put_text(w->buffer, " with facts, of ");
    } else {
        vc_buffer_put_text(w->buffer, "at most ");
    }
    if (scan->ncells == UINT64_MAX)
        vc_buffer_put_text(w->buffer, "more than 1.8e19");
    else
        put_count(w->buffer, scan->ncells);
    if (scan->cells != NULL) vc_buffer_printf(w->buffer, "; kept %s", scan->cells);
    vc_buffer_put_text(w->buffer, ", up to ");
    put_bytes(w->buffer, scan->memory_bytes);
    vc_buffer_put_char(w->buffer, '\n');
}

static void put_run(const struct writing *w, const vc_explain_scan *scan)
{
    if (scan->kernel != NULL) {
        put_label(w, "kernel", INDENT);
        vc_buffer_printf(w->buffer, "%s, ", scan->kernel);
        put_counted(w->buffer, scan->nthreads, "thread");
        vc_buffer_put_char(w->buffer, '\n');
    }
    if (!scan->is_executed) return;
    put_label(w, "time", INDENT);
    put_ms(w->buffer, scan->ns);
    vc_buffer_put_char(w->buffer, '\n');
}

static void put_title(const struct writing *w, size_t number)
{
    const vc_explain_scan *scan = &w->explain->scans[number];
    vc_buffer_printf(w->buffer, "\n%s%zu. ", w->is_coloured ? "\x1b[1m" : "", number + 1);
    vc_put_safe(w->buffer, scan->source);
    vc_buffer_put_text(w->buffer, ", ");
    vc_put_safe(w->buffer, scan->rows);
    vc_buffer_put_text(w->buffer, w->is_coloured ? "\x1b[0m" : "");
    for (size_t i = 0; i < scan->nmeasures; i++) {
        vc_buffer_put_text(w->buffer, i == 0 ? ": " : ", ");
        vc_put_safe(w->buffer, scan->measures[i]);
    }
    if (scan->is_derived) vc_buffer_put_text(w->buffer, ", added up from the rows");
    vc_buffer_put_char(w->buffer, '\n');
}

static void put_scan_text(const struct writing *w, size_t number)
{
    const vc_explain_scan *scan = &w->explain->scans[number];
    put_title(w, number);
    if (scan->is_derived) return;
    put_steps(w, scan);
    put_skipped(w, "segments", scan->nsegments, scan->nsegments_skipped);
    put_skipped(w, "blocks", scan->nblocks, scan->nblocks_skipped);
    put_rows(w, scan);
    put_label(w, "bytes", INDENT);
    vc_buffer_put_text(w->buffer, scan->is_executed ? "" : "at most ");
    put_bytes(w->buffer, scan->nbytes);
    vc_buffer_put_char(w->buffer, '\n');
    put_cells(w, scan);
    put_run(w, scan);
}

static void put_times_text(const struct writing *w)
{
    const struct {
        const char *name;
        uint64_t ns;
    } phases[] = {{"plan", w->explain->ns.plan},
                  {"scan", w->explain->ns.scan},
                  {"stitch", w->explain->ns.stitch},
                  {"shape", w->explain->ns.shape}};
    put_label(w, "time", 0);
    put_ms(w->buffer, w->explain->ns.total);
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        vc_buffer_put_text(w->buffer, i == 0 ? ": " : ", ");
        vc_buffer_printf(w->buffer, "%s ", phases[i].name);
        put_ms(w->buffer, phases[i].ns);
    }
    vc_buffer_put_char(w->buffer, '\n');
}

void vc_explain_put_text(vc_buffer *buffer, const vc_explain_head *head, const vc_explain *explain,
                         bool is_coloured)
{
    struct writing w = {.buffer = buffer, .explain = explain, .is_coloured = is_coloured};
    if (head != NULL) {
        put_head_line(&w, "cube", head->cube, head->snapshot);
        put_head_line(&w, "question", head->question, (vc_str){0});
    }
    put_label(&w, "executed", 0);
    vc_buffer_put_text(buffer, explain->is_executed ? "yes\n" : "no: rows and bytes are bounds\n");
    put_label(&w, "memory", 0);
    vc_buffer_put_text(buffer, "up to ");
    put_bytes(buffer, explain->memory_bytes);
    vc_buffer_put_text(buffer, ", limit ");
    put_bytes(buffer, explain->max_memory_bytes);
    vc_buffer_put_text(buffer, explain->memory_bytes > explain->max_memory_bytes
                                   ? ": the query is refused\n"
                                   : "\n");
    if (explain->is_executed) put_times_text(&w);
    put_measures(&w);
    for (size_t i = 0; i < explain->nscans; i++)
        put_scan_text(&w, i);
}

/* ---- around it ---- */

vc_status vc_explain_head_make(vc_model *model, const vc_query *query, vc_arena *arena,
                               vc_explain_head *head_out, vc_error *error)
{
    const vc_cube *cube;
    vc_query question = *query;
    vc_status status = vc_model_cube(model, query->cube, &cube, error);
    if (status != VC_OK) return status;
    question.wants_explain = question.has_bom = false;
    question.format = question.header = (vc_str){0};
    *head_out = (vc_explain_head){.cube = cube->name,
                                  .snapshot = vc_str_of(vc_snapshot_id(vc_model_snapshot(model))),
                                  .definition = cube->definition_hash,
                                  .question = vc_query_canonical(&question, arena)};
    return vc_str_is_null(head_out->question) ? vc_no_memory(error) : VC_OK;
}

vc_status vc_explain_check_format(const vc_query *query, vc_render_format format, vc_error *error)
{
    if (!query->wants_explain || format != VC_FORMAT_CSV) return VC_OK;
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                   "csv has no place for an explanation; ask for another format, or explain apart");
}
