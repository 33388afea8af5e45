/* RFC 4180: CRLF ends each record, a field that holds a comma, a quote or a line end is quoted.
 * Null is an empty field, an empty text is "". */
#include "base/bytes.h"
#include "render/parts.h"
#include "render/values.h"

#include <string.h>

/* Would a spreadsheet take the text for a formula? A number that begins with a sign is none. */
static bool is_formula(vc_str text)
{
    return text.size > 0 && text.data[0] != '\0' && strchr("=+-@\t\r", text.data[0]) != NULL &&
           !vc_str_is_number(text);
}

static bool needs_quotes(vc_str text)
{
    size_t at = 0;
    for (; text.size - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word = vc_bytes_load(text.data + at);
        if ((vc_bytes_equal(word, ',') | vc_bytes_equal(word, '"') | vc_bytes_equal(word, '\r') |
             vc_bytes_equal(word, '\n')) != 0)
            return true;
    }
    for (; at < text.size; at++) {
        char byte = text.data[at];
        if (byte == ',' || byte == '"' || byte == '\r' || byte == '\n') return true;
    }
    return text.size == 0;
}

void vc_put_csv_text(vc_buffer *buffer, vc_str text, bool guards_formulas)
{
    if (vc_str_is_null(text)) return;
    bool is_guarded = guards_formulas && is_formula(text);
    if (!needs_quotes(text)) {
        if (is_guarded) vc_buffer_put_char(buffer, '\'');
        vc_buffer_put_str(buffer, text);
        return;
    }
    vc_buffer_put_char(buffer, '"');
    if (is_guarded) vc_buffer_put_char(buffer, '\'');
    size_t first = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '"') continue;
        vc_buffer_put(buffer, text.data + first, i + 1 - first);
        first = i; /* the quote once more */
    }
    vc_buffer_put(buffer, text.data + first, text.size - first);
    vc_buffer_put_char(buffer, '"');
}

static void put_text(vc_rendering *rendering, vc_str text)
{
    vc_put_csv_text(&rendering->buffer, text, rendering->options->guards_formulas);
}

/* One value is its text, several are a JSON array; so that this can be told, a text that begins
 * like an array is an array of one. */
static void put_values(vc_rendering *rendering, const vc_result_values *values)
{
    vc_str first = values->count == 0 ? (vc_str){0} : values->items[0];
    if (values->count < 2 && (first.size == 0 || first.data[0] != '[')) {
        put_text(rendering, first);
        return;
    }
    vc_buffer array = {0};
    if (values->count < 2) vc_buffer_put_char(&array, '[');
    vc_values_put_json(&array, values);
    if (values->count < 2) vc_buffer_put_char(&array, ']');
    put_text(rendering, (vc_str){.data = array.data, .size = array.size});
    rendering->buffer.failed |= array.failed;
    vc_buffer_release(&array);
}

/* The dimensions on which a row stands at no member of the data, as values of a property. */
static void put_marks(vc_rendering *rendering, size_t row, vc_mark mark)
{
    const vc_result *result = rendering->result;
    vc_str *names = VC_ARENA_NEW(&rendering->arena, vc_str, result->naxes + 1);
    vc_result_values values = {.items = names};
    for (size_t a = 0; names != NULL && a < result->naxes; a++)
        if (vc_row_is_marked(result, row, a, mark))
            names[values.count++] = result->axes[a].dimension;
    rendering->buffer.failed |= names == NULL;
    put_values(rendering, &values);
}

static void put_member_field(vc_rendering *rendering, const vc_out_column *column,
                             const vc_result_member *member)
{
    if (column->kind == VC_OUT_LABEL) {
        put_text(rendering, member->labels[column->index]);
    } else if (column->kind == VC_OUT_PROPERTY) {
        put_values(rendering, &member->properties[column->index]);
    } else {
        put_text(rendering, member->keys[column->index]);
    }
}

static void put_field(vc_rendering *rendering, const vc_out_column *column, size_t row)
{
    const vc_result *result = rendering->result;
    const vc_cell *cells = vc_row_cells(result, row);
    switch (column->kind) {
    case VC_OUT_VALUE:
        if (!cells[column->index].is_null)
            vc_put_number(&rendering->buffer, &result->measures[column->index],
                          &cells[column->index]);
        break;
    case VC_OUT_STATUS:
        if (cells[column->index].reason != VC_REASON_NONE)
            vc_buffer_put_char(&rendering->buffer, cells[column->index].reason);
        break;
    case VC_OUT_GROUPING: vc_buffer_put_int(&rendering->buffer, result->grouping[row]); break;
    case VC_OUT_MARK: put_marks(rendering, row, (vc_mark)column->index); break;
    case VC_OUT_KEY:
    case VC_OUT_LABEL:
    case VC_OUT_PROPERTY: {
        const vc_result_member *member = vc_row_member(result, row, column->axis);
        if (member != NULL) put_member_field(rendering, column, member);
        break;
    }
    }
}

static void put_header(vc_rendering *rendering, const vc_out_column *columns, size_t ncolumns)
{
    bool has_labels = rendering->options->header == VC_HEADER_LABELS;
    for (size_t c = 0; c < ncolumns; c++) {
        if (c > 0) vc_buffer_put_char(&rendering->buffer, ',');
        vc_str name = has_labels ? vc_out_column_label(rendering, &columns[c])
                                 : vc_out_column_name(rendering, &columns[c]);
        if (vc_str_is_null(name)) rendering->buffer.failed = true; /* the arena is full */
        put_text(rendering, name);
    }
    vc_buffer_put(&rendering->buffer, "\r\n", 2);
}

static bool list_columns(vc_rendering *rendering, const vc_out_column **columns, size_t *ncolumns)
{
    if (vc_out_columns_list(rendering, rendering->options->has_status, columns, ncolumns))
        return true;
    rendering->status = vc_no_memory(rendering->error);
    return false;
}

static void put_before(vc_rendering *rendering)
{
    const vc_out_column *columns;
    size_t ncolumns;
    if (!list_columns(rendering, &columns, &ncolumns)) return;
    if (rendering->options->has_bom) vc_buffer_put_text(&rendering->buffer, "\xEF\xBB\xBF");
    if (rendering->options->header != VC_HEADER_NONE) put_header(rendering, columns, ncolumns);
}

static void put_rows(vc_rendering *rendering)
{
    const vc_out_column *columns;
    size_t ncolumns;
    if (!list_columns(rendering, &columns, &ncolumns)) return;
    for (size_t row = 0; row < rendering->result->nrows; row++) {
        size_t first = rendering->buffer.size;
        for (size_t c = 0; c < ncolumns; c++) {
            if (c > 0) vc_buffer_put_char(&rendering->buffer, ',');
            put_field(rendering, &columns[c], row);
        }
        /* Readers pass over blank lines, but this is a row. */
        if (rendering->buffer.size == first) vc_buffer_put(&rendering->buffer, "\"\"", 2);
        vc_buffer_put(&rendering->buffer, "\r\n", 2);
        if (!vc_render_row_done(rendering)) return;
    }
}

static void put_nothing(vc_rendering *rendering)
{
    (void)rendering;
}

const vc_render_parts vc_render_csv = {
    .before = put_before, .rows = put_rows, .after = put_nothing};
