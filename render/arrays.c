#include "render/parts.h"
#include "render/values.h"

/* ["geo"]: on which dimensions the row has the mark; null for a row that is none. */
static void put_marks(vc_buffer *buffer, const vc_result *result, size_t row, vc_mark mark)
{
    size_t count = 0;
    for (size_t a = 0; a < result->naxes; a++) {
        if (!vc_row_is_marked(result, row, a, mark)) continue;
        vc_buffer_put_char(buffer, count++ == 0 ? '[' : ',');
        vc_buffer_put_json(buffer, result->axes[a].dimension);
    }
    vc_buffer_put_text(buffer, count > 0 ? "]" : "null");
}

static void put_field(vc_rendering *rendering, const vc_out_column *column, size_t row)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    if (column->kind == VC_OUT_GROUPING) {
        vc_buffer_put_int(buffer, result->grouping[row]);
        return;
    }
    if (column->kind == VC_OUT_MARK) {
        put_marks(buffer, result, row, (vc_mark)column->index);
        return;
    }
    if (column->kind == VC_OUT_VALUE) {
        const vc_cell *cell = &vc_row_cells(result, row)[column->index];
        if (cell->is_null)
            vc_buffer_put(buffer, "null", 4);
        else
            vc_put_number(buffer, &result->measures[column->index], cell);
        return;
    }
    const vc_result_member *member = vc_row_member(result, row, column->axis);
    const vc_result_axis *axis = &result->axes[column->axis];
    if (member == NULL)
        vc_buffer_put(buffer, "null", 4);
    else if (column->kind == VC_OUT_KEY)
        vc_put_json_key(buffer, &axis->levels[column->index], member, member->keys[column->index]);
    else if (column->kind == VC_OUT_LABEL)
        vc_buffer_put_json(buffer, member->labels[column->index]);
    else
        vc_values_put_json(buffer, &member->properties[column->index]);
}

/* {"row,column": "u", ...}. It comes behind the rows because only then can both be streamed. */
static bool put_status(vc_rendering *rendering, const vc_out_column *columns, size_t ncolumns)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    size_t first = 0, count = 0;
    while (first < ncolumns && columns[first].kind != VC_OUT_VALUE)
        first++;
    vc_buffer_put_char(buffer, '{');
    for (size_t row = 0; row < result->nrows; row++) {
        const vc_cell *cells = vc_row_cells(result, row);
        if (!vc_render_goes_on(rendering, row)) return false;
        for (size_t m = 0; m < result->nmeasures; m++) {
            if (cells[m].reason == VC_REASON_NONE) continue;
            vc_buffer_put_text(buffer, count++ > 0 ? ",\"" : "\"");
            vc_buffer_put_int(buffer, (int64_t)row);
            vc_buffer_put_char(buffer, ',');
            vc_buffer_put_int(buffer, (int64_t)(first + m));
            char text[] = {'"', ':', '"', cells[m].reason, '"'};
            vc_buffer_put(buffer, text, sizeof text);
        }
        if (!vc_render_row_done(rendering)) return false;
    }
    vc_buffer_put_char(buffer, '}');
    return true;
}

/* {"meta":...,"summary":..., up to what the format has of its own. False when the rendering failed.
 */
static bool begin(vc_rendering *rendering, const vc_out_column **columns, size_t *ncolumns)
{
    vc_buffer *buffer = &rendering->buffer;
    const char *line = rendering->options->is_pretty ? "\n" : "";
    vc_record_names names;
    if (!vc_out_columns_list(rendering, false, columns, ncolumns) ||
        !vc_record_names_init(rendering, &names)) {
        rendering->status = vc_no_memory(rendering->error);
        return false;
    }
    vc_buffer_put_text(buffer, "{\"meta\":");
    vc_put_meta(buffer, rendering->result);
    vc_buffer_printf(buffer, ",%s\"summary\":", line);
    vc_put_summary(rendering, &names);
    vc_buffer_printf(buffer, ",%s", line);
    return true;
}

