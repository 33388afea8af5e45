/* Arrow streams read back by a reader of their own: frames, FlatBuffers, and the columns. */
#include "tests/render/sample.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

/* ---- a reader of FlatBuffers ---- */

typedef struct flat_view { /* some object in a buffer */
    const unsigned char *data;
    size_t size, at;
} flat_view;

static uint64_t number_at(flat_view view, size_t at, size_t size)
{
    uint64_t value = 0;
    cr_assert_leq(at + size, view.size);
    cr_assert_eq(at % size, 0, "not aligned");
    memcpy(&value, view.data + at, size);
    return value;
}

/* Where a field of a table stands; 0: not there. */
static size_t field_at(flat_view table, unsigned field)
{
    size_t vtable = table.at - (size_t)(int64_t)(int32_t)number_at(table, table.at, 4);
    size_t vtable_size = number_at(table, vtable, 2);
    if (4 + 2 * field >= vtable_size) return 0;
    size_t offset = number_at(table, vtable + 4 + 2 * field, 2);
    cr_assert_lt(offset, number_at(table, vtable + 2, 2));
    return offset == 0 ? 0 : table.at + offset;
}

static uint64_t number_of(flat_view table, unsigned field, size_t size)
{
    size_t at = field_at(table, field);
    return at == 0 ? 0 : number_at(table, at, size);
}

static flat_view follow(flat_view view, size_t at)
{
    view.at = at + number_at(view, at, 4);
    cr_assert_lt(view.at, view.size);
    return view;
}

static flat_view table_of(flat_view table, unsigned field)
{
    size_t at = field_at(table, field);
    cr_assert_neq(at, 0);
    return follow(table, at);
}

static size_t vector_of(flat_view table, unsigned field, size_t *count)
{
    flat_view vector = table_of(table, field);
    *count = number_at(vector, vector.at, 4);
    return vector.at + 4;
}

static vc_str string_of(flat_view table, unsigned field)
{
    flat_view string = table_of(table, field);
    size_t size = number_at(string, string.at, 4);
    cr_assert_lt(string.at + 4 + size, string.size);
    cr_assert_eq(string.data[string.at + 4 + size], 0);
    return (vc_str){(const char *)string.data + string.at + 4, size};
}

/* ---- a reader of streams ---- */

typedef struct arrow_message {
    flat_view table; /* Message */
    vc_str body;
} arrow_message;

/* The next message; false at the end mark, which must be there. */
static bool next_message(vc_str *rest, arrow_message *message_out)
{
    uint32_t frame[2];
    cr_assert_geq(rest->size, sizeof frame);
    memcpy(frame, rest->data, sizeof frame);
    cr_assert_eq(frame[0], UINT32_MAX);
    rest->data += sizeof frame;
    rest->size -= sizeof frame;
    if (frame[1] == 0) return false;
    cr_assert_eq(frame[1] % 8, 0);
    cr_assert_leq(frame[1], rest->size);
    flat_view root = {(const unsigned char *)rest->data, frame[1], 0};
    message_out->table = follow(root, 0);
    cr_assert_eq(number_of(message_out->table, 0, 2), 4); /* V5 */
    size_t body_size = number_of(message_out->table, 3, 8);
    cr_assert_eq(body_size % 8, 0);
    cr_assert_leq(frame[1] + body_size, rest->size);
    message_out->body = (vc_str){rest->data + frame[1], body_size};
    rest->data += frame[1] + body_size;
    rest->size -= frame[1] + body_size;
    return true;
}

typedef struct arrow_batch {
    arrow_message in;
    size_t nrows;
    size_t nodes, buffers; /* where the vectors stand */
    size_t next_node, next_buffer;
} arrow_batch;

static arrow_batch open_batch(const arrow_message *in)
{
    cr_assert_eq(number_of(in->table, 1, 1), 3);
    flat_view table = table_of(in->table, 2);
    size_t nnodes, nbuffers;
    return (arrow_batch){.in = *in,
                         .nrows = number_of(table, 0, 8),
                         .nodes = vector_of(table, 1, &nnodes),
                         .buffers = vector_of(table, 2, &nbuffers)};
}

static vc_str next_buffer(arrow_batch *batch)
{
    size_t at = batch->buffers + 16 * batch->next_buffer++;
    size_t offset = number_at(batch->in.table, at, 8), size = number_at(batch->in.table, at + 8, 8);
    cr_assert_eq(offset % 8, 0);
    cr_assert_leq(offset + size, batch->in.body.size);
    return (vc_str){batch->in.body.data + offset, size};
}

