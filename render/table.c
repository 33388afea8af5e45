/* A table for a terminal. A table that is wider than the terminal is cut into panels: each shows
 * the members again, and as many measures as fit. Widths need all cells before the first line is
 * written, so each cell is formatted twice: once to measure it, once to write it. Texts come from
 * data, so control characters, which could drive the terminal, are replaced; numbers are never cut.
 */
#include "render/explain.h"
#include "render/notices.h"
#include "render/number_format.h"
#include "render/parts.h"
#include "render/values.h"

#include <string.h>

typedef struct table_column {
    bool is_measure;
    size_t axis, index; /* level or property of an axis, or a measure */
    bool is_property;
    vc_str header;
    size_t width;            /* in terminal columns */
    bool is_shown;           /* in the panel at hand */
    bool has_reasons;        /* " u" behind the value, or room for it */
    bool has_format;         /* of a measure */
    vc_number_format format; /* where has_format */
} table_column;

typedef struct table {
    vc_rendering *rendering;
    table_column *columns;
    size_t ncolumns;
    size_t last;       /* shown column of the panel */
    vc_buffer scratch; /* the text of one cell */
    vc_buffer number;  /* of one cell, before its format */
    char reasons[256]; /* which ones occur */
} table;

static const char dim[] = "\x1b[2m", bold[] = "\x1b[1m", plain[] = "\x1b[0m";

static const struct {
    char reason;
    const char *text;
} legend[] = {
    {VC_REASON_WITHHELD, "withheld"},
    {VC_REASON_UNRELATED, "does not have this dimension"},
    {VC_REASON_UNMATCHED, "key unmatched"},
    {VC_REASON_GRAIN, "finer than the source"},
    {VC_REASON_NULL, "null in the source"},
    {VC_REASON_EMPTY, "no facts"},
    {VC_REASON_UNDEFINED, "undefined arithmetic"},
    {VC_REASON_REPEATED, "repeated value: do not add up"},
    {VC_REASON_ALLOCATED, "allocated: an estimate"},
};

static const struct {
    vc_mark mark;
    char sign; /* behind the key */
    const char *text;
} mark_legend[] = {
    {VC_MARK_OTHER, '*', "all the others together"},
    {VC_MARK_SYNTHETIC, '+', "keys without a match"},
    {VC_MARK_CALCULATED, '^', "calculated, in no total"},
};

/* ---- texts of cells ---- */

/* C1 controls are U+0080..U+009F, which is C2 80..C2 9F. */
void vc_put_safe(vc_buffer *buffer, vc_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool is_c1 = byte == 0xC2 && i + 1 < text.size && (unsigned char)text.data[i + 1] < 0xA0;
        if (byte < 0x20 || byte == 0x7F || is_c1) {
            vc_buffer_put_text(buffer, "\xEF\xBF\xBD");
            i += is_c1;
        } else {
            vc_buffer_put_char(buffer, (char)byte);
        }
    }
}

double vc_share_shown(double share)
{
    return share < 1 && share > 0.999 ? 0.999 : share;
}

static vc_str scratch_text(const table *t)
{
    return (vc_str){.data = t->scratch.data, .size = t->scratch.size};
}

/* The pattern of a measure, or of a calculated member. The format is in the table's arena. */
static bool read_format(table *t, vc_str pattern, vc_number_format *format_out)
{
    vc_buffer safe = {0};
    vc_put_safe(&safe, pattern);
    vc_str text =
        vc_arena_str(&t->rendering->arena, (vc_str){.data = safe.data, .size = safe.size});
    vc_buffer_release(&safe);
    return text.size > 0 && vc_number_format_parse(text, format_out);
}

/* The calculated member by which a base measure has other units here than elsewhere. */
static const vc_result_calculated *find_other_unit(const vc_result *result, size_t measure,
                                                   size_t row)
{
    if (result->ncalculated == 0 || result->measures[measure].is_calculated) return NULL;
    const vc_result_calculated *calculated = vc_row_calculated(result, row);
    return calculated == NULL || calculated->keeps_unit ? NULL : calculated;
}

