/* How a workbook comes about, for the files of this folder that are named xlsx_*.
 *
 * A first sheet, "Report", has what is read: texts, key figures, what there is, notes. Every
 * section with a grid has a sheet of its own, where its numbers are numbers.
 *
 * libxlsxwriter keeps cells in memory, more than a hundred bytes for each; beyond
 * VC_XLSX_MAX_CELLS_KEPT it is told to write each row as the next one begins. Then cells must come
 * in the order of rows, row heads are not merged, and charts have no cached values.
 *
 * Threads: one thread at a time for a workbook.
 */
#ifndef REPORT_XLSX_PARTS_H
#define REPORT_XLSX_PARTS_H

#include "base/arena.h"
#include "report/palette.h"
#include "report/writers.h"
#include "report/xlsx_library.h"

enum {
    VC_XLSX_MAX_CELLS_KEPT = 50000,
    VC_XLSX_MAX_COMMENTS = 200, /* of a sheet: they are heavy, and then only noise */
    VC_XLSX_MAX_ROWS = 1048576,
    VC_XLSX_MAX_COLUMNS = 16384,
    VC_XLSX_MAX_TEXT = 32767,
    VC_XLSX_SHEET_NAME = 31 * 4 + 1,
};

/* ---- formats (xlsx_formats.c) ---- */

typedef enum vc_xlsx_kind {
    VC_XLSX_CELL,      /* a number of a grid, as its measure writes it */
    VC_XLSX_HEAD,      /* a column head */
    VC_XLSX_HEAD_WIDE, /* of several columns */
    VC_XLSX_CORNER,
    VC_XLSX_ROW_HEAD,
    VC_XLSX_TITLE,
    VC_XLSX_SECTION,
    VC_XLSX_TEXT, /* wrapped */
    VC_XLSX_NOTE,
    VC_XLSX_WARNING,
    VC_XLSX_LABEL, /* bold, with a rule below: heads of lists on the first sheet */
    VC_XLSX_VALUE, /* bold, to the right */
    VC_XLSX_RIGHT,
    VC_XLSX_PLAIN,
    VC_XLSX_INDENTED,
    VC_XLSX_WRAPPED,
    VC_XLSX_LABEL_RIGHT,
    VC_XLSX_COUNT, /* #,##0 */
    VC_XLSX_PERCENT,
    VC_XLSX_LINK,
} vc_xlsx_kind;

/* Zero what does not matter: equal looks are one format. */
typedef struct vc_xlsx_look {
    vc_xlsx_kind kind;
    const vc_grid_measure *measure; /* of a cell; NULL: no number format */
    bool is_total, is_marked, is_text;
    bool has_letters; /* letters stand behind some numbers of its column */
    char letter;      /* behind this one */
    uint32_t fill;    /* plus 1; 0: none */
    uint8_t indent;
} vc_xlsx_look;

typedef struct vc_xlsx_format {
    vc_xlsx_look look;
    lxw_format *format;
} vc_xlsx_format;

/* Does a spreadsheet, which shows fifteen digits at most, show the number as it is? `exact` is that
 * of an integer or a decimal; format NULL: with all its digits. */
bool vc_xlsx_shows(vc_str exact, const vc_number_format *format);

/* ---- the workbook ---- */

typedef struct vc_xlsx_sheet {
    lxw_worksheet *sheet;
    char name[VC_XLSX_SHEET_NAME];
    const vc_section *section;
} vc_xlsx_sheet;

typedef struct vc_xlsx {
    const vc_document *document;
    lxw_workbook *book;
    lxw_worksheet *overview;
    vc_xlsx_sheet *sheets; /* [nsections]; sheet NULL: it has none */
    bool is_constant;      /* rows are written as they come */
    bool is_failed;        /* no memory */
    vc_arena arena;
    vc_buffer text;          /* of a cell */
    vc_xlsx_format *formats; /* open addressing */
    size_t nformats, formats_capacity;
} vc_xlsx;

/* Never NULL but when out of memory, which is remembered: libxlsxwriter takes NULL as none. */
lxw_format *vc_xlsx_format_of(vc_xlsx *xlsx, const vc_xlsx_look *look);
lxw_format *vc_xlsx_kind_of(vc_xlsx *xlsx, vc_xlsx_kind kind);

