/* An Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format):
 * the schema, record batches of some thousand rows, and an end mark. The columns are those of CSV.
 *
 * Types are exact: integers of 64 bits, decimals of 128 bits with the scale of the measure, doubles
 * where the measure is one. Keys are integers where all that occur are, otherwise texts; a property
 * of several values is a list. meta and summary stand in the schema's metadata as JSON.
 */
#include "render/flat.h"
#include "render/parts.h"

#include <string.h>

enum {
    BATCH_ROWS = 16384,
    PIECE_BYTES = 4096, /* of a body, so that blocks do not outgrow theirs */
    /* Of the Arrow format, Message.fbs and Schema.fbs. */
    METADATA_V5 = 4,
    HEADER_SCHEMA = 1,
    HEADER_BATCH = 3,
    TYPE_INT = 2,
    TYPE_FLOAT = 3,
    TYPE_UTF8 = 5,
    TYPE_DECIMAL = 7,
    TYPE_LIST = 12,
    PRECISION_DOUBLE = 2,
    DECIMAL_BITS = 128,
    DECIMAL_DIGITS = 38,
};

typedef struct arrow_column {
    vc_out_column column;
    int type;
    unsigned scale;
} arrow_column;

typedef struct arrow_node { /* FieldNode */
    int64_t length, nnulls;
} arrow_node;

typedef struct arrow_buffer { /* Buffer */
    int64_t offset, size;
} arrow_buffer;

typedef struct arrow {
    vc_rendering *rendering;
    size_t ncolumns;
    arrow_column *columns;
    /* of the batch that is being made */
    size_t first, nrows;
    vc_buffer body;
    arrow_node *nodes;     /* [2 * ncolumns] */
    arrow_buffer *buffers; /* [5 * ncolumns] */
    size_t nnodes, nbuffers;
} arrow;

/* ---- schema ---- */

/* Is every key of the level that occurs an integer of 64 bits? */
static bool has_integer_keys(const vc_result_axis *axis, size_t level)
{
    for (size_t i = 0; i < axis->nmembers; i++) {
        const vc_result_member *member = &axis->members[i];
        vc_str key = member->keys[level];
        int64_t number;
        if (vc_str_is_null(key)) continue;
        if (!vc_key_is_number(&axis->levels[level], member, key)) return false;
        if (vc_parse_int(key, &number) != VC_PARSE_OK) return false;
    }
    return axis->levels[level].key_type == VC_KEY_INT;
}

/* At calculated members a value may be a double although the measure is none. */
static bool has_doubles(const vc_result *result, size_t m)
{
    if (result->measures[m].type == VC_VALUE_FLOAT) return true;
    if (result->ncalculated == 0) return false;
    for (size_t row = 0; row < result->nrows; row++)
        if (vc_row_cells(result, row)[m].is_float) return true;
    return false;
}

static void choose_type(const vc_result *result, arrow_column *column)
{
    const vc_out_column *out = &column->column;
    const vc_result_axis *axis = &result->axes[out->axis];
    switch (out->kind) {
    case VC_OUT_KEY:
        column->type = has_integer_keys(axis, out->index) ? TYPE_INT : TYPE_UTF8;
        break;
    case VC_OUT_PROPERTY:
        column->type = axis->properties[out->index].is_multi ? TYPE_LIST : TYPE_UTF8;
        break;
    case VC_OUT_GROUPING: column->type = TYPE_INT; break;
    case VC_OUT_MARK: column->type = TYPE_LIST; break;
    case VC_OUT_LABEL:
    case VC_OUT_STATUS: column->type = TYPE_UTF8; break;
    case VC_OUT_VALUE:
        column->type = has_doubles(result, out->index)                         ? TYPE_FLOAT
                       : result->measures[out->index].type == VC_VALUE_DECIMAL ? TYPE_DECIMAL
                                                                               : TYPE_INT;
        column->scale = result->measures[out->index].scale;
        break;
    }
}

static vc_flat_ref put_type(vc_flat *flat, const arrow_column *column)
{
    vc_flat_begin(flat);
    if (column->type == TYPE_INT) {
        vc_flat_add(flat, 0, 64, 4);
        vc_flat_add(flat, 1, true, 1);
    } else if (column->type == TYPE_FLOAT) {
        vc_flat_add(flat, 0, PRECISION_DOUBLE, 2);
    } else if (column->type == TYPE_DECIMAL) {
        vc_flat_add(flat, 0, DECIMAL_DIGITS, 4);
        vc_flat_add(flat, 1, column->scale, 4);
        vc_flat_add(flat, 2, DECIMAL_BITS, 4);
    }
    return vc_flat_end(flat);
}