static void put_value(table *t, const table_column *column, size_t row, const vc_cell *cell)
{
    const vc_result *result = t->rendering->result;
    const vc_result_measure *measure = &result->measures[column->index];
    const vc_result_calculated *other = find_other_unit(result, column->index, row);
    vc_number_format format = column->format;
    bool has_format = other == NULL ? column->has_format : read_format(t, other->format, &format);
    if (!has_format) {
        vc_put_plain_number(&t->scratch, measure, cell);
        return;
    }
    vc_buffer_clear(&t->number);
    vc_put_number(&t->number, measure, cell);
    t->scratch.failed |= t->number.failed;
    vc_number_format_put(&format, (vc_str){.data = t->number.data, .size = t->number.size},
                         &t->scratch);
}

static void put_measure_cell(table *t, const table_column *column, size_t row, const vc_cell *cell)
{
    if (cell->is_null)
        vc_buffer_put_text(&t->scratch, "\xE2\x80\x93"); /* an en dash */
    else
        put_value(t, column, row, cell);
    if (!column->has_reasons) return;
    vc_buffer_put_char(&t->scratch, ' ');
    vc_buffer_put_char(&t->scratch, cell->reason == VC_REASON_NONE ? ' ' : cell->reason);
}

static void put_member_cell(table *t, const table_column *column, size_t row)
{
    const vc_result_member *member = vc_row_member(t->rendering->result, row, column->axis);
    vc_str text;
    if (member != NULL && column->is_property) {
        vc_values_put_text(&t->scratch, &member->properties[column->index]);
        return;
    }
    if (member == NULL) /* rolled up: said once per axis */
        text = column->index == 0 && !column->is_property ? VC_STR("Total") : VC_STR("");
    else if (member->labels[column->index].size > 0)
        text = member->labels[column->index];
    else if (!vc_str_is_null(member->keys[column->index]))
        text = member->keys[column->index];
    else /* a bucket has no levels above */
        text = member->is_synthetic || member->is_other || member->is_calculated ? VC_STR("")
                                                                                 : VC_STR("(null)");
    vc_put_safe(&t->scratch, text);
    if (member == NULL || column->index + 1 < t->rendering->result->axes[column->axis].nlevels)
        return;
    for (size_t i = 0; i < sizeof mark_legend / sizeof *mark_legend; i++)
        if (vc_row_is_marked(t->rendering->result, row, column->axis, mark_legend[i].mark))
            vc_buffer_printf(&t->scratch, " %c", mark_legend[i].sign);
}

/* The text of a cell, in the scratch buffer until the next one. */
static vc_str cell_text(table *t, const table_column *column, size_t row)
{
    const vc_result *result = t->rendering->result;
    vc_buffer_clear(&t->scratch);
    if (column->is_measure)
        put_measure_cell(t, column, row, &vc_row_cells(result, row)[column->index]);
    else
        put_member_cell(t, column, row);
    if (t->scratch.failed) t->rendering->buffer.failed = true;
    return scratch_text(t);
}

/* ---- columns ---- */

static vc_str measure_header(table *t, size_t m)
{
    const vc_result *result = t->rendering->result;
    const vc_result_calculated *other = find_other_unit(result, m, VC_ANY_ROW);
    vc_str unit = other == NULL ? result->measures[m].unit : other->unit;
    vc_buffer_clear(&t->scratch);
    vc_put_safe(&t->scratch, result->measures[m].name);
    if (unit.size > 0) {
        vc_buffer_put_text(&t->scratch, " (");
        vc_put_safe(&t->scratch, unit);
        vc_buffer_put_char(&t->scratch, ')');
    }
    return vc_arena_str(&t->rendering->arena, scratch_text(t));
}

static void init_measure(table *t, table_column *column, size_t m)
{
    *column = (table_column){.is_measure = true, .index = m};
    column->header = measure_header(t, m);
    column->has_format = read_format(t, t->rendering->result->measures[m].format, &column->format);
}

static void init_member(table *t, table_column *column, size_t axis, size_t index, bool is_property)
{
    const vc_result_axis *a = &t->rendering->result->axes[axis];
    *column = (table_column){.axis = axis, .index = index, .is_property = is_property};
    vc_buffer_clear(&t->scratch);
    vc_put_safe(&t->scratch, is_property ? a->properties[index].name : a->levels[index].key_name);
    column->header = vc_arena_str(&t->rendering->arena, scratch_text(t));
}

