/* Documents and grids made by hand, for the fixtures.
 *
 * Out of memory is not looked at: the arena of a test has enough.
 */
#ifndef TESTS_REPORT_MAKING_H
#define TESTS_REPORT_MAKING_H

#include "base/arena.h"
#include "report/document.h"

enum { MAKING_MEASURES = 6, MAKING_SECTIONS = 16 };

/* A grid while it is made: its arrays, before they are const. */
typedef struct making {
    vc_arena *arena;
    vc_grid *grid;
    vc_str *corners, *corner_rows;
    vc_grid_head *row_heads, *column_heads;
    bool *total_rows, *total_columns;
    vc_cell *cells;
    vc_grid_measure *measures;
    uint32_t *measure_of;
} making;

typedef struct making_size {
    size_t nrows, ncolumns, nhead_columns, nhead_rows;
    bool measures_on_rows;
} making_size;

/* Everything is empty: heads are absent, cells null with reason `e`, of the first measure. */
making make_grid(vc_arena *arena, const char *caption, making_size size);

/* The next measure. `pattern` NULL: without a format. Its number. */
uint32_t make_measure(making *made, const char *label, const char *unit, vc_value_type type,
                      unsigned scale, const char *pattern);

/* A head; the key is the text where it is NULL. Heads that are never given are one with the head
 * before them (make_done reckons the spans). Returns it, for marks. */
vc_grid_head *make_row(making *made, size_t row, size_t column, const char *key, const char *text);
vc_grid_head *make_column(making *made, size_t row, size_t column, const char *key,
                          const char *text);

/* A column's head that is a measure: its label and unit. */
void make_measure_column(making *made, size_t row, size_t column, uint32_t measure);

/* A whole row or column of totals: "Total" at that head, and totals without a text below it. */
void make_total_row(making *made, size_t row, size_t from);
void make_total_column(making *made, size_t column, size_t from);

/* A number, as the measure there keeps it. Decimals are scaled and rounded. */
void make_value(making *made, size_t row, size_t column, double value);
void make_integer(making *made, size_t row, size_t column, int64_t value);
void make_null(making *made, size_t row, size_t column, char reason);
void make_mark(making *made, size_t row, size_t column, char reason);

const vc_grid *make_done(making *made);

/* ---- documents ---- */

/* In English, without notes, with room for MAKING_SECTIONS sections. */
vc_document *make_document(vc_arena *arena, const char *title, const char *subtitle);

/* The next section. title NULL: none. */
vc_section *make_section(vc_arena *arena, vc_document *document, vc_section_kind kind,
                         const char *id, const char *title);

/* Of `count` texts. */
const vc_str *make_texts(vc_arena *arena, const char *const *texts, size_t count);

vc_section *make_pivot(vc_arena *arena, vc_document *document, const char *id, const char *title,
                       const vc_grid *grid);
vc_chart *make_chart(vc_arena *arena, vc_document *document, const char *id, const char *title,
                     vc_chart_kind kind, const vc_grid *grid, const char *alternative);

#endif