static vc_flat_ref put_field(vc_flat *flat, vc_str name, const arrow_column *column,
                             vc_flat_ref child)
{
    vc_flat_ref children = vc_flat_refs(flat, &child, child != 0);
    vc_flat_ref name_ref = vc_flat_string(flat, name);
    vc_flat_ref type = put_type(flat, column);
    vc_flat_begin(flat);
    vc_flat_add_ref(flat, 0, name_ref);
    vc_flat_add(flat, 1, true, 1); /* nullable */
    vc_flat_add(flat, 2, (uint64_t)column->type, 1);
    vc_flat_add_ref(flat, 3, type);
    vc_flat_add_ref(flat, 5, children);
    return vc_flat_end(flat);
}

static vc_flat_ref put_column(vc_flat *flat, vc_str name, const arrow_column *column)
{
    static const arrow_column text = {.type = TYPE_UTF8};
    vc_flat_ref child = column->type == TYPE_LIST ? put_field(flat, VC_STR("item"), &text, 0) : 0;
    return put_field(flat, name, column, child);
}

static vc_flat_ref put_key_value(vc_flat *flat, const char *key, vc_str value)
{
    vc_flat_ref value_ref = vc_flat_string(flat, value);
    vc_flat_ref key_ref = vc_flat_string(flat, vc_str_of(key));
    vc_flat_begin(flat);
    vc_flat_add_ref(flat, 0, key_ref);
    vc_flat_add_ref(flat, 1, value_ref);
    return vc_flat_end(flat);
}

/* {"meta":{...},"summary":{...}} as in the other formats. */
static vc_flat_ref put_metadata(arrow *in, vc_flat *flat)
{
    vc_rendering *rendering = in->rendering;
    vc_record_names names;
    if (!vc_record_names_init(rendering, &names)) {
        flat->failed = true;
        return 0;
    }
    /* They are written into the rendering's own buffer, which is empty yet. */
    vc_buffer *buffer = &rendering->buffer;
    vc_put_meta(buffer, rendering->result);
    size_t size = buffer->size;
    vc_put_summary(rendering, &names);
    vc_flat_ref refs[2] = {0};
    if (!buffer->failed) {
        refs[0] = put_key_value(flat, "vcube.meta", (vc_str){buffer->data, size});
        refs[1] = put_key_value(flat, "vcube.summary",
                                (vc_str){buffer->data + size, buffer->size - size});
    }
    vc_buffer_clear(buffer);
    return vc_flat_refs(flat, refs, 2);
}

static vc_flat_ref put_schema(arrow *in, vc_flat *flat)
{
    vc_flat_ref *fields = VC_ARENA_NEW(&in->rendering->arena, vc_flat_ref, in->ncolumns);
    if (fields == NULL) {
        flat->failed = true;
        return 0;
    }
    for (size_t c = 0; c < in->ncolumns; c++)
        fields[c] = put_column(flat, vc_out_column_name(in->rendering, &in->columns[c].column),
                               &in->columns[c]);
    vc_flat_ref list = vc_flat_refs(flat, fields, in->ncolumns);
    vc_flat_ref metadata = put_metadata(in, flat);
    vc_flat_begin(flat);
    vc_flat_add_ref(flat, 1, list);
    vc_flat_add_ref(flat, 2, metadata);
    return vc_flat_end(flat);
}

/* ---- messages ---- */

static void put_le32(vc_buffer *buffer, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        vc_buffer_put_char(buffer, (char)(value >> 8 * i));
}

/* A message's frame and metadata; its body follows. */
static bool put_message(arrow *in, vc_flat *flat, unsigned kind, vc_flat_ref header,
                        size_t body_size)
{
    vc_buffer *out = &in->rendering->buffer;
    vc_str bytes;
    vc_flat_begin(flat);
    vc_flat_add(flat, 3, body_size, 8);
    vc_flat_add_ref(flat, 2, header);
    vc_flat_add(flat, 0, METADATA_V5, 2);
    vc_flat_add(flat, 1, kind, 1);
    bool is_made = vc_flat_finish(flat, vc_flat_end(flat), &bytes);
    if (is_made) {
        put_le32(out, UINT32_MAX);
        put_le32(out, (uint32_t)bytes.size);
        vc_buffer_put_str(out, bytes);
    } else {
        in->rendering->status = vc_no_memory(in->rendering->error);
    }
    vc_flat_release(flat);
    return is_made;
}

