/* A grid on pages: how wide its columns are, on which kind of page, in how many panels.
 *
 * A panel is a range of columns with all rows and their heads; a grid that is wider than a page has
 * several, one below the other. */
#ifndef REPORT_PDF_TABLE_H
#define REPORT_PDF_TABLE_H

#include "report/pdf_parts.h"

struct vc_pdf_table {
    const vc_grid *grid;
    float size; /* of its texts */
    bool is_landscape;
    bool has_reasons;   /* room for letters behind the numbers */
    float *heads;       /* [nhead_columns] widths */
    float *columns;     /* [ncolumns] widths */
    size_t *panel_ends; /* [npanels] the first column that is not in it */
    size_t npanels;
    float heads_width;
};

enum {
    VC_PDF_CELL_GAP = 4,
    VC_PDF_INDENT = 8,
    VC_PDF_MAX_HEAD_LINES = 10,
    VC_PDF_MAX_TAGGED_CELLS = 5000
};

static inline float vc_pdf_row_gap(const struct vc_pdf_table *table)
{
    return 0.55f * table->size; /* above and below the text, together */
}

/* Room behind a number for the letter of its reason. */
static inline float vc_pdf_reason_room(const struct vc_pdf_table *table)
{
    return table->has_reasons ? 0.75f * table->size : 0;
}

#endif
