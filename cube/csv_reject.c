/* Why a record is no row, said with its place. */
#include "cube/csv_parts.h"

#include <assert.h>
#include <string.h>

enum { SHOWN_BYTES_MAX = 1000 }; /* of a row that is too long to be shown */

/* Line and column of a byte of the row's record. */
void vc_csv_error_at_byte(const vc_csv *csv, const vc_csv_row *row, size_t byte, vc_error *error)
{
    const char *line_start = row->record.data;
    const char *place = line_start + byte;
    uint64_t line = row->line;
    const char *line_end;
    while (line_start < place &&
           (line_end = memchr(line_start, '\n', (size_t)(place - line_start))) != NULL) {
        line++;
        line_start = line_end + 1;
    }
    vc_error_at_file(error, vc_input_name(csv->input), line > UINT32_MAX ? 0 : (unsigned)line,
                     (unsigned)(place - line_start) + 1);
}

void vc_csv_error_at(const vc_csv *csv, const vc_csv_row *row, size_t field, vc_error *error)
{
    assert(field < row->nfields);
    const vc_csv_field *extent = &row->extents[field];
    vc_csv_error_at_byte(csv, row, extent->first - extent->is_quoted, error);
}

/* Show only the beginning of the record, without half a character at its end. */
static void shorten_record(vc_csv_row *row)
{
    size_t size = row->record.size;
    if (size <= SHOWN_BYTES_MAX) return;
    size = SHOWN_BYTES_MAX;
    while (size > SHOWN_BYTES_MAX - 4 && ((unsigned char)row->record.data[size] & 0xC0) == 0x80)
        size--;
    row->record.size = size;
}

/* How a byte is shown in a message. */
const char *vc_csv_byte_name(char byte, char text[8])
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned value = (unsigned char)byte;
    if (value > 0x20 && value < 0x7F)
        memcpy(text, (char[]){'\'', byte, '\'', '\0'}, 4);
    else
        memcpy(text, (char[]){'0', 'x', digits[value >> 4], digits[value & 15], '\0'}, 5);
    return text;
}

static vc_status reject_unclosed(const vc_csv *csv, const vc_csv_record *record,
                                 const vc_csv_row *row, vc_error *error)
{
    if (record->outcome == VC_CSV_UNCLOSED_QUOTE)
        vc_fail(error, VC_BAD_INPUT, "csv_unclosed_quote",
                "a quoted field begins here and is not closed before the end of the file");
    else
        vc_fail(error, VC_BAD_INPUT, "csv_unclosed_quote",
                "a quoted field begins here and is not closed within the %zu bytes that a row may "
                "have",
                csv->options.row_bytes_max);
    vc_csv_error_at_byte(csv, row, record->fault, error);
    return VC_BAD_INPUT;
}

static vc_status reject_long_row(const vc_csv *csv, const vc_csv_row *row, vc_error *error)
{
    vc_fail(error, VC_BAD_INPUT, "csv_row_too_long",
            "the row is longer than %zu bytes, the most that is allowed",
            csv->options.row_bytes_max);
    vc_csv_error_at_byte(csv, row, 0, error);
    return VC_BAD_INPUT;
}

/* A record that is longer than the window: decide where the next row begins. */
vc_status vc_csv_reject_endless(vc_csv *csv, vc_csv_record *record, vc_csv_row *row,
                                vc_error *error)
{
    const char *text = row->record.data;
    const char *line_end = NULL;
    if (record->is_in_quotes)
        line_end = memchr(text + record->fault, '\n', csv->window - record->fault);
    record->bytes = line_end != NULL ? (size_t)(line_end - text) + 1 : csv->window;
    record->nlines = 0;
    for (size_t at = 0; at < record->bytes; at++)
        record->nlines += text[at] == '\n';
    csv->is_in_long_row = line_end == NULL;
    row->record.size = line_end != NULL ? record->bytes - 1 : csv->window;
    vc_status status = record->is_in_quotes ? reject_unclosed(csv, record, row, error)
                                            : reject_long_row(csv, row, error);
    shorten_record(row);
    return status;
}