/* ---- columns of a batch ---- */

static void end_buffer(arrow *in, size_t begin)
{
    static const char zeros[8];
    in->buffers[in->nbuffers++] = (arrow_buffer){(int64_t)begin, (int64_t)(in->body.size - begin)};
    vc_buffer_put(&in->body, zeros, (8 - in->body.size % 8) % 8);
}

/* Validity bits, none of them set. NULL when out of memory. */
static uint8_t *begin_bits(arrow *in, size_t count)
{
    size_t begin = in->body.size, size = (count + 7) / 8;
    if (!vc_buffer_reserve(&in->body, size + 8)) return NULL;
    memset(in->body.data + begin, 0, size);
    in->body.size += size;
    end_buffer(in, begin);
    return (uint8_t *)in->body.data + begin;
}

static void set_bit(uint8_t *bits, size_t i)
{
    bits[i / 8] |= (uint8_t)(1u << i % 8);
}

static void end_node(arrow *in, size_t length, size_t nnulls)
{
    in->nodes[in->nnodes++] = (arrow_node){(int64_t)length, (int64_t)nnulls};
}

/* The double nearest to a scaled integer. */
static double double_of(int64_t scaled, unsigned scale)
{
    char text[VC_NUMBER_TEXT];
    double value = 0;
    size_t size = vc_format_decimal(text, scaled, scale);
    vc_parse_double((vc_str){text, size}, '.', &value);
    return value;
}

/* The 8 bytes of a number of a row, an integer's or a double's; false when it is null. */
static bool number_of(const arrow *in, const arrow_column *column, size_t row, int64_t *number)
{
    const vc_result *result = in->rendering->result;
    const vc_out_column *out = &column->column;
    if (out->kind == VC_OUT_GROUPING) {
        *number = result->grouping[row];
        return true;
    }
    if (out->kind == VC_OUT_KEY) {
        const vc_result_member *member = vc_row_member(result, row, out->axis);
        return member != NULL && !vc_str_is_null(member->keys[out->index]) &&
               vc_parse_int(member->keys[out->index], number) == VC_PARSE_OK;
    }
    const vc_cell *cell = &vc_row_cells(result, row)[out->index];
    if (cell->is_null) return false;
    *number = cell->as.i;
    if (column->type == TYPE_FLOAT && !cell->is_float &&
        result->measures[out->index].type != VC_VALUE_FLOAT) {
        double value = double_of(cell->as.i, column->scale);
        memcpy(number, &value, sizeof value);
    }
    return true;
}

/* Are the cells of the column numbers as they are written? */
static bool is_as_kept(const arrow *in, const arrow_column *column)
{
    const vc_out_column *out = &column->column;
    return out->kind == VC_OUT_VALUE &&
           (column->type != TYPE_FLOAT ||
            in->rendering->result->measures[out->index].type == VC_VALUE_FLOAT);
}

/* The cells of a measure, without a decision per cell. Returns how many are null. */
static size_t copy_cells(const arrow *in, size_t measure, size_t width, uint8_t *bits, char *to)
{
    const vc_result *result = in->rendering->result;
    const vc_cell *cell = vc_row_cells(result, in->first) + measure;
    size_t nnulls = 0;
    for (size_t i = 0; i < in->nrows; i++, to += width, cell += result->nmeasures) {
        int64_t number = cell->is_null ? 0 : cell->as.i, sign = number >> 63;
        bits[i / 8] |= (uint8_t)(!cell->is_null << i % 8);
        nnulls += cell->is_null;
        memcpy(to, &number, 8);
        if (width == 16) memcpy(to + 8, &sign, 8);
    }
    return nnulls;
}

/* Numbers of 8 bytes, of 16 with the sign in the upper half. */
static void put_numbers(arrow *in, const arrow_column *column)
{
    size_t nnulls = 0, width = column->type == TYPE_DECIMAL ? 16 : 8;
    size_t bits_at = in->body.size;
    if (begin_bits(in, in->nrows) == NULL) return;
    size_t begin = in->body.size;
    if (!vc_buffer_reserve(&in->body, in->nrows * width + 8)) return;
    uint8_t *bits = (uint8_t *)in->body.data + bits_at;
    char *to = in->body.data + begin;
    bool is_kept = is_as_kept(in, column);
    if (is_kept) nnulls = copy_cells(in, column->column.index, width, bits, to);
    for (size_t i = 0; i < in->nrows && !is_kept; i++, to += width) {
        int64_t number = 0;
        if (number_of(in, column, in->first + i, &number))
            set_bit(bits, i);
        else
            nnulls++;
        int64_t sign = number < 0 ? -1 : 0;
        memcpy(to, &number, 8);
        if (width == 16) memcpy(to + 8, &sign, 8);
    }
    in->body.size += in->nrows * width;
    end_buffer(in, begin);
    end_node(in, in->nrows, nnulls);
}

