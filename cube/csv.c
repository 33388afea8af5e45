/* The streaming shell around vc_csv_split: it has whole records ready in a buffer, checks what the
 * split does not (text, number of fields, sizes), and finds the way on behind a row that is no
 * good.
 *
 * A record that does not end in the buffer is split again when twice as much of it is there, so a
 * long one costs twice its size and not its square. A record is only judged when its end, the end
 * of the input or `window` bytes of it are there: that is why the answer does not depend on how the
 * bytes arrive.
 *
 * Behind a quote that is not closed, reading goes on with the next line, although the whole window
 * was scanned for its end. That is no square either: had another field opened in the window and not
 * closed, its odd run of quotes would have closed the first one.
 */
#include "cube/csv_parts.h"

#include "base/nearest.h"
#include "base/strmap.h"
#include "cube/definition.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 256 * 1024 };

/* ---- options ---- */

void vc_csv_options_init(vc_csv_options *options)
{
    static const vc_str empty = {.data = "", .size = 0};
    *options = (vc_csv_options){
        .delimiter = ',',
        .quote = '"',
        .decimal = '.',
        .has_header = true,
        .nulls = &empty,
        .nnulls = 1,
        .field_bytes_max = VC_CSV_FIELD_BYTES_MAX,
        .row_bytes_max = VC_CSV_ROW_BYTES_MAX,
    };
}

vc_status vc_csv_options_of(const vc_csv_def *definition, vc_csv_options *options_out,
                            vc_error *error)
{
    vc_csv_options_init(options_out);
    options_out->delimiter = definition->delimiter;
    options_out->quote = definition->quote;
    options_out->decimal = definition->decimal;
    options_out->is_ndjson = definition->is_ndjson;
    options_out->has_header = definition->has_header && !definition->is_ndjson;
    options_out->nulls = definition->nulls;
    options_out->nnulls = definition->nnulls;
    options_out->columns = definition->columns;
    options_out->ncolumns = definition->ncolumns;
    if (vc_str_is_null(definition->encoding)) return VC_OK;
    return vc_encoding_parse(definition->encoding, &options_out->encoding, error);
}

static bool is_mark(char byte)
{
    return byte != '\0' && ((unsigned char)byte & 0x80) == 0 && byte != '\r' && byte != '\n';
}

static vc_status check_options(const vc_csv_options *options, vc_error *error)
{
    if (!is_mark(options->delimiter))
        return vc_fail(error, VC_BAD_INPUT, "csv_option",
                       "the delimiter is byte 0x%02X, expected one ASCII character that is no line "
                       "end",
                       (unsigned char)options->delimiter);
    if (!is_mark(options->quote))
        return vc_fail(error, VC_BAD_INPUT, "csv_option",
                       "the quote is byte 0x%02X, expected one ASCII character that is no line end",
                       (unsigned char)options->quote);
    if (options->delimiter == options->quote)
        return vc_fail(error, VC_BAD_INPUT, "csv_option",
                       "delimiter and quote are both '%c', expected different characters",
                       options->quote);
    if (options->decimal != '.' && options->decimal != ',')
        return vc_fail(error, VC_BAD_INPUT, "csv_option",
                       "the decimal character is byte 0x%02X, expected '.' or ','",
                       (unsigned char)options->decimal);
    return VC_OK;
}

static void set_nulls(vc_csv *csv)
{
    for (size_t i = 0; i < csv->options.nnulls; i++) {
        size_t size = csv->options.nulls[i].size;
        csv->null_sizes |= UINT64_C(1) << (size < 63 ? size : 63);
    }
}

/* ---- rows ---- */

bool vc_csv_want_all(vc_csv *csv)
{
    csv->wanted = VC_ARENA_NEW(&csv->arena, uint32_t, csv->ncolumns);
    if (csv->wanted == NULL) return false;
    for (uint32_t i = 0; i < csv->ncolumns; i++)
        csv->wanted[i] = i;
    csv->nwanted = csv->ncolumns;
    return true;
}

bool vc_csv_is_null(const vc_csv *csv, vc_str text)
{
    if ((csv->null_sizes >> (text.size < 63 ? text.size : 63) & 1) == 0) return false;
    for (size_t i = 0; i < csv->options.nnulls; i++) {
        vc_str null = csv->options.nulls[i];
        if (text.size == null.size && memcmp(text.data, null.data, null.size) == 0) return true;
    }
    return false;
}

bool vc_csv_reserve_unescaped(vc_csv *csv, size_t size)
{
    if (csv->unescaped_capacity >= size) return true;
    char *unescaped = realloc(csv->unescaped, size);
    if (unescaped == NULL) return false;
    csv->unescaped = unescaped;
    csv->unescaped_capacity = size;
    return true;
}

