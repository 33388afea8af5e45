/* The first sheet, for who opens the file to read: what a report says in words and key figures,
 * where its tables are, and its notes. */
#include "report/xlsx_parts.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 7, CHARACTERS_ACROSS = 150 };
static const double line_height = 15, label_width = 32;

typedef struct xlsx_lines {
    vc_xlsx *xlsx;
    lxw_worksheet *sheet;
    size_t row;
} xlsx_lines;

static lxw_format *look(const xlsx_lines *on, vc_xlsx_kind kind)
{
    return vc_xlsx_kind_of(on->xlsx, kind);
}

static void put(xlsx_lines *on, size_t column, vc_str text, vc_xlsx_kind kind)
{
    vc_xlsx_put(on->xlsx, on->sheet, on->row, column, text, look(on, kind));
}

/* A paragraph over all columns, as high as it needs: merged cells do not grow by themselves. */
static void put_paragraph(xlsx_lines *on, vc_str text, vc_xlsx_kind kind)
{
    if (text.size == 0) return;
    double nlines = floor((double)vc_utf8_columns(text) / CHARACTERS_ACROSS) + 1;
    for (size_t i = 0; i < text.size; i++)
        nlines += text.data[i] == '\n';
    worksheet_set_row(on->sheet, (lxw_row_t)on->row, fmin(400, line_height * nlines + 3), NULL);
    worksheet_merge_range(on->sheet, (lxw_row_t)on->row, 0, (lxw_row_t)on->row, COLUMNS - 1,
                          vc_xlsx_clean(on->xlsx, text, true), look(on, kind));
    on->row++;
}

static void put_note(xlsx_lines *on, vc_str text)
{
    if (text.size == 0) return;
    put(on, 0, text, VC_XLSX_NOTE);
    on->row++;
}

/* A head of a list: `right` are the columns whose heads stand at the right. */
static void put_heads(xlsx_lines *on, const char *const *heads, const char *right)
{
    for (size_t i = 0; i < COLUMNS; i++)
        put(on, i, vc_str_of(heads[i]), right[i] == 'r' ? VC_XLSX_LABEL_RIGHT : VC_XLSX_LABEL);
    on->row++;
}

/* ---- sections ---- */

static void put_exact(xlsx_lines *on, const vc_figure *figure)
{
    double exact;
    if (figure->exact.size == 0 || vc_parse_double(figure->exact, '.', &exact) != VC_PARSE_OK)
        return;
    bool is_float = memchr(figure->exact.data, 'e', figure->exact.size) != NULL;
    if (!is_float && fabs(exact) >= 1e15 && !vc_xlsx_shows(figure->exact, NULL))
        put(on, 5, figure->exact, VC_XLSX_RIGHT);
    else
        worksheet_write_number(on->sheet, (lxw_row_t)on->row, 5, exact, look(on, VC_XLSX_PLAIN));
}

static void put_figure(xlsx_lines *on, const vc_figure *figure)
{
    vc_xlsx_set_height(on->sheet, on->row, vc_xlsx_lines(figure->label, label_width));
    put(on, 0, figure->label, VC_XLSX_WRAPPED);
    put(on, 1, figure->value, VC_XLSX_VALUE);
    put(on, 2, figure->unit, VC_XLSX_INDENTED);
    put(on, 3, figure->change, VC_XLSX_RIGHT);
    put(on, 4, figure->against, VC_XLSX_INDENTED);
    put_exact(on, figure);
    if (figure->reason != VC_REASON_NONE)
        put(on, 6, vc_str_of(vc_document_reason(figure->reason)), VC_XLSX_INDENTED);
    on->row++;
}

static void put_figures(xlsx_lines *on, const vc_section *section)
{
    static const char *const heads[COLUMNS] = {"Figure", "Value",       "  Unit", "Change",
                                               "",       "As a number", "  Note"};
    if (section->nfigures == 0) return;
    put_heads(on, heads, "lrlrlrl");
    for (size_t i = 0; i < section->nfigures; i++)
        put_figure(on, &section->figures[i]);
}

static void put_link(xlsx_lines *on, const vc_xlsx_sheet *sheet)
{
    char target[VC_XLSX_SHEET_NAME + 32], label[VC_XLSX_SHEET_NAME + 32];
    bool is_chart = sheet->section->kind == VC_SECTION_CHART;
    snprintf(target, sizeof target, "internal:'%s'!A1", sheet->name);
    snprintf(label, sizeof label, "%s: %s", is_chart ? "Chart" : "Table", sheet->name);
    worksheet_write_url_opt(on->sheet, (lxw_row_t)on->row, 0, target, look(on, VC_XLSX_LINK), label,
                            NULL);
    on->row++;
}