/* The rows of the next node, checked against its bits of validity; an absent buffer: no nulls. */
static size_t next_node(arrow_batch *batch, vc_str *bits)
{
    size_t at = batch->nodes + 16 * batch->next_node++;
    size_t length = number_at(batch->in.table, at, 8), nvalid = 0;
    *bits = next_buffer(batch);
    if (bits->size == 0) {
        cr_assert(length == 0 || number_at(batch->in.table, at + 8, 8) == 0);
        return length;
    }
    for (size_t i = 0; i < length; i++)
        nvalid += (unsigned)bits->data[i / 8] >> i % 8 & 1;
    cr_assert_eq(length - nvalid, number_at(batch->in.table, at + 8, 8));
    return length;
}

static bool is_valid(vc_str bits, size_t i)
{
    return bits.size == 0 || ((unsigned)bits.data[i / 8] >> i % 8 & 1);
}

static vc_str text_at(vc_str offsets, vc_str data, size_t i)
{
    int32_t ends[2];
    cr_assert_leq(4 * (i + 2), offsets.size);
    memcpy(ends, offsets.data + 4 * i, sizeof ends);
    cr_assert(ends[0] >= 0 && ends[0] <= ends[1] && (size_t)ends[1] <= data.size);
    return (vc_str){data.data + ends[0], (size_t)(ends[1] - ends[0])};
}

/* ---- compared with what the format `columns` says ---- */

enum { INT = 2, FLOAT = 3, UTF8 = 5, DECIMAL = 7, LIST = 12 };

typedef struct arrow_column {
    vc_str name;
    int type;
    unsigned scale;
} arrow_column;

typedef struct column_data { /* of a batch */
    vc_str bits, values, offsets, texts;
} column_data;

static void assert_text(vc_str text, const json_t *expected)
{
    char number[VC_NUMBER_TEXT];
    if (json_is_string(expected)) {
        cr_assert(vc_str_equal(
            text, (vc_str){json_string_value(expected), json_string_length(expected)}));
        return;
    }
    cr_assert(json_is_integer(expected)); /* a key among others that are no numbers */
    size_t size = vc_format_int(number, json_integer_value(expected));
    cr_assert(vc_str_equal(text, (vc_str){number, size}));
}

static void assert_list(const column_data *data, size_t row, const json_t *expected)
{
    int32_t ends[2];
    memcpy(ends, data->values.data + 4 * row, sizeof ends);
    size_t count = (size_t)(ends[1] - ends[0]);
    cr_assert_eq(count, json_is_array(expected) ? json_array_size(expected) : 1);
    for (size_t i = 0; i < count; i++)
        assert_text(text_at(data->offsets, data->texts, (size_t)ends[0] + i),
                    json_is_array(expected) ? json_array_get(expected, i) : expected);
}

static void assert_value(const arrow_column *column, const column_data *data, size_t row,
                         const json_t *expected)
{
    int64_t number[2];
    double real;
    char text[VC_NUMBER_TEXT + 1];
    cr_assert_eq(is_valid(data->bits, row), expected != NULL && !json_is_null(expected));
    if (!is_valid(data->bits, row)) return;
    switch (column->type) {
    case INT:
        memcpy(number, data->values.data + 8 * row, 8);
        cr_assert_eq(number[0], json_integer_value(expected));
        break;
    case FLOAT:
        memcpy(&real, data->values.data + 8 * row, 8);
        cr_assert_eq(real, json_number_value(expected));
        break;
    case DECIMAL:
        memcpy(number, data->values.data + 16 * row, 16);
        cr_assert_eq(number[1], number[0] < 0 ? -1 : 0);
        text[vc_format_decimal(text, number[0], column->scale)] = '\0';
        cr_assert_eq(strtod(text, NULL), json_number_value(expected), "%s", text);
        break;
    case LIST: assert_list(data, row, expected); break;
    default: assert_text(text_at(data->values, data->texts, row), expected);
    }
}

static column_data next_column(arrow_batch *batch, int type)
{
    column_data data = {0};
    vc_str no_bits;
    cr_assert_eq(next_node(batch, &data.bits), batch->nrows);
    data.values = next_buffer(batch);
    if (type == LIST) {
        next_node(batch, &no_bits);
        data.offsets = next_buffer(batch);
    }
    if (type == LIST || type == UTF8) data.texts = next_buffer(batch);
    return data;
}