/* The text of a row; absent: null. */
static vc_str text_of(const arrow *in, const vc_out_column *out, size_t row)
{
    const vc_result *result = in->rendering->result;
    const vc_result_member *member = vc_row_member(result, row, out->axis);
    if (member == NULL) return (vc_str){0};
    if (out->kind == VC_OUT_KEY) return member->keys[out->index];
    if (out->kind == VC_OUT_LABEL) return member->labels[out->index];
    const vc_result_values *values = &member->properties[out->index];
    return values->count > 0 ? values->items[0] : (vc_str){0};
}

/* Room for the offsets of `count` items, which are written as the texts come. */
static size_t begin_offsets(arrow *in, size_t count)
{
    size_t begin = in->body.size;
    if (!vc_buffer_reserve(&in->body, 4 * (count + 1) + 8)) return 0;
    in->body.size += 4 * (count + 1);
    end_buffer(in, begin);
    return begin;
}

static void set_offset(arrow *in, size_t offsets, size_t i, size_t value)
{
    uint32_t offset = (uint32_t)value;
    if (!in->body.failed) memcpy(in->body.data + offsets + 4 * i, &offset, 4);
}

/* The reasons of a measure's cells: texts of one letter, or null. */
static void put_reasons(arrow *in, size_t measure)
{
    const vc_result *result = in->rendering->result;
    size_t bits_at = in->body.size;
    if (begin_bits(in, in->nrows) == NULL) return;
    size_t offsets = begin_offsets(in, in->nrows), begin = in->body.size, count = 0;
    if (!vc_buffer_reserve(&in->body, in->nrows + 8)) return;
    const vc_cell *cell = vc_row_cells(result, in->first) + measure;
    uint8_t *bits = (uint8_t *)in->body.data + bits_at;
    char *to = in->body.data + begin;
    for (size_t i = 0; i < in->nrows; i++, cell += result->nmeasures) {
        bool is_there = cell->reason != VC_REASON_NONE;
        set_offset(in, offsets, i, count);
        bits[i / 8] |= (uint8_t)(is_there << i % 8);
        to[count] = cell->reason;
        count += is_there;
    }
    in->body.size += count;
    set_offset(in, offsets, in->nrows, count);
    end_buffer(in, begin);
    end_node(in, in->nrows, in->nrows - count);
}

static void put_texts(arrow *in, const arrow_column *column)
{
    size_t nnulls = 0, bits = in->body.size;
    if (begin_bits(in, in->nrows) == NULL) return;
    size_t offsets = begin_offsets(in, in->nrows), begin = in->body.size;
    for (size_t i = 0; i < in->nrows && !in->body.failed; i++) {
        vc_str text = text_of(in, &column->column, in->first + i);
        set_offset(in, offsets, i, in->body.size - begin);
        if (vc_str_is_null(text)) {
            nnulls++;
            continue;
        }
        set_bit((uint8_t *)in->body.data + bits, i);
        vc_buffer_put_str(&in->body, text);
    }
    set_offset(in, offsets, in->nrows, in->body.size - begin);
    end_buffer(in, begin);
    end_node(in, in->nrows, nnulls);
}

/* What stands in the list of a row: item `i` of it, or absent behind the last. */
static vc_str item_of(const arrow *in, const vc_out_column *out, size_t row, size_t i)
{
    const vc_result *result = in->rendering->result;
    if (out->kind == VC_OUT_PROPERTY) {
        const vc_result_member *member = vc_row_member(result, row, out->axis);
        if (member == NULL || i >= member->properties[out->index].count) return (vc_str){0};
        return member->properties[out->index].items[i];
    }
    for (size_t a = 0; a < result->naxes; a++)
        if (vc_row_is_marked(result, row, a, (vc_mark)out->index) && i-- == 0)
            return result->axes[a].dimension;
    return (vc_str){0};
}

/* A list of texts: its own validity and offsets, then those of the texts of all rows. A row without
 * any is null. */