static vc_status reject_text_behind_quote(const vc_csv *csv, const vc_csv_record *record,
                                          const vc_csv_row *row, vc_error *error)
{
    char found[8], delimiter[8];
    vc_fail(error, VC_BAD_INPUT, "csv_quote",
            "%s behind a closing quote, expected %s or the end of the line; a quote inside a "
            "quoted field is written twice",
            vc_csv_byte_name(row->record.data[record->fault], found),
            vc_csv_byte_name(csv->syntax.delimiter, delimiter));
    vc_csv_error_at_byte(csv, row, record->fault, error);
    return VC_BAD_INPUT;
}

static vc_status check_text(const vc_csv *csv, const vc_csv_row *row, vc_error *error)
{
    bool may_be_other = csv->options.encoding == VC_ENCODING_UTF8 && !csv->options.is_ndjson;
    const char *nul = csv->has_nul ? memchr(row->record.data, '\0', row->record.size) : NULL;
    if (nul != NULL) {
        vc_fail(error, VC_BAD_INPUT, "csv_nul", "a NUL byte (0x00), expected text%s",
                may_be_other ? "; is the \"encoding\" of the file utf-16?" : "");
        vc_csv_error_at_byte(csv, row, (size_t)(nul - row->record.data), error);
        return VC_BAD_INPUT;
    }
    size_t bad;
    if (!csv->has_non_ascii || vc_utf8_check(row->record, &bad)) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "csv_encoding", "byte 0x%02X is not valid UTF-8%s",
            (unsigned char)row->record.data[bad],
            may_be_other ? "; is the \"encoding\" of the file windows-1252 or latin1?" : "");
    vc_csv_error_at_byte(csv, row, bad, error);
    return VC_BAD_INPUT;
}

static vc_status reject_field_count(const vc_csv *csv, const vc_csv_record *record,
                                    const vc_csv_row *row, vc_error *error)
{
    vc_fail(error, VC_BAD_INPUT, "csv_fields", "the row has %zu field%s, expected %zu",
            record->nfields, record->nfields == 1 ? "" : "s", csv->ncolumns);
    size_t byte = record->text_bytes;
    if (record->nfields > csv->ncolumns) {
        const vc_csv_field *extra = &csv->extents[csv->ncolumns];
        byte = extra->first - extra->is_quoted;
    }
    vc_csv_error_at_byte(csv, row, byte, error);
    return VC_BAD_INPUT;
}

static vc_status check_field_sizes(const vc_csv *csv, const vc_csv_row *row, vc_error *error)
{
    for (size_t i = 0; i < csv->ncolumns; i++) {
        const vc_csv_field *extent = &csv->extents[i];
        size_t size = extent->end - extent->first;
        if (size <= csv->options.field_bytes_max) continue;
        vc_fail(error, VC_BAD_INPUT, "csv_field_too_long",
                "field %zu has %zu bytes, at most %zu are allowed", i + 1, size,
                csv->options.field_bytes_max);
        vc_csv_error_at_byte(csv, row, extent->first - extent->is_quoted, error);
        return VC_BAD_INPUT;
    }
    return VC_OK;
}

/* Is it a row? If not, the error says why, and the row shows what may be shown. */
vc_status vc_csv_check_record(vc_csv *csv, vc_csv_record *record, vc_csv_row *row, vc_error *error)
{
    vc_status status = VC_OK;
    switch (record->outcome) {
    case VC_CSV_INCOMPLETE: return vc_csv_reject_endless(csv, record, row, error);
    case VC_CSV_UNCLOSED_QUOTE: status = reject_unclosed(csv, record, row, error); break;
    case VC_CSV_TEXT_BEHIND_QUOTE:
        status = reject_text_behind_quote(csv, record, row, error);
        break;
    case VC_CSV_WHOLE: break;
    }
    if (record->text_bytes > csv->options.row_bytes_max) {
        status = reject_long_row(csv, row, error);
        shorten_record(row);
    }
    if (status == VC_OK && (csv->has_nul || csv->has_non_ascii))
        status = check_text(csv, row, error);
    if (status == VC_OK && record->nfields != csv->ncolumns)
        status = reject_field_count(csv, record, row, error);
    if (status == VC_OK && record->text_bytes > csv->options.field_bytes_max &&
        !csv->options.is_ndjson) {
        status = check_field_sizes(csv, row, error);
        if (status != VC_OK) shorten_record(row);
    }
    return status;
}
