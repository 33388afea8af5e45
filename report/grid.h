/* A grid: the numbers of a section as its reader sees them, in rows and columns with heads.
 *
 *                    |        2010         |        2020          column heads, nhead_rows = 2
 *                    |   pop   |    gdp    |   pop   |    gdp
 *     ---------------+---------+-----------+---------+-----------
 *     Europe  France |   ...
 *             Spain  |                                            row heads, nhead_columns = 2
 *             Total  |
 *
 * Every section with a query has one: a pivot shows it, a chart draws it and is read out by it, a
 * CSV file is it. A cell is a number of a measure, or null with a reason (slice/result.h), never
 * text. It is built by report/pivot.h; writers only read it.
 * Lifetime: the arena of the document. Threads: read by any number.
 */
#ifndef REPORT_GRID_H
#define REPORT_GRID_H

#include "base/buffer.h"
#include "render/number_format.h"
#include "slice/result.h"

typedef struct vc_grid_head {
    vc_str key;  /* of the member; absent: a total, or a null key */
    vc_str text; /* its label; of a measure, its label and unit; of a total, "Total", of those below
                    it "" */
    uint32_t span;  /* rows (columns) that it stands for; 0: the one before it does */
    uint8_t indent; /* how deep in its hierarchy, where members of several levels are shown */
    bool is_total;  /* of all below the head before it */
    bool is_measure;
    bool is_marked; /* not a member of the dimension: calculated, unmatched, all others */
} vc_grid_head;

typedef enum vc_colouring_kind {
    VC_COLOURING_NONE,
    VC_COLOURING_SCALE,     /* light to dark from low to high */
    VC_COLOURING_DIVERGING, /* two hues from `middle` */
    VC_COLOURING_RULES,     /* the first rule that holds */
} vc_colouring_kind;

typedef struct vc_colour_rule {
    vc_operator op; /* of the six that compare */
    double value;
    uint32_t fill; /* 0xRRGGBB */
} vc_colour_rule;

typedef struct vc_colouring {
    vc_colouring_kind kind;
    double low, middle, high; /* low <= middle <= high, finite; of a scale */
    const vc_colour_rule *rules;
    size_t nrules;
} vc_colouring;

typedef struct vc_grid_measure {      /* how numbers are written and coloured */
    const vc_result_measure *measure; /* name, label, unit, type and scale */
    bool has_format;
    vc_number_format format; /* where has_format */
    vc_str pattern;          /* of which it is, as a spreadsheet wants it; absent: none */
    vc_colouring colouring;
} vc_grid_measure;

typedef struct vc_grid {
    vc_str caption; /* one sentence that names it: "Population by region and year" */
    size_t nrows, ncolumns;
    size_t nhead_rows, nhead_columns; /* nhead_columns may be 0: one row without a head */
    const vc_str *corners;            /* [nhead_columns] what the row heads are: "Country" */
    const vc_str *corner_rows;        /* [nhead_rows] what the column heads are: "Year"; absent
                                         for the row of measures */
    const vc_grid_head *row_heads;    /* [nrows * nhead_columns] */
    const vc_grid_head *column_heads; /* [nhead_rows * ncolumns] */
    const bool *is_total_row;         /* [nrows] */
    const bool *is_total_column;      /* [ncolumns] */
    const vc_cell *cells;             /* [nrows * ncolumns] */
    size_t nmeasures;
    const vc_grid_measure *measures;
    const uint32_t *measure_of; /* [ncolumns], with measures_on_rows [nrows]: into measures */
    bool measures_on_rows;
    const double *row_places; /* [nrows] of rows that are numbers or times: where on an axis (of a
                                 time, the year and its part); NULL: rows are names */
    bool is_cut;              /* there are more rows than a reader was to be shown: */
    uint64_t nrows_all;       /* so many */
} vc_grid;

static inline const vc_cell *vc_grid_cell(const vc_grid *grid, size_t row, size_t column)
{
    return &grid->cells[row * grid->ncolumns + column];
}

static inline const vc_grid_measure *vc_grid_measure_at(const vc_grid *grid, size_t row,
                                                        size_t column)
{
    return &grid->measures[grid->measure_of[grid->measures_on_rows ? row : column]];
}

/* A cell that is not null as a number for drawing. */
double vc_grid_number(const vc_grid *grid, size_t row, size_t column);

/* A cell for people: the number in its format, or an en dash. Its reason is not in the text. */
void vc_grid_put_text(const vc_grid *grid, size_t row, size_t column, vc_buffer *out);

/* A cell that is not null exactly, for programs: -1234.5, at most VC_NUMBER_TEXT bytes. */
void vc_grid_put_exact(const vc_grid *grid, size_t row, size_t column, vc_buffer *out);

/* A number as the measure writes it, for axes and legends. */
void vc_grid_put_tick(const vc_grid_measure *measure, double value, vc_buffer *out);

/* The letters of vc_reason that occur in the cells, each once, in the order of vc_reason, and a
 * NUL. O(cells). */
enum { VC_MAX_REASONS = 10 };
void vc_grid_reasons(const vc_grid *grid, char reasons_out[VC_MAX_REASONS]);

/* The colour for a value, 0xRRGGBB; VC_NO_COLOUR: none. */
#define VC_NO_COLOUR UINT32_MAX
uint32_t vc_colouring_of(const vc_colouring *colouring, double value);

/* The colour behind a cell: of a total by rules only. */
uint32_t vc_grid_colour(const vc_grid *grid, size_t row, size_t column);

#endif