static void put_section(xlsx_lines *on, const vc_section *section, const vc_xlsx_sheet *sheet)
{
    on->row++;
    if (section->title.size > 0) {
        put(on, 0, section->title, VC_XLSX_SECTION);
        on->row++;
    }
    for (size_t i = 0; i < section->nparagraphs; i++)
        put_paragraph(on, section->paragraphs[i], VC_XLSX_TEXT);
    if (section->kind == VC_SECTION_FIGURES) put_figures(on, section);
    if (section->kind == VC_SECTION_FAILED) {
        put_paragraph(on, VC_STR("This section could not be made."), VC_XLSX_WARNING);
        put_paragraph(on, section->failure, VC_XLSX_WARNING);
        put_paragraph(on, section->query, VC_XLSX_NOTE);
    }
    if (sheet->sheet != NULL) put_link(on, sheet);
    if (sheet->sheet == NULL)
        for (size_t i = 0; i < section->nnotes; i++)
            put_note(on, section->notes[i]);
}

/* ---- notes ---- */

static void put_coverage(xlsx_lines *on, const vc_document *document)
{
    static const char *const heads[COLUMNS] = {"Source", "Dimension", "Keys", "Matched",
                                               "Share",  "  Values",  ""};
    on->row++;
    put_heads(on, heads, "llrrrll");
    for (size_t i = 0; i < document->ncoverage; i++) {
        const vc_document_coverage *coverage = &document->coverage[i];
        double keys = (double)coverage->keys, matched = (double)coverage->keys_matched;
        put(on, 0, coverage->source, VC_XLSX_PLAIN);
        put(on, 1, coverage->dimension, VC_XLSX_PLAIN);
        worksheet_write_number(on->sheet, (lxw_row_t)on->row, 2, keys, look(on, VC_XLSX_COUNT));
        worksheet_write_number(on->sheet, (lxw_row_t)on->row, 3, matched, look(on, VC_XLSX_COUNT));
        if (keys > 0)
            worksheet_write_number(on->sheet, (lxw_row_t)on->row, 4, matched / keys,
                                   look(on, VC_XLSX_PERCENT));
        put(on, 5, coverage->shares, VC_XLSX_INDENTED);
        on->row++;
    }
}

static void put_sources(xlsx_lines *on, const vc_document *document)
{
    static const char *const heads[COLUMNS] = {"Data", "Name", "Licence", "From", "", "", ""};
    on->row++;
    put_heads(on, heads, "lllllll");
    for (size_t i = 0; i < document->nsources; i++) {
        const vc_document_source *source = &document->sources[i];
        put(on, 0, source->label.size > 0 ? source->label : source->name, VC_XLSX_PLAIN);
        put(on, 1, source->name, VC_XLSX_PLAIN);
        put(on, 2, source->licence.size > 0 ? source->licence : VC_STR("not stated"),
            VC_XLSX_PLAIN);
        put(on, 3, source->source, VC_XLSX_PLAIN);
        on->row++;
    }
}

static void put_pair(xlsx_lines *on, const char *name, vc_str value)
{
    if (value.size == 0) return;
    put(on, 0, vc_str_of(name), VC_XLSX_NOTE);
    put(on, 1, value, VC_XLSX_NOTE);
    on->row++;
}

static void put_notes(xlsx_lines *on, const vc_document *document)
{
    on->row++;
    put(on, 0, VC_STR("Notes"), VC_XLSX_SECTION);
    on->row++;
    for (size_t i = 0; i < document->nnotices; i++)
        put_paragraph(on, document->notices[i], VC_XLSX_TEXT);
    if (document->ncoverage > 0) put_coverage(on, document);
    if (document->nsources > 0) put_sources(on, document);
    on->row++;
    put_pair(on, "Snapshot", document->snapshot);
    put_pair(on, "Definitions", document->definition);
    put_pair(on, "Made by", document->generator);
}

/* Key figures are never cut. */
static double value_width(const vc_document *document)
{
    size_t longest = 0;
    for (size_t i = 0; i < document->nsections; i++)
        for (size_t k = 0; k < document->sections[i].nfigures; k++) {
            size_t columns = vc_utf8_columns(document->sections[i].figures[k].value);
            if (columns > longest) longest = columns;
        }
    return fmin(60, fmax(20, 1.35 * (double)longest + 2));
}

void vc_xlsx_put_overview(vc_xlsx *xlsx)
{
    double widths[COLUMNS] = {label_width, value_width(xlsx->document), 16, 14, 16, 20, 30};
    const vc_document *document = xlsx->document;
    xlsx_lines on = {.xlsx = xlsx, .sheet = xlsx->overview};
    for (size_t i = 0; i < COLUMNS; i++)
        worksheet_set_column(on.sheet, (lxw_col_t)i, (lxw_col_t)i, widths[i], NULL);
    worksheet_gridlines(on.sheet, LXW_HIDE_ALL_GRIDLINES);
    worksheet_set_paper(on.sheet, 9); /* A4 */
    worksheet_set_landscape(on.sheet);
    worksheet_fit_to_pages(on.sheet, 1, 0);
    put(&on, 0, document->title, VC_XLSX_TITLE);
    on.row++;
    if (document->subtitle.size > 0) {
        put(&on, 0, document->subtitle, VC_XLSX_SECTION);
        on.row++;
    }
    put_paragraph(&on, document->description, VC_XLSX_TEXT);
    for (size_t i = 0; i < document->nsections; i++)
        put_section(&on, &document->sections[i], &xlsx->sheets[i]);
    if (document->has_notes) put_notes(&on, document);
}
