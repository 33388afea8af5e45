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
#include "cube/csv.h"

#include "base/arena.h"
#include "base/nearest.h"
#include "base/strmap.h"
#include "cube/definition.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUFFER_BYTES = 256 * 1024,
    SHOWN_BYTES_MAX = 1000, /* of a row that is too long to be shown */
};

struct vc_csv {
    vc_input *input;
    vc_csv_options options;
    vc_csv_syntax syntax;
    size_t window;       /* bytes of a record after which it is too long for certain */
    uint64_t null_sizes; /* bit n: some null text has n bytes (63: or more) */

    char *buffer; /* [capacity], filled up to `end`; the next record begins at `first` */
    size_t capacity;
    size_t first;
    size_t end;
    bool input_at_end;
    bool has_nul; /* somewhere in the buffer */
    bool has_non_ascii;
    bool is_in_long_row; /* everything up to the next line end belongs to a rejected row */
    uint64_t line;       /* of buffer[first] */
    size_t row_first;    /* where the record of the last row or reject began in the buffer */
    size_t block_first;  /* of the block that a fork reads */
    bool is_fork;        /* reads blocks, which own the buffer */
    bool has_one_record; /* the block is_single */

    size_t ncolumns;
    vc_str *names;         /* [ncolumns] in the arena */
    vc_csv_field *extents; /* [ncolumns + 1] of the row; one more, to show a field too many */
    vc_str *fields;        /* [ncolumns] of the row */
    size_t nwanted;
    uint32_t *wanted; /* [nwanted] which of them are made, ascending */
    char *unescaped;  /* [unescaped_capacity] texts of fields of the row that had "" */
    size_t unescaped_capacity;

    vc_arena arena;
    vc_error failure; /* status VC_OK until the input or memory failed */
};

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
    options_out->has_header = definition->has_header;
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

/* ---- the buffer ---- */

/* Look once at all bytes for what only few files have, so that rows of the others need no check. */
static void note_bytes(vc_csv *csv)
{
    uint64_t all = 0, word;
    size_t at = csv->first;
    for (; csv->end - at >= sizeof word; at += sizeof word) {
        memcpy(&word, csv->buffer + at, sizeof word);
        all |= word;
    }
    for (; at < csv->end; at++)
        all |= (unsigned char)csv->buffer[at];
    csv->has_non_ascii = (all & UINT64_C(0x8080808080808080)) != 0;
    csv->has_nul = csv->end > csv->first &&
                   memchr(csv->buffer + csv->first, '\0', csv->end - csv->first) != NULL;
}

/* Have at least `want` bytes from the next record on, or all that there are. */
static vc_status fill_to(vc_csv *csv, size_t want, vc_error *error)
{
    size_t pending = csv->end - csv->first;
    assert(!csv->input_at_end && pending < want);
    if (csv->first > 0) memmove(csv->buffer, csv->buffer + csv->first, pending);
    csv->first = 0;
    csv->end = pending;
    if (csv->capacity < want) {
        char *buffer = realloc(csv->buffer, want);
        if (buffer == NULL) return vc_no_memory(error);
        csv->buffer = buffer;
        csv->capacity = want;
    }
    while (csv->end < want && !csv->input_at_end) {
        size_t size;
        vc_status status = vc_input_read(csv->input, csv->buffer + csv->end,
                                         csv->capacity - csv->end, &size, error);
        /* The rows that came before the failure are delivered first; then it is met again. */
        if (status != VC_OK && csv->end > pending) break;
        if (status != VC_OK) return status;
        csv->input_at_end = size == 0;
        csv->end += size;
    }
    return VC_OK;
}

/* Have at least twice as many bytes of the next record, or all that there are. */
static vc_status fill(vc_csv *csv, vc_error *error)
{
    size_t pending = csv->end - csv->first;
    assert(pending < csv->window);
    size_t want = pending > csv->window / 2 ? csv->window : 2 * pending;
    vc_status status = fill_to(csv, want == 0 ? 1 : want, error);
    if (status == VC_OK) note_bytes(csv);
    return status;
}

