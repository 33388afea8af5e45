/* A grid as CSV. Names of columns are made of keys, which do not change with a label's wording:
 * "2020 pop". Two that read alike are told apart by a number behind the second, "2020 pop (2)", so
 * that programs that read columns by name lose none. */
#include "base/strmap.h"
#include "report/blocks.h"
#include "report/writers.h"

#include "render/parts.h"

typedef struct csv {
    const vc_grid *grid;
    bool has_totals;
    bool *has_labels;         /* [nhead_columns] some head's text is not its key */
    const vc_grid_head **now; /* [nhead_columns] the heads that stand for the row */
    vc_arena arena;
    vc_strmap names; /* so far */
    vc_blocks blocks;
} csv;

static bool is_row_shown(const csv *out, size_t row)
{
    return out->has_totals || !out->grid->is_total_row[row];
}

static bool is_column_shown(const csv *out, size_t column)
{
    return out->has_totals || !out->grid->is_total_column[column];
}

/* Of the heads along a line, `step` apart, the one that stands for the `at`-th. */
static const vc_grid_head *head_of(const vc_grid_head *heads, size_t at, size_t step)
{
    while (at > 0 && heads[at * step].span == 0)
        at--;
    return &heads[at * step];
}

static vc_str name_of(const vc_grid_head *head)
{
    return vc_str_is_null(head->key) ? head->text : head->key;
}

static void advance_heads(csv *out, size_t row)
{
    const vc_grid *grid = out->grid;
    for (size_t c = 0; c < grid->nhead_columns; c++) {
        const vc_grid_head *head = &grid->row_heads[row * grid->nhead_columns + c];
        if (head->span > 0 || row == 0) out->now[c] = head;
    }
}

/* Which columns of heads need a column of labels? O(heads). */
static void look_for_labels(csv *out)
{
    const vc_grid *grid = out->grid;
    for (size_t row = 0; row < grid->nrows; row++) {
        advance_heads(out, row);
        for (size_t c = 0; is_row_shown(out, row) && c < grid->nhead_columns; c++)
            out->has_labels[c] |= !vc_str_equal(out->now[c]->key, out->now[c]->text);
    }
}

/* ---- the header ---- */

/* The name, or the name with the lowest number behind it that no column has. */
static void put_unique(csv *out, vc_buffer *name)
{
    vc_str wanted = vc_arena_str(&out->arena, (vc_str){.data = name->data, .size = name->size});
    bool is_new = false;
    out->blocks.buffer.failed |= name->failed;
    if (wanted.size == 0) wanted = VC_STR("value");
    for (unsigned number = 1; !is_new; number++) {
        vc_buffer_clear(name);
        vc_buffer_put_str(name, wanted);
        if (number > 1) vc_buffer_printf(name, " (%u)", number);
        if (name->failed || wanted.data == NULL ||
            vc_strmap_put(&out->names, (vc_str){.data = name->data, .size = name->size}, &is_new) ==
                VC_STRMAP_NONE) {
            out->blocks.buffer.failed = true;
            return;
        }
    }
    vc_put_csv_text(&out->blocks.buffer, (vc_str){.data = name->data, .size = name->size}, true);
}

static void begin_field(csv *out, size_t *nfields)
{
    if ((*nfields)++ > 0) vc_buffer_put_char(&out->blocks.buffer, ',');
}

static void put_corners(csv *out, vc_buffer *name, size_t *nfields)
{
    const vc_grid *grid = out->grid;
    for (size_t c = 0; c < grid->nhead_columns; c++) {
        bool is_measure = grid->nrows > 0 && grid->row_heads[c].is_measure;
        vc_str corner = grid->corners[c];
        if (corner.size == 0) corner = is_measure ? VC_STR("Measure") : VC_STR("Member");
        for (int is_label = 0; is_label <= out->has_labels[c]; is_label++) {
            begin_field(out, nfields);
            vc_buffer_clear(name);
            vc_buffer_put_str(name, corner);
            if (is_label) vc_buffer_put_text(name, " (label)");
            put_unique(out, name);
        }
    }
}