void vc_render_arrays(vc_rendering *rendering)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    const char *line = rendering->options->is_pretty ? "\n" : "";
    const vc_out_column *columns;
    size_t ncolumns;
    if (!begin(rendering, &columns, &ncolumns)) return;
    vc_buffer_put_text(buffer, "\"columns\":[");
    for (size_t c = 0; c < ncolumns; c++) {
        if (c > 0) vc_buffer_put_char(buffer, ',');
        vc_buffer_put_json(buffer, vc_out_column_name(rendering, &columns[c]));
    }
    vc_buffer_printf(buffer, "],%s\"rows\":[", line);
    for (size_t row = 0; row < result->nrows; row++) {
        if (row > 0) vc_buffer_put_char(buffer, ',');
        vc_buffer_put_text(buffer, line);
        for (size_t c = 0; c < ncolumns; c++) {
            vc_buffer_put_char(buffer, c == 0 ? '[' : ',');
            put_field(rendering, &columns[c], row);
        }
        vc_buffer_put_text(buffer, ncolumns == 0 ? "[]" : "]");
        if (!vc_render_row_done(rendering)) return;
    }
    vc_buffer_printf(buffer, "%s],%s\"status\":", line, line);
    if (!put_status(rendering, columns, ncolumns)) return;
    vc_buffer_put_text(buffer, "}\n");
}

/* "cpop":{"3":"u"}, of each measure that has a reason in some row. */
static bool put_column_status(vc_rendering *rendering)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    size_t nmeasures = 0;
    vc_buffer_put_char(buffer, '{');
    for (size_t m = 0; m < result->nmeasures; m++) {
        size_t count = 0;
        for (size_t row = 0; row < result->nrows; row++) {
            char reason = vc_row_cells(result, row)[m].reason;
            if (!vc_render_goes_on(rendering, row)) return false;
            if (reason == VC_REASON_NONE) continue;
            if (count++ == 0) {
                if (nmeasures++ > 0) vc_buffer_put_char(buffer, ',');
                vc_buffer_put_json(buffer, result->measures[m].name);
                vc_buffer_put_text(buffer, ":{");
            } else {
                vc_buffer_put_char(buffer, ',');
            }
            vc_buffer_put_char(buffer, '"');
            vc_buffer_put_int(buffer, (int64_t)row);
            char text[] = {'"', ':', '"', reason, '"'};
            vc_buffer_put(buffer, text, sizeof text);
            if (!vc_render_row_done(rendering)) return false;
        }
        if (count > 0) vc_buffer_put_char(buffer, '}');
    }
    vc_buffer_put_char(buffer, '}');
    return true;
}

void vc_render_columns(vc_rendering *rendering)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    const char *line = rendering->options->is_pretty ? "\n" : "";
    const vc_out_column *columns;
    size_t ncolumns;
    if (!begin(rendering, &columns, &ncolumns)) return;
    vc_buffer_printf(buffer, "\"rows\":%zu,%s\"columns\":{", result->nrows, line);
    for (size_t c = 0; c < ncolumns; c++) {
        vc_buffer_put_text(buffer, c > 0 ? "," : "");
        vc_buffer_put_text(buffer, line);
        vc_buffer_put_json(buffer, vc_out_column_name(rendering, &columns[c]));
        vc_buffer_put_text(buffer, ":[");
        for (size_t row = 0; row < result->nrows; row++) {
            if (row > 0) vc_buffer_put_char(buffer, ',');
            put_field(rendering, &columns[c], row);
            if (!vc_render_row_done(rendering)) return;
        }
        vc_buffer_put_char(buffer, ']');
    }
    vc_buffer_printf(buffer, "%s},%s\"status\":", line, line);
    if (!put_column_status(rendering)) return;
    vc_buffer_put_text(buffer, "}\n");
}