/* Split the next record, without going on behind it. At the end of the input record->bytes is 0 and
 * the outcome VC_CSV_WHOLE; the outcome is VC_CSV_INCOMPLETE when it is longer than the window. */
static vc_status peek_record(vc_csv *csv, size_t capacity, vc_csv_field *fields,
                             vc_csv_record *record, vc_error *error)
{
    for (;;) {
        size_t pending = csv->end - csv->first;
        size_t size = pending < csv->window ? pending : csv->window;
        bool is_last = csv->input_at_end && pending < csv->window;
        *record = (vc_csv_record){.outcome = VC_CSV_WHOLE};
        if (size == 0 && is_last) return VC_OK;
        if (size > 0) {
            vc_csv_split(&csv->syntax, csv->buffer + csv->first, size, is_last, capacity, fields,
                         record);
            if (record->outcome != VC_CSV_INCOMPLETE || size == csv->window) return VC_OK;
        }
        vc_status status = fill(csv, error);
        if (status != VC_OK) return status;
    }
}

static void pass_record(vc_csv *csv, const vc_csv_record *record)
{
    csv->first += record->bytes;
    csv->line += record->nlines;
}

static vc_status pass_long_row(vc_csv *csv, vc_error *error)
{
    for (;;) {
        const char *next = csv->buffer + csv->first;
        const char *line_end =
            csv->end > csv->first ? memchr(next, '\n', csv->end - csv->first) : NULL;
        if (line_end != NULL) {
            csv->first += (size_t)(line_end - next) + 1;
            csv->line++;
            break;
        }
        csv->first = csv->end;
        if (csv->input_at_end) break;
        vc_status status = fill(csv, error);
        if (status != VC_OK) return status;
    }
    csv->is_in_long_row = false;
    return VC_OK;
}

/* ---- rejects ---- */

/* Line and column of a byte of the row's record. */
static void error_at_byte(const vc_csv *csv, const vc_csv_row *row, size_t byte, vc_error *error)
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
    error_at_byte(csv, row, extent->first - extent->is_quoted, error);
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
static const char *byte_name(char byte, char text[8])
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
    error_at_byte(csv, row, record->fault, error);
    return VC_BAD_INPUT;
}

static vc_status reject_long_row(const vc_csv *csv, const vc_csv_row *row, vc_error *error)
{
    vc_fail(error, VC_BAD_INPUT, "csv_row_too_long",
            "the row is longer than %zu bytes, the most that is allowed",
            csv->options.row_bytes_max);
    error_at_byte(csv, row, 0, error);
    return VC_BAD_INPUT;
}

/* A record that is longer than the window: decide where the next row begins. */
static vc_status reject_endless(vc_csv *csv, vc_csv_record *record, vc_csv_row *row,
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
            byte_name(row->record.data[record->fault], found),
            byte_name(csv->syntax.delimiter, delimiter));
    error_at_byte(csv, row, record->fault, error);
    return VC_BAD_INPUT;
}

static vc_status check_text(const vc_csv *csv, const vc_csv_row *row, vc_error *error)
{
    bool may_be_other = csv->options.encoding == VC_ENCODING_UTF8;
    const char *nul = csv->has_nul ? memchr(row->record.data, '\0', row->record.size) : NULL;
    if (nul != NULL) {
        vc_fail(error, VC_BAD_INPUT, "csv_nul", "a NUL byte (0x00), expected text%s",
                may_be_other ? "; is the \"encoding\" of the file utf-16?" : "");
        error_at_byte(csv, row, (size_t)(nul - row->record.data), error);
        return VC_BAD_INPUT;
    }
    size_t bad;
    if (!csv->has_non_ascii || vc_utf8_check(row->record, &bad)) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "csv_encoding", "byte 0x%02X is not valid UTF-8%s",
            (unsigned char)row->record.data[bad],
            may_be_other ? "; is the \"encoding\" of the file windows-1252 or latin1?" : "");
    error_at_byte(csv, row, bad, error);
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
    error_at_byte(csv, row, byte, error);
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
        error_at_byte(csv, row, extent->first - extent->is_quoted, error);
        return VC_BAD_INPUT;
    }
    return VC_OK;
}

