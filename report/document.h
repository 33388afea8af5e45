/* The document: one report as its reader sees it, before it is HTML, PDF or a workbook.
 *
 *     spec + parameters --(report/compose.h)--> document --(html, pdf, xlsx, markdown, csv)--> file
 *
 * All writers show the same sections in the same order with the same numbers; what a format cannot
 * show (a chart in Markdown) it shows as the grid behind it. Nothing in a document depends on the
 * time of day or the machine, so the same data give the same bytes.
 * Lifetime: an arena, and the model whose texts it points into. Threads: read by any number.
 */
#ifndef REPORT_DOCUMENT_H
#define REPORT_DOCUMENT_H

#include "report/grid.h"

typedef enum vc_chart_kind {
    VC_CHART_LINE,    /* a line per column over the rows; gaps where a cell is null */
    VC_CHART_BAR,     /* a group of bars per row, a bar per column */
    VC_CHART_STACKED, /* a bar per row, a piece per column; negative ones downwards */
    VC_CHART_SCATTER, /* a point per row: its first column along x, its second along y; where there
                         is a third, the area of the point */
    VC_CHART_HEAT,    /* the grid, each cell a colour */
    VC_CHART_MAP,     /* the first column, countries in colours */
} vc_chart_kind;

typedef struct vc_chart {
    vc_chart_kind kind;
    const vc_grid *grid;     /* without total rows and columns */
    bool is_horizontal;      /* bars to the right */
    bool is_logarithmic;     /* the axis of values; values <= 0 are left out and said so */
    bool has_panels;         /* small multiples: a panel per head of the first row of heads */
    vc_str x_title, y_title; /* absent: from the grid */
    const vc_str
        *codes; /* [nrows of the grid] of a map: ISO 3166-1 alpha-3; absent: not a country */
    vc_str alternative; /* what one sees, in a sentence or two, for those who do not */
} vc_chart;

typedef struct vc_figure { /* one number, large */
    vc_str label;
    vc_str value;   /* formatted; "–" when null */
    vc_str unit;    /* absent: none */
    vc_str exact;   /* for programs: "1402617695"; absent: null */
    char reason;    /* vc_reason of the value */
    vc_str change;  /* "+1.2 %", absent: nothing to compare with */
    vc_str against; /* "than 2019" */
    int direction;  /* of the change: -1, 0, 1 */
    bool is_good;   /* of a change that is not 0: is it for the better? Where has_judgement */
    bool has_judgement;
} vc_figure;

typedef enum vc_section_kind {
    VC_SECTION_TEXT,    /* paragraphs */
    VC_SECTION_FIGURES, /* figures */
    VC_SECTION_PIVOT,   /* grid */
    VC_SECTION_CHART,   /* chart, over grid */
    VC_SECTION_FAILED,  /* failure: the query could not be answered */
} vc_section_kind;

typedef struct vc_section {
    vc_section_kind kind;
    vc_str id;    /* [a-z0-9_-]+, unique in the document: anchors, names of files and sheets */
    vc_str title; /* absent: none */
    const vc_str *paragraphs; /* plain text, below the title; of a section of text, all there is */
    size_t nparagraphs;
    const vc_figure *figures;
    size_t nfigures;
    const vc_grid *grid;   /* of pivots and charts */
    const vc_chart *chart; /* of charts */
    const vc_str *notes;   /* below it: what its reader must know (notices), a sentence each */
    size_t nnotes;
    vc_str failure; /* of a failed one: the sentence, with its place */
    vc_str query;   /* what was asked, canonical; absent: nothing was */
} vc_section;

typedef struct vc_document_coverage {
    vc_str source, dimension; /* alias of the source, dimension of the virtual cube */
    uint64_t keys, keys_matched;
    vc_str shares; /* "100.0% of cpop, 99.1% of ncities"; absent: none known */
} vc_document_coverage;

typedef struct vc_document_source {
    vc_str name, label;     /* of the cube */
    vc_str source, licence; /* as its definition states; absent: it does not */
} vc_document_source;

typedef struct vc_document {
    vc_str title, subtitle; /* subtitle may be absent */
    vc_str description;     /* absent: none */
    vc_str language;        /* BCP 47: "en" */
    const vc_section *sections;
    size_t nsections;
    const vc_document_coverage *coverage; /* of every join used */
    size_t ncoverage;
    const vc_str *notices; /* of all sections, each once, a sentence */
    size_t nnotices;
    const vc_document_source *sources;
    size_t nsources;
    vc_str snapshot;   /* id, for people who want the same numbers again */
    vc_str definition; /* hash of the definitions it was made with */
    vc_str generator;  /* "vcube 0.1.0" */
    bool has_notes;    /* show coverage, notices, sources, snapshot at the end */
} vc_document;

/* "r": "repeated value: do not add up", for the legend below a grid. NUL-terminated, a literal. */
const char *vc_document_reason(char reason);

/* The share of the keys that matched, for people: "99.7%", or an en dash where there are no keys.
 * What is not all is never 100.0%. */
void vc_document_put_share(const vc_document_coverage *coverage, vc_buffer *out);

#endif