static size_t read_schema(const arrow_message *in, arrow_column *columns)
{
    size_t count;
    cr_assert_eq(number_of(in->table, 1, 1), 1);
    flat_view schema = table_of(in->table, 2);
    size_t at = vector_of(schema, 1, &count);
    for (size_t c = 0; c < count; c++) {
        flat_view field = follow(schema, at + 4 * c);
        columns[c] = (arrow_column){string_of(field, 0), (int)number_of(field, 2, 1), 0};
        flat_view type = table_of(field, 3);
        if (columns[c].type == DECIMAL) columns[c].scale = (unsigned)number_of(type, 1, 4);
        if (columns[c].type == INT) cr_assert_eq(number_of(type, 0, 4), 64);
        size_t nchildren;
        vector_of(field, 5, &nchildren);
        cr_assert_eq(nchildren, columns[c].type == LIST);
    }
    return count;
}

/* What the other format has at a row of a column: a value, or in "pop_status" a reason. */
static const json_t *expected_at(const json_t *other, vc_str name, size_t row)
{
    char text[128], at[24];
    snprintf(text, sizeof text, "%.*s", VC_FMT(name));
    const json_t *values = json_object_get(json_object_get(other, "columns"), text);
    if (values != NULL) return json_array_get(values, row);
    cr_assert(name.size > 7 && strcmp(text + name.size - 7, "_status") == 0);
    text[name.size - 7] = '\0';
    snprintf(at, sizeof at, "%zu", row);
    return json_object_get(json_object_get(json_object_get(other, "status"), text), at);
}

static void check_stream(const vc_result *result, size_t *nlists)
{
    vc_buffer stream = {0}, text = {0};
    arrow_column columns[128];
    arrow_message message;
    render_into(&stream, result, VC_FORMAT_ARROW, NULL);
    render_into(&text, result, VC_FORMAT_COLUMNS, NULL);
    json_t *other = json_loadb(text.data, text.size, 0, NULL);
    vc_str rest = {stream.data, stream.size};
    cr_assert(next_message(&rest, &message));
    size_t ncolumns = read_schema(&message, columns), row = 0;
    cr_assert_eq(ncolumns, json_object_size(json_object_get(other, "columns")) + result->nmeasures);
    while (next_message(&rest, &message)) {
        arrow_batch batch = open_batch(&message);
        for (size_t c = 0; c < ncolumns; c++) {
            column_data data = next_column(&batch, columns[c].type);
            *nlists += columns[c].type == LIST;
            for (size_t i = 0; i < batch.nrows; i++)
                assert_value(&columns[c], &data, i, expected_at(other, columns[c].name, row + i));
        }
        row += batch.nrows;
    }
    cr_assert_eq(row, result->nrows);
    cr_assert_eq(rest.size, 0);
    json_decref(other);
    vc_buffer_release(&stream);
    vc_buffer_release(&text);
}

Test(arrow, random_results_read_back)
{
    unsigned seed = 20261124;
    size_t nlists = 0;
    for (int round = 0; round < 500; round++) {
        vc_arena arena = {0};
        vc_result result = sample_random(&arena, &seed);
        check_stream(&result, &nlists);
        vc_arena_release(&arena);
    }
    cr_assert_gt(nlists, 100);
}

Test(arrow, samples_read_back)
{
    vc_arena arena = {0};
    size_t nlists = 0;
    vc_result golden = sample_golden(&arena), wide = sample_wide(&arena),
              total = sample_total(&arena);
    check_stream(&golden, &nlists);
    check_stream(&wide, &nlists);
    check_stream(&total, &nlists);
    cr_assert_eq(nlists, 2); /* a property of several values, and the marks of rows */
    vc_arena_release(&arena);
}

/* At a calculated member a measure of decimals may be a double: then all of its column are. */
Test(arrow, doubles_among_decimals)
{
    vc_arena arena = {0};
    size_t nlists = 0;
    vc_result golden = sample_golden(&arena);
    vc_cell cells[6 * 4];
    const vc_result_calculated calculated = {.dimension = VC_STR("country"),
                                             .name = VC_STR("half"),
                                             .label = VC_STR("Half"),
                                             .expr = VC_STR("FR / 2")};
    cr_assert_eq(golden.nrows * golden.nmeasures, sizeof cells / sizeof cells[0]);
    memcpy(cells, golden.cells, sizeof cells);
    cells[4] = (vc_cell){.as.f = 0.03125, .is_float = true};
    cells[9] = (vc_cell){.as.f = -2.5, .is_float = true, .reason = VC_REASON_REPEATED};
    golden.cells = cells;
    golden.summary = cells + 5 * 4;
    golden.calculated = &calculated;
    golden.ncalculated = 1;
    check_stream(&golden, &nlists);
    vc_arena_release(&arena);
}