/* Is it a row? If not, the error says why, and the row shows what may be shown. */
static vc_status check_record(vc_csv *csv, vc_csv_record *record, vc_csv_row *row, vc_error *error)
{
    vc_status status = VC_OK;
    switch (record->outcome) {
    case VC_CSV_INCOMPLETE: return reject_endless(csv, record, row, error);
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
    if (status == VC_OK && record->text_bytes > csv->options.field_bytes_max) {
        status = check_field_sizes(csv, row, error);
        if (status != VC_OK) shorten_record(row);
    }
    return status;
}

/* ---- rows ---- */

static bool is_null_text(const vc_csv *csv, vc_str text)
{
    for (size_t i = 0; i < csv->options.nnulls; i++) {
        vc_str null = csv->options.nulls[i];
        if (text.size == null.size && memcmp(text.data, null.data, null.size) == 0) return true;
    }
    return false;
}

/* Room for the unescaped texts of a whole row; before any of them is in it. */
static bool reserve_unescaped(vc_csv *csv, size_t size)
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
            if (!reserve_unescaped(csv, row->record.size)) return vc_no_memory(error);
            text.data = csv->unescaped + unescaped_bytes;
            text.size =
                vc_csv_unescape(&csv->syntax, record, extent, csv->unescaped + unescaped_bytes);
            unescaped_bytes += text.size;
        }
        if ((csv->null_sizes >> (text.size < 63 ? text.size : 63) & 1) != 0 &&
            is_null_text(csv, text))
            text = (vc_str){0};
        csv->fields[i] = text;
    }
    row->nfields = csv->ncolumns;
    row->fields = csv->fields;
    row->extents = csv->extents;
    return VC_OK;
}

static vc_csv_event fail_for_good(vc_csv *csv, vc_status status, vc_error *error)
{
    csv->failure.status = status;
    if (error != NULL) *error = csv->failure;
    return VC_CSV_FAILED;
}

static vc_csv_event deliver(vc_csv *csv, vc_csv_record *record, vc_csv_row *row, vc_error *error)
{
    *row =
        (vc_csv_row){.record = {csv->buffer + csv->first, record->text_bytes}, .line = csv->line};
    csv->row_first = csv->first;
    if (check_record(csv, record, row, error) != VC_OK) {
        pass_record(csv, record);
        return VC_CSV_REJECT;
    }
    vc_status status = make_fields(csv, row, &csv->failure);
    if (status != VC_OK) return fail_for_good(csv, status, error);
    pass_record(csv, record);
    return VC_CSV_ROW;
}