/* The number format of a measure as a spreadsheet writes it; `letter`: see vc_xlsx_look. */
void vc_xlsx_put_pattern(const vc_grid_measure *measure, bool has_letters, char letter,
                         vc_buffer *out);

/* ---- texts (xlsx_texts.c) ---- */

/* Ended with NUL, without what XML or a spreadsheet cannot have, at most VC_XLSX_MAX_TEXT
 * characters; lives in xlsx->text until the next. has_lines: ends of lines stay. */
const char *vc_xlsx_clean(vc_xlsx *xlsx, vc_str text, bool has_lines);

/* The same, that is never taken for a formula, for where libxlsxwriter takes "=A1" for one (names
 * in charts). Lives in the arena. */
char *vc_xlsx_name(vc_xlsx *xlsx, vc_str text);

/* A name for a sheet of the title: 1 to 31 characters, without []:*?/\ and ', unlike all names
 * before it whatever their case. */
void vc_xlsx_name_sheet(vc_xlsx *xlsx, const vc_section *section, size_t number,
                        char name_out[VC_XLSX_SHEET_NAME]);

/* A cell with a text; an empty one has the format only. */
void vc_xlsx_put(vc_xlsx *xlsx, lxw_worksheet *sheet, size_t row, size_t column, vc_str text,
                 lxw_format *format);

/* ---- sheets ---- */

/* The first one (xlsx_overview.c). */
void vc_xlsx_put_overview(vc_xlsx *xlsx);

/* Where things are on a section's sheet. */
typedef struct vc_xlsx_place {
    size_t first_row;       /* of numbers */
    size_t first_column;    /* of numbers: so many row heads */
    size_t nrows, ncolumns; /* that fit on a sheet */
    size_t head_row;        /* of the first row of column heads */
    size_t end_row;         /* below everything */
    double width;           /* of the table, pixels */
    double *widths;         /* [first_column + ncolumns] in characters */
} vc_xlsx_place;

/* The grid that a section's sheet shows; NULL: it has no sheet. */
static inline const vc_grid *vc_xlsx_grid_of(const vc_section *section)
{
    if (section->kind == VC_SECTION_CHART) return section->chart->grid;
    return section->kind == VC_SECTION_PIVOT ? section->grid : NULL;
}

/* A section with a grid (xlsx_sheet.c). */
void vc_xlsx_put_sheet(vc_xlsx *xlsx, vc_xlsx_sheet *sheet);

/* Widths of its columns (xlsx_widths.c). False: no memory. */
bool vc_xlsx_set_widths(vc_xlsx *xlsx, vc_xlsx_sheet *sheet, vc_xlsx_place *place);

/* Lines that a text takes in a column of so many characters; not all programs make rows higher by
 * themselves. */
double vc_xlsx_lines(vc_str text, double width);
void vc_xlsx_set_height(lxw_worksheet *sheet, size_t row, double nlines);

/* Its charts beside the table, or below it where that is wide (xlsx_chart.c). */
void vc_xlsx_put_chart(vc_xlsx *xlsx, vc_xlsx_sheet *sheet, vc_xlsx_place *place);

/* Rows that the chart beside a table takes; 0: there is none beside it. */
size_t vc_xlsx_chart_rows(const vc_section *section, const vc_xlsx_place *place);

/* What a chart of this kind has no equal for in a spreadsheet, in a sentence; NULL: nothing. */
const char *vc_xlsx_chart_note(const vc_chart *chart);

/* The least and the greatest number of a chart that is drawn as coloured cells. False: it is of
 * another kind, or empty. */
bool vc_xlsx_chart_range(const vc_chart *chart, double *low_out, double *high_out);

/* ---- the file (xlsx_check.c) ---- */

/* libxlsxwriter does not see when the disk was full while it wrote the parts of a workbook: is
 * every part of the file whole? VC_DISK_FULL, VC_STORAGE, VC_NO_MEMORY. Reads and inflates it. */
vc_status vc_xlsx_check(const char *path, vc_error *error);

#endif