static bool list_columns(table *t)
{
    const vc_result *result = t->rendering->result;
    size_t capacity = result->nmeasures;
    for (size_t a = 0; a < result->naxes; a++)
        capacity += result->axes[a].nlevels + result->axes[a].nproperties;
    t->columns = VC_ARENA_NEW(&t->rendering->arena, table_column, capacity);
    if (t->columns == NULL) return false;
    for (size_t a = 0; a < result->naxes; a++) {
        for (size_t l = 0; l < result->axes[a].nlevels; l++)
            init_member(t, &t->columns[t->ncolumns++], a, l, false);
        for (size_t p = 0; p < result->axes[a].nproperties; p++)
            init_member(t, &t->columns[t->ncolumns++], a, p, true);
    }
    for (size_t m = 0; m < result->nmeasures; m++)
        init_measure(t, &t->columns[t->ncolumns++], m);
    for (size_t c = 0; c < t->ncolumns; c++)
        if (vc_str_is_null(t->columns[c].header)) return false;
    return true;
}

static bool measure_columns(table *t)
{
    const vc_result *result = t->rendering->result;
    for (size_t i = 0; i < result->nrows * result->nmeasures; i++) {
        if (!vc_render_goes_on(t->rendering, i)) return false;
        char reason = result->cells[i].reason;
        if (reason == VC_REASON_NONE) continue;
        t->reasons[(unsigned char)reason] = 1;
        t->columns[t->ncolumns - result->nmeasures + i % result->nmeasures].has_reasons = true;
    }
    for (size_t c = 0; c < t->ncolumns; c++) {
        table_column *column = &t->columns[c];
        column->width = vc_utf8_columns(column->header);
        for (size_t row = 0; row < result->nrows; row++) {
            if (!vc_render_goes_on(t->rendering, row)) return false;
            size_t width = vc_utf8_columns(cell_text(t, column, row));
            if (width > column->width) column->width = width;
        }
    }
    return true;
}

enum { GAP = 2, MIN_WIDTH = 8 };

/* The width of the members with the measures [first, end). */
static size_t panel_width(const table *t, size_t first, size_t end)
{
    size_t width = 0, nshown = 0;
    for (size_t c = 0; c < t->ncolumns; c++) {
        if (t->columns[c].is_measure && (c < first || c >= end)) continue;
        width += t->columns[c].width;
        nshown++;
    }
    return nshown > 1 ? width + GAP * (nshown - 1) : width;
}

static size_t first_measure(const table *t)
{
    return t->ncolumns - t->rendering->result->nmeasures;
}

/* Take from the widest column of texts until the widest measure fits beside them, or none of them
 * can give more. */
static void fit_width(table *t)
{
    size_t limit = t->rendering->options->width, width = 0, first = first_measure(t);
    if (limit == 0 || panel_width(t, first, t->ncolumns) <= limit) return;
    for (size_t c = first; c < t->ncolumns; c++)
        if (panel_width(t, c, c + 1) > width) width = panel_width(t, c, c + 1);
    if (first == t->ncolumns) width = panel_width(t, first, first);
    for (; width > limit; width--) {
        table_column *widest = NULL;
        for (size_t c = 0; c < first; c++)
            if (t->columns[c].width > MIN_WIDTH &&
                (widest == NULL || t->columns[c].width > widest->width))
                widest = &t->columns[c];
        if (widest == NULL) return;
        widest->width--;
    }
}

/* Show the members and, from measure `first` on, as many measures as fit, at least one. Returns the
 * first measure of the next panel. */
static size_t choose_panel(table *t, size_t first)
{
    size_t limit = t->rendering->options->width, end = first < t->ncolumns ? first + 1 : first;
    while (end < t->ncolumns && (limit == 0 || panel_width(t, first, end + 1) <= limit))
        end++;
    for (size_t c = 0; c < t->ncolumns; c++)
        t->columns[c].is_shown = !t->columns[c].is_measure || (c >= first && c < end);
    t->last = end > 0 ? end - 1 : 0;
    return end;
}

/* ---- writing ---- */

static void put_repeated(vc_buffer *buffer, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        vc_buffer_put_text(buffer, text);
}