static vc_status make_fields(vc_csv *csv, vc_csv_row *row, vc_error *error)
{
    const char *record = row->record.data;
    size_t unescaped_bytes = 0;
    for (size_t w = 0; w < csv->nwanted; w++) {
        uint32_t i = csv->wanted[w];
        const vc_csv_field *extent = &csv->extents[i];
        vc_str text = {record + extent->first, extent->end - extent->first};
        if (extent->has_escapes) {
            if (!vc_csv_reserve_unescaped(csv, row->record.size)) return vc_no_memory(error);
            text.data = csv->unescaped + unescaped_bytes;
            text.size =
                vc_csv_unescape(&csv->syntax, record, extent, csv->unescaped + unescaped_bytes);
            unescaped_bytes += text.size;
        }
        if (vc_csv_is_null(csv, text)) text = (vc_str){0};
        csv->fields[i] = text;
    }
    row->nfields = csv->ncolumns;
    row->fields = csv->fields;
    row->extents = csv->extents;
    return VC_OK;
}

vc_csv_event vc_csv_fail_for_good(vc_csv *csv, vc_status status, vc_error *error)
{
    csv->failure.status = status;
    if (error != NULL) *error = csv->failure;
    return VC_CSV_FAILED;
}

static vc_csv_event deliver_object(vc_csv *csv, const vc_csv_record *record, vc_csv_row *row,
                                   vc_error *error)
{
    vc_error reason = {0};
    vc_status status = VC_OK;
    if (csv->nprepared != csv->ncolumns) status = vc_ndjson_start_rows(csv, &csv->failure);
    if (status != VC_OK) return vc_csv_fail_for_good(csv, status, error);
    status = vc_ndjson_read_row(csv, row, error != NULL ? error : &reason);
    if (status == VC_NO_MEMORY) {
        vc_no_memory(&csv->failure);
        return vc_csv_fail_for_good(csv, status, error);
    }
    vc_csv_pass(csv, record);
    return status == VC_OK ? VC_CSV_ROW : VC_CSV_REJECT;
}

static vc_csv_event deliver(vc_csv *csv, vc_csv_record *record, vc_csv_row *row, vc_error *error)
{
    *row =
        (vc_csv_row){.record = {csv->buffer + csv->first, record->text_bytes}, .line = csv->line};
    csv->row_first = csv->first;
    if (vc_csv_check_record(csv, record, row, error) != VC_OK) {
        vc_csv_pass(csv, record);
        return VC_CSV_REJECT;
    }
    if (csv->options.is_ndjson) return deliver_object(csv, record, row, error);
    vc_status status = make_fields(csv, row, &csv->failure);
    if (status != VC_OK) return vc_csv_fail_for_good(csv, status, error);
    vc_csv_pass(csv, record);
    return VC_CSV_ROW;
}

void vc_csv_split_record(const vc_csv *csv, const char *data, size_t size, bool is_last,
                         size_t capacity, vc_csv_field *fields, vc_csv_record *record)
{
    if (csv->options.is_ndjson)
        vc_ndjson_split(data, size, is_last, csv->ncolumns, record);
    else
        vc_csv_split(&csv->syntax, data, size, is_last, capacity, fields, record);
}

vc_csv_event vc_csv_next(vc_csv *csv, vc_csv_row *row, vc_error *error)
{
    vc_status status = csv->failure.status;
    if (status != VC_OK) return vc_csv_fail_for_good(csv, status, error);
    if (csv->is_in_long_row) status = vc_csv_pass_long_row(csv, &csv->failure);
    while (status == VC_OK) {
        vc_csv_record record;
        status = vc_csv_peek(csv, csv->ncolumns + 1, csv->extents, &record, &csv->failure);
        if (status != VC_OK) break;
        if (record.outcome == VC_CSV_WHOLE) {
            if (record.bytes == 0) return VC_CSV_END;
            if (record.text_bytes == 0 && (csv->ncolumns != 1 || csv->options.is_ndjson)) {
                vc_csv_pass(csv, &record);
                continue;
            }
        }
        vc_csv_event event = deliver(csv, &record, row, error);
        if (csv->has_one_record) {
            csv->first = csv->end;
            csv->is_in_long_row = false;
        }
        return event;
    }
    return vc_csv_fail_for_good(csv, status, error);
}

/* ---- the header ---- */

/* Go to the first record that is no empty line, and count its fields: 1 when it is a reject, which
 * vc_csv_next will then find. */
static vc_status count_fields(vc_csv *csv, size_t *nfields_out, vc_error *error)
{
    for (;;) {
        vc_csv_record record;
        vc_status status = vc_csv_peek(csv, 0, NULL, &record, error);
        if (status != VC_OK) return status;
        *nfields_out = record.nfields;
        if (record.outcome != VC_CSV_WHOLE) *nfields_out = 1;
        if (record.outcome != VC_CSV_WHOLE || record.text_bytes > 0) return VC_OK;
        if (record.bytes > 0) {
            vc_csv_pass(csv, &record);
            continue;
        }
        vc_fail(error, VC_BAD_INPUT, "csv_empty", "the file is empty, expected a %s",
                csv->options.has_header ? "header row with the names of the columns" : "row");
        vc_error_at_file(error, vc_input_name(csv->input), 0, 0);
        return VC_BAD_INPUT;
    }
}