vc_csv_event vc_csv_next(vc_csv *csv, vc_csv_row *row, vc_error *error)
{
    vc_status status = csv->failure.status;
    if (status != VC_OK) return fail_for_good(csv, status, error);
    if (csv->is_in_long_row) status = pass_long_row(csv, &csv->failure);
    while (status == VC_OK) {
        vc_csv_record record;
        status = peek_record(csv, csv->ncolumns + 1, csv->extents, &record, &csv->failure);
        if (status != VC_OK) break;
        if (record.outcome == VC_CSV_WHOLE) {
            if (record.bytes == 0) return VC_CSV_END;
            if (record.text_bytes == 0 && csv->ncolumns != 1) {
                pass_record(csv, &record);
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
    return fail_for_good(csv, status, error);
}

/* ---- blocks ---- */

static bool want_all(vc_csv *csv)
{
    csv->wanted = VC_ARENA_NEW(&csv->arena, uint32_t, csv->ncolumns);
    if (csv->wanted == NULL) return false;
    for (uint32_t i = 0; i < csv->ncolumns; i++)
        csv->wanted[i] = i;
    csv->nwanted = csv->ncolumns;
    return true;
}

/* How many of the first `size` pending bytes are whole records. Where no quote is, every line end
 * ends one; from the line of a quote on, records are split to see where they end. */
static size_t find_cut(const vc_csv *csv, size_t size)
{
    const char *data = csv->buffer + csv->first;
    bool is_end = csv->input_at_end && size == csv->end - csv->first;
    size_t at = 0;
    while (at < size) {
        const char *quote = memchr(data + at, csv->syntax.quote, size - at);
        size_t plain = quote == NULL ? size - at : (size_t)(quote - data) - at;
        const char *line_end = memrchr(data + at, '\n', plain);
        if (line_end != NULL) at = (size_t)(line_end - data) + 1;
        if (quote == NULL) return is_end ? size : at;
        size_t left = size - at;
        vc_csv_record record;
        vc_csv_split(&csv->syntax, data + at, left < csv->window ? left : csv->window,
                     is_end && left < csv->window, 0, NULL, &record);
        if (record.outcome == VC_CSV_INCOMPLETE) break;
        at += record.bytes;
    }
    return at;
}

/* The pending bytes are the window of a record that does not end in it: a block of its own. Where
 * the next record begins is decided as for a reader of rows. */
static size_t pass_endless(vc_csv *csv)
{
    vc_csv_record record;
    vc_csv_row row = {.record = {csv->buffer + csv->first, csv->window}};
    vc_csv_split(&csv->syntax, row.record.data, csv->window, false, 0, NULL, &record);
    (void)reject_endless(csv, &record, &row, NULL);
    return record.bytes;
}

/* Give the buffer to the block, and go on with what comes behind it in the block's old one. */
static vc_status hand_over(vc_csv *csv, size_t next, vc_csv_block *block, vc_error *error)
{
    size_t left = csv->end - next;
    size_t room = left < csv->options.buffer_bytes ? csv->options.buffer_bytes : left;
    if (block->capacity < room) {
        free(block->data);
        block->capacity = room;
        block->data = malloc(room);
        if (block->data == NULL) {
            block->capacity = 0;
            return vc_no_memory(error);
        }
    }
    memcpy(block->data, csv->buffer + next, left);
    char *data = block->data;
    size_t capacity = block->capacity;
    block->data = csv->buffer;
    block->capacity = csv->capacity;
    csv->buffer = data;
    csv->capacity = capacity;
    csv->first = 0;
    csv->end = left;
    return VC_OK;
}

/* Have some whole records, or a window full of one, or nothing at the end. */
static vc_status gather_block(vc_csv *csv, size_t want, size_t *cut_out, vc_error *error)
{
    for (;;) {
        size_t size = csv->end - csv->first;
        vc_status status = VC_OK;
        if (size < want && !csv->input_at_end) status = fill_to(csv, want, error);
        size = csv->end - csv->first;
        if (size > want) size = want;
        *cut_out = size > 0 ? find_cut(csv, size) : 0;
        if (*cut_out > 0) return VC_OK; /* a failure of the input is met again behind them */
        if (status != VC_OK || size >= csv->window || size == 0) return status;
        want = size > csv->window / 2 ? csv->window : 2 * size;
    }
}

vc_status vc_csv_next_block(vc_csv *csv, size_t block_bytes, vc_csv_block *block, vc_error *error)
{
    vc_status status = csv->failure.status;
    uint64_t line = csv->line;
    size_t cut = 0, size;
    if (status == VC_OK && csv->is_in_long_row) status = pass_long_row(csv, &csv->failure);
    if (status == VC_OK) status = gather_block(csv, block_bytes, &cut, &csv->failure);
    block->nlines_before = csv->line - line;
    if (status == VC_OK) {
        block->first = csv->first;
        block->is_single = cut == 0 && csv->end > csv->first;
        size = block->is_single ? csv->window : cut;
        block->end = csv->first + size;
        line = csv->line;
        if (block->is_single) cut = pass_endless(csv);
        csv->line = line; /* the lines of a block are counted by its reader */
        if (block->end > block->first)
            status = hand_over(csv, block->first + cut, block, &csv->failure);
    }
    block->is_last = csv->input_at_end && csv->first == csv->end;
    block->bytes_done = vc_input_get_progress(csv->input).bytes_done;
    if (status != VC_OK) (void)fail_for_good(csv, status, error);
    return status;
}

void vc_csv_block_release(vc_csv_block *block)
{
    free(block->data);
    *block = (vc_csv_block){0};
}

vc_status vc_csv_fork(const vc_csv *csv, vc_csv **fork_out, vc_error *error)
{
    vc_csv *fork = calloc(1, sizeof *fork);
    if (fork == NULL) return vc_no_memory(error);
    fork->input = csv->input; /* for its name only */
    fork->options = csv->options;
    fork->syntax = csv->syntax;
    fork->window = csv->window;
    fork->null_sizes = csv->null_sizes;
    fork->ncolumns = csv->ncolumns;
    fork->is_fork = true;
    fork->input_at_end = true; /* every record of a block is whole */
    fork->extents = VC_ARENA_NEW(&fork->arena, vc_csv_field, csv->ncolumns + 1);
    fork->fields = VC_ARENA_NEW(&fork->arena, vc_str, csv->ncolumns);
    if (fork->extents == NULL || fork->fields == NULL || !want_all(fork)) {
        vc_csv_close(fork);
        return vc_no_memory(error);
    }
    *fork_out = fork;
    return VC_OK;
}

void vc_csv_want(vc_csv *fork, const bool *is_wanted)
{
    fork->nwanted = 0;
    for (uint32_t i = 0; i < fork->ncolumns; i++) {
        fork->wanted[fork->nwanted] = i;
        fork->nwanted += is_wanted[i];
    }
}

static void go_to(vc_csv *fork, const vc_csv_block *block, size_t offset, uint64_t line)
{
    assert(fork->is_fork && block->first + offset <= block->end);
    fork->buffer = block->data;
    fork->block_first = block->first;
    fork->first = block->first + offset;
    fork->end = block->end;
    fork->line = line;
    fork->has_one_record = block->is_single;
    fork->is_in_long_row = false;
}

void vc_csv_read_block(vc_csv *fork, const vc_csv_block *block, uint64_t line)
{
    go_to(fork, block, 0, line);
    note_bytes(fork);
}

void vc_csv_read_at(vc_csv *fork, const vc_csv_block *block, size_t offset, uint64_t line)
{
    go_to(fork, block, offset, line);
    fork->has_nul = fork->has_non_ascii = true; /* maybe: one row is checked sooner than all */
}

size_t vc_csv_row_offset(const vc_csv *fork)
{
    return fork->row_first - fork->block_first;
}

uint64_t vc_csv_line(const vc_csv *csv)
{
    return csv->line;
}

/* ---- the header ---- */

/* Go to the first record that is no empty line, and count its fields: 1 when it is a reject, which
 * vc_csv_next will then find. */
static vc_status count_fields(vc_csv *csv, size_t *nfields_out, vc_error *error)
{
    for (;;) {
        vc_csv_record record;
        vc_status status = peek_record(csv, 0, NULL, &record, error);
        if (status != VC_OK) return status;
        *nfields_out = record.nfields;
        if (record.outcome != VC_CSV_WHOLE) *nfields_out = 1;
        if (record.outcome != VC_CSV_WHOLE || record.text_bytes > 0) return VC_OK;
        if (record.bytes > 0) {
            pass_record(csv, &record);
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
    return want_all(csv) ? VC_OK : vc_no_memory(error);
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

static vc_status start(vc_csv *csv, vc_error *error)
{
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
                delimiter == '\t' ? "a tab" : byte_name(delimiter, text));
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