static void put_lists(arrow *in, const arrow_column *column)
{
    size_t nnulls = 0, nitems = 0, bits = in->body.size;
    if (begin_bits(in, in->nrows) == NULL) return;
    size_t offsets = begin_offsets(in, in->nrows);
    for (size_t i = 0; i < in->nrows && !in->body.failed; i++) {
        size_t count = 0;
        while (!vc_str_is_null(item_of(in, &column->column, in->first + i, count)))
            count++;
        set_offset(in, offsets, i, nitems);
        nitems += count;
        if (count > 0)
            set_bit((uint8_t *)in->body.data + bits, i);
        else
            nnulls++;
    }
    set_offset(in, offsets, in->nrows, nitems);
    end_node(in, in->nrows, nnulls);

    end_buffer(in, in->body.size); /* the items have no nulls, and no bits of them then */
    size_t item_offsets = begin_offsets(in, nitems), begin = in->body.size, number = 0;
    for (size_t i = 0; i < in->nrows && !in->body.failed; i++)
        for (size_t j = 0;; j++) {
            vc_str text = item_of(in, &column->column, in->first + i, j);
            if (vc_str_is_null(text)) break;
            set_offset(in, item_offsets, number++, in->body.size - begin);
            vc_buffer_put_str(&in->body, text);
        }
    set_offset(in, item_offsets, nitems, in->body.size - begin);
    end_buffer(in, begin);
    end_node(in, nitems, 0);
}

static bool put_batch(arrow *in)
{
    vc_flat flat = {0};
    vc_buffer_clear(&in->body);
    in->nnodes = in->nbuffers = 0;
    for (size_t c = 0; c < in->ncolumns; c++) {
        const arrow_column *column = &in->columns[c];
        if (column->column.kind == VC_OUT_STATUS)
            put_reasons(in, column->column.index);
        else if (column->type == TYPE_UTF8)
            put_texts(in, column);
        else if (column->type == TYPE_LIST)
            put_lists(in, column);
        else
            put_numbers(in, column);
    }
    if (in->body.failed) {
        in->rendering->status = vc_no_memory(in->rendering->error);
        return false;
    }
    vc_flat_ref buffers = vc_flat_vector(&flat, in->buffers, in->nbuffers, sizeof *in->buffers, 8);
    vc_flat_ref nodes = vc_flat_vector(&flat, in->nodes, in->nnodes, sizeof *in->nodes, 8);
    vc_flat_begin(&flat);
    vc_flat_add(&flat, 0, in->nrows, 8);
    vc_flat_add_ref(&flat, 1, nodes);
    vc_flat_add_ref(&flat, 2, buffers);
    if (!put_message(in, &flat, HEADER_BATCH, vc_flat_end(&flat), in->body.size)) return false;
    for (size_t done = 0; done < in->body.size; done += PIECE_BYTES) {
        size_t rest = in->body.size - done;
        vc_buffer_put(&in->rendering->buffer, in->body.data + done,
                      rest < PIECE_BYTES ? rest : PIECE_BYTES);
        if (!vc_render_row_done(in->rendering)) return false;
    }
    return true;
}

static bool begin(arrow *in)
{
    vc_rendering *rendering = in->rendering;
    const vc_out_column *columns;
    if (!vc_out_columns_list(rendering, true, &columns, &in->ncolumns)) return false;
    in->columns = VC_ARENA_NEW(&rendering->arena, arrow_column, in->ncolumns);
    in->nodes = VC_ARENA_NEW(&rendering->arena, arrow_node, 2 * in->ncolumns);
    in->buffers = VC_ARENA_NEW(&rendering->arena, arrow_buffer, 5 * in->ncolumns);
    if (in->columns == NULL || in->nodes == NULL || in->buffers == NULL) return false;
    for (size_t c = 0; c < in->ncolumns; c++) {
        in->columns[c].column = columns[c];
        choose_type(rendering->result, &in->columns[c]);
    }
    return true;
}

void vc_render_arrow(vc_rendering *rendering)
{
    const vc_result *result = rendering->result;
    arrow in = {.rendering = rendering};
    vc_flat flat = {0};
    if (!begin(&in)) {
        rendering->status = vc_no_memory(rendering->error);
        return;
    }
    bool is_going = put_message(&in, &flat, HEADER_SCHEMA, put_schema(&in, &flat), 0);
    for (size_t row = 0; is_going && row < result->nrows; row += BATCH_ROWS) {
        in.first = row;
        in.nrows = result->nrows - row < BATCH_ROWS ? result->nrows - row : BATCH_ROWS;
        is_going = put_batch(&in);
    }
    if (is_going) {
        put_le32(&rendering->buffer, UINT32_MAX);
        put_le32(&rendering->buffer, 0);
    }
    vc_buffer_release(&in.body);
}