static void put_aligned(vc_buffer *buffer, vc_str text, size_t width, bool is_right, bool is_last)
{
    size_t columns = vc_utf8_columns(text);
    bool is_cut = columns > width;
    if (is_cut) {
        text = vc_utf8_cut(text, width - 1);
        columns = vc_utf8_columns(text) + 1;
    }
    if (is_right) put_repeated(buffer, " ", width - columns);
    vc_buffer_put_str(buffer, text);
    if (is_cut) vc_buffer_put_text(buffer, "\xE2\x80\xA6");
    if (!is_right && !is_last) put_repeated(buffer, " ", width - columns);
}

static void put_style(table *t, const char *style)
{
    if (t->rendering->options->is_coloured) vc_buffer_put_text(&t->rendering->buffer, style);
}

static void put_header(table *t)
{
    vc_buffer *buffer = &t->rendering->buffer;
    put_style(t, bold);
    for (size_t c = 0; c < t->ncolumns; c++) {
        const table_column *column = &t->columns[c];
        if (!column->is_shown) continue;
        if (c > 0) put_repeated(buffer, " ", GAP);
        /* A header stands over the digits, not over the reasons. */
        size_t room = column->width - (column->has_reasons ? 2 : 0);
        size_t width = vc_utf8_columns(column->header) <= room ? room : column->width;
        put_aligned(buffer, column->header, width, column->is_measure, c == t->last);
        if (width < column->width && c != t->last) put_repeated(buffer, " ", 2);
    }
    put_style(t, plain);
    vc_buffer_put_char(buffer, '\n');
}

static void put_rule(table *t)
{
    for (size_t c = 0; c < t->ncolumns; c++) {
        if (!t->columns[c].is_shown) continue;
        if (c > 0) put_repeated(&t->rendering->buffer, " ", GAP);
        put_repeated(&t->rendering->buffer, "\xE2\x94\x80", t->columns[c].width);
    }
    vc_buffer_put_char(&t->rendering->buffer, '\n');
}

static void put_row(table *t, size_t row)
{
    const vc_result *result = t->rendering->result;
    vc_buffer *buffer = &t->rendering->buffer;
    bool is_total = row >= result->ndetail_rows;
    for (size_t c = 0; c < t->ncolumns; c++) {
        const table_column *column = &t->columns[c];
        if (!column->is_shown) continue;
        if (c > 0) put_repeated(buffer, " ", GAP);
        bool is_null = column->is_measure && vc_row_cells(result, row)[column->index].is_null;
        vc_str text = cell_text(t, column, row);
        if (is_null || is_total) put_style(t, is_null ? dim : bold);
        put_aligned(buffer, text, column->width, column->is_measure, c == t->last);
        if (is_null || is_total) put_style(t, plain);
    }
    while (buffer->size > 0 && buffer->data[buffer->size - 1] == ' ')
        buffer->size--; /* room for a reason that is not there */
    vc_buffer_put_char(buffer, '\n');
}

static void put_legend(table *t)
{
    vc_buffer *buffer = &t->rendering->buffer;
    size_t count = 0;
    for (size_t i = 0; i < sizeof legend / sizeof legend[0]; i++) {
        if (!t->reasons[(unsigned char)legend[i].reason]) continue;
        if (count++ == 0) put_style(t, dim);
        vc_buffer_put_text(buffer, count > 1 ? "; " : "");
        vc_buffer_put_char(buffer, legend[i].reason);
        vc_buffer_put_text(buffer, " = ");
        vc_buffer_put_text(buffer, legend[i].text);
    }
    if (count == 0) return;
    put_style(t, plain);
    vc_buffer_put_char(buffer, '\n');
}

/* What the marks behind keys mean. */
static void put_mark_legend(table *t)
{
    vc_buffer *buffer = &t->rendering->buffer;
    size_t count = 0;
    for (size_t i = 0; i < sizeof mark_legend / sizeof *mark_legend; i++) {
        if (!vc_result_has_marks(t->rendering->result, mark_legend[i].mark)) continue;
        if (count == 0) put_style(t, dim);
        vc_buffer_printf(buffer, "%s%c = %s", count++ > 0 ? "; " : "", mark_legend[i].sign,
                         mark_legend[i].text);
    }
    if (count == 0) return;
    put_style(t, plain);
    vc_buffer_put_char(buffer, '\n');
}