static void put_column_name(csv *out, vc_buffer *name, size_t column)
{
    const vc_grid *grid = out->grid;
    vc_buffer_clear(name);
    bool was_total = false;
    for (size_t r = 0; r < grid->nhead_rows; r++) {
        const vc_grid_head *head = head_of(&grid->column_heads[r * grid->ncolumns], column, 1);
        vc_str text = name_of(head);
        if (text.size == 0 || (was_total && head->is_total)) continue;
        if (name->size > 0) vc_buffer_put_char(name, ' ');
        vc_buffer_put_str(name, text);
        was_total = head->is_total;
    }
    if (grid->nhead_rows == 0)
        vc_buffer_put_str(name, grid->measures[grid->measure_of[0]].measure->name);
    put_unique(out, name);
}

static void put_header(csv *out)
{
    vc_buffer name = {0};
    size_t nfields = 0;
    put_corners(out, &name, &nfields);
    for (size_t column = 0; column < out->grid->ncolumns; column++) {
        if (!is_column_shown(out, column)) continue;
        begin_field(out, &nfields);
        put_column_name(out, &name, column);
        if (!vc_blocks_next(&out->blocks)) break;
    }
    vc_buffer_put(&out->blocks.buffer, "\r\n", 2);
    vc_buffer_release(&name);
}

/* ---- rows ---- */

static void put_row_heads(csv *out, size_t *nfields)
{
    vc_str total = VC_STR(""); /* of the total that those behind it are below, and have no text */
    for (size_t c = 0; c < out->grid->nhead_columns; c++) {
        const vc_grid_head *head = out->now[c];
        bool is_below = head->is_total && head->text.size == 0;
        if (head->is_total && !is_below) total = head->text;
        begin_field(out, nfields);
        vc_put_csv_text(&out->blocks.buffer, head->key, true);
        if (!out->has_labels[c]) continue;
        begin_field(out, nfields);
        vc_put_csv_text(&out->blocks.buffer, is_below ? total : head->text, true);
    }
}

/* A number into the buffer itself: a grid is a million of them. */
static void put_number(vc_buffer *buffer, const vc_result_measure *measure, const vc_cell *cell)
{
    if (!vc_buffer_reserve(buffer, VC_NUMBER_TEXT + 1)) return;
    char *text = buffer->data + buffer->size;
    if (cell->is_float || measure->type == VC_VALUE_FLOAT)
        buffer->size += vc_format_double(text, cell->as.f);
    else if (measure->type == VC_VALUE_INT)
        buffer->size += vc_format_int(text, cell->as.i);
    else
        buffer->size += vc_format_decimal(text, cell->as.i, measure->scale);
}

static void put_row(csv *out, size_t row)
{
    enum { CELLS_BETWEEN = 1024 };
    const vc_grid *grid = out->grid;
    vc_buffer *buffer = &out->blocks.buffer;
    size_t nfields = 0, first = buffer->size;
    put_row_heads(out, &nfields);
    for (size_t column = 0; column < grid->ncolumns; column++) {
        if (!is_column_shown(out, column)) continue;
        begin_field(out, &nfields);
        const vc_cell *cell = vc_grid_cell(grid, row, column);
        if (!cell->is_null)
            put_number(buffer, vc_grid_measure_at(grid, row, column)->measure, cell);
        if (column % CELLS_BETWEEN == CELLS_BETWEEN - 1 && !vc_blocks_next(&out->blocks)) return;
    }
    /* Readers pass over blank lines, but this is a row. */
    if (nfields < 2 && buffer->size == first) vc_buffer_put(buffer, "\"\"", 2);
    vc_buffer_put(buffer, "\r\n", 2);
}

vc_status vc_grid_write_csv(const vc_grid *grid, bool has_totals, vc_render_sink sink,
                            vc_error *error)
{
    csv out = {.grid = grid, .has_totals = has_totals};
    vc_blocks_init(&out.blocks, sink, error);
    out.has_labels = VC_ARENA_NEW(&out.arena, bool, grid->nhead_columns);
    out.now = VC_ARENA_NEW(&out.arena, const vc_grid_head *, grid->nhead_columns);
    if (out.has_labels == NULL || out.now == NULL) {
        out.blocks.buffer.failed = true;
    } else {
        look_for_labels(&out);
        put_header(&out);
        for (size_t row = 0; row < grid->nrows && vc_blocks_next(&out.blocks); row++) {
            advance_heads(&out, row);
            if (is_row_shown(&out, row)) put_row(&out, row);
        }
    }
    vc_strmap_release(&out.names);
    vc_arena_release(&out.arena);
    return vc_blocks_finish(&out.blocks);
}