static vc_status set_columns(vc_csv *csv, size_t ncolumns, vc_error *error)
{
    if (ncolumns > VC_CSV_COLUMNS_MAX) {
        vc_fail(error, VC_BAD_INPUT, "csv_header", "the file has %zu columns, at most %d are read",
                ncolumns, VC_CSV_COLUMNS_MAX);
        vc_error_at_file(error, vc_input_name(csv->input), (unsigned)csv->line, 0);
        return VC_BAD_INPUT;
    }
    csv->ncolumns = ncolumns;
    csv->extents = VC_ARENA_NEW(&csv->arena, vc_csv_field, ncolumns + 1);
    csv->fields = VC_ARENA_NEW(&csv->arena, vc_str, ncolumns);
    csv->names = VC_ARENA_NEW(&csv->arena, vc_str, ncolumns);
    if (csv->extents == NULL || csv->fields == NULL || csv->names == NULL)
        return vc_no_memory(error);
    return vc_csv_want_all(csv) ? VC_OK : vc_no_memory(error);
}

static vc_status read_header(vc_csv *csv, vc_csv_row *row, vc_error *error)
{
    switch (vc_csv_next(csv, row, error)) {
    case VC_CSV_ROW: break;
    case VC_CSV_REJECT: return VC_BAD_INPUT;
    case VC_CSV_END: /* cannot be: count_fields has seen a record */
    case VC_CSV_FAILED: return csv->failure.status;
    }
    for (size_t i = 0; i < csv->ncolumns; i++) {
        if (memchr(row->fields[i].data, '\r', row->fields[i].size) != NULL) {
            vc_fail(error, VC_BAD_INPUT, "csv_header",
                    "a lone CR (0x0D) in the header; lines end with LF or CRLF");
            vc_csv_error_at(csv, row, i, error);
            return VC_BAD_INPUT;
        }
        csv->names[i] = vc_arena_str(&csv->arena, row->fields[i]);
        if (csv->names[i].data == NULL) return vc_no_memory(error);
    }
    return VC_OK;
}

/* row  the header, for the place of an error; NULL without one */
static vc_status check_names(const vc_csv *csv, const vc_csv_row *row, vc_error *error)
{
    vc_status status = VC_OK;
    size_t column_of[VC_CSV_COLUMNS_MAX]; /* by the number of the name in the map */
    vc_strmap map = {0};
    for (size_t i = 0; i < csv->ncolumns && status == VC_OK; i++) {
        if (csv->names[i].size == 0) continue;
        bool is_new;
        uint32_t number = vc_strmap_put(&map, csv->names[i], &is_new);
        if (number == VC_STRMAP_NONE) {
            status = vc_no_memory(error);
        } else if (!is_new) {
            status = vc_fail(error, VC_BAD_INPUT, "csv_header",
                             "the column name '%.*s' stands twice, as column %zu and %zu",
                             VC_FMT(csv->names[i]), column_of[number] + 1, i + 1);
            if (row != NULL) vc_csv_error_at(csv, row, i, error);
        } else {
            column_of[number] = i;
        }
    }
    if (status == VC_OK && map.count == 0) {
        status = vc_fail(error, VC_BAD_INPUT, "csv_header",
                         "the header has no name in it, expected the names of the columns");
        vc_error_at_file(error, vc_input_name(csv->input), row != NULL ? (unsigned)row->line : 0,
                         0);
    }
    vc_strmap_release(&map);
    return status;
}

static vc_status name_columns(vc_csv *csv, vc_error *error)
{
    for (size_t i = 0; i < csv->ncolumns; i++) {
        csv->names[i] = csv->options.ncolumns > 0
                            ? vc_arena_str(&csv->arena, csv->options.columns[i])
                            : vc_arena_printf(&csv->arena, "%zu", i + 1);
        if (csv->names[i].data == NULL) return vc_no_memory(error);
    }
    return VC_OK;
}

static vc_status start_ndjson(vc_csv *csv, vc_error *error)
{
    size_t unused;
    vc_status status = VC_OK;
    csv->columns = &csv->own_columns;
    if (!csv->options.may_be_empty) status = count_fields(csv, &unused, error);
    for (size_t i = 0; status == VC_OK && i < csv->options.ncolumns; i++)
        status = vc_ndjson_add_column(csv, csv->options.columns[i], &unused, error);
    set_nulls(csv);
    return status;
}