static void put_row_count(table *t)
{
    const vc_result *result = t->rendering->result;
    vc_buffer *buffer = &t->rendering->buffer;
    if (result->naxes == 0) return;
    vc_buffer_put_int(buffer, (int64_t)result->ndetail_rows);
    if (result->total_cell_count > result->ndetail_rows) {
        vc_buffer_put_text(buffer, " of ");
        vc_buffer_put_int(buffer, (int64_t)result->total_cell_count);
        vc_buffer_put_text(buffer, " rows");
    } else {
        vc_buffer_put_text(buffer, result->ndetail_rows == 1 ? " row" : " rows");
    }
    vc_buffer_put_text(buffer, result->is_truncated ? " (cut short)\n" : "\n");
}

static void put_notices(table *t)
{
    const vc_result *result = t->rendering->result;
    vc_buffer *buffer = &t->rendering->buffer;
    for (size_t i = 0; i < result->nnotices; i++) {
        const vc_notice *notice = &result->notices[i];
        vc_buffer_put_text(buffer, "note: ");
        vc_notice_put_text(buffer, notice);
        vc_buffer_put_char(buffer, '\n');
    }
}

static void put_ratio(vc_buffer *buffer, uint64_t part, uint64_t whole, const char *what)
{
    vc_buffer_put_int(buffer, (int64_t)part);
    vc_buffer_put_text(buffer, " of ");
    vc_buffer_put_int(buffer, (int64_t)whole);
    vc_buffer_put_text(buffer, what);
}

static void put_coverage(table *t)
{
    static const vc_number_format percent = {.suffix = {"%", 1},
                                             .min_whole = 1,
                                             .min_fraction = 1,
                                             .max_fraction = 1,
                                             .is_percent = true};
    const vc_result *result = t->rendering->result;
    vc_buffer *buffer = &t->rendering->buffer;
    for (size_t i = 0; i < result->ncoverage; i++) {
        const vc_result_coverage *coverage = &result->coverage[i];
        vc_buffer_put_text(buffer, "coverage of ");
        vc_put_safe(buffer, coverage->source);
        vc_buffer_put_text(buffer, " by ");
        vc_put_safe(buffer, coverage->dimension);
        vc_buffer_put_text(buffer, ": ");
        put_ratio(buffer, coverage->counts.keys_matched, coverage->counts.keys, " keys");
        for (size_t s = 0; s < coverage->nshares; s++) {
            if (!coverage->shares[s].is_known) continue;
            char text[VC_NUMBER_TEXT];
            size_t size = vc_format_double(text, vc_share_shown(coverage->shares[s].share));
            vc_buffer_put_text(buffer, ", ");
            vc_number_format_put(&percent, (vc_str){.data = text, .size = size}, buffer);
            vc_buffer_put_text(buffer, " of ");
            vc_put_safe(buffer, coverage->shares[s].measure);
        }
        vc_buffer_put_char(buffer, '\n');
    }
}

static void put_explain(table *t)
{
    const vc_rendering *rendering = t->rendering;
    if (rendering->result->explain == NULL) return;
    vc_buffer_put_char(&t->rendering->buffer, '\n');
    vc_explain_put_text(&t->rendering->buffer, NULL, rendering->result->explain,
                        rendering->options->is_coloured);
}

/* Returns false when the rendering has ended. */
static bool put_panel(table *t)
{
    const vc_result *result = t->rendering->result;
    put_header(t);
    put_rule(t);
    for (size_t row = 0; row < result->nrows; row++) {
        if (row == result->ndetail_rows && row > 0) put_rule(t);
        put_row(t, row);
        if (!vc_render_row_done(t->rendering)) return false;
    }
    return true;
}

void vc_render_table(vc_rendering *rendering)
{
    table t = {.rendering = rendering};
    if (!list_columns(&t)) {
        rendering->status = vc_no_memory(rendering->error);
        vc_buffer_release(&t.scratch);
        return;
    }
    if (!measure_columns(&t)) {
        vc_buffer_release(&t.scratch);
        return;
    }
    fit_width(&t);
    size_t measure = first_measure(&t);
    while (true) {
        measure = choose_panel(&t, measure);
        if (!put_panel(&t) || measure >= t.ncolumns) break;
        vc_buffer_put_char(&rendering->buffer, '\n');
    }
    if (rendering->status == VC_OK) {
        put_legend(&t);
        put_mark_legend(&t);
        put_row_count(&t);
        put_notices(&t);
        put_coverage(&t);
        put_explain(&t);
    }
    vc_buffer_release(&t.scratch);
    vc_buffer_release(&t.number);
}
