/* The specification of a report: what an analyst writes (docs/reports.md, docs/report.schema.json).
 *
 *     {"kind": "report", "name": "profile", "title": "{{country}}", "cube": "world",
 *      "parameters": {"year": 2020},
 *      "for_each": [{"as": "country", "members": "geo:country", "cut": "date:{{year}}"}],
 *      "file": "{{country.key}}", "formats": ["html", "pdf"],
 *      "sections": [{"kind": "pivot", "query": {...}, "rows": ["geo"], "columns": ["date"]}, ...],
 *      "assert": ["total(pop) > 7e9"], "min_coverage": 0.9}
 *
 * It is read once; every document of a sweep is composed from it (report/compose.h). Queries stay
 * as they were written until the values of a document are put into them.
 * Lifetime: the arena and the JSON it was read from. Threads: read by any number.
 */
#ifndef REPORT_SPEC_H
#define REPORT_SPEC_H

#include "base/json.h"
#include "report/document.h"

typedef enum vc_report_format {
    VC_REPORT_HTML,
    VC_REPORT_PDF,
    VC_REPORT_XLSX,
    VC_REPORT_MARKDOWN,
    VC_REPORT_CSV,      /* a file for each section with a grid */
    VC_REPORT_JSONSTAT, /* likewise */
    VC_REPORT_FORMATS
} vc_report_format;

const char *vc_report_format_name(vc_report_format format);      /* "html", ..., "jsonstat" */
const char *vc_report_format_extension(vc_report_format format); /* "html", "json" */
bool vc_report_format_find(vc_str name, vc_report_format *format_out);

typedef struct vc_spec_query { /* as written; nothing is put in yet */
    const json_t *body;        /* an object, or a string in the grammar of a URL; NULL: none */
    const char *pointer;       /* where it stands */
} vc_spec_query;

typedef struct vc_spec_text { /* may hold {{...}} */
    vc_str text;              /* absent: none */
    const char *pointer;
} vc_spec_text;

typedef struct vc_spec_measure { /* how the numbers of a measure are shown in a section */
    vc_str name;
    vc_str label;   /* absent: the cube's */
    vc_str pattern; /* likewise */
    bool has_colouring;
    vc_colouring colouring;
    bool has_low, has_middle, has_high; /* else from the values of the grid */
} vc_spec_measure;

typedef struct vc_spec_figure {
    vc_spec_text label;
    vc_spec_query query; /* none: the section's */
    vc_str measure;
    vc_str pattern, unit;  /* absent: the measure's */
    vc_spec_query against; /* none: nothing to compare with */
    vc_spec_text against_label;
    int good; /* 1: more is better, -1: less is, 0: neither */
} vc_spec_figure;

typedef struct vc_spec_section {
    vc_section_kind kind;
    vc_str id; /* as stated, or made of the title or the number; unique */
    vc_spec_text title;
    const vc_spec_text *paragraphs;
    size_t nparagraphs;
    vc_spec_query query;
    const vc_str *rows; /* dimensions, or "measures" */
    size_t nrows;
    const vc_str *columns;
    size_t ncolumns;
    bool has_axes;                          /* rows or columns are stated */
    bool has_row_totals, has_column_totals; /* over every dimension of the rows (columns) */
    const vc_str *totals;                   /* or over these dimensions only */
    size_t ntotals;
    bool stacks_measures; /* "measures" stands among the rows */
    const vc_spec_measure *measures;
    size_t nmeasures;
    const vc_spec_figure *figures;
    size_t nfigures;
    vc_chart chart; /* kind and switches */
    vc_str panels;  /* dimension; absent: no panels */
    vc_spec_text x_title, y_title, alternative;
    const vc_spec_text *assertions;
    size_t nassertions;
    const char *pointer; /* "/sections/3" */
} vc_spec_section;

typedef struct vc_spec_value { /* of a parameter or a list */
    vc_str key, label;
} vc_spec_value;

typedef struct vc_spec_parameter {
    vc_str name, label;
    vc_spec_value fallback;      /* key absent: it has to be given */
    const vc_spec_value *values; /* allowed; none: any */
    size_t nvalues;
    const char *pointer;
} vc_spec_parameter;

typedef struct vc_spec_sweep { /* one level of for_each */
    vc_str as;                 /* the variable's name */
    vc_str members;            /* drilldown of one dimension; absent: a list of values */
    vc_spec_query query;       /* whose members they are: cut, having, order, limit, ...; none: all
                                  that have a value */
    const vc_spec_value *values;
    size_t nvalues;
    const char *pointer;
} vc_spec_sweep;

typedef struct vc_spec {
    vc_str name; /* [a-z0-9_-]+ */
    vc_spec_text title, subtitle, description;
    vc_str language;
    vc_str cube; /* of queries that name none; absent: each has to */
    const vc_spec_parameter *parameters;
    size_t nparameters;
    const vc_spec_sweep *sweeps;
    size_t nsweeps;
    vc_spec_text file; /* of a document, without extension: "{{country.key}}" */
    bool formats[VC_REPORT_FORMATS];
    const vc_spec_section *sections;
    size_t nsections;
    const vc_spec_text *assertions; /* of the whole cube, or of `query` */
    size_t nassertions;
    vc_spec_query query; /* whose measures title, texts and assertions of the report name */
    double min_coverage; /* of every join used, 0: none needed */
    bool has_notes;
    bool shows_snapshot; /* in the files, which then differ after every load */
    vc_str text;         /* as it was read */
} vc_spec;

/* Read a specification.
 *
 * text  borrowed as long as the specification is used
 * file  for errors; may be NULL
 * json_out  the caller's, who frees it when the specification is not used any more
 *
 * VC_BAD_INPUT: "json", "unknown_field", "missing_field", "bad_type", "bad_value", "syntax",
 * "duplicate_name", "unknown_variable", with the place in the file. Names of the cube are looked
 * up when a document is composed. */
vc_status vc_spec_read(vc_str text, const char *file, vc_arena *arena, json_t **json_out,
                       vc_spec *spec_out, vc_error *error);

#endif