static vc_status start(vc_csv *csv, vc_error *error)
{
    if (csv->options.is_ndjson) return start_ndjson(csv, error);
    bool is_named = !csv->options.has_header && csv->options.ncolumns > 0;
    size_t ncolumns = csv->options.ncolumns;
    vc_csv_row header;
    vc_status status = check_options(&csv->options, error);
    if (status == VC_OK && !is_named) status = count_fields(csv, &ncolumns, error);
    if (status == VC_OK) status = set_columns(csv, ncolumns, error);
    if (status != VC_OK) return status;
    if (csv->options.has_header) {
        status = read_header(csv, &header, error); /* before set_nulls: a name is never null */
        if (status == VC_OK) status = check_names(csv, &header, error);
    } else {
        status = name_columns(csv, error);
        if (status == VC_OK) status = check_names(csv, NULL, error);
    }
    set_nulls(csv);
    return status;
}

vc_status vc_csv_open(vc_input *input, const vc_csv_options *options, vc_csv **csv_out,
                      vc_error *error)
{
    vc_csv *csv = calloc(1, sizeof *csv);
    if (csv == NULL) return vc_no_memory(error);
    csv->input = input;
    csv->options = *options;
    if (csv->options.field_bytes_max > VC_CSV_FIELD_BYTES_MAX)
        csv->options.field_bytes_max = VC_CSV_FIELD_BYTES_MAX;
    if (csv->options.row_bytes_max > VC_CSV_ROW_BYTES_MAX)
        csv->options.row_bytes_max = VC_CSV_ROW_BYTES_MAX;
    /* CR, LF, and a byte behind: with them the end of a row of the allowed size is always seen. */
    csv->window = csv->options.row_bytes_max + 3;
    csv->syntax = (vc_csv_syntax){.delimiter = options->delimiter, .quote = options->quote};
    csv->line = 1;
    if (csv->options.buffer_bytes == 0) csv->options.buffer_bytes = BUFFER_BYTES;
    csv->capacity = csv->options.buffer_bytes;
    csv->buffer = malloc(csv->capacity);
    vc_input_set_encoding(input, options->encoding);
    vc_status status = csv->buffer != NULL ? start(csv, error) : vc_no_memory(error);
    if (status != VC_OK) {
        vc_csv_close(csv);
        return status;
    }
    *csv_out = csv;
    return VC_OK;
}

void vc_csv_close(vc_csv *csv)
{
    if (csv == NULL) return;
    vc_arena_release(&csv->arena);
    vc_strmap_release(&csv->own_columns);
    free(csv->unescaped);
    if (!csv->is_fork) free(csv->buffer);
    free(csv);
}

/* ---- columns ---- */

size_t vc_csv_ncolumns(const vc_csv *csv)
{
    return csv->ncolumns;
}

vc_str vc_csv_column_name(const vc_csv *csv, size_t column)
{
    assert(column < csv->ncolumns);
    return csv->names[column];
}

/* The delimiter that the only column's name seems to hold; 0 when none. */
static char guess_delimiter(const vc_csv *csv)
{
    static const char usual[] = {';', '\t', '|', ','};
    if (csv->ncolumns != 1) return 0;
    for (size_t i = 0; i < sizeof usual; i++)
        if (memchr(csv->names[0].data, usual[i], csv->names[0].size) != NULL) return usual[i];
    return 0;
}

vc_status vc_csv_find_column(const vc_csv *csv, vc_str name, size_t *column_out, vc_error *error)
{
    for (size_t i = 0; i < csv->ncolumns; i++) {
        if (name.size > 0 && vc_str_equal(csv->names[i], name)) {
            *column_out = i;
            return VC_OK;
        }
    }
    char delimiter = guess_delimiter(csv), text[8];
    if (delimiter != 0)
        vc_fail(error, VC_NOT_FOUND, "unknown_column",
                "no column named '%.*s': the header is one column, '%.100s'; is the delimiter %s?",
                VC_FMT(name), csv->names[0].data,
                delimiter == '\t' ? "a tab" : vc_csv_byte_name(delimiter, text));
    else
        vc_fail(error, VC_NOT_FOUND, "unknown_column",
                "no column named '%.*s' among the %zu of the file", VC_FMT(name), csv->ncolumns);
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < csv->ncolumns && delimiter == 0; i++)
        if (csv->names[i].size > 0) vc_nearest_offer(&nearest, csv->names[i]);
    vc_nearest_report(&nearest, error);
    vc_error_at_file(error, vc_input_name(csv->input), 0, 0);
    return VC_NOT_FOUND;
}

vc_status vc_csv_need_column(vc_csv *csv, vc_str name, size_t *column_out, vc_error *error)
{
    return csv->options.is_ndjson ? vc_ndjson_add_column(csv, name, column_out, error)
                                  : vc_csv_find_column(csv, name, column_out, error);
}
